//! Stock: balances that are never promised twice, and the movements whose sum they are.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::connection::{Bind, Connection};
use super::failure::Failure;
use crate::binds;
use crate::domain::allocation::Reservation;
use crate::domain::allocation::waiting::Holds;
use crate::domain::clock::Instant;
use crate::domain::ids::{ItemId, WarehouseId};
use crate::domain::order::Mode;
use crate::domain::stock::{MovementKind, ReceiptPromise, to_stored};

/// What is told to have changed in between.
const STOCK: &str = "the stock of an item";

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

/// What a transaction moves, and writes at its end: the postings, and what they come to.
#[derive(Debug, Default)]
pub(super) struct Moves {
    postings: Vec<Vec<Bind>>,
    sums: BTreeMap<(ItemId, WarehouseId, &'static str), Sum>,
}

impl Moves {
    pub(super) fn is_empty(&self) -> bool {
        self.postings.is_empty()
    }
}

/// What several movements one after the other come to for a balance, and what has to be there for each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sum {
    change: Change,
    /// The lowest that their change of what is promised came to on the way; at most 0.
    promised_least: i64,
    /// The most by which what is promised came nearer to what is on hand.
    needed: i64,
    /// The same with what a promise may not touch either; none where nothing was promised.
    needed_free: Option<i64>,
}

impl Sum {
    fn then(&mut self, more: &Change) {
        let change = &mut self.change;
        change.on_hand += more.on_hand;
        change.reserved += more.reserved;
        change.uncounted += more.uncounted;
        self.promised_least = self.promised_least.min(change.reserved);
        let needed = change.reserved - change.on_hand;
        self.needed = self.needed.max(needed);
        if more.reserved > 0 {
            let needed = needed + change.uncounted;
            self.needed_free = Some(self.needed_free.map_or(needed, |most| most.max(needed)));
        }
    }
}

impl Connection {
    /// Posts movements and changes the balances with them, all or nothing: late in the transaction, over PostgreSQL at the
    /// latest before it takes numbers of counters ([`Connection::write_stock`]).
    pub fn move_stock(&mut self, movements: &[Movement], at: Instant) -> Result<(), Failure> {
        let moves = &mut self.kept()?.stock;
        let mut changes: BTreeMap<(ItemId, WarehouseId, &'static str), Change> = BTreeMap::new();
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
            moves.postings.push(binds![
                &movement.source,
                movement.kind.word(),
                movement.warehouse,
                movement.mode.word(),
                text,
                at
            ]);
            for (item, change) in &movement.changes {
                let sum = changes
                    .entry((*item, movement.warehouse, movement.mode.word()))
                    .or_default();
                sum.on_hand += change.on_hand;
                sum.reserved += change.reserved;
                sum.uncounted += change.uncounted;
            }
        }
        for (what, change) in &changes {
            moves.sums.entry(*what).or_default().then(change);
        }
        Ok(())
    }

    /// Writes what was moved. Where a movement would promise more than is free, or take more than is there, this fails as
    /// [`Failure::Stale`]: somebody else was quicker, and the transaction is run again with the balances as they are.
    pub async fn write_stock(&mut self) -> Result<(), Failure> {
        let moves = match self.kept.as_deref_mut() {
            Some(kept) if !kept.stock.is_empty() => std::mem::take(&mut kept.stock),
            _ => return Ok(()),
        };
        self.insert_many(
            "INSERT INTO stock_movement (source, kind, warehouse_id, mode, entries, at)",
            moves.postings,
            "",
        )
        .await?;
        const CHANGE: &str = "UPDATE stock SET on_hand = stock.on_hand + v.column4, reserved = stock.reserved + v.column5,
             uncounted = stock.uncounted + v.column6 FROM {changes}
             AND stock.reserved + v.column7 >= 0 AND stock.on_hand - stock.reserved >= v.column8
             AND (v.column9 IS NULL
                  OR stock.on_hand - stock.reserved - stock.set_aside - stock.uncounted >= v.column9)";
        const THESE: &str = "stock.item_id = v.column1 AND stock.warehouse_id = v.column2 AND stock.mode = v.column3";
        // Two that change the same rows take them in the same order, whatever the plan: else they could wait for each other.
        let sql = match self.is_sqlite() {
            true => CHANGE.replace("{changes}", &format!("{{rows}} WHERE {THESE}")),
            false => format!(
                "WITH held AS (SELECT stock.id AS held_id, v.* FROM {{rows}} JOIN stock ON {THESE}
                     ORDER BY stock.item_id, stock.warehouse_id, stock.mode FOR NO KEY UPDATE OF stock) {}",
                CHANGE.replace("{changes}", "held AS v WHERE stock.id = v.held_id")
            ),
        };
        let rows: Vec<Vec<Bind>> = moves
            .sums
            .into_iter()
            .filter(|(_, sum)| sum.change != Change::default())
            .map(|((item, warehouse, mode), sum)| {
                binds![
                    item,
                    warehouse,
                    mode,
                    sum.change.on_hand,
                    sum.change.reserved,
                    sum.change.uncounted,
                    sum.promised_least,
                    sum.needed,
                    sum.needed_free
                ]
            })
            .collect();
        self.change_every(&sql, vec![], rows, STOCK).await
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
        if sums.is_empty() {
            return Ok(());
        }
        self.write_stock().await?;
        const SET_ASIDE: &str = "UPDATE stock SET set_aside = stock.set_aside + v.column3 FROM {rows}
             WHERE stock.item_id = v.column1 AND stock.warehouse_id = v.column2 AND stock.mode = $1
             AND stock.set_aside + v.column3 >= 0
             AND (v.column3 < 0 OR stock.on_hand >= stock.reserved + stock.uncounted + stock.set_aside + v.column3)";
        let rows = sums
            .into_iter()
            .map(|((item, warehouse), base)| binds![item, warehouse, base])
            .collect();
        self.change_every(SET_ASIDE, binds![mode.word()], rows, STOCK)
            .await
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
        const PROMISE: &str = "UPDATE expected_receipt SET promised = expected_receipt.promised + v.column4 FROM {rows}
             WHERE expected_receipt.item_id = v.column1 AND expected_receipt.warehouse_id = v.column2
             AND expected_receipt.on_date = v.column3 AND expected_receipt.mode = $1
             AND expected_receipt.promised + v.column4 >= 0
             AND (v.column4 < 0 OR expected_receipt.closed = 0
                  AND expected_receipt.promised + v.column4 <= expected_receipt.quantity)";
        let rows = sums
            .into_iter()
            .map(|((item, warehouse, on), base)| binds![item, warehouse, on, base])
            .collect();
        self.change_every(PROMISE, binds![mode.word()], rows, "an expected receipt")
            .await
    }
}

fn kept(base: Decimal) -> Result<i64, Failure> {
    to_stored(base)
        .ok_or_else(|| Failure::refuse(format!("{base} base units can not be kept in stock")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// On hand, promised, set aside and to be counted.
    type Stock = [i64; 4];

    /// Whether one movement may be, and the balance after it.
    fn moved([on_hand, reserved, set_aside, uncounted]: Stock, change: &Change) -> Option<Stock> {
        let (on_hand, reserved) = (on_hand + change.on_hand, reserved + change.reserved);
        let uncounted = uncounted + change.uncounted;
        let promised = change.reserved > 0;
        let may = reserved >= 0
            && on_hand >= reserved
            && (!promised || on_hand >= reserved + set_aside + uncounted);
        may.then_some([on_hand, reserved, set_aside, uncounted])
    }

    fn changes() -> impl Strategy<Value = Vec<Change>> {
        let change = (-6i64..6, -6i64..6, 0i64..3);
        let change = change.prop_map(|(on_hand, reserved, uncounted)| Change {
            on_hand,
            reserved,
            uncounted,
        });
        prop::collection::vec(change, 1..5)
    }

    proptest! {
        #[test]
        fn movements_together_are_as_free_as_one_after_the_other(
            stock in (0i64..12, 0i64..6, 0i64..3, 0i64..3),
            changes in changes(),
        ) {
            let (on_hand, reserved, set_aside, uncounted) = stock;
            prop_assume!(on_hand >= reserved);
            let start = [on_hand, reserved, set_aside, uncounted];
            let one_by_one = changes
                .iter()
                .try_fold(start, moved);
            let mut sum = Sum::default();
            changes.iter().for_each(|change| sum.then(change));
            let free = on_hand - reserved;
            let may = reserved + sum.promised_least >= 0
                && free >= sum.needed
                && sum.needed_free.is_none_or(|needed| free - set_aside - uncounted >= needed);
            let together = may.then_some([
                on_hand + sum.change.on_hand,
                reserved + sum.change.reserved,
                set_aside,
                uncounted + sum.change.uncounted,
            ]);
            prop_assert_eq!(together, one_by_one);
        }
    }
}
