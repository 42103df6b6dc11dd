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

fn mutated(changes: &[Change]) -> Vec<u8> {
    let mut file = CLEAN.as_bytes().to_vec();
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

/// Rules 24 to 35 as identities between a verdict and its 997.
fn check_997(group: &GroupVerdict) -> Result<(), TestCaseError> {
    let Some(answer) = build_997(group, &AckOptions::default()) else {
        prop_assert_eq!(&group.functional_id, "FA");
        return Ok(());
    };
    let text = |segment: &OutSegment, n: usize| {
        segment
            .elements
            .get(n - 1)
            .map(|e| e.values().join(">"))
            .unwrap_or_default()
    };
    let ak9 = answer.segments.last().unwrap();
    prop_assert_eq!(
        (answer.segments[0].id.as_str(), ak9.id.as_str()),
        ("AK1", "AK9")
    );
    let count = |n| text(ak9, n).parse::<u32>().unwrap();
    let (claimed, received, accepted) = (count(2), count(3), count(4));
    prop_assert!(accepted <= received);
    prop_assert_eq!(received as usize, group.sets.len());
    let verdicts: Vec<String> = answer
        .segments
        .iter()
        .filter(|s| s.id == "AK5")
        .map(|s| text(s, 1))
        .collect();
    let good = verdicts.iter().filter(|v| *v == "A" || *v == "E").count() as u32;
    prop_assert_eq!(good, accepted);
    match text(ak9, 1).as_str() {
        "A" => prop_assert!(
            verdicts.iter().all(|v| v == "A") && claimed == received && received == accepted
        ),
        "P" => prop_assert!(0 < accepted && accepted < received),
        "R" => prop_assert_eq!(accepted, 0),
        "E" => prop_assert!(accepted == received && verdicts.iter().any(|v| v == "E")),
        other => prop_assert!(false, "AK901 is {}", other),
    }
    let mut last_ak3 = String::new();
    for (at, segment) in answer.segments.iter().enumerate() {
        match segment.id.as_str() {
            "AK3" => {
                last_ak3 = text(segment, 4);
                let next = answer.segments[at + 1].id.as_str();
                prop_assert_eq!(
                    last_ak3 == "8",
                    next == "AK4",
                    "AK4 present if and only if AK304 is 8: {:?}",
                    segment
                );
            }
            "AK4" => {
                prop_assert_eq!(last_ak3.as_str(), "8");
                prop_assert!(text(segment, 4).len() <= 99);
            }
            "AK5" => {
                let codes = segment.elements.len() - 1;
                prop_assert!(codes <= 5);
                prop_assert_eq!(text(segment, 1) == "R", codes > 0);
            }
            _ => {}
        }
    }
    let named = answer.segments.iter().filter(|s| s.id == "AK2").count();
    prop_assert!(
        named
            >= group
                .sets
                .iter()
                .filter(|s| !s.acceptance.is_accepted())
                .count()
    );
    Ok(())
}

/// An acknowledgment as it leaves: written, read again by our own reader, without a finding, with
/// positions that lie in the set that it speaks of and values that stood there.
fn check_written(
    group: &GroupVerdict,
    release: Release,
    build: fn(&GroupVerdict, &AckOptions) -> Option<OutboundSet>,
) -> Result<(), TestCaseError> {
    let delimiters = Delimiters {
        repetition: (release == Release::R005010).then_some(b'^'),
        ..Delimiters::default()
    };
    let options = AckOptions {
        release,
        delimiters,
        ..AckOptions::default()
    };
    let Some(answer) = build(group, &options) else {
        prop_assert_eq!(&group.functional_id, "FA");
        return Ok(());
    };
    prop_assert_ne!(&group.functional_id, "FA");
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
        // Each AK2 belongs to the next set that an acknowledgment must or may name.
        let mut sets = group.sets.iter();
        let mut of: Option<&SetVerdict> = None;
        let mut named_rejected = 0;
        for line in set.segments() {
            match line.id() {
                "AK2" => {
                    of = sets
                        .find(|verdict| !group.is_refused() || !verdict.acceptance.is_accepted());
                    prop_assert!(of.is_some(), "an AK2 too many: {}", said);
                    named_rejected += usize::from(of.is_some_and(|v| !v.acceptance.is_accepted()));
                }
                "AK3" | "IK3" => {
                    let position: u32 = line.element(2).parse().unwrap();
                    let last = of.unwrap().segments + 1;
                    prop_assert!((1..=last).contains(&position), "{:?} of {}", line, last);
                }
                "AK4" | "IK4" => {
                    let position: u32 = line.element(1).split('>').next().unwrap().parse().unwrap();
                    prop_assert!((1..=99).contains(&position));
                    let value = line.element(4);
                    prop_assert!(
                        value.len() <= 99 && !value.bytes().any(|b| delimiters.contains(b))
                    );
                }
                _ => {}
            }
        }
        let rejected = group
            .sets
            .iter()
            .filter(|v| !v.acceptance.is_accepted())
            .count();
        prop_assert_eq!(
            named_rejected,
            rejected,
            "one AK2 for each rejected set: {}",
            said
        );
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
    fn mutated_interchanges_are_read_whole_and_answered(changes in proptest::collection::vec(change(), 0..6), sizes in proptest::collection::vec(1usize..90, 1..5)) {
        let file = mutated(&changes);
        let (whole, bytes) = transcript(&file[..]);
        prop_assert!(bytes == file, "not given back byte for byte");
        let (pieces, bytes) = transcript(Pieces { bytes: &file, sizes, turn: 0 });
        prop_assert!(bytes == file);
        prop_assert_eq!(whole, pieces);
        let judged = judge(&file);
        for group in &judged.groups {
            check_997(group)?;
            for release in Release::ALL {
                check_written(group, release, build_997)?;
            }
            check_written(group, Release::R005010, build_999)?;
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
fn the_clean_file_is_clean() {
    let judged = judge(CLEAN.as_bytes());
    for group in &judged.groups {
        assert_eq!(group.acceptance(), Acceptance::Accepted, "{group:?}");
        assert!(
            group.sets.iter().all(|set| set.findings.is_empty()),
            "{group:?}"
        );
    }
    assert_eq!(judged.interchanges[0].note, "000");
}
