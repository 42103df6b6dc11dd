//! Balances of stock and the postings whose sum they are.

use crate::binds;
use crate::storage::connection::Connection;
use crate::storage::failure::Failure;

row! {
    /// One posting.
    #[derive(Debug, Clone)]
    pub struct KeptMovement {
        /// Its number.
        pub id: i64,
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
}

row! {
    /// One balance.
    #[derive(Debug, Clone)]
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
        /// Held for waiting orders that ship complete.
        pub set_aside: i64,
        /// Left behind and not counted since.
        pub uncounted: i64,
    }
}

impl Connection {
    /// Postings after another, as they were numbered.
    pub async fn kept_movements(
        &mut self,
        after: i64,
        most: i64,
    ) -> Result<Vec<KeptMovement>, Failure> {
        self.rows(
            "SELECT id, source, kind, warehouse_id, mode, entries FROM stock_movement WHERE id > $1 ORDER BY id LIMIT $2",
            binds![after, most],
        )
        .await
    }

    /// Every balance.
    pub async fn kept_balances(&mut self) -> Result<Vec<KeptBalance>, Failure> {
        self.rows(
            "SELECT stock.item_id, COALESCE(item.code, '') AS code, stock.warehouse_id, stock.mode, stock.on_hand,
                 stock.reserved, stock.set_aside, stock.uncounted
             FROM stock LEFT JOIN item ON item.id = stock.item_id ORDER BY stock.item_id, stock.warehouse_id, stock.mode",
            vec![],
        )
        .await
    }

    /// What each expected receipt says was promised of it, where it is anything: item, warehouse, world, day, base units.
    pub async fn kept_receipt_promises(
        &mut self,
    ) -> Result<Vec<(i64, i64, String, String, i64)>, Failure> {
        self.rows(
            "SELECT item_id, warehouse_id, mode, on_date, promised FROM expected_receipt WHERE promised <> 0
             ORDER BY item_id, warehouse_id, mode, on_date",
            vec![],
        )
        .await
    }
}
