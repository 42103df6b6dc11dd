//! What people and warehouse files do with shipments: confirm that one has left.

use super::{COMPANY, Gateway, Trading, allocate, fulfil, labels};
use crate::domain::ids::ShipmentId;
use crate::domain::shipment::{Confirmation, Returned, Shipment, return_short};
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
    let read = || -> Result<Vec<Confirmation>, serde_json::Error> {
        match serde_json::from_slice::<serde_json::Value>(text)? {
            list @ serde_json::Value::Array(_) => serde_json::from_value(list),
            one => serde_json::from_value(one).map(|confirmation| vec![confirmation]),
        }
    };
    read().map_err(|error| {
        Failure::refuse(format!(
            "this is no confirmation of shipments: {error}; `shipment list --json` shows the shape"
        ))
    })
}

/// Confirms shipments from JSON text; see [`read_confirmations`].
pub async fn confirm_text(
    gateway: &Gateway,
    text: &[u8],
    actor: &str,
) -> Result<Vec<ShipmentId>, Failure> {
    let confirmations = read_confirmations(text)?;
    let mut left = Vec::with_capacity(confirmations.len());
    for confirmation in confirmations {
        left.push(confirm(gateway, confirmation, actor).await?);
    }
    Ok(left)
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
    labels::claim_given(gateway, connection, &planned, &packed).await?;
    // What was packed anew is labelled now; on which pallets it stands, whoever packed it has said.
    labels::issue(gateway, connection, vec![&mut packed], 0).await?;
    let shipped = packed
        .ship(now, today, confirmation.reason.as_deref())
        .map_err(Failure::refused)?;
    give_back(connection, gateway, &trading, &planned, &shipped).await?;
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
    )
    .await?;
    Ok(id)
}

/// What was planned and did not leave is promised no longer: it waits for stock again or is cut, as the partner wants.
async fn give_back(
    connection: &mut Connection,
    gateway: &Gateway,
    trading: &Trading,
    planned: &Shipment,
    shipped: &Shipment,
) -> Result<(), Failure> {
    let mut changed = Vec::new();
    let mut promises = Vec::new();
    for order in connection.orders(&planned.orders()).await? {
        let before = order.revision;
        let Returned {
            mut order,
            unreserved,
        } = return_short(order, planned, shipped, trading.profile.allocation.on_short);
        if unreserved.is_empty() {
            continue;
        }
        promises.extend(unreserved);
        order.revision += 1;
        allocate::answer(gateway, connection, trading, &mut order).await?;
        changed.push((order, before));
    }
    if !promises.is_empty() {
        connection
            .move_stock(&[fulfil::unreserve(planned, &promises)?], gateway.now())
            .await?;
    }
    connection.save_orders(&changed).await
}
