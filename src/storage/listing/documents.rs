//! Transaction sets of both directions, each with its fate and its findings.

use serde::{Serialize, Serializer};

use super::{Conditions, FindingListing, Page, findings, instant, maybe_instant};
use crate::domain::clock::Instant;
use crate::domain::document::{Delivery, Direction, Disposition, Syntax};
use crate::domain::ids::{DocumentId, PartnerId};
use crate::domain::order::Mode;
use crate::storage::connection::Connection;
use crate::storage::console::documents::{if_few_in, if_few_of, of_many};
use crate::storage::failure::Failure;
use crate::storage::row::{self, DriverError, Readable};

/// Columns of a [`DocumentBrief`].
macro_rules! brief {
    () => {
        "d.id AS number, d.direction, d.set_code, d.isa13, d.gs06, d.st02, d.delivery, d.syntax, d.application"
    };
}

/// The documents of orders `{orders}`: their 850s and what we answered those with, what is about the orders
/// themselves, about their shipments and about their invoices. The order of the joins is meant: from the orders outward.
pub(super) const THREAD: &str = concat!(
    "SELECT o.id AS order_id, ",
    brief!(),
    " FROM purchase_order o CROSS JOIN document d WHERE o.id IN {orders} AND d.id = o.document_id
     UNION ALL SELECT o.id, ",
    brief!(),
    " FROM purchase_order o CROSS JOIN document s CROSS JOIN document d WHERE o.id IN {orders} AND s.id = o.document_id
       AND d.subject_kind = 'interchange' AND d.subject_id = s.interchange_id
     UNION ALL SELECT d.subject_id, ",
    brief!(),
    " FROM document d WHERE d.subject_kind = 'order' AND d.subject_id IN {orders}
     UNION ALL SELECT l.order_id, ",
    brief!(),
    " FROM shipment_order l CROSS JOIN document d WHERE l.order_id IN {orders}
       AND d.subject_kind = 'shipment' AND d.subject_id = l.shipment_id
     UNION ALL SELECT i.order_id, ",
    brief!(),
    " FROM invoice i CROSS JOIN document d WHERE i.order_id IN {orders}
       AND d.subject_kind = 'invoice' AND d.subject_id = i.id"
);

fn as_text<S: Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

row! {
    /// A document as it stands in the listing of what it is about.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct DocumentBrief {
        /// Its number.
        #[serde(rename = "id", serialize_with = "as_text")]
        pub number: i64,
        /// `in` or `out`.
        pub direction: String,
        /// 850, 997 …; TA1 for an interchange acknowledgment; empty for what is no transaction set at all.
        #[serde(rename = "set")]
        pub set_code: String,
        /// Control number of its interchange, empty until it has one.
        pub isa13: String,
        /// Control number of its group, empty until it has one.
        pub gs06: String,
        /// Control number of the set, empty until it has one.
        pub st02: String,
        /// What became of the bytes we sent.
        pub delivery: String,
        /// What the 997, 999 or TA1 said.
        pub syntax: String,
        /// What business said.
        pub application: String,
    }
}

/// Which documents.
#[derive(Debug, Clone, Default)]
pub struct DocumentFilter {
    /// From or to this partner.
    pub partner: Option<PartnerId>,
    /// Of this world.
    pub mode: Option<Mode>,
    /// Received or sent.
    pub direction: Option<Direction>,
    /// 850, 997 …
    pub set: Option<String>,
    /// That ended so.
    pub disposition: Option<Disposition>,
    /// With this word of delivery.
    pub delivery: Option<Delivery>,
    /// Answered so by a 997, 999 or TA1.
    pub syntax: Option<Syntax>,
    /// About this: kind and number.
    pub subject: Option<(String, i64)>,
    /// Which came in this file.
    pub file: Option<i64>,
    /// Which went out in this transmission.
    pub transmission: Option<i64>,
    /// Sent, and no answer came in time.
    pub overdue: bool,
    /// This one.
    pub document: Option<DocumentId>,
    /// Which part of them, newest first; the cursor is the document's number.
    pub page: Page,
}

/// A document in a listing.
#[derive(Debug, Clone, Serialize)]
pub struct DocumentListing {
    /// What an order's thread shows of it too.
    #[serde(flatten)]
    pub brief: DocumentBrief,
    /// Code of the partner; null: the sender is unknown.
    pub partner: Option<String>,
    /// `production` or `test`.
    pub mode: String,
    /// How it ended: `received`, `processed`, `held`, `rejected`, `duplicate`.
    pub disposition: String,
    /// What was found.
    pub findings: Vec<FindingListing>,
    /// What it is about: `order`, `shipment`, `invoice`, `payment`, `interchange`; empty: nothing yet.
    pub subject_kind: String,
    /// Number of what it is about.
    pub subject: Option<String>,
    /// PO, invoice or shipment number.
    pub reference: String,
    /// The file it came in or went out in.
    pub file: Option<String>,
    /// The connection it came or went over.
    pub connection: Option<String>,
    /// Its bytes.
    pub size: Option<i64>,
    /// Where it begins in its file.
    pub byte: Option<i64>,
    /// When it came in or was made.
    pub created_at: Instant,
    /// When it was put into an interchange.
    pub sent_at: Option<Instant>,
    /// By when the partner has to acknowledge it.
    pub answer_due_at: Option<Instant>,
    /// When the partner acknowledged it.
    pub answered_at: Option<Instant>,
    /// No acknowledgment came in time.
    pub overdue: bool,
    /// A person put a corrected text in its place.
    pub corrected: bool,
    /// The document it replaces.
    pub replaces: Option<String>,
    /// The interchange it came in.
    #[serde(skip)]
    pub interchange: Option<i64>,
}

struct Row {
    brief: DocumentBrief,
    partner: Option<String>,
    mode: String,
    disposition: String,
    findings: String,
    subject_kind: String,
    subject_id: Option<i64>,
    reference: String,
    file_name: Option<String>,
    connection: Option<String>,
    size: Option<i64>,
    byte_offset: Option<i64>,
    created_at: i64,
    sent_at: Option<i64>,
    answer_due_at: Option<i64>,
    answered_at: Option<i64>,
    corrected: Option<String>,
    replaces_id: Option<i64>,
    interchange_id: Option<i64>,
}

impl Readable for Row {
    fn read(row: &row::Row<'_>) -> Result<Self, DriverError> {
        Ok(Self {
            brief: DocumentBrief::read(row)?,
            partner: row.named("partner")?,
            mode: row.named("mode")?,
            disposition: row.named("disposition")?,
            findings: row.named("findings")?,
            subject_kind: row.named("subject_kind")?,
            subject_id: row.named("subject_id")?,
            reference: row.named("reference")?,
            file_name: row.named("file_name")?,
            connection: row.named("connection")?,
            size: row.named("size")?,
            byte_offset: row.named("byte_offset")?,
            created_at: row.named("created_at")?,
            sent_at: row.named("sent_at")?,
            answer_due_at: row.named("answer_due_at")?,
            answered_at: row.named("answered_at")?,
            corrected: row.named("corrected")?,
            replaces_id: row.named("replaces_id")?,
            interchange_id: row.named("interchange_id")?,
        })
    }
}

const SELECT: &str = concat!(
    "SELECT ",
    brief!(),
    ", p.code AS partner, d.mode, d.disposition, d.findings, d.subject_kind, d.subject_id, d.reference,
       COALESCE(t.name, f.name) AS file_name, COALESCE(tc.name, fc.name) AS connection, d.size, d.byte_offset,
       d.created_at, d.sent_at, d.answer_due_at, d.answered_at, d.corrected_sha256 AS corrected, d.replaces_id, d.interchange_id
     FROM document d
       LEFT JOIN partner p ON p.id = d.partner_id
       LEFT JOIN file f ON f.id = d.file_id LEFT JOIN connection fc ON fc.id = f.connection_id
       LEFT JOIN transmission t ON t.id = d.transmission_id LEFT JOIN connection tc ON tc.id = t.connection_id"
);

fn listing(row: Row, now: Instant) -> Result<DocumentListing, Failure> {
    let number = row.brief.number;
    let answer_due_at = maybe_instant("document", row.answer_due_at)?;
    let overdue = row.brief.syntax == "pending"
        && row.brief.delivery != "superseded"
        && answer_due_at.is_some_and(|due| due <= now);
    Ok(DocumentListing {
        brief: row.brief,
        partner: row.partner,
        mode: row.mode,
        disposition: row.disposition,
        findings: findings("document", number, &row.findings)?,
        subject_kind: row.subject_kind,
        subject: row.subject_id.map(|id| id.to_string()),
        reference: row.reference,
        file: row.file_name,
        connection: row.connection,
        size: row.size,
        byte: row.byte_offset,
        created_at: instant("document", row.created_at)?,
        sent_at: maybe_instant("document", row.sent_at)?,
        answer_due_at,
        answered_at: maybe_instant("document", row.answered_at)?,
        overdue,
        corrected: row.corrected.is_some(),
        replaces: row.replaces_id.map(|id| id.to_string()),
        interchange: row.interchange_id,
    })
}

/// Documents, newest first. What is overdue is judged at `now`.
pub async fn documents(
    connection: &mut Connection,
    filter: &DocumentFilter,
    now: Instant,
) -> Result<Vec<DocumentListing>, Failure> {
    let mut conditions = Conditions::new();
    conditions.and_some("d.id = ?", filter.document);
    conditions.and_mode("d.mode", filter.mode);
    conditions.and_some("d.direction = ?", filter.direction.map(Direction::word));
    conditions.and_some("d.set_code = ?", filter.set.clone());
    conditions.and_some(
        "d.disposition = ?",
        filter.disposition.map(Disposition::word),
    );
    conditions.and_some("d.delivery = ?", filter.delivery.map(Delivery::word));
    conditions.and_some("d.syntax = ?", filter.syntax.map(Syntax::word));
    conditions.and_some(
        "d.file_id = ? AND d.interchange_id IN (SELECT n.id FROM interchange n WHERE n.file_id = ?)",
        filter.file,
    );
    by_what_is_rare(connection, &mut conditions, filter).await?;
    conditions.and_some("d.transmission_id = ?", filter.transmission);
    if let Some((kind, id)) = &filter.subject {
        conditions.and("d.subject_kind = ?", kind);
        conditions.and("d.subject_id = ?", *id);
    }
    if filter.overdue {
        conditions.and(
            "d.id IN (SELECT x.id FROM document x WHERE x.answer_due_at <= ? AND x.syntax = 'pending' AND x.delivery <> 'superseded')",
            now,
        );
    }
    let (sql, binds) = conditions.newest_first(SELECT, "d.id", filter.page);
    let rows: Vec<Row> = connection.rows(&sql, binds).await?;
    rows.into_iter().map(|row| listing(row, now)).collect()
}

/// Of a partner's documents, and of those with a word of delivery, there may be few among millions: then they are read whole,
/// by their index. What is not accepted has an index of its own.
async fn by_what_is_rare(
    connection: &mut Connection,
    conditions: &mut Conditions,
    filter: &DocumentFilter,
) -> Result<(), Failure> {
    if let Some(partner) = filter.partner {
        match if_few_of(connection, partner.0).await? {
            Some(theirs) => {
                conditions.and("d.partner_id = ?", partner);
                conditions.and(theirs, partner);
            }
            None => conditions.and(of_many(connection), partner),
        }
    }
    if let Some(delivery) = filter.delivery
        && let Some(these) = if_few_in(connection, delivery.word()).await?
    {
        conditions.and(&these, delivery.word());
    }
    if filter
        .syntax
        .is_some_and(|syntax| !matches!(syntax, Syntax::Accepted | Syntax::None))
    {
        conditions.plain("d.syntax NOT IN ('accepted', 'none')");
    }
    Ok(())
}

/// One document.
pub async fn document(
    connection: &mut Connection,
    id: DocumentId,
    now: Instant,
) -> Result<Option<DocumentListing>, Failure> {
    let filter = DocumentFilter {
        document: Some(id),
        ..DocumentFilter::default()
    };
    Ok(documents(connection, &filter, now)
        .await?
        .into_iter()
        .next())
}

row! {
    /// Where the bytes of a document lie: address of the stored file, first byte, how many; and of its corrected text.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct DocumentPlace {
        /// Address of the file it came in or went out in; none: not sent yet.
        pub sha256: Option<String>,
        /// First byte in that file.
        pub byte_offset: Option<i64>,
        /// Bytes.
        pub size: Option<i64>,
        /// Segments of one that waits to be sent, as JSON.
        pub body: Option<String>,
        /// Address of the text that a person put in its place.
        pub corrected_sha256: Option<String>,
    }
}

/// Where the bytes of a document lie.
pub async fn document_place(
    connection: &mut Connection,
    id: DocumentId,
) -> Result<Option<DocumentPlace>, Failure> {
    connection
        .row(
            "SELECT COALESCE(t.sha256, f.sha256) AS sha256, d.byte_offset, d.size, d.body, d.corrected_sha256
             FROM document d LEFT JOIN transmission t ON t.id = d.transmission_id LEFT JOIN file f ON f.id = d.file_id
             WHERE d.id = $1",
            crate::binds![id],
        )
        .await
}
