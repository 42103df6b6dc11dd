//! One connection of either engine, with the few verbs that the queries are written in.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgArguments;
use sqlx::{AssertSqlSafe, Postgres};

use super::failure::Failure;
use super::kept::Kept;
use super::objects::{AtHand, Objects};
use super::recall::Recall;
use super::row::{DriverError, Readable, Row};
use super::sqlite::{self, Lite};

/// A value handed to a query.
#[derive(Debug, Clone)]
pub enum Bind {
    /// A 64-bit integer or NULL.
    Int(Option<i64>),
    /// Text or NULL.
    Text(Option<String>),
    /// Bytes or NULL.
    Bytes(Option<Vec<u8>>),
    /// Values of one kind, handed to PostgreSQL as one array.
    Array(Array),
}

/// Values of one kind: a column of rows that PostgreSQL is handed.
#[derive(Debug, Clone)]
pub enum Array {
    /// 64-bit integers.
    Ints(Vec<Option<i64>>),
    /// Texts.
    Texts(Vec<Option<String>>),
    /// Bytes.
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Array {
    /// An empty one for values of this kind.
    fn for_values_like(bind: &Bind, capacity: usize) -> Self {
        match bind {
            Bind::Int(_) | Bind::Array(_) => Self::Ints(Vec::with_capacity(capacity)),
            Bind::Text(_) => Self::Texts(Vec::with_capacity(capacity)),
            Bind::Bytes(_) => Self::Bytes(Vec::with_capacity(capacity)),
        }
    }

    /// Adds a value; a NULL of another kind is one of this kind. False where it is a value of another kind.
    fn push(&mut self, bind: Bind) -> bool {
        match (self, bind) {
            (Self::Ints(values), Bind::Int(value)) => values.push(value),
            (Self::Texts(values), Bind::Text(value)) => values.push(value),
            (Self::Bytes(values), Bind::Bytes(value)) => values.push(value),
            (Self::Ints(values), Bind::Text(None) | Bind::Bytes(None)) => values.push(None),
            (Self::Texts(values), Bind::Int(None) | Bind::Bytes(None)) => values.push(None),
            (Self::Bytes(values), Bind::Int(None) | Bind::Text(None)) => values.push(None),
            _ => return false,
        }
        true
    }

    /// What PostgreSQL calls it.
    fn kind(&self) -> &'static str {
        match self {
            Self::Ints(_) => "bigint[]",
            Self::Texts(_) => "text[]",
            Self::Bytes(_) => "bytea[]",
        }
    }
}

impl From<i64> for Bind {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}
impl From<Option<i64>> for Bind {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}
impl From<&str> for Bind {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}
impl From<String> for Bind {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}
impl From<&String> for Bind {
    fn from(value: &String) -> Self {
        Self::Text(Some(value.clone()))
    }
}
impl From<Option<String>> for Bind {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}
impl From<Vec<u8>> for Bind {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(Some(value))
    }
}
impl From<Option<Vec<u8>>> for Bind {
    fn from(value: Option<Vec<u8>>) -> Self {
        Self::Bytes(value)
    }
}
impl From<chrono::DateTime<chrono::Utc>> for Bind {
    fn from(value: chrono::DateTime<chrono::Utc>) -> Self {
        Self::Int(Some(value.timestamp_micros()))
    }
}
impl From<Option<chrono::DateTime<chrono::Utc>>> for Bind {
    fn from(value: Option<chrono::DateTime<chrono::Utc>>) -> Self {
        Self::Int(value.map(|at| at.timestamp_micros()))
    }
}
impl From<chrono::NaiveDate> for Bind {
    fn from(value: chrono::NaiveDate) -> Self {
        Self::Text(Some(value.to_string()))
    }
}
impl From<Option<chrono::NaiveDate>> for Bind {
    fn from(value: Option<chrono::NaiveDate>) -> Self {
        Self::Text(value.map(|date| date.to_string()))
    }
}

macro_rules! bind_identities {
    ($($name:ident),*) => {$(
        impl From<crate::domain::ids::$name> for Bind {
            fn from(value: crate::domain::ids::$name) -> Self {
                Self::Int(Some(value.0))
            }
        }
        impl From<Option<crate::domain::ids::$name>> for Bind {
            fn from(value: Option<crate::domain::ids::$name>) -> Self {
                Self::Int(value.map(|id| id.0))
            }
        }
    )*};
}
bind_identities!(
    CompanyId,
    PartnerId,
    ConnectionId,
    FileId,
    InterchangeId,
    DocumentId,
    OrderId,
    ShipmentId,
    InvoiceId,
    ItemId,
    WarehouseId,
    PaymentId,
    DeductionId
);

/// The values of one query, in order.
#[macro_export]
macro_rules! binds {
    ($($value:expr),* $(,)?) => { vec![$($crate::storage::Bind::from($value)),*] };
}

/// The wire to either engine.
pub(super) enum Engine {
    /// SQLite.
    Lite(Lite),
    /// PostgreSQL.
    Pg(Line),
}

/// A connection to PostgreSQL out of the pool. One that is dropped within a transaction is closed instead of going back:
/// whoever gets it next would go on in it.
pub(super) struct Line {
    open: PoolConnection<Postgres>,
    begun: bool,
}

impl Line {
    pub(super) fn new(open: PoolConnection<Postgres>) -> Self {
        Self { open, begun: false }
    }

    /// Where a statement leads: into a transaction, or out of it once it has succeeded.
    fn note(&mut self, sql: &str, succeeded: bool) {
        if sql.starts_with("BEGIN") {
            self.begun = true;
        } else if succeeded && (sql == "COMMIT" || sql == "ROLLBACK") {
            self.begun = false;
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.begun {
            self.open.close_on_drop();
        }
    }
}

/// How a connection comes to bytes that lie in the object store.
pub(super) enum Reach {
    /// Not at all: the settings name none.
    Nowhere,
    /// It asks the store.
    Direct(Objects),
    /// A transaction is open, and nobody is to wait for a network meanwhile: it takes what was fetched for it before.
    AtHand(AtHand),
}

/// A connection of either engine.
pub struct Connection {
    engine: Engine,
    pub(super) reach: Reach,
    /// What a transaction has changed and writes at its end.
    pub(super) kept: Option<Box<Kept>>,
    /// What was looked up before.
    pub(super) recall: Recall,
    /// The mark under which one that only reads may take it.
    pub(super) seen: Option<i64>,
}

/// A statement and its values as SQLite is fastest with them: a `?` for each value, in the order in which they stand. It
/// looks a parameter with a name up in a list, for each of thousands of values anew.
fn in_order(sql: &str, binds: Vec<Bind>) -> (String, Vec<Bind>) {
    let mut text = String::with_capacity(sql.len());
    let mut places = Vec::with_capacity(binds.len());
    let mut rest = sql;
    let mut quoted = false;
    while let Some(at) = rest.find(['$', '\'']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let digits = from.get(1..).map_or(0, |after| {
            after.bytes().take_while(u8::is_ascii_digit).count()
        });
        let number = from.get(1..=digits).and_then(|number| number.parse().ok());
        let taken = match number {
            Some(number) if !quoted && from.starts_with('$') => {
                places.push(number);
                text.push('?');
                digits + 1
            }
            _ => {
                quoted ^= from.starts_with('\'');
                text.push_str(from.get(..1).unwrap_or_default());
                1
            }
        };
        rest = from.get(taken..).unwrap_or_default();
    }
    text.push_str(rest);
    let stand_so = places.iter().copied().eq(1..=binds.len());
    if stand_so {
        return (text, binds);
    }
    let ordered = places
        .into_iter()
        .filter_map(|place: usize| binds.get(place.checked_sub(1)?).cloned())
        .collect();
    (text, ordered)
}

fn postgres(
    sql: &str,
    binds: Vec<Bind>,
) -> Result<(AssertSqlSafe<String>, PgArguments), sqlx::Error> {
    use sqlx::Arguments;
    let mut arguments = PgArguments::default();
    for bind in binds {
        match bind {
            Bind::Int(value) => arguments.add(value),
            Bind::Text(value) => arguments.add(value),
            Bind::Bytes(value) => arguments.add(value),
            Bind::Array(Array::Ints(values)) => arguments.add(values),
            Bind::Array(Array::Texts(values)) => arguments.add(values),
            Bind::Array(Array::Bytes(values)) => arguments.add(values),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok((AssertSqlSafe(sql.to_owned()), arguments))
}

/// The failure of a statement, told by its first words.
fn failed(sql: &str, source: DriverError) -> Failure {
    Failure::Database {
        doing: sql.split_whitespace().take(6).collect::<Vec<_>>().join(" "),
        source,
    }
}

impl Engine {
    async fn execute(&mut self, sql: &str, binds: Vec<Bind>) -> Result<u64, DriverError> {
        match self {
            Self::Lite(lite) => {
                let (text, binds) = in_order(sql, binds);
                lite.ask(move |connection| sqlite::execute(connection, &text, &binds))
                    .await
            }
            Self::Pg(line) => {
                let (text, arguments) = postgres(sql, binds)?;
                line.note(sql, false);
                let done = sqlx::query_with(text, arguments)
                    .execute(&mut *line.open)
                    .await?;
                line.note(sql, true);
                Ok(done.rows_affected())
            }
        }
    }

    async fn rows<T: Readable>(
        &mut self,
        sql: &str,
        binds: Vec<Bind>,
    ) -> Result<Vec<T>, DriverError> {
        match self {
            Self::Lite(lite) => {
                let (text, binds) = in_order(sql, binds);
                lite.ask(move |connection| sqlite::rows(connection, &text, &binds))
                    .await
            }
            Self::Pg(line) => {
                let (text, arguments) = postgres(sql, binds)?;
                let rows = sqlx::query_with(text, arguments)
                    .fetch_all(&mut *line.open)
                    .await?;
                rows.iter().map(|row| T::read(&Row::Pg(row))).collect()
            }
        }
    }
}

/// Parameters that one statement that inserts may carry on SQLite.
const PARAMETERS_MAX: usize = 30_000;
/// Rows that one statement inserts at most into SQLite.
const ROWS_MAX: usize = 512;
/// Rows that another statement of SQLite reads at most.
const ROWS_READ_MAX: usize = 1_000;
/// Rows that one statement hands to PostgreSQL at most.
const ROWS_IN_ARRAYS: usize = 10_000;

/// How many of `rows` the next statement inserts: a power of two, so that there are few statements in all and each is
/// parsed once by the connection that runs it.
fn rows_at_once(rows: usize, width: usize) -> usize {
    let most = rows.min(PARAMETERS_MAX / width).clamp(1, ROWS_MAX);
    1 << most.ilog2()
}

impl Connection {
    /// One without a way to the object store.
    pub(super) fn new(engine: Engine, recall: Recall) -> Self {
        Self {
            engine,
            reach: Reach::Nowhere,
            kept: None,
            recall,
            seen: None,
        }
    }

    /// Whether this is SQLite; for the few statements in which the dialects differ.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.engine, Engine::Lite(_))
    }

    /// Runs a statement; how many rows it touched.
    pub async fn execute(&mut self, sql: &str, binds: Vec<Bind>) -> Result<u64, Failure> {
        self.expect_written(sql);
        let _counted = super::effort::statement(self.kept.is_some());
        self.engine
            .execute(sql, binds)
            .await
            .map_err(|source| failed(sql, source))
    }

    /// Whether SQLite has a transaction open here, which it may have taken back by itself.
    pub(super) fn is_in_transaction(&self) -> bool {
        matches!(&self.engine, Engine::Lite(Lite::Writer(connection)) if !connection.is_autocommit())
    }

    /// Takes back what SQLite has open here. A failure of that matters less than what led to it.
    pub(super) async fn roll_back(&mut self) {
        if self.is_in_transaction() {
            let _ = self.execute("ROLLBACK", vec![]).await;
        }
    }

    /// Begins a transaction that has its own number from its first line on. PostgreSQL would give it one when it first
    /// writes, and by then it may have taken numbers of rows from a sequence; what seals rows goes by that number to
    /// know that none of them is still to come. SQLite writes one transaction at a time.
    pub async fn begin_numbered(&mut self) -> Result<(), Failure> {
        let Engine::Pg(line) = &mut self.engine else {
            self.execute("BEGIN IMMEDIATE", vec![]).await?;
            return Ok(());
        };
        let _counted = super::effort::statement(self.kept.is_some());
        // All in one message: no round trip more than a BEGIN alone. The statements of a step are planned once for all (see
        // `open_postgres`).
        const BEGIN: &str = "BEGIN; SET LOCAL plan_cache_mode = auto; SELECT txid_current()";
        line.note(BEGIN, false);
        sqlx::raw_sql(BEGIN)
            .execute(&mut *line.open)
            .await
            .map_err(|source| Failure::Database {
                doing: "beginning a transaction".to_owned(),
                source: source.into(),
            })?;
        Ok(())
    }

    /// All rows of a query.
    pub async fn rows<T: Readable>(
        &mut self,
        sql: &str,
        binds: Vec<Bind>,
    ) -> Result<Vec<T>, Failure> {
        self.expect_written(sql);
        self.stored_rows(sql, binds).await
    }

    /// The same of rows as they are stored: for whoever looks himself for what is kept.
    pub(super) async fn stored_rows<T: Readable>(
        &mut self,
        sql: &str,
        binds: Vec<Bind>,
    ) -> Result<Vec<T>, Failure> {
        let _counted = super::effort::statement(self.kept.is_some());
        self.engine
            .rows(sql, binds)
            .await
            .map_err(|source| failed(sql, source))
    }

    /// The first row, if there is one.
    pub async fn row<T: Readable>(
        &mut self,
        sql: &str,
        binds: Vec<Bind>,
    ) -> Result<Option<T>, Failure> {
        Ok(self.rows(sql, binds).await?.into_iter().next())
    }

    /// The integer of the first row's only column, 0 where there is no row.
    pub async fn number(&mut self, sql: &str, binds: Vec<Bind>) -> Result<i64, Failure> {
        Ok(self.row::<(i64,)>(sql, binds).await?.map_or(0, |row| row.0))
    }

    /// Inserts many rows with as few statements as the engines' limits allow. `into` reads `INSERT INTO t (a, b)`, `after`
    /// may hold an `ON CONFLICT …`. Returns rows written.
    pub async fn insert_many(
        &mut self,
        into: &str,
        rows: Vec<Vec<Bind>>,
        after: &str,
    ) -> Result<u64, Failure> {
        let mut written = 0;
        let mut rows = rows.into_iter();
        while let Some(width) = rows.as_slice().first().map(Vec::len) {
            let next = match self.is_sqlite() {
                true => rows_at_once(rows.len(), width),
                false => rows.len().min(ROWS_IN_ARRAYS),
            };
            let chunk: Vec<Vec<Bind>> = rows.by_ref().take(next).collect();
            let (table, binds) = self.listed(chunk, Vec::new())?;
            let into = self.failing_whole(into);
            written += self
                .execute(&format!("{into} {table} {after}"), binds)
                .await?;
        }
        Ok(written)
    }

    /// Runs a statement that reads rows as the table `v` with the columns `column1`, `column2` and so on: it says `{rows}`
    /// where that table stands, and its own parameters are `before`. How many rows it touched.
    pub async fn execute_of(
        &mut self,
        sql: &str,
        before: Vec<Bind>,
        rows: Vec<Vec<Bind>>,
    ) -> Result<u64, Failure> {
        let mut touched = 0;
        for (sql, binds) in self.statements_of(sql, &before, rows)? {
            touched += self.execute(&sql, binds).await?;
        }
        Ok(touched)
    }

    /// Runs an update that has to change each of these rows ([`Connection::execute_of`]); otherwise somebody else was quicker:
    /// [`Failure::Stale`].
    pub(super) async fn change_every(
        &mut self,
        sql: &str,
        before: Vec<Bind>,
        rows: Vec<Vec<Bind>>,
        what: &str,
    ) -> Result<(), Failure> {
        let expected = rows.len() as u64;
        if self.execute_of(sql, before, rows).await? == expected {
            return Ok(());
        }
        Err(Failure::stale(what))
    }

    /// The same as [`Connection::execute_of`] of a query: all rows that it finds.
    pub async fn rows_of<T: Readable>(
        &mut self,
        sql: &str,
        before: Vec<Bind>,
        rows: Vec<Vec<Bind>>,
    ) -> Result<Vec<T>, Failure> {
        let mut found = Vec::new();
        for (sql, binds) in self.statements_of(sql, &before, rows)? {
            found.extend(self.rows(&sql, binds).await?);
        }
        Ok(found)
    }

    fn statements_of(
        &self,
        sql: &str,
        before: &[Bind],
        rows: Vec<Vec<Bind>>,
    ) -> Result<Vec<(String, Vec<Bind>)>, Failure> {
        let mut statements = Vec::new();
        let mut rows = rows.into_iter();
        while let Some(width) = rows.as_slice().first().map(Vec::len) {
            let next = match self.is_sqlite() {
                true => ROWS_READ_MAX,
                false => ROWS_IN_ARRAYS,
            };
            let chunk: Vec<Vec<Bind>> = rows.by_ref().take(next).collect();
            let (table, binds) = self.listed(chunk, before.to_vec())?;
            let table = match self.is_sqlite() {
                true => format!("({table}) AS v"),
                false => {
                    let columns: Vec<String> =
                        (1..=width).map(|nth| format!("column{nth}")).collect();
                    format!("({table}) AS v ({})", columns.join(", "))
                }
            };
            let sql = self.failing_whole(sql);
            statements.push((sql.replace("{rows}", &table), binds));
        }
        Ok(statements)
    }

    /// A statement over many rows as it is taken back: with all that its transaction has done.
    fn failing_whole<'s>(&self, sql: &'s str) -> Cow<'s, str> {
        match self.is_sqlite() {
            true => sqlite::failing_whole(sql),
            // PostgreSQL knows no other way.
            false => Cow::Borrowed(sql),
        }
    }

    /// Rows as a query, and the values for it behind those `before`. PostgreSQL gets an array for each column, so that the
    /// statement is the same for any number of rows and is parsed once by each connection.
    fn listed(
        &self,
        rows: Vec<Vec<Bind>>,
        mut before: Vec<Bind>,
    ) -> Result<(String, Vec<Bind>), Failure> {
        let width = rows.first().map_or(0, Vec::len);
        if self.is_sqlite() {
            let table = format!("VALUES {}", tuples(rows.len(), width, before.len()));
            before.extend(rows.into_iter().flatten());
            return Ok((table, before));
        }
        let mut arrays: Vec<Array> = rows
            .first()
            .into_iter()
            .flatten()
            .map(|bind| Array::for_values_like(bind, rows.len()))
            .collect();
        for row in rows {
            let fits = row.len() == width
                && arrays
                    .iter_mut()
                    .zip(row)
                    .all(|(array, bind)| array.push(bind));
            if !fits {
                let source = sqlx::Error::Encode("a column holds values of several kinds".into());
                return Err(failed("handing rows over", source.into()));
            }
        }
        let columns: Vec<String> = arrays
            .iter()
            .zip(before.len() + 1..)
            .map(|(array, place)| format!("CAST(${place} AS {})", array.kind()))
            .collect();
        before.extend(arrays.into_iter().map(Bind::Array));
        Ok((
            format!("SELECT * FROM unnest({})", columns.join(", ")),
            before,
        ))
    }

    /// The condition that a column has one of these values, which are put behind those of `before`.
    pub(super) fn among<V: Clone + Into<Bind>>(
        &self,
        column: &str,
        values: &[V],
        before: &mut Vec<Bind>,
    ) -> String {
        let first = before.len();
        if self.is_sqlite() || values.is_empty() {
            let values = padded(values);
            let condition = format!("{column} IN {}", list(values.len(), first));
            before.extend(values.into_iter().map(Into::into));
            return condition;
        }
        let mut array: Option<Array> = None;
        for value in values {
            let bind: Bind = value.clone().into();
            let array = array.get_or_insert_with(|| Array::for_values_like(&bind, values.len()));
            array.push(bind);
        }
        before.extend(array.map(Bind::Array));
        format!("{column} = ANY (${})", first + 1)
    }

    /// `n` fresh identities of a table, rising, with possible gaps.
    pub async fn identities(&mut self, table: &str, n: usize) -> Result<Vec<i64>, Failure> {
        if n == 0 {
            return Ok(Vec::new());
        }
        let count = i64::try_from(n).unwrap_or(i64::MAX);
        if self.is_sqlite() {
            let last = self
                .number(
                    "UPDATE sequence SET value = value + $2 WHERE name = $1 RETURNING value",
                    crate::binds![table, count],
                )
                .await?;
            Ok((last - count + 1..=last).collect())
        } else {
            let name = format!("{table}_seq");
            let rows: Vec<(i64,)> = self
                .rows(
                    "SELECT nextval(CAST($1 AS regclass)) FROM generate_series(1, $2)",
                    crate::binds![name, count],
                )
                .await?;
            Ok(rows.into_iter().map(|row| row.0).collect())
        }
    }

    /// One fresh identity.
    pub async fn identity(&mut self, table: &str) -> Result<i64, Failure> {
        Ok(self
            .identities(table, 1)
            .await?
            .first()
            .copied()
            .unwrap_or_default())
    }

    /// The next `n` numbers of a gap-free counter: the first of them. Locks the counter until the transaction ends.
    pub async fn take_numbers(&mut self, scope: &str, n: i64) -> Result<i64, Failure> {
        let wanted = BTreeMap::from([(scope.to_owned(), n)]);
        let first = self.take_numbers_of(&wanted).await?;
        first.into_values().next().ok_or(Failure::Fault)
    }

    /// The same of several counters, so many numbers of each: the first of each. Over PostgreSQL what was moved of stock is
    /// written before: who holds counters while it waits for stock, and who holds stock while it waits for counters, would wait
    /// for each other.
    pub async fn take_numbers_of(
        &mut self,
        wanted: &BTreeMap<String, i64>,
    ) -> Result<BTreeMap<String, i64>, Failure> {
        if !self.is_sqlite() {
            self.write_stock().await?;
        }
        const TAKE: &str = "INSERT INTO counter (scope, value) SELECT column1, column2 FROM {rows} WHERE TRUE
             ON CONFLICT (scope) DO UPDATE SET value = counter.value + excluded.value RETURNING scope, value";
        let rows = wanted
            .iter()
            .map(|(scope, n)| crate::binds![scope, *n])
            .collect();
        let last: Vec<(String, i64)> = self.rows_of(TAKE, Vec::new(), rows).await?;
        Ok(last
            .into_iter()
            .map(|(scope, last)| {
                let taken = wanted.get(&scope).copied().unwrap_or_default();
                let first = last - taken + 1;
                (scope, first)
            })
            .collect())
    }

    /// Claims the key of an effect for `subject`; false where it has had its effect before.
    pub async fn claim_effect(&mut self, key: &str, subject: i64) -> Result<bool, Failure> {
        let written = self
            .execute(
                "INSERT INTO effect (key, subject) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING",
                crate::binds![key, subject],
            )
            .await?;
        Ok(written == 1)
    }

    /// Claims the key of an effect that was looked for in this transaction and was not there. Where another transaction
    /// has claimed it in between, this one loses and is run again, and then finds it.
    pub async fn claim_new_effect(&mut self, key: &str, subject: i64) -> Result<(), Failure> {
        self.claim_new_effects(&[(key.to_owned(), subject)]).await
    }

    /// The same for many keys.
    pub async fn claim_new_effects(&mut self, keys: &[(String, i64)]) -> Result<(), Failure> {
        let claimed = self.claim_effects(keys).await?;
        match keys.iter().zip(claimed).find(|(_, claimed)| !claimed) {
            None => Ok(()),
            Some(((key, _), _)) => Err(Failure::Stale {
                what: format!("{key} (it happened already)"),
            }),
        }
    }

    /// Hands the key of an effect on from one subject to another. Where another transaction has handed it on in between,
    /// this one loses and is run again, and then finds whose it is.
    pub async fn replace_effect(&mut self, key: &str, from: i64, to: i64) -> Result<(), Failure> {
        let written = self
            .execute(
                "UPDATE effect SET subject = $3 WHERE key = $1 AND subject = $2",
                crate::binds![key, from, to],
            )
            .await?;
        if written == 1 {
            return Ok(());
        }
        Err(Failure::Stale {
            what: format!("{key} (it happened once more already)"),
        })
    }

    /// Claims many keys with one statement; for each, in order, whether it is claimed now. A key that stands twice is
    /// claimed by the first.
    pub async fn claim_effects(&mut self, keys: &[(String, i64)]) -> Result<Vec<bool>, Failure> {
        let rows = keys
            .iter()
            .map(|(key, subject)| crate::binds![key, *subject])
            .collect();
        const CLAIM: &str =
            "INSERT INTO effect (key, subject) SELECT column1, column2 FROM {rows} WHERE TRUE
             ON CONFLICT (key) DO NOTHING RETURNING key";
        let claimed: Vec<(String,)> = self.rows_of(CLAIM, Vec::new(), rows).await?;
        let mut claimed: HashSet<String> = claimed.into_iter().map(|row| row.0).collect();
        Ok(keys.iter().map(|(key, _)| claimed.remove(key)).collect())
    }

    /// Of these keys, those that are claimed, each with whom it belongs to.
    pub async fn effects_of(&mut self, keys: &[String]) -> Result<HashMap<String, i64>, Failure> {
        let mut claimed = HashMap::new();
        for chunk in keys.chunks(1_000) {
            let mut values = Vec::new();
            let these = self.among("key", chunk, &mut values);
            let sql = format!("SELECT key, subject FROM effect WHERE {these}");
            let rows: Vec<(String, i64)> = self.rows(&sql, values).await?;
            claimed.extend(rows);
        }
        Ok(claimed)
    }

    /// Whom the key of an effect belongs to.
    pub async fn effect(&mut self, key: &str) -> Result<Option<i64>, Failure> {
        Ok(self
            .row::<(i64,)>(
                "SELECT subject FROM effect WHERE key = $1",
                crate::binds![key],
            )
            .await?
            .map(|row| row.0))
    }
}

/// `($1, $2), ($3, $4)` for rows × width, counting from `first` + 1.
pub fn tuples(rows: usize, width: usize, first: usize) -> String {
    let mut sql = String::with_capacity(rows * width * 7);
    let mut digits = itoa::Buffer::new();
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..width {
            sql.push_str(if column == 0 { "$" } else { ", $" });
            sql.push_str(digits.format(first + row * width + column + 1));
        }
        sql.push(')');
    }
    sql
}

/// Values for a list in which it does not matter how often one stands: the last stands again until there are a power of
/// two of them, so that there are few statements in all and each is parsed once by the connection that runs it.
pub fn padded<T: Clone>(values: &[T]) -> Vec<T> {
    let mut padded = values.to_vec();
    if let Some(last) = values.last() {
        padded.resize(values.len().next_power_of_two(), last.clone());
    }
    padded
}

/// `($1, $2, $3)` for an IN list, counting from `first` + 1.
pub fn list(n: usize, first: usize) -> String {
    if n == 0 {
        "(NULL)".to_owned()
    } else {
        tuples(1, n, first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(binds: &[Bind]) -> Vec<Option<i64>> {
        binds
            .iter()
            .map(|bind| match bind {
                Bind::Int(value) => *value,
                _ => None,
            })
            .collect()
    }

    #[test]
    fn values_stand_where_their_parameters_stood() {
        for (sql, wanted, order) in [
            ("SELECT 1", "SELECT 1", vec![]),
            (
                "VALUES ($1, $2), ($3, $4)",
                "VALUES (?, ?), (?, ?)",
                vec![1, 2, 3, 4],
            ),
            (
                "a = $2 AND b = $1 OR c = $2",
                "a = ? AND b = ? OR c = ?",
                vec![2, 1, 2],
            ),
            ("IN ($12, $3)", "IN (?, ?)", vec![12, 3]),
            (
                "j ->> '$.a' = $1 AND t = 'it''s $2'",
                "j ->> '$.a' = ? AND t = 'it''s $2'",
                vec![1],
            ),
        ] {
            let given = order.iter().max().map_or(0, |most| *most);
            let (text, binds) = in_order(sql, (1..=given).map(Bind::from).collect());
            assert_eq!(text, wanted);
            let order: Vec<Option<i64>> = order.into_iter().map(Some).collect();
            assert_eq!(numbers(&binds), order, "{sql}");
        }
    }

    #[test]
    fn rows_are_inserted_by_powers_of_two() {
        for (rows, width, next) in [
            (1, 5, 1),
            (3, 5, 2),
            (100, 14, 64),
            (5_000, 5, 512),
            (5_000, 100, 256),
        ] {
            assert_eq!(rows_at_once(rows, width), next);
        }
    }
}
