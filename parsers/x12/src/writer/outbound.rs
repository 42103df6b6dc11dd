//! The set that is being built: segments of elements, without ST and SE.
//!
//! As JSON a set is as short as it can be, for it lies in a database between building and
//! rendering: `{"code":"855","segments":[["BAK","00","AC"],["PO1","1",["A","B"]]]}`.

use super::characters::separators_between;
use super::{WriteError, check_set_number, header};
use crate::delimiters::Delimiters;
use crate::reader::read_set;
use crate::set::TransactionSet;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Text of a set that is sent. Up to 24 bytes of it, and most elements have fewer, lie in the set itself.
pub use compact_str::CompactString as Text;

/// A transaction set to be sent; ST and SE are the writer's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboundSet {
    /// ST01, such as `855`.
    pub code: String,
    /// ST03, from 005010 on and only where a partner asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub implementation: Option<String>,
    /// Everything between ST and SE.
    pub segments: Vec<OutSegment>,
}

impl OutboundSet {
    /// An empty set.
    pub fn new(code: impl Into<String>) -> OutboundSet {
        OutboundSet {
            code: code.into(),
            implementation: None,
            segments: Vec::new(),
        }
    }

    /// The set with one more segment.
    #[must_use]
    pub fn with(mut self, segment: OutSegment) -> OutboundSet {
        self.push(segment);
        self
    }

    /// Adds a segment. One without a single value is left out: X12 has no use for it.
    pub fn push(&mut self, segment: OutSegment) {
        if !segment.is_empty() {
            self.segments.push(segment);
        }
    }

    /// The segments in their order.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &OutSegment> + ExactSizeIterator {
        self.segments.iter()
    }

    /// The first segment with this identifier.
    pub fn find(&self, id: &str) -> Option<&OutSegment> {
        self.segments.iter().find(|segment| segment.id == id)
    }

    /// The set as its receiver will read it under this control number.
    ///
    /// # Errors
    /// Where the control number or the data cannot be written with these separators.
    pub fn read_back(
        &self,
        control_number: &str,
        delimiters: &Delimiters,
    ) -> Result<TransactionSet, WriteError> {
        check_set_number(control_number)?;
        let implementation = self.implementation.as_deref().unwrap_or_default();
        for (element, value) in [("ST01", self.code.as_str()), ("ST03", implementation)] {
            if value.bytes().any(|byte| delimiters.contains(byte)) {
                return Err(header(
                    element,
                    value,
                    "it holds what separates in the file",
                ));
            }
        }
        self.check_segments()?;
        let mut bytes = Vec::new();
        let laid = self.write(control_number, delimiters, &mut bytes);
        let faults = separators_between(&self.segments, delimiters, &bytes, &laid);
        if !faults.is_empty() {
            return Err(WriteError::Characters(faults));
        }
        read_set(&bytes, delimiters, 0).map_err(|_| WriteError::Unreadable {
            code: self.code.clone(),
        })
    }

    /// Refuses a set that holds a segment of the envelope: its receiver would take the set, the group or the interchange
    /// to begin or to end there.
    pub(super) fn check_segments(&self) -> Result<(), WriteError> {
        let is_envelope = |segment: &OutSegment| {
            matches!(
                segment.id.as_str(),
                "ISA" | "TA1" | "GS" | "ST" | "SE" | "GE" | "IEA"
            )
        };
        match self.segments.iter().any(is_envelope) {
            false => Ok(()),
            true => Err(WriteError::Unreadable {
                code: self.code.clone(),
            }),
        }
    }

    /// What was read, as a set that could be sent: without ST, SE, segments without a value, and
    /// whatever blank or empty stands at the end of a value, composite, or segment.
    pub fn of(set: &TransactionSet) -> OutboundSet {
        let mut out = OutboundSet::new(set.code());
        out.implementation = set.implementation().map(str::to_owned);
        for segment in set
            .segments()
            .filter(|segment| !matches!(segment.id(), "ST" | "SE"))
        {
            let one = |text| {
                let parts = segment.components_of(text);
                let mut parts: Vec<Text> = parts.map(|part| written(part).into()).collect();
                drop_from_end(&mut parts, |part| part.is_empty());
                if parts.len() > 1 {
                    OutElement::Composite(parts)
                } else {
                    OutElement::Simple(parts.pop().unwrap_or_default())
                }
            };
            let element = |n| {
                let mut all: Vec<OutElement> = segment.repetitions(n).map(one).collect();
                drop_from_end(&mut all, OutElement::is_empty);
                if all.len() > 1 {
                    OutElement::Repeated(all)
                } else {
                    all.pop().unwrap_or(OutElement::Simple(Text::default()))
                }
            };
            let mut elements: Vec<OutElement> =
                (1..=segment.element_count()).map(element).collect();
            drop_from_end(&mut elements, OutElement::is_empty);
            out.push(OutSegment {
                id: segment.id().into(),
                elements,
            });
        }
        out
    }

    /// Writes ST to SE.
    pub(crate) fn write(
        &self,
        control_number: &str,
        delimiters: &Delimiters,
        out: &mut Vec<u8>,
    ) -> Laid {
        let count = self.segments.len() + 2;
        let implementation = self.implementation.as_deref().unwrap_or_default();
        let st = [&self.code, control_number, implementation];
        write_plain("ST", &st, delimiters, out);
        let from = out.len();
        let mut marks = Marks::default();
        for segment in &self.segments {
            segment.write_marked(delimiters, out, &mut marks);
        }
        let to = out.len();
        let se = [&count.to_string(), control_number];
        write_plain("SE", &se, delimiters, out);
        Laid {
            count,
            between: from..to,
            marks,
        }
    }
}

/// A set as it was written.
pub(crate) struct Laid {
    /// Segments, ST and SE included.
    pub count: usize,
    /// Where all segments but ST and SE stand.
    pub between: Range<usize>,
    /// What was set between their values.
    pub marks: Marks,
}

/// What a writer set between values.
#[derive(Default)]
pub(crate) struct Marks {
    /// Separators and terminators.
    pub separators: usize,
    /// Whether an element repeats.
    pub repeats: bool,
}

/// A segment to be sent. As JSON: an array of its identifier and its elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutSegment {
    /// Identifier, such as `PO1`.
    pub id: Text,
    /// Elements from the first.
    pub elements: Vec<OutElement>,
}

/// One element to be sent. As JSON: text, an array of components, or `{"repeat":[…]}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutElement {
    /// A simple value; empty for an element that is not used.
    Simple(Text),
    /// The components of a composite.
    Composite(Vec<Text>),
    /// Repetitions, from 005010 on.
    Repeated(Vec<OutElement>),
}

/// Drops what stands at the end and says nothing.
fn drop_from_end<T>(all: &mut Vec<T>, is_nothing: impl Fn(&T) -> bool) {
    while all.last().is_some_and(&is_nothing) {
        all.pop();
    }
}

/// What of a value is sent: leading blanks count, trailing ones do not (rule 17).
fn written(value: &str) -> &str {
    value.trim_end_matches(' ')
}

/// Writes a segment of simple values; empty ones at its end are left out (rule 11).
pub(super) fn write_plain(id: &str, values: &[&str], delimiters: &Delimiters, out: &mut Vec<u8>) {
    out.extend_from_slice(id.as_bytes());
    let used = values
        .iter()
        .rposition(|value| !written(value).is_empty())
        .map_or(0, |last| last + 1);
    for value in &values[..used] {
        out.push(delimiters.element);
        out.extend_from_slice(written(value).as_bytes());
    }
    out.push(delimiters.terminator);
    out.extend_from_slice(delimiters.after_terminator.as_bytes());
}

impl OutElement {
    /// Every value in it.
    pub fn values(&self) -> Vec<&str> {
        match self {
            OutElement::Simple(value) => vec![value],
            OutElement::Composite(values) => values.iter().map(Text::as_str).collect(),
            OutElement::Repeated(elements) => {
                elements.iter().flat_map(OutElement::values).collect()
            }
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        match self {
            OutElement::Simple(value) => written(value).is_empty(),
            OutElement::Composite(values) => values.iter().all(|value| written(value).is_empty()),
            OutElement::Repeated(elements) => elements.iter().all(OutElement::is_empty),
        }
    }

    /// Whether it has several values where one is usual.
    pub(super) fn repeats(&self) -> bool {
        matches!(self, OutElement::Repeated(all) if all.len() > 1)
    }

    fn write(&self, delimiters: &Delimiters, out: &mut Vec<u8>, marks: &mut Marks) {
        match self {
            OutElement::Simple(value) => out.extend_from_slice(written(value).as_bytes()),
            OutElement::Composite(values) => {
                let used = values
                    .iter()
                    .rposition(|value| !written(value).is_empty())
                    .map_or(0, |last| last + 1);
                for (n, value) in values[..used].iter().enumerate() {
                    if n > 0 {
                        out.push(delimiters.component);
                    }
                    out.extend_from_slice(written(value).as_bytes());
                }
                marks.separators += used.saturating_sub(1);
            }
            OutElement::Repeated(elements) => {
                let used = elements
                    .iter()
                    .rposition(|element| !element.is_empty())
                    .map_or(0, |last| last + 1);
                for (n, element) in elements[..used].iter().enumerate() {
                    if n > 0 {
                        out.push(delimiters.repetition.unwrap_or(delimiters.component));
                    }
                    element.write(delimiters, out, marks);
                }
                marks.separators += used.saturating_sub(1);
            }
        }
    }
}

/// Begins a segment: `seg("REF").el("DP").el("045")`.
pub fn seg(id: impl Into<Text>) -> OutSegment {
    OutSegment {
        id: id.into(),
        elements: Vec::new(),
    }
}

impl OutSegment {
    /// The next element. Blanks at its end are dropped (rule 17).
    #[must_use]
    pub fn el(mut self, value: impl AsRef<str>) -> OutSegment {
        self.elements
            .push(OutElement::Simple(written(value.as_ref()).into()));
        self
    }

    /// The next element, empty if there is none.
    #[must_use]
    pub fn opt(self, value: Option<impl AsRef<str>>) -> OutSegment {
        match value {
            Some(value) => self.el(value),
            None => self.skip(),
        }
    }

    /// Leaves the next element empty.
    #[must_use]
    pub fn skip(self) -> OutSegment {
        self.el("")
    }

    /// Sets element `n` from 1, whatever stands before it stays or is empty.
    #[must_use]
    pub fn at(mut self, n: usize, value: impl AsRef<str>) -> OutSegment {
        if n > 0 {
            while self.elements.len() < n {
                self.elements.push(OutElement::Simple(Text::default()));
            }
            self.elements[n - 1] = OutElement::Simple(written(value.as_ref()).into());
        }
        self
    }

    /// A composite as the next element.
    #[must_use]
    pub fn composite<I: IntoIterator<Item = S>, S: AsRef<str>>(
        mut self,
        components: I,
    ) -> OutSegment {
        self.elements.push(OutElement::Composite(
            components
                .into_iter()
                .map(|c| written(c.as_ref()).into())
                .collect(),
        ));
        self
    }

    /// A composite as the next element; a shorter name for it.
    #[must_use]
    pub fn comp<I: IntoIterator<Item = S>, S: AsRef<str>>(self, components: I) -> OutSegment {
        self.composite(components)
    }

    /// A repeating element as the next one.
    #[must_use]
    pub fn repeated<I: IntoIterator<Item = S>, S: AsRef<str>>(mut self, values: I) -> OutSegment {
        self.elements.push(OutElement::Repeated(
            values
                .into_iter()
                .map(|v| OutElement::Simple(written(v.as_ref()).into()))
                .collect(),
        ));
        self
    }

    /// Element `n` from 1: its value, the first component of a composite, the first of what
    /// repeats; `""` when absent.
    pub fn element(&self, n: usize) -> &str {
        self.component(n, 1)
    }

    /// Component `k` of element `n`, both from 1, of what repeats the first; `""` when absent.
    pub fn component(&self, n: usize, k: usize) -> &str {
        fn of(element: &OutElement, k: usize) -> Option<&str> {
            match element {
                OutElement::Simple(value) => (k == 1).then_some(value),
                OutElement::Composite(values) => values.get(k.checked_sub(1)?).map(Text::as_str),
                OutElement::Repeated(elements) => of(elements.first()?, k),
            }
        }
        n.checked_sub(1)
            .and_then(|at| of(self.elements.get(at)?, k))
            .unwrap_or("")
    }

    /// Whether no element holds a value.
    pub fn is_empty(&self) -> bool {
        self.elements.iter().all(OutElement::is_empty)
    }

    /// Writes the segment with its terminator; empty elements at its end are left out (rule 11).
    pub(crate) fn write(&self, delimiters: &Delimiters, out: &mut Vec<u8>) {
        self.write_marked(delimiters, out, &mut Marks::default());
    }

    fn write_marked(&self, delimiters: &Delimiters, out: &mut Vec<u8>, marks: &mut Marks) {
        out.extend_from_slice(self.id.as_bytes());
        let used = self
            .elements
            .iter()
            .rposition(|element| !element.is_empty())
            .map_or(0, |last| last + 1);
        for element in &self.elements[..used] {
            out.push(delimiters.element);
            element.write(delimiters, out, marks);
        }
        out.push(delimiters.terminator);
        out.extend_from_slice(delimiters.after_terminator.as_bytes());
        marks.separators += used + 1;
        marks.repeats |= self.elements.iter().any(OutElement::repeats);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(segment: OutSegment) -> String {
        let mut out = Vec::new();
        segment.write(
            &Delimiters {
                repetition: Some(b'^'),
                ..Delimiters::default()
            },
            &mut out,
        );
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rule_011_trailing_empty_elements_are_left_out() {
        assert_eq!(
            text(seg("REF").el("DP").el("045").skip().skip()),
            "REF*DP*045~"
        );
        assert_eq!(
            text(seg("N1").el("ST").skip().el("92").el("0012")),
            "N1*ST**92*0012~"
        );
        assert_eq!(
            text(seg("POC").el("1").composite(["EA", "", ""]).at(5, "X ")),
            "POC*1*EA***X~"
        );
        assert_eq!(
            text(seg("XX").composite(["A", "B"]).repeated(["1", "2"])),
            "XX*A>B*1^2~"
        );
    }

    #[test]
    fn empty_segments_are_left_out() {
        assert_eq!(
            OutboundSet::new("855")
                .with(seg("DTM").opt(None::<&str>))
                .segments,
            []
        );
    }

    #[test]
    fn rule_017_leading_blanks_stay_and_trailing_ones_go() {
        assert_eq!(text(seg("MSG").el("  A  ").el("   ")), "MSG*  A~");
        let plain = |value: &str| OutElement::Simple(value.into());
        assert_eq!(
            text(OutSegment {
                id: "MSG".into(),
                elements: vec![plain("A "), plain(" ")]
            }),
            "MSG*A~"
        );
    }

    #[test]
    fn elements_are_counted_from_one() {
        let line = seg("PO1").el("1").comp(["A", "B"]).repeated(["x", "y"]);
        assert_eq!(
            (
                line.element(0),
                line.element(1),
                line.element(2),
                line.component(2, 2),
                line.element(3),
                line.element(4)
            ),
            ("", "1", "A", "B", "x", "")
        );
        assert_eq!((line.component(2, 0), line.component(1, 2)), ("", ""));
    }

    #[test]
    fn short_as_json_and_the_same_again() {
        let set = OutboundSet::new("855").with(
            seg("BAK")
                .el("00")
                .skip()
                .comp(["A", "B"])
                .repeated(["1", "2"]),
        );
        let json = serde_json::to_string(&set).unwrap();
        assert_eq!(
            json,
            r#"{"code":"855","segments":[["BAK","00","",["A","B"],{"repeat":["1","2"]}]]}"#
        );
        assert_eq!(serde_json::from_str::<OutboundSet>(&json).unwrap(), set);
        for bad in ["[]", r#"[["A"]]"#, r#"["A",{"repeat":["1"],"x":1}]"#] {
            assert!(serde_json::from_str::<OutSegment>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn reads_back_as_its_receiver_will() {
        let delimiters = Delimiters {
            repetition: Some(b'^'),
            ..Delimiters::default()
        };
        let set = OutboundSet::new("855")
            .with(seg("BAK").el("00").el("AC").el("4711"))
            .with(seg("XX").comp(["A", "B"]).repeated(["1", "2"]));
        let read = set.read_back("0001", &delimiters).unwrap();
        assert_eq!(
            (
                read.code(),
                read.control_number(),
                read.len(),
                read.is_complete()
            ),
            ("855", "0001", 4, true)
        );
        assert_eq!(
            (read.findings(), read.segment(3).unwrap().component(1, 2)),
            (&[][..], "B")
        );
        assert_eq!(OutboundSet::of(&read), set);
        assert!(matches!(
            set.read_back("1", &delimiters),
            Err(WriteError::Header {
                element: "ST02",
                ..
            })
        ));
        assert!(
            matches!(
                set.read_back("0001", &Delimiters::default()),
                Err(WriteError::Characters(_))
            ),
            "nothing separates repetitions"
        );
        assert!(matches!(
            OutboundSet::new("855")
                .with(seg("MSG").el("A~B"))
                .read_back("0001", &delimiters),
            Err(WriteError::Characters(_))
        ));
    }
}
