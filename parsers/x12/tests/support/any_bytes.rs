//! What must hold for any bytes at all: the fuzz targets try it on new inputs, the ordinary tests on those that the
//! targets have found.
#![allow(dead_code)]

use chrono::{NaiveDate, NaiveTime};
use supercargo_x12::{
    AckOptions, Address, Delimiters, Envelope, Event, Group, GroupVerdict, InterchangeVerdict,
    NumberedSet, OutboundSet, Overlay, Reader, Release, Rule, SchemaRegistry, SetVerdict, annotate,
    build_997, build_999, build_ta1, from_json, functional_id_of, import_sef, read_set, to_json,
    validate_set, write_interchange,
};

/// Read without a panic, and given back byte for byte, as events and as JSON.
pub fn read(bytes: &[u8]) {
    let mut reader = Reader::new(bytes);
    let mut back = Vec::new();
    while let Ok(Some(_)) = reader.next() {
        back.extend_from_slice(reader.raw());
    }
    assert_eq!(back, bytes);
    let (mut json, mut back) = (Vec::new(), Vec::new());
    to_json(bytes, &mut json).unwrap();
    from_json(&json[..], &mut back).unwrap();
    assert_eq!(back, bytes);
}

/// Every group gets its 997 and 999, every interchange its TA1, and the counts hold together.
pub fn acknowledge(bytes: &[u8]) {
    let registry = SchemaRegistry::standard();
    let mut reader = Reader::new(bytes);
    let mut open: Option<GroupVerdict> = None;
    while let Ok(Some(event)) = reader.next() {
        match event {
            Event::GroupOpened(header) => open = Some(GroupVerdict::open(header)),
            Event::Set(set) => {
                if let Some(group) = &mut open {
                    let release = Release::of_version(&group.version).unwrap_or(Release::R005010);
                    group.add(SetVerdict::of(
                        set,
                        validate_set(registry, release, set, None),
                    ));
                }
            }
            Event::GroupClosed(closed) => {
                if let Some(mut group) = open.take() {
                    group.close(&closed);
                    assert!(group.accepted_sets() <= group.received_sets);
                    let _ = build_997(&group, &AckOptions::default());
                    let _ = build_999(&group, &AckOptions::default());
                }
            }
            Event::InterchangeClosed(closed) => {
                let _ = build_ta1(&InterchangeVerdict::of(&closed));
            }
            _ => {}
        }
    }
}

fn interchange(set: &OutboundSet) -> (Envelope, Vec<Group>) {
    let address = |id: &str| Address {
        qualifier: "ZZ".to_owned(),
        id: id.to_owned(),
    };
    let (date, time) = (
        NaiveDate::from_ymd_opt(2026, 1, 15).unwrap(),
        NaiveTime::from_hms_opt(12, 30, 0).unwrap(),
    );
    let envelope = Envelope {
        sender: address("SELLER"),
        receiver: address("BUYER"),
        date,
        time,
        version: "00501".to_owned(),
        control_number: 1,
        ack_requested: false,
        usage: 'T',
        delimiters: Delimiters {
            repetition: Some(b'^'),
            ..Delimiters::default()
        },
        ta1s: Vec::new(),
    };
    let group = Group {
        functional_id: functional_id_of(&set.code).unwrap_or("PO").to_owned(),
        sender: "SELLER".to_owned(),
        receiver: "BUYER".to_owned(),
        date,
        time,
        control_number: 1,
        version: "005010".to_owned(),
        sets: vec![NumberedSet {
            control_number: "0001".to_owned(),
            set: set.clone(),
        }],
    };
    (envelope, vec![group])
}

/// What is read can be written and read again, and then it is the same; as a set of its own and as a whole interchange.
pub fn write(bytes: &[u8]) {
    let mut reader = Reader::new(bytes);
    while let Ok(Some(event)) = reader.next() {
        let Event::Set(set) = event else { continue };
        let out = OutboundSet::of(set);
        if let Ok(back) = out.read_back("0001", set.delimiters()) {
            assert_eq!(OutboundSet::of(&back), out);
        }
        let (envelope, groups) = interchange(&out);
        let Ok(written) = write_interchange(&envelope, &groups) else {
            continue;
        };
        let mut again = Reader::new(&written.bytes[..]);
        let mut sets = 0;
        while let Ok(Some(event)) = again.next() {
            if let Event::Set(set) = event {
                sets += 1;
                assert!(
                    set.findings().iter().all(|finding| !finding.rejects()),
                    "{:?}",
                    set.findings()
                );
                assert_eq!(set.len(), written.sets[0].segments);
            }
        }
        assert_eq!(sets, 1);
    }
}

/// Any guide over any file: the first line is the guide as JSON, the rest the file.
pub fn overlay(bytes: &[u8]) {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (guide, file) = bytes.split_at(at);
    let Ok(overlay) = serde_json::from_slice::<Overlay>(guide) else {
        return;
    };
    let mut reader = Reader::new(file);
    while let Ok(Some(event)) = reader.next() {
        if let Event::Set(set) = event {
            let _ = annotate(
                SchemaRegistry::standard(),
                Release::R004010,
                set,
                Some(&overlay),
            );
        }
    }
}

const ORDER: &str = "ST*850*0001~BEG*00*SA*4711**20260115~REF*DP*045~N1*ST*STORE*92*12~N3*1 MAIN~PO1*1*12*EA*8.5**UP*012345678905~PID*F****HINGE~N1*MK*A*92*1~CTT*1~SE*10*0001~";

/// Whatever overlay comes out of a SEF file can be judged by, and its places can be read.
pub fn sef(bytes: &[u8]) {
    let Ok(guide) = import_sef(bytes) else { return };
    let Ok(set) = read_set(ORDER.as_bytes(), &Delimiters::default(), 0) else {
        return;
    };
    for one in &guide.sets {
        let findings = validate_set(
            SchemaRegistry::standard(),
            Release::R004010,
            &set,
            Some(&one.overlay),
        );
        assert!(
            findings
                .iter()
                .all(|finding| finding.rule != Rule::GuideUnusable),
            "{findings:?}"
        );
    }
}
