//! How a played partner exchanges files: as an SFTP client of our mailbox that meets dying servers, or over an OpenSSH
//! server of its own, of which it sees the folders.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fastrand::Rng;
use supercargo::service::endpoints::Endpoints;
use supercargo::transport::sftp_server::{HOST_KEY_FILE, HostKey};

type Trouble = Box<dyn std::error::Error>;

/// Where the gateways of a rehearsal can be reached just now; a place for each node.
#[derive(Debug, Clone, Default)]
pub struct Board {
    places: Arc<Mutex<Vec<Option<Endpoints>>>>,
}

impl Board {
    /// A board for so many nodes.
    pub fn new(nodes: usize) -> Board {
        Board {
            places: Arc::new(Mutex::new(vec![None; nodes])),
        }
    }

    /// Writes down where a node is, or that it is gone.
    pub fn put(&self, node: usize, endpoints: Option<Endpoints>) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get_mut(node) {
            *place = endpoints;
        }
    }

    /// One of the nodes that are up, by chance.
    pub fn any(&self, chance: &mut Rng) -> Option<Endpoints> {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let up: Vec<&Endpoints> = places.iter().flatten().collect();
        if up.is_empty() {
            return None;
        }
        up.get(chance.usize(..up.len()))
            .map(|place| (*place).clone())
    }
}

/// How a file is uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Under its own name: the answer to CLOSE is the receipt.
    Plain,
    /// Under a temporary name: the answer to RENAME is the receipt.
    Renamed,
}

/// An SFTP client of our mailbox.
pub struct MailboxClient {
    user: &'static str,
    key: PathBuf,
    host_key: String,
    board: Board,
    chance: Rng,
    session: Option<ssh2::Sftp>,
    /// Its own port of every connection that it had.
    pub ports: Vec<u16>,
}

impl MailboxClient {
    /// A client with this key, which has pinned our host key.
    pub fn new(
        user: &'static str,
        key: PathBuf,
        host_key: String,
        board: Board,
        seed: u64,
    ) -> Self {
        Self {
            user,
            key,
            host_key,
            board,
            chance: Rng::with_seed(seed),
            session: None,
            ports: Vec::new(),
        }
    }

    fn open(&mut self) -> Result<&ssh2::Sftp, Trouble> {
        if self.session.is_none() {
            let at = self.board.any(&mut self.chance).ok_or("no node is up")?;
            let stream = TcpStream::connect(&at.sftp)?;
            stream.set_nodelay(true)?;
            self.ports.push(stream.local_addr()?.port());
            let mut session = ssh2::Session::new()?;
            session.set_timeout(60_000);
            session.set_tcp_stream(stream);
            session.handshake()?;
            let (host, port) = at.sftp.rsplit_once(':').ok_or("no port")?;
            let mut known = session.known_hosts()?;
            known.read_str(
                &format!("[{host}]:{port} {}", self.host_key),
                ssh2::KnownHostFileKind::OpenSSH,
            )?;
            let (shown, _) = session.host_key().ok_or("no host key")?;
            if !matches!(
                known.check_port(host, port.parse()?, shown),
                ssh2::CheckResult::Match
            ) {
                return Err("the host key is not the pinned one".into());
            }
            session.userauth_pubkey_file(self.user, None, &self.key, None)?;
            self.session = Some(session.sftp()?);
        }
        self.session.as_ref().ok_or_else(|| "no session".into())
    }

    fn forget_on_error<T>(&mut self, outcome: Result<T, Trouble>) -> Result<T, Trouble> {
        if outcome.is_err() {
            self.session = None;
        }
        outcome
    }

    /// Uploads a file. `Ok` is the receipt; anything else leaves the partner in doubt.
    pub fn upload(&mut self, name: &str, bytes: &[u8], manner: Manner) -> Result<(), Trouble> {
        let outcome = (|| {
            let sftp = self.open()?;
            let last = format!("/inbound/{name}");
            let first = match manner {
                Manner::Plain => last.clone(),
                Manner::Renamed => format!("{last}.tmp"),
            };
            let mut remote = sftp.create(Path::new(&first))?;
            remote.write_all(bytes)?;
            remote.close()?;
            if manner == Manner::Renamed {
                sftp.rename(Path::new(&first), Path::new(&last), None)?;
            }
            Ok(())
        })();
        self.forget_on_error(outcome)
    }

    /// Names and sizes of what lies in `/outbound`.
    pub fn list(&mut self) -> Result<Vec<(String, u64)>, Trouble> {
        let outcome = (|| {
            let sftp = self.open()?;
            let found = sftp.readdir(Path::new("/outbound"))?;
            Ok(found
                .into_iter()
                .filter_map(|(path, stat)| {
                    let name = path.file_name()?.to_str()?.to_owned();
                    Some((name, stat.size.unwrap_or(0)))
                })
                .collect())
        })();
        self.forget_on_error(outcome)
    }

    /// All bytes of a file in `/outbound`.
    pub fn download(&mut self, name: &str) -> Result<Vec<u8>, Trouble> {
        let outcome = (|| {
            let sftp = self.open()?;
            let mut bytes = Vec::new();
            sftp.open(Path::new(&format!("/outbound/{name}")))?
                .read_to_end(&mut bytes)?;
            Ok(bytes)
        })();
        self.forget_on_error(outcome)
    }

    /// Takes a file out of `/outbound`.
    pub fn remove(&mut self, name: &str) -> Result<(), Trouble> {
        let outcome = (|| {
            let sftp = self.open()?;
            sftp.unlink(Path::new(&format!("/outbound/{name}")))?;
            Ok(())
        })();
        self.forget_on_error(outcome)
    }
}

/// A key pair of a client: the private key's file, and the public key's line.
pub fn client_key(folder: &Path) -> (PathBuf, String) {
    std::fs::create_dir_all(folder).expect("makes a folder");
    let key = HostKey::load_or_create(folder).expect("makes a key");
    (folder.join(HOST_KEY_FILE), key.openssh())
}

/// A real OpenSSH server of a partner. It ends with this value.
pub struct OwnServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// Fingerprint of its host key.
    pub host_key: String,
    /// The login name.
    pub user: String,
    /// For us to fetch.
    pub offered: PathBuf,
    /// What we delivered.
    pub delivered: PathBuf,
    child: Child,
}

impl OwnServer {
    /// Starts it below `folder`, for a client with this public key. `None` where no sshd is installed.
    pub fn start(folder: &Path, client: &str) -> Option<OwnServer> {
        let program = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"]
            .into_iter()
            .find(|program| Path::new(program).exists())?;
        let id = Command::new("id").arg("-un").output().expect("id");
        let user = String::from_utf8_lossy(&id.stdout).trim().to_owned();
        if user == "root" {
            // sshd as root wants this folder; on a system that runs one it is there.
            std::fs::create_dir_all("/run/sshd").expect("makes /run/sshd");
        }
        let home = folder.join("home");
        let (offered, delivered) = (home.join("to-suppliers"), home.join("from-suppliers"));
        for path in [&offered, &delivered] {
            std::fs::create_dir_all(path).expect("makes a folder");
        }
        let key = HostKey::load_or_create(folder).expect("makes a key");
        std::fs::write(folder.join("authorized_keys"), format!("{client}\n")).expect("writes");
        for _ in 0..5 {
            // A free port can be taken by another between finding it and using it.
            let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
            let address = free.expect("a free port");
            let configuration = format!(
                "Port {port}\nListenAddress 127.0.0.1\nHostKey {key}\nPidFile none\nAuthorizedKeysFile {folder}/authorized_keys\n\
                 StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n\
                 MaxStartups 100\nSubsystem sftp internal-sftp\nForceCommand internal-sftp -d {home}\n",
                port = address.port(),
                key = folder.join(HOST_KEY_FILE).display(),
                folder = folder.display(),
                home = home.display(),
            );
            let file = folder.join("sshd_config");
            std::fs::write(&file, configuration).expect("writes");
            let log = std::fs::File::create(folder.join("sshd.log")).expect("a log");
            let child = Command::new(program)
                .args(["-D", "-e", "-f"])
                .arg(&file)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()
                .expect("sshd starts");
            let mut server = OwnServer {
                address,
                host_key: key.fingerprint(),
                user: user.clone(),
                offered: offered.clone(),
                delivered: delivered.clone(),
                child,
            };
            if server.listens() {
                return Some(server);
            }
        }
        panic!(
            "sshd does not start: {}",
            std::fs::read_to_string(folder.join("sshd.log")).unwrap_or_default()
        );
    }

    fn listens(&mut self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return false;
            }
            if TcpStream::connect(self.address).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // It is of no use any more, dead or alive.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The files of a folder, whole ones only.
pub fn files_in(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().to_str()?.to_owned();
            if name.ends_with(".tmp") {
                return None;
            }
            Some((name, std::fs::read(entry.path()).ok()?))
        })
        .collect()
}
