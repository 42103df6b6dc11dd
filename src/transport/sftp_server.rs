//! The embedded SFTP server: each trading partner's mailbox, with `/inbound` to send and `/outbound` to collect.
//!
//! There is no directory behind it. What lies in `/outbound` is what the house says lies there; what comes into
//! `/inbound` gathers in a local spool and is handed over whole, and the client's CLOSE (or its RENAME out of a
//! temporary name) is answered when the house has committed it. A connection that ends before that leaves nothing.
//!
//! Names ending in `.tmp`, `.part` or `.filepart`, and names beginning with a dot, are temporary: such a file waits
//! for its rename. Every client is taken for hostile: see [`Limits`]. Ban and limits hold per process.

mod answer;
mod connection;
mod cut;
mod desk;
mod gate;
mod host_key;
mod inbound;
mod limits;
mod outbound;
mod path;
mod port;
mod pulse;
mod session;
mod shared;
mod upload;
mod wire;

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::server::Config;
use russh::{Disconnect, MethodKind, MethodSet, Preferred, SshId, cipher, compression, kex, mac};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub use host_key::{FILE_NAME as HOST_KEY_FILE, HostKey, HostKeyError};
pub use limits::Limits;
pub use port::{
    AbandonCause, AbandonedUpload, CompletedUpload, Login, LoginProof, MailboxEntry,
    MailboxIdentity, MailboxPort, OutboundBody, OutboundFile, OutboundRename, PublicKeyText,
};

use crate::transport::spool::{SpoolError, SpoolFolder};
use connection::Connection;
use cut::{Cuttable, Scissors};
use desk::Desk;
use gate::{Gate, Place};
use inbound::give_up_waiting;
use pulse::Pulse;
use shared::Shared;

/// How long a request that the server is at when it stops may take; the commit of a large upload takes its time.
const FINISH: Duration = Duration::from_secs(60);
/// How long a client whose sessions are closed may take to go by itself. One that is told to disconnect at once may
/// throw away an answer that it has read and not passed on.
const PARTING: Duration = Duration::from_secs(1);
/// How long a client that was told goodbye may take to go.
const FAREWELL: Duration = Duration::from_secs(2);
/// How often files that wait for their rename are looked through, at most and at least.
const WAITING_CHECKED: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));

/// Where and how the mailbox is served.
#[derive(Debug, Clone)]
pub struct SftpServerSettings {
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The folder with the host key, which is made there at the first start.
    pub host_key_folder: PathBuf,
    /// The folder in which uploads gather.
    pub spool_folder: PathBuf,
    /// What clients may ask for.
    pub limits: Limits,
}

/// The server could not start.
#[derive(Debug, thiserror::Error)]
pub enum SftpServerError {
    /// Another program has the port, or the address is not this machine's.
    #[error(
        "cannot listen for SFTP on {address}: {source}; choose another address or stop what uses it"
    )]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        #[source]
        /// What the system said.
        source: io::Error,
    },
    /// No host key.
    #[error(transparent)]
    HostKey(#[from] HostKeyError),
    /// No spool.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

/// A running server. Dropping it without [`SftpServer::stop`] stops it too, but nobody waits for its end.
#[derive(Debug)]
pub struct SftpServer {
    address: SocketAddr,
    host_key: HostKey,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl SftpServer {
    /// Starts to serve; returns when clients can connect.
    ///
    /// # Errors
    /// When the address, the host key or the spool cannot be had.
    pub async fn start(
        settings: SftpServerSettings,
        port: Arc<dyn MailboxPort>,
    ) -> Result<SftpServer, SftpServerError> {
        let host_key = HostKey::load_or_create(&settings.host_key_folder)?;
        let spool = SpoolFolder::open(&settings.spool_folder)?;
        let listening = async {
            let listener = TcpListener::bind(settings.listen).await?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = listening.await.map_err(|source| SftpServerError::Listen {
            address: settings.listen,
            source,
        })?;
        let limits = settings.limits;
        let config = Arc::new(ssh_config(&host_key, &limits));
        let shared = Arc::new(Shared {
            port,
            spool,
            gate: Gate::new(limits.clone()),
            desk: Desk::new(limits.clone()),
            password_checks: Semaphore::new(limits.password_checks),
            limits,
        });
        let (stop, stopped) = watch::channel(false);
        let accepting = tokio::spawn(accept(listener, config, shared, stopped));
        tracing::info!(%address, host_key = %host_key.fingerprint(), "the SFTP mailbox is open");
        Ok(SftpServer {
            address,
            host_key,
            stop,
            accepting,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How clients know it.
    pub fn host_key(&self) -> &HostKey {
        &self.host_key
    }

    /// Takes no more connections, lets each session finish the request that it is at, and returns when all are gone.
    /// Uploads that are not complete are abandoned.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.accepting.await {
            tracing::error!(%error, "the SFTP mailbox ended badly");
        }
    }
}

/// Algorithms that are thought sound today, and nothing compressed: a few bytes could unfold to gigabytes.
fn ssh_config(host_key: &HostKey, limits: &Limits) -> Config {
    let ecdsa = |curve| Algorithm::Ecdsa { curve };
    Config {
        server_id: SshId::Standard(Cow::Borrowed("SSH-2.0-Supercargo")),
        methods: MethodSet::from(&[MethodKind::PublicKey, MethodKind::Password][..]),
        auth_rejection_time: limits.refused_login_delay,
        // OpenSSH always asks for no authentication first, to learn what there is.
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![host_key.private()],
        preferred: Preferred {
            kex: Cow::Borrowed(&[
                kex::MLKEM768X25519_SHA256,
                kex::CURVE25519,
                kex::CURVE25519_PRE_RFC_8731,
                kex::ECDH_SHA2_NISTP521,
                kex::ECDH_SHA2_NISTP384,
                kex::ECDH_SHA2_NISTP256,
                kex::DH_G18_SHA512,
                kex::DH_G16_SHA512,
                kex::DH_G14_SHA256,
                kex::EXTENSION_SUPPORT_AS_SERVER,
                kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
            ]),
            key: Cow::Owned(vec![
                Algorithm::Ed25519,
                ecdsa(EcdsaCurve::NistP521),
                ecdsa(EcdsaCurve::NistP384),
                ecdsa(EcdsaCurve::NistP256),
                Algorithm::Rsa {
                    hash: Some(HashAlg::Sha512),
                },
                Algorithm::Rsa {
                    hash: Some(HashAlg::Sha256),
                },
            ]),
            host_key_certificates: Cow::Borrowed(&[]),
            cipher: Cow::Borrowed(&[
                cipher::CHACHA20_POLY1305,
                cipher::AES_256_GCM,
                cipher::AES_128_GCM,
                cipher::AES_256_CTR,
                cipher::AES_192_CTR,
                cipher::AES_128_CTR,
            ]),
            mac: Cow::Borrowed(&[
                mac::HMAC_SHA512_ETM,
                mac::HMAC_SHA256_ETM,
                mac::HMAC_SHA512,
                mac::HMAC_SHA256,
            ]),
            compression: Cow::Borrowed(&[compression::NONE]),
        },
        max_auth_attempts: limits.logins_per_connection,
        // Our own watch knows when the client waits for us; see `Pulse`.
        inactivity_timeout: None,
        keepalive_interval: Some(Duration::from_secs(60)),
        keepalive_max: 3,
        // Answers to the requests that were read ahead must find room while more is read.
        event_buffer_size: 256,
        ..Config::default()
    }
}

/// Accepts connections until the server stops, then waits for those that there are.
async fn accept(
    listener: TcpListener,
    config: Arc<Config>,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) {
    // Every connection and session holds a receiver; when all are gone, the sender knows.
    let (running, _) = watch::channel(());
    let looking_through = tokio::spawn(look_through_waiting(shared.clone()));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        match accepted {
            Ok((stream, from)) => match shared.gate.admit(from.ip(), Instant::now()) {
                Ok(place) => {
                    let visit = Visit {
                        from,
                        _place: place,
                        shared: shared.clone(),
                    };
                    let running = running.subscribe();
                    tokio::spawn(visit.serve(stream, config.clone(), stop.clone(), running));
                }
                Err(reason) => tracing::warn!(%from, %reason, "a connection was turned away"),
            },
            Err(error) => {
                // Out of file descriptors, most likely: others have to go first.
                tracing::error!(%error, "a connection cannot be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    running.closed().await;
    looking_through.abort();
    give_up_waiting(&shared, AbandonCause::ServerStopped).await;
}

/// Returns when the server stops, or is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|&stop| stop).await;
}

async fn look_through_waiting(shared: Arc<Shared>) {
    let (shortest, longest) = WAITING_CHECKED;
    let every = (shared.limits.wait_for_rename / 10).clamp(shortest, longest);
    let mut interval = tokio::time::interval(every);
    loop {
        interval.tick().await;
        give_up_waiting(&shared, AbandonCause::NeverRenamed).await;
    }
}

/// One connection from its acceptance to its end.
struct Visit {
    from: SocketAddr,
    _place: Place,
    shared: Arc<Shared>,
}

impl Visit {
    /// Serves the connection until it ends, is idle for too long, or the server stops.
    async fn serve(
        self,
        stream: TcpStream,
        config: Arc<Config>,
        mut stop: watch::Receiver<bool>,
        running: watch::Receiver<()>,
    ) {
        let (from, limits) = (self.from, &self.shared.limits);
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%from, %error, "a connection was gone at once");
            return;
        }
        let pulse = Arc::new(Pulse::new(Instant::now()));
        let (stream, scissors) = Cuttable::new(stream);
        let connection = Connection::new(
            self.shared.clone(),
            from,
            pulse.clone(),
            scissors.clone(),
            stop.clone(),
            running,
        );
        let begun = tokio::select! {
            begun = russh::server::run_stream(config, stream, connection) => begun,
            () = tokio::time::sleep(limits.login_grace) => Err(russh::Error::InactivityTimeout),
            () = stopped(&mut stop) => return,
        };
        let mut ssh = match begun {
            Ok(ssh) => ssh,
            Err(error) => {
                return tracing::debug!(%from, %error, "a connection did not begin as SSH");
            }
        };
        let handle = ssh.handle();
        let reason = loop {
            let Some(deadline) = pulse.deadline(limits, Instant::now()) else {
                break "no activity";
            };
            tokio::select! {
                ended = &mut ssh => {
                    // A panic in this connection's task ends here too.
                    tracing::info!(%from, how = ?ended.err(), "a connection ended");
                    return;
                }
                () = tokio::time::sleep_until(deadline) => {}
                () = pulse.login() => {}
                () = stopped(&mut stop) => break "the server stops",
            }
        };
        // Who did nothing for so long is not waited for: what he is owed are answers that he does not take.
        if *stop.borrow() {
            pulse.rest(FINISH).await;
            if tokio::time::timeout(PARTING, &mut ssh).await.is_ok() {
                return scissors.cut();
            }
        }
        tracing::info!(%from, reason, "ending a connection");
        say_goodbye(&handle, &scissors, ssh, reason).await;
    }
}

/// Ends a connection politely, and then for good.
async fn say_goodbye(
    handle: &russh::server::Handle,
    scissors: &Scissors,
    ssh: russh::server::RunningSession<Connection>,
    reason: &str,
) {
    let polite = async {
        let told = handle
            .disconnect(
                Disconnect::ByApplication,
                reason.to_owned(),
                "en".to_owned(),
            )
            .await;
        if told.is_ok() {
            let _ = ssh.await;
        }
    };
    let _ = tokio::time::timeout(FAREWELL, polite).await;
    scissors.cut();
}
