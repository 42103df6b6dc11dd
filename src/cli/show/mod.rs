//! What `list` and `show` print, one file per subject.

pub mod alerts;
pub mod catalogue;
pub mod documents;
pub mod files;
pub mod invoices;
pub mod orders;
pub mod partners;
pub mod receivables;
pub mod shipments;
