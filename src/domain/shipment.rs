//! Shipments: cartons on their way out of one warehouse, for one or several orders.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::clock::Instant;
use super::ids::{CompanyId, OrderId, PartnerId, ShipmentId, WarehouseId};
use super::order::{Mode, Party};

/// What lies in a carton of one order line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartonContent {
    /// The order.
    pub order: OrderId,
    /// The buyer's PO number, so that the row reads by itself.
    pub po_number: String,
    /// Our line number in the order.
    pub line: u32,
    /// Our item code.
    pub item: String,
    /// Shipped quantity in the line's unit.
    pub quantity: Decimal,
    /// The line's unit.
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
    pub fn quantities(&self) -> std::collections::BTreeMap<(OrderId, u32), Decimal> {
        let mut sums = std::collections::BTreeMap::new();
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
        if self.state != ShipmentState::Planned {
            return Err(ShipmentRefusal::NotPlanned {
                shipment: self.id,
                state: self.state.word(),
            });
        }
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
}
