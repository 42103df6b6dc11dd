//! Read: the first pass over a received file. It streams the stored bytes, one transaction set in memory at a time, and
//! writes findings and verdicts; an interchange takes effect only when its IEA has been seen, in one transaction with
//! its acknowledgments and the work that follows.

mod opening;
mod parse;
mod verdict;

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::receive::clear_abandoned;
use super::{Gateway, notice};
use crate::domain::clock::Instant;
use crate::domain::document::Disposition;
use crate::domain::finding::Finding;
use crate::domain::ids::{ConnectionId, PartnerId};
use crate::storage::content::{ContentAddress, ContentReader};
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

/// Reads one file up to the end of its last interchange, which [`end`] settles; none: there is nothing left to settle.
/// Killed anywhere, the next reading forgets what was begun and not settled, and begins again; what is settled is left
/// alone.
pub async fn run(
    gateway: &Gateway,
    leases: &[Lease],
    work: &Work,
) -> Result<Option<Ending>, Failure> {
    let Some(file) = gateway.store.read().await?.file(work.subject).await? else {
        finish(gateway, leases, work.id).await?;
        return Ok(None);
    };
    let settled = begin(gateway, leases, &file).await?;
    waypoint::pass("read", BEGUN);
    let (sender, mut messages) = mpsc::channel(MESSAGES_MAX);
    let content = ContentAddress {
        sha256: file.sha256.clone(),
        size: file.size,
    };
    let reader = ContentReader::new(gateway.store.clone(), &content);
    let limits = gateway.settings.limits.of_x12();
    let parsing = tokio::task::spawn_blocking(move || parse(reader, limits, &sender));
    let mut reading = Reading {
        gateway,
        leases,
        file,
        work: work.id,
        settled,
        strays: Vec::new(),
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

/// Settles the last interchanges of files, and with them the files, in one transaction and in this order.
pub async fn end(gateway: &Gateway, leases: &[Lease], endings: Vec<Ending>) -> Result<(), Failure> {
    if endings.is_empty() {
        return Ok(());
    }
    let (inside, leases, endings) = (gateway.clone(), leases.to_vec(), Arc::new(endings));
    gateway
        .store
        .write(Class::Urgent, move |connection| {
            let (gateway, leases, endings) = (inside.clone(), leases.clone(), endings.clone());
            Box::pin(async move {
                let _working = Spending::begin(Effort::Working);
                connection.check_fences(&leases).await?;
                let works: Vec<i64> = endings.iter().map(|ending| ending.work).collect();
                connection.finish_work(&works).await?;
                for ending in endings.iter() {
                    let Ending {
                        file, open, closed, ..
                    } = ending;
                    verdict::settle(&gateway, connection, file, open, closed).await?;
                }
                let files: Vec<i64> = endings.iter().map(|ending| ending.file.id).collect();
                let mut parts = parts_of_files(connection, &files).await?;
                for Ending { file, strays, .. } in endings.iter() {
                    let parts = parts.remove(&file.id).unwrap_or_default();
                    settle_file(&gateway, connection, file, together(&parts), strays).await?;
                }
                waypoint::pass("read", BEFORE_COMMIT);
                Ok(())
            })
        })
        .await?;
    waypoint::pass("read", COMMITTED);
    gateway.wake();
    Ok(())
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
async fn begin(gateway: &Gateway, leases: &[Lease], file: &FileRow) -> Result<Vec<i64>, Failure> {
    let id = file.id;
    let settled = gateway.store.read().await?.settled_offsets(id).await?;
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
                    settle_file(&gateway, connection, &file, together(&parts), &strays).await
                })
            })
            .await
    }
}

/// Settles how a file ended. One that is not refused came whole: that it broke off before is told no more.
pub(super) async fn settle_file(
    gateway: &Gateway,
    connection: &mut Connection,
    file: &FileRow,
    disposition: Disposition,
    findings: &[Finding],
) -> Result<(), Failure> {
    connection
        .settle_file(file.id, disposition, findings)
        .await?;
    let Some(over) = file
        .connection_id
        .filter(|_| disposition != Disposition::Rejected)
    else {
        return Ok(());
    };
    let now = gateway.now();
    let received_at = Instant::from_timestamp_micros(file.received_at).unwrap_or(now);
    clear_abandoned(connection, ConnectionId(over), &file.name, received_at, now).await
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
    settle_file(gateway, connection, file, Disposition::Rejected, &findings).await?;
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
