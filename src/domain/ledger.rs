//! The double-entry ledger of receivables: entries are only ever added, and every posting sums to zero.

use serde::{Deserialize, Serialize};

use super::ids::{InvoiceId, PartnerId};
use super::money::{Amount, Currency};

/// The accounts of the sub-ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerAccount {
    /// What buyers owe us.
    Receivable,
    /// What we sold.
    Revenue,
    /// Money received.
    Cash,
    /// Discounts granted for early payment.
    Discount,
    /// Given up.
    WriteOff,
    /// Money received that is tied to no invoice yet.
    Unapplied,
    /// Deductions the buyer took that are tied to no invoice.
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
