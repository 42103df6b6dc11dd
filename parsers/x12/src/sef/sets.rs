//! `.SETS`: which segments stand where in a transaction set.

use super::Findings;
use super::records::Record;
use crate::text::show;

/// Loops within loops beyond this are left out.
const DEPTH_MAX: usize = 32;
/// Segments of one set beyond this are left out.
const SEGMENTS_MAX: u32 = 5_000;

/// A transaction set.
#[derive(Debug)]
pub(super) struct SetText {
    pub line: u32,
    pub code: String,
    pub items: Vec<Item>,
}

/// What stands in a set or loop.
#[derive(Debug)]
pub(super) enum Item {
    Segment(SegmentText),
    Loop(LoopText),
}

/// A loop; its first segment begins it.
#[derive(Debug)]
pub(super) struct LoopText {
    /// None: without limit.
    pub max: Option<u32>,
    pub items: Vec<Item>,
}

impl LoopText {
    /// The segment that begins it.
    pub fn first(&self) -> Option<&SegmentText> {
        match self.items.first()? {
            Item::Segment(segment) => Some(segment),
            Item::Loop(inner) => inner.first(),
        }
    }
}

/// A segment at its place.
#[derive(Debug, Clone)]
pub(super) struct SegmentText {
    pub id: String,
    pub usage: Usage,
    /// Number of its mask in `.SEGS`, from 1.
    pub mask: Option<usize>,
    /// By which codes, rules and words name it.
    pub ordinal: u32,
    pub mandatory: bool,
    /// None: without limit.
    pub max: Option<u32>,
}

/// What a partner makes of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    /// As the standard has it.
    Plain,
    NotUsed,
    MustUse,
    Recommended,
    NotRecommended,
    Dependent,
}

impl Usage {
    /// The mark before a segment or element.
    pub fn of_mark(mark: char) -> Option<Usage> {
        Some(match mark {
            '.' => Usage::NotUsed,
            '!' => Usage::MustUse,
            '$' => Usage::Recommended,
            '-' => Usage::NotRecommended,
            '&' => Usage::Dependent,
            _ => return None,
        })
    }

    /// What is advice and nothing to judge by.
    pub fn advice(self) -> Option<&'static str> {
        match self {
            Usage::Recommended => Some("recommended"),
            Usage::NotRecommended => Some("not recommended"),
            Usage::Dependent => Some("dependent on something that only the guide's words say"),
            Usage::Plain | Usage::NotUsed | Usage::MustUse => None,
        }
    }
}

struct Reading<'a, 'f> {
    line: u32,
    rest: &'a str,
    next: u32,
    findings: &'f mut Findings,
}

/// Reads a set.
pub(super) fn read(record: &Record, findings: &mut Findings) -> SetText {
    let mut reading = Reading {
        line: record.line,
        rest: &record.value,
        next: 1,
        findings,
    };
    let items = reading.items(0);
    if !reading.rest.is_empty() {
        let text = format!(
            "the set {} was not read from {} on",
            record.key,
            show(reading.rest)
        );
        reading.findings.add(record.line, text);
    }
    SetText {
        line: record.line,
        code: record.key.clone(),
        items,
    }
}

impl<'a> Reading<'a, '_> {
    fn items(&mut self, depth: usize) -> Vec<Item> {
        let mut items = Vec::new();
        while let Some(mark) = self.rest.chars().next() {
            match mark {
                // A table begins; the overlay needs no tables.
                '^' | ' ' => self.skip(1),
                // How far positions in the paper guide go on.
                '+' | '-' => {
                    self.skip(1);
                    self.digits();
                }
                '[' => match self.bracket() {
                    Some(inside) => items.extend(self.segment(inside).map(Item::Segment)),
                    None => break,
                },
                '{' if depth < DEPTH_MAX => {
                    self.skip(1);
                    let max = self.repeats();
                    let inside = self.items(depth + 1);
                    match self.rest.strip_prefix('}') {
                        Some(rest) => self.rest = rest,
                        None => self.findings.add(self.line, "a loop is not closed"),
                    }
                    if !inside.is_empty() {
                        items.push(Item::Loop(LoopText { max, items: inside }));
                    }
                }
                // The loop around this ends here; without one it is a stray mark, told by the caller.
                _ => break,
            }
        }
        items
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or("");
    }

    fn digits(&mut self) -> &'a str {
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits
    }

    fn bracket(&mut self) -> Option<&'a str> {
        let end = self.rest.find(']')?;
        let inside = self.rest.get(1..end)?;
        self.rest = self.rest.get(end + 1..)?;
        Some(inside)
    }

    /// `ID:25`, `:>1`, or nothing, which is once.
    fn repeats(&mut self) -> Option<u32> {
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(self.rest.len());
        if self
            .rest
            .get(end..)
            .is_some_and(|rest| rest.starts_with(':'))
        {
            self.skip(end + 1);
            if let Some(rest) = self.rest.strip_prefix('>') {
                self.rest = rest;
                self.digits();
                return None;
            }
            return Some(self.digits().parse().unwrap_or(1));
        }
        Some(1)
    }

    /// `.CUR*1@7;30,M,>1`.
    fn segment(&mut self, inside: &str) -> Option<SegmentText> {
        let mut fields = inside.split(',');
        let head = fields.next().unwrap_or("");
        let (usage, head) = match head.chars().next().and_then(Usage::of_mark) {
            Some(usage) => (usage, head.get(1..).unwrap_or("")),
            None => (Usage::Plain, head),
        };
        let end = head
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(head.len());
        let (id, mut marks) = head.split_at(end);
        if !matches!(id.len(), 2 | 3) || self.next > SEGMENTS_MAX {
            let text = format!("{} is no segment", show(inside));
            self.findings.add(self.line, text);
            return None;
        }
        let mut segment = SegmentText {
            id: id.to_owned(),
            usage,
            mask: None,
            ordinal: self.next,
            mandatory: false,
            max: Some(1),
        };
        let mut is_counted = true;
        while let Some(mark) = marks.chars().next() {
            let rest = marks.get(mark.len_utf8()..).unwrap_or("");
            let end = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            let number = rest[..end].parse::<u32>().ok();
            marks = &rest[end..];
            match (mark, number) {
                ('*', Some(number)) => segment.mask = usize::try_from(number).ok(),
                // An ordinal out of turn: the others keep theirs.
                ('@', Some(number)) => {
                    segment.ordinal = number;
                    is_counted = false;
                }
                (';', Some(_)) => {}
                _ => {
                    let text = format!(
                        "the mark {} of {} is not known",
                        show(mark.encode_utf8(&mut [0; 4])),
                        show(inside)
                    );
                    self.findings.add(self.line, text);
                }
            }
        }
        self.next += u32::from(is_counted);
        match fields.next() {
            None | Some("" | "O" | "C" | "F") => {}
            Some("M") => segment.mandatory = true,
            Some(other) => {
                let text = format!("the requirement {} of {id} is not known", show(other));
                self.findings.add(self.line, text);
            }
        }
        match fields.next() {
            None | Some("") => {}
            Some(max) if max.starts_with('>') => segment.max = None,
            Some(max) => match max.parse() {
                Ok(max) => segment.max = Some(max),
                Err(_) => {
                    let text = format!("{} is no number of times for {id}", show(max));
                    self.findings.add(self.line, text);
                }
            },
        }
        if fields.next().is_some() {
            let text = format!("{} has more fields than a segment", show(inside));
            self.findings.add(self.line, text);
        }
        Some(segment)
    }
}
