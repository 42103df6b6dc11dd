//! `settle`: works until nothing is due.

use std::process::ExitCode;
use std::time::Duration;

use super::{CliResult, Options, house};
use crate::workflow::run::settle;

/// Work until nothing is due.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Seconds after which it gives up
    #[arg(long, default_value_t = 60, value_name = "S")]
    timeout: u64,
}

/// 0 when no work is due, 1 if some still is.
pub async fn run(options: &Options, args: Args) -> CliResult {
    let gateway = house::open(options).await?;
    if settle(&gateway, Duration::from_secs(args.timeout)).await? {
        return Ok(ExitCode::SUCCESS);
    }
    let due = gateway.store.read().await?.count_due(gateway.now()).await?;
    eprintln!(
        "supercargo: {due} pieces of work are still due after {} s; `supercargo doctor` tells what holds them up",
        args.timeout
    );
    Ok(ExitCode::from(1))
}
