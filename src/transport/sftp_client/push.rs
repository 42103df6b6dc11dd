//! Pushing: a file goes up under a temporary name and gets its own when it is whole. Nothing is ever overwritten.

use std::io::{Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use ssh2::{OpenFlags, OpenType};

use super::PartnerServer;
use super::error::PartnerServerError;
use super::fetch::join;
use super::line::{Line, is_denied};
use crate::transport::delivery::{Delivered, Parcel};
use crate::waypoint;

const CHUNK_BYTES: usize = 256 * 1024;
/// Readable and writable for the partner's account and its group.
const MODE: i32 = 0o660;

/// Delivers a file. Blocks.
pub(super) fn push(
    server: &PartnerServer,
    folder: &str,
    parcel: &Parcel,
) -> Result<Delivered, PartnerServerError> {
    let line = Line::open(server)?;
    let path = join(folder, &parcel.name);
    if let Some(there) = line.stat(&path)? {
        return compare(&line, &path, there.size.unwrap_or(0), parcel);
    }
    let temporary = format!("{path}{}", server.temporary_suffix);
    write(&line, folder, &temporary, parcel)?;
    waypoint::pass("push", "written under its temporary name");
    let renamed = line
        .sftp
        .rename(Path::new(&temporary), Path::new(&path), None);
    if let Err(error) = renamed {
        // A server refuses a name that was taken in between; others may refuse renaming at all.
        if let Some(there) = line.stat(&path)? {
            return compare(&line, &path, there.size.unwrap_or(0), parcel);
        }
        return Err(line.explain(&error, format!("renaming {temporary} to {path}")));
    }
    waypoint::pass("push", "renamed");
    Ok(Delivered::Now)
}

/// Is what lies there ours?
fn compare(
    line: &Line,
    path: &str,
    size: u64,
    parcel: &Parcel,
) -> Result<Delivered, PartnerServerError> {
    let taken = || PartnerServerError::NameTaken {
        server: line.server().name(),
        path: path.to_owned(),
    };
    if size != parcel.bytes.len() as u64 {
        return Err(taken());
    }
    let mut remote = match line.sftp.open(Path::new(path)) {
        Ok(remote) => remote,
        Err(error) if is_denied(&error) => return Ok(Delivered::BeforeBySize),
        Err(error) => return Err(line.explain(&error, format!("reading {path}"))),
    };
    let (mut hash, mut read_in_all, mut chunk) = (Sha256::new(), 0, vec![0; CHUNK_BYTES]);
    while read_in_all <= size {
        let read = remote.read(&mut chunk);
        let read = read.map_err(|error| line.explain_io(error, format!("reading {path}")))?;
        if read == 0 {
            break;
        }
        read_in_all += read as u64;
        hash.update(&chunk[..read]);
    }
    let ours: [u8; 32] = Sha256::digest(&parcel.bytes).into();
    if <[u8; 32]>::from(hash.finalize()) == ours {
        Ok(Delivered::Before)
    } else {
        Err(taken())
    }
}

/// Writes the temporary file anew, whatever an earlier attempt left of it, and sees that it is all there.
fn write(line: &Line, folder: &str, path: &str, parcel: &Parcel) -> Result<(), PartnerServerError> {
    let doing = || format!("writing {path}");
    let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let opened = line
        .sftp
        .open_mode(Path::new(path), flags, MODE, OpenType::File);
    let mut remote = opened.map_err(|error| line.explain_folder(&error, folder, doing()))?;
    for chunk in parcel.bytes.chunks(CHUNK_BYTES) {
        remote
            .write_all(chunk)
            .map_err(|error| line.explain_io(error, doing()))?;
    }
    remote
        .close()
        .map_err(|error| line.explain(&error, doing()))?;
    let there = line.stat(path)?.and_then(|stat| stat.size).unwrap_or(0);
    let sent = parcel.bytes.len() as u64;
    if there != sent {
        return Err(PartnerServerError::Short {
            server: line.server().name(),
            path: path.to_owned(),
            there,
            sent,
        });
    }
    Ok(())
}
