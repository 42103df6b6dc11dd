//! Read without a panic, and given back byte for byte, as events and as JSON.
#![no_main]

#[path = "../../parsers/x12/tests/support/any_bytes.rs"]
mod any_bytes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| any_bytes::read(bytes));
