//! Control numbers met so far, in little memory: runs of consecutive numbers are one entry.

use std::collections::{BTreeMap, HashSet};

/// Entries kept at most; beyond it a repeated number may go unnoticed.
const LIMIT: usize = 100_000;

/// A set of control numbers, numeric or not.
#[derive(Debug, Default)]
pub(crate) struct ControlNumbers {
    /// First to last of each run, for numbers of one written length.
    runs: BTreeMap<(usize, u64), u64>,
    others: HashSet<Box<str>>,
}

impl ControlNumbers {
    /// Adds a number; false if it was there before.
    pub fn insert(&mut self, number: &str) -> bool {
        let length = number.len();
        match number.parse::<u64>() {
            Ok(value) if length <= 18 && number.bytes().all(|b| b.is_ascii_digit()) => {
                self.insert_value(length, value)
            }
            _ if self.others.len() < LIMIT => self.others.insert(number.into()),
            _ => !self.others.contains(number),
        }
    }

    fn insert_value(&mut self, length: usize, value: u64) -> bool {
        let before = self
            .runs
            .range(..=(length, value))
            .next_back()
            .map(|(key, last)| (*key, *last))
            .filter(|((l, _), _)| *l == length);
        if before.is_some_and(|(_, last)| last >= value) {
            return false;
        }
        let after = self.runs.remove(&(length, value + 1));
        match before {
            Some((key, last)) if last + 1 == value => {
                self.runs.insert(key, after.unwrap_or(value));
            }
            _ if self.runs.len() < LIMIT => {
                self.runs.insert((length, value), after.unwrap_or(value));
            }
            _ => {}
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_repeats_and_keeps_runs_short() {
        let mut seen = ControlNumbers::default();
        for n in 1..=10_000 {
            assert!(seen.insert(&format!("{n:06}")));
        }
        assert_eq!(seen.runs.len(), 1);
        assert!(!seen.insert("000001") && !seen.insert("005000") && !seen.insert("010000"));
        assert!(
            seen.insert("0001"),
            "compared as text: other length, other number"
        );
        assert!(seen.insert("A1") && !seen.insert("A1") && seen.insert(""));
        assert!(seen.insert("000000") && !seen.insert("000000"));
        assert_eq!(seen.runs.range((6, 0)..(7, 0)).count(), 1);
    }
}
