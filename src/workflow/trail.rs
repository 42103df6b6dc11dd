//! The trail of a file in the log: one line for each thing done that goes back to it, from the upload to the payment,
//! each with the file's number. Written after the commit, so that what a line says has happened; lost with the process
//! that dies before it, for the rows are what counts.

use tracing::Level;

use super::Gateway;
use crate::storage::trail::Trace;
use crate::storage::work::Step;
use crate::storage::{Connection, Failure};

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

/// A step has been done for these subjects.
pub(super) async fn done(gateway: &Gateway, step: Step, subjects: &[i64]) {
    if !is_read() || subjects.is_empty() {
        return;
    }
    let told = async {
        let mut connection = gateway.store.read().await?;
        let traces = connection.traces(step, subjects).await?;
        lines(step.word(), step.subject_kind(), &traces);
        let pays = |trace: &&Trace| trace.says.starts_with("820 ");
        let paying: Vec<i64> = match step {
            Step::Translate => traces
                .iter()
                .filter(pays)
                .map(|trace| trace.subject)
                .collect(),
            _ => Vec::new(),
        };
        let paid = connection.traces_of_paid(&paying).await?;
        lines("collect", "invoice", &paid);
        Ok(())
    };
    keep_quiet(told.await);
}

/// These transmissions have been handed over: laid into a mailbox, or made ready to be pushed.
pub(super) async fn delivered(gateway: &Gateway, transmissions: &[i64]) {
    sent(gateway, Step::Deliver.word(), transmissions).await;
}

/// A partner has fetched this transmission.
pub async fn picked_up(gateway: &Gateway, transmission: i64) {
    sent(gateway, "pick-up", &[transmission]).await;
}

async fn sent(gateway: &Gateway, step: &str, transmissions: &[i64]) {
    if !is_read() || transmissions.is_empty() {
        return;
    }
    let told = async {
        let traces = traces_of_sent(gateway, transmissions).await?;
        lines(step, "transmission", &traces);
        Ok(())
    };
    keep_quiet(told.await);
}

async fn traces_of_sent(gateway: &Gateway, transmissions: &[i64]) -> Result<Vec<Trace>, Failure> {
    let mut connection: Connection = gateway.store.read().await?;
    connection.traces_of_sent(transmissions).await
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
            let traces = async { gateway.store.read().await?.traces(step, &[subject]).await };
            let traces = traces.await.unwrap_or_default();
            traces.iter().map(|trace| trace.file.to_string()).collect()
        }
    };
    files.dedup();
    let (kind, file) = (step.subject_kind(), files.join(","));
    tracing::error_span!("work", step = step.word(), file = %file, subject = %format_args!("{kind} {subject}"))
}

/// One line for each file.
fn lines(step: &str, kind: &str, traces: &[Trace]) {
    for of_file in traces.chunk_by(|one, other| one.file == other.file) {
        let mut named: Vec<String> = of_file
            .iter()
            .take(NAMED_MAX)
            .map(|trace| format!("{kind} {} ({})", trace.subject, trace.says))
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

/// A line that could not be written keeps nothing from going on.
fn keep_quiet(told: Result<(), Failure>) {
    if let Err(failure) = told {
        tracing::debug!(target: TARGET, %failure, "what was done could not be told");
    }
}
