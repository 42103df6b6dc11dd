//! What `prove` reads: the whole history, in slices, each slice as it stood at one moment.
//!
//! On SQLite each slice is a short read of its own, so that the log is never held back for long; on PostgreSQL one
//! snapshot serves the whole proof. Whatever is compared with one another is read in one slice.

pub mod money;
pub mod orders;
pub mod partners;
pub mod received;
pub mod sent;
pub mod stock;

use futures::future::BoxFuture;

use super::connection::Connection;
use super::failure::Failure;
use super::store::Store;

/// The history of a database, read in slices.
pub struct History {
    store: Store,
    /// PostgreSQL: the connection whose transaction is the snapshot.
    held: Option<Connection>,
}

impl History {
    /// Begins to read.
    pub async fn open(store: &Store) -> Result<Self, Failure> {
        let mut connection = store.read().await?;
        let held = if connection.is_sqlite() {
            None
        } else {
            connection
                .execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", vec![])
                .await?;
            Some(connection)
        };
        Ok(Self {
            store: store.clone(),
            held,
        })
    }

    /// Reads one slice: all that `read` sees stood so at one moment.
    pub async fn slice<T, F>(&mut self, read: F) -> Result<T, Failure>
    where
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, Failure>>,
    {
        if let Some(connection) = &mut self.held {
            return read(connection).await;
        }
        let mut connection = self.store.read().await?;
        connection.execute("BEGIN", vec![]).await?;
        let outcome = read(&mut connection).await;
        connection.execute("ROLLBACK", vec![]).await?;
        outcome
    }

    /// Ends the reading.
    pub async fn close(self) -> Result<(), Failure> {
        if let Some(mut connection) = self.held {
            connection.execute("ROLLBACK", vec![]).await?;
        }
        Ok(())
    }

    /// The store that is read, for what streams large contents on a thread of its own.
    pub fn store(&self) -> &Store {
        &self.store
    }
}
