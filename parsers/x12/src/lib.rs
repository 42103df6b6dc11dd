#![doc = include_str!("../README.md")]

mod ack;
mod delimiters;
mod element;
mod envelope;
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

pub use ack::{
    AckOptions, MissingSegment, Unanswerable, answer_addresses, answer_codes, build_997, build_999,
    build_ta1, needs_acknowledgment,
};
pub use delimiters::{AfterTerminator, Delimiters};
pub use element::{CharacterSet, ElementType, is_date, is_time};
pub use envelope::{GroupHeader, Ta1};
pub use explain::{
    AnnotatedElement, AnnotatedSegment, AnnotatedSet, annotate, annotate_envelope,
    annotate_unjudged,
};
pub use finding::{AckCode, AckPlace, Finding, Level, Origin, Rule, Severity};
pub use header::IsaHeader;
pub use json::{JsonError, JsonLine, from_json, to_json};
pub use limits::Limits;
pub use overlay::{ConditionRule, ElementRule, Overlay, Presence, SegmentRule};
pub use reader::{
    Event, GroupClosed, InterchangeClosed, NotASet, Outside, Reader, Stray, read_set,
    read_set_with_limits,
};
pub use schema::{Release, Schema, SchemaRegistry, functional_id_of};
pub use sef::{SefError, SefFinding, SefGuide, SefNote, SefSet, import_sef};
pub use set::{Segment, SetHeader, TransactionSet};
pub use text::decode;
pub use validate::{OutboundFindings, Validator, check_outbound, validate_outbound, validate_set};
pub use verdict::{Acceptance, GroupTotals, GroupVerdict, InterchangeVerdict, SetVerdict};
pub use writer::{
    Address, Envelope, Group, NumberedSet, OutElement, OutSegment, OutboundSet, Text, WriteError,
    Written, WrittenSet, check_characters, is_application_code, number, seg, set_number,
    write_interchange,
};

#[cfg(test)]
mod tests {
    /// The front page tells of every finding, with its code and what it does.
    #[test]
    fn the_front_page_lists_every_finding() {
        let page = include_str!("../README.md");
        for rule in crate::Rule::ALL {
            let does = format!("{:?}", rule.severity()).to_lowercase();
            let row = match rule.ack() {
                Some((_, code)) => format!("| {code} | `{}` | {does} |", rule.name()),
                None => format!("| `{}` | {does} |", rule.name()),
            };
            assert!(page.contains(&row), "README.md lacks {row}");
        }
    }
}
