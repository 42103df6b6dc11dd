//! `pay`: books a payment by hand.

use std::process::ExitCode;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{CliError, CliResult, Options, house, outcome, print};
use crate::domain::money::{Amount, Currency};
use crate::domain::order::Mode;
use crate::domain::remittance::Remittance;
use crate::storage::Failure;
use crate::workflow::payments;

/// Book a payment by hand.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Who paid
    #[arg(long)]
    partner: String,
    /// The payer's trace: cheque or transfer number
    #[arg(long)]
    reference: String,
    /// How much, in major units: 1234.56
    #[arg(long)]
    amount: Decimal,
    /// What it pays: INVOICE=AMOUNT, several allowed
    #[arg(long, value_name = "INVOICE=AMOUNT", num_args = 1..)]
    apply: Vec<String>,
    /// Date of the payment [default: today]
    #[arg(long)]
    date: Option<NaiveDate>,
    /// Currency [default: the partner's]
    #[arg(long)]
    currency: Option<Currency>,
    /// The world of test traffic
    #[arg(long)]
    test: bool,
}

/// Books it.
pub async fn run(options: &Options, args: Args) -> CliResult {
    let gateway = house::open(options).await?;
    let mut reading = gateway.store.read().await?;
    let partner = reading.partner_named(&args.partner).await?.ok_or_else(|| {
        Failure::refuse(format!(
            "there is no partner {:?}; `supercargo partner list` shows the names",
            args.partner
        ))
    })?;
    let trading = gateway
        .trading(&mut reading, crate::domain::ids::PartnerId(partner.id))
        .await?;
    drop(reading);
    let currency = args.currency.unwrap_or(trading.profile.currency);
    let date = args.date.unwrap_or_else(|| {
        gateway
            .now()
            .with_timezone(&trading.profile.time_zone)
            .date_naive()
    });
    let apply = args
        .apply
        .iter()
        .map(|text| part(text, currency))
        .collect::<Result<Vec<_>, _>>()?;
    let total = exact(args.amount, currency)?;
    let remittance = Remittance::by_hand(&args.reference, date, currency, total, &apply);
    let mode = if args.test {
        Mode::Test
    } else {
        Mode::Production
    };
    let id = payments::pay(&gateway, trading.partner, mode, remittance, &house::actor()).await?;
    if options.json {
        return outcome::print_json(&serde_json::json!({ "payment": id.to_string() }));
    }
    let booked = gateway.store.read().await?.payment(id).await?;
    let unapplied = booked.map_or(0, |row| row.unapplied);
    let rest = match unapplied {
        0 => String::new(),
        rest => format!(
            " {} {currency} of it are tied to no invoice: `supercargo receivables apply` says what for.",
            Amount(rest).display(currency)
        ),
    };
    print::line(&format!("Payment {id} is booked.{rest}"))?;
    Ok(ExitCode::SUCCESS)
}

/// INVOICE=AMOUNT as it was written.
pub fn part(text: &str, currency: Currency) -> Result<(String, Amount), CliError> {
    let wrong = || {
        CliError::Refused(format!(
            "{text:?} is not INVOICE=AMOUNT, such as 10001=250.00"
        ))
    };
    let (invoice, amount) = text.rsplit_once('=').ok_or_else(wrong)?;
    let amount: Decimal = amount.trim().parse().map_err(|_| wrong())?;
    Ok((invoice.trim().to_owned(), exact(amount, currency)?))
}

/// The amount in minor units; refused where it has more decimals than the currency.
pub fn exact(amount: Decimal, currency: Currency) -> Result<Amount, CliError> {
    let minor = Amount::from_decimal(amount, currency)
        .map_err(|error| CliError::Refused(error.to_string()))?;
    if minor.to_decimal(currency) == amount {
        return Ok(minor);
    }
    Err(CliError::Refused(format!(
        "{amount} has more decimals than {currency} has"
    )))
}
