//! Bad input: whatever a partner sends ends with a disposition that a person sees and a message to act on, loses
//! nothing, and moves neither order nor stock nor ledger where it should not. On both databases.

use std::collections::BTreeMap;
use std::time::Duration;

use supercargo::config::samples;
use supercargo::domain::ids::{ConnectionId, DocumentId, OrderId, PaymentId};
use supercargo::domain::money::Amount;
use supercargo::storage::StoreLocation;
use supercargo::workflow::lists::ListKind;
use supercargo::workflow::receive::{Upload, UploadSource};
use supercargo::workflow::{documents, lists, orders, partners, payments, receive, run, shipments};

use crate::peers::postgres::fresh_database;
use crate::thread::House;

/// The sample with one line of 24 hammers: interchange 105, order 4500001005.
fn sample() -> &'static str {
    samples::PARTNERS[0].orders[4].text
}

/// The sample under another control number and PO number, with every edit made; each must find its text.
pub fn order(number: u32, edits: &[(&str, &str)]) -> Vec<u8> {
    let mut text = sample()
        .replace("000000105", &format!("{number:09}"))
        .replace("*105*X", &format!("*{number}*X"))
        .replace("GE*1*105", &format!("GE*1*{number}"))
        .replace("4500001005", &po(number));
    for (from, to) in edits {
        assert!(text.contains(from), "{from} is not in the sample");
        text = text.replace(from, to);
    }
    text.into_bytes()
}

pub fn po(number: u32) -> String {
    format!("77{number:06}")
}

/// A remittance of the same partner.
pub fn remittance(number: u32, body: &str) -> Vec<u8> {
    let text = String::from_utf8(order(number, &[("GS*PO*", "GS*RA*")])).unwrap();
    let from = text.find("ST*850").unwrap();
    let to = text.find("GE*1").unwrap();
    let segments = body.matches('~').count() + 2;
    format!(
        "{}ST*820*0001~{body}SE*{segments}*0001~{}",
        &text[..from],
        &text[to..]
    )
    .into_bytes()
}

/// All that can be seen of one received file.
#[derive(Debug, Default)]
struct Seen {
    file: String,
    interchanges: Vec<String>,
    documents: Vec<String>,
    /// Every message of file, interchanges, documents and the orders made from them.
    messages: String,
    /// PO number and status of the orders made from it.
    orders: Vec<String>,
}

impl House {
    async fn seen(&self, file: i64) -> Seen {
        let one = |mut lines: Vec<String>| lines.pop().unwrap_or_default();
        let of_file = format!("FROM interchange WHERE file_id = {file} ORDER BY id");
        let of_documents = format!("FROM document WHERE file_id = {file} ORDER BY id");
        let of_orders = format!(
            "FROM purchase_order WHERE document_id IN (SELECT id FROM document WHERE file_id = {file}) ORDER BY id"
        );
        let mut messages = self
            .lines(&format!("SELECT findings FROM file WHERE id = {file}"))
            .await;
        messages.extend(self.lines(&format!("SELECT findings {of_file}")).await);
        messages.extend(self.lines(&format!("SELECT findings {of_documents}")).await);
        messages.extend(self.lines(&format!("SELECT body {of_orders}")).await);
        Seen {
            file: one(self
                .lines(&format!("SELECT disposition FROM file WHERE id = {file}"))
                .await),
            interchanges: self.lines(&format!("SELECT disposition {of_file}")).await,
            documents: self
                .lines(&format!(
                    "SELECT set_code || ' ' || disposition {of_documents}"
                ))
                .await,
            messages: messages.join("\n"),
            orders: self
                .lines(&format!("SELECT po_number || ' ' || status {of_orders}"))
                .await,
        }
    }

    async fn count(&self, of: &str) -> i64 {
        let lines = self
            .lines(&format!("SELECT CAST(COUNT(*) AS TEXT) FROM {of}"))
            .await;
        lines[0].parse().unwrap()
    }

    /// How much has happened to orders, stock and books.
    async fn effects(&self) -> [i64; 5] {
        [
            self.count("purchase_order").await,
            self.count("stock_movement").await,
            self.count("ledger_entry").await,
            self.count("payment").await,
            self.count("shipment").await,
        ]
    }

    /// What must hold after every case: books in balance, stock as its movements say and never promised twice, no work
    /// that keeps failing, and the bytes of every file still there.
    async fn sound(&self, after: &str) {
        let sums = self
            .lines("SELECT CAST(SUM(amount) AS TEXT) FROM ledger_entry GROUP BY mode, currency")
            .await;
        assert!(
            sums.iter().all(|sum| sum == "0"),
            "{after}: ledger {sums:?}"
        );
        let stuck = self
            .lines("SELECT step || ' ' || subject || ' ' || COALESCE(problem, '') FROM work WHERE attempts > 0")
            .await;
        assert!(stuck.is_empty(), "{after}: work is stuck: {stuck:?}");
        let mut moved: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for line in self
            .lines("SELECT warehouse_id || ' ' || mode || '|' || entries FROM stock_movement")
            .await
        {
            let (place, entries) = line.split_once('|').unwrap();
            let entries: Vec<(i64, i64, i64)> = serde_json::from_str(entries).unwrap();
            for (item, on_hand, reserved) in entries {
                let sum = moved.entry(format!("{item} {place}")).or_default();
                sum.0 += on_hand;
                sum.1 += reserved;
            }
        }
        for line in self
            .lines("SELECT item_id || ' ' || warehouse_id || ' ' || mode || '|' || on_hand || '|' || reserved FROM stock")
            .await
        {
            let parts: Vec<&str> = line.split('|').collect();
            let balance: (i64, i64) = (parts[1].parse().unwrap(), parts[2].parse().unwrap());
            let sum = moved.get(parts[0]).copied().unwrap_or_default();
            assert_eq!(balance, sum, "{after}: stock of {}", parts[0]);
            assert!(0 <= balance.1 && balance.1 <= balance.0, "{after}: {line}");
        }
    }

    /// Of each document of a file: set, reference, disposition, syntax and application.
    async fn fate(&self, file: i64) -> Vec<String> {
        self.lines(&format!(
            "SELECT set_code || ' ' || reference || ' ' || disposition || ' ' || syntax || ' ' || application
             FROM document WHERE file_id = {file} ORDER BY id"
        ))
        .await
    }

    pub async fn submit_over(&self, connection: i64, name: &str, bytes: &[u8]) -> i64 {
        let upload = Upload {
            connection: Some(ConnectionId(connection)),
            partner: None,
            name: name.to_owned(),
            source: UploadSource::Bytes(bytes.to_vec()),
            actor: "test".to_owned(),
            key: None,
        };
        let id = receive::receive(&self.gateway, upload).await.unwrap();
        self.settle().await;
        id.0
    }

    async fn settle(&self) {
        assert!(
            run::settle(&self.gateway, Duration::from_secs(60))
                .await
                .unwrap()
        );
    }

    async fn bytes_of(&self, file: i64) -> Vec<u8> {
        let sha256 = self
            .lines(&format!("SELECT sha256 FROM file WHERE id = {file}"))
            .await;
        let mut connection = self.gateway.store.read().await.unwrap();
        connection.content(&sha256[0]).await.unwrap()
    }

    /// The number of the only document of a file with this disposition.
    async fn document_of(&self, file: i64, disposition: &str) -> DocumentId {
        let ids = self
            .lines(&format!(
                "SELECT CAST(id AS TEXT) FROM document WHERE file_id = {file} AND disposition = '{disposition}'"
            ))
            .await;
        assert_eq!(ids.len(), 1, "{ids:?}");
        DocumentId(ids[0].parse().unwrap())
    }
}

/// One bad file and what a person must see of it.
struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    /// Dispositions: of the file, of its interchanges, of its documents (set and word).
    file: &'static str,
    interchanges: &'static [&'static str],
    documents: &'static [&'static str],
    /// The status of the order it makes; empty where it may make none.
    order: &'static str,
    /// A part of the message that says what is wrong or what to do.
    says: &'static str,
}

/// A case in which one interchange makes no order: it ends as `disposition`.
fn no_order(
    name: &'static str,
    bytes: Vec<u8>,
    disposition: &'static str,
    interchanges: &'static [&'static str],
    documents: &'static [&'static str],
    says: &'static str,
) -> Case {
    Case {
        name,
        bytes,
        file: disposition,
        interchanges,
        documents,
        order: "",
        says,
    }
}

/// A case in which the set is taken and its order ends in `status`.
fn with_order(
    name: &'static str,
    bytes: Vec<u8>,
    status: &'static str,
    says: &'static str,
) -> Case {
    Case {
        name,
        bytes,
        file: "processed",
        interchanges: &["processed"],
        documents: &["850 processed"],
        order: status,
        says,
    }
}

fn not_x12() -> Vec<Case> {
    let mut zip = b"PK\x03\x04\x14\x00\x08\x00\x08\x00orders.edi".to_vec();
    zip.extend((0..4000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8));
    let mut stored = b"PK\x03\x04\x0a\x00\x00\x00\x00\x00orders.edi".to_vec();
    stored.extend(order(209, &[]));
    stored.extend(b"PK\x01\x02");
    let none = |name, bytes, says| no_order(name, bytes, "rejected", &[], &[" rejected"], says);
    vec![
        none("an empty file", Vec::new(), "empty"),
        none(
            "text",
            b"Dear supplier,\nplease send 24 hammers.\n".to_vec(),
            "ISA",
        ),
        none("a zip", zip, "Unpack it"),
        none("a zip that is not compressed", stored, "Unpack it"),
        none("50 MB of zeros", vec![0; 50 * 1024 * 1024], "ISA"),
    ]
}

fn envelopes() -> Vec<Case> {
    let refused = |name, bytes, documents, says| {
        no_order(name, bytes, "rejected", &["rejected"], documents, says)
    };
    let set: &[&str] = &["850 rejected"];
    vec![
        refused("SE count", order(201, &[("SE*20*", "SE*19*")]), set, "SE"),
        refused(
            "SE number",
            order(202, &[("SE*20*0001", "SE*20*0002")]),
            set,
            "SE",
        ),
        refused("GE count", order(203, &[("GE*1*", "GE*2*")]), set, "GE"),
        refused(
            "GE number",
            order(204, &[("GE*1*204", "GE*1*999")]),
            set,
            "GE",
        ),
        refused("IEA count", order(205, &[("IEA*1*", "IEA*3*")]), set, "IEA"),
        refused(
            "IEA number",
            order(206, &[("IEA*1*000000206", "IEA*1*000000999")]),
            set,
            "IEA",
        ),
    ]
}

fn orders_of_a_kind() -> Vec<Case> {
    let refused = |name, bytes, says| {
        no_order(
            name,
            bytes,
            "rejected",
            &["rejected"],
            &["850 rejected"],
            says,
        )
    };
    let quantity = |number, quantity: &str| {
        order(
            number,
            &[
                ("PO1*1*24*", &format!("PO1*1*{quantity}*")),
                ("CTT*1*24", "CTT*1"),
            ],
        )
    };
    let unknown_item = [
        ("614141100019", "614141109999"),
        ("9000101", "9999999"),
        ("HW-1001", "XX-9999"),
    ];
    vec![
        with_order(
            "unknown item",
            order(301, &unknown_item),
            "rejected",
            "item-unknown",
        ),
        with_order(
            "unknown ship-to",
            order(
                302,
                &[(
                    "N1*ST*BIGMART DC 0900*92*0900",
                    "N1*ST*BIGMART DC 0999*92*0999",
                )],
            ),
            "held",
            "ship-to-unknown",
        ),
        with_order(
            "unknown store",
            order(
                303,
                &[("CTT*1*24~SE*20", "SDQ*EA*92*0101*12*9999*12~CTT*1*24~SE*21")],
            ),
            "held",
            "store-unknown",
        ),
        with_order(
            "stores that do not add up",
            order(
                304,
                &[("CTT*1*24~SE*20", "SDQ*EA*92*0101*12*0102*11~CTT*1*24~SE*21")],
            ),
            "held",
            "store",
        ),
        no_order(
            "a unit the guide does not know",
            order(305, &[("*24*EA*", "*24*CA*")]),
            "held",
            &["held"],
            &["850 held"],
            "EA",
        ),
        no_order(
            "a unit nobody knows",
            order(306, &[("*24*EA*", "*24*QQ*")]),
            "held",
            &["held"],
            &["850 held"],
            "QQ",
        ),
        with_order("zero", quantity(307, "0"), "held", "quantity-invalid"),
        with_order(
            "below zero",
            quantity(308, "-24"),
            "held",
            "quantity-invalid",
        ),
        with_order(
            "too many",
            quantity(309, "600000"),
            "held",
            "quantity-absurd",
        ),
        with_order(
            "far too many",
            quantity(310, "999999999999999"),
            "held",
            "quantity-absurd",
        ),
        with_order(
            "more than any sum of money",
            order(
                318,
                &[
                    (
                        "PO1*1*24*EA*8.75*",
                        "PO1*1*999999999999999*EA*99999999999999999*",
                    ),
                    ("CTT*1*24", "CTT*1"),
                ],
            ),
            "held",
            "quantity-absurd",
        ),
        with_order("too little", quantity(311, "0.00001"), "held", "quantity"),
        refused("sixteen digits", quantity(312, "9999999999999999"), "PO102"),
        refused("no number", quantity(313, "2X"), "PO102"),
        refused(
            "31 February",
            order(314, &[("DTM*037*20260106", "DTM*037*20260231")]),
            "DTM02",
        ),
        refused(
            "month 13",
            order(315, &[("**20260105~CUR", "**20261305~CUR")]),
            "BEG05",
        ),
        refused(
            "year 0000",
            order(316, &[("DTM*037*20260106", "DTM*037*00000000")]),
            "DTM02",
        ),
        with_order(
            "dates out of order",
            order(317, &[("DTM*038*20260112", "DTM*038*20250112")]),
            "held",
            "date",
        ),
    ]
}

fn remittances() -> Vec<Case> {
    let held = |name, bytes, says| no_order(name, bytes, "held", &["held"], &["820 held"], says);
    let bpr = "BPR*C*100*C*CHK************20260105~";
    vec![
        held(
            "820 that does not add up",
            remittance(401, &format!("{bpr}TRN*1*CHK401~ENT*1~RMR*IV*NOSUCH**60~")),
            "60",
        ),
        held(
            "820 without a trace",
            remittance(402, &format!("{bpr}ENT*1~RMR*IV*NOSUCH**100~")),
            "trace",
        ),
    ]
}

async fn table(location: StoreLocation) {
    let house = House::open(location).await;
    let mut wrong = Vec::new();
    for case in not_x12()
        .into_iter()
        .chain(envelopes())
        .chain(orders_of_a_kind())
        .chain(remittances())
    {
        let before = house.effects().await;
        let file = house.submit(case.name, &case.bytes).await;
        let seen = house.seen(file).await;
        let after = house.effects().await;
        let orders: Vec<String> = seen
            .orders
            .iter()
            .map(|order| order.split_once(' ').unwrap().1.to_owned())
            .collect();
        let expected: Vec<&str> = Some(case.order)
            .into_iter()
            .filter(|order| !order.is_empty())
            .collect();
        let as_due = seen.file == case.file
            && seen.interchanges == case.interchanges
            && seen.documents == case.documents
            && orders == expected
            && seen.messages.contains(case.says)
            // None of these orders may promise stock, none of these payments may be booked.
            && before[1..] == after[1..];
        if !as_due {
            wrong.push(format!("{}: {before:?} {after:?} {seen:#?}", case.name));
        }
        assert!(
            house.bytes_of(file).await == case.bytes,
            "{}: bytes",
            case.name
        );
        house.sound(case.name).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs a test on SQLite and, where there is one, on PostgreSQL.
macro_rules! on_both {
    ($($test:ident: $sqlite:ident, $postgres:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $sqlite() {
            let folder = tempfile::tempdir().unwrap();
            $test(StoreLocation::Sqlite(folder.path().join("supercargo.db"))).await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn $postgres() {
            let Some(database) = fresh_database().await else {
                return;
            };
            $test(StoreLocation::Postgres(database.url.clone())).await;
        }
    )*};
}

async fn cut_off(location: StoreLocation) {
    let house = House::open(location).await;
    let whole = samples::PARTNERS[0].orders[0].text.as_bytes();
    let (effects, mut at) = (house.effects().await, 50);
    while at < whole.len() {
        let file = house.submit("cut.edi", &whole[..at]).await;
        let seen = house.seen(file).await;
        assert_eq!(seen.file, "rejected", "cut at {at}: {seen:#?}");
        assert!(!seen.documents.is_empty(), "cut at {at}: {seen:#?}");
        assert!(
            seen.documents
                .iter()
                .all(|document| document.ends_with(" rejected")),
            "cut at {at}: {seen:#?}"
        );
        assert!(seen.messages.contains("message"), "cut at {at}: {seen:#?}");
        assert_eq!(house.effects().await, effects, "cut at {at}");
        at += 50;
    }
    house.sound("cut off").await;
    let file = house.submit("whole.edi", whole).await;
    let seen = house.seen(file).await;
    assert_eq!(seen.interchanges, ["processed"], "{seen:#?}");
    assert_eq!(seen.orders.len(), 3, "{seen:#?}");
    house.sound("the resend").await;
}

/// A second partner like bigmart under another address.
fn newcomer() -> String {
    samples::PARTNERS[0]
        .profile
        .replace("partner = \"bigmart\"", "partner = \"newcomer\"")
        .replace("BIGMARTSAMPLE", "UNKNOWNSENDER")
}

async fn unknown_sender(location: StoreLocation) {
    let house = House::open(location).await;
    let effects = house.effects().await;
    // Beside it in the same file stands an interchange of which a set is held: the replay must leave that alone.
    let mut bytes = order(501, &[("*24*EA*", "*24*CA*")]);
    bytes.extend(order(502, &[("BIGMARTSAMPLE", "UNKNOWNSENDER")]));
    let file = house.submit("unknown.edi", &bytes).await;
    let seen = house.seen(file).await;
    assert_eq!(seen.file, "held", "{seen:#?}");
    assert_eq!(seen.interchanges, ["held", "held"], "{seen:#?}");
    assert!(
        seen.messages
            .contains("no partner has the EDI address ZZ:UNKNOWNSENDER")
    );
    assert_eq!(house.effects().await, effects);
    partners::apply(&house.gateway, &newcomer(), "test")
        .await
        .unwrap();
    let waiting = house
        .lines(&format!("SELECT CAST(document.id AS TEXT) FROM document JOIN interchange ON interchange.id = interchange_id WHERE document.file_id = {file} AND interchange.partner_id IS NULL"))
        .await;
    let id = DocumentId(waiting[0].parse().unwrap());
    let (one, other) = tokio::join!(
        documents::replay(&house.gateway, id, None, "one"),
        documents::replay(&house.gateway, id, None, "other"),
    );
    assert!(one.is_ok() || other.is_ok(), "{one:?} {other:?}");
    house.settle().await;
    let seen = house.seen(file).await;
    assert_eq!(seen.documents, ["850 held", "850 processed"], "{seen:#?}");
    assert_eq!(seen.orders.len(), 1, "{seen:#?}");
    assert!(seen.orders[0].starts_with(&po(502)), "{seen:#?}");
    house.sound("unknown sender").await;
    let again = house
        .submit(
            "again.edi",
            &order(502, &[("BIGMARTSAMPLE", "UNKNOWNSENDER")]),
        )
        .await;
    assert_eq!(house.seen(again).await.file, "duplicate");
    assert_eq!(house.count("purchase_order").await, effects[0] + 1);
}

async fn foreign_mailbox(location: StoreLocation) {
    let house = House::open(location).await;
    let effects = house.effects().await;
    let mailbox = house
        .lines("SELECT CAST(connection.id AS TEXT) FROM connection JOIN partner ON partner.id = partner_id WHERE partner.code = 'dropmart'")
        .await;
    assert!(!mailbox.is_empty(), "dropmart has a connection");
    let bytes = order(511, &[]);
    let file = house
        .submit_over(mailbox[0].parse().unwrap(), "foreign.edi", &bytes)
        .await;
    let seen = house.seen(file).await;
    assert_eq!(
        (seen.file.as_str(), &seen.documents[..]),
        ("held", &["850 held".to_owned()][..])
    );
    assert!(seen.messages.contains("may not speak for it"), "{seen:#?}");
    assert_eq!(house.effects().await, effects);
    let out = house.count("document WHERE direction = 'out'").await;
    assert_eq!(out, 0, "nobody is answered in another's name");
    // The right sender's own copy is none that was seen before.
    let own = house.submit("own.edi", &bytes).await;
    assert_eq!(house.seen(own).await.file, "processed");
    house.sound("foreign mailbox").await;
}

async fn twice(location: StoreLocation) {
    let house = House::open(location).await;
    let bytes = order(521, &[("000000521*0*P", "000000521*1*P")]);
    let acks = "document WHERE direction = 'out' AND set_code = '997'";
    house.submit("first.edi", &bytes).await;
    assert_eq!(house.count(acks).await, 1);
    let effects = house.effects().await;

    let same = house.seen(house.submit("same.edi", &bytes).await).await;
    assert_eq!(
        (same.file.as_str(), &same.interchanges[..]),
        ("duplicate", &["duplicate".to_owned()][..])
    );
    assert!(same.messages.contains("interchange-repeated"), "{same:#?}");
    assert_eq!(house.count(acks).await, 2, "acknowledged again");

    let other = order(
        521,
        &[("000000521*0*P", "000000521*1*P"), ("77000521", "77999521")],
    );
    let other = house.seen(house.submit("other.edi", &other).await).await;
    assert_eq!(
        (other.file.as_str(), &other.interchanges[..]),
        ("rejected", &["rejected".to_owned()][..])
    );
    assert!(other.messages.contains("control-number-used"), "{other:#?}");
    assert_eq!(house.count(acks).await, 2, "no 997 for what was refused");
    let ta1s = house
        .lines("SELECT CAST(id AS TEXT) FROM document WHERE direction = 'out' AND set_code = 'TA1' ORDER BY id DESC")
        .await;
    let ta1 = documents::raw(&house.gateway, DocumentId(ta1s[0].parse().unwrap()))
        .await
        .unwrap();
    let ta1 = String::from_utf8(ta1).unwrap();
    assert!(ta1.contains("*R*025"), "{ta1}");

    let order_again = order(522, &[(&po(522), &po(521))]);
    let again = house
        .seen(house.submit("order-again.edi", &order_again).await)
        .await;
    assert!(again.messages.contains("order-repeated"), "{again:#?}");
    assert!(again.orders.is_empty(), "{again:#?}");
    assert_eq!(again.file, "duplicate", "{again:#?}");
    let told = house
        .lines("SELECT message FROM alert WHERE kind = 'order-repeated'")
        .await;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0].contains(&po(521)) && told[0].contains("What to do"),
        "{told:#?}"
    );
    assert_eq!(house.effects().await, effects);
    house.sound("twice").await;
}

async fn unknown_invoice(location: StoreLocation) {
    let house = House::open(location).await;
    let body = "BPR*C*100*C*CHK************20260105~TRN*1*CHK531~ENT*1~RMR*IV*NOSUCH**100~";
    let file = house.submit("820.edi", &remittance(531, body)).await;
    let seen = house.seen(file).await;
    assert_eq!(seen.documents, ["820 processed"], "{seen:#?}");
    assert!(
        seen.messages.contains("names no invoice of ours"),
        "{seen:#?}"
    );
    let payments = house
        .lines("SELECT status || ' ' || unapplied FROM payment")
        .await;
    assert_eq!(
        payments,
        ["unapplied 10000"],
        "the money stays on the account"
    );
    let alerts = house
        .lines("SELECT kind || ' ' || message FROM alert")
        .await;
    assert!(
        alerts
            .iter()
            .any(|alert| alert.starts_with("payment-unapplied") && alert.contains("NOSUCH")),
        "{alerts:?}"
    );
    let again = house
        .seen(house.submit("again.edi", &remittance(532, body)).await)
        .await;
    assert_eq!(again.documents, ["820 duplicate"], "{again:#?}");
    assert_eq!(house.count("payment").await, 1, "booked once");
    house.sound("unknown invoice").await;
}

/// What is claimed of an invoice that is paid already is laid before a person, whether it was taken or not.
async fn claims_too_late(location: StoreLocation) {
    let house = House::open(location).await;
    house.submit("order.edi", &order(611, &[])).await;
    for id in house.lines("SELECT CAST(id AS TEXT) FROM shipment").await {
        let all = format!("{{\"shipment\": {id}, \"override\": \"the buyer wants it now\"}}");
        shipments::confirm_text(&house.gateway, all.as_bytes(), "test")
            .await
            .unwrap();
    }
    house.settle().await;
    let invoice = house
        .lines("SELECT number || ' ' || total FROM invoice")
        .await;
    let (number, total) = invoice[0].split_once(' ').unwrap();
    let total: i64 = total.parse().unwrap();
    let amount = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
    let paid = amount(total);
    let body = format!(
        "BPR*C*{paid}*C*CHK************20260105~TRN*1*CHK612~ENT*1~RMR*IV*{number}**{paid}~"
    );
    house.submit("paid.edi", &remittance(612, &body)).await;
    let alerts = house
        .lines("SELECT message FROM alert WHERE kind = 'claim-beyond-open'")
        .await;
    assert_eq!(alerts, [""; 0], "it was paid in full");
    // A claim that takes nothing, and one that is taken from what else is paid.
    let body = format!(
        "BPR*C*0*C*CHK************20260106~TRN*1*CLAIM613~ENT*1~RMR*IV*{number}**0~ADX*-25*01~"
    );
    let seen = house
        .seen(house.submit("claim.edi", &remittance(613, &body)).await)
        .await;
    let told = house.alert("claim-beyond-open").await;
    assert!(
        told.contains(&format!("{number} is paid already"))
            && told.contains("Nothing of it is in the books: ask the payer"),
        "{told} {seen:#?}"
    );
    let body = format!(
        "BPR*C*75*C*CHK************20260107~TRN*1*CHK614~ENT*1~RMR*IV*{number}**-25~ADX*-25*01~RMR*IV*NOSUCH**100~"
    );
    let seen = house
        .seen(house.submit("taken.edi", &remittance(614, &body)).await)
        .await;
    let told = house.alert("claim-beyond-open").await;
    assert!(
        told.contains("CHK614")
            && told.contains(&format!("{number} is paid already"))
            && told.contains("receivables dispute"),
        "{told} {seen:#?}"
    );
    assert_eq!(
        house.count("alert WHERE kind = 'claim-beyond-open'").await,
        2
    );
    // The money beside the claim finds its invoice: the claim still waits.
    house.submit("next.edi", &order(615, &[])).await;
    for id in house
        .lines("SELECT CAST(id AS TEXT) FROM shipment WHERE status = 'planned'")
        .await
    {
        let all = format!("{{\"shipment\": {id}, \"override\": \"the buyer wants it now\"}}");
        shipments::confirm_text(&house.gateway, all.as_bytes(), "test")
            .await
            .unwrap();
    }
    house.settle().await;
    let next = house
        .lines("SELECT number FROM invoice WHERE status = 'open'")
        .await;
    let ids = house
        .lines("SELECT CAST(id AS TEXT) FROM payment WHERE reference = 'CHK614'")
        .await;
    let payment = PaymentId(ids[0].parse().unwrap());
    let to = vec![(next[0].clone(), Amount(10_000))];
    payments::apply_unapplied(&house.gateway, payment, to, None, "test")
        .await
        .unwrap();
    let open = house
        .lines(&format!(
            "SELECT kind FROM alert WHERE cleared_at IS NULL AND subject_kind = 'payment' AND subject_id = {payment}"
        ))
        .await;
    assert_eq!(open, ["claim-beyond-open"]);
    let deductions = house
        .lines("SELECT claimed_reference || ' ' || amount || ' ' || status FROM deduction")
        .await;
    assert_eq!(deductions, [format!("{number} 2500 open")]);
    house.sound("claims too late").await;
    house.prove().await;
}

async fn pressed_twice(location: StoreLocation) {
    let house = House::open(location).await;
    let file = house
        .submit("held.edi", &order(541, &[("*24*EA*", "*24*QQ*")]))
        .await;
    let id = house.document_of(file, "held").await;
    let relaxed = samples::PARTNERS[0]
        .profile
        .replace("codes = [\"EA\"]", "codes = [\"EA\", \"QQ\"]");
    partners::apply(&house.gateway, &relaxed, "test")
        .await
        .unwrap();
    let (one, other) = tokio::join!(
        documents::replay(&house.gateway, id, None, "one"),
        documents::replay(&house.gateway, id, None, "other"),
    );
    assert!(
        one.is_ok() != other.is_ok(),
        "one of two replays is refused: {one:?} {other:?}"
    );
    house.settle().await;
    let seen = house.seen(file).await;
    assert_eq!(seen.orders, [format!("{} held", po(541))], "{seen:#?}");
    assert!(seen.messages.contains("unit-unknown"), "{seen:#?}");
    house.sound("replayed twice").await;

    let file = house
        .submit("price.edi", &order(542, &[("*8.75*", "*7.75*")]))
        .await;
    let seen = house.seen(file).await;
    assert_eq!(seen.orders, [format!("{} held", po(542))], "{seen:#?}");
    let ids = house
        .lines(&format!(
            "SELECT CAST(id AS TEXT) FROM purchase_order WHERE po_number = '{}'",
            po(542)
        ))
        .await;
    let id = OrderId(ids[0].parse().unwrap());
    let (one, other) = tokio::join!(
        orders::release(&house.gateway, id, "agreed by telephone", "one"),
        orders::release(&house.gateway, id, "agreed by telephone", "other"),
    );
    assert!(
        one.is_ok() != other.is_ok(),
        "one of two releases is refused: {one:?} {other:?}"
    );
    house.settle().await;
    assert!(
        orders::release(&house.gateway, id, "once more", "one")
            .await
            .is_err()
    );
    assert!(
        orders::reject(&house.gateway, id, "too late", "one")
            .await
            .is_err()
    );
    house.settle().await;
    let answers = house
        .count(&format!(
            "document WHERE direction = 'out' AND set_code = '855' AND reference = '{}'",
            po(542)
        ))
        .await;
    assert_eq!(answers, 1, "one 855");
    house.sound("released twice").await;
}

impl House {
    async fn move_to(&self, at: &str) {
        *self.clock.0.lock().unwrap() = at.parse().unwrap();
        self.settle().await;
    }

    async fn orders_of(&self, number: u32) -> i64 {
        let po = po(number);
        self.count(&format!("purchase_order WHERE po_number = '{po}'"))
            .await
    }

    /// The last text that a person was told, by kind of alert.
    async fn alert(&self, kind: &str) -> String {
        self.lines(&format!(
            "SELECT message FROM alert WHERE kind = '{kind}' ORDER BY id"
        ))
        .await
        .pop()
        .unwrap_or_default()
    }
}

/// The identity of an order is free again only when the order is older than the profile's days.
async fn reused(location: StoreLocation) {
    let house = House::open(location).await;
    let reusing = samples::PARTNERS[0].profile.replace(
        "order_identity = [\"po_number\"]",
        "order_identity = [\"po_number\"]\norder_reuse_days = 30",
    );
    assert!(reusing.contains("order_reuse_days"));
    partners::apply(&house.gateway, &reusing, "test")
        .await
        .unwrap();
    let again = |number: u32| order(number, &[(&po(number), &po(551))]);
    // A slice of thirty days since 1970 ends between these two.
    house.move_to("2026-01-06T15:00:00Z").await;
    house.submit("first.edi", &again(551)).await;
    house.move_to("2026-01-07T15:00:00Z").await;
    let seen = house
        .seen(house.submit("next.edi", &again(552)).await)
        .await;
    assert!(seen.messages.contains("order-repeated"), "{seen:#?}");
    house.move_to("2026-02-05T14:59:59Z").await;
    house.submit("last.edi", &again(553)).await;
    assert_eq!(house.orders_of(551).await, 1);
    house.move_to("2026-02-05T15:00:00Z").await;
    for number in 554..560 {
        let upload = Upload {
            connection: None,
            partner: None,
            name: format!("{number}.edi"),
            source: UploadSource::Bytes(again(number)),
            actor: "test".to_owned(),
            key: None,
        };
        receive::receive(&house.gateway, upload).await.unwrap();
    }
    let settle = || run::settle(&house.gateway, Duration::from_secs(60));
    let (one, other) = tokio::join!(settle(), settle());
    assert!(one.unwrap() && other.unwrap());
    assert_eq!(house.orders_of(551).await, 2, "one new order, not six");
    // It counts from the later order.
    house.move_to("2026-02-20T15:00:00Z").await;
    house.submit("within.edi", &again(560)).await;
    assert_eq!(house.orders_of(551).await, 2);
    house.sound("reused").await;
}

/// A refused interchange is answered whatever its ISA14 says, and ops are told whether the partner knows.
async fn refused_whole(location: StoreLocation) {
    let house = House::open(location).await;
    let ta1s = "document WHERE direction = 'out' AND set_code = 'TA1'";
    let whole = order(571, &[]);
    assert!(String::from_utf8_lossy(&whole).contains("000000571*0*P"));
    house.submit("first.edi", &whole).await;
    assert_eq!(house.count(ta1s).await, 0, "nobody asked for one");
    let cut = order(572, &[]);
    let cases = [
        ("cut", cut[..cut.len() - 60].to_vec()),
        ("count", order(573, &[("IEA*1*", "IEA*2*")])),
        ("used", order(571, &[("77000571", "77999571")])),
    ];
    for (n, (name, bytes)) in (1..).zip(cases) {
        let seen = house.seen(house.submit(name, &bytes).await).await;
        assert_eq!(seen.file, "rejected", "{name}: {seen:#?}");
        assert_eq!(house.count(ta1s).await, n, "{name}");
        let alert = house.alert("document-rejected").await;
        assert!(
            alert.contains("the partner is told by our TA1"),
            "{name}: {alert}"
        );
    }
    let silent = samples::PARTNERS[0]
        .profile
        .replace("ta1 = \"on_request\"", "ta1 = \"never\"");
    partners::apply(&house.gateway, &silent, "test")
        .await
        .unwrap();
    let cut = order(574, &[]);
    house.submit("silent.edi", &cut[..cut.len() - 60]).await;
    assert_eq!(house.count(ta1s).await, 3);
    let alert = house.alert("document-rejected").await;
    assert!(
        alert.contains("the partner was not told") && alert.contains("tell it what is wrong"),
        "{alert}"
    );
    house.sound("refused whole").await;
}

/// A file comes to what its interchanges come to, also where none of them is acted upon.
async fn several_in_a_file(location: StoreLocation) {
    let house = House::open(location).await;
    let wrong = |number| order(number, &[("SE*20*", "SE*19*")]);
    let two = [order(801, &[]), order(802, &[])].concat();
    let followed = [wrong(803), b"\r\nEOF\r\n".to_vec()].concat();
    for (name, bytes, wanted) in [
        ("two.edi", two.clone(), "processed"),
        ("two again.edi", two, "duplicate"),
        (
            "two wrong.edi",
            [wrong(804), wrong(805)].concat(),
            "rejected",
        ),
        ("wrong and text.edi", followed, "rejected"),
        (
            "wrong and repeated.edi",
            [wrong(806), order(801, &[])].concat(),
            "rejected",
        ),
    ] {
        let seen = house.seen(house.submit(name, &bytes).await).await;
        assert_eq!(seen.file, wanted, "{name}: {seen:#?}");
    }
    house.sound("several in a file").await;
    house.prove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_comes_to_what_its_interchanges_do_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    several_in_a_file(StoreLocation::Sqlite(folder.path().join("supercargo.db"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_comes_to_what_its_interchanges_do_on_postgres() {
    let Some(database) = fresh_database().await else {
        return;
    };
    several_in_a_file(StoreLocation::Postgres(database.url.clone())).await;
}

/// Whatever becomes of a set, a person finds it by its own number, and what is said of its acknowledgment and of its way
/// into the books is so.
async fn fates(location: StoreLocation) {
    let house = House::open(location).await;
    let cut = order(604, &[]);
    let paid = "BPR*C*100*C*CHK************20260105~TRN*1*CHK606~ENT*1~RMR*IV*NOSUCH**60~";
    let acknowledgment = String::from_utf8(remittance(607, "AK1*IN*7007~AK9*A*1*1*1~"))
        .unwrap()
        .replace("GS*RA*", "GS*FA*")
        .replace("ST*820", "ST*997");
    let cases = [
        (
            "taken",
            order(600, &[]),
            "850 77000600 processed accepted accepted",
        ),
        (
            "guide",
            order(601, &[("*24*EA*", "*24*CA*")]),
            "850 77000601 held accepted pending",
        ),
        (
            "whole",
            order(602, &[("IEA*1*", "IEA*3*")]),
            "850 77000602 rejected rejected none",
        ),
        (
            "set",
            order(603, &[("SE*20*", "SE*19*")]),
            "850 77000603 rejected rejected none",
        ),
        (
            "cut",
            cut[..cut.len() - 20].to_vec(),
            "850 77000604 rejected rejected none",
        ),
        (
            "used",
            order(600, &[("77000600", "77999600")]),
            "850 77999600 rejected rejected none",
        ),
        (
            "again",
            order(600, &[]),
            "850 77000600 duplicate accepted none",
        ),
        (
            "sender",
            order(605, &[("BIGMARTSAMPLE", "UNKNOWNSENDER")]),
            "850 77000605 held pending pending",
        ),
        (
            "payment",
            remittance(606, paid),
            "820 CHK606 held accepted pending",
        ),
        (
            "answer",
            acknowledgment.into_bytes(),
            "997 7007 processed none accepted",
        ),
    ];
    let mut wrong = Vec::new();
    for (name, bytes, expected) in cases {
        let file = house.submit(name, &bytes).await;
        let fate = house.fate(file).await;
        if fate != [expected] {
            wrong.push(format!("{name}: {fate:?}, not {expected}"));
        }
        if expected.contains("850 77000605") {
            let alert = house.alert("document-held").await;
            assert!(alert.contains("is held (850 77000605)"), "{alert}");
            let id = house.document_of(file, "held").await;
            documents::dismiss(&house.gateway, id, "a stranger", "test")
                .await
                .unwrap();
            assert_eq!(
                house.fate(file).await,
                ["850 77000605 rejected none rejected"]
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    house.sound("fates").await;
    house.prove().await;
}

/// Sets that were written before the end of their interchange was seen share its fate all the same.
async fn fates_of_many(location: StoreLocation) {
    const SETS: u32 = 600;
    let house = House::open(location).await;
    let whole = String::from_utf8(order(621, &[])).unwrap();
    let set = set_of(whole.as_bytes());
    let sets: String = (1..=SETS)
        .map(|n| {
            set.replace(&po(621), &format!("MANY{n}"))
                .replace("*0001~", &format!("*{n:04}~"))
        })
        .collect();
    let group = &whole[whole.find("GS*").unwrap()..whole.find("IEA*").unwrap()];
    let many = whole
        .replace(&set, &sets)
        .replace("GE*1*621", &format!("GE*{SETS}*621"))
        .replace(
            "IEA*1*",
            &format!("{}IEA*3*", group.replace("*621", "*622")),
        );
    let file = house.submit("many.edi", many.as_bytes()).await;
    let fate = house.fate(file).await;
    assert_eq!(fate.len(), SETS as usize + 1);
    assert_eq!(fate[0], "850 MANY1 rejected rejected none");
    assert!(
        fate.iter()
            .all(|fate| fate.ends_with(" rejected rejected none")),
        "{:?}",
        fate.iter()
            .find(|fate| !fate.ends_with(" rejected rejected none"))
    );
    let right = many.replace("IEA*3*", "IEA*2*");
    let strange = right.replace("BIGMARTSAMPLE", "UNKNOWNSENDER");
    let file = house.submit("strange.edi", strange.as_bytes()).await;
    let fate = house.fate(file).await;
    assert!(
        fate.len() == SETS as usize + 1
            && fate
                .iter()
                .all(|fate| fate.ends_with(" held pending pending")),
        "{:?}",
        fate.first()
    );
    house.sound("fates of many").await;
    house.prove().await;
}

/// Control numbers of test and production are two series.
async fn both_worlds(location: StoreLocation) {
    let house = House::open(location).await;
    let stock: Vec<String> = samples::STOCK
        .lines()
        .filter(|line| !line.ends_with(",test"))
        .map(|line| line.replace(",production", ",test"))
        .collect();
    let stock = stock.join("\n");
    lists::load(
        &house.gateway,
        ListKind::Stock,
        stock.as_bytes(),
        None,
        "test",
    )
    .await
    .unwrap();
    let test = order(581, &[("000000581*0*P", "000000581*0*T")]);
    let seen = house.seen(house.submit("test.edi", &test).await).await;
    assert_eq!(seen.file, "processed", "{seen:#?}");
    let seen = house
        .seen(house.submit("production.edi", &order(581, &[])).await)
        .await;
    assert_eq!(seen.file, "processed", "{seen:#?}");
    assert_eq!(house.orders_of(581).await, 2);
    for id in house
        .lines("SELECT CAST(id AS TEXT) FROM shipment ORDER BY id")
        .await
    {
        let all = format!("{{\"shipment\": {id}, \"override\": \"the buyer wants it now\"}}");
        shipments::confirm_text(&house.gateway, all.as_bytes(), "test")
            .await
            .unwrap();
    }
    let left = house
        .lines("SELECT mode || ' ' || status FROM shipment ORDER BY id")
        .await;
    assert_eq!(left, ["test shipped", "production shipped"]);
    house.sound("both worlds").await;
}

/// What stands between ST and SE of an interchange, both with it.
fn set_of(bytes: &[u8]) -> String {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let from = text.find("ST*850").unwrap();
    let to = text.find("GE*1").unwrap();
    text[from..to].to_owned()
}

/// A fault that only the partner's guide calls one rejects in the 997 where its profile says so.
async fn guide_rejects(location: StoreLocation) {
    let house = House::open(location).await;
    let strict = samples::PARTNERS[0].profile.replace(
        "[acknowledgment]",
        "[acknowledgment]\nguide_fault = \"reject\"",
    );
    partners::apply(&house.gateway, &strict, "test")
        .await
        .unwrap();
    let file = house
        .submit("guide.edi", &order(596, &[("*24*EA*", "*24*QQ*")]))
        .await;
    let seen = house.seen(file).await;
    assert_eq!(seen.documents, ["850 rejected"], "{seen:#?}");
    let sent = house
        .lines("SELECT CAST(id AS TEXT) FROM document WHERE direction = 'out' AND set_code = '997' ORDER BY id DESC")
        .await;
    let answer = documents::raw(&house.gateway, DocumentId(sent[0].parse().unwrap()))
        .await
        .unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.contains("AK5*R"), "{answer}");
    house.sound("the guide rejects").await;
}

/// A receiver's code (GS03) that is blank, or that no answer can repeat, keeps neither the order nor its 997 back, nor
/// what waits behind that 997 for the same partner; nor does a sender's (GS02) that is blank.
async fn codes_unusable(location: StoreLocation) {
    let house = House::open(location).await;
    for (number, code) in [
        (621, "BIGMARTSAMPLE*  "),
        (622, "BIGMARTSAMPLE*S"),
        (623, "BIGMARTSAMPLE*SUPER>CARGO"),
        (624, "BIGMARTSAMPLE*SUPERCARG\u{c4}"),
        (625, "  *SUPERCARGO"),
    ] {
        let from = format!("*BIGMARTSAMPLE*SUPERCARGO*20260105*1100*{number}*");
        let to = format!("*{code}*20260105*1100*{number}*");
        let file = house
            .submit("code.edi", &order(number, &[(&from, &to)]))
            .await;
        let seen = house.seen(file).await;
        assert_eq!(seen.documents, ["850 processed"], "{code:?}: {seen:#?}");
        assert_eq!(house.orders_of(number).await, 1, "{code:?}");
        let sent = house
            .lines("SELECT sha256 FROM transmission WHERE set_code = '997' ORDER BY id DESC")
            .await;
        let mut connection = house.gateway.store.read().await.unwrap();
        let answer = connection.content(&sent[0]).await.unwrap();
        drop(connection);
        let answer = String::from_utf8(answer).unwrap();
        assert!(
            answer.contains("GS*FA*SUPERCARGO*BIGMARTSAMPLE*")
                && answer.contains(&format!("AK1*PO*{number}~")),
            "{code:?}: {answer}"
        );
        house.sound(code).await;
    }
}

/// A correction is judged before it is stored: what is no set of the same kind, or faulty, leaves the document as it was.
async fn corrected(location: StoreLocation) {
    let house = House::open(location).await;
    let bytes = order(591, &[("*24*EA*", "*24*CA*")]);
    let file = house.submit("held.edi", &bytes).await;
    let id = house.document_of(file, "held").await;
    let wrong = set_of(&bytes);
    let right = set_of(&order(591, &[]));
    let guide = wrong.replace("*24*CA*", "*24*DZ*");
    for (what, text, says) in [
        (
            "no set",
            "<script>alert(1)</script>".to_owned(),
            "was not stored",
        ),
        ("an ISA", "ISA*00*~".to_owned(), "was not stored"),
        ("nothing", "\0".to_owned(), "was not stored"),
        ("an 810", right.replace("ST*850*", "ST*810*"), "it is a 810"),
        ("two sets", format!("{right}{right}"), "behind its SE"),
        ("a wrong count", right.replace("SE*20*", "SE*19*"), "SE01"),
        ("a NUL", right.replace("*24*EA*", "*24\0*EA*"), "PO102"),
        (
            "a bidi override",
            right.replace(&po(591), "77\u{202e}591"),
            "BEG03",
        ),
    ] {
        let refusal = documents::replay(&house.gateway, id, Some(text.into_bytes()), "test")
            .await
            .unwrap_err()
            .to_string();
        assert!(refusal.contains(says), "{what}: {refusal}");
        house.settle().await;
        let stored = house
            .lines(&format!(
                "SELECT disposition || COALESCE(corrected_sha256, '') FROM document WHERE id = {id}"
            ))
            .await;
        assert_eq!(stored, ["held"], "{what}");
    }
    documents::replay(&house.gateway, id, Some(guide.into_bytes()), "test")
        .await
        .unwrap();
    house.settle().await;
    let seen = house.seen(file).await;
    assert_eq!(seen.documents, ["850 held"], "{seen:#?}");
    assert!(seen.messages.contains("DZ"), "{seen:#?}");
    documents::replay(&house.gateway, id, Some(right.into_bytes()), "test")
        .await
        .unwrap();
    house.settle().await;
    let seen = house.seen(file).await;
    assert_eq!(seen.documents, ["850 processed"], "{seen:#?}");
    assert_eq!(house.orders_of(591).await, 1);
    house.sound("corrected").await;
}

/// No list takes another item's number.
async fn taken_numbers(location: StoreLocation) {
    let house = House::open(location).await;
    let load = |text: &str| {
        let (gateway, text) = (house.gateway.clone(), text.to_owned());
        async move {
            lists::load(&gateway, ListKind::Items, text.as_bytes(), None, "test")
                .await
                .map_err(|refusal| refusal.to_string())
        }
    };
    let owner = "SELECT item.code FROM item_number JOIN item ON item.id = item_id WHERE value = '00614141100019'";
    assert_eq!(house.lines(owner).await, ["HW-1001"]);
    for (text, says) in [
        (
            "code,upc\nDUP-1,614141100019\n",
            "line 2, upc: 614141100019 belongs to item \"HW-1001\"",
        ),
        (
            "code,vendor_number\nDUP-1,HW-1001\n",
            "line 2, vendor_number: HW-1001 belongs to item \"HW-1001\"",
        ),
        (
            "code,upc\nNEW-1,614141200016\nNEW-2,614141200016\n",
            "line 3, upc: 614141200016 belongs to item \"NEW-1\" (line 2)",
        ),
    ] {
        let refusal = load(text).await.unwrap_err();
        assert!(refusal.contains(says), "{refusal}");
    }
    assert_eq!(house.lines(owner).await, ["HW-1001"]);
    // Where the list shows the other item without it, the number moves.
    load("code,upc\nHW-1001,614141200016\nDUP-1,614141100019\n")
        .await
        .unwrap();
    assert_eq!(house.lines(owner).await, ["DUP-1"]);
}

on_both! {
    reused: reused_on_sqlite, reused_on_postgres;
    refused_whole: refused_whole_on_sqlite, refused_whole_on_postgres;
    fates: fates_on_sqlite, fates_on_postgres;
    fates_of_many: fates_of_many_on_sqlite, fates_of_many_on_postgres;
    claims_too_late: claims_too_late_on_sqlite, claims_too_late_on_postgres;
    both_worlds: both_worlds_on_sqlite, both_worlds_on_postgres;
    corrected: corrected_on_sqlite, corrected_on_postgres;
    guide_rejects: guide_rejects_on_sqlite, guide_rejects_on_postgres;
    codes_unusable: codes_unusable_on_sqlite, codes_unusable_on_postgres;
    taken_numbers: taken_numbers_on_sqlite, taken_numbers_on_postgres;
    table: bad_files_on_sqlite, bad_files_on_postgres;
    cut_off: cut_off_on_sqlite, cut_off_on_postgres;
    unknown_sender: unknown_sender_on_sqlite, unknown_sender_on_postgres;
    foreign_mailbox: foreign_mailbox_on_sqlite, foreign_mailbox_on_postgres;
    twice: twice_on_sqlite, twice_on_postgres;
    unknown_invoice: unknown_invoice_on_sqlite, unknown_invoice_on_postgres;
    pressed_twice: pressed_twice_on_sqlite, pressed_twice_on_postgres;
}
