//! Which received file a piece of work goes back to, so that the log can be followed from an upload to what came of it.

use super::connection::Connection;
use super::failure::Failure;
use super::work::Step;

row! {
    /// That a subject goes back to a file.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Trace {
        /// The subject's number.
        pub subject: i64,
        /// The file's.
        pub file: i64,
        /// What the subject is called and how it stands now.
        pub says: String,
    }
}

/// Stands in a query for the condition that a column has one of the numbers that are asked for.
const THESE: &str = "{these}";

/// From an order to the document it came in.
const OF_ORDER: &str = "JOIN document source ON source.id = purchase_order.document_id";

impl Connection {
    /// The files that subjects of a step go back to, as the subjects stand now. The step `deliver` is about a partner and
    /// goes back to no file; what it sent does ([`Connection::traces_of_sent`]).
    pub async fn traces(&mut self, step: Step, subjects: &[i64]) -> Result<Vec<Trace>, Failure> {
        let (select, column) = match step {
            Step::Deliver => return Ok(Vec::new()),
            Step::Push => return self.traces_of_sent(subjects).await,
            Step::Read => (
                "id AS subject, id AS file, disposition AS says FROM file WHERE TRUE".to_owned(),
                "id",
            ),
            Step::Translate => (
                "id AS subject, file_id AS file, set_code || ' ' || disposition AS says FROM document
                 WHERE file_id IS NOT NULL"
                    .to_owned(),
                "id",
            ),
            Step::Verify | Step::Allocate => (
                format!(
                    "purchase_order.id AS subject, source.file_id AS file,
                     purchase_order.po_number || ' ' || purchase_order.status AS says FROM purchase_order {OF_ORDER}
                     WHERE source.file_id IS NOT NULL"
                ),
                "purchase_order.id",
            ),
            Step::Fulfil | Step::Invoice => (
                format!(
                    "DISTINCT shipment.id AS subject, source.file_id AS file, shipment.status AS says FROM shipment
                     JOIN shipment_order ON shipment_order.shipment_id = shipment.id
                     JOIN purchase_order ON purchase_order.id = shipment_order.order_id {OF_ORDER}
                     WHERE source.file_id IS NOT NULL"
                ),
                "shipment.id",
            ),
        };
        self.traced(&format!("SELECT {select} AND {THESE}"), column, subjects)
            .await
    }

    /// The files that transmissions go back to: those they acknowledge, and those of the orders they are about.
    pub async fn traces_of_sent(&mut self, transmissions: &[i64]) -> Result<Vec<Trace>, Failure> {
        let says = "transmission.id AS subject, source.file_id AS file,
             transmission.set_code || ' ' || transmission.name || ' ' || transmission.state AS says
             FROM transmission JOIN document ON document.transmission_id = transmission.id";
        let these = format!("WHERE source.file_id IS NOT NULL AND {THESE}");
        // One select a kind; those that have nothing cost a look into an index.
        let sql = format!(
            "SELECT {says} AND document.subject_kind = 'interchange'
                 JOIN interchange source ON source.id = document.subject_id {these}
             UNION SELECT {says} AND document.subject_kind = 'order'
                 JOIN purchase_order ON purchase_order.id = document.subject_id {OF_ORDER} {these}
             UNION SELECT {says} AND document.subject_kind = 'shipment'
                 JOIN shipment_order ON shipment_order.shipment_id = document.subject_id
                 JOIN purchase_order ON purchase_order.id = shipment_order.order_id {OF_ORDER} {these}
             UNION SELECT {says} AND document.subject_kind = 'invoice'
                 JOIN invoice ON invoice.id = document.subject_id
                 JOIN purchase_order ON purchase_order.id = invoice.order_id {OF_ORDER} {these}"
        );
        self.traced(&sql, "transmission.id", transmissions).await
    }

    /// The invoices that the payments of these received documents were applied to, and the files of their orders.
    pub async fn traces_of_paid(&mut self, documents: &[i64]) -> Result<Vec<Trace>, Failure> {
        let sql = format!(
            "SELECT DISTINCT invoice.id AS subject, source.file_id AS file,
             invoice.number || ' ' || invoice.status AS says FROM document
             JOIN ledger_entry ON ledger_entry.source = 'payment:' || CAST(document.subject_id AS TEXT)
             JOIN invoice ON invoice.id = ledger_entry.invoice_id
             JOIN purchase_order ON purchase_order.id = invoice.order_id {OF_ORDER}
             WHERE source.file_id IS NOT NULL AND document.subject_kind = 'payment' AND {THESE}"
        );
        self.traced(&sql, "document.id", documents).await
    }

    /// Runs a query that says [`THESE`] where a column has one of these numbers.
    async fn traced(&mut self, sql: &str, column: &str, of: &[i64]) -> Result<Vec<Trace>, Failure> {
        if of.is_empty() {
            return Ok(Vec::new());
        }
        let mut numbers = Vec::new();
        let these = self.among(column, of, &mut numbers);
        let mut traces: Vec<Trace> = self.rows(&sql.replace(THESE, &these), numbers).await?;
        traces.sort_by_key(|trace| (trace.file, trace.subject));
        Ok(traces)
    }
}
