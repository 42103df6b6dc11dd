//! `order`: orders, and what a person decides about held ones.

use std::process::ExitCode;

use super::{CliResult, Options, house};
use crate::domain::ids::OrderId;
use crate::workflow::{orders, run};

/// Orders.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Let a held order go on
    Release(Decision),
    /// Refuse a held order; the 855 says so
    Reject(Decision),
}

/// A decision about a held order.
#[derive(Debug, clap::Args)]
pub struct Decision {
    /// Number of the order
    id: OrderId,
    /// Why; it stays with the order
    #[arg(long)]
    reason: String,
}

/// Runs it.
pub async fn run(options: &Options, command: Command) -> CliResult {
    let gateway = house::open(options).await?;
    match command {
        Command::Release(decision) => {
            orders::release(&gateway, decision.id, &decision.reason, &house::actor()).await?;
            println!("Order {} goes on.", decision.id);
        }
        Command::Reject(decision) => {
            orders::reject(&gateway, decision.id, &decision.reason, &house::actor()).await?;
            println!("Order {} is rejected.", decision.id);
        }
    }
    run::work_once(&gateway).await?;
    Ok(ExitCode::SUCCESS)
}
