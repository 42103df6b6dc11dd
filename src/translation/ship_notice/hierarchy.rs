//! The HL levels: numbered as they come, each with its parent, and truthful about children (X12-RULES 64).

use supercargo_x12::{OutSegment, seg};

use super::super::outbound::{Draft, Facts, Place};
use crate::config::profile::outbound::OutboundLevel;

/// A level that has been opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level(usize);

struct Opened {
    parent: Option<Level>,
    code: &'static str,
    children: bool,
    hl: Place,
}

/// A document of levels that is being built.
pub struct Hierarchy<'a> {
    draft: Draft<'a>,
    /// Stands before the first HL.
    beginning: Option<OutSegment>,
    levels: Vec<Opened>,
}

impl<'a> Hierarchy<'a> {
    /// No level yet. `beginning` goes before the first.
    pub fn new(draft: Draft<'a>, beginning: OutSegment) -> Self {
        Self {
            draft,
            beginning: Some(beginning),
            levels: Vec::new(),
        }
    }

    /// Opens a level below `parent` with its segments.
    pub fn open(
        &mut self,
        kind: OutboundLevel,
        parent: Option<Level>,
        facts: impl FnOnce() -> Facts<'a>,
        segments: impl IntoIterator<Item = OutSegment>,
    ) -> Level {
        let code = match kind {
            OutboundLevel::Order => "O",
            OutboundLevel::Tare => "T",
            OutboundLevel::Pack => "P",
            OutboundLevel::Item => "I",
            _ => "S",
        };
        if let Some(parent) = parent.and_then(|parent| self.levels.get_mut(parent.0)) {
            parent.children = true;
        }
        self.draft.open(kind, facts);
        self.draft.extend(self.beginning.take());
        self.levels.push(Opened {
            parent,
            code,
            children: false,
            // Filled when all children are known.
            hl: self.draft.keep_place(),
        });
        self.draft.extend(segments);
        Level(self.levels.len() - 1)
    }

    /// How many levels there are, and how many of them are items.
    pub fn counts(&self) -> (usize, usize) {
        let items = self.levels.iter().filter(|level| level.code == "I").count();
        (self.levels.len(), items)
    }

    /// The document, its HL segments filled in.
    pub fn close(mut self, child_code: bool) -> Draft<'a> {
        let (mut own, mut above) = (itoa::Buffer::new(), itoa::Buffer::new());
        for (level, number) in self.levels.iter().zip(1usize..) {
            let hl = seg("HL")
                .el(own.format(number))
                .opt(level.parent.map(|parent| above.format(parent.0 + 1)))
                .el(level.code)
                .opt(child_code.then_some(if level.children { "1" } else { "0" }));
            self.draft.fill(level.hl, hl);
        }
        self.draft
    }
}
