//! A program that is older than its database runs no command on it and writes nothing.

use sqlx::{AssertSqlSafe, Connection as _};
use supercargo::storage::StoreLocation;

use crate::contract::Program;
use crate::peers::postgres::fresh_database;

/// Runs statements past the program.
async fn past_the_program(location: &StoreLocation, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    match location {
        StoreLocation::Sqlite(path) => {
            let url = format!("sqlite://{}?mode=rwc", path.display());
            let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("opens");
            sqlx::raw_sql(sql)
                .execute(&mut connection)
                .await
                .expect("runs");
            connection.close().await.expect("closes");
        }
        StoreLocation::Postgres(url) => {
            let mut connection = sqlx::PgConnection::connect(url).await.expect("connects");
            sqlx::raw_sql(sql)
                .execute(&mut connection)
                .await
                .expect("runs");
            connection.close().await.expect("closes");
        }
    }
}

/// All tables of the database, and what the table of migrations holds.
async fn looked_at(location: &StoreLocation) -> (Vec<String>, Vec<(i64, bool)>) {
    let migrations = "SELECT version, success FROM _sqlx_migrations ORDER BY version";
    match location {
        StoreLocation::Sqlite(path) => {
            let url = format!("sqlite://{}", path.display());
            let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("opens");
            let tables =
                sqlx::query_scalar("SELECT COALESCE(sql, name) FROM sqlite_master ORDER BY name");
            (
                tables.fetch_all(&mut connection).await.expect("listed"),
                sqlx::query_as(migrations)
                    .fetch_all(&mut connection)
                    .await
                    .expect("listed"),
            )
        }
        StoreLocation::Postgres(url) => {
            let mut connection = sqlx::PgConnection::connect(url).await.expect("connects");
            let tables = sqlx::query_scalar(
                "SELECT table_name || '.' || column_name || ' ' || data_type FROM information_schema.columns
                 WHERE table_schema = 'public' ORDER BY 1",
            );
            (
                tables.fetch_all(&mut connection).await.expect("listed"),
                sqlx::query_as(migrations)
                    .fetch_all(&mut connection)
                    .await
                    .expect("listed"),
            )
        }
    }
}

/// Every command that would read or write is refused, and nothing is there that was not before.
async fn refused(program: &Program, location: &StoreLocation) {
    let before = looked_at(location).await;
    for command in [
        &["serve", "--sftp", "127.0.0.1:0", "--http", "127.0.0.1:0"][..],
        &["migrate"],
        &["partner", "list"],
        &["prove"],
        &["doctor"],
    ] {
        let output = program.run(command);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{command:?}: {told}");
        for words in [
            "the database has schema version 9000, and this Supercargo knows versions up to 5",
            "Nothing was changed. Run the newer version again",
            "restore the backup that was taken before the upgrade",
        ] {
            assert!(told.contains(words), "{command:?}: {told}");
        }
    }
    assert_eq!(looked_at(location).await, before);
}

/// What a newer version leaves in the table of migrations.
fn newer(location: &StoreLocation) -> String {
    let (yes, bytes) = match location {
        StoreLocation::Sqlite(_) => ("1", "x'00'"),
        StoreLocation::Postgres(_) => ("TRUE", "'\\x00'"),
    };
    format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9000, 'of a newer version', {yes}, {bytes}, 1)"
    )
}

async fn an_older_program_is_refused(program: Program, location: StoreLocation) {
    program.furnish();
    past_the_program(&location, &newer(&location)).await;
    refused(&program, &location).await;
    // Nothing of it was needed: without the newer version's word it runs as before.
    past_the_program(
        &location,
        "DELETE FROM _sqlx_migrations WHERE version = 9000",
    )
    .await;
    program.ends(0, &["prove"]);
}

/// Where the program would have all of its own schema still to write, it is refused before it writes any of it.
async fn nothing_is_written_before(program: Program, location: StoreLocation) {
    let (integer, flag, bytes) = match &location {
        StoreLocation::Sqlite(_) => ("BIGINT", "BOOLEAN", "BLOB"),
        StoreLocation::Postgres(_) => ("BIGINT", "BOOLEAN", "BYTEA"),
    };
    let table = format!(
        "CREATE TABLE _sqlx_migrations (version {integer} PRIMARY KEY, description TEXT NOT NULL,
         installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success {flag} NOT NULL, checksum {bytes} NOT NULL,
         execution_time {integer} NOT NULL); {}",
        newer(&location)
    );
    past_the_program(&location, &table).await;
    refused(&program, &location).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_program_refuses_a_newer_database_on_sqlite() {
    for written in [true, false] {
        let program = Program::over(None, "SQLite".to_owned());
        let location = StoreLocation::Sqlite(program.data().join("supercargo.db"));
        match written {
            true => an_older_program_is_refused(program, location).await,
            false => nothing_is_written_before(program, location).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_program_refuses_a_newer_database_on_postgres() {
    for written in [true, false] {
        let Some(database) = fresh_database().await else {
            return;
        };
        let location = StoreLocation::Postgres(database.url.clone());
        let program = Program::over(Some(database), "PostgreSQL".to_owned());
        match written {
            true => an_older_program_is_refused(program, location).await,
            false => nothing_is_written_before(program, location).await,
        }
    }
}
