//! The grammar of the segments around the transaction sets: TA1, GS, ST, SE, GE and IEA.
//!
//! Each parser reads one segment that is cut already, from its identifier to its last element,
//! without terminator and without the line breaks of a wrapped file: those of the interchange as
//! bytes, those of a set as the text that it is read as. The grammar is as lenient as senders are:
//! what is missing at the end is empty, what stands too much is counted. Whether the values can be
//! right is judged where they are read.

use crate::finding::{Finding, Rule};
use crate::text::decode;
use nom::bytes::complete::{tag, take_till};
use nom::combinator::opt;
use nom::error::{Error, ErrorKind};
use nom::multi::many0_count;
use nom::sequence::preceded;
use nom::{AsChar, Compare, IResult, Input, Parser};
use serde::{Deserialize, Serialize};

/// The GS of one functional group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GroupHeader {
    /// GS01, such as `PO`.
    pub functional_id: String,
    /// GS02, the application sender's code.
    pub sender: String,
    /// GS03, the application receiver's code.
    pub receiver: String,
    /// GS04.
    pub date: String,
    /// GS05.
    pub time: String,
    /// GS06.
    pub control_number: String,
    /// GS07, `X` for X12.
    pub agency: String,
    /// GS08, such as `004010` or `004010VICS`.
    pub version: String,
    /// First byte in the file, from 0.
    pub offset: u64,
    /// Line in the file, from 1.
    pub line: u64,
    /// First byte of GS08 in the file, or the end of the GS.
    #[serde(default)]
    pub version_offset: u64,
    /// Place among the groups of the interchange, from 1.
    pub ordinal: u32,
}

/// A TA1 that came in: the fate of an interchange that we sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ta1 {
    /// TA101, the control number of the interchange that it speaks of.
    pub control_number: String,
    /// TA102, that interchange's date.
    pub date: String,
    /// TA103, its time.
    pub time: String,
    /// TA104: `A`, `E` or `R`.
    pub code: String,
    /// TA105, the note code.
    pub note: String,
    /// First byte in the file, from 0.
    pub offset: u64,
}

/// A GS as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct WrittenGs {
    /// Its elements without their padding; where it stands is for the reader to fill in.
    pub header: GroupHeader,
    /// Something stands in GS02, be it blanks.
    pub is_sender_given: bool,
    /// Something stands in GS03, be it blanks.
    pub is_receiver_given: bool,
    /// Elements beyond GS08.
    pub surplus: usize,
}

/// ST01 to ST03 without their padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SetStart<'a> {
    pub st01: &'a str,
    pub st02: &'a str,
    /// Empty where there is none.
    pub st03: &'a str,
}

/// The two elements of an SE, GE or IEA without their padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Trailer<T> {
    /// SE01, GE01 or IEA01.
    pub count: T,
    /// SE02, GE02 or IEA02.
    pub control_number: T,
}

/// A finding about an element of a segment of the envelope, at its byte and line.
pub(crate) fn at_element(
    rule: Rule,
    (offset, line): (u64, u64),
    segment: &str,
    element: u16,
    text: impl Into<String>,
) -> Finding {
    Finding {
        segment: Some(segment.to_owned()),
        element: Some(element),
        data_element: data_element(segment, element),
        ..Finding::new(rule, offset, line, text)
    }
}

/// The number in X12's dictionary of an element of GS, GE, ST or SE; those of ISA, IEA and TA1 have none there.
pub(crate) fn data_element(segment: &str, element: u16) -> Option<u16> {
    let numbers: &[u16] = match segment {
        "GS" => &[479, 142, 124, 373, 337, 28, 455, 480],
        "GE" => &[97, 28],
        "ST" => &[143, 329, 1705],
        "SE" => &[96, 329],
        _ => &[],
    };
    numbers.get(usize::from(element).checked_sub(1)?).copied()
}

/// Reads a GS.
pub(crate) fn group_header(segment: &[u8], separator: u8) -> WrittenGs {
    read(gs(separator, segment))
}

/// Reads a TA1.
pub(crate) fn interchange_acknowledgment(segment: &[u8], separator: u8) -> Ta1 {
    read(ta1(separator, segment))
}

/// Reads an ST.
pub(crate) fn set_header(segment: &str, separator: u8) -> SetStart<'_> {
    read(st(separator, segment))
}

/// Reads an SE.
pub(crate) fn set_trailer(segment: &str, separator: u8) -> Trailer<&str> {
    read(trailer("SE", separator, str::trim_end, segment))
}

/// Reads a GE.
pub(crate) fn group_trailer(segment: &[u8], separator: u8) -> Trailer<String> {
    read(trailer("GE", separator, text, segment))
}

/// Reads an IEA.
pub(crate) fn interchange_trailer(segment: &[u8], separator: u8) -> Trailer<String> {
    read(trailer("IEA", separator, text, segment))
}

/// Only another identifier makes a parser fail, and by the identifier the reader chose it; what is
/// none of its kind has no values.
fn read<I, T: Default>(parsed: IResult<I, T>) -> T {
    parsed.map(|(_, value)| value).unwrap_or_default()
}

fn gs(separator: u8, segment: &[u8]) -> IResult<&[u8], WrittenGs> {
    let next = || next(separator);
    let (rest, _) = tag("GS")(segment)?;
    let (rest, (functional_id, sender, receiver, date)) =
        (next(), next(), next(), next()).parse(rest)?;
    let (rest, (time, control_number, agency, version)) =
        (next(), next(), next(), next()).parse(rest)?;
    let (rest, surplus) = many0_count(element(separator)).parse(rest)?;
    let header = GroupHeader {
        functional_id: text(functional_id),
        sender: text(sender),
        receiver: text(receiver),
        date: text(date),
        time: text(time),
        control_number: text(control_number),
        agency: text(agency),
        version: text(version),
        ..GroupHeader::default()
    };
    let written = WrittenGs {
        header,
        is_sender_given: !sender.is_empty(),
        is_receiver_given: !receiver.is_empty(),
        surplus,
    };
    Ok((rest, written))
}

fn ta1(separator: u8, segment: &[u8]) -> IResult<&[u8], Ta1> {
    let next = || next(separator).map(text);
    (tag("TA1"), next(), next(), next(), next(), next())
        .map(|(_, control_number, date, time, code, note)| Ta1 {
            control_number,
            date,
            time,
            code,
            note,
            offset: 0,
        })
        .parse(segment)
}

fn st(separator: u8, segment: &str) -> IResult<&str, SetStart<'_>> {
    let next = || next(separator).map(str::trim_end);
    (tag("ST"), next(), next(), next())
        .map(|(_, st01, st02, st03)| SetStart { st01, st02, st03 })
        .parse(segment)
}

/// A count and a control number, each without its padding.
fn trailer<I: Segment, T>(
    id: &'static str,
    separator: u8,
    trimmed: impl Fn(I) -> T,
    segment: I,
) -> IResult<I, Trailer<T>> {
    let next = || next(separator).map(&trimmed);
    (tag(id), next(), next())
        .map(|(_, count, control_number)| Trailer {
            count,
            control_number,
        })
        .parse(segment)
}

/// A segment as bytes or as text.
trait Segment: Input<Item: AsChar> + Compare<&'static str> + Default {}

impl Segment for &[u8] {}

impl Segment for &str {}

/// The next element; nothing where the segment has come to its end.
fn next<I: Segment>(separator: u8) -> impl Parser<I, Output = I, Error = Error<I>> {
    opt(element(separator)).map(Option::unwrap_or_default)
}

/// A separator, and what stands behind it up to the next.
fn element<I: Segment>(separator: u8) -> impl Parser<I, Output = I, Error = Error<I>> {
    let is_separator = move |item: I::Item| item.as_char() == char::from(separator);
    preceded(one(is_separator), take_till(is_separator))
}

/// One byte. nom's own parsers of single characters take a byte above 127 for two.
fn one<I: Segment>(
    is_wanted: impl Fn(I::Item) -> bool,
) -> impl Parser<I, Output = I, Error = Error<I>> {
    move |input: I| match input.iter_elements().next() {
        Some(item) if is_wanted(item) => Ok(input.take_split(1)),
        _ => Err(nom::Err::Error(Error::new(input, ErrorKind::Char))),
    }
}

/// An element as text without the padding at its end.
fn text(element: &[u8]) -> String {
    decode(element).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_header_element_by_element() {
        let read = group_header(b"GS*PO*BUYER *  *20260115*1230*12*X*004010VICS*more*", b'*');
        assert_eq!(
            read.header,
            GroupHeader {
                functional_id: "PO".to_owned(),
                sender: "BUYER".to_owned(),
                receiver: String::new(),
                date: "20260115".to_owned(),
                time: "1230".to_owned(),
                control_number: "12".to_owned(),
                agency: "X".to_owned(),
                version: "004010VICS".to_owned(),
                ..GroupHeader::default()
            }
        );
        assert!(
            read.is_sender_given && read.is_receiver_given,
            "blanks are given"
        );
        assert_eq!(read.surplus, 2);
    }

    #[test]
    fn what_is_missing_at_the_end_is_empty() {
        let read = group_header(b"GS*PO", b'*');
        assert_eq!(
            (
                read.header.functional_id.as_str(),
                read.is_sender_given,
                read.surplus
            ),
            ("PO", false, 0)
        );
        assert_eq!(group_header(b"GS", b'*'), WrittenGs::default());
        assert_eq!(set_trailer("SE*4", b'*').control_number, "");
        assert_eq!(set_header("ST", b'*'), SetStart::default());
    }

    #[test]
    fn headers_and_trailers_by_any_separator() {
        let st = set_header("ST|850|0001 |Müller|more", b'|');
        assert_eq!((st.st01, st.st02, st.st03), ("850", "0001", "Müller"));
        let se = set_trailer("SE\u{1d}4\u{1d}0001 \u{1d}x", 0x1d);
        assert_eq!((se.count, se.control_number), ("4", "0001"));
        let ge = group_trailer(b"GE\xa74\xa7M\xfc ", 0xa7);
        assert_eq!((&*ge.count, &*ge.control_number), ("4", "Mü"));
        let iea = interchange_trailer(b"IEA*1*000000001", b'*');
        assert_eq!((&*iea.count, &*iea.control_number), ("1", "000000001"));
        assert_eq!(set_trailer("XX*4*0001", b'*'), Trailer::default());
        let ta1 = interchange_acknowledgment(b"TA1*000000007*260115*1230*R*022", b'*');
        assert_eq!(
            (
                ta1.control_number.as_str(),
                ta1.date.as_str(),
                ta1.time.as_str()
            ),
            ("000000007", "260115", "1230")
        );
        assert_eq!((ta1.code.as_str(), ta1.note.as_str()), ("R", "022"));
    }
}
