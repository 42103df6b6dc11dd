//! Every group gets its 997 and 999, every interchange its TA1, and the counts hold together.
#![no_main]

#[path = "../../parsers/x12/tests/support/any_bytes.rs"]
mod any_bytes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| any_bytes::acknowledge(bytes));
