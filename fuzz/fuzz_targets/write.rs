//! Any bytes: what is read can be written and read again, and then it is the same; as a set of its own and as a whole
//! interchange.
#![no_main]

use chrono::{NaiveDate, NaiveTime};
use libfuzzer_sys::fuzz_target;
use supercargo_x12::{
    Address, Delimiters, Envelope, Event, Group, NumberedSet, OutboundSet, Reader,
    functional_id_of, write_interchange,
};

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

fuzz_target!(|bytes: &[u8]| {
    let mut reader = Reader::new(bytes);
    while let Ok(Some(event)) = reader.next() {
        let Event::Set(set) = event else { continue };
        let out = OutboundSet::of(set);
        if let Ok(back) = out.read_back("0001", set.delimiters()) {
            assert_eq!(OutboundSet::of(&back), out);
        }
        let (envelope, groups) = interchange(&out);
        let Ok(written) = write_interchange(&envelope, &groups) else { continue };
        let mut again = Reader::new(&written.bytes[..]);
        let mut sets = 0;
        while let Ok(Some(event)) = again.next() {
            if let Event::Set(set) = event {
                sets += 1;
                assert!(set.findings().iter().all(|finding| !finding.rejects()), "{:?}", set.findings());
                assert_eq!(set.len(), written.sets[0].segments);
            }
        }
        assert_eq!(sets, 1);
    }
});
