//! The receiving desk: what each mailbox has in the spool, over all its sessions, and the files that were closed
//! under a temporary name and wait for their rename.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::limits::Limits;
use super::port::MailboxIdentity;
use super::upload::WholeFile;

/// The time over which uploads are counted.
const MINUTE: Duration = Duration::from_secs(60);

/// A mailbox has as much on the desk as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeskFull {
    /// Too many bytes.
    #[error(
        "this mailbox has {limit} bytes of unfinished uploads, which is all that it may have; finish or delete some"
    )]
    Bytes {
        /// The limit in bytes.
        limit: u64,
    },
    /// Too many files.
    #[error(
        "this mailbox has {limit} unfinished uploads, which is all that it may have; finish or delete some"
    )]
    Files {
        /// The limit.
        limit: usize,
    },
    /// Too many within a minute.
    #[error(
        "this mailbox has begun {limit} uploads within a minute, which is all that it may; go on a little later"
    )]
    Rate {
        /// The limit.
        limit: usize,
    },
    /// Too many sessions.
    #[error("this mailbox has {limit} sessions, which is all that it may have; close some")]
    Sessions {
        /// The limit.
        limit: usize,
    },
}

/// Counts and keeps, by the connection that a mailbox belongs to.
#[derive(Debug)]
pub struct Desk {
    limits: Limits,
    mailboxes: Mutex<HashMap<i64, Mailbox>>,
}

#[derive(Debug, Default)]
struct Mailbox {
    sessions: usize,
    files: usize,
    bytes: u64,
    waiting: BTreeMap<String, Waiting>,
    begun: Vec<Instant>,
}

/// A file that waits for its rename.
#[derive(Debug)]
pub struct Waiting {
    /// The mailbox that it was uploaded to.
    pub mailbox: MailboxIdentity,
    /// The bytes.
    pub file: WholeFile,
    /// When it was last written, as a listing shows it.
    pub modified: DateTime<Utc>,
    /// Where it came from.
    pub from: std::net::SocketAddr,
    /// When it was closed.
    pub since: Instant,
}

/// Room for one file and its bytes, given back when dropped.
#[derive(Debug)]
pub struct Reservation {
    desk: Arc<Desk>,
    connection: i64,
    bytes: u64,
}

/// Room for one session, given back when dropped.
#[derive(Debug)]
pub struct Seat {
    desk: Arc<Desk>,
    connection: i64,
}

impl Desk {
    /// An empty desk.
    pub fn new(limits: Limits) -> Arc<Desk> {
        Arc::new(Desk {
            limits,
            mailboxes: Mutex::default(),
        })
    }

    /// Room for one more session of a connection.
    ///
    /// # Errors
    /// When it has as many as it may.
    pub fn seat(self: &Arc<Self>, connection: i64) -> Result<Seat, DeskFull> {
        let limit = self.limits.sessions_per_mailbox;
        let mut mailboxes = self.lock();
        let mailbox = mailboxes.entry(connection).or_default();
        if mailbox.sessions >= limit {
            return Err(DeskFull::Sessions { limit });
        }
        mailbox.sessions += 1;
        Ok(Seat {
            desk: self.clone(),
            connection,
        })
    }

    /// Room for one more file of a connection; its bytes are asked for as they come.
    ///
    /// # Errors
    /// When it has as many as it may, or began too many within a minute.
    pub fn reserve_file(
        self: &Arc<Self>,
        connection: i64,
        now: Instant,
    ) -> Result<Reservation, DeskFull> {
        let limit = self.limits.spooled_files_per_mailbox;
        let mut mailboxes = self.lock();
        let mailbox = mailboxes.entry(connection).or_default();
        if mailbox.files >= limit {
            return Err(DeskFull::Files { limit });
        }
        if mailbox.begun.len() >= self.limits.uploads_per_minute {
            mailbox.begun.retain(|&at| now.duration_since(at) < MINUTE);
        }
        if mailbox.begun.len() >= self.limits.uploads_per_minute {
            return Err(DeskFull::Rate {
                limit: self.limits.uploads_per_minute,
            });
        }
        mailbox.begun.push(now);
        mailbox.files += 1;
        Ok(Reservation {
            desk: self.clone(),
            connection,
            bytes: 0,
        })
    }

    /// Puts a file aside under its temporary name. One of the same name is replaced, and given back.
    pub fn put_aside(&self, name: String, waiting: Waiting) -> Option<Waiting> {
        let mut mailboxes = self.lock();
        let mailbox = mailboxes.entry(waiting.mailbox.connection_id).or_default();
        mailbox.waiting.insert(name, waiting)
    }

    /// Takes a waiting file off the desk.
    pub fn take(&self, connection: i64, name: &str) -> Option<Waiting> {
        self.lock().get_mut(&connection)?.waiting.remove(name)
    }

    /// Name, size and time of the files that wait.
    pub fn waiting(&self, connection: i64) -> Vec<(String, u64, DateTime<Utc>)> {
        let mailboxes = self.lock();
        let Some(mailbox) = mailboxes.get(&connection) else {
            return Vec::new();
        };
        let shown = mailbox.waiting.iter();
        shown
            .map(|(name, waiting)| (name.clone(), waiting.file.size, waiting.modified))
            .collect()
    }

    /// Takes off the desk what has waited too long, and forgets mailboxes that have nothing on it any more.
    pub fn take_expired(&self, now: Instant) -> Vec<(String, Waiting)> {
        let limit = self.limits.wait_for_rename;
        let mut expired = Vec::new();
        let mut mailboxes = self.lock();
        mailboxes.retain(|_, mailbox| {
            mailbox.begun.retain(|&at| now.duration_since(at) < MINUTE);
            mailbox.sessions > 0 || mailbox.files > 0 || !mailbox.begun.is_empty()
        });
        for mailbox in mailboxes.values_mut() {
            let over = |waiting: &Waiting| now.duration_since(waiting.since) >= limit;
            expired.extend(mailbox.waiting.extract_if(.., |_, waiting| over(waiting)));
        }
        expired
    }

    /// Takes everything off the desk.
    pub fn take_all(&self) -> Vec<(String, Waiting)> {
        let mut mailboxes = self.lock();
        mailboxes
            .values_mut()
            .flat_map(|mailbox| std::mem::take(&mut mailbox.waiting))
            .collect()
    }

    /// Gives room back, and forgets a mailbox that has nothing on the desk.
    fn release(&self, connection: i64, change: impl FnOnce(&mut Mailbox)) {
        let mut mailboxes = self.lock();
        let Some(mailbox) = mailboxes.get_mut(&connection) else {
            return;
        };
        change(mailbox);
        if mailbox.sessions == 0 && mailbox.files == 0 && mailbox.begun.is_empty() {
            mailboxes.remove(&connection);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Mailbox>> {
        // Counters stay right even if a thread died while it held them.
        self.mailboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// Asks for room for more bytes.
    ///
    /// # Errors
    /// When the mailbox has as many as it may.
    pub fn grow(&mut self, bytes: u64) -> Result<(), DeskFull> {
        let limit = self.desk.limits.spooled_bytes_per_mailbox;
        let mut mailboxes = self.desk.lock();
        let mailbox = mailboxes.entry(self.connection).or_default();
        if bytes > limit.saturating_sub(mailbox.bytes) {
            return Err(DeskFull::Bytes { limit });
        }
        mailbox.bytes += bytes;
        self.bytes += bytes;
        Ok(())
    }

    /// Gives room for bytes back.
    pub fn shrink(&mut self, bytes: u64) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.desk.release(self.connection, |mailbox| {
            mailbox.bytes = mailbox.bytes.saturating_sub(bytes)
        });
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let bytes = self.bytes;
        self.desk.release(self.connection, |mailbox| {
            mailbox.files = mailbox.files.saturating_sub(1);
            mailbox.bytes = mailbox.bytes.saturating_sub(bytes);
        });
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.desk.release(self.connection, |mailbox| {
            mailbox.sessions = mailbox.sessions.saturating_sub(1)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk() -> Arc<Desk> {
        Desk::new(Limits {
            spooled_files_per_mailbox: 2,
            spooled_bytes_per_mailbox: 100,
            sessions_per_mailbox: 1,
            uploads_per_minute: 4,
            ..Limits::default()
        })
    }

    #[test]
    fn files_and_bytes_are_counted_by_mailbox() {
        let (desk, now) = (desk(), Instant::now());
        let mut first = desk.reserve_file(1, now).expect("room");
        let mut second = desk.reserve_file(1, now).expect("room");
        assert_eq!(
            desk.reserve_file(1, now).err(),
            Some(DeskFull::Files { limit: 2 })
        );
        let mut other = desk.reserve_file(2, now).expect("another mailbox has room");
        other.grow(100).expect("room");

        first.grow(60).expect("room");
        assert_eq!(second.grow(41), Err(DeskFull::Bytes { limit: 100 }));
        second.grow(40).expect("room");
        first.shrink(10);
        second.grow(10).expect("room again");
        drop(first);
        second.grow(50).expect("room again");
        desk.reserve_file(1, now).expect("room again");
    }

    #[test]
    fn uploads_are_counted_by_the_minute() {
        let (desk, start) = (desk(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        for second in 0..4 {
            drop(desk.reserve_file(1, at(second)).expect("room"));
        }
        assert_eq!(
            desk.reserve_file(1, at(59)).err(),
            Some(DeskFull::Rate { limit: 4 })
        );
        drop(desk.reserve_file(2, at(59)).expect("another mailbox"));
        drop(desk.reserve_file(1, at(60)).expect("the first is long ago"));
        assert_eq!(
            desk.reserve_file(1, at(60)).err(),
            Some(DeskFull::Rate { limit: 4 })
        );
        assert!(desk.take_expired(at(120)).is_empty());
        assert!(desk.lock().is_empty(), "idle mailboxes are forgotten");
    }

    #[test]
    fn sessions_are_counted_and_empty_mailboxes_forgotten() {
        let desk = desk();
        let seat = desk.seat(1).expect("room");
        assert_eq!(desk.seat(1).err(), Some(DeskFull::Sessions { limit: 1 }));
        drop(seat);
        drop(desk.seat(1).expect("room again"));
        assert!(desk.lock().is_empty());
    }
}
