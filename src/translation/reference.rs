//! The number by which people know a received set, read from its bare segments: so that what is held or refused before it
//! became anything is found by it too.

use supercargo_x12::TransactionSet;

use super::place::trimmed;
use super::remittance;

/// Characters of a reference that are kept; no element that one is read from may be longer.
const REFERENCE_MAX: usize = 80;

/// Where each set says its own number: segment and element of the first such segment.
const PLACES: [(&str, &str, usize); 29] = [
    ("180", "BGN", 2),
    ("204", "B2", 4),
    ("210", "B3", 2),
    ("214", "B10", 1),
    ("753", "BGN", 2),
    ("754", "BGN", 2),
    ("810", "BIG", 2),
    ("812", "BCD", 2),
    ("824", "OTI", 3),
    ("830", "BFR", 2),
    ("846", "BIA", 3),
    ("850", "BEG", 3),
    ("852", "N9", 2),
    ("855", "BAK", 3),
    ("856", "BSN", 2),
    ("860", "BCH", 3),
    ("861", "BRA", 1),
    ("862", "BSS", 2),
    ("864", "BMG", 2),
    ("865", "BCA", 3),
    ("867", "BPT", 2),
    ("869", "BSI", 1),
    ("870", "BSR", 3),
    ("875", "G50", 3),
    ("880", "G01", 2),
    ("940", "W05", 2),
    ("945", "W06", 2),
    ("997", "AK1", 2),
    ("999", "AK1", 2),
];

/// What a received set is known by: the PO number of an 850, the invoice number of an 810, the trace of an 820, the group
/// that a 997 answers, and so on. Empty where the set has none or it can not be read. The set need not be sound.
pub fn of(set: &TransactionSet) -> String {
    let stated = match set.code() {
        "820" => remittance::trace_of(set),
        code => PLACES
            .iter()
            .find(|(of, ..)| *of == code)
            .and_then(|(_, segment, element)| Some(trimmed(set.find(segment)?, *element))),
    };
    stated.map_or_else(String::new, |text| {
        text.trim()
            .chars()
            .filter(|character| !character.is_control())
            .take(REFERENCE_MAX)
            .collect()
    })
}
