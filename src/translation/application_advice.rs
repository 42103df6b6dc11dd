//! The application advice (824): what the partner's business says of a document that its 997 took (X12-RULES 97).

use supercargo_x12::{Segment, TransactionSet};

use super::place::{self, fault, trimmed};
use crate::domain::document::Application;
use crate::domain::finding::{Finding, Origin, Place, Severity};

/// What an 824 says of one document of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdviceAnswer {
    /// OTI02: which kind of number `reference` is, SI shipment, IV invoice, PO purchase order …
    pub qualifier: String,
    /// OTI03.
    pub reference: String,
    /// OTI08: control number of our group, empty where not given.
    pub gs06: String,
    /// OTI09: control number of our set, empty where not given.
    pub st02: String,
    /// OTI10: which set, empty where not given.
    pub set: String,
    /// OTI01.
    pub application: Application,
    /// TED and NTE in words.
    pub complaints: Vec<Finding>,
}

/// Reads an 824 whose syntax was accepted.
///
/// # Errors
/// It speaks of no document (OTI), or its verdict (OTI01) is none that is known.
pub fn read(set: &TransactionSet) -> Result<Vec<AdviceAnswer>, Vec<Finding>> {
    let mut answers: Vec<AdviceAnswer> = Vec::new();
    let mut findings = Vec::new();
    for segment in set.segments() {
        match (segment.id(), answers.last_mut()) {
            ("OTI", _) => match answer(segment) {
                Ok(answer) => answers.push(answer),
                Err(finding) => findings.push(*finding),
            },
            ("TED", Some(answer)) => {
                let complaint = complaint(segment, answer.application);
                answer.complaints.push(complaint);
            }
            ("NTE", Some(answer)) => note(answer, segment),
            _ => {}
        }
    }
    if answers.is_empty() && findings.is_empty() {
        findings.push(Finding::business(
            "advice-of-nothing",
            Severity::Hold,
            "the advice speaks of no document (OTI): read it, settle it with the partner, then dismiss it",
        ));
    }
    if findings.is_empty() {
        Ok(answers)
    } else {
        Err(findings)
    }
}

fn answer(segment: Segment<'_>) -> Result<AdviceAnswer, Box<Finding>> {
    let application = verdict(trimmed(segment, 1)).ok_or_else(|| {
        Box::new(fault(
            segment,
            1,
            "advice-verdict-unknown",
            Severity::Hold,
            format!("the advice's verdict (OTI01) about {} {} is none that is known: ask the partner whether the document was taken", trimmed(segment, 2), trimmed(segment, 3)),
        ))
    })?;
    Ok(AdviceAnswer {
        qualifier: trimmed(segment, 2).to_owned(),
        reference: trimmed(segment, 3).to_owned(),
        gs06: trimmed(segment, 8).to_owned(),
        st02: trimmed(segment, 9).to_owned(),
        set: trimmed(segment, 10).to_owned(),
        application,
        complaints: Vec::new(),
    })
}

/// OTI01: what it is about (T set, G group, I item, B batch) and A accepted, C accepted with change, E accepted with
/// errors, P accepted in part, R rejected. In part means that something has to be sent again, and reads as rejected.
fn verdict(code: &str) -> Option<Application> {
    let mut letters = code.chars();
    let known = matches!(letters.next(), Some('T' | 'G' | 'I' | 'B'));
    let verdict = letters.next().filter(|_| known && letters.next().is_none());
    match verdict? {
        'A' => Some(Application::Accepted),
        'C' | 'E' => Some(Application::AcceptedWithChange),
        'P' | 'R' => Some(Application::Rejected),
        _ => None,
    }
}

/// TED: code, free text, and where in our document.
fn complaint(segment: Segment<'_>, application: Application) -> Finding {
    let code = trimmed(segment, 1);
    let text = trimmed(segment, 2);
    let met = trimmed(segment, 7);
    let mut message = format!("the partner says: {}", words(code));
    if !text.is_empty() {
        message = format!("{message}: {text}");
    }
    message = format!(
        "{message} (TED01 {code}); correct it, or settle it with the partner, and send the document again where it was rejected"
    );
    let severity = match application {
        Application::Rejected => Severity::Reject,
        _ => Severity::Note,
    };
    let named = trimmed(segment, 3);
    let finding = Finding::business("partner-business-error", severity, message)
        .by(Origin::Partner)
        .at(Place {
            segment: (!named.is_empty()).then(|| named.to_owned()),
            segment_index: trimmed(segment, 4).parse().ok(),
            element: trimmed(segment, 5).parse().ok(),
            ..Place::default()
        });
    if met.is_empty() {
        finding
    } else {
        finding.with_value(met)
    }
}

/// NTE after a TED adds to it; before any it is a remark of its own.
fn note(answer: &mut AdviceAnswer, segment: Segment<'_>) {
    let text = trimmed(segment, 2);
    if text.is_empty() {
        return;
    }
    match answer.complaints.last_mut() {
        Some(last) => last.message = format!("{} — {text}", last.message),
        None => answer.complaints.push(
            Finding::business(
                "partner-remark",
                Severity::Note,
                format!("the partner remarks: {text}"),
            )
            .by(Origin::Partner)
            .at(place::of(segment)),
        ),
    }
}

/// TED01.
fn words(code: &str) -> &'static str {
    match code {
        "006" => "a duplicate",
        "007" => "something is missing",
        "008" => "something is out of range",
        "009" => "a date is wrong",
        "010" => "a total is out of balance",
        "011" => "something does not match",
        "012" => "a combination is not allowed",
        "024" => "another reason, unlisted",
        "848" => "data is incorrect",
        "DUP" => "it was sent before",
        "MB" | "MF" | "MG" => "a retail rule is broken",
        "POI" => "the purchase order number is invalid",
        "QTY" => "a quantity is wrong",
        "UNP" => "a unit price is wrong",
        _ => "an error of its application",
    }
}
