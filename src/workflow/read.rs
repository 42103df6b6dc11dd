//! Read: the first pass over a received file. It streams the stored bytes, one transaction set in memory at a time, and
//! writes findings and verdicts; an interchange takes effect only when its IEA has been seen, in one transaction with
//! its acknowledgments and the work that follows.

mod opening;
mod parse;
mod verdict;

use std::collections::{BTreeSet, HashMap};
use std::io::{Cursor, Read};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::receive::clear_abandoned;
use super::{Gateway, deliver, notice};
use crate::domain::document::Disposition;
use crate::domain::finding::Finding;
use crate::domain::ids::PartnerId;
use crate::storage::content::{ContentAddress, ContentReader, INLINE_MAX};
use crate::storage::effort::{Effort, Spending};
use crate::storage::files::FileRow;
use crate::storage::journal::Subject;
use crate::storage::work::{Lease, Work};
use crate::storage::{Class, Connection, Failure};
use crate::waypoint::{self, BEFORE_COMMIT, BEGUN, COMMITTED};
use opening::Open;
use parse::{Closed, Message, parse};

/// Messages of the parsing thread that may wait: bounds memory whatever the file's size.
const MESSAGES_MAX: usize = 16;
/// Sets that wait for the end of their interchange before they are written in a transaction of their own.
const SETS_PENDING_MAX: usize = 500;

/// A file of which everything was read: what is left is to settle its last interchange, and with that the file.
pub struct Ending {
    file: FileRow,
    work: i64,
    open: Open,
    closed: Closed,
    /// Findings about bytes outside of interchanges.
    strays: Vec<Finding>,
}

/// A file as it lies here before it is read.
pub struct Lying {
    row: FileRow,
    /// Byte offsets of its interchanges that an earlier reading settled.
    settled: Vec<i64>,
    /// Its bytes, where they are few.
    bytes: Option<Vec<u8>>,
    /// The mark of partners and their addresses when it was looked up.
    mark: i64,
}

/// Looks up files that are to be read, all together; those that are gone are not among them.
pub async fn look_up(gateway: &Gateway, files: &[i64]) -> Result<HashMap<i64, Lying>, Failure> {
    let mut connection = gateway.store.read().await?;
    let mark = connection.catalogue_mark().await?;
    let rows = connection.files(files).await?;
    let mut settled = connection.settled_offsets_of(files).await?;
    let small = |row: &&FileRow| usize::try_from(row.size).is_ok_and(|size| size <= INLINE_MAX);
    let addresses: BTreeSet<&str> = rows
        .iter()
        .filter(small)
        .map(|row| row.sha256.as_str())
        .collect();
    let addresses: Vec<&str> = addresses.into_iter().collect();
    let contents: HashMap<String, Vec<u8>> = match addresses.is_empty() {
        true => HashMap::new(),
        false => connection
            .small_contents(&addresses)
            .await?
            .into_iter()
            .collect(),
    };
    Ok(rows
        .into_iter()
        .map(|row| {
            let lying = Lying {
                settled: settled.remove(&row.id).unwrap_or_default(),
                // The same bytes may have come several times.
                bytes: contents.get(&row.sha256).cloned(),
                mark,
                row,
            };
            (lying.row.id, lying)
        })
        .collect())
}

/// Reads one file up to the end of its last interchange, which [`end`] settles; none: there is nothing left to settle, or
/// the file is not there.
/// Killed anywhere, the next reading forgets what was begun and not settled, and begins again; what is settled is left
/// alone.
pub async fn run(
    gateway: &Gateway,
    leases: &[Lease],
    work: &Work,
    lying: Option<Lying>,
) -> Result<Option<Ending>, Failure> {
    let Some(Lying {
        row: file,
        settled,
        bytes,
        mark,
    }) = lying
    else {
        finish(gateway, leases, work.id).await?;
        return Ok(None);
    };
    let settled = begin(gateway, leases, &file, settled).await?;
    waypoint::pass("read", BEGUN);
    let (sender, mut messages) = mpsc::channel(MESSAGES_MAX);
    let content = ContentAddress {
        sha256: file.sha256.clone(),
        size: file.size,
    };
    // While a large file is read profiles may be applied that its later interchanges are to be read by.
    let mark = bytes.as_ref().map(|_| mark);
    let source: Box<dyn Read + Send> = match bytes {
        Some(bytes) => Box::new(Cursor::new(bytes)),
        None => Box::new(ContentReader::new(gateway.store.clone(), &content)),
    };
    let limits = gateway.settings.limits.of_x12();
    let parsing = tokio::task::spawn_blocking(move || parse(source, limits, &sender));
    let mut reading = Reading {
        gateway,
        leases,
        file,
        work: work.id,
        settled,
        strays: Vec::new(),
        mark,
    };
    let outcome = reading.follow(&mut messages).await;
    drop(messages);
    match parsing.await {
        Ok(Ok(())) => outcome,
        Ok(Err(error)) => outcome.and(Err(reading.unreadable(&error.to_string()))),
        Err(_) => outcome.and(Err(
            reading.unreadable("the reader broke off; this is a fault of the program")
        )),
    }
}

/// When acknowledgments go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answering {
    /// With what they acknowledge, in one transaction.
    AtOnce,
    /// By the step `deliver`: what keeps them from going out does not keep the file.
    Apart,
}

/// Settles the last interchanges of files, and with them the files, in one transaction and in this order. The numbers of
/// the files that went out with it.
pub async fn end(
    gateway: &Gateway,
    leases: &[Lease],
    endings: Vec<Ending>,
    answering: Answering,
) -> Result<Vec<i64>, Failure> {
    if endings.is_empty() {
        return Ok(Vec::new());
    }
    let (inside, leases, endings) = (gateway.clone(), leases.to_vec(), Arc::new(endings));
    let sent = gateway
        .store
        .write(Class::Urgent, move |connection| {
            let (gateway, leases, endings) = (inside.clone(), leases.clone(), endings.clone());
            Box::pin(async move {
                let _working = Spending::begin(Effort::Working);
                connection.check_fences(&leases).await?;
                let works: Vec<i64> = endings.iter().map(|ending| ending.work).collect();
                connection.finish_work(&works).await?;
                let ended: Vec<verdict::Ended<'_>> = endings
                    .iter()
                    .map(|ending| (&ending.file, &ending.open, &ending.closed))
                    .collect();
                verdict::settle(&gateway, connection, &ended).await?;
                let files: Vec<i64> = endings.iter().map(|ending| ending.file.id).collect();
                let mut parts = parts_of_files(connection, &files).await?;
                let settled: Vec<Settled<'_>> = endings
                    .iter()
                    .map(|Ending { file, strays, .. }| {
                        let parts = parts.remove(&file.id).unwrap_or_default();
                        (file, together(&parts), strays.as_slice())
                    })
                    .collect();
                settle_files(&gateway, connection, &settled).await?;
                let mut sent = Vec::new();
                if answering == Answering::AtOnce {
                    deliver::fresh(&gateway, connection, &mut sent).await?;
                }
                waypoint::pass("read", BEFORE_COMMIT);
                Ok(sent)
            })
        })
        .await?;
    waypoint::pass("read", COMMITTED);
    gateway.wake();
    Ok(sent)
}

async fn finish(gateway: &Gateway, leases: &[Lease], work: i64) -> Result<(), Failure> {
    let leases = leases.to_vec();
    gateway
        .store
        .write(Class::Urgent, move |connection| {
            let leases = leases.clone();
            Box::pin(async move {
                connection.check_fences(&leases).await?;
                connection.finish_work(&[work]).await
            })
        })
        .await
}

/// Forgets what an earlier reading left half done; the offsets of what is settled.
async fn begin(
    gateway: &Gateway,
    leases: &[Lease],
    file: &FileRow,
    settled: Vec<i64>,
) -> Result<Vec<i64>, Failure> {
    let id = file.id;
    if settled.is_empty() && file.disposition == "received" {
        return Ok(settled);
    }
    let leases = leases.to_vec();
    gateway
        .store
        .write(Class::Urgent, move |connection| {
            let leases = leases.clone();
            Box::pin(async move {
                connection.check_fences(&leases).await?;
                connection.forget_unsettled(id).await?;
                connection.settled_offsets(id).await
            })
        })
        .await
}

/// A reading on its way through a file.
struct Reading<'a> {
    gateway: &'a Gateway,
    leases: &'a [Lease],
    file: FileRow,
    work: i64,
    /// Byte offsets of the interchanges that an earlier reading settled.
    settled: Vec<i64>,
    /// Findings about bytes outside of interchanges.
    strays: Vec<Finding>,
    /// The mark of the partners and addresses that it goes by; none where it goes by what they are each time.
    mark: Option<i64>,
}

impl Reading<'_> {
    fn unreadable(&self, why: &str) -> Failure {
        Failure::Corrupt {
            table: "content",
            key: self.file.sha256.clone(),
            why: why.to_owned(),
        }
    }

    async fn follow(
        &mut self,
        messages: &mut mpsc::Receiver<Message>,
    ) -> Result<Option<Ending>, Failure> {
        let mut open: Option<Open> = None;
        let mut waiting = None;
        loop {
            let message = match waiting.take() {
                Some(message) => Some(message),
                None => messages.recv().await,
            };
            match message {
                None => return Ok(None),
                Some(Message::Opened {
                    header,
                    group_sender,
                    profile,
                }) => {
                    let known = i64::try_from(header.offset)
                        .is_ok_and(|offset| self.settled.contains(&offset));
                    let opened = if known {
                        None
                    } else {
                        Some(self.open(*header, group_sender).await?)
                    };
                    // The thread goes on without a guide if nobody listens any more.
                    let _ = profile.send(opened.as_ref().and_then(Open::profile));
                    open = opened;
                }
                Some(Message::Ta1(ta1)) => {
                    if let Some(open) = &mut open {
                        open.ta1s.push(ta1);
                    }
                }
                Some(Message::Group(group)) => {
                    if let Some(open) = &mut open {
                        open.groups.push(group);
                        if open.pending_sets() >= SETS_PENDING_MAX {
                            self.write_pending(open).await?;
                        }
                    }
                }
                Some(Message::Closed(closed)) => {
                    waiting = messages.recv().await;
                    let last = matches!(waiting, Some(Message::End) | None);
                    match open.take() {
                        Some(open) if last => {
                            return Ok(Some(Ending {
                                file: self.file.clone(),
                                work: self.work,
                                open,
                                closed: *closed,
                                strays: std::mem::take(&mut self.strays),
                            }));
                        }
                        Some(open) => self.close(open, *closed).await?,
                        None => {}
                    }
                }
                Some(Message::Stray(finding)) => self.strays.push(finding),
                Some(Message::End) => return self.end().await.map(|()| None),
            }
        }
    }

    /// The end of a file whose last interchange was settled before, or that held none.
    async fn end(&mut self) -> Result<(), Failure> {
        let (gateway, leases, file, work, strays) = (
            self.gateway.clone(),
            self.leases.to_vec(),
            self.file.clone(),
            self.work,
            self.strays.clone(),
        );
        self.gateway
            .store
            .write(Class::Urgent, move |connection| {
                let (gateway, leases, file, strays) = (
                    gateway.clone(),
                    leases.clone(),
                    file.clone(),
                    strays.clone(),
                );
                Box::pin(async move {
                    connection.check_fences(&leases).await?;
                    connection.finish_work(&[work]).await?;
                    let mut parts = parts_of_files(connection, &[file.id]).await?;
                    let parts = parts.remove(&file.id).unwrap_or_default();
                    if parts.is_empty() {
                        return refuse_file(&gateway, connection, &file, strays).await;
                    }
                    settle_files(&gateway, connection, &[(&file, together(&parts), &strays)]).await
                })
            })
            .await
    }
}

/// How a file ended, and what was found of it as a whole.
type Settled<'f> = (&'f FileRow, Disposition, &'f [Finding]);

/// Settles how files ended. Those that are not refused came whole: that they broke off before is told no more.
pub(super) async fn settle_files(
    gateway: &Gateway,
    connection: &mut Connection,
    settled: &[Settled<'_>],
) -> Result<(), Failure> {
    let rows: Vec<_> = settled
        .iter()
        .map(|(file, disposition, findings)| (file.id, *disposition, *findings))
        .collect();
    connection.settle_files(&rows).await?;
    let whole: Vec<&FileRow> = settled
        .iter()
        .filter(|(_, disposition, _)| *disposition != Disposition::Rejected)
        .map(|(file, ..)| *file)
        .collect();
    clear_abandoned(connection, &whole, gateway.now()).await
}

/// What the interchanges of files came to, by file. Nobody else settles these files before this transaction ends: what is
/// read here is not overtaken by a document of theirs that is processed meanwhile.
pub(super) async fn parts_of_files(
    connection: &mut Connection,
    files: &[i64],
) -> Result<HashMap<i64, Vec<Disposition>>, Failure> {
    connection.lock_files(files).await?;
    let mut parts: HashMap<i64, Vec<Disposition>> = HashMap::new();
    for (file, word) in connection.interchanges_of(files).await? {
        if let Ok(disposition) = word.parse() {
            parts.entry(file).or_default().push(disposition);
        }
    }
    Ok(parts)
}

/// The disposition of a whole by those of its parts: what a person has to look at comes first.
pub fn together(parts: &[Disposition]) -> Disposition {
    let any = |wanted: Disposition| parts.contains(&wanted);
    if any(Disposition::Held) {
        Disposition::Held
    } else if any(Disposition::Processed) {
        Disposition::Processed
    } else if any(Disposition::Received) {
        Disposition::Received
    } else if any(Disposition::Rejected) {
        Disposition::Rejected
    } else if any(Disposition::Duplicate) {
        Disposition::Duplicate
    } else {
        Disposition::Processed
    }
}

/// A file in which no interchange was found is refused as it is, and shown in the queue as a document of its own.
async fn refuse_file(
    gateway: &Gateway,
    connection: &mut Connection,
    file: &FileRow,
    findings: Vec<Finding>,
) -> Result<(), Failure> {
    let now = gateway.now();
    let id = connection.identity("document").await?;
    let partner = match (file.partner_id, file.connection_id) {
        (Some(partner), _) => Some(partner),
        // A mailbox that several share does not tell which of them laid it there.
        (None, Some(over)) => match connection.partners_over(over).await?.as_slice() {
            [(only, _)] => Some(*only),
            _ => None,
        },
        (None, None) => None,
    };
    let document = verdict::document_of_file(id, file, partner, Disposition::Rejected, &findings);
    connection.add_documents(vec![document], now).await?;
    settle_files(
        gateway,
        connection,
        &[(file, Disposition::Rejected, &findings)],
    )
    .await?;
    let trading = match partner {
        Some(partner) => Some(gateway.trading(connection, PartnerId(partner)).await?),
        None => None,
    };
    let notice = notice::Notice {
        key: format!("file-rejected:{}", file.id),
        kind: "document-rejected",
        subject: Subject::new("document", id),
        title: format!("the file {} is no X12 and was not acted upon", file.name),
        text: format!(
            "{}\nWhat to do: ask the sender for the file it meant to send; the bytes are kept.",
            notice::lines(&findings)
        ),
    };
    notice::tell(gateway, connection, trading.as_ref(), notice).await
}
