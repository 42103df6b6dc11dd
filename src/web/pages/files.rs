//! Files as they came in: the list, and one with its interchanges and its bytes.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::document_row::DocumentRow;
use super::documents::{download, findings_of};
use super::orders::{AuditRow, audit_row};
use crate::storage::console::files::{self, FileItem, InterchangeItem};
use crate::storage::console::{documents, journal, partners};
use crate::web::Console;
use crate::web::gate::person::Person;
use crate::web::page::{Asked, Choice, Frame, Section, Tab, partner_choices, shown};
use crate::web::reading::{self, Fault, fault};
use crate::web::show::{Calendar, Chip, When, size};
use crate::web::states;
use crate::web::trouble::Trouble;

/// Bytes of a file on one page.
const WINDOW: u64 = 12 * 1024;
/// The largest file that is given out whole.
const DOWNLOAD_MAX: i64 = 64 * 1024 * 1024;

struct Row {
    id: i64,
    name: String,
    partner: String,
    connection: String,
    disposition: Chip,
    size: String,
    received: When,
    message: String,
}

#[derive(Template)]
#[template(path = "files.html")]
struct FilesPage {
    frame: Frame,
    asked: Asked,
    tabs: Vec<Tab>,
    partners: Vec<Choice>,
    rows: Vec<Row>,
    older: Option<String>,
    newest: Option<String>,
}

/// The states that the list can be narrowed to.
const STATES: [&str; 5] = ["held", "rejected", "duplicate", "received", "processed"];

/// `GET /files`
pub(crate) async fn list(
    State(console): State<Console>,
    person: Person,
    asked: Asked,
) -> Result<Response, Trouble> {
    let frame = console
        .frame(person, Section::Files, "Files received", &asked)
        .await?;
    let (status, partner, before) = (
        asked.one_of("status", "status", &STATES)?,
        asked.number("partner"),
        asked.number("before"),
    );
    let mut connection = console.store().read().await?;
    let mut items = files::list(&mut connection, status.as_ref(), partner, before).await?;
    let counts = files::counts(&mut connection, &STATES).await?;
    let partners = partner_choices(partners::choices(&mut connection).await?, partner);
    drop(connection);
    let tabs = super::state_tabs(&asked, counts.as_ref(), &STATES);
    let older = super::older(&mut items, &asked, |item| item.id);
    let rows = items
        .iter()
        .map(|item| row(item, &frame.calendar))
        .collect();
    let newest = before.map(|_| asked.with("before", ""));
    shown(&FilesPage {
        frame,
        tabs,
        partners,
        rows,
        older,
        newest,
        asked,
    })
}

fn row(item: &FileItem, calendar: &Calendar) -> Row {
    let findings = findings_of(&item.findings);
    Row {
        id: item.id,
        name: item.name.clone(),
        partner: item
            .partner_name
            .clone()
            .unwrap_or_else(|| "Unknown sender".to_owned()),
        connection: item
            .connection_name
            .clone()
            .unwrap_or_else(|| item.received_by.clone()),
        disposition: states::disposition(&item.disposition),
        size: size(item.size),
        received: calendar.when(item.received_at),
        message: findings
            .iter()
            .max_by_key(|finding| finding.severity)
            .map_or_else(String::new, |finding| finding.message.clone()),
    }
}

struct InterchangeRow {
    isa13: String,
    mode: String,
    disposition: Chip,
    size: String,
    faults: Vec<Fault>,
    path: String,
}

#[derive(Template)]
#[template(path = "file.html")]
struct FilePage {
    frame: Frame,
    item: FileItem,
    disposition: Chip,
    received: When,
    size: String,
    faults: Vec<Fault>,
    interchanges: Vec<InterchangeRow>,
    thread: Vec<DocumentRow>,
    parts: Vec<(String, bool)>,
    is_dump: bool,
    said: String,
    before: Option<String>,
    after: Option<String>,
    audit: Vec<AuditRow>,
}

/// `GET /files/{id}`
pub(crate) async fn one(
    State(console): State<Console>,
    person: Person,
    Path(id): Path<i64>,
    asked: Asked,
) -> Result<Response, Trouble> {
    let mut connection = console.store().read().await?;
    let item = files::one(&mut connection, id)
        .await?
        .ok_or(Trouble::NotFound("file"))?;
    let interchanges = files::interchanges(&mut connection, id).await?;
    let thread = documents::of_file(&mut connection, id).await?;
    let whole = u64::try_from(item.size).unwrap_or(0);
    let from = asked
        .number("from")
        .and_then(|from| u64::try_from(from).ok())
        .unwrap_or(0)
        .min(whole);
    let bytes = connection.content_range(&item.sha256, from, WINDOW).await?;
    let audit = journal::audit_of(&mut connection, "file", id).await?;
    drop(connection);
    let frame = console
        .frame(
            person,
            Section::Files,
            format!("File {}", item.name),
            &asked,
        )
        .await?;
    let calendar = frame.calendar;
    let mut findings = findings_of(&item.findings);
    for interchange in &interchanges {
        findings.extend(findings_of(&interchange.findings));
    }
    let plain = reading::plain(&bytes, from, &findings);
    let until = from + bytes.len() as u64;
    let page = FilePage {
        disposition: states::disposition(&item.disposition),
        received: calendar.when(item.received_at),
        size: size(item.size),
        faults: findings_of(&item.findings).iter().map(fault).collect(),
        interchanges: interchanges
            .iter()
            .map(|row| interchange_row(row, &asked))
            .collect(),
        thread: thread
            .iter()
            .map(|row| DocumentRow::new(row, &calendar))
            .collect(),
        parts: plain.parts,
        is_dump: plain.is_dump,
        said: if whole == 0 {
            "empty".to_owned()
        } else {
            format!("bytes {} to {until} of {whole}", from.min(until))
        },
        before: (from > 0).then(|| asked.with("from", &from.saturating_sub(WINDOW).to_string())),
        after: (until < whole).then(|| asked.with("from", &until.to_string())),
        audit: audit.iter().map(|row| audit_row(row, &calendar)).collect(),
        item,
        frame,
    };
    shown(&page)
}

fn interchange_row(item: &InterchangeItem, asked: &Asked) -> InterchangeRow {
    InterchangeRow {
        isa13: item.isa13.clone(),
        mode: item.mode.clone(),
        disposition: states::disposition(&item.disposition),
        size: size(item.size),
        faults: findings_of(&item.findings).iter().map(fault).collect(),
        path: format!(
            "{}#bytes",
            asked.with("from", &item.byte_offset.to_string())
        ),
    }
}

/// `GET /files/{id}/raw`
pub(crate) async fn raw(
    State(console): State<Console>,
    _person: Person,
    Path(id): Path<i64>,
) -> Result<Response, Trouble> {
    let mut connection = console.store().read().await?;
    let item = files::one(&mut connection, id)
        .await?
        .ok_or(Trouble::NotFound("file"))?;
    if item.size > DOWNLOAD_MAX {
        return Err(Trouble::refused(format!(
            "The file has {}: more than the console gives out. It is in the store under SHA-256 {}.",
            size(item.size),
            item.sha256
        )));
    }
    let bytes = connection.content(&item.sha256).await?;
    Ok(download(&format!("file-{id}.edi"), bytes))
}
