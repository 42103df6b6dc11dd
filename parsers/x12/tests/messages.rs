//! What a finding tells a person: what is wrong, and what to write instead.

use supercargo_x12::{Event, Limits, Reader, Release, SchemaRegistry, validate_set};

/// The messages about an order whose segments between ST and SE these are.
fn told(body: &str) -> Vec<String> {
    let count = body.matches('~').count() + 2;
    told_in(
        &format!(
            "GS*PO*BUYER*SELLER*20260115*1230*1*X*004010~ST*850*0001~{body}SE*{count}*0001~GE*1*1~IEA*1*000000001~"
        ),
        Limits::default(),
    )
}

/// The messages about what stands behind the ISA.
fn told_in(rest: &str, limits: Limits) -> Vec<String> {
    let file = format!(
        "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000001*0*P*>~{rest}"
    );
    let mut reader = Reader::with_limits(file.as_bytes(), limits);
    let mut told = Vec::new();
    while let Some(event) = reader.next().unwrap() {
        let findings = match event {
            Event::Set(set) => {
                let mut findings = set.findings().to_vec();
                findings.extend(validate_set(
                    SchemaRegistry::standard(),
                    Release::R004010,
                    set,
                    None,
                ));
                findings
            }
            Event::GroupClosed(closed) => closed.findings,
            Event::InterchangeClosed(closed) => closed.findings,
            _ => Vec::new(),
        };
        told.extend(findings.into_iter().map(|finding| finding.message));
    }
    told
}

const BEG: &str = "BEG*00*SA*4711**20260115~";
const PO1: &str = "PO1*1*12*EA*8.5~";

#[test]
fn a_date_is_no_day_or_no_date_at_all() {
    for (date, message) in [
        (
            "20260231",
            "BEG05 (Date) is `20260231`, which is no day of the calendar: write one as CCYYMMDD.",
        ),
        (
            "2026-2-3",
            "BEG05 (Date) is `2026-2-3`, which is no date: write it as CCYYMMDD.",
        ),
    ] {
        let body = format!("BEG*00*SA*4711**{date}~{PO1}");
        assert_eq!(told(&body), [message]);
    }
}

#[test]
fn a_segment_that_is_not_known_here_says_what_to_do_with_it() {
    for (wrong, message) in [
        (
            "XYZ*1~",
            "No segment `XYZ` of release 004010 is known here; correct its identifier, or take it out.",
        ),
        (
            "ref*DP*045~",
            "No segment `ref` of release 004010 is known here; write REF in capitals.",
        ),
        (
            "BIG*20260115*I1~",
            "The segment BIG is no part of the set 850; take it out.",
        ),
        (
            "N3*1 MAIN STREET~",
            "The segment N3 belongs into a loop that was not begun here: put N1 before it, or take it out.",
        ),
    ] {
        assert_eq!(told(&format!("{BEG}{wrong}{PO1}")), [message]);
    }
}

#[test]
fn counts_are_told_in_plain_words() {
    assert_eq!(
        told(&format!("{BEG}{BEG}{PO1}")),
        ["The segment BEG may stand here 1 time at most; take out this one."]
    );
    assert_eq!(
        told(&format!("{BEG}{PO1}CTT*3~")),
        ["CTT01 counts 3 lines, but the set has 1 PO1 segment; write 1."]
    );
    let envelope = format!(
        "GS*PO*BUYER*SELLER*20260115*1230*1*X*004010~ST*850*0001~{BEG}{PO1}SE*4*0001~GE*2*1~IEA*3*000000001~"
    );
    assert_eq!(
        told_in(&envelope, Limits::default()),
        [
            "GE01 says `2`, but 1 transaction set was read in the group.",
            "IEA01 says `3`, but 1 group was read in the interchange."
        ]
    );
}

#[test]
fn what_is_missing_at_the_end_of_a_set_without_se_is_missing_after_it() {
    let cut = format!(
        "GS*PO*BUYER*SELLER*20260115*1230*1*X*004010~ST*850*0001~{BEG}GE*1*1~IEA*1*000000001~"
    );
    assert_eq!(
        told_in(&cut, Limits::default()),
        [
            "The transaction set `850` `0001` ends without its SE segment after 2 segments.",
            "The loop PO1 (Order line) is missing after BEG; it is mandatory here."
        ]
    );
}

#[test]
fn of_what_was_not_read_nothing_is_said_to_be_missing() {
    let limits = Limits {
        segment_bytes: 200,
        ..Limits::default()
    };
    let huge = format!(
        "GS*PO*BUYER*SELLER*20260115*1230*1*X*004010~ST*850*0001~{BEG}N1*ST*{}~{PO1}SE*5*0001~GE*1*1~IEA*1*000000001~",
        "M".repeat(1_000)
    );
    assert_eq!(
        told_in(&huge, limits),
        ["Segment 3 is longer than 200 bytes; the set was not read beyond it."]
    );
}

#[test]
fn a_parent_that_is_not_there_says_what_belongs_into_hl02() {
    let notice = "GS*SH*BUYER*SELLER*20260115*1230*1*X*004010~ST*856*0001~BSN*00*S1*20260115*1230~HL*1**S~HL*2*9*O~PRF*4711~SE*6*0001~GE*1*1~IEA*1*000000001~";
    assert_eq!(
        told_in(notice, Limits::default()),
        [
            "HL02 is `9`, but no earlier HL has that number in HL01; write the HL01 of the level that this one belongs to, or nothing where it is the uppermost."
        ]
    );
}

#[test]
fn a_count_of_lines_that_are_not_there_is_told_in_plain_words() {
    let told = told(&format!("{BEG}CTT*1~"));
    assert!(
        told.contains(&"CTT01 counts 1 line, but the set has no PO1 segment; write 0.".to_owned()),
        "{told:?}"
    );
}

#[test]
fn what_follows_a_segment_without_a_place_is_told_what_really_helps() {
    let told = told_in(
        "GS*OW*BUYER*SELLER*20260115*1230*1*X*004010~ST*940*0001~W05*N*ORD1*PO1~N1*ST*STORE*92*0118~W66*PP*M~W01*24*EA*614141007349~G69*TRAIL MIX~N9*DP*045~W01*60*EA*614141007351~NTE*GEN*X~G69*BARS~LX*1~G69*MORE~SE*13*0001~GE*1*1~IEA*1*000000001~",
        Limits::default(),
    );
    let unexpected: Vec<&str> = told
        .iter()
        .filter(|message| message.contains("belongs"))
        .map(String::as_str)
        .collect();
    let follows = |id: &str, index: u32| {
        format!(
            "The segment {id} belongs to the W01 above it (segment {index}), which has no place here itself: with that W01 put right, this one is."
        )
    };
    let opener = "The segment W01 belongs into a loop that was not begun here: put LX before it, or take it out.";
    assert_eq!(
        unexpected,
        [
            opener,
            &follows("G69", 5),
            opener,
            &follows("G69", 8),
            "The segment G69 belongs into a loop that was not begun here: put W01 before it, or take it out."
        ]
    );
}

#[test]
fn a_component_separator_is_told_as_one_even_where_it_is_a_control_character() {
    for separator in ['>', '\u{1f}'] {
        let file = format!(
            "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000001*0*P*{separator}~GS*PO*BUYER*SELLER*20260115*1230*1*X*004010~ST*850*0001~{BEG}REF*DP**a{separator}b~{PO1}SE*5*0001~GE*1*1~IEA*1*000000001~"
        );
        let mut reader = Reader::new(file.as_bytes());
        while let Some(event) = reader.next().unwrap() {
            if let Event::Set(set) = event {
                let found = validate_set(SchemaRegistry::standard(), Release::R004010, set, None);
                assert_eq!(found.len(), 1, "{found:?}");
                assert!(
                    found[0].message.starts_with("REF03")
                        && found[0].message.contains("holds the component separator"),
                    "{}",
                    found[0].message
                );
            }
        }
    }
}
