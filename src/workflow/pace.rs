//! How much of a step one transaction takes: about as much as fits a moment, by how long the last pieces took, with all the
//! steps that their transactions went on to. A partner waits for its acknowledgment until the transaction that runs has
//! ended; and one that is too short pays for its commit.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use crate::storage::work::Step;

/// Pieces of a step that has not been done yet.
const FIRST: usize = 16;
/// Fewer are not worth a transaction.
const LEAST: usize = 4;

/// How long a piece of each step takes in this process.
#[derive(Debug, Default)]
pub struct Pace(Mutex<HashMap<Step, Duration>>);

impl Pace {
    /// How many pieces of a step the next transaction is to take, that it takes about a `moment`.
    pub fn most(&self, step: Step, moment: Duration) -> usize {
        let known = self
            .0
            .lock()
            .ok()
            .and_then(|paces| paces.get(&step).copied());
        known.map_or(FIRST, |piece| {
            let fit = moment.as_nanos() / piece.as_nanos().max(1);
            usize::try_from(fit).unwrap_or(usize::MAX).max(LEAST)
        })
    }

    /// `pieces` of a step took so long together.
    pub fn note(&self, step: Step, pieces: usize, took: Duration) {
        let piece = took / u32::try_from(pieces.max(1)).unwrap_or(u32::MAX);
        if let Ok(mut paces) = self.0.lock() {
            let known = paces.entry(step).or_insert(piece);
            *known = (*known * 3 + piece) / 4;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_takes_what_fits_a_moment() {
        let pace = Pace::default();
        let moment = Duration::from_millis(50);
        assert_eq!(pace.most(Step::Verify, moment), FIRST);
        pace.note(Step::Verify, 10, Duration::from_millis(20));
        assert_eq!(pace.most(Step::Verify, moment), 25);
        assert_eq!(pace.most(Step::Fulfil, moment), FIRST);
        for _ in 0..50 {
            pace.note(Step::Verify, 1, Duration::from_secs(2));
        }
        assert_eq!(pace.most(Step::Verify, moment), LEAST);
    }
}
