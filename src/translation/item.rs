//! How a line identifies its item to the buyer: the numbers of the 850, unchanged (X12-RULES 70, 78).

use supercargo_x12::OutSegment;

use crate::domain::order::{AcceptedLine, ItemNumber, OrderLine};

/// Qualifiers and numbers of the buyer's line; where it has none, ours.
pub fn numbers(line: &OrderLine) -> Vec<(&str, &str)> {
    match (&line.numbers, &line.accepted) {
        (none, Some(accepted)) if none.is_empty() => ours(accepted),
        (numbers, _) => pairs(numbers),
    }
}

/// The same of numbers that are at hand.
pub fn pairs(numbers: &[ItemNumber]) -> Vec<(&str, &str)> {
    numbers
        .iter()
        .map(|number| (number.qualifier.as_str(), number.value.as_str()))
        .collect()
}

fn ours(accepted: &AcceptedLine) -> Vec<(&str, &str)> {
    let upc = match accepted.upc.len() {
        12 => Some("UP"),
        13 => Some("EN"),
        14 => Some("UK"),
        _ => None,
    };
    upc.map(|qualifier| (qualifier, accepted.upc.as_str()))
        .into_iter()
        .chain(Some(("VN", accepted.item_code.as_str())))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

/// Adds the pairs of qualifier and number to a segment.
pub fn add_numbers(segment: OutSegment, numbers: &[(&str, &str)]) -> OutSegment {
    numbers.iter().fold(segment, |segment, (qualifier, value)| {
        segment.el(qualifier).el(value)
    })
}

/// Description of the line, the buyer's own where it gave one; empty where nobody has any.
pub fn description(line: &OrderLine) -> &str {
    match (&line.accepted, line.description.is_empty()) {
        (Some(accepted), true) => &accepted.description,
        _ => &line.description,
    }
}
