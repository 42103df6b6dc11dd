//! The figures of the first page.

use sqlx::FromRow;

use crate::binds;
use crate::storage::{Connection, Failure};

/// Documents of one day and fate.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct FateRow {
    /// Days since 1970, UTC.
    pub day: i64,
    pub direction: String,
    pub disposition: String,
    pub delivery: String,
    pub syntax: String,
    pub n: i64,
}

/// Documents since `since` by day and fate. Acknowledgments themselves are left out: nobody answers them.
pub(crate) async fn fates(
    connection: &mut Connection,
    since: i64,
) -> Result<Vec<FateRow>, Failure> {
    connection
        .rows(
            "SELECT created_at / 86400000000 AS day, direction, disposition, delivery, syntax, COUNT(*) AS n
             FROM document WHERE created_at >= $1 AND set_code NOT IN ('997', '999', 'TA1')
             GROUP BY created_at / 86400000000, direction, disposition, delivery, syntax ORDER BY 1",
            binds![since],
        )
        .await
}

/// Orders of production by status and currency: how many and what they come to.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct OrderFigure {
    pub status: String,
    pub currency: String,
    pub n: i64,
    pub value: i64,
}

/// Orders of production by status.
pub(crate) async fn orders(connection: &mut Connection) -> Result<Vec<OrderFigure>, Failure> {
    connection
        .rows(
            "SELECT status, currency, COUNT(*) AS n, CAST(SUM(value) AS BIGINT) AS value FROM purchase_order
             WHERE mode = 'production' GROUP BY status, currency ORDER BY status, currency",
            binds![],
        )
        .await
}

/// A document of ours that the partner has not answered in time.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct OverdueAnswer {
    pub id: i64,
    pub set_code: String,
    pub partner_name: Option<String>,
    pub reference: String,
    pub isa13: String,
    pub answer_due_at: i64,
    pub value: Option<i64>,
    pub currency: Option<String>,
}

/// Documents whose answer is overdue at `now`, the one overdue longest first.
pub(crate) async fn overdue_answers(
    connection: &mut Connection,
    now: i64,
    most: i64,
) -> Result<Vec<OverdueAnswer>, Failure> {
    connection
        .rows(
            "SELECT d.id, d.set_code, p.name AS partner_name, d.reference, d.isa13, d.answer_due_at,
                COALESCE(o.value, i.total) AS value, COALESCE(o.currency, i.currency) AS currency
             FROM document d LEFT JOIN partner p ON p.id = d.partner_id
             LEFT JOIN purchase_order o ON d.subject_kind = 'order' AND o.id = d.subject_id
             LEFT JOIN invoice i ON d.subject_kind = 'invoice' AND i.id = d.subject_id
             WHERE d.answer_due_at < $1 AND d.direction = 'out' AND d.syntax = 'pending' AND d.delivery <> 'superseded'
             ORDER BY d.answer_due_at LIMIT $2",
            binds![now, most],
        )
        .await
}

/// What a partner has overdue in one currency.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct OverdueDebtor {
    pub partner_id: i64,
    pub partner_name: String,
    pub currency: String,
    pub n: i64,
    pub open: i64,
    pub oldest_due: String,
}

/// Who owes what past its due date on `today`, the most first.
pub(crate) async fn overdue_debtors(
    connection: &mut Connection,
    today: chrono::NaiveDate,
    most: i64,
) -> Result<Vec<OverdueDebtor>, Failure> {
    connection
        .rows(
            "SELECT i.partner_id, p.name AS partner_name, i.currency, COUNT(*) AS n, CAST(SUM(i.open) AS BIGINT) AS open,
                MIN(i.due) AS oldest_due
             FROM invoice i JOIN partner p ON p.id = i.partner_id
             WHERE i.mode = 'production' AND i.kind = 'invoice' AND i.status IN ('open', 'partially_paid') AND i.open > 0
                AND i.due < $1
             GROUP BY i.partner_id, p.name, i.currency ORDER BY 5 DESC LIMIT $2",
            binds![today, most],
        )
        .await
}

/// Alerts that still stand, and how many.
pub(crate) async fn standing_alerts(connection: &mut Connection) -> Result<i64, Failure> {
    connection
        .number(
            "SELECT COUNT(*) FROM alert WHERE cleared_at IS NULL",
            binds![],
        )
        .await
}

/// Whether the database answers; for `/ready`.
pub(crate) async fn answers(connection: &mut Connection) -> Result<bool, Failure> {
    Ok(connection
        .number("SELECT CAST(1 AS BIGINT)", binds![])
        .await?
        == 1)
}
