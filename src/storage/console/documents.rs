//! Documents of both directions as lists and pages show them.

use super::{Conditions, PAGE, WHOLE, are_few};
use crate::binds;
use crate::storage::{Connection, Failure};

row! {
    /// A document with what stands around it.
    #[derive(Debug, Clone)]
    pub(crate) struct DocumentItem {
        pub id: i64,
        /// in or out.
        pub direction: String,
        pub partner_id: Option<i64>,
        pub partner_name: Option<String>,
        pub mode: String,
        pub set_code: String,
        pub file_id: Option<i64>,
        pub interchange_id: Option<i64>,
        pub transmission_id: Option<i64>,
        pub isa13: String,
        pub gs06: String,
        pub st02: String,
        pub byte_offset: Option<i64>,
        pub size: Option<i64>,
        pub disposition: String,
        pub delivery: String,
        pub syntax: String,
        pub application: String,
        pub subject_kind: String,
        pub subject_id: Option<i64>,
        pub reference: String,
        /// JSON.
        pub findings: String,
        pub corrected_sha256: Option<String>,
        pub replaces_id: Option<i64>,
        pub created_at: i64,
        pub sent_at: Option<i64>,
        pub answer_due_at: Option<i64>,
        pub answered_at: Option<i64>,
        /// Name of the file it came in or went out in.
        pub file_name: Option<String>,
        /// Address of that file's bytes.
        pub sha256: Option<String>,
        /// Size of that file.
        pub file_size: Option<i64>,
        pub delivered_at: Option<i64>,
        pub picked_up_at: Option<i64>,
        pub picked_up_by: Option<String>,
        pub transmission_problem: Option<String>,
    }
}

const DOCUMENT: &str = "SELECT d.id, d.direction, d.partner_id, p.name AS partner_name, d.mode,
    d.set_code, d.file_id, d.interchange_id, d.transmission_id, d.isa13, d.gs06, d.st02, d.byte_offset, d.size,
    d.disposition, d.delivery, d.syntax, d.application, d.subject_kind, d.subject_id, d.reference, d.findings,
    d.corrected_sha256, d.replaces_id, d.created_at, d.sent_at, d.answer_due_at, d.answered_at,
    COALESCE(t.name, f.name) AS file_name, COALESCE(t.sha256, f.sha256) AS sha256, COALESCE(t.size, f.size) AS file_size,
    t.delivered_at, t.picked_up_at, t.picked_up_by, t.problem AS transmission_problem
    FROM document d LEFT JOIN partner p ON p.id = d.partner_id LEFT JOIN file f ON f.id = d.file_id
    LEFT JOIN transmission t ON t.id = d.transmission_id";

/// What a list of documents is narrowed to.
#[derive(Debug, Clone, Default)]
pub(crate) struct DocumentFilter {
    pub direction: Option<String>,
    pub set_code: Option<String>,
    pub partner: Option<i64>,
    pub disposition: Option<String>,
    pub delivery: Option<String>,
    pub syntax: Option<String>,
    pub mode: Option<String>,
    /// Only what waits for a person, of either direction.
    pub is_held: bool,
    /// Only what should have been acknowledged by this instant.
    pub overdue_at: Option<i64>,
    /// Only numbers below this.
    pub before: Option<i64>,
}

/// The documents in a state of delivery, by the index of every partner.
fn in_delivery(word: &str) -> String {
    format!("partner q CROSS JOIN document x WHERE x.partner_id = q.id AND x.delivery = {word}")
}

/// The condition by which a list reads a partner's documents whole, where they are few; its value is the partner.
pub(in crate::storage) async fn if_few_of(
    connection: &mut Connection,
    partner: i64,
) -> Result<Option<&'static str>, Failure> {
    let few = are_few(
        connection,
        "document WHERE partner_id = $1",
        binds![partner],
    )
    .await?;
    Ok(few.then_some("d.id IN (SELECT x.id FROM document x WHERE x.partner_id = ?)"))
}

/// The same of the documents in a state of delivery; its value is the state's word.
pub(in crate::storage) async fn if_few_in(
    connection: &mut Connection,
    delivery: &str,
) -> Result<Option<String>, Failure> {
    let few = are_few(connection, &in_delivery("$1"), binds![delivery]).await?;
    Ok(few.then(|| format!("d.id IN (SELECT x.id FROM {})", in_delivery("?"))))
}

/// The condition for the documents of a partner with many, of which the newest are gone through: SQLite would put all of
/// them in order.
pub(in crate::storage) fn of_many(connection: &Connection) -> &'static str {
    match connection.is_sqlite() {
        true => "+d.partner_id = ?",
        false => "d.partner_id = ?",
    }
}

/// A page of documents.
pub(crate) async fn list(
    connection: &mut Connection,
    filter: &DocumentFilter,
) -> Result<Vec<DocumentItem>, Failure> {
    let mut conditions = Conditions::default();
    conditions
        .and_some("d.direction = ?", filter.direction.as_ref())
        .and_some("d.set_code = ?", filter.set_code.as_ref())
        .and_some("d.disposition = ?", filter.disposition.as_ref())
        .and_some("d.syntax = ?", filter.syntax.as_ref())
        .and_mode("d.mode", filter.mode.as_ref())
        .and_some(
            "d.id IN (SELECT x.id FROM document x WHERE x.answer_due_at < ? AND x.direction = 'out'
                AND x.syntax = 'pending' AND x.delivery <> 'superseded')",
            filter.overdue_at.as_ref(),
        )
        .and_some("d.id < ?", filter.before.as_ref());
    if let Some(partner) = filter.partner {
        match if_few_of(connection, partner).await? {
            Some(theirs) => conditions
                .and("d.partner_id = ?", partner)
                .and(theirs, partner),
            None => conditions.and(of_many(connection), partner),
        };
    }
    if let Some(delivery) = &filter.delivery {
        conditions.and("d.delivery = ?", delivery);
        if let Some(these) = if_few_in(connection, delivery).await? {
            conditions.and(&these, delivery);
        }
    }
    if let Some("pending" | "rejected") = filter.syntax.as_deref() {
        // The condition of an index, which follows from the one before.
        conditions.and_plain("d.syntax NOT IN ('accepted', 'none')");
    }
    if filter.is_held {
        // The second is the condition of an index, and follows from the first.
        conditions
            .and_plain("(d.disposition = 'held' OR d.delivery = 'held')")
            .and_plain(
                "(d.disposition = 'held' OR d.delivery = 'held'
                    OR (d.direction = 'out' AND d.syntax = 'rejected' AND d.delivery <> 'superseded'))",
            );
    }
    let sql = format!(
        "{DOCUMENT}{} ORDER BY d.id DESC LIMIT {}",
        conditions.sql(),
        PAGE + 1
    );
    connection.rows(&sql, conditions.binds()).await
}

/// One document.
pub(crate) async fn one(
    connection: &mut Connection,
    id: i64,
) -> Result<Option<DocumentItem>, Failure> {
    connection
        .row(&format!("{DOCUMENT} WHERE d.id = $1"), binds![id])
        .await
}

/// Documents about a subject, oldest first.
pub(crate) async fn about(
    connection: &mut Connection,
    kind: &str,
    id: i64,
) -> Result<Vec<DocumentItem>, Failure> {
    let sql = format!(
        "{DOCUMENT} WHERE d.subject_kind = $1 AND d.subject_id = $2 ORDER BY d.id LIMIT {WHOLE}"
    );
    connection.rows(&sql, binds![kind, id]).await
}

/// The whole thread of an order, oldest first: the 850 and what we answered it with, documents about the order, its
/// shipments and invoices, and the remittances that paid those.
pub(crate) async fn thread(
    connection: &mut Connection,
    order: i64,
) -> Result<Vec<DocumentItem>, Failure> {
    let sql = format!(
        "{DOCUMENT} WHERE d.id IN (
            SELECT document_id FROM purchase_order WHERE id = $1
            UNION SELECT id FROM document WHERE subject_kind = 'order' AND subject_id = $1
            UNION SELECT a.id FROM purchase_order o CROSS JOIN document s CROSS JOIN document a
                WHERE o.id = $1 AND s.id = o.document_id
                AND a.subject_kind = 'interchange' AND a.subject_id = s.interchange_id
            UNION SELECT x.id FROM shipment_order so CROSS JOIN document x
                WHERE so.order_id = $1 AND x.subject_kind = 'shipment' AND x.subject_id = so.shipment_id
            UNION SELECT x.id FROM invoice i CROSS JOIN document x
                WHERE i.order_id = $1 AND x.subject_kind = 'invoice' AND x.subject_id = i.id
            UNION SELECT y.document_id FROM invoice i CROSS JOIN application a CROSS JOIN payment y
                WHERE i.order_id = $1 AND a.invoice_id = i.id AND y.id = a.payment_id AND y.document_id IS NOT NULL)
         ORDER BY d.created_at, d.id LIMIT {WHOLE}"
    );
    connection.rows(&sql, binds![order]).await
}

/// The documents of an interchange that came in, and what we answered it with, oldest first.
pub(crate) async fn of_interchange(
    connection: &mut Connection,
    interchange: i64,
) -> Result<Vec<DocumentItem>, Failure> {
    let sql = format!(
        "{DOCUMENT} WHERE d.interchange_id = $1 OR (d.subject_kind = 'interchange' AND d.subject_id = $1)
         ORDER BY d.id LIMIT {WHOLE}"
    );
    connection.rows(&sql, binds![interchange]).await
}

/// The documents of a file that came in, oldest first.
pub(crate) async fn of_file(
    connection: &mut Connection,
    file: i64,
) -> Result<Vec<DocumentItem>, Failure> {
    let sql = format!(
        "{DOCUMENT} WHERE d.interchange_id IN (SELECT id FROM interchange WHERE file_id = $1) ORDER BY d.id LIMIT {WHOLE}"
    );
    connection.rows(&sql, binds![file]).await
}

/// Documents that replace this one.
pub(crate) async fn replacing(
    connection: &mut Connection,
    id: i64,
) -> Result<Vec<DocumentItem>, Failure> {
    let sql = format!("{DOCUMENT} WHERE d.replaces_id = $1 ORDER BY d.id LIMIT {WHOLE}");
    connection.rows(&sql, binds![id]).await
}

/// Segments of a document that was built but has not been put into a file yet, as JSON.
pub(crate) async fn body(connection: &mut Connection, id: i64) -> Result<Option<String>, Failure> {
    Ok(connection
        .row::<(Option<String>,)>("SELECT body FROM document WHERE id = $1", binds![id])
        .await?
        .and_then(|row| row.0))
}
