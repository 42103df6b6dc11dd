//! Payments as lists show them, and one whole.

use super::{Conditions, Counts, PAGE, WHOLE, aggregate, counted};
use crate::binds;
use crate::domain::remittance::Remittance;
use crate::storage::{Connection, Failure};

row! {
    /// A payment.
    #[derive(Debug, Clone)]
    pub(crate) struct PaymentItem {
        pub id: i64,
        pub partner_id: i64,
        pub partner_name: String,
        pub mode: String,
        pub reference: String,
        pub method: String,
        pub amount: i64,
        pub currency: String,
        pub date: String,
        pub document_id: Option<i64>,
        /// applied, unapplied, held.
        pub status: String,
        pub unapplied: i64,
        pub created_at: i64,
        pub created_by: String,
    }
}

const PAYMENT: &str = "SELECT y.id, y.partner_id, p.name AS partner_name, y.mode, y.reference,
    y.method, y.amount, y.currency, y.date, y.document_id, y.status, y.unapplied, y.created_at, y.created_by
    FROM payment y LEFT JOIN partner p ON p.id = y.partner_id";

/// A page of payments.
pub(crate) async fn list(
    connection: &mut Connection,
    status: Option<&String>,
    partner: Option<i64>,
    before: Option<i64>,
) -> Result<Vec<PaymentItem>, Failure> {
    let mut conditions = Conditions::default();
    conditions
        .and_some("y.status = ?", status)
        .and_some("y.partner_id = ?", partner.as_ref())
        .and_some("y.id < ?", before.as_ref());
    let sql = format!(
        "{PAYMENT}{} ORDER BY y.id DESC LIMIT {}",
        conditions.sql(),
        PAGE + 1
    );
    connection.rows(&sql, conditions.binds()).await
}

/// How many payments there are in each of these states.
pub(crate) async fn counts(
    connection: &mut Connection,
    states: &[&'static str],
) -> Result<Counts, Failure> {
    let of = |state: &&'static str| {
        let from = format!(
            "partner q CROSS JOIN payment y WHERE y.partner_id = q.id AND y.status = '{state}'"
        );
        (*state, from)
    };
    let from: Vec<(&str, String)> = states.iter().map(of).collect();
    Ok(Some(counted(connection, &from, binds![]).await?))
}

/// One payment.
pub(crate) async fn one(
    connection: &mut Connection,
    id: i64,
) -> Result<Option<PaymentItem>, Failure> {
    connection
        .row(&format!("{PAYMENT} WHERE y.id = $1"), binds![id])
        .await
}

/// What the payer said.
pub(crate) async fn remittance(
    connection: &mut Connection,
    id: i64,
) -> Result<Option<Remittance>, Failure> {
    connection
        .row::<(String,)>("SELECT body FROM payment WHERE id = $1", binds![id])
        .await?
        .map(|(body,)| aggregate("payment", id, &body))
        .transpose()
}

/// Payments of production that a person has to apply, oldest first.
pub(crate) async fn waiting(
    connection: &mut Connection,
    most: i64,
) -> Result<Vec<PaymentItem>, Failure> {
    // They are few, and found by each partner's index of states; by their numbers all payments would be gone through.
    let sql = format!(
        "{PAYMENT} WHERE y.id IN (SELECT n.id FROM partner q CROSS JOIN payment n
            WHERE n.partner_id = q.id AND n.status IN ('unapplied', 'held')) AND y.mode = 'production'
         ORDER BY y.id + 0 LIMIT $1"
    );
    connection.rows(&sql, binds![most]).await
}

/// A partner's payments with money that is tied to nothing.
pub(crate) async fn unapplied_of(
    connection: &mut Connection,
    partner: i64,
) -> Result<Vec<PaymentItem>, Failure> {
    let sql = format!(
        "{PAYMENT} WHERE y.partner_id = $1 AND y.status = 'unapplied' ORDER BY y.id LIMIT {WHOLE}"
    );
    connection.rows(&sql, binds![partner]).await
}
