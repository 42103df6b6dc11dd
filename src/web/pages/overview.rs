//! The first page: what needs a person now, and how things stand.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{Days, NaiveDate};

use crate::domain::finding::Finding;
use crate::storage::console::deductions::{self, DeductionItem};
use crate::storage::console::invoices::{self, AgeRow};
use crate::storage::console::overview::{
    self as figures, FateRow, OrderFigure, OverdueAnswer, OverdueDebtor,
};
use crate::storage::console::partners;
use crate::storage::console::payments::{self, PaymentItem};
use crate::storage::console::queue::{self, QueueItem};
use crate::storage::console::shipments::{self, ShipmentItem};
use crate::web::Console;
use crate::web::chart::{self, Columns, Stack};
use crate::web::gate::person::Person;
use crate::web::page::{Asked, Frame, Section, shown};
use crate::web::show::{self, Calendar, Icon, Money, Tone, When, count};
use crate::web::states;
use crate::web::trouble::Trouble;

/// Things of one kind that are looked at for the list.
const MOST: i64 = 40;
/// Things that the list shows.
const SHOWN: usize = 12;
/// Days of the chart of documents.
const DAYS: u64 = 30;

/// Something for a person to do.
pub(crate) struct Todo {
    pub(crate) tone: Tone,
    pub(crate) icon: Icon,
    pub(crate) title: String,
    pub(crate) path: String,
    pub(crate) detail: String,
    pub(crate) money: Option<Money>,
    pub(crate) when: Option<When>,
    /// Minor units, for the order of the list.
    at_stake: i64,
    since: i64,
}

/// A figure with what it is made of.
pub(crate) struct Tile {
    pub(crate) icon: Icon,
    pub(crate) label: &'static str,
    pub(crate) path: &'static str,
    pub(crate) figure: String,
    pub(crate) unit: String,
    pub(crate) more: String,
    pub(crate) tone: Tone,
}

struct Traffic {
    id: i64,
    name: String,
    last_in: Option<When>,
    last_out: Option<When>,
    held: i64,
    overdue: i64,
    rejected: i64,
}

struct AgeChart {
    currency: String,
    chart: Columns,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    todos: Vec<Todo>,
    more: usize,
    tiles: Vec<Tile>,
    fates: Option<Columns>,
    ages: Vec<AgeChart>,
    answers: Vec<OverdueRow>,
    traffic: Vec<Traffic>,
}

struct OverdueRow {
    id: i64,
    set: String,
    partner: String,
    reference: String,
    due: When,
    money: Option<Money>,
}

/// `GET /`
pub(crate) async fn page(
    State(console): State<Console>,
    person: Person,
    asked: Asked,
) -> Result<Response, Trouble> {
    let frame = console
        .frame(person, Section::Overview, "Overview", &asked)
        .await?;
    let calendar = frame.calendar;
    let now = calendar.now.timestamp_micros();
    let today = calendar.today();
    let first_day = today.checked_sub_days(Days::new(DAYS - 1)).unwrap_or(today);
    let since = first_day
        .and_time(chrono::NaiveTime::MIN)
        .and_utc()
        .timestamp_micros();

    let mut connection = console.store().read().await?;
    let waiting = queue::waiting(&mut connection, MOST).await?;
    let overdue = figures::overdue_answers(&mut connection, now, MOST).await?;
    let unapplied = payments::waiting(&mut connection, MOST).await?;
    let deductions = deductions::waiting(&mut connection, MOST).await?;
    let debtors = figures::overdue_debtors(&mut connection, today, MOST).await?;
    let planned = shipments::planned(&mut connection, MOST * 4).await?;
    let ages = invoices::aging(&mut connection, today).await?;
    let orders = figures::orders(&mut connection).await?;
    let fates = figures::fates(&mut connection, since, now).await?;
    let week = now - 7 * 86_400_000_000;
    let traffic = partners::list(&mut connection, now, week).await?;
    drop(connection);

    let mut todos = Vec::new();
    todos.extend(waiting.iter().map(|item| queued(item, &calendar)));
    todos.extend(overdue.iter().map(|item| unanswered(item, &calendar)));
    todos.extend(unapplied.iter().map(|item| unapplied_cash(item, &calendar)));
    todos.extend(deductions.iter().map(|item| deducted(item, &calendar)));
    todos.extend(debtors.iter().map(|item| owing(item, &calendar)));
    todos.extend(
        planned
            .iter()
            .filter_map(|item| leaving(item, today, &calendar)),
    );
    todos.sort_by_key(|todo| (std::cmp::Reverse(todo.at_stake), todo.since));
    let more = todos.len().saturating_sub(SHOWN);
    todos.truncate(SHOWN);

    let tiles = tiles(&orders, &ages, &fates, overdue.len(), now);
    let page = OverviewPage {
        todos,
        more,
        tiles,
        fates: fate_chart(&fates, first_day, today),
        ages: age_charts(&ages),
        answers: overdue
            .iter()
            .take(6)
            .map(|item| overdue_row(item, &calendar))
            .collect(),
        traffic: traffic
            .into_iter()
            .map(|row| Traffic {
                id: row.id,
                name: row.name,
                last_in: row.last_in.map(|at| calendar.ago(at)),
                last_out: row.last_out.map(|at| calendar.ago(at)),
                held: row.held,
                overdue: row.overdue,
                rejected: row.rejected,
            })
            .collect(),
        frame,
    };
    shown(&page)
}

fn money(value: Option<i64>, currency: Option<&String>) -> Option<Money> {
    Some(show::money(value?, currency?))
}

fn overdue_row(item: &OverdueAnswer, calendar: &Calendar) -> OverdueRow {
    OverdueRow {
        id: item.id,
        set: item.set_code.clone(),
        partner: item.partner_name.clone().unwrap_or_default(),
        reference: item.reference.clone(),
        due: calendar.ago(item.answer_due_at),
        money: money(item.value, item.currency.as_ref()),
    }
}

/// The first finding's sentence, or the order's reasons.
fn first_sentence(item: &QueueItem) -> String {
    if item.kind == "order" {
        return super::orders::reasons_of(&item.findings)
            .first()
            .map_or_else(
                || "Held without a reason on record.".to_owned(),
                |finding| finding.message.clone(),
            );
    }
    let findings: Vec<Finding> = serde_json::from_str(&item.findings).unwrap_or_default();
    findings
        .iter()
        .max_by_key(|finding| finding.severity)
        .map_or_else(
            || "No finding is on record.".to_owned(),
            |finding| finding.message.clone(),
        )
}

fn queued(item: &QueueItem, calendar: &Calendar) -> Todo {
    let partner = item
        .partner_name
        .clone()
        .unwrap_or_else(|| "an unknown sender".to_owned());
    let (title, path, icon) = match item.kind.as_str() {
        "order" => (
            format!(
                "Decide about PO {} of {partner}, which is held",
                item.reference
            ),
            format!("/orders/{}", item.id),
            "orders",
        ),
        "file" => (
            format!("Look at the file {} of {partner}", item.reference),
            format!("/files/{}", item.id),
            "files",
        ),
        _ if item.direction == "out" && item.disposition == "rejected" => (
            format!(
                "{partner} rejected our {} {}",
                item.set_code, item.reference
            ),
            format!("/documents/{}", item.id),
            "documents",
        ),
        _ if item.direction == "out" => (
            format!(
                "Our {} {} for {partner} is held back",
                item.set_code, item.reference
            ),
            format!("/documents/{}", item.id),
            "documents",
        ),
        _ => (
            format!(
                "Correct the {} {} of {partner}",
                item.set_code, item.reference
            ),
            format!("/documents/{}", item.id),
            "documents",
        ),
    };
    Todo {
        tone: if item.disposition == "rejected" {
            Tone::Bad
        } else {
            Tone::Warn
        },
        icon: show::icon(icon),
        title,
        path,
        detail: first_sentence(item),
        money: money(item.value, item.currency.as_ref()),
        when: Some(calendar.ago(item.since)),
        at_stake: item.value.unwrap_or(0),
        since: item.since,
    }
}

fn unanswered(item: &OverdueAnswer, calendar: &Calendar) -> Todo {
    let partner = item.partner_name.clone().unwrap_or_default();
    Todo {
        tone: Tone::Bad,
        icon: show::icon("clock"),
        title: format!(
            "{partner} has not acknowledged our {} {}",
            item.set_code, item.reference
        ),
        path: format!("/documents/{}", item.id),
        detail: format!(
            "The acknowledgment of interchange {} is overdue. Ask the partner, or send it again.",
            item.isa13
        ),
        money: money(item.value, item.currency.as_ref()),
        when: Some(calendar.ago(item.answer_due_at)),
        at_stake: item.value.unwrap_or(0),
        since: item.answer_due_at,
    }
}

fn unapplied_cash(item: &PaymentItem, calendar: &Calendar) -> Todo {
    let held = item.status == "held";
    let amount = if held { item.amount } else { item.unapplied };
    Todo {
        tone: Tone::Warn,
        icon: show::icon("payments"),
        title: format!("Apply payment {} of {}", item.reference, item.partner_name),
        path: format!("/payments/{}", item.id),
        detail: if held {
            "The remittance does not balance; nothing of it was posted.".to_owned()
        } else {
            "Part of it is tied to no invoice.".to_owned()
        },
        money: Some(show::money(amount, &item.currency)),
        when: Some(calendar.ago(item.created_at)),
        at_stake: amount,
        since: item.created_at,
    }
}

fn deducted(item: &DeductionItem, calendar: &Calendar) -> Todo {
    let of = item.invoice_number.as_ref().map_or_else(
        || "without an invoice of ours".to_owned(),
        |number| format!("from invoice {number}"),
    );
    Todo {
        tone: Tone::Warn,
        icon: show::icon("deductions"),
        title: format!("{} deducted {of}", item.partner_name),
        path: format!("/deductions/{}", item.id),
        detail: format!(
            "{}. Accept, dispute or write off.",
            states::deduction_reason(&item.reason)
        ),
        money: Some(show::money(item.amount, &item.currency)),
        when: Some(calendar.ago(item.created_at)),
        at_stake: item.amount,
        since: item.created_at,
    }
}

fn owing(item: &OverdueDebtor, calendar: &Calendar) -> Todo {
    let days = calendar.days_since(&item.oldest_due).unwrap_or(0);
    let what = if item.n == 1 {
        "1 invoice is overdue".to_owned()
    } else {
        format!("{} invoices are overdue", count(item.n))
    };
    let since = item.oldest_due.parse::<NaiveDate>().map_or(0, |due| {
        due.and_time(chrono::NaiveTime::MIN)
            .and_utc()
            .timestamp_micros()
    });
    Todo {
        tone: Tone::Bad,
        icon: show::icon("invoices"),
        title: format!("{}: {what}", item.partner_name),
        path: format!("/invoices?partner={}&age=overdue", item.partner_id),
        detail: format!("The oldest was due {days} days ago."),
        money: Some(show::money(item.open, &item.currency)),
        when: Some(calendar.ago(since)),
        at_stake: item.open,
        since,
    }
}

/// A planned shipment whose window closes within two days, or has closed.
fn leaving(item: &ShipmentItem, today: NaiveDate, calendar: &Calendar) -> Option<Todo> {
    let shipment = item.shipment().ok()?;
    let closes = shipment.not_after?;
    let soon = today.checked_add_days(Days::new(2))?;
    if closes > soon {
        return None;
    }
    let late = closes < today;
    let since = closes
        .and_time(chrono::NaiveTime::MIN)
        .and_utc()
        .timestamp_micros();
    Some(Todo {
        tone: if late { Tone::Bad } else { Tone::Warn },
        icon: show::icon("shipments"),
        title: format!(
            "Ship {} cartons to {}",
            count(i64::try_from(shipment.cartons.len()).unwrap_or(0)),
            item.partner_name
        ),
        path: format!("/shipments/{}", item.id),
        detail: format!(
            "Shipment {} out of {}: the ship window {} {closes}.",
            item.id,
            item.warehouse,
            if late { "closed on" } else { "closes on" }
        ),
        money: None,
        when: Some(calendar.ago(since)),
        at_stake: 0,
        since,
    })
}

fn tiles(
    orders: &[OrderFigure],
    ages: &[AgeRow],
    fates: &[FateRow],
    unanswered: usize,
    now: i64,
) -> Vec<Tile> {
    let going = |status: &str| {
        matches!(
            status,
            "received"
                | "held"
                | "accepted"
                | "confirmed"
                | "backordered"
                | "partly_shipped"
                | "shipped"
        )
    };
    let n: i64 = orders
        .iter()
        .filter(|row| going(&row.status))
        .map(|row| row.n)
        .sum();
    let held: i64 = orders
        .iter()
        .filter(|row| row.status == "held")
        .map(|row| row.n)
        .sum();
    let worth = by_currency(
        orders
            .iter()
            .filter(|row| going(&row.status))
            .map(|row| (row.currency.as_str(), row.value)),
    );
    let open = by_currency(ages.iter().map(|row| (row.currency.as_str(), row.total())));
    let overdue = by_currency(
        ages.iter()
            .map(|row| (row.currency.as_str(), row.overdue())),
    );
    let today = now / 86_400_000_000;
    let of_today: i64 = fates
        .iter()
        .filter(|row| row.day == today)
        .map(|row| row.n)
        .sum();
    let all: i64 = fates.iter().map(|row| row.n).sum();
    let of_fate = |which: usize| -> i64 {
        fates
            .iter()
            .filter(|row| fate(row) == which)
            .map(|row| row.n)
            .sum()
    };
    // What still waits for its acknowledgment is neither clean nor not.
    let (clean, settled) = (of_fate(0), all - of_fate(1));
    let (open_figure, open_unit) = leading(&open);
    vec![
        Tile {
            icon: show::icon("orders"),
            label: "Orders on their way",
            path: "/orders",
            figure: count(n),
            unit: String::new(),
            more: if held > 0 {
                format!("{} held · {}", count(held), said(&worth))
            } else {
                said(&worth)
            },
            tone: if held > 0 { Tone::Warn } else { Tone::Quiet },
        },
        Tile {
            icon: show::icon("receivables"),
            label: "Open receivables",
            path: "/receivables",
            figure: open_figure,
            unit: open_unit,
            more: if overdue.values().all(|sum| *sum == 0) {
                "Nothing overdue".to_owned()
            } else {
                format!("{} overdue", said(&overdue))
            },
            tone: if overdue.values().any(|sum| *sum > 0) {
                Tone::Bad
            } else {
                Tone::Good
            },
        },
        Tile {
            icon: show::icon("documents"),
            label: "Clean at first pass",
            path: "/documents",
            figure: if settled == 0 {
                "–".to_owned()
            } else {
                format!("{}%", clean * 100 / settled)
            },
            unit: String::new(),
            more: format!(
                "{} {} in {DAYS} days, {} today",
                count(all),
                if all == 1 { "document" } else { "documents" },
                count(of_today)
            ),
            tone: Tone::Quiet,
        },
        Tile {
            icon: show::icon("clock"),
            label: "Acknowledgments overdue",
            path: "/documents?syntax=overdue",
            figure: count(i64::try_from(unanswered).unwrap_or(0)),
            unit: String::new(),
            more: if unanswered == 0 {
                "Every partner has answered in time".to_owned()
            } else {
                "Partners owe us an answer".to_owned()
            },
            tone: if unanswered == 0 {
                Tone::Good
            } else {
                Tone::Bad
            },
        },
    ]
}

fn by_currency<'a>(rows: impl Iterator<Item = (&'a str, i64)>) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for (currency, value) in rows {
        let sum: &mut i64 = sums.entry(currency.to_owned()).or_default();
        *sum = sum.saturating_add(value);
    }
    sums
}

fn said(sums: &BTreeMap<String, i64>) -> String {
    let parts: Vec<String> = sums
        .iter()
        .filter(|(_, sum)| **sum != 0)
        .map(|(currency, sum)| format!("{} {currency}", show::amount(*sum, currency)))
        .collect();
    if parts.is_empty() {
        "nothing".to_owned()
    } else {
        parts.join(" · ")
    }
}

/// The largest of several sums, to stand large.
fn leading(sums: &BTreeMap<String, i64>) -> (String, String) {
    sums.iter()
        .max_by_key(|(_, sum)| **sum)
        .map_or(("0".to_owned(), String::new()), |(currency, sum)| {
            (show::amount(*sum, currency), currency.clone())
        })
}

/// 0 done, 1 under way, 2 held, 3 refused.
fn fate(row: &FateRow) -> usize {
    if row.disposition == "rejected" || row.syntax == "rejected" {
        3
    } else if row.disposition == "held" || row.delivery == "held" {
        2
    } else if (row.direction == "out" && row.syntax == "pending")
        || row.disposition == "received" && row.direction == "in"
    {
        1
    } else {
        0
    }
}

fn fate_chart(rows: &[FateRow], first: NaiveDate, last: NaiveDate) -> Option<Columns> {
    if rows.is_empty() {
        return None;
    }
    let epoch = NaiveDate::default();
    let mut stacks = Vec::new();
    for (place, date) in first
        .iter_days()
        .take_while(|date| *date <= last)
        .enumerate()
    {
        let day = date.signed_duration_since(epoch).num_days();
        let mut parts = vec![0_i64; 4];
        for row in rows.iter().filter(|row| row.day == day) {
            if let Some(part) = parts.get_mut(fate(row)) {
                *part += row.n;
            }
        }
        let name = date.format("%b %-d").to_string();
        stacks.push(Stack {
            label: if place % 7 == 1 {
                name.clone()
            } else {
                String::new()
            },
            name,
            value: String::new(),
            parts,
        });
    }
    let classes = [
        ("fill-good", "done"),
        ("fill-1", "waiting for an answer"),
        ("fill-2", "held"),
        ("fill-4", "rejected"),
    ];
    Some(chart::columns(
        "Documents by day and fate",
        (460, 200),
        &classes,
        stacks,
        count,
    ))
}

/// One chart of the five ages for each currency that anything is open in.
fn age_charts(rows: &[AgeRow]) -> Vec<AgeChart> {
    super::receivables::sums(rows)
        .into_iter()
        .filter(|(_, sum)| sum.buckets().iter().any(|bucket| *bucket != 0))
        .map(|(currency, sum)| AgeChart {
            chart: super::receivables::chart(&currency, &sum, (460, 200)),
            currency,
        })
        .collect()
}
