//! A document that was built, held against the documents before it: item, unit, price, quantity, pack and dates.
//!
//! It reads the segments as the partner will and trusts nothing that the builder knew. The builders ask it before the
//! partner's own changes (`[[outbound.…]]`) are applied. Every difference is a finding that holds the document, in the
//! words of the trade.

mod read;

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use supercargo_x12::OutboundSet;

use super::element::{date, decimal};
use super::outbound::built;
use crate::config::profile::Profile;
use crate::config::profile::response::PartialLine;
use crate::domain::finding::{Finding, Severity};
use crate::domain::order::{Order, OrderLine, Price};
use crate::domain::shipment::{Shipment, ShipmentState};
use read::{Items, Stated, stated_lines};

fn differs(code: &str, line: Option<&OrderLine>, message: String) -> Finding {
    let finding = Finding::business(code, Severity::Hold, message);
    match line {
        Some(line) => finding.on_line(line.line),
        None => finding,
    }
}

/// An 855 against its order: PO number and date, item, unit, price, and quantities that add up to the order's.
pub fn response_against_order(set: &OutboundSet, order: &Order, profile: &Profile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let header = &order.header;
    if let Some(bak) = set.segments.iter().find(|segment| segment.id == "BAK") {
        if built(bak, 3) != header.po_number || date(built(bak, 4)) != Some(header.po_date) {
            findings.push(differs(
                "response-other-order",
                None,
                format!(
                    "the 855 answers PO {} of {} and the order is {} of {}",
                    built(bak, 3),
                    built(bak, 4),
                    header.po_number,
                    header.po_date
                ),
            ));
        }
        check_acceptance(set, built(bak, 2), profile, &mut findings);
    }
    let single = profile.response.partial == PartialLine::Single;
    let items = Items::of(order);
    for stated in stated_lines(set, "PO1") {
        let Some(line) = items.line_of(&stated, |line| line.ordered == stated.quantity) else {
            findings.push(unknown("855", &stated));
            continue;
        };
        check_unit("855", &stated, line, &mut findings);
        check_price("855", &stated, agreed_price(line), line, &mut findings);
        if stated.quantity != line.ordered {
            findings.push(differs(
                "response-ordered-differs",
                Some(line),
                format!(
                    "the 855 says that {} were ordered of line {}, and the order says {}",
                    stated.quantity, line.line, line.ordered
                ),
            ));
        }
        let answered = stated.answered.unwrap_or_default();
        if !single && answered != line.ordered {
            findings.push(differs(
                "response-does-not-add-up",
                Some(line),
                format!(
                    "the 855's answers to line {} come to {answered}, and {} were ordered",
                    line.line, line.ordered
                ),
            ));
        }
    }
    findings
}

/// A header that accepts everything must not stand above a line that differs (X12-RULES 58).
fn check_acceptance(set: &OutboundSet, code: &str, profile: &Profile, findings: &mut Vec<Finding>) {
    let response = &profile.response;
    if code != response.accepted_code || response.accepted_code == response.changed_code {
        return;
    }
    let accepted = &response.line_codes.accepted;
    if set
        .segments
        .iter()
        .any(|segment| segment.id == "ACK" && built(segment, 1) != accepted)
    {
        findings.push(differs(
            "response-code-contradicts",
            None,
            format!("the 855 accepts the order as it is (BAK02 {code}) and a line says otherwise (ACK01 other than {accepted})"),
        ));
    }
}

/// An 856 against its shipment and orders: every line with the quantity that was packed and no more than may ship, item,
/// unit and pack as ordered, every carton's SSCC once, and the day it left.
pub fn ship_notice_against_order<O: Borrow<Order>>(
    set: &OutboundSet,
    shipment: &Shipment,
    orders: &[O],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut sums: BTreeMap<(i64, u32), Decimal> = BTreeMap::new();
    let items: Vec<(&Order, Items<'_>)> = orders
        .iter()
        .map(Borrow::borrow)
        .map(|order| (order, Items::of(order)))
        .collect();
    for stated in stated_lines(set, "LIN") {
        let found = items
            .iter()
            .filter(|(order, _)| order.header.po_number == stated.po_number)
            .find_map(|(order, items)| {
                let line = items.line_of(&stated, |line| line.unit == stated.unit)?;
                Some((order, items, line))
            });
        let Some((order, items, line)) = found else {
            findings.push(unknown("856", &stated));
            continue;
        };
        check_unit("856", &stated, line, &mut findings);
        check_pack(&stated, line, &mut findings);
        let sum = sums.entry((order.id.0, items.item_of(line))).or_default();
        *sum = sum.saturating_add(stated.quantity);
    }
    for (order, items) in &items {
        for (item, goods) in goods_of(order, items, shipment) {
            let told = sums.get(&(order.id.0, item)).copied().unwrap_or_default();
            check_shipped(order, item, told, goods, &mut findings);
        }
    }
    check_labels(set, shipment, &mut findings);
    findings
}

/// What may ship of an item of an order, and what is packed.
#[derive(Debug, Clone, Copy, Default)]
struct GoodsOf {
    may_ship: Decimal,
    packed: Decimal,
}

/// By the item's first line.
fn goods_of(order: &Order, items: &Items<'_>, shipment: &Shipment) -> BTreeMap<u32, GoodsOf> {
    let packed = shipment.quantities();
    let mut goods: BTreeMap<u32, GoodsOf> = BTreeMap::new();
    for line in &order.lines {
        let of_line = packed.get(&(order.id, line.line)).copied();
        let sum = goods.entry(items.item_of(line)).or_default();
        sum.may_ship = sum
            .may_ship
            .saturating_add(line.confirmed.saturating_add(line.backordered));
        sum.packed = sum.packed.saturating_add(of_line.unwrap_or_default());
    }
    goods
}

fn check_shipped(
    order: &Order,
    item: u32,
    told: Decimal,
    goods: GoodsOf,
    findings: &mut Vec<Finding>,
) {
    let GoodsOf { may_ship, packed } = goods;
    let po = &order.header.po_number;
    if told != packed {
        findings.push(differs(
            "ship-notice-quantity-differs",
            order.line(item),
            format!("the 856 tells of {told} of the item of line {item} of {po}, and {packed} are in the cartons"),
        ));
    }
    if told > may_ship {
        findings.push(differs(
            "ship-notice-too-much",
            order.line(item),
            format!("the 856 tells of {told} of the item of line {item} of {po}, of which {may_ship} may ship"),
        ));
    }
}

/// MAN against cartons and pallets, by the level that it stands in: each once, none beside them. A structure without
/// packs, or without tares, tells of none.
fn check_labels(set: &OutboundSet, shipment: &Shipment, findings: &mut Vec<Finding>) {
    let mut level = "";
    let mut told: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for segment in &set.segments {
        match segment.id.as_str() {
            "HL" => level = built(segment, 3),
            "MAN" if matches!(built(segment, 1), "GM" | "AA") => {
                let value = built(segment, 2);
                let digits = value.get(value.len().saturating_sub(18)..).unwrap_or(value);
                told.entry(level).or_default().push(digits);
            }
            _ => {}
        }
    }
    let cartons: BTreeSet<&str> = shipment
        .cartons
        .iter()
        .map(|carton| carton.sscc.as_str())
        .collect();
    let pallets: BTreeSet<&str> = shipment.pallets().into_iter().collect();
    for (level, told) in told {
        let (what, labels) = match level {
            "T" => ("pallets", &pallets),
            _ => ("cartons", &cartons),
        };
        let unique: BTreeSet<&str> = told.iter().copied().collect();
        if unique != *labels || told.len() != labels.len() {
            findings.push(differs(
                "ship-notice-labels-differ",
                None,
                format!("the 856 names {} {what} ({} different), and the shipment has {}: each label has to stand in it once", told.len(), unique.len(), labels.len()),
            ));
        }
    }
}

/// An 810 against what shipped and what was agreed: item, unit, price, no more than shipped, and not before it left.
/// `shipments` are those that the invoice bills.
pub fn invoice_against_shipment(
    set: &OutboundSet,
    order: &Order,
    shipments: &[&Shipment],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut sums: BTreeMap<u32, Decimal> = BTreeMap::new();
    let items = Items::of(order);
    for stated in stated_lines(set, "IT1") {
        let fits = |line: &OrderLine| agreed_price(line).map(|price| price.amount) == stated.price;
        let Some(line) = items.line_of(&stated, fits) else {
            findings.push(unknown("810", &stated));
            continue;
        };
        check_unit("810", &stated, line, &mut findings);
        check_price("810", &stated, agreed_price(line), line, &mut findings);
        let sum = sums.entry(items.item_of(line)).or_default();
        *sum = sum.saturating_add(stated.quantity.abs());
    }
    let shipped_each: Vec<BTreeMap<u32, GoodsOf>> = shipments
        .iter()
        .map(|shipment| goods_of(order, &items, shipment))
        .collect();
    for (item, billed) in sums {
        let shipped = shipped_each
            .iter()
            .filter_map(|goods| goods.get(&item))
            .fold(Decimal::ZERO, |sum, goods| sum.saturating_add(goods.packed));
        if billed > shipped {
            findings.push(differs(
                "invoice-more-than-shipped",
                order.line(item),
                format!(
                    "the 810 bills {billed} of the item of line {item}, of which {shipped} shipped"
                ),
            ));
        }
    }
    check_invoice_date(set, shipments, &mut findings);
    findings
}

/// The invoice's date is no earlier than the day on which goods left, by the earliest clock on earth: a zone apart is
/// no fault.
fn check_invoice_date(set: &OutboundSet, shipments: &[&Shipment], findings: &mut Vec<Finding>) {
    let dated = set
        .segments
        .iter()
        .find(|segment| segment.id == "BIG")
        .and_then(|big| date(built(big, 1)));
    for shipment in shipments {
        let left = match shipment.state {
            ShipmentState::Shipped { at } => Some((at - chrono::Duration::hours(12)).date_naive()),
            _ => None,
        };
        let early = match (dated, left) {
            (Some(dated), Some(left)) => dated < left,
            _ => true,
        };
        if early {
            findings.push(differs(
                "invoice-before-shipping",
                None,
                format!(
                    "the 810 is dated before shipment {} left, or that has not left at all",
                    shipment.id
                ),
            ));
        }
    }
}

/// Our price where the line was accepted, else the buyer's.
fn agreed_price(line: &OrderLine) -> Option<&Price> {
    line.accepted
        .as_ref()
        .map(|accepted| &accepted.stated_price)
        .or(line.price.as_ref())
}

fn unknown(document: &str, stated: &Stated<'_>) -> Finding {
    let numbers: Vec<String> = stated
        .numbers
        .iter()
        .map(|(qualifier, value)| format!("{qualifier} {value}"))
        .collect();
    differs(
        "document-item-differs",
        None,
        format!(
            "the {document} has a line {:?} with {} for PO {:?}, and the order has no such line: the item's numbers have to be those of the order",
            stated.assigned,
            numbers.join(", "),
            stated.po_number
        ),
    )
}

fn check_unit(document: &str, stated: &Stated<'_>, line: &OrderLine, findings: &mut Vec<Finding>) {
    if stated.unit != line.unit {
        findings.push(differs(
            "document-unit-differs",
            Some(line),
            format!(
                "the {document} counts line {} in {:?}, and the order in {:?}",
                line.line, stated.unit, line.unit
            ),
        ));
    }
}

fn check_price(
    document: &str,
    stated: &Stated<'_>,
    agreed: Option<&Price>,
    line: &OrderLine,
    findings: &mut Vec<Finding>,
) {
    let basis = agreed.map_or("", |price| price.basis.as_str());
    if stated.price != agreed.map(|price| price.amount) || stated.basis != basis {
        let tell = |price: Option<Decimal>| {
            price.map_or_else(|| "none".to_owned(), |price| price.to_string())
        };
        findings.push(differs(
            "document-price-differs",
            Some(line),
            format!(
                "the {document} has the price {} {} for line {}, and {} {basis} is agreed",
                tell(stated.price),
                stated.basis,
                line.line,
                tell(agreed.map(|price| price.amount))
            ),
        ));
    }
}

/// The case pack, where both order and notice tell one: partners compare them.
fn check_pack(stated: &Stated<'_>, line: &OrderLine, findings: &mut Vec<Finding>) {
    if let (Some(told), Some(ordered)) = (stated.pack.and_then(decimal), line.pack)
        && told != ordered
    {
        findings.push(differs(
            "ship-notice-pack-differs",
            Some(line),
            format!("the 856 tells of packs of {told} for line {}, and the order asked for packs of {ordered}", line.line),
        ));
    }
}
