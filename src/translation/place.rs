//! Findings of a reader, standing at their segment and element.

use supercargo_x12::Segment;

use crate::domain::finding::{Finding, Place, Severity};
use crate::domain::order::UnusedSegment;

/// The place of a segment.
pub fn of(segment: Segment<'_>) -> Place {
    Place {
        byte: Some(segment.offset()),
        line: Some(segment.line()),
        segment: Some(segment.id().to_owned()),
        segment_index: Some(segment.index()),
        element: None,
        component: None,
    }
}

/// The place of element `n`, from 1.
pub fn of_element(segment: Segment<'_>, n: usize) -> Place {
    Place {
        byte: Some(segment.element_offset(n)),
        element: u32::try_from(n).ok(),
        ..of(segment)
    }
}

/// A finding about element `n` with its value.
pub fn fault(
    segment: Segment<'_>,
    n: usize,
    code: &str,
    severity: Severity,
    message: impl Into<String>,
) -> Finding {
    let finding = Finding::business(code, severity, message).at(of_element(segment, n));
    match segment.element(n) {
        "" => finding,
        value => finding.with_value(value),
    }
}

/// The segment, kept for people: `*` between elements whatever the file's own separator.
pub fn unused(segment: Segment<'_>) -> UnusedSegment {
    let mut text = segment.id().to_owned();
    for element in segment.elements() {
        text.push('*');
        text.push_str(element);
    }
    UnusedSegment {
        index: segment.index(),
        text,
    }
}

/// A value without the blanks at its end, which mean nothing (X12-RULES 17).
pub fn trimmed(segment: Segment<'_>, n: usize) -> &str {
    segment.element(n).trim_end()
}
