//! What the reader takes from one file before it says that it is too much.

use serde::{Deserialize, Serialize};

/// Limits of the reader and the validation; past each there is a finding, and reading goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of one segment; what is beyond is left out (default 1 MiB).
    pub segment_bytes: usize,
    /// Bytes of the binary element of a BIN or BDS segment (default 16 MiB).
    pub binary_bytes: usize,
    /// Elements of one segment (default 1,000; the standard's longest has fewer than 100).
    pub elements: usize,
    /// Bytes of one transaction set (default 256 MiB).
    pub set_bytes: usize,
    /// Findings recorded for one transaction set (default 1,000).
    pub findings: usize,
    /// Findings recorded for one group, and for one interchange, without those of the sets.
    pub envelope_findings: usize,
    /// Levels of HL below one another (default 64).
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            segment_bytes: 1 << 20,
            binary_bytes: 16 << 20,
            elements: 1_000,
            set_bytes: 256 << 20,
            findings: 1_000,
            envelope_findings: 1_000,
            depth: 64,
        }
    }
}
