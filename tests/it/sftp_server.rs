//! The embedded SFTP mailbox against the OpenSSH client, libssh2 and raw packets.

use std::io::{Read, Seek, SeekFrom, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use supercargo::transport::sftp_server::{AbandonCause, Limits, SftpServer, SftpServerSettings};
use tempfile::TempDir;

use crate::peers::house::{self, House};
use crate::peers::openssh::{Client, KeyPair, key_pair};

const PASSWORD: &str = "correct horse";

/// A server with two mailboxes, `alder` (key and password) and `birch` (password), and `alder`'s key.
struct Mailboxes {
    folder: TempDir,
    house: House,
    server: SftpServer,
    key: KeyPair,
    alder: i64,
    birch: i64,
}

impl Mailboxes {
    async fn open(limits: Limits) -> Option<Mailboxes> {
        let folder = tempfile::tempdir().expect("a folder");
        let key = key_pair(folder.path(), "alder", &["ed25519"])?;
        let house = House::default();
        let alder = house.add_mailbox("alder", Some(PASSWORD), Some(&key.public));
        let birch = house.add_mailbox("birch", Some("another horse"), None);
        let settings = SftpServerSettings {
            listen: "127.0.0.1:0".parse().expect("an address"),
            host_key_folder: folder.path().join("keys"),
            spool_folder: folder.path().join("spool"),
            limits,
        };
        let server = SftpServer::start(settings, Arc::new(house.clone()))
            .await
            .expect("starts");
        Some(Mailboxes {
            folder,
            house,
            server,
            key,
            alder,
            birch,
        })
    }

    async fn with_defaults() -> Option<Mailboxes> {
        Mailboxes::open(quick()).await
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn client(&self, user: &str) -> Client {
        Client::new(
            self.folder.path(),
            self.server.address(),
            &self.server.host_key().openssh(),
            user,
        )
    }

    fn alder(&self) -> Client {
        self.client("alder").with_key(&self.key)
    }

    /// Logs in with libssh2.
    fn session(&self, user: &str, password: &str) -> Result<ssh2::Session, ssh2::Error> {
        self.line(user, password).map(|(session, _)| session)
    }

    /// The same, and the connection itself, to be cut as a broken network does.
    fn line(&self, user: &str, password: &str) -> Result<(ssh2::Session, TcpStream), ssh2::Error> {
        let stream = TcpStream::connect(self.server.address()).expect("connects");
        stream.set_nodelay(true).expect("sets");
        let line = stream.try_clone().expect("clones");
        let mut session = ssh2::Session::new()?;
        session.set_timeout(20_000);
        session.set_tcp_stream(stream);
        session.handshake()?;
        session.userauth_password(user, password)?;
        Ok((session, line))
    }

    fn alder_session(&self) -> ssh2::Session {
        self.session("alder", PASSWORD).expect("logs in")
    }

    /// Files in the spool, all processes' parts together, without their locks.
    fn spooled(&self) -> usize {
        files_below(&self.path("spool"))
    }

    fn received_names(&self) -> Vec<String> {
        self.house
            .received()
            .into_iter()
            .map(|file| file.name)
            .collect()
    }
}

fn files_below(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).expect("lists").flatten();
    let count = |entry: std::fs::DirEntry| match entry.path() {
        path if path.is_dir() => files_below(&path),
        path => usize::from(path.file_name().is_some_and(|name| name != "in-use")),
    };
    entries.map(count).sum()
}

fn cut(line: &TcpStream) {
    line.shutdown(std::net::Shutdown::Both).expect("shuts down");
}

/// The defaults, except that a refused login is told so at once.
fn quick() -> Limits {
    Limits {
        refused_login_delay: Duration::ZERO,
        ..Limits::default()
    }
}

/// Runs what blocks beside the server.
async fn beside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    tokio::task::block_in_place(work)
}

/// Waits until something holds that another task brings about.
async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(15);
    while !holds() {
        assert!(Instant::now() < end, "not within 15 s: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn sample(length: usize) -> Vec<u8> {
    (0..length)
        .map(|i| (i % 251) as u8 ^ (i / 65_536) as u8)
        .collect()
}

// ---- what partners do every day ----------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn openssh_uploads_lists_collects_and_deletes() {
    let Some(mailboxes) = Mailboxes::with_defaults().await else {
        return;
    };
    mailboxes
        .house
        .put_outbound(mailboxes.alder, "0001.997.edi", b"ISA*997~");
    mailboxes
        .house
        .put_outbound(mailboxes.alder, "0002.855.edi", b"ISA*855~");
    std::fs::write(mailboxes.path("po.edi"), b"ISA*850~").expect("writes");
    let run = beside(|| {
        mailboxes.alder().sftp(
            "pwd\ncd inbound\npwd\nput po.edi\nls -l\ncd ..\nput -p po.edi /inbound/kept.edi\nput po.edi inbound/po.edi.tmp\n\
             rename inbound/po.edi.tmp inbound/renamed.edi\nls -l outbound\nget outbound/0001.997.edi got.edi\n\
             rm outbound/0001.997.edi\nls outbound\nput -f po.edi inbound/synced.edi\nchmod 600 inbound/synced.edi\n",
        )
    })
    .await;
    assert!(run.done, "{run:?}");
    assert_eq!(
        mailboxes.received_names(),
        ["po.edi", "kept.edi", "renamed.edi", "synced.edi"]
    );
    for file in mailboxes.house.received() {
        assert_eq!(
            (file.bytes.as_slice(), file.mailbox.as_str()),
            (&b"ISA*850~"[..], "alder")
        );
        assert_eq!(file.sha256, hex::encode(Sha256::digest(b"ISA*850~")));
    }
    assert_eq!(
        std::fs::read(mailboxes.path("got.edi")).expect("reads"),
        b"ISA*997~"
    );
    assert_eq!(
        mailboxes.house.picked_up(),
        [("alder".to_owned(), "0001.997.edi".to_owned())]
    );
    assert_eq!(
        mailboxes.house.outbound_names(mailboxes.alder),
        ["0002.855.edi"]
    );
    assert!(
        run.stdout.contains("Remote working directory: /inbound"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("0002.855.edi"), "{}", run.stdout);
    assert_eq!(mailboxes.spooled(), 0);
    assert!(mailboxes.house.abandoned().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_opens_the_mailbox_too() {
    let Some(mailboxes) = Mailboxes::with_defaults().await else {
        return;
    };
    std::fs::write(mailboxes.path("po.edi"), b"ISA").expect("writes");
    let run = beside(|| {
        mailboxes
            .client("birch")
            .with_password("another horse")
            .sftp("put po.edi inbound/\n")
    })
    .await;
    assert!(run.done, "{run:?}");
    assert_eq!(mailboxes.house.received()[0].mailbox, "birch");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_megabytes_and_two_hundred_small_files() {
    let Some(mailboxes) = Mailboxes::with_defaults().await else {
        return;
    };
    let large = sample(100 << 20);
    std::fs::write(mailboxes.path("large.edi"), &large).expect("writes");
    std::fs::create_dir(mailboxes.path("small")).expect("makes");
    for i in 0..200 {
        std::fs::write(
            mailboxes.path(&format!("small/{i:03}.edi")),
            format!("ISA*{i}~"),
        )
        .expect("writes");
        mailboxes.house.put_outbound(
            mailboxes.alder,
            &format!("{i:03}.810.edi"),
            format!("IEA*{i}~").as_bytes(),
        );
    }
    mailboxes
        .house
        .put_outbound(mailboxes.alder, "large.810.edi", &large);
    std::fs::create_dir(mailboxes.path("got")).expect("makes");
    let run = beside(|| {
        mailboxes.alder().sftp(
            "put large.edi inbound/\nput small/* inbound/\nget outbound/* got/\nls outbound\n",
        )
    })
    .await;
    assert!(run.done, "{run:?}");
    let received = mailboxes.house.received();
    assert_eq!(received.len(), 201);
    assert!(received[0].bytes == large);
    assert_eq!(received[0].sha256, hex::encode(Sha256::digest(&large)));
    for (i, file) in received[1..].iter().enumerate() {
        assert_eq!(
            (file.name.as_str(), file.bytes.as_slice()),
            (&*format!("{i:03}.edi"), format!("ISA*{i}~").as_bytes())
        );
    }
    assert!(std::fs::read(mailboxes.path("got/large.810.edi")).expect("reads") == large);
    assert_eq!(
        std::fs::read(mailboxes.path("got/199.810.edi")).expect("reads"),
        b"IEA*199~"
    );
    assert_eq!(mailboxes.house.picked_up().len(), 201);
    assert_eq!(mailboxes.spooled(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn libssh2_writes_in_any_order_and_sees_what_it_sent() {
    let Some(mailboxes) = Mailboxes::with_defaults().await else {
        return;
    };
    beside(|| {
        let sftp = mailboxes.alder_session().sftp().expect("a session");
        let mut file = sftp.create(Path::new("/inbound/po.edi")).expect("opens");
        file.seek(SeekFrom::Start(4)).expect("seeks");
        file.write_all(b"5678").expect("writes");
        file.seek(SeekFrom::Start(0)).expect("seeks");
        file.write_all(b"1234").expect("writes");
        assert_eq!(file.stat().expect("stats").size, Some(8));
        file.close().expect("closes");
        // many clients compare the size after an upload
        assert_eq!(
            sftp.stat(Path::new("/inbound/po.edi")).expect("stats").size,
            Some(8)
        );
        let listed = sftp.readdir(Path::new("/inbound")).expect("lists");
        assert_eq!(listed.len(), 1);
        assert_eq!(
            (listed[0].0.as_path(), listed[0].1.size),
            (Path::new("/inbound/po.edi"), Some(8))
        );
    })
    .await;
    assert_eq!(mailboxes.house.received()[0].bytes, b"12345678");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_name_waits_for_its_rename_across_connections() {
    let Some(mailboxes) = Mailboxes::with_defaults().await else {
        return;
    };
    std::fs::write(mailboxes.path("po.edi"), b"ISA*850~").expect("writes");
    let names = ["a.tmp", "b.part", "c.FILEPART", ".d"];
    for name in names {
        let run = beside(|| {
            mailboxes
                .alder()
                .sftp(&format!("put po.edi inbound/{name}\n"))
        })
        .await;
        assert!(run.done, "{run:?}");
    }
    assert!(mailboxes.house.received().is_empty());
    assert_eq!(mailboxes.spooled(), 4);
    let run = beside(|| {
        mailboxes.alder().sftp(
            "ls -a inbound\nrename inbound/a.tmp inbound/a.edi\nrename inbound/b.part inbound/b2.part\nrename inbound/b2.part inbound/b.edi\n\
             rm inbound/c.FILEPART\n-rename inbound/c.FILEPART inbound/c.edi\nls -a inbound\n",
        )
    })
    .await;
    assert!(run.done, "{run:?}");
    assert!(
        names.iter().all(|name| run.stdout.contains(name)),
        "{}",
        run.stdout
    );
    assert_eq!(mailboxes.received_names(), ["a.edi", "b.edi"]);
    assert_eq!(mailboxes.spooled(), 1);
    // what waits is nobody's but the mailbox's own
    for command in [
        "ls -a inbound/.d",
        "rename inbound/.d inbound/d.edi",
        "rm inbound/.d",
    ] {
        let birch = mailboxes.client("birch").with_password("another horse");
        let run = beside(|| birch.sftp(&format!("{command}\n"))).await;
        assert!(!run.done, "{run:?}");
    }
    mailboxes.server.stop().await;
    let abandoned = mailboxes.house.abandoned();
    assert_eq!(abandoned.len(), 1);
    assert_eq!(
        (abandoned[0].1.name.as_str(), &abandoned[0].1.cause),
        (".d", &AbandonCause::ServerStopped)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_hears_of_the_commit_and_of_its_failure() {
    let Some(mailboxes) = Mailboxes::with_defaults().await else {
        return;
    };
    std::fs::write(mailboxes.path("po.edi"), b"ISA").expect("writes");
    let started = Instant::now();
    let run = beside(|| {
        mailboxes
            .alder()
            .sftp(&format!("put po.edi inbound/{}\n", house::SLOW_NAME))
    })
    .await;
    assert!(
        run.done && started.elapsed() >= house::SLOW,
        "CLOSE was answered before the commit: {run:?}"
    );

    let refused = beside(|| {
        mailboxes
            .alder()
            .sftp(&format!("put po.edi inbound/{}\n", house::REFUSED_NAME))
    })
    .await;
    assert!(!refused.done, "{refused:?}");

    // what could not be committed is still there under its temporary name, and can be renamed again
    let name = house::UNAVAILABLE_NAME;
    let run = beside(|| {
        mailboxes.alder().sftp(&format!(
            "put po.edi inbound/x.tmp\n-rename inbound/x.tmp inbound/{name}\nls inbound\nrename inbound/x.tmp inbound/{name}\n"
        ))
    })
    .await;
    assert!(run.done && run.stdout.contains("inbound/x.tmp"), "{run:?}");
    assert_eq!(mailboxes.received_names(), [house::SLOW_NAME, name]);
    assert_eq!(mailboxes.spooled(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_that_comes_after_the_receipt_harms_nobody() {
    let Some(mailboxes) = Mailboxes::with_defaults().await else {
        return;
    };
    std::fs::write(mailboxes.path("po.edi"), b"ISA").expect("writes");
    let run = beside(|| mailboxes.alder().sftp("put po.edi inbound/po.uploading\nrename inbound/po.uploading inbound/po.edi\nls inbound\n-rm inbound/po.edi\n")).await;
    assert!(run.done && run.stdout.contains("inbound/po.edi"), "{run:?}");
    assert!(
        run.stderr.contains("Permission denied"),
        "what is received cannot be taken back: {run:?}"
    );
    assert_eq!(mailboxes.received_names(), ["po.uploading"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_whole_download_is_a_pick_up() {
    let Some(mailboxes) = Mailboxes::with_defaults().await else {
        return;
    };
    mailboxes
        .house
        .put_outbound(mailboxes.alder, "a.810.edi", &sample(100_000));
    mailboxes
        .house
        .put_outbound(mailboxes.alder, "empty.810.edi", b"");
    beside(|| {
        let sftp = mailboxes.alder_session().sftp().expect("a session");
        let mut file = sftp.open(Path::new("/outbound/a.810.edi")).expect("opens");
        let mut some = [0; 1_000];
        file.read_exact(&mut some).expect("reads");
        file.close().expect("closes");
        assert!(mailboxes.house.picked_up().is_empty(), "read in part");
        // read whole, but the connection ends before the file is closed
        let (other, line) = mailboxes.line("alder", PASSWORD).expect("logs in");
        let mut file = other
            .sftp()
            .expect("a session")
            .open(Path::new("/outbound/a.810.edi"))
            .expect("opens");
        let mut all = Vec::new();
        file.read_to_end(&mut all).expect("reads");
        cut(&line);
        std::mem::forget(file);
        let mut file = sftp
            .open(Path::new("/outbound/empty.810.edi"))
            .expect("opens");
        assert_eq!(file.read(&mut some).expect("reads"), 0);
        file.close().expect("closes");
    })
    .await;
    assert_eq!(
        mailboxes.house.picked_up(),
        [("alder".to_owned(), "empty.810.edi".to_owned())]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_connection_leaves_nothing_but_a_note() {
    let Some(mailboxes) = Mailboxes::with_defaults().await else {
        return;
    };
    beside(|| {
        let (session, line) = mailboxes.line("alder", PASSWORD).expect("logs in");
        let sftp = session.sftp().expect("a session");
        let mut file = sftp.create(Path::new("/inbound/half.edi")).expect("opens");
        file.write_all(&sample(1_000_000)).expect("writes");
        assert_eq!(mailboxes.spooled(), 1);
        cut(&line);
        std::mem::forget(file);
    })
    .await;
    eventually("the upload is abandoned", || {
        !mailboxes.house.abandoned().is_empty()
    })
    .await;
    let (mailbox, upload) = mailboxes.house.abandoned().remove(0);
    assert_eq!(mailbox, "alder");
    assert_eq!(
        (upload.name.as_str(), upload.received, upload.cause),
        ("half.edi", 1_000_000, AbandonCause::ConnectionEnded)
    );
    eventually("the spool is empty", || mailboxes.spooled() == 0).await;
    assert!(mailboxes.house.received().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_a_hole_is_not_received() {
    let Some(mailboxes) = Mailboxes::with_defaults().await else {
        return;
    };
    let error = beside(|| {
        let sftp = mailboxes.alder_session().sftp().expect("a session");
        let mut file = sftp.create(Path::new("/inbound/hole.edi")).expect("opens");
        file.seek(SeekFrom::Start(100)).expect("seeks");
        file.write_all(b"IEA").expect("writes");
        file.close().expect_err("is refused")
    })
    .await;
    assert_eq!(error.code(), ssh2::ErrorCode::SFTP(4), "{error}");
    assert!(mailboxes.house.received().is_empty());
    let cause = &mailboxes.house.abandoned()[0].1.cause;
    assert!(
        cause.to_string().contains("100 of 103 bytes never came"),
        "{cause}"
    );
}

// ---- nobody leaves his mailbox -----------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leaves_the_mailbox() {
    let Some(mailboxes) = Mailboxes::with_defaults().await else {
        return;
    };
    mailboxes
        .house
        .put_outbound(mailboxes.birch, "secret.810.edi", b"not yours");
    mailboxes
        .house
        .put_outbound(mailboxes.alder, "mine.810.edi", b"mine");
    std::fs::write(mailboxes.path("po.edi"), b"ISA").expect("writes");
    for command in [
        "get ../../etc/passwd got",
        "get /etc/passwd got",
        "get /inbound/../../etc/passwd got",
        "get outbound/secret.810.edi got",
        "get birch/outbound/secret.810.edi got",
        "get /birch/outbound/secret.810.edi got",
        "get ../birch/outbound/secret.810.edi got",
        "rm outbound/secret.810.edi",
        "cd ..",
        "cd /etc",
        "ls ../birch",
        "ls ../..",
        "put po.edi /etc/po.edi",
        "put po.edi ../po.edi",
        "put po.edi po.edi",
        "put po.edi outbound/po.edi",
        "put po.edi inbound/sub/po.edi",
        "put po.edi \"inbound/a\u{202e}b.edi\"",
        "put po.edi \"inbound/a\u{ff0f}b.edi\"",
        "put po.edi \"inbound/..\\\\..\\\\x.edi\"",
        "put po.edi \"inbound/a\u{1}b.edi\"",
        "mkdir sub",
        "mkdir inbound/sub",
        "rmdir inbound",
        "ln -s /etc/passwd inbound/link",
        "ln outbound/mine.810.edi inbound/link",
        "symlink /etc/passwd outbound/link",
        "rename outbound/none.810.edi outbound/done.edi",
        "rename outbound/mine.810.edi inbound/mine.edi",
        "rename inbound outbound",
        "get inbound/po.edi got",
    ] {
        let run = beside(|| mailboxes.alder().sftp(&format!("{command}\n"))).await;
        assert!(!run.done, "{command} was carried out: {run:?}");
        assert!(!mailboxes.path("got").exists(), "{command} gave something");
    }
    assert!(mailboxes.house.received().is_empty());
    assert_eq!(
        mailboxes.house.outbound_names(mailboxes.alder),
        ["mine.810.edi"]
    );
    assert_eq!(
        mailboxes.house.outbound_names(mailboxes.birch),
        ["secret.810.edi"]
    );
    let run = beside(|| mailboxes.alder().sftp("ls\nls outbound\n")).await;
    assert!(run.done && !run.stdout.contains("secret"), "{run:?}");
}

// ---- who gets in -------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn only_the_right_proof_opens_a_mailbox() {
    let Some(mailboxes) = Mailboxes::with_defaults().await else {
        return;
    };
    let folder = mailboxes.folder.path();
    let Some(other_key) = key_pair(folder, "other", &["ed25519"]) else {
        return;
    };
    for client in [
        mailboxes.client("alder").with_key(&other_key),
        mailboxes.client("birch").with_key(&mailboxes.key),
        mailboxes.client("nobody").with_key(&mailboxes.key),
        mailboxes.client("alder").with_password("wrong"),
        mailboxes.client("alder").with_password("another horse"),
        mailboxes.client("alder"),
    ] {
        let run = beside(|| client.sftp("ls\n")).await;
        assert!(
            !run.done && run.stderr.contains("Permission denied"),
            "{run:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rsa_keys_sign_with_sha2_and_are_long_enough() {
    let Some(mailboxes) = Mailboxes::with_defaults().await else {
        return;
    };
    let folder = mailboxes.folder.path();
    let Some(key) = key_pair(folder, "rsa", &["rsa", "-b", "2048"]) else {
        return;
    };
    let Some(short) = key_pair(folder, "short", &["rsa", "-b", "1024"]) else {
        return;
    };
    mailboxes
        .house
        .add_mailbox("cedar", None, Some(&key.public));
    mailboxes
        .house
        .add_mailbox("short", None, Some(&short.public));
    let cedar = || mailboxes.client("cedar").with_key(&key);
    for (client, opens) in [
        (cedar(), true),
        (
            cedar().with_option("PubkeyAcceptedAlgorithms=rsa-sha2-256"),
            true,
        ),
        (
            cedar().with_option("PubkeyAcceptedAlgorithms=ssh-rsa"),
            false,
        ),
        (
            mailboxes
                .client("short")
                .with_key(&short)
                .with_option("RequiredRSASize=1024"),
            false,
        ),
    ] {
        let run = beside(|| client.sftp("ls\n")).await;
        assert_eq!(run.done, opens, "{run:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn outdated_algorithms_are_not_spoken() {
    let Some(mailboxes) = Mailboxes::with_defaults().await else {
        return;
    };
    for (option, spoken) in [
        ("KexAlgorithms=curve25519-sha256", true),
        ("KexAlgorithms=diffie-hellman-group14-sha256", true),
        ("KexAlgorithms=diffie-hellman-group14-sha1", false),
        ("KexAlgorithms=diffie-hellman-group1-sha1", false),
        ("Ciphers=aes256-gcm@openssh.com", true),
        ("Ciphers=aes128-ctr", true),
        ("Ciphers=aes128-cbc", false),
        ("Ciphers=3des-cbc", false),
        // a MAC counts only with a cipher that does not authenticate by itself
        ("MACs=hmac-sha2-256-etm@openssh.com", true),
        ("MACs=hmac-sha1", false),
    ] {
        let client = mailboxes.alder().with_option(option);
        let client = if option.starts_with("MACs") {
            client.with_option("Ciphers=aes256-ctr")
        } else {
            client
        };
        let run = beside(|| client.sftp("ls\n")).await;
        assert_eq!(run.done, spoken, "{option}: {run:?}");
    }
    // compression would let a few bytes unfold to gigabytes: it is not agreed on even when asked for
    let run = beside(|| {
        mailboxes
            .alder()
            .with_option("Compression=yes")
            .with_option("LogLevel=DEBUG1")
            .sftp("ls\n")
    })
    .await;
    assert!(
        run.done && run.stderr.contains("compression: none"),
        "{run:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_shell_no_command_and_no_forwarding() {
    let Some(mailboxes) = Mailboxes::with_defaults().await else {
        return;
    };
    for arguments in [&["id"][..], &["-tt"], &["-s", "shell"]] {
        let run = beside(|| mailboxes.alder().ssh(arguments)).await;
        assert!(
            !run.done && !run.stdout.contains("uid="),
            "{arguments:?}: {run:?}"
        );
    }
    let target = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = target.local_addr().expect("an address").port();
    beside(|| {
        let session = mailboxes.alder_session();
        session
            .channel_direct_tcpip("127.0.0.1", port, None)
            .map(drop)
            .expect_err("no forwarding out");
        session
            .channel_forward_listen(0, None, None)
            .map(drop)
            .expect_err("no forwarding in");
    })
    .await;
    target.set_nonblocking(true).expect("sets");
    target.accept().map(drop).expect_err("nobody came");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_whose_logins_fail_is_banned_for_a_while() {
    let limits = Limits {
        failed_logins: 3,
        ban: Duration::from_secs(2),
        ..quick()
    };
    let Some(mailboxes) = Mailboxes::open(limits).await else {
        return;
    };
    beside(|| {
        let open = mailboxes.alder_session();
        for _ in 0..3 {
            mailboxes
                .session("alder", "wrong")
                .map(drop)
                .expect_err("is refused");
        }
        let asked = mailboxes.house.logins_asked();
        assert_eq!(
            mailboxes.house.banned(),
            ["alder"],
            "the house is told once"
        );
        mailboxes
            .session("alder", PASSWORD)
            .map(drop)
            .expect_err("is banned");
        assert_eq!(
            mailboxes.house.logins_asked(),
            asked,
            "nobody asked the house"
        );
        open.sftp().expect("who is logged in stays");
        std::thread::sleep(Duration::from_millis(2_100));
        mailboxes
            .session("alder", PASSWORD)
            .expect("the ban is over");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_cannot_guess_for_ever() {
    let limits = Limits {
        logins_per_connection: 3,
        failed_logins: 1_000,
        ..quick()
    };
    let Some(mailboxes) = Mailboxes::open(limits).await else {
        return;
    };
    beside(|| {
        let mut session = ssh2::Session::new().expect("a session");
        session.set_timeout(10_000);
        session.set_tcp_stream(TcpStream::connect(mailboxes.server.address()).expect("connects"));
        session.handshake().expect("shakes hands");
        for _ in 0..3 {
            session
                .userauth_password("alder", "wrong")
                .expect_err("is refused");
        }
        session
            .userauth_password("alder", PASSWORD)
            .expect_err("has no more tries");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_cannot_offer_keys_for_ever() {
    let limits = Limits {
        logins_per_connection: 1_000,
        key_offers_per_connection: 5,
        ..quick()
    };
    let Some(mailboxes) = Mailboxes::open(limits).await else {
        return;
    };
    let mut client = mailboxes.client("alder");
    for i in 0..8 {
        let Some(key) = key_pair(mailboxes.folder.path(), &format!("key{i}"), &["ed25519"]) else {
            return;
        };
        client = client.with_option(&format!("IdentityFile={}", key.private.display()));
    }
    let run = beside(|| client.sftp("ls\n")).await;
    assert!(!run.done, "{run:?}");
    assert_eq!(mailboxes.house.logins_asked(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_has_to_wait() {
    let limits = Limits {
        refused_login_delay: Duration::from_millis(800),
        ..Limits::default()
    };
    let Some(mailboxes) = Mailboxes::open(limits).await else {
        return;
    };
    beside(|| {
        let started = Instant::now();
        mailboxes
            .session("alder", "wrong")
            .map(drop)
            .expect_err("is refused");
        assert!(started.elapsed() >= Duration::from_millis(800));
    })
    .await;
}

// ---- limits ------------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn connections_sessions_and_handles_are_limited() {
    let limits = Limits {
        connections_per_address: 3,
        sessions_per_mailbox: 3,
        sessions_per_connection: 2,
        handles_per_session: 4,
        ..quick()
    };
    let Some(mailboxes) = Mailboxes::open(limits).await else {
        return;
    };
    beside(|| {
        let first = mailboxes.alder_session();
        let sftp = first.sftp().expect("one session");
        let _second = first.sftp().expect("two sessions");
        first
            .sftp()
            .map(drop)
            .expect_err("not three on one connection");
        let other = mailboxes.alder_session();
        let _third = other.sftp().expect("a third session");
        other.sftp().map(drop).expect_err("not four of one mailbox");

        let files: Vec<_> = (0..4)
            .map(|i| {
                sftp.create(Path::new(&format!("/inbound/{i}.edi")))
                    .expect("opens")
            })
            .collect();
        sftp.create(Path::new("/inbound/5.edi"))
            .map(drop)
            .expect_err("not five open files");
        drop(files);
        sftp.create(Path::new("/inbound/6.edi"))
            .expect("those are closed");

        let _last = mailboxes.alder_session();
        assert!(
            mailboxes.session("alder", PASSWORD).is_err(),
            "not four connections from one address"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_and_files_are_limited() {
    let limits = Limits {
        file_bytes: 1_000_000,
        spooled_bytes_per_mailbox: 1_500_000,
        spooled_files_per_mailbox: 3,
        ..quick()
    };
    let Some(mailboxes) = Mailboxes::open(limits).await else {
        return;
    };
    beside(|| {
        let sftp = mailboxes.alder_session().sftp().expect("a session");
        let put = |name: &str, bytes: usize| -> Result<(), String> {
            let mut file = sftp
                .create(Path::new(name))
                .map_err(|error| error.to_string())?;
            let written = file
                .write_all(&vec![b'x'; bytes])
                .map_err(|error| error.to_string());
            file.close().map_err(|error| error.to_string())?;
            written
        };
        put("/inbound/large.edi", 1_000_001).expect_err("too large");
        put("/inbound/a.tmp", 900_000).expect("fits");
        put("/inbound/b.tmp", 900_000).expect_err("both are too much");
        put("/inbound/b.tmp", 1).expect("fits");
        put("/inbound/c.tmp", 1).expect("fits");
        put("/inbound/d.tmp", 1).expect_err("too many files");
        sftp.rename(
            Path::new("/inbound/a.tmp"),
            Path::new("/inbound/a.edi"),
            None,
        )
        .expect("is received");
        put("/inbound/d.tmp", 900_000).expect("there is room again");
        sftp.unlink(Path::new("/inbound/d.tmp"))
            .expect("is deleted");
        // a hole of nearly 2^63 bytes must neither be made nor be read
        let mut file = sftp.create(Path::new("/inbound/hole.edi")).expect("opens");
        file.seek(SeekFrom::Start(i64::MAX as u64 - 1))
            .expect("seeks");
        file.write_all(b"x")
            .and_then(|()| file.close().map_err(Into::into))
            .expect_err("too far out");
    })
    .await;
    assert_eq!(mailboxes.received_names(), ["a.edi"]);
    assert_eq!(mailboxes.spooled(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_never_renamed_is_given_up() {
    let limits = Limits {
        wait_for_rename: Duration::ZERO,
        ..quick()
    };
    let Some(mailboxes) = Mailboxes::open(limits).await else {
        return;
    };
    std::fs::write(mailboxes.path("po.edi"), b"ISA").expect("writes");
    let run = beside(|| mailboxes.alder().sftp("put po.edi inbound/po.tmp\n")).await;
    assert!(run.done, "{run:?}");
    eventually("it is given up", || !mailboxes.house.abandoned().is_empty()).await;
    let abandoned = mailboxes.house.abandoned();
    assert_eq!(abandoned[0].1.cause, AbandonCause::NeverRenamed);
    assert_eq!(mailboxes.spooled(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_is_shown_the_door() {
    let limits = Limits {
        login_grace: Duration::from_millis(600),
        inactivity: Duration::from_millis(900),
        ..quick()
    };
    let Some(mailboxes) = Mailboxes::open(limits).await else {
        return;
    };
    beside(|| {
        // not even a greeting
        assert!(closed_within(
            &mut connect(&mailboxes),
            Duration::from_secs(10)
        ));
        // a greeting, and then a trickle of nothing useful
        let mut trickle = connect(&mailboxes);
        trickle.write_all(b"SSH-2.0-trickle\r\n").expect("writes");
        let started = Instant::now();
        while trickle.write_all(b"\0").is_ok() && started.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "a trickle keeps the connection"
        );
        // logged in, but idle; the slow commit of another does not count as idle
        let idle = mailboxes.alder_session();
        let sftp = idle.sftp().expect("a session");
        let mut file = sftp
            .create(Path::new("/inbound").join(house::SLOW_NAME).as_path())
            .expect("opens");
        file.write_all(b"ISA").expect("writes");
        file.close().expect("the house may take its time");
        std::thread::sleep(Duration::from_millis(1_500));
        sftp.stat(Path::new("/inbound"))
            .expect_err("has been ended");
    })
    .await;
}

fn connect(mailboxes: &Mailboxes) -> TcpStream {
    let stream = TcpStream::connect(mailboxes.server.address()).expect("connects");
    stream
        .set_read_timeout(Some(Duration::from_millis(100)))
        .expect("sets");
    stream
}

fn closed_within(stream: &mut TcpStream, limit: Duration) -> bool {
    let end = Instant::now() + limit;
    let mut some = [0; 1_024];
    while Instant::now() < end {
        match stream.read(&mut some) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) => {}
            Err(_) => return true,
        }
    }
    false
}

// ---- hostile packets ---------------------------------------------------------------------------------------------

/// An SFTP session whose packets the test makes itself.
struct Raw {
    session: ssh2::Session,
    channel: ssh2::Channel,
}

impl Raw {
    fn open(mailboxes: &Mailboxes) -> Raw {
        let session = mailboxes.alder_session();
        let mut channel = session.channel_session().expect("a channel");
        channel.subsystem("sftp").expect("the subsystem");
        Raw { session, channel }
    }

    /// The same, with INIT already spoken.
    fn greeted(mailboxes: &Mailboxes) -> Raw {
        let mut raw = Raw::open(mailboxes);
        raw.send(&[&[1], &3u32.to_be_bytes()[..]].concat());
        assert_eq!(raw.answer().expect("an answer")[0], 2, "VERSION");
        raw
    }

    fn send(&mut self, packet: &[u8]) {
        let bytes = [&(packet.len() as u32).to_be_bytes()[..], packet].concat();
        self.channel.write_all(&bytes).expect("writes");
    }

    /// A request with an id and strings.
    fn request(&mut self, kind: u8, parts: &[&[u8]]) -> Option<Vec<u8>> {
        self.send(&packet(kind, parts));
        self.answer()
    }

    /// The next answer; `None` when the session is over.
    fn answer(&mut self) -> Option<Vec<u8>> {
        let mut length = [0; 4];
        self.channel.read_exact(&mut length).ok()?;
        let mut packet = vec![0; u32::from_be_bytes(length) as usize];
        self.channel.read_exact(&mut packet).ok()?;
        Some(packet)
    }

    fn alive(&mut self) -> bool {
        self.session.set_timeout(5_000);
        self.request(16, &[&string(b".")])
            .is_some_and(|answer| answer[0] == 104)
    }
}

fn packet(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    [&[kind][..], &7u32.to_be_bytes(), &parts.concat()].concat()
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

/// The status code of an answer.
fn status(answer: Option<Vec<u8>>) -> u32 {
    let answer = answer.expect("an answer");
    assert_eq!(answer[0], 101, "a STATUS");
    assert_eq!(answer[1..5], 7u32.to_be_bytes(), "of our request");
    u32::from_be_bytes(answer[5..9].try_into().expect("four bytes"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_sftp_ends_the_session_and_nothing_else() {
    let Some(mailboxes) = Mailboxes::with_defaults().await else {
        return;
    };
    beside(|| {
        let bystander = mailboxes.alder_session().sftp().expect("a session");
        // far too long a packet, announced or sent
        for length in [u32::MAX, 1 << 31, 256 * 1024 + 1] {
            let mut raw = Raw::greeted(&mailboxes);
            raw.channel
                .write_all(&length.to_be_bytes())
                .expect("writes");
            assert!(raw.answer().is_none(), "{length} bytes were waited for");
        }
        // requests before INIT, and a second INIT
        let mut raw = Raw::open(&mailboxes);
        assert_eq!(status(raw.request(16, &[&string(b".")])), 5);
        let mut raw = Raw::greeted(&mailboxes);
        raw.send(&[&[1], &3u32.to_be_bytes()[..]].concat());
        assert_eq!(raw.answer().expect("an answer")[0], 101);
        // packets that are cut off, unknown, not requests, or lie about their strings
        let lying = [&1_000u32.to_be_bytes()[..], b"x"].concat();
        for bad in [
            packet(99, &[]),
            packet(3, &[]),
            packet(16, &[&lying]),
            packet(104, &[&[0; 4]]),
            packet(200, &[&lying]),
        ] {
            raw.send(&bad);
            assert_eq!(status(raw.answer()), 5, "{bad:?}");
        }
        raw.send(&[]);
        assert_eq!(raw.answer().expect("an answer")[0], 101);
        // extensions that we do not have, and a rename with three names
        assert_eq!(
            status(raw.request(200, &[&string(b"statvfs@openssh.com"), &string(b"/")])),
            8
        );
        let rename = [
            string(b"posix-rename@openssh.com"),
            string(b"a"),
            string(b"b"),
            string(b"c"),
        ]
        .concat();
        assert_eq!(status(raw.request(200, &[&rename])), 5);
        assert!(raw.alive());
        bystander
            .stat(Path::new("/inbound"))
            .expect("others are served");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn handles_and_lengths_are_not_believed() {
    let limits = Limits {
        read_bytes: 10_000,
        ..quick()
    };
    let Some(mailboxes) = Mailboxes::open(limits).await else {
        return;
    };
    mailboxes
        .house
        .put_outbound(mailboxes.alder, "a.810.edi", &sample(100_000));
    beside(|| {
        let mut raw = Raw::greeted(&mailboxes);
        let open = |name: &[u8], flags: u32| {
            [string(name), flags.to_be_bytes().to_vec(), vec![0; 4]].concat()
        };
        let handle = raw
            .request(3, &[&open(b"/outbound/a.810.edi", 1)])
            .expect("an answer");
        assert_eq!(handle[0], 102, "a HANDLE");
        let handle = &handle[5..];
        let at =
            |offset: u64, length: u32| [&offset.to_be_bytes()[..], &length.to_be_bytes()].concat();
        let data = raw
            .request(5, &[handle, &at(0, u32::MAX)])
            .expect("an answer");
        assert_eq!(
            (data[0], data.len()),
            (103, 9 + 10_000),
            "four gigabytes were asked for"
        );
        assert_eq!(
            status(raw.request(5, &[handle, &at(u64::MAX, 1)])),
            1,
            "the end of the file"
        );
        assert_eq!(
            status(raw.request(6, &[handle, &at(0, 0)[..8], &string(b"x")])),
            3,
            "not for writing"
        );
        for request in [4, 5, 6, 8, 10, 12] {
            let parts = [string(b"77"), vec![0; 16]].concat();
            assert_eq!(
                status(raw.request(request, &[&parts])),
                4,
                "a handle that was never given"
            );
        }
        // names that are not UTF-8, or hold a NUL
        for name in [
            &b"/inbound/a\xffb.edi"[..],
            b"/inbound/a\0b.edi",
            b"/inbound/\xc3\x28.edi",
        ] {
            assert_eq!(status(raw.request(3, &[&open(name, 0x1a)])), 3, "{name:?}");
        }
        assert!(raw.alive());
    })
    .await;
    assert!(mailboxes.house.received().is_empty() && mailboxes.spooled() == 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_bytes_leave_the_server_standing() {
    let Some(mailboxes) = Mailboxes::with_defaults().await else {
        return;
    };
    // A generator of our own, so that a failure repeats.
    let mut state = 0x5eed_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    beside(|| {
        let bystander = mailboxes.alder_session().sftp().expect("a session");
        for round in 0..20 {
            let mut raw = Raw::greeted(&mailboxes);
            for _ in 0..100 {
                // mostly well framed, with a real request's number, so that the fuzz reaches what is behind the framing
                let body: Vec<u8> = (0..next() % 60)
                    .map(|_| if next() % 3 == 0 { 0 } else { next() as u8 })
                    .collect();
                raw.send(&packet(
                    (next() % 22) as u8,
                    &[&string(b"/inbound/f.tmp")[..(next() % 19) as usize], &body],
                ));
            }
            raw.session.set_timeout(500);
            while raw.answer().is_some() {}
            drop(raw);
            // and below SFTP, SSH itself
            let mut stream = connect(&mailboxes);
            let noise: Vec<u8> = (0..2_000).map(|_| next() as u8).collect();
            let greeting = if round % 2 == 0 {
                &b"SSH-2.0-noise\r\n"[..]
            } else {
                b""
            };
            let _ = stream.write_all(&[greeting, &noise].concat());
            let _ = stream.read(&mut [0; 100]);
        }
        bystander
            .stat(Path::new("/inbound"))
            .expect("the server stands");
    })
    .await;
    eventually("nothing stays in the spool but what waits", || {
        mailboxes.spooled() <= 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_ends_one_connection_only() {
    let Some(mailboxes) = Mailboxes::with_defaults().await else {
        return;
    };
    std::fs::write(mailboxes.path("po.edi"), b"ISA").expect("writes");
    beside(|| {
        let bystander = mailboxes.alder_session().sftp().expect("a session");
        let run = mailboxes
            .alder()
            .sftp(&format!("put po.edi inbound/{}\nls\n", house::PANIC_NAME));
        assert!(!run.done, "{run:?}");
        bystander
            .stat(Path::new("/inbound"))
            .expect("others are served");
        let run = mailboxes.alder().sftp("put po.edi inbound/po.edi\n");
        assert!(run.done, "newcomers are served: {run:?}");
    })
    .await;
    assert_eq!(mailboxes.received_names(), ["po.edi"]);
    eventually("the spool is empty", || mailboxes.spooled() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_take_his_answers_is_ended_and_holds_up_nobody() {
    let limits = Limits {
        inactivity: Duration::from_secs(1),
        ..quick()
    };
    let Some(mailboxes) = Mailboxes::open(limits).await else {
        return;
    };
    mailboxes
        .house
        .put_outbound(mailboxes.alder, "large.810.edi", &sample(4 << 20));
    beside(|| {
        let mut raw = Raw::greeted(&mailboxes);
        let open = [
            string(b"/outbound/large.810.edi"),
            1u32.to_be_bytes().to_vec(),
            vec![0; 4],
        ]
        .concat();
        let handle = raw.request(3, &[&open]).expect("an answer")[5..].to_vec();
        let read = [&0u64.to_be_bytes()[..], &200_000u32.to_be_bytes()].concat();
        for _ in 0..100 {
            raw.send(&packet(5, &[&handle, &read]));
        }
        // 20 MB of answers are not read; meanwhile others are served
        let started = Instant::now();
        mailboxes
            .alder_session()
            .sftp()
            .expect("a session")
            .stat(Path::new("/inbound"))
            .expect("is served");
        assert!(started.elapsed() < Duration::from_secs(1));
        // a second of nothing, two for the farewell, and more where the machine is busy
        std::thread::sleep(Duration::from_secs(8));
        let mut left = 0;
        while raw.answer().is_some() {
            left += 1;
        }
        assert!(
            left < 50,
            "{left} answers were kept for a client that does not read"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_finishes_what_is_being_committed() {
    let Some(mailboxes) = Mailboxes::with_defaults().await else {
        return;
    };
    std::fs::write(mailboxes.path("po.edi"), b"ISA").expect("writes");
    let client = mailboxes.alder();
    let slow = std::thread::spawn(move || {
        client.sftp(&format!("put po.edi inbound/{}\n", house::SLOW_NAME))
    });
    let half = beside(|| {
        let sftp = mailboxes.alder_session().sftp().expect("a session");
        let mut file = sftp.create(Path::new("/inbound/half.edi")).expect("opens");
        file.write_all(b"ISA").expect("writes");
        file
    })
    .await;
    eventually("the commit is under way", || {
        mailboxes.spooled() == 2 && mailboxes.house.slow_begun() == 1
    })
    .await;
    let (address, started) = (mailboxes.server.address(), Instant::now());
    mailboxes.server.stop().await;
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(
        TcpStream::connect(address).is_err(),
        "nobody listens any more"
    );
    let run = slow.join().expect("runs");
    assert!(run.done, "the client was told of its commit: {run:?}");
    assert_eq!(mailboxes.house.received()[0].name, house::SLOW_NAME);
    let abandoned = mailboxes.house.abandoned();
    assert_eq!(
        (abandoned[0].1.name.as_str(), &abandoned[0].1.cause),
        ("half.edi", &AbandonCause::ServerStopped)
    );
    std::mem::forget(half);
    assert!(files_below(&mailboxes.folder.path().join("spool")) == 0);
}
