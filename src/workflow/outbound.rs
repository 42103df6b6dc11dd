//! Queueing what we send: built, judged by the engine that judges what we receive, and stored; what fails is held with
//! its findings and never transmitted. Control numbers are taken later, by `deliver`.

use rayon::prelude::*;
use supercargo_x12::{GroupVerdict, IsaHeader, OutboundSet};

use super::notice::{self, Notice};
use super::{COMPANY, Gateway, Trading};
use crate::domain::document::{Application, Delivery, Direction, Disposition, Syntax};
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::DocumentId;
use crate::domain::order::Mode;
use crate::storage::documents::{NewDocument, Queued, Segments};
use crate::storage::effort::{Effort, spend};
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

/// Queues documents for a partner and asks for their delivery. Those that fail our own checks are held, and ops is told.
pub async fn queue(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    mode: Mode,
    outgoing: Vec<Outgoing>,
) -> Result<Vec<i64>, Failure> {
    let now = gateway.now();
    let ids = connection.identities("document", outgoing.len()).await?;
    let keys: Vec<(String, i64)> = ids
        .iter()
        .zip(&outgoing)
        .map(|(id, outgoing)| (key(outgoing), *id))
        .collect();
    let claimed = connection.claim_effects(&keys).await?;
    let mut addressed = Vec::with_capacity(outgoing.len());
    for ((id, outgoing), claimed) in ids.iter().zip(outgoing).zip(claimed) {
        if claimed {
            let address = address(gateway, connection, trading, mode, &outgoing.answers).await?;
            addressed.push((*id, outgoing, address));
        }
    }
    let judged: Vec<Judged> = spend(Effort::Rendering, || {
        addressed
            .into_par_iter()
            .map(|(id, outgoing, address)| judge(id, trading, mode, outgoing, address))
            .collect::<Result<_, Failure>>()
    })?;
    let (mut made, mut queued, mut held) = (Vec::new(), Vec::new(), Vec::new());
    for one in judged {
        match one {
            Judged::Sound(document, set) => {
                made.push(document.id);
                queued.push(Queued {
                    document,
                    segments: Box::new(Built(set)),
                    at: now,
                });
            }
            Judged::Held(document) => {
                made.push(document.id);
                held.push(document);
            }
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
    serde_json::to_string(&to).map_err(|error| Failure::Corrupt {
        table: "document",
        key: "address".to_owned(),
        why: error.to_string(),
    })
}

/// What keeps a document from being made twice.
fn key(outgoing: &Outgoing) -> String {
    format!(
        "out:{}:{}:{}",
        outgoing.cause, outgoing.set_code, outgoing.revision
    )
}

/// What would hold a document instead of sending it.
pub fn held_by(trading: &Trading, outgoing: &Outgoing) -> Vec<Finding> {
    let mut findings = match &outgoing.set {
        Ok(set) => outbound_findings(set, &trading.profile),
        Err(findings) => findings.clone(),
    };
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

/// What our own checks made of a document.
enum Judged {
    /// It goes out.
    Sound(NewDocument, OutboundSet),
    /// It waits for a person.
    Held(NewDocument),
}

fn judge(
    id: i64,
    trading: &Trading,
    mode: Mode,
    outgoing: Outgoing,
    address: String,
) -> Result<Judged, Failure> {
    let (findings, set) = match outgoing.set {
        Ok(set) => (outbound_findings(&set, &trading.profile), Some(set)),
        Err(findings) => (findings, None),
    };
    let sound = set.is_some()
        && findings
            .iter()
            .all(|finding| finding.severity == Severity::Note);
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
        disposition: if sound {
            Disposition::Processed
        } else {
            Disposition::Held
        },
        delivery: if sound {
            Delivery::Queued
        } else {
            Delivery::Held
        },
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
        body: None,
        replaces: outgoing.replaces,
        address,
        sent: None,
    };
    match set {
        Some(set) if sound => Ok(Judged::Sound(document, set)),
        set => {
            let body = set.as_ref().map(serde_json::to_string).transpose();
            let body = body.map_err(|error| Failure::Corrupt {
                table: "document",
                key: id.to_string(),
                why: error.to_string(),
            })?;
            Ok(Judged::Held(NewDocument { body, ..document }))
        }
    }
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
