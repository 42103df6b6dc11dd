//! What we sent, as its receiver reads it, and what the receiver writes in answer.

use chrono::NaiveDateTime;
use rust_decimal::Decimal;
use supercargo::config::profile::Profile;
use supercargo::translation::envelope::Addresses;
use supercargo_x12::{
    AckOptions, Address, Delimiters, Envelope, Event, Group, GroupVerdict, NumberedSet,
    OutboundSet, Reader, Release, SchemaRegistry, SetVerdict, TransactionSet, build_997,
    functional_id_of, number, seg, set_number, validate_set, write_interchange,
};

/// One set of ours.
#[derive(Debug, Clone)]
pub struct Sent {
    /// 997, 999, 855, 856, 810.
    pub code: String,
    /// Its content.
    pub content: TransactionSet,
}

/// A file of ours.
#[derive(Debug, Default)]
pub struct FileOfOurs {
    /// Its sets.
    pub sets: Vec<Sent>,
    /// ISA13 of its interchange, also where it holds nothing but a TA1.
    pub isa13: String,
    /// Groups that want an acknowledgment.
    pub groups: Vec<GroupVerdict>,
    /// What is wrong with it, in sentences.
    pub faults: Vec<String>,
}

/// Reads a file of ours by the schema and by the receiver's own guide.
pub fn read(name: &str, bytes: &[u8], profile: &Profile) -> FileOfOurs {
    let mut file = FileOfOurs::default();
    let mut reader = Reader::new(bytes);
    let mut open: Option<GroupVerdict> = None;
    loop {
        match reader.next() {
            Ok(Some(Event::InterchangeOpened(header, _))) => {
                file.isa13.clone_from(&header.control_number);
            }
            Ok(Some(Event::GroupOpened(header))) => open = Some(GroupVerdict::open(header)),
            Ok(Some(Event::Set(set))) => {
                let release = open
                    .as_ref()
                    .and_then(|group| Release::of_version(&group.version))
                    .unwrap_or(Release::R004010);
                let guide = profile.guide_of(set.code());
                let findings = validate_set(SchemaRegistry::standard(), release, set, guide);
                let verdict = SetVerdict::of(set, findings);
                if !verdict.acceptance.is_accepted() {
                    file.faults
                        .push(format!("{name} is not sound: {:?}", verdict.findings));
                }
                file.sets.push(Sent {
                    code: set.code().to_owned(),
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
                        file.groups.push(group);
                    }
                }
            }
            Ok(Some(Event::InterchangeClosed(closed))) => {
                if !closed.iea_seen || closed.findings.iter().any(supercargo_x12::Finding::rejects)
                {
                    file.faults
                        .push(format!("the envelope of {name} is not sound"));
                }
            }
            Ok(Some(_)) => {}
            Ok(None) => return file,
            Err(error) => {
                file.faults.push(format!("{name} can not be read: {error}"));
                return file;
            }
        }
    }
}

/// An element of the first segment of that name, or nothing.
pub fn element(set: &TransactionSet, segment: &str, n: usize) -> String {
    set.find(segment)
        .map(|found| found.element(n).to_owned())
        .unwrap_or_default()
}

/// The 997 that accepts or refuses a group of ours.
pub fn acknowledgment(group: &GroupVerdict) -> Option<OutboundSet> {
    build_997(group, &AckOptions::default())
}

/// An 820 that pays invoices in full, under one trace number.
pub fn payment(
    trace: &str,
    invoices: &[(String, Decimal)],
    payer: &str,
    at: NaiveDateTime,
) -> OutboundSet {
    let total: Decimal = invoices.iter().map(|invoice| invoice.1).sum();
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
        .with(seg("N1").el("PR").el(payer))
        .with(seg("ENT").el("1"));
    for (invoice, amount) in invoices {
        set = set.with(
            seg("RMR")
                .el("IV")
                .el(invoice)
                .skip()
                .el(number::r(*amount))
                .el(number::r(*amount)),
        );
    }
    set
}

/// An interchange of the partner's with one set in it.
pub fn interchange(
    set: OutboundSet,
    between: &Addresses,
    control_number: u32,
    at: NaiveDateTime,
) -> Vec<u8> {
    let envelope = Envelope {
        sender: Address {
            qualifier: between.their_qualifier.clone(),
            id: between.their_id.clone(),
        },
        receiver: Address {
            qualifier: between.our_qualifier.clone(),
            id: between.our_id.clone(),
        },
        date: at.date(),
        time: at.time(),
        version: "00401".to_owned(),
        control_number,
        ack_requested: false,
        usage: 'P',
        delimiters: Delimiters::default(),
        ta1s: Vec::new(),
    };
    let group = Group {
        functional_id: functional_id_of(&set.code).unwrap_or_default().to_owned(),
        sender: between.their_group_id.clone(),
        receiver: between.our_group_id.clone(),
        date: at.date(),
        time: at.time(),
        control_number,
        version: "004010".to_owned(),
        sets: vec![NumberedSet {
            control_number: set_number(1),
            set,
        }],
    };
    write_interchange(&envelope, &[group])
        .expect("the played partner writes sound documents")
        .bytes
}
