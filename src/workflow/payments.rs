//! Payments entered by hand, and money applied later to the invoices it was for.

use std::collections::BTreeSet;

use super::collect::{self, Posted};
use super::{COMPANY, Gateway, deductions, notice};
use crate::domain::ids::{PartnerId, PaymentId};
use crate::domain::ledger::{LedgerAccount, LedgerEntry, Posting};
use crate::domain::money::{Amount, Currency};
use crate::domain::order::Mode;
use crate::domain::receivable::{Application, OpenItem};
use crate::domain::remittance::Remittance;
use crate::storage::journal::Subject;
use crate::storage::{Class, Connection, Failure};

/// Books a payment entered by hand.
pub async fn pay(
    gateway: &Gateway,
    partner: PartnerId,
    mode: Mode,
    remittance: Remittance,
    actor: &str,
) -> Result<PaymentId, Failure> {
    let (inside, actor) = (gateway.clone(), actor.to_owned());
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (gateway, remittance, actor) = (inside.clone(), remittance.clone(), actor.clone());
            Box::pin(async move {
                let trading = gateway.trading(connection, partner).await?;
                sound_entry(connection, partner, mode, &remittance).await?;
                match collect::post(&gateway, connection, &trading, mode, remittance, None, &actor).await? {
                    Posted::Applied(id, _) => Ok(id),
                    Posted::Again(id) => Err(Failure::refuse(format!(
                        "this payment is already booked as payment {id}: same reference, amount and date"
                    ))),
                    Posted::NotBalanced(findings) => {
                        Err(Failure::refuse(format!("nothing was booked:\n{}", notice::lines(&findings))))
                    }
                }
            })
        })
        .await
}

/// Characters of a payment's reference that a person enters; TRN02 has 50 at most.
const REFERENCE_MAX: usize = 80;

/// What a person enters says what it means: a reference, amounts above zero, invoices that the payer has.
async fn sound_entry(
    connection: &mut Connection,
    partner: PartnerId,
    mode: Mode,
    remittance: &Remittance,
) -> Result<(), Failure> {
    if remittance.reference.trim().is_empty() {
        return Err(Failure::refuse(
            "a payment needs its reference, the number of the cheque or transfer: by it the same payment is known again",
        ));
    }
    let reference = &remittance.reference;
    if reference.chars().count() > REFERENCE_MAX || reference.chars().any(char::is_control) {
        return Err(Failure::refuse(format!(
            "the reference of a payment is at most {REFERENCE_MAX} characters of plain text, the number that the bank shows"
        )));
    }
    if remittance.total.0 <= 0 || remittance.items.iter().any(|item| item.paid.0 < 0) {
        return Err(Failure::refuse(
            "a payment and what it pays are amounts above zero; what is taken off an invoice is a deduction",
        ));
    }
    if !remittance.currency.is_of_trade() {
        return Err(Failure::refuse(format!(
            "{} is no currency that goods are paid in: give its code of ISO 4217, such as USD",
            remittance.currency
        )));
    }
    let numbers: Vec<String> = remittance
        .items
        .iter()
        .filter(|item| item.qualifier == "IV")
        .map(|item| item.reference.clone())
        .collect();
    let items = connection
        .items_for_payment(partner, mode, &numbers)
        .await?;
    let unknown = numbers
        .iter()
        .find(|number| !items.iter().any(|(item, _)| &item.number == *number));
    if let Some(number) = unknown {
        return Err(Failure::refuse(format!(
            "the payer has no invoice {number:?}; `invoice list` shows the numbers. Money for something that is not clear yet is booked without naming an invoice"
        )));
    }
    Ok(())
}

/// Applies money of a payment that is tied to nothing yet to invoices of the same partner. `left`: what was left of it when
/// whoever asks looked, so that the same form sent twice does nothing the second time.
pub async fn apply_unapplied(
    gateway: &Gateway,
    payment: PaymentId,
    to: Vec<(String, Amount)>,
    left: Option<Amount>,
    actor: &str,
) -> Result<(), Failure> {
    let (inside, actor) = (gateway.clone(), actor.to_owned());
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (gateway, to, actor) = (inside.clone(), to.clone(), actor.clone());
            Box::pin(async move { apply(&gateway, connection, payment, to, left, &actor).await })
        })
        .await
}

async fn apply(
    gateway: &Gateway,
    connection: &mut Connection,
    id: PaymentId,
    to: Vec<(String, Amount)>,
    left: Option<Amount>,
    actor: &str,
) -> Result<(), Failure> {
    let now = gateway.now();
    let payment = connection
        .payment(id)
        .await?
        .ok_or_else(|| Failure::refuse(format!("there is no payment {id}")))?;
    let mode: Mode = payment.mode.parse().map_err(|why| Failure::Corrupt {
        table: "payment",
        key: id.to_string(),
        why,
    })?;
    let currency: Currency = payment.currency.parse().map_err(Failure::refused)?;
    if left.is_some_and(|left| left.0 != payment.unapplied) {
        return Err(Failure::refuse(format!(
            "payment {id} has {} {currency} left now, and had something else when you looked: part of it was applied since; look at it and say again what goes where",
            Amount(payment.unapplied).display(currency)
        )));
    }
    let sum = Amount::sum(to.iter().map(|(_, amount)| *amount)).map_err(Failure::refused)?;
    if to.iter().any(|(_, amount)| !amount.is_positive()) || sum.0 > payment.unapplied {
        return Err(Failure::refuse(format!(
            "payment {id} has {} {currency} left to apply; give amounts above zero that come to no more",
            Amount(payment.unapplied).display(currency)
        )));
    }
    let numbers: Vec<String> = to.iter().map(|(number, _)| number.clone()).collect();
    if let Some(twice) = named_twice(&numbers) {
        return Err(Failure::refuse(format!(
            "invoice {twice} is named twice: give one amount for each invoice"
        )));
    }
    let items = connection
        .items_for_payment(PartnerId(payment.partner_id), mode, &numbers)
        .await?;
    // First, so that whoever applies the same money at the same moment loses here, and finds less left when it is run again.
    connection
        .save_unapplied(id, payment.unapplied, payment.unapplied - sum.0)
        .await?;
    let mut entries = Vec::new();
    for (number, amount) in &to {
        let found = items
            .iter()
            .find(|(item, _)| &item.number == number && item.currency.code() == payment.currency);
        let Some((item, revision)) = found else {
            return Err(Failure::refuse(format!(
                "the payer has no invoice {number} in {}",
                payment.currency
            )));
        };
        entries.push(apply_to(connection, id, item, *revision, *amount, now, actor).await?);
        connection
            .record(
                now,
                actor,
                "payment applied",
                Subject::new("invoice", item.invoice.0),
                &format!("from payment {id}"),
            )
            .await?;
    }
    entries.push(LedgerEntry {
        account: LedgerAccount::Unapplied,
        invoice: None,
        amount: sum,
    });
    let posting = Posting {
        source: format!("payment:{id}"),
        rule: format!("apply-later-{}", payment.unapplied),
        partner: PartnerId(payment.partner_id),
        currency,
        entries,
    };
    connection.post(COMPANY, mode, vec![posting], now).await?;
    if payment.unapplied == sum.0 {
        // What the payer claims beside it still waits for a person.
        connection
            .clear_alert_of_key(now, &collect::unapplied_key(id))
            .await?;
    }
    Ok(())
}

/// The first that stands a second time.
pub fn named_twice(numbers: &[String]) -> Option<&String> {
    let mut seen = BTreeSet::new();
    numbers.iter().find(|number| !seen.insert(*number))
}

async fn apply_to(
    connection: &mut Connection,
    payment: PaymentId,
    item: &OpenItem,
    revision: i64,
    amount: Amount,
    now: crate::domain::clock::Instant,
    actor: &str,
) -> Result<LedgerEntry, Failure> {
    let application = Application {
        invoice: item.invoice,
        number: item.number.clone(),
        paid: amount,
        discount: Amount::ZERO,
        written_off: Amount::ZERO,
    };
    let after = item
        .clone()
        .apply(&application, &[])
        .map_err(Failure::refused)?;
    connection.save_open_item(&after, revision).await?;
    let back = Amount((item.disputed.0 - after.open.0.max(0)).max(0));
    deductions::paid_back(connection, item.invoice, back, now, actor).await?;
    connection
        .add_applications(payment, &[application], now)
        .await?;
    Ok(LedgerEntry {
        account: LedgerAccount::Receivable,
        invoice: Some(item.invoice),
        amount: amount.negated(),
    })
}
