//! A row of either engine, and what is read out of it.

use rayon::prelude::*;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::failure::Failure;

/// What a driver says of what it did not do.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// SQLite, with its extended result code.
    #[error("{}", told(.0))]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL, or the way to it.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
    /// A file beside the database.
    #[error(transparent)]
    File(#[from] std::io::Error),
}

fn told(error: &rusqlite::Error) -> String {
    match code_of(error) {
        Some(code) => format!("{error} (code {code})"),
        None => error.to_string(),
    }
}

fn code_of(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}

impl DriverError {
    /// SQLite's extended result code, or PostgreSQL's SQLSTATE.
    pub fn code(&self) -> Option<String> {
        match self {
            Self::Sqlite(error) => code_of(error).map(|code| code.to_string()),
            Self::Postgres(error) => error
                .as_database_error()
                .and_then(|told| told.code())
                .map(Into::into),
            Self::File(_) => None,
        }
    }

    /// Whether a value of a row is not of the kind that its column holds.
    pub fn is_of_a_value(&self) -> bool {
        match self {
            Self::Sqlite(error) => matches!(
                error,
                rusqlite::Error::FromSqlConversionFailure(..)
                    | rusqlite::Error::InvalidColumnType(..)
                    | rusqlite::Error::IntegralValueOutOfRange(..)
                    | rusqlite::Error::Utf8Error(..)
            ),
            Self::Postgres(error) => matches!(error, sqlx::Error::ColumnDecode { .. }),
            Self::File(_) => false,
        }
    }

    /// Whether the same transaction may succeed when it is run again: it lost to another.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
            ),
            Self::Postgres(sqlx::Error::Database(error)) => {
                matches!(error.code().as_deref(), Some("40001" | "40P01" | "55P03"))
            }
            Self::Postgres(_) | Self::File(_) => false,
        }
    }

    /// Whether the values are at fault: one is too large, or breaks a constraint.
    pub fn is_of_data(&self) -> bool {
        match self {
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(rusqlite::ErrorCode::ConstraintViolation | rusqlite::ErrorCode::TooBig)
            ),
            Self::Postgres(sqlx::Error::Database(error)) => error
                .code()
                .is_some_and(|code| code.starts_with("22") || code.starts_with("23")),
            Self::Postgres(_) | Self::File(_) => false,
        }
    }

    /// Whether the connection to PostgreSQL is gone, or was ended by the server.
    pub fn is_of_connection(&self) -> bool {
        match self {
            Self::Postgres(sqlx::Error::Database(error)) => error
                .code()
                .is_some_and(|code| code.starts_with("08") || code.starts_with("57P")),
            Self::Postgres(error) => matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_)),
            Self::Sqlite(_) | Self::File(_) => false,
        }
    }
}

/// One row of either engine.
pub enum Row<'r> {
    /// SQLite.
    Lite(&'r rusqlite::Row<'r>),
    /// PostgreSQL.
    Pg(&'r PgRow),
}

/// A value that a column holds on both engines: `i64`, `String`, `Vec<u8>`, or an `Option` of one.
pub trait Cell:
    rusqlite::types::FromSql + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>
{
}
impl<T> Cell for T where
    T: rusqlite::types::FromSql
        + for<'r> sqlx::Decode<'r, sqlx::Postgres>
        + sqlx::Type<sqlx::Postgres>
{
}

impl Row<'_> {
    /// The value of the column of this name.
    pub fn named<T: Cell>(&self, column: &str) -> Result<T, DriverError> {
        Ok(match self {
            Self::Lite(row) => row.get(column)?,
            Self::Pg(row) => row.try_get(column)?,
        })
    }

    /// The value of the column at this place, counted from 0.
    pub fn at<T: Cell>(&self, column: usize) -> Result<T, DriverError> {
        Ok(match self {
            Self::Lite(row) => row.get(column)?,
            Self::Pg(row) => row.try_get(column)?,
        })
    }

    /// How many columns it has.
    pub fn columns(&self) -> usize {
        match self {
            Self::Lite(row) => row.as_ref().column_count(),
            Self::Pg(row) => row.len(),
        }
    }
}

/// What a row of a query is read as: a tuple by the places of its columns, a struct that `row!` declares by their names.
pub trait Readable: Sized + Send + 'static {
    /// Reads it out of a row.
    fn read(row: &Row<'_>) -> Result<Self, DriverError>;
}

macro_rules! readable_tuples {
    ($(($($cell:ident $place:tt),+))+) => {$(
        impl<$($cell: Cell + Send + 'static),+> Readable for ($($cell,)+) {
            fn read(row: &Row<'_>) -> Result<Self, DriverError> {
                Ok(($(row.at::<$cell>($place)?,)+))
            }
        }
    )+};
}
readable_tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8)
}

/// Declares a struct that is read out of a row, each field from the column of its name.
macro_rules! row {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty),* $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $type),*
        }
        impl $crate::storage::Readable for $name {
            fn read(
                row: &$crate::storage::row::Row<'_>,
            ) -> Result<Self, $crate::storage::row::DriverError> {
                Ok(Self { $($field: row.named(stringify!($field))?),* })
            }
        }
    };
}

/// Rows read on all cores where they are many; few would only wait for what these are doing.
pub(super) fn side_by_side<R: Send, T: Send>(
    rows: Vec<R>,
    read: impl Fn(R) -> Result<T, Failure> + Sync + Send,
) -> Result<Vec<T>, Failure> {
    const FEW: usize = 32;
    match rows.len() <= FEW {
        true => rows.into_iter().map(read).collect(),
        false => rows.into_par_iter().map(read).collect(),
    }
}
