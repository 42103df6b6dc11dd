//! Fetching: what lies whole in the partner's folder comes here, is committed, and only then goes from there.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use ssh2::FileStat;
use tokio::runtime::Handle;

use super::error::PartnerServerError;
use super::line::Line;
use super::{FetchOrder, PartnerServer};
use crate::config::profile::connection::AfterFetch;
use crate::transport::arrival::{FetchReport, FileLeft};
use crate::transport::name::{checked_name, is_temporary, matches_any};
use crate::transport::port::{ArrivalPort, ArrivedFile};
use crate::transport::spool::{SpoolFile, SpoolFolder};
use crate::waypoint;

/// Names of a folder that are looked at in one go; the others have their turn when these are gone.
const NAMES: usize = 10_000;
const CHUNK_BYTES: usize = 256 * 1024;

struct Candidate {
    name: String,
    size: u64,
    modified: u64,
}

/// One look. Blocks; `runtime` runs the port.
pub(super) fn fetch(
    server: &PartnerServer,
    order: &FetchOrder,
    spool: &Arc<SpoolFolder>,
    port: &Arc<dyn ArrivalPort>,
    runtime: &Handle,
) -> Result<FetchReport, PartnerServerError> {
    let line = Line::open(server)?;
    let mut report = FetchReport::default();
    let candidates = complete_files(&line, order, &mut report)?;
    for candidate in candidates {
        let fetching = Fetching {
            line: &line,
            order,
            spool,
            port,
            runtime,
        };
        match fetching.one(&candidate) {
            Ok(()) => report.fetched.push(candidate.name),
            Err(NotFetched::Left(reason)) => report.left.push(FileLeft {
                name: candidate.name,
                reason,
            }),
            Err(NotFetched::Error(error)) if error.ends_the_line() => return Err(error),
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

/// Files with a sound, matching name that do not grow, oldest first.
fn complete_files(
    line: &Line,
    order: &FetchOrder,
    report: &mut FetchReport,
) -> Result<Vec<Candidate>, PartnerServerError> {
    let mut candidates = list(line, order, report)?;
    if candidates.is_empty() {
        return Ok(candidates);
    }
    std::thread::sleep(order.settle);
    let mut complete = Vec::new();
    for candidate in candidates.drain(..) {
        let path = join(&order.from, &candidate.name);
        let unchanged = |stat: &FileStat| {
            stat.size == Some(candidate.size) && stat.mtime.unwrap_or(0) == candidate.modified
        };
        if line.stat(&path)?.is_some_and(|stat| unchanged(&stat)) {
            complete.push(candidate);
        }
    }
    complete.sort_by(|a, b| (a.modified, &a.name).cmp(&(b.modified, &b.name)));
    Ok(complete)
}

fn list(
    line: &Line,
    order: &FetchOrder,
    report: &mut FetchReport,
) -> Result<Vec<Candidate>, PartnerServerError> {
    let doing = || format!("listing {}", order.from);
    let opened = line.sftp.opendir(Path::new(&order.from));
    let mut folder = opened.map_err(|error| line.explain_folder(&error, &order.from, doing()))?;
    let mut candidates = Vec::new();
    for _ in 0..NAMES {
        let (name, stat) = match folder.readdir() {
            Ok(found) => found,
            // libssh2 says at the end that there is no such file.
            Err(error) if error.code() == ssh2::ErrorCode::Session(-16) => break,
            Err(error) => return Err(line.explain(&error, doing())),
        };
        if stat.is_dir() {
            continue;
        }
        let shown = name.to_string_lossy().into_owned();
        let sound = name.to_str().ok_or("its name is not UTF-8".to_owned());
        let sound =
            sound.and_then(|name| checked_name(name).map_err(|refused| refused.to_string()));
        match sound {
            Ok(name) if is_temporary(&name) || !matches_any(&order.names, &name) => {}
            Ok(name) => candidates.push(Candidate {
                name,
                size: stat.size.unwrap_or(0),
                modified: stat.mtime.unwrap_or(0),
            }),
            Err(reason) => report.left.push(FileLeft {
                name: shown,
                reason,
            }),
        }
    }
    Ok(candidates)
}

enum NotFetched {
    Left(String),
    Error(PartnerServerError),
}

impl From<PartnerServerError> for NotFetched {
    fn from(error: PartnerServerError) -> NotFetched {
        NotFetched::Error(error)
    }
}

struct Fetching<'a> {
    line: &'a Line,
    order: &'a FetchOrder,
    spool: &'a SpoolFolder,
    port: &'a Arc<dyn ArrivalPort>,
    runtime: &'a Handle,
}

impl Fetching<'_> {
    fn one(&self, candidate: &Candidate) -> Result<(), NotFetched> {
        let path = join(&self.order.from, &candidate.name);
        if candidate.size > self.order.file_bytes {
            let limit = self.order.file_bytes;
            return Err(NotFetched::Left(format!(
                "it is larger than the {limit} bytes that we take"
            )));
        }
        let (spooled, sha256) = self.copy(&path, candidate.size)?;
        waypoint::pass("poll", "copied");
        let server = self.line.server();
        let origin = format!("sftp://{}/{}", server.name(), path.trim_start_matches('/'));
        let seconds = i64::try_from(candidate.modified).unwrap_or(0);
        let file = ArrivedFile {
            connection_id: self.order.connection_id,
            name: &candidate.name,
            origin: &origin,
            spooled: spooled.path(),
            size: candidate.size,
            sha256,
            modified: DateTime::<Utc>::from_timestamp(seconds, 0),
        };
        let taken = self.runtime.block_on(self.port.receive(file));
        taken.map_err(|error| NotFetched::Left(format!("it was not taken: {error}")))?;
        waypoint::pass("poll", "received, not cleared away");
        self.clear_away(&path, &candidate.name, &sha256)?;
        waypoint::pass("poll", "cleared away");
        Ok(())
    }

    /// Copies a file into the spool. One that grew meanwhile is left for the next look.
    fn copy(&self, path: &str, size: u64) -> Result<(SpoolFile, [u8; 32]), NotFetched> {
        let doing = || format!("reading {path}");
        let opened = self.line.sftp.open(Path::new(path));
        let mut remote = opened.map_err(|error| self.line.explain(&error, doing()))?;
        let spooled = self.spool.new_file().map_err(PartnerServerError::from)?;
        let local = |source| PartnerServerError::Local {
            path: spooled.path().to_owned(),
            source,
        };
        let (mut hash, mut copied, mut chunk) = (Sha256::new(), 0, vec![0; CHUNK_BYTES]);
        loop {
            let read = remote
                .read(&mut chunk)
                .map_err(|error| self.line.explain_io(error, doing()))?;
            if read == 0 {
                break;
            }
            copied += read as u64;
            if copied > size {
                break;
            }
            hash.update(&chunk[..read]);
            spooled.file().write_all(&chunk[..read]).map_err(local)?;
        }
        if copied != size {
            return Err(NotFetched::Left("it changed while it was read".to_owned()));
        }
        Ok((spooled, hash.finalize().into()))
    }

    fn clear_away(
        &self,
        path: &str,
        name: &str,
        sha256: &[u8; 32],
    ) -> Result<(), PartnerServerError> {
        if self.order.after == AfterFetch::Delete {
            let deleted = self.line.sftp.unlink(Path::new(path));
            return deleted.map_err(|error| self.line.explain(&error, format!("deleting {path}")));
        }
        let mut target = join(&self.order.archive_to, name);
        if self.line.stat(&target)?.is_some() {
            // Names return; what is archived stays.
            target = format!("{target}.{}", hex::encode(&sha256[..6]));
            if self.line.stat(&target)?.is_some() {
                // The same bytes under the same name are there already.
                let deleted = self.line.sftp.unlink(Path::new(path));
                return deleted
                    .map_err(|error| self.line.explain(&error, format!("deleting {path}")));
            }
        }
        let moved = self
            .line
            .sftp
            .rename(Path::new(path), Path::new(&target), None);
        moved.map_err(|error| {
            let doing = format!("moving {path} to {target}");
            self.line
                .explain_folder(&error, &self.order.archive_to, doing)
        })
    }
}

/// How long a file must stay as it is before it counts as complete.
pub const SETTLE: Duration = Duration::from_secs(2);

/// A name in a folder of the partner's; `.` and the empty name are the folder that a login begins in.
pub(super) fn join(folder: &str, name: &str) -> String {
    match folder.trim_end_matches('/') {
        "" if folder.starts_with('/') => format!("/{name}"),
        "" | "." => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_folders() {
        for (folder, expected) in [
            ("/out", "/out/a"),
            ("out/", "out/a"),
            ("/", "/a"),
            (".", "a"),
            ("", "a"),
            ("/a b/c", "/a b/c/a"),
        ] {
            assert_eq!(join(folder, "a"), expected, "{folder:?}");
        }
    }
}
