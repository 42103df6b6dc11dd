//! The rules of acknowledgments (X12-RULES 24 to 41), each by its number, on verdicts made by hand.

use supercargo_x12::{
    Acceptance, AckOptions, Delimiters, Event, Finding, GroupVerdict, InterchangeVerdict,
    MissingSegment, OutboundSet, Reader, Release, Rule, SetVerdict, Severity, build_997, build_999,
    build_ta1, needs_acknowledgment,
};

/// A fault of an element: segment, its position, element, data element, value.
fn element(rule: Rule, at: (&str, u32), element: u16, number: u16, value: &str) -> Finding {
    let finding = Finding::new(rule, 0, 1, "")
        .in_segment(at.0, at.1)
        .with_value(value);
    Finding {
        element: Some(element),
        data_element: Some(number),
        ..finding
    }
}

fn segment(rule: Rule, id: &str, index: u32) -> Finding {
    Finding::new(rule, 0, 1, "").in_segment(id, index)
}

fn set(st02: &str, findings: Vec<Finding>) -> SetVerdict {
    let rejected = findings.iter().any(Finding::rejects);
    SetVerdict {
        st01: "850".into(),
        st02: st02.into(),
        st03: None,
        acceptance: if rejected {
            Acceptance::Rejected
        } else {
            Acceptance::Accepted
        },
        ordinal_in_group: 0,
        ordinal_in_interchange: 0,
        offset: 0,
        length: 0,
        segments: 10,
        findings,
    }
}

fn group(sets: Vec<SetVerdict>) -> GroupVerdict {
    GroupVerdict {
        functional_id: "PO".into(),
        sender: "BUYER".into(),
        receiver: "SELLER".into(),
        control_number: "17".into(),
        version: "004010".into(),
        offset: 0,
        line: 1,
        version_offset: 0,
        claimed_sets: u32::try_from(sets.len()).ok(),
        received_sets: u32::try_from(sets.len()).unwrap(),
        sets,
        findings: Vec::new(),
    }
}

fn lines(set: Option<OutboundSet>, options: &AckOptions) -> Vec<String> {
    let read = set.unwrap().read_back("0001", &options.delimiters).unwrap();
    read.segments()
        .filter(|segment| !matches!(segment.id(), "ST" | "SE"))
        .map(|segment| segment.text().to_owned())
        .collect()
}

fn of_997(group: &GroupVerdict) -> Vec<String> {
    lines(
        build_997(group, &AckOptions::default()),
        &AckOptions::default(),
    )
}

/// The lines of one set with these findings, from AK3 on, without AK9.
fn of_findings(findings: Vec<Finding>, options: &AckOptions) -> Vec<String> {
    let mut all = lines(
        build_997(&group(vec![set("0001", findings)]), options),
        options,
    );
    all.pop();
    all.split_off(2)
}

const BAD: fn() -> Finding = || element(Rule::InvalidDate, ("BEG", 2), 5, 373, "20261301");

#[test]
fn rule_024_one_997_a_group_and_none_for_acknowledgments() {
    assert!(build_997(&group(vec![]), &AckOptions::default()).is_some());
    let acknowledgments = GroupVerdict {
        functional_id: "FA".into(),
        ..group(vec![])
    };
    assert!(build_997(&acknowledgments, &AckOptions::default()).is_none());
    assert!(build_999(&acknowledgments, &AckOptions::default()).is_none());
    assert!(
        !needs_acknowledgment("FA") && needs_acknowledgment("AG") && needs_acknowledgment("RA")
    );
}

#[test]
fn rule_025_versions_are_said_from_005010_on() {
    let later = AckOptions {
        release: Release::R005010,
        ..AckOptions::default()
    };
    let answered = GroupVerdict {
        version: "005010".into(),
        ..group(vec![SetVerdict {
            st03: Some("GUIDE".into()),
            ..set("0001", vec![])
        }])
    };
    assert_eq!(
        lines(build_997(&answered, &later), &later)[..2],
        ["AK1*PO*17*005010", "AK2*850*0001*GUIDE"]
    );
    assert_eq!(of_997(&answered)[..2], ["AK1*PO*17", "AK2*850*0001"]);
}

#[test]
fn rule_026_every_segment_fault_has_its_code_and_no_ak4() {
    for (rule, code) in [
        (Rule::SegmentUnrecognized, "1"),
        (Rule::SegmentUnexpected, "2"),
        (Rule::SegmentMissing, "3"),
        (Rule::LoopTooOften, "4"),
        (Rule::SegmentTooOften, "5"),
        (Rule::SegmentNotInSet, "6"),
        (Rule::SegmentOutOfOrder, "7"),
    ] {
        assert_eq!(
            of_findings(vec![segment(rule, "DTM", 4)], &AckOptions::default()),
            [format!("AK3*DTM*4**{code}"), "AK5*R*5".to_owned()]
        );
    }
}

#[test]
fn rule_026_ak4_follows_code_8_and_no_other() {
    let both = vec![
        BAD(),
        segment(Rule::SegmentTooOften, "BEG", 2),
        element(Rule::ElementMissing, ("BEG", 2), 3, 324, ""),
    ];
    assert_eq!(
        of_findings(both, &AckOptions::default()),
        [
            "AK3*BEG*2**5",
            "AK3*BEG*2**8",
            "AK4*3*324*1",
            "AK4*5*373*8*20261301",
            "AK5*R*5"
        ]
    );
    // Too long as a whole: no element can be named, so AK5 alone tells it.
    assert_eq!(
        of_findings(
            vec![segment(Rule::SegmentTooLong, "MSG", 4)],
            &AckOptions::default()
        ),
        ["AK5*R*5"]
    );
}

#[test]
fn rule_026_a_loop_is_named_only_where_the_partner_asks() {
    let finding = Finding {
        loop_id: Some("PO1".into()),
        ..BAD()
    };
    assert_eq!(
        of_findings(vec![finding.clone()], &AckOptions::default())[0],
        "AK3*BEG*2**8"
    );
    let options = AckOptions {
        loop_ids: true,
        ..AckOptions::default()
    };
    assert_eq!(of_findings(vec![finding], &options)[0], "AK3*BEG*2*PO1*8");
}

#[test]
fn rule_026_the_place_of_a_missing_segment() {
    let missing = || {
        vec![
            segment(Rule::SegmentMissing, "PO1", 3),
            element(Rule::InvalidCode, ("CTT", 3), 1, 354, "X"),
        ]
    };
    let options = AckOptions {
        missing_segment: MissingSegment::LastGood,
        ..AckOptions::default()
    };
    assert_eq!(
        of_findings(missing(), &AckOptions::default())[..2],
        ["AK3*PO1*3**3", "AK3*CTT*3**8"]
    );
    assert_eq!(
        of_findings(missing(), &options)[..2],
        ["AK3*PO1*2**3", "AK3*CTT*3**8"]
    );
}

#[test]
fn rule_026_a_name_that_is_none_can_still_be_written() {
    for (name, written) in [
        ("GARBAGE", "GAR"),
        ("", "ZZZ"),
        ("X", "ZZZ"),
        ("p*~", "ZZZ"),
        ("po1", "PO1"),
    ] {
        let first = &of_findings(
            vec![segment(Rule::SegmentUnrecognized, name, 4)],
            &AckOptions::default(),
        )[0];
        assert_eq!(first, &format!("AK3*{written}*4**1"), "{name}");
    }
}

#[test]
fn rule_027_every_element_fault_has_its_code() {
    for (rule, code, later) in [
        (Rule::ElementMissing, "1", "1"),
        (Rule::ElementConditionallyMissing, "2", "2"),
        (Rule::TooManyElements, "3", "3"),
        (Rule::ElementTooShort, "4", "4"),
        (Rule::ElementTooLong, "5", "5"),
        (Rule::InvalidCharacter, "6", "6"),
        (Rule::InvalidCode, "7", "7"),
        (Rule::InvalidDate, "8", "8"),
        (Rule::InvalidTime, "9", "9"),
        (Rule::ExclusionViolated, "10", "10"),
        (Rule::TooManyRepetitions, "3", "12"),
        (Rule::TooManyComponents, "3", "13"),
    ] {
        let found = || vec![element(rule, ("PO1", 3), 2, 330, "X")];
        assert_eq!(
            of_findings(found(), &AckOptions::default())[1],
            format!("AK4*2*330*{code}*X")
        );
        let options = AckOptions {
            release: Release::R005010,
            ..AckOptions::default()
        };
        assert_eq!(
            of_findings(found(), &options)[1],
            format!("AK4*2*330*{later}*X")
        );
    }
}

#[test]
fn rule_027_position_of_component_and_repetition() {
    let finding = || {
        vec![Finding {
            component: Some(3),
            repetition: Some(2),
            ..element(Rule::InvalidCode, ("MEA", 4), 4, 355, "XX")
        }]
    };
    assert_eq!(
        of_findings(finding(), &AckOptions::default())[1],
        "AK4*4>3*355*7*XX"
    );
    let options = AckOptions {
        release: Release::R005010,
        ..AckOptions::default()
    };
    assert_eq!(of_findings(finding(), &options)[1], "AK4*4>3>2*355*7*XX");
}

#[test]
fn rule_027_the_bad_value_is_repeated_whole_or_not_at_all() {
    let (longest, longer) = ("A".repeat(99), "A".repeat(100));
    for (value, said) in [
        ("4711", "*4711"),
        ("  47", "*  47"),
        ("47 ", "*47"),
        ("", ""),
        ("   ", ""),
        ("A*B", ""),
        ("A>B", ""),
        ("A~B", ""),
        ("A\nB", ""),
        ("Köln", ""),
        (&longest, &format!("*{longest}")),
        (&longer, ""),
    ] {
        let line = &of_findings(
            vec![element(Rule::InvalidCode, ("REF", 3), 2, 127, value)],
            &AckOptions::default(),
        )[1];
        assert_eq!(line, &format!("AK4*2*127*7{said}"), "{value:?}");
    }
    // The separators are those of the acknowledgment, not of the file that is answered.
    let options = AckOptions {
        delimiters: Delimiters {
            element: b'|',
            ..Delimiters::default()
        },
        ..AckOptions::default()
    };
    assert_eq!(
        of_findings(
            vec![element(Rule::InvalidCode, ("REF", 3), 2, 127, "A*B")],
            &options
        )[1],
        "AK4|2|127|7|A*B"
    );
}

#[test]
fn rule_027_at_most_99_elements_of_a_segment_and_so_many_segments() {
    let many: Vec<Finding> = (0..150)
        .map(|n| element(Rule::InvalidCode, ("SDQ", 3), n % 23 + 1, 67, "X"))
        .collect();
    let told = of_findings(many, &AckOptions::default());
    assert_eq!(
        told.iter().filter(|line| line.starts_with("AK4")).count(),
        99
    );
    assert_eq!(
        told.iter().filter(|line| line.starts_with("AK3")).count(),
        1
    );
    let segments: Vec<Finding> = (2..12)
        .map(|n| segment(Rule::SegmentUnexpected, "DTM", n))
        .collect();
    let options = AckOptions {
        segments: 3,
        ..AckOptions::default()
    };
    assert_eq!(
        of_findings(segments, &options),
        ["AK3*DTM*2**2", "AK3*DTM*3**2", "AK3*DTM*4**2", "AK5*R*5"]
    );
}

#[test]
fn rule_028_up_to_five_codes_of_the_set() {
    for (rule, code) in [
        (Rule::SeMissing, "2"),
        (Rule::SeControlNumber, "3"),
        (Rule::SeCount, "4"),
        (Rule::StIdentifier, "6"),
        (Rule::StControlNumber, "7"),
        (Rule::StControlNumberRepeated, "23"),
        (Rule::SetTooLong, "5"),
        (Rule::TooManyFindings, "5"),
    ] {
        assert_eq!(
            of_findings(vec![Finding::new(rule, 0, 1, "")], &AckOptions::default()),
            [format!("AK5*R*{code}")]
        );
    }
    let all = [
        Rule::SeMissing,
        Rule::SeControlNumber,
        Rule::SeCount,
        Rule::SeCount,
        Rule::StIdentifier,
        Rule::StControlNumber,
        Rule::StControlNumberRepeated,
    ];
    let mut findings: Vec<Finding> = all.map(|rule| Finding::new(rule, 0, 1, "")).to_vec();
    assert_eq!(
        of_findings(findings.clone(), &AckOptions::default()),
        ["AK5*R*2*3*4*6*7"]
    );
    findings.push(BAD());
    assert_eq!(
        of_findings(findings, &AckOptions::default())
            .last()
            .unwrap(),
        "AK5*R*2*3*4*6*5"
    );
}

#[test]
fn rule_028_a_partner_may_know_no_code_23() {
    let options = AckOptions {
        repeated_set_number: "7".into(),
        ..AckOptions::default()
    };
    assert_eq!(
        of_findings(
            vec![Finding::new(Rule::StControlNumberRepeated, 0, 1, "")],
            &options
        ),
        ["AK5*R*7"]
    );
}

#[test]
fn rule_029_what_is_tolerated_is_acted_upon_and_noted() {
    let mut tolerated = set("0001", vec![BAD()]);
    tolerated.tolerate(&[Rule::InvalidDate]);
    assert!(tolerated.acceptance.is_accepted());
    assert_eq!(
        of_997(&group(vec![tolerated])),
        [
            "AK1*PO*17",
            "AK2*850*0001",
            "AK3*BEG*2**8",
            "AK4*5*373*8*20261301",
            "AK5*E*5",
            "AK9*E*1*1*1"
        ]
    );
    let mut partly = set("0001", vec![BAD(), segment(Rule::SegmentMissing, "PO1", 3)]);
    partly.tolerate(&[Rule::InvalidDate]);
    assert_eq!(partly.acceptance, Acceptance::Rejected);
}

#[test]
fn rule_030_letter_and_counts_of_the_group() {
    let good = || set("0001", vec![]);
    let bad = || set("0002", vec![BAD()]);
    let noted = || SetVerdict {
        acceptance: Acceptance::AcceptedWithErrors,
        ..set(
            "0003",
            vec![Finding {
                severity: Severity::Tolerate,
                ..BAD()
            }],
        )
    };
    for (sets, line) in [
        (vec![good(), good()], "AK9*A*2*2*2"),
        (vec![good(), noted()], "AK9*E*2*2*2"),
        (vec![good(), bad()], "AK9*P*2*2*1"),
        (vec![noted(), bad()], "AK9*P*2*2*1"),
        (vec![bad(), bad()], "AK9*R*2*2*0"),
        (vec![], "AK9*A*0*0*0"),
    ] {
        assert_eq!(of_997(&group(sets)).last().unwrap(), line);
    }
}

#[test]
fn rule_031_codes_of_the_group() {
    for (rule, code) in [
        (Rule::GroupNotSupported, "1"),
        (Rule::VersionNotSupported, "2"),
        (Rule::GeMissing, "3"),
        (Rule::GeControlNumber, "4"),
        (Rule::GeSetCount, "5"),
        (Rule::GsControlNumber, "6"),
        (Rule::GsControlNumberRepeated, "6"),
    ] {
        let refused = GroupVerdict {
            findings: vec![Finding::new(rule, 0, 1, "")],
            ..group(vec![set("0001", vec![])])
        };
        assert_eq!(
            of_997(&refused),
            ["AK1*PO*17".to_owned(), format!("AK9*R*1*1*0*{code}")]
        );
    }
    let later = AckOptions {
        release: Release::R005010,
        ..AckOptions::default()
    };
    let repeated = GroupVerdict {
        findings: vec![Finding::new(Rule::GsControlNumberRepeated, 0, 1, "")],
        ..group(vec![])
    };
    assert_eq!(
        lines(build_997(&repeated, &later), &later).last().unwrap(),
        "AK9*R*0*0*0*19"
    );
    let asked = AckOptions {
        repeated_group_number: Some("6".into()),
        ..later
    };
    assert_eq!(
        lines(build_997(&repeated, &asked), &asked).last().unwrap(),
        "AK9*R*0*0*0*6"
    );
}

#[test]
fn rule_032_a_wrong_count_rejects_or_is_noted_but_is_never_hidden() {
    let wrong = |severity| GroupVerdict {
        claimed_sets: Some(3),
        findings: vec![Finding {
            severity,
            ..Finding::new(Rule::GeSetCount, 0, 1, "")
        }],
        ..group(vec![set("0001", vec![])])
    };
    assert_eq!(
        of_997(&wrong(Severity::Reject)).last().unwrap(),
        "AK9*R*3*1*0*5"
    );
    assert_eq!(
        of_997(&wrong(Severity::Tolerate)).last().unwrap(),
        "AK9*E*3*1*1*5"
    );
}

#[test]
fn rule_033_accepted_sets_are_named_as_the_partner_wishes() {
    let answered = group(vec![set("0001", vec![]), set("0002", vec![BAD()])]);
    let named = |accepted_sets| {
        let options = AckOptions {
            accepted_sets,
            ..AckOptions::default()
        };
        lines(build_997(&answered, &options), &options)
            .iter()
            .filter(|line| line.starts_with("AK2"))
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(named(true), ["AK2*850*0001", "AK2*850*0002"]);
    assert_eq!(named(false), ["AK2*850*0002"]);
}

#[test]
fn rule_034_the_numbers_are_repeated_as_they_stood() {
    for (gs06, said) in [
        ("17", "17"),
        ("000000042", "000000042"),
        ("0000000000042", "42"),
        ("4*2", "0"),
        ("", "0"),
        ("1234567890", "0"),
    ] {
        let answered = GroupVerdict {
            control_number: gs06.into(),
            ..group(vec![])
        };
        assert_eq!(of_997(&answered)[0], format!("AK1*PO*{said}"), "{gs06}");
    }
    // A number that breaks the standard is made one that does not, or the 997 could not leave.
    for (st02, said) in [
        ("0001", "0001"),
        ("00A1", "00A1"),
        ("1", "0001"),
        ("", "0000"),
        ("0~1", "0000"),
        ("0000000012", "0012"),
        ("ABCDEFGHIJ", "ABCDEFGHI"),
    ] {
        assert_eq!(
            of_997(&group(vec![set(st02, vec![])]))[1],
            format!("AK2*850*{said}"),
            "{st02}"
        );
    }
    for (st01, said) in [("850", "850"), ("", "000"), ("85", "000"), ("8*0", "000")] {
        assert_eq!(
            of_997(&group(vec![SetVerdict {
                st01: st01.into(),
                ..set("0001", vec![])
            }]))[1],
            format!("AK2*{said}*0001"),
            "{st01}"
        );
    }
}

#[test]
fn rule_035_a_fault_of_the_guide_does_not_reject_unless_the_profile_says_so() {
    let mut judged = set(
        "0001",
        vec![element(Rule::GuideCode, ("REF", 3), 1, 128, "XX")],
    );
    assert_eq!(
        of_997(&group(vec![judged.clone()])),
        ["AK1*PO*17", "AK2*850*0001", "AK5*A", "AK9*A*1*1*1"]
    );
    judged.reject_for_guide();
    assert_eq!(
        of_997(&group(vec![judged])),
        [
            "AK1*PO*17",
            "AK2*850*0001",
            "AK3*REF*3**8",
            "AK4*1*128*7*XX",
            "AK5*R*5",
            "AK9*R*1*1*0"
        ]
    );
}

#[test]
fn rule_036_the_999_names_faults_of_the_guide_by_its_own_codes() {
    let options = AckOptions {
        release: Release::R005010,
        implementation: Some("005010X231A1".into()),
        ..AckOptions::default()
    };
    let answered = |findings| GroupVerdict {
        version: "005010".into(),
        ..group(vec![set("0001", findings)])
    };
    let of = |findings| lines(build_999(&answered(findings), &options), &options).split_off(1);
    for (rule, code) in [
        (Rule::GuideSegmentForbidden, "I4"),
        (Rule::GuideSegmentMissing, "I6"),
        (Rule::GuideTooFew, "I8"),
        (Rule::GuideTooOften, "5"),
    ] {
        assert_eq!(
            of(vec![segment(rule, "REF", 3)]),
            [
                "AK2*850*0001",
                &format!("IK3*REF*3**{code}"),
                "IK5*E*I5",
                "AK9*E*1*1*1"
            ]
        );
    }
    for (rule, code) in [
        (Rule::GuideCode, "I6"),
        (Rule::GuideValue, "I6"),
        (Rule::GuideElementMissing, "I9"),
        (Rule::GuideElementForbidden, "I10"),
        (Rule::GuideLength, "I12"),
    ] {
        assert_eq!(
            of(vec![element(rule, ("REF", 3), 2, 127, "X")]),
            [
                "AK2*850*0001",
                "IK3*REF*3**8",
                &format!("IK4*2*127*{code}*X"),
                "IK5*E*I5",
                "AK9*E*1*1*1"
            ]
        );
    }
    assert_eq!(
        of(vec![
            element(Rule::GuideCondition, ("REF", 3), 2, 127, ""),
            BAD()
        ]),
        [
            "AK2*850*0001",
            "IK3*BEG*2**8",
            "IK4*5*373*8*20261301",
            "IK3*REF*3**8",
            "IK4*2*127*I9",
            "CTX*SITUATIONAL TRIGGER*REF*3",
            "IK5*R*5*I5",
            "AK9*R*1*1*0"
        ]
    );
    let quiet = AckOptions {
        guide_faults: false,
        ..options.clone()
    };
    assert_eq!(
        lines(
            build_999(
                &answered(vec![segment(Rule::GuideTooFew, "REF", 3)]),
                &quiet
            ),
            &quiet
        ),
        ["AK1*PO*17*005010", "AK2*850*0001", "IK5*A", "AK9*A*1*1*1"]
    );
    assert_eq!(
        build_999(&answered(vec![]), &options)
            .unwrap()
            .implementation
            .as_deref(),
        Some("005010X231A1")
    );
}

/// The verdict over the envelope of a file, and its TA1 as text.
fn envelope(file: &str) -> (InterchangeVerdict, String) {
    let mut reader = Reader::new(file.as_bytes());
    while let Some(event) = reader.next().unwrap() {
        if let Event::InterchangeClosed(closed) = event {
            let verdict = InterchangeVerdict::of(&closed);
            let ta1 = build_ta1(&verdict);
            let elements: Vec<&str> = (1..=5).map(|n| ta1.element(n)).collect();
            return (verdict, elements.join("*"));
        }
    }
    panic!("no interchange in {file}");
}

const CLEAN: &str = "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000017*0*P*>~GS*PO*BUYER*SELLER*20260115*1230*1*X*004010~GE*0*1~IEA*1*000000017~";

#[test]
fn rule_037_the_ta1_repeats_number_date_and_time() {
    assert_eq!(envelope(CLEAN).1, "000000017*260115*1230*A*000");
    // Numbers that cannot be repeated are zeros, so that the TA1 itself is sound.
    assert_eq!(
        envelope(&CLEAN.replace("*1230*U", "*12-0*U")).1,
        "000000017*260115*0000*R*015"
    );
    // What is no date and no time can be repeated, and the sender finds its interchange by it.
    let impossible = envelope(&CLEAN.replace("*260115*1230*U", "*261315*2560*U")).1;
    assert_eq!(impossible, "000000017*261315*2560*R*014");
    // Our own reader takes such a TA1.
    let answer = CLEAN.replace(
        "GS*PO*BUYER*SELLER*20260115*1230*1*X*004010~GE*0*1~IEA*1",
        &format!("TA1*{impossible}~IEA*0"),
    );
    assert!(answer.contains("~TA1*") && envelope(&answer).0.findings.is_empty());
}

#[test]
fn rule_038_e_means_that_the_interchange_is_acted_upon() {
    let (verdict, ta1) = envelope(&CLEAN.replace("*P*>", "*X*>"));
    assert_eq!(
        (verdict.acceptance, ta1.as_str()),
        (
            Acceptance::AcceptedWithErrors,
            "000000017*260115*1230*E*020"
        )
    );
    assert!(verdict.acceptance.is_accepted());
}

#[test]
fn rule_039_and_040_codes_and_their_default_verdicts() {
    for (from, to, answer) in [
        ("IEA*1*000000017", "IEA*1*000000018", "R*001"),
        (
            "*00*          *ZZ*BUYER",
            "*  *          *ZZ*BUYER",
            "R*010",
        ),
        ("*ZZ*BUYER", "*  *BUYER", "R*005"),
        ("*ZZ*SELLER", "*  *SELLER", "R*007"),
        ("SELLER         *2", "               *2", "E*008"),
        ("260115*1230*U", "261315*1230*U", "R*014"),
        ("*1230*U", "*2460*U", "R*015"),
        ("*00401*", "*0040A*", "R*017"),
        ("*000000017*0", "*00000001A*0", "R*018"),
        ("*0*P*>", "*2*P*>", "E*019"),
        ("*P*>", "*X*>", "E*020"),
        ("IEA*1", "IEA*2", "R*021"),
        ("~GS*", "~XX*", "R*022"),
        ("IEA*1*000000017~", "", "R*023"),
        ("*X*004010~", "*X*~", "R*024"),
        ("*P*>~", "*P**~", "R*027"),
        ("*U*00401*", "*>*00501*", "R*026"),
    ] {
        assert!(CLEAN.contains(from), "{from}");
        let (_, ta1) = envelope(&CLEAN.replace(from, to));
        assert!(ta1.ends_with(answer), "{from} to {to}: {ta1}");
    }
}

#[test]
fn rule_040_the_first_that_rejects_is_named_before_what_is_only_noted() {
    let (verdict, ta1) = envelope(&CLEAN.replace("*P*>", "*X*>").replace("IEA*1", "IEA*2"));
    assert!(ta1.ends_with("R*021"), "{ta1}");
    assert_eq!(verdict.refused("025").note, "025");
}

#[test]
fn rule_040_an_unknown_sender_is_not_answered() {
    let (verdict, _) = envelope(
        &CLEAN
            .replace("*ZZ*BUYER          ", "*ZZ*               ")
            .replace("*0*P", "*1*P"),
    );
    assert_eq!(verdict.note, "006");
    assert!(!verdict.wants_ta1(true));
}

#[test]
fn rule_041_when_a_ta1_is_sent() {
    let wants = |file: &str| [false, true].map(|on_errors| envelope(file).0.wants_ta1(on_errors));
    let asked = CLEAN.replace("*0*P", "*1*P");
    assert_eq!(wants(CLEAN), [false, false]);
    assert_eq!(wants(&asked), [true, true]);
    assert_eq!(wants(&CLEAN.replace("IEA*1", "IEA*2")), [false, true]);
    let only_ta1 = asked.replace(
        "GS*PO*BUYER*SELLER*20260115*1230*1*X*004010~GE*0*1~IEA*1",
        "TA1*000000001*260114*1200*A*000~IEA*0",
    );
    assert!(only_ta1.contains("~TA1*"));
    assert_eq!(wants(&only_ta1), [false, false]);
    assert_eq!(
        wants(&only_ta1.replace("IEA*0*000000017", "IEA*0*000000018")),
        [false, false]
    );
}
