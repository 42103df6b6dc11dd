//! Acknowledgments worked out by hand, each with the interchange that it answers: the files under
//! `golden/acknowledgments` say what is received, how the partner wants to be answered, and the
//! answer between ST and SE.

use std::collections::BTreeMap;
use supercargo_x12::{
    AckOptions, Delimiters, Event, GroupVerdict, InterchangeVerdict, MissingSegment, OutboundSet,
    Reader, Release, Rule, SchemaRegistry, SetVerdict, Severity, build_997, build_999, build_ta1,
    validate_outbound, validate_set,
};

struct Golden {
    name: String,
    received: String,
    options: BTreeMap<String, String>,
    /// The 997s between ST and SE, where the file says them.
    answer: Option<String>,
    /// The 999s.
    implementation: Option<String>,
    /// The TA1 of each interchange.
    ta1: Option<String>,
}

fn goldens() -> Vec<Golden> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/acknowledgments");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| golden(path)).collect()
}

fn golden(path: &std::path::Path) -> Golden {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let (mut section, mut parts) = (String::new(), BTreeMap::<String, String>::new());
    for line in std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        match line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            Some(title) => section = title.to_owned(),
            None => parts
                .entry(section.clone())
                .or_default()
                .extend([line, "\n"]),
        }
    }
    let mut part = |title: &str| parts.remove(title);
    let options = part("options")
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    Golden {
        name,
        received: part("received").unwrap_or_default(),
        options,
        answer: part("answer"),
        implementation: part("999"),
        ta1: part("ta1"),
    }
}

fn options(golden: &Golden) -> (AckOptions, Vec<Rule>) {
    let (mut options, mut tolerated) = (AckOptions::default(), Vec::new());
    for (key, value) in &golden.options {
        match (key.as_str(), value.as_str()) {
            ("accepted_sets", value) => options.accepted_sets = value == "true",
            ("repeated_set_number", value) => value.clone_into(&mut options.repeated_set_number),
            ("missing_segment", "last-good") => options.missing_segment = MissingSegment::LastGood,
            ("release", value) => options.release = Release::of_version(value).unwrap(),
            ("tolerate", value) => {
                tolerated.extend(Rule::ALL.iter().filter(|rule| rule.name() == value))
            }
            ("delimiters", value) => {
                let bytes = value.as_bytes();
                options.delimiters = Delimiters {
                    element: bytes[0],
                    component: bytes[2],
                    ..Delimiters::default()
                };
            }
            other => panic!("{}: unknown option {other:?}", golden.name),
        }
    }
    (options, tolerated)
}

/// Every group of a file with its verdicts.
fn groups(file: &str, tolerated: &[Rule]) -> Vec<GroupVerdict> {
    let registry = SchemaRegistry::standard();
    let mut reader = Reader::new(file.as_bytes());
    let (mut open, mut closed): (Option<GroupVerdict>, Vec<GroupVerdict>) = (None, Vec::new());
    while let Some(event) = reader.next().unwrap() {
        match event {
            Event::GroupOpened(header) => open = Some(GroupVerdict::open(header)),
            Event::Set(set) => {
                let group = open.as_mut().unwrap();
                let release = Release::of_version(&group.version).unwrap();
                let mut verdict = SetVerdict::of(set, validate_set(registry, release, set, None));
                verdict.tolerate(tolerated);
                group.add(verdict);
            }
            Event::GroupClosed(end) => {
                let mut group = open.take().unwrap();
                group.close(&end);
                closed.push(group);
            }
            _ => {}
        }
    }
    closed
}

/// The set between ST and SE, one segment a line.
fn text(set: &OutboundSet, delimiters: &Delimiters) -> String {
    let read = set.read_back("0001", delimiters).unwrap();
    read.segments()
        .filter(|segment| !matches!(segment.id(), "ST" | "SE"))
        .map(|segment| format!("{}~\n", segment.text()))
        .collect()
}

/// The TA1 of each interchange of a file.
fn ta1s(file: &str) -> String {
    let mut reader = Reader::new(file.as_bytes());
    let mut answer = String::new();
    while let Some(event) = reader.next().unwrap() {
        if let Event::InterchangeClosed(closed) = event {
            let ta1 = build_ta1(&InterchangeVerdict::of(&closed));
            let elements: Vec<&str> = (1..=5).map(|n| ta1.element(n)).collect();
            answer += &format!("TA1*{}~\n", elements.join("*"));
        }
    }
    answer
}

/// The answers to a file, and what our own validation says of them.
fn answers(
    golden: &Golden,
    options: &AckOptions,
    tolerated: &[Rule],
    build: fn(&GroupVerdict, &AckOptions) -> Option<OutboundSet>,
) -> String {
    let groups = groups(&golden.received, tolerated);
    let sets: Vec<OutboundSet> = groups
        .iter()
        .filter_map(|group| build(group, options))
        .collect();
    // What we say of others must be true of ourselves.
    for set in &sets {
        let faults = validate_outbound(SchemaRegistry::standard(), options.release, set, None);
        let faults: Vec<_> = faults
            .into_iter()
            .filter(|f| f.severity >= Severity::Hold)
            .collect();
        assert!(faults.is_empty(), "{}: {faults:#?}", golden.name);
    }
    sets.iter()
        .map(|set| text(set, &options.delimiters))
        .collect()
}

#[test]
fn every_acknowledgment_is_the_one_worked_out_by_hand() {
    let goldens = goldens();
    assert!(goldens.len() >= 60, "{} files", goldens.len());
    let mut wrong = Vec::new();
    for golden in &goldens {
        let (options, tolerated) = options(golden);
        let mut compare = |what: &str, by_hand: &Option<String>, built: &dyn Fn() -> String| {
            let Some(by_hand) = by_hand else { return };
            let built = built();
            if built.trim() != by_hand.trim() {
                wrong.push(format!(
                    "== {} {what}\nby hand:\n{by_hand}\nbuilt:\n{built}",
                    golden.name
                ));
            }
        };
        compare("997", &golden.answer, &|| {
            answers(golden, &options, &tolerated, build_997)
        });
        compare("999", &golden.implementation, &|| {
            answers(golden, &options, &tolerated, build_999)
        });
        compare("TA1", &golden.ta1, &|| ta1s(&golden.received));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every code that the engine can say stands in an answer worked out by hand. AK502 1 it never says: a
/// set without a schema is judged by its envelope and its elements, and noted.
#[test]
fn every_code_stands_in_an_answer() {
    let mut said = std::collections::BTreeSet::new();
    let mut note = |line: &str| {
        let elements: Vec<&str> = line.trim_end_matches('~').split('*').collect();
        let codes: &[(&str, std::ops::Range<usize>)] = match elements[0] {
            "AK3" | "IK3" => &[("AK304", 4..5)],
            "AK4" | "IK4" => &[("AK403", 3..4)],
            "AK5" | "IK5" => &[("AK501", 1..2), ("AK502", 2..7)],
            "AK9" => &[("AK901", 1..2), ("AK905", 5..10)],
            "TA1" => &[("TA104", 4..5), ("TA105", 5..6)],
            _ => &[],
        };
        for (place, range) in codes {
            for code in elements.iter().take(range.end).skip(range.start) {
                said.insert(format!("{place} {code}"));
            }
        }
    };
    for golden in goldens() {
        for answer in [golden.answer, golden.implementation, golden.ta1]
            .into_iter()
            .flatten()
        {
            answer.lines().for_each(&mut note);
        }
    }
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faulty")).unwrap() {
        let case = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        case.split("---\n")
            .nth(1)
            .unwrap()
            .lines()
            .for_each(&mut note);
    }
    for (place, codes) in [
        ("AK304", "1 2 3 4 5 6 7 8"),
        ("AK403", "1 2 3 4 5 6 7 8 9 10 12 13"),
        ("AK501", "A E R"),
        ("AK502", "2 3 4 5 6 7 23"),
        ("AK901", "A E P R"),
        ("AK905", "1 2 3 4 5 6 19"),
        ("TA104", "A E R"),
        (
            "TA105",
            "000 001 004 005 006 007 008 010 014 015 017 018 019 020 021 022 023 024 026 027",
        ),
    ] {
        for code in codes.split(' ') {
            assert!(
                said.contains(&format!("{place} {code}")),
                "no answer says {place} {code}"
            );
        }
    }
}
