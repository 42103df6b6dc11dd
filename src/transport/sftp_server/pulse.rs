//! When a connection last did something, so that those which hold a place for nothing can be ended.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::limits::Limits;

/// One connection's signs of life.
#[derive(Debug)]
pub(super) struct Pulse {
    start: Instant,
    logged_in: AtomicBool,
    login: Notify,
    // Milliseconds after `start`.
    last_beat: AtomicU64,
    // Requests that the house is busy with; the client cannot be blamed for the wait.
    working: AtomicUsize,
    // Sessions that have answers which are not written yet.
    owing: AtomicUsize,
}

/// Held by a session from a request's beginning until its answer is written.
#[derive(Debug)]
pub(super) struct AnswerOwed<'a>(&'a Pulse);

impl Drop for AnswerOwed<'_> {
    fn drop(&mut self) {
        self.0.owing.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pulse {
    pub(super) fn new(start: Instant) -> Pulse {
        Pulse {
            start,
            logged_in: AtomicBool::new(false),
            login: Notify::new(),
            last_beat: AtomicU64::new(0),
            working: AtomicUsize::new(0),
            owing: AtomicUsize::new(0),
        }
    }

    /// A whole request came or an answer went.
    pub(super) fn beat(&self) {
        self.beat_at(Instant::now());
    }

    fn beat_at(&self, now: Instant) {
        let passed = u64::try_from((now - self.start).as_millis()).unwrap_or(u64::MAX);
        self.last_beat.fetch_max(passed, Ordering::Relaxed);
    }

    pub(super) fn log_in(&self) {
        self.beat();
        self.logged_in.store(true, Ordering::Relaxed);
        self.login.notify_one();
    }

    /// Returns once, when the client is logged in: the deadline is another one then.
    pub(super) async fn login(&self) {
        self.login.notified().await;
    }

    /// Runs what the client waits for.
    pub(super) async fn while_working<T>(&self, work: impl Future<Output = T>) -> T {
        struct Working<'a>(&'a Pulse);
        impl Drop for Working<'_> {
            fn drop(&mut self) {
                self.0.working.fetch_sub(1, Ordering::Relaxed);
                self.0.beat();
            }
        }
        self.working.fetch_add(1, Ordering::Relaxed);
        let _working = Working(self);
        work.await
    }

    /// A request is taken up: [`Pulse::rest`] waits until what this returns is dropped.
    pub(super) fn owe_answer(&self) -> AnswerOwed<'_> {
        self.owing.fetch_add(1, Ordering::Relaxed);
        AnswerOwed(self)
    }

    /// Waits until what the client asked for is done and the answers are written, at most `limit`.
    ///
    /// Not the work alone: a farewell that overtook the answer would leave the client without the word that its file
    /// is safe.
    pub(super) async fn rest(&self, limit: Duration) {
        let end = Instant::now() + limit;
        while self.owing.load(Ordering::Relaxed) > 0 && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// When the connection is to be ended if nothing happens until then; `None` when it is overdue at `now`.
    pub(super) fn deadline(&self, limits: &Limits, now: Instant) -> Option<Instant> {
        let deadline = if !self.logged_in.load(Ordering::Relaxed) {
            self.start + limits.login_grace
        } else if self.working.load(Ordering::Relaxed) > 0 {
            now + limits.inactivity
        } else {
            self.start
                + Duration::from_millis(self.last_beat.load(Ordering::Relaxed))
                + limits.inactivity
        };
        (deadline > now).then_some(deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines() {
        let limits = Limits {
            login_grace: Duration::from_secs(10),
            inactivity: Duration::from_secs(60),
            ..Limits::default()
        };
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let pulse = Pulse::new(start);
        let left = |seconds| {
            let deadline = pulse.deadline(&limits, at(seconds));
            deadline.map(|deadline| (deadline - at(seconds)).as_secs())
        };
        assert_eq!(left(9), Some(1), "not logged in");
        pulse.beat_at(at(9));
        assert_eq!(left(10), None, "no beat prolongs the time for the login");
        pulse.logged_in.store(true, Ordering::Relaxed);
        assert_eq!(left(10), Some(59));
        pulse.beat_at(at(60));
        assert_eq!(left(119), Some(1));
        pulse.working.store(1, Ordering::Relaxed);
        assert_eq!(left(1_000), Some(60), "the house is busy");
        pulse.working.store(0, Ordering::Relaxed);
        assert_eq!(left(120), None);
    }
}
