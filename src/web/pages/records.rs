//! Alerts, mail and the audit trail.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::storage::console::journal::{self, MailItem};
use crate::web::Console;
use crate::web::gate::person::Person;
use crate::web::page::{Asked, Frame, Section, Tab, shown};
use crate::web::show::{Chip, Tone, When, chip};
use crate::web::states::spoken;
use crate::web::trouble::Trouble;

/// Where a record's subject is shown; empty where it has no page. Of a warehouse that is what it has.
pub(crate) fn path_of(kind: &str, id: Option<i64>) -> String {
    let Some(id) = id else { return String::new() };
    let folder = match kind {
        "order" => "orders",
        "document" => "documents",
        "shipment" => "shipments",
        "invoice" => "invoices",
        "payment" => "payments",
        "deduction" => "deductions",
        "file" => "files",
        "partner" => "partners",
        "warehouse" => return "/stock".to_owned(),
        _ => return String::new(),
    };
    format!("/{folder}/{id}")
}

struct AlertRow {
    kind: String,
    partner: String,
    path: String,
    message: String,
    raised: When,
    cleared: Option<When>,
}

#[derive(Template)]
#[template(path = "alerts.html")]
struct AlertsPage {
    frame: Frame,
    tabs: Vec<Tab>,
    rows: Vec<AlertRow>,
    older: Option<String>,
    newest: Option<String>,
}

fn two_tabs(asked: &Asked, first: &str, narrow: bool) -> Vec<Tab> {
    let tab = |name: &str, value: &str, here: bool| Tab {
        name: name.to_owned(),
        path: asked.with("show", value),
        count: None,
        here,
    };
    vec![tab(first, "", narrow), tab("All", "all", !narrow)]
}

/// `GET /alerts`
pub(crate) async fn alerts(
    State(console): State<Console>,
    person: Person,
    asked: Asked,
) -> Result<Response, Trouble> {
    let frame = console
        .frame(person, Section::Alerts, "Alerts", &asked)
        .await?;
    let standing = asked.one_of("show", "choice", &["all"])?.is_none();
    let before = asked.number("before");
    let mut items = journal::alerts(&mut console.store().read().await?, standing, before).await?;
    let older = super::older(&mut items, &asked, |item| item.id);
    let calendar = frame.calendar;
    let rows = items
        .into_iter()
        .map(|item| AlertRow {
            kind: spoken(&item.kind),
            partner: item.partner_name.or(item.partner_code).unwrap_or_default(),
            path: path_of(&item.subject_kind, item.subject_id),
            message: item.message,
            raised: calendar.ago(item.raised_at),
            cleared: item.cleared_at.map(|at| calendar.ago(at)),
        })
        .collect();
    let newest = before.map(|_| asked.with("before", ""));
    shown(&AlertsPage {
        frame,
        tabs: two_tabs(&asked, "Standing", standing),
        rows,
        older,
        newest,
    })
}

struct MailRow {
    id: i64,
    subject: String,
    recipients: String,
    state: Chip,
    created: When,
    problem: String,
}

#[derive(Template)]
#[template(path = "mails.html")]
struct MailsPage {
    frame: Frame,
    tabs: Vec<Tab>,
    rows: Vec<MailRow>,
    older: Option<String>,
    newest: Option<String>,
}

fn mail_state(item: &MailItem) -> Chip {
    match (item.sent_at, &item.problem, item.next_at) {
        (Some(_), _, _) => chip(Tone::Good, "Sent"),
        (None, Some(_), None) => chip(Tone::Bad, "Given up"),
        (None, Some(_), Some(_)) => chip(Tone::Warn, format!("Failed {} ×", item.attempts)),
        (None, None, _) => chip(Tone::Busy, "Waiting"),
    }
}

/// `GET /mail`
pub(crate) async fn mails(
    State(console): State<Console>,
    person: Person,
    asked: Asked,
) -> Result<Response, Trouble> {
    let frame = console.frame(person, Section::Mail, "Mail", &asked).await?;
    let waiting = asked.one_of("show", "choice", &["waiting"])?.is_some();
    let before = asked.number("before");
    let mut items = journal::mails(&mut console.store().read().await?, waiting, before).await?;
    let older = super::older(&mut items, &asked, |item| item.id);
    let calendar = frame.calendar;
    let rows = items
        .iter()
        .map(|item| MailRow {
            id: item.id,
            subject: item.subject.clone(),
            recipients: item.recipients.clone(),
            state: mail_state(item),
            created: calendar.when(item.created_at),
            problem: item
                .problem
                .clone()
                .filter(|_| item.sent_at.is_none())
                .unwrap_or_default(),
        })
        .collect();
    let newest = before.map(|_| asked.with("before", ""));
    let tab = |name: &str, value: &str, here: bool| Tab {
        name: name.to_owned(),
        path: asked.with("show", value),
        count: None,
        here,
    };
    let tabs = vec![
        tab("All", "", !waiting),
        tab("Not sent yet", "waiting", waiting),
    ];
    shown(&MailsPage {
        frame,
        tabs,
        rows,
        older,
        newest,
    })
}

#[derive(Template)]
#[template(path = "mail.html")]
struct MailPage {
    frame: Frame,
    item: MailItem,
    state: Chip,
    created: When,
    sent: Option<When>,
    next: Option<When>,
}

/// `GET /mail/{id}`
pub(crate) async fn mail(
    State(console): State<Console>,
    person: Person,
    Path(id): Path<i64>,
    asked: Asked,
) -> Result<Response, Trouble> {
    let item = journal::mail(&mut console.store().read().await?, id)
        .await?
        .ok_or(Trouble::NotFound("mail"))?;
    let frame = console
        .frame(person, Section::Mail, item.subject.clone(), &asked)
        .await?;
    let calendar = frame.calendar;
    let page = MailPage {
        state: mail_state(&item),
        created: calendar.when(item.created_at),
        sent: calendar.when_some(item.sent_at),
        next: item
            .next_at
            .filter(|_| item.sent_at.is_none())
            .map(|at| calendar.when(at)),
        item,
        frame,
    };
    shown(&page)
}

struct TrailRow {
    at: When,
    actor: String,
    action: String,
    subject: String,
    path: String,
    detail: String,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    frame: Frame,
    asked: Asked,
    rows: Vec<TrailRow>,
    older: Option<String>,
    newest: Option<String>,
}

/// `GET /audit`
pub(crate) async fn audit(
    State(console): State<Console>,
    person: Person,
    asked: Asked,
) -> Result<Response, Trouble> {
    let frame = console
        .frame(person, Section::Audit, "Audit trail", &asked)
        .await?;
    let (actor, about, before) = (
        asked.text("actor"),
        asked.text("about"),
        asked.number("before"),
    );
    let mut connection = console.store().read().await?;
    let mut items = journal::audit(&mut connection, actor.as_ref(), about.as_ref(), before).await?;
    drop(connection);
    let older = super::older(&mut items, &asked, |item| item.id);
    let calendar = frame.calendar;
    let rows = items
        .into_iter()
        .map(|item| TrailRow {
            at: calendar.when(item.at),
            actor: item.actor,
            action: spoken(&item.action),
            path: path_of(&item.subject_kind, item.subject_id),
            subject: match item.subject_id {
                Some(id) if id != 0 => format!("{} {id}", item.subject_kind),
                _ => item.subject_kind,
            },
            detail: item.detail,
        })
        .collect();
    let newest = before.map(|_| asked.with("before", ""));
    shown(&AuditPage {
        frame,
        rows,
        older,
        newest,
        asked,
    })
}
