//! Segments in their order: the walk through a schema's loops.

use super::Report;
use crate::finding::{Finding, Rule};
use crate::schema::{Key, NONE, Schema};
use crate::set::{Segment, TransactionSet};
use crate::text::{counted, show};

/// A loop that is open, and the place reached in it.
#[derive(Debug, Clone, Copy)]
struct Frame {
    /// The loop.
    node: u32,
    /// The child reached.
    child: u32,
    /// How often the child was met.
    count: u32,
}

/// The state of the walk.
#[derive(Debug, Default)]
pub(super) struct Walk {
    frames: Vec<Frame>,
    refused: Refused,
}

/// The segments without a place that were met one behind the other just now, as far as they begin loops.
#[derive(Debug, Default)]
struct Refused {
    /// Each begins a loop; with its position in the set.
    openers: Vec<(Key, u32)>,
    /// Position of the last of all of them.
    last: u32,
}

impl Refused {
    /// A segment that has its place further up: it does not part what follows from those before.
    fn pass(&mut self, index: u32) {
        if self.last + 1 == index {
            self.last = index;
        }
    }

    /// Another segment without a place. Of those that stand right before it, the one that begins a loop in which this
    /// one has its place: its position.
    fn follow(&mut self, schema: &Schema, segment: Segment<'_>) -> Option<(Key, u32)> {
        if self.last + 1 != segment.index() {
            self.openers.clear();
        }
        self.last = segment.index();
        let key = segment.key();
        let places = || {
            (0u32..)
                .zip(&schema.nodes)
                .filter(|(_, node)| node.key == key && !node.is_loop)
        };
        let belongs =
            |opener: Key| opener != key && places().any(|(at, _)| schema.is_within(at, opener));
        let found = self
            .openers
            .iter()
            .rev()
            .copied()
            .find(|(opener, _)| belongs(*opener));
        if places().any(|(at, _)| schema.begins_loop(at)) {
            self.openers.retain(|(opener, _)| *opener != key);
            self.openers.push((key, segment.index()));
        }
        found
    }
}

/// Where a segment was found.
struct Match {
    /// Frames that stay open.
    depth: usize,
    node: u32,
    /// It, or its loop, was met as often as is allowed.
    too_often: bool,
    /// Something mandatory stands between the place reached and this one.
    skips: bool,
}

impl Walk {
    pub fn start(&mut self, schema: &Schema) {
        self.frames.clear();
        self.refused = Refused::default();
        self.frames.push(Frame {
            node: 0,
            child: schema.nodes[0].first_child,
            count: 0,
        });
    }

    /// Finds the place of the next segment. Returns its node, or none where it has no place.
    pub fn place(&mut self, schema: &Schema, segment: Segment<'_>, report: &mut Report<'_>) -> u32 {
        let key = segment.key();
        let found = schema.ways.column(key);
        match found.and_then(|column| self.find(schema, key, column)) {
            Some(found) => self.enter(schema, found, segment, report),
            None => self.misplaced(schema, key, segment, report),
        }
    }

    /// The first place for the segment: deepest loop first, never backwards.
    fn find(&self, schema: &Schema, key: Key, column: usize) -> Option<Match> {
        let mut too_often = None;
        let mut skips = false;
        for (depth, frame) in self.frames.iter().enumerate().rev() {
            let at = frame.child;
            let Some(node) = schema.nodes.get(at as usize) else {
                continue;
            };
            let found = |node, too_often, skips| Match {
                depth: depth + 1,
                node,
                too_often,
                skips,
            };
            if node.key == key {
                if frame.count < node.max {
                    return Some(found(at, false, skips));
                }
                // The segment that begins a loop comes again with the loop, not within it.
                if schema.nodes[frame.node as usize].first_child != at || frame.node == 0 {
                    too_often.get_or_insert(found(at, true, skips));
                }
            }
            skips |= node.mandatory && frame.count == 0;
            if let Some((node, skips_more)) = schema.ways.after(at, column) {
                return Some(found(node, false, skips | skips_more));
            }
            skips |= schema.ways.is_before_mandatory(at);
        }
        too_often
    }

    fn enter(
        &mut self,
        schema: &Schema,
        found: Match,
        segment: Segment<'_>,
        report: &mut Report<'_>,
    ) -> u32 {
        let deepest = self.frames.len();
        let lowest = if found.skips {
            found.depth - 1
        } else {
            deepest
        };
        for depth in (lowest..deepest).rev() {
            let until = if depth + 1 == found.depth {
                found.node
            } else {
                NONE
            };
            self.report_missing(schema, depth, until, segment, report);
        }
        self.frames.truncate(found.depth);
        let node = &schema.nodes[found.node as usize];
        if found.too_often {
            let (rule, what) = if node.is_loop {
                (Rule::LoopTooOften, "loop")
            } else {
                (Rule::SegmentTooOften, "segment")
            };
            let text = format!(
                "The {what} {} may stand here {} at most; take out this one.",
                segment.id(),
                counted(node.max.into(), "time")
            );
            report.add(report.segment(rule, segment, schema.loop_of(found.node), text));
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.count = if frame.child == found.node {
                frame.count.saturating_add(1)
            } else {
                1
            };
            frame.child = found.node;
        }
        self.open(schema, found.node)
    }

    /// Opens the loop that a node is; the node of the segment itself.
    fn open(&mut self, schema: &Schema, at: u32) -> u32 {
        let node = &schema.nodes[at as usize];
        if !node.is_loop {
            return at;
        }
        self.frames.push(Frame {
            node: at,
            child: node.first_child,
            count: 1,
        });
        node.first_child
    }

    /// Reports what is mandatory in an open loop between the place reached and `until`.
    fn report_missing(
        &self,
        schema: &Schema,
        depth: usize,
        until: u32,
        segment: Segment<'_>,
        report: &mut Report<'_>,
    ) {
        let place = if until == NONE && !segment.set().is_complete() {
            "after"
        } else {
            "before"
        };
        let frame = self.frames[depth];
        let mut at = frame.child;
        let mut count = frame.count;
        while at != NONE && at != until {
            let node = &schema.nodes[at as usize];
            if node.mandatory && count == 0 {
                let id = schema.id_of(at);
                let what = if node.is_loop { "loop" } else { "segment" };
                let text = format!(
                    "The {what} {id} ({}) is missing {place} {}; it is mandatory here.",
                    schema.definition(at).map_or("", |d| d.name.as_str()),
                    segment.id()
                );
                let mut finding =
                    report.segment(Rule::SegmentMissing, segment, schema.loop_of(at), text);
                finding.segment = Some(id.to_owned());
                report.add(finding);
            }
            at = node.next;
            count = 0;
        }
    }

    /// A segment without a place: says why, and for a loop that comes too late lets its segments
    /// follow.
    fn misplaced(
        &mut self,
        schema: &Schema,
        key: Key,
        segment: Segment<'_>,
        report: &mut Report<'_>,
    ) -> u32 {
        let loop_id = self
            .frames
            .last()
            .and_then(|frame| (frame.node != 0).then(|| schema.id_of(frame.node)));
        let id = segment.id();
        if let Some(earlier) = self.earlier(schema, key) {
            let text = format!(
                "The segment {id} stands too late: what was met before must follow it. Move it up."
            );
            report.add(report.segment(Rule::SegmentOutOfOrder, segment, loop_id, text));
            self.refused.pass(segment.index());
            return self.open(schema, earlier);
        }
        let (rule, text) = if let Some((opener, index)) = self.refused.follow(schema, segment) {
            let opener = schema.dictionary.segment(opener);
            let opener = opener.map_or("", |definition| definition.id.as_str());
            (
                Rule::SegmentUnexpected,
                format!(
                    "The segment {id} belongs to the {opener} above it (segment {index}), which has no place here itself: with that {opener} put right, this one is."
                ),
            )
        } else if let Some(at) = schema.nodes.iter().position(|node| node.key == key) {
            let begins = match schema.loop_of(at as u32) {
                Some(begins) => format!("put {begins} before it, or take it out"),
                None => "take it out".to_owned(),
            };
            (
                Rule::SegmentUnexpected,
                format!("The segment {id} belongs into a loop that was not begun here: {begins}."),
            )
        } else if schema.dictionary.segment(key).is_some() {
            (
                Rule::SegmentNotInSet,
                format!(
                    "The segment {id} is no part of the set {}; take it out.",
                    schema.code
                ),
            )
        } else if id.is_empty() {
            (
                Rule::SegmentUnrecognized,
                super::WITHOUT_IDENTIFIER.to_owned(),
            )
        } else {
            let capitals = id.to_ascii_uppercase();
            let known = schema.dictionary.segment(Key::of(capitals.as_bytes()));
            let instead = match known.filter(|_| capitals != id) {
                Some(_) => format!("write {capitals} in capitals"),
                None => "correct its identifier, or take it out".to_owned(),
            };
            (
                Rule::SegmentUnrecognized,
                format!(
                    "No segment {} of release {} is known here; {instead}.",
                    show(id),
                    schema.release.as_str()
                ),
            )
        };
        report.add(report.segment(rule, segment, loop_id, text));
        NONE
    }

    /// The segment's place before the one reached, in an open loop.
    fn earlier(&self, schema: &Schema, key: Key) -> Option<u32> {
        self.frames.iter().rev().find_map(|frame| {
            let mut at = schema.nodes[frame.node as usize].first_child;
            while at != NONE && at != frame.child {
                if schema.nodes[at as usize].key == key {
                    return Some(at);
                }
                at = schema.nodes[at as usize].next;
            }
            None
        })
    }

    /// The set has ended: whatever mandatory was not met is missing. SE is the reader's business.
    pub fn finish(&mut self, schema: &Schema, set: &TransactionSet, report: &mut Report<'_>) {
        let Some(last) = set.segments().next_back() else {
            return;
        };
        // Of a set that was given up at a limit nobody knows what stands in the rest.
        let given_up =
            |finding: &Finding| matches!(finding.rule, Rule::SegmentTooLong | Rule::SetTooLong);
        if set.is_complete() || set.findings().iter().any(given_up) {
            return;
        }
        for depth in (0..self.frames.len()).rev() {
            let from = report.findings.len();
            self.report_missing(schema, depth, NONE, last, report);
            // Missing after the last segment; SE itself has its own finding.
            let mut kept = 0;
            for at in from..report.findings.len() {
                let finding = &mut report.findings[at];
                finding.segment_index = Some(last.index() + 1);
                if finding.segment.as_deref() != Some("SE") {
                    report.findings.swap(from + kept, at);
                    kept += 1;
                }
            }
            report.findings.truncate(from + kept);
        }
    }
}
