//! Deliver: queued documents of a partner get their control numbers, are rendered into interchanges, and are handed to
//! its connection, in one transaction: a mailbox shows the file the moment it commits; a push or a folder gets it from
//! the step `push`.

use std::any::Any;
use std::collections::HashMap;

use rayon::prelude::*;
use supercargo_x12::{
    Envelope, Group, NumberedSet, OutSegment, OutboundSet, Written, WrittenSet, functional_id_of,
    set_number, write_interchange,
};

use super::outbound::{Built, is_worth_sharing};
use super::run::Later;
use super::{Gateway, Trading};
use crate::config::profile::connection::Route;
use crate::config::profile::envelope::Batch;
use crate::config::profile::file_name::FileNameValues;
use crate::domain::clock::{Instant, hours_after};
use crate::domain::document::{Delivery, Syntax};
use crate::domain::ids::PartnerId;
use crate::domain::order::Mode;
use crate::storage::content::address;
use crate::storage::documents::{
    DocumentRow, NewDocument, NewTransmission, Numbered, Queued, Sent, corrupt,
};
use crate::storage::effort::{Effort, spend};
use crate::storage::partners::ConnectionRow;
use crate::storage::work::Step;
use crate::storage::{Connection, Failure};
use crate::translation::envelope::{Addresses, envelope};
use crate::waypoint::{self, BEGUN};

/// Documents put into files by one transaction.
const BATCH_MAX: i64 = 200;

/// Builds and hands over the files of these partners; adds their numbers to `sent`.
pub async fn step(
    gateway: &Gateway,
    connection: &mut Connection,
    subjects: &[i64],
    sent: &mut Vec<i64>,
) -> Result<Vec<Later>, Failure> {
    let mut later = Vec::new();
    connection.hold_partners(subjects).await?;
    for partner in subjects {
        let queued = connection.queued_documents(*partner, BATCH_MAX).await?;
        let full = queued.len() as i64 == BATCH_MAX;
        let waiting = queued.into_iter().map(Waiting::stored).collect();
        let trading = gateway.trading(connection, PartnerId(*partner)).await?;
        sent.extend(hand_over(gateway, connection, &trading, waiting).await?);
        if full {
            later.push(Later {
                subject: *partner,
                lane_of: *partner,
                due: gateway.now(),
            });
        }
    }
    Ok(later)
}

/// Puts into files what this transaction has queued itself, so that it is written once, as it has gone out. For this no
/// lane has to be held: nobody else knows of these documents, and where others wait for the partner it is left to the step.
pub async fn fresh(
    gateway: &Gateway,
    connection: &mut Connection,
    sent: &mut Vec<i64>,
) -> Result<Vec<i64>, Failure> {
    let mut served = Vec::new();
    for partner in connection.partners_of_queued(gateway.now()).await? {
        let trading = gateway.trading(connection, PartnerId(partner)).await?;
        if !names_po(&trading) {
            served.push(trading);
        }
    }
    let partners: Vec<i64> = served.iter().map(|trading| trading.partner.0).collect();
    if partners.is_empty() {
        return Ok(partners);
    }
    waypoint::pass("deliver", BEGUN);
    connection.write_asked_but(&partners).await?;
    connection.hold_partners(&partners).await?;
    for trading in &served {
        let queued = connection.take_queued(trading.partner.0)?;
        let waiting = queued.into_iter().map(Waiting::fresh);
        let waiting = waiting.collect::<Result<_, _>>()?;
        sent.extend(hand_over(gateway, connection, trading, waiting).await?);
    }
    Ok(partners)
}

/// Whether files are named by the orders they are about, which are looked up where they are written.
fn names_po(trading: &Trading) -> bool {
    trading.profile.envelope.file_name.contains("{po}")
}

/// A document that waits to be put into a file.
struct Waiting {
    id: i64,
    mode: String,
    set_code: String,
    address: String,
    reference: String,
    /// Whether an answer is expected.
    pending: bool,
    text: Text,
    /// Itself with its time, where it has not been written yet.
    fresh: Option<(NewDocument, Instant)>,
}

/// What a document says.
enum Text {
    /// As it is stored.
    Json(String),
    /// As it was built.
    Built(OutboundSet),
}

impl Waiting {
    fn stored(row: DocumentRow) -> Self {
        Self {
            id: row.id,
            mode: row.mode,
            set_code: row.set_code,
            address: row.address,
            reference: row.reference,
            pending: row.syntax == "pending",
            text: Text::Json(row.body.unwrap_or_default()),
            fresh: None,
        }
    }

    fn fresh(queued: Queued) -> Result<Self, Failure> {
        let Queued {
            document,
            segments,
            at,
        } = queued;
        let segments: Box<dyn Any> = segments;
        let Ok(built) = segments.downcast::<Built>() else {
            return Err(corrupt(
                document.id,
                "it was queued with segments of another kind",
            ));
        };
        Ok(Self {
            id: document.id,
            mode: document.mode.to_owned(),
            set_code: document.set_code.clone(),
            address: document.address.clone(),
            reference: document.reference.clone(),
            pending: document.syntax == Syntax::Pending,
            text: Text::Built(built.0),
            fresh: Some((document, at)),
        })
    }

    /// About how many segments it has.
    fn size(&self) -> usize {
        match &self.text {
            Text::Json(body) => body.len() / 32,
            Text::Built(set) => set.segments.len(),
        }
    }

    /// Its segments, taken out of it.
    fn take_set(&mut self) -> Result<OutboundSet, Failure> {
        match std::mem::replace(&mut self.text, Text::Json(String::new())) {
            Text::Json(body) => parse(self.id, &body),
            Text::Built(set) => Ok(set),
        }
    }
}

/// Puts documents of a partner into files and hands these over; the numbers of the files.
async fn hand_over(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    waiting: Vec<Waiting>,
) -> Result<Vec<i64>, Failure> {
    let (kind, name) = match trading.profile.route() {
        Route::Mailbox(name) => ("mailbox", name),
        Route::Sftp(_) => ("sftp", ""),
        Route::Folder(_) => ("folder", ""),
    };
    let over = connection
        .delivery_connection(trading.partner.0, kind, name)
        .await?;
    let Some(over) = &over else {
        return Err(Failure::refuse(format!(
            "partner {} has no connection over which to send; apply its profile again",
            trading.profile.partner
        )));
    };
    let mut sent = Vec::new();
    for ((mode, set_code, _), documents) in sorted(waiting) {
        let batches = batches(trading, documents);
        sent.extend(
            send(
                gateway, connection, trading, over, &mode, &set_code, batches,
            )
            .await?,
        );
    }
    Ok(sent)
}

/// What a file holds one of: a world, a set and an address, so that its name can say which.
type Kind = (String, String, String);

/// By kind, in the order of the first document of each: what tells of an order stays in its order.
fn sorted(waiting: Vec<Waiting>) -> Vec<(Kind, Vec<Waiting>)> {
    let mut kinds: Vec<(Kind, Vec<Waiting>)> = Vec::new();
    for document in waiting {
        let kind = (
            document.mode.clone(),
            document.set_code.clone(),
            document.address.clone(),
        );
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, documents)) => documents.push(document),
            None => kinds.push((kind, vec![document])),
        }
    }
    kinds
}

fn batches(trading: &Trading, documents: Vec<Waiting>) -> Vec<Vec<Waiting>> {
    let most = match trading.profile.envelope.batch {
        Batch::PerDocument => 1,
        Batch::PerRun => BATCH_MAX as usize,
    };
    let mut documents = documents.into_iter();
    std::iter::from_fn(|| Some(documents.by_ref().take(most).collect::<Vec<_>>()))
        .take_while(|batch| !batch.is_empty())
        .collect()
}

fn parse<T: serde::de::DeserializeOwned>(id: i64, body: &str) -> Result<T, Failure> {
    serde_json::from_str(body).map_err(|error| corrupt(id, error))
}

/// The documents of a file, its numbers, and its bytes.
type Rendered = (Vec<Waiting>, u32, u32, Written);

/// Hands over one file for each batch of documents, all of one world and set; their numbers.
#[allow(clippy::too_many_arguments)]
async fn send(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    over: &ConnectionRow,
    mode: &str,
    set_code: &str,
    batches: Vec<Vec<Waiting>>,
) -> Result<Vec<i64>, Failure> {
    let now = gateway.now();
    let world: Mode = mode.parse().map_err(Failure::refuse)?;
    let Some(company) = gateway.settings.our_company() else {
        return Err(Failure::refuse("the settings name no company"));
    };
    let first = batches.iter().flatten().next();
    let addresses = match first.filter(|first| !first.address.is_empty()) {
        Some(first) => parse(first.id, &first.address)?,
        None => Addresses::of(&trading.profile, company, world),
    };
    let pair = addresses.pair();
    let files = batches.len();
    let count = i64::try_from(files).unwrap_or(i64::MAX);
    let first_isa = connection
        .take_numbers(&format!("isa:{pair}:{mode}"), count)
        .await?;
    let first_gs06 = match set_code {
        "TA1" => None,
        _ => Some(
            connection
                .take_numbers(&format!("gs:{pair}:{mode}"), count)
                .await?,
        ),
    };
    waypoint::pass("deliver", "control numbers taken");
    let ids = connection.identities("transmission", files).await?;
    let local = now.with_timezone(&trading.profile.time_zone).naive_local();
    let release = trading.profile.release_of(set_code);
    let firsts: Vec<i64> = batches
        .iter()
        .filter_map(|documents| documents.first())
        .map(|document| document.id)
        .collect();
    let pos = if names_po(trading) {
        connection.pos_of(&firsts).await?
    } else {
        HashMap::new()
    };
    let at_once = over.kind == "mailbox";
    let (state, delivery) = match at_once {
        true => ("delivered", Delivery::Delivered),
        false => ("queued", Delivery::Queued),
    };
    let render_file = |(nth, mut documents): (i64, Vec<Waiting>)| {
        let isa = wrapped(first_isa + nth);
        let gs06 = first_gs06.map_or(0, |first| wrapped(first + nth));
        let envelope = envelope(&trading.profile, &addresses, local, isa, world);
        let sets = documents.iter_mut().map(Waiting::take_set);
        let sets = sets.collect::<Result<Vec<_>, _>>()?;
        let written = render(envelope, &addresses, sets, gs06, release)?;
        Ok((documents, isa, gs06, written))
    };
    let rendered: Result<Vec<Rendered>, Failure> = spend(Effort::Rendering, || {
        let many = is_worth_sharing(batches.iter().flatten().map(Waiting::size).sum());
        let places: Vec<(i64, Vec<Waiting>)> = (0..).zip(batches).collect();
        match many {
            true => places.into_par_iter().map(render_file).collect(),
            false => places.into_iter().map(render_file).collect(),
        }
    });
    let rendered = rendered?;
    let answer_due = hours_after(now, trading.profile.acknowledgment.expect_within_hours);
    let mut contents = Vec::with_capacity(files);
    let mut transmissions = Vec::with_capacity(files);
    let (mut fresh, mut stored) = (Vec::new(), Vec::new());
    for (id, (documents, isa, gs06, written)) in ids.iter().zip(rendered) {
        let isa13 = format!("{isa:09}");
        let first = documents.first();
        let po = first.and_then(|document| pos.get(&document.id));
        let name = trading.profile.file_name(FileNameValues {
            set: set_code,
            isa13: &isa13,
            po: po.map_or("", String::as_str),
            reference: first.map_or("", |document| document.reference.as_str()),
            at: local,
        });
        let content = address(&written.bytes);
        for (n, document) in documents.into_iter().enumerate() {
            let sent = Sent {
                transmission: *id,
                at: now,
                answer_due: document.pending.then_some(answer_due),
            };
            let place = numbered(document.id, sent, written.sets.get(n), &isa13, gs06);
            match document.fresh {
                Some((new, at)) => fresh.push((gone_out(new, place, delivery), at)),
                None => stored.push(place),
            }
        }
        transmissions.push(NewTransmission {
            id: *id,
            isa13,
            name,
            content: content.clone(),
        });
        contents.push((content, written.bytes));
    }
    waypoint::pass("deliver", "rendered");
    let names = transmissions.iter_mut().map(|file| &mut file.name);
    free_names(connection, over.id, names.collect()).await?;
    connection.put_contents(contents, now).await?;
    connection
        .add_transmissions(
            over.id,
            trading.partner.0,
            mode,
            set_code,
            transmissions,
            state,
            now,
            pickup_due(gateway, trading).filter(|_| at_once),
        )
        .await?;
    connection.number_documents(&stored, delivery).await?;
    connection.add_documents_of(fresh).await?;
    if !at_once {
        connection.ask_for(Step::Push, over.id, &ids, now).await?;
    }
    Ok(ids)
}

/// A document as it is once it stands in its file.
fn gone_out(new: NewDocument, place: Numbered, delivery: Delivery) -> NewDocument {
    NewDocument {
        isa13: place.isa13,
        gs06: place.gs06,
        st02: place.st02,
        byte_offset: Some(place.byte_offset),
        size: Some(place.size),
        sent: Some(place.sent),
        delivery,
        ..new
    }
}

/// By when the partner should have fetched what is laid into its mailbox now; none: it may lie there for ever.
pub fn pickup_due(gateway: &Gateway, trading: &Trading) -> Option<Instant> {
    let hours = trading
        .profile
        .connection
        .mailbox
        .as_ref()
        .and_then(|mailbox| mailbox.pickup_hours)
        .unwrap_or(gateway.settings.work.pickup_hours);
    (hours > 0).then(|| hours_after(gateway.now(), hours))
}

/// Gives each file its name, or the first of `name-2`, `name-3` … that no other file of the connection bears: test and
/// production count control numbers apart, and a profile's names may leave them out.
async fn free_names(
    connection: &mut Connection,
    over: i64,
    names: Vec<&mut String>,
) -> Result<(), Failure> {
    let wanted: Vec<String> = names.iter().map(|name| (*name).clone()).collect();
    let mut taken = connection.taken_names(over, &wanted).await?;
    for name in names {
        let first = name.clone();
        let mut n = 1;
        while !taken.insert(name.clone()) {
            n += 1;
            *name = nth_name(&first, n);
            let again = connection
                .taken_names(over, std::slice::from_ref(name))
                .await?;
            taken.extend(again);
        }
    }
    Ok(())
}

/// `order.855.edi` as `order-2.855.edi`: the endings say what is in the file.
fn nth_name(name: &str, n: u32) -> String {
    let (stem, endings) = name.split_at(name.find('.').unwrap_or(name.len()));
    format!("{stem}-{n}{endings}")
}

/// Control numbers run to 999999999 and begin again at 1 (X12-RULES 43).
fn wrapped(number: i64) -> u32 {
    const LAST: i64 = 999_999_999;
    u32::try_from((number - 1).rem_euclid(LAST) + 1).unwrap_or(1)
}

/// One interchange: a group of sets, or TA1 segments alone.
fn render(
    mut envelope: Envelope,
    addresses: &Addresses,
    sets: Vec<OutboundSet>,
    gs06: u32,
    release: &str,
) -> Result<Written, Failure> {
    let code = sets.first().map(|set| set.code.clone()).unwrap_or_default();
    if code == "TA1" {
        envelope.ta1s = sets
            .into_iter()
            .flat_map(|set| set.segments)
            .collect::<Vec<OutSegment>>();
        return write_interchange(&envelope, &[]).map_err(Failure::refused);
    }
    let numbered = sets
        .into_iter()
        .zip(1..)
        .map(|(set, n)| NumberedSet {
            control_number: set_number(n),
            set,
        })
        .collect();
    let group = Group {
        functional_id: functional_id_of(&code).unwrap_or_default().to_owned(),
        sender: addresses.our_group_id.clone(),
        receiver: addresses.their_group_id.clone(),
        date: envelope.date,
        time: envelope.time,
        control_number: gs06,
        version: release.to_owned(),
        sets: numbered,
    };
    write_interchange(&envelope, &[group]).map_err(Failure::refused)
}

fn numbered(id: i64, sent: Sent, place: Option<&WrittenSet>, isa13: &str, gs06: u32) -> Numbered {
    let whole = |number: usize| i64::try_from(number).unwrap_or_default();
    Numbered {
        id,
        sent,
        isa13: isa13.to_owned(),
        gs06: place.map(|_| gs06.to_string()).unwrap_or_default(),
        st02: place
            .map(|place| place.control_number.clone())
            .unwrap_or_default(),
        byte_offset: place.map_or(0, |place| whole(place.offset)),
        size: place.map_or(0, |place| whole(place.length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_keeps_its_endings() {
        for (name, second) in [
            ("order.855.edi", "order-2.855.edi"),
            ("order", "order-2"),
            ("order.", "order-2."),
            (".edi", "-2.edi"),
        ] {
            assert_eq!(nth_name(name, 2), second);
        }
    }
}
