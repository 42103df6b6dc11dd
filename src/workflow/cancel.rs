//! Cancelling an order, as the buyer asks for or we must: what has not left is given up, its stock is free again, and the
//! 855 says so. What has left stays shipped, is invoiced and owed.

use rust_decimal::Decimal;

use super::{Gateway, allocate, fulfil};
use crate::domain::allocation::Reservation;
use crate::domain::ids::OrderId;
use crate::domain::order::{LineRefusal, Order, OrderState};
use crate::domain::policy::OnShort;
use crate::domain::shipment::{Returned, Shipment, ShipmentState, return_short};
use crate::storage::journal::Subject;
use crate::storage::work::Step;
use crate::storage::{Class, Connection, Failure};

/// Cancels what of an order has not left; all or nothing.
pub async fn cancel(
    gateway: &Gateway,
    id: OrderId,
    reason: &str,
    actor: &str,
) -> Result<(), Failure> {
    if reason.trim().is_empty() {
        return Err(Failure::refuse(
            "give a reason (--reason …): it stays with the order",
        ));
    }
    let (inside, reason, actor) = (gateway.clone(), reason.to_owned(), actor.to_owned());
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (gateway, reason, actor) = (inside.clone(), reason.clone(), actor.clone());
            Box::pin(async move { write(&gateway, connection, id, &reason, &actor).await })
        })
        .await?;
    gateway.wake();
    Ok(())
}

async fn write(
    gateway: &Gateway,
    connection: &mut Connection,
    id: OrderId,
    reason: &str,
    actor: &str,
) -> Result<(), Failure> {
    let mut order = connection.order(id).await?.ok_or_else(|| {
        Failure::refuse(format!(
            "there is no order {id}; `supercargo order list` shows the numbers"
        ))
    })?;
    may_be_cancelled(&order)?;
    let (before, now) = (order.revision, gateway.now());
    let trading = gateway.trading(connection, order.partner).await?;
    let (mut movements, mut saved, mut shipped) = (Vec::new(), Vec::new(), Vec::new());
    for planned in connection.shipments_of(id).await? {
        match planned.state {
            ShipmentState::Planned => {}
            ShipmentState::Shipped { .. } => {
                shipped.push(planned.id.0);
                continue;
            }
            ShipmentState::Cancelled => continue,
        }
        let mut left = without(&planned, id);
        let returned: Returned = return_short(order, &planned, &left, OnShort::Cut);
        movements.push(fulfil::unreserve(&planned, &returned.unreserved)?);
        order = returned.order;
        let revision = planned.revision;
        saved.push(if left.cartons.is_empty() {
            (planned.cancel().map_err(Failure::refused)?, revision)
        } else {
            left.revision += 1;
            (left, revision)
        });
    }
    let given_back = unreleased(&mut order);
    movements.extend(allocate::give_back(&order, &given_back)?);
    for line in &mut order.lines {
        let waiting = line.backordered.saturating_add(line.undecided());
        if waiting > Decimal::ZERO {
            line.refused = line.refused.saturating_add(waiting).normalize();
            line.backordered = Decimal::ZERO;
            line.backorder_date = None;
        }
        if line.refused > Decimal::ZERO {
            line.refusal.get_or_insert(LineRefusal::OrderRejected);
        }
    }
    connection.move_stock(&movements, now).await?;
    connection.save_shipments(&saved).await?;
    let mut order = order.settle().map_err(Failure::refused)?;
    if let OrderState::Rejected { reason: why } = &mut order.state {
        *why = format!("cancelled: {reason}");
    }
    allocate::answer(gateway, connection, &trading, &mut order).await?;
    connection.save_orders(&[(order, before)]).await?;
    let subject = Subject::new("order", id.0);
    connection
        .record(now, actor, "order cancelled", subject, reason)
        .await?;
    connection.clear_alerts(now, subject).await?;
    // An invoice that waits for the last of the order waits no longer.
    let pairs: Vec<(i64, i64)> = shipped.into_iter().map(|id| (id, id)).collect();
    connection.ask_for_each(Step::Invoice, &pairs, now).await
}

fn may_be_cancelled(order: &Order) -> Result<(), Failure> {
    let id = order.id;
    match order.state {
        OrderState::Accepted
        | OrderState::Confirmed
        | OrderState::Backordered
        | OrderState::PartlyShipped => Ok(()),
        OrderState::Received | OrderState::Held { .. } => Err(Failure::refuse(format!(
            "order {id} is not promised yet: reject it with `order reject {id} --reason …`"
        ))),
        OrderState::Shipped | OrderState::Invoiced | OrderState::Rejected { .. } => {
            Err(Failure::refuse(format!(
                "nothing of order {id} is left to cancel: it is {}",
                order.state.word()
            )))
        }
    }
}

/// A shipment without what of an order is on it.
fn without(planned: &Shipment, order: OrderId) -> Shipment {
    let mut left = planned.clone();
    for carton in &mut left.cartons {
        carton.contents.retain(|content| content.order != order);
    }
    left.cartons.retain(|carton| !carton.contents.is_empty());
    left
}

/// Takes what is promised and on no shipment off the order; the promises of stock that it gives back.
fn unreleased(order: &mut Order) -> Vec<Reservation> {
    let mut given_back = Vec::new();
    for line in &mut order.lines {
        let accepted = line.accepted.clone();
        for source in &mut line.sources {
            let free = source.quantity - source.released;
            if free <= Decimal::ZERO {
                continue;
            }
            source.quantity -= free;
            line.confirmed -= free;
            line.refused += free;
            if let Some(accepted) = &accepted {
                given_back.push(Reservation {
                    line: line.line,
                    item: accepted.item,
                    warehouse: source.warehouse,
                    base: free.saturating_mul(accepted.base_per_unit).normalize(),
                });
            }
        }
        line.sources.retain(|source| !source.quantity.is_zero());
    }
    given_back
}
