//! The inputs that the fuzz targets have found (`fuzz/corpus`), tried again.

#[path = "support/any_bytes.rs"]
mod any_bytes;

mod support;

use std::path::Path;
use supercargo_x12::Reader;
use support::{transcript, transcript_of};

fn inputs(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let inputs: Vec<Vec<u8>> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(
        inputs.len() > 20,
        "{} in {}",
        inputs.len(),
        folder.display()
    );
    inputs
}

fn replay(target: &str, check: fn(&[u8])) {
    inputs(target).iter().for_each(|input| check(input));
}

#[test]
fn what_is_read_comes_back() {
    replay("read", any_bytes::read);
}

#[test]
fn everything_is_acknowledged() {
    replay("acknowledge", any_bytes::acknowledge);
}

#[test]
fn what_is_written_is_read_again() {
    replay("write", any_bytes::write);
}

#[test]
fn any_guide_judges_any_file() {
    replay("overlay", any_bytes::overlay);
}

#[test]
fn any_guide_is_imported() {
    replay("sef", any_bytes::sef);
}

#[test]
fn a_reader_that_begins_anew_reads_as_a_new_one() {
    let inputs = [inputs("read"), inputs("acknowledge")].concat();
    let mut reader = Reader::new(&b""[..]);
    for input in &inputs {
        reader.restart(&input[..]);
        assert_eq!(transcript_of(&mut reader), transcript(&input[..]));
        // What is left half-way must not show in the next file either.
        reader.restart(&input[..]);
        let _ = reader.next();
        let _ = reader.next();
    }
}
