//! Properties of what goes out: what is written is read again as it was, counts are true, and the
//! acknowledgment of any verdict keeps its identities.

use chrono::{NaiveDate, NaiveTime};
use proptest::collection::vec;
use proptest::prelude::*;
use supercargo_x12::{
    Acceptance, AckOptions, Address, AfterTerminator, Delimiters, Envelope, Event, Finding, Group,
    GroupHeader, GroupVerdict, Level, NumberedSet, OutElement, OutSegment, OutboundSet, Reader,
    Release, Rule, SchemaRegistry, SetVerdict, Severity, Text, WriteError, build_997, build_999,
    functional_id_of, read_set, seg, set_number, validate_outbound, write_interchange,
};

/// Values of characters that these separators leave free.
fn value(delimiters: Delimiters) -> impl Strategy<Value = Text> {
    // Some are longer than what lies in place.
    "[ !-~]{0,30}".prop_map(move |text| {
        text.chars()
            .filter(|c| u8::try_from(*c).is_ok_and(|byte| !delimiters.contains(byte)))
            .collect()
    })
}

fn element(delimiters: Delimiters) -> impl Strategy<Value = OutElement> {
    let simple = || value(delimiters).prop_map(OutElement::Simple);
    let composite = || vec(value(delimiters), 0..4).prop_map(OutElement::Composite);
    let one = move || prop_oneof![3 => simple(), 1 => composite()];
    let repeats = usize::from(delimiters.repetition.is_some()) * 3;
    prop_oneof![4 => one(), 1 => vec(one(), 0..=repeats).prop_map(OutElement::Repeated)]
}

fn set(code: &'static str, delimiters: Delimiters) -> impl Strategy<Value = OutboundSet> {
    let id = "[A-Z][A-Z0-9]{1,2}".prop_filter("segments of the envelope are the writer's", |id| {
        !matches!(
            id.as_str(),
            "ISA" | "IEA" | "GS" | "GE" | "ST" | "SE" | "TA1" | "BIN" | "BDS"
        )
    });
    let segment = (id, vec(element(delimiters), 0..8)).prop_map(|(id, elements)| OutSegment {
        id: id.into(),
        elements,
    });
    vec(segment, 0..8).prop_map(move |segments| {
        segments
            .into_iter()
            .fold(OutboundSet::new(code), OutboundSet::with)
    })
}

fn delimiters() -> impl Strategy<Value = Delimiters> {
    let after = prop_oneof![
        Just(AfterTerminator::NONE),
        Just(AfterTerminator::LF),
        Just(AfterTerminator::CRLF)
    ];
    let signs = Just(b"*>~^|:!'\"+\x1d\x1f\x1c\n".to_vec()).prop_shuffle();
    (signs, any::<bool>(), after)
        .prop_map(|(signs, repeats, after_terminator)| {
            let terminator = signs[3];
            let after_terminator = if terminator == b'\n' {
                AfterTerminator::NONE
            } else {
                after_terminator
            };
            Delimiters {
                element: signs[0],
                component: signs[1],
                repetition: repeats.then_some(signs[2]),
                terminator,
                after_terminator,
            }
        })
        .prop_filter("line ends separate segments alone", |d| {
            d.named()
                .all(|(name, byte)| byte != b'\n' || name == "segment terminator")
        })
}

/// What of an element its receiver sees: neither blanks nor empty parts at the end.
fn seen(element: &OutElement) -> OutElement {
    let trimmed = |value: &Text| Text::from(value.trim_end_matches(' '));
    match element {
        OutElement::Simple(value) => OutElement::Simple(trimmed(value)),
        OutElement::Composite(values) => {
            let mut values: Vec<Text> = values.iter().map(trimmed).collect();
            while values.last().is_some_and(|value| value.is_empty()) {
                values.pop();
            }
            match values.len() {
                0 | 1 => OutElement::Simple(values.pop().unwrap_or_default()),
                _ => OutElement::Composite(values),
            }
        }
        OutElement::Repeated(elements) => {
            let mut elements: Vec<OutElement> = elements.iter().map(seen).collect();
            while elements.last().is_some_and(OutElement::is_empty) {
                elements.pop();
            }
            match elements.len() {
                0 => OutElement::Simple(Text::default()),
                1 => elements.remove(0),
                _ => OutElement::Repeated(elements),
            }
        }
    }
}

fn as_seen(set: &OutboundSet) -> OutboundSet {
    let mut out = OutboundSet::new(&set.code);
    for segment in &set.segments {
        let mut elements: Vec<OutElement> = segment.elements.iter().map(seen).collect();
        while elements.last().is_some_and(OutElement::is_empty) {
            elements.pop();
        }
        out.push(OutSegment {
            id: segment.id.clone(),
            elements,
        });
    }
    out
}

fn interchange() -> impl Strategy<Value = (Envelope, Vec<Group>)> {
    delimiters()
        .prop_flat_map(|delimiters| {
            let codes = prop_oneof![Just("855"), Just("856"), Just("810"), Just("997")];
            let group = codes.prop_flat_map(move |code| vec(set(code, delimiters), 1..4));
            (
                Just(delimiters),
                vec(group, 1..4),
                1u32..=999_999_999,
                1u32..99_999,
            )
        })
        .prop_map(|(delimiters, groups, control_number, first)| {
            let (date, time) = (
                NaiveDate::from_ymd_opt(2026, 1, 15).unwrap(),
                NaiveTime::from_hms_opt(12, 30, 0).unwrap(),
            );
            let address = |id: &str| Address {
                qualifier: "ZZ".into(),
                id: id.into(),
            };
            let version = if delimiters.repetition.is_some() {
                "00501"
            } else {
                "00401"
            };
            let envelope = Envelope {
                sender: address("SELLER"),
                receiver: address("BUYER"),
                date,
                time,
                version: version.into(),
                control_number,
                ack_requested: false,
                usage: 'P',
                delimiters,
                ta1s: Vec::new(),
            };
            let groups = groups.into_iter().zip(first..).map(|(sets, number)| Group {
                functional_id: functional_id_of(&sets[0].code).unwrap().to_owned(),
                sender: "SELLER".into(),
                receiver: "BUYER".into(),
                date,
                time,
                control_number: number,
                version: if version == "00501" {
                    "005010"
                } else {
                    "004010"
                }
                .into(),
                sets: sets
                    .into_iter()
                    .zip(first..)
                    .map(|(set, n)| NumberedSet {
                        control_number: set_number(n),
                        set,
                    })
                    .collect(),
            });
            (envelope, groups.collect())
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_again_as_it_was((envelope, groups) in interchange()) {
        let written = write_interchange(&envelope, &groups).unwrap();
        let mut expected = groups.iter().flat_map(|group| &group.sets);
        let mut places = written.sets.iter();
        let mut reader = Reader::new(&written.bytes[..]);
        while let Some(event) = reader.next().unwrap() {
            match event {
                Event::InterchangeOpened(isa, findings) => {
                    prop_assert_eq!(findings, &[]);
                    prop_assert_eq!(isa.delimiters, envelope.delimiters);
                    prop_assert_eq!(&isa.control_number, &format!("{:09}", envelope.control_number));
                }
                Event::Set(set) => {
                    let (numbered, place) = (expected.next().unwrap(), places.next().unwrap());
                    prop_assert_eq!(set.findings(), &[], "counts and control numbers are true");
                    prop_assert_eq!(set.control_number(), &numbered.control_number);
                    prop_assert_eq!(OutboundSet::of(set), as_seen(&numbered.set));
                    prop_assert_eq!((set.offset(), set.len()), (place.offset as u64, place.segments));
                    // The same set again from its place, and from itself.
                    let again = read_set(&written.bytes[place.offset..place.offset + place.length], &envelope.delimiters, place.offset as u64).unwrap();
                    prop_assert_eq!(OutboundSet::of(&again), as_seen(&numbered.set));
                    let back = numbered.set.read_back(&numbered.control_number, &envelope.delimiters).unwrap();
                    prop_assert_eq!(back.len(), set.len());
                }
                Event::GroupClosed(closed) => {
                    prop_assert_eq!(closed.findings, vec![]);
                    prop_assert_eq!(closed.claimed_sets, Some(closed.received_sets));
                }
                Event::InterchangeClosed(closed) => {
                    prop_assert_eq!(closed.findings, vec![]);
                    prop_assert_eq!((closed.groups as usize, closed.iea_seen), (groups.len(), true));
                }
                Event::GroupOpened(_) => {}
                Event::Outside(outside) => prop_assert_eq!(outside.finding, None),
                other => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert!(expected.next().is_none() && places.next().is_none());
    }

    #[test]
    fn a_set_comes_back_from_json_as_it_was(set in set("855", Delimiters { repetition: Some(b'^'), ..Delimiters::default() })) {
        let json = serde_json::to_string(&set).unwrap();
        prop_assert_eq!(serde_json::from_str::<OutboundSet>(&json).unwrap(), set);
    }

    #[test]
    fn no_value_is_written_as_other_segments_than_were_meant(text in "\\PC{0,20}|[ -~\\n\\r\\x1c-\\x1f]{0,20}", element in 0usize..3) {
        let segment = (0..element).fold(seg("MSG"), |segment, _| segment.el("X")).el(&text).el("END");
        let set = OutboundSet::new("864").with(segment);
        if let Ok(read) = set.read_back("0001", &Delimiters::default()) {
            prop_assert_eq!(read.len(), 3);
            prop_assert_eq!(read.segment(2).unwrap().element(element + 1), text.trim_end_matches(' '));
            prop_assert_eq!(read.segment(2).unwrap().element(element + 2), "END");
        }
    }
}

fn finding() -> impl Strategy<Value = Finding> {
    let position = (
        prop::option::of("[A-Z][A-Z0-9]{1,2}|[ -~]{0,6}"),
        prop::option::of(1u32..40),
        prop::option::of(1u16..120),
    );
    let detail = (
        prop::option::of(1u16..4),
        prop::option::of(1u16..4),
        prop::option::of(1u16..1500),
        prop::option::of("[ -~]{0,8}|.{0,5}|A{98,110}"),
    );
    let severity = prop_oneof![
        Just(Severity::Note),
        Just(Severity::Tolerate),
        Just(Severity::Hold),
        Just(Severity::Reject)
    ];
    (
        0..Rule::ALL.len(),
        prop::option::weighted(0.3, severity),
        position,
        detail,
    )
        .prop_map(
            |(
                rule,
                severity,
                (segment, segment_index, element),
                (component, repetition, data_element, value),
            )| {
                let finding = Finding::new(Rule::ALL[rule], 0, 1, "a sentence");
                Finding {
                    severity: severity.unwrap_or(finding.severity),
                    segment,
                    segment_index,
                    element,
                    component,
                    repetition,
                    data_element,
                    value,
                    ..finding
                }
            },
        )
}

fn verdict() -> impl Strategy<Value = GroupVerdict> {
    let header = (
        "850|[ -~]{0,4}",
        "[0-9]{4,9}|[ -~]{0,12}",
        prop::option::of("[ -~]{0,40}"),
    );
    let set = (header, vec(finding(), 0..6)).prop_map(|((st01, st02, st03), findings)| {
        let read = OutboundSet::new("850")
            .read_back("0001", &Delimiters::default())
            .unwrap();
        SetVerdict {
            st01,
            st02,
            st03,
            ..SetVerdict::of(&read, findings)
        }
    });
    let of_group = finding().prop_filter("of the group", |finding| finding.level == Level::Group);
    let numbers = (
        "PO|SH|[ -~]{0,3}",
        "[0-9]{1,12}|.{0,3}",
        "00[45]010|[ -~]{0,14}",
    );
    let header = numbers.prop_filter("acknowledged at all", |(id, ..)| id != "FA");
    let header = header.prop_map(|(functional_id, control_number, version)| GroupHeader {
        functional_id,
        control_number,
        version,
        ..GroupHeader::default()
    });
    (
        header,
        vec(set, 0..8),
        prop::option::of(0u32..10),
        vec(of_group, 0..2),
    )
        .prop_map(|(header, sets, claimed, findings)| {
            let mut group = GroupVerdict::open(&header);
            sets.into_iter().for_each(|set| group.add(set));
            group.claimed_sets = claimed.or(Some(group.received_sets));
            group.findings = findings;
            group
        })
}

/// The identities of rules 26, 28, 30 and 33 in one acknowledgment.
fn check(
    group: &GroupVerdict,
    set: &OutboundSet,
    options: &AckOptions,
    [segment, element, trailer]: [&str; 3],
) -> Result<(), TestCaseError> {
    let read = set.read_back("0001", &options.delimiters).unwrap();
    let (mut verdicts, mut open) = (Vec::new(), None::<(String, usize)>);
    for (n, line) in read.segments().enumerate() {
        if line.id() != element
            && line.id() != "CTX"
            && let Some((code, elements)) = open.take()
        {
            prop_assert_eq!(
                code == "8",
                elements > 0,
                "AK4 stands if and only if AK304 is 8"
            );
        }
        match line.id() {
            id if id == segment => open = Some((line.element(4).to_owned(), 0)),
            id if id == element => {
                prop_assert!(open.is_some(), "AK4 stands below its AK3");
                open.iter_mut().for_each(|(_, elements)| *elements += 1);
                prop_assert!(line.element(4).len() <= 99);
            }
            id if id == trailer => {
                prop_assert!(line.element_count() <= 6);
                prop_assert!(
                    line.element(1) == "A" || line.element_count() > 1,
                    "what is wrong is named"
                );
                verdicts.push(line.element(1).to_owned());
            }
            "AK1" => prop_assert_eq!(n, 1),
            _ => {}
        }
    }
    let ak9 = read.find("AK9").unwrap();
    let [claimed, received, accepted] = [2, 3, 4].map(|n| ak9.element(n).parse::<usize>().unwrap());
    let said = |letter: &str| verdicts.iter().filter(|verdict| *verdict == letter).count();
    prop_assert_eq!(received, group.sets.len());
    prop_assert_eq!(
        said("R"),
        group
            .sets
            .iter()
            .filter(|set| !set.acceptance.is_accepted())
            .count(),
        "every rejected set is named"
    );
    prop_assert!(accepted <= received);
    if options.accepted_sets && !group.is_refused() {
        prop_assert_eq!(said("A") + said("E"), accepted);
    }
    match ak9.element(1) {
        "A" => prop_assert!(claimed == received && received == accepted && said("E") == 0),
        "E" => prop_assert!(accepted == received && (said("E") > 0 || ak9.element_count() > 4)),
        "P" => prop_assert!(0 < accepted && accepted < received),
        "R" => prop_assert_eq!(accepted, 0),
        other => prop_assert!(false, "AK901 is {}", other),
    }
    // It passes our own validation, or it would be held and the partner would hear nothing.
    let faults = validate_outbound(SchemaRegistry::standard(), options.release, set, None);
    let faults: Vec<&Finding> = faults
        .iter()
        .filter(|fault| fault.severity > Severity::Note)
        .collect();
    prop_assert!(faults.is_empty(), "{:#?}\n{:?}", faults, set);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rule_030_identities_of_any_997(group in verdict(), accepted_sets: bool) {
        for release in Release::ALL {
            let delimiters = Delimiters { repetition: (release == Release::R005010).then_some(b'^'), ..Delimiters::default() };
            let options = AckOptions { accepted_sets, release, delimiters, ..AckOptions::default() };
            check(&group, &build_997(&group, &options).unwrap(), &options, ["AK3", "AK4", "AK5"])?;
        }
    }

    #[test]
    fn rule_036_identities_of_any_999(group in verdict(), accepted_sets: bool) {
        let delimiters = Delimiters { repetition: Some(b'^'), ..Delimiters::default() };
        let options = AckOptions { accepted_sets, release: Release::R005010, delimiters, ..AckOptions::default() };
        check(&group, &build_999(&group, &options).unwrap(), &options, ["IK3", "IK4", "IK5"])?;
    }

    #[test]
    fn rule_030_verdicts_come_back_from_json(group in verdict()) {
        let json = serde_json::to_string(&group).unwrap();
        let again: GroupVerdict = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(again.totals(), group.totals());
        prop_assert_eq!(again, group);
    }
}

#[test]
fn a_set_is_accepted_or_not_and_nothing_between() {
    assert!(Acceptance::Accepted.is_accepted() && Acceptance::AcceptedWithErrors.is_accepted());
    assert!(!Acceptance::Rejected.is_accepted() && !Acceptance::Partly.is_accepted());
}

/// Its receiver would take the set, the group or the interchange to begin or to end there.
#[test]
fn a_set_with_a_segment_of_the_envelope_is_refused() {
    for id in ["ISA", "TA1", "GS", "ST", "SE", "GE", "IEA"] {
        let mut set = OutboundSet::new("850");
        set.push(seg("BEG").el("00"));
        set.push(seg(id).el("00"));
        let read = set.read_back("0001", &Delimiters::default());
        assert!(
            matches!(&read, Err(WriteError::Unreadable { code }) if code == "850"),
            "{id}: {read:?}"
        );
    }
}
