//! The remittance (820): what a payer says it paid, item by item (X12-RULES 83 to 89).
//!
//! Amounts are R elements and are taken exactly or not at all. ADX directly below ENT is tied to no item; ADX below an
//! RMR belongs to that item. Whether it balances is not judged here.

use chrono::NaiveDate;
use supercargo_x12::{Segment, TransactionSet};

use super::element::{date, decimal, exact_amount};
use super::place::{self, fault, trimmed};
use crate::config::profile::Profile;
use crate::domain::finding::{Finding, Severity};
use crate::domain::money::{Amount, Currency};
use crate::domain::remittance::{Remittance, RemittanceAdjustment, RemittanceItem};

/// Qualifiers of references that stand for a missing TRN, in order of preference: cheque, transaction, trace number.
const TRACE_REFERENCES: [&str; 4] = ["CK", "TN", "2I", "EF"];

/// Reads an 820 whose syntax was accepted.
///
/// # Errors
/// Every finding, where anything about the money can not be read: total, date, trace, or an amount of an item. Nothing
/// of such a remittance may be applied by itself.
pub fn read(set: &TransactionSet, profile: &Profile) -> Result<Remittance, Vec<Finding>> {
    let mut findings = Vec::new();
    let Some(bpr) = set.find("BPR") else {
        findings.push(Finding::business(
            "payment-missing",
            Severity::Hold,
            "the document has no BPR segment, so it names no payment: ask the payer to send it again",
        ));
        return Err(findings);
    };
    let currency = currency(set, profile, &mut findings);
    let total = money(bpr, 2, currency, &mut findings).unwrap_or_default();
    let date = payment_date(set, bpr, &mut findings);
    let reference = trace(set, bpr, &mut findings);
    let mut reading = Reading {
        currency,
        findings,
        payer: String::new(),
        items: Vec::new(),
        adjustments: Vec::new(),
        within: Within::Heading,
    };
    for segment in set.segments() {
        reading.take(segment);
    }
    reading.require_amounts();
    let (Some(date), Some(reference), true) = (date, reference, reading.findings.is_empty()) else {
        return Err(reading.findings);
    };
    let method = trimmed(bpr, 4).to_owned();
    let silent = method == "NON" || (bpr.element(1) == "I" && total.is_zero());
    Ok(Remittance {
        reference,
        money_moved: !silent,
        method,
        total,
        debit: bpr.element(3) == "D",
        currency,
        date,
        payer: reading.payer,
        items: reading.items.into_iter().map(|item| item.read).collect(),
        adjustments: reading.adjustments,
    })
}

/// CUR02, or the partner's currency.
fn currency(set: &TransactionSet, profile: &Profile, findings: &mut Vec<Finding>) -> Currency {
    let Some(cur) = set.find("CUR") else {
        return profile.currency;
    };
    trimmed(cur, 2).parse().unwrap_or_else(|_| {
        findings.push(fault(
            cur,
            2,
            "currency-unknown",
            Severity::Hold,
            "the currency of the payment (CUR02) is none: ask the payer which it is, and correct the document",
        ));
        profile.currency
    })
}

/// BPR16, or the first date of the heading.
fn payment_date(
    set: &TransactionSet,
    bpr: Segment<'_>,
    findings: &mut Vec<Finding>,
) -> Option<NaiveDate> {
    let heading = || {
        set.segments()
            .take_while(|segment| !matches!(segment.id(), "ENT" | "RMR"))
            .filter(|segment| segment.id() == "DTM")
            .find_map(|segment| date(segment.element(2)))
    };
    let found = if bpr.element(16).is_empty() {
        heading()
    } else {
        date(bpr.element(16))
    };
    if found.is_none() {
        findings.push(fault(
            bpr,
            16,
            "payment-date-missing",
            Severity::Hold,
            "the payment has no date (BPR16) that can be read: take it from the bank's statement, and correct the document",
        ));
    }
    found
}

/// TRN02, or a reference of the heading that does its work; none: it has neither.
pub fn trace_of(set: &TransactionSet) -> Option<&str> {
    let stated = set.find("TRN").map(|trn| trimmed(trn, 2));
    let heading = || {
        let references: Vec<Segment<'_>> = set
            .segments()
            .take_while(|segment| !matches!(segment.id(), "N1" | "ENT" | "RMR"))
            .filter(|segment| segment.id() == "REF")
            .collect();
        TRACE_REFERENCES.iter().find_map(|qualifier| {
            references
                .iter()
                .find(|reference| reference.element(1) == *qualifier)
                .map(|reference| trimmed(*reference, 2))
        })
    };
    stated
        .filter(|text| !text.is_empty())
        .or_else(heading)
        .filter(|text| !text.is_empty())
}

fn trace(set: &TransactionSet, bpr: Segment<'_>, findings: &mut Vec<Finding>) -> Option<String> {
    let found = trace_of(set).map(str::to_owned);
    if found.is_none() {
        findings.push(
            Finding::business(
                "payment-trace-missing",
                Severity::Hold,
                "the payment has no trace number (TRN02), so it can neither be matched with the bank nor recognised if it comes again: take the cheque or transfer number from the bank's statement, and correct the document",
            )
            .at(place::of(bpr)),
        );
    }
    found
}

/// Element `n` as an amount; none where it is empty, with a finding where it can not be held exactly.
fn money(
    segment: Segment<'_>,
    n: usize,
    currency: Currency,
    findings: &mut Vec<Finding>,
) -> Option<Amount> {
    let text = segment.element(n);
    if text.is_empty() {
        return None;
    }
    let amount = decimal(text).and_then(|major| exact_amount(major, currency));
    if amount.is_none() {
        findings.push(fault(
            segment,
            n,
            "amount-unreadable",
            Severity::Hold,
            format!("{}{n:02} is no amount of {currency} that can be held exactly: ask the payer for the right one, and correct the document", segment.id()),
        ));
    }
    amount
}

/// What the next segment belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Heading,
    /// ENT and what is below it but no item.
    Entity,
    /// An ADX below ENT.
    EntityAdjustment,
    /// An RMR.
    Item,
    /// An ADX below an RMR.
    ItemAdjustment,
}

/// An item with what decides about its paid amount.
struct Item {
    read: RemittanceItem,
    amount_stated: bool,
}

/// What has been read so far.
struct Reading {
    currency: Currency,
    findings: Vec<Finding>,
    payer: String,
    items: Vec<Item>,
    adjustments: Vec<RemittanceAdjustment>,
    within: Within,
}

impl Reading {
    fn take(&mut self, segment: Segment<'_>) {
        match segment.id() {
            "N1" if self.within == Within::Heading && segment.element(1) == "PR" => {
                let name = trimmed(segment, 2);
                let name = if name.is_empty() {
                    trimmed(segment, 4)
                } else {
                    name
                };
                name.clone_into(&mut self.payer);
            }
            "ENT" => self.within = Within::Entity,
            "RMR" => self.open_item(segment),
            "ADX" => self.open_adjustment(segment),
            "REF" => self.reference(segment),
            "NTE" => self.note(segment),
            _ => {}
        }
    }

    fn open_item(&mut self, segment: Segment<'_>) {
        self.within = Within::Item;
        let mut money = |n: usize| money(segment, n, self.currency, &mut self.findings);
        let paid = money(4);
        let mut read = RemittanceItem {
            qualifier: trimmed(segment, 1).to_owned(),
            reference: trimmed(segment, 2).to_owned(),
            action: trimmed(segment, 3).to_owned(),
            paid: paid.unwrap_or_default(),
            invoice_amount: money(5),
            discount: money(6),
            adjustments: Vec::new(),
            place: place::of(segment),
        };
        if let Some(amount) = money(8).filter(|amount| !amount.is_zero()) {
            read.adjustments.push(RemittanceAdjustment {
                amount,
                reason: trimmed(segment, 7).to_owned(),
                reference: String::new(),
                note: String::new(),
            });
        }
        self.items.push(Item {
            read,
            amount_stated: !segment.element(4).is_empty(),
        });
    }

    fn open_adjustment(&mut self, segment: Segment<'_>) {
        let amount = money(segment, 1, self.currency, &mut self.findings);
        if segment.element(1).is_empty() {
            self.findings.push(fault(
                segment,
                1,
                "amount-unreadable",
                Severity::Hold,
                "the adjustment has no amount (ADX01): ask the payer for it, and correct the document",
            ));
        }
        let adjustment = RemittanceAdjustment {
            amount: amount.unwrap_or_default(),
            reason: trimmed(segment, 2).to_owned(),
            reference: trimmed(segment, 4).to_owned(),
            note: String::new(),
        };
        let inside = matches!(self.within, Within::Item | Within::ItemAdjustment);
        match self.items.last_mut() {
            Some(item) if inside => {
                item.read.adjustments.push(adjustment);
                self.within = Within::ItemAdjustment;
            }
            _ => {
                self.adjustments.push(adjustment);
                self.within = Within::EntityAdjustment;
            }
        }
    }

    /// The adjustment whose loop is open.
    fn adjustment(&mut self) -> Option<&mut RemittanceAdjustment> {
        match self.within {
            Within::EntityAdjustment => self.adjustments.last_mut(),
            Within::ItemAdjustment => self.items.last_mut()?.read.adjustments.last_mut(),
            _ => None,
        }
    }

    fn reference(&mut self, segment: Segment<'_>) {
        if let Some(adjustment) = self.adjustment()
            && adjustment.reference.is_empty()
        {
            trimmed(segment, 2).clone_into(&mut adjustment.reference);
        }
    }

    fn note(&mut self, segment: Segment<'_>) {
        if let Some(adjustment) = self.adjustment() {
            if !adjustment.note.is_empty() {
                adjustment.note.push(' ');
            }
            adjustment.note.push_str(trimmed(segment, 2));
        }
    }

    /// An item without RMR04 is paid as its own figures say: invoice less discount and adjustments. Without those
    /// figures nobody knows what was paid.
    fn require_amounts(&mut self) {
        let currency = self.currency;
        for item in self.items.iter_mut().filter(|item| !item.amount_stated) {
            let read = &mut item.read;
            let paid = read.invoice_amount.and_then(|invoiced| {
                let discount = read.discount.unwrap_or_default();
                let net = invoiced.checked_sub(discount).ok()?;
                Amount::sum(
                    std::iter::once(net)
                        .chain(read.adjustments.iter().map(|adjustment| adjustment.amount)),
                )
                .ok()
            });
            if let Some(paid) = paid {
                read.paid = paid;
                continue;
            }
            self.findings.push(
                Finding::business(
                    "amount-missing",
                    Severity::Hold,
                    format!("the item {} {} says neither what was paid (RMR04) nor what was invoiced (RMR05) in {currency}: ask the payer, and correct the document", read.qualifier, read.reference),
                )
                .at(read.place.clone()),
            );
        }
    }
}
