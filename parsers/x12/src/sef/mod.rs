//! SEF, the trade's open format for implementation guides (version 1.6 and before), as overlays.
//!
//! A SEF file writes the whole standard down and marks in it what a partner uses. Of that an
//! overlay keeps what goes beyond the standard that comes with the crate: what must be used or must
//! not, how often, how long, which codes at which place, which rules between elements. Whatever is
//! not understood, or cannot be said by an overlay, is a finding with its line.

mod codes;
mod dictionary;
mod guide;
mod records;
mod semantics;
mod sets;

use crate::overlay::Overlay;
use crate::schema::Release;
use serde::Serialize;

/// The largest file that is taken, in bytes. Guides of one set have some 200 kB.
const BYTES_MAX: usize = 16 << 20;
/// Findings that are kept; one more says that there were others.
const FINDINGS_MAX: usize = 5_000;
/// Rules of one set that are kept.
const RULES_MAX: usize = 20_000;

/// What a SEF file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SefGuide {
    /// Its name, the first word of `.INI`.
    pub name: String,
    /// What it calls itself.
    pub title: String,
    /// The version of the groups that it is about, such as `004010` or `004010VICS`.
    pub version: String,
    /// The release whose schemas it was compared with.
    pub release: Release,
    /// Its transaction sets, each as an overlay.
    pub sets: Vec<SefSet>,
    /// What was not understood, or is beyond an overlay.
    pub findings: Vec<SefFinding>,
}

/// One transaction set of a guide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SefSet {
    /// Such as `850`.
    pub code: String,
    /// The rules, as a profile's `[guide.850]` has them.
    pub overlay: Overlay,
    /// What the guide says in words.
    pub notes: Vec<SefNote>,
}

/// Words of a guide about a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SefNote {
    /// Line in the SEF file, from 1.
    pub line: u32,
    /// The place as an overlay writes it; empty for the set as a whole.
    pub at: String,
    /// What is said.
    pub text: String,
}

/// Something in a SEF file that is not, or not quite, in the overlays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SefFinding {
    /// Line in the SEF file, from 1.
    pub line: u32,
    /// What it is, and what that means.
    pub text: String,
}

/// Why a file gives no guide at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SefError {
    /// Something else, or enciphered.
    #[error(
        "this is no SEF file that can be read: it must be plain text that begins with .VER or .INI and has a section .SETS; an enciphered one has to be asked for in plain form"
    )]
    NotSef,
    /// A guide of another standard.
    #[error("this guide is for {agency}, not for X12")]
    NotX12 {
        /// The agency code of `.INI`.
        agency: String,
    },
    /// Longer than any guide.
    #[error("the file has {bytes} bytes; no guide has more than {}", BYTES_MAX)]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
}

/// Reads a SEF file into overlays, one for each of its transaction sets.
///
/// # Errors
/// Where the bytes are no SEF file of X12. Faults in one are findings.
pub fn import_sef(bytes: &[u8]) -> Result<SefGuide, SefError> {
    if bytes.len() > BYTES_MAX {
        return Err(SefError::TooLarge { bytes: bytes.len() });
    }
    let text = crate::text::decode(bytes);
    let mut findings = Findings::default();
    let file = records::read(&text, &mut findings)?;
    guide::make(&file, findings)
}

/// Findings as they come, up to the limit.
#[derive(Debug, Default)]
struct Findings {
    all: Vec<SefFinding>,
    left_out: usize,
}

impl Findings {
    fn add(&mut self, line: u32, text: impl Into<String>) {
        if self.all.len() < FINDINGS_MAX {
            self.all.push(SefFinding {
                line,
                text: text.into(),
            });
        } else {
            self.left_out += 1;
        }
    }

    fn finish(mut self) -> Vec<SefFinding> {
        self.all.sort_by_key(|finding| finding.line);
        self.all.dedup();
        if self.left_out > 0 {
            self.all.push(SefFinding {
                line: 0,
                text: format!("{} more findings were not recorded", self.left_out),
            });
        }
        self.all
    }
}
