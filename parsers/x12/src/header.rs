//! The grammar of the ISA: fixed by the standard, and as senders really write it.
//!
//! Three readings are tried in turn: 106 bytes with every separator in its place; the same after
//! the line breaks of a wrapped file are left out; and sixteen elements of whatever width.

use crate::delimiters::{AfterTerminator, Delimiters};
use crate::envelope::at_element;
use crate::finding::{Finding, Rule};
use crate::text::{decode, show, show_byte};
use nom::bytes::{tag, take, take_till};
use nom::{IResult, Parser};
use serde::{Deserialize, Serialize};

/// Widths of ISA01 to ISA15.
const WIDTHS: [usize; 15] = [2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1];
/// Bytes of an ISA with its terminator.
pub(crate) const ISA_LENGTH: usize = 106;
/// No ISA, however padded or wrapped, is looked for beyond so many bytes.
pub(crate) const ISA_WINDOW: usize = 512;

/// The ISA of one interchange: its elements without their padding.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IsaHeader {
    /// ISA01.
    pub authorization_qualifier: String,
    /// ISA02.
    pub authorization: String,
    /// ISA03.
    pub security_qualifier: String,
    /// ISA04.
    pub security: String,
    /// ISA05.
    pub sender_qualifier: String,
    /// ISA06.
    pub sender: String,
    /// ISA07.
    pub receiver_qualifier: String,
    /// ISA08.
    pub receiver: String,
    /// ISA09, YYMMDD.
    pub date: String,
    /// ISA10, HHMM.
    pub time: String,
    /// ISA11: `U`, or the repetition separator.
    pub standards_id: String,
    /// ISA12, such as `00401`.
    pub version: String,
    /// ISA13, nine digits.
    pub control_number: String,
    /// ISA14 as it stands; see [`IsaHeader::wants_ta1`].
    pub ack_requested: String,
    /// ISA15: `P` production, `T` test, `I` information.
    pub usage: String,
    /// The separators that it declares.
    pub delimiters: Delimiters,
    /// First byte in the file, from 0.
    pub offset: u64,
    /// Line in the file, from 1.
    pub line: u64,
}

impl IsaHeader {
    /// ISA14 is 1: the sender wants a TA1 whatever comes of the interchange.
    pub fn wants_ta1(&self) -> bool {
        self.ack_requested == "1"
    }

    /// ISA15 is not `P`: test traffic, or information.
    pub fn is_test(&self) -> bool {
        self.usage != "P"
    }
}

/// What an attempt to read an ISA came to.
pub(crate) enum IsaReading {
    /// Not enough bytes to decide.
    More,
    /// No ISA begins here.
    No,
    /// Something that begins like an ISA and cannot be one.
    Unreadable(Finding),
    /// An ISA of `length` bytes, its terminator included.
    Read {
        header: Box<IsaHeader>,
        length: usize,
        findings: Vec<Finding>,
    },
}

/// The sixteen elements as bytes, and the separators.
struct RawIsa<'a> {
    elements: Vec<&'a [u8]>,
    separator: u8,
    component: u8,
    terminator: u8,
    length: usize,
}

/// Reads the ISA that `bytes` begins with. `sure` says that nothing but white space stands
/// before it, so that what begins like an ISA is meant as one.
pub(crate) fn read_isa(
    bytes: &[u8],
    at_end: bool,
    sure: bool,
    offset: u64,
    line: u64,
) -> IsaReading {
    if !bytes.starts_with(b"ISA") {
        return if !at_end && b"ISA".starts_with(bytes) {
            IsaReading::More
        } else {
            IsaReading::No
        };
    }
    if bytes.len() < ISA_LENGTH && !at_end {
        return IsaReading::More;
    }
    if let Ok((_, raw)) = fixed_isa(bytes) {
        if raw.terminator.is_ascii_alphanumeric() && bytes.len() < ISA_WINDOW && !at_end {
            return IsaReading::More;
        }
        let raw = without_component(raw, bytes);
        return finish(raw, bytes, Vec::new(), offset, line);
    }
    if bytes.len() < ISA_WINDOW && !at_end {
        return IsaReading::More;
    }
    let window = &bytes[..bytes.len().min(ISA_WINDOW)];
    let (joined, origins) = without_breaks(window);
    let wrapped = || {
        of_isa(
            Rule::IsaWrapped,
            offset,
            line,
            "The ISA is broken over lines; it was read as if the line breaks were not there. Ask the sender not to wrap files.",
        )
    };
    if let Ok((_, mut raw)) = fixed_isa(&joined) {
        raw.length = origins
            .get(raw.length - 1)
            .map_or(window.len(), |at| at + 1);
        return finish(raw, bytes, vec![wrapped()], offset, line);
    }
    let problem = || {
        of_isa(
            Rule::IsaNotFixedWidth,
            offset,
            line,
            "The elements of the ISA do not have their fixed widths (106 bytes in all), so the separators were found by counting. The sender must pad ISA02, 04, 06 and 08 with blanks to 10, 10, 15 and 15 characters.",
        )
    };
    if let Some(raw) = loose_wrapped_isa(window, &joined, &origins) {
        return finish(raw, bytes, vec![problem(), wrapped()], offset, line);
    }
    match loose_isa(window) {
        Ok((_, raw)) => finish(raw, bytes, vec![problem()], offset, line),
        Err(_) if sure || plausible_start(window) => IsaReading::Unreadable(of_isa(
            Rule::IsaUnreadable,
            offset,
            line,
            "Something begins with ISA but does not hold the sixteen elements of an interchange header, so it cannot be read or answered. Ask the sender for the file again.",
        )),
        Err(_) => IsaReading::No,
    }
}

/// A finding about the ISA as a whole.
fn of_isa(rule: Rule, offset: u64, line: u64, text: &str) -> Finding {
    Finding {
        segment: Some("ISA".to_owned()),
        ..Finding::new(rule, offset, line, text)
    }
}

/// `ISA`, a byte that can separate, and an ISA01 of two characters.
fn plausible_start(bytes: &[u8]) -> bool {
    matches!(bytes, [b'I', b'S', b'A', separator, _, _, second, ..] if !separator.is_ascii_alphanumeric() && separator == second)
}

/// The standard's ISA: every separator in its place.
fn fixed_isa(input: &[u8]) -> IResult<&[u8], RawIsa<'_>> {
    let (mut rest, _) = tag(&b"ISA"[..]).parse(input)?;
    let separator = rest.first().copied().unwrap_or(0);
    let mut elements = Vec::with_capacity(15);
    for width in WIDTHS {
        let (after, (_, element)) = (tag(&[separator][..]), take(width)).parse(rest)?;
        if element.contains(&separator) {
            return Err(nom::Err::Error(nom::error::Error::new(
                rest,
                nom::error::ErrorKind::Verify,
            )));
        }
        elements.push(element);
        rest = after;
    }
    let (rest, (_, last)) = (tag(&[separator][..]), take(2usize)).parse(rest)?;
    Ok((
        rest,
        RawIsa {
            elements,
            separator,
            component: last[0],
            terminator: last[1],
            length: ISA_LENGTH,
        },
    ))
}

/// An ISA whose ISA16 is empty has its terminator in that place, and the next segment begins where
/// the terminator should stand.
fn without_component<'a>(raw: RawIsa<'a>, bytes: &[u8]) -> RawIsa<'a> {
    let next = &bytes[raw.length - 1..bytes.len().min(ISA_WINDOW)];
    if raw.terminator.is_ascii_alphanumeric()
        && !matches!(raw.component, b'\r' | b'\n')
        && begins_segment(next, raw.separator)
        && next.contains(&raw.component)
    {
        return RawIsa {
            component: 0,
            terminator: raw.component,
            length: raw.length - 1,
            ..raw
        };
    }
    raw
}

/// Whether these bytes are an ISA with every separator in its place and plausible contents.
pub(crate) fn is_fixed_isa(bytes: &[u8]) -> bool {
    fixed_isa(bytes).is_ok_and(|(_, raw)| {
        !raw.separator.is_ascii_alphanumeric() && raw.elements[12].iter().all(u8::is_ascii_digit)
    })
}

/// Sixteen elements of any width up to 40. A missing ISA16 is recognised by the GS that follows.
fn loose_isa(input: &[u8]) -> IResult<&[u8], RawIsa<'_>> {
    let refuse = |at| nom::Err::Error(nom::error::Error::new(at, nom::error::ErrorKind::Verify));
    let (mut rest, _) = tag(&b"ISA"[..]).parse(input)?;
    let separator = rest.first().copied().unwrap_or(b'A');
    if separator.is_ascii_alphanumeric()
        || separator == b' '
        || separator == b'\r'
        || separator == b'\n'
    {
        return Err(refuse(rest));
    }
    let mut elements = Vec::with_capacity(15);
    for _ in WIDTHS {
        let (after, (_, element)) =
            (tag(&[separator][..]), take_till(|b| b == separator)).parse(rest)?;
        if element.len() > 40 || after.is_empty() || element.contains(&b'\n') {
            return Err(refuse(rest));
        }
        elements.push(element);
        rest = after;
    }
    // ISA11, 14 and 15 have one character, or one of the separators counted is not the ISA's.
    if [10, 13, 14]
        .iter()
        .any(|at| elements[*at].trim_ascii().len() > 1)
    {
        return Err(refuse(rest));
    }
    let (after, (_, first)) = (tag(&[separator][..]), take(1usize)).parse(rest)?;
    let begins = |at: &[u8]| begins_segment(at, separator);
    let (after, component, terminator) = match after.split_first() {
        Some((second, next)) if !begins(after) || begins(next) => (next, first[0], *second),
        _ => (after, 0, first[0]),
    };
    Ok((
        after,
        RawIsa {
            elements,
            separator,
            component,
            terminator,
            length: input.len() - after.len(),
        },
    ))
}

/// Whether what may follow an ISA begins here, or nothing does.
fn begins_segment(at: &[u8], separator: u8) -> bool {
    let at = at.trim_ascii_start();
    at.is_empty()
        || [&b"GS"[..], b"TA1", b"IEA"]
            .iter()
            .any(|id| at.starts_with(id) && at.get(id.len()) == Some(&separator))
}

/// Elements that lost their padding in a file that was wrapped as well: line breaks stand among
/// them, and the terminator may be a line break itself.
fn loose_wrapped_isa<'a>(window: &[u8], joined: &'a [u8], origins: &[usize]) -> Option<RawIsa<'a>> {
    let separator = *joined.get(3)?;
    let breaks_in = |from: usize, to: usize| {
        (from..to).any(|at| {
            origins
                .get(at + 1)
                .is_some_and(|next| *next > origins[at] + 1)
        })
    };
    let (_, raw) = loose_isa(joined).ok()?;
    let count: usize = raw.elements.iter().map(|element| element.len() + 1).sum();
    let (component, digits) = (3 + count + 1, |text: &[u8]| {
        !text.is_empty() && text.iter().all(u8::is_ascii_digit)
    });
    let plausible = digits(raw.elements[11])
        && digits(raw.elements[12])
        && raw.elements[13].len() == 1
        && raw.elements[14].len() == 1;
    if !plausible || !breaks_in(0, component) {
        return None;
    }
    let at = *origins.get(component)? + 1;
    let terminator = *window.get(at)?;
    if begins_segment(window.get(at + 1..)?, separator) {
        return Some(RawIsa {
            component: joined[component],
            terminator,
            length: at + 1,
            ..raw
        });
    }
    None
}

/// The bytes without CR and LF, and where each of them stood.
fn without_breaks(bytes: &[u8]) -> (Vec<u8>, Vec<usize>) {
    bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte != b'\r' && **byte != b'\n')
        .map(|(at, byte)| (*byte, at))
        .unzip()
}

fn finish(
    raw: RawIsa<'_>,
    bytes: &[u8],
    mut findings: Vec<Finding>,
    offset: u64,
    line: u64,
) -> IsaReading {
    let text = |n: usize| {
        decode(raw.elements.get(n - 1).copied().unwrap_or_default())
            .trim()
            .to_owned()
    };
    let version = text(12);
    let repetition =
        repetition_separator(raw.elements.get(10).copied().unwrap_or_default(), &version);
    let delimiters = Delimiters {
        element: raw.separator,
        component: raw.component,
        repetition,
        terminator: raw.terminator,
        after_terminator: after_terminator(
            raw.terminator,
            bytes.get(raw.length..).unwrap_or_default(),
        ),
    };
    let header = IsaHeader {
        authorization_qualifier: text(1),
        authorization: text(2),
        security_qualifier: text(3),
        security: text(4),
        sender_qualifier: text(5),
        sender: text(6),
        receiver_qualifier: text(7),
        receiver: text(8),
        date: text(9),
        time: text(10),
        standards_id: text(11),
        version,
        control_number: text(13),
        ack_requested: text(14),
        usage: text(15),
        delimiters,
        offset,
        line,
    };
    let isa = bytes.get(..raw.length).unwrap_or(bytes);
    judge(&header, isa, &mut findings);
    IsaReading::Read {
        header: Box::new(header),
        length: raw.length,
        findings,
    }
}

/// ISA11 separates repetitions from 00402 on, and only if it is no letter, digit or blank (rule 4).
fn repetition_separator(isa11: &[u8], version: &str) -> Option<u8> {
    match isa11 {
        [byte]
            if version >= "00402"
                && version.len() == 5
                && !byte.is_ascii_alphanumeric()
                && *byte != b' ' =>
        {
            Some(*byte)
        }
        _ => None,
    }
}

/// The line end that follows the first terminator, and the rest of a terminator that was written
/// as one character of two or three bytes.
fn after_terminator(terminator: u8, rest: &[u8]) -> AfterTerminator {
    let continuation = match terminator {
        0xc2..=0xdf => 1,
        0xe0..=0xef => 2,
        _ => 0,
    };
    let mut length = 0;
    if rest.len() >= continuation
        && rest[..continuation]
            .iter()
            .all(|byte| (0x80..0xc0).contains(byte))
    {
        length = continuation;
    }
    if rest.get(length) == Some(&b'\r') && terminator != b'\r' {
        length += 1;
    }
    if rest.get(length) == Some(&b'\n') && terminator != b'\n' {
        length += 1;
    }
    AfterTerminator::new(&rest[..length])
}

/// A finding about an element of the ISA, which is given from its first byte to its terminator; 0 speaks of the element
/// separator, 17 of the terminator.
pub(crate) fn at_isa_element(
    rule: Rule,
    header: &IsaHeader,
    isa: &[u8],
    element: u16,
    text: impl Into<String>,
) -> Finding {
    let at = match element {
        0 => 3,
        17 => isa.len().saturating_sub(1),
        n => element_start(isa, header.delimiters.element, n),
    };
    let lines = memchr::memchr_iter(b'\n', isa.get(..at).unwrap_or(isa)).count() as u64;
    let place = (header.offset + at as u64, header.line + lines);
    Finding {
        element: (1..=16).contains(&element).then_some(element),
        ..at_element(rule, place, "ISA", element, text)
    }
}

/// Where an element of an ISA begins: behind its separator, and behind the line breaks of a wrapped file.
fn element_start(isa: &[u8], separator: u8, element: u16) -> usize {
    let before = usize::from(element).saturating_sub(1);
    let at = memchr::memchr_iter(separator, isa).nth(before);
    let start = at.map_or(isa.len(), |at| at + 1);
    let rest = isa.get(start..).unwrap_or_default();
    let breaks = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    // Line breaks at the very end are separators themselves.
    (start + breaks.count()).min(isa.len().saturating_sub(1))
}

/// Checks the elements of the ISA, each for itself.
fn judge(isa: &IsaHeader, bytes: &[u8], findings: &mut Vec<Finding>) {
    let mut fault = |rule: Rule, element: u16, value: &str, text: String| {
        findings.push(at_isa_element(rule, isa, bytes, element, text).with_value(value));
    };
    let qualifier = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphanumeric());
    let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
    for (rule, element, value, needs) in [
        (
            Rule::IsaSecurityQualifier,
            1,
            &isa.authorization_qualifier,
            "ISA01 must be a qualifier of two characters, 00 if unused",
        ),
        (
            Rule::IsaSecurityQualifier,
            3,
            &isa.security_qualifier,
            "ISA03 must be a qualifier of two characters, 00 if unused",
        ),
        (
            Rule::IsaSenderQualifier,
            5,
            &isa.sender_qualifier,
            "ISA05 must be a qualifier of two characters such as ZZ or 01",
        ),
        (
            Rule::IsaReceiverQualifier,
            7,
            &isa.receiver_qualifier,
            "ISA07 must be a qualifier of two characters such as ZZ or 01",
        ),
    ] {
        if !qualifier(value) {
            let mut text = format!("{needs}, not {}.", show(value));
            if value.is_empty() {
                text = format!("{needs}; it is empty.");
            }
            fault(rule, element, value, text);
        }
    }
    for (rule, element, value, who) in [
        (Rule::IsaSender, 6, &isa.sender, "sender"),
        (Rule::IsaReceiver, 8, &isa.receiver, "receiver"),
    ] {
        if value.is_empty() || value.chars().any(char::is_control) {
            fault(
                rule,
                element,
                value,
                format!(
                    "ISA{element:02} does not name the {who}: it is blank or holds control characters."
                ),
            );
        }
    }
    if !digits(&isa.date, 6) || !crate::element::is_date(isa.date.as_bytes()) {
        fault(
            Rule::IsaDate,
            9,
            &isa.date,
            format!("ISA09 must be a date as YYMMDD, not {}.", show(&isa.date)),
        );
    }
    if !digits(&isa.time, 4) || !crate::element::is_time(isa.time.as_bytes()) {
        fault(
            Rule::IsaTime,
            10,
            &isa.time,
            format!("ISA10 must be a time as HHMM, not {}.", show(&isa.time)),
        );
    }
    if isa.delimiters.repetition.is_none() && isa.standards_id != "U" {
        fault(
            Rule::IsaStandards,
            11,
            &isa.standards_id,
            format!(
                "ISA11 is {}; with version {} it should be U. It was not used as a separator.",
                show(&isa.standards_id),
                show(&isa.version)
            ),
        );
    }
    if !digits(&isa.version, 5) {
        fault(
            Rule::IsaVersion,
            12,
            &isa.version,
            format!(
                "ISA12 must be a version of five digits such as 00401, not {}.",
                show(&isa.version)
            ),
        );
    }
    if !digits(&isa.control_number, 9) {
        fault(
            Rule::IsaControlNumber,
            13,
            &isa.control_number,
            format!(
                "ISA13 must be a control number of exactly nine digits, not {}.",
                show(&isa.control_number)
            ),
        );
    }
    if isa.ack_requested != "0" && isa.ack_requested != "1" {
        fault(
            Rule::IsaAckRequested,
            14,
            &isa.ack_requested,
            format!("ISA14 must be 0 or 1, not {}.", show(&isa.ack_requested)),
        );
    }
    if !matches!(isa.usage.as_str(), "P" | "T" | "I") {
        fault(
            Rule::IsaUsage,
            15,
            &isa.usage,
            format!(
                "ISA15 must be P (production), T (test) or I, not {}.",
                show(&isa.usage)
            ),
        );
    }
    judge_separators(isa, bytes, findings);
}

/// Rule 5: separators differ, and none is a letter, a digit or a blank.
fn judge_separators(isa: &IsaHeader, bytes: &[u8], findings: &mut Vec<Finding>) {
    if isa.delimiters.usable() {
        return;
    }
    let named: Vec<(&str, u8)> = isa.delimiters.named().collect();
    for (at, (name, byte)) in named.iter().enumerate() {
        let (rule, element) = match *name {
            "element separator" => (Rule::ElementSeparatorInvalid, 0),
            "component separator" => (Rule::ComponentSeparatorInvalid, 16),
            "segment terminator" => (Rule::TerminatorInvalid, 17),
            _ => (Rule::SeparatorsClash, 11),
        };
        let text = if *name == "component separator" && *byte == 0 {
            "ISA16 declares no component separator: it is missing, or a NUL. The sender must put one character there.".to_owned()
        } else if byte.is_ascii_alphanumeric() || *byte == b' ' {
            format!(
                "The {name} is {}; it must be no letter, digit or blank.",
                show_byte(*byte)
            )
        } else if let Some((other, _)) = named[..at].iter().find(|(_, earlier)| earlier == byte) {
            format!(
                "The {name} is {}, which is the {other} too; every separator must be a byte of its own.",
                show_byte(*byte)
            )
        } else {
            continue;
        };
        findings.push(at_isa_element(rule, isa, bytes, element, text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAN: &str = "ISA*00*          *00*          *ZZ*SENDER         *01*RECEIVER       *260115*1230*U*00401*000000001*0*P*>~";

    fn read(text: &str) -> (IsaHeader, usize, Vec<Rule>) {
        match read_isa(text.as_bytes(), true, true, 0, 1) {
            IsaReading::Read {
                header,
                length,
                findings,
            } => (*header, length, findings.iter().map(|f| f.rule).collect()),
            _ => panic!("not read: {text}"),
        }
    }

    #[test]
    fn rule_001_isa_is_106_bytes() {
        let (isa, length, findings) = read(CLEAN);
        assert_eq!(
            (length, isa.sender.as_str(), isa.receiver_qualifier.as_str()),
            (106, "SENDER", "01")
        );
        assert_eq!(isa.delimiters, Delimiters::default());
        assert_eq!(findings, []);
    }

    #[test]
    fn a_finding_stands_at_its_element() {
        let places =
            |text: &str, offset, line| match read_isa(text.as_bytes(), true, true, offset, line) {
                IsaReading::Read { findings, .. } => findings
                    .iter()
                    .map(|found| (found.rule, found.element, found.offset, found.line))
                    .collect::<Vec<_>>(),
                _ => panic!("not read: {text}"),
            };
        let faulty = CLEAN.replace("260115*1230", "261315*2560");
        assert_eq!(
            places(&faulty, 1000, 7),
            [
                (Rule::IsaDate, Some(9), 1070, 7),
                (Rule::IsaTime, Some(10), 1077, 7)
            ]
        );
        // Wrapped right before ISA10, which begins behind the line break.
        let wrapped = format!("{}\r\n{}", &faulty[..77], &faulty[77..]);
        assert_eq!(
            places(&wrapped, 0, 1)[1..],
            [
                (Rule::IsaDate, Some(9), 70, 1),
                (Rule::IsaTime, Some(10), 79, 2)
            ]
        );
        let collapsed = "ISA*00**00**ZZ*A*ZZ*B*261315*1230*U*00401*000000001*0*P*>~GS*PO";
        assert_eq!(places(collapsed, 0, 1)[1], (Rule::IsaDate, Some(9), 22, 1));
        assert_eq!(
            places(&CLEAN.replace(">~", "*~"), 0, 1),
            [(Rule::ComponentSeparatorInvalid, Some(16), 104, 1)]
        );
        assert_eq!(
            places(&CLEAN.replace(">~", ">>"), 0, 1),
            [(Rule::TerminatorInvalid, None, 105, 1)]
        );
    }

    #[test]
    fn rule_003_line_end_after_the_terminator() {
        let (isa, ..) = read(&format!("{CLEAN}\r\nGS*"));
        assert_eq!(isa.delimiters.after_terminator, AfterTerminator::CRLF);
        let (isa, length, _) = read(&CLEAN.replace('~', "\r\n"));
        assert_eq!((isa.delimiters.terminator, length), (b'\r', 106));
        assert_eq!(isa.delimiters.after_terminator, AfterTerminator::LF);
    }

    #[test]
    fn rule_004_repetition_separator_by_version() {
        assert_eq!(
            read(&CLEAN.replace("*U*00401", "*^*00501"))
                .0
                .delimiters
                .repetition,
            Some(b'^')
        );
        assert_eq!(
            read(&CLEAN.replace("*U*00401", "*^*00402"))
                .0
                .delimiters
                .repetition,
            Some(b'^')
        );
        assert_eq!(
            read(&CLEAN.replace("*U*00401", "*U*00501"))
                .0
                .delimiters
                .repetition,
            None
        );
        let (isa, _, findings) = read(&CLEAN.replace("*U*00401", "*^*00401"));
        assert_eq!(
            (isa.delimiters.repetition, findings),
            (None, vec![Rule::IsaStandards])
        );
    }

    #[test]
    fn wrapped_and_collapsed() {
        let wrapped = format!("{}\r\n{}", &CLEAN[..80], &CLEAN[80..]);
        let (isa, length, findings) = read(&wrapped);
        assert_eq!(
            (isa.control_number.as_str(), length, findings),
            ("000000001", 108, vec![Rule::IsaWrapped])
        );
        let (isa, length, findings) =
            read("ISA*00**00**ZZ*A*ZZ*B*260115*1230*U*00401*000000001*0*P*>~GS*PO");
        assert_eq!(
            (isa.sender.as_str(), isa.delimiters.terminator, findings),
            ("A", b'~', vec![Rule::IsaNotFixedWidth])
        );
        assert_eq!(
            length,
            "ISA*00**00**ZZ*A*ZZ*B*260115*1230*U*00401*000000001*0*P*>~".len()
        );
        let collapsed = "ISA*00* *00* *ZZ*A *ZZ*B *260115*12\n30*U*00401*000000001*0*P*>~\nGS*PO*";
        let (isa, length, findings) = read(collapsed);
        assert_eq!(
            (isa.time.as_str(), isa.delimiters.terminator, length),
            ("1230", b'~', collapsed.len() - 7)
        );
        assert_eq!(findings, [Rule::IsaNotFixedWidth, Rule::IsaWrapped]);
        let (isa, ..) = read(&collapsed.replace('~', ""));
        assert_eq!(
            (isa.delimiters.component, isa.delimiters.terminator),
            (b'>', b'\n')
        );
        let (isa, _, findings) =
            read("ISA*00**00**ZZ*A*ZZ*B*260115*1230*U*00401*000000001*0*P*~GS*PO*");
        assert_eq!(isa.delimiters.terminator, b'~');
        assert!(
            findings.contains(&Rule::ComponentSeparatorInvalid),
            "{findings:?}"
        );
    }

    #[test]
    fn rule_002_elements_that_cannot_be_right() {
        let (.., findings) = read(
            &CLEAN
                .replace("260115", "261315")
                .replace("000000001", "00000000A")
                .replace("*P*>", "*X*>"),
        );
        assert_eq!(
            findings,
            [Rule::IsaDate, Rule::IsaControlNumber, Rule::IsaUsage]
        );
        let (.., findings) = read(&CLEAN.replace(">~", "*~"));
        assert_eq!(findings, [Rule::ComponentSeparatorInvalid]);
    }
}
