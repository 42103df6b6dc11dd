//! The order-to-cash domain: pure types and transitions. Knows no bytes, no database, no clock.
//!
//! Every amount is exact: [`money::Amount`] is integer minor units, quantities and prices are decimals.
//! Time is handed in by whoever calls.

pub mod allocation;
pub mod application;
pub mod backoff;
pub mod cancellation;
pub mod catalogue;
pub mod clock;
pub mod delivery;
pub mod document;
pub mod finding;
pub mod gs1;
pub mod ids;
pub mod invoice;
pub mod ledger;
pub mod money;
pub mod order;
pub mod packing;
pub mod policy;
pub mod receivable;
pub mod remittance;
pub mod shared;
pub mod shipment;
#[cfg(test)]
mod specimens;
pub mod stock;
pub mod terms;
pub mod verification;
