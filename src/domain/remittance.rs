//! A remittance: what a payer says it paid, as an 820 or a person tells it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::finding::Place;
use super::money::{Amount, Currency};

/// A reason for paying less or more (ADX), of one item or of the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemittanceAdjustment {
    /// ADX01: signed, below zero takes off.
    pub amount: Amount,
    /// ADX02, element 426: 01 pricing, 70 ship notice not received …
    pub reason: String,
    /// ADX04 or a REF: the payer's own number of the claim.
    #[serde(default)]
    pub reference: String,
    /// Free text.
    #[serde(default)]
    pub note: String,
}

/// One paid item (RMR).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemittanceItem {
    /// RMR01: IV our invoice, PO, CM credit memo, OI …
    pub qualifier: String,
    /// RMR02.
    pub reference: String,
    /// RMR03: PO on account, PI pay item, PP partial, AJ adjustment.
    #[serde(default)]
    pub action: String,
    /// RMR04: paid, signed.
    pub paid: Amount,
    /// RMR05: invoice amount before discount.
    #[serde(default)]
    pub invoice_amount: Option<Amount>,
    /// RMR06: discount taken.
    #[serde(default)]
    pub discount: Option<Amount>,
    /// ADX inside the RMR, and RMR07/08.
    #[serde(default)]
    pub adjustments: Vec<RemittanceAdjustment>,
    /// Where in the 820.
    #[serde(default)]
    pub place: Place,
}

/// What one 820, or one entry by hand, says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remittance {
    /// TRN02: the payer's trace, cheque or transfer number.
    pub reference: String,
    /// BPR04: ACH, CHK, FWT, NON, or `manual`.
    pub method: String,
    /// Whether money moved: not for BPR04 = NON or BPR01 = I with zero (X12-RULES 89).
    pub money_moved: bool,
    /// BPR02.
    pub total: Amount,
    /// BPR03 = D: a debit, money taken from us.
    #[serde(default)]
    pub debit: bool,
    /// Currency.
    pub currency: Currency,
    /// BPR16.
    pub date: NaiveDate,
    /// N1 PR or PE name, for people.
    #[serde(default)]
    pub payer: String,
    /// What was paid.
    pub items: Vec<RemittanceItem>,
    /// Adjustments tied to no item (ADX directly under ENT).
    #[serde(default)]
    pub adjustments: Vec<RemittanceAdjustment>,
}
