//! What people do with documents: replay one that is held, with or without a correction; dismiss it; send one of ours
//! again after the partner rejected it; deliver the same bytes again.

use std::collections::BTreeSet;

use super::correction::{self, Correction};
use super::deliver::pickup_due;
use super::notice::{self, Notice};
use super::outbound::{self, Outgoing};
use super::{COMPANY, Gateway, Trading, fulfil, translate};
use crate::domain::document::{Application, Delivery, Disposition};
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::{DocumentId, InvoiceId, OrderId, PartnerId, ShipmentId};
use crate::domain::order::Mode;
use crate::storage::content::NewContent;
use crate::storage::documents::{DocumentRow, Settled};
use crate::storage::journal::Subject;
use crate::storage::work::Step;
use crate::storage::{Class, Connection, Failure, catalogue};
use crate::translation::{invoice, ship_notice};

/// What a replay set going.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// The set alone runs again, under its number.
    Set,
    /// The interchange it came in was held as a whole: the file is read again, and the sets of that interchange come
    /// back under new numbers.
    Interchange {
        /// The file.
        file: i64,
        /// Its control number.
        isa13: String,
        /// Where in the file the set stands: by this it is found again.
        place: i64,
    },
    /// One of ours, built anew as another document.
    Anew(DocumentId),
}

/// Runs a held document again: by today's profile and catalogue, or as corrected, both versions kept. A correction is
/// judged first: one that is no sound set of the same kind is refused with what was found, and nothing is stored. One that is held
/// because its sender was not known is read again from the file.
pub async fn replay(
    gateway: &Gateway,
    id: DocumentId,
    corrected: Option<Vec<u8>>,
    actor: &str,
) -> Result<Replayed, Failure> {
    let (inside, actor) = (gateway.clone(), actor.to_owned());
    let replayed = gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (gateway, corrected, actor) = (inside.clone(), corrected.clone(), actor.clone());
            Box::pin(
                async move { replay_document(&gateway, connection, id, corrected, &actor).await },
            )
        })
        .await?;
    gateway.wake();
    Ok(replayed)
}

async fn find(connection: &mut Connection, id: DocumentId) -> Result<DocumentRow, Failure> {
    connection.document(id.0).await?.ok_or_else(|| {
        Failure::refuse(format!(
            "there is no document {id}; `supercargo document list` shows the numbers"
        ))
    })
}

/// The same, kept from others until the transaction ends: of two people who press the same button, the second sees what
/// the first did.
async fn find_to_change(
    connection: &mut Connection,
    id: DocumentId,
) -> Result<DocumentRow, Failure> {
    connection.lock_document(id.0).await?;
    find(connection, id).await
}

async fn replay_document(
    gateway: &Gateway,
    connection: &mut Connection,
    id: DocumentId,
    corrected: Option<Vec<u8>>,
    actor: &str,
) -> Result<Replayed, Failure> {
    let now = gateway.now();
    let document = find_to_change(connection, id).await?;
    if document.direction == "out" {
        return rebuild_held(gateway, connection, &document, actor).await;
    }
    if document.disposition != Disposition::Held.word() {
        return Err(Failure::refuse(format!(
            "document {id} is {}: only a held one can be replayed. One that was rejected is sent again by the partner, and one that was processed has had its effect",
            document.disposition
        )));
    }
    let whole_is_held = match document.interchange_id {
        Some(interchange) => connection.interchange_is_unsettled(interchange).await?,
        None => true,
    };
    let subject = Subject::new("document", id.0);
    let what = if corrected.is_some() {
        "document corrected and replayed"
    } else {
        "document replayed"
    };
    let detail = match whole_is_held {
        true => format!(
            "interchange {} was held as a whole: file {} is read again, and its sets get new numbers",
            document.isa13,
            document.file_id.unwrap_or_default()
        ),
        false => String::new(),
    };
    connection
        .record(now, actor, what, subject, &detail)
        .await?;
    connection.clear_alerts(now, subject).await?;
    if whole_is_held {
        if corrected.is_some() {
            return Err(Failure::refuse(
                "the whole interchange is held, not this set: mend the profile and replay it without a correction",
            ));
        }
        let file = document.file_id.unwrap_or_default();
        connection.ask_for(Step::Read, file, &[file], now).await?;
        return Ok(Replayed::Interchange {
            file,
            isa13: document.isa13,
            place: document.byte_offset.unwrap_or_default(),
        });
    }
    let mut findings = Vec::new();
    if let Some(bytes) = corrected {
        let judged = correction::judge(gateway, connection, &document, &bytes).await?;
        let content = NewContent::new(bytes);
        let sha256 = content.address.sha256.clone();
        connection.put_contents(vec![content], now).await?;
        connection.correct_document(id.0, &sha256).await?;
        if judged.held {
            hold_correction(gateway, connection, &document, &sha256, &judged).await?;
            return Ok(Replayed::Set);
        }
        findings = judged.findings;
    }
    connection
        .settle_documents(&[Settled {
            id: id.0,
            disposition: Disposition::Received,
            application: Application::Pending,
            subject: None,
            reference: String::new(),
            findings,
        }])
        .await?;
    connection
        .ask_for(
            Step::Translate,
            document.partner_id.unwrap_or_default(),
            &[id.0],
            now,
        )
        .await?;
    Ok(Replayed::Set)
}

/// Keeps a correction that the partner's guide faults, and lets it wait for a person again.
async fn hold_correction(
    gateway: &Gateway,
    connection: &mut Connection,
    document: &DocumentRow,
    sha256: &str,
    judged: &Correction,
) -> Result<(), Failure> {
    connection
        .settle_documents(&[Settled {
            id: document.id,
            disposition: Disposition::Held,
            application: Application::Pending,
            subject: None,
            reference: judged.reference.clone(),
            findings: judged.findings.clone(),
        }])
        .await?;
    let trading = match document.partner_id {
        Some(partner) => Some(gateway.trading(connection, PartnerId(partner)).await?),
        None => None,
    };
    let notice = Notice {
        key: format!("document-held:{}:{sha256}", document.id),
        kind: "document-held",
        subject: Subject::new("document", document.id),
        title: format!("the corrected {} is held again", document.set_code),
        text: format!(
            "{}\nWhat to do: correct it once more, or replay it as it is (`supercargo document replay {}`), or dismiss it.",
            notice::lines(&judged.findings),
            document.id
        ),
    };
    notice::tell(gateway, connection, trading.as_ref(), notice).await
}

/// A document of ours that failed our checks is built anew from what it is about.
async fn rebuild_held(
    gateway: &Gateway,
    connection: &mut Connection,
    document: &DocumentRow,
    actor: &str,
) -> Result<Replayed, Failure> {
    if document.delivery != Delivery::Held.word() {
        return Err(Failure::refuse(format!(
            "document {} is {}: only a held one can be replayed; one that the partner rejected is sent again with `resend`",
            document.id, document.delivery
        )));
    }
    again(gateway, connection, document, actor)
        .await
        .map(Replayed::Anew)
}

/// Sends a document again under new control numbers, built anew from what it is about; for one that the partner's 997 or
/// 824 rejected. The new document.
pub async fn resend(gateway: &Gateway, id: DocumentId, actor: &str) -> Result<DocumentId, Failure> {
    let (inside, actor) = (gateway.clone(), actor.to_owned());
    let made = gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (gateway, actor) = (inside.clone(), actor.clone());
            Box::pin(async move {
                let document = find(connection, id).await?;
                let rejected = document.syntax == "rejected" || document.application == "rejected";
                if document.direction != "out" || !rejected {
                    return Err(Failure::refuse(format!(
                        "document {id} was not rejected by the partner: the same bytes can be delivered again, under the same control numbers (`redeliver`)"
                    )));
                }
                again(&gateway, connection, &document, &actor).await
            })
        })
        .await?;
    gateway.wake();
    Ok(made)
}

async fn again(
    gateway: &Gateway,
    connection: &mut Connection,
    document: &DocumentRow,
    actor: &str,
) -> Result<DocumentId, Failure> {
    let now = gateway.now();
    let partner = PartnerId(document.partner_id.unwrap_or_default());
    let trading = gateway.trading(connection, partner).await?;
    let mode: Mode = document.mode.parse().map_err(Failure::refuse)?;
    let mut outgoing = rebuild(gateway, connection, &trading, document).await?;
    // One that never left is no repetition to the partner.
    if document.delivery != Delivery::Held.word() {
        outgoing.set = outgoing.set.map(|set| match outgoing.set_code {
            "856" => ship_notice::sent_again(set, &trading.profile),
            "810" => invoice::sent_again(set, &trading.profile),
            _ => set,
        });
    }
    outgoing.replaces = Some(document.id);
    outgoing.revision = 1_000 + document.id;
    let made = outbound::queue(gateway, connection, &trading, mode, vec![outgoing]).await?;
    let Some(new) = made.first() else {
        return Err(Failure::refuse(format!(
            "document {} has been sent again before",
            document.id
        )));
    };
    connection
        .set_delivery(&[document.id], Delivery::Superseded)
        .await?;
    let subject = Subject::new("document", document.id);
    connection.clear_alerts(now, subject).await?;
    connection
        .record(
            now,
            actor,
            "document sent again",
            subject,
            &format!("as document {new}"),
        )
        .await?;
    Ok(DocumentId(*new))
}

async fn rebuild(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    document: &DocumentRow,
) -> Result<Outgoing, Failure> {
    let subject = document.subject_id.unwrap_or_default();
    let gone = || {
        Failure::refuse(format!(
            "what document {} is about can not be found",
            document.id
        ))
    };
    match document.set_code.as_str() {
        "855" => {
            let order = connection.order(OrderId(subject)).await?.ok_or_else(gone)?;
            let left = super::allocate::left(connection, trading, &[&order]).await?;
            super::allocate::outgoing(gateway, trading, &order, left.get(&order.id))
        }
        "856" => {
            let shipment = connection
                .shipment(ShipmentId(subject))
                .await?
                .ok_or_else(gone)?;
            let orders = connection.orders(&shipment.orders()).await?;
            let warehouses = catalogue::warehouses(connection, COMPANY).await?;
            let warehouse = fulfil::house_of(&warehouses, &shipment)?;
            let locations =
                fulfil::locations(connection, trading, std::iter::once(&shipment)).await?;
            fulfil::outgoing(gateway, trading, warehouse, &locations, &shipment, &orders)
        }
        "810" => {
            let invoice = connection
                .invoice(InvoiceId(subject))
                .await?
                .ok_or_else(gone)?;
            let order = connection.order(invoice.order).await?.ok_or_else(gone)?;
            let shipments = connection.shipments(&invoice.shipments).await?;
            super::invoice::outgoing(gateway, trading, &invoice, &order, &shipments)
        }
        other => Err(Failure::refuse(format!(
            "a {other} is not sent again: the partner's own resend brings a new one"
        ))),
    }
}

/// The bytes of a document as they were received or sent: the set, or the whole file where it holds none.
pub async fn raw(gateway: &Gateway, id: DocumentId) -> Result<Vec<u8>, Failure> {
    let mut connection = gateway.store.read().await?;
    let document = find(&mut connection, id).await?;
    let sha256 = match (document.transmission_id, document.file_id) {
        (Some(transmission), _) => connection
            .transmission(transmission)
            .await?
            .map(|row| row.sha256),
        (None, Some(file)) => connection.file(file).await?.map(|row| row.sha256),
        (None, None) => None,
    };
    let Some(sha256) = sha256 else {
        return Err(Failure::refuse(format!(
            "document {id} has not been written yet: it is {}",
            document.delivery
        )));
    };
    let number = |value: Option<i64>| u64::try_from(value.unwrap_or_default()).unwrap_or_default();
    match number(document.size) {
        0 => connection.content(&sha256).await,
        size => {
            connection
                .content_range(&sha256, number(document.byte_offset), size)
                .await
        }
    }
}

/// Puts the same bytes under the same name before the partner once more.
pub async fn redeliver(gateway: &Gateway, id: DocumentId, actor: &str) -> Result<(), Failure> {
    let (inside, actor) = (gateway.clone(), actor.to_owned());
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (gateway, actor) = (inside.clone(), actor.clone());
            Box::pin(async move {
                let document = find(connection, id).await?;
                let Some(transmission) = document.transmission_id else {
                    return Err(Failure::refuse(format!(
                        "document {id} has not been sent yet"
                    )));
                };
                let now = gateway.now();
                let partner = PartnerId(document.partner_id.unwrap_or_default());
                let trading = gateway.trading(connection, partner).await?;
                let due = pickup_due(&gateway, &trading);
                let pushed = connection.offer_again(transmission, due).await?;
                if let Some(over) = pushed {
                    connection
                        .ask_for(Step::Push, over, &[transmission], now)
                        .await?;
                }
                connection
                    .record(
                        now,
                        &actor,
                        "document delivered again",
                        Subject::new("document", id.0),
                        "",
                    )
                    .await
            })
        })
        .await?;
    gateway.wake();
    Ok(())
}

/// A person refuses a held document: it will not be acted upon.
pub async fn dismiss(
    gateway: &Gateway,
    id: DocumentId,
    reason: &str,
    actor: &str,
) -> Result<(), Failure> {
    if reason.trim().is_empty() {
        return Err(Failure::refuse("give a reason: it stays with the document"));
    }
    let (inside, reason, actor) = (gateway.clone(), reason.to_owned(), actor.to_owned());
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (gateway, reason, actor) = (inside.clone(), reason.clone(), actor.clone());
            Box::pin(async move {
                let document = find_to_change(connection, id).await?;
                if document.direction != "in" || document.disposition != Disposition::Held.word() {
                    return Err(Failure::refuse(format!(
                        "document {id} is {}: only a held one can be dismissed",
                        document.disposition
                    )));
                }
                let mut findings: Vec<Finding> =
                    serde_json::from_str(&document.findings).unwrap_or_default();
                findings.push(Finding::business(
                    "dismissed",
                    Severity::Reject,
                    format!("dismissed by {actor}: {reason}"),
                ));
                connection
                    .settle_documents(&[Settled {
                        id: id.0,
                        disposition: Disposition::Rejected,
                        application: Application::Rejected,
                        subject: None,
                        reference: String::new(),
                        findings,
                    }])
                    .await?;
                connection.leave_unanswered(id.0).await?;
                let now = gateway.now();
                let subject = Subject::new("document", id.0);
                connection.clear_alerts(now, subject).await?;
                connection
                    .record(now, &actor, "document dismissed", subject, &reason)
                    .await?;
                let interchange: BTreeSet<i64> = document.interchange_id.into_iter().collect();
                translate::refresh(connection, interchange).await
            })
        })
        .await
}
