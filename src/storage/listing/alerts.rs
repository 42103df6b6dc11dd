//! Alerts: what a person has to know about.

use serde::Serialize;

use super::{Conditions, Page, instant, maybe_instant};
use crate::domain::clock::Instant;
use crate::domain::ids::PartnerId;
use crate::storage::connection::Connection;
use crate::storage::failure::Failure;

/// Which alerts.
#[derive(Debug, Clone, Default)]
pub struct AlertFilter {
    /// Only those that are not cleared.
    pub open: bool,
    /// About this partner's documents.
    pub partner: Option<PartnerId>,
    /// Of this kind.
    pub kind: Option<String>,
    /// About this: kind and number.
    pub subject: Option<(String, i64)>,
    /// Which part of them, newest first; the cursor is the alert's number.
    pub page: Page,
}

/// An alert in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertListing {
    /// Its number.
    pub alert: String,
    /// `acknowledgment-overdue`, `document-held`, `document-rejected` …
    pub kind: String,
    /// Code of the partner.
    pub partner: Option<String>,
    /// `order`, `document`, `shipment` …
    pub subject_kind: String,
    /// Number of what it is about.
    pub subject: Option<String>,
    /// What, where, why, and what to do.
    pub message: String,
    /// Since when.
    pub raised_at: Instant,
    /// When it was cleared; null: it is open.
    pub cleared_at: Option<Instant>,
}

/// Alerts, newest first.
pub async fn alerts(
    connection: &mut Connection,
    filter: &AlertFilter,
) -> Result<Vec<AlertListing>, Failure> {
    row! {
        struct Row {
            id: i64,
            kind: String,
            partner: Option<String>,
            subject_kind: String,
            subject_id: Option<i64>,
            message: String,
            raised_at: i64,
            cleared_at: Option<i64>,
        }
    }
    let mut conditions = Conditions::new();
    if filter.open {
        conditions.plain("a.cleared_at IS NULL");
    }
    conditions.and_some("a.partner_id = ?", filter.partner);
    conditions.and_some("a.kind = ?", filter.kind.clone());
    if let Some((kind, id)) = &filter.subject {
        conditions.and("a.subject_kind = ?", kind);
        conditions.and("a.subject_id = ?", *id);
    }
    let (sql, binds) = conditions.newest_first(
        "SELECT a.id, a.kind, p.code AS partner, a.subject_kind, a.subject_id, a.message, a.raised_at, a.cleared_at
         FROM alert a LEFT JOIN partner p ON p.id = a.partner_id",
        "a.id",
        filter.page,
    );
    let rows: Vec<Row> = connection.rows(&sql, binds).await?;
    rows.into_iter()
        .map(|row| {
            Ok(AlertListing {
                alert: row.id.to_string(),
                kind: row.kind,
                partner: row.partner,
                subject_kind: row.subject_kind,
                subject: row.subject_id.map(|id| id.to_string()),
                message: row.message,
                raised_at: instant("alert", row.raised_at)?,
                cleared_at: maybe_instant("alert", row.cleared_at)?,
            })
        })
        .collect()
}
