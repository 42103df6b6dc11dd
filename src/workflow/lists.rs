//! Lists of items, prices, stock, locations and warehouses become what verification and allocation look up. A list is
//! loaded whole or not at all.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{Days, NaiveDate};

use super::{COMPANY, Gateway, orders, receipts as overdue};
use crate::config::lists::{
    self, Fault, ItemRow, ListReading, Listed, PriceRow, StockRow, WarehouseRow,
};
use crate::config::profile::Profile;
use crate::domain::catalogue::{Item, Location, PriceEntry, Warehouse};
use crate::domain::ids::{ItemId, PartnerId, WarehouseId};
use crate::domain::money::Currency;
use crate::domain::order::{ItemNumber, Mode};
use crate::domain::stock::to_stored;
use crate::storage::catalogue::{self, NewNumber, NumberClass};
use crate::storage::journal::Subject;
use crate::storage::{Class, Connection, Failure, receipts as expected};
use crate::translation::outbound::delimiters;
use crate::translation::outbound::text::unsendable_place;

/// Which list a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// Items.
    Items,
    /// Prices.
    Prices,
    /// Stock on hand and expected.
    Stock,
    /// A partner's places.
    Locations,
    /// Our warehouses.
    Warehouses,
}

/// One list as it was read: its rows, those with faults too, and the faults.
#[derive(Clone)]
enum Rows {
    Items(ListReading<ItemRow>),
    Prices(ListReading<PriceRow>),
    Stock(ListReading<StockRow>),
    Locations(ListReading<Location>),
    Warehouses(ListReading<WarehouseRow>),
}

/// Loads a list. `partner` is whose it is where the rows do not say: its places, its own item numbers, its prices. How
/// many rows were loaded. A list with a fault is refused whole, with every fault: of form, and of what it names.
pub async fn load(
    gateway: &Gateway,
    kind: ListKind,
    bytes: &[u8],
    partner: Option<&str>,
    actor: &str,
) -> Result<usize, Failure> {
    let rows = match kind {
        ListKind::Items => Rows::Items(lists::items(bytes)),
        ListKind::Prices => Rows::Prices(lists::prices(bytes)),
        ListKind::Stock => Rows::Stock(lists::stock(bytes)),
        ListKind::Locations => Rows::Locations(lists::locations(bytes)),
        ListKind::Warehouses => Rows::Warehouses(lists::warehouses(bytes)),
    };
    let (inside, partner, actor) = (
        gateway.clone(),
        partner.map(str::to_owned),
        actor.to_owned(),
    );
    let loaded = gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (gateway, rows, partner, actor) =
                (inside.clone(), rows.clone(), partner.clone(), actor.clone());
            Box::pin(
                async move { write(&gateway, connection, rows, partner.as_deref(), &actor).await },
            )
        })
        .await?;
    gateway.wake();
    Ok(loaded)
}

/// The rows of a list where nothing is wrong with it; else every fault, those of form and those found since, in order of
/// line.
fn sound<T>(list: ListReading<T>, found: Vec<Fault>) -> Result<Vec<T>, Failure> {
    let mut faults = list.faults;
    faults.extend(found);
    if faults.is_empty() {
        return Ok(list.rows.into_iter().map(|listed| listed.row).collect());
    }
    faults.sort_by_key(|fault| fault.line);
    let more = faults.len().saturating_sub(lists::FAULTS_MAX);
    let mut told: Vec<String> = faults
        .iter()
        .take(lists::FAULTS_MAX)
        .map(ToString::to_string)
        .collect();
    if more > 0 {
        told.push(format!("… and {more} more"));
    }
    Err(Failure::refuse(format!(
        "nothing was loaded, for the list has faults:\n{}",
        told.join("\n")
    )))
}

/// Every row of a list, those with faults of form too.
fn all<T>(list: &ListReading<T>) -> impl Iterator<Item = &Listed<T>> {
    list.rows.iter().chain(&list.faulty)
}

fn unknown(line: usize, column: &str, what: String, instead: &str) -> Fault {
    Fault {
        line,
        key: column.to_owned(),
        what,
        instead: instead.to_owned(),
    }
}

async fn write(
    gateway: &Gateway,
    connection: &mut Connection,
    rows: Rows,
    partner: Option<&str>,
    actor: &str,
) -> Result<usize, Failure> {
    let partners = partners(connection).await?;
    let named = Named {
        partners,
        given: partner.map(str::to_owned),
    };
    let (what, n) = match rows {
        Rows::Items(rows) => (
            "items",
            save_items(gateway, connection, &named, rows).await?,
        ),
        Rows::Prices(rows) => (
            "prices",
            save_prices(gateway, connection, &named, rows).await?,
        ),
        Rows::Stock(rows) => ("stock", save_stock(gateway, connection, rows).await?),
        Rows::Locations(rows) => {
            let mut found = named.given_unknown();
            if named.given.is_none() {
                found.push(unknown(
                    1,
                    "--partner",
                    "a list of locations belongs to a partner".to_owned(),
                    "Name it with --partner",
                ));
            }
            if let Some(partner) = named.given_partner().ok().flatten() {
                let trading = gateway.trading(connection, partner).await?;
                found.extend(unsendable(&trading.profile, &rows));
            }
            let rows = sound(rows, found)?;
            if let Some(partner) = named.given_partner()? {
                catalogue::save_locations(connection, partner, &rows).await?;
            }
            ("locations", rows.len())
        }
        Rows::Warehouses(rows) => {
            let warehouses: Vec<Warehouse> = sound(rows, Vec::new())?
                .into_iter()
                .map(warehouse)
                .collect();
            catalogue::save_warehouses(connection, COMPANY, &warehouses).await?;
            ("warehouses", warehouses.len())
        }
    };
    let detail = match n {
        1 => "1 row".to_owned(),
        n => format!("{n} rows"),
    };
    connection
        .record(
            gateway.now(),
            actor,
            &format!("{what} loaded"),
            Subject::new("company", COMPANY.0),
            &detail,
        )
        .await?;
    Ok(n)
}

/// What of the locations could not be written into a document to their partner, which would then be held.
fn unsendable(profile: &Profile, list: &ListReading<Location>) -> Vec<Fault> {
    let delimiters = delimiters(&profile.envelope);
    all(list)
        .flat_map(|listed| {
            unsendable_place(&listed.row, &delimiters)
                .into_iter()
                .map(|(column, what, instead)| unknown(listed.line, column, what, instead))
        })
        .collect()
}

async fn partners(connection: &mut Connection) -> Result<HashMap<String, PartnerId>, Failure> {
    Ok(connection
        .partners()
        .await?
        .into_iter()
        .map(|row| (row.code, PartnerId(row.id)))
        .collect())
}

/// Partners by their short names.
struct Named {
    partners: HashMap<String, PartnerId>,
    given: Option<String>,
}

impl Named {
    fn given_partner(&self) -> Result<Option<PartnerId>, Failure> {
        self.given
            .as_deref()
            .map(|code| self.find(code))
            .transpose()
    }

    fn find(&self, code: &str) -> Result<PartnerId, Failure> {
        self.partners.get(code).copied().ok_or_else(|| {
            Failure::refuse(format!(
                "there is no partner {code:?}; `supercargo partner list` shows the names"
            ))
        })
    }

    /// What is wrong with the partner given for all rows.
    fn given_unknown(&self) -> Vec<Fault> {
        self.given
            .as_deref()
            .and_then(|code| self.unknown(1, "--partner", code))
            .into_iter()
            .collect()
    }

    /// What is wrong with a partner that is named; nothing where none is.
    fn unknown(&self, line: usize, column: &str, code: &str) -> Option<Fault> {
        (!code.is_empty() && !self.partners.contains_key(code)).then(|| {
            unknown(
                line,
                column,
                format!("there is no partner {code:?}"),
                "Apply its profile first; `supercargo partner list` shows the names",
            )
        })
    }

    /// The partner a row names, or the one given for all rows.
    fn of_row(&self, code: &str) -> Result<Option<PartnerId>, Failure> {
        if code.is_empty() {
            self.given_partner()
        } else {
            self.find(code).map(Some)
        }
    }
}

async fn save_items(
    gateway: &Gateway,
    connection: &mut Connection,
    named: &Named,
    list: ListReading<ItemRow>,
) -> Result<usize, Failure> {
    let mut found = named.given_unknown();
    found.extend(
        all(&list).filter_map(|listed| named.unknown(listed.line, "partner", &listed.row.partner)),
    );
    found.extend(numbers_of_others(connection, &list).await?);
    found.extend(units_changed(connection, &list).await?);
    let rows = sound(list, found)?;
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        let partner = named.of_row(&row.partner)?.map_or(0, |partner| partner.0);
        items.push((item(row), numbers(row, partner)));
    }
    let ids = catalogue::save_items(connection, COMPANY, &items).await?;
    let currency = gateway
        .settings
        .our_company()
        .map_or(Currency::USD, |company| company.currency);
    let mut prices = Vec::new();
    for (row, id) in rows.iter().zip(ids) {
        if let Some(price) = row.price {
            prices.push(PriceEntry {
                partner: named.of_row(&row.partner)?,
                item: id,
                price,
                unit: row.unit.clone(),
                currency,
                from: lists::FIRST_DAY,
                until: None,
            });
        }
    }
    catalogue::save_prices(connection, COMPANY, &prices).await?;
    Ok(rows.len())
}

/// Rows that give another unit to an item of which goods are there or promised: every count would mean something else.
async fn units_changed(
    connection: &mut Connection,
    list: &ListReading<ItemRow>,
) -> Result<Vec<Fault>, Failure> {
    let codes: BTreeSet<String> = all(list).map(|listed| listed.row.code.clone()).collect();
    let codes: Vec<String> = codes.into_iter().collect();
    let kept = catalogue::items_in_stock(connection, COMPANY, &codes).await?;
    Ok(all(list)
        .filter_map(|listed| Some((listed, kept.get(&listed.row.code)?)))
        .filter(|(listed, kept)| kept.base_unit != item(&listed.row).base_unit)
        .map(|(listed, kept)| {
            unknown(
                listed.line,
                "unit",
                format!(
                    "{} is counted in {}, and there is stock of it",
                    kept.code, kept.base_unit
                ),
                "Keep the unit; where it is wrong, count the stock to 0 first, once nothing of it is promised, or give the item a new code",
            )
        })
        .collect())
}

/// Rows that claim a UPC or vendor number of another item: one further up in the list, or one that was loaded before and
/// that this list leaves as it is. A number moves only where the list shows the other item without it.
async fn numbers_of_others(
    connection: &mut Connection,
    list: &ListReading<ItemRow>,
) -> Result<Vec<Fault>, Failure> {
    let claims = |row: &ItemRow| {
        [
            ("upc", NumberClass::Gtin, &row.upc),
            ("case_upc", NumberClass::Gtin, &row.case_upc),
            ("vendor_number", NumberClass::Vendor, &row.vendor_number),
            ("code", NumberClass::Vendor, &row.code),
        ]
        .into_iter()
        .filter(|(_, _, value)| !value.is_empty())
        .map(|(column, class, value)| (column, class, class.kept(value), value.clone()))
        .collect::<Vec<_>>()
    };
    let values: BTreeSet<String> = all(list)
        .flat_map(|listed| claims(&listed.row))
        .map(|(_, _, kept, _)| kept)
        .collect();
    let values: Vec<String> = values.into_iter().collect();
    let owners = catalogue::owners_of_numbers(connection, COMPANY, &values).await?;
    let listed_codes: BTreeSet<&str> = all(list).map(|listed| listed.row.code.as_str()).collect();
    let mut taken: HashMap<(NumberClass, String), (String, usize)> = HashMap::new();
    let mut faults = Vec::new();
    for listed in all(list) {
        let code = &listed.row.code;
        for (column, class, kept, value) in claims(&listed.row) {
            let owner = owners.get(&(class.word().to_owned(), kept.clone()));
            let earlier = taken
                .entry((class, kept))
                .or_insert_with(|| (code.clone(), listed.line));
            let whose = if earlier.0 != *code {
                format!("item {:?} (line {})", earlier.0, earlier.1)
            } else if let Some(owner) =
                owner.filter(|owner| *owner != code && !listed_codes.contains(owner.as_str()))
            {
                format!("item {owner:?}")
            } else {
                continue;
            };
            let already = faults.iter().any(|fault: &Fault| {
                fault.line == listed.line && fault.what.starts_with(&format!("{value} "))
            });
            if !already {
                faults.push(unknown(
                    listed.line,
                    column,
                    format!("{value} belongs to {whose}"),
                    "Correct the number; where it moved, give the other item's row without it in the same list",
                ));
            }
        }
    }
    Ok(faults)
}

fn item(row: &ItemRow) -> Item {
    Item {
        id: ItemId(0),
        code: row.code.clone(),
        upc: row.upc.clone(),
        description: row.description.clone(),
        base_unit: row.unit.clone(),
        case_pack: row.pack,
        units: row.units.clone(),
        grams: row.grams,
        discontinued: row.discontinued,
    }
}

/// Every number that somebody may call the item by.
fn numbers(row: &ItemRow, partner: i64) -> Vec<NewNumber> {
    [
        (0, NumberClass::Vendor, &row.code),
        (0, NumberClass::Vendor, &row.vendor_number),
        (0, NumberClass::Gtin, &row.upc),
        (0, NumberClass::Gtin, &row.case_upc),
        (partner, NumberClass::Buyer, &row.buyer_number),
    ]
    .into_iter()
    .filter(|(_, _, value)| !value.is_empty())
    .map(|(partner, class, value)| NewNumber {
        partner,
        class,
        value: value.clone(),
    })
    .collect()
}

/// The items that rows name by code, UPC or vendor number; and what is wrong with rows that name none.
async fn find_items<T>(
    connection: &mut Connection,
    list: &ListReading<T>,
    name: impl Fn(&T) -> &str,
) -> Result<(HashMap<String, Arc<Item>>, Vec<Fault>), Failure> {
    let named: BTreeSet<&str> = all(list)
        .map(|listed| name(&listed.row))
        .filter(|name| !name.is_empty())
        .collect();
    let numbers: Vec<ItemNumber> = named
        .iter()
        .flat_map(|name| {
            ["VN", "UP"].map(|qualifier| ItemNumber {
                qualifier: qualifier.to_owned(),
                value: (*name).to_owned(),
            })
        })
        .collect();
    let by_number =
        catalogue::items_by_numbers(connection, COMPANY, PartnerId(0), &numbers).await?;
    // Of the two readings of one name our own code wins.
    let mut found: HashMap<String, Arc<Item>> = HashMap::new();
    for (number, item) in by_number {
        if number.qualifier == "VN" || !found.contains_key(&number.value) {
            found.insert(number.value, item);
        }
    }
    let missing = all(list)
        .map(|listed| (listed.line, name(&listed.row)))
        .filter(|(_, name)| !name.is_empty() && !found.contains_key(*name))
        .map(|(line, name)| {
            unknown(
                line,
                "item",
                format!("there is no item {name:?}"),
                "Load the item list first (`supercargo item import FILE.csv`), or correct it",
            )
        })
        .collect();
    Ok((found, missing))
}

async fn save_prices(
    gateway: &Gateway,
    connection: &mut Connection,
    named: &Named,
    list: ListReading<PriceRow>,
) -> Result<usize, Failure> {
    let (items, mut found) = find_items(connection, &list, |row| &row.item).await?;
    found.extend(named.given_unknown());
    found.extend(
        all(&list).filter_map(|listed| named.unknown(listed.line, "partner", &listed.row.partner)),
    );
    found.extend(prices_per_no_unit(&list, &items));
    let rows = sound(list, found)?;
    let ours = gateway
        .settings
        .our_company()
        .map_or(Currency::USD, |company| company.currency);
    let mut prices = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(item) = items.get(&row.item) else {
            continue;
        };
        let partner = named.of_row(&row.partner)?;
        let currency = match (row.currency, partner) {
            (Some(currency), _) => currency,
            (None, Some(partner)) => gateway.trading(connection, partner).await?.profile.currency,
            (None, None) => ours,
        };
        prices.push(PriceEntry {
            partner,
            item: item.id,
            price: row.price,
            unit: if row.unit.is_empty() {
                item.base_unit.clone()
            } else {
                row.unit
            },
            currency,
            from: row.from,
            until: row.until,
        });
    }
    catalogue::save_prices(connection, COMPANY, &prices).await?;
    Ok(prices.len())
}

/// Rows with a price per a unit that the item is not known in: no order could ever be compared with it.
fn prices_per_no_unit(
    list: &ListReading<PriceRow>,
    items: &HashMap<String, Arc<Item>>,
) -> Vec<Fault> {
    all(list)
        .filter(|listed| !listed.row.unit.is_empty())
        .filter_map(|listed| Some((listed, items.get(&listed.row.item)?)))
        .filter(|(listed, item)| item.base_per(&listed.row.unit).is_none())
        .map(|(listed, item)| {
            let unit = &listed.row.unit;
            unknown(
                listed.line,
                "unit",
                format!(
                    "item {} is not known in {unit}, only in {}",
                    item.code,
                    item.units_known().join(", ")
                ),
                &format!("Give the price per one of those, or import the item with what one {unit} holds (column `units`, `{unit}=…`; a case: `pack`) and load this list again"),
            )
        })
        .collect()
}

async fn save_stock(
    gateway: &Gateway,
    connection: &mut Connection,
    list: ListReading<StockRow>,
) -> Result<usize, Failure> {
    let (items, mut found) = find_items(connection, &list, |row| &row.item).await?;
    let warehouses: HashMap<String, WarehouseId> = catalogue::warehouses(connection, COMPANY)
        .await?
        .iter()
        .map(|warehouse| (warehouse.code.clone(), warehouse.id))
        .collect();
    found.extend(
        all(&list)
            .filter(|listed| {
                let code = &listed.row.warehouse;
                !code.is_empty() && !warehouses.contains_key(code)
            })
            .map(|listed| {
                unknown(
                    listed.line,
                    "warehouse",
                    format!("there is no warehouse {:?}", listed.row.warehouse),
                    "Load the warehouses first (`supercargo warehouse import FILE.csv`), or correct it",
                )
            }),
    );
    found.extend(receipts_of_no_time(&list, gateway.now().date_naive()));
    found.extend(counted_twice(&list, &items));
    let rows = sound(list, found)?;
    let mut counts: BTreeMap<&str, BTreeMap<(ItemId, WarehouseId), i64>> = BTreeMap::new();
    let mut receipts: BTreeMap<&str, BTreeMap<_, i64>> = BTreeMap::new();
    let n = rows.len();
    for row in rows {
        let Some(item) = items.get(&row.item) else {
            continue;
        };
        let Some(&warehouse) = warehouses.get(&row.warehouse) else {
            continue;
        };
        let stored = to_stored(row.quantity).ok_or_else(|| {
            Failure::refuse(format!(
                "{}: {} has more than four decimals",
                row.item, row.quantity
            ))
        })?;
        match row.expected_on {
            Some(on) => {
                *receipts
                    .entry(row.mode.word())
                    .or_default()
                    .entry((item.id, warehouse, on))
                    .or_default() += stored
            }
            None => {
                *counts
                    .entry(row.mode.word())
                    .or_default()
                    .entry((item.id, warehouse))
                    .or_default() += stored
            }
        }
    }
    let source = format!("count:{}", uuid::Uuid::now_v7());
    let modes: BTreeSet<&str> = counts.keys().chain(receipts.keys()).copied().collect();
    for (mode, counts) in counts {
        let mode: Mode = mode.parse().map_err(Failure::refuse)?;
        catalogue::count_stock(
            connection,
            mode,
            &counts,
            &format!("{source}:{}", mode.word()),
            gateway.now(),
        )
        .await?;
    }
    for (mode, receipts) in receipts {
        expected::save_expected(
            connection,
            mode.parse().map_err(Failure::refuse)?,
            &receipts,
        )
        .await?;
    }
    for mode in modes {
        let mode: Mode = mode.parse().map_err(Failure::refuse)?;
        orders::allocate_waiting(connection, mode, gateway.now()).await?;
    }
    overdue::clear(connection, gateway.now()).await?;
    Ok(n)
}

/// Rows that speak of an item of another row under another of its names: which of both is meant is not guessed.
fn counted_twice(list: &ListReading<StockRow>, items: &HashMap<String, Arc<Item>>) -> Vec<Fault> {
    let mut seen: HashMap<_, (usize, &str)> = HashMap::new();
    let mut faults = Vec::new();
    for listed in all(list) {
        let row = &listed.row;
        let Some(item) = items.get(&row.item) else {
            continue;
        };
        let place = (item.id, &row.warehouse, row.expected_on, row.mode.word());
        let (line, name) = *seen.entry(place).or_insert((listed.line, &row.item));
        if line != listed.line && name != row.item {
            faults.push(unknown(
                listed.line,
                "item",
                format!(
                    "{:?} is item {}, of which line {line} speaks as {name:?}",
                    row.item, item.code
                ),
                "Keep one of them",
            ));
        }
    }
    faults
}

/// Rows that expect goods on a day that nobody means: more than a year ago, or more than ten years ahead.
fn receipts_of_no_time(list: &ListReading<StockRow>, today: NaiveDate) -> Vec<Fault> {
    const BEHIND: Days = Days::new(366);
    const AHEAD: Days = Days::new(3_660);
    let first = today.checked_sub_days(BEHIND).unwrap_or(NaiveDate::MIN);
    let last = today.checked_add_days(AHEAD).unwrap_or(NaiveDate::MAX);
    all(list)
        .filter_map(|listed| Some((listed.line, listed.row.expected_on?)))
        .filter(|(_, day)| !(first..=last).contains(day))
        .map(|(line, day)| {
            unknown(
                line,
                "expected_on",
                format!("goods can not be expected on {day}"),
                "Write the day on which they come in; leave it empty where they are there",
            )
        })
        .collect()
}

fn warehouse(row: WarehouseRow) -> Warehouse {
    Warehouse {
        id: WarehouseId(0),
        code: row.code,
        name: row.name,
        street: row.street,
        city: row.city,
        state: row.state,
        postal_code: row.postal_code,
        country: row.country,
        zone: row.zone.name().to_owned(),
        fulfilment: row.fulfilment,
        carrier: row.carrier,
    }
}
