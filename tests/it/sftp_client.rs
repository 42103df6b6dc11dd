//! Polling and pushing on a real OpenSSH server, and on our own one where passwords are needed.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use supercargo::config::profile::connection::AfterFetch;
use supercargo::transport::arrival::FetchReport;
use supercargo::transport::delivery::{Delivered, Parcel};
use supercargo::transport::sftp_client::{FetchOrder, PartnerServer, PartnerServerError, Secret};
use supercargo::transport::sftp_server::{Limits, SftpServer, SftpServerSettings};
use supercargo::transport::spool::SpoolFolder;
use tempfile::TempDir;

use crate::peers::counter::Counter;
use crate::peers::house::House;
use crate::peers::openssh::{KeyPair, Sshd, key_pair};

const CONNECTION: i64 = 7;

/// A partner's server with the folders `out` (for us to fetch), `archive` and `in` (for us to deliver).
struct Partner {
    folder: TempDir,
    key: KeyPair,
    sshd: Sshd,
    counter: Counter,
    spool: Arc<SpoolFolder>,
}

impl Partner {
    fn open(options: &str) -> Option<Partner> {
        let folder = tempfile::tempdir().expect("a folder");
        let key = key_pair(folder.path(), "ours", &["ed25519"])?;
        let sshd = Sshd::start(folder.path(), &key, options)?;
        for name in ["out", "archive", "in"] {
            fs::create_dir(sshd.home.join(name)).expect("makes");
        }
        let spool = Arc::new(SpoolFolder::open(&folder.path().join("spool")).expect("opens"));
        Some(Partner {
            folder,
            key,
            sshd,
            counter: Counter::default(),
            spool,
        })
    }

    fn there(&self, path: &str) -> PathBuf {
        self.sshd.home.join(path)
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        fs::write(self.there(path), bytes).expect("writes");
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.there(folder)).expect("lists").flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn server(&self) -> PartnerServer {
        PartnerServer {
            host: self.sshd.address.ip().to_string(),
            port: self.sshd.address.port(),
            user: self.sshd.user.clone(),
            key_file: Some(self.key.private.clone()),
            passphrase: None,
            password: None,
            host_key: self.sshd.host_key.clone(),
            timeout_seconds: 5,
            temporary_suffix: ".tmp".to_owned(),
        }
    }

    fn order(&self) -> FetchOrder {
        FetchOrder {
            connection_id: CONNECTION,
            from: "out".to_owned(),
            names: vec!["*".to_owned()],
            after: AfterFetch::Delete,
            archive_to: "archive".to_owned(),
            file_bytes: 10_000_000,
            settle: Duration::from_millis(300),
        }
    }

    async fn fetch(&self, order: FetchOrder) -> Result<FetchReport, PartnerServerError> {
        self.server()
            .fetch(order, self.spool.clone(), Arc::new(self.counter.clone()))
            .await
    }

    async fn push(&self, name: &str, bytes: &[u8]) -> Result<Delivered, PartnerServerError> {
        self.server().push("in", parcel(name, bytes)).await
    }
}

fn parcel(name: &str, bytes: &[u8]) -> Parcel {
    Parcel {
        name: name.to_owned(),
        bytes: bytes.into(),
    }
}

fn age(path: &Path, when: &str) {
    assert!(
        Command::new("touch")
            .args(["-d", when])
            .arg(path)
            .status()
            .expect("touch")
            .success()
    );
}

// ---- fetching ----------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_complete_is_fetched_oldest_first_and_goes() {
    let Some(partner) = Partner::open("") else {
        return;
    };
    let large: Vec<u8> = (0..3_000_000).map(|i| (i % 251) as u8).collect();
    partner.put("out/second.edi", b"ISA*2~");
    partner.put("out/first.edi", &large);
    partner.put("out/third.edi", b"");
    age(&partner.there("out/first.edi"), "2026-01-01 10:00");
    age(&partner.there("out/second.edi"), "2026-01-02 10:00");
    for name in ["out/a.tmp", "out/b.PART", "out/c.filepart", "out/.hidden"] {
        partner.put(name, b"not yet");
    }
    fs::create_dir(partner.there("out/sub")).expect("makes");

    let report = partner.fetch(partner.order()).await.expect("fetches");

    assert_eq!(report.fetched, ["first.edi", "second.edi", "third.edi"]);
    assert_eq!(report.left, []);
    let taken = partner.counter.taken();
    assert_eq!(partner.counter.names(), report.fetched);
    assert!(taken[0].bytes == large);
    assert_eq!(taken[0].sha256, hex::encode(Sha256::digest(&large)));
    assert_eq!(taken[1].connection_id, CONNECTION);
    assert!(
        taken[1].origin.ends_with("/out/second.edi"),
        "{}",
        taken[1].origin
    );
    assert_eq!(
        partner.names("out"),
        [".hidden", "a.tmp", "b.PART", "c.filepart", "sub"]
    );
    assert_eq!(
        partner.fetch(partner.order()).await.expect("looks"),
        FetchReport::default()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_names_that_were_asked_for_are_fetched() {
    let Some(partner) = Partner::open("") else {
        return;
    };
    for name in ["out/850_1.edi", "out/850_2.txt", "out/readme.md"] {
        partner.put(name, b"ISA");
    }
    let names = vec!["850*.edi".to_owned(), "*.txt".to_owned()];
    let report = partner
        .fetch(FetchOrder {
            names,
            ..partner.order()
        })
        .await
        .expect("fetches");
    assert_eq!(report.fetched, ["850_1.edi", "850_2.txt"]);
    assert_eq!(partner.names("out"), ["readme.md"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_committed_stays_and_comes_again() {
    let Some(partner) = Partner::open("") else {
        return;
    };
    partner.put("out/po.edi", b"ISA");
    partner.counter.close(true);
    let report = partner.fetch(partner.order()).await.expect("looks");
    assert!(report.fetched.is_empty());
    assert!(
        report.left[0].reason.contains("the database is gone"),
        "{:?}",
        report.left
    );
    assert_eq!(partner.names("out"), ["po.edi"]);
    partner.counter.close(false);
    assert_eq!(
        partner
            .fetch(partner.order())
            .await
            .expect("fetches")
            .fetched,
        ["po.edi"]
    );
    assert!(partner.names("out").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_still_grows_waits() {
    let Some(partner) = Partner::open("") else {
        return;
    };
    partner.put("out/done.edi", b"ISA");
    let growing = partner.there("out/growing.edi");
    let writer = std::thread::spawn(move || {
        use std::io::Write;
        let mut file = fs::File::create(growing).expect("creates");
        for _ in 0..40 {
            file.write_all(b"more ").expect("writes");
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let report = partner.fetch(partner.order()).await.expect("fetches");
    assert_eq!(report.fetched, ["done.edi"]);
    writer.join().expect("writes");
    let report = partner.fetch(partner.order()).await.expect("fetches");
    assert_eq!(report.fetched, ["growing.edi"]);
    assert_eq!(partner.counter.taken()[1].bytes.len(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn fetched_files_move_to_the_archive_and_replace_nothing_there() {
    let Some(partner) = Partner::open("") else {
        return;
    };
    let order = || FetchOrder {
        after: AfterFetch::Archive,
        ..partner.order()
    };
    for content in [&b"one"[..], b"two", b"two"] {
        partner.put("out/po.edi", content);
        assert_eq!(
            partner.fetch(order()).await.expect("fetches").fetched,
            ["po.edi"]
        );
    }
    let two = hex::encode(&Sha256::digest(b"two")[..6]);
    assert_eq!(
        partner.names("archive"),
        ["po.edi".to_owned(), format!("po.edi.{two}")]
    );
    assert_eq!(
        fs::read(partner.there("archive/po.edi")).expect("reads"),
        b"one"
    );
    assert!(partner.names("out").is_empty());

    // no archive: committed, but it stays and says why
    partner.put("out/po.edi", b"three");
    let order = FetchOrder {
        archive_to: "nowhere".to_owned(),
        ..order()
    };
    let report = partner.fetch(order).await.expect("looks");
    assert!(
        report.left[0].reason.contains("no folder nowhere"),
        "{:?}",
        report.left
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_file_does_not_keep_the_others() {
    let Some(partner) = Partner::open("") else {
        return;
    };
    partner.put("out/large.edi", &vec![b'x'; 2_000]);
    partner.put("out/evil\u{202e}name.edi", b"ISA");
    partner.put("out/line\nbreak.edi", b"ISA");
    partner.put("out/good.edi", b"ISA");
    let order = FetchOrder {
        file_bytes: 1_000,
        ..partner.order()
    };
    let report = partner.fetch(order).await.expect("fetches");
    assert_eq!(report.fetched, ["good.edi"]);
    assert_eq!(report.left.len(), 3, "{:?}", report.left);
    assert!(
        report
            .left
            .iter()
            .any(|left| left.name == "large.edi" && left.reason.contains("1000 bytes"))
    );
    assert!(
        report
            .left
            .iter()
            .any(|left| left.reason.contains("U+202E")),
        "{:?}",
        report.left
    );
}

// ---- delivering --------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_arrives_once_however_often_it_is_tried() {
    let Some(partner) = Partner::open("") else {
        return;
    };
    let large: Vec<u8> = (0..3_000_000).map(|i| (i % 241) as u8).collect();
    for bytes in [&b"ISA*810~"[..], &large, b""] {
        let name = format!("{}.810.edi", bytes.len());
        assert_eq!(
            partner.push(&name, bytes).await.expect("delivers"),
            Delivered::Now
        );
        assert!(fs::read(partner.there(&format!("in/{name}"))).expect("reads") == bytes);
        assert_eq!(
            partner.push(&name, bytes).await.expect("was there"),
            Delivered::Before
        );
    }
    assert_eq!(
        partner.names("in"),
        ["0.810.edi", "3000000.810.edi", "8.810.edi"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_attempt_left_half_way_is_written_anew() {
    let Some(partner) = Partner::open("") else {
        return;
    };
    partner.put(
        "in/a.810.edi.tmp",
        b"half of something longer than the file itself",
    );
    assert_eq!(
        partner
            .push("a.810.edi", b"ISA*810~")
            .await
            .expect("delivers"),
        Delivered::Now
    );
    assert_eq!(partner.names("in"), ["a.810.edi"]);
    assert_eq!(
        fs::read(partner.there("in/a.810.edi")).expect("reads"),
        b"ISA*810~"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_ever_overwritten() {
    let Some(partner) = Partner::open("") else {
        return;
    };
    for other in [&b"ISA*810*other length"[..], b"ISA*811~"] {
        partner.put("in/a.810.edi", other);
        let error = partner
            .push("a.810.edi", b"ISA*810~")
            .await
            .expect_err("is refused");
        assert!(
            matches!(error, PartnerServerError::NameTaken { .. }),
            "{error}"
        );
        assert!(error.needs_a_person());
        assert_eq!(
            fs::read(partner.there("in/a.810.edi")).expect("reads"),
            other
        );
    }
    assert_eq!(partner.names("in"), ["a.810.edi"]);
}

/// The look before the rename cannot see a file that comes between the two; then the server itself must refuse.
#[tokio::test(flavor = "multi_thread")]
async fn a_rename_onto_a_file_is_refused_by_the_server() {
    let Some(partner) = Partner::open("") else {
        return;
    };
    partner.put("in/a", b"new");
    partner.put("in/b", b"old");
    let mut session = ssh2::Session::new().expect("a session");
    session.set_tcp_stream(std::net::TcpStream::connect(partner.sshd.address).expect("connects"));
    session.handshake().expect("shakes hands");
    session
        .userauth_pubkey_file(&partner.sshd.user, None, &partner.key.private, None)
        .expect("logs in");
    let sftp = session.sftp().expect("opens");
    sftp.rename(Path::new("in/a"), Path::new("in/b"), None)
        .expect_err("is refused");
    assert_eq!(fs::read(partner.there("in/b")).expect("reads"), b"old");
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_that_are_missing_or_closed_are_named() {
    let Some(partner) = Partner::open("") else {
        return;
    };
    let error = partner
        .server()
        .push("inn", parcel("a.edi", b"ISA"))
        .await
        .expect_err("no folder");
    assert!(
        matches!(&error, PartnerServerError::FolderMissing { folder, .. } if folder == "inn"),
        "{error}"
    );
    let order = FetchOrder {
        from: "outt".to_owned(),
        ..partner.order()
    };
    let error = partner.fetch(order).await.expect_err("no folder");
    assert!(
        matches!(&error, PartnerServerError::FolderMissing { folder, .. } if folder == "outt"),
        "{error}"
    );
    if partner.sshd.user == "root" {
        return; // to whom nothing is closed
    }
    fs::set_permissions(partner.there("in"), fs::Permissions::from_mode(0o500)).expect("sets");
    let error = partner.push("a.edi", b"ISA").await.expect_err("is closed");
    assert!(
        matches!(error, PartnerServerError::Denied { .. }),
        "{error}"
    );
}

// ---- reaching, knowing, logging in -------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_another_host_key_gets_nothing() {
    let Some(partner) = Partner::open("") else {
        return;
    };
    let Some(other) = key_pair(partner.folder.path(), "other", &["ed25519"]) else {
        return;
    };
    let fingerprint = fingerprint(&other);
    for host_key in [
        other.public.clone(),
        fingerprint.clone(),
        format!("host {}", other.public),
    ] {
        let server = PartnerServer {
            host_key,
            ..partner.server()
        };
        let error = server
            .push("in", parcel("a.edi", b"ISA"))
            .await
            .expect_err("is refused");
        let PartnerServerError::HostKeyDiffers {
            expected,
            presented,
            ..
        } = &error
        else {
            panic!("{error}")
        };
        assert_eq!(*expected, fingerprint);
        assert!(
            presented.starts_with("SHA256:") && *presented != fingerprint,
            "{presented}"
        );
    }
    assert!(partner.names("in").is_empty());
    let server = PartnerServer {
        host_key: "whatever".to_owned(),
        ..partner.server()
    };
    let error = server
        .push("in", parcel("a.edi", b"ISA"))
        .await
        .expect_err("is refused");
    assert!(
        matches!(error, PartnerServerError::HostKeyUnreadable { .. }),
        "{error}"
    );
}

/// As ssh-keygen says it.
fn fingerprint(key: &KeyPair) -> String {
    let output = Command::new("ssh-keygen")
        .arg("-lf")
        .arg(&key.private)
        .output()
        .expect("runs");
    let line = String::from_utf8(output.stdout).expect("text");
    line.split(' ').nth(1).expect("the fingerprint").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_several_keys_is_known_by_any_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(rsa) = key_pair(folder.path(), "host_rsa", &["rsa", "-b", "2048"]) else {
        return;
    };
    let Some(ecdsa) = key_pair(folder.path(), "host_ecdsa", &["ecdsa"]) else {
        return;
    };
    let options = format!(
        "HostKey {}\nHostKey {}",
        rsa.private.display(),
        ecdsa.private.display()
    );
    let Some(partner) = Partner::open(&options) else {
        return;
    };
    for (i, key) in [&rsa, &ecdsa].into_iter().enumerate() {
        for (j, host_key) in [key.public.clone(), fingerprint(key)]
            .into_iter()
            .enumerate()
        {
            let server = PartnerServer {
                host_key,
                ..partner.server()
            };
            let name = format!("{i}{j}.edi");
            assert_eq!(
                server
                    .push("in", parcel(&name, b"ISA"))
                    .await
                    .expect("is known"),
                Delivered::Now
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_only_outdated_algorithms_is_named_as_such() {
    for options in [
        "KexAlgorithms diffie-hellman-group1-sha1",
        "Ciphers 3des-cbc",
        "HostKeyAlgorithms ssh-rsa\nHostKey RSA",
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let Some(rsa) = key_pair(folder.path(), "host_rsa", &["rsa", "-b", "2048"]) else {
            return;
        };
        let options = options.replace("RSA", &rsa.private.display().to_string());
        let Some(partner) = Partner::open(&options) else {
            return;
        };
        for host_key in [rsa.public.clone(), fingerprint(&rsa)] {
            let server = PartnerServer {
                host_key,
                ..partner.server()
            };
            let error = server
                .push("in", parcel("a.edi", b"ISA"))
                .await
                .expect_err("is refused");
            assert!(
                matches!(error, PartnerServerError::NoCommonAlgorithm { .. }),
                "{options}: {error}"
            );
            assert!(
                error.to_string().contains("OpenSSH"),
                "names the server's software: {error}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_says_what_the_server_takes() {
    let Some(partner) = Partner::open("") else {
        return;
    };
    let Some(other) = key_pair(partner.folder.path(), "other", &["ed25519"]) else {
        return;
    };
    let push =
        |server: PartnerServer| async move { server.push("in", parcel("a.edi", b"ISA")).await };
    let server = PartnerServer {
        key_file: Some(other.private.clone()),
        ..partner.server()
    };
    let error = push(server).await.expect_err("is refused");
    let PartnerServerError::LoginRefused { methods, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(methods, "publickey");
    let server = PartnerServer {
        key_file: None,
        password: Some(Secret("x".to_owned())),
        ..partner.server()
    };
    let error = push(server).await.expect_err("is refused");
    assert!(
        matches!(error, PartnerServerError::LoginRefused { .. }),
        "{error}"
    );
    let server = PartnerServer {
        key_file: Some(partner.folder.path().join("absent")),
        ..partner.server()
    };
    let error = push(server).await.expect_err("is refused");
    assert!(
        matches!(error, PartnerServerError::OwnKey { .. }),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_a_passphrase_opens() {
    let Some(partner) = Partner::open("") else {
        return;
    };
    let mut keygen = Command::new("ssh-keygen");
    keygen
        .args(["-q", "-p", "-P", "", "-N", "open sesame", "-f"])
        .arg(&partner.key.private);
    assert!(keygen.status().expect("runs").success());
    let with = |secret: Option<&str>| PartnerServer {
        passphrase: secret.map(|secret| Secret(secret.to_owned())),
        ..partner.server()
    };
    with(Some("open sesame"))
        .push("in", parcel("a.edi", b"ISA"))
        .await
        .expect("delivers");
    for wrong in [None, Some("wrong")] {
        let error = with(wrong)
            .push("in", parcel("b.edi", b"ISA"))
            .await
            .expect_err("is refused");
        assert!(error.needs_a_person(), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_open_our_own_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::default();
    let connection = house.add_mailbox("alder", Some("horse"), None);
    let settings = SftpServerSettings {
        listen: "127.0.0.1:0".parse().expect("an address"),
        host_key_folder: folder.path().join("keys"),
        spool_folder: folder.path().join("spool"),
        limits: Limits::default(),
    };
    let server = SftpServer::start(settings, Arc::new(house.clone()))
        .await
        .expect("starts");
    let client = PartnerServer {
        host: server.address().ip().to_string(),
        port: server.address().port(),
        user: "alder".to_owned(),
        key_file: None,
        passphrase: None,
        password: Some(Secret("horse".to_owned())),
        host_key: server.host_key().fingerprint(),
        timeout_seconds: 10,
        temporary_suffix: ".tmp".to_owned(),
    };
    assert_eq!(
        client
            .push("inbound", parcel("po.edi", b"ISA*850~"))
            .await
            .expect("delivers"),
        Delivered::Now
    );
    // what was received cannot be looked at by another session, so it is delivered again, for the house to tell
    assert_eq!(house.received()[0].name, "po.edi");
    house.put_outbound(connection, "1.997.edi", b"ISA*997~");
    let (spool, counter) = (
        SpoolFolder::open(&folder.path().join("fetched")).expect("opens"),
        Counter::default(),
    );
    let order = FetchOrder {
        connection_id: CONNECTION,
        from: "/outbound".to_owned(),
        names: vec!["*".to_owned()],
        after: AfterFetch::Delete,
        archive_to: String::new(),
        file_bytes: 1_000,
        settle: Duration::ZERO,
    };
    let report = client
        .fetch(order, Arc::new(spool), Arc::new(counter.clone()))
        .await
        .expect("fetches");
    assert_eq!(report.fetched, ["1.997.edi"]);
    assert_eq!(counter.taken()[0].bytes, b"ISA*997~");
    assert!(house.outbound_names(connection).is_empty());
    let wrong = PartnerServer {
        password: Some(Secret("cow".to_owned())),
        ..client
    };
    let error = wrong
        .push("inbound", parcel("po.edi", b"ISA"))
        .await
        .expect_err("is refused");
    assert!(
        matches!(error, PartnerServerError::LoginRefused { .. }),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_partners_trouble_is_not_anothers() {
    let Some(partner) = Partner::open("") else {
        return;
    };
    // one that takes connections and says nothing, one that speaks another protocol, one that is not there
    let silent = TcpListener::bind("127.0.0.1:0").expect("binds");
    let web = TcpListener::bind("127.0.0.1:0").expect("binds");
    let gone = TcpListener::bind("127.0.0.1:0")
        .expect("binds")
        .local_addr()
        .expect("an address");
    let web_address = web.local_addr().expect("an address");
    let talking = std::thread::spawn(move || {
        use std::io::Write;
        let (mut stream, _) = web.accept().expect("accepts");
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let at = |address: std::net::SocketAddr| PartnerServer {
        port: address.port(),
        timeout_seconds: 2,
        ..partner.server()
    };
    let started = Instant::now();
    let (silent, web, gone, nameless, good) = tokio::join!(
        async {
            at(silent.local_addr().expect("an address"))
                .push("in", parcel("a.edi", b"ISA"))
                .await
        },
        async { at(web_address).push("in", parcel("a.edi", b"ISA")).await },
        async { at(gone).push("in", parcel("a.edi", b"ISA")).await },
        async {
            let host = "no-such-host.invalid".to_owned();
            PartnerServer {
                host,
                ..partner.server()
            }
            .push("in", parcel("a.edi", b"ISA"))
            .await
        },
        async {
            let delivered = partner.push("a.edi", b"ISA").await;
            (delivered, started.elapsed())
        },
    );
    let silent = silent.expect_err("never answers");
    assert!(
        matches!(silent, PartnerServerError::TimedOut { .. }),
        "{silent}"
    );
    let web = web.expect_err("is no SSH");
    assert!(matches!(web, PartnerServerError::NotSsh { .. }), "{web}");
    for error in [
        gone.expect_err("is gone"),
        nameless.expect_err("has no address"),
    ] {
        assert!(
            matches!(error, PartnerServerError::Unreachable { .. }),
            "{error}"
        );
        assert!(!error.needs_a_person());
    }
    let (delivered, after) = good;
    assert_eq!(delivered.expect("delivers"), Delivered::Now);
    assert!(
        after < Duration::from_millis(1_900),
        "the good one waited for the others: {after:?}"
    );
    talking.join().expect("talks");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_off_loses_and_doubles_nothing() {
    let Some(partner) = Partner::open("") else {
        return;
    };
    let large: Vec<u8> = (0..20_000_000).map(|i| (i % 241) as u8).collect();
    // every connection through this door ends after so many bytes
    let door = Door::open(partner.sshd.address, 3_000_000);
    let through = PartnerServer {
        port: door.port,
        ..partner.server()
    };
    let error = through
        .push("in", parcel("a.810.edi", &large))
        .await
        .expect_err("breaks off");
    assert!(!error.needs_a_person(), "{error}");
    assert!(!partner.there("in/a.810.edi").exists());
    assert_eq!(
        partner.push("a.810.edi", &large).await.expect("delivers"),
        Delivered::Now
    );
    assert_eq!(partner.names("in"), ["a.810.edi"]);

    partner.put("out/po.edi", &large[..9_000_000]);
    let fetched = through
        .fetch(
            partner.order(),
            partner.spool.clone(),
            Arc::new(partner.counter.clone()),
        )
        .await;
    let error = fetched.expect_err("breaks off");
    assert!(!error.needs_a_person(), "{error}");
    assert!(partner.counter.taken().is_empty());
    assert_eq!(partner.names("out"), ["po.edi"]);
    assert_eq!(
        partner
            .fetch(partner.order())
            .await
            .expect("fetches")
            .fetched,
        ["po.edi"]
    );
}

/// A door to a server that slams after a number of bytes in either direction.
struct Door {
    port: u16,
}

impl Door {
    fn open(server: std::net::SocketAddr, bytes: usize) -> Door {
        use std::io::{Read, Write};
        use std::net::TcpStream;
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let Ok(behind) = TcpStream::connect(server) else {
                    return;
                };
                let ways = [
                    (client.try_clone(), behind.try_clone()),
                    (behind.try_clone(), client.try_clone()),
                ];
                for (from, to) in ways {
                    let (Ok(mut from), Ok(mut to)) = (from, to) else {
                        return;
                    };
                    std::thread::spawn(move || {
                        let (mut left, mut chunk) = (bytes, [0; 16_384]);
                        while let Ok(read @ 1..) = from.read(&mut chunk) {
                            if read > left || to.write_all(&chunk[..read]).is_err() {
                                break;
                            }
                            left -= read;
                        }
                        let _ = from.shutdown(std::net::Shutdown::Both);
                        let _ = to.shutdown(std::net::Shutdown::Both);
                    });
                }
            }
        });
        Door { port }
    }
}
