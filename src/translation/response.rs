//! The purchase order acknowledgment (855): what becomes of each line, in quantities that add up to the order
//! (X12-RULES 57 to 61).

mod answer;

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use supercargo_x12::{OutSegment, OutboundSet, seg};

use super::crosscheck::response_against_order;
use super::element::{date_text, decimal_text};
use super::item;
use super::outbound::{Draft, Facts};
use super::party::{self, Extent};
use crate::config::profile::Profile;
use crate::config::profile::outbound::OutboundLevel;
use crate::config::profile::response::ResponseDetail;
use crate::config::settings::Company;
use crate::domain::finding::Finding;
use crate::domain::order::{Order, OrderLine, Price};
use crate::domain::shipment::Departures;
use answer::{Course, LineAnswer};

/// What an 855 needs beside order and profile.
#[derive(Debug, Clone, Copy)]
pub struct ResponseContext<'a> {
    /// Our company.
    pub company: &'a Company,
    /// The how-manieth 855 of the order this is, from 1.
    pub answer_number: u32,
    /// Date of the 855, in the partner's time zone.
    pub date: NaiveDate,
    /// The number of the earlier 855 that this one takes the place of; none for the first.
    pub previous: Option<u32>,
    /// What of the order has left already, on which days.
    pub left: &'a Departures,
}

/// Builds the 855 of an order that has been allocated or rejected.
///
/// BAK01 is 00, or 05 where it takes the place of an earlier one. BAK02 follows from the lines (rule 58): a code without
/// detail (AK, AT, RJ) goes without lines, and a profile that wants no detail gets the code that says so, unless
/// something changed, which has to be told line by line.
///
/// # Errors
/// Every finding that keeps it from being sent: a line that is not decided, a difference from the order, a value that is
/// missing, a text of which nothing can be sent.
pub fn build(
    order: &Order,
    profile: &Profile,
    context: &ResponseContext<'_>,
) -> Result<OutboundSet, Vec<Finding>> {
    let mut draft = Draft::new("855", profile);
    let answers: Vec<(&OrderLine, Vec<LineAnswer>)> = order
        .lines
        .iter()
        .map(|line| {
            let left = context.left.get(&line.line);
            let ships = confirmed_parts(order, line, profile, left, context.date);
            (line, answer::of_line(line, profile, &ships, context.date))
        })
        .collect();
    for line in order
        .lines
        .iter()
        .filter(|line| !line.undecided().is_zero())
    {
        draft.refuse(
            "line-undecided",
            format!("line {} has {} ordered, of which {} are neither confirmed nor backordered nor refused: the order has to be allocated first", line.line, line.ordered, line.undecided()),
        );
    }
    let all: Vec<Course> = answers
        .iter()
        .flat_map(|(_, answers)| answers.iter().map(|answer| answer.course))
        .collect();
    let (code, detail) = header_code(&all, profile);
    let facts = Facts {
        orders: [order].into(),
        ..Facts::new(profile, context.company, context.date)
    };
    header(&mut draft, &facts, order, code, context);
    let mut lines = 0;
    for (line, answers) in &answers {
        let as_ordered = answers
            .iter()
            .all(|answer| answer.course == Course::Accepted);
        let told = match detail {
            ResponseDetail::All => true,
            ResponseDetail::Exceptions => !as_ordered,
            ResponseDetail::None => false,
        };
        if told {
            lines += 1;
            draft.open(OutboundLevel::Line, || Facts {
                line: Some(line),
                ..facts.clone()
            });
            draft.extend(line_segments(line, answers));
        }
    }
    draft.open(OutboundLevel::Summary, || facts);
    if lines > 0 {
        draft.push(seg("CTT").el(lines.to_string()));
    }
    draft.check(|plain| response_against_order(plain, order, profile));
    draft.finish()
}

/// The confirmed quantity of a line by the day on which it left or is going to. What has deliveries of its own is served
/// in the order of the line, as it is packed.
fn confirmed_parts(
    order: &Order,
    line: &OrderLine,
    profile: &Profile,
    left: Option<&BTreeMap<NaiveDate, Decimal>>,
    today: NaiveDate,
) -> Vec<(Decimal, NaiveDate)> {
    let mut parts: Vec<(Decimal, NaiveDate)> = Vec::new();
    let mut open = line.confirmed;
    let mut add = |quantity: Decimal, day: NaiveDate| {
        if quantity.is_zero() {
            return;
        }
        match parts.iter_mut().find(|(_, known)| *known == day) {
            Some((sum, _)) => *sum = sum.saturating_add(quantity),
            None => parts.push((quantity, day)),
        }
    };
    let mut served = Decimal::ZERO;
    for (day, quantity) in left.into_iter().flatten() {
        let quantity = (*quantity).min(open);
        open -= quantity;
        served += quantity;
        add(quantity, *day);
    }
    for share in line.stores.iter().filter(|share| share.delivery > 0) {
        let has_left = share.quantity.min(served);
        served -= has_left;
        let quantity = (share.quantity - has_left).min(open).max(Decimal::ZERO);
        open -= quantity;
        let first = order
            .header
            .window(share.delivery, profile.packing.transit_days)
            .first;
        add(
            quantity,
            first.map_or_else(|| ship_date(order, today), |day| day.max(today)),
        );
    }
    add(open, ship_date(order, today));
    parts
}

/// The day on which what is confirmed is going to ship: when the ship window opens, or as asked, and not in the past.
fn ship_date(order: &Order, today: NaiveDate) -> NaiveDate {
    let dates = &order.header.dates;
    dates
        .ship_not_before
        .or(dates.ship_requested)
        .map_or(today, |day| day.max(today))
}

/// BAK02 and which lines stand below it (rule 58).
fn header_code<'p>(courses: &[Course], profile: &'p Profile) -> (&'p str, ResponseDetail) {
    let response = &profile.response;
    let code = if courses.iter().all(|course| *course == Course::Accepted) {
        &response.accepted_code
    } else if courses.iter().all(|course| *course == Course::Refused) {
        &response.rejected_code
    } else {
        &response.changed_code
    };
    match (code.as_str(), response.detail) {
        ("AK" | "AT" | "RJ", _) => (code, ResponseDetail::None),
        ("AE" | "RF", _) => (code, ResponseDetail::Exceptions),
        ("AD", ResponseDetail::None) => ("AK", ResponseDetail::None),
        ("RD", ResponseDetail::None) => ("RJ", ResponseDetail::None),
        (_, ResponseDetail::None) if code == &response.changed_code => {
            (code, ResponseDetail::Exceptions)
        }
        (_, detail) => (code, detail),
    }
}

fn header<'a>(
    draft: &mut Draft<'a>,
    facts: &Facts<'a>,
    order: &Order,
    code: &str,
    context: &ResponseContext<'_>,
) {
    let header = &order.header;
    draft.open(OutboundLevel::Header, || facts.clone());
    let purpose = if context.previous.is_some() {
        "05"
    } else {
        "00"
    };
    draft.push(
        seg("BAK")
            .el(purpose)
            .el(code)
            .el(&header.po_number)
            .el(date_text(header.po_date))
            .el(&header.release)
            .skip()
            .skip()
            .el(reference(order, context.answer_number))
            .el(date_text(context.date)),
    );
    if header.currency != facts.profile.currency {
        draft.push(seg("CUR").el("SE").el(header.currency.code()));
    }
    for (qualifier, value) in [("DP", &header.department), ("IA", &header.vendor_number)] {
        if !value.is_empty() {
            draft.push(seg("REF").el(qualifier).el(value));
        }
    }
    if let Some(ship_to) = header.ship_to() {
        draft.extend(party::write("ST", ship_to, Extent::Name));
    }
}

/// BAK08: our number of the order, and from the second answer on which one this is.
fn reference(order: &Order, answer_number: u32) -> String {
    match answer_number {
        0 | 1 => order.id.to_string(),
        later => format!("{}-{later}", order.id),
    }
}

/// PO1 with our price, and an ACK for each part.
fn line_segments(line: &OrderLine, answers: &[LineAnswer]) -> Vec<OutSegment> {
    let price = stated_price(line);
    let po1 = seg("PO1")
        .el(&line.buyer_line)
        .el(decimal_text(line.ordered))
        .el(&line.unit)
        .opt(price.map(|price| decimal_text(price.amount)))
        .opt(price.map(|price| &price.basis));
    let mut segments = vec![item::add_numbers(po1, &item::numbers(line))];
    segments.extend(answers.iter().map(|answer| {
        seg("ACK")
            .el(&answer.code)
            .el(decimal_text(answer.quantity))
            .el(&line.unit)
            .opt(answer.date.as_ref().map(|(qualifier, _)| qualifier))
            .opt(answer.date.as_ref().map(|(_, day)| date_text(*day)))
    }));
    segments
}

/// Our price of an accepted line (rule 61), the buyer's own of one that was not.
fn stated_price(line: &OrderLine) -> Option<&Price> {
    line.accepted
        .as_ref()
        .map(|accepted| &accepted.stated_price)
        .or(line.price.as_ref())
}

/// DTM qualifiers that speak of arrival: the days of transport are added to the day of shipping.
const ARRIVAL: [&str; 6] = ["002", "017", "067", "069", "074", "106"];

/// A date as the partner's qualifier wants it, none where the profile wants none.
fn dated(qualifier: &str, ships: NaiveDate, profile: &Profile) -> Option<(String, NaiveDate)> {
    if qualifier.is_empty() {
        return None;
    }
    let transit = Days::new(u64::from(profile.packing.transit_days));
    let day = if ARRIVAL.contains(&qualifier) {
        ships.checked_add_days(transit)?
    } else {
        ships
    };
    Some((qualifier.to_owned(), day))
}
