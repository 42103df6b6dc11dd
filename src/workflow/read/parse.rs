//! The blocking half of a reading: the streaming X12 reader on a thread of its own, its verdicts sent over a bounded
//! channel.

use std::io::Read;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use supercargo_x12::{
    Event, GroupVerdict, InterchangeVerdict, IsaHeader, Limits, Reader, Release, Ta1,
};
use tokio::sync::{mpsc, oneshot};

use crate::config::profile::Profile;
use crate::domain::finding::{Finding, Severity};
use crate::storage::effort::{Effort, Spending, spend};
use crate::translation::judge::{judge_as, judge_set};
use crate::translation::{archive, reference, syntax};

/// What the parsing thread tells.
pub enum Message {
    /// An ISA, and the GS02 of its first group, before anything of it is judged; the thread waits for the partner's
    /// profile.
    Opened {
        /// The ISA.
        header: Box<IsaHeader>,
        /// GS02 of the first group.
        group_sender: Option<String>,
        /// Where to give the profile.
        profile: oneshot::Sender<Option<Arc<Profile>>>,
    },
    /// A TA1 between ISA and GS.
    Ta1(Ta1),
    /// A whole group with the verdicts over its sets.
    Group(Group),
    /// The end of the interchange.
    Closed(Box<Closed>),
    /// Something that belongs to no interchange.
    Stray(Finding),
    /// The end of the file.
    End,
}

/// A group that has come to its end.
#[derive(Clone)]
pub struct Group {
    /// Over itself and its sets.
    pub verdict: GroupVerdict,
    /// What people know each of its sets by, in their order; empty where a set does not say.
    pub references: Vec<String>,
}

/// The end of an interchange.
pub struct Closed {
    /// Over its envelope.
    pub verdict: InterchangeVerdict,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// What the thread knows of the interchange it is in.
struct Inside {
    header: IsaHeader,
    told: bool,
    profile: Option<Arc<Profile>>,
    digest: Sha256,
    release: Option<Release>,
    group: Option<Group>,
}

/// The other side went away: its transaction failed, and the reading will be run again.
struct Gone;

/// Reads to the end of the source. Fails only where the source does.
pub fn parse(
    source: impl Read,
    limits: Limits,
    sender: &mpsc::Sender<Message>,
) -> std::io::Result<()> {
    let (archive, source) = archive::opened(source)?;
    if let Some(kind) = archive {
        // Nobody may be listening any more.
        let told = syntax::finding(&archive::finding(kind), Severity::Reject);
        let _ = sender.blocking_send(Message::Stray(told));
        let _ = sender.blocking_send(Message::End);
        return Ok(());
    }
    let mut reader = Reader::with_limits(source, limits);
    let mut inside: Option<Inside> = None;
    loop {
        let mut messages = Vec::new();
        let event = {
            let _working = Spending::begin(Effort::Working);
            spend(Effort::Reading, || reader.next())?
        };
        let ended = match event {
            None => true,
            Some(event) => follow(event, &mut inside, limits, sender, &mut messages).is_err(),
        };
        if let Some(inside) = &mut inside {
            inside.digest.update(reader.raw());
        }
        for message in messages {
            let message = match message {
                Message::Closed(mut closed) => {
                    if let Some(inside) = inside.take() {
                        closed.sha256 = hex::encode(inside.digest.finalize());
                    }
                    Message::Closed(closed)
                }
                other => other,
            };
            if sender.blocking_send(message).is_err() {
                return Ok(());
            }
        }
        if ended {
            // Nobody may be listening any more.
            let _ = sender.blocking_send(Message::End);
            return Ok(());
        }
    }
}

fn follow(
    event: Event<'_>,
    inside: &mut Option<Inside>,
    limits: Limits,
    sender: &mpsc::Sender<Message>,
    messages: &mut Vec<Message>,
) -> Result<(), Gone> {
    match event {
        Event::InterchangeOpened(header, _) => {
            *inside = Some(Inside {
                header: header.clone(),
                told: false,
                profile: None,
                digest: Sha256::new(),
                release: None,
                group: None,
            });
        }
        Event::Ta1(ta1) => {
            announce(inside, None, sender)?;
            messages.push(Message::Ta1(ta1.clone()));
        }
        Event::GroupOpened(header) => {
            announce(inside, Some(&header.sender), sender)?;
            if let Some(inside) = inside {
                let mut verdict = GroupVerdict::open(header);
                let agreed = inside
                    .profile
                    .as_deref()
                    .and_then(|profile| judge_as(profile, &header.functional_id));
                inside.release = verdict.judge_release(agreed);
                inside.group = Some(Group {
                    verdict,
                    references: Vec::new(),
                });
            }
        }
        Event::Set(set) => {
            if let Some(inside) = inside
                && let Some(group) = &mut inside.group
            {
                let _working = Spending::begin(Effort::Working);
                let verdict = spend(Effort::Reading, || {
                    judge_set(set, inside.release, inside.profile.as_deref(), limits)
                });
                group.verdict.add(verdict);
                group.references.push(reference::of(set));
            }
        }
        Event::GroupClosed(closed) => {
            if let Some(mut group) = inside.as_mut().and_then(|inside| inside.group.take()) {
                group.verdict.close(&closed);
                messages.push(Message::Group(group));
            }
        }
        Event::InterchangeClosed(closed) => {
            announce(inside, None, sender)?;
            let verdict = InterchangeVerdict::of(&closed);
            messages.push(Message::Closed(Box::new(Closed {
                verdict,
                sha256: String::new(),
            })));
        }
        Event::Outside(outside) => {
            messages.extend(
                outside
                    .finding
                    .iter()
                    .map(|finding| Message::Stray(syntax::finding(finding, Severity::Note))),
            );
        }
        Event::NoInterchange(finding) => {
            messages.push(Message::Stray(syntax::finding(&finding, Severity::Reject)))
        }
        Event::Stray(_) => {}
    }
    Ok(())
}

/// Tells of the interchange once, as soon as its first group or its end is known, and waits for the profile.
fn announce(
    inside: &mut Option<Inside>,
    group_sender: Option<&str>,
    sender: &mpsc::Sender<Message>,
) -> Result<(), Gone> {
    let Some(inside) = inside.as_mut().filter(|inside| !inside.told) else {
        return Ok(());
    };
    inside.told = true;
    let (give, wait) = oneshot::channel();
    let opened = Message::Opened {
        header: Box::new(inside.header.clone()),
        group_sender: group_sender.map(str::to_owned),
        profile: give,
    };
    sender.blocking_send(opened).map_err(|_| Gone)?;
    inside.profile = wait.blocking_recv().map_err(|_| Gone)?;
    Ok(())
}
