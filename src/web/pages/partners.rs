//! Partners: who they are, over what they speak, their profile with its versions.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::document_row::DocumentRow;
use crate::storage::console::documents::{self, DocumentFilter};
use crate::storage::console::partners::{self, AddressItem, PartnerItem};
use crate::storage::console::{invoices, payments};
use crate::web::Console;
use crate::web::gate::person::{Person, Role};
use crate::web::page::{Asked, Frame, Section, shown};
use crate::web::show::{self, Calendar, Chip, Money, Tone, When, chip};
use crate::web::states::spoken;
use crate::web::trouble::Trouble;

struct Row {
    id: i64,
    code: String,
    name: String,
    kind: String,
    status: Chip,
    version: i64,
    last_in: Option<When>,
    last_out: Option<When>,
    held: i64,
    overdue: i64,
    rejected: i64,
}

fn status_chip(status: &str) -> Chip {
    match status {
        "live" => chip(Tone::Good, "Live"),
        "test" => chip(Tone::Warn, "Test"),
        other => chip(Tone::Quiet, spoken(other)),
    }
}

fn row(item: &PartnerItem, calendar: &Calendar) -> Row {
    Row {
        id: item.id,
        code: item.code.clone(),
        name: item.name.clone(),
        kind: spoken(&item.kind),
        status: status_chip(&item.status),
        version: item.profile_version,
        last_in: item.last_in.map(|at| calendar.ago(at)),
        last_out: item.last_out.map(|at| calendar.ago(at)),
        held: item.held,
        overdue: item.overdue,
        rejected: item.rejected,
    }
}

#[derive(Template)]
#[template(path = "partners.html")]
struct PartnersPage {
    frame: Frame,
    rows: Vec<Row>,
}

/// `GET /partners`
pub(crate) async fn list(
    State(console): State<Console>,
    person: Person,
    asked: Asked,
) -> Result<Response, Trouble> {
    let frame = console
        .frame(person, Section::Partners, "Partners", &asked)
        .await?;
    let now = frame.calendar.now.timestamp_micros();
    let items = partners::list(
        &mut console.store().read().await?,
        now,
        now - 7 * 86_400_000_000,
    )
    .await?;
    let rows = items
        .iter()
        .map(|item| row(item, &frame.calendar))
        .collect();
    shown(&PartnersPage { frame, rows })
}

struct ConnectionRow {
    name: String,
    kind: &'static str,
    active: bool,
    settings: Vec<(String, String)>,
    polled: Option<When>,
    problem: Option<String>,
}

struct LoginRow {
    mailbox: String,
    kind: &'static str,
    key: String,
    created: When,
}

struct Version {
    version: i64,
    at: When,
    by: String,
    here: bool,
}

#[derive(Template)]
#[template(path = "partner.html")]
struct PartnerPage {
    frame: Frame,
    partner: Row,
    owes: Vec<(Money, Option<Money>)>,
    unapplied: Vec<(i64, String, Money)>,
    addresses: Vec<AddressItem>,
    connections: Vec<ConnectionRow>,
    logins: Vec<LoginRow>,
    thread: Vec<DocumentRow>,
    profile: String,
    shown_version: i64,
    versions: Vec<Version>,
    diff: Vec<(&'static str, String)>,
}

/// `GET /partners/{id}`
pub(crate) async fn one(
    State(console): State<Console>,
    person: Person,
    Path(id): Path<i64>,
    asked: Asked,
) -> Result<Response, Trouble> {
    let mut connection = console.store().read().await?;
    let item = partners::one(&mut connection, id)
        .await?
        .ok_or(Trouble::NotFound("partner"))?;
    let addresses = partners::addresses(&mut connection, id).await?;
    let connections = partners::connections(&mut connection, id).await?;
    let logins = partners::logins(&mut connection, id).await?;
    let versions = partners::versions(&mut connection, id).await?;
    let version = asked.number("version").unwrap_or(item.profile_version);
    let profile = partners::profile(&mut connection, id, version).await?;
    let before = partners::profile(&mut connection, id, version - 1).await?;
    let filter = DocumentFilter {
        partner: Some(id),
        ..DocumentFilter::default()
    };
    let documents = documents::list(&mut connection, &filter).await?;
    let unapplied = payments::unapplied_of(&mut connection, id).await?;
    // A page waits for one connection at a time: those who hold one and want another would wait for each other.
    drop(connection);
    let frame = console
        .frame(person, Section::Partners, item.name.clone(), &asked)
        .await?;
    let calendar = frame.calendar;
    let ages = invoices::aging(&mut console.store().read().await?, calendar.today()).await?;
    let text = profile.as_ref().map_or_else(String::new, String::clone);
    let page = PartnerPage {
        partner: row(&item, &calendar),
        owes: ages
            .iter()
            .filter(|age| age.partner_id == id)
            .map(|age| {
                let overdue =
                    (age.overdue() > 0).then(|| show::money(age.overdue(), &age.currency));
                (show::money(age.total(), &age.currency), overdue)
            })
            .collect(),
        unapplied: unapplied
            .iter()
            .map(|row| {
                (
                    row.id,
                    row.reference.clone(),
                    show::money(row.unapplied, &row.currency),
                )
            })
            .collect(),
        addresses,
        connections: connections
            .into_iter()
            .map(|row| connection_row(row, &calendar))
            .collect(),
        logins: logins
            .into_iter()
            .map(|row| LoginRow {
                mailbox: row.mailbox,
                kind: if row.kind == "key" {
                    "Public key"
                } else {
                    "Password"
                },
                key: row.key,
                created: calendar.when(row.created_at),
            })
            .collect(),
        thread: documents
            .iter()
            .take(15)
            .map(|row| DocumentRow::new(row, &calendar))
            .collect(),
        diff: before
            .map(|before| super::difference::lines(&before, &text))
            .unwrap_or_default(),
        profile: text,
        shown_version: version,
        versions: versions
            .into_iter()
            .map(|(number, at, by)| Version {
                version: number,
                at: calendar.when(at),
                by,
                here: number == version,
            })
            .collect(),
        frame,
    };
    shown(&page)
}

/// Settings whose values are not for every eye.
fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    ["password", "secret", "passphrase", "token"]
        .iter()
        .any(|word| key.contains(word))
        && !key.ends_with("_env")
        && !key.ends_with("_file")
}

fn connection_row(item: partners::ConnectionItem, calendar: &Calendar) -> ConnectionRow {
    let body: serde_json::Value = serde_json::from_str(&item.body).unwrap_or_default();
    let settings = body
        .as_object()
        .map(|fields| {
            fields
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| {
                    let said = match value {
                        _ if is_secret(key) => "•••".to_owned(),
                        serde_json::Value::String(text) => text.clone(),
                        other => other.to_string(),
                    };
                    (spoken(key), said)
                })
                .filter(|(_, said)| !said.is_empty() && said != "[]" && said != "{}")
                .collect()
        })
        .unwrap_or_default();
    ConnectionRow {
        name: item.name,
        kind: match item.kind.as_str() {
            "mailbox" => "Mailbox on our SFTP server",
            "sftp" => "The partner's SFTP server",
            "folder" => "Folder",
            _ => "Connection",
        },
        active: item.active != 0,
        settings,
        polled: item.polled_at.map(|at| calendar.ago(at)),
        problem: item.problem,
    }
}

/// What a person edits; kept where it is refused.
#[derive(Template)]
#[template(path = "partner_edit.html")]
struct ProfileEditor {
    frame: Frame,
    id: i64,
    name: String,
    version: i64,
    text: String,
    problem: String,
}

/// `GET /partners/{id}/profile`
pub(crate) async fn edit(
    State(console): State<Console>,
    person: Person,
    Path(id): Path<i64>,
    asked: Asked,
) -> Result<Response, Trouble> {
    person.require(Role::Admin)?;
    show_editor(&console, person, id, &asked, None, String::new()).await
}

/// The editor of a profile.
pub(crate) async fn show_editor(
    console: &Console,
    person: Person,
    id: i64,
    asked: &Asked,
    text: Option<String>,
    problem: String,
) -> Result<Response, Trouble> {
    let mut connection = console.store().read().await?;
    let item = partners::one(&mut connection, id)
        .await?
        .ok_or(Trouble::NotFound("partner"))?;
    let profile = partners::profile(&mut connection, id, item.profile_version).await?;
    drop(connection);
    let frame = console
        .frame(
            person,
            Section::Partners,
            format!("Profile of {}", item.name),
            asked,
        )
        .await?;
    let text = text.or(profile).unwrap_or_default();
    shown(&ProfileEditor {
        frame,
        id,
        name: item.name,
        version: item.profile_version,
        text,
        problem,
    })
}
