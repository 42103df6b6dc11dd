//! Properties that hold for any input at all: nothing is lost, chunking does not matter, and the
//! 997 adds up.

mod support;

use chrono::{NaiveDate, NaiveTime};
use proptest::prelude::*;
use supercargo_x12::*;
use support::{Pieces, judge, transcript};

const CLEAN: &str = concat!(
    "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000001*1*P*>~",
    "GS*PO*BUYER*SELLER*20260115*1230*1*X*004010~",
    "ST*850*0001~BEG*00*SA*4711**20260115~REF*DP*045~N1*ST*STORE 12*92*0012~N3*1 MAIN~N4*RENO*NV*89501~PO1*1*12*EA*8.5**UP*012345678905~PID*F****HINGE~CTT*1*12~SE*10*0001~",
    "ST*850*0002~BEG*00*SA*4712**20260115~SAC*A*C310***2500~PO1*1*6*CA*24~PO1*2*1*EA*1~CTT*2*7~SE*7*0002~",
    "GE*2*1~",
    "GS*IN*BUYER*SELLER*20260115*1230*2*X*004010~",
    "ST*810*0001~BIG*20260115*INV1**4711~IT1*1*6*EA*2**UP*012345678905~TDS*1200~CTT*1~SE*6*0001~",
    "GE*1*2~",
    "IEA*2*000000001~"
);

/// The same trade in the later release: repetitions, a composite, ST03, a ship notice.
const LATER: &str = concat!(
    "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*^*00501*000000001*1*P*>~",
    "GS*PO*BUYER*SELLER*20260115*1230*1*X*005010~",
    "ST*850*0001~BEG*00*SA*4711**20260115~REF*DP*045~N1*ST*STORE 12*92*0012~PO1*1*12*EA*8.5**UP*012345678905~MEA*PD*HT*5*IN>2~CTT*1*12~SE*8*0001~",
    "ST*850*0002*GUIDE~BEG*00*SA*4712**20260115~PO1*1*6*CA*24~PO1*2*1*EA*1~CTT*2*7~SE*6*0002~",
    "GE*2*1~",
    "GS*SH*BUYER*SELLER*20260115*1230*2*X*005010~",
    "ST*856*0001~BSN*00*S1*20260115*1230*0001~HL*1**S~HL*2*1*O~PRF*4711~HL*3*2*P~MAN*GM*00006141411234567890~HL*4*3*I~LIN**UP*012345678905~SN1**12*EA~SE*11*0001~",
    "GE*1*2~",
    "IEA*2*000000001~"
);

/// One change to a file.
#[derive(Debug, Clone)]
enum Change {
    Delete(usize, usize),
    Insert(usize, Vec<u8>),
    Replace(usize, u8),
    DuplicateSegment(usize),
    DropSegment(usize),
    SwapSegments(usize, usize),
    Truncate(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let bytes = prop_oneof![
        Just(b'*'),
        Just(b'~'),
        Just(b'>'),
        Just(b'\n'),
        Just(b' '),
        Just(b'9'),
        any::<u8>()
    ];
    prop_oneof![
        (any::<usize>(), 1usize..30).prop_map(|(at, n)| Change::Delete(at, n)),
        (
            any::<usize>(),
            proptest::collection::vec(bytes.clone(), 1..8)
        )
            .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (any::<usize>(), bytes).prop_map(|(at, byte)| Change::Replace(at, byte)),
        any::<usize>().prop_map(Change::DuplicateSegment),
        any::<usize>().prop_map(Change::DropSegment),
        (any::<usize>(), any::<usize>()).prop_map(|(a, b)| Change::SwapSegments(a, b)),
        (any::<usize>()).prop_map(Change::Truncate),
    ]
}

fn mutated(clean: &str, changes: &[Change]) -> Vec<u8> {
    let mut file = clean.as_bytes().to_vec();
    for change in changes {
        let segments = |file: &[u8]| {
            file.split_inclusive(|b| *b == b'~')
                .map(<[u8]>::to_vec)
                .collect::<Vec<_>>()
        };
        let len = file.len().max(1);
        match change {
            Change::Delete(at, n) => drop(file.drain(at % len..(at % len + n).min(file.len()))),
            Change::Insert(at, bytes) => {
                let at = (at % len).min(file.len());
                file.splice(at..at, bytes.iter().copied());
            }
            Change::Replace(at, byte) => {
                if let Some(slot) = file.get_mut(at % len) {
                    *slot = *byte;
                }
            }
            Change::Truncate(at) => file.truncate(len - at % 40 % len),
            Change::DuplicateSegment(at)
            | Change::DropSegment(at)
            | Change::SwapSegments(at, _) => {
                let mut all = segments(&file);
                if all.is_empty() {
                    continue;
                }
                let at = at % all.len();
                match change {
                    Change::DuplicateSegment(_) => all.insert(at, all[at].clone()),
                    Change::DropSegment(_) => drop(all.remove(at)),
                    Change::SwapSegments(_, other) => {
                        let other = other % all.len();
                        all.swap(at, other);
                    }
                    _ => {}
                }
                file = all.concat();
            }
        }
    }
    file
}

/// The sets of a group as they were received: what each segment's elements hold.
type Received = Vec<Vec<Vec<String>>>;

/// The sets of every group of a file, and the separators in them.
fn received(file: &[u8]) -> Vec<(Received, Delimiters)> {
    let mut reader = Reader::new(file);
    let mut groups: Vec<(Received, Delimiters)> = Vec::new();
    let mut delimiters = Delimiters::default();
    while let Some(event) = reader.next().unwrap() {
        match event {
            Event::InterchangeOpened(header, _) => delimiters = header.delimiters,
            Event::GroupOpened(_) => groups.push((Vec::new(), delimiters)),
            Event::Set(set) => {
                let segments = set.segments().map(|s| {
                    [s.id()]
                        .into_iter()
                        .chain(s.elements())
                        .map(str::to_owned)
                        .collect()
                });
                groups.last_mut().unwrap().0.push(segments.collect());
            }
            _ => {}
        }
    }
    groups
}

/// Letters and digits, so many.
fn is_code(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn element(segment: &OutSegment, n: usize) -> String {
    segment
        .elements
        .get(n - 1)
        .map(|e| e.values().join(">"))
        .unwrap_or_default()
}

/// Rule 31 written down once more: the code of a fault of GS and GE.
fn group_code(rule: Rule, is_later: bool) -> &'static str {
    match rule {
        Rule::GroupNotSupported => "1",
        Rule::VersionNotSupported => "2",
        Rule::GeMissing => "3",
        Rule::GeControlNumber => "4",
        Rule::GeSetCount | Rule::SegmentOutsideSet => "5",
        Rule::GsControlNumber => "6",
        Rule::GsControlNumberRepeated if is_later => "19",
        Rule::GsControlNumberRepeated => "6",
        other => panic!("{other:?} is no fault of a group"),
    }
}

/// Rules 24 to 35 as identities between a verdict and its 997 or 999.
fn check_answer(
    group: &GroupVerdict,
    options: &AckOptions,
    is_999: bool,
) -> Result<(), TestCaseError> {
    let build = if is_999 { build_999 } else { build_997 };
    let Some(answer) = build(group, options) else {
        prop_assert_eq!(&group.functional_id, "FA");
        return Ok(());
    };
    prop_assert_ne!(&group.functional_id, "FA");
    let is_later = is_999 || options.release == Release::R005010;
    let (ak1, ak9) = (&answer.segments[0], answer.segments.last().unwrap());
    prop_assert_eq!((ak1.id.as_str(), ak9.id.as_str()), ("AK1", "AK9"));
    // Rule 25: the group by its GS01, GS06 and, later, GS08, where they can be said again.
    if is_code(&group.functional_id, 2) {
        prop_assert_eq!(element(ak1, 1), group.functional_id.to_ascii_uppercase());
    }
    let gs06 = &group.control_number;
    if (1..=9).contains(&gs06.len()) && gs06.bytes().all(|b| b.is_ascii_digit()) {
        prop_assert_eq!(&element(ak1, 2), gs06);
    } else {
        prop_assert!((1..=9).contains(&element(ak1, 2).len()));
    }
    let version = Some(&group.version).filter(|version| {
        is_later && !version.is_empty() && is_code(version, version.len().min(12))
    });
    match version {
        Some(version) => prop_assert_eq!(&element(ak1, 3), version),
        None => prop_assert!(is_later || ak1.elements.len() == 2),
    }
    // Rule 30.
    let count = |n| element(ak9, n).parse::<u32>().unwrap();
    let (claimed, received, accepted) = (count(2), count(3), count(4));
    prop_assert_eq!(received as usize, group.sets.len());
    prop_assert_eq!(claimed, group.claimed_sets.unwrap_or(received).min(999_999));
    prop_assert!(accepted <= received);
    let verdicts: Vec<String> = answer
        .segments
        .iter()
        .filter(|s| matches!(s.id.as_str(), "AK5" | "IK5"))
        .map(|s| element(s, 1))
        .collect();
    let good = verdicts.iter().filter(|v| *v == "A" || *v == "E").count() as u32;
    prop_assert_eq!(good, accepted);
    let rejected = group.sets.iter().filter(|s| !s.acceptance.is_accepted());
    let refused = group.findings.iter().any(Finding::rejects);
    prop_assert_eq!(
        accepted as usize,
        if refused {
            0
        } else {
            group.sets.len() - rejected.clone().count()
        }
    );
    match element(ak9, 1).as_str() {
        "A" => prop_assert!(
            verdicts.iter().all(|v| v == "A") && claimed == received && received == accepted
        ),
        "P" => prop_assert!(0 < accepted && accepted < received),
        "R" => prop_assert_eq!(accepted, 0),
        "E" => prop_assert!(accepted == received && verdicts.iter().any(|v| v == "E")),
        other => prop_assert!(false, "AK901 is {}", other),
    }
    // Rule 31: each fault of GS and GE by its code, the first five, and no other.
    let mut codes: Vec<&str> = Vec::new();
    let faults = group.findings.iter().filter(|f| f.rejects());
    let codes_of = faults.map(|f| group_code(f.rule, is_later));
    for code in codes_of.chain((claimed != received).then_some("5")) {
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes.truncate(5);
    let said: Vec<String> = (5..=ak9.elements.len()).map(|n| element(ak9, n)).collect();
    prop_assert_eq!(said, codes);
    // Each AK2 names the next set that the acknowledgment must or may name (rules 25 and 33).
    let mut named = group
        .sets
        .iter()
        .filter(|set| !refused || !set.acceptance.is_accepted());
    let (mut of, mut last_ak3) = (None, String::new());
    for (at, segment) in answer.segments.iter().enumerate() {
        match segment.id.as_str() {
            "AK2" => {
                of = named.next();
                prop_assert!(of.is_some(), "an AK2 too many");
                let set = of.unwrap();
                if is_code(&set.st01, 3) {
                    prop_assert_eq!(element(segment, 1), set.st01.to_ascii_uppercase());
                }
                let plain = |text: &str| is_code(text, text.len());
                if (4..=9).contains(&set.st02.len()) && plain(&set.st02) {
                    prop_assert_eq!(&element(segment, 2), &set.st02);
                } else {
                    prop_assert!((4..=9).contains(&element(segment, 2).len()));
                }
                match set
                    .st03
                    .as_deref()
                    .filter(|st03| plain(st03) && st03.len() <= 35)
                {
                    Some(st03) if is_later => prop_assert_eq!(element(segment, 3), st03),
                    _ => prop_assert!(is_later || segment.elements.len() == 2),
                }
            }
            "AK3" | "IK3" => {
                last_ak3 = element(segment, 4);
                let next = answer.segments[at + 1].id.as_str();
                prop_assert_eq!(
                    last_ak3 == "8",
                    matches!(next, "AK4" | "IK4"),
                    "AK4 present if and only if AK304 is 8: {:?}",
                    segment
                );
            }
            "AK4" | "IK4" => {
                prop_assert_eq!(last_ak3.as_str(), "8");
                prop_assert!(element(segment, 4).len() <= 99);
            }
            "AK5" | "IK5" => {
                let codes = segment.elements.len() - 1;
                prop_assert!(codes <= 5);
                let set = of.take().unwrap();
                prop_assert_eq!(&element(segment, 1), set.acceptance.code());
                prop_assert_eq!(element(segment, 1) != "A", codes > 0);
                // Rule 29: E where faults of the standard were let pass, and none rejects.
                let tolerated = set
                    .findings
                    .iter()
                    .any(|f| f.severity == Severity::Tolerate);
                let rejects = set.findings.iter().any(Finding::rejects);
                prop_assert_eq!(element(segment, 1) == "E", tolerated && !rejects);
            }
            _ => {}
        }
    }
    prop_assert!(named.next().is_none(), "a set without its AK2");
    Ok(())
}

/// An acknowledgment as it leaves: written, read again by our own reader, without a finding; each
/// AK3 names the segment that stood at its position, each AK4 a place in it and, if any value, the
/// one that stood there.
fn check_written(
    group: &GroupVerdict,
    (sets, theirs): &(Received, Delimiters),
    options: &AckOptions,
    is_999: bool,
) -> Result<(), TestCaseError> {
    let build = if is_999 { build_999 } else { build_997 };
    let Some(answer) = build(group, options) else {
        return Ok(());
    };
    let release = options.release;
    let delimiters = options.delimiters;
    let address = |id: &str| Address {
        qualifier: "ZZ".into(),
        id: id.into(),
    };
    let envelope = Envelope {
        sender: address("SELLER"),
        receiver: address("BUYER"),
        date: NaiveDate::from_ymd_opt(2026, 1, 15).unwrap(),
        time: NaiveTime::from_hms_opt(12, 30, 0).unwrap(),
        version: release.isa_version().into(),
        control_number: 1,
        ack_requested: false,
        usage: 'P',
        delimiters,
        ta1s: vec![],
    };
    let group_out = Group {
        functional_id: "FA".into(),
        sender: "AA".into(),
        receiver: "BB".into(),
        date: envelope.date,
        time: envelope.time,
        control_number: 1,
        version: release.as_str().into(),
        sets: vec![NumberedSet {
            control_number: "0001".into(),
            set: answer,
        }],
    };
    let written = write_interchange(&envelope, &[group_out]).unwrap();
    let judged = judge(&written.bytes);
    let said = String::from_utf8_lossy(&written.bytes).into_owned();
    prop_assert_eq!(&judged.interchanges[0].note, "000", "{}", &said);
    let own = &judged.groups[0];
    let faults: Vec<&Finding> = own
        .findings
        .iter()
        .chain(&own.sets[0].findings)
        .filter(|finding| finding.severity > Severity::Note)
        .collect();
    prop_assert!(faults.is_empty(), "{:?} in {}", faults, said);
    let mut reader = Reader::new(&written.bytes[..]);
    while let Some(event) = reader.next().unwrap() {
        let Event::Set(set) = event else { continue };
        let mut named = group
            .sets
            .iter()
            .zip(sets)
            .filter(|(verdict, _)| !group.is_refused() || !verdict.acceptance.is_accepted());
        let mut of: &[Vec<String>] = &[];
        let mut stood: Option<&Vec<String>> = None;
        for line in set.segments() {
            match line.id() {
                "AK2" => of = named.next().unwrap().1,
                "AK3" | "IK3" => {
                    let position: usize = line.element(2).parse().unwrap();
                    let missing = line.element(4) == "3";
                    let last = of.len() + usize::from(missing);
                    prop_assert!((1..=last).contains(&position), "{:?} of {}", line, last);
                    stood = of.get(position - 1);
                    if !missing {
                        let id = &stood.unwrap()[0];
                        let plain: String = id
                            .chars()
                            .filter(char::is_ascii_alphanumeric)
                            .take(3)
                            .collect();
                        let name = if plain.len() < 2 {
                            "ZZZ".into()
                        } else {
                            plain.to_ascii_uppercase()
                        };
                        prop_assert_eq!(line.element(1), name, "{}", said);
                    }
                }
                "AK4" | "IK4" => {
                    let place: Vec<usize> = line
                        .element(1)
                        .split(char::from(delimiters.component))
                        .map(|n| n.parse().unwrap_or(0))
                        .collect();
                    let at = |n: usize| place.get(n).copied().unwrap_or(0);
                    prop_assert!((1..=99).contains(&at(0)), "{}", said);
                    let value = line.element(4);
                    if value.is_empty() {
                        continue;
                    }
                    let whole = stood.unwrap().get(at(0)).map_or("", String::as_str);
                    let once = theirs.repetition.map_or_else(
                        || vec![whole],
                        |byte| whole.split(char::from(byte)).collect(),
                    );
                    let stands = once.iter().any(|one| {
                        let parts: Vec<&str> = one.split(char::from(theirs.component)).collect();
                        match at(1) {
                            0 => one.trim_end() == value,
                            n => parts
                                .get(n - 1)
                                .is_some_and(|part| part.trim_end() == value),
                        }
                    });
                    prop_assert!(
                        stands || whole.trim_end() == value,
                        "{} in {:?}: {}",
                        value,
                        whole,
                        said
                    );
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The TA1 of an interchange: five sound elements, and 000 if and only if it is accepted.
fn check_ta1(verdict: &InterchangeVerdict) -> Result<(), TestCaseError> {
    let ta1 = build_ta1(verdict);
    let elements: Vec<&str> = (1..=5).map(|n| ta1.element(n)).collect();
    prop_assert_eq!(
        elements.iter().map(|e| e.len()).collect::<Vec<_>>(),
        [9, 6, 4, 1, 3],
        "{:?}",
        elements
    );
    prop_assert_eq!(elements[3] == "A", elements[4] == "000");
    prop_assert!(matches!(elements[3], "A" | "E" | "R"));
    if !verdict.iea_seen {
        prop_assert_eq!(elements[3], "R", "what was cut off is never accepted");
    }
    if verdict.only_ta1 {
        prop_assert!(!verdict.wants_ta1(true));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn mutated_interchanges_are_read_whole_and_answered(later: bool, changes in proptest::collection::vec(change(), 0..6), sizes in proptest::collection::vec(1usize..90, 1..5), tolerated in proptest::sample::subsequence(Rule::ALL, 0..Rule::ALL.len())) {
        let file = mutated(if later { LATER } else { CLEAN }, &changes);
        let (whole, bytes) = transcript(&file[..]);
        prop_assert!(bytes == file, "not given back byte for byte");
        let (pieces, bytes) = transcript(Pieces { bytes: &file, sizes, turn: 0 });
        prop_assert!(bytes == file);
        prop_assert_eq!(whole, pieces);
        let judged = judge(&file);
        let sets = received(&file);
        prop_assert_eq!(judged.groups.len(), sets.len());
        for (mut group, received) in judged.groups.into_iter().zip(&sets) {
            for tolerates in [false, true] {
                if tolerates {
                    group.sets.iter_mut().for_each(|set| set.tolerate(&tolerated));
                }
                for (release, is_999) in [(Release::R004010, false), (Release::R005010, false), (Release::R005010, true)] {
                    let delimiters = Delimiters {
                        repetition: (release == Release::R005010).then_some(b'^'),
                        ..Delimiters::default()
                    };
                    let options = AckOptions { release, delimiters, ..AckOptions::default() };
                    check_answer(&group, &options, is_999)?;
                    check_written(&group, received, &options, is_999)?;
                }
            }
        }
        for verdict in &judged.interchanges {
            check_ta1(verdict)?;
        }
    }

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..2000), size in 1usize..50) {
        let (whole, back) = transcript(&bytes[..]);
        prop_assert_eq!(&back, &bytes);
        prop_assert_eq!(whole, transcript(Pieces { bytes: &bytes, sizes: vec![size], turn: 0 }).0);
    }

    #[test]
    fn what_is_written_is_read(values in proptest::collection::vec(proptest::collection::vec("[A-Z0-9 .,&()/-]{0,12}", 1..6), 1..20)) {
        let mut set = OutboundSet::new("850");
        for elements in &values {
            set.push(elements.iter().fold(seg("REF"), |segment, value| segment.el(value)));
        }
        let envelope = Envelope {
            sender: Address { qualifier: "ZZ".into(), id: "A".into() }, receiver: Address { qualifier: "ZZ".into(), id: "B".into() },
            date: NaiveDate::from_ymd_opt(2026, 1, 15).unwrap(), time: NaiveTime::from_hms_opt(12, 30, 0).unwrap(),
            version: "00401".into(), control_number: 1, ack_requested: false, usage: 'P', delimiters: Delimiters::default(), ta1s: vec![],
        };
        let group = Group { functional_id: "PO".into(), sender: "AA".into(), receiver: "BB".into(), date: envelope.date, time: envelope.time, control_number: 1, version: "004010".into(), sets: vec![NumberedSet { control_number: "0001".into(), set: set.clone() }] };
        let written = write_interchange(&envelope, &[group]).unwrap();
        let mut reader = Reader::new(&written.bytes[..]);
        let mut read = OutboundSet::new("");
        while let Some(event) = reader.next().unwrap() {
            match event {
                Event::Set(found) => {
                    prop_assert_eq!(found.findings(), &[]);
                    read = OutboundSet::new(found.code());
                    let inner = found.len() - 1;
                    for segment in found.segments().take(inner).skip(1) {
                        read.push(segment.elements().fold(seg(segment.id()), |out, value| out.el(value)));
                    }
                }
                Event::InterchangeClosed(closed) => prop_assert_eq!(closed.findings, vec![]),
                _ => {}
            }
        }
        let trimmed = |set: &OutboundSet| set.segments.iter().map(|s| s.elements.iter().map(|e| e.values().concat()).collect::<Vec<_>>().join("*").trim_end_matches('*').to_owned()).collect::<Vec<_>>();
        prop_assert_eq!(trimmed(&read), trimmed(&set));
    }
}

#[test]
fn the_clean_files_are_clean() {
    for clean in [CLEAN, LATER] {
        let judged = judge(clean.as_bytes());
        for group in &judged.groups {
            assert_eq!(group.acceptance(), Acceptance::Accepted, "{group:?}");
            assert!(
                group.sets.iter().all(|set| set.findings.is_empty()),
                "{group:?}"
            );
        }
        assert_eq!(judged.interchanges[0].note, "000");
    }
}
