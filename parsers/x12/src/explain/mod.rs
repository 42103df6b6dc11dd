//! The annotated reading: a set as a person reads it, each finding at its place.

mod envelope;

pub use envelope::annotate_envelope;

use crate::element::ElementType;
use crate::finding::Finding;
use crate::limits::Limits;
use crate::overlay::Overlay;
use crate::schema::{
    Definition, Dictionary, Element, Key, NONE, Release, Schema, SchemaRegistry, Use, What,
};
use crate::set::{Segment, TransactionSet};
use crate::validate::Validator;
use crate::writer::number;
use serde::Serialize;
use std::collections::HashMap;

/// A transaction set, annotated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnnotatedSet {
    /// ST01.
    pub code: String,
    /// What the set is called; empty where no schema knows it.
    pub name: String,
    /// ST02.
    pub control_number: String,
    /// The release by whose schema segments and elements are named.
    pub release: Release,
    /// Its segments, ST first.
    pub segments: Vec<AnnotatedSegment>,
    /// Findings that belong to no segment.
    pub findings: Vec<Finding>,
}

/// A segment, annotated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnnotatedSegment {
    /// Identifier, such as `PO1`.
    pub id: String,
    /// What it is called; empty where nothing knows it.
    pub name: String,
    /// Position in the set, ST being 1; 0 where it stands in none.
    pub index: u32,
    /// How far to indent: the loops around it, and the levels of HL above its own. A segment without a place in the schema
    /// stands as far in as the one before.
    pub depth: usize,
    /// The innermost of them, by the segment that begins it.
    pub loop_id: Option<String>,
    /// First byte in the file.
    #[serde(rename = "byte")]
    pub offset: u64,
    /// Bytes, without the terminator.
    pub length: u64,
    /// Line in the file.
    #[serde(rename = "file_line")]
    pub line: u64,
    /// The segment as it stands.
    pub text: String,
    /// Elements that hold something, composites by their components.
    pub elements: Vec<AnnotatedElement>,
    /// Findings about it; those of a segment that is missing stand at the one it is missing before.
    pub findings: Vec<Finding>,
}

/// An element or component, annotated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnnotatedElement {
    /// `PO103`, or `REF04-2` for a component.
    pub place: String,
    /// Position in the segment, from 1.
    pub element: u16,
    /// Position in the composite, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<u16>,
    /// Number in X12's dictionary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_element: Option<u16>,
    /// Its data type; none where nothing knows it.
    #[serde(skip)]
    pub kind: Option<ElementType>,
    /// The most characters that it may have; 0 where nothing knows it.
    #[serde(skip)]
    pub max: usize,
    /// What it is called; empty where nothing knows it.
    pub name: String,
    /// The value as it stands.
    pub value: String,
    /// What the value says, where that is more than the value: a code's sense, a date, an amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
    /// First byte in the file of the element.
    #[serde(rename = "byte")]
    pub offset: u64,
}

/// Reads a set for a person, and validates it on the way; all findings of the set are in it.
pub fn annotate(
    registry: &SchemaRegistry,
    release: Release,
    set: &TransactionSet,
    overlay: Option<&Overlay>,
) -> AnnotatedSet {
    let mut validator = Validator::new(registry, Limits::default());
    let mut findings = set.findings().to_vec();
    findings.extend(validator.validate(release, set, overlay));
    annotate_found(registry, release, set, &validator, findings)
}

/// Reads a set for a person by the schema of a release that is not its own
/// ([`Release::nearest`]): segments and elements are named and nothing is judged by it, so that
/// only what the reader found of ST and SE is told.
pub fn annotate_unjudged(
    registry: &SchemaRegistry,
    release: Release,
    set: &TransactionSet,
) -> AnnotatedSet {
    let mut validator = Validator::new(registry, Limits::default());
    // Only where each segment stands in the schema is asked for.
    let _ = validator.validate(release, set, None);
    annotate_found(registry, release, set, &validator, set.findings().to_vec())
}

fn annotate_found(
    registry: &SchemaRegistry,
    release: Release,
    set: &TransactionSet,
    validator: &Validator<'_>,
    findings: Vec<Finding>,
) -> AnnotatedSet {
    let schema = registry.find(set.code(), release);
    let dictionary = registry.dictionary(release);
    let mut lines = Lines::of(set);
    let mut hierarchy = Hierarchy::default();
    let mut segments: Vec<AnnotatedSegment> = set
        .segments()
        .zip(validator.placed())
        .map(|(segment, node)| {
            let line = lines.at(segment.offset());
            let depth = schema.map_or(0, |schema| hierarchy.depth(schema, segment, *node));
            annotate_segment(segment, (*node, depth), line, schema, &dictionary)
        })
        .collect();
    let mut rest = Vec::new();
    for finding in findings {
        // A segment missing at the very end is told at the last one.
        let at = finding.segment_index.map(|index| {
            (index as usize)
                .saturating_sub(1)
                .min(segments.len().saturating_sub(1))
        });
        match at.and_then(|at| segments.get_mut(at)) {
            Some(segment) => segment.findings.push(finding),
            None => rest.push(finding),
        }
    }
    AnnotatedSet {
        code: set.code().to_owned(),
        name: schema.map(|s| s.name().to_owned()).unwrap_or_default(),
        control_number: set.control_number().to_owned(),
        release,
        segments,
        findings: rest,
    }
}

/// How far in the segments of a set stand, in their order.
#[derive(Default)]
struct Hierarchy<'a> {
    /// The levels above each HL, by its HL01.
    levels: HashMap<&'a str, usize>,
    /// The levels above the HL met last.
    level: usize,
    /// How far in the segment before stood.
    before: usize,
}

impl<'a> Hierarchy<'a> {
    fn depth(&mut self, schema: &Schema, segment: Segment<'a>, node: u32) -> usize {
        const HL: Key = Key::of(b"HL");
        if node == NONE {
            return self.before;
        }
        if segment.key() == HL {
            let parent = self.levels.get(segment.element(2).trim());
            self.level = parent.map_or(0, |above| above + 1);
            self.levels.insert(segment.element(1).trim(), self.level);
        }
        let levels = if schema.is_within(node, HL) {
            self.level
        } else {
            0
        };
        self.before = schema.depth(node) + levels;
        self.before
    }
}

/// The lines of segments in their order: each byte of the set is looked at once.
struct Lines<'a> {
    raw: &'a [u8],
    from: u64,
    seen: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn of(set: &'a TransactionSet) -> Lines<'a> {
        Lines {
            raw: set.raw(),
            from: set.offset(),
            seen: 0,
            line: set.header().line,
        }
    }

    fn at(&mut self, offset: u64) -> u64 {
        let within = usize::try_from(offset.saturating_sub(self.from)).unwrap_or(usize::MAX);
        let to = within.clamp(self.seen, self.raw.len());
        self.line += memchr::memchr_iter(b'\n', &self.raw[self.seen..to]).count() as u64;
        self.seen = to;
        self.line
    }
}

fn annotate_segment(
    segment: Segment<'_>,
    (node, depth): (u32, usize),
    line: u64,
    schema: Option<&Schema>,
    dictionary: &Dictionary,
) -> AnnotatedSegment {
    let known = schema.and_then(|schema| schema.definition(node));
    let definition = known.or_else(|| dictionary.segment(Key::of(segment.id().as_bytes())));
    AnnotatedSegment {
        id: segment.id().to_owned(),
        name: definition.map(|d| d.name.clone()).unwrap_or_default(),
        index: segment.index(),
        depth,
        loop_id: schema
            .filter(|_| node != NONE)
            .and_then(|schema| schema.loop_of(node))
            .map(str::to_owned),
        offset: segment.offset(),
        length: segment.length(),
        line,
        text: segment.text().to_owned(),
        elements: annotate_elements(segment, definition, dictionary),
        findings: Vec::new(),
    }
}

fn annotate_elements(
    segment: Segment<'_>,
    definition: Option<&Definition>,
    dictionary: &Dictionary,
) -> Vec<AnnotatedElement> {
    let mut elements = Vec::new();
    for n in 1..=segment.element_count() {
        let value = segment.element(n);
        if value.is_empty() {
            continue;
        }
        let place = definition.and_then(|d| d.uses.get(n - 1));
        match place.map(|place| place.what) {
            Some(What::Composite(at)) => {
                let composite = dictionary.composites.get(usize::from(at));
                for repetition in segment.repetitions(n) {
                    for (k, part) in segment
                        .components_of(repetition)
                        .enumerate()
                        .filter(|(_, part)| !part.is_empty())
                    {
                        elements.push(annotate_value(
                            segment,
                            n,
                            Some(k + 1),
                            composite.and_then(|c| c.uses.get(k)),
                            part,
                            dictionary,
                        ));
                    }
                }
            }
            _ => elements.extend(
                segment
                    .repetitions(n)
                    .filter(|part| !part.is_empty())
                    .map(|part| annotate_value(segment, n, None, place, part, dictionary)),
            ),
        }
    }
    elements
}

fn annotate_value(
    segment: Segment<'_>,
    n: usize,
    component: Option<usize>,
    place: Option<&Use>,
    value: &str,
    dictionary: &Dictionary,
) -> AnnotatedElement {
    let element = place.and_then(|place| match place.what {
        What::Element(at) => dictionary.elements.get(usize::from(at)),
        What::Composite(_) => None,
    });
    AnnotatedElement {
        place: format!(
            "{}{n:02}{}",
            segment.id(),
            component.map(|k| format!("-{k}")).unwrap_or_default()
        ),
        element: n as u16,
        component: component.map(|k| k as u16),
        data_element: element.map(|e| e.number),
        kind: element.map(|e| e.kind),
        max: element.map_or(0, |e| e.max),
        name: element.map(|e| e.name.clone()).unwrap_or_default(),
        value: value.to_owned(),
        meaning: element.and_then(|element| meaning(element, value)),
        offset: segment.element_offset(n),
    }
}

/// What a value says beyond its characters.
fn meaning(element: &Element, value: &str) -> Option<String> {
    let value = value.trim_end();
    if let Some(codes) = &element.codes {
        return codes.meaning(value).map(str::to_owned);
    }
    match element.kind {
        ElementType::Dt => number::parse_d8(value).map(|date| date.to_string()),
        ElementType::Tm => number::parse_time(value).map(|time| time.format("%H:%M").to_string()),
        ElementType::N(decimals) if decimals > 0 => {
            number::parse_n(value, decimals.into()).map(|value| value.to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OutboundSet, Rule, seg};

    #[test]
    fn a_release_that_is_not_the_sets_own_names_and_does_not_judge() {
        let bytes = b"ST*850*0001~BEG*00*SA*4711**970115~SE*4*0002~";
        let set = crate::read_set(bytes, &crate::Delimiters::default(), 0).unwrap();
        let rules = |reading: &AnnotatedSet| {
            let within = reading.segments.iter().flat_map(|s| &s.findings);
            let all = within.chain(&reading.findings);
            all.map(|finding| finding.rule).collect::<Vec<_>>()
        };
        let nearest = Release::nearest("003060");
        let named = annotate_unjudged(SchemaRegistry::standard(), nearest, &set);
        assert_eq!(rules(&named), [Rule::SeCount, Rule::SeControlNumber]);
        assert_eq!(
            (named.release, named.segments[1].elements[3].name.as_str()),
            (Release::R004010, "Date")
        );
        let judged = annotate(SchemaRegistry::standard(), nearest, &set, None);
        assert!(rules(&judged).contains(&Rule::ElementTooShort));
    }

    #[test]
    fn levels_of_hl_stand_further_in_than_their_parents() {
        let bytes = b"ST*856*0001~BSN*00*S1*20260115*1230*0001~HL*1**S~TD1*CTN*2~N1*ST*STORE~HL*2*1*O~PRF*4711~HL*3*2*P~MAN*GM*1~HL*4*3*I~LIN**VN*A~XX9*1~HL*5*3*I~HL*6*1*O~HL*7*99*I~CTT*7~SE*17*0001~";
        let set = crate::read_set(bytes, &crate::Delimiters::default(), 0).unwrap();
        let read = annotate(SchemaRegistry::standard(), Release::R004010, &set, None);
        let depths: Vec<(&str, usize)> = read
            .segments
            .iter()
            .map(|segment| (segment.id.as_str(), segment.depth))
            .collect();
        assert_eq!(
            depths,
            [
                ("ST", 0),
                ("BSN", 0),
                ("HL", 1),
                ("TD1", 1),
                ("N1", 2),
                ("HL", 2),
                ("PRF", 2),
                ("HL", 3),
                ("MAN", 3),
                ("HL", 4),
                ("LIN", 4),
                ("XX9", 4),
                ("HL", 4),
                ("HL", 2),
                ("HL", 1),
                ("CTT", 0),
                ("SE", 0)
            ]
        );
    }

    #[test]
    fn everyday_codes_have_a_sense_in_every_release() {
        for release in Release::ALL {
            let dictionary = SchemaRegistry::standard().dictionary(release);
            for (number, codes) in [
                (128, "ST 19 DP IA ZZ"),
                (235, "IT VC IB PI VN UP"),
                (639, "SR TE QE CT"),
                (355, "CS PC UN EA"),
                (103, "CTN CTN25 PLT94"),
                (479, "PO SH IN FA"),
                (374, "002 003 097"),
            ] {
                let element = dictionary.elements.iter().find(|it| it.number == number);
                let element = element.unwrap();
                for code in codes.split(' ') {
                    assert!(
                        meaning(element, code).is_some(),
                        "{number} {code} in {release:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_reading_names_segments_elements_and_codes() {
        let set = OutboundSet::new("850")
            .with(
                seg("BEG")
                    .el("00")
                    .el("SA")
                    .el("4711")
                    .skip()
                    .el("20260115"),
            )
            .with(seg("N1").el("ST").el("STORE 12").el("92").el("0012"))
            .with(seg("N3").el("1 MAIN STREET"))
            .with(seg("PO1").el("1").el("12").el("EA").el("8.5"))
            .with(seg("SAC").el("A").el("C310").skip().skip().el("2500"))
            .with(seg("XX9").el("A"));
        let (set, ()) = crate::writer::as_read(&set, Release::R004010, |_, _| ());
        let reading = annotate(SchemaRegistry::standard(), Release::R004010, &set, None);
        assert_eq!(
            (reading.name.as_str(), reading.segments.len()),
            ("Purchase order", 8)
        );
        let beg = &reading.segments[1];
        let told: Vec<_> = beg
            .elements
            .iter()
            .map(|e| (e.place.as_str(), e.name.as_str(), e.meaning.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                ("BEG01", "Purpose of the set", Some("Original")),
                ("BEG02", "Purchase order type", Some("Stand-alone order")),
                ("BEG03", "Purchase order number", None),
                ("BEG05", "Date", Some("2026-01-15")),
            ]
        );
        assert_eq!(
            (
                reading.segments[3].depth,
                reading.segments[3].loop_id.as_deref()
            ),
            (1, Some("N1"))
        );
        let sac = &reading.segments[5];
        assert_eq!(
            (
                sac.depth,
                sac.loop_id.as_deref(),
                sac.elements[2].meaning.as_deref()
            ),
            (2, Some("SAC"), Some("25.00"))
        );
        assert_eq!(
            reading.segments[6].findings[0].rule,
            Rule::SegmentUnrecognized
        );
    }
}
