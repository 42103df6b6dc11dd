//! Invoice: what shipped is billed at the agreed price; the sum identity is proven before anything is queued, and the
//! receivable and its ledger posting commit with the 810.

use super::outbound::{self, Outgoing};
use super::run::Later;
use super::{Gateway, Trading};
use crate::domain::ids::{InvoiceId, ShipmentId};
use crate::domain::invoice::{Invoice, InvoiceBasis, invoices_of, prove};
use crate::domain::ledger;
use crate::domain::order::{Mode, Order};
use crate::domain::shipment::{Shipment, ShipmentState};
use crate::storage::journal::Subject;
use crate::storage::{Connection, Failure};
use crate::translation::invoice as document;

/// Bills shipments that have left.
pub async fn step(gateway: &Gateway, connection: &mut Connection, subjects: &[i64]) -> Result<Vec<Later>, Failure> {
    let ids: Vec<ShipmentId> = subjects.iter().copied().map(ShipmentId).collect();
    for shipment in connection.shipments(&ids).await? {
        if !matches!(shipment.state, ShipmentState::Shipped { .. }) {
            continue;
        }
        // The key keeps a shipment from being billed twice, whoever asks for it.
        if !connection.claim_effect(&format!("bill:shipment:{}", shipment.id), shipment.id.0).await? {
            continue;
        }
        bill(gateway, connection, &shipment).await?;
    }
    Ok(Vec::new())
}

async fn bill(gateway: &Gateway, connection: &mut Connection, shipment: &Shipment) -> Result<(), Failure> {
    let trading = gateway.trading(connection, shipment.partner).await?;
    for order in connection.orders(&shipment.orders()).await? {
        let before = order.revision;
        let billed = connection.invoices_of_order(order.id).await?;
        let shipments = connection.shipments_of(order.id).await?;
        let basis = InvoiceBasis {
            order: &order,
            shipment,
            shipments: &shipments,
            billed: &billed,
            policy: &trading.profile.invoicing,
            today: gateway.now().with_timezone(&trading.profile.time_zone).date_naive(),
            zone: trading.profile.time_zone,
        };
        let drafts = invoices_of(&basis).map_err(Failure::refused)?;
        if drafts.is_empty() {
            continue;
        }
        let mut order = order;
        issue(gateway, connection, &trading, &mut order, drafts).await?;
        let order = order.settle().map_err(Failure::refused)?;
        connection.save_orders(&[(order, before)]).await?;
    }
    Ok(())
}

/// Numbers, proves, books and queues invoices of one order.
async fn issue(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    order: &mut Order,
    drafts: Vec<Invoice>,
) -> Result<(), Failure> {
    let now = gateway.now();
    let mut numbered = Vec::with_capacity(drafts.len());
    for mut invoice in drafts {
        invoice.id = InvoiceId(connection.identity("invoice").await?);
        invoice.number = number(gateway, connection, trading, order.mode).await?;
        prove(&invoice).map_err(Failure::refused)?;
        for line in &invoice.lines {
            if let Some(ordered) = order.line_mut(line.order_line) {
                ordered.invoiced += line.quantity;
            }
        }
        order.invoices += 1;
        numbered.push(invoice);
    }
    connection.add_invoices(&numbered, now).await?;
    let postings = numbered.iter().map(ledger::issue).collect();
    connection.post(order.company, order.mode, postings, now).await?;
    let entries = numbered
        .iter()
        .map(|invoice| {
            let total = invoice.total.display(invoice.currency);
            ("invoice issued".to_owned(), Subject::new("invoice", invoice.id.0), format!("{} {total} {}", invoice.number, invoice.currency))
        })
        .collect();
    connection.record_all(now, "invoicing", entries).await?;
    queue(gateway, connection, trading, order, &numbered).await
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
    let outgoing = invoices.iter().filter_map(|invoice| outgoing(gateway, trading, invoice, order)).collect();
    outbound::queue(gateway, connection, trading, order.mode, outgoing).await?;
    Ok(())
}

/// The 810 of an invoice.
pub fn outgoing(gateway: &Gateway, trading: &Trading, invoice: &Invoice, order: &Order) -> Option<Outgoing> {
    let company = gateway.settings.company.first()?;
    Some(Outgoing {
        set: document::build(invoice, order, &trading.profile, company),
        set_code: "810",
        cause: format!("invoice:{}", invoice.id),
        revision: 1,
        subject: Subject::new("invoice", invoice.id.0),
        reference: invoice.number.clone(),
        replaces: None,
    })
}

/// The next number of the invoice series: no gap, unique for ever, no longer than the partner takes. Test traffic has a
/// series of its own, marked with a T.
async fn number(gateway: &Gateway, connection: &mut Connection, trading: &Trading, mode: Mode) -> Result<String, Failure> {
    let start = gateway.settings.company.first().map_or(1, |company| i64::try_from(company.invoice_start).unwrap_or(1));
    let policy = &trading.profile.invoicing;
    let scope = format!("invoice:{}:{}", policy.number_prefix, mode.word());
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
