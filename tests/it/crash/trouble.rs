//! Everything around the gateway fails: its disk, its database, its partners' servers, its clock. Nothing is lost,
//! nothing happens twice, and ops are told.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use supercargo::storage::Store;

use super::program;
use super::rig::check::Findings;
use super::rig::gateway::Gateway;
use super::rig::{Plan, SETTINGS, Stage, Trade, lay_out};
use crate::peers::postgres::fresh_database;
use crate::peers::{left_out, pass_on, test_name};

fn plan(folder: &Path, url: Option<String>) -> Plan {
    let seed = fastrand::u64(1..1_000_000);
    println!("seed {seed}");
    Plan {
        seed,
        kills: 0,
        every_line: false,
        nodes: 1,
        url,
        folder: folder.to_owned(),
        program: program(),
        tells: false,
    }
}

/// Starts the only gateway of a stage.
fn start(stage: &mut Stage) -> Gateway {
    let mut gateway = stage.gateways.pop().expect("one node");
    let endpoints = gateway.start(None);
    stage.board.put(0, endpoints);
    gateway
}

fn assert_sound(found: &Findings) {
    assert!(
        found.lost.is_empty() && found.repeated.is_empty() && found.wrong.is_empty(),
        "{found:#?}"
    );
    assert!(found.orders > 0 && found.files > 0);
}

/// How often ops were told of something.
async fn told(store: &Store, kind: &str) -> i64 {
    let sql = format!("SELECT CAST(COUNT(*) AS BIGINT) FROM alert WHERE kind = '{kind}'");
    let mut reading = store.read().await.expect("the database answers");
    reading.number(&sql, vec![]).await.expect("a number")
}

/// A PostgreSQL of the test's own, which it may stop: durable, unlike the one that all tests share.
struct Cluster {
    bin: PathBuf,
    folder: PathBuf,
    port: u16,
}

impl Cluster {
    /// Makes one and starts it. `None` where PostgreSQL's server programs are not installed.
    fn start(folder: &Path) -> Option<Cluster> {
        let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
            .ok()?
            .flatten()
            .map(|entry| entry.path().join("bin"))
            .filter(|bin| bin.join("initdb").exists())
            .collect();
        versions.sort();
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let cluster = Cluster {
            bin: versions.pop()?,
            folder: folder.to_owned(),
            port: free.expect("a free port").port(),
        };
        std::fs::create_dir_all(folder).expect("makes");
        if rustix::process::getuid().is_root() {
            // PostgreSQL refuses to run as root.
            let owned = Command::new("chown").arg("postgres").arg(folder).status();
            assert!(owned.expect("chown").success());
        }
        let data = folder.join("data");
        let data = data.to_str().expect("plain");
        cluster.run(
            "initdb",
            &[
                "-D",
                data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-instructions",
            ],
        );
        cluster.go_on();
        Some(cluster)
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let own = self.bin.join(program);
        let mut command = if rustix::process::getuid().is_root() {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--init-groups"])
                .arg(own);
            command
        } else {
            Command::new(own)
        };
        command.args(arguments).current_dir(&self.folder);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        assert!(
            command.status().expect("runs").success(),
            "{program} {arguments:?}"
        );
    }

    fn control(&self, arguments: &[&str]) {
        let (data, log) = (self.folder.join("data"), self.folder.join("log"));
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={}",
            self.port,
            self.folder.display()
        );
        let mut all = vec![
            "-D",
            data.to_str().expect("plain"),
            "-w",
            "-t",
            "60",
            "-l",
            log.to_str().expect("plain"),
        ];
        if arguments == ["start"] {
            all.extend(["-o", options.as_str()]);
        }
        all.extend(arguments);
        self.run("pg_ctl", &all);
    }

    fn go_on(&self) {
        self.control(&["start"]);
    }

    /// Stops it as a crash of the server would.
    fn stop(&self) {
        self.control(&["-m", "immediate", "stop"]);
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.folder.join("data");
        if data.join("postmaster.pid").exists() {
            self.stop();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_goes_away_and_comes_back() {
    let folder = tempfile::Builder::new()
        .permissions(open_to_all())
        .tempdir()
        .expect("a folder");
    let Some(cluster) = Cluster::start(&folder.path().join("cluster")) else {
        left_out(
            &test_name(),
            "needs PostgreSQL's server programs; install postgresql",
        );
        return;
    };
    let plan = plan(&folder.path().join("house"), Some(cluster.url()));
    let mut stage = lay_out(&plan, SETTINGS).await;
    let gateway = start(&mut stage);
    let trade = Trade::begin(&mut stage);
    for _ in 0..3 {
        trade.goes_on(12).await;
        cluster.stop();
        tokio::time::sleep(Duration::from_secs(4)).await;
        cluster.go_on();
    }
    trade.goes_on(12).await;
    let (found, _, store) = trade.end(&stage.location, vec![gateway]).await;
    assert_sound(&found);
    assert!(
        told(&store, "database-away").await >= 1,
        "ops are told of it"
    );
}

/// The database server's user must come through.
fn open_to_all() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o755)
}

/// A file system of its own for the data folder; gone with its value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(path: &Path, megabytes: usize) -> Option<SmallDisk> {
        std::fs::create_dir_all(path).expect("makes");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(path);
        let mounted = mount.stdin(Stdio::null()).stderr(Stdio::null()).status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| SmallDisk(path.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What can not be unmounted now goes when its last user ends.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Fills a disk to its last byte; what it wrote is the ballast.
fn fill(ballast: &Path) {
    let mut file = std::fs::File::create(ballast).expect("a file");
    let mut chunk = vec![0; 1 << 20];
    while !chunk.is_empty() {
        match file.write(&chunk) {
            Ok(written) if written > 0 => {}
            _ => chunk.truncate(chunk.len() / 2),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disk_is_full() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("node-0");
    let Some(_disk) = SmallDisk::mount(&data, 64) else {
        left_out(
            &test_name(),
            "needs leave to mount a small tmpfs: run it as root",
        );
        return;
    };
    let plan = plan(folder.path(), None);
    // What was claimed when the disk became full is not to wait for the end of its claim.
    let settings = SETTINGS.replace("lease_seconds = 2", "lease_seconds = 600");
    assert_ne!(settings, SETTINGS);
    let mut stage = lay_out(&plan, &settings).await;
    let gateway = start(&mut stage);
    let trade = Trade::begin(&mut stage);
    for _ in 0..3 {
        trade.goes_on(12).await;
        fill(&data.join("ballast"));
        // Until the log of the database wants to grow.
        tokio::time::sleep(Duration::from_secs(4)).await;
        std::fs::remove_file(data.join("ballast")).expect("is there");
    }
    trade.goes_on(12).await;
    let (found, _, store) = trade.end(&stage.location, vec![gateway]).await;
    assert_sound(&found);
    assert!(
        told(&store, "database-away").await >= 1,
        "ops are told of it"
    );
    drop(store);
}

/// Stands in front of a server and drops every third connection that has brought so many bytes: in the middle of an
/// upload.
fn dropping_every_third(server: SocketAddr, after: usize) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (long, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = dropped.clone();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(server) else {
                continue;
            };
            pass_on(&server, &client);
            let (long, dropped) = (long.clone(), counted.clone());
            std::thread::spawn(move || {
                let (mut client, mut server) = (client, server);
                let (mut came, mut chunk) = (0, [0; 1_024]);
                while let Ok(n) = client.read(&mut chunk) {
                    let before = came;
                    came += n;
                    let is_third = before < after
                        && came >= after
                        && long.fetch_add(1, Ordering::SeqCst) % 3 == 2;
                    if is_third {
                        dropped.fetch_add(1, Ordering::SeqCst);
                    }
                    if n == 0 || is_third || server.write_all(&chunk[..n]).is_err() {
                        break;
                    }
                }
                let _ = server.shutdown(std::net::Shutdown::Both);
                let _ = client.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    (address, dropped)
}

async fn every_third_upload_is_cut(url: Option<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = plan(folder.path(), url);
    let cut = Arc::new(std::sync::Mutex::new(None));
    let inside = cut.clone();
    // A login and the requests before the first write bring some four kilobytes.
    let mut stage = super::rig::lay_out_behind(&plan, SETTINGS, &move |server| {
        let (address, dropped) = dropping_every_third(server, 5_500);
        *inside.lock().expect("sound") = Some(dropped);
        address
    })
    .await;
    let Some(dropped) = cut.lock().expect("sound").clone() else {
        left_out(&test_name(), "needs a real sshd; install openssh-server");
        return;
    };
    let gateway = start(&mut stage);
    let trade = Trade::begin(&mut stage);
    while dropped.load(Ordering::SeqCst) < 6 {
        trade.goes_on(1).await;
    }
    let (found, _, _store) = trade.end(&stage.location, vec![gateway]).await;
    assert_sound(&found);
    println!("{} uploads were cut", dropped.load(Ordering::SeqCst));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_third_upload_to_a_partner_is_cut_on_sqlite() {
    every_third_upload_is_cut(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_third_upload_to_a_partner_is_cut_on_postgres() {
    let Some(database) = fresh_database().await else {
        return;
    };
    every_third_upload_is_cut(Some(database.url.clone())).await;
}

async fn the_clock_jumps(url: Option<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = plan(folder.path(), url);
    let mut stage = lay_out(&plan, SETTINGS).await;
    let mut gateway = start(&mut stage);
    let trade = Trade::begin(&mut stage);
    let today = supercargo::domain::clock::Clock::now(&supercargo::service::HouseClock::default());
    // Forwards within the ship windows of the orders, back, and back to before they were written.
    for jump in [Some(9), None, Some(-3), None] {
        trade.goes_on(12).await;
        stage.board.put(0, None);
        gateway.kill();
        gateway.change(|start| {
            start.further = match jump {
                Some(days) => {
                    let then = today + chrono::Duration::days(days);
                    vec![
                        "--now".to_owned(),
                        then.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
                    ]
                }
                None => Vec::new(),
            };
        });
        let endpoints = gateway.start(None);
        stage.board.put(0, endpoints);
    }
    trade.goes_on(12).await;
    let (found, _, store) = trade.end(&stage.location, vec![gateway]).await;
    assert_sound(&found);
    assert!(
        told(&store, "clock-went-back").await >= 1,
        "ops are told of it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_jumps_on_sqlite() {
    the_clock_jumps(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_jumps_on_postgres() {
    let Some(database) = fresh_database().await else {
        return;
    };
    the_clock_jumps(Some(database.url.clone())).await;
}
