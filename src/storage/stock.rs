//! Stock: balances that are never promised twice, and the movements whose sum they are.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::connection::{Bind, Connection, tuples};
use super::failure::Failure;
use crate::binds;
use crate::domain::allocation::Reservation;
use crate::domain::allocation::waiting::Holds;
use crate::domain::clock::Instant;
use crate::domain::ids::{ItemId, WarehouseId};
use crate::domain::order::Mode;
use crate::domain::stock::{MovementKind, ReceiptPromise, to_stored};

/// Changes of one item in one warehouse, in stored units of 1/10,000 base unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Change {
    /// Change of what is on hand.
    pub on_hand: i64,
    /// Change of what is promised.
    pub reserved: i64,
    /// Change of what was left behind and waits for a count. Postings do not bear it: they are of a kind that says so.
    pub uncounted: i64,
}

/// One posting of stock: what moved, why, caused by what.
#[derive(Debug, Clone)]
pub struct Movement {
    /// What caused it, such as `order:12:r3` or `shipment:7`; with kind and warehouse it is unique.
    pub source: String,
    /// Why.
    pub kind: MovementKind,
    /// Where.
    pub warehouse: WarehouseId,
    /// Of which world.
    pub mode: Mode,
    /// What, each item once.
    pub changes: BTreeMap<ItemId, Change>,
}

impl Connection {
    /// Posts movements and changes the balances with them: all or nothing. A reservation that would promise more than
    /// is on hand, or an issue of more than is there, fails as [`Failure::Stale`]: somebody else was quicker, and the
    /// caller reads the balances again.
    pub async fn move_stock(&mut self, movements: &[Movement], at: Instant) -> Result<(), Failure> {
        let mut rows = Vec::with_capacity(movements.len());
        let mut sums: BTreeMap<(ItemId, WarehouseId, &str), Change> = BTreeMap::new();
        for movement in movements
            .iter()
            .filter(|movement| !movement.changes.is_empty())
        {
            let entries: Vec<(i64, i64, i64)> = movement
                .changes
                .iter()
                .map(|(item, change)| (item.0, change.on_hand, change.reserved))
                .collect();
            let text = serde_json::to_string(&entries).unwrap_or_default();
            rows.push(binds![
                &movement.source,
                movement.kind.word(),
                movement.warehouse,
                movement.mode.word(),
                text,
                at
            ]);
            for (item, change) in &movement.changes {
                let sum = sums
                    .entry((*item, movement.warehouse, movement.mode.word()))
                    .or_default();
                sum.on_hand += change.on_hand;
                sum.reserved += change.reserved;
                sum.uncounted += change.uncounted;
            }
        }
        self.insert_many(
            "INSERT INTO stock_movement (source, kind, warehouse_id, mode, entries, at)",
            rows,
            "",
        )
        .await?;
        self.change_balances(&sums).await
    }

    async fn change_balances(
        &mut self,
        sums: &BTreeMap<(ItemId, WarehouseId, &str), Change>,
    ) -> Result<(), Failure> {
        let rows: Vec<_> = sums
            .iter()
            .filter(|(_, change)| **change != Change::default())
            .collect();
        for chunk in rows.chunks(1_000) {
            let sql = format!(
                "UPDATE stock SET on_hand = stock.on_hand + v.column4, reserved = stock.reserved + v.column5,
                     uncounted = stock.uncounted + v.column6
                 FROM (VALUES {}) AS v
                 WHERE stock.item_id = v.column1 AND stock.warehouse_id = v.column2 AND stock.mode = v.column3
                 AND stock.reserved + v.column5 >= 0 AND stock.on_hand + v.column4 >= stock.reserved + v.column5
                 AND (v.column5 <= 0 OR stock.on_hand + v.column4
                      >= stock.reserved + v.column5 + stock.set_aside + stock.uncounted + v.column6)",
                tuples(chunk.len(), 6, 0)
            );
            let mut values = Vec::with_capacity(chunk.len() * 6);
            for ((item, warehouse, mode), change) in chunk {
                values.extend(binds![
                    *item,
                    *warehouse,
                    *mode,
                    change.on_hand,
                    change.reserved,
                    change.uncounted
                ]);
            }
            self.change_every(chunk.len(), &sql, values, "the stock of an item")
                .await?;
        }
        Ok(())
    }

    /// Books what waiting lines hold now and did not before, and no longer hold: of receipts to come, and of stock that is
    /// set aside. Where there is less of it than was read, this fails as [`Failure::Stale`]: somebody else was quicker.
    pub async fn hold(&mut self, mode: Mode, holds: &Holds) -> Result<(), Failure> {
        self.promise_receipts(mode, &holds.receipts).await?;
        self.set_aside(mode, &holds.stock).await
    }

    async fn set_aside(&mut self, mode: Mode, changes: &[Reservation]) -> Result<(), Failure> {
        let mut sums: BTreeMap<(ItemId, WarehouseId), i64> = BTreeMap::new();
        for change in changes {
            *sums.entry((change.item, change.warehouse)).or_default() += kept(change.base)?;
        }
        sums.retain(|_, base| *base != 0);
        let rows: Vec<_> = sums.into_iter().collect();
        for chunk in rows.chunks(1_000) {
            let sql = format!(
                "UPDATE stock SET set_aside = stock.set_aside + v.column3
                 FROM (VALUES {}) AS v
                 WHERE stock.item_id = v.column1 AND stock.warehouse_id = v.column2 AND stock.mode = $1
                 AND stock.set_aside + v.column3 >= 0
                 AND (v.column3 < 0 OR stock.on_hand >= stock.reserved + stock.uncounted + stock.set_aside + v.column3)",
                tuples(chunk.len(), 3, 1)
            );
            let mut values = binds![mode.word()];
            for ((item, warehouse), base) in chunk {
                values.extend(binds![*item, *warehouse, *base]);
            }
            self.change_every(chunk.len(), &sql, values, "the stock of an item")
                .await?;
        }
        Ok(())
    }

    async fn promise_receipts(
        &mut self,
        mode: Mode,
        promises: &[ReceiptPromise],
    ) -> Result<(), Failure> {
        let mut sums: BTreeMap<_, i64> = BTreeMap::new();
        for promise in promises {
            *sums
                .entry((promise.item, promise.warehouse, promise.on))
                .or_default() += kept(promise.base)?;
        }
        sums.retain(|_, base| *base != 0);
        let rows: Vec<_> = sums.into_iter().collect();
        for chunk in rows.chunks(1_000) {
            let sql = format!(
                "UPDATE expected_receipt SET promised = expected_receipt.promised + v.column4
                 FROM (VALUES {}) AS v
                 WHERE expected_receipt.item_id = v.column1 AND expected_receipt.warehouse_id = v.column2
                 AND expected_receipt.on_date = v.column3 AND expected_receipt.mode = $1
                 AND expected_receipt.promised + v.column4 >= 0
                 AND (v.column4 < 0 OR expected_receipt.closed = 0
                      AND expected_receipt.promised + v.column4 <= expected_receipt.quantity)",
                tuples(chunk.len(), 4, 1)
            );
            let mut values = binds![mode.word()];
            for ((item, warehouse, on), base) in chunk {
                values.extend(binds![*item, *warehouse, *on, *base]);
            }
            self.change_every(chunk.len(), &sql, values, "an expected receipt")
                .await?;
        }
        Ok(())
    }

    /// Runs an update that has to change so many rows; otherwise somebody else was quicker.
    async fn change_every(
        &mut self,
        rows: usize,
        sql: &str,
        values: Vec<Bind>,
        what: &str,
    ) -> Result<(), Failure> {
        if self.execute(sql, values).await? == rows as u64 {
            return Ok(());
        }
        Err(Failure::Stale {
            what: what.to_owned(),
        })
    }
}

fn kept(base: Decimal) -> Result<i64, Failure> {
    to_stored(base)
        .ok_or_else(|| Failure::refuse(format!("{base} base units can not be kept in stock")))
}
