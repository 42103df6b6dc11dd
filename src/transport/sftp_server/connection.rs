//! One SSH connection: who is it, and which sessions does it open? Everything but SFTP is refused.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, HashAlg, PublicKey};
use russh::server::{
    Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey,
};
use russh::{Channel, ChannelId, Pty};
use tokio::sync::watch;
use tokio::time::Instant;

use super::cut::Scissors;
use super::port::{AbandonCause, Login, LoginProof, MailboxIdentity, PublicKeyText};
use super::pulse::Pulse;
use super::session::MailboxSession;
use super::shared::Shared;
use super::wire::{self, SessionEnd};

/// RSA keys below this length are refused.
const RSA_BITS: u32 = 2_048;

/// The state of a connection.
pub(super) struct Connection {
    shared: Arc<Shared>,
    from: SocketAddr,
    pulse: Arc<Pulse>,
    scissors: Scissors,
    stop: watch::Receiver<bool>,
    // Held by every session's task, so that who waits for the connection's end waits for them too.
    running: watch::Receiver<()>,
    mailbox: Option<MailboxIdentity>,
    key_offers: usize,
    sessions_opened: usize,
    // Opened and not yet asked to be anything.
    channels: HashMap<ChannelId, Channel<Msg>>,
}

/// Ends the connection when a session's task dies of a panic; the others go on.
struct CutOnPanic(Scissors);

impl Drop for CutOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.cut();
        }
    }
}

impl Connection {
    pub(super) fn new(
        shared: Arc<Shared>,
        from: SocketAddr,
        pulse: Arc<Pulse>,
        scissors: Scissors,
        stop: watch::Receiver<bool>,
        running: watch::Receiver<()>,
    ) -> Connection {
        Connection {
            shared,
            from,
            pulse,
            scissors,
            stop,
            running,
            mailbox: None,
            key_offers: 0,
            sessions_opened: 0,
            channels: HashMap::new(),
        }
    }

    /// Asks the house who this is. A house that cannot answer refuses, but holds it against nobody.
    async fn log_in(&mut self, name: &str, proof: LoginProof<'_>) -> Auth {
        let address = self.from.ip();
        let sound = name.len() <= Login::NAME_BYTES
            && !name.is_empty()
            && !name.chars().any(char::is_control);
        if !sound || self.shared.gate.is_banned(address, Instant::now()) {
            return self.refuse_login(name, proof).await;
        }
        let login = Login {
            mailbox: name,
            proof,
            from: self.from,
        };
        match self.shared.port.authenticate(login).await {
            Ok(Some(mailbox)) => {
                if !matches!(proof, LoginProof::KeyOffered(_)) {
                    tracing::info!(mailbox = %mailbox.name, from = %self.from, ?proof, "logged in");
                    self.mailbox = Some(mailbox);
                }
                Auth::Accept
            }
            Ok(None) => self.refuse_login(name, proof).await,
            Err(error) => {
                tracing::error!(from = %self.from, %error, "a login cannot be checked");
                Auth::reject()
            }
        }
    }

    async fn refuse_login(&self, name: &str, proof: LoginProof<'_>) -> Auth {
        // Agents offer all their keys until one fits; only their number is limited.
        if matches!(proof, LoginProof::KeyOffered(_)) {
            return Auth::reject();
        }
        let banned = self
            .shared
            .gate
            .login_refused(self.from.ip(), Instant::now());
        tracing::warn!(name = ?name.chars().take(Login::NAME_BYTES).collect::<String>(), from = %self.from, ?proof, banned, "a login was refused");
        if banned {
            self.shared.port.address_banned(name, self.from.ip()).await;
            self.scissors.cut();
        }
        Auth::reject()
    }

    /// Serves an SFTP session on a channel, in a task of its own.
    fn begin_session(
        &mut self,
        channel: Channel<Msg>,
        mut session: MailboxSession,
        handle: russh::server::Handle,
    ) {
        let (pulse, mut stop) = (self.pulse.clone(), self.stop.clone());
        let (scissors, running) = (self.scissors.clone(), self.running.clone());
        tokio::spawn(async move {
            let (_running, _cut) = (running, CutOnPanic(scissors));
            let id = channel.id();
            let end = wire::serve(channel.into_stream(), &mut session, &pulse, &mut stop).await;
            // Without an exit status some clients call the whole session failed. The channel may be gone already.
            let _ = handle
                .exit_status_request(id, u32::from(end == SessionEnd::OutOfStep))
                .await;
            // So that the client goes by itself: OpenSSH throws away what it has read when it is told to disconnect.
            let _ = handle.eof(id).await;
            let _ = handle.close(id).await;
            let cause = match end {
                SessionEnd::ServerStops => AbandonCause::ServerStopped,
                SessionEnd::ByClient | SessionEnd::OutOfStep => AbandonCause::ConnectionEnded,
            };
            session.end(cause).await;
        });
    }

    fn new_session(&mut self) -> Option<MailboxSession> {
        let mailbox = self.mailbox.clone()?;
        if self.sessions_opened >= self.shared.limits.sessions_per_connection {
            tracing::warn!(mailbox = %mailbox.name, from = %self.from, "a connection opened too many sessions");
            return None;
        }
        let seat = self.shared.desk.seat(mailbox.connection_id);
        let seat = seat.inspect_err(|full| tracing::warn!(mailbox = %mailbox.name, from = %self.from, %full, "a session was refused"));
        self.sessions_opened += 1;
        Some(MailboxSession::new(
            self.shared.clone(),
            mailbox,
            self.from,
            seat.ok()?,
        ))
    }
}

/// The key as text, if it is of a kind that is still good.
fn sound_key(key: &PublicKey, signed_with: &Algorithm) -> Option<PublicKeyText> {
    match signed_with {
        // A signature over SHA-1.
        Algorithm::Rsa { hash: None } | Algorithm::Dsa => return None,
        _ => {}
    }
    if let KeyData::Rsa(rsa) = key.key_data()
        && rsa.key_size() < RSA_BITS
    {
        return None;
    }
    let mut bare = key.clone();
    bare.set_comment("");
    let openssh = bare.to_openssh().ok()?.trim_end().to_owned();
    Some(PublicKeyText {
        openssh,
        fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
    })
}

impl Handler for Connection {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        let shared = self.shared.clone();
        // Never closed, so never an error; were it one, nobody logs in.
        let Ok(_turn) = shared.password_checks.acquire().await else {
            return Ok(Auth::reject());
        };
        Ok(self.log_in(user, LoginProof::Password(password)).await)
    }

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        self.key_offers += 1;
        if self.key_offers > self.shared.limits.key_offers_per_connection {
            self.scissors.cut();
            return Ok(Auth::reject());
        }
        match sound_key(offer.public_key, offer.algorithm) {
            Some(key) => Ok(self.log_in(user, LoginProof::KeyOffered(&key)).await),
            None => Ok(Auth::reject()),
        }
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        match sound_key(key.public_key, key.algorithm) {
            Some(key) => Ok(self.log_in(user, LoginProof::KeyProven(&key)).await),
            None => Ok(Auth::reject()),
        }
    }

    async fn auth_succeeded(&mut self, _session: &mut Session) -> Result<(), Self::Error> {
        self.pulse.log_in();
        Ok(())
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        // A reply that is dropped is a refusal.
        if self.mailbox.is_some()
            && self.channels.len() < self.shared.limits.sessions_per_connection
        {
            self.channels.insert(channel.id(), channel);
            reply.accept().await;
        }
        Ok(())
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.channels.remove(&channel);
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let channel = self.channels.remove(&id).filter(|_| name == "sftp");
        match channel.and_then(|channel| Some((channel, self.new_session()?))) {
            Some((channel, mailbox)) => {
                session.channel_success(id)?;
                self.begin_session(channel, mailbox, session.handle());
            }
            None => session.channel_failure(id)?,
        }
        Ok(())
    }

    async fn shell_request(
        &mut self,
        channel: ChannelId,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _: &str,
        _: u32,
        _: u32,
        _: u32,
        _: u32,
        _: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        _: &str,
        _: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn x11_request(
        &mut self,
        channel: ChannelId,
        _: bool,
        _: &str,
        _: &str,
        _: u32,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }
}
