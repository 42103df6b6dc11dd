//! Which level stands below which, as the partner's structure has it, and what each is made of.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashSet, HashSetExt};
use rust_decimal::Decimal;

use super::hierarchy::{Hierarchy, Level};
use super::{Material, levels};
use crate::config::profile::ship_notice::{MarkFor, Structure};
use crate::domain::finding::{Finding, Severity};
use crate::domain::gs1::sscc_is_valid;
use crate::domain::ids::OrderId;
use crate::domain::order::{Order, OrderLine};
use crate::domain::shipment::{Carton, CartonContent};

/// A quantity of one order line.
#[derive(Clone, Copy)]
pub struct Goods<'a> {
    pub order: &'a Order,
    pub line: &'a OrderLine,
    /// In the line's unit.
    pub quantity: Decimal,
}

/// The cartons of one order, or of one store of it, in the order in which they were packed.
struct Group<'a> {
    order: &'a Order,
    /// Set where the order level is for one store.
    store: Option<&'a str>,
    cartons: Vec<&'a Carton>,
}

fn refuse(code: &str, message: String) -> Finding {
    Finding::business(code, Severity::Hold, message)
}

/// What keeps the shipment from being told in this structure.
pub fn faults(material: &Material<'_>) -> Vec<Finding> {
    let shipment = material.shipment;
    let mut findings = Vec::new();
    if shipment.cartons.is_empty() {
        findings.push(refuse(
            "shipment-empty",
            format!(
                "shipment {} has no carton: there is nothing to tell of",
                shipment.id
            ),
        ));
    }
    let mut seen = HashSet::with_capacity(shipment.cartons.len());
    for (index, carton) in shipment.cartons.iter().enumerate() {
        let place = || format!("carton {} of shipment {}", index + 1, shipment.id);
        findings.extend(label_fault(&carton.sscc, &place, &mut seen));
        if carton.contents.is_empty() {
            findings.push(refuse(
                "carton-empty",
                format!("{} holds nothing: take it off the shipment", place()),
            ));
        }
        findings.extend(
            carton
                .contents
                .iter()
                .filter_map(|content| content_fault(material, content, &place)),
        );
    }
    if material.profile.ship_notice.structure.has_tares() {
        for (index, pallet) in shipment.pallets().into_iter().enumerate() {
            let place = || format!("pallet {} of shipment {}", index + 1, shipment.id);
            findings.extend(label_fault(pallet, &place, &mut seen));
        }
        findings.extend(pallet_faults(material));
    }
    findings.extend(shape_faults(material));
    findings
}

/// Pallets that the structure has no room for.
fn pallet_faults(material: &Material<'_>) -> Vec<Finding> {
    let structure = material.profile.ship_notice.structure;
    let shipment = material.shipment;
    let mut findings = Vec::new();
    if structure == Structure::ShipmentOrderTareItem {
        let loose = shipment
            .cartons
            .iter()
            .filter(|carton| carton.pallet.is_empty())
            .count();
        if loose > 0 {
            findings.push(refuse(
                "carton-without-pallet",
                format!("{loose} cartons of shipment {} stand on no pallet, and the partner's structure tells of goods by pallet: put them on one, or set `ship_notice.structure` to shipment_order_tare_pack_item", shipment.id),
            ));
        }
    }
    if structure == Structure::ShipmentTareOrderPackItem {
        return findings;
    }
    for pallet in shipment.pallets() {
        let over: BTreeSet<(OrderId, &str)> = groups(material, on_pallet(material, pallet))
            .iter()
            .map(|group| (group.order.id, group.store.unwrap_or_default()))
            .collect();
        if over.len() > 1 {
            findings.push(refuse(
                "pallet-mixed",
                format!("pallet {pallet} of shipment {} holds goods of several orders, or of several stores that have order levels of their own, and the partner's structure has pallets below orders: load it by order, or set `ship_notice.structure` to shipment_tare_order_pack_item", shipment.id),
            ));
        }
    }
    findings
}

/// The cartons on a pallet; of the empty one, those on none.
fn on_pallet<'a>(
    material: &Material<'a>,
    pallet: &str,
) -> impl Iterator<Item = &'a Carton> + use<'a> {
    let pallet = pallet.to_owned();
    material
        .shipment
        .cartons
        .iter()
        .filter(move |carton| carton.pallet == pallet)
}

/// Every carton has its own SSCC (X12-RULES 67, 68).
fn label_fault<'a>(
    sscc: &'a str,
    place: &dyn Fn() -> String,
    seen: &mut HashSet<&'a str>,
) -> Option<Finding> {
    if sscc.is_empty() {
        return Some(refuse(
            "carton-without-sscc",
            format!(
                "{} has no SSCC-18: close it and print its label before the ship notice goes out",
                place()
            ),
        ));
    }
    if !sscc_is_valid(sscc) {
        return Some(refuse(
            "sscc-invalid",
            format!(
                "{} has the SSCC {sscc:?}, which is not 18 digits with the right check digit: label it again",
                place()
            ),
        ));
    }
    (!seen.insert(sscc)).then(|| {
        refuse(
            "sscc-repeated",
            format!(
                "{} has the SSCC {sscc} of another one: label one of them again",
                place()
            ),
        )
    })
}

/// What lies in a carton is of a known line, in its unit, and more than nothing.
fn content_fault(
    material: &Material<'_>,
    content: &CartonContent,
    place: &dyn Fn() -> String,
) -> Option<Finding> {
    let known = material
        .orders
        .get(&content.order)
        .and_then(|order| order.line(content.line));
    let (number, po) = (content.line, &content.po_number);
    let advice = "correct the carton's contents";
    match known {
        None => Some(refuse(
            "content-unknown",
            format!(
                "{} holds line {number} of order {} ({po}), which is not known: {advice}",
                place(),
                content.order
            ),
        )),
        Some(line) if line.unit != content.unit => Some(refuse(
            "content-unit",
            format!(
                "{} holds line {number} of {po} in {}, and the order counts it in {}: {advice}",
                place(),
                content.unit,
                line.unit
            ),
        )),
        Some(_) if content.quantity <= Decimal::ZERO => Some(refuse(
            "content-quantity",
            format!(
                "{} holds {} of line {number} of {po}: {advice}",
                place(),
                content.quantity
            ),
        )),
        Some(_) => None,
    }
}

/// Cartons that the structure has no room for.
fn shape_faults(material: &Material<'_>) -> Vec<Finding> {
    let structure = material.profile.ship_notice.structure;
    let mut findings = Vec::new();
    for (index, carton) in material.shipment.cartons.iter().enumerate() {
        if carton.contents.len() < 2 {
            continue;
        }
        let orders: BTreeSet<OrderId> = carton
            .contents
            .iter()
            .map(|content| content.order)
            .collect();
        let lines: BTreeSet<(OrderId, u32)> = carton
            .contents
            .iter()
            .map(|content| (content.order, content.line))
            .collect();
        let message = match structure {
            Structure::ShipmentOrderPackItem
            | Structure::ShipmentOrderTarePackItem
            | Structure::ShipmentTareOrderPackItem
                if orders.len() > 1 =>
            {
                "holds goods of several orders, and the partner's structure has cartons below orders: pack it by order, or set `ship_notice.structure` to shipment_pack_order_item"
            }
            Structure::ShipmentOrderItemPack if lines.len() > 1 => {
                "holds several items, and the partner's structure has cartons below items: pack it by item, or set `ship_notice.structure` to shipment_order_pack_item"
            }
            _ => continue,
        };
        findings.push(Finding::business(
            "carton-mixed",
            Severity::Hold,
            format!(
                "carton {} ({}) of shipment {} {message}",
                index + 1,
                carton.sscc,
                material.shipment.id
            ),
        ));
    }
    findings
}

/// Builds all levels.
pub fn build<'a>(material: &Material<'a>, hierarchy: &mut Hierarchy<'a>) {
    let shipment = levels::shipment(material, hierarchy);
    match material.profile.ship_notice.structure {
        Structure::ShipmentPackOrderItem => {
            for carton in &material.shipment.cartons {
                pack_order_item(material, hierarchy, shipment, carton);
            }
        }
        Structure::ShipmentOrderPackItem => {
            for group in groups(material, &material.shipment.cartons) {
                let order = levels::order(material, hierarchy, shipment, group.order, group.store);
                packs(material, hierarchy, order, group.order, &group.cartons);
            }
        }
        Structure::ShipmentOrderTarePackItem => {
            for group in groups(material, &material.shipment.cartons) {
                let order = levels::order(material, hierarchy, shipment, group.order, group.store);
                for (pallet, cartons) in by_pallet(&group.cartons) {
                    let below = match pallet {
                        "" => order,
                        pallet => levels::tare(material, hierarchy, order, pallet, &[group.order]),
                    };
                    packs(material, hierarchy, below, group.order, &cartons);
                }
            }
        }
        Structure::ShipmentTareOrderPackItem => {
            let all: Vec<&'a Carton> = material.shipment.cartons.iter().collect();
            for (pallet, cartons) in by_pallet(&all) {
                let groups = groups(material, cartons);
                let orders: Vec<&'a Order> = groups.iter().map(|group| group.order).collect();
                let below = match pallet {
                    "" => shipment,
                    pallet => levels::tare(material, hierarchy, shipment, pallet, &orders),
                };
                for group in groups {
                    let order = levels::order(material, hierarchy, below, group.order, group.store);
                    packs(material, hierarchy, order, group.order, &group.cartons);
                }
            }
        }
        Structure::ShipmentOrderTareItem => {
            for group in groups(material, &material.shipment.cartons) {
                let order = levels::order(material, hierarchy, shipment, group.order, group.store);
                for (pallet, cartons) in by_pallet(&group.cartons) {
                    let tare = levels::tare(material, hierarchy, order, pallet, &[group.order]);
                    for goods in goods(material, cartons, Some(group.order)) {
                        levels::item(material, hierarchy, tare, &goods, None);
                    }
                }
            }
        }
        Structure::ShipmentOrderItem => {
            for group in groups(material, &material.shipment.cartons) {
                let order = levels::order(material, hierarchy, shipment, group.order, group.store);
                for goods in goods(material, group.cartons, Some(group.order)) {
                    levels::item(material, hierarchy, order, &goods, None);
                }
            }
        }
        Structure::ShipmentOrderItemPack => {
            for group in groups(material, &material.shipment.cartons) {
                let order = levels::order(material, hierarchy, shipment, group.order, group.store);
                order_item_pack(material, hierarchy, order, &group);
            }
        }
    }
}

/// A pack level for each carton, with what it holds of the order.
fn packs<'a>(
    material: &Material<'a>,
    hierarchy: &mut Hierarchy<'a>,
    parent: Level,
    order: &'a Order,
    cartons: &[&'a Carton],
) {
    for alike in cartons.chunk_by(|one, other| one.contents.are_one(&other.contents)) {
        let items: Vec<_> = goods(material, alike.first().copied(), Some(order))
            .into_iter()
            .map(|goods| (goods, levels::item_segments(material, &goods)))
            .collect();
        for carton in alike {
            let pack = levels::pack(material, hierarchy, parent, carton, &[order]);
            for (goods, segments) in &items {
                let said = segments.iter().cloned();
                levels::item_saying(material, hierarchy, pack, goods, Some(carton), said);
            }
        }
    }
}

/// Cartons by pallet, those on none last, in the order of the cartons.
fn by_pallet<'a>(cartons: &[&'a Carton]) -> Vec<(&'a str, Vec<&'a Carton>)> {
    let mut pallets: Vec<(&'a str, Vec<&'a Carton>)> = Vec::new();
    for carton in cartons {
        match pallets
            .iter_mut()
            .find(|(known, _)| *known == carton.pallet)
        {
            Some((_, on_it)) => on_it.push(carton),
            None => pallets.push((&carton.pallet, vec![carton])),
        }
    }
    pallets.sort_by_key(|(pallet, _)| pallet.is_empty());
    pallets
}

fn pack_order_item<'a>(
    material: &Material<'a>,
    hierarchy: &mut Hierarchy<'a>,
    shipment: Level,
    carton: &'a Carton,
) {
    let orders: BTreeSet<OrderId> = carton
        .contents
        .iter()
        .map(|content| content.order)
        .collect();
    let orders: Vec<&'a Order> = orders
        .iter()
        .filter_map(|id| material.orders.get(id).copied())
        .collect();
    let pack = levels::pack(material, hierarchy, shipment, carton, &orders);
    for order in orders {
        let store = marks_orders(material).then_some(carton.store.as_str());
        let level = levels::order(material, hierarchy, pack, order, store);
        for goods in goods(material, [carton], Some(order)) {
            levels::item(material, hierarchy, level, &goods, Some(carton));
        }
    }
}

/// Standard pack: an item level for each line and carton quantity, so that what is in each carton can be reckoned:
/// quantity shipped divided by cartons below.
fn order_item_pack<'a>(
    material: &Material<'a>,
    hierarchy: &mut Hierarchy<'a>,
    order: Level,
    group: &Group<'a>,
) {
    let mut packs: BTreeMap<(u32, Decimal), Vec<&'a Carton>> = BTreeMap::new();
    for carton in &group.cartons {
        for goods in goods(material, [*carton], Some(group.order)) {
            packs
                .entry((goods.line.line, goods.quantity.normalize()))
                .or_default()
                .push(carton);
        }
    }
    for ((number, each), cartons) in packs {
        let Some(line) = group.order.line(number) else {
            continue;
        };
        let goods = Goods {
            order: group.order,
            line,
            quantity: each.saturating_mul(Decimal::from(cartons.len())),
        };
        let item = levels::item(material, hierarchy, order, &goods, None);
        for carton in cartons {
            levels::pack(material, hierarchy, item, carton, &[group.order]);
        }
    }
}

/// Whether stores are named at the order level: because the profile says so, or because there is no pack level to name
/// them at.
fn marks_orders(material: &Material<'_>) -> bool {
    let notice = &material.profile.ship_notice;
    match notice.mark_for {
        MarkFor::Order => true,
        MarkFor::Pack => !notice.structure.has_packs(),
        MarkFor::None => false,
    }
}

/// Cartons by order, and by store where order levels are marked for one; in the order of numbers.
fn groups<'a>(
    material: &Material<'a>,
    cartons: impl IntoIterator<Item = &'a Carton>,
) -> Vec<Group<'a>> {
    let by_store = marks_orders(material);
    let mut groups: BTreeMap<(OrderId, &'a str), Group<'a>> = BTreeMap::new();
    let cartons: Vec<&'a Carton> = cartons.into_iter().collect();
    let alike = cartons
        .chunk_by(|one, other| one.contents.are_one(&other.contents) && one.store == other.store);
    for alike in alike {
        let Some(first) = alike.first() else { continue };
        let orders: BTreeSet<OrderId> =
            first.contents.iter().map(|content| content.order).collect();
        for id in orders {
            let Some(order) = material.orders.get(&id).copied() else {
                continue;
            };
            let store = if by_store { first.store.as_str() } else { "" };
            groups
                .entry((id, store))
                .or_insert_with(|| Group {
                    order,
                    store: by_store.then_some(store),
                    cartons: Vec::new(),
                })
                .cartons
                .extend(alike);
        }
    }
    groups.into_values().collect()
}

/// What cartons hold, of one order or of all, summed by line.
fn goods<'a>(
    material: &Material<'a>,
    cartons: impl IntoIterator<Item = &'a Carton>,
    of: Option<&Order>,
) -> Vec<Goods<'a>> {
    let mut sums: BTreeMap<(OrderId, u32), Decimal> = BTreeMap::new();
    for content in cartons.into_iter().flat_map(|carton| &carton.contents) {
        if of.is_none_or(|order| order.id == content.order) {
            let sum = sums.entry((content.order, content.line)).or_default();
            *sum = sum.saturating_add(content.quantity);
        }
    }
    sums.into_iter()
        .filter_map(|((id, number), quantity)| {
            let order = material.orders.get(&id).copied()?;
            let line = order.line(number)?;
            Some(Goods {
                order,
                line,
                quantity,
            })
        })
        .collect()
}
