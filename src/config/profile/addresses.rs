//! EDI addresses: who speaks (ISA05/06, GS02) and who is spoken to.

use serde::{Deserialize, Serialize};

use crate::domain::order::Mode;

/// One EDI address of the partner. A partner may have several: divisions, test and production.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PartnerAddress {
    /// ISA05 of what the partner sends: ZZ mutually defined, 01 D-U-N-S, 08 UCC communications id, 12 telephone …
    pub qualifier: String,
    /// ISA06 of what the partner sends, without the padding blanks. Required.
    pub id: String,
    /// GS02 of what the partner sends; empty: as `id`.
    pub gs_id: String,
    /// What comes from and goes to this address.
    pub mode: AddressMode,
}

impl PartnerAddress {
    /// GS02 of what the partner sends.
    pub fn group_id(&self) -> &str {
        if self.gs_id.is_empty() {
            &self.id
        } else {
            &self.gs_id
        }
    }

    /// ISA05, `ZZ` where not written.
    pub fn qualifier(&self) -> &str {
        if self.qualifier.is_empty() {
            "ZZ"
        } else {
            &self.qualifier
        }
    }

    /// Whether an interchange with this sender is ours to take in this mode (ISA15).
    pub fn serves(&self, mode: Mode) -> bool {
        match self.mode {
            AddressMode::Both => true,
            AddressMode::Production => mode == Mode::Production,
            AddressMode::Test => mode == Mode::Test,
        }
    }
}

/// What an EDI address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressMode {
    /// Production only; a test interchange (ISA15 T) of it is held.
    Production,
    /// Test only; a production interchange (ISA15 P) of it is held.
    Test,
    /// Both, as ISA15 says.
    #[default]
    Both,
}

/// Our own EDI address as the partner knows it. Whatever is empty is taken from the company in the settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OurAddress {
    /// ISA07 of what the partner sends us, ISA05 of what we send.
    pub qualifier: String,
    /// ISA08 of what the partner sends us, ISA06 of what we send.
    pub id: String,
    /// GS03 of what the partner sends us, GS02 of what we send; empty: as `id`.
    pub gs_id: String,
    /// ISA06 of what we send in test mode; empty: as `id`.
    pub test_id: String,
    /// GS02 of what we send in test mode; empty: as `test_id`, or as `gs_id` where that is empty too.
    pub test_gs_id: String,
}
