//! How a line identifies its item to the buyer: the numbers of the 850, unchanged (X12-RULES 70, 78).

use std::borrow::Cow;

use supercargo_x12::OutSegment;

use crate::domain::order::{AcceptedLine, ItemNumber, OrderLine};

/// The numbers of the buyer's line; where it has none, ours.
pub fn numbers(line: &OrderLine) -> Cow<'_, [ItemNumber]> {
    if line.numbers.is_empty() {
        Cow::Owned(line.accepted.as_ref().map(ours).unwrap_or_default())
    } else {
        Cow::Borrowed(&line.numbers)
    }
}

fn ours(accepted: &AcceptedLine) -> Vec<ItemNumber> {
    let upc = match accepted.upc.len() {
        12 => Some("UP"),
        13 => Some("EN"),
        14 => Some("UK"),
        _ => None,
    };
    upc.map(|qualifier| (qualifier, &accepted.upc))
        .into_iter()
        .chain(Some(("VN", &accepted.item_code)))
        .filter(|(_, value)| !value.is_empty())
        .map(|(qualifier, value)| ItemNumber {
            qualifier: qualifier.to_owned(),
            value: value.clone(),
        })
        .collect()
}

/// Adds the pairs of qualifier and number to a segment.
pub fn add_numbers(segment: OutSegment, numbers: &[ItemNumber]) -> OutSegment {
    numbers.iter().fold(segment, |segment, number| {
        segment.el(&number.qualifier).el(&number.value)
    })
}

/// Description of the line, the buyer's own where it gave one; empty where nobody has any.
pub fn description(line: &OrderLine) -> &str {
    match (&line.accepted, line.description.is_empty()) {
        (Some(accepted), true) => &accepted.description,
        _ => &line.description,
    }
}
