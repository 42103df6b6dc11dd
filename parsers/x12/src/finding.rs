//! Findings: everything that is wrong, odd or worth knowing about what was read.
//!
//! One finding is one fault at one place. It serves every reader: the 997, 999 and TA1 take its
//! X12 code, the console its byte, a person its sentence.

use serde::{Deserialize, Serialize};

/// The part of the envelope that a finding speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The file as a whole, or bytes that belong to no interchange.
    File,
    /// ISA to IEA; answered by a TA1.
    Interchange,
    /// GS to GE; answered in AK9.
    Group,
    /// ST to SE; answered in AK5.
    Set,
    /// One segment; answered in AK3.
    Segment,
    /// One element, component or repetition; answered in AK4.
    Element,
}

/// What a finding does to the thing it was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth showing; changes nothing.
    Note,
    /// Breaks the standard, and the partner's profile lets it pass: accepted with errors (E).
    Tolerate,
    /// Syntactically sound, but a person should look before it is acted upon.
    Hold,
    /// Breaks the standard: the set, group or interchange is rejected.
    Reject,
}

/// Whose rule was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The X12 standard.
    Standard,
    /// The partner's guide (an [`Overlay`](crate::Overlay)): holds, never rejects.
    Guide,
}

/// Where in an acknowledgment an X12 code stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AckPlace {
    /// Segment syntax error code, data element 720.
    Ak304,
    /// Data element syntax error code, 723.
    Ak403,
    /// Transaction set syntax error code, 718.
    Ak502,
    /// Functional group syntax error code, 716.
    Ak905,
    /// Interchange note code, I18.
    Ta105,
}

impl AckPlace {
    /// The name of the element, such as `AK403`.
    pub fn name(self) -> &'static str {
        match self {
            AckPlace::Ak304 => "AK304",
            AckPlace::Ak403 => "AK403",
            AckPlace::Ak502 => "AK502",
            AckPlace::Ak905 => "AK905",
            AckPlace::Ta105 => "TA105",
        }
    }
}

/// The code by which an acknowledgment names a fault.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AckCode {
    /// The element of the acknowledgment.
    pub place: AckPlace,
    /// The code, as X12 lists it.
    pub code: String,
}

macro_rules! rules {
    ($($(#[doc = $doc:literal])* $variant:ident $text:literal $level:ident $severity:ident $place:expr;)*) => {
        /// The rule that was broken: a short name that stays the same between versions.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Rule { $( $(#[doc = $doc])* #[serde(rename = $text)] $variant, )* }

        impl Rule {
            /// Every rule, for pages that list them.
            pub const ALL: &'static [Rule] = &[$(Rule::$variant,)*];

            /// The rule's stable name, such as `element-too-long`.
            pub fn name(self) -> &'static str { match self { $(Rule::$variant => $text,)* } }

            /// The level at which it is reported.
            pub fn level(self) -> Level { match self { $(Rule::$variant => Level::$level,)* } }

            /// What it does by default.
            pub fn severity(self) -> Severity { match self { $(Rule::$variant => Severity::$severity,)* } }

            /// Its code in a 997 or TA1, where X12 has one.
            pub fn ack(self) -> Option<(AckPlace, &'static str)> { match self { $(Rule::$variant => $place,)* } }
        }
    };
}

use AckPlace::{Ak304, Ak403, Ak502, Ak905, Ta105};

rules! {
    /// The file holds no byte.
    FileEmpty "file-empty" File Reject None;
    /// No interchange was found in the file.
    FileNotX12 "file-not-x12" File Reject None;
    /// Bytes that are neither white space nor part of an interchange.
    BytesOutsideInterchange "bytes-outside-interchange" File Note None;
    /// The file starts with a byte-order mark.
    ByteOrderMark "byte-order-mark" File Note None;

    /// The ISA could be read, but its elements do not have their fixed widths.
    IsaNotFixedWidth "isa-not-fixed-width" Interchange Reject Some((Ta105, "022"));
    /// The ISA lacks elements or ends too early.
    IsaUnreadable "isa-unreadable" Interchange Reject Some((Ta105, "022"));
    /// The ISA stands on more than one line.
    IsaWrapped "isa-wrapped" Interchange Note None;
    /// Line breaks stand inside segments; they were left out when reading.
    LineBreaksInside "line-breaks-inside-segments" Interchange Note None;
    /// ISA01 or ISA03 is not a qualifier.
    IsaSecurityQualifier "isa-security-qualifier" Interchange Reject Some((Ta105, "010"));
    /// ISA05 is not a qualifier.
    IsaSenderQualifier "isa-sender-qualifier" Interchange Reject Some((Ta105, "005"));
    /// ISA06 is blank or holds a control character.
    IsaSender "isa-sender" Interchange Reject Some((Ta105, "006"));
    /// ISA07 is not a qualifier.
    IsaReceiverQualifier "isa-receiver-qualifier" Interchange Reject Some((Ta105, "007"));
    /// ISA08 is blank or holds a control character.
    IsaReceiver "isa-receiver" Interchange Hold Some((Ta105, "008"));
    /// ISA09 is no date.
    IsaDate "isa-date" Interchange Reject Some((Ta105, "014"));
    /// ISA10 is no time.
    IsaTime "isa-time" Interchange Reject Some((Ta105, "015"));
    /// ISA11 is neither `U` nor a usable repetition separator.
    IsaStandards "isa-standards-id" Interchange Note Some((Ta105, "016"));
    /// ISA12 is not five digits.
    IsaVersion "isa-version" Interchange Reject Some((Ta105, "017"));
    /// ISA13 is not nine digits.
    IsaControlNumber "isa-control-number" Interchange Reject Some((Ta105, "018"));
    /// ISA13 was used before in the same file by the same sender.
    IsaControlNumberRepeated "isa-control-number-repeated" Interchange Note None;
    /// ISA14 is neither 0 nor 1.
    IsaAckRequested "isa-ack-requested" Interchange Hold Some((Ta105, "019"));
    /// ISA15 is none of P, T, I.
    IsaUsage "isa-usage" Interchange Hold Some((Ta105, "020"));
    /// A separator is a letter, a digit or a blank, or two of them are the same byte.
    SeparatorsClash "separators-clash" Interchange Reject Some((Ta105, "026"));
    /// The element separator is a letter, a digit or a blank.
    ElementSeparatorInvalid "element-separator-invalid" Interchange Reject Some((Ta105, "026"));
    /// The component separator cannot be used.
    ComponentSeparatorInvalid "component-separator-invalid" Interchange Reject Some((Ta105, "027"));
    /// The segment terminator cannot be used.
    TerminatorInvalid "terminator-invalid" Interchange Reject Some((Ta105, "004"));
    /// The interchange ends without an IEA.
    IeaMissing "iea-missing" Interchange Reject Some((Ta105, "023"));
    /// IEA02 is not ISA13.
    IeaControlNumber "iea-control-number-mismatch" Interchange Reject Some((Ta105, "001"));
    /// IEA01 is not the number of groups.
    IeaGroupCount "iea-group-count-mismatch" Interchange Reject Some((Ta105, "021"));
    /// A segment between ISA and IEA that belongs to no group.
    SegmentOutsideGroup "segment-outside-group" Interchange Reject Some((Ta105, "022"));
    /// ISB, ISE, TA3 or ISX behind the ISA: a service is asked for that is not offered here.
    InterchangeService "interchange-service" Interchange Note None;
    /// GE, IEA or TA1 has more elements than it should; what is beyond was not read.
    EnvelopeSurplus "envelope-surplus" Interchange Note None;
    /// A TA1 that cannot be read.
    Ta1Malformed "ta1-malformed" Interchange Hold Some((Ta105, "022"));
    /// The last segment has no terminator.
    LastSegmentUnterminated "last-segment-unterminated" Interchange Note None;

    /// GS lacks elements or holds one that cannot be right; a GS02 or GS03 of blanks alone only holds, a GS04 of six digits is noted.
    GroupHeaderInvalid "group-header-invalid" Interchange Reject Some((Ta105, "024"));
    /// None of the group's sets belongs under its functional identifier (GS01).
    GroupNotSupported "group-not-supported" Group Reject Some((Ak905, "1"));
    /// The group's version is none that can be judged.
    VersionNotSupported "version-not-supported" Group Reject Some((Ak905, "2"));
    /// The group ends without a GE.
    GeMissing "ge-missing" Group Reject Some((Ak905, "3"));
    /// GE02 is not GS06.
    GeControlNumber "ge-control-number-mismatch" Group Reject Some((Ak905, "4"));
    /// GE01 is not the number of transaction sets.
    GeSetCount "ge-set-count-mismatch" Group Reject Some((Ak905, "5"));
    /// GS06 is not a number of one to nine digits.
    GsControlNumber "gs-control-number-invalid" Group Reject Some((Ak905, "6"));
    /// GS06 was used before in the interchange.
    GsControlNumberRepeated "gs-control-number-repeated" Group Reject Some((Ak905, "6"));
    /// A segment between GS and GE that belongs to no transaction set.
    SegmentOutsideSet "segment-outside-set" Group Reject Some((Ak905, "5"));

    /// No schema for this set and release: envelope, characters and the elements of each segment that is known were judged, not their order.
    NoSchema "no-schema" Set Note None;
    /// The set does not belong to the group's functional identifier.
    SetNotInGroup "set-not-in-group" Set Reject Some((Ak502, "6"));
    /// The set ends without an SE.
    SeMissing "se-missing" Set Reject Some((Ak502, "2"));
    /// SE02 is not ST02.
    SeControlNumber "se-control-number-mismatch" Set Reject Some((Ak502, "3"));
    /// SE01 is not the number of segments.
    SeCount "se-count-mismatch" Set Reject Some((Ak502, "4"));
    /// ST01 is missing or no set identifier.
    StIdentifier "st-identifier-invalid" Set Reject Some((Ak502, "6"));
    /// ST02 is missing or not four to nine characters.
    StControlNumber "st-control-number-invalid" Set Reject Some((Ak502, "7"));
    /// ST02 was used before in the group.
    StControlNumberRepeated "st-control-number-repeated" Set Reject Some((Ak502, "23"));
    /// More findings than the limit; the rest was not recorded.
    TooManyFindings "too-many-findings" Set Reject Some((Ak502, "5"));
    /// The set is longer than the limit allows.
    SetTooLong "set-too-long" Set Reject Some((Ak502, "5"));

    /// No segment of this name exists.
    SegmentUnrecognized "segment-unrecognized" Segment Reject Some((Ak304, "1"));
    /// The segment exists in the set, but not here.
    SegmentUnexpected "segment-unexpected" Segment Reject Some((Ak304, "2"));
    /// A mandatory segment is missing.
    SegmentMissing "segment-missing" Segment Reject Some((Ak304, "3"));
    /// A loop occurs too often.
    LoopTooOften "loop-too-often" Segment Reject Some((Ak304, "4"));
    /// A segment occurs too often.
    SegmentTooOften "segment-too-often" Segment Reject Some((Ak304, "5"));
    /// The segment exists, but not in this set.
    SegmentNotInSet "segment-not-in-set" Segment Reject Some((Ak304, "6"));
    /// The segment stands after others that must follow it.
    SegmentOutOfOrder "segment-out-of-order" Segment Reject Some((Ak304, "7"));
    /// A terminator that stands alone outside of transaction sets.
    SegmentEmpty "segment-empty" Segment Note None;
    /// The segment is longer than the limit allows; what is beyond was not read.
    SegmentTooLong "segment-too-long" Segment Reject Some((Ak304, "8"));
    /// Binary data has no length before it, or does not end where that says.
    BinaryLength "binary-length-mismatch" Segment Hold None;
    /// Separators stand at the end of the segment, after its last value.
    TrailingSeparators "trailing-separators" Segment Note None;

    /// A mandatory element or component is missing.
    ElementMissing "element-missing" Element Reject Some((Ak403, "1"));
    /// An element is missing that another one demands.
    ElementConditionallyMissing "element-conditionally-missing" Element Reject Some((Ak403, "2"));
    /// The segment has more elements than its definition.
    TooManyElements "too-many-elements" Element Reject Some((Ak403, "3"));
    /// The value is shorter than the element's minimum.
    ElementTooShort "element-too-short" Element Reject Some((Ak403, "4"));
    /// The value is longer than the element's maximum.
    ElementTooLong "element-too-long" Element Reject Some((Ak403, "5"));
    /// The value holds a character that its type does not allow.
    InvalidCharacter "invalid-character" Element Reject Some((Ak403, "6"));
    /// The value is not in the element's code list.
    InvalidCode "invalid-code" Element Reject Some((Ak403, "7"));
    /// The value is no day of the calendar.
    InvalidDate "invalid-date" Element Reject Some((Ak403, "8"));
    /// The value is no time of day.
    InvalidTime "invalid-time" Element Reject Some((Ak403, "9"));
    /// Two elements are present that exclude each other.
    ExclusionViolated "exclusion-violated" Element Reject Some((Ak403, "10"));
    /// The element repeats too often.
    TooManyRepetitions "too-many-repetitions" Element Reject Some((Ak403, "12"));
    /// The composite has too many components.
    TooManyComponents "too-many-components" Element Reject Some((Ak403, "13"));
    /// HL01 was used before in the set.
    HierarchyIdRepeated "hierarchy-id-repeated" Element Reject Some((Ak403, "7"));
    /// HL02 names no earlier HL.
    HierarchyParentUnknown "hierarchy-parent-unknown" Element Reject Some((Ak403, "7"));
    /// HL04 says that there are children, or none, and that is not so.
    HierarchyChildCode "hierarchy-child-code" Element Hold None;
    /// HL03 is no level of a ship notice, or not one that may stand here; a note where only BSN05 says otherwise.
    HierarchyLevel "hierarchy-level" Element Hold None;
    /// MAN02 is not the serial shipping container code that MAN01 announces, or its check digit is wrong.
    MarkInvalid "mark-invalid" Element Hold None;
    /// The same serial shipping container code stands in the set twice.
    MarkRepeated "mark-repeated" Element Hold None;
    /// A count in the set is not what was counted.
    CountMismatch "count-mismatch" Element Hold None;
    /// A hash total in the set is not what was summed.
    HashMismatch "hash-mismatch" Element Hold None;

    /// The guide demands a segment that is missing.
    GuideSegmentMissing "guide-segment-missing" Segment Hold None;
    /// The guide forbids the segment.
    GuideSegmentForbidden "guide-segment-forbidden" Segment Hold None;
    /// The guide allows the segment or loop less often.
    GuideTooOften "guide-too-often" Segment Hold None;
    /// The guide demands the segment or loop more often.
    GuideTooFew "guide-too-few" Segment Hold None;
    /// The guide demands an element that is missing.
    GuideElementMissing "guide-element-missing" Element Hold None;
    /// The guide forbids the element.
    GuideElementForbidden "guide-element-forbidden" Element Hold None;
    /// The value is shorter or longer than the guide allows.
    GuideLength "guide-length" Element Hold None;
    /// The value is not among those that the guide lists.
    GuideCode "guide-code" Element Hold None;
    /// The guide fixes the value to another one.
    GuideValue "guide-value" Element Hold None;
    /// A rule of the guide between elements does not hold.
    GuideCondition "guide-condition" Element Hold None;
    /// The overlay itself names something that the schema does not have.
    GuideUnusable "guide-unusable" Set Hold None;
}

impl Rule {
    /// The same code in a 999 (IK304, IK403, IK502), which differs only for the guide's rules.
    pub fn implementation_ack(self) -> Option<(AckPlace, &'static str)> {
        match self {
            Rule::GuideSegmentForbidden => Some((Ak304, "I4")),
            Rule::GuideSegmentMissing => Some((Ak304, "I6")),
            Rule::GuideTooFew => Some((Ak304, "I8")),
            Rule::GuideTooOften => Some((Ak304, "5")),
            Rule::GuideCode | Rule::GuideValue => Some((Ak403, "I6")),
            Rule::GuideElementMissing | Rule::GuideCondition => Some((Ak403, "I9")),
            Rule::GuideElementForbidden => Some((Ak403, "I10")),
            other => other.ack(),
        }
    }
}

/// One fault, oddity or remark, with its place in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The part of the envelope it speaks of.
    pub level: Level,
    /// The rule that was broken.
    pub rule: Rule,
    /// What it does to the set, group or interchange.
    pub severity: Severity,
    /// The standard's rule or the partner's.
    pub origin: Origin,
    /// One sentence for a person: what is wrong, and what to do.
    pub message: String,
    /// Byte in the original file, counted from 0.
    pub offset: u64,
    /// Line in the original file, counted from 1 by line feeds.
    pub line: u64,
    /// Segment identifier, such as `PO1`; for a missing segment, the one that is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    /// Position of the segment in its set, ST being 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment_index: Option<u32>,
    /// The loop it stands in, named by the loop's first segment; none in the heading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loop_id: Option<String>,
    /// Element position in the segment, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element: Option<u16>,
    /// Component position in the element, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<u16>,
    /// Which repetition of the element, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repetition: Option<u16>,
    /// The number of the data element in X12's dictionary (AK402).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_element: Option<u16>,
    /// The value that is wrong, at most 100 characters of it: one more than AK404 takes, so that a
    /// value that was cut is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Its code in the 997 or TA1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack: Option<AckCode>,
}

/// What stands in place of the first finding beyond the limit of a transaction set.
pub(crate) fn no_more_in_set(beyond: &Finding, limit: usize) -> Finding {
    let text = format!("More than {limit} findings in this set; the rest was not recorded.");
    Finding::new(Rule::TooManyFindings, beyond.offset, beyond.line, text)
}

impl Finding {
    /// A finding of `rule` at a byte and line, with the rule's own level, severity and code.
    pub fn new(rule: Rule, offset: u64, line: u64, message: impl Into<String>) -> Finding {
        Finding {
            level: rule.level(),
            rule,
            severity: rule.severity(),
            origin: if rule.name().starts_with("guide-") {
                Origin::Guide
            } else {
                Origin::Standard
            },
            message: message.into(),
            offset,
            line,
            segment: None,
            segment_index: None,
            loop_id: None,
            element: None,
            component: None,
            repetition: None,
            data_element: None,
            value: None,
            ack: rule.ack().map(|(place, code)| AckCode {
                place,
                code: code.to_owned(),
            }),
        }
    }

    /// The same finding about a segment.
    #[must_use]
    pub fn in_segment(mut self, id: &str, index: u32) -> Finding {
        self.segment = Some(id.to_owned());
        self.segment_index = Some(index);
        self
    }

    /// The same finding with the value that is wrong, cut after 100 characters.
    #[must_use]
    pub fn with_value(mut self, value: &str) -> Finding {
        self.value = Some(value.chars().take(100).collect());
        self
    }

    /// The same finding with another severity.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Finding {
        self.severity = severity;
        self
    }

    /// Whether it rejects what it was found in.
    pub fn rejects(&self) -> bool {
        self.severity == Severity::Reject
    }

    /// Whether it breaks the standard, be it that the partner's profile lets it pass: what a 997
    /// speaks of.
    pub fn breaks_standard(&self) -> bool {
        self.origin == Origin::Standard
            && matches!(self.severity, Severity::Reject | Severity::Tolerate)
    }

    /// Whether it keeps what it was found in from being acted upon without a person.
    pub fn holds(&self) -> bool {
        self.severity >= Severity::Hold
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "byte {}, line {}", self.offset, self.line)?;
        if let Some(segment) = &self.segment {
            write!(f, ", {segment}")?;
            if let Some(element) = self.element {
                write!(f, "{element:02}")?;
            }
            if let Some(component) = self.component {
                write!(f, "-{component}")?;
            }
            if let Some(index) = self.segment_index {
                write!(f, " (segment {index})")?;
            }
        }
        write!(f, ": {} [{}", self.message, self.rule.name())?;
        if let Some(ack) = &self.ack {
            write!(f, ", {} {}", ack.place.name(), ack.code)?;
        }
        write!(f, "]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_kebab() {
        let mut names: Vec<_> = Rule::ALL.iter().map(|r| r.name()).collect();
        assert!(names.iter().all(|n| {
            n.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        }));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Rule::ALL.len());
    }

    #[test]
    fn serializes_by_name() {
        for rule in Rule::ALL {
            let json = serde_json::to_string(rule).unwrap();
            assert_eq!(json, format!("\"{}\"", rule.name()));
        }
    }

    #[test]
    fn guide_findings_never_reject() {
        for rule in Rule::ALL.iter().filter(|r| r.name().starts_with("guide-")) {
            assert_eq!(rule.severity(), Severity::Hold, "{}", rule.name());
        }
    }
}
