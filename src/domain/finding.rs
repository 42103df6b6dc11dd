//! Findings: what is wrong with a partner's document, where, by which rule, and what to do about it.

use serde::{Deserialize, Serialize};

/// Who judged: the standard, the partner's guide, or our own order-to-cash rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The X12 standard; goes into the 997, 999 or TA1.
    Standard,
    /// The partner's guide; holds, does not reject (X12-RULES 35).
    Guide,
    /// Our rules of trade: item, price, dates, balance.
    Business,
    /// What the partner says of a document of ours: in a 997, 999, TA1 or 824.
    Partner,
    /// The connection: who may send what over which mailbox.
    Transport,
}

/// What a finding does to the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; the document goes on.
    Note,
    /// The document waits for a person.
    Hold,
    /// The document is refused.
    Reject,
}

/// Where in the received file a finding stands. Absent parts are not known or do not apply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Byte offset in the file as received, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byte: Option<u64>,
    /// Line of the file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Segment id, such as PO1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    /// Position of the segment in its set, ST = 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment_index: Option<u32>,
    /// Element of the segment, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element: Option<u32>,
    /// Component of the element, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<u32>,
}

/// One fault or remark, for a person and for the answer to the partner alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable name of the rule, such as `price-differs`; `docs/cli.md` lists them.
    pub code: String,
    /// One sentence: what is wrong and what to do.
    pub message: String,
    /// Who judged.
    pub origin: Origin,
    /// What it does to the document.
    pub severity: Severity,
    /// Where.
    #[serde(default)]
    pub place: Place,
    /// The value found, if there was one, cut at 99 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The order line it is about, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_line: Option<u32>,
}

impl Finding {
    /// A finding of our own rules of trade, with nothing known of its place.
    pub fn business(code: &str, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            origin: Origin::Business,
            severity,
            place: Place::default(),
            value: None,
            order_line: None,
        }
    }

    /// The same finding, standing at `place`.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// The same finding, about `line` of the order.
    #[must_use]
    pub fn on_line(mut self, line: u32) -> Self {
        self.order_line = Some(line);
        self
    }

    /// The same finding with the value that was met.
    #[must_use]
    pub fn with_value(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into().chars().take(99).collect());
        self
    }

    /// The same finding from another judge.
    #[must_use]
    pub fn by(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }
}

/// The gravest severity among findings, if there are any.
pub fn gravest(findings: &[Finding]) -> Option<Severity> {
    findings.iter().map(|finding| finding.severity).max()
}
