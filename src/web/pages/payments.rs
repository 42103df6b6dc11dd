//! Payments: the list, one with what it was applied to, applying what is left, and entering one by hand.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::invoices::{DeductionRow, deduction_row};
use crate::domain::remittance::Remittance;
use crate::storage::console::invoices::{self, InvoiceItem};
use crate::storage::console::payments::{self, PaymentItem};
use crate::storage::console::{deductions, partners};
use crate::web::Console;
use crate::web::gate::person::{Person, Role};
use crate::web::page::{Asked, Choice, Frame, Section, Tab, partner_choices, shown};
use crate::web::show::{self, Calendar, Chip, Day, Money, When, amount, plain_amount};
use crate::web::states;
use crate::web::trouble::Trouble;

struct Row {
    id: i64,
    reference: String,
    test: bool,
    partner: String,
    method: String,
    date: Day,
    status: Chip,
    amount: Money,
    unapplied: String,
}

#[derive(Template)]
#[template(path = "payments.html")]
struct PaymentsPage {
    frame: Frame,
    asked: Asked,
    tabs: Vec<Tab>,
    partners: Vec<Choice>,
    rows: Vec<Row>,
    older: Option<String>,
    newest: Option<String>,
}

/// The states that the list can be narrowed to.
const STATES: [&str; 3] = ["unapplied", "held", "applied"];

/// `GET /payments`
pub(crate) async fn list(
    State(console): State<Console>,
    person: Person,
    asked: Asked,
) -> Result<Response, Trouble> {
    let frame = console
        .frame(person, Section::Payments, "Payments", &asked)
        .await?;
    let (status, partner, before) = (
        asked.one_of("status", "status", &STATES)?,
        asked.number("partner"),
        asked.number("before"),
    );
    let mut connection = console.store().read().await?;
    let mut items = payments::list(&mut connection, status.as_ref(), partner, before).await?;
    let counts = payments::counts(&mut connection, &STATES).await?;
    let partners = partner_choices(partners::choices(&mut connection).await?, partner);
    drop(connection);
    let tabs = super::state_tabs(&asked, counts.as_ref(), &STATES);
    let older = super::older(&mut items, &asked, |item| item.id);
    let rows = items
        .iter()
        .map(|item| row(item, &frame.calendar))
        .collect();
    let newest = before.map(|_| asked.with("before", ""));
    shown(&PaymentsPage {
        frame,
        tabs,
        partners,
        rows,
        older,
        newest,
        asked,
    })
}

fn row(item: &PaymentItem, calendar: &Calendar) -> Row {
    Row {
        id: item.id,
        reference: item.reference.clone(),
        test: item.mode == "test",
        partner: item.partner_name.clone(),
        method: item.method.clone(),
        date: calendar.day(&item.date),
        status: states::payment(&item.status),
        amount: show::money(item.amount, &item.currency),
        unapplied: if item.unapplied == 0 {
            String::new()
        } else {
            amount(item.unapplied, &item.currency)
        },
    }
}

/// An open item that money can be applied to.
pub(crate) struct OpenRow {
    pub(crate) id: i64,
    pub(crate) number: String,
    pub(crate) po: String,
    pub(crate) due: Day,
    pub(crate) status: Chip,
    pub(crate) open: Money,
    /// What is filled in already.
    pub(crate) value: String,
    pub(crate) most: String,
}

struct Applied {
    invoice_id: i64,
    number: String,
    paid: Money,
    discount: String,
    written_off: String,
}

struct Said {
    qualifier: String,
    reference: String,
    action: String,
    paid: String,
    notes: Vec<String>,
}

#[derive(Template)]
#[template(path = "payment.html")]
struct PaymentPage {
    frame: Frame,
    item: PaymentItem,
    status: Chip,
    amount: Money,
    unapplied: Money,
    date: Day,
    created: When,
    applications: Vec<Applied>,
    deductions: Vec<DeductionRow>,
    said: Vec<Said>,
    adjustments: Vec<String>,
    open: Vec<OpenRow>,
    problem: String,
    can_apply: bool,
}

/// `GET /payments/{id}`
pub(crate) async fn one(
    State(console): State<Console>,
    person: Person,
    Path(id): Path<i64>,
    asked: Asked,
) -> Result<Response, Trouble> {
    show(
        &console,
        person,
        id,
        &asked,
        &BTreeMap::new(),
        String::new(),
    )
    .await
}

/// The page of a payment, with what was filled in and why it was refused.
pub(crate) async fn show(
    console: &Console,
    person: Person,
    id: i64,
    asked: &Asked,
    filled: &BTreeMap<String, String>,
    problem: String,
) -> Result<Response, Trouble> {
    let mut connection = console.store().read().await?;
    let item = payments::one(&mut connection, id)
        .await?
        .ok_or(Trouble::NotFound("payment"))?;
    let remittance = payments::remittance(&mut connection, id).await?;
    let applications = invoices::applied_of(&mut connection, id).await?;
    let taken = deductions::of_payment(&mut connection, id).await?;
    let can_apply = item.unapplied > 0;
    let open = if can_apply {
        invoices::open_of(&mut connection, item.partner_id).await?
    } else {
        Vec::new()
    };
    drop(connection);
    let frame = console
        .frame(
            person,
            Section::Payments,
            format!("Payment {}", item.reference),
            asked,
        )
        .await?;
    let calendar = frame.calendar;
    let some = |minor: i64| {
        if minor == 0 {
            String::new()
        } else {
            amount(minor, &item.currency)
        }
    };
    let page = PaymentPage {
        status: states::payment(&item.status),
        amount: show::money(item.amount, &item.currency),
        unapplied: show::money(item.unapplied, &item.currency),
        date: calendar.day(&item.date),
        created: calendar.when(item.created_at),
        applications: applications
            .iter()
            .map(|row| Applied {
                invoice_id: row.invoice_id,
                number: row.number.clone(),
                paid: show::money(row.paid, &row.currency),
                discount: some(row.discount),
                written_off: some(row.written_off),
            })
            .collect(),
        deductions: taken
            .iter()
            .map(|row| deduction_row(row, &calendar))
            .collect(),
        said: remittance
            .as_ref()
            .map(|remittance| said(remittance, &item.currency))
            .unwrap_or_default(),
        adjustments: remittance
            .map(|remittance| adjustments(&remittance.adjustments, &item.currency))
            .unwrap_or_default(),
        open: open
            .iter()
            .filter(|row| {
                row.currency == item.currency && row.mode == item.mode && row.kind == "invoice"
            })
            .map(|row| open_row(row, filled, &calendar))
            .collect(),
        problem,
        can_apply,
        item,
        frame,
    };
    shown(&page)
}

/// An open item as a row of a form.
pub(crate) fn open_row(
    row: &InvoiceItem,
    filled: &BTreeMap<String, String>,
    calendar: &Calendar,
) -> OpenRow {
    OpenRow {
        id: row.id,
        number: row.number.clone(),
        po: row.po_number.clone(),
        due: calendar.day(&row.due),
        status: states::invoice(&row.status, calendar.days_since(&row.due)),
        open: show::money(row.open, &row.currency),
        value: filled.get(&row.number).cloned().unwrap_or_default(),
        most: plain_amount(row.open, &row.currency),
    }
}

fn adjustments(
    list: &[crate::domain::remittance::RemittanceAdjustment],
    currency: &str,
) -> Vec<String> {
    list.iter()
        .map(|adjustment| {
            format!(
                "{} {currency}: {} {} {}",
                amount(adjustment.amount.0, currency),
                states::deduction_reason(&adjustment.reason),
                adjustment.reference,
                adjustment.note
            )
        })
        .collect()
}

fn said(remittance: &Remittance, currency: &str) -> Vec<Said> {
    remittance
        .items
        .iter()
        .map(|item| {
            let mut notes = adjustments(&item.adjustments, currency);
            if let Some(discount) = item.discount {
                notes.push(format!("discount {}", amount(discount.0, currency)));
            }
            Said {
                qualifier: item.qualifier.clone(),
                reference: item.reference.clone(),
                action: item.action.clone(),
                paid: amount(item.paid.0, currency),
                notes,
            }
        })
        .collect()
}

/// What a person fills in to enter a payment; kept where it is refused.
#[derive(Default)]
pub(crate) struct Entry {
    pub(crate) partner: Option<i64>,
    pub(crate) reference: String,
    pub(crate) method: String,
    pub(crate) amount: String,
    pub(crate) currency: String,
    pub(crate) date: String,
    pub(crate) mode: String,
    pub(crate) paid: BTreeMap<String, String>,
    pub(crate) taken: BTreeMap<String, String>,
    pub(crate) reasons: BTreeMap<String, String>,
    pub(crate) problem: String,
}

struct EntryRow {
    row: OpenRow,
    taken: String,
    reason: String,
}

#[derive(Template)]
#[template(path = "payment_new.html")]
struct PaymentNewPage {
    frame: Frame,
    partners: Vec<Choice>,
    partner_name: String,
    entry: Entry,
    rows: Vec<EntryRow>,
    methods: Vec<Choice>,
    reasons: Vec<(&'static str, String)>,
}

/// Reasons to choose from when money is deducted by hand.
const REASONS: [&str; 10] = ["01", "06", "04", "54", "57", "59", "70", "99", "A6", "B8"];

/// `GET /payments/new`
pub(crate) async fn new(
    State(console): State<Console>,
    person: Person,
    asked: Asked,
) -> Result<Response, Trouble> {
    person.require(Role::Ar)?;
    let mut entry = Entry {
        partner: asked.number("partner"),
        date: console.calendar().today().to_string(),
        currency: console
            .settings()
            .company
            .first()
            .map_or_else(|| "USD".to_owned(), |company| company.currency.to_string()),
        mode: "production".to_owned(),
        ..Entry::default()
    };
    if let Some(id) = asked.number("invoice")
        && let Some(item) = invoices::item(&mut console.store().read().await?, id).await?
    {
        entry
            .paid
            .insert(item.number.clone(), plain_amount(item.open, &item.currency));
        entry.amount = plain_amount(item.open, &item.currency);
        entry.currency = item.currency;
        entry.mode = item.mode;
    }
    show_entry(&console, person, &asked, entry).await
}

/// The form for a payment.
pub(crate) async fn show_entry(
    console: &Console,
    person: Person,
    asked: &Asked,
    entry: Entry,
) -> Result<Response, Trouble> {
    let mut connection = console.store().read().await?;
    let choices = partners::choices(&mut connection).await?;
    let open = match entry.partner {
        Some(partner) => invoices::open_of(&mut connection, partner).await?,
        None => Vec::new(),
    };
    drop(connection);
    let frame = console
        .frame(person, Section::Payments, "Enter payment", asked)
        .await?;
    let partner_name = choices
        .iter()
        .find(|(id, _, _)| Some(*id) == entry.partner)
        .map_or_else(String::new, |(_, _, name)| name.clone());
    let rows = open
        .iter()
        .filter(|row| {
            row.kind == "invoice" && row.mode == entry.mode && row.currency == entry.currency
        })
        .map(|row| EntryRow {
            taken: entry.taken.get(&row.number).cloned().unwrap_or_default(),
            reason: entry.reasons.get(&row.number).cloned().unwrap_or_default(),
            row: open_row(row, &entry.paid, &frame.calendar),
        })
        .collect();
    let methods = [
        ("ACH", "ACH credit"),
        ("FWT", "Wire transfer"),
        ("CHK", "Cheque"),
        ("manual", "Other"),
    ]
    .map(|(value, name)| Choice {
        value: value.to_owned(),
        name: name.to_owned(),
        chosen: entry.method == value,
    })
    .into();
    let reasons = REASONS
        .map(|code| (code, states::deduction_reason(code)))
        .into();
    let partners = partner_choices(choices, entry.partner);
    shown(&PaymentNewPage {
        frame,
        partners,
        partner_name,
        entry,
        rows,
        methods,
        reasons,
    })
}
