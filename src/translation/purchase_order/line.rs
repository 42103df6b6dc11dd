//! One line of the order: PO1 and what stands below it.

use rust_decimal::Decimal;
use supercargo_x12::Segment;

use super::super::charge;
use super::super::element::decimal;
use super::super::place::{fault, trimmed};
use super::{Loop, Reading, dated, reference, stores};
use crate::domain::finding::{Finding, Severity};
use crate::domain::order::{AskedLine, ItemNumber, OrderLine, Price};

/// Where the pairs of qualifier and number begin in a PO1, and after which element none begins.
const NUMBERS: std::ops::RangeInclusive<usize> = 6..=24;

impl Reading {
    pub(super) fn take_in_line(&mut self, segment: Segment<'_>) -> bool {
        if segment.id() == "PO1" {
            self.open_line(segment);
            return true;
        }
        match (self.within, segment.id()) {
            (Loop::LineNote, "N9") => {}
            (Loop::LineParty, _) => return self.routing.take_in_party(segment),
            (Loop::LineSchedule, "SCH") => {
                self.routing.take_schedule(segment);
                return true;
            }
            (Loop::Line, _) => {}
            _ => return false,
        }
        let currency = self.header.currency;
        let Some(line) = self.lines.last_mut() else {
            return false;
        };
        let mut found = Vec::new();
        let used = match segment.id() {
            "PID" if line.description.is_empty() => {
                trimmed(segment, 5).clone_into(&mut line.description);
                !line.description.is_empty()
            }
            "PO4" if line.pack.is_none() => {
                line.pack = decimal(segment.element(1)).filter(|pack| *pack > Decimal::ZERO);
                line.pack.is_some()
            }
            "REF" | "N9" => {
                line.references.push(reference(segment));
                true
            }
            "SAC" => {
                line.charges
                    .push(charge::read(segment, currency, &mut found));
                true
            }
            "DTM" => dated(segment, &mut found).is_some_and(|(qualifier, day)| {
                match line.dates.contains_key(qualifier) {
                    true => false,
                    false => line.dates.insert(qualifier.to_owned(), day).is_none(),
                }
            }),
            "SDQ" => {
                stores::read(segment, line, &mut found);
                true
            }
            _ => false,
        };
        let number = line.line;
        self.findings
            .extend(found.into_iter().map(|finding| finding.on_line(number)));
        used
    }

    fn open_line(&mut self, segment: Segment<'_>) {
        self.close_line();
        let number = u32::try_from(self.lines.len() + 1).unwrap_or(u32::MAX);
        let mut found = Vec::new();
        let line = read(segment, number, &mut found);
        self.lines.push(line);
        self.findings
            .extend(found.into_iter().map(|finding| finding.on_line(number)));
    }
}

/// PO1. What can not be read is left empty or zero, with a finding.
fn read(segment: Segment<'_>, number: u32, found: &mut Vec<Finding>) -> OrderLine {
    let ordered = decimal(segment.element(2)).unwrap_or_else(|| {
        found.push(fault(
            segment,
            2,
            "quantity-unreadable",
            Severity::Hold,
            "the line has no quantity (PO102) that can be read: ask the buyer how much is wanted, and correct the document",
        ));
        Decimal::ZERO
    });
    let asked = AskedLine {
        buyer_line: trimmed(segment, 1).to_owned(),
        ordered,
        unit: trimmed(segment, 3).to_owned(),
        price: price(segment, found),
        numbers: numbers(segment),
        description: String::new(),
        pack: None,
        stores: Vec::new(),
        dates: std::collections::BTreeMap::new(),
        references: Vec::new(),
        segment_index: segment.index(),
        byte: segment.offset(),
    };
    OrderLine::undecided_on(number, asked)
}

/// PO104 and PO105. No charge (NC) is a price of zero, and its basis stays as its reason; no PO104 leaves it to the price list (X12-RULES 52).
fn price(segment: Segment<'_>, found: &mut Vec<Finding>) -> Option<Price> {
    let basis = trimmed(segment, 5);
    if basis == "NC" {
        return Some(Price {
            amount: Decimal::ZERO,
            basis: basis.to_owned(),
        });
    }
    if segment.element(4).is_empty() {
        return None;
    }
    let amount = decimal(segment.element(4));
    if amount.is_none() {
        found.push(fault(
            segment,
            4,
            "price-unreadable",
            Severity::Hold,
            "the price of the line (PO104) is no number that can be held exactly: ask the buyer for the right one, and correct the document",
        ));
    }
    amount.map(|amount| Price {
        amount,
        basis: basis.to_owned(),
    })
}

/// The pairs of qualifier and number from PO106 on.
fn numbers(segment: Segment<'_>) -> Vec<ItemNumber> {
    NUMBERS
        .step_by(2)
        .map(|n| ItemNumber {
            qualifier: trimmed(segment, n).to_owned(),
            value: trimmed(segment, n + 1).to_owned(),
        })
        .filter(|number| !number.qualifier.is_empty() && !number.value.is_empty())
        .collect()
}
