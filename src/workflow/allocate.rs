//! Allocate: stock is promised to accepted orders, the 855 says what was promised, and shipments are planned of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::outbound::{self, Answers, Outgoing};
use super::run::Later;
use super::shipments::LEFT_BEHIND;
use super::{COMPANY, Gateway, Trading, fulfil};
use crate::config::profile::response::ResponseWhen;
use crate::domain::allocation::waiting::give_back_what_does_not_come;
use crate::domain::allocation::{Allocation, Reservation, Supply, allocate};
use crate::domain::ids::{ItemId, OrderId, PartnerId};
use crate::domain::order::{Mode, Order, OrderState};
use crate::domain::stock::{MovementKind, ReceiptPromise, to_stored};
use crate::storage::effort::{Effort, spend};
use crate::storage::journal::Subject;
use crate::storage::stock::{Change, Movement};
use crate::storage::{Connection, Failure, catalogue};
use crate::translation::response::{self, ResponseContext};

/// Promises stock to accepted orders and to those of which something waits.
pub async fn step(
    gateway: &Gateway,
    connection: &mut Connection,
    subjects: &[i64],
) -> Result<Vec<Later>, Failure> {
    let ids: Vec<OrderId> = subjects.iter().copied().map(OrderId).collect();
    let mut by_partner: BTreeMap<PartnerId, Vec<Order>> = BTreeMap::new();
    for order in connection.orders(&ids).await? {
        if !matches!(
            order.state,
            OrderState::Received | OrderState::Held { .. } | OrderState::Rejected { .. }
        ) {
            by_partner.entry(order.partner).or_default().push(order);
        }
    }
    for (partner, orders) in by_partner {
        let trading = gateway.trading(connection, partner).await?;
        promise(gateway, connection, &trading, orders).await?;
    }
    Ok(Vec::new())
}

async fn promise(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    orders: Vec<Order>,
) -> Result<(), Failure> {
    let now = gateway.now();
    let today = now.with_timezone(&trading.profile.time_zone).date_naive();
    let policy = &trading.profile.allocation;
    let mut supplies: BTreeMap<&'static str, Supply> = BTreeMap::new();
    for mode in orders.iter().map(|order| order.mode).collect::<Vec<_>>() {
        if !supplies.contains_key(mode.word()) {
            let supply = supply(connection, &orders, mode).await?;
            supplies.insert(mode.word(), supply);
        }
    }
    let mut movements = Vec::new();
    let mut promises = Vec::new();
    let mut entries = Vec::new();
    let mut done = Vec::with_capacity(orders.len());
    let mut settled = Vec::new();
    let mut nothing_to_tell = BTreeSet::new();
    let mut short_of_receipts = BTreeSet::new();
    let mut orders = orders;
    for order in orders.iter_mut().rev() {
        if let Some(supply) = supplies.get_mut(order.mode.word()) {
            let back = give_back_what_does_not_come(order, supply);
            if !back.is_empty() {
                short_of_receipts.insert(order.id);
                promises.push((order.mode, back));
            }
        }
    }
    for order in orders {
        let (before, was_accepted) = (order.revision, order.state == OrderState::Accepted);
        let Some(supply) = supplies.get_mut(order.mode.word()) else {
            continue;
        };
        let untouched = order.lines.clone();
        let told = answered_by(&order);
        let Allocation {
            order,
            reservations,
            promised,
            reasons,
        } = allocate(order, supply, policy, today);
        let as_it_was = order.lines == untouched && !short_of_receipts.contains(&order.id);
        if !was_accepted && as_it_was {
            continue;
        }
        let order = order.settle().map_err(Failure::refused)?;
        movements.extend(reserve(&order, &reservations)?);
        promises.push((order.mode, promised));
        entries.push((
            "order allocated".to_owned(),
            Subject::new("order", order.id.0),
            reasons.join("\n"),
        ));
        if !was_accepted && order.lines.iter().all(|line| line.backordered.is_zero()) {
            settled.push(order.id.0);
        }
        if !was_accepted && answered_by(&order) == told {
            nothing_to_tell.insert(order.id);
        }
        done.push((order, before));
    }
    connection
        .clear_alerts_like(now, LEFT_BEHIND, "order", &settled)
        .await?;
    connection.move_stock(&movements, now).await?;
    let mut of_mode: BTreeMap<Mode, Vec<ReceiptPromise>> = BTreeMap::new();
    for (mode, promised) in promises {
        of_mode.entry(mode).or_default().extend(promised);
    }
    for (mode, promised) in of_mode {
        connection.promise_receipts(mode, &promised).await?;
    }
    let mut answers: BTreeMap<Mode, Vec<Outgoing>> = BTreeMap::new();
    for (order, _) in &mut done {
        if nothing_to_tell.contains(&order.id) {
            continue;
        }
        if let Some(outgoing) = next_answer(gateway, trading, order) {
            answers.entry(order.mode).or_default().push(outgoing);
        }
    }
    for (mode, outgoing) in answers {
        outbound::queue(gateway, connection, trading, mode, outgoing).await?;
    }
    fulfil::plan(
        gateway,
        connection,
        trading,
        done.iter_mut().map(|(order, _)| order).collect(),
    )
    .await?;
    connection.save_orders(&done).await?;
    connection.record_all(now, "allocation", entries).await
}

/// What an 855 tells of each line: confirmed, backordered and until when, refused. Which receipts a line waits for is our
/// own affair.
fn answered_by(order: &Order) -> Vec<(Decimal, Decimal, Option<NaiveDate>, Decimal)> {
    order
        .lines
        .iter()
        .map(|line| {
            (
                line.confirmed,
                line.backordered,
                line.backorder_date,
                line.refused,
            )
        })
        .collect()
}

/// What can be promised to these orders: balances, expected receipts and our warehouses.
pub(super) async fn supply(
    connection: &mut Connection,
    orders: &[Order],
    mode: Mode,
) -> Result<Supply, Failure> {
    let items: BTreeSet<ItemId> = orders
        .iter()
        .flat_map(|order| {
            order
                .lines
                .iter()
                .filter_map(|line| line.accepted.as_ref().map(|accepted| accepted.item))
        })
        .collect();
    let items: Vec<ItemId> = items.into_iter().collect();
    let balances = catalogue::balances(connection, mode, &items).await?;
    let expected = catalogue::expected(connection, mode, &items).await?;
    Ok(Supply::new(
        balances,
        expected,
        catalogue::warehouses(connection, COMPANY).await?,
    ))
}

/// Reservations as movements of stock, one a warehouse.
fn reserve(order: &Order, reservations: &[Reservation]) -> Result<Vec<Movement>, Failure> {
    movements(order, reservations, MovementKind::Reservation, 1)
}

/// Promises of stock that an order gives back.
pub fn give_back(order: &Order, reservations: &[Reservation]) -> Result<Vec<Movement>, Failure> {
    movements(order, reservations, MovementKind::Unreservation, -1)
}

fn movements(
    order: &Order,
    reservations: &[Reservation],
    kind: MovementKind,
    sign: i64,
) -> Result<Vec<Movement>, Failure> {
    let mut by_warehouse: BTreeMap<_, BTreeMap<ItemId, Change>> = BTreeMap::new();
    for reservation in reservations {
        let stored = to_stored(reservation.base).ok_or_else(|| {
            Failure::refuse(format!(
                "order {}: {} base units can not be kept in stock",
                order.id, reservation.base
            ))
        })?;
        by_warehouse
            .entry(reservation.warehouse)
            .or_default()
            .entry(reservation.item)
            .or_default()
            .reserved += stored * sign;
    }
    Ok(by_warehouse
        .into_iter()
        .map(|(warehouse, changes)| Movement {
            source: format!("order:{}:{}", order.id, order.revision),
            kind,
            warehouse,
            mode: order.mode,
            changes,
        })
        .collect())
}

/// Whether the order is accepted just as the buyer wrote it.
fn is_as_ordered(order: &Order) -> bool {
    order.lines.iter().all(|line| {
        line.confirmed == line.ordered
            && line
                .accepted
                .as_ref()
                .is_some_and(|accepted| !accepted.price_changed)
    })
}

/// Whether the partner wants an 855 of the order as it stands now.
fn is_answer_wanted(trading: &Trading, order: &Order) -> bool {
    let response = &trading.profile.response;
    let first = order.answers == 0;
    trading.profile.sends("855")
        && (first || response.again_on_change)
        && !(first && response.when == ResponseWhen::ExceptionsOnly && is_as_ordered(order))
}

/// Queues the 855 of an order as it stands, unless the partner wants none.
pub async fn answer(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    order: &mut Order,
) -> Result<(), Failure> {
    if let Some(outgoing) = next_answer(gateway, trading, order) {
        outbound::queue(gateway, connection, trading, order.mode, vec![outgoing]).await?;
    }
    Ok(())
}

/// The next 855 of an order, counted as its answer; none where the partner wants none.
fn next_answer(gateway: &Gateway, trading: &Trading, order: &mut Order) -> Option<Outgoing> {
    if !is_answer_wanted(trading, order) {
        return None;
    }
    order.answers += 1;
    outgoing(gateway, trading, order)
}

/// The 855 of an order as it stands.
pub fn outgoing(gateway: &Gateway, trading: &Trading, order: &Order) -> Option<Outgoing> {
    let company = gateway.settings.our_company()?;
    let date = gateway
        .now()
        .with_timezone(&trading.profile.time_zone)
        .date_naive();
    let previous = order
        .answers
        .checked_sub(1)
        .filter(|previous| *previous > 0);
    let context = ResponseContext {
        company,
        answer_number: order.answers,
        date,
        previous,
    };
    Some(Outgoing {
        set: spend(Effort::Rendering, || {
            response::build(order, &trading.profile, &context)
        }),
        set_code: "855",
        cause: format!("order:{}", order.id),
        revision: i64::from(order.answers),
        subject: Subject::new("order", order.id.0),
        reference: order.header.po_number.clone(),
        replaces: None,
        answers: Answers::Order(order.source),
    })
}
