//! Real files: each group is acknowledged by a sound 997, and each set that can be sent at all is
//! written and read again as it was.

mod support;

use supercargo_x12::{
    AckOptions, Event, Finding, GroupVerdict, OutboundSet, Reader, Release, SchemaRegistry,
    SetVerdict, Severity, TransactionSet, build_997, validate_outbound, validate_set,
};
use support::{corpus, rows};

/// What is wrong with our own answer to a group.
fn faults(group: &GroupVerdict, release: Release) -> Vec<Finding> {
    let options = AckOptions {
        release,
        ..AckOptions::default()
    };
    let Some(set) = build_997(group, &options) else {
        return Vec::new();
    };
    let mut faults = validate_outbound(SchemaRegistry::standard(), release, &set, None);
    faults.retain(|fault| fault.severity > Severity::Note);
    faults
}

/// Whether the set is written and read as it was; none where it holds what cannot be sent.
fn survives(set: &TransactionSet) -> Option<bool> {
    let out = OutboundSet::of(set);
    let read = out.read_back("0001", set.delimiters()).ok()?;
    let plain = OutboundSet::of(&read);
    Some(plain.segments == out.segments)
}

#[test]
fn every_group_is_answered_soundly_and_every_set_survives() {
    let Some(folder) = corpus() else { return };
    let (mut groups, mut sets) = (0, 0);
    for row in rows(&folder) {
        let mut reader = Reader::new(&row.bytes[..]);
        let mut open: Option<GroupVerdict> = None;
        while let Some(event) = reader.next().unwrap() {
            match event {
                Event::GroupOpened(header) => open = Some(GroupVerdict::open(header)),
                Event::Set(set) => {
                    let group = open.as_mut().unwrap();
                    let release = Release::of_version(&group.version).unwrap_or(Release::R004010);
                    group.add(SetVerdict::of(
                        set,
                        validate_set(SchemaRegistry::standard(), release, set, None),
                    ));
                    sets += usize::from(survives(set).is_some());
                    assert_ne!(
                        survives(set),
                        Some(false),
                        "{}: {} at byte {}",
                        row.file,
                        set.code(),
                        set.offset()
                    );
                }
                Event::GroupClosed(closed) => {
                    let mut group = open.take().unwrap();
                    group.close(&closed);
                    groups += 1;
                    let release = Release::of_version(&group.version).unwrap_or(Release::R004010);
                    let faults = faults(&group, release);
                    assert!(faults.is_empty(), "{}: {faults:#?}", row.file);
                }
                _ => {}
            }
        }
    }
    assert!(groups > 0 && sets > 0);
    println!("{groups} groups answered, {sets} sets written again");
}
