//! What came in: files with their bytes, interchanges, documents.

use crate::binds;
use crate::storage::connection::Connection;
use crate::storage::failure::Failure;

row! {
    /// A file, its bytes where they stand in one row, and whether it waits to be read.
    #[derive(Debug)]
    pub struct KeptFile {
        /// Its number.
        pub id: i64,
        /// As the sender named it.
        pub name: String,
        /// Address of its bytes.
        pub sha256: String,
        /// Bytes, as the file's row says.
        pub size: i64,
        /// How it ended.
        pub disposition: String,
        /// Bytes, as the row of the content says; none: there is no such row.
        pub kept_size: Option<i64>,
        /// The bytes, where they are few.
        pub bytes: Option<Vec<u8>>,
        /// 1 where these are compressed.
        pub compressed: Option<i64>,
        /// 1 where the work `read` waits for it.
        pub to_read: i64,
    }
}

row! {
    /// An interchange and what is counted of it.
    #[derive(Debug)]
    pub struct KeptInterchange {
        /// Its number.
        pub id: i64,
        /// Its file.
        pub file_id: i64,
        /// Where its ISA begins.
        pub byte_offset: i64,
        /// Scope of its control number, empty where that does not count.
        pub pair: String,
        /// Control number.
        pub isa13: String,
        /// How it ended.
        pub disposition: String,
        /// Its documents that are transaction sets.
        pub sets: i64,
        /// Those of them that wait for translation.
        pub waiting: i64,
    }
}

row! {
    /// The verdict on a functional group as it is kept.
    #[derive(Debug)]
    pub struct KeptGroup {
        /// Its interchange.
        pub interchange_id: i64,
        /// Its place in that, from 0.
        pub ordinal: i64,
        /// GS01.
        pub functional_id: String,
        /// GS06.
        pub gs06: String,
        /// The verdict as JSON.
        pub verdict: String,
    }
}

row! {
    /// Where a received set stands, as its document says.
    #[derive(Debug)]
    pub struct KeptSet {
        /// The document.
        pub id: i64,
        /// Its interchange.
        pub interchange_id: i64,
        /// Its group's place in that, from 0.
        pub group_ordinal: i64,
        /// Its own place in the interchange, from 0.
        pub set_ordinal: i64,
        /// ST01.
        pub set_code: String,
        /// GS06.
        pub gs06: String,
        /// ST02.
        pub st02: String,
        /// Where its ST begins.
        pub byte_offset: Option<i64>,
        /// Its bytes.
        pub size: Option<i64>,
    }
}

row! {
    /// A document of either direction with all that has to agree with it.
    #[derive(Debug)]
    pub struct KeptDocument {
        /// Its number.
        pub id: i64,
        /// in or out.
        pub direction: String,
        /// Whose.
        pub partner_id: Option<i64>,
        /// 850, 997 …
        pub set_code: String,
        /// The file it came in.
        pub file_id: Option<i64>,
        /// The interchange it came in.
        pub interchange_id: Option<i64>,
        /// The file it went out in.
        pub transmission_id: Option<i64>,
        /// How it ended.
        pub disposition: String,
        /// Delivery.
        pub delivery: String,
        /// Syntactic answer.
        pub syntax: String,
        /// What it is about.
        pub subject_kind: String,
        /// What it is about.
        pub subject_id: Option<i64>,
        /// PO, invoice or shipment number.
        pub reference: String,
        /// Findings as JSON.
        pub findings: String,
        /// 1 where it holds segments to be sent.
        pub unsent: i64,
        /// When an answer is due.
        pub answer_due_at: Option<i64>,
        /// When it was answered.
        pub answered_at: Option<i64>,
        /// Address of the text that a person put in its place.
        pub corrected_sha256: Option<String>,
        /// How many bytes of that are kept; none: no such content.
        pub corrected_size: Option<i64>,
        /// How its interchange ended; none: there is no such row.
        pub interchange: Option<String>,
        /// Findings of its interchange.
        pub interchange_findings: Option<String>,
        /// The number of its file; none: there is no such row.
        pub file: Option<i64>,
        /// The number of the file it went out in; none: there is no such row.
        pub transmission: Option<i64>,
        /// The document that its order was made of.
        pub order_document: Option<i64>,
        /// The document that its payment was booked from.
        pub payment_document: Option<i64>,
        /// Work that waits to read its file, translate it, or deliver to its partner.
        pub work: i64,
        /// 1 where its overdue answer was told of.
        pub told: i64,
    }
}

impl KeptFile {
    /// The bytes of its row, and whether they are compressed.
    pub fn in_row(&self) -> Option<(&[u8], bool)> {
        Some((self.bytes.as_deref()?, self.compressed == Some(1)))
    }
}

impl Connection {
    /// Files after `after`, in order of number.
    pub async fn kept_files(&mut self, after: i64, most: i64) -> Result<Vec<KeptFile>, Failure> {
        self.rows(
            "SELECT file.id, file.name, file.sha256, file.size, file.disposition, content.size AS kept_size, content.bytes, content.compressed,
                 (SELECT COUNT(*) FROM work WHERE step = 'read' AND subject = file.id) AS to_read
             FROM file LEFT JOIN content ON content.sha256 = file.sha256
             WHERE file.id > $1 ORDER BY file.id LIMIT $2",
            binds![after, most],
        )
        .await
    }

    /// The interchanges of files `first` to `last`.
    pub async fn kept_interchanges(
        &mut self,
        first: i64,
        last: i64,
    ) -> Result<Vec<KeptInterchange>, Failure> {
        self.rows(
            "SELECT id, file_id, byte_offset, pair, isa13, disposition,
                 (SELECT COUNT(*) FROM document WHERE interchange_id = interchange.id AND set_ordinal IS NOT NULL) AS sets,
                 (SELECT COUNT(*) FROM document WHERE interchange_id = interchange.id AND disposition = 'received') AS waiting
             FROM interchange WHERE file_id BETWEEN $1 AND $2 ORDER BY file_id, byte_offset",
            binds![first, last],
        )
        .await
    }

    /// The verdicts on the groups of the interchanges of files `first` to `last`, in order.
    pub async fn kept_groups(&mut self, first: i64, last: i64) -> Result<Vec<KeptGroup>, Failure> {
        self.rows(
            "SELECT functional_group.interchange_id, functional_group.ordinal, functional_group.functional_id,
                 functional_group.gs06, functional_group.verdict
             FROM interchange JOIN functional_group ON functional_group.interchange_id = interchange.id
             WHERE interchange.file_id BETWEEN $1 AND $2
             ORDER BY functional_group.interchange_id, functional_group.ordinal",
            binds![first, last],
        )
        .await
    }

    /// The sets in the interchanges of files `first` to `last`.
    pub async fn kept_sets(&mut self, first: i64, last: i64) -> Result<Vec<KeptSet>, Failure> {
        self.rows(
            "SELECT document.id, document.interchange_id, document.group_ordinal, document.set_ordinal, document.set_code,
                 document.gs06, document.st02, document.byte_offset, document.size
             FROM interchange JOIN document ON document.interchange_id = interchange.id
             WHERE interchange.file_id BETWEEN $1 AND $2 AND document.set_ordinal IS NOT NULL
             AND document.group_ordinal IS NOT NULL",
            binds![first, last],
        )
        .await
    }

    /// How many documents stand for this file as a whole, and whether it waits to be read.
    pub async fn whole_documents(&mut self, file: i64) -> Result<(i64, i64), Failure> {
        let documents = self
            .number(
                "SELECT COUNT(*) FROM document WHERE file_id = $1 AND interchange_id IS NULL",
                binds![file],
            )
            .await?;
        let to_read = self
            .number(
                "SELECT COUNT(*) FROM work WHERE step = 'read' AND subject = $1",
                binds![file],
            )
            .await?;
        Ok((documents, to_read))
    }

    /// Interchanges whose file is not there.
    pub async fn stray_interchanges(&mut self) -> Result<Vec<(i64, i64)>, Failure> {
        self.rows(
            "SELECT id, file_id FROM interchange WHERE NOT EXISTS (SELECT 1 FROM file WHERE file.id = interchange.file_id)
             ORDER BY id LIMIT 100",
            vec![],
        )
        .await
    }

    /// Documents after `after`, in order of number.
    pub async fn kept_documents(
        &mut self,
        after: i64,
        most: i64,
    ) -> Result<Vec<KeptDocument>, Failure> {
        self.rows(
            "SELECT document.id, document.direction, document.partner_id, document.set_code, document.file_id,
                 document.interchange_id, document.transmission_id, document.disposition, document.delivery,
                 document.syntax, document.subject_kind, document.subject_id, document.reference, document.findings,
                 CAST(CASE WHEN document.body IS NULL THEN 0 ELSE 1 END AS BIGINT) AS unsent,
                 document.answer_due_at, document.answered_at, document.corrected_sha256, corrected.size AS corrected_size,
                 interchange.disposition AS interchange, interchange.findings AS interchange_findings, file.id AS file,
                 transmission.id AS transmission, purchase_order.document_id AS order_document,
                 payment.document_id AS payment_document,
                 (SELECT COUNT(*) FROM work WHERE (step = 'translate' AND subject = document.id)
                      OR (step = 'read' AND subject = document.file_id)
                      OR (step = 'deliver' AND document.direction = 'out' AND subject = document.partner_id)) AS work,
                 (SELECT COUNT(*) FROM alert WHERE key = 'acknowledgment-overdue:' || document.id) AS told
             FROM document
             LEFT JOIN interchange ON interchange.id = document.interchange_id
             LEFT JOIN file ON file.id = document.file_id
             LEFT JOIN transmission ON transmission.id = document.transmission_id
             LEFT JOIN content AS corrected ON corrected.sha256 = document.corrected_sha256
             LEFT JOIN purchase_order ON document.subject_kind = 'order' AND purchase_order.id = document.subject_id
             LEFT JOIN payment ON document.subject_kind = 'payment' AND payment.id = document.subject_id
             WHERE document.id > $1 ORDER BY document.id LIMIT $2",
            binds![after, most],
        )
        .await
    }
}
