//! Parties (N1 loop) and contacts (PER), both ways.

use supercargo_x12::{OutSegment, Segment, seg};

use super::place::trimmed;
use crate::domain::catalogue::Location;
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

/// How much of a party is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// N1 alone.
    Name,
    /// N1 with street and city.
    Address,
}

/// N1, and N3 (twice at most, as the standard has it) and N4 where wanted and known, under a role. Nothing where the
/// party has neither name nor number.
pub fn write(role: &str, party: &Party, extent: Extent) -> Vec<OutSegment> {
    let numbered = !party.id.is_empty() && !party.id_qualifier.is_empty();
    if party.name.is_empty() && !numbered {
        return Vec::new();
    }
    let mut n1 = seg("N1").el(role).el(&party.name);
    if numbered {
        n1 = n1.el(&party.id_qualifier).el(&party.id);
    }
    let mut segments = vec![n1];
    if extent == Extent::Address {
        segments.extend(party.street.chunks(2).take(2).map(|lines| {
            lines
                .iter()
                .fold(seg("N3"), |segment, line| segment.el(line))
        }));
        if !(party.city.is_empty() && party.state.is_empty() && party.postal_code.is_empty()) {
            segments.push(
                seg("N4")
                    .el(&party.city)
                    .el(&party.state)
                    .el(&party.postal_code)
                    .el(&party.country),
            );
        }
    }
    segments
}

/// A store or other place of the partner's as a party.
pub fn of_location(qualifier: &str, location: &Location) -> Party {
    Party {
        role: String::new(),
        name: location.name.clone(),
        id_qualifier: qualifier.to_owned(),
        id: location.number.clone(),
        street: Some(location.street.clone())
            .filter(|street| !street.is_empty())
            .into_iter()
            .collect(),
        city: location.city.clone(),
        state: location.state.clone(),
        postal_code: location.postal_code.clone(),
        country: location.country.clone(),
    }
}
