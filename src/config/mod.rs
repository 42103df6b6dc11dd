//! Settings of the program, profiles of the partners and the lists (items, prices, stock, locations, warehouses):
//! read, checked whole, unknown keys refused, every fault reported with its line and what to write instead.
//!
//! Knows `domain` and the X12 crate, nobody else. Reads text that is handed in; only [`settings::Settings::load`] and
//! [`secret`] touch files and environment.

pub mod lists;
pub mod profile;
pub mod reading;
pub mod roles;
pub mod samples;
pub mod secret;
pub mod settings;
mod sheet;
