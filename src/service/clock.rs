//! The clock of a running gateway: the machine's, or one that a rehearsal set to another time and that runs on from
//! there.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, Utc};

use crate::domain::clock::{Clock, Instant};

/// The machine's clock, shifted by what a rehearsal asks for.
#[derive(Debug, Default)]
pub struct HouseClock {
    shift_micros: AtomicI64,
}

impl HouseClock {
    /// A clock that shows `start` now, or the machine's time.
    pub fn starting_at(start: Option<Instant>) -> Self {
        let clock = Self::default();
        if let Some(start) = start {
            clock.set(start);
        }
        clock
    }

    /// Shows `now` from here on.
    pub fn set(&self, now: Instant) {
        let shift = now
            .signed_duration_since(machine())
            .num_microseconds()
            .unwrap_or_default();
        self.shift_micros.store(shift, Ordering::SeqCst);
    }

    /// How far it is from the machine's clock.
    pub fn shift(&self) -> Duration {
        Duration::microseconds(self.shift_micros.load(Ordering::SeqCst))
    }
}

impl Clock for HouseClock {
    fn now(&self) -> Instant {
        machine() + self.shift()
    }
}

/// The one place that reads the machine's clock.
#[allow(clippy::disallowed_methods)]
fn machine() -> DateTime<Utc> {
    Utc::now()
}
