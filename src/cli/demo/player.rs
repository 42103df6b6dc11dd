//! A played partner: sends its orders, reads what we send with the X12 crate, acknowledges it, and pays.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use rust_decimal::Decimal;
use supercargo_x12::{
    AckOptions, Address, Envelope, Event, Group, GroupVerdict, NumberedSet, OutSegment,
    OutboundSet, Reader, Release, SchemaRegistry, SetVerdict, TransactionSet, build_997,
    functional_id_of, number, seg, set_number, validate_set, write_interchange,
};

use super::wire::{PartnerFile, Wire, WireError};
use crate::config::profile::Profile;
use crate::translation::envelope::Addresses;

/// What a partner keeps of a document we sent it.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Name of the file it came in.
    pub file: String,
    /// ISA13 of the interchange.
    pub isa13: String,
    /// 997, 855, 856, 810 …
    pub set: String,
    /// Its segments as the partner reads them.
    pub content: TransactionSet,
}

/// A 997 or 999 of ours: which of the partner's groups it answers, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// GS06 of the partner's group.
    pub gs06: String,
    /// AK901.
    pub verdict: String,
}

/// An invoice that is paid: its number, its total, and what is deducted of it with the reason (element 426).
pub type Paid = (String, Decimal, Option<(Decimal, &'static str)>);

/// A partner.
pub struct Player {
    /// Short name.
    pub name: &'static str,
    /// Its profile with us.
    pub profile: Profile,
    /// How it exchanges files.
    pub wire: Wire,
    /// Addresses between us, from our side.
    pub addresses: Addresses,
    /// Orders and payments that it sent.
    pub sent: Vec<PartnerFile>,
    /// Everything it got.
    pub got: Vec<Kept>,
    /// TA1s it got: the control number each answers, and its code.
    pub ta1s: Vec<(String, String)>,
    /// What is wrong with what it got, in sentences.
    pub complaints: Vec<String>,
    control_number: u32,
}

impl Player {
    /// A partner that has not done anything yet.
    pub fn new(name: &'static str, profile: Profile, wire: Wire, addresses: Addresses) -> Self {
        Self {
            name,
            profile,
            wire,
            addresses,
            sent: Vec::new(),
            got: Vec::new(),
            ta1s: Vec::new(),
            complaints: Vec::new(),
            control_number: 5_000,
        }
    }

    /// Sends an order file.
    pub fn order(&mut self, name: &str, text: &str) -> Result<(), WireError> {
        let file = PartnerFile {
            name: name.to_owned(),
            bytes: text.as_bytes().to_vec(),
        };
        self.sent.push(file.clone());
        self.wire.give(file)
    }

    /// Collects what we have for it, checks it, and acknowledges it. How many files.
    pub fn collect(&mut self, at: NaiveDateTime) -> Result<usize, WireError> {
        let files = self.wire.take()?;
        for file in &files {
            let groups = self.read(file);
            for group in groups {
                self.acknowledge(&group, at)?;
            }
        }
        Ok(files.len())
    }

    /// Reads a file; the groups that want an acknowledgment.
    fn read(&mut self, file: &PartnerFile) -> Vec<GroupVerdict> {
        let mut reader = Reader::new(file.bytes.as_slice());
        let mut groups = Vec::new();
        let mut open: Option<GroupVerdict> = None;
        let mut isa13 = String::new();
        loop {
            match reader.next() {
                Ok(Some(Event::InterchangeOpened(header, _))) => {
                    isa13 = header.control_number.clone()
                }
                Ok(Some(Event::Ta1(ta1))) => {
                    self.ta1s.push((
                        ta1.control_number.clone(),
                        format!("{}/{}", ta1.code, ta1.note),
                    ));
                }
                Ok(Some(Event::GroupOpened(header))) => open = Some(GroupVerdict::open(header)),
                Ok(Some(Event::Set(set))) => {
                    let guide = self.profile.guide.get(set.code());
                    let release = open
                        .as_ref()
                        .and_then(|group| Release::of_version(&group.version))
                        .unwrap_or(Release::R004010);
                    let verdict = SetVerdict::of(
                        set,
                        validate_set(SchemaRegistry::standard(), release, set, guide),
                    );
                    if !verdict.acceptance.is_accepted() {
                        let why: Vec<&str> = verdict
                            .findings
                            .iter()
                            .map(|found| found.message.as_str())
                            .collect();
                        self.complaints.push(format!(
                            "{} is not sound: {}",
                            file.name,
                            why.join("; ")
                        ));
                    }
                    let code = set.code().to_owned();
                    self.got.push(Kept {
                        file: file.name.clone(),
                        isa13: isa13.clone(),
                        set: code,
                        content: set.clone(),
                    });
                    if let Some(group) = &mut open {
                        group.add(verdict);
                    }
                }
                Ok(Some(Event::GroupClosed(closed))) => {
                    if let Some(mut group) = open.take() {
                        group.close(&closed);
                        if group.functional_id != "FA" {
                            groups.push(group);
                        }
                    }
                }
                Ok(Some(Event::InterchangeClosed(closed))) => {
                    if !closed.iea_seen
                        || closed.findings.iter().any(supercargo_x12::Finding::rejects)
                    {
                        self.complaints
                            .push(format!("the envelope of {} is not sound", file.name));
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) => return groups,
                Err(error) => {
                    self.complaints
                        .push(format!("{} could not be read: {error}", file.name));
                    return groups;
                }
            }
        }
    }

    fn acknowledge(&mut self, group: &GroupVerdict, at: NaiveDateTime) -> Result<(), WireError> {
        let Some(set) = build_997(group, &AckOptions::default()) else {
            return Ok(());
        };
        self.write("997", set, at)
    }

    /// Writes a set of the partner's into an interchange and gives it to us.
    fn write(&mut self, what: &str, set: OutboundSet, at: NaiveDateTime) -> Result<(), WireError> {
        self.control_number += 1;
        let number = self.control_number;
        let ours = &self.addresses;
        let envelope = Envelope {
            sender: Address {
                qualifier: ours.their_qualifier.clone(),
                id: ours.their_id.clone(),
            },
            receiver: Address {
                qualifier: ours.our_qualifier.clone(),
                id: ours.our_id.clone(),
            },
            date: at.date(),
            time: at.time(),
            version: "00401".to_owned(),
            control_number: number,
            ack_requested: false,
            usage: 'P',
            delimiters: supercargo_x12::Delimiters::default(),
            ta1s: Vec::new(),
        };
        let group = Group {
            functional_id: functional_id_of(&set.code).unwrap_or_default().to_owned(),
            sender: ours.their_group_id.clone(),
            receiver: ours.our_group_id.clone(),
            date: at.date(),
            time: at.time(),
            control_number: number,
            version: "004010".to_owned(),
            sets: vec![NumberedSet {
                control_number: set_number(1),
                set,
            }],
        };
        match write_interchange(&envelope, &[group]) {
            Ok(written) => {
                let file = PartnerFile {
                    name: format!("{}-{what}-{number}.edi", self.name),
                    bytes: written.bytes,
                };
                // A group of acknowledgments is answered by nobody.
                if what != "997" {
                    self.sent.push(file.clone());
                }
                self.wire.give(file)
            }
            Err(error) => {
                self.complaints.push(format!(
                    "the played partner could not write its {what}: {error}"
                ));
                Ok(())
            }
        }
    }

    /// Pays invoices: each number with its total and what is deducted of it, with the reason (element 426).
    pub fn pay(&mut self, trace: &str, parts: &[Paid], at: NaiveDateTime) -> Result<(), WireError> {
        let deducted = |part: &Option<(Decimal, &'static str)>| {
            part.map(|(amount, _)| amount).unwrap_or_default()
        };
        let total: Decimal = parts
            .iter()
            .map(|(_, total, part)| *total - deducted(part))
            .sum();
        let date = number::d8(at.date());
        let mut set = OutboundSet::new("820")
            .with(
                seg("BPR")
                    .el("C")
                    .el(number::r(total))
                    .el("C")
                    .el("ACH")
                    .at(16, &date),
            )
            .with(seg("TRN").el("1").el(trace))
            .with(seg("DTM").el("097").el(&date))
            .with(seg("N1").el("PR").el(self.profile.display_name()))
            .with(seg("ENT").el("1"));
        for (invoice, total, part) in parts {
            let paid = *total - deducted(part);
            set = set.with(
                seg("RMR")
                    .el("IV")
                    .el(invoice)
                    .skip()
                    .el(number::r(paid))
                    .el(number::r(*total)),
            );
            if let Some((amount, reason)) = part {
                let adjustment: OutSegment = seg("ADX").el(number::r(-*amount)).el(reason);
                set = set.with(adjustment);
            }
        }
        self.write("820", set, at)
    }

    /// The invoices that it got: number, PO and total, in the order of their coming.
    pub fn invoices(&self) -> Vec<(String, String, Decimal)> {
        self.of("810")
            .filter_map(|kept| {
                let big = find(&kept.content, "BIG")?;
                let tds = find(&kept.content, "TDS")?;
                let cents: i64 = tds.first()?.parse().ok()?;
                Some((
                    big.get(1)?.clone(),
                    big.get(3)?.clone(),
                    Decimal::new(cents, 2),
                ))
            })
            .collect()
    }

    /// What it got of one kind.
    pub fn of<'a>(&'a self, set: &'a str) -> impl Iterator<Item = &'a Kept> {
        self.got.iter().filter(move |kept| kept.set == set)
    }

    /// The answers to its groups, by 997 or 999.
    pub fn answers(&self) -> Vec<Answered> {
        self.got
            .iter()
            .filter(|kept| matches!(kept.set.as_str(), "997" | "999"))
            .filter_map(|kept| {
                let of = find(&kept.content, "AK1")?;
                let verdict = find(&kept.content, "AK9")?;
                Some(Answered {
                    gs06: of.get(1)?.clone(),
                    verdict: verdict.first()?.clone(),
                })
            })
            .collect()
    }
}

/// The elements of the first segment of that name.
pub fn find(set: &TransactionSet, id: &str) -> Option<Vec<String>> {
    all(set, id).into_iter().next()
}

/// The elements of every segment of that name.
pub fn all(set: &TransactionSet, id: &str) -> Vec<Vec<String>> {
    set.segments()
        .filter(|segment| segment.id() == id)
        .map(|segment| (1..=30).map(|n| segment.element(n).to_string()).collect())
        .collect()
}

/// The sum of decimals in a map.
pub fn add(sums: &mut BTreeMap<String, Decimal>, key: &str, text: &str) {
    *sums.entry(key.to_owned()).or_default() += text.parse::<Decimal>().unwrap_or_default();
}
