//! One SFTP session of a partner that is logged in: each request gets its answer.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use russh_sftp::protocol::{
    Attrs, Extended, ExtendedReply, File, FileAttributes, Handle, Name, OpenFlags, Packet, Version,
};

use super::answer::{Refused, done, file_attributes, file_line, folder_attributes, folder_line};
use super::desk::Seat;
use super::outbound::Download;
use super::path::MailboxPath;
use super::port::{AbandonCause, MailboxEntry, MailboxIdentity};
use super::shared::Shared;
use super::upload::Upload;

/// Names in one answer to READDIR.
const NAMES_PER_ANSWER: usize = 100;
/// Files received in this session that are still shown to it.
const RECEIVED_SHOWN: usize = 1_000;

pub(super) type Answer = Result<Packet, Refused>;

/// The state of a session.
pub(super) struct MailboxSession {
    pub(super) shared: Arc<Shared>,
    pub(super) mailbox: MailboxIdentity,
    pub(super) from: SocketAddr,
    // Many clients look at a file after its upload to see whether it is all there.
    pub(super) received: VecDeque<MailboxEntry>,
    handles: HashMap<String, Open>,
    last_handle: u64,
    greeted: bool,
    _seat: Seat,
}

/// What a handle stands for.
pub(super) enum Open {
    Upload { name: String, upload: Box<Upload> },
    Download(Download),
    Listing(Listing),
}

/// A listing under way.
pub(super) enum Listing {
    /// What is left of one that was made whole.
    Made(VecDeque<File>),
    /// `/outbound`, read page by page: the last name shown.
    Outbound {
        dots_shown: bool,
        after: Option<String>,
        ended: bool,
    },
}

impl MailboxSession {
    pub(super) fn new(
        shared: Arc<Shared>,
        mailbox: MailboxIdentity,
        from: SocketAddr,
        seat: Seat,
    ) -> MailboxSession {
        MailboxSession {
            shared,
            mailbox,
            from,
            received: VecDeque::new(),
            handles: HashMap::new(),
            last_handle: 0,
            greeted: false,
            _seat: seat,
        }
    }

    /// Carries out one request; `id` is what stands where requests have their id.
    pub(super) async fn answer(&mut self, id: u32, request: Packet) -> Packet {
        let answer = match request {
            Packet::Init(_) if !self.greeted => {
                self.greeted = true;
                return self.version();
            }
            _ if !self.greeted => Err(Refused::bad_message("the first packet must be INIT")),
            request => self.carry_out(id, request).await,
        };
        answer.unwrap_or_else(|refused| {
            tracing::debug!(mailbox = %self.mailbox.name, code = ?refused.code, message = %refused.message, "refused");
            refused.packet(id)
        })
    }

    async fn carry_out(&mut self, id: u32, request: Packet) -> Answer {
        match request {
            Packet::RealPath(it) => self.real_path(id, &it.path),
            Packet::Stat(it) => self.stat(id, &it.path).await,
            Packet::Lstat(it) => self.stat(id, &it.path).await,
            Packet::Fstat(it) => self.stat_handle(id, &it.handle),
            Packet::SetStat(it) => self.set_stat(id, &it.path, &it.attrs).await,
            Packet::FSetStat(it) => self.set_stat_handle(id, &it.handle, &it.attrs).await,
            Packet::OpenDir(it) => self.open_folder(id, &it.path),
            Packet::ReadDir(it) => self.read_folder(id, &it.handle).await,
            Packet::Open(it) => self.open(id, &it.filename, it.pflags).await,
            Packet::Write(it) => self.write(id, &it.handle, it.offset, &it.data).await,
            Packet::Read(it) => self.read(id, &it.handle, it.offset, it.len).await,
            Packet::Close(it) => self.close(id, &it.handle).await,
            Packet::Remove(it) => self.remove(id, &it.filename).await,
            Packet::Rename(it) => self.rename(id, &it.oldpath, &it.newpath).await,
            Packet::Extended(it) => self.extended(id, it).await,
            Packet::MkDir(_) | Packet::RmDir(_) => Err(Refused::denied(
                "a mailbox has /inbound and /outbound; folders are neither made nor removed",
            )),
            Packet::Symlink(_) | Packet::ReadLink(_) => {
                Err(Refused::denied("a mailbox has no links"))
            }
            _ => Err(Refused::bad_message("this is not a request")),
        }
    }

    fn version(&self) -> Packet {
        let mut version = Version::new();
        for extension in [
            "posix-rename@openssh.com",
            "limits@openssh.com",
            "fsync@openssh.com",
        ] {
            version
                .extensions
                .insert(extension.to_owned(), "1".to_owned());
        }
        Packet::Version(version)
    }

    fn real_path(&self, id: u32, path: &str) -> Answer {
        let resolved = MailboxPath::parse(path)?.to_string();
        Ok(Packet::Name(Name {
            id,
            files: vec![File::dummy(resolved)],
        }))
    }

    async fn stat(&mut self, id: u32, path: &str) -> Answer {
        let attrs = self.attributes(&MailboxPath::parse(path)?).await?;
        Ok(Packet::Attrs(Attrs { id, attrs }))
    }

    async fn attributes(&self, path: &MailboxPath) -> Result<FileAttributes, Refused> {
        match path {
            MailboxPath::Root | MailboxPath::Inbound | MailboxPath::Outbound => {
                Ok(folder_attributes())
            }
            MailboxPath::InboundFile(name) => {
                let shown = self.inbound_entries();
                let entry = shown.iter().find(|entry| entry.name == *name);
                let entry =
                    entry.ok_or_else(|| Refused::missing("there is no such file in /inbound"))?;
                Ok(file_attributes(entry.size, Some(entry.modified)))
            }
            MailboxPath::OutboundFile(name) => {
                let found = self.shared.port.find_outbound(&self.mailbox, name).await?;
                let entry =
                    found.ok_or_else(|| Refused::missing("there is no such file in /outbound"))?;
                Ok(file_attributes(entry.size, Some(entry.modified)))
            }
        }
    }

    fn stat_handle(&mut self, id: u32, handle: &str) -> Answer {
        let attrs = match self.opened(handle)? {
            Open::Upload { upload, .. } => file_attributes(upload.length(), None),
            Open::Download(download) => {
                let entry = download.entry();
                file_attributes(entry.size, Some(entry.modified))
            }
            Open::Listing(_) => folder_attributes(),
        };
        Ok(Packet::Attrs(Attrs { id, attrs }))
    }

    /// Clients set modes and times after an upload. A mailbox keeps neither, and says yes: a refusal would look to
    /// them as if the upload had failed.
    async fn set_stat(&mut self, id: u32, path: &str, attrs: &FileAttributes) -> Answer {
        let path = MailboxPath::parse(path)?;
        self.attributes(&path).await?;
        if attrs.size.is_some() {
            return Err(Refused::denied(
                "a file that was uploaded cannot be cut; upload it again",
            ));
        }
        Ok(done(id))
    }

    async fn set_stat_handle(&mut self, id: u32, handle: &str, attrs: &FileAttributes) -> Answer {
        if let (Open::Upload { upload, .. }, Some(size)) = (self.opened(handle)?, attrs.size) {
            upload.set_length(size).await?;
        }
        Ok(done(id))
    }

    fn open_folder(&mut self, id: u32, path: &str) -> Answer {
        let dots = || [".", ".."].into_iter().map(folder_line);
        let listing = match MailboxPath::parse(path)? {
            MailboxPath::Root => Listing::Made(
                dots()
                    .chain(["inbound", "outbound"].map(folder_line))
                    .collect(),
            ),
            MailboxPath::Inbound => Listing::Made(
                dots()
                    .chain(self.inbound_entries().iter().map(file_line))
                    .collect(),
            ),
            MailboxPath::Outbound => Listing::Outbound {
                dots_shown: false,
                after: None,
                ended: false,
            },
            MailboxPath::InboundFile(_) | MailboxPath::OutboundFile(_) => {
                return Err(Refused::missing(
                    "there is no such folder; a mailbox has /inbound and /outbound",
                ));
            }
        };
        self.hand_out(id, Open::Listing(listing))
    }

    async fn read_folder(&mut self, id: u32, handle: &str) -> Answer {
        let (shared, mailbox) = (self.shared.clone(), self.mailbox.clone());
        let Open::Listing(listing) = self.opened(handle)? else {
            return Err(Refused::failed("this handle is not a folder's"));
        };
        let files = match listing {
            Listing::Made(left) => left.drain(..left.len().min(NAMES_PER_ANSWER)).collect(),
            Listing::Outbound {
                dots_shown,
                after,
                ended,
            } => {
                let mut files: Vec<File> = Vec::new();
                if !std::mem::replace(dots_shown, true) {
                    files.extend([".", ".."].map(folder_line));
                }
                if !*ended {
                    let page = shared
                        .port
                        .list_outbound(&mailbox, after.as_deref(), NAMES_PER_ANSWER)
                        .await?;
                    *ended = page.len() < NAMES_PER_ANSWER;
                    *after = page.last().map(|entry| entry.name.clone()).or(after.take());
                    files.extend(page.iter().map(file_line));
                }
                files
            }
        };
        if files.is_empty() {
            return Err(Refused::end_of_file());
        }
        Ok(Packet::Name(Name { id, files }))
    }

    async fn open(&mut self, id: u32, path: &str, flags: OpenFlags) -> Answer {
        let open = match MailboxPath::parse(path)? {
            MailboxPath::InboundFile(name) => self.open_upload(name, flags)?,
            MailboxPath::OutboundFile(name) => {
                Open::Download(self.open_download(&name, flags).await?)
            }
            _ => return Err(Refused::failed("this is a folder")),
        };
        self.hand_out(id, open)
    }

    async fn write(&mut self, id: u32, handle: &str, offset: u64, data: &[u8]) -> Answer {
        match self.opened(handle)? {
            Open::Upload { upload, .. } => upload.write(offset, data).await?,
            _ => return Err(Refused::denied("this handle is not open for writing")),
        }
        Ok(done(id))
    }

    async fn read(&mut self, id: u32, handle: &str, offset: u64, len: u32) -> Answer {
        let most = self.shared.limits.read_bytes;
        match self.opened(handle)? {
            Open::Download(download) => download.read(id, offset, len.min(most)).await,
            Open::Upload { .. } => Err(Refused::denied("what lies in /inbound cannot be read")),
            Open::Listing(_) => Err(Refused::failed("this is a folder")),
        }
    }

    async fn close(&mut self, id: u32, handle: &str) -> Answer {
        match self.handles.remove(handle) {
            None => return Err(no_such_handle()),
            Some(Open::Listing(_)) => {}
            Some(Open::Download(download)) => self.close_download(download).await,
            Some(Open::Upload { name, upload }) => self.close_upload(name, *upload).await?,
        }
        Ok(done(id))
    }

    async fn remove(&mut self, id: u32, path: &str) -> Answer {
        match MailboxPath::parse(path)? {
            MailboxPath::InboundFile(name) => self.remove_inbound(&name)?,
            MailboxPath::OutboundFile(name) => self.remove_outbound(&name).await?,
            _ => return Err(Refused::denied("a mailbox's folders are not removed")),
        }
        Ok(done(id))
    }

    async fn rename(&mut self, id: u32, from: &str, to: &str) -> Answer {
        match (MailboxPath::parse(from)?, MailboxPath::parse(to)?) {
            (MailboxPath::InboundFile(from), MailboxPath::InboundFile(to)) => {
                self.rename_inbound(&from, to).await?
            }
            (MailboxPath::OutboundFile(from), MailboxPath::OutboundFile(to)) => {
                self.rename_outbound(&from, &to).await?
            }
            _ => {
                return Err(Refused::denied(
                    "files are renamed within /inbound or within /outbound",
                ));
            }
        }
        Ok(done(id))
    }

    async fn extended(&mut self, id: u32, request: Extended) -> Answer {
        match request.request.as_str() {
            "posix-rename@openssh.com" => match strings(&request.data).as_deref() {
                Some([from, to]) => self.rename(id, from, to).await,
                _ => Err(Refused::bad_message("a rename names two paths")),
            },
            "fsync@openssh.com" => match strings(&request.data).as_deref() {
                // Nothing to do: CLOSE is answered when the file is committed, and that is what lasts.
                Some([handle]) => self.opened(handle).map(|_| done(id)),
                _ => Err(Refused::bad_message("fsync names one handle")),
            },
            "limits@openssh.com" => Ok(Packet::ExtendedReply(ExtendedReply {
                id,
                data: self.limits(),
            })),
            _ => Err(Refused::unsupported(
                "the mailbox does not know this request",
            )),
        }
    }

    /// Packet, read and write lengths and handles, as OpenSSH's PROTOCOL describes the extension.
    fn limits(&self) -> Vec<u8> {
        let limits = &self.shared.limits;
        let packet = u64::from(limits.packet_bytes);
        let write = packet.saturating_sub(1_024);
        [
            packet,
            u64::from(limits.read_bytes),
            write,
            limits.handles_per_session as u64,
        ]
        .into_iter()
        .flat_map(u64::to_be_bytes)
        .collect()
    }

    fn hand_out(&mut self, id: u32, open: Open) -> Answer {
        if self.handles.len() >= self.shared.limits.handles_per_session {
            return Err(Refused::failed(format!(
                "this session has {} files open, which is all that it may have; close some",
                self.handles.len()
            )));
        }
        self.last_handle += 1;
        let handle = self.last_handle.to_string();
        self.handles.insert(handle.clone(), open);
        Ok(Packet::Handle(Handle { id, handle }))
    }

    fn opened(&mut self, handle: &str) -> Result<&mut Open, Refused> {
        self.handles.get_mut(handle).ok_or_else(no_such_handle)
    }

    /// What a client sees in `/inbound`: what it received in this session, what waits, what is under way here.
    pub(super) fn inbound_entries(&self) -> Vec<MailboxEntry> {
        let mut entries: Vec<MailboxEntry> = self.received.iter().cloned().collect();
        let waiting = self.shared.desk.waiting(self.mailbox.connection_id);
        entries.extend(
            waiting
                .into_iter()
                .map(|(name, size, modified)| MailboxEntry {
                    name,
                    size,
                    modified,
                }),
        );
        for open in self.handles.values() {
            if let Open::Upload { name, upload } = open {
                let (name, size) = (name.clone(), upload.length());
                entries.push(MailboxEntry {
                    name,
                    size,
                    modified: upload.modified(),
                });
            }
        }
        // One name is shown once: the latest state of it.
        entries.reverse();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries.dedup_by(|later, first| later.name == first.name);
        entries
    }

    pub(super) fn note_received(&mut self, entry: MailboxEntry) {
        self.received.retain(|known| known.name != entry.name);
        if self.received.len() >= RECEIVED_SHOWN {
            self.received.pop_front();
        }
        self.received.push_back(entry);
    }

    /// Is this name being uploaded in this session right now?
    pub(super) fn is_open(&self, name: &str) -> bool {
        self.handles
            .values()
            .any(|open| matches!(open, Open::Upload { name: opened, .. } if opened == name))
    }

    /// Ends the session: uploads that were not closed are given up and reported.
    pub(super) async fn end(mut self, cause: AbandonCause) {
        for (_, open) in std::mem::take(&mut self.handles) {
            if let Open::Upload { name, upload } = open {
                let (received, last_at) = (upload.received(), upload.modified());
                self.abandon(name, received, last_at, cause.clone()).await;
            }
        }
    }
}

fn no_such_handle() -> Refused {
    Refused::failed("there is no such handle")
}

/// The strings that make up an extended request's data; `None` when they do not fill it exactly.
fn strings(mut data: &[u8]) -> Option<Vec<String>> {
    let mut strings = Vec::new();
    while !data.is_empty() {
        let (length, rest) = data.split_first_chunk::<4>()?;
        let (text, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        strings.push(String::from_utf8_lossy(text).into_owned());
        data = rest;
    }
    Some(strings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_an_extended_request() {
        let two = |a: &[u8]| {
            Some(vec![
                String::from_utf8_lossy(a).into_owned(),
                "b".to_owned(),
            ])
        };
        for (data, expected) in [
            (&b""[..], Some(vec![])),
            (b"\0\0\0\x01a\0\0\0\x01b", two(b"a")),
            (b"\0\0\0\x00\0\0\0\x01b", two(b"")),
            (b"\0\0\0\x01\xff\0\0\0\x01b", two(b"\xff")),
            (b"\0\0\0\x02a", None),
            (b"\xff\xff\xff\xffa", None),
            (b"\0\0", None),
        ] {
            assert_eq!(strings(data), expected, "{data:?}");
        }
    }
}
