//! The database was away, or its disk full. Nothing can be written of that while it lasts, so it is kept in mind and told
//! when it is over.

use std::sync::{Mutex, PoisonError};

use super::Gateway;
use super::notice::{self, Notice};
use crate::domain::clock::Instant;
use crate::storage::journal::Subject;
use crate::storage::{Class, Failure};

/// One time in which the database did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Away {
    since: Instant,
    until: Instant,
    failures: u64,
    problem: String,
}

/// What this process keeps in mind of it.
#[derive(Debug, Default)]
pub struct Outage {
    away: Mutex<Option<Away>>,
}

impl Outage {
    /// Notes a failure; only those of the database itself count.
    pub fn note(&self, at: Instant, failure: &Failure) {
        if !matches!(failure, Failure::Database { .. }) {
            return;
        }
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *away {
            Some(away) => {
                away.until = at;
                away.failures += 1;
            }
            None => {
                *away = Some(Away {
                    since: at,
                    until: at,
                    failures: 1,
                    problem: failure.to_string(),
                });
            }
        }
    }

    fn noted(&self) -> Option<Away> {
        self.away
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn forget(&self, told: &Away) {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        if away.as_ref() == Some(told) {
            *away = None;
        }
    }
}

/// Tells ops of an outage that is over, by alert and mail. Where the database still fails, nothing is forgotten.
pub async fn tell(gateway: &Gateway) -> Result<(), Failure> {
    let Some(away) = gateway.outage.noted() else {
        return Ok(());
    };
    let inside = gateway.clone();
    let text = away.clone();
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (gateway, notice) = (inside.clone(), told(&text));
            Box::pin(async move { notice::tell(&gateway, connection, None, notice).await })
        })
        .await?;
    gateway.outage.forget(&away);
    Ok(())
}

fn told(away: &Away) -> Notice {
    Notice {
        key: format!("database-away:{}", away.since.timestamp_micros()),
        kind: "database-away",
        subject: Subject::new("database", 0),
        title: format!(
            "the database failed {} times between {} and {}",
            away.failures,
            away.since.format("%Y-%m-%d %H:%M:%S"),
            away.until.format("%Y-%m-%d %H:%M:%S UTC")
        ),
        text: format!(
            "{}\nWhat was confirmed to partners before is safe, and what was begun is done again; what they sent in that time got no OK, and they send it again. What to do: mend the cause (a full disk, a server that was stopped) if it is not mended yet.",
            away.problem
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Instant {
        chrono::DateTime::from_timestamp(1_790_000_000 + second, 0).expect("a time")
    }

    fn gone() -> Failure {
        Failure::Database {
            doing: "opening a connection".to_owned(),
            source: sqlx::Error::PoolTimedOut,
        }
    }

    #[test]
    fn one_outage_is_one_whatever_fails_in_it_and_refusals_are_none() {
        let outage = Outage::default();
        outage.note(at(0), &Failure::refuse("no such order"));
        assert_eq!(outage.noted(), None);
        outage.note(at(1), &gone());
        outage.note(at(9), &gone());
        let away = outage.noted().expect("noted");
        assert_eq!((away.since, away.until, away.failures), (at(1), at(9), 2));
        outage.note(at(10), &gone());
        outage.forget(&away);
        let later = outage.noted().expect("it went on while it was told");
        outage.forget(&later);
        assert_eq!(outage.noted(), None);
    }
}
