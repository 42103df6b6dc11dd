//! How long to wait before trying again what failed: longer each time, up to a bound.

use std::time::Duration;

/// Waits that double from the first to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// Never longer than this.
    pub longest: Duration,
}

impl Backoff {
    /// The wait after so many failures in a row; none after none.
    pub fn after(&self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(1) else {
            return Duration::ZERO;
        };
        let factor = 1u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let backoff = Backoff {
            first: Duration::from_secs(30),
            longest: Duration::from_secs(3_600),
        };
        for (failures, seconds) in [
            (0, 0),
            (1, 30),
            (2, 60),
            (3, 120),
            (7, 1_920),
            (8, 3_600),
            (9, 3_600),
            (32, 3_600),
            (33, 3_600),
            (u32::MAX, 3_600),
        ] {
            assert_eq!(
                backoff.after(failures),
                Duration::from_secs(seconds),
                "{failures}"
            );
        }
    }

    #[test]
    fn bounds_that_are_odd_do_no_harm() {
        let backoff = |first, longest| Backoff { first, longest };
        let (second, ever) = (Duration::from_secs(1), Duration::MAX);
        assert_eq!(backoff(Duration::ZERO, second).after(9), Duration::ZERO);
        assert_eq!(backoff(second, Duration::ZERO).after(1), Duration::ZERO);
        assert_eq!(backoff(ever, ever).after(9), ever);
    }
}
