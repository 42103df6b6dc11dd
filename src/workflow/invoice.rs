//! Invoice: what shipped is billed at the agreed price; the sum identity is proven before anything is queued, and the
//! receivable and its ledger posting commit with the 810.

use chrono::NaiveDate;

use super::outbound::{self, Answers, Outgoing};
use super::run::Later;
use super::{COMPANY, Gateway, Trading, fulfil};
use crate::domain::ids::{InvoiceId, ShipmentId};
use crate::domain::invoice::{Billed, Invoice, InvoiceBasis, book_invoiced, invoices_of, prove};
use crate::domain::ledger;
use crate::domain::order::{Mode, Order};
use crate::domain::shipment::{Shipment, ShipmentState};
use crate::storage::effort::{Effort, spend};
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
    for shipment in connection.shipments(&ids).await? {
        if !matches!(shipment.state, ShipmentState::Shipped { .. }) {
            continue;
        }
        let trading = gateway.trading(connection, shipment.partner).await?;
        for order in connection.orders(&shipment.orders()).await? {
            bill(gateway, connection, &trading, order).await?;
        }
    }
    Ok(Vec::new())
}

/// The key that keeps what of an order is on a shipment from being billed twice, whoever asks for it.
fn key(order: &Order, shipment: &Shipment) -> String {
    format!("bill:{}:{}", order.id, shipment.id)
}

/// Bills what of an order has left and was not billed before.
async fn bill(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    order: Order,
) -> Result<(), Failure> {
    let warehouses = catalogue::warehouses(connection, COMPANY).await?;
    let mut left = Vec::new();
    for shipment in connection.shipments_of(order.id).await? {
        let ShipmentState::Shipped { at } = shipment.state else {
            continue;
        };
        if connection.effect(&key(&order, &shipment)).await?.is_none() {
            let warehouse = warehouses
                .iter()
                .find(|warehouse| warehouse.id == shipment.warehouse);
            let shipped_on = warehouse.map_or_else(
                || at.date_naive(),
                |warehouse| fulfil::day_at(warehouse, at),
            );
            left.push((shipment, shipped_on));
        }
    }
    let billed: Vec<Billed<'_>> = left
        .iter()
        .map(|(shipment, shipped_on)| Billed {
            shipment,
            shipped_on: *shipped_on,
        })
        .collect();
    let today = gateway
        .now()
        .with_timezone(&trading.profile.time_zone)
        .date_naive();
    // Never before what it bills has left: the warehouse may lie east of the partner, and a clock may be set back.
    let date = left
        .iter()
        .map(|(_, shipped_on)| *shipped_on)
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
        return Ok(());
    }
    for (shipment, _) in &left {
        connection
            .claim_new_effect(&key(&order, shipment), order.id.0)
            .await?;
    }
    issue(gateway, connection, trading, order, drafts).await
}

/// Numbers, proves, books and queues invoices of one order.
async fn issue(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    order: Order,
    drafts: Vec<Invoice>,
) -> Result<(), Failure> {
    let (now, before) = (gateway.now(), order.revision);
    let mut numbered = Vec::with_capacity(drafts.len());
    for mut invoice in drafts {
        invoice.id = InvoiceId(connection.identity("invoice").await?);
        invoice.number = number(gateway, connection, trading, order.mode).await?;
        prove(&invoice).map_err(Failure::refused)?;
        numbered.push(invoice);
    }
    let order = book_invoiced(order, &numbered)
        .settle()
        .map_err(Failure::refused)?;
    connection.add_invoices(&numbered, now).await?;
    let postings = numbered.iter().map(ledger::issue).collect();
    connection
        .post(order.company, order.mode, postings, now)
        .await?;
    let entries = numbered
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
    queue(gateway, connection, trading, &order, &numbered).await?;
    connection.save_orders(&[(order, before)]).await
}

async fn queue(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    order: &Order,
    invoices: &[Invoice],
) -> Result<(), Failure> {
    if !trading.profile.sends("810") {
        return Ok(());
    }
    let mut all = Vec::with_capacity(invoices.len());
    for invoice in invoices {
        all.push(outgoing(gateway, connection, trading, invoice, order).await?);
    }
    outbound::queue(gateway, connection, trading, order.mode, all).await?;
    Ok(())
}

/// The 810 of an invoice.
pub async fn outgoing(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    invoice: &Invoice,
    order: &Order,
) -> Result<Outgoing, Failure> {
    let company = gateway
        .settings
        .our_company()
        .ok_or_else(|| Failure::refuse("the settings name no company"))?;
    let shipments = connection.shipments(&invoice.shipments).await?;
    let context = InvoiceContext {
        company,
        shipments: &shipments,
    };
    Ok(Outgoing {
        set: spend(Effort::Rendering, || {
            document::build(invoice, order, &trading.profile, &context)
        }),
        set_code: "810",
        cause: format!("invoice:{}", invoice.id),
        revision: 1,
        subject: Subject::new("invoice", invoice.id.0),
        reference: invoice.number.clone(),
        replaces: None,
        answers: Answers::Order(order.source),
    })
}

/// The next number of the invoice series: no gap, unique for ever, no longer than the partner takes. Test traffic has a
/// series of its own, marked with a T.
async fn number(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    mode: Mode,
) -> Result<String, Failure> {
    let start = gateway.settings.our_company().map_or(1, |company| {
        i64::try_from(company.invoice_start).unwrap_or(1)
    });
    let policy = &trading.profile.invoicing;
    let scope = format!("invoice:{COMPANY}:{}", mode.word());
    let serial = start - 1 + connection.take_numbers(&scope, 1).await?;
    let mark = if mode == Mode::Test { "T" } else { "" };
    let number = format!("{}{mark}{serial}", policy.number_prefix);
    if number.len() > policy.number_length_max as usize {
        return Err(Failure::refuse(format!(
            "the next invoice number, {number}, is longer than the {} characters that {} takes: shorten `invoicing.number_prefix` in its profile",
            policy.number_length_max, trading.profile.partner
        )));
    }
    Ok(number)
}
