//! Terms of payment (ITD), both ways (X12-RULES 79).

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use supercargo_x12::{OutSegment, Segment, seg};

use super::element::{date, date_text, decimal, decimal_text, n2_text};
use super::place::{fault, trimmed};
use crate::domain::finding::{Finding, Severity};
use crate::domain::invoice::Invoice;
use crate::domain::terms::{NET_DAYS_DEFAULT, Terms, TermsFrom};

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
    if nothing {
        let words = trimmed(segment, 12);
        if !words.is_empty() {
            findings.push(fault(
                segment,
                12,
                "terms-in-words",
                Severity::Note,
                "the terms of payment stand in words only (ITD12): the terms of the profile hold; see that they are the same",
            ));
        }
        return None;
    }
    let terms = Terms {
        kind: trimmed(segment, 1).to_owned(),
        from: base(segment.element(2)),
        discount_percent,
        discount_days,
        discount_due,
        net_days,
        net_due,
        day_of_month,
        description: trimmed(segment, 12).to_owned(),
    };
    findings.extend(doubts(segment, &terms));
    Some(terms)
}

/// Kinds of terms (ITD01) that a due date is reckoned by.
const KINDS: [&str; 8] = ["", "01", "02", "03", "05", "08", "09", "14"];

/// Days that are counted from (ITD02).
const BASES: [&str; 7] = ["", "1", "2", "3", "5", "8", "15"];

/// What keeps the terms from being reckoned in one way only. A due date that is written as a date is never in doubt.
fn doubts(segment: Segment<'_>, terms: &Terms) -> Vec<Finding> {
    let mut doubts = Vec::new();
    let mut doubt = |n: usize, code: &str, what: String| {
        doubts.push(fault(
            segment,
            n,
            code,
            Severity::Hold,
            format!("{what}: agree on the due date with the buyer, and correct the document; or write the terms into the profile (`invoicing.terms`, `terms_from_order = false`) and verify the order again; released, it is reckoned as {}", told(terms)),
        ));
    };
    let counted = terms.net_due.is_none();
    if counted && !KINDS.contains(&terms.kind.as_str()) {
        doubt(
            1,
            "terms-kind-unknown",
            format!(
                "no due date can be reckoned from terms of kind {} (ITD01)",
                terms.kind
            ),
        );
    }
    let base = trimmed(segment, 2);
    if counted && !BASES.contains(&base) {
        doubt(
            2,
            "terms-base-unknown",
            format!("the terms count from a day that is not known here (ITD02 {base})"),
        );
    }
    if counted && terms.kind == "03" {
        doubt(
            6,
            "terms-date-missing",
            "the terms are for a fixed date (ITD01 03), and none stands in ITD06".to_owned(),
        );
    }
    let day = terms.day_of_month;
    if counted && terms.kind == "09" && day.is_none() {
        doubt(
            13,
            "terms-day-missing",
            "the terms are for a day of the next month (ITD01 09), and none stands in ITD13"
                .to_owned(),
        );
    }
    if day.is_some_and(|day| !(1..=31).contains(&day)) {
        doubt(
            13,
            "terms-contradict",
            "ITD13 is no day of a month".to_owned(),
        );
    }
    if counted && day.is_some() && !matches!(terms.kind.as_str(), "02" | "09") {
        doubt(
            13,
            "terms-contradict",
            "the terms name a day of the month (ITD13) and count days from the invoice (ITD01)"
                .to_owned(),
        );
    }
    if counted && day.is_some() && terms.net_days.is_some_and(|days| days > 0) {
        doubt(
            7,
            "terms-contradict",
            "the terms name a day of the month (ITD13) and net days (ITD07) as well".to_owned(),
        );
    }
    let late = match (terms.discount_days, terms.net_days) {
        (Some(discount), Some(net)) => {
            counted
                && discount > net
                && terms
                    .discount_percent
                    .is_some_and(|percent| percent > Decimal::ZERO)
        }
        _ => false,
    };
    let after = matches!((terms.discount_due, terms.net_due), (Some(discount), Some(net)) if discount > net);
    if late || after {
        doubt(
            5,
            "terms-contradict",
            "the discount holds longer than the whole is due".to_owned(),
        );
    }
    if terms
        .discount_percent
        .is_some_and(|percent| percent < Decimal::ZERO || percent > Decimal::ONE_HUNDRED)
    {
        doubt(
            3,
            "terms-contradict",
            "the discount (ITD03) is no percentage of an invoice".to_owned(),
        );
    }
    let longest = terms.discount_days.max(terms.net_days).unwrap_or(0);
    let percent = terms.discount_percent.unwrap_or(Decimal::ZERO);
    if percent > DISCOUNT_BELIEVED || longest > DAYS_BELIEVED {
        doubt(
            3,
            "terms-absurd",
            format!(
                "the terms give {} percent discount and up to {longest} days, more than is believed",
                percent.normalize()
            ),
        );
    }
    let part = (9..=11).find(|n| {
        decimal(segment.element(*n))
            .is_some_and(|number| !number.is_zero() && (*n != 11 || number != Decimal::ONE_HUNDRED))
    });
    if let Some(n) = part {
        doubt(n, "terms-instalments", "the terms defer a part of the invoice (ITD09 to ITD11), and an invoice has one due date here".to_owned());
    }
    doubts
}

/// Fixed dates (ITD04, ITD06) before the order, or so far behind it that nobody means them.
pub fn far_off(segment: Segment<'_>, terms: &Terms, ordered: NaiveDate) -> Option<Finding> {
    let last = ordered.checked_add_days(Days::new(u64::from(DAYS_BELIEVED) * 2))?;
    [(4, terms.discount_due), (6, terms.net_due)]
        .into_iter()
        .filter_map(|(element, day)| Some((element, day?)))
        .find(|(_, day)| *day < ordered || *day > last)
        .map(|(element, day)| {
            fault(
                segment,
                element,
                "terms-absurd",
                Severity::Hold,
                format!(
                    "the terms name {day}, and the order is of {ordered}: ask the buyer for the right terms; released, they hold as they stand"
                ),
            )
        })
}

/// Percent of discount in an order's terms that is believed without a person.
const DISCOUNT_BELIEVED: Decimal = Decimal::from_parts(25, 0, 0, false, 0);
/// Days in an order's terms that are believed without a person.
const DAYS_BELIEVED: u32 = 366;

/// Terms in words, for a person who has to decide about them.
fn told(terms: &Terms) -> String {
    match (terms.net_due, terms.kind.as_str(), terms.day_of_month) {
        (Some(day), _, _) => format!("due on {day}"),
        (None, "02" | "09", Some(day)) => format!("due on day {day} of the next month"),
        (None, "02", None) => format!(
            "due {} days after the end of the month",
            terms.net_days.unwrap_or(0)
        ),
        (None, "09", None) => format!(
            "due on day {} of the next month",
            terms.net_days.unwrap_or(NET_DAYS_DEFAULT)
        ),
        _ => format!(
            "due {} days after",
            terms.net_days.unwrap_or(NET_DAYS_DEFAULT)
        ),
    }
}

/// A further ITD of the heading: none where it says nothing, or nothing new; else a finding, for only the first is
/// reckoned by.
pub fn further(segment: Segment<'_>, first: &Terms) -> Option<Finding> {
    let other = read(segment, &mut Vec::new())?;
    (other != *first).then(|| {
        fault(
            segment,
            1,
            "terms-instalments",
            Severity::Hold,
            format!("the order has several terms of payment (ITD), as for instalments, and an invoice has one due date here: agree on it with the buyer, or write the terms into the profile (`invoicing.terms`, `terms_from_order = false`) and verify the order again; released, the first hold, {}", told(first)),
        )
    })
}

/// ITD02: 15, receipt of the goods, is their delivery. Codes beyond these count from the invoice, with a finding.
fn base(code: &str) -> TermsFrom {
    match code {
        "1" => TermsFrom::Shipment,
        "2" | "15" => TermsFrom::Delivery,
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
