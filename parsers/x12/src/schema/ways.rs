//! Which place of a set comes next for an identifier: what a search among siblings would find,
//! found beforehand.

use super::{Key, NONE, Node};

/// The ways from each place of a schema to the places that follow it in its loop.
#[derive(Debug)]
pub(crate) struct Ways {
    /// Identifiers by hash, each with its column; 0 where there is none.
    keys: Vec<(u32, u16)>,
    columns: usize,
    /// For each node and column: the first later sibling with the identifier, and whether something
    /// mandatory stands between.
    after: Vec<u16>,
    /// For each node: whether something mandatory follows among its siblings.
    before_mandatory: Vec<bool>,
}

const SKIPS: u16 = 0x8000;
const NOWHERE: u16 = 0x7fff;

impl Ways {
    /// The most places that a set may have.
    pub const PLACES: usize = NOWHERE as usize;

    /// The ways between at most [`Ways::PLACES`] places.
    pub fn between(nodes: &[Node]) -> Ways {
        // The first node is the set itself, which no identifier names.
        let mut known: Vec<Key> = nodes.iter().skip(1).map(|node| node.key).collect();
        known.sort_unstable();
        known.dedup();
        let mut ways = Ways {
            keys: vec![(0, 0); (known.len() * 4).next_power_of_two()],
            columns: known.len(),
            after: vec![NOWHERE; known.len() * nodes.len()],
            before_mandatory: vec![false; nodes.len()],
        };
        for (key, column) in known.iter().zip(0..) {
            let mut slot = ways.slot(*key);
            while ways.keys[slot].0 != 0 {
                slot = (slot + 1) % ways.keys.len();
            }
            ways.keys[slot] = (key.0, column);
        }
        for (from, node) in nodes.iter().enumerate() {
            let (mut at, mut skips) = (node.next, false);
            while at != NONE {
                let sibling = &nodes[at as usize];
                if let Ok(column) = known.binary_search(&sibling.key)
                    && let way = &mut ways.after[from * known.len() + column]
                    && *way == NOWHERE
                {
                    *way = at as u16 | if skips { SKIPS } else { 0 };
                }
                skips |= sibling.mandatory;
                at = sibling.next;
            }
            ways.before_mandatory[from] = skips;
        }
        ways
    }

    fn slot(&self, key: Key) -> usize {
        (key.0.wrapping_mul(0x9e37_79b1) >> 8) as usize & (self.keys.len() - 1)
    }

    /// The column of an identifier; none where the set has no segment of this name.
    #[inline]
    pub fn column(&self, key: Key) -> Option<usize> {
        let mut slot = self.slot(key);
        loop {
            match self.keys[slot] {
                (0, _) => return None,
                (known, column) if known == key.0 => return Some(usize::from(column)),
                _ => slot = (slot + 1) & (self.keys.len() - 1),
            }
        }
    }

    /// The first sibling after a node in this column, and whether something mandatory stands between.
    #[inline]
    pub fn after(&self, node: u32, column: usize) -> Option<(u32, bool)> {
        let way = *self.after.get(node as usize * self.columns + column)?;
        let to = way & !SKIPS;
        (to != NOWHERE).then_some((u32::from(to), way & SKIPS != 0))
    }

    /// Whether something mandatory follows a node among its siblings.
    #[inline]
    pub fn is_before_mandatory(&self, node: u32) -> bool {
        self.before_mandatory
            .get(node as usize)
            .is_some_and(|is| *is)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SchemaRegistry;

    #[test]
    fn ways_are_what_a_search_finds() {
        let registry = SchemaRegistry::standard();
        for (release, code) in registry.sets() {
            let schema = registry.find(code, release).unwrap();
            let ways = &schema.ways;
            for (from, node) in schema.nodes.iter().enumerate() {
                for key in schema.nodes.iter().skip(1).map(|node| node.key) {
                    let (mut at, mut skips) = (node.next, false);
                    while at != NONE && schema.nodes[at as usize].key != key {
                        skips |= schema.nodes[at as usize].mandatory;
                        at = schema.nodes[at as usize].next;
                    }
                    let found = ways.after(from as u32, ways.column(key).unwrap());
                    assert_eq!(found, (at != NONE).then_some((at, skips)));
                }
            }
            assert_eq!(ways.column(Key::of(b"ZZZ")), None);
        }
    }
}
