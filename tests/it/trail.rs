//! One file followed through the log of the real program: each thing done that goes back to it says its number.

use std::path::Path;
use std::process::{Child, Stdio};

use crate::contract::{PROFILE, Program, interchange};
use crate::peers::postgres::fresh_database;
use crate::roles::{order, until};

/// The partner of the contract, trading through a folder: what it is sent is pushed.
const BY_FOLDER: &str = "
[connection]
kind = \"folder\"

[connection.folder]
inbound = \"in\"
outbound = \"out\"
";

/// A gateway with its log; it ends with this value.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has told by then.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(program: &Program, form: &[&str]) -> Served {
    let log = std::fs::File::create(program.data().join("serve.log")).expect("a log");
    let child = program
        .command(&["serve", "--sftp", "127.0.0.1:0", "--http", "127.0.0.1:0"])
        .args(form)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("it starts");
    Served(child)
}

/// The lines of a log that are marked with a file.
pub(crate) fn of_file(log: &str, file: u32) -> Vec<&str> {
    let marks = |line: &&str| {
        line.split([' ', '{', '}'])
            .any(|word| word == format!("file={file}"))
    };
    log.lines().filter(marks).collect()
}

/// Steps and what they were about, of the lines that say that something was done.
pub(crate) fn done<'a>(lines: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let field = |line: &'a str, name: &str| {
        let from = line.split_once(&format!("{name}=\""));
        from.and_then(|(_, rest)| rest.split_once('"'))
            .map_or("", |(value, _)| value)
    };
    lines
        .iter()
        .filter(|line| line.contains(" supercargo::trail: done "))
        .map(|line| (field(line, "step"), field(line, "subject")))
        .collect()
}

/// How often a step was done for something of which this is said.
fn count(done: &[(&str, &str)], step: &str, says: &str) -> usize {
    done.iter()
        .filter(|(is, about)| *is == step && about.contains(says))
        .count()
}

fn drop_file(data: &Path, name: &str, content: &str) {
    let partial = data.join("partial");
    std::fs::write(&partial, content).expect("written");
    std::fs::rename(partial, data.join("in").join(name)).expect("laid there");
}

async fn followed(program: Program) {
    program.furnish();
    let profile = program.data().join("by-folder.toml");
    std::fs::write(&profile, format!("{PROFILE}{BY_FOLDER}")).expect("written");
    let applied = program.input(
        &["partner", "apply", profile.to_str().expect("a plain path")],
        b"",
    );
    assert!(applied.status.success(), "{applied:?}");
    let data = program.data();
    std::fs::create_dir_all(data.join("in")).expect("a folder");
    let _served = serve(&program, &[]);
    let log = || std::fs::read_to_string(data.join("serve.log")).unwrap_or_default();

    drop_file(&data, "one.edi", &order(1, "PO-1"));
    until("the 810 is pushed", || {
        let log = log();
        let lines = of_file(&log, 1);
        (count(&done(&lines), "push", "810") == 1).then_some(())
    });
    let invoices = program.list(&["invoice", "list"]);
    let number = invoices[0]["invoice_number"].as_str().expect("a number");
    let remittance =
        format!("BPR*C*200*C*ACH************20260302~TRN*1*QF-PAY-1~ENT*1~RMR*IV*{number}**200~");
    drop_file(&data, "two.edi", &interchange("RA", 2, "820", &remittance));
    until("the order is paid", || {
        let log = log();
        let lines = of_file(&log, 1);
        (count(&done(&lines), "collect", "paid") == 1).then_some(())
    });

    let whole = log();
    let lines = of_file(&whole, 1);
    let first = done(&lines);
    let steps: Vec<&str> = first.iter().map(|(step, _)| *step).collect();
    assert_eq!(&steps[..2], ["receive", "read"], "{lines:#?}");
    assert_eq!(steps.last(), Some(&"collect"), "{lines:#?}");
    for step in [
        "receive",
        "read",
        "translate",
        "verify",
        "allocate",
        "fulfil",
        "invoice",
    ] {
        assert_eq!(count(&first, step, ""), 1, "{step}: {lines:#?}");
    }
    for set in ["997", "855", "856", "810"] {
        for step in ["deliver", "push"] {
            assert_eq!(
                count(&first, step, &format!("({set} ")),
                1,
                "{set}: {lines:#?}"
            );
        }
    }
    assert!(lines[0].contains("one.edi"), "{}", lines[0]);
    assert_eq!(count(&first, "allocate", "PO-1"), 1, "{lines:#?}");
    let lines = of_file(&whole, 2);
    let second = done(&lines);
    for step in ["receive", "read", "translate"] {
        assert_eq!(count(&second, step, ""), 1, "{step}: {lines:#?}");
    }
    assert_eq!(count(&second, "verify", ""), 0, "{lines:#?}");
    assert!(!whole.contains('\u{1b}'), "no colours in a file");

    // What goes wrong within a piece of work is marked with the file too.
    until(
        "the folder is gone, though a file may still come into it",
        || {
            let _ = std::fs::remove_dir_all(data.join("out"));
            std::fs::write(data.join("out"), "in the way").ok()
        },
    );
    drop_file(&data, "three.edi", &order(3, "PO-3"));
    until("a push fails", || {
        let log = log();
        let lines = of_file(&log, 3);
        lines
            .iter()
            .any(|line| line.contains("push failed") && line.contains("step=\"push\""))
            .then_some(())
    });
}

/// The same as objects: every line of the log is one, with its fields by name.
#[test]
fn one_file_is_followed_through_a_log_of_json() {
    let program = Program::over(None, "SQLite".to_owned());
    program.furnish();
    let data = program.data();
    let profile = data.join("by-folder.toml");
    std::fs::write(&profile, format!("{PROFILE}{BY_FOLDER}")).expect("written");
    program.ends(
        0,
        &["partner", "apply", profile.to_str().expect("a plain path")],
    );
    std::fs::create_dir_all(data.join("in")).expect("a folder");
    // In the way of what is pushed, so that something goes wrong too.
    std::fs::write(data.join("out"), "in the way").expect("written");
    let mut served = serve(&program, &["--log", "json"]);
    drop_file(&data, "one.edi", &order(1, "PO-1"));
    let read = || std::fs::read_to_string(data.join("serve.log")).unwrap_or_default();
    // Pushing goes on beside the other steps: it may fail before they are through.
    until("a push fails, and the order is allocated", || {
        let log = read();
        let all = ["push failed", "\"step\":\"allocate\""];
        all.iter().all(|line| log.contains(line)).then_some(())
    });
    let pid = rustix::process::Pid::from_child(&served.0);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
    assert!(served.0.wait().expect("it ends").success());

    let log = read();
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for line in &lines {
        assert!(
            ["timestamp", "level", "target", "message"]
                .iter()
                .all(|field| line[field].is_string()),
            "{line}"
        );
    }
    let steps: Vec<&str> = lines
        .iter()
        .filter(|line| line["message"] == "done" && line["file"] == 1)
        .filter_map(|line| line["step"].as_str())
        .collect();
    assert_eq!(&steps[..2], ["receive", "read"], "{log}");
    for step in ["translate", "verify", "allocate", "deliver"] {
        assert!(steps.contains(&step), "{step}: {log}");
    }
    assert!(
        lines.iter().any(|line| {
            line["message"] == "push failed"
                && line["level"] == "WARN"
                && line["span"]["file"] == "1"
                && line["span"]["step"] == "push"
        }),
        "{log}"
    );
    assert!(
        lines.iter().any(|line| {
            let said = line["message"].as_str();
            said.is_some_and(|text| text.starts_with("stopping"))
        }),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_is_followed_through_the_log_on_sqlite() {
    followed(Program::over(None, "SQLite".to_owned())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_is_followed_through_the_log_on_postgres() {
    let Some(database) = fresh_database().await else {
        return;
    };
    followed(Program::over(Some(database), "PostgreSQL".to_owned())).await;
}
