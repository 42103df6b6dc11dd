//! `shipment`: shipments, and the word that one has left.

use std::path::PathBuf;
use std::process::ExitCode;

use super::show::shipments as show;
use super::{CliError, CliResult, Options, house};
use crate::domain::ids::ShipmentId;
use crate::domain::shipment::Confirmation;
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
            let confirmations = read(&bytes).map_err(|error| {
                CliError::Refused(format!(
                    "{}: {error}; `shipment list --json` shows the shape",
                    file.display()
                ))
            })?;
            let gateway = house::open(options).await?;
            for mut confirmation in confirmations {
                if reason.is_some() {
                    confirmation.reason = reason.clone();
                }
                let id = shipments::confirm(&gateway, confirmation, &house::actor()).await?;
                println!("Shipment {id} has left.");
            }
            run::work_once(&gateway).await?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn read(bytes: &[u8]) -> Result<Vec<Confirmation>, serde_json::Error> {
    match serde_json::from_slice::<serde_json::Value>(bytes)? {
        list @ serde_json::Value::Array(_) => serde_json::from_value(list),
        one => serde_json::from_value(one).map(|confirmation| vec![confirmation]),
    }
}
