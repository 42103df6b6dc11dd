//! Any bytes: read without a panic, and given back byte for byte, as events and as JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use supercargo_x12::{Reader, from_json, to_json};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = Reader::new(bytes);
    let mut back = Vec::new();
    while let Ok(Some(_)) = reader.next() {
        back.extend_from_slice(reader.raw());
    }
    assert_eq!(back, bytes);
    let (mut json, mut back) = (Vec::new(), Vec::new());
    to_json(bytes, &mut json).unwrap();
    from_json(&json[..], &mut back).unwrap();
    assert_eq!(back, bytes);
});
