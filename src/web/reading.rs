//! A transaction set raw beside its annotated reading: each segment as it stands, what it says, and each finding at the
//! element it speaks of. Large sets are read a window at a time.

use supercargo_x12::{AnnotatedSegment, Delimiters, Release, SchemaRegistry, annotate, read_set};

use super::pages::severity_class;
use super::text::decoded;
use crate::domain::finding::{Finding, Place, Severity};

/// Sets up to this many bytes are read whole, so that loops and positions are known.
pub(crate) const WHOLE_MAX: i64 = 256 * 1024;
/// Segments on one page.
pub(crate) const WINDOW: usize = 120;
/// Bytes that a window of a larger set is cut out of.
pub(crate) const WINDOW_BYTES: u64 = 16 * 1024;

/// A piece of a raw segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// `id`, `sep` or `el`.
    pub(crate) kind: &'static str,
    pub(crate) text: String,
    /// What it is, on hovering.
    pub(crate) title: String,
    /// ` wrong` and how gravely, where a finding speaks of it.
    pub(crate) wrong: &'static str,
}

/// An element of the reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) place: String,
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) says: String,
}

/// A finding at its segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) class: &'static str,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) place: String,
}

/// A segment, raw and read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentView {
    /// From ST = 1; none in a window of a large set.
    pub(crate) index: Option<u32>,
    pub(crate) offset: u64,
    pub(crate) depth: usize,
    pub(crate) name: String,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) meanings: Vec<Meaning>,
    pub(crate) faults: Vec<Fault>,
    /// Classes of the row.
    pub(crate) class: &'static str,
}

/// Reads a whole set. Empty where the bytes begin with no set.
pub(crate) fn whole(
    bytes: &[u8],
    delimiters: &Delimiters,
    offset: u64,
    release: Release,
    findings: &[Finding],
) -> Vec<SegmentView> {
    let Ok(set) = read_set(bytes, delimiters, offset) else {
        return Vec::new();
    };
    let annotated = annotate(SchemaRegistry::standard(), release, &set, None);
    let count = annotated.segments.len();
    annotated
        .segments
        .iter()
        .enumerate()
        .map(|(place, segment)| {
            let next = annotated
                .segments
                .get(place + 1)
                .map_or(u64::MAX, |next| next.offset);
            let here = |finding: &&Finding| stands_at(&finding.place, segment, next, place, count);
            let found: Vec<&Finding> = findings.iter().filter(here).collect();
            view(segment, delimiters, Some(segment.index), &found)
        })
        .collect()
}

/// Reads the segments that begin in `bytes`, which begin with one, of a set too large to be read whole. What is cut off
/// at the end is left out.
pub(crate) fn window(
    bytes: &[u8],
    delimiters: &Delimiters,
    offset: u64,
    release: Release,
    findings: &[Finding],
) -> Vec<SegmentView> {
    // Read behind an ST of our own, so that the dictionary names segments and elements; the ST itself is not shown.
    let separator = char::from(delimiters.element);
    let opening = format!(
        "ST{separator}000{separator}0001{}",
        char::from(delimiters.terminator)
    );
    let opening: Vec<u8> = opening
        .chars()
        .map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?'))
        .collect();
    let end = bytes
        .iter()
        .rposition(|byte| *byte == delimiters.terminator)
        .map_or(0, |at| at + 1);
    let mut pretended = opening.clone();
    pretended.extend_from_slice(bytes.get(..end).unwrap_or_default());
    let start = offset.saturating_sub(opening.len() as u64);
    whole(&pretended, delimiters, start, release, findings)
        .into_iter()
        .skip(usize::from(!bytes.starts_with(b"ST")))
        .filter(|segment| segment.offset >= offset)
        .map(|segment| SegmentView {
            index: None,
            depth: 0,
            ..segment
        })
        .take(WINDOW)
        .collect()
}

/// Whether a finding speaks of a segment: by its byte where it has one, else by its position. What names no place stands
/// nowhere here; it is in the list above.
fn stands_at(
    place: &Place,
    segment: &AnnotatedSegment,
    next: u64,
    at: usize,
    count: usize,
) -> bool {
    if let Some(byte) = place.byte {
        let begins = if at == 0 {
            true
        } else {
            byte >= segment.offset
        };
        return begins
            && (byte < next || at + 1 == count)
            && (place.segment.is_some() || byte >= segment.offset);
    }
    match place.segment_index {
        Some(index) if index as usize > count => at + 1 == count,
        Some(index) => index == segment.index,
        None => false,
    }
}

fn view(
    segment: &AnnotatedSegment,
    delimiters: &Delimiters,
    index: Option<u32>,
    findings: &[&Finding],
) -> SegmentView {
    let faults: Vec<Fault> = findings.iter().map(|finding| fault(finding)).collect();
    let gravest = findings.iter().map(|finding| finding.severity).max();
    SegmentView {
        index,
        offset: segment.offset,
        depth: segment.depth.min(5),
        name: segment.name.clone(),
        pieces: pieces(segment, delimiters, findings),
        meanings: segment
            .elements
            .iter()
            .map(|element| Meaning {
                place: element.place.clone(),
                name: element.name.clone(),
                value: element.value.clone(),
                says: element
                    .meaning
                    .clone()
                    .filter(|says| *says != element.value)
                    .unwrap_or_default(),
            })
            .collect(),
        faults,
        class: match gravest {
            Some(Severity::Reject) => " faulty",
            Some(Severity::Hold) => " faulty warn",
            _ => "",
        },
    }
}

/// A finding in words, with its place.
pub(crate) fn fault(finding: &Finding) -> Fault {
    Fault {
        class: severity_class(finding.severity),
        code: finding.code.clone(),
        message: finding.message.clone(),
        place: place_said(&finding.place),
    }
}

/// Where a finding stands, in words: BEG05, line 3, byte 214.
pub(crate) fn place_said(place: &Place) -> String {
    let mut said = Vec::new();
    if let Some(segment) = &place.segment {
        let mut name = segment.clone();
        if let Some(element) = place.element {
            name.push_str(&format!("{element:02}"));
            if let Some(component) = place.component {
                name.push_str(&format!("-{component}"));
            }
        }
        said.push(name);
    }
    if let Some(index) = place.segment_index {
        said.push(format!("segment {index}"));
    }
    if let Some(line) = place.line {
        said.push(format!("line {line}"));
    }
    if let Some(byte) = place.byte {
        said.push(format!("byte {byte}"));
    }
    said.join(", ")
}

/// The pieces of a raw segment: identifier, separators, elements; those that findings speak of are marked.
fn pieces(
    segment: &AnnotatedSegment,
    delimiters: &Delimiters,
    findings: &[&Finding],
) -> Vec<Piece> {
    let separator = char::from(delimiters.element);
    let mut out = Vec::new();
    for (place, text) in segment.text.split(separator).enumerate() {
        if place > 0 {
            out.push(Piece {
                kind: "sep",
                text: separator.to_string(),
                title: String::new(),
                wrong: "",
            });
        }
        let number = u32::try_from(place).unwrap_or(u32::MAX);
        let wrong = findings
            .iter()
            .filter(|finding| finding.place.element.unwrap_or(0) == number)
            .map(|finding| finding.severity)
            .max();
        let known = segment
            .elements
            .iter()
            .find(|element| u32::from(element.element) == number);
        out.push(Piece {
            kind: if place == 0 { "id" } else { "el" },
            // an element that is missing has to be seen to be marked
            text: if text.is_empty() && wrong.is_some() {
                "∅".to_owned()
            } else {
                text.to_owned()
            },
            title: match known {
                Some(element) if place > 0 => {
                    title(&element.place, &element.name, element.meaning.as_deref())
                }
                _ if place == 0 => segment.name.clone(),
                _ => format!("{}{place:02}", segment.id),
            },
            wrong: match wrong {
                Some(Severity::Reject) => " wrong",
                Some(Severity::Hold) => " wrong warn",
                _ => "",
            },
        });
    }
    // a missing element beyond the last one that stands there
    let last = u32::try_from(segment.text.split(separator).count()).unwrap_or(u32::MAX);
    if let Some(beyond) = findings
        .iter()
        .find(|finding| finding.place.element.is_some_and(|element| element >= last))
    {
        out.push(Piece {
            kind: "el",
            text: " ∅".to_owned(),
            title: place_said(&beyond.place),
            wrong: if beyond.severity == Severity::Reject {
                " wrong"
            } else {
                " wrong warn"
            },
        });
    }
    out.push(Piece {
        kind: "sep",
        text: terminator(delimiters),
        title: String::new(),
        wrong: "",
    });
    out
}

fn title(place: &str, name: &str, says: Option<&str>) -> String {
    match says {
        Some(says) => format!("{place} {name}: {says}"),
        None => format!("{place} {name}"),
    }
}

/// The terminator as it can be seen.
fn terminator(delimiters: &Delimiters) -> String {
    match delimiters.terminator {
        b'\n' => "⏎".to_owned(),
        b'\r' => "⏎".to_owned(),
        other => char::from(other).to_string(),
    }
}

// ---- bytes that are no set -------------------------------------------------------------------------------------------

/// Bytes as they stand, with findings marked.
pub(crate) struct Plain {
    /// Text and whether it is marked.
    pub(crate) parts: Vec<(String, bool)>,
    /// Shown as a dump of hexadecimal digits, because it is no text.
    pub(crate) is_dump: bool,
}

/// Shows bytes that begin at `offset` of a file: as text where they are text, otherwise as a dump.
pub(crate) fn plain(bytes: &[u8], offset: u64, findings: &[Finding]) -> Plain {
    if !is_text(bytes) {
        return Plain {
            parts: vec![(dump(bytes, offset), false)],
            is_dump: true,
        };
    }
    let mut marks: Vec<usize> = findings
        .iter()
        .filter_map(|finding| finding.place.byte)
        .filter_map(|byte| byte.checked_sub(offset))
        .filter_map(|at| usize::try_from(at).ok())
        .filter(|at| *at < bytes.len())
        .collect();
    marks.sort_unstable();
    marks.dedup();
    let mut parts = Vec::new();
    let mut from = 0;
    for mark in marks
        .into_iter()
        .take(200)
        .filter(|mark| is_boundary(bytes, *mark))
    {
        parts.push((decoded(bytes.get(from..mark).unwrap_or_default()), false));
        let to = (mark + 1..=bytes.len())
            .find(|at| is_boundary(bytes, *at))
            .unwrap_or(bytes.len());
        parts.push((decoded(bytes.get(mark..to).unwrap_or_default()), true));
        from = to;
    }
    parts.push((decoded(bytes.get(from..).unwrap_or_default()), false));
    parts.retain(|(text, _)| !text.is_empty());
    Plain {
        parts,
        is_dump: false,
    }
}

/// Whether a character begins at `at`, where the bytes are UTF-8.
fn is_boundary(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_none_or(|byte| byte & 0xC0 != 0x80)
}

/// Whether bytes read as text: few controls among them.
fn is_text(bytes: &[u8]) -> bool {
    let controls = bytes
        .iter()
        .filter(|byte| {
            (**byte < 0x20 && !matches!(**byte, b'\n' | b'\r' | b'\t' | 0x1C..=0x1F))
                || **byte == 0x7F
        })
        .count();
    controls * 10 <= bytes.len()
}

/// Sixteen bytes a line: where, in hexadecimal, as text.
fn dump(bytes: &[u8], offset: u64) -> String {
    let mut out = String::new();
    for (line, chunk) in bytes.chunks(16).enumerate() {
        let hex: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String = chunk
            .iter()
            .map(|byte| {
                if (0x20..0x7F).contains(byte) {
                    char::from(*byte)
                } else {
                    '·'
                }
            })
            .collect();
        let place = offset + line as u64 * 16;
        out.push_str(&format!("{place:08x}  {:<47}  {text}\n", hex.join(" ")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: &str = "ST*850*0001~BEG*00*SA*4711**20261331~PO1*1*-12*EA*8.75~SE*4*0001~";

    fn finding(place: Place) -> Finding {
        Finding::business("x", Severity::Hold, "Something is wrong.").at(place)
    }

    #[test]
    fn a_finding_marks_its_element() {
        let at = |byte: Option<u64>, index: Option<u32>, element: Option<u32>| Place {
            byte,
            segment_index: index,
            element,
            segment: Some("BEG".into()),
            ..Place::default()
        };
        for place in [
            at(Some(112), None, Some(5)),
            at(Some(127), None, Some(5)),
            at(None, Some(2), Some(5)),
        ] {
            let reading = whole(
                SET.as_bytes(),
                &Delimiters::default(),
                100,
                Release::R004010,
                &[finding(place.clone())],
            );
            let beg = &reading[1];
            assert_eq!(beg.faults.len(), 1, "{place:?}");
            assert!(
                reading
                    .iter()
                    .enumerate()
                    .all(|(at, segment)| at == 1 || segment.faults.is_empty())
            );
            let marked: Vec<&str> = beg
                .pieces
                .iter()
                .filter(|piece| !piece.wrong.is_empty())
                .map(|piece| piece.text.as_str())
                .collect();
            assert_eq!(marked, ["20261331"], "{place:?}");
        }
    }

    #[test]
    fn an_element_that_is_missing_is_marked_all_the_same() {
        let place = Place {
            segment_index: Some(3),
            element: Some(9),
            ..Place::default()
        };
        let reading = whole(
            SET.as_bytes(),
            &Delimiters::default(),
            0,
            Release::R004010,
            &[finding(place)],
        );
        assert!(reading[2].pieces.iter().any(|piece| piece.text == " ∅"));
    }

    #[test]
    fn the_raw_pieces_are_the_segment() {
        let reading = whole(
            SET.as_bytes(),
            &Delimiters::default(),
            0,
            Release::R004010,
            &[],
        );
        let raw: String = reading
            .iter()
            .flat_map(|segment| segment.pieces.iter().map(|piece| piece.text.as_str()))
            .collect();
        assert_eq!(raw, SET);
    }

    #[test]
    fn a_window_reads_whole_segments_only() {
        let bytes = &SET.as_bytes()[12..50];
        let reading = window(bytes, &Delimiters::default(), 12, Release::R004010, &[]);
        let ids: Vec<String> = reading
            .iter()
            .map(|segment| segment.pieces[0].text.clone())
            .collect();
        assert_eq!(ids, ["BEG"]);
        assert_eq!(reading[0].offset, 12);
    }

    #[test]
    fn what_is_no_text_is_dumped() {
        let shown = plain(&[0, 1, 2, 3, b'P', b'K'], 16, &[]);
        assert!(shown.is_dump && shown.parts[0].0.starts_with("00000010  00 01 02 03 50 4b"));
        let place = Place {
            byte: Some(6),
            ..Place::default()
        };
        let shown = plain("hellö wörld".as_bytes(), 0, &[finding(place)]);
        let all: String = shown.parts.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(all, "hellö wörld");
        assert_eq!(shown.parts.iter().filter(|(_, marked)| *marked).count(), 1);
    }
}
