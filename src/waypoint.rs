//! Named lines on the path of the data at which a process may die: what has been written by then, and what has not.
//!
//! A gateway passes them and nothing happens. A rehearsal that runs the gateway inside its own program may watch them
//! ([`watch`]) and end the process there; the program that is shipped watches nothing, and nothing that reaches it from
//! outside (environment, settings, files) can make it.

use std::sync::OnceLock;

/// A line: in which step, and where in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Waypoint {
    /// The step.
    pub step: &'static str,
    /// Where in it.
    pub line: &'static str,
}

impl std::fmt::Display for Waypoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.step, self.line)
    }
}

/// What a rehearsal does at every line that is passed.
static WATCHER: OnceLock<fn(Waypoint)> = OnceLock::new();

/// Has every line that is passed from now on told to `watcher`. Once for a process; a second watcher is ignored.
pub fn watch(watcher: fn(Waypoint)) {
    // Ignored on purpose, as the documentation says.
    let _ = WATCHER.set(watcher);
}

/// Passes a line of [`ALL`].
pub fn pass(step: &'static str, line: &'static str) {
    if let Some(watcher) = WATCHER.get() {
        watcher(Waypoint { step, line });
    }
}

/// Work has been claimed and nothing is done of it.
pub const BEGUN: &str = "begun";
/// Everything that belongs together is written, and not committed.
pub const BEFORE_COMMIT: &str = "before the commit";
/// It is committed; whoever waits for it has not heard.
pub const COMMITTED: &str = "committed";

const fn at(step: &'static str, line: &'static str) -> Waypoint {
    Waypoint { step, line }
}

/// Every line, in the order of the path.
pub const ALL: &[Waypoint] = &[
    at("upload", "spooled"),
    at("upload", "part of a large file stored"),
    at("upload", "bytes stored"),
    at("upload", BEFORE_COMMIT),
    at("upload", COMMITTED),
    at("upload", "before the OK"),
    at("poll", "copied"),
    at("poll", "received, not cleared away"),
    at("poll", "cleared away"),
    at("lanes", "claimed"),
    at("lanes", "before they are given back"),
    at("read", BEGUN),
    at("read", "part of a large interchange committed"),
    at("read", BEFORE_COMMIT),
    at("read", COMMITTED),
    at("translate", BEGUN),
    at("translate", BEFORE_COMMIT),
    at("translate", COMMITTED),
    at("verify", BEGUN),
    at("verify", BEFORE_COMMIT),
    at("verify", COMMITTED),
    at("allocate", BEGUN),
    at("allocate", BEFORE_COMMIT),
    at("allocate", COMMITTED),
    at("fulfil", BEGUN),
    at("fulfil", BEFORE_COMMIT),
    at("fulfil", COMMITTED),
    at("invoice", BEGUN),
    at("invoice", BEFORE_COMMIT),
    at("invoice", COMMITTED),
    at("deliver", BEGUN),
    at("deliver", "control numbers taken"),
    at("deliver", "rendered"),
    at("deliver", BEFORE_COMMIT),
    at("deliver", COMMITTED),
    at("push", BEGUN),
    at("push", "written under its temporary name"),
    at("push", "renamed"),
    at("push", "arrived"),
    at("push", COMMITTED),
    at("seal", BEGUN),
    at("seal", BEFORE_COMMIT),
    at("seal", COMMITTED),
    at("pickup", "before the commit"),
    at("pickup", COMMITTED),
    at("store", BEFORE_COMMIT),
    at("store", COMMITTED),
];
