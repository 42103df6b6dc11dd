//! What goes out: typed segments, and the one writer that owns delimiters, counts and control
//! numbers.

mod characters;
mod json;
pub mod number;
mod outbound;

pub use characters::check_characters;
pub(crate) use characters::check_written;
pub use outbound::{OutElement, OutSegment, OutboundSet, Text, seg};

use crate::delimiters::Delimiters;
use crate::finding::Finding;
use crate::schema::functional_id_of;
use crate::text::show_byte;
use characters::{separators_between, separators_in};
use chrono::{NaiveDate, NaiveTime};
use outbound::{Laid, write_plain};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// ISA and IEA of an outbound interchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// ISA05 and ISA06.
    pub sender: Address,
    /// ISA07 and ISA08.
    pub receiver: Address,
    /// ISA09.
    pub date: NaiveDate,
    /// ISA10.
    pub time: NaiveTime,
    /// ISA12, such as `00401` or `00501`.
    pub version: String,
    /// ISA13, 1 to 999999999.
    pub control_number: u32,
    /// ISA14.
    pub ack_requested: bool,
    /// ISA15: `P`, `T` or `I`.
    pub usage: char,
    /// The separators.
    pub delimiters: Delimiters,
    /// TA1 segments that stand before the first group.
    #[serde(default)]
    pub ta1s: Vec<OutSegment>,
}

/// Qualifier and identifier of one side.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// Two characters, such as `ZZ`.
    pub qualifier: String,
    /// Up to 15 characters.
    pub id: String,
}

/// GS and GE of an outbound group, with its sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// GS01; see [`functional_id_of`](crate::functional_id_of).
    pub functional_id: String,
    /// GS02.
    pub sender: String,
    /// GS03.
    pub receiver: String,
    /// GS04.
    pub date: NaiveDate,
    /// GS05.
    pub time: NaiveTime,
    /// GS06, 1 to 999999999.
    pub control_number: u32,
    /// GS08, such as `004010` or `004010VICS`.
    pub version: String,
    /// The sets, each with its ST02.
    pub sets: Vec<NumberedSet>,
}

/// A set that is about to leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedSet {
    /// ST02, four to nine characters; [`set_number`] makes it from a counter.
    pub control_number: String,
    /// What it says.
    pub set: OutboundSet,
}

/// ST02 from a counter: at least four digits.
pub fn set_number(counter: u32) -> String {
    format!("{counter:04}")
}

/// The bytes of an interchange, and where in them its sets stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file.
    pub bytes: Vec<u8>,
    /// One entry a set, in the order given.
    pub sets: Vec<WrittenSet>,
}

/// Where a set stands in the bytes that were written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenSet {
    /// Place of its group, from 0.
    pub group: usize,
    /// GS06.
    pub group_control_number: u32,
    /// ST02.
    pub control_number: String,
    /// First byte.
    pub offset: usize,
    /// Bytes up to the next segment.
    pub length: usize,
    /// Segments, ST and SE included (SE01).
    pub segments: usize,
}

/// Why an interchange cannot be written. Nothing was numbered or sent.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WriteError {
    /// Separators that are the same byte, or letters, digits or blanks.
    #[error(
        "the delimiters cannot be used: {0}; choose four different bytes that are no letters, digits or blanks"
    )]
    Delimiters(String),
    /// An element of ISA or GS that does not fit.
    #[error("{element} cannot be {value:?}: {reason}")]
    Header {
        /// Which element, such as `ISA06`.
        element: &'static str,
        /// What it was to be.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Data that holds a separator or a control character.
    #[error("the data cannot be written with these separators: {}", .0.iter().map(Finding::to_string).collect::<Vec<_>>().join("; "))]
    Characters(Vec<Finding>),
    /// A set that does not belong into its group (rule 10).
    #[error(
        "a transaction set {code} does not belong into a functional group {functional_id}: it needs one of its own"
    )]
    WrongGroup {
        /// ST01.
        code: String,
        /// GS01.
        functional_id: String,
    },
    /// Two sets of a group, or two groups, with one control number.
    #[error("the control number {number} is used twice in {place}: take a new one")]
    NumberTwice {
        /// ST02 or GS06.
        number: String,
        /// Where.
        place: String,
    },
    /// A group without transaction sets.
    #[error("the functional group {number} has no transaction set: leave it out")]
    EmptyGroup {
        /// GS06.
        number: u32,
    },
    /// Neither a group nor a TA1.
    #[error("there is nothing to write: an interchange needs a functional group or a TA1")]
    Nothing,
    /// A set that could not be read again although its data passed every check.
    #[error(
        "the transaction set {code} cannot be read again as it would be written: look at its segments"
    )]
    Unreadable {
        /// ST01.
        code: String,
    },
}

/// About so many bytes a segment has.
const SEGMENT_LENGTH: usize = 24;

/// Writes one interchange: TA1 segments, groups and sets in the order given. Counts are right by
/// construction, and control numbers are those of the arguments. An interchange of TA1s alone has
/// IEA01 = 0 (rule 6).
///
/// # Errors
/// Where a header element does not fit, data holds a separator, or there is nothing to write.
pub fn write_interchange(envelope: &Envelope, groups: &[Group]) -> Result<Written, WriteError> {
    let delimiters = &envelope.separators()?;
    if groups.is_empty() && envelope.ta1s.is_empty() {
        return Err(WriteError::Nothing);
    }
    check_groups(groups, delimiters)?;
    match separators_in(&envelope.ta1s, delimiters) {
        faults if faults.is_empty() => {}
        faults => return Err(WriteError::Characters(faults)),
    }
    let sets = groups.iter().flat_map(|group| &group.sets);
    let segments: usize = sets.map(|numbered| numbered.set.segments.len()).sum();
    let mut out = Vec::with_capacity(1024 + segments * SEGMENT_LENGTH);
    write_isa(envelope, delimiters, &mut out)?;
    for ta1 in &envelope.ta1s {
        ta1.write(delimiters, &mut out);
    }
    let (mut sets, mut faults) = (Vec::new(), Vec::new());
    for (ordinal, group) in groups.iter().enumerate() {
        write_gs(group, delimiters, &mut out)?;
        for numbered in &group.sets {
            let offset = out.len();
            let set = &numbered.set;
            let laid = set.write(&numbered.control_number, delimiters, &mut out);
            faults.extend(separators_between(&set.segments, delimiters, &out, &laid));
            sets.push(WrittenSet {
                group: ordinal,
                group_control_number: group.control_number,
                control_number: numbered.control_number.clone(),
                offset,
                length: out.len() - offset,
                segments: laid.count,
            });
        }
        let ge = [
            &*group.sets.len().to_string(),
            &group.control_number.to_string(),
        ];
        write_plain("GE", &ge, delimiters, &mut out);
    }
    if !faults.is_empty() {
        return Err(WriteError::Characters(faults));
    }
    let iea = [
        &*groups.len().to_string(),
        &nine_digits(envelope.control_number),
    ];
    write_plain("IEA", &iea, delimiters, &mut out);
    Ok(Written { bytes: out, sets })
}

impl Envelope {
    /// The separators that are used: those given, but no repetition separator in versions that have
    /// none (rule 4).
    ///
    /// # Errors
    /// Where they cannot be used, or a version that needs a repetition separator has none.
    pub fn separators(&self) -> Result<Delimiters, WriteError> {
        let has_repetition = self.version.as_str() >= "00402";
        let delimiters = Delimiters {
            repetition: self.delimiters.repetition.filter(|_| has_repetition),
            ..self.delimiters
        };
        if !delimiters.usable() {
            let named: Vec<String> = delimiters
                .named()
                .map(|(name, byte)| format!("{name} {}", show_byte(byte)))
                .collect();
            return Err(WriteError::Delimiters(named.join(", ")));
        }
        if has_repetition && delimiters.repetition.is_none() {
            return Err(WriteError::Delimiters(
                "from version 00402 on ISA11 is a repetition separator, and none is set".to_owned(),
            ));
        }
        Ok(delimiters)
    }
}

/// Everything that can be wrong with groups and sets but the characters of their values, before the first byte is written.
fn check_groups(groups: &[Group], delimiters: &Delimiters) -> Result<(), WriteError> {
    let twice = |number: &str, place: String| WriteError::NumberTwice {
        number: number.to_owned(),
        place,
    };
    let mut group_numbers = HashSet::new();
    for group in groups {
        // Most interchanges have one group, and most groups of acknowledgments one set.
        if groups.len() > 1 && !group_numbers.insert(group.control_number) {
            return Err(twice(
                &group.control_number.to_string(),
                "the interchange".to_owned(),
            ));
        }
        if group.sets.is_empty() {
            return Err(WriteError::EmptyGroup {
                number: group.control_number,
            });
        }
        let mut set_numbers = HashSet::new();
        for NumberedSet {
            control_number,
            set,
        } in &group.sets
        {
            check_set_header(control_number, set, group, delimiters)?;
            set.check_segments()?;
            if group.sets.len() > 1 && !set_numbers.insert(control_number) {
                return Err(twice(
                    control_number,
                    format!("the functional group {}", group.control_number),
                ));
            }
        }
    }
    Ok(())
}

/// ST01 to ST03.
fn check_set_header(
    control_number: &str,
    set: &OutboundSet,
    group: &Group,
    delimiters: &Delimiters,
) -> Result<(), WriteError> {
    if set.code.len() != 3 || !set.code.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(header(
            "ST01",
            &set.code,
            "the identifier of a set has three digits, such as 855",
        ));
    }
    if functional_id_of(&set.code).is_some_and(|id| id != group.functional_id) {
        return Err(WriteError::WrongGroup {
            code: set.code.clone(),
            functional_id: group.functional_id.clone(),
        });
    }
    check_set_number(control_number)?;
    match set.implementation.as_deref() {
        Some(text) if group.version.as_str() < "005010" => Err(header(
            "ST03",
            text,
            "releases before 005010 have no implementation reference in ST",
        )),
        Some(text)
            if !(1..=35).contains(&text.len())
                || !text
                    .bytes()
                    .all(|b| (b'!'..0x7f).contains(&b) && !delimiters.contains(b)) =>
        {
            Err(header(
                "ST03",
                text,
                "an implementation reference has 1 to 35 characters and no separator",
            ))
        }
        _ => Ok(()),
    }
}

/// ST02 is four to nine letters or digits (rule 8).
fn check_set_number(control_number: &str) -> Result<(), WriteError> {
    match (4..=9).contains(&control_number.len())
        && control_number.bytes().all(|b| b.is_ascii_alphanumeric())
    {
        true => Ok(()),
        false => Err(header(
            "ST02",
            control_number,
            "a set's control number has four to nine letters or digits",
        )),
    }
}

fn header(element: &'static str, value: &str, reason: &'static str) -> WriteError {
    WriteError::Header {
        element,
        value: value.to_owned(),
        reason,
    }
}

/// Whether this can stand in ISA05 or ISA07.
pub(crate) fn is_qualifier(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Whether this can stand in ISA06 or ISA08.
pub(crate) fn is_address(text: &str, delimiters: &Delimiters) -> bool {
    (1..=15).contains(&text.len()) && is_plain(text, delimiters)
}

/// Whether this can stand in GS02 or GS03: 2 to 15 printable characters, none of them a separator,
/// no blanks around them.
pub fn is_application_code(text: &str, delimiters: &Delimiters) -> bool {
    (2..=15).contains(&text.len()) && is_plain(text, delimiters)
}

/// Printable ASCII without separators, and without blanks around it.
fn is_plain(text: &str, delimiters: &Delimiters) -> bool {
    let is_plain = |byte: u8| (b' '..0x7f).contains(&byte) && !delimiters.contains(byte);
    text.trim() == text && text.bytes().all(is_plain)
}

/// Rule 1: 106 bytes, every separator in its place.
fn write_isa(
    envelope: &Envelope,
    delimiters: &Delimiters,
    out: &mut Vec<u8>,
) -> Result<(), WriteError> {
    for (element, qualifier) in [
        ("ISA05", &envelope.sender.qualifier),
        ("ISA07", &envelope.receiver.qualifier),
    ] {
        if !is_qualifier(qualifier) {
            return Err(header(
                element,
                qualifier,
                "a qualifier has two letters or digits",
            ));
        }
    }
    for (element, id) in [
        ("ISA06", &envelope.sender.id),
        ("ISA08", &envelope.receiver.id),
    ] {
        if !is_address(id, delimiters) {
            return Err(header(
                element,
                id,
                "an address has 1 to 15 characters and none of the separators",
            ));
        }
    }
    if envelope.version.len() != 5 || !envelope.version.bytes().all(|b| b.is_ascii_digit()) {
        return Err(header(
            "ISA12",
            &envelope.version,
            "a version has five digits, such as 00401",
        ));
    }
    if !matches!(envelope.usage, 'P' | 'T' | 'I') {
        return Err(header(
            "ISA15",
            &envelope.usage.to_string(),
            "the usage indicator is P, T or I",
        ));
    }
    control("ISA13", envelope.control_number)?;
    let blanks = "               ";
    let (date, time) = (number::d6(envelope.date), number::t4(envelope.time));
    let number = nine_digits(envelope.control_number);
    let mut usage = [0; 4];
    let usage: &str = envelope.usage.encode_utf8(&mut usage);
    let elements: [(&str, usize); 16] = [
        ("ISA", 3),
        ("00", 2),
        ("", 10),
        ("00", 2),
        ("", 10),
        (&envelope.sender.qualifier, 2),
        (&envelope.sender.id, 15),
        (&envelope.receiver.qualifier, 2),
        (&envelope.receiver.id, 15),
        (&date, 6),
        (&time, 4),
        ("U", 1),
        (&envelope.version, 5),
        (&number, 9),
        (if envelope.ack_requested { "1" } else { "0" }, 1),
        (usage, 1),
    ];
    for (n, (element, width)) in elements.into_iter().enumerate() {
        match (n, delimiters.repetition) {
            (11, Some(byte)) => out.push(byte),
            _ => out.extend_from_slice(element.as_bytes()),
        }
        let padding = width.saturating_sub(element.len());
        out.extend_from_slice(&blanks.as_bytes()[..padding]);
        out.push(delimiters.element);
    }
    out.push(delimiters.component);
    out.push(delimiters.terminator);
    out.extend_from_slice(delimiters.after_terminator.as_bytes());
    Ok(())
}

fn write_gs(group: &Group, delimiters: &Delimiters, out: &mut Vec<u8>) -> Result<(), WriteError> {
    for (element, id) in [("GS02", &group.sender), ("GS03", &group.receiver)] {
        if !is_application_code(id, delimiters) {
            return Err(header(
                element,
                id,
                "an application code has 2 to 15 characters and none of the separators",
            ));
        }
    }
    if group.functional_id.len() != 2
        || !group
            .functional_id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric())
    {
        return Err(header(
            "GS01",
            &group.functional_id,
            "a functional identifier has two letters",
        ));
    }
    if group.version.is_empty()
        || group.version.len() > 12
        || !group.version.bytes().all(|b| b.is_ascii_alphanumeric())
    {
        return Err(header(
            "GS08",
            &group.version,
            "a version has 1 to 12 letters and digits, such as 004010",
        ));
    }
    control("GS06", group.control_number)?;
    let gs = [
        &*group.functional_id,
        &group.sender,
        &group.receiver,
        &number::d8(group.date),
        &number::t4(group.time),
        &group.control_number.to_string(),
        "X",
        &group.version,
    ];
    write_plain("GS", &gs, delimiters, out);
    Ok(())
}

/// A control number of an interchange.
fn nine_digits(number: u32) -> String {
    let digits = number.to_string();
    let mut text = "000000000"[digits.len().min(9)..].to_owned();
    text.push_str(&digits);
    text
}

fn control(element: &'static str, number: u32) -> Result<(), WriteError> {
    match number {
        1..=999_999_999 => Ok(()),
        _ => Err(header(
            element,
            &number.to_string(),
            "a control number is 1 to 999999999",
        )),
    }
}

/// The set as the reader would give it, written with separators that data cannot hold, and what `look` finds in its
/// bytes.
pub(crate) fn as_read<T>(
    set: &OutboundSet,
    release: crate::Release,
    look: impl FnOnce(&[u8], &Laid) -> T,
) -> (crate::TransactionSet, T) {
    let delimiters = Delimiters {
        element: 0x1d,
        component: 0x1f,
        repetition: (release >= crate::Release::R005010).then_some(0x1e),
        terminator: 0x1c,
        ..Delimiters::default()
    };
    let mut bytes = Vec::with_capacity(set.segments.len() * SEGMENT_LENGTH);
    let laid = set.write("0001", &delimiters, &mut bytes);
    let found = look(&bytes, &laid);
    let set = crate::set::TransactionSet::from_bytes(&bytes, delimiters);
    (set, found)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{AfterTerminator, CharacterSet, Event, Reader};

    pub(crate) fn envelope() -> Envelope {
        Envelope {
            sender: Address {
                qualifier: "ZZ".into(),
                id: "SELLER".into(),
            },
            receiver: Address {
                qualifier: "01".into(),
                id: "BUYER".into(),
            },
            date: NaiveDate::from_ymd_opt(2026, 1, 15).unwrap(),
            time: NaiveTime::from_hms_opt(12, 30, 0).unwrap(),
            version: "00401".into(),
            control_number: 7,
            ack_requested: false,
            usage: 'P',
            delimiters: Delimiters::default(),
            ta1s: Vec::new(),
        }
    }

    pub(crate) fn group(sets: Vec<OutboundSet>) -> Group {
        Group {
            functional_id: "PR".into(),
            sender: "SELLER".into(),
            receiver: "BUYER".into(),
            date: NaiveDate::from_ymd_opt(2026, 1, 15).unwrap(),
            time: NaiveTime::from_hms_opt(12, 30, 0).unwrap(),
            control_number: 11,
            version: "004010".into(),
            sets: sets
                .into_iter()
                .zip(1..)
                .map(|(set, n)| NumberedSet {
                    control_number: set_number(n),
                    set,
                })
                .collect(),
        }
    }

    fn small() -> OutboundSet {
        OutboundSet::new("855").with(seg("BAK").el("00").el("AC").el("4711").el("20260115"))
    }

    #[test]
    fn rule_007_counts_are_right_by_construction() {
        let written = write_interchange(&envelope(), &[group(vec![small(), small()])]).unwrap();
        let text = String::from_utf8(written.bytes.clone()).unwrap();
        assert_eq!(
            text,
            "ISA*00*          *00*          *ZZ*SELLER         *01*BUYER          *260115*1230*U*00401*000000007*0*P*>~GS*PR*SELLER*BUYER*20260115*1230*11*X*004010~\
             ST*855*0001~BAK*00*AC*4711*20260115~SE*3*0001~ST*855*0002~BAK*00*AC*4711*20260115~SE*3*0002~GE*2*11~IEA*1*000000007~"
        );
        let second = &written.sets[1];
        assert!(text[second.offset..second.offset + second.length].starts_with("ST*855*0002"));
        assert_eq!((second.segments, second.group_control_number), (3, 11));
    }

    #[test]
    fn what_is_written_reads_without_a_finding() {
        let delimiters = Delimiters {
            element: b'|',
            component: b':',
            repetition: Some(b'^'),
            terminator: b'\'',
            after_terminator: AfterTerminator::CRLF,
        };
        let envelope = Envelope {
            delimiters,
            version: "00501".into(),
            ..envelope()
        };
        let written = write_interchange(&envelope, &[group(vec![small()])]).unwrap();
        let mut reader = Reader::new(&written.bytes[..]);
        let mut closed = None;
        while let Some(event) = reader.next().unwrap() {
            match event {
                Event::Set(set) => assert_eq!(
                    (set.findings(), set.segment(2).unwrap().element(3)),
                    (&[][..], "4711")
                ),
                Event::GroupClosed(group) => assert_eq!(group.findings, []),
                Event::InterchangeClosed(interchange) => closed = Some(interchange),
                _ => {}
            }
        }
        let closed = closed.unwrap();
        assert_eq!(
            (closed.findings.len(), closed.header.delimiters),
            (0, delimiters)
        );
    }

    #[test]
    fn rule_001_isa_is_106_bytes() {
        let isa = |envelope: Envelope| {
            String::from_utf8(
                write_interchange(&envelope, &[group(vec![small()])])
                    .unwrap()
                    .bytes[..106]
                    .to_vec(),
            )
            .unwrap()
        };
        assert_eq!(
            isa(envelope()),
            "ISA*00*          *00*          *ZZ*SELLER         *01*BUYER          *260115*1230*U*00401*000000007*0*P*>~"
        );
        let asked = isa(Envelope {
            usage: 'T',
            ack_requested: true,
            sender: Address {
                qualifier: "01".into(),
                id: "FIFTEENLETTERSX".into(),
            },
            ..envelope()
        });
        assert_eq!(
            (&asked[32..51], &asked[99..]),
            ("01*FIFTEENLETTERSX*", "*1*T*>~")
        );
    }

    #[test]
    fn rule_004_isa11_is_the_repetition_separator_in_later_versions() {
        let delimiters = Delimiters {
            repetition: Some(b'^'),
            ..Delimiters::default()
        };
        let isa11 = |version: &str| {
            write_interchange(
                &Envelope {
                    delimiters,
                    version: version.into(),
                    ..envelope()
                },
                &[group(vec![small()])],
            )
            .unwrap()
            .bytes[82]
        };
        assert_eq!(
            (isa11("00401"), isa11("00402"), isa11("00501")),
            (b'U', b'^', b'^')
        );
        let without = Envelope {
            version: "00501".into(),
            ..envelope()
        };
        assert!(matches!(
            write_interchange(&without, &[group(vec![small()])]),
            Err(WriteError::Delimiters(_))
        ));
    }

    #[test]
    fn rule_006_an_interchange_of_ta1s_alone_has_no_group() {
        let ta1s = vec![
            seg("TA1")
                .el("000000042")
                .el("260104")
                .el("2359")
                .el("R")
                .el("023"),
        ];
        let written = write_interchange(
            &Envelope {
                ta1s: ta1s.clone(),
                ..envelope()
            },
            &[],
        )
        .unwrap();
        assert_eq!(
            &written.bytes[106..],
            b"TA1*000000042*260104*2359*R*023~IEA*0*000000007~"
        );
        let both =
            write_interchange(&Envelope { ta1s, ..envelope() }, &[group(vec![small()])]).unwrap();
        assert!(both.bytes[106..].starts_with(b"TA1*000000042*260104*2359*R*023~GS*PR*"));
        assert_eq!(
            write_interchange(&envelope(), &[]),
            Err(WriteError::Nothing)
        );
    }

    #[test]
    fn rule_010_a_set_in_a_group_of_others_is_refused() {
        let set = OutboundSet::new("856").with(seg("BSN").el("00"));
        assert!(
            matches!(write_interchange(&envelope(), &[group(vec![small(), set])]), Err(WriteError::WrongGroup { code, .. }) if code == "856")
        );
    }

    #[test]
    fn st03_is_written_only_where_it_is_given_and_known() {
        let set = OutboundSet {
            implementation: Some("005010X231A1".into()),
            ..small()
        };
        let delimiters = Delimiters {
            repetition: Some(b'^'),
            ..Delimiters::default()
        };
        let later = Envelope {
            version: "00501".into(),
            delimiters,
            ..envelope()
        };
        let written = write_interchange(
            &later,
            &[Group {
                version: "005010".into(),
                ..group(vec![set.clone()])
            }],
        )
        .unwrap();
        assert!(
            String::from_utf8(written.bytes)
                .unwrap()
                .contains("~ST*855*0001*005010X231A1~")
        );
        assert!(matches!(
            write_interchange(&envelope(), &[group(vec![set])]),
            Err(WriteError::Header {
                element: "ST03",
                ..
            })
        ));
    }

    #[test]
    fn what_does_not_fit_is_refused_by_its_name() {
        let id = |qualifier: &str, id: &str| Address {
            qualifier: qualifier.into(),
            id: id.into(),
        };
        for (envelope, named) in [
            (
                Envelope {
                    sender: id("Z", "A"),
                    ..envelope()
                },
                "ISA05",
            ),
            (
                Envelope {
                    sender: id("ZZ", &"A".repeat(16)),
                    ..envelope()
                },
                "ISA06",
            ),
            (
                Envelope {
                    receiver: id("Z*", "A"),
                    ..envelope()
                },
                "ISA07",
            ),
            (
                Envelope {
                    receiver: id("ZZ", ""),
                    ..envelope()
                },
                "ISA08",
            ),
            (
                Envelope {
                    receiver: id("ZZ", "A*B"),
                    ..envelope()
                },
                "ISA08",
            ),
            (
                Envelope {
                    receiver: id("ZZ", "A "),
                    ..envelope()
                },
                "ISA08",
            ),
            (
                Envelope {
                    version: "0030X".into(),
                    ..envelope()
                },
                "ISA12",
            ),
            (
                Envelope {
                    control_number: 0,
                    ..envelope()
                },
                "ISA13",
            ),
            (
                Envelope {
                    control_number: 1_000_000_000,
                    ..envelope()
                },
                "ISA13",
            ),
            (
                Envelope {
                    usage: 'X',
                    ..envelope()
                },
                "ISA15",
            ),
        ] {
            assert!(
                matches!(write_interchange(&envelope, &[group(vec![small()])]), Err(WriteError::Header { element, .. }) if element == named),
                "{named}"
            );
        }
        let refused = |group: Group| write_interchange(&envelope(), &[group]).unwrap_err();
        let one = || group(vec![small()]);
        assert!(matches!(
            refused(Group {
                functional_id: "P".into(),
                sets: vec![NumberedSet {
                    control_number: "0001".into(),
                    set: OutboundSet::new("123")
                }],
                ..one()
            }),
            WriteError::Header {
                element: "GS01",
                ..
            }
        ));
        assert!(matches!(
            refused(Group {
                sender: "A".into(),
                ..one()
            }),
            WriteError::Header {
                element: "GS02",
                ..
            }
        ));
        assert!(matches!(
            refused(Group {
                control_number: 0,
                ..one()
            }),
            WriteError::Header {
                element: "GS06",
                ..
            }
        ));
        assert!(matches!(
            refused(Group {
                version: "4010*".into(),
                ..one()
            }),
            WriteError::Header {
                element: "GS08",
                ..
            }
        ));
        assert!(matches!(
            refused(Group {
                sets: Vec::new(),
                ..one()
            }),
            WriteError::EmptyGroup { number: 11 }
        ));
        let numbered = |number: &str| NumberedSet {
            control_number: number.into(),
            set: small(),
        };
        assert!(matches!(
            refused(Group {
                sets: vec![numbered("1")],
                ..one()
            }),
            WriteError::Header {
                element: "ST02",
                ..
            }
        ));
        assert!(matches!(
            refused(Group {
                sets: vec![numbered("0001"), numbered("0001")],
                ..one()
            }),
            WriteError::NumberTwice { .. }
        ));
        assert!(matches!(
            write_interchange(&envelope(), &[one(), one()]),
            Err(WriteError::NumberTwice { .. })
        ));
    }

    #[test]
    fn data_with_a_separator_is_refused_before_anything_is_numbered() {
        let set = OutboundSet::new("855").with(seg("MSG").el("A*B"));
        let findings = check_characters(&set, &Delimiters::default(), CharacterSet::Extended);
        assert_eq!(
            (
                findings.len(),
                findings[0].segment_index,
                findings[0].element
            ),
            (1, Some(2), Some(1))
        );
        assert!(matches!(
            write_interchange(&envelope(), &[group(vec![set])]),
            Err(WriteError::Characters(_))
        ));
        let bad = Envelope {
            delimiters: Delimiters {
                component: b'*',
                ..Delimiters::default()
            },
            ..envelope()
        };
        assert!(matches!(
            write_interchange(&bad, &[]),
            Err(WriteError::Delimiters(_))
        ));
        let long = Envelope {
            sender: Address {
                qualifier: "ZZ".into(),
                id: "A".repeat(16),
            },
            ..envelope()
        };
        assert!(matches!(
            write_interchange(&long, &[group(vec![small()])]),
            Err(WriteError::Header {
                element: "ISA06",
                ..
            })
        ));
    }
}
