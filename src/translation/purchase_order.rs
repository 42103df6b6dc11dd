//! The purchase order (850, releases 004010 and 005010) as an order: X12-RULES 47 to 56.
//!
//! Nothing is dropped: a segment that no rule uses goes to the header's `unused` with its position and text. What can
//! not be read becomes a finding at its place and the order is held; only what makes no order at all is refused.

mod line;
mod routing;
mod stores;

use chrono::NaiveDate;
use supercargo_x12::{Segment, TransactionSet};

use super::element::{date, decimal};
use super::place::{self, fault, trimmed};
use super::{charge, party, terms};
use crate::config::profile::Profile;
use crate::domain::finding::{Finding, Severity};
use crate::domain::money::Currency;
use crate::domain::order::{OrderDates, OrderHeader, OrderLine, Party, Reference};
use routing::Routing;

/// An 850 as the domain sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurchaseOrder {
    /// The header.
    pub header: OrderHeader,
    /// Lines numbered from 1, at least one.
    pub lines: Vec<OrderLine>,
    /// What was odd or could not be read; [`Severity::Hold`] wants a person before the order goes on.
    pub findings: Vec<Finding>,
}

/// Reads an 850 whose syntax was accepted.
///
/// # Errors
/// Every finding, where the document makes no order: a purpose other than 00 (BEG01), no PO number, no PO date, no line.
pub fn read(set: &TransactionSet, profile: &Profile) -> Result<PurchaseOrder, Vec<Finding>> {
    let mut findings = Vec::new();
    let Some(header) = beginning(set, profile, &mut findings) else {
        return Err(findings);
    };
    let mut reading = Reading {
        header,
        lines: Vec::new(),
        findings,
        within: Loop::Heading,
        party: None,
        routing: Routing::default(),
    };
    for segment in set.segments() {
        reading.take(segment);
    }
    reading.close_party();
    reading.close_line();
    routing::check_header(&reading.header, &reading.lines, &mut reading.findings);
    let Reading {
        mut header,
        lines,
        mut findings,
        ..
    } = reading;
    if lines.is_empty() {
        findings.push(Finding::business(
            "order-without-lines",
            Severity::Hold,
            "the order has no line (PO1): ask the buyer what is wanted; there is nothing to confirm or ship",
        ));
        return Err(findings);
    }
    if matches!(header.kind.as_str(), "BK" | "BE") {
        findings.extend(set.find("BEG").map(|beg| {
            fault(
                beg,
                2,
                "order-blanket",
                Severity::Hold,
                "the order is a blanket order (BEG02), of which nothing ships before it is called off: note it and reject it here, or release it if the goods are wanted now",
            )
        }));
    }
    if header.vendor_number.is_empty() {
        header.vendor_number.clone_from(&profile.vendor_number);
    }
    Ok(PurchaseOrder {
        header,
        lines,
        findings,
    })
}

/// BEG and CUR; none where they make no order.
fn beginning(
    set: &TransactionSet,
    profile: &Profile,
    findings: &mut Vec<Finding>,
) -> Option<OrderHeader> {
    let Some(beg) = set.find("BEG") else {
        findings.push(Finding::business(
            "order-beginning-missing",
            Severity::Hold,
            "the document has no BEG segment, so it names no purchase order: ask the buyer to send it again",
        ));
        return None;
    };
    let purpose = trimmed(beg, 1);
    if purpose != "00" {
        findings.push(fault(
            beg,
            1,
            "order-purpose",
            Severity::Hold,
            purpose_advice(purpose, trimmed(beg, 3)),
        ));
    }
    let po_number = trimmed(beg, 3);
    if po_number.is_empty() {
        findings.push(fault(
            beg,
            3,
            "po-number-missing",
            Severity::Hold,
            "the order has no PO number (BEG03): ask the buyer for it, and correct the document",
        ));
    }
    let po_date = date(beg.element(5));
    if po_date.is_none() {
        findings.push(fault(
            beg,
            5,
            "po-date-unreadable",
            Severity::Hold,
            "the date of the order (BEG05) is missing or no day of the calendar: ask the buyer for it, and correct the document",
        ));
    }
    if !findings.is_empty() {
        return None;
    }
    Some(OrderHeader {
        purpose: purpose.to_owned(),
        kind: trimmed(beg, 2).to_owned(),
        po_number: po_number.to_owned(),
        release: trimmed(beg, 4).to_owned(),
        po_date: po_date?,
        department: String::new(),
        vendor_number: String::new(),
        currency: currency(set, profile, findings),
        dates: OrderDates::default(),
        terms: None,
        parties: Vec::new(),
        contacts: Vec::new(),
        references: Vec::new(),
        charges: Vec::new(),
        notes: Vec::new(),
        deliveries: Vec::new(),
        freight: String::new(),
        carrier: String::new(),
        routing: String::new(),
        unused: Vec::new(),
    })
}

/// What a person does with an 850 that is no new order.
fn purpose_advice(purpose: &str, po_number: &str) -> String {
    match purpose {
        "01" => format!(
            "the buyer cancels PO {po_number} (BEG01 is 01): cancel that order (`supercargo order cancel`, or `order reject` while it is held), tell the buyer what has shipped already, then dismiss this document"
        ),
        "04" => format!(
            "the buyer changes PO {po_number} (BEG01 is 04): compare this document with the order, change what can still be changed by hand, then dismiss it"
        ),
        "05" => format!(
            "the buyer replaces PO {po_number} (BEG01 is 05): if nothing of it has shipped, reject the old order and have this one sent as original (00); otherwise settle it with the buyer"
        ),
        "06" => format!(
            "the buyer confirms PO {po_number} (BEG01 is 06), which was placed in another way: if no order stands here yet, correct BEG01 to 00 and replay it; otherwise dismiss it"
        ),
        "07" => format!(
            "the buyer sends PO {po_number} as a duplicate (BEG01 is 07), for information: dismiss it, unless the order is missing here; then correct BEG01 to 00 and replay it"
        ),
        other => format!(
            "BEG01 is {other:?}, and only an original (00) makes an order: ask the buyer what is meant by PO {po_number}"
        ),
    }
}

/// CUR02 of the buyer, or the partner's currency.
fn currency(set: &TransactionSet, profile: &Profile, findings: &mut Vec<Finding>) -> Currency {
    let Some(cur) = set
        .segments()
        .take_while(|segment| !matches!(segment.id(), "SAC" | "N1" | "PO1"))
        .find(|segment| segment.id() == "CUR")
    else {
        return profile.currency;
    };
    let named: Option<Currency> = trimmed(cur, 2).parse().ok();
    named.filter(Currency::is_of_trade).unwrap_or_else(|| {
        findings.push(fault(
            cur,
            2,
            "currency-unknown",
            Severity::Hold,
            format!("the currency (CUR02) is none: the order was read in {}; make sure that is right before it is released", profile.currency),
        ));
        profile.currency
    })
}

/// The loop that a segment stands in, as far as it changes the segment's meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loop {
    Heading,
    HeadingCharge,
    HeadingNote,
    HeadingParty,
    Line,
    LineNote,
    LineParty,
    LineSchedule,
    /// Loops below a line that no rule uses: quantities, lead times, packing.
    LineOther,
    /// Sublines, which no rule uses: they have parties, notes and quantities of their own.
    LineSub,
    Summary,
}

impl Loop {
    fn in_line(self) -> bool {
        matches!(
            self,
            Self::Line
                | Self::LineNote
                | Self::LineParty
                | Self::LineSchedule
                | Self::LineOther
                | Self::LineSub
        )
    }
}

/// What has been read so far.
struct Reading {
    header: OrderHeader,
    lines: Vec<OrderLine>,
    findings: Vec<Finding>,
    within: Loop,
    /// The party of the heading whose loop is open.
    party: Option<Party>,
    /// Where and when the last line goes.
    routing: Routing,
}

impl Reading {
    fn take(&mut self, segment: Segment<'_>) {
        self.enter(segment.id());
        let used = match segment.id() {
            // The engine has counted the lines.
            "ST" | "SE" | "BEG" | "CTT" => true,
            "AMT" if self.within == Loop::Summary => self.check_total(segment),
            "MSG" | "MTX" | "NTE" => self.take_note(segment),
            _ if matches!(self.within, Loop::LineOther | Loop::LineSub) => false,
            _ if self.within.in_line() => self.take_in_line(segment),
            _ => self.take_in_heading(segment),
        };
        if !used {
            self.header.unused.push(place::unused(segment));
        }
    }

    /// The line is read whole: where and when its parts go is settled.
    fn close_line(&mut self) {
        let routing = std::mem::take(&mut self.routing);
        let Some(line) = self.lines.last_mut() else {
            return;
        };
        let mut found = Vec::new();
        routing::settle(&mut self.header, line, routing, &mut found);
        let number = line.line;
        self.findings
            .extend(found.into_iter().map(|finding| finding.on_line(number)));
    }

    /// Which loop the segment opens.
    fn enter(&mut self, id: &str) {
        let line = self.within.in_line();
        self.within = match id {
            "PO1" => Loop::Line,
            "CTT" => Loop::Summary,
            "AMT" | "LM" if self.within == Loop::LineSub => Loop::LineOther,
            _ if self.within == Loop::LineSub => return,
            "SLN" if line => Loop::LineSub,
            "N9" if line => Loop::LineNote,
            "N9" => Loop::HeadingNote,
            "N1" if line => Loop::LineParty,
            "N1" => Loop::HeadingParty,
            "SAC" if self.within == Loop::Heading => Loop::HeadingCharge,
            "SCH" | "QTY" | "PKG" if self.within == Loop::LineParty => return,
            "SCH" if line => Loop::LineSchedule,
            "LDT" | "LS" | "QTY" | "PKG" if line => Loop::LineOther,
            _ if self.within == Loop::HeadingCharge && id != "CUR" => Loop::Heading,
            _ => return,
        };
        self.close_party();
    }

    fn close_party(&mut self) {
        self.header.parties.extend(self.party.take());
    }

    fn take_in_heading(&mut self, segment: Segment<'_>) -> bool {
        let header = &mut self.header;
        match (self.within, segment.id()) {
            (_, "N1") => self.party = Some(party::named(segment)),
            (Loop::HeadingParty, "N2" | "N3" | "N4") => {
                return self
                    .party
                    .as_mut()
                    .is_some_and(|open| party::add_address(open, segment));
            }
            (Loop::Heading | Loop::HeadingParty, "PER") => {
                header.contacts.push(party::contact(segment));
            }
            (_, "N9") => header.references.push(reference(segment)),
            (Loop::Heading, "CUR") => return trimmed(segment, 2) == header.currency.code(),
            (Loop::Heading, "REF") => self.take_reference(segment),
            (Loop::Heading, "DTM") => return self.take_date(segment),
            (Loop::Heading | Loop::HeadingCharge, "SAC") => {
                let charge = charge::read(segment, header.currency, &mut self.findings);
                header.charges.push(charge);
            }
            (Loop::Heading, "ITD") if header.terms.is_none() => {
                header.terms = terms::read(segment, &mut self.findings);
                if let Some(terms) = &header.terms {
                    let doubt = terms::far_off(segment, terms, header.po_date);
                    self.findings.extend(doubt);
                }
                return header.terms.is_some();
            }
            (Loop::Heading, "ITD") => {
                let further = header
                    .terms
                    .as_ref()
                    .and_then(|first| terms::further(segment, first));
                self.findings.extend(further);
                return false;
            }
            (Loop::Heading, "FOB") if header.freight.is_empty() => {
                trimmed(segment, 1).clone_into(&mut header.freight);
            }
            (Loop::Heading, "TD5") if header.carrier.is_empty() && header.routing.is_empty() => {
                trimmed(segment, 3).clone_into(&mut header.carrier);
                trimmed(segment, 5).clone_into(&mut header.routing);
                return !header.carrier.is_empty() || !header.routing.is_empty();
            }
            _ => return false,
        }
        true
    }

    fn take_reference(&mut self, segment: Segment<'_>) {
        let read = reference(segment);
        let kept = match read.qualifier.as_str() {
            "DP" => Some(&mut self.header.department),
            "IA" => Some(&mut self.header.vendor_number),
            _ => None,
        };
        if let Some(kept) = kept
            && kept.is_empty()
        {
            kept.clone_from(&read.value);
        }
        self.header.references.push(read);
    }

    /// A date of the header; false where it is none that can be used, or one with its qualifier came before.
    fn take_date(&mut self, segment: Segment<'_>) -> bool {
        let Some((qualifier, day)) = dated(segment, &mut self.findings) else {
            return false;
        };
        let dates = &mut self.header.dates;
        let known = match qualifier {
            "037" => &mut dates.ship_not_before,
            "010" => &mut dates.ship_requested,
            "038" => &mut dates.ship_no_later,
            "002" => &mut dates.delivery_requested,
            "001" => &mut dates.cancel_after,
            other if dates.other.contains_key(other) => return false,
            other => {
                dates.other.insert(other.to_owned(), day);
                return true;
            }
        };
        if known.is_some() {
            return false;
        }
        *known = Some(day);
        true
    }

    /// Free text, of the header or of a line; false where there is none.
    fn take_note(&mut self, segment: Segment<'_>) -> bool {
        let text = match segment.id() {
            "MSG" => trimmed(segment, 1),
            _ => trimmed(segment, 2),
        };
        if text.is_empty() {
            return false;
        }
        let note = match self.lines.last() {
            Some(line) if self.within.in_line() => format!("line {}: {text}", line.line),
            _ => text.to_owned(),
        };
        self.header.notes.push(note);
        true
    }

    /// AMT TT against the lines, where each price is per the line's own unit, so that no conversion is needed.
    fn check_total(&mut self, segment: Segment<'_>) -> bool {
        if segment.element(1) != "TT" {
            return false;
        }
        let sum = self
            .lines
            .iter()
            .try_fold(rust_decimal::Decimal::ZERO, |sum, line| {
                let price = line.price.as_ref()?;
                let plain = matches!(price.basis.as_str(), "" | "NC")
                    || price.basis == line.unit
                    || (line.unit == "EA" && price.basis == "PE");
                let value = plain
                    .then(|| line.ordered.checked_mul(price.amount))
                    .flatten()?;
                sum.checked_add(value)
            });
        if let (Some(sum), Some(stated)) = (sum, decimal(segment.element(2)))
            && sum.round_dp(2) != stated.round_dp(2)
        {
            self.findings.push(fault(
                segment,
                2,
                "order-total-differs",
                Severity::Note,
                format!("the order says it comes to {stated} (AMT TT), and its lines come to {sum}: allowances may explain it"),
            ));
        }
        true
    }
}

/// REF or N9.
fn reference(segment: Segment<'_>) -> Reference {
    Reference {
        qualifier: trimmed(segment, 1).to_owned(),
        value: trimmed(segment, 2).to_owned(),
        description: trimmed(segment, 3).to_owned(),
    }
}

/// DTM with its qualifier; none where it gives no single day, with a finding where it tries to.
fn dated<'a>(segment: Segment<'a>, findings: &mut Vec<Finding>) -> Option<(&'a str, NaiveDate)> {
    let (element, text) = match (segment.element(2), segment.element(5)) {
        ("", "D8") => (6, segment.element(6)),
        (text, _) => (2, text),
    };
    if text.is_empty() {
        return None;
    }
    let day = date(text);
    if day.is_none() {
        findings.push(fault(
            segment,
            element,
            "date-unreadable",
            Severity::Hold,
            format!("the date with qualifier {} is no day of the calendar: ask the buyer for the right one, and correct the document", segment.element(1)),
        ));
    }
    day.map(|day| (segment.element(1), day))
}
