//! `item`, `price`, `stock`, `location`, `warehouse`: lists from CSV files.

use std::path::PathBuf;
use std::process::ExitCode;

use super::show::catalogue as show;
use super::{CliResult, Options, house, outcome};
use crate::workflow::lists::{self, ListKind};

/// Lists.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Load a CSV file, whole or not at all; docs/cli.md gives the columns
    Import {
        /// The file; - for standard input
        #[arg(value_name = "FILE.csv")]
        file: PathBuf,
        /// Whose numbers, prices or places they are, where the rows do not say
        #[arg(long)]
        partner: Option<String>,
    },
    /// List what is there
    List(show::List),
}

/// Runs it.
pub async fn run(options: &Options, kind: ListKind, command: Command) -> CliResult {
    match command {
        Command::List(args) => show::list(options, kind, args).await,
        Command::Import { file, partner } => {
            let bytes = house::read_file(&file)?;
            let gateway = house::open(options).await?;
            let rows =
                lists::load(&gateway, kind, &bytes, partner.as_deref(), &house::actor()).await?;
            if options.json {
                return outcome::print_json(
                    &serde_json::json!({ "file": file.display().to_string(), "rows": rows }),
                );
            }
            let rows = match rows {
                1 => "1 row".to_owned(),
                rows => format!("{rows} rows"),
            };
            println!("{rows} loaded from {}.", file.display());
            Ok(ExitCode::SUCCESS)
        }
    }
}
