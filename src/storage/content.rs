//! Bytes, in and out, by their SHA-256. Small ones stand in the row, compressed where that is worth it, large ones in chunks
//! written by transactions of their own before the row that names them, or in an object of a store beside the database.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::connection::{Connection, Reach, list};
use super::failure::Failure;
use super::objects::{self, Digests, ObjectRow, Objects};
use super::store::{Class, Store};
use crate::binds;
use crate::domain::clock::Instant;
use crate::waypoint;

/// Up to this many bytes a content stands in its row.
pub const INLINE_MAX: usize = 256 * 1024;
/// Bytes of a chunk.
pub const CHUNK: usize = 1024 * 1024;

/// The address of some bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContentAddress {
    /// SHA-256, 64 hexadecimal digits.
    pub sha256: String,
    /// How many bytes.
    pub size: i64,
}

/// The address of bytes at hand.
pub fn address(bytes: &[u8]) -> ContentAddress {
    ContentAddress {
        sha256: hex::encode(Sha256::digest(bytes)),
        size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
    }
}

/// A content as it will stand in its row. It is made where the bytes come from, on another thread than the one that writes
/// where there is one: who writes keeps the others waiting.
#[derive(Debug, Clone)]
pub struct NewContent {
    /// The address of the bytes as they were received or are sent.
    pub address: ContentAddress,
    bytes: Vec<u8>,
    compressed: bool,
}

impl NewContent {
    /// Compressed where that saves an eighth: X12 comes down to a third, and every byte is written twice. Many bytes stay as
    /// they are: of these ranges are read.
    pub fn new(bytes: Vec<u8>) -> Self {
        let address = address(&bytes);
        let smaller = (bytes.len() <= INLINE_MAX)
            .then(|| lz4_flex::block::compress(&bytes))
            .filter(|smaller| smaller.len() < bytes.len() - bytes.len() / 8);
        Self {
            address,
            compressed: smaller.is_some(),
            bytes: smaller.unwrap_or(bytes),
        }
    }
}

row! {
    /// A content as it stands in its row.
    #[derive(Debug)]
    struct InRow {
        sha256: String,
        /// How many bytes it is as it was received or sent.
        size: i64,
        /// None: it is elsewhere.
        bytes: Option<Vec<u8>>,
        /// 1 where its bytes are compressed.
        compressed: i64,
    }
}

/// Bytes of a row as they were received or sent; none: they are not what was compressed.
pub fn restored(bytes: &[u8], compressed: bool, size: i64) -> Option<Cow<'_, [u8]>> {
    if !compressed {
        return Some(Cow::Borrowed(bytes));
    }
    // A size that was tampered with must not take all memory.
    let size = usize::try_from(size)
        .ok()
        .filter(|size| *size <= INLINE_MAX)?;
    lz4_flex::block::decompress(bytes, size)
        .ok()
        .filter(|restored| restored.len() == size)
        .map(Cow::Owned)
}

impl InRow {
    /// Its bytes where they stand in the row.
    fn restored(self) -> Result<Option<Vec<u8>>, Failure> {
        let Some(bytes) = self.bytes else {
            return Ok(None);
        };
        match restored(&bytes, self.compressed == 1, self.size) {
            Some(Cow::Borrowed(_)) => Ok(Some(bytes)),
            Some(Cow::Owned(restored)) => Ok(Some(restored)),
            None => Err(Failure::Corrupt {
                table: "content",
                key: self.sha256,
                why: "its compressed bytes are damaged".to_owned(),
            }),
        }
    }
}

impl Connection {
    /// Stores small contents in this transaction. Storing the same bytes again changes nothing.
    pub async fn put_contents(
        &mut self,
        contents: Vec<NewContent>,
        at: Instant,
    ) -> Result<(), Failure> {
        let rows = contents
            .into_iter()
            .map(|new| {
                let compressed = i64::from(new.compressed);
                binds![
                    new.address.sha256,
                    new.address.size,
                    new.bytes,
                    compressed,
                    at
                ]
            })
            .collect();
        self.insert_many(
            "INSERT INTO content (sha256, size, bytes, compressed, created_at)",
            rows,
            "ON CONFLICT (sha256) DO NOTHING",
        )
        .await?;
        Ok(())
    }

    /// Of these contents, those that are small enough to stand in their row.
    pub async fn small_contents(
        &mut self,
        addresses: &[&str],
    ) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        let sql = format!(
            "SELECT sha256, size, bytes, compressed FROM content WHERE bytes IS NOT NULL AND sha256 IN {}",
            list(addresses.len(), 0)
        );
        let values = addresses.iter().map(|sha256| (*sha256).into()).collect();
        let rows: Vec<InRow> = self.rows(&sql, values).await?;
        rows.into_iter()
            .map(|row| {
                let sha256 = row.sha256.clone();
                Ok((sha256, row.restored()?.unwrap_or_default()))
            })
            .collect()
    }

    /// All bytes of a content; for what is known to be small (sets, documents we sent).
    pub async fn content(&mut self, sha256: &str) -> Result<Vec<u8>, Failure> {
        let Some(row) = self.in_row(sha256).await? else {
            return Err(Failure::Corrupt {
                table: "content",
                key: sha256.to_owned(),
                why: "the bytes that a row names are not there".to_owned(),
            });
        };
        let size = row.size;
        if let Some(bytes) = row.restored()? {
            return Ok(bytes);
        }
        if let Some(object) = self.object(sha256).await? {
            return self.object_range(&object, 0, u64::MAX).await;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        let mut ordinal = 0;
        while let Some(chunk) = self.chunk(sha256, ordinal).await? {
            bytes.extend_from_slice(&chunk);
            ordinal += 1;
        }
        Ok(bytes)
    }

    async fn in_row(&mut self, sha256: &str) -> Result<Option<InRow>, Failure> {
        self.row(
            "SELECT sha256, size, bytes, compressed FROM content WHERE sha256 = $1",
            binds![sha256],
        )
        .await
    }

    async fn chunk(&mut self, sha256: &str, ordinal: i64) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self
            .row::<(Vec<u8>,)>(
                "SELECT bytes FROM content_chunk WHERE sha256 = $1 AND ordinal = $2",
                binds![sha256, ordinal],
            )
            .await?
            .map(|row| row.0))
    }

    /// Where a content is in the object store; none: it is in the database.
    async fn object(&mut self, sha256: &str) -> Result<Option<ObjectRow>, Failure> {
        self.row(
            "SELECT object, size, block_size, digests FROM content_object WHERE sha256 = $1",
            binds![sha256],
        )
        .await
    }

    async fn object_range(
        &mut self,
        object: &ObjectRow,
        offset: u64,
        size: u64,
    ) -> Result<Vec<u8>, Failure> {
        let blocks = object.blocks(offset, size);
        let fetched = match &self.reach {
            Reach::Direct(objects) => objects.blocks(&blocks).await?,
            Reach::AtHand(at_hand) => at_hand.all(&blocks)?,
            Reach::Nowhere => {
                return Err(Failure::NoObjectStore {
                    key: object.object.clone(),
                });
            }
        };
        let width = u64::try_from(object.block_size).unwrap_or_default().max(1);
        Ok(cut(&fetched.concat(), offset % width, size))
    }

    /// Sees to it that ranges of contents, `(sha256, offset, size)`, are at hand in this transaction where they lie in an
    /// object store, so that they are fetched together.
    ///
    /// # Errors
    /// [`Failure::NotAtHand`] with all that has to be fetched.
    pub async fn have_at_hand(&mut self, ranges: &[(String, u64, u64)]) -> Result<(), Failure> {
        let Reach::AtHand(at_hand) = &self.reach else {
            return Ok(());
        };
        let at_hand = at_hand.clone();
        let mut known: HashMap<&str, Option<ObjectRow>> = HashMap::new();
        let mut blocks = Vec::new();
        for (sha256, offset, size) in ranges {
            if !known.contains_key(sha256.as_str()) {
                let object = self.object(sha256).await?;
                known.insert(sha256, object);
            }
            if let Some(Some(object)) = known.get(sha256.as_str()) {
                for block in object.blocks(*offset, *size) {
                    if !blocks.contains(&block) {
                        blocks.push(block);
                    }
                }
            }
        }
        at_hand.all(&blocks).map(|_| ())
    }

    /// Whether contents may lie in an object store.
    pub fn has_objects(&self) -> bool {
        !matches!(self.reach, Reach::Nowhere)
    }

    /// `size` bytes from `offset` of a content, reading only the chunks they stand in.
    pub async fn content_range(
        &mut self,
        sha256: &str,
        offset: u64,
        size: u64,
    ) -> Result<Vec<u8>, Failure> {
        if let Some(row) = self.in_row(sha256).await?
            && let Some(bytes) = row.restored()?
        {
            return Ok(cut(&bytes, offset, size));
        }
        if let Some(object) = self.object(sha256).await? {
            return self.object_range(&object, offset, size).await;
        }
        let width = CHUNK as u64;
        let first = offset / width;
        let mut bytes = Vec::new();
        let mut ordinal = first;
        while (ordinal - first) * width < size + (offset - first * width) {
            let Some(chunk) = self
                .chunk(sha256, i64::try_from(ordinal).unwrap_or(i64::MAX))
                .await?
            else {
                break;
            };
            bytes.extend_from_slice(&chunk);
            ordinal += 1;
        }
        Ok(cut(&bytes, offset - first * width, size))
    }
}

/// Where the bytes of an upload are.
#[derive(Debug, Clone)]
pub enum Placed {
    /// Stored, durably.
    Already(ContentAddress),
    /// Here, to be stored with the row that names them.
    WithItsRow(NewContent),
}

impl Placed {
    /// Their address.
    pub fn address(&self) -> &ContentAddress {
        match self {
            Self::Already(address) => address,
            Self::WithItsRow(new) => &new.address,
        }
    }
}

/// `size` bytes from `offset`, or as many as there are.
pub fn cut(bytes: &[u8], offset: u64, size: u64) -> Vec<u8> {
    let from = usize::try_from(offset)
        .unwrap_or(usize::MAX)
        .min(bytes.len());
    let to = from
        .saturating_add(usize::try_from(size).unwrap_or(usize::MAX))
        .min(bytes.len());
    bytes.get(from..to).unwrap_or_default().to_vec()
}

/// Stores the bytes of a spooled file durably, in the object store where there is one that takes so many, else in chunks
/// where they are many, and gives their address. A caller whose file is small gets what is to be stored in the transaction
/// of the row that names it instead.
pub async fn store_file(store: &Store, path: &Path, at: Instant) -> Result<Placed, Failure> {
    let reading = |source: std::io::Error| Failure::Database {
        doing: format!("reading the received file {}", path.display()),
        source: source.into(),
    };
    let size = std::fs::metadata(path).map_err(reading)?.len();
    let objects = store.objects().filter(|objects| objects.takes(size));
    if size <= INLINE_MAX as u64 && objects.is_none() {
        let bytes = std::fs::read(path).map_err(reading)?;
        return Ok(Placed::WithItsRow(NewContent::new(bytes)));
    }
    let mut file = std::fs::File::open(path).map_err(reading)?;
    let (mut digest, mut digests) = (Sha256::new(), Digests::default());
    let mut buffer = vec![0; CHUNK];
    loop {
        let n = file.read(&mut buffer).map_err(reading)?;
        if n == 0 {
            break;
        }
        let bytes = buffer.get(..n).unwrap_or_default();
        digest.update(bytes);
        if objects.is_some() {
            digests.update(bytes);
        }
    }
    let address = ContentAddress {
        sha256: hex::encode(digest.finalize()),
        size: i64::try_from(size).unwrap_or(i64::MAX),
    };
    if let Some(objects) = objects {
        put_object(store, objects, path, &address, digests.finish(), at).await?;
        return Ok(Placed::Already(address));
    }
    let mut file = std::fs::File::open(path).map_err(reading)?;
    let mut ordinal = 0_i64;
    loop {
        let chunk = read_chunk(&mut file).map_err(reading)?;
        if chunk.is_empty() {
            break;
        }
        let sha256 = address.sha256.clone();
        store
            .write(Class::Ordinary, move |connection| {
                let (sha256, chunk) = (sha256.clone(), chunk.clone());
                Box::pin(async move {
                    connection
                        .execute(
                            "INSERT INTO content_chunk (sha256, ordinal, bytes) VALUES ($1, $2, $3)
                             ON CONFLICT (sha256, ordinal) DO NOTHING",
                            binds![sha256, ordinal, chunk],
                        )
                        .await
                })
            })
            .await?;
        waypoint::pass("upload", "part of a large file stored");
        ordinal += 1;
    }
    let row = address.clone();
    store
        .write(Class::Ordinary, move |connection| {
            let row = row.clone();
            Box::pin(async move {
                connection
                    .execute(
                        "INSERT INTO content (sha256, size, bytes, created_at) VALUES ($1, $2, $3, $4)
                         ON CONFLICT (sha256) DO NOTHING",
                        binds![row.sha256, row.size, None::<Vec<u8>>, at],
                    )
                    .await
            })
        })
        .await?;
    Ok(Placed::Already(address))
}

/// Puts a file into the object store and then writes the rows that name it. Bytes that the database has are left there.
async fn put_object(
    store: &Store,
    objects: &Objects,
    path: &Path,
    address: &ContentAddress,
    digests: Vec<u8>,
    at: Instant,
) -> Result<(), Failure> {
    let mut reading = store.read().await?;
    let earlier = reading.object(&address.sha256).await?;
    let kept = reading
        .number(
            "SELECT COUNT(*) FROM content WHERE sha256 = $1",
            binds![&address.sha256],
        )
        .await?;
    drop(reading);
    if kept > 0 && earlier.is_none() {
        return Ok(());
    }
    // What came before may have been lost meanwhile: it is put once more all the same.
    let object = objects
        .put_file(path, (address, digests), earlier.as_ref())
        .await?;
    waypoint::pass("upload", "part of a large file stored");
    let sha256 = address.sha256.clone();
    store
        .write(Class::Ordinary, move |connection| {
            let (sha256, object) = (sha256.clone(), object.clone());
            Box::pin(async move {
                connection
                    .execute(
                        "INSERT INTO content (sha256, size, bytes, created_at) VALUES ($1, $2, $3, $4)
                         ON CONFLICT (sha256) DO NOTHING",
                        binds![&sha256, object.size, None::<Vec<u8>>, at],
                    )
                    .await?;
                connection
                    .execute(
                        "INSERT INTO content_object (sha256, object, size, block_size, digests) VALUES ($1, $2, $3, $4, $5)
                         ON CONFLICT (sha256) DO NOTHING",
                        binds![
                            sha256,
                            object.object,
                            object.size,
                            object.block_size,
                            object.digests
                        ],
                    )
                    .await
            })
        })
        .await?;
    Ok(())
}

fn read_chunk(file: &mut std::fs::File) -> std::io::Result<Vec<u8>> {
    let mut chunk = Vec::with_capacity(CHUNK);
    file.take(CHUNK as u64).read_to_end(&mut chunk)?;
    Ok(chunk)
}

/// Reads a content from front to back, one chunk in memory at a time; for the streaming X12 reader, which is blocking
/// and therefore runs outside the runtime's own threads.
pub struct ContentReader {
    store: Store,
    runtime: tokio::runtime::Handle,
    sha256: String,
    position: u64,
    size: u64,
    /// Bytes that are read at once.
    width: u64,
    buffer: Vec<u8>,
    at: usize,
}

impl ContentReader {
    /// A reader of the bytes at `address`, to be used on a blocking thread of the current runtime.
    pub fn new(store: Store, address: &ContentAddress) -> Self {
        let width = match store.objects() {
            Some(_) => objects::BLOCK,
            None => CHUNK,
        };
        Self {
            store,
            runtime: tokio::runtime::Handle::current(),
            width: width as u64,
            sha256: address.sha256.clone(),
            position: 0,
            size: u64::try_from(address.size).unwrap_or_default(),
            buffer: Vec::new(),
            at: 0,
        }
    }

    fn fill(&mut self) -> std::io::Result<()> {
        let next = self.width.min(self.size - self.position);
        let (store, sha256, position) = (self.store.clone(), self.sha256.clone(), self.position);
        let bytes = self
            .runtime
            .block_on(async move {
                store
                    .read()
                    .await?
                    .content_range(&sha256, position, next)
                    .await
            })
            .map_err(std::io::Error::other)?;
        if bytes.is_empty() {
            return Err(std::io::Error::new(
                std::io::ErrorKind::UnexpectedEof,
                "stored bytes are missing",
            ));
        }
        self.position += bytes.len() as u64;
        self.buffer = bytes;
        self.at = 0;
        Ok(())
    }
}

impl Read for ContentReader {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.at >= self.buffer.len() {
            if self.position >= self.size {
                return Ok(0);
            }
            self.fill()?;
        }
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let n = rest.len().min(into.len());
        if let (Some(to), Some(from)) = (into.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_restored_as_they_were() {
        let text = |n: usize| -> Vec<u8> {
            (0..n)
                .flat_map(|line| {
                    format!("PO1*{line}*12*EA*9.95*PE*VN*W{:04}~", line % 7).into_bytes()
                })
                .collect()
        };
        let noise: Vec<u8> = (0..20_000_u64)
            .flat_map(|n| Sha256::digest(n.to_le_bytes()).to_vec())
            .take(100_000)
            .collect();
        for (bytes, compressed) in [
            (vec![], false),
            (b"~".to_vec(), false),
            (text(40), true),
            (text(7_000), true),
            (text(20_000), false),
            (noise, false),
        ] {
            let new = NewContent::new(bytes.clone());
            assert_eq!(new.compressed, compressed, "{} bytes", bytes.len());
            let restored = restored(&new.bytes, new.compressed, new.address.size);
            assert!(restored.as_deref() == Some(&bytes), "{} bytes", bytes.len());
        }
    }

    #[test]
    fn what_was_tampered_with_is_not_restored() {
        let new = NewContent::new(b"SE*1*0001~".repeat(200));
        assert!(new.compressed);
        for size in [0, -1, 1_999, 2_001, i64::MAX] {
            assert_eq!(restored(&new.bytes, true, size), None, "{size}");
        }
        assert_eq!(restored(&[0xFF; 30], true, 2_000), None);
    }
}
