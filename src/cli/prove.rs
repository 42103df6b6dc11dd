//! `prove`: checks the whole history and prints a page.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use super::table::{Table, harmless};
use super::{CliResult, Options, house, outcome, print};
use crate::workflow::prove::{Check, Dispositions, Proof, prove};

/// Lines of faults on the page; `--json` has up to 1,000.
const FAULTS_SHOWN: usize = 40;

/// 0 where everything agrees, 1 where something does not.
pub async fn run(options: &Options) -> CliResult {
    let gateway = house::open(options).await?;
    let mut progress = progress();
    let proof = prove(&gateway, &mut progress).await?;
    clear();
    if options.json {
        outcome::print_json(&proof)?;
    } else {
        print::text(&page(&proof))?;
    }
    Ok(ExitCode::from(u8::from(!proof.sound)))
}

/// Says on a terminal how far the proof is, some times a second.
fn progress() -> impl FnMut(&Check) + Send {
    let shown = std::io::stderr().is_terminal();
    let mut last: Option<std::time::Instant> = None;
    move |check: &Check| {
        let due = last.is_none_or(|last| last.elapsed().as_millis() >= 200);
        if shown && due {
            last = Some(std::time::Instant::now());
            eprint!("\r\x1b[K{}: {}", check.name, check.checked);
            // Progress that can not be shown is no reason to stop.
            let _ = std::io::stderr().flush();
        }
    }
}

fn clear() {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
}

fn page(proof: &Proof) -> String {
    let mut text = String::new();
    let mut ends = Table::new(&[
        "RECEIVED",
        ">ALL",
        ">PROCESSED",
        ">HELD",
        ">REJECTED",
        ">DUPLICATE",
        ">IN WORK",
    ]);
    let totals = &proof.totals;
    for (name, row) in [
        ("files", &totals.files),
        ("interchanges", &totals.interchanges),
        ("documents", &totals.documents_received),
    ] {
        ends.row(cells(name, row));
    }
    text.push_str(&ends.render());
    text.push('\n');
    let mut checks = Table::new(&["CHECK", ">CHECKED", ">FAULTS"]);
    for check in &proof.checks {
        checks.row(vec![
            check.name.to_owned(),
            check.checked.to_string(),
            check.faults.to_string(),
        ]);
        checks.note(check.claim);
    }
    text.push_str(&checks.render());
    for fault in proof.faults.iter().take(FAULTS_SHOWN) {
        text.push_str(&format!(
            "\n{}: {}.",
            harmless(&fault.place),
            harmless(&fault.message)
        ));
    }
    let faults: u64 = proof.checks.iter().map(|check| check.faults).sum();
    if faults > FAULTS_SHOWN as u64 {
        text.push_str(&format!(
            "\n… and {} more; --json lists up to 1,000.",
            faults - FAULTS_SHOWN as u64
        ));
    }
    text.push_str(&if proof.sound {
        "\nEverything agrees: nothing is lost, nothing is there twice.\n".to_owned()
    } else {
        format!(
            "\n\n{faults} things do not agree. Keep this page and a copy of the database before anything is mended.\n"
        )
    });
    text
}

fn cells(name: &str, row: &Dispositions) -> Vec<String> {
    let mut cells = vec![name.to_owned()];
    cells.extend(
        [
            row.received,
            row.processed,
            row.held,
            row.rejected,
            row.duplicate,
            row.in_work,
        ]
        .map(|n| n.to_string()),
    );
    cells
}
