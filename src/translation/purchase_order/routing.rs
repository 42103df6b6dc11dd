//! Where and when the parts of a line go that do not simply go to the order's ship-to: N1 with ST below the line, with
//! its QTY, SCH and DTM; SCH of the line; DTM of the line. They become the order's deliveries, and the line's quantity
//! is shared among them as SDQ shares it among stores.
//!
//! What can be read in one way only is followed. Where the document leaves open how much goes where, the order is held.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use supercargo_x12::Segment;

use super::super::element::{date, decimal};
use super::super::party;
use super::super::place::{self, trimmed};
use crate::domain::delivery::{Delivery, ShipWindow, says_when};
use crate::domain::finding::{Finding, Place, Severity};
use crate::domain::order::{OrderHeader, OrderLine, Party, StoreQuantity};

/// Dates of a line (DTM) that say when it may leave; all others are told and do not bind.
const LINE_DATES: [&str; 3] = ["037", "038", "001"];

/// Roles (SCH03) of a place that goods are marked for.
const MARKED_FOR: [&str; 3] = ["Z7", "BY", "MA"];

/// What was read below one line.
#[derive(Default)]
pub struct Routing {
    destinations: Vec<Destination>,
    schedules: Vec<Schedule>,
    /// The last N1 below the line is a ship-to.
    within_ship_to: bool,
}

/// A ship-to below a line.
struct Destination {
    place: Place,
    ship_to: Party,
    /// QTY of its loop.
    quantity: Option<Stated>,
    dates: BTreeMap<String, NaiveDate>,
    schedules: Vec<Schedule>,
}

/// A quantity as it was written.
#[derive(Clone)]
struct Stated {
    place: Place,
    text: String,
    unit: String,
}

/// One SCH.
struct Schedule {
    quantity: Stated,
    role: String,
    name: String,
    dates: Vec<(Place, String, String)>,
}

/// A part of the line that is settled but for its number.
struct Part {
    ship_to: Option<Party>,
    store: String,
    dates: BTreeMap<String, NaiveDate>,
    /// None: all of the line.
    quantity: Option<Decimal>,
}

impl Routing {
    /// A segment of the loop of an N1 below the line; false where it is not used.
    pub fn take_in_party(&mut self, segment: Segment<'_>) -> bool {
        if segment.id() == "N1" {
            self.within_ship_to = segment.element(1) == "ST";
            if self.within_ship_to {
                self.destinations.push(Destination {
                    place: place::of_element(segment, 4),
                    ship_to: party::named(segment),
                    quantity: None,
                    dates: BTreeMap::new(),
                    schedules: Vec::new(),
                });
            }
            return self.within_ship_to;
        }
        if !self.within_ship_to {
            return false;
        }
        let Some(open) = self.destinations.last_mut() else {
            return false;
        };
        match segment.id() {
            "N2" | "N3" | "N4" => party::add_address(&mut open.ship_to, segment),
            "QTY" if open.quantity.is_none() => {
                open.quantity = Some(Stated {
                    place: place::of_element(segment, 2),
                    text: segment.element(2).to_owned(),
                    unit: trimmed(segment, 3).to_owned(),
                });
                true
            }
            "SCH" => {
                open.schedules.push(schedule(segment));
                true
            }
            "DTM" => {
                let day = date(segment.element(2));
                let used = day.is_some() && says_when(segment.element(1));
                if let (true, Some(day)) = (used, day) {
                    open.dates
                        .entry(segment.element(1).to_owned())
                        .or_insert(day);
                }
                used
            }
            _ => false,
        }
    }

    /// SCH of the line itself.
    pub fn take_schedule(&mut self, segment: Segment<'_>) {
        self.schedules.push(schedule(segment));
    }
}

fn schedule(segment: Segment<'_>) -> Schedule {
    Schedule {
        quantity: Stated {
            place: place::of_element(segment, 1),
            text: segment.element(1).to_owned(),
            unit: trimmed(segment, 2).to_owned(),
        },
        role: trimmed(segment, 3).to_owned(),
        name: trimmed(segment, 4).to_owned(),
        dates: [5, 8]
            .into_iter()
            .filter(|n| !segment.element(*n).is_empty())
            .map(|n| {
                (
                    place::of_element(segment, n + 1),
                    segment.element(n).to_owned(),
                    segment.element(n + 1).to_owned(),
                )
            })
            .collect(),
    }
}

fn held(place: &Place, code: &str, message: String) -> Finding {
    Finding::business(code, Severity::Hold, message).at(place.clone())
}

/// Settles where the parts of a line go, and numbers the deliveries that it needs.
pub fn settle(
    header: &mut OrderHeader,
    line: &mut OrderLine,
    routing: Routing,
    found: &mut Vec<Finding>,
) {
    let parts = parts(header, line, routing, found);
    let own_dates = own_dates(header, line);
    let mut parts: Vec<Part> = parts
        .into_iter()
        .map(|part| Part {
            dates: if part.dates.is_empty() {
                own_dates.clone()
            } else {
                part.dates
            },
            ..part
        })
        .collect();
    if parts.is_empty() && !own_dates.is_empty() {
        parts.push(Part {
            ship_to: None,
            store: String::new(),
            dates: own_dates,
            quantity: None,
        });
    }
    let plain = |part: &Part| part.ship_to.is_none() && part.dates.is_empty();
    if parts
        .iter()
        .all(|part| plain(part) && part.store.is_empty())
    {
        // All of it goes where and when the order goes, whatever the parts add up to; that they do is for verification.
        if let Some(sum) =
            sum_of(&parts).filter(|sum| *sum != line.ordered && line.stores.is_empty())
        {
            share_out(header, line, vec![(parts.swap_remove(0), sum)]);
        }
        return;
    }
    let whole = match parts.as_slice() {
        [part] => part
            .quantity
            .is_none_or(|quantity| quantity == line.ordered),
        _ => false,
    };
    if !line.stores.is_empty() {
        match parts.pop() {
            Some(part) if whole && part.store.is_empty() => {
                let number = number(header, &part);
                for store in &mut line.stores {
                    store.delivery = number;
                }
            }
            _ => found.push(held(
                &place_of(line),
                "line-stores-and-schedule",
                "the line is distributed to stores (SDQ) and scheduled or sent to several places (SCH, N1) as well, and does not say which store's goods belong to which of them: settle it with the buyer; released, the stores are served without the schedule".to_owned(),
            )),
        }
        return;
    }
    let shares = parts
        .into_iter()
        .map(|part| {
            let quantity = part.quantity.unwrap_or(line.ordered);
            (part, quantity)
        })
        .collect();
    share_out(header, line, shares);
}

fn sum_of(parts: &[Part]) -> Option<Decimal> {
    let mut sum = Decimal::ZERO;
    for part in parts {
        sum = sum.checked_add(part.quantity?)?;
    }
    (!parts.is_empty()).then_some(sum)
}

/// Shares the line out, what leaves first in front; what has the same place, day and store is added up.
fn share_out(header: &mut OrderHeader, line: &mut OrderLine, parts: Vec<(Part, Decimal)>) {
    let mut shares: Vec<(ShipWindow, StoreQuantity)> = Vec::new();
    for (part, quantity) in parts {
        let delivery = number(header, &part);
        let known = shares
            .iter_mut()
            .find(|(_, share)| share.delivery == delivery && share.store == part.store);
        match known {
            Some((_, share)) => share.quantity = share.quantity.saturating_add(quantity),
            None => shares.push((
                header.window(delivery, 0),
                StoreQuantity {
                    store: part.store,
                    quantity,
                    delivery,
                },
            )),
        }
    }
    shares.sort_by_key(|(window, _)| *window);
    line.stores = shares.into_iter().map(|(_, share)| share).collect();
}

/// The number of the delivery that a part needs, a new one where none is like it.
fn number(header: &mut OrderHeader, part: &Part) -> u32 {
    let known = header
        .deliveries
        .iter()
        .find(|known| known.ship_to == part.ship_to && known.dates == part.dates);
    if let Some(known) = known {
        return known.number;
    }
    let number = u32::try_from(header.deliveries.len() + 1).unwrap_or(u32::MAX);
    header.deliveries.push(Delivery {
        number,
        ship_to: part.ship_to.clone(),
        dates: part.dates.clone(),
    });
    number
}

fn place_of(line: &OrderLine) -> Place {
    Place {
        byte: Some(line.byte),
        segment: Some("PO1".to_owned()),
        segment_index: Some(line.segment_index),
        ..Place::default()
    }
}

/// The line's own days of leaving, where they differ from the order's.
fn own_dates(header: &OrderHeader, line: &OrderLine) -> BTreeMap<String, NaiveDate> {
    let dates = &header.dates;
    let of_order = |qualifier: &str| match qualifier {
        "037" => dates.ship_not_before,
        "038" => dates.ship_no_later,
        _ => dates.cancel_after,
    };
    LINE_DATES
        .into_iter()
        .filter_map(|qualifier| {
            let day = *line.dates.get(qualifier)?;
            (of_order(qualifier) != Some(day)).then(|| (qualifier.to_owned(), day))
        })
        .collect()
}

/// The parts as the segments say them; none where all of the line goes as the order goes, or where it is held.
fn parts(
    header: &OrderHeader,
    line: &OrderLine,
    routing: Routing,
    found: &mut Vec<Finding>,
) -> Vec<Part> {
    let Routing {
        destinations,
        schedules,
        ..
    } = routing;
    let stated = destinations
        .iter()
        .any(|to| !to.schedules.is_empty() || to.quantity.is_some());
    match (destinations.as_slice(), schedules.is_empty()) {
        ([], true) => Vec::new(),
        (_, false) if stated => {
            found.push(held(
                &place_of(line),
                "line-routing-unclear",
                "the line's ship-tos (N1) and its schedule (SCH) both give quantities: settle with the buyer which of them holds; released, all of the line goes to the order's ship-to".to_owned(),
            ));
            Vec::new()
        }
        (_, false) => scheduled(header, line, &destinations, schedules, found),
        ([only], true) if !stated => vec![Part {
            ship_to: beside(header, &only.ship_to),
            store: String::new(),
            dates: only.dates.clone(),
            quantity: None,
        }],
        (_, true) => by_destination(header, line, destinations, found),
    }
}

/// A ship-to, none where it is the order's own.
fn beside(header: &OrderHeader, ship_to: &Party) -> Option<Party> {
    let same = |own: &Party| {
        own.id_qualifier == ship_to.id_qualifier
            && own.id == ship_to.id
            && (!own.id.is_empty() || own == ship_to)
    };
    if header.ship_to().is_some_and(same) {
        return None;
    }
    // A number alone is one that the order's heading tells more of.
    let bare = ship_to.name.is_empty() && ship_to.street.is_empty();
    let told = header
        .parties
        .iter()
        .filter(|party| bare && party.role == "ST")
        .find(|party| same(party));
    Some(told.unwrap_or(ship_to).clone())
}

/// Ship-tos below the line, each with its quantity (QTY, or SCH with days).
fn by_destination(
    header: &OrderHeader,
    line: &OrderLine,
    destinations: Vec<Destination>,
    found: &mut Vec<Finding>,
) -> Vec<Part> {
    let mut parts = Vec::new();
    for to in destinations {
        let ship_to = beside(header, &to.ship_to);
        if to.schedules.is_empty() {
            let Some(stated) = &to.quantity else {
                found.push(held(
                    &to.place,
                    "line-ship-to",
                    format!("the line has several ship-tos (N1 ST) and does not say how much goes to {}: ask the buyer, and correct the document; released, all of the line goes to the order's ship-to", named(&to.ship_to)),
                ));
                return Vec::new();
            };
            parts.push(Part {
                ship_to,
                store: String::new(),
                dates: to.dates,
                quantity: Some(quantity(stated, line, found)),
            });
            continue;
        }
        for schedule in &to.schedules {
            let mut dates = days(schedule, found);
            if dates.is_empty() {
                dates.clone_from(&to.dates);
            }
            parts.push(Part {
                ship_to: ship_to.clone(),
                store: marked_for(schedule),
                dates,
                quantity: Some(quantity(&schedule.quantity, line, found)),
            });
        }
    }
    parts
}

/// A schedule of the line: each SCH names its place (SCH03, SCH04), or goes to the line's only ship-to, or the order's.
fn scheduled(
    header: &OrderHeader,
    line: &OrderLine,
    destinations: &[Destination],
    schedules: Vec<Schedule>,
    found: &mut Vec<Finding>,
) -> Vec<Part> {
    let mut parts = Vec::new();
    for schedule in &schedules {
        let to = match (schedule.role.as_str(), destinations) {
            ("ST", _) if !schedule.name.is_empty() => {
                beside(header, &place_named(header, destinations, &schedule.name))
            }
            (_, []) => None,
            (_, [only]) => beside(header, &only.ship_to),
            (_, [_, _, ..]) => {
                found.push(held(
                    &schedule.quantity.place,
                    "line-ship-to",
                    "the line has several ship-tos (N1 ST), and its schedule does not say which of them gets this quantity (SCH03, SCH04): ask the buyer, and correct the document; released, all of the line goes to the order's ship-to".to_owned(),
                ));
                return Vec::new();
            }
        };
        parts.push(Part {
            ship_to: to,
            store: marked_for(schedule),
            dates: days(schedule, found),
            quantity: Some(quantity(&schedule.quantity, line, found)),
        });
    }
    parts
}

fn marked_for(schedule: &Schedule) -> String {
    if MARKED_FOR.contains(&schedule.role.as_str()) {
        schedule.name.clone()
    } else {
        String::new()
    }
}

/// The place that SCH04 names: a party of the line or of the order by number or name; else a number where it looks like
/// one, or a name.
fn place_named(header: &OrderHeader, destinations: &[Destination], name: &str) -> Party {
    let called = |party: &&Party| {
        party.id == name || (!party.name.is_empty() && party.name.eq_ignore_ascii_case(name))
    };
    let known = destinations
        .iter()
        .map(|to| &to.ship_to)
        .chain(header.parties.iter().filter(|party| party.role == "ST"))
        .chain(header.parties.iter().filter(|party| party.role != "ST"))
        .find(called)
        .cloned();
    let party = known.unwrap_or_else(|| {
        let is_number =
            !name.contains(' ') && name.contains(|letter: char| letter.is_ascii_digit());
        if is_number {
            Party {
                id_qualifier: "92".to_owned(),
                id: name.to_owned(),
                ..Party::default()
            }
        } else {
            Party {
                name: name.to_owned(),
                ..Party::default()
            }
        }
    });
    Party {
        role: "ST".to_owned(),
        ..party
    }
}

fn named(party: &Party) -> String {
    if party.id.is_empty() {
        format!("{:?}", party.name)
    } else {
        format!("{:?}", party.id)
    }
}

/// The days of a schedule that say when it leaves or arrives.
fn days(schedule: &Schedule, found: &mut Vec<Finding>) -> BTreeMap<String, NaiveDate> {
    let mut days = BTreeMap::new();
    for (place, qualifier, text) in &schedule.dates {
        let Some(day) = date(text) else {
            found.push(
                held(
                    place,
                    "date-unreadable",
                    format!("the date with qualifier {qualifier} of the line's schedule (SCH) is no day of the calendar: ask the buyer for the right one, and correct the document"),
                )
                .with_value(text),
            );
            continue;
        };
        if !says_when(qualifier) {
            found.push(
                held(
                    place,
                    "schedule-date-unknown",
                    format!("the line's schedule (SCH) gives a date with qualifier {qualifier}, which says neither when the goods leave nor when they arrive: ask the buyer what is meant; released, the order's own dates hold"),
                )
                .with_value(qualifier),
            );
            continue;
        }
        days.insert(qualifier.clone(), day);
    }
    days
}

/// A quantity in the line's unit; what can not be read is zero, and verification sees that the sum differs.
fn quantity(stated: &Stated, line: &OrderLine, found: &mut Vec<Finding>) -> Decimal {
    if !stated.unit.is_empty() && stated.unit != line.unit {
        found.push(
            held(
                &stated.place,
                "store-unit-differs",
                format!("the quantities of the line's parts (SCH02, QTY03) are in {} and the line's in {} (PO103): ask the buyer which is right, and correct the document", stated.unit, line.unit),
            )
            .with_value(&stated.unit),
        );
    }
    decimal(&stated.text).unwrap_or_else(|| {
        found.push(
            held(
                &stated.place,
                "store-quantity-unreadable",
                format!("the quantity {:?} of a part of the line (SCH01, QTY02) is no number: ask the buyer what was meant, and correct the document", stated.text),
            )
            .with_value(&stated.text),
        );
        Decimal::ZERO
    })
}

/// Several ship-tos in the heading are followed where each line says which part goes to which of them.
pub fn check_header(header: &OrderHeader, lines: &[OrderLine], found: &mut Vec<Finding>) {
    let named = header.parties.iter().filter(|party| party.role == "ST");
    if header.ship_to().is_some() || named.clone().next().is_none() {
        return;
    }
    let unclear = lines.iter().find(|line| {
        line.stores.is_empty()
            || line.stores.iter().any(|share| {
                let to = header
                    .delivery(share.delivery)
                    .and_then(|delivery| delivery.ship_to.as_ref());
                to.is_none() && share.store.is_empty()
            })
    });
    if let Some(line) = unclear {
        let told: Vec<String> = named.map(self::named).collect();
        found.push(
            held(
                &place_of(line),
                "order-ship-tos",
                format!("the order names several ship-tos ({}), and line {} does not say how much of it goes to which: ask the buyer, and correct the document; released, it goes to the first", told.join(", "), line.line),
            )
            .on_line(line.line),
        );
    }
}
