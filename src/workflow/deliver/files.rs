//! Files to partners: what documents go into one, its control numbers and its name, its bytes, and its row.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rayon::prelude::*;
use supercargo_x12::{
    Envelope, Group, NumberedSet, OutSegment, OutboundSet, Written, WrittenSet, functional_id_of,
    set_number, write_interchange,
};

use super::super::outbound::is_worth_sharing;
use super::super::{Gateway, Trading};
use super::{BATCH_MAX, Waiting, names_po, parse, pickup_due};
use crate::config::profile::connection::Route;
use crate::config::profile::envelope::Batch;
use crate::config::profile::file_name::FileNameValues;
use crate::domain::clock::{Instant, hours_after};
use crate::domain::document::Delivery;
use crate::domain::order::Mode;
use crate::storage::content::NewContent;
use crate::storage::documents::{NewDocument, NewTransmission, Numbered, Sent};
use crate::storage::effort::{Effort, spend};
use crate::storage::partners::ConnectionRow;
use crate::storage::work::Step;
use crate::storage::{Connection, Failure};
use crate::translation::envelope::{Addresses, envelope};
use crate::waypoint;

/// Puts documents into files and hands these over, all together: the numbers of the files.
pub(super) async fn hand_over(
    gateway: &Gateway,
    connection: &mut Connection,
    waiting: Vec<(Trading, Vec<Waiting>)>,
) -> Result<Vec<i64>, Failure> {
    let mut kinds = Vec::new();
    for (trading, waiting) in waiting {
        let route = Arc::new(route(connection, trading).await?);
        for ((mode, set_code, _), documents) in sorted(waiting) {
            kinds.push(OfAKind::new(gateway, &route, &mode, set_code, documents)?);
        }
    }
    let numbers = take_numbers(connection, &kinds).await?;
    waypoint::pass("deliver", "control numbers taken");
    let files: usize = kinds.iter().map(|kind| kind.batches.len()).sum();
    let ids = connection.identities("transmission", files).await?;
    let mut to_render = Vec::with_capacity(files);
    for (kind, (isa, gs06)) in kinds.into_iter().zip(numbers) {
        let pos = pos(connection, &kind).await?;
        let OfAKind { of, batches } = kind;
        let of = Arc::new(of);
        let nth = |first: Option<i64>, n: i64| first.map_or(0, |first| wrapped(first + n));
        to_render.extend((0..).zip(batches).map(|(n, documents)| {
            Unwritten {
                of: of.clone(),
                po: documents
                    .first()
                    .and_then(|first| pos.get(&first.id).cloned())
                    .unwrap_or_default(),
                documents,
                isa: nth(Some(isa), n),
                gs06: nth(gs06, n),
            }
        }));
    }
    let rendered: Result<Vec<Rendered>, Failure> = spend(Effort::Rendering, || {
        let documents = to_render.iter().flat_map(|file| &file.documents);
        let many = is_worth_sharing(documents.map(Waiting::size).sum());
        let render = |file: Unwritten| file.render(gateway.now());
        match many {
            true => to_render.into_par_iter().map(render).collect(),
            false => to_render.into_iter().map(render).collect(),
        }
    });
    waypoint::pass("deliver", "rendered");
    write(gateway, connection, ids, rendered?).await
}

/// Where a partner's files go.
struct WayOut {
    trading: Trading,
    over: ConnectionRow,
}

impl WayOut {
    /// Whether a file is there for the partner as soon as this transaction commits.
    fn is_at_once(&self) -> bool {
        self.over.kind == "mailbox"
    }
}

async fn route(connection: &mut Connection, trading: Trading) -> Result<WayOut, Failure> {
    let (kind, name) = match trading.profile.route() {
        Route::Mailbox(name) => ("mailbox", name),
        Route::Sftp(_) => ("sftp", ""),
        Route::Folder(_) => ("folder", ""),
    };
    let over = connection
        .delivery_connection(trading.partner.0, kind, name)
        .await?;
    let Some(over) = over else {
        return Err(Failure::refuse(format!(
            "partner {} has no connection over which to send; apply its profile again",
            trading.profile.partner
        )));
    };
    Ok(WayOut { trading, over })
}

/// What files of one kind have in common.
struct KindOfFile {
    out: Arc<WayOut>,
    world: Mode,
    set_code: String,
    addresses: Addresses,
}

/// Documents of one kind, by the files that they go into.
struct OfAKind {
    of: KindOfFile,
    batches: Vec<Vec<Waiting>>,
}

impl OfAKind {
    fn new(
        gateway: &Gateway,
        out: &Arc<WayOut>,
        mode: &str,
        set_code: String,
        documents: Vec<Waiting>,
    ) -> Result<Self, Failure> {
        let world: Mode = mode.parse().map_err(Failure::refuse)?;
        let Some(company) = gateway.settings.our_company() else {
            return Err(Failure::refuse("the settings name no company"));
        };
        let first = documents.first();
        let addresses = match first.filter(|first| !first.address.is_empty()) {
            Some(first) => parse(first.id, &first.address)?,
            None => Addresses::of(&out.trading.profile, company, world),
        };
        Ok(Self {
            batches: batches(&out.trading, documents),
            of: KindOfFile {
                out: out.clone(),
                world,
                set_code,
                addresses,
            },
        })
    }

    /// The counters that its files take numbers of: ISA13 and, where there is a group, GS06.
    fn counters(&self) -> (String, Option<String>) {
        let (pair, mode) = (self.of.addresses.pair(), self.of.world.word());
        let of_groups = (self.of.set_code != "TA1").then(|| format!("gs:{pair}:{mode}"));
        (format!("isa:{pair}:{mode}"), of_groups)
    }
}

/// The first ISA13 and the first GS06 of each kind, taken at once.
async fn take_numbers(
    connection: &mut Connection,
    kinds: &[OfAKind],
) -> Result<Vec<(i64, Option<i64>)>, Failure> {
    let mut wanted: BTreeMap<String, i64> = BTreeMap::new();
    for kind in kinds {
        let files = i64::try_from(kind.batches.len()).unwrap_or(i64::MAX);
        let (isa, gs) = kind.counters();
        for scope in [Some(isa), gs].into_iter().flatten() {
            *wanted.entry(scope).or_default() += files;
        }
    }
    let mut firsts = connection.take_numbers_of(&wanted).await?;
    let mut take = |scope: &str, files: usize| {
        let next = firsts.get_mut(scope)?;
        let first = *next;
        *next += i64::try_from(files).unwrap_or(i64::MAX);
        Some(first)
    };
    kinds
        .iter()
        .map(|kind| {
            let files = kind.batches.len();
            let (isa, gs) = kind.counters();
            let isa = take(&isa, files).ok_or(Failure::Fault)?;
            Ok((isa, gs.and_then(|gs| take(&gs, files))))
        })
        .collect()
}

/// The PO numbers of the first document of each file, where the files' names tell of them.
async fn pos(connection: &mut Connection, kind: &OfAKind) -> Result<HashMap<i64, String>, Failure> {
    if !names_po(&kind.of.out.trading) {
        return Ok(HashMap::new());
    }
    let firsts: Vec<i64> = kind
        .batches
        .iter()
        .filter_map(|documents| documents.first())
        .map(|document| document.id)
        .collect();
    connection.pos_of(&firsts).await
}

/// A file before it is written.
struct Unwritten {
    of: Arc<KindOfFile>,
    /// The PO number that its name tells.
    po: String,
    documents: Vec<Waiting>,
    isa: u32,
    gs06: u32,
}

/// A file with its bytes.
struct Rendered {
    of: Arc<KindOfFile>,
    documents: Vec<Waiting>,
    name: String,
    isa13: String,
    gs06: u32,
    content: NewContent,
    sets: Vec<WrittenSet>,
}

impl Unwritten {
    fn render(mut self, now: Instant) -> Result<Rendered, Failure> {
        let KindOfFile {
            out,
            world,
            set_code,
            addresses,
        } = &*self.of;
        let profile = &out.trading.profile;
        let local = now.with_timezone(&profile.time_zone).naive_local();
        let envelope = envelope(profile, addresses, local, self.isa, *world);
        let sets = self.documents.iter_mut().map(Waiting::take_set);
        let sets = sets.collect::<Result<Vec<_>, _>>()?;
        let release = profile.release_of(set_code);
        let Written { bytes, sets } = render(envelope, addresses, sets, self.gs06, release)?;
        let isa13 = format!("{:09}", self.isa);
        let first = self.documents.first();
        let name = profile.file_name(FileNameValues {
            set: set_code,
            isa13: &isa13,
            po: &self.po,
            reference: first.map_or("", |document| document.reference.as_str()),
            at: local,
        });
        Ok(Rendered {
            of: self.of,
            documents: self.documents,
            name,
            isa13,
            gs06: self.gs06,
            content: NewContent::new(bytes),
            sets,
        })
    }
}

/// Writes files and what stands in them, and asks for those to be pushed that are not there for the partner at once.
async fn write(
    gateway: &Gateway,
    connection: &mut Connection,
    ids: Vec<i64>,
    mut rendered: Vec<Rendered>,
) -> Result<Vec<i64>, Failure> {
    let now = gateway.now();
    free_names(connection, &mut rendered).await?;
    let mut contents = Vec::with_capacity(ids.len());
    let mut transmissions = Vec::with_capacity(ids.len());
    let (mut fresh, mut stored) = (Vec::new(), Vec::new());
    for (id, file) in ids.iter().zip(rendered) {
        let out = &file.of.out;
        let at_once = out.is_at_once();
        let (state, delivery) = match at_once {
            true => ("delivered", Delivery::Delivered),
            false => ("queued", Delivery::Queued),
        };
        let hours = out.trading.profile.acknowledgment.expect_within_hours;
        let answer_due = hours_after(now, hours);
        for (n, document) in file.documents.into_iter().enumerate() {
            let sent = Sent {
                transmission: *id,
                at: now,
                answer_due: document.pending.then_some(answer_due),
            };
            let place = file.sets.get(n);
            let place = numbered(document.id, sent, place, &file.isa13, file.gs06);
            match document.fresh {
                Some((new, at)) => fresh.push((gone_out(new, place, delivery), at)),
                None => stored.push((place, delivery)),
            }
        }
        transmissions.push(NewTransmission {
            id: *id,
            connection: out.over.id,
            partner: out.trading.partner.0,
            mode: file.of.world.word(),
            set_code: file.of.set_code.clone(),
            isa13: file.isa13,
            name: file.name,
            content: file.content.address.clone(),
            state,
            pickup_due: pickup_due(gateway, &out.trading).filter(|_| at_once),
        });
        contents.push(file.content);
    }
    let pushed: Vec<(i64, i64)> = transmissions
        .iter()
        .filter(|file| file.state == "queued")
        .map(|file| (file.connection, file.id))
        .collect();
    connection.put_contents(contents, now).await?;
    connection.add_transmissions(transmissions, now).await?;
    connection.number_documents(&stored).await?;
    connection.add_documents_of(fresh).await?;
    connection.ask_for_each(Step::Push, &pushed, now).await?;
    Ok(ids)
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

/// Gives each file its name, or the first of `name-2`, `name-3` … that no other file of the connection bears: test and
/// production count control numbers apart, and a profile's names may leave them out.
async fn free_names(connection: &mut Connection, files: &mut [Rendered]) -> Result<(), Failure> {
    let wanted: Vec<(i64, String)> = files
        .iter()
        .map(|file| (file.of.out.over.id, file.name.clone()))
        .collect();
    let mut taken = connection.taken_names(&wanted).await?;
    for file in files {
        let over = file.of.out.over.id;
        let first = file.name.clone();
        let mut n = 1;
        while !taken.insert((over, file.name.clone())) {
            n += 1;
            file.name = nth_name(&first, n);
            let again = [(over, file.name.clone())];
            taken.extend(connection.taken_names(&again).await?);
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
