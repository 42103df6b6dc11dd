//! Deductions as objects of their own: disputed, recovered, or given up; never a silent difference.

use super::{COMPANY, Gateway};
use crate::domain::clock::Instant;
use crate::domain::ids::{DeductionId, InvoiceId, PartnerId};
use crate::domain::ledger::{LedgerAccount, LedgerEntry, Posting};
use crate::domain::money::Amount;
use crate::domain::order::Mode;
use crate::storage::journal::Subject;
use crate::storage::payments::DeductionRow;
use crate::storage::{Class, Connection, Failure};

/// What a person does with a deduction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settlement {
    Dispute,
    Recover,
    WriteOff,
}

impl Settlement {
    fn after(self) -> &'static str {
        match self {
            Self::Dispute => "disputed",
            Self::Recover => "recovered",
            Self::WriteOff => "written_off",
        }
    }

    fn allowed_from(self, status: &str) -> bool {
        match self {
            Self::Dispute => status == "open",
            Self::Recover | Self::WriteOff => matches!(status, "open" | "disputed"),
        }
    }
}

/// Contests a deduction: what was taken stays open and disputed.
pub async fn dispute(
    gateway: &Gateway,
    id: DeductionId,
    reason: &str,
    actor: &str,
) -> Result<(), Failure> {
    settle(gateway, id, Settlement::Dispute, reason, actor).await
}

/// The buyer gave in: the amount is owed again without dispute, until it is paid.
pub async fn recover(
    gateway: &Gateway,
    id: DeductionId,
    reason: &str,
    actor: &str,
) -> Result<(), Failure> {
    settle(gateway, id, Settlement::Recover, reason, actor).await
}

/// Gives a deduction up: the invoice is closed by it and the ledger says why.
pub async fn write_off(
    gateway: &Gateway,
    id: DeductionId,
    reason: &str,
    actor: &str,
) -> Result<(), Failure> {
    settle(gateway, id, Settlement::WriteOff, reason, actor).await
}

/// Takes a deduction as right: the same as giving it up, said in the buyer's favour.
pub async fn accept(
    gateway: &Gateway,
    id: DeductionId,
    reason: &str,
    actor: &str,
) -> Result<(), Failure> {
    settle(gateway, id, Settlement::WriteOff, reason, actor).await
}

async fn settle(
    gateway: &Gateway,
    id: DeductionId,
    settlement: Settlement,
    reason: &str,
    actor: &str,
) -> Result<(), Failure> {
    if reason.trim().is_empty() {
        return Err(Failure::refuse(
            "give a reason: it stays with the deduction",
        ));
    }
    let (inside, reason, actor) = (gateway.clone(), reason.to_owned(), actor.to_owned());
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (gateway, reason, actor) = (inside.clone(), reason.clone(), actor.clone());
            Box::pin(
                async move { write(&gateway, connection, id, settlement, &reason, &actor).await },
            )
        })
        .await
}

async fn write(
    gateway: &Gateway,
    connection: &mut Connection,
    id: DeductionId,
    settlement: Settlement,
    reason: &str,
    actor: &str,
) -> Result<(), Failure> {
    let now = gateway.now();
    let deduction = connection
        .deduction(id)
        .await?
        .ok_or_else(|| Failure::refuse(format!("there is no deduction {id}")))?;
    if !settlement.allowed_from(&deduction.status) {
        return Err(Failure::refuse(format!(
            "deduction {id} is {} and can not become {}",
            deduction.status,
            settlement.after()
        )));
    }
    connection
        .save_deduction(id, deduction.amount, &deduction.status, settlement.after())
        .await?;
    if settlement != Settlement::Dispute {
        close(connection, &deduction, settlement).await?;
    }
    if settlement == Settlement::WriteOff {
        let mode: Mode = deduction.mode.parse().map_err(|why| Failure::Corrupt {
            table: "deduction",
            key: id.to_string(),
            why,
        })?;
        connection
            .post(COMPANY, mode, vec![posting(id, &deduction)?], now)
            .await?;
    }
    let action = format!("deduction {}", settlement.after());
    connection
        .record(now, actor, &action, Subject::new("deduction", id.0), reason)
        .await?;
    if let Some(invoice) = deduction.invoice_id {
        connection
            .record(
                now,
                actor,
                &action,
                Subject::new("invoice", invoice),
                reason,
            )
            .await?;
    }
    Ok(())
}

/// The buyer has paid into what it had deducted from an invoice: its deductions are recovered by as much, oldest first.
/// Of one that is paid in part the rest goes on under its number.
pub async fn paid_back(
    connection: &mut Connection,
    invoice: InvoiceId,
    amount: Amount,
    now: Instant,
    actor: &str,
) -> Result<(), Failure> {
    let mut left = amount.0;
    if left <= 0 {
        return Ok(());
    }
    for (id, of, status) in connection.standing_deductions(invoice).await? {
        let part = left.min(of);
        if part == 0 {
            break;
        }
        left -= part;
        let id = DeductionId(id);
        let action = if part == of {
            let after = Settlement::Recover.after();
            connection.save_deduction(id, of, &status, after).await?;
            format!("deduction {after}")
        } else {
            connection.reduce_deduction(id, of, of - part).await?;
            "deduction paid in part".to_owned()
        };
        let detail = format!("the buyer paid {part} of {of} minor units since");
        connection
            .record(
                now,
                actor,
                &action,
                Subject::new("deduction", id.0),
                &detail,
            )
            .await?;
    }
    Ok(())
}

/// The disputed part of the invoice goes back to owed, or off the books.
async fn close(
    connection: &mut Connection,
    deduction: &DeductionRow,
    settlement: Settlement,
) -> Result<(), Failure> {
    let Some(invoice) = deduction.invoice_id else {
        return Ok(());
    };
    let Some((mut item, revision)) = connection.open_item(InvoiceId(invoice)).await? else {
        return Ok(());
    };
    let amount = Amount(deduction.amount);
    item.disputed = item
        .disputed
        .checked_sub(amount)
        .map_err(Failure::refused)?;
    if settlement == Settlement::WriteOff {
        item.open = item.open.checked_sub(amount).map_err(Failure::refused)?;
        item.written_off = item
            .written_off
            .checked_add(amount)
            .map_err(Failure::refused)?;
    }
    if item.disputed.0 < 0 || item.open.0 < 0 {
        return Err(Failure::refuse(format!(
            "invoice {} has less open than this deduction: part of it was paid since; look at its timeline",
            item.number
        )));
    }
    connection.save_open_item(&item, revision).await
}

fn posting(id: DeductionId, deduction: &DeductionRow) -> Result<Posting, Failure> {
    let amount = Amount(deduction.amount);
    let invoice = deduction.invoice_id.map(InvoiceId);
    let against = if invoice.is_some() {
        LedgerAccount::Receivable
    } else {
        LedgerAccount::Claims
    };
    Ok(Posting {
        source: format!("deduction:{id}"),
        rule: "write-off".to_owned(),
        partner: PartnerId(deduction.partner_id),
        currency: deduction.currency.parse().map_err(Failure::refused)?,
        entries: vec![
            LedgerEntry {
                account: LedgerAccount::WriteOff,
                invoice,
                amount,
            },
            LedgerEntry {
                account: against,
                invoice,
                amount: amount.negated(),
            },
        ],
    })
}
