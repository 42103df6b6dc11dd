//! One file on its way in: bytes at any offset, gathered in the spool, whole or not at all.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::desk::{DeskFull, Reservation};
use crate::transport::spool::SpoolFile;

/// Bytes that are gathered before they go to disk.
const BUFFER_BYTES: usize = 256 * 1024;
/// Parts with gaps between them that one upload may have at once. Clients that send in parallel leave a few.
const PARTS: usize = 1_024;

/// Why an upload cannot become a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UploadFault {
    /// Larger than [`Limits::file_bytes`](super::Limits::file_bytes).
    #[error("the file is larger than the {limit} bytes that this mailbox takes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The mailbox's share of the spool is used up.
    #[error(transparent)]
    DeskFull(#[from] DeskFull),
    /// Written in more scattered parts than are kept track of.
    #[error(
        "the file comes in more than {PARTS} scattered parts; send it from its beginning to its end"
    )]
    Scattered,
    /// Closed before all of it had come.
    #[error(
        "{missing} of {size} bytes never came, the first of them at offset {first}; send the file again"
    )]
    Incomplete {
        /// The length as far as it is known.
        size: u64,
        /// How many bytes are missing.
        missing: u64,
        /// Where the first gap is.
        first: u64,
    },
    /// The spool could not be written.
    #[error("the server could not store the file ({0}); send it again later")]
    Spool(String),
}

/// An upload under way.
#[derive(Debug)]
pub struct Upload {
    /// Names this upload towards the house.
    pub id: Uuid,
    spool: Arc<SpoolFile>,
    reservation: Reservation,
    limit: u64,
    length: u64,
    written: Coverage,
    buffer: Vec<u8>,
    buffer_at: u64,
    // As long as everything came in order; otherwise the file is read again at the end.
    running_hash: Option<Sha256>,
    fault: Option<UploadFault>,
}

/// A whole file in the spool.
#[derive(Debug)]
pub struct WholeFile {
    /// Names this upload towards the house.
    pub id: Uuid,
    /// Where the bytes lie.
    pub spool: Arc<SpoolFile>,
    /// How many.
    pub size: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
    reservation: Reservation,
}

impl Upload {
    /// Begins an upload of at most `limit` bytes into `spool`.
    pub fn new(spool: SpoolFile, reservation: Reservation, limit: u64) -> Upload {
        Upload {
            id: Uuid::new_v4(),
            spool: Arc::new(spool),
            reservation,
            limit,
            length: 0,
            written: Coverage::default(),
            buffer: Vec::new(),
            buffer_at: 0,
            running_hash: Some(Sha256::new()),
            fault: None,
        }
    }

    /// Goes on with a file that was whole before, to add to it. It becomes another upload.
    pub fn resume(file: WholeFile, limit: u64) -> Upload {
        let mut upload = Upload {
            id: Uuid::new_v4(),
            spool: file.spool,
            reservation: file.reservation,
            limit,
            length: file.size,
            written: Coverage::default(),
            buffer: Vec::new(),
            buffer_at: 0,
            running_hash: None,
            fault: None,
        };
        upload.written.add(0, file.size);
        upload
    }

    /// Bytes that have come.
    pub fn received(&self) -> u64 {
        self.written.total()
    }

    /// When it was last written, as far as the disk knows.
    pub fn modified(&self) -> DateTime<Utc> {
        let modified = self
            .spool
            .file()
            .metadata()
            .and_then(|metadata| metadata.modified());
        modified.map_or(DateTime::UNIX_EPOCH, DateTime::from)
    }

    /// The length so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Takes bytes at an offset. The first fault sticks: all later writes and the end of the upload fail with it, so
    /// that a client which goes on regardless cannot hand over a file with a hole in it.
    ///
    /// # Errors
    /// Past a limit, or when the spool cannot be written.
    pub async fn write(&mut self, offset: u64, data: &[u8]) -> Result<(), UploadFault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let taken = self.take(offset, data).await;
        self.remember(taken)
    }

    /// Sets the length, as clients do that announce it beforehand; what was not written by the end is missing.
    ///
    /// # Errors
    /// Past a limit, or when the spool cannot be written.
    pub async fn set_length(&mut self, length: u64) -> Result<(), UploadFault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let set = self.cut_or_extend(length).await;
        self.remember(set)
    }

    fn remember(&mut self, outcome: Result<(), UploadFault>) -> Result<(), UploadFault> {
        if let Err(fault) = &outcome {
            self.fault = Some(fault.clone());
        }
        outcome
    }

    async fn take(&mut self, offset: u64, data: &[u8]) -> Result<(), UploadFault> {
        let end = offset
            .checked_add(data.len() as u64)
            .filter(|&end| end <= self.limit);
        let Some(end) = end else {
            return Err(UploadFault::TooLarge { limit: self.limit });
        };
        if data.is_empty() {
            return Ok(());
        }
        let new = self.written.add(offset, end);
        if self.written.parts() > PARTS {
            return Err(UploadFault::Scattered);
        }
        self.reservation.grow(new)?;
        self.length = self.length.max(end);
        if offset != self.buffer_at + self.buffer.len() as u64 {
            self.flush().await?;
            if offset != self.buffer_at {
                self.running_hash = None;
                self.buffer_at = offset;
            }
        }
        self.buffer.extend_from_slice(data);
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    async fn cut_or_extend(&mut self, length: u64) -> Result<(), UploadFault> {
        if length > self.limit {
            return Err(UploadFault::TooLarge { limit: self.limit });
        }
        self.flush().await?;
        if length < self.length {
            self.running_hash = None;
            let gone = self.written.cut(length);
            self.reservation.shrink(gone);
            let spool = self.spool.clone();
            on_disk(move || spool.file().set_len(length)).await?;
        }
        self.length = length;
        Ok(())
    }

    /// Brings what is gathered to disk.
    async fn flush(&mut self) -> Result<(), UploadFault> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let (spool, at) = (self.spool.clone(), self.buffer_at);
        let bytes = std::mem::take(&mut self.buffer);
        let mut hash = self.running_hash.take();
        let (mut bytes, hash) = on_disk(move || {
            spool.file().write_all_at(&bytes, at)?;
            if let Some(hash) = &mut hash {
                hash.update(&bytes);
            }
            Ok((bytes, hash))
        })
        .await?;
        self.buffer_at = at + bytes.len() as u64;
        self.running_hash = hash;
        bytes.clear();
        self.buffer = bytes;
        Ok(())
    }

    /// Ends the upload.
    ///
    /// # Errors
    /// When parts are missing or anything failed before; the bytes are gone then.
    pub async fn finish(mut self) -> Result<WholeFile, UploadFault> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        if let Some(first) = self.written.first_gap(self.length) {
            let missing = self.length - self.written.total();
            return Err(UploadFault::Incomplete {
                size: self.length,
                missing,
                first,
            });
        }
        self.flush().await?;
        let sha256 = match self.running_hash.take() {
            Some(hash) => hash.finalize().into(),
            None => {
                let spool = self.spool.clone();
                on_disk(move || hash_of(spool.file())).await?
            }
        };
        Ok(WholeFile {
            id: self.id,
            spool: self.spool,
            size: self.length,
            sha256,
            reservation: self.reservation,
        })
    }
}

/// Runs file work where it may block.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, UploadFault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(UploadFault::Spool(error.to_string())),
        Err(error) => Err(UploadFault::Spool(error.to_string())),
    }
}

fn hash_of(file: &std::fs::File) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; BUFFER_BYTES];
    let mut at = 0;
    loop {
        let read = file.read_at(&mut chunk, at)?;
        if read == 0 {
            return Ok(hash.finalize().into());
        }
        hash.update(&chunk[..read]);
        at += read as u64;
    }
}

/// Which bytes of a file have been seen: disjoint parts that do not touch, start to end (exclusive).
#[derive(Debug, Default, Clone)]
pub struct Coverage {
    parts: BTreeMap<u64, u64>,
    total: u64,
}

impl Coverage {
    /// Adds a part and returns how many of its bytes are new.
    pub fn add(&mut self, start: u64, end: u64) -> u64 {
        if start >= end {
            return 0;
        }
        let (mut from, mut to, mut known) = (start, end, 0);
        let before = self
            .parts
            .range(..=start)
            .next_back()
            .map(|(&s, &e)| (s, e));
        let mut touching: Vec<(u64, u64)> =
            before.filter(|&(_, e)| e >= start).into_iter().collect();
        let within = self.parts.range(start..=end).map(|(&s, &e)| (s, e));
        touching.extend(
            within
                .filter(|part| touching.first() != Some(part))
                .collect::<Vec<_>>(),
        );
        for (s, e) in touching {
            self.parts.remove(&s);
            from = from.min(s);
            to = to.max(e);
            known += e - s;
        }
        self.parts.insert(from, to);
        let new = (to - from) - known;
        self.total += new;
        new
    }

    /// Forgets everything from `length` on and returns how many bytes that were.
    pub fn cut(&mut self, length: u64) -> u64 {
        let beyond = self.parts.split_off(&length);
        let mut gone: u64 = beyond.iter().map(|(s, e)| e - s).sum();
        if let Some(mut last) = self.parts.last_entry()
            && *last.get() > length
        {
            gone += *last.get() - length;
            last.insert(length);
        }
        self.total -= gone;
        gone
    }

    /// How many bytes have been seen.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many parts there are.
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Where the first byte below `length` is that has not been seen.
    pub fn first_gap(&self, length: u64) -> Option<u64> {
        let covered = match self.parts.first_key_value() {
            Some((&0, &end)) => end,
            _ => 0,
        };
        (covered < length).then_some(covered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::sftp_server::Limits;
    use crate::transport::sftp_server::desk::Desk;
    use crate::transport::spool::SpoolFolder;

    struct Fixture {
        _root: tempfile::TempDir,
        spool: SpoolFolder,
        desk: Arc<Desk>,
    }

    fn fixture() -> Fixture {
        let root = tempfile::tempdir().expect("a folder");
        let spool = SpoolFolder::open(root.path()).expect("opens");
        let limits = Limits {
            spooled_bytes_per_mailbox: 3_000_000,
            ..Limits::default()
        };
        Fixture {
            _root: root,
            spool,
            desk: Desk::new(limits),
        }
    }

    impl Fixture {
        fn upload(&self, limit: u64) -> Upload {
            let reservation = self
                .desk
                .reserve_file(1, tokio::time::Instant::now())
                .expect("room");
            Upload::new(self.spool.new_file().expect("a file"), reservation, limit)
        }
    }

    fn sample(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i % 251) as u8).collect()
    }

    async fn whole(upload: Upload) -> Vec<u8> {
        let file = upload.finish().await.expect("whole");
        let bytes = std::fs::read(file.spool.path()).expect("reads");
        assert_eq!(file.size, bytes.len() as u64);
        assert_eq!(file.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
        bytes
    }

    #[tokio::test]
    async fn in_order_out_of_order_and_overlapping_writes_give_the_same_file() {
        let fixture = fixture();
        let bytes = sample(700_000);
        let piece = 32_768;
        let starts: Vec<usize> = (0..bytes.len()).step_by(piece).collect();
        let mut swapped = starts.clone();
        for pair in swapped.chunks_mut(2) {
            pair.reverse();
        }
        let reversed: Vec<usize> = starts.iter().rev().copied().collect();
        for order in [starts, swapped, reversed] {
            let mut upload = fixture.upload(1 << 20);
            for start in order {
                // each piece overlaps the next one a little
                let end = (start + piece + 100).min(bytes.len());
                upload
                    .write(start as u64, &bytes[start..end])
                    .await
                    .expect("takes");
            }
            assert_eq!(upload.received(), 700_000);
            assert!(whole(upload).await == bytes);
        }
    }

    #[tokio::test]
    async fn an_empty_file_is_a_file() {
        assert!(whole(fixture().upload(10)).await.is_empty());
    }

    #[tokio::test]
    async fn holes_are_found() {
        let fixture = fixture();
        let mut upload = fixture.upload(100);
        upload.write(0, b"ISA").await.expect("takes");
        upload.write(10, b"IEA").await.expect("takes");
        let fault = upload.finish().await.expect_err("has a hole");
        assert_eq!(
            fault,
            UploadFault::Incomplete {
                size: 13,
                missing: 7,
                first: 3
            }
        );

        let mut upload = fixture.upload(100);
        upload.set_length(5).await.expect("announced");
        upload.write(0, b"ISA").await.expect("takes");
        let fault = upload.finish().await.expect_err("is short");
        assert_eq!(
            fault,
            UploadFault::Incomplete {
                size: 5,
                missing: 2,
                first: 3
            }
        );
    }

    #[tokio::test]
    async fn cutting_takes_bytes_away() {
        let fixture = fixture();
        let mut upload = fixture.upload(100);
        upload.write(0, b"ISA*00*GARBAGE").await.expect("takes");
        upload.set_length(6).await.expect("cuts");
        upload.write(6, b"~").await.expect("takes");
        assert_eq!(whole(upload).await, b"ISA*00~");
    }

    #[tokio::test]
    async fn the_first_fault_sticks() {
        let fixture = fixture();
        for (offset, data) in [(8, &b"abc"[..]), (u64::MAX, b"a"), (11, b"")] {
            let mut upload = fixture.upload(10);
            upload.write(0, b"ISA").await.expect("takes");
            let fault = UploadFault::TooLarge { limit: 10 };
            assert_eq!(upload.write(offset, data).await, Err(fault.clone()));
            assert_eq!(upload.write(3, b"x").await, Err(fault.clone()));
            assert_eq!(upload.finish().await.expect_err("is broken"), fault);
        }
    }

    #[tokio::test]
    async fn scattered_parts_and_a_full_desk_are_refused() {
        let fixture = fixture();
        let mut upload = fixture.upload(1 << 20);
        let mut last = Ok(());
        for part in 0..=PARTS as u64 {
            last = upload.write(part * 2, b"x").await;
        }
        assert_eq!(last, Err(UploadFault::Scattered));

        let mut upload = fixture.upload(1 << 30);
        let mut last = Ok(());
        for part in 0..4 {
            last = upload.write(part << 20, &vec![0; 1 << 20]).await;
        }
        assert!(matches!(last, Err(UploadFault::DeskFull(_))), "{last:?}");
    }

    #[tokio::test]
    async fn a_resumed_upload_goes_on_where_it_ended() {
        let fixture = fixture();
        let mut upload = fixture.upload(100);
        upload.write(0, b"ISA*00").await.expect("takes");
        let file = upload.finish().await.expect("whole");
        let mut upload = Upload::resume(file, 100);
        upload.write(6, b"*IEA").await.expect("takes");
        assert_eq!(whole(upload).await, b"ISA*00*IEA");
    }

    proptest::proptest! {
        #[test]
        fn coverage_agrees_with_a_row_of_flags(parts in proptest::collection::vec((0u64..60, 0u64..20, 0u8..8), 0..40)) {
            let mut coverage = Coverage::default();
            let mut flags = [false; 100];
            for (start, length, kind) in parts {
                if kind == 0 {
                    let gone = flags[start as usize..].iter().filter(|&&f| f).count() as u64;
                    flags[start as usize..].fill(false);
                    proptest::prop_assert_eq!(coverage.cut(start), gone);
                } else {
                    let range = start as usize..(start + length) as usize;
                    let new = flags[range.clone()].iter().filter(|&&f| !f).count() as u64;
                    flags[range].fill(true);
                    proptest::prop_assert_eq!(coverage.add(start, start + length), new);
                }
                let total = flags.iter().filter(|&&f| f).count() as u64;
                proptest::prop_assert_eq!(coverage.total(), total);
                let gap = flags.iter().position(|&f| !f).map(|at| at as u64).filter(|&at| at < 90);
                proptest::prop_assert_eq!(coverage.first_gap(90), gap);
                let runs = flags.iter().zip(std::iter::once(&false).chain(&flags)).filter(|&(&f, &before)| f && !before).count();
                proptest::prop_assert_eq!(coverage.parts(), runs);
            }
        }
    }
}
