//! Seals: what is kept for ever, covered in batches by SHA-256, each batch chained to the one before.
//!
//! A seal covers, of each table of [`SEALED`], the rows of one range of numbers: how many they are, and the SHA-256 of
//! their columns that never change. The ranges of one table follow one another without a gap from the first number on.
//! The seal's own hash is over its number, its time, the hash of the seal before, and what it covers ([`Seal::reckoned`]).
//!
//! Numbers are taken before they are committed, and on PostgreSQL transactions commit in any order. So the sealer asks
//! first how far numbers have been taken ([`Connection::numbers_taken`]), and seals them only when every transaction
//! that may have taken one of them has ended ([`Connection::horizon`], [`Connection::oldest_open`]): every transaction of
//! the store has its own number from its first line on, before it takes any other.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::connection::Connection;
use super::failure::Failure;
use super::row::{DriverError, Readable, Row};
use super::work::{Lease, SEALER};
use crate::binds;
use crate::domain::clock::Instant;

/// Rows of one table that one seal covers at most: as narrow as this is the place that a fault is found in.
pub const ROWS_MAX: i64 = 1_000;
/// What stands before the first seal.
pub const BEGINNING: &str = "";
/// Counts the seals, so that a missing last one shows.
const COUNTER: &str = "seal";

/// A table whose rows stay for ever, and its columns that never change.
#[derive(Debug)]
pub struct SealedTable {
    /// Its name.
    pub name: &'static str,
    /// What of a row is sealed, as SQL. Older seals were made of these: a change here breaks every one of them.
    columns: &'static [&'static str],
    /// Which rows are sealed, as SQL; empty: all.
    only: &'static str,
    /// Its rows are numbered by the program, not by a sequence.
    fixed: bool,
}

const fn table(name: &'static str, columns: &'static [&'static str]) -> SealedTable {
    SealedTable {
        name,
        columns,
        only: "",
        fixed: false,
    }
}

/// Everything that is sealed.
///
/// Not here, for their rows may go: received documents, interchanges and groups (the bytes that they were read from are
/// sealed, and the proof reads those again), addresses (the profile that they come from is sealed), and what is only
/// there for a while: work, sessions.
pub const SEALED: &[SealedTable] = &[
    table(
        "audit",
        &[
            "at",
            "actor",
            "action",
            "subject_kind",
            "subject_id",
            "detail",
        ],
    ),
    table(
        "file",
        &[
            "connection_id",
            "partner_id",
            "name",
            "sha256",
            "size",
            "received_at",
            "received_by",
        ],
    ),
    SealedTable {
        name: "document",
        columns: &[
            "company_id",
            "partner_id",
            "mode",
            "set_code",
            "subject_kind",
            "subject_id",
            "reference",
            "replaces_id",
            "created_at",
            "address",
        ],
        only: "direction = 'out'",
        fixed: false,
    },
    table(
        "transmission",
        &[
            "connection_id",
            "partner_id",
            "mode",
            "isa13",
            "set_code",
            "name",
            "sha256",
            "size",
            "created_at",
        ],
    ),
    table(
        "purchase_order",
        &[
            "company_id",
            "partner_id",
            "mode",
            "po_number",
            "received_at",
            "document_id",
            "currency",
        ],
    ),
    table(
        "shipment",
        &[
            "company_id",
            "partner_id",
            "mode",
            "warehouse_id",
            "created_at",
        ],
    ),
    table(
        "invoice",
        &[
            "company_id",
            "partner_id",
            "mode",
            "number",
            "kind",
            "order_id",
            "po_number",
            "date",
            "due",
            "currency",
            "total",
            "created_at",
            "body",
        ],
    ),
    table(
        "payment",
        &[
            "company_id",
            "partner_id",
            "mode",
            "reference",
            "method",
            "amount",
            "currency",
            "date",
            "document_id",
            "created_at",
            "created_by",
            "body",
        ],
    ),
    table("application", &["payment_id", "invoice_id", "at"]),
    table(
        "deduction",
        &[
            "company_id",
            "partner_id",
            "mode",
            "payment_id",
            "invoice_id",
            "claimed_reference",
            "taken",
            "currency",
            "reason",
            "reference",
            "created_at",
        ],
    ),
    table(
        "ledger_entry",
        &[
            "source",
            "rule",
            "ordinal",
            "account",
            "company_id",
            "partner_id",
            "mode",
            "invoice_id",
            "amount",
            "currency",
            "at",
        ],
    ),
    table(
        "stock_movement",
        &["source", "kind", "warehouse_id", "mode", "entries", "at"],
    ),
    table("stock", &["item_id", "warehouse_id", "mode"]),
    table(
        "expected_receipt",
        &["warehouse_id", "item_id", "mode", "on_date"],
    ),
    table(
        "label_run",
        &[
            "numbering",
            "mode",
            "first_serial",
            "last_serial",
            "shipment_id",
        ],
    ),
    table(
        "label_given",
        &["numbering", "mode", "serial", "shipment_id"],
    ),
    table("shipment_number", &["number", "shipment_id"]),
    table("effect", &["key"]),
    table("counter", &["scope"]),
    table(
        "alert",
        &[
            "key",
            "kind",
            "partner_id",
            "subject_kind",
            "subject_id",
            "message",
            "raised_at",
        ],
    ),
    table(
        "mail",
        &["key", "recipients", "subject", "body", "created_at"],
    ),
    SealedTable {
        name: "company",
        columns: &["id"],
        only: "",
        fixed: true,
    },
    table("partner", &["code"]),
    table(
        "profile",
        &["partner_id", "version", "text", "applied_at", "applied_by"],
    ),
    table("connection", &["name"]),
    table(
        "mailbox_login",
        &[
            "connection_id",
            "kind",
            "CASE WHEN kind = 'key' THEN secret END",
            "CASE WHEN kind = 'key' THEN created_at END",
        ],
    ),
    table("item", &["company_id", "code"]),
    table(
        "item_number",
        &["company_id", "partner_id", "class", "value"],
    ),
    table(
        "price",
        &[
            "company_id",
            "item_id",
            "partner_id",
            "unit",
            "currency",
            "from_date",
        ],
    ),
    table("location", &["partner_id", "number"]),
    table("warehouse", &["company_id", "code"]),
    table("console_user", &["name", "created_at"]),
];

impl SealedTable {
    /// The table of a name.
    pub fn named(name: &str) -> Option<&'static Self> {
        SEALED.iter().find(|table| table.name == name)
    }

    /// Rows after a number and up to another, in order of number.
    fn select(&self) -> String {
        let mut sql = "SELECT id".to_owned();
        for column in self.columns {
            // Writing into a String can not fail.
            let _ = write!(sql, ", CAST({column} AS TEXT)");
        }
        let name = self.name;
        let _ = write!(sql, " FROM {name} WHERE id > $1 AND id <= $2");
        if !self.only.is_empty() {
            let _ = write!(sql, " AND {}", self.only);
        }
        let _ = write!(sql, " ORDER BY {name}.id LIMIT $3");
        sql
    }

    /// How far its numbers have been taken.
    fn taken(&self, sqlite: bool) -> String {
        let name = self.name;
        if sqlite || self.fixed {
            format!("SELECT '{name}' AS name, COALESCE(MAX(id), 0) AS taken FROM {name}")
        } else {
            format!(
                "SELECT '{name}' AS name, CASE WHEN is_called THEN last_value ELSE 0 END AS taken FROM {name}_seq"
            )
        }
    }
}

/// A row as it is sealed: its number and its columns as text.
struct SealedRow {
    id: i64,
    values: Vec<Option<String>>,
}

impl Readable for SealedRow {
    fn read(row: &Row<'_>) -> Result<Self, DriverError> {
        Ok(Self {
            id: row.at(0)?,
            values: (1..row.columns())
                .map(|column| row.at(column))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// What stands in a range of a table now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// Number of its last row; `None`: it has none.
    pub last: Option<i64>,
    /// How many rows.
    pub rows: i64,
    /// SHA-256 over the rows: of each a JSON array of its number and its sealed columns as text, and a line feed.
    pub sha256: String,
}

/// A piece of a table under a seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedPart {
    /// Which table.
    pub table: String,
    /// The number behind which it begins; 0: at the beginning.
    pub after: i64,
    /// The last number that it covers.
    pub to: i64,
    /// How many rows.
    pub rows: i64,
    /// As in [`Stretch`].
    pub sha256: String,
}

/// What a seal covers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// The pieces, none of them empty.
    pub parts: Vec<SealedPart>,
    /// The last number of each table that is sealed, by this seal or an earlier one.
    pub reach: BTreeMap<String, i64>,
}

row! {
    /// A seal.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Seal {
        /// From 1, without a gap.
        pub number: i64,
        /// When it was made.
        pub at: i64,
        /// Hash of the seal before; [`BEGINNING`] for the first.
        pub previous: String,
        /// Its own.
        pub hash: String,
        /// [`Covered`] as JSON.
        pub body: String,
    }
}

impl Seal {
    /// What its hash has to be.
    pub fn reckoned(&self) -> String {
        let Self {
            number,
            at,
            previous,
            body,
            ..
        } = self;
        hex::encode(Sha256::digest(format!(
            "supercargo seal 1\n{number}\n{at}\n{previous}\n{body}\n"
        )))
    }
}

impl Connection {
    /// The last seal.
    pub async fn last_seal(&mut self) -> Result<Option<Seal>, Failure> {
        self.row(
            "SELECT number, at, previous, hash, body FROM seal ORDER BY number DESC LIMIT 1",
            vec![],
        )
        .await
    }

    /// Seals after a number, in order.
    pub async fn seals(&mut self, after: i64, most: i64) -> Result<Vec<Seal>, Failure> {
        self.rows(
            "SELECT number, at, previous, hash, body FROM seal WHERE number > $1 ORDER BY number LIMIT $2",
            binds![after, most],
        )
        .await
    }

    /// How many seals were made.
    pub async fn seals_made(&mut self) -> Result<i64, Failure> {
        self.number(
            "SELECT value FROM counter WHERE scope = $1",
            binds![COUNTER],
        )
        .await
    }

    /// How far the numbers of each sealed table have been taken, by transactions that are committed or not.
    pub async fn numbers_taken(&mut self) -> Result<BTreeMap<String, i64>, Failure> {
        let sqlite = self.is_sqlite();
        let asked: Vec<String> = SEALED.iter().map(|table| table.taken(sqlite)).collect();
        let rows: Vec<(String, i64)> = self.rows(&asked.join(" UNION ALL "), vec![]).await?;
        Ok(rows.into_iter().collect())
    }

    /// A transaction number behind those of all transactions that have begun to write; `None` on SQLite, where one
    /// writes at a time and everything that is seen is committed.
    pub async fn horizon(&mut self) -> Result<Option<i64>, Failure> {
        if self.is_sqlite() {
            return Ok(None);
        }
        self.number("SELECT txid_current()", vec![]).await.map(Some)
    }

    /// The number of the oldest transaction that writes now.
    pub async fn oldest_open(&mut self) -> Result<i64, Failure> {
        self.number("SELECT txid_snapshot_xmin(txid_current_snapshot())", vec![])
            .await
    }

    /// Reads the rows of a table after a number and up to another, the first [`ROWS_MAX`] of them and `beyond` more.
    pub async fn stretch(
        &mut self,
        table: &SealedTable,
        after: i64,
        to: i64,
        beyond: i64,
    ) -> Result<Stretch, Failure> {
        let rows: Vec<SealedRow> = self
            .rows(&table.select(), binds![after, to, ROWS_MAX + beyond])
            .await?;
        let mut digest = Sha256::new();
        for row in &rows {
            digest.update(format!("[{}", row.id));
            for value in &row.values {
                digest.update(",");
                digest.update(serde_json::to_string(value).unwrap_or_default());
            }
            digest.update("]\n");
        }
        Ok(Stretch {
            last: rows.last().map(|row| row.id),
            rows: i64::try_from(rows.len()).unwrap_or(i64::MAX),
            sha256: hex::encode(digest.finalize()),
        })
    }

    /// Adds a seal behind the one that it names. What another sealer added in between, or a chain whose end is gone,
    /// stops it.
    pub async fn add_seal(&mut self, seal: &Seal) -> Result<(), Failure> {
        // Counting locks the counter: one seal at a time, whoever asks.
        let number = self.take_numbers(COUNTER, 1).await?;
        let before = self.last_seal().await?;
        let fits = number == seal.number
            && before.as_ref().map_or(0, |before| before.number) + 1 == number
            && before.as_ref().map_or(BEGINNING, |before| &before.hash) == seal.previous;
        if !fits {
            return Err(Failure::Corrupt {
                table: "seal",
                key: number.to_string(),
                why: format!(
                    "seal {number} is to be made and the last one that is there is {}; `supercargo prove` says what is gone",
                    before.map_or(0, |before| before.number)
                ),
            });
        }
        self.execute(
            "INSERT INTO seal (number, at, previous, hash, body) VALUES ($1, $2, $3, $4, $5)",
            binds![seal.number, seal.at, &seal.previous, &seal.hash, &seal.body],
        )
        .await?;
        Ok(())
    }

    /// Claims the sealer's lane until `until`, if nobody has it.
    pub async fn claim_sealing(
        &mut self,
        now: Instant,
        until: Instant,
    ) -> Result<Option<Lease>, Failure> {
        self.row(
            "UPDATE lane SET leased_until = $2, fence = fence + 1 WHERE id = $3 AND leased_until < $1
             RETURNING id, fence",
            binds![now, until, SEALER],
        )
        .await
    }
}
