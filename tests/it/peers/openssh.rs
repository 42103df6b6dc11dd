//! OpenSSH's own programs: `sftp` and `ssh` as clients, `ssh-keygen` for keys, `sshd` as a partner's server.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A key pair in two files.
pub struct KeyPair {
    /// The private key's file; the public one has `.pub` at its end.
    pub private: PathBuf,
    /// The public key as an authorized_keys line without a comment.
    pub public: String,
}

/// Makes a key with ssh-keygen. `None`, after a printed word, where that is missing: the test should return.
pub fn key_pair(folder: &Path, name: &str, kind: &[&str]) -> Option<KeyPair> {
    let private = folder.join(name);
    let mut keygen = Command::new("ssh-keygen");
    keygen
        .args(["-q", "-N", "", "-C", "", "-f"])
        .arg(&private)
        .arg("-t")
        .args(kind)
        .stdin(Stdio::null());
    match keygen.status() {
        Ok(status) => assert!(status.success(), "ssh-keygen makes a key"),
        Err(_) => {
            super::left_out(
                &super::test_name(),
                "needs ssh-keygen; install openssh-client",
            );
            return None;
        }
    }
    let public =
        std::fs::read_to_string(folder.join(format!("{name}.pub"))).expect("the public key");
    Some(KeyPair {
        private,
        public: public.trim().to_owned(),
    })
}

/// A client that knows one server.
pub struct Client {
    folder: PathBuf,
    server: SocketAddr,
    user: String,
    key: Option<PathBuf>,
    password: Option<String>,
    options: Vec<String>,
}

/// How a client's run ended.
#[derive(Debug)]
pub struct Run {
    pub done: bool,
    pub stdout: String,
    pub stderr: String,
}

impl Client {
    /// `host_key` is `ssh-ed25519 AAAA…`; files of the client lie in `folder`.
    pub fn new(folder: &Path, server: SocketAddr, host_key: &str, user: &str) -> Client {
        let known = format!("[{}]:{} {host_key}\n", server.ip(), server.port());
        std::fs::write(folder.join("known_hosts"), known).expect("writes");
        Client {
            folder: folder.to_owned(),
            server,
            user: user.to_owned(),
            key: None,
            password: None,
            options: Vec::new(),
        }
    }

    pub fn with_key(mut self, key: &KeyPair) -> Client {
        self.key = Some(key.private.clone());
        self
    }

    pub fn with_password(mut self, password: &str) -> Client {
        self.password = Some(password.to_owned());
        self
    }

    /// One more `-o` option.
    pub fn with_option(mut self, option: &str) -> Client {
        self.options.push(option.to_owned());
        self
    }

    /// Runs `sftp` with these commands, one a line; it stops at the first that fails unless that begins with `-`.
    pub fn sftp(&self, commands: &str) -> Run {
        let mut sftp = self.command("sftp");
        sftp.args(["-b", "-", "-P", &self.server.port().to_string()]);
        sftp.arg(format!("{}@{}", self.user, self.server.ip()));
        run(sftp, commands)
    }

    /// Runs `ssh` with these arguments after the host.
    pub fn ssh(&self, arguments: &[&str]) -> Run {
        let mut ssh = self.command("ssh");
        ssh.args(["-p", &self.server.port().to_string()]);
        ssh.arg(format!("{}@{}", self.user, self.server.ip()))
            .args(arguments);
        run(ssh, "")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.folder)
            .env("HOME", &self.folder)
            .env_remove("SSH_AUTH_SOCK");
        command.args([
            "-F",
            "none",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "IdentitiesOnly=yes",
        ]);
        command.arg("-o").arg(format!(
            "UserKnownHostsFile={}",
            self.folder.join("known_hosts").display()
        ));
        for option in &self.options {
            command.args(["-o", option]);
        }
        match (&self.key, &self.password) {
            (Some(key), _) => {
                command
                    .arg("-i")
                    .arg(key)
                    .args(["-o", "PreferredAuthentications=publickey"]);
            }
            (None, Some(password)) => {
                let answer = self.folder.join("answer");
                std::fs::write(&answer, format!("#!/bin/sh\necho '{password}'\n")).expect("writes");
                make_executable(&answer);
                command
                    .env("SSH_ASKPASS", &answer)
                    .env("SSH_ASKPASS_REQUIRE", "force");
                command.args([
                    "-o",
                    "PreferredAuthentications=password",
                    "-o",
                    "NumberOfPasswordPrompts=1",
                ]);
                // sftp -b sets BatchMode, which never asks; the first value of an option counts.
                command.args(["-o", "BatchMode=no"]);
            }
            (None, None) => {}
        }
        command
    }
}

fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).expect("sets the mode");
}

fn run(mut command: Command, input: &str) -> Run {
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.expect("OpenSSH's client is there, as its ssh-keygen was");
    let mut stdin = child.stdin.take().expect("piped");
    // A client that is refused at once reads no commands.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("ends");
    Run {
        done: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A real OpenSSH server with nothing but SFTP, for the user who runs the test; it ends with this value.
pub struct Sshd {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its host key, `ssh-ed25519 AAAA…`.
    pub host_key: String,
    /// The login name.
    pub user: String,
    /// The folder that clients begin in.
    pub home: PathBuf,
    child: Child,
}

impl Sshd {
    /// Starts it with its files in `folder`. `options` are further lines of its configuration. `None`, after a
    /// printed word, where it is not installed.
    pub fn start(folder: &Path, client_key: &KeyPair, options: &str) -> Option<Sshd> {
        let program = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"];
        let Some(program) = program
            .into_iter()
            .find(|program| Path::new(program).exists())
        else {
            super::left_out(
                &super::test_name(),
                "needs a real sshd; install openssh-server",
            );
            return None;
        };
        let host_key = key_pair(folder, "host_key", &["ed25519"])?;
        let user = String::from_utf8(Command::new("id").arg("-un").output().expect("id").stdout)
            .expect("a name");
        let user = user.trim().to_owned();
        if user == "root" {
            // sshd as root wants this folder; on a system that runs one it is there.
            std::fs::create_dir_all("/run/sshd").expect("makes /run/sshd");
        }
        let home = folder.join("home");
        std::fs::create_dir_all(&home).expect("makes");
        std::fs::write(
            folder.join("authorized_keys"),
            format!("{}\n", client_key.public),
        )
        .expect("writes");
        // A free port can be taken by another between finding it and using it.
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
            let address = free.expect("a free port");
            let configuration = format!(
                "Port {port}\nListenAddress 127.0.0.1\nHostKey {key}\nPidFile none\nAuthorizedKeysFile {folder}/authorized_keys\n\
                 StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n\
                 Subsystem sftp internal-sftp\n{options}\nForceCommand internal-sftp -d {home}\n",
                port = address.port(),
                key = host_key.private.display(),
                folder = folder.display(),
                home = home.display(),
            );
            let configuration_file = folder.join("sshd_config");
            std::fs::write(&configuration_file, configuration).expect("writes");
            let log = std::fs::File::create(folder.join("sshd.log")).expect("a log");
            let mut sshd = Command::new(program);
            sshd.args(["-D", "-e", "-f"]).arg(&configuration_file);
            let child = sshd
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()
                .expect("sshd starts");
            let mut server = Sshd {
                address,
                host_key: host_key.public.clone(),
                user: user.clone(),
                home: home.clone(),
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
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
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

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
