//! What every outbound document has in common: parts by level, the partner's own changes to them, and characters that
//! can be sent.
//!
//! A builder makes a [`Draft`]: the document's segments in parts, each with what may be looked up there. [`Draft::finish`]
//! applies the profile's `[[outbound.…]]` rules, cleans free text and refuses what was found, before anything takes a
//! control number.

mod facts;
mod order;
mod rules;
pub mod text;

pub(super) use facts::Facts;

use supercargo_x12::{Delimiters, OutSegment, OutboundSet, seg};

use crate::config::profile::Profile;
use crate::config::profile::envelope::Envelope;
use crate::config::profile::outbound::{OutboundLevel, OutboundRule};
use crate::domain::finding::{Finding, Severity};

/// A stretch of the document that belongs together.
pub(super) struct Part<'a> {
    /// Which rules of the profile speak of it.
    pub level: OutboundLevel,
    /// What templates find here.
    pub facts: Facts<'a>,
    /// Its segments.
    pub segments: Vec<OutSegment>,
}

/// A part that was opened, and where its segments begin.
struct Opened<'a> {
    level: OutboundLevel,
    facts: Facts<'a>,
    from: usize,
}

/// An outbound document that is being built.
pub(super) struct Draft<'a> {
    profile: &'a Profile,
    /// The partner's own changes to documents of this set.
    rules: &'a [OutboundRule],
    set: OutboundSet,
    /// Its parts, where there are rules that could speak of them.
    parts: Vec<Opened<'a>>,
    findings: Vec<Finding>,
}

impl<'a> Draft<'a> {
    /// An empty document of a set for a partner.
    pub fn new(set: &'static str, profile: &'a Profile) -> Self {
        Self {
            profile,
            rules: profile.outbound.get(set).map_or(&[], Vec::as_slice),
            set: OutboundSet::new(set),
            parts: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Opens a part; segments are added to the part opened last.
    pub fn open(&mut self, level: OutboundLevel, facts: impl FnOnce() -> Facts<'a>) {
        if self.rules.is_empty() {
            return;
        }
        self.parts.push(Opened {
            level,
            facts: facts(),
            from: self.set.segments.len(),
        });
    }

    /// Adds a segment to the part opened last. One that says nothing may be filled by the partner's own changes.
    pub fn push(&mut self, segment: OutSegment) {
        self.set.segments.push(segment);
    }

    /// Adds segments to the part opened last.
    pub fn extend(&mut self, segments: impl IntoIterator<Item = OutSegment>) {
        for segment in segments {
            self.push(segment);
        }
    }

    /// Keeps a place for a segment that can not be written yet.
    pub fn keep_place(&mut self) -> Place {
        self.push(seg(""));
        Place(self.set.segments.len() - 1)
    }

    /// Writes the segment that a place was kept for.
    pub fn fill(&mut self, place: Place, segment: OutSegment) {
        if let Some(kept) = self.set.segments.get_mut(place.0) {
            *kept = segment;
        }
    }

    /// Remarks what keeps the document from being sent.
    pub fn refuse(&mut self, code: &str, message: impl Into<String>) {
        self.findings
            .push(Finding::business(code, Severity::Hold, message));
    }

    /// Has the set judged as it stands, before the partner's own changes: a change that the partner wants is no
    /// difference from the documents before it. What is refused already is not judged.
    pub fn check(&mut self, judge: impl FnOnce(&OutboundSet) -> Vec<Finding>) {
        if self.findings.is_empty() {
            self.findings = judge(&self.set);
        }
    }

    /// The finished set.
    ///
    /// # Errors
    /// Every finding that keeps it from being sent.
    pub fn finish(mut self) -> Result<OutboundSet, Vec<Finding>> {
        if !self.rules.is_empty() {
            self.change();
        }
        self.set.segments.retain(|segment| !segment.is_empty());
        let delimiters = delimiters(&self.profile.envelope);
        self.findings
            .extend(text::clean(&mut self.set, &delimiters));
        if self.findings.is_empty() {
            Ok(self.set)
        } else {
            Err(self.findings)
        }
    }

    /// Applies the partner's own changes, part by part.
    fn change(&mut self) {
        let mut segments = std::mem::take(&mut self.set.segments).into_iter();
        let ends: Vec<usize> = self.parts.iter().skip(1).map(|part| part.from).collect();
        let ends = ends.into_iter().chain([usize::MAX]);
        let opened = std::mem::take(&mut self.parts);
        let mut parts: Vec<Part<'_>> = opened
            .into_iter()
            .zip(ends)
            .map(|(part, end)| Part {
                level: part.level,
                facts: part.facts,
                segments: segments.by_ref().take(end - part.from).collect(),
            })
            .collect();
        rules::apply(
            self.rules,
            &mut parts,
            self.profile,
            &self.set.code,
            &mut self.findings,
        );
        self.set.segments = parts.into_iter().flat_map(|part| part.segments).collect();
    }
}

/// A place in a draft that is kept for a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(usize);

/// The separators that the profile gives what we send.
pub fn delimiters(envelope: &Envelope) -> Delimiters {
    let byte = |character: char, otherwise: u8| u8::try_from(character).unwrap_or(otherwise);
    let usual = Delimiters::default();
    let repeats = envelope.isa_version() >= "00402";
    Delimiters {
        element: byte(envelope.element, usual.element),
        component: byte(envelope.component, usual.component),
        repetition: repeats.then(|| byte(envelope.repetition, b'^')),
        terminator: byte(envelope.terminator, usual.terminator),
        after_terminator: supercargo_x12::AfterTerminator::new(
            envelope.line_ending.text().as_bytes(),
        ),
    }
}

/// The text of element `n` of a segment that was built, from 1; empty where there is none.
pub(super) fn built(segment: &OutSegment, n: usize) -> &str {
    match segment.elements.get(n.wrapping_sub(1)) {
        Some(supercargo_x12::OutElement::Simple(value)) => value,
        _ => "",
    }
}
