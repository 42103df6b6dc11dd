//! Partners' own SFTP servers: we log in there, fetch what they have for us, and deliver.
//!
//! libssh2 blocks, so each call runs on a thread of its own and ends within its time limits; one partner's trouble is
//! never another's. A server is used only when it shows the host key that its profile pins.

mod error;
mod fetch;
mod line;
mod pin;
mod push;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

pub use error::PartnerServerError;
pub use fetch::SETTLE;

use crate::config::profile::connection::{AfterFetch, RemoteServer};
use crate::config::secret::{self, SecretRefusal};
use crate::domain::backoff::Backoff;
pub use crate::transport::arrival::{FetchReport, FileLeft};
pub use crate::transport::delivery::{Delivered, Parcel};
use crate::transport::port::ArrivalPort;
use crate::transport::spool::SpoolFolder;

/// A partner's server and how we log in there.
#[derive(Debug, Clone)]
pub struct PartnerServer {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// As whom.
    pub user: String,
    /// Our private key in OpenSSH's format.
    pub key_file: Option<PathBuf>,
    /// The key's passphrase.
    pub passphrase: Option<Secret>,
    /// A password.
    pub password: Option<Secret>,
    /// The key that the server must show: `SHA256:…`, a whole key, or a line of a known_hosts file.
    pub host_key: String,
    /// Seconds for each step that waits for the server.
    pub timeout_seconds: u32,
    /// Ending under which a file is written before it gets its own name.
    pub temporary_suffix: String,
}

/// A text that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What to fetch, and what becomes of it there.
#[derive(Debug, Clone)]
pub struct FetchOrder {
    /// The connection that the files belong to.
    pub connection_id: i64,
    /// The partner's folder.
    pub from: String,
    /// Which names; `*` and `?` stand for any characters and any one.
    pub names: Vec<String>,
    /// What becomes of a file once it is committed here.
    pub after: AfterFetch,
    /// The folder that it is moved to, where it is moved.
    pub archive_to: String,
    /// Larger files are left there.
    pub file_bytes: u64,
    /// How long a file must stay as it is to count as complete; [`SETTLE`] is a good measure.
    pub settle: Duration,
}

impl PartnerServer {
    /// The server of a profile, with its secrets read. `data` is the data folder, against which names are taken.
    ///
    /// # Errors
    /// When a secret cannot be had.
    pub fn from_profile(
        server: &RemoteServer,
        data: &Path,
    ) -> Result<PartnerServer, SecretRefusal> {
        let read = |source| secret::read(&source, data).map(Secret);
        Ok(PartnerServer {
            host: server.host.clone(),
            port: server.port,
            user: server.user.clone(),
            key_file: (!server.key_file.is_empty()).then(|| data.join(&server.key_file)),
            passphrase: server.passphrase().map(read).transpose()?,
            password: server.password().map(read).transpose()?,
            host_key: server.host_key.clone(),
            timeout_seconds: server.timeout_seconds,
            temporary_suffix: server.temporary_suffix.clone(),
        })
    }

    /// `host:port`, as errors name it.
    pub fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Looks into the partner's folder once and takes in what lies there complete. A file that the port does not take
    /// stays where it is, and so does one that cannot be moved or deleted there; it comes again at the next look.
    ///
    /// # Errors
    /// When the server cannot be used. Files that were committed before are fetched all the same.
    pub async fn fetch(
        &self,
        order: FetchOrder,
        spool: Arc<SpoolFolder>,
        port: Arc<dyn ArrivalPort>,
    ) -> Result<FetchReport, PartnerServerError> {
        let runtime = Handle::current();
        self.blocking(move |server| fetch::fetch(server, &order, &spool, &port, &runtime))
            .await
    }

    /// Delivers a file into the partner's folder. Safe to repeat after any error.
    ///
    /// # Errors
    /// When the server cannot be used, or another file has the name. After [`PartnerServerError::TimedOut`] and
    /// [`PartnerServerError::ConnectionLost`] the file may have arrived: the delivery is uncertain.
    pub async fn push(
        &self,
        folder: &str,
        parcel: Parcel,
    ) -> Result<Delivered, PartnerServerError> {
        let folder = folder.to_owned();
        self.blocking(move |server| push::push(server, &folder, &parcel))
            .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&PartnerServer) -> Result<T, PartnerServerError> + Send + 'static,
    ) -> Result<T, PartnerServerError> {
        let server = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&server)).await;
        done.unwrap_or_else(|fault| {
            Err(PartnerServerError::Fault {
                server: self.name(),
                reason: fault.to_string(),
            })
        })
    }
}

impl FetchOrder {
    /// The order of a profile; `None` when nothing is fetched.
    pub fn from_profile(
        server: &RemoteServer,
        connection_id: i64,
        file_bytes: u64,
    ) -> Option<FetchOrder> {
        (!server.fetch_from.is_empty()).then(|| FetchOrder {
            connection_id,
            from: server.fetch_from.clone(),
            names: server.fetch_names.clone(),
            after: server.after_fetch,
            archive_to: server.archive_to.clone(),
            file_bytes,
            settle: SETTLE,
        })
    }
}

/// The waits between attempts that a profile asks for.
pub fn backoff(server: &RemoteServer) -> Backoff {
    Backoff {
        first: Duration::from_secs(server.backoff_seconds.into()),
        longest: Duration::from_secs(server.backoff_seconds_max.into()),
    }
}
