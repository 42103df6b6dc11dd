//! What the tests of this folder share: reading and writing single sets, and one order on its way.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use supercargo::config::profile::Profile;
use supercargo::config::settings::Company;
use supercargo::domain::clock::Instant;
use supercargo::domain::finding::Finding;
use supercargo::domain::ids::{CompanyId, DocumentId, ItemId, OrderId, PartnerId};
use supercargo::domain::order::{AcceptedLine, Mode, Order, OrderLine, OrderState, Price};
use supercargo::domain::shipment::Departures;
use supercargo::translation::purchase_order;
use supercargo_x12::{
    Address, CharacterSet, Delimiters, Envelope, Group, NumberedSet, OutboundSet, Release,
    SchemaRegistry, TransactionSet, check_outbound, functional_id_of, read_set, set_number,
    write_interchange,
};

/// The 850 that most tests begin with.
pub const BIGBOX: &str = include_str!("golden/bigbox-850.edi");

/// Nothing of an order has left.
pub static NOTHING: Departures = Departures::new();

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

/// A profile with these lines; tables and arrays of tables at their end.
pub fn profile(text: &str) -> Profile {
    let whole = format!(
        "partner = \"bigbox\"\nvendor_number = \"987654\"\n{text}\n[[address]]\nid = \"BIGBOX\"\n"
    );
    Profile::parse(&whole).unwrap_or_else(|refusal| panic!("{refusal}\n{whole}"))
}

pub fn company() -> Company {
    Company::default()
}

/// ST to SE, `*` and `~`, line breaks wherever they are.
pub fn set(text: &str) -> TransactionSet {
    read_set(text.as_bytes(), &Delimiters::default(), 0).unwrap()
}

/// The set as text, a segment a line, numbered 0001.
pub fn text(set: &OutboundSet) -> String {
    let address = |id: &str| Address {
        qualifier: "ZZ".into(),
        id: id.into(),
    };
    let moment = day("2026-01-15").and_hms_opt(12, 0, 0).unwrap();
    let envelope = Envelope {
        sender: address("US"),
        receiver: address("THEM"),
        date: moment.date(),
        time: moment.time(),
        version: "00401".into(),
        control_number: 1,
        ack_requested: false,
        usage: 'P',
        delimiters: Delimiters {
            after_terminator: supercargo_x12::AfterTerminator::LF,
            ..Delimiters::default()
        },
        ta1s: Vec::new(),
    };
    let group = Group {
        functional_id: functional_id_of(&set.code).unwrap().into(),
        sender: "US".into(),
        receiver: "THEM".into(),
        date: moment.date(),
        time: moment.time(),
        control_number: 1,
        version: "004010".into(),
        sets: vec![NumberedSet {
            control_number: set_number(1),
            set: set.clone(),
        }],
    };
    let written = write_interchange(&envelope, &[group]).unwrap();
    let place = &written.sets[0];
    String::from_utf8(written.bytes[place.offset..place.offset + place.length].to_vec()).unwrap()
}

/// Compares with a document that was worked out by hand, and has the engine judge it in both releases.
pub fn assert_document(built: Result<OutboundSet, Vec<Finding>>, expected: &str) {
    let built = built.unwrap_or_else(|findings| panic!("refused: {}", codes(&findings).join(", ")));
    let written = text(&built);
    assert!(
        written == expected,
        "built:\n{written}\nexpected:\n{expected}"
    );
    assert_sound(&built);
}

/// The engine finds nothing at all, in both releases.
pub fn assert_sound(built: &OutboundSet) {
    for release in Release::ALL {
        let found = check_outbound(
            SchemaRegistry::standard(),
            release,
            built,
            None,
            &Delimiters::default(),
            CharacterSet::Extended,
        );
        let found = [found.characters, found.content].concat();
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(
            found.is_empty(),
            "{release:?}:\n{}\n{}",
            told.join("\n"),
            text(built)
        );
    }
}

pub fn codes(findings: &[Finding]) -> Vec<&str> {
    findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect()
}

/// An 850 as an order that has just been received.
pub fn order(id: i64, text: &str, profile: &Profile) -> Order {
    let read = purchase_order::read(&set(text), profile)
        .unwrap_or_else(|findings| panic!("no order: {}", codes(&findings).join(", ")));
    Order {
        id: OrderId(id),
        company: CompanyId(1),
        partner: PartnerId(1),
        mode: Mode::Production,
        revision: 1,
        header: read.header.into(),
        lines: read.lines,
        state: OrderState::Received,
        reading: read.findings,
        findings: Vec::new(),
        source: DocumentId(1),
        received_at: instant("2026-01-05T12:00:00Z"),
        answers: 0,
        invoices: 0,
    }
}

/// The order as verification leaves it: every line accepted at the buyer's price.
pub fn verified(mut order: Order) -> Order {
    for line in &mut order.lines {
        let price = line.price.clone().unwrap_or(Price {
            amount: Decimal::ONE,
            basis: String::new(),
        });
        let case = line.unit == "CA";
        let accepted = AcceptedLine {
            item: ItemId(line.line.into()),
            item_code: format!("OUR-{}", line.line),
            base_per_unit: decimal(if case { "24" } else { "1" }),
            unit_price: price.amount,
            stated_price: price,
            price_changed: false,
            case_pack: Some(decimal(if case { "24" } else { "12" })),
            grams: 0,
            upc: String::new(),
            description: String::new(),
        };
        line.accepted = Some(accepted.into());
    }
    order
}

/// A line's parts: confirmed, backordered, refused.
pub fn decide(line: &mut OrderLine, confirmed: &str, backordered: &str, refused: &str) {
    line.confirmed = decimal(confirmed);
    line.backordered = decimal(backordered);
    line.refused = decimal(refused);
}
