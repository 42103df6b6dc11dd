//! What every listing shares: which part of it is wanted, a table for people, an array of JSON for programs.

use std::process::ExitCode;

use super::table::Table;
use super::{CliError, CliResult, Options, print};
use crate::storage::listing::Page;
use crate::storage::listing::partners;
use crate::storage::{Connection, Failure};

/// Rows of a listing where nobody says how many.
const LIMIT_DEFAULT: u32 = 1_000;
/// Rows that are read at once.
const PAGE: u32 = 1_000;

/// Which part of a listing.
#[derive(Debug, Clone, clap::Args)]
pub struct Paging {
    /// Rows at most
    #[arg(long, value_name = "N", default_value_t = LIMIT_DEFAULT, conflicts_with = "all")]
    limit: u32,
    /// Every row, however many
    #[arg(long)]
    all: bool,
    /// Go on after this many rows
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: u32,
}

/// How the rows of a listing are shown and counted.
pub struct Shape<T> {
    /// What they are, for the sentence that says there are none: "orders".
    pub what: &'static str,
    /// Titles of the table.
    pub titles: &'static [&'static str],
    /// A row of the table.
    pub row: fn(&T) -> Vec<String>,
    /// What stands whole below each row, where it is too long for a column.
    pub below: Option<fn(&T) -> String>,
    /// The number that the next page goes on from; none: it goes on by offset.
    pub cursor: Option<fn(&T) -> Option<i64>>,
}

/// Reads a listing page by page and prints it as it comes.
pub async fn show<T, F>(
    options: &Options,
    paging: &Paging,
    shape: &Shape<T>,
    mut fetch: F,
) -> CliResult
where
    T: serde::Serialize,
    F: AsyncFnMut(Page) -> Result<Vec<T>, Failure>,
{
    let mut left = if paging.all { u32::MAX } else { paging.limit };
    let mut page = Page {
        offset: paging.offset,
        ..Page::default()
    };
    let mut printed = 0_u64;
    loop {
        page.limit = left.min(PAGE);
        let rows = if page.limit == 0 {
            Vec::new()
        } else {
            fetch(page).await?
        };
        let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        print_rows(options, shape, &rows, printed)?;
        printed += u64::from(count);
        left -= count.min(left);
        if count < page.limit || left == 0 {
            break;
        }
        match (shape.cursor, rows.last()) {
            (Some(cursor), Some(last)) => {
                page.before = cursor(last);
                page.offset = 0;
            }
            _ => page.offset = page.offset.saturating_add(count),
        }
    }
    finish(options, paging, shape, printed)
}

fn print_rows<T: serde::Serialize>(
    options: &Options,
    shape: &Shape<T>,
    rows: &[T],
    printed: u64,
) -> Result<(), CliError> {
    if options.json {
        for (n, row) in rows.iter().enumerate() {
            let first = printed == 0 && n == 0;
            let text = serde_json::to_string_pretty(row)
                .map_err(|error| CliError::Broken(format!("JSON could not be written: {error}")))?;
            print::text(&format!("{}{text}", if first { "[\n" } else { ",\n" }))?;
        }
        return Ok(());
    }
    if rows.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(shape.titles);
    for row in rows {
        table.row((shape.row)(row));
        if let Some(below) = shape.below {
            table.note(&below(row));
        }
    }
    print::text(&table.render())
}

fn finish<T>(options: &Options, paging: &Paging, shape: &Shape<T>, printed: u64) -> CliResult {
    match (options.json, printed) {
        (true, 0) => print::line("[]")?,
        (true, _) => print::line("\n]")?,
        (false, 0) => print::line(&format!("No {}.", shape.what))?,
        (false, _) => {}
    }
    if !paging.all && printed == u64::from(paging.limit) {
        eprintln!(
            "supercargo: showing {printed} {}; there may be more: --all, --limit N or --offset N",
            shape.what
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// A whole listing that has no pages.
pub fn show_all<T: serde::Serialize>(options: &Options, shape: &Shape<T>, rows: &[T]) -> CliResult {
    if options.json {
        print::json(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    print_rows(options, shape, rows, 0)?;
    if rows.is_empty() {
        print::line(&format!("No {}.", shape.what))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The partner with this short name; refused where there is none.
pub async fn partner(
    connection: &mut Connection,
    code: Option<&str>,
) -> Result<Option<crate::domain::ids::PartnerId>, CliError> {
    let Some(code) = code else { return Ok(None) };
    match partners::partner(connection, code).await? {
        Some(found) => Ok(Some(found.id)),
        None => Err(CliError::Refused(format!(
            "there is no partner {code:?}; `supercargo partner list` shows the names"
        ))),
    }
}

/// A subject that is not there.
pub fn missing(what: &str, id: &dyn std::fmt::Display, list: &str) -> CliError {
    CliError::Refused(format!(
        "there is no {what} {id}; `supercargo {list}` shows what there is"
    ))
}

/// An instant to the minute in UTC, for tables; the title of its column says so.
pub fn minute(at: crate::domain::clock::Instant) -> String {
    at.format("%Y-%m-%d %H:%M").to_string()
}

/// What stands in a table where there is nothing.
pub fn dash(text: Option<&str>) -> String {
    match text {
        Some(text) if !text.is_empty() => text.to_owned(),
        _ => "-".to_owned(),
    }
}

/// Lines of names and values, aligned, for the head of one thing.
pub fn facts(facts: &[(&str, String)]) -> String {
    let width = facts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or_default();
    facts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name:<width$}  {}\n", super::table::harmless(value)))
        .collect()
}

/// The status, and that it is of the world of test traffic where it is.
pub fn with_mode(status: &str, mode: &str) -> String {
    if mode == "test" {
        format!("{status} (test)")
    } else {
        status.to_owned()
    }
}
