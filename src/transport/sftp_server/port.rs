//! What the mailbox needs from the rest of the house. The service fills it.

use std::fs::File;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::transport::port::{NotTaken, PortFuture, Unavailable};

/// The house behind the mailbox. All methods may be called from many sessions at once; each may take its time, the
/// client waits for it.
pub trait MailboxPort: Send + Sync + 'static {
    /// Who logs in? `None` when the mailbox does not exist or the proof is not right; the client learns no more.
    fn authenticate<'a>(
        &'a self,
        login: Login<'a>,
    ) -> PortFuture<'a, Result<Option<MailboxIdentity>, Unavailable>>;

    /// So many logins from this address were refused that it may not connect for a while; the last named this mailbox,
    /// which may not exist. Ops want to know it of a partner whose password or key changed.
    fn address_banned<'a>(&'a self, mailbox: &'a str, from: IpAddr) -> PortFuture<'a, ()>;

    /// Commits a whole upload. The client's CLOSE or RENAME is answered after this returns; the spooled file is
    /// removed then, unless it was moved away. Called again with the same [`CompletedUpload::id`] when the client
    /// repeats its rename after a failure.
    fn receive_upload<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        upload: CompletedUpload<'a>,
    ) -> PortFuture<'a, Result<(), NotTaken>>;

    /// An upload ended without being received, so that ops can see it; its bytes are gone.
    fn upload_abandoned<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        upload: AbandonedUpload,
    ) -> PortFuture<'a, ()>;

    /// The files that lie ready for the partner, by name in byte order, those after `after` (exclusive) first, at
    /// most `limit`; fewer than `limit` mean that there are no more.
    fn list_outbound<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        after: Option<&'a str>,
        limit: usize,
    ) -> PortFuture<'a, Result<Vec<MailboxEntry>, Unavailable>>;

    /// One file of those that lie ready.
    fn find_outbound<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        name: &'a str,
    ) -> PortFuture<'a, Result<Option<MailboxEntry>, Unavailable>>;

    /// The bytes of one file; exactly as many as its entry says.
    fn open_outbound<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        name: &'a str,
    ) -> PortFuture<'a, Result<Option<OutboundFile>, Unavailable>>;

    /// The partner has read the whole file and closed it.
    fn picked_up<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        name: &'a str,
    ) -> PortFuture<'a, Result<(), Unavailable>>;

    /// The partner deletes a file, which says that it has it. `false` when there is no such file.
    fn remove_outbound<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        name: &'a str,
    ) -> PortFuture<'a, Result<bool, Unavailable>>;

    /// The partner gives a file another name in `/outbound`, which says that it has it.
    fn rename_outbound<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        from: &'a str,
        to: &'a str,
    ) -> PortFuture<'a, Result<OutboundRename, Unavailable>>;
}

/// What became of a rename in `/outbound`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboundRename {
    /// The file has its new name.
    Renamed,
    /// There is no file of the old name.
    NoSuchFile,
    /// There is, or was, another file of the new name.
    NameTaken,
}

/// A mailbox whose partner is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MailboxIdentity {
    /// The connection (in the sense of "who is who") that the mailbox belongs to.
    pub connection_id: i64,
    /// The mailbox's login name.
    pub name: String,
    /// How the client logged in: `key SHA256:…`, or `password`.
    pub login: String,
}

/// An attempt to log in.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    /// The name given, unchecked: at most [`Login::NAME_BYTES`] bytes, without control characters.
    pub mailbox: &'a str,
    /// What the client shows for it.
    pub proof: LoginProof<'a>,
    /// Where it comes from.
    pub from: SocketAddr,
}

impl LoginProof<'_> {
    /// In words that may be kept: `key SHA256:…`, or `password`.
    pub fn said(&self) -> String {
        match self {
            LoginProof::Password(_) => "password".to_owned(),
            LoginProof::KeyOffered(key) | LoginProof::KeyProven(key) => {
                format!("key {}", key.fingerprint)
            }
        }
    }
}

impl Login<'_> {
    /// Longer login names are refused unasked.
    pub const NAME_BYTES: usize = 64;
}

/// What a client shows to log in.
#[derive(Clone, Copy)]
pub enum LoginProof<'a> {
    /// A password, in the clear.
    Password(&'a str),
    /// A key that the client says it holds; nobody is logged in yet. The answer only says whether to go on.
    KeyOffered(&'a PublicKeyText),
    /// A key that the client has proven to hold.
    KeyProven(&'a PublicKeyText),
}

impl std::fmt::Debug for LoginProof<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LoginProof::Password(_) => f.write_str("Password(..)"),
            LoginProof::KeyOffered(key) => write!(f, "KeyOffered({})", key.fingerprint),
            LoginProof::KeyProven(key) => write!(f, "KeyProven({})", key.fingerprint),
        }
    }
}

/// A public key as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKeyText {
    /// As in an authorized_keys file, without a comment: `ssh-ed25519 AAAA…`.
    pub openssh: String,
    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    pub fingerprint: String,
}

/// A file that a partner has uploaded whole.
#[derive(Debug, Clone, Copy)]
pub struct CompletedUpload<'a> {
    /// The same for every attempt to hand over this one upload.
    pub id: Uuid,
    /// The final name, without its folder; checked by the mailbox's rules for names.
    pub name: &'a str,
    /// Where the bytes lie; written, not synced to disk.
    pub spooled: &'a Path,
    /// How many bytes.
    pub size: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
    /// The client's address.
    pub from: SocketAddr,
}

/// A file that did not become whole, or was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbandonedUpload {
    /// The name under which it was being uploaded.
    pub name: String,
    /// Bytes that had come.
    pub received: u64,
    /// When the last of them came.
    pub last_at: DateTime<Utc>,
    /// Why it ended.
    pub cause: AbandonCause,
    /// The client's address.
    pub from: SocketAddr,
}

/// Why an upload ended without being received.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AbandonCause {
    /// The connection ended before the file was closed.
    #[error("the connection ended before the file was closed")]
    ConnectionEnded,
    /// It was closed under a temporary name and never renamed.
    #[error("the file kept its temporary name and was never renamed")]
    NeverRenamed,
    /// It was closed with parts missing or could not be written.
    #[error("{0}")]
    Broken(String),
    /// The server stopped.
    #[error("the server stopped before the file was complete")]
    ServerStopped,
}

/// A file as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxEntry {
    /// Without its folder.
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// When it was put there.
    pub modified: DateTime<Utc>,
}

/// An outbound file opened for reading.
#[derive(Debug, Clone)]
pub struct OutboundFile {
    /// As listed.
    pub entry: MailboxEntry,
    /// The bytes themselves.
    pub body: OutboundBody,
}

/// Where an outbound file's bytes are read from.
#[derive(Debug, Clone)]
pub enum OutboundBody {
    /// In memory.
    Bytes(Arc<[u8]>),
    /// In a local file, best one whose name is already removed.
    File(Arc<File>),
}
