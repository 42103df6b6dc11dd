//! Stock: what is on hand, what is promised, and every movement that made it so. The sum of movements is the balance.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ids::{ItemId, WarehouseId};

/// Stock quantities are kept as integers of 1/10,000 base unit, so that both databases add them exactly.
pub const STOCK_SCALE: u32 = 4;

/// A quantity of base units as the integer that is stored; none: more than four decimals or beyond 64 bits.
pub fn to_stored(quantity: Decimal) -> Option<i64> {
    let scaled = quantity.checked_mul(Decimal::from(10_i64.pow(STOCK_SCALE)))?;
    if scaled.fract().is_zero() {
        i64::try_from(scaled.trunc()).ok()
    } else {
        None
    }
}

/// A stored integer as base units.
pub fn from_stored(stored: i64) -> Decimal {
    Decimal::new(stored, STOCK_SCALE).normalize()
}

/// What one warehouse has of one item, in base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// The item.
    pub item: ItemId,
    /// The warehouse.
    pub warehouse: WarehouseId,
    /// Physically there.
    pub on_hand: Decimal,
    /// Promised to orders and not yet shipped.
    pub reserved: Decimal,
}

impl Balance {
    /// What can still be promised today.
    pub fn available(&self) -> Decimal {
        self.on_hand - self.reserved
    }
}

/// Goods expected to come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedReceipt {
    /// The item.
    pub item: ItemId,
    /// Where to.
    pub warehouse: WarehouseId,
    /// When.
    pub on: NaiveDate,
    /// Base units not promised yet.
    pub quantity: Decimal,
}

/// Why stock moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// Counted or loaded: on hand changes.
    Adjustment,
    /// Promised to an order line: reserved rises.
    Reservation,
    /// A promise taken back: reserved falls.
    Unreservation,
    /// Left the house: on hand and reserved fall.
    Issue,
}

impl MovementKind {
    /// The word in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Adjustment => "adjustment",
            Self::Reservation => "reservation",
            Self::Unreservation => "unreservation",
            Self::Issue => "issue",
        }
    }
}
