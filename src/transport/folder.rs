//! Folders on our own machine, for partners whose files come and go by other means.
//!
//! A file is complete when its name is no temporary one and it has not changed for a while; whoever can, writes under
//! a temporary name and renames. After the commit it moves to `processed/` or is deleted.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use super::arrival::{FetchReport, FileLeft};
use super::delivery::{Delivered, Parcel};
use super::name::{checked_name, is_temporary};
use super::port::{ArrivalPort, ArrivedFile};
use super::spool::{SpoolError, SpoolFile, SpoolFolder};

/// Where processed files go when nothing else is said: a folder of this name in the watched one.
pub const PROCESSED: &str = "processed";
/// Names that are looked at in one go; the others have their turn when these are gone.
const NAMES: usize = 10_000;
const CHUNK_BYTES: usize = 256 * 1024;

/// A folder whose files are taken in.
#[derive(Debug, Clone)]
pub struct WatchedFolder {
    /// The connection that the files belong to.
    pub connection_id: i64,
    /// The folder; made where it is missing.
    pub path: PathBuf,
    /// What becomes of a file once it is committed.
    pub after: AfterCommit,
    /// Larger files are left there.
    pub file_bytes: u64,
    /// How long a file must stay as it is to count as complete.
    pub settle: Duration,
}

/// What becomes of a committed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterCommit {
    /// It moves to this folder, which is made where it is missing.
    MoveTo(PathBuf),
    /// It is deleted.
    Delete,
}

/// A folder could not be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Reading or writing failed.
    #[error("{} cannot be read or written: {source}; check that it exists, that this user may and that its disk is not full", path.display())]
    Local {
        /// The folder or file.
        path: PathBuf,
        #[source]
        /// What the system said.
        source: io::Error,
    },
    /// Another file has the name.
    #[error("there is a file {} with other contents; nothing is overwritten. Move it away to have ours delivered", path.display())]
    NameTaken {
        /// The file.
        path: PathBuf,
    },
    /// The name is not one for a file.
    #[error("{name:?} is no name for a file: {reason}")]
    Name {
        /// As given.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The spool.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// Our own fault.
    #[error("the work on {} ended in a fault of this program: {reason}", path.display())]
    Fault {
        /// The folder.
        path: PathBuf,
        /// What is known of it.
        reason: String,
    },
}

fn local(path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Local { path, source }
}

impl WatchedFolder {
    /// Looks into the folder once and takes in what lies there complete, oldest first. A file that the port does not
    /// take stays.
    ///
    /// # Errors
    /// When the folder or the spool cannot be used.
    pub async fn fetch(
        &self,
        spool: Arc<SpoolFolder>,
        port: Arc<dyn ArrivalPort>,
    ) -> Result<FetchReport, FolderError> {
        let (folder, runtime) = (self.clone(), Handle::current());
        let looked = tokio::task::spawn_blocking(move || {
            Look {
                folder: &folder,
                spool: &spool,
                port: &port,
                runtime: &runtime,
            }
            .run()
        });
        looked.await.unwrap_or_else(|fault| {
            Err(FolderError::Fault {
                path: self.path.clone(),
                reason: fault.to_string(),
            })
        })
    }
}

struct Look<'a> {
    folder: &'a WatchedFolder,
    spool: &'a SpoolFolder,
    port: &'a Arc<dyn ArrivalPort>,
    runtime: &'a Handle,
}

struct Candidate {
    name: String,
    path: PathBuf,
    size: u64,
    modified: SystemTime,
}

impl Look<'_> {
    fn run(&self) -> Result<FetchReport, FolderError> {
        for folder in [Some(&self.folder.path), self.processed()]
            .into_iter()
            .flatten()
        {
            fs::create_dir_all(folder).map_err(local(folder))?;
        }
        let mut report = FetchReport::default();
        let mut candidates = self.list(&mut report)?;
        if candidates.is_empty() {
            return Ok(report);
        }
        std::thread::sleep(self.folder.settle);
        candidates.retain(|candidate| {
            let now = fs::symlink_metadata(&candidate.path);
            now.is_ok_and(|now| is_unchanged(candidate, &now))
        });
        candidates.sort_by(|a, b| (a.modified, &a.name).cmp(&(b.modified, &b.name)));
        for candidate in candidates {
            match self.one(&candidate) {
                Ok(()) => report.fetched.push(candidate.name),
                Err(NotFetched::Left(reason)) => report.left.push(FileLeft {
                    name: candidate.name,
                    reason,
                }),
                Err(NotFetched::Error(error @ FolderError::Spool(_))) => return Err(error),
                Err(NotFetched::Error(error)) => {
                    report.left.push(FileLeft {
                        name: candidate.name,
                        reason: error.to_string(),
                    });
                }
            }
        }
        Ok(report)
    }

    fn processed(&self) -> Option<&PathBuf> {
        match &self.folder.after {
            AfterCommit::MoveTo(folder) => Some(folder),
            AfterCommit::Delete => None,
        }
    }

    /// Files with a sound name. Links are left alone: they could lead anywhere.
    fn list(&self, report: &mut FetchReport) -> Result<Vec<Candidate>, FolderError> {
        let mut candidates = Vec::new();
        let entries = fs::read_dir(&self.folder.path).map_err(local(&self.folder.path))?;
        for entry in entries.take(NAMES) {
            let entry = entry.map_err(local(&self.folder.path))?;
            let Ok(metadata) = fs::symlink_metadata(entry.path()) else {
                continue; // gone again
            };
            if metadata.is_dir() {
                continue;
            }
            let shown = entry.file_name();
            let sound = shown
                .to_str()
                .ok_or_else(|| "its name is not UTF-8".to_owned());
            let sound =
                sound.and_then(|name| checked_name(name).map_err(|refused| refused.to_string()));
            match sound {
                Ok(name) if is_temporary(&name) => {}
                Ok(name) if metadata.is_file() => candidates.push(Candidate {
                    name,
                    path: entry.path(),
                    size: metadata.len(),
                    modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                }),
                Ok(name) => report.left.push(FileLeft {
                    name,
                    reason: "it is not a plain file".to_owned(),
                }),
                Err(reason) => {
                    report.left.push(FileLeft {
                        name: shown.to_string_lossy().into_owned(),
                        reason,
                    });
                }
            }
        }
        Ok(candidates)
    }

    fn one(&self, candidate: &Candidate) -> Result<(), NotFetched> {
        if candidate.size > self.folder.file_bytes {
            let limit = self.folder.file_bytes;
            return Err(NotFetched::Left(format!(
                "it is larger than the {limit} bytes that we take"
            )));
        }
        let (spooled, sha256) = self.copy(candidate)?;
        let file = ArrivedFile {
            connection_id: self.folder.connection_id,
            name: &candidate.name,
            origin: &candidate.path.to_string_lossy(),
            spooled: spooled.path(),
            size: candidate.size,
            sha256,
            modified: Some(DateTime::<Utc>::from(candidate.modified)),
        };
        let taken = self.runtime.block_on(self.port.receive(file));
        taken.map_err(|error| NotFetched::Left(format!("it was not taken: {error}")))?;
        Ok(self.clear_away(candidate, &sha256)?)
    }

    /// A copy that nobody changes any more.
    fn copy(&self, candidate: &Candidate) -> Result<(SpoolFile, [u8; 32]), NotFetched> {
        let mut source = File::open(&candidate.path).map_err(local(&candidate.path))?;
        let opened = source.metadata().map_err(local(&candidate.path))?;
        if !opened.is_file() || !is_unchanged(candidate, &opened) {
            return Err(NotFetched::Left("it changed while it was read".to_owned()));
        }
        let spooled = self.spool.new_file().map_err(FolderError::from)?;
        let (mut hash, mut copied, mut chunk) = (Sha256::new(), 0, vec![0; CHUNK_BYTES]);
        while copied <= candidate.size {
            let read = source.read(&mut chunk).map_err(local(&candidate.path))?;
            if read == 0 {
                break;
            }
            copied += read as u64;
            hash.update(&chunk[..read]);
            let mut target = spooled.file();
            target
                .write_all(&chunk[..read])
                .map_err(local(spooled.path()))?;
        }
        let after = source.metadata().map_err(local(&candidate.path))?;
        if copied != candidate.size || !is_unchanged(candidate, &after) {
            return Err(NotFetched::Left("it changed while it was read".to_owned()));
        }
        Ok((spooled, hash.finalize().into()))
    }

    fn clear_away(&self, candidate: &Candidate, sha256: &[u8; 32]) -> Result<(), FolderError> {
        let source = &candidate.path;
        let Some(processed) = self.processed() else {
            return fs::remove_file(source).map_err(local(source));
        };
        let mut target = processed.join(&candidate.name);
        if target.symlink_metadata().is_ok() {
            // Names return; what was processed stays.
            target = processed.join(format!("{}.{}", candidate.name, hex::encode(&sha256[..6])));
            if target.symlink_metadata().is_ok() {
                // The same bytes under the same name are there already.
                return fs::remove_file(source).map_err(local(source));
            }
        }
        fs::rename(source, &target).map_err(local(&target))
    }
}

fn is_unchanged(candidate: &Candidate, now: &Metadata) -> bool {
    now.len() == candidate.size && now.modified().is_ok_and(|at| at == candidate.modified)
}

enum NotFetched {
    Left(String),
    Error(FolderError),
}

impl From<FolderError> for NotFetched {
    fn from(error: FolderError) -> NotFetched {
        NotFetched::Error(error)
    }
}

/// Delivers a file into a folder, which is made where it is missing: written under a temporary name, synced, renamed,
/// synced. Never overwrites; safe to repeat after any error.
///
/// # Errors
/// When the folder cannot be used, or another file has the name.
pub async fn deliver(folder: &Path, parcel: Parcel) -> Result<Delivered, FolderError> {
    let path = folder.to_owned();
    let delivered = tokio::task::spawn_blocking(move || lay_into(&path, &parcel));
    delivered.await.unwrap_or_else(|fault| {
        Err(FolderError::Fault {
            path: folder.to_owned(),
            reason: fault.to_string(),
        })
    })
}

fn lay_into(folder: &Path, parcel: &Parcel) -> Result<Delivered, FolderError> {
    checked_name(&parcel.name).map_err(|refused| FolderError::Name {
        name: parcel.name.clone(),
        reason: refused.to_string(),
    })?;
    fs::create_dir_all(folder).map_err(local(folder))?;
    let path = folder.join(&parcel.name);
    let draft = folder.join(format!(".{}.tmp", parcel.name));
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o660)
            .open(&draft)?;
        file.write_all(&parcel.bytes)?;
        file.sync_all()
    })();
    written.map_err(local(&draft))?;
    // A link, unlike a rename, never replaces what is there.
    let named = fs::hard_link(&draft, &path);
    let removed = fs::remove_file(&draft);
    match named {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let there = fs::read(&path).map_err(local(&path))?;
            return if *there == *parcel.bytes {
                Ok(Delivered::Before)
            } else {
                Err(FolderError::NameTaken { path })
            };
        }
        Err(error) => return Err(local(&path)(error)),
    }
    removed.map_err(local(&draft))?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(local(folder))?;
    Ok(Delivered::Now)
}
