//! The ship notice (856), built from the packed cartons, never from the order (X12-RULES 63 to 73).
//!
//! Levels are numbered in order, each names its parent, and HL04 says truthfully whether it has children. Every SSCC
//! stands in the document exactly once; a packing that the partner's structure can not express is refused, not bent.

mod hierarchy;
mod levels;
mod structure;

use std::borrow::Borrow;
use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use chrono_tz::Tz;
use supercargo_x12::{OutboundSet, seg};

use super::crosscheck::ship_notice_against_order;
use super::element::{date_text, time_text};
use super::outbound::{Draft, Facts};
use crate::config::profile::Profile;
use crate::config::profile::outbound::OutboundLevel;
use crate::config::profile::ship_notice::Ctt;
use crate::config::settings::Company;
use crate::domain::catalogue::{Location, Warehouse};
use crate::domain::clock::Instant;
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::OrderId;
use crate::domain::order::Order;
use crate::domain::shipment::{Shipment, ShipmentState};
use hierarchy::Hierarchy;

/// What an 856 needs beside shipment, orders and profile.
#[derive(Debug, Clone, Copy)]
pub struct ShipNoticeContext<'a> {
    /// Our company.
    pub company: &'a Company,
    /// When the notice is made (BSN03, BSN04).
    pub at: Instant,
}

/// BSN02: our number of the shipment, unique for ever. An 824 about the notice names it.
pub fn number(shipment: &Shipment) -> String {
    format!("{:08}", shipment.id.0)
}

/// Everything that the levels are built from.
struct Material<'a> {
    shipment: &'a Shipment,
    orders: BTreeMap<OrderId, &'a Order>,
    warehouse: &'a Warehouse,
    locations: &'a BTreeMap<String, Location>,
    profile: &'a Profile,
    company: &'a Company,
    /// When it left, by the warehouse's clock.
    shipped: NaiveDateTime,
    /// When the notice is made, by the warehouse's clock.
    made: NaiveDateTime,
    facts: Facts<'a>,
}

impl<'a> Material<'a> {
    /// What every level may look up.
    fn facts(&self) -> Facts<'a> {
        self.facts.clone()
    }
}

/// By whose clock a shipment leaves: the warehouse's, or the partner's where the warehouse has none.
pub fn zone(warehouse: &Warehouse, profile: &Profile) -> Tz {
    warehouse.zone.parse().unwrap_or(profile.time_zone)
}

/// Builds the 856 of a shipment that has left.
///
/// # Errors
/// Every finding that keeps it from being sent: it has not left, has no carton, a carton lacks its SSCC or has one
/// that is wrong or used twice, an order or line is unknown, more left than may, or the partner's structure can not
/// express the packing.
pub fn build<O: Borrow<Order>>(
    shipment: &Shipment,
    orders: &[O],
    warehouse: &Warehouse,
    locations: &BTreeMap<String, Location>,
    profile: &Profile,
    context: &ShipNoticeContext<'_>,
) -> Result<OutboundSet, Vec<Finding>> {
    let zone = zone(warehouse, profile);
    let ShipmentState::Shipped { at } = shipment.state else {
        return Err(vec![Finding::business(
            "shipment-not-shipped",
            Severity::Hold,
            format!(
                "shipment {} is {}: a ship notice tells of what has left; confirm the shipment first",
                shipment.id,
                shipment.state.word()
            ),
        )]);
    };
    let made = context.at.with_timezone(&zone).naive_local();
    let material = Material {
        facts: Facts {
            orders: orders.iter().map(Borrow::borrow).collect(),
            shipments: [(shipment, zone)].into(),
            ..Facts::new(profile, context.company, made.date())
        },
        shipment,
        orders: orders
            .iter()
            .map(Borrow::borrow)
            .map(|order: &Order| (order.id, order))
            .collect(),
        warehouse,
        locations,
        profile,
        company: context.company,
        shipped: at.with_timezone(&zone).naive_local(),
        made,
    };
    let findings = structure::faults(&material);
    if !findings.is_empty() {
        return Err(findings);
    }
    let mut hierarchy = Hierarchy::new(Draft::new("856", profile), beginning(&material));
    structure::build(&material, &mut hierarchy);
    let (levels, items) = hierarchy.counts();
    let mut draft = hierarchy.close(profile.ship_notice.child_code);
    draft.open(OutboundLevel::Summary, || material.facts());
    match profile.ship_notice.total {
        Ctt::Levels => draft.push(seg("CTT").el(levels.to_string())),
        Ctt::Lines => draft.push(seg("CTT").el(items.to_string())),
        Ctt::None => {}
    }
    draft.check(|plain| ship_notice_against_order(plain, shipment, orders));
    draft.finish()
}

/// The notice as one that takes the place of an earlier one, with the purpose (BSN01) that the partner wants there.
#[must_use]
pub fn sent_again(mut set: OutboundSet, profile: &Profile) -> OutboundSet {
    for bsn in set
        .segments
        .iter_mut()
        .filter(|segment| segment.id == "BSN")
    {
        *bsn = bsn.clone().at(1, &profile.ship_notice.resend_purpose);
    }
    set
}

/// BSN.
fn beginning(material: &Material<'_>) -> supercargo_x12::OutSegment {
    seg("BSN")
        .el("00")
        .el(number(material.shipment))
        .el(date_text(material.made.date()))
        .el(time_text(material.made))
        .opt(material.profile.ship_notice.bsn05())
}
