//! What one client, one partner and all of them together may ask of the mailbox.

use std::time::Duration;

use crate::config::settings::Settings;

/// Past each of these a client gets a clear refusal, or its connection ends.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Largest file that may be uploaded, in bytes.
    pub file_bytes: u64,
    /// Bytes that one mailbox may have in the spool at once: uploads under way and those that wait for their rename.
    pub spooled_bytes_per_mailbox: u64,
    /// Files that one mailbox may have in the spool at once.
    pub spooled_files_per_mailbox: usize,
    /// Uploads that one mailbox may begin in a minute.
    pub uploads_per_minute: usize,
    /// How long a file under a temporary name waits for its rename.
    pub wait_for_rename: Duration,
    /// Open files and listings of one SFTP session.
    pub handles_per_session: usize,
    /// SFTP sessions that one connection may open.
    pub sessions_per_connection: usize,
    /// SFTP sessions that one mailbox may have at once, over all its connections.
    pub sessions_per_mailbox: usize,
    /// Connections from one address (IPv6: one /64 network), logged in or not.
    pub connections_per_address: usize,
    /// Connections in all.
    pub connections: usize,
    /// Refused logins after which a connection ends; keys that are offered and not known count too, as does the
    /// question for the ways to log in that OpenSSH asks first.
    pub logins_per_connection: usize,
    /// Keys that one connection may offer, known or not; agents offer all they hold, one after the other.
    pub key_offers_per_connection: usize,
    /// Refused logins from one address within [`Limits::failed_logins_within`] after which it is banned.
    pub failed_logins: usize,
    /// The time over which refused logins are counted.
    pub failed_logins_within: Duration,
    /// How long a banned address is turned away.
    pub ban: Duration,
    /// How long each refused login is made to wait.
    pub refused_login_delay: Duration,
    /// Passwords checked at the same time; each costs a core some tens of milliseconds on purpose.
    pub password_checks: usize,
    /// Time from the connection to the login.
    pub login_grace: Duration,
    /// Time without a whole SFTP request, or with an answer that the client does not take.
    pub inactivity: Duration,
    /// Largest SFTP packet that a client may send, in bytes.
    pub packet_bytes: u32,
    /// Most bytes that one READ returns, whatever it asks for.
    pub read_bytes: u32,
}

impl Limits {
    /// The limits that the settings give, and the defaults for all others.
    pub fn from_settings(settings: &Settings) -> Limits {
        let (server, bounds) = (&settings.sftp, &settings.limits);
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Limits {
            file_bytes: bounds.file_bytes_max,
            // One file of the largest size must always fit.
            spooled_bytes_per_mailbox: bounds.file_bytes_max.saturating_mul(4),
            spooled_files_per_mailbox: count(bounds.mailbox_files_max),
            uploads_per_minute: count(bounds.files_per_minute_max),
            sessions_per_mailbox: count(server.connections_per_mailbox_max),
            connections: count(server.connections_max),
            inactivity: Duration::from_secs(server.idle_seconds.into()),
            ..Limits::default()
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            file_bytes: 2 << 30,
            spooled_bytes_per_mailbox: 8 << 30,
            spooled_files_per_mailbox: 1_000,
            uploads_per_minute: 6_000,
            wait_for_rename: Duration::from_secs(60 * 60),
            handles_per_session: 64,
            sessions_per_connection: 4,
            sessions_per_mailbox: 32,
            connections_per_address: 32,
            connections: 1_000,
            logins_per_connection: 10,
            key_offers_per_connection: 20,
            failed_logins: 20,
            failed_logins_within: Duration::from_secs(10 * 60),
            ban: Duration::from_secs(15 * 60),
            refused_login_delay: Duration::from_secs(1),
            password_checks: 4,
            login_grace: Duration::from_secs(60),
            inactivity: Duration::from_secs(10 * 60),
            packet_bytes: 256 * 1024,
            read_bytes: 255 * 1024,
        }
    }
}
