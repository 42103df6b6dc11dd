//! Whether what is to be sent can be sent with a partner's separators and character set.

use super::outbound::{Laid, OutElement, OutSegment, OutboundSet};
use crate::delimiters::Delimiters;
use crate::element::{Allowed, CharacterSet};
use crate::finding::{Finding, Rule};
use crate::text::{show, show_byte};

/// Checks every value of a set against the separators and the character set it will be written
/// with; to be asked before anything takes a control number. Positions count ST as 1.
///
/// `^` and the backtick, which came with 005010, are allowed where a repetition separator is set.
pub fn check_characters(
    set: &OutboundSet,
    delimiters: &Delimiters,
    characters: CharacterSet,
) -> Vec<Finding> {
    let allowed = Allowed::new(characters, delimiters.repetition.is_some(), false);
    let plain = Plain::new(delimiters, allowed);
    findings(&set.segments, delimiters, |value| {
        if plain.has_all_of(value) {
            None
        } else {
            fault(value, delimiters, allowed)
        }
    })
}

/// The same of a set that lies here as it was written with separators that no text has: nearly every set is done with by
/// one look at each byte.
pub(crate) fn check_written(
    set: &OutboundSet,
    delimiters: &Delimiters,
    characters: CharacterSet,
    bytes: &[u8],
    laid: &Laid,
) -> Vec<Finding> {
    let allowed = Allowed::new(characters, delimiters.repetition.is_some(), false);
    match Plain::new(delimiters, allowed).is_all_of(&set.segments, delimiters, bytes, laid, 0) {
        true => Vec::new(),
        false => check_characters(set, delimiters, characters),
    }
}

/// The bytes that can be sent whatever stands around them: printable, allowed, and no separators. Nearly every value has
/// no others, and is done with by one look at each byte.
struct Plain([bool; 256]);

impl Plain {
    fn new(delimiters: &Delimiters, allowed: Allowed) -> Plain {
        let mut plain = [false; 256];
        for byte in b' '..0x7f {
            plain[usize::from(byte)] = !delimiters.contains(byte) && allowed.all(&[byte]);
        }
        Plain(plain)
    }

    fn has_all_of(&self, value: &str) -> bool {
        value.bytes().all(|byte| self.0[usize::from(byte)])
    }

    fn others_in(&self, bytes: &[u8]) -> usize {
        bytes
            .iter()
            .filter(|byte| !self.0[usize::from(**byte)])
            .count()
    }

    /// Whether nothing but these bytes stands between the separators of written segments, and nothing else is wrong with
    /// them: what is no such byte is a separator, so there are as many of the one as of the other. `after` of them follow
    /// each terminator.
    fn is_all_of(
        &self,
        segments: &[OutSegment],
        delimiters: &Delimiters,
        bytes: &[u8],
        laid: &Laid,
        after: usize,
    ) -> bool {
        let meant = laid.marks.separators + segments.len() * after;
        (delimiters.repetition.is_some() || !laid.marks.repeats)
            && segments.iter().all(|segment| is_identifier(&segment.id))
            && self.others_in(&bytes[laid.between.clone()]) == meant
    }
}

/// Only what would make other segments of the set than were meant: separators and control
/// characters, identifiers that are none, and repetitions that nothing separates.
pub(super) fn separators_in(segments: &[OutSegment], delimiters: &Delimiters) -> Vec<Finding> {
    let allowed = Allowed::new(CharacterSet::Extended, true, true);
    let plain = Plain::new(delimiters, allowed);
    findings(segments, delimiters, |value| {
        if !plain.has_all_of(value) && breaks(value, delimiters) {
            fault(value, delimiters, allowed)
        } else {
            None
        }
    })
}

/// The same of segments that lie here as they were written with these separators.
pub(super) fn separators_between(
    segments: &[OutSegment],
    delimiters: &Delimiters,
    bytes: &[u8],
    laid: &Laid,
) -> Vec<Finding> {
    let allowed = Allowed::new(CharacterSet::Extended, true, true);
    let plain = Plain::new(delimiters, allowed);
    let after = plain.others_in(delimiters.after_terminator.as_bytes());
    match plain.is_all_of(segments, delimiters, bytes, laid, after) {
        true => Vec::new(),
        false => separators_in(segments, delimiters),
    }
}

/// Whether the value, as it is written, holds a separator or a control character.
fn breaks(value: &str, delimiters: &Delimiters) -> bool {
    value.bytes().any(|byte| delimiters.contains(byte)) || value.chars().any(char::is_control)
}

fn findings(
    segments: &[OutSegment],
    delimiters: &Delimiters,
    fault: impl Fn(&str) -> Option<String>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (segment, index) in segments.iter().zip(2u32..) {
        if !is_identifier(&segment.id) {
            let text = format!(
                "{} is no segment identifier: it has two or three capitals or digits, a capital first. Correct the guide that names it.",
                show(&segment.id)
            );
            findings.push(
                Finding::new(Rule::SegmentUnrecognized, 0, 1, text).in_segment(&segment.id, index),
            );
        }
        for (element, n) in segment.elements.iter().zip(1u16..) {
            let mut push = |text: String, value: &str, component: Option<u16>| {
                let finding = Finding::new(Rule::InvalidCharacter, 0, 1, text)
                    .in_segment(&segment.id, index)
                    .with_value(value);
                findings.push(Finding {
                    element: Some(n),
                    component,
                    ..finding
                });
            };
            if element.repeats() && delimiters.repetition.is_none() {
                push(
                    format!(
                        "{}{n:02} repeats, but this partner's files have no separator for repetitions; set one, or send one value.",
                        segment.id
                    ),
                    element_text(segment, n),
                    None,
                );
            }
            for_values(element, &mut |value, component| {
                if let Some(text) = fault(value) {
                    push(text, value, component);
                }
            });
        }
    }
    findings
}

fn element_text(segment: &OutSegment, n: u16) -> &str {
    segment.element(usize::from(n))
}

/// What is wrong with one value, as a sentence.
fn fault(value: &str, delimiters: &Delimiters, allowed: Allowed) -> Option<String> {
    if let Some(byte) = value.bytes().find(|byte| delimiters.contains(*byte)) {
        return Some(format!(
            "{} holds {}, which separates in this partner's files; take it out of the data or choose other delimiters.",
            show(value),
            show_byte(byte)
        ));
    }
    let refused = value
        .chars()
        .find(|c| c.is_control())
        .or_else(|| allowed.first_refused(value))?;
    let what = match refused {
        c if c.is_control() => format!("the control character U+{:04X}", u32::from(c)),
        c => format!("the character {c:?}"),
    };
    Some(format!(
        "{} holds {what}, which may not be sent; replace it.",
        show(value)
    ))
}

/// Two or three capitals or digits, a capital first.
fn is_identifier(id: &str) -> bool {
    matches!(id.len(), 2 | 3)
        && id.as_bytes()[0].is_ascii_uppercase()
        && id
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// Calls for each value and, in composites, its component from 1.
fn for_values(element: &OutElement, each: &mut impl FnMut(&str, Option<u16>)) {
    match element {
        OutElement::Simple(value) => each(value, None),
        OutElement::Composite(values) => values
            .iter()
            .zip(1u16..)
            .for_each(|(value, k)| each(value, Some(k))),
        OutElement::Repeated(elements) => elements
            .iter()
            .for_each(|element| for_values(element, each)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writer::{Text, seg};
    use proptest::prelude::*;

    #[test]
    fn rule_021_what_cannot_be_sent_is_found_with_its_place() {
        let set = OutboundSet::new("855")
            .with(seg("MSG").el("fine"))
            .with(seg("N1").el("ST").el("A*B").comp(["x", "tab\there"]))
            .with(seg("N3").el("Köln"));
        let found: Vec<_> = check_characters(&set, &Delimiters::default(), CharacterSet::Extended)
            .into_iter()
            .map(|f| (f.segment_index, f.element, f.component, f.rule))
            .collect();
        let bad = Rule::InvalidCharacter;
        assert_eq!(
            found,
            [
                (Some(3), Some(2), None, bad),
                (Some(3), Some(3), Some(2), bad),
                (Some(4), Some(1), None, bad)
            ]
        );
        assert_eq!(
            check_characters(
                &OutboundSet::new("855").with(seg("MSG").el("fine")),
                &Delimiters::default(),
                CharacterSet::Basic
            )
            .len(),
            1
        );
        let odd = OutboundSet::new("855").with(seg("n1").el("ST"));
        assert_eq!(
            check_characters(&odd, &Delimiters::default(), CharacterSet::Extended)[0].rule,
            Rule::SegmentUnrecognized
        );
    }

    #[test]
    fn only_what_would_change_the_segments_stops_the_writer() {
        let places = |set: &OutboundSet| {
            separators_in(&set.segments, &Delimiters::default())
                .iter()
                .map(|f| f.segment_index)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            places(
                &OutboundSet::new("855")
                    .with(seg("N3").el("Köln"))
                    .with(seg("N4").el("A~B"))
            ),
            [Some(3)]
        );
        // Beyond what a finding quotes of a value.
        assert_eq!(
            places(&OutboundSet::new("855").with(seg("MSG").el(format!("{}~", "A".repeat(200))))),
            [Some(2)]
        );
        assert_eq!(
            places(&OutboundSet::new("855").with(seg("MSG").el("a\u{85}b"))),
            [Some(2)]
        );
        // The second byte of Å is the terminator of this partner.
        let high = Delimiters {
            terminator: 0x85,
            ..Delimiters::default()
        };
        assert_eq!(separators_in(&[seg("N3").el("Å")], &high).len(), 1);
    }

    /// Values of every kind, mostly those that can be sent.
    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            6 => "[A-Z0-9 .-]{0,8}",
            1 => "[*~>^|]{1,2}",
            1 => "[\\x1c-\\x1f\\n\u{e4}\u{85}a`]{1,2}",
        ]
    }

    fn element() -> impl Strategy<Value = OutElement> {
        let simple = value().prop_map(|value| OutElement::Simple(value.into()));
        let composite = proptest::collection::vec(value(), 0..3)
            .prop_map(|values| OutElement::Composite(values.into_iter().map(Into::into).collect()));
        let one = prop_oneof![8 => simple, 1 => composite];
        let repeated = proptest::collection::vec(one.clone(), 0..3).prop_map(OutElement::Repeated);
        let nothing = Just(OutElement::Repeated(vec![
            OutElement::Simple(Text::default());
            2
        ]));
        prop_oneof![18 => one, 2 => repeated, 1 => nothing]
    }

    fn set() -> impl Strategy<Value = OutboundSet> {
        let id = prop_oneof![9 => "[A-Z][A-Z0-9]{1,2}", 1 => "[a-z]{1,2}"];
        let segment = (id, proptest::collection::vec(element(), 1..5));
        proptest::collection::vec(segment, 0..4).prop_map(|segments| {
            let mut set = OutboundSet::new("855");
            for (id, elements) in segments {
                set.push(OutSegment {
                    id: id.into(),
                    elements,
                });
            }
            set
        })
    }

    proptest! {
        #[test]
        fn what_was_written_is_judged_as_what_is_to_be(
            set in set(),
            (element, terminator) in prop_oneof![Just((b'*', b'~')), Just((b'|', 0x85)), Just((0x1d, b'\n'))],
            repetition in prop_oneof![Just(None), Just(Some(b'^'))],
            after in prop_oneof![Just(""), Just("\r\n"), Just(" "), Just("~A")],
        ) {
            let delimiters = Delimiters {
                element,
                terminator,
                repetition,
                after_terminator: crate::AfterTerminator::new(after.as_bytes()),
                ..Delimiters::default()
            };
            let mut bytes = Vec::new();
            let laid = set.write("0001", &delimiters, &mut bytes);
            prop_assert_eq!(
                separators_between(&set.segments, &delimiters, &bytes, &laid),
                separators_in(&set.segments, &delimiters)
            );
            for (release, characters) in [
                (crate::Release::R004010, CharacterSet::Basic),
                (crate::Release::R005010, CharacterSet::Extended),
            ] {
                let (_, found) = crate::writer::as_read(&set, release, |bytes, laid| {
                    check_written(&set, &delimiters, characters, bytes, laid)
                });
                prop_assert_eq!(found, check_characters(&set, &delimiters, characters));
            }
        }
    }
}
