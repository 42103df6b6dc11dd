//! 850s in any quantity, the same for the same seed: twenty lines more or less out of a catalogue, to one of many
//! stores, with charges, terms, notes, dates and a total, as retailers send them; and the lists that go with them.

use std::fmt::Write;

use chrono::NaiveDate;

/// Items in the catalogue.
pub const ITEMS: u64 = 10_000;
/// Stores of every partner.
pub const STORES: u64 = 500;
/// Lines of an order, at the mean.
const LINES: u64 = 20;

const ADJECTIVES: [&str; 8] = [
    "STEEL",
    "BRASS",
    "HEAVY DUTY",
    "COMPACT",
    "INSULATED",
    "GALVANIZED",
    "PREMIUM",
    "MODULAR",
];
const NOUNS: [&str; 8] = [
    "BRACKET", "VALVE", "COUPLING", "HOSE", "GASKET", "BEARING", "FILTER", "HINGE",
];
const CITIES: [(&str, &str, &str); 6] = [
    ("SPRINGFIELD", "IL", "62701"),
    ("CINCINNATI", "OH", "45202"),
    ("RENO", "NV", "89501"),
    ("DALLAS", "TX", "75201"),
    ("ATLANTA", "GA", "30303"),
    ("MEMPHIS", "TN", "38103"),
];
const CARRIERS: [(&str, &str); 4] = [
    ("UPSN", "GROUND"),
    ("FDEG", "HOME DELIVERY"),
    ("ODFL", "LTL STANDARD"),
    ("SAIA", "LTL EXPEDITED"),
];
const PACKS: [u64; 4] = [6, 12, 24, 48];

/// Numbers that look random and are not (splitmix64).
pub struct Dice(u64);

impl Dice {
    /// The same numbers for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to `n` - 1.
    fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    fn of<T: Copy>(&mut self, things: &[T]) -> T {
        things[usize::try_from(self.below(things.len() as u64)).unwrap_or_default()]
    }
}

struct Item {
    upc: String,
    vendor: String,
    buyer: String,
    description: String,
    cents: u64,
    pack: u64,
}

struct Place {
    number: String,
    name: String,
    street: String,
    city: (&'static str, &'static str, &'static str),
}

/// What can be ordered, and to where.
pub struct Catalogue {
    items: Vec<Item>,
    places: Vec<Place>,
}

fn with_check_digit(eleven: u64) -> String {
    let digits = format!("{eleven:011}");
    let sum: u32 = digits
        .bytes()
        .zip([3, 1].into_iter().cycle())
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

impl Catalogue {
    /// The same catalogue every time.
    pub fn new() -> Self {
        let mut dice = Dice::new(850);
        let items = (0..ITEMS)
            .map(|n| Item {
                upc: with_check_digit(61_414_100_000 + n),
                vendor: format!("VN-{n:05}"),
                buyer: format!("BP{n:07}"),
                description: format!(
                    "{} {} {} {} IN",
                    dice.of(&ADJECTIVES),
                    dice.of(&ADJECTIVES),
                    dice.of(&NOUNS),
                    1 + dice.below(47)
                ),
                cents: 25 + dice.below(49_975),
                pack: dice.of(&PACKS),
            })
            .collect();
        let places = (1..=STORES)
            .map(|n| Place {
                number: format!("{n:04}"),
                name: format!("STORE {n:04}"),
                street: format!("{} {} STREET", 1 + dice.below(9_998), dice.of(&NOUNS)),
                city: dice.of(&CITIES),
            })
            .collect();
        Self { items, places }
    }

    /// The list of items, with everybody's prices. The case is left open, so that an order is packed into mixed cartons,
    /// about as many as it has lines.
    pub fn item_list(&self) -> String {
        let mut csv = "code,upc,vendor_number,buyer_number,description,unit,price\n".to_owned();
        for item in &self.items {
            let _ = writeln!(
                csv,
                "{},{},{},{},{},EA,{}",
                item.vendor,
                item.upc,
                item.vendor,
                item.buyer,
                item.description,
                money(item.cents)
            );
        }
        csv
    }

    /// The list of a partner's stores.
    pub fn store_list(&self) -> String {
        let mut csv = "number,name,street,city,state,zip,country\n".to_owned();
        for place in &self.places {
            let (city, state, zip) = place.city;
            let _ = writeln!(
                csv,
                "{},{},{},{city},{state},{zip},US",
                place.number, place.name, place.street
            );
        }
        csv
    }

    /// Stock enough for everything.
    pub fn stock_list(&self, warehouse: &str) -> String {
        let mut csv = "warehouse,item,quantity\n".to_owned();
        for item in &self.items {
            let _ = writeln!(csv, "{warehouse},{},5000000", item.vendor);
        }
        csv
    }

    /// One interchange of a partner with `orders` 850s in groups of up to a hundred, and how many lines they have.
    pub fn interchange(&self, sender: &str, number: u64, orders: u64, day: NaiveDate) -> Vec<u8> {
        let mut dice = Dice::new(number.wrapping_mul(1_000_003) ^ orders);
        let date = day.format("%y%m%d");
        let long = day.format("%Y%m%d");
        let mut text = format!(
            "ISA*00*          *00*          *ZZ*{sender:<15}*ZZ*{:<15}*{date}*1230*U*00401*{number:09}*0*P*>~",
            "SUPERCARGO"
        );
        let mut done = 0;
        let mut groups = 0;
        while done < orders {
            groups += 1;
            let sets = (orders - done).min(100);
            let group = number * 100 + groups;
            let _ = write!(
                text,
                "GS*PO*{sender}*SUPERCARGO*{long}*1230*{group}*X*004010~"
            );
            for set in 1..=sets {
                let po = format!("PO{number:07}{:05}", done + set);
                self.order(&mut text, &mut dice, set, &po, day);
            }
            let _ = write!(text, "GE*{sets}*{group}~");
            done += sets;
        }
        let _ = write!(text, "IEA*{groups}*{number:09}~");
        text.into_bytes()
    }

    fn order(&self, text: &mut String, dice: &mut Dice, set: u64, po: &str, day: NaiveDate) {
        let from = text.len();
        let long = day.format("%Y%m%d").to_string();
        let wanted = (day + chrono::Days::new(7 + dice.below(20)))
            .format("%Y%m%d")
            .to_string();
        let (carrier, service) = dice.of(&CARRIERS);
        let _ = write!(
            text,
            "ST*850*{set:04}~BEG*00*SA*{po}**{long}~CUR*BY*USD~REF*DP*{:03}~REF*IA*{:06}~\
             PER*BD*PAT BUYER {}*TE*555{:07}*EM*BUYER@EXAMPLE.COM~\
             SAC*A*C310***{}*******02***VOLUME DISCOUNT~\
             ITD*01*3*2**10**30*****2 PCT 10 NET 30~DTM*002*{wanted}~DTM*001*{wanted}~\
             TD5*O*2*{carrier}*M*{service}~N9*ZZ*TERMS~\
             MSG*SHIP COMPLETE. PALLETS MUST NOT EXCEED 60 INCHES. CALL 24 HOURS BEFORE DELIVERY.~",
            dice.below(1_000),
            dice.below(1_000_000),
            dice.below(100),
            dice.below(10_000_000),
            100 + dice.below(900),
        );
        let ship_to = usize::try_from(dice.below(STORES)).unwrap_or_default();
        for (role, at) in [("BY", 0), ("ST", ship_to), ("BT", 0)] {
            if let Some(place) = self.places.get(at) {
                let (city, state, zip) = place.city;
                let _ = write!(
                    text,
                    "N1*{role}*{}*92*{}~N3*{}~N4*{city}*{state}*{zip}*US~",
                    place.name, place.number, place.street
                );
            }
        }
        let lines = LINES - 4 + dice.below(9);
        let (mut quantities, mut total) = (0, 0);
        for line in 1..=lines {
            let at = usize::try_from(dice.below(ITEMS)).unwrap_or_default();
            let Some(item) = self.items.get(at) else {
                continue;
            };
            let quantity = item.pack * (1 + dice.below(19));
            quantities += quantity;
            total += quantity * item.cents;
            let _ = write!(
                text,
                "PO1*{line}*{quantity}*EA*{}*PE*UP*{}*VN*{}*BP*{}~PID*F****{}~PO4*{}*1*EA~",
                money(item.cents),
                item.upc,
                item.vendor,
                item.buyer,
                item.description,
                item.pack
            );
            if dice.below(4) == 0 {
                let _ = write!(
                    text,
                    "SAC*C*D240***{}*******06***FREIGHT~",
                    100 + dice.below(8_900)
                );
            }
            if dice.below(2) == 0 {
                let _ = write!(text, "DTM*002*{wanted}~");
            }
        }
        let _ = write!(text, "CTT*{lines}*{quantities}~AMT*TT*{}~", money(total));
        let segments = text[from..].bytes().filter(|byte| *byte == b'~').count() + 1;
        let _ = write!(text, "SE*{segments}*{set:04}~");
    }
}
