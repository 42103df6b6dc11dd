//! The findings of a set as an acknowledgment says them: one note a segment and code, the
//! elements of a segment below it, the codes of the set last.

use super::{AckOptions, MissingSegment};
use crate::element::{Allowed, CharacterSet};
use crate::finding::{AckPlace, Finding, Level, Origin, Rule, Severity};
use crate::schema::Release;
use crate::verdict::{Acceptance, GroupVerdict, SetVerdict};
use crate::writer::{OutSegment, seg};

/// Counts in AK9 have six digits at most.
const COUNT_MAX: u32 = 999_999;
/// Positions of elements and components have two digits at most.
const POSITION_MAX: u16 = 99;
/// AK4 loops that one AK3 may carry.
const ELEMENTS_MAX: usize = 99;
/// Codes that AK5 carries at most.
const SET_CODES: usize = 5;

/// Which of the two acknowledgments speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// The 997.
    Functional,
    /// The 999.
    Implementation,
}

/// What one set is answered with.
pub(super) struct SetAnswer<'a> {
    /// AK501.
    pub acceptance: Acceptance,
    /// One AK3 each.
    pub segments: Vec<SegmentNote<'a>>,
    /// AK502 to AK506.
    pub codes: Vec<String>,
}

/// One AK3 or IK3.
pub(super) struct SegmentNote<'a> {
    /// The first finding that it speaks of.
    finding: &'a Finding,
    index: u32,
    code: String,
    /// One AK4 each; there are some if and only if the code is 8.
    pub elements: Vec<ElementNote<'a>>,
}

impl<'a> SegmentNote<'a> {
    /// The note of a segment whose elements are in error, with the first of them.
    fn of_elements(index: u32, finding: &'a Finding, first: ElementNote<'a>) -> SegmentNote<'a> {
        SegmentNote {
            finding,
            index,
            code: "8".to_owned(),
            elements: vec![first],
        }
    }
}

/// One AK4 or IK4.
pub(super) struct ElementNote<'a> {
    pub finding: &'a Finding,
    code: String,
}

/// Makes notes of verdicts, as one partner wants them.
#[derive(Clone, Copy)]
pub(super) struct Speaker<'o> {
    pub dialect: Dialect,
    pub options: &'o AckOptions,
}

impl<'o> Speaker<'o> {
    /// The segments that answer one set, in their order.
    pub fn answer<'a>(&self, set: &'a SetVerdict) -> SetAnswer<'a> {
        SetAnswer {
            acceptance: self.acceptance(set),
            segments: self.segments(set),
            codes: self.set_codes(set),
        }
    }

    /// AK501: E where the acknowledgment names faults of a set that is accepted.
    pub fn acceptance(&self, set: &SetVerdict) -> Acceptance {
        match set.acceptance {
            Acceptance::Accepted if set.findings.iter().any(|finding| self.speaks_of(finding)) => {
                Acceptance::AcceptedWithErrors
            }
            other => other,
        }
    }

    /// Whether the acknowledgment speaks of the finding at all.
    fn speaks_of(&self, finding: &Finding) -> bool {
        match finding.origin {
            Origin::Standard => finding.breaks_standard(),
            Origin::Guide if finding.rejects() => true,
            Origin::Guide => {
                self.dialect == Dialect::Implementation
                    && self.options.guide_faults
                    && finding.severity == Severity::Hold
                    && guide_code(finding.rule, self.dialect).is_some()
            }
        }
    }

    /// Whether the acknowledgment is of 005010 or later.
    fn is_later(&self) -> bool {
        self.dialect == Dialect::Implementation || self.options.release >= Release::R005010
    }

    /// Where and by which code the acknowledgment names the finding.
    fn code_of(&self, finding: &Finding) -> Option<(AckPlace, String)> {
        if finding.origin == Origin::Guide {
            return guide_code(finding.rule, self.dialect)
                .map(|(place, code)| (place, code.to_owned()));
        }
        let ack = finding.ack.as_ref()?;
        let code = match (ack.place, ack.code.as_str()) {
            // Codes that came with 005010: before, all that is too many is 3.
            (AckPlace::Ak403, "12" | "13") if !self.is_later() => "3",
            (AckPlace::Ak502, _) if finding.rule == Rule::StControlNumberRepeated => {
                &self.options.repeated_set_number
            }
            (_, code) => code,
        };
        Some((ack.place, code.to_owned()))
    }

    /// The findings of a set that the acknowledgment names.
    fn spoken<'a>(&self, set: &'a SetVerdict) -> impl Iterator<Item = &'a Finding> {
        let speaker = *self;
        set.findings
            .iter()
            .filter(move |finding| speaker.speaks_of(finding))
    }

    /// The AK3s of a set: by position, a segment's own faults before those of its elements, which
    /// share one.
    fn segments<'a>(&self, set: &'a SetVerdict) -> Vec<SegmentNote<'a>> {
        let mut places: Vec<(u32, &Finding, AckPlace, String)> = self
            .spoken(set)
            .filter(|finding| finding.level != Level::Set)
            .filter_map(|finding| {
                let (place, code) = self.code_of(finding)?;
                Some((self.position(finding)?, finding, place, code))
            })
            .collect();
        places.sort_by_key(|(index, finding, place, _)| {
            let within = (finding.element, finding.component, finding.repetition);
            (*index, *place == AckPlace::Ak403, within)
        });
        let mut notes: Vec<SegmentNote<'a>> = Vec::new();
        for (index, finding, place, code) in places {
            let from = notes.partition_point(|note| note.index < index);
            match place {
                AckPlace::Ak403 if finding.element.is_some() => {
                    let element = ElementNote { finding, code };
                    match notes[from..].iter_mut().find(|note| note.code == "8") {
                        Some(note) if note.elements.len() >= ELEMENTS_MAX => {}
                        Some(note) => note.elements.push(element),
                        None => notes.push(SegmentNote::of_elements(index, finding, element)),
                    }
                }
                // AK304 is 8 if and only if AK4 follows (rule 26): a segment that is too long as a
                // whole is told by AK5 alone.
                AckPlace::Ak304 if code != "8" => {
                    let told = |note: &SegmentNote<'_>| {
                        note.code == code && note.finding.segment == finding.segment
                    };
                    if !notes[from..].iter().any(told) {
                        notes.push(SegmentNote {
                            finding,
                            index,
                            code,
                            elements: Vec::new(),
                        });
                    }
                }
                _ => {}
            }
        }
        notes.truncate(self.options.segments);
        notes
    }

    /// AK302.
    fn position(&self, finding: &Finding) -> Option<u32> {
        let index = finding.segment_index?;
        let is_missing = matches!(
            finding.rule,
            Rule::SegmentMissing | Rule::GuideSegmentMissing
        );
        Some(match self.options.missing_segment {
            MissingSegment::LastGood if is_missing => index.saturating_sub(1).max(1),
            _ => index,
        })
    }

    /// AK502 to AK506: up to five different codes, those of the set itself first.
    fn set_codes(&self, set: &SetVerdict) -> Vec<String> {
        let mut codes: Vec<String> = Vec::new();
        let mut add = |code: String| {
            if !codes.contains(&code) {
                codes.push(code);
            }
        };
        self.spoken(set)
            .filter(|finding| finding.level == Level::Set)
            .filter_map(|finding| self.code_of(finding))
            .for_each(|(_, code)| add(code));
        let within = |guide: bool| {
            self.spoken(set)
                .any(|finding| finding.level != Level::Set && self.is_guide_only(finding) == guide)
        };
        if within(false) {
            add("5".to_owned());
        }
        if within(true) {
            add("I5".to_owned());
        }
        if codes.is_empty() && self.acceptance(set) != Acceptance::Accepted {
            codes.push("5".to_owned());
        }
        // That segments are in error belongs in even where five others stand before it.
        if let Some(five) = codes
            .iter()
            .position(|code| code == "5")
            .filter(|at| *at >= SET_CODES)
        {
            codes.swap(five, SET_CODES - 1);
        }
        codes.truncate(SET_CODES);
        codes
    }

    /// Told as a fault of the guide, which only a 999 can.
    fn is_guide_only(&self, finding: &Finding) -> bool {
        finding.origin == Origin::Guide && self.dialect == Dialect::Implementation
    }

    /// AK3 or IK3: segment, position, loop, code.
    pub fn segment(&self, tag: &str, note: &SegmentNote<'_>) -> OutSegment {
        let named = seg(tag)
            .el(segment_name(note.finding))
            .el(note.index.min(COUNT_MAX).to_string());
        named.opt(self.loop_id(note.finding)).el(&note.code)
    }

    /// CTX: a condition of the guide was triggered in this segment.
    pub fn trigger(&self, note: &SegmentNote<'_>) -> OutSegment {
        seg("CTX")
            .el("SITUATIONAL TRIGGER")
            .el(segment_name(note.finding))
            .el(note.index.min(COUNT_MAX).to_string())
            .opt(self.loop_id(note.finding))
    }

    /// AK303: at most four characters of the loop's name.
    fn loop_id<'a>(&self, finding: &'a Finding) -> Option<&'a str> {
        let name = finding
            .loop_id
            .as_deref()
            .filter(|_| self.options.loop_ids)?;
        (matches!(name.len(), 1..=4) && name.bytes().all(|b| b.is_ascii_alphanumeric()))
            .then_some(name)
    }

    /// AK4 or IK4: position, data element, code, the bad value.
    pub fn element(&self, tag: &str, note: &ElementNote<'_>) -> OutSegment {
        let finding = note.finding;
        let number = |n: Option<u16>| {
            n.map(|n| n.min(POSITION_MAX).to_string())
                .unwrap_or_default()
        };
        let mut position = vec![number(finding.element), number(finding.component)];
        if self.is_later() {
            position.push(
                finding
                    .repetition
                    .map(|n| n.min(9_999).to_string())
                    .unwrap_or_default(),
            );
        }
        seg(tag)
            .comp(position)
            .opt(
                finding
                    .data_element
                    .filter(|n| *n <= 9_999)
                    .map(|n| n.to_string()),
            )
            .el(&note.code)
            .opt(self.bad_value(finding))
    }

    /// AK404: a copy of the bad value, if it can stand in the acknowledgment whole (rule 27).
    fn bad_value<'a>(&self, finding: &'a Finding) -> Option<&'a str> {
        let value = finding.value.as_deref()?.trim_end();
        let allowed = Allowed::new(
            CharacterSet::Extended,
            self.options.delimiters.repetition.is_some(),
            false,
        );
        let fits = allowed.all(value.as_bytes())
            && !value
                .bytes()
                .any(|byte| self.options.delimiters.contains(byte));
        (matches!(value.len(), 1..=99) && fits).then_some(value)
    }

    /// AK1: the group that is answered (rule 25). A number that is none stands as 0.
    pub fn group_response(&self, group: &GroupVerdict) -> OutSegment {
        let id = code(&group.functional_id, 2).unwrap_or("ZZ".to_owned());
        let segment = seg("AK1").el(id).el(group_number(&group.control_number));
        match Some(self.plain(&group.version, 12)).filter(|text| !text.is_empty()) {
            Some(version) if self.is_later() => segment.el(version),
            _ => segment,
        }
    }

    /// AK2: the set that is answered (rule 25). What is missing in its ST stands as zeros, for a
    /// 997 that breaks the standard itself would never leave.
    pub fn set_response(&self, set: &SetVerdict) -> OutSegment {
        let number = self.plain(&set.st02, usize::MAX);
        let number = match number.len() {
            10.. if number.bytes().all(|b| b.is_ascii_digit()) => number.trim_start_matches('0'),
            _ => number,
        };
        let number = number.get(..9).unwrap_or(number);
        let id = code(&set.st01, 3).unwrap_or("000".to_owned());
        let segment = seg("AK2").el(id).el(format!("{number:0>4}"));
        match set.st03.as_deref().map(|st03| self.plain(st03, 35)) {
            Some(st03) if self.is_later() => segment.el(st03),
            _ => segment,
        }
    }

    /// A value that was received, if it can be said again; else nothing.
    fn plain<'a>(&self, value: &'a str, longest: usize) -> &'a str {
        let sound = |b: u8| (b'!'..0x7f).contains(&b) && !self.options.delimiters.contains(b);
        let allowed = Allowed::new(CharacterSet::Extended, false, false);
        if value.len() <= longest && value.bytes().all(sound) && allowed.all(value.as_bytes()) {
            value
        } else {
            ""
        }
    }

    /// AK5 or IK5.
    pub fn set_trailer(&self, tag: &str, answer: &SetAnswer<'_>) -> OutSegment {
        answer
            .codes
            .iter()
            .fold(seg(tag).el(answer.acceptance.code()), |segment, code| {
                segment.el(code)
            })
    }

    /// AK9: the letter, the three counts of rule 30 and up to five codes.
    pub fn group_trailer(&self, group: &GroupVerdict) -> OutSegment {
        let totals = group.totals_by(|set| self.acceptance(set));
        let counts = [totals.claimed, totals.received, totals.accepted]
            .map(|count| count.min(COUNT_MAX).to_string());
        let segment = counts
            .iter()
            .fold(seg("AK9").el(totals.acceptance.code()), |segment, count| {
                segment.el(count)
            });
        group
            .codes(self.options.repeated_group_number())
            .iter()
            .fold(segment, |segment, code| segment.el(code))
    }

    /// Whether the set has an AK2: a rejected one always (rule 33). In a group that is refused as a
    /// whole no set is accepted, so those without a fault of their own are left out.
    pub fn names(&self, group: &GroupVerdict, set: &SetVerdict) -> bool {
        match self.acceptance(set) {
            Acceptance::Rejected => true,
            _ if group.is_refused() => false,
            Acceptance::AcceptedWithErrors => true,
            _ => self.options.accepted_sets,
        }
    }
}

/// AK301: two or three capitals or digits, or our own validation would not let the 997 leave. A
/// longer name is cut, small letters become capitals, and what is no name at all is `ZZZ`.
fn segment_name(finding: &Finding) -> String {
    let name = finding.segment.as_deref().unwrap_or_default();
    let plain = name.chars().filter(char::is_ascii_alphanumeric).take(3);
    let plain: String = plain.map(|c| c.to_ascii_uppercase()).collect();
    if plain.len() >= 2 {
        plain
    } else {
        "ZZZ".to_owned()
    }
}

/// An identifier of so many capitals or digits, if it is one.
fn code(text: &str, length: usize) -> Option<String> {
    let sound = text.len() == length && text.bytes().all(|b| b.is_ascii_alphanumeric());
    sound.then(|| text.to_ascii_uppercase())
}

/// AK102: GS06 as it stood, so that it can be found by text too; 0 where it is no number.
fn group_number(gs06: &str) -> &str {
    let digits =
        |text: &str| (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let short = gs06.trim_start_matches('0');
    match gs06 {
        whole if digits(whole) => whole,
        _ if digits(short) => short,
        _ => "0",
    }
}

/// Code of a fault against the guide: that of the 999, and in a 997 the one of the standard that
/// is nearest.
fn guide_code(rule: Rule, dialect: Dialect) -> Option<(AckPlace, &'static str)> {
    use AckPlace::{Ak304, Ak403};
    match dialect {
        Dialect::Implementation if rule == Rule::GuideLength => Some((Ak403, "I12")),
        Dialect::Implementation => rule.implementation_ack(),
        Dialect::Functional => Some(match rule {
            Rule::GuideSegmentForbidden => (Ak304, "2"),
            Rule::GuideSegmentMissing | Rule::GuideTooFew => (Ak304, "3"),
            Rule::GuideTooOften => (Ak304, "5"),
            Rule::GuideElementMissing => (Ak403, "1"),
            Rule::GuideCondition => (Ak403, "2"),
            Rule::GuideLength => (Ak403, "5"),
            Rule::GuideElementForbidden => (Ak403, "10"),
            Rule::GuideCode | Rule::GuideValue => (Ak403, "7"),
            _ => return None,
        }),
    }
}
