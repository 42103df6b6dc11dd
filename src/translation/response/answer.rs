//! What becomes of one line, in the partner's dialect of ACK01.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::dated;
use crate::config::profile::Profile;
use crate::config::profile::response::PartialLine;
use crate::domain::order::{LineRefusal, OrderLine};

/// The course that a part of a line takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// All of the line is confirmed, at the buyer's price.
    Accepted,
    /// Refused for a reason that no stock would mend.
    Refused,
    /// Anything else that differs from the order.
    Changed,
}

/// One ACK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineAnswer {
    /// What it means for BAK02.
    pub course: Course,
    /// ACK01.
    pub code: String,
    /// ACK02, in the line's unit.
    pub quantity: Decimal,
    /// ACK04 and ACK05.
    pub date: Option<(String, NaiveDate)>,
}

/// The answers of a line. `ships` are the parts of what is confirmed, each with the day on which it is going to leave;
/// they add up to it. A day that what waits was expected on, and that has passed, is not told: nobody knows another.
pub fn of_line(
    line: &OrderLine,
    profile: &Profile,
    ships: &[(Decimal, NaiveDate)],
    today: NaiveDate,
) -> Vec<LineAnswer> {
    let single_only = profile.response.partial == PartialLine::Single;
    // Where the partner takes one answer a line, it has the day on which all of it has left.
    let last = ships.iter().map(|(_, day)| *day).max();
    let parts: Vec<LineAnswer> = match last {
        Some(last) if single_only => vec![confirmed(line, profile, line.confirmed, last)],
        _ => ships
            .iter()
            .map(|(quantity, day)| confirmed(line, profile, *quantity, *day))
            .collect(),
    };
    let parts: Vec<LineAnswer> = parts
        .into_iter()
        .chain(backordered(line, profile, today))
        .chain(refused(line, profile))
        .collect();
    if single_only && parts.len() > 1 {
        return vec![single(line, profile, parts)];
    }
    parts
}

fn confirmed(
    line: &OrderLine,
    profile: &Profile,
    quantity: Decimal,
    ships: NaiveDate,
) -> LineAnswer {
    let changed = line
        .accepted
        .as_ref()
        .is_some_and(|accepted| accepted.price_changed);
    let codes = &profile.response.line_codes;
    LineAnswer {
        course: if changed {
            Course::Changed
        } else {
            Course::Accepted
        },
        code: if changed {
            codes.price_changed.clone()
        } else {
            codes.accepted.clone()
        },
        quantity,
        date: dated(&profile.response.confirmed_date, ships, profile),
    }
}

fn backordered(line: &OrderLine, profile: &Profile, today: NaiveDate) -> Option<LineAnswer> {
    (!line.backordered.is_zero()).then(|| LineAnswer {
        course: Course::Changed,
        code: profile.response.line_codes.backordered.clone(),
        quantity: line.backordered,
        date: line
            .backorder_date
            .filter(|day| *day >= today)
            .and_then(|day| dated(&profile.response.backorder_date, day, profile)),
    })
}

fn refused(line: &OrderLine, profile: &Profile) -> Option<LineAnswer> {
    let whole = line.ordered.is_zero() && line.refusal.is_some();
    if line.refused.is_zero() && !whole {
        return None;
    }
    let refusal = line.refusal.unwrap_or(LineRefusal::OutOfStock);
    Some(LineAnswer {
        course: if refusal == LineRefusal::OutOfStock {
            Course::Changed
        } else {
            Course::Refused
        },
        code: profile.response.line_codes.refusal(refusal).to_owned(),
        quantity: line.refused,
        date: None,
    })
}

/// One answer for a line in several parts: the confirmed quantity, or the backordered one where nothing is confirmed.
fn single(line: &OrderLine, profile: &Profile, parts: Vec<LineAnswer>) -> LineAnswer {
    let codes = &profile.response.line_codes;
    let code = if line.confirmed.is_zero() {
        codes.backordered.clone()
    } else if line.backordered.is_zero() {
        codes.quantity_changed.clone()
    } else {
        codes.partial_backorder.clone()
    };
    let first = parts.into_iter().next();
    LineAnswer {
        course: Course::Changed,
        code,
        quantity: first.as_ref().map_or(Decimal::ZERO, |part| part.quantity),
        date: first.and_then(|part| part.date),
    }
}
