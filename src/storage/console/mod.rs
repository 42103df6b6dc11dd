//! What the console's pages show: read-only queries, each bounded, newest first where nothing else is said.
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

use super::connection::Bind;
use super::failure::Failure;

/// Rows on one page of a list.
pub(crate) const PAGE: i64 = 50;
/// Rows of a list that a page shows whole: what hangs on one order, invoice or partner.
pub(crate) const WHOLE: i64 = 500;

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

    /// Adds a condition without a value.
    pub(crate) fn and_plain(&mut self, clause: &str) -> &mut Self {
        self.clauses.push(clause.to_owned());
        self
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
