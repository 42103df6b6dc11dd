//! Invoices: the list, and one with its timeline.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::document_row::{DocumentRow, is_overdue};
use super::orders::{AuditRow, audit_row};
use crate::domain::invoice::{Invoice, InvoiceCharge};
use crate::domain::order::ChargeKind;
use crate::storage::console::deductions::DeductionItem;
use crate::storage::console::documents::DocumentItem;
use crate::storage::console::invoices::{
    self, ApplicationItem, InvoiceFilter, InvoiceItem, bucket_edges,
};
use crate::storage::console::{deductions, documents, journal, partners};
use crate::web::Console;
use crate::web::chart::{self, Bar};
use crate::web::export;
use crate::web::gate::person::Person;
use crate::web::page::{Asked, Choice, Frame, Section, Tab, partner_choices, shown};
use crate::web::show::{
    self, Calendar, Chip, Day, Icon, Money, Tone, When, amount, grouped, icon, plain_amount,
    quantity,
};
use crate::web::states;
use crate::web::trouble::Trouble;

struct Row {
    id: i64,
    number: String,
    credit: bool,
    test: bool,
    partner: String,
    po: String,
    order_id: i64,
    status: Chip,
    date: Day,
    due: Day,
    total: Money,
    open: String,
    disputed: String,
}

#[derive(Template)]
#[template(path = "invoices.html")]
struct InvoicesPage {
    frame: Frame,
    asked: Asked,
    tabs: Vec<Tab>,
    ages: Vec<Choice>,
    partners: Vec<Choice>,
    rows: Vec<Row>,
    older: Option<String>,
    newest: Option<String>,
}

/// The states that the list can be narrowed to.
const STATES: [&str; 4] = ["open", "partially_paid", "paid", "written_off"];

/// The ages that the list can be narrowed to, and their names.
const AGES: [(&str, &str); 7] = [
    ("open", "Something open"),
    ("overdue", "Overdue"),
    ("current", "Not due"),
    ("1-30", "1–30 days past due"),
    ("31-60", "31–60 days past due"),
    ("61-90", "61–90 days past due"),
    ("over-90", "Over 90 days past due"),
];

fn filter(asked: &Asked, today: chrono::NaiveDate) -> Result<InvoiceFilter, Trouble> {
    let [d0, d30, d60, d90] = bucket_edges(today);
    let age = asked.one_of("age", "age", &AGES.map(|(word, _)| word))?;
    let (due_before, due_from) = match age.as_deref() {
        Some("open") => (Some(chrono::NaiveDate::MAX), None),
        Some("overdue") => (Some(d0), None),
        Some("current") => (None, Some(d0)),
        Some("1-30") => (Some(d0), Some(d30)),
        Some("31-60") => (Some(d30), Some(d60)),
        Some("61-90") => (Some(d60), Some(d90)),
        Some("over-90") => (Some(d90), None),
        _ => (None, None),
    };
    Ok(InvoiceFilter {
        status: asked.one_of("status", "status", &STATES)?,
        partner: asked.number("partner"),
        mode: asked.mode()?,
        number: asked.text("number"),
        due_before: due_before.map(|day| {
            if day == chrono::NaiveDate::MAX {
                far()
            } else {
                day
            }
        }),
        due_from,
        before: asked.number("before"),
    })
}

/// A date after every due date: dates are compared as ISO text.
fn far() -> chrono::NaiveDate {
    chrono::NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or(chrono::NaiveDate::MAX)
}

/// `GET /invoices`
pub(crate) async fn list(
    State(console): State<Console>,
    person: Person,
    asked: Asked,
) -> Result<Response, Trouble> {
    let frame = console
        .frame(person, Section::Invoices, "Invoices", &asked)
        .await?;
    let filter = filter(&asked, frame.calendar.today())?;
    let mut connection = console.store().read().await?;
    let mut items = invoices::list(&mut connection, &filter).await?;
    let counts = invoices::counts(&mut connection, &filter, &STATES).await?;
    let partners = partner_choices(partners::choices(&mut connection).await?, filter.partner);
    drop(connection);
    let tabs = super::state_tabs(&asked, counts.as_ref(), &STATES);
    let older = super::older(&mut items, &asked, |item| item.id);
    let chosen = asked.text("age");
    let ages = AGES.map(|(value, name)| Choice {
        value: value.to_owned(),
        name: name.to_owned(),
        chosen: chosen.as_deref() == Some(value),
    });
    let rows = items
        .iter()
        .map(|item| row(item, &frame.calendar))
        .collect();
    let newest = filter.before.map(|_| asked.with("before", ""));
    shown(&InvoicesPage {
        frame,
        tabs,
        ages: ages.into(),
        partners,
        rows,
        older,
        newest,
        asked,
    })
}

fn overdue_days(item: &InvoiceItem, calendar: &Calendar) -> Option<i64> {
    if item.kind == "invoice" {
        calendar.days_since(&item.due)
    } else {
        None
    }
}

fn row(item: &InvoiceItem, calendar: &Calendar) -> Row {
    let some = |minor: i64| {
        if minor == 0 {
            String::new()
        } else {
            amount(minor, &item.currency)
        }
    };
    Row {
        id: item.id,
        number: item.number.clone(),
        credit: item.kind == "credit",
        test: item.mode == "test",
        partner: item.partner_name.clone(),
        po: item.po_number.clone(),
        order_id: item.order_id,
        status: states::invoice(&item.status, overdue_days(item, calendar)),
        date: calendar.day(&item.date),
        due: calendar.day(&item.due),
        total: show::money(item.total, &item.currency),
        open: some(item.open),
        disputed: some(item.disputed),
    }
}

/// `GET /invoices.csv`
pub(crate) async fn export(
    State(console): State<Console>,
    _person: Person,
    asked: Asked,
) -> Result<Response, Trouble> {
    let mut filter = filter(&asked, console.calendar().today())?;
    let mut rows = Vec::new();
    let mut connection = console.store().read().await?;
    loop {
        let mut items = invoices::list(&mut connection, &filter).await?;
        let more = super::older(&mut items, &asked, |item| item.id).is_some();
        filter.before = items.last().map(|item| item.id);
        rows.extend(items.into_iter().map(|item| {
            let sum = |minor: i64| plain_amount(minor, &item.currency);
            vec![
                item.number.clone(),
                item.kind.clone(),
                item.partner_code.clone(),
                item.mode.clone(),
                item.po_number.clone(),
                item.date.clone(),
                item.due.clone(),
                item.status.clone(),
                sum(item.total),
                sum(item.open),
                sum(item.disputed),
                sum(item.written_off),
                item.currency.clone(),
            ]
        }));
        if !more || i64::try_from(rows.len()).unwrap_or(i64::MAX) >= export::ROWS_MAX {
            break;
        }
    }
    let heading = [
        "invoice_number",
        "kind",
        "partner",
        "mode",
        "po_number",
        "date",
        "due_date",
        "status",
        "total",
        "open_amount",
        "disputed_amount",
        "written_off_amount",
        "currency",
    ];
    export::csv("invoices", &heading, rows)
}

// ---- one invoice -----------------------------------------------------------------------------------------------------

/// Something that happened to an invoice, or is to happen.
struct Event {
    icon: Icon,
    tone: &'static str,
    title: String,
    detail: String,
    path: String,
    when: String,
    later: bool,
    /// Microseconds, for the order of the timeline.
    at: i64,
}

struct Line {
    line: u32,
    item: String,
    description: String,
    quantity: String,
    unit: String,
    price: String,
    extension: String,
    charges: Vec<String>,
}

struct Applied {
    payment_id: i64,
    reference: String,
    method: String,
    date: Day,
    paid: Money,
    discount: String,
    written_off: String,
}

/// A deduction in a row.
pub(crate) struct DeductionRow {
    pub(crate) id: i64,
    pub(crate) reason: String,
    pub(crate) reference: String,
    pub(crate) status: Chip,
    pub(crate) amount: Money,
    pub(crate) invoice: String,
    pub(crate) age: When,
}

#[derive(Template)]
#[template(path = "invoice.html")]
struct InvoicePage {
    frame: Frame,
    item: InvoiceItem,
    invoice: Invoice,
    status: Chip,
    date: Day,
    due: Day,
    total: Money,
    open: Money,
    paid: Money,
    disputed: Money,
    discount: Money,
    written_off: Money,
    bar: Bar,
    terms: String,
    discount_until: Option<Day>,
    events: Vec<Event>,
    lines: Vec<Line>,
    charges: Vec<(String, String)>,
    applications: Vec<Applied>,
    deductions: Vec<DeductionRow>,
    thread: Vec<DocumentRow>,
    audit: Vec<AuditRow>,
    can_pay: bool,
}

/// `GET /invoices/{id}`
pub(crate) async fn one(
    State(console): State<Console>,
    person: Person,
    Path(id): Path<i64>,
    asked: Asked,
) -> Result<Response, Trouble> {
    let mut connection = console.store().read().await?;
    let item = invoices::item(&mut connection, id)
        .await?
        .ok_or(Trouble::NotFound("invoice"))?;
    let invoice = invoices::one(&mut connection, id)
        .await?
        .ok_or(Trouble::NotFound("invoice"))?;
    let thread = documents::about(&mut connection, "invoice", id).await?;
    let applications = invoices::applied_to(&mut connection, id).await?;
    let taken = deductions::of_invoice(&mut connection, id).await?;
    let audit = journal::audit_of(&mut connection, "invoice", id).await?;
    drop(connection);
    let title = format!(
        "{} {}",
        if item.kind == "credit" {
            "Credit"
        } else {
            "Invoice"
        },
        item.number
    );
    let frame = console
        .frame(person, Section::Invoices, title, &asked)
        .await?;
    let calendar = frame.calendar;
    let money = |minor: i64| show::money(minor, &item.currency);
    let paid: i64 = applications.iter().map(|row| row.paid).sum();
    let discount: i64 = applications.iter().map(|row| row.discount).sum();
    let page = InvoicePage {
        status: states::invoice(&item.status, overdue_days(&item, &calendar)),
        date: calendar.day(&item.date),
        due: calendar.day(&item.due),
        total: money(item.total),
        open: money(item.open),
        paid: money(paid),
        disputed: money(item.disputed),
        discount: money(discount),
        written_off: money(item.written_off),
        bar: chart::bar(
            "Paid, disputed and otherwise open",
            item.total,
            &[
                ("fill-good", item.total - item.open - item.written_off),
                ("fill-quiet", item.written_off),
                ("fill-4", item.disputed),
                ("fill-1", item.open - item.disputed),
            ],
        ),
        terms: invoice.terms.in_words(),
        discount_until: invoice.discount_until.map(|day| calendar.date(day)),
        events: events(&item, &thread, &applications, &taken, &audit, &calendar),
        lines: invoice
            .lines
            .iter()
            .map(|line| line_row(line, &item.currency))
            .collect(),
        charges: invoice
            .charges
            .iter()
            .map(|charge| charge_row(charge, &item.currency))
            .collect(),
        applications: applications
            .iter()
            .map(|row| applied(row, &calendar))
            .collect(),
        deductions: taken
            .iter()
            .map(|row| deduction_row(row, &calendar))
            .collect(),
        thread: thread
            .iter()
            .map(|item| DocumentRow::new(item, &calendar))
            .collect(),
        audit: audit
            .iter()
            .map(|item| audit_row(item, &calendar))
            .collect(),
        can_pay: item.kind == "invoice" && item.open > 0,
        invoice,
        item,
        frame,
    };
    shown(&page)
}

fn line_row(line: &crate::domain::invoice::InvoiceLine, currency: &str) -> Line {
    let basis = if line.price.basis.is_empty() {
        String::new()
    } else {
        format!(" {}", line.price.basis)
    };
    Line {
        line: line.order_line,
        item: line.item.clone(),
        description: line.description.clone(),
        quantity: quantity(line.quantity),
        unit: line.unit.clone(),
        price: format!("{}{basis}", grouped(&line.price.amount.to_string())),
        extension: amount(line.extension.0, currency),
        charges: line
            .charges
            .iter()
            .map(|charge| {
                let (name, sum) = charge_row(charge, currency);
                format!("{name}: {sum}")
            })
            .collect(),
    }
}

fn charge_row(charge: &InvoiceCharge, currency: &str) -> (String, String) {
    let (kind, sign) = match charge.kind {
        ChargeKind::Allowance => ("Allowance", -1),
        ChargeKind::Charge => ("Charge", 1),
        ChargeKind::Information => ("For information", 1),
    };
    let mut name = format!("{kind} {} {}", charge.code, charge.description);
    if let Some(percent) = charge.percent {
        name.push_str(&format!(" {}%", percent.normalize()));
    }
    (name, amount(charge.amount.0.saturating_mul(sign), currency))
}

fn applied(row: &ApplicationItem, calendar: &Calendar) -> Applied {
    let some = |minor: i64| {
        if minor == 0 {
            String::new()
        } else {
            amount(minor, &row.currency)
        }
    };
    Applied {
        payment_id: row.payment_id,
        reference: row.reference.clone(),
        method: row.method.clone(),
        date: calendar.day(&row.date),
        paid: show::money(row.paid, &row.currency),
        discount: some(row.discount),
        written_off: some(row.written_off),
    }
}

/// A deduction as a row.
pub(crate) fn deduction_row(row: &DeductionItem, calendar: &Calendar) -> DeductionRow {
    DeductionRow {
        id: row.id,
        reason: states::deduction_reason(&row.reason),
        reference: row.reference.clone(),
        status: states::deduction(&row.status),
        amount: show::money(row.amount, &row.currency),
        invoice: row
            .invoice_number
            .clone()
            .unwrap_or_else(|| row.claimed_reference.clone()),
        age: calendar.ago(row.created_at),
    }
}

fn event(
    icon_name: &'static str,
    tone: Tone,
    title: impl Into<String>,
    at: i64,
    calendar: &Calendar,
) -> Event {
    Event {
        icon: icon(icon_name),
        tone: tone.class(),
        title: title.into(),
        detail: String::new(),
        path: String::new(),
        when: calendar.when(at).to_string(),
        later: at > calendar.now.timestamp_micros(),
        at,
    }
}

/// The beginning of a day in the company's zone.
fn day_start(iso: &str, calendar: &Calendar) -> i64 {
    iso.parse::<chrono::NaiveDate>()
        .ok()
        .and_then(|day| {
            day.and_time(chrono::NaiveTime::MIN)
                .and_local_timezone(calendar.zone)
                .earliest()
        })
        .map_or(0, |at| at.timestamp_micros())
}

/// What happened to an invoice: created, sent, acknowledged, due, paid or short, settled.
fn events(
    item: &InvoiceItem,
    thread: &[DocumentItem],
    applications: &[ApplicationItem],
    taken: &[DeductionItem],
    audit: &[crate::storage::console::journal::AuditItem],
    calendar: &Calendar,
) -> Vec<Event> {
    let mut events = vec![Event {
        detail: format!("For PO {}.", item.po_number),
        path: format!("/orders/{}", item.order_id),
        ..event("invoices", Tone::Good, "Created", item.created_at, calendar)
    }];
    for document in thread.iter().filter(|document| document.direction == "out") {
        events.extend(sent_events(document, calendar));
    }
    for row in applications {
        let mut detail = format!(
            "{} {}, {}",
            amount(row.paid, &row.currency),
            row.currency,
            row.method
        );
        if row.discount != 0 {
            detail.push_str(&format!(
                ", discount {}",
                amount(row.discount, &row.currency)
            ));
        }
        if row.written_off != 0 {
            detail.push_str(&format!(
                ", written off within tolerance {}",
                amount(row.written_off, &row.currency)
            ));
        }
        let short = row.paid.saturating_add(row.discount) < item.total;
        events.push(Event {
            detail,
            path: format!("/payments/{}", row.payment_id),
            ..event(
                "payments",
                if short { Tone::Warn } else { Tone::Good },
                format!(
                    "{} by {}",
                    if short { "Paid in part" } else { "Paid" },
                    row.reference
                ),
                row.at,
                calendar,
            )
        });
    }
    for row in taken {
        events.push(Event {
            detail: format!(
                "{} {}. {}",
                amount(row.amount, &row.currency),
                row.currency,
                states::deduction_reason(&row.reason)
            ),
            path: format!("/deductions/{}", row.id),
            ..event(
                "deductions",
                Tone::Warn,
                "Deduction taken",
                row.created_at,
                calendar,
            )
        });
    }
    for entry in audit
        .iter()
        .filter(|entry| entry.action.contains("deduction") || entry.action.contains("applied"))
    {
        events.push(Event {
            detail: format!("{} ({})", entry.detail, entry.actor),
            ..event(
                "person",
                Tone::Quiet,
                states::spoken(&entry.action),
                entry.at,
                calendar,
            )
        });
    }
    if item.kind == "invoice" {
        events.push(due_event(item, calendar));
    }
    events.sort_by_key(|event| event.at);
    events
}

fn due_event(item: &InvoiceItem, calendar: &Calendar) -> Event {
    let at = day_start(&item.due, calendar);
    let days = calendar.days_since(&item.due).unwrap_or(0);
    let open = item.open > 0;
    let (tone, title, detail) = if !open {
        (Tone::Quiet, "Due".to_owned(), String::new())
    } else if days > 0 {
        (
            Tone::Bad,
            format!("Overdue for {days} days"),
            format!(
                "{} {} open",
                amount(item.open, &item.currency),
                item.currency
            ),
        )
    } else {
        (Tone::Quiet, "Due".to_owned(), format!("in {} days", -days))
    };
    Event {
        detail,
        when: calendar.day(&item.due).to_string(),
        later: days < 0,
        ..event("clock", tone, title, at, calendar)
    }
}

/// Sending a document and what the partner said to it.
fn sent_events(document: &DocumentItem, calendar: &Calendar) -> Vec<Event> {
    let path = format!("/documents/{}", document.id);
    let mut events = Vec::new();
    match document.sent_at {
        Some(at) => events.push(Event {
            detail: format!(
                "Interchange {}, {}",
                document.isa13,
                states::delivery(&document.delivery).0.text.to_lowercase()
            ),
            path: path.clone(),
            ..event(
                "out",
                Tone::Good,
                format!("Sent as {}", document.set_code),
                at,
                calendar,
            )
        }),
        None => events.push(Event {
            path: path.clone(),
            ..event(
                "clock",
                if document.delivery == "held" {
                    Tone::Warn
                } else {
                    Tone::Busy
                },
                if document.delivery == "held" {
                    "Held back by our own checks"
                } else {
                    "Waits to be sent"
                },
                document.created_at,
                calendar,
            )
        }),
    }
    if let (Some(at), Some(chip)) = (
        document.answered_at,
        states::syntax(&document.syntax, false),
    ) && document.syntax != "pending"
    {
        let mark = if document.syntax == "rejected" {
            "cross"
        } else {
            "check"
        };
        events.push(Event {
            path: path.clone(),
            ..event(mark, chip.0.tone, chip.0.text, at, calendar)
        });
    }
    if let (Some(due), "pending") = (document.answer_due_at, document.syntax.as_str()) {
        let overdue = is_overdue(document, calendar);
        events.push(Event {
            path,
            ..event(
                "clock",
                if overdue { Tone::Bad } else { Tone::Quiet },
                if overdue {
                    "Acknowledgment overdue since"
                } else {
                    "Acknowledgment due"
                },
                due,
                calendar,
            )
        });
    }
    events
}
