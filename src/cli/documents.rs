//! `document`: received and sent documents, their bytes, and replays of held ones.

use std::path::PathBuf;
use std::process::ExitCode;

use super::show::documents as show;
use super::{CliError, CliResult, Options, house, print};
use crate::domain::ids::DocumentId;
use crate::workflow::{Gateway, documents, run};

/// Documents.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List documents, newest first
    List(show::List),
    /// Show one document with its fate and its findings
    Show {
        /// Number of the document
        id: DocumentId,
    },
    /// Print a document's bytes as they were received or sent
    Raw {
        /// Number of the document
        id: DocumentId,
    },
    #[command(flatten)]
    Decide(Decision),
}

/// What a person decides about a document.
#[derive(Debug, clap::Subcommand)]
pub enum Decision {
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
    let decision = match command {
        Command::List(args) => return show::list(options, args).await,
        Command::Show { id } => return show::show_one(options, id).await,
        Command::Raw { id } => {
            let gateway = house::open(options).await?;
            print::bytes(&documents::raw(&gateway, id).await?)?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Decide(decision) => decision,
    };
    let gateway = house::open(options).await?;
    let (id, done) = act(&gateway, decision).await?;
    run::work_once(&gateway).await?;
    if options.json {
        return show::show_one(options, id).await;
    }
    print::line(&done)?;
    Ok(ExitCode::SUCCESS)
}

/// Does what a person decided about a document. The document to look at afterwards, and what was done in a sentence.
async fn act(gateway: &Gateway, decision: Decision) -> Result<(DocumentId, String), CliError> {
    let actor = house::actor();
    Ok(match decision {
        Decision::Replay { id, corrected } => {
            let corrected = corrected.map(|path| house::read_file(&path)).transpose()?;
            documents::replay(gateway, id, corrected, &actor).await?;
            (id, format!("Document {id} runs again."))
        }
        Decision::Resend { id } => {
            let new = documents::resend(gateway, id, &actor).await?;
            (
                new,
                format!("Document {id} goes out again as document {new}."),
            )
        }
        Decision::Redeliver { id } => {
            documents::redeliver(gateway, id, &actor).await?;
            (id, format!("Document {id} lies before the partner again."))
        }
        Decision::Dismiss { id, reason } => {
            documents::dismiss(gateway, id, &reason, &actor).await?;
            (id, format!("Document {id} is dismissed."))
        }
    })
}
