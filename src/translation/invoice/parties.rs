//! Parties and references of the 810, in the order that the profile lists them.

use supercargo_x12::{OutSegment, seg};

use super::Paper;
use crate::config::settings::Company;
use crate::domain::order::Party;
use crate::domain::shipment::Shipment;

/// Roles that stand for a store, in the order in which one is chosen for an invoice per store.
const STORE_ROLES: [&str; 3] = ["Z7", "BY", "ST"];

/// Roles that are ours as the vendor.
const VENDOR_ROLES: [&str; 3] = ["VN", "SU", "SE"];

/// Each listed party that is known.
pub fn of(paper: &Paper<'_>) -> Vec<(String, Party)> {
    let listed = &paper.profile.invoice_document.parties;
    let store_role = STORE_ROLES
        .into_iter()
        .find(|role| !paper.invoice.store.is_empty() && listed.iter().any(|known| known == role));
    listed
        .iter()
        .filter_map(|role| {
            let party = if store_role == Some(role.as_str()) {
                Some(store(paper, role))
            } else {
                named(paper, role)
            };
            let party = party.map(|party| match role.as_str() {
                "ST" => with_address(paper, party),
                _ => party,
            });
            party.map(|party| (role.clone(), party))
        })
        .collect()
}

/// The party under a role: the invoice's own, the order's, or ours.
fn named(paper: &Paper<'_>, role: &str) -> Option<Party> {
    let of_invoice = paper
        .invoice
        .parties
        .iter()
        .find(|party| party.role == role);
    if role == "RE" && of_invoice.is_none() {
        return Some(remit_to(paper.context.company));
    }
    // An invoice knows where its own goods went, and that may be elsewhere than the order says.
    let knows_places = role == "ST" && !paper.invoice.parties.is_empty();
    of_invoice
        .or_else(|| paper.order.header.party(role).filter(|_| !knows_places))
        .cloned()
        .or_else(|| match role {
            "SF" => ship_from(paper),
            _ => VENDOR_ROLES.contains(&role).then(|| vendor(paper)),
        })
}

/// A ship-to that the order gave by its number alone, with the name and address that its shipment went to.
fn with_address(paper: &Paper<'_>, party: Party) -> Party {
    let addressed = |party: &Party| {
        !(party.street.is_empty()
            && party.city.is_empty()
            && party.state.is_empty()
            && party.postal_code.is_empty())
    };
    if party.id.is_empty() || addressed(&party) {
        return party;
    }
    let known = paper
        .context
        .shipments
        .iter()
        .map(|shipment| &shipment.ship_to)
        .find(|place| place.id == party.id && addressed(place));
    let Some(place) = known else {
        return party;
    };
    Party {
        role: party.role,
        id_qualifier: party.id_qualifier,
        id: party.id,
        name: if party.name.is_empty() {
            place.name.clone()
        } else {
            party.name
        },
        ..place.clone()
    }
}

/// The store that the invoice is for: as a party of the invoice or order where one has its number, else by its number.
fn store(paper: &Paper<'_>, role: &str) -> Party {
    let number = &paper.invoice.store;
    paper
        .invoice
        .parties
        .iter()
        .chain(&paper.order.header.parties)
        .find(|party| party.id == *number && STORE_ROLES.contains(&party.role.as_str()))
        .cloned()
        .unwrap_or_else(|| Party {
            role: role.to_owned(),
            id_qualifier: paper.profile.invoice_document.location_qualifier.clone(),
            id: number.clone(),
            ..Party::default()
        })
}

/// Where the customer pays to.
fn remit_to(company: &Company) -> Party {
    Party {
        role: "RE".to_owned(),
        name: company.name.clone(),
        id_qualifier: company.party_id_qualifier.clone(),
        id: company.party_id.clone(),
        street: Some(company.street.clone())
            .filter(|street| !street.is_empty())
            .into_iter()
            .collect(),
        city: company.city.clone(),
        state: company.state.clone(),
        postal_code: company.postal_code.clone(),
        country: company.country.clone(),
    }
}

/// Our warehouse by its code, where all came out of one.
fn ship_from(paper: &Paper<'_>) -> Option<Party> {
    let code = agreed(paper, |shipment| &shipment.warehouse_code)?;
    Some(Party {
        name: paper.context.company.name.clone(),
        id_qualifier: "91".to_owned(),
        id: code,
        ..Party::default()
    })
}

/// What all shipments have in common.
fn agreed(paper: &Paper<'_>, value: fn(&Shipment) -> &String) -> Option<String> {
    let mut values = paper.context.shipments.iter().copied().map(value);
    let first = values.next()?;
    values.all(|other| other == first).then(|| first.clone())
}

/// We ourselves, by the number that the buyer gave us.
fn vendor(paper: &Paper<'_>) -> Party {
    let of_order = &paper.order.header.vendor_number;
    let number = if of_order.is_empty() {
        &paper.profile.vendor_number
    } else {
        of_order
    };
    Party {
        name: paper.context.company.name.clone(),
        id_qualifier: if number.is_empty() { "" } else { "92" }.to_owned(),
        id: number.clone(),
        ..Party::default()
    }
}

/// Each listed reference that has a value.
pub fn references(paper: &Paper<'_>) -> Vec<OutSegment> {
    paper
        .profile
        .invoice_document
        .references
        .iter()
        .filter_map(|qualifier| {
            let value = reference(paper, qualifier)?;
            (!value.is_empty()).then(|| seg("REF").el(qualifier).el(value))
        })
        .collect()
}

fn reference(paper: &Paper<'_>, qualifier: &str) -> Option<String> {
    let invoice = paper.invoice;
    let header = &paper.order.header;
    let stated = invoice
        .references
        .iter()
        .find(|reference| reference.qualifier == qualifier)
        .map(|reference| reference.value.clone());
    stated.or_else(|| match qualifier {
        "BM" if !invoice.bill_of_lading.is_empty() => Some(invoice.bill_of_lading.clone()),
        "BM" => agreed(paper, |shipment| &shipment.bill_of_lading),
        "CN" | "2I" => agreed(paper, |shipment| &shipment.tracking),
        other => header
            .reference(other)
            .map(str::to_owned)
            .or_else(|| match other {
                "DP" => Some(header.department.clone()),
                "IA" if header.vendor_number.is_empty() => {
                    Some(paper.profile.vendor_number.clone())
                }
                "IA" => Some(header.vendor_number.clone()),
                _ => None,
            }),
    })
}
