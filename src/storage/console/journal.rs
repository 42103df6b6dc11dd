//! Alerts, mail and the audit trail.

use super::{Conditions, PAGE, WHOLE, are_few};
use crate::binds;
use crate::storage::{Connection, Failure};

row! {
    /// An alert.
    #[derive(Debug, Clone)]
    pub(crate) struct AlertItem {
        pub id: i64,
        pub kind: String,
        pub partner_code: Option<String>,
        pub partner_name: Option<String>,
        pub subject_kind: String,
        pub subject_id: Option<i64>,
        pub message: String,
        pub raised_at: i64,
        pub cleared_at: Option<i64>,
    }
}

row! {
    /// A mail.
    #[derive(Debug, Clone)]
    pub(crate) struct MailItem {
        pub id: i64,
        pub recipients: String,
        pub subject: String,
        pub body: String,
        pub created_at: i64,
        pub sent_at: Option<i64>,
        pub attempts: i64,
        pub next_at: Option<i64>,
        pub problem: Option<String>,
    }
}

row! {
    /// An entry of the audit trail.
    #[derive(Debug, Clone)]
    pub(crate) struct AuditItem {
        pub id: i64,
        pub at: i64,
        pub actor: String,
        pub action: String,
        pub subject_kind: String,
        pub subject_id: Option<i64>,
        pub detail: String,
    }
}

const ALERT: &str = "SELECT a.id, a.kind, p.code AS partner_code, p.name AS partner_name, a.subject_kind, a.subject_id,
    a.message, a.raised_at, a.cleared_at FROM alert a LEFT JOIN partner p ON p.id = a.partner_id";
const MAIL: &str = "SELECT id, recipients, subject, body, created_at, sent_at, attempts, next_at, problem FROM mail";
const AUDIT: &str = "SELECT id, at, actor, action, subject_kind, subject_id, detail FROM audit";

/// A page of alerts: those still standing, or all.
pub(crate) async fn alerts(
    connection: &mut Connection,
    standing: bool,
    before: Option<i64>,
) -> Result<Vec<AlertItem>, Failure> {
    let mut conditions = Conditions::default();
    conditions.and_some("a.id < ?", before.as_ref());
    if standing {
        conditions.and_plain("a.cleared_at IS NULL");
    }
    let sql = format!(
        "{ALERT}{} ORDER BY a.id DESC LIMIT {}",
        conditions.sql(),
        PAGE + 1
    );
    connection.rows(&sql, conditions.binds()).await
}

/// A page of mail: what still waits, or all.
pub(crate) async fn mails(
    connection: &mut Connection,
    waiting: bool,
    before: Option<i64>,
) -> Result<Vec<MailItem>, Failure> {
    let mut conditions = Conditions::default();
    conditions.and_some("id < ?", before.as_ref());
    if waiting {
        conditions.and_plain("sent_at IS NULL");
    }
    let sql = format!(
        "{MAIL}{} ORDER BY id DESC LIMIT {}",
        conditions.sql(),
        PAGE + 1
    );
    connection.rows(&sql, conditions.binds()).await
}

/// One mail.
pub(crate) async fn mail(
    connection: &mut Connection,
    id: i64,
) -> Result<Option<MailItem>, Failure> {
    connection
        .row(&format!("{MAIL} WHERE id = $1"), binds![id])
        .await
}

/// What has an entry for every order; it has no part in the index of who did something.
const BUSY: &str = "('partner', 'verification', 'allocation', 'at once', 'invoicing')";

/// A page of the audit trail.
pub(crate) async fn audit(
    connection: &mut Connection,
    actor: Option<&String>,
    subject_kind: Option<&String>,
    before: Option<i64>,
) -> Result<Vec<AuditItem>, Failure> {
    let mut conditions = Conditions::default();
    conditions
        .and_some("actor = ?", actor)
        .and_some("id < ?", before.as_ref());
    if let Some(kind) = subject_kind {
        // Of many the newest are gone through; SQLite would put all of them in order.
        let few = are_few(connection, "audit WHERE subject_kind = $1", binds![kind]).await?;
        match few || !connection.is_sqlite() {
            true => conditions.and("subject_kind = ?", kind),
            false => conditions.and("+subject_kind = ?", kind),
        };
        if few {
            conditions.and(
                "id IN (SELECT x.id FROM audit x WHERE x.subject_kind = ?)",
                kind,
            );
        }
    }
    if let Some(actor) = actor
        && !BUSY.contains(&format!("'{actor}'"))
    {
        // The condition of an index, which follows from the one before.
        conditions.and_plain(&format!("actor NOT IN {BUSY}"));
    }
    let sql = format!(
        "{AUDIT}{} ORDER BY id DESC LIMIT {}",
        conditions.sql(),
        PAGE + 1
    );
    connection.rows(&sql, conditions.binds()).await
}

/// What was done to a subject, oldest first.
pub(crate) async fn audit_of(
    connection: &mut Connection,
    kind: &str,
    id: i64,
) -> Result<Vec<AuditItem>, Failure> {
    let sql =
        format!("{AUDIT} WHERE subject_kind = $1 AND subject_id = $2 ORDER BY id LIMIT {WHOLE}");
    connection.rows(&sql, binds![kind, id]).await
}
