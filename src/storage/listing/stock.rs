//! Stock by item and warehouse, with what is expected to come in.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use serde::Serialize;

use super::{Conditions, Page, corrupt, decimal};
use crate::domain::ids::CompanyId;
use crate::domain::order::Mode;
use crate::domain::stock::from_stored;
use crate::storage::connection::{Connection, list};
use crate::storage::failure::Failure;

/// Which stock.
#[derive(Debug, Clone, Default)]
pub struct StockFilter {
    /// Of the item with this code.
    pub item: Option<String>,
    /// In the warehouse with this code.
    pub warehouse: Option<String>,
    /// Production or test; none: both.
    pub mode: Option<Mode>,
    /// Which part of it, in order of item; `offset` goes on.
    pub page: Page,
}

/// What one warehouse has of one item, in base units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StockListing {
    /// Code of the item.
    pub item: String,
    /// Code of the warehouse.
    pub warehouse: String,
    /// `production` or `test`.
    pub mode: String,
    /// Physically there.
    pub on_hand: String,
    /// Promised and not shipped yet.
    pub reserved: String,
    /// Held for waiting orders that ship complete or not at all.
    pub set_aside: String,
    /// Left behind by shipments and not counted since; `stock import` counts it.
    pub uncounted: String,
    /// What can still be promised today.
    pub available: String,
    /// What is expected to come in and not promised yet, soonest first.
    pub expected: Vec<ExpectedListing>,
}

/// Goods expected to come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpectedListing {
    /// When.
    pub on: NaiveDate,
    /// Base units not promised yet.
    pub quantity: String,
}

row! {
    struct Row {
        item_id: i64,
        warehouse_id: i64,
        item: String,
        warehouse: String,
        mode: String,
        on_hand: i64,
        reserved: i64,
        set_aside: i64,
        uncounted: i64,
    }
}

/// Where something is there or expected.
const PLACES: &str = "SELECT item_id, warehouse_id, mode FROM stock
    UNION SELECT item_id, warehouse_id, mode FROM expected_receipt WHERE closed = 0 AND quantity > promised";

/// Stock in order of item and warehouse.
pub async fn stock(
    connection: &mut Connection,
    company: CompanyId,
    filter: &StockFilter,
) -> Result<Vec<StockListing>, Failure> {
    let mut conditions = Conditions::new();
    conditions.and("i.company_id = ?", company);
    conditions.and_some("i.code = ?", filter.item.clone());
    conditions.and_some("w.code = ?", filter.warehouse.clone());
    conditions.and_some("q.mode = ?", filter.mode.map(|mode| mode.word().to_owned()));
    let select = format!(
        "SELECT q.item_id, q.warehouse_id, i.code AS item, w.code AS warehouse, q.mode,
           COALESCE(s.on_hand, 0) AS on_hand, COALESCE(s.reserved, 0) AS reserved,
           COALESCE(s.set_aside, 0) AS set_aside, COALESCE(s.uncounted, 0) AS uncounted
         FROM ({PLACES}) q JOIN item i ON i.id = q.item_id JOIN warehouse w ON w.id = q.warehouse_id
           LEFT JOIN stock s ON s.item_id = q.item_id AND s.warehouse_id = q.warehouse_id AND s.mode = q.mode"
    );
    let (sql, binds) = conditions.ordered(&select, "i.code, w.code, q.mode", filter.page);
    let rows: Vec<Row> = connection.rows(&sql, binds).await?;
    let items: Vec<i64> = rows
        .iter()
        .map(|row| (row.item_id, ()))
        .collect::<BTreeMap<_, _>>()
        .into_keys()
        .collect();
    let mut expected = expected_of(connection, &items).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let available = row.on_hand - row.reserved - row.set_aside - row.uncounted;
            let units = |stored| decimal(from_stored(stored));
            let expected = expected
                .remove(&(row.item_id, row.warehouse_id, row.mode.clone()))
                .unwrap_or_default();
            StockListing {
                item: row.item,
                warehouse: row.warehouse,
                mode: row.mode,
                on_hand: units(row.on_hand),
                reserved: units(row.reserved),
                set_aside: units(row.set_aside),
                uncounted: units(row.uncounted),
                available: units(available.max(0)),
                expected,
            }
        })
        .collect())
}

type Place = (i64, i64, String);

async fn expected_of(
    connection: &mut Connection,
    items: &[i64],
) -> Result<HashMap<Place, Vec<ExpectedListing>>, Failure> {
    let mut found: HashMap<Place, Vec<ExpectedListing>> = HashMap::new();
    for chunk in items.chunks(1_000) {
        let sql = format!(
            "SELECT item_id, warehouse_id, mode, on_date, quantity - promised FROM expected_receipt
             WHERE closed = 0 AND quantity > promised AND item_id IN {} ORDER BY on_date",
            list(chunk.len(), 0)
        );
        let rows: Vec<(i64, i64, String, String, i64)> = connection
            .rows(&sql, chunk.iter().map(|id| (*id).into()).collect())
            .await?;
        for (item, warehouse, mode, on, quantity) in rows {
            found
                .entry((item, warehouse, mode))
                .or_default()
                .push(ExpectedListing {
                    on: on.parse().map_err(corrupt("expected_receipt", item))?,
                    quantity: decimal(from_stored(quantity)),
                });
        }
    }
    Ok(found)
}
