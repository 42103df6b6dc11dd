//! What is answered: 997, 999 and TA1, each from a verdict and nothing else.

mod functional;
mod implementation;
mod interchange;

pub use functional::build_997;
pub use implementation::build_999;
pub use interchange::build_ta1;

use crate::delimiters::Delimiters;
use crate::finding::{AckPlace, Finding, Level, Severity};
use crate::schema::Release;
use crate::verdict::SetVerdict;
use serde::{Deserialize, Serialize};

/// How a partner wants to be acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AckOptions {
    /// The release of the acknowledgment; from 005010 on AK1 and AK2 name versions.
    pub release: Release,
    /// AK2 loops for accepted sets too (rule 33; default yes).
    pub accepted_sets: bool,
    /// AK303 for every loop, not only for those bounded by LS and LE (default no).
    pub loop_ids: bool,
    /// AK502 when ST02 repeats: `23`, or `7` for partners who do not know it (rule 28).
    pub repeated_set_number: String,
    /// The separators of the acknowledgment: a bad value that holds one is not repeated in AK404.
    pub delimiters: Delimiters,
}

impl Default for AckOptions {
    fn default() -> Self {
        AckOptions {
            release: Release::R004010,
            accepted_sets: true,
            loop_ids: false,
            repeated_set_number: "23".to_owned(),
            delimiters: Delimiters::default(),
        }
    }
}

/// AK4 loops that one AK3 may carry.
const ELEMENTS_PER_SEGMENT: usize = 99;

/// Findings of one segment that share an AK3 or IK3.
struct SegmentNote<'a> {
    id: &'a str,
    index: u32,
    loop_id: Option<&'a str>,
    code: &'a str,
    elements: Vec<&'a Finding>,
}

/// Whether the acknowledgment speaks of the finding at all.
fn speaks_of(finding: &Finding) -> bool {
    matches!(finding.severity, Severity::Reject | Severity::Tolerate)
}

/// The findings of a set as AK3 loops: by position, a segment's own faults before its elements'.
fn segment_notes(set: &SetVerdict) -> Vec<SegmentNote<'_>> {
    let mut findings: Vec<&Finding> = set
        .findings
        .iter()
        .filter(|f| {
            speaks_of(f)
                && matches!(f.level, Level::Segment | Level::Element)
                && f.segment_index.is_some()
        })
        .collect();
    findings.sort_by_key(|f| (f.segment_index, f.level == Level::Element));
    let mut notes: Vec<SegmentNote<'_>> = Vec::new();
    for finding in findings {
        let (Some(index), Some(ack)) = (finding.segment_index, finding.ack.as_ref()) else {
            continue;
        };
        let id = finding.segment.as_deref().unwrap_or_default();
        let new = |code, elements| SegmentNote {
            id,
            index,
            loop_id: finding.loop_id.as_deref(),
            code,
            elements,
        };
        match ack.place {
            AckPlace::Ak403 => match notes.last_mut() {
                Some(last) if last.index == index && last.code == "8" && last.id == id => {
                    if last.elements.len() < ELEMENTS_PER_SEGMENT {
                        last.elements.push(finding);
                    }
                }
                _ => notes.push(new("8", vec![finding])),
            },
            _ => notes.push(new(ack.code.as_str(), Vec::new())),
        }
    }
    notes
}

/// AK502 to AK506: up to five different codes, those of the set itself first.
fn set_codes(set: &SetVerdict, options: &AckOptions) -> Vec<String> {
    let mut codes: Vec<String> = Vec::new();
    let own = set
        .findings
        .iter()
        .filter(|f| speaks_of(f) && f.level == Level::Set)
        .filter_map(|f| f.ack.as_ref());
    for ack in own {
        let code = if ack.code == "23" {
            options.repeated_set_number.clone()
        } else {
            ack.code.clone()
        };
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    let inner = set
        .findings
        .iter()
        .any(|f| speaks_of(f) && matches!(f.level, Level::Segment | Level::Element));
    if inner && !codes.iter().any(|code| code == "5") {
        codes.push("5".to_owned());
    }
    // Code 5 belongs in even where five others stand before it.
    if codes.len() > 5 {
        let five = codes
            .iter()
            .position(|code| code == "5")
            .filter(|at| *at >= 5);
        codes.truncate(5);
        if five.is_some() {
            codes[4] = "5".to_owned();
        }
    }
    codes
}

/// AK404: the bad value, if it can stand in the acknowledgment (rule 27).
fn copy_of_bad_value<'a>(finding: &'a Finding, options: &AckOptions) -> Option<&'a str> {
    let value = finding.value.as_deref()?.trim_end();
    let repetition = options.delimiters.repetition;
    let sendable = value.bytes().all(|byte| {
        (b' '..0x7f).contains(&byte)
            && !options.delimiters.contains(byte)
            && Some(byte) != repetition
    });
    (!value.is_empty() && value.len() <= 99 && sendable).then_some(value)
}

/// AK401: element, component, repetition.
fn element_position(finding: &Finding) -> Vec<String> {
    let text = |n: Option<u16>| n.map(|n| n.to_string()).unwrap_or_default();
    vec![
        text(finding.element),
        text(finding.component),
        text(finding.repetition),
    ]
}
