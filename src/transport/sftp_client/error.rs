//! What goes wrong with a partner's server, so that a person can tell whose turn it is.

use std::io;
use std::path::PathBuf;

use crate::transport::spool::SpoolError;

/// A partner's server could not be used. `server` is always `host:port`.
#[derive(Debug, thiserror::Error)]
pub enum PartnerServerError {
    /// The name means nothing, or nobody answers there.
    #[error(
        "{server} cannot be reached: {source}; check host and port, the network, and whether the partner lets our address in"
    )]
    Unreachable {
        /// Which server.
        server: String,
        #[source]
        /// What the system said.
        source: io::Error,
    },
    /// It answers, but does not go on.
    #[error("{server} did not answer within {seconds} s while {doing}; it is tried again")]
    TimedOut {
        /// Which server.
        server: String,
        /// The time that it had.
        seconds: u32,
        /// What was under way.
        doing: String,
    },
    /// What answers does not speak SSH, or broke off before the login.
    #[error("{server} does not speak SSH as expected: {reason}; check host and port")]
    NotSsh {
        /// Which server.
        server: String,
        /// What libssh2 said.
        reason: String,
    },
    /// Both speak SSH, but have no algorithm in common.
    #[error(
        "{server} ({banner}) has no algorithm in common with us: {reason}; it offers only outdated ones such as ssh-rsa with SHA-1 or CBC ciphers, and the partner has to renew it"
    )]
    NoCommonAlgorithm {
        /// Which server.
        server: String,
        /// How it names itself.
        banner: String,
        /// What libssh2 said.
        reason: String,
    },
    /// It is not the server that it should be.
    #[error(
        "{server} shows the host key {presented}, not {expected}; nothing was sent, not even the login. Ask the partner by another way whether the key was changed, and only then put the new one into the profile"
    )]
    HostKeyDiffers {
        /// Which server.
        server: String,
        /// The key in the profile, as a fingerprint.
        expected: String,
        /// The key shown, as a fingerprint.
        presented: String,
    },
    /// The profile's host key makes no sense.
    #[error(
        "the profile's host_key {text:?} is neither a fingerprint SHA256:… nor a key `ssh-ed25519 AAAA…`: {reason}"
    )]
    HostKeyUnreadable {
        /// As it stands there.
        text: String,
        /// What is wrong.
        reason: String,
    },
    /// Our own key cannot be used.
    #[error("our key {} cannot be used: {reason}; it must be there, readable, in OpenSSH's format, and its passphrase right", path.display())]
    OwnKey {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It does not let us in.
    #[error(
        "{server} refuses the login of {user}; it takes {methods}. Check user and password, and whether the partner has our public key"
    )]
    LoginRefused {
        /// Which server.
        server: String,
        /// As whom.
        user: String,
        /// The ways to log in that it offers.
        methods: String,
    },
    /// There is no SFTP behind the login.
    #[error(
        "{server} lets us in but offers no SFTP: {reason}; the partner has to allow it for {user}"
    )]
    NoSftp {
        /// Which server.
        server: String,
        /// As whom.
        user: String,
        /// What libssh2 said.
        reason: String,
    },
    /// A folder is not there.
    #[error("{server} has no folder {folder}; check the profile, or ask the partner to make it")]
    FolderMissing {
        /// Which server.
        server: String,
        /// As in the profile.
        folder: String,
    },
    /// We may not do this there.
    #[error("{server} does not allow {doing}; the partner has to give {user} the right to")]
    Denied {
        /// Which server.
        server: String,
        /// As whom.
        user: String,
        /// What was tried.
        doing: String,
    },
    /// A file of the name is there and is not ours.
    #[error(
        "{server} has a file {path} with other contents; nothing is overwritten. Ask the partner about it, and deliver again when it is gone"
    )]
    NameTaken {
        /// Which server.
        server: String,
        /// The file.
        path: String,
    },
    /// The file that we wrote is not what we sent.
    #[error(
        "{server} has {there} bytes of {path} where {sent} were sent; its disk may be full. It is tried again"
    )]
    Short {
        /// Which server.
        server: String,
        /// The file.
        path: String,
        /// Bytes that the server says it has.
        there: u64,
        /// Bytes that were sent.
        sent: u64,
    },
    /// The connection ended.
    #[error("{server} ended the connection while {doing}: {reason}; it is tried again")]
    ConnectionLost {
        /// Which server.
        server: String,
        /// What was under way.
        doing: String,
        /// What libssh2 said.
        reason: String,
    },
    /// Anything else that the server said.
    #[error("{server} failed at {doing}: {reason}")]
    Failed {
        /// Which server.
        server: String,
        /// What was under way.
        doing: String,
        /// What it said.
        reason: String,
    },
    /// Our own disk.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// A file of ours could not be read or written.
    #[error("{} cannot be read or written here: {source}", path.display())]
    Local {
        /// The file.
        path: PathBuf,
        #[source]
        /// What the system said.
        source: io::Error,
    },
    /// Our own fault.
    #[error("the work on {server} ended in a fault of this program: {reason}")]
    Fault {
        /// Which server.
        server: String,
        /// What is known of it.
        reason: String,
    },
}

impl PartnerServerError {
    /// Does it take a person to mend this? Trying again is right all the same: the person may be the partner's.
    pub fn needs_a_person(&self) -> bool {
        use PartnerServerError as E;
        match self {
            E::NoCommonAlgorithm { .. }
            | E::HostKeyDiffers { .. }
            | E::HostKeyUnreadable { .. }
            | E::OwnKey { .. }
            | E::LoginRefused { .. }
            | E::NoSftp { .. }
            | E::FolderMissing { .. }
            | E::Denied { .. }
            | E::NameTaken { .. } => true,
            E::Unreachable { .. }
            | E::TimedOut { .. }
            | E::NotSsh { .. }
            | E::Short { .. }
            | E::ConnectionLost { .. }
            | E::Failed { .. }
            | E::Spool(_)
            | E::Local { .. }
            | E::Fault { .. } => false,
        }
    }

    /// Is the connection of no more use?
    pub(super) fn ends_the_line(&self) -> bool {
        use PartnerServerError as E;
        matches!(
            self,
            E::TimedOut { .. } | E::ConnectionLost { .. } | E::Spool(_) | E::Local { .. }
        )
    }
}
