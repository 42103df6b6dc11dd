//! What helps an order that is held: what a person's release would lead to, and whether our own lists can be mended so that
//! verifying it again does.

use chrono::NaiveDate;

use super::super::finding::{Finding, Severity};
use super::super::order::{Order, OrderState};
use super::super::policy::VerificationPolicy;
use super::{Known, Verdict, is_refused, verify};

/// What a release of a held order would lead to, by today's lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Release {
    /// It goes on whole.
    Whole,
    /// It goes on, and these of its lines are refused to the buyer.
    Without(Vec<u32>),
    /// It would be refused as a whole, so it is not done.
    Impossible,
}

/// What a person can do about a held order, besides rejecting it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedies {
    /// What a release would lead to.
    pub release: Release,
    /// All that holds it stands in our lists (items, units, prices, places): mended there, it is gone when the order is
    /// verified again.
    pub lists: bool,
}

/// Lines that are named in a sentence.
const LINES_NAMED_MAX: usize = 10;

/// Reasons whose cause our lists can have: an item, number, unit, pack, price or place that is missing or wrong there.
const IN_LISTS: [&str; 15] = [
    "amount-zero",
    "currency-differs",
    "item-ambiguous",
    "item-discontinued",
    "item-unknown",
    "pack-differs",
    "pack-multiple",
    "price-basis-unknown",
    "price-differs",
    "price-missing",
    "price-negative",
    "price-zero",
    "ship-to-unknown",
    "store-unknown",
    "unit-unknown",
];

/// What helps `held`, which waits for a person, under what is `known` on `today`.
pub fn remedies(
    held: &Order,
    known: &Known,
    policy: &VerificationPolicy,
    today: NaiveDate,
) -> Remedies {
    let released = verify(held.clone(), known, policy, today, true);
    let newly_refused: Vec<u32> = released
        .order
        .lines
        .iter()
        .filter(|line| is_refused(line))
        .filter(|line| {
            held.lines
                .iter()
                .any(|before| before.line == line.line && !is_refused(before))
        })
        .map(|line| line.line)
        .collect();
    let release = match released.verdict {
        Verdict::Reject { .. } => Release::Impossible,
        _ if newly_refused.is_empty() => Release::Whole,
        _ => Release::Without(newly_refused),
    };
    let mut holding = reasons(held)
        .iter()
        .filter(|reason| reason.severity >= Severity::Hold)
        .peekable();
    Remedies {
        release,
        lists: holding.peek().is_some()
            && holding.all(|reason| IN_LISTS.contains(&reason.code.as_str())),
    }
}

fn reasons(order: &Order) -> &[Finding] {
    match &order.state {
        OrderState::Held { reasons, .. } => reasons,
        _ => &[],
    }
}

impl Remedies {
    /// The lines that a release refuses, for a sentence: "line 2", "lines 2, 3"; none where it refuses none.
    pub fn refused_lines(&self) -> Option<String> {
        let Release::Without(lines) = &self.release else {
            return None;
        };
        let named: Vec<String> = lines
            .iter()
            .take(LINES_NAMED_MAX)
            .map(ToString::to_string)
            .collect();
        let more = match lines.len().saturating_sub(LINES_NAMED_MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let word = if lines.len() == 1 { "line" } else { "lines" };
        Some(format!("{word} {}{more}", named.join(", ")))
    }
}
