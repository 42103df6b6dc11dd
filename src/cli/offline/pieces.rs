//! A file cut into its segments and what stands between them, without losing a byte: the pieces in order are the file.

use std::ops::Range;

use supercargo_x12::{Delimiters, Event, Reader, TransactionSet};

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Bytes between interchanges, or that belong nowhere.
    Outside,
    /// ISA: an interchange begins.
    Isa,
    /// TA1, GS, GE, IEA.
    Envelope,
    /// A segment that stands where none belongs: it may be any, with any contents.
    Stray,
    /// A segment of a set: number of the set in the file, position of the segment in the set from 0.
    Set(usize, usize),
}

/// A segment, or bytes between segments; all three are ranges of the file that follow one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Line ends, blanks and the like before the segment.
    pub before: Range<usize>,
    /// From the identifier to the last element; for what is no segment, all of it.
    pub body: Range<usize>,
    /// The terminator and what follows it up to the next piece.
    pub end: Range<usize>,
    /// What it is.
    pub place: Place,
    /// The separators in force.
    pub delimiters: Delimiters,
}

/// Everything of a file.
pub struct Pieces {
    /// In order.
    pub pieces: Vec<Piece>,
    /// The sets, in order, each with the version of its group (GS08).
    pub sets: Vec<(TransactionSet, String)>,
}

/// Cuts a file. `keep_sets` keeps its sets for those who look into elements.
pub fn cut(bytes: &[u8], keep_sets: bool) -> std::io::Result<Pieces> {
    let mut cutting = Cutting {
        bytes,
        at: 0,
        delimiters: Delimiters::default(),
        version: String::new(),
        sets: 0,
        keep_sets,
        found: Pieces {
            pieces: Vec::new(),
            sets: Vec::new(),
        },
    };
    let mut reader = Reader::new(bytes);
    loop {
        let place = match reader.next()? {
            None => break,
            Some(event) => cutting.meet(event),
        };
        let length = reader.raw().len();
        cutting.take(place, length);
    }
    let rest = bytes.len().saturating_sub(cutting.at);
    cutting.take(Met::Outside, rest);
    Ok(cutting.found)
}

/// What an event is, with what is needed once its bytes are known.
enum Met {
    Outside,
    Segment(Place),
    /// Where in the file each segment begins, and its length.
    Set(Vec<(usize, usize)>),
}

struct Cutting<'a> {
    bytes: &'a [u8],
    at: usize,
    delimiters: Delimiters,
    version: String,
    sets: usize,
    keep_sets: bool,
    found: Pieces,
}

impl Cutting<'_> {
    fn meet(&mut self, event: Event<'_>) -> Met {
        match event {
            Event::InterchangeOpened(header, _) => {
                self.delimiters = header.delimiters;
                Met::Segment(Place::Isa)
            }
            Event::GroupOpened(header) => {
                self.version.clone_from(&header.version);
                Met::Segment(Place::Envelope)
            }
            Event::Ta1(_) | Event::GroupClosed(_) | Event::InterchangeClosed(_) => {
                Met::Segment(Place::Envelope)
            }
            Event::Stray(_) => Met::Segment(Place::Stray),
            Event::Set(set) => {
                let place = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
                let segments = set
                    .segments()
                    .map(|segment| (place(segment.offset()), place(segment.length())))
                    .collect();
                if self.keep_sets {
                    self.found.sets.push((set.clone(), self.version.clone()));
                }
                Met::Set(segments)
            }
            Event::Outside(_) | Event::NoInterchange(_) => Met::Outside,
        }
    }

    fn take(&mut self, met: Met, length: usize) {
        let whole = self.at..self.at.saturating_add(length).min(self.bytes.len());
        self.at = whole.end;
        if whole.is_empty() && !matches!(met, Met::Set(_)) {
            return;
        }
        match met {
            Met::Outside => self.push(
                whole.start,
                whole.start,
                whole.end,
                whole.end,
                Place::Outside,
            ),
            Met::Segment(place) => self.segment(whole, place),
            Met::Set(segments) => self.set(whole, &segments),
        }
    }

    fn push(&mut self, start: usize, body: usize, end: usize, next: usize, place: Place) {
        self.found.pieces.push(Piece {
            before: start..body,
            body: body..end,
            end: end..next,
            place,
            delimiters: self.delimiters,
        });
    }

    /// One segment alone: blanks, the segment up to its last terminator, the rest.
    fn segment(&mut self, whole: Range<usize>, place: Place) {
        let bytes = self.bytes.get(whole.clone()).unwrap_or_default();
        // The reader has found its identifier: a byte-order mark, a NUL or a Ctrl-Z before that is none of it.
        let is_before = |byte: &u8| match place {
            Place::Isa | Place::Envelope => !byte.is_ascii_alphabetic(),
            _ => byte.is_ascii_whitespace(),
        };
        let blanks = bytes.iter().take_while(|byte| is_before(byte)).count();
        let terminator = bytes
            .iter()
            .rposition(|byte| *byte == self.delimiters.terminator)
            .filter(|at| *at >= blanks)
            .unwrap_or(bytes.len());
        self.push(
            whole.start,
            whole.start + blanks,
            whole.start + terminator,
            whole.end,
            place,
        );
    }

    fn set(&mut self, whole: Range<usize>, segments: &[(usize, usize)]) {
        let number = self.sets;
        self.sets += 1;
        let mut start = whole.start;
        for (n, (offset, length)) in segments.iter().enumerate() {
            let body = (*offset).clamp(start, whole.end);
            let end = body.saturating_add(*length).min(whole.end);
            let next = match segments.get(n + 1) {
                // The terminator belongs to this segment, line ends after it to the next.
                Some(_) => (end + 1).min(whole.end),
                None => whole.end,
            };
            self.push(start, body, end, next, Place::Set(number, n));
            start = next;
        }
        if start < whole.end {
            self.push(start, start, whole.end, whole.end, Place::Outside);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = b"junk\r\nISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000001*0*P*>~\nGS*PO*BUYER*SELLER*20260115*1230*1*X*004010~\nST*850*0001~\n\nBEG*00*SA*4711**20260115~SE*3*0001~\nGE*1*1~\nIEA*1*000000001~\ntail";

    #[test]
    fn the_pieces_in_order_are_the_file() {
        for bytes in [FILE, b"", b"no x12 at all", &FILE[..200], &FILE[..220]] {
            let cut = cut(bytes, false).unwrap();
            let mut at = 0;
            for piece in &cut.pieces {
                for range in [&piece.before, &piece.body, &piece.end] {
                    assert_eq!(range.start, at, "{}", String::from_utf8_lossy(bytes));
                    at = range.end;
                }
            }
            assert_eq!(at, bytes.len());
        }
    }

    #[test]
    fn what_is_padded_before_an_envelope_segment_is_none_of_it() {
        let text = String::from_utf8_lossy(FILE).replace("junk\r\n", "");
        for padding in ["\0", "\u{1a}", "\0\0\r\n"] {
            for id in ["ISA*", "GS*PO", "GE*", "IEA*"] {
                let file = text.replace(id, &format!("{padding}{id}"));
                let cut = cut(file.as_bytes(), false).unwrap();
                let begins =
                    |piece: &Piece| file.as_bytes()[piece.body.clone()].starts_with(id.as_bytes());
                assert!(cut.pieces.iter().any(begins), "{padding:?} before {id}");
            }
        }
    }

    #[test]
    fn segments_begin_at_their_identifiers() {
        let cut = cut(FILE, false).unwrap();
        let bodies: Vec<&[u8]> = cut
            .pieces
            .iter()
            .filter(|piece| piece.place != Place::Outside)
            .map(|piece| {
                FILE[piece.body.clone()]
                    .split(|byte| *byte == b'*')
                    .next()
                    .unwrap()
            })
            .collect();
        assert_eq!(
            bodies,
            [&b"ISA"[..], b"GS", b"ST", b"BEG", b"SE", b"GE", b"IEA"]
        );
    }
}
