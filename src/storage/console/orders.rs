//! Orders as lists show them, and one order whole.

use super::{Conditions, Counts, PAGE, aggregate, are_few, counted, counted_by};
use crate::binds;
use crate::domain::order::Order;
use crate::storage::{Connection, Failure};

row! {
    /// An order in a list.
    #[derive(Debug, Clone)]
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
}

const ORDER: &str = "SELECT o.id, o.po_number, o.partner_id, p.code AS partner_code, p.name AS partner_name, o.mode,
    o.status, o.received_at, o.value, o.currency, o.ship_by FROM purchase_order o LEFT JOIN partner p ON p.id = o.partner_id";

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

/// The conditions of a filter. `plus` goes before the columns whose indexes are not to be gone by.
fn conditions(filter: &OrderFilter, plus: &str) -> Conditions {
    let mut conditions = Conditions::default();
    conditions
        .and_some(&format!("{plus}o.status = ?"), filter.status.as_ref())
        .and_some(&format!("{plus}o.partner_id = ?"), filter.partner.as_ref())
        .and_mode("o.mode", filter.mode.as_ref());
    conditions
}

/// A page of orders: the newest first, or, where they are looked for by the beginning of the PO number, in its order.
pub(crate) async fn list(
    connection: &mut Connection,
    filter: &OrderFilter,
) -> Result<Vec<OrderItem>, Failure> {
    if filter.po.is_some() {
        return by_number(connection, filter).await;
    }
    let mut conditions = conditions(filter, "");
    conditions.and_some("o.id < ?", filter.before.as_ref());
    let sql = format!(
        "{ORDER}{} ORDER BY o.id DESC LIMIT {}",
        conditions.sql(),
        PAGE + 1
    );
    connection.rows(&sql, conditions.binds()).await
}

async fn by_number(
    connection: &mut Connection,
    filter: &OrderFilter,
) -> Result<Vec<OrderItem>, Failure> {
    // Which index to go by has to be told: that of the state where few are in it, else that of the number. PostgreSQL takes
    // the orders of a state to be spread evenly over all numbers, while those that wait are among the newest.
    let (of_state, of_number) = match (connection.is_sqlite(), is_narrow(connection, filter).await?)
    {
        (false, true) => ("", "'' || "),
        (false, false) => ("", ""),
        (true, true) => ("", "+"),
        (true, false) => ("+", ""),
    };
    let number = format!("{of_number}o.po_number");
    let mut conditions = conditions(filter, of_state);
    conditions.and_begins(&number, filter.po.as_ref());
    if let Some(before) = filter.before
        && let Some(last) = item(connection, before).await?
    {
        conditions.and_follows((&number, last.po_number), ("o.id", before));
    }
    let sql = format!(
        "{ORDER}{} ORDER BY {number}, o.id LIMIT {}",
        conditions.sql(),
        PAGE + 1
    );
    connection.rows(&sql, conditions.binds()).await
}

/// Whether few orders are in the filter's state.
async fn is_narrow(connection: &mut Connection, filter: &OrderFilter) -> Result<bool, Failure> {
    let wide = OrderFilter {
        mode: None,
        ..filter.clone()
    };
    let conditions = conditions(&wide, "");
    let from = format!("purchase_order o{}", conditions.sql());
    Ok(filter.status.is_some() && are_few(connection, &from, conditions.binds()).await?)
}

/// How many orders there are in each of these states under a filter, whatever its own.
pub(crate) async fn counts(
    connection: &mut Connection,
    filter: &OrderFilter,
    states: &[&'static str],
) -> Result<Counts, Failure> {
    let wide = OrderFilter {
        status: None,
        ..filter.clone()
    };
    if wide.po.is_some() || wide.mode.as_deref() == Some("test") {
        let plus = if connection.is_sqlite() { "+" } else { "" };
        let mut conditions = conditions(&wide, plus);
        conditions.and_begins("o.po_number", wide.po.as_ref());
        let from = format!("SELECT o.status FROM purchase_order o{}", conditions.sql());
        return counted_by(connection, "status", &from, conditions.binds()).await;
    }
    let mut conditions = conditions(&wide, "");
    conditions.and_plain("o.status = STATE");
    let from: Vec<(&str, String)> = states
        .iter()
        .map(|state| {
            let of = conditions.sql().replace("STATE", &format!("'{state}'"));
            (*state, format!("purchase_order o{of}"))
        })
        .collect();
    Ok(Some(counted(connection, &from, conditions.binds()).await?))
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
