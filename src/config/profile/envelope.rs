//! The envelope of what we send: delimiters, releases, batching, file names. What we receive says its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// ISA, GS and file of what we send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Envelope {
    /// Element separator.
    pub element: char,
    /// Component separator (ISA16).
    pub component: char,
    /// Repetition separator (ISA11), used from ISA version 00402 on; before, ISA11 is `U`.
    pub repetition: char,
    /// Segment terminator; `"\n"` for a line end.
    pub terminator: char,
    /// What follows each terminator, so that people and old systems see lines.
    pub line_ending: LineEnding,
    /// Release of the sets we send (GS08).
    pub release: String,
    /// Releases of single sets that differ: set → release.
    pub releases: BTreeMap<String, String>,
    /// ISA12; empty: follows `release` (`00401` for 004010, `00501` for 005010).
    pub isa_version: String,
    /// Whether we ask for a TA1 (ISA14 = 1).
    pub request_ta1: bool,
    /// How documents are put into interchanges.
    pub batch: Batch,
    /// Name of each file we send, without the ending (`.856.edi`), which the gateway adds. Placeholders: `{partner}`,
    /// `{set}`, `{isa13}`, `{po}`, `{reference}` (PO, shipment or invoice number), `{date}`, `{time}`. Must hold
    /// `{isa13}`, so that no file replaces another.
    pub file_name: String,
}

impl Default for Envelope {
    fn default() -> Self {
        Self {
            element: '*',
            component: '>',
            repetition: '^',
            terminator: '~',
            line_ending: LineEnding::None,
            release: "004010".to_owned(),
            releases: BTreeMap::new(),
            isa_version: String::new(),
            request_ta1: false,
            batch: Batch::PerDocument,
            file_name: "{partner}-{set}-{isa13}".to_owned(),
        }
    }
}

impl Envelope {
    /// ISA12: as written, or what goes with the release.
    pub fn isa_version(&self) -> &str {
        if !self.isa_version.is_empty() {
            &self.isa_version
        } else if self.release.starts_with("005") {
            "00501"
        } else {
            "00401"
        }
    }

    /// ISA11: the repetition separator, or `U` in versions that had none.
    pub fn isa11(&self) -> char {
        if self.isa_version() >= "00402" {
            self.repetition
        } else {
            'U'
        }
    }
}

/// What follows each segment terminator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineEnding {
    /// Nothing.
    #[default]
    None,
    /// Line feed.
    Lf,
    /// Carriage return and line feed.
    Crlf,
}

impl LineEnding {
    /// Its bytes.
    pub fn text(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Lf => "\n",
            Self::Crlf => "\r\n",
        }
    }
}

/// How documents are put into interchanges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Batch {
    /// Each document its own interchange and file.
    #[default]
    PerDocument,
    /// All documents of one set that are due at the same time share an interchange.
    PerRun,
}
