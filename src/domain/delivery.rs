//! Deliveries: places and days of their own that parts of an order go to, beside the order's one ship-to and window.
//!
//! A delivery comes of a ship-to below a line (N1 with ST), of a schedule (SCH), or of days that stand at a line only.
//! Parts of several lines that go to the same place on the same days share one.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::order::{Order, OrderHeader, OrderLine, Party};
use super::shipment::Carton;

/// Qualifiers of a day on which goods are to leave, or before which they may not.
const LEAVES: [&str; 3] = ["037", "010", "068"];

/// Qualifiers of a day on which goods are to arrive, or before which they may not.
const ARRIVES: [&str; 6] = ["002", "067", "069", "074", "017", "064"];

/// Qualifiers of the last day on which goods may leave.
const LEAVES_LAST: [&str; 2] = ["038", "001"];

/// Qualifiers of the last day on which goods may arrive.
const ARRIVES_LAST: [&str; 2] = ["063", "061"];

/// Whether a date with this qualifier says when a delivery may leave.
pub fn says_when(qualifier: &str) -> bool {
    [&LEAVES[..], &ARRIVES, &LEAVES_LAST, &ARRIVES_LAST]
        .iter()
        .any(|known| known.contains(&qualifier))
}

/// A place or days of its own that a part of the order goes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// From 1, in the order in which the lines name them.
    pub number: u32,
    /// Where to; none: to the order's ship-to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_to: Option<Party>,
    /// Qualifier → day, as the buyer gave them; empty: the order's own dates hold.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dates: BTreeMap<String, NaiveDate>,
}

/// The days between which goods may leave; none: any day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShipWindow {
    /// Not before.
    pub first: Option<NaiveDate>,
    /// Not after.
    pub last: Option<NaiveDate>,
}

impl Delivery {
    fn day(&self, qualifiers: &[&str]) -> Option<NaiveDate> {
        qualifiers
            .iter()
            .find_map(|qualifier| self.dates.get(*qualifier).copied())
    }

    /// The days of the delivery itself. A day of arrival counts back by the days of transport.
    fn own_window(&self, transit: Days) -> ShipWindow {
        let back = |day: NaiveDate| day.checked_sub_days(transit).unwrap_or(day);
        ShipWindow {
            first: self.day(&LEAVES).or_else(|| self.day(&ARRIVES).map(back)),
            last: self
                .day(&LEAVES_LAST)
                .or_else(|| self.day(&ARRIVES_LAST).map(back)),
        }
    }
}

impl OrderHeader {
    /// The delivery of that number; none for 0, the order's own.
    pub fn delivery(&self, number: u32) -> Option<&Delivery> {
        self.deliveries
            .iter()
            .find(|delivery| delivery.number == number)
    }

    /// The order's one ship-to (N1 with ST); none where it names none, or several different ones.
    pub fn ship_to(&self) -> Option<&Party> {
        let mut named = self.parties.iter().filter(|party| party.role == "ST");
        let first = named.next()?;
        named.all(|other| other == first).then_some(first)
    }

    /// The one place that all goods of a delivery go to; none where each store gets its own.
    pub fn place_of(&self, delivery: u32) -> Option<&Party> {
        self.delivery(delivery)
            .and_then(|delivery| delivery.ship_to.as_ref())
            .or_else(|| self.ship_to())
    }

    /// Where goods of a delivery, marked for a store or for none, go: to the delivery's own ship-to, to the order's, to
    /// the store itself where the order names no single one, to the buyer. `qualifier` is how a store is numbered (N103).
    pub fn destination(&self, delivery: u32, store: &str, qualifier: &str) -> Party {
        let known = self
            .place_of(delivery)
            .or_else(|| {
                self.parties
                    .iter()
                    .find(|party| party.role == "ST" && party.id == store && !store.is_empty())
            })
            .cloned();
        let of_store = || {
            (!store.is_empty()).then(|| Party {
                id_qualifier: qualifier.to_owned(),
                id: store.to_owned(),
                ..Party::default()
            })
        };
        let party = known
            .or_else(of_store)
            .or_else(|| self.party("ST").or_else(|| self.party("BY")).cloned())
            .unwrap_or_default();
        Party {
            role: "ST".to_owned(),
            ..party
        }
    }

    /// When goods of a delivery may leave. The delivery's own days win; the order's last day does not bind a delivery
    /// that is to leave after it.
    pub fn window(&self, delivery: u32, transit_days: u32) -> ShipWindow {
        let dates = &self.dates;
        let whole = ShipWindow {
            first: dates.ship_not_before,
            last: dates.ship_no_later.or(dates.cancel_after),
        };
        let Some(delivery) = self.delivery(delivery) else {
            return whole;
        };
        let own = delivery.own_window(Days::new(u64::from(transit_days)));
        let first = own.first.or(whole.first);
        let last = own.last.or_else(|| {
            whole
                .last
                .filter(|last| first.is_none_or(|first| first <= *last))
        });
        ShipWindow { first, last }
    }
}

/// A line of which something waits beyond the last day on which it may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateLine {
    /// Our number of the line.
    pub line: u32,
    /// Our code of the item.
    pub item: String,
    /// What waits, in ordered units.
    pub quantity: Decimal,
    /// The ordered unit.
    pub unit: String,
    /// The day it is expected; none: nobody knows.
    pub expected: Option<NaiveDate>,
    /// The last day on which it may leave.
    pub last: NaiveDate,
}

impl Order {
    /// The last day on which any of a line may leave; none where some of it may leave on any day.
    pub fn last_day_of(&self, line: &OrderLine, transit_days: u32) -> Option<NaiveDate> {
        let last = |delivery| self.header.window(delivery, transit_days).last;
        if line.stores.is_empty() {
            return last(0);
        }
        line.stores
            .iter()
            .map(|part| last(part.delivery))
            .reduce(|one, other| Some(one?.max(other?)))
            .flatten()
    }

    /// Lines of which something waits that is expected after its last day, or that waits on after it.
    pub fn late_lines(&self, transit_days: u32, today: NaiveDate) -> Vec<LateLine> {
        self.lines
            .iter()
            .filter(|line| !line.backordered.is_zero())
            .filter_map(|line| {
                let last = self.last_day_of(line, transit_days)?;
                let expected = line.backorder_date;
                (today.max(expected.unwrap_or(today)) > last).then(|| LateLine {
                    line: line.line,
                    item: line
                        .accepted
                        .as_ref()
                        .map(|accepted| accepted.item_code.clone())
                        .unwrap_or_default(),
                    quantity: line.backordered,
                    unit: line.unit.clone(),
                    expected,
                    last,
                })
            })
            .collect()
    }
}

/// Cartons that travel together: to one place, in one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    /// Number of the delivery, 0 for the order's own.
    pub delivery: u32,
    /// The store they go to where the order names no single ship-to, else empty.
    pub store: String,
    /// The cartons.
    pub cartons: Vec<Carton>,
}

/// The cartons of one order by where and when they go, in the order in which they were packed.
pub fn journeys(order: &Order, cartons: Vec<Carton>) -> Vec<Journey> {
    let mut journeys: Vec<Journey> = Vec::new();
    // Whether the delivery of the last carton has a place: most cartons are of the same.
    let mut placed: Option<(u32, bool)> = None;
    for carton in cartons {
        let delivery = carton
            .contents
            .first()
            .map_or(0, |content| content.delivery);
        let (_, has_place) = placed
            .filter(|(last, _)| *last == delivery)
            .unwrap_or_else(|| (delivery, order.header.place_of(delivery).is_some()));
        placed = Some((delivery, has_place));
        let store = match has_place {
            true => "",
            false => carton.store.as_str(),
        };
        match journeys
            .iter_mut()
            .find(|journey| journey.delivery == delivery && journey.store == store)
        {
            Some(journey) => journey.cartons.push(carton),
            None => journeys.push(Journey {
                delivery,
                store: store.to_owned(),
                cartons: vec![carton],
            }),
        }
    }
    journeys
}

#[cfg(test)]
mod tests {
    use super::super::specimens::{carton, content, day, order};
    use super::*;

    fn place(id: &str) -> Party {
        Party {
            role: "ST".into(),
            id_qualifier: "92".into(),
            id: id.into(),
            ..Party::default()
        }
    }

    fn delivery(number: u32, ship_to: Option<Party>, dates: &[(&str, &str)]) -> Delivery {
        Delivery {
            number,
            ship_to,
            dates: dates
                .iter()
                .map(|(qualifier, on)| ((*qualifier).to_owned(), day(on)))
                .collect(),
        }
    }

    #[test]
    fn when_a_delivery_may_leave() {
        // (dates of the delivery; first and last day), of an order from the 10th to the 20th, three days of transport
        type Row<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);
        let table: [Row<'_>; 8] = [
            (&[], "2026-03-10", "2026-03-20"),
            (&[("010", "2026-03-12")], "2026-03-12", "2026-03-20"),
            (&[("002", "2026-03-18")], "2026-03-15", "2026-03-20"),
            (
                &[("037", "2026-03-11"), ("002", "2026-03-18")],
                "2026-03-11",
                "2026-03-20",
            ),
            (&[("038", "2026-03-14")], "2026-03-10", "2026-03-14"),
            (
                &[("064", "2026-03-18"), ("063", "2026-03-19")],
                "2026-03-15",
                "2026-03-16",
            ),
            (&[("002", "2026-05-01")], "2026-04-28", ""),
            (
                &[("010", "2026-05-01"), ("001", "2026-05-09")],
                "2026-05-01",
                "2026-05-09",
            ),
        ];
        for (dates, first, last) in table {
            let mut order = order(Vec::new());
            order.header.dates.ship_not_before = Some(day("2026-03-10"));
            order.header.dates.cancel_after = Some(day("2026-03-20"));
            order.header.deliveries = vec![delivery(1, None, dates)];
            let window = order.header.window(1, 3);
            assert_eq!(window.first, Some(day(first)), "{dates:?}");
            assert_eq!(
                window.last,
                (!last.is_empty()).then(|| day(last)),
                "{dates:?}"
            );
        }
    }

    #[test]
    fn where_goods_go() {
        let mut order = order(Vec::new());
        order.header.deliveries = vec![delivery(1, Some(place("0300")), &[])];
        let id = |order: &Order, delivery, store: &str| {
            order.header.destination(delivery, store, "92").id
        };
        assert_eq!(
            id(&order, 0, "0001"),
            "0100",
            "to the order's ship-to, marked for the store"
        );
        assert_eq!(id(&order, 1, ""), "0300");
        order.header.parties.push(place("0200"));
        assert_eq!(
            id(&order, 0, "0200"),
            "0200",
            "of several ship-tos the one that is the store"
        );
        assert_eq!(id(&order, 0, "0001"), "0001");
        order.header.parties.clear();
        assert_eq!(
            id(&order, 0, "0001"),
            "0001",
            "without a ship-to the store itself"
        );
        assert_eq!(id(&order, 0, ""), "");
    }

    #[test]
    fn cartons_travel_apart_by_place_and_day() {
        let mut order = order(Vec::new());
        order.header.deliveries = vec![delivery(1, Some(place("0300")), &[])];
        let with = |delivery| {
            let mut content = content(1, "1");
            content.delivery = delivery;
            content
        };
        let cartons = vec![
            carton("a", "0001", vec![with(0)]),
            carton("b", "", vec![with(1)]),
            carton("c", "0002", vec![with(0)]),
        ];
        let told = |order: &Order| -> Vec<(u32, String, usize)> {
            journeys(order, cartons.clone())
                .into_iter()
                .map(|journey| (journey.delivery, journey.store, journey.cartons.len()))
                .collect()
        };
        assert_eq!(told(&order), [(0, String::new(), 2), (1, String::new(), 1)]);
        order.header.parties.clear();
        assert_eq!(
            told(&order),
            [
                (0, "0001".into(), 1),
                (1, String::new(), 1),
                (0, "0002".into(), 1)
            ]
        );
    }
}
