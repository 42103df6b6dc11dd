//! X12 ⇄ domain under a partner's profile, one file per transaction set. The only bridge between the two.
//!
//! Readers take a transaction set whose syntax was accepted and give a domain value, or every finding that keeps it
//! from being one. Builders take domain values and give an outbound set without control numbers, or every finding that
//! keeps it from being sent. Neither knows the database, the clock or a file.

pub mod acknowledgment;
pub mod application_advice;
pub mod archive;
pub mod crosscheck;
pub mod envelope;
pub mod invoice;
pub mod judge;
pub mod purchase_order;
pub mod reference;
pub mod remittance;
pub mod response;
pub mod ship_notice;
pub mod syntax;

mod charge;
mod element;
mod item;
pub mod outbound;
mod party;
mod place;
mod terms;

pub use outbound::delimiters;
