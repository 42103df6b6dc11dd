//! Orders as lists show them, and one order whole.

use sqlx::FromRow;

use super::{Conditions, PAGE, aggregate};
use crate::binds;
use crate::domain::order::Order;
use crate::storage::{Connection, Failure};

/// An order in a list.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct OrderItem {
    pub id: i64,
    pub po_number: String,
    pub partner_id: i64,
    pub partner_code: String,
    pub partner_name: String,
    pub mode: String,
    pub status: String,
    pub received_at: i64,
    /// Minor units.
    pub value: i64,
    pub currency: String,
    pub ship_by: Option<String>,
}

const ORDER: &str = "SELECT o.id, o.po_number, o.partner_id, p.code AS partner_code, p.name AS partner_name, o.mode,
    o.status, o.received_at, o.value, o.currency, o.ship_by FROM purchase_order o JOIN partner p ON p.id = o.partner_id";

/// What a list of orders is narrowed to.
#[derive(Debug, Clone, Default)]
pub(crate) struct OrderFilter {
    pub status: Option<String>,
    pub partner: Option<i64>,
    pub mode: Option<String>,
    /// Beginning of the PO number.
    pub po: Option<String>,
    /// Only numbers below this.
    pub before: Option<i64>,
}

fn conditions(filter: &OrderFilter) -> Conditions {
    let mut conditions = Conditions::default();
    let po = filter
        .po
        .as_ref()
        .map(|po| format!("{}%", like_literal(po)));
    conditions
        .and_some("o.status = ?", filter.status.as_ref())
        .and_some("o.partner_id = ?", filter.partner.as_ref())
        .and_some("o.mode = ?", filter.mode.as_ref())
        .and_some("o.po_number LIKE ? ESCAPE '!'", po.as_ref())
        .and_some("o.id < ?", filter.before.as_ref());
    conditions
}

/// Text as LIKE takes it literally, with `!` as the escape.
pub(crate) fn like_literal(text: &str) -> String {
    text.replace('!', "!!")
        .replace('%', "!%")
        .replace('_', "!_")
}

/// A page of orders.
pub(crate) async fn list(
    connection: &mut Connection,
    filter: &OrderFilter,
) -> Result<Vec<OrderItem>, Failure> {
    let conditions = conditions(filter);
    let sql = format!(
        "{ORDER}{} ORDER BY o.id DESC LIMIT {}",
        conditions.sql(),
        PAGE + 1
    );
    connection.rows(&sql, conditions.binds()).await
}

/// How many orders there are in each status under a filter, whatever its own status.
pub(crate) async fn counts(
    connection: &mut Connection,
    filter: &OrderFilter,
) -> Result<Vec<(String, i64)>, Failure> {
    let wide = OrderFilter {
        status: None,
        before: None,
        ..filter.clone()
    };
    let conditions = conditions(&wide);
    let sql = format!(
        "SELECT o.status, COUNT(*) FROM purchase_order o{} GROUP BY o.status",
        conditions.sql()
    );
    connection.rows(&sql, conditions.binds()).await
}

/// The item of a list for one order.
pub(crate) async fn item(
    connection: &mut Connection,
    id: i64,
) -> Result<Option<OrderItem>, Failure> {
    connection
        .row(&format!("{ORDER} WHERE o.id = $1"), binds![id])
        .await
}

/// One order, whole.
pub(crate) async fn one(connection: &mut Connection, id: i64) -> Result<Option<Order>, Failure> {
    connection
        .row::<(String,)>("SELECT body FROM purchase_order WHERE id = $1", binds![id])
        .await?
        .map(|(body,)| aggregate("purchase_order", id, &body))
        .transpose()
}
