//! Balances of stock and the postings whose sum they are.

use sqlx::FromRow;

use crate::binds;
use crate::storage::connection::Connection;
use crate::storage::failure::Failure;

/// One posting.
#[derive(Debug, Clone, FromRow)]
pub struct KeptMovement {
    /// Where it stands in the table (SQLite).
    pub place: i64,
    /// What caused it.
    pub source: String,
    /// Why.
    pub kind: String,
    /// Where.
    pub warehouse_id: i64,
    /// production or test.
    pub mode: String,
    /// [item, change of on hand, change of reserved], …
    pub entries: String,
}

/// One balance.
#[derive(Debug, Clone, FromRow)]
pub struct KeptBalance {
    /// Item.
    pub item_id: i64,
    /// Its code.
    pub code: String,
    /// Warehouse.
    pub warehouse_id: i64,
    /// production or test.
    pub mode: String,
    /// On hand, in 1/10,000 base units.
    pub on_hand: i64,
    /// Promised.
    pub reserved: i64,
}

impl Connection {
    /// Postings after another. On SQLite they come as they were added, so that a reading in slices meets each once
    /// however many are added meanwhile (the table keeps its rowid for that); PostgreSQL reads one snapshot, by key.
    pub async fn kept_movements(
        &mut self,
        after: Option<&KeptMovement>,
        most: i64,
    ) -> Result<Vec<KeptMovement>, Failure> {
        if self.is_sqlite() {
            return self
                .rows(
                    "SELECT rowid AS place, source, kind, warehouse_id, mode, entries FROM stock_movement
                     WHERE rowid > $1 ORDER BY rowid LIMIT $2",
                    binds![after.map_or(0, |last| last.place), most],
                )
                .await;
        }
        let (source, kind, warehouse) = after.map_or(("", "", 0), |last| {
            (last.source.as_str(), last.kind.as_str(), last.warehouse_id)
        });
        self.rows(
            "SELECT CAST(0 AS BIGINT) AS place, source, kind, warehouse_id, mode, entries FROM stock_movement
             WHERE (source, kind, warehouse_id) > ($1, $2, $3) ORDER BY source, kind, warehouse_id LIMIT $4",
            binds![source, kind, warehouse, most],
        )
        .await
    }

    /// Every balance.
    pub async fn kept_balances(&mut self) -> Result<Vec<KeptBalance>, Failure> {
        self.rows(
            "SELECT stock.item_id, COALESCE(item.code, '') AS code, stock.warehouse_id, stock.mode, stock.on_hand,
                 stock.reserved
             FROM stock LEFT JOIN item ON item.id = stock.item_id ORDER BY stock.item_id, stock.warehouse_id, stock.mode",
            vec![],
        )
        .await
    }
}
