//! Copies of the seed by set-based statements: every number and every reference shifted, every instant and date moved,
//! whatever has to be unique made unique. Stored bytes are shared by all copies of a file, and what stands inside of a
//! body, other than its own number and the references that bear the mark, is the seed's.

use std::collections::BTreeMap;

use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _, SqliteConnection,
};
use supercargo::storage::{Connection, StoreLocation};

use super::Outcome;
use super::trade::MARK;

/// Copies that one transaction makes.
const AT_ONCE: i64 = 100;
/// Tables that hold what orders make, referred to before referring.
const TABLES: [&str; 20] = [
    "file",
    "interchange",
    "functional_group",
    "transmission",
    "document",
    "purchase_order",
    "shipment",
    "shipment_order",
    "label_run",
    "invoice",
    "payment",
    "application",
    "deduction",
    "ledger_entry",
    "effect",
    "stock_movement",
    "alert",
    "mail",
    "audit",
    "work",
];

/// By which column a table is cut into parts.
fn key_of(table: &str) -> &'static str {
    match table {
        "functional_group" => "interchange_id",
        "shipment_order" => "shipment_id",
        _ => "id",
    }
}

/// The table whose numbers a column bears; none: it bears none.
fn referred(table: &str, column: &str) -> Option<&'static str> {
    Some(match column {
        "file_id" => "file",
        "interchange_id" => "interchange",
        "transmission_id" => "transmission",
        "document_id" | "replaces_id" => "document",
        "order_id" => "purchase_order",
        "shipment_id" => "shipment",
        "invoice_id" => "invoice",
        "payment_id" => "payment",
        "first_serial" | "last_serial" => "label",
        "id" => TABLES.into_iter().find(|known| *known == table)?,
        _ => return None,
    })
}

/// Where a part of the seed ends, by table.
pub type Ends = BTreeMap<&'static str, i64>;

/// The query for the last number of each table.
fn last_numbers() -> impl Iterator<Item = (&'static str, String)> {
    let of = |column: &str, table: &str| {
        format!("SELECT CAST(COALESCE(MAX({column}), 0) AS BIGINT) FROM {table}")
    };
    TABLES
        .into_iter()
        .map(move |table| (table, of(key_of(table), table)))
        .chain([("label", of("last_serial", "label_run"))])
}

/// Where the seed ends now.
pub async fn ends(connection: &mut Connection) -> Outcome<Ends> {
    let mut ends = Ends::new();
    for (table, sql) in last_numbers() {
        ends.insert(table, connection.number(&sql, vec![]).await?);
    }
    Ok(ends)
}

/// A part of the seed and how it is multiplied.
pub struct Part {
    /// Where it begins: the numbers behind these.
    pub after: Ends,
    /// Where it ends: these numbers.
    pub until: Ends,
    /// How often it is copied.
    pub copies: i64,
    /// Microseconds over which its copies are spread.
    pub over: i64,
}

/// A connection of its own, without the guards that a gateway's has.
pub enum Filler {
    /// SQLite.
    Lite(SqliteConnection),
    /// PostgreSQL.
    Pg(PgConnection),
}

impl Filler {
    /// Opens a database that no gateway is at.
    pub async fn open(location: &StoreLocation) -> Outcome<Self> {
        let mut filler = match location {
            StoreLocation::Sqlite(path) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new()
                    .filename(path)
                    .busy_timeout(std::time::Duration::from_secs(20));
                Self::Lite(SqliteConnection::connect_with(&options).await?)
            }
            StoreLocation::Postgres(url) => Self::Pg(PgConnection::connect(url).await?),
        };
        let begin = match filler {
            Self::Lite(_) => {
                "PRAGMA foreign_keys = OFF; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1500000;
                 PRAGMA temp_store = MEMORY"
            }
            // References are right by the way the copies are made; to look each up would double the time.
            Self::Pg(_) => {
                "SET session_replication_role = replica; SET synchronous_commit = off; SET work_mem = '256MB'"
            }
        };
        filler.run(begin).await?;
        Ok(filler)
    }

    async fn run(&mut self, sql: &str) -> Outcome<()> {
        let text = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Self::Lite(connection) => connection.execute(text).await.map(|_| ()),
            Self::Pg(connection) => connection.execute(text).await.map(|_| ()),
        }
        .map_err(|error| super::Broken(format!("{error}: {sql}")).into())
    }

    async fn number(&mut self, sql: &str) -> Outcome<i64> {
        let text = AssertSqlSafe(sql.to_owned());
        Ok(match self {
            Self::Lite(connection) => sqlx::query_scalar(text).fetch_one(connection).await?,
            Self::Pg(connection) => sqlx::query_scalar(text).fetch_one(connection).await?,
        })
    }

    async fn columns(&mut self, table: &str) -> Outcome<Vec<String>> {
        let text = match self {
            Self::Lite(_) => format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"),
            Self::Pg(_) => format!(
                "SELECT CAST(column_name AS TEXT) FROM information_schema.columns
                 WHERE table_schema = current_schema() AND table_name = '{table}' ORDER BY ordinal_position"
            ),
        };
        let text = AssertSqlSafe(text);
        let mut names = Vec::new();
        match self {
            Self::Lite(connection) => {
                for row in sqlx::query(text).fetch_all(connection).await? {
                    names.push(row.try_get(0)?);
                }
            }
            Self::Pg(connection) => {
                for row in sqlx::query(text).fetch_all(connection).await? {
                    names.push(row.try_get(0)?);
                }
            }
        }
        Ok(names)
    }

    /// Copies the parts, the first one first; their numbers are moved on by multiples of `strides`.
    pub async fn multiply(&mut self, parts: &[Part], strides: &Ends) -> Outcome<()> {
        let integer = "BIGINT";
        self.run(&format!(
            "CREATE TABLE copy (n {integer} PRIMARY KEY, micros {integer} NOT NULL, days {integer} NOT NULL, mark TEXT NOT NULL)"
        ))
        .await?;
        let mut statements = Vec::new();
        for table in TABLES {
            statements.push((table, self.statement(table, strides).await?));
        }
        let all: i64 = parts.iter().map(|part| part.copies).sum();
        let mut last = 0;
        for part in parts {
            let first = last + 1;
            last += part.copies;
            for n in first..=last {
                let micros = part.over / part.copies.max(1) * (n - first + 1);
                self.run(&format!(
                    "INSERT INTO copy (n, micros, days, mark) VALUES ({n}, {micros}, {}, 'QZ{n:06}')",
                    micros / 86_400_000_000
                ))
                .await?;
            }
            let mut from = first;
            while from <= last {
                let to = (from + AT_ONCE - 1).min(last);
                self.run("BEGIN").await?;
                for (table, statement) in &statements {
                    let key = key_of(table);
                    let (after, until) = (part.after.get(table), part.until.get(table));
                    let sql = format!(
                        "{statement} WHERE c.n BETWEEN {from} AND {to} AND t.{key} > {} AND t.{key} <= {} ORDER BY c.n, t.{key}",
                        after.unwrap_or(&0),
                        until.unwrap_or(&0)
                    );
                    self.run(&sql).await?;
                }
                self.run("COMMIT").await?;
                eprintln!("{to} of {all} copies");
                from = to + 1;
            }
        }
        self.run("DROP TABLE copy").await?;
        self.end().await
    }

    /// `INSERT INTO … SELECT … FROM copies and the seed`, without conditions.
    async fn statement(&mut self, table: &str, strides: &Ends) -> Outcome<String> {
        let columns = self.columns(table).await?;
        let values: Vec<String> = columns
            .iter()
            .map(|column| self.value(table, column, strides))
            .collect();
        Ok(format!(
            "INSERT INTO {table} ({}) SELECT {} FROM copy c CROSS JOIN {table} t",
            columns.join(", "),
            values.join(", ")
        ))
    }

    /// What a copy has in a column.
    fn value(&self, table: &str, column: &str, strides: &Ends) -> String {
        let stride = |of: &str| strides.get(of).copied().unwrap_or_default();
        if let Some(of) = referred(table, column) {
            return format!("t.{column} + c.n * {}", stride(of));
        }
        let marked = format!("REPLACE(t.{column}, '{MARK}', c.mark)");
        match (table, column) {
            (_, "subject_id") | ("work", "subject") => self.subject(table, column, strides),
            ("effect", "key") | ("stock_movement", "source") | ("alert" | "mail", "key") | ("transmission", "name") => {
                format!("c.mark || '.' || t.{column}")
            }
            ("ledger_entry", "source") => format!(
                "CASE WHEN t.source LIKE 'invoice:%' THEN 'invoice:' || (t.invoice_id + c.n * {}) ELSE c.mark || '.' || t.source END",
                stride("invoice")
            ),
            ("invoice", "number") => "t.number || 'C' || c.n".to_owned(),
            (_, "isa13") => self.padded(),
            (_, "gs06") => {
                "CASE WHEN t.gs06 = '' THEN '' ELSE CAST(CAST(t.gs06 AS BIGINT) + c.n * 1000 AS TEXT) END".to_owned()
            }
            ("invoice" | "payment", "date") | (_, "due" | "discount_until" | "ship_by" | "not_before") => {
                self.day(column)
            }
            (_, "at") => "t.at + c.micros".to_owned(),
            (_, name) if name.ends_with("_at") => format!("t.{name} + c.micros"),
            ("purchase_order" | "shipment" | "invoice", "body") => format!(
                "REPLACE({marked}, '{{\"id\":' || t.id || ',', '{{\"id\":' || (t.id + c.n * {}) || ',')",
                stride(table)
            ),
            (_, "po_number" | "reference" | "claimed_reference" | "name" | "body" | "findings" | "detail" | "message") => {
                marked
            }
            _ => format!("t.{column}"),
        }
    }

    fn subject(&self, table: &str, column: &str, strides: &Ends) -> String {
        let kind = if table == "work" {
            "step"
        } else {
            "subject_kind"
        };
        let words: &[(&str, &str)] = if table == "work" {
            &[
                ("verify", "purchase_order"),
                ("allocate", "purchase_order"),
                ("fulfil", "shipment"),
                ("invoice", "shipment"),
                ("read", "file"),
                ("translate", "document"),
            ]
        } else {
            &[
                ("order", "purchase_order"),
                ("shipment", "shipment"),
                ("invoice", "invoice"),
                ("payment", "payment"),
                ("deduction", "deduction"),
                ("interchange", "interchange"),
                ("document", "document"),
                ("file", "file"),
            ]
        };
        let cases: String = words
            .iter()
            .map(|(word, of)| {
                let stride = strides.get(of).copied().unwrap_or_default();
                format!(" WHEN '{word}' THEN c.n * {stride}")
            })
            .collect();
        format!("t.{column} + CASE t.{kind}{cases} ELSE 0 END")
    }

    /// A control number of nine digits, moved on.
    fn padded(&self) -> String {
        let moved = "(CAST(t.isa13 AS BIGINT) + c.n * 1000) % 1000000000";
        let padded = match self {
            Self::Lite(_) => format!("PRINTF('%09d', {moved})"),
            Self::Pg(_) => format!("LPAD(CAST({moved} AS TEXT), 9, '0')"),
        };
        format!("CASE WHEN t.isa13 = '' THEN '' ELSE {padded} END")
    }

    fn day(&self, column: &str) -> String {
        match self {
            Self::Lite(_) => format!("DATE(t.{column}, '+' || c.days || ' days')"),
            Self::Pg(_) => {
                format!("CAST(CAST(t.{column} AS DATE) + CAST(c.days AS INTEGER) AS TEXT)")
            }
        }
    }

    /// What comes next takes up the numbers behind the copies; what an engine does by itself in quiet hours is done.
    async fn end(&mut self) -> Outcome<()> {
        for (table, sql) in last_numbers() {
            let last = self.number(&sql).await?;
            let sql = match self {
                // SSCCs are counted for each prefix and world; the seed has one of each.
                _ if table == "label" => {
                    format!("UPDATE counter SET value = {last} WHERE scope LIKE 'sscc:%'")
                }
                Self::Lite(_) => {
                    format!("UPDATE sequence SET value = {last} WHERE name = '{table}'")
                }
                Self::Pg(_) if key_of(table) != "id" => continue,
                Self::Pg(_) => format!("SELECT SETVAL('{table}_seq', {})", last.max(1)),
            };
            self.run(&sql).await?;
        }
        match self {
            Self::Lite(_) => self.run("PRAGMA journal_mode = WAL").await,
            Self::Pg(_) => self.run("VACUUM ANALYZE").await,
        }
    }
}
