//! Allocate: stock is promised to accepted orders, the 855 says what was promised, and shipments are planned of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::notice::{self, Notice};
use super::outbound::{self, Answers, Builder, Outgoing};
use super::run::Later;
use super::shipments::LEFT_BEHIND;
use super::{COMPANY, Gateway, Trading, fulfil, last_day, orders};
use crate::config::profile::response::ResponseWhen;
use crate::domain::allocation::waiting::{Holds, gave_something_up, give_back_what_is_not_there};
use crate::domain::allocation::{Allocation, Reservation, Supply, allocate};
use crate::domain::ids::{ItemId, OrderId, PartnerId};
use crate::domain::order::{Mode, Order, OrderLine, OrderState};
use crate::domain::shipment::{Departures, ShipmentState, departures};
use crate::domain::stock::{MovementKind, to_stored};
use crate::storage::journal::Subject;
use crate::storage::stock::{Change, Movement};
use crate::storage::work::Step;
use crate::storage::{Connection, Failure, catalogue, receipts};
use crate::translation::response::{self, ResponseContext};
use crate::translation::ship_notice;

/// Promises stock to accepted orders and to those of which something waits.
pub async fn step(
    gateway: &Gateway,
    connection: &mut Connection,
    subjects: &[i64],
) -> Result<Vec<Later>, Failure> {
    let ids: Vec<OrderId> = subjects.iter().copied().map(OrderId).collect();
    let mut orders = connection.orders(&ids).await?;
    orders.retain(|order| {
        !matches!(
            order.state,
            OrderState::Received | OrderState::Held { .. } | OrderState::Rejected { .. }
        )
    });
    let mut served: BTreeMap<(Mode, PartnerId), Vec<Order>> = BTreeMap::new();
    for order in orders {
        let whose = (order.mode, order.partner);
        served.entry(whose).or_default().push(order);
    }
    let mut partners: BTreeMap<PartnerId, Trading> = BTreeMap::new();
    for (_, partner) in served.keys() {
        let trading = gateway.trading(connection, *partner).await?;
        partners.insert(*partner, trading);
    }
    for mode in [Mode::Production, Mode::Test] {
        let mut of_mode: Vec<(&Trading, Vec<Order>)> = partners
            .values()
            .filter_map(|trading| Some((trading, served.remove(&(mode, trading.partner))?)))
            .collect();
        let (mut supply, lost) = supply_for(gateway, connection, mode, &mut of_mode).await?;
        for (trading, orders) in of_mode {
            promise(gateway, connection, trading, orders, &mut supply, &lost).await?;
        }
    }
    Ok(Vec::new())
}

/// What can be promised to orders of one world, and those of them that lost what they held.
///
/// Where there is plenty nothing is held against others meanwhile: should it be gone at the end of the transaction, that is
/// run again, and holds it. Where something may be short it is held from here on, so that whoever brings more in finds the
/// orders that wait for it.
async fn supply_for(
    gateway: &Gateway,
    connection: &mut Connection,
    mode: Mode,
    wanted: &mut [(&Trading, Vec<Order>)],
) -> Result<(Supply, BTreeSet<OrderId>), Failure> {
    if wanted.is_empty() {
        return Ok(Default::default());
    }
    let mut all = wanted.iter().flat_map(|(_, orders)| orders);
    if !connection.is_to_hold_first() && all.all(|order| order.state == OrderState::Accepted) {
        let orders = wanted.iter().flat_map(|(_, orders)| orders);
        let balances = catalogue::balances(connection, mode, &items_of(orders), false).await?;
        let warehouses = catalogue::warehouses(connection, COMPANY).await?.to_vec();
        let plenty = Supply::new(balances, Vec::new(), warehouses);
        let wanted = wanted
            .iter()
            .map(|(trading, orders)| (&trading.profile.allocation, orders.as_slice()));
        if !plenty.lacks() && plenty.covers(wanted) {
            return Ok((plenty, BTreeSet::new()));
        }
    }
    let orders = wanted.iter().flat_map(|(_, orders)| orders);
    let mut supply = supply(connection, orders, mode).await?;
    let mut lost = BTreeSet::new();
    if supply.lacks() {
        let orders = wanted.iter_mut().flat_map(|(_, orders)| orders);
        let mut orders: Vec<&mut Order> = orders.collect();
        lost = take_from_the_youngest(gateway, connection, mode, &mut orders, &mut supply).await?;
    }
    Ok((supply, lost))
}

/// More is held than comes or is there: the youngest of all waiting orders give theirs back, those that are not asked for
/// now too, until the rest can be held. Answers with those of `orders` that gave something back.
async fn take_from_the_youngest(
    gateway: &Gateway,
    connection: &mut Connection,
    mode: Mode,
    orders: &mut [&mut Order],
    supply: &mut Supply,
) -> Result<BTreeSet<OrderId>, Failure> {
    const SLICE: i64 = 200;
    let now = gateway.now();
    let mut lost = BTreeSet::new();
    let mut holds = Holds::default();
    let asked: BTreeSet<OrderId> = orders.iter().map(|order| order.id).collect();
    let mut before = OrderId(i64::MAX);
    while supply.lacks() {
        let waiting = connection
            .youngest_waiting_orders(mode, before, SLICE)
            .await?;
        let Some(last) = waiting.last() else { break };
        before = *last;
        let others: Vec<OrderId> = waiting
            .iter()
            .copied()
            .filter(|id| !asked.contains(id))
            .collect();
        let mut others: BTreeMap<OrderId, Order> = connection
            .orders(&others)
            .await?
            .into_iter()
            .map(|order| (order.id, order))
            .collect();
        let mut changed = Vec::new();
        for id in waiting {
            if let Some(order) = orders.iter_mut().find(|order| order.id == id) {
                let back = give_back_what_is_not_there(order, supply);
                if !back.is_empty() {
                    lost.insert(id);
                    holds.extend(back);
                }
            } else if let Some(mut order) = others.remove(&id) {
                let back = give_back_what_is_not_there(&mut order, supply);
                if !back.is_empty() {
                    let revision = order.revision;
                    order.revision += 1;
                    changed.push((order, revision));
                    holds.extend(back);
                }
            }
        }
        let again: Vec<(i64, i64)> = changed
            .iter()
            .map(|(order, _)| (order.id.0, order.id.0))
            .collect();
        connection.save_orders(changed).await?;
        connection.ask_for_each(Step::Allocate, &again, now).await?;
    }
    connection.hold(mode, &holds).await?;
    Ok(lost)
}

async fn promise(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    orders: Vec<Order>,
    supply: &mut Supply,
    lost: &BTreeSet<OrderId>,
) -> Result<(), Failure> {
    let now = gateway.now();
    let today = now.with_timezone(&trading.profile.time_zone).date_naive();
    let policy = &trading.profile.allocation;
    let mut movements = Vec::new();
    let mut of_mode: BTreeMap<Mode, Holds> = BTreeMap::new();
    let mut entries = Vec::new();
    let mut done = Vec::with_capacity(orders.len());
    let mut settled = Vec::new();
    let mut nothing_to_tell = BTreeSet::new();
    let (mut waited, mut still_waiting) = (BTreeSet::new(), Vec::new());
    let mut given_up = BTreeSet::new();
    for order in orders {
        let (before, was_accepted) = (order.revision, order.state == OrderState::Accepted);
        let untouched = order.lines.clone();
        let told = (!was_accepted).then(|| answered_by(&order));
        let Allocation {
            order,
            reservations,
            holds,
            reasons,
        } = allocate(order, supply, policy, today);
        let as_it_was = order.lines == untouched && !lost.contains(&order.id);
        if !was_accepted && as_it_was {
            still_waiting.push(order);
            continue;
        }
        if gave_something_up(&untouched, &order.lines) {
            given_up.insert(order.mode);
        }
        let order = order.settle().map_err(Failure::refused)?;
        if !was_accepted && is_cut(&untouched, &order.lines) {
            tell_cut_later(gateway, connection, trading, &order, &reasons).await?;
        }
        movements.extend(reserve(&order, &reservations)?);
        of_mode.entry(order.mode).or_default().extend(holds);
        entries.push((
            "order allocated".to_owned(),
            Subject::new("order", order.id.0),
            reasons.join("\n"),
        ));
        let waits = order.lines.iter().any(|line| !line.backordered.is_zero());
        if !was_accepted && !waits {
            settled.push(order.id.0);
        }
        if !was_accepted || waits {
            waited.insert(order.id);
        }
        if told.is_some_and(|told| told == answered_by(&order)) {
            nothing_to_tell.insert(order.id);
        }
        done.push((order, before));
    }
    connection
        .clear_alerts_like(now, LEFT_BEHIND, "order", &settled)
        .await?;
    for (mode, holds) in of_mode {
        connection.hold(mode, &holds).await?;
    }
    connection.move_stock(&movements, now)?;
    let answered: Vec<&Order> = done.iter().map(|(order, _)| order).collect();
    let left = left(connection, trading, &answered).await?;
    let mut answers: BTreeMap<Mode, Vec<Builder>> = BTreeMap::new();
    for (order, _) in &mut done {
        if nothing_to_tell.contains(&order.id) {
            continue;
        }
        if let Some(answer) = next_answer(gateway, trading, order, &left) {
            answers.entry(order.mode).or_default().push(answer);
        }
    }
    for (mode, answers) in answers {
        outbound::build(gateway, connection, trading, mode, answers).await?;
    }
    fulfil::plan(
        gateway,
        connection,
        trading,
        done.iter_mut().map(|(order, _)| order).collect(),
    )
    .await?;
    let changed = done.iter().map(|(order, _)| order);
    let looked_at = changed
        .filter(|order| waited.contains(&order.id))
        .chain(&still_waiting);
    last_day::watch(gateway, connection, trading, looked_at).await?;
    connection.save_orders(done).await?;
    for mode in given_up {
        orders::allocate_waiting(connection, mode, now).await?;
    }
    connection.record_all(now, "allocation", entries).await
}

/// Whether more of a line is refused than was before.
fn is_cut(before: &[OrderLine], now: &[OrderLine]) -> bool {
    let mut lines = before.iter().zip(now);
    lines.any(|(before, now)| now.refused > before.refused)
}

/// What the buyer was told that it waits, and is told now that it never comes: a person of ours knows it as well.
async fn tell_cut_later(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    order: &Order,
    reasons: &[String],
) -> Result<(), Failure> {
    let notice = Notice {
        key: format!("cut-later:{}:{}", order.id, order.revision),
        kind: "cut-later",
        subject: Subject::new("order", order.id.0),
        title: format!(
            "part of PO {} waited and is cut now",
            order.header.po_number
        ),
        text: format!(
            "{}. An 855 tells the buyer, where its profile sends one. What to do: where the buyer wants it all the same, ask for a new order of it; then clear this alert.",
            reasons.join("; ")
        ),
    };
    notice::tell(gateway, connection, Some(trading), notice).await
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

/// The items of what is accepted of these orders.
fn items_of<'o>(orders: impl Iterator<Item = &'o Order>) -> Vec<ItemId> {
    let items: BTreeSet<ItemId> = orders
        .flat_map(|order| &order.lines)
        .filter_map(|line| line.accepted.as_ref().map(|accepted| accepted.item))
        .collect();
    items.into_iter().collect()
}

/// What can be promised to these orders: balances, expected receipts and our warehouses. It is held until the transaction
/// ends.
pub(super) async fn supply(
    connection: &mut Connection,
    orders: impl Iterator<Item = &Order>,
    mode: Mode,
) -> Result<Supply, Failure> {
    let items = items_of(orders);
    let balances = catalogue::balances(connection, mode, &items, true).await?;
    let expected = receipts::expected(connection, mode, &items).await?;
    Ok(Supply::new(
        balances,
        expected,
        catalogue::warehouses(connection, COMPANY).await?.to_vec(),
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
    let left = left(connection, trading, &[order]).await?;
    if let Some(answer) = next_answer(gateway, trading, order, &left) {
        outbound::build(gateway, connection, trading, order.mode, vec![answer]).await?;
    }
    Ok(())
}

/// What makes the next 855 of an order as it stands, counted as its answer; none where the partner wants none.
fn next_answer(
    gateway: &Gateway,
    trading: &Trading,
    order: &mut Order,
    left: &BTreeMap<OrderId, Departures>,
) -> Option<Builder> {
    if !is_answer_wanted(trading, order) {
        return None;
    }
    order.answers += 1;
    let (gateway, trading) = (gateway.clone(), trading.clone());
    let (order, left) = (order.clone(), left.get(&order.id).cloned());
    Some(Box::new(move || {
        outgoing(&gateway, &trading, &order, left.as_ref())
    }))
}

/// The 855 of an order as it stands; `departures` are those of it that [`left`] knows.
pub fn outgoing(
    gateway: &Gateway,
    trading: &Trading,
    order: &Order,
    departures: Option<&Departures>,
) -> Result<Outgoing, Failure> {
    static NOTHING: Departures = Departures::new();
    let Some(company) = gateway.settings.our_company() else {
        return Err(Failure::refuse("the settings name no company"));
    };
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
        left: departures.unwrap_or(&NOTHING),
    };
    Ok(Outgoing {
        set: response::build(order, &trading.profile, &context),
        set_code: "855",
        cause: format!("order:{}", order.id),
        revision: i64::from(order.answers),
        subject: Subject::new("order", order.id.0),
        reference: order.header.po_number.clone(),
        replaces: None,
        answers: Answers::Order(order.source),
    })
}

/// What of these orders has left, by the days of its ship notices.
pub async fn left(
    connection: &mut Connection,
    trading: &Trading,
    orders: &[&Order],
) -> Result<BTreeMap<OrderId, Departures>, Failure> {
    let begun: Vec<OrderId> = orders
        .iter()
        .filter(|order| order.lines.iter().any(|line| !line.shipped.is_zero()))
        .map(|order| order.id)
        .collect();
    if begun.is_empty() {
        return Ok(BTreeMap::new());
    }
    let shipments = connection.shipments_of_orders(&begun).await?;
    let warehouses = catalogue::warehouses(connection, COMPANY).await?;
    let mut left = Vec::with_capacity(shipments.len());
    for shipment in shipments.iter().map(Arc::as_ref) {
        if let ShipmentState::Shipped { at } = shipment.state {
            let zone =
                ship_notice::zone(fulfil::house_of(&warehouses, shipment)?, &trading.profile);
            left.push((shipment, at.with_timezone(&zone).date_naive()));
        }
    }
    Ok(departures(left))
}
