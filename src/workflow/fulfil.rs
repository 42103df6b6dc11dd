//! Fulfil: what was promised is packed into planned shipments; a shipment leaves when its warehouse says so and its ship
//! window allows it, and that is one transaction: stock issued, ship notice queued, invoice asked for.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{NaiveDate, NaiveTime, TimeZone};
use rust_decimal::Decimal;

use super::notice::{self, Notice};
use super::outbound::{self, Answers, Builder, Outgoing};
use super::run::Later;
use super::{COMPANY, Gateway, Trading, labels, last_day};
use crate::domain::allocation::Reservation;
use crate::domain::catalogue::{FulfilmentMode, Location, Warehouse};
use crate::domain::clock::Instant;
use crate::domain::delivery::{Journey, journeys};
use crate::domain::ids::{DocumentId, ItemId, OrderId, PartnerId, ShipmentId};
use crate::domain::order::{Mode, Order, Party};
use crate::domain::packing::{self, pack};
use crate::domain::policy::InvoiceWhen;
use crate::domain::shipment::{Shipment, ShipmentState, alike, book_shipped, promises_of};
use crate::domain::stock::{MovementKind, to_stored};
use crate::storage::journal::Subject;
use crate::storage::stock::{Change, Movement};
use crate::storage::work::Step;
use crate::storage::{Connection, Failure, catalogue};
use crate::translation::ship_notice::{self, ShipNoticeContext};

/// Plans shipments of what is promised to these orders and not yet on any. The callers save the orders.
pub async fn plan(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    orders: Vec<&mut Order>,
) -> Result<(), Failure> {
    let warehouses = catalogue::warehouses(connection, COMPANY).await?;
    let mut fresh: Vec<Shipment> = Vec::new();
    let mut joined: Vec<(Shipment, i64)> = Vec::new();
    let mut shipments = Vec::new();
    for order in orders {
        for warehouse in warehouses.iter() {
            let cartons = pack(order, warehouse.id, &trading.profile.packing);
            if cartons.is_empty() {
                continue;
            }
            *order = packing::release(order.clone(), warehouse.id, &cartons);
            for journey in journeys(order, cartons) {
                shipments.push(planned(trading, order, warehouse, journey));
            }
        }
    }
    complete(connection, trading.partner, &mut shipments).await?;
    for shipment in shipments {
        join(connection, trading, shipment, &mut fresh, &mut joined).await?;
    }
    let most = trading.profile.packing.pallet_cartons;
    let ids = connection.identities("shipment", fresh.len()).await?;
    for (shipment, id) in fresh.iter_mut().zip(ids) {
        shipment.id = ShipmentId(id);
        shipment.bill_of_lading = shipment.own_bill_of_lading();
    }
    let planned = joined.iter_mut().map(|(shipment, _)| shipment);
    labels::issue(
        gateway,
        connection,
        fresh.iter_mut().chain(planned).collect(),
        most,
    )
    .await?;
    // A shipment that another one joined may have to leave earlier than before.
    let planned = fresh.iter().chain(joined.iter().map(|(joined, _)| joined));
    ask_to_leave(gateway, connection, &warehouses, planned).await?;
    connection.add_shipments(fresh, gateway.now()).await?;
    connection.save_shipments(joined).await
}

fn planned(trading: &Trading, order: &Order, warehouse: &Warehouse, journey: Journey) -> Shipment {
    let policy = &trading.profile.packing;
    let first_of = |codes: [&str; 3]| {
        codes
            .into_iter()
            .find(|code| !code.is_empty())
            .unwrap_or_default()
            .to_owned()
    };
    let window = order.header.window(journey.delivery, policy.transit_days);
    let destination = order.header.destination(
        journey.delivery,
        &journey.store,
        &trading.profile.ship_notice.location_qualifier,
    );
    Shipment {
        id: ShipmentId(0),
        company: order.company,
        partner: order.partner,
        mode: order.mode,
        warehouse: warehouse.id,
        warehouse_code: warehouse.code.clone(),
        ship_to: destination,
        cartons: journey.cartons,
        carrier: first_of([&order.header.carrier, &policy.carrier, &warehouse.carrier]),
        tracking: String::new(),
        bill_of_lading: String::new(),
        not_before: window.first,
        not_after: window.last,
        expected_delivery: None,
        window_override: None,
        state: ShipmentState::Planned,
        revision: 1,
    }
}

/// Adds to the destinations what the partner's location list knows of them.
async fn complete(
    connection: &mut Connection,
    partner: PartnerId,
    shipments: &mut [Shipment],
) -> Result<(), Failure> {
    let bare = |to: &Party| to.street.is_empty() && !to.id.is_empty();
    let asked: Vec<String> = shipments
        .iter()
        .filter(|shipment| bare(&shipment.ship_to))
        .map(|shipment| shipment.ship_to.id.clone())
        .collect();
    let known = catalogue::locations(connection, partner, &asked).await?;
    for to in shipments.iter_mut().map(|shipment| &mut shipment.ship_to) {
        if let Some(location) = known.get(&to.id).filter(|_| bare(to)) {
            fill_in(to, location.clone());
        }
    }
    Ok(())
}

fn fill_in(party: &mut Party, location: Location) {
    if party.name.is_empty() {
        party.name = location.name;
    }
    if !location.street.is_empty() {
        party.street = vec![location.street];
    }
    party.city = location.city;
    party.state = location.state;
    party.postal_code = location.postal_code;
    party.country = location.country;
}

/// Puts a planned shipment onto one that waits for the same place, where the partner wants its orders to travel
/// together, or among the fresh ones.
async fn join(
    connection: &mut Connection,
    trading: &Trading,
    shipment: Shipment,
    fresh: &mut Vec<Shipment>,
    joined: &mut Vec<(Shipment, i64)>,
) -> Result<(), Failure> {
    if trading.profile.packing.consolidate {
        let fits = |other: &Shipment| {
            other.state == ShipmentState::Planned
                && other.warehouse == shipment.warehouse
                && other.mode == shipment.mode
                && other.ship_to == shipment.ship_to
                && other.not_before == shipment.not_before
                && !parts_of_one_order(other, &shipment)
        };
        if let Some(other) = fresh
            .iter_mut()
            .chain(joined.iter_mut().map(|(other, _)| other))
            .find(|other| fits(other))
        {
            merge(other, shipment);
            return Ok(());
        }
        let open = connection.open_shipment_like(&shipment).await?.filter(fits);
        if let Some(mut other) = open {
            let before = other.revision;
            other.revision += 1;
            merge(&mut other, shipment);
            joined.push((other, before));
            return Ok(());
        }
    }
    fresh.push(shipment);
    Ok(())
}

/// Whether two shipments carry different deliveries of one order: these keep their windows, and stay apart.
fn parts_of_one_order(one: &Shipment, other: &Shipment) -> bool {
    let contents = |shipment: &Shipment| -> Vec<(OrderId, u32)> {
        shipment
            .cartons
            .iter()
            .flat_map(|carton| &carton.contents)
            .map(|content| (content.order, content.delivery))
            .collect()
    };
    let known = contents(one);
    contents(other).iter().any(|(order, delivery)| {
        known
            .iter()
            .any(|(of, number)| of == order && number != delivery)
    })
}

fn merge(into: &mut Shipment, from: Shipment) {
    into.cartons.extend(from.cartons);
    into.not_after = match (into.not_after, from.not_after) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
}

/// A planned shipment that goods of a cancelled order were on has the last day of those that stay on it.
pub async fn loosen(
    connection: &mut Connection,
    trading: &Trading,
    shipment: &mut Shipment,
) -> Result<(), Failure> {
    if shipment.state != ShipmentState::Planned {
        return Ok(());
    }
    let transit_days = trading.profile.packing.transit_days;
    let aboard = connection.orders(&shipment.orders()).await?;
    shipment.not_after = shipment
        .cartons
        .iter()
        .flat_map(|carton| &carton.contents)
        .filter_map(|content| {
            let order = aboard.iter().find(|order| order.id == content.order)?;
            order.header.window(content.delivery, transit_days).last
        })
        .min();
    Ok(())
}

/// Asks for planned shipments to be looked at: when they may leave by themselves, or when they should have left.
async fn ask_to_leave(
    gateway: &Gateway,
    connection: &mut Connection,
    warehouses: &[Warehouse],
    shipments: impl Iterator<Item = &Shipment>,
) -> Result<(), Failure> {
    let now = gateway.now();
    let mut by_due: BTreeMap<Instant, Vec<(i64, i64)>> = BTreeMap::new();
    for shipment in shipments {
        let due = warehouses
            .iter()
            .find(|warehouse| warehouse.id == shipment.warehouse)
            .and_then(|warehouse| looked_at(warehouse, shipment, now));
        if let Some(due) = due {
            let looks = by_due.entry(due).or_default();
            looks.push((shipment.id.0, shipment.id.0));
        }
    }
    for (due, looks) in by_due {
        connection.ask_for_each(Step::Fulfil, &looks, due).await?;
    }
    Ok(())
}

/// When a planned shipment is to be looked at: where it leaves by itself, as its ship window opens; elsewhere, when that has
/// closed, for then people are told. None: it never closes.
fn looked_at(warehouse: &Warehouse, shipment: &Shipment, now: Instant) -> Option<Instant> {
    if warehouse.fulfilment == FulfilmentMode::AtOnce {
        return Some(opens(warehouse, shipment, now));
    }
    let closed = last_day::over(shipment.not_after?, zone(warehouse))?;
    Some(closed.max(now))
}

/// When the ship window opens: the first minute of its first day at the warehouse, or now.
fn opens(warehouse: &Warehouse, shipment: &Shipment, now: Instant) -> Instant {
    let first = shipment.not_before.map(|day| day.and_time(NaiveTime::MIN));
    first
        .and_then(|local| zone(warehouse).from_local_datetime(&local).earliest())
        .map_or(now, |opens| opens.with_timezone(&chrono::Utc).max(now))
}

/// The warehouse's time zone; UTC where it names none that exists.
pub fn zone(warehouse: &Warehouse) -> chrono_tz::Tz {
    warehouse.zone.parse().unwrap_or(chrono_tz::UTC)
}

/// Lets planned shipments of an at-once warehouse go, where their window is open; tells of those of any warehouse whose
/// window has closed.
pub async fn step(
    gateway: &Gateway,
    connection: &mut Connection,
    subjects: &[i64],
) -> Result<Vec<Later>, Failure> {
    let ids: Vec<ShipmentId> = subjects.iter().copied().map(ShipmentId).collect();
    let warehouses = catalogue::warehouses(connection, COMPANY).await?;
    let now = gateway.now();
    let mut later = Vec::new();
    let mut leaving: BTreeMap<PartnerId, Vec<Leaving>> = BTreeMap::new();
    for shipment in connection.shipments(&ids).await? {
        let Some(warehouse) = warehouses
            .iter()
            .find(|warehouse| warehouse.id == shipment.warehouse)
        else {
            continue;
        };
        if shipment.state != ShipmentState::Planned {
            continue;
        }
        let today = day_at(warehouse, now);
        let leaves_by_itself = warehouse.fulfilment == FulfilmentMode::AtOnce;
        if shipment.window_allows(today) && leaves_by_itself {
            let (before, partner) = (shipment.revision, shipment.partner);
            let shipment = shipment.ship(now, today, None).map_err(Failure::refused)?;
            let of_partner = leaving.entry(partner).or_default();
            of_partner.push(Leaving { shipment, before });
        } else if shipment.not_after.is_none_or(|last| today <= last) {
            later.extend(looked_at(warehouse, &shipment, now).map(|due| Later {
                subject: shipment.id.0,
                lane_of: shipment.id.0,
                due,
            }));
        } else {
            let trading = gateway.trading(connection, shipment.partner).await?;
            tell_closed(gateway, connection, &trading, &shipment).await?;
        }
    }
    for (partner, leaving) in leaving {
        let trading = gateway.trading(connection, partner).await?;
        leave(
            gateway,
            connection,
            &trading,
            &warehouses,
            leaving,
            "at once",
            Untold::Held,
        )
        .await?;
    }
    Ok(later)
}

async fn tell_closed(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    shipment: &Shipment,
) -> Result<(), Failure> {
    let closed = shipment
        .not_after
        .map(|day| day.to_string())
        .unwrap_or_default();
    let notice = Notice {
        key: format!("window-closed:{}", shipment.id),
        kind: "ship-window-closed",
        subject: Subject::new("shipment", shipment.id.0),
        title: format!("shipment {} did not leave before its window closed on {closed}", shipment.id),
        text: "Ask the buyer for a new date, or confirm it with a reason (`supercargo shipment confirm`, field `override`).".to_owned(),
    };
    notice::tell(gateway, connection, Some(trading), notice).await
}

/// A shipment that leaves now, with the revision it was read with.
pub struct Leaving {
    /// As it left.
    pub shipment: Shipment,
    /// Revision before.
    pub before: i64,
}

/// What becomes of a shipment whose ship notice could not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untold {
    /// It leaves, and the notice waits for a person.
    Held,
    /// It does not leave: whoever packed it can still say it otherwise.
    Refused,
}

/// Shipments of one partner have left: stock issued, orders moved on, ship notices queued, invoices asked for; all or
/// nothing.
pub async fn leave(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    warehouses: &[Warehouse],
    mut leaving: Vec<Leaving>,
    actor: &str,
    untold: Untold,
) -> Result<(), Failure> {
    let now = gateway.now();
    let ids: BTreeSet<OrderId> = leaving
        .iter()
        .flat_map(|leaving| leaving.shipment.orders())
        .collect();
    let ids: Vec<OrderId> = ids.into_iter().collect();
    let orders = connection.orders(&ids).await?.into_iter();
    let mut orders: BTreeMap<OrderId, (Arc<Order>, i64)> = orders
        .map(|order| (order.id, order.revision, Arc::new(order)))
        .map(|(id, before, order)| (id, (order, before)))
        .collect();
    let mut movements = Vec::with_capacity(leaving.len());
    let mut aboard_each = Vec::with_capacity(leaving.len());
    let mut entries = Vec::with_capacity(leaving.len());
    for Leaving { shipment, .. } in &mut leaving {
        let mut aboard = Vec::new();
        for id in shipment.orders() {
            if let Some((order, before)) = orders.remove(&id) {
                let booked = book_shipped(Arc::unwrap_or_clone(order), shipment);
                let booked = Arc::new(booked);
                aboard.push(booked.clone());
                orders.insert(id, (booked, before));
            }
        }
        movements.push(issue(shipment, &aboard)?);
        let warehouse = house_of(warehouses, shipment)?;
        shipment.expected_delivery = day_at(warehouse, now).checked_add_days(chrono::Days::new(
            trading.profile.packing.transit_days.into(),
        ));
        aboard_each.push(aboard);
        entries.push((
            "shipment left".to_owned(),
            Subject::new("shipment", shipment.id.0),
            match shipment.cartons.len() {
                1 => format!("1 carton; confirmed by: {actor}"),
                n => format!("{n} cartons; confirmed by: {actor}"),
            },
        ));
    }
    connection.move_stock(&movements, now)?;
    let leaving: Vec<(Arc<Shipment>, i64)> = leaving
        .into_iter()
        .map(|leaving| (Arc::new(leaving.shipment), leaving.before))
        .collect();
    let left: Vec<i64> = leaving.iter().map(|(shipment, _)| shipment.id.0).collect();
    if trading.profile.sends("856") {
        let shipments = leaving.iter().map(|(shipment, _)| shipment);
        let locations = locations(connection, trading, shipments.clone().map(Arc::as_ref)).await?;
        let locations = Arc::new(locations);
        let mut of_mode: BTreeMap<Mode, Vec<Builder>> = BTreeMap::new();
        for (shipment, aboard) in shipments.zip(aboard_each) {
            let (gateway, trading) = (gateway.clone(), trading.clone());
            let warehouse = house_of(warehouses, shipment)?.clone();
            let (locations, shipment) = (locations.clone(), shipment.clone());
            let notices = of_mode.entry(shipment.mode).or_default();
            notices.push(Box::new(move || {
                outgoing(
                    &gateway, &trading, &warehouse, &locations, &shipment, &aboard,
                )
            }));
        }
        for (mode, notices) in of_mode {
            match untold {
                Untold::Held => {
                    outbound::build(gateway, connection, trading, mode, notices).await?;
                }
                Untold::Refused => {
                    let mut sound = Vec::with_capacity(notices.len());
                    for build in notices {
                        let notice = build()?;
                        sendable(trading, &notice)?;
                        sound.push(notice);
                    }
                    outbound::queue(gateway, connection, trading, mode, sound).await?;
                }
            }
        }
    }
    let settled = orders
        .into_values()
        .map(|(order, before)| {
            Arc::unwrap_or_clone(order)
                .settle()
                .map(|order| (order, before))
                .map_err(Failure::refused)
        })
        .collect::<Result<Vec<_>, _>>()?;
    connection.save_orders(settled).await?;
    connection.record_all(now, actor, entries).await?;
    connection.clear_alerts_of(now, "shipment", &left).await?;
    connection.save_shipments(leaving).await?;
    if trading.profile.invoicing.when == InvoiceWhen::Shipped {
        let pairs: Vec<(i64, i64)> = left.iter().map(|id| (*id, *id)).collect();
        connection.ask_for_each(Step::Invoice, &pairs, now).await?;
    }
    Ok(())
}

/// Refuses a ship notice that would be held instead of sent.
fn sendable(trading: &Trading, notice: &Outgoing) -> Result<(), Failure> {
    let findings = outbound::held_by(trading, notice);
    if findings.is_empty() {
        return Ok(());
    }
    Err(Failure::refuse(format!(
        "nothing was confirmed, for its ship notice (856) could not be sent:\n{}",
        notice::lines(&findings)
    )))
}

/// The warehouse that a shipment leaves from.
pub fn house_of<'a>(
    warehouses: &'a [Warehouse],
    shipment: &Shipment,
) -> Result<&'a Warehouse, Failure> {
    warehouses
        .iter()
        .find(|warehouse| warehouse.id == shipment.warehouse)
        .ok_or_else(|| Failure::Corrupt {
            table: "shipment",
            key: shipment.id.to_string(),
            why: "its warehouse is not there".to_owned(),
        })
}

/// What leaves the house: on hand and reserved fall alike.
fn issue(shipment: &Shipment, orders: &[Arc<Order>]) -> Result<Movement, Failure> {
    let mut changes: BTreeMap<ItemId, Change> = BTreeMap::new();
    let promises = orders.iter().flat_map(|order| promises_of(order, shipment));
    for promise in promises {
        let stored = stored(promise.base)?;
        let change = changes.entry(promise.item).or_default();
        change.on_hand -= stored;
        change.reserved -= stored;
    }
    Ok(Movement {
        source: format!("shipment:{}", shipment.id),
        kind: MovementKind::Issue,
        warehouse: shipment.warehouse,
        mode: shipment.mode,
        changes,
    })
}

fn stored(base: Decimal) -> Result<i64, Failure> {
    to_stored(base).ok_or_else(|| {
        Failure::refuse(format!(
            "{base} base units can not be kept in stock: at most four decimals"
        ))
    })
}

/// The partner's locations that cartons of these shipments go to, by number.
pub async fn locations<'s>(
    connection: &mut Connection,
    trading: &Trading,
    shipments: impl Iterator<Item = &'s Shipment>,
) -> Result<BTreeMap<String, Location>, Failure> {
    let stores: BTreeSet<&str> = shipments
        .flat_map(|shipment| alike(&shipment.cartons))
        .map(|(carton, _)| carton.store.as_str())
        .filter(|store| !store.is_empty())
        .collect();
    let stores: Vec<String> = stores.into_iter().map(str::to_owned).collect();
    catalogue::locations(connection, trading.partner, &stores).await
}

/// The ship notice of a shipment that has left; `locations` are those of [`locations`].
pub fn outgoing<O: Borrow<Order>>(
    gateway: &Gateway,
    trading: &Trading,
    warehouse: &Warehouse,
    locations: &BTreeMap<String, Location>,
    shipment: &Shipment,
    orders: &[O],
) -> Result<Outgoing, Failure> {
    let left = match shipment.state {
        ShipmentState::Shipped { at } => at,
        _ => gateway.now(),
    };
    let Some(company) = gateway.settings.our_company() else {
        return Err(Failure::refuse("the settings name no company"));
    };
    let source = orders.first().map(|order| order.borrow().source);
    let context = ShipNoticeContext { company, at: left };
    Ok(Outgoing {
        set: ship_notice::build(
            shipment,
            orders,
            warehouse,
            locations,
            &trading.profile,
            &context,
        ),
        set_code: "856",
        cause: format!("shipment:{}", shipment.id),
        revision: 1,
        subject: Subject::new("shipment", shipment.id.0),
        reference: ship_notice::number(shipment),
        replaces: None,
        answers: Answers::Order(source.unwrap_or(DocumentId(0))),
    })
}

/// Takes promises of stock back that were on a shipment: of goods that stay where they are, or, of kind
/// [`MovementKind::LeftBehind`], of goods that were to leave and did not, which nobody is promised until they are counted.
pub fn unreserve(
    shipment: &Shipment,
    promises: &[Reservation],
    kind: MovementKind,
) -> Result<Movement, Failure> {
    let mut changes: BTreeMap<ItemId, Change> = BTreeMap::new();
    for promise in promises {
        let change = changes.entry(promise.item).or_default();
        let base = stored(promise.base)?;
        change.reserved -= base;
        if kind == MovementKind::LeftBehind {
            change.uncounted += base;
        }
    }
    Ok(Movement {
        source: format!("shipment:{}:{}", shipment.id, shipment.revision),
        kind,
        warehouse: shipment.warehouse,
        mode: shipment.mode,
        changes,
    })
}

/// The day it is at a warehouse.
pub fn day_at(warehouse: &Warehouse, now: Instant) -> NaiveDate {
    now.with_timezone(&zone(warehouse)).date_naive()
}
