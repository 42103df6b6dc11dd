//! Deadlines: when a document is due by the partner's rules and what missing it costs. Data with its source: nothing is
//! decided by it.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// When one kind of document is due. It counts for 997 and 999 from receiving the interchange, for 855 from receiving
/// the order, for 856 and 810 from shipping.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Deadline {
    /// Minutes; added to `within_hours`.
    pub within_minutes: u32,
    /// Hours.
    pub within_hours: u32,
    /// Fine for missing it, in major units of the partner's currency; 0: none known.
    pub fine: Decimal,
    /// What the fine is for each of.
    pub fine_per: FinePer,
    /// Least fine for one case.
    pub fine_minimum: Decimal,
    /// Where that is written: guide, page.
    pub source: String,
    /// The day on which it was looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<NaiveDate>,
}

impl Deadline {
    /// The whole time in minutes.
    pub fn minutes(&self) -> u32 {
        self.within_hours
            .saturating_mul(60)
            .saturating_add(self.within_minutes)
    }
}

/// What a fine is for each of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinePer {
    /// Each late document.
    #[default]
    Document,
    /// Each carton of the shipment.
    Carton,
    /// Each order.
    Order,
    /// Each hundred of the invoice's value: a percentage.
    Percent,
}
