//! What each set of each release may hold: segments, loops, elements, codes, conditions.
//!
//! The texts stand under `schemas/` in our own words; they are checked when the crate is built
//! and compiled into tables when a set is first asked for.

mod compile;
mod functional;
#[allow(missing_docs)]
pub(crate) mod text;
mod ways;

pub use functional::functional_id_of;
use ways::Ways;

use crate::element::ElementType;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// A release of X12 that can be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Release {
    /// 004010.
    #[serde(rename = "004010")]
    R004010,
    /// 005010.
    #[serde(rename = "005010")]
    R005010,
}

impl Release {
    /// All of them.
    pub const ALL: [Release; 2] = [Release::R004010, Release::R005010];

    /// The release that GS08 names, whatever industry suffix follows it.
    pub fn of_version(version: &str) -> Option<Release> {
        match version.get(..6)? {
            "004010" => Some(Release::R004010),
            "005010" => Some(Release::R005010),
            _ => None,
        }
    }

    /// The release to read elements by where GS08 may name one without schemas: that which it names,
    /// else the nearest. It is a help for readers: nothing is judged by it unless a guide says so.
    pub fn nearest(version: &str) -> Release {
        Release::of_version(version).unwrap_or_else(|| match version.get(..3) {
            Some(major) if major.bytes().all(|b| b.is_ascii_digit()) && major >= "005" => {
                Release::R005010
            }
            _ => Release::R004010,
        })
    }

    /// `004010` or `005010`.
    pub fn as_str(self) -> &'static str {
        match self {
            Release::R004010 => "004010",
            Release::R005010 => "005010",
        }
    }

    /// The version of the interchange (ISA12) that goes with it.
    pub fn isa_version(self) -> &'static str {
        match self {
            Release::R004010 => "00401",
            Release::R005010 => "00501",
        }
    }
}

/// An identifier of two or three characters as one number, to compare quickly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(pub u32);

impl Key {
    /// The characters as they stand in memory, the first lowest. Longer or shorter identifiers get a
    /// key that no segment has.
    #[inline]
    pub const fn of(id: &[u8]) -> Key {
        match id {
            [a, b] => Key(u32::from_le_bytes([*a, *b, 0, 0])),
            [a, b, c] if *c != 0 => Key(u32::from_le_bytes([*a, *b, *c, 0])),
            _ => Key(u32::MAX),
        }
    }
}

/// A data element.
#[derive(Debug)]
pub(crate) struct Element {
    pub number: u16,
    pub name: String,
    pub kind: ElementType,
    pub min: usize,
    pub max: usize,
    pub codes: Option<CodeList>,
}

/// The codes of an element, sorted.
#[derive(Debug)]
pub(crate) struct CodeList {
    /// Any other code is wrong; an open list only names the codes that we explain.
    pub closed: bool,
    pub codes: Vec<(String, String)>,
    /// The codes packed, by hash.
    pub packed: PackedCodes,
}

/// Codes of up to eight bytes, each packed into a number.
#[derive(Debug)]
pub(crate) struct PackedCodes(Vec<u64>);

impl PackedCodes {
    pub fn of(codes: impl ExactSizeIterator<Item = u64>) -> PackedCodes {
        let mut all = PackedCodes(vec![0; (codes.len() * 4).next_power_of_two()]);
        for code in codes {
            let mut slot = all.slot(code);
            while all.0[slot] != 0 {
                slot = (slot + 1) & (all.0.len() - 1);
            }
            all.0[slot] = code;
        }
        all
    }

    fn slot(&self, code: u64) -> usize {
        (code.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize & (self.0.len() - 1)
    }

    /// Whether the code is one of them; 0, the empty code, never is.
    #[inline]
    pub fn hold(&self, code: u64) -> bool {
        let mut slot = self.slot(code);
        while self.0[slot] != 0 {
            if self.0[slot] == code {
                return true;
            }
            slot = (slot + 1) & (self.0.len() - 1);
        }
        false
    }
}

impl CodeList {
    /// Whether the code is in the list.
    #[inline]
    pub fn holds(&self, code: &[u8]) -> bool {
        Self::pack(code).is_some_and(|packed| self.packed.hold(packed))
    }

    /// A code of up to eight bytes as a number, the first byte lowest.
    pub fn pack(code: &[u8]) -> Option<u64> {
        if code.len() > 8 {
            return None;
        }
        let mut bytes = [0; 8];
        bytes[..code.len()].copy_from_slice(code);
        Some(u64::from_le_bytes(bytes))
    }

    pub fn meaning(&self, code: &str) -> Option<&str> {
        self.codes
            .binary_search_by(|(known, _)| known.as_str().cmp(code))
            .ok()
            .map(|at| self.codes[at].1.as_str())
    }
}

/// What stands at a place of a segment or composite.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    Element(u16),
    Composite(u16),
}

/// A place of a segment or composite.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Use {
    pub what: What,
    pub mandatory: bool,
    pub repeat: u16,
}

/// The kinds of conditions between elements (rule 22).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConditionKind {
    Paired,
    Required,
    Exclusive,
    Conditional,
    List,
}

/// A condition between elements.
#[derive(Debug)]
pub(crate) struct Condition {
    pub kind: ConditionKind,
    /// Bit n for element n.
    pub mask: u64,
    pub members: Vec<u8>,
}

impl Condition {
    /// Whether it is fulfilled by the elements that are given, bit n for element n.
    #[inline]
    pub fn is_fulfilled(&self, present: u64) -> bool {
        let some = present & self.mask;
        let first = || some & (1 << self.members[0]) == 0;
        match self.kind {
            ConditionKind::Paired => some == 0 || some == self.mask,
            ConditionKind::Required => some != 0,
            ConditionKind::Exclusive => some.count_ones() <= 1,
            ConditionKind::Conditional => first() || some == self.mask,
            ConditionKind::List => first() || some.count_ones() > 1,
        }
    }
}

/// A segment or composite.
#[derive(Debug)]
pub(crate) struct Definition {
    pub id: String,
    pub name: String,
    pub uses: Vec<Use>,
    pub conditions: Vec<Condition>,
    /// The places again, as short as the quick check needs them.
    pub checks: Vec<Check>,
    /// Bit n for mandatory element n.
    pub mandatory: u64,
    /// Its place among the definitions of its kind.
    pub ordinal: u16,
}

/// What the quick check of a value asks for: it may only let pass what is certainly right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Check {
    pub kind: CheckKind,
    pub min: u16,
    pub max: u16,
    /// Index of the element in the dictionary.
    pub element: u16,
}

/// The kinds of quick checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CheckKind {
    /// Text, or a long code of no list: any allowed character, no blank at the end.
    Text,
    /// A short code of no list: capitals and digits.
    Code,
    /// A code of a list that has all of them.
    Listed,
    /// Digits.
    Whole,
    /// Digits and perhaps a point.
    Decimal,
    Date,
    Time,
    /// A composite, binary data: nothing is quick about them.
    Other,
}

/// Elements, composites and segments of a release.
#[derive(Debug)]
pub(crate) struct Dictionary {
    pub elements: Vec<Element>,
    pub composites: Vec<Definition>,
    pub segments: Vec<Definition>,
    pub by_key: HashMap<Key, u16>,
}

impl Dictionary {
    pub fn segment(&self, key: Key) -> Option<&Definition> {
        self.by_key
            .get(&key)
            .and_then(|at| self.segments.get(usize::from(*at)))
    }
}

/// No node.
pub(crate) const NONE: u32 = u32::MAX;

/// A segment or loop at its place in a set.
#[derive(Debug)]
pub(crate) struct Node {
    pub key: Key,
    pub is_loop: bool,
    pub mandatory: bool,
    pub max: u32,
    pub parent: u32,
    pub first_child: u32,
    pub next: u32,
    /// Index of its definition; of a loop, of the segment that begins it.
    pub definition: u16,
}

/// A transaction set in a release.
#[derive(Debug)]
pub struct Schema {
    pub(crate) code: String,
    pub(crate) functional_id: String,
    pub(crate) name: String,
    pub(crate) release: Release,
    /// The first is the set itself, a loop of everything.
    pub(crate) nodes: Vec<Node>,
    pub(crate) ways: Ways,
    pub(crate) dictionary: Arc<Dictionary>,
}

impl Schema {
    /// ST01.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// GS01.
    pub fn functional_id(&self) -> &str {
        &self.functional_id
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The release.
    pub fn release(&self) -> Release {
        self.release
    }

    pub(crate) fn definition(&self, node: u32) -> Option<&Definition> {
        let node = self.nodes.get(node as usize)?;
        self.dictionary.segments.get(usize::from(node.definition))
    }

    /// The identifier of the segment that a node is, or that begins its loop.
    pub(crate) fn id_of(&self, node: u32) -> &str {
        self.definition(node)
            .map_or("", |definition| definition.id.as_str())
    }

    /// Whether a node is the segment that begins a loop.
    pub(crate) fn begins_loop(&self, node: u32) -> bool {
        self.nodes.get(node as usize).is_some_and(|this| {
            this.parent != 0
                && self
                    .nodes
                    .get(this.parent as usize)
                    .is_some_and(|parent| parent.first_child == node)
        })
    }

    /// Loops around a node, the one that it begins included.
    pub(crate) fn depth(&self, mut node: u32) -> usize {
        let mut depth = 0;
        while let Some(parent) = self
            .nodes
            .get(node as usize)
            .map(|node| node.parent)
            .filter(|parent| *parent != NONE && *parent != 0)
        {
            depth += 1;
            node = parent;
        }
        depth
    }

    /// Whether a node stands in a loop that begins with this segment, be it as that segment.
    pub(crate) fn is_within(&self, mut node: u32, begins: Key) -> bool {
        while let Some(parent) = self.nodes.get(node as usize).map(|node| node.parent) {
            if parent != 0
                && self
                    .nodes
                    .get(parent as usize)
                    .is_some_and(|it| it.key == begins)
            {
                return true;
            }
            node = parent;
        }
        false
    }

    /// The loop that a node stands in, by the identifier that begins it; none in the heading.
    pub(crate) fn loop_of(&self, node: u32) -> Option<&str> {
        let parent = self.nodes.get(node as usize)?.parent;
        (parent != 0 && parent != NONE).then(|| self.id_of(parent))
    }
}

type Slot = OnceLock<Option<Arc<Schema>>>;

/// All schemas that come with the crate.
pub struct SchemaRegistry {
    slots: Vec<(Release, &'static str, &'static str, Slot)>,
    dictionaries: [OnceLock<Arc<Dictionary>>; 2],
}

impl SchemaRegistry {
    /// The schemas of the standard. One for the whole process is enough: tables are made when
    /// first asked for and then shared.
    pub fn standard() -> &'static SchemaRegistry {
        static REGISTRY: OnceLock<SchemaRegistry> = OnceLock::new();
        REGISTRY.get_or_init(|| SchemaRegistry {
            slots: compile::SETS
                .iter()
                .map(|(release, code, text)| (*release, *code, *text, OnceLock::new()))
                .collect(),
            dictionaries: [OnceLock::new(), OnceLock::new()],
        })
    }

    /// The schema of a set in a release.
    pub fn find(&self, code: &str, release: Release) -> Option<&Schema> {
        let (.., text, slot) = self
            .slots
            .iter()
            .find(|(of, set, ..)| *of == release && *set == code)?;
        slot.get_or_init(|| {
            compile::schema(text, release, self.dictionary(release))
                .ok()
                .map(Arc::new)
        })
        .as_deref()
    }

    /// The sets that have a schema, by release and number.
    pub fn sets(&self) -> Vec<(Release, &'static str)> {
        let mut sets: Vec<_> = self
            .slots
            .iter()
            .map(|(release, set, ..)| (*release, *set))
            .collect();
        sets.sort_unstable();
        sets
    }

    pub(crate) fn dictionary(&self, release: Release) -> Arc<Dictionary> {
        let slot = match release {
            Release::R004010 => &self.dictionaries[0],
            Release::R005010 => &self.dictionaries[1],
        };
        Arc::clone(slot.get_or_init(|| Arc::new(compile::dictionary(release))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_release_of_any_version() {
        for (version, nearest) in [
            ("003060", Release::R004010),
            ("004010VICS", Release::R004010),
            ("004030", Release::R004010),
            ("005010X220", Release::R005010),
            ("005030", Release::R005010),
            ("008020", Release::R005010),
            ("", Release::R004010),
            ("X12", Release::R004010),
            ("ééé", Release::R004010),
        ] {
            assert_eq!(Release::nearest(version), nearest, "{version}");
        }
    }

    #[test]
    fn every_schema_compiles() {
        let registry = SchemaRegistry::standard();
        assert!(!registry.sets().is_empty());
        for (release, code) in registry.sets() {
            let schema = registry
                .find(code, release)
                .unwrap_or_else(|| panic!("{code} {release:?}"));
            assert_eq!((schema.code(), schema.release()), (code, release));
            assert_eq!(
                functional_id_of(code),
                Some(schema.functional_id()),
                "{code}"
            );
        }
    }

    #[test]
    fn only_lists_that_are_known_whole_are_closed() {
        for (release, closed) in [
            (
                Release::R004010,
                &[248, 349, 353, 478, 481, 587, 715, 717, 720, 723, 736, 1073][..],
            ),
            (
                Release::R005010,
                &[
                    248, 349, 353, 478, 481, 587, 620, 715, 717, 720, 723, 736, 1073,
                ],
            ),
        ] {
            let dictionary = SchemaRegistry::standard().dictionary(release);
            let found: Vec<u16> = dictionary
                .elements
                .iter()
                .filter(|element| element.codes.as_ref().is_some_and(|list| list.closed))
                .map(|element| element.number)
                .collect();
            assert_eq!(found, closed, "{release:?}");
        }
    }
}
