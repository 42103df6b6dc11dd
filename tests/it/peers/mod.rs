//! Throwaway servers and clients that the tests talk to: real ones, each on a free port, each gone with its test.

// Each starter serves some of the tests of this binary, none of them all.
#![allow(dead_code)]

pub mod browser;
pub mod counter;
pub mod house;
pub mod http;
pub mod openssh;
pub mod postgres;
pub mod s3;
pub mod smtp;

use std::io::Write;
use std::net::{Shutdown, TcpStream};

/// Hands on what one line brings to another, on a thread that ends when either side does.
pub fn pass_on(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (
        from.try_clone().expect("clones"),
        to.try_clone().expect("clones"),
    );
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}

/// Says that the test which calls this cannot run here and why, on its own output and in the file that
/// `SUPERCARGO_TEST_LEFT_OUT` names, from which `tests/run` makes its account. The test should return at once.
///
/// `test` is the test's name, `reason` what is missing and how to get it.
pub fn left_out(test: &str, reason: &str) {
    println!("skipped: {test}: {reason}");
    let Some(account) = std::env::var_os("SUPERCARGO_TEST_LEFT_OUT") else {
        return;
    };
    let opened = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(account);
    if let Ok(mut account) = opened {
        // A line that cannot be written still stands in the test's own output.
        let _ = writeln!(account, "{test}: {reason}");
    }
}

/// The name of the running test: the test harness names each test's thread after it.
pub fn test_name() -> String {
    std::thread::current().name().unwrap_or("a test").to_owned()
}
