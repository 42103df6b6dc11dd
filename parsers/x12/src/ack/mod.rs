//! What is answered: 997, 999 and TA1, each from a verdict and nothing else.

mod addresses;
mod functional;
mod implementation;
mod interchange;
mod notes;

pub use addresses::{Unanswerable, answer_addresses, answer_codes};
pub use functional::build_997;
pub use implementation::build_999;
pub use interchange::build_ta1;

use crate::delimiters::Delimiters;
use crate::schema::Release;
use serde::{Deserialize, Serialize};

/// How a partner wants to be acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AckOptions {
    /// The release of the acknowledgment; from 005010 on AK1 and AK2 name versions, and some codes
    /// differ.
    pub release: Release,
    /// AK2 loops for accepted sets too (rule 33; default yes); rejected ones are always named.
    pub accepted_sets: bool,
    /// AK303 for every loop, not only for those bounded by LS and LE (default no).
    pub loop_ids: bool,
    /// AK502 when ST02 repeats: `23`, or `7` for partners who do not know it (rule 28).
    pub repeated_set_number: String,
    /// AK905 when GS06 repeats; none: `6` before 005010 and `19` from it on (rule 31).
    pub repeated_group_number: Option<String>,
    /// AK302 of a segment that is missing (rule 26).
    pub missing_segment: MissingSegment,
    /// Whether a 999 names faults against the partner's guide; a set that has no other is then
    /// accepted with errors (rules 35 and 36; default yes).
    pub guide_faults: bool,
    /// ST03 of the 999 (default none).
    pub implementation: Option<String>,
    /// AK3 loops at most for each set (default and standard 999,999). AK5 and AK9 stay true beyond.
    pub segments: usize,
    /// The separators of the acknowledgment: a bad value that holds one is not repeated in AK404.
    pub delimiters: Delimiters,
}

impl Default for AckOptions {
    fn default() -> Self {
        AckOptions {
            release: Release::R004010,
            accepted_sets: true,
            loop_ids: false,
            repeated_set_number: "23".to_owned(),
            repeated_group_number: None,
            missing_segment: MissingSegment::WhereExpected,
            guide_faults: true,
            implementation: None,
            segments: 999_999,
            delimiters: Delimiters::default(),
        }
    }
}

impl AckOptions {
    /// AK905 for a GS06 that repeats.
    fn repeated_group_number(&self) -> &str {
        match self.repeated_group_number.as_deref() {
            Some(code) => code,
            None if self.release >= Release::R005010 => "19",
            None => "6",
        }
    }
}

/// Which position AK302 says for a segment that is missing; guides differ (rule 26).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingSegment {
    /// That where it was expected: one after the last good segment.
    #[default]
    WhereExpected,
    /// That of the last good segment.
    LastGood,
}

/// Whether a group is answered with a 997 or 999: all are but those of acknowledgments themselves
/// (rules 24 and 102).
pub fn needs_acknowledgment(functional_id: &str) -> bool {
    functional_id != "FA"
}
