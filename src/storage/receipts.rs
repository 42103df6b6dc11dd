//! Receipts that are expected: announced, promised, counted, and given up where they do not come.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::catalogue::{ASKED_MAX, corrupt};
use super::connection::{Connection, list, padded, tuples};
use super::failure::Failure;
use crate::binds;
use crate::domain::ids::{ItemId, WarehouseId};
use crate::domain::order::Mode;
use crate::domain::stock::{ExpectedReceipt, from_stored};

/// Receipts of these items that are expected and not promised yet, soonest first.
pub async fn expected(
    connection: &mut Connection,
    mode: Mode,
    ids: &[ItemId],
) -> Result<Vec<ExpectedReceipt>, Failure> {
    let mut receipts = Vec::new();
    for chunk in ids.chunks(ASKED_MAX).map(padded) {
        let sql = format!(
            "SELECT item_id, warehouse_id, on_date, CASE WHEN closed = 1 THEN 0 ELSE quantity END, promised
             FROM expected_receipt WHERE mode = $1 AND (promised > 0 OR closed = 0) AND item_id IN {}
             ORDER BY on_date, item_id, warehouse_id",
            list(chunk.len(), 1)
        );
        let mut asked = binds![mode.word()];
        asked.extend(chunk.iter().map(|id| (*id).into()));
        let rows: Vec<(i64, i64, String, i64, i64)> = connection.rows(&sql, asked).await?;
        for (item, warehouse, on, quantity, promised) in rows {
            receipts.push(ExpectedReceipt {
                item: ItemId(item),
                warehouse: WarehouseId(warehouse),
                on: on
                    .parse()
                    .map_err(|_| corrupt("expected_receipt", item, "on_date is no date"))?,
                quantity: from_stored(quantity),
                promised: from_stored(promised),
            });
        }
    }
    Ok(receipts)
}

/// What was to come in by the day of a count has been counted, or did not come: it is expected no longer.
pub(super) async fn close_counted(
    connection: &mut Connection,
    mode: Mode,
    counts: &BTreeMap<(ItemId, WarehouseId), i64>,
    today: NaiveDate,
) -> Result<(), Failure> {
    let counted: Vec<&(ItemId, WarehouseId)> = counts.keys().collect();
    for chunk in counted.chunks(ASKED_MAX / 2) {
        let sql = format!(
            "UPDATE expected_receipt SET closed = 1, told = 0 WHERE (closed = 0 OR told = 1) AND mode = $1 AND on_date <= $2
             AND (item_id, warehouse_id) IN (VALUES {})",
            tuples(chunk.len(), 2, 2)
        );
        let mut asked = binds![mode.word(), today];
        for (item, warehouse) in chunk {
            asked.extend(binds![*item, *warehouse]);
        }
        connection.execute(&sql, asked).await?;
    }
    Ok(())
}

/// Adds or changes expected receipts: (item, warehouse, date) → stored quantity.
pub async fn save_expected(
    connection: &mut Connection,
    mode: Mode,
    receipts: &BTreeMap<(ItemId, WarehouseId, NaiveDate), i64>,
) -> Result<(), Failure> {
    let rows = receipts
        .iter()
        .map(|((item, warehouse, on), quantity)| {
            binds![*warehouse, *item, mode.word(), *on, *quantity, 0]
        })
        .collect();
    connection
        .insert_many(
            "INSERT INTO expected_receipt (warehouse_id, item_id, mode, on_date, quantity, promised)",
            rows,
            "ON CONFLICT (item_id, warehouse_id, mode, on_date) DO UPDATE SET quantity = excluded.quantity, closed = 0, told = 0",
        )
        .await?;
    Ok(())
}

row! {
    /// A receipt whose day has passed, and that nobody has counted.
    #[derive(Debug, Clone)]
    pub struct OverdueReceipt {
        /// Number in the database.
        pub id: i64,
        /// Production or test.
        pub mode: String,
        /// Where to.
        pub warehouse_id: i64,
        /// Our code of the warehouse.
        pub warehouse: String,
        /// When it was to come.
        pub on_date: String,
        /// Our code of the item.
        pub item: String,
        /// Stored quantity announced.
        pub quantity: i64,
        /// Stored quantity that backorders wait for.
        pub promised: i64,
        /// 1 where people were told of it.
        pub told: i64,
    }
}

impl Connection {
    /// Receipts of days before `told_before` of which nobody was told yet, and of those before `believed_before` all that
    /// still count.
    pub async fn receipts_overdue(
        &mut self,
        told_before: NaiveDate,
        believed_before: NaiveDate,
        most: i64,
    ) -> Result<Vec<OverdueReceipt>, Failure> {
        self.rows(
            "SELECT r.id, r.mode, r.warehouse_id, w.code AS warehouse, r.on_date, i.code AS item, r.quantity, r.promised, r.told
             FROM expected_receipt r JOIN item i ON i.id = r.item_id JOIN warehouse w ON w.id = r.warehouse_id
             WHERE r.closed = 0 AND r.quantity > 0 AND (r.told = 0 AND r.on_date < $1 OR r.on_date < $2)
             ORDER BY r.mode, r.warehouse_id, r.on_date, i.code LIMIT $3",
            binds![told_before, believed_before, most],
        )
        .await
    }

    /// Marks receipts as told of; those of days before `believed_before` are expected no longer.
    pub async fn tell_of_receipts(
        &mut self,
        ids: &[i64],
        believed_before: NaiveDate,
    ) -> Result<(), Failure> {
        for chunk in ids.chunks(ASKED_MAX) {
            let sql = format!(
                "UPDATE expected_receipt SET told = 1, closed = CASE WHEN on_date < $1 THEN 1 ELSE closed END WHERE id IN {}",
                list(chunk.len(), 1)
            );
            let mut asked = binds![believed_before];
            asked.extend(chunk.iter().map(|id| (*id).into()));
            self.execute(&sql, asked).await?;
        }
        Ok(())
    }

    /// Warehouses of which no receipt is left that people were told of: each was counted, or announced anew.
    pub async fn warehouses_without_overdue(&mut self) -> Result<Vec<i64>, Failure> {
        let rows: Vec<(i64,)> = self
            .rows(
                "SELECT w.id FROM warehouse w WHERE EXISTS (SELECT 1 FROM alert a WHERE a.subject_kind = 'warehouse'
                    AND a.subject_id = w.id AND a.kind = 'receipt-overdue' AND a.cleared_at IS NULL)
                 AND NOT EXISTS (SELECT 1 FROM expected_receipt r WHERE r.warehouse_id = w.id AND r.told = 1)",
                Vec::new(),
            )
            .await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }
}
