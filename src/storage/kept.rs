//! What a transaction has changed and writes at its end: an order that goes through several steps in one transaction is
//! read once and written once, as it is in the end.
//!
//! Orders, shipments, stock that moves, documents that are queued and work that is asked for are kept so. Who asks for orders or shipments by
//! number finds what is kept; before any other statement reads or writes their tables, what is kept of them has to be
//! written. Documents that are queued are written before any are looked for by number, or to be delivered.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::connection::Connection;
use super::documents::Queued;
use super::effort::{Effort, Spending};
use super::failure::Failure;
use super::recall::Seen;
use super::stock::Moves;
use super::work::Asked;
use crate::domain::clock::Instant;
use crate::domain::ids::{OrderId, ShipmentId};
use crate::domain::order::Order;
use crate::domain::shipment::Shipment;

/// How a row stands in the database meanwhile.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stored {
    /// Not yet: it is added, as of this time.
    Not(Instant),
    /// With this revision.
    Revision(i64),
}

/// A row as it will be written.
#[derive(Debug)]
pub(super) struct Changed<T> {
    pub(super) value: Arc<T>,
    pub(super) stored: Stored,
}

impl<T> Changed<T> {
    pub(super) fn new(value: impl Into<Arc<T>>, stored: Stored) -> Self {
        Self {
            value: value.into(),
            stored,
        }
    }

    /// Whether nobody else can know of it yet.
    pub(super) fn is_new(&self) -> bool {
        matches!(self.stored, Stored::Not(_))
    }
}

/// What is kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) orders: BTreeMap<OrderId, Changed<Order>>,
    pub(super) shipments: BTreeMap<ShipmentId, Changed<Shipment>>,
    /// Documents of ours, by their numbers, that are put into no file yet. Of other documents nothing is kept.
    pub(super) queued: BTreeMap<i64, Queued>,
    pub(super) asked: Asked,
    pub(super) stock: Moves,
    /// Whether the transaction has lost to another before, and is run again.
    pub(super) lost_before: bool,
    /// Which items, prices, places and partners it sees.
    pub(super) catalogue: Seen,
}

/// The rows that are added, each as of when, and those that are changed, each with the revision it has in the database.
pub(super) type AddedAndChanged<'r, T> = (Vec<(&'r T, Instant)>, Vec<(&'r T, i64)>);

/// Tells the rows that are added from those that are changed.
pub(super) fn added_and_changed<K, T>(kept: &BTreeMap<K, Changed<T>>) -> AddedAndChanged<'_, T> {
    let (mut added, mut changed) = (Vec::new(), Vec::new());
    for Changed { value, stored } in kept.values() {
        match stored {
            Stored::Not(at) => added.push((&**value, *at)),
            Stored::Revision(before) => changed.push((&**value, *before)),
        }
    }
    (added, changed)
}

/// Keeps a changed row that was read with the revision `before`; an error where that is not how it is now.
pub(super) fn change<K: Ord, T>(
    kept: &mut BTreeMap<K, Changed<T>>,
    key: K,
    value: Arc<T>,
    before: i64,
    revision: fn(&T) -> i64,
) -> Result<(), ()> {
    match kept.get_mut(&key) {
        Some(changed) if revision(&changed.value) != before => return Err(()),
        Some(changed) => changed.value = value,
        None => {
            kept.insert(key, Changed::new(value, Stored::Revision(before)));
        }
    }
    Ok(())
}

/// Of these rows those that are kept, in the order of their numbers, and the numbers of the others.
pub(super) fn find<K: Ord + Copy, T>(
    kept: Option<&BTreeMap<K, Changed<T>>>,
    ids: &[K],
) -> (Vec<Arc<T>>, Vec<K>) {
    let Some(kept) = kept.filter(|kept| !kept.is_empty()) else {
        return (Vec::new(), ids.to_vec());
    };
    let (mut found, mut elsewhere) = (BTreeMap::new(), Vec::new());
    for id in ids {
        match kept.get(id) {
            Some(changed) => _ = found.insert(*id, changed.value.clone()),
            None => elsewhere.push(*id),
        }
    }
    (found.into_values().collect(), elsewhere)
}

/// Rows to be changed: what is kept of them stays as it is until they are given back.
pub(super) fn to_change<T: Clone>(rows: Vec<Arc<T>>) -> Vec<T> {
    rows.into_iter().map(Arc::unwrap_or_clone).collect()
}

impl Connection {
    /// From here on changes are kept.
    pub(super) fn keep(&mut self) {
        self.kept = Some(Box::default());
    }

    /// Whether what is decided on has to be held against others first: the transaction has lost to another before, and is
    /// not to lose again.
    pub fn is_to_hold_first(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.lost_before)
    }

    /// What is kept, to be added to.
    pub(super) fn kept(&mut self) -> Result<&mut Kept, Failure> {
        self.kept
            .as_deref_mut()
            .ok_or_else(|| Failure::refuse("a connection for queries changes nothing"))
    }

    /// Forgets what is kept, and keeps nothing any more: the transaction is taken back.
    pub(super) fn forget_kept(&mut self) {
        self.kept = None;
    }

    /// Writes the orders and shipments that are kept; what they ask for and send is kept still.
    pub async fn write_changes(&mut self) -> Result<(), Failure> {
        self.write_orders().await?;
        self.write_shipments().await
    }

    /// Writes what is kept, and keeps nothing any more.
    pub(super) async fn write_kept(&mut self) -> Result<(), Failure> {
        let _working = Spending::begin(Effort::Working);
        self.write_changes().await?;
        self.write_stock().await?;
        self.write_queued().await?;
        self.write_asked().await?;
        self.forget_kept();
        Ok(())
    }

    /// A statement that names a table of which rows are kept would read what is not so any more. None does: whoever wants
    /// to writes them first. Looked at where the tests run.
    pub(super) fn expect_written(&self, sql: &str) {
        if !cfg!(debug_assertions) {
            return;
        }
        let Some(kept) = &self.kept else { return };
        for (table, keeps) in [
            ("purchase_order", !kept.orders.is_empty()),
            ("shipment", !kept.shipments.is_empty()),
            ("shipment_order", !kept.shipments.is_empty()),
            ("shipment_number", !kept.shipments.is_empty()),
            ("work", !kept.asked.is_empty()),
            ("stock", !kept.stock.is_empty()),
            ("stock_movement", !kept.stock.is_empty()),
        ] {
            assert!(
                !keeps || !names(sql, table),
                "rows of {table} are kept and not written, and this reads or writes them: {sql}"
            );
        }
    }
}

/// Whether a statement names a table.
fn names(sql: &str, table: &str) -> bool {
    let mut words = sql
        .split(|c: char| !(c == '_' || c.is_ascii_alphanumeric()))
        .filter(|word| !word.is_empty());
    let mut before = "";
    words.any(|word| {
        let named = word == table && matches!(before, "FROM" | "JOIN" | "UPDATE" | "INTO" | "FAIL");
        before = word;
        named
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_names_the_tables_it_reads_and_writes() {
        for (sql, table, named) in [
            ("SELECT id FROM shipment WHERE id = $1", "shipment", true),
            ("SELECT shipment_id FROM shipment_order", "shipment", false),
            (
                "SELECT shipment_id FROM shipment_order",
                "shipment_order",
                true,
            ),
            (
                "INSERT INTO label_run (first, shipment_id)",
                "shipment",
                false,
            ),
            ("UPDATE\n shipment SET body = $1", "shipment", true),
            ("UPDATE OR FAIL stock SET on_hand = $1", "stock", true),
            (
                "SELECT 1 FROM lane JOIN work ON work.lane = lane.id",
                "work",
                true,
            ),
            (
                "INSERT INTO audit (subject_kind) VALUES ('work')",
                "work",
                false,
            ),
        ] {
            assert_eq!(names(sql, table), named, "{sql}");
        }
    }
}
