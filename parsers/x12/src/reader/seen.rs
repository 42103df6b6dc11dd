//! Control numbers met so far, in little memory: runs of consecutive numbers are one entry.

use std::collections::{BTreeMap, HashSet};

/// Entries kept at most; beyond it a repeated number may go unnoticed.
const LIMIT: usize = 100_000;

/// A set of control numbers, numeric or not.
#[derive(Debug, Default)]
pub(crate) struct ControlNumbers {
    /// The run that the last number went into; it is not among the others.
    current: Option<Run>,
    /// First to last of each other run, for numbers of one written length.
    runs: BTreeMap<(usize, u64), u64>,
    others: HashSet<Box<str>>,
}

/// Consecutive numbers of one written length.
#[derive(Debug, Clone, Copy)]
struct Run {
    length: usize,
    first: u64,
    last: u64,
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
        if let Some(run) = &mut self.current {
            if run.length == length && (run.first..=run.last).contains(&value) {
                return false;
            }
            // No other run begins here, or the two would be one.
            if run.length == length && run.last + 1 == value {
                run.last = value;
                if !self.runs.is_empty()
                    && let Some(last) = self.runs.remove(&(length, value + 1))
                {
                    run.last = last;
                }
                return true;
            }
            self.runs.insert((run.length, run.first), run.last);
            self.current = None;
        }
        let before = self
            .runs
            .range(..=(length, value))
            .next_back()
            .map(|((length, first), last)| Run {
                length: *length,
                first: *first,
                last: *last,
            })
            .filter(|run| run.length == length);
        if before.is_some_and(|run| run.last >= value) {
            return false;
        }
        let last = self.runs.remove(&(length, value + 1)).unwrap_or(value);
        let first = match before {
            Some(run) if run.last + 1 == value => {
                self.runs.remove(&(length, run.first));
                run.first
            }
            _ if self.runs.len() < LIMIT => value,
            _ => return true,
        };
        self.current = Some(Run {
            length,
            first,
            last,
        });
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
        assert!(seen.runs.is_empty() && seen.current.is_some());
        assert!(!seen.insert("000001") && !seen.insert("005000") && !seen.insert("010000"));
        assert!(
            seen.insert("0001"),
            "compared as text: other length, other number"
        );
        assert!(seen.insert("A1") && !seen.insert("A1") && seen.insert(""));
        assert!(seen.insert("000000") && !seen.insert("000000"));
        seen.insert("1");
        assert_eq!(seen.runs.range((6, 0)..(7, 0)).count(), 1);
    }

    proptest::proptest! {
        #[test]
        fn says_what_a_plain_set_says(numbers in proptest::collection::vec("0{0,2}[0-9]{1,2}|A", 0..60)) {
            let (mut seen, mut plain) = (ControlNumbers::default(), HashSet::new());
            for number in &numbers {
                proptest::prop_assert_eq!(seen.insert(number), plain.insert(number.clone()));
            }
        }
    }
}
