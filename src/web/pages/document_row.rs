//! A document as a row of a list, of a thread or of a partner's traffic.

use crate::storage::console::documents::DocumentItem;
use crate::web::show::{self, Calendar, Chip, Icon, Tone, When};
use crate::web::states;

/// A document in a row.
pub(crate) struct DocumentRow {
    pub(crate) id: i64,
    pub(crate) inbound: bool,
    pub(crate) set: String,
    pub(crate) name: &'static str,
    pub(crate) partner: String,
    pub(crate) test: bool,
    pub(crate) reference: String,
    pub(crate) isa13: String,
    pub(crate) gs06: String,
    pub(crate) st02: String,
    pub(crate) at: When,
    pub(crate) chips: Vec<Chip>,
    /// When an answer is due, or was.
    pub(crate) clock: Option<String>,
    pub(crate) way: Icon,
    tone: Tone,
}

impl DocumentRow {
    pub(crate) fn new(item: &DocumentItem, calendar: &Calendar) -> Self {
        let inbound = item.direction == "in";
        let chips = chips(item, calendar);
        Self {
            id: item.id,
            inbound,
            set: if item.set_code.is_empty() {
                "?".to_owned()
            } else {
                item.set_code.clone()
            },
            name: states::set_name(&item.set_code),
            partner: item
                .partner_name
                .clone()
                .unwrap_or_else(|| "Unknown sender".to_owned()),
            test: item.mode == "test",
            reference: item.reference.clone(),
            isa13: item.isa13.clone(),
            gs06: item.gs06.clone(),
            st02: item.st02.clone(),
            at: calendar.when(item.sent_at.unwrap_or(item.created_at)),
            clock: clock(item, calendar),
            way: show::icon(if inbound { "in" } else { "out" }),
            tone: worst(&chips),
            chips,
        }
    }

    /// Classes of the row, where a person should look at it.
    pub(crate) fn flag(&self) -> &'static str {
        match self.tone {
            Tone::Bad => " flag",
            Tone::Warn => " flag warn",
            _ => "",
        }
    }
}

/// Whether the partner's answer is overdue.
pub(crate) fn is_overdue(item: &DocumentItem, calendar: &Calendar) -> bool {
    item.direction == "out"
        && item.syntax == "pending"
        && item.delivery != "superseded"
        && item
            .answer_due_at
            .is_some_and(|due| due < calendar.now.timestamp_micros())
}

/// The states of a document that say something.
pub(crate) fn chips(item: &DocumentItem, calendar: &Calendar) -> Vec<Chip> {
    if item.direction == "in" {
        let mut chips = vec![states::disposition(&item.disposition)];
        chips.extend(
            states::application(&item.application).filter(|_| item.disposition == "processed"),
        );
        return chips;
    }
    let mut chips = vec![states::delivery(&item.delivery)];
    let sent = matches!(
        item.delivery.as_str(),
        "delivered" | "picked_up" | "uncertain"
    );
    if sent || item.syntax != "pending" {
        chips.extend(states::syntax(&item.syntax, is_overdue(item, calendar)));
    }
    chips.extend(states::application(&item.application));
    chips
}

/// The gravest tone among chips.
fn worst(chips: &[Chip]) -> Tone {
    let rank = |tone: Tone| match tone {
        Tone::Bad => 4,
        Tone::Warn => 3,
        Tone::Busy => 2,
        Tone::Quiet => 1,
        Tone::Good => 0,
    };
    chips
        .iter()
        .map(|chip| chip.0.tone)
        .max_by_key(|tone| rank(*tone))
        .unwrap_or(Tone::Quiet)
}

fn clock(item: &DocumentItem, calendar: &Calendar) -> Option<String> {
    if item.direction == "in" || item.syntax != "pending" || item.delivery == "superseded" {
        return None;
    }
    let due = item.answer_due_at?;
    let said = calendar.ago(due);
    Some(if is_overdue(item, calendar) {
        format!("acknowledgment was due <span class=\"bad-text\">{said}</span>")
    } else {
        format!("acknowledgment due {said}")
    })
}
