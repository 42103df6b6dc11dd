//! The 856 in each structure, worked out by hand.

use super::house::*;
use std::collections::BTreeMap;
use supercargo::config::profile::Profile;
use supercargo::domain::catalogue::{FulfilmentMode, Location, Warehouse};
use supercargo::domain::finding::Finding;
use supercargo::domain::ids::{CompanyId, OrderId, PartnerId, ShipmentId, WarehouseId};
use supercargo::domain::order::{Mode, Order};
use supercargo::domain::shipment::{Carton, CartonContent, Shipment, ShipmentState};
use supercargo::translation::crosscheck::ship_notice_against_order;
use supercargo::translation::ship_notice::{self, ShipNoticeContext};
use supercargo_x12::OutboundSet;

pub fn warehouse() -> Warehouse {
    Warehouse {
        id: WarehouseId(1),
        code: "EAST".into(),
        name: "East Warehouse".into(),
        street: "5 Dock Street".into(),
        city: "Memphis".into(),
        state: "TN".into(),
        postal_code: "38103".into(),
        country: "US".into(),
        zone: "America/Chicago".into(),
        fulfilment: FulfilmentMode::Person,
        carrier: String::new(),
    }
}

pub fn content(order: &Order, line: u32, quantity: &str) -> CartonContent {
    CartonContent {
        order: order.id,
        po_number: order.header.po_number.clone(),
        line,
        item: format!("OUR-{line}"),
        quantity: decimal(quantity),
        unit: order.line(line).unwrap().unit.clone(),
        delivery: 0,
    }
}

pub fn carton(sscc: &str, store: &str, grams: i64, contents: Vec<CartonContent>) -> Carton {
    Carton {
        sscc: sscc.into(),
        store: store.into(),
        contents: contents.into(),
        grams,
        tracking: Default::default(),
        pallet: Default::default(),
    }
}

/// 12 EA of line 1 for each store, and 4 CA of line 2 for none.
pub fn shipment(order: &Order) -> Shipment {
    Shipment {
        id: ShipmentId(42),
        company: CompanyId(1),
        partner: PartnerId(1),
        mode: Mode::Production,
        warehouse: WarehouseId(1),
        warehouse_code: "EAST".into(),
        ship_to: order.header.party("ST").unwrap().clone(),
        cartons: vec![
            carton(
                "006141411234567890",
                "0001",
                5000,
                vec![content(order, 1, "12")],
            ),
            carton(
                "106141410000000019",
                "0002",
                5000,
                vec![content(order, 1, "12")],
            ),
            carton("340123451234567895", "", 9000, vec![content(order, 2, "4")]),
        ],
        carrier: "UPSN".into(),
        tracking: "PRO99".into(),
        bill_of_lading: "BOL42".into(),
        not_before: None,
        not_after: None,
        expected_delivery: Some(day("2026-01-15")),
        window_override: None,
        state: ShipmentState::Shipped {
            at: instant("2026-01-12T15:30:00Z"),
        },
        revision: 2,
    }
}

pub fn allocated(id: i64, text: &str, profile: &Profile) -> Order {
    let mut order = verified(order(id, text, profile));
    decide(&mut order.lines[0], "24", "0", "0");
    decide(&mut order.lines[1], "4", "2", "0");
    decide(&mut order.lines[2], "10", "0", "0");
    order
}

fn locations() -> BTreeMap<String, Location> {
    BTreeMap::from([(
        "0001".to_owned(),
        Location {
            number: "0001".into(),
            name: "STORE ONE".into(),
            ..Location::default()
        },
    )])
}

fn build(
    shipment: &Shipment,
    orders: &[Order],
    profile: &Profile,
) -> Result<OutboundSet, Vec<Finding>> {
    let company = company();
    let context = ShipNoticeContext {
        company: &company,
        at: instant("2026-01-12T15:30:00Z"),
    };
    let built = ship_notice::build(
        shipment,
        orders,
        &warehouse(),
        &locations(),
        profile,
        &context,
    );
    if let Ok(set) = &built {
        assert_eq!(
            codes(&ship_notice_against_order(set, shipment, orders)),
            [""; 0]
        );
    }
    built
}

#[test]
fn pick_and_pack() {
    let profile = profile("");
    let order = allocated(7, BIGBOX, &profile);
    let built = build(&shipment(&order), &[order], &profile);
    assert_document(built, include_str!("golden/856-order-pack-item.edi"));
}

#[test]
fn cartons_of_several_orders() {
    let profile = profile(
        "[ship_notice]\nstructure = \"shipment_pack_order_item\"\nchild_code = false\nsscc = \"AA\"\nweight_unit = \"KG\"\n\
         references = [\"BM\", \"SI\"]\nordered_quantity = false\ndescription = true\ntotal = \"lines\"",
    );
    let first = allocated(7, BIGBOX, &profile);
    let second = allocated(8, &BIGBOX.replace("4500123456", "4500123457"), &profile);
    let mut shipment = shipment(&first);
    shipment.cartons[0]
        .contents
        .to_mut()
        .push(content(&second, 3, "10"));
    assert_eq!(shipment.orders(), [OrderId(7), OrderId(8)]);
    let built = build(&shipment, &[first, second], &profile);
    assert_document(built, include_str!("golden/856-pack-order-item.edi"));
}

#[test]
fn items_without_cartons() {
    let profile = profile(
        "[ship_notice]\nstructure = \"shipment_order_item\"\npack = true\nmark_for = \"none\"\ntotal = \"lines\"",
    );
    let order = allocated(7, BIGBOX, &profile);
    let built = build(&shipment(&order), &[order], &profile);
    assert_document(built, include_str!("golden/856-order-item.edi"));
}

#[test]
fn standard_pack() {
    let profile = profile("[ship_notice]\nstructure = \"shipment_order_item_pack\"");
    let order = allocated(7, BIGBOX, &profile);
    let built = build(&shipment(&order), &[order], &profile);
    assert_document(built, include_str!("golden/856-order-item-pack.edi"));
}

/// Two cartons on one pallet, one on none.
#[test]
fn pallets_with_cartons() {
    let profile = profile("[ship_notice]\nstructure = \"shipment_order_tare_pack_item\"");
    let order = allocated(7, BIGBOX, &profile);
    let mut shipment = shipment(&order);
    for carton in &mut shipment.cartons[..2] {
        carton.pallet = PALLET.into();
    }
    let built = build(&shipment, &[order], &profile);
    assert_document(built, include_str!("golden/856-order-tare-pack-item.edi"));
}

/// Worked out by the rule: seventeen digits, then what fills the weighted sum to a multiple of ten.
const PALLET: &str = "106141410000000026";

#[test]
fn every_structure_with_pallets() {
    let table = [
        (
            "shipment_order_tare_pack_item",
            "none",
            "S O1 T2 P3 I4 P3 I6 P2 I8",
        ),
        (
            "shipment_tare_order_pack_item",
            "none",
            "S T1 O2 P3 I4 P3 I6 O1 P8 I9",
        ),
        ("shipment_order_pack_item", "none", "S O1 P2 I3 P2 I5 P2 I7"),
        ("shipment_order_tare_item", "none", "carton-without-pallet"),
        ("shipment_order_tare_pack_item", "order", "pallet-mixed"),
    ];
    for (structure, mark_for, expected) in table {
        let profile = profile(&format!(
            "[ship_notice]\nstructure = \"{structure}\"\nmark_for = \"{mark_for}\"\n[[outbound.856]]\naction = \"add\"\nlevel = \"tare\"\nsegment = \"REF\"\nelements = [\"ZZ\", \"PALLET\"]"
        ));
        let order = allocated(7, BIGBOX, &profile);
        let mut shipment = shipment(&order);
        for carton in &mut shipment.cartons[..2] {
            carton.pallet = PALLET.into();
        }
        match build(&shipment, &[order], &profile) {
            Ok(built) => {
                assert_eq!(shape(&built), expected, "{structure} {mark_for}");
                let named = text(&built).matches(PALLET).count();
                assert_eq!(named, usize::from(structure.contains("tare")));
            }
            Err(findings) => assert_eq!(codes(&findings), [expected]),
        }
    }
    let whole =
        profile("[ship_notice]\nstructure = \"shipment_order_tare_item\"\nmark_for = \"none\"");
    let order = allocated(7, BIGBOX, &whole);
    let mut on_one = shipment(&order);
    for carton in &mut on_one.cartons {
        carton.pallet = PALLET.into();
    }
    let built = build(&on_one, std::slice::from_ref(&order), &whole).unwrap();
    assert_eq!(shape(&built), "S O1 T2 I3 I3");
    assert_sound(&built);
    on_one.cartons[0].pallet = on_one.cartons[1].sscc.clone();
    let findings = build(&on_one, &[order], &whole).unwrap_err();
    assert_eq!(codes(&findings), ["sscc-repeated"]);
}

/// The levels with their parents, such as `S O1 P2 I3`.
fn shape(set: &OutboundSet) -> String {
    let written = text(set);
    let levels: Vec<String> = written
        .lines()
        .filter(|line| line.starts_with("HL*"))
        .map(|line| {
            let element: Vec<&str> = line.trim_end_matches('~').split('*').collect();
            format!("{}{}", element[3], element[2])
        })
        .collect();
    levels.join(" ")
}

#[test]
fn every_structure_by_carton_and_by_store() {
    let table = [
        ("shipment_order_pack_item", "pack", "S O1 P2 I3 P2 I5 P2 I7"),
        (
            "shipment_order_pack_item",
            "order",
            "S O1 P2 I3 O1 P5 I6 O1 P8 I9",
        ),
        (
            "shipment_pack_order_item",
            "order",
            "S P1 O2 I3 P1 O5 I6 P1 O8 I9",
        ),
        ("shipment_order_item", "pack", "S O1 I2 O1 I4 O1 I6"),
        ("shipment_order_item", "none", "S O1 I2 I2"),
        (
            "shipment_order_item_pack",
            "order",
            "S O1 I2 P3 O1 I5 P6 O1 I8 P9",
        ),
        ("shipment_order_item_pack", "none", "S O1 I2 P3 P3 I2 P6"),
    ];
    for (structure, mark_for, levels) in table {
        let profile = profile(&format!(
            "[ship_notice]\nstructure = \"{structure}\"\nmark_for = \"{mark_for}\"\ncarton_tracking = true\npack = true\ndescription = true"
        ));
        let order = allocated(7, BIGBOX, &profile);
        let mut shipment = shipment(&order);
        shipment.cartons[0].tracking = "1Z999".into();
        let built = build(&shipment, &[order], &profile).unwrap();
        assert_eq!(shape(&built), levels, "{structure} {mark_for}");
        assert_sound(&built);
        let stores = text(&built).matches("N1*Z7*").count();
        assert_eq!(
            stores,
            if mark_for == "none" { 0 } else { 2 },
            "{structure} {mark_for}"
        );
    }
}

#[test]
fn standard_pack_tells_cartons_of_different_size_apart() {
    let profile =
        profile("[ship_notice]\nstructure = \"shipment_order_item_pack\"\nmark_for = \"none\"");
    let order = allocated(7, BIGBOX, &profile);
    let mut shipment = shipment(&order);
    shipment.cartons[1].contents = vec![content(&order, 1, "6")].into();
    shipment.cartons[2].contents = vec![content(&order, 1, "6")].into();
    let built = build(&shipment, &[order], &profile).unwrap();
    assert_eq!(shape(&built), "S O1 I2 P3 P3 I2 P6");
    let written = text(&built);
    let shipped: Vec<&str> = written
        .lines()
        .filter(|line| line.starts_with("SN1"))
        .collect();
    assert_eq!(shipped, ["SN1*1*12*EA**24*EA~", "SN1*1*12*EA**24*EA~"]);
}

#[test]
fn what_is_unknown_is_left_out() {
    let profile = profile(
        "[packing]\ntransport = \"\"\n[ship_notice]\nstructure_code = \"none\"\ntotal = \"none\"",
    );
    let order = allocated(7, BIGBOX, &profile);
    let mut shipment = shipment(&order);
    shipment.carrier.clear();
    shipment.tracking.clear();
    shipment.cartons[2].grams = 0;
    let built = build(&shipment, &[order], &profile).unwrap();
    assert_sound(&built);
    let written = text(&built);
    for absent in ["TD5", "REF*CN", "*G*", "CTT", "*0930*0001"] {
        assert!(!written.contains(absent), "{absent}\n{written}");
    }
    assert!(written.contains("TD1*CTN25*3~"), "{written}");
}

type Spoil = fn(&mut Shipment);

#[test]
fn what_can_not_be_told_truthfully_is_refused() {
    let profile = profile("");
    let order = allocated(7, BIGBOX, &profile);
    let table: [(&str, Spoil); 10] = [
        ("shipment-not-shipped", |shipment| {
            shipment.state = ShipmentState::Planned
        }),
        ("shipment-empty", |shipment| shipment.cartons.clear()),
        ("carton-without-sscc", |shipment| {
            shipment.cartons[1].sscc.clear()
        }),
        ("sscc-invalid", |shipment| {
            shipment.cartons[1].sscc = "006141411234567891".into()
        }),
        ("sscc-repeated", |shipment| {
            shipment.cartons[1].sscc = shipment.cartons[0].sscc.clone()
        }),
        ("carton-empty", |shipment| {
            shipment.cartons[1].contents.to_mut().clear()
        }),
        ("content-unknown", |shipment| {
            shipment.cartons[1].contents[0].line = 9
        }),
        ("content-unit", |shipment| {
            shipment.cartons[1].contents[0].unit = "CA".into()
        }),
        ("content-quantity", |shipment| {
            shipment.cartons[1].contents[0].quantity = decimal("0")
        }),
        ("content-unknown", |shipment| {
            shipment.cartons[1].contents[0].order = OrderId(8)
        }),
    ];
    for (code, spoil) in table {
        let mut shipment = shipment(&order);
        spoil(&mut shipment);
        let findings = build(&shipment, std::slice::from_ref(&order), &profile).unwrap_err();
        assert!(codes(&findings).contains(&code), "{code}: {findings:?}");
    }
}

#[test]
fn a_mixed_carton_needs_a_structure_that_has_room_for_it() {
    let (picked, standard) = (
        profile(""),
        profile("[ship_notice]\nstructure = \"shipment_order_item_pack\""),
    );
    let first = allocated(7, BIGBOX, &picked);
    let second = allocated(8, &BIGBOX.replace("4500123456", "4500123457"), &picked);
    let mut orders_mixed = shipment(&first);
    orders_mixed.cartons[0]
        .contents
        .to_mut()
        .push(content(&second, 3, "10"));
    let mut items_mixed = shipment(&first);
    items_mixed.cartons[0]
        .contents
        .to_mut()
        .push(content(&first, 3, "10"));
    let orders = [first, second];
    assert_eq!(
        codes(&build(&orders_mixed, &orders, &picked).unwrap_err()),
        ["carton-mixed"]
    );
    assert_eq!(
        codes(&build(&items_mixed, &orders, &standard).unwrap_err()),
        ["carton-mixed"]
    );
    assert!(build(&items_mixed, &orders, &picked).is_ok());
}

#[test]
fn differences_from_order_and_cartons_are_found() {
    let profile = profile("[ship_notice]\npack = true");
    let order = allocated(7, BIGBOX, &profile);
    let packed = shipment(&order);
    let built = build(&packed, std::slice::from_ref(&order), &profile).unwrap();
    let table: [(&str, usize, &str, &[&str]); 6] = [
        ("SN1", 2, "11", &["ship-notice-quantity-differs"]),
        (
            "SN1",
            2,
            "13",
            &["ship-notice-quantity-differs", "ship-notice-too-much"],
        ),
        ("SN1", 3, "CA", &["document-unit-differs"]),
        (
            "LIN",
            3,
            "036000291469",
            &["document-item-differs", "ship-notice-quantity-differs"],
        ),
        ("PO4", 1, "6", &["ship-notice-pack-differs"]),
        (
            "MAN",
            2,
            "00106141410000000019",
            &["ship-notice-labels-differ"],
        ),
    ];
    for (segment, element, value, expected) in table {
        let mut altered = built.clone();
        let found = altered
            .segments
            .iter_mut()
            .find(|found| found.id == segment)
            .unwrap();
        *found = found.clone().at(element, value);
        let told = ship_notice_against_order(&altered, &packed, std::slice::from_ref(&order));
        assert_eq!(codes(&told), expected, "{segment}{element:02}");
    }
}
