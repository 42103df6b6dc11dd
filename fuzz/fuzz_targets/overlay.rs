//! Any guide over any file: the first line is the guide as JSON, the rest the file.
#![no_main]

#[path = "../../parsers/x12/tests/support/any_bytes.rs"]
mod any_bytes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| any_bytes::overlay(bytes));
