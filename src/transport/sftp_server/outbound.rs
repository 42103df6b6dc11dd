//! `/outbound`: files lie ready, are read, and are picked up when they were read whole.

use std::os::unix::fs::FileExt;

use russh_sftp::protocol::{Data, OpenFlags, Packet};

use super::answer::Refused;
use super::port::{MailboxEntry, OutboundBody, OutboundFile, OutboundRename};
use super::session::{Answer, MailboxSession};
use super::upload::Coverage;

/// Scattered parts of a download that are kept track of; a client that reads worse than that has not picked it up.
const PARTS: usize = 1_024;

/// A file being read.
pub(super) struct Download {
    file: OutboundFile,
    read: Coverage,
}

impl Download {
    pub(super) fn entry(&self) -> &MailboxEntry {
        &self.file.entry
    }

    /// Reads at most `len` bytes from `offset`.
    pub(super) async fn read(&mut self, id: u32, offset: u64, len: u32) -> Answer {
        let size = self.file.entry.size;
        if offset >= size {
            return Err(Refused::end_of_file());
        }
        let len = u64::from(len).min(size - offset);
        let data = match &self.file.body {
            OutboundBody::Bytes(bytes) => {
                let range = offset as usize..(offset + len) as usize;
                bytes
                    .get(range)
                    .map(<[u8]>::to_vec)
                    .ok_or_else(|| unreadable("shorter than its entry"))?
            }
            OutboundBody::File(file) => {
                let (file, mut data) = (file.clone(), vec![0; len as usize]);
                let reading = tokio::task::spawn_blocking(move || {
                    file.read_exact_at(&mut data, offset).map(|()| data)
                });
                reading.await.map_err(unreadable)?.map_err(unreadable)?
            }
        };
        if self.read.parts() <= PARTS {
            self.read.add(offset, offset + len);
        }
        Ok(Packet::Data(Data { id, data }))
    }

    fn read_whole(&self) -> bool {
        self.read.first_gap(self.file.entry.size).is_none()
    }
}

fn unreadable(error: impl std::fmt::Display) -> Refused {
    tracing::error!(%error, "a file in /outbound cannot be read");
    Refused::failed("the file cannot be read at the moment; try again later")
}

impl MailboxSession {
    pub(super) async fn open_download(
        &self,
        name: &str,
        flags: OpenFlags,
    ) -> Result<Download, Refused> {
        let writing =
            OpenFlags::WRITE | OpenFlags::APPEND | OpenFlags::CREATE | OpenFlags::TRUNCATE;
        if flags.intersects(writing) || !flags.contains(OpenFlags::READ) {
            return Err(Refused::denied(
                "/outbound is for reading; upload to /inbound",
            ));
        }
        let found = self.shared.port.open_outbound(&self.mailbox, name).await?;
        let file = found.ok_or_else(|| Refused::missing("there is no such file in /outbound"))?;
        Ok(Download {
            file,
            read: Coverage::default(),
        })
    }

    /// The client has the file whether or not that can be noted, so it hears no error; the file stays as it was.
    pub(super) async fn close_download(&self, download: Download) {
        let entry = download.entry();
        if !download.read_whole() {
            tracing::info!(mailbox = %self.mailbox.name, name = %entry.name, "a file was read in part only");
            return;
        }
        match self.shared.port.picked_up(&self.mailbox, &entry.name).await {
            Ok(()) => {
                tracing::info!(mailbox = %self.mailbox.name, name = %entry.name, "a file was picked up")
            }
            Err(error) => {
                tracing::error!(mailbox = %self.mailbox.name, name = %entry.name, %error, "a pick-up was not noted");
            }
        }
    }

    pub(super) async fn remove_outbound(&self, name: &str) -> Result<(), Refused> {
        match self
            .shared
            .port
            .remove_outbound(&self.mailbox, name)
            .await?
        {
            true => {
                tracing::info!(mailbox = %self.mailbox.name, name, "a file was removed by the partner");
                Ok(())
            }
            false => Err(Refused::missing("there is no such file in /outbound")),
        }
    }

    pub(super) async fn rename_outbound(&self, from: &str, to: &str) -> Result<(), Refused> {
        match self
            .shared
            .port
            .rename_outbound(&self.mailbox, from, to)
            .await?
        {
            OutboundRename::Renamed => {
                tracing::info!(mailbox = %self.mailbox.name, from, to, "a file was renamed by the partner");
                Ok(())
            }
            OutboundRename::NoSuchFile => {
                Err(Refused::missing("there is no such file in /outbound"))
            }
            OutboundRename::NameTaken => Err(Refused::denied(
                "another file has or had this name; take another one",
            )),
        }
    }
}
