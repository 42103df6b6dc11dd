//! Which received file a piece of work goes back to, so that the log can be followed from an upload to what came of it.

use std::collections::{BTreeMap, BTreeSet};

use super::connection::{Bind, Connection};
use super::failure::Failure;

row! {
    /// That a subject goes back to a file.
    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Trace {
        /// What the subject is: file, document, order, shipment, transmission, invoice.
        pub kind: String,
        /// The number of the file.
        pub file: i64,
        /// Its own number.
        pub subject: i64,
        /// What the subject is called and how it stands now.
        pub says: String,
    }
}

/// Stands in a query for the condition that a column has one of the numbers that are asked for.
const THESE: &str = "{these}";

/// From an order to the document it came in.
const OF_ORDER: &str = "JOIN document source ON source.id = purchase_order.document_id";

/// The query for the traces of a kind of subject, which says [`THESE`], and the column that has their numbers. None: they go
/// back to no file.
fn traces_of(kind: &str) -> Option<(String, &'static str)> {
    let (select, column) = match kind {
        "file" => (
            "id AS file, id AS subject, disposition AS says FROM file WHERE TRUE".to_owned(),
            "id",
        ),
        "document" => (
            "file_id AS file, id AS subject, set_code || ' ' || disposition AS says FROM document
             WHERE file_id IS NOT NULL"
                .to_owned(),
            "id",
        ),
        "order" => (
            format!(
                "source.file_id AS file, purchase_order.id AS subject,
                 purchase_order.po_number || ' ' || purchase_order.status AS says FROM purchase_order {OF_ORDER}
                 WHERE source.file_id IS NOT NULL"
            ),
            "purchase_order.id",
        ),
        "shipment" => (
            format!(
                "source.file_id AS file, shipment.id AS subject, shipment.status AS says FROM shipment
                 JOIN shipment_order ON shipment_order.shipment_id = shipment.id
                 JOIN purchase_order ON purchase_order.id = shipment_order.order_id {OF_ORDER}
                 WHERE source.file_id IS NOT NULL"
            ),
            "shipment.id",
        ),
        "transmission" => return Some((traces_of_sent(), "transmission.id")),
        _ => return None,
    };
    Some((
        format!("SELECT '{kind}' AS kind, {select} AND {THESE}"),
        column,
    ))
}

/// The files that transmissions go back to: those they acknowledge, and those of the orders they are about. What they hold is
/// looked up once, whatever is known of how large the tables are.
fn traces_of_sent() -> String {
    let trace = "SELECT 'transmission' AS kind, source.file_id AS file, sent.subject, sent.says";
    format!(
        "SELECT kind, file, subject, says FROM (
             WITH sent AS MATERIALIZED (
                 SELECT transmission.id AS subject, document.subject_kind, document.subject_id,
                     transmission.set_code || ' ' || transmission.name || ' ' || transmission.state AS says
                 FROM transmission JOIN document ON document.transmission_id = transmission.id WHERE {THESE}),
             about AS MATERIALIZED (
                 SELECT subject, says, subject_id AS order_id FROM sent WHERE subject_kind = 'order'
                 UNION ALL SELECT subject, says, shipment_order.order_id FROM sent
                     JOIN shipment_order ON shipment_order.shipment_id = sent.subject_id WHERE subject_kind = 'shipment'
                 UNION ALL SELECT subject, says, invoice.order_id FROM sent
                     JOIN invoice ON invoice.id = sent.subject_id WHERE subject_kind = 'invoice')
             {trace} FROM sent JOIN interchange source ON source.id = sent.subject_id
                 WHERE sent.subject_kind = 'interchange' AND source.file_id IS NOT NULL
             UNION ALL {trace} FROM about AS sent CROSS JOIN purchase_order {OF_ORDER}
                 WHERE purchase_order.id = sent.order_id AND source.file_id IS NOT NULL) AS of_sent"
    )
}

impl Connection {
    /// The files that subjects go back to, by kind and file, as the subjects stand now. A partner goes back to none; what was
    /// sent to it does.
    pub async fn traces(
        &mut self,
        subjects: &BTreeMap<&'static str, BTreeSet<i64>>,
    ) -> Result<Vec<Trace>, Failure> {
        let (mut selects, mut numbers) = (Vec::new(), Vec::new());
        for (kind, of_kind) in subjects.iter().filter(|(_, of_kind)| !of_kind.is_empty()) {
            let of_kind: Vec<i64> = of_kind.iter().copied().collect();
            if let Some((select, column)) = traces_of(kind) {
                let these = self.among(column, &of_kind, &mut numbers);
                selects.push(select.replace(THESE, &these));
            }
        }
        if selects.is_empty() {
            return Ok(Vec::new());
        }
        self.traced(&selects.join(" UNION ALL "), numbers).await
    }

    /// The invoices that the payments of these received documents were applied to, and the files of their orders.
    pub async fn traces_of_paid(&mut self, documents: &[i64]) -> Result<Vec<Trace>, Failure> {
        if documents.is_empty() {
            return Ok(Vec::new());
        }
        let mut numbers = Vec::new();
        let these = self.among("document.id", documents, &mut numbers);
        let sql = format!(
            "SELECT 'invoice' AS kind, invoice.id AS subject, source.file_id AS file,
             invoice.number || ' ' || invoice.status AS says FROM document
             JOIN ledger_entry ON ledger_entry.source = 'payment:' || CAST(document.subject_id AS TEXT)
             JOIN invoice ON invoice.id = ledger_entry.invoice_id
             JOIN purchase_order ON purchase_order.id = invoice.order_id {OF_ORDER}
             WHERE source.file_id IS NOT NULL AND document.subject_kind = 'payment' AND {these}"
        );
        self.traced(&sql, numbers).await
    }

    /// What a query finds, each once, by kind and file.
    async fn traced(&mut self, sql: &str, numbers: Vec<Bind>) -> Result<Vec<Trace>, Failure> {
        let mut traces: Vec<Trace> = self.rows(sql, numbers).await?;
        traces.sort();
        traces.dedup();
        Ok(traces)
    }
}
