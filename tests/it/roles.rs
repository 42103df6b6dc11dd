//! Nodes that do a part each, over one PostgreSQL database: the real program, a real SFTP client, its own folders.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::contract::{Program, SETTINGS, interchange};
use crate::peers::http;
use crate::peers::openssh::Client;
use crate::peers::postgres::fresh_database;
use crate::trail::{done, of_file};

/// How long something may take that only a fault keeps from happening.
const PATIENCE: Duration = Duration::from_secs(120);

/// Nobody looks for work by himself before a test is over: what is done was announced.
const NEVER_LOOKS: &str = "\n[work]\npoll_milliseconds = 3600000\nfolder_seconds = 1\n";

/// One gateway with a part of the work; it ends with this value.
struct Node {
    child: Option<Child>,
    folder: TempDir,
    roles: &'static str,
    url: String,
    endpoints: Value,
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself, which the test has told by then.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Node {
    fn start(roles: &'static str, url: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(
            folder.path().join("supercargo.toml"),
            format!("{SETTINGS}{NEVER_LOOKS}"),
        )
        .expect("written");
        // What no warehouse would confirm: a node that watches folders refuses it, any other leaves it alone.
        let warehouse = folder.path().join("warehouses/PORT");
        std::fs::create_dir_all(&warehouse).expect("a folder");
        std::fs::write(warehouse.join("nonsense.json"), "nonsense").expect("written");
        let mut node = Self {
            child: None,
            folder,
            roles,
            url: url.to_owned(),
            endpoints: Value::Null,
        };
        node.run();
        node
    }

    fn data(&self) -> &Path {
        self.folder.path()
    }

    fn run(&mut self) {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.data().join("node.log"))
            .expect("a log");
        let child = Command::new(env!("CARGO_BIN_EXE_supercargo"))
            .args(["serve", "--sftp", "127.0.0.1:0", "--http", "127.0.0.1:0"])
            .args(["--roles", self.roles, "--database-url", &self.url, "--data"])
            .arg(self.data())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("it starts");
        self.child = Some(child);
        let path = self.data().join("endpoints.json");
        self.endpoints = until("a node is ready", || {
            let child = self.child.as_mut().expect("it runs");
            let ended = child.try_wait().expect("it can be asked");
            assert!(ended.is_none(), "{}: {ended:?}", self.log());
            serde_json::from_slice(&std::fs::read(&path).ok()?).ok()
        });
    }

    fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Asks it to stop and waits for its end.
    fn stop(&mut self) {
        let pid = rustix::process::Pid::from_child(self.child.as_ref().expect("it runs"));
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        let mut child = self.child.take().expect("it runs");
        assert!(child.wait().expect("it ends").success(), "{}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.data().join("node.log")).unwrap_or_default()
    }

    fn address(&self, of: &str) -> SocketAddr {
        let text = self.endpoints[of].as_str();
        text.unwrap_or_else(|| panic!("no {of} in {}", self.endpoints))
            .parse()
            .expect("an address")
    }

    /// Where a confirmation ends that a watched folder refuses.
    fn refused(&self) -> PathBuf {
        self.data().join("warehouses/PORT/refused/nonsense.json")
    }
}

pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: in vain");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Ports on which a process listens.
fn listening(pid: u32) -> usize {
    let sockets: Vec<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("Linux tells what a process has open")
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter_map(|to| {
            let to = to.to_string_lossy().into_owned();
            Some(to.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
        })
        .collect();
    ["tcp", "tcp6"]
        .into_iter()
        .flat_map(|kind| {
            let table = std::fs::read_to_string(format!("/proc/{pid}/net/{kind}"));
            table
                .unwrap_or_default()
                .lines()
                .skip(1)
                .map(|line| {
                    let fields: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
                    (fields[3].clone(), fields[9].clone())
                })
                .collect::<Vec<_>>()
        })
        .filter(|(state, inode)| state == "0A" && sockets.contains(inode))
        .count()
}

/// An order of two lamps with no dates that could pass.
pub(crate) fn order(number: u32, po: &str) -> String {
    let body = format!(
        "BEG*00*SA*{po}**20260302~N1*ST*QUILLFEATHER ONE*92*S1~PO1*1*2*EA*100**VN*LAMP-1~CTT*1~"
    );
    interchange("PO", number, "850", &body)
}

/// The partner's client in a folder of its own.
struct Partner {
    folder: TempDir,
    client: Client,
}

impl Partner {
    fn of(mailbox: &Node) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let host_key = mailbox.endpoints["host_key"].as_str().expect("a key");
        let client = Client::new(folder.path(), mailbox.address("sftp"), host_key, "quill")
            .with_password("a long password");
        Self { folder, client }
    }

    fn sends(&self, name: &str, content: &str) {
        std::fs::write(self.folder.path().join(name), content).expect("written");
        let run = self.client.sftp(&format!("put {name} /inbound/{name}\n"));
        assert!(run.done, "the upload is confirmed: {}", run.stderr);
    }

    /// What lies in `outbound/`, by content.
    fn fetches(&self) -> Vec<String> {
        let into = self.folder.path().join("got");
        std::fs::create_dir_all(&into).expect("a folder");
        let run = self.client.sftp("-get /outbound/* got/\n");
        assert!(run.done, "{}", run.stderr);
        let files = std::fs::read_dir(&into).expect("a folder").flatten();
        files
            .map(|file| std::fs::read_to_string(file.path()).expect("text"))
            .collect()
    }
}

/// How many of these files hold a set.
fn count(files: &[String], set: &str) -> usize {
    let begins = format!("ST|{set}|");
    files.iter().filter(|file| file.contains(&begins)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_do_a_part_each() {
    let Some(database) = fresh_database().await else {
        return;
    };
    let url = database.url.clone();
    let program = Program::over(Some(database), "PostgreSQL".to_owned());
    program.furnish();
    let added = program.input(
        &["user", "add", "ada", "--role", "ops", "--password-stdin"],
        b"correct horse battery staple\n",
    );
    assert!(added.status.success(), "{added:?}");
    let mailbox = Node::start("mailbox", &url);
    let mut workers = Node::start("workers", &url);
    let console = Node::start("console", &url);

    for (node, open, closed) in [
        (&mailbox, &["sftp", "host_key"][..], &["http"][..]),
        (&workers, &[], &["sftp", "http", "host_key"]),
        (&console, &["http"], &["sftp", "host_key"]),
    ] {
        assert_eq!(node.endpoints["roles"], serde_json::json!([node.roles]));
        for field in open {
            assert!(node.endpoints[field].is_string(), "{}", node.endpoints);
        }
        for field in closed {
            assert!(node.endpoints.get(field).is_none(), "{}", node.endpoints);
        }
        let ports = usize::from(node.roles != "workers");
        assert_eq!(listening(node.pid()), ports, "{}", node.roles);
        // The line follows upon the file.
        let log = until("a node says what it does", || {
            Some(node.log()).filter(|log| log.contains("endpoints in"))
        });
        let says = format!("serves as {}.", node.roles);
        assert!(log.contains(&says), "{log}");
        assert_eq!(log.contains("SFTP mailbox 127"), node.roles == "mailbox");
        assert_eq!(log.contains("console http://"), node.roles == "console");
    }

    let partner = Partner::of(&mailbox);
    partner.sends("one.edi", &order(1, "PO-1"));
    // The workers look by themselves once an hour: they were told.
    until("997 and 855 are there to be fetched", || {
        let files = partner.fetches();
        (count(&files, "997") == 1 && count(&files, "855") == 1).then_some(())
    });
    let host = console.address("http").to_string();
    let (status, session) = http::sign_in(&host, "ada", "correct horse battery staple").await;
    assert_eq!(status, 303);
    let (status, page) = http::ask(
        &host,
        &format!("GET /orders HTTP/1.1\r\ncookie: {session}"),
        "",
    )
    .await;
    assert_eq!(status, 200);
    assert!(page.contains("PO-1"), "{page}");

    workers.stop();
    partner.sends("two.edi", &order(2, "PO-2"));
    let dispositions = || -> Vec<String> {
        let files = program.list(&["file", "list"]);
        let words = files.iter().map(|file| file["disposition"].as_str());
        words.map(|word| word.expect("a word").to_owned()).collect()
    };
    assert_eq!(dispositions(), ["received", "processed"]);
    assert_eq!(count(&partner.fetches(), "997"), 1);
    workers.run();
    until("what waited is done", || {
        let files = partner.fetches();
        (count(&files, "997") == 2 && count(&files, "855") == 2).then_some(())
    });
    assert_eq!(dispositions(), ["processed", "processed"]);

    until("the mailbox watches its folder", || {
        mailbox.refused().exists().then_some(())
    });
    assert!(!workers.refused().exists());
    assert!(!console.refused().exists());
    // One file, followed from node to node.
    let (at_mailbox, at_workers) = (mailbox.log(), workers.log());
    let steps_of = |log: &str| -> Vec<String> {
        let lines = of_file(log, 1);
        let steps = done(&lines).into_iter();
        steps.map(|(step, _)| step.to_owned()).collect()
    };
    let there = steps_of(&at_mailbox);
    assert_eq!(there[0], "receive", "{at_mailbox}");
    assert!(there[1..].iter().all(|step| step == "pick-up"), "{there:?}");
    let here = steps_of(&at_workers);
    for step in ["read", "translate", "verify", "allocate", "deliver"] {
        assert!(here.iter().any(|done| done == step), "{step}: {at_workers}");
    }
    let proven = program.input(&["prove"], b"");
    assert!(proven.status.success(), "{proven:?}");
}

/// What `serve` says that does not start, and its status.
fn refused(data: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let ended = Command::new(env!("CARGO_BIN_EXE_supercargo"))
        .args(["serve", "--sftp", "127.0.0.1:0", "--http", "127.0.0.1:0"])
        .args(arguments)
        .arg("--data")
        .arg(data)
        .env_remove("DATABASE_URL")
        .output()
        .expect("it ends");
    (
        ended.status.code(),
        String::from_utf8_lossy(&ended.stderr).into_owned(),
    )
}

#[test]
fn roles_that_make_no_sense_are_refused_with_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    for (roles, says) in [
        (
            "boss",
            "\"boss\" is no role. Write one or more of: mailbox, workers, console",
        ),
        ("mailbox,worker", "Did you mean `workers`?"),
        ("", "a gateway without a role does nothing"),
        ("mailbox,workers,mailbox", "the role mailbox is named twice"),
        // Over SQLite nobody else could do the work.
        (
            "mailbox",
            "Add workers to its roles, or share a PostgreSQL database",
        ),
        ("mailbox,console", "leave them lying"),
    ] {
        let (status, told) = refused(&data, &["--roles", roles]);
        assert_eq!(status, Some(2), "{roles}: {told}");
        assert!(told.contains(says), "{roles}: {told}");
        assert!(!data.exists(), "{roles}: nothing was made");
    }
    let file = folder.path().join("settings.toml");
    for (settings, roles, says) in [
        (
            "[node]\nroles = []\n",
            None,
            "line 2, node.roles: a gateway without a role does nothing",
        ),
        (
            "[node]\nroles = [\"workers\", \"console\", \"workers\"]\n",
            None,
            "line 2, node.roles: the role workers is named twice",
        ),
        (
            "[node]\nroles = [\"boss\"]\n",
            None,
            "line 2, node.roles[1]: \"boss\" is not one of the words this key takes",
        ),
        (
            "[http]\nenabled = false\n",
            Some("console"),
            "this node would do nothing",
        ),
    ] {
        std::fs::write(&file, settings).expect("written");
        let mut arguments = vec!["--config", file.to_str().expect("a plain path")];
        arguments.extend(roles.iter().flat_map(|roles| ["--roles", roles]));
        let (status, told) = refused(&data, &arguments);
        assert_eq!(status, Some(2), "{settings}: {told}");
        assert!(told.contains(says), "{settings}: {told}");
    }
}
