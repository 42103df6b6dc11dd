//! A file on its way out, and how its delivery ended.

use std::sync::Arc;

/// A file to deliver.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// Its name there; never used for two files.
    pub name: String,
    /// All of it.
    pub bytes: Arc<[u8]>,
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// The file was written now.
    Now,
    /// An earlier attempt, whose answer we did not get, had delivered it: the same bytes lie there.
    Before,
    /// A file of the same name and size lies there, and the server does not let us read it. Our names are never used
    /// twice, so it is ours.
    BeforeBySize,
}
