//! Deductions as the desk shows them, and one with what proves it right or wrong.

use super::{Conditions, PAGE, WHOLE};
use crate::binds;
use crate::storage::{Connection, Failure};

row! {
    /// A deduction.
    #[derive(Debug, Clone)]
    pub(crate) struct DeductionItem {
        pub id: i64,
        pub partner_id: i64,
        pub partner_name: String,
        pub mode: String,
        pub payment_id: i64,
        pub payment_reference: String,
        pub payment_date: String,
        pub document_id: Option<i64>,
        pub invoice_id: Option<i64>,
        pub invoice_number: Option<String>,
        pub po_number: Option<String>,
        pub order_id: Option<i64>,
        /// What the payer wrote where it names no invoice of ours.
        pub claimed_reference: String,
        /// What the payer took.
        pub taken: i64,
        /// What stands of it.
        pub amount: i64,
        pub currency: String,
        pub reason: String,
        pub reference: String,
        /// open, disputed, recovered, written_off.
        pub status: String,
        pub created_at: i64,
    }
}

const DEDUCTION: &str = "SELECT d.id, d.partner_id, p.name AS partner_name, d.mode, d.payment_id,
    y.reference AS payment_reference, y.date AS payment_date, y.document_id, d.invoice_id, i.number AS invoice_number,
    i.po_number, i.order_id, d.claimed_reference, d.taken, d.amount, d.currency, d.reason, d.reference,
    d.status, d.created_at FROM deduction d LEFT JOIN partner p ON p.id = d.partner_id LEFT JOIN payment y ON y.id = d.payment_id
    LEFT JOIN invoice i ON i.id = d.invoice_id";

/// A page of deductions.
pub(crate) async fn list(
    connection: &mut Connection,
    status: Option<&String>,
    partner: Option<i64>,
    before: Option<i64>,
) -> Result<Vec<DeductionItem>, Failure> {
    let mut conditions = Conditions::default();
    conditions
        .and_some("d.status = ?", status)
        .and_some("d.partner_id = ?", partner.as_ref())
        .and_some("d.id < ?", before.as_ref());
    let sql = format!(
        "{DEDUCTION}{} ORDER BY d.id DESC LIMIT {}",
        conditions.sql(),
        PAGE + 1
    );
    connection.rows(&sql, conditions.binds()).await
}

/// How many deductions there are in each status, and what they come to in each currency.
pub(crate) async fn counts(
    connection: &mut Connection,
) -> Result<Vec<(String, String, i64, i64)>, Failure> {
    connection
        .rows(
            "SELECT status, currency, COUNT(*), CAST(SUM(amount) AS BIGINT) FROM deduction WHERE mode = 'production'
             GROUP BY status, currency ORDER BY status, currency",
            binds![],
        )
        .await
}

/// One deduction.
pub(crate) async fn one(
    connection: &mut Connection,
    id: i64,
) -> Result<Option<DeductionItem>, Failure> {
    connection
        .row(&format!("{DEDUCTION} WHERE d.id = $1"), binds![id])
        .await
}

/// Deductions taken from an invoice, oldest first.
pub(crate) async fn of_invoice(
    connection: &mut Connection,
    invoice: i64,
) -> Result<Vec<DeductionItem>, Failure> {
    let sql = format!("{DEDUCTION} WHERE d.invoice_id = $1 ORDER BY d.id LIMIT {WHOLE}");
    connection.rows(&sql, binds![invoice]).await
}

/// Deductions that a payment made, oldest first.
pub(crate) async fn of_payment(
    connection: &mut Connection,
    payment: i64,
) -> Result<Vec<DeductionItem>, Failure> {
    let sql = format!("{DEDUCTION} WHERE d.payment_id = $1 ORDER BY d.id LIMIT {WHOLE}");
    connection.rows(&sql, binds![payment]).await
}

/// Deductions of production that nobody has decided on, largest first.
pub(crate) async fn waiting(
    connection: &mut Connection,
    most: i64,
) -> Result<Vec<DeductionItem>, Failure> {
    let sql = format!(
        "{DEDUCTION} WHERE d.status = 'open' AND d.mode = 'production' ORDER BY d.amount DESC, d.id LIMIT $1"
    );
    connection.rows(&sql, binds![most]).await
}
