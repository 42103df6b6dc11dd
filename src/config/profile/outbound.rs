//! Changes to outbound documents: segments added, elements set, segments left out, as the partner's guide wants it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::template::Template;

/// One change to an outbound document. Rules are applied in the order in which they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboundRule {
    /// What is done.
    pub action: OutboundAction,
    /// In which part of the document.
    pub level: OutboundLevel,
    /// Segment id, such as `REF`.
    pub segment: String,
    /// Only segments whose first element is this (REF01, N101, DTM01); for `set` and `drop`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub qualifier: String,
    /// The elements of an added segment, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elements: Vec<Template>,
    /// With `set`: position of the element (`"03"` or `"3"`) → its value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, Template>,
    /// With `add`: after the last segment of this id in the level; empty: where the standard has it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub after: String,
    /// What happens when a value cannot be had.
    #[serde(default)]
    pub when_empty: WhenEmpty,
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboundAction {
    /// Adds a segment.
    Add,
    /// Sets elements of segments that are there.
    Set,
    /// Leaves segments out.
    Drop,
}

/// Part of an outbound document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboundLevel {
    /// 855, 810: before the first line.
    Header,
    /// 855, 810: each line.
    Line,
    /// 856: the S level.
    Shipment,
    /// 856: each O level.
    Order,
    /// 856: each T level.
    Tare,
    /// 856: each P level.
    Pack,
    /// 856: each I level.
    Item,
    /// After the last line or level.
    Summary,
}

impl OutboundLevel {
    /// The levels of a set.
    pub fn of_set(set: &str) -> &'static [Self] {
        match set {
            "855" | "810" => &[Self::Header, Self::Line, Self::Summary],
            "856" => &[
                Self::Shipment,
                Self::Order,
                Self::Tare,
                Self::Pack,
                Self::Item,
                Self::Summary,
            ],
            _ => &[],
        }
    }

    /// The word in a profile.
    pub fn word(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Line => "line",
            Self::Shipment => "shipment",
            Self::Order => "order",
            Self::Tare => "tare",
            Self::Pack => "pack",
            Self::Item => "item",
            Self::Summary => "summary",
        }
    }
}

/// What happens when an added segment or a set element has no value: every source in it is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenEmpty {
    /// The segment is not added, the element stays as it is.
    #[default]
    Skip,
    /// The document is held: the partner insists on it.
    Hold,
}

impl OutboundRule {
    /// Positions and values of a `set` rule; positions that are no number are left out (a checked profile has none).
    pub fn set_values(&self) -> impl Iterator<Item = (usize, &Template)> {
        self.values
            .iter()
            .filter_map(|(position, value)| Some((position.parse().ok()?, value)))
    }
}
