//! Where a running gateway can be reached, written into its data folder for clients, scripts and tests.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::occupancy;
use crate::config::roles::{self, Role};

/// The content of `endpoints.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// Address of the SFTP mailbox, `127.0.0.1:2022`; empty where it is not served, and then not written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sftp: String,
    /// Address of the console, `127.0.0.1:8080`; empty where it is not served, and then not written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub http: String,
    /// The mailbox's host key as a `known_hosts` line has it after the host: `ssh-ed25519 AAAA…`; with
    /// the mailbox.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host_key: String,
    /// SHA256 fingerprint of it, as `ssh-keygen -l` prints it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host_key_fingerprint: String,
    /// What the gateway does of the whole.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Microseconds that the gateway's clock is ahead of the machine's, 0 unless `--now` set it; commands beside it follow.
    #[serde(default)]
    pub clock_shift_micros: i64,
    /// Process id.
    #[serde(default)]
    pub pid: u32,
}

/// Its name in the data folder.
pub const FILE: &str = "endpoints.json";

impl Endpoints {
    /// What is open, in words: `SFTP mailbox 127.0.0.1:2022 · console http://127.0.0.1:8080`.
    pub fn words(&self) -> String {
        let mut open = Vec::new();
        if !self.sftp.is_empty() {
            open.push(format!("SFTP mailbox {}", self.sftp));
        }
        if !self.http.is_empty() {
            open.push(format!("console http://{}", self.http));
        }
        if open.is_empty() {
            open.push("no port is open".to_owned());
        }
        open.join(" · ")
    }

    /// The roles in words where they are not all: `mailbox, workers`.
    pub fn part(&self) -> Option<String> {
        let all = Role::ALL.iter().all(|role| self.roles.contains(role));
        (!all && !self.roles.is_empty()).then(|| roles::words(&self.roles))
    }

    /// Writes it whole: a reader sees the old one or the new one.
    pub fn write(&self, data: &Path) -> std::io::Result<()> {
        let temporary = data.join(format!(".{FILE}.tmp"));
        std::fs::write(
            &temporary,
            serde_json::to_vec_pretty(self).unwrap_or_default(),
        )?;
        std::fs::rename(temporary, data.join(FILE))
    }

    /// Reads what a gateway left in the data folder, where there is one.
    pub fn read(data: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(data.join(FILE)).ok()?).ok()
    }

    /// Reads how the gateway is reached that serves a data folder now; none: nobody serves it, and what one that was killed
    /// left behind means nothing.
    pub fn of_running(data: &Path) -> Option<Self> {
        occupancy::is_occupied(data)
            .then(|| Self::read(data))
            .flatten()
    }

    /// Takes it away at a graceful stop.
    pub fn remove(data: &Path) {
        // A file that is not there any more is what was wanted.
        let _ = std::fs::remove_file(data.join(FILE));
    }
}
