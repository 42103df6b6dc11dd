//! Which transaction sets pass between us, and what has been seen before.

use serde::{Deserialize, Serialize};

/// Transaction sets that the gateway can receive.
pub const RECEIVABLE_SETS: &[&str] = &["850", "820", "824", "997", "999"];

/// Transaction sets that a profile can have us send, besides acknowledgments.
pub const SENDABLE_SETS: &[&str] = &["855", "856", "810"];

/// Which sets are taken and sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Documents {
    /// Sets we take; another one is rejected in the 997 as not supported.
    pub receive: Vec<String>,
    /// Sets we send.
    pub send: Vec<String>,
}

impl Default for Documents {
    fn default() -> Self {
        let list = |sets: &[&str]| sets.iter().map(|set| (*set).to_owned()).collect();
        Self {
            receive: list(RECEIVABLE_SETS),
            send: list(SENDABLE_SETS),
        }
    }
}

/// What to do with what has been seen before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Duplicates {
    /// Days within which the same interchange number (ISA13) of the same sender counts as a repetition.
    pub interchange_days: u32,
    /// The same number with the same bytes.
    pub identical: OnIdentical,
    /// The same number with other bytes.
    pub different: OnDifferent,
    /// What makes an order the same order again.
    pub order_identity: Vec<OrderIdentity>,
    /// Days after which the buyer may use the identity for a new order; 0: never.
    pub order_reuse_days: u32,
    /// An original order (BEG01 00) that we have already. It never becomes a second order.
    pub order_again: OnOrderAgain,
}

impl Default for Duplicates {
    fn default() -> Self {
        Self {
            interchange_days: 365,
            identical: OnIdentical::AcknowledgeAgain,
            different: OnDifferent::Reject,
            order_identity: vec![OrderIdentity::PoNumber],
            order_reuse_days: 0,
            order_again: OnOrderAgain::Duplicate,
        }
    }
}

/// An interchange that came before, byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnIdentical {
    /// The stored acknowledgment goes out once more; nothing else happens.
    #[default]
    AcknowledgeAgain,
    /// TA1 R 025.
    Reject,
    /// Waits for a person.
    Hold,
}

/// An interchange under a number that was used for other bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDifferent {
    /// TA1 R 025: the partner sends it again under a new number.
    #[default]
    Reject,
    /// Waits for a person.
    Hold,
}

/// A field that belongs to an order's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderIdentity {
    /// BEG03.
    PoNumber,
    /// BEG04.
    Release,
    /// The ship-to's number (N1 ST).
    Store,
    /// REF DP.
    Department,
}

/// An order that came before, in another interchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnOrderAgain {
    /// Put aside as a duplicate, ops are told.
    #[default]
    Duplicate,
    /// Waits for a person.
    Hold,
}
