//! A file is a stream: reading, validating and answering it takes the memory of a set and a group, however long it is.
//!
//! The allocator counts what is held. This file is a test of its own, so that nothing else is counted with it.

use chrono::{NaiveDate, NaiveTime};
use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write as _;
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use supercargo_x12::{
    AckOptions, Address, Delimiters, Envelope, Event, Group, GroupVerdict, Limits, NumberedSet,
    Reader, Release, SchemaRegistry, SetVerdict, Validator, build_997, write_interchange,
};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn took(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(live, Relaxed);
}

// SAFETY: every call is the system allocator's own, with the arguments as they came; counting allocates nothing.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both may be there while the bytes move.
        took(size);
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SETS_IN_GROUP: u64 = 100;

/// An interchange of orders in groups of a hundred, made while it is read. One order in ten has faults.
struct Orders {
    ready: Vec<u8>,
    at: usize,
    sets: u64,
    left: u64,
}

impl Orders {
    fn of(megabytes: u64) -> Orders {
        Orders {
            ready: b"ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000001*0*P*>~"
                .to_vec(),
            at: 0,
            sets: 0,
            left: megabytes * 1_000_000,
        }
    }

    /// The next order, with the segments of the envelope around it.
    fn next_order(&mut self) {
        let (n, group) = (self.sets + 1, self.sets / SETS_IN_GROUP + 1);
        let mut text = String::new();
        if self.sets.is_multiple_of(SETS_IN_GROUP) {
            write!(text, "GS*PO*BUYER*SELLER*20260115*1230*{group}*X*004010~").unwrap();
        }
        let mut body =
            format!("BEG*00*SA*PO{n:07}**20260115~REF*DP*045~N1*ST*STORE {n}*92*{n:04}~");
        for line in 1..=40 {
            let unit = if n % 10 == 0 && line % 9 == 0 {
                "NOUNIT"
            } else {
                "EA"
            };
            write!(
                body,
                "PO1*{line}*{}*{unit}*8.5**UP*012345678905*VN*VN-{n}~PID*F****STEEL BRACKET {line} IN~",
                line * 12
            )
            .unwrap();
        }
        body.push_str("CTT*40~");
        let count = body.matches('~').count() + 2;
        write!(text, "ST*850*{n:07}~{body}SE*{count}*{n:07}~").unwrap();
        self.sets += 1;
        self.left = self.left.saturating_sub(text.len() as u64);
        if self.sets.is_multiple_of(SETS_IN_GROUP) || self.left == 0 {
            let in_group = (self.sets - 1) % SETS_IN_GROUP + 1;
            write!(text, "GE*{in_group}*{group}~").unwrap();
        }
        if self.left == 0 {
            write!(text, "IEA*{group}*000000001~").unwrap();
        }
        self.ready = text.into_bytes();
        self.at = 0;
    }
}

impl Read for Orders {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.ready.len() && self.left > 0 {
            self.next_order();
        }
        let size = (self.ready.len() - self.at).min(buffer.len());
        buffer[..size].copy_from_slice(&self.ready[self.at..self.at + size]);
        self.at += size;
        Ok(size)
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Work {
    Read,
    Validate,
    Acknowledge,
}

/// The bytes of the 997 for a group.
fn answer(group: &GroupVerdict) -> Vec<u8> {
    let (date, time) = (NaiveDate::default(), NaiveTime::default());
    let address = |id: &str| Address {
        qualifier: "ZZ".to_owned(),
        id: id.to_owned(),
    };
    let envelope = Envelope {
        sender: address("SELLER"),
        receiver: address("BUYER"),
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
        sender: "SELLER".to_owned(),
        receiver: "BUYER".to_owned(),
        date,
        time,
        control_number: 1,
        version: "004010".to_owned(),
        sets: vec![NumberedSet {
            control_number: "0001".to_owned(),
            set: build_997(group, &AckOptions::default()).unwrap(),
        }],
    };
    write_interchange(&envelope, &[group]).unwrap().bytes
}

/// Works through a file of so many megabytes; the most bytes that were held at once beyond those held before.
fn peak(megabytes: u64, work: Work) -> usize {
    let registry = SchemaRegistry::standard();
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let mut reader = Reader::new(Orders::of(megabytes));
    let mut validator = Validator::new(registry, Limits::default());
    let (mut sets, mut findings, mut answers) = (0, 0, 0);
    let mut open: Option<GroupVerdict> = None;
    while let Some(event) = reader.next().unwrap() {
        match event {
            Event::GroupOpened(header) => open = Some(GroupVerdict::open(header)),
            Event::Set(set) => {
                sets += 1;
                assert_eq!(set.findings(), []);
                if work != Work::Read {
                    let found = validator.validate(Release::R004010, set, None);
                    findings += found.len();
                    if work == Work::Acknowledge
                        && let Some(group) = &mut open
                    {
                        group.add(SetVerdict::of(set, found));
                    }
                }
            }
            Event::GroupClosed(closed) => {
                if let Some(mut group) = open.take()
                    && work == Work::Acknowledge
                {
                    group.close(&closed);
                    answers += answer(&group).len();
                }
            }
            Event::InterchangeClosed(closed) => assert_eq!(closed.findings, []),
            _ => {}
        }
    }
    assert!(reader.position() >= megabytes * 1_000_000);
    let faulty = sets / 10;
    let expected = if work == Work::Read { 0 } else { faulty * 4 };
    assert!(
        findings >= expected && sets > 200,
        "{findings} findings in {sets} sets"
    );
    assert_eq!(answers > 0, work == Work::Acknowledge);
    PEAK.load(Relaxed) - before
}

#[test]
fn memory_does_not_grow_with_the_file() {
    for work in [Work::Read, Work::Validate, Work::Acknowledge] {
        // What is made once for all files is made before.
        peak(1, work);
        let (short, long) = (peak(5, work), peak(50, work));
        println!("{work:?}: {short} bytes for 5 MB, {long} for 50 MB");
        assert!(long < 16 << 20, "{work:?} held {long} bytes");
        assert!(
            long <= short + (64 << 10),
            "{work:?} held {short} bytes for 5 MB and {long} for 50 MB"
        );
    }
}
