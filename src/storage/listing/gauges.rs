//! What a monitor watches: what waits in each step and how long, what lies in mailboxes, what is in trouble. Every count is
//! answered by an index over what is open, however much is done.

use crate::binds;
use crate::domain::clock::Instant;
use crate::storage::connection::Connection;
use crate::storage::failure::Failure;

row! {
    /// Work of one step that is due.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Backlog {
        /// The step.
        pub step: String,
        /// Pieces that are due.
        pub due: i64,
        /// Those of them that failed before.
        pub failing: i64,
        /// Since when the oldest has been due, microseconds since 1970.
        pub oldest: i64,
    }
}

row! {
    /// Files that lie in a partner's mailbox and nobody has fetched.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Lying {
        /// The mailbox, or the connection over which they go.
        pub connection: String,
        /// `delivered`: they lie in a mailbox; `queued` or `uncertain`: they are still to be pushed.
        pub state: String,
        /// How many.
        pub files: i64,
    }
}

row! {
    /// Open alerts of a kind.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Alerts {
        /// The kind.
        pub kind: String,
        /// How many are not cleared.
        pub open: i64,
    }
}

/// Work that is due, by step.
pub async fn backlog(connection: &mut Connection, now: Instant) -> Result<Vec<Backlog>, Failure> {
    connection
        .rows(
            "SELECT step, COUNT(*) AS due, CAST(SUM(CASE WHEN attempts > 0 THEN 1 ELSE 0 END) AS BIGINT) AS failing,
             MIN(due_at) AS oldest FROM work WHERE due_at <= $1 GROUP BY step ORDER BY step",
            binds![now],
        )
        .await
}

/// What is on its way to partners, by connection.
pub async fn lying(connection: &mut Connection) -> Result<Vec<Lying>, Failure> {
    connection
        .rows(
            "SELECT c.name AS connection, t.state, COUNT(*) AS files FROM connection c CROSS JOIN transmission t
             WHERE t.connection_id = c.id AND t.state IN ('delivered', 'queued', 'uncertain')
             GROUP BY c.name, t.state ORDER BY c.name, t.state",
            binds![],
        )
        .await
}

/// Alerts that are not cleared, by kind.
pub async fn alerts(connection: &mut Connection) -> Result<Vec<Alerts>, Failure> {
    connection
        .rows(
            "SELECT kind, COUNT(*) AS open FROM alert WHERE cleared_at IS NULL GROUP BY kind ORDER BY kind",
            binds![],
        )
        .await
}
