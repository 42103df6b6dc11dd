//! SQLite: how its connections are opened, shared among those who read, and asked.
//!
//! What is written goes over one connection that lives on a thread of its own and is asked there, without a hand-over for
//! a statement or a row. Who reads waits on a thread that may be kept waiting.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{InterruptHandle, OpenFlags, ToSql};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connection::Bind;
use super::row::{DriverError, Readable, Row};

/// The name of the thread that writes.
pub(super) const WRITER: &str = "sqlite-writer";
/// Connections that read at the same time, at most.
const READERS: usize = 8;
/// Statements that a connection keeps prepared: all that the steps use, with the few sizes that each comes in.
pub(super) const STATEMENTS_KEPT: usize = 500;
/// How long a statement waits for another process that writes.
pub(super) const BUSY: Duration = Duration::from_secs(20);
/// How long somebody waits for a connection to read over.
const PATIENCE: Duration = Duration::from_secs(30);
/// A statement that takes longer is told in the log.
const SLOW: Duration = Duration::from_secs(1);
/// Page cache in KiB of the connection that writes.
const WRITER_CACHE: i64 = 65_536;
/// Of one that reads: what it reads again is in the system's cache.
const READER_CACHE: i64 = 8_192;
/// Pages of the write-ahead log that are written into the database together. What transactions write again and again,
/// as stock and the ends of indexes, is then written once for all of them.
const CHECKPOINT: i64 = 8_000;

impl ToSql for Bind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Int(Some(value)) => ToSqlOutput::Owned(Value::Integer(*value)),
            Self::Text(Some(value)) => ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes())),
            Self::Bytes(Some(value)) => ToSqlOutput::Borrowed(ValueRef::Blob(value)),
            Self::Int(None) | Self::Text(None) | Self::Bytes(None) => {
                ToSqlOutput::Owned(Value::Null)
            }
            Self::Array(_) => {
                let why = "an array is for PostgreSQL";
                return Err(rusqlite::Error::ToSqlConversionFailure(why.into()));
            }
        })
    }
}

fn open(path: &Path, cache: i64) -> Result<rusqlite::Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = rusqlite::Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // What a statement that breaks off is taken back by is kept in memory; it is never needed after a kill.
    connection.execute_batch(&format!(
        "PRAGMA foreign_keys = ON; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -{cache};
         PRAGMA wal_autocheckpoint = {CHECKPOINT}; PRAGMA temp_store = MEMORY"
    ))?;
    Ok(connection)
}

/// A statement over many rows, with nothing kept to take it back alone: a row that breaks a constraint fails the transaction
/// here, or its savepoint, and copies of all pages that the rows touch would be kept for nothing.
pub(super) fn failing_whole(sql: &str) -> Cow<'_, str> {
    [
        ("INSERT INTO ", "INSERT OR FAIL INTO "),
        ("UPDATE ", "UPDATE OR FAIL "),
    ]
    .iter()
    .find_map(|(plain, failing)| Some(Cow::Owned(format!("{failing}{}", sql.strip_prefix(plain)?))))
    .unwrap_or(Cow::Borrowed(sql))
}

/// The connection that writes; the file is there and has this version's schema.
pub(super) fn open_writer(path: &Path) -> Result<rusqlite::Connection, rusqlite::Error> {
    open(path, WRITER_CACHE)
}

/// A connection, and where it is asked.
pub(super) enum Lite {
    /// It writes: it is asked on this thread.
    Writer(rusqlite::Connection),
    /// It reads, beside everything else.
    Reader(Reader),
}

impl Lite {
    /// Does something with the connection.
    pub(super) async fn ask<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, DriverError> + Send + 'static,
    ) -> Result<T, DriverError> {
        match self {
            Self::Writer(connection) => work(connection),
            Self::Reader(reader) => reader.ask(work).await,
        }
    }
}

/// Runs a statement, and has each row that it gives read.
fn each(
    connection: &rusqlite::Connection,
    sql: &str,
    binds: &[Bind],
    mut read: impl FnMut(&rusqlite::Row<'_>) -> Result<(), DriverError>,
) -> Result<(), DriverError> {
    let began = Instant::now();
    expect_found_by_index(connection, sql);
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(binds))?;
    while let Some(row) = rows.next()? {
        read(row)?;
    }
    let took = began.elapsed();
    if took > SLOW {
        tracing::warn!(milliseconds = took.as_millis(), sql, "a slow statement");
    }
    Ok(())
}

/// What is written in a step, and what the log tells of it, has to be found by an index: of a million orders, reading a large
/// table whole takes a second. Looked at where the tests run; a table that a statement calls by another name is not seen.
fn expect_found_by_index(connection: &rusqlite::Connection, sql: &str) {
    const LARGE: [&str; 18] = [
        "alert",
        "audit",
        "content",
        "deduction",
        "document",
        "effect",
        "file",
        "interchange",
        "invoice",
        "label_given",
        "label_run",
        "ledger_entry",
        "mail",
        "payment",
        "purchase_order",
        "shipment",
        "shipment_order",
        "transmission",
    ];
    if !cfg!(debug_assertions) {
        return;
    }
    let writes = std::thread::current().name() == Some(WRITER);
    if !writes && !sql.contains("sent AS MATERIALIZED") {
        return;
    }
    let Ok(mut explained) = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")) else {
        return;
    };
    let mut plan = explained.raw_query();
    while let Ok(Some(step)) = plan.next() {
        let step: String = step.get(3).unwrap_or_default();
        let table = step
            .strip_prefix("SCAN ")
            .and_then(|rest| rest.split(' ').next());
        let is_whole =
            table.is_some_and(|table| LARGE.contains(&table)) && !step.contains(" USING INDEX");
        // All that is about an order, say, is as good as everything.
        let is_nearly_whole = step.ends_with("(subject_kind=?)");
        assert!(
            !is_whole && !is_nearly_whole,
            "this reads a large table whole ({step}): {sql}"
        );
    }
}

/// Asks, and reads every row that comes.
pub(super) fn rows<T: Readable>(
    connection: &rusqlite::Connection,
    sql: &str,
    binds: &[Bind],
) -> Result<Vec<T>, DriverError> {
    let mut rows = Vec::new();
    each(connection, sql, binds, |row| {
        rows.push(T::read(&Row::Lite(row))?);
        Ok(())
    })?;
    Ok(rows)
}

/// Runs a statement, whatever rows it gives; how many it touched.
pub(super) fn execute(
    connection: &rusqlite::Connection,
    sql: &str,
    binds: &[Bind],
) -> Result<u64, DriverError> {
    each(connection, sql, binds, |_| Ok(()))?;
    Ok(connection.changes())
}

/// The connections of those who read.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<rusqlite::Connection>>,
    places: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Arc<Self> {
        Arc::new(Self {
            path: path.to_owned(),
            idle: Mutex::default(),
            places: Arc::new(Semaphore::new(READERS)),
        })
    }

    /// One of them, when one is free.
    pub(super) async fn take(self: &Arc<Self>) -> Result<Reader, DriverError> {
        let place = tokio::time::timeout(PATIENCE, self.places.clone().acquire_owned())
            .await
            .map_err(|_| broken_off("no connection to read over was free for 30 s"))?
            .map_err(|_| broken_off("the database is being closed"))?;
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let path = self.path.clone();
                beside(move || Ok(open(&path, READER_CACHE)?)).await?
            }
        };
        Ok(Reader {
            open: Some((connection, place)),
            readers: self.clone(),
        })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<rusqlite::Connection>> {
        // Whoever panicked with it had taken one out or put one in: the list is whole.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn broken_off(why: &str) -> DriverError {
    DriverError::File(std::io::Error::other(why.to_owned()))
}

/// Does on a thread that may be kept waiting what would keep others waiting here.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DriverError> + Send + 'static,
) -> Result<T, DriverError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| broken_off("a query broke off by a fault of the program"))?
}

/// A connection for queries; it goes back to the others when it is dropped.
pub(super) struct Reader {
    /// With its place among those who read. None while a statement runs: if whoever waits for that goes away, both go with
    /// the statement, which is told to stop.
    open: Option<(rusqlite::Connection, OwnedSemaphorePermit)>,
    readers: Arc<Readers>,
}

/// Stops a statement that nobody waits for any more.
struct StopWhenDropped(Option<InterruptHandle>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            handle.interrupt();
        }
    }
}

impl Reader {
    /// Does something with the connection beside everything else.
    pub(super) async fn ask<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, DriverError> + Send + 'static,
    ) -> Result<T, DriverError> {
        let Some((connection, place)) = self.open.take() else {
            return Err(broken_off("an earlier query was broken off"));
        };
        let mut stop = StopWhenDropped(Some(connection.get_interrupt_handle()));
        let asked = beside(move || {
            let outcome = work(&connection);
            Ok((connection, place, outcome))
        })
        .await;
        stop.0 = None;
        let (connection, place, outcome) = asked?;
        self.open = Some((connection, place));
        outcome
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Some((connection, _place)) = self.open.take() else {
            return;
        };
        // What was begun only to read has nothing to lose.
        if connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok() {
            self.readers.idle().push(connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_writes_finds_by_an_index_what_is_in_a_large_table() {
        let runs = |sql: &'static str| {
            let asked = move || {
                let connection = rusqlite::Connection::open_in_memory().expect("opens");
                connection
                    .execute_batch(
                        "CREATE TABLE document (id INTEGER PRIMARY KEY, subject_kind, subject_id, body);
                         CREATE INDEX document_subject ON document (subject_kind, subject_id)",
                    )
                    .expect("made");
                execute(&connection, sql, &[]).expect("runs");
            };
            let thread = std::thread::Builder::new().name(WRITER.to_owned());
            thread.spawn(asked).expect("starts").join().is_ok()
        };
        for (sql, may) in [
            ("UPDATE document SET body = 1 WHERE id = 1", true),
            (
                "SELECT id FROM document WHERE subject_kind = 'order' AND subject_id = 1",
                true,
            ),
            (
                "SELECT id FROM document WHERE subject_kind = 'order'",
                false,
            ),
            ("SELECT id FROM document WHERE body = 1", false),
        ] {
            assert_eq!(runs(sql), may || !cfg!(debug_assertions), "{sql}");
        }
    }
}
