//! What can go wrong at the door of the store.

use std::error::Error;

use super::objects::Block;
use super::row::DriverError;

/// A failure of the database or a refusal that rolls a transaction back.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The database did not do it.
    #[error("the database failed while {doing}: {source}")]
    Database {
        /// What was being done.
        doing: String,
        /// The driver's error.
        #[source]
        source: DriverError,
    },
    /// The database is not there, does not answer, or does not let us in.
    #[error("the database {location} can not be opened: {why}; {advice}")]
    NotOpened {
        /// Which, without a password.
        location: String,
        /// What the database or the system said.
        why: String,
        /// What to do.
        advice: &'static str,
    },
    /// A row that no code of ours writes.
    #[error(
        "table {table} holds a row that can not be read ({key}): {why}; `supercargo prove` checks the whole database"
    )]
    Corrupt {
        /// Which table.
        table: &'static str,
        /// Which row.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// A newer program has brought the database to its schema.
    #[error(
        "the database has schema version {found}, and this Supercargo knows versions up to {known}: a newer one was here, and an older one does not run on what it left. Nothing was changed. Run the newer version again; to go back to this one, restore the backup that was taken before the upgrade (docs/operations.md, Upgrades)"
    )]
    NewerSchema {
        /// Version of the schema that this program does not know.
        found: i64,
        /// The highest that it knows.
        known: i64,
    },
    /// The database was made by a build whose schema of the same version is another one.
    #[error(
        "schema version {version} of the database is not that of this Supercargo: it was made by a build between two releases. Nothing was changed. Run the build that made it, or begin with a new database"
    )]
    OtherSchema {
        /// Version of the schema.
        version: i64,
    },
    /// The object store did not do it.
    #[error("the object store failed while {doing}: {source}")]
    ObjectStore {
        /// What was being done.
        doing: String,
        /// What the store, or the way to it, said.
        #[source]
        source: object_store::Error,
    },
    /// An object that is gone or is another.
    #[error(
        "the object {key} in the bucket {bucket} is not what was put there: {why}; bring it back from an earlier version or a copy of the bucket"
    )]
    ObjectLost {
        /// Its key.
        key: String,
        /// In which bucket.
        bucket: String,
        /// What is wrong with it.
        why: String,
    },
    /// Bytes lie in an object store, and this node knows of none.
    #[error(
        "bytes lie in an object store under the key {key}, and this node's settings name no bucket: give it the [objects] of the nodes that received them"
    )]
    NoObjectStore {
        /// Key of the object.
        key: String,
    },
    /// A transaction needs bytes of the object store; `Store::write` fetches them and runs it once more.
    #[error("bytes of the object store are not at hand inside a transaction")]
    NotAtHand(Vec<Block>),
    /// The lease on the work was lost to another node: nothing of this transaction may take effect.
    #[error("another node took over this work; nothing was changed here")]
    LeaseLost,
    /// Somebody changed the row in between.
    #[error("{what} was changed by somebody else in between; try again")]
    Stale {
        /// What.
        what: String,
    },
    /// A typed refusal: the transaction is rolled back and the caller gets the refusal itself.
    #[error(transparent)]
    Refused(Box<dyn Error + Send + Sync>),
    /// A fault of the program broke the transaction off.
    #[error("this transaction broke off by a fault of the program; nothing of it was kept")]
    Fault,
    /// The service is stopping and takes no more writes.
    #[error("the service is stopping; nothing was written")]
    Stopping,
}

impl Failure {
    /// Wraps a typed refusal so that it travels through a transaction and rolls it back.
    pub fn refused(refusal: impl Error + Send + Sync + 'static) -> Self {
        Self::Refused(Box::new(refusal))
    }

    /// A refusal in a sentence.
    pub fn refuse(sentence: impl Into<String>) -> Self {
        Self::Refused(sentence.into().into())
    }

    /// That somebody else has changed it in between.
    pub fn stale(what: &str) -> Self {
        Self::Stale {
            what: what.to_owned(),
        }
    }

    /// Whether the same transaction may succeed when it is run again: it lost to another (40001, 40P01, busy).
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database { source, .. } => source.is_transient(),
            other => matches!(other, Self::Stale { .. }),
        }
    }

    /// Whether the connection to the database is gone.
    pub fn is_of_connection(&self) -> bool {
        matches!(self, Self::Database { source, .. } if source.is_of_connection())
    }

    /// Whether it may lie with one of several things that were done together, so that the others are worth a try by
    /// themselves; not where the database is away, or did not say how it ended.
    pub fn may_lie_with_one(&self) -> bool {
        match self {
            Self::Database { source, .. } => source.is_transient() || source.is_of_data(),
            _ => true,
        }
    }

    /// The same failure of the database for another that it was done together with.
    pub fn of_others(sentence: &str) -> Self {
        Self::Database {
            doing: "what others were done with".to_owned(),
            source: sqlx::Error::Protocol(sentence.to_owned()).into(),
        }
    }

    /// Whether this is the input's fault (exit status 1) rather than the system's (2).
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Stale { .. })
    }
}
