//! Labels: SSCC-18 for cartons and pallets. We issue them in runs, one for each shipment; whoever packs may give others.
//! None is on two shipments of one world (GS1 wants none again within twelve months, we want none ever).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Gateway;
use crate::config::settings::Company;
use crate::domain::gs1::{PREFIX_AND_SERIAL, sscc_serial, sscc18};
use crate::domain::order::Mode;
use crate::domain::packing;
use crate::domain::shipment::{Shipment, ShipmentState};
use crate::storage::labels::LabelRun;
use crate::storage::{Class, Connection, Failure, StoreLocation};

/// What our own labels begin with: extension digit and company prefix.
fn numbering(company: &Company) -> String {
    format!("{}{}", company.sscc_extension, company.gs1_prefix)
}

/// Gives every carton without one an SSCC-18 of our own, and puts cartons that stand on none on pallets with theirs, at
/// most `pallet_cartons` on each; 0 puts none on any.
pub async fn issue(
    gateway: &Gateway,
    connection: &mut Connection,
    shipments: Vec<&mut Shipment>,
    pallet_cartons: u32,
) -> Result<(), Failure> {
    let Some(company) = gateway.settings.our_company() else {
        return Ok(());
    };
    type Bare<'a> = (&'a mut Shipment, usize, Vec<Vec<usize>>);
    let mut of_world: BTreeMap<Mode, Vec<Bare<'_>>> = BTreeMap::new();
    for shipment in shipments {
        let bare = shipment
            .cartons
            .iter()
            .filter(|carton| carton.sscc.is_empty())
            .count();
        let pallets = packing::pallets(&shipment.cartons, pallet_cartons);
        if bare + pallets.len() > 0 {
            let world = of_world.entry(shipment.mode).or_default();
            world.push((shipment, bare, pallets));
        }
    }
    for (mode, shipments) in of_world {
        let wanted = shipments
            .iter()
            .map(|(_, bare, pallets)| bare + pallets.len())
            .sum();
        let mut first = next_serials(gateway, connection, company, mode, wanted).await?;
        let mut runs = Vec::with_capacity(shipments.len());
        for (shipment, bare, pallets) in shipments {
            let behind = first + serials(bare + pallets.len());
            runs.push(LabelRun {
                first,
                last: behind - 1,
                shipment: shipment.id,
            });
            put_on(company, shipment, pallets, first..behind)?;
            first = behind;
        }
        connection
            .add_label_runs(&numbering(company), mode, &runs)
            .await?;
    }
    Ok(())
}

fn serials(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The first of `n` serials in a row that nobody has given to a carton already.
async fn next_serials(
    gateway: &Gateway,
    connection: &mut Connection,
    company: &Company,
    mode: Mode,
    n: usize,
) -> Result<i64, Failure> {
    loop {
        let first = match gateway.serials.take(mode, serials(n)) {
            Some(first) => first,
            None => {
                connection
                    .take_sscc_serials(&company.gs1_prefix, mode, n)
                    .await?
            }
        };
        let last = first + serials(n) - 1;
        if !connection
            .is_label_given(&numbering(company), mode, first, last)
            .await?
        {
            return Ok(first);
        }
    }
}

/// Serials that were taken from their counter before a transaction needs them, by the world that they are for. Over
/// PostgreSQL a counter is held until the transaction ends that takes from it, and those that plan shipments would go one
/// after the other. They are for this process alone: what is left of them when it ends, or was taken by a transaction that
/// came to nothing, is issued to nobody.
#[derive(Debug, Default)]
pub(super) struct Reserve(Mutex<BTreeMap<Mode, Stretch>>);

#[derive(Debug, Clone, Default)]
struct Stretch {
    serials: std::ops::Range<i64>,
    /// What a transaction takes of late.
    wanted: i64,
    /// Whether somebody takes more from the counter.
    is_being_filled: bool,
}

/// So many transactions are to have enough.
const TRANSACTIONS_AHEAD: i64 = 4;
/// At most one of so many serials that a company prefix leaves room for is kept ahead.
const SHARE_AHEAD: i64 = 1_000;

impl Reserve {
    fn stretches(&self) -> MutexGuard<'_, BTreeMap<Mode, Stretch>> {
        // Whoever panicked with it had changed one number: no serial is there twice.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first of `n` in a row, where there are so many.
    fn take(&self, mode: Mode, n: i64) -> Option<i64> {
        let mut stretches = self.stretches();
        let stretch = stretches.entry(mode).or_default();
        stretch.wanted = n.max(stretch.wanted / 4 * 3);
        let first = stretch.serials.start;
        let behind = first.checked_add(n)?;
        (behind <= stretch.serials.end).then(|| {
            stretch.serials.start = behind;
            first
        })
    }

    /// The worlds in which there are too few for the next transaction, each with how many are to be taken; whoever asks
    /// takes them.
    fn to_be_filled(&self, room: i64) -> Vec<(Mode, i64)> {
        let mut stretches = self.stretches();
        let few = stretches.iter_mut().filter(|(_, stretch)| {
            let left = stretch.serials.end - stretch.serials.start;
            !stretch.is_being_filled && left < stretch.wanted
        });
        few.filter_map(|(mode, stretch)| {
            let ahead = stretch.wanted.saturating_mul(TRANSACTIONS_AHEAD);
            let ahead = ahead.min(room / SHARE_AHEAD);
            stretch.is_being_filled = ahead >= stretch.wanted;
            stretch.is_being_filled.then_some((*mode, ahead))
        })
        .collect()
    }

    fn fill(&self, mode: Mode, taken: Option<std::ops::Range<i64>>) {
        let mut stretches = self.stretches();
        let stretch = stretches.entry(mode).or_default();
        stretch.is_being_filled = false;
        match taken {
            Some(taken) if taken.start == stretch.serials.end => stretch.serials.end = taken.end,
            Some(taken) => stretch.serials = taken,
            None => {}
        }
    }
}

/// Takes serials ahead over PostgreSQL, where the last transactions left too few for the next.
pub(super) async fn take_ahead(gateway: &Gateway) -> Result<(), Failure> {
    let Some(company) = gateway.settings.our_company() else {
        return Ok(());
    };
    if let StoreLocation::Sqlite(_) = gateway.store.location() {
        return Ok(());
    }
    let room = serials_of(&company.gs1_prefix);
    for (mode, ahead) in gateway.serials.to_be_filled(room) {
        let prefix = company.gs1_prefix.clone();
        let taken = gateway
            .store
            .write(Class::Ordinary, move |connection| {
                let prefix = prefix.clone();
                let ahead = usize::try_from(ahead).unwrap_or_default();
                Box::pin(async move { connection.take_sscc_serials(&prefix, mode, ahead).await })
            })
            .await;
        let serials = taken.as_ref().ok().map(|first| *first..first + ahead);
        gateway.serials.fill(mode, serials);
        taken?;
    }
    Ok(())
}

/// How many serials a company prefix leaves room for.
fn serials_of(prefix: &str) -> i64 {
    let digits = PREFIX_AND_SERIAL.saturating_sub(prefix.len());
    u32::try_from(digits).map_or(0, |digits| 10_i64.saturating_pow(digits))
}

/// Cartons first, then pallets, in their order.
fn put_on(
    company: &Company,
    shipment: &mut Shipment,
    pallets: Vec<Vec<usize>>,
    mut serials: std::ops::Range<i64>,
) -> Result<(), Failure> {
    let mut next = || {
        let serial = serials.next().and_then(|serial| u64::try_from(serial).ok());
        let serial = serial.ok_or_else(|| Failure::refuse("the SSCC serials have run out"))?;
        sscc18(company.sscc_extension, &company.gs1_prefix, serial).map_err(Failure::refused)
    };
    for carton in &mut shipment.cartons {
        if carton.sscc.is_empty() {
            carton.sscc = next()?;
        }
    }
    for pallet in pallets {
        let sscc = next()?;
        for index in pallet {
            if let Some(carton) = shipment.cartons.get_mut(index) {
                carton.pallet.clone_from(&sscc);
            }
        }
    }
    Ok(())
}

/// The labels of a shipment's cartons and pallets.
fn labels(shipment: &Shipment) -> BTreeSet<&str> {
    shipment
        .cartons
        .iter()
        .flat_map(|carton| [carton.sscc.as_str(), carton.pallet.as_str()])
        .filter(|label| !label.is_empty())
        .collect()
}

/// Claims the labels that whoever packed a shipment gave instead of those that were planned.
///
/// A label that we issued may stand on one shipment only: on the one it was issued to, or, where that left without it, on
/// the one that got it first.
pub async fn claim_given(
    gateway: &Gateway,
    connection: &mut Connection,
    planned: &Shipment,
    packed: &Shipment,
) -> Result<(), Failure> {
    let given: BTreeSet<&str> = labels(packed)
        .difference(&labels(planned))
        .copied()
        .collect();
    let Some(company) = gateway.settings.our_company() else {
        return Ok(());
    };
    if given.is_empty() {
        return Ok(());
    }
    let (mode, numbering) = (packed.mode, numbering(company));
    let mut ours: BTreeMap<i64, &str> = BTreeMap::new();
    let mut foreign = Vec::new();
    for label in &given {
        let serial = sscc_serial(company.sscc_extension, &company.gs1_prefix, label);
        match serial.and_then(|serial| i64::try_from(serial).ok()) {
            Some(serial) => {
                ours.insert(serial, label);
            }
            None => foreign.push((*label).to_owned()),
        }
    }
    let serials: Vec<i64> = ours.keys().copied().collect();
    let mut holders = connection.label_holders(&numbering, mode, &serials).await?;
    holders.retain(|holder| *holder != packed.id);
    for holder in connection.shipments(&holders).await? {
        if holder.state == ShipmentState::Cancelled {
            continue;
        }
        if let Some(label) = labels(&holder).intersection(&given).next() {
            return Err(taken(label));
        }
    }
    let claimed = connection
        .claim_given_labels(&numbering, mode, packed.id, &serials)
        .await?;
    if let Some(label) = claimed.first().and_then(|serial| ours.get(serial)) {
        return Err(taken(label));
    }
    match connection
        .claim_foreign_labels(mode, packed.id, &foreign)
        .await?
    {
        Some(label) => Err(taken(&label)),
        None => Ok(()),
    }
}

fn taken(label: &str) -> Failure {
    Failure::refuse(format!(
        "the carton or pallet {label} is already on another shipment: an SSCC is never used twice; give it another label"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: i64 = 1_000_000_000;

    #[test]
    fn serials_are_taken_ahead_for_some_transactions_and_given_once() {
        let (reserve, mode) = (Reserve::default(), Mode::Production);
        assert_eq!(reserve.to_be_filled(ROOM), [], "nobody has wanted any");
        assert_eq!(reserve.take(mode, 10), None);
        assert_eq!(reserve.to_be_filled(ROOM), [(mode, 40)]);
        assert_eq!(reserve.to_be_filled(ROOM), [], "somebody takes them");
        reserve.fill(mode, Some(101..141));
        assert_eq!(reserve.take(mode, 25), Some(101));
        assert_eq!(reserve.take(mode, 25), None, "there are 15");
        assert_eq!(reserve.take(Mode::Test, 5), None, "a world of its own");
        reserve.fill(Mode::Test, Some(1..6));
        assert_eq!(reserve.to_be_filled(ROOM), [(mode, 100)]);
        reserve.fill(mode, Some(141..241));
        assert_eq!(reserve.take(mode, 25), Some(126), "they join");
        reserve.fill(mode, Some(901..1_001));
        assert_eq!(
            reserve.take(mode, 25),
            Some(901),
            "others took those between"
        );
    }

    #[test]
    fn a_failure_lets_the_next_try_and_a_long_prefix_leaves_nothing_ahead() {
        let (reserve, mode) = (Reserve::default(), Mode::Production);
        assert_eq!(reserve.take(mode, 10), None);
        assert_eq!(reserve.to_be_filled(serials_of("0614141012")), [(mode, 40)]);
        reserve.fill(mode, None);
        let long = serials_of("061414101234");
        assert_eq!(long, 10_000);
        assert_eq!(reserve.take(mode, 11), None);
        assert_eq!(reserve.to_be_filled(long), []);
        assert_eq!(reserve.to_be_filled(ROOM), [(mode, 44)]);
    }
}
