//! Any bytes: every group gets its 997 and 999, and the counts of AK9 hold together.
#![no_main]

use libfuzzer_sys::fuzz_target;
use supercargo_x12::{
    AckOptions, Event, GroupVerdict, InterchangeVerdict, Reader, Release, SchemaRegistry,
    SetVerdict, build_997, build_999, build_ta1, validate_set,
};

fuzz_target!(|bytes: &[u8]| {
    let registry = SchemaRegistry::standard();
    let mut reader = Reader::new(bytes);
    let mut open: Option<GroupVerdict> = None;
    while let Ok(Some(event)) = reader.next() {
        match event {
            Event::GroupOpened(header) => open = Some(GroupVerdict::open(header)),
            Event::Set(set) => {
                if let Some(group) = &mut open {
                    let release = Release::of_version(&group.version).unwrap_or(Release::R005010);
                    group.add(SetVerdict::of(set, validate_set(registry, release, set, None)));
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
});
