//! The clock as a port. Domain and workflow never read the time; they are given it.

use chrono::{DateTime, TimeDelta, Utc};

/// An instant, in UTC.
pub type Instant = DateTime<Utc>;

/// So many hours after `at`; where no instant is that late, the last there is.
pub fn hours_after(at: Instant, hours: u32) -> Instant {
    at.checked_add_signed(TimeDelta::hours(hours.into()))
        .unwrap_or(Instant::MAX_UTC)
}

/// So many days after `at`; where no instant is that late, the last there is.
pub fn days_after(at: Instant, days: u32) -> Instant {
    at.checked_add_signed(TimeDelta::days(days.into()))
        .unwrap_or(Instant::MAX_UTC)
}

/// So many hours before `at`; where no instant is that early, the first there is.
pub fn hours_before(at: Instant, hours: u32) -> Instant {
    at.checked_sub_signed(TimeDelta::hours(hours.into()))
        .unwrap_or(Instant::MIN_UTC)
}

/// So many days before `at`; where no instant is that early, the first there is.
pub fn days_before(at: Instant, days: u32) -> Instant {
    at.checked_sub_signed(TimeDelta::days(days.into()))
        .unwrap_or(Instant::MIN_UTC)
}

/// Where the time comes from: the machine, a rehearsal's fixed start, a test's own hand.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Instant;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_of_days_or_hours_is_too_large() {
        let now = Instant::UNIX_EPOCH;
        assert_eq!(days_before(now, u32::MAX), Instant::MIN_UTC);
        assert_eq!(hours_before(Instant::MIN_UTC, 1), Instant::MIN_UTC);
        assert_eq!(days_after(now, u32::MAX), Instant::MAX_UTC);
        assert_eq!(hours_after(now, u32::MAX), Instant::MAX_UTC);
        assert_eq!(days_before(days_after(now, 30), 30), now);
        assert_eq!(hours_after(now, 24), days_after(now, 1));
    }
}
