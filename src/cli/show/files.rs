//! `file list|show|sent`: what came in and what went out, byte for byte.

use std::process::ExitCode;

use super::documents::findings;
use crate::cli::listing::{Paging, Shape, dash, facts, minute, missing, partner, show};
use crate::cli::{CliResult, Options, house, print};
use crate::domain::document::Disposition;
use crate::domain::ids::FileId;
use crate::storage::listing::files::{
    FileDetail, FileFilter, FileListing, TransmissionFilter, TransmissionListing, file, files,
    transmissions,
};

/// Files.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List received files, newest first
    List {
        /// That ended so: received, processed, held, rejected, duplicate
        #[arg(long)]
        disposition: Option<Disposition>,
        /// From this partner
        #[arg(long)]
        partner: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a received file with its interchanges and sets
    Show {
        /// Number of the file
        id: FileId,
    },
    /// List the files that went out, newest first
    Sent {
        /// To this partner
        #[arg(long)]
        partner: Option<String>,
        /// queued, delivered, picked_up, uncertain or failed
        #[arg(long, value_parser = ["queued", "delivered", "picked_up", "uncertain", "failed"])]
        state: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
}

const FILES: Shape<FileListing> = Shape {
    what: "files",
    titles: &[
        "FILE",
        "NAME",
        "PARTNER",
        "OVER",
        ">BYTES",
        "ENDED",
        "RECEIVED (UTC)",
        "SHA-256",
    ],
    row: |row| {
        vec![
            row.file.clone(),
            row.name.clone(),
            dash(row.partner.as_deref()),
            row.connection
                .clone()
                .unwrap_or_else(|| "submit".to_owned()),
            row.size.to_string(),
            row.disposition.clone(),
            minute(row.received_at),
            row.sha256.chars().take(12).collect(),
        ]
    },
    below: None,
    cursor: Some(|row| row.file.parse().ok()),
};

const SENT: Shape<TransmissionListing> = Shape {
    what: "sent files",
    titles: &[
        "ID",
        "NAME",
        "SET",
        "PARTNER",
        "OVER",
        ">BYTES",
        "STATE",
        "MADE (UTC)",
        "PICKED UP (UTC)",
    ],
    row: |row| {
        vec![
            row.transmission.clone(),
            row.name.clone(),
            row.set.clone(),
            row.partner.clone(),
            row.connection.clone(),
            row.size.to_string(),
            row.state.clone(),
            minute(row.created_at),
            row.picked_up_at.map_or_else(|| "-".to_owned(), minute),
        ]
    },
    below: Some(|row| row.problem.clone().unwrap_or_default()),
    cursor: Some(|row| row.transmission.parse().ok()),
};

/// Runs it.
pub async fn run(options: &Options, command: Command) -> CliResult {
    let gateway = house::open(options).await?;
    let mut connection = gateway.store.read().await?;
    match command {
        Command::List {
            disposition,
            partner: code,
            paging,
        } => {
            let mut filter = FileFilter {
                partner: partner(&mut connection, code.as_deref()).await?,
                disposition,
                ..FileFilter::default()
            };
            show(options, &paging, &FILES, async |page| {
                filter.page = page;
                files(&mut connection, &filter).await
            })
            .await
        }
        Command::Show { id } => {
            let found = file(&mut connection, id, gateway.now()).await?;
            let detail = found.ok_or_else(|| missing("file", &id, "file list"))?;
            if options.json {
                print::json(&detail)?;
            } else {
                print::text(&told(&detail))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Sent {
            partner: code,
            state,
            paging,
        } => {
            let mut filter = TransmissionFilter {
                partner: partner(&mut connection, code.as_deref()).await?,
                state,
                ..TransmissionFilter::default()
            };
            show(options, &paging, &SENT, async |page| {
                filter.page = page;
                transmissions(&mut connection, &filter).await
            })
            .await
        }
    }
}

/// A file with what became of each of its parts, for people.
pub fn told(detail: &FileDetail) -> String {
    let file = &detail.listing;
    let mut text = facts(&[
        ("file", file.file.clone()),
        ("name", file.name.clone()),
        ("partner", file.partner.clone().unwrap_or_default()),
        (
            "received",
            format!("{} UTC from {}", minute(file.received_at), file.received_by),
        ),
        ("bytes", file.size.to_string()),
        ("sha256", file.sha256.clone()),
        ("ended", file.disposition.clone()),
    ]);
    text.push_str(&findings(&file.findings));
    for interchange in &detail.interchanges {
        text.push_str(&format!(
            "\ninterchange {} ({}): {}\n",
            interchange.isa13, interchange.mode, interchange.disposition
        ));
        text.push_str(&findings(&interchange.findings));
        for set in &interchange.sets {
            let brief = &set.brief;
            text.push_str(&format!(
                "  {} {}: {}, document {}\n",
                brief.set_code, brief.st02, set.disposition, brief.number
            ));
            text.push_str(&findings(&set.findings));
        }
    }
    text
}
