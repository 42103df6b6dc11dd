//! What we sell, to whom at what price, and where it goes: items, prices, locations; and exact conversion of units.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ids::{ItemId, PartnerId, WarehouseId};
use super::money::Currency;

/// An item of our catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its number in the database.
    pub id: ItemId,
    /// Our own code.
    pub code: String,
    /// UPC-12, EAN-13 or GTIN-14 of the base unit, empty where there is none.
    #[serde(default)]
    pub upc: String,
    /// In words.
    #[serde(default)]
    pub description: String,
    /// The unit that stock is counted in, EA for most.
    pub base_unit: String,
    /// Base units in a case (CA, CT); none: not known.
    #[serde(default)]
    pub case_pack: Option<Decimal>,
    /// Further units of measure: code → base units in one. `CA` follows from `case_pack` unless it stands here.
    #[serde(default)]
    pub units: BTreeMap<String, Decimal>,
    /// Grams of one base unit, 0 where not known.
    #[serde(default)]
    pub grams: i64,
    /// No longer sold.
    #[serde(default)]
    pub discontinued: bool,
}

/// One entry of a price list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceEntry {
    /// Whose price; none: everybody's.
    pub partner: Option<PartnerId>,
    /// Of what.
    pub item: ItemId,
    /// Price of one `unit`, in major units.
    pub price: Decimal,
    /// Unit of measure the price is per.
    pub unit: String,
    /// Currency.
    pub currency: Currency,
    /// First day it holds.
    pub from: NaiveDate,
    /// Last day it holds, none: until further notice.
    pub until: Option<NaiveDate>,
}

/// A place of the partner's: store, distribution centre, consumer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// The partner's own number of it (N104 with qualifier 92), or a GLN (UL), D-U-N-S (9).
    pub number: String,
    /// Name.
    pub name: String,
    /// Street.
    pub street: String,
    /// City.
    pub city: String,
    /// State or province.
    pub state: String,
    /// Postal code.
    pub postal_code: String,
    /// Country, empty: the company's own.
    #[serde(default)]
    pub country: String,
}

/// One of our warehouses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warehouse {
    /// Its number in the database.
    pub id: WarehouseId,
    /// Our code of it.
    pub code: String,
    /// Name, for the ship notice's ship-from.
    pub name: String,
    /// Street.
    pub street: String,
    /// City.
    pub city: String,
    /// State or province.
    pub state: String,
    /// Postal code.
    pub postal_code: String,
    /// Country.
    #[serde(default)]
    pub country: String,
    /// Time zone, by its IANA name; the ship window opens and closes by it.
    pub zone: String,
    /// How shipments are confirmed there.
    pub fulfilment: FulfilmentMode,
    /// SCAC used where neither order nor confirmation names a carrier.
    #[serde(default)]
    pub carrier: String,
}

/// How a warehouse tells that a shipment has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FulfilmentMode {
    /// A person confirms in the console or by `shipment confirm`.
    Person,
    /// A file in the warehouse's folder confirms.
    File,
    /// As soon as the ship window is open.
    AtOnce,
}

impl FulfilmentMode {
    /// The word in files and in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::File => "file",
            Self::AtOnce => "at_once",
        }
    }
}

impl std::str::FromStr for FulfilmentMode {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "person" => Ok(Self::Person),
            "file" => Ok(Self::File),
            "at_once" => Ok(Self::AtOnce),
            other => Err(format!(
                "{other:?} is no way to confirm shipments: person, file or at_once"
            )),
        }
    }
}

impl Item {
    /// Base units in one `unit`, exact; none: no conversion is known and the line has to be held.
    ///
    /// Known without the item: pair (PR), dozen (DZ), gross (GR), hundred (HU), thousand (TH); each counts base units
    /// of the item, and only where the base unit is each (EA).
    pub fn base_per(&self, unit: &str) -> Option<Decimal> {
        if unit == self.base_unit {
            return Some(Decimal::ONE);
        }
        if let Some(factor) = self.units.get(unit) {
            return Some(*factor);
        }
        if matches!(unit, "CA" | "CT" | "CS") {
            return self.case_pack;
        }
        if self.base_unit != "EA" {
            return None;
        }
        match unit {
            "PC" | "UN" => Some(Decimal::ONE),
            "PR" => Some(Decimal::TWO),
            "DZ" => Some(Decimal::from(12)),
            "GR" => Some(Decimal::from(144)),
            "HU" => Some(Decimal::from(100)),
            "TH" => Some(Decimal::from(1000)),
            _ => None,
        }
    }

    /// The units that the item is known in: its base unit, its case, those it lists, and what counts pieces.
    pub fn units_known(&self) -> Vec<&str> {
        let case = self.case_pack.map(|_| "CA");
        let mut units = vec![self.base_unit.as_str()];
        units.extend(
            case.into_iter()
                .chain(self.units.keys().map(String::as_str)),
        );
        if self.base_unit == "EA" {
            units.extend(
                ["PC", "PR", "DZ", "GR", "HU", "TH"]
                    .into_iter()
                    .filter(|unit| !self.units.contains_key(*unit)),
            );
        }
        units.dedup();
        units
    }

    /// Base units that a price with element 639 `basis` is for, when the line is ordered in `unit` (X12-RULES 52).
    /// `each_basis_per_unit` is the partner's reading of PE on a line counted in cases: per the line's unit.
    pub fn base_per_price(
        &self,
        basis: &str,
        unit: &str,
        each_basis_per_unit: bool,
    ) -> Option<Decimal> {
        match basis {
            "" | "UM" => self.base_per(unit),
            "PE" if each_basis_per_unit => self.base_per(unit),
            "EA" | "PE" | "UN" => self.base_per("EA"),
            "PD" | "DZ" => self.base_per("DZ"),
            "PN" => Some(Decimal::TEN * self.base_per("EA")?),
            "HP" | "HU" => self.base_per("HU"),
            "TP" | "TH" => self.base_per("TH"),
            "PR" => self.base_per("PR"),
            "CA" | "CT" | "PT" | "PF" => self.base_per("CA"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> Item {
        Item {
            id: ItemId(1),
            code: "A".into(),
            upc: String::new(),
            description: String::new(),
            base_unit: "EA".into(),
            case_pack: Some(Decimal::from(24)),
            units: BTreeMap::from([("PL".to_owned(), Decimal::from(960))]),
            grams: 0,
            discontinued: false,
        }
    }

    #[test]
    fn units_convert_exactly_or_not_at_all() {
        let table = [
            ("EA", Some(1)),
            ("CA", Some(24)),
            ("DZ", Some(12)),
            ("PL", Some(960)),
            ("LB", None),
            ("PK", None),
            ("", None),
        ];
        for (unit, base) in table {
            assert_eq!(item().base_per(unit), base.map(Decimal::from), "{unit}");
        }
    }

    #[test]
    fn rule_052_price_basis() {
        let table = [
            ("", "CA", false, Some(24)),
            ("PE", "CA", false, Some(1)),
            ("PE", "CA", true, Some(24)),
            ("PD", "EA", false, Some(12)),
            ("PN", "EA", false, Some(10)),
            ("HP", "CA", false, Some(100)),
            ("TP", "EA", false, Some(1000)),
            ("CA", "EA", false, Some(24)),
            ("PP", "EA", false, None),
        ];
        for (basis, unit, per_unit, base) in table {
            assert_eq!(
                item().base_per_price(basis, unit, per_unit),
                base.map(Decimal::from),
                "{basis} on {unit}"
            );
        }
    }
}
