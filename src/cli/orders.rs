//! `order`: orders, and what a person decides about held ones.

use std::process::ExitCode;

use super::show::orders as show;
use super::table::harmless;
use super::{CliResult, Options, house, print};
use crate::domain::ids::OrderId;
use crate::domain::order::OrderState;
use crate::workflow::{orders, run};

/// Orders.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List orders, newest first
    List(show::List),
    /// Show one order with its lines and its whole thread
    Show {
        /// Number of the order
        id: OrderId,
    },
    /// Verify a held order again, by today's lists and profile: after its cause was mended
    Verify {
        /// Number of the order
        id: OrderId,
    },
    /// Let a held order go on
    Release(Decision),
    /// Refuse a held order; the 855 says so
    Reject(Decision),
    /// Cancel what of an order has not left: its stock is free again, and the 855 says so
    Cancel(Decision),
}

/// A decision about an order.
#[derive(Debug, clap::Args)]
pub struct Decision {
    /// Number of the order
    id: OrderId,
    /// Why; it stays with the order
    #[arg(long)]
    reason: String,
}

async fn verify(options: &Options, id: OrderId) -> CliResult {
    let gateway = house::open(options).await?;
    let verified = orders::verify_again(&gateway, id, &house::actor()).await?;
    run::work_along(&gateway).await?;
    let held = matches!(verified.state, OrderState::Held { .. });
    let code = ExitCode::from(u8::from(held));
    if options.json {
        show::show_one(options, id).await?;
        return Ok(code);
    }
    let mut told = match &verified.state {
        OrderState::Held { .. } => format!("Order {id} is held still:"),
        OrderState::Rejected { reason } => format!("Order {id} is rejected: {}", harmless(reason)),
        _ => format!("Order {id} goes on."),
    };
    if let OrderState::Held { reasons, .. } = &verified.state {
        for reason in reasons {
            told.push_str(&format!(
                "\n  {}: {}",
                reason.code,
                harmless(&reason.message)
            ));
        }
    }
    print::line(&told)?;
    Ok(code)
}

/// Runs it.
pub async fn run(options: &Options, command: Command) -> CliResult {
    enum Done {
        Released,
        Rejected,
        Cancelled,
    }
    let (decision, done) = match command {
        Command::List(args) => return show::list(options, args).await,
        Command::Show { id } => return show::show_one(options, id).await,
        Command::Verify { id } => return verify(options, id).await,
        Command::Release(decision) => (decision, Done::Released),
        Command::Reject(decision) => (decision, Done::Rejected),
        Command::Cancel(decision) => (decision, Done::Cancelled),
    };
    let gateway = house::open(options).await?;
    let (id, reason, actor) = (decision.id, &decision.reason, house::actor());
    let told = match done {
        Done::Released => {
            orders::release(&gateway, id, reason, &actor).await?;
            "goes on"
        }
        Done::Rejected => {
            orders::reject(&gateway, id, reason, &actor).await?;
            "is rejected"
        }
        Done::Cancelled => {
            orders::cancel(&gateway, id, reason, &actor).await?;
            "is cancelled, as far as it had not left"
        }
    };
    run::work_along(&gateway).await?;
    if options.json {
        return show::show_one(options, id).await;
    }
    print::line(&format!("Order {id} {told}."))?;
    Ok(ExitCode::SUCCESS)
}
