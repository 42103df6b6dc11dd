//! What a rule of verification leads to, under the partner's policy and a person's word, and the finding that says so.

use super::super::finding::{Finding, Place, Severity};
use super::super::order::OrderLine;
use super::super::policy::Outcome;
use super::{Judge, PRICE_DECIMALS_MAX};
use rust_decimal::Decimal;

/// What a rule leads to, here and now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// On, with what the buyer wrote.
    Go,
    /// On, with ours.
    Change,
    /// Waits for a person; the rest of the line is judged all the same.
    Wait,
    /// The line is refused.
    Refuse,
}

/// How far a rule can go on with what the buyer wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Without a person.
    Anyone,
    /// With a person's word.
    Person,
    /// Not at all.
    Nobody,
}

/// A rule that found something, before it is known what that leads to.
pub(super) struct Fault<'a> {
    pub(super) code: &'static str,
    pub(super) outcome: Outcome,
    pub(super) reach: Reach,
    /// Going on with ours is possible.
    pub(super) change: bool,
    /// What is wrong, without the line's name and without a full stop.
    pub(super) what: String,
    /// What a person is to do when it holds.
    pub(super) advice: &'static str,
    pub(super) line: Option<&'a OrderLine>,
    pub(super) segment: &'static str,
    pub(super) element: Option<u32>,
    pub(super) value: Option<String>,
}

impl<'a> Fault<'a> {
    pub(super) fn new(
        code: &'static str,
        outcome: Outcome,
        what: String,
        advice: &'static str,
    ) -> Self {
        Self {
            code,
            outcome,
            reach: Reach::Anyone,
            change: false,
            what,
            advice,
            line: None,
            segment: "PO1",
            element: None,
            value: None,
        }
    }

    pub(super) fn reach(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    pub(super) fn with_change(mut self, possible: bool) -> Self {
        self.change = possible;
        self
    }

    pub(super) fn on(mut self, line: &'a OrderLine, element: u32) -> Self {
        self.line = Some(line);
        self.element = Some(element);
        self
    }

    pub(super) fn in_header(mut self, segment: &'static str, element: u32) -> Self {
        self.segment = segment;
        self.element = Some(element);
        self
    }

    pub(super) fn met(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into());
        self
    }
}

impl Judge<'_> {
    /// Records the finding and says what it leads to.
    pub(super) fn find(&mut self, fault: Fault<'_>) -> Effect {
        let (effect, severity, tail) = self.weigh(&fault);
        let subject = fault.line.map(subject).unwrap_or_default();
        let message = format!("{subject}{}; {tail}.", fault.what);
        let mut finding = Finding::business(fault.code, severity, message).at(place(&fault));
        if let Some(line) = fault.line {
            finding = finding.on_line(line.line);
        }
        if let Some(value) = fault.value {
            finding = finding.with_value(value);
        }
        if severity == Severity::Reject && self.rejected.is_none() {
            self.rejected = Some(finding.message.clone());
        }
        self.findings.push(finding);
        effect
    }

    fn weigh(&self, fault: &Fault<'_>) -> (Effect, Severity, String) {
        let go = (
            Effect::Go,
            Severity::Note,
            "it goes on as the buyer wrote it".to_owned(),
        );
        let refuse = (
            Effect::Refuse,
            Severity::Note,
            "the line is refused and the others go on".to_owned(),
        );
        match fault.outcome {
            Outcome::Accept if fault.reach == Reach::Anyone => go,
            Outcome::AcceptWithChange if fault.change => (
                Effect::Change,
                Severity::Note,
                "ours is used, and the 855 says so".to_owned(),
            ),
            Outcome::AcceptWithChange if fault.reach == Reach::Anyone => go,
            Outcome::RejectLine if fault.line.is_some() => refuse,
            Outcome::RejectLine | Outcome::RejectOrder => (
                Effect::Refuse,
                Severity::Reject,
                "the order is refused".to_owned(),
            ),
            _ if !self.released => (Effect::Wait, Severity::Hold, fault.advice.to_owned()),
            _ if fault.reach != Reach::Nobody => (
                Effect::Go,
                Severity::Note,
                "a person released it, and it goes on as the buyer wrote it".to_owned(),
            ),
            _ if fault.change => (
                Effect::Change,
                Severity::Note,
                "a person released it, and ours is used".to_owned(),
            ),
            _ if fault.line.is_some() => (
                Effect::Refuse,
                Severity::Note,
                "a person released the order, but this line can not go on and is refused"
                    .to_owned(),
            ),
            _ => (
                Effect::Refuse,
                Severity::Reject,
                "a person released the order, but it can not go on and is refused".to_owned(),
            ),
        }
    }
}

/// "Line 3 (buyer's line 003, UP 036000291452, VN A-100): ".
fn subject(line: &OrderLine) -> String {
    let buyer_line = (!line.buyer_line.is_empty())
        .then(|| format!("buyer's line {}", cut(&line.buyer_line, 20)));
    let numbers = line
        .numbers
        .iter()
        .take(3)
        .map(|number| format!("{} {}", number.qualifier, cut(&number.value, 40)));
    let names: Vec<String> = buyer_line.into_iter().chain(numbers).collect();
    if names.is_empty() {
        format!("Line {}: ", line.line)
    } else {
        format!("Line {} ({}): ", line.line, names.join(", "))
    }
}

fn place(fault: &Fault<'_>) -> Place {
    let set = fault.line.filter(|line| line.segment_index > 0);
    let of_line = fault.segment == "PO1";
    Place {
        byte: set.map(|line| line.byte),
        line: None,
        segment: Some(if set.is_some() { "PO1" } else { fault.segment }.to_owned()),
        segment_index: set.map(|line| line.segment_index),
        element: fault.element.filter(|_| of_line || set.is_none()),
        component: None,
    }
}

pub(super) fn cut(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}

pub(super) fn shown(number: Decimal) -> String {
    let mut number = number.round_dp(PRICE_DECIMALS_MAX).normalize();
    if number.scale() < 2 {
        number.rescale(2);
    }
    number.to_string()
}
