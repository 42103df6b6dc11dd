//! Shipments: cartons on their way out of one warehouse, for one or several orders.

mod contents;
mod runs;

pub use contents::Contents;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use compact_str::CompactString;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::allocation::Reservation;
use super::clock::Instant;
use super::gs1::sscc_is_valid;
use super::ids::{CompanyId, OrderId, PartnerId, ShipmentId, WarehouseId};
use super::order::{LineRefusal, Mode, Order, Party, is_default};
use super::packing::book_content;
use super::policy::OnShort;

/// What lies in a carton of one order line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartonContent {
    /// The order.
    pub order: OrderId,
    /// The buyer's PO number, so that the row reads by itself. A confirmation may leave it out.
    #[serde(default)]
    pub po_number: String,
    /// Our line number in the order.
    pub line: u32,
    /// Our item code. A confirmation may leave it out.
    #[serde(default)]
    pub item: String,
    /// Shipped quantity in the line's unit.
    pub quantity: Decimal,
    /// The line's unit. A confirmation may leave it out.
    #[serde(default)]
    pub unit: String,
    /// Number of the order's delivery that it belongs to, 0 for none. A confirmation leaves it out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub delivery: u32,
}

/// A carton with its label's number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carton {
    /// SSCC-18, 18 digits; empty until the carton is closed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sscc: CompactString,
    /// The store it is marked for, empty where there is no store.
    #[serde(default, skip_serializing_if = "is_default")]
    pub store: CompactString,
    /// What is in it.
    pub contents: Contents,
    /// Grams, 0 where not known.
    #[serde(default, skip_serializing_if = "is_default")]
    pub grams: i64,
    /// The carrier's number of this package, empty where there is none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tracking: CompactString,
    /// SSCC-18 of the pallet that it stands on, empty where it stands on none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pallet: CompactString,
}

/// Cartons that hold the same, and follow one another: the first of them, and how many there are.
pub fn alike(cartons: &[Carton]) -> impl Iterator<Item = (&Carton, Decimal)> {
    cartons
        .chunk_by(|one, other| one.contents.are_one(&other.contents) && one.store == other.store)
        .filter_map(|alike| Some((alike.first()?, Decimal::from(alike.len()))))
}

/// How far a shipment is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ShipmentState {
    /// Packed on paper: may leave when the window opens and somebody confirms.
    Planned,
    /// Left the house.
    Shipped {
        /// When.
        at: Instant,
    },
    /// Given up; its stock went back to the orders.
    Cancelled,
}

impl ShipmentState {
    /// The word in listings and in the database.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Shipped { .. } => "shipped",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// Its number; the BSN02 and bill of lading are made of it.
    pub id: ShipmentId,
    /// Sent by.
    pub company: CompanyId,
    /// For.
    pub partner: PartnerId,
    /// Production or test.
    pub mode: Mode,
    /// Out of.
    pub warehouse: WarehouseId,
    /// Code of the warehouse.
    pub warehouse_code: String,
    /// To.
    pub ship_to: Party,
    /// The cartons.
    #[serde(with = "runs")]
    pub cartons: Vec<Carton>,
    /// SCAC, empty until known.
    #[serde(default)]
    pub carrier: String,
    /// The carrier's PRO or tracking number, empty until known.
    #[serde(default)]
    pub tracking: String,
    /// Bill of lading number.
    #[serde(default)]
    pub bill_of_lading: String,
    /// May not leave before.
    #[serde(default)]
    pub not_before: Option<NaiveDate>,
    /// May not leave after.
    #[serde(default)]
    pub not_after: Option<NaiveDate>,
    /// When it is expected to arrive, once shipped.
    #[serde(default)]
    pub expected_delivery: Option<NaiveDate>,
    /// Why it left outside its window, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_override: Option<String>,
    /// How far.
    pub state: ShipmentState,
    /// Rises by one with every change.
    pub revision: i64,
}

/// What the warehouse says has left: by a person, a file, or at once. The shape is that of `shipment list --json`; keys
/// that a confirmation has no use for are passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Confirmation {
    /// Which shipment; checked where it is given.
    pub shipment: Option<ShipmentId>,
    /// Its orders; checked where they are given.
    pub orders: Vec<OrderId>,
    /// Code of the warehouse; checked where it is given.
    pub warehouse: String,
    /// What was packed, instead of the plan. None: as planned.
    pub cartons: Option<Vec<Carton>>,
    /// SCAC; empty: as planned.
    pub carrier: String,
    /// The carrier's PRO or tracking number; empty: as planned.
    pub tracking: String,
    /// Why it leaves outside its ship window, where it does.
    #[serde(rename = "override")]
    pub reason: Option<String>,
}

/// What a shipment refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShipmentRefusal {
    /// Confirmed twice, or after it was given up.
    #[error("shipment {shipment} is already {state}; a second confirmation changes nothing")]
    NotPlanned {
        /// Which.
        shipment: ShipmentId,
        /// What it is.
        state: &'static str,
    },
    /// Outside its ship window.
    #[error(
        "shipment {shipment} may leave from {opens} to {closes}, and today is {today} at the warehouse: wait, or confirm with a reason (`--override REASON`)"
    )]
    OutsideWindow {
        /// Which.
        shipment: ShipmentId,
        /// First day, or "any day".
        opens: String,
        /// Last day, or "any day".
        closes: String,
        /// The day at the warehouse.
        today: NaiveDate,
    },
    /// The confirmation names something that is not on the shipment, or more than was planned.
    #[error("shipment {shipment}: {what}")]
    DoesNotMatch {
        /// Which.
        shipment: ShipmentId,
        /// In a sentence.
        what: String,
    },
}

impl Shipment {
    /// Our number of the truck's paper, where nobody gave another: up to 17 digits, with the shipment's own at the end.
    pub fn own_bill_of_lading(&self) -> String {
        format!("{:010}", self.id.0)
    }

    /// The orders on it, each once, in order of number.
    pub fn orders(&self) -> Vec<OrderId> {
        let mut orders: Vec<OrderId> = alike(&self.cartons)
            .flat_map(|(carton, _)| carton.contents.iter().map(|content| content.order))
            .collect();
        orders.sort_unstable();
        orders.dedup();
        orders
    }

    /// The SSCCs of its pallets, each once, in the order of the cartons.
    pub fn pallets(&self) -> Vec<&str> {
        let mut pallets: Vec<&str> = Vec::new();
        for carton in &self.cartons {
            if !carton.pallet.is_empty() && !pallets.contains(&carton.pallet.as_str()) {
                pallets.push(&carton.pallet);
            }
        }
        pallets
    }

    /// Shipped quantity by order and line.
    pub fn quantities(&self) -> BTreeMap<(OrderId, u32), Decimal> {
        let mut sums = BTreeMap::new();
        for (carton, cartons) in alike(&self.cartons) {
            for content in &carton.contents {
                *sums
                    .entry((content.order, content.line))
                    .or_insert(Decimal::ZERO) += content.quantity * cartons;
            }
        }
        sums
    }

    /// Whether it may leave on `today`, the day at the warehouse.
    pub fn window_allows(&self, today: NaiveDate) -> bool {
        self.not_before.is_none_or(|first| today >= first)
            && self.not_after.is_none_or(|last| today <= last)
    }

    /// Planned → shipped. `reason` overrides the ship window.
    pub fn ship(
        mut self,
        at: Instant,
        today: NaiveDate,
        reason: Option<&str>,
    ) -> Result<Self, ShipmentRefusal> {
        self.must_be_planned()?;
        if !self.window_allows(today) {
            let Some(reason) = reason.filter(|reason| !reason.trim().is_empty()) else {
                let day = |date: Option<NaiveDate>| {
                    date.map_or_else(|| "any day".to_owned(), |date| date.to_string())
                };
                return Err(ShipmentRefusal::OutsideWindow {
                    shipment: self.id,
                    opens: day(self.not_before),
                    closes: day(self.not_after),
                    today,
                });
            };
            self.window_override = Some(reason.to_owned());
        }
        self.state = ShipmentState::Shipped { at };
        self.revision += 1;
        Ok(self)
    }

    /// Planned → cancelled. What was on it goes back to its orders with [`super::packing::take_back`].
    pub fn cancel(mut self) -> Result<Self, ShipmentRefusal> {
        self.must_be_planned()?;
        self.state = ShipmentState::Cancelled;
        self.revision += 1;
        Ok(self)
    }

    fn must_be_planned(&self) -> Result<(), ShipmentRefusal> {
        if self.state == ShipmentState::Planned {
            Ok(())
        } else {
            Err(ShipmentRefusal::NotPlanned {
                shipment: self.id,
                state: self.state.word(),
            })
        }
    }

    /// What was packed replaces the plan; the shipment is still planned, and leaves with [`Shipment::ship`].
    ///
    /// Less than planned is a short shipment: what is missing goes back with [`return_short`]. More of a line than
    /// planned, or for another store, is refused; so is an order, line or SSCC that can not be right. An SSCC may be
    /// written with its application identifier 00 in front. Cartons without one get theirs when they are closed.
    pub fn confirm(mut self, confirmation: &Confirmation) -> Result<Self, ShipmentRefusal> {
        self.must_be_planned()?;
        self.check_heading(confirmation)?;
        if let Some(cartons) = &confirmation.cartons {
            let cartons = self.packed(cartons)?;
            self.check_quantities(&cartons)?;
            self.cartons = cartons;
        }
        for (ours, theirs) in [
            (&mut self.carrier, &confirmation.carrier),
            (&mut self.tracking, &confirmation.tracking),
        ] {
            if !theirs.trim().is_empty() {
                theirs.trim().clone_into(ours);
            }
        }
        self.revision += 1;
        Ok(self)
    }

    fn mismatch(&self, what: String) -> ShipmentRefusal {
        ShipmentRefusal::DoesNotMatch {
            shipment: self.id,
            what,
        }
    }

    fn check_heading(&self, confirmation: &Confirmation) -> Result<(), ShipmentRefusal> {
        if let Some(other) = confirmation.shipment.filter(|other| *other != self.id) {
            return Err(self.mismatch(format!("the confirmation is of shipment {other}")));
        }
        let warehouse = confirmation.warehouse.trim();
        if !warehouse.is_empty() && warehouse != self.warehouse_code {
            return Err(self.mismatch(format!(
                "the confirmation is of warehouse {warehouse:?}, and the shipment leaves {}",
                self.warehouse_code
            )));
        }
        let orders = self.orders();
        match confirmation
            .orders
            .iter()
            .find(|order| !orders.contains(order))
        {
            Some(other) => Err(self.mismatch(format!("order {other} is not on it"))),
            None => Ok(()),
        }
    }

    /// The confirmed cartons with what they leave out filled in from the plan; empty ones are dropped.
    fn packed(&self, cartons: &[Carton]) -> Result<Vec<Carton>, ShipmentRefusal> {
        let mut seen = BTreeSet::new();
        let mut packed = Vec::with_capacity(cartons.len());
        for carton in cartons {
            let carton = self.packed_carton(carton)?;
            if carton.contents.is_empty() {
                continue;
            }
            if !carton.sscc.is_empty() && !seen.insert(carton.sscc.clone()) {
                return Err(self.mismatch(format!("SSCC {} stands on two cartons", carton.sscc)));
            }
            packed.push(carton);
        }
        if let Some(carton) = packed.iter().find(|carton| seen.contains(&carton.pallet)) {
            return Err(self.mismatch(format!(
                "SSCC {} stands on a pallet and on a carton",
                carton.pallet
            )));
        }
        if packed.is_empty() {
            return Err(self.mismatch(
                "nothing is in its cartons; if nothing leaves, do not confirm it".to_owned(),
            ));
        }
        Ok(packed)
    }

    /// An SSCC as it was scanned, without its application identifier; possibly empty.
    fn label<'t>(&self, scanned: &'t str) -> Result<&'t str, ShipmentRefusal> {
        let scanned = scanned.trim();
        let sscc = match scanned.strip_prefix("00") {
            Some(rest) if scanned.len() == 20 => rest,
            _ => scanned,
        };
        if sscc.is_empty() || sscc_is_valid(sscc) {
            return Ok(sscc);
        }
        Err(self.mismatch(format!(
            "{sscc:?} is no SSCC: 18 digits, the last of them the check digit; scan the label again"
        )))
    }

    fn packed_carton(&self, carton: &Carton) -> Result<Carton, ShipmentRefusal> {
        let sscc = self.label(&carton.sscc)?;
        let pallet = self.label(&carton.pallet)?;
        if carton.grams < 0 {
            return Err(self.mismatch(format!(
                "{} grams are no weight: leave it out where the carton was not weighed",
                carton.grams
            )));
        }
        let planned = self
            .cartons
            .iter()
            .find(|planned| !sscc.is_empty() && planned.sscc == sscc);
        let contents: Result<Contents, ShipmentRefusal> = carton
            .contents
            .iter()
            .filter(|content| !content.quantity.is_zero())
            .map(|content| self.packed_content(content, sscc))
            .collect();
        let contents = contents?;
        let or_planned = |given: &str, planned: Option<&CompactString>| match given.trim() {
            "" => planned.cloned().unwrap_or_default(),
            given => given.into(),
        };
        let as_planned = planned.filter(|planned| planned.contents == contents);
        Ok(Carton {
            sscc: sscc.into(),
            store: or_planned(&carton.store, planned.map(|planned| &planned.store)),
            grams: match (as_planned, planned) {
                (Some(planned), _) if carton.grams == 0 => planned.grams,
                // The weight of the plan, left standing beside other contents, is nobody's.
                (None, Some(planned)) if carton.grams == planned.grams => 0,
                _ => carton.grams,
            },
            tracking: or_planned(&carton.tracking, planned.map(|planned| &planned.tracking)),
            pallet: or_planned(pallet, planned.map(|planned| &planned.pallet)),
            contents,
        })
    }

    fn packed_content(
        &self,
        content: &CartonContent,
        sscc: &str,
    ) -> Result<CartonContent, ShipmentRefusal> {
        let named = format!("line {} of order {}", content.line, content.order);
        // The plan of the same carton knows best which delivery the goods belong to.
        let planned = self
            .cartons
            .iter()
            .flat_map(|carton| {
                carton
                    .contents
                    .iter()
                    .map(move |content| (carton.sscc != sscc, content))
            })
            .filter(|(_, planned)| planned.order == content.order && planned.line == content.line)
            .min_by_key(|(other_carton, _)| *other_carton)
            .map(|(_, planned)| planned)
            .ok_or_else(|| self.mismatch(format!("{named} is not on it")))?;
        if content.quantity < Decimal::ZERO {
            return Err(self.mismatch(format!("{named} has a quantity below zero")));
        }
        for (what, given, ours) in [
            ("PO", &content.po_number, &planned.po_number),
            ("item", &content.item, &planned.item),
            ("unit", &content.unit, &planned.unit),
        ] {
            if !given.trim().is_empty() && given.trim() != ours {
                return Err(self.mismatch(format!(
                    "{named} is of {what} {ours:?}, and the confirmation says {given:?}"
                )));
            }
        }
        Ok(CartonContent {
            quantity: content.quantity.normalize(),
            ..planned.clone()
        })
    }

    /// Never more of a line than planned, nor more for a store; whole units where they were planned whole.
    fn check_quantities(&self, cartons: &[Carton]) -> Result<(), ShipmentRefusal> {
        let planned = by_store(&self.cartons);
        for (key, quantity) in by_store(cartons) {
            let (order, line, _, store) = &key;
            let allowed = planned.get(&key).copied().unwrap_or(Decimal::ZERO);
            let whose = if store.is_empty() {
                String::new()
            } else {
                format!(" for store {store}")
            };
            if store.is_empty() && allowed.is_zero() {
                return Err(self.mismatch(format!(
                    "line {line} of order {order} goes to stores; say for each carton which one"
                )));
            }
            if quantity > allowed {
                return Err(self.mismatch(format!(
                    "line {line} of order {order}{whose}: {} were packed, and {} were planned",
                    quantity.normalize(),
                    allowed.normalize()
                )));
            }
            if allowed.fract().is_zero() && !quantity.fract().is_zero() {
                return Err(self.mismatch(format!(
                    "line {line} of order {order}{whose}: {} is no whole number",
                    quantity.normalize()
                )));
            }
        }
        Ok(())
    }
}

/// Order, line, number of the delivery, store.
type Share = (OrderId, u32, u32, CompactString);

fn by_store(cartons: &[Carton]) -> BTreeMap<Share, Decimal> {
    let mut sums: BTreeMap<Share, Decimal> = BTreeMap::new();
    for (carton, cartons) in alike(cartons) {
        for content in &carton.contents {
            let store = carton.store.clone();
            let share = (content.order, content.line, content.delivery, store);
            let sum = sums.entry(share).or_default();
            *sum = sum.saturating_add(content.quantity * cartons);
        }
    }
    sums
}

/// What the shipment holds of `order`, as stock: the promises that are used up when it leaves.
pub fn promises_of(order: &Order, shipment: &Shipment) -> Vec<Reservation> {
    shipment
        .quantities()
        .into_iter()
        .filter(|((of, _), _)| *of == order.id)
        .filter_map(|((_, number), quantity)| {
            let accepted = order.line(number)?.accepted.as_ref()?;
            Some(Reservation {
                line: number,
                item: accepted.item,
                warehouse: shipment.warehouse,
                base: quantity.saturating_mul(accepted.base_per_unit).normalize(),
            })
        })
        .collect()
}

/// The order with what left on `shipment` booked as shipped. Its state is for [`Order::settle`] to say.
#[must_use]
pub fn book_shipped(mut order: Order, shipment: &Shipment) -> Order {
    for ((of, number), quantity) in shipment.quantities() {
        if of != order.id {
            continue;
        }
        if let Some(line) = order.line_mut(number) {
            line.shipped = line.shipped.saturating_add(quantity).normalize();
        }
    }
    order
}

/// What of an order's lines has left, by line and day, in the lines' units.
pub type Departures = BTreeMap<u32, BTreeMap<NaiveDate, Decimal>>;

/// What of orders has left on these shipments, each with the day on which it did.
pub fn departures<'s>(
    left: impl IntoIterator<Item = (&'s Shipment, NaiveDate)>,
) -> BTreeMap<OrderId, Departures> {
    let mut departures: BTreeMap<OrderId, Departures> = BTreeMap::new();
    for (shipment, day) in left {
        for ((order, line), quantity) in shipment.quantities() {
            let days = departures.entry(order).or_default().entry(line);
            *days.or_default().entry(day).or_default() += quantity;
        }
    }
    departures
}

/// An order that got back what did not leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// The order; its state is for [`Order::settle`] to say.
    pub order: Order,
    /// Promises of stock to be taken back: the goods were not where the balance says.
    pub unreserved: Vec<Reservation>,
}

/// Gives back to `order` what was `planned` on a shipment and is not among what was `shipped`: it is no longer
/// confirmed, and waits for stock again or is cut. Of every line, ordered = confirmed + backordered + refused as before.
/// When what waits can be expected is for [`super::allocation::waiting::expect_more`] to say.
pub fn return_short(
    mut order: Order,
    planned: &Shipment,
    shipped: &Shipment,
    on_short: OnShort,
) -> Returned {
    let mut left = by_store(&shipped.cartons);
    let mut unreserved = Vec::new();
    for (key, quantity) in by_store(&planned.cartons) {
        let (of, number, delivery, store) = &key;
        let short = quantity - left.remove(&key).unwrap_or(Decimal::ZERO);
        if *of != order.id || short <= Decimal::ZERO {
            continue;
        }
        let Some(line) = order.line_mut(*number) else {
            continue;
        };
        let Some(source) = line
            .sources
            .iter_mut()
            .find(|source| source.warehouse == planned.warehouse)
        else {
            continue;
        };
        book_content(source, *delivery, store, Decimal::ZERO - short);
        source.quantity -= short;
        line.sources.retain(|source| !source.quantity.is_zero());
        line.confirmed -= short;
        match on_short {
            OnShort::Backorder => {
                line.backordered += short;
            }
            OnShort::Cut => {
                line.refused += short;
                line.refusal.get_or_insert(LineRefusal::OutOfStock);
            }
        }
        if let Some(accepted) = &line.accepted {
            unreserved.push(Reservation {
                line: *number,
                item: accepted.item,
                warehouse: planned.warehouse,
                base: short.saturating_mul(accepted.base_per_unit).normalize(),
            });
        }
    }
    Returned { order, unreserved }
}

#[cfg(test)]
mod tests {
    use super::super::order::LineSource;
    use super::super::specimens::{
        accepted, carton, content, day, decimal, line, noon, order, shipment,
    };
    use super::*;

    const FIRST: &str = "006141411234567890";
    const SECOND: &str = "106141410000000019";

    /// Two cartons: one for store A with 5 of line 1, one for store B with 5 of line 1 and 2 of line 2.
    fn planned() -> Shipment {
        shipment(
            9,
            vec![
                carton(FIRST, "A", vec![content(1, "5")]),
                carton(SECOND, "B", vec![content(1, "5"), content(2, "2")]),
            ],
        )
    }

    fn packed(cartons: Vec<Carton>) -> Confirmation {
        Confirmation {
            cartons: Some(cartons),
            ..Confirmation::default()
        }
    }

    /// Every state with every event: what it becomes, or what it is said to be already.
    #[test]
    fn every_state_and_every_event() {
        let at = noon("2026-03-02");
        let states = [
            ShipmentState::Planned,
            ShipmentState::Shipped { at },
            ShipmentState::Cancelled,
        ];
        type Event = fn(Shipment) -> Result<Shipment, ShipmentRefusal>;
        let events: [(&str, Event); 3] = [
            ("confirm", |it| it.confirm(&Confirmation::default())),
            ("ship", |it| {
                it.ship(noon("2026-03-02"), day("2026-03-02"), None)
            }),
            ("cancel", Shipment::cancel),
        ];
        let becomes = [
            ("confirm", "planned"),
            ("ship", "shipped"),
            ("cancel", "cancelled"),
        ];
        for state in states {
            for ((event, run), (_, next)) in events.iter().zip(becomes) {
                let mut before = planned();
                before.state = state.clone();
                match run(before) {
                    Ok(after) => {
                        assert_eq!(state, ShipmentState::Planned, "{event}");
                        assert_eq!(after.state.word(), next);
                        assert_eq!(after.revision, 2, "{event}");
                    }
                    Err(refusal) => assert_eq!(
                        refusal,
                        ShipmentRefusal::NotPlanned {
                            shipment: ShipmentId(9),
                            state: state.word()
                        },
                        "{event}"
                    ),
                }
            }
        }
    }

    #[test]
    fn the_ship_window() {
        // (not before, not after, today, reason, leaves)
        let table = [
            (None, None, "2026-03-02", None, true),
            (
                Some("2026-03-02"),
                Some("2026-03-02"),
                "2026-03-02",
                None,
                true,
            ),
            (Some("2026-03-03"), None, "2026-03-02", None, false),
            (None, Some("2026-03-01"), "2026-03-02", None, false),
            (None, Some("2026-03-01"), "2026-03-02", Some("  "), false),
            (
                None,
                Some("2026-03-01"),
                "2026-03-02",
                Some("agreed by phone"),
                true,
            ),
        ];
        for (first, last, today, reason, leaves) in table {
            let mut before = planned();
            before.not_before = first.map(day);
            before.not_after = last.map(day);
            let inside = before.window_allows(day(today));
            let after = before.ship(noon(today), day(today), reason);
            assert_eq!(after.is_ok(), leaves, "{first:?} {last:?}");
            if let Ok(after) = after {
                assert_eq!(after.window_override.is_some(), !inside);
            }
        }
    }

    #[test]
    fn as_planned_where_no_cartons_are_given() {
        let confirmation = Confirmation {
            carrier: "WXYZ".into(),
            tracking: " 1Z ".into(),
            ..Confirmation::default()
        };
        let after = planned().confirm(&confirmation).unwrap();
        assert_eq!(after.cartons, planned().cartons);
        assert_eq!(
            (after.carrier.as_str(), after.tracking.as_str()),
            ("WXYZ", "1Z")
        );
        let after = planned().confirm(&Confirmation::default()).unwrap();
        assert_eq!(after.carrier, "ABCD", "an empty carrier keeps the plan's");
    }

    #[test]
    fn the_listing_is_a_confirmation() {
        let listed = r#"{"shipment": 9, "orders": [7], "warehouse": "EAST", "status": "planned", "partner": "bigbox",
            "carrier": "ABCD", "tracking": "", "override": "agreed", "cartons": [
              {"sscc": "00006141411234567890", "contents": [{"order": 7, "line": 1, "quantity": 4}], "tracking": "T1"},
              {"sscc": "", "store": "B", "contents": [{"order": 7, "line": 2, "quantity": "2", "unit": "EA"}]}]}"#;
        let confirmation: Confirmation = serde_json::from_str(listed).unwrap();
        assert_eq!(confirmation.reason.as_deref(), Some("agreed"));
        let after = planned().confirm(&confirmation).unwrap();
        let mut first = carton(FIRST, "A", vec![content(1, "4")]);
        first.tracking = "T1".into();
        assert_eq!(
            after.cartons,
            [first, carton("", "B", vec![content(2, "2")])]
        );
        let empty: Confirmation = serde_json::from_str("{}").unwrap();
        assert_eq!(empty, Confirmation::default());
    }

    #[test]
    fn what_does_not_match_is_refused() {
        let other_order = |mut content: CartonContent| {
            content.order = OrderId(8);
            content
        };
        let of_item = |mut content: CartonContent| {
            content.item = "A-9".into();
            content
        };
        let table = [
            (
                Confirmation {
                    shipment: Some(ShipmentId(10)),
                    ..Confirmation::default()
                },
                "the confirmation is of shipment 10",
            ),
            (
                Confirmation {
                    warehouse: "WEST".into(),
                    ..Confirmation::default()
                },
                "warehouse \"WEST\"",
            ),
            (
                Confirmation {
                    orders: vec![OrderId(7), OrderId(8)],
                    ..Confirmation::default()
                },
                "order 8 is not on it",
            ),
            (
                packed(vec![carton("", "A", vec![content(3, "1")])]),
                "line 3 of order 7 is not on it",
            ),
            (
                packed(vec![carton("", "A", vec![other_order(content(1, "1"))])]),
                "line 1 of order 8 is not on it",
            ),
            (
                packed(vec![carton("", "A", vec![content(1, "6")])]),
                "6 were packed, and 5 were planned",
            ),
            (
                packed(vec![
                    carton("", "A", vec![content(1, "3")]),
                    carton("", "A", vec![content(1, "3")]),
                ]),
                "6 were packed, and 5 were planned",
            ),
            (
                packed(vec![carton("", "C", vec![content(1, "1")])]),
                "0 were planned",
            ),
            (
                packed(vec![carton("", "", vec![content(1, "1")])]),
                "say for each carton which one",
            ),
            (
                packed(vec![carton("", "A", vec![content(1, "-1")])]),
                "below zero",
            ),
            (
                packed(vec![carton("", "A", vec![content(1, "1.5")])]),
                "no whole number",
            ),
            (
                packed(vec![carton("", "A", vec![of_item(content(1, "1"))])]),
                "is of item \"A-1\"",
            ),
            (
                packed(vec![carton(
                    "006141411234567891",
                    "A",
                    vec![content(1, "1")],
                )]),
                "is no SSCC",
            ),
            (
                packed(vec![
                    carton(FIRST, "A", vec![content(1, "1")]),
                    carton(FIRST, "B", vec![content(1, "1")]),
                ]),
                "stands on two cartons",
            ),
            (packed(Vec::new()), "nothing is in its cartons"),
            (
                packed(vec![carton("", "A", vec![content(1, "0")])]),
                "nothing is in its cartons",
            ),
        ];
        for (confirmation, wanted) in table {
            let refusal = planned().confirm(&confirmation).unwrap_err().to_string();
            assert!(refusal.starts_with("shipment 9: "), "{refusal}");
            assert!(refusal.contains(wanted), "{refusal} does not say {wanted}");
        }
    }

    fn confirmed_order() -> Order {
        let mut lines = Vec::new();
        for (number, quantity) in [(1, "10"), (2, "2")] {
            let mut line = accepted(line(number, quantity, "EA"), "2");
            line.confirmed = line.ordered;
            line.sources = vec![LineSource {
                warehouse: WarehouseId(1),
                quantity: line.ordered,
                released: Decimal::ZERO,
                stores: Vec::new(),
            }];
            lines.push(line);
        }
        super::super::packing::release(order(lines), WarehouseId(1), &planned().cartons)
    }

    #[test]
    fn a_short_shipment_gives_back_what_did_not_leave() {
        let shipped = planned()
            .confirm(&packed(vec![carton(FIRST, "A", vec![content(1, "3")])]))
            .unwrap();
        for (on_short, backordered, refused) in
            [(OnShort::Backorder, "7", "0"), (OnShort::Cut, "0", "7")]
        {
            let returned = return_short(confirmed_order(), &planned(), &shipped, on_short);
            let line = &returned.order.lines[0];
            assert_eq!(line.confirmed, decimal("3"));
            assert_eq!(line.backordered, decimal(backordered));
            assert_eq!(line.refused, decimal(refused));
            assert_eq!(line.refusal.is_some(), on_short == OnShort::Cut);
            assert_eq!(line.sources[0].released, decimal("3"));
            assert_eq!(line.sources[0].stores.len(), 1, "store B got nothing");
            assert!(returned.order.lines[1].sources.is_empty());
            let base: Decimal = returned.unreserved.iter().map(|promise| promise.base).sum();
            assert_eq!(base, decimal("18"), "7 and 2 units of two");
        }
    }

    #[test]
    fn what_leaves_is_booked_and_uses_up_its_promises() {
        let booked = book_shipped(confirmed_order(), &planned());
        assert_eq!(booked.lines[0].shipped, decimal("10"));
        assert_eq!(booked.lines[1].shipped, decimal("2"));
        let promises = promises_of(&booked, &planned());
        assert_eq!(promises.len(), 2);
        assert_eq!(promises[0].base, decimal("20"));
        assert_eq!(promises[0].warehouse, WarehouseId(1));
    }

    mod properties {
        use proptest::prelude::*;

        use super::super::super::packing;
        use super::super::super::policy::PackingPolicy;
        use super::super::super::specimens::stores;
        use super::*;

        proptest! {
            /// Shipment after shipment, each shorter than planned: quantities are conserved, and no store is ever sent
            /// more than it ordered.
            #[test]
            fn short_shipments_conserve(
                kept in prop::collection::vec(prop::collection::vec(0_i64..12, 8), 1..5),
                cut in any::<bool>(),
            ) {
                let mut line = accepted(line(1, "30", "EA"), "1");
                line.stores = stores(&[("A", "10"), ("B", "5"), ("C", "15")]);
                line.backordered = decimal("30");
                let mut order = order(vec![line]);
                let mut sent: BTreeMap<String, Decimal> = BTreeMap::new();
                let on_short = if cut { OnShort::Cut } else { OnShort::Backorder };
                for kept in kept {
                    let line = &mut order.lines[0];
                    let open = std::mem::take(&mut line.backordered);
                    line.confirmed += open;
                    match line.sources.first_mut() {
                        Some(source) => source.quantity += open,
                        None => line.sources = vec![LineSource {
                            warehouse: WarehouseId(1),
                            quantity: open,
                            released: Decimal::ZERO,
                            stores: Vec::new(),
                        }],
                    }
                    let cartons = packing::pack(&order, WarehouseId(1), &PackingPolicy::default());
                    order = packing::release(order, WarehouseId(1), &cartons);
                    let plan = shipment(9, cartons);
                    let mut short = plan.cartons.clone();
                    for (carton, kept) in short.iter_mut().zip(kept.iter().cycle()) {
                        for content in carton.contents.iter_mut() {
                            content.quantity = content.quantity.min(Decimal::from(*kept));
                        }
                    }
                    let Ok(left) = plan.clone().confirm(&packed(short)) else {
                        order = packing::take_back(order, WarehouseId(1), &plan.cartons);
                        continue;
                    };
                    order = return_short(order, &plan, &left, on_short).order;
                    order = book_shipped(order, &left);
                    for ((_, _, _, store), quantity) in by_store(&left.cartons) {
                        *sent.entry(store.to_string()).or_default() += quantity;
                    }
                    let line = &order.lines[0];
                    prop_assert_eq!(line.ordered, line.confirmed + line.backordered + line.refused);
                    prop_assert_eq!(line.shipped, line.confirmed);
                    prop_assert_eq!(sent.values().sum::<Decimal>(), line.shipped);
                }
                for (store, ordered) in [("A", "10"), ("B", "5"), ("C", "15")] {
                    prop_assert!(sent.get(store).copied().unwrap_or_default() <= decimal(ordered));
                }
            }
        }
    }
}
