//! What every way of receiving needs from the rest of the house. The service fills it.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use chrono::{DateTime, Utc};

/// What a method of a port returns.
pub type PortFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Takes in the files that we fetch ourselves, from partners' servers and from folders.
pub trait ArrivalPort: Send + Sync + 'static {
    /// Commits a whole file. Only when this says yes is the file moved or deleted where it came from.
    ///
    /// Called again with the same connection, name, size, time and hash when that last step failed; such a file is in
    /// the house already, and the answer is yes without another effect.
    fn receive<'a>(&'a self, file: ArrivedFile<'a>) -> PortFuture<'a, Result<(), NotTaken>>;
}

/// A file that lies whole in the spool.
#[derive(Debug, Clone, Copy)]
pub struct ArrivedFile<'a> {
    /// The connection (in the sense of "who is who") over which it came.
    pub connection_id: i64,
    /// Its name, without its folder; checked by the rules for names.
    pub name: &'a str,
    /// Where it came from, for people: `sftp://host/folder/name` or a path.
    pub origin: &'a str,
    /// Where the bytes lie; written, not synced to disk. May be moved away.
    pub spooled: &'a Path,
    /// How many bytes.
    pub size: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
    /// When it was last changed where it came from.
    pub modified: Option<DateTime<Utc>>,
}

/// The house cannot answer now; it may at another try.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unavailable {
    /// For our own log; a partner learns that we are out of order, not why.
    pub reason: String,
}

/// A file was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It never will be.
    #[error("{reason}")]
    Refused {
        /// One sentence that a partner may read.
        reason: String,
    },
    /// It may be at another try.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
