//! Terms of payment (ITD), both ways (X12-RULES 79).

use rust_decimal::Decimal;
use supercargo_x12::{OutSegment, Segment, seg};

use super::element::{date, date_text, decimal, decimal_text, n2_text};
use super::place::{fault, trimmed};
use crate::domain::finding::{Finding, Severity};
use crate::domain::invoice::Invoice;
use crate::domain::terms::{Terms, TermsFrom};

/// ITD as terms; none where it has no number or date to reckon with, so that the partner's own terms hold.
pub fn read(segment: Segment<'_>, findings: &mut Vec<Finding>) -> Option<Terms> {
    let mut misread = |n: usize, found: bool| {
        if !found && !segment.element(n).is_empty() {
            findings.push(fault(
                segment,
                n,
                "terms-unreadable",
                Severity::Hold,
                format!("ITD{n:02} of the payment terms can not be read: ask the buyer for the right terms, and correct the document"),
            ));
        }
    };
    let discount_percent = decimal(segment.element(3));
    let discount_due = date(segment.element(4));
    let discount_days = segment.element(5).parse().ok();
    let net_due = date(segment.element(6));
    let net_days = segment.element(7).parse().ok();
    let day_of_month = segment.element(13).parse().ok();
    misread(3, discount_percent.is_some());
    misread(4, discount_due.is_some());
    misread(5, discount_days.is_some());
    misread(6, net_due.is_some());
    misread(7, net_days.is_some());
    misread(13, day_of_month.is_some());
    let nothing = discount_percent.is_none()
        && net_due.is_none()
        && net_days.is_none()
        && day_of_month.is_none();
    (!nothing).then(|| Terms {
        kind: trimmed(segment, 1).to_owned(),
        from: base(segment.element(2)),
        discount_percent,
        discount_days,
        discount_due,
        net_days,
        net_due,
        day_of_month,
        description: trimmed(segment, 12).to_owned(),
    })
}

/// ITD02. Codes beyond these four count from the invoice.
fn base(code: &str) -> TermsFrom {
    match code {
        "1" => TermsFrom::Shipment,
        "2" => TermsFrom::Delivery,
        "5" => TermsFrom::Receipt,
        _ => TermsFrom::Invoice,
    }
}

/// ITD02 of terms.
fn base_code(from: TermsFrom) -> &'static str {
    match from {
        TermsFrom::Invoice => "3",
        TermsFrom::Shipment => "1",
        TermsFrom::Delivery => "2",
        TermsFrom::Receipt => "5",
    }
}

/// The terms of an invoice, with the dates and the discount that they come to. A discount is told only with the date
/// or days within which it holds, as the standard demands.
pub fn write(invoice: &Invoice) -> OutSegment {
    let terms = &invoice.terms;
    let percent = terms
        .discount_percent
        .filter(|percent| *percent > Decimal::ZERO)
        .filter(|_| invoice.discount_until.is_some() || terms.discount_days.is_some());
    let discounted = percent.is_some();
    let kind = if terms.kind.is_empty() {
        "01"
    } else {
        &terms.kind
    };
    let discount = n2_text(invoice.discount, invoice.currency)
        .filter(|_| discounted && invoice.discount.is_positive());
    seg("ITD")
        .el(kind)
        .el(base_code(terms.from))
        .opt(percent.map(decimal_text))
        .opt(invoice.discount_until.filter(|_| discounted).map(date_text))
        .opt(
            terms
                .discount_days
                .filter(|_| discounted)
                .map(|days| days.to_string()),
        )
        .el(date_text(invoice.due))
        .opt(terms.net_days.map(|days| days.to_string()))
        .opt(discount)
        .skip()
        .skip()
        .skip()
        .el(&terms.description)
        .opt(terms.day_of_month.map(|day| day.to_string()))
}
