//! The lists that come as CSV files: items, prices, stock, locations, warehouses.
//!
//! Every row that cannot be taken is explained with its line and column, and what to write instead; the other rows are
//! given typed. Whether a list with faults is loaded in part or not at all is the caller's choice.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use rust_decimal::Decimal;

pub use super::reading::Fault;
pub use super::sheet::{FAULTS_MAX, ListReading, Listed, ROWS_MAX};
use super::sheet::{PACK_MAX, PRICE_MAX, Sheet};
use crate::domain::catalogue::{FulfilmentMode, Location};
use crate::domain::money::Currency;
use crate::domain::order::Mode;

/// First day of a price that names none.
pub const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(1970, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// An item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemRow {
    /// Our code: the column `code`, or `vendor_number`, or `upc`.
    pub code: String,
    /// UPC-12, EAN-13, EAN-8 or GTIN-14 of the base unit, check digit proven; empty where there is none.
    pub upc: String,
    /// GTIN-14 of the case, check digit proven; empty where there is none.
    pub case_upc: String,
    /// The number that buyers call our vendor number of the item (PO1 VN, VA), empty where there is none.
    pub vendor_number: String,
    /// The buyer's number (PO1 IN, SK, BP, CB), empty where there is none.
    pub buyer_number: String,
    /// The partner whose `buyer_number` it is (short name); empty: everybody's.
    pub partner: String,
    /// In words.
    pub description: String,
    /// The unit that stock is counted in.
    pub unit: String,
    /// Base units in a case.
    pub pack: Option<Decimal>,
    /// Further units: code → base units in one.
    pub units: BTreeMap<String, Decimal>,
    /// Grams of one base unit, 0 where not known.
    pub grams: i64,
    /// Price of one base unit for everybody (or for `partner`), where the list gives one.
    pub price: Option<Decimal>,
    /// No longer sold.
    pub discontinued: bool,
}

/// An entry of a price list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRow {
    /// The item by its code, UPC or vendor number.
    pub item: String,
    /// The partner's short name; empty: everybody's price.
    pub partner: String,
    /// Price of one `unit` in major units.
    pub price: Decimal,
    /// The unit it is per; empty: the item's base unit.
    pub unit: String,
    /// Currency; none: the partner's.
    pub currency: Option<Currency>,
    /// First day it holds.
    pub from: NaiveDate,
    /// Last day it holds; none: until further notice.
    pub until: Option<NaiveDate>,
}

/// What a warehouse has, or expects, of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockRow {
    /// Code of the warehouse.
    pub warehouse: String,
    /// The item by its code, UPC or vendor number.
    pub item: String,
    /// Base units: on hand as counted, or expected. With at most four decimals.
    pub quantity: Decimal,
    /// The day the goods come in; none: they are there.
    pub expected_on: Option<NaiveDate>,
    /// Which world's stock.
    pub mode: Mode,
}

/// A warehouse of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarehouseRow {
    /// Our code.
    pub code: String,
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
    /// Country, empty: the company's.
    pub country: String,
    /// Time zone by its IANA name.
    pub zone: Tz,
    /// How shipments are confirmed there.
    pub fulfilment: FulfilmentMode,
    /// SCAC used where nothing else names a carrier.
    pub carrier: String,
}

const ITEM_COLUMNS: &[&str] = &[
    "code",
    "upc",
    "case_upc",
    "vendor_number",
    "buyer_number",
    "partner",
    "description",
    "unit",
    "pack",
    "units",
    "grams",
    "price",
    "discontinued",
];
const PRICE_COLUMNS: &[&str] = &[
    "item", "partner", "price", "unit", "currency", "from", "until",
];
const STOCK_COLUMNS: &[&str] = &["warehouse", "item", "quantity", "expected_on", "mode"];
const LOCATION_COLUMNS: &[&str] = &[
    "number", "name", "street", "city", "state", "zip", "country",
];
const WAREHOUSE_COLUMNS: &[&str] = &[
    "code",
    "name",
    "street",
    "city",
    "state",
    "zip",
    "country",
    "zone",
    "fulfilment",
    "carrier",
];

/// The columns of each list, by its name.
pub const COLUMNS: &[(&str, &[&str])] = &[
    ("items", ITEM_COLUMNS),
    ("prices", PRICE_COLUMNS),
    ("stock", STOCK_COLUMNS),
    ("locations", LOCATION_COLUMNS),
    ("warehouses", WAREHOUSE_COLUMNS),
];

/// Reads a list of items. Columns: `code`, `upc`, `case_upc`, `vendor_number`, `buyer_number`, `partner`,
/// `description`, `unit`, `pack`, `units` (`PL=960 BX=6`), `grams`, `price`, `discontinued`; one of the first two or
/// `vendor_number` has to be there.
pub fn items(bytes: &[u8]) -> ListReading<ItemRow> {
    let mut sheet = Sheet::open(bytes, ITEM_COLUMNS, &[]);
    if sheet.opened()
        && !["code", "vendor_number", "upc"]
            .iter()
            .any(|name| sheet.has(name))
    {
        sheet.fault(
            1,
            "",
            "the list has neither `code` nor `vendor_number` nor `upc`, so nothing says which item a row is",
            "Add one of these columns",
        );
        return sheet.nothing();
    }
    sheet.read(
        |cells| {
            let vendor_number = cells.text("vendor_number");
            let upc = cells.gtin("upc");
            let code = [cells.text("code"), vendor_number.clone(), upc.clone()]
                .into_iter()
                .find(|text| !text.is_empty())
                .unwrap_or_default();
            if code.is_empty() && cells.is_sound() {
                cells.fault(
                    "code",
                    "nothing says which item it is",
                    "Write a code, a vendor number or a UPC",
                );
            }
            let unit = cells.unit("unit", "EA");
            ItemRow {
                code,
                upc,
                case_upc: cells.gtin("case_upc"),
                vendor_number,
                buyer_number: cells.text("buyer_number"),
                partner: cells.short_name("partner"),
                description: cells.text("description"),
                pack: cells.above_zero_up_to("pack", PACK_MAX),
                units: cells.units("units", &unit),
                unit,
                grams: cells.whole("grams"),
                price: cells.not_below_zero_up_to("price", PRICE_MAX),
                discontinued: cells.yes("discontinued"),
            }
        },
        |row| format!("{}\u{0}{}", row.code, row.partner),
    )
}

/// Reads a price list. Columns: `item`, `partner`, `price`, `unit`, `currency`, `from`, `until`; `item` and `price`
/// have to be there.
pub fn prices(bytes: &[u8]) -> ListReading<PriceRow> {
    Sheet::open(bytes, PRICE_COLUMNS, &["item", "price"]).read(
        |cells| {
            let from = cells.date("from");
            let until = cells.date("until");
            if let (Some(first), Some(last)) = (from, until)
                && last < first
            {
                cells.fault(
                    "until",
                    format!("the price ends on {last}, before it begins"),
                    "Write a later day, or leave it empty",
                );
            }
            PriceRow {
                item: cells.required("item"),
                partner: cells.short_name("partner"),
                price: cells
                    .not_below_zero_up_to("price", PRICE_MAX)
                    .unwrap_or_else(|| cells.missing("price", Decimal::ZERO)),
                unit: cells.unit("unit", ""),
                currency: cells.currency("currency"),
                from: from.unwrap_or(FIRST_DAY),
                until,
            }
        },
        |row| {
            let currency = row.currency.map(|currency| currency.to_string());
            format!(
                "{}\u{0}{}\u{0}{}\u{0}{}\u{0}{}",
                row.item,
                row.partner,
                row.unit,
                currency.unwrap_or_default(),
                row.from
            )
        },
    )
}

/// Reads stock. Columns: `warehouse`, `item`, `quantity`, `expected_on`, `mode`; the first three have to be there.
pub fn stock(bytes: &[u8]) -> ListReading<StockRow> {
    Sheet::open(bytes, STOCK_COLUMNS, &["warehouse", "item", "quantity"]).read(
        |cells| StockRow {
            warehouse: cells.required("warehouse"),
            item: cells.required("item"),
            quantity: cells.quantity("quantity"),
            expected_on: cells.date("expected_on"),
            mode: cells.mode("mode"),
        },
        |row| {
            let day = row.expected_on.map(|day| day.to_string());
            format!(
                "{}\u{0}{}\u{0}{}\u{0}{}",
                row.warehouse,
                row.item,
                row.mode.word(),
                day.unwrap_or_default()
            )
        },
    )
}

/// Reads the locations of a partner. Columns: `number`, `name`, `street`, `city`, `state`, `zip`, `country`; `number`
/// has to be there.
pub fn locations(bytes: &[u8]) -> ListReading<Location> {
    Sheet::open(bytes, LOCATION_COLUMNS, &["number"]).read(
        |cells| Location {
            number: cells.required("number"),
            name: cells.text("name"),
            street: cells.text("street"),
            city: cells.text("city"),
            state: cells.text("state"),
            postal_code: cells.text("zip"),
            country: cells.country("country"),
        },
        |row| row.number.clone(),
    )
}

/// Reads our warehouses. Columns: `code`, `name`, `street`, `city`, `state`, `zip`, `country`, `zone`, `fulfilment`
/// (`person`, `file` or `at_once`), `carrier`; `code` has to be there.
pub fn warehouses(bytes: &[u8]) -> ListReading<WarehouseRow> {
    Sheet::open(bytes, WAREHOUSE_COLUMNS, &["code"]).read(
        |cells| WarehouseRow {
            code: cells.plain_code("code"),
            name: cells.text("name"),
            street: cells.text("street"),
            city: cells.text("city"),
            state: cells.text("state"),
            postal_code: cells.text("zip"),
            country: cells.country("country"),
            zone: cells.zone("zone"),
            fulfilment: cells.fulfilment("fulfilment"),
            carrier: cells.scac("carrier"),
        },
        |row| row.code.clone(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(faults: &[Fault]) -> String {
        faults.iter().map(|fault| format!("{fault}\n")).collect()
    }

    #[test]
    fn the_generators_item_list_loads_as_it_is() {
        let list = items(b"upc,vendor_number,buyer_number,description,price,pack\n614141000005,VN-00000,BP0000000,STEEL BRASS HOSE 3 IN,12.34,24\n614141000012,VN-00001,BP0000001,\"HINGE, HEAVY\",0.25,6\n");
        assert_eq!(list.faults, [], "{}", told(&list.faults));
        let first = &list.rows[0].row;
        assert_eq!(list.rows[0].line, 2);
        assert_eq!(
            (first.code.as_str(), first.unit.as_str()),
            ("VN-00000", "EA")
        );
        assert_eq!(first.price, Some(Decimal::new(1234, 2)));
        assert_eq!(first.pack, Some(Decimal::from(24)));
        assert_eq!(list.rows[1].row.description, "HINGE, HEAVY");
    }

    #[test]
    fn every_fault_of_every_row_is_told_and_the_others_are_given() {
        let list = items(b"code,upc,pack,price,units,discontinued\nA,614141000006,0,1.2.3,PL=x,perhaps\nB,614141000005,6,\"1,50\",,\nC,,6,1.50,PL=960 BX=6,yes\nC,,6,1.50,,\n,,,2,,\nD,,,,,,,,\n");
        let all = told(&list.faults);
        for words in [
            "line 2, upc: 614141000006 has the check digit 6, and 5 belongs",
            "line 2, pack: 0 is not above zero",
            "line 2, price: \"1.2.3\" is no number",
            "line 2, units: \"PL=X\" is no conversion",
            "line 2, discontinued:",
            "line 3, price: \"1,50\" is no number",
            "line 5: the row repeats line 4",
            "line 6, code: nothing says which item it is",
            "line 7: the row has 9 cells and the heading 6",
        ] {
            assert!(all.contains(words), "{words} not in\n{all}");
        }
        assert_eq!(list.rows.len(), 1);
        assert_eq!(list.rows[0].row.units["PL"], Decimal::from(960));
        assert!(list.rows[0].row.discontinued);
    }

    #[test]
    fn a_heading_that_is_not_understood_stops_the_list() {
        for (text, words) in [
            ("", "the file is empty"),
            (
                "warehose,item,quantity\nE,A,1\n",
                "Did you mean `warehouse`?",
            ),
            (
                "warehouse,item\nE,A\n",
                "line 1, quantity: the column is missing",
            ),
        ] {
            let list = stock(text.as_bytes());
            assert!(list.rows.is_empty());
            assert!(
                told(&list.faults).contains(words),
                "{text}: {}",
                told(&list.faults)
            );
        }
    }

    #[test]
    fn semicolons_blanks_capitals_and_a_byte_order_mark_pass() {
        let list = stock(
            b"\xef\xbb\xbfWarehouse;Item;Quantity;Expected On\r\nEAST;A;12.5;2026-03-01\r\n\r\n",
        );
        assert_eq!(list.faults, [], "{}", told(&list.faults));
        let row = &list.rows[0].row;
        assert_eq!(
            (row.warehouse.as_str(), row.mode),
            ("EAST", Mode::Production)
        );
        assert_eq!(row.expected_on, NaiveDate::from_ymd_opt(2026, 3, 1));
    }

    #[test]
    fn prices_locations_and_warehouses() {
        let list = prices(b"item,partner,price,unit,currency,from,until\nA,bigbuy,1.999,EA,USD,2026-01-01,\nA,,2,,,,\nB,Big Buy,-1,EACH,usd,01/02/2026,\nC,,1,,,2026-02-01,2026-01-01\n");
        assert_eq!(list.rows.len(), 2);
        assert_eq!(list.rows[1].row.from, FIRST_DAY);
        let all = told(&list.faults);
        for words in [
            "line 4, partner",
            "line 4, price",
            "line 4, unit",
            "line 4, currency",
            "line 4, from",
            "line 5, until",
        ] {
            assert!(all.contains(words), "{words} not in\n{all}");
        }
        let list = locations(
            b"number,name,street,city,state,zip\n0001,STORE 0001,12 MAIN STREET,RENO,NV,89501\n",
        );
        assert_eq!(list.rows[0].row.postal_code, "89501");
        let list = warehouses(b"code,name,zone,fulfilment\nEAST,East,America/New_York,at_once\nWEST,West,Mars/Base,soon\n");
        assert_eq!(list.rows[0].row.fulfilment, FulfilmentMode::AtOnce);
        assert_eq!(list.faults.len(), 2);
    }

    #[test]
    fn slips_are_told_with_their_line() {
        let list = items(b"code,pack,unit,units,price\nA,99999999999999999999,EA,,1\nB,6,EA,EA=5,1\nC,6,EA,PL=99999999999,1\nD,6,EA,PL=96,99999999999999999\nE,6,CA,EA=5,1\nF,6,EA,,1\n");
        let all = told(&list.faults);
        for words in [
            "line 2, pack: 99999999999999999999 is more than 1000000",
            "line 3, units: \"EA=5\" converts the unit",
            "line 4, units",
            "line 5, price: 99999999999999999 is more than",
        ] {
            assert!(all.contains(words), "{words} not in\n{all}");
        }
        assert_eq!(list.rows.len(), 2, "{all}");
        let list = prices(b"item,price,currency\nA,1,XXX\nB,1,CAD\n");
        assert!(
            told(&list.faults).contains("line 2, currency: \"XXX\" is no currency"),
            "{}",
            told(&list.faults)
        );
        assert_eq!(list.rows.len(), 1);
        let list = warehouses(b"code,name\n../../z,Z\nA/B,AB\n.hidden,H\nEAST-1_b.2,East\n");
        assert_eq!(list.faults.len(), 3, "{}", told(&list.faults));
        assert_eq!(list.rows[0].row.code, "EAST-1_b.2");
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_is_a_fault() {
        for (text, line) in [
            ("code,description\nA,ok\nB,\"open", Some(3)),
            ("code,description\nA,\"open\nB,x\n", Some(2)),
            ("code,description\nA,\"a \"\"b\"\"\"\nB,5\" nail\n", None),
        ] {
            let list = items(text.as_bytes());
            let found = list
                .faults
                .iter()
                .find(|fault| fault.what.contains("never closed"));
            assert_eq!(found.map(|fault| fault.line), line, "{text}");
        }
    }

    #[test]
    fn any_bytes_are_answered() {
        for bytes in [
            &b"\x00\xff\xfe"[..],
            b"code\n\xff\n",
            b"code\n\"open",
            b",,,\n1,2,3",
            b"code\n\n\n",
        ] {
            let list = items(bytes);
            assert!(list.rows.is_empty() || list.faults.is_empty());
        }
    }
}
