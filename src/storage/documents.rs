//! Transaction sets of both directions, and the files that carry what we send.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::connection::{Connection, list};
use super::failure::Failure;
use super::files::findings_text;
use super::journal::Subject;
use super::work::Step;
use crate::binds;
use crate::domain::clock::Instant;
use crate::domain::document::{Application, Delivery, Direction, Disposition, Syntax};
use crate::domain::finding::Finding;

/// A new document.
#[derive(Debug, Clone)]
pub struct NewDocument {
    /// Number, taken beforehand.
    pub id: i64,
    /// Received or sent.
    pub direction: Direction,
    /// Ours.
    pub company: i64,
    /// Whose; none: the sender is unknown.
    pub partner: Option<i64>,
    /// production or test.
    pub mode: &'static str,
    /// 850, 997 …; TA1 for an interchange acknowledgment; empty for what is no transaction set at all.
    pub set_code: String,
    /// The file it came in.
    pub file: Option<i64>,
    /// The interchange it came in.
    pub interchange: Option<i64>,
    /// Which group of the interchange, from 0.
    pub group_ordinal: Option<i64>,
    /// Which set of the interchange, from 0.
    pub set_ordinal: Option<i64>,
    /// Control number of the interchange, empty until it has one.
    pub isa13: String,
    /// Control number of the group, empty until it has one.
    pub gs06: String,
    /// Control number of the set, empty until it has one.
    pub st02: String,
    /// Where in the file it stands.
    pub byte_offset: Option<i64>,
    /// Its bytes.
    pub size: Option<i64>,
    /// How it ended (received ones).
    pub disposition: Disposition,
    /// Delivery (sent ones).
    pub delivery: Delivery,
    /// What the 997 says.
    pub syntax: Syntax,
    /// What business says.
    pub application: Application,
    /// What it is about: order, shipment, invoice, payment, interchange.
    pub subject: Option<Subject>,
    /// PO, invoice or shipment number, for people and searches.
    pub reference: String,
    /// Findings.
    pub findings: Vec<Finding>,
    /// The segments of one to be sent, as JSON.
    pub body: Option<String>,
    /// The document it replaces.
    pub replaces: Option<i64>,
    /// Whom it goes to, as JSON; empty: to the partner's first address.
    pub address: String,
    /// The file it went out in, where that is made with it.
    pub sent: Option<Sent>,
}

/// How a document went out.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// In which file.
    pub transmission: i64,
    /// When.
    pub at: Instant,
    /// When an answer is due, where one is expected.
    pub answer_due: Option<Instant>,
}

/// The segments of a document, whatever they are made of: here they only have to be written.
pub trait Segments: Any + Send + std::fmt::Debug {
    /// As they are written.
    fn to_json(&self) -> Result<String, serde_json::Error>;
}

/// The failure of a document whose row does not hold what it should, or can not be made to.
pub fn corrupt(key: impl ToString, why: impl ToString) -> Failure {
    Failure::Corrupt {
        table: "document",
        key: key.to_string(),
        why: why.to_string(),
    }
}

/// A document of ours that waits to be put into a file, and has not been written yet.
#[derive(Debug)]
pub struct Queued {
    /// The document, without its segments.
    pub document: NewDocument,
    /// Its segments.
    pub segments: Box<dyn Segments>,
    /// Since when it is queued.
    pub at: Instant,
}

row! {
    /// A document as steps need it.
    #[derive(Debug, Clone)]
    pub struct DocumentRow {
        /// Its number.
        pub id: i64,
        /// in or out.
        pub direction: String,
        /// Whose.
        pub partner_id: Option<i64>,
        /// production or test.
        pub mode: String,
        /// 850, 997 …
        pub set_code: String,
        /// The file it came in.
        pub file_id: Option<i64>,
        /// The interchange it came in.
        pub interchange_id: Option<i64>,
        /// The file it went out in.
        pub transmission_id: Option<i64>,
        /// Control number of the interchange.
        pub isa13: String,
        /// Control number of the group.
        pub gs06: String,
        /// Control number of the set.
        pub st02: String,
        /// Where in the file.
        pub byte_offset: Option<i64>,
        /// Bytes.
        pub size: Option<i64>,
        /// How it ended.
        pub disposition: String,
        /// Delivery.
        pub delivery: String,
        /// Syntactic answer.
        pub syntax: String,
        /// Application answer.
        pub application: String,
        /// What it is about.
        pub subject_kind: String,
        /// What it is about.
        pub subject_id: Option<i64>,
        /// PO, invoice or shipment number.
        pub reference: String,
        /// Findings as JSON.
        pub findings: String,
        /// Segments of one to be sent.
        pub body: Option<String>,
        /// The text that a person put in its place.
        pub corrected_sha256: Option<String>,
        /// Whom it goes to, as JSON; empty: to the partner's first address.
        pub address: String,
    }
}

const DOCUMENT: &str = "SELECT id, direction, partner_id, mode, set_code, file_id, interchange_id, transmission_id, isa13, gs06,
    st02, byte_offset, size, disposition, delivery, syntax, application, subject_kind, subject_id, reference, findings, body,
    corrected_sha256, address FROM document";

/// Where a document stands in the file it goes out in.
#[derive(Debug, Clone)]
pub struct Numbered {
    /// Which document.
    pub id: i64,
    /// The file, and when an answer is due.
    pub sent: Sent,
    /// ISA13.
    pub isa13: String,
    /// GS06.
    pub gs06: String,
    /// ST02.
    pub st02: String,
    /// Where in the file its ST begins.
    pub byte_offset: i64,
    /// Its bytes.
    pub size: i64,
}

/// A new file to a partner.
#[derive(Debug, Clone)]
pub struct NewTransmission {
    /// Number, taken beforehand.
    pub id: i64,
    /// Over which connection.
    pub connection: i64,
    /// To whom.
    pub partner: i64,
    /// production or test.
    pub mode: &'static str,
    /// Which set is in it.
    pub set_code: String,
    /// ISA13.
    pub isa13: String,
    /// Its name in the partner's `outbound/`.
    pub name: String,
    /// Its bytes.
    pub content: super::content::ContentAddress,
    /// `delivered` where it is there for the partner with this, else `queued`.
    pub state: &'static str,
    /// By when the partner should have fetched it.
    pub pickup_due: Option<Instant>,
}

row! {
    /// A file to the partner.
    #[derive(Debug, Clone)]
    pub struct TransmissionRow {
        /// Its number.
        pub id: i64,
        /// Over which connection.
        pub connection_id: i64,
        /// To whom.
        pub partner_id: i64,
        /// Its name in the partner's `outbound/`.
        pub name: String,
        /// Address of its bytes.
        pub sha256: String,
        /// Bytes.
        pub size: i64,
        /// queued, delivered, picked_up, uncertain, failed.
        pub state: String,
        /// When it was made.
        pub created_at: i64,
        /// How often a push failed.
        pub attempts: i64,
    }
}

row! {
    /// A file in a mailbox that nobody has fetched in time.
    #[derive(Debug, Clone)]
    pub struct PickupRow {
        /// Its number.
        pub id: i64,
        /// To whom.
        pub partner_id: i64,
        /// Its name in `outbound/`.
        pub name: String,
        /// What is in it: 855, 997 …
        pub set_code: String,
        /// Bytes.
        pub size: i64,
        /// Since when it lies there.
        pub delivered_at: Option<i64>,
        /// By when it should have been fetched.
        pub pickup_due_at: i64,
        /// The mailbox.
        pub mailbox: String,
        /// The first document in it.
        pub document: Option<i64>,
    }
}

const TRANSMISSION: &str = "SELECT id, connection_id, partner_id, COALESCE(renamed, name) AS name, sha256, size, state, created_at, attempts FROM transmission";

/// What a received document came to.
#[derive(Debug)]
pub struct Settled {
    /// Its number.
    pub id: i64,
    /// What became of it.
    pub disposition: Disposition,
    /// What its business came to.
    pub application: Application,
    /// What it has made or is about.
    pub subject: Option<Subject>,
    /// What it calls itself, such as a PO number; empty: as it was.
    pub reference: String,
    /// All that was found in it.
    pub findings: Vec<Finding>,
}

/// What SQLite has to be told: that what lies in mailboxes has an index of its own, for it would rather go through all that
/// ever lay there.
pub(super) fn lying(connection: &Connection) -> &'static str {
    if connection.is_sqlite() {
        " INDEXED BY transmission_lying"
    } else {
        ""
    }
}

impl Connection {
    /// Adds documents.
    pub async fn add_documents(
        &mut self,
        documents: Vec<NewDocument>,
        at: Instant,
    ) -> Result<(), Failure> {
        let rows = documents
            .into_iter()
            .map(|new| {
                binds![
                    new.id,
                    new.direction.word(),
                    new.company,
                    new.partner,
                    new.mode,
                    new.set_code,
                    new.file,
                    new.interchange,
                    new.group_ordinal,
                    new.set_ordinal,
                    new.isa13,
                    new.gs06,
                    new.st02,
                    new.byte_offset,
                    new.size,
                    new.disposition.word(),
                    new.delivery.word(),
                    new.syntax.word(),
                    new.application.word(),
                    new.subject.map_or("", |subject| subject.kind),
                    new.subject.map(|subject| subject.id),
                    new.reference,
                    findings_text(&new.findings),
                    new.body,
                    new.replaces,
                    at,
                    new.address,
                    new.sent.map(|sent| sent.transmission),
                    new.sent.map(|sent| sent.at),
                    new.sent.and_then(|sent| sent.answer_due)
                ]
            })
            .collect();
        self.insert_many(
            "INSERT INTO document (id, direction, company_id, partner_id, mode, set_code, file_id, interchange_id,
                 group_ordinal, set_ordinal, isa13, gs06, st02, byte_offset, size, disposition, delivery, syntax,
                 application, subject_kind, subject_id, reference, findings, body, replaces_id, created_at, address,
                 transmission_id, sent_at, answer_due_at)",
            rows,
            "",
        )
        .await?;
        Ok(())
    }

    /// The set at a place of a file, by its newest number: a file that is read again gives its sets new ones.
    pub async fn document_at(&mut self, file: i64, place: i64) -> Result<Option<i64>, Failure> {
        Ok(self
            .row::<(i64,)>(
                "SELECT document.id FROM interchange
                 JOIN document ON document.interchange_id = interchange.id AND document.byte_offset = $2
                 WHERE interchange.file_id = $1 ORDER BY +document.id DESC LIMIT 1",
                binds![file, place],
            )
            .await?
            .map(|row| row.0))
    }

    /// Keeps a document from every other transaction until this one ends. SQLite writes one transaction at a time anyway.
    pub async fn lock_document(&mut self, id: i64) -> Result<(), Failure> {
        if !self.is_sqlite() {
            self.execute(
                "SELECT id FROM document WHERE id = $1 FOR UPDATE",
                binds![id],
            )
            .await?;
        }
        Ok(())
    }

    /// One document.
    pub async fn document(&mut self, id: i64) -> Result<Option<DocumentRow>, Failure> {
        self.write_queued().await?;
        self.row(&format!("{DOCUMENT} WHERE id = $1"), binds![id])
            .await
    }

    /// Many documents, in order of number.
    pub async fn documents(&mut self, ids: &[i64]) -> Result<Vec<DocumentRow>, Failure> {
        self.write_queued().await?;
        let sql = format!("{DOCUMENT} WHERE id IN {} ORDER BY id", list(ids.len(), 0));
        self.rows(&sql, ids.iter().map(|id| (*id).into()).collect())
            .await
    }

    /// Queues documents of ours to be put into files. They are written at the end of the transaction, or with the file that
    /// it puts them into.
    pub fn queue_documents(&mut self, queued: Vec<Queued>) -> Result<(), Failure> {
        let kept = &mut self.kept()?.queued;
        kept.extend(queued.into_iter().map(|one| (one.document.id, one)));
        Ok(())
    }

    /// Whether this transaction has queued documents that it has not put into a file.
    pub fn has_queued(&self) -> bool {
        self.kept
            .as_deref()
            .is_some_and(|kept| !kept.queued.is_empty())
    }

    /// Writes the documents that are queued and not put into a file.
    pub(super) async fn write_queued(&mut self) -> Result<(), Failure> {
        let Some(kept) = self.kept.as_deref_mut() else {
            return Ok(());
        };
        let mut documents = Vec::with_capacity(kept.queued.len());
        for (id, queued) in std::mem::take(&mut kept.queued) {
            let body = queued.segments.to_json();
            let body = body.map_err(|error| corrupt(id, error))?;
            let document = NewDocument {
                body: Some(body),
                ..queued.document
            };
            documents.push((document, queued.at));
        }
        self.add_documents_of(documents).await
    }

    /// Adds documents, each as of its time.
    pub async fn add_documents_of(
        &mut self,
        documents: Vec<(NewDocument, Instant)>,
    ) -> Result<(), Failure> {
        let mut by_time: BTreeMap<Instant, Vec<NewDocument>> = BTreeMap::new();
        for (document, at) in documents {
            by_time.entry(at).or_default().push(document);
        }
        for (at, documents) in by_time {
            self.add_documents(documents, at).await?;
        }
        Ok(())
    }

    /// Partners for which this transaction has queued documents whose delivery is due, and for which none waits from
    /// before: these would be overtaken.
    pub async fn partners_of_queued(&mut self, now: Instant) -> Result<Vec<i64>, Failure> {
        let Some(kept) = self.kept.as_deref() else {
            return Ok(Vec::new());
        };
        let mut partners: BTreeSet<i64> = kept
            .queued
            .values()
            .filter_map(|queued| queued.document.partner)
            .filter(|partner| {
                let asked = kept.asked.get(&(Step::Deliver, *partner));
                asked.is_some_and(|(_, due)| *due <= now)
            })
            .collect();
        if partners.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT DISTINCT partner_id FROM document
             WHERE partner_id IN {} AND delivery = 'queued' AND transmission_id IS NULL",
            list(partners.len(), 0)
        );
        let asked = partners.iter().map(|partner| (*partner).into()).collect();
        for (waiting,) in self.rows::<(i64,)>(&sql, asked).await? {
            partners.remove(&waiting);
        }
        Ok(partners.into_iter().collect())
    }

    /// Takes the documents that this transaction has queued for a partner, oldest first, to put them into files. Their
    /// delivery is asked for no more.
    pub fn take_queued(&mut self, partner: i64) -> Result<Vec<Queued>, Failure> {
        let kept = self.kept()?;
        let of_partner = |queued: &Queued| queued.document.partner == Some(partner);
        let (taken, others) = std::mem::take(&mut kept.queued)
            .into_iter()
            .partition(|(_, queued)| of_partner(queued));
        kept.queued = others;
        let taken: BTreeMap<i64, Queued> = taken;
        if !taken.is_empty() {
            kept.asked.remove(&(Step::Deliver, partner));
        }
        Ok(taken.into_values().collect())
    }

    /// Documents queued for a partner that go out next, oldest first.
    pub async fn queued_documents(
        &mut self,
        partner: i64,
        most: i64,
    ) -> Result<Vec<DocumentRow>, Failure> {
        self.write_queued().await?;
        self.rows(
            &format!("{DOCUMENT} WHERE partner_id = $1 AND delivery = 'queued' AND transmission_id IS NULL ORDER BY id LIMIT $2"),
            binds![partner, most],
        )
        .await
    }

    /// Writes the control numbers and places of documents that were just put into files, and how far these have come.
    pub async fn number_documents(
        &mut self,
        numbered: &[(Numbered, Delivery)],
    ) -> Result<(), Failure> {
        const NUMBER: &str = "UPDATE document SET transmission_id = v.column2, isa13 = v.column3, gs06 = v.column4,
             st02 = v.column5, byte_offset = v.column6, size = v.column7, sent_at = v.column8, answer_due_at = v.column9,
             delivery = v.column10, body = NULL FROM {rows} WHERE document.id = v.column1";
        let rows = numbered.iter().map(|(row, delivery)| {
            binds![
                row.id,
                row.sent.transmission,
                &row.isa13,
                &row.gs06,
                &row.st02,
                row.byte_offset,
                row.size,
                row.sent.at,
                row.sent.answer_due,
                delivery.word()
            ]
        });
        self.execute_of(NUMBER, vec![], rows.collect()).await?;
        Ok(())
    }

    /// Settles what received documents came to; each stands among them once.
    pub async fn settle_documents(&mut self, settled: &[Settled]) -> Result<(), Failure> {
        const SETTLE: &str = "UPDATE document SET disposition = v.column2, application = v.column3,
             subject_kind = v.column4, subject_id = v.column5, findings = v.column7,
             reference = CASE WHEN v.column6 = '' THEN document.reference ELSE v.column6 END
             FROM {rows} WHERE document.id = v.column1";
        let rows = settled.iter().map(|settled| {
            binds![
                settled.id,
                settled.disposition.word(),
                settled.application.word(),
                settled.subject.map_or("", |subject| subject.kind),
                settled.subject.map(|subject| subject.id),
                &settled.reference,
                findings_text(&settled.findings)
            ]
        });
        self.execute_of(SETTLE, vec![], rows.collect()).await?;
        Ok(())
    }

    /// A received document that nobody has acknowledged yet stays so for good.
    pub async fn leave_unanswered(&mut self, id: i64) -> Result<(), Failure> {
        self.execute(
            "UPDATE document SET syntax = 'none' WHERE id = $1 AND direction = 'in' AND syntax = 'pending'",
            binds![id],
        )
        .await?;
        Ok(())
    }

    /// Sets what business said of documents.
    pub async fn set_application(
        &mut self,
        ids: &[i64],
        application: Application,
    ) -> Result<(), Failure> {
        let sql = format!(
            "UPDATE document SET application = $1 WHERE id IN {}",
            list(ids.len(), 1)
        );
        let mut values = binds![application.word()];
        values.extend(ids.iter().map(|id| (*id).into()));
        self.execute(&sql, values).await?;
        Ok(())
    }

    /// Sets the delivery of documents.
    pub async fn set_delivery(&mut self, ids: &[i64], delivery: Delivery) -> Result<(), Failure> {
        self.write_queued().await?;
        let sql = format!(
            "UPDATE document SET delivery = $1 WHERE id IN {}",
            list(ids.len(), 1)
        );
        let mut values = binds![delivery.word()];
        values.extend(ids.iter().map(|id| (*id).into()));
        self.execute(&sql, values).await?;
        Ok(())
    }

    /// Our documents in groups of this number that we sent to a partner in one world, for the 997 that answers one of
    /// them. Of several addresses of the partner each has its own numbers.
    pub async fn sent_in_group(
        &mut self,
        partner: i64,
        mode: &str,
        gs06: &str,
    ) -> Result<Vec<DocumentRow>, Failure> {
        self.rows(
            &format!(
                "{DOCUMENT} WHERE partner_id = $1 AND gs06 = $3 AND direction = 'out' AND mode = $2 ORDER BY id"
            ),
            binds![partner, mode, gs06],
        )
        .await
    }

    /// Who sent a received document: the ISA as JSON, and the verdict over its group as JSON.
    pub async fn sender_of(
        &mut self,
        document: i64,
    ) -> Result<Option<(String, Option<String>)>, Failure> {
        self.row(
            "SELECT interchange.header, functional_group.verdict FROM document
             JOIN interchange ON interchange.id = document.interchange_id
             LEFT JOIN functional_group ON functional_group.interchange_id = document.interchange_id
               AND functional_group.ordinal = document.group_ordinal
             WHERE document.id = $1",
            binds![document],
        )
        .await
    }

    /// Our documents in interchanges of this number that we sent to a partner in one world, for the TA1 that answers one
    /// of them.
    pub async fn sent_in_interchange(
        &mut self,
        partner: i64,
        mode: &str,
        isa13: &str,
    ) -> Result<Vec<DocumentRow>, Failure> {
        self.rows(
            &format!(
                "{DOCUMENT} WHERE partner_id = $1 AND direction = 'out' AND mode = $2
                 AND transmission_id IN (SELECT id FROM transmission WHERE isa13 = $3) ORDER BY id"
            ),
            binds![partner, mode, isa13],
        )
        .await
    }

    /// Writes the partner's syntactic answer onto what we sent, with what it complained of.
    pub async fn answer_document(
        &mut self,
        id: i64,
        syntax: Syntax,
        findings: &[Finding],
        at: Instant,
    ) -> Result<(), Failure> {
        self.execute(
            "UPDATE document SET syntax = $2, findings = $3, answered_at = $4, answer_due_at = NULL WHERE id = $1",
            binds![id, syntax.word(), findings_text(findings), at],
        )
        .await?;
        Ok(())
    }

    /// Documents whose answer is overdue at `now`.
    pub async fn answers_overdue(
        &mut self,
        now: Instant,
        most: i64,
    ) -> Result<Vec<DocumentRow>, Failure> {
        self.rows(
            &format!("{DOCUMENT} WHERE answer_due_at <= $1 AND answered_at IS NULL ORDER BY answer_due_at LIMIT $2"),
            binds![now, most],
        )
        .await
    }

    /// Forgets that an answer is due, for its alert is raised; false where the answer has come in between.
    pub async fn stop_waiting(&mut self, id: i64) -> Result<bool, Failure> {
        let waited = self
            .execute(
                "UPDATE document SET answered_at = answer_due_at
                 WHERE id = $1 AND answered_at IS NULL AND answer_due_at IS NOT NULL",
                binds![id],
            )
            .await?;
        Ok(waited == 1)
    }

    /// Keeps the text that a person put in place of a held document; the original stays where it is.
    pub async fn correct_document(&mut self, id: i64, sha256: &str) -> Result<(), Failure> {
        self.execute(
            "UPDATE document SET corrected_sha256 = $2 WHERE id = $1",
            binds![id, sha256],
        )
        .await?;
        Ok(())
    }

    /// Adds files to partners.
    pub async fn add_transmissions(
        &mut self,
        files: Vec<NewTransmission>,
        at: Instant,
    ) -> Result<(), Failure> {
        let rows = files
            .into_iter()
            .map(|file| {
                binds![
                    file.id,
                    file.connection,
                    file.partner,
                    file.mode,
                    file.isa13,
                    file.set_code,
                    file.name,
                    file.content.sha256,
                    file.content.size,
                    file.state,
                    at,
                    (file.state == "delivered").then_some(at),
                    0,
                    file.pickup_due
                ]
            })
            .collect();
        self.insert_many(
            "INSERT INTO transmission (id, connection_id, partner_id, mode, isa13, set_code, name, sha256, size, state,
                 created_at, delivered_at, attempts, pickup_due_at)",
            rows,
            "",
        )
        .await?;
        Ok(())
    }

    /// One file to a partner.
    pub async fn transmission(&mut self, id: i64) -> Result<Option<TransmissionRow>, Failure> {
        self.row(&format!("{TRANSMISSION} WHERE id = $1"), binds![id])
            .await
    }

    /// What lies in a mailbox's `outbound/`: delivered and not yet removed.
    pub async fn outbound(&mut self, connection: i64) -> Result<Vec<TransmissionRow>, Failure> {
        let by_index = lying(self);
        self.rows(
            &format!("{TRANSMISSION}{by_index} WHERE connection_id = $1 AND state IN ('delivered', 'picked_up') AND removed_at IS NULL ORDER BY id"),
            binds![connection],
        )
        .await
    }

    /// One file in a mailbox's `outbound/`.
    pub async fn outbound_named(
        &mut self,
        connection: i64,
        name: &str,
    ) -> Result<Option<TransmissionRow>, Failure> {
        const LIES_THERE: &str = "state IN ('delivered', 'picked_up') AND removed_at IS NULL";
        for named in ["name = $2 AND renamed IS NULL", "renamed = $2"] {
            let found = self
                .row(
                    &format!(
                        "{TRANSMISSION} WHERE connection_id = $1 AND {named} AND {LIES_THERE}"
                    ),
                    binds![connection, name],
                )
                .await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Of these names, each of a connection, those that a file of that connection bears or bore.
    pub async fn taken_names(
        &mut self,
        names: &[(i64, String)],
    ) -> Result<HashSet<(i64, String)>, Failure> {
        let mut taken = HashSet::new();
        for column in ["name", "renamed"] {
            let sql = format!(
                "SELECT transmission.connection_id, transmission.{column} FROM {{rows}} CROSS JOIN transmission
                 WHERE transmission.connection_id = v.column1 AND transmission.{column} = v.column2"
            );
            let rows = names
                .iter()
                .map(|(connection, name)| binds![*connection, name]);
            let rows: Vec<(i64, String)> = self.rows_of(&sql, vec![], rows.collect()).await?;
            taken.extend(rows);
        }
        Ok(taken)
    }

    /// Files in mailboxes that should have been fetched by `now` and of which nobody was told, oldest first.
    pub async fn pickups_overdue(
        &mut self,
        now: Instant,
        most: i64,
    ) -> Result<Vec<PickupRow>, Failure> {
        self.rows(
            "SELECT t.id, t.partner_id, t.name, t.set_code, t.size, t.delivered_at, t.pickup_due_at, c.name AS mailbox,
               (SELECT MIN(d.id) FROM document d WHERE d.transmission_id = t.id) AS document
             FROM transmission t JOIN connection c ON c.id = t.connection_id
             WHERE t.pickup_due_at <= $1 ORDER BY t.pickup_due_at, t.id LIMIT $2",
            binds![now, most],
        )
        .await
    }

    /// Forgets by when files should have been fetched: people have been told.
    pub async fn forget_pickups(&mut self, transmissions: &[i64]) -> Result<(), Failure> {
        let sql = format!(
            "UPDATE transmission SET pickup_due_at = NULL WHERE id IN {}",
            list(transmissions.len(), 0)
        );
        self.execute(&sql, transmissions.iter().map(|id| (*id).into()).collect())
            .await?;
        Ok(())
    }

    /// Shows a file in a mailbox's `outbound/` under another name; false where that name is taken. Its own name stays, so
    /// that no name of a file to come is taken by it.
    pub async fn rename_transmission(&mut self, id: i64, name: &str) -> Result<bool, Failure> {
        let renamed = self
            .execute(
                "UPDATE transmission SET renamed = $2 WHERE id = $1 AND NOT EXISTS (
                     SELECT 1 FROM transmission other WHERE other.connection_id = transmission.connection_id
                     AND (other.name = $2 OR other.renamed = $2))",
                binds![id, name],
            )
            .await?;
        Ok(renamed == 1)
    }

    /// The partner fetched a file, removed or renamed it: its documents are picked up, and nobody need be told that they
    /// are not.
    pub async fn pick_up(
        &mut self,
        transmission: i64,
        by: &str,
        removed: bool,
        at: Instant,
    ) -> Result<(), Failure> {
        self.execute(
            "UPDATE transmission SET state = 'picked_up', picked_up_at = COALESCE(picked_up_at, $2), pickup_due_at = NULL,
             picked_up_by = COALESCE(picked_up_by, $3), removed_at = CASE WHEN $4 = 1 THEN $2 ELSE removed_at END WHERE id = $1",
            binds![transmission, at, by, i64::from(removed)],
        )
        .await?;
        self.execute(
            "UPDATE alert SET cleared_at = $2 WHERE cleared_at IS NULL AND subject_kind = 'document' AND kind = 'pickup-overdue'
             AND subject_id IN (SELECT id FROM document WHERE transmission_id = $1)",
            binds![transmission, at],
        )
        .await?;
        self.execute(
            "UPDATE document SET delivery = 'picked_up' WHERE transmission_id = $1 AND delivery = 'delivered'",
            binds![transmission],
        )
        .await?;
        Ok(())
    }

    /// Writes how a push went: `delivered`, `uncertain`, `queued` again or `failed`.
    pub async fn settle_transmission(
        &mut self,
        id: i64,
        state: &str,
        problem: Option<&str>,
        at: Instant,
    ) -> Result<(), Failure> {
        self.execute(
            "UPDATE transmission SET state = $2, problem = $3, attempts = attempts + $5,
             delivered_at = CASE WHEN $2 = 'delivered' THEN $4 ELSE delivered_at END WHERE id = $1",
            binds![
                id,
                state,
                problem.map(str::to_owned),
                at,
                i64::from(problem.is_some())
            ],
        )
        .await?;
        let delivery = match state {
            "delivered" => Delivery::Delivered,
            "uncertain" => Delivery::Uncertain,
            _ => Delivery::Queued,
        };
        self.execute(
            "UPDATE document SET delivery = $2 WHERE transmission_id = $1",
            binds![id, delivery.word()],
        )
        .await?;
        Ok(())
    }

    /// Documents to a partner in one world with this reference, oldest first.
    pub async fn sent_with_reference(
        &mut self,
        partner: i64,
        mode: &str,
        reference: &str,
    ) -> Result<Vec<DocumentRow>, Failure> {
        self.rows(
            &format!(
                "{DOCUMENT} WHERE partner_id = $1 AND direction = 'out' AND mode = $2 AND reference = $3
                 AND set_code NOT IN ('997', '999', 'TA1') ORDER BY id"
            ),
            binds![partner, mode, reference],
        )
        .await
    }

    /// Whether the interchange itself is held: its control number does not count yet, and none of it had an effect.
    pub async fn interchange_is_unsettled(&mut self, id: i64) -> Result<bool, Failure> {
        let n = self
            .number("SELECT COUNT(*) FROM interchange WHERE id = $1 AND pair = '' AND disposition = 'held'", binds![id])
            .await?;
        Ok(n > 0)
    }

    /// Puts a sent file before the partner once more; in a mailbox it should be fetched by `pickup_due`. The connection to
    /// push it over, where it is pushed.
    pub async fn offer_again(
        &mut self,
        transmission: i64,
        pickup_due: Option<Instant>,
    ) -> Result<Option<i64>, Failure> {
        let pushed: Option<(i64, String)> = self
            .row(
                "SELECT connection.id, connection.kind FROM transmission
                 JOIN connection ON connection.id = transmission.connection_id WHERE transmission.id = $1",
                binds![transmission],
            )
            .await?;
        let over = pushed
            .filter(|(_, kind)| kind != "mailbox")
            .map(|(id, _)| id);
        let state = if over.is_some() {
            "queued"
        } else {
            "delivered"
        };
        self.execute(
            "UPDATE transmission SET state = $2, removed_at = NULL, renamed = NULL, pickup_due_at = $3 WHERE id = $1",
            binds![transmission, state, pickup_due.filter(|_| over.is_none())],
        )
        .await?;
        self.execute(
            "UPDATE document SET delivery = $2 WHERE transmission_id = $1",
            binds![transmission, state],
        )
        .await?;
        Ok(over)
    }

    /// The buyer's PO numbers that documents of ours are about; none of a document that is about none or several.
    pub async fn pos_of(&mut self, documents: &[i64]) -> Result<HashMap<i64, String>, Failure> {
        let mut found = HashMap::new();
        for chunk in documents.chunks(1_000) {
            let sql = format!(
                "SELECT document.id, COALESCE(
                     (SELECT po_number FROM purchase_order WHERE document.subject_kind = 'order' AND id = document.subject_id),
                     (SELECT po_number FROM invoice WHERE document.subject_kind = 'invoice' AND id = document.subject_id),
                     (SELECT MIN(purchase_order.po_number) FROM shipment_order
                      JOIN purchase_order ON purchase_order.id = shipment_order.order_id
                      WHERE document.subject_kind = 'shipment' AND shipment_order.shipment_id = document.subject_id))
                 FROM document WHERE document.id IN {}",
                list(chunk.len(), 0)
            );
            let values = chunk.iter().map(|id| (*id).into()).collect();
            let rows: Vec<(i64, Option<String>)> = self.rows(&sql, values).await?;
            found.extend(rows.into_iter().filter_map(|(id, po)| Some((id, po?))));
        }
        Ok(found)
    }
}
