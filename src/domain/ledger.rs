//! The double-entry ledger of receivables: entries are only ever added, and every posting sums to zero.

use serde::{Deserialize, Serialize};

use super::ids::{InvoiceId, PartnerId, PaymentId};
use super::invoice::Invoice;
use super::money::{Amount, Currency};
use super::receivable::{OpenItem, PaymentPlan};

/// The accounts of the sub-ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerAccount {
    /// What buyers owe us: a debit with each invoice, a credit with all that settles it. Its balance by invoice is what is
    /// open of the invoice, disputed part included.
    Receivable,
    /// What we sold: a credit with each invoice, a debit with each credit memo.
    Revenue,
    /// Money received: a debit with each payment.
    Cash,
    /// Discounts granted for early payment: a debit.
    Discount,
    /// Given up: a debit.
    WriteOff,
    /// Money received that is tied to no invoice yet: a credit until it is applied, then a debit.
    Unapplied,
    /// Deductions the buyer took that are tied to no invoice: a debit, since the money was kept back from others.
    Claims,
}

impl LedgerAccount {
    /// The word in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Receivable => "receivable",
            Self::Revenue => "revenue",
            Self::Cash => "cash",
            Self::Discount => "discount",
            Self::WriteOff => "write_off",
            Self::Unapplied => "unapplied",
            Self::Claims => "claims",
        }
    }
}

/// One entry: a debit above zero, a credit below.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Account.
    pub account: LedgerAccount,
    /// The invoice it is about.
    pub invoice: Option<InvoiceId>,
    /// Debit above zero, credit below.
    pub amount: Amount,
}

/// A posting: entries that belong together, with the key that keeps it from being made twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// What caused it, such as `invoice:12` or `payment:7`.
    pub source: String,
    /// By which rule: `issue`, `apply`, `write-off` …
    pub rule: String,
    /// Whose account.
    pub partner: PartnerId,
    /// Currency of all entries.
    pub currency: Currency,
    /// The entries.
    pub entries: Vec<LedgerEntry>,
}

/// The entries do not sum to zero: a fault of ours, never of the partner's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("posting {source_key}/{rule} does not balance: its entries sum to {sum} minor units")]
pub struct Unbalanced {
    /// What caused the posting.
    pub source_key: String,
    /// By which rule.
    pub rule: String,
    /// What the entries sum to.
    pub sum: i64,
}

impl Posting {
    /// The posting, if its entries sum to zero.
    pub fn balanced(self) -> Result<Self, Unbalanced> {
        let sum: i128 = self
            .entries
            .iter()
            .map(|entry| i128::from(entry.amount.0))
            .sum();
        if sum == 0 {
            Ok(self)
        } else {
            Err(Unbalanced {
                source_key: self.source,
                rule: self.rule,
                sum: i64::try_from(sum).unwrap_or(i64::MAX),
            })
        }
    }
}

fn entry(account: LedgerAccount, invoice: Option<InvoiceId>, amount: Amount) -> LedgerEntry {
    LedgerEntry {
        account,
        invoice,
        amount,
    }
}

/// An invoice is issued: receivable against revenue. A credit memo's total is below zero and turns both.
pub fn issue(invoice: &Invoice) -> Posting {
    Posting {
        source: format!("invoice:{}", invoice.id),
        rule: "issue".to_owned(),
        partner: invoice.partner,
        currency: invoice.currency,
        entries: pair(
            LedgerAccount::Receivable,
            LedgerAccount::Revenue,
            Some(invoice.id),
            invoice.total,
        ),
    }
}

/// `amount` to the debit of one account and the credit of another; nothing where it is zero.
fn pair(
    debit: LedgerAccount,
    credit: LedgerAccount,
    invoice: Option<InvoiceId>,
    amount: Amount,
) -> Vec<LedgerEntry> {
    if amount.is_zero() {
        return Vec::new();
    }
    vec![
        entry(debit, invoice, amount),
        entry(credit, invoice, amount.negated()),
    ]
}

/// A payment is applied: cash, discounts, write-offs and claims against the receivable of each invoice and what stays on
/// the account. Refused where the plan does not add up to the money, which [`super::receivable::plan`] never makes.
pub fn payment(
    plan: &PaymentPlan,
    payment: PaymentId,
    partner: PartnerId,
) -> Result<Posting, Unbalanced> {
    let mut entries = vec![entry(LedgerAccount::Cash, None, plan.remittance.total)];
    for application in &plan.applications {
        let invoice = Some(application.invoice);
        entries.extend([
            entry(
                LedgerAccount::Receivable,
                invoice,
                application.paid.negated(),
            ),
            entry(LedgerAccount::Discount, invoice, application.discount),
            entry(
                LedgerAccount::Receivable,
                invoice,
                application.discount.negated(),
            ),
            entry(LedgerAccount::WriteOff, invoice, application.written_off),
            entry(
                LedgerAccount::Receivable,
                invoice,
                application.written_off.negated(),
            ),
        ]);
    }
    entries.push(entry(
        LedgerAccount::Unapplied,
        None,
        plan.unapplied.negated(),
    ));
    for deduction in plan
        .deductions
        .iter()
        .filter(|deduction| deduction.invoice.is_none())
    {
        entries.push(entry(LedgerAccount::Claims, None, deduction.amount));
    }
    entries.retain(|entry| !entry.amount.is_zero());
    Posting {
        source: format!("payment:{payment}"),
        rule: "apply".to_owned(),
        partner,
        currency: plan.remittance.currency,
        entries,
    }
    .balanced()
}

/// `amount` of an open item is given up for good. `source` names the decision, such as `deduction:4`.
pub fn write_off(item: &OpenItem, amount: Amount, source: String) -> Posting {
    Posting {
        source,
        rule: "write-off".to_owned(),
        partner: item.partner,
        currency: item.currency,
        entries: pair(
            LedgerAccount::WriteOff,
            LedgerAccount::Receivable,
            Some(item.invoice),
            amount,
        ),
    }
}

/// Money that stood on the account is applied to an open item. `source` names the payment it came with.
pub fn apply_unapplied(item: &OpenItem, amount: Amount, source: String) -> Posting {
    Posting {
        source,
        rule: "apply-unapplied".to_owned(),
        partner: item.partner,
        currency: item.currency,
        entries: pair(
            LedgerAccount::Unapplied,
            LedgerAccount::Receivable,
            Some(item.invoice),
            amount,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::receivable::{Application, NewDeduction};
    use super::super::remittance::Remittance;
    use super::super::specimens::{day, open_item};
    use super::*;

    fn told(posting: &Posting) -> Vec<String> {
        posting
            .entries
            .iter()
            .map(|entry| {
                let invoice = entry.invoice.map(|id| format!(":{id}")).unwrap_or_default();
                format!("{}{invoice} {}", entry.account.word(), entry.amount.0)
            })
            .collect()
    }

    fn plan(total: i64) -> PaymentPlan {
        let effect = |id, paid, discount, written_off| Application {
            invoice: InvoiceId(id),
            number: id.to_string(),
            paid: Amount(paid),
            discount: Amount(discount),
            written_off: Amount(written_off),
        };
        let deduction = |invoice: Option<i64>, amount| NewDeduction {
            invoice: invoice.map(InvoiceId),
            claimed_reference: String::new(),
            amount: Amount(amount),
            reason: String::new(),
            reference: String::new(),
        };
        PaymentPlan {
            remittance: Remittance::by_hand(
                "R",
                day("2026-03-02"),
                Currency::USD,
                Amount(total),
                &[],
            ),
            applications: vec![effect(1, 900, 20, 5), effect(2, -50, 0, 0)],
            deductions: vec![deduction(Some(1), 75), deduction(None, 30)],
            unapplied: Amount(80),
            notes: Vec::new(),
        }
    }

    #[test]
    fn a_payment_sums_to_zero() {
        let posting = payment(&plan(900), PaymentId(7), PartnerId(3)).unwrap();
        assert_eq!(
            (posting.source.as_str(), posting.rule.as_str()),
            ("payment:7", "apply")
        );
        assert_eq!(
            told(&posting),
            [
                "cash 900",
                "receivable:1 -900",
                "discount:1 20",
                "receivable:1 -20",
                "write_off:1 5",
                "receivable:1 -5",
                "receivable:2 50",
                "unapplied -80",
                "claims 30",
            ]
        );
        let unbalanced = payment(&plan(901), PaymentId(7), PartnerId(3)).unwrap_err();
        assert_eq!(unbalanced.sum, 1);
    }

    #[test]
    fn write_offs_and_applied_money_sum_to_zero() {
        let item = open_item(1, "1001", 1000);
        let given_up = write_off(&item, Amount(100), "deduction:4".into());
        assert_eq!(told(&given_up), ["write_off:1 100", "receivable:1 -100"]);
        let applied = apply_unapplied(&item, Amount(80), "payment:7".into());
        assert_eq!(told(&applied), ["unapplied:1 80", "receivable:1 -80"]);
        assert!(
            write_off(&item, Amount::ZERO, "x".into())
                .entries
                .is_empty()
        );
        for posting in [given_up, applied] {
            assert!(posting.balanced().is_ok());
        }
    }
}
