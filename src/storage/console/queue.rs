//! What waits for a person, and what was refused lately: documents, files and orders.

use crate::binds;
use crate::storage::{Connection, Failure};

row! {
    /// One thing in the queue.
    #[derive(Debug, Clone)]
    pub(crate) struct QueueItem {
        /// `document`, `file` or `order`.
        pub kind: String,
        pub id: i64,
        /// in or out; empty for files and orders.
        pub direction: String,
        pub set_code: String,
        pub partner_name: Option<String>,
        pub mode: String,
        pub reference: String,
        /// held, rejected.
        pub disposition: String,
        /// JSON findings; for an order, its body.
        pub findings: String,
        pub since: i64,
        /// Minor units at stake, where they are known.
        pub value: Option<i64>,
        pub currency: Option<String>,
    }
}

/// The order or invoice that a document is about gives the money at stake.
const DOCUMENT: &str = "SELECT 'document' AS kind, d.id, d.direction, d.set_code, p.name AS partner_name,
    d.mode, d.reference, CASE WHEN d.delivery = 'held' THEN 'held' WHEN d.direction = 'out' THEN 'rejected'
    ELSE d.disposition END AS disposition, d.findings, d.created_at AS since,
    COALESCE(o.value, i.total, (SELECT CAST(SUM(po.value) AS BIGINT) FROM shipment_order so
        JOIN purchase_order po ON po.id = so.order_id
        WHERE d.subject_kind = 'shipment' AND so.shipment_id = d.subject_id)) AS value,
    COALESCE(o.currency, i.currency, (SELECT MIN(po.currency) FROM shipment_order so
        JOIN purchase_order po ON po.id = so.order_id
        WHERE d.subject_kind = 'shipment' AND so.shipment_id = d.subject_id)) AS currency
    FROM document d LEFT JOIN partner p ON p.id = d.partner_id
    LEFT JOIN purchase_order o ON d.subject_kind = 'order' AND o.id = d.subject_id
    LEFT JOIN invoice i ON d.subject_kind = 'invoice' AND i.id = d.subject_id";
const FILE: &str = concat!(
    "SELECT 'file' AS kind, f.id, '' AS direction, '' AS set_code, p.name AS partner_name,
    '' AS mode, f.name AS reference, f.disposition, f.findings, f.received_at AS since,
    CAST(NULL AS BIGINT) AS value, CAST(NULL AS TEXT) AS currency
    FROM file f LEFT JOIN connection c ON c.id = f.connection_id
        LEFT JOIN partner p ON p.id = ",
    partner_of_file!()
);
const ORDER: &str = "SELECT 'order' AS kind, o.id, '' AS direction, '850' AS set_code, 
    p.name AS partner_name, o.mode, o.po_number AS reference, o.status AS disposition, o.body AS findings,
    o.received_at AS since, o.value, o.currency FROM purchase_order o JOIN partner p ON p.id = o.partner_id";

/// Files that no document of the queue stands for; by the file's own documents, not by all that wait.
const FILE_ALONE: &str = "NOT EXISTS (SELECT 1 FROM interchange n CROSS JOIN document d
    WHERE n.file_id = f.id AND d.interchange_id = n.id AND d.direction = 'in'
        AND d.disposition IN ('held', 'rejected'))";

/// What waits for a person, oldest first: held orders, held documents of both directions, documents of ours that the
/// partner refused, held files.
pub(crate) async fn waiting(
    connection: &mut Connection,
    most: i64,
) -> Result<Vec<QueueItem>, Failure> {
    let documents = format!(
        "{DOCUMENT} WHERE (d.disposition = 'held' OR d.delivery = 'held'
            OR (d.direction = 'out' AND d.syntax = 'rejected' AND d.delivery <> 'superseded'))
         AND NOT (d.direction = 'in' AND o.status IS NOT NULL AND o.status = 'held')
         ORDER BY d.id LIMIT $1"
    );
    let files =
        format!("{FILE} WHERE f.disposition = 'held' AND {FILE_ALONE} ORDER BY f.id LIMIT $1");
    let orders = format!("{ORDER} WHERE o.status = 'held' ORDER BY o.id LIMIT $1");
    collect(connection, [documents, files, orders], binds![most]).await
}

/// What came in and was refused since `since`, oldest first.
pub(crate) async fn rejected(
    connection: &mut Connection,
    since: i64,
    most: i64,
) -> Result<Vec<QueueItem>, Failure> {
    let documents = format!(
        "{DOCUMENT} WHERE d.disposition = 'rejected' AND d.direction = 'in' AND d.created_at >= $2 ORDER BY d.id DESC LIMIT $1"
    );
    let files = format!(
        "{FILE} WHERE f.disposition = 'rejected' AND f.received_at >= $2 AND {FILE_ALONE} ORDER BY f.id DESC LIMIT $1"
    );
    let orders = format!(
        "{ORDER} WHERE o.status = 'rejected' AND o.received_at >= $2 ORDER BY o.id DESC LIMIT $1"
    );
    collect(connection, [documents, files, orders], binds![most, since]).await
}

async fn collect(
    connection: &mut Connection,
    queries: [String; 3],
    binds: Vec<crate::storage::Bind>,
) -> Result<Vec<QueueItem>, Failure> {
    let mut items = Vec::new();
    for sql in queries {
        items.extend(connection.rows::<QueueItem>(&sql, binds.clone()).await?);
    }
    items.sort_by_key(|item| item.since);
    Ok(items)
}

/// How many things wait for a person; more than [`super::COUNTED`] says only that it is more.
pub(crate) async fn count(connection: &mut Connection) -> Result<i64, Failure> {
    let most = super::COUNTED + 1;
    connection
        .number(
            &format!(
                "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM document d WHERE (d.disposition = 'held' OR d.delivery = 'held'
                    OR (d.direction = 'out' AND d.syntax = 'rejected' AND d.delivery <> 'superseded'))
                    AND NOT (d.direction = 'in' AND d.subject_kind = 'order' AND EXISTS (SELECT 1 FROM purchase_order h
                        WHERE h.id = d.subject_id AND h.status = 'held')) LIMIT {most}) AS documents)
                 + (SELECT COUNT(*) FROM (SELECT 1 FROM file f WHERE f.disposition = 'held' AND {FILE_ALONE} LIMIT {most}) AS files)
                 + (SELECT COUNT(*) FROM (SELECT 1 FROM purchase_order WHERE status = 'held' LIMIT {most}) AS orders)"
            ),
            binds![],
        )
        .await
}
