//! Files that came in, each with its interchanges and their sets; and files that went out.

use std::collections::HashMap;

use serde::Serialize;

use super::documents::{DocumentFilter, DocumentListing, documents};
use super::{Conditions, FindingListing, Page, findings, instant, maybe_instant};
use crate::binds;
use crate::domain::clock::Instant;
use crate::domain::document::Disposition;
use crate::domain::ids::{FileId, PartnerId};
use crate::storage::connection::Connection;
use crate::storage::console::are_few;
use crate::storage::console::files::if_few_of;
use crate::storage::failure::Failure;

/// Which files.
#[derive(Debug, Clone, Default)]
pub struct FileFilter {
    /// From this partner, as far as the file itself says so.
    pub partner: Option<PartnerId>,
    /// That ended so.
    pub disposition: Option<Disposition>,
    /// This one.
    pub file: Option<FileId>,
    /// Which part of them, newest first; the cursor is the file's number.
    pub page: Page,
}

/// A received file in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileListing {
    /// Its number.
    pub file: String,
    /// As the sender named it.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Bytes.
    pub size: i64,
    /// The partner it came from; null: not known.
    pub partner: Option<String>,
    /// The connection it came over; null: it was submitted.
    pub connection: Option<String>,
    /// When.
    pub received_at: Instant,
    /// Who brought it.
    pub received_by: String,
    /// `received` (not judged yet), `processed`, `held`, `rejected` or `duplicate`.
    pub disposition: String,
    /// What was found about the file as a whole.
    pub findings: Vec<FindingListing>,
}

/// One file with its interchanges: what `submit` tells.
#[derive(Debug, Clone, Serialize)]
pub struct FileDetail {
    /// As in the listing.
    #[serde(flatten)]
    pub listing: FileListing,
    /// Its interchanges in order.
    pub interchanges: Vec<InterchangeListing>,
}

/// An interchange of a file.
#[derive(Debug, Clone, Serialize)]
pub struct InterchangeListing {
    /// Its number.
    pub interchange: String,
    /// Its control number.
    pub isa13: String,
    /// `production` or `test`.
    pub mode: String,
    /// The partner it came from; null: the sender is unknown.
    pub partner: Option<String>,
    /// How it ended.
    pub disposition: String,
    /// Where its ISA begins.
    pub byte: i64,
    /// Bytes.
    pub size: i64,
    /// What was found about the envelope.
    pub findings: Vec<FindingListing>,
    /// Its transaction sets in order.
    pub sets: Vec<DocumentListing>,
}

row! {
    struct Row {
        id: i64,
        name: String,
        sha256: String,
        size: i64,
        partner: Option<String>,
        connection: Option<String>,
        received_at: i64,
        received_by: String,
        disposition: String,
        findings: String,
    }
}

const SELECT: &str = "SELECT f.id, f.name, f.sha256, f.size, COALESCE(p.code, q.code) AS partner, c.name AS connection,
    f.received_at, f.received_by, f.disposition, f.findings
    FROM file f LEFT JOIN partner p ON p.id = f.partner_id LEFT JOIN connection c ON c.id = f.connection_id
      LEFT JOIN partner q ON q.id = c.partner_id";

/// Received files, newest first.
pub async fn files(
    connection: &mut Connection,
    filter: &FileFilter,
) -> Result<Vec<FileListing>, Failure> {
    let mut conditions = Conditions::new();
    conditions.and_some("f.id = ?", filter.file);
    if let Some(partner) = filter.partner
        && let Some(theirs) = if_few_of(connection, partner.0).await?
    {
        conditions.and(&theirs, partner);
    }
    conditions.plain("f.id > 0");
    conditions.and_some(concat!(partner_of_file!(), " = ?"), filter.partner);
    conditions.and_some(
        "f.disposition = ?",
        filter.disposition.map(Disposition::word),
    );
    let (sql, binds) = conditions.newest_first(SELECT, "f.id", filter.page);
    let rows: Vec<Row> = connection.rows(&sql, binds).await?;
    rows.into_iter()
        .map(|row| {
            Ok(FileListing {
                file: row.id.to_string(),
                name: row.name,
                sha256: row.sha256,
                size: row.size,
                partner: row.partner,
                connection: row.connection,
                received_at: instant("file", row.received_at)?,
                received_by: row.received_by,
                disposition: row.disposition,
                findings: findings("file", row.id, &row.findings)?,
            })
        })
        .collect()
}

/// Sets of one file that are listed with it; a file of more is looked into by `document list --file`.
const SETS_MAX: u32 = 10_000;

/// One file with its interchanges and their sets.
pub async fn file(
    connection: &mut Connection,
    id: FileId,
    now: Instant,
) -> Result<Option<FileDetail>, Failure> {
    let filter = FileFilter {
        file: Some(id),
        ..FileFilter::default()
    };
    let Some(listing) = files(connection, &filter).await?.into_iter().next() else {
        return Ok(None);
    };
    let in_it = DocumentFilter {
        file: Some(id.0),
        page: Page::first(SETS_MAX),
        ..DocumentFilter::default()
    };
    let mut sets: HashMap<i64, Vec<DocumentListing>> = HashMap::new();
    for document in documents(connection, &in_it, now).await?.into_iter().rev() {
        if let Some(interchange) = document.interchange {
            sets.entry(interchange).or_default().push(document);
        }
    }
    let interchanges = interchanges(connection, id, &mut sets).await?;
    Ok(Some(FileDetail {
        listing,
        interchanges,
    }))
}

async fn interchanges(
    connection: &mut Connection,
    file: FileId,
    sets: &mut HashMap<i64, Vec<DocumentListing>>,
) -> Result<Vec<InterchangeListing>, Failure> {
    row! {
        struct Row {
            id: i64,
            isa13: String,
            mode: String,
            partner: Option<String>,
            disposition: String,
            byte_offset: i64,
            size: i64,
            findings: String,
        }
    }
    let rows: Vec<Row> = connection
        .rows(
            "SELECT n.id, n.isa13, n.mode, p.code AS partner, n.disposition, n.byte_offset, n.size, n.findings
             FROM interchange n LEFT JOIN partner p ON p.id = n.partner_id WHERE n.file_id = $1 ORDER BY n.byte_offset",
            binds![file],
        )
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(InterchangeListing {
                interchange: row.id.to_string(),
                isa13: row.isa13,
                mode: row.mode,
                partner: row.partner,
                disposition: row.disposition,
                byte: row.byte_offset,
                size: row.size,
                findings: findings("interchange", row.id, &row.findings)?,
                sets: sets.remove(&row.id).unwrap_or_default(),
            })
        })
        .collect()
}

/// Which files that went out.
#[derive(Debug, Clone, Default)]
pub struct TransmissionFilter {
    /// To this partner.
    pub partner: Option<PartnerId>,
    /// `queued`, `delivered`, `picked_up`, `uncertain` or `failed`.
    pub state: Option<String>,
    /// Which part of them, newest first; the cursor is the transmission's number.
    pub page: Page,
}

/// A file that went out, or is about to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TransmissionListing {
    /// Its number.
    pub transmission: String,
    /// Its name in the partner's `outbound/`.
    pub name: String,
    /// What is in it: 855, 997 …
    pub set: String,
    /// Code of the partner.
    pub partner: String,
    /// The connection it goes over.
    pub connection: String,
    /// `production` or `test`.
    pub mode: String,
    /// Its interchange's control number.
    pub isa13: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Bytes.
    pub size: i64,
    /// How far it is.
    pub state: String,
    /// When it was made.
    pub created_at: Instant,
    /// When it lay in the mailbox, or was pushed.
    pub delivered_at: Option<Instant>,
    /// When the partner fetched it.
    pub picked_up_at: Option<Instant>,
    /// Who fetched it.
    pub picked_up_by: Option<String>,
    /// When the partner removed it.
    pub removed_at: Option<Instant>,
    /// How often a push failed.
    pub attempts: i64,
    /// Why the last attempt failed.
    pub problem: Option<String>,
}

/// Files that went out, newest first.
pub async fn transmissions(
    connection: &mut Connection,
    filter: &TransmissionFilter,
) -> Result<Vec<TransmissionListing>, Failure> {
    row! {
        struct Row {
            id: i64,
            name: String,
            set_code: String,
            partner: String,
            connection: String,
            mode: String,
            isa13: String,
            sha256: String,
            size: i64,
            state: String,
            created_at: i64,
            delivered_at: Option<i64>,
            picked_up_at: Option<i64>,
            picked_up_by: Option<String>,
            removed_at: Option<i64>,
            attempts: i64,
            problem: Option<String>,
        }
    }
    let mut conditions = Conditions::new();
    conditions.and_some("t.partner_id = ?", filter.partner);
    conditions.and_some("t.state = ?", filter.state.clone());
    if let Some(state) = &filter.state {
        const OF_ALL: &str =
            "connection q CROSS JOIN transmission x WHERE x.connection_id = q.id AND x.state = ";
        if are_few(connection, &format!("{OF_ALL}$1"), binds![state]).await? {
            conditions.and(&format!("t.id IN (SELECT x.id FROM {OF_ALL}?)"), state);
        }
    }
    let (sql, binds) = conditions.newest_first(
        "SELECT t.id, t.name, t.set_code, p.code AS partner, c.name AS connection, t.mode, t.isa13, t.sha256, t.size,
           t.state, t.created_at, t.delivered_at, t.picked_up_at, t.picked_up_by, t.removed_at, t.attempts, t.problem
         FROM transmission t LEFT JOIN partner p ON p.id = t.partner_id LEFT JOIN connection c ON c.id = t.connection_id",
        "t.id",
        filter.page,
    );
    let rows: Vec<Row> = connection.rows(&sql, binds).await?;
    let at = |micros| maybe_instant("transmission", micros);
    rows.into_iter()
        .map(|row| {
            Ok(TransmissionListing {
                transmission: row.id.to_string(),
                name: row.name,
                set: row.set_code,
                partner: row.partner,
                connection: row.connection,
                mode: row.mode,
                isa13: row.isa13,
                sha256: row.sha256,
                size: row.size,
                state: row.state,
                created_at: instant("transmission", row.created_at)?,
                delivered_at: at(row.delivered_at)?,
                picked_up_at: at(row.picked_up_at)?,
                picked_up_by: row.picked_up_by,
                removed_at: at(row.removed_at)?,
                attempts: row.attempts,
                problem: row.problem,
            })
        })
        .collect()
}
