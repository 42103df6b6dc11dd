//! Work that waits, and work that fails.

use serde::Serialize;

use super::{Conditions, Page, instant};
use crate::domain::clock::Instant;
use crate::storage::connection::Connection;
use crate::storage::failure::Failure;

/// A piece of work in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkListing {
    /// Its number.
    pub work: String,
    /// `read`, `translate`, `verify`, `allocate`, `fulfil`, `invoice`, `deliver` or `push`.
    pub step: String,
    /// Number of the file, document, order, shipment, partner or transmission it is about.
    pub subject: String,
    /// When it is due.
    pub due_at: Instant,
    /// How often it failed.
    pub attempts: i64,
    /// Why it failed last, or what it waits for.
    pub problem: Option<String>,
}

/// Work in order of when it is due; with `failed`, only what has failed before.
pub async fn work(
    connection: &mut Connection,
    failed: bool,
    page: Page,
) -> Result<Vec<WorkListing>, Failure> {
    row! {
        struct Row {
            id: i64,
            step: String,
            subject: i64,
            due_at: i64,
            attempts: i64,
            problem: Option<String>,
        }
    }
    let mut conditions = Conditions::new();
    if failed {
        conditions.plain("attempts > 0");
    }
    let (sql, binds) = conditions.ordered(
        "SELECT id, step, subject, due_at, attempts, problem FROM work",
        "due_at, id",
        page,
    );
    let rows: Vec<Row> = connection.rows(&sql, binds).await?;
    rows.into_iter()
        .map(|row| {
            Ok(WorkListing {
                work: row.id.to_string(),
                step: row.step,
                subject: row.subject.to_string(),
                due_at: instant("work", row.due_at)?,
                attempts: row.attempts,
                problem: row.problem,
            })
        })
        .collect()
}
