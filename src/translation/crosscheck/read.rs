//! The lines of an outbound document as the partner reads them.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashMapExt};
use rust_decimal::Decimal;
use supercargo_x12::{OutSegment, OutboundSet};

use super::super::element::decimal;
use super::super::item;
use super::super::outbound::built;
use crate::domain::order::{Order, OrderLine};

/// One line of an 855 (PO1), 856 (LIN) or 810 (IT1).
#[derive(Debug, Default)]
pub struct Stated<'a> {
    /// PO number that it stands below (856).
    pub po_number: &'a str,
    /// The line's own number, possibly empty.
    pub assigned: &'a str,
    /// Quantity, zero where none can be read.
    pub quantity: Decimal,
    /// Unit of measure.
    pub unit: &'a str,
    /// Price, none where none is told.
    pub price: Option<Decimal>,
    /// Basis of the price.
    pub basis: &'a str,
    /// Qualifier and number of the item.
    pub numbers: Vec<(&'a str, &'a str)>,
    /// PO401.
    pub pack: Option<&'a str>,
    /// Σ ACK02.
    pub answered: Option<Decimal>,
}

/// The lines of an order by what identifies their items to the buyer, which may be the same on several.
pub struct Items<'o> {
    lines: HashMap<Vec<(&'o str, &'o str)>, Vec<&'o OrderLine>>,
    /// Number of a line → that of the first line with the same numbers.
    first: BTreeMap<u32, u32>,
}

impl<'o> Items<'o> {
    /// The lines of this order.
    pub fn of(order: &'o Order) -> Self {
        let mut lines: HashMap<_, Vec<&OrderLine>> = HashMap::with_capacity(order.lines.len());
        let mut first = BTreeMap::new();
        for line in &order.lines {
            let same = lines.entry(item::numbers(line)).or_default();
            same.push(line);
            first.insert(
                line.line,
                same.first().map_or(line.line, |first| first.line),
            );
        }
        Self { lines, first }
    }

    /// The line that a document speaks of: one with the same numbers of the item, above all the one with its line number,
    /// above that the one of which `fits` holds.
    pub fn line_of(
        &self,
        stated: &Stated<'_>,
        fits: impl Fn(&OrderLine) -> bool,
    ) -> Option<&'o OrderLine> {
        let assigned = |line: &OrderLine| {
            line.buyer_line == stated.assigned
                || (line.buyer_line.is_empty() && line.line.to_string() == stated.assigned)
        };
        self.lines
            .get(stated.numbers.as_slice())?
            .iter()
            .copied()
            .min_by_key(|line| (!assigned(line), !fits(line)))
    }

    /// The number of the first line with the same numbers of the item: quantities are summed under it, so that it does
    /// not matter which of several such lines a document names.
    pub fn item_of(&self, line: &OrderLine) -> u32 {
        self.first.get(&line.line).copied().unwrap_or(line.line)
    }
}

/// The lines, each opened by a segment `opener`.
pub fn stated_lines<'a>(set: &'a OutboundSet, opener: &str) -> Vec<Stated<'a>> {
    let mut lines: Vec<Stated<'a>> = Vec::new();
    let mut po_number = "";
    let mut within = false;
    for segment in &set.segments {
        if segment.id == "PRF" {
            po_number = built(segment, 1);
        }
        if segment.id == opener {
            lines.push(open(segment, po_number));
            within = true;
            continue;
        }
        // The next level may have a pack of its own.
        within &= segment.id != "HL";
        let Some(line) = lines.last_mut().filter(|_| within) else {
            continue;
        };
        match segment.id.as_str() {
            "SN1" => {
                line.quantity = decimal(built(segment, 2)).unwrap_or_default();
                line.unit = built(segment, 3);
            }
            "PO4" => line.pack = Some(built(segment, 1)),
            "ACK" => {
                let sum = line.answered.unwrap_or_default();
                line.answered =
                    decimal(built(segment, 2)).and_then(|answered| sum.checked_add(answered));
            }
            _ => {}
        }
    }
    lines
}

fn open<'a>(segment: &'a OutSegment, po_number: &'a str) -> Stated<'a> {
    let first = if segment.id == "LIN" { 2 } else { 6 };
    let numbers = (first..=segment.elements.len())
        .step_by(2)
        .map(|n| (built(segment, n), built(segment, n + 1)))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let opened = Stated {
        po_number,
        assigned: built(segment, 1),
        numbers,
        ..Stated::default()
    };
    if segment.id == "LIN" {
        return opened;
    }
    Stated {
        quantity: decimal(built(segment, 2)).unwrap_or_default(),
        unit: built(segment, 3),
        price: decimal(built(segment, 4)),
        basis: built(segment, 5),
        ..opened
    }
}
