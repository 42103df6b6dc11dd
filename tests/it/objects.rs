//! Large files in a real S3 server beside the database: the real program, a real SFTP client, a server that goes away,
//! objects that change and vanish.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use sha2::{Digest, Sha256};
use supercargo::storage::{Store, StoreLocation};

use crate::contract::Program;
use crate::peers::openssh::Client;
use crate::peers::postgres::fresh_database;
use crate::peers::s3::{S3, SECRET_KEY};
use crate::roles::until;

/// A running gateway that ends with this value.
pub(crate) struct Serving {
    child: Child,
    endpoints: Value,
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has told by then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn serve(program: &Program) -> Serving {
    let log = std::fs::File::create(program.data().join("log")).expect("a log");
    let endpoints = program.data().join("endpoints.json");
    let _ = std::fs::remove_file(&endpoints);
    let child = program
        .command(&["serve", "--sftp", "127.0.0.1:0", "--http", "127.0.0.1:0"])
        .env("RUST_LOG", "trace")
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a log"))
        .stderr(log)
        .spawn()
        .expect("it starts");
    let endpoints = until("the gateway is ready", || {
        serde_json::from_slice(&std::fs::read(&endpoints).ok()?).ok()
    });
    Serving { child, endpoints }
}

/// An interchange of so many orders, each with about a megabyte of notes.
fn large(number: u32, orders: u32) -> String {
    let note = format!("MSG*{}~", "LEAVE AT THE NORTH DOOR ".repeat(11).trim_end());
    let mut text = format!(
        "ISA*00*          *00*          *14*QUILLF         *ZZ*HARBORLAMP     *260302*0900*U*00401*{number:09}*0*P*>~\
         GS*PO*QUILLGS*HARBORLAMP*20260302*0900*{number}*X*004010~"
    );
    for order in 1..=orders {
        let mut body = format!("BEG*00*SA*L{number}-{order}**20260302~");
        for loop_ in 0..4 {
            let _ = write!(body, "N9*ZZ*NOTE{loop_}~");
            body.push_str(&note.repeat(990));
        }
        body.push_str("N1*ST*QUILLFEATHER ONE*92*S1~PO1*1*2*EA*100**VN*LAMP-1~CTT*1~");
        let segments = body.matches('~').count() + 2;
        let _ = write!(text, "ST*850*{order:04}~{body}SE*{segments}*{order:04}~");
    }
    let _ = write!(text, "GE*{orders}*{number}~IEA*1*{number:09}~");
    text
}

/// The partner's client in a folder of its own.
pub(crate) struct Partner<'a> {
    folder: &'a Path,
    client: Client,
}

impl<'a> Partner<'a> {
    pub(crate) fn of(serving: &Serving, folder: &'a Path) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let text = |field: &str| serving.endpoints[field].as_str().expect("there");
        let address = text("sftp").parse().expect("an address");
        let client = Client::new(folder, address, text("host_key"), "quill")
            .with_password("a long password");
        Self { folder, client }
    }

    pub(crate) fn sends(&self, name: &str, content: &str) -> Result<(), String> {
        std::fs::write(self.folder.join(name), content).expect("written");
        let run = self.client.sftp(&format!("put {name} /inbound/{name}\n"));
        match run.done {
            true => Ok(()),
            false => Err(run.stderr),
        }
    }

    /// How many files with this set lie in `outbound/`.
    pub(crate) fn finds(&self, set: &str) -> usize {
        let got = self.folder.join("got");
        std::fs::create_dir_all(&got).expect("a folder");
        let run = self.client.sftp("-get /outbound/* got/\n");
        assert!(run.done, "{}", run.stderr);
        let begins = format!("ST|{set}|");
        let files = std::fs::read_dir(&got).expect("a folder").flatten();
        files
            .filter(|file| {
                let text = std::fs::read_to_string(file.path()).expect("text");
                text.contains(&begins)
            })
            .count()
    }
}

async fn count(location: &StoreLocation, sql: &str) -> i64 {
    let store = Store::open(location.clone()).await.expect("it opens");
    let mut reading = store.read().await.expect("it answers");
    reading.number(sql, vec![]).await.expect("a number")
}

/// The status of a command and all it says.
fn said(program: &Program, arguments: &[&str]) -> (Option<i32>, String) {
    let output = program.run(arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout) + &text(&output.stderr),
    )
}

async fn large_files_live_in_the_object_store(program: Program, location: StoreLocation) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut s3 = S3::start(&folder.path().join("s3")).await;
    let settings = program.data().join("supercargo.toml");
    let before = std::fs::read_to_string(&settings).expect("there");
    let named = format!(
        "{before}\n[work]\nclocks_seconds = 1\n{}",
        s3.settings(&program.data(), 100_000)
    );
    std::fs::write(&settings, &named).expect("written");
    program.furnish();
    let (_, doctor) = said(&program, &["doctor"]);
    assert!(
        doctor.contains("the bucket edi-archive can be written and read"),
        "{doctor}"
    );
    let probe = s3.objects();
    assert_eq!(probe.len(), 1, "{probe:?}");
    std::fs::remove_file(&probe[0].1).expect("removed");

    let serving = serve(&program);
    let client = folder.path().join("client");
    let partner = Partner::of(&serving, &client);
    let content = large(1, 12);
    partner.sends("large.edi", &content).expect("taken");
    partner
        .sends("small.edi", &crate::roles::order(2, "SMALL"))
        .expect("taken");
    until("both are acknowledged", || {
        (partner.finds("997") == 2).then_some(())
    });
    until("each order is made", || {
        (program.list(&["order", "list"]).len() == 13).then_some(())
    });
    let objects = s3.objects();
    let [(key, path)] = objects.as_slice() else {
        panic!("one object, not {objects:?}");
    };
    assert!(content.len() > 12_000_000, "three blocks, two parts");
    assert!(std::fs::read(path).expect("there") == content.as_bytes());
    assert_eq!(
        *key,
        format!("here/x/{}", hex::encode(Sha256::digest(content.as_bytes())))
    );
    assert_eq!(
        count(&location, "SELECT COUNT(*) FROM content_chunk").await,
        0
    );
    program.ends(0, &["prove"]);

    // The server goes away: nothing is taken that could be lost, and ops are told when it is back.
    s3.stop();
    let second = large(3, 3);
    let refusal = partner.sends("second.edi", &second).expect_err("refused");
    // OpenSSH prints the status and not the sentence that comes with it.
    assert!(refusal.contains("Failure"), "{refusal}");
    partner
        .sends("three.edi", &crate::roles::order(4, "SMALL-2"))
        .expect("small ones stay in the database");
    assert_eq!(program.list(&["file", "list"]).len(), 3);
    let (status, doctor) = said(&program, &["doctor"]);
    assert_eq!(status, Some(1));
    assert!(
        doctor.contains("the object store failed while writing here/x/doctor"),
        "{doctor}"
    );
    let (status, told) = said(&program, &["prove"]);
    assert_eq!(
        status,
        Some(2),
        "a store that does not answer is no proof of anything: {told}"
    );
    assert!(
        told.contains("the object store failed while reading"),
        "{told}"
    );
    s3.start_again().await;
    partner.sends("second.edi", &second).expect("taken");
    until("all are acknowledged", || {
        (partner.finds("997") == 4).then_some(())
    });
    until("each order is made", || {
        (program.list(&["order", "list"]).len() == 17).then_some(())
    });
    until("ops are told", || {
        let alerts = program.list(&["alert", "list"]);
        alerts
            .iter()
            .any(|alert| alert["kind"] == "object-store-away")
            .then_some(())
    });
    assert_eq!(s3.objects().len(), 2);
    program.ends(0, &["prove"]);

    // What is kept there is compared with what came.
    let mut bytes = std::fs::read(path).expect("there");
    bytes[9_000_000] ^= 1;
    std::fs::write(path, &bytes).expect("written");
    let (status, told) = said(&program, &["prove"]);
    assert_eq!(status, Some(1), "{told}");
    assert!(
        told.contains(key) && told.contains("have another SHA-256"),
        "{told}"
    );
    std::fs::remove_file(path).expect("removed");
    let (status, told) = said(&program, &["prove"]);
    assert_eq!(status, Some(1), "{told}");
    assert!(
        told.contains(key) && told.contains("it is not there"),
        "{told}"
    );
    // The same bytes once more bring it back.
    partner.sends("again.edi", &content).expect("taken");
    until("it is a duplicate", || {
        let files = program.list(&["file", "list"]);
        files
            .iter()
            .any(|file| file["name"] == "again.edi" && file["disposition"] == "duplicate")
            .then_some(())
    });
    program.ends(0, &["prove"]);

    let log = std::fs::read_to_string(program.data().join("log")).expect("a log");
    assert!(!log.contains(SECRET_KEY));
    drop(serving);

    // A node that knows of no object store says whose settings it needs.
    std::fs::write(&settings, &before).expect("written");
    let (status, told) = said(&program, &["prove"]);
    assert_eq!(status, Some(2), "{told}");
    assert!(
        told.contains("give it the [objects] of the nodes that received them"),
        "{told}"
    );
    std::fs::write(&settings, &named).expect("written");

    if matches!(location, StoreLocation::Sqlite(_)) {
        let to = folder.path().join("backup");
        let to = to.to_str().expect("text");
        let (status, told) = said(&program, &["backup", to]);
        assert_eq!(status, Some(0), "{told}");
        assert!(told.contains("of 2 contents"), "{told}");
        let copy = folder.path().join("copy");
        std::fs::create_dir(&copy).expect("a folder");
        for key in ["s3-access", "s3-secret"] {
            std::fs::copy(program.data().join(key), copy.join(key)).expect("copied");
        }
        for command in [&["restore", to][..], &["prove"]] {
            let output = Command::new(env!("CARGO_BIN_EXE_supercargo"))
                .args(command)
                .arg("--data")
                .arg(&copy)
                .env_remove("DATABASE_URL")
                .output()
                .expect("it ends");
            assert!(output.status.success(), "{command:?}: {output:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_files_live_in_the_object_store_beside_sqlite() {
    let program = Program::over(None, "SQLite".to_owned());
    let location = StoreLocation::Sqlite(program.data().join("supercargo.db"));
    large_files_live_in_the_object_store(program, location).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_files_live_in_the_object_store_beside_postgres() {
    let Some(database) = fresh_database().await else {
        return;
    };
    let location = StoreLocation::Postgres(database.url.clone());
    let program = Program::over(Some(database), "PostgreSQL".to_owned());
    large_files_live_in_the_object_store(program, location).await;
}

/// Killed while a large file is put there, and sent again: it is taken once, and what a kill leaves behind is at most an
/// object that the next upload finds under its name.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_while_it_puts_a_large_file_loses_nothing() {
    let program = Program::over(None, "SQLite".to_owned());
    let folder = tempfile::tempdir().expect("a folder");
    let s3 = S3::start(&folder.path().join("s3")).await;
    let settings = program.data().join("supercargo.toml");
    let before = std::fs::read_to_string(&settings).expect("there");
    let named = s3.settings(&program.data(), 100_000);
    std::fs::write(&settings, before + &named).expect("written");
    program.furnish();
    let content = large(1, 9);
    let client = folder.path().join("client");
    let mut confirmed = 0;
    for kill in 0..6_u64 {
        let serving = serve(&program);
        let partner = Partner::of(&serving, &client);
        let name = format!("large-{kill}.edi");
        std::thread::scope(|scope| {
            let sending = scope.spawn(|| partner.sends(&name, &content));
            std::thread::sleep(std::time::Duration::from_millis(150 + 150 * kill));
            drop(serving);
            confirmed += usize::from(sending.join().expect("it ends").is_ok());
        });
    }
    let serving = serve(&program);
    let partner = Partner::of(&serving, &client);
    partner.sends("last.edi", &content).expect("taken");
    let files = until("each is read", || {
        let files = program.list(&["file", "list"]);
        let read = files.iter().all(|file| file["disposition"] != "received");
        read.then_some(files)
    });
    assert!(files.len() > confirmed, "{files:?}");
    let processed = files
        .iter()
        .filter(|file| file["disposition"] == "processed");
    assert_eq!(processed.count(), 1, "{files:?}");
    until("each order is made", || {
        (program.list(&["order", "list"]).len() == 9).then_some(())
    });
    assert_eq!(s3.objects().len(), 1);
    program.ends(0, &["prove"]);
}

/// Over TLS the store is known by its certificate, and its keys are checked: what does not fit is told, and nothing taken.
#[tokio::test(flavor = "multi_thread")]
async fn the_object_store_is_known_by_its_certificate_and_knows_our_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(s3) = S3::start_with_tls(&folder.path().join("s3")).await else {
        return;
    };
    let program = Program::over(None, "SQLite".to_owned());
    let settings = program.data().join("supercargo.toml");
    let before = std::fs::read_to_string(&settings).expect("there");
    let named = before + &s3.settings(&program.data(), 100);
    let authority = folder.path().join("s3/ca.pem");
    let trusting = format!("{named}ca_file = \"{}\"\n", authority.display());

    std::fs::write(&settings, &named).expect("written");
    program.furnish();
    let (_, told) = said(&program, &["doctor"]);
    assert!(
        told.contains("the object store failed while writing here/x/doctor"),
        "an authority that nobody named: {told}"
    );
    std::fs::write(&settings, &trusting).expect("written");
    let (_, told) = said(&program, &["doctor"]);
    assert!(told.contains("can be written and read"), "{told}");
    let order = crate::roles::order(1, "PO-1");
    let file = folder.path().join("order.edi");
    std::fs::write(&file, &order).expect("written");
    let file = file.to_str().expect("text");
    program.ends(0, &["submit", file, "--partner", "quillfeather"]);
    assert_eq!(s3.objects().len(), 2, "the file, and what doctor wrote");
    program.ends(0, &["prove"]);

    // Another secret than the store knows, and one that is not there.
    std::fs::write(program.data().join("s3-secret"), "another").expect("written");
    let other = folder.path().join("other.edi");
    std::fs::write(&other, crate::roles::order(2, "PO-2")).expect("written");
    let other = other.to_str().expect("text");
    let (status, told) = said(&program, &["submit", other, "--partner", "quillfeather"]);
    assert_eq!(status, Some(2), "{told}");
    assert!(
        told.contains("the object store failed while writing here/x/"),
        "{told}"
    );
    assert_eq!(program.list(&["file", "list"]).len(), 1);
    let (status, told) = said(&program, &["doctor"]);
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("the rights of its access key"), "{told}");
    std::fs::remove_file(program.data().join("s3-secret")).expect("removed");
    let (status, told) = said(&program, &["doctor"]);
    assert_eq!(status, Some(2), "{told}");
    assert!(
        told.contains("[objects] access key: the secret in"),
        "{told}"
    );
}
