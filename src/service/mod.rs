//! What runs: the mailbox, the console, workers and schedules around one gateway, with the real clock and a graceful
//! stop.

pub mod arrivals;
pub mod clock;
pub mod endpoints;
pub mod mailbox;
pub mod occupancy;
pub mod outbox;
pub mod schedules;
pub mod serve;

pub use clock::HouseClock;
pub use serve::{ServeFailure, ServeOptions, Service};
