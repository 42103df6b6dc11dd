//! The audit trail: who did what, to what, when.

use serde::Serialize;

use super::{Conditions, Page, instant};
use crate::domain::clock::Instant;
use crate::storage::connection::Connection;
use crate::storage::failure::Failure;

/// An entry of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditListing {
    /// Its number.
    pub entry: String,
    /// When.
    pub at: Instant,
    /// Who.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// `order`, `document`, `shipment` …
    pub subject_kind: String,
    /// Number of what it was done to.
    pub subject: Option<String>,
    /// In words.
    pub detail: String,
}

/// The audit trail, newest first; of one subject (kind and number) or of all.
pub async fn audit(
    connection: &mut Connection,
    subject: Option<(&str, i64)>,
    page: Page,
) -> Result<Vec<AuditListing>, Failure> {
    row! {
        struct Row {
            id: i64,
            at: i64,
            actor: String,
            action: String,
            subject_kind: String,
            subject_id: Option<i64>,
            detail: String,
        }
    }
    let mut conditions = Conditions::new();
    if let Some((kind, id)) = subject {
        conditions.and("subject_kind = ?", kind);
        conditions.and("subject_id = ?", id);
    }
    let (sql, binds) = conditions.newest_first(
        "SELECT id, at, actor, action, subject_kind, subject_id, detail FROM audit",
        "id",
        page,
    );
    let rows: Vec<Row> = connection.rows(&sql, binds).await?;
    rows.into_iter()
        .map(|row| {
            Ok(AuditListing {
                entry: row.id.to_string(),
                at: instant("audit", row.at)?,
                actor: row.actor,
                action: row.action,
                subject_kind: row.subject_kind,
                subject: row.subject_id.map(|id| id.to_string()),
                detail: row.detail,
            })
        })
        .collect()
}
