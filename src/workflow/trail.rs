//! The trail of a file in the log: one line for each thing done that goes back to it, from the upload to the payment,
//! each with the file's number. Written after the commit, so that what a line says has happened; lost with the process
//! that dies before it, for the rows are what counts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::OnceLock;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::{mpsc, oneshot};
use tracing::Level;

use super::Gateway;
use crate::storage::trail::Trace;
use crate::storage::work::Step;
use crate::storage::{Failure, Store, StoreLocation};

/// The target of its lines: `RUST_LOG=warn,supercargo=info,supercargo::trail=off` leaves them out.
pub const TARGET: &str = "supercargo::trail";

/// Most subjects that a line names.
const NAMED_MAX: usize = 20;

/// Whether anybody reads it. Where nobody does, nothing is looked up.
fn is_read() -> bool {
    tracing::enabled!(target: TARGET, Level::INFO)
}

/// A file was received.
pub(super) fn received(file: i64, name: &str, size: i64, from: &str) {
    tracing::info!(target: TARGET, step = "receive", file, name, size, from, "done");
}

/// Something that was done for subjects of a kind, in a word.
pub(super) struct Deed {
    word: &'static str,
    kind: &'static str,
    subjects: Vec<i64>,
}

impl Deed {
    /// A step has been done for these subjects.
    pub(super) fn step(step: Step, subjects: Vec<i64>) -> Self {
        Self {
            word: step.word(),
            kind: step.subject_kind(),
            subjects,
        }
    }

    /// These transmissions have been handed over: laid into a mailbox, or made ready to be pushed.
    pub(super) fn delivered(transmissions: Vec<i64>) -> Self {
        Self {
            word: Step::Deliver.word(),
            kind: "transmission",
            subjects: transmissions,
        }
    }
}

/// A partner has fetched this transmission.
pub async fn picked_up(gateway: &Gateway, transmission: i64) {
    let deed = Deed {
        word: "pick-up",
        kind: "transmission",
        subjects: vec![transmission],
    };
    done(gateway, vec![deed]).await;
}

/// Tells what has been done. Over PostgreSQL it is looked up beside the work. SQLite is read between its transactions: a
/// reader that never ends keeps its log from being begun anew.
pub(super) async fn done(gateway: &Gateway, mut deeds: Vec<Deed>) {
    deeds.retain(|deed| !deed.subjects.is_empty());
    if !is_read() || deeds.is_empty() {
        return;
    }
    match gateway.store.location() {
        StoreLocation::Sqlite(_) => tell(&gateway.store, &deeds).await,
        StoreLocation::Postgres(_) => gateway.trail.add(&gateway.store, deeds),
    }
}

/// What is done within so long is told by one query.
const TOGETHER: Duration = Duration::from_millis(100);
/// Transactions that are not told yet, at most.
const UNTOLD_MAX: usize = 256;

enum Untold {
    Deeds(Vec<Deed>),
    /// Somebody waits until all before it is told.
    Awaited(oneshot::Sender<()>),
}

/// Tells beside the work what was done, in the order in which it was.
#[derive(Debug, Default)]
pub(super) struct Scribe(OnceLock<mpsc::Sender<Untold>>);

impl Scribe {
    fn add(&self, store: &Store, deeds: Vec<Deed>) {
        let untold = self.0.get_or_init(|| {
            let (untold, waiting) = mpsc::channel(UNTOLD_MAX);
            tokio::spawn(tell_all(store.clone(), waiting));
            untold
        });
        // Nobody waits for the log: where the database has not answered for so long, or the runtime ends, lines are left out.
        let _ = untold.try_send(Untold::Deeds(deeds));
    }

    /// Waits until all that was done is told.
    pub(super) async fn all_told(&self) {
        let Some(untold) = self.0.get() else { return };
        let (told, waiting) = oneshot::channel();
        if untold.send(Untold::Awaited(told)).await.is_ok() {
            let _ = waiting.await;
        }
    }
}

async fn tell_all(store: Store, mut untold: mpsc::Receiver<Untold>) {
    while let Some(first) = untold.recv().await {
        let (mut deeds, mut waiting) = (Vec::new(), None);
        let until = tokio::time::Instant::now() + TOGETHER;
        let mut next = Some(first);
        while let Some(one) = next {
            match one {
                Untold::Deeds(more) => deeds.extend(more),
                Untold::Awaited(told) => {
                    waiting = Some(told);
                    break;
                }
            }
            next = tokio::time::timeout_at(until, untold.recv())
                .await
                .ok()
                .flatten();
        }
        if !deeds.is_empty() {
            // A fault of the program costs these lines alone.
            let _ = AssertUnwindSafe(tell(&store, &deeds)).catch_unwind().await;
        }
        if let Some(told) = waiting {
            // Whoever waited may have gone away.
            let _ = told.send(());
        }
    }
}

/// A line that could not be written keeps nothing from going on.
async fn tell(store: &Store, deeds: &[Deed]) {
    if let Err(failure) = tell_of(store, deeds).await {
        tracing::debug!(target: TARGET, %failure, "what was done could not be told");
    }
}

async fn tell_of(store: &Store, deeds: &[Deed]) -> Result<(), Failure> {
    let mut subjects: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
    for deed in deeds {
        subjects
            .entry(deed.kind)
            .or_default()
            .extend(&deed.subjects);
    }
    let mut connection = store.read().await?;
    let traces = connection.traces(&subjects).await?;
    let mut of_subject: HashMap<(&str, i64), Vec<&Trace>> = HashMap::with_capacity(traces.len());
    for trace in &traces {
        let about = (trace.kind.as_str(), trace.subject);
        of_subject.entry(about).or_default().push(trace);
    }
    for deed in deeds {
        let found = |subject: &i64| of_subject.get(&(deed.kind, *subject));
        let mut traces: Vec<&Trace> = deed
            .subjects
            .iter()
            .filter_map(found)
            .flatten()
            .copied()
            .collect();
        traces.sort();
        lines(deed.word, &traces);
        if deed.word == Step::Translate.word() {
            let pays = |trace: &&&Trace| trace.says.starts_with("820 ");
            let paying = traces.iter().filter(pays).map(|trace| trace.subject);
            let paid = connection
                .traces_of_paid(&paying.collect::<Vec<i64>>())
                .await?;
            lines("collect", &paid.iter().collect::<Vec<_>>());
        }
    }
    Ok(())
}

/// What every line within a piece of work is marked with: its step, its subject, and the files it goes back to.
pub(super) async fn mark(gateway: &Gateway, step: Step, subject: i64) -> tracing::Span {
    // The mark is there for errors too, whatever else is left out of the log.
    if !tracing::enabled!(Level::ERROR) {
        return tracing::Span::none();
    }
    let mut files = match step {
        Step::Read => vec![subject.to_string()],
        _ => {
            let subjects = BTreeMap::from([(step.subject_kind(), BTreeSet::from([subject]))]);
            let traces = async { gateway.store.read().await?.traces(&subjects).await };
            let traces: Vec<Trace> = traces.await.unwrap_or_default();
            traces.iter().map(|trace| trace.file.to_string()).collect()
        }
    };
    files.dedup();
    let (kind, file) = (step.subject_kind(), files.join(","));
    tracing::error_span!("work", step = step.word(), file = %file, subject = %format_args!("{kind} {subject}"))
}

/// One line for each file.
fn lines(step: &str, traces: &[&Trace]) {
    for of_file in traces.chunk_by(|one, other| one.file == other.file) {
        let mut named: Vec<String> = of_file
            .iter()
            .take(NAMED_MAX)
            .map(|trace| format!("{} {} ({})", trace.kind, trace.subject, trace.says))
            .collect();
        if let Some(more) = of_file
            .len()
            .checked_sub(NAMED_MAX)
            .filter(|more| *more > 0)
        {
            named.push(format!("{more} more"));
        }
        let file = of_file.first().map_or(0, |trace| trace.file);
        tracing::info!(target: TARGET, step, file, subject = named.join(", "), "done");
    }
}
