//! Labels: SSCC-18 for cartons and pallets. We issue them in runs, one for each shipment; whoever packs may give others.
//! None is on two shipments of one world (GS1 wants none again within twelve months, we want none ever).

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;

use super::Gateway;
use crate::config::settings::Company;
use crate::domain::gs1::{sscc_serial, sscc18};
use crate::domain::order::Mode;
use crate::domain::packing;
use crate::domain::shipment::{Shipment, ShipmentState};
use crate::storage::labels::LabelRun;
use crate::storage::{Connection, Failure};

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
        let mut first = next_serials(connection, company, mode, wanted).await?;
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
    connection: &mut Connection,
    company: &Company,
    mode: Mode,
    n: usize,
) -> Result<i64, Failure> {
    loop {
        let first = connection
            .take_sscc_serials(&company.gs1_prefix, mode, n)
            .await?;
        let last = first + serials(n) - 1;
        if !connection
            .is_label_given(&numbering(company), mode, first, last)
            .await?
        {
            return Ok(first);
        }
    }
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
        sscc18(company.sscc_extension, &company.gs1_prefix, serial)
            .map(CompactString::from)
            .map_err(Failure::refused)
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
