//! One transaction set in memory: its bytes once, and where its segments and elements end.

use crate::delimiters::Delimiters;
use crate::finding::Finding;
use crate::schema::Key;
use crate::text::decode;

/// Where a segment stands in the tables of its set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    /// First byte of the identifier in the text.
    pub start: u32,
    /// Index in `ends` of the end of the identifier.
    pub first: u32,
    /// Index in `ends` of the end of the last element.
    pub last: u32,
    /// The identifier.
    pub key: Key,
}

/// A complete transaction set, ST to SE, as it was read.
///
/// It borrows from nothing: clone it to keep it beyond the next event of the reader.
#[derive(Debug, Clone, Default)]
pub struct TransactionSet {
    /// The bytes of the file; empty when `text` holds the very same bytes.
    pub(crate) raw: Vec<u8>,
    /// What is read: the bytes, or their decoded copy without line breaks inside segments.
    pub(crate) text: String,
    pub(crate) ends: Vec<u32>,
    pub(crate) spans: Vec<Span>,
    /// Where text and bytes run apart: from this place in the text on, add so much.
    pub(crate) shifts: Vec<(u32, i64)>,
    /// The separators as they stand in `text`.
    pub(crate) element_separator: u8,
    pub(crate) component_separator: u8,
    pub(crate) repetition_separator: Option<u8>,
    pub(crate) delimiters: Delimiters,
    /// No line feed stands in it: all of it is on the line on which it begins.
    pub(crate) is_one_line: bool,
    pub(crate) header: SetHeader,
    /// Findings about ST and SE, counts and control numbers, and of limits that were passed.
    pub(crate) findings: Vec<Finding>,
    pub(crate) complete: bool,
}

/// Which set it is and where it stood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetHeader {
    /// ST01, such as `850`.
    pub st01: String,
    /// ST02, the control number, as text.
    pub st02: String,
    /// ST03, the implementation convention, from 005010 on.
    pub st03: Option<String>,
    /// First byte in the file, from 0.
    pub offset: u64,
    /// Bytes up to the next segment that is not part of it.
    pub length: u64,
    /// Line in the file, from 1.
    pub line: u64,
    /// Place in its group, from 1.
    pub ordinal_in_group: u32,
    /// Place in its interchange, from 1: with the interchange's offset the key of the set.
    pub ordinal_in_interchange: u32,
}

impl TransactionSet {
    /// ST01, such as `850`.
    pub fn code(&self) -> &str {
        &self.header.st01
    }

    /// ST02, the control number, as text.
    pub fn control_number(&self) -> &str {
        &self.header.st02
    }

    /// ST03, the implementation convention, from 005010 on.
    pub fn implementation(&self) -> Option<&str> {
        self.header.st03.as_deref()
    }

    /// Which set it is and where it stood.
    pub fn header(&self) -> &SetHeader {
        &self.header
    }

    /// First byte in the file, from 0.
    pub fn offset(&self) -> u64 {
        self.header.offset
    }

    /// Bytes up to the next segment that is not part of it.
    pub fn length(&self) -> u64 {
        self.header.length
    }

    /// Whether its SE was seen.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The separators of its interchange.
    pub fn delimiters(&self) -> &Delimiters {
        &self.delimiters
    }

    /// The separators as they stand in the text of its segments, where control characters take the
    /// place of those above 127.
    pub fn text_delimiters(&self) -> Delimiters {
        Delimiters {
            element: self.element_separator,
            component: self.component_separator,
            repetition: self.repetition_separator,
            ..self.delimiters
        }
    }

    /// The original bytes, with what stood between the segments.
    pub fn raw(&self) -> &[u8] {
        if self.raw.is_empty() {
            self.text.as_bytes()
        } else {
            &self.raw
        }
    }

    /// Findings of the reader: ST, SE, counts, control numbers, limits. The schema's are
    /// [`validate_set`](crate::validate_set)'s.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Number of segments, ST and SE included.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether it has no segment, which no set that was read has.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The segments, ST first.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = Segment<'_>> + ExactSizeIterator {
        (0..self.spans.len()).map(|at| Segment { set: self, at })
    }

    /// The segment at a position counted from ST = 1.
    pub fn segment(&self, index: u32) -> Option<Segment<'_>> {
        let at = (index as usize).checked_sub(1)?;
        (at < self.spans.len()).then_some(Segment { set: self, at })
    }

    /// The first segment with this identifier.
    pub fn find(&self, id: &str) -> Option<Segment<'_>> {
        self.segments().find(|segment| segment.id() == id)
    }

    /// The byte in the file at which a place of the text stands.
    pub(crate) fn file_offset(&self, at: u32) -> u64 {
        let shift = match self.shifts.partition_point(|(from, _)| *from <= at) {
            0 => 0,
            n => self.shifts[n - 1].1,
        };
        self.header
            .offset
            .saturating_add_signed(i64::from(at) + shift)
    }

    /// Line ends between two bytes of the file.
    pub(crate) fn lines_between(&self, from: u64, to: u64) -> u64 {
        let within = |offset: u64| {
            usize::try_from(offset.saturating_sub(self.header.offset)).unwrap_or(usize::MAX)
        };
        let raw = self.raw();
        let (from, to) = (within(from).min(raw.len()), within(to).min(raw.len()));
        memchr::memchr_iter(b'\n', raw.get(from..to).unwrap_or_default()).count() as u64
    }

    /// The line in the file of a byte of the file.
    pub(crate) fn line_of(&self, offset: u64) -> u64 {
        if self.is_one_line {
            return self.header.line;
        }
        let within =
            usize::try_from(offset.saturating_sub(self.header.offset)).unwrap_or(usize::MAX);
        let raw = self.raw();
        self.header.line + memchr::memchr_iter(b'\n', &raw[..within.min(raw.len())]).count() as u64
    }

    #[inline]
    fn slice(&self, from: u32, to: u32) -> &str {
        self.text.get(from as usize..to as usize).unwrap_or("")
    }
}

/// One segment of a transaction set.
#[derive(Clone, Copy)]
pub struct Segment<'a> {
    pub(crate) set: &'a TransactionSet,
    pub(crate) at: usize,
}

impl<'a> Segment<'a> {
    #[inline]
    fn span(&self) -> Span {
        self.set.spans[self.at]
    }

    /// The identifier, such as `PO1`.
    #[inline]
    pub fn id(&self) -> &'a str {
        let span = self.span();
        self.set
            .slice(span.start, self.set.ends[span.first as usize])
    }

    /// The identifier as a number.
    #[inline]
    pub(crate) fn key(&self) -> Key {
        self.span().key
    }

    /// Where its elements end, the identifier's end first.
    #[inline]
    pub(crate) fn ends(&self) -> &'a [u32] {
        let span = self.span();
        &self.set.ends[span.first as usize..=span.last as usize]
    }

    /// Position in the set, ST being 1.
    pub fn index(&self) -> u32 {
        self.at as u32 + 1
    }

    /// Number of elements, trailing empty ones included, the identifier not.
    #[inline]
    pub fn element_count(&self) -> usize {
        let span = self.span();
        (span.last - span.first) as usize
    }

    /// Element `n` counted from 1, all of it; `""` when absent.
    #[inline]
    pub fn element(&self, n: usize) -> &'a str {
        match self.bounds(n) {
            Some((from, to)) => self.set.slice(from, to),
            None => "",
        }
    }

    /// All elements from the first.
    pub fn elements(&self) -> impl Iterator<Item = &'a str> {
        let segment = *self;
        (1..=segment.element_count()).map(move |n| segment.element(n))
    }

    /// Component `k` of the first repetition of element `n`, both from 1; `""` when absent.
    /// A simple element is its own first component.
    pub fn component(&self, n: usize, k: usize) -> &'a str {
        let first = self.repetitions(n).next().unwrap_or("");
        self.components_of(first)
            .nth(k.wrapping_sub(1))
            .unwrap_or("")
    }

    /// The components of a piece of text taken from an element.
    pub fn components_of(&self, text: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
        text.split(char::from(self.set.component_separator))
    }

    /// The repetitions of element `n`; one where the release has none or the element does not
    /// repeat.
    pub fn repetitions(&self, n: usize) -> impl Iterator<Item = &'a str> + use<'a> {
        let separator = self.set.repetition_separator.map(char::from);
        self.element(n).split(move |c| Some(c) == separator)
    }

    /// First byte in the file.
    pub fn offset(&self) -> u64 {
        self.set.file_offset(self.span().start)
    }

    /// Line in the file, from 1.
    pub fn line(&self) -> u64 {
        self.set.line_of(self.offset())
    }

    /// Bytes from the identifier to the terminator, which is not counted.
    pub fn length(&self) -> u64 {
        self.set.file_offset(self.end()) - self.offset()
    }

    /// First byte in the file of element `n`; the end of the segment when it is absent.
    pub fn element_offset(&self, n: usize) -> u64 {
        self.set
            .file_offset(self.bounds(n).map_or(self.end(), |(from, _)| from))
    }

    /// The segment as text, without its terminator.
    pub fn text(&self) -> &'a str {
        self.set.slice(self.span().start, self.end())
    }

    /// The set it stands in.
    pub fn set(&self) -> &'a TransactionSet {
        self.set
    }

    fn end(&self) -> u32 {
        self.set.ends[self.span().last as usize]
    }

    /// Where element `n` stands in the text.
    #[inline]
    pub(crate) fn bounds(&self, n: usize) -> Option<(u32, u32)> {
        if n == 0 || n > self.element_count() {
            return None;
        }
        let at = self.span().first as usize + n;
        Some((self.set.ends[at - 1] + 1, self.set.ends[at]))
    }
}

impl std::fmt::Debug for Segment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}

impl TransactionSet {
    /// Takes the bytes of a set whose `spans` and `ends` are filled in. With `breaks`, CR and LF
    /// inside segments are left out of the text.
    pub(crate) fn fill(&mut self, bytes: &[u8], breaks: bool) {
        self.element_separator = self.delimiters.element;
        self.component_separator = self.delimiters.component;
        self.repetition_separator = self.delimiters.repetition;
        self.shifts.clear();
        self.raw.clear();
        let separators_are_ascii = self.delimiters.named().all(|(_, byte)| byte < 0x80);
        match simdutf8::basic::from_utf8(bytes) {
            Ok(text) if !breaks && (separators_are_ascii || text.is_ascii()) => {
                self.text.clear();
                self.text.push_str(text);
            }
            _ => self.fill_decoded(bytes, breaks),
        }
    }

    /// The slow way: decodes element by element, and remembers where text and bytes run apart.
    fn fill_decoded(&mut self, bytes: &[u8], breaks: bool) {
        let separators = self.delimiters.in_text();
        self.element_separator = separators.element;
        self.component_separator = separators.component;
        self.repetition_separator = separators.repetition;
        self.raw = bytes.to_vec();
        let mut text = String::with_capacity(bytes.len() + 16);
        let is_break = |byte: u8| {
            breaks
                && (byte == b'\r' || byte == b'\n')
                && byte != self.delimiters.element
                && byte != self.delimiters.terminator
        };
        for span in &mut self.spans {
            let mut from = span.start as usize;
            // In binary data of just the declared length every byte is data (rule 20).
            let data = binary_element(*span, bytes, &self.ends).map(|element| span.first + element);
            span.start = text.len() as u32;
            for mark in span.first..=span.last {
                let end = &mut self.ends[mark as usize];
                let to = *end as usize;
                mark_shift(&mut self.shifts, from, text.len());
                let kept: Vec<u8> = bytes
                    .get(from..to)
                    .unwrap_or_default()
                    .iter()
                    .copied()
                    .filter(|byte| data == Some(mark) || !is_break(*byte))
                    .collect();
                self.delimiters.push_decoded(
                    &kept,
                    [
                        self.component_separator,
                        self.repetition_separator.unwrap_or(0x1e),
                    ],
                    &mut text,
                );
                *end = text.len() as u32;
                // What follows the element's last character, too: its separator may end the segment.
                mark_shift(&mut self.shifts, to, text.len());
                text.push(char::from(if mark == span.last {
                    if self.delimiters.terminator < 0x80 {
                        self.delimiters.terminator
                    } else {
                        0x1c
                    }
                } else {
                    self.element_separator
                }));
                from = to + 1;
            }
            let id = self.ends[span.first as usize] as usize;
            span.key = Key::of(text.as_bytes().get(span.start as usize..id).unwrap_or(b""));
        }
        self.text = text;
    }
}

/// Remarks from where on in the text the bytes stand how much further on, where that changes.
fn mark_shift(shifts: &mut Vec<(u32, i64)>, byte: usize, text: usize) {
    let shift = byte as i64 - text as i64;
    if shifts.last().map_or(0, |(_, last)| *last) != shift {
        shifts.push((text as u32, shift));
    }
}

/// Which element of a BIN or BDS is binary data as long as the element before says; none otherwise.
fn binary_element(span: Span, bytes: &[u8], ends: &[u32]) -> Option<u32> {
    let element = match span.key {
        key if key == Key::of(b"BIN") => 2,
        key if key == Key::of(b"BDS") => 3,
        _ => return None,
    };
    let ends = ends.get(span.first as usize..=span.last as usize)?;
    let [.., before, length, data] = ends else {
        return None;
    };
    let said = bytes.get(*before as usize + 1..*length as usize)?;
    let said = crate::reader::number_of(std::str::from_utf8(said).ok()?)?;
    (ends.len() == element as usize + 1 && said == data - length - 1).then_some(element)
}

impl Delimiters {
    /// Decodes one element, component and repetition separators above 127 replaced. What stands between these is decoded
    /// by itself: a separator that is no UTF-8 does not make Latin-1 of the values beside it.
    fn push_decoded(&self, bytes: &[u8], [component, repetition]: [u8; 2], text: &mut String) {
        let high = |byte: &u8| {
            *byte >= 0x80 && (*byte == self.component || Some(*byte) == self.repetition)
        };
        let mut from = 0;
        for (at, byte) in bytes.iter().enumerate().filter(|(_, byte)| high(byte)) {
            text.push_str(&decode(bytes.get(from..at).unwrap_or_default()));
            let is_component = *byte == self.component;
            text.push(char::from(if is_component {
                component
            } else {
                repetition
            }));
            from = at + 1;
        }
        text.push_str(&decode(bytes.get(from..).unwrap_or_default()));
    }
}

impl TransactionSet {
    /// A set of a single segment, given without its terminator; line breaks inside are left out of its text.
    pub(crate) fn of_one_segment(
        bytes: &[u8],
        delimiters: Delimiters,
        offset: u64,
        line: u64,
    ) -> TransactionSet {
        let separators = memchr::memchr_iter(delimiters.element, bytes);
        let ends: Vec<u32> = separators
            .chain([bytes.len()])
            .map(|at| u32::try_from(at).unwrap_or(u32::MAX))
            .collect();
        let id = ends.first().map_or(0, |end| *end as usize);
        let mut set = TransactionSet {
            delimiters,
            ..TransactionSet::default()
        };
        set.spans.push(Span {
            start: 0,
            first: 0,
            last: ends.len().saturating_sub(1) as u32,
            key: Key::of(bytes.get(..id).unwrap_or_default()),
        });
        set.ends = ends;
        set.header.offset = offset;
        set.header.line = line;
        set.header.length = bytes.len() as u64;
        set.fill(bytes, memchr::memchr2(b'\r', b'\n', bytes).is_some());
        set
    }

    /// A set from bytes that hold nothing but its segments.
    pub(crate) fn from_bytes(bytes: &[u8], delimiters: Delimiters) -> TransactionSet {
        let mut marks = crate::scan::Marks::default();
        crate::scan::scan(
            bytes,
            0,
            crate::scan::Separators {
                element: delimiters.element,
                terminator: delimiters.terminator,
            },
            true,
            &mut marks,
        );
        let mut set = TransactionSet {
            delimiters,
            complete: true,
            ..TransactionSet::default()
        };
        let (mut first, mut start) = (0, 0);
        for last in marks.terminators.iter().copied() {
            let id = bytes.get(start as usize..marks.ends[first as usize] as usize);
            let key = Key::of(id.unwrap_or_default());
            set.spans.push(Span {
                start,
                first,
                last,
                key,
            });
            first = last + 1;
            start = marks.ends[last as usize] + 1;
        }
        set.ends = marks.ends.to_vec();
        set.header.line = 1;
        set.header.length = bytes.len() as u64;
        set.fill(bytes, false);
        set.read_header();
        set
    }
}
