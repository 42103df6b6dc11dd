//! The deductions desk: what buyers paid less, why, and what proves it right or wrong.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::document_row::DocumentRow;
use super::orders::{AuditRow, audit_row};
use crate::domain::shipment::ShipmentState;
use crate::storage::console::deductions::{self, DeductionItem};
use crate::storage::console::shipments::ShipmentItem;
use crate::storage::console::{documents, invoices, journal, partners, shipments};
use crate::web::Console;
use crate::web::gate::person::Person;
use crate::web::page::{Asked, Choice, Frame, Section, Tab, partner_choices, shown};
use crate::web::show::{self, Calendar, Chip, Day, Money, When, amount};
use crate::web::states;
use crate::web::trouble::Trouble;

struct Row {
    id: i64,
    reason: String,
    claim: String,
    test: bool,
    partner: String,
    invoice: String,
    status: Chip,
    age: When,
    amount: Money,
}

#[derive(Template)]
#[template(path = "deductions.html")]
struct DeductionsPage {
    frame: Frame,
    asked: Asked,
    tabs: Vec<Tab>,
    sums: Vec<(String, String)>,
    partners: Vec<Choice>,
    rows: Vec<Row>,
    older: Option<String>,
    newest: Option<String>,
}

/// The states that the list can be narrowed to.
const STATES: [&str; 4] = ["open", "disputed", "recovered", "written_off"];

/// `GET /deductions`
pub(crate) async fn list(
    State(console): State<Console>,
    person: Person,
    asked: Asked,
) -> Result<Response, Trouble> {
    let frame = console
        .frame(person, Section::Deductions, "Deductions", &asked)
        .await?;
    let (status, partner, before) = (
        asked.one_of("status", "status", &STATES)?,
        asked.number("partner"),
        asked.number("before"),
    );
    let mut connection = console.store().read().await?;
    let mut items = deductions::list(&mut connection, status.as_ref(), partner, before).await?;
    let figures = deductions::counts(&mut connection).await?;
    let partners = partner_choices(partners::choices(&mut connection).await?, partner);
    drop(connection);
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for (status, _, n, _) in &figures {
        *counts.entry(status.clone()).or_default() += n;
    }
    let sums = figures
        .iter()
        .map(|(status, currency, _, sum)| {
            (
                states::deduction(status).0.text,
                format!("{} {currency}", amount(*sum, currency)),
            )
        })
        .collect();
    let tabs = super::state_tabs(&asked, Some(&counts), &STATES);
    let older = super::older(&mut items, &asked, |item| item.id);
    let rows = items
        .iter()
        .map(|item| row(item, &frame.calendar))
        .collect();
    let newest = before.map(|_| asked.with("before", ""));
    shown(&DeductionsPage {
        frame,
        tabs,
        sums,
        partners,
        rows,
        older,
        newest,
        asked,
    })
}

fn row(item: &DeductionItem, calendar: &Calendar) -> Row {
    Row {
        id: item.id,
        reason: states::deduction_reason(&item.reason),
        claim: item.reference.clone(),
        test: item.mode == "test",
        partner: item.partner_name.clone(),
        invoice: item
            .invoice_number
            .clone()
            .unwrap_or_else(|| format!("none of ours: {}", item.claimed_reference)),
        status: states::deduction(&item.status),
        age: calendar.ago(item.created_at),
        amount: show::money(item.amount, &item.currency),
    }
}

/// A shipment as a proof: when it left, with what carrier, under which numbers.
struct Proof {
    id: i64,
    left: Option<When>,
    window: Vec<Day>,
    in_window: Option<bool>,
    carrier: String,
    bill_of_lading: String,
    cartons: usize,
}

#[derive(Template)]
#[template(path = "deduction.html")]
struct DeductionPage {
    frame: Frame,
    item: DeductionItem,
    reason: String,
    status: Chip,
    amount: Money,
    /// What the payer took, where it paid a part of it since.
    taken_amount: Option<Money>,
    paid_on: Day,
    taken: When,
    proofs: Vec<Proof>,
    thread: Vec<DocumentRow>,
    audit: Vec<AuditRow>,
    can_dispute: bool,
    can_settle: bool,
}

/// `GET /deductions/{id}`
pub(crate) async fn one(
    State(console): State<Console>,
    person: Person,
    Path(id): Path<i64>,
    asked: Asked,
) -> Result<Response, Trouble> {
    let mut connection = console.store().read().await?;
    let item = deductions::one(&mut connection, id)
        .await?
        .ok_or(Trouble::NotFound("deduction"))?;
    let audit = journal::audit_of(&mut connection, "deduction", id).await?;
    let mut sent = Vec::new();
    let mut thread = Vec::new();
    if let Some(invoice) = item.invoice_id {
        if let Some(issued) = invoices::one(&mut connection, invoice).await? {
            let numbers: Vec<i64> = issued.shipments.iter().map(|shipment| shipment.0).collect();
            sent = shipments::of_numbers(&mut connection, &numbers).await?;
        }
        for shipment in &sent {
            thread.extend(documents::about(&mut connection, "shipment", shipment.id).await?);
        }
        thread.extend(documents::about(&mut connection, "invoice", invoice).await?);
    }
    drop(connection);
    let frame = console
        .frame(
            person,
            Section::Deductions,
            format!("Deduction {id}"),
            &asked,
        )
        .await?;
    let calendar = frame.calendar;
    let page = DeductionPage {
        reason: states::deduction_reason(&item.reason),
        status: states::deduction(&item.status),
        amount: show::money(item.amount, &item.currency),
        taken_amount: (item.taken != item.amount).then(|| show::money(item.taken, &item.currency)),
        paid_on: calendar.day(&item.payment_date),
        taken: calendar.when(item.created_at),
        proofs: sent
            .iter()
            .filter_map(|row| proof(row, &calendar))
            .collect(),
        thread: thread
            .iter()
            .map(|row| DocumentRow::new(row, &calendar))
            .collect(),
        audit: audit.iter().map(|row| audit_row(row, &calendar)).collect(),
        can_dispute: item.status == "open",
        can_settle: matches!(item.status.as_str(), "open" | "disputed"),
        item,
        frame,
    };
    shown(&page)
}

fn proof(item: &ShipmentItem, calendar: &Calendar) -> Option<Proof> {
    let shipment = item.shipment().ok()?;
    let in_window = match &shipment.state {
        ShipmentState::Shipped { at } => {
            Some(shipment.window_allows(at.with_timezone(&calendar.zone).date_naive()))
        }
        _ => None,
    };
    Some(Proof {
        id: item.id,
        left: calendar.when_some(item.shipped_at),
        window: [shipment.not_before, shipment.not_after]
            .into_iter()
            .flatten()
            .map(|day| calendar.date(day))
            .collect(),
        in_window,
        carrier: [shipment.carrier.as_str(), shipment.tracking.as_str()]
            .join(" ")
            .trim()
            .to_owned(),
        bill_of_lading: shipment.bill_of_lading.clone(),
        cartons: shipment.cartons.len(),
    })
}
