//! The peers in Rust beside ours, on the same bytes in memory and on one core; `benches/peers/run` brings in those of
//! other languages.
//!
//! `make DIR [FILE]` writes the files, `measure DIR` prints a JSON line for each library and stage, and `ratios` reads
//! such lines, of this program and of others, and prints how many times faster ours is.

use std::error::Error;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::BufRead;
use std::path::Path;
use std::time::{Duration, Instant};
use supercargo_x12::{
    AckOptions, Event, GroupVerdict, Limits, Reader, Release, SchemaRegistry, SetVerdict,
    TransactionSet, Validator, build_997, number,
};

type Failure = Box<dyn Error>;

/// Every file is cut to so many bytes for peers that would take minutes for all of it.
const PART: usize = 4_000_000;
/// Orders of twenty lines in a file of our own, and what the tests of sameness look for.
const PLAIN: usize = 1000;
const ACKNOWLEDGMENTS: usize = 200;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", folder] => make(Path::new(folder), None),
        ["make", folder, file] => make(Path::new(folder), Some(Path::new(file))),
        ["measure", folder] => measure(Path::new(folder)),
        ["ratios"] => ratios(),
        _ => Err("make DIR [FILE] | measure DIR | ratios".into()),
    }
}

/// `orders.edi`: FILE, or orders of our own. `part.edi`: the first groups of it. `plain.edi`: orders in 005010, for
/// x12-types has the 850 in no earlier release. `997.edi`: acknowledgments, for pyx12 has no map of an 850.
fn make(folder: &Path, file: Option<&Path>) -> Result<(), Failure> {
    let orders = match file {
        Some(file) => std::fs::read(file)?,
        None => self::orders("004010", PLAIN).into_bytes(),
    };
    std::fs::write(folder.join("part.edi"), part(&orders, PART)?)?;
    std::fs::write(folder.join("orders.edi"), orders)?;
    std::fs::write(folder.join("plain.edi"), self::orders("005010", PLAIN))?;
    std::fs::write(folder.join("997.edi"), acknowledgments(ACKNOWLEDGMENTS))?;
    Ok(())
}

/// The ISA of a file and its first groups, until there are so many bytes.
fn part(file: &[u8], most: usize) -> Result<Vec<u8>, Failure> {
    let mut reader = Reader::new(file);
    let (mut part, mut groups, mut end) = (Vec::new(), 0, Vec::new());
    while let Some(event) = reader.next()? {
        let closes_group = matches!(event, Event::GroupClosed(_));
        let closes = match event {
            Event::InterchangeOpened(isa, _) => {
                end = isa.control_number.clone().into_bytes();
                false
            }
            Event::InterchangeClosed(_) => true,
            _ => false,
        };
        if closes {
            break;
        }
        part.extend_from_slice(reader.raw());
        groups += usize::from(closes_group);
        if closes_group && part.len() >= most {
            break;
        }
    }
    if groups == 0 {
        return Err("the file holds no functional group".into());
    }
    let (separator, terminator) = (char::from(part[3]), char::from(part[105]));
    part.extend_from_slice(format!("IEA{separator}{groups}{separator}").as_bytes());
    part.append(&mut end);
    part.extend_from_slice(terminator.to_string().as_bytes());
    Ok(part)
}

/// One interchange of one group, for x12-types reads no more than one.
fn interchange(
    id: &str,
    version: &str,
    sets: usize,
    mut set: impl FnMut(usize) -> String,
) -> String {
    let (isa11, isa12) = match version {
        "004010" => ("U", "00401"),
        _ => ("^", "00501"),
    };
    let mut out = format!(
        "ISA*00*          *00*          *ZZ*BUYERCO        *ZZ*SELLERCO       *260115*1230*{isa11}*{isa12}*000000001*0*P*>~"
    );
    let _ = write!(out, "GS*{id}*BUYERCO*SELLERCO*20260115*1230*1*X*{version}~");
    for n in 1..=sets {
        out.push_str(&set(n));
    }
    let _ = write!(out, "GE*{sets}*1~IEA*1*000000001~");
    out
}

/// Orders of twenty lines, without a fault.
fn orders(version: &str, sets: usize) -> String {
    interchange("PO", version, sets, |n| {
        let mut body = format!(
            "BEG*00*SA*PO{n:09}**20260115~CUR*BY*USD~REF*DP*{:03}~PER*BD*PAT BUYER*TE*5550001234~ITD*01*3*2**10**30~DTM*002*20260201~",
            n % 1000
        );
        for (code, name) in [
            ("BY", "BRASS VALVE SUPPLY CO"),
            ("ST", "MODULAR HINGE SUPPLY CO"),
        ] {
            let _ = write!(
                body,
                "N1*{code}*{name}*92*{n:09}~N3*{n} INDUSTRIAL STREET*SUITE 12~N4*RENO*NV*89501*US~"
            );
        }
        let mut quantities = 0;
        for line in 1..=20 {
            let quantity = (n * 7 + line * 13) % 400 + 1;
            quantities += quantity;
            let _ = write!(
                body,
                "PO1*{line}*{quantity}*EA*{}.{:02}*PE*UP*{:012}*VN*VN-{line:05}~PID*F****STEEL BRACKET {line} IN~PO4*12*1*EA~",
                line * 31 % 900 + 1,
                line * 17 % 90 + 10,
                n * 100 + line
            );
        }
        let _ = write!(body, "CTT*20*{quantities}~");
        let count = body.matches('~').count() + 2;
        format!("ST*850*{n:04}~{body}SE*{count}*{n:04}~")
    })
}

/// 997s that accept a hundred payment orders each, for pyx12 knows no purchase orders.
fn acknowledgments(sets: usize) -> String {
    interchange("FA", "004010", sets, |n| {
        let mut body = format!("AK1*RA*{n}~");
        for set in 1..=100 {
            let _ = write!(body, "AK2*820*{set:04}~AK5*A~");
        }
        body.push_str("AK9*A*100*100*100~");
        let count = body.matches('~').count() + 2;
        format!("ST*997*{n:04}~{body}SE*{count}*{n:04}~")
    })
}

/// A library at one stage: what it does returns the number of things seen, which must be as expected.
struct Runner<'a> {
    library: &'static str,
    expected: usize,
    run: Box<dyn FnMut() -> usize + 'a>,
}

impl<'a> Runner<'a> {
    fn new(library: &'static str, expected: usize, run: impl FnMut() -> usize + 'a) -> Runner<'a> {
        Runner {
            library,
            expected,
            run: Box::new(run),
        }
    }
}

/// Lets the libraries take turns, ours first, so that all of them have their share of what else the machine does.
/// `kb_per_s` is that of the median turn; `hundredths`, a ratio, the median of how many times longer the peer took than
/// ours in the same turn, and `cpu_hundredths` the same of the time for which the processor ran it, for a machine that is
/// shared.
fn race(stage: &str, file: &str, bytes: usize, mut runners: Vec<Runner<'_>>) {
    runners.retain_mut(|runner| {
        let seen = (runner.run)();
        if seen != runner.expected {
            let missing = format!("it read {seen} instead of {}", runner.expected);
            println!(
                "{}",
                serde_json::json!({"stage": stage, "library": runner.library, "file": file, "bytes": bytes, "missing": missing})
            );
        }
        seen == runner.expected
    });
    let mut nanos: Vec<Vec<u128>> = vec![Vec::new(); runners.len()];
    let mut cpu = nanos.clone();
    let begin = Instant::now();
    while nanos.first().is_some_and(|turns| turns.len() < 5)
        || begin.elapsed() < Duration::from_secs(5)
    {
        for ((turns, cpu), runner) in nanos.iter_mut().zip(&mut cpu).zip(&mut runners) {
            // Once for nothing: the garbage of the library before, and its caches, are not this one's.
            black_box((runner.run)());
            let (start, cpu_start) = (Instant::now(), cpu_nanos());
            black_box((runner.run)());
            turns.push(start.elapsed().as_nanos().max(1));
            if let Some((from, to)) = cpu_start.zip(cpu_nanos()) {
                cpu.push((to - from).max(1));
            }
        }
    }
    for (at, (turns, runner)) in nanos.iter().zip(&runners).enumerate() {
        let mut line = serde_json::json!({
            "stage": stage,
            "library": runner.library,
            "file": file,
            "bytes": bytes,
            "kb_per_s": u64::try_from(bytes as u128 * 1_000_000 / median(turns.clone())).unwrap_or(0),
        });
        if runner.library != OURS && runners[0].library == OURS {
            line["hundredths"] = ratio(turns, &nanos[0]).into();
            let is_counted =
                |turns: &Vec<u128>| turns.len() == nanos[0].len() && median(turns.clone()) > LEAST;
            if cpu.iter().all(is_counted) {
                line["cpu_hundredths"] = ratio(&cpu[at], &cpu[0]).into();
            }
        }
        println!("{line}");
    }
}

/// How many times longer the peer took than ours, in hundredths: the median of their turns.
fn ratio(peer: &[u128], ours: &[u128]) -> u64 {
    let turns = peer.iter().zip(ours);
    let ratios = turns.map(|(peer, ours)| peer * 100 / ours).collect();
    u64::try_from(median(ratios)).unwrap_or(0)
}

/// Processor time is counted in steps of some milliseconds: of turns shorter than this it says nothing.
const LEAST: u128 = 40_000_000;

/// Nanoseconds for which a processor ran this thread; none where the system does not say.
fn cpu_nanos() -> Option<u128> {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    said.split_whitespace().next()?.parse().ok()
}

const OURS: &str = "supercargo-x12";

fn median(mut all: Vec<u128>) -> u128 {
    all.sort_unstable();
    all[all.len() / 2]
}

fn measure(folder: &Path) -> Result<(), Failure> {
    let read = |name: &str| std::fs::read_to_string(folder.join(name));
    let (orders, part, plain, acknowledgments) = (
        read("orders.edi")?,
        read("part.edi")?,
        read("plain.edi")?,
        read("997.edi")?,
    );
    let separators = |file: &str| {
        let bytes = file.as_bytes();
        (bytes[105], bytes[3], bytes[104])
    };
    let (terminator, element, component) = separators(&orders);
    let segments = memchr::memchr_iter(terminator, orders.as_bytes()).count();
    let all = sets(&orders, |_, _, _| true);
    let ours = |file: &'_ str| {
        sets(file, |_, _, set| {
            set.segments()
                .map(|segment| segment.element_count())
                .sum::<usize>()
                > 0
        })
    };

    race(
        "tokenize",
        "orders.edi",
        orders.len(),
        vec![
            Runner::new(OURS, all, || ours(&orders)),
            Runner::new("memchr2", segments, || {
                let marks = memchr::memchr2_iter(element, terminator, orders.as_bytes());
                marks
                    .filter(|at| orders.as_bytes()[*at] == terminator)
                    .count()
            }),
            Runner::new("x12-stream-parser", segments, || {
                let delimiters = x12_stream_parser::Delimiters::new(terminator, element, component);
                let parser = x12_stream_parser::Parser::new(orders.as_bytes(), delimiters);
                let read = parser.filter_map(Result::ok);
                read.inspect(|segment| {
                    black_box(segment.elements().count());
                })
                .count()
            }),
            Runner::new("edi", all, || {
                edi::loose_parse(&orders).map_or(0, |document| {
                    let groups = document
                        .interchanges
                        .iter()
                        .flat_map(|interchange| &interchange.functional_groups);
                    groups.map(|group| group.transactions.len()).sum()
                })
            }),
        ],
    );
    // What the peers of other languages are held against: the same files.
    race(
        "tokenize",
        "part.edi",
        part.len(),
        vec![Runner::new(OURS, sets(&part, |_, _, _| true), || {
            ours(&part)
        })],
    );
    race(
        "validate",
        "997.edi",
        acknowledgments.len(),
        vec![Runner::new(OURS, ACKNOWLEDGMENTS, || {
            valid(&acknowledgments)
        })],
    );
    #[cfg_attr(not(feature = "typed"), allow(unused_mut))]
    let mut typed = vec![Runner::new(OURS, PLAIN, || {
        sets(&plain, |_, _, set| lines(set) == 20)
    })];
    #[cfg(feature = "typed")]
    typed.push(Runner::new("x12-types", PLAIN, || {
        use x12_types::util::Parser as _;
        use x12_types::v005010::{_850, Transmission};
        Transmission::<_850>::parse(&plain).map_or(0, |(rest, read)| {
            let groups = read.functional_group.iter().filter(|_| rest.is_empty());
            groups
                .map(|group| {
                    group
                        .segments
                        .iter()
                        .filter(|order| order.loop_po1.len() == 20)
                        .count()
                })
                .sum()
        })
    }));
    race("typed", "plain.edi", plain.len(), typed);
    race(
        "acknowledge",
        "plain.edi",
        plain.len(),
        vec![Runner::new(OURS, 1, || acknowledged(&plain))],
    );
    Ok(())
}

/// Reads a file and counts the sets of which something holds.
fn sets(
    file: &str,
    mut holds: impl FnMut(&mut Option<Release>, &mut Option<GroupVerdict>, &TransactionSet) -> bool,
) -> usize {
    let (mut release, mut group, mut count) = (None, None, 0);
    let mut reader = Reader::new(file.as_bytes());
    while let Ok(Some(event)) = reader.next() {
        match event {
            Event::GroupOpened(header) => {
                release = Release::of_version(&header.version);
                group = Some(GroupVerdict::open(header));
            }
            Event::Set(set) => count += usize::from(holds(&mut release, &mut group, set)),
            _ => {}
        }
    }
    count
}

/// The sets without a finding.
fn valid(file: &str) -> usize {
    let mut validator = Validator::new(SchemaRegistry::standard(), Limits::default());
    sets(file, |release, _, set| {
        let findings = release.map(|release| validator.validate(release, set, None));
        findings.is_some_and(|findings| findings.is_empty())
    })
}

/// Lines of an order, their quantities and prices read.
fn lines(set: &TransactionSet) -> usize {
    let lines = set.segments().filter(|segment| segment.id() == "PO1");
    let read = lines.map(|line| {
        let (quantity, price) = (
            number::parse_r(line.element(2)),
            number::parse_r(line.element(4)),
        );
        (
            quantity,
            line.element(3),
            price,
            line.element(7),
            line.element(9),
        )
    });
    read.filter(|(quantity, ..)| quantity.is_some()).count()
}

/// Reads, types, validates, and builds the 997; how many groups were answered.
fn acknowledged(file: &str) -> usize {
    let mut validator = Validator::new(SchemaRegistry::standard(), Limits::default());
    let (mut answered, mut open) = (0, None);
    let mut reader = Reader::new(file.as_bytes());
    while let Ok(Some(event)) = reader.next() {
        match event {
            Event::GroupOpened(header) => {
                let mut group = GroupVerdict::open(header);
                let release = group.judge_release(None);
                open = Some((group, release));
            }
            Event::Set(set) => {
                if let Some((group, release)) = &mut open {
                    black_box(lines(set));
                    let findings = release.map(|release| validator.validate(release, set, None));
                    group.add(SetVerdict::of(set, findings.unwrap_or_default()));
                }
            }
            Event::GroupClosed(closed) => {
                if let Some((mut group, _)) = open.take() {
                    group.close(&closed);
                    let answer = build_997(&group, &AckOptions::default());
                    answered +=
                        usize::from(answer.is_some_and(|answer| answer.segments.len() > 100));
                }
            }
            _ => {}
        }
    }
    answered
}

/// One line for each peer that was measured or could not be: `ratio` is how many times faster ours is at the same
/// stage with the same file. Peers of other languages take no turns with ours: it is that of the medians.
fn ratios() -> Result<(), Failure> {
    let lines = std::io::stdin()
        .lock()
        .lines()
        .map(|line| Ok(serde_json::from_str(&line?)?));
    let lines: Vec<serde_json::Value> = lines.collect::<Result<_, Failure>>()?;
    for line in lines.iter().filter(|line| line["library"] != OURS) {
        let same = |other: &&serde_json::Value| {
            other["library"] == OURS
                && other["stage"] == line["stage"]
                && other["file"] == line["file"]
        };
        let ours = lines.iter().find(same);
        let mut out = serde_json::json!({"stage": line["stage"], "peer": line["library"], "file": line["file"]});
        match (
            ours.and_then(|ours| ours["kb_per_s"].as_u64()),
            line["kb_per_s"].as_u64(),
        ) {
            (Some(mine), Some(theirs)) if theirs > 0 => {
                let hundredths = line["hundredths"].as_u64().unwrap_or(mine * 100 / theirs);
                out["bytes"] = ours.map_or(0.into(), |ours| ours["bytes"].clone());
                out["peer_mb_per_s"] = decimal(theirs / 10).into();
                out["our_mb_per_s"] = decimal(mine / 10).into();
                out["ratio"] = decimal(hundredths).into();
                if let Some(hundredths) = line["cpu_hundredths"].as_u64() {
                    out["cpu_ratio"] = decimal(hundredths).into();
                }
            }
            _ => out["missing"] = line["missing"].clone(),
        }
        println!("{out}");
    }
    Ok(())
}

/// Hundredths as a decimal.
fn decimal(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
