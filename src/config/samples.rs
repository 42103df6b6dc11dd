//! The sample partners with their lists and orders, as they lie in `config/partners/` and `samples/`; part of the
//! program, so that the demo runs from any folder.
//!
//! The samples were written on [`WRITTEN_ON`]. [`redated`] and [`redated_list`] move every date in them, so that they
//! can be played on any day.

use chrono::{Duration, NaiveDate};

/// The day on which the samples' orders are dated.
pub const WRITTEN_ON: NaiveDate = match NaiveDate::from_ymd_opt(2026, 1, 5) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// A file with its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleFile {
    /// Name without its folder.
    pub name: &'static str,
    /// What is in it.
    pub text: &'static str,
}

/// A sample partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SamplePartner {
    /// Short name.
    pub partner: &'static str,
    /// The profile.
    pub profile: &'static str,
    /// Price list, as CSV.
    pub prices: &'static str,
    /// Locations, as CSV.
    pub locations: &'static str,
    /// 850s in the order in which they are sent.
    pub orders: &'static [SampleFile],
}

macro_rules! sample {
    ($($path:literal),+) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $($path),+))
    };
}

macro_rules! partner {
    ($partner:literal, [$($order:literal),* $(,)?]) => {
        SamplePartner {
            partner: $partner,
            profile: sample!("config/partners/", $partner, ".toml"),
            prices: sample!("samples/", $partner, "/prices.csv"),
            locations: sample!("samples/", $partner, "/locations.csv"),
            orders: &[$(SampleFile {
                name: $order,
                text: sample!("samples/", $partner, "/", $order),
            }),*],
        }
    };
}

/// Our items, as CSV.
pub const ITEMS: &str = sample!("samples/items.csv");
/// Our warehouses, as CSV.
pub const WAREHOUSES: &str = sample!("samples/warehouses.csv");
/// Stock on hand, as CSV.
pub const STOCK: &str = sample!("samples/stock.csv");
/// Stock that is expected, as CSV; its dates move with [`redated_list`].
pub const EXPECTED: &str = sample!("samples/expected.csv");

/// The sample partners.
pub const PARTNERS: &[SamplePartner] = &[
    partner!(
        "bigmart",
        [
            "850-01-three-orders.edi",
            "850-02-filled-in-part.edi",
            "850-03-syntax-fault.edi",
            "850-04-same-order-again.edi",
            "850-05-fault-corrected.edi",
        ]
    ),
    partner!(
        "freshway",
        ["850-01-two-orders.edi", "850-02-with-note.edi"]
    ),
    partner!(
        "dropmart",
        [
            "850-01-one-item.edi",
            "850-02-two-items.edi",
            "850-03-no-longer-sold.edi",
        ]
    ),
];

/// Elements of an 850 and its envelope that hold a date.
const DATES: &[(&str, usize)] = &[
    ("ISA", 9),
    ("GS", 4),
    ("BEG", 5),
    ("DTM", 2),
    ("ITD", 4),
    ("ITD", 6),
];

/// An 850 with every date moved as far as `day` lies from [`WRITTEN_ON`]. A value that is no date, as in the sample
/// with a syntax fault, stays as it is. Text that begins with no ISA comes back unchanged.
pub fn redated(text: &str, day: NaiveDate) -> String {
    let (Some(element), Some(terminator)) = (text.get(3..4), text.get(105..106)) else {
        return text.to_owned();
    };
    if !text.starts_with("ISA") {
        return text.to_owned();
    }
    let segments: Vec<String> = text
        .split(terminator)
        .map(|segment| {
            let id = segment
                .trim_start()
                .split(element)
                .next()
                .unwrap_or_default();
            let elements: Vec<String> = segment
                .split(element)
                .enumerate()
                .map(|(position, value)| {
                    if DATES.contains(&(id, position)) {
                        moved(value, day)
                    } else {
                        value.to_owned()
                    }
                })
                .collect();
            elements.join(element)
        })
        .collect();
    segments.join(terminator)
}

/// A CSV list with every date (`2026-01-25`) moved as far as `day` lies from [`WRITTEN_ON`].
pub fn redated_list(text: &str, day: NaiveDate) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| {
            let cells: Vec<String> = line.split(',').map(|cell| moved(cell, day)).collect();
            cells.join(",")
        })
        .collect();
    lines.join("\n")
}

fn moved(value: &str, day: NaiveDate) -> String {
    let distance: Duration = day - WRITTEN_ON;
    let format = match value.len() {
        6 => "%y%m%d",
        8 => "%Y%m%d",
        10 => "%Y-%m-%d",
        _ => return value.to_owned(),
    };
    NaiveDate::parse_from_str(value, format)
        .ok()
        .and_then(|date| date.checked_add_signed(distance))
        .map_or_else(|| value.to_owned(), |date| date.format(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::lists;
    use crate::config::profile::Profile;
    use supercargo_x12::{Event, Reader, Release, SchemaRegistry, validate_set};

    #[test]
    fn every_sample_profile_and_list_is_taken() {
        for sample in PARTNERS {
            let profile = Profile::parse(sample.profile)
                .unwrap_or_else(|refusal| panic!("{}: {refusal}", sample.partner));
            assert_eq!(profile.partner, sample.partner);
            let prices = lists::prices(sample.prices.as_bytes());
            let locations = lists::locations(sample.locations.as_bytes());
            assert_eq!((prices.faults, locations.faults), (vec![], vec![]));
        }
        assert_eq!(lists::items(ITEMS.as_bytes()).faults, []);
        assert_eq!(lists::warehouses(WAREHOUSES.as_bytes()).faults, []);
        assert_eq!(lists::stock(STOCK.as_bytes()).faults, []);
        assert_eq!(lists::stock(EXPECTED.as_bytes()).faults, []);
    }

    #[test]
    fn what_the_lists_name_is_there() {
        let items = lists::items(ITEMS.as_bytes()).rows;
        let warehouses = lists::warehouses(WAREHOUSES.as_bytes()).rows;
        let known = |code: &str| items.iter().any(|listed| listed.row.code == code);
        for list in [STOCK, EXPECTED] {
            for listed in lists::stock(list.as_bytes()).rows {
                assert!(known(&listed.row.item), "{}", listed.row.item);
                assert!(
                    warehouses
                        .iter()
                        .any(|house| house.row.code == listed.row.warehouse)
                );
            }
        }
        for sample in PARTNERS {
            for listed in lists::prices(sample.prices.as_bytes()).rows {
                assert!(known(&listed.row.item), "{}", listed.row.item);
                assert_eq!(listed.row.partner, sample.partner);
            }
        }
    }

    #[test]
    fn orders_come_from_the_profiles_address_and_count_their_segments() {
        for sample in PARTNERS {
            let profile = Profile::parse(sample.profile).unwrap();
            for order in sample.orders {
                let element = &order.text[3..4];
                let segments: Vec<Vec<&str>> = order
                    .text
                    .split(&order.text[105..106])
                    .map(|segment| segment.trim_start().split(element).collect())
                    .collect();
                let isa = &segments[0];
                assert_eq!(isa[6].trim_end(), profile.address[0].id, "{}", order.name);
                assert_eq!(isa[8].trim_end(), profile.us.id, "{}", order.name);
                let mut start = 0;
                for (index, segment) in segments.iter().enumerate() {
                    match segment[0] {
                        "ST" => start = index,
                        "SE" => assert_eq!(segment[1], (index - start + 1).to_string()),
                        _ => {}
                    }
                }
            }
        }
    }

    /// Findings of every set of a file that reject or hold, by the profile's own guide.
    fn judged(profile: &Profile, text: &str) -> Vec<Vec<String>> {
        let mut reader = Reader::new(text.as_bytes());
        let mut sets = Vec::new();
        let mut release = Release::R004010;
        while let Some(event) = reader.next().unwrap() {
            match event {
                Event::GroupOpened(group) => {
                    release = Release::of_version(&group.version).unwrap();
                }
                Event::Set(set) => {
                    let guide = profile.guide_of(set.code());
                    let findings = validate_set(SchemaRegistry::standard(), release, set, guide);
                    let grave = |found: &&supercargo_x12::Finding| found.rejects() || found.holds();
                    let told = findings.iter().filter(grave).map(ToString::to_string);
                    sets.push(told.collect());
                }
                Event::InterchangeClosed(closed) => assert_eq!(closed.findings, []),
                Event::GroupClosed(closed) => assert_eq!(closed.findings, []),
                _ => {}
            }
        }
        sets
    }

    #[test]
    fn the_engine_finds_the_planted_fault_and_no_other() {
        for sample in PARTNERS {
            let profile = Profile::parse(sample.profile).unwrap();
            for order in sample.orders {
                let sets = judged(&profile, order.text);
                assert!(!sets.is_empty());
                for (index, findings) in sets.iter().enumerate() {
                    let planted = order.name.contains("syntax-fault") && index == 0;
                    let expected = if planted { 2 } else { 0 };
                    assert_eq!(findings.len(), expected, "{}: {findings:#?}", order.name);
                }
            }
        }
    }

    #[test]
    fn dates_move_and_nothing_else() {
        let order = PARTNERS[0].orders[0].text;
        assert_eq!(redated(order, WRITTEN_ON), order);
        let moved = redated(order, WRITTEN_ON + Duration::days(30));
        assert_eq!(moved.len(), order.len());
        assert!(moved.contains("*260204*0930*"), "{moved}");
        assert!(moved.contains("BEG*00*SA*4500001001**20260204~"), "{moved}");
        assert!(moved.contains("DTM*038*20260211~"), "{moved}");
        let faulty = redated(PARTNERS[0].orders[2].text, WRITTEN_ON + Duration::days(30));
        assert!(faulty.contains("DTM*037*20260231~"), "{faulty}");
        let list = redated_list(EXPECTED, WRITTEN_ON + Duration::days(1));
        assert!(list.contains(",2026-01-26,"), "{list}");
        assert_eq!(redated("no order", WRITTEN_ON), "no order");
    }
}
