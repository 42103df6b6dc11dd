//! The database was away, or its disk full, or the object store did not answer. Nothing can be written of that while it
//! lasts, so it is kept in mind and told when it is over.

use std::sync::{Mutex, PoisonError};

use super::Gateway;
use super::notice::{self, Notice};
use crate::domain::clock::Instant;
use crate::storage::journal::Subject;
use crate::storage::{Class, Failure};

/// What was away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// The database.
    Database,
    /// The store of large files.
    Objects,
}

/// One time in which it did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Away {
    kept: Kept,
    since: Instant,
    until: Instant,
    failures: u64,
    problem: String,
}

/// What this process keeps in mind of it.
#[derive(Debug, Default)]
pub struct Outage {
    away: Mutex<Vec<Away>>,
}

impl Outage {
    /// Notes a failure; only those of the database or the object store itself count.
    pub fn note(&self, at: Instant, failure: &Failure) {
        let kept = match failure {
            Failure::Database { .. } => Kept::Database,
            Failure::ObjectStore { .. } => Kept::Objects,
            _ => return,
        };
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        match away.iter_mut().find(|away| away.kept == kept) {
            Some(away) => {
                away.until = at;
                away.failures += 1;
            }
            None => away.push(Away {
                kept,
                since: at,
                until: at,
                failures: 1,
                problem: failure.to_string(),
            }),
        }
    }

    fn noted(&self) -> Vec<Away> {
        self.away
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn forget(&self, told: &Away) {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        away.retain(|away| away != told);
    }
}

/// Tells ops of an outage that is over, by alert and mail. Where the database still fails, nothing is forgotten.
pub async fn tell(gateway: &Gateway) -> Result<(), Failure> {
    for away in gateway.outage.noted() {
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
    }
    Ok(())
}

fn told(away: &Away) -> Notice {
    let (kind, what) = match away.kept {
        Kept::Database => ("database-away", "database"),
        Kept::Objects => ("object-store-away", "object store"),
    };
    Notice {
        key: format!("{kind}:{}", away.since.timestamp_micros()),
        kind,
        subject: Subject::new("database", 0),
        title: format!(
            "the {what} failed {} times between {} and {}",
            away.failures,
            away.since.format("%Y-%m-%d %H:%M:%S"),
            away.until.format("%Y-%m-%d %H:%M:%S UTC")
        ),
        text: format!(
            "{}\nThe gateway on {} met it. What was confirmed to partners before is safe, and what was begun is done again; what they sent in that time got no OK, and they send it again. What to do: mend the cause (a full disk, a server that was stopped) if it is not mended yet.",
            away.problem,
            rustix::system::uname().nodename().to_string_lossy()
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
            source: sqlx::Error::PoolTimedOut.into(),
        }
    }

    #[test]
    fn one_outage_is_one_whatever_fails_in_it_and_refusals_are_none() {
        let outage = Outage::default();
        outage.note(at(0), &Failure::refuse("no such order"));
        assert_eq!(outage.noted(), []);
        outage.note(at(1), &gone());
        outage.note(at(9), &gone());
        let away = outage.noted().remove(0);
        assert_eq!((away.since, away.until, away.failures), (at(1), at(9), 2));
        outage.note(at(10), &gone());
        outage.forget(&away);
        let later = outage.noted();
        assert_eq!(later.len(), 1, "it went on while it was told");
        outage.forget(&later[0]);
        assert_eq!(outage.noted(), []);
    }
}
