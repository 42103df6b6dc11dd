//! How a page of `explain` is laid out: colours, indentation, carets, and lines that fit the terminal.

use std::ffi::OsStr;
use std::io::IsTerminal;
use std::ops::Range;

use supercargo_x12::{AnnotatedElement, AnnotatedSegment, Delimiters, Finding, Severity};
use unicode_width::UnicodeWidthChar;

use super::Color;
use crate::cli::table::{harmless, harmless_letter};

/// Columns that a text gets at least, however narrow the terminal and however far in it stands.
const ROOM_MIN: usize = 30;
/// Nothing stands further in than this where nobody says how wide the page is.
const INDENT_MAX: usize = 64;
/// An element stands so far in from its segment.
const ELEMENT_INDENT: usize = 4;

const BOLD: &str = "1";
const DIM: &str = "2";

/// The page that is written on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    pub is_coloured: bool,
    /// Columns of the terminal; none: nobody looks at one, and every text is written on one line.
    pub width: Option<usize>,
}

impl Page {
    /// The terminal, or a file or pipe.
    pub fn of(color: Color) -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        Self {
            is_coloured: match color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => {
                    let is_set = |name: &str, to: fn(&OsStr) -> bool| {
                        std::env::var_os(name).is_some_and(|value| to(&value))
                    };
                    is_terminal
                        && !is_set("NO_COLOR", |value| !value.is_empty())
                        && !is_set("TERM", |value| value == "dumb")
                }
            },
            width: is_terminal.then(columns_of_terminal).flatten(),
        }
    }

    fn marked(self, code: &str, text: &str) -> String {
        if self.is_coloured && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// What follows, its kind in bold.
    pub fn headline(self, indent: usize, kind: &str, text: &str) -> String {
        let text = format!("{kind} {text}");
        self.wrapped(indent, &text, (kind.len(), BOLD))
    }

    /// A text of several sentences.
    pub fn paragraph(self, indent: usize, text: &str) -> String {
        self.wrapped(indent, text, (0, DIM))
    }

    /// A text of less weight.
    pub fn aside(self, indent: usize, text: &str) -> String {
        self.wrapped(indent, text, (text.len(), DIM))
    }

    /// A finding that stands at no segment: it tells its place itself.
    pub fn remark(self, indent: usize, finding: &Finding) -> String {
        let place = format!(", byte {}, line {}", finding.offset, finding.line);
        self.sentence(indent, finding, &place)
    }

    fn sentence(self, indent: usize, finding: &Finding, place: &str) -> String {
        let mut mark = format!("^ {}", finding.rule.name());
        if let Some(ack) = &finding.ack {
            mark.push_str(&format!(", {} {}", ack.place.name(), ack.code));
        }
        mark.push_str(place);
        mark.push(':');
        let text = format!("{mark} {}", harmless(&finding.message));
        self.wrapped(indent, &text, (mark.len(), colour(finding.severity)))
    }

    /// A segment, what was found under its very elements, and what each of these says.
    pub fn segment(
        self,
        indent: usize,
        segment: &AnnotatedSegment,
        delimiters: &Delimiters,
    ) -> String {
        let indent = self.inside(indent + 2 * segment.depth);
        let left = " ".repeat(indent);
        let shown = harmless(&segment.text);
        let separator = harmless(&char::from(delimiters.element).to_string());
        let parts = fold(&shown, &separator, self.room(indent));
        let name = match segment.name.as_str() {
            "" => "not in the schema",
            name => name,
        };
        let spans: Vec<(usize, usize)> = segment
            .findings
            .iter()
            .map(|finding| span(&segment.text, delimiters, finding))
            .collect();
        let mut text = String::new();
        let mut from = 0;
        for (n, part) in parts.iter().enumerate() {
            let is_last = n + 1 == parts.len();
            let part = shown.get(part.clone()).unwrap_or_default();
            let to = from + columns(part);
            text.push_str(&format!("{left}{}", self.marked(BOLD, part)));
            let fits = |room| to - from + 3 + columns(name) <= room;
            match is_last {
                true if self.room(indent).is_none_or(fits) => {
                    text.push_str(&format!("   {name}\n"))
                }
                true => text.push_str(&format!("\n{left}  {name}\n")),
                false => text.push('\n'),
            }
            for (finding, (at, width)) in segment.findings.iter().zip(spans.iter().copied()) {
                if at >= from && (at < to || is_last) {
                    let width = if is_last { width } else { width.min(to - at) };
                    let blank = " ".repeat(at - from);
                    let carets = self.marked(colour(finding.severity), &"^".repeat(width));
                    text.push_str(&format!("{left}{blank}{carets}\n"));
                    text.push_str(&self.sentence(indent, finding, ""));
                }
            }
            from = to;
        }
        for element in &segment.elements {
            text.push_str(&self.element(indent + ELEMENT_INDENT, element));
        }
        text
    }

    fn element(self, indent: usize, element: &AnnotatedElement) -> String {
        let mut text = match element.name.as_str() {
            "" => format!("{}:", element.place),
            name => format!("{}  {name}:", element.place),
        };
        let named = text.len();
        text.push_str(&format!(" {}", harmless(element.value.trim_end())));
        if let Some(meaning) = &element.meaning {
            text.push_str(&format!(" = {}", harmless(meaning)));
        }
        self.wrapped(indent, &text, (named, DIM))
    }

    /// A text in lines that fit, those behind the first further in; so many bytes of it are marked.
    fn wrapped(self, indent: usize, text: &str, (marked, code): (usize, &str)) -> String {
        let indent = self.inside(indent);
        let room = self.room(indent);
        let lines = match room {
            None => std::iter::once(0..text.len()).collect(),
            Some(room) => wrap(text, room, room.saturating_sub(2)),
        };
        let mut told = String::new();
        for (n, line) in lines.into_iter().enumerate() {
            let (start, end) = (line.start, line.end);
            let middle = marked.clamp(start, end);
            let of_line = |range: Range<usize>| text.get(range).unwrap_or_default();
            told.push_str(&" ".repeat(if n == 0 { indent } else { indent + 2 }));
            told.push_str(&self.marked(code, of_line(start..middle)));
            told.push_str(of_line(middle..end));
            told.push('\n');
        }
        told
    }

    /// How far in a text stands: never beyond the middle of the terminal.
    fn inside(self, indent: usize) -> usize {
        indent.min(self.width.map_or(INDENT_MAX, |width| width / 2))
    }

    /// Columns to the right of an indentation.
    fn room(self, indent: usize) -> Option<usize> {
        self.width
            .map(|width| width.saturating_sub(indent).max(ROOM_MIN))
    }
}

/// What the environment says, else the terminal itself.
fn columns_of_terminal() -> Option<usize> {
    let said = std::env::var("COLUMNS")
        .ok()
        .and_then(|said| said.parse().ok());
    let asked = || {
        let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
        Some(usize::from(size.ws_col))
    };
    said.or_else(asked).filter(|columns| *columns > 0)
}

fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Reject => "31",
        Severity::Hold | Severity::Tolerate => "33",
        Severity::Note => "36",
    }
}

/// Columns of the terminal that a text takes once it is harmless.
fn columns(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

fn width_of(letter: char) -> usize {
    harmless_letter(letter).width().unwrap_or(0)
}

/// A segment in parts that fit, each to the end of an element where one ends in its second half.
fn fold(text: &str, separator: &str, room: Option<usize>) -> Vec<Range<usize>> {
    let Some(room) = room else {
        return std::iter::once(0..text.len()).collect();
    };
    let mut parts = Vec::new();
    let (mut start, mut taken, mut element) = (0, 0, None);
    for (at, letter) in text.char_indices() {
        let width = width_of(letter);
        if taken + width > room && at > start {
            let end = element.take().unwrap_or(at);
            parts.push(start..end);
            start = end;
            taken = columns(text.get(start..at).unwrap_or_default());
        }
        taken += width;
        let next = at + letter.len_utf8();
        if separator.starts_with(letter) && taken > room / 2 {
            element = Some(next);
        }
    }
    parts.push(start..text.len());
    parts
}

/// A text in lines of at most so many columns, the first and all others, broken at blanks where it has some.
fn wrap(text: &str, first: usize, others: usize) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let (mut start, mut taken, mut room, mut blank) = (0, 0, first, None);
    for (at, letter) in text.char_indices() {
        if letter == ' ' {
            blank = Some(at);
        }
        let width = width_of(letter);
        if taken + width > room && at > start {
            let (end, next) = match blank.take().filter(|blank| *blank > start) {
                Some(blank) => (blank, blank + 1),
                None => (at, at),
            };
            lines.push(start..end);
            (start, room) = (next, others);
            taken = text.get(start..at).map_or(0, columns);
            if next > at {
                continue;
            }
        }
        taken += width;
    }
    lines.push(start..text.len());
    lines
}

/// At which column of the segment's text a finding points, and how wide: its element, repetition or component, the place
/// where a missing one belongs, or the identifier.
fn span(text: &str, delimiters: &Delimiters, finding: &Finding) -> (usize, usize) {
    let separator = char::from(delimiters.element);
    let of_other = finding
        .segment
        .as_ref()
        .is_some_and(|id| !text.starts_with(id.as_str()));
    let Some(element) = finding.element.filter(|_| !of_other) else {
        let id = text.split(separator).next().unwrap_or_default();
        return (0, columns(id).max(1));
    };
    let within = [
        (Some(delimiters.element), Some(usize::from(element))),
        (
            delimiters.repetition,
            finding.repetition.map(|n| usize::from(n).saturating_sub(1)),
        ),
        (
            Some(delimiters.component),
            finding.component.map(|n| usize::from(n).saturating_sub(1)),
        ),
    ];
    let (mut at, mut part) = (0, text);
    for (separator, n) in within {
        let (Some(separator), Some(n)) = (separator, n) else {
            continue;
        };
        let Some((inside, narrower)) = piece(part, char::from(separator), n) else {
            return (at + columns(part), 1);
        };
        (at, part) = (at + inside, narrower);
    }
    (at, columns(part).max(1))
}

/// The piece of a text at a place counted from 0, and the columns before it.
fn piece(text: &str, separator: char, n: usize) -> Option<(usize, &str)> {
    let mut at = 0;
    for (place, part) in text.split(separator).enumerate() {
        if place == n {
            return Some((at, part));
        }
        at += columns(part) + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use supercargo_x12::Rule;

    use super::*;

    #[test]
    fn a_finding_points_at_its_element() {
        let at = |element, segment: &str| {
            let mut finding = Finding::new(Rule::InvalidCode, 0, 1, "x").in_segment(segment, 2);
            finding.element = element;
            span("PO1*1*2X*EA", &Delimiters::default(), &finding)
        };
        for (element, segment, expected) in [
            (Some(2), "PO1", (6, 2)),
            (Some(3), "PO1", (9, 2)),
            (Some(9), "PO1", (11, 1)),
            (None, "PO1", (0, 3)),
            (Some(1), "BEG", (0, 3)),
        ] {
            assert_eq!(at(element, segment), expected, "{segment} {element:?}");
        }
    }

    #[test]
    fn a_finding_points_at_its_repetition_and_component() {
        let delimiters = Delimiters {
            repetition: Some(b'^'),
            ..Delimiters::default()
        };
        let text = "REF*DP*045**ZZ>1>ABCD^YY>2";
        for (repetition, component, expected) in [
            (None, None, (12, 14)),
            (None, Some(3), (17, 4 + 1 + 2)),
            (Some(1), Some(3), (17, 4)),
            (Some(2), None, (22, 4)),
            (Some(2), Some(2), (25, 1)),
            (Some(2), Some(4), (26, 1)),
        ] {
            let mut finding = Finding::new(Rule::InvalidCode, 0, 1, "x").in_segment("REF", 2);
            finding.element = Some(4);
            finding.repetition = repetition;
            finding.component = component;
            assert_eq!(
                span(text, &delimiters, &finding),
                expected,
                "{repetition:?} {component:?}"
            );
        }
    }

    #[test]
    fn lines_break_at_blanks_and_long_words_anywhere() {
        let broken = |text: &str, first, others| -> Vec<String> {
            let lines = wrap(text, first, others);
            lines
                .into_iter()
                .map(|line| text[line].to_owned())
                .collect()
        };
        assert_eq!(broken("one two three", 7, 7), ["one two", "three"]);
        assert_eq!(broken("one two three", 8, 5), ["one two", "three"]);
        assert_eq!(broken("one two three", 5, 4), ["one", "two", "thre", "e"]);
        assert_eq!(broken("日本 日本", 5, 5), ["日本", "日本"]);
        assert_eq!(broken("", 5, 5), [""]);
    }

    #[test]
    fn a_segment_folds_behind_an_element_where_one_ends_near() {
        let folded = |text: &str, room| -> Vec<String> {
            let parts = fold(text, "*", Some(room));
            parts
                .into_iter()
                .map(|part| text[part].to_owned())
                .collect()
        };
        assert_eq!(folded("N1*ST*STORE*92", 12), ["N1*ST*STORE*", "92"]);
        assert_eq!(folded("N1*ST*STORE*92", 10), ["N1*ST*", "STORE*92"]);
        assert_eq!(folded("MSG*ABCDEFGHIJKL", 10), ["MSG*ABCDEF", "GHIJKL"]);
        assert_eq!(folded("N1*ST", 10), ["N1*ST"]);
    }
}
