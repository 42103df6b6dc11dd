//! `/inbound`: files come in, at any offset, and are received when they are whole.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use russh_sftp::protocol::OpenFlags;
use tokio::time::Instant;

use super::answer::Refused;
use super::desk::Waiting;
use super::port::{AbandonCause, AbandonedUpload, CompletedUpload, MailboxEntry};
use super::session::{MailboxSession, Open};
use super::shared::Shared;
use super::upload::{Upload, WholeFile};
use crate::transport::name::is_temporary;
use crate::transport::port::NotTaken;

impl MailboxSession {
    /// Begins an upload, or goes on with one that waits for its rename.
    pub(super) fn open_upload(&mut self, name: String, flags: OpenFlags) -> Result<Open, Refused> {
        if !flags.contains(OpenFlags::WRITE) {
            return Err(Refused::denied("what lies in /inbound cannot be read"));
        }
        let limit = self.shared.limits.file_bytes;
        let known = self
            .inbound_entries()
            .iter()
            .any(|entry| entry.name == name);
        if known && flags.contains(OpenFlags::EXCLUDE) {
            return Err(Refused::failed("there is a file of this name already"));
        }
        if !known && !flags.contains(OpenFlags::CREATE) {
            return Err(Refused::missing("there is no such file in /inbound"));
        }
        if known && !flags.contains(OpenFlags::TRUNCATE) {
            // Only what waits can be added to; what is received is out of the partner's hands.
            if let Some(waiting) = self.shared.desk.take(self.mailbox.connection_id, &name) {
                let upload = Box::new(Upload::resume(waiting.file, limit));
                return Ok(Open::Upload { name, upload });
            }
            if !self.is_open(&name) {
                return Err(received_already());
            }
        }
        let reservation = self
            .shared
            .desk
            .reserve_file(self.mailbox.connection_id, Instant::now())?;
        let spool = self.shared.spool.new_file().map_err(|error| {
            tracing::error!(%error, "an upload cannot begin");
            Refused::failed("the server cannot store files at the moment; try again later")
        })?;
        let upload = Box::new(Upload::new(spool, reservation, limit));
        Ok(Open::Upload { name, upload })
    }

    /// A closed file is received, or waits for its rename when its name says so.
    pub(super) async fn close_upload(
        &mut self,
        name: String,
        upload: Upload,
    ) -> Result<(), Refused> {
        let (received, modified) = (upload.received(), upload.modified());
        let file = match upload.finish().await {
            Ok(file) => file,
            Err(fault) => {
                let cause = AbandonCause::Broken(fault.to_string());
                self.abandon(name, received, modified, cause).await;
                return Err(fault.into());
            }
        };
        if is_temporary(&name) {
            self.put_aside(name, file, modified);
            return Ok(());
        }
        // What the house refuses it knows of; the client hears why and keeps its file.
        Ok(self.receive(&name, &file, modified).await?)
    }

    /// A rename out of a temporary name is the arrival of the file. What is not taken then keeps its temporary name,
    /// so that the client may try again.
    pub(super) async fn rename_inbound(&mut self, from: &str, to: String) -> Result<(), Refused> {
        let Some(waiting) = self.shared.desk.take(self.mailbox.connection_id, from) else {
            return self.rename_received(from, to);
        };
        if is_temporary(&to) {
            self.put_aside(to, waiting.file, waiting.modified);
            return Ok(());
        }
        match self.receive(&to, &waiting.file, waiting.modified).await {
            Ok(()) => Ok(()),
            Err(refused) => {
                self.shared.desk.put_aside(from.to_owned(), waiting);
                Err(refused.into())
            }
        }
    }

    /// Some clients upload under a temporary name that we do not know as one. The file is received by then, and the
    /// rename changes nothing but what this session is shown: a refusal would make them send it again.
    fn rename_received(&mut self, from: &str, to: String) -> Result<(), Refused> {
        if self.is_open(from) {
            return Err(Refused::failed("this file is still open; close it first"));
        }
        let place = self.received.iter().position(|entry| entry.name == from);
        let entry = place.and_then(|place| self.received.remove(place));
        let Some(entry) = entry else {
            return Err(Refused::missing("there is no such file in /inbound"));
        };
        tracing::info!(
            mailbox = %self.mailbox.name, received_as = from, renamed_to = to,
            "a received file was renamed; it stays received under its first name"
        );
        self.note_received(MailboxEntry { name: to, ..entry });
        Ok(())
    }

    pub(super) fn remove_inbound(&mut self, name: &str) -> Result<(), Refused> {
        if self
            .shared
            .desk
            .take(self.mailbox.connection_id, name)
            .is_some()
        {
            return Ok(());
        }
        if self
            .inbound_entries()
            .iter()
            .any(|entry| entry.name == name)
        {
            return Err(if self.is_open(name) {
                Refused::failed("this file is still open; close it first")
            } else {
                received_already()
            });
        }
        Err(Refused::missing("there is no such file in /inbound"))
    }

    /// Hands a whole file to the house, which answers when it is committed.
    async fn receive(
        &mut self,
        name: &str,
        file: &WholeFile,
        modified: DateTime<Utc>,
    ) -> Result<(), NotTaken> {
        let upload = CompletedUpload {
            id: file.id,
            name,
            spooled: file.spool.path(),
            size: file.size,
            sha256: file.sha256,
            from: self.from,
        };
        let taken = self.shared.port.receive_upload(&self.mailbox, upload).await;
        match &taken {
            Ok(()) => {
                tracing::info!(mailbox = %self.mailbox.name, name, size = file.size, "a file was received");
                let (name, size) = (name.to_owned(), file.size);
                self.note_received(MailboxEntry {
                    name,
                    size,
                    modified,
                });
            }
            Err(error) => {
                tracing::warn!(mailbox = %self.mailbox.name, name, size = file.size, %error, "a file was not taken");
            }
        }
        taken
    }

    fn put_aside(&mut self, name: String, file: WholeFile, modified: DateTime<Utc>) {
        let waiting = Waiting {
            mailbox: self.mailbox.clone(),
            file,
            modified,
            from: self.from,
            since: Instant::now(),
        };
        // A second upload under the same temporary name takes the place of the first, as it would on a disk.
        drop(self.shared.desk.put_aside(name, waiting));
    }

    pub(super) async fn abandon(
        &self,
        name: String,
        received: u64,
        last_at: DateTime<Utc>,
        cause: AbandonCause,
    ) {
        let upload = AbandonedUpload {
            name,
            received,
            last_at,
            cause,
            from: self.from,
        };
        tracing::warn!(
            mailbox = %self.mailbox.name, name = %upload.name, received, cause = %upload.cause,
            "an upload was abandoned"
        );
        self.shared
            .port
            .upload_abandoned(&self.mailbox, upload)
            .await;
    }
}

fn received_already() -> Refused {
    Refused::denied("this file is received already and out of your hands; upload a new one")
}

/// Gives up files that waited too long for their rename, or all of them when the server stops.
pub(super) async fn give_up_waiting(shared: &Arc<Shared>, cause: AbandonCause) {
    let given_up = match cause {
        AbandonCause::ServerStopped => shared.desk.take_all(),
        _ => shared.desk.take_expired(Instant::now()),
    };
    for (name, waiting) in given_up {
        let received = waiting.file.size;
        tracing::warn!(mailbox = %waiting.mailbox.name, name, received, %cause, "an upload was abandoned");
        let upload = AbandonedUpload {
            name,
            received,
            last_at: waiting.modified,
            cause: cause.clone(),
            from: waiting.from,
        };
        shared.port.upload_abandoned(&waiting.mailbox, upload).await;
    }
}
