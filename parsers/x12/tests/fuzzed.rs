//! The inputs that the fuzz targets have found (`fuzz/corpus`), tried again.

#[path = "support/any_bytes.rs"]
mod any_bytes;

use std::path::Path;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let mut tried = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        check(&std::fs::read(entry.unwrap().path()).unwrap());
        tried += 1;
    }
    assert!(tried > 20, "{tried} inputs in {}", folder.display());
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
