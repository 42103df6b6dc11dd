//! Why a database did not open, and what a person does about it.

use super::failure::Failure;
use super::row::DriverError;
use super::store::StoreLocation;

/// What the driver says of a database that did not open, in a sentence that names the database and the remedy.
pub(super) fn not_opened(location: &StoreLocation, error: &DriverError) -> Failure {
    let why = match error {
        DriverError::Postgres(sqlx::Error::Database(told)) => told.message().to_owned(),
        // The driver tries again until its time is over, and does not tell what it met.
        DriverError::Postgres(sqlx::Error::PoolTimedOut) => "nothing answered in 30 s".to_owned(),
        other => other.to_string(),
    };
    let code = error.code().unwrap_or_default();
    Failure::NotOpened {
        location: location.to_string(),
        why,
        advice: match location {
            StoreLocation::Sqlite(_) => sqlite_advice(&code),
            StoreLocation::Postgres(_) => postgres_advice(&code, error),
        },
    }
}

/// By SQLite's result code, of an extended one the primary part.
fn sqlite_advice(code: &str) -> &'static str {
    match code.parse::<u32>().map(|code| code & 0xff) {
        Ok(8 | 14 | 23) => {
            "the user who runs this must be allowed to write the file and its folder: mend their permissions, run this as the user who serves, or choose another folder with --data"
        }
        Ok(11 | 26) => {
            "the file is damaged or something else: move it away with its -wal and -shm, and restore a backup"
        }
        Ok(5 | 6) => "another process holds it: end that, and try again",
        Ok(13) => "the disk is full: make room",
        _ => "see to the folder and its disk, or choose another with --data",
    }
}

/// By PostgreSQL's SQLSTATE.
fn postgres_advice(code: &str, error: &DriverError) -> &'static str {
    match code {
        "3D000" => "make it (`createdb NAME`), or correct the name in the URL",
        "28000" | "28P01" => {
            "correct user and password in the URL, or let them in (the server's roles and its pg_hba.conf)"
        }
        "53300" => {
            "raise max_connections of the server, or give the gateways fewer ([database] connections_max)"
        }
        "57P03" => "the server is starting or stopping: try again in a while",
        "42501" => {
            "give that user the right to connect and to make tables, best as the owner of the database"
        }
        "" if matches!(error, DriverError::Postgres(sqlx::Error::Configuration(_))) => {
            "write postgres://user@host/database"
        }
        _ => {
            "check host and port in the URL (without a host the driver takes PGHOST and PGPORT), and whether PostgreSQL runs there and lets this machine in"
        }
    }
}
