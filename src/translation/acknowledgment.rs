//! What the partner's 997, 999 and TA1 say of what we sent (X12-RULES 24 to 40), each code put into words.
//!
//! The positions in an acknowledgment count in *our* document, so a complaint stands at the segment and element that a
//! person finds there.

mod words;

use supercargo_x12::{Segment, Ta1, TransactionSet};

use super::place::{fault, trimmed};
use crate::domain::document::Syntax;
use crate::domain::finding::{Finding, Origin, Place, Severity};

/// What a 997 or 999 says of one group that we sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupAnswer {
    /// AK101: functional id of our group.
    pub functional_id: String,
    /// AK102: control number of our group, as written; compare it as a number.
    pub gs06: String,
    /// AK901. Accepted sets that are not listed have this answer.
    pub syntax: Syntax,
    /// The sets that are listed (AK2).
    pub sets: Vec<SetAnswer>,
    /// AK905 to AK909 in words.
    pub complaints: Vec<Finding>,
}

/// What it says of one transaction set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAnswer {
    /// AK201, such as `856`.
    pub st01: String,
    /// AK202: control number of our set.
    pub st02: String,
    /// AK501, or the group's where the partner leaves it out.
    pub syntax: Syntax,
    /// AK3, AK4 and AK502 to AK506 in words.
    pub complaints: Vec<Finding>,
}

/// What a TA1 says of one interchange that we sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterchangeAnswer {
    /// TA101.
    pub isa13: String,
    /// TA104.
    pub syntax: Syntax,
    /// TA105 in words, where it complains.
    pub complaint: Option<Finding>,
}

/// Reads a 997.
///
/// # Errors
/// It names no group of ours or gives no verdict, so nothing of ours is settled by it.
pub fn read_997(set: &TransactionSet) -> Result<GroupAnswer, Vec<Finding>> {
    read(set, &NAMES_997)
}

/// Reads a 999, which says the same in segments of other names and may add the guide's own codes.
///
/// # Errors
/// As [`read_997`].
pub fn read_999(set: &TransactionSet) -> Result<GroupAnswer, Vec<Finding>> {
    read(set, &NAMES_999)
}

/// Reads a TA1. `E` means that the interchange was taken all the same: it must not be sent again (X12-RULES 38).
pub fn interchange_answer(ta1: &Ta1) -> InterchangeAnswer {
    let syntax = verdict(&ta1.code);
    let complaint = (ta1.note != "000" && !ta1.note.is_empty() || syntax == Some(Syntax::Rejected))
        .then(|| {
            let advice = match syntax {
                Some(Syntax::Rejected) => "correct it and send the documents again under new control numbers",
                _ => "it was taken all the same: do not send it again, but correct it for the next one",
            };
            Finding::business(
                "partner-interchange-error",
                severity(syntax.unwrap_or(Syntax::Rejected)),
                format!("the partner's TA1 says of interchange {}: {} (TA105 {}); {advice}", ta1.control_number, words::interchange(&ta1.note), ta1.note),
            )
            .by(Origin::Partner)
            .with_value(ta1.note.clone())
        });
    InterchangeAnswer {
        isa13: ta1.control_number.clone(),
        syntax: syntax.unwrap_or(Syntax::Rejected),
        complaint,
    }
}

/// How the segments that differ between 997 and 999 are called.
struct Names {
    set: &'static str,
    segment: &'static str,
    element: &'static str,
    verdict: &'static str,
}

const NAMES_997: Names = Names {
    set: "AK2",
    segment: "AK3",
    element: "AK4",
    verdict: "AK5",
};

const NAMES_999: Names = Names {
    set: "AK2",
    segment: "IK3",
    element: "IK4",
    verdict: "IK5",
};

/// A, E, P, R and the security codes M, W and X, which reject.
fn verdict(code: &str) -> Option<Syntax> {
    match code {
        "A" => Some(Syntax::Accepted),
        "E" => Some(Syntax::AcceptedWithErrors),
        "P" => Some(Syntax::PartlyAccepted),
        "R" | "M" | "W" | "X" => Some(Syntax::Rejected),
        _ => None,
    }
}

fn severity(syntax: Syntax) -> Severity {
    match syntax {
        Syntax::Rejected | Syntax::PartlyAccepted => Severity::Reject,
        _ => Severity::Note,
    }
}

fn read(set: &TransactionSet, names: &Names) -> Result<GroupAnswer, Vec<Finding>> {
    let mut findings = Vec::new();
    let group = set.find("AK1");
    let trailer = set.segments().rfind(|segment| segment.id() == "AK9");
    if group.is_none_or(|ak1| trimmed(ak1, 2).is_empty()) {
        findings.push(Finding::business(
            "acknowledgment-of-nothing",
            Severity::Hold,
            "the acknowledgment names no group of ours (AK1): ask the partner which of our documents it is about",
        ));
    }
    let syntax = trailer.and_then(|ak9| verdict(ak9.element(1)));
    if syntax.is_none() {
        let message = "the acknowledgment gives no verdict (AK901) that is known: ask the partner whether it took our documents";
        findings.push(trailer.map_or_else(
            || Finding::business("acknowledgment-without-verdict", Severity::Hold, message),
            |ak9| {
                fault(
                    ak9,
                    1,
                    "acknowledgment-without-verdict",
                    Severity::Hold,
                    message,
                )
            },
        ));
    }
    let (Some(ak1), Some(ak9), Some(syntax), true) = (group, trailer, syntax, findings.is_empty())
    else {
        return Err(findings);
    };
    Ok(GroupAnswer {
        functional_id: trimmed(ak1, 1).to_owned(),
        gs06: trimmed(ak1, 2).to_owned(),
        syntax,
        sets: sets(set, names, syntax),
        complaints: codes(ak9, 5..=9)
            .map(|code| {
                complaint(
                    "partner-group-error",
                    syntax,
                    format!(
                        "the partner says of our group: {} (AK9 {code})",
                        words::group(code)
                    ),
                    Place::default(),
                    code,
                )
            })
            .collect(),
    })
}

/// The codes in a row of elements.
fn codes(
    segment: Segment<'_>,
    elements: std::ops::RangeInclusive<usize>,
) -> impl Iterator<Item = &str> {
    elements
        .map(move |n| trimmed(segment, n))
        .filter(|code| !code.is_empty())
}

fn complaint(code: &str, syntax: Syntax, message: String, place: Place, value: &str) -> Finding {
    let finding = Finding::business(code, severity(syntax), message)
        .by(Origin::Partner)
        .at(place);
    if value.is_empty() {
        finding
    } else {
        finding.with_value(value)
    }
}

fn sets(set: &TransactionSet, names: &Names, group: Syntax) -> Vec<SetAnswer> {
    let mut answers: Vec<SetAnswer> = Vec::new();
    let mut at = Place::default();
    let mut loop_id = String::new();
    for segment in set.segments() {
        let id = segment.id();
        if id == names.set {
            // A partly accepted group says nothing of a set that has no verdict of its own.
            let syntax = if group == Syntax::PartlyAccepted {
                Syntax::Pending
            } else {
                group
            };
            answers.push(SetAnswer {
                st01: trimmed(segment, 1).to_owned(),
                st02: trimmed(segment, 2).to_owned(),
                syntax,
                complaints: Vec::new(),
            });
            continue;
        }
        let Some(answer) = answers.last_mut() else {
            continue;
        };
        if id == names.segment {
            at = place_of_segment(segment);
            trimmed(segment, 3).clone_into(&mut loop_id);
            answer
                .complaints
                .extend(segment_complaint(segment, &at, &loop_id));
        } else if id == names.element {
            answer.complaints.push(element_complaint(segment, &at));
        } else if id == "CTX" {
            add_context(answer, segment);
        } else if id == names.verdict {
            settle(answer, segment);
        }
    }
    answers
}

/// Where in our document an AK3 points.
fn place_of_segment(segment: Segment<'_>) -> Place {
    Place {
        segment: Some(trimmed(segment, 1).to_owned()),
        segment_index: trimmed(segment, 2).parse().ok(),
        ..Place::default()
    }
}

/// AK3. Code 8 only announces the AK4s that follow and is told by them.
fn segment_complaint(segment: Segment<'_>, at: &Place, loop_id: &str) -> Option<Finding> {
    let code = trimmed(segment, 4);
    if code == "8" {
        return None;
    }
    let within = if loop_id.is_empty() {
        String::new()
    } else {
        format!(" in loop {loop_id}")
    };
    Some(complaint(
        "partner-segment-error",
        Syntax::Rejected,
        format!(
            "segment {} at position {}{within}: {}{}",
            trimmed(segment, 1),
            trimmed(segment, 2),
            words::segment(code),
            coded(segment, "04", code),
        ),
        at.clone(),
        "",
    ))
}

/// The code that words were read from, nothing where the partner gave none.
fn coded(segment: Segment<'_>, element: &str, code: &str) -> String {
    if code.is_empty() {
        String::new()
    } else {
        format!(" ({}{element} {code})", segment.id())
    }
}

/// AK4: element, component, code and the value that was met.
fn element_complaint(segment: Segment<'_>, at: &Place) -> Finding {
    let number = |k: usize| segment.component(1, k).parse().ok();
    let place = Place {
        element: number(1),
        component: number(2),
        ..at.clone()
    };
    let code = trimmed(segment, 3);
    let value = trimmed(segment, 4);
    let met = if value.is_empty() {
        String::new()
    } else {
        format!(", not {value:?}")
    };
    let name = place.segment.clone().unwrap_or_default();
    let element = place.element.unwrap_or_default();
    let component = place
        .component
        .map_or_else(String::new, |component| format!(", component {component}"));
    let position = place
        .segment_index
        .map_or_else(String::new, |index| format!(" at position {index}"));
    complaint(
        "partner-element-error",
        Syntax::Rejected,
        format!(
            "{name}{element:02}{component}{position}: {}{met}{}",
            words::element(code),
            coded(segment, "03", code),
        ),
        place,
        value,
    )
}

/// CTX of a 999: what made the rule apply, added to the complaint before it.
fn add_context(answer: &mut SetAnswer, segment: Segment<'_>) {
    let situation = segment.component(1, 1);
    let text: Vec<&str> = segment
        .elements()
        .filter(|element| !element.is_empty())
        .collect();
    if let Some(last) = answer.complaints.last_mut() {
        let joined = text.join(" ");
        if !situation.is_empty() {
            last.message = format!("{}; because of {joined}", last.message);
        }
    }
}

/// AK5: the verdict and what is wrong with the set as a whole. With it the severity of the complaints is known.
fn settle(answer: &mut SetAnswer, segment: Segment<'_>) {
    if let Some(syntax) = verdict(segment.element(1)) {
        answer.syntax = syntax;
    }
    let syntax = answer.syntax;
    answer.complaints.extend(
        codes(segment, 2..=6)
            // 5 says that segments are in error, which the complaints before it have told.
            .filter(|code| *code != "5")
            .map(|code| {
                complaint(
                    "partner-set-error",
                    syntax,
                    format!(
                        "the document as a whole: {} ({} {code})",
                        words::set(code),
                        segment.id()
                    ),
                    Place::default(),
                    code,
                )
            }),
    );
    for complaint in &mut answer.complaints {
        complaint.severity = severity(syntax);
    }
}
