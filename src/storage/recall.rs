//! What was looked up of items, prices, places and partners before, for as long as no list is loaded and no profile applied.
//!
//! Every transaction that loads a list or applies a profile gives the catalogue a new mark. A transaction that looks something up asks for the
//! mark once, and takes from here what was read under the same; over PostgreSQL other nodes set it too. It is drawn by lot:
//! what was read under the mark of a transaction that did not come to its end is never taken for anything else. Who has
//! set it reads everything from the database until it ends.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::HashMap;

use super::catalogue::NumberClass;
use super::connection::Connection;
use super::failure::Failure;
use super::partners::{PartnerRow, SenderRow};
use crate::binds;
use crate::domain::catalogue::{Item, Location, PriceEntry, Warehouse};
use crate::domain::ids::{ItemId, PartnerId};

/// The counter that holds the mark.
const COUNTER: &str = "catalogue";
/// Things that are remembered at most: some tens of megabytes. Then all are forgotten.
const REMEMBERED_MAX: usize = 200_000;

/// Which catalogue a transaction sees.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Seen {
    /// It has not asked yet.
    #[default]
    NotAsked,
    /// The one with this mark.
    Marked(i64),
    /// One that it has changed itself.
    Changed,
}

/// Whose number it is, and of which item; of everybody's it is partner 0's.
pub(super) type Owners = Vec<(PartnerId, ItemId)>;

/// The item that a number names for a partner: its own comes before everybody's.
pub(super) fn named_for(partner: PartnerId, owners: &[(PartnerId, ItemId)]) -> Option<ItemId> {
    let of = |whose: PartnerId| owners.iter().find(|(owner, _)| *owner == whose);
    of(partner)
        .or_else(|| of(PartnerId(0)))
        .map(|(_, item)| *item)
}

/// What is remembered, of all partners of the one company that a gateway serves.
#[derive(Default)]
pub(super) struct Memory {
    /// Of the catalogue with this mark.
    mark: i64,
    remembered: usize,
    numbers: HashMap<NumberClass, HashMap<String, Owners>>,
    items: HashMap<ItemId, Arc<Item>>,
    prices: HashMap<(PartnerId, ItemId), Arc<[PriceEntry]>>,
    places: HashMap<PartnerId, HashMap<String, Location>>,
    place_numbers: HashMap<PartnerId, Arc<BTreeSet<String>>>,
    warehouses: Option<Arc<[Warehouse]>>,
    partners: HashMap<i64, PartnerRow>,
    /// By qualifier and ISA id.
    senders: HashMap<(String, String), Arc<[SenderRow]>>,
    /// Whether an address may speak over a connection.
    speakers: HashMap<(i64, i64), bool>,
}

impl Memory {
    /// Whose a number is, of all who have it.
    pub(super) fn owners(&self, class: NumberClass, value: &str) -> Option<&Owners> {
        self.numbers.get(&class)?.get(value)
    }

    pub(super) fn item(&self, id: ItemId) -> Option<Arc<Item>> {
        self.items.get(&id).cloned()
    }

    /// All prices of an item that are a partner's or everybody's.
    pub(super) fn prices(&self, partner: PartnerId, item: ItemId) -> Option<Arc<[PriceEntry]>> {
        self.prices.get(&(partner, item)).cloned()
    }

    pub(super) fn place(&self, partner: PartnerId, number: &str) -> Option<Location> {
        self.places.get(&partner)?.get(number).cloned()
    }

    /// The numbers of all places of a partner.
    pub(super) fn place_numbers(&self, partner: PartnerId) -> Option<Arc<BTreeSet<String>>> {
        self.place_numbers.get(&partner).cloned()
    }

    pub(super) fn warehouses(&self) -> Option<Arc<[Warehouse]>> {
        self.warehouses.clone()
    }

    pub(super) fn partner(&self, id: i64) -> Option<PartnerRow> {
        self.partners.get(&id).cloned()
    }

    /// The addresses with a qualifier and an ISA id.
    pub(super) fn senders(&self, address: &(String, String)) -> Option<Arc<[SenderRow]>> {
        self.senders.get(address).cloned()
    }

    pub(super) fn may_speak(&self, address: i64, connection: i64) -> Option<bool> {
        self.speakers.get(&(address, connection)).copied()
    }

    pub(super) fn keep_partner(&mut self, partner: PartnerRow) {
        self.remembered += 1;
        self.partners.insert(partner.id, partner);
    }

    pub(super) fn keep_senders(&mut self, address: (String, String), senders: Arc<[SenderRow]>) {
        self.remembered += 1 + senders.len();
        self.senders.insert(address, senders);
    }

    pub(super) fn keep_speaker(&mut self, address: i64, connection: i64, may: bool) {
        self.remembered += 1;
        self.speakers.insert((address, connection), may);
    }

    pub(super) fn keep_owners(&mut self, (class, value): (NumberClass, String), owners: Owners) {
        self.remembered += 1 + owners.len();
        let of_class = self.numbers.entry(class).or_default();
        of_class.insert(value, owners);
    }

    pub(super) fn keep_item(&mut self, item: Arc<Item>) {
        self.remembered += 1;
        self.items.insert(item.id, item);
    }

    pub(super) fn keep_prices(
        &mut self,
        partner: PartnerId,
        item: ItemId,
        prices: Arc<[PriceEntry]>,
    ) {
        self.remembered += 1 + prices.len();
        self.prices.insert((partner, item), prices);
    }

    pub(super) fn keep_place(&mut self, partner: PartnerId, place: Location) {
        self.remembered += 1;
        let of_partner = self.places.entry(partner).or_default();
        of_partner.insert(place.number.clone(), place);
    }

    pub(super) fn keep_place_numbers(
        &mut self,
        partner: PartnerId,
        numbers: Arc<BTreeSet<String>>,
    ) {
        // They alone would have everything else forgotten again and again.
        if numbers.len() > REMEMBERED_MAX / 2 {
            return;
        }
        self.remembered += numbers.len();
        self.place_numbers.insert(partner, numbers);
    }

    pub(super) fn keep_warehouses(&mut self, warehouses: Arc<[Warehouse]>) {
        self.remembered += warehouses.len();
        self.warehouses = Some(warehouses);
    }
}

/// What is remembered by all connections of a store.
#[derive(Clone, Default)]
pub(super) struct Recall(Arc<Mutex<Memory>>);

impl Recall {
    fn lock(&self) -> MutexGuard<'_, Memory> {
        // Whoever panicked with it had put in what was read: what is there is right.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is remembered of the catalogue with this mark. What is remembered of another one is forgotten.
    fn of(&self, mark: i64) -> MutexGuard<'_, Memory> {
        let mut memory = self.lock();
        if memory.mark != mark || memory.remembered > REMEMBERED_MAX {
            *memory = Memory {
                mark,
                ..Memory::default()
            };
        }
        memory
    }
}

impl Connection {
    /// Asks once for each transaction for the mark of the catalogue; none where nothing is remembered for it: it has changed
    /// the catalogue itself, or only reads and was not told of a mark.
    pub(super) async fn catalogue_seen(&mut self) -> Result<Option<i64>, Failure> {
        let Some(kept) = self.kept.as_deref() else {
            return Ok(self.seen);
        };
        match kept.catalogue {
            Seen::Changed => Ok(None),
            Seen::Marked(mark) => Ok(Some(mark)),
            Seen::NotAsked => {
                let mark = self.catalogue_mark().await?;
                self.kept()?.catalogue = Seen::Marked(mark);
                Ok(Some(mark))
            }
        }
    }

    /// The mark of the catalogue and the profiles as they are now.
    pub async fn catalogue_mark(&mut self) -> Result<i64, Failure> {
        self.number(
            "SELECT COALESCE((SELECT value FROM counter WHERE scope = $1), 0)",
            binds![COUNTER],
        )
        .await
    }

    /// Lets a connection that only reads take what was remembered under a mark, which it was told of before it reads.
    pub fn see_catalogue(&mut self, mark: Option<i64>) {
        self.seen = mark;
    }

    /// What is remembered of the catalogue that this transaction sees.
    pub(super) fn recall(&self, seen: Option<i64>) -> Option<MutexGuard<'_, Memory>> {
        Some(self.recall.of(seen?))
    }

    /// This transaction changes items, prices, places, partners or their addresses: what is remembered of them holds no more once it commits.
    pub(super) async fn change_catalogue(&mut self) -> Result<(), Failure> {
        let (lot, _) = uuid::Uuid::new_v4().as_u64_pair();
        let mark = i64::try_from(lot >> 1).unwrap_or(i64::MAX);
        self.execute(
            "INSERT INTO counter (scope, value) VALUES ($1, $2) ON CONFLICT (scope) DO UPDATE SET value = $2",
            binds![COUNTER, mark],
        )
        .await?;
        self.kept()?.catalogue = Seen::Changed;
        Ok(())
    }
}
