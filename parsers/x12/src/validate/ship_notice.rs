//! What a ship notice (856) says of its levels and marks, beyond what any hierarchy must hold to.

use super::Report;
use super::semantics::{Level, at_element};
use crate::finding::{Rule, Severity};
use crate::schema::{Key, Schema};
use crate::set::TransactionSet;
use crate::text::show;
use foldhash::HashSet;
use std::collections::HashMap;

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
/// The levels that structures are made of.
const LETTERS: [char; 5] = ['S', 'O', 'T', 'P', 'I'];

/// The structures in which a level may stand below another one, a bit for each: by the one above, the last for none,
/// and by the level itself, both as [`LETTERS`] has them.
const BELOW: [[u8; LETTERS.len()]; LETTERS.len() + 1] = below();

const fn below() -> [[u8; LETTERS.len()]; LETTERS.len() + 1] {
    let mut below = [[0; LETTERS.len()]; LETTERS.len() + 1];
    let (mut nth, mut last, mut level) = (0, 0, 0);
    while nth < STRUCTURES.len() {
        let levels = STRUCTURES[nth].1.as_bytes();
        while last < below.len() {
            while level < LETTERS.len() {
                let here = place(levels, LETTERS[level]);
                // Where nothing is above it every place will do.
                let above = match last < LETTERS.len() {
                    true => place(levels, LETTERS[last]),
                    false => levels.len(),
                };
                let is_below = last == LETTERS.len() || above == levels.len() || above < here;
                if here < levels.len() && is_below {
                    below[last][level] |= 1 << nth;
                }
                level += 1;
            }
            (last, level) = (last + 1, 0);
        }
        (nth, last) = (nth + 1, 0);
    }
    below
}

/// Where a structure has a level; behind its last where it has none.
const fn place(levels: &[u8], letter: char) -> usize {
    let mut at = 0;
    while at < levels.len() && levels[at] as char != letter {
        at += 1;
    }
    at
}

/// Which of [`LETTERS`] a level is.
fn letter_of(level: &str) -> Option<usize> {
    let mut characters = level.chars();
    let first = characters.next()?;
    let is_alone = characters.next().is_none();
    LETTERS
        .iter()
        .position(|letter| *letter == first)
        .filter(|_| is_alone)
}

/// Some of the structures, a bit for each.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Fitting(u8);

impl Fitting {
    const NONE: Self = Self(0);
    const ALL: Self = Self((1 << STRUCTURES.len()) - 1);

    /// Those of them that a level may stand in, below the last level before it.
    fn with(self, last: Option<usize>, level: Option<usize>) -> Self {
        let fit = level.map_or(0, |level| BELOW[last.unwrap_or(LETTERS.len())][level]);
        Self(self.0 & fit)
    }

    /// Those that BSN05 asks for by this code.
    fn of(stated: &str) -> Self {
        let asked = STRUCTURES.iter().zip(0u32..);
        let asked = asked.filter(|((code, _), _)| *code == stated);
        Self(asked.fold(0, |asked, (_, nth)| asked | 1 << nth))
    }

    /// Whether one of them is among the others.
    fn has_one_of(self, others: Self) -> bool {
        self.0 & others.0 != 0
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
    levels: &[Level<'_>],
    report: &mut Report<'_>,
) {
    let stated = set.find("BSN").map_or("", |bsn| bsn.element(5));
    let asked = Fitting::of(stated);
    // Of each level so far: the last level of a structure on the way down to it, and which structures fit.
    let mut ways: Vec<(Option<usize>, Fitting)> = Vec::with_capacity(levels.len());
    let mut told = 0;
    for (nth, at) in levels.iter().enumerate() {
        let level = at.segment.element(3);
        let above = at.above.and_then(|above| ways.get(above)).copied();
        let (last, fitting) = above.unwrap_or((None, Fitting::ALL));
        if level.is_empty() || ANYWHERE.contains(&level) {
            ways.push((last, fitting));
            continue;
        }
        let letter = letter_of(level);
        let fit = fitting.with(last, letter);
        let below = || {
            last.and_then(|last| LETTERS.get(last))
                .map_or_else(String::new, |last| format!(" below {last}"))
        };
        let fault = if letter.is_none() {
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
            let finding = at_element(schema, rule, at.segment, at.node, 3, text, report);
            report.add(finding.with_severity(severity));
        }
        let fit = if fit == Fitting::NONE { fitting } else { fit };
        ways.push((letter.or(last), fit));
    }
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
    let mut seen: HashSet<&str> = HashSet::default();
    let mut told: HashMap<Rule, usize> = HashMap::new();
    let key = Key::of(b"MAN");
    let marks = set.segments().zip(placed);
    for (segment, node) in marks.filter(|(segment, _)| segment.key() == key) {
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
    use super::*;

    #[test]
    fn rule_064_a_level_stands_below_those_before_it_in_its_structure() {
        for (last, above) in LETTERS.iter().map(Some).chain([None]).zip(0..) {
            for (level, here) in LETTERS.iter().zip(0..) {
                let may = |levels: &str| {
                    let place = |letter: &char| levels.find(*letter);
                    place(level).is_some() && last.is_none_or(|last| place(last) < place(level))
                };
                let fit = Fitting::ALL.with(last.map(|_| above), Some(here));
                for ((_, levels), nth) in STRUCTURES.iter().zip(0..) {
                    let fits = fit.has_one_of(Fitting(1 << nth));
                    assert_eq!(fits, may(levels), "{level} below {last:?} in {levels}");
                }
            }
        }
    }

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
