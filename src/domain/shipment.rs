//! Shipments: cartons on their way out of one warehouse, for one or several orders.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::allocation::Reservation;
use super::clock::Instant;
use super::gs1::sscc_is_valid;
use super::ids::{CompanyId, OrderId, PartnerId, ShipmentId, WarehouseId};
use super::order::{LineRefusal, Mode, Order, Party};
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
}

/// A carton with its label's number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carton {
    /// SSCC-18, 18 digits; empty until the carton is closed.
    #[serde(default)]
    pub sscc: String,
    /// The store it is marked for, empty where there is no store.
    #[serde(default)]
    pub store: String,
    /// What is in it.
    pub contents: Vec<CartonContent>,
    /// Grams, 0 where not known.
    #[serde(default)]
    pub grams: i64,
    /// The carrier's number of this package, empty where there is none.
    #[serde(default)]
    pub tracking: String,
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
    /// The orders on it, each once, in order of number.
    pub fn orders(&self) -> Vec<OrderId> {
        let mut orders: Vec<OrderId> = self
            .cartons
            .iter()
            .flat_map(|carton| carton.contents.iter().map(|content| content.order))
            .collect();
        orders.sort_unstable();
        orders.dedup();
        orders
    }

    /// Shipped quantity by order and line.
    pub fn quantities(&self) -> BTreeMap<(OrderId, u32), Decimal> {
        let mut sums = BTreeMap::new();
        for content in self.cartons.iter().flat_map(|carton| &carton.contents) {
            *sums
                .entry((content.order, content.line))
                .or_insert(Decimal::ZERO) += content.quantity;
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
        if packed.is_empty() {
            return Err(self.mismatch(
                "nothing is in its cartons; if nothing leaves, do not confirm it".to_owned(),
            ));
        }
        Ok(packed)
    }

    fn packed_carton(&self, carton: &Carton) -> Result<Carton, ShipmentRefusal> {
        let sscc = carton.sscc.trim();
        let sscc = match sscc.strip_prefix("00") {
            Some(rest) if sscc.len() == 20 => rest,
            _ => sscc,
        };
        if !sscc.is_empty() && !sscc_is_valid(sscc) {
            return Err(self.mismatch(format!(
                "{sscc:?} is no SSCC: 18 digits, the last of them the check digit; scan the label again"
            )));
        }
        let planned = self
            .cartons
            .iter()
            .find(|planned| !sscc.is_empty() && planned.sscc == sscc);
        let mut contents = Vec::with_capacity(carton.contents.len());
        for content in &carton.contents {
            if !content.quantity.is_zero() {
                contents.push(self.packed_content(content)?);
            }
        }
        let or_planned = |given: &str, planned: Option<&String>| {
            if given.trim().is_empty() {
                planned.cloned().unwrap_or_default()
            } else {
                given.trim().to_owned()
            }
        };
        let as_planned = planned.filter(|planned| planned.contents == contents);
        Ok(Carton {
            sscc: sscc.to_owned(),
            store: or_planned(&carton.store, planned.map(|planned| &planned.store)),
            grams: if carton.grams > 0 {
                carton.grams
            } else {
                as_planned.map_or(0, |planned| planned.grams)
            },
            tracking: or_planned(&carton.tracking, planned.map(|planned| &planned.tracking)),
            contents,
        })
    }

    fn packed_content(&self, content: &CartonContent) -> Result<CartonContent, ShipmentRefusal> {
        let named = format!("line {} of order {}", content.line, content.order);
        let planned = self
            .cartons
            .iter()
            .flat_map(|carton| &carton.contents)
            .find(|planned| planned.order == content.order && planned.line == content.line)
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
            let (order, line, store) = &key;
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

fn by_store(cartons: &[Carton]) -> BTreeMap<(OrderId, u32, String), Decimal> {
    let mut sums: BTreeMap<(OrderId, u32, String), Decimal> = BTreeMap::new();
    for carton in cartons {
        for content in &carton.contents {
            let sum = sums
                .entry((content.order, content.line, carton.store.clone()))
                .or_default();
            *sum = sum.saturating_add(content.quantity);
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
pub fn return_short(
    mut order: Order,
    planned: &Shipment,
    shipped: &Shipment,
    on_short: OnShort,
) -> Returned {
    let mut left = by_store(&shipped.cartons);
    let mut unreserved = Vec::new();
    for (key, quantity) in by_store(&planned.cartons) {
        let (of, number, store) = &key;
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
        book_content(source, store, Decimal::ZERO - short);
        source.quantity -= short;
        line.sources.retain(|source| !source.quantity.is_zero());
        line.confirmed -= short;
        match on_short {
            OnShort::Backorder => {
                line.backordered += short;
                line.backorder_date = None;
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
