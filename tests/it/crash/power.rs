//! A power cut. A kill leaves the page cache whole; here whatever was written and not synced is dropped: the gateway
//! runs under strace, and the database is put together anew from the writes that a completed sync had covered.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::program;
use super::rig::partner::{OwnFile, Wire};
use super::rig::{Plan, SETTINGS, Trade, lay_out};
use crate::peers::{left_out, test_name};

/// A line of the trace that matters here.
#[derive(Debug, Clone)]
enum Event {
    /// Bytes are in the page cache.
    Written {
        file: String,
        at: u64,
        bytes: Vec<u8>,
    },
    /// The file has this length now.
    Cut { file: String, length: u64 },
    /// A sync has begun in this thread.
    SyncBegun { file: String, thread: u32 },
    /// It has ended, and all is well.
    Synced { file: String, thread: u32 },
    /// Something was sent to this port of a client.
    SentTo(u16),
    /// Something came from this port of a client.
    CameFrom(u16),
}

/// `\x2f\x74` and so on, as `strace -xx` writes strings.
fn unhex(text: &str) -> Vec<u8> {
    text.split("\\x")
        .skip(1)
        .filter_map(|digits| u8::from_str_radix(digits.get(..2)?, 16).ok())
        .collect()
}

/// What the descriptor of a call is: `3</path>` or `12<TCP:[127.0.0.1:2022->127.0.0.1:40000]>`.
fn descriptor(arguments: &str) -> Option<String> {
    let inside = arguments.split_once('<')?.1;
    let inside = match inside.split_once(">,").or_else(|| inside.split_once(">)")) {
        Some((inside, _)) => inside,
        None => inside.trim_end().strip_suffix('>').unwrap_or(inside),
    };
    Some(match inside.starts_with("\\x") {
        true => String::from_utf8_lossy(&unhex(inside)).into_owned(),
        false => inside.to_owned(),
    })
}

fn client_port(descriptor: &str) -> Option<u16> {
    let (_, peer) = descriptor.strip_prefix("TCP:[")?.split_once("->")?;
    peer.trim_end_matches(']').rsplit_once(':')?.1.parse().ok()
}

/// Reads a trace of `strace -f -yy -xx`: calls that were interrupted in the list are put together again.
fn events(trace: &Path) -> Vec<Event> {
    let file = std::fs::File::open(trace).expect("strace has written");
    let mut unfinished: HashMap<u32, String> = HashMap::new();
    let mut events = Vec::new();
    for line in BufReader::new(file).lines() {
        let line = line.expect("text");
        let Some((thread, rest)) = line.trim_start().split_once(' ') else {
            continue;
        };
        let (Ok(thread), rest) = (thread.parse::<u32>(), rest.trim_start()) else {
            continue;
        };
        if let Some(begun) = rest.strip_suffix(" <unfinished ...>") {
            note_sync_begun(begun, thread, &mut events);
            unfinished.insert(thread, begun.to_owned());
            continue;
        }
        let whole = match rest
            .strip_prefix("<... ")
            .and_then(|rest| rest.split_once(" resumed>"))
        {
            Some((_, end)) => format!("{}{end}", unfinished.remove(&thread).unwrap_or_default()),
            None => {
                note_sync_begun(rest, thread, &mut events);
                rest.to_owned()
            }
        };
        note(&whole, thread, &mut events);
    }
    events
}

fn note_sync_begun(call: &str, thread: u32, events: &mut Vec<Event>) {
    if let Some((name, arguments)) = call.split_once('(')
        && matches!(name, "fsync" | "fdatasync")
        && let Some(file) = descriptor(arguments)
    {
        events.push(Event::SyncBegun { file, thread });
    }
}

fn note(call: &str, thread: u32, events: &mut Vec<Event>) {
    let (Some((name, arguments)), Some((_, result))) =
        (call.split_once('('), call.rsplit_once(" = "))
    else {
        return;
    };
    let Some(on) = descriptor(arguments) else {
        return;
    };
    let Ok(result) = result.split(' ').next().unwrap_or_default().parse::<i64>() else {
        return;
    };
    let last_argument = || {
        let inside = arguments
            .rsplit_once(')')
            .map_or(arguments, |(inside, _)| inside);
        inside
            .rsplit_once(", ")
            .and_then(|(_, last)| last.parse::<u64>().ok())
    };
    match name {
        "pwrite64" if result > 0 => {
            let text = arguments.split('"').nth(1).unwrap_or_default();
            let mut bytes = unhex(text);
            assert!(
                bytes.len() as i64 >= result,
                "strace has shown all bytes: {on}"
            );
            bytes.truncate(usize::try_from(result).expect("a length"));
            events.push(Event::Written {
                file: on,
                at: last_argument().expect("an offset"),
                bytes,
            });
        }
        "ftruncate" if result == 0 => {
            events.push(Event::Cut {
                file: on,
                length: last_argument().expect("a length"),
            });
        }
        "fsync" | "fdatasync" if result == 0 => events.push(Event::Synced { file: on, thread }),
        "sendto" | "write" | "writev" | "sendmsg" if result > 0 => {
            events.extend(client_port(&on).map(Event::SentTo));
        }
        "recvfrom" | "read" | "readv" | "recvmsg" if result > 0 => {
            events.extend(client_port(&on).map(Event::CameFrom));
        }
        _ => {}
    }
}

/// What a disk holds that keeps only what was synced.
#[derive(Default)]
struct Disk {
    /// By file: writes and cuts in order.
    done: BTreeMap<String, Vec<Event>>,
    /// By file: how many of them are on the disk for good.
    kept: BTreeMap<String, usize>,
    begun: HashMap<u32, usize>,
}

impl Disk {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Written { file, .. } | Event::Cut { file, .. } => {
                self.done
                    .entry(file.clone())
                    .or_default()
                    .push(event.clone());
            }
            Event::SyncBegun { file, thread } => {
                self.begun
                    .insert(*thread, self.done.get(file).map_or(0, Vec::len));
            }
            Event::Synced { file, thread } => {
                let covered = self.begun.remove(thread).expect("a sync that began");
                let kept = self.kept.entry(file.clone()).or_default();
                *kept = (*kept).max(covered);
            }
            Event::SentTo(_) | Event::CameFrom(_) => {}
        }
    }

    /// How much of a file is not on the disk yet.
    fn unsynced(&self) -> usize {
        let all: usize = self.done.values().map(Vec::len).sum();
        all - self.kept.values().sum::<usize>()
    }

    /// Writes a file as the disk has it, onto what it was before.
    fn restore(&self, file: &str, onto: &mut Vec<u8>) {
        let kept = self.kept.get(file).copied().unwrap_or_default();
        for event in self
            .done
            .get(file)
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter()
            .take(kept)
        {
            match event {
                Event::Written { at, bytes, .. } => {
                    let at = usize::try_from(*at).expect("an offset");
                    let end = at + bytes.len();
                    if onto.len() < end {
                        onto.resize(end, 0);
                    }
                    onto[at..end].copy_from_slice(bytes);
                }
                Event::Cut { length, .. } => {
                    onto.resize(usize::try_from(*length).expect("a length"), 0)
                }
                _ => {}
            }
        }
    }
}

/// Where in the trace each name of a file was written to the log for the first time. Names end in `.edi`.
fn first_written(events: &[Event], log: &str) -> HashMap<String, usize> {
    let mut first = HashMap::new();
    for (n, event) in events.iter().enumerate() {
        let Event::Written { file, bytes, .. } = event else {
            continue;
        };
        if file != log {
            continue;
        }
        for (end, _) in bytes
            .iter()
            .enumerate()
            .filter(|(at, byte)| **byte == b'.' && bytes[*at..].starts_with(b".edi"))
        {
            let own = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
            let length = bytes[..end]
                .iter()
                .rev()
                .take_while(|byte| own(byte))
                .count();
            // What stands before a name in a row may look like a part of it.
            for from in end - length..end {
                let name = String::from_utf8_lossy(&bytes[from..end + 4]).into_owned();
                first.entry(name).or_insert(n);
            }
        }
    }
    first
}

/// Checks that what a client was told is on the disk when it is told: for every confirmed upload, the first write to the
/// log that holds its name was covered by a sync before anything was sent to that client again. How many were checked.
fn confirmed_after_sync(events: &[Event], log: &str, files: &[OwnFile], ports: &[u16]) -> usize {
    let first = first_written(events, log);
    let mut disk = Disk::default();
    let counts: Vec<(usize, usize)> = events
        .iter()
        .map(|event| {
            disk.take(event);
            let done = disk.done.get(log).map_or(0, Vec::len);
            (done, disk.kept.get(log).copied().unwrap_or_default())
        })
        .collect();
    let sent = |event: &Event| matches!(event, Event::SentTo(port) if ports.contains(port));
    let came = |event: &Event| matches!(event, Event::CameFrom(port) if ports.contains(port));
    let mut checked = 0;
    for file in files.iter().filter(|file| file.confirmed) {
        let Some(written) = first.get(&file.name).copied() else {
            continue; // confirmed after the cut
        };
        let early = events[..written]
            .iter()
            .rev()
            .take_while(|event| !came(event))
            .any(sent);
        assert!(!early, "{} was answered before it was written", file.name);
        let Some(answered) = (written..events.len()).find(|n| events.get(*n).is_some_and(sent))
        else {
            continue; // confirmed after the cut
        };
        assert!(
            counts[answered].1 >= counts[written].0,
            "{} was confirmed before its log was synced",
            file.name
        );
        checked += 1;
    }
    checked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_loses_nothing_that_was_confirmed() {
    let able = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "true"])
        .stdin(Stdio::null())
        .status();
    if !able.is_ok_and(|status| status.success()) {
        left_out(
            &test_name(),
            "needs strace, and leave to trace; install strace",
        );
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let seed = fastrand::u64(1..1_000_000);
    println!("seed {seed}");
    let plan = Plan {
        seed,
        kills: 1,
        every_line: false,
        nodes: 1,
        url: None,
        folder: folder.path().to_owned(),
        program: program(),
        tells: false,
    };
    let mut stage = lay_out(&plan, SETTINGS).await;
    let (trace, data) = (folder.path().join("trace"), folder.path().join("node-0"));
    let (database, log) = (data.join("supercargo.db"), data.join("supercargo.db-wal"));
    // The house that was laid out closes behind us, and moves its log into the database as it goes.
    while log.exists() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let before: BTreeMap<_, _> = [&database, &log]
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(path).unwrap_or_default()))
        .collect();
    let trace_all = [
        "strace",
        "-f",
        "-yy",
        "-xx",
        "-s",
        "70000",
        "-e",
        "signal=none",
        "-e",
        "trace=pwrite64,ftruncate,fsync,fdatasync,sendto,write,writev,sendmsg,recvfrom,read,readv,recvmsg",
        "-o",
    ];
    let mut gateway = stage.gateways.pop().expect("one node");
    gateway.change(|start| {
        start.under = trace_all.map(str::to_owned).to_vec();
        start.under.push(trace.to_str().expect("plain").to_owned());
    });
    let mut gateway = tokio::task::spawn_blocking(move || {
        let endpoints = gateway.start(None);
        (gateway, endpoints)
    })
    .await
    .map(|(gateway, endpoints)| {
        stage.board.put(0, endpoints);
        gateway
    })
    .expect("starts");
    let trade = Trade::begin(&mut stage);
    trade.goes_on(60).await;
    stage.board.put(0, None);
    gateway.kill_below();

    let events = events(&trace);
    let mut disk = Disk::default();
    for event in &events {
        disk.take(event);
    }
    println!(
        "{} events, {} writes were not synced",
        events.len(),
        disk.unsynced()
    );
    for (path, mut bytes) in before {
        disk.restore(path.to_str().expect("plain"), &mut bytes);
        std::fs::write(&path, bytes).expect("writes");
    }
    // Shared memory does not outlive a power cut.
    let _ = std::fs::remove_file(data.join("supercargo.db-shm"));

    gateway.change(|start| start.under.clear());
    let endpoints = gateway.start(None);
    stage.board.put(0, endpoints);
    trade.goes_on(10).await;
    let (found, partners, _store) = trade.end(&stage.location, vec![gateway]).await;
    assert!(
        found.lost.is_empty() && found.repeated.is_empty() && found.wrong.is_empty(),
        "seed {seed}: {found:#?}"
    );
    let mut checked = 0;
    for partner in &partners {
        if let Wire::Mailbox(client) = &partner.wire {
            let log = log.to_str().expect("plain");
            checked += confirmed_after_sync(&events, log, &partner.sent, &client.ports);
        }
    }
    println!("{checked} confirmations came after their sync");
    assert!(
        checked >= 10,
        "only {checked} uploads were confirmed under the eyes of strace"
    );
}
