//! The full check of a set against its schema, and against a partner's guide.

mod elements;
mod guide;
mod plain;
mod semantics;
mod ship_notice;
mod structure;

use crate::delimiters::Delimiters;
use crate::element::CharacterSet;
use crate::finding::{Finding, Rule, no_more_in_set};
use crate::limits::Limits;
use crate::overlay::Overlay;
use crate::schema::{Dictionary, NONE, Release, Schema, SchemaRegistry};
use crate::set::{Segment, TransactionSet};
use crate::text::show;
use crate::writer::{OutboundSet, as_read, check_written};
use std::cell::Cell;
use std::collections::BTreeSet;

/// Checks a set: structure, elements, conditions, hierarchy, counts, then the guide.
///
/// The findings of ST, SE and control numbers are not among them: the reader made those
/// ([`TransactionSet::findings`]).
pub fn validate_set(
    registry: &SchemaRegistry,
    release: Release,
    set: &TransactionSet,
    overlay: Option<&Overlay>,
) -> Vec<Finding> {
    Validator::new(registry, Limits::default()).validate(release, set, overlay)
}

/// Checks a set that is to be sent, ST and SE included, with the engine that checks what is
/// received. Delimiters play no part: see [`check_characters`](crate::check_characters), and
/// [`check_outbound`] for both together.
pub fn validate_outbound(
    registry: &SchemaRegistry,
    release: Release,
    set: &OutboundSet,
    overlay: Option<&Overlay>,
) -> Vec<Finding> {
    let (set, ()) = as_read(set, release, |_, _| ());
    validate_read(registry, release, &set, overlay)
}

/// What is found of a set that is to be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutboundFindings {
    /// Values that can not be sent with these separators and characters; as of
    /// [`check_characters`](crate::check_characters).
    pub characters: Vec<Finding>,
    /// What does not hold to the schema and the guide; as of [`validate_outbound`].
    pub content: Vec<Finding>,
}

/// Checks the characters of a set that is to be sent, and the set, in one go.
pub fn check_outbound(
    registry: &SchemaRegistry,
    release: Release,
    set: &OutboundSet,
    overlay: Option<&Overlay>,
    delimiters: &Delimiters,
    characters: CharacterSet,
) -> OutboundFindings {
    let (read, characters) = as_read(set, release, |bytes, laid| {
        check_written(set, delimiters, characters, bytes, laid)
    });
    OutboundFindings {
        characters,
        content: validate_read(registry, release, &read, overlay),
    }
}

fn validate_read(
    registry: &SchemaRegistry,
    release: Release,
    set: &TransactionSet,
    overlay: Option<&Overlay>,
) -> Vec<Finding> {
    let mut findings = set.findings().to_vec();
    findings.extend(validate_set(registry, release, set, overlay));
    findings
}

/// A validation that keeps its working memory from set to set.
pub struct Validator<'r> {
    registry: &'r SchemaRegistry,
    limits: Limits,
    /// The node of each segment of the set; `NONE` where it has no place.
    placed: Vec<u32>,
    walk: structure::Walk,
    patterns: plain::Patterns,
    /// The schema of the set before.
    schema: Option<&'r Schema>,
}

impl<'r> Validator<'r> {
    /// A validation with limits of its own.
    pub fn new(registry: &'r SchemaRegistry, limits: Limits) -> Validator<'r> {
        Validator {
            registry,
            limits,
            placed: Vec::new(),
            walk: structure::Walk::default(),
            patterns: plain::Patterns::default(),
            schema: None,
        }
    }

    /// Checks one set; see [`validate_set`].
    pub fn validate(
        &mut self,
        release: Release,
        set: &TransactionSet,
        overlay: Option<&Overlay>,
    ) -> Vec<Finding> {
        let mut report = Report {
            set,
            findings: Vec::new(),
            limit: self.limits.findings,
            full: false,
            seen: Cell::default(),
        };
        self.placed.clear();
        let is_same = |schema: &&Schema| schema.code == set.code() && schema.release == release;
        self.schema = self
            .schema
            .filter(is_same)
            .or_else(|| self.registry.find(set.code(), release));
        let Some(schema) = self.schema else {
            self.without_schema(release, set, overlay, &mut report);
            return report.findings;
        };
        let checks = elements::Checks::new(schema, set, overlay);
        self.walk.start(schema);
        for segment in set.segments() {
            let node = self.walk.place(schema, segment, &mut report);
            self.placed.push(node);
            match schema.definition(node) {
                Some(definition) if checks.pass(segment, definition, &mut self.patterns) => {}
                Some(definition) => checks.segment(segment, definition, node, &mut report),
                None => checks.characters_only(segment, &mut report),
            }
        }
        self.walk.finish(schema, set, &mut report);
        semantics::check(schema, set, &self.placed, self.limits, &mut report);
        if let Some(overlay) = overlay {
            guide::check(schema, set, &self.placed, overlay, &mut report);
        }
        report.findings
    }

    /// The node of each segment of the set validated last.
    pub(crate) fn placed(&self) -> &[u32] {
        &self.placed
    }

    /// A set that no schema describes: the elements of the segments that the release's dictionary
    /// knows are checked, and of the others the characters.
    fn without_schema(
        &mut self,
        release: Release,
        set: &TransactionSet,
        overlay: Option<&Overlay>,
        report: &mut Report<'_>,
    ) {
        let dictionary = self.registry.dictionary(release);
        let header = set.header();
        report.add(Finding::new(
            Rule::NoSchema,
            header.offset,
            header.line,
            no_schema_text(release, set, &dictionary),
        ));
        let checks = elements::Checks::without_schema(&dictionary, release, set, overlay);
        for segment in set.segments() {
            self.placed.push(NONE);
            match dictionary.segment(segment.key()) {
                Some(definition) if checks.pass(segment, definition, &mut self.patterns) => {}
                Some(definition) => checks.segment(segment, definition, NONE, report),
                None => {
                    if !is_identifier(segment.id()) {
                        let text = match segment.id() {
                            "" => WITHOUT_IDENTIFIER.to_owned(),
                            id => format!(
                                "{} is no segment identifier: two or three capitals and digits, a capital first.",
                                show(id)
                            ),
                        };
                        report.add(report.segment(Rule::SegmentUnrecognized, segment, None, text));
                    }
                    checks.characters_only(segment, report);
                }
            }
        }
    }
}

const WITHOUT_IDENTIFIER: &str = "A segment without an identifier, such as a blank line or a terminator that stands alone; take it out.";

/// What was checked of a set without a schema, and what was not.
fn no_schema_text(release: Release, set: &TransactionSet, dictionary: &Dictionary) -> String {
    let unknown: BTreeSet<&str> = set
        .segments()
        .filter(|segment| dictionary.segment(segment.key()).is_none())
        .map(|segment| segment.id())
        .collect();
    // As many as a person reads.
    let names: Vec<String> = unknown.iter().take(6).map(|id| show(id)).collect();
    let more = match unknown.len() - names.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let of_unknown = if names.is_empty() {
        String::new()
    } else {
        format!(
            "; of the segments that are not known here ({}{more}) only the characters",
            names.join(", ")
        )
    };
    format!(
        "No schema for the set {} in release {} comes with this program: the envelope, the characters and the elements of each segment by itself were checked{of_unknown}. Which segments stand where and how often was not checked.",
        show(set.code()),
        release.as_str(),
    )
}

/// Whether a segment of some set could have this identifier.
fn is_identifier(id: &str) -> bool {
    matches!(id.len(), 2 | 3)
        && id.starts_with(|first: char| first.is_ascii_uppercase())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Findings of one set as they come, up to the limit.
pub(crate) struct Report<'a> {
    pub set: &'a TransactionSet,
    pub findings: Vec<Finding>,
    limit: usize,
    full: bool,
    /// The byte of the last finding and its line: findings come in order, and a flood of them must
    /// not count the same lines over and over.
    seen: Cell<(u64, u64)>,
}

impl Report<'_> {
    /// Records a finding, or once that there are too many.
    pub fn add(&mut self, finding: Finding) {
        if self.findings.len() < self.limit {
            self.findings.push(finding);
        } else if !self.full {
            self.full = true;
            self.findings.push(no_more_in_set(&finding, self.limit));
        }
    }

    /// The line in the file of a byte of the set.
    pub fn line_of(&self, offset: u64) -> u64 {
        let (byte, line) = self.seen.get();
        if self.full && line > 0 {
            // Nothing more is recorded.
            return line;
        }
        let line = if line > 0 && offset >= byte {
            line + self.set.lines_between(byte, offset)
        } else {
            self.set.line_of(offset)
        };
        self.seen.set((offset, line));
        line
    }

    /// A finding about a segment at its place.
    pub fn segment(
        &self,
        rule: Rule,
        segment: Segment<'_>,
        loop_id: Option<&str>,
        text: String,
    ) -> Finding {
        let offset = segment.offset();
        Finding {
            loop_id: loop_id.map(str::to_owned),
            ..Finding::new(rule, offset, self.line_of(offset), text)
                .in_segment(segment.id(), segment.index())
        }
    }
}

/// The loop of a node, where there is a schema.
pub(crate) fn structure_loop(schema: Option<&Schema>, node: u32) -> Option<&str> {
    schema.and_then(|schema| loop_of(schema, node))
}

/// Where in the schema a segment stands.
pub(crate) fn loop_of(schema: &Schema, node: u32) -> Option<&str> {
    if node == NONE {
        None
    } else {
        schema.loop_of(node)
    }
}
