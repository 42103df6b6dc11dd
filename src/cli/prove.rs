//! `prove`: checks the whole history and prints a page.

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::table::{Table, harmless};
use super::{CliError, CliResult, Options, house, outcome, print};
use crate::workflow::prove::{Check, Dispositions, Head, Proof, prove};

/// Lines of faults on the page; `--json` has up to 1,000.
const FAULTS_SHOWN: usize = 40;

/// What the proof is compared with, and what is kept of it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Heads that earlier proofs exported: the chain of seals has to go through each
    #[arg(long, value_name = "FILE")]
    heads: Option<PathBuf>,
    /// Adds the head of the chain of seals to this file, where everything agrees
    #[arg(long, value_name = "FILE")]
    export_heads: Option<PathBuf>,
}

/// 0 where everything agrees, 1 where something does not.
pub async fn run(options: &Options, args: Args) -> CliResult {
    let heads = match &args.heads {
        Some(path) => read_heads(path)?,
        None => Vec::new(),
    };
    let gateway = house::open_existing(options).await?;
    let mut progress = progress();
    let proof = prove(&gateway, &heads, &mut progress).await?;
    clear();
    if let (Some(path), true) = (&args.export_heads, proof.sound) {
        export_head(path, proof.head.as_ref())?;
    }
    if options.json {
        outcome::print_json(&proof)?;
    } else {
        print::text(&page(&proof))?;
    }
    Ok(ExitCode::from(u8::from(!proof.sound)))
}

/// One head a line, as JSON.
fn read_heads(path: &Path) -> Result<Vec<Head>, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => CliError::Broken(format!(
            "there are no heads at {}: check the name, or leave --heads out the first time; --export-heads begins the file",
            path.display()
        )),
        _ => CliError::file("read", path, &error),
    })?;
    let mut heads = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(n, line)| {
            serde_json::from_str(line).map_err(|error| {
                CliError::Broken(format!(
                    "{}, line {}, is no head of a chain of seals: {error}. Give a file that `prove --export-heads` wrote",
                    path.display(),
                    n + 1
                ))
            })
        })
        .collect::<Result<Vec<Head>, _>>()?;
    if heads.is_empty() {
        return Err(CliError::Broken(format!(
            "{} holds no head: give a file that `prove --export-heads` wrote",
            path.display()
        )));
    }
    // A head is added by each export, the same as before where nothing was sealed in between.
    heads.sort_by_key(|head| head.seal);
    heads.dedup();
    Ok(heads)
}

/// Adds a head as a line of its own; it is on the disk when this returns.
fn export_head(path: &Path, head: Option<&Head>) -> Result<(), CliError> {
    let Some(head) = head else {
        return Err(CliError::Refused(
            "nothing is sealed yet, so there is no head to export: `supercargo seal` seals, and so does `serve` every minute".to_owned(),
        ));
    };
    let line = serde_json::to_string(head).map_err(|error| CliError::Broken(error.to_string()))?;
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| {
            file.write_all(format!("{line}\n").as_bytes())?;
            file.sync_all()
        })
        .map_err(|error| CliError::file("written", path, &error))
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
    text.push_str(&match &proof.head {
        Some(head) => format!(
            "\nSealed up to {}: seal {}, {}\n",
            head.sealed_at.format("%Y-%m-%d %H:%M:%S UTC"),
            head.seal,
            harmless(&head.hash)
        ),
        None => {
            "\nNothing is sealed yet: a change that agrees with everything else does not show.\n"
                .to_owned()
        }
    });
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
