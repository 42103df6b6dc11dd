//! Read-only queries behind every listing of the command line and of the console. The rows serialise to exactly the
//! JSON that `docs/cli.md` lists: identities, quantities and amounts are text, instants RFC 3339 in UTC, dates ISO.

pub mod alerts;
pub mod audit;
pub mod documents;
pub mod files;
pub mod gauges;
pub mod health;
pub mod invoices;
pub mod items;
pub mod locations;
pub mod mail;
pub mod mailboxes;
pub mod orders;
pub mod overview;
pub mod partners;
pub mod prices;
pub mod receivables;
pub mod shipments;
pub mod stock;
pub mod users;
pub mod warehouses;
pub mod work;

use chrono::{DateTime, Utc};

use super::connection::{Bind, list};
use super::failure::Failure;
use crate::domain::clock::Instant;
use crate::domain::finding::Finding;
use crate::domain::money::{Amount, Currency};
use crate::domain::order::Mode;

/// Which part of a listing is wanted. Listings run from the newest row to the oldest, unless they say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Rows at most.
    pub limit: u32,
    /// Only rows older than this one: the number of the last row of the page before. Stays fast however deep.
    pub before: Option<i64>,
    /// Rows to skip, for listings that have no numbers to go by.
    pub offset: u32,
}

/// Rows of a page where nobody asks for a number.
pub const PAGE_DEFAULT: u32 = 100;

impl Default for Page {
    fn default() -> Self {
        Self {
            limit: PAGE_DEFAULT,
            before: None,
            offset: 0,
        }
    }
}

impl Page {
    /// The first `limit` rows.
    pub fn first(limit: u32) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// The same page, but only of rows older than number `before`.
    #[must_use]
    pub fn before(mut self, before: i64) -> Self {
        self.before = Some(before);
        self
    }
}

/// The conditions of a query as they are gathered, with their values.
pub(super) struct Conditions {
    text: String,
    binds: Vec<Bind>,
}

impl Conditions {
    pub(super) fn new() -> Self {
        Self {
            text: String::new(),
            binds: Vec::new(),
        }
    }

    fn joint(&mut self) {
        self.text.push_str(if self.text.is_empty() {
            " WHERE "
        } else {
            " AND "
        });
    }

    /// Adds a condition without a value of its own.
    pub(super) fn plain(&mut self, condition: &str) {
        self.joint();
        self.text.push_str(condition);
    }

    /// Adds a condition; each `?` in it stands for `value`.
    pub(super) fn and(&mut self, condition: &str, value: impl Into<Bind>) {
        self.joint();
        self.binds.push(value.into());
        self.text
            .push_str(&condition.replace('?', &format!("${}", self.binds.len())));
    }

    /// Adds a condition where there is a value.
    pub(super) fn and_some<T: Into<Bind>>(&mut self, condition: &str, value: Option<T>) {
        if let Some(value) = value {
            self.and(condition, value);
        }
    }

    /// Adds the world. That of test traffic is written into the statement: it has an index of its own.
    pub(super) fn and_mode(&mut self, column: &str, mode: Option<Mode>) {
        match mode {
            Some(Mode::Test) => self.plain(&format!("{column} = 'test'")),
            Some(mode) => self.and(&format!("{column} = ?"), mode.word()),
            None => {}
        }
    }

    /// Adds `column IN (values)`; with no values nothing is found.
    pub(super) fn and_in(&mut self, column: &str, values: Vec<Bind>) {
        self.joint();
        self.text.push_str(column);
        self.text.push_str(" IN ");
        self.text.push_str(&list(values.len(), self.binds.len()));
        self.binds.extend(values);
    }

    /// ` WHERE …` and its values.
    pub(super) fn parts(self) -> (String, Vec<Bind>) {
        (self.text, self.binds)
    }

    /// The whole statement, newest first by `key`, with its values.
    pub(super) fn newest_first(
        mut self,
        select: &str,
        key: &str,
        page: Page,
    ) -> (String, Vec<Bind>) {
        self.and_some(&format!("{key} < ?"), page.before);
        self.ordered(select, &format!("{key} DESC"), page)
    }

    /// The whole statement in the given order, with its values.
    pub(super) fn ordered(self, select: &str, order: &str, page: Page) -> (String, Vec<Bind>) {
        (
            format!(
                "{select}{} ORDER BY {order} LIMIT {} OFFSET {}",
                self.text, page.limit, page.offset
            ),
            self.binds,
        )
    }
}

/// A stored instant.
fn instant(table: &'static str, micros: i64) -> Result<Instant, Failure> {
    DateTime::<Utc>::from_timestamp_micros(micros).ok_or_else(|| Failure::Corrupt {
        table,
        key: micros.to_string(),
        why: "its instant lies beyond the calendar".to_owned(),
    })
}

/// A stored instant that may be missing.
fn maybe_instant(table: &'static str, micros: Option<i64>) -> Result<Option<Instant>, Failure> {
    micros.map(|micros| instant(table, micros)).transpose()
}

/// A stored amount as a decimal in text.
fn money(
    table: &'static str,
    key: i64,
    minor: i64,
    currency: &str,
) -> Result<(String, Currency), Failure> {
    let currency: Currency = currency.parse().map_err(corrupt(table, key))?;
    Ok((Amount(minor).display(currency), currency))
}

/// A JSON column of a row.
fn from_body<T: serde::de::DeserializeOwned>(
    table: &'static str,
    key: i64,
    body: &str,
) -> Result<T, Failure> {
    serde_json::from_str(body).map_err(corrupt(table, key))
}

fn corrupt<E: std::fmt::Display>(
    table: &'static str,
    key: impl std::fmt::Display,
) -> impl FnOnce(E) -> Failure {
    move |error| Failure::Corrupt {
        table,
        key: key.to_string(),
        why: error.to_string(),
    }
}

/// A decimal without the zeros that say nothing.
fn decimal(value: rust_decimal::Decimal) -> String {
    value.normalize().to_string()
}

/// A finding as listings show it: its place spread out, what is not known is null.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FindingListing {
    /// Stable name of the rule.
    pub code: String,
    /// What is wrong and what to do, in a sentence.
    pub message: String,
    /// `standard`, `guide`, `business` or `transport`.
    pub origin: crate::domain::finding::Origin,
    /// `note`, `hold` or `reject`.
    pub severity: crate::domain::finding::Severity,
    /// Byte of the file as received, from 0.
    pub byte: Option<u64>,
    /// Line of the file, from 1.
    pub file_line: Option<u64>,
    /// Segment id, such as PO1.
    pub segment: Option<String>,
    /// Position of the segment in its set, ST = 1.
    pub segment_index: Option<u32>,
    /// Element of the segment, from 1.
    pub element: Option<u32>,
    /// Component of the element, from 1.
    pub component: Option<u32>,
    /// The value found.
    pub value: Option<String>,
    /// Order line it is about.
    pub line: Option<u32>,
}

impl From<Finding> for FindingListing {
    fn from(finding: Finding) -> Self {
        Self {
            code: finding.code,
            message: finding.message,
            origin: finding.origin,
            severity: finding.severity,
            byte: finding.place.byte,
            file_line: finding.place.line,
            segment: finding.place.segment,
            segment_index: finding.place.segment_index,
            element: finding.place.element,
            component: finding.place.component,
            value: finding.value,
            line: finding.order_line,
        }
    }
}

/// The findings of a JSON column.
fn findings(table: &'static str, key: i64, text: &str) -> Result<Vec<FindingListing>, Failure> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let findings: Vec<Finding> = from_body(table, key, text)?;
    Ok(findings.into_iter().map(FindingListing::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_number_their_values() {
        let mut conditions = Conditions::new();
        conditions.and("a = ?", 1_i64);
        conditions.and_some("b = ?", None::<i64>);
        conditions.and_in("c", vec![2_i64.into(), 3_i64.into()]);
        let (sql, binds) =
            conditions.newest_first("SELECT 1 FROM t", "t.id", Page::first(5).before(9));
        assert_eq!(
            sql,
            "SELECT 1 FROM t WHERE a = $1 AND c IN ($2, $3) AND t.id < $4 ORDER BY t.id DESC LIMIT 5 OFFSET 0"
        );
        assert_eq!(binds.len(), 4);
    }
}
