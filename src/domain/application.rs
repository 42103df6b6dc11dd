//! Cash application: what a remittance does to the open items it names, worked out before anything is written
//! (X12-RULES 83 to 90).
//!
//! Nothing is guessed: what does not balance to the cent, or can be read in two ways, is laid before a person. What does
//! balance leaves no silent difference: every cent is applied, granted as discount, written off within the tolerance,
//! deducted with the payer's reason (or with none, where the payer gave none), or stays on the account.

use chrono::{Days, NaiveDate};

use super::finding::{Finding, Place, Severity};
use super::ids::InvoiceId;
use super::invoice::InvoiceKind;
use super::money::{Amount, Currency};
use super::policy::CollectionPolicy;
use super::receivable::{Application, NewDeduction, OpenItem, PaymentPlan};
use super::remittance::{Remittance, RemittanceAdjustment, RemittanceItem};

/// The reason of a deduction that is a discount taken too late or too large.
pub const UNEARNED_DISCOUNT: &str = "unearned-discount";

/// Element 426: cash discount.
const REASON_DISCOUNT: &str = "76";
/// RMR03: partial payment; the rest is still to come.
const ACTION_PARTIAL: &str = "PP";
/// Days that the date of a payment may lie ahead, or behind.
const DAYS_AHEAD_MAX: u64 = 31;
const DAYS_BEHIND_MAX: u64 = 366;

/// What `remittance` does to `items`: the payer's items that are open, and those that it names.
///
/// Refused, with a finding for each reason: no money moved (rule 89), money was taken instead of paid, the items do not
/// add up to the payment in either reading of RMR04 (rule 88) or in both with different results, a currency that is not
/// the invoice's, a date that can not be right.
///
/// The money: total = Σ paid + unapplied − Σ deductions without an invoice.
pub fn plan(
    remittance: &Remittance,
    items: &[OpenItem],
    policy: &CollectionPolicy,
    today: NaiveDate,
) -> Result<PaymentPlan, Vec<Finding>> {
    let mut findings = heading(remittance, today);
    let named: Vec<Option<&OpenItem>> = remittance
        .items
        .iter()
        .map(|paid| named_item(paid, items))
        .collect();
    findings.extend(other_currencies(remittance, &named));
    let reading = match reading(remittance, &named) {
        Ok(reading) => reading,
        Err(finding) => {
            findings.extend(finding);
            return Err(findings);
        }
    };
    if !findings.is_empty() {
        return Err(findings);
    }
    let mut applying = Applying {
        remittance,
        reading,
        write_off_max: Amount::from_decimal(policy.write_off_max, remittance.currency)
            .unwrap_or(Amount::ZERO)
            .0
            .into(),
        grace: policy.discount_grace_days,
        applications: Vec::new(),
        deductions: Vec::new(),
        unapplied: 0,
        notes: Vec::new(),
    };
    applying.all(&named);
    applying.finish()
}

fn heading(remittance: &Remittance, today: NaiveDate) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut hold = |code, element, message: String| {
        let place = Place {
            segment: Some("BPR".to_owned()),
            element: Some(element),
            ..Place::default()
        };
        findings.push(Finding::business(code, Severity::Hold, message).at(place));
    };
    let amount = shown(remittance.total, remittance.currency);
    if remittance.debit {
        hold(
            "remittance-debit",
            3,
            format!(
                "{} says that {amount} were taken from us (BPR03 D), not paid; agree with the payer what for, and book it by hand",
                name(remittance)
            ),
        );
    }
    if !remittance.money_moved {
        hold(
            "remittance-only",
            4,
            format!(
                "{} tells of {amount} without moving money; nothing is applied until the bank shows it: then enter it with `pay`",
                name(remittance)
            ),
        );
    }
    if remittance.total.0 < 0 {
        hold(
            "remittance-negative",
            2,
            format!(
                "{} has a total below zero, {amount}; ask the payer what is meant",
                name(remittance)
            ),
        );
    }
    let ahead = today.checked_add_days(Days::new(DAYS_AHEAD_MAX));
    let behind = today.checked_sub_days(Days::new(DAYS_BEHIND_MAX));
    if ahead.is_some_and(|last| remittance.date > last)
        || behind.is_some_and(|first| remittance.date < first)
    {
        hold(
            "remittance-date-implausible",
            16,
            format!(
                "{} is dated {}, and today is {today}; discounts hang on the date: ask the payer for the right one",
                name(remittance),
                remittance.date
            ),
        );
    }
    findings
}

fn name(remittance: &Remittance) -> String {
    format!("Remittance {:?}", remittance.reference)
}

fn shown(amount: Amount, currency: Currency) -> String {
    format!("{} {currency}", amount.display(currency))
}

fn shown_wide(amount: i128, currency: Currency) -> String {
    i64::try_from(amount).map_or_else(
        |_| format!("{amount} minor units {currency}"),
        |amount| shown(Amount(amount), currency),
    )
}

/// The item that the payer means, if it is one and no other: by our number, or by PO where the payer says PO or says
/// nothing of what it is. Case and leading zeros matter only where they tell two items apart.
fn named_item<'i>(paid: &RemittanceItem, items: &'i [OpenItem]) -> Option<&'i OpenItem> {
    let reference = paid.reference.trim();
    if reference.is_empty() {
        return None;
    }
    let by_number = || only(items, reference, |item| &item.number);
    let by_po = || {
        let open: Vec<&OpenItem> = items.iter().filter(|item| !item.open.is_zero()).collect();
        of_several(&open, reference, paid)
    };
    match paid.qualifier.as_str() {
        "IV" | "CM" => by_number(),
        "PO" => by_po(),
        _ => by_number().or_else(by_po),
    }
}

fn only<'i>(
    items: &'i [OpenItem],
    reference: &str,
    name: fn(&OpenItem) -> &String,
) -> Option<&'i OpenItem> {
    let alone = |found: Vec<&'i OpenItem>| match found.as_slice() {
        [one] => Some(*one),
        _ => None,
    };
    let exact: Vec<&OpenItem> = items
        .iter()
        .filter(|item| name(item) == reference)
        .collect();
    if !exact.is_empty() {
        return alone(exact);
    }
    let wanted = loosened(reference);
    alone(
        items
            .iter()
            .filter(|item| loosened(name(item)) == wanted)
            .collect(),
    )
}

/// One item of the PO; of several the one that the amount names.
fn of_several<'i>(
    open: &[&'i OpenItem],
    reference: &str,
    paid: &RemittanceItem,
) -> Option<&'i OpenItem> {
    let mut found: Vec<&OpenItem> = open
        .iter()
        .copied()
        .filter(|item| item.po_number == reference)
        .collect();
    if found.is_empty() {
        let wanted = loosened(reference);
        found = open
            .iter()
            .copied()
            .filter(|item| loosened(&item.po_number) == wanted)
            .collect();
    }
    if let [one] = found.as_slice() {
        return Some(one);
    }
    found.retain(|item| item.open == paid.paid || paid.invoice_amount == Some(item.total));
    match found.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

fn loosened(number: &str) -> String {
    number.trim().trim_start_matches('0').to_uppercase()
}

fn other_currencies(remittance: &Remittance, named: &[Option<&OpenItem>]) -> Vec<Finding> {
    remittance
        .items
        .iter()
        .zip(named)
        .filter_map(|(paid, item)| item.map(|item| (paid, item)))
        .filter(|(_, item)| item.currency != remittance.currency)
        .map(|(paid, item)| {
            Finding::business(
                "currency-differs",
                Severity::Hold,
                format!(
                    "{} pays in {}, and {} is in {}; agree the rate with the payer and enter the payment with `pay`",
                    name(remittance),
                    remittance.currency,
                    item.number,
                    item.currency
                ),
            )
            .at(paid.place.clone())
            .with_value(&paid.reference)
        })
        .collect()
}

/// How RMR04 stands to the adjustments of its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// They are in it: money of the item = RMR04.
    Net,
    /// They come off it: money of the item = RMR04 + Σ ADX.
    Gross,
}

impl Reading {
    fn money(self, paid: &RemittanceItem) -> i128 {
        match self {
            Self::Net => i128::from(paid.paid.0),
            Self::Gross => i128::from(paid.paid.0) + adjusted(&paid.adjustments),
        }
    }

    fn sum(self, remittance: &Remittance) -> i128 {
        let items: i128 = remittance.items.iter().map(|paid| self.money(paid)).sum();
        items + adjusted(&remittance.adjustments)
    }

    /// Whether the item itself adds up so, from `amount` before discount and adjustments.
    fn fits(self, paid: &RemittanceItem, amount: Amount) -> bool {
        let discount = paid.discount.map_or(0, |discount| i128::from(discount.0));
        let adjusted = match self {
            Self::Net => adjusted(&paid.adjustments),
            Self::Gross => 0,
        };
        i128::from(amount.0) - discount + adjusted == i128::from(paid.paid.0)
    }
}

fn adjusted(adjustments: &[RemittanceAdjustment]) -> i128 {
    adjustments
        .iter()
        .map(|adjustment| i128::from(adjustment.amount.0))
        .sum()
}

/// The reading in which the remittance balances to the cent; where both do and differ, the one in which each item does.
fn reading(remittance: &Remittance, named: &[Option<&OpenItem>]) -> Result<Reading, Vec<Finding>> {
    let total = i128::from(remittance.total.0);
    let balanced: Vec<Reading> = [Reading::Net, Reading::Gross]
        .into_iter()
        .filter(|reading| reading.sum(remittance) == total)
        .collect();
    let differ = remittance
        .items
        .iter()
        .any(|paid| adjusted(&paid.adjustments) != 0);
    match balanced.as_slice() {
        [] => Err(vec![unbalanced(remittance)]),
        [reading] => Ok(*reading),
        _ if !differ => Ok(Reading::Net),
        _ => {
            let fitting: Vec<Reading> = balanced
                .into_iter()
                .filter(|reading| fits_items(*reading, remittance, named))
                .collect();
            match fitting.as_slice() {
                [reading] => Ok(*reading),
                _ => Err(vec![ambiguous(remittance)]),
            }
        }
    }
}

fn fits_items(reading: Reading, remittance: &Remittance, named: &[Option<&OpenItem>]) -> bool {
    remittance
        .items
        .iter()
        .zip(named)
        .filter(|(paid, _)| adjusted(&paid.adjustments) != 0)
        .all(|(paid, item)| {
            paid.invoice_amount
                .or(item.map(|item| item.open))
                .is_some_and(|amount| reading.fits(paid, amount))
        })
}

fn total_place() -> Place {
    Place {
        segment: Some("BPR".to_owned()),
        element: Some(2),
        ..Place::default()
    }
}

fn unbalanced(remittance: &Remittance) -> Finding {
    let currency = remittance.currency;
    let net = Reading::Net.sum(remittance);
    let gross = Reading::Gross.sum(remittance);
    let other = if net == gross {
        String::new()
    } else {
        format!(
            ", or to {} with the items' adjustments taken off",
            shown_wide(gross, currency)
        )
    };
    Finding::business(
        "remittance-unbalanced",
        Severity::Hold,
        format!(
            "{} pays {}, but its items and adjustments add up to {}{other}; nothing was applied: ask the payer for the missing lines, or enter the payment with `pay`",
            name(remittance),
            shown(remittance.total, currency),
            shown_wide(net, currency),
        ),
    )
    .at(total_place())
    .with_value(remittance.total.display(currency))
}

fn ambiguous(remittance: &Remittance) -> Finding {
    Finding::business(
        "remittance-ambiguous",
        Severity::Hold,
        format!(
            "{} balances whether or not the paid amounts (RMR04) are net of their adjustments, and its items do not tell which; nothing was applied: ask the payer, or enter the payment with `pay`",
            name(remittance)
        ),
    )
    .at(total_place())
}

/// All that a remittance says of one open item.
struct Group<'r> {
    item: &'r OpenItem,
    money: i128,
    /// Discount that the payer says it took.
    discount: i128,
    /// Other adjustments.
    adjustments: Vec<&'r RemittanceAdjustment>,
    partial: bool,
    place: Place,
}

struct Applying<'r> {
    remittance: &'r Remittance,
    reading: Reading,
    write_off_max: i128,
    grace: u32,
    applications: Vec<(InvoiceId, String, Effect)>,
    deductions: Vec<(Option<InvoiceId>, String, i128, String, String)>,
    unapplied: i128,
    notes: Vec<Finding>,
}

#[derive(Default)]
struct Effect {
    paid: i128,
    discount: i128,
    written_off: i128,
}

impl<'r> Applying<'r> {
    fn all(&mut self, named: &[Option<&'r OpenItem>]) {
        let mut groups: Vec<Group<'r>> = Vec::new();
        let remittance = self.remittance;
        for (paid, item) in remittance.items.iter().zip(named) {
            match item {
                Some(item) => self.group(&mut groups, paid, item),
                None => self.unknown(paid),
            }
        }
        for group in &groups {
            match group.item.kind {
                InvoiceKind::Invoice => self.invoice(group),
                InvoiceKind::Credit => self.credit(group),
            }
        }
        for adjustment in &remittance.adjustments {
            let amount = i128::from(adjustment.amount.0);
            if amount < 0 {
                self.deduct(None, "", -amount, adjustment);
            } else {
                self.unapplied += amount;
            }
        }
    }

    fn group(&self, groups: &mut Vec<Group<'r>>, paid: &'r RemittanceItem, item: &'r OpenItem) {
        let index = groups
            .iter()
            .position(|known| known.item.invoice == item.invoice)
            .unwrap_or_else(|| {
                groups.push(Group {
                    item,
                    money: 0,
                    discount: 0,
                    adjustments: Vec::new(),
                    partial: false,
                    place: paid.place.clone(),
                });
                groups.len() - 1
            });
        let Some(group) = groups.get_mut(index) else {
            return;
        };
        group.money += self.reading.money(paid);
        group.discount += paid
            .discount
            .map_or(0, |discount| i128::from(discount.0).max(0));
        group.partial |= paid.action == ACTION_PARTIAL;
        for adjustment in &paid.adjustments {
            let amount = i128::from(adjustment.amount.0);
            if adjustment.reason == REASON_DISCOUNT && amount < 0 {
                group.discount -= amount;
            } else {
                group.adjustments.push(adjustment);
            }
        }
    }

    fn note(&mut self, code: &str, message: String, place: &Place) {
        self.notes
            .push(Finding::business(code, Severity::Note, message).at(place.clone()));
    }

    fn shown(&self, amount: i128) -> String {
        shown_wide(amount, self.remittance.currency)
    }

    fn deduct(
        &mut self,
        invoice: Option<InvoiceId>,
        claimed: &str,
        amount: i128,
        why: &RemittanceAdjustment,
    ) {
        if amount > 0 {
            self.deductions.push((
                invoice,
                claimed.to_owned(),
                amount,
                why.reason.clone(),
                why.reference.clone(),
            ));
        }
    }

    fn deduct_for(
        &mut self,
        invoice: Option<InvoiceId>,
        claimed: &str,
        amount: i128,
        reason: &str,
    ) {
        if amount > 0 {
            self.deductions.push((
                invoice,
                claimed.to_owned(),
                amount,
                reason.to_owned(),
                String::new(),
            ));
        }
    }

    /// An item that names nothing we know: money stays on the account, what was taken is a deduction.
    fn unknown(&mut self, paid: &RemittanceItem) {
        let money = self.reading.money(paid);
        let what = format!("{} {}", paid.qualifier, paid.reference);
        let what = what.trim();
        if money >= 0 {
            self.unapplied += money;
            let message = if what.is_empty() {
                format!("{} were paid on account", self.shown(money))
            } else {
                format!(
                    "{what:?} names no invoice of ours, or several; {} stay on the account: apply them with `pay` when it is clear what they are for",
                    self.shown(money)
                )
            };
            self.note("item-not-found", message, &paid.place);
            return;
        }
        let taken = -money;
        self.take(
            None,
            &paid.reference,
            taken,
            &paid.adjustments.iter().collect::<Vec<_>>(),
        );
        let message = format!(
            "{what:?} names no invoice of ours; the {} taken for it stand as a deduction without an invoice",
            self.shown(taken)
        );
        self.note("item-not-found", message, &paid.place);
    }

    /// Splits what was taken over the payer's reasons, in turn; what no reason covers has the first one's, or none.
    fn take(
        &mut self,
        invoice: Option<InvoiceId>,
        claimed: &str,
        taken: i128,
        reasons: &[&RemittanceAdjustment],
    ) {
        let mut open = taken;
        for adjustment in reasons {
            let part = (-i128::from(adjustment.amount.0)).clamp(0, open);
            self.deduct(invoice, claimed, part, adjustment);
            open -= part;
        }
        let reason = reasons
            .first()
            .filter(|_| reasons.len() == 1)
            .map_or("", |only| only.reason.as_str());
        self.deduct_for(invoice, claimed, open, reason);
    }

    fn in_window(&self, item: &OpenItem) -> bool {
        item.discount_until
            .and_then(|last| last.checked_add_days(Days::new(u64::from(self.grace))))
            .is_some_and(|last| self.remittance.date <= last)
    }

    fn invoice(&mut self, group: &Group<'_>) {
        let item = group.item;
        let open = i128::from(item.open.0).max(0);
        if group.money == 0 && group.discount == 0 && group.adjustments.is_empty() {
            self.note(
                "item-without-amount",
                format!(
                    "{} is named without an amount; nothing changes",
                    item.number
                ),
                &group.place,
            );
            return;
        }
        let mut effect = Effect {
            paid: group.money.clamp(0, open),
            ..Effect::default()
        };
        let over = group.money - effect.paid;
        if over > 0 {
            self.unapplied += over;
            let message = format!(
                "{} was paid {} more than the {} open of it; the rest stays on the account",
                item.number,
                self.shown(over),
                self.shown(open)
            );
            self.note("overpaid", message, &group.place);
        }
        let mut rest = open - effect.paid;
        effect.discount = self.discount(group, rest);
        rest -= effect.discount;
        // What is disputed already stays so; only the other part can be deducted anew.
        let mut room = rest - i128::from(item.disputed.0).clamp(0, rest);
        let unearned = (group.discount - effect.discount).clamp(0, room);
        self.deduct_for(Some(item.invoice), "", unearned, UNEARNED_DISCOUNT);
        room -= unearned;
        room -= self.reasons(group, room, (-over).max(0));
        if !group.partial {
            if room <= self.write_off_max {
                effect.written_off = room;
            } else {
                self.deduct_for(Some(item.invoice), "", room, "");
            }
        }
        self.applications
            .push((item.invoice, item.number.clone(), effect));
    }

    /// Discount granted: what was taken, within the window and the terms. Where the payer does not say so, a shortage
    /// that is the discount to the cent is it.
    fn discount(&self, group: &Group<'_>, rest: i128) -> i128 {
        if !self.in_window(group.item) {
            return 0;
        }
        let allowed = i128::from(group.item.discount.0).max(0);
        let untold = group.discount == 0 && group.adjustments.is_empty() && rest == allowed;
        let taken = if untold { rest } else { group.discount };
        taken.min(allowed).min(rest)
    }

    /// The payer's reasons: on the invoice as far as there is room, and `beyond` it, where more was taken than the
    /// invoice has, without an invoice. Says how much went on the invoice.
    fn reasons(&mut self, group: &Group<'_>, room: i128, beyond: i128) -> i128 {
        let item = group.item;
        let (mut on_invoice, mut outside, mut surplus) = (0, 0, 0);
        for adjustment in &group.adjustments {
            let claimed = (-i128::from(adjustment.amount.0)).max(0);
            let part = claimed.min(room - on_invoice);
            self.deduct(Some(item.invoice), "", part, adjustment);
            on_invoice += part;
            let more = (claimed - part).min(beyond - outside);
            self.deduct(None, &item.number, more, adjustment);
            outside += more;
            surplus += claimed - part - more;
        }
        let reason = match group.adjustments.as_slice() {
            [only] => only.reason.as_str(),
            _ => "",
        };
        self.deduct_for(None, &item.number, beyond - outside, reason);
        if surplus > 0 {
            let message = format!(
                "the payer's reasons for {} come to {} more than is open of it; that part changes nothing",
                item.number,
                self.shown(surplus)
            );
            self.note("deduction-beyond-open", message, &group.place);
        }
        on_invoice
    }

    /// A credit of ours that the payer nets.
    fn credit(&mut self, group: &Group<'_>) {
        let item = group.item;
        let open = i128::from(item.open.0).min(0);
        let paid = group.money.clamp(open, 0);
        let rest = group.money - paid;
        if rest > 0 {
            self.unapplied += rest;
        } else if rest < 0 {
            let message = format!(
                "{} more were taken than the credit {} has left; they stand as a deduction without an invoice",
                self.shown(-rest),
                item.number
            );
            self.take(None, &item.number, -rest, &group.adjustments);
            self.note("credit-exceeded", message, &group.place);
        }
        if paid != 0 {
            self.applications.push((
                item.invoice,
                item.number.clone(),
                Effect {
                    paid,
                    ..Effect::default()
                },
            ));
        }
    }

    fn finish(self) -> Result<PaymentPlan, Vec<Finding>> {
        let paid: i128 = self
            .applications
            .iter()
            .map(|(_, _, effect)| effect.paid)
            .sum();
        let outside: i128 = self
            .deductions
            .iter()
            .filter(|(invoice, ..)| invoice.is_none())
            .map(|(_, _, amount, ..)| amount)
            .sum();
        if paid + self.unapplied - outside != i128::from(self.remittance.total.0) {
            return Err(vec![unbalanced(self.remittance)]);
        }
        let too_large = || vec![unbalanced(self.remittance)];
        let amount = |wide: i128| i64::try_from(wide).map(Amount).map_err(|_| too_large());
        let applications = self
            .applications
            .into_iter()
            .map(|(invoice, number, effect)| {
                Ok(Application {
                    invoice,
                    number,
                    paid: amount(effect.paid)?,
                    discount: amount(effect.discount)?,
                    written_off: amount(effect.written_off)?,
                })
            })
            .collect::<Result<Vec<_>, Vec<Finding>>>()?;
        let deductions = self
            .deductions
            .into_iter()
            .map(|(invoice, claimed_reference, wide, reason, reference)| {
                Ok(NewDeduction {
                    invoice,
                    claimed_reference,
                    amount: amount(wide)?,
                    reason,
                    reference,
                })
            })
            .collect::<Result<Vec<_>, Vec<Finding>>>()?;
        Ok(PaymentPlan {
            remittance: self.remittance.clone(),
            applications,
            deductions,
            unapplied: amount(self.unapplied)?,
            notes: self.notes,
        })
    }
}
