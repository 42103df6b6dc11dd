//! What a ship notice (856) says of its levels and marks, beyond what any hierarchy must hold to.

use super::Report;
use super::semantics::at_element;
use crate::finding::{Rule, Severity};
use crate::schema::Schema;
use crate::set::TransactionSet;
use crate::text::show;
use std::collections::{HashMap, HashSet};

/// Shipment, order, tare, pack and item in an order in which they may stand below one another
/// (rule 64), and the BSN05 that asks for it. A level may be left out, never stand above one before
/// it.
type Structure = (&'static str, &'static str);

const STRUCTURES: [Structure; 6] = [
    ("0001", "SOTPI"),
    ("0001", "STOPI"),
    ("0002", "SOTIP"),
    ("0003", "STPOI"),
    ("0003", "STOPI"),
    ("0004", "SOI"),
];
/// Some of the structures, a bit for each.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Fitting(u8);

impl Fitting {
    const NONE: Self = Self(0);
    const ALL: Self = Self((1 << STRUCTURES.len()) - 1);

    /// Those of them that a level may stand in, below the last level before it.
    fn with(self, last: Option<char>, level: Option<char>) -> Self {
        let fit = self.each().filter(|(_, (_, levels))| {
            let here = place(levels, level);
            here.is_some() && (last.is_none() || place(levels, last) < here)
        });
        Self(fit.fold(0, |fit, (bit, _)| fit | bit))
    }

    /// Those that BSN05 asks for by this code.
    fn of(stated: &str) -> Self {
        let asked = Self::ALL.each().filter(|(_, (code, _))| *code == stated);
        Self(asked.fold(0, |asked, (bit, _)| asked | bit))
    }

    /// Whether one of them is among the others.
    fn has_one_of(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// Each with its bit.
    fn each(self) -> impl Iterator<Item = (u8, &'static Structure)> {
        let bits = (0..).map(|nth| 1u8 << nth);
        bits.zip(&STRUCTURES)
            .filter(move |(bit, _)| self.0 & bit != 0)
    }
}

/// Levels that every structure may have anywhere: subpack and kit.
const ANYWHERE: [&str; 2] = ["Q", "K"];
/// Findings of one kind that are told of a set. A sender that is wrong once is so in every carton, and
/// what only holds a set must not become the flood for which it is refused.
const TOLD_MAX: usize = 100;

/// Rule 64: the first level is the shipment, and the way down to each one is that of a structure, or
/// the set is held. That it is another one than BSN05 names is noted, for partners ask for both.
pub(super) fn levels(
    schema: &Schema,
    set: &TransactionSet,
    placed: &[u32],
    report: &mut Report<'_>,
) {
    let stated = set.find("BSN").map_or("", |bsn| bsn.element(5));
    let asked = Fitting::of(stated);
    // By HL01: the last level of a structure on the way down to it, and which structures fit so far.
    let mut above: HashMap<&str, (Option<char>, Fitting)> = HashMap::new();
    let mut told = 0;
    let levels = set.segments().zip(placed);
    let levels = levels.filter(|(segment, _)| segment.id() == "HL");
    for (nth, (segment, node)) in levels.enumerate() {
        let (id, parent, level) = (segment.element(1), segment.element(2), segment.element(3));
        let known = above.get(parent).copied();
        let (last, fitting) = known.unwrap_or((None, Fitting::ALL));
        if level.is_empty() || ANYWHERE.contains(&level) {
            note_level(&mut above, id, (last, fitting));
            continue;
        }
        let letter = level.chars().next().filter(|_| level.len() == 1);
        let is_known = Fitting::ALL.with(None, letter) != Fitting::NONE;
        let fit = fitting.with(last, letter);
        let below = || last.map_or_else(String::new, |last| format!(" below {last}"));
        let fault = if !is_known {
            let text = format!(
                "HL03 is {}, which is no level of a ship notice; those are S, O, T, P, I, Q and K.",
                show(level)
            );
            Some((Severity::Hold, text))
        } else if nth == 0 && level != "S" {
            let text = format!(
                "The first HL is the shipment (S), and this one is {}; put the shipment's level above it.",
                show(level)
            );
            Some((Severity::Hold, text))
        } else if fit == Fitting::NONE {
            let text = format!(
                "HL03 is {}{}; no structure of a ship notice has that there, only {}.",
                show(level),
                below(),
                in_words(|_| true)
            );
            Some((Severity::Hold, text))
        } else if fitting.has_one_of(asked) && !fit.has_one_of(asked) {
            let text = format!(
                "HL03 is {}{}, but {stated} in BSN05 is the structure {}; correct one of them.",
                show(level),
                below(),
                in_words(|code| code == stated)
            );
            Some((Severity::Note, text))
        } else {
            None
        };
        if let Some((severity, text)) = fault.filter(|_| told < TOLD_MAX) {
            told += 1;
            let rule = Rule::HierarchyLevel;
            let finding = at_element(schema, rule, segment, *node, 3, text, report);
            report.add(finding.with_severity(severity));
        }
        let fit = if fit == Fitting::NONE { fitting } else { fit };
        let last = letter.filter(|_| is_known).or(last);
        note_level(&mut above, id, (last, fit));
    }
}

/// Remembers a level by its HL01; of two with one number the first.
fn note_level<'a>(
    above: &mut HashMap<&'a str, (Option<char>, Fitting)>,
    id: &'a str,
    level: (Option<char>, Fitting),
) {
    if !id.is_empty() {
        above.entry(id).or_insert(level);
    }
}

/// Where a structure has a level.
fn place(levels: &str, level: Option<char>) -> Option<usize> {
    levels.find(level?)
}

/// Structures as `S-O-I or S-O-T-I-P`.
fn in_words(is_meant: impl Fn(&str) -> bool) -> String {
    let mut said: Vec<String> = Vec::new();
    for (_, levels) in STRUCTURES.iter().filter(|(code, _)| is_meant(code)) {
        let letters: Vec<String> = levels.chars().map(String::from).collect();
        let structure = letters.join("-");
        if !said.contains(&structure) {
            said.push(structure);
        }
    }
    said.join(" or ")
}

/// Rules 66 to 68: a serial shipping container code has the form that MAN01 announces and a right
/// check digit, and stands in the set once.
pub(super) fn marks(
    schema: &Schema,
    set: &TransactionSet,
    placed: &[u32],
    report: &mut Report<'_>,
) {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut told: HashMap<Rule, usize> = HashMap::new();
    let marks = set.segments().zip(placed);
    for (segment, node) in marks.filter(|(segment, _)| segment.id() == "MAN") {
        for (qualifier, mark) in [(1u16, 2u16), (4, 5)] {
            let announced = segment.element(usize::from(qualifier));
            let value = segment.element(usize::from(mark));
            let (form, code) = match announced {
                _ if value.is_empty() => continue,
                "GM" => ("00 and the 18 digits of the code", value.strip_prefix("00")),
                "AA" => ("the 18 digits of the code alone", Some(value)),
                _ => continue,
            };
            let code = code
                .filter(|code| code.len() == 18 && code.bytes().all(|byte| byte.is_ascii_digit()));
            let (rule, text) = match code {
                None => (
                    Rule::MarkInvalid,
                    format!(
                        "MAN{mark:02} is {}, but with {} in MAN{qualifier:02} it must be {form}.",
                        show(value),
                        show(announced)
                    ),
                ),
                Some(code) if check_digit(code) != code.bytes().last() => (
                    Rule::MarkInvalid,
                    format!(
                        "The check digit of {} is wrong: the serial shipping container code would have to end in {}.",
                        show(value),
                        check_digit(code).map_or('?', char::from)
                    ),
                ),
                Some(code) if !seen.insert(code) => (
                    Rule::MarkRepeated,
                    format!(
                        "The serial shipping container code {} stands in this set already; every carton and pallet has one of its own.",
                        show(code)
                    ),
                ),
                Some(_) => continue,
            };
            let so_far = told.entry(rule).or_default();
            if *so_far < TOLD_MAX {
                *so_far += 1;
                report.add(at_element(schema, rule, segment, *node, mark, text, report));
            }
        }
    }
}

/// GS1's check digit over all digits but the last: weights 3 and 1 from the right (rule 67).
fn check_digit(digits: &str) -> Option<u8> {
    let (_, body) = digits.as_bytes().split_last()?;
    let weights = [3, 1].into_iter().cycle();
    let digits = body.iter().rev().map(|digit| u32::from(digit & 0xf));
    let sum: u32 = digits
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum();
    u8::try_from((10 - sum % 10) % 10)
        .ok()
        .map(|digit| b'0' + digit)
}

#[cfg(test)]
mod tests {
    use super::check_digit;

    #[test]
    fn rule_067_check_digits() {
        for (code, digit) in [
            ("00614141123456789", b'0'),
            ("10614141000000001", b'9'),
            ("34012345123456789", b'5'),
            ("00000000000000000", b'0'),
            ("99999999999999999", b'5'),
        ] {
            assert_eq!(check_digit(&format!("{code}x")), Some(digit), "{code}");
        }
    }
}
