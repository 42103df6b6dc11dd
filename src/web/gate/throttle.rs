//! Slows down guessing: after a few wrong passwords for a name, each further try has to wait longer.

use std::collections::HashMap;
use std::sync::Mutex;

use chrono::Duration;

use crate::domain::clock::Instant;

/// Wrong passwords that cost nothing.
const FREE: u32 = 4;
/// The longest wait between two tries, in seconds.
const WAIT_MAX: i64 = 300;
/// After this many minutes without a try all is forgotten.
const FORGET_MINUTES: i64 = 30;
/// Names that are remembered at most.
const NAMES_MAX: usize = 10_000;

/// What is remembered of failed tries, in this process.
#[derive(Default)]
pub(crate) struct Throttle {
    tries: Mutex<HashMap<String, (u32, Instant)>>,
}

impl Throttle {
    /// Seconds until the next try for a name is allowed; 0: now.
    pub(crate) fn wait(&self, name: &str, now: Instant) -> i64 {
        let Ok(tries) = self.tries.lock() else {
            return WAIT_MAX;
        };
        tries.get(&key(name)).map_or(0, |(failures, last)| {
            let next = *last + Duration::seconds(pause(*failures));
            next.signed_duration_since(now)
                .num_seconds()
                .clamp(0, WAIT_MAX)
        })
    }

    /// Remembers a wrong password.
    pub(crate) fn failed(&self, name: &str, now: Instant) {
        let Ok(mut tries) = self.tries.lock() else {
            return;
        };
        let old = now - Duration::minutes(FORGET_MINUTES);
        if tries.len() >= NAMES_MAX {
            tries.retain(|_, (_, last)| *last > old);
        }
        if tries.len() >= NAMES_MAX {
            tries.clear();
        }
        let entry = tries.entry(key(name)).or_insert((0, now));
        let failures = if entry.1 < old {
            1
        } else {
            entry.0.saturating_add(1)
        };
        *entry = (failures, now);
    }

    /// Forgets a name's failures: it came in.
    pub(crate) fn passed(&self, name: &str) {
        if let Ok(mut tries) = self.tries.lock() {
            tries.remove(&key(name));
        }
    }
}

fn key(name: &str) -> String {
    name.trim().to_lowercase().chars().take(64).collect()
}

/// Seconds to wait after so many failures: 0, 2, 4, 8 … up to [`WAIT_MAX`].
fn pause(failures: u32) -> i64 {
    match failures.checked_sub(FREE) {
        None | Some(0) => 0,
        Some(more) => 2_i64.saturating_pow(more).min(WAIT_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Instant {
        chrono::DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn each_wrong_password_costs_more_time() {
        let throttle = Throttle::default();
        let mut waits = Vec::new();
        for _ in 0..8 {
            throttle.failed("Ada", at(0));
            waits.push(throttle.wait(" ada", at(0)));
        }
        assert_eq!(waits, [0, 0, 0, 0, 2, 4, 8, 16]);
        assert_eq!(throttle.wait("ada", at(10)), 6);
        assert_eq!(throttle.wait("other", at(0)), 0);
        for _ in 0..60 {
            throttle.failed("ada", at(0));
        }
        assert_eq!(throttle.wait("ada", at(0)), WAIT_MAX);
        throttle.passed("ada");
        assert_eq!(throttle.wait("ada", at(0)), 0);
    }

    #[test]
    fn old_failures_are_forgotten() {
        let throttle = Throttle::default();
        for _ in 0..8 {
            throttle.failed("ada", at(0));
        }
        throttle.failed("ada", at(FORGET_MINUTES * 60 + 1));
        assert_eq!(throttle.wait("ada", at(FORGET_MINUTES * 60 + 1)), 0);
    }
}
