//! What we sell and to where: items, prices, locations, warehouses and stock, as verification and allocation ask for
//! them, and as lists load them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::connection::{Connection, list, padded};
use super::failure::Failure;
use super::recall::{Memory, Owners, named_for};
use super::receipts::close_counted;
use super::stock::{Change, Movement};
use crate::binds;
use crate::domain::catalogue::{Item, Location, PriceEntry, Warehouse};
use crate::domain::clock::Instant;
use crate::domain::ids::{CompanyId, ItemId, PartnerId, WarehouseId};
use crate::domain::order::{ItemNumber, Mode};
use crate::domain::stock::{Balance, MovementKind, from_stored};

/// Values that one query asks for at most; more are asked in several.
pub(super) const ASKED_MAX: usize = 5_000;

/// Whose number of an item it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NumberClass {
    /// A GS1 number: UPC-12, EAN-13, GTIN-14, kept with 14 digits.
    Gtin,
    /// Our own code.
    Vendor,
    /// The buyer's.
    Buyer,
}

impl NumberClass {
    /// The class of an element 235.
    pub fn of(qualifier: &str) -> Self {
        match qualifier {
            "UP" | "UI" | "UA" | "UK" | "EN" | "EO" | "UN" | "GT" | "EI" | "UD" => Self::Gtin,
            "VN" | "VA" | "VP" | "VC" | "SA" | "MG" => Self::Vendor,
            _ => Self::Buyer,
        }
    }

    /// The word in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gtin => "gtin",
            Self::Vendor => "vendor",
            Self::Buyer => "buyer",
        }
    }

    /// The class of a word in the database.
    fn named(word: &str) -> Option<Self> {
        [Self::Gtin, Self::Vendor, Self::Buyer]
            .into_iter()
            .find(|class| class.word() == word)
    }

    /// A value as it is kept: digits of a GTIN filled up to 14.
    pub fn kept(self, value: &str) -> String {
        let value = value.trim();
        match self {
            Self::Gtin if value.len() < 14 && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                let zeros = std::iter::repeat_n('0', 14 - value.len());
                zeros.chain(value.chars()).collect()
            }
            _ => value.to_owned(),
        }
    }
}

pub(super) fn corrupt(table: &'static str, key: impl ToString, why: impl ToString) -> Failure {
    Failure::Corrupt {
        table,
        key: key.to_string(),
        why: why.to_string(),
    }
}

fn text<T: serde::Serialize>(table: &'static str, key: &str, value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| corrupt(table, key, error))
}

/// The items that these numbers name, for a partner: its own numbers win over everybody's. A number whose qualifier does
/// not say whose it is (ZZ, none) is looked for among all of them.
pub async fn items_by_numbers<'n>(
    connection: &mut Connection,
    company: CompanyId,
    partner: PartnerId,
    numbers: impl IntoIterator<Item = &'n ItemNumber>,
) -> Result<HashMap<ItemNumber, Arc<Item>>, Failure> {
    let mut asked: HashSet<&ItemNumber> = numbers
        .into_iter()
        .filter(|number| !number.value.trim().is_empty())
        .collect();
    let mut named = HashMap::with_capacity(asked.len());
    let seen = connection.catalogue_seen().await?;
    if let Some(memory) = connection.recall(seen) {
        asked.retain(|number| match remembered(&memory, partner, number) {
            None => true,
            Some(item) => {
                named.extend(item.map(|item| ((*number).clone(), item)));
                false
            }
        });
    }
    let kept = asked.iter().flat_map(|number| ways(number)).collect();
    let found = items_of_kept(connection, company, partner, kept).await?;
    let ids: BTreeSet<ItemId> = found.values().copied().collect();
    let items = items(connection, &ids).await?;
    named.extend(asked.into_iter().filter_map(|number| {
        let id = ways(number).find_map(|way| found.get(&way))?;
        Some((number.clone(), items.get(id)?.clone()))
    }));
    Ok(named)
}

/// The item that a number names, as far as all that tells it is remembered; none inside where it names none.
fn remembered(
    memory: &Memory,
    partner: PartnerId,
    number: &ItemNumber,
) -> Option<Option<Arc<Item>>> {
    for (class, value) in ways(number) {
        if let Some(id) = named_for(partner, memory.owners(class, &value)?) {
            return Some(Some(memory.item(id)?));
        }
    }
    Some(None)
}

/// How a number may be kept, likeliest first: in the class of its qualifier; one whose qualifier says nothing of whose
/// number it is, in any.
fn ways(number: &ItemNumber) -> impl Iterator<Item = (NumberClass, String)> {
    let class = NumberClass::of(&number.qualifier);
    let telling = class != NumberClass::Buyer
        || matches!(number.qualifier.as_str(), "IN" | "SK" | "BP" | "CB" | "PI");
    let others: &[NumberClass] = if telling {
        &[]
    } else {
        &[NumberClass::Vendor, NumberClass::Gtin]
    };
    std::iter::once(class)
        .chain(others.iter().copied())
        .map(|class| (class, class.kept(&number.value)))
}

/// The items of numbers as they are kept, by class and value: a partner's own win over everybody's.
async fn items_of_kept(
    connection: &mut Connection,
    company: CompanyId,
    partner: PartnerId,
    numbers: BTreeSet<(NumberClass, String)>,
) -> Result<HashMap<(NumberClass, String), ItemId>, Failure> {
    let mut found = HashMap::with_capacity(numbers.len());
    let seen = connection.catalogue_seen().await?;
    let numbers: Vec<(NumberClass, String)> = numbers.into_iter().collect();
    let mut looked_up: HashMap<_, Owners> = HashMap::new();
    const OWNERS: &str = "SELECT item_number.class, item_number.value, item_number.partner_id, item_number.item_id
         FROM {rows} CROSS JOIN item_number
         WHERE item_number.company_id = $1 AND item_number.class = v.column1 AND item_number.value = v.column2";
    let asked = padded(&numbers)
        .into_iter()
        .map(|(class, value)| binds![class.word(), value]);
    let rows: Vec<(String, String, i64, i64)> = connection
        .rows_of(OWNERS, binds![company], asked.collect())
        .await?;
    for (class, value, owner, item) in rows {
        let class = NumberClass::named(&class)
            .ok_or_else(|| corrupt("item_number", &value, "its class is none"))?;
        let owners = looked_up.entry((class, value)).or_default();
        // A list of few sizes may ask for the same twice.
        if owners.iter().all(|(known, _)| known.0 != owner) {
            owners.push((PartnerId(owner), ItemId(item)));
        }
    }
    for (number, owners) in &looked_up {
        found.extend(named_for(partner, owners).map(|item| (number.clone(), item)));
    }
    if let Some(mut memory) = connection.recall(seen) {
        for (number, owners) in looked_up {
            memory.keep_owners(number, owners);
        }
    }
    Ok(found)
}

fn item((id, body): (i64, String)) -> Result<Item, Failure> {
    let mut item: Item = serde_json::from_str(&body).map_err(|error| corrupt("item", id, error))?;
    item.id = ItemId(id);
    Ok(item)
}

/// Items by their identity.
async fn items(
    connection: &mut Connection,
    ids: &BTreeSet<ItemId>,
) -> Result<HashMap<ItemId, Arc<Item>>, Failure> {
    let mut items = HashMap::with_capacity(ids.len());
    let mut missing = Vec::new();
    let seen = connection.catalogue_seen().await?;
    {
        let memory = connection.recall(seen);
        for id in ids {
            match memory.as_ref().and_then(|memory| memory.item(*id)) {
                Some(known) => _ = items.insert(*id, known),
                None => missing.push(*id),
            }
        }
    }
    for chunk in missing.chunks(ASKED_MAX) {
        let mut asked = Vec::new();
        let these = connection.among("id", chunk, &mut asked);
        let sql = format!("SELECT id, body FROM item WHERE {these}");
        let rows: Vec<(i64, String)> = connection.rows(&sql, asked).await?;
        for row in rows {
            let item = Arc::new(item(row)?);
            items.insert(item.id, item);
        }
    }
    if let Some(mut memory) = connection.recall(seen) {
        for item in missing.iter().filter_map(|id| items.get(id)) {
            memory.keep_item(item.clone());
        }
    }
    Ok(items)
}

/// Items by our own code.
pub async fn items_by_code(
    connection: &mut Connection,
    company: CompanyId,
    codes: &[String],
) -> Result<HashMap<String, Item>, Failure> {
    coded_items(connection, company, codes, "").await
}

/// Of these items those of which goods are there, or promised, in either world.
pub async fn items_in_stock(
    connection: &mut Connection,
    company: CompanyId,
    codes: &[String],
) -> Result<HashMap<String, Item>, Failure> {
    const IN_STOCK: &str = "AND EXISTS (SELECT 1 FROM stock WHERE stock.item_id = item.id
         AND (stock.on_hand <> 0 OR stock.reserved <> 0))";
    coded_items(connection, company, codes, IN_STOCK).await
}

async fn coded_items(
    connection: &mut Connection,
    company: CompanyId,
    codes: &[String],
    condition: &str,
) -> Result<HashMap<String, Item>, Failure> {
    let mut items = HashMap::new();
    for chunk in codes.chunks(ASKED_MAX) {
        let sql = format!(
            "SELECT id, body FROM item WHERE company_id = $1 AND code IN {} {condition}",
            list(chunk.len(), 1)
        );
        let mut asked = binds![company];
        asked.extend(chunk.iter().map(|code| code.into()));
        let rows: Vec<(i64, String)> = connection.rows(&sql, asked).await?;
        for row in rows {
            let item = item(row)?;
            items.insert(item.code.clone(), item);
        }
    }
    Ok(items)
}

row! {
    struct PriceRow {
        item_id: i64,
        partner_id: i64,
        unit: String,
        currency: String,
        from_date: String,
        until_date: Option<String>,
        price: String,
    }
}

/// Prices of these items: a partner's own and everybody's, of any date.
pub async fn prices_for(
    connection: &mut Connection,
    company: CompanyId,
    partner: PartnerId,
    ids: &BTreeSet<ItemId>,
) -> Result<BTreeMap<ItemId, Arc<[PriceEntry]>>, Failure> {
    let mut prices: BTreeMap<ItemId, Arc<[PriceEntry]>> = BTreeMap::new();
    let mut missing = Vec::new();
    let seen = connection.catalogue_seen().await?;
    {
        let memory = connection.recall(seen);
        for id in ids {
            match memory
                .as_ref()
                .and_then(|memory| memory.prices(partner, *id))
            {
                Some(known) => _ = prices.insert(*id, known),
                None => missing.push(*id),
            }
        }
    }
    let mut looked_up: BTreeMap<ItemId, Vec<PriceEntry>> =
        missing.iter().map(|id| (*id, Vec::new())).collect();
    for chunk in missing.chunks(ASKED_MAX) {
        let mut asked = binds![company, partner];
        let these = connection.among("item_id", chunk, &mut asked);
        let sql = format!(
            "SELECT item_id, partner_id, unit, currency, from_date, until_date, price FROM price
             WHERE company_id = $1 AND partner_id IN (0, $2) AND {these} ORDER BY item_id, partner_id, from_date, unit"
        );
        let rows: Vec<PriceRow> = connection.rows(&sql, asked).await?;
        for row in rows {
            let entry = price(row)?;
            looked_up.entry(entry.item).or_default().push(entry);
        }
    }
    let looked_up = looked_up
        .into_iter()
        .map(|(item, entries)| (item, Arc::from(entries)));
    let looked_up: BTreeMap<ItemId, Arc<[PriceEntry]>> = looked_up.collect();
    if let Some(mut memory) = connection.recall(seen) {
        for (item, entries) in &looked_up {
            memory.keep_prices(partner, *item, entries.clone());
        }
    }
    prices.extend(looked_up);
    Ok(prices)
}

fn price(row: PriceRow) -> Result<PriceEntry, Failure> {
    let wrong = |what: &str| corrupt("price", row.item_id, format!("{what} can not be read"));
    Ok(PriceEntry {
        partner: (row.partner_id != 0).then_some(PartnerId(row.partner_id)),
        item: ItemId(row.item_id),
        price: row.price.parse().map_err(|_| wrong("price"))?,
        unit: row.unit.clone(),
        currency: row.currency.parse().map_err(|_| wrong("currency"))?,
        from: row.from_date.parse().map_err(|_| wrong("from_date"))?,
        until: row
            .until_date
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|_| wrong("until_date"))?,
    })
}

/// The numbers of all locations of a partner.
pub async fn location_numbers(
    connection: &mut Connection,
    partner: PartnerId,
) -> Result<Arc<BTreeSet<String>>, Failure> {
    let seen = connection.catalogue_seen().await?;
    let known = connection
        .recall(seen)
        .and_then(|memory| memory.place_numbers(partner));
    if let Some(known) = known {
        return Ok(known);
    }
    let rows: Vec<(String,)> = connection
        .rows(
            "SELECT number FROM location WHERE partner_id = $1",
            binds![partner],
        )
        .await?;
    let numbers: Arc<BTreeSet<String>> = Arc::new(rows.into_iter().map(|row| row.0).collect());
    if let Some(mut memory) = connection.recall(seen) {
        memory.keep_place_numbers(partner, numbers.clone());
    }
    Ok(numbers)
}

/// Locations of a partner by number.
pub async fn locations(
    connection: &mut Connection,
    partner: PartnerId,
    numbers: &[String],
) -> Result<BTreeMap<String, Location>, Failure> {
    let mut numbers: BTreeSet<String> = numbers.iter().cloned().collect();
    let mut found = BTreeMap::new();
    let seen = connection.catalogue_seen().await?;
    if let Some(memory) = connection.recall(seen) {
        numbers.retain(|number| match memory.place(partner, number) {
            Some(place) => found.insert(number.clone(), place).is_some(),
            None => true,
        });
    }
    let numbers: Vec<String> = numbers.into_iter().collect();
    let mut looked_up = Vec::new();
    for chunk in numbers.chunks(ASKED_MAX) {
        let sql = format!(
            "SELECT number, body FROM location WHERE partner_id = $1 AND number IN {}",
            list(chunk.len(), 1)
        );
        let mut asked = binds![partner];
        asked.extend(chunk.iter().map(|number| number.into()));
        let rows: Vec<(String, String)> = connection.rows(&sql, asked).await?;
        for (number, body) in rows {
            let location: Location =
                serde_json::from_str(&body).map_err(|error| corrupt("location", &number, error))?;
            looked_up.push(location.clone());
            found.insert(number, location);
        }
    }
    if let Some(mut memory) = connection.recall(seen) {
        for place in looked_up {
            memory.keep_place(partner, place);
        }
    }
    Ok(found)
}

/// Our warehouses, by code.
pub async fn warehouses(
    connection: &mut Connection,
    company: CompanyId,
) -> Result<Arc<[Warehouse]>, Failure> {
    let seen = connection.catalogue_seen().await?;
    let known = connection
        .recall(seen)
        .and_then(|memory| memory.warehouses());
    if let Some(known) = known {
        return Ok(known);
    }
    let rows: Vec<(i64, String)> = connection
        .rows(
            "SELECT id, body FROM warehouse WHERE company_id = $1 ORDER BY code",
            binds![company],
        )
        .await?;
    let warehouses: Arc<[Warehouse]> = rows
        .into_iter()
        .map(|(id, body)| {
            let mut warehouse: Warehouse =
                serde_json::from_str(&body).map_err(|error| corrupt("warehouse", id, error))?;
            warehouse.id = WarehouseId(id);
            Ok(warehouse)
        })
        .collect::<Result<_, Failure>>()?;
    if let Some(mut memory) = connection.recall(seen) {
        memory.keep_warehouses(warehouses.clone());
    }
    Ok(warehouses)
}

/// What is on hand and promised of these items, in every warehouse.
///
/// Where they are `held`, nobody else changes them until the transaction ends. Where they are not, somebody may, and
/// [`Connection::write_stock`] then says so.
pub async fn balances(
    connection: &mut Connection,
    mode: Mode,
    ids: &[ItemId],
    held: bool,
) -> Result<Vec<Balance>, Failure> {
    connection.write_stock().await?;
    let lock = match held && !connection.is_sqlite() {
        true => "FOR UPDATE",
        false => "",
    };
    let mut balances = Vec::new();
    for chunk in ids.chunks(ASKED_MAX) {
        let mut asked = binds![mode.word()];
        let these = connection.among("item_id", chunk, &mut asked);
        let sql = format!(
            "SELECT item_id, warehouse_id, on_hand, reserved, set_aside, uncounted FROM stock
             WHERE mode = $1 AND {these} ORDER BY item_id, warehouse_id {lock}"
        );
        let rows: Vec<(i64, i64, i64, i64, i64, i64)> = connection.rows(&sql, asked).await?;
        balances.extend(rows.into_iter().map(
            |(item, warehouse, on_hand, reserved, set_aside, uncounted)| Balance {
                item: ItemId(item),
                warehouse: WarehouseId(warehouse),
                on_hand: from_stored(on_hand),
                reserved: from_stored(reserved),
                set_aside: from_stored(set_aside),
                uncounted: from_stored(uncounted),
            },
        ));
    }
    Ok(balances)
}

/// A number of an item, to be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNumber {
    /// Whose; 0: everybody's.
    pub partner: i64,
    /// Of what kind.
    pub class: NumberClass,
    /// As given.
    pub value: String,
}

/// Whose everybody's numbers are: class and kept value → code of the item that has it.
pub async fn owners_of_numbers(
    connection: &mut Connection,
    company: CompanyId,
    values: &[String],
) -> Result<HashMap<(String, String), String>, Failure> {
    let mut owners = HashMap::new();
    for chunk in values.chunks(ASKED_MAX) {
        let sql = format!(
            "SELECT item_number.class, item_number.value, item.code FROM item_number
             JOIN item ON item.id = item_number.item_id
             WHERE item_number.company_id = $1 AND item_number.partner_id = 0
               AND item_number.class IN ('gtin', 'vendor') AND item_number.value IN {}",
            list(chunk.len(), 1)
        );
        let mut asked = binds![company];
        asked.extend(chunk.iter().map(|value| value.into()));
        for (class, value, code) in connection
            .rows::<(String, String, String)>(&sql, asked)
            .await?
        {
            owners.insert((class, value), code);
        }
    }
    Ok(owners)
}

/// Adds or changes items, by code, with their numbers. Items keep their identity.
pub async fn save_items(
    connection: &mut Connection,
    company: CompanyId,
    items: &[(Item, Vec<NewNumber>)],
) -> Result<Vec<ItemId>, Failure> {
    connection.change_catalogue().await?;
    let codes: Vec<String> = items.iter().map(|(item, _)| item.code.clone()).collect();
    let known = items_by_code(connection, company, &codes).await?;
    let fresh = items
        .iter()
        .filter(|(item, _)| !known.contains_key(&item.code))
        .count();
    let mut fresh = connection.identities("item", fresh).await?.into_iter();
    let mut rows = Vec::with_capacity(items.len());
    let mut numbers = BTreeMap::new();
    let mut ids = Vec::with_capacity(items.len());
    for (item, named) in items {
        let id = known
            .get(&item.code)
            .map(|item| item.id.0)
            .or_else(|| fresh.next())
            .unwrap_or_default();
        let mut item = item.clone();
        item.id = ItemId(id);
        ids.push(item.id);
        rows.push(binds![
            id,
            company,
            &item.code,
            &item.upc,
            text("item", &item.code, &item)?
        ]);
        for number in named {
            numbers.insert(
                (
                    number.partner,
                    number.class,
                    number.class.kept(&number.value),
                ),
                id,
            );
        }
    }
    connection
        .insert_many(
            "INSERT INTO item (id, company_id, code, upc, body)",
            rows,
            "ON CONFLICT (id) DO UPDATE SET upc = excluded.upc, body = excluded.body",
        )
        .await?;
    let rows = numbers
        .into_iter()
        .map(|((partner, class, value), item)| binds![company, partner, class.word(), value, item])
        .collect();
    connection
        .insert_many(
            "INSERT INTO item_number (company_id, partner_id, class, value, item_id)",
            rows,
            "ON CONFLICT (company_id, class, value, partner_id) DO UPDATE SET item_id = excluded.item_id",
        )
        .await?;
    Ok(ids)
}

/// Adds or changes prices.
pub async fn save_prices(
    connection: &mut Connection,
    company: CompanyId,
    prices: &[PriceEntry],
) -> Result<(), Failure> {
    connection.change_catalogue().await?;
    let rows: BTreeMap<_, _> = prices
        .iter()
        .map(|price| {
            let partner = price.partner.map_or(0, |partner| partner.0);
            let key = (
                price.item,
                partner,
                price.unit.clone(),
                price.currency,
                price.from,
            );
            let row = binds![
                company,
                price.item,
                partner,
                &price.unit,
                price.currency.code(),
                price.from,
                price.until,
                price.price.normalize().to_string()
            ];
            (key, row)
        })
        .collect();
    connection
        .insert_many(
            "INSERT INTO price (company_id, item_id, partner_id, unit, currency, from_date, until_date, price)",
            rows.into_values().collect(),
            "ON CONFLICT (item_id, partner_id, unit, currency, from_date) DO UPDATE SET price = excluded.price,
             until_date = excluded.until_date",
        )
        .await?;
    Ok(())
}

/// Adds or changes locations of a partner.
pub async fn save_locations(
    connection: &mut Connection,
    partner: PartnerId,
    places: &[Location],
) -> Result<(), Failure> {
    connection.change_catalogue().await?;
    let mut rows = BTreeMap::new();
    for place in places {
        rows.insert(
            place.number.clone(),
            binds![
                partner,
                &place.number,
                text("location", &place.number, place)?
            ],
        );
    }
    connection
        .insert_many(
            "INSERT INTO location (partner_id, number, body)",
            rows.into_values().collect(),
            "ON CONFLICT (partner_id, number) DO UPDATE SET body = excluded.body",
        )
        .await?;
    Ok(())
}

/// Adds or changes warehouses, by code. They keep their identity.
pub async fn save_warehouses(
    connection: &mut Connection,
    company: CompanyId,
    warehouses_new: &[Warehouse],
) -> Result<(), Failure> {
    connection.change_catalogue().await?;
    let known = warehouses(connection, company).await?;
    for warehouse in warehouses_new {
        let id = match known.iter().find(|known| known.code == warehouse.code) {
            Some(known) => known.id.0,
            None => connection.identity("warehouse").await?,
        };
        connection
            .execute(
                "INSERT INTO warehouse (id, company_id, code, body) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                binds![
                    id,
                    company,
                    &warehouse.code,
                    text("warehouse", &warehouse.code, warehouse)?
                ],
            )
            .await?;
    }
    Ok(())
}

/// Makes what is on hand what was counted: (item, warehouse, stored quantity), each pair once. The difference is posted
/// as an adjustment under `source`, and what shipments left behind there is counted with it. A count below what is
/// promised is refused. Receipts expected there by that day are expected no longer.
pub async fn count_stock(
    connection: &mut Connection,
    mode: Mode,
    counts: &BTreeMap<(ItemId, WarehouseId), i64>,
    source: &str,
    at: Instant,
) -> Result<(), Failure> {
    let rows = counts
        .keys()
        .map(|(item, warehouse)| binds![*item, *warehouse, mode.word(), 0, 0])
        .collect();
    connection
        .insert_many(
            "INSERT INTO stock (item_id, warehouse_id, mode, on_hand, reserved)",
            rows,
            "ON CONFLICT (item_id, warehouse_id, mode) DO NOTHING",
        )
        .await?;
    let ids: Vec<ItemId> = counts
        .keys()
        .map(|(item, _)| *item)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let before = stored(connection, mode, &ids).await?;
    less_than_promised(connection, counts, &before).await?;
    let mut by_warehouse: BTreeMap<WarehouseId, BTreeMap<ItemId, Change>> = BTreeMap::new();
    for ((item, warehouse), counted) in counts {
        let before = before
            .get(&(*item, *warehouse))
            .copied()
            .unwrap_or_default();
        let change = Change {
            on_hand: counted - before.on_hand,
            reserved: 0,
            uncounted: -before.uncounted,
        };
        if change != Change::default() {
            by_warehouse
                .entry(*warehouse)
                .or_default()
                .insert(*item, change);
        }
    }
    let movements: Vec<Movement> = by_warehouse
        .into_iter()
        .map(|(warehouse, changes)| Movement {
            source: source.to_owned(),
            kind: MovementKind::Adjustment,
            warehouse,
            mode,
            changes,
        })
        .collect();
    connection.move_stock(&movements, at)?;
    connection.write_stock().await?;
    close_counted(connection, mode, counts, at.date_naive()).await
}

/// Refuses counts below what is promised to orders out of the same place: the promises stand until their shipments are
/// confirmed as they really left.
async fn less_than_promised(
    connection: &mut Connection,
    counts: &BTreeMap<(ItemId, WarehouseId), i64>,
    before: &HashMap<(ItemId, WarehouseId), Change>,
) -> Result<(), Failure> {
    let short: Vec<((ItemId, WarehouseId), i64, i64)> = counts
        .iter()
        .filter_map(|(place, counted)| Some((*place, *counted, before.get(place)?.reserved)))
        .filter(|(_, counted, reserved)| counted < reserved)
        .collect();
    if short.is_empty() {
        return Ok(());
    }
    let items: Vec<ItemId> = short.iter().map(|((item, _), ..)| *item).collect();
    let names = place_names(connection, &items).await?;
    let lines: Vec<String> = short
        .into_iter()
        .map(|(place, counted, reserved)| {
            let (item, warehouse) = names.get(&place).cloned().unwrap_or_default();
            format!(
                "{item} in {warehouse}: {} counted, and {} are promised to orders. Confirm what is planned with what is really there (`supercargo shipment confirm`), which gives the rest back, and load the count again",
                from_stored(counted).normalize(),
                from_stored(reserved).normalize()
            )
        })
        .collect();
    Err(Failure::refuse(format!(
        "nothing was loaded, for less was counted than is promised:\n{}",
        lines.join("\n")
    )))
}

/// Codes of items and of the warehouses in which they have a balance.
async fn place_names(
    connection: &mut Connection,
    items: &[ItemId],
) -> Result<HashMap<(ItemId, WarehouseId), (String, String)>, Failure> {
    let mut names = HashMap::new();
    for chunk in items.chunks(ASKED_MAX) {
        let sql = format!(
            "SELECT DISTINCT stock.item_id, stock.warehouse_id, item.code, warehouse.code FROM stock
             JOIN item ON item.id = stock.item_id JOIN warehouse ON warehouse.id = stock.warehouse_id
             WHERE stock.item_id IN {}",
            list(chunk.len(), 0)
        );
        let asked = chunk.iter().map(|id| (*id).into()).collect();
        let rows: Vec<(i64, i64, String, String)> = connection.rows(&sql, asked).await?;
        names.extend(rows.into_iter().map(|(item, warehouse, code, house)| {
            ((ItemId(item), WarehouseId(warehouse)), (code, house))
        }));
    }
    Ok(names)
}

async fn stored(
    connection: &mut Connection,
    mode: Mode,
    ids: &[ItemId],
) -> Result<HashMap<(ItemId, WarehouseId), Change>, Failure> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(ASKED_MAX) {
        let sql = format!(
            "SELECT item_id, warehouse_id, on_hand, reserved, uncounted FROM stock WHERE mode = $1 AND item_id IN {}",
            list(chunk.len(), 1)
        );
        let mut asked = binds![mode.word()];
        asked.extend(chunk.iter().map(|id| (*id).into()));
        let rows: Vec<(i64, i64, i64, i64, i64)> = connection.rows(&sql, asked).await?;
        found.extend(
            rows.into_iter()
                .map(|(item, warehouse, on_hand, reserved, uncounted)| {
                    let place = (ItemId(item), WarehouseId(warehouse));
                    let balance = Change {
                        on_hand,
                        reserved,
                        uncounted,
                    };
                    (place, balance)
                }),
        );
    }
    Ok(found)
}
