//! The door: [`Store::write`] is one transaction, retried where it lost to another, and on SQLite committed together
//! with its neighbours in the queue; [`Store::read`] gives a connection for queries.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::Executor;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};
use tokio::sync::{mpsc, oneshot};

use super::announcement;
use super::connection::{Connection, Engine, Line, Reach};
use super::effort::{Effort, Spending};
use super::failure::Failure;
use super::objects::{AtHand, Objects};
use super::opening::not_opened;
use super::recall::Recall;
use super::row::DriverError;
use super::sqlite::{self, Lite, Readers, STATEMENTS_KEPT};
use crate::config::settings::authority;
use crate::waypoint::{self, BEFORE_COMMIT, COMMITTED};

/// Which writes go first on SQLite's one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Receiving and acknowledging: a partner waits.
    Urgent,
    /// Everything else.
    Ordinary,
}

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreLocation {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL URL.
    Postgres(String),
}

impl std::fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "SQLite {}", path.display()),
            Self::Postgres(url) => {
                // Neither what stands before the host nor what stands behind the name: either may hold a password.
                let named = url.split('?').next().unwrap_or_default();
                let shown = named.rsplit_once('@').map_or(named, |(_, rest)| rest);
                write!(f, "PostgreSQL {shown}")
            }
        }
    }
}

/// So long after its last use a connection to PostgreSQL is asked first whether it is still there.
const ALIVE_FOR: Duration = Duration::from_secs(1);
/// How often a transaction that lost to another is run again before its failure is reported.
const ATTEMPTS_MAX: u32 = 12;
/// Jobs that share one commit on SQLite.
const GROUP_MAX: usize = 64;
/// Jobs that may wait in SQLite's queue.
const QUEUE_MAX: usize = 1_024;

/// Connections to PostgreSQL where the settings do not say.
const CONNECTIONS: u32 = 16;

enum Backend {
    Lite {
        readers: Arc<Readers>,
        urgent: mpsc::Sender<Box<dyn Job>>,
        ordinary: mpsc::Sender<Box<dyn Job>>,
    },
    Pg(PgPool),
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    backend: Arc<Backend>,
    location: Arc<StoreLocation>,
    /// What tells our announcements of work from those of others.
    name: Arc<str>,
    /// Where large received files are, if not in the database.
    objects: Option<Objects>,
    /// What was looked up of items, prices, places and partners before.
    recall: Recall,
}

impl Store {
    /// Opens the database, makes it if there is none, and brings it to this version's schema.
    pub async fn open(location: StoreLocation) -> Result<Self, Failure> {
        Self::open_with(location, 0).await
    }

    /// The same, with at most so many connections to PostgreSQL; 0: what suits one gateway.
    pub async fn open_with(location: StoreLocation, connections_max: u32) -> Result<Self, Failure> {
        let recall = Recall::default();
        let backend = match &location {
            StoreLocation::Sqlite(path) => open_sqlite(path, &location, recall.clone()).await?,
            StoreLocation::Postgres(url) => open_postgres(url, &location, connections_max).await?,
        };
        Ok(Self {
            backend: Arc::new(backend),
            location: Arc::new(location),
            name: uuid::Uuid::new_v4().to_string().into(),
            objects: None,
            recall,
        })
    }

    /// The same store, with large received files in an object store beside the database; none: all in the database.
    pub fn with_objects(mut self, objects: Option<Objects>) -> Self {
        self.objects = objects;
        self
    }

    /// Where large received files are, if not in the database.
    pub fn objects(&self) -> Option<&Objects> {
        self.objects.as_ref()
    }

    /// Where the database is.
    pub fn location(&self) -> &StoreLocation {
        &self.location
    }

    /// Tells the other gateways over this PostgreSQL database that there is work; over SQLite there are none.
    pub async fn announce_work(&self) -> Result<(), Failure> {
        match &*self.backend {
            Backend::Lite { .. } => Ok(()),
            Backend::Pg(pool) => announcement::announce(pool, &self.name).await,
        }
    }

    /// Calls `hear` whenever another gateway over this PostgreSQL database has announced work, or may have. Ends only by
    /// a failure; over SQLite, where nobody announces any, it never does.
    pub async fn hear_of_work(&self, hear: &(dyn Fn() + Sync)) -> Result<Infallible, Failure> {
        match &*self.location {
            StoreLocation::Sqlite(_) => std::future::pending().await,
            StoreLocation::Postgres(url) => announcement::listen(url, &self.name, hear).await,
        }
    }

    /// A connection for queries. Give it back soon: a long read holds SQLite's log back.
    pub async fn read(&self) -> Result<Connection, Failure> {
        let opened = match &*self.backend {
            Backend::Lite { readers, .. } => readers
                .take()
                .await
                .map(|reader| Engine::Lite(Lite::Reader(reader))),
            Backend::Pg(pool) => pool
                .acquire()
                .await
                .map(|open| Engine::Pg(Line::new(open)))
                .map_err(Into::into),
        };
        let mut connection = opened
            .map(|engine| Connection::new(engine, self.recall.clone()))
            .map_err(failed("opening a connection"))?;
        if let Some(objects) = &self.objects {
            connection.reach = Reach::Direct(objects.clone());
        }
        Ok(connection)
    }

    /// Runs `work` in one transaction of its own task: all of it or nothing. It may be run again where it lost to
    /// another transaction, so it must have no effect but through the connection it is given; what it uses up beside, as
    /// SSCC serials that were taken ahead, is gone each time.
    pub async fn write<T, F>(&self, class: Class, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Connection) -> BoxFuture<'c, Result<T, Failure>>
            + Send
            + Sync
            + 'static,
    {
        let Some(objects) = &self.objects else {
            return self.transact(class, work).await;
        };
        let (work, at_hand) = (Arc::new(work), AtHand::default());
        loop {
            let (work, blocks) = (work.clone(), at_hand.clone());
            let outcome = self
                .transact(class, move |connection: &mut Connection| {
                    connection.reach = Reach::AtHand(blocks.clone());
                    work(connection)
                })
                .await;
            match outcome {
                Err(Failure::NotAtHand(missing)) => objects.fetch(&missing, &at_hand).await?,
                other => return other,
            }
        }
    }

    async fn transact<T, F>(&self, class: Class, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Connection) -> BoxFuture<'c, Result<T, Failure>>
            + Send
            + Sync
            + 'static,
    {
        match &*self.backend {
            Backend::Lite {
                urgent, ordinary, ..
            } => {
                let (reply, answer) = oneshot::channel();
                let job = Box::new(TypedJob {
                    work,
                    result: None,
                    reply,
                });
                let queue = if class == Class::Urgent {
                    urgent
                } else {
                    ordinary
                };
                queue.send(job).await.map_err(|_| Failure::Stopping)?;
                answer.await.map_err(|_| Failure::Stopping)?
            }
            Backend::Pg(pool) => {
                // In a task of its own: a caller that goes away must not leave a half-open transaction in the pool.
                let (pool, recall) = (pool.clone(), self.recall.clone());
                tokio::spawn(async move { write_postgres(&pool, &recall, &work).await })
                    .await
                    .map_err(|error| match error.is_panic() {
                        true => Failure::Fault,
                        false => Failure::Stopping,
                    })?
            }
        }
    }
}

fn failed<E: Into<DriverError>>(doing: &str) -> impl FnOnce(E) -> Failure + '_ {
    move |source| Failure::Database {
        doing: doing.to_owned(),
        source: source.into(),
    }
}

/// Why a database could not be brought to this version's schema. What was applied is compared before anything is.
fn unfit(schema: &Migrator, error: MigrateError) -> Failure {
    match error {
        MigrateError::VersionMissing(found) => Failure::NewerSchema {
            found,
            known: schema
                .iter()
                .map(|step| step.version)
                .max()
                .unwrap_or_default(),
        },
        MigrateError::VersionMismatch(version) => Failure::OtherSchema { version },
        other => failed("migrating the database")(sqlx::Error::from(other)),
    }
}

async fn open_sqlite(
    path: &Path,
    location: &StoreLocation,
    recall: Recall,
) -> Result<Backend, Failure> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(sqlite::BUSY);
    let migrating = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await
        .map_err(|error| not_opened(location, &error.into()))?;
    let schema = sqlx::migrate!("migrations/sqlite");
    schema
        .run(&migrating)
        .await
        .map_err(|error| unfit(&schema, error))?;
    forget_statistics(&migrating).await?;
    migrating.close().await;
    let writer = sqlite::open_writer(path).map_err(|error| not_opened(location, &error.into()))?;
    let writer = Connection::new(Engine::Lite(Lite::Writer(writer)), recall);
    let (urgent, urgent_jobs) = mpsc::channel(QUEUE_MAX);
    let (ordinary, ordinary_jobs) = mpsc::channel(QUEUE_MAX);
    let runtime = tokio::runtime::Handle::current();
    std::thread::Builder::new()
        .name(sqlite::WRITER.to_owned())
        .spawn(move || runtime.block_on(write_queue(writer, urgent_jobs, ordinary_jobs)))
        .map_err(failed("starting the thread that writes"))?;
    Ok(Backend::Lite {
        readers: Readers::new(path),
        urgent,
        ordinary,
    })
}

/// SQLite would plan by what there was when somebody last counted; with a hundred thousand times as many orders by then, it
/// reads whole tables. Without statistics it goes by the indexes, as every query here is written for.
async fn forget_statistics(writer: &SqlitePool) -> Result<(), Failure> {
    sqlx::query("DROP TABLE IF EXISTS sqlite_stat1")
        .execute(writer)
        .await
        .map_err(failed("forgetting statistics"))?;
    Ok(())
}

/// Whether a URL names several hosts, as libpq takes them: the driver would look one up by the name of them all.
fn names_several_hosts(url: &str) -> bool {
    let authority = authority(url);
    let hosts = authority
        .rsplit_once('@')
        .map_or(authority, |(_, hosts)| hosts);
    hosts.contains(',')
}

async fn open_postgres(
    url: &str,
    location: &StoreLocation,
    connections_max: u32,
) -> Result<Backend, Failure> {
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(Failure::refuse(
            "the database's URL begins neither with postgres:// nor with postgresql://: write postgres://user@host/database, or leave --database-url and DATABASE_URL out for SQLite in the data folder",
        ));
    }
    if names_several_hosts(url) {
        return Err(Failure::refuse(
            "the database's URL names several hosts, and one is taken: name an address that always leads to the primary (docs/operations.md, Replication and failover)",
        ));
    }
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| not_opened(location, &error.into()))?
        .statement_cache_capacity(STATEMENTS_KEPT);
    // What the driver takes where neither the URL nor PGUSER names one.
    if options.get_username() == "anonymous" && !url.contains("anonymous") {
        return Err(Failure::refuse(
            "the database's URL names no user: write postgres://USER@host/database, or set PGUSER",
        ));
    }
    let pool = PgPoolOptions::new()
        .max_connections(match connections_max {
            0 => CONNECTIONS,
            // One reads while another writes.
            most => most.max(2),
        })
        .acquire_timeout(Duration::from_secs(30))
        // One that was in use a moment ago is taken to be alive: asking it each time is one round trip more for each transaction.
        .test_before_acquire(false)
        .before_acquire(|connection, lately| {
            Box::pin(async move {
                if lately.idle_for > ALIVE_FOR {
                    sqlx::Connection::ping(connection).await?;
                }
                Ok(true)
            })
        })
        // Bodies are compressed by LZ4 where the server knows it: its own way takes an eighth of its time. A list is planned
        // for what is asked: for any state in general PostgreSQL goes back through all orders by their numbers, and
        // with a million of them finds the few that are held after half a second.
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection
                    .execute(
                        "SET client_min_messages = warning; SET plan_cache_mode = force_custom_plan;
                         SELECT set_config(name, 'lz4', false) FROM pg_settings
                         WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)",
                    )
                    .await?;
                Ok(())
            })
        })
        .connect_with(options)
        .await
        .map_err(|error| not_opened(location, &error.into()))?;
    let schema = sqlx::migrate!("migrations/postgres");
    schema
        .run(&pool)
        .await
        .map_err(|error| unfit(&schema, error))?;
    Ok(Backend::Pg(pool))
}

async fn pause_before(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(
        u64::from(attempt * attempt) * 3 + u64::from(std::process::id() % 7),
    ))
    .await;
}

async fn write_postgres<T, F>(pool: &PgPool, recall: &Recall, work: &F) -> Result<T, Failure>
where
    F: for<'c> Fn(&'c mut Connection) -> BoxFuture<'c, Result<T, Failure>> + Send + Sync,
{
    let mut attempt = 0;
    loop {
        attempt += 1;
        let engine = pool
            .acquire()
            .await
            .map(|open| Engine::Pg(Line::new(open)))
            .map_err(failed("opening a connection"))?;
        let mut connection = Connection::new(engine, recall.clone());
        match connection.begin_numbered().await {
            Ok(()) => {}
            // It was closed since its last use. Nothing has happened: another one may be there.
            Err(failure) if attempt < ATTEMPTS_MAX && failure.is_of_connection() => continue,
            Err(failure) => return Err(failure),
        }
        connection.keep();
        connection.kept()?.lost_before = attempt > 1;
        let done = match work(&mut connection).await {
            Ok(value) => connection.write_kept().await.map(|()| value),
            Err(failure) => Err(failure),
        };
        let result = match done {
            Ok(value) => commit(&mut connection).await.map(|()| value),
            Err(failure) => {
                connection.forget_kept();
                connection.execute("ROLLBACK", vec![]).await?;
                Err(failure)
            }
        };
        match result {
            Err(failure) if failure.is_transient() && attempt < ATTEMPTS_MAX => {
                pause_before(attempt).await
            }
            other => return other,
        }
    }
}

/// A unit of work in SQLite's queue.
trait Job: Send {
    fn run<'a>(&'a mut self, connection: &'a mut Connection) -> BoxFuture<'a, Result<(), Failure>>;
    fn finish(self: Box<Self>, outcome: Result<(), Failure>);
}

struct TypedJob<T, F> {
    work: F,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, Failure>>,
}

impl<T, F> Job for TypedJob<T, F>
where
    T: Send + 'static,
    F: for<'c> Fn(&'c mut Connection) -> BoxFuture<'c, Result<T, Failure>> + Send + Sync + 'static,
{
    fn run<'a>(&'a mut self, connection: &'a mut Connection) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.result = Some((self.work)(connection).await?);
            Ok(())
        })
    }

    fn finish(self: Box<Self>, outcome: Result<(), Failure>) {
        let answer = match (outcome, self.result) {
            (Ok(()), Some(value)) => Ok(value),
            (Ok(()), None) => Err(Failure::Stopping),
            (Err(failure), _) => Err(failure),
        };
        // The caller may have gone away; the transaction stands all the same.
        let _ = self.reply.send(answer);
    }
}

/// SQLite's only writer of this process: takes what has queued up, urgent first, and commits it together.
async fn write_queue(
    mut connection: Connection,
    mut urgent: mpsc::Receiver<Box<dyn Job>>,
    mut ordinary: mpsc::Receiver<Box<dyn Job>>,
) {
    loop {
        let first = tokio::select! {
            biased;
            job = urgent.recv() => job,
            job = ordinary.recv() => job,
        };
        let Some(first) = first else { break };
        let mut group = vec![first];
        while group.len() < GROUP_MAX {
            match urgent.try_recv() {
                Ok(job) => group.push(job),
                Err(_) => break,
            }
        }
        if let Ok(job) = ordinary.try_recv() {
            group.push(job);
        }
        commit_group(&mut connection, group).await;
    }
}

async fn commit_group(connection: &mut Connection, mut group: Vec<Box<dyn Job>>) {
    let mut attempt = 0;
    let mut outcomes: Vec<Result<(), Failure>>;
    loop {
        attempt += 1;
        outcomes = Vec::with_capacity(group.len());
        match try_group(connection, &mut group, &mut outcomes).await {
            Ok(()) => break,
            Err(failure) if failure.is_transient() && attempt < ATTEMPTS_MAX => {
                pause_before(attempt).await
            }
            Err(failure) => {
                let sentence = failure.to_string();
                let mut failure = Some(failure);
                outcomes = group
                    .iter()
                    .map(|_| {
                        Err(failure
                            .take()
                            .unwrap_or_else(|| Failure::refuse(sentence.clone())))
                    })
                    .collect();
                break;
            }
        }
    }
    for (job, outcome) in group.into_iter().zip(outcomes) {
        job.finish(outcome);
    }
}

async fn try_group(
    connection: &mut Connection,
    group: &mut [Box<dyn Job>],
    outcomes: &mut Vec<Result<(), Failure>>,
) -> Result<(), Failure> {
    connection.execute("BEGIN IMMEDIATE", vec![]).await?;
    let result = run_group(connection, group, outcomes).await;
    if result.is_err() {
        connection.roll_back().await;
    }
    result
}

/// Runs a job, and writes what it has kept. One that panics ends alone: the thread goes on with the others.
async fn run_job(connection: &mut Connection, job: &mut Box<dyn Job>) -> Result<(), Failure> {
    connection.reach = Reach::Nowhere;
    connection.keep();
    let outcome = AssertUnwindSafe(async {
        job.run(connection).await?;
        connection.write_kept().await
    })
    .catch_unwind()
    .await
    .unwrap_or(Err(Failure::Fault));
    connection.forget_kept();
    outcome
}

/// What has a transaction to itself is taken back with it, and needs no savepoint.
async fn run_alone(
    connection: &mut Connection,
    only: &mut Box<dyn Job>,
    outcomes: &mut Vec<Result<(), Failure>>,
) -> Result<(), Failure> {
    let outcome = run_job(connection, only).await;
    match &outcome {
        Ok(()) => commit(connection).await?,
        Err(failure) if failure.is_transient() && !failure.is_refusal() => return outcome,
        Err(_) => connection.roll_back().await,
    }
    outcomes.push(outcome);
    Ok(())
}

async fn run_group(
    connection: &mut Connection,
    group: &mut [Box<dyn Job>],
    outcomes: &mut Vec<Result<(), Failure>>,
) -> Result<(), Failure> {
    if let [only] = group {
        return run_alone(connection, only, outcomes).await;
    }
    for job in group.iter_mut() {
        connection.execute("SAVEPOINT job", vec![]).await?;
        let outcome = run_job(connection, job).await;
        match &outcome {
            Ok(()) => connection.execute("RELEASE job", vec![]).await?,
            Err(failure) if failure.is_transient() && !failure.is_refusal() => return outcome,
            // SQLite has taken everything back by itself: the disk is full, say.
            Err(_) if !connection.is_in_transaction() => return outcome,
            Err(_) => {
                connection.execute("ROLLBACK TO job", vec![]).await?;
                connection.execute("RELEASE job", vec![]).await?
            }
        };
        outcomes.push(outcome);
    }
    commit(connection).await
}

async fn commit(connection: &mut Connection) -> Result<(), Failure> {
    let _committing = (
        Spending::begin(Effort::Working),
        Spending::begin(Effort::Storing),
    );
    waypoint::pass("store", BEFORE_COMMIT);
    connection.execute("COMMIT", vec![]).await?;
    waypoint::pass("store", COMMITTED);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_from_the_rest_of_a_url() {
        for (url, several) in [
            ("postgres://db/supercargo", false),
            ("postgres://db1,db2/supercargo", true),
            ("postgres://u@db1:5432,db2:5432/supercargo", true),
            ("postgres://u:a,b@db/supercargo?options=a,b", false),
            ("postgres:///supercargo?host=/run/a,b", false),
        ] {
            assert_eq!(names_several_hosts(url), several, "{url}");
        }
    }
}
