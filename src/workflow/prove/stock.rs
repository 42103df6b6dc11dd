//! Stock: balances are the sums of their postings, and what is promised is what orders hold.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::Prover;
use crate::domain::order::Order;
use crate::domain::stock::{MovementKind, from_stored};
use crate::storage::Failure;
use crate::storage::proof::stock::KeptMovement;

/// Postings in a slice.
const MOVEMENTS: i64 = 5_000;
/// Orders in a slice.
const ORDERS: i64 = 200;
/// The states in which an order may hold stock.
const HOLDING: [&str; 4] = ["accepted", "confirmed", "backordered", "partly_shipped"];

/// Item, warehouse, world → on hand, reserved, left behind since the last count.
type Sums = BTreeMap<(i64, i64, String), (i64, i64, i64)>;

/// Balances against postings.
pub(super) async fn balances(prover: &mut Prover<'_>) -> Result<(), Failure> {
    prover.begin(
        "stock",
        "every balance is the sum of its postings, and no more is promised than is there",
    );
    let mut sums = Sums::new();
    let mut after = i64::MIN;
    loop {
        let (movements, balances) = prover
            .history
            .slice(move |connection| {
                Box::pin(async move {
                    let movements = connection.kept_movements(after, MOVEMENTS).await?;
                    // The last slice and the balances are of one moment.
                    let balances = if (movements.len() as i64) < MOVEMENTS {
                        Some(connection.kept_balances().await?)
                    } else {
                        None
                    };
                    Ok((movements, balances))
                })
            })
            .await?;
        prover.checked(movements.len());
        prover.proof.totals.stock_postings += movements.len() as u64;
        for movement in &movements {
            add(prover, &mut sums, movement);
        }
        after = movements.last().map_or(after, |last| last.id);
        let Some(balances) = balances else { continue };
        for balance in balances {
            let key = (balance.item_id, balance.warehouse_id, balance.mode.clone());
            let sum = sums.remove(&key).unwrap_or_default();
            let place = format!(
                "stock of item {} in warehouse {} ({})",
                balance.code, balance.warehouse_id, balance.mode
            );
            if (balance.on_hand, balance.reserved, balance.uncounted) != sum {
                prover.fault(
                    place,
                    format!(
                        "the balance says {} on hand, {} promised and {} left behind, its postings come to {}, {} and {}",
                        from_stored(balance.on_hand),
                        from_stored(balance.reserved),
                        from_stored(balance.uncounted),
                        from_stored(sum.0),
                        from_stored(sum.1),
                        from_stored(sum.2)
                    ),
                );
            } else if balance.reserved < 0 || balance.reserved > balance.on_hand {
                prover.fault(
                    place,
                    format!(
                        "{} are promised of {} on hand",
                        from_stored(balance.reserved),
                        from_stored(balance.on_hand)
                    ),
                );
            }
        }
        for ((item, warehouse, mode), sum) in sums {
            prover.fault(
                format!("stock of item {item} in warehouse {warehouse} ({mode})"),
                format!(
                    "its postings come to {} on hand and {} promised, and there is no balance",
                    from_stored(sum.0),
                    from_stored(sum.1)
                ),
            );
        }
        return Ok(());
    }
}

fn add(prover: &mut Prover<'_>, sums: &mut Sums, movement: &KeptMovement) {
    let Ok(entries) = serde_json::from_str::<Vec<(i64, i64, i64)>>(&movement.entries) else {
        prover.fault(
            format!("stock posting {}/{}", movement.source, movement.kind),
            "its entries can not be read",
        );
        return;
    };
    for (item, on_hand, reserved) in entries {
        let sum = sums
            .entry((item, movement.warehouse_id, movement.mode.clone()))
            .or_default();
        sum.0 = sum.0.saturating_add(on_hand);
        sum.1 = sum.1.saturating_add(reserved);
        if movement.kind == MovementKind::LeftBehind.word() {
            sum.2 = sum.2.saturating_sub(reserved);
        } else if movement.kind == MovementKind::Adjustment.word() {
            sum.2 = 0;
        }
    }
}

/// What is promised against what orders hold: of each item, over all warehouses.
pub(super) async fn reservations(prover: &mut Prover<'_>) -> Result<(), Failure> {
    prover.begin(
        "promises",
        "what is promised and set aside of each item is what orders have confirmed and not shipped, and hold",
    );
    let (mut held, promised, set_aside, receipts, orders, unreadable) = prover
        .history
        .slice(|connection| {
            Box::pin(async move {
                let mut held = Held::default();
                let mut orders = 0;
                let mut unreadable = Vec::new();
                for status in HOLDING {
                    let mut after = i64::MIN;
                    loop {
                        let rows = connection.holding_orders(status, after, ORDERS).await?;
                        let Some((last, _, _)) = rows.last() else {
                            break;
                        };
                        after = *last;
                        orders += rows.len();
                        for (id, mode, text) in &rows {
                            match serde_json::from_str::<Order>(text) {
                                Ok(order) => hold(&mut held, &order, mode),
                                Err(_) => unreadable.push(*id),
                            }
                        }
                    }
                }
                let mut promised: BTreeMap<(i64, String), (String, Decimal)> = BTreeMap::new();
                let mut set_aside = Vec::new();
                for balance in connection.kept_balances().await? {
                    let place = (balance.item_id, balance.warehouse_id, balance.mode.clone());
                    set_aside.push((place, from_stored(balance.set_aside)));
                    let sum = promised
                        .entry((balance.item_id, balance.mode))
                        .or_insert((balance.code, Decimal::ZERO));
                    sum.1 += from_stored(balance.reserved);
                }
                let receipts = connection.kept_receipt_promises().await?;
                Ok((held, promised, set_aside, receipts, orders, unreadable))
            })
        })
        .await?;
    prover.checked(orders);
    for id in unreadable {
        prover.fault(format!("order {id}"), "its body can not be read");
    }
    for ((item, mode), (code, promised)) in &promised {
        let held = held
            .stock
            .get(&(*item, mode.clone()))
            .copied()
            .unwrap_or_default();
        if held != *promised {
            prover.fault(
                format!("stock of item {code} ({mode})"),
                format!("{promised} are promised and orders hold {held}"),
            );
        }
    }
    for ((item, mode), held) in &held.stock {
        if !held.is_zero() && !promised.contains_key(&(*item, mode.clone())) {
            prover.fault(
                format!("stock of item {item} ({mode})"),
                format!("orders hold {held} and there is no balance"),
            );
        }
    }
    for (place, kept) in set_aside {
        let waits = held.set_aside.remove(&place).unwrap_or_default();
        if waits != kept {
            set_aside_differs(prover, &place, kept, waits);
        }
    }
    for (place, waits) in &held.set_aside {
        set_aside_differs(prover, place, Decimal::ZERO, *waits);
    }
    awaited(prover, held.receipts, receipts);
    Ok(())
}

fn set_aside_differs(
    prover: &mut Prover<'_>,
    (item, warehouse, mode): &(i64, i64, String),
    kept: Decimal,
    waits: Decimal,
) {
    prover.fault(
        format!("stock of item {item} in warehouse {warehouse} ({mode})"),
        format!("{kept} are set aside and waiting orders hold {waits}"),
    );
}

/// What orders hold.
#[derive(Default)]
struct Held {
    /// Item, world → base units confirmed and not shipped.
    stock: BTreeMap<(i64, String), Decimal>,
    /// Item, warehouse, world → base units that are set aside for backorders.
    set_aside: BTreeMap<(i64, i64, String), Decimal>,
    /// Item, warehouse, world, day → base units that backorders wait for.
    receipts: BTreeMap<(i64, i64, String, String), Decimal>,
}

fn hold(held: &mut Held, order: &Order, mode: &str) {
    for line in &order.lines {
        let Some(accepted) = &line.accepted else {
            continue;
        };
        let quantity = (line.confirmed - line.shipped).saturating_mul(accepted.base_per_unit);
        if !quantity.is_zero() {
            *held
                .stock
                .entry((accepted.item.0, mode.to_owned()))
                .or_default() += quantity;
        }
        for set_aside in &line.set_aside {
            let place = (accepted.item.0, set_aside.warehouse.0, mode.to_owned());
            *held.set_aside.entry(place).or_default() += set_aside.base;
        }
        for awaited in &line.awaits {
            let receipt = (
                accepted.item.0,
                awaited.warehouse.0,
                mode.to_owned(),
                awaited.on.to_string(),
            );
            *held.receipts.entry(receipt).or_default() += awaited.base;
        }
    }
}

/// Of each expected receipt, as much is promised as backorders wait for.
fn awaited(
    prover: &mut Prover<'_>,
    mut held: BTreeMap<(i64, i64, String, String), Decimal>,
    receipts: Vec<(i64, i64, String, String, i64)>,
) {
    let mut differ = Vec::new();
    for (item, warehouse, mode, on, promised) in receipts {
        let key = (item, warehouse, mode, on);
        let waits = held.remove(&key).unwrap_or_default();
        if waits != from_stored(promised) {
            differ.push((key, from_stored(promised), waits));
        }
    }
    differ.extend(
        held.into_iter()
            .map(|(key, waits)| (key, Decimal::ZERO, waits)),
    );
    for ((item, warehouse, mode, on), promised, waits) in differ {
        prover.fault(
            format!("receipt of item {item} expected in warehouse {warehouse} on {on} ({mode})"),
            format!("{promised} are promised of it and backorders wait for {waits}"),
        );
    }
}
