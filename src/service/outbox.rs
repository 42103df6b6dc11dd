//! Fills the outbox's port: mail that waits in the database.

use chrono::{DateTime, Utc};

use crate::notify::mail::OutgoingMail;
use crate::notify::outbox::{OutboxFuture, OutboxPort, OutboxUnavailable, Outcome, QueuedMail};
use crate::storage::journal::{MailOutcome, MailRow};
use crate::storage::{Class, Failure};
use crate::workflow::Gateway;

/// The outbox of a gateway.
pub struct Outbox {
    gateway: Gateway,
}

impl Outbox {
    /// The port.
    pub fn new(gateway: Gateway) -> Self {
        Self { gateway }
    }

    async fn read(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<MailRow>, Failure> {
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        self.gateway.store.read().await?.mail_due(now, most).await
    }

    async fn write(&self, id: i64, outcome: Outcome) -> Result<(), Failure> {
        let outcome = match outcome {
            Outcome::Sent { at, problem } => MailOutcome::Sent { at, problem },
            Outcome::Failed {
                attempts,
                problem,
                next_at,
            } => MailOutcome::Failed {
                attempts: attempts.into(),
                problem,
                next_at,
            },
        };
        self.gateway
            .store
            .write(Class::Ordinary, move |connection| {
                let outcome = outcome.clone();
                Box::pin(async move { connection.settle_mail(id, &outcome).await })
            })
            .await
    }
}

fn unavailable(failure: &Failure) -> OutboxUnavailable {
    OutboxUnavailable {
        reason: failure.to_string(),
    }
}

fn queued(row: MailRow) -> QueuedMail {
    QueuedMail {
        id: row.id,
        attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
        mail: OutgoingMail {
            key: row.key,
            recipients: row.recipients,
            subject: row.subject,
            body: row.body,
            written_at: DateTime::from_timestamp_micros(row.created_at).unwrap_or_default(),
        },
    }
}

impl OutboxPort for Outbox {
    fn due<'a>(
        &'a self,
        now: DateTime<Utc>,
        limit: usize,
    ) -> OutboxFuture<'a, Result<Vec<QueuedMail>, OutboxUnavailable>> {
        Box::pin(async move {
            let rows = self
                .read(now, limit)
                .await
                .map_err(|failure| unavailable(&failure))?;
            Ok(rows.into_iter().map(queued).collect())
        })
    }

    fn note<'a>(
        &'a self,
        id: i64,
        outcome: Outcome,
    ) -> OutboxFuture<'a, Result<(), OutboxUnavailable>> {
        Box::pin(async move {
            self.write(id, outcome)
                .await
                .map_err(|failure| unavailable(&failure))
        })
    }
}
