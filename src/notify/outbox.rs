//! Working off the outbox: what is due goes out, what fails stays with its reason and is tried again later.

use std::future::Future;
use std::pin::Pin;

use chrono::{DateTime, TimeDelta, Utc};

use super::mail::{MailError, Mailer, OutgoingMail};
use crate::domain::backoff::Backoff;

/// What a method of [`OutboxPort`] returns.
pub type OutboxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a mail is marked with while no server is named.
pub const NO_SERVER: &str = "no mail server is configured: [mail] host is empty. The mail is shown here only; name a server to have it sent";

/// The outbox, as the service keeps it.
pub trait OutboxPort: Send + Sync {
    /// Mails that are due at `now`, the oldest first, at most `limit`.
    fn due<'a>(
        &'a self,
        now: DateTime<Utc>,
        limit: usize,
    ) -> OutboxFuture<'a, Result<Vec<QueuedMail>, OutboxUnavailable>>;

    /// Notes what became of an attempt.
    fn note<'a>(
        &'a self,
        id: i64,
        outcome: Outcome,
    ) -> OutboxFuture<'a, Result<(), OutboxUnavailable>>;
}

/// A mail in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMail {
    /// Its row.
    pub id: i64,
    /// Attempts that failed.
    pub attempts: u32,
    /// The mail itself.
    pub mail: OutgoingMail,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is out.
    Sent {
        /// When.
        at: DateTime<Utc>,
        /// Recipients that did not get it, and why.
        problem: Option<String>,
    },
    /// It is not.
    Failed {
        /// Attempts that failed, with this one. One that was not made, for want of a server, does not count.
        attempts: u32,
        /// What, and what to do.
        problem: String,
        /// When to try again; `None`: never, a person has to see to it.
        next_at: Option<DateTime<Utc>>,
    },
}

/// The outbox cannot be read or written now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the outbox cannot be used: {reason}")]
pub struct OutboxUnavailable {
    /// For our log.
    pub reason: String,
}

/// How often a mail is tried, and with what waits between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The waits.
    pub backoff: Backoff,
    /// After so many failures it is left to a person.
    pub attempts: u32,
}

impl Default for Patience {
    /// From half a minute to an hour, for about two days.
    fn default() -> Patience {
        let seconds = std::time::Duration::from_secs;
        Patience {
            backoff: Backoff {
                first: seconds(30),
                longest: seconds(3_600),
            },
            attempts: 56,
        }
    }
}

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Mails that went out.
    pub sent: usize,
    /// Mails that did not.
    pub failed: usize,
}

/// Sends what is due at `now`, one after the other. Without a mailer each mail is marked so, and looked at again at
/// the longest wait. A server that cannot be reached or refuses our login ends the round: the others would meet the
/// same, and are due again at the next.
///
/// # Errors
/// When the outbox cannot be used. A mail whose outcome could not be noted goes out again under the same Message-ID.
pub async fn work_off(
    outbox: &dyn OutboxPort,
    mailer: Option<&Mailer>,
    patience: Patience,
    now: DateTime<Utc>,
    limit: usize,
) -> Result<Round, OutboxUnavailable> {
    let mut round = Round::default();
    for queued in outbox.due(now, limit).await? {
        let Some(mailer) = mailer else {
            let next_at = Some(later(now, patience.backoff.longest));
            let problem = NO_SERVER.to_owned();
            outbox
                .note(
                    queued.id,
                    Outcome::Failed {
                        attempts: queued.attempts,
                        problem,
                        next_at,
                    },
                )
                .await?;
            round.failed += 1;
            continue;
        };
        match mailer.send(&queued.mail).await {
            Ok(sent) => {
                let problem = (!sent.refused.is_empty()).then(|| sent.refused.join("; "));
                outbox
                    .note(queued.id, Outcome::Sent { at: now, problem })
                    .await?;
                round.sent += 1;
            }
            Err(error) => {
                tracing::warn!(mail = queued.id, %error, "a mail was not sent");
                outbox
                    .note(queued.id, failure(queued.attempts, &error, patience, now))
                    .await?;
                round.failed += 1;
                if is_the_servers(&error) {
                    break;
                }
            }
        }
    }
    Ok(round)
}

fn failure(before: u32, error: &MailError, patience: Patience, now: DateTime<Utc>) -> Outcome {
    let attempts = before.saturating_add(1);
    let hopeless = matches!(
        error,
        MailError::Recipient { .. } | MailError::NoRecipient | MailError::Form(_)
    );
    let next_at = (!hopeless && attempts < patience.attempts)
        .then(|| later(now, patience.backoff.after(attempts)));
    Outcome::Failed {
        attempts,
        problem: error.to_string(),
        next_at,
    }
}

fn later(now: DateTime<Utc>, wait: std::time::Duration) -> DateTime<Utc> {
    let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
    now.checked_add_signed(wait)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Is it the server that fails, and not this one mail?
fn is_the_servers(error: &MailError) -> bool {
    match error {
        MailError::Unreachable { .. }
        | MailError::TimedOut { .. }
        | MailError::Encryption { .. }
        | MailError::Login { .. } => true,
        MailError::Recipient { .. }
        | MailError::NoRecipient
        | MailError::Form(_)
        | MailError::Later { .. }
        | MailError::Refused { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_failure_says_when_it_is_tried_again() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).expect("a time");
        let backoff = Backoff {
            first: Duration::from_secs(10),
            longest: Duration::from_secs(60),
        };
        let patience = Patience {
            backoff,
            attempts: 5,
        };
        let server = || "mail:25".to_owned();
        let refused = MailError::Refused {
            server: server(),
            reason: "550 no".to_owned(),
        };
        for (before, error, wait) in [
            (0, MailError::TimedOut { server: server() }, Some(10)),
            (1, refused.clone(), Some(20)),
            (3, refused.clone(), Some(60)),
            (4, refused.clone(), None),
            (u32::MAX, refused, None),
            (0, MailError::NoRecipient, None),
        ] {
            let expected = Outcome::Failed {
                attempts: before.saturating_add(1),
                problem: error.to_string(),
                next_at: wait.map(|seconds| now + TimeDelta::seconds(seconds)),
            };
            assert_eq!(failure(before, &error, patience, now), expected);
        }
    }

    #[test]
    fn patience_lasts_about_two_days() {
        let patience = Patience::default();
        let waits =
            (1..patience.attempts).map(|failures| patience.backoff.after(failures).as_secs());
        let hours = waits.sum::<u64>() / 3_600;
        assert!((46..=50).contains(&hours), "{hours}");
    }

    #[test]
    fn an_endless_wait_stays_a_time() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).expect("a time");
        assert_eq!(later(now, Duration::MAX), DateTime::<Utc>::MAX_UTC);
    }
}
