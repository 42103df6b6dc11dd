//! What every outbound document has in common: parts by level, the partner's own changes to them, and characters that
//! can be sent.
//!
//! A builder makes a [`Draft`]: the document's segments in parts, each with what may be looked up there. [`Draft::finish`]
//! applies the profile's `[[outbound.…]]` rules, cleans free text and refuses what can not be sent, before anything
//! takes a control number.

mod facts;
mod order;
mod rules;
pub mod text;

pub(super) use facts::Facts;

use supercargo_x12::{Delimiters, OutSegment, OutboundSet};

use crate::config::profile::Profile;
use crate::config::profile::envelope::Envelope;
use crate::config::profile::outbound::OutboundLevel;
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

/// An outbound document that is being built.
pub(super) struct Draft<'a> {
    set: &'static str,
    parts: Vec<Part<'a>>,
    findings: Vec<Finding>,
}

impl<'a> Draft<'a> {
    /// An empty document of a set.
    pub fn new(set: &'static str) -> Self {
        Self {
            set,
            parts: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Opens a part; segments are added to the part opened last.
    pub fn open(&mut self, level: OutboundLevel, facts: Facts<'a>) {
        self.parts.push(Part {
            level,
            facts,
            segments: Vec::new(),
        });
    }

    /// Adds a segment to the part opened last.
    pub fn push(&mut self, segment: OutSegment) {
        if let Some(part) = self.parts.last_mut() {
            part.segments.push(segment);
        }
    }

    /// Adds segments to the part opened last.
    pub fn extend(&mut self, segments: impl IntoIterator<Item = OutSegment>) {
        for segment in segments {
            self.push(segment);
        }
    }

    /// Remarks what keeps the document from being sent.
    pub fn refuse(&mut self, code: &str, message: impl Into<String>) {
        self.findings
            .push(Finding::business(code, Severity::Hold, message));
    }

    /// The parts.
    pub fn parts_mut(&mut self) -> &mut [Part<'a>] {
        &mut self.parts
    }

    /// Has the set judged as it stands, before the partner's own changes: a change that the partner wants is no
    /// difference from the documents before it. What is refused already is not judged.
    pub fn check(&mut self, judge: impl FnOnce(&OutboundSet) -> Vec<Finding>) {
        if !self.findings.is_empty() {
            return;
        }
        let mut plain = OutboundSet::new(self.set);
        let sizes: Vec<usize> = self.parts.iter().map(|part| part.segments.len()).collect();
        let parts = self.parts.iter_mut();
        plain.segments = parts.flat_map(|part| part.segments.drain(..)).collect();
        self.findings = judge(&plain);
        let mut segments = plain.segments.into_iter();
        for (part, size) in self.parts.iter_mut().zip(sizes) {
            part.segments.extend(segments.by_ref().take(size));
        }
    }

    /// The finished set.
    ///
    /// # Errors
    /// Every finding that keeps it from being sent.
    pub fn finish(mut self, profile: &Profile) -> Result<OutboundSet, Vec<Finding>> {
        if let Some(changes) = profile.outbound.get(self.set) {
            rules::apply(
                changes,
                &mut self.parts,
                profile,
                self.set,
                &mut self.findings,
            );
        }
        let mut set = OutboundSet::new(self.set);
        for segment in self.parts.into_iter().flat_map(|part| part.segments) {
            set.push(segment);
        }
        self.findings
            .extend(text::clean(&mut set, &delimiters(&profile.envelope)));
        if self.findings.is_empty() {
            Ok(set)
        } else {
            Err(self.findings)
        }
    }
}

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
