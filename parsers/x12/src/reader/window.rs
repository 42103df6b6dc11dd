//! The stretch of the source that is in memory, and the segments found in it.

use crate::delimiters::Delimiters;
use crate::header::{ISA_LENGTH, ISA_WINDOW, IsaReading, is_fixed_isa, read_isa};
use crate::limits::Limits;
use crate::scan::{Breaks, Marks, Separators, scan};
use crate::schema::Key;
use crate::set::Span;
use std::borrow::Cow;
use std::io::{self, Read};
use std::ops::Range;

/// Bytes asked from the source at once.
const CHUNK: usize = 64 << 10;
/// Bytes in which separators are looked for at once: their marks stay in the nearest memory.
const STRIDE: usize = 16 << 10;
/// Less room than this is not worth a question to the source.
const LEAST: usize = 4096;
/// A run of blanks longer than this is given in pieces of this size.
const BLANK_PIECE: usize = 4096;

/// The next thing in an interchange.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece {
    /// A segment, complete.
    Segment(Found),
    /// A long run of white space.
    Blank { from: usize, to: usize },
    /// Bytes of a segment beyond the limit; whether its terminator is the last of them.
    Oversized { from: usize, to: usize, ends: bool },
}

/// A segment in the window. Positions hold until the window moves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// First byte of the identifier.
    pub start: usize,
    /// The terminator, or the place where it should stand.
    pub end: usize,
    /// Index in `ends` of the end of the identifier.
    pub first: usize,
    /// Index in `ends` of the end of the segment.
    pub last: usize,
    /// No terminator: the bytes ended.
    pub unterminated: bool,
    /// Line breaks stand inside it.
    pub has_breaks: bool,
}

impl Found {
    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.last - self.first
    }
}

/// A segment identifier without allocation; longer ones are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id {
    bytes: [u8; 8],
    len: u8,
}

impl Id {
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or("?")
    }
}

pub(super) struct Window<R> {
    source: R,
    limits: Limits,
    buffer: Vec<u8>,
    filled: usize,
    /// Offset in the file of `buffer[0]`.
    base: u64,
    at_end: bool,
    /// The end was met, and everything was looked at again since.
    end_seen: bool,
    /// Up to here everything was given.
    pub cursor: usize,
    /// From here the bytes of the event given last are kept.
    pub raw_from: usize,
    /// Line of `cursor`.
    line: u64,
    delimiters: Delimiters,
    pub marks: Marks,
    /// The next of `marks.terminators` to look at, and where its segment begins.
    next: usize,
    next_from: usize,
    /// Where the set that is being read begins, and the first of its marks.
    set_start: usize,
    set_mark: usize,
    /// Up to here the separators were looked for.
    scanned: usize,
    /// How far to look ahead at once.
    stride: usize,
    /// The terminator is the first byte of a character of several bytes.
    has_tail: bool,
    /// Line feeds may stand between the cursor and `scanned`.
    has_lines: bool,
    /// Somewhere in the marks a line break stands that is no line end.
    broken: bool,
    /// The interchange ends here although the source may not.
    cut: Option<usize>,
    /// Inside a segment beyond the limit.
    skipping: bool,
    /// Good for every file.
    plain: PlainIds,
}

impl<R: Read> Window<R> {
    pub fn new(source: R, limits: Limits) -> Window<R> {
        Window {
            source,
            limits,
            buffer: Vec::new(),
            filled: 0,
            base: 0,
            at_end: false,
            end_seen: false,
            cursor: 0,
            raw_from: 0,
            line: 1,
            delimiters: Delimiters::default(),
            marks: Marks::default(),
            next: 0,
            next_from: 0,
            set_start: 0,
            set_mark: 0,
            scanned: 0,
            stride: STRIDE,
            has_tail: false,
            has_lines: true,
            broken: false,
            cut: None,
            skipping: false,
            plain: PlainIds::new(),
        }
    }

    /// Begins anew with another source; the memory is kept.
    pub fn restart(&mut self, source: R) {
        let (mut buffer, mut marks) = (
            std::mem::take(&mut self.buffer),
            std::mem::take(&mut self.marks),
        );
        // What one extraordinary set needed is given back.
        buffer.truncate(4 * CHUNK);
        buffer.shrink_to(4 * CHUNK);
        marks.clear();
        let plain = std::mem::replace(&mut self.plain, PlainIds::new());
        *self = Window {
            buffer,
            marks,
            plain,
            ..Window::new(source, self.limits)
        };
    }

    pub fn bytes(&self, from: usize, to: usize) -> &[u8] {
        self.buffer
            .get(from..to.min(self.filled))
            .unwrap_or_default()
    }

    /// Everything that is in memory and was not given yet.
    pub fn ahead(&self) -> &[u8] {
        &self.buffer[self.cursor..self.filled]
    }

    pub fn offset(&self, at: usize) -> u64 {
        self.base + at as u64
    }

    pub fn line_at(&self, at: usize) -> u64 {
        if !self.has_lines && at <= self.scanned {
            return self.line;
        }
        self.line + memchr::memchr_iter(b'\n', self.bytes(self.cursor, at)).count() as u64
    }

    /// Whether no line feed stands between the cursor and what was looked at last.
    pub fn is_one_line(&self) -> bool {
        !self.has_lines
    }

    /// The bytes of the last event are no longer wanted.
    pub fn forget_raw(&mut self) {
        self.raw_from = self.cursor;
    }

    /// The first byte of the source has this offset in the file that it was taken from.
    pub fn begin_at(&mut self, offset: u64) {
        self.base = offset;
    }

    /// Gives everything up to here.
    pub fn advance(&mut self, to: usize) {
        let to = to.min(self.filled);
        self.line = self.line_at(to);
        self.cursor = to;
        self.next_from = self.next_from.max(to);
    }

    /// Gives a segment and what stood before it.
    pub fn consume(&mut self, segment: &Found) {
        self.step(segment);
        self.advance(self.next_from);
    }

    /// Goes on behind a segment without giving it.
    pub fn step(&mut self, segment: &Found) {
        self.next += 1;
        self.next_from = if segment.unterminated {
            segment.end
        } else {
            self.behind(segment.end)
        };
    }

    /// Up to here segments were stepped over.
    pub fn stepped_to(&self) -> usize {
        self.next_from
    }

    /// Bytes stepped over and not given.
    pub fn pending(&self) -> usize {
        self.next_from - self.cursor
    }

    /// Reads more. False at the end of the source.
    pub fn more(&mut self) -> io::Result<bool> {
        if self.at_end {
            return Ok(false);
        }
        let keep = self.raw_from.min(self.cursor);
        if keep > 0 && (keep >= self.filled / 2 || self.buffer.len() - self.filled < LEAST) {
            self.shift(keep);
        }
        if self.buffer.len() - self.filled < LEAST {
            let size = (self.filled + CHUNK).max(self.buffer.len() + self.buffer.len() / 2);
            self.buffer.resize(size, 0);
        }
        loop {
            match self.source.read(&mut self.buffer[self.filled..]) {
                Ok(0) => {
                    self.at_end = true;
                    return Ok(false);
                }
                Ok(n) => {
                    self.filled += n.min(self.buffer.len() - self.filled);
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Drops the first `by` bytes and every mark in them.
    fn shift(&mut self, by: usize) {
        self.buffer.copy_within(by..self.filled, 0);
        self.filled -= by;
        self.base += by as u64;
        self.cursor -= by;
        self.raw_from -= by;
        self.next_from = self.next_from.saturating_sub(by);
        self.scanned = self.scanned.saturating_sub(by);
        self.cut = self.cut.map(|at| at.saturating_sub(by));
        self.set_start = self.set_start.saturating_sub(by);
        self.drop_marks_before(by);
        for end in self.marks.ends.iter_mut() {
            *end -= by as u32;
        }
        if self.marks.ends.is_empty() {
            self.broken = false;
        }
    }

    /// Forgets the marks before a place.
    fn drop_marks_before(&mut self, place: usize) {
        let gone = self
            .marks
            .ends
            .partition_point(|end| (*end as usize) < place);
        let gone_terminators = self
            .marks
            .terminators
            .partition_point(|index| (*index as usize) < gone);
        self.marks.ends.drop_first(gone);
        self.marks.terminators.drop_first(gone_terminators);
        for index in self.marks.terminators.iter_mut() {
            *index -= gone as u32;
        }
        self.next -= gone_terminators;
        self.set_mark = self.set_mark.saturating_sub(gone);
    }

    /// Starts to look for segments at the cursor.
    pub fn enter(&mut self, delimiters: Delimiters) {
        self.delimiters = delimiters;
        self.has_tail = delimiters
            .after_terminator
            .as_bytes()
            .first()
            .is_some_and(|byte| *byte >= 0x80);
        self.forget_marks();
        self.stride = STRIDE;
        self.next_from = self.cursor;
        let after: Vec<u8> = delimiters
            .after_terminator
            .as_bytes()
            .iter()
            .copied()
            .take_while(|byte| *byte >= 0x80)
            .collect();
        if self.ahead().starts_with(&after) {
            self.advance(self.cursor + after.len());
            self.next_from = self.cursor;
        }
        self.scanned = self.cursor;
        self.has_lines = [delimiters.element, delimiters.terminator].contains(&b'\n');
    }

    /// Stops looking for segments.
    pub fn leave(&mut self) {
        self.forget_marks();
        self.next_from = self.cursor;
        self.scanned = self.cursor;
        self.has_lines = true;
        self.cut = None;
        self.skipping = false;
    }

    fn forget_marks(&mut self) {
        self.marks.clear();
        self.next = 0;
        self.broken = false;
    }

    /// The next segment, looked at and not given.
    pub fn peek(&mut self) -> io::Result<Option<Piece>> {
        if self.skipping {
            return self.peek_oversized();
        }
        loop {
            let from = self.skip_blanks();
            if from - self.next_from >= BLANK_PIECE && self.cursor == self.next_from {
                return Ok(Some(Piece::Blank {
                    from: self.cursor,
                    to: self.cursor + BLANK_PIECE,
                }));
            }
            if let Some(index) = self.marks.terminators.get(self.next) {
                let last = *index as usize;
                let end = self.marks.ends[last] as usize;
                if end - from > self.limits.segment_bytes && !self.is_binary(from, end) {
                    return Ok(Some(Piece::Oversized {
                        from: self.cursor,
                        to: from + self.limits.segment_bytes,
                        ends: false,
                    }));
                }
                let unterminated = end >= self.filled || self.cut == Some(end);
                let has_breaks = self.broken
                    && self
                        .bytes(from, end)
                        .iter()
                        .any(|byte| self.is_break(*byte));
                let found = Found {
                    start: from,
                    end,
                    first: self.first_mark(),
                    last,
                    unterminated,
                    has_breaks,
                };
                if !unterminated && self.may_hold_isa(&found) {
                    if let Some(data) = self.binary_data(from) {
                        if data.end >= self.filled && self.more()? {
                            continue;
                        }
                        if self.ends_there(&data) {
                            return Ok(Some(Piece::Segment(found)));
                        }
                    }
                    if self.filled - from < ISA_WINDOW && !self.at_end && self.cut.is_none() {
                        self.more()?;
                        continue;
                    }
                    if let Some(at) = self.isa_within(from, end + 1) {
                        self.cut_at(at, from);
                        continue;
                    }
                }
                return Ok(Some(Piece::Segment(found)));
            }
            let end = self.binary_data(from).map_or(0, |data| data.end);
            if self.scanned.saturating_sub(from)
                > self.limits.segment_bytes.max(end.saturating_sub(from))
            {
                let to = from + self.limits.segment_bytes;
                if let Some(at) = self.isa_within(from, to) {
                    self.cut_at(at, from);
                    continue;
                }
                return Ok(Some(Piece::Oversized {
                    from: self.cursor,
                    to,
                    ends: false,
                }));
            }
            if self.look_on()? {
                continue;
            }
            let end = self.cut.unwrap_or(self.filled);
            if from >= end {
                return Ok(None);
            }
            if self.cut.is_none()
                && let Some(at) = self.isa_within(from, end)
            {
                self.cut_at(at, from);
                continue;
            }
            self.marks.terminators.push(self.marks.ends.len() as u32);
            self.marks.ends.push(end as u32);
        }
    }

    /// The rest of a segment beyond the limit, in pieces of the limit's size.
    fn peek_oversized(&mut self) -> io::Result<Option<Piece>> {
        loop {
            let (from, limit) = (self.cursor, self.cursor + self.limits.segment_bytes);
            if let Some(index) = self.marks.terminators.get(self.next) {
                let end = self.marks.ends[*index as usize] as usize + 1;
                return Ok(Some(if end <= limit {
                    Piece::Oversized {
                        from,
                        to: end,
                        ends: true,
                    }
                } else {
                    Piece::Oversized {
                        from,
                        to: limit,
                        ends: false,
                    }
                }));
            }
            if self.scanned > limit {
                return Ok(Some(Piece::Oversized {
                    from,
                    to: limit,
                    ends: false,
                }));
            }
            if !self.look_on()? {
                let end = self.cut.unwrap_or(self.filled);
                return Ok((from < end).then_some(Piece::Oversized {
                    from,
                    to: end.min(limit),
                    ends: false,
                }));
            }
        }
    }

    /// Gives a piece that is no segment.
    pub fn pass(&mut self, to: usize, oversized: Option<bool>) {
        match oversized {
            Some(true) => {
                self.next += 1;
                self.skipping = false;
            }
            Some(false) => self.skipping = true,
            None => {}
        }
        self.advance(to);
    }

    /// Looks for more separators, or reads more. False where the interchange's bytes end.
    fn look_on(&mut self) -> io::Result<bool> {
        if self.cut.is_some() {
            return Ok(false);
        }
        if self.scanned < self.filled {
            self.scan_on();
            return Ok(true);
        }
        // At the end the window may have moved all the same: look once more.
        self.more()
            .map(|more| more || !std::mem::replace(&mut self.end_seen, true))
    }

    /// Index of the first mark of the segment that is looked at.
    fn first_mark(&self) -> usize {
        match self.next {
            0 => 0,
            n => self.marks.terminators[n - 1] as usize + 1,
        }
    }

    fn scan_on(&mut self) {
        if self.next > self.marks.terminators.len() / 2 {
            self.drop_marks_before(self.cursor);
        }
        let to = self.filled.min(self.scanned + self.stride);
        let separators = Separators {
            element: self.delimiters.element,
            terminator: self.delimiters.terminator,
        };
        let after_terminator =
            self.scanned > 0 && self.buffer[self.scanned - 1] == separators.terminator;
        let breaks = scan(
            &self.buffer[..to],
            self.scanned,
            separators,
            after_terminator,
            &mut self.marks,
        );
        self.broken |= breaks == Breaks::Inside;
        self.has_lines |= breaks != Breaks::None;
        self.scanned = to;
        self.stride = (self.stride * 2).min(STRIDE);
    }

    /// Where the next segment begins: behind line ends and the indentation of printed files.
    fn skip_blanks(&self) -> usize {
        self.blanks_from(self.next_from)
    }

    fn blanks_from(&self, mut at: usize) -> usize {
        let end = self.cut.unwrap_or(self.scanned).min(self.scanned);
        while at < end && is_blank(self.buffer[at], &self.delimiters) {
            at += 1;
        }
        at
    }

    fn is_break(&self, byte: u8) -> bool {
        matches!(byte, b'\r' | b'\n')
            && byte != self.delimiters.element
            && byte != self.delimiters.terminator
    }

    #[inline]
    pub fn id(&self, segment: &Found) -> Id {
        let end = self
            .marks
            .ends
            .get(segment.first)
            .map_or(segment.end, |end| *end as usize);
        let mut id = Id {
            bytes: [0; 8],
            len: 0,
        };
        for byte in self
            .bytes(segment.start, end)
            .iter()
            .filter(|byte| !segment.has_breaks || !self.is_break(**byte))
            .take(8)
        {
            id.bytes[usize::from(id.len)] = *byte;
            id.len += 1;
        }
        id
    }

    /// A segment from its identifier to its last element, without line breaks.
    pub fn text(&self, segment: &Found) -> Cow<'_, [u8]> {
        self.without_breaks(segment, segment.start, segment.end)
    }

    /// Where element `n` from 1 begins, behind line breaks; the end of the segment where it has fewer, its start for 0.
    pub fn element_start(&self, segment: &Found, n: usize) -> usize {
        if n == 0 {
            return segment.start;
        }
        if n > segment.elements() {
            return segment.end;
        }
        let from = self.marks.ends[segment.first + n - 1] as usize + 1;
        let to = self.marks.ends[segment.first + n] as usize;
        let breaks = self.bytes(from, to).iter();
        from + breaks.take_while(|byte| self.is_break(**byte)).count()
    }

    /// Element `n` from 1, without line breaks.
    pub fn element(&self, segment: &Found, n: usize) -> Cow<'_, [u8]> {
        if n > segment.elements() {
            return Cow::Borrowed(&[]);
        }
        let from = self.marks.ends[segment.first + n - 1] as usize + 1;
        self.without_breaks(segment, from, self.marks.ends[segment.first + n] as usize)
    }

    fn without_breaks(&self, segment: &Found, from: usize, to: usize) -> Cow<'_, [u8]> {
        let bytes = self.bytes(from, to);
        if segment.has_breaks {
            Cow::Owned(
                bytes
                    .iter()
                    .copied()
                    .filter(|byte| !self.is_break(*byte))
                    .collect(),
            )
        } else {
            Cow::Borrowed(bytes)
        }
    }

    fn is_binary(&self, from: usize, end: usize) -> bool {
        end - from <= self.limits.binary_bytes
            && matches!(self.bytes(from, from + 4), [b'B', b'I', b'N', separator] | [b'B', b'D', b'S', separator] if *separator == self.delimiters.element)
    }

    /// Where the binary data of a BIN or BDS that begins at `from` stands by the length before it, where that is within the
    /// limit. It may not have been read to its end yet.
    fn binary_data(&self, from: usize) -> Option<Range<usize>> {
        // No name of a filter is longer, nor a length; line breaks may stand among them.
        let head = self.bytes(from, from + 64);
        let (mut id, mut length) = (Vec::new(), Vec::new());
        let mut element = 0;
        for (at, byte) in head.iter().copied().enumerate() {
            let length_element = match id.as_slice() {
                b"BIN" => 1,
                b"BDS" => 2,
                _ if element > 0 || id.len() > 3 => return None,
                _ => usize::MAX,
            };
            if byte == self.delimiters.element && element == length_element {
                let length = super::number_of(std::str::from_utf8(&length).ok()?)? as usize;
                let data = from + at + 1;
                return (length <= self.limits.binary_bytes).then_some(data..data + length);
            }
            match byte {
                byte if byte == self.delimiters.element => element += 1,
                byte if self.is_break(byte) => {}
                byte if element == 0 => id.push(byte),
                byte if element == length_element => length.push(byte),
                _ => {}
            }
        }
        None
    }

    /// Whether binary data that was read ends with a segment terminator where its length says: then what stands in it is
    /// data, whatever it looks like.
    fn ends_there(&self, data: &Range<usize>) -> bool {
        data.end < self.filled && self.buffer[data.end] == self.delimiters.terminator
    }

    /// A segment that begins like an ISA, or is odd enough to have run into one.
    fn may_hold_isa(&self, found: &Found) -> bool {
        let id = self.id(found);
        !is_sound(id.as_bytes()) || found.elements() >= 16 || id.as_bytes() == b"ISA"
    }

    /// Where between two places the ISA of another interchange stands: any reading of one at the
    /// start of a segment, only the standard's 106 bytes within one.
    fn isa_within(&self, from: usize, to: usize) -> Option<usize> {
        let reads = |at: usize| match at == from {
            true => matches!(
                read_isa(&self.buffer[at..self.filled], true, false, 0, 1),
                IsaReading::Read { .. }
            ),
            false => is_fixed_isa(self.bytes(at, (at + ISA_LENGTH).min(to))),
        };
        memchr::memmem::find_iter(self.bytes(from, to), b"ISA")
            .map(|at| from + at)
            .find(|at| reads(*at))
    }

    /// Ends the interchange at an ISA; what stands before it since `from` is a segment cut off.
    fn cut_at(&mut self, at: usize, from: usize) {
        let first = self.first_mark();
        let keep = self.marks.ends[first..].partition_point(|end| (*end as usize) < at) + first;
        self.marks.ends.truncate(keep);
        self.marks.terminators.truncate(self.next);
        if at > from {
            self.marks.terminators.push(self.marks.ends.len() as u32);
            self.marks.ends.push(at as u32);
        }
        self.cut = Some(at);
        self.scanned = at;
    }

    /// If the segment holds binary data, finds its end by the length that it declares (rule 20).
    /// Afterwards the segment must be looked at anew.
    pub fn respect_binary(&mut self, found: &Found) -> io::Result<()> {
        let Some(data) = self.binary_data(found.start) else {
            return Ok(());
        };
        let is_put_together = self.marks.ends[found.last - 1] as usize + 1 == data.start;
        if found.unterminated || is_put_together && found.end == data.end {
            return Ok(());
        }
        let (start, end) = (data.start - self.cursor, data.end - self.cursor);
        while self.cursor + end >= self.filled && self.more()? {}
        let data = self.cursor + start..self.cursor + end;
        if !self.ends_there(&data) {
            return Ok(());
        }
        let keep = self
            .marks
            .ends
            .partition_point(|mark| (*mark as usize) < data.start);
        self.marks.ends.truncate(keep);
        self.marks.terminators.truncate(self.next);
        self.marks.terminators.push(self.marks.ends.len() as u32);
        self.marks.ends.push(data.end as u32);
        self.scanned = data.end + 1;
        // The data was not looked at for line feeds.
        self.has_lines = true;
        self.stride = 256;
        Ok(())
    }

    /// What a BIN or BDS says of the length of its data, and how many bytes there are without the line breaks of a wrapped
    /// file; none where it is so. Line breaks may have been counted or not.
    pub fn other_binary_length(
        &self,
        found: &Found,
        length_element: usize,
    ) -> Option<(String, usize)> {
        let said = match found.elements() < length_element {
            true => String::new(),
            false => String::from_utf8_lossy(&self.element(found, length_element)).into_owned(),
        };
        if found.elements() <= length_element {
            return Some((said, 0));
        }
        let data = self.marks.ends[found.first + length_element] as usize + 1;
        let length = found.end - data;
        let bytes = self.bytes(data, found.end);
        let breaks = bytes.iter().filter(|byte| self.is_break(**byte)).count();
        let is_so = super::number_of(&said)
            .is_some_and(|said| [length, length - breaks].contains(&(said as usize)));
        (!is_so).then_some((said, length - breaks))
    }

    /// Whether line breaks stand inside a segment of binary data: in data of just the length that it
    /// declares every byte is data.
    pub fn has_breaks_beside_binary(&self, found: &Found, length_element: usize) -> bool {
        let is_whole = found.elements() == length_element + 1 && {
            let data = self.marks.ends[found.last - 1] as usize + 1;
            super::number_of(&String::from_utf8_lossy(
                &self.element(found, length_element),
            ))
            .is_some_and(|length| data + length as usize == found.end)
        };
        if !is_whole {
            return found.has_breaks;
        }
        self.bytes(found.start, self.marks.ends[found.last - 1] as usize)
            .iter()
            .any(|byte| self.is_break(*byte))
    }

    /// The set that is being read begins with this segment.
    pub fn begin_set(&mut self, first: &Found) {
        self.set_start = first.start;
        self.set_mark = first.first;
    }

    /// Where the set that is being read begins.
    pub fn set_start(&self) -> usize {
        self.set_start
    }

    /// Steps over the next segment of the set that is being read.
    pub fn step_in_set(&mut self, segment: &Found, spans: &mut Vec<Span>) {
        spans.push(Span {
            start: (segment.start - self.set_start) as u32,
            first: (segment.first - self.set_mark) as u32,
            last: (segment.last - self.set_mark) as u32,
            key: Key::of(self.id(segment).as_bytes()),
        });
        self.step(segment);
    }

    /// The ends of the elements of the set that was read, counted from its first byte.
    pub fn take_ends(&self, spans: &[Span], ends: &mut Vec<u32>) {
        ends.clear();
        let Some(last) = spans.last() else {
            return;
        };
        let origin = self.set_start as u32;
        let marks = &self.marks.ends[self.set_mark..=self.set_mark + last.last as usize];
        ends.extend(marks.iter().map(|end| end - origin));
    }

    /// Steps over the segments that are plainly part of the set that is being read: already found,
    /// with a sound identifier, and none that the envelope, binary data or a cut-off file have to
    /// do with; not where a limit is near. The SE that ends the set is the last one of them; whether
    /// it was met.
    pub fn run_on(&mut self, spans: &mut Vec<Span>) -> bool {
        let is_odd = self.broken || self.cut.is_some() || self.skipping || self.has_tail;
        let is_near_limit = self.scanned.saturating_sub(self.next_from) > self.limits.segment_bytes
            || self.scanned.saturating_sub(self.cursor) > self.limits.set_bytes;
        if is_odd || is_near_limit {
            return false;
        }
        let bytes = &self.buffer[..self.filled];
        let ends: &[u32] = &self.marks.ends;
        let mut ahead = &self.marks.terminators[self.next..];
        // Only the last one can stand for the end of the source.
        if ends.last().is_some_and(|end| *end as usize >= bytes.len()) {
            ahead = ahead.split_last().map_or(&[], |(_, before)| before);
        }
        let mut run = Run {
            bytes,
            ends,
            delimiters: self.delimiters,
            set_start: self.set_start as u32,
            set_mark: self.set_mark as u32,
            first: self.first_mark(),
            from: self.next_from,
        };
        let (before, mut is_last) = (spans.len(), false);
        for some in ahead.chunks(RUN) {
            let at = spans.len();
            spans.resize(at + some.len(), Span::default());
            let taken = run.take(some, &mut spans[at..], &mut self.plain);
            spans.truncate(at + taken);
            is_last = spans.len() > before && spans.last().is_some_and(|span| span.key == SE);
            if is_last || taken < some.len() {
                break;
            }
        }
        if spans.len() > before {
            self.next_from = run.from;
            self.next += spans.len() - before;
        }
        is_last
    }

    /// The first byte behind a terminator.
    #[inline]
    fn behind(&self, end: usize) -> usize {
        let mut at = (end + 1).min(self.filled);
        if !self.has_tail {
            return at;
        }
        for byte in self
            .delimiters
            .after_terminator
            .as_bytes()
            .iter()
            .take_while(|byte| **byte >= 0x80)
        {
            if at < self.filled && self.buffer[at] == *byte {
                at += 1;
            }
        }
        at
    }
}

/// Segments that [`Run::take`] is asked for at once.
const RUN: usize = 64;

/// Segments that were found and are looked at in one go: what is done for every segment of a file.
struct Run<'a> {
    bytes: &'a [u8],
    ends: &'a [u32],
    delimiters: Delimiters,
    set_start: u32,
    set_mark: u32,
    /// Index of the first mark of the next segment.
    first: usize,
    /// Behind the terminator of the segment before.
    from: usize,
}

impl Run<'_> {
    /// Fills in the spans of the segments with these terminators, up to an SE, or to one that is not
    /// plain; how many they were.
    fn take(&mut self, terminators: &[u32], spans: &mut [Span], plain: &mut PlainIds) -> usize {
        let (mut first, mut from, mut taken) = (self.first, self.from, 0);
        for (terminator, span) in terminators.iter().zip(spans) {
            let last = *terminator as usize;
            let (Some(mut four), Some(marks)) =
                (four_at(self.bytes, from), self.ends.get(first..=last))
            else {
                break;
            };
            let mut start = from;
            if four[0] <= b' ' {
                start = self.behind_blanks(from);
                let Some(there) = four_at(self.bytes, start) else {
                    break;
                };
                four = there;
            }
            let ([id_end, ..], [.., end]) = (marks, marks) else {
                break;
            };
            let Some(key) = plain.key_of(four, id_end.wrapping_sub(start as u32)) else {
                break;
            };
            if marks.len() > 16 {
                break;
            }
            *span = Span {
                start: start as u32 - self.set_start,
                first: first as u32 - self.set_mark,
                last: last as u32 - self.set_mark,
                key,
            };
            taken += 1;
            first = last + 1;
            from = *end as usize + 1;
            if key == SE {
                break;
            }
        }
        (self.first, self.from) = (first, from);
        taken
    }

    #[inline(never)]
    fn behind_blanks(&self, from: usize) -> usize {
        let blanks = self.bytes.get(from..).unwrap_or_default().iter();
        from + blanks
            .take_while(|byte| is_blank(**byte, &self.delimiters))
            .count()
    }
}

/// A byte of a line end or of the indentation of printed files.
fn is_blank(byte: u8, delimiters: &Delimiters) -> bool {
    matches!(byte, b'\r' | b'\n' | b' ' | b'\t' | 0x1a | 0)
        && byte != delimiters.element
        && byte != delimiters.terminator
}

#[inline]
fn four_at(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// Identifiers that mean nothing to the envelope, those met lately: files use few of them, and over
/// and over.
#[derive(Clone)]
struct PlainIds {
    /// Each at the slot that it is hashed to, with its length in the highest byte.
    lately: [u32; 1 << PlainIds::BITS],
}

impl PlainIds {
    const BITS: u32 = 9;

    fn new() -> PlainIds {
        PlainIds {
            lately: [0; 1 << PlainIds::BITS],
        }
    }

    /// The key of the identifier that has this length and stands at the start of these bytes; none
    /// where it is not sound, or means something to the envelope and is no SE.
    #[inline(always)]
    fn key_of(&mut self, bytes: [u8; 4], length: u32) -> Option<Key> {
        let short = 3u32.wrapping_sub(length);
        if short > 1 {
            return None;
        }
        let key = u32::from_le_bytes(bytes) & (0x00ff_ffff >> (short * 8));
        let id = key | length << 24;
        let slot =
            &mut self.lately[(id.wrapping_mul(0x9e37_79b1) >> (32 - PlainIds::BITS)) as usize];
        if *slot != id {
            if !is_plain(&bytes[..length as usize]) {
                return None;
            }
            *slot = id;
        }
        Some(Key(key))
    }
}

/// Whether an identifier is sound, and is SE or means nothing to the envelope.
#[cold]
#[inline(never)]
fn is_plain(id: &[u8]) -> bool {
    is_sound(id)
        && !matches!(
            id,
            b"ST" | b"GS" | b"GE" | b"BIN" | b"BDS" | b"IEA" | b"ISA"
        )
}

/// Two or three capitals or digits, a capital first.
fn is_sound(id: &[u8]) -> bool {
    matches!(id.len(), 2 | 3)
        && id[0].is_ascii_uppercase()
        && id
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

const SE: Key = Key::of(b"SE");

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_ids_of_the_set_are_plain() {
        let mut ids = PlainIds::new();
        let mut key = |bytes: &[u8; 4], length| ids.key_of(*bytes, length);
        for _ in 0..2 {
            assert_eq!(key(b"PO1*", 3), Some(Key::of(b"PO1")));
            assert_eq!(key(b"PO1*", 2), Some(Key::of(b"PO")));
            assert_eq!(key(b"SE*5", 2), Some(SE));
            assert_eq!(key(b"N1*B", 2), Some(Key::of(b"N1")));
            // As long as a sound one, with the same letters in the same places.
            assert_eq!(key(b"N1\0*", 3), None);
            assert_eq!(key(b"po1*", 3), None);
            assert_eq!(key(b"1PO*", 3), None);
            for id in [b"ST*8", b"GS*P", b"GE*1"] {
                assert_eq!(key(id, 2), None);
            }
            for id in [b"BIN*", b"BDS*", b"IEA*", b"ISA*"] {
                assert_eq!(key(id, 3), None);
            }
            for length in [0, 1, 4, u32::MAX] {
                assert_eq!(key(b"PO1A", length), None);
            }
        }
    }

    proptest! {
        #[test]
        fn ids_met_before_are_judged_as_at_first(
            met in proptest::collection::vec((any::<[u8; 4]>(), 0u32..5), 0..400),
            alike in proptest::collection::vec(("[A-Z0-9*\0]{4}", 0u32..5), 0..400),
        ) {
            let mut ids = PlainIds::new();
            let alike = alike.iter().filter_map(|(text, length)| Some((*text.as_bytes().first_chunk()?, *length)));
            for (bytes, length) in met.iter().copied().chain(alike) {
                prop_assert_eq!(ids.key_of(bytes, length), PlainIds::new().key_of(bytes, length));
            }
        }
    }
}
