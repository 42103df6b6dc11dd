//! Orders and shipments: what a row says of itself, and that quantities are the sums of what shipped and was billed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rust_decimal::Decimal;

use super::Prover;
use crate::config::profile::Profile;
use crate::domain::catalogue::{FulfilmentMode, Warehouse};
use crate::domain::invoice::Invoice;
use crate::domain::order::Order;
use crate::domain::policy::InvoiceWhen;
use crate::domain::shipment::{Shipment, ShipmentState};
use crate::storage::Failure;
use crate::storage::proof::orders::{KeptOrder, KeptShipment};

/// Aggregates in a slice: each is a document of some ten kilobytes.
const SLICE: i64 = 200;

/// Whether a line has a last day does not depend on the days that its goods are on the way.
const NO_TRANSIT: u32 = 0;

/// Quantities of one line, summed over what stands elsewhere.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    planned: Decimal,
    shipped: Decimal,
    invoiced: Decimal,
}

/// Orders against their documents, shipments and invoices.
pub(super) async fn orders(prover: &mut Prover<'_>) -> Result<(), Failure> {
    prover.begin(
        "orders",
        "every order comes from its one document; what its lines have shipped and billed is the sum of its shipments and invoices; nothing is stuck",
    );
    let mut after = i64::MIN;
    loop {
        let (orders, shipments, invoices) = prover
            .history
            .slice(move |connection| {
                Box::pin(async move {
                    let orders = connection.kept_orders(after, SLICE).await?;
                    let (Some(first), Some(last)) = (orders.first(), orders.last()) else {
                        return Ok((orders, Vec::new(), Vec::new()));
                    };
                    let (first, last) = (first.id, last.id);
                    let shipments = connection.kept_shipments_of(first, last).await?;
                    let invoices = connection.kept_invoices_of(first, last).await?;
                    Ok((orders, shipments, invoices))
                })
            })
            .await?;
        let Some(last) = orders.last() else { break };
        after = last.id;
        prover.checked(orders.len());
        prover.proof.totals.orders += orders.len() as u64;
        let sums = sums(&shipments, &invoices);
        for order in &orders {
            one_order(prover, order, &sums);
        }
    }
    Ok(())
}

/// By order and line. A document that can not be read is told of where its own table is checked.
fn sums(shipments: &[(i64, String)], invoices: &[(i64, String)]) -> BTreeMap<(i64, u32), Sums> {
    let mut sums: BTreeMap<(i64, u32), Sums> = BTreeMap::new();
    for (order, text) in shipments {
        let Ok(shipment) = serde_json::from_str::<Shipment>(text) else {
            continue;
        };
        if shipment.state == ShipmentState::Cancelled {
            continue;
        }
        for ((of, line), quantity) in shipment.quantities() {
            if of.0 != *order {
                continue;
            }
            let sum = sums.entry((of.0, line)).or_default();
            sum.planned += quantity;
            if matches!(shipment.state, ShipmentState::Shipped { .. }) {
                sum.shipped += quantity;
            }
        }
    }
    for (order, text) in invoices {
        let Ok(invoice) = serde_json::from_str::<Invoice>(text) else {
            continue;
        };
        for line in &invoice.lines {
            sums.entry((*order, line.order_line)).or_default().invoiced += line.quantity;
        }
    }
    sums
}

fn one_order(prover: &mut Prover<'_>, row: &KeptOrder, sums: &BTreeMap<(i64, u32), Sums>) {
    let place = || format!("order {} (PO {})", row.id, row.po_number);
    match row.document_subject {
        Some(order) if order == row.id => {}
        Some(other) => prover.fault(
            place(),
            format!(
                "it was made of document {}, which is about order {other}",
                row.document_id
            ),
        ),
        None => prover.fault(
            place(),
            format!(
                "the document it was made of, number {}, is not there or is about no order",
                row.document_id
            ),
        ),
    }
    let order = match serde_json::from_str::<Order>(&row.body) {
        Ok(order) => order,
        Err(error) => {
            prover.fault(place(), format!("its body can not be read: {error}"));
            return;
        }
    };
    if order.id.0 != row.id
        || order.mode.word() != row.mode
        || order.header.po_number != row.po_number
        || order.state.word() != row.status
        || order.revision != row.revision
        || order.source.0 != row.document_id
    {
        prover.fault(
            place(),
            format!(
                "its columns say {} revision {} of {}, its body says {} revision {} of {}",
                row.status,
                row.revision,
                row.po_number,
                order.state.word(),
                order.revision,
                order.header.po_number
            ),
        );
    }
    if matches!(row.status.as_str(), "received" | "accepted") && row.work == 0 {
        prover.fault(
            place(),
            format!(
                "it is {} and no work asks for the next step: it would wait for ever",
                row.status
            ),
        );
    }
    let has_a_last_day = order
        .lines
        .iter()
        .any(|line| !line.backordered.is_zero() && order.last_day_of(line, NO_TRANSIT).is_some());
    if row.waiting == 1 && has_a_last_day && row.work == 0 && row.late == 0 {
        prover.fault(
            place(),
            "part of it waits, and no work looks at it when its last day has passed: nobody would be told",
        );
    }
    let held = matches!(
        row.status.as_str(),
        "accepted" | "confirmed" | "backordered" | "partly_shipped"
    );
    for line in &order.lines {
        let sum = sums.get(&(row.id, line.line)).copied().unwrap_or_default();
        for (what, says, comes_to) in [
            (
                "put on shipments",
                line.sources.iter().map(|source| source.released).sum(),
                sum.planned,
            ),
            ("shipped", line.shipped, sum.shipped),
            ("invoiced", line.invoiced, sum.invoiced),
        ] {
            if says != comes_to {
                prover.fault(
                    place(),
                    format!(
                        "line {} says {says} {} {what}, and what is kept of that comes to {comes_to}",
                        line.line, line.unit
                    ),
                );
            }
        }
        if !held && line.confirmed != line.shipped {
            prover.fault(
                place(),
                format!(
                    "it is {} and line {} still holds {} {} of stock",
                    row.status,
                    line.line,
                    line.confirmed - line.shipped,
                    line.unit
                ),
            );
        }
    }
}

/// Shipments against the stock they moved, and what has to follow them.
pub(super) async fn shipments(prover: &mut Prover<'_>) -> Result<(), Failure> {
    prover.begin(
        "shipments",
        "every shipment that left issued its stock, belongs to its orders, and is billed or will be",
    );
    let mut profiles: HashMap<i64, Option<(InvoiceWhen, i64)>> = HashMap::new();
    let mut after = i64::MIN;
    loop {
        let known: BTreeSet<i64> = profiles.keys().copied().collect();
        let (shipments, unbilled, loaded, fresh) = prover
            .history
            .slice(move |connection| {
                Box::pin(async move {
                    let shipments = connection.kept_shipments(after, SLICE).await?;
                    let (Some(first), Some(last)) = (shipments.first(), shipments.last()) else {
                        return Ok((shipments, Vec::new(), 0, Vec::new()));
                    };
                    let unbilled = connection.unbilled(first.id, last.id).await?;
                    let loaded = connection.warehouses_loaded().await?;
                    let partners: BTreeSet<i64> =
                        shipments.iter().map(|row| row.partner_id).collect();
                    let mut fresh = Vec::new();
                    for partner in partners.difference(&known) {
                        fresh.push((*partner, connection.profile_in_force(*partner).await?));
                    }
                    Ok((shipments, unbilled, loaded, fresh))
                })
            })
            .await?;
        let Some(last) = shipments.last() else { break };
        after = last.id;
        profiles.extend(fresh.into_iter().map(|(partner, profile)| {
            let read = profile.and_then(|(text, since)| Some((Profile::parse(&text).ok()?, since)));
            (
                partner,
                read.map(|(profile, since)| (profile.invoicing.when, since)),
            )
        }));
        prover.checked(shipments.len());
        prover.proof.totals.shipments += shipments.len() as u64;
        for row in &shipments {
            let Some(shipment) = one_shipment(prover, row) else {
                continue;
            };
            if row.work > 0 {
                continue;
            }
            let billing = profiles.get(&row.partner_id).copied().flatten();
            waits(prover, row, &shipment, loaded);
            owes(prover, row, &shipment, billing, &unbilled);
        }
    }
    Ok(())
}

/// A planned shipment leaves by itself where its warehouse was of that kind when it was planned, unless its window closed
/// before it could; elsewhere people are told when its window closes.
fn waits(prover: &mut Prover<'_>, row: &KeptShipment, shipment: &Shipment, loaded: i64) {
    let at_once = row
        .warehouse
        .as_deref()
        .and_then(|text| serde_json::from_str::<Warehouse>(text).ok())
        .is_some_and(|warehouse| warehouse.fulfilment == FulfilmentMode::AtOnce);
    let waits = matches!(shipment.state, ShipmentState::Planned) && row.closed == 0;
    if !waits || loaded > row.created_at {
        return;
    }
    let place = format!("shipment {}", row.id);
    if at_once {
        prover.fault(
            place,
            "its warehouse lets shipments go by themselves, and no work does: it would wait for ever",
        );
    } else if shipment.not_after.is_some() {
        prover.fault(
            place,
            "it has a last day to leave, and no work looks at it then: nobody would be told that it did not",
        );
    }
}

/// What left is billed when the profile says so, if that was in force by then.
fn owes(
    prover: &mut Prover<'_>,
    row: &KeptShipment,
    shipment: &Shipment,
    billing: Option<(InvoiceWhen, i64)>,
    unbilled: &[(i64, i64)],
) {
    let (Some(left), Some((when, since))) = (row.shipped_at, billing) else {
        return;
    };
    let due = when == InvoiceWhen::Shipped || row.accepted > 0;
    if !due || since > left {
        return;
    }
    for ((order, _), quantity) in shipment.quantities() {
        if !quantity.is_zero() && unbilled.contains(&(row.id, order.0)) {
            prover.fault(
                format!("shipment {}", row.id),
                format!(
                    "order {order} is not billed for what left on it, and no work asks for that"
                ),
            );
            return;
        }
    }
}

fn one_shipment(prover: &mut Prover<'_>, row: &KeptShipment) -> Option<Shipment> {
    let place = || format!("shipment {}", row.id);
    let shipment = match serde_json::from_str::<Shipment>(&row.body) {
        Ok(shipment) => shipment,
        Err(error) => {
            prover.fault(place(), format!("its body can not be read: {error}"));
            return None;
        }
    };
    if shipment.id.0 != row.id
        || shipment.state.word() != row.status
        || shipment.revision != row.revision
    {
        prover.fault(
            place(),
            format!(
                "its columns say {} revision {}, its body says {} revision {}",
                row.status,
                row.revision,
                shipment.state.word(),
                shipment.revision
            ),
        );
    }
    let left = matches!(shipment.state, ShipmentState::Shipped { .. });
    if left != (row.issues > 0) {
        prover.fault(
            place(),
            format!(
                "it is {} and has {} issues of stock",
                row.status, row.issues
            ),
        );
    }
    let orders = i64::try_from(shipment.orders().len()).unwrap_or_default();
    if row.orders < orders {
        prover.fault(
            place(),
            format!(
                "it carries goods of {orders} orders and is linked with {}",
                row.orders
            ),
        );
    }
    Some(shipment)
}
