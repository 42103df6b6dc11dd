//! The set that is being built: segments of elements, without ST and SE.

use crate::delimiters::Delimiters;
use serde::{Deserialize, Serialize};

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

    /// Writes ST to SE; the number of segments with both.
    pub(crate) fn write(
        &self,
        control_number: &str,
        delimiters: &Delimiters,
        out: &mut Vec<u8>,
    ) -> usize {
        let count = self.segments.len() + 2;
        let mut st = seg("ST").el(&self.code).el(control_number);
        if let Some(implementation) = &self.implementation {
            st = st.el(implementation);
        }
        st.write(delimiters, out);
        for segment in &self.segments {
            segment.write(delimiters, out);
        }
        seg("SE")
            .el(count.to_string())
            .el(control_number)
            .write(delimiters, out);
        count
    }
}

/// A segment to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutSegment {
    /// Identifier, such as `PO1`.
    pub id: String,
    /// Elements from the first.
    pub elements: Vec<OutElement>,
}

/// One element to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OutElement {
    /// A simple value; empty for an element that is not used.
    Simple(String),
    /// The components of a composite.
    Composite(Vec<String>),
    /// Repetitions, from 005010 on.
    Repeated(Vec<OutElement>),
}

impl OutElement {
    /// Every value in it.
    pub fn values(&self) -> Vec<&str> {
        match self {
            OutElement::Simple(value) => vec![value],
            OutElement::Composite(values) => values.iter().map(String::as_str).collect(),
            OutElement::Repeated(elements) => {
                elements.iter().flat_map(OutElement::values).collect()
            }
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.values().iter().all(|value| value.is_empty())
    }

    fn write(&self, delimiters: &Delimiters, out: &mut Vec<u8>) {
        match self {
            OutElement::Simple(value) => out.extend_from_slice(value.as_bytes()),
            OutElement::Composite(values) => {
                let used = values
                    .iter()
                    .rposition(|value| !value.is_empty())
                    .map_or(0, |last| last + 1);
                for (n, value) in values[..used].iter().enumerate() {
                    if n > 0 {
                        out.push(delimiters.component);
                    }
                    out.extend_from_slice(value.as_bytes());
                }
            }
            OutElement::Repeated(elements) => {
                for (n, element) in elements.iter().enumerate() {
                    if n > 0 {
                        out.push(delimiters.repetition.unwrap_or(delimiters.component));
                    }
                    element.write(delimiters, out);
                }
            }
        }
    }
}

/// Begins a segment: `seg("REF").el("DP").el("045")`.
pub fn seg(id: impl Into<String>) -> OutSegment {
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
            .push(OutElement::Simple(value.as_ref().trim_end().to_owned()));
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
                self.elements.push(OutElement::Simple(String::new()));
            }
            self.elements[n - 1] = OutElement::Simple(value.as_ref().trim_end().to_owned());
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
                .map(|c| c.as_ref().trim_end().to_owned())
                .collect(),
        ));
        self
    }

    /// A repeating element as the next one.
    #[must_use]
    pub fn repeated<I: IntoIterator<Item = S>, S: AsRef<str>>(mut self, values: I) -> OutSegment {
        self.elements.push(OutElement::Repeated(
            values
                .into_iter()
                .map(|v| OutElement::Simple(v.as_ref().trim_end().to_owned()))
                .collect(),
        ));
        self
    }

    /// Whether no element holds a value.
    pub fn is_empty(&self) -> bool {
        self.elements.iter().all(OutElement::is_empty)
    }

    /// Writes the segment with its terminator; empty elements at its end are left out (rule 11).
    pub(crate) fn write(&self, delimiters: &Delimiters, out: &mut Vec<u8>) {
        out.extend_from_slice(self.id.as_bytes());
        let used = self
            .elements
            .iter()
            .rposition(|element| !element.is_empty())
            .map_or(0, |last| last + 1);
        for element in &self.elements[..used] {
            out.push(delimiters.element);
            element.write(delimiters, out);
        }
        out.push(delimiters.terminator);
        out.extend_from_slice(delimiters.after_terminator.as_bytes());
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
}
