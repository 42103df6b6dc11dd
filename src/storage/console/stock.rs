//! Stock by item and warehouse.

use super::{Conditions, PAGE};
use crate::binds;
use crate::storage::{Connection, Failure};

/// Rows on one page: several warehouses stand under one item.
const MOST: i64 = 4 * PAGE;

row! {
    /// What one warehouse has of one item; quantities as stored (1/10,000 base unit).
    #[derive(Debug, Clone)]
    pub(crate) struct StockItem {
        pub item: String,
        pub upc: String,
        /// The item as JSON.
        pub body: String,
        pub warehouse: String,
        pub mode: String,
        pub on_hand: i64,
        pub reserved: i64,
        /// Held for waiting orders that ship complete.
        pub set_aside: i64,
        /// Left behind and not counted since.
        pub uncounted: i64,
        /// Expected and not promised yet.
        pub expected: i64,
        pub next_receipt: Option<String>,
    }
}

/// A page of the stock, by item and warehouse, of items whose code follows `after`; and the code to go on after, where
/// there is more.
pub(crate) async fn list(
    connection: &mut Connection,
    text: Option<&String>,
    warehouse: Option<&String>,
    short_only: bool,
    after: Option<&String>,
) -> Result<(Vec<StockItem>, Option<String>), Failure> {
    let mut conditions = Conditions::default();
    let beginning = text.map(|text| format!("{}%", super::like_literal(text)));
    conditions
        .and_some(
            "(i.code LIKE ? ESCAPE '!' OR i.upc LIKE ? ESCAPE '!')",
            beginning.as_ref(),
        )
        .and_some("w.code = ?", warehouse)
        .and_some("i.code > ?", after);
    if short_only {
        conditions.and_plain("s.on_hand - s.reserved - s.set_aside - s.uncounted <= 0");
    }
    let sql = format!(
        "SELECT i.code AS item, i.upc, i.body, w.code AS warehouse, s.mode, s.on_hand, s.reserved, s.set_aside, s.uncounted,
            CAST(COALESCE((SELECT SUM(CASE WHEN e.quantity > e.promised THEN e.quantity - e.promised ELSE 0 END) FROM expected_receipt e WHERE e.item_id = s.item_id
                AND e.warehouse_id = s.warehouse_id AND e.mode = s.mode AND e.closed = 0), 0) AS BIGINT) AS expected,
            (SELECT MIN(e.on_date) FROM expected_receipt e WHERE e.item_id = s.item_id
                AND e.warehouse_id = s.warehouse_id AND e.mode = s.mode AND e.closed = 0 AND e.quantity > e.promised) AS next_receipt
         FROM stock s JOIN item i ON i.id = s.item_id JOIN warehouse w ON w.id = s.warehouse_id{}
         ORDER BY i.code, w.code, s.mode LIMIT {}",
        conditions.sql(),
        MOST
    );
    let mut rows: Vec<StockItem> = connection.rows(&sql, conditions.binds()).await?;
    let full = rows.len() >= usize::try_from(MOST).unwrap_or_default();
    let last = rows.last().map(|row| row.item.clone()).filter(|_| full);
    if let Some(last) = last {
        // the last item may go on beyond the page: it opens the next one
        rows.retain(|row| row.item != last);
        let next = rows.last().map(|row| row.item.clone());
        return Ok((rows, next));
    }
    Ok((rows, None))
}

/// Number and code of each warehouse, by code.
pub(crate) async fn warehouses(connection: &mut Connection) -> Result<Vec<(i64, String)>, Failure> {
    connection
        .rows(
            "SELECT id, code FROM warehouse ORDER BY code LIMIT 500",
            binds![],
        )
        .await
}
