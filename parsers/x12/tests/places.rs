//! Where a finding about the envelope stands: at its element, with the number that X12's dictionary gives it.

use supercargo_x12::{Event, Finding, GroupVerdict, Reader, Rule};

const FILE: &str = "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *261315*1230*U*00401*000000001*0*P*>~\nTA1*000000007*260114*0915*X*000~\nGS*PO**SELLER*20260115*1230*A1*X*003060*more~\nST*855*01~\nSE*5*02~\nGE*2*2~\nIEA*2*000000009~\n";

/// All findings of a file but those of the schemas, in the order of their bytes.
fn found(file: &str) -> Vec<Finding> {
    let mut reader = Reader::new(file.as_bytes());
    let (mut found, mut open) = (Vec::new(), None);
    while let Some(event) = reader.next().unwrap() {
        match event {
            Event::GroupOpened(header) => {
                let mut group = GroupVerdict::open(header);
                group.judge_release(None);
                open = Some(group);
            }
            Event::Set(set) => found.extend(set.findings().to_vec()),
            Event::GroupClosed(closed) => {
                let mut group = open.take().unwrap();
                group.close(&closed);
                found.extend(group.findings);
            }
            Event::InterchangeClosed(closed) => found.extend(closed.findings),
            _ => {}
        }
    }
    found.sort_by_key(|finding| finding.offset);
    found
}

#[test]
fn findings_of_the_envelope_stand_at_their_elements() {
    let expected = [
        (Rule::IsaDate, "ISA", 9, "261315", None),
        (Rule::Ta1Malformed, "TA1", 4, "X*000", None),
        (Rule::GroupNotSupported, "GS", 1, "PO*", Some(479)),
        (Rule::GroupHeaderInvalid, "GS", 2, "*SELLER", Some(142)),
        (Rule::GsControlNumber, "GS", 6, "A1*", Some(28)),
        (Rule::VersionNotSupported, "GS", 8, "003060*", Some(480)),
        (Rule::GroupHeaderInvalid, "GS", 9, "more~", None),
        (Rule::SetNotInGroup, "ST", 1, "855*", Some(143)),
        (Rule::StControlNumber, "ST", 2, "01~", Some(329)),
        (Rule::SeCount, "SE", 1, "5*02", Some(96)),
        (Rule::SeControlNumber, "SE", 2, "02~", Some(329)),
        (Rule::GeSetCount, "GE", 1, "2*2~", Some(97)),
        (Rule::GeControlNumber, "GE", 2, "2~", Some(28)),
        (Rule::IeaGroupCount, "IEA", 1, "2*00", None),
        (Rule::IeaControlNumber, "IEA", 2, "000000009~", None),
    ];
    let found = found(FILE);
    let rules: Vec<Rule> = found.iter().map(|finding| finding.rule).collect();
    assert_eq!(rules, expected.map(|(rule, ..)| rule));
    for (finding, (_, segment, element, begins, number)) in found.iter().zip(expected) {
        let at = usize::try_from(finding.offset).unwrap();
        assert!(FILE[at..].starts_with(begins), "{finding}");
        assert_eq!(
            (
                finding.segment.as_deref(),
                finding.element,
                finding.data_element
            ),
            (Some(segment), Some(element), number),
            "{finding}"
        );
        assert_eq!(
            finding.line,
            FILE[..at].matches('\n').count() as u64 + 1,
            "{finding}"
        );
    }
    assert_eq!(found[7].value.as_deref(), Some("855"));
}

#[test]
fn an_element_of_a_wrapped_envelope_begins_behind_the_line_break() {
    let wrapped = FILE.replace("GE*2*2", "GE*2*\n2");
    let of_ge02 = |finding: &&Finding| finding.rule == Rule::GeControlNumber;
    let found = found(&wrapped);
    let finding = found.iter().find(of_ge02).unwrap();
    let at = wrapped.find("GE*2*\n").unwrap() + 6;
    assert_eq!((finding.offset, finding.line), (at as u64, 7));
}

#[test]
fn what_is_wrong_with_the_envelope_is_known_before_its_end() {
    let mut reader = Reader::new(FILE.as_bytes());
    let mut known = Vec::new();
    while let Some(event) = reader.next().unwrap() {
        let met = match event {
            Event::InterchangeOpened(..) => "ISA",
            Event::Ta1(_) => "TA1",
            Event::GroupOpened(_) => "GS",
            Event::GroupClosed(_) => "GE",
            _ => continue,
        };
        known.push((
            met,
            reader.interchange_findings().len(),
            reader.group_findings().len(),
        ));
    }
    assert_eq!(
        known,
        [("ISA", 1, 0), ("TA1", 2, 0), ("GS", 4, 1), ("GE", 4, 0)]
    );
}
