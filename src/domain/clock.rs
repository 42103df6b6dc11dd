//! The clock as a port. Domain and workflow never read the time; they are given it.

use chrono::{DateTime, Utc};

/// An instant, in UTC.
pub type Instant = DateTime<Utc>;

/// Where the time comes from: the machine, a rehearsal's fixed start, a test's own hand.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Instant;
}
