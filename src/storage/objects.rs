//! Large contents in an S3-compatible store beside the database: put there and confirmed before the row that names them,
//! read block by block, each block against the SHA-256 that the row keeps of it.
//!
//! Nothing is fetched while a transaction is open: whoever misses a block there gives [`Failure::NotAtHand`], and
//! `Store::write` fetches it between two runs of the transaction.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path as FilePath;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    Certificate, ClientOptions, MultipartUpload, ObjectStoreExt, PutPayload, RetryConfig,
};
use sha2::{Digest, Sha256};

use super::content::ContentAddress;
use super::failure::Failure;
use crate::config::secret::{self, SecretRefusal};
use crate::config::settings;

/// Bytes of a block: the least that is read, and what one digest stands for.
pub(super) const BLOCK: usize = 4 * 1024 * 1024;
/// Bytes of one part of an upload; S3 takes no less than 5 MiB but for the last.
const PART: usize = 2 * BLOCK;
/// Bytes that one transaction may have at hand; a batch that needs more is too large and is halved.
const AT_HAND_MAX: u64 = 256 * 1024 * 1024;
/// Blocks that are fetched side by side.
const SIDE_BY_SIDE: usize = 8;
/// How often a request that failed is tried again, and how long that may take: a partner waits for its OK.
const RETRIES: usize = 3;
const RETRIES_TAKE: Duration = Duration::from_secs(20);
/// How long one request may take.
const REQUEST_TAKES: Duration = Duration::from_secs(60);
/// What `doctor` writes and reads again, below the prefix; it stays.
const PROBE: &str = "doctor";

/// Why no object store could be set up.
#[derive(Debug, thiserror::Error)]
pub enum ObjectsRefusal {
    /// A key can not be had.
    #[error("[objects] access key: {0}")]
    Secret(#[from] SecretRefusal),
    /// The certificate can not be read.
    #[error(
        "[objects] ca_file {path} can not be read: {why}; name a PEM file with the certificate authority of the object store"
    )]
    Certificate {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The settings do not fit together.
    #[error("[objects] can not be used: {0}; see docs/operations.md")]
    Settings(#[from] object_store::Error),
}

/// Part of an object: what is fetched at once and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Key of the object.
    key: String,
    /// Its place in the object, from 0.
    ordinal: u64,
    /// Where it begins.
    offset: u64,
    /// How many bytes.
    size: u64,
    /// How many the whole object has.
    whole: u64,
    /// SHA-256 of its bytes.
    digest: [u8; 32],
}

row! {
    /// Where the bytes of a content are in the object store.
    #[derive(Debug, Clone)]
    pub struct ObjectRow {
        /// Key in the bucket.
        pub object: String,
        /// Bytes of the object.
        pub size: i64,
        /// Bytes of each block but the last.
        pub block_size: i64,
        /// SHA-256 of each block, one after the other.
        pub digests: Vec<u8>,
    }
}

impl ObjectRow {
    /// The blocks in which `size` bytes from `offset` stand.
    pub fn blocks(&self, offset: u64, size: u64) -> Vec<Block> {
        let whole = u64::try_from(self.size).unwrap_or_default();
        let width = u64::try_from(self.block_size).unwrap_or_default().max(1);
        let end = offset.saturating_add(size).min(whole);
        if offset >= end {
            return Vec::new();
        }
        (offset / width..=(end - 1) / width)
            .map(|ordinal| {
                let at = usize::try_from(ordinal).unwrap_or(usize::MAX);
                let digest = self
                    .digests
                    .as_chunks::<32>()
                    .0
                    .get(at)
                    .copied()
                    .unwrap_or_default();
                Block {
                    key: self.object.clone(),
                    ordinal,
                    offset: ordinal * width,
                    size: width.min(whole - ordinal * width),
                    whole,
                    digest,
                }
            })
            .collect()
    }
}

/// Blocks that were fetched for a transaction before it runs once more.
#[derive(Debug, Clone, Default)]
pub struct AtHand(Arc<Mutex<HashMap<(String, u64), Bytes>>>);

impl AtHand {
    fn get(&self, block: &Block) -> Option<Bytes> {
        let blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.get(&(block.key.clone(), block.ordinal)).cloned()
    }

    /// The bytes of these blocks.
    ///
    /// # Errors
    /// [`Failure::NotAtHand`] with those that have to be fetched first.
    pub fn all(&self, blocks: &[Block]) -> Result<Vec<Bytes>, Failure> {
        let found: Vec<Option<Bytes>> = blocks.iter().map(|block| self.get(block)).collect();
        let missing: Vec<Block> = blocks
            .iter()
            .zip(&found)
            .filter(|(_, found)| found.is_none())
            .map(|(block, _)| block.clone())
            .collect();
        match missing.is_empty() {
            true => Ok(found.into_iter().flatten().collect()),
            false => Err(Failure::NotAtHand(missing)),
        }
    }
}

/// The object store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Objects {
    store: Arc<AmazonS3>,
    bucket: Arc<str>,
    prefix: Arc<str>,
    above: u64,
}

impl Objects {
    /// The store that the settings name; none where they name none. Nothing is asked of it yet.
    ///
    /// # Errors
    /// Where a key or the certificate can not be read, or the settings do not fit together.
    pub fn of(
        settings: &settings::Objects,
        data: &FilePath,
    ) -> Result<Option<Self>, ObjectsRefusal> {
        if settings.bucket.is_empty() {
            return Ok(None);
        }
        // Where TLS was given a provider before, it is this one too.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = ClientOptions::new()
            .with_timeout(REQUEST_TAKES)
            .with_allow_http(settings.endpoint.starts_with("http://"));
        if !settings.ca_file.is_empty() {
            let path = data.join(&settings.ca_file);
            let refused = |why: String| ObjectsRefusal::Certificate {
                path: path.display().to_string(),
                why,
            };
            let pem = std::fs::read(&path).map_err(|error| refused(error.to_string()))?;
            for certificate in
                Certificate::from_pem_bundle(&pem).map_err(|error| refused(error.to_string()))?
            {
                client = client.with_root_certificate(certificate);
            }
        }
        // Without keys of ours: AWS's own variables, or the role of the machine.
        let mut builder = AmazonS3Builder::from_env()
            .with_client_options(client)
            .with_retry(RetryConfig {
                max_retries: RETRIES,
                retry_timeout: RETRIES_TAKE,
                ..RetryConfig::default()
            })
            .with_bucket_name(&settings.bucket)
            .with_region(&settings.region)
            .with_virtual_hosted_style_request(settings.virtual_hosted);
        if !settings.endpoint.is_empty() {
            builder = builder.with_endpoint(&settings.endpoint);
        }
        if let (Some(access), Some(secret)) = (settings.access_key(), settings.secret_key()) {
            builder = builder
                .with_access_key_id(secret::read(&access, data)?)
                .with_secret_access_key(secret::read(&secret, data)?);
        }
        Ok(Some(Self {
            store: Arc::new(builder.build()?),
            bucket: settings.bucket.as_str().into(),
            prefix: settings.prefix.as_str().into(),
            above: settings.above_bytes,
        }))
    }

    /// Whether a received file of so many bytes belongs here.
    pub fn takes(&self, size: u64) -> bool {
        size > self.above
    }

    /// The bucket, for people.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    fn key(&self, name: &str) -> String {
        match self.prefix.is_empty() {
            true => name.to_owned(),
            false => format!("{}/{name}", self.prefix),
        }
    }

    fn failed(&self, doing: &str, key: &str) -> impl FnOnce(object_store::Error) -> Failure {
        let doing = format!("{doing} {key} of the bucket {}", self.bucket);
        move |source| Failure::ObjectStore { doing, source }
    }

    /// Puts the bytes of a file there, under its SHA-256 or under the key that it had before, and waits until the store
    /// has confirmed them. The same bytes put once more change nothing.
    ///
    /// # Errors
    /// Where the file can not be read or the store does not take it; at most an object that no row names stays behind.
    pub async fn put_file(
        &self,
        path: &FilePath,
        (address, digests): (&ContentAddress, Vec<u8>),
        earlier: Option<&ObjectRow>,
    ) -> Result<ObjectRow, Failure> {
        let key = earlier.map_or_else(
            || self.key(&address.sha256),
            |earlier| earlier.object.clone(),
        );
        let object = Path::from(key.as_str());
        let size = u64::try_from(address.size).unwrap_or_default();
        let mut parts = Parts::of(path)?;
        if size <= PART as u64 {
            let bytes = parts.next()?.unwrap_or_default();
            self.store
                .put(&object, bytes.into())
                .await
                .map_err(self.failed("writing", &key))?;
        } else {
            let mut upload = self
                .store
                .put_multipart(&object)
                .await
                .map_err(self.failed("beginning", &key))?;
            if let Err(failure) = self.put_parts(&mut parts, &mut upload, &key).await {
                // What is reported is why it failed. Parts that stay behind are no object; the bucket's rules sweep them.
                let _ = upload.abort().await;
                return Err(failure);
            }
        }
        let there = self
            .store
            .head(&object)
            .await
            .map_err(self.failed("looking at", &key))?;
        if there.size != size {
            return Err(self.lost(
                &key,
                format!("{size} bytes were put and it has {}", there.size),
            ));
        }
        Ok(ObjectRow {
            object: key,
            size: address.size,
            block_size: i64::try_from(BLOCK).unwrap_or(i64::MAX),
            digests,
        })
    }

    async fn put_parts(
        &self,
        parts: &mut Parts,
        upload: &mut Box<dyn MultipartUpload>,
        key: &str,
    ) -> Result<(), Failure> {
        while let Some(part) = parts.next()? {
            upload
                .put_part(PutPayload::from(part))
                .await
                .map_err(self.failed("writing a part of", key))?;
        }
        upload
            .complete()
            .await
            .map_err(self.failed("completing", key))?;
        Ok(())
    }

    fn lost(&self, key: &str, why: String) -> Failure {
        Failure::ObjectLost {
            key: key.to_owned(),
            bucket: self.bucket.to_string(),
            why,
        }
    }

    /// The bytes of one block, checked.
    ///
    /// # Errors
    /// [`Failure::ObjectLost`] where the object is not there or is another; [`Failure::ObjectStore`] where the store does
    /// not answer.
    async fn block(&self, block: &Block) -> Result<Bytes, Failure> {
        let object = Path::from(block.key.as_str());
        let range = block.offset..block.offset + block.size;
        let read = self.store.get_range(&object, range).await;
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(object_store::Error::NotFound { .. }) => {
                return Err(self.lost(&block.key, "it is not there".to_owned()));
            }
            Err(error) => {
                // An object that was cut short can not give the range.
                return Err(match self.store.head(&object).await {
                    Ok(there) if there.size != block.whole => self.lost(
                        &block.key,
                        format!("it has {} bytes, and {} were put", there.size, block.whole),
                    ),
                    _ => self.failed("reading", &block.key)(error),
                });
            }
        };
        if <[u8; 32]>::from(Sha256::digest(&bytes)) != block.digest {
            return Err(self.lost(
                &block.key,
                format!(
                    "the {} bytes from byte {} on have another SHA-256 than those that were put",
                    block.size, block.offset
                ),
            ));
        }
        Ok(bytes)
    }

    /// The bytes of blocks, checked, in their order.
    ///
    /// # Errors
    /// As for a single one.
    pub async fn blocks(&self, blocks: &[Block]) -> Result<Vec<Bytes>, Failure> {
        stream::iter(blocks.to_vec())
            .map(|block| async move { self.block(&block).await })
            .buffered(SIDE_BY_SIDE)
            .try_collect()
            .await
    }

    /// Fetches what a transaction missed, so that it finds it when it runs once more.
    ///
    /// # Errors
    /// Where the blocks can not be had, or one transaction would have too much at hand.
    pub async fn fetch(&self, wanted: &[Block], into: &AtHand) -> Result<(), Failure> {
        let bytes: u64 = wanted.iter().map(|block| block.size).sum();
        let there: u64 = {
            let blocks = into.0.lock().unwrap_or_else(PoisonError::into_inner);
            blocks.values().map(|bytes| bytes.len() as u64).sum()
        };
        if there > 0 && there + bytes > AT_HAND_MAX {
            return Err(Failure::refuse(format!(
                "one transaction would read {} bytes of the object store at once; it is done in smaller ones",
                there + bytes
            )));
        }
        let fetched = self.blocks(wanted).await?;
        let mut blocks = into.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (block, bytes) in wanted.iter().zip(fetched) {
            blocks.insert((block.key.clone(), block.ordinal), bytes);
        }
        Ok(())
    }

    /// Writes a small object, always the same, and reads it again.
    ///
    /// # Errors
    /// Where either fails.
    pub async fn probe(&self) -> Result<(), Failure> {
        let key = self.key(PROBE);
        let object = Path::from(key.as_str());
        let bytes = Bytes::from_static(b"written by supercargo doctor");
        self.store
            .put(&object, bytes.clone().into())
            .await
            .map_err(self.failed("writing", &key))?;
        let read = self
            .store
            .get(&object)
            .await
            .map_err(self.failed("reading", &key))?
            .bytes()
            .await
            .map_err(self.failed("reading", &key))?;
        match read == bytes {
            true => Ok(()),
            false => Err(self.lost(&key, "it was read otherwise than it was written".to_owned())),
        }
    }
}

/// Digests of what goes by, a block each.
#[derive(Default)]
pub struct Digests {
    block: Sha256,
    in_block: usize,
    done: Vec<u8>,
}

impl Digests {
    /// The next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.in_block));
            self.block.update(now);
            self.in_block += now.len();
            bytes = later;
            if self.in_block == BLOCK {
                self.end_block();
            }
        }
    }

    fn end_block(&mut self) {
        self.done.extend_from_slice(&self.block.finalize_reset());
        self.in_block = 0;
    }

    /// SHA-256 of each block, one after the other.
    pub fn finish(mut self) -> Vec<u8> {
        if self.in_block > 0 {
            self.end_block();
        }
        self.done
    }
}

/// A file in parts, one in memory at a time.
struct Parts {
    file: File,
    path: String,
}

impl Parts {
    fn of(path: &FilePath) -> Result<Self, Failure> {
        let name = path.display().to_string();
        match File::open(path) {
            Ok(file) => Ok(Self { file, path: name }),
            Err(error) => Err(unread(&name, error)),
        }
    }

    fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let mut part = Vec::with_capacity(PART);
        (&mut self.file)
            .take(PART as u64)
            .read_to_end(&mut part)
            .map_err(|error| unread(&self.path, error))?;
        Ok((!part.is_empty()).then(|| part.into()))
    }
}

fn unread(path: &str, error: io::Error) -> Failure {
    Failure::Database {
        doing: format!("reading the received file {path}"),
        source: error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(size: usize) -> ObjectRow {
        let mut digests = Digests::default();
        digests.update(&vec![7; size]);
        ObjectRow {
            object: "a".to_owned(),
            size: size as i64,
            block_size: BLOCK as i64,
            digests: digests.finish(),
        }
    }

    #[test]
    fn a_range_stands_in_the_blocks_that_it_touches() {
        let row = row(2 * BLOCK + 5);
        assert_eq!(row.digests.len(), 3 * 32);
        let places = |offset, size| {
            let blocks = row.blocks(offset, size);
            blocks
                .iter()
                .map(|block| (block.ordinal, block.size))
                .collect::<Vec<_>>()
        };
        let block = BLOCK as u64;
        assert_eq!(places(0, 1), [(0, block)]);
        assert_eq!(places(block - 1, 2), [(0, block), (1, block)]);
        assert_eq!(places(2 * block, 99), [(2, 5)]);
        assert_eq!(places(2 * block + 5, 1), []);
        assert_eq!(places(0, u64::MAX).len(), 3);
        assert_eq!(places(3, 0), []);
    }

    #[test]
    fn a_block_has_the_digest_of_its_bytes_however_they_came() {
        let bytes: Vec<u8> = (0..BLOCK + 1000).map(|n| (n % 251) as u8).collect();
        let mut digests = Digests::default();
        for piece in bytes.chunks(77_777) {
            digests.update(piece);
        }
        let mut expected = Sha256::digest(&bytes[..BLOCK]).to_vec();
        expected.extend_from_slice(&Sha256::digest(&bytes[BLOCK..]));
        assert_eq!(digests.finish(), expected);
    }

    #[test]
    fn a_transaction_is_told_all_that_it_misses_at_once() {
        let row = row(3 * BLOCK);
        let at_hand = AtHand::default();
        let blocks = row.blocks(0, 2 * BLOCK as u64);
        at_hand
            .0
            .lock()
            .unwrap()
            .insert(("a".to_owned(), 1), Bytes::from_static(b"second"));
        match at_hand.all(&blocks) {
            Err(Failure::NotAtHand(missing)) => assert_eq!(missing, blocks[..1]),
            other => panic!("{other:?}"),
        }
        assert_eq!(at_hand.all(&blocks[1..]).unwrap(), ["second"]);
    }
}
