//! What is read can be written and read again, and then it is the same; as a set of its own and as a whole interchange.
#![no_main]

#[path = "../../parsers/x12/tests/support/any_bytes.rs"]
mod any_bytes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| any_bytes::write(bytes));
