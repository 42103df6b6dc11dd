//! Where the real files are, and reading a whole file into a comparable list of events.
#![allow(dead_code)]

pub mod complaints;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use supercargo_x12::{Event, Reader};

/// The folder of real files, if this machine has it.
pub fn corpus() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let candidates = [
        std::env::var_os("SUPERCARGO_CORPUS").map(PathBuf::from),
        Some(root.join("../shared/corpus")),
        Some(root.join("../../shared/corpus")),
    ];
    let found = candidates
        .into_iter()
        .flatten()
        .find(|path| path.join("INDEX.tsv").is_file());
    if found.is_none() {
        left_out("needs the folder of real files: SUPERCARGO_CORPUS names it");
    }
    found
}

/// Says that the running test cannot run here, and why: on its own output, and in the file that
/// `SUPERCARGO_TEST_LEFT_OUT` names, from which `tests/run` makes its account.
pub fn left_out(reason: &str) {
    let thread = std::thread::current();
    let line = format!("{}: {reason}", thread.name().unwrap_or("a test"));
    eprintln!("left out: {line}");
    if let Some(path) = std::env::var_os("SUPERCARGO_TEST_LEFT_OUT") {
        let account = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path);
        writeln!(account.unwrap(), "{line}").unwrap();
    }
}

/// One row of the corpus' index.
pub struct Row {
    pub file: String,
    pub set: String,
    pub note: String,
    pub check: String,
    pub isa: String,
    pub gs: String,
    pub st: String,
    pub segments: String,
    pub bytes: Vec<u8>,
}

pub fn rows(folder: &Path) -> Vec<Row> {
    let index = std::fs::read_to_string(folder.join("INDEX.tsv")).unwrap();
    index
        .lines()
        .skip(1)
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let column = |n: usize| columns.get(n).copied().unwrap_or_default().to_owned();
            Row {
                file: column(0),
                set: column(1),
                note: column(9),
                check: column(13),
                isa: column(14),
                gs: column(15),
                st: column(16),
                segments: column(17),
                bytes: std::fs::read(folder.join(columns[0])).unwrap(),
            }
        })
        .collect()
}

/// A source that gives its bytes in pieces of the sizes asked for, over and over.
pub struct Pieces<'a> {
    pub bytes: &'a [u8],
    pub sizes: Vec<usize>,
    pub turn: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()].max(1);
        self.turn += 1;
        let size = size.min(self.bytes.len()).min(buffer.len());
        buffer[..size].copy_from_slice(&self.bytes[..size]);
        self.bytes = &self.bytes[size..];
        Ok(size)
    }
}

/// Everything that the reader says, as text, and the bytes of all events together.
pub fn transcript(source: impl Read) -> (Vec<String>, Vec<u8>) {
    transcript_of(&mut Reader::new(source))
}

/// [`transcript`] of a reader that is at the beginning of its source.
pub fn transcript_of<R: Read>(reader: &mut Reader<R>) -> (Vec<String>, Vec<u8>) {
    let (mut lines, mut bytes) = (Vec::new(), Vec::new());
    while let Some(event) = reader.next().unwrap() {
        lines.push(match &event {
            Event::Set(set) => {
                let segments: Vec<String> = set
                    .segments()
                    .map(|s| format!("{}@{}+{} {:?}", s.index(), s.offset(), s.length(), s))
                    .collect();
                format!(
                    "Set {:?} complete={} {:?} {segments:?}",
                    set.header(),
                    set.is_complete(),
                    set.findings()
                )
            }
            other => format!("{other:?}"),
        });
        bytes.extend_from_slice(reader.raw());
    }
    (lines, bytes)
}

/// The verdicts over everything in a file.
#[derive(Default)]
pub struct Judged {
    pub groups: Vec<supercargo_x12::GroupVerdict>,
    pub interchanges: Vec<supercargo_x12::InterchangeVerdict>,
    /// Findings of the file itself.
    pub findings: Vec<supercargo_x12::Finding>,
}

/// Reads, validates and judges a file, each group by the release that it names.
pub fn judge(bytes: &[u8]) -> Judged {
    use supercargo_x12::{
        GroupVerdict, InterchangeVerdict, SchemaRegistry, SetVerdict, validate_set,
    };
    let mut judged = Judged::default();
    let mut reader = Reader::new(bytes);
    let mut open = None;
    while let Some(event) = reader.next().unwrap() {
        match event {
            Event::GroupOpened(header) => {
                let mut group = GroupVerdict::open(header);
                let release = group.judge_release(None);
                open = Some((group, release));
            }
            Event::Set(set) => {
                if let Some((group, release)) = &mut open {
                    let findings = release.map(|release| {
                        validate_set(SchemaRegistry::standard(), release, set, None)
                    });
                    group.add(SetVerdict::of(set, findings.unwrap_or_default()));
                }
            }
            Event::GroupClosed(closed) => {
                if let Some((mut group, _)) = open.take() {
                    group.close(&closed);
                    judged.groups.push(group);
                }
            }
            Event::InterchangeClosed(closed) => {
                judged.interchanges.push(InterchangeVerdict::of(&closed))
            }
            Event::Outside(outside) => judged.findings.extend(outside.finding),
            Event::NoInterchange(finding) => judged.findings.push(finding),
            _ => {}
        }
    }
    judged
}
