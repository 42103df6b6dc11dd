//! Items of our catalogue with every number that names them.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::{Conditions, Page, decimal, from_body};
use crate::domain::catalogue::Item;
use crate::domain::ids::CompanyId;
use crate::storage::connection::{Bind, Connection, list};
use crate::storage::failure::Failure;

/// Which items.
#[derive(Debug, Clone, Default)]
pub struct ItemFilter {
    /// With this code.
    pub item: Option<String>,
    /// Which part of them, in order of code; `offset` goes on.
    pub page: Page,
}

/// An item in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemListing {
    /// Our code.
    pub item: String,
    /// UPC-12, EAN-13 or GTIN-14 of the base unit, empty where there is none.
    pub upc: String,
    /// In words.
    pub description: String,
    /// The unit that stock is counted in.
    pub unit: String,
    /// Base units in a case; null: not known.
    pub pack: Option<String>,
    /// Further units: code → base units in one.
    pub units: BTreeMap<String, String>,
    /// Grams of one base unit, 0 where not known.
    pub grams: i64,
    /// No longer sold.
    pub discontinued: bool,
    /// Every number that names it.
    pub numbers: Vec<ItemNumberListing>,
}

/// A number of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemNumberListing {
    /// `gtin` (14 digits), `vendor` or `buyer`.
    pub class: String,
    /// The number.
    pub value: String,
    /// Whose it is; null: everybody's.
    pub partner: Option<String>,
}

/// Items in order of code.
pub async fn items(
    connection: &mut Connection,
    company: CompanyId,
    filter: &ItemFilter,
) -> Result<Vec<ItemListing>, Failure> {
    let mut conditions = Conditions::new();
    conditions.and("company_id = ?", company);
    conditions.and_some("code = ?", filter.item.clone());
    let (sql, binds) = conditions.ordered("SELECT id, body FROM item", "code", filter.page);
    let rows: Vec<(i64, String)> = connection.rows(&sql, binds).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let mut numbers = numbers_of(connection, &ids).await?;
    rows.into_iter()
        .map(|(id, body)| {
            let item: Item = from_body("item", id, &body)?;
            Ok(ItemListing {
                item: item.code,
                upc: item.upc,
                description: item.description,
                unit: item.base_unit,
                pack: item.case_pack.map(decimal),
                units: item
                    .units
                    .into_iter()
                    .map(|(unit, factor)| (unit, decimal(factor)))
                    .collect(),
                grams: item.grams,
                discontinued: item.discontinued,
                numbers: numbers.remove(&id).unwrap_or_default(),
            })
        })
        .collect()
}

async fn numbers_of(
    connection: &mut Connection,
    items: &[i64],
) -> Result<HashMap<i64, Vec<ItemNumberListing>>, Failure> {
    row! {
        struct Row {
            item_id: i64,
            class: String,
            value: String,
            partner: Option<String>,
        }
    }
    let mut found: HashMap<i64, Vec<ItemNumberListing>> = HashMap::new();
    for chunk in items.chunks(1_000) {
        let sql = format!(
            "SELECT n.item_id, n.class, n.value, p.code AS partner FROM item_number n
             LEFT JOIN partner p ON p.id = n.partner_id WHERE n.item_id IN {} ORDER BY n.class, n.value, n.partner_id",
            list(chunk.len(), 0)
        );
        let binds: Vec<Bind> = chunk.iter().map(|id| (*id).into()).collect();
        for row in connection.rows::<Row>(&sql, binds).await? {
            found
                .entry(row.item_id)
                .or_default()
                .push(ItemNumberListing {
                    class: row.class,
                    value: row.value,
                    partner: row.partner,
                });
        }
    }
    Ok(found)
}

/// Codes of items that have no price at all: nothing of them can be sold without a person.
pub async fn items_without_price(
    connection: &mut Connection,
    company: CompanyId,
    page: Page,
) -> Result<Vec<String>, Failure> {
    let mut conditions = Conditions::new();
    conditions.and("i.company_id = ?", company);
    conditions.plain("NOT EXISTS (SELECT 1 FROM price r WHERE r.item_id = i.id)");
    let (sql, binds) = conditions.ordered("SELECT i.code FROM item i", "i.code", page);
    let rows: Vec<(String,)> = connection.rows(&sql, binds).await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}
