//! Acknowledgments worked out by hand, each with the interchange that it answers: the files under
//! `golden/acknowledgments` say what is received, how the partner wants to be answered, and the
//! answer between ST and SE.

use std::collections::BTreeMap;
use supercargo_x12::{
    AckOptions, Delimiters, Event, GroupVerdict, MissingSegment, OutboundSet, Reader, Release,
    Rule, SchemaRegistry, SetVerdict, Severity, build_997, validate_outbound, validate_set,
};

struct Golden {
    name: String,
    received: String,
    options: BTreeMap<String, String>,
    answer: String,
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
    let mut part = |title: &str| parts.remove(title).unwrap_or_default();
    let options = part("options")
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    Golden {
        name,
        received: part("received"),
        options,
        answer: part("answer"),
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

#[test]
fn every_997_is_the_one_worked_out_by_hand() {
    let goldens = goldens();
    assert!(goldens.len() >= 30);
    let mut wrong = Vec::new();
    for golden in &goldens {
        let (options, tolerated) = options(golden);
        let sets: Vec<OutboundSet> = groups(&golden.received, &tolerated)
            .iter()
            .filter_map(|group| build_997(group, &options))
            .collect();
        let answer: String = sets
            .iter()
            .map(|set| text(set, &options.delimiters))
            .collect();
        if answer.trim() != golden.answer.trim() {
            wrong.push(format!(
                "== {}\nby hand:\n{}\nbuilt:\n{answer}",
                golden.name, golden.answer
            ));
        }
        // What we say of others must be true of ourselves.
        for set in &sets {
            let faults: Vec<_> =
                validate_outbound(SchemaRegistry::standard(), options.release, set, None)
                    .into_iter()
                    .filter(|f| f.severity >= Severity::Hold)
                    .collect();
            assert!(faults.is_empty(), "{}: {faults:#?}", golden.name);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
