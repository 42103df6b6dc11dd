//! Any guide over any file: the first line is the guide as JSON, the rest the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use supercargo_x12::{Event, Overlay, Reader, Release, SchemaRegistry, annotate};

fuzz_target!(|bytes: &[u8]| {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (guide, file) = bytes.split_at(at);
    let Ok(overlay) = serde_json::from_slice::<Overlay>(guide) else { return };
    let mut reader = Reader::new(file);
    while let Ok(Some(event)) = reader.next() {
        if let Event::Set(set) = event {
            let _ = annotate(SchemaRegistry::standard(), Release::R004010, set, Some(&overlay));
        }
    }
});
