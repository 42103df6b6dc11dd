//! A remittance: what a payer says it paid, as an 820 or a person tells it.

use std::collections::BTreeMap;

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

/// The method of a payment that a person entered.
const BY_HAND: &str = "manual";

impl Remittance {
    /// Whether a person entered it, instead of an 820.
    pub fn is_by_hand(&self) -> bool {
        self.method == BY_HAND
    }

    /// Whether both pay the same items alike, wherever in their documents these stand. A person who enters a payment names
    /// invoices and amounts only, in any order: that is all that is compared with what such a one has entered.
    pub fn pays_the_same_as(&self, other: &Self) -> bool {
        if self.is_by_hand() != other.is_by_hand() {
            return self.paid_plainly().is_some_and(|paid| {
                other
                    .paid_plainly()
                    .is_some_and(|elsewhere| paid == elsewhere)
            });
        }
        let items = |remittance: &Self| {
            let mut items = remittance.items.clone();
            for item in &mut items {
                item.place = Place::default();
            }
            items
        };
        items(self) == items(other) && self.adjustments == other.adjustments
    }

    /// What each invoice is paid, by its number; none where more than that is told: a discount or an adjustment.
    fn paid_plainly(&self) -> Option<BTreeMap<&str, Amount>> {
        let mut paid = BTreeMap::new();
        for item in &self.items {
            let is_plain = item.adjustments.is_empty()
                && item.discount.is_none_or(|discount| discount == Amount(0));
            if !is_plain {
                return None;
            }
            let sum: &mut Amount = paid.entry(item.reference.trim()).or_insert(Amount(0));
            *sum = sum.checked_add(item.paid).ok()?;
        }
        self.adjustments.is_empty().then_some(paid)
    }

    /// What a person enters by hand (`pay --amount A --apply INVOICE=AMOUNT…`): the payment, and what of it goes to
    /// which invoice. What is left of it is paid on account; what exceeds it does not balance and is refused by the plan.
    /// An invoice that gets less than is open of it stays open by the rest, without a deduction, unless the rest is so
    /// little that the partner's policy writes it off.
    pub fn by_hand(
        reference: &str,
        date: NaiveDate,
        currency: Currency,
        total: Amount,
        apply: &[(String, Amount)],
    ) -> Self {
        let item = |qualifier: &str, reference: &str, action: &str, paid| RemittanceItem {
            qualifier: qualifier.to_owned(),
            reference: reference.to_owned(),
            action: action.to_owned(),
            paid,
            invoice_amount: None,
            discount: None,
            adjustments: Vec::new(),
            place: Place::default(),
        };
        let mut items: Vec<RemittanceItem> = apply
            .iter()
            .map(|(invoice, paid)| item("IV", invoice, "PP", *paid))
            .collect();
        let rest = items
            .iter()
            .try_fold(total, |rest, item| rest.checked_sub(item.paid));
        if let Ok(rest) = rest
            && rest.is_positive()
        {
            items.push(item("", "", "PO", rest));
        }
        Self {
            // Typed or pasted, and compared with what the bank and the 820 say.
            reference: reference.trim().to_owned(),
            method: BY_HAND.to_owned(),
            money_moved: true,
            total,
            debit: false,
            currency,
            date,
            payer: String::new(),
            items,
            adjustments: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_hand(apply: &[(&str, i64)]) -> Remittance {
        let apply: Vec<(String, Amount)> = apply
            .iter()
            .map(|(invoice, paid)| ((*invoice).to_owned(), Amount(*paid)))
            .collect();
        let date = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
        Remittance::by_hand("T-1", date, Currency::USD, Amount(900), &apply)
    }

    #[test]
    fn what_a_person_entered_is_what_the_820_tells() {
        let entered = by_hand(&[("1001", 400), ("1002", 500)]);
        let told = || {
            let mut told = by_hand(&[("1002", 500), ("1001", 400)]);
            told.method = "ACH".to_owned();
            told.items[0].invoice_amount = Some(Amount(500));
            told.items[0].action = "PI".to_owned();
            told.items[1].qualifier = "IN".to_owned();
            told
        };
        assert!(entered.pays_the_same_as(&told()) && told().pays_the_same_as(&entered));
        assert!(told().pays_the_same_as(&told()));
        let mut other = told();
        other.items[0].paid = Amount(450);
        assert!(!entered.pays_the_same_as(&other) && !other.pays_the_same_as(&told()));
        let mut other = told();
        other.items[0].discount = Some(Amount(10));
        assert!(!entered.pays_the_same_as(&other));
        let mut other = told();
        other.items[1].reference = "1003".to_owned();
        assert!(!other.pays_the_same_as(&entered));
        // Between two 820s every word counts.
        let mut other = told();
        other.items.swap(0, 1);
        assert!(!other.pays_the_same_as(&told()));
    }
}
