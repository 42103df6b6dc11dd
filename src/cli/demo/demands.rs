//! What a partner demands, worked out from what it sent and its profile alone, against what it got.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use supercargo_x12::{Event, Reader, Release, SchemaRegistry, SetVerdict, validate_set};

use super::player::{Player, add, all, find};
use crate::config::profile::acknowledgment::Ta1;

/// What the partner sent, as it knows it itself.
#[derive(Default)]
struct Sent {
    /// Groups by GS06, with how many of their sets are sound.
    groups: BTreeMap<String, (usize, usize)>,
    /// Interchanges that ask for a TA1.
    ta1s: BTreeSet<String>,
    /// Ordered quantity by PO, of sound sets, the first with its number.
    ordered: BTreeMap<String, Decimal>,
}

fn sent(player: &Player) -> Sent {
    let mut sent = Sent::default();
    for file in &player.sent {
        let mut reader = Reader::new(file.bytes.as_slice());
        let (mut gs06, mut release) = (String::new(), None);
        while let Ok(Some(event)) = reader.next() {
            match event {
                Event::InterchangeOpened(header, _) if header.wants_ta1() => {
                    sent.ta1s.insert(header.control_number.clone());
                }
                Event::GroupOpened(header) => {
                    gs06 = header.control_number.clone();
                    release = Release::of_version(&header.version);
                }
                Event::Set(set) => {
                    let findings = release
                        .map(|release| validate_set(SchemaRegistry::standard(), release, set, None))
                        .unwrap_or_default();
                    let sound = SetVerdict::of(set, findings).acceptance.is_accepted();
                    let counts = sent.groups.entry(gs06.clone()).or_default();
                    counts.0 += 1;
                    counts.1 += usize::from(sound);
                    let po = find(set, "BEG")
                        .and_then(|beg| beg.get(2).cloned())
                        .unwrap_or_default();
                    if sound && set.code() == "850" && !sent.ordered.contains_key(&po) {
                        let sum = all(set, "PO1")
                            .iter()
                            .filter_map(|line| line.get(1)?.parse::<Decimal>().ok())
                            .sum();
                        sent.ordered.insert(po, sum);
                    }
                }
                _ => {}
            }
        }
    }
    sent
}

/// Every difference between what the partner demands and what it got, in sentences; none is as it should be.
pub fn differences(player: &Player) -> Vec<String> {
    let sent = sent(player);
    let mut found = player.complaints.clone();
    acknowledgments(player, &sent, &mut found);
    control_numbers(player, &mut found);
    quantities(player, &sent, &mut found);
    invoices(player, &mut found);
    found
        .into_iter()
        .map(|difference| format!("{}: {difference}", player.name))
        .collect()
}

fn acknowledgments(player: &Player, sent: &Sent, found: &mut Vec<String>) {
    let answers = player.answers();
    for (gs06, (sets, sound)) in &sent.groups {
        let own: Vec<&str> = answers
            .iter()
            .filter(|answer| answer.gs06 == *gs06)
            .map(|answer| answer.verdict.as_str())
            .collect();
        let expected = match (*sets, *sound) {
            (_, 0) => "R",
            (sets, sound) if sets == sound => "A",
            _ => "P",
        };
        if own != [expected] {
            found.push(format!(
                "group {gs06} should be answered {expected}, once, and was answered {own:?}"
            ));
        }
    }
    if answers.len() != sent.groups.len() {
        found.push(format!(
            "{} groups were sent and {} acknowledgments came",
            sent.groups.len(),
            answers.len()
        ));
    }
    let wanted = if player.profile.acknowledgment.ta1 == Ta1::OnRequest {
        sent.ta1s.clone()
    } else {
        BTreeSet::new()
    };
    let wanted: BTreeSet<String> = if player.profile.acknowledgment.ta1 == Ta1::OnError {
        sent.ta1s.clone()
    } else {
        wanted
    };
    let came: BTreeSet<String> = player.ta1s.iter().map(|(isa13, _)| isa13.clone()).collect();
    if came != wanted || came.len() != player.ta1s.len() {
        found.push(format!(
            "TA1s were due for {wanted:?} and came for {came:?}"
        ));
    }
}

/// Every interchange of ours has a number of its own, rising by one from the first.
fn control_numbers(player: &Player, found: &mut Vec<String>) {
    let mut numbers: BTreeSet<u64> = BTreeSet::new();
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for kept in &player.got {
        numbers.extend(kept.isa13.parse::<u64>());
        if let Some(other) = names
            .insert(&kept.file, &kept.isa13)
            .filter(|other| *other != kept.isa13)
        {
            found.push(format!(
                "the file name {} came with the control numbers {other} and {}",
                kept.file, kept.isa13
            ));
        }
    }
    let files = names.len() + player.ta1s.len();
    let first = numbers.first().copied().unwrap_or(1);
    let last = numbers.last().copied().unwrap_or_default();
    if numbers.len() != names.len()
        || usize::try_from(last + 1 - first).is_ok_and(|span| span > files)
    {
        found.push(format!(
            "{} files came with {} control numbers from {first} to {last}",
            files,
            numbers.len()
        ));
    }
}

/// By PO: what the 855 answers adds up to what was ordered; what shipped is what was promised; what was billed is what
/// shipped.
fn quantities(player: &Player, sent: &Sent, found: &mut Vec<String>) {
    let (answered, promised) = answered(player);
    let shipped = shipped(player);
    let billed = billed(player);
    for (po, ordered) in &sent.ordered {
        match answered.get(po) {
            None => found.push(format!("PO {po} was never answered by an 855")),
            Some(answered) if answered > ordered => {
                found.push(format!(
                    "the 855 of PO {po} answers {answered} of {ordered} ordered"
                ));
            }
            Some(_) => {}
        }
    }
    let pos: BTreeSet<&String> = promised
        .keys()
        .chain(shipped.keys())
        .chain(billed.keys())
        .collect();
    for po in pos {
        if !sent.ordered.contains_key(po) {
            found.push(format!(
                "documents came for PO {po}, which it never ordered"
            ));
        }
        let of = |sums: &BTreeMap<String, Decimal>| sums.get(po).copied().unwrap_or_default();
        if of(&shipped) != of(&promised) {
            found.push(format!(
                "PO {po}: {} promised and {} shipped",
                of(&promised),
                of(&shipped)
            ));
        }
        if of(&billed) != of(&shipped) {
            found.push(format!(
                "PO {po}: {} shipped and {} billed",
                of(&shipped),
                of(&billed)
            ));
        }
    }
}

/// By PO, of its last 855: everything answered, and what of it was promised.
fn answered(player: &Player) -> (BTreeMap<String, Decimal>, BTreeMap<String, Decimal>) {
    let codes = &player.profile.response.line_codes;
    let promises = [
        &codes.accepted,
        &codes.quantity_changed,
        &codes.price_changed,
    ];
    let mut answered: BTreeMap<String, BTreeMap<String, Decimal>> = BTreeMap::new();
    let mut promised: BTreeMap<String, BTreeMap<String, Decimal>> = BTreeMap::new();
    for kept in player.of("855") {
        let po = find(&kept.content, "BAK")
            .and_then(|bak| bak.get(2).cloned())
            .unwrap_or_default();
        let (mut all_of_it, mut promise) = (BTreeMap::new(), BTreeMap::new());
        for ack in all(&kept.content, "ACK") {
            let (Some(code), Some(quantity)) = (ack.first(), ack.get(1)) else {
                continue;
            };
            add(&mut all_of_it, &po, quantity);
            if promises.contains(&code) {
                add(&mut promise, &po, quantity);
            }
        }
        answered.insert(po.clone(), all_of_it);
        promised.insert(po, promise);
    }
    let flat = |by_po: BTreeMap<String, BTreeMap<String, Decimal>>| {
        by_po
            .into_iter()
            .map(|(po, sums)| (po.clone(), sums.get(&po).copied().unwrap_or_default()))
            .collect()
    };
    (flat(answered), flat(promised))
}

/// By PO, over all ship notices: in each the order level (PRF) says whose the items after it are.
fn shipped(player: &Player) -> BTreeMap<String, Decimal> {
    let mut sums = BTreeMap::new();
    for kept in player.of("856") {
        let mut po = String::new();
        for segment in kept.content.segments() {
            match segment.id() {
                "PRF" => po = segment.element(1).to_owned(),
                "SN1" => add(&mut sums, &po, segment.element(2)),
                _ => {}
            }
        }
    }
    sums
}

/// By PO, over all invoices.
fn billed(player: &Player) -> BTreeMap<String, Decimal> {
    let mut sums = BTreeMap::new();
    for kept in player.of("810") {
        let po = find(&kept.content, "BIG")
            .and_then(|big| big.get(3).cloned())
            .unwrap_or_default();
        for line in all(&kept.content, "IT1") {
            add(&mut sums, &po, line.get(1).map_or("", String::as_str));
        }
    }
    sums
}

fn invoices(player: &Player, found: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for (invoice, _, _) in player.invoices() {
        if !seen.insert(invoice.clone()) {
            found.push(format!("invoice {invoice} came twice"));
        }
    }
}
