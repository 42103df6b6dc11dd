//! Acknowledgments: what we answer to what we receive, and what we expect for what we send.

use serde::{Deserialize, Serialize};
use supercargo_x12::Rule;

/// 997, 999 and TA1, both ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Acknowledgment {
    /// What we answer each functional group with.
    pub send: AcknowledgmentKind,
    /// Name accepted sets one by one (AK2 or IK2); rejected ones always are.
    pub list_accepted_sets: bool,
    /// When a TA1 is sent.
    pub ta1: Ta1,
    /// Name the loop of every faulty segment (AK303), not only of those bounded by LS and LE.
    pub loop_ids: bool,
    /// Rules of the standard that this partner may break: the set is accepted with errors (AK501 E), and acted on.
    /// Names such as `element-too-long`; `docs/cli.md` lists them.
    pub tolerate: Vec<Rule>,
    /// Code for a set number used twice in a group (AK502).
    pub duplicate_set_code: DuplicateSetCode,
    /// Code for a group number used twice (AK905); empty: 6 before release 005010 and 19 from it on.
    pub duplicate_group_code: String,
    /// Position that AK302 gives for a segment that is missing.
    pub missing_segment: MissingSegment,
    /// Whether a 999 names faults against the partner's guide; a set that has no other is then accepted with errors.
    pub name_guide_faults: bool,
    /// ST03 of the 999; empty: none.
    pub implementation: String,
    /// Release of our acknowledgments; empty: that of the envelope.
    pub release: String,
    /// What a fault leads to that only the partner's guide (`[guide]`) calls one.
    pub guide_fault: GuideFault,
    /// Whether the partner acknowledges what we send.
    pub expect: bool,
    /// Hours within which it does; afterwards ops are alerted.
    pub expect_within_hours: u32,
    /// Sets of ours that the partner answers with an application advice (824) too: their `application` waits for one.
    /// An 824 about any other is taken all the same.
    pub expect_advice: Vec<String>,
}

impl Default for Acknowledgment {
    fn default() -> Self {
        Self {
            send: AcknowledgmentKind::FunctionalAcknowledgment,
            list_accepted_sets: true,
            ta1: Ta1::OnRequest,
            loop_ids: false,
            tolerate: Vec::new(),
            duplicate_set_code: DuplicateSetCode::NotUnique,
            duplicate_group_code: String::new(),
            missing_segment: MissingSegment::WhereExpected,
            name_guide_faults: true,
            implementation: String::new(),
            release: String::new(),
            guide_fault: GuideFault::Hold,
            expect: true,
            expect_within_hours: 24,
            expect_advice: Vec::new(),
        }
    }
}

/// What a functional group is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum AcknowledgmentKind {
    /// 997.
    #[default]
    #[serde(rename = "997")]
    FunctionalAcknowledgment,
    /// 999, from release 005010.
    #[serde(rename = "999")]
    ImplementationAcknowledgment,
    /// Nothing.
    #[serde(rename = "none")]
    None,
}

impl AcknowledgmentKind {
    /// The set's number, none where nothing is sent.
    pub fn set(self) -> Option<&'static str> {
        match self {
            Self::FunctionalAcknowledgment => Some("997"),
            Self::ImplementationAcknowledgment => Some("999"),
            Self::None => None,
        }
    }
}

/// When a TA1 is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ta1 {
    /// Where ISA14 asks for one, and for an interchange that is refused as a whole.
    #[default]
    OnRequest,
    /// The same, and for every envelope with a fault, also where it is taken all the same.
    OnError,
    /// Never, even where asked for.
    Never,
}

/// AK502 for a set number that was used twice in its group; partners read it differently (X12-RULES 28).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum DuplicateSetCode {
    /// 23: number not unique in the group.
    #[default]
    #[serde(rename = "23")]
    NotUnique,
    /// 7: number missing or invalid.
    #[serde(rename = "7")]
    Invalid,
}

impl DuplicateSetCode {
    /// The code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotUnique => "23",
            Self::Invalid => "7",
        }
    }
}

/// What a fault against the partner's guide, but not against the standard, leads to (X12-RULES 35).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuideFault {
    /// The set is accepted in the 997 and waits for a person.
    #[default]
    Hold,
    /// The set is rejected in the 997 or 999.
    Reject,
    /// It is noted and the set goes on.
    Note,
}

/// AK302 of a segment that is missing; partners read it differently (X12-RULES 26).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingSegment {
    /// Where it was expected: one after the last good segment.
    #[default]
    WhereExpected,
    /// That of the last good segment.
    LastGood,
}
