//! What people and warehouse files do with shipments: confirm that one has left.

use std::path::Path;

use super::fulfil::Untold;
use super::notice::{self, Notice};
use super::{COMPANY, Gateway, Trading, allocate, fulfil, labels, last_day};
use crate::domain::allocation::waiting::{Holds, expect_more};
use crate::domain::ids::ShipmentId;
use crate::domain::order::Order;
use crate::domain::packing::weigh;
use crate::domain::policy::OnShort;
use crate::domain::shipment::{Confirmation, Returned, Shipment, return_short};
use crate::domain::stock::MovementKind;
use crate::storage::journal::Subject;
use crate::storage::{Class, Connection, Failure, catalogue};

/// Confirms a shipment: what was packed replaces what was planned, what did not leave goes back to its orders.
pub async fn confirm(
    gateway: &Gateway,
    confirmation: Confirmation,
    actor: &str,
) -> Result<ShipmentId, Failure> {
    let (inside, actor) = (gateway.clone(), actor.to_owned());
    let id = gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (gateway, confirmation, actor) =
                (inside.clone(), confirmation.clone(), actor.clone());
            Box::pin(async move { write(&gateway, connection, &confirmation, &actor).await })
        })
        .await?;
    gateway.wake();
    Ok(id)
}

/// Reads confirmations from JSON text, one object or an array, as `shipment list --json` writes them.
pub fn read_confirmations(text: &[u8]) -> Result<Vec<Confirmation>, Failure> {
    let unread = |error: serde_json::Error| {
        Failure::refuse(format!(
            "this is no confirmation of shipments: {error}; `shipment list --json` shows the shape"
        ))
    };
    let given = match serde_json::from_slice(text).map_err(unread)? {
        serde_json::Value::Array(list) => list,
        one => vec![one],
    };
    for confirmation in &given {
        known_fields(confirmation)?;
    }
    given
        .into_iter()
        .map(|confirmation| serde_json::from_value(confirmation).map_err(unread))
        .collect()
}

/// What a shipment of `shipment list --json` has, and what a confirmation may add.
const FIELDS: [&str; 18] = [
    "shipment",
    "orders",
    "partner",
    "mode",
    "warehouse",
    "status",
    "cartons",
    "carrier",
    "tracking",
    "bill_of_lading",
    "ship_to",
    "not_before",
    "not_after",
    "expected_delivery",
    "created_at",
    "shipped_at",
    "window_override",
    "override",
];
const CARTON_FIELDS: [&str; 6] = ["sscc", "store", "contents", "grams", "tracking", "pallet"];
const CONTENT_FIELDS: [&str; 7] = [
    "order",
    "po_number",
    "line",
    "item",
    "quantity",
    "unit",
    "delivery",
];

/// A field that is written wrong would be passed over, and the whole plan leave in place of what was meant.
fn known_fields(confirmation: &serde_json::Value) -> Result<(), Failure> {
    only(confirmation, &FIELDS, "a confirmation")?;
    let list = |value: &serde_json::Value, field: &str| -> Vec<serde_json::Value> {
        value
            .get(field)
            .and_then(serde_json::Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    for carton in list(confirmation, "cartons") {
        only(&carton, &CARTON_FIELDS, "a carton")?;
        for content in list(&carton, "contents") {
            only(&content, &CONTENT_FIELDS, "what a carton holds")?;
        }
    }
    Ok(())
}

fn only(value: &serde_json::Value, fields: &[&str], what: &str) -> Result<(), Failure> {
    let unknown = value
        .as_object()
        .and_then(|object| object.keys().find(|key| !fields.contains(&key.as_str())));
    match unknown {
        None => Ok(()),
        Some(key) => Err(Failure::refuse(format!(
            "{what} has no field {key:?}: it has {}; nothing was confirmed",
            fields.join(", ")
        ))),
    }
}

/// Confirms shipments from JSON text; see [`read_confirmations`].
pub async fn confirm_text(
    gateway: &Gateway,
    text: &[u8],
    actor: &str,
) -> Result<Vec<ShipmentId>, Failure> {
    let (left, refused) = confirm_each(gateway, read_confirmations(text)?, actor).await?;
    match refused.as_slice() {
        [] => Ok(left),
        _ => Err(Failure::refuse(told(&left, &refused))),
    }
}

/// Confirms shipments that a warehouse laid into its folder: its own only.
pub async fn confirm_file(
    gateway: &Gateway,
    warehouse: &str,
    text: &[u8],
) -> Result<Vec<ShipmentId>, Failure> {
    let mut confirmations = read_confirmations(text)?;
    for confirmation in &mut confirmations {
        if confirmation.warehouse.is_empty() {
            warehouse.clone_into(&mut confirmation.warehouse);
        }
        if confirmation.warehouse != warehouse {
            return Err(Failure::refuse(format!(
                "the file lies in the folder of warehouse {warehouse} and speaks of warehouse {}: a warehouse confirms its own shipments; nothing of the file was taken",
                confirmation.warehouse
            )));
        }
    }
    let (left, refused) = confirm_each(gateway, confirmations, "warehouse file").await?;
    match refused.as_slice() {
        [] => Ok(left),
        _ => Err(Failure::refuse(told(&left, &refused))),
    }
}

/// Tells ops of a file with confirmations that was refused, once for each text of it.
pub async fn tell_refused(gateway: &Gateway, file: &Path, why: &str) -> Result<(), Failure> {
    let inside = gateway.clone();
    let notice = Notice {
        key: format!("confirmation-refused:{}:{why}", file.display()),
        kind: "confirmation-refused",
        subject: Subject::new("warehouse", 0),
        title: format!("the confirmation {} was refused", file.display()),
        text: format!(
            "{why}\nWhat to do: mend the file and lay it into the warehouse's folder again; what left stays so and is not confirmed again."
        ),
    };
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (gateway, notice) = (inside.clone(), notice.clone());
            Box::pin(async move { notice::tell(&gateway, connection, None, notice).await })
        })
        .await
}

/// Confirms each of several shipments that can be; which left, and why the others did not.
pub async fn confirm_each(
    gateway: &Gateway,
    confirmations: Vec<Confirmation>,
    actor: &str,
) -> Result<(Vec<ShipmentId>, Vec<String>), Failure> {
    let (mut left, mut refused) = (Vec::new(), Vec::new());
    for confirmation in confirmations {
        match confirm(gateway, confirmation, actor).await {
            Ok(shipment) => left.push(shipment),
            Err(failure) if failure.is_refusal() => refused.push(failure.to_string()),
            Err(failure) => return Err(failure),
        }
    }
    Ok((left, refused))
}

/// What became of confirmations of which some were refused.
pub fn told(left: &[ShipmentId], refused: &[String]) -> String {
    let left: Vec<String> = left.iter().map(ToString::to_string).collect();
    if left.is_empty() {
        return refused.join("\n");
    }
    format!(
        "{}\nthe others left: shipments {}",
        refused.join("\n"),
        left.join(", ")
    )
}

async fn write(
    gateway: &Gateway,
    connection: &mut Connection,
    confirmation: &Confirmation,
    actor: &str,
) -> Result<ShipmentId, Failure> {
    let id = confirmation.shipment.ok_or_else(|| {
        Failure::refuse(
            "the confirmation does not say which shipment: give its number in the field `shipment`",
        )
    })?;
    let planned = connection.shipment(id).await?.ok_or_else(|| {
        Failure::refuse(format!(
            "there is no shipment {id}; `supercargo shipment list` shows the numbers"
        ))
    })?;
    let trading = gateway.trading(connection, planned.partner).await?;
    let warehouses = catalogue::warehouses(connection, COMPANY).await?;
    let warehouse = warehouses
        .iter()
        .find(|warehouse| warehouse.id == planned.warehouse)
        .ok_or_else(|| Failure::Corrupt {
            table: "shipment",
            key: id.to_string(),
            why: "its warehouse is not there".to_owned(),
        })?;
    let before = planned.revision;
    let now = gateway.now();
    let today = fulfil::day_at(warehouse, now);
    let mut packed = planned
        .clone()
        .confirm(confirmation)
        .map_err(Failure::refused)?;
    let orders = connection.orders(&planned.orders()).await?;
    weigh(&mut packed.cartons, &orders);
    labels::claim_given(gateway, connection, &planned, &packed).await?;
    // What was packed anew is labelled now; on which pallets it stands, whoever packed it has said.
    labels::issue(gateway, connection, vec![&mut packed], 0).await?;
    let shipped = packed
        .ship(now, today, confirmation.reason.as_deref())
        .map_err(Failure::refused)?;
    give_back(connection, gateway, &trading, orders, &planned, &shipped).await?;
    if let Some(reason) = &shipped.window_override {
        let subject = Subject::new("shipment", id.0);
        connection
            .record(now, actor, "ship window overridden", subject, reason)
            .await?;
    }
    let leaving = fulfil::Leaving {
        shipment: shipped,
        before,
    };
    fulfil::leave(
        gateway,
        connection,
        &trading,
        &warehouses,
        vec![leaving],
        actor,
        Untold::Refused,
    )
    .await?;
    Ok(id)
}

/// The alert that something was left behind.
pub(super) const LEFT_BEHIND: &str = "left-behind";

/// What did not leave though it was promised is not promised again out of a count that may be wrong.
async fn tell_left_behind(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    order: &Order,
) -> Result<(), Failure> {
    let notice = Notice {
        key: format!("{LEFT_BEHIND}:{}:{}", order.id, order.revision),
        kind: LEFT_BEHIND,
        subject: Subject::new("order", order.id.0),
        title: format!("part of PO {} did not leave as planned", order.header.po_number),
        text: match trading.profile.allocation.on_short {
            OnShort::Backorder => "It was promised out of stock that was not packed, and the buyer has been told that it waits. What to do: count the items that were short and load the count (`supercargo stock import`); till then nothing is promised out of them, and what is there is promised again at once.",
            OnShort::Cut => "It was promised out of stock that was not packed, and is cut from the order, as the buyer has been told. What to do: count the items that were short and load the count (`supercargo stock import`), till then nothing more is promised out of what was left; then clear this alert.",
        }
        .to_owned(),
    };
    notice::tell(gateway, connection, Some(trading), notice).await
}

/// What was planned and did not leave is promised no longer: it waits for stock again or is cut, as the partner wants; and
/// the goods are promised to nobody until they are counted.
async fn give_back(
    connection: &mut Connection,
    gateway: &Gateway,
    trading: &Trading,
    orders: Vec<Order>,
    planned: &Shipment,
    shipped: &Shipment,
) -> Result<(), Failure> {
    let policy = &trading.profile.allocation;
    let now = gateway.now();
    let today = now.with_timezone(&trading.profile.time_zone).date_naive();
    let mut short = Vec::new();
    let mut promises = Vec::new();
    for promised in orders {
        let Returned { order, unreserved } =
            return_short(promised.clone(), planned, shipped, policy.on_short);
        if !unreserved.is_empty() {
            promises.extend(unreserved);
            short.push((promised, order));
        }
    }
    if short.is_empty() {
        return Ok(());
    }
    let waiting = short.iter().map(|(_, order)| order);
    let mut supply = allocate::supply(connection, waiting, planned.mode).await?;
    let mut changed = Vec::new();
    let mut holds = Holds::default();
    for (promised, mut order) in short {
        let before = promised.revision;
        holds.extend(expect_more(
            &promised,
            &mut order,
            &mut supply,
            policy,
            today,
        ));
        tell_left_behind(gateway, connection, trading, &order).await?;
        order.revision += 1;
        allocate::answer(gateway, connection, trading, &mut order).await?;
        changed.push((order, before));
    }
    let left_behind = fulfil::unreserve(planned, &promises, MovementKind::LeftBehind)?;
    connection.move_stock(&[left_behind], now)?;
    connection.hold(planned.mode, &holds).await?;
    let orders = changed.iter().map(|(order, _)| order);
    last_day::watch(gateway, connection, trading, orders).await?;
    connection.save_orders(changed).await
}
