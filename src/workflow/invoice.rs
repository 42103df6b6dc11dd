//! Invoice: what shipped is billed at the agreed price; the sum identity is proven before anything is queued, and the
//! receivable and its ledger posting commit with the 810.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;

use super::outbound::{self, Answers, Builder, Outgoing};
use super::run::Later;
use super::{COMPANY, Gateway, Trading, fulfil};
use crate::domain::catalogue::Warehouse;
use crate::domain::ids::{InvoiceId, OrderId, PartnerId, ShipmentId};
use crate::domain::invoice::{Billed, Invoice, InvoiceBasis, book_invoiced, invoices_of, prove};
use crate::domain::ledger::{self, Posting};
use crate::domain::order::{Mode, Order};
use crate::domain::shipment::{Shipment, ShipmentState};
use crate::storage::journal::Subject;
use crate::storage::{Connection, Failure, catalogue};
use crate::translation::invoice::{self as document, InvoiceContext};

/// Bills shipments that have left.
pub async fn step(
    gateway: &Gateway,
    connection: &mut Connection,
    subjects: &[i64],
) -> Result<Vec<Later>, Failure> {
    let ids: Vec<ShipmentId> = subjects.iter().copied().map(ShipmentId).collect();
    let left = |shipment: &Shipment| {
        matches!(shipment.state, ShipmentState::Shipped { .. })
            .then(|| (shipment.partner, shipment.orders()))
    };
    let mut orders: BTreeMap<PartnerId, BTreeSet<OrderId>> = BTreeMap::new();
    for (partner, aboard) in connection
        .of_shipments(&ids, left)
        .await?
        .into_iter()
        .flatten()
    {
        orders.entry(partner).or_default().extend(aboard);
    }
    for (partner, orders) in orders {
        let trading = gateway.trading(connection, partner).await?;
        let orders: Vec<OrderId> = orders.into_iter().collect();
        bill(gateway, connection, &trading, &orders).await?;
    }
    Ok(Vec::new())
}

/// The key that keeps what of an order is on a shipment from being billed twice, whoever asks for it.
fn key(order: OrderId, shipment: ShipmentId) -> String {
    format!("bill:{order}:{shipment}")
}

/// Bills what of a partner's orders has left and was not billed before.
async fn bill(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    orders: &[OrderId],
) -> Result<(), Failure> {
    let warehouses = catalogue::warehouses(connection, COMPANY).await?;
    let orders = connection.orders(orders).await?;
    let ids: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
    let shipments = connection.shipments_of_orders(&ids).await?;
    let mut left: BTreeMap<OrderId, Vec<Billed<'_>>> = BTreeMap::new();
    for shipment in &shipments {
        let Some(shipped_on) = left_on(&warehouses, shipment) else {
            continue;
        };
        for order in shipment.orders() {
            left.entry(order).or_default().push(Billed {
                shipment,
                shipped_on,
            });
        }
    }
    let keys: Vec<String> = left
        .iter()
        .flat_map(|(order, left)| left.iter().map(|billed| key(*order, billed.shipment.id)))
        .collect();
    let billed_before = connection.effects_of(&keys).await?;
    let today = gateway
        .now()
        .with_timezone(&trading.profile.time_zone)
        .date_naive();
    let mut claims = Vec::new();
    let mut drafted = Vec::new();
    for order in orders {
        let mut billed = left.remove(&order.id).unwrap_or_default();
        billed.retain(|billed| !billed_before.contains_key(&key(order.id, billed.shipment.id)));
        // Never before what it bills has left: the warehouse may lie east of the partner, and a clock may be set back.
        let date = billed
            .iter()
            .map(|billed| billed.shipped_on)
            .fold(today, NaiveDate::max);
        let basis = InvoiceBasis {
            order: &order,
            shipments: &billed,
            policy: &trading.profile.invoicing,
            date,
            first_id: InvoiceId(0),
            first_number: 0,
        };
        let drafts = invoices_of(&basis).map_err(Failure::refused)?;
        if drafts.is_empty() {
            continue;
        }
        claims.extend(
            billed
                .iter()
                .map(|billed| (key(order.id, billed.shipment.id), order.id.0)),
        );
        drafted.push((order, drafts));
    }
    connection.claim_new_effects(&claims).await?;
    issue(gateway, connection, trading, drafted, shipments).await
}

/// The day on which a shipment left, by the clock of its warehouse; none where it is still there.
fn left_on(warehouses: &[Warehouse], shipment: &Shipment) -> Option<NaiveDate> {
    let ShipmentState::Shipped { at } = shipment.state else {
        return None;
    };
    let warehouse = warehouses
        .iter()
        .find(|warehouse| warehouse.id == shipment.warehouse);
    Some(warehouse.map_or_else(
        || at.date_naive(),
        |warehouse| fulfil::day_at(warehouse, at),
    ))
}

/// Numbers, proves, books and queues invoices, order by order.
async fn issue(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    drafted: Vec<(Order, Vec<Invoice>)>,
    shipments: Vec<Arc<Shipment>>,
) -> Result<(), Failure> {
    let now = gateway.now();
    let mut counts: BTreeMap<Mode, usize> = BTreeMap::new();
    for (order, drafts) in &drafted {
        *counts.entry(order.mode).or_default() += drafts.len();
    }
    let all = counts.values().sum();
    let mut ids = connection.identities("invoice", all).await?.into_iter();
    let mut numbers = BTreeMap::new();
    for (mode, count) in counts {
        let taken = take_numbers(gateway, connection, trading, mode, count).await?;
        numbers.insert(mode, taken.into_iter());
    }
    let mut saved = Vec::with_capacity(drafted.len());
    let mut issued: Vec<Invoice> = Vec::with_capacity(all);
    let mut postings: BTreeMap<Mode, Vec<Posting>> = BTreeMap::new();
    // Which of the orders each invoice bills.
    let mut bills = Vec::with_capacity(all);
    for (order, drafts) in drafted {
        let before = order.revision;
        let first = issued.len();
        for mut invoice in drafts {
            let number = numbers.get_mut(&order.mode).and_then(Iterator::next);
            let (Some(id), Some(number)) = (ids.next(), number) else {
                return Err(Failure::refuse("the invoice series gave too few numbers"));
            };
            (invoice.id, invoice.number) = (InvoiceId(id), number);
            prove(&invoice).map_err(Failure::refused)?;
            issued.push(invoice);
        }
        let own = issued.get(first..).unwrap_or_default();
        let order = book_invoiced(order, own)
            .settle()
            .map_err(Failure::refused)?;
        let posted = postings.entry(order.mode).or_default();
        posted.extend(own.iter().map(ledger::issue));
        bills.extend(own.iter().map(|_| saved.len()));
        saved.push((Arc::new(order), before));
    }
    connection.add_invoices(&issued, now).await?;
    for (mode, postings) in postings {
        connection.post(COMPANY, mode, postings, now).await?;
    }
    let entries = issued
        .iter()
        .map(|invoice| {
            let total = invoice.total.display(invoice.currency);
            (
                "invoice issued".to_owned(),
                Subject::new("invoice", invoice.id.0),
                format!("{} {total} {}", invoice.number, invoice.currency),
            )
        })
        .collect();
    connection.record_all(now, "invoicing", entries).await?;
    if trading.profile.sends("810") {
        let shipments = Arc::new(shipments);
        let mut documents: BTreeMap<Mode, Vec<Builder>> = BTreeMap::new();
        for (invoice, at) in issued.into_iter().zip(bills) {
            let Some((order, _)) = saved.get(at) else {
                continue;
            };
            let of_mode = documents.entry(order.mode).or_default();
            let (gateway, trading) = (gateway.clone(), trading.clone());
            let (order, shipments) = (order.clone(), shipments.clone());
            of_mode.push(Box::new(move || {
                outgoing(&gateway, &trading, &invoice, &order, &shipments)
            }));
        }
        for (mode, documents) in documents {
            outbound::build(gateway, connection, trading, mode, documents).await?;
        }
    }
    connection.save_orders(saved).await
}

/// The 810 of an invoice; its shipments are among `shipments`.
pub fn outgoing<S: Borrow<Shipment>>(
    gateway: &Gateway,
    trading: &Trading,
    invoice: &Invoice,
    order: &Order,
    shipments: &[S],
) -> Result<Outgoing, Failure> {
    let company = gateway
        .settings
        .our_company()
        .ok_or_else(|| Failure::refuse("the settings name no company"))?;
    let shipments: Vec<&Shipment> = shipments
        .iter()
        .map(Borrow::borrow)
        .filter(|shipment| invoice.shipments.contains(&shipment.id))
        .collect();
    let context = InvoiceContext {
        company,
        shipments: &shipments,
    };
    Ok(Outgoing {
        set: document::build(invoice, order, &trading.profile, &context),
        set_code: "810",
        cause: format!("invoice:{}", invoice.id),
        revision: 1,
        subject: Subject::new("invoice", invoice.id.0),
        reference: invoice.number.clone(),
        replaces: None,
        answers: Answers::Order(order.source),
    })
}

/// The next `count` numbers of the invoice series: no gap, unique for ever, no longer than the partner takes. Test traffic
/// has a series of its own, marked with a T behind, where no prefix of a partner can look like it.
async fn take_numbers(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    mode: Mode,
    count: usize,
) -> Result<Vec<String>, Failure> {
    let start = gateway.settings.our_company().map_or(1, |company| {
        i64::try_from(company.invoice_start).unwrap_or(1)
    });
    let policy = &trading.profile.invoicing;
    let scope = format!("invoice:{COMPANY}:{}", mode.word());
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let first = start - 1 + connection.take_numbers(&scope, count).await?;
    let mark = if mode == Mode::Test { "T" } else { "" };
    let numbered = |serial: i64| {
        let number = format!("{}{serial}{mark}", policy.number_prefix);
        if number.len() > policy.number_length_max as usize {
            return Err(Failure::refuse(format!(
                "the next invoice number, {number}, is longer than the {} characters that {} takes: shorten `invoicing.number_prefix` in its profile",
                policy.number_length_max, trading.profile.partner
            )));
        }
        Ok(number)
    };
    (first..first.saturating_add(count)).map(numbered).collect()
}
