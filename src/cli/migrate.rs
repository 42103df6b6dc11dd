//! `migrate`: brings the database to this version's schema, which every other command does too.

use std::process::ExitCode;

use super::{CliResult, Options, house};

/// Opens the database, which migrates it.
pub async fn run(options: &Options) -> CliResult {
    let gateway = house::open(options).await?;
    println!(
        "{} has the schema of this version.",
        gateway.store.location()
    );
    Ok(ExitCode::SUCCESS)
}
