//! The receivable: what is open of an invoice, what was applied to it, what is disputed, and how old it is.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::finding::Finding;
use super::ids::{InvoiceId, PartnerId};
use super::invoice::{Invoice, InvoiceKind};
use super::money::{Amount, Currency};
use super::remittance::Remittance;

pub use super::application::plan;

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

/// The open part of one invoice or credit. Amounts are in the sign of the invoice: all at or above zero for an invoice,
/// all at or below zero for a credit.
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
    /// Discount that may still be taken: what was granted is gone from it.
    pub discount: Amount,
    /// Until when.
    pub discount_until: Option<NaiveDate>,
    /// Due.
    pub due: NaiveDate,
    /// Given up for good.
    pub written_off: Amount,
}

/// An effect that an open item can not take: a fault of the plan, or the item has changed since it was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceivableRefusal {
    /// The effect is on another invoice.
    #[error("an effect on invoice {wanted} was handed to invoice {number}")]
    OtherInvoice {
        /// The invoice it was handed to.
        number: String,
        /// The invoice it is for.
        wanted: String,
    },
    /// More would be taken off than is open.
    #[error(
        "more would be taken off invoice {number} than is open: {taken} of {open} (in cents, where the currency has two decimals); look at what is open with `invoice show {number}` and give no more"
    )]
    MoreThanOpen {
        /// Its number.
        number: String,
        /// What would be taken off.
        taken: i64,
        /// What is open.
        open: i64,
    },
    /// More would be disputed than is open.
    #[error(
        "more of invoice {number} would be disputed than is open: {disputed} of {open} (in cents, where the currency has two decimals); look at what is open with `invoice show {number}`"
    )]
    MoreDisputedThanOpen {
        /// Its number.
        number: String,
        /// What would be disputed.
        disputed: i64,
        /// What would be open.
        open: i64,
    },
}

impl OpenItem {
    /// A new open item: all of the invoice.
    pub fn of(invoice: &Invoice) -> Self {
        Self {
            invoice: invoice.id,
            number: invoice.number.clone(),
            kind: invoice.kind,
            partner: invoice.partner,
            po_number: invoice.po_number.clone(),
            currency: invoice.currency,
            total: invoice.total,
            open: invoice.total,
            disputed: Amount::ZERO,
            discount: invoice.discount,
            discount_until: invoice.discount_until,
            due: invoice.due,
            written_off: Amount::ZERO,
        }
    }

    /// The item after a payment's effect on it: open falls by what was paid, granted and written off, and the deductions
    /// that are about this invoice stay open, disputed. Deductions about others are passed over. What is paid is taken
    /// off the undisputed part first (X12-RULES 90).
    pub fn apply(
        mut self,
        application: &Application,
        deductions: &[NewDeduction],
    ) -> Result<Self, ReceivableRefusal> {
        if application.invoice != self.invoice {
            return Err(ReceivableRefusal::OtherInvoice {
                number: self.number,
                wanted: application.number.clone(),
            });
        }
        let sum = |parts: &[Amount]| parts.iter().map(|part| i128::from(part.0)).sum::<i128>();
        let before = i128::from(self.open.0);
        let taken = sum(&[
            application.paid,
            application.discount,
            application.written_off,
        ]);
        let open = before - taken;
        if (before >= 0 && !(0..=before).contains(&open))
            || (before < 0 && !(before..=0).contains(&open))
        {
            return Err(ReceivableRefusal::MoreThanOpen {
                number: self.number,
                taken: clamped(taken),
                open: self.open.0,
            });
        }
        let deducted: i128 = deductions
            .iter()
            .filter(|deduction| deduction.invoice == Some(self.invoice))
            .map(|deduction| i128::from(deduction.amount.0))
            .sum();
        let disputed = i128::from(self.disputed.0).min(open.max(0)) + deducted;
        if disputed < 0 || disputed > open.max(0) {
            return Err(ReceivableRefusal::MoreDisputedThanOpen {
                number: self.number,
                disputed: clamped(disputed),
                open: clamped(open),
            });
        }
        self.open = Amount(clamped(open));
        self.disputed = Amount(clamped(disputed));
        self.discount = Amount(
            self.discount
                .0
                .saturating_sub(application.discount.0)
                .max(0),
        );
        self.written_off = Amount(self.written_off.0.saturating_add(application.written_off.0));
        Ok(self)
    }

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

impl Application {
    /// No money at all: a payment that only deducts from an invoice.
    pub fn nothing(invoice: InvoiceId, number: &str) -> Self {
        Self {
            invoice,
            number: number.to_owned(),
            paid: Amount::ZERO,
            discount: Amount::ZERO,
            written_off: Amount::ZERO,
        }
    }
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
    /// What a person may want to know of it, such as an item that names nothing we know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Finding>,
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

/// Who owes what, by partner and currency, on `today`: each open invoice in the bucket of the days since it was due,
/// credits and money tied to nothing in `unapplied`. `unapplied` gives the latter, above zero; `names` the partners'
/// names, whose number stands where there is none. In order of name; a partner that owes nothing has no row.
pub fn aging(
    items: &[OpenItem],
    unapplied: &[(PartnerId, Currency, Amount)],
    names: &BTreeMap<PartnerId, String>,
    today: NaiveDate,
) -> Vec<AgingRow> {
    let mut sums: BTreeMap<(String, PartnerId, Currency), [i128; 7]> = BTreeMap::new();
    let mut add = |partner: PartnerId, currency, bucket: usize, amount: Amount| {
        let name = names
            .get(&partner)
            .cloned()
            .unwrap_or_else(|| partner.to_string());
        let row = sums.entry((name, partner, currency)).or_default();
        if let Some(sum) = row.get_mut(bucket) {
            *sum += i128::from(amount.0);
        }
    };
    for item in items.iter().filter(|item| !item.open.is_zero()) {
        add(item.partner, item.currency, bucket(item, today), item.open);
        add(item.partner, item.currency, DISPUTED, item.disputed);
    }
    for (partner, currency, amount) in unapplied.iter().filter(|(_, _, amount)| !amount.is_zero()) {
        add(*partner, *currency, UNAPPLIED, amount.negated());
    }
    sums.into_iter()
        .map(|((partner, _, currency), sums)| row(partner, currency, sums))
        .collect()
}

const UNAPPLIED: usize = 5;
const DISPUTED: usize = 6;

/// Current, 1–30, 31–60, 61–90, over 90, or a credit.
fn bucket(item: &OpenItem, today: NaiveDate) -> usize {
    if item.open.0 < 0 {
        return UNAPPLIED;
    }
    match today.signed_duration_since(item.due).num_days() {
        ..=0 => 0,
        1..=30 => 1,
        31..=60 => 2,
        61..=90 => 3,
        _ => 4,
    }
}

fn row(partner: String, currency: Currency, sums: [i128; 7]) -> AgingRow {
    let [
        current,
        days_1_30,
        days_31_60,
        days_61_90,
        days_over_90,
        unapplied,
        disputed,
    ] = sums;
    let total = current + days_1_30 + days_31_60 + days_61_90 + days_over_90 + unapplied;
    AgingRow {
        partner,
        currency,
        current: Amount(clamped(current)),
        days_1_30: Amount(clamped(days_1_30)),
        days_31_60: Amount(clamped(days_31_60)),
        days_61_90: Amount(clamped(days_61_90)),
        days_over_90: Amount(clamped(days_over_90)),
        disputed: Amount(clamped(disputed)),
        unapplied: Amount(clamped(unapplied)),
        total: Amount(clamped(total)),
    }
}

fn clamped(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::super::specimens::{day, open_item};
    use super::*;

    fn effect(paid: i64, discount: i64, written_off: i64) -> Application {
        Application {
            invoice: InvoiceId(1),
            number: "1001".into(),
            paid: Amount(paid),
            discount: Amount(discount),
            written_off: Amount(written_off),
        }
    }

    fn deduction(invoice: Option<i64>, amount: i64) -> NewDeduction {
        NewDeduction {
            invoice: invoice.map(InvoiceId),
            claimed_reference: String::new(),
            amount: Amount(amount),
            reason: "70".into(),
            reference: String::new(),
        }
    }

    /// An invoice of 1000: what each effect leaves open and disputed, and the status.
    #[test]
    fn effects_and_statuses() {
        use ReceivableStatus::{Open, Paid, PartiallyPaid, WrittenOff};
        let table = [
            (effect(1000, 0, 0), vec![], Some((0, 0, Paid))),
            (effect(900, 0, 0), vec![], Some((100, 0, PartiallyPaid))),
            (
                effect(900, 0, 0),
                vec![deduction(Some(1), 100)],
                Some((100, 100, PartiallyPaid)),
            ),
            (
                effect(900, 0, 0),
                vec![deduction(Some(2), 100)],
                Some((100, 0, PartiallyPaid)),
            ),
            (
                effect(900, 0, 0),
                vec![deduction(None, 100)],
                Some((100, 0, PartiallyPaid)),
            ),
            (effect(980, 20, 0), vec![], Some((0, 0, Paid))),
            (effect(990, 0, 10), vec![], Some((0, 0, WrittenOff))),
            (
                effect(0, 0, 0),
                vec![deduction(Some(1), 1000)],
                Some((1000, 1000, Open)),
            ),
            (effect(1001, 0, 0), vec![], None),
            (effect(-1, 0, 0), vec![], None),
            (effect(900, 0, 0), vec![deduction(Some(1), 101)], None),
            (effect(i64::MAX, i64::MAX, i64::MAX), vec![], None),
        ];
        for (application, deductions, wanted) in table {
            let after = open_item(1, "1001", 1000).apply(&application, &deductions);
            let got = after
                .ok()
                .map(|item| (item.open.0, item.disputed.0, item.status()));
            assert_eq!(got, wanted, "{application:?} {deductions:?}");
        }
        let other = open_item(2, "1002", 1000).apply(&effect(1, 0, 0), &[]);
        assert!(matches!(other, Err(ReceivableRefusal::OtherInvoice { .. })));
    }

    #[test]
    fn a_credit_is_used_up_toward_zero() {
        let credit = || open_item(1, "9001", -500);
        let after = credit().apply(&effect(-300, 0, 0), &[]).unwrap();
        assert_eq!(
            (after.open, after.status()),
            (Amount(-200), ReceivableStatus::PartiallyPaid)
        );
        assert!(credit().apply(&effect(-501, 0, 0), &[]).is_err());
        assert!(credit().apply(&effect(1, 0, 0), &[]).is_err());
        assert!(!credit().is_overdue(day("2027-01-01"), 0));
    }

    #[test]
    fn a_granted_discount_is_gone() {
        let item = open_item(1, "1001", 100_000);
        let after = item.apply(&effect(50_000, 1_500, 0), &[]).unwrap();
        assert_eq!(after.discount, Amount(500));
    }

    #[test]
    fn overdue_is_the_due_date_against_the_clock() {
        let item = open_item(1, "1001", 1000);
        for (today, grace, overdue) in [
            ("2026-02-14", 0, false),
            ("2026-02-15", 0, true),
            ("2026-02-17", 3, false),
            ("2026-02-18", 3, true),
        ] {
            assert_eq!(
                item.is_overdue(day(today), grace),
                overdue,
                "{today} {grace}"
            );
        }
    }

    #[test]
    fn aging_buckets() {
        // Due on the 14th of February.
        for (today, wanted) in [
            ("2026-02-14", 0),
            ("2026-02-15", 1),
            ("2026-03-16", 1),
            ("2026-03-17", 2),
            ("2026-04-15", 2),
            ("2026-04-16", 3),
            ("2026-05-15", 3),
            ("2026-05-16", 4),
        ] {
            assert_eq!(
                bucket(&open_item(1, "1001", 1000), day(today)),
                wanted,
                "{today}"
            );
        }
    }

    #[test]
    fn aging_by_partner_and_currency() {
        let mut disputed = open_item(1, "1001", 1000);
        disputed.disputed = Amount(100);
        let mut euro = open_item(2, "1002", 70);
        euro.currency = "EUR".parse().unwrap();
        let mut other = open_item(3, "1003", 5);
        other.partner = PartnerId(4);
        other.due = day("2026-05-01");
        let mut paid = open_item(4, "1004", 9);
        paid.open = Amount::ZERO;
        paid.partner = PartnerId(5);
        let items = [disputed, euro, other, paid, open_item(5, "9001", -300)];
        let unapplied = [(PartnerId(3), Currency::USD, Amount(50))];
        let names = BTreeMap::from([(PartnerId(3), "bigbox".to_owned())]);
        let rows = aging(&items, &unapplied, &names, day("2026-03-01"));
        let told: Vec<String> = rows
            .iter()
            .map(|row| {
                format!(
                    "{} {} {}/{}/{}/{}/{} {} {} = {}",
                    row.partner,
                    row.currency,
                    row.current.0,
                    row.days_1_30.0,
                    row.days_31_60.0,
                    row.days_61_90.0,
                    row.days_over_90.0,
                    row.disputed.0,
                    row.unapplied.0,
                    row.total.0
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "4 USD 5/0/0/0/0 0 0 = 5",
                "bigbox EUR 0/70/0/0/0 0 0 = 70",
                "bigbox USD 0/1000/0/0/0 100 -350 = 650",
            ]
        );
    }
}
