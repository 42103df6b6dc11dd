//! Fills the mailbox's port: logins from the database, uploads into `receive`, `outbound/` as a listing of rows.

use std::net::IpAddr;
use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordVerifier};
use chrono::DateTime;

use crate::domain::ids::ConnectionId;
use crate::storage::documents::TransmissionRow;
use crate::storage::journal::{NewAlert, Subject};
use crate::storage::{Class, Failure};
use crate::transport::port::{NotTaken, PortFuture, Unavailable};
use crate::transport::sftp_server::{
    AbandonedUpload, CompletedUpload, Login, LoginProof, MailboxEntry, MailboxIdentity,
    MailboxPort, OutboundBody, OutboundFile, OutboundRename,
};
use crate::waypoint::{self, BEFORE_COMMIT, COMMITTED};
use crate::workflow::receive::{Upload, UploadSource, receive, tell_abandoned};
use crate::workflow::{Gateway, trail};

/// The mailbox's port over a gateway.
pub struct Mailboxes {
    gateway: Gateway,
}

impl Mailboxes {
    /// The port.
    pub fn new(gateway: Gateway) -> Self {
        Self { gateway }
    }

    /// What a client is told when the house fails; what failed is kept in mind for ops.
    fn unavailable(&self, failure: &Failure) -> Unavailable {
        tracing::error!(%failure, "the mailbox could not do what its client asked for");
        self.gateway.outage.note(self.gateway.now(), failure);
        Unavailable {
            reason: "the gateway can not take it now; try again".to_owned(),
        }
    }

    async fn entry(
        &self,
        mailbox: &MailboxIdentity,
        name: &str,
    ) -> Result<Option<TransmissionRow>, Failure> {
        self.gateway
            .store
            .read()
            .await?
            .outbound_named(mailbox.connection_id, name)
            .await
    }

    async fn fetched(
        &self,
        mailbox: &MailboxIdentity,
        name: &str,
        removed: bool,
    ) -> Result<bool, Failure> {
        let Some(row) = self.entry(mailbox, name).await? else {
            return Ok(false);
        };
        let (now, by) = (self.gateway.now(), receipt(mailbox));
        self.gateway
            .store
            .write(Class::Ordinary, move |connection| {
                let by = by.clone();
                Box::pin(async move {
                    connection.pick_up(row.id, &by, removed, now).await?;
                    waypoint::pass("pickup", BEFORE_COMMIT);
                    Ok(())
                })
            })
            .await?;
        waypoint::pass("pickup", COMMITTED);
        trail::picked_up(&self.gateway, row.id).await;
        Ok(true)
    }

    async fn renamed(
        &self,
        mailbox: &MailboxIdentity,
        from: &str,
        to: &str,
    ) -> Result<OutboundRename, Failure> {
        let Some(row) = self.entry(mailbox, from).await? else {
            return Ok(OutboundRename::NoSuchFile);
        };
        let (now, by, to) = (self.gateway.now(), receipt(mailbox), to.to_owned());
        self.gateway
            .store
            .write(Class::Ordinary, move |connection| {
                let (by, to) = (by.clone(), to.clone());
                Box::pin(async move {
                    if !connection.rename_transmission(row.id, &to).await? {
                        return Ok(OutboundRename::NameTaken);
                    }
                    connection.pick_up(row.id, &by, false, now).await?;
                    Ok(OutboundRename::Renamed)
                })
            })
            .await
    }

    async fn logged_in(&self, login: Login<'_>) -> Result<Option<MailboxIdentity>, Failure> {
        let logins = self
            .gateway
            .store
            .read()
            .await?
            .mailbox_logins(login.mailbox)
            .await?;
        let Some(first) = logins.first() else {
            return Ok(None);
        };
        let identity = MailboxIdentity {
            connection_id: first.connection_id,
            name: login.mailbox.to_owned(),
            login: login.proof.said(),
        };
        let known = match login.proof {
            LoginProof::Password(password) => {
                let hashes: Vec<String> = logins
                    .into_iter()
                    .filter(|row| row.kind == "password")
                    .map(|row| row.secret)
                    .collect();
                let password = password.to_owned();
                // Argon2 takes its time on purpose: not on the runtime's threads.
                tokio::task::spawn_blocking(move || {
                    hashes.iter().any(|hash| password_fits(hash, &password))
                })
                .await
                .unwrap_or(false)
            }
            LoginProof::KeyOffered(key) | LoginProof::KeyProven(key) => logins
                .iter()
                .any(|row| row.kind == "key" && same_key(&row.secret, &key.openssh)),
        };
        Ok(known.then_some(identity))
    }

    async fn taken(
        &self,
        mailbox: &MailboxIdentity,
        upload: CompletedUpload<'_>,
    ) -> Result<(), Failure> {
        let upload = Upload {
            connection: Some(ConnectionId(mailbox.connection_id)),
            partner: None,
            name: upload.name.to_owned(),
            source: UploadSource::Path(upload.spooled.to_owned()),
            actor: mailbox.name.clone(),
            key: Some(upload.id.to_string()),
        };
        waypoint::pass("upload", "spooled");
        receive(&self.gateway, upload).await?;
        waypoint::pass("upload", "before the OK");
        Ok(())
    }

    async fn abandoned(
        &self,
        mailbox: &MailboxIdentity,
        upload: AbandonedUpload,
    ) -> Result<(), Failure> {
        let now = self.gateway.now();
        let over = ConnectionId(mailbox.connection_id);
        let came_since = self
            .gateway
            .store
            .read()
            .await?
            .has_received_since(over, &upload.name, upload.last_at)
            .await?;
        if came_since {
            // A broken connection may be noticed long after the client sent the file again over another.
            return Ok(());
        }
        let message = format!(
            "{} began to upload {:?} and did not finish it ({} bytes came; {}): nothing of it was taken. What to do: nothing, unless the partner does not send it again",
            mailbox.name, upload.name, upload.received, upload.cause
        );
        let name = upload.name;
        self.gateway
            .store
            .write(Class::Ordinary, move |connection| {
                let (name, message) = (name.clone(), message.clone());
                Box::pin(async move { tell_abandoned(connection, over, &name, message, now).await })
            })
            .await
    }

    /// Tells ops, once a day for each mailbox, where the mailbox exists; who tries names at random is not worth an alert.
    async fn banned(&self, mailbox: &str, from: IpAddr) -> Result<(), Failure> {
        let known = self
            .gateway
            .store
            .read()
            .await?
            .connection_named(mailbox)
            .await?;
        let Some(known) = known.filter(|known| known.kind == "mailbox") else {
            return Ok(());
        };
        let connection_id = known.id;
        let now = self.gateway.now();
        let alert = NewAlert {
            key: format!("logins-refused:{connection_id}:{}", now.date_naive()),
            kind: "logins-refused",
            partner: None,
            subject: Subject::new("connection", connection_id),
            message: format!(
                "So many logins to {mailbox} from {from} were refused that it may not connect for a while. What to do: where that is the partner, its key or password is another one now: ask for it and give it with `supercargo mailbox add {mailbox}`; where it is not, nothing"
            ),
        };
        self.raise(alert).await
    }

    async fn raise(&self, alert: NewAlert) -> Result<(), Failure> {
        let now = self.gateway.now();
        self.gateway
            .store
            .write(Class::Ordinary, move |connection| {
                let alert = alert.clone();
                Box::pin(async move { connection.raise(now, alert).await.map(|_| ()) })
            })
            .await
    }

    async fn listed(
        &self,
        mailbox: &MailboxIdentity,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<MailboxEntry>, Failure> {
        let rows = self
            .gateway
            .store
            .read()
            .await?
            .outbound(mailbox.connection_id)
            .await?;
        let mut entries: Vec<MailboxEntry> = rows.iter().map(shown).collect();
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries
            .into_iter()
            .filter(|entry| after.is_none_or(|after| entry.name.as_str() > after))
            .take(limit)
            .collect())
    }

    async fn opened(
        &self,
        mailbox: &MailboxIdentity,
        name: &str,
    ) -> Result<Option<OutboundFile>, Failure> {
        let Some(row) = self.entry(mailbox, name).await? else {
            return Ok(None);
        };
        let bytes = self
            .gateway
            .store
            .read()
            .await?
            .content(&row.sha256)
            .await?;
        Ok(Some(OutboundFile {
            entry: shown(&row),
            body: OutboundBody::Bytes(Arc::from(bytes)),
        }))
    }
}

fn shown(row: &TransmissionRow) -> MailboxEntry {
    MailboxEntry {
        name: row.name.clone(),
        size: u64::try_from(row.size).unwrap_or_default(),
        modified: DateTime::from_timestamp_micros(row.created_at).unwrap_or_default(),
    }
}

/// Who fetched a file: the mailbox, and how its client logged in.
fn receipt(mailbox: &MailboxIdentity) -> String {
    format!("{} ({})", mailbox.name, mailbox.login)
}

/// Whether a password fits an argon2 hash.
pub fn password_fits(hash: &str, password: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

/// Kind and blob of a public key line, without options and comment.
fn key_of(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace().skip_while(|word| {
        !word.starts_with("ssh-") && !word.starts_with("ecdsa-") && !word.starts_with("sk-")
    });
    Some((words.next()?, words.next()?))
}

fn same_key(one: &str, other: &str) -> bool {
    key_of(one).is_some_and(|key| Some(key) == key_of(other))
}

impl MailboxPort for Mailboxes {
    fn authenticate<'a>(
        &'a self,
        login: Login<'a>,
    ) -> PortFuture<'a, Result<Option<MailboxIdentity>, Unavailable>> {
        Box::pin(async move {
            self.logged_in(login)
                .await
                .map_err(|failure| self.unavailable(&failure))
        })
    }

    fn address_banned<'a>(&'a self, mailbox: &'a str, from: IpAddr) -> PortFuture<'a, ()> {
        Box::pin(async move {
            if let Err(failure) = self.banned(mailbox, from).await {
                tracing::error!(%failure, mailbox, "ops could not be told of refused logins");
            }
        })
    }

    fn receive_upload<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        upload: CompletedUpload<'a>,
    ) -> PortFuture<'a, Result<(), NotTaken>> {
        Box::pin(async move {
            self.taken(mailbox, upload)
                .await
                .map_err(|failure| NotTaken::Unavailable(self.unavailable(&failure)))
        })
    }

    fn upload_abandoned<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        upload: AbandonedUpload,
    ) -> PortFuture<'a, ()> {
        Box::pin(async move {
            if let Err(failure) = self.abandoned(mailbox, upload).await {
                self.gateway.outage.note(self.gateway.now(), &failure);
                tracing::error!(%failure, "an abandoned upload could not be noted");
            }
        })
    }

    fn list_outbound<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        after: Option<&'a str>,
        limit: usize,
    ) -> PortFuture<'a, Result<Vec<MailboxEntry>, Unavailable>> {
        Box::pin(async move {
            self.listed(mailbox, after, limit)
                .await
                .map_err(|failure| self.unavailable(&failure))
        })
    }

    fn find_outbound<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        name: &'a str,
    ) -> PortFuture<'a, Result<Option<MailboxEntry>, Unavailable>> {
        Box::pin(async move {
            let row = self
                .entry(mailbox, name)
                .await
                .map_err(|failure| self.unavailable(&failure))?;
            Ok(row.as_ref().map(shown))
        })
    }

    fn open_outbound<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        name: &'a str,
    ) -> PortFuture<'a, Result<Option<OutboundFile>, Unavailable>> {
        Box::pin(async move {
            self.opened(mailbox, name)
                .await
                .map_err(|failure| self.unavailable(&failure))
        })
    }

    fn picked_up<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        name: &'a str,
    ) -> PortFuture<'a, Result<(), Unavailable>> {
        Box::pin(async move {
            self.fetched(mailbox, name, false)
                .await
                .map(|_| ())
                .map_err(|failure| self.unavailable(&failure))
        })
    }

    fn remove_outbound<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        name: &'a str,
    ) -> PortFuture<'a, Result<bool, Unavailable>> {
        Box::pin(async move {
            self.fetched(mailbox, name, true)
                .await
                .map_err(|failure| self.unavailable(&failure))
        })
    }

    fn rename_outbound<'a>(
        &'a self,
        mailbox: &'a MailboxIdentity,
        from: &'a str,
        to: &'a str,
    ) -> PortFuture<'a, Result<OutboundRename, Unavailable>> {
        Box::pin(async move {
            self.renamed(mailbox, from, to)
                .await
                .map_err(|failure| self.unavailable(&failure))
        })
    }
}
