//! Receive: the bytes are stored under their SHA-256 and a row is committed; only then does the sender get its OK.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{Gateway, trail};
use crate::domain::clock::Instant;
use crate::domain::ids::{ConnectionId, FileId, PartnerId};
use crate::storage::content::{NewContent, Placed, store_file};
use crate::storage::effort::{Effort, Spending};
use crate::storage::files::{FileRow, NewFile};
use crate::storage::journal::{NewAlert, Subject};
use crate::storage::work::Step;
use crate::storage::{Class, Connection, Failure};
use crate::transport::name::names_while_uploaded;
use crate::waypoint::{self, BEFORE_COMMIT, COMMITTED};

/// Where the bytes of an upload are.
#[derive(Debug, Clone)]
pub enum UploadSource {
    /// Spooled in a file, which the caller removes afterwards.
    Path(PathBuf),
    /// In memory.
    Bytes(Vec<u8>),
}

/// One complete upload.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Over which connection; none: by hand.
    pub connection: Option<ConnectionId>,
    /// For whom, where a person says so.
    pub partner: Option<PartnerId>,
    /// As the sender named it.
    pub name: String,
    /// The bytes.
    pub source: UploadSource,
    /// Who: the login of a mailbox, a user, `poll`.
    pub actor: String,
    /// What stays the same when this very upload is handed over again; a second time gives the first file.
    pub key: Option<String>,
}

/// The kind of the alert that a partner began a file and did not finish it.
const ABANDONED: &str = "upload-abandoned";

/// What the key of that alert begins with; the microsecond in which it was told follows.
fn abandoned_key(over: ConnectionId, name: &str) -> String {
    format!("{ABANDONED}:{over}:{name}:")
}

/// Tells that a partner began a file and did not finish it: one open alert for each name, the newest.
pub async fn tell_abandoned(
    connection: &mut Connection,
    over: ConnectionId,
    name: &str,
    message: String,
    at: Instant,
) -> Result<(), Failure> {
    let (key, subject) = (
        abandoned_key(over, name),
        Subject::new("connection", over.0),
    );
    let alert = NewAlert {
        key: format!("{key}{}", at.timestamp_micros()),
        kind: ABANDONED,
        partner: None,
        subject,
        message,
    };
    let newest = alert.key.clone();
    if connection.raise(at, alert).await? {
        connection
            .clear_alerts_numbered(at, ABANDONED, subject, &[key], (at, &newest))
            .await?;
    }
    Ok(())
}

/// Clears the alerts that files were begun over the same connection and not finished, under their names or the temporary
/// ones, where they were read and are not refused: they are whole now. What broke off after they came is told still.
pub(super) async fn clear_abandoned(
    connection: &mut Connection,
    files: &[&FileRow],
    at: Instant,
) -> Result<(), Failure> {
    const OF: &str = "connection";
    let over: BTreeSet<i64> = files.iter().filter_map(|file| file.connection_id).collect();
    if over.is_empty() {
        return Ok(());
    }
    let over: Vec<i64> = over.into_iter().collect();
    let told = connection.alerted(ABANDONED, OF, &over).await?;
    for file in files {
        let Some(over) = file.connection_id.filter(|over| told.contains(over)) else {
            continue;
        };
        let keys: Vec<String> = names_while_uploaded(&file.name)
            .iter()
            .map(|name| abandoned_key(ConnectionId(over), name))
            .collect();
        let received_at = Instant::from_timestamp_micros(file.received_at).unwrap_or(at);
        let subject = Subject::new(OF, over);
        connection
            .clear_alerts_numbered(at, ABANDONED, subject, &keys, (received_at, ""))
            .await?;
    }
    Ok(())
}

/// Stores an upload durably and asks for its reading. When this returns, the file can not be lost any more; killed
/// before, nothing of it is there and the sender has had no OK.
pub async fn receive(gateway: &Gateway, upload: Upload) -> Result<FileId, Failure> {
    let now = gateway.clock.now();
    let content = match &upload.source {
        UploadSource::Path(path) => store_file(&gateway.store, path, now).await?,
        UploadSource::Bytes(bytes) => Placed::WithItsRow(NewContent::new(bytes.clone())),
    };
    waypoint::pass("upload", "bytes stored");
    let size = content.address().size;
    let (name, from) = (upload.name.clone(), upload.actor.clone());
    let stored = Stored { upload, content };
    let id = gateway.reception.take_in(gateway, stored).await?;
    waypoint::pass("upload", COMMITTED);
    trail::received(id, &name, size, &from);
    gateway.wake();
    Ok(FileId(id))
}

/// Uploads that one transaction takes in at most.
const TOGETHER_MAX: usize = 64;
/// After so long the next transaction begins, whether this one has ended or not.
const TURN_MAX: Duration = Duration::from_secs(1);

/// An upload with its bytes.
#[derive(Clone)]
struct Stored {
    upload: Upload,
    content: Placed,
}

/// An upload that waits for its transaction, and who is told of it.
struct Waiting {
    stored: Stored,
    told: oneshot::Sender<Result<i64, Failure>>,
}

/// Takes uploads in: while one transaction is under way those that come meanwhile wait, and the next takes them together.
/// Each is told of its own end.
#[derive(Default)]
pub(super) struct Reception {
    waiting: Mutex<Vec<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

impl Reception {
    async fn take_in(self: &Arc<Self>, gateway: &Gateway, stored: Stored) -> Result<i64, Failure> {
        let (told, outcome) = oneshot::channel();
        self.waiting().push(Waiting { stored, told });
        let (reception, gateway) = (self.clone(), gateway.clone());
        // A task of its own: others are told by it, and go on waiting where whoever sent this one has gone away.
        tokio::spawn(async move {
            let turn = reception.turn.lock().await;
            let next = reception.next();
            if next.is_empty() {
                return;
            }
            let taking = take_in_together(&gateway, next);
            tokio::pin!(taking);
            // A database that does not answer keeps nobody but those it was asked for.
            if timeout(TURN_MAX, &mut taking).await.is_err() {
                drop(turn);
                taking.await;
            }
        });
        outcome.await.unwrap_or(Err(Failure::Fault))
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next that are taken in together, in the order they came in.
    fn next(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting();
        let most = waiting.len().min(TOGETHER_MAX);
        waiting.drain(..most).collect()
    }
}

/// Takes uploads in, and tells each. Where that fails for all together each is tried by itself, for it may lie with one.
async fn take_in_together(gateway: &Gateway, next: Vec<Waiting>) {
    let (stored, told): (Vec<Stored>, Vec<_>) = next
        .into_iter()
        .map(|waiting| (waiting.stored, waiting.told))
        .unzip();
    let outcomes: Vec<Result<i64, Failure>> = match commit(gateway, stored.clone()).await {
        Ok(ids) => ids.into_iter().map(Ok).collect(),
        Err(failure) if stored.len() == 1 => vec![Err(failure)],
        Err(failure) if !failure.may_lie_with_one() => {
            let sentence = failure.to_string();
            let mut failure = Some(failure);
            let fail = |_| {
                Err(failure
                    .take()
                    .unwrap_or_else(|| Failure::of_others(&sentence)))
            };
            stored.iter().map(fail).collect()
        }
        Err(_) => {
            let alone = stored.into_iter().map(|stored| async {
                let ids = commit(gateway, vec![stored]).await?;
                ids.first().copied().ok_or(Failure::Fault)
            });
            join_all(alone).await
        }
    };
    for (told, outcome) in told.into_iter().zip(outcomes) {
        // Who sent it may have gone away; the file is here all the same.
        let _ = told.send(outcome);
    }
}

/// Takes uploads in, in one transaction: their numbers.
async fn commit(gateway: &Gateway, stored: Vec<Stored>) -> Result<Vec<i64>, Failure> {
    let now = gateway.clock.now();
    let stored = Arc::new(stored);
    gateway
        .store
        .write(Class::Urgent, move |connection| {
            let stored = stored.clone();
            Box::pin(async move {
                let _working = Spending::begin(Effort::Working);
                let ids = add(connection, &stored, now).await?;
                waypoint::pass("upload", BEFORE_COMMIT);
                Ok(ids)
            })
        })
        .await
}

async fn add(
    connection: &mut Connection,
    stored: &[Stored],
    now: Instant,
) -> Result<Vec<i64>, Failure> {
    let key = |stored: &Stored| Some(format!("upload:{}", stored.upload.key.as_ref()?));
    let keys: Vec<String> = stored.iter().filter_map(key).collect();
    let mut known: HashMap<String, i64> = connection.effects_of(&keys).await?;
    let mut keys = HashSet::new();
    let fresh: Vec<&Stored> = stored
        .iter()
        .filter(|stored| {
            key(stored).is_none_or(|key| !known.contains_key(&key) && keys.insert(key))
        })
        .collect();
    let contents = fresh.iter().filter_map(|stored| match &stored.content {
        Placed::WithItsRow(new) => Some(new.clone()),
        Placed::Already(_) => None,
    });
    connection.put_contents(contents.collect(), now).await?;
    let ids = connection.identities("file", fresh.len()).await?;
    let keys: Vec<(String, i64)> = fresh
        .iter()
        .zip(&ids)
        .filter_map(|(stored, id)| Some((key(stored)?, *id)))
        .collect();
    connection.claim_new_effects(&keys).await?;
    let over = |stored: &Stored| stored.upload.connection.map(|id| id.0);
    let files: Vec<NewFile<'_>> = fresh
        .iter()
        .zip(&ids)
        .map(|(stored, id)| NewFile {
            id: *id,
            connection: over(stored),
            partner: stored.upload.partner.map(|id| id.0),
            name: &stored.upload.name,
            content: stored.content.address(),
            by: &stored.upload.actor,
        })
        .collect();
    connection.add_files(&files, now).await?;
    // The files of one connection are read in the order they came in.
    let lanes: Vec<(i64, i64)> = files
        .iter()
        .map(|file| (file.connection.unwrap_or_default(), file.id))
        .collect();
    connection.ask_for_each(Step::Read, &lanes, now).await?;
    known.extend(keys);
    let mut keyless = fresh
        .iter()
        .zip(ids)
        .filter(|(stored, _)| key(stored).is_none());
    let numbers = stored.iter().map(|stored| match key(stored) {
        Some(key) => known.get(&key).copied(),
        None => keyless.next().map(|(_, id)| id),
    });
    numbers.map(|number| number.ok_or(Failure::Fault)).collect()
}
