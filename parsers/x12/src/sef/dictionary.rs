//! `.SEGS`, `.COMS` and `.ELMS`: what segments, composites and elements hold.

use super::Findings;
use super::records::{File, Record};
use super::sets::Usage;
use crate::text::show;
use std::collections::HashMap;

/// Places of one segment beyond this are left out: a segment has fewer than 100.
const PLACES_MAX: usize = 200;

/// Everything by its name.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    pub segments: HashMap<String, DefinitionText>,
    pub composites: HashMap<String, DefinitionText>,
    /// Shortest and longest value.
    pub elements: HashMap<String, (usize, usize)>,
}

/// A segment or composite.
#[derive(Debug)]
pub(super) struct DefinitionText {
    pub line: u32,
    pub places: Vec<PlaceText>,
    /// Kind and members.
    pub relations: Vec<(char, Vec<u8>)>,
    /// Each a variant that sets choose by number.
    pub masks: Vec<Vec<MaskMark>>,
}

/// A place of a segment or composite.
#[derive(Debug, Clone)]
pub(super) struct PlaceText {
    /// Number of an element or name of a composite.
    pub id: String,
    pub usage: Usage,
    /// By which codes, rules and words name it.
    pub ordinal: u32,
    pub min: Option<usize>,
    pub max: Option<usize>,
    pub mandatory: bool,
}

/// What a mask says of one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct MaskMark {
    pub usage: Usage,
    /// Number of the mask of the composite there, from 1.
    pub composite: Option<usize>,
}

impl DefinitionText {
    /// The usage of a place under a mask. A mask names the places that are used from the first on:
    /// what stands beyond its end is not used.
    pub fn usage(&self, at: usize, mask: Option<usize>) -> (Usage, Option<usize>) {
        let own = self
            .places
            .get(at)
            .map_or(Usage::Plain, |place| place.usage);
        match mask.and_then(|mask| self.masks.get(mask.checked_sub(1)?)) {
            None => (own, None),
            Some(mask) => match mask.get(at) {
                None => (Usage::NotUsed, None),
                Some(mark) if mark.usage == Usage::Plain => (own, mark.composite),
                Some(mark) => (mark.usage, mark.composite),
            },
        }
    }
}

pub(super) fn read(file: &File, findings: &mut Findings) -> Dictionary {
    let mut dictionary = Dictionary::default();
    for record in &file.segments {
        let definition = definition(record, findings);
        dictionary.segments.insert(record.key.clone(), definition);
    }
    for record in &file.composites {
        let definition = definition(record, findings);
        dictionary.composites.insert(record.key.clone(), definition);
    }
    for record in &file.elements {
        let mut fields = record.value.split(',').skip(1).map(str::parse);
        match (fields.next(), fields.next()) {
            (Some(Ok(min)), Some(Ok(max))) => {
                dictionary.elements.insert(record.key.clone(), (min, max));
            }
            _ => findings.add(
                record.line,
                format!(
                    "element {}: {} is not TYPE,MIN,MAX",
                    record.key,
                    show(&record.value)
                ),
            ),
        }
    }
    dictionary
}

/// `[128,M][127]{4[1339]}[C040]+R0203P0405,..#.,..`
fn definition(record: &Record, findings: &mut Findings) -> DefinitionText {
    let (line, id) = (record.line, record.key.as_str());
    let end = places_end(&record.value);
    let (places_text, tail) = record.value.split_at(end);
    let mut definition = DefinitionText {
        line,
        places: Vec::new(),
        relations: Vec::new(),
        masks: Vec::new(),
    };
    let mut reading = Reading {
        line,
        id,
        next: 1,
        list: Vec::new(),
        findings: &mut *findings,
    };
    let _ = reading.places(places_text, 1, 0);
    definition.places = reading.list;
    let mut parts = tail.split(',');
    let first = parts.next().unwrap_or("");
    match first.strip_prefix('+') {
        Some(text) => definition.relations = relations(text, line, id, findings),
        None if first.is_empty() => {}
        None => findings.add(line, format!("{id}: {} is not understood", show(first))),
    }
    let count = definition.places.len();
    definition.masks = parts
        .map(|mask| self::mask(mask, count, line, id, findings))
        .collect();
    definition
}

/// Where brackets and braces end.
fn places_end(text: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            '+' | ',' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// The places of a definition as they are read.
struct Reading<'f> {
    line: u32,
    id: &'f str,
    next: u32,
    list: Vec<PlaceText>,
    findings: &'f mut Findings,
}

impl Reading<'_> {
    /// Reads places so many times over. Ends everything where something is wrong or too much.
    fn places(&mut self, whole: &str, times: usize, depth: usize) -> Option<()> {
        for _ in 0..times {
            let before = self.list.len();
            let mut text = whole;
            while let Some(mark) = text.chars().next() {
                if self.list.len() >= PLACES_MAX {
                    return self.end(format!(
                        "has more than {PLACES_MAX} places; the rest was left out"
                    ));
                }
                let rest = &text[mark.len_utf8()..];
                match mark {
                    '[' => {
                        let Some(end) = rest.find(']') else {
                            return self.end("has a bracket that is not closed".to_owned());
                        };
                        self.place(&rest[..end]);
                        text = &rest[end + 1..];
                    }
                    '{' if depth < 4 => {
                        let Some(end) = closing(rest) else {
                            return self.end("has a brace that is not closed".to_owned());
                        };
                        let inside = &rest[..end];
                        let digits = inside
                            .find(|c: char| !c.is_ascii_digit())
                            .unwrap_or(inside.len());
                        let again = inside[..digits].parse().unwrap_or(1usize).min(PLACES_MAX);
                        self.places(&inside[digits..], again, depth + 1)?;
                        text = &rest[end + 1..];
                    }
                    _ => return self.end(format!("was not read from {} on", show(text))),
                }
            }
            if self.list.len() == before {
                break;
            }
        }
        Some(())
    }

    fn end(&mut self, what: String) -> Option<()> {
        self.findings.add(self.line, format!("{} {what}", self.id));
        None
    }

    /// `!373@4;8:8,M,2`
    fn place(&mut self, inside: &str) {
        let mut fields = inside.split(',');
        let head = fields.next().unwrap_or("");
        let (usage, head) = match head.chars().next().and_then(Usage::of_mark) {
            Some(usage) => (usage, &head[1..]),
            None => (Usage::Plain, head),
        };
        let (head, lengths) = head
            .split_once(';')
            .map_or((head, None), |(h, l)| (h, Some(l)));
        let (name, ordinal) = head
            .split_once('@')
            .map_or((head, None), |(n, o)| (n, Some(o)));
        let (line, id, findings) = (self.line, self.id, &mut *self.findings);
        let mut unknown = |what: &str| {
            let text = format!("{id}: {what} of {} is not understood", show(inside));
            findings.add(line, text);
        };
        let mut place = PlaceText {
            id: name.to_owned(),
            usage,
            ordinal: self.next,
            min: None,
            max: None,
            mandatory: false,
        };
        match ordinal.map(str::parse) {
            None => self.next += 1,
            Some(Ok(ordinal)) => place.ordinal = ordinal,
            Some(Err(_)) => unknown("the ordinal"),
        }
        if let Some(lengths) = lengths {
            let (min, max) = lengths.split_once(':').unwrap_or((lengths, ""));
            for (text, target) in [(min, &mut place.min), (max, &mut place.max)] {
                match text.parse() {
                    Ok(number) => *target = Some(number),
                    Err(_) if text.is_empty() => {}
                    Err(_) => unknown("a length"),
                }
            }
        }
        match fields.next() {
            None | Some("" | "O" | "C" | "X" | "F") => {}
            Some("M") => place.mandatory = true,
            Some(_) => unknown("the requirement"),
        }
        self.list.push(place);
    }
}

/// Where the brace that is open closes.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// `R0203P0405`
fn relations(text: &str, line: u32, id: &str, findings: &mut Findings) -> Vec<(char, Vec<u8>)> {
    let mut relations = Vec::new();
    let mut rest = text;
    while let Some(kind) = rest.chars().next() {
        let after = &rest[kind.len_utf8()..];
        let end = after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len());
        let members: Vec<u8> = after.as_bytes()[..end]
            .chunks_exact(2)
            .map(|pair| (pair[0] - b'0') * 10 + (pair[1] - b'0'))
            .collect();
        let is_sound = matches!(kind, 'P' | 'R' | 'E' | 'C' | 'L')
            && members.len() >= 2
            && end.is_multiple_of(2)
            && !members.contains(&0);
        if is_sound {
            relations.push((kind, members));
        } else {
            let text = format!(
                "{id}: the relation {} is not understood",
                show(&rest[..kind.len_utf8() + end])
            );
            findings.add(line, text);
        }
        rest = &after[end..];
    }
    relations
}

/// `..#.*1`
fn mask(text: &str, places: usize, line: u32, id: &str, findings: &mut Findings) -> Vec<MaskMark> {
    let mut marks: Vec<MaskMark> = Vec::new();
    let mut rest = text;
    while let Some(mark) = rest.chars().next() {
        rest = &rest[mark.len_utf8()..];
        if mark == '*' {
            let end = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            if let (Some(last), Ok(number)) = (marks.last_mut(), rest[..end].parse()) {
                last.composite = Some(number);
            }
            rest = &rest[end..];
            continue;
        }
        let usage = match mark {
            '.' => Usage::Plain,
            '#' => Usage::NotUsed,
            '!' => Usage::MustUse,
            '$' => Usage::Recommended,
            '-' => Usage::NotRecommended,
            '&' => Usage::Dependent,
            other => {
                let text = format!(
                    "{id}: the mark {} in the mask {} is not known; the element was taken as used",
                    show(other.encode_utf8(&mut [0; 4])),
                    show(text)
                );
                findings.add(line, text);
                Usage::Plain
            }
        };
        if marks.len() >= places {
            findings.add(
                line,
                format!("{id}: the mask {} is longer than the segment", show(text)),
            );
            break;
        }
        marks.push(MaskMark {
            usage,
            composite: None,
        });
    }
    marks
}
