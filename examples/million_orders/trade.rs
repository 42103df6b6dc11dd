//! What partners send: 850s of one or two lines, faulty ones among them, and 997s for whatever they got.

use std::fmt::Write;

use chrono::NaiveDate;

/// Items of the catalogue.
pub const ITEMS: u64 = 40;
/// Stores of every partner.
pub const STORES: u64 = 50;
/// What every PO number, reference and file name of the seed begins with. In a copy its zeros are the copy's number, so
/// that no two are the same.
pub const MARK: &str = "QZ000000";

/// The list of items with everybody's prices. The last two are never in stock; the two before them lie in a warehouse of
/// which a person confirms what leaves.
pub fn item_list() -> String {
    let mut csv = "code,upc,vendor_number,buyer_number,description,unit,price\n".to_owned();
    for n in 0..ITEMS {
        let _ = writeln!(
            csv,
            "HW-{n:04},,HW-{n:04},90{n:05},SAMPLE ITEM {n},EA,{}.75",
            3 + n
        );
    }
    csv
}

/// The list of stock.
pub fn stock_list() -> String {
    let mut csv = "warehouse,item,quantity\n".to_owned();
    for n in 0..ITEMS - 2 {
        let warehouse = if n < ITEMS - 4 { "EAST" } else { "WEST" };
        let _ = writeln!(csv, "{warehouse},HW-{n:04},5000000");
    }
    csv
}

/// The list of a partner's stores.
pub fn store_list() -> String {
    let mut csv = "number,name,street,city,state,zip,country\n".to_owned();
    for n in 1..=STORES {
        let _ = writeln!(
            csv,
            "{n:04},STORE {n:04},{n} MAIN STREET,SPRINGFIELD,IL,62701,US"
        );
    }
    csv
}

/// What is the matter with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Sound,
    /// A price that is not ours: it is held.
    OtherPrice,
    /// An item that is never in stock.
    Waiting,
    /// An item of the warehouse of which a person confirms what leaves.
    Planned,
    /// A quantity that is no number: the set is rejected.
    Faulty,
}

/// An interchange's envelope around what it holds: the functional code and the sets, each without ST and SE.
pub fn interchange(
    sender: &str,
    number: u64,
    functional: &str,
    set: &str,
    sets: &[String],
    day: NaiveDate,
) -> Vec<u8> {
    let (date, long) = (day.format("%y%m%d"), day.format("%Y%m%d"));
    let mut text = format!(
        "ISA*00*          *00*          *ZZ*{sender:<15}*ZZ*{:<15}*{date}*1230*U*00401*{number:09}*0*P*>~\
         GS*{functional}*{sender}*SUPERCARGO*{long}*1230*{number}*X*004010~",
        "SUPERCARGO"
    );
    for (n, body) in sets.iter().enumerate() {
        let segments = body.bytes().filter(|byte| *byte == b'~').count() + 2;
        let n = n + 1;
        let _ = write!(text, "ST*{set}*{n:04}~{body}SE*{segments}*{n:04}~");
    }
    let _ = write!(text, "GE*{}*{number}~IEA*1*{number:09}~", sets.len());
    text.into_bytes()
}

/// An 850 without ST and SE.
pub fn order(po: &str, n: u64, kind: Kind, day: NaiveDate) -> String {
    let long = day.format("%Y%m%d");
    let store = 1 + n % STORES;
    let mut text = format!(
        "BEG*00*SA*{po}**{long}~CUR*BY*USD~ITD*01*3*2**10**30*****2 PCT 10 NET 30~DTM*002*{long}~\
         N1*ST*STORE {store:04}*92*{store:04}~N3*{store} MAIN STREET~N4*SPRINGFIELD*IL*62701*US~"
    );
    let first = match kind {
        Kind::Waiting => ITEMS - 1,
        Kind::Planned => ITEMS - 3,
        _ => n % (ITEMS - 4),
    };
    let lines = match kind {
        Kind::Sound => 1 + n % 2,
        _ => 1,
    };
    for line in 0..lines {
        let item = if line == 0 {
            first
        } else {
            (first + 7) % (ITEMS - 4)
        };
        let price = if kind == Kind::OtherPrice { 1 } else { 3 } + item;
        let quantity = match kind {
            Kind::Faulty => "2X".to_owned(),
            _ => (6 + n % 30).to_string(),
        };
        let _ = write!(
            text,
            "PO1*{}*{quantity}*EA*{price}.75*PE*VN*HW-{item:04}*BP*90{item:05}~",
            line + 1
        );
    }
    let _ = write!(text, "CTT*{lines}~");
    text
}

/// A 997 without ST and SE for one of our groups with one set in it.
pub fn acknowledgment(
    functional: &str,
    gs06: &str,
    set: &str,
    st02: &str,
    accepted: bool,
) -> String {
    let (word, taken) = if accepted { ("A", 1) } else { ("R", 0) };
    let fault = if accepted {
        ""
    } else {
        "AK3*BIG*2**8~AK4*1**1~"
    };
    format!("AK1*{functional}*{gs06}~AK2*{set}*{st02}~{fault}AK5*{word}~AK9*{word}*1*1*{taken}~")
}
