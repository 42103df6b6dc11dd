//! What is odd about real files, made anew: every complaint that an independent count of an
//! envelope can have, and every way in which senders write otherwise sound files.

mod support;

use supercargo_x12::Rule;
use support::complaints::{Complaint, Read, is_of_the_envelope, read};

/// One interchange of one group with two orders.
const SOUND: &str = concat!(
    "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000001*0*P*>~",
    "GS*PO*BUYER*SELLER*20260115*1230*1*X*004010~",
    "ST*850*0001~BEG*00*SA*4711**20260115~PO1*1*12*EA*8.5**VN*A-1~CTT*1~SE*5*0001~",
    "ST*850*0002~BEG*00*SA*4712**20260115~PO1*1*6*CA*24**VN*A-2~CTT*1~SE*5*0002~",
    "GE*2*1~",
    "IEA*1*000000001~"
);

/// The sound file with every `from` replaced, each of which must stand in it.
fn with(changes: &[(&str, &str)]) -> Vec<u8> {
    let mut file = SOUND.to_owned();
    for (from, to) in changes {
        assert!(file.contains(from), "{from} is not in the file");
        file = file.replacen(from, to, 1);
    }
    file.into_bytes()
}

fn read_back(file: &[u8]) -> Read {
    let read = read(file);
    assert!(read.bytes == file, "not given back byte for byte");
    read
}

/// A file for each complaint.
fn malformed(complaint: Complaint) -> Vec<u8> {
    use Complaint::*;
    let isa = SOUND.split_inclusive('~').next().unwrap();
    match complaint {
        NoIsa => with(&[(isa, "")]),
        IsaNotFixedWidth => with(&[("*00*          *00*          *", "*00**00**")]),
        IsaBroken => with(&[("*1230*U*", "*12\n30*U*")]),
        IsaElements => with(&[("*0*P*>", "*P*>")]),
        IsaDate => with(&[("*260115*", "*201501*")]),
        IsaStandards => with(&[("*U*00401", "*^*00401")]),
        IsaComponentEmpty => with(&[("*P*>~", "*P*~")]),
        IsaNumberReused => [SOUND, SOUND].concat().into_bytes(),
        IeaMissing => with(&[("IEA*1*000000001~", "")]),
        IeaCount => with(&[("IEA*1", "IEA*2")]),
        IeaNumber => with(&[("IEA*1*000000001", "IEA*1*000000002")]),
        GroupDate => with(&[("*20260115*1230*1*X", "*2026*1230*1*X")]),
        GroupNumberReused => {
            let group = &SOUND[isa.len()..SOUND.len() - "IEA*1*000000001~".len()];
            format!("{isa}{group}{group}IEA*2*000000001~").into_bytes()
        }
        GeMissing => with(&[("GE*2*1~", "")]),
        GeWithoutGs => with(&[("GE*2*1~", "GE*2*1~GE*2*1~")]),
        GeCount => with(&[("GE*2", "GE*3")]),
        GeNumber => with(&[("GE*2*1", "GE*2*2")]),
        StOutsideGroup => with(&[("GS*PO*BUYER*SELLER*20260115*1230*1*X*004010~", "")]),
        SetNumberReused => with(&[("ST*850*0002", "ST*850*0001"), ("SE*5*0002", "SE*5*0001")]),
        SeMissing => with(&[("SE*5*0001~", "")]),
        SeWithoutSt => with(&[("ST*850*0001~", "")]),
        SeCount => with(&[("SE*5*0001", "SE*6*0001")]),
        SeNumber => with(&[("SE*5*0001", "SE*5*0009")]),
        BadSegmentIds => with(&[("CTT*1~", "TOTALS*1~")]),
    }
}

#[test]
fn every_complaint_is_found() {
    for complaint in Complaint::ALL {
        let read = read_back(&malformed(complaint));
        assert!(
            read.findings.iter().any(|f| complaint.is_said_by(f)),
            "{complaint:?}: {:?}",
            read.findings
        );
    }
}

#[test]
fn the_sound_file_has_none() {
    let read = read_back(SOUND.as_bytes());
    assert_eq!(read.findings, []);
    assert_eq!((read.isa, read.gs, read.st, read.segments), (1, 1, 2, 14));
}

/// Files that are sound, however they are written: nothing of the envelope is refused, and the
/// same sets are read.
#[test]
fn odd_writing_is_read() {
    let bytes = |text: String| text.into_bytes();
    let sound = || SOUND.to_owned();
    let high = |from: &str, to: u8| {
        let mut file = SOUND.as_bytes().to_vec();
        file.iter_mut()
            .filter(|byte| **byte == from.as_bytes()[0])
            .for_each(|byte| *byte = to);
        file
    };
    let wrapped = |width: usize| -> Vec<u8> {
        let lines: Vec<&[u8]> = SOUND.as_bytes().chunks(width).collect();
        lines.join(&b"\r\n"[..])
    };
    let indented = SOUND
        .replace('~', "~\n")
        .replace("PO1", "   PO1")
        .replace("CTT", "\tCTT");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        (
            "line feed after each segment",
            bytes(sound().replace('~', "~\n")),
        ),
        (
            "CR LF after each segment",
            bytes(sound().replace('~', "~\r\n")),
        ),
        ("line feed as terminator", bytes(sound().replace('~', "\n"))),
        ("CR LF as terminator", bytes(sound().replace('~', "\r\n"))),
        ("CR as terminator", bytes(sound().replace('~', "\r"))),
        (
            "separators of other signs",
            bytes(
                sound()
                    .replace('*', "|")
                    .replace('>', "<")
                    .replace('~', "^"),
            ),
        ),
        (
            "tilde between elements",
            bytes(sound().replace('~', "!").replace('*', "~")),
        ),
        (
            "control characters as separators",
            bytes(
                sound()
                    .replace('*', "\u{1d}")
                    .replace('>', "\u{1f}")
                    .replace('~', "\u{1c}"),
            ),
        ),
        ("bell as terminator", bytes(sound().replace('~', "\u{7}"))),
        ("a byte above 127 between elements", high("*", 0xa7)),
        ("a byte above 127 as terminator", high("~", 0xb6)),
        (
            "a terminator of three bytes",
            bytes(sound().replace('~', "\u{2026}\n")),
        ),
        ("wrapped at 80 columns, the ISA too", wrapped(80)),
        ("wrapped at 61 columns", wrapped(61)),
        ("indented", bytes(indented)),
        ("byte-order mark", bytes(format!("\u{feff}{SOUND}"))),
        ("blank lines before", bytes(format!("\r\n  \n{SOUND}"))),
        (
            "text before, between and after",
            bytes(format!("Subject: orders\n\n{SOUND}\n-- \nregards\n{}", "")),
        ),
        (
            "zeros and Ctrl-Z at the end",
            bytes(format!("{SOUND}\0\0\0\u{1a}")),
        ),
        (
            "the last segment has no terminator",
            bytes(SOUND.trim_end_matches('~').to_owned()),
        ),
        (
            "empty lines where a line feed ends segments",
            bytes(
                sound()
                    .replace(
                        '~', "
",
                    )
                    .replace(
                        "GE*2*1
",
                        "
GE*2*1

",
                    ),
            ),
        ),
        (
            "ISA within data",
            bytes(sound().replace("VN*A-1", "VN*ISA-1")),
        ),
        (
            "U in ISA11 of a later version",
            bytes(
                sound()
                    .replace("*U*00401", "*U*00501")
                    .replace("*004010", "*005010"),
            ),
        ),
        ("legacy 8-bit text", {
            let mut file = SOUND.as_bytes().to_vec();
            let at = SOUND.find("A-1").unwrap();
            file[at + 1] = 0xfc;
            file
        }),
        (
            "services of the carrier",
            bytes(sound().replace("~GS*", "~ISB*1~ISE*260116*0600*02~GS*")),
        ),
        (
            "blank codes in the GS",
            bytes(sound().replace("GS*PO*BUYER*SELLER", "GS*PO*  *  ")),
        ),
        (
            "an industry's version",
            bytes(sound().replace("X*004010~", "X*004010VICS~")),
        ),
    ];
    for (what, file) in cases {
        let read = read_back(&file);
        assert_eq!((read.isa, read.gs, read.st), (1, 1, 2), "{what}");
        let refused: Vec<_> = read
            .findings
            .iter()
            .filter(|f| is_of_the_envelope(f))
            .collect();
        assert!(refused.is_empty(), "{what}: {refused:?}");
        let numbers: Vec<&str> = read.groups[0]
            .sets
            .iter()
            .map(|set| set.st02.as_str())
            .collect();
        assert_eq!(numbers, ["0001", "0002"], "{what}");
    }
}

/// Text, odd separators and versions: what is said of them beside the reading.
#[test]
fn odd_writing_is_noted() {
    for (file, rule) in [
        (format!("\u{feff}{SOUND}"), Rule::ByteOrderMark),
        (
            format!("Subject: orders\n{SOUND}"),
            Rule::BytesOutsideInterchange,
        ),
        (format!("{SOUND}regards"), Rule::BytesOutsideInterchange),
        (SOUND.replace("*1230*U*", "*12\n30*U*"), Rule::IsaWrapped),
        (
            SOUND.replace("*SA*4711", "*SA*47\n11"),
            Rule::LineBreaksInside,
        ),
        (
            SOUND.trim_end_matches('~').to_owned(),
            Rule::LastSegmentUnterminated,
        ),
        (
            SOUND.replace("~GS*", "~ISB*1~GS*"),
            Rule::InterchangeService,
        ),
        (SOUND.replace("CTT*1~", "CTT*1*~"), Rule::TrailingSeparators),
        (SOUND.replace("GE*2*1~", "GE*2*1*X~"), Rule::EnvelopeSurplus),
        (
            SOUND.replace("IEA*1*000000001~", "IEA*1*000000001*~"),
            Rule::EnvelopeSurplus,
        ),
        (
            SOUND.replace("~GS*", "~TA1*000000009*260115*1230*A*000*X~GS*"),
            Rule::EnvelopeSurplus,
        ),
    ] {
        let read = read_back(file.as_bytes());
        let found: Vec<Rule> = read.findings.iter().map(|finding| finding.rule).collect();
        assert!(found.contains(&rule), "{rule:?}: {found:?}");
        assert!(!read.findings.iter().any(is_of_the_envelope), "{rule:?}");
    }
}

/// Delimiters are declared by each ISA anew, and one file may hold dozens of interchanges.
#[test]
fn each_interchange_declares_its_own_delimiters() {
    let signs: [(&str, &str, &str); 5] = [
        ("*", ">", "~"),
        ("|", "<", "^"),
        ("\u{1d}", "\u{1f}", "\u{1c}"),
        ("~", ":", "\n"),
        ("+", "!", "'\r\n"),
    ];
    let mut file = String::new();
    for n in 0..60 {
        let (element, component, terminator) = signs[n % signs.len()];
        let one = SOUND.replace("000000001", &format!("{:09}", n + 1));
        let one = one
            .replace('~', "\0")
            .replace('*', element)
            .replace('>', component);
        file.push_str(&one.replace('\0', terminator));
        if n % 7 == 0 {
            file.push_str("\n\n");
        }
    }
    let read = read_back(file.as_bytes());
    assert_eq!(
        (read.isa, read.gs, read.st, read.segments),
        (60, 60, 120, 60 * 14)
    );
    assert!(
        !read.findings.iter().any(is_of_the_envelope),
        "{:?}",
        read.findings
    );
}

/// A component separator that is no UTF-8 does not make Latin-1 of the text beside it.
#[test]
fn text_beside_a_separator_above_127_stays_what_it_is() {
    let delimiters = supercargo_x12::Delimiters {
        component: 0xaa,
        ..Default::default()
    };
    let bytes = b"ST*850*0001~N1*BY*M\xc3\xbcller\xaaM\xfcller\xaaMuller~SE*3*0001~";
    let set = supercargo_x12::read_set(bytes, &delimiters, 0).unwrap();
    let name = set.segments().nth(1).unwrap();
    let parts: Vec<&str> = name.components_of(name.element(2)).collect();
    assert_eq!(parts, ["Müller", "Müller", "Muller"]);
    assert_eq!(set.raw(), bytes);
}

/// Legacy letters are longer in the text than in the file; a segment that ends in them ends where it does in the file.
#[test]
fn a_segment_that_ends_in_legacy_letters_ends_where_it_does_in_the_file() {
    let bytes = b"ST*850*0001~N1*BY*\xe9\xe9~PER*BD*\xe9~SE*4*0001~";
    let set = supercargo_x12::read_set(bytes, &Default::default(), 0).unwrap();
    let places: Vec<(u64, u64)> = set
        .segments()
        .map(|segment| (segment.offset(), segment.length()))
        .collect();
    assert_eq!(places, [(0, 11), (12, 8), (21, 8), (30, 9)]);
}

/// An interchange that is cut off by the next one costs that next one nothing.
#[test]
fn reading_goes_on_at_the_next_interchange() {
    let next = SOUND.replace("000000001", "000000002");
    for cut in [108, 130, 160, 180, 230, 290, 300, SOUND.len() - 17] {
        let file = format!("{}{next}", &SOUND[..cut]);
        let read = read_back(file.as_bytes());
        assert_eq!(read.isa, 2, "cut at {cut}");
        let [first, second] = &read.interchanges[..] else {
            panic!("cut at {cut}: {:?}", read.interchanges);
        };
        assert!(!first.iea_seen, "cut at {cut}");
        assert_eq!(
            (second.iea_seen, second.note.as_str()),
            (true, "000"),
            "cut at {cut}"
        );
        assert_eq!(
            read.groups.last().unwrap().accepted_sets(),
            2,
            "cut at {cut}"
        );
    }
}

/// Binary data holds whatever bytes it likes (rule 20).
#[test]
fn binary_data_holds_delimiters() {
    let data = "a~b*c>d\nISA*00*";
    let binary = format!("ST*102*0003~BIN*{}*{data}~SE*3*0003~GE*3", data.len());
    let file = SOUND.replace("GE*2", &binary);
    let read = read_back(file.as_bytes());
    assert_eq!((read.isa, read.st, read.segments), (1, 3, 17));
    assert!(
        !read.findings.iter().any(is_of_the_envelope),
        "{:?}",
        read.findings
    );
}
