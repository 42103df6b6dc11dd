//! X12: bytes to segments and back.
mod ack;
mod delimiters;
mod element;
mod finding;
mod header;
mod limits;
mod reader;
mod scan;
mod schema;
mod set;
mod text;
mod verdict;
mod writer;

pub use ack::{AckOptions, build_997, build_999, build_ta1};
pub use delimiters::{AfterTerminator, Delimiters};
pub use element::CharacterSet;
pub use finding::{AckCode, AckPlace, Finding, Level, Origin, Rule, Severity};
pub use header::{GroupHeader, IsaHeader, Ta1};
pub use limits::Limits;
pub use reader::{Event, GroupClosed, InterchangeClosed, NotASet, Outside, Reader, Stray, read_set};
pub use schema::{Release, SchemaRegistry, functional_id_of};
pub use set::{Segment, SetHeader, TransactionSet};
pub use verdict::{Acceptance, GroupVerdict, InterchangeVerdict, SetVerdict};
pub use writer::{
    Address, Envelope, Group, NumberedSet, OutElement, OutSegment, OutboundSet, WriteError, Written, WrittenSet,
    check_characters, number, seg, set_number, write_interchange,
};
