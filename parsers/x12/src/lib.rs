//! X12, the format of American business documents: bytes to segments and back, schemas, partner
//! guides, findings, acknowledgments. Nothing of orders or databases.
//!
//! Read a file, judge its sets, answer with a 997:
//!
//! ```
//! # let file: &[u8] = b"ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000001*0*P*>~GS*PO*BUYER*SELLER*20260115*1230*1*X*004010~ST*850*0001~BEG*00*SA*4711**20260115~PO1*1*12*EA*8.5~CTT*1~SE*5*0001~GE*1*1~IEA*1*000000001~";
//! use supercargo_x12::{AckOptions, Event, GroupVerdict, Reader, Release, SchemaRegistry, SetVerdict, build_997, validate_set};
//! let registry = SchemaRegistry::standard();
//! let mut reader = Reader::new(file);
//! let mut group = None;
//! while let Some(event) = reader.next()? {
//!     match event {
//!         Event::GroupOpened(header) => group = Some(GroupVerdict::open(header)),
//!         Event::Set(set) => {
//!             println!("{} for PO {}", set.code(), set.find("BEG").map_or("", |beg| beg.element(3)));
//!             let findings = validate_set(registry, Release::R004010, set, None);
//!             if let Some(group) = &mut group { group.add(SetVerdict::of(set, findings)) }
//!         }
//!         Event::GroupClosed(closed) => {
//!             let Some(mut group) = group.take() else { continue };
//!             group.close(&closed);
//!             let answer = build_997(&group, &AckOptions::default());
//!             assert_eq!(answer.unwrap().segments[0].id, "AK1");
//!         }
//!         _ => {}
//!     }
//! }
//! # Ok::<(), std::io::Error>(())
//! ```

mod ack;
mod delimiters;
mod element;
mod explain;
mod finding;
mod header;
mod json;
mod limits;
mod overlay;
mod reader;
mod scan;
mod schema;
mod sef;
mod set;
mod text;
mod validate;
mod verdict;
mod writer;

pub use ack::{AckOptions, MissingSegment, build_997, build_999, build_ta1, needs_acknowledgment};
pub use delimiters::{AfterTerminator, Delimiters};
pub use element::{CharacterSet, ElementType, is_date, is_time};
pub use explain::{AnnotatedElement, AnnotatedSegment, AnnotatedSet, annotate};
pub use finding::{AckCode, AckPlace, Finding, Level, Origin, Rule, Severity};
pub use header::{GroupHeader, IsaHeader, Ta1};
pub use json::{JsonError, JsonLine, from_json, to_json};
pub use limits::Limits;
pub use overlay::{ConditionRule, ElementRule, Overlay, Presence, SegmentRule};
pub use reader::{
    Event, GroupClosed, InterchangeClosed, NotASet, Outside, Reader, Stray, read_set,
};
pub use schema::{Release, Schema, SchemaRegistry, functional_id_of};
pub use sef::{SefError, SefFinding, SefGuide, SefNote, SefSet, import_sef};
pub use set::{Segment, SetHeader, TransactionSet};
pub use text::decode;
pub use validate::{Validator, validate_outbound, validate_set};
pub use verdict::{Acceptance, GroupTotals, GroupVerdict, InterchangeVerdict, SetVerdict};
pub use writer::{
    Address, Envelope, Group, NumberedSet, OutElement, OutSegment, OutboundSet, WriteError,
    Written, WrittenSet, check_characters, number, seg, set_number, write_interchange,
};
