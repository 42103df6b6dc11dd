//! How fast: one JSON line for each stage and file (or folder of files).
//!
//! `cargo run --release -p supercargo-x12 --example throughput -- FILE…`
//!
//! Every stage streams from the file, so that `peak_rss_mb` is the reader's own. The stages take
//! turns, seven times over (`TURNS=N` in the environment for another number): `seconds` is the
//! median, `ratio` the median of the time of the `memchr2` pass of the same turn, a bare pass over
//! the same bytes, divided by that of the stage, and `ratio_of_fastest` the same of the fastest turn
//! of each. On a machine that is shared with others the ratios are what can be compared; `cpu_ratio`
//! and `files_per_cpu_s` count the time that the processor was this program's alone (Linux).
//! `STAGE=NAME` runs one stage alone.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;
use supercargo_x12::{
    AckOptions, Address, Delimiters, Envelope, Event, Group, GroupVerdict, Limits, NumberedSet,
    Reader, Release, SchemaRegistry, SetVerdict, TransactionSet, Validator, build_997, number,
    write_interchange,
};

/// An 850 as a program wants it; its texts are those of the set.
#[derive(Debug, Default)]
#[allow(dead_code)]
struct Order<'a> {
    number: &'a str,
    date: Option<NaiveDate>,
    parties: Vec<(&'a str, &'a str)>,
    lines: Vec<Line<'a>>,
    /// Qualifier and number of the items, those of one line after those of the other.
    ids: Vec<(&'a str, &'a str)>,
}

#[derive(Debug, Default)]
#[allow(dead_code)]
struct Line<'a> {
    quantity: Option<Decimal>,
    unit: &'a str,
    price: Option<Decimal>,
    ids: Range<usize>,
}

fn order(set: &TransactionSet) -> Order<'_> {
    let mut order = Order {
        lines: Vec::with_capacity(set.len() / 4),
        ids: Vec::with_capacity(set.len()),
        ..Order::default()
    };
    for segment in set.segments() {
        match segment.id() {
            "BEG" => {
                order.number = segment.element(3);
                order.date = number::parse_d8(segment.element(5));
            }
            "N1" => order.parties.push((segment.element(1), segment.element(4))),
            "PO1" => {
                let first = order.ids.len();
                let pairs = (6..segment.element_count()).step_by(2);
                order
                    .ids
                    .extend(pairs.map(|n| (segment.element(n), segment.element(n + 1))));
                order.lines.push(Line {
                    quantity: number::parse_r(segment.element(2)),
                    unit: segment.element(3),
                    price: number::parse_r(segment.element(4)),
                    ids: first..order.ids.len(),
                });
            }
            _ => {}
        }
    }
    order
}

/// What a stage counted; used so that nothing is optimised away.
#[derive(Default)]
struct Count {
    sets: u64,
    seen: u64,
}

fn memchr2(mut source: File, work: &mut Work<'_>) -> io::Result<Count> {
    let buffer = &mut work.buffer;
    let mut count = Count::default();
    loop {
        match source.read(buffer)? {
            0 => return Ok(count),
            n => {
                count.seen += memchr::memchr2_iter(b'*', b'~', &buffer[..n])
                    .fold(0, |sum, at| sum ^ at as u64)
            }
        }
    }
}

/// What stages keep from file to file.
struct Work<'r> {
    reader: Reader<File>,
    validator: Validator<'r>,
    buffer: Vec<u8>,
}

fn tokenize(source: File, work: &mut Work<'_>) -> io::Result<Count> {
    let reader = &mut work.reader;
    reader.restart(source);
    let mut count = Count::default();
    while let Some(event) = reader.next()? {
        if let Event::Set(set) = event {
            count.sets += 1;
            count.seen += set.len() as u64;
        }
    }
    Ok(count)
}

fn validate(source: File, work: &mut Work<'_>) -> io::Result<Count> {
    let reader = &mut work.reader;
    reader.restart(source);
    let (mut count, mut release) = (Count::default(), Release::R004010);
    while let Some(event) = reader.next()? {
        match event {
            Event::GroupOpened(group) => {
                release = Release::of_version(&group.version).unwrap_or(release)
            }
            Event::Set(set) => {
                count.sets += 1;
                count.seen += work.validator.validate(release, set, None).len() as u64;
            }
            _ => {}
        }
    }
    Ok(count)
}

fn typed(source: File, work: &mut Work<'_>) -> io::Result<Count> {
    let reader = &mut work.reader;
    reader.restart(source);
    let mut count = Count::default();
    while let Some(event) = reader.next()? {
        if let Event::Set(set) = event {
            count.sets += 1;
            count.seen += order(set).lines.len() as u64;
        }
    }
    Ok(count)
}

fn acknowledge(source: File, work: &mut Work<'_>) -> io::Result<Count> {
    let reader = &mut work.reader;
    reader.restart(source);
    let mut count = Count::default();
    let mut open: Option<(GroupVerdict, Option<Release>)> = None;
    while let Some(event) = reader.next()? {
        match event {
            Event::GroupOpened(header) => {
                let mut group = GroupVerdict::open(header);
                let release = group.judge_release(None);
                open = Some((group, release));
            }
            Event::Set(set) => {
                count.sets += 1;
                count.seen += order(set).lines.len() as u64;
                if let Some((group, release)) = &mut open {
                    let findings = release
                        .map(|release| work.validator.validate(release, set, None))
                        .unwrap_or_default();
                    group.add(SetVerdict::of(set, findings));
                }
            }
            Event::GroupClosed(closed) => {
                if let Some((mut group, _)) = open.take() {
                    group.close(&closed);
                    count.seen += answer(&group) as u64;
                }
            }
            _ => {}
        }
    }
    Ok(count)
}

/// The bytes of the 997 for a group; how many they are.
fn answer(group: &GroupVerdict) -> usize {
    let Some(set) = build_997(group, &AckOptions::default()) else {
        return 0;
    };
    let (date, time) = (NaiveDate::default(), chrono::NaiveTime::default());
    let address = |id: &str| Address {
        qualifier: "ZZ".to_owned(),
        id: id.to_owned(),
    };
    let envelope = Envelope {
        sender: address("SELLERCO"),
        receiver: address("BUYERCO"),
        date,
        time,
        version: "00401".to_owned(),
        control_number: 1,
        ack_requested: false,
        usage: 'P',
        delimiters: Delimiters::default(),
        ta1s: Vec::new(),
    };
    let group = Group {
        functional_id: "FA".to_owned(),
        sender: "SELLERCO".to_owned(),
        receiver: "BUYERCO".to_owned(),
        date,
        time,
        control_number: 1,
        version: "004010".to_owned(),
        sets: vec![NumberedSet {
            control_number: "0001".to_owned(),
            set,
        }],
    };
    write_interchange(&envelope, &[group]).map_or(0, |written| written.bytes.len())
}

/// The most memory that the process ever held, in MB; 0 where the system does not say.
fn peak_rss_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1))
        .and_then(|kb| kb.parse::<u64>().ok())
        .unwrap_or(0)
        / 1024
}

/// Nanoseconds for which a processor ran this thread; none where the system does not say.
fn cpu_nanos() -> Option<u128> {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    said.split_whitespace().next()?.parse().ok()
}

fn files_of(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(path)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    Ok(files)
}

/// How often each stage runs.
fn turns() -> usize {
    let asked = std::env::var("TURNS")
        .ok()
        .and_then(|turns| turns.parse().ok());
    asked.filter(|turns| *turns > 0).unwrap_or(7)
}

type Stage = fn(File, &mut Work<'_>) -> io::Result<Count>;

/// Every stage over all the files, again and again in turn.
fn measure(stages: &[(&str, Stage)], path: &Path) -> io::Result<()> {
    let files = files_of(path)?;
    let lengths = files
        .iter()
        .map(|file| std::fs::metadata(file).map(|meta| meta.len()));
    let bytes = lengths.sum::<io::Result<u64>>()?;
    let Some(first) = files.first() else {
        return Ok(());
    };
    let mut work = Work {
        reader: Reader::new(File::open(first)?),
        validator: Validator::new(SchemaRegistry::standard(), Limits::default()),
        buffer: vec![0u8; 64 << 10],
    };
    let turns = turns();
    let mut nanos = vec![Vec::with_capacity(turns); stages.len()];
    let mut cpu = nanos.clone();
    let mut sets = vec![0; stages.len()];
    for _ in 0..turns {
        for (at, (_, stage)) in stages.iter().enumerate() {
            let (start, cpu_start) = (Instant::now(), cpu_nanos());
            let mut count = Count::default();
            for file in &files {
                let one = stage(File::open(file)?, &mut work)?;
                count.sets += one.sets;
                count.seen = count.seen.wrapping_add(one.seen);
            }
            nanos[at].push(start.elapsed().as_nanos().max(1));
            if let Some((from, to)) = cpu_start.zip(cpu_nanos()) {
                cpu[at].push((to - from).max(1));
            }
            sets[at] = count.sets;
            std::hint::black_box(count.seen);
        }
    }
    // Processor time is counted in steps of some milliseconds: of shorter turns it says nothing.
    let is_counted = |at: usize| cpu[at].len() == turns && median(cpu[at].clone()) > 40_000_000;
    for (at, (name, _)) in stages.iter().enumerate() {
        let seconds = median(nanos[at].clone());
        let per_second = |n: u64| u128::from(n) * 1_000_000_000 / seconds;
        let mut line = serde_json::json!({
            "file": path.display().to_string(),
            "stage": name,
            "bytes": bytes,
            "seconds": decimal(seconds / 1000, 6),
            "mb_per_s": (per_second(bytes) / 1_000_000) as u64,
            "sets_per_s": per_second(sets[at]) as u64,
            "peak_rss_mb": peak_rss_mb(),
        });
        if stages[0].0 == "memchr2" {
            let ratio = |nanos: &[Vec<u128>]| {
                let pairs = nanos[0].iter().zip(&nanos[at]);
                decimal(
                    median(pairs.map(|(pass, stage)| pass * 100 / stage).collect()),
                    2,
                )
            };
            line["ratio"] = ratio(&nanos).into();
            if is_counted(at) && is_counted(0) {
                line["cpu_ratio"] = ratio(&cpu).into();
            }
            let fastest = |at: usize| nanos[at].iter().copied().min().unwrap_or(1);
            line["ratio_of_fastest"] = decimal(fastest(0) * 100 / fastest(at), 2).into();
        }
        if files.len() > 1 {
            let files = files.len() as u64;
            line["files_per_s"] = (per_second(files) as u64).into();
            if is_counted(at) {
                let rate = u128::from(files) * 1_000_000_000 / median(cpu[at].clone());
                line["files_per_cpu_s"] = (rate as u64).into();
            }
        }
        println!("{line}");
    }
    Ok(())
}

fn median(mut all: Vec<u128>) -> u128 {
    all.sort_unstable();
    all[all.len() / 2]
}

fn decimal(number: u128, decimals: u32) -> String {
    Decimal::from_i128_with_scale(i128::try_from(number).unwrap_or(0), decimals).to_string()
}

fn main() -> io::Result<()> {
    let mut stages: Vec<(&str, Stage)> = vec![
        ("memchr2", memchr2),
        ("tokenize", tokenize),
        ("validate", validate),
        ("typed", typed),
        ("acknowledge", acknowledge),
    ];
    if let Ok(only) = std::env::var("STAGE") {
        stages.retain(|(name, _)| *name == only);
    }
    for path in std::env::args_os().skip(1).map(PathBuf::from) {
        measure(&stages, &path)?;
    }
    Ok(())
}
