//! Invoices, what was applied to them, and receivables by age.

use chrono::{Days, NaiveDate};

use super::{Conditions, Counts, PAGE, WHOLE, aggregate, are_few, counted, counted_by};
use crate::binds;
use crate::domain::invoice::Invoice;
use crate::storage::{Connection, Failure};

row! {
    /// An invoice or credit in a list.
    #[derive(Debug, Clone)]
    pub(crate) struct InvoiceItem {
        pub id: i64,
        pub number: String,
        pub kind: String,
        pub partner_id: i64,
        pub partner_code: String,
        pub partner_name: String,
        pub mode: String,
        pub order_id: i64,
        pub po_number: String,
        pub date: String,
        pub due: String,
        pub currency: String,
        pub total: i64,
        pub open: i64,
        pub disputed: i64,
        pub written_off: i64,
        pub status: String,
        pub created_at: i64,
    }
}

const INVOICE: &str = "SELECT i.id, i.number, i.kind, i.partner_id, p.code AS partner_code, p.name AS partner_name, i.mode,
    i.order_id, i.po_number, i.date, i.due, i.currency, i.total, i.open, i.disputed, i.written_off,
    i.status, i.created_at FROM invoice i LEFT JOIN partner p ON p.id = i.partner_id";

/// What a list of invoices is narrowed to.
#[derive(Debug, Clone, Default)]
pub(crate) struct InvoiceFilter {
    pub status: Option<String>,
    pub partner: Option<i64>,
    pub mode: Option<String>,
    /// Beginning of the invoice's number.
    pub number: Option<String>,
    /// Only what is open and was due before this date.
    pub due_before: Option<NaiveDate>,
    /// Only what is open and due on this date or later.
    pub due_from: Option<NaiveDate>,
    /// Only numbers below this.
    pub before: Option<i64>,
}

/// The conditions of a filter. `plus` goes before the columns whose indexes are not to be gone by.
fn conditions(filter: &InvoiceFilter, plus: &str) -> Conditions {
    let mut conditions = Conditions::default();
    conditions
        .and_some(&format!("{plus}i.status = ?"), filter.status.as_ref())
        .and_some(&format!("{plus}i.partner_id = ?"), filter.partner.as_ref())
        .and_mode("i.mode", filter.mode.as_ref())
        .and_some("i.due < ?", filter.due_before.as_ref())
        .and_some("i.due >= ?", filter.due_from.as_ref());
    if filter.due_before.is_some() || filter.due_from.is_some() {
        conditions.and_plain(
            "i.open > 0 AND i.kind = 'invoice' AND i.status IN ('open', 'partially_paid')",
        );
    }
    conditions
}

/// A page of invoices: the newest first, or, where they are looked for by the beginning of the number, in its order.
pub(crate) async fn list(
    connection: &mut Connection,
    filter: &InvoiceFilter,
) -> Result<Vec<InvoiceItem>, Failure> {
    let plus = if connection.is_sqlite() { "+" } else { "" };
    if let Some(number) = &filter.number {
        let mut conditions = conditions(filter, plus);
        conditions
            .and_plain(OURS)
            .and_begins("i.number", Some(number));
        if let Some(before) = filter.before
            && let Some(last) = item(connection, before).await?
        {
            conditions.and_follows(("i.number", last.number), ("i.id", before));
        }
        return page(connection, conditions, "i.number, i.id").await;
    }
    if filter.due_before.is_some() || filter.due_from.is_some() {
        return of_age(connection, filter).await;
    }
    // Where few are in the filter's state or with its partner, they are read whole; else the newest are gone through.
    let mut conditions = conditions(filter, plus);
    if is_narrow(connection, filter).await? {
        let narrow = narrow(filter, &mut conditions);
        conditions.and_plain(&format!("i.id IN (SELECT n.id FROM {narrow})"));
        return page(connection, conditions, SORTED).await;
    }
    conditions.and_some("i.id < ?", filter.before.as_ref());
    page(connection, conditions, "i.id DESC").await
}

/// The newest first, of few invoices that were found by another index: PostgreSQL would rather go back through all of them by
/// their numbers.
const SORTED: &str = "i.id + 0 DESC";

/// The unique index of numbers begins with the company; a gateway serves one.
pub(in crate::storage) const OURS: &str = "i.company_id = (SELECT MIN(id) FROM company)";

async fn page(
    connection: &mut Connection,
    conditions: Conditions,
    order: &str,
) -> Result<Vec<InvoiceItem>, Failure> {
    let sql = format!(
        "{INVOICE}{} ORDER BY {order} LIMIT {}",
        conditions.sql(),
        PAGE + 1
    );
    connection.rows(&sql, conditions.binds()).await
}

/// A page of what is open and of an age, out of the index of what is owed.
async fn of_age(
    connection: &mut Connection,
    filter: &InvoiceFilter,
) -> Result<Vec<InvoiceItem>, Failure> {
    let mut conditions = conditions(filter, "");
    conditions.and_some("i.id < ?", filter.before.as_ref());
    let sql = format!(
        "{INVOICE} WHERE i.id IN (SELECT i.id FROM invoice i{}{} ORDER BY {SORTED} LIMIT {}) ORDER BY {SORTED}",
        owed(connection),
        conditions.sql(),
        PAGE + 1
    );
    connection.rows(&sql, conditions.binds()).await
}

/// What SQLite has to be told, for it knows nothing of how much of anything there is: that the index of what is owed has all
/// that is asked for.
pub(in crate::storage) fn owed(connection: &Connection) -> &'static str {
    if connection.is_sqlite() {
        " INDEXED BY invoice_owed"
    } else {
        ""
    }
}

/// The invoices before the filter's number, in its state and with its partner, by the index of every partner.
fn narrow(filter: &InvoiceFilter, conditions: &mut Conditions) -> String {
    let mut of = "partner q CROSS JOIN invoice n WHERE n.partner_id = q.id".to_owned();
    if let Some(status) = &filter.status {
        of.push_str(&format!(" AND n.status = {}", conditions.place(status)));
    }
    if let Some(partner) = filter.partner {
        of.push_str(&format!(" AND q.id = {}", conditions.place(partner)));
    }
    if let Some(before) = filter.before {
        of.push_str(&format!(" AND n.id < {}", conditions.place(before)));
    }
    of
}

/// Whether few invoices are in the filter's state and with its partner.
async fn is_narrow(connection: &mut Connection, filter: &InvoiceFilter) -> Result<bool, Failure> {
    if filter.status.is_none() && filter.partner.is_none() {
        return Ok(false);
    }
    let mut conditions = Conditions::default();
    let narrow = narrow(filter, &mut conditions);
    are_few(connection, &narrow, conditions.binds()).await
}

/// How many invoices there are in each of these states under a filter, whatever its own state and due dates.
pub(crate) async fn counts(
    connection: &mut Connection,
    filter: &InvoiceFilter,
    states: &[&'static str],
) -> Result<Counts, Failure> {
    let wide = InvoiceFilter {
        status: None,
        due_before: None,
        due_from: None,
        ..filter.clone()
    };
    if wide.number.is_some() || wide.mode.as_deref() == Some("test") {
        let plus = if connection.is_sqlite() { "+" } else { "" };
        let mut conditions = conditions(&wide, plus);
        if wide.number.is_some() {
            conditions
                .and_plain(OURS)
                .and_begins("i.number", wide.number.as_ref());
        }
        let from = format!("SELECT i.status FROM invoice i{}", conditions.sql());
        return counted_by(connection, "status", &from, conditions.binds()).await;
    }
    let mut conditions = conditions(&wide, "");
    conditions.and_plain("i.partner_id = q.id AND i.status = STATE");
    let from: Vec<(&str, String)> = states
        .iter()
        .map(|state| {
            let of = conditions.sql().replace("STATE", &format!("'{state}'"));
            (*state, format!("partner q CROSS JOIN invoice i{of}"))
        })
        .collect();
    Ok(Some(counted(connection, &from, conditions.binds()).await?))
}

/// One invoice in a list's form.
pub(crate) async fn item(
    connection: &mut Connection,
    id: i64,
) -> Result<Option<InvoiceItem>, Failure> {
    connection
        .row(&format!("{INVOICE} WHERE i.id = $1"), binds![id])
        .await
}

/// One invoice as it was issued.
pub(crate) async fn one(connection: &mut Connection, id: i64) -> Result<Option<Invoice>, Failure> {
    connection
        .row::<(String,)>("SELECT body FROM invoice WHERE id = $1", binds![id])
        .await?
        .map(|(body,)| aggregate("invoice", id, &body))
        .transpose()
}

/// The invoices of an order, oldest first.
pub(crate) async fn of_order(
    connection: &mut Connection,
    order: i64,
) -> Result<Vec<InvoiceItem>, Failure> {
    let sql = format!("{INVOICE} WHERE i.order_id = $1 ORDER BY i.id LIMIT {WHOLE}");
    connection.rows(&sql, binds![order]).await
}

/// A partner's invoices and credits that something is open of, by due date.
pub(crate) async fn open_of(
    connection: &mut Connection,
    partner: i64,
) -> Result<Vec<InvoiceItem>, Failure> {
    let sql = format!(
        "{INVOICE} WHERE i.partner_id = $1 AND i.status IN ('open', 'partially_paid') ORDER BY i.due, i.id LIMIT {WHOLE}"
    );
    connection.rows(&sql, binds![partner]).await
}

row! {
    /// Money applied to an invoice.
    #[derive(Debug, Clone)]
    pub(crate) struct ApplicationItem {
        pub payment_id: i64,
        pub invoice_id: i64,
        pub number: String,
        pub reference: String,
        pub method: String,
        pub date: String,
        pub currency: String,
        pub paid: i64,
        pub discount: i64,
        pub written_off: i64,
        pub at: i64,
    }
}

const APPLICATION: &str = "SELECT a.payment_id, a.invoice_id, i.number, y.reference, y.method, y.date, y.currency, a.paid,
    a.discount, a.written_off, a.at FROM application a JOIN payment y ON y.id = a.payment_id
    JOIN invoice i ON i.id = a.invoice_id";

/// What was applied to an invoice, oldest first.
pub(crate) async fn applied_to(
    connection: &mut Connection,
    invoice: i64,
) -> Result<Vec<ApplicationItem>, Failure> {
    let sql =
        format!("{APPLICATION} WHERE a.invoice_id = $1 ORDER BY a.at, a.payment_id LIMIT {WHOLE}");
    connection.rows(&sql, binds![invoice]).await
}

/// What a payment was applied to, by invoice.
pub(crate) async fn applied_of(
    connection: &mut Connection,
    payment: i64,
) -> Result<Vec<ApplicationItem>, Failure> {
    let sql = format!("{APPLICATION} WHERE a.payment_id = $1 ORDER BY a.invoice_id LIMIT {WHOLE}");
    connection.rows(&sql, binds![payment]).await
}

row! {
    /// What a partner owes in one currency by how long it is past due, in minor units.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub(crate) struct AgeRow {
        pub partner_id: i64,
        pub partner_code: String,
        pub partner_name: String,
        pub currency: String,
        pub not_due: i64,
        pub days_1_30: i64,
        pub days_31_60: i64,
        pub days_61_90: i64,
        pub days_over_90: i64,
        pub disputed: i64,
        /// Open credits and unapplied money, at or below zero.
        pub unapplied: i64,
    }
}

impl AgeRow {
    /// The five buckets, youngest first.
    pub(crate) fn buckets(&self) -> [i64; 5] {
        [
            self.not_due,
            self.days_1_30,
            self.days_31_60,
            self.days_61_90,
            self.days_over_90,
        ]
    }

    /// The buckets and what is on the account.
    pub(crate) fn total(&self) -> i64 {
        self.buckets()
            .iter()
            .fold(self.unapplied, |sum, bucket| sum.saturating_add(*bucket))
    }

    /// What is past due.
    pub(crate) fn overdue(&self) -> i64 {
        self.buckets()
            .iter()
            .skip(1)
            .fold(0, |sum, bucket: &i64| sum.saturating_add(*bucket))
    }
}

/// The first day of each bucket, youngest first: due today or later is current.
pub(crate) fn bucket_edges(today: NaiveDate) -> [NaiveDate; 4] {
    [0, 30, 60, 90].map(|days| today.checked_sub_days(Days::new(days)).unwrap_or(today))
}

/// Receivables of production by age on `today`, by partner and currency.
pub(crate) async fn aging(
    connection: &mut Connection,
    today: NaiveDate,
) -> Result<Vec<AgeRow>, Failure> {
    let [d0, d30, d60, d90] = bucket_edges(today);
    let index = owed(connection);
    let owed = "i.kind = 'invoice' AND i.open > 0 THEN i.open ELSE 0 END) AS BIGINT)";
    let sql = format!(
        "SELECT x.partner_id, p.code AS partner_code, p.name AS partner_name, x.currency,
            CAST(SUM(x.not_due) AS BIGINT) AS not_due, CAST(SUM(x.d30) AS BIGINT) AS days_1_30,
            CAST(SUM(x.d60) AS BIGINT) AS days_31_60, CAST(SUM(x.d90) AS BIGINT) AS days_61_90,
            CAST(SUM(x.older) AS BIGINT) AS days_over_90, CAST(SUM(x.disputed) AS BIGINT) AS disputed,
            CAST(SUM(x.unapplied) AS BIGINT) AS unapplied FROM (
          SELECT i.partner_id, i.currency,
            CAST(SUM(CASE WHEN i.due >= $1 AND {owed} AS not_due,
            CAST(SUM(CASE WHEN i.due < $1 AND i.due >= $2 AND {owed} AS d30,
            CAST(SUM(CASE WHEN i.due < $2 AND i.due >= $3 AND {owed} AS d60,
            CAST(SUM(CASE WHEN i.due < $3 AND i.due >= $4 AND {owed} AS d90,
            CAST(SUM(CASE WHEN i.due < $4 AND {owed} AS older,
            CAST(SUM(i.disputed) AS BIGINT) AS disputed,
            CAST(SUM(CASE WHEN i.kind = 'credit' THEN -ABS(i.open) ELSE 0 END) AS BIGINT) AS unapplied
          FROM invoice i{index} WHERE i.mode = 'production' AND i.status IN ('open', 'partially_paid')
          GROUP BY i.partner_id, i.currency
          UNION ALL
          SELECT y.partner_id, y.currency, 0, 0, 0, 0, 0, 0, CAST(-SUM(y.unapplied) AS BIGINT)
          FROM payment y WHERE y.mode = 'production' AND y.status = 'unapplied' GROUP BY y.partner_id, y.currency) x
         JOIN partner p ON p.id = x.partner_id
         GROUP BY x.partner_id, p.code, p.name, x.currency ORDER BY p.code, x.currency LIMIT {WHOLE}"
    );
    connection.rows(&sql, binds![d0, d30, d60, d90]).await
}
