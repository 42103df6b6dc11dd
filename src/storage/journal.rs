//! What people are told: the audit trail, alerts, and mail that waits to go out. All written in the transaction of what
//! they tell about.

use std::collections::HashSet;

use super::connection::{Connection, list};
use super::failure::Failure;
use crate::binds;
use crate::domain::clock::Instant;

/// What a record, alert or document is about: a word and a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subject {
    /// `order`, `document`, `shipment`, `invoice`, `payment`, `file`, `partner`, `connection`.
    pub kind: &'static str,
    /// Its identity.
    pub id: i64,
}

impl Subject {
    /// A subject of a kind.
    pub fn new(kind: &'static str, id: i64) -> Self {
        Self { kind, id }
    }
}

/// Something a person has to know about.
#[derive(Debug, Clone)]
pub struct NewAlert {
    /// Makes it one alert however often it is raised.
    pub key: String,
    /// `acknowledgment-overdue`, `document-rejected`, `document-held`, `order-held`, `work-stuck`, `connection-failing` …
    pub kind: &'static str,
    /// Whose document it is.
    pub partner: Option<i64>,
    /// What it is about.
    pub subject: Subject,
    /// What, where, why, and what to do.
    pub message: String,
}

/// Mail that waits to go out.
#[derive(Debug, Clone)]
pub struct NewMail {
    /// Makes it one mail however often it is asked for; its Message-ID is made of it.
    pub key: String,
    /// Comma-separated addresses.
    pub recipients: String,
    /// Subject line.
    pub subject: String,
    /// Text.
    pub body: String,
}

row! {
    /// Mail that is due.
    #[derive(Debug, Clone)]
    pub struct MailRow {
        /// Its row.
        pub id: i64,
        /// What makes it one mail.
        pub key: String,
        /// Comma-separated addresses.
        pub recipients: String,
        /// Subject line.
        pub subject: String,
        /// Text.
        pub body: String,
        /// Attempts that failed.
        pub attempts: i64,
        /// When it was written.
        pub created_at: i64,
    }
}

/// What became of an attempt to send a mail.
#[derive(Debug, Clone)]
pub enum MailOutcome {
    /// It is out.
    Sent {
        /// When.
        at: Instant,
        /// Recipients that did not get it.
        problem: Option<String>,
    },
    /// It is not.
    Failed {
        /// Attempts that failed.
        attempts: i64,
        /// What, and what to do.
        problem: String,
        /// When to try again; none: never.
        next_at: Option<Instant>,
    },
}

impl Connection {
    /// Adds to the audit trail.
    pub async fn record(
        &mut self,
        at: Instant,
        actor: &str,
        action: &str,
        subject: Subject,
        detail: &str,
    ) -> Result<(), Failure> {
        self.record_all(
            at,
            actor,
            vec![(action.to_owned(), subject, detail.to_owned())],
        )
        .await
    }

    /// Adds many entries of one actor to the audit trail: action, subject, detail.
    pub async fn record_all(
        &mut self,
        at: Instant,
        actor: &str,
        entries: Vec<(String, Subject, String)>,
    ) -> Result<(), Failure> {
        let ids = self.identities("audit", entries.len()).await?;
        let rows = ids
            .into_iter()
            .zip(entries)
            .map(|(id, (action, subject, detail))| {
                binds![id, at, actor, action, subject.kind, subject.id, detail]
            })
            .collect();
        self.insert_many(
            "INSERT INTO audit (id, at, actor, action, subject_kind, subject_id, detail)",
            rows,
            "",
        )
        .await?;
        Ok(())
    }

    /// Raises an alert, once for its key; true where it is new.
    pub async fn raise(&mut self, at: Instant, alert: NewAlert) -> Result<bool, Failure> {
        let id = self.identity("alert").await?;
        let written = self
            .execute(
                "INSERT INTO alert (id, key, kind, partner_id, subject_kind, subject_id, message, raised_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (key) DO NOTHING",
                binds![id, alert.key, alert.kind, alert.partner, alert.subject.kind, alert.subject.id, alert.message, at],
            )
            .await?;
        Ok(written == 1)
    }

    /// Clears the open alerts about a subject.
    pub async fn clear_alerts(&mut self, at: Instant, subject: Subject) -> Result<(), Failure> {
        self.clear_alerts_of(at, subject.kind, &[subject.id]).await
    }

    /// Clears one alert by its number; false where it is not there, or cleared before.
    pub async fn clear_alert(&mut self, at: Instant, id: i64) -> Result<bool, Failure> {
        let cleared = self
            .execute(
                "UPDATE alert SET cleared_at = $2 WHERE id = $1 AND cleared_at IS NULL",
                binds![id, at],
            )
            .await?;
        Ok(cleared == 1)
    }

    /// Clears the alerts of one kind about these subjects.
    pub async fn clear_alerts_like(
        &mut self,
        at: Instant,
        alert: &str,
        kind: &str,
        subjects: &[i64],
    ) -> Result<(), Failure> {
        self.clear_of(at, Some(alert), kind, subjects).await
    }

    /// Clears the alert that was raised with this key, where it is open.
    pub async fn clear_alert_of_key(&mut self, at: Instant, key: &str) -> Result<(), Failure> {
        self.execute(
            "UPDATE alert SET cleared_at = $2 WHERE key = $1 AND cleared_at IS NULL",
            binds![key, at],
        )
        .await?;
        Ok(())
    }

    /// Clears the open alerts of one kind about a subject, but the one that has this key.
    pub async fn clear_alerts_but(
        &mut self,
        at: Instant,
        alert: &str,
        subject: Subject,
        kept: &str,
    ) -> Result<(), Failure> {
        self.execute(
            "UPDATE alert SET cleared_at = $1 WHERE kind = $2 AND subject_kind = $3 AND subject_id = $4 AND key <> $5
             AND cleared_at IS NULL",
            binds![at, alert, subject.kind, subject.id, kept],
        )
        .await?;
        Ok(())
    }

    /// Clears the open alerts of one kind about a subject that were raised with one of these words and a number behind
    /// it as their keys: those of then or earlier, but the one with the key that is named.
    pub async fn clear_alerts_numbered(
        &mut self,
        at: Instant,
        alert: &str,
        subject: Subject,
        keys: &[String],
        (until, kept): (Instant, &str),
    ) -> Result<(), Failure> {
        let sql = format!(
            "UPDATE alert SET cleared_at = $1 WHERE kind = $2 AND subject_kind = $3 AND subject_id = $4
             AND cleared_at IS NULL AND raised_at <= $5 AND key <> $6 AND rtrim(key, '0123456789') IN {}",
            list(keys.len(), 6)
        );
        let mut values = binds![at, alert, subject.kind, subject.id, until, kept];
        values.extend(keys.iter().map(Into::into));
        self.execute(&sql, values).await?;
        Ok(())
    }

    /// Of these subjects those about which an alert of this kind is open.
    pub async fn alerted(
        &mut self,
        alert: &str,
        kind: &str,
        subjects: &[i64],
    ) -> Result<HashSet<i64>, Failure> {
        let sql = format!(
            "SELECT DISTINCT subject_id FROM alert
             WHERE kind = $1 AND subject_kind = $2 AND cleared_at IS NULL AND subject_id IN {}",
            list(subjects.len(), 2)
        );
        let mut values = binds![alert, kind];
        values.extend(subjects.iter().map(|subject| (*subject).into()));
        let rows: Vec<(i64,)> = self.rows(&sql, values).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Clears the alerts about many subjects of one kind.
    pub async fn clear_alerts_of(
        &mut self,
        at: Instant,
        kind: &str,
        subjects: &[i64],
    ) -> Result<(), Failure> {
        self.clear_of(at, None, kind, subjects).await
    }

    /// Clears the open alerts, those of one kind or all, about many subjects.
    async fn clear_of(
        &mut self,
        at: Instant,
        alert: Option<&str>,
        kind: &str,
        subjects: &[i64],
    ) -> Result<(), Failure> {
        for chunk in subjects.chunks(1_000) {
            let sql = format!(
                "UPDATE alert SET cleared_at = $1 WHERE subject_kind = $2 AND (kind = $3 OR $3 IS NULL) AND cleared_at IS NULL
                 AND subject_id IN {}",
                list(chunk.len(), 3)
            );
            let mut values = binds![at, kind, alert.map(str::to_owned)];
            values.extend(chunk.iter().map(|subject| (*subject).into()));
            self.execute(&sql, values).await?;
        }
        Ok(())
    }

    /// Queues mail, once for its key.
    pub async fn queue_mail(&mut self, at: Instant, mail: NewMail) -> Result<(), Failure> {
        let id = self.identity("mail").await?;
        self.execute(
            "INSERT INTO mail (id, key, recipients, subject, body, created_at, attempts, next_at)
             VALUES ($1, $2, $3, $4, $5, $6, 0, $6) ON CONFLICT (key) DO NOTHING",
            binds![id, mail.key, mail.recipients, mail.subject, mail.body, at],
        )
        .await?;
        Ok(())
    }

    /// Mail that is due at `now`, oldest first.
    pub async fn mail_due(&mut self, now: Instant, most: i64) -> Result<Vec<MailRow>, Failure> {
        self.rows(
            "SELECT id, key, recipients, subject, body, attempts, created_at FROM mail
             WHERE sent_at IS NULL AND next_at <= $1 ORDER BY id LIMIT $2",
            binds![now, most],
        )
        .await
    }

    /// Writes what became of an attempt to send a mail.
    pub async fn settle_mail(&mut self, id: i64, outcome: &MailOutcome) -> Result<(), Failure> {
        let (sent, attempts, problem, next) = match outcome {
            MailOutcome::Sent { at, problem } => (Some(*at), None, problem.clone(), None),
            MailOutcome::Failed {
                attempts,
                problem,
                next_at,
            } => (None, Some(*attempts), Some(problem.clone()), *next_at),
        };
        self.execute(
            "UPDATE mail SET sent_at = $2, attempts = COALESCE($3, attempts), problem = $4, next_at = $5 WHERE id = $1",
            binds![id, sent, attempts, problem, next],
        )
        .await?;
        Ok(())
    }
}
