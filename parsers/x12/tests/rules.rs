//! The rules of the trade by their numbers: those of bytes, structure, element types and conditions,
//! each on a small file made for it. The acknowledgments have theirs in `acknowledgment_rules.rs`;
//! some rules of one module alone stand at its foot. The last test counts them.

mod support;

use supercargo_x12::*;
use support::complaints::{Read, read};

/// An interchange of one group, in release 004010, around these segments.
fn interchange(group: &str, sets: &str) -> String {
    let count = sets.split('~').filter(|s| s.starts_with("ST*")).count();
    format!(
        "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000001*0*P*>~GS*{group}*BUYER*SELLER*20260115*1230*1*X*004010~{sets}GE*{count}*1~IEA*1*000000001~"
    )
}

/// A set of these segments with its ST and SE.
fn set(code: &str, body: &str) -> String {
    let count = body.matches('~').count() + 2;
    format!("ST*{code}*0001~{body}SE*{count}*0001~")
}

fn read_set(code: &str, body: &str) -> Read {
    let group = functional_id_of(code).unwrap_or("PO");
    read(interchange(group, &set(code, body)).as_bytes())
}

/// What is wrong with a set of these segments: each fault as segment, element, component and code.
fn faults(code: &str, body: &str) -> Vec<String> {
    let read = read_set(code, body);
    let place = |finding: &Finding| {
        let mut place = finding.segment.clone().unwrap_or_default();
        if let Some(element) = finding.element {
            place += &format!("{element:02}");
        }
        if let Some(component) = finding.component {
            place += &format!("-{component}");
        }
        place
    };
    let said = |finding: &Finding| match &finding.ack {
        Some(ack) => ack.code.clone(),
        None => finding.rule.name().to_owned(),
    };
    read.findings
        .iter()
        .filter(|finding| finding.severity > Severity::Note)
        .map(|finding| format!("{}:{}", place(finding), said(finding)))
        .collect()
}

#[track_caller]
fn sound(code: &str, body: &str) {
    assert_eq!(faults(code, body), [""; 0], "{code}: {body}");
}

#[track_caller]
fn faulty(code: &str, body: &str, expected: &[&str]) {
    assert_eq!(faults(code, body), expected, "{code}: {body}");
}

/// A sound set of each kind with a mark where a test puts its segments.
fn around(code: &str, segments: &str) -> String {
    match code {
        "850" => format!("BEG*00*SA*4711**20260115~{segments}PO1*1*12*EA*8.5~CTT*1~"),
        "850 line" => format!("BEG*00*SA*4711**20260115~PO1*1*12*EA*8.5~{segments}CTT*1~"),
        "855 line" => format!("BAK*00*AC*4711*20260115~PO1*1*12*EA*8.5~{segments}CTT*1~"),
        "856 level" => format!("BSN*00*S1*20260115*1230~HL*1**S~{segments}"),
        "810" => format!("BIG*20260115*I1~{segments}IT1*1*12*EA*8.5~TDS*10200~CTT*1~"),
        "810 end" => format!("BIG*20260115*I1~IT1*1*12*EA*8.5~TDS*10200~{segments}CTT*1~"),
        "820 end" => format!("BPR*I*100*C*CHK~TRN*1*4711~ENT*1~{segments}"),
        other => panic!("no set {other}"),
    }
}

#[track_caller]
fn sound_in(place: &str, segments: &str) {
    sound(&place[..3], &around(place, segments));
}

#[track_caller]
fn faulty_in(place: &str, segments: &str, expected: &[&str]) {
    faulty(&place[..3], &around(place, segments), expected);
}

#[test]
fn rule_001_every_separator_of_the_isa_has_its_byte() {
    let file = interchange("PO", &set("850", &around("850", "")));
    for at in [
        4, 7, 18, 21, 32, 35, 51, 54, 70, 77, 82, 84, 90, 100, 102, 104,
    ] {
        assert_eq!(file.as_bytes()[at - 1], b'*', "byte {at}");
        let mut bytes = file.clone().into_bytes();
        bytes[at - 1] = b'#';
        let read = read(&bytes);
        let said = [Rule::IsaNotFixedWidth, Rule::IsaUnreadable];
        assert!(
            read.findings.iter().any(|f| said.contains(&f.rule)),
            "byte {at}: {:?}",
            read.findings
        );
    }
    assert_eq!((file.as_bytes()[104], file.as_bytes()[105]), (b'>', b'~'));
}

#[test]
fn rule_002_what_cannot_be_read_is_not_answered() {
    let read = read(b"ISA*00*          *00*          *ZZ*BUYER~GS*PO*BUYER*SELLER~IEA*1*1~");
    assert!(read.findings.iter().any(|f| f.rule == Rule::IsaUnreadable));
    assert!(read.interchanges.is_empty(), "nobody to answer");
}

#[test]
fn rule_003_line_ends_between_segments_are_no_data() {
    let file = interchange("PO", &set("850", &around("850", "")));
    for end in ["~\n", "~\r\n", "\n", "\r\n", "\r"] {
        let read = read(file.replace('~', end).as_bytes());
        assert_eq!(
            (read.st, read.findings.len()),
            (1, 0),
            "{end:?}: {:?}",
            read.findings
        );
    }
}

#[test]
fn rule_004_isa11_separates_repetitions_from_00402_on_and_only_as_a_sign() {
    for (isa11, version, rejects) in [
        ("U", "00401", false),
        ("^", "00501", false),
        ("U", "00501", false),
        ("^", "00401", false),
    ] {
        let file = interchange("PO", &set("850", &around("850", "")))
            .replace("*U*00401", &format!("*{isa11}*{version}"));
        let read = read(file.as_bytes());
        assert_eq!(
            read.interchanges[0].header.delimiters.repetition,
            (isa11 == "^" && version > "00401").then_some(b'^')
        );
        assert_eq!(
            read.findings.iter().any(Finding::rejects),
            rejects,
            "{isa11} {version}"
        );
    }
}

#[test]
fn rule_005_separators_that_clash_are_refused() {
    let file = interchange("PO", &set("850", &around("850", "")));
    for (from, to, code) in [
        ("*P*>~", "*P**~", "027"),
        ("*P*>~", "*P*A~", "027"),
        ("*P*>~", "*P* ~", "027"),
    ] {
        let read = read(file.replace(from, to).as_bytes());
        assert_eq!(read.interchanges[0].note, code, "{to}");
    }
    let clash = read(file.replace("*U*00401", "*>*00501").as_bytes());
    assert!(
        clash
            .findings
            .iter()
            .any(|f| f.rule == Rule::SeparatorsClash
                || f.rule == Rule::ComponentSeparatorInvalid
                || f.rule == Rule::TerminatorInvalid)
    );
}

#[test]
fn rule_006_ta1s_stand_before_the_groups_and_may_stand_alone() {
    let file = interchange("PO", &set("850", &around("850", "")));
    let ta1 = "TA1*000000001*260114*1200*A*000~";
    assert_eq!(
        read(file.replace("GS*PO", &format!("{ta1}GS*PO")).as_bytes()).findings,
        []
    );
    let after = read(file.replace("IEA*1", &format!("{ta1}IEA*1")).as_bytes());
    assert_eq!(after.findings[0].rule, Rule::SegmentOutsideGroup);
    let alone = format!("{}{ta1}IEA*0*000000001~", &file[..106]);
    let alone = read(alone.as_bytes());
    assert_eq!(
        (alone.findings.len(), alone.interchanges[0].only_ta1),
        (0, true)
    );
}

#[test]
fn rule_007_trailers_count_and_repeat() {
    let file = interchange("PO", &set("850", &around("850", "")));
    for (from, to, rule) in [
        ("SE*5*0001", "SE*4*0001", Rule::SeCount),
        ("SE*5*0001", "SE*5*0002", Rule::SeControlNumber),
        ("GE*1*1", "GE*2*1", Rule::GeSetCount),
        ("GE*1*1", "GE*1*2", Rule::GeControlNumber),
        ("IEA*1*", "IEA*2*", Rule::IeaGroupCount),
        ("IEA*1*000000001", "IEA*1*000000002", Rule::IeaControlNumber),
    ] {
        let found: Vec<Rule> = read(file.replace(from, to).as_bytes())
            .findings
            .iter()
            .map(|f| f.rule)
            .collect();
        assert_eq!(found, [rule]);
    }
}

#[test]
fn rule_008_gs06_is_compared_as_a_number_and_st02_as_text() {
    let file = interchange("PO", &set("850", &around("850", "")));
    assert_eq!(
        read(file.replace("GE*1*1~", "GE*1*000000001~").as_bytes()).findings,
        []
    );
    let text = read(file.replace("SE*5*0001", "SE*5*00001").as_bytes());
    assert_eq!(text.findings[0].rule, Rule::SeControlNumber);
    for (from, to, rule) in [
        ("*1230*1*X", "*1230*1234567890*X", Rule::GsControlNumber),
        ("*1230*1*X", "*1230*A*X", Rule::GsControlNumber),
        ("*000000001*0*P", "*00000001 *0*P", Rule::IsaControlNumber),
    ] {
        let found = read(file.replace(from, to).as_bytes());
        assert!(
            found.findings.iter().any(|f| f.rule == rule),
            "{to}: {:?}",
            found.findings
        );
    }
}

#[test]
fn rule_010_a_set_of_another_group_is_refused() {
    let read = read(interchange("IN", &set("850", &around("850", ""))).as_bytes());
    assert_eq!(read.findings[0].rule, Rule::SetNotInGroup);
    assert_eq!(read.findings[0].ack.as_ref().unwrap().code, "6");
    assert_eq!(read.groups[0].acceptance(), Acceptance::Rejected);
}

#[test]
fn rule_010_a_group_that_none_of_its_sets_belongs_to_is_not_supported() {
    let trailer = |sets: &str, gs01: &str| {
        let read = read(interchange(gs01, sets).as_bytes());
        let answer = build_997(&read.groups[0], &AckOptions::default()).unwrap();
        let ak9 = answer.segments.last().unwrap();
        let elements = ak9.elements.iter().map(|element| element.values().concat());
        elements.collect::<Vec<_>>().join("*")
    };
    let order = set("850", &around("850", ""));
    let invoice = set("810", &around("810", "")).replace("0001", "0002");
    let unknown = set("123", "BEG*00*SA*4711**20260115~");
    assert_eq!(trailer(&order, "QQ"), "R*1*1*0*1");
    assert_eq!(trailer(&order, "IN"), "R*1*1*0*1");
    // One that belongs there keeps the group; the other is refused alone.
    assert_eq!(trailer(&format!("{order}{invoice}"), "PO"), "P*2*2*1");
    // Of a set that is not known nobody can say where it belongs: it is accepted, and noted.
    assert_eq!(trailer(&unknown, "QQ"), "A*1*1*1");
    let read = read(interchange("QQ", &unknown).as_bytes());
    assert_eq!(read.findings[0].rule, Rule::NoSchema);
}

#[test]
fn rule_011_empty_elements_at_the_end_are_noted_and_accepted() {
    let read = read_set("850", &around("850", "REF*DP*045**~"));
    let found: Vec<_> = read.findings.iter().map(|f| (f.rule, f.severity)).collect();
    assert_eq!(found, [(Rule::TrailingSeparators, Severity::Note)]);
}

#[test]
fn rule_012_usage_and_acknowledgment_requested() {
    let file = interchange("PO", &set("850", &around("850", "")));
    for (usage, test) in [("P", false), ("T", true), ("I", true)] {
        let read = read(file.replace("*0*P*", &format!("*0*{usage}*")).as_bytes());
        assert_eq!(
            (read.interchanges[0].header.is_test(), read.findings.len()),
            (test, 0)
        );
    }
    for (asked, wants) in [("0", false), ("1", true)] {
        let read = read(file.replace("*0*P*", &format!("*{asked}*P*")).as_bytes());
        assert_eq!(read.interchanges[0].header.wants_ta1(), wants);
    }
}

#[test]
fn rule_013_the_isa_keeps_six_digits_and_four() {
    let file = interchange("PO", &set("850", &around("850", "")));
    assert_eq!(read(file.as_bytes()).findings, []);
    let wide = file.replace("*260115*1230*U*", "*20260115*1230*U*");
    let wide = read(wide.as_bytes());
    for rule in [Rule::IsaNotFixedWidth, Rule::IsaDate] {
        assert!(wide.findings.iter().any(|f| f.rule == rule), "{rule:?}");
    }
    // The GS has eight of them since 004010; the two that are missing are no reason to refuse it.
    let narrow = file.replace("*20260115*1230*1*X", "*260115*1230*1*X");
    let [finding] = &read(narrow.as_bytes()).findings[..] else {
        panic!("{narrow}");
    };
    assert_eq!(
        (finding.rule, finding.severity),
        (Rule::GroupHeaderInvalid, Severity::Note)
    );
    let earlier = narrow
        .replace("004010", "003060")
        .replace("U*00401", "U*00306");
    let earlier = read(earlier.as_bytes()).findings;
    assert!(earlier.iter().all(|f| f.rule != Rule::GroupHeaderInvalid));
}

#[test]
fn rule_014_implied_decimals() {
    for good in ["12345", "5", "-5", "0"] {
        sound_in("810 end", &format!("SAC*N*C310***{good}~"));
    }
    for bad in ["1.5", "+5", "1,5", "-", "5-", "1 5"] {
        faulty_in("810 end", &format!("SAC*N*C310***{bad}~"), &["SAC05:6"]);
    }
    // The minus does not count: fifteen digits fit, sixteen do not.
    sound_in("810 end", "SAC*N*C310***-123456789012345~");
    faulty_in("810 end", "SAC*N*C310***1234567890123456~", &["SAC05:5"]);
}

#[test]
fn rule_015_explicit_decimals() {
    for good in [".5", "0.5", "5", "5.", "-5.25"] {
        sound_in("850", &format!("CTP**RES*{good}~"));
    }
    for bad in ["-", ".", "+5", "1,000", "1E3", "1.2.3", "5 0"] {
        faulty_in("850", &format!("CTP**RES*{bad}~"), &["CTP03:6"]);
    }
    sound_in("850", "CTP**RES*-12345678901234.567~");
    faulty_in("850", "CTP**RES*123456789012345678~", &["CTP03:5"]);
}

#[test]
fn rule_016_codes_are_of_their_list_and_a_guide_may_know_more() {
    faulty_in("850", "SAC*Z*C310***100~", &["SAC01:7"]);
    let body = around("850", "SAC*Z*C310***100~");
    let file = interchange("PO", &set("850", &body));
    let overlay = Overlay {
        element: vec![ElementRule {
            at: "SAC01".into(),
            also: vec!["Z".into()],
            ..ElementRule::default()
        }],
        ..Overlay::default()
    };
    let mut reader = Reader::new(file.as_bytes());
    while let Some(event) = reader.next().unwrap() {
        if let Event::Set(set) = event {
            let found = validate_set(
                SchemaRegistry::standard(),
                Release::R004010,
                set,
                Some(&overlay),
            );
            assert_eq!(found, []);
        }
    }
    // Where X12 knows more codes than are explained here, what has a code's form passes.
    sound_in("850", "REF*QQ*1~");
    faulty_in("850", "REF*qq*1~", &["REF01:7"]);
    faulty_in("850", "REF*QQQQ*1~", &["REF01:5"]);
}

#[test]
fn rule_017_leading_blanks_count_and_blanks_alone_are_nothing() {
    sound_in("850", "REF*DP*  045~");
    sound_in("850", "REF*DP*045   ~");
    let longest = "A".repeat(30);
    sound_in("850", &format!("REF*DP*{longest}     ~"));
    faulty_in("850", &format!("REF*DP* {longest}~"), &["REF02:5"]);
    faulty(
        "850",
        &around("850", "").replace("*4711*", "*    *"),
        &["BEG03:1"],
    );
}

#[test]
fn rule_018_dates_are_days_of_the_calendar() {
    for good in ["20240229", "20000229", "20261231"] {
        sound_in("850", &format!("DTM*002*{good}~"));
    }
    for bad in ["20230229", "19000229", "20261301", "20260431", "20260400"] {
        faulty_in("850", &format!("DTM*002*{bad}~"), &["DTM02:8"]);
    }
    faulty_in("850", "DTM*002*260115~", &["DTM02:4"]);
}

#[test]
fn rule_019_times_are_of_the_day() {
    for good in ["0000", "2359", "235959", "2359599", "23595999"] {
        sound_in("850", &format!("DTM*002*20260115*{good}~"));
    }
    for bad in ["2400", "1260", "125960", "12345", "12A0"] {
        faulty_in("850", &format!("DTM*002*20260115*{bad}~"), &["DTM03:9"]);
    }
}

#[test]
fn rule_020_the_length_before_it_says_where_binary_data_ends() {
    let data = "a~b*c>~";
    let file = interchange(
        "PO",
        &format!("ST*102*0001~BIN*{}*{data}~SE*3*0001~", data.len()),
    );
    let read = read(file.as_bytes());
    assert!(
        !read.findings.iter().any(|f| f.rule == Rule::SeCount),
        "{:?}",
        read.findings
    );
    assert_eq!(read.segments, 7);
}

#[test]
fn rule_021_characters_outside_the_set_are_refused() {
    sound_in("850 line", "MSG*abcXYZ 019 !&()+,-./:;?=%@[]_{}|<#$~");
    for bad in ["a\tb", "a^b", "a`b", "Köln", "a>b"] {
        let body = format!("BEG*00*SA*4711**20260115~PO1*1*12*EA*8.5~MSG*{bad}~CTT*1~");
        faulty("850", &body, &["MSG01:6"]);
    }
}

#[test]
fn rule_022_each_kind_of_condition() {
    // P: all or none. R: at least one. C: the first demands the others. L: one of the others.
    faulty_in("850", "N1*ST*STORE*92~", &["N104:2"]);
    faulty_in("850", "N1*ST~", &["N102:2"]);
    faulty_in("850", "FOB*PP**TEXT~", &["FOB02:2"]);
    faulty_in("850", "ITD*01*3*2~", &["ITD04:2"]);
    // E: one excludes the other, each named but the first.
    faulty_in("850 line", "QTY*33*5**TEXT~", &["QTY04:10"]);
}

#[test]
fn rule_023_one_code_a_fault_and_every_fault_of_a_segment() {
    let body = "BEG*00*S*ABCDEFGHIJKLMNOPQRSTUVW**20260132~PO1*1*12*EA*8.5~CTT*1~";
    faulty("850", body, &["BEG02:4", "BEG03:5", "BEG05:8"]);
    // Too long and of the wrong characters: the length is said, and nothing else.
    faulty(
        "850",
        "BEG*00*SA*4711**2026-01-15~PO1*1*12*EA*8.5~CTT*1~",
        &["BEG05:5"],
    );
}

#[test]
fn rule_042_numbers_that_repeat_in_one_file() {
    let file = interchange("PO", &set("850", &around("850", "")));
    let twice = read(format!("{file}{file}").as_bytes());
    let found: Vec<_> = twice
        .findings
        .iter()
        .map(|f| (f.rule, f.severity))
        .collect();
    assert_eq!(found, [(Rule::IsaControlNumberRepeated, Severity::Note)]);
    let group = &file[106..file.len() - "IEA*1*000000001~".len()];
    let groups = read(format!("{}{group}{group}IEA*2*000000001~", &file[..106]).as_bytes());
    assert_eq!(groups.findings[0].rule, Rule::GsControlNumberRepeated);
    let sets = set("850", &around("850", ""));
    let sets = read(interchange("PO", &format!("{sets}{sets}")).as_bytes());
    assert_eq!(sets.findings[0].rule, Rule::StControlNumberRepeated);
}

#[test]
fn rule_047_beg_has_purpose_type_number_and_date() {
    for (element, beg) in [
        ("BEG01", "BEG**SA*4711**20260115"),
        ("BEG02", "BEG*00**4711**20260115"),
        ("BEG03", "BEG*00*SA***20260115"),
        ("BEG05", "BEG*00*SA*4711"),
    ] {
        faulty(
            "850",
            &format!("{beg}~PO1*1*12*EA*8.5~CTT*1~"),
            &[&format!("{element}:1")],
        );
    }
    for kind in ["SA", "NE", "DS", "BK", "RL", "RO"] {
        sound(
            "850",
            &around("850", "").replace("*SA*", &format!("*{kind}*")),
        );
    }
    faulty(
        "850",
        &around("850", "").replace("4711", &"1".repeat(23)),
        &["BEG03:5"],
    );
}

#[test]
fn rule_048_an_order_has_lines_with_their_pairs() {
    faulty("850", "BEG*00*SA*4711**20260115~CTT*0~", &["PO1:3"]);
    let line = |line: &str| format!("BEG*00*SA*4711**20260115~PO1*1*{line}~CTT*1~");
    faulty("850", &line("*EA"), &["PO102:2"]);
    faulty("850", &line("12*EA**PE"), &["PO104:2"]);
    for first in (6..=24).step_by(2) {
        let body = format!("12*EA{}VN", "*".repeat(first - 3));
        faulty("850", &line(&body), &[&format!("PO1{:02}:2", first + 1)]);
    }
}

#[test]
fn rule_049_identifiers_of_items_in_retail() {
    for qualifier in ["UP", "EN", "UK", "IN", "SK", "VN", "VA", "CB", "BO", "IZ"] {
        sound(
            "850",
            &format!("BEG*00*SA*4711**20260115~PO1*1*12*EA*8.5**{qualifier}*A-1~CTT*1~"),
        );
    }
    let line = |pair: &str| format!("BEG*00*SA*4711**20260115~PO1*1*12*EA*8.5**{pair}~CTT*1~");
    faulty("850", &line("up*036000291452"), &["PO106:7"]);
    faulty("850", &line("UP"), &["PO107:2"]);
    let longest = "1".repeat(49);
    faulty("850", &line(&format!("UP*{longest}")), &["PO107:5"]);
}

#[test]
fn rule_050_dates_of_an_order() {
    for qualifier in [
        "001", "002", "010", "037", "038", "061", "063", "064", "011", "017",
    ] {
        sound_in("850", &format!("DTM*{qualifier}*20260115~"));
    }
    faulty_in("850", "DTM*002~", &["DTM02:2"]);
}

#[test]
fn rule_051_quantities_by_store() {
    let stores: String = (1..=10).map(|n| format!("*{n:04}*1")).collect();
    sound_in("850 line", &format!("SDQ*EA*92{stores}~"));
    faulty_in("850 line", "SDQ*EA*92*0001*6*0002~", &["SDQ06:2"]);
    faulty_in("850 line", "SDQ*EA*92~", &["SDQ03:1", "SDQ04:1"]);
    sound_in("850 line", &"SDQ*EA*92*0001*6~".repeat(500));
    faulty_in("850 line", &"SDQ*EA*92*0001*6~".repeat(501), &["SDQ:5"]);
}

#[test]
fn rule_052_bases_of_the_unit_price() {
    for basis in ["", "EA", "PE", "PD", "PN", "HP", "TP", "PP", "CA", "NC"] {
        sound(
            "850",
            &format!("BEG*00*SA*4711**20260115~PO1*1*12*EA*8.5*{basis}*VN*A~CTT*1~"),
        );
    }
}

#[test]
fn rule_053_ctt_counts_the_lines_and_hashes_their_quantities() {
    let ctt = |ctt: &str| format!("BEG*00*SA*4711**20260115~PO1*1*1.8*EA~PO1*2*18.01*EA~{ctt}~");
    for good in ["CTT*2", "CTT*2*1819", "CTT*2*19.81"] {
        sound("850", &ctt(good));
    }
    faulty("850", &ctt("CTT*3"), &["CTT01:count-mismatch"]);
    faulty("850", &ctt("CTT*2*20"), &["CTT02:hash-mismatch"]);
    faulty(
        "850",
        &ctt("CTT*1234567"),
        &["CTT01:5", "CTT01:count-mismatch"],
    );
}

#[test]
fn rule_053_totals_of_warehouses_are_those_of_their_lines() {
    let of = |code: &str, total: &str| match code {
        "846" => format!("BIA*00*MB*S1*20260115~LIN*1*VN*A-1~LIN*2*VN*A-2~{total}~"),
        "940" => format!("W05*N*4711~LX*1~W01*12*EA**VN*A-1~LX*2~W01*1.5*EA**VN*A-2~{total}~"),
        _ => format!("W06*N*4711*20260115~LX*1~W12*CC*12*12*0*EA**VN*A-1~{total}~"),
    };
    for (code, good, bad, place) in [
        ("846", "CTT*2", "CTT*9", "CTT01"),
        ("940", "W76*13.5", "W76*99", "W7601"),
        ("945", "W03*12*8*LB", "W03*11*8*LB", "W0301"),
    ] {
        let counted = |total: &str| {
            let found = faults(code, &of(code, total));
            found
                .iter()
                .any(|found| *found == format!("{place}:count-mismatch"))
        };
        assert!(
            !counted(good),
            "{code}: {:?}",
            faults(code, &of(code, good))
        );
        assert!(counted(bad), "{code}: {:?}", faults(code, &of(code, bad)));
    }
}

#[test]
fn rule_054_parties() {
    for entity in ["ST", "BY", "BT", "SF", "SU", "VN", "RE", "Z7"] {
        for qualifier in ["92", "91", "UL", "9", "1"] {
            sound_in("850", &format!("N1*{entity}**{qualifier}*0012~"));
        }
    }
    faulty_in("850", "N1*ST*STORE**0012~", &["N103:2"]);
}

#[test]
fn rule_055_references() {
    for qualifier in ["IA", "DP", "MR", "VR", "CO", "PO"] {
        sound_in("850", &format!("REF*{qualifier}*1~"));
        sound_in("850", &format!("REF*{qualifier}**TEXT~"));
    }
    faulty_in("850", "REF*IA~", &["REF02:2"]);
}

#[test]
fn rule_056_allowances_and_charges() {
    for good in [
        "SAC*A*C310***2500",
        "SAC*C*D240****1*5",
        "SAC*A*C310*****",
        "SAC*A**ZZ*1**3*2",
    ] {
        assert!(
            faults("850", &around("850", &format!("{good}~"))).is_empty(),
            "{good}"
        );
    }
    for (bad, fault) in [
        ("SAC*A****100", "SAC02:2"),
        ("SAC*A*C310*ZZ**100", "SAC04:2"),
        ("SAC*A*C310****1", "SAC07:2"),
        ("SAC*A*C310***100****EA", "SAC10:2"),
        ("SAC*A*C310***100******5", "SAC10:2"),
        ("SAC*A*C310***100*********OPTION", "SAC13:2"),
        ("SAC*A*C310***100***********EN", "SAC15:2"),
    ] {
        let found = faults("850", &around("850", &format!("{bad}~")));
        assert!(found.contains(&fault.to_owned()), "{bad}: {found:?}");
    }
}

#[test]
fn rule_057_bak_and_the_acknowledgments_of_a_line() {
    for (element, bak) in [
        ("BAK01", "BAK**AC*4711*20260115"),
        ("BAK02", "BAK*00**4711*20260115"),
        ("BAK03", "BAK*00*AC**20260115"),
        ("BAK04", "BAK*00*AC*4711"),
    ] {
        faulty("855", &format!("{bak}~"), &[&format!("{element}:1")]);
    }
    sound("855", "BAK*00*AT*4711*20260115~");
    sound_in("855 line", &"ACK*IA*1*EA~".repeat(104));
    faulty_in("855 line", &"ACK*IA*1*EA~".repeat(105), &["ACK:4"]);
}

#[test]
fn rule_058_kinds_of_acknowledgment() {
    for kind in [
        "AC", "AD", "AE", "AH", "AK", "AP", "AT", "NA", "RD", "RF", "RJ", "RO", "ZZ",
    ] {
        sound("855", &format!("BAK*00*{kind}*4711*20260115~"));
    }
    faulty("855", "BAK*00*XX*4711*20260115~", &["BAK02:7"]);
}

#[test]
fn rule_059_states_of_a_line() {
    for state in [
        "IA", "IB", "IC", "ID", "IH", "IP", "IQ", "IR", "IS", "DR", "BP", "SP", "AC", "AR", "R1",
        "R2", "R3", "R4",
    ] {
        sound_in("855 line", &format!("ACK*{state}*12*EA~"));
    }
    faulty_in("855 line", "ACK**12*EA~", &["ACK01:1"]);
    faulty_in("855 line", "ACK*ia*12*EA~", &["ACK01:7"]);
}

#[test]
fn rule_060_conditions_of_ack() {
    faulty_in("855 line", "ACK*IA*12~", &["ACK03:2"]);
    faulty_in("855 line", "ACK*IA*12*EA*068~", &["ACK05:2"]);
    for first in (7..=25).step_by(2) {
        let body = format!("ACK*IA{}VN~", "*".repeat(first - 1));
        faulty_in("855 line", &body, &[&format!("ACK{:02}:2", first + 1)]);
    }
}

#[test]
fn rule_061_a_line_with_another_price_date_or_item() {
    sound_in("855 line", "ACK*IP*12*EA~");
    sound_in("855 line", "ACK*IS*12*EA****VN*B-1~");
    for qualifier in ["068", "067", "017"] {
        sound_in("855 line", &format!("ACK*DR*12*EA*{qualifier}*20260120~"));
    }
    faulty_in("855 line", "ACK*DR*12*EA*068*20260132~", &["ACK05:8"]);
    faulty_in("855 line", "ACK*IS*12*EA****VN~", &["ACK08:2"]);
    faulty_in("855 line", "ACK*IQ*12,5*EA~", &["ACK02:6"]);
}

#[test]
fn rule_063_bsn_has_purpose_number_date_and_time() {
    for (element, bsn) in [
        ("BSN01", "BSN**S1*20260115*1230"),
        ("BSN02", "BSN*00**20260115*1230"),
        ("BSN03", "BSN*00*S1**1230"),
        ("BSN04", "BSN*00*S1*20260115"),
    ] {
        faulty(
            "856",
            &format!("{bsn}~HL*1**S~"),
            &[&format!("{element}:1")],
        );
    }
    for structure in ["0001", "0002", "0003", "0004"] {
        sound(
            "856",
            &format!("BSN*00*S1*20260115*1230*{structure}~HL*1**S~"),
        );
    }
    faulty("856", "BSN*00*S*20260115*1230~HL*1**S~", &["BSN02:4"]);
    faulty("856", "BSN*00*S1*20260115*123~HL*1**S~", &["BSN04:4"]);
}

fn levels(levels: &str) -> String {
    format!(
        "BSN*00*S1*20260115*1230~{}",
        levels
            .split(' ')
            .map(|l| format!("HL*{l}~"))
            .collect::<String>()
    )
}

#[test]
fn rule_064_levels_have_numbers_and_earlier_parents() {
    sound("856", &levels("1**S 2*1*O 3*2*I"));
    faulty("856", &levels("1**S 1*1*O"), &["HL01:7"]);
    faulty("856", &levels("1**S 2*3*O 3*1*O"), &["HL02:7"]);
    faulty("856", &levels("1**S 2**O"), &["HL02:7"]);
    faulty(
        "856",
        &levels("1**S*0 2*1*O"),
        &["HL04:hierarchy-child-code"],
    );
    faulty(
        "856",
        &levels("1**S*1 2*1*O*1"),
        &["HL04:hierarchy-child-code"],
    );
    sound("856", &levels("1**S*1 2*1*O*0"));
    faulty("856", "BSN*00*S1*20260115*1230~", &["HL:3"]);
}

#[test]
fn rule_064_levels_stand_as_the_structure_says() {
    let of = |structure: &str, text: &str| {
        levels(text).replace("*1230~", &format!("*1230*{structure}~"))
    };
    let at = |count: usize| vec!["HL03:hierarchy-level"; count];
    // The first level is the shipment, whatever the structure.
    faulty("856", &of("0001", "1**O"), &at(1));
    faulty("856", &levels("1**O 2*1*I"), &at(1));
    // Each of the four structures, with and without what may be left out, and Q and K anywhere.
    for (structure, good) in [
        ("0001", "1**S 2*1*O 3*2*T 4*3*P 5*4*I"),
        ("0001", "1**S 2*1*O 3*2*P 4*3*Q 5*4*I 6*5*K"),
        ("0001", "1**S 2*1*T 3*2*O 4*3*P 5*4*I 6*2*O 7*6*P 8*7*I"),
        ("0002", "1**S 2*1*O 3*2*I 4*3*P 5*2*I 6*5*P"),
        ("0003", "1**S 2*1*P 3*2*O 4*3*I"),
        ("0003", "1**S 2*1*T 3*2*P 4*3*O 5*4*I"),
        ("0004", "1**S 2*1*O 3*2*I 4*1*O 5*4*I"),
        // A code that is none of the four asks for no order of its own.
        ("ZZZZ", "1**S 2*1*P 3*2*O 4*3*I"),
    ] {
        sound("856", &of(structure, good));
    }
    // What is of no structure holds, whatever BSN05 says.
    for (structure, bad, count) in [
        ("0001", "1**S 2*1*I 3*2*P 4*3*O", 1),
        ("0004", "1**S 2*1*O 3*2*O", 1),
        ("0001", "1**S 2*1*QQ 3*2*ZZ", 2),
        ("ZZZZ", "1**S 2*1*I 3*2*O", 1),
        ("ZZZZ", "1**S 2*1*O 3*2*I 4*3*P 5*4*O", 1),
    ] {
        faulty("856", &of(structure, bad), &at(count));
    }
    // Of another structure than BSN05 says is noted, where a branch leaves it.
    for (structure, other, count) in [
        ("0001", "1**S 2*1*P 3*2*O 4*3*I", 1),
        ("0001", "1**S 2*1*O 3*2*I 4*3*P 5*2*I 6*5*P", 2),
        ("0002", "1**S 2*1*O 3*2*P 4*3*I", 1),
        ("0003", "1**S 2*1*O 3*2*I 4*3*P", 1),
        ("0004", "1**S 2*1*O 3*2*P 4*3*I", 1),
    ] {
        let read = read_set("856", &of(structure, other));
        let expected = vec![(Rule::HierarchyLevel, Severity::Note); count];
        let found: Vec<_> = read.findings.iter().map(|f| (f.rule, f.severity)).collect();
        assert_eq!(found, expected, "{structure} {other}");
    }
    // One branch may not mix what two structures say, and a fault in one is none in another.
    faulty(
        "856",
        &levels("1**S 2*1*O 3*2*I 4*3*P 5*1*P 6*5*O 7*6*P"),
        &at(1),
    );
    // It holds, and rejects nothing.
    let read = read_set("856", &of("0001", "1**O"));
    assert_eq!(read.findings[0].severity, Severity::Hold);
    assert_eq!(read.groups[0].acceptance(), Acceptance::Accepted);
}

#[test]
fn rule_065_pallets_and_cartons_in_each_order() {
    for pattern in ["SOTPI", "SOTI", "SOPI", "SOI", "SPOI", "STOPI", "SOIP"] {
        let mut text = String::from("1**S");
        for (n, level) in pattern.chars().enumerate().skip(1) {
            text += &format!(" {}*{n}*{level}", n + 1);
        }
        sound("856", &levels(&text));
    }
    // A carton stands neither above a pallet nor above the order that it is part of.
    for pattern in ["SOPTI", "SPTOI", "SIOP", "OSPI"] {
        let mut text = String::from(&format!("1**{}", &pattern[..1]));
        for (n, level) in pattern.chars().enumerate().skip(1) {
            text += &format!(" {}*{n}*{level}", n + 1);
        }
        let found = faults("856", &levels(&text));
        assert!(
            found.contains(&"HL03:hierarchy-level".to_owned()),
            "{pattern}: {found:?}"
        );
    }
}

#[test]
fn rule_066_marks_and_their_conditions() {
    sound_in("856 level", "MAN*GM*00006141411234567890~");
    sound_in(
        "856 level",
        "MAN*AA*006141411234567890~MAN*CP*1Z~MAN*UC*1~MAN*MC*1~",
    );
    faulty_in("856 level", "MAN*GM~", &["MAN02:1"]);
    faulty_in("856 level", "MAN*CP*1**CP~", &["MAN05:2"]);
    faulty_in("856 level", "MAN*CP*1****2~", &["MAN05:2"]);
}

#[test]
fn rule_066_the_identifier_stands_before_the_code_or_does_not() {
    let invalid = "MAN02:mark-invalid";
    for bad in [
        "GM*006141411234567890",
        "GM*10006141411234567890",
        "GM*0000614141123456789",
        "GM*0000614141123456789A",
        "AA*00006141411234567890",
        "AA*00614141123456789",
    ] {
        faulty_in("856 level", &format!("MAN*{bad}~"), &[invalid]);
    }
    // The second mark of a segment is held to the same, and other marks to nothing.
    faulty_in("856 level", "MAN*CP*1Z**AA*1~", &["MAN05:mark-invalid"]);
    sound_in("856 level", "MAN*CP*006141411234567891~");
}

#[test]
fn rule_067_a_wrong_check_digit_of_a_mark_is_told() {
    for (code, digit) in [
        ("00614141123456789", 0),
        ("10614141000000001", 9),
        ("34012345123456789", 5),
        ("00000000000000000", 0),
        ("99999999999999999", 5),
    ] {
        for last in 0..10 {
            let expected: &[&str] = match last == digit {
                true => &[],
                false => &["MAN02:mark-invalid"],
            };
            faulty_in("856 level", &format!("MAN*GM*00{code}{last}~"), expected);
            faulty_in("856 level", &format!("MAN*AA*{code}{last}~"), expected);
        }
    }
}

/// That as many cartons bear a mark as TD102 says is for whoever packs them; the standard gives
/// both their places.
#[test]
fn rule_068_cartons_bear_marks_and_the_shipment_says_how_many() {
    let shipment = |lading: &str, cartons: &[&str]| {
        let mut text = format!("BSN*00*S1*20260115*1230~HL*1**S~TD1*{lading}~HL*2*1*O~PRF*4711~");
        for (n, marks) in cartons.iter().enumerate() {
            text += &format!("HL*{}*2*P~{marks}", n + 3);
        }
        text
    };
    let (first, second) = (
        "MAN*GM*00006141411234567890~",
        "MAN*GM*00106141410000000019~",
    );
    sound("856", &shipment("CTN*2", &[first, second]));
    faulty(
        "856",
        &shipment("CTN*2", &[first, first]),
        &["MAN02:mark-repeated"],
    );
    // With and without its identifier it is the same code.
    faulty(
        "856",
        &shipment("CTN*2", &[first, "MAN*AA*006141411234567890~"]),
        &["MAN02:mark-repeated"],
    );
    sound("856", &shipment("CTN*3", &[first, second]));
    faulty("856", &shipment("CTN*2", &[first, "MAN*GM~"]), &["MAN02:1"]);
    faulty("856", &shipment("CTN", &[first]), &["TD102:2"]);
    faulty("856", &shipment("CTN*2.5", &[first]), &["TD102:6"]);
    faulty("856", &shipment("CTN*12345678", &[first]), &["TD102:5"]);
}

#[test]
fn rule_069_carrier_details_of_a_shipment() {
    sound_in(
        "856 level",
        "TD1*CTN*2****G*12.5*LB~TD5*B*2*ABCD*M~TD3*TL**4711~REF*BM*1~REF*CN*1~REF*2I*1~REF*SI*1~DTM*011*20260115~DTM*017*20260116~N1*SF*W~N1*ST*S~",
    );
    for (bad, fault) in [
        ("TD1*CTN", "TD102:2"),
        ("TD1*CTN*2*F", "TD104:2"),
        ("TD1*CTN*2****G", "TD107:2"),
        ("TD1*CTN*2*****12", "TD108:2"),
        ("TD1*CTN*2*******5", "TD110:2"),
        ("TD5*B", "TD502:2"),
        ("TD5*B*2", "TD503:2"),
    ] {
        let found = faults("856", &around("856 level", &format!("{bad}~")));
        assert!(found.contains(&fault.to_owned()), "{bad}: {found:?}");
    }
    for method in ["M", "LT", "U", "A", "R"] {
        sound_in("856 level", &format!("TD5****{method}~"));
    }
}

#[test]
fn rule_070_order_and_item_levels() {
    let item = |segments: &str| {
        format!("BSN*00*S1*20260115*1230~HL*1**S~HL*2*1*O~PRF*4711~HL*3*2*I~{segments}")
    };
    sound("856", &item("LIN**VN*A-1~SN1**12*EA~"));
    faulty("856", &item("LIN~SN1**12*EA~"), &["LIN02:1", "LIN03:1"]);
    faulty("856", &item("LIN**VN*A-1~SN1~"), &["SN102:1", "SN103:1"]);
    faulty("856", &item("LIN**VN*A-1~SN1**12*EA**12~"), &["SN106:2"]);
    faulty(
        "856",
        "BSN*00*S1*20260115*1230~HL*1**S~HL*2*1*O~PRF~",
        &["PRF01:1"],
    );
}

#[test]
fn rule_071_packs_and_loads() {
    sound_in("850 line", "PO4*12*1*EA~");
    for (bad, fault) in [
        ("PO4*12*1", "PO403:2"),
        ("PO4*12****G", "PO406:2"),
        ("PO4*12*****5", "PO407:2"),
        ("PO4*12*******5", "PO409:2"),
        ("PO4*12*********5", "PO413:2"),
    ] {
        let found = faults("850", &around("850 line", &format!("{bad}~")));
        assert!(found.contains(&fault.to_owned()), "{bad}: {found:?}");
    }
    sound_in("856 level", "CLD*2*6~");
    faulty_in("856 level", "CLD*2*6***EA~", &["CLD04:2"]);
}

#[test]
fn rule_072_a_ship_notice_counts_levels_or_items() {
    for count in [1, 3] {
        sound(
            "856",
            &format!("{}CTT*{count}~", levels("1**S 2*1*O 3*2*I")),
        );
    }
    faulty(
        "856",
        &format!("{}CTT*7~", levels("1**S 2*1*O 3*2*I")),
        &["CTT01:count-mismatch"],
    );
}

#[test]
fn rule_074_big_has_date_and_number() {
    let big = |big: &str| format!("{big}~TDS*100~");
    faulty("810", &big("BIG**I1"), &["BIG01:1"]);
    faulty("810", &big("BIG*20260115"), &["BIG02:1"]);
    faulty(
        "810",
        &big(&format!("BIG*20260115*{}", "1".repeat(23))),
        &["BIG02:5"],
    );
    for kind in ["DI", "PR", "CR", "DR", "CN", "CI"] {
        sound(
            "810",
            &big(&format!("BIG*20260115*I1*20260101*4711***{kind}*00")),
        );
    }
}

#[test]
fn rule_075_a_total_is_needed_and_lines_are_not() {
    sound("810", "BIG*20260115*I1~TDS*100~");
    faulty("810", "BIG*20260115*I1~IT1*1*1*EA*1~CTT*1~", &["TDS:3"]);
}

#[test]
fn rule_076_the_total_has_two_implied_decimals() {
    sound("810", "BIG*20260115*I1~TDS*123456789012345*1*1*1~");
    sound("810", "BIG*20260115*I1~TDS*-100~");
    faulty("810", "BIG*20260115*I1~TDS*1.00~", &["TDS01:6"]);
    faulty("810", "BIG*20260115*I1~TDS*1234567890123456~", &["TDS01:5"]);
    faulty("810", "BIG*20260115*I1~TDS**100~", &["TDS01:1"]);
}

#[test]
fn rule_077_what_is_shown_and_not_summed() {
    sound_in("810 end", "SAC*N*C310***100~");
    for method in ["01", "02", "05", "06"] {
        sound_in("810 end", &format!("SAC*C*D240***100*******{method}~"));
    }
    sound_in("810 end", "TXI*ST*1.50****1~");
}

#[test]
fn rule_078_quantity_unit_and_price_go_together() {
    let line = |line: &str| format!("BIG*20260115*I1~IT1*1*{line}~TDS*100~CTT*1~");
    sound("810", &line("12*EA*8.5"));
    faulty("810", &line("12*EA"), &["IT104:2"]);
    faulty("810", &line("12"), &["IT103:2", "IT104:2"]);
    for first in (6..=24).step_by(2) {
        let body = format!("12*EA*8.5{}VN", "*".repeat(first - 4));
        faulty("810", &line(&body), &[&format!("IT1{:02}:2", first + 1)]);
    }
}

#[test]
fn rule_079_terms_of_sale() {
    for kind in ["01", "02", "03", "05", "08", "09"] {
        for basis in ["1", "2", "3", "5"] {
            sound_in("810", &format!("ITD*{kind}*{basis}*2**10**30~"));
        }
    }
    faulty_in("810", "ITD*01*3*2~", &["ITD04:2"]);
    faulty_in("810", "ITD*01*3*****30*100~", &["ITD04:2"]);
    faulty_in("810", "ITD*01*3*****30**20260301~", &["ITD10:2"]);
    faulty_in("810", "ITD*01*3*****30**20260301*1.5~", &["ITD10:6"]);
}

#[test]
fn rule_080_taxes_carriers_and_totals_of_an_invoice() {
    faulty_in("810 end", "TXI*ST~", &["TXI02:2"]);
    faulty_in("810 end", "TXI*ST*1**VD~", &["TXI05:2"]);
    faulty_in("810 end", "TXI*ST**5*****1~", &[] as &[&str]);
    faulty_in("810 end", "TXI*ST*1******1~", &["TXI03:2"]);
    sound_in("810 end", "CAD*M***ABCD~");
    sound_in("810 end", "CAD*M****ROUTE~");
    faulty_in("810 end", "CAD*M~", &["CAD05:2"]);
    sound_in("810 end", "ISS*12*EA*6*LB~");
    faulty_in("810 end", "ISS*12~", &["ISS02:2"]);
    faulty(
        "810",
        "BIG*20260115*I1~IT1*1*12*EA*8.5~TDS*10200~CTT*2~",
        &["CTT01:count-mismatch"],
    );
}

#[test]
fn rule_083_the_payment_order() {
    for (element, bpr) in [
        ("BPR01", "BPR**100*C*CHK"),
        ("BPR02", "BPR*I**C*CHK"),
        ("BPR03", "BPR*I*100**CHK"),
        ("BPR04", "BPR*I*100*C"),
    ] {
        faulty("820", &format!("{bpr}~"), &[&format!("{element}:1")]);
    }
    for handling in ["C", "I", "D", "U"] {
        for method in ["ACH", "CHK", "FWT", "NON"] {
            sound("820", &format!("BPR*{handling}*100*C*{method}~"));
        }
    }
    let bpr = |n: usize, value: &str| format!("BPR*I*100*C*CHK{}{value}~", "*".repeat(n - 4));
    for (n, value, fault) in [
        (6, "01", "BPR07:2"),
        (8, "DA", "BPR09:2"),
        (12, "01", "BPR13:2"),
        (14, "DA", "BPR15:2"),
        (18, "01", "BPR19:2"),
        (20, "DA", "BPR21:2"),
    ] {
        faulty("820", &bpr(n, value), &[fault]);
    }
    faulty("820", "BPR*I*100*X*CHK~", &["BPR03:7"]);
}

#[test]
fn rule_084_the_trace() {
    for kind in ["1", "3"] {
        sound("820", &format!("BPR*I*100*C*CHK~TRN*{kind}*4711~"));
    }
    faulty("820", "BPR*I*100*C*CHK~TRN*1~", &["TRN02:1"]);
    faulty("820", "BPR*I*100*C*CHK~TRN*9*4711~", &["TRN01:7"]);
}

#[test]
fn rule_085_adjustments_stand_free_or_below_an_open_item() {
    let loops = |segments: &str| {
        let read = read_set("820", &around("820 end", segments));
        read.findings
            .iter()
            .filter(|f| f.rule == Rule::InvalidCode || f.rule == Rule::ElementMissing)
            .map(|f| f.loop_id.clone().unwrap_or_default())
            .collect::<Vec<_>>()
    };
    sound_in("820 end", "ADX*-5*01~");
    sound_in("820 end", "RMR*IV*I1**95*100~ADX*-5*01~");
    assert_eq!(loops("ADX*-5~"), ["ADX"]);
    assert_eq!(loops("RMR*IV*I1**95*100~ADX*-5~"), ["ADX"]);
    // After the open items nothing stands free any more.
    faulty_in(
        "820 end",
        "RMR*IV*I1**95*100~ADX*-5*01~ADX*-6*01~",
        &[] as &[&str],
    );
}

#[test]
fn rule_086_open_items_that_are_paid() {
    for item in ["IV", "PO", "CM", "OI"] {
        sound_in("820 end", &format!("RMR*{item}*1**95*100*5~"));
    }
    for action in ["PO", "PI", "PP", "AJ", "ER"] {
        sound_in("820 end", &format!("RMR*IV*1*{action}*95~"));
    }
    faulty_in("820 end", "RMR*IV~", &["RMR02:2"]);
    faulty_in("820 end", "RMR*IV*1**95***01~", &["RMR08:2"]);
}

#[test]
fn rule_087_adjustments_have_amount_and_reason() {
    for reason in [
        "01", "06", "04", "05", "11", "19", "54", "57", "59", "70", "86", "99", "A6", "A9", "B8",
        "55", "76", "79", "82",
    ] {
        sound_in("820 end", &format!("ADX*-12.5*{reason}~"));
    }
    faulty_in("820 end", "ADX**01~", &["ADX01:1"]);
    faulty_in("820 end", "ADX*5~", &["ADX02:1"]);
    faulty_in("820 end", "ADX*5*01*IV~", &["ADX04:2"]);
}

#[test]
fn rule_089_a_remittance_without_payment() {
    sound("820", "BPR*I*0*C*NON~TRN*3*4711~");
}

#[test]
fn rule_091_beginnings_of_a_change_and_of_its_answer() {
    for (element, bch) in [
        ("BCH01", "BCH**SA*4711***20260115"),
        ("BCH02", "BCH*04**4711***20260115"),
        ("BCH03", "BCH*04*SA****20260115"),
        ("BCH06", "BCH*04*SA*4711"),
    ] {
        faulty("860", &format!("{bch}~"), &[&format!("{element}:1")]);
    }
    sound("860", "BCH*04*SA*4711**2*20260115****20260116*20260117~");
    for (element, bca) in [
        ("BCA01", "BCA**AC*4711***20260115"),
        ("BCA03", "BCA*00*AC****20260115"),
    ] {
        faulty("865", &format!("{bca}~"), &[&format!("{element}:1")]);
    }
    sound("865", "BCA*00**4711***20260115~");
    faulty("865", "BCA*00*XX*4711***20260115~", &["BCA02:7"]);
}

#[test]
fn rule_092_kinds_of_change_of_a_line() {
    for kind in [
        "AI", "CA", "DI", "PC", "PQ", "PR", "QD", "QI", "RZ", "RQ", "RS", "RB", "CT", "CF", "NC",
        "RC", "RE", "TI", "MU",
    ] {
        sound(
            "860",
            &format!("BCH*04*SA*4711***20260115~POC*1*{kind}~CTT*1~"),
        );
    }
    faulty(
        "860",
        "BCH*04*SA*4711***20260115~POC*1~CTT*1~",
        &["POC02:1"],
    );
}

#[test]
fn rule_094_conditions_of_a_changed_line() {
    let line = |line: &str| format!("BCH*04*SA*4711***20260115~POC*1*QI*{line}~CTT*1~");
    sound("860", &line("12*12*EA*8.5*PE*VN*A"));
    faulty("860", &line("12"), &["POC05:2"]);
    faulty("860", &line("12*12*EA**PE"), &["POC06:2"]);
    faulty("860", &line("12*12*EA***VN"), &["POC09:2"]);
    // The unit is a composite: its first component is the unit.
    sound("860", &line("12*12*EA>2"));
    faulty("860", &line("12*12*>2"), &["POC05-1:1"]);
}

#[test]
fn rule_096_a_change_of_the_header_has_no_lines() {
    sound("860", "BCH*04*SA*4711***20260115~DTM*002*20260201~");
}

#[test]
fn rule_097_the_application_advice() {
    for verdict in [
        "TA", "TC", "TE", "TP", "TR", "GA", "GR", "IA", "IR", "BA", "BR",
    ] {
        sound("824", &format!("BGN*00*1*20260115~OTI*{verdict}*SI*S1~"));
    }
    for error in [
        "007", "009", "010", "011", "024", "DUP", "QTY", "UNP", "POI", "MB", "MF", "MG", "848",
    ] {
        sound(
            "824",
            &format!("BGN*00*1*20260115~OTI*TR*IV*I1~TED*{error}*TEXT~"),
        );
    }
    faulty(
        "824",
        "BGN*00*1*20260115~OTI*TR*IV*I1******0001~",
        &["OTI08:2"],
    );
    faulty("824", "BGN*00*1*20260115~OTI*TR~", &["OTI02:1", "OTI03:1"]);
    faulty("824", "BGN*00*1*20260115~OTI*TR*IV*I1~TED~", &["TED01:1"]);
}

#[test]
fn rule_098_the_text_message() {
    sound("864", "BMG*00~MIT*1*SUBJECT~MSG*TEXT~");
    faulty("864", "BMG*00~", &["MIT:3"]);
    faulty("864", "BMG*00~MIT*1~", &["MSG:3"]);
    faulty("864", "BMG~MIT*1~MSG*TEXT~", &["BMG01:1"]);
}

#[test]
fn rule_099_the_inventory_advice() {
    for quantity in ["33", "17", "29", "63"] {
        sound(
            "846",
            &format!("BIA*00*MM*1*20260115~LIN**VN*A~QTY*{quantity}*5*EA~"),
        );
    }
    faulty("846", "BIA*00*MM*1*20260115~", &["LIN:3"]);
    faulty(
        "846",
        "BIA*00*MM*1*20260115~LIN**VN*A~QTY*33~",
        &["QTY02:2"],
    );
}

#[test]
fn rule_100_the_warehouse_order_and_its_advice() {
    for status in ["N", "F", "R"] {
        sound(
            "940",
            &format!("W05*{status}*D1*4711~N1*ST*S~LX*1~W01*12*EA**VN*A~W76*12~"),
        );
    }
    faulty("940", "W05*N~", &["W0502:1"]);
    for status in ["CC", "CP", "BO"] {
        sound(
            "945",
            &format!("W06*F*D1*20260115~N1*ST*S~LX*1~W12*{status}*12*10*2*EA**VN*A~W03*10~"),
        );
    }
    faulty(
        "945",
        "W06*F~N1*ST*S~LX*1~W12**12*12*0*EA**VN*A~",
        &["W1201:1"],
    );
    faulty("945", "W06*F~W03*10~", &["N1:3"]);
}

#[test]
fn rule_101_returns_and_adjustments() {
    sound(
        "180",
        "BGN*00*1*20260115~RDR*CT~N1*BY*B~BLI*VN*A*5*EA~QTY*33*5~",
    );
    faulty("180", "BGN*00*1*20260115~BLI*VN~", &["BLI02:1"]);
    sound("812", "BCD*20260115*C1*C*10000*C~N1*BY*B~CDD*01*C*1*10000~");
    faulty("812", "BCD*20260115*C1*C*10000~N1*BY*B~", &["BCD05:1"]);
    faulty(
        "812",
        "BCD*20260115*C1*C*10000*C~N1*BY*B~CDD*01~",
        &["CDD02:1", "CDD04:2"],
    );
    faulty("812", "BCD*20260115*C1*C*100.00*C~N1*BY*B~", &["BCD04:6"]);
}

#[test]
fn rule_102_acknowledgments_are_not_acknowledged_and_all_others_are() {
    for (id, answered) in [
        ("FA", false),
        ("AG", true),
        ("TX", true),
        ("RA", true),
        ("PO", true),
        ("PR", true),
    ] {
        assert_eq!(needs_acknowledgment(id), answered, "{id}");
    }
    let own = read(interchange("FA", &set("997", "AK1*PO*1~AK9*A*1*1*1~")).as_bytes());
    assert!(build_997(&own.groups[0], &AckOptions::default()).is_none());
}

/// The rules that this crate must prove. The others are of business: the gateway proves those of
/// duplicates and of control numbers that last (43 to 46), of one notice a shipment (73), of what may
/// be billed (81, 82), and of payments (88, 90). Rule 62 is a partner's own, for its profile; 93 and 95
/// are for whoever acts upon a change of an order, which the gateway does not do.
///
/// Of some rules only the part is proven here that a set shows by itself, and the gateway proves the
/// rest: check digits of items (49), the order of dates (50), quantities by store (51), prices by their
/// basis (52), what an 855 may say of a line (58 to 61), how many cartons TD102 counts (68), what an
/// invoice comes to (76 to 79), what a payment comes to (86, 89).
#[test]
fn every_rule_of_the_engine_has_a_test() {
    let structural = [
        47..=61,
        63..=72,
        74..=80,
        83..=87,
        89..=89,
        91..=92,
        94..=94,
        96..=102,
    ];
    let wanted = (1..=42).chain(structural.into_iter().flatten());
    let mut sources = String::new();
    let mut folders = vec![
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"),
    ];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                sources += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    let has = |number: u32| {
        let (alone, after) = (
            format!("fn rule_{number:03}_"),
            format!("_and_{number:03}_"),
        );
        sources.lines().any(|line| {
            line.contains(&alone)
                || line.trim_start().starts_with("fn rule_") && line.contains(&after)
        })
    };
    let missing: Vec<u32> = wanted.filter(|number| !has(*number)).collect();
    assert!(missing.is_empty(), "no test for the rules {missing:?}");
    assert!(!has(103), "the search itself works");
}
