//! A house in memory behind the SFTP mailbox: it knows mailboxes, remembers what came, and fails when told to.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use supercargo::transport::port::{NotTaken, PortFuture, Unavailable};
use supercargo::transport::sftp_server::{
    AbandonedUpload, CompletedUpload, Login, LoginProof, MailboxEntry, MailboxIdentity,
    MailboxPort, OutboundBody, OutboundFile, OutboundRename,
};
use uuid::Uuid;

/// What an upload whose name says so meets.
pub const REFUSED_NAME: &str = "refuse-me.edi";
/// The house is out of order for this name, the first time.
pub const UNAVAILABLE_NAME: &str = "not-now.edi";
/// The house dies of a panic on this name.
pub const PANIC_NAME: &str = "panic.edi";
/// The house takes its time for this name.
pub const SLOW_NAME: &str = "slow.edi";
/// How long.
pub const SLOW: Duration = Duration::from_millis(1_500);

/// A file that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub id: Uuid,
    pub mailbox: String,
    pub name: String,
    pub bytes: Vec<u8>,
    pub sha256: String,
}

#[derive(Default)]
struct State {
    mailboxes: HashMap<String, Proofs>,
    outbound: HashMap<i64, BTreeMap<String, Arc<[u8]>>>,
    received: Vec<Received>,
    abandoned: Vec<(String, AbandonedUpload)>,
    picked_up: Vec<(String, String)>,
    banned: Vec<String>,
    unavailable_told: bool,
}

struct Proofs {
    identity: MailboxIdentity,
    password: Option<String>,
    key: Option<String>,
}

/// The house; clones are the same one.
#[derive(Clone, Default)]
pub struct House {
    state: Arc<Mutex<State>>,
    asked: Arc<AtomicUsize>,
    slow_begun: Arc<AtomicUsize>,
}

impl House {
    pub fn add_mailbox(&self, name: &str, password: Option<&str>, key: Option<&str>) -> i64 {
        let mut state = self.state.lock().expect("sound");
        let connection_id = 1 + state.mailboxes.len() as i64;
        let identity = MailboxIdentity {
            connection_id,
            name: name.to_owned(),
            login: "test".to_owned(),
        };
        let (password, key) = (password.map(str::to_owned), key.map(str::to_owned));
        state.mailboxes.insert(
            name.to_owned(),
            Proofs {
                identity,
                password,
                key,
            },
        );
        connection_id
    }

    pub fn put_outbound(&self, connection_id: i64, name: &str, bytes: &[u8]) {
        let mut state = self.state.lock().expect("sound");
        state
            .outbound
            .entry(connection_id)
            .or_default()
            .insert(name.to_owned(), bytes.into());
    }

    pub fn outbound_names(&self, connection_id: i64) -> Vec<String> {
        let state = self.state.lock().expect("sound");
        state
            .outbound
            .get(&connection_id)
            .map(|files| files.keys().cloned().collect())
            .unwrap_or_default()
    }

    pub fn received(&self) -> Vec<Received> {
        self.state.lock().expect("sound").received.clone()
    }

    pub fn abandoned(&self) -> Vec<(String, AbandonedUpload)> {
        self.state.lock().expect("sound").abandoned.clone()
    }

    pub fn picked_up(&self) -> Vec<(String, String)> {
        self.state.lock().expect("sound").picked_up.clone()
    }

    /// The mailbox of the last refused login of each address that was banned.
    pub fn banned(&self) -> Vec<String> {
        self.state.lock().expect("sound").banned.clone()
    }

    /// How many logins were put to the house.
    pub fn logins_asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// How many files of the name that takes time the house has begun with.
    pub fn slow_begun(&self) -> usize {
        self.slow_begun.load(Ordering::SeqCst)
    }

    fn entry(&self, mailbox: &MailboxIdentity, name: &str) -> Option<(MailboxEntry, Arc<[u8]>)> {
        let state = self.state.lock().expect("sound");
        let bytes = state
            .outbound
            .get(&mailbox.connection_id)?
            .get(name)?
            .clone();
        Some((entry(name, bytes.len()), bytes))
    }

    async fn receive(
        &self,
        mailbox: &MailboxIdentity,
        upload: CompletedUpload<'_>,
    ) -> Result<(), NotTaken> {
        match upload.name {
            REFUSED_NAME => {
                return Err(NotTaken::Refused {
                    reason: "not this one".to_owned(),
                });
            }
            PANIC_NAME => panic!("as the test wants it"),
            SLOW_NAME => {
                self.slow_begun.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(SLOW).await;
            }
            UNAVAILABLE_NAME => {
                let told = std::mem::replace(
                    &mut self.state.lock().expect("sound").unavailable_told,
                    true,
                );
                if !told {
                    return Err(Unavailable {
                        reason: "the database is gone".to_owned(),
                    }
                    .into());
                }
            }
            _ => {}
        }
        let bytes = std::fs::read(upload.spooled).expect("the spooled file is there");
        assert_eq!(bytes.len() as u64, upload.size);
        let received = Received {
            id: upload.id,
            mailbox: mailbox.name.clone(),
            name: upload.name.to_owned(),
            bytes,
            sha256: hex::encode(upload.sha256),
        };
        self.state.lock().expect("sound").received.push(received);
        Ok(())
    }
}

fn entry(name: &str, size: usize) -> MailboxEntry {
    let modified = DateTime::<Utc>::from_timestamp(1_700_000_000, 0).expect("a time");
    MailboxEntry {
        name: name.to_owned(),
        size: size as u64,
        modified,
    }
}

impl MailboxPort for House {
    fn authenticate<'a>(
        &'a self,
        login: Login<'a>,
    ) -> PortFuture<'a, Result<Option<MailboxIdentity>, Unavailable>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let state = self.state.lock().expect("sound");
        let found = state
            .mailboxes
            .get(login.mailbox)
            .filter(|proofs| match login.proof {
                LoginProof::Password(password) => proofs.password.as_deref() == Some(password),
                LoginProof::KeyOffered(key) | LoginProof::KeyProven(key) => {
                    proofs.key.as_ref() == Some(&key.openssh)
                }
            });
        let identity = found.map(|proofs| proofs.identity.clone());
        Box::pin(async { Ok(identity) })
    }

    fn address_banned<'a>(&'a self, mailbox: &'a str, _from: IpAddr) -> PortFuture<'a, ()> {
        let mut state = self.state.lock().expect("sound");
        state.banned.push(mailbox.to_owned());
        Box::pin(async {})
    }

    fn receive_upload<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        upload: CompletedUpload<'a>,
    ) -> PortFuture<'a, Result<(), NotTaken>> {
        Box::pin(self.receive(mailbox, upload))
    }

    fn upload_abandoned<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        upload: AbandonedUpload,
    ) -> PortFuture<'a, ()> {
        self.state
            .lock()
            .expect("sound")
            .abandoned
            .push((mailbox.name.clone(), upload));
        Box::pin(async {})
    }

    fn list_outbound<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        after: Option<&'a str>,
        limit: usize,
    ) -> PortFuture<'a, Result<Vec<MailboxEntry>, Unavailable>> {
        let state = self.state.lock().expect("sound");
        let files = state
            .outbound
            .get(&mailbox.connection_id)
            .into_iter()
            .flatten();
        let page = files
            .filter(|(name, _)| after.is_none_or(|after| name.as_str() > after))
            .take(limit);
        let page = page.map(|(name, bytes)| entry(name, bytes.len())).collect();
        Box::pin(async { Ok(page) })
    }

    fn find_outbound<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        name: &'a str,
    ) -> PortFuture<'a, Result<Option<MailboxEntry>, Unavailable>> {
        let found = self.entry(mailbox, name).map(|(entry, _)| entry);
        Box::pin(async { Ok(found) })
    }

    fn open_outbound<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        name: &'a str,
    ) -> PortFuture<'a, Result<Option<OutboundFile>, Unavailable>> {
        let found = self.entry(mailbox, name);
        let file = found.map(|(entry, bytes)| OutboundFile {
            entry,
            body: OutboundBody::Bytes(bytes),
        });
        Box::pin(async { Ok(file) })
    }

    fn picked_up<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        name: &'a str,
    ) -> PortFuture<'a, Result<(), Unavailable>> {
        self.state
            .lock()
            .expect("sound")
            .picked_up
            .push((mailbox.name.clone(), name.to_owned()));
        Box::pin(async { Ok(()) })
    }

    fn remove_outbound<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        name: &'a str,
    ) -> PortFuture<'a, Result<bool, Unavailable>> {
        let mut state = self.state.lock().expect("sound");
        let files = state.outbound.entry(mailbox.connection_id).or_default();
        let removed = files.remove(name).is_some();
        Box::pin(async move { Ok(removed) })
    }

    fn rename_outbound<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        from: &'a str,
        to: &'a str,
    ) -> PortFuture<'a, Result<OutboundRename, Unavailable>> {
        let mut state = self.state.lock().expect("sound");
        let files = state.outbound.entry(mailbox.connection_id).or_default();
        let outcome = if files.contains_key(to) {
            OutboundRename::NameTaken
        } else if let Some(bytes) = files.remove(from) {
            files.insert(to.to_owned(), bytes);
            OutboundRename::Renamed
        } else {
            OutboundRename::NoSuchFile
        };
        Box::pin(async move { Ok(outcome) })
    }
}
