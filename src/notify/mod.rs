//! What people are told outside the console: mail from an outbox that the house keeps.

pub mod mail;
pub mod outbox;
