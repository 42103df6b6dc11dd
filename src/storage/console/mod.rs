//! What the console's pages show: read-only queries, each bounded, newest first where nothing else is said.
//!
//! The table of a list comes first and is joined by LEFT JOIN to what is always there: so SQLite, which knows nothing of how
//! much of anything there is, goes through the list itself and not through partners.
//!
//! Rows are given as they stand (minor units, microseconds, words of the domain); the console makes them readable.

pub(crate) mod deductions;
pub(crate) mod documents;
pub(crate) mod files;
pub(crate) mod invoices;
pub(crate) mod journal;
pub(crate) mod orders;
pub(crate) mod overview;
pub(crate) mod partners;
pub(crate) mod payments;
pub(crate) mod queue;
pub(crate) mod search;
pub(crate) mod shipments;
pub(crate) mod stock;

use std::collections::BTreeMap;

use super::connection::{Bind, Connection};
use super::failure::Failure;

/// Rows on one page of a list.
pub(crate) const PAGE: i64 = 50;
/// Rows of a list that a page shows whole: what hangs on one order, invoice or partner.
pub(crate) const WHOLE: i64 = 500;

/// As many of a kind are counted; where there are more, a page says so.
pub(crate) const COUNTED: i64 = 1_000;
/// A condition that as many rows at most meet is gone by first: they are read whole and put in order.
const FEW: i64 = 5_000;

/// How many there are in each state, [`COUNTED`] and one at most. None: more were found before they could be told apart.
pub(crate) type Counts = Option<BTreeMap<String, i64>>;

/// Counts what each query finds, by its word, in one statement. `from` goes behind `SELECT 1 FROM`.
async fn counted(
    connection: &mut Connection,
    from: &[(&str, String)],
    binds: Vec<Bind>,
) -> Result<BTreeMap<String, i64>, Failure> {
    let parts: Vec<String> = from
        .iter()
        .map(|(word, from)| {
            format!(
                "SELECT '{word}' AS word, (SELECT COUNT(*) FROM (SELECT 1 FROM {from} LIMIT {}) AS found) AS n",
                COUNTED + 1
            )
        })
        .collect();
    let rows: Vec<(String, i64)> = connection.rows(&parts.join(" UNION ALL "), binds).await?;
    Ok(rows.into_iter().filter(|(_, n)| *n > 0).collect())
}

/// The same by a column of a few rows: `from` is a query with that column, and finds [`COUNTED`] and one row at most.
async fn counted_by(
    connection: &mut Connection,
    column: &str,
    from: &str,
    binds: Vec<Bind>,
) -> Result<Counts, Failure> {
    let rows: Vec<(String, i64)> = connection
        .rows(
            &format!(
                "SELECT {column}, COUNT(*) FROM ({from} LIMIT {}) AS found GROUP BY {column}",
                COUNTED + 1
            ),
            binds,
        )
        .await?;
    let all: i64 = rows.iter().map(|row| row.1).sum();
    Ok((all <= COUNTED).then(|| rows.into_iter().collect()))
}

/// Whether few rows are found. `from` goes behind `SELECT 1 FROM`.
pub(in crate::storage) async fn are_few(
    connection: &mut Connection,
    from: &str,
    binds: Vec<Bind>,
) -> Result<bool, Failure> {
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM {from} LIMIT {}) AS found",
        FEW + 1
    );
    Ok(connection.number(&sql, binds).await? <= FEW)
}

/// Text as LIKE takes it literally, with `!` as the escape.
pub(crate) fn like_literal(text: &str) -> String {
    text.replace('!', "!!")
        .replace('%', "!%")
        .replace('_', "!_")
}

/// The first text behind all that begin with `beginning`; none: there is none.
///
/// Both engines go by an index for what lies between two texts; SQLite never does for LIKE with ESCAPE. Texts are compared
/// by their bytes, in PostgreSQL by the collation of the columns that are looked for so.
pub(crate) fn behind(beginning: &str) -> Option<String> {
    let mut kept: Vec<char> = beginning.chars().collect();
    while let Some(last) = kept.pop() {
        // Between the halves of the surrogates there is no character.
        let next = match u32::from(last) {
            0xD7FF => char::from_u32(0xE000),
            code => char::from_u32(code + 1),
        };
        if let Some(next) = next {
            kept.push(next);
            return Some(kept.into_iter().collect());
        }
    }
    None
}

/// The conditions of a list, collected with the values they compare to.
#[derive(Default)]
pub(crate) struct Conditions {
    clauses: Vec<String>,
    binds: Vec<Bind>,
}

impl Conditions {
    /// Adds a condition; `?` in it stands for the value.
    pub(crate) fn and(&mut self, clause: &str, value: impl Into<Bind>) -> &mut Self {
        self.binds.push(value.into());
        self.clauses
            .push(clause.replace('?', &format!("${}", self.binds.len())));
        self
    }

    /// Adds a condition where there is a value.
    pub(crate) fn and_some<T: Into<Bind> + Clone>(
        &mut self,
        clause: &str,
        value: Option<&T>,
    ) -> &mut Self {
        if let Some(value) = value {
            self.and(clause, value.clone());
        }
        self
    }

    /// Adds that a column begins with a text.
    pub(crate) fn and_begins(&mut self, column: &str, beginning: Option<&String>) -> &mut Self {
        if let Some(beginning) = beginning {
            self.and(&format!("{column} >= ?"), beginning);
            self.and_some(&format!("{column} < ?"), behind(beginning).as_ref());
        }
        self
    }

    /// Adds that a row follows the last one of the page before, in order of a text and then of the number.
    pub(crate) fn and_follows(&mut self, text: (&str, String), id: (&str, i64)) -> &mut Self {
        let (column, last) = text;
        let place = self.place(last);
        let number = self.place(id.1);
        let key = id.0;
        self.and_plain(&format!(
            "{column} >= {place} AND ({column} > {place} OR {key} > {number})"
        ))
    }

    /// Adds the world. That of test traffic is written into the statement: it has an index of its own.
    pub(crate) fn and_mode(&mut self, column: &str, mode: Option<&String>) -> &mut Self {
        match mode.map(String::as_str) {
            Some("test") => self.and_plain(&format!("{column} = 'test'")),
            _ => self.and_some(&format!("{column} = ?"), mode),
        }
    }

    /// Adds a condition without a value.
    pub(crate) fn and_plain(&mut self, clause: &str) -> &mut Self {
        self.clauses.push(clause.to_owned());
        self
    }

    /// Takes a value in, and gives what stands for it in a statement.
    pub(crate) fn place(&mut self, value: impl Into<Bind>) -> String {
        self.binds.push(value.into());
        format!("${}", self.binds.len())
    }

    /// ` WHERE …`, empty where there is no condition.
    pub(crate) fn sql(&self) -> String {
        if self.clauses.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", self.clauses.join(" AND "))
        }
    }

    /// The values, in order.
    pub(crate) fn binds(self) -> Vec<Bind> {
        self.binds
    }
}

/// Reads an aggregate out of its body.
pub(crate) fn aggregate<T: serde::de::DeserializeOwned>(
    table: &'static str,
    id: i64,
    body: &str,
) -> Result<T, Failure> {
    serde_json::from_str(body).map_err(|error| Failure::Corrupt {
        table,
        key: id.to_string(),
        why: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_so_lies_before_what_is_behind() {
        for (beginning, next) in [
            ("PO", Some("PP")),
            ("PO-9", Some("PO-:")),
            ("A\u{10FFFF}", Some("B")),
            ("\u{D7FF}", Some("\u{E000}")),
            ("\u{10FFFF}", None),
            ("", None),
        ] {
            assert_eq!(behind(beginning).as_deref(), next, "{beginning:?}");
        }
    }

    #[test]
    fn conditions_number_their_values() {
        let mut conditions = Conditions::default();
        conditions
            .and("a = ?", 1_i64)
            .and_plain("b IS NULL")
            .and_some("c = ?", None::<&i64>)
            .and_some("(d < ? OR e < ?)", Some(&2_i64));
        assert_eq!(
            conditions.sql(),
            " WHERE a = $1 AND b IS NULL AND (d < $2 OR e < $2)"
        );
        assert_eq!(conditions.binds().len(), 2);
        assert_eq!(Conditions::default().sql(), "");
    }
}
