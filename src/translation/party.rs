//! Parties (N1 loop) and contacts (PER), read from what partners send.

use supercargo_x12::Segment;

use super::place::trimmed;
use crate::domain::order::{Contact, Party};

/// N1: role, name, number.
pub fn named(segment: Segment<'_>) -> Party {
    Party {
        role: trimmed(segment, 1).to_owned(),
        name: trimmed(segment, 2).to_owned(),
        id_qualifier: trimmed(segment, 3).to_owned(),
        id: trimmed(segment, 4).to_owned(),
        ..Party::default()
    }
}

/// N2, N3 or N4 of the party; false where the segment is none of them.
pub fn add_address(party: &mut Party, segment: Segment<'_>) -> bool {
    match segment.id() {
        "N2" | "N3" => party.street.extend(
            [1, 2]
                .map(|n| trimmed(segment, n))
                .into_iter()
                .filter(|line| !line.is_empty())
                .map(str::to_owned),
        ),
        "N4" => {
            party.city = trimmed(segment, 1).to_owned();
            party.state = trimmed(segment, 2).to_owned();
            party.postal_code = trimmed(segment, 3).to_owned();
            party.country = trimmed(segment, 4).to_owned();
        }
        _ => return false,
    }
    true
}

/// PER: role, name and up to three numbers.
pub fn contact(segment: Segment<'_>) -> Contact {
    Contact {
        role: trimmed(segment, 1).to_owned(),
        name: trimmed(segment, 2).to_owned(),
        numbers: [3, 5, 7]
            .into_iter()
            .map(|n| {
                (
                    trimmed(segment, n).to_owned(),
                    trimmed(segment, n + 1).to_owned(),
                )
            })
            .filter(|(_, number)| !number.is_empty())
            .collect(),
    }
}
