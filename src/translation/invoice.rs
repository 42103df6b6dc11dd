//! The invoice (810) and the credit memo, from what was issued; refused when its own segments do not add up
//! (X12-RULES 74 to 82).

mod parties;
mod sum;

use rust_decimal::Decimal;
use supercargo_x12::{OutSegment, OutboundSet, seg};

use super::crosscheck::invoice_against_shipment;
use super::element::{date_text, decimal_text, n2_text};
use super::outbound::{Draft, Facts};
use super::party::{self, Extent};
use super::{charge, item, terms};
use crate::config::profile::Profile;
use crate::config::profile::invoice_document::{CreditSign, DiscountBase};
use crate::config::profile::outbound::OutboundLevel;
use crate::config::settings::Company;
use crate::domain::finding::Finding;
use crate::domain::invoice::{Invoice, InvoiceCharge, InvoiceKind, InvoiceLine};
use crate::domain::money::Amount;
use crate::domain::order::Order;
use crate::domain::shipment::Shipment;

/// What an 810 needs beside invoice, order and profile.
#[derive(Debug, Clone, Copy)]
pub struct InvoiceContext<'a> {
    /// Our company, which is paid (N1 RE).
    pub company: &'a Company,
    /// All shipments that the invoice bills: no more than they hold is billed.
    pub shipments: &'a [&'a Shipment],
}

/// Builds the 810. The profile says which sign the partner wants in a credit; [`Invoice`] counts its goods above zero
/// and its total below.
///
/// # Errors
/// Every finding that keeps it from being sent: a difference from what shipped and was agreed, a value that is missing, a text
/// of which nothing can be sent, and above all a sum of its own segments that is not its total.
pub fn build(
    invoice: &Invoice,
    order: &Order,
    profile: &Profile,
    context: &InvoiceContext<'_>,
) -> Result<OutboundSet, Vec<Finding>> {
    let paper = Paper {
        invoice,
        order,
        profile,
        context,
        negative: invoice.kind == InvoiceKind::Credit
            && profile.invoice_document.credit_sign == CreditSign::Negative,
    };
    let facts = Facts {
        orders: [order].into(),
        shipments: context
            .shipments
            .iter()
            .map(|shipment| (*shipment, profile.time_zone))
            .collect(),
        invoice: Some(invoice),
        ..Facts::new(profile, context.company, invoice.date)
    };
    let mut draft = Draft::new("810", profile);
    draft.open(OutboundLevel::Header, || facts.clone());
    paper.header(&mut draft);
    for line in &invoice.lines {
        draft.open(OutboundLevel::Line, || Facts {
            line: order.line(line.order_line),
            ..facts.clone()
        });
        paper.line(&mut draft, line);
    }
    draft.open(OutboundLevel::Summary, || facts);
    paper.summary(&mut draft);
    // A credit gives goods back, and is no matter of what shipped.
    if invoice.kind == InvoiceKind::Invoice {
        draft.check(|plain| invoice_against_shipment(plain, order, context.shipments));
    }
    let set = draft.finish()?;
    let findings = sum::faults(&set, invoice, paper.total(), profile);
    if findings.is_empty() {
        Ok(set)
    } else {
        Err(findings)
    }
}

/// The invoice as one that takes the place of an earlier document of it, with the purpose (BIG08) that the partner wants
/// there; an original goes without.
#[must_use]
pub fn sent_again(mut set: OutboundSet, profile: &Profile) -> OutboundSet {
    let purpose = &profile.invoice_document.resend_purpose;
    for big in set
        .segments
        .iter_mut()
        .filter(|segment| segment.id == "BIG" && purpose != "00")
    {
        *big = big.clone().at(8, purpose);
    }
    set
}

/// What the segments are written from.
struct Paper<'a> {
    invoice: &'a Invoice,
    order: &'a Order,
    profile: &'a Profile,
    context: &'a InvoiceContext<'a>,
    /// A credit in negative amounts.
    negative: bool,
}

impl Paper<'_> {
    fn header(&self, draft: &mut Draft<'_>) {
        let invoice = self.invoice;
        let document = &self.profile.invoice_document;
        let kind = match invoice.kind {
            InvoiceKind::Invoice => &document.kind_code,
            InvoiceKind::Credit => &document.credit_code,
        };
        draft.push(
            seg("BIG")
                .el(date_text(invoice.date))
                .el(&invoice.number)
                .el(date_text(invoice.po_date))
                .el(&invoice.po_number)
                .el(&self.order.header.release)
                .skip()
                .el(kind),
        );
        if invoice.currency != self.profile.currency {
            draft.push(seg("CUR").el("SE").el(invoice.currency.code()));
        }
        draft.extend(parties::references(self));
        for (role, party) in parties::of(self) {
            draft.extend(party::write(&role, &party, Extent::Address));
        }
        if document.terms && invoice.kind == InvoiceKind::Invoice {
            draft.push(terms::write(invoice));
        }
        if document.ship_date {
            draft.push(seg("DTM").el("011").el(date_text(invoice.shipped_on)));
        }
    }

    fn line(&self, draft: &mut Draft<'_>, line: &InvoiceLine) {
        let ordered = self.order.line(line.order_line);
        let numbers = if line.numbers.is_empty() {
            ordered.map(item::numbers).unwrap_or_default()
        } else {
            item::pairs(&line.numbers)
        };
        let assigned = if line.buyer_line.is_empty() {
            line.order_line.to_string()
        } else {
            line.buyer_line.clone()
        };
        let it1 = seg("IT1")
            .el(assigned)
            .el(decimal_text(self.signed(line.quantity)))
            .el(&line.unit)
            .el(decimal_text(line.price.amount))
            .el(&line.price.basis);
        draft.push(item::add_numbers(it1, &numbers));
        if self.profile.invoice_document.description && !line.description.is_empty() {
            draft.push(
                seg("PID")
                    .el("F")
                    .skip()
                    .skip()
                    .skip()
                    .el(&line.description),
            );
        }
        self.charges(draft, &line.charges);
    }

    fn summary(&self, draft: &mut Draft<'_>) {
        let document = &self.profile.invoice_document;
        let tds = self.totals(draft);
        draft.push(tds);
        if document.carrier && !self.invoice.carrier.is_empty() {
            draft.push(self.carrier());
        }
        self.charges(draft, &self.invoice.charges);
        if document.shipped_units {
            draft.extend(self.shipped_units());
        }
        if document.line_count {
            draft.push(seg("CTT").el(self.invoice.lines.len().to_string()));
        }
    }

    /// TDS: total before discount, what the discount is taken of, the discounted total, the discount (rule 76).
    fn totals(&self, draft: &mut Draft<'_>) -> OutSegment {
        let invoice = self.invoice;
        let document = &self.profile.invoice_document;
        let discount = Some(invoice.discount)
            .filter(|discount| document.discount_amounts && discount.is_positive());
        let discounted = discount.and_then(|discount| self.total().checked_sub(discount).ok());
        // Our discount is always taken of the whole, so base and total never differ.
        let base = match document.discount_base {
            DiscountBase::Always => Some(self.total()),
            DiscountBase::WhenDifferent | DiscountBase::Never => None,
        };
        let mut money = |amount: Amount| {
            let text = n2_text(amount, invoice.currency);
            if text.is_none() {
                draft.refuse(
                    "amount-not-sendable",
                    format!("{} {} has more decimals than an N2 element holds: invoice {} can not be sent in X12", amount.display(invoice.currency), invoice.currency, invoice.number),
                );
            }
            text.unwrap_or_default()
        };
        seg("TDS")
            .el(money(self.total()))
            .opt(base.map(&mut money))
            .opt(discounted.map(&mut money))
            .opt(discount.map(&mut money))
    }

    fn carrier(&self) -> OutSegment {
        let invoice = self.invoice;
        let cad = seg("CAD")
            .el(&self.profile.packing.transport)
            .skip()
            .skip()
            .el(&invoice.carrier);
        if invoice.bill_of_lading.is_empty() {
            cad
        } else {
            cad.skip().skip().el("BM").el(&invoice.bill_of_lading)
        }
    }

    /// ISS, where all lines are counted in one unit.
    fn shipped_units(&self) -> Option<OutSegment> {
        let lines = &self.invoice.lines;
        let unit = &lines.first()?.unit;
        let same = lines.iter().all(|line| line.unit == *unit);
        let sum = lines
            .iter()
            .try_fold(Decimal::ZERO, |sum, line| sum.checked_add(line.quantity))?;
        same.then(|| seg("ISS").el(decimal_text(sum)).el(unit))
    }

    fn charges(&self, draft: &mut Draft<'_>, charges: &[InvoiceCharge]) {
        for charge in charges {
            match charge::write(charge, self.invoice.currency, self.negative) {
                Some(segment) => draft.push(segment),
                None => draft.refuse(
                    "amount-not-sendable",
                    format!("allowance or charge {} of {} {} has more decimals than an N2 element holds: invoice {} can not be sent in X12", charge.code, charge.amount.display(self.invoice.currency), self.invoice.currency, self.invoice.number),
                ),
            }
        }
    }

    fn signed(&self, quantity: Decimal) -> Decimal {
        if self.negative { -quantity } else { quantity }
    }

    /// The total in the sign that the partner wants.
    fn total(&self) -> Amount {
        match (self.invoice.kind, self.negative) {
            (InvoiceKind::Credit, false) => self.invoice.total.negated(),
            _ => self.invoice.total,
        }
    }
}
