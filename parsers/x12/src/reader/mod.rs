//! The streaming reader: any bytes in, events out, one transaction set in memory at a time.
//!
//! Every byte of the source belongs to exactly one event ([`Reader::raw`]), so that what was
//! read can be given back byte for byte. Apart from an error of the source itself nothing
//! fails: whatever is wrong becomes a [`Finding`], and reading goes on at the next interchange.

mod assemble;
mod outside;
mod seen;
mod stored;
mod window;

pub use stored::{NotASet, read_set, read_set_with_limits};

use crate::delimiters::Delimiters;
use crate::envelope::{self, GroupHeader, Ta1, Trailer, WrittenGs, at_element};
use crate::finding::{Finding, Rule};
use crate::header::IsaHeader;
use crate::limits::Limits;
use crate::set::TransactionSet;
use crate::text::{show, stand, were};
use seen::ControlNumbers;
use std::io::{self, Read};
use window::{Piece, Window};

/// What the reader met.
#[derive(Debug)]
pub enum Event<'a> {
    /// Bytes that belong to no interchange; blank ones come without a finding.
    Outside(Outside),
    /// An ISA, and what is wrong with it.
    InterchangeOpened(&'a IsaHeader, &'a [Finding]),
    /// A TA1 between the ISA and the first group.
    Ta1(&'a Ta1),
    /// A GS.
    GroupOpened(&'a GroupHeader),
    /// A whole transaction set.
    Set(&'a TransactionSet),
    /// A segment that stands where none belongs; its finding comes with the group or interchange.
    Stray(Stray<'a>),
    /// A GE, or the place where it should have stood.
    GroupClosed(GroupClosed),
    /// An IEA, or the place where it should have stood.
    InterchangeClosed(InterchangeClosed),
    /// The end of a file that held no interchange: what it looks like.
    NoInterchange(Finding),
}

/// Bytes between interchanges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// First byte in the file.
    pub offset: u64,
    /// Number of bytes.
    pub length: u64,
    /// What is wrong with them; only on the first of several that follow one another.
    pub finding: Option<Finding>,
}

/// A segment between the sets, groups or interchanges that it should be part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray<'a> {
    /// First byte in the file.
    pub offset: u64,
    /// The segment without its terminator.
    pub bytes: &'a [u8],
}

/// The end of a functional group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupClosed {
    /// The GS that opened it.
    pub header: GroupHeader,
    /// GE01 as a number; none where GE is missing or holds no number.
    pub claimed_sets: Option<u32>,
    /// Transaction sets that were read.
    pub received_sets: u32,
    /// GE02; none where GE is missing.
    pub trailer_control_number: Option<String>,
    /// What is wrong with GS and GE.
    pub findings: Vec<Finding>,
}

/// The end of an interchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterchangeClosed {
    /// The ISA that opened it.
    pub header: IsaHeader,
    /// Whether its IEA was seen. Without it the interchange must not be acted upon.
    pub iea_seen: bool,
    /// IEA01 as a number.
    pub claimed_groups: Option<u32>,
    /// Groups that were read.
    pub groups: u32,
    /// Transaction sets that were read.
    pub sets: u32,
    /// TA1 segments that were read.
    pub ta1s: u32,
    /// Segments, ISA and IEA included.
    pub segments: u64,
    /// Bytes from the ISA to the end of the IEA.
    pub length: u64,
    /// All findings of the interchange itself, those of its ISA included.
    pub findings: Vec<Finding>,
}

impl InterchangeClosed {
    /// Whether it held TA1 segments and nothing else, so that no TA1 may answer it (rule 41).
    pub fn is_only_ta1(&self) -> bool {
        self.ta1s > 0 && self.groups == 0
    }
}

/// Reads X12 from a source of bytes.
///
/// ```
/// # let file: &[u8] = b"ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000001*0*P*>~GS*PO*BUYER*SELLER*20260115*1230*1*X*004010~ST*850*0001~BEG*00*SA*4711**20260115~PO1*1*12*EA*8.5~SE*4*0001~GE*1*1~IEA*1*000000001~";
/// use supercargo_x12::{Event, Reader};
/// let mut reader = Reader::new(file);
/// while let Some(event) = reader.next()? {
///     if let Event::Set(set) = event {
///         println!("{} {} at byte {}", set.code(), set.control_number(), set.offset());
///         for line in set.segments().filter(|segment| segment.id() == "PO1") {
///             println!("{} {} at {}", line.element(2), line.element(3), line.element(4));
///         }
///     }
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Reader<R> {
    window: Window<R>,
    limits: Limits,
    interchange: Option<OpenInterchange>,
    group: Option<OpenGroup>,
    set: TransactionSet,
    /// (sender, receiver, control number) of the interchanges met, to see one repeated.
    isa_numbers: ControlNumbers,
    opened: u64,
    outside_reported: bool,
    /// Findings outside interchanges so far.
    outside_findings: usize,
    first_bytes: Vec<u8>,
    ended: bool,
    ta1: Ta1,
}

struct OpenInterchange {
    header: IsaHeader,
    findings: Vec<Finding>,
    groups: u32,
    sets: u32,
    ta1s: u32,
    segments: u64,
    group_numbers: ControlNumbers,
    stray_reported: bool,
    breaks_reported: bool,
}

struct OpenGroup {
    header: GroupHeader,
    findings: Vec<Finding>,
    sets: u32,
    /// Byte and line of its GS01.
    functional_id: (u64, u64),
    /// Sets that do not belong under its GS01.
    foreign_sets: u32,
    numbers: ControlNumbers,
    stray_reported: bool,
    /// A set was given up half-way: what follows up to its SE is not reported again.
    abandoned: bool,
}

impl<R: Read> Reader<R> {
    /// A reader with the default limits.
    pub fn new(source: R) -> Reader<R> {
        Reader::with_limits(source, Limits::default())
    }

    /// A reader with limits of its own.
    pub fn with_limits(source: R, limits: Limits) -> Reader<R> {
        Reader {
            window: Window::new(source, limits),
            limits,
            interchange: None,
            group: None,
            set: TransactionSet::default(),
            isa_numbers: ControlNumbers::default(),
            opened: 0,
            outside_reported: false,
            outside_findings: 0,
            first_bytes: Vec::new(),
            ended: false,
            ta1: Ta1::default(),
        }
    }

    /// Begins anew with another source, as if with a new reader, but with the memory of this one:
    /// what to do with many small files.
    pub fn restart(&mut self, source: R) {
        self.window.restart(source);
        self.interchange = None;
        self.group = None;
        self.isa_numbers = ControlNumbers::default();
        self.opened = 0;
        self.outside_reported = false;
        self.outside_findings = 0;
        self.first_bytes.clear();
        self.ended = false;
    }

    /// The next event, or none at the end of the source.
    ///
    /// # Errors
    /// Only those of the source.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> io::Result<Option<Event<'_>>> {
        self.window.forget_raw();
        if self.interchange.is_none() {
            self.next_outside()
        } else {
            self.next_inside()
        }
    }

    /// The bytes of the file that the last event stands for, with the line ends and blanks before
    /// them. All of them in order are the file.
    pub fn raw(&self) -> &[u8] {
        self.window.bytes(self.window.raw_from, self.window.cursor)
    }

    /// What is wrong so far with the envelope of the interchange that is open, its groups' headers included. All of
    /// it comes again with [`Event::InterchangeClosed`]; who wants to tell each thing at its place need not wait for that.
    pub fn interchange_findings(&self) -> &[Finding] {
        let open = self.interchange.as_ref();
        open.map_or(&[], |open| &open.findings)
    }

    /// What is wrong so far with the group that is open; it comes again with [`Event::GroupClosed`].
    pub fn group_findings(&self) -> &[Finding] {
        self.group.as_ref().map_or(&[], |group| &group.findings)
    }

    /// The byte of the file up to which events were given.
    pub fn position(&self) -> u64 {
        self.window.offset(self.window.cursor)
    }

    fn next_inside(&mut self) -> io::Result<Option<Event<'_>>> {
        let Some(piece) = self.window.peek()? else {
            return Ok(Some(self.close_at_end()));
        };
        match piece {
            Piece::Blank { from, to } => Ok(Some(self.pass_over(from, to, None))),
            Piece::Oversized { from, to, ends } => Ok(Some(self.pass_over(from, to, Some(ends)))),
            Piece::Segment(segment) => {
                let id = self.window.id(&segment);
                match id.as_bytes() {
                    b"ST" if self.group.is_some() => self.read_set(segment).map(Some),
                    b"GS" => {
                        if self.group.is_some() {
                            return Ok(Some(self.close_group(None)));
                        }
                        Ok(Some(self.open_group(segment)))
                    }
                    b"GE" if self.group.is_some() => Ok(Some(self.close_group(Some(segment)))),
                    b"IEA" => {
                        if self.group.is_some() {
                            return Ok(Some(self.close_group(None)));
                        }
                        Ok(Some(self.close_interchange(Some(segment))))
                    }
                    b"TA1" if self.group.is_none() && self.no_group_yet() => {
                        Ok(Some(self.read_ta1(segment)))
                    }
                    b"ISB" | b"ISE" | b"TA3" | b"ISX"
                        if self.group.is_none() && self.no_group_yet() =>
                    {
                        Ok(Some(self.service(segment, id)))
                    }
                    _ => Ok(Some(self.stray(segment))),
                }
            }
        }
    }

    fn no_group_yet(&self) -> bool {
        self.interchange
            .as_ref()
            .is_some_and(|open| open.groups == 0)
    }

    /// The source, or the bytes of this interchange, have come to an end.
    fn close_at_end(&mut self) -> Event<'_> {
        if self.group.is_some() {
            self.close_group(None)
        } else {
            self.close_interchange(None)
        }
    }

    /// The text of a segment of the envelope, which is stepped over.
    fn taken(&mut self, segment: &window::Found) -> Vec<u8> {
        let text = self.window.text(segment).into_owned();
        self.consume(segment);
        text
    }

    fn here(&self, at: usize) -> (u64, u64) {
        (self.window.offset(at), self.window.line_at(at))
    }

    /// Byte and line of a segment of the envelope, and of its elements from the first on.
    fn places<const N: usize>(&self, segment: &window::Found) -> [(u64, u64); N] {
        std::array::from_fn(|n| self.here(self.window.element_start(segment, n)))
    }

    fn open_group(&mut self, segment: window::Found) -> Event<'_> {
        let places: [_; 10] = self.places(&segment);
        let text = self.taken(&segment);
        let mut written = envelope::group_header(&text, self.delimiters().element);
        (written.header.offset, written.header.line) = places[0];
        written.header.version_offset = places[8].0;
        let mut findings = Vec::new();
        if let Some(open) = &mut self.interchange {
            open.groups += 1;
            written.header.ordinal = open.groups;
            open.stray_reported = false;
            judge_group_header(&written, &places, &mut open.findings, &mut findings);
            let header = &written.header;
            if !open
                .group_numbers
                .insert(header.control_number.trim_start_matches('0'))
            {
                let text = format!(
                    "GS06 {} was used before in this interchange; the sender must number each group anew.",
                    show(&header.control_number)
                );
                findings.push(
                    at_element(Rule::GsControlNumberRepeated, places[6], "GS", 6, text)
                        .with_value(&header.control_number),
                );
            }
        }
        let group = self.group.insert(OpenGroup {
            header: written.header,
            findings,
            sets: 0,
            functional_id: places[1],
            foreign_sets: 0,
            numbers: ControlNumbers::default(),
            stray_reported: false,
            abandoned: false,
        });
        Event::GroupOpened(&group.header)
    }

    fn read_ta1(&mut self, segment: window::Found) -> Event<'_> {
        let places: [_; 7] = self.places(&segment);
        let text = self.taken(&segment);
        let separator = self.delimiters().element;
        self.ta1 = Ta1 {
            offset: places[0].0,
            ..envelope::interchange_acknowledgment(&text, separator)
        };
        if let Some(open) = &mut self.interchange {
            open.ta1s += 1;
            let fault = if self.ta1.control_number.is_empty() {
                Some((1, "TA101 does not say which interchange the TA1 answers; write its ISA13 there, or look at it by hand.".to_owned()))
            } else if matches!(self.ta1.code.as_str(), "A" | "E" | "R") {
                None
            } else {
                let said = show(&self.ta1.code);
                Some((
                    4,
                    format!(
                        "TA104 is {said}, which is none of A (accepted), E (accepted with errors) and R (rejected); look at the TA1 by hand."
                    ),
                ))
            };
            if let Some((element, text)) = fault {
                let at = places[usize::from(element)];
                push(
                    &mut open.findings,
                    self.limits,
                    at_element(Rule::Ta1Malformed, at, "TA1", element, text),
                );
            }
            if let Some(finding) = surplus("TA1", &text, separator, 5, places[6]) {
                push(&mut open.findings, self.limits, finding);
            }
        }
        Event::Ta1(&self.ta1)
    }

    /// A segment that asks for a service of the interchange's carrier (grade of service, deferred
    /// delivery, delivery notice, further characters): legal, and passed over.
    fn service(&mut self, segment: window::Found, id: window::Id) -> Event<'_> {
        let (offset, line) = self.here(segment.start);
        let (from, to) = (segment.start, segment.end);
        self.consume(&segment);
        if let Some(open) = &mut self.interchange {
            let text = format!(
                "The segment {} asks for a service that is not offered here; it was passed over.",
                show(id.as_str())
            );
            push(
                &mut open.findings,
                self.limits,
                Finding {
                    segment: Some(id.as_str().to_owned()),
                    ..Finding::new(Rule::InterchangeService, offset, line, text)
                },
            );
        }
        Event::Stray(Stray {
            offset,
            bytes: self.window.bytes(from, to),
        })
    }

    fn stray(&mut self, segment: window::Found) -> Event<'_> {
        let (offset, line) = self.here(segment.start);
        let id = self.window.id(&segment);
        let (from, to) = (segment.start, segment.end);
        self.consume(&segment);
        let empty = from == to;
        if let Some(group) = &mut self.group {
            if empty {
                push(
                    &mut group.findings,
                    self.limits,
                    Finding::new(
                        Rule::SegmentEmpty,
                        offset,
                        line,
                        "A segment terminator stands alone; it was passed over.",
                    )
                    .with_severity(crate::Severity::Note),
                );
            } else if group.abandoned {
                group.abandoned = id.as_bytes() != b"SE";
            } else if !group.stray_reported {
                group.stray_reported = true;
                let text = format!(
                    "The segment {} stands between transaction sets, where none may; it was not read. The sender must put every segment between ST and SE.",
                    show(id.as_str())
                );
                push(
                    &mut group.findings,
                    self.limits,
                    Finding {
                        segment: Some(id.as_str().to_owned()),
                        ..Finding::new(Rule::SegmentOutsideSet, offset, line, text)
                    },
                );
            }
        } else if let Some(open) = &mut self.interchange {
            if empty {
                push(
                    &mut open.findings,
                    self.limits,
                    Finding::new(
                        Rule::SegmentEmpty,
                        offset,
                        line,
                        "A segment terminator stands alone; it was passed over.",
                    ),
                );
            } else if !open.stray_reported {
                open.stray_reported = true;
                let text = format!(
                    "The segment {} stands outside any functional group (GS to GE); it and what follows up to the next GS was not read.",
                    show(id.as_str())
                );
                push(
                    &mut open.findings,
                    self.limits,
                    Finding {
                        segment: Some(id.as_str().to_owned()),
                        ..Finding::new(Rule::SegmentOutsideGroup, offset, line, text)
                    },
                );
            }
        }
        Event::Stray(Stray {
            offset,
            bytes: self.window.bytes(from, to),
        })
    }

    fn close_group(&mut self, trailer: Option<window::Found>) -> Event<'_> {
        let [end, first, second, third] = self.trailer_places(trailer.as_ref());
        let separator = self.delimiters().element;
        let text = trailer.map(|segment| self.taken(&segment));
        let Some(group) = self.group.take() else {
            return self.close_interchange(None);
        };
        let mut findings = group.findings;
        if group.sets > 0 && group.foreign_sets == group.sets {
            findings.push(not_supported(&group.header, group.functional_id));
        }
        let number = &group.header.control_number;
        let (mut claimed_sets, mut trailer_control_number) = (None, None);
        match &text {
            None => findings.push(Finding::new(
                Rule::GeMissing,
                end.0,
                end.1,
                format!(
                    "The group {} ends without its GE segment; the sender must close it.",
                    show(number)
                ),
            )),
            Some(text) => {
                let Trailer {
                    count,
                    control_number: control,
                } = envelope::group_trailer(text, separator);
                claimed_sets = number_of(&count);
                if claimed_sets != Some(group.sets) {
                    let text = format!(
                        "GE01 says {}, but {} read in the group.",
                        show(&count),
                        were(group.sets.into(), "transaction set")
                    );
                    findings.push(
                        at_element(Rule::GeSetCount, first, "GE", 1, text).with_value(&count),
                    );
                }
                if !same_number(&control, number) {
                    let text = format!(
                        "GE02 is {}, but GS06 is {}; they must be the same.",
                        show(&control),
                        show(number)
                    );
                    findings.push(
                        at_element(Rule::GeControlNumber, second, "GE", 2, text)
                            .with_value(&control),
                    );
                }
                trailer_control_number = Some(control);
                findings.extend(surplus("GE", text, separator, 2, third));
            }
        }
        Event::GroupClosed(GroupClosed {
            header: group.header,
            claimed_sets,
            received_sets: group.sets,
            trailer_control_number,
            findings,
        })
    }

    /// Byte and line of a GE or IEA, or of where it should stand, and of its two elements.
    fn trailer_places(&self, trailer: Option<&window::Found>) -> [(u64, u64); 4] {
        match trailer {
            Some(segment) => self.places(segment),
            None => [self.here(self.window.cursor); 4],
        }
    }

    fn close_interchange(&mut self, trailer: Option<window::Found>) -> Event<'_> {
        let [(offset, line), first, second, third] = self.trailer_places(trailer.as_ref());
        let unterminated = trailer.as_ref().is_some_and(|segment| segment.unterminated);
        let separator = self.delimiters().element;
        let text = trailer.map(|segment| self.taken(&segment));
        let Some(open) = self.interchange.take() else {
            return Event::Outside(Outside {
                offset,
                length: 0,
                finding: None,
            });
        };
        let mut findings = open.findings;
        let number = &open.header.control_number;
        let mut claimed_groups = None;
        match &text {
            None => findings.push(Finding::new(Rule::IeaMissing, offset, line,
                format!("The interchange {} ends without its IEA segment: it was cut off. Nothing in it is acted upon; the sender must send it again.", show(number)))),
            Some(text) => {
                let Trailer { count, control_number: control } = envelope::interchange_trailer(text, separator);
                claimed_groups = number_of(&count);
                if claimed_groups != Some(open.groups) {
                    let text = format!("IEA01 says {}, but {} read in the interchange.", show(&count), were(open.groups.into(), "group"));
                    findings.push(at_element(Rule::IeaGroupCount, first, "IEA", 1, text).with_value(&count));
                }
                if control != *number {
                    let text = format!("IEA02 is {}, but ISA13 is {}; they must be the same.", show(&control), show(number));
                    findings.push(at_element(Rule::IeaControlNumber, second, "IEA", 2, text).with_value(&control));
                }
                findings.extend(surplus("IEA", text, separator, 2, third));
                if unterminated {
                    findings.push(Finding::new(Rule::LastSegmentUnterminated, offset, line, "The last segment, IEA, has no terminator; it was read as if it had."));
                }
            }
        }
        self.window.leave();
        self.outside_reported = false;
        Event::InterchangeClosed(InterchangeClosed {
            length: self.window.offset(self.window.cursor) - open.header.offset,
            header: open.header,
            iea_seen: text.is_some(),
            claimed_groups,
            groups: open.groups,
            sets: open.sets,
            ta1s: open.ta1s,
            segments: open.segments,
            findings,
        })
    }

    fn consume(&mut self, segment: &window::Found) {
        if segment.has_breaks {
            self.note_breaks(segment.start);
        }
        self.window.consume(segment);
        if let Some(open) = &mut self.interchange {
            open.segments += 1;
        }
    }

    /// Says once for each interchange that line breaks stand inside segments.
    fn note_breaks(&mut self, at: usize) {
        let (offset, line) = self.here(at);
        if let Some(open) = &mut self.interchange
            && !open.breaks_reported
        {
            open.breaks_reported = true;
            open.findings.push(Finding::new(Rule::LineBreaksInside, offset, line,
                "Line breaks stand inside segments (the file was wrapped); they were left out when reading. Ask the sender not to wrap files."));
        }
    }

    /// White space, or a stretch of a segment beyond the limit.
    fn pass_over(&mut self, from: usize, to: usize, oversized: Option<bool>) -> Event<'_> {
        let (offset, line) = self.here(from);
        if oversized.is_some() {
            let text = format!(
                "A segment is longer than {} bytes; it was passed over up to its terminator. Is the segment terminator of this file the one that its ISA declares?",
                self.limits.segment_bytes
            );
            let finding = Finding::new(Rule::SegmentTooLong, offset, line, text);
            if let Some(group) = &mut self.group {
                if !group.abandoned && !group.stray_reported {
                    group.stray_reported = true;
                    group.findings.push(Finding {
                        level: crate::Level::Group,
                        ack: ack(Rule::SegmentOutsideSet),
                        ..finding
                    });
                }
            } else if let Some(open) = &mut self.interchange
                && !open.stray_reported
            {
                open.stray_reported = true;
                open.findings.push(Finding {
                    level: crate::Level::Interchange,
                    ack: ack(Rule::SegmentOutsideGroup),
                    ..finding
                });
            }
        }
        self.window.pass(to, oversized);
        Event::Outside(Outside {
            offset,
            length: (to - from) as u64,
            finding: None,
        })
    }

    /// The separators of the interchange that is open.
    fn delimiters(&self) -> Delimiters {
        self.interchange
            .as_ref()
            .map(|open| open.header.delimiters)
            .unwrap_or_default()
    }
}

fn ack(rule: Rule) -> Option<crate::AckCode> {
    rule.ack().map(|(place, code)| crate::AckCode {
        place,
        code: code.to_owned(),
    })
}

fn push(findings: &mut Vec<Finding>, limits: Limits, finding: Finding) {
    match findings.len().cmp(&limits.envelope_findings) {
        std::cmp::Ordering::Less => findings.push(finding),
        std::cmp::Ordering::Equal => findings.push(no_more(&finding, limits)),
        std::cmp::Ordering::Greater => {}
    }
}

/// What stands in place of the first finding beyond the limit of a file, interchange or group; an
/// acknowledgment has no code for it.
fn no_more(finding: &Finding, limits: Limits) -> Finding {
    let text = format!(
        "More than {} findings; the rest was not recorded.",
        limits.envelope_findings
    );
    Finding {
        level: finding.level,
        ack: None,
        ..Finding::new(Rule::TooManyFindings, finding.offset, finding.line, text)
            .with_severity(crate::Severity::Note)
    }
}

/// A count: digits only, at most nine of them beyond leading zeros.
pub(crate) fn number_of(text: &str) -> Option<u32> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.trim_start_matches('0')
        .parse()
        .ok()
        .or_else(|| text.bytes().all(|b| b == b'0').then_some(0))
}

/// GS06 and GE02 are compared as numbers (rule 8), as text where one is none.
fn same_number(a: &str, b: &str) -> bool {
    match (number_of(a), number_of(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// A blank GS02 or GS03 is for a person to judge: the addresses of the ISA tell who speaks.
fn judge_group_header(
    written: &WrittenGs,
    places: &[(u64, u64); 10],
    interchange: &mut Vec<Finding>,
    group: &mut Vec<Finding>,
) {
    let header = &written.header;
    let mut held = Vec::new();
    let mut invalid = |element: u16, value: &str, text: String| {
        let at = places[usize::from(element)];
        interchange
            .push(at_element(Rule::GroupHeaderInvalid, at, "GS", element, text).with_value(value));
    };
    if header.functional_id.len() != 2 {
        invalid(
            1,
            &header.functional_id,
            format!(
                "GS01 must be a functional identifier of two letters such as PO, not {}.",
                show(&header.functional_id)
            ),
        );
    }
    for (element, value, given, who) in [
        (2, &header.sender, written.is_sender_given, "sender"),
        (3, &header.receiver, written.is_receiver_given, "receiver"),
    ] {
        if value.is_empty() && given {
            held.push((element, who));
        } else if value.is_empty() || value.chars().count() > 15 {
            invalid(
                element,
                value,
                format!(
                    "GS{element:02}, the application {who}'s code, must have 2 to 15 characters."
                ),
            );
        }
    }
    let date = header.date.as_bytes();
    let is_early = header.version.as_str() < "00401";
    if !matches!(date.len(), 6 | 8) || !crate::element::is_date(date) {
        invalid(
            4,
            &header.date,
            format!(
                "GS04 must be a date as {}, not {}.",
                if is_early { "YYMMDD" } else { "CCYYMMDD" },
                show(&header.date)
            ),
        );
    }
    if !crate::element::is_time(header.time.as_bytes()) {
        invalid(
            5,
            &header.time,
            format!("GS05 must be a time as HHMM, not {}.", show(&header.time)),
        );
    }
    if !matches!(header.agency.as_str(), "X" | "T") {
        invalid(
            7,
            &header.agency,
            format!("GS07 must be X (or T), not {}.", show(&header.agency)),
        );
    }
    if header.version.is_empty() || header.version.len() > 12 {
        invalid(
            8,
            &header.version,
            format!(
                "GS08 must be a version of 1 to 12 characters such as 004010, not {}.",
                show(&header.version)
            ),
        );
    }
    if written.surplus > 0 {
        let text = format!(
            "GS ends with GS08; {} behind it. Take out what stands there.",
            stand(written.surplus, "element")
        );
        invalid(9, "", text);
    }
    if date.len() == 6 && crate::element::is_date(date) && !is_early {
        let text = format!(
            "GS04 is {}, with six digits; from version 004010 on the sender should write all eight, CCYYMMDD.",
            show(&header.date)
        );
        interchange.push(Finding {
            ack: None,
            ..at_element(Rule::GroupHeaderInvalid, places[4], "GS", 4, text)
                .with_value(&header.date)
                .with_severity(crate::Severity::Note)
        });
    }
    for (element, who) in held {
        let text = format!(
            "GS{element:02}, the application {who}'s code, is blank; ask the sender for a code of 2 to 15 characters."
        );
        let at = places[usize::from(element)];
        interchange.push(
            at_element(Rule::GroupHeaderInvalid, at, "GS", element, text)
                .with_severity(crate::Severity::Hold),
        );
    }
    let number = &header.control_number;
    if number.is_empty() || number.len() > 9 || !number.bytes().all(|b| b.is_ascii_digit()) {
        let text = format!(
            "GS06 must be a control number of one to nine digits, not {}.",
            show(number)
        );
        group.push(at_element(Rule::GsControlNumber, places[6], "GS", 6, text).with_value(number));
    }
}

/// What is said of a segment of the envelope with more elements than it has; `place` is that of the first too many.
fn surplus(
    id: &str,
    segment: &[u8],
    separator: u8,
    most: u16,
    place: (u64, u64),
) -> Option<Finding> {
    let first = usize::from(most) + 1;
    let beyond = segment
        .splitn(first + 1, |byte| *byte == separator)
        .nth(first)?;
    let beyond = match beyond {
        [] => "a separator".to_owned(),
        beyond => show(&String::from_utf8_lossy(beyond)),
    };
    let text = format!(
        "{id} ends with its element {most}; {beyond} behind that was not read, and the sender should leave it out."
    );
    Some(at_element(Rule::EnvelopeSurplus, place, id, most + 1, text))
}

/// What is said of a group whose sets all belong under another GS01 (rule 10).
fn not_supported(header: &GroupHeader, place: (u64, u64)) -> Finding {
    let gs01 = &header.functional_id;
    let text = format!(
        "GS01 is {}, and none of the group's sets belongs under it; the sender must put them into groups of their own identifiers.",
        show(gs01)
    );
    at_element(Rule::GroupNotSupported, place, "GS", 1, text).with_value(gs01)
}
