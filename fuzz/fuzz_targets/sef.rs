//! Whatever overlay comes out of a SEF file can be judged by, and its places can be read.
#![no_main]

#[path = "../../parsers/x12/tests/support/any_bytes.rs"]
mod any_bytes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| any_bytes::sef(bytes));
