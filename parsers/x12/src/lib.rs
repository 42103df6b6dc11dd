//! X12: bytes to segments and back.
mod delimiters;
mod element;
mod finding;
mod header;
mod limits;
mod reader;
mod scan;
mod set;
mod text;

pub use delimiters::{AfterTerminator, Delimiters};
pub use finding::{AckCode, AckPlace, Finding, Level, Origin, Rule, Severity};
pub use header::{GroupHeader, IsaHeader, Ta1};
pub use limits::Limits;
pub use reader::{Event, GroupClosed, InterchangeClosed, Outside, Reader, Stray};
pub use set::{Segment, SetHeader, TransactionSet};
