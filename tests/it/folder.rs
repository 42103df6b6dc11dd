//! Watched folders and deliveries into folders.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use supercargo::transport::arrival::FetchReport;
use supercargo::transport::delivery::{Delivered, Parcel};
use supercargo::transport::folder::{AfterCommit, FolderError, WatchedFolder, deliver};
use supercargo::transport::spool::SpoolFolder;
use tempfile::TempDir;

use crate::peers::counter::Counter;

struct Fixture {
    root: TempDir,
    counter: Counter,
    spool: Arc<SpoolFolder>,
}

impl Fixture {
    fn new() -> Fixture {
        let root = tempfile::tempdir().expect("a folder");
        let spool = Arc::new(SpoolFolder::open(&root.path().join("spool")).expect("opens"));
        fs::create_dir(root.path().join("in")).expect("makes");
        Fixture {
            root,
            counter: Counter::default(),
            spool,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn folder(&self) -> WatchedFolder {
        WatchedFolder {
            connection_id: 3,
            path: self.path("in"),
            after: AfterCommit::MoveTo(self.path("in/processed")),
            file_bytes: 1_000_000,
            settle: Duration::from_millis(100),
        }
    }

    async fn fetch(&self) -> FetchReport {
        self.look(&self.folder()).await
    }

    async fn look(&self, folder: &WatchedFolder) -> FetchReport {
        folder
            .fetch(self.spool.clone(), Arc::new(self.counter.clone()))
            .await
            .expect("looks")
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("lists").flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn complete_files_are_taken_and_move() {
    let fixture = Fixture::new();
    for (name, bytes) in [
        ("b.edi", "ISA*b~"),
        ("a.edi", "ISA*a~"),
        ("c.tmp", "x"),
        (".d", "x"),
        ("e.edi", ""),
    ] {
        fs::write(fixture.path("in").join(name), bytes).expect("writes");
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    let report = fixture.fetch().await;
    assert_eq!(report.fetched, ["b.edi", "a.edi", "e.edi"], "oldest first");
    assert_eq!(fixture.counter.names(), report.fetched);
    assert_eq!(fixture.counter.taken()[0].bytes, b"ISA*b~");
    assert_eq!(names(&fixture.path("in")), [".d", "c.tmp", "processed"]);
    assert_eq!(
        names(&fixture.path("in/processed")),
        ["a.edi", "b.edi", "e.edi"]
    );
    fs::rename(fixture.path("in/c.tmp"), fixture.path("in/c.edi")).expect("renames");
    assert_eq!(fixture.fetch().await.fetched, ["c.edi"]);
    assert_eq!(fixture.fetch().await, FetchReport::default());
}

#[tokio::test]
async fn a_name_that_returns_replaces_nothing() {
    let fixture = Fixture::new();
    for content in ["one", "two", "two"] {
        fs::write(fixture.path("in/po.edi"), content).expect("writes");
        assert_eq!(fixture.fetch().await.fetched, ["po.edi"]);
    }
    let processed = names(&fixture.path("in/processed"));
    assert_eq!(processed.len(), 2, "{processed:?}");
    assert_eq!(
        fs::read(fixture.path("in/processed/po.edi")).expect("reads"),
        b"one"
    );
    let folder = WatchedFolder {
        after: AfterCommit::Delete,
        ..fixture.folder()
    };
    fs::write(fixture.path("in/po.edi"), "three").expect("writes");
    assert_eq!(fixture.look(&folder).await.fetched, ["po.edi"]);
    assert_eq!(names(&fixture.path("in/processed")), processed);
}

#[tokio::test]
async fn what_is_not_committed_stays() {
    let fixture = Fixture::new();
    fs::write(fixture.path("in/po.edi"), "ISA").expect("writes");
    fixture.counter.close(true);
    let report = fixture.fetch().await;
    assert!(
        report.fetched.is_empty() && report.left[0].reason.contains("the database is gone"),
        "{report:?}"
    );
    fixture.counter.close(false);
    assert_eq!(fixture.fetch().await.fetched, ["po.edi"]);
}

#[tokio::test]
async fn links_odd_names_and_large_files_are_left_and_named() {
    let fixture = Fixture::new();
    fs::write(fixture.path("secret"), "not for you").expect("writes");
    symlink(fixture.path("secret"), fixture.path("in/link.edi")).expect("links");
    fs::write(fixture.path("in/line\nbreak.edi"), "ISA").expect("writes");
    fs::write(fixture.path("in/large.edi"), vec![b'x'; 1_000_001]).expect("writes");
    fs::write(fixture.path("in/good.edi"), "ISA").expect("writes");
    let report = fixture.fetch().await;
    assert_eq!(report.fetched, ["good.edi"]);
    assert_eq!(report.left.len(), 3, "{report:?}");
    assert!(fixture.path("secret").exists());
}

#[tokio::test]
async fn a_file_that_grows_waits() {
    let fixture = Fixture::new();
    let path = fixture.path("in/growing.edi");
    let writer = std::thread::spawn(move || {
        for round in 1..40 {
            fs::write(&path, "x".repeat(round)).expect("writes");
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(fixture.fetch().await.fetched.is_empty());
    writer.join().expect("writes");
    assert_eq!(fixture.fetch().await.fetched, ["growing.edi"]);
    assert_eq!(fixture.counter.taken()[0].bytes.len(), 39);
}

#[tokio::test]
async fn deliveries_are_whole_and_overwrite_nothing() {
    let fixture = Fixture::new();
    let out = fixture.path("out/of/here");
    let parcel = |bytes: &[u8]| Parcel {
        name: "1.810.edi".to_owned(),
        bytes: bytes.into(),
    };
    assert_eq!(
        deliver(&out, parcel(b"ISA")).await.expect("delivers"),
        Delivered::Now
    );
    assert_eq!(
        deliver(&out, parcel(b"ISA")).await.expect("was there"),
        Delivered::Before
    );
    let error = deliver(&out, parcel(b"IEA")).await.expect_err("is taken");
    assert!(matches!(error, FolderError::NameTaken { .. }), "{error}");
    assert_eq!(names(&out), ["1.810.edi"]);
    assert_eq!(fs::read(out.join("1.810.edi")).expect("reads"), b"ISA");
    for name in ["../evil", "a/b", "a\nb"] {
        let parcel = Parcel {
            name: name.to_owned(),
            bytes: b"x"[..].into(),
        };
        let error = deliver(&out, parcel).await.expect_err("is no name");
        assert!(matches!(error, FolderError::Name { .. }), "{error}");
    }
}
