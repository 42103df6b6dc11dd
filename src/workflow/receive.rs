//! Receive: the bytes are stored under their SHA-256 and a row is committed; only then does the sender get its OK.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{Gateway, trail};
use crate::domain::clock::Instant;
use crate::domain::ids::{ConnectionId, FileId, PartnerId};
use crate::storage::content::{ContentAddress, address, store_file};
use crate::storage::effort::{Effort, Spending};
use crate::storage::files::FileRow;
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
    let (content, bytes) = match &upload.source {
        UploadSource::Path(path) => store_file(&gateway.store, path, now).await?,
        UploadSource::Bytes(bytes) => (address(bytes), Some(bytes.clone())),
    };
    waypoint::pass("upload", "bytes stored");
    let size = content.size;
    let (name, from) = (upload.name.clone(), upload.actor.clone());
    let id = commit(gateway, upload, content, bytes).await?;
    waypoint::pass("upload", COMMITTED);
    trail::received(id, &name, size, &from);
    gateway.wake();
    Ok(FileId(id))
}

async fn commit(
    gateway: &Gateway,
    upload: Upload,
    content: ContentAddress,
    bytes: Option<Vec<u8>>,
) -> Result<i64, Failure> {
    let now = gateway.clock.now();
    gateway
        .store
        .write(Class::Urgent, move |connection| {
            let (upload, content, bytes) = (upload.clone(), content.clone(), bytes.clone());
            Box::pin(async move {
                let _working = Spending::begin(Effort::Working);
                let key = upload.key.as_ref().map(|key| format!("upload:{key}"));
                if let Some(key) = &key
                    && let Some(earlier) = connection.effect(key).await?
                {
                    return Ok(earlier);
                }
                if let Some(bytes) = bytes {
                    connection
                        .put_contents(vec![(content.clone(), bytes)], now)
                        .await?;
                }
                let id = connection.identity("file").await?;
                if let Some(key) = &key {
                    connection.claim_new_effect(key, id).await?;
                }
                let over = upload.connection.map(|id| id.0);
                connection
                    .add_file(
                        id,
                        over,
                        upload.partner.map(|id| id.0),
                        &upload.name,
                        &content,
                        &upload.actor,
                        now,
                    )
                    .await?;
                // The files of one connection are read in the order they came in.
                connection
                    .ask_for(Step::Read, over.unwrap_or_default(), &[id], now)
                    .await?;
                waypoint::pass("upload", BEFORE_COMMIT);
                Ok(id)
            })
        })
        .await
}
