//! How a played partner exchanges files: as an SFTP client of our mailbox, or as the owner of a server that we visit.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use chrono::{DateTime, Utc};

use crate::transport::port::{NotTaken, PortFuture, Unavailable};
use crate::transport::sftp_server::{
    AbandonedUpload, CompletedUpload, Login, LoginProof, MailboxEntry, MailboxIdentity,
    MailboxPort, OutboundBody, OutboundFile, OutboundRename,
};

/// A file as the partner has it.
#[derive(Debug, Clone)]
pub struct PartnerFile {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What went wrong on the partner's side of the wire.
#[derive(Debug, thiserror::Error)]
#[error("the played partner {partner} could not {doing}: {why}")]
pub struct WireError {
    partner: String,
    doing: String,
    why: String,
}

/// A partner's way to exchange files.
pub enum Wire {
    /// It logs in at our mailbox with its key.
    Client {
        /// Address of the mailbox.
        address: String,
        /// Login name.
        user: String,
        /// Private key.
        key: PathBuf,
        /// The host key that it has pinned: `ssh-ed25519 AAAA…`.
        host_key: String,
    },
    /// It has a server of its own, and we visit that.
    Host(Arc<PartnerServer>),
}

impl Wire {
    /// Gives us a file: uploaded under a temporary name and renamed, or laid out on its own server.
    pub fn give(&self, file: PartnerFile) -> Result<(), WireError> {
        match self {
            Self::Host(server) => {
                server.state().offered.insert(file.name, file.bytes);
                Ok(())
            }
            Self::Client { .. } => {
                let name = file.name.clone();
                self.upload(&file)
                    .map_err(|error| self.failed(&format!("upload {name}"), &error))
            }
        }
    }

    /// Takes everything that we have for it, and takes it away where it lay.
    pub fn take(&self) -> Result<Vec<PartnerFile>, WireError> {
        match self {
            Self::Host(server) => Ok(std::mem::take(&mut server.state().delivered)),
            Self::Client { .. } => self
                .download()
                .map_err(|error| self.failed("collect its files", &error)),
        }
    }

    /// Files that lie on its own server and that we have not fetched yet.
    pub fn unfetched(&self) -> usize {
        match self {
            Self::Host(server) => server.state().offered.len(),
            Self::Client { .. } => 0,
        }
    }

    fn failed(&self, doing: &str, error: &dyn std::fmt::Display) -> WireError {
        let partner = match self {
            Self::Client { user, .. } => user.clone(),
            Self::Host(_) => String::new(),
        };
        WireError {
            partner,
            doing: doing.to_owned(),
            why: error.to_string(),
        }
    }

    fn session(&self) -> Result<ssh2::Sftp, Box<dyn std::error::Error>> {
        let Self::Client {
            address,
            user,
            key,
            host_key,
        } = self
        else {
            return Err("it has its own server".into());
        };
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut session = ssh2::Session::new()?;
        session.set_timeout(20_000);
        session.set_tcp_stream(stream);
        session.handshake()?;
        check_host(&session, address, host_key)?;
        session.userauth_pubkey_file(user, None, key, None)?;
        Ok(session.sftp()?)
    }

    fn upload(&self, file: &PartnerFile) -> Result<(), Box<dyn std::error::Error>> {
        let sftp = self.session()?;
        let temporary = format!("/inbound/{}.tmp", file.name);
        let last = format!("/inbound/{}", file.name);
        let mut remote = sftp.create(Path::new(&temporary))?;
        remote.write_all(&file.bytes)?;
        remote.close()?;
        sftp.rename(Path::new(&temporary), Path::new(&last), None)?;
        Ok(())
    }

    fn download(&self) -> Result<Vec<PartnerFile>, Box<dyn std::error::Error>> {
        let sftp = self.session()?;
        let mut files = Vec::new();
        for (path, _) in sftp.readdir(Path::new("/outbound"))? {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            let mut bytes = Vec::new();
            sftp.open(&path)?.read_to_end(&mut bytes)?;
            sftp.unlink(&path)?;
            files.push(PartnerFile { name, bytes });
        }
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(files)
    }
}

/// The host key must be the one that the partner has pinned.
fn check_host(
    session: &ssh2::Session,
    address: &str,
    pinned: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let (host, port) = address.rsplit_once(':').ok_or("the address has no port")?;
    let port: u16 = port.parse()?;
    let mut known = session.known_hosts()?;
    known.read_str(
        &format!("[{host}]:{port} {pinned}"),
        ssh2::KnownHostFileKind::OpenSSH,
    )?;
    let (shown, _) = session.host_key().ok_or("the server showed no host key")?;
    match known.check_port(host, port, shown) {
        ssh2::CheckResult::Match => Ok(()),
        _ => Err("the host key is not the pinned one".into()),
    }
}

/// What lies on the partner's own server.
#[derive(Default)]
pub struct Shelf {
    /// For us to fetch: name → bytes.
    pub offered: BTreeMap<String, Vec<u8>>,
    /// What we delivered.
    pub delivered: Vec<PartnerFile>,
}

/// The port of a partner's own SFTP server: it knows one login, ours.
pub struct PartnerServer {
    /// Our login name there.
    pub user: String,
    /// Our public key, as the partner has it on file.
    pub key: String,
    shelf: Mutex<Shelf>,
}

impl PartnerServer {
    /// A server that knows us by this key.
    pub fn new(user: &str, key: &str) -> Self {
        Self {
            user: user.to_owned(),
            key: key.to_owned(),
            shelf: Mutex::default(),
        }
    }

    /// What lies on it.
    pub fn state(&self) -> MutexGuard<'_, Shelf> {
        self.shelf
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn entry(&self, name: &str) -> Option<MailboxEntry> {
        self.state()
            .offered
            .get(name)
            .map(|bytes| entry(name, bytes))
    }
}

fn entry(name: &str, bytes: &[u8]) -> MailboxEntry {
    MailboxEntry {
        name: name.to_owned(),
        size: bytes.len() as u64,
        modified: DateTime::<Utc>::UNIX_EPOCH,
    }
}

impl MailboxPort for PartnerServer {
    fn authenticate<'a>(
        &'a self,
        login: Login<'a>,
    ) -> PortFuture<'a, Result<Option<MailboxIdentity>, Unavailable>> {
        Box::pin(async move {
            let known = match login.proof {
                LoginProof::KeyOffered(key) | LoginProof::KeyProven(key) => {
                    key.openssh.trim() == self.key.trim()
                }
                LoginProof::Password(_) => false,
            };
            let identity = MailboxIdentity {
                connection_id: 1,
                name: self.user.clone(),
                login: login.proof.said(),
            };
            Ok((known && login.mailbox == self.user).then_some(identity))
        })
    }

    fn address_banned<'a>(&'a self, _: &'a str, _: IpAddr) -> PortFuture<'a, ()> {
        Box::pin(async {})
    }

    fn receive_upload<'a>(
        &'a self,
        _: &'a MailboxIdentity,
        upload: CompletedUpload<'a>,
    ) -> PortFuture<'a, Result<(), NotTaken>> {
        Box::pin(async move {
            let bytes = std::fs::read(upload.spooled).map_err(|error| {
                NotTaken::Unavailable(Unavailable {
                    reason: error.to_string(),
                })
            })?;
            self.state().delivered.push(PartnerFile {
                name: upload.name.to_owned(),
                bytes,
            });
            Ok(())
        })
    }

    fn upload_abandoned<'a>(
        &'a self,
        _: &'a MailboxIdentity,
        _: AbandonedUpload,
    ) -> PortFuture<'a, ()> {
        Box::pin(async {})
    }

    fn list_outbound<'a>(
        &'a self,
        _: &'a MailboxIdentity,
        after: Option<&'a str>,
        limit: usize,
    ) -> PortFuture<'a, Result<Vec<MailboxEntry>, Unavailable>> {
        Box::pin(async move {
            let shelf = self.state();
            let later = shelf
                .offered
                .iter()
                .filter(|(name, _)| after.is_none_or(|after| name.as_str() > after));
            Ok(later
                .take(limit)
                .map(|(name, bytes)| entry(name, bytes))
                .collect())
        })
    }

    fn find_outbound<'a>(
        &'a self,
        _: &'a MailboxIdentity,
        name: &'a str,
    ) -> PortFuture<'a, Result<Option<MailboxEntry>, Unavailable>> {
        Box::pin(async move { Ok(self.entry(name)) })
    }

    fn open_outbound<'a>(
        &'a self,
        _: &'a MailboxIdentity,
        name: &'a str,
    ) -> PortFuture<'a, Result<Option<OutboundFile>, Unavailable>> {
        Box::pin(async move {
            let shelf = self.state();
            Ok(shelf.offered.get(name).map(|bytes| OutboundFile {
                entry: entry(name, bytes),
                body: OutboundBody::Bytes(Arc::from(bytes.as_slice())),
            }))
        })
    }

    fn picked_up<'a>(
        &'a self,
        _: &'a MailboxIdentity,
        _: &'a str,
    ) -> PortFuture<'a, Result<(), Unavailable>> {
        Box::pin(async { Ok(()) })
    }

    fn remove_outbound<'a>(
        &'a self,
        _: &'a MailboxIdentity,
        name: &'a str,
    ) -> PortFuture<'a, Result<bool, Unavailable>> {
        Box::pin(async move { Ok(self.state().offered.remove(name).is_some()) })
    }

    fn rename_outbound<'a>(
        &'a self,
        _: &'a MailboxIdentity,
        from: &'a str,
        to: &'a str,
    ) -> PortFuture<'a, Result<OutboundRename, Unavailable>> {
        Box::pin(async move {
            let mut shelf = self.state();
            if shelf.offered.contains_key(to) {
                return Ok(OutboundRename::NameTaken);
            }
            let Some(bytes) = shelf.offered.remove(from) else {
                return Ok(OutboundRename::NoSuchFile);
            };
            shelf.offered.insert(to.to_owned(), bytes);
            Ok(OutboundRename::Renamed)
        })
    }
}
