//! A copy of SQLite's database that a running gateway goes on writing to: one moment of it, whole.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection as _, SqliteConnection};

use super::failure::Failure;

/// A connection that only reads the database at `path`, and waits while another has it locked.
async fn reading(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(std::time::Duration::from_secs(20))
        .connect()
        .await
}

/// How many contents of the database at `path` lie in an object store, and their bytes.
///
/// # Errors
/// Where the database can not be read.
pub async fn in_object_store(path: &Path) -> Result<(i64, i64), Failure> {
    let failed = |source: sqlx::Error| Failure::Database {
        doing: "counting what lies in the object store".to_owned(),
        source: source.into(),
    };
    let mut connection = reading(path).await.map_err(failed)?;
    let counted = sqlx::query_as(
        "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS INTEGER) FROM content_object",
    )
    .fetch_one(&mut connection)
    .await
    .map_err(failed)?;
    connection.close().await.map_err(failed)?;
    Ok(counted)
}

/// Writes the database at `from`, as it is at one moment, into the new file `to`, and waits until it is on the disk. What
/// commits meanwhile is in neither part nor whole.
///
/// # Errors
/// Where `to` exists, or the database can not be read or the copy not be written.
pub async fn copy_sqlite(from: &Path, to: &Path) -> Result<(), Failure> {
    let failed = |source: sqlx::Error| Failure::Database {
        doing: "copying the database".to_owned(),
        source: source.into(),
    };
    let mut connection = reading(from).await.map_err(failed)?;
    sqlx::query("VACUUM INTO $1")
        .bind(to.display().to_string())
        .execute(&mut connection)
        .await
        .map_err(failed)?;
    connection.close().await.map_err(failed)?;
    std::fs::File::open(to)
        .and_then(|file| file.sync_all())
        .map_err(|error| failed(error.into()))
}
