//! The receivable: what is open of an invoice, what was applied to it, what is disputed, and how old it is.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::ids::{InvoiceId, PartnerId};
use super::invoice::InvoiceKind;
use super::money::{Amount, Currency};
use super::remittance::Remittance;

/// Where an open item stands. Overdue is no state: it is the due date against the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceivableStatus {
    /// Nothing paid.
    Open,
    /// Some paid, some open or disputed.
    PartiallyPaid,
    /// Nothing open.
    Paid,
    /// The rest was given up.
    WrittenOff,
}

impl ReceivableStatus {
    /// The word in listings and in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::PartiallyPaid => "partially_paid",
            Self::Paid => "paid",
            Self::WrittenOff => "written_off",
        }
    }
}

/// The open part of one invoice or credit. Amounts are in the sign of the invoice: all at or above zero for an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenItem {
    /// The invoice.
    pub invoice: InvoiceId,
    /// Its number.
    pub number: String,
    /// Invoice or credit.
    pub kind: InvoiceKind,
    /// Owed by.
    pub partner: PartnerId,
    /// The buyer's PO number, for remittances that pay by PO.
    pub po_number: String,
    /// Currency.
    pub currency: Currency,
    /// As issued.
    pub total: Amount,
    /// Still owed, disputed part included: an invoice of 1000 paid 900 with 100 deducted is open 100.
    pub open: Amount,
    /// The part of `open` that the buyer refuses with a reason.
    pub disputed: Amount,
    /// Discount that may be taken.
    pub discount: Amount,
    /// Until when.
    pub discount_until: Option<NaiveDate>,
    /// Due.
    pub due: NaiveDate,
    /// Given up for good.
    pub written_off: Amount,
}

impl OpenItem {
    /// The status that the amounts say.
    pub fn status(&self) -> ReceivableStatus {
        if self.open.is_zero() {
            if self.written_off.is_zero() {
                ReceivableStatus::Paid
            } else {
                ReceivableStatus::WrittenOff
            }
        } else if self.open == self.total {
            ReceivableStatus::Open
        } else {
            ReceivableStatus::PartiallyPaid
        }
    }

    /// Overdue on `today`: something undisputed or disputed is open past the due date and its grace.
    pub fn is_overdue(&self, today: NaiveDate, grace_days: u32) -> bool {
        self.open.is_positive()
            && self.kind == InvoiceKind::Invoice
            && self
                .due
                .checked_add_days(chrono::Days::new(u64::from(grace_days)))
                .is_some_and(|last| today > last)
    }
}

/// One effect of a payment on one invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Which invoice.
    pub invoice: InvoiceId,
    /// Its number.
    pub number: String,
    /// Money applied; below zero where a credit was netted.
    pub paid: Amount,
    /// Discount granted.
    pub discount: Amount,
    /// Written off within the partner's tolerance.
    pub written_off: Amount,
}

/// A deduction that a payment makes: a short payment with its reason, of an invoice or of none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewDeduction {
    /// The invoice it was taken from; none: tied to no item we know.
    pub invoice: Option<InvoiceId>,
    /// What the payer wrote as the item, where we know none.
    #[serde(default)]
    pub claimed_reference: String,
    /// Above zero: taken from us.
    pub amount: Amount,
    /// Element 426, empty: the payer gave none.
    pub reason: String,
    /// The payer's number of the claim.
    #[serde(default)]
    pub reference: String,
}

/// What a payment does, worked out before anything is written. Conservation: money = Σ paid + unapplied − Σ deductions without an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentPlan {
    /// The remittance it follows.
    pub remittance: Remittance,
    /// Effects on invoices.
    pub applications: Vec<Application>,
    /// Deductions.
    pub deductions: Vec<NewDeduction>,
    /// Money that could be tied to nothing: stays on the account.
    pub unapplied: Amount,
}

/// One row of the aging: by partner and currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgingRow {
    /// Who owes.
    pub partner: String,
    /// Currency.
    pub currency: Currency,
    /// Not due yet.
    pub current: Amount,
    /// 1 to 30 days past due.
    pub days_1_30: Amount,
    /// 31 to 60.
    pub days_31_60: Amount,
    /// 61 to 90.
    pub days_61_90: Amount,
    /// More than 90.
    pub days_over_90: Amount,
    /// Disputed part of all of these.
    pub disputed: Amount,
    /// Credits and unapplied money, at or below zero.
    pub unapplied: Amount,
    /// Sum of the buckets and of `unapplied`.
    pub total: Amount,
}
