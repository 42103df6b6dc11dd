//! Queueing what we send: built, judged by the engine that judges what we receive, and stored; what fails is held with
//! its findings and never transmitted. Control numbers are taken later, by `deliver`.
//!
//! Where a transaction goes on meanwhile, documents are built beside it ([`build`], [`queue_built`]).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;
use supercargo_x12::{GroupVerdict, IsaHeader, OutboundSet};
use tokio::sync::oneshot;

use super::notice::{self, Notice};
use super::{COMPANY, Gateway, Trading};
use crate::domain::document::{Application, Delivery, Direction, Disposition, Syntax};
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::DocumentId;
use crate::domain::order::Mode;
use crate::storage::documents::{self, NewDocument, Queued, Segments};
use crate::storage::effort::{Effort, Spending, spend};
use crate::storage::journal::Subject;
use crate::storage::work::Step;
use crate::storage::{Connection, Failure};
use crate::translation::envelope::Addresses;
use crate::translation::judge::outbound_findings;

/// One document on its way out.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The segments, or why they could not be built.
    pub set: Result<OutboundSet, Vec<Finding>>,
    /// 855, 856, 810, 997 …
    pub set_code: &'static str,
    /// What caused it, such as `order:12`: with set and revision the key that keeps it from being made twice.
    pub cause: String,
    /// Which answer to the same cause this is, from 1.
    pub revision: i64,
    /// What it is about.
    pub subject: Subject,
    /// PO, shipment or invoice number.
    pub reference: String,
    /// The document it replaces.
    pub replaces: Option<i64>,
    /// What it answers: who sent that is whom it goes to.
    pub answers: Answers,
}

/// What a document of ours answers.
#[derive(Debug, Clone)]
pub enum Answers {
    /// An interchange: it goes back to who sent that, as whom that was sent to.
    Interchange(Addresses),
    /// The document an order came in: it goes to the address of the partner's that sent that, where it serves the world.
    Order(DocumentId),
}

/// Makes a document of what was noted for it.
pub type Builder = Box<dyn FnOnce() -> Result<Outgoing, Failure> + Send>;

/// A document with what our own checks found in it.
type Judged = (Outgoing, Vec<Finding>);

/// Documents that are built beside a transaction while it goes on, in the order in which they were asked for. It has to
/// end with [`queue_built`].
#[derive(Clone, Default)]
pub(super) struct Beside(Arc<Mutex<Vec<Pending>>>);

struct Pending {
    trading: Trading,
    mode: Mode,
    made: oneshot::Receiver<Result<Judged, Failure>>,
}

impl Beside {
    fn pending(&self) -> MutexGuard<'_, Vec<Pending>> {
        // Whoever panicked with it had added one or taken all: the list is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, trading: &Trading, mode: Mode, build: Builder) {
        let (sender, made) = oneshot::channel();
        let by = trading.clone();
        rayon::spawn_fifo(move || {
            let _working = Spending::begin(Effort::Working);
            let make = || build().map(|outgoing| judged(outgoing, &by));
            let made = catch_unwind(AssertUnwindSafe(|| spend(Effort::Rendering, make)));
            let made = made.unwrap_or(Err(Failure::Fault));
            // Nobody waits for it where the transaction was taken back.
            let _ = sender.send(made);
        });
        self.pending().push(Pending {
            trading: trading.clone(),
            mode,
            made,
        });
    }
}

fn judged(outgoing: Outgoing, trading: &Trading) -> Judged {
    let findings = findings_of(&outgoing, trading);
    (outgoing, findings)
}

/// Builds documents for a partner and queues them, beside the transaction where it goes on meanwhile.
pub async fn build(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    mode: Mode,
    builders: Vec<Builder>,
) -> Result<(), Failure> {
    if let Some(beside) = &gateway.beside {
        for builder in builders {
            beside.begin(trading, mode, builder);
        }
        return Ok(());
    }
    let judged = spend(Effort::Rendering, || {
        builders
            .into_par_iter()
            .map(|build| build().map(|outgoing| judged(outgoing, trading)))
            .collect::<Result<_, Failure>>()
    })?;
    queue_judged(gateway, connection, trading, mode, judged).await?;
    Ok(())
}

/// Waits for what is built beside this transaction, and queues it.
pub async fn queue_built(gateway: &Gateway, connection: &mut Connection) -> Result<(), Failure> {
    let Some(beside) = &gateway.beside else {
        return Ok(());
    };
    let pending = std::mem::take(&mut *beside.pending());
    let waiting = Spending::begin(Effort::Waiting);
    let mut built: Vec<(Trading, Mode, Vec<Judged>)> = Vec::new();
    for one in pending {
        let made = one.made.await.map_err(|_| Failure::Stopping)??;
        match built.last_mut() {
            Some((trading, mode, all))
                if trading.partner == one.trading.partner && *mode == one.mode =>
            {
                all.push(made);
            }
            _ => built.push((one.trading, one.mode, vec![made])),
        }
    }
    drop(waiting);
    for (trading, mode, judged) in built {
        queue_judged(gateway, connection, &trading, mode, judged).await?;
    }
    Ok(())
}

/// Queues documents for a partner and asks for their delivery. Those that fail our own checks are held, and ops is told.
pub async fn queue(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    mode: Mode,
    outgoing: Vec<Outgoing>,
) -> Result<Vec<i64>, Failure> {
    let segments = |outgoing: &Outgoing| outgoing.set.as_ref().map_or(0, |set| set.segments.len());
    let many = is_worth_sharing(outgoing.iter().map(segments).sum());
    let judge = |outgoing| judged(outgoing, trading);
    let judged: Vec<Judged> = spend(Effort::Rendering, || match many {
        true => outgoing.into_par_iter().map(judge).collect(),
        false => outgoing.into_iter().map(judge).collect(),
    });
    queue_judged(gateway, connection, trading, mode, judged).await
}

/// Whether so many segments are worth the time until other threads have begun with them.
pub(super) fn is_worth_sharing(segments: usize) -> bool {
    segments > 1_000
}

async fn queue_judged(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    mode: Mode,
    judged: Vec<Judged>,
) -> Result<Vec<i64>, Failure> {
    let now = gateway.now();
    let ids = connection.identities("document", judged.len()).await?;
    let keys: Vec<(String, i64)> = ids
        .iter()
        .zip(&judged)
        .map(|(id, (outgoing, _))| (key(outgoing), *id))
        .collect();
    let claimed = connection.claim_effects(&keys).await?;
    let (mut made, mut queued, mut held) = (Vec::new(), Vec::new(), Vec::new());
    for ((id, (outgoing, findings)), claimed) in ids.into_iter().zip(judged).zip(claimed) {
        if !claimed {
            continue;
        }
        made.push(id);
        let address = address(gateway, connection, trading, mode, &outgoing.answers).await?;
        match document(id, trading, mode, outgoing, findings, address)? {
            (document, Some(set)) => queued.push(Queued {
                document,
                segments: Box::new(Built(set)),
                at: now,
            }),
            (document, None) => held.push(document),
        }
    }
    connection.queue_documents(queued)?;
    connection.add_documents(held.clone(), now).await?;
    for document in held {
        tell_held(gateway, connection, trading, &document).await?;
    }
    connection
        .ask_for(Step::Deliver, trading.partner.0, &[trading.partner.0], now)
        .await?;
    Ok(made)
}

/// Whom a document goes to, as JSON; empty where that is the partner's first address.
async fn address(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    mode: Mode,
    answers: &Answers,
) -> Result<String, Failure> {
    let Some(company) = gateway.settings.our_company() else {
        return Ok(String::new());
    };
    let profile = &trading.profile;
    let first = Addresses::of(profile, company, mode);
    let to = match answers {
        Answers::Interchange(to) => to.clone(),
        Answers::Order(source) => {
            let serving = profile
                .address
                .iter()
                .filter(|address| address.serves(mode));
            if serving.count() < 2 {
                return Ok(String::new());
            }
            let Some((header, group)) = connection.sender_of(source.0).await? else {
                return Ok(String::new());
            };
            let corrupt = |error: serde_json::Error| Failure::Corrupt {
                table: "interchange",
                key: format!("of document {source}"),
                why: error.to_string(),
            };
            let header: IsaHeader = serde_json::from_str(&header).map_err(corrupt)?;
            let group: Option<GroupVerdict> = group
                .map(|group| serde_json::from_str(&group).map_err(corrupt))
                .transpose()?;
            Addresses::answering_order(profile, company, mode, &header, group.as_ref())
        }
    };
    if to == first {
        return Ok(String::new());
    }
    serde_json::to_string(&to).map_err(|error| documents::corrupt("address", error))
}

/// What keeps a document from being made twice.
fn key(outgoing: &Outgoing) -> String {
    format!(
        "out:{}:{}:{}",
        outgoing.cause, outgoing.set_code, outgoing.revision
    )
}

/// What our own checks find in a document, or why it could not be built.
fn findings_of(outgoing: &Outgoing, trading: &Trading) -> Vec<Finding> {
    match &outgoing.set {
        Ok(set) => outbound_findings(set, &trading.profile),
        Err(findings) => findings.clone(),
    }
}

/// What would hold a document instead of sending it.
pub fn held_by(trading: &Trading, outgoing: &Outgoing) -> Vec<Finding> {
    let mut findings = findings_of(outgoing, trading);
    findings.retain(|finding| finding.severity != Severity::Note);
    findings
}

/// The segments of a document as they were built.
#[derive(Debug)]
pub(super) struct Built(pub(super) OutboundSet);

impl Segments for Built {
    fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&self.0)
    }
}

/// The row of a document, and its segments where it goes out; without them it is held, and they stand in the row.
fn document(
    id: i64,
    trading: &Trading,
    mode: Mode,
    outgoing: Outgoing,
    findings: Vec<Finding>,
    address: String,
) -> Result<(NewDocument, Option<OutboundSet>), Failure> {
    let set = outgoing.set.ok();
    let sound = set.is_some()
        && findings
            .iter()
            .all(|finding| finding.severity == Severity::Note);
    let (disposition, delivery) = match sound {
        true => (Disposition::Processed, Delivery::Queued),
        false => (Disposition::Held, Delivery::Held),
    };
    let body = match (&set, sound) {
        (Some(set), false) => {
            Some(serde_json::to_string(set).map_err(|error| documents::corrupt(id, error))?)
        }
        _ => None,
    };
    let answered = !matches!(outgoing.set_code, "997" | "999" | "TA1");
    let expects = answered && trading.profile.acknowledgment.expect;
    let document = NewDocument {
        id,
        direction: Direction::Out,
        company: COMPANY.0,
        partner: Some(trading.partner.0),
        mode: mode.word(),
        set_code: outgoing.set_code.to_owned(),
        file: None,
        interchange: None,
        group_ordinal: None,
        set_ordinal: None,
        isa13: String::new(),
        gs06: String::new(),
        st02: String::new(),
        byte_offset: None,
        size: None,
        disposition,
        delivery,
        syntax: if expects {
            Syntax::Pending
        } else {
            Syntax::None
        },
        application: if trading.profile.expects_advice(outgoing.set_code) {
            Application::Pending
        } else {
            Application::None
        },
        subject: Some(outgoing.subject),
        reference: outgoing.reference,
        findings,
        body,
        replaces: outgoing.replaces,
        address,
        sent: None,
    };
    Ok((document, set.filter(|_| sound)))
}

async fn tell_held(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    document: &NewDocument,
) -> Result<(), Failure> {
    let notice = Notice {
        key: format!("document-held:{}", document.id),
        kind: "document-held",
        subject: Subject::new("document", document.id),
        title: format!(
            "our {} for {} was not sent: it fails our own checks",
            document.set_code, document.reference
        ),
        text: format!(
            "{}\nWhat to do: mend what it is made of (profile, item, location), then replay document {}.",
            notice::lines(&document.findings),
            document.id
        ),
    };
    notice::tell(gateway, connection, Some(trading), notice).await
}
