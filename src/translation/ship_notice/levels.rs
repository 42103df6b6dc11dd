//! The segments of each level: shipment, order, pack, item.

use chrono::NaiveDate;
use rust_decimal::{Decimal, RoundingStrategy};
use supercargo_x12::{OutSegment, seg};

use super::super::element::{date_text, decimal_text, time_text};
use super::super::item as identity;
use super::super::outbound::Facts;
use super::super::party::{self, Extent};
use super::hierarchy::{Hierarchy, Level};
use super::structure::Goods;
use super::{Material, number};
use crate::config::profile::outbound::OutboundLevel;
use crate::config::profile::ship_notice::{MarkFor, Structure, WeightUnit};
use crate::domain::order::{Order, Party};
use crate::domain::shipment::Carton;

/// The S level: packages and weight, carrier, references, dates, from and to.
pub fn shipment<'a>(material: &Material<'a>, hierarchy: &mut Hierarchy<'a>) -> Level {
    let shipment = material.shipment;
    let mut segments = vec![packages(material)];
    segments.extend(pallets(material));
    segments.extend(carrier(material));
    segments.extend(references(material));
    segments.push(
        seg("DTM")
            .el("011")
            .el(date_text(material.shipped.date()))
            .el(time_text(material.shipped)),
    );
    segments.extend(
        shipment
            .expected_delivery
            .map(|day| date_segment("017", day)),
    );
    segments.extend(party::write("SF", &ship_from(material), Extent::Address));
    segments.extend(party::write("ST", &ship_to(material), Extent::Address));
    hierarchy.open(OutboundLevel::Shipment, None, || material.facts(), segments)
}

fn date_segment(qualifier: &str, day: NaiveDate) -> OutSegment {
    seg("DTM").el(qualifier).el(date_text(day))
}

/// TD1: how many packages, and their gross weight where that of each is known.
fn packages(material: &Material<'_>) -> OutSegment {
    let notice = &material.profile.ship_notice;
    let cartons = &material.shipment.cartons;
    let td1 = seg("TD1")
        .el(&notice.packaging)
        .el(cartons.len().to_string());
    let known = notice.weight && cartons.iter().all(|carton| carton.grams > 0);
    if !known {
        return td1;
    }
    let grams: i64 = cartons
        .iter()
        .map(|carton| carton.grams)
        .fold(0, i64::saturating_add);
    td1.skip()
        .skip()
        .skip()
        .el("G")
        .el(decimal_text(weight(grams, notice.weight_unit)))
        .el(notice.weight_unit.code())
}

/// TD1 of the pallets, where the partner is told of them.
fn pallets(material: &Material<'_>) -> Option<OutSegment> {
    let notice = &material.profile.ship_notice;
    let pallets = material.shipment.pallets().len();
    (notice.structure.has_tares() && pallets > 0).then(|| {
        seg("TD1")
            .el(&notice.pallet_packaging)
            .el(pallets.to_string())
    })
}

/// Grams in the partner's unit, to two decimals, and never nothing.
fn weight(grams: i64, unit: WeightUnit) -> Decimal {
    let per_unit = match unit {
        // An avoirdupois pound is 453.59237 g by definition.
        WeightUnit::Pound => Decimal::new(45_359_237, 5),
        WeightUnit::Kilogram => Decimal::ONE_THOUSAND,
    };
    (Decimal::from(grams) / per_unit)
        .round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
        .max(Decimal::new(1, 2))
}

/// TD5; none where neither carrier nor way of transport is known.
fn carrier(material: &Material<'_>) -> Option<OutSegment> {
    let transport = &material.profile.packing.transport;
    let scac = &material.shipment.carrier;
    if scac.is_empty() && transport.is_empty() {
        return None;
    }
    let td5 = seg("TD5").el("B");
    let td5 = if scac.is_empty() {
        td5.skip().skip()
    } else {
        td5.el("2").el(scac)
    };
    Some(td5.el(transport))
}

fn references(material: &Material<'_>) -> Vec<OutSegment> {
    let shipment = material.shipment;
    material
        .profile
        .ship_notice
        .references
        .iter()
        .filter_map(|qualifier| {
            let value = match qualifier.as_str() {
                "BM" => shipment.bill_of_lading.clone(),
                "CN" | "2I" => shipment.tracking.clone(),
                "SI" => number(shipment),
                _ => String::new(),
            };
            (!value.is_empty()).then(|| seg("REF").el(qualifier).el(value))
        })
        .collect()
}

fn ship_from(material: &Material<'_>) -> Party {
    let warehouse = material.warehouse;
    Party {
        role: "SF".to_owned(),
        name: if warehouse.name.is_empty() {
            material.company.name.clone()
        } else {
            warehouse.name.clone()
        },
        id_qualifier: "91".to_owned(),
        id: warehouse.code.clone(),
        street: Some(warehouse.street.clone())
            .filter(|street| !street.is_empty())
            .into_iter()
            .collect(),
        city: warehouse.city.clone(),
        state: warehouse.state.clone(),
        postal_code: warehouse.postal_code.clone(),
        country: warehouse.country.clone(),
    }
}

/// The ship-to, with name and address from the partner's locations where the order gave only a number.
fn ship_to(material: &Material<'_>) -> Party {
    let mut party = material.shipment.ship_to.clone();
    let Some(location) = material.locations.get(&party.id) else {
        return party;
    };
    if party.name.is_empty() {
        party.name.clone_from(&location.name);
    }
    if party.street.is_empty() && party.city.is_empty() {
        let known = party::of_location(&party.id_qualifier, location);
        party = Party {
            role: party.role,
            name: party.name,
            id_qualifier: party.id_qualifier,
            id: party.id,
            ..known
        };
    }
    party
}

/// The store that goods are marked for (N1).
fn mark_for(material: &Material<'_>, store: &str) -> Vec<OutSegment> {
    if store.is_empty() {
        return Vec::new();
    }
    let notice = &material.profile.ship_notice;
    let party = Party {
        name: material
            .locations
            .get(store)
            .map(|location| location.name.clone())
            .unwrap_or_default(),
        id_qualifier: notice.location_qualifier.clone(),
        id: store.to_owned(),
        ..Party::default()
    };
    party::write(&notice.mark_for_role, &party, Extent::Name)
}

/// An O level: the purchase order, its references, and the store where the level is for one.
pub fn order<'a>(
    material: &Material<'a>,
    hierarchy: &mut Hierarchy<'a>,
    parent: Level,
    order: &'a Order,
    store: Option<&str>,
) -> Level {
    let header = &order.header;
    let mut segments = vec![
        seg("PRF")
            .el(&header.po_number)
            .el(&header.release)
            .skip()
            .el(date_text(header.po_date)),
    ];
    for qualifier in &material.profile.ship_notice.order_references {
        let value = match (qualifier.as_str(), header.reference(qualifier)) {
            (_, Some(value)) if !value.is_empty() => value,
            ("DP", _) => &header.department,
            ("IA", _) if header.vendor_number.is_empty() => &material.profile.vendor_number,
            ("IA", _) => &header.vendor_number,
            _ => "",
        };
        if !value.is_empty() {
            segments.push(seg("REF").el(qualifier).el(value));
        }
    }
    segments.extend(
        store
            .map(|store| mark_for(material, store))
            .unwrap_or_default(),
    );
    let facts = || Facts {
        orders: [order].into(),
        ..material.facts()
    };
    hierarchy.open(OutboundLevel::Order, Some(parent), facts, segments)
}

/// A T level: the pallet's label.
pub fn tare<'a>(
    material: &Material<'a>,
    hierarchy: &mut Hierarchy<'a>,
    parent: Level,
    pallet: &str,
    orders: &[&'a Order],
) -> Level {
    let sscc = material.profile.ship_notice.sscc;
    let segments = vec![seg("MAN").el(sscc.code()).el(sscc.value(pallet))];
    let facts = || Facts {
        orders: orders.into(),
        ..material.facts()
    };
    hierarchy.open(OutboundLevel::Tare, Some(parent), facts, segments)
}

/// A P level: the label's number, the carrier's, and the store.
pub fn pack<'a>(
    material: &Material<'a>,
    hierarchy: &mut Hierarchy<'a>,
    parent: Level,
    carton: &'a Carton,
    orders: &[&'a Order],
) -> Level {
    let notice = &material.profile.ship_notice;
    let mut segments = vec![
        seg("MAN")
            .el(notice.sscc.code())
            .el(notice.sscc.value(&carton.sscc)),
    ];
    if notice.carton_tracking && !carton.tracking.is_empty() {
        segments.push(seg("MAN").el("CP").el(&carton.tracking));
    }
    if notice.mark_for == MarkFor::Pack {
        segments.extend(mark_for(material, &carton.store));
    }
    let facts = || Facts {
        orders: orders.into(),
        carton: Some(carton),
        ..material.facts()
    };
    hierarchy.open(OutboundLevel::Pack, Some(parent), facts, segments)
}

/// An I level for goods, in a carton or out of several.
pub fn item<'a>(
    material: &Material<'a>,
    hierarchy: &mut Hierarchy<'a>,
    parent: Level,
    goods: &Goods<'a>,
    carton: Option<&'a Carton>,
) -> Level {
    let segments = item_segments(material, goods);
    item_saying(material, hierarchy, parent, goods, carton, segments)
}

/// What an I level says: the buyer's own numbers of the item, what shipped, and how it is packed.
pub fn item_segments(material: &Material<'_>, goods: &Goods<'_>) -> Vec<OutSegment> {
    let notice = &material.profile.ship_notice;
    let line = goods.line;
    let lin = seg("LIN").el(&line.buyer_line);
    let mut sn1 = seg("SN1")
        .el(&line.buyer_line)
        .el(decimal_text(goods.quantity))
        .el(&line.unit);
    if notice.ordered_quantity {
        sn1 = sn1.skip().el(decimal_text(line.ordered)).el(&line.unit);
    }
    let mut segments = vec![identity::add_numbers(lin, &identity::numbers(line)), sn1];
    if notice.pack {
        let known = line
            .accepted
            .as_ref()
            .and_then(|accepted| accepted.case_pack);
        // The partner compares with its own order, so its own pack comes first (rule 71).
        segments.extend(
            line.pack
                .or(known)
                .map(|pack| seg("PO4").el(decimal_text(pack))),
        );
    }
    let description = identity::description(line);
    if notice.description && !description.is_empty() {
        segments.push(description_segment(description));
    }
    segments
}

/// An I level that says this.
pub fn item_saying<'a>(
    material: &Material<'a>,
    hierarchy: &mut Hierarchy<'a>,
    parent: Level,
    goods: &Goods<'a>,
    carton: Option<&'a Carton>,
    segments: impl IntoIterator<Item = OutSegment>,
) -> Level {
    let notice = &material.profile.ship_notice;
    // Below an item the cartons are levels of their own.
    let carton = carton.filter(|_| notice.structure != Structure::ShipmentOrderItemPack);
    let facts = || Facts {
        orders: [goods.order].into(),
        line: Some(goods.line),
        carton,
        ..material.facts()
    };
    hierarchy.open(OutboundLevel::Item, Some(parent), facts, segments)
}

fn description_segment(text: &str) -> OutSegment {
    seg("PID").el("F").skip().skip().skip().el(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_rounded_to_hundredths() {
        assert_eq!(weight(453_592, WeightUnit::Pound).to_string(), "1000.00");
        assert_eq!(weight(1234, WeightUnit::Kilogram).to_string(), "1.23");
        assert_eq!(weight(1, WeightUnit::Pound).to_string(), "0.01");
    }
}
