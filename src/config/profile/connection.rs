//! The connection: how files come from the partner and go there.

use serde::{Deserialize, Serialize};

use crate::config::secret::SecretSource;

/// How files come and go. The table named by `kind` says the particulars; the two others are not written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connection {
    /// Which of the three.
    pub kind: ConnectionKind,
    /// The embedded SFTP mailbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<Mailbox>,
    /// The partner's own SFTP server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sftp: Option<RemoteServer>,
    /// A pair of folders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<Folder>,
}

/// Kinds of connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionKind {
    /// The partner logs in at our embedded SFTP server.
    #[default]
    Mailbox,
    /// We log in at the partner's SFTP server.
    Sftp,
    /// Files lie in folders of the gateway's machine.
    Folder,
}

impl ConnectionKind {
    /// The word in profiles and listings.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mailbox => "mailbox",
            Self::Sftp => "sftp",
            Self::Folder => "folder",
        }
    }
}

/// The embedded mailbox. Its users are made by `mailbox add`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mailbox {
    /// The mailbox that what we send is laid into; empty: the partner's short name. The same mailbox may serve several
    /// partners (a VAN): name it in each of their profiles.
    pub name: String,
    /// Hours after which ops are told of a file of ours that the partner has not fetched; 0: never; none: as the
    /// settings say (`work.pickup_hours`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pickup_hours: Option<u32>,
}

/// The partner's own SFTP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RemoteServer {
    /// Name or address. Required.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User we log in as. Required.
    pub user: String,
    /// Private key in OpenSSH format, a file name relative to the data folder.
    pub key_file: String,
    /// Environment variable with the passphrase of `key_file`, empty where it has none.
    pub passphrase_env: String,
    /// Environment variable with the password.
    pub password_env: String,
    /// File with the password, relative to the data folder.
    pub password_file: String,
    /// The server's host key: its fingerprint `SHA256:…` as `ssh-keygen -lf` prints it, or the whole key
    /// (`ssh-ed25519 AAAA…`). Required: no server is trusted at first sight.
    pub host_key: String,
    /// The partner's folder that we fetch from; empty: nothing is fetched.
    pub fetch_from: String,
    /// Which names are fetched; `*` and `?` stand for any characters and any one.
    pub fetch_names: Vec<String>,
    /// What becomes of a file there once we have it safe.
    pub after_fetch: AfterFetch,
    /// The folder fetched files are moved to, with `after_fetch = "archive"`.
    pub archive_to: String,
    /// The partner's folder that we deliver to; empty: nothing can be delivered.
    pub deliver_to: String,
    /// Ending under which a file is written before it is renamed to its own name.
    pub temporary_suffix: String,
    /// Seconds between two looks.
    pub interval_seconds: u32,
    /// Seconds without an answer before an attempt is given up.
    pub timeout_seconds: u32,
    /// Attempts before ops are alerted; the gateway goes on trying at the longest back-off.
    pub attempts: u32,
    /// Seconds until the first repetition; doubled with each.
    pub backoff_seconds: u32,
    /// Longest wait between two attempts, seconds.
    pub backoff_seconds_max: u32,
}

impl Default for RemoteServer {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 22,
            user: String::new(),
            key_file: String::new(),
            passphrase_env: String::new(),
            password_env: String::new(),
            password_file: String::new(),
            host_key: String::new(),
            fetch_from: String::new(),
            fetch_names: vec!["*".to_owned()],
            after_fetch: AfterFetch::Delete,
            archive_to: String::new(),
            deliver_to: String::new(),
            temporary_suffix: ".tmp".to_owned(),
            interval_seconds: 60,
            timeout_seconds: 30,
            attempts: 8,
            backoff_seconds: 30,
            backoff_seconds_max: 3600,
        }
    }
}

impl RemoteServer {
    /// Where the password comes from, where one is used.
    pub fn password(&self) -> Option<SecretSource<'_>> {
        if !self.password_env.is_empty() {
            Some(SecretSource::Environment(&self.password_env))
        } else if !self.password_file.is_empty() {
            Some(SecretSource::File(&self.password_file))
        } else {
            None
        }
    }

    /// Where the passphrase of the key comes from, where it has one.
    pub fn passphrase(&self) -> Option<SecretSource<'_>> {
        (!self.passphrase_env.is_empty()).then_some(SecretSource::Environment(&self.passphrase_env))
    }
}

/// What becomes of a fetched file on the partner's server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterFetch {
    /// Removed.
    #[default]
    Delete,
    /// Moved to `archive_to`.
    Archive,
}

/// A pair of folders on the gateway's machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Folder {
    /// Files laid here are taken in; relative names are taken against the data folder. Required.
    pub inbound: String,
    /// What we send is laid here. Required.
    pub outbound: String,
}

/// A connection with the particulars of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route<'a> {
    /// The mailbox of this name.
    Mailbox(&'a str),
    /// The partner's server.
    Sftp(&'a RemoteServer),
    /// The pair of folders.
    Folder(&'a Folder),
}

impl super::Profile {
    /// How files of this partner come and go. A checked profile has the table that its kind names; were it missing,
    /// the mailbox of the partner's name stands in.
    pub fn route(&self) -> Route<'_> {
        let connection = &self.connection;
        match (
            connection.kind,
            &connection.mailbox,
            &connection.sftp,
            &connection.folder,
        ) {
            (ConnectionKind::Sftp, _, Some(server), _) => Route::Sftp(server),
            (ConnectionKind::Folder, _, _, Some(folder)) => Route::Folder(folder),
            (ConnectionKind::Mailbox, Some(mailbox), _, _) if !mailbox.name.is_empty() => {
                Route::Mailbox(&mailbox.name)
            }
            _ => Route::Mailbox(&self.partner),
        }
    }
}
