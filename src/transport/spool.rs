//! The local folder in which bytes gather until the database has them.
//!
//! Nothing in it outlives its use: each running process has a folder of its own below the spool's root, held by a
//! lock, and folders whose process is gone are swept when the next one opens.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use uuid::Uuid;

const LOCK_NAME: &str = "in-use";

/// The spool could not be opened or written.
#[derive(Debug, thiserror::Error)]
#[error("the spool folder {} cannot be used: {source}; check that it exists, that this user may write it and that its disk is not full", path.display())]
pub struct SpoolError {
    /// The folder or file in question.
    pub path: PathBuf,
    #[source]
    source: io::Error,
}

impl SpoolError {
    fn at(path: &Path) -> impl FnOnce(io::Error) -> SpoolError {
        let path = path.to_owned();
        move |source| SpoolError { path, source }
    }
}

/// One process's part of the spool; emptied and removed when dropped.
#[derive(Debug)]
pub struct SpoolFolder {
    path: PathBuf,
    // Held as long as this process lives, so that another one does not sweep the folder.
    _lock: File,
}

impl SpoolFolder {
    /// Opens a part of its own below `root` (made where it is missing, mode 0700) and sweeps the parts that dead
    /// processes left.
    ///
    /// # Errors
    /// When a folder or the lock cannot be made.
    pub fn open(root: &Path) -> Result<SpoolFolder, SpoolError> {
        private_folder(root)?;
        sweep(root);
        loop {
            let path = root.join(Uuid::new_v4().simple().to_string());
            private_folder(&path)?;
            let lock_path = path.join(LOCK_NAME);
            let lock = private_file(&lock_path)?;
            lock.lock().map_err(SpoolError::at(&lock_path))?;
            // Another process that opens its part at this moment may have swept ours before it was locked.
            if lock_path.exists() {
                return Ok(SpoolFolder { path, _lock: lock });
            }
        }
    }

    /// Makes an empty file under a name that nobody can guess.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn new_file(&self) -> Result<SpoolFile, SpoolError> {
        let path = self.path.join(Uuid::new_v4().simple().to_string());
        let file = private_file(&path)?;
        Ok(SpoolFile { path, file })
    }
}

impl Drop for SpoolFolder {
    fn drop(&mut self) {
        // A folder that stays behind is swept by the next process.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A file in the spool, removed when dropped. Who takes the bytes may move the file away before.
#[derive(Debug)]
pub struct SpoolFile {
    path: PathBuf,
    file: File,
}

impl SpoolFile {
    /// Where the bytes lie.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Open for reading and writing.
    pub fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for SpoolFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn private_folder(path: &Path) -> Result<(), SpoolError> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path);
    made.map_err(SpoolError::at(path))
}

fn private_file(path: &Path) -> Result<File, SpoolError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    options.open(path).map_err(SpoolError::at(path))
}

/// Removes the parts whose lock nobody holds. What cannot be looked at or removed is left for another time.
fn sweep(root: &Path) {
    let Ok(parts) = fs::read_dir(root) else {
        return;
    };
    for part in parts.flatten() {
        // Only folders with our lock file in them are ours to remove.
        let Ok(lock) = File::open(part.path().join(LOCK_NAME)) else {
            continue;
        };
        match lock.try_lock() {
            Ok(()) => {
                if let Err(error) = fs::remove_dir_all(part.path()) {
                    tracing::warn!(folder = %part.path().display(), %error, "an old spool folder could not be removed");
                }
            }
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_go_with_their_value_and_folders_with_their_process() {
        let root = tempfile::tempdir().expect("a folder");
        let spool = SpoolFolder::open(root.path()).expect("opens");
        let file = spool.new_file().expect("makes a file");
        let path = file.path().to_owned();
        assert!(path.exists());
        drop(file);
        assert!(!path.exists());
        drop(spool);
        assert_eq!(fs::read_dir(root.path()).expect("lists").count(), 0);
    }

    #[test]
    fn only_the_dead_are_swept() {
        let root = tempfile::tempdir().expect("a folder");
        let living = SpoolFolder::open(root.path()).expect("opens");
        let kept = living.new_file().expect("makes a file");
        let dead = root.path().join("dead");
        fs::create_dir(&dead).expect("makes");
        fs::write(dead.join(LOCK_NAME), "").expect("writes");
        fs::write(dead.join("half-an-upload"), "ISA*00").expect("writes");
        let foreign = root.path().join("not-ours");
        fs::create_dir(&foreign).expect("makes");

        let _next = SpoolFolder::open(root.path()).expect("opens");

        assert!(kept.path().exists());
        assert!(!dead.exists());
        assert!(foreign.exists());
    }
}
