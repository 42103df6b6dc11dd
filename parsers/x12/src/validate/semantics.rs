//! What no single element shows: hierarchy, counts and hash totals.

use super::{Report, loop_of, ship_notice};
use crate::finding::{Finding, Rule};
use crate::limits::Limits;
use crate::schema::{Key, Schema, What};
use crate::set::{Segment, TransactionSet};
use crate::text::{counted, show};
use crate::writer::number::parse_r;
use rust_decimal::Decimal;
use std::collections::HashMap;

pub(super) fn check(
    schema: &Schema,
    set: &TransactionSet,
    placed: &[u32],
    limits: Limits,
    report: &mut Report<'_>,
) {
    match schema.code.as_str() {
        "856" => {
            let levels = hierarchy(schema, set, placed, limits, report);
            ship_notice::levels(schema, set, &levels, report);
            ship_notice::marks(schema, set, placed, report);
            ship_notice_totals(schema, set, placed, report);
        }
        "850" | "855" => totals(schema, set, placed, "PO1", 2, report),
        "860" | "865" => totals(schema, set, placed, "POC", 3, report),
        "810" => totals(schema, set, placed, "IT1", 2, report),
        "846" => _ = line_count(schema, set, placed, "LIN", report),
        "940" => units(schema, set, placed, ("W76", 1), ("W01", 1), report),
        "945" => units(schema, set, placed, ("W03", 1), ("W12", 3), report),
        _ => {}
    }
}

pub(super) fn at_element(
    schema: &Schema,
    rule: Rule,
    segment: Segment<'_>,
    node: u32,
    element: u16,
    text: String,
    report: &Report<'_>,
) -> Finding {
    let offset = segment.element_offset(usize::from(element));
    let place = schema
        .definition(node)
        .and_then(|definition| definition.uses.get(usize::from(element) - 1));
    let data_element = place.and_then(|place| match place.what {
        What::Element(at) => schema.dictionary.elements.get(usize::from(at)),
        What::Composite(_) => None,
    });
    Finding {
        element: Some(element),
        data_element: data_element.map(|element| element.number),
        offset,
        ..report.segment(rule, segment, loop_of(schema, node), text)
    }
    .with_value(segment.element(usize::from(element)))
}

/// A level of a hierarchy: an HL segment, and where it hangs.
pub(super) struct Level<'s> {
    /// The HL.
    pub segment: Segment<'s>,
    /// Its place in the schema.
    pub node: u32,
    /// Which of the levels is above it; none: the uppermost, or one that no earlier HL has the number of.
    pub above: Option<usize>,
    depth: usize,
    children: u32,
}

/// The levels of a set by HL01. Nearly every sender numbers them 1, 2, 3: such a number says itself where its level is.
#[derive(Default)]
struct Numbers<'s> {
    /// HL01 of each level in turn; nothing for one without a number, or with that of an earlier one.
    in_turn: Vec<&'s str>,
    others: HashMap<&'s str, usize>,
}

impl<'s> Numbers<'s> {
    fn find(&self, number: &str) -> Option<usize> {
        if number.is_empty() {
            return None;
        }
        let at = turn_of(number).filter(|at| self.in_turn.get(*at) == Some(&number));
        at.or_else(|| self.others.get(number).copied())
    }

    fn add(&mut self, number: &'s str) {
        let at = self.in_turn.len();
        self.in_turn.push(number);
        if !number.is_empty() && turn_of(number) != Some(at) {
            self.others.insert(number, at);
        }
    }
}

/// Where a level stands that is numbered by its turn, from 0.
fn turn_of(number: &str) -> Option<usize> {
    // More levels than that fit in no set; and a sign, which `parse` takes, is no number of a level.
    let is_number = number.len() <= 9 && number.bytes().all(|byte| byte.is_ascii_digit());
    number
        .parse::<usize>()
        .ok()
        .filter(|_| is_number)?
        .checked_sub(1)
}

/// Rule 64: HL01 unique, HL02 an earlier HL, HL04 truthful. The levels in their order.
fn hierarchy<'s>(
    schema: &Schema,
    set: &'s TransactionSet,
    placed: &[u32],
    limits: Limits,
    report: &mut Report<'_>,
) -> Vec<Level<'s>> {
    let mut levels: Vec<Level<'s>> = Vec::new();
    let mut numbers = Numbers::default();
    let key = Key::of(b"HL");
    for (segment, node) in set
        .segments()
        .zip(placed)
        .filter(|(segment, _)| segment.key() == key)
    {
        let (id, parent) = (segment.element(1), segment.element(2));
        let mut fault = |rule, element, text| {
            report.add(at_element(
                schema, rule, segment, *node, element, text, report,
            ));
        };
        let mut depth = 1;
        let above = numbers.find(parent);
        if parent.is_empty() {
            if !levels.is_empty() && segment.element(3) != "S" {
                let text = format!(
                    "HL02 is empty, but only a shipment level may stand without a parent; {} needs the number of the HL above it.",
                    show(segment.element(3))
                );
                fault(Rule::HierarchyParentUnknown, 2, text);
            }
        } else if let Some(above) = above.and_then(|above| levels.get_mut(above)) {
            above.children += 1;
            depth = above.depth + 1;
            if depth == limits.depth + 1 {
                let text = format!(
                    "The hierarchy is deeper than {} levels, which is the limit set here; what lies below was not judged. Raise the limit where a partner nests deeper.",
                    limits.depth
                );
                fault(Rule::HierarchyParentUnknown, 2, text);
            }
        } else {
            let text = format!(
                "HL02 is {}, but no earlier HL has that number in HL01; write the HL01 of the level that this one belongs to, or nothing where it is the uppermost.",
                show(parent)
            );
            fault(Rule::HierarchyParentUnknown, 2, text);
        }
        let is_repeated = numbers.find(id).is_some();
        if is_repeated {
            let text = format!(
                "HL01 {} was used before in this set; every level needs a number of its own.",
                show(id)
            );
            fault(Rule::HierarchyIdRepeated, 1, text);
        }
        numbers.add(if is_repeated { "" } else { id });
        levels.push(Level {
            segment,
            node: *node,
            above,
            depth,
            children: 0,
        });
    }
    // Of a level that nobody can point at nothing can be said.
    let numbered = levels.iter().zip(&numbers.in_turn);
    for (level, _) in numbered.filter(|(_, number)| !number.is_empty()) {
        let stated = level.segment.element(4);
        if !matches!((stated, level.children), ("1", 0) | ("0", 1..)) {
            continue;
        }
        let text = format!(
            "HL04 is {}, but the level has {} children.",
            show(stated),
            level.children
        );
        report.add(at_element(
            schema,
            Rule::HierarchyChildCode,
            level.segment,
            level.node,
            4,
            text,
            report,
        ));
    }
    levels
}

/// Rule 53: CTT01 counts the lines, CTT02 hashes their quantities.
fn totals(
    schema: &Schema,
    set: &TransactionSet,
    placed: &[u32],
    lines: &str,
    quantity: usize,
    report: &mut Report<'_>,
) {
    let Some((ctt, node)) = line_count(schema, set, placed, lines, report) else {
        return;
    };
    let line = Key::of(lines.as_bytes());
    let items = || set.segments().filter(move |segment| segment.key() == line);
    check_hash(
        schema,
        ctt,
        node,
        || items().map(|segment| segment.element(quantity)),
        report,
    );
}

/// CTT01 counts the segments that begin a line; gives the CTT, where there is one.
fn line_count<'s>(
    schema: &Schema,
    set: &'s TransactionSet,
    placed: &[u32],
    lines: &str,
    report: &mut Report<'_>,
) -> Option<(Segment<'s>, u32)> {
    let (ctt, node) = last(set, placed, "CTT")?;
    let line = Key::of(lines.as_bytes());
    let count = set
        .segments()
        .filter(|segment| segment.key() == line)
        .count();
    if let Some(said) = crate::reader::number_of(ctt.element(1))
        && said as usize != count
    {
        let text = format!(
            "CTT01 counts {}, but the set has {}; write {count}.",
            counted(said.into(), "line"),
            match count {
                0 => format!("no {lines} segment"),
                n => counted(n as u64, &format!("{lines} segment")),
            }
        );
        report.add(at_element(
            schema,
            Rule::CountMismatch,
            ctt,
            node,
            1,
            text,
            report,
        ));
    }
    Some((ctt, node))
}

/// The last segment with this identifier, and its place in the schema.
fn last<'s>(set: &'s TransactionSet, placed: &[u32], id: &str) -> Option<(Segment<'s>, u32)> {
    let key = Key::of(id.as_bytes());
    let (segment, node) = set
        .segments()
        .zip(placed)
        .rev()
        .find(|(segment, _)| segment.key() == key)?;
    Some((segment, *node))
}

/// The units that a total tells are those of the lines together. Where there is no line, or one tells none that can be read,
/// nothing is said.
fn units(
    schema: &Schema,
    set: &TransactionSet,
    placed: &[u32],
    (total, of_total): (&str, u16),
    (line, of_line): (&str, usize),
    report: &mut Report<'_>,
) {
    let Some((segment, node)) = last(set, placed, total) else {
        return;
    };
    let key = Key::of(line.as_bytes());
    let mut lines = set
        .segments()
        .filter(|segment| segment.key() == key)
        .peekable();
    if lines.peek().is_none() {
        return;
    }
    let sum = lines
        .map(|line| parse_r(line.element(of_line)))
        .try_fold(Decimal::ZERO, |sum, units| sum.checked_add(units?));
    let said = segment.element(usize::from(of_total));
    let (Some(sum), Some(told)) = (sum, parse_r(said)) else {
        return;
    };
    if sum != told {
        let text = format!(
            "{total}{of_total:02} tells {}, but {line}{of_line:02} of all lines comes to {sum}; write {sum}, or mend the lines.",
            show(said)
        );
        report.add(at_element(
            schema,
            Rule::CountMismatch,
            segment,
            node,
            of_total,
            text,
            report,
        ));
    }
}

/// On a ship notice CTT01 counts either the HL segments or the item lines: guides differ
/// (rule 72).
fn ship_notice_totals(
    schema: &Schema,
    set: &TransactionSet,
    placed: &[u32],
    report: &mut Report<'_>,
) {
    let Some((ctt, node)) = set
        .segments()
        .zip(placed)
        .rev()
        .find(|(segment, _)| segment.key() == Key::of(b"CTT"))
    else {
        return;
    };
    let of = |id: &str| {
        let key = Key::of(id.as_bytes());
        set.segments().filter(move |segment| segment.key() == key)
    };
    let count = |id: &str| of(id).count();
    let items = of("HL").filter(|level| level.element(3) == "I").count();
    if let Some(said) = crate::reader::number_of(ctt.element(1)).map(|n| n as usize)
        && ![count("HL"), count("LIN"), count("SN1"), items].contains(&said)
    {
        let text = format!(
            "CTT01 says {said}, but there are {} levels and {items} items.",
            count("HL")
        );
        report.add(at_element(
            schema,
            Rule::CountMismatch,
            ctt,
            *node,
            1,
            text,
            report,
        ));
    }
    check_hash(
        schema,
        ctt,
        *node,
        || of("SN1").map(|segment| segment.element(2)),
        report,
    );
}

/// CTT02 is right if it is the plain sum, or the sum of the digits without points and signs, cut
/// from the left to what the element holds.
fn check_hash<'a, I: Iterator<Item = &'a str>>(
    schema: &Schema,
    ctt: Segment<'_>,
    node: u32,
    quantities: impl Fn() -> I,
    report: &mut Report<'_>,
) {
    let said = ctt.element(2);
    if crate::element::decimal_digits(said.as_bytes()).is_none()
        || hash_total(quantities()) % 10_000_000_000 == hash_value(said)
    {
        return;
    }
    let plain = quantities()
        .filter_map(parse_r)
        .try_fold(Decimal::ZERO, |sum: Decimal, q| sum.checked_add(q));
    if plain.is_some() && plain == parse_r(said) {
        return;
    }
    let text = format!(
        "CTT02 is {}, but the quantities add up to {}.",
        show(ctt.element(2)),
        plain.map_or_else(String::new, |sum| sum.normalize().to_string())
    );
    report.add(at_element(
        schema,
        Rule::HashMismatch,
        ctt,
        node,
        2,
        text,
        report,
    ));
}

fn hash_value(text: &str) -> u128 {
    text.bytes().filter(u8::is_ascii_digit).fold(0u128, |n, b| {
        n.wrapping_mul(10).wrapping_add(u128::from(b - b'0'))
    })
}

/// The hash of rule 53: each value read as an integer without its point and sign.
pub(crate) fn hash_total<'a>(values: impl Iterator<Item = &'a str>) -> u128 {
    values.map(hash_value).fold(0, u128::wrapping_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_053_hash_ignores_points_and_signs() {
        let total = hash_total(["-.0018", ".18", "1.8", "18.01"].into_iter());
        assert_eq!((total, total % 1000), (1855, 855));
    }

    #[test]
    fn rule_064_levels_are_found_by_their_numbers_whatever_these_are() {
        // As they stand in HL01, some twice, some none, some out of turn.
        for stated in [
            &["1", "2", "3"][..],
            &["3", "1", "2", "3"],
            &["01", "1", "02", "2", ""],
            &["A", "+2", "2", "1", "1", "A", "0"],
            &["", "", "3", "1000000000000", "4294967297"],
        ] {
            let mut numbers = Numbers::default();
            let mut plain: HashMap<&str, usize> = HashMap::new();
            for (at, number) in stated.iter().copied().enumerate() {
                for asked in stated.iter().chain(&["5", "00"]) {
                    assert_eq!(numbers.find(asked), plain.get(asked).copied(), "{asked}");
                }
                let is_new = !number.is_empty() && !plain.contains_key(number);
                numbers.add(if is_new { number } else { "" });
                if is_new {
                    plain.insert(number, at);
                }
            }
        }
    }
}
