//! `receivables`: who owes what and how old it is; deductions; money that is tied to nothing; payments.

use std::process::ExitCode;

use rust_decimal::Decimal;

use crate::cli::listing::{
    Paging, Shape, dash, minute, missing, partner, show, show_all, with_mode,
};
use crate::cli::{CliError, CliResult, Options, house, pay, print};
use crate::domain::ids::{DeductionId, PaymentId};
use crate::domain::money::Currency;
use crate::domain::order::Mode;
use crate::storage::listing::receivables::{
    AgingListing, DeductionFilter, DeductionListing, PaymentFilter, PaymentListing, aging,
    deductions, payments,
};
use crate::workflow;

/// Receivables.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// What is open by age, by partner and currency
    Aging(Aging),
    /// What partners took off their payments, newest first
    Deductions(Deductions),
    /// Payments with money that is tied to no invoice, newest first
    Unapplied(Payments),
    /// All payments, newest first
    Payments(Payments),
    /// Say what money of a payment that is tied to nothing is for; no second payment is booked
    Apply(Apply),
    #[command(flatten)]
    Decide(Decision),
}

/// What a person decides about a deduction.
#[derive(Debug, clap::Subcommand)]
pub enum Decision {
    /// Contest a deduction: what was taken stays open and disputed
    Dispute(Decided),
    /// The buyer gave in: what was taken is owed again without dispute
    Recover(Decided),
    /// Give a deduction up: its invoice is closed by that much
    WriteOff(Decided),
    /// Take a deduction as right: its invoice is closed by that much
    Accept(Decided),
}

/// Which deduction, and why.
#[derive(Debug, clap::Args)]
pub struct Decided {
    /// Number of the deduction, as `receivables deductions` shows it
    deduction: DeductionId,
    /// Why; it stays with the deduction
    #[arg(long)]
    reason: String,
}

/// Whose.
#[derive(Debug, clap::Args)]
pub struct Aging {
    /// Of this partner
    #[arg(long)]
    partner: Option<String>,
    /// production or test
    #[arg(long, default_value = "production")]
    mode: Mode,
}

/// Which deductions.
#[derive(Debug, clap::Args)]
pub struct Deductions {
    /// Taken by this partner
    #[arg(long)]
    partner: Option<String>,
    /// open, disputed, recovered or written_off
    #[arg(long, value_parser = ["open", "disputed", "recovered", "written_off"])]
    status: Option<String>,
    /// production or test
    #[arg(long)]
    mode: Option<Mode>,
    #[command(flatten)]
    paging: Paging,
}

/// What money is for.
#[derive(Debug, clap::Args)]
pub struct Apply {
    /// Number of the payment, as `receivables unapplied` shows it
    payment: PaymentId,
    /// What it pays: INVOICE=AMOUNT, several allowed
    #[arg(long, value_name = "INVOICE=AMOUNT", num_args = 1.., required = true)]
    apply: Vec<String>,
    /// What is left of the payment as you know it; refused where it is another amount, so that the same command run again
    /// applies nothing twice
    #[arg(long, value_name = "AMOUNT")]
    left: Option<Decimal>,
}

/// Which payments.
#[derive(Debug, clap::Args)]
pub struct Payments {
    /// From this partner
    #[arg(long)]
    partner: Option<String>,
    /// production or test
    #[arg(long)]
    mode: Option<Mode>,
    #[command(flatten)]
    paging: Paging,
}

const AGING: Shape<AgingListing> = Shape {
    what: "open receivables",
    titles: &[
        "PARTNER",
        "CUR",
        ">CURRENT",
        ">1-30",
        ">31-60",
        ">61-90",
        ">OVER 90",
        ">TOTAL",
        ">DISPUTED",
        ">CREDITS",
        ">BALANCE",
    ],
    row: |row| {
        vec![
            row.partner.clone(),
            row.currency.clone(),
            row.current.clone(),
            row.days_1_30.clone(),
            row.days_31_60.clone(),
            row.days_61_90.clone(),
            row.days_over_90.clone(),
            row.total.clone(),
            row.disputed.clone(),
            row.credits.clone(),
            row.balance.clone(),
        ]
    },
    below: None,
    cursor: None,
};

const DEDUCTIONS: Shape<DeductionListing> = Shape {
    what: "deductions",
    titles: &[
        "DEDUCTION",
        "PARTNER",
        "INVOICE",
        ">AMOUNT",
        "CUR",
        "REASON",
        "CLAIM",
        "PAYMENT",
        "STATUS",
        "TAKEN (UTC)",
    ],
    row: |row| {
        vec![
            row.deduction.clone(),
            row.partner.clone(),
            dash(
                row.invoice_number
                    .as_deref()
                    .or(Some(row.claimed_reference.as_str())),
            ),
            row.amount.clone(),
            row.currency.clone(),
            dash(Some(&row.reason)),
            dash(Some(&row.reference)),
            row.payment_reference.clone(),
            with_mode(&row.status, &row.mode),
            minute(row.created_at),
        ]
    },
    below: None,
    cursor: Some(|row| row.deduction.parse().ok()),
};

const PAYMENTS: Shape<PaymentListing> = Shape {
    what: "payments",
    titles: &[
        "PAYMENT",
        "PARTNER",
        "REFERENCE",
        "METHOD",
        "DATE",
        ">AMOUNT",
        ">UNAPPLIED",
        "CUR",
        "STATUS",
        "BY",
    ],
    row: |row| {
        vec![
            row.payment.clone(),
            row.partner.clone(),
            row.reference.clone(),
            row.method.clone(),
            row.date.to_string(),
            row.amount.clone(),
            row.unapplied_amount.clone(),
            row.currency.clone(),
            with_mode(&row.status, &row.mode),
            row.created_by.clone(),
        ]
    },
    below: None,
    cursor: Some(|row| row.payment.parse().ok()),
};

/// Payments of which something is tied to nothing.
const UNAPPLIED: Shape<PaymentListing> = Shape {
    what: "payments with unapplied cash",
    ..PAYMENTS
};

/// Runs it.
pub async fn run(options: &Options, command: Command) -> CliResult {
    match command {
        Command::Aging(args) => show_aging(options, args).await,
        Command::Deductions(args) => show_deductions(options, args).await,
        Command::Unapplied(args) => {
            show_payments(options, args, Some("unapplied"), &UNAPPLIED).await
        }
        Command::Payments(args) => show_payments(options, args, None, &PAYMENTS).await,
        Command::Apply(args) => apply(options, args).await,
        Command::Decide(decision) => decide(options, decision).await,
    }
}

async fn apply(options: &Options, args: Apply) -> CliResult {
    let gateway = house::open(options).await?;
    let row = gateway.store.read().await?.payment(args.payment).await?;
    let row = row.ok_or_else(|| missing("payment", &args.payment, "receivables payments"))?;
    let currency: Currency = row
        .currency
        .parse()
        .map_err(|why| CliError::Broken(format!("payment {}: {why}", args.payment)))?;
    let to = args
        .apply
        .iter()
        .map(|text| pay::part(text, currency))
        .collect::<Result<Vec<_>, _>>()?;
    let left = args
        .left
        .map(|left| pay::exact(left, currency))
        .transpose()?;
    workflow::payments::apply_unapplied(&gateway, args.payment, to, left, &house::actor()).await?;
    let filter = PaymentFilter {
        payment: Some(args.payment),
        ..PaymentFilter::default()
    };
    let after = payments(&mut gateway.store.read().await?, &filter).await?;
    let Some(after) = after.first() else {
        return Err(missing("payment", &args.payment, "receivables payments"));
    };
    if options.json {
        print::json(after)?;
    } else {
        print::line(&format!(
            "Payment {} is applied; {} {} of it are tied to nothing.",
            after.payment, after.unapplied_amount, after.currency
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn decide(options: &Options, decision: Decision) -> CliResult {
    let gateway = house::open(options).await?;
    let actor = house::actor();
    let id = match decision {
        Decision::Dispute(Decided { deduction, reason }) => {
            workflow::deductions::dispute(&gateway, deduction, &reason, &actor).await?;
            deduction
        }
        Decision::Recover(Decided { deduction, reason }) => {
            workflow::deductions::recover(&gateway, deduction, &reason, &actor).await?;
            deduction
        }
        Decision::WriteOff(Decided { deduction, reason }) => {
            workflow::deductions::write_off(&gateway, deduction, &reason, &actor).await?;
            deduction
        }
        Decision::Accept(Decided { deduction, reason }) => {
            workflow::deductions::accept(&gateway, deduction, &reason, &actor).await?;
            deduction
        }
    };
    let filter = DeductionFilter {
        deduction: Some(id),
        ..DeductionFilter::default()
    };
    let after = deductions(&mut gateway.store.read().await?, &filter).await?;
    let Some(after) = after.first() else {
        return Err(missing("deduction", &id, "receivables deductions"));
    };
    if options.json {
        print::json(after)?;
    } else {
        print::line(&format!("Deduction {id} is {}.", after.status))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn show_aging(options: &Options, args: Aging) -> CliResult {
    let gateway = house::open(options).await?;
    let today = house::today(&gateway);
    let mut connection = gateway.store.read().await?;
    let partner = partner(&mut connection, args.partner.as_deref()).await?;
    let rows = aging(&mut connection, args.mode, partner, today).await?;
    show_all(options, &AGING, &rows)
}

async fn show_deductions(options: &Options, args: Deductions) -> CliResult {
    let gateway = house::open(options).await?;
    let mut connection = gateway.store.read().await?;
    let mut filter = DeductionFilter {
        partner: partner(&mut connection, args.partner.as_deref()).await?,
        status: args.status,
        mode: args.mode,
        ..DeductionFilter::default()
    };
    show(options, &args.paging, &DEDUCTIONS, async |page| {
        filter.page = page;
        deductions(&mut connection, &filter).await
    })
    .await
}

async fn show_payments(
    options: &Options,
    args: Payments,
    status: Option<&str>,
    shape: &Shape<PaymentListing>,
) -> CliResult {
    let gateway = house::open(options).await?;
    let mut connection = gateway.store.read().await?;
    let mut filter = PaymentFilter {
        partner: partner(&mut connection, args.partner.as_deref()).await?,
        status: status.map(str::to_owned),
        mode: args.mode,
        ..PaymentFilter::default()
    };
    show(options, &args.paging, shape, async |page| {
        filter.page = page;
        payments(&mut connection, &filter).await
    })
    .await
}
