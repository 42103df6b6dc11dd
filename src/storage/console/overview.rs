//! The figures of the first page.

use crate::binds;
use crate::storage::{Connection, Failure};

row! {
    /// Documents of one day and fate.
    #[derive(Debug, Clone)]
    pub(crate) struct FateRow {
        /// Days since 1970, UTC.
        pub day: i64,
        pub direction: String,
        pub disposition: String,
        pub delivery: String,
        pub syntax: String,
        pub n: i64,
    }
}

/// Not acted upon, or not to be.
const OPEN: &str = "disposition IN ('received', 'held', 'rejected')";
/// In the words of an index.
const WAITING: &str = "(disposition = 'held' OR delivery = 'held'
    OR (direction = 'out' AND syntax = 'rejected' AND delivery <> 'superseded'))";
/// In the words of an index, too.
const UNANSWERED: &str = "syntax IN ('pending', 'rejected') AND syntax NOT IN ('accepted', 'none')";

/// Of documents since `$1`, what is not simply done, by day and fate. Each is found by the first of three indexes that has
/// it, and looked at once; not by when it came, for there are many more of those.
fn undone() -> String {
    let of = |which: String| {
        format!(
            "SELECT created_at / 86400000000 AS day, direction, disposition, delivery, syntax, COUNT(*) AS n
             FROM document WHERE {which} AND created_at + 0 >= $1 AND set_code NOT IN ('997', '999', 'TA1')
             GROUP BY created_at / 86400000000, direction, disposition, delivery, syntax"
        )
    };
    [
        of(OPEN.to_owned()),
        of(format!("{WAITING} AND NOT {OPEN}")),
        of(format!("{UNANSWERED} AND NOT {OPEN} AND NOT {WAITING}")),
    ]
    .join(" UNION ALL ")
}

/// Documents from `since` to the day of `until`, by day and fate; those that are simply done are one fate. Acknowledgments
/// themselves are left out: nobody answers them. What came on a day is counted by an index of when it came, and what is
/// not done has indexes of its own.
pub(crate) async fn fates(
    connection: &mut Connection,
    since: i64,
    until: i64,
) -> Result<Vec<FateRow>, Failure> {
    const DAY: i64 = 86_400_000_000;
    let mut rows: Vec<FateRow> = connection.rows(&undone(), binds![since]).await?;
    let days: Vec<String> = (since / DAY..=until / DAY)
        .map(|day| {
            format!(
                "SELECT CAST({day} AS BIGINT) AS day, (SELECT COUNT(*) FROM document WHERE created_at >= {}
                    AND created_at < {} AND set_code NOT IN ('997', '999', 'TA1')) AS n",
                (day * DAY).max(since),
                (day + 1) * DAY
            )
        })
        .collect();
    let all: Vec<(i64, i64)> = connection.rows(&days.join(" UNION ALL "), binds![]).await?;
    for (day, n) in all {
        let undone: i64 = rows
            .iter()
            .filter(|row| row.day == day)
            .map(|row| row.n)
            .sum();
        if n > undone {
            rows.push(FateRow {
                day,
                direction: String::new(),
                disposition: "processed".to_owned(),
                delivery: String::new(),
                syntax: String::new(),
                n: n - undone,
            });
        }
    }
    Ok(rows)
}

row! {
    /// Orders of production by status and currency: how many and what they come to.
    #[derive(Debug, Clone)]
    pub(crate) struct OrderFigure {
        pub status: String,
        pub currency: String,
        pub n: i64,
        pub value: i64,
    }
}

/// Orders of production on their way, by status: neither invoiced nor rejected.
pub(crate) async fn orders(connection: &mut Connection) -> Result<Vec<OrderFigure>, Failure> {
    connection
        .rows(
            "SELECT status, currency, COUNT(*) AS n, CAST(SUM(value) AS BIGINT) AS value FROM purchase_order
             WHERE status IN ('received', 'held', 'accepted', 'confirmed', 'backordered', 'partly_shipped', 'shipped')
                AND mode = 'production' GROUP BY status, currency ORDER BY status, currency",
            binds![],
        )
        .await
}

row! {
    /// A document of ours that the partner has not answered in time.
    #[derive(Debug, Clone)]
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

row! {
    /// What a partner has overdue in one currency.
    #[derive(Debug, Clone)]
    pub(crate) struct OverdueDebtor {
        pub partner_id: i64,
        pub partner_name: String,
        pub currency: String,
        pub n: i64,
        pub open: i64,
        pub oldest_due: String,
    }
}

/// Who owes what past its due date on `today`, the most first.
pub(crate) async fn overdue_debtors(
    connection: &mut Connection,
    today: chrono::NaiveDate,
    most: i64,
) -> Result<Vec<OverdueDebtor>, Failure> {
    let sql = format!(
        "SELECT x.partner_id, p.name AS partner_name, x.currency, x.n, x.open, x.oldest_due FROM (
            SELECT i.partner_id, i.currency, COUNT(*) AS n, CAST(SUM(i.open) AS BIGINT) AS open, MIN(i.due) AS oldest_due
            FROM invoice i{} WHERE i.mode = 'production' AND i.kind = 'invoice' AND i.status IN ('open', 'partially_paid')
                AND i.open > 0 AND i.due < $1 GROUP BY i.partner_id, i.currency) x
         JOIN partner p ON p.id = x.partner_id ORDER BY x.open DESC LIMIT $2",
        super::invoices::owed(connection)
    );
    connection.rows(&sql, binds![today, most]).await
}

/// How many alerts still stand; more than [`super::COUNTED`] says only that it is more.
pub(crate) async fn standing_alerts(connection: &mut Connection) -> Result<i64, Failure> {
    connection
        .number(
            &format!(
                "SELECT COUNT(*) FROM (SELECT 1 FROM alert WHERE cleared_at IS NULL LIMIT {}) AS standing",
                super::COUNTED + 1
            ),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Store, StoreLocation};

    #[tokio::test]
    async fn what_is_not_done_is_found_by_the_indexes_of_the_few() {
        let folder = tempfile::tempdir().unwrap();
        let location = StoreLocation::Sqlite(folder.path().join("supercargo.db"));
        let store = Store::open(location).await.unwrap();
        let mut connection = store.read().await.unwrap();
        let sql = format!("EXPLAIN QUERY PLAN {}", undone());
        let plan: Vec<(i64, i64, i64, String)> =
            connection.rows(&sql, binds![0_i64]).await.unwrap();
        let found_by = |index: &str| plan.iter().any(|(.., step)| step.contains(index));
        for index in [
            "document_disposition",
            "document_waiting",
            "document_unsettled",
        ] {
            assert!(found_by(index), "{index}: {plan:?}");
        }
        assert!(!found_by("document_day"), "{plan:?}");
    }
}
