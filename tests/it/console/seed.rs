//! A house with sixty days of trade behind it: three partners, orders at every station of their way, hostile text.
//!
//! Rows are written as the steps of the workflow write them, as far as the console reads them.

use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use rust_decimal::Decimal;
use supercargo::binds;
use supercargo::domain::finding::{Finding, Place, Severity};
use supercargo::domain::ids::{
    CompanyId, DocumentId, InvoiceId, ItemId, OrderId, PartnerId, ShipmentId, WarehouseId,
};
use supercargo::domain::invoice::{Invoice, InvoiceKind, InvoiceLine};
use supercargo::domain::money::{Amount, Currency};
use supercargo::domain::order::{
    AcceptedLine, AskedLine, ItemNumber, Mode, Order, OrderDates, OrderHeader, OrderLine,
    OrderState, Party, Price, Reference, StoreQuantity, UnusedSegment,
};
use supercargo::domain::shared::Shared;
use supercargo::domain::shipment::{Carton, CartonContent, Shipment, ShipmentState};
use supercargo::domain::terms::Terms;
use supercargo::storage::{Class, Connection, Store};

/// Text that would do harm if it were taken for anything but text.
pub const HOSTILE: &str =
    "<script>document.title='owned'</script>\"><img src=x onerror=\"document.title='owned'\">";
/// A purchase order's number that tries the same.
pub const HOSTILE_PO: &str = "PO\"><script>document.title='owned'</script>";

/// What the tests need to know of the house.
pub struct Seeded {
    pub held_order: i64,
    pub hostile_order: i64,
    pub held_document: i64,
    pub rejected_document: i64,
    pub sent_document: i64,
    pub whole_order: i64,
    pub short_invoice: i64,
    pub overdue_invoice: i64,
    pub planned_shipment: i64,
    pub shipped_shipment: i64,
    pub unapplied_payment: i64,
    pub deduction: i64,
    pub hostile_file: i64,
    pub large_file: i64,
}

struct Partner {
    id: i64,
    code: &'static str,
    name: &'static str,
    address: &'static str,
}

const PARTNERS: [Partner; 3] = [
    Partner {
        id: 1,
        code: "bigmart",
        name: "Bigmart Sample Stores",
        address: "BIGMARTSAMPLE",
    },
    Partner {
        id: 2,
        code: "freshway",
        name: "Freshway Sample Grocers",
        address: "FRESHWAYSAMPL",
    },
    Partner {
        id: 3,
        code: "dropmart",
        name: "Dropmart Sample Marketplace",
        address: "DROPMARTSAMPL",
    },
];

const ITEMS: [(&str, &str, &str, i64); 6] = [
    ("HW-1001", "614141100019", "Claw hammer 16 oz", 875),
    ("HW-1002", "614141100026", "Tape measure 25 ft", 420),
    (
        "HW-1003",
        "614141100033",
        "Utility knife with five blades",
        365,
    ),
    ("HW-1004", "614141100040", "Extension cord 25 ft", 1130),
    (
        "FD-2001",
        "614141200016",
        "Tomato passata 700 g, glass",
        189,
    ),
    (
        "FD-2002",
        "614141200023",
        "Olive oil extra virgin 500 ml",
        749,
    ),
];

/// How far an order has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Station {
    Held,
    Rejected,
    Confirmed,
    Planned,
    Shipped,
    Open,
    Paid,
    Short,
}

struct Clerk {
    store: Store,
    connection: Connection,
    now: DateTime<Utc>,
    document: i64,
    file: i64,
    interchange: i64,
    transmission: i64,
    control: i64,
}

fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

impl Clerk {
    async fn run(&mut self, sql: &str, values: Vec<supercargo::storage::Bind>) {
        self.connection
            .execute(sql, values)
            .await
            .expect("the seed fits the schema");
    }

    async fn content(&mut self, bytes: &[u8], at: DateTime<Utc>) -> String {
        let address = supercargo::storage::content::address(bytes);
        self.run(
            "INSERT INTO content (sha256, size, bytes, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (sha256) DO NOTHING",
            binds![&address.sha256, address.size, bytes.to_vec(), micros(at)],
        )
        .await;
        address.sha256
    }

    async fn file(
        &mut self,
        partner: Option<i64>,
        name: &str,
        bytes: &[u8],
        disposition: &str,
        findings: &[Finding],
        at: DateTime<Utc>,
    ) -> i64 {
        let sha256 = self.content(bytes, at).await;
        self.file += 1;
        let id = self.file;
        self.run(
            "INSERT INTO file (id, connection_id, partner_id, name, sha256, size, received_at, received_by, disposition, findings)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            binds![id, partner, None::<i64>, name, sha256, i64::try_from(bytes.len()).unwrap(), micros(at), "mailbox", disposition, json(findings)],
        )
        .await;
        id
    }

    /// An interchange with one set, received. Gives the document.
    #[allow(clippy::too_many_arguments)]
    async fn received(
        &mut self,
        partner: &Partner,
        set: &str,
        body: &[String],
        disposition: &str,
        findings: Vec<Finding>,
        subject: Option<(&str, i64)>,
        reference: &str,
        at: DateTime<Utc>,
    ) -> i64 {
        self.control += 1;
        let control = self.control;
        let (text, offset, size) =
            interchange(partner.address, "SUPERCARGO", set, control, body, at);
        let name = format!("{}_{set}_{control}.edi", partner.code);
        let file = self
            .file(
                Some(partner.id),
                &name,
                text.as_bytes(),
                disposition,
                &[],
                at,
            )
            .await;
        self.interchange += 1;
        self.document += 1;
        let (interchange, document) = (self.interchange, self.document);
        let length = i64::try_from(text.len()).unwrap();
        self.run(
            "INSERT INTO interchange (id, file_id, byte_offset, size, partner_id, profile_version, mode, pair, isa13, header, sha256,
                 disposition, findings, received_at) VALUES ($1, $2, 0, $3, $4, 1, 'production', $5, $6, $7, '', $8, '[]', $9)",
            binds![interchange, file, length, partner.id, partner.code, format!("{control:09}"), header_of(&text), disposition, micros(at)],
        )
        .await;
        let application = if disposition == "processed" {
            "accepted"
        } else {
            "pending"
        };
        let findings: Vec<Finding> = findings
            .into_iter()
            .map(|mut finding| {
                if let Some(needle) = finding.value.clone() {
                    finding.place.byte = text.find(&needle).map(|at| at as u64);
                }
                finding
            })
            .collect();
        self.run(
            "INSERT INTO document (id, direction, company_id, partner_id, mode, set_code, file_id, interchange_id, group_ordinal,
                 set_ordinal, isa13, gs06, st02, byte_offset, size, disposition, delivery, syntax, application, subject_kind,
                 subject_id, reference, findings, created_at)
             VALUES ($1, 'in', 1, $2, 'production', $3, $4, $5, 0, 0, $6, $7, '0001', $8, $9, $10, 'none', $11, $12, $13, $14, $15, $16, $17)",
            binds![
                document, partner.id, set, file, interchange, format!("{control:09}"), control.to_string(), offset, size, disposition,
                if set == "997" { "none" } else if disposition == "rejected" { "rejected" } else { "accepted" },
                application, subject.map_or("", |subject| subject.0), subject.map(|subject| subject.1), reference, json(&findings), micros(at)
            ],
        )
        .await;
        if set != "997" {
            let verdict = if disposition == "rejected" { "R" } else { "A" };
            let ack = vec![
                format!("AK1*{}*{control}", functional(set)),
                format!("AK2*{set}*0001"),
                format!("AK5*{verdict}"),
                format!("AK9*{verdict}*1*1*1"),
            ];
            self.sent(
                partner,
                "997",
                &ack,
                "none",
                ("interchange", interchange),
                "",
                at + Duration::minutes(1),
                None,
            )
            .await;
        }
        document
    }

    /// A document of ours, sent in a file of its own.
    #[allow(clippy::too_many_arguments)]
    async fn sent(
        &mut self,
        partner: &Partner,
        set: &str,
        body: &[String],
        syntax: &str,
        subject: (&str, i64),
        reference: &str,
        at: DateTime<Utc>,
        due: Option<DateTime<Utc>>,
    ) -> i64 {
        self.control += 1;
        self.transmission += 1;
        self.document += 1;
        let (control, transmission, document) = (self.control, self.transmission, self.document);
        let (text, offset, size) =
            interchange("SUPERCARGO", partner.address, set, control, body, at);
        let sha256 = self.content(text.as_bytes(), at).await;
        let name = format!("{}_{control:09}.{set}.edi", partner.code);
        self.run(
            "INSERT INTO transmission (id, connection_id, partner_id, mode, isa13, set_code, name, sha256, size, state, created_at,
                 delivered_at, picked_up_at, picked_up_by, attempts)
             VALUES ($1, $2, $2, 'production', $3, $4, $5, $6, $7, 'picked_up', $8, $8, $9, $10, 0)",
            binds![transmission, partner.id, format!("{control:09}"), set, name, sha256, i64::try_from(text.len()).unwrap(), micros(at), micros(at + Duration::minutes(4)), partner.code],
        )
        .await;
        let answered =
            (!matches!(syntax, "pending" | "none")).then(|| micros(at + Duration::minutes(25)));
        self.run(
            "INSERT INTO document (id, direction, company_id, partner_id, mode, set_code, transmission_id, group_ordinal, set_ordinal,
                 isa13, gs06, st02, byte_offset, size, disposition, delivery, syntax, application, subject_kind, subject_id, reference,
                 findings, created_at, sent_at, answer_due_at, answered_at)
             VALUES ($1, 'out', 1, $2, 'production', $3, $4, 0, 0, $5, $6, '0001', $7, $8, 'processed', 'picked_up', $9, 'none', $10, $11,
                 $12, '[]', $13, $13, $14, $15)",
            binds![
                document, partner.id, set, transmission, format!("{control:09}"), control.to_string(), offset, size, syntax, subject.0,
                subject.1, reference, micros(at), due.map(micros), answered
            ],
        )
        .await;
        document
    }

    async fn audit(
        &mut self,
        kind: &str,
        id: i64,
        actor: &str,
        action: &str,
        detail: &str,
        at: DateTime<Utc>,
    ) {
        let next = self.connection.identity("audit").await.expect("numbers");
        self.run(
            "INSERT INTO audit (id, at, actor, action, subject_kind, subject_id, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            binds![next, micros(at), actor, action, kind, id, detail],
        )
        .await;
    }
}

/// The header of an interchange as it is stored.
fn header_of(text: &str) -> String {
    let mut reader = supercargo_x12::Reader::new(text.as_bytes());
    while let Ok(Some(event)) = reader.next() {
        if let supercargo_x12::Event::InterchangeOpened(header, _) = event {
            return serde_json::to_string(header).expect("a header is written");
        }
    }
    panic!("no interchange in {text}");
}

fn functional(set: &str) -> &'static str {
    match set {
        "850" => "PO",
        "855" => "PR",
        "856" => "SH",
        "810" => "IN",
        "820" => "RA",
        _ => "FA",
    }
}

fn json(findings: &[Finding]) -> String {
    serde_json::to_string(findings).expect("findings are written")
}

/// An interchange of one set: its text, where its ST begins, and how long the set is.
fn interchange(
    from: &str,
    to: &str,
    set: &str,
    control: i64,
    body: &[String],
    at: DateTime<Utc>,
) -> (String, i64, i64) {
    let isa = format!(
        "ISA*00*          *00*          *ZZ*{from:<15}*ZZ*{to:<15}*{}*{}*U*00401*{control:09}*0*P*>~\n",
        at.format("%y%m%d"),
        at.format("%H%M")
    );
    let gs = format!(
        "GS*{}*{from}*{to}*{}*{}*{control}*X*004010~\n",
        functional(set),
        at.format("%Y%m%d"),
        at.format("%H%M")
    );
    let mut st = format!("ST*{set}*0001~\n");
    for segment in body {
        st.push_str(segment);
        st.push_str("~\n");
    }
    st.push_str(&format!("SE*{}*0001~\n", body.len() + 2));
    let offset = isa.len() + gs.len();
    let size = st.len();
    (
        format!("{isa}{gs}{st}GE*1*{control}~\nIEA*1*{control:09}~\n"),
        i64::try_from(offset).unwrap(),
        i64::try_from(size).unwrap(),
    )
}

/// Fills an empty store.
pub async fn seed(store: &Store, now: DateTime<Utc>) -> Seeded {
    let mut clerk = Clerk {
        store: store.clone(),
        connection: store.read().await.expect("the store opens"),
        now,
        document: 0,
        file: 0,
        interchange: 0,
        transmission: 0,
        control: 100,
    };
    house(&mut clerk).await;
    let stories: [(i64, Station, usize); 16] = [
        (58, Station::Paid, 0),
        (55, Station::Short, 1),
        (52, Station::Open, 0),
        (47, Station::Paid, 2),
        (41, Station::Open, 1),
        (36, Station::Paid, 0),
        (30, Station::Short, 0),
        (26, Station::Open, 2),
        (21, Station::Open, 0),
        (15, Station::Shipped, 1),
        (11, Station::Open, 0),
        (8, Station::Planned, 0),
        (6, Station::Rejected, 2),
        (4, Station::Confirmed, 1),
        (2, Station::Held, 0),
        (1, Station::Held, 2),
    ];
    let mut seeded = Seeded {
        held_order: 0,
        hostile_order: 0,
        held_document: 0,
        rejected_document: 0,
        sent_document: 0,
        whole_order: 1,
        short_invoice: 0,
        overdue_invoice: 0,
        planned_shipment: 0,
        shipped_shipment: 0,
        unapplied_payment: 0,
        deduction: 1,
        hostile_file: 0,
        large_file: 0,
    };
    for (place, (age, station, partner)) in (1_i64..).zip(stories) {
        story(
            &mut clerk,
            &mut seeded,
            place,
            age,
            station,
            &PARTNERS[partner],
        )
        .await;
    }
    troubles(&mut clerk, &mut seeded).await;
    seeded
}

async fn house(clerk: &mut Clerk) {
    clerk
        .run(
            "INSERT INTO company (id, name, body) VALUES (1, 'Supercargo Supply Company', '{}')",
            binds![],
        )
        .await;
    let applied = micros(clerk.now - Duration::days(60));
    for partner in PARTNERS {
        let text = format!(
            "# {}: a sample that does not exist.\npartner = \"{}\"\nname = \"{}\"\ntime_zone = \"America/Chicago\"\n\n[[address]]\nqualifier = \"ZZ\"\nid = \"{}\"\nmode = \"both\"\n\n[connection]\nkind = \"mailbox\"\n\n[acknowledgment]\nsend = \"997\"\nexpect_within_hours = 24\n",
            partner.name, partner.code, partner.name, partner.address
        );
        clerk.run("INSERT INTO partner (id, code, name, kind, status, profile_version) VALUES ($1, $2, $3, 'buyer', 'live', 2)", binds![partner.id, partner.code, partner.name]).await;
        for version in [1_i64, 2] {
            let text = if version == 1 {
                text.replace("24", "48")
            } else {
                text.clone()
            };
            clerk.run("INSERT INTO profile (partner_id, version, text, applied_at, applied_by) VALUES ($1, $2, $3, $4, 'demo')", binds![partner.id, version, text, applied + version]).await;
        }
        let (kind, problem) = if partner.id == 2 {
            (
                "sftp",
                Some("connection refused: edi.freshway.example:22 (3 tries)".to_owned()),
            )
        } else {
            ("mailbox", None)
        };
        clerk.run("INSERT INTO connection (id, name, kind, partner_id, body, active, polled_at, problem) VALUES ($1, $2, $3, $1, $4, 1, $5, $6)",
            binds![partner.id, partner.code, kind, "{\"host\":\"edi.example\",\"port\":22,\"user\":\"supercargo\"}", micros(clerk.now - Duration::minutes(7)), problem]).await;
        clerk.run("INSERT INTO mailbox_login (id, connection_id, kind, secret, created_at) VALUES ($1, $1, 'key', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPL sample', $2)", binds![partner.id, applied]).await;
        clerk.run("INSERT INTO edi_address (id, partner_id, qualifier, isa_id, gs_id, mode) VALUES ($1, $1, 'ZZ', $2, $2, 'production')", binds![partner.id, partner.address]).await;
        clerk.run("INSERT INTO edi_address (id, partner_id, qualifier, isa_id, gs_id, mode) VALUES ($1, $2, 'ZZ', $3, $3, 'test')", binds![partner.id + 10, partner.id, partner.address]).await;
    }
    for (id, code, city) in [(1_i64, "EAST", "Baltimore"), (2, "WEST", "Reno")] {
        let body = format!(
            "{{\"id\":{id},\"code\":\"{code}\",\"name\":\"{city} warehouse\",\"street\":\"1 Dock Road\",\"city\":\"{city}\",\"state\":\"MD\",\"postal_code\":\"21201\",\"country\":\"US\",\"zone\":\"America/New_York\",\"fulfilment\":\"person\",\"carrier\":\"SMPL\"}}"
        );
        clerk
            .run(
                "INSERT INTO warehouse (id, company_id, code, body) VALUES ($1, 1, $2, $3)",
                binds![id, code, body],
            )
            .await;
    }
    for (id, (code, upc, description, _)) in (1_i64..).zip(ITEMS) {
        let body = format!(
            "{{\"id\":{id},\"code\":\"{code}\",\"upc\":\"{upc}\",\"description\":\"{description}\",\"base_unit\":\"EA\",\"case_pack\":\"12\"}}"
        );
        clerk
            .run(
                "INSERT INTO item (id, company_id, code, upc, body) VALUES ($1, 1, $2, $3, $4)",
                binds![id, code, upc, body],
            )
            .await;
        for warehouse in [1_i64, 2] {
            let on_hand = (id * 137 + warehouse * 411) % 900 * 10_000;
            let reserved = if id == 3 {
                on_hand
            } else {
                on_hand / 5 / 10_000 * 10_000
            };
            clerk.run("INSERT INTO stock (item_id, warehouse_id, mode, on_hand, reserved) VALUES ($1, $2, 'production', $3, $4)", binds![id, warehouse, on_hand, reserved]).await;
        }
    }
    let soon = clerk.now.date_naive() + Days::new(9);
    clerk.run("INSERT INTO expected_receipt (warehouse_id, item_id, mode, on_date, quantity, promised) VALUES (1, 3, 'production', $1, 4800000, 0)", binds![soon]).await;
}

fn lines(place: i64, station: Station) -> Vec<OrderLine> {
    (0..3_i64)
        .map(|n| {
            let index = usize::try_from((place + n * 2) % 6).unwrap();
            let (code, upc, description, cents) = ITEMS[index];
            let ordered = Decimal::from(24 * (n + 1) + place);
            let price = Decimal::new(cents, 2);
            let short = n == 1 && place % 4 == 1;
            let decided = !matches!(station, Station::Held | Station::Rejected);
            let backordered = if short && decided {
                Decimal::from(6)
            } else {
                Decimal::ZERO
            };
            let confirmed = if decided {
                ordered - backordered
            } else {
                Decimal::ZERO
            };
            let left = matches!(
                station,
                Station::Shipped | Station::Open | Station::Paid | Station::Short
            );
            let billed = matches!(station, Station::Open | Station::Paid | Station::Short);
            let stores = if place % 2 == 0 {
                Vec::new()
            } else {
                ["0101", "0102", "0103", "0104"]
                    .iter()
                    .zip([
                        ordered - Decimal::from(18),
                        Decimal::from(6),
                        Decimal::from(6),
                        Decimal::from(6),
                    ])
                    .map(|(store, quantity)| StoreQuantity {
                        store: (*store).to_owned(),
                        quantity,
                        delivery: 0,
                    })
                    .collect()
            };
            let asked = AskedLine {
                buyer_line: (n + 1).to_string(),
                ordered,
                unit: "EA".into(),
                price: Some(Price {
                    amount: price,
                    basis: "PE".into(),
                }),
                numbers: vec![
                    ItemNumber {
                        qualifier: "UP".into(),
                        value: upc.into(),
                    },
                    ItemNumber {
                        qualifier: "VN".into(),
                        value: code.into(),
                    },
                ],
                description: description.to_uppercase(),
                pack: Some(Decimal::from(12)),
                stores,
                dates: Default::default(),
                references: Vec::new(),
                segment_index: 12,
                byte: 600,
            };
            OrderLine {
                line: u32::try_from(n).unwrap() + 1,
                asked: asked.into(),
                charges: Vec::new(),
                accepted: Some(Shared::from(AcceptedLine {
                    item: ItemId(i64::try_from(index).unwrap() + 1),
                    item_code: code.into(),
                    base_per_unit: Decimal::ONE,
                    unit_price: price,
                    stated_price: Price {
                        amount: price,
                        basis: "PE".into(),
                    },
                    price_changed: false,
                    case_pack: Some(Decimal::from(12)),
                    grams: 450,
                    upc: upc.into(),
                    description: description.into(),
                })),
                refusal: None,
                confirmed,
                backordered,
                refused: if station == Station::Rejected {
                    ordered
                } else {
                    Decimal::ZERO
                },
                shipped: if left { confirmed } else { Decimal::ZERO },
                invoiced: if billed { confirmed } else { Decimal::ZERO },
                backorder_date: None,
                awaits: Vec::new(),
                set_aside: Vec::new(),
                sources: Vec::new(),
            }
        })
        .collect()
}

fn ship_to() -> Party {
    Party {
        role: "ST".into(),
        name: "BIGMART DC 0900".into(),
        id_qualifier: "92".into(),
        id: "0900".into(),
        street: vec!["900 Distribution Way".into()],
        city: "Columbus".into(),
        state: "OH".into(),
        postal_code: "43004".into(),
        country: "US".into(),
    }
}

fn order(
    place: i64,
    partner: &Partner,
    station: Station,
    po: &str,
    at: DateTime<Utc>,
    document: i64,
) -> Order {
    let date = at.date_naive();
    let state = match station {
        Station::Held => OrderState::Held {
            reasons: vec![
                Finding::business("price-differs", Severity::Hold, "Line 2 orders HW-1004 at 11.90, the price list says 11.30 (5.3% more, tolerance 1%): release it at the buyer's price, or reject it and ask for a corrected order.").on_line(2),
                Finding::business("ship-to-unknown", Severity::Hold, "Store 0977 of line 1 is not in the partner's location list: import it with `location import`, then release.").on_line(1),
            ],
            since: at,
        },
        Station::Rejected => OrderState::Rejected { reason: "The buyer cancelled by phone before we confirmed".into() },
        Station::Confirmed | Station::Planned => OrderState::Confirmed,
        Station::Shipped => OrderState::Shipped,
        _ => OrderState::Invoiced,
    };
    Order {
        id: OrderId(place),
        company: CompanyId(1),
        partner: PartnerId(partner.id),
        mode: if place == 16 {
            Mode::Test
        } else {
            Mode::Production
        },
        revision: 3,
        header: Shared::from(OrderHeader {
            purpose: "00".into(),
            kind: "SA".into(),
            po_number: po.into(),
            release: String::new(),
            po_date: date,
            department: "033".into(),
            vendor_number: "601122".into(),
            currency: Currency::USD,
            dates: OrderDates {
                ship_not_before: Some(date + Days::new(1)),
                ship_no_later: Some(date + Days::new(7)),
                cancel_after: Some(date + Days::new(14)),
                ..OrderDates::default()
            },
            terms: Some(Terms {
                net_days: Some(30),
                discount_percent: Some(Decimal::TWO),
                discount_days: Some(10),
                ..Terms::default()
            }),
            parties: vec![
                ship_to(),
                Party {
                    role: "BY".into(),
                    name: partner.name.to_uppercase(),
                    id_qualifier: "92".into(),
                    id: "0900".into(),
                    ..Party::default()
                },
            ],
            contacts: Vec::new(),
            references: vec![Reference {
                qualifier: "MR".into(),
                value: "0033".into(),
                description: String::new(),
            }],
            charges: Vec::new(),
            notes: if place % 3 == 0 {
                vec!["DELIVER TO DOCK 4 ONLY. CALL 30 MINUTES AHEAD.".into()]
            } else {
                Vec::new()
            },
            deliveries: Vec::new(),
            freight: "CC".into(),
            carrier: "SMPL".into(),
            routing: "Sample Freight".into(),
            unused: vec![UnusedSegment {
                index: 9,
                text: "PWK*OL*EM".into(),
            }],
        }),
        lines: lines(place, station),
        state,
        reading: Vec::new(),
        findings: vec![Finding::business(
            "below-minimum",
            Severity::Note,
            "The order is worth less than the usual minimum; accepted as the profile says.",
        )],
        source: DocumentId(document),
        received_at: at,
        answers: 1,
        invoices: 1,
    }
}

fn segments_of(order: &Order) -> Vec<String> {
    let mut out = vec![
        format!(
            "BEG*00*SA*{}**{}",
            order.header.po_number,
            order.header.po_date.format("%Y%m%d")
        ),
        "CUR*BY*USD".into(),
        "REF*DP*033".into(),
        "REF*IA*601122".into(),
        "ITD*01*3*2**10**30*****2% 10 NET 30".into(),
        format!(
            "DTM*038*{}",
            (order.header.po_date + Days::new(7)).format("%Y%m%d")
        ),
        "PWK*OL*EM".into(),
        "N1*ST*BIGMART DC 0900*92*0900".into(),
        "N3*900 DISTRIBUTION WAY".into(),
        "N4*COLUMBUS*OH*43004*US".into(),
    ];
    for line in &order.lines {
        out.push(format!(
            "PO1*{}*{}*EA*{}*PE*UP*{}*VN*{}",
            line.line,
            line.ordered,
            line.price.as_ref().unwrap().amount,
            line.numbers[0].value,
            line.numbers[1].value
        ));
        out.push(format!("PID*F****{}", line.description));
        if !line.stores.is_empty() {
            let shares: Vec<String> = line
                .stores
                .iter()
                .map(|share| format!("{}*{}", share.store, share.quantity))
                .collect();
            out.push(format!("SDQ*EA*92*{}", shares.join("*")));
        }
    }
    out.push("CTT*3".into());
    out
}

async fn story(
    clerk: &mut Clerk,
    seeded: &mut Seeded,
    place: i64,
    age: i64,
    station: Station,
    partner: &Partner,
) {
    let at = clerk.now - Duration::days(age) - Duration::minutes(37);
    let hostile = place == 15;
    let po = if hostile {
        HOSTILE_PO.to_owned()
    } else {
        format!("45000{:05}", 1000 + place)
    };
    let mut order = order(place, partner, station, &po, at, 0);
    if hostile {
        order.header.notes = vec![
            HOSTILE.into(),
            "right to left: \u{202e}txt.exe and NUL: \0 end".into(),
        ];
        order.lines[0].accepted.as_mut().unwrap().description = HOSTILE.into();
        order.header.parties[0].name = "שלום <b>bold</b>".into();
        order.header.unused = vec![UnusedSegment {
            index: 9,
            text: format!("NTE*GEN*{HOSTILE}"),
        }];
    }
    let document = clerk
        .received(
            partner,
            "850",
            &segments_of(&order),
            "processed",
            Vec::new(),
            Some(("order", place)),
            &po,
            at,
        )
        .await;
    order.source = DocumentId(document);
    let added = order.clone();
    clerk
        .store
        .write(Class::Ordinary, move |connection| {
            let added = vec![added.clone()];
            Box::pin(async move { connection.add_orders(added).await })
        })
        .await
        .expect("orders");
    match station {
        Station::Held => {
            seeded.held_order = if hostile { seeded.held_order } else { place };
            if hostile {
                seeded.hostile_order = place;
            }
            clerk
                .audit(
                    "order",
                    place,
                    "supercargo",
                    "order held",
                    "price-differs, ship-to-unknown",
                    at,
                )
                .await;
            return;
        }
        Station::Rejected => {
            clerk
                .audit(
                    "order",
                    place,
                    "ada",
                    "order rejected",
                    "The buyer cancelled by phone before we confirmed",
                    at + Duration::hours(2),
                )
                .await;
        }
        _ => {}
    }
    let response: Vec<String> = std::iter::once(format!("BAK*00*AC*{po}*{}", at.format("%Y%m%d")))
        .chain(order.lines.iter().map(|line| {
            format!(
                "PO1*{}*{}*EA*{}*PE*UP*{}",
                line.line,
                line.ordered,
                line.price.as_ref().unwrap().amount,
                line.numbers[0].value
            )
        }))
        .chain(["CTT*3".to_owned()])
        .collect();
    let pending = age < 9;
    let due = at + Duration::hours(26);
    clerk
        .sent(
            partner,
            "855",
            &response,
            if pending { "pending" } else { "accepted" },
            ("order", place),
            &po,
            at + Duration::hours(1),
            pending.then_some(due),
        )
        .await;
    if matches!(station, Station::Confirmed | Station::Rejected) {
        return;
    }
    goods(clerk, seeded, &order, place, station, partner, at).await;
    if matches!(station, Station::Open | Station::Paid | Station::Short) {
        money(clerk, seeded, &order, place, station, partner, at).await;
    }
}

async fn goods(
    clerk: &mut Clerk,
    seeded: &mut Seeded,
    order: &Order,
    place: i64,
    station: Station,
    partner: &Partner,
    at: DateTime<Utc>,
) {
    let left = at + Duration::days(2);
    let planned = station == Station::Planned;
    let cartons = order
        .lines
        .iter()
        .map(|line| Carton {
            sscc: format!("00061414100000{:04}", place * 10 + i64::from(line.line)).into(),
            store: if line.stores.is_empty() {
                Default::default()
            } else {
                "0101".into()
            },
            contents: vec![CartonContent {
                order: OrderId(place),
                po_number: order.header.po_number.clone(),
                line: line.line,
                item: line.accepted.as_ref().unwrap().item_code.clone(),
                quantity: line.confirmed,
                unit: "EA".into(),
                delivery: 0,
            }]
            .into(),
            grams: 12_400,
            tracking: Default::default(),
            pallet: Default::default(),
        })
        .collect();
    let mut shipment = Shipment {
        id: ShipmentId(place),
        company: CompanyId(1),
        partner: PartnerId(partner.id),
        mode: Mode::Production,
        warehouse: WarehouseId(1 + place % 2),
        warehouse_code: "EAST".into(),
        ship_to: ship_to(),
        cartons,
        carrier: "SMPL".into(),
        tracking: if planned {
            String::new()
        } else {
            format!("PRO{place:07}")
        },
        bill_of_lading: format!("0614141{place:010}"),
        not_before: Some(at.date_naive() + Days::new(1)),
        not_after: Some(at.date_naive() + Days::new(7)),
        expected_delivery: Some(left.date_naive() + Days::new(3)),
        window_override: None,
        state: ShipmentState::Planned,
        revision: 1,
    };
    if planned {
        seeded.planned_shipment = place;
    } else {
        seeded.shipped_shipment = place;
        shipment.state = ShipmentState::Shipped { at: left };
    }
    clerk
        .store
        .write(Class::Ordinary, move |connection| {
            let added = vec![shipment.clone()];
            Box::pin(async move { connection.add_shipments(added, at).await })
        })
        .await
        .expect("shipments");
    if !planned {
        clerk
            .run(
                "UPDATE shipment SET shipped_at = $2 WHERE id = $1",
                binds![place, micros(left)],
            )
            .await;
        let body = vec![
            format!("BSN*00*{place}*{}*1200*0001", left.format("%Y%m%d")),
            "HL*1**S".into(),
            "TD1*CTN25*3****G*27.3*LB".into(),
            "REF*BM*0614141".into(),
            "HL*2*1*O".into(),
            format!("PRF*{}", order.header.po_number),
            "CTT*2".into(),
        ];
        let syntax = if place == 10 { "rejected" } else { "accepted" };
        let id = clerk
            .sent(
                partner,
                "856",
                &body,
                syntax,
                ("shipment", place),
                &format!("{place}"),
                left,
                None,
            )
            .await;
        if place == 10 {
            seeded.rejected_document = id;
            let finding = Finding {
                place: Place {
                    segment: Some("TD1".into()),
                    element: Some(7),
                    segment_index: Some(4),
                    ..Place::default()
                },
                ..Finding::business(
                    "partner-rejected",
                    Severity::Reject,
                    "The partner's 997 rejects TD107: unit LB is not allowed here (code 7). Set the unit of weight in the profile and send it again.",
                )
            };
            clerk
                .run(
                    "UPDATE document SET findings = $2 WHERE id = $1",
                    binds![id, json(&[finding])],
                )
                .await;
        }
    }
}

async fn money(
    clerk: &mut Clerk,
    seeded: &mut Seeded,
    order: &Order,
    place: i64,
    station: Station,
    partner: &Partner,
    at: DateTime<Utc>,
) {
    let issued = at + Duration::days(2) + Duration::hours(1);
    let invoice_lines: Vec<InvoiceLine> = order
        .lines
        .iter()
        .map(|line| {
            let accepted = line.accepted.as_ref().unwrap();
            InvoiceLine {
                order_line: line.line,
                buyer_line: line.buyer_line.clone(),
                item: accepted.item_code.clone(),
                numbers: line.numbers.clone(),
                description: accepted.description.clone(),
                quantity: line.invoiced,
                unit: "EA".into(),
                price: accepted.stated_price.clone(),
                unit_price: accepted.unit_price,
                extension: Amount::from_decimal(accepted.unit_price * line.invoiced, Currency::USD)
                    .unwrap(),
                charges: Vec::new(),
            }
        })
        .collect();
    let total = Amount::sum(invoice_lines.iter().map(|line| line.extension)).unwrap();
    let number = format!("INV{:06}", 10_000 + place);
    let due: NaiveDate = issued.date_naive() + Days::new(30);
    let invoice = Invoice {
        id: InvoiceId(place),
        number: number.clone(),
        kind: InvoiceKind::Invoice,
        company: CompanyId(1),
        partner: PartnerId(partner.id),
        mode: Mode::Production,
        order: OrderId(place),
        po_number: order.header.po_number.clone(),
        po_date: order.header.po_date,
        shipments: vec![ShipmentId(place)],
        bill_of_lading: format!("0614141{place:010}"),
        carrier: "SMPL".into(),
        store: String::new(),
        date: issued.date_naive(),
        shipped_on: issued.date_naive(),
        due,
        discount_until: Some(issued.date_naive() + Days::new(10)),
        discount: Amount(total.0 / 50),
        terms: order.header.terms.clone().unwrap(),
        currency: Currency::USD,
        lines: invoice_lines,
        charges: Vec::new(),
        total,
        parties: Vec::new(),
        references: Vec::new(),
    };
    clerk
        .connection
        .add_invoices(&[invoice], issued)
        .await
        .expect("invoices");
    let body = vec![
        format!(
            "BIG*{}*{number}*{}*{}",
            issued.format("%Y%m%d"),
            order.header.po_date.format("%Y%m%d"),
            order.header.po_number
        ),
        format!("TDS*{}", total.0),
        "CTT*3".into(),
    ];
    let late = place == 11;
    seeded.sent_document = clerk
        .sent(
            partner,
            "810",
            &body,
            if late { "pending" } else { "accepted" },
            ("invoice", place),
            &number,
            issued,
            late.then_some(issued + Duration::hours(24)),
        )
        .await;
    if station == Station::Open {
        if due < clerk.now.date_naive() {
            seeded.overdue_invoice = place;
        }
        return;
    }
    let taken = if station == Station::Short {
        total.0 / 10
    } else {
        0
    };
    let paid = total.0 - taken;
    let when = at + Duration::days(28);
    let remittance = vec![
        format!("BPR*I*{}*C*ACH", Decimal::new(paid, 2)),
        format!("TRN*1*TRACE{place:05}"),
        format!("RMR*IV*{number}**{}", Decimal::new(paid, 2)),
        "ADX*-10*70".into(),
    ];
    let document = clerk
        .received(
            partner,
            "820",
            &remittance,
            "processed",
            Vec::new(),
            Some(("payment", place)),
            &format!("TRACE{place:05}"),
            when,
        )
        .await;
    let body = format!(
        "{{\"reference\":\"TRACE{place:05}\",\"method\":\"ACH\",\"money_moved\":true,\"total\":{paid},\"currency\":\"USD\",\"date\":\"{}\",\"items\":[{{\"qualifier\":\"IV\",\"reference\":\"{number}\",\"paid\":{paid}}}]}}",
        when.date_naive()
    );
    clerk.run("INSERT INTO payment (id, company_id, partner_id, mode, reference, method, amount, currency, date, document_id, status, unapplied, created_at, created_by, body)
        VALUES ($1, 1, $2, 'production', $3, 'ACH', $4, 'USD', $5, $6, 'applied', 0, $7, 'supercargo', $8)",
        binds![place, partner.id, format!("TRACE{place:05}"), paid, when.date_naive(), document, micros(when), body]).await;
    clerk.run("INSERT INTO application (payment_id, invoice_id, paid, discount, written_off, at) VALUES ($1, $1, $2, 0, 0, $3)", binds![place, paid, micros(when)]).await;
    let status = if taken > 0 { "partially_paid" } else { "paid" };
    clerk
        .run(
            "UPDATE invoice SET open = $2, disputed = $2, status = $3 WHERE id = $1",
            binds![place, taken, status],
        )
        .await;
    if taken > 0 {
        seeded.short_invoice = place;
        clerk.run("INSERT INTO deduction (id, company_id, partner_id, mode, payment_id, invoice_id, claimed_reference, taken, amount, currency, reason, reference, status, created_at)
            VALUES ($1, 1, $2, 'production', $1, $1, '', $3, $3, 'USD', '70', $4, 'open', $5)", binds![place, partner.id, taken, format!("CLM{place:05}"), micros(when)]).await;
        seeded.deduction = place;
    }
}

async fn troubles(clerk: &mut Clerk, seeded: &mut Seeded) {
    let now = clerk.now;
    // a set that the guide holds, with its findings at their bytes
    let at = now - Duration::hours(5);
    let body: Vec<String> = [
        "BEG*00*SA*4500009001**20261331",
        "REF*DP*033",
        "DTM*038*20261130",
        "N1*ST*BIGMART DC 0900*92*0977",
        "PO1*1*24*ZZ*8.75*PE*UP*614141100019",
        "PID*F****CLAW HAMMER 16 OZ",
        "PO1*2*-12*EA*4.20*PE*UP*614141100026",
        "CTT*2",
    ]
    .map(String::from)
    .to_vec();
    let place = |segment: &str, index: u32, element: u32| Place {
        segment: Some(segment.into()),
        segment_index: Some(index),
        element: Some(element),
        line: Some(u64::from(index) + 2),
        ..Place::default()
    };
    let findings = vec![
        Finding::business("date-invalid", Severity::Hold, "BEG05 20261331 is no date: there is no month 13. Ask the buyer for the PO date and correct it here.").at(place("BEG", 2, 5)).with_value("20261331"),
        Finding::business("unit-unknown", Severity::Hold, "Line 1 orders in ZZ, and no conversion from ZZ to EA is known. Correct PO103 or add the unit to the item.").at(place("PO1", 6, 3)).with_value("ZZ*8.75"),
        Finding::business("quantity-invalid", Severity::Hold, "Line 2 orders -12: a quantity has to be above zero.").at(place("PO1", 8, 2)).with_value("-12"),
    ];
    seeded.held_document = clerk
        .received(
            &PARTNERS[0],
            "850",
            &body,
            "held",
            findings,
            None,
            "4500009001",
            at,
        )
        .await;
    // a set we rejected
    let body: Vec<String> = ["BEG*00*SA*", "PO1*1*24*EA", "CTT*9"]
        .map(String::from)
        .to_vec();
    let findings = vec![Finding {
        place: place("BEG", 2, 3),
        ..Finding::business(
            "element-missing",
            Severity::Reject,
            "BEG03, the purchase order's number, is missing. The 997 says so (AK403 1); the partner sends the order again.",
        )
    }];
    clerk
        .received(
            &PARTNERS[1],
            "850",
            &body,
            "rejected",
            findings,
            None,
            "",
            now - Duration::hours(30),
        )
        .await;
    // files that are no interchange at all
    let stray =
        format!("From: purchasing\nSubject: please ship {HOSTILE}\n\0\u{202e}drow\u{1b}[31m");
    let finding = Finding::business("no-interchange", Severity::Hold, "The file does not begin with ISA: it is no X12. Ask the sender what it is, then dismiss it.").at(Place { byte: Some(0), ..Place::default() });
    seeded.hostile_file = clerk
        .file(
            Some(3),
            "<img src=x onerror=alert(1)>.txt",
            stray.as_bytes(),
            "held",
            &[finding],
            now - Duration::hours(2),
        )
        .await;
    let many: Vec<String> = (1..=4_000)
        .map(|n| format!("PO1*{n}*12*EA*4.20*PE*UP*614141100026*VN*HW-1002"))
        .collect();
    let large = clerk
        .received(
            &PARTNERS[0],
            "850",
            &many,
            "duplicate",
            vec![],
            None,
            "4500001001",
            now - Duration::hours(9),
        )
        .await;
    let file: Option<(i64,)> = clerk
        .connection
        .row("SELECT file_id FROM document WHERE id = $1", binds![large])
        .await
        .expect("row");
    seeded.large_file = file.expect("the large file").0;
    // a payment that names nothing we know
    clerk.run("INSERT INTO payment (id, company_id, partner_id, mode, reference, method, amount, currency, date, document_id, status, unapplied, created_at, created_by, body)
        VALUES (900, 1, 1, 'production', 'WIRE-7781', 'FWT', 250000, 'USD', $1, NULL, 'unapplied', 250000, $2, 'ada', $3)",
        binds![now.date_naive(), micros(now - Duration::hours(3)), format!("{{\"reference\":\"WIRE-7781\",\"method\":\"FWT\",\"money_moved\":true,\"total\":250000,\"currency\":\"USD\",\"date\":\"{}\",\"items\":[]}}", now.date_naive())]).await;
    seeded.unapplied_payment = 900;
    for (id, kind, subject, subject_id, message) in [
        (
            1_i64,
            "connection-failing",
            "connection",
            2_i64,
            "The connection freshway fails since 3 tries: connection refused by edi.freshway.example:22. Nothing is lost; it is tried again every 5 minutes.",
        ),
        (
            2,
            "acknowledgment-overdue",
            "document",
            seeded.sent_document,
            "Dropmart Sample Marketplace has not answered our 810 INV010011 within 24 hours.",
        ),
        (
            3,
            "document-held",
            "document",
            seeded.held_document,
            "An 850 of Bigmart Sample Stores is held: 3 findings.",
        ),
    ] {
        clerk.run("INSERT INTO alert (id, key, kind, partner_id, subject_kind, subject_id, message, raised_at) VALUES ($1, $2, $3, 1, $4, $5, $6, $7)", binds![id, format!("seed-{id}"), kind, subject, subject_id, message, micros(now - Duration::hours(id))]).await;
        clerk.run("INSERT INTO mail (id, key, recipients, subject, body, created_at, sent_at, attempts, next_at, problem) VALUES ($1, $2, 'ops@example.test', $3, $4, $5, $6, 1, $7, $8)",
            binds![id, format!("seed-{id}"), format!("[supercargo] {kind}"), format!("{message}\n\nhttp://127.0.0.1:8080/documents/{subject_id}\n"), micros(now - Duration::hours(id)),
                (id != 1).then(|| micros(now - Duration::hours(id))), (id == 1).then(|| micros(now + Duration::minutes(8))), (id == 1).then(|| "connection to mail.example:587 timed out".to_owned())]).await;
    }
}
