//! Partners: every version of every profile is there, and addresses and connections are what the one in force says.
//! Beside them, what gives rows their numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::Prover;
use crate::config::profile::Profile;
use crate::storage::Failure;
use crate::storage::proof::partners::{KeptAddress, KeptPartner};
use crate::workflow::partners::{addresses, connection_name};

/// Partners in a slice: each has a profile of some ten kilobytes.
const PARTNERS: i64 = 100;

/// Tables whose rows are numbered from a series of their own.
const NUMBERED: [&str; 18] = [
    "file",
    "interchange",
    "document",
    "transmission",
    "purchase_order",
    "shipment",
    "invoice",
    "payment",
    "deduction",
    "alert",
    "mail",
    "audit",
    "partner",
    "connection",
    "edi_address",
    "item",
    "warehouse",
    "mailbox_login",
];

/// Partners against their profiles.
pub(super) async fn partners(prover: &mut Prover<'_>) -> Result<(), Failure> {
    prover.begin(
        "partners",
        "every version of every profile is there; addresses and connections are what the one in force says; no number is given twice",
    );
    let mut after = i64::MIN;
    loop {
        let (partners, found, mailboxes) = prover
            .history
            .slice(move |connection| {
                Box::pin(async move {
                    let partners = connection.kept_partners(after, PARTNERS).await?;
                    let (Some(first), Some(last)) = (partners.first(), partners.last()) else {
                        return Ok((partners, Vec::new(), Vec::new()));
                    };
                    let (first, last) = (first.id, last.id);
                    let found = connection.kept_addresses(first, last).await?;
                    let mailboxes = connection.kept_mailboxes(first, last).await?;
                    Ok((partners, found, mailboxes))
                })
            })
            .await?;
        let Some(last) = partners.last() else { break };
        after = last.id;
        prover.checked(partners.len());
        for partner in &partners {
            one_partner(prover, partner, &found, &mailboxes);
        }
    }
    numbers(prover).await
}

fn one_partner(
    prover: &mut Prover<'_>,
    partner: &KeptPartner,
    found: &[KeptAddress],
    mailboxes: &[(i64, String)],
) {
    let place = || format!("partner {} ({})", partner.id, partner.code);
    if partner.versions != partner.profile_version {
        prover.fault(
            place(),
            format!(
                "its profile has version {} and {} versions are kept",
                partner.profile_version, partner.versions
            ),
        );
    }
    let Some(text) = &partner.text else {
        prover.fault(place(), "the profile in force is not there");
        return;
    };
    let profile = match Profile::parse(text) {
        Ok(profile) => profile,
        Err(refusal) => {
            prover.fault(
                place(),
                format!("the profile in force can not be read: {refusal}"),
            );
            return;
        }
    };
    let key = |qualifier: &str, isa: &str, gs: &str, mode: &str| {
        format!("{qualifier}:{isa} (GS id {gs}, {mode})")
    };
    let said: BTreeSet<String> = addresses(&profile)
        .iter()
        .map(|address| {
            key(
                &address.qualifier,
                &address.isa_id,
                &address.gs_id,
                address.mode,
            )
        })
        .collect();
    let mut there: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for row in found.iter().filter(|row| row.partner_id == partner.id) {
        there
            .entry(key(&row.qualifier, &row.isa_id, &row.gs_id, &row.mode))
            .or_default()
            .extend(row.connection.as_deref());
    }
    let route = connection_name(&profile);
    let own: BTreeSet<&str> = mailboxes
        .iter()
        .filter(|(owner, _)| *owner == partner.id)
        .map(|(_, name)| name.as_str())
        .chain([route.as_str()])
        .collect();
    for address in said.iter().filter(|address| !there.contains_key(*address)) {
        prover.fault(
            place(),
            format!("its address {address} is in the profile in force and not in the database"),
        );
    }
    for (address, over) in &there {
        if !said.contains(address) {
            prover.fault(
                place(),
                format!("its address {address} is in the database and not in the profile in force"),
            );
            continue;
        }
        for silent in own.difference(over) {
            prover.fault(
                place(),
                format!("its address {address} does not speak over its connection {silent}"),
            );
        }
    }
}

/// The series that rows take their numbers from stand at the largest number or beyond: none is given twice.
async fn numbers(prover: &mut Prover<'_>) -> Result<(), Failure> {
    let series = prover
        .history
        .slice(|connection| Box::pin(async move { connection.number_series(&NUMBERED).await }))
        .await?;
    for table in NUMBERED {
        match series.iter().find(|(name, _, _)| name == table) {
            None => prover.fault(
                format!("numbers of table {table}"),
                "what counts them is not there: they would begin again",
            ),
            Some((_, given, largest)) if given < largest => prover.fault(
                format!("numbers of table {table}"),
                format!("{given} were given and the largest that is kept is {largest}: it would be given again"),
            ),
            Some(_) => {}
        }
    }
    Ok(())
}
