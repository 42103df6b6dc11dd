//! A connection to a partner's server: reached, known by its host key, logged in.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use ssh2::{ErrorCode, KeyboardInteractivePrompt, MethodType, Prompt, Session, Sftp};

use super::PartnerServer;
use super::error::PartnerServerError;
use super::pin::{HostKeyPin, fingerprint_of};

// The codes of libssh2 that we tell apart; libssh2.h lists them all.
const KEX_FAILURES: [i32; 4] = [-5, -8, -17, -51];
const TIMEOUTS: [i32; 2] = [-9, -30];
const LOST: [i32; 4] = [-7, -13, -43, -45];
const OWN_KEY: [i32; 2] = [-16, -19];
const NO_SUCH: [i32; 2] = [2, 10];
const DENIED: [i32; 2] = [3, 12];

/// A line on which SFTP can be spoken. All calls block.
pub(super) struct Line {
    server: PartnerServer,
    pub(super) sftp: Sftp,
    // Ends the connection when dropped, after the SFTP session that uses it.
    _session: Session,
}

impl Line {
    /// Connects and logs in.
    pub(super) fn open(server: &PartnerServer) -> Result<Line, PartnerServerError> {
        let pin = HostKeyPin::parse(&server.host_key).map_err(|reason| {
            PartnerServerError::HostKeyUnreadable {
                text: server.host_key.clone(),
                reason,
            }
        })?;
        let session = known_server(server, &pin)?;
        log_in(server, &session)?;
        let sftp =
            session
                .sftp()
                .map_err(|error| match classify(server, &error, "opening SFTP") {
                    PartnerServerError::Failed { reason, .. } => PartnerServerError::NoSftp {
                        server: server.name(),
                        user: server.user.clone(),
                        reason,
                    },
                    other => other,
                })?;
        Ok(Line {
            server: server.clone(),
            sftp,
            _session: session,
        })
    }

    /// Says what an error of libssh2 means.
    pub(super) fn explain(
        &self,
        error: &ssh2::Error,
        doing: impl Into<String>,
    ) -> PartnerServerError {
        classify(&self.server, error, doing)
    }

    /// The same for errors of reading and writing, in which libssh2's are wrapped.
    pub(super) fn explain_io(
        &self,
        error: io::Error,
        doing: impl Into<String>,
    ) -> PartnerServerError {
        let doing = doing.into();
        if error.kind() == io::ErrorKind::TimedOut {
            return timed_out(&self.server, doing);
        }
        PartnerServerError::ConnectionLost {
            server: self.server.name(),
            doing,
            reason: error.to_string(),
        }
    }

    /// The same where a folder is looked for.
    pub(super) fn explain_folder(
        &self,
        error: &ssh2::Error,
        folder: &str,
        doing: String,
    ) -> PartnerServerError {
        if is_missing(error) {
            return PartnerServerError::FolderMissing {
                server: self.server.name(),
                folder: folder.to_owned(),
            };
        }
        self.explain(error, doing)
    }

    /// Size and time of a file; `None` when it is not there.
    pub(super) fn stat(&self, path: &str) -> Result<Option<ssh2::FileStat>, PartnerServerError> {
        match self.sftp.stat(Path::new(path)) {
            Ok(stat) => Ok(Some(stat)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(self.explain(&error, format!("looking at {path}"))),
        }
    }

    pub(super) fn server(&self) -> &PartnerServer {
        &self.server
    }
}

/// Is it that there is no such file?
pub(super) fn is_missing(error: &ssh2::Error) -> bool {
    matches!(error.code(), ErrorCode::SFTP(code) if NO_SUCH.contains(&code))
}

/// Is it that we may not?
pub(super) fn is_denied(error: &ssh2::Error) -> bool {
    matches!(error.code(), ErrorCode::SFTP(code) if DENIED.contains(&code))
}

fn classify(
    server: &PartnerServer,
    error: &ssh2::Error,
    doing: impl Into<String>,
) -> PartnerServerError {
    let (name, doing, reason) = (server.name(), doing.into(), error.message().to_owned());
    match error.code() {
        ErrorCode::Session(code) if TIMEOUTS.contains(&code) => timed_out(server, doing),
        ErrorCode::Session(code) if LOST.contains(&code) => PartnerServerError::ConnectionLost {
            server: name,
            doing,
            reason,
        },
        ErrorCode::SFTP(6 | 7) => PartnerServerError::ConnectionLost {
            server: name,
            doing,
            reason,
        },
        ErrorCode::SFTP(_) if is_denied(error) => PartnerServerError::Denied {
            server: name,
            user: server.user.clone(),
            doing,
        },
        code => PartnerServerError::Failed {
            server: name,
            doing,
            reason: format!("{reason} ({code:?})"),
        },
    }
}

fn timed_out(server: &PartnerServer, doing: String) -> PartnerServerError {
    PartnerServerError::TimedOut {
        server: server.name(),
        seconds: server.timeout_seconds,
        doing,
    }
}

/// Connects until the server shows the key that it should, or has no other.
fn known_server(server: &PartnerServer, pin: &HostKeyPin) -> Result<Session, PartnerServerError> {
    let mut presented: Vec<String> = Vec::new();
    let mut no_such_kind = None;
    for kind in pin.kinds() {
        let session = match handshake(server, kind) {
            Ok(session) => session,
            // The server has no key of this kind, perhaps.
            Err(error @ PartnerServerError::NoCommonAlgorithm { .. }) => {
                no_such_kind = Some(error);
                continue;
            }
            Err(error) => return Err(error),
        };
        let blob = session
            .host_key()
            .map(|(blob, _)| blob.to_vec())
            .unwrap_or_default();
        if pin.is(&blob) {
            return Ok(session);
        }
        presented.push(fingerprint_of(&blob));
    }
    match no_such_kind {
        Some(error) if presented.is_empty() => Err(error),
        _ => Err(PartnerServerError::HostKeyDiffers {
            server: server.name(),
            expected: pin.fingerprint(),
            presented: presented.join(", "),
        }),
    }
}

fn handshake(server: &PartnerServer, host_key_kind: &str) -> Result<Session, PartnerServerError> {
    let stream = connect(server)?;
    let fault = |error: ssh2::Error| PartnerServerError::Fault {
        server: server.name(),
        reason: error.to_string(),
    };
    let mut session = Session::new().map_err(fault)?;
    session.set_timeout(server.timeout_seconds.saturating_mul(1_000));
    session
        .method_pref(MethodType::HostKey, host_key_kind)
        .map_err(fault)?;
    session.set_tcp_stream(stream);
    session.handshake().map_err(|error| match error.code() {
        ErrorCode::Session(code) if KEX_FAILURES.contains(&code) => {
            PartnerServerError::NoCommonAlgorithm {
                server: server.name(),
                banner: session
                    .banner()
                    .unwrap_or("it does not say what it is")
                    .to_owned(),
                reason: error.message().to_owned(),
            }
        }
        ErrorCode::Session(code) if TIMEOUTS.contains(&code) => {
            timed_out(server, "agreeing on encryption".to_owned())
        }
        _ => PartnerServerError::NotSsh {
            server: server.name(),
            reason: error.message().to_owned(),
        },
    })?;
    Ok(session)
}

fn connect(server: &PartnerServer) -> Result<TcpStream, PartnerServerError> {
    let unreachable = |source| PartnerServerError::Unreachable {
        server: server.name(),
        source,
    };
    let timeout = Duration::from_secs(server.timeout_seconds.max(1).into());
    let addresses = (server.host.as_str(), server.port)
        .to_socket_addrs()
        .map_err(unreachable)?;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => {
                // Small requests would wait for each other's acknowledgments otherwise.
                stream.set_nodelay(true).map_err(unreachable)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(unreachable(last))
}

/// Tries what we have: the key, then the password, then the password as the answer to whatever is asked.
fn log_in(server: &PartnerServer, session: &Session) -> Result<(), PartnerServerError> {
    let mut own_key = None;
    let mut failed = |attempt: Result<(), ssh2::Error>| match attempt {
        Ok(()) => Ok(()),
        Err(error) => match error.code() {
            ErrorCode::Session(code) if TIMEOUTS.contains(&code) || LOST.contains(&code) => {
                Err(classify(server, &error, "logging in"))
            }
            ErrorCode::Session(code) if OWN_KEY.contains(&code) => {
                own_key = Some(error.message().to_owned());
                Ok(())
            }
            _ => Ok(()),
        },
    };
    if let Some(key) = &server.key_file {
        let passphrase = server.passphrase.as_ref().map(|secret| secret.0.as_str());
        failed(session.userauth_pubkey_file(&server.user, None, key, passphrase))?;
    }
    if let (false, Some(password)) = (session.authenticated(), &server.password) {
        failed(session.userauth_password(&server.user, &password.0))?;
        if !session.authenticated() {
            let mut answer = SameAnswer(&password.0);
            failed(session.userauth_keyboard_interactive(&server.user, &mut answer))?;
        }
    }
    if session.authenticated() {
        return Ok(());
    }
    if let (Some(reason), Some(path)) = (own_key, &server.key_file) {
        return Err(PartnerServerError::OwnKey {
            path: path.clone(),
            reason,
        });
    }
    Err(PartnerServerError::LoginRefused {
        server: server.name(),
        user: server.user.clone(),
        methods: session
            .auth_methods(&server.user)
            .unwrap_or("what it does not say")
            .to_owned(),
    })
}

/// Answers every prompt with the password; some servers ask for it in this way only.
struct SameAnswer<'a>(&'a str);

impl KeyboardInteractivePrompt for SameAnswer<'_> {
    fn prompt<'p>(
        &mut self,
        _user: &str,
        _instructions: &str,
        prompts: &[Prompt<'p>],
    ) -> Vec<String> {
        prompts.iter().map(|_| self.0.to_owned()).collect()
    }
}
