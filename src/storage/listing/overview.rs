//! The counts of the console's first page. Each is answered by an index, however many orders there are.

use chrono::NaiveDate;
use serde::Serialize;

use crate::binds;
use crate::domain::clock::Instant;
use crate::domain::order::Mode;
use crate::storage::connection::Connection;
use crate::storage::console::invoices::owed;
use crate::storage::failure::Failure;

/// What waits, what is wrong, what is owed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// Orders that wait for a person.
    pub orders_held: i64,
    /// Orders on their way: received, accepted, confirmed, partly shipped, shipped.
    pub orders_in_progress: i64,
    /// Orders of which nothing could be promised yet.
    pub orders_backordered: i64,
    /// Received documents that wait for a person.
    pub documents_held: i64,
    /// Received documents that were refused.
    pub documents_rejected: i64,
    /// Documents we sent that nobody acknowledged in time.
    pub acknowledgments_overdue: i64,
    /// Shipments that have not left.
    pub shipments_planned: i64,
    /// Invoices of which something is open.
    pub invoices_open: i64,
    /// Those of them that are past their due date.
    pub invoices_past_due: i64,
    /// Deductions that nobody has settled.
    pub deductions_open: i64,
    /// Payments with money that is tied to nothing.
    pub payments_unapplied: i64,
    /// Alerts that are not cleared.
    pub alerts_open: i64,
    /// Work that failed before.
    pub work_failing: i64,
    /// Mail that could not be sent.
    pub mail_failing: i64,
}

/// The counts at `now` and on `today`, the day at our company.
pub async fn overview(
    connection: &mut Connection,
    mode: Mode,
    now: Instant,
    today: NaiveDate,
) -> Result<Overview, Failure> {
    let word = mode.word();
    let owed = owed(connection);
    Ok(Overview {
        orders_held: count(connection, "purchase_order WHERE status = 'held' AND mode = $1", word).await?,
        orders_in_progress: orders_in_progress(connection, mode).await?,
        orders_backordered: count(connection, "purchase_order WHERE status = 'backordered' AND mode = $1", word).await?,
        documents_held: count(connection, "document WHERE disposition = 'held' AND mode = $1", word).await?,
        documents_rejected: count(connection, "document WHERE disposition = 'rejected' AND mode = $1", word).await?,
        acknowledgments_overdue: connection
            .number(
                "SELECT COUNT(*) FROM document WHERE answer_due_at <= $1 AND syntax = 'pending'
                 AND delivery <> 'superseded' AND mode = $2",
                binds![now, word],
            )
            .await?,
        shipments_planned: count(connection, "shipment WHERE status = 'planned' AND mode = $1", word).await?,
        invoices_open: count(
            connection,
            &format!("invoice i{owed} WHERE i.status IN ('open', 'partially_paid') AND i.mode = $1"),
            word,
        )
        .await?,
        invoices_past_due: connection
            .number(
                &format!(
                    "SELECT COUNT(*) FROM invoice i{owed} WHERE i.status IN ('open', 'partially_paid')
                     AND i.kind = 'invoice' AND i.due < $1 AND i.mode = $2"
                ),
                binds![today, word],
            )
            .await?,
        deductions_open: count(
            connection,
            "partner p CROSS JOIN deduction d WHERE d.partner_id = p.id AND d.status IN ('open', 'disputed') AND d.mode = $1",
            word,
        )
        .await?,
        payments_unapplied: count(
            connection,
            "partner p CROSS JOIN payment y WHERE y.partner_id = p.id AND y.status = 'unapplied' AND y.mode = $1",
            word,
        )
        .await?,
        alerts_open: connection.number("SELECT COUNT(*) FROM alert WHERE cleared_at IS NULL", binds![]).await?,
        work_failing: connection.number("SELECT COUNT(*) FROM work WHERE attempts > 0", binds![]).await?,
        mail_failing: connection
            .number("SELECT COUNT(*) FROM mail WHERE sent_at IS NULL AND attempts > 0", binds![])
            .await?,
    })
}

/// Those of the production are all without those of the test, which are few: so the index of states has the answer.
async fn orders_in_progress(connection: &mut Connection, mode: Mode) -> Result<i64, Failure> {
    const IN_PROGRESS: &str =
        "status IN ('received', 'accepted', 'confirmed', 'partly_shipped', 'shipped')";
    let (by_state, by_test) = match connection.is_sqlite() {
        true => (
            " INDEXED BY purchase_order_status",
            " INDEXED BY purchase_order_test",
        ),
        false => ("", ""),
    };
    let of_test = format!(
        "SELECT COUNT(*) FROM purchase_order{by_test} WHERE mode = 'test' AND {IN_PROGRESS}"
    );
    let sql = match mode {
        Mode::Test => of_test,
        Mode::Production => format!(
            "SELECT (SELECT COUNT(*) FROM purchase_order{by_state} WHERE {IN_PROGRESS}) - ({of_test})"
        ),
    };
    connection.number(&sql, binds![]).await
}

async fn count(connection: &mut Connection, of: &str, mode: &str) -> Result<i64, Failure> {
    connection
        .number(&format!("SELECT COUNT(*) FROM {of}"), binds![mode])
        .await
}
