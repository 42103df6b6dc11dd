//! What goes out: typed segments, and the one writer that owns delimiters, counts and control
//! numbers.

pub mod number;
mod outbound;

pub use outbound::{OutElement, OutSegment, OutboundSet, seg};

use crate::delimiters::Delimiters;
use crate::element::{Allowed, CharacterSet};
use crate::finding::{Finding, Rule};
use crate::text::{show, show_byte};
use chrono::{NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};

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
    #[error("{}", .0.first().map(|f| f.to_string()).unwrap_or_default())]
    Characters(Vec<Finding>),
}

/// Checks every value of a set against the separators and the character set it will be written
/// with; to be asked before anything takes a control number. Positions count ST as 1.
pub fn check_characters(
    set: &OutboundSet,
    delimiters: &Delimiters,
    characters: CharacterSet,
) -> Vec<Finding> {
    let allowed = Allowed::new(characters, delimiters.repetition.is_some(), false);
    let mut findings = Vec::new();
    for (at, segment) in set.segments.iter().enumerate() {
        for (n, element) in segment.elements.iter().enumerate() {
            for value in element.values() {
                let separator = value.bytes().find(|byte| delimiters.contains(*byte));
                let refused = allowed.first_refused(value);
                let text = match (separator, refused) {
                    (Some(byte), _) => format!(
                        "{} holds {}, which separates in this partner's files; take it out of the data or choose other delimiters.",
                        show(value),
                        show_byte(byte)
                    ),
                    (None, Some(c)) => format!(
                        "{} holds the character {:?}, which may not be sent; replace it.",
                        show(value),
                        c
                    ),
                    (None, None) => continue,
                };
                let mut finding = Finding::new(Rule::InvalidCharacter, 0, 1, text)
                    .in_segment(&segment.id, at as u32 + 2)
                    .with_value(value);
                finding.element = Some(n as u16 + 1);
                findings.push(finding);
            }
        }
    }
    findings
}

/// Writes one interchange: TA1 segments, groups and sets in the order given. Counts are right by
/// construction, and control numbers are those of the arguments.
///
/// # Errors
/// Where a header element does not fit, or data holds a separator.
pub fn write_interchange(envelope: &Envelope, groups: &[Group]) -> Result<Written, WriteError> {
    if !envelope.delimiters.usable() {
        let named: Vec<String> = envelope
            .delimiters
            .named()
            .map(|(name, byte)| format!("{name} {}", show_byte(byte)))
            .collect();
        return Err(WriteError::Delimiters(named.join(", ")));
    }
    let delimiters = &envelope.delimiters;
    let faults: Vec<Finding> = groups
        .iter()
        .flat_map(|group| &group.sets)
        .flat_map(|set| separators_in(&set.set, delimiters))
        .collect();
    if !faults.is_empty() {
        return Err(WriteError::Characters(faults));
    }
    let mut out = Vec::with_capacity(1024);
    write_isa(envelope, &mut out)?;
    for ta1 in &envelope.ta1s {
        ta1.write(delimiters, &mut out);
    }
    let mut sets = Vec::new();
    for (ordinal, group) in groups.iter().enumerate() {
        write_gs(group, delimiters, &mut out)?;
        for numbered in &group.sets {
            let offset = out.len();
            if !(4..=9).contains(&numbered.control_number.len())
                || !numbered
                    .control_number
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric())
            {
                return Err(header(
                    "ST02",
                    &numbered.control_number,
                    "a set's control number has four to nine letters or digits",
                ));
            }
            let segments = numbered
                .set
                .write(&numbered.control_number, delimiters, &mut out);
            sets.push(WrittenSet {
                group: ordinal,
                group_control_number: group.control_number,
                control_number: numbered.control_number.clone(),
                offset,
                length: out.len() - offset,
                segments,
            });
        }
        seg("GE")
            .el(group.sets.len().to_string())
            .el(group.control_number.to_string())
            .write(delimiters, &mut out);
    }
    seg("IEA")
        .el(groups.len().to_string())
        .el(format!("{:09}", envelope.control_number))
        .write(delimiters, &mut out);
    Ok(Written { bytes: out, sets })
}

fn separators_in(set: &OutboundSet, delimiters: &Delimiters) -> Vec<Finding> {
    let mut findings = check_characters(set, delimiters, CharacterSet::Extended);
    findings.retain(|finding| {
        finding.value.as_deref().is_some_and(|value| {
            value
                .bytes()
                .any(|byte| delimiters.contains(byte) || byte < b' ')
        })
    });
    findings
}

fn header(element: &'static str, value: &str, reason: &'static str) -> WriteError {
    WriteError::Header {
        element,
        value: value.to_owned(),
        reason,
    }
}

fn write_isa(envelope: &Envelope, out: &mut Vec<u8>) -> Result<(), WriteError> {
    let delimiters = &envelope.delimiters;
    let plain = |text: &str| {
        text.bytes()
            .all(|b| (b' '..0x7f).contains(&b) && !delimiters.contains(b))
    };
    for (element, qualifier) in [
        ("ISA05", &envelope.sender.qualifier),
        ("ISA07", &envelope.receiver.qualifier),
    ] {
        if qualifier.len() != 2 || !qualifier.bytes().all(|b| b.is_ascii_alphanumeric()) {
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
        if id.is_empty() || id.len() > 15 || !plain(id) {
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
    let repetition = match delimiters.repetition {
        Some(byte) if envelope.version.as_str() >= "00402" => char::from(byte),
        None if envelope.version.as_str() >= "00402" => {
            return Err(WriteError::Delimiters(
                "from version 00402 on ISA11 is a repetition separator, and none is set".to_owned(),
            ));
        }
        _ => 'U',
    };
    let elements: [String; 16] = [
        "ISA".to_owned(),
        "00".to_owned(),
        " ".repeat(10),
        "00".to_owned(),
        " ".repeat(10),
        envelope.sender.qualifier.clone(),
        format!("{:<15}", envelope.sender.id),
        envelope.receiver.qualifier.clone(),
        format!("{:<15}", envelope.receiver.id),
        number::d6(envelope.date),
        number::t4(envelope.time),
        repetition.to_string(),
        envelope.version.clone(),
        format!("{:09}", envelope.control_number),
        if envelope.ack_requested { "1" } else { "0" }.to_owned(),
        envelope.usage.to_string(),
    ];
    for (n, element) in elements.iter().enumerate() {
        match (n, delimiters.repetition) {
            (11, Some(byte)) if repetition != 'U' => out.push(byte),
            _ => out.extend_from_slice(element.as_bytes()),
        }
        out.push(delimiters.element);
    }
    out.push(delimiters.component);
    out.push(delimiters.terminator);
    out.extend_from_slice(delimiters.after_terminator.as_bytes());
    Ok(())
}

fn write_gs(group: &Group, delimiters: &Delimiters, out: &mut Vec<u8>) -> Result<(), WriteError> {
    let plain = |text: &str| {
        text.bytes()
            .all(|b| (b' '..0x7f).contains(&b) && !delimiters.contains(b))
    };
    for (element, id) in [("GS02", &group.sender), ("GS03", &group.receiver)] {
        if !(2..=15).contains(&id.len()) || !plain(id) {
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
    seg("GS")
        .el(&group.functional_id)
        .el(&group.sender)
        .el(&group.receiver)
        .el(number::d8(group.date))
        .el(number::t4(group.time))
        .el(group.control_number.to_string())
        .el("X")
        .el(&group.version)
        .write(delimiters, out);
    Ok(())
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{AfterTerminator, Event, Reader};

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
            write_interchange(&long, &[]),
            Err(WriteError::Header {
                element: "ISA06",
                ..
            })
        ));
    }
}

/// The set as the reader would give it, written with separators that data cannot hold.
pub(crate) fn as_read(set: &OutboundSet, release: crate::Release) -> crate::TransactionSet {
    let delimiters = Delimiters {
        element: 0x1d,
        component: 0x1f,
        repetition: (release >= crate::Release::R005010).then_some(0x1e),
        terminator: 0x1c,
        ..Delimiters::default()
    };
    let mut bytes = Vec::new();
    set.write("0001", &delimiters, &mut bytes);
    crate::set::TransactionSet::from_bytes(&bytes, delimiters)
}
