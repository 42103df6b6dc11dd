//! Stock: what is on hand, what is promised, and every movement that made it so. The sum of movements is the balance.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ids::{ItemId, WarehouseId};

/// Stock quantities are kept as integers of 1/10,000 base unit, so that both databases add them exactly.
pub const STOCK_SCALE: u32 = 4;

/// Days for which a receipt is believed that has not been counted on its day; then it is expected no longer. A weekend, and
/// the day on which it is counted.
pub const BELIEVED_DAYS: u32 = 3;

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

/// Whole units of `base_per_unit` base units each that `base` base units make; 0 where there are none.
pub fn whole_units(base: Decimal, base_per_unit: Decimal) -> Decimal {
    if base <= Decimal::ZERO || base_per_unit <= Decimal::ZERO {
        return Decimal::ZERO;
    }
    let Some(units) = base.checked_div(base_per_unit).map(|units| units.floor()) else {
        return Decimal::ZERO;
    };
    // A quotient of 28 digits may have been rounded up to the next whole number.
    match units.checked_mul(base_per_unit) {
        Some(product) if product <= base => units,
        _ => units - Decimal::ONE,
    }
}

/// The least whole number of ordered units that is a whole number of cases too: 24 eaches of a case of 24, 12 tens of
/// cases of 24, one pallet of 40 cases. None where one of the two is not above zero or too fine to be stored.
pub fn units_per_whole_cases(base_per_unit: Decimal, case_pack: Decimal) -> Option<Decimal> {
    let unit = to_stored(base_per_unit).filter(|stored| *stored > 0)?;
    let case = to_stored(case_pack).filter(|stored| *stored > 0)?;
    let (mut divisor, mut rest) = (unit, case);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    Some(Decimal::from(case / divisor))
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
    /// Held for waiting orders that ship complete or not at all, until the rest of them comes in.
    pub set_aside: Decimal,
    /// Left behind by shipments that were to take it, and not counted since: whether it is there nobody knows.
    pub uncounted: Decimal,
}

impl Balance {
    /// What can still be promised today; below zero where less was counted than is held.
    pub fn available(&self) -> Decimal {
        self.on_hand
            .saturating_sub(self.reserved)
            .saturating_sub(self.set_aside)
            .saturating_sub(self.uncounted)
    }

    /// What is set aside and not there, since less was counted.
    pub fn void(&self) -> Decimal {
        (Decimal::ZERO - self.available())
            .min(self.set_aside)
            .max(Decimal::ZERO)
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
    /// Base units announced; zero once it was counted, or is not coming.
    pub quantity: Decimal,
    /// Base units that backorders were promised of it; more than `quantity` where less is announced now.
    pub promised: Decimal,
}

impl ExpectedReceipt {
    /// Base units that nobody was promised.
    pub fn free(&self) -> Decimal {
        self.quantity
            .saturating_sub(self.promised)
            .max(Decimal::ZERO)
    }

    /// Base units that were promised and are not coming.
    pub fn void(&self) -> Decimal {
        self.promised
            .saturating_sub(self.quantity)
            .max(Decimal::ZERO)
    }
}

/// A change of what a backorder is promised of an expected receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiptPromise {
    /// The item.
    pub item: ItemId,
    /// Where the receipt comes in.
    pub warehouse: WarehouseId,
    /// When it was announced for.
    pub on: NaiveDate,
    /// Base units: promised above zero, given back below.
    pub base: Decimal,
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
    /// A promise that a shipment left without: reserved falls, and the goods wait for a count.
    LeftBehind,
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
            Self::LeftBehind => "left_behind",
            Self::Issue => "issue",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn stored_quantities_have_four_decimals() {
        for (quantity, stored) in [
            ("1", Some(10_000)),
            ("0.0001", Some(1)),
            ("0.00001", None),
            ("-2.5", Some(-25_000)),
            ("922337203685477.5807", Some(i64::MAX)),
            ("922337203685477.5808", None),
            ("79228162514264337593543950335", None),
        ] {
            assert_eq!(to_stored(decimal(quantity)), stored, "{quantity}");
            if let Some(stored) = stored {
                assert_eq!(from_stored(stored), decimal(quantity).normalize());
            }
        }
    }

    #[test]
    fn only_whole_units_are_counted() {
        for (base, per_unit, units) in [
            ("47", "12", "3"),
            ("48", "12", "4"),
            ("0", "12", "0"),
            ("-5", "1", "0"),
            ("5", "0", "0"),
            ("5", "-1", "0"),
            ("2.9999", "3", "0"),
            ("10", "0.3333", "30"),
        ] {
            assert_eq!(
                whole_units(decimal(base), decimal(per_unit)),
                decimal(units),
                "{base} by {per_unit}"
            );
        }
    }

    #[test]
    fn units_that_fill_cases() {
        for (per_unit, case, units) in [
            ("1", "24", Some("24")),
            ("24", "24", Some("1")),
            ("12", "24", Some("2")),
            ("10", "24", Some("12")),
            ("960", "24", Some("1")),
            ("0.5", "2", Some("4")),
            ("0", "24", None),
            ("1", "0", None),
            ("0.00001", "1", None),
        ] {
            assert_eq!(
                units_per_whole_cases(decimal(per_unit), decimal(case)),
                units.map(decimal),
                "{per_unit} in {case}"
            );
        }
    }
}
