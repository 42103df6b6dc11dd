//! What people do with orders: verify again, release or reject one that is held, cancel one that is promised; let waiting
//! ones be allocated again.

use super::{Gateway, allocate, fulfil, verify};
use crate::domain::cancellation::{self, Cancelled};
use crate::domain::clock::Instant;
use crate::domain::ids::OrderId;
use crate::domain::order::{Mode, Order, OrderState};
use crate::domain::shipment::ShipmentState;
use crate::domain::stock::MovementKind;
use crate::domain::verification::{Release, Remedies, remedies, verify};
use crate::storage::journal::Subject;
use crate::storage::work::Step;
use crate::storage::{Class, Connection, Failure};

/// Releases a held order: what held it is accepted, what can not be (an unknown item) is refused by line, and the
/// pipeline goes on exactly once.
pub async fn release(
    gateway: &Gateway,
    id: OrderId,
    reason: &str,
    actor: &str,
) -> Result<(), Failure> {
    decide(gateway, id, reason, actor, Decision::Release).await
}

/// Rejects a held order: every line is refused, and the 855 says so.
pub async fn reject(
    gateway: &Gateway,
    id: OrderId,
    reason: &str,
    actor: &str,
) -> Result<(), Failure> {
    decide(gateway, id, reason, actor, Decision::Reject).await
}

/// Cancels what of an order has not left: its stock is free again, and the 855 says so.
pub async fn cancel(
    gateway: &Gateway,
    id: OrderId,
    reason: &str,
    actor: &str,
) -> Result<(), Failure> {
    decide(gateway, id, reason, actor, Decision::Cancel).await
}

/// What a person decides about an order.
#[derive(Debug, Clone, Copy)]
enum Decision {
    Release,
    Reject,
    Cancel,
}

/// Verifies a held order again, by today's lists and profile: it goes on, is held with what is wrong now, or is rejected.
/// The order as it is then.
pub async fn verify_again(gateway: &Gateway, id: OrderId, actor: &str) -> Result<Order, Failure> {
    let (inside, actor) = (gateway.clone(), actor.to_owned());
    let verified = gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (gateway, actor) = (inside.clone(), actor.clone());
            Box::pin(async move { verify_held(&gateway, connection, id, &actor).await })
        })
        .await?;
    gateway.wake();
    Ok(verified)
}

async fn verify_held(
    gateway: &Gateway,
    connection: &mut Connection,
    id: OrderId,
    actor: &str,
) -> Result<Order, Failure> {
    let order = find(connection, id).await?;
    let (before, now) = (order.revision, gateway.now());
    let order = order.reconsider().map_err(Failure::refused)?;
    let trading = gateway.trading(connection, order.partner).await?;
    let subject = Subject::new("order", id.0);
    connection.clear_alerts(now, subject).await?;
    connection
        .record(now, actor, "order verified again", subject, "")
        .await?;
    verify::verify_orders(gateway, connection, &trading, vec![(order, before)]).await?;
    find(connection, id).await
}

async fn decide(
    gateway: &Gateway,
    id: OrderId,
    reason: &str,
    actor: &str,
    decision: Decision,
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
            Box::pin(async move {
                let order = find(connection, id).await?;
                match decision {
                    Decision::Release => {
                        release_order(&gateway, connection, order, &reason, &actor).await
                    }
                    Decision::Reject => {
                        reject_order(&gateway, connection, order, &reason, &actor).await
                    }
                    Decision::Cancel => {
                        cancel_order(&gateway, connection, order, &reason, &actor).await
                    }
                }
            })
        })
        .await?;
    gateway.wake();
    Ok(())
}

async fn find(connection: &mut Connection, id: OrderId) -> Result<Order, Failure> {
    connection.order(id).await?.ok_or_else(|| {
        Failure::refuse(format!(
            "there is no order {id}; `supercargo order list` shows the numbers"
        ))
    })
}

/// What helps a held order, by today's lists and profile; none: it is not held.
pub async fn helps(
    gateway: &Gateway,
    connection: &mut Connection,
    order: &Order,
) -> Result<Option<Remedies>, Failure> {
    if !matches!(order.state, OrderState::Held { .. }) {
        return Ok(None);
    }
    let trading = gateway.trading(connection, order.partner).await?;
    let known = verify::known(connection, &trading, std::iter::once(order)).await?;
    let today = gateway
        .now()
        .with_timezone(&trading.profile.time_zone)
        .date_naive();
    let policy = &trading.profile.verification;
    Ok(Some(remedies(order, &known, policy, today)))
}

async fn release_order(
    gateway: &Gateway,
    connection: &mut Connection,
    order: Order,
    reason: &str,
    actor: &str,
) -> Result<(), Failure> {
    let (id, before, now) = (order.id, order.revision, gateway.now());
    if !matches!(order.state, OrderState::Held { .. }) {
        return order.release().map(|_| ()).map_err(Failure::refused);
    }
    let trading = gateway.trading(connection, order.partner).await?;
    let known = verify::known(connection, &trading, std::iter::once(&order)).await?;
    let today = now.with_timezone(&trading.profile.time_zone).date_naive();
    let policy = &trading.profile.verification;
    let helps = remedies(&order, &known, policy, today);
    if helps.release == Release::Impossible {
        return Err(Failure::refuse(format!(
            "order {id} was not released, for all of it would be refused to the buyer (`order show {id}` says why): {}",
            verify::what_helps(&helps, id)
        )));
    }
    let verified = verify(order, &known, policy, today, true);
    let order = verified.order.release().map_err(Failure::refused)?;
    connection.save_orders(vec![(order, before)]).await?;
    let subject = Subject::new("order", id.0);
    connection
        .record(now, actor, "order released", subject, reason)
        .await?;
    connection.clear_alerts(now, subject).await?;
    connection.ask_for(Step::Allocate, id.0, &[id.0], now).await
}

async fn reject_order(
    gateway: &Gateway,
    connection: &mut Connection,
    order: Order,
    reason: &str,
    actor: &str,
) -> Result<(), Failure> {
    let (before, now) = (order.revision, gateway.now());
    let trading = gateway.trading(connection, order.partner).await?;
    let mut order = order.reject(reason.to_owned()).map_err(Failure::refused)?;
    let subject = Subject::new("order", order.id.0);
    allocate::answer(gateway, connection, &trading, &mut order).await?;
    connection.save_orders(vec![(order, before)]).await?;
    connection
        .record(now, actor, "order rejected", subject, reason)
        .await?;
    connection.clear_alerts(now, subject).await
}

async fn cancel_order(
    gateway: &Gateway,
    connection: &mut Connection,
    order: Order,
    reason: &str,
    actor: &str,
) -> Result<(), Failure> {
    let (id, before, now, mode) = (order.id, order.revision, gateway.now(), order.mode);
    let trading = gateway.trading(connection, order.partner).await?;
    let mut planned = connection.shipments_of(id).await?;
    planned.retain(|shipment| shipment.state != ShipmentState::Cancelled);
    let shipped: Vec<(i64, i64)> = planned
        .extract_if(.., |shipment| shipment.state != ShipmentState::Planned)
        .map(|shipment| (shipment.id.0, shipment.id.0))
        .collect();
    let Cancelled {
        mut order,
        shipments,
        unreleased,
        holds,
    } = cancellation::cancel(order, planned, reason).map_err(Failure::refused)?;
    let mut movements = allocate::give_back(&order, &unreleased)?;
    let mut saved = Vec::with_capacity(shipments.len());
    let given_up_wholly: Vec<i64> = shipments
        .iter()
        .filter(|given_up| given_up.after.state == ShipmentState::Cancelled)
        .map(|given_up| given_up.after.id.0)
        .collect();
    for given_up in shipments {
        movements.push(fulfil::unreserve(
            &given_up.planned,
            &given_up.unreserved,
            MovementKind::Unreservation,
        )?);
        let mut after = given_up.after;
        fulfil::loosen(connection, &trading, &mut after).await?;
        saved.push((after, given_up.planned.revision));
    }
    connection.move_stock(&movements, now)?;
    connection.hold(order.mode, &holds).await?;
    connection.save_shipments(saved).await?;
    allocate::answer(gateway, connection, &trading, &mut order).await?;
    connection.save_orders(vec![(order, before)]).await?;
    let subject = Subject::new("order", id.0);
    connection
        .record(now, actor, "order cancelled", subject, reason)
        .await?;
    connection.clear_alerts(now, subject).await?;
    connection
        .clear_alerts_of(now, "shipment", &given_up_wholly)
        .await?;
    if !movements.is_empty() || !holds.is_empty() {
        // What it gives up is there for those who wait.
        allocate_waiting(connection, mode, now).await?;
    }
    // An invoice that waits for the last of the order waits no longer.
    connection.ask_for_each(Step::Invoice, &shipped, now).await
}

/// Asks for another allocation of every order of which something waits: after stock came in or was given up.
pub(super) async fn allocate_waiting(
    connection: &mut Connection,
    mode: Mode,
    now: Instant,
) -> Result<(), Failure> {
    const MOST: i64 = 10_000;
    let ids = connection.waiting_orders(mode.word(), MOST).await?;
    let pairs: Vec<(i64, i64)> = ids.iter().map(|id| (id.0, id.0)).collect();
    connection.ask_for_each(Step::Allocate, &pairs, now).await
}
