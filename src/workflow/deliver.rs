//! Deliver: queued documents of a partner get their control numbers, are rendered into interchanges, and are handed to
//! its connection, in one transaction: a mailbox shows the file the moment it commits; a push or a folder gets it from
//! the step `push`.

mod files;

use std::any::Any;

use supercargo_x12::OutboundSet;

use super::outbound::Built;
use super::run::Later;
use super::{Gateway, Trading};
use crate::domain::clock::{Instant, hours_after};
use crate::domain::document::Syntax;
use crate::domain::ids::PartnerId;
use crate::storage::documents::{DocumentRow, NewDocument, Queued, corrupt};
use crate::storage::{Connection, Failure};
use crate::waypoint::{self, BEGUN};

/// Documents put into files by one transaction.
const BATCH_MAX: i64 = 200;
/// With so many segments it is enough for one statement: what others have to be told is written with the next.
const SEGMENTS_TOGETHER: usize = 50_000;

/// Builds and hands over the files of these partners; adds their numbers to `sent`.
pub async fn step(
    gateway: &Gateway,
    connection: &mut Connection,
    subjects: &[i64],
    sent: &mut Vec<i64>,
) -> Result<Vec<Later>, Failure> {
    let (mut later, mut all) = (Vec::new(), Vec::new());
    connection.hold_partners(subjects).await?;
    for partner in subjects {
        let queued = connection.queued_documents(*partner, BATCH_MAX).await?;
        let full = queued.len() as i64 == BATCH_MAX;
        let waiting = queued.into_iter().map(Waiting::stored).collect();
        let trading = gateway.trading(connection, PartnerId(*partner)).await?;
        all.push((trading, waiting));
        if full {
            later.push(Later {
                subject: *partner,
                lane_of: *partner,
                due: gateway.now(),
            });
        }
    }
    sent.extend(hand_over(gateway, connection, all).await?);
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
    let mut all = Vec::with_capacity(served.len());
    for trading in served {
        let queued = connection.take_queued(trading.partner.0)?;
        let waiting = queued.into_iter().map(Waiting::fresh);
        all.push((trading, waiting.collect::<Result<_, _>>()?));
    }
    sent.extend(hand_over(gateway, connection, all).await?);
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

/// Puts documents into files and hands these over: the numbers of the files. The partners are held
/// ([`Connection::hold_partners`]).
async fn hand_over(
    gateway: &Gateway,
    connection: &mut Connection,
    waiting: Vec<(Trading, Vec<Waiting>)>,
) -> Result<Vec<i64>, Failure> {
    let mut sent = Vec::new();
    let mut rest = waiting.into_iter().peekable();
    while rest.peek().is_some() {
        let mut size = 0;
        let together: Vec<_> = std::iter::from_fn(|| {
            let next = rest.next_if(|_| size < SEGMENTS_TOGETHER)?;
            size += next.1.iter().map(Waiting::size).sum::<usize>();
            Some(next)
        })
        .collect();
        sent.extend(files::hand_over(gateway, connection, together).await?);
    }
    Ok(sent)
}

fn parse<T: serde::de::DeserializeOwned>(id: i64, body: &str) -> Result<T, Failure> {
    serde_json::from_str(body).map_err(|error| corrupt(id, error))
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
