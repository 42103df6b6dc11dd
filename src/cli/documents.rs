//! `document`: received and sent documents, their bytes, and replays of held ones.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{CliError, CliResult, Options, house};
use crate::domain::ids::DocumentId;
use crate::workflow::{documents, run};

/// Documents.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Print a document's bytes as they were received or sent
    Raw {
        /// Number of the document
        id: DocumentId,
    },
    /// Run a held document again, by today's profile and lists, or corrected
    Replay {
        /// Number of the document
        id: DocumentId,
        /// A corrected set, ST to SE, with the separators of its file
        #[arg(long, value_name = "FILE")]
        corrected: Option<PathBuf>,
    },
    /// Send a document again under new control numbers, after the partner rejected it
    Resend {
        /// Number of the document
        id: DocumentId,
    },
    /// Put the same bytes under the same name before the partner once more
    Redeliver {
        /// Number of the document
        id: DocumentId,
    },
    /// Refuse a held document: it will not be acted upon
    Dismiss {
        /// Number of the document
        id: DocumentId,
        /// Why; it stays with the document
        #[arg(long)]
        reason: String,
    },
}

/// Runs it.
pub async fn run(options: &Options, command: Command) -> CliResult {
    let gateway = house::open(options).await?;
    let actor = house::actor();
    match command {
        Command::Raw { id } => {
            let bytes = documents::raw(&gateway, id).await?;
            std::io::stdout()
                .write_all(&bytes)
                .map_err(|error| CliError::Broken(format!("standard output: {error}")))?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Replay { id, corrected } => {
            let corrected = corrected.map(|path| house::read_file(&path)).transpose()?;
            documents::replay(&gateway, id, corrected, &actor).await?;
            println!("Document {id} runs again.");
        }
        Command::Resend { id } => {
            let new = documents::resend(&gateway, id, &actor).await?;
            println!("Document {id} goes out again as document {new}.");
        }
        Command::Redeliver { id } => {
            documents::redeliver(&gateway, id, &actor).await?;
            println!("Document {id} lies before the partner again.");
        }
        Command::Dismiss { id, reason } => {
            documents::dismiss(&gateway, id, &reason, &actor).await?;
            println!("Document {id} is dismissed.");
        }
    }
    run::work_once(&gateway).await?;
    Ok(ExitCode::SUCCESS)
}
