//! One gateway serves a data folder. It holds a lock on a file in it, which ends with the process however that ends.

use std::fs::{File, TryLockError};
use std::path::Path;

/// The file's name in the data folder. It stays there; the lock on it counts.
pub const FILE: &str = "serve.lock";

/// Takes a data folder for as long as the file is kept open; none: another gateway serves it.
///
/// # Errors
/// Where the folder takes no files or knows no locks.
pub fn occupy(data: &Path) -> std::io::Result<Option<File>> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(data.join(FILE))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether a gateway serves a data folder at this moment.
pub fn is_occupied(data: &Path) -> bool {
    File::open(data.join(FILE))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}
