//! A partner's guide: what it demands beyond the standard, and where it lets more pass.
//!
//! Its findings are marked as the guide's: they hold a set, they never reject it.

use crate::set::Segment;
use serde::{Deserialize, Serialize};

/// The guide of one partner for one transaction set, as a profile writes it.
///
/// ```toml
/// [[segment]]
/// at = "REF[DP]"            # the REF whose first element is DP, in the heading or anywhere
/// presence = "required"
/// say = "Every order names its department."
///
/// [[element]]
/// at = "PO1/PO103"          # element 3 of PO1, in the loop that PO1 begins
/// codes = ["EA", "CA"]
///
/// [[condition]]
/// when = "BEG02"
/// is = ["DS"]
/// then = "N1[ST]04"
/// presence = "required"
/// ```
///
/// What a partner does not use at all may stand in a list instead, `unused = ["CUR", "BEG06", "PO1/PO104"]`: each of these
/// segments and elements is forbidden, as a rule of its own says it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct Overlay {
    /// Judge this set by that release where GS08 names one without schemas; without it the group is
    /// refused (AK905 2). It is said for this set alone: groups of other sets need a guide of theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judge_as: Option<crate::Release>,
    /// Letters above ASCII (Latin-1 or UTF-8) are let through.
    pub foreign_letters: bool,
    /// Rules of whole segments and loops.
    pub segment: Vec<SegmentRule>,
    /// Rules of single elements.
    pub element: Vec<ElementRule>,
    /// Rules between elements.
    pub condition: Vec<ConditionRule>,
}

/// An overlay as it is written.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    judge_as: Option<crate::Release>,
    foreign_letters: bool,
    unused: Vec<String>,
    segment: Vec<SegmentRule>,
    element: Vec<ElementRule>,
    condition: Vec<ConditionRule>,
}

impl From<Written> for Overlay {
    fn from(written: Written) -> Overlay {
        let mut overlay = Overlay {
            judge_as: written.judge_as,
            foreign_letters: written.foreign_letters,
            segment: written.segment,
            element: written.element,
            condition: written.condition,
        };
        for at in written.unused {
            let presence = Some(Presence::Forbidden);
            if Path::read(&at).is_some_and(|path| path.element.is_some()) {
                overlay.element.push(ElementRule {
                    at,
                    presence,
                    ..ElementRule::default()
                });
            } else {
                overlay.segment.push(SegmentRule {
                    at,
                    presence,
                    ..SegmentRule::default()
                });
            }
        }
        overlay
    }
}

/// Whether something must or must not stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// Must be there.
    Required,
    /// Must not be there.
    Forbidden,
}

/// A rule about a segment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SegmentRule {
    /// Which one: `REF` (wherever it stands), `/REF` (outside every loop), `PO1/PID` (in the loop of
    /// PO1), `N1[ST]` or `N1[ST|BY]` (by its first element), `HL[3=S]` (by its third), `N1[ST]/N3`
    /// (in such a loop), `/N1/N3` (in the heading's N1 loop, not in that of a line).
    pub at: String,
    /// Required or forbidden. Required inside a loop means in each occurrence of the loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence: Option<Presence>,
    /// At least so often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// At most so often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// What to tell a person instead of the usual sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub say: Option<String>,
}

/// A rule about an element.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ElementRule {
    /// Which one: `BEG02`, `PO1/PO103`, `REF[DP]02`, a component of it as `REF04-2`.
    pub at: String,
    /// Required or forbidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence: Option<Presence>,
    /// At least so many characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_length: Option<usize>,
    /// At most so many characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<usize>,
    /// Only these codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codes: Option<Vec<String>>,
    /// These codes too, although the standard does not list them (rule 16).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Exactly this value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What to tell a person instead of the usual sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub say: Option<String>,
}

/// A rule between two elements: when the one is such, the other must be such.
///
/// Both in one segment: each such segment is judged by itself. Both in one loop, such as `PO1/PO103`
/// and `PO1/PO4`: each occurrence of the loop is. Otherwise the whole set is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConditionRule {
    /// The element that decides, such as `BEG02`.
    pub when: String,
    /// Its values; without any, that it is present at all.
    pub is: Vec<String>,
    /// Or: present, and none of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub is_not: Vec<String>,
    /// The element or segment that must follow: `N1[ST]04`, or within the same segment `ITD03`.
    pub then: String,
    /// Required or forbidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence: Option<Presence>,
    /// Only these codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codes: Option<Vec<String>>,
    /// What to tell a person instead of the usual sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub say: Option<String>,
}

/// A place in a set, read from its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    /// The first step stands outside every loop, and each further one directly in the loop before it.
    pub rooted: bool,
    /// Loops from the outside, then the segment.
    pub steps: Vec<Step>,
    /// Element and component, from 1.
    pub element: Option<(u16, Option<u16>)>,
}

/// A segment identifier with an optional value of one of its elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub id: String,
    pub qualifier: Option<Qualifier>,
}

/// The values of an element by which one segment is told from others of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Qualifier {
    /// Position in the segment, from 1.
    pub element: u16,
    /// Any of these.
    pub values: Vec<String>,
}

impl Step {
    /// Whether a segment is the one that is meant.
    pub fn fits(&self, segment: Segment<'_>) -> bool {
        segment.id() == self.id
            && self.qualifier.as_ref().is_none_or(|qualifier| {
                let value = segment.element(usize::from(qualifier.element)).trim_end();
                qualifier.values.iter().any(|wanted| wanted == value)
            })
    }
}

impl Path {
    /// Reads `PO1/N1[ST]04-2`.
    pub fn read(text: &str) -> Option<Path> {
        let (rooted, text) = match text.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut parts: Vec<&str> = parts(text);
        let last = parts.pop()?;
        let mut steps: Vec<Step> = parts
            .into_iter()
            .map(|part| {
                // A loop is named by its segment alone: `PO103/…` is no place.
                step(part)
                    .filter(|(_, rest)| rest.is_empty())
                    .map(|(step, _)| step)
            })
            .collect::<Option<_>>()?;
        let (last, rest) = step(last)?;
        steps.push(last);
        let element = match rest {
            "" => None,
            rest => {
                let (element, component) = rest
                    .split_once('-')
                    .map_or((rest, None), |(e, c)| (e, Some(c)));
                Some((
                    position(element).filter(|_| element.len() == 2)?,
                    match component {
                        Some(component) => Some(position(component)?),
                        None => None,
                    },
                ))
            }
        };
        Some(Path {
            rooted,
            steps,
            element,
        })
    }

    /// The loops around the segment.
    pub fn loops(&self) -> &[Step] {
        &self.steps[..self.steps.len() - 1]
    }

    pub fn segment(&self) -> &Step {
        &self.steps[self.steps.len() - 1]
    }
}

/// The steps of a path; a slash in brackets belongs to the value there.
fn parts(text: &str) -> Vec<&str> {
    let mut in_brackets = false;
    text.split(move |letter| {
        match letter {
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            _ => {}
        }
        letter == '/' && !in_brackets
    })
    .collect()
}

/// A number from 1 on.
fn position(text: &str) -> Option<u16> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse::<u16>().ok())
        .flatten()
        .filter(|n| *n > 0)
}

/// `ST`, `ST|BY`, `3=S`.
fn qualifier(text: &str) -> Option<Qualifier> {
    let (element, values) = match text.split_once('=') {
        Some((element, values)) => (position(element)?, values),
        None => (1, text),
    };
    let values: Vec<String> = values.split('|').map(str::to_owned).collect();
    (!values.iter().any(String::is_empty)).then_some(Qualifier { element, values })
}

/// An identifier, a qualifier in brackets, and the digits that remain.
fn step(text: &str) -> Option<(Step, &str)> {
    // `PO103` is element 3 of PO1, `REF02` element 2 of REF, `N104` element 4 of N1: the last two
    // digits are the element, if enough stands before them.
    let (head, qualifier, rest) = match text.split_once('[') {
        Some((id, rest)) => {
            let (inner, rest) = rest.split_once(']')?;
            (id, Some(qualifier(inner)?), rest)
        }
        None => {
            let stem = text.split_once('-').map_or(text, |(stem, _)| stem);
            let at = match stem.len() {
                4.. if stem.is_char_boundary(stem.len() - 2)
                    && stem[stem.len() - 2..].bytes().all(|b| b.is_ascii_digit()) =>
                {
                    stem.len() - 2
                }
                len => len,
            };
            (&text[..at], None, &text[at..])
        }
    };
    let sound = matches!(head.len(), 2 | 3)
        && head
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    sound.then(|| {
        (
            Step {
                id: head.to_owned(),
                qualifier,
            },
            rest,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        let path = Path::read("PO1/N1[ST]04-2").unwrap();
        assert_eq!(
            (
                path.steps.len(),
                path.segment().id.as_str(),
                path.segment().qualifier.clone(),
                path.element
            ),
            (
                2,
                "N1",
                Some(Qualifier {
                    element: 1,
                    values: vec!["ST".into()]
                }),
                Some((4, Some(2)))
            )
        );
        let by = |text: &str| Path::read(text).unwrap().steps[0].qualifier.clone();
        assert_eq!(
            by("/HL[3=S]/TD5"),
            Some(Qualifier {
                element: 3,
                values: vec!["S".into()]
            })
        );
        assert_eq!(
            by("N1[ST|A/B]").unwrap().values,
            ["ST".to_owned(), "A/B".to_owned()]
        );
        for (text, id, element) in [
            ("PO103", "PO1", Some((3, None))),
            ("N104", "N1", Some((4, None))),
            ("REF", "REF", None),
            ("PO1", "PO1", None),
            ("REF02", "REF", Some((2, None))),
            ("REF04-2", "REF", Some((4, Some(2)))),
            ("/REF[DP]", "REF", None),
        ] {
            let path = Path::read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                (path.segment().id.as_str(), path.element),
                (id, element),
                "{text}"
            );
        }
        for bad in [
            "",
            "ref",
            "REFX",
            "N1[ST",
            "PO1//PID",
            "REF00",
            "N1[]",
            "N1[0=A]",
            "N1[A|]",
            "PO103/PID",
        ] {
            assert_eq!(Path::read(bad), None, "{bad}");
        }
    }
}
