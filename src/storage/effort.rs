//! Where the time goes: what this process has spent on reading, rendering and storing, and how many statements it ran.
//! Counted always, for a count costs less than asking whether to count.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// What time is spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// From bytes to transaction sets, verdicts and what they mean.
    Reading,
    /// From what is to be said to validated segments and bytes.
    Rendering,
    /// Statements of transactions, and committing them.
    Storing,
    /// Work on what was received, wherever it is done: the others are among it, and what is left of it is deciding.
    Working,
    /// Until what is built beside a transaction is there.
    Waiting,
}

static NANOSECONDS: [AtomicU64; 5] = [const { AtomicU64::new(0) }; 5];
static STATEMENTS: AtomicU64 = AtomicU64::new(0);

/// Time that is being spent; it is counted when this value goes away.
pub struct Spending {
    on: Effort,
    since: Instant,
}

impl Spending {
    /// Begins now.
    pub fn begin(on: Effort) -> Self {
        Self {
            on,
            since: Instant::now(),
        }
    }
}

impl Drop for Spending {
    fn drop(&mut self) {
        let spent = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        NANOSECONDS[self.on as usize].fetch_add(spent, Ordering::Relaxed);
    }
}

/// Counts the time of `act`, which does not wait for anything.
pub fn spend<T>(on: Effort, act: impl FnOnce() -> T) -> T {
    let _spending = Spending::begin(on);
    act()
}

/// Counts a statement, and within a transaction its time until the value goes away.
pub(super) fn statement(in_transaction: bool) -> Option<Spending> {
    STATEMENTS.fetch_add(1, Ordering::Relaxed);
    in_transaction.then(|| Spending::begin(Effort::Storing))
}

/// What has been spent since the process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Nanoseconds.
    pub reading: u64,
    /// Nanoseconds.
    pub rendering: u64,
    /// Nanoseconds.
    pub storing: u64,
    /// Nanoseconds.
    pub working: u64,
    /// Nanoseconds.
    pub waiting: u64,
    /// Statements given to the database.
    pub statements: u64,
}

/// What has been spent until now.
pub fn spent() -> Spent {
    let on = |effort: Effort| NANOSECONDS[effort as usize].load(Ordering::Relaxed);
    Spent {
        reading: on(Effort::Reading),
        rendering: on(Effort::Rendering),
        storing: on(Effort::Storing),
        working: on(Effort::Working),
        waiting: on(Effort::Waiting),
        statements: STATEMENTS.load(Ordering::Relaxed),
    }
}
