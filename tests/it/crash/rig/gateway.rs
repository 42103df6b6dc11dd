//! The gateway as a process of its own: this very program, started again under a mark, with a line of the path at which
//! it is to die as `kill -9` would kill it.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use supercargo::service::endpoints::{self, Endpoints};
use supercargo::waypoint::{self, Waypoint};

/// The environment variable under which this program is the gateway.
const MARK: &str = "SUPERCARGO_REHEARSED_GATEWAY";

/// What the program that starts again is to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Part {
    arguments: Vec<String>,
    dies_at: Option<DiesAt>,
}

/// Where a gateway dies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiesAt {
    /// The line, as [`Waypoint`] prints it.
    pub line: String,
    /// At which passing, from 1.
    pub passing: usize,
}

static DIES_AT: OnceLock<DiesAt> = OnceLock::new();
static PASSED: AtomicUsize = AtomicUsize::new(0);

fn die_there(here: Waypoint) {
    let Some(dies_at) = DIES_AT.get() else {
        return;
    };
    if here.to_string() != dies_at.line
        || PASSED.fetch_add(1, Ordering::SeqCst) + 1 != dies_at.passing
    {
        return;
    }
    let own = rustix::process::getpid();
    // Nothing is left that could hear of a failure.
    let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
    loop {
        std::thread::park();
    }
}

/// Becomes the gateway where this process was started as one; else nothing.
pub fn become_gateway() -> Option<ExitCode> {
    let part: Part =
        serde_json::from_str(&std::env::var(MARK).ok()?).expect("a part that this program wrote");
    if let Some(dies_at) = part.dies_at {
        DIES_AT.set(dies_at).expect("set once");
        waypoint::watch(die_there);
    }
    let arguments = std::iter::once("supercargo".to_owned()).chain(part.arguments);
    Some(supercargo::cli::run_from(arguments.map(Into::into)))
}

/// How this program starts itself as the gateway.
#[derive(Debug, Clone)]
pub struct Program {
    /// Arguments that lead the program to [`become_gateway`].
    pub leading: Vec<String>,
}

impl Program {
    fn command(&self, arguments: Vec<String>, dies_at: Option<DiesAt>) -> Command {
        let part = Part { arguments, dies_at };
        let own = std::env::current_exe().expect("this program has a path");
        let mut command = Command::new(own);
        command
            .args(&self.leading)
            .env(MARK, serde_json::to_string(&part).expect("plain data"))
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null());
        command
    }
}

/// What every gateway of a rehearsal is started with.
#[derive(Debug, Clone)]
pub struct Start {
    /// This program.
    pub program: Program,
    /// Its settings.
    pub config: PathBuf,
    /// PostgreSQL; none: SQLite in the data folder.
    pub url: Option<String>,
    /// A program, with its arguments, that the gateway runs under; none: by itself.
    pub under: Vec<String>,
    /// Further arguments of `serve`.
    pub further: Vec<String>,
}

/// A gateway, running or dead.
pub struct Gateway {
    /// Its data folder.
    pub data: PathBuf,
    start: Start,
    child: Option<Child>,
}

/// How long a gateway may take to come up on a busy machine before the rehearsal gives up.
const COMES_UP: Duration = Duration::from_secs(120);

impl Gateway {
    /// A gateway that is not running yet.
    pub fn new(data: PathBuf, start: Start) -> Gateway {
        Gateway {
            data,
            start,
            child: None,
        }
    }

    /// Changes what it is started with from the next start on.
    pub fn change(&mut self, change: impl FnOnce(&mut Start)) {
        change(&mut self.start);
    }

    /// Starts it. `None` where it died before it was ready, as it may where it is to die at a line.
    pub fn start(&mut self, dies_at: Option<DiesAt>) -> Option<Endpoints> {
        assert!(self.child.is_none(), "it runs already");
        Endpoints::remove(&self.data);
        let mut arguments: Vec<String> = ["serve", "--data"].map(str::to_owned).to_vec();
        arguments.push(text(&self.data));
        arguments.extend(["--config".to_owned(), text(&self.start.config)]);
        for option in ["--sftp", "--http"] {
            arguments.extend([option.to_owned(), "127.0.0.1:0".to_owned()]);
        }
        if let Some(url) = &self.start.url {
            arguments.extend(["--database-url".to_owned(), url.clone()]);
        }
        arguments.extend(self.start.further.clone());
        let inner = self.start.program.command(arguments, dies_at.clone());
        let mut command = match self.start.under.split_first() {
            None => inner,
            Some((program, leading)) => {
                let mut outer = Command::new(program);
                outer
                    .args(leading)
                    .arg(inner.get_program())
                    .args(inner.get_args());
                for (name, value) in inner.get_envs() {
                    outer.env(name, value.unwrap_or_default());
                }
                outer.stdin(Stdio::null());
                outer
            }
        };
        let log = || {
            let mut options = File::options();
            options.create(true).append(true);
            options
                .open(self.data.join("gateway.log"))
                .expect("a log beside the data")
        };
        let _ = writeln!(log(), "---- started, dies at {dies_at:?}");
        command.stdout(log()).stderr(log());
        self.child = Some(command.spawn().expect("this program starts again"));
        let begun = Instant::now();
        while begun.elapsed() < COMES_UP {
            if let Some(endpoints) = Endpoints::read(&self.data) {
                return Some(endpoints);
            }
            if self.has_died() {
                assert!(
                    dies_at.is_some(),
                    "the gateway ended by itself: {}",
                    self.last_words()
                );
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the gateway does not come up: {}", self.last_words());
    }

    /// Whether it has died; then it is gone and can be started again.
    pub fn has_died(&mut self) -> bool {
        use std::os::unix::process::ExitStatusExt;
        let Some(child) = &mut self.child else {
            return true;
        };
        let Some(status) = child.try_wait().expect("the child can be asked") else {
            return false;
        };
        assert!(
            status.signal() == Some(9) || status.code() == Some(137),
            "the gateway ended by itself ({status}): {}",
            self.last_words()
        );
        self.child = None;
        true
    }

    /// Kills it where it runs under another program, which ends with it.
    pub fn kill_below(&mut self) {
        let endpoints = Endpoints::read(&self.data).expect("it has come up");
        let pid = i32::try_from(endpoints.pid)
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            .expect("a process id");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it runs");
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
    }

    /// Kills it, as a power cut that leaves the page cache whole would. False where it was dead already.
    pub fn kill(&mut self) -> bool {
        let Some(mut child) = self.child.take() else {
            return false;
        };
        // It may die by itself at this very moment.
        let killed = child.kill().is_ok();
        let _ = child.wait();
        killed
    }

    /// Asks it to stop and waits for its end.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let pid = i32::try_from(child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            .expect("a process id");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        let status = child.wait().expect("it ends");
        assert!(
            status.success(),
            "a graceful stop ends well ({status}): {}",
            self.last_words()
        );
    }

    /// The end of its log.
    pub fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.data.join("gateway.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let from = lines.len().saturating_sub(25);
        format!(
            "{}\n{}",
            self.data.join(endpoints::FILE).display(),
            lines.get(from..).unwrap_or_default().join("\n")
        )
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
    }
}

fn text(path: &Path) -> String {
    path.to_str().expect("a plain path").to_owned()
}
