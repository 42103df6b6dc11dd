//! A real S3 server over a folder, s3s-fs: it checks signatures, and objects are files that a test can look at.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The one access key that it knows.
pub const ACCESS_KEY: &str = "SUPERCARGOTEST";
pub const SECRET_KEY: &str = "wJalrXUtnFEMI-that-nobody-may-read";
/// Its only bucket.
pub const BUCKET: &str = "edi-archive";

/// The server; it ends with this value.
pub struct S3 {
    folder: PathBuf,
    /// Where it listens, running or not.
    pub address: SocketAddr,
    running: Option<JoinHandle<()>>,
    tls: Option<TlsAcceptor>,
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.stop();
    }
}

impl S3 {
    /// Starts it with its bucket in `folder`.
    pub async fn start(folder: &Path) -> Self {
        Self::begin(folder, None).await
    }

    /// The same over TLS, with a certificate for `localhost` by an authority that nobody knows, whose certificate is
    /// `ca.pem` in `folder`. `None`, after a printed word, where openssl is missing.
    pub async fn start_with_tls(folder: &Path) -> Option<Self> {
        std::fs::create_dir_all(folder).expect("a folder");
        if !super::smtp::make_certificates(folder) {
            super::left_out(&super::test_name(), "needs certificates; install openssl");
            return None;
        }
        let chain = CertificateDer::pem_file_iter(folder.join("server.pem"))
            .expect("a file")
            .collect::<Result<Vec<_>, _>>()
            .expect("certificates");
        let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(
            tokio_rustls::rustls::crypto::ring::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("they fit together");
        let tls = TlsAcceptor::from(Arc::new(config));
        Some(Self::begin(folder, Some(tls)).await)
    }

    async fn begin(folder: &Path, tls: Option<TlsAcceptor>) -> Self {
        std::fs::create_dir_all(folder.join(BUCKET)).expect("a folder");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let mut server = Self {
            folder: folder.to_owned(),
            address: listener.local_addr().expect("an address"),
            running: None,
            tls,
        };
        server.serve(listener);
        server
    }

    /// Ends it with all its connections, as a machine does that is switched off.
    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
    }

    /// Starts it once more at its address.
    pub async fn start_again(&mut self) {
        let listener = loop {
            match TcpListener::bind(self.address).await {
                Ok(listener) => break listener,
                // Its connections of before end one after the other.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        };
        self.serve(listener);
    }

    fn serve(&mut self, listener: TcpListener) {
        let files = FileSystem::new(&self.folder).expect("a folder");
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        self.running = Some(tokio::spawn(accept(
            listener,
            builder.build(),
            self.tls.clone(),
        )));
    }

    /// The settings that name it, with its keys in files of the data folder, which are written there.
    pub fn settings(&self, data: &Path, above_bytes: u64) -> String {
        std::fs::write(data.join("s3-access"), ACCESS_KEY).expect("written");
        std::fs::write(data.join("s3-secret"), format!("{SECRET_KEY}\n")).expect("written");
        let endpoint = match self.tls {
            Some(_) => format!("https://localhost:{}", self.address.port()),
            None => format!("http://{}", self.address),
        };
        format!(
            "\n[objects]\nbucket = \"{BUCKET}\"\nendpoint = \"{endpoint}\"\nprefix = \"here/x\"\nabove_bytes = {above_bytes}\n\
             access_key_file = \"s3-access\"\nsecret_key_file = \"s3-secret\"\n"
        )
    }

    /// Keys and files of the objects below that prefix.
    pub fn objects(&self) -> Vec<(String, PathBuf)> {
        let below = self.folder.join(BUCKET).join("here/x");
        let Ok(entries) = std::fs::read_dir(below) else {
            return Vec::new();
        };
        entries
            .flatten()
            .map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                (format!("here/x/{name}"), entry.path())
            })
            .collect()
    }
}

async fn accept(listener: TcpListener, service: S3Service, tls: Option<TlsAcceptor>) {
    // Dropped with this task, and with it every connection.
    let mut connections = JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await.expect("a connection");
        let (service, tls) = (service.clone(), tls.clone());
        connections.spawn(async move {
            match tls {
                None => answer(socket, service).await,
                // A client that does not trust us goes away.
                Some(tls) => {
                    if let Ok(socket) = tls.accept(socket).await {
                        answer(socket, service).await;
                    }
                }
            }
        });
    }
}

async fn answer(socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, service: S3Service) {
    let served =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service);
    // A client may go away.
    let _ = served.await;
}
