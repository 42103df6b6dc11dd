//! Mail to ops: sent, waiting, failing.

use serde::Serialize;

use super::{Conditions, Page, instant, maybe_instant};
use crate::domain::clock::Instant;
use crate::storage::connection::Connection;
use crate::storage::failure::Failure;

/// A mail in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MailListing {
    /// Its number.
    pub mail: String,
    /// Comma-separated addresses.
    pub recipients: String,
    /// Subject line.
    pub subject: String,
    /// Text.
    pub body: String,
    /// `sent`, `waiting`, or `failing` where it was tried in vain.
    pub status: String,
    /// When it was written.
    pub created_at: Instant,
    /// When it was sent.
    pub sent_at: Option<Instant>,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next; null: it is not.
    pub next_at: Option<Instant>,
    /// Why the last attempt failed.
    pub problem: Option<String>,
}

/// Mail, newest first; `unsent` leaves out what was sent.
pub async fn mail(
    connection: &mut Connection,
    unsent: bool,
    page: Page,
) -> Result<Vec<MailListing>, Failure> {
    row! {
        struct Row {
            id: i64,
            recipients: String,
            subject: String,
            body: String,
            created_at: i64,
            sent_at: Option<i64>,
            attempts: i64,
            next_at: Option<i64>,
            problem: Option<String>,
        }
    }
    let mut conditions = Conditions::new();
    if unsent {
        conditions.plain("sent_at IS NULL");
    }
    let (sql, binds) = conditions.newest_first(
        "SELECT id, recipients, subject, body, created_at, sent_at, attempts, next_at, problem FROM mail",
        "id",
        page,
    );
    let rows: Vec<Row> = connection.rows(&sql, binds).await?;
    rows.into_iter()
        .map(|row| {
            let status = match (row.sent_at, &row.problem) {
                (Some(_), _) => "sent",
                (None, Some(_)) => "failing",
                (None, None) => "waiting",
            };
            Ok(MailListing {
                mail: row.id.to_string(),
                recipients: row.recipients,
                subject: row.subject,
                body: row.body,
                status: status.to_owned(),
                created_at: instant("mail", row.created_at)?,
                sent_at: maybe_instant("mail", row.sent_at)?,
                attempts: row.attempts,
                next_at: maybe_instant("mail", row.next_at)?,
                problem: row.problem,
            })
        })
        .collect()
}
