//! Bytes as they were received or sent, read once more: their address, and what of X12 stands in them.

use std::io::Read;

use sha2::{Digest, Sha256};
use supercargo_x12::{Event, Reader};

use super::Prover;
use crate::storage::Failure;
use crate::storage::content::{ContentAddress, ContentReader, restored};
use crate::translation::archive;

/// An interchange as it stands in the bytes.
#[derive(Debug, Default)]
pub struct Seen {
    /// Where its ISA begins.
    pub offset: i64,
    /// Sender and receiver as one word, as our counters call them.
    pub pair: String,
    /// ISA13.
    pub isa13: String,
    /// GS06 of its groups.
    pub groups: Vec<String>,
    /// Its sets, where they were asked for.
    pub sets: Vec<SeenSet>,
    /// TA1 segments.
    pub ta1s: usize,
}

/// A transaction set as it stands in the bytes.
#[derive(Debug)]
pub struct SeenSet {
    /// ST01.
    pub code: String,
    /// ST02.
    pub number: String,
    /// GS06.
    pub gs06: String,
    /// Where its ST begins.
    pub offset: i64,
    /// Its bytes up to the next segment, as they were written.
    pub size: i64,
}

/// A content, read whole.
pub struct Content {
    /// SHA-256 of the bytes that are kept.
    pub sha256: String,
    /// How many.
    pub size: i64,
    /// What stands in them.
    pub interchanges: Vec<Seen>,
}

/// Computes the address of what goes through.
struct Hashing<R> {
    source: R,
    digest: Sha256,
    size: i64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.source.read(into)?;
        self.digest.update(into.get(..n).unwrap_or_default());
        self.size += i64::try_from(n).unwrap_or_default();
        Ok(n)
    }
}

fn number(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}

fn read(source: impl Read, sets: bool) -> std::io::Result<Content> {
    let mut hashing = Hashing {
        source,
        digest: Sha256::new(),
        size: 0,
    };
    let mut interchanges: Vec<Seen> = Vec::new();
    let (mut gs06, mut line_break) = (String::new(), 0);
    // Nothing of an archive was acted upon, whatever looks like X12 in it.
    let (archive, whole) = archive::opened(&mut hashing)?;
    let mut reader = Reader::new(whole);
    while let Some(event) = reader.next()?.filter(|_| archive.is_none()) {
        match event {
            Event::InterchangeOpened(header, _) => {
                line_break = header.delimiters.after_terminator.as_bytes().len();
                interchanges.push(Seen {
                    offset: number(header.offset),
                    pair: format!(
                        "{}:{}>{}:{}",
                        header.sender_qualifier.trim(),
                        header.sender.trim(),
                        header.receiver_qualifier.trim(),
                        header.receiver.trim()
                    ),
                    isa13: header.control_number.clone(),
                    ..Seen::default()
                });
            }
            Event::Ta1(_) => {
                if let Some(seen) = interchanges.last_mut() {
                    seen.ta1s += 1;
                }
            }
            Event::GroupOpened(header) => {
                gs06.clone_from(&header.control_number);
                if let Some(seen) = interchanges.last_mut() {
                    seen.groups.push(gs06.clone());
                }
            }
            Event::Set(set) => {
                if let (Some(seen), true) = (interchanges.last_mut(), sets) {
                    seen.sets.push(SeenSet {
                        code: set.code().to_owned(),
                        number: set.control_number().to_owned(),
                        gs06: gs06.clone(),
                        offset: number(set.offset()),
                        size: number(set.length()) + i64::try_from(line_break).unwrap_or_default(),
                    });
                }
            }
            _ => {}
        }
    }
    drop(reader);
    // What the reader left unread belongs to the content all the same.
    std::io::copy(&mut hashing, &mut std::io::sink())?;
    Ok(Content {
        sha256: hex::encode(hashing.digest.finalize()),
        size: hashing.size,
        interchanges,
    })
}

/// What is said of bytes that can not be read; a store that does not answer says nothing of them.
fn unreadable(error: std::io::Error, sha256: &str) -> Result<String, Failure> {
    match error.downcast::<Failure>() {
        Ok(Failure::ObjectLost { key, bucket, why }) => Ok(format!(
            "its bytes, {sha256}, are not kept: the object {key} in the bucket {bucket} is not what was put there: {why}"
        )),
        Ok(failure) => Err(failure),
        Err(_) => Ok(format!("some of its bytes, {sha256}, are not kept")),
    }
}

impl Prover<'_> {
    /// Reads a content again: the bytes of its row and whether they are compressed, or piece by piece where they are many.
    /// The sentence says why it can not be read: some of it is missing or damaged, or its object is gone or another.
    pub(super) async fn content(
        &mut self,
        sha256: &str,
        size: i64,
        bytes: Option<(&[u8], bool)>,
        sets: bool,
    ) -> Result<Result<Content, String>, Failure> {
        let content = match bytes {
            Some((bytes, compressed)) => match restored(bytes, compressed, size) {
                Some(bytes) => read(&*bytes, sets),
                None => {
                    return Ok(Err(format!(
                        "its bytes, {sha256}, are damaged: what is kept of them does not come to {size} bytes"
                    )));
                }
            },
            None => {
                let address = ContentAddress {
                    sha256: sha256.to_owned(),
                    size,
                };
                let reader = ContentReader::new(self.history.store().clone(), &address);
                tokio::task::spawn_blocking(move || read(reader, sets))
                    .await
                    .map_err(|_| Failure::Stopping)?
            }
        };
        match content {
            Ok(content) => {
                self.proof.totals.bytes += u64::try_from(content.size).unwrap_or_default();
                Ok(Ok(content))
            }
            Err(error) => unreadable(error, sha256).map(Err),
        }
    }
}
