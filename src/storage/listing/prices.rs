//! Price lists: everybody's and those of single partners.

use chrono::NaiveDate;
use serde::Serialize;

use super::{Conditions, Page, corrupt};
use crate::domain::ids::{CompanyId, PartnerId};
use crate::storage::connection::Connection;
use crate::storage::failure::Failure;

/// Which prices.
#[derive(Debug, Clone, Default)]
pub struct PriceFilter {
    /// Of the item with this code.
    pub item: Option<String>,
    /// That hold for this partner: its own and everybody's.
    pub partner: Option<PartnerId>,
    /// Which part of them, in order of item; `offset` goes on.
    pub page: Page,
}

/// An entry of a price list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PriceListing {
    /// Code of the item.
    pub item: String,
    /// Whose price; null: everybody's.
    pub partner: Option<String>,
    /// Price of one `unit` in major units.
    pub price: String,
    /// The unit it is per.
    pub unit: String,
    /// Currency.
    pub currency: String,
    /// First day it holds.
    pub from: NaiveDate,
    /// Last day it holds; null: until further notice.
    pub until: Option<NaiveDate>,
}

/// Prices in order of item, partner and day.
pub async fn prices(
    connection: &mut Connection,
    company: CompanyId,
    filter: &PriceFilter,
) -> Result<Vec<PriceListing>, Failure> {
    row! {
        struct Row {
            item: String,
            partner: Option<String>,
            price: String,
            unit: String,
            currency: String,
            from_date: String,
            until_date: Option<String>,
        }
    }
    let mut conditions = Conditions::new();
    conditions.and("i.company_id = ?", company);
    conditions.and_some("i.code = ?", filter.item.clone());
    conditions.and_some("r.partner_id IN (0, ?)", filter.partner);
    let (sql, binds) = conditions.ordered(
        "SELECT i.code AS item, p.code AS partner, r.price, r.unit, r.currency, r.from_date, r.until_date
         FROM item i JOIN price r ON r.item_id = i.id LEFT JOIN partner p ON p.id = r.partner_id",
        "i.code, r.partner_id, r.unit, r.currency, r.from_date",
        filter.page,
    );
    let rows: Vec<Row> = connection.rows(&sql, binds).await?;
    rows.into_iter()
        .map(|row| {
            let day = |text: &str| text.parse().map_err(corrupt("price", &row.item));
            Ok(PriceListing {
                from: day(&row.from_date)?,
                until: row.until_date.as_deref().map(day).transpose()?,
                item: row.item,
                partner: row.partner,
                price: row.price,
                unit: row.unit,
                currency: row.currency,
            })
        })
        .collect()
}
