//! Files as they came in, and the interchanges found in them.

use super::{Conditions, Counts, PAGE, WHOLE, are_few, counted};
use crate::binds;
use crate::storage::{Connection, Failure};

row! {
    /// A file that came in.
    #[derive(Debug, Clone)]
    pub(crate) struct FileItem {
        pub id: i64,
        pub connection_name: Option<String>,
        pub partner_id: Option<i64>,
        pub partner_name: Option<String>,
        pub name: String,
        pub sha256: String,
        pub size: i64,
        pub received_at: i64,
        pub received_by: String,
        pub disposition: String,
        /// JSON.
        pub findings: String,
    }
}

row! {
    /// An interchange within a file.
    #[derive(Debug, Clone)]
    pub(crate) struct InterchangeItem {
        pub byte_offset: i64,
        pub size: i64,
        pub mode: String,
        pub isa13: String,
        pub disposition: String,
        /// JSON.
        pub findings: String,
    }
}

const FILE: &str = concat!(
    "SELECT f.id, c.name AS connection_name, ",
    partner_of_file!(),
    " AS partner_id,
    p.name AS partner_name, f.name, f.sha256, f.size, f.received_at, f.received_by, f.disposition, f.findings
    FROM file f LEFT JOIN connection c ON c.id = f.connection_id
      LEFT JOIN partner p ON p.id = ",
    partner_of_file!()
);
const INTERCHANGE: &str =
    "SELECT byte_offset, size, mode, isa13, disposition, findings FROM interchange";

/// What came from a partner: over a connection of its own, or by hand.
const FROM_PARTNER: &str = "(SELECT x.id FROM connection own CROSS JOIN file x WHERE own.partner_id = $1 AND x.connection_id = own.id
    UNION ALL SELECT x.id FROM file x WHERE x.partner_id = $1) AS theirs";

/// The condition by which a list reads a partner's files whole, where they are few; its value is the partner.
pub(in crate::storage) async fn if_few_of(
    connection: &mut Connection,
    partner: i64,
) -> Result<Option<String>, Failure> {
    let few = are_few(connection, FROM_PARTNER, binds![partner]).await?;
    let theirs = || FROM_PARTNER.replace("$1", "?");
    Ok(few.then(|| format!("f.id IN (SELECT id FROM {})", theirs())))
}

/// A page of files.
pub(crate) async fn list(
    connection: &mut Connection,
    disposition: Option<&String>,
    partner: Option<i64>,
    before: Option<i64>,
) -> Result<Vec<FileItem>, Failure> {
    let mut conditions = Conditions::default();
    if let Some(partner) = partner
        && let Some(theirs) = if_few_of(connection, partner).await?
    {
        conditions.and(&theirs, partner);
    }
    // So that SQLite goes by the number, and not by the state of all that came.
    conditions.and_plain("f.id > 0");
    conditions
        .and_some("f.disposition = ?", disposition)
        .and_some(concat!(partner_of_file!(), " = ?"), partner.as_ref())
        .and_some("f.id < ?", before.as_ref());
    let sql = format!(
        "{FILE}{} ORDER BY f.id DESC LIMIT {}",
        conditions.sql(),
        PAGE + 1
    );
    connection.rows(&sql, conditions.binds()).await
}

/// One file.
pub(crate) async fn one(connection: &mut Connection, id: i64) -> Result<Option<FileItem>, Failure> {
    connection
        .row(&format!("{FILE} WHERE f.id = $1"), binds![id])
        .await
}

/// The interchanges of a file, in the order they stand in it.
pub(crate) async fn interchanges(
    connection: &mut Connection,
    file: i64,
) -> Result<Vec<InterchangeItem>, Failure> {
    let sql = format!("{INTERCHANGE} WHERE file_id = $1 ORDER BY byte_offset LIMIT {WHOLE}");
    connection.rows(&sql, binds![file]).await
}

/// How many files there are in each of these states.
pub(crate) async fn counts(
    connection: &mut Connection,
    states: &[&'static str],
) -> Result<Counts, Failure> {
    let of = |state: &&'static str| (*state, format!("file WHERE disposition = '{state}'"));
    let from: Vec<(&str, String)> = states.iter().map(of).collect();
    Ok(Some(counted(connection, &from, binds![]).await?))
}
