//! What the partners order, by chance and from a seed: 850s in each partner's own dialect.

use std::fmt::Write;

use chrono::{Days, NaiveDate};
use fastrand::Rng;

/// Which of the sample partners is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Style {
    /// Store distribution, an invoice for each store; our mailbox.
    Bigmart,
    /// One consumer, one carton; our mailbox.
    Dropmart,
    /// Release 005010, goods of several orders on one shipment; its own server.
    Freshway,
}

impl Style {
    /// Short name of the partner.
    pub fn name(self) -> &'static str {
        match self {
            Style::Bigmart => "bigmart",
            Style::Dropmart => "dropmart",
            Style::Freshway => "freshway",
        }
    }

    fn parties(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Style::Bigmart => (
                "ZZ*BIGMARTSAMPLE  ",
                "ZZ*SUPERCARGO     ",
                "BIGMARTSAMPLE",
                "SUPERCARGO",
            ),
            Style::Dropmart => (
                "ZZ*DROPMARTSAMPLE ",
                "ZZ*SUPERCARGODS   ",
                "DROPMARTSAMPLE",
                "SUPERCARGODS",
            ),
            Style::Freshway => (
                "12*5555550142     ",
                "12*5555550100     ",
                "FRESHWAYSAMPLE",
                "SUPERCARGO",
            ),
        }
    }
}

/// One order, as the buyer knows it.
#[derive(Debug, Clone)]
pub struct Ordered {
    /// The purchase order's number.
    pub po: String,
    /// What was ordered of each item, in the unit of the order.
    pub lines: Vec<(String, i64)>,
    /// Invoices that the profile makes of it when all of it ships.
    pub invoices: usize,
    text: String,
}

/// An interchange of orders.
#[derive(Debug, Clone)]
pub struct OrderFile {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What is in it for the first time.
    pub orders: Vec<Ordered>,
    /// GS06 of its one group.
    pub group: String,
}

/// An item that is in short supply: code, the other numbers of its line, and what there is of it.
pub const SCARCE: (&str, i64) = ("DS-3002", 25);

/// Writes orders of one partner.
pub struct Buyer {
    style: Style,
    chance: Rng,
    today: NaiveDate,
    written: u64,
}

impl Buyer {
    /// A buyer whose orders follow from `seed`.
    pub fn new(style: Style, seed: u64, today: NaiveDate) -> Buyer {
        Buyer {
            style,
            chance: Rng::with_seed(seed),
            today,
            written: 0,
        }
    }

    /// The next orders: up to three in one interchange where the partner does so.
    pub fn next(&mut self, control_number: u32) -> OrderFile {
        let count = match self.style {
            Style::Dropmart => 1,
            _ => self.chance.usize(1..=3),
        };
        let orders = (0..count).map(|_| self.order(1)).collect();
        self.interchange(control_number, orders, 1)
    }

    /// Orders whose file is too large to stand in one row of the database.
    pub fn large(&mut self, control_number: u32) -> OrderFile {
        let orders = (0..4).map(|_| self.order(900)).collect();
        self.interchange(control_number, orders, 1)
    }

    /// An order that was sent before, once more and very often, in a new interchange: none of it may happen again.
    pub fn repeated(&mut self, control_number: u32, order: &Ordered) -> OrderFile {
        let mut file = self.interchange(control_number, vec![order.clone()], 510);
        file.orders.clear();
        file
    }

    fn order(&mut self, descriptions: usize) -> Ordered {
        self.written += 1;
        let day = |n| {
            let day = self.today.checked_add_days(Days::new(n)).expect("a day");
            day.format("%Y%m%d").to_string()
        };
        let (today, soon, last) = (day(0), day(20), day(30));
        let number = self.written;
        match self.style {
            Style::Bigmart => {
                let po = format!("77{number:08}");
                let mut text = format!(
                    "BEG*00*SA*{po}**{today}~CUR*BY*USD~REF*DP*033~REF*IA*601122~REF*MR*0033~\
                     ITD*01*3*2**10**30*****2% 10 NET 30~DTM*037*{today}~DTM*038*{soon}~DTM*001*{last}~\
                     TD5**2*SMPL*M*SAMPLE FREIGHT~N1*BY*BIGMART SAMPLE STORES*92*0900~\
                     N1*ST*BIGMART DC 0900*92*0900~N3*900 DISTRIBUTION WAY~N4*COLUMBUS*OH*43004*US~"
                );
                let goods = [
                    ("HW-1001", "614141100019", "9000101", "8.75", 6),
                    ("HW-1002", "614141100026", "9000102", "4.20", 12),
                    ("HW-1003", "614141100033", "9000103", "19.90", 4),
                ];
                let mut stores = ["0101", "0102", "0103", "0104", "0105"];
                self.chance.shuffle(&mut stores);
                let stores = &stores[..self.chance.usize(1..=3)];
                let mut lines = Vec::new();
                let first = self.chance.usize(..goods.len());
                for n in 0..self.chance.usize(1..=2) {
                    let (code, upc, buyer, price, pack) = goods[(first + n) % goods.len()];
                    let each = pack * self.chance.i64(1..=3);
                    let all = each * i64::try_from(stores.len()).expect("few");
                    write!(
                        text,
                        "PO1*{}*{all}*EA*{price}*PE*UP*{upc}*IN*{buyer}*VN*{code}~",
                        n + 1
                    )
                    .expect("text");
                    for n in 0..descriptions {
                        write!(text, "PID*F****GOODS AS THEY STAND IN THE CATALOGUE, PARAGRAPH {n} OF THEIR DESCRIPTION~").expect("text");
                    }
                    write!(text, "PO4*{pack}*1*EA~SDQ*EA*92").expect("text");
                    for store in stores {
                        write!(text, "*{store}*{each}").expect("text");
                    }
                    text.push('~');
                    lines.push((code.to_owned(), all));
                }
                let sum: i64 = lines.iter().map(|line| line.1).sum();
                write!(text, "CTT*{}*{sum}~", lines.len()).expect("text");
                Ordered {
                    po,
                    lines,
                    invoices: stores.len(),
                    text,
                }
            }
            Style::Dropmart => {
                let po = format!("DM-7{number:06}");
                let mut text = format!(
                    "BEG*00*DS*{po}**{today}~CUR*BY*USD~REF*CO*C-{number:04}~DTM*038*{soon}~DTM*001*{last}~\
                     TD5**2*SMPU*U*GROUND~N1*ST*CONSIGNEE {number}~N3*7 HARBOR STREET~N4*PORTLAND*OR*97201*US~\
                     N1*BT*DROPMART SAMPLE MARKETPLACE*92*DMHQ~"
                );
                let goods = [
                    ("DS-3001", "614141100095", "DMS-0001", "24.50"),
                    ("DS-3003", "614141100118", "DMS-0003", "12.75"),
                    (SCARCE.0, "614141100101", "DMS-0002", "31.00"),
                ];
                let mut lines = Vec::new();
                let first = self.chance.usize(..goods.len());
                for n in 0..self.chance.usize(1..=2) {
                    let (code, upc, buyer, price) = goods[(first + n) % goods.len()];
                    write!(
                        text,
                        "PO1*{}*1*EA*{price}**SK*{buyer}*VN*{code}*UP*{upc}~PID*F****THE GOODS~",
                        n + 1
                    )
                    .expect("text");
                    lines.push((code.to_owned(), 1));
                }
                write!(text, "CTT*{}~", lines.len()).expect("text");
                Ordered {
                    po,
                    lines,
                    invoices: 1,
                    text,
                }
            }
            Style::Freshway => {
                let po = format!("F-{number:06}");
                let (gln, name, city) = [
                    ("0614141550104", "FRESHWAY DC NORTH", "DENVER*CO*80202"),
                    ("0614141550203", "FRESHWAY DC SOUTH", "PUEBLO*CO*81003"),
                ][self.chance.usize(..2)];
                let mut text = format!(
                    "BEG*00*NE*{po}**{today}~REF*IA*V-4410~FOB*CC~DTM*010*{today}~DTM*002*{soon}~\
                     N1*ST*{name}*UL*{gln}~N3*10 ORCHARD ROAD~N4*{city}*US~N1*BT*FRESHWAY SAMPLE GROCERS*UL*0614141550104~"
                );
                let goods = [
                    ("GR-2001", "10614141100054", "550011", "18.60", 12),
                    ("GR-2002", "10614141100061", "550012", "21.12", 24),
                    ("GR-2004", "10614141100085", "550014", "13.08", 12),
                ];
                let mut lines = Vec::new();
                let first = self.chance.usize(..goods.len());
                for n in 0..self.chance.usize(1..=2) {
                    let (code, upc, buyer, price, pack) = goods[(first + n) % goods.len()];
                    let cases = self.chance.i64(1..=6);
                    write!(text, "PO1*{}*{cases}*CA*{price}**UK*{upc}*VN*{code}*IN*{buyer}~PID*F****THE GOODS~PO4*{pack}~", n + 1).expect("text");
                    lines.push((code.to_owned(), cases));
                }
                write!(text, "CTT*{}~", lines.len()).expect("text");
                Ordered {
                    po,
                    lines,
                    invoices: 1,
                    text,
                }
            }
        }
    }

    /// Puts each order `times` times into one interchange.
    fn interchange(&self, control_number: u32, orders: Vec<Ordered>, times: usize) -> OrderFile {
        let (from, to, gs_from, gs_to) = self.style.parties();
        let (six, eight) = (
            self.today.format("%y%m%d").to_string(),
            self.today.format("%Y%m%d").to_string(),
        );
        let (isa12, gs08, isa11) = match self.style {
            Style::Freshway => ("00501", "005010", "^"),
            _ => ("00401", "004010", "U"),
        };
        let mut text = format!(
            "ISA*00*          *00*          *{from}*{to}*{six}*0930*{isa11}*{isa12}*{control_number:09}*0*P*>~\
             GS*PO*{gs_from}*{gs_to}*{eight}*0930*{control_number}*X*{gs08}~"
        );
        let mut sets = 0;
        for order in orders
            .iter()
            .flat_map(|order| std::iter::repeat_n(order, times))
        {
            sets += 1;
            let segments = order.text.matches('~').count() + 2;
            write!(
                text,
                "ST*850*{sets:04}~{}SE*{segments}*{sets:04}~",
                order.text
            )
            .expect("text");
        }
        write!(
            text,
            "GE*{sets}*{control_number}~IEA*1*{control_number:09}~"
        )
        .expect("text");
        let text = match self.style {
            Style::Bigmart => text,
            Style::Dropmart => text.replace('*', "^").replace('~', "~\r\n"),
            Style::Freshway => text.replace('*', "|").replace('~', "\n"),
        };
        OrderFile {
            bytes: text.into_bytes(),
            orders,
            group: control_number.to_string(),
        }
    }
}
