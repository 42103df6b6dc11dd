//! `shipment`: shipments, and the word that one has left.

use std::path::PathBuf;
use std::process::ExitCode;

use super::show::shipments as show;
use super::{CliError, CliResult, Options, house};
use crate::domain::ids::ShipmentId;
use crate::workflow::{run, shipments};

/// Shipments.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List shipments, newest first
    List(show::List),
    /// Show one shipment with its cartons
    Show {
        /// Number of the shipment
        id: ShipmentId,
    },
    /// Say that a shipment has left: the shape of `shipment list --json`, one object or an array
    Confirm {
        /// The file; - for standard input
        #[arg(value_name = "FILE.json")]
        file: PathBuf,
        /// Why it leaves outside its ship window
        #[arg(long = "override", value_name = "REASON")]
        reason: Option<String>,
    },
}

/// Runs it.
pub async fn run(options: &Options, command: Command) -> CliResult {
    match command {
        Command::List(args) => show::list(options, args).await,
        Command::Show { id } => show::show_one(options, id).await,
        Command::Confirm { file, reason } => {
            let bytes = house::read_file(&file)?;
            let mut confirmations = shipments::read_confirmations(&bytes)
                .map_err(|failure| CliError::Refused(format!("{}: {failure}", file.display())))?;
            let gateway = house::open(options).await?;
            if reason.is_some() {
                for confirmation in &mut confirmations {
                    confirmation.reason = reason.clone();
                }
            }
            let (left, refused) =
                shipments::confirm_each(&gateway, confirmations, &house::actor()).await?;
            run::work_along(&gateway).await?;
            if options.json {
                show::show_these(&gateway, &left).await?;
            } else {
                for id in &left {
                    println!("Shipment {id} has left.");
                }
            }
            if refused.is_empty() {
                return Ok(ExitCode::SUCCESS);
            }
            Err(CliError::Refused(refused.join("\n")))
        }
    }
}
