//! The segments around the sets, annotated: ISA, TA1, GS, GE and IEA, which stand in no schema.

use super::{AnnotatedElement, AnnotatedSegment, meaning};
use crate::delimiters::Delimiters;
use crate::envelope::data_element;
use crate::schema::{Dictionary, Element, Release, SchemaRegistry};
use crate::set::TransactionSet;
use crate::writer::number;

/// What the value of an element says beyond its characters.
enum Sense {
    /// Nothing.
    Plain,
    /// A code of these.
    Codes(&'static [(&'static str, &'static str)]),
    /// A date of two digits a year: of the nineties from 90 on.
    ShortDate,
    /// A time.
    Time,
    /// The version of the interchange: five digits.
    Version,
    /// ISA11.
    Repetition,
    /// What the dictionary says of its element.
    Dictionary,
}

use Sense::{Codes, Dictionary as OfDictionary, Plain, Repetition, ShortDate, Time, Version};

/// An element of the envelope.
type Place = (&'static str, Sense);

const PARTY: Sense = Codes(&[
    ("01", "D-U-N-S number"),
    ("02", "Carrier code (SCAC)"),
    ("04", "IATA number"),
    (
        "08",
        "Communications number of the U.S. article numbering body",
    ),
    ("09", "X.121 network address"),
    ("10", "U.S. Department of Defense activity address"),
    ("12", "Telephone number"),
    ("14", "D-U-N-S number with suffix"),
    ("16", "D-U-N-S number and four characters"),
    ("17", "Bank routing number"),
    ("20", "Health industry number"),
    ("28", "Fiscal intermediary's number"),
    ("30", "U.S. tax number"),
    ("33", "Insurance company's number"),
    ("ZZ", "Mutually agreed"),
]);

static ISA: &[Place] = &[
    (
        "Authorization qualifier",
        Codes(&[
            ("00", "No authorization"),
            ("03", "Additional data"),
            ("ZZ", "Mutually agreed"),
        ]),
    ),
    ("Authorization", Plain),
    (
        "Security qualifier",
        Codes(&[("00", "No password"), ("01", "Password")]),
    ),
    ("Security", Plain),
    ("Sender's qualifier", PARTY),
    ("Sender", Plain),
    ("Receiver's qualifier", PARTY),
    ("Receiver", Plain),
    ("Date", ShortDate),
    ("Time", Time),
    ("Repetition separator", Repetition),
    ("Version of the interchange", Version),
    ("Interchange control number", Plain),
    (
        "TA1 asked for",
        Codes(&[("0", "No, unless something is wrong"), ("1", "Yes")]),
    ),
    (
        "Usage",
        Codes(&[("P", "Production"), ("T", "Test"), ("I", "Information")]),
    ),
    ("Component separator", Plain),
];

static TA1: &[Place] = &[
    ("Interchange answered", Plain),
    ("Its date", ShortDate),
    ("Its time", Time),
    (
        "Verdict",
        Codes(&[
            ("A", "Accepted"),
            ("E", "Accepted with errors"),
            ("R", "Rejected"),
        ]),
    ),
    (
        "Note",
        Codes(&[
            ("000", "Nothing is wrong"),
            ("001", "IEA02 is not ISA13"),
            ("002", "Standard of ISA11 not supported"),
            ("003", "Version not supported"),
            ("004", "Segment terminator wrong"),
            ("005", "Sender's qualifier wrong"),
            ("006", "Sender unknown or wrong"),
            ("007", "Receiver's qualifier wrong"),
            ("008", "Receiver unknown or wrong"),
            ("009", "Receiver not known here"),
            ("010", "Authorization qualifier wrong"),
            ("011", "Authorization wrong"),
            ("012", "Security qualifier wrong"),
            ("013", "Security wrong"),
            ("014", "Date wrong"),
            ("015", "Time wrong"),
            ("016", "ISA11 wrong"),
            ("017", "Version wrong"),
            ("018", "Control number wrong"),
            ("019", "ISA14 wrong"),
            ("020", "ISA15 wrong"),
            ("021", "Number of groups wrong"),
            ("022", "Structure wrong"),
            ("023", "File ended too early"),
            ("024", "Contents wrong, a GS perhaps"),
            ("025", "Control number used before"),
            ("026", "Element separator wrong"),
            ("027", "Component separator wrong"),
        ]),
    ),
];

static GS: &[Place] = &[
    ("", OfDictionary),
    ("", OfDictionary),
    ("", OfDictionary),
    ("", OfDictionary),
    ("", OfDictionary),
    ("", OfDictionary),
    (
        "Responsible agency",
        Codes(&[("X", "X12"), ("T", "Transportation (TDCC)")]),
    ),
    ("", OfDictionary),
];

static GE: &[Place] = &[("", OfDictionary), ("", OfDictionary)];

static IEA: &[Place] = &[
    ("Number of groups", Plain),
    ("Interchange control number", Plain),
];

/// Name and elements of a segment of the envelope.
fn definition(id: &str) -> (&'static str, &'static [Place]) {
    match id {
        "ISA" => ("Interchange header", ISA),
        "TA1" => ("Interchange acknowledgment", TA1),
        "GS" => ("Group header", GS),
        "GE" => ("Group trailer", GE),
        "IEA" => ("Interchange trailer", IEA),
        _ => ("", &[]),
    }
}

/// Reads a segment that stands in no set for a person: ISA, TA1, GS, GE or IEA, or whatever else was met between sets.
///
/// `raw` is what [`Reader::raw`](crate::Reader::raw) gives for its event, with the blanks before the segment and its
/// terminator, and `offset` and `line` are where `raw` begins in the file. Nothing where `raw` holds no segment, as that
/// of a GE which is missing. Findings are for the caller to add.
pub fn annotate_envelope(
    release: Release,
    raw: &[u8],
    delimiters: &Delimiters,
    offset: u64,
    line: u64,
) -> Option<AnnotatedSegment> {
    let mark = if raw.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    let rest = raw.get(mark..)?;
    let separates = |byte: u8| byte == delimiters.element || byte == delimiters.terminator;
    let is_blank =
        |byte: &&u8| (byte.is_ascii_whitespace() || matches!(byte, 0 | 0x1a)) && !separates(**byte);
    let start = mark + rest.iter().take_while(is_blank).count();
    let body = raw.get(start..)?;
    let end = memchr::memrchr(delimiters.terminator, body).unwrap_or(body.len());
    let body = body.get(..end).filter(|body| !body.is_empty())?;
    let before = raw.get(..start).unwrap_or_default();
    let line = line + memchr::memchr_iter(b'\n', before).count() as u64;
    let set = TransactionSet::of_one_segment(body, *delimiters, offset + start as u64, line);
    let segment = set.segment(1)?;
    let (name, places) = definition(segment.id());
    let dictionary = SchemaRegistry::standard().dictionary(release);
    let elements = (1..=segment.element_count())
        .filter(|n| !segment.element(*n).trim().is_empty())
        .map(|n| {
            let element = n as u16;
            let number = data_element(segment.id(), element);
            let known = number.and_then(|number| known(&dictionary, number));
            let place = places.get(n - 1);
            let value = segment.element(n);
            let name = match (place, known) {
                (Some((name, _)), _) if !name.is_empty() => (*name).to_owned(),
                (_, Some(known)) => known.name.clone(),
                _ => String::new(),
            };
            AnnotatedElement {
                place: format!("{}{n:02}", segment.id()),
                element,
                component: None,
                data_element: number,
                kind: known.map(|known| known.kind),
                max: known.map_or(0, |known| known.max),
                name,
                value: value.to_owned(),
                meaning: place.and_then(|(_, sense)| says(sense, value.trim(), known)),
                offset: segment.element_offset(n),
            }
        })
        .collect();
    Some(AnnotatedSegment {
        id: segment.id().to_owned(),
        name: name.to_owned(),
        index: 0,
        depth: 0,
        loop_id: None,
        offset: segment.offset(),
        length: body.len() as u64,
        line,
        text: segment.text().to_owned(),
        elements,
        findings: Vec::new(),
    })
}

fn known(dictionary: &Dictionary, number: u16) -> Option<&Element> {
    let at = dictionary
        .elements
        .binary_search_by_key(&number, |element| element.number);
    at.ok().and_then(|at| dictionary.elements.get(at))
}

fn says(sense: &Sense, value: &str, known: Option<&Element>) -> Option<String> {
    match sense {
        Plain => None,
        Codes(codes) => {
            let found = codes.iter().find(|(code, _)| *code == value);
            found.map(|(_, sense)| (*sense).to_owned())
        }
        ShortDate => {
            let century = if value < "90" { "20" } else { "19" };
            let date = number::parse_d8(&format!("{century}{value}"));
            date.filter(|_| value.len() == 6)
                .map(|date| date.to_string())
        }
        Time => number::parse_time(value).map(|time| time.format("%H:%M").to_string()),
        Version => {
            let is_version = value.len() == 5 && value.bytes().all(|byte| byte.is_ascii_digit());
            is_version.then(|| format!("Release {value}0"))
        }
        Repetition => (value == "U").then(|| "Nothing repeats".to_owned()),
        OfDictionary => known.and_then(|known| meaning(known, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Reader};

    /// The envelope of a file as a person reads it: places, names and senses.
    fn envelope(file: &[u8]) -> Vec<AnnotatedSegment> {
        let mut reader = Reader::new(file);
        let (mut found, mut offset, mut line) = (Vec::new(), 0, 1);
        let mut delimiters = Delimiters::default();
        while let Some(event) = reader.next().unwrap() {
            let is_envelope = !matches!(event, Event::Set(_) | Event::Outside(_));
            if let Event::InterchangeOpened(header, _) = &event {
                delimiters = header.delimiters;
            }
            let raw = reader.raw();
            if is_envelope {
                found.extend(annotate_envelope(
                    Release::R004010,
                    raw,
                    &delimiters,
                    offset,
                    line,
                ));
            }
            offset += raw.len() as u64;
            line += memchr::memchr_iter(b'\n', raw).count() as u64;
        }
        found
    }

    const FILE: &str = "ISA*00*          *00*          *ZZ*BUYER          *01*SELLER         *260115*1230*U*00401*000000001*0*P*>~\nTA1*000000007*260114*0915*R*022~\nGS*PO*BUYER*SELLER*20260115*1230*1*X*004010~\nST*850*0001~\nSE*2*0001~\nGE*1*1~\nIEA*1*000000001~\n";

    #[test]
    fn every_segment_of_the_envelope_is_named_and_its_codes_told() {
        let read = envelope(FILE.as_bytes());
        let told = |id: &str| {
            let segment = read.iter().find(|segment| segment.id == id).unwrap();
            let elements = segment.elements.iter();
            let elements: Vec<String> = elements
                .map(|element| {
                    let sense = element.meaning.as_deref().unwrap_or("-");
                    format!(
                        "{} {}: {} = {sense}",
                        element.place,
                        element.name,
                        element.value.trim()
                    )
                })
                .collect();
            (segment.line, segment.text.clone(), elements)
        };
        let (line, text, isa) = told("ISA");
        assert_eq!((line, text.len()), (1, 105));
        for says in [
            "ISA01 Authorization qualifier: 00 = No authorization",
            "ISA06 Sender: BUYER = -",
            "ISA07 Receiver's qualifier: 01 = D-U-N-S number",
            "ISA09 Date: 260115 = 2026-01-15",
            "ISA10 Time: 1230 = 12:30",
            "ISA12 Version of the interchange: 00401 = Release 004010",
            "ISA15 Usage: P = Production",
            "ISA16 Component separator: > = -",
        ] {
            assert!(isa.contains(&says.to_owned()), "{says} is not in {isa:?}");
        }
        assert_eq!(isa.len(), 14, "blank ISA02 and ISA04 say nothing");
        assert_eq!(
            told("TA1").2[3..],
            [
                "TA104 Verdict: R = Rejected",
                "TA105 Note: 022 = Structure wrong"
            ]
        );
        let (line, text, gs) = told("GS");
        assert_eq!(
            (line, text.as_str()),
            (3, "GS*PO*BUYER*SELLER*20260115*1230*1*X*004010")
        );
        assert_eq!(gs[0], "GS01 Functional group: PO = Orders (850)");
        assert_eq!(gs[3], "GS04 Date: 20260115 = 2026-01-15");
        assert_eq!(gs[6], "GS07 Responsible agency: X = X12");
        assert_eq!(
            told("GE").2,
            [
                "GE01 Sets in the group: 1 = -",
                "GE02 Group control number: 1 = -"
            ]
        );
        assert_eq!(told("IEA").2[0], "IEA01 Number of groups: 1 = -");
    }

    #[test]
    fn elements_stand_at_their_bytes_whatever_separates_them() {
        let high: Vec<u8> = FILE
            .replace('\n', "")
            .bytes()
            .map(|byte| if byte == b'*' { 0xa7 } else { byte })
            .collect();
        let repeats = FILE.replace("*U*00401", "*^*00501");
        let wrapped = format!("{}\n{}", &FILE[..80], &FILE[80..]);
        for file in [
            FILE.as_bytes(),
            &high,
            repeats.as_bytes(),
            wrapped.as_bytes(),
        ] {
            let read = envelope(file);
            assert_eq!(read.len(), 5);
            for element in read.iter().flat_map(|segment| &segment.elements) {
                let at = usize::try_from(element.offset).unwrap();
                let start: Vec<u8> = file[at..]
                    .iter()
                    .copied()
                    .filter(|byte| *byte != b'\n')
                    .take(element.value.len())
                    .collect();
                assert_eq!(start, element.value.as_bytes(), "{}", element.place);
            }
            assert_eq!(read[0].elements.len(), 14);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(
            raw in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80),
            head in proptest::sample::select(vec!["", "ISA", "BIN*", "\n GS*", "\u{feff}TA1"]),
            separators in proptest::prelude::any::<[u8; 4]>(),
        ) {
            let [element, component, repetition, terminator] = separators;
            let delimiters = Delimiters { element, component, repetition: Some(repetition), terminator, ..Delimiters::default() };
            let raw = [head.as_bytes(), &raw].concat();
            if let Some(read) = annotate_envelope(Release::R005010, &raw, &delimiters, 7, 1) {
                proptest::prop_assert!(read.offset >= 7 && read.offset < 7 + raw.len() as u64);
                for element in &read.elements {
                    proptest::prop_assert!(element.offset <= read.offset + read.length);
                }
            }
        }
    }
}
