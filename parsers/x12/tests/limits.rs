//! Hostile input: past each limit there is a finding, the rest of the file is still answered, and
//! neither time nor memory run away. A test that hangs or fills the memory fails by that.

use std::io::Read;
use supercargo_x12::*;

const ISA: &str = "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000001*0*P*>~";
const GS: &str = "GS*PO*BUYER*SELLER*20260115*1230*1*X*004010~";
const GOOD: &str =
    "ST*850*0002~BEG*00*SA*4712**20260115~PO1*1*12*EA*8.5**UP*012345678905~CTT*1~SE*5*0002~";

/// A source of one byte over and over, between a head and a tail, without holding it in memory.
fn source<'a>(head: &'a str, piece: &'a [u8], times: u64, tail: &'a str) -> impl Read + 'a {
    struct Repeated<'a> {
        piece: &'a [u8],
        at: usize,
        left: u64,
    }
    impl Read for Repeated<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let mut done = 0;
            while done < buffer.len() && self.left > 0 {
                let rest = &self.piece[self.at..];
                let n = rest.len().min(buffer.len() - done);
                buffer[done..done + n].copy_from_slice(&rest[..n]);
                done += n;
                self.at += n;
                if self.at == self.piece.len() {
                    self.at = 0;
                    self.left -= 1;
                }
            }
            Ok(done)
        }
    }
    head.as_bytes()
        .chain(Repeated {
            piece,
            at: 0,
            left: times,
        })
        .chain(tail.as_bytes())
}

/// What a file comes to: its findings by rule, its sets with whether each is accepted, its 997.
#[derive(Debug, Default)]
struct Came {
    rules: Vec<Rule>,
    sets: Vec<(String, bool)>,
    answers: usize,
}

fn read(source: impl Read, limits: Limits) -> Came {
    let registry = SchemaRegistry::standard();
    let mut came = Came::default();
    let mut reader = Reader::with_limits(source, limits);
    let mut validator = Validator::new(registry, limits);
    let mut group = None;
    while let Some(event) = reader.next().unwrap() {
        match event {
            Event::Outside(outside) => came.rules.extend(outside.finding.iter().map(|f| f.rule)),
            Event::GroupOpened(header) => group = Some(GroupVerdict::open(header)),
            Event::Set(set) => {
                let findings = validator.validate(Release::R004010, set, None);
                let verdict = SetVerdict::of(set, findings);
                came.rules.extend(verdict.findings.iter().map(|f| f.rule));
                if let Some(group) = &mut group {
                    group.add(verdict);
                }
            }
            Event::GroupClosed(closed) => {
                let mut group = group.take().unwrap();
                group.close(&closed);
                came.rules.extend(group.findings.iter().map(|f| f.rule));
                for set in &group.sets {
                    let accepted = group.set_is_accepted(set.ordinal_in_group);
                    came.sets.push((set.st02.clone(), accepted));
                }
                came.answers += usize::from(build_997(&group, &AckOptions::default()).is_some());
            }
            Event::InterchangeClosed(closed) => {
                came.rules.extend(closed.findings.iter().map(|f| f.rule))
            }
            Event::NoInterchange(finding) => came.rules.push(finding.rule),
            _ => {}
        }
    }
    came
}

fn tail() -> String {
    format!("SE*9*0001~{GOOD}GE*2*1~IEA*1*000000001~")
}

/// The first set is faulty, the one after it is taken, and the group is answered.
fn check(came: &Came, rule: Rule) {
    assert!(came.rules.contains(&rule), "{rule:?} is not in {came:?}");
    assert_eq!(
        came.sets.last(),
        Some(&("0002".to_owned(), true)),
        "{came:?}"
    );
    assert!(!came.sets[0].1, "{came:?}");
    assert_eq!(came.answers, 1);
    assert!(came.rules.len() < 3_000, "{} findings", came.rules.len());
}

#[test]
fn fifty_megabytes_of_noughts_are_no_interchange() {
    let came = read(source("", &[0; 4096], 12_207, ""), Limits::default());
    assert!(came.rules.contains(&Rule::FileNotX12), "{came:?}");
    assert!(came.rules.len() < 10);
    let came = read(
        source(
            "",
            &[0; 4096],
            12_207,
            &format!("{ISA}{GS}{GOOD}GE*1*1~IEA*1*000000001~"),
        ),
        Limits::default(),
    );
    assert_eq!(came.sets, [("0002".to_owned(), true)]);
}

#[test]
fn a_segment_of_ten_megabytes_is_cut_and_refused() {
    let head = format!("{ISA}{GS}ST*850*0001~BEG*00*SA*4711**20260115~MSG*");
    let tail = format!("~{}", tail());
    let came = read(source(&head, b"A", 10_000_000, &tail), Limits::default());
    check(&came, Rule::SegmentTooLong);
}

#[test]
fn a_segment_that_never_ends_is_read_to_the_end_of_the_file() {
    let head = format!("{ISA}{GS}ST*850*0001~BEG*00*SA*4711**20260115~MSG*");
    let came = read(source(&head, b"A", 30_000_000, ""), Limits::default());
    assert!(came.rules.contains(&Rule::IeaMissing), "{came:?}");
}

#[test]
fn a_million_elements_are_too_many() {
    let head = format!("{ISA}{GS}ST*850*0001~BEG*00*SA*4711**20260115~REF");
    let tail = format!("~{}", tail());
    let came = read(source(&head, b"*A", 1_000_000, &tail), Limits::default());
    check(&came, Rule::SegmentTooLong);
    let came = read(source(&head, b"*A", 400_000, &tail), Limits::default());
    check(&came, Rule::TooManyElements);
}

#[test]
fn a_million_empty_segments_are_told_of_once_or_a_few_times() {
    let head = format!("{ISA}{GS}ST*850*0001~BEG*00*SA*4711**20260115~");
    let tail = tail();
    let came = read(source(&head, b"~", 1_000_000, &tail), Limits::default());
    assert_eq!(came.sets.last(), Some(&("0002".to_owned(), true)));
    assert_eq!(came.answers, 1);
    assert!(came.rules.len() < 3_000);
}

#[test]
fn a_million_segments_can_be_explained() {
    let head = format!("{ISA}{GS}ST*850*0001~BEG*00*SA*4711**20260115~");
    let tail = tail();
    let mut reader = Reader::new(source(&head, b"REF*DP*1\n~", 200_000, &tail));
    let mut sets = 0;
    while let Some(event) = reader.next().unwrap() {
        if let Event::Set(set) = event {
            sets += 1;
            let read = annotate(SchemaRegistry::standard(), Release::R004010, set, None);
            assert_eq!(read.segments.len(), set.len());
            assert_eq!(
                read.segments.last().map(|s| s.line),
                set.segments().last().map(|s| s.line())
            );
        }
    }
    assert_eq!(sets, 2);
}

#[test]
fn a_hierarchy_deeper_than_the_limit_is_told() {
    let mut text = format!(
        "{ISA}GS*SH*BUYER*SELLER*20260115*1230*1*X*004010~ST*856*0001~BSN*00*11*20260115*1230~"
    );
    for n in 1..=100_000 {
        let parent = if n == 1 {
            String::new()
        } else {
            (n - 1).to_string()
        };
        let level = match n {
            1 => "S",
            2 => "O",
            _ => "Q",
        };
        text.push_str(&format!("HL*{n}*{parent}*{level}~"));
    }
    text.push_str("CTT*100000~SE*100004*0001~GE*1*1~IEA*1*000000001~");
    let came = read(text.as_bytes(), Limits::default());
    assert_eq!(came.sets.len(), 1);
    assert!(
        came.rules
            .iter()
            .any(|rule| rule.name().starts_with("hierarchy-")),
        "{came:?}"
    );
    assert!(came.rules.len() < 3_000);
    let flat = read(
        text.as_bytes(),
        Limits {
            depth: 200_000,
            ..Limits::default()
        },
    );
    assert!(
        flat.sets[0].1,
        "{:?}",
        &flat.rules[..flat.rules.len().min(5)]
    );
}

#[test]
fn what_only_holds_a_ship_notice_never_refuses_it_by_its_number() {
    let mut text = format!(
        "{ISA}GS*SH*BUYER*SELLER*20260115*1230*1*X*004010~ST*856*0001~BSN*00*11*20260115*1230*0001~HL*1**S~HL*2*1*O~HL*3*2*I~"
    );
    for n in 4..=5_000 {
        text.push_str(&format!("HL*{n}*3*P~MAN*GM*1~MAN*AA*006141411234567890~"));
    }
    text.push_str("SE*14997*0001~GE*1*1~IEA*1*000000001~");
    let came = read(text.as_bytes(), Limits::default());
    assert!(came.sets[0].1, "{:?}", &came.rules[..5]);
    for rule in [Rule::HierarchyLevel, Rule::MarkInvalid, Rule::MarkRepeated] {
        let told = came.rules.iter().filter(|told| **told == rule).count();
        assert_eq!(told, 100, "{rule:?}");
    }
}

#[test]
fn a_flood_of_findings_is_cut_at_the_limit() {
    let head = format!("{ISA}{GS}ST*850*0001~BEG*00*SA*4711**20260115~");
    let tail = tail();
    let came = read(source(&head, b"XX9*A~", 300_000, &tail), Limits::default());
    check(&came, Rule::TooManyFindings);
    let few = Limits {
        findings: 3,
        ..Limits::default()
    };
    let came = read(source(&head, b"XX9*A~", 10, &tail), few);
    check(&came, Rule::TooManyFindings);
    let unknown = came
        .rules
        .iter()
        .filter(|rule| **rule == Rule::SegmentUnrecognized)
        .count();
    assert_eq!(unknown, 3);
}

#[test]
fn a_set_longer_than_the_limit_is_refused_and_the_next_one_taken() {
    let head = format!("{ISA}{GS}ST*850*0001~BEG*00*SA*4711**20260115~");
    let tail = tail();
    let small = Limits {
        set_bytes: 100_000,
        ..Limits::default()
    };
    let came = read(source(&head, b"REF*DP*1~", 1_000_000, &tail), small);
    check(&came, Rule::SetTooLong);
}

#[test]
fn groups_and_sets_without_number_do_not_fill_the_memory() {
    let came = read(
        source(
            ISA,
            b"GS*PO*B*S*20260115*1230*1*X*004010~GE*0*1~",
            50_000,
            "IEA*50000*000000001~",
        ),
        Limits::default(),
    );
    assert_eq!(came.answers, 50_000);
    let came = read(source("", b"ISA", 100_000, ""), Limits::default());
    assert!(came.rules.len() < 10_000, "{}", came.rules.len());
}
