//! One mail through one SMTP server.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use lettre::address::AddressError;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use sha2::{Digest, Sha256};

use crate::config::secret::{self, SecretRefusal};
use crate::config::settings::{Mail, MailTls};

/// Each answer of the server is waited for so long.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Longer subjects are cut; a line of a mail has 998 characters at most, and no list shows so many.
const SUBJECT_CHARACTERS: usize = 200;

/// A mail to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMail {
    /// What the outbox knows it by; the Message-ID is made of it, so that a mail that goes out twice is one to its
    /// readers.
    pub key: String,
    /// Comma-separated addresses.
    pub recipients: String,
    /// Subject line.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// When it was written.
    pub written_at: DateTime<Utc>,
}

/// The settings of the mail server make no sense.
#[derive(Debug, thiserror::Error)]
pub enum MailSetupError {
    /// The sender is no address.
    #[error("[mail] from = {from:?} is no mail address: {reason}")]
    Sender {
        /// As it stands there.
        from: String,
        /// What is wrong.
        reason: AddressError,
    },
    /// The password cannot be had.
    #[error("the password of [mail] user: {0}")]
    Password(#[from] SecretRefusal),
    /// The certificate authority cannot be read.
    #[error("[mail] ca_file {} cannot be used: {reason}; it must be a certificate in PEM form", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Encryption cannot be set up.
    #[error("encryption with the mail server {server} cannot be set up: {reason}")]
    Encryption {
        /// Which server.
        server: String,
        /// What is wrong.
        reason: String,
    },
}

/// A mail was not sent. `server` is always `host:port`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// A recipient is no address.
    #[error(
        "{address:?} is no mail address: {reason}; correct it in the settings or the partner's profile"
    )]
    Recipient {
        /// As given.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// There is nobody to send it to.
    #[error("the mail has no recipient; name ops in [mail] or in the partner's profile")]
    NoRecipient,
    /// The mail cannot be written down.
    #[error("the mail cannot be put into the form of a mail: {0}")]
    Form(String),
    /// Nobody answers, or the connection ended.
    #[error("the mail server {server} cannot be reached: {reason}; check [mail] host and port")]
    Unreachable {
        /// Which server.
        server: String,
        /// What is known of it.
        reason: String,
    },
    /// It does not answer in time.
    #[error("the mail server {server} did not answer in time")]
    TimedOut {
        /// Which server.
        server: String,
    },
    /// Encryption was not agreed on.
    #[error(
        "no encryption could be agreed on with the mail server {server}: {reason}; check [mail] tls, host and ca_file"
    )]
    Encryption {
        /// Which server.
        server: String,
        /// What is known of it.
        reason: String,
    },
    /// The server refuses our login.
    #[error("the mail server {server} refuses the login: {reason}; check [mail] user and password")]
    Login {
        /// Which server.
        server: String,
        /// What it said.
        reason: String,
    },
    /// The server does not take the mail now.
    #[error("the mail server {server} does not take the mail now: {reason}")]
    Later {
        /// Which server.
        server: String,
        /// What it said.
        reason: String,
    },
    /// The server never takes this mail.
    #[error("the mail server {server} refuses the mail: {reason}")]
    Refused {
        /// Which server.
        server: String,
        /// What it said.
        reason: String,
    },
}

/// How a mail went out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Recipients that the server refused while it took the mail for others, each with what it said.
    pub refused: Vec<String>,
}

/// Sends mails through the server of the settings.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    server: String,
}

impl Mailer {
    /// `None` where the settings name no server. `data` is the data folder, against which file names are taken.
    ///
    /// # Errors
    /// When the settings cannot be used. The server is not asked yet.
    pub fn from_settings(settings: &Mail, data: &Path) -> Result<Option<Mailer>, MailSetupError> {
        if settings.host.is_empty() {
            return Ok(None);
        }
        let from = settings
            .from
            .parse::<Address>()
            .map_err(|reason| MailSetupError::Sender {
                from: settings.from.clone(),
                reason,
            })?;
        let server = format!("{}:{}", settings.host, settings.port);
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .tls(encryption(settings, &server, data)?)
            .timeout(Some(TIMEOUT));
        if !settings.user.is_empty() {
            let password = settings
                .password()
                .map(|source| secret::read(&source, data))
                .transpose()?;
            let password = password.unwrap_or_default();
            transport = transport.credentials(Credentials::new(settings.user.clone(), password));
        }
        let from = Mailbox::new(Some("Supercargo".to_owned()), from);
        Ok(Some(Mailer {
            transport: transport.build(),
            from,
            server,
        }))
    }

    /// Sends a mail to all its recipients. Where the server refuses some of them for good, the others get it.
    ///
    /// # Errors
    /// When nobody got it.
    pub async fn send(&self, mail: &OutgoingMail) -> Result<Sent, MailError> {
        let recipients = addresses(&mail.recipients)?;
        match self.send_to(mail, &recipients).await {
            Ok(()) => Ok(Sent {
                refused: Vec::new(),
            }),
            // One bad address must not keep the mail from the others.
            Err(MailError::Refused { .. }) if recipients.len() > 1 => {
                self.send_each(mail, &recipients).await
            }
            Err(error) => Err(error),
        }
    }

    async fn send_each(
        &self,
        mail: &OutgoingMail,
        recipients: &[Address],
    ) -> Result<Sent, MailError> {
        let (mut refused, mut last) = (Vec::new(), None);
        for recipient in recipients {
            if let Err(error) = self.send_to(mail, std::slice::from_ref(recipient)).await {
                refused.push(format!("{recipient}: {error}"));
                last = Some(error);
            }
        }
        match last {
            Some(error) if refused.len() == recipients.len() => Err(error),
            _ => Ok(Sent { refused }),
        }
    }

    async fn send_to(&self, mail: &OutgoingMail, recipients: &[Address]) -> Result<(), MailError> {
        let message = self.message(mail, recipients)?;
        let sent = self.transport.send(message).await;
        sent.map(drop).map_err(|error| self.explain(&error))
    }

    fn message(&self, mail: &OutgoingMail, recipients: &[Address]) -> Result<Message, MailError> {
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(one_line(&mail.subject))
            .date(mail.written_at.into())
            .message_id(Some(message_id(&mail.key, self.from.email.domain())))
            .header(ContentType::TEXT_PLAIN);
        for recipient in recipients {
            message = message.to(Mailbox::new(None, recipient.clone()));
        }
        let mut message = message
            .body(mail.body.clone())
            .map_err(|error| MailError::Form(error.to_string()))?;
        // Keeps vacation notices and the like from answering.
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        message
            .headers_mut()
            .insert_raw(HeaderValue::new(name, "auto-generated".to_owned()));
        Ok(message)
    }

    fn explain(&self, error: &lettre::transport::smtp::Error) -> MailError {
        let server = self.server.clone();
        let reason = whole_reason(error);
        let code = error.status().map(u16::from);
        match code {
            _ if error.is_timeout() => MailError::TimedOut { server },
            // 530, 534, 535, 538: who are you? 454: not now.
            Some(530 | 534 | 535 | 538) => MailError::Login { server, reason },
            _ if error.is_tls() || is_bad_handshake(error) => {
                MailError::Encryption { server, reason }
            }
            _ if error.is_permanent() => MailError::Refused { server, reason },
            _ if error.is_transient() => MailError::Later { server, reason },
            _ if error.is_client() => MailError::Encryption { server, reason },
            _ => MailError::Unreachable { server, reason },
        }
    }
}

fn encryption(settings: &Mail, server: &str, data: &Path) -> Result<Tls, MailSetupError> {
    if settings.tls == MailTls::None {
        return Ok(Tls::None);
    }
    let mut parameters = TlsParameters::builder(settings.host.clone());
    if !settings.ca_file.is_empty() {
        let path = data.join(&settings.ca_file);
        let unusable = |reason: String| MailSetupError::Authority {
            path: path.clone(),
            reason,
        };
        let pem = std::fs::read(&path).map_err(|error| unusable(error.to_string()))?;
        let authority =
            Certificate::from_pem(&pem).map_err(|error| unusable(whole_reason(&error)))?;
        parameters = parameters.add_root_certificate(authority);
    }
    let parameters = parameters
        .build_rustls()
        .map_err(|error| MailSetupError::Encryption {
            server: server.to_owned(),
            reason: whole_reason(&error),
        })?;
    Ok(match settings.tls {
        MailTls::Tls => Tls::Wrapper(parameters),
        // Required, not tried: a man in the middle could take the offer away.
        MailTls::StartTls | MailTls::None => Tls::Required(parameters),
    })
}

fn addresses(list: &str) -> Result<Vec<Address>, MailError> {
    let named = list
        .split(',')
        .map(str::trim)
        .filter(|address| !address.is_empty());
    let parsed: Result<Vec<Address>, MailError> = named
        .map(|address| {
            address
                .parse()
                .map_err(|reason: AddressError| MailError::Recipient {
                    address: address.to_owned(),
                    reason: reason.to_string(),
                })
        })
        .collect();
    parsed.and_then(|all| {
        if all.is_empty() {
            Err(MailError::NoRecipient)
        } else {
            Ok(all)
        }
    })
}

/// What a partner wrote may stand in a subject: it must not begin another header, nor hide anything.
fn one_line(subject: &str) -> String {
    let visible = subject
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c });
    visible.take(SUBJECT_CHARACTERS).collect()
}

fn message_id(key: &str, domain: &str) -> String {
    let digest = hex::encode(Sha256::digest(key.as_bytes()));
    format!("<{}@{domain}>", &digest[..40])
}

/// Lettre calls a certificate that is not trusted a failed connection; rustls wraps it as invalid data.
fn is_bad_handshake(error: &lettre::transport::smtp::Error) -> bool {
    let mut cause = error.source();
    while let Some(next) = cause {
        let io = next.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData) {
            return true;
        }
        cause = next.source();
    }
    false
}

/// An error with its causes, each once.
fn whole_reason(error: &lettre::transport::smtp::Error) -> String {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let text = next.to_string();
        if !reason.contains(&text) {
            reason = format!("{reason}: {text}");
        }
        cause = next.source();
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailer() -> Mailer {
        let settings = Mail {
            host: "mail.example.com".to_owned(),
            from: "edi@supplier.example.com".to_owned(),
            ..Mail::default()
        };
        Mailer::from_settings(&settings, Path::new("."))
            .expect("sets up")
            .expect("names a server")
    }

    fn mail(subject: &str) -> OutgoingMail {
        OutgoingMail {
            key: "document-17-rejected".to_owned(),
            recipients: "ops@supplier.example.com".to_owned(),
            subject: subject.to_owned(),
            body: "An 850 was rejected.\nPO numbers: \u{fc}".to_owned(),
            written_at: DateTime::from_timestamp(1_790_000_000, 0).expect("a time"),
        }
    }

    fn written(subject: &str) -> String {
        let mail = mail(subject);
        let recipients = addresses(&mail.recipients).expect("addresses");
        String::from_utf8(
            mailer()
                .message(&mail, &recipients)
                .expect("a message")
                .formatted(),
        )
        .expect("text")
    }

    #[tokio::test]
    async fn the_same_outbox_key_gives_the_same_message_id() {
        let id = |text: &str| {
            text.lines()
                .find(|line| line.starts_with("Message-ID: "))
                .map(str::to_owned)
        };
        let (one, other) = (written("a"), written("b"));
        assert_eq!(id(&one), id(&other));
        assert!(
            id(&one).is_some_and(|id| id.ends_with("@supplier.example.com>")),
            "{one}"
        );
        assert!(one.contains("Auto-Submitted: auto-generated\r\n"), "{one}");
        assert!(one.contains("Date: Mon, 21 Sep 2026 14:13:20 "), "{one}");
    }

    #[tokio::test]
    async fn a_subject_begins_no_header_of_its_own() {
        let text = written("PO 1\r\nBcc: thief@example.com\r\n\r\nbody");
        let headers = text.split("\r\n\r\n").next().expect("headers");
        assert!(
            !headers.lines().any(|line| line.starts_with("Bcc")),
            "{text}"
        );
        let long = written(&"x".repeat(5_000));
        assert!(long.lines().all(|line| line.len() < 998), "{long}");
    }

    #[test]
    fn lists_of_recipients() {
        let read = |list: &str| {
            addresses(list).map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(
            read(" a@x.example, b@y.example ,"),
            Ok(vec!["a@x.example".to_owned(), "b@y.example".to_owned()])
        );
        assert_eq!(read(" , "), Err(MailError::NoRecipient));
        for bad in [
            "a@x.example, nobody",
            "a@x.example\r\nDATA",
            "<a@x.example>",
        ] {
            assert!(
                matches!(read(bad), Err(MailError::Recipient { .. })),
                "{bad}"
            );
        }
    }

    #[test]
    fn no_server_is_no_mailer_and_bad_settings_are_named() {
        let set_up = |settings: &Mail| {
            Mailer::from_settings(settings, Path::new(".")).map(|mailer| mailer.is_some())
        };
        assert!(matches!(set_up(&Mail::default()), Ok(false)));
        let server = || Mail {
            host: "mail.example.com".to_owned(),
            ..Mail::default()
        };
        let from = Mail {
            from: "nobody".to_owned(),
            ..server()
        };
        assert!(matches!(set_up(&from), Err(MailSetupError::Sender { .. })));
        let authority = Mail {
            ca_file: "absent.pem".to_owned(),
            ..server()
        };
        assert!(matches!(
            set_up(&authority),
            Err(MailSetupError::Authority { .. })
        ));
        let password = Mail {
            user: "u".to_owned(),
            password_file: "absent".to_owned(),
            ..server()
        };
        assert!(matches!(
            set_up(&password),
            Err(MailSetupError::Password(_))
        ));
    }
}
