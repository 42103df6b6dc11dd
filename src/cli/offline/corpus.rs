//! Every file of the corpus, where the folder is there: JSON and back is the same file, redaction keeps length and
//! findings, judging ends.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::{json, judge, pieces, redact};

/// Bytes of the largest file that is tried here.
const LARGEST: u64 = 400_000;

fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("SUPERCARGO_CORPUS").map(PathBuf::from);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    named
        .into_iter()
        .chain(["../shared/corpus", "../../shared/corpus"].map(|path| root.join(path)))
        .find(|path| path.is_dir())
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if entry.metadata().is_ok_and(|meta| meta.len() <= LARGEST) {
            found.push(path);
        }
    }
}

/// Says that the test cannot run here, where `tests/run` makes its account of that too.
fn left_out() {
    let line =
        "files of the offline commands: needs the folder of real files: SUPERCARGO_CORPUS names it";
    println!("skipped: {line}");
    if let Some(path) = std::env::var_os("SUPERCARGO_TEST_LEFT_OUT") {
        let account = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path);
        writeln!(account.unwrap(), "{line}").unwrap();
    }
}

#[test]
fn every_file_goes_forth_and_back_and_keeps_its_findings_when_redacted() {
    let Some(folder) = folder() else {
        left_out();
        return;
    };
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    assert!(!paths.is_empty());
    for path in paths {
        let bytes = std::fs::read(&path).unwrap();
        let shown = path.display();
        let text = serde_json::to_vec(&json::forth(&bytes).unwrap()).unwrap();
        assert!(json::back(&text).unwrap() == bytes, "{shown}");
        let redacted = redact::redact(&bytes, b"key").unwrap().bytes;
        assert_eq!(redacted.len(), bytes.len(), "{shown}");
        assert!(
            redact::findings_of(&redacted).unwrap() == redact::findings_of(&bytes).unwrap(),
            "{shown}"
        );
        let judged = judge::judge(
            "",
            bytes.as_slice(),
            None,
            supercargo_x12::Limits::default(),
        )
        .unwrap();
        let cut = pieces::cut(&bytes, false).unwrap();
        let isas = cut
            .pieces
            .iter()
            .filter(|piece| piece.place == pieces::Place::Isa)
            .count();
        assert_eq!(judged.interchanges, isas as u64, "{shown}");
    }
}
