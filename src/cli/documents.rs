//! `document`: received and sent documents, their bytes, and replays of held ones.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::show::documents as show;
use super::{CliError, CliResult, Options, house, print};
use crate::domain::document::Disposition;
use crate::domain::ids::DocumentId;
use crate::storage::listing;
use crate::workflow::documents::{self, Replayed};
use crate::workflow::{Gateway, run};

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
    /// Run a held document again, by today's profile and lists, or corrected
    Replay {
        /// Number of the document
        id: DocumentId,
        /// A corrected set, ST to SE, with the separators of its file
        #[arg(long, value_name = "FILE")]
        corrected: Option<PathBuf>,
    },
    #[command(flatten)]
    Decide(Decision),
}

/// What a person decides about a document.
#[derive(Debug, clap::Subcommand)]
pub enum Decision {
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
        Command::Replay { id, corrected } => {
            let gateway = house::open(options).await?;
            return replay(options, &gateway, id, corrected).await;
        }
        Command::Decide(decision) => decision,
    };
    let gateway = house::open(options).await?;
    let (id, done) = act(&gateway, decision).await?;
    run::work_along(&gateway).await?;
    if options.json {
        return show::show_one(options, id).await;
    }
    print::line(&done)?;
    Ok(ExitCode::SUCCESS)
}

/// Seconds that a replay is given to come to its end.
const REPLAY: Duration = Duration::from_secs(60);

/// Runs a held document again and tells what became of it, and under which number: 0 where it was processed, 1 where it
/// is held, refused or a duplicate now.
async fn replay(
    options: &Options,
    gateway: &Gateway,
    id: DocumentId,
    corrected: Option<PathBuf>,
) -> CliResult {
    let corrected = corrected.map(|path| house::read_file(&path)).transpose()?;
    let replayed = documents::replay(gateway, id, corrected, &house::actor()).await?;
    run::settle(gateway, REPLAY).await?;
    let mut connection = gateway.store.read().await?;
    let (now_at, how) = match &replayed {
        Replayed::Set => (Some(id), format!("Document {id} ran again")),
        Replayed::Anew(new) => (
            Some(*new),
            format!("Document {id} was built anew as document {new}"),
        ),
        Replayed::Interchange { file, isa13, place } => {
            let new = connection.document_at(*file, *place).await?.map(DocumentId);
            let number = new.map_or_else(
                || "another number".to_owned(),
                |new| format!("document {new}"),
            );
            (
                new,
                format!(
                    "Interchange {isa13} was held as a whole, so file {file} was read again: what was document {id} is {number} now"
                ),
            )
        }
    };
    let found = match now_at {
        Some(number) => {
            listing::documents::document(&mut connection, number, gateway.now()).await?
        }
        None => None,
    };
    let Some(found) = found else {
        return Err(CliError::Broken(format!(
            "{how}, and that is not there yet: `supercargo settle` works on, `supercargo document list` shows it then"
        )));
    };
    let done = found.disposition == Disposition::Processed.word();
    if options.json {
        let mut value =
            serde_json::to_value(&found).map_err(|error| CliError::Broken(error.to_string()))?;
        value["replayed"] = id.to_string().into();
        value["whole_interchange"] = matches!(replayed, Replayed::Interchange { .. }).into();
        print::json(&value)?;
    } else {
        let what = match &found.subject {
            Some(subject) => format!(" ({} {subject})", found.subject_kind),
            None => String::new(),
        };
        print::line(&format!("{how}; it is {}{what}.", found.disposition))?;
        if !done {
            print::text(&show::findings(&found.findings))?;
        }
    }
    Ok(if done {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// Does what a person decided about a document. The document to look at afterwards, and what was done in a sentence.
async fn act(gateway: &Gateway, decision: Decision) -> Result<(DocumentId, String), CliError> {
    let actor = house::actor();
    Ok(match decision {
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
