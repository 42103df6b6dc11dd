//! Orders off the straight road, each through the whole thread on both databases: several ship-tos and days in one order,
//! a held order verified again, a backorder that stock arrives for.

use std::collections::BTreeSet;

use supercargo::config::samples;
use supercargo::domain::allocation::waiting::Holds;
use supercargo::domain::gs1::sscc_serial;
use supercargo::domain::ids::{DocumentId, ItemId, OrderId, ShipmentId, WarehouseId};
use supercargo::domain::order::Mode;
use supercargo::domain::shipment::Shipment;
use supercargo::domain::stock::ReceiptPromise;
use supercargo::storage::Class;
use supercargo::storage::work::{Duty, Step};
use supercargo::workflow::lists::ListKind;
use supercargo::workflow::receive::{Upload, UploadSource, receive};
use supercargo::workflow::{documents, jump, lists, orders, partners, run, shipments};

use crate::thread::House;

/// A buyer without peculiarities but these.
pub async fn buyer(house: &House, lines: &str) {
    let profile = format!("partner = \"plain\"\n{lines}\n[[address]]\nid = \"PLAINSAMPLE\"\n");
    partners::apply(&house.gateway, &profile, "test")
        .await
        .unwrap();
}

/// An interchange with one 850, on the day of the samples.
pub fn interchange(number: u32, segments: &str) -> Vec<u8> {
    let body: Vec<&str> = segments
        .split('~')
        .map(str::trim)
        .filter(|segment| !segment.is_empty())
        .collect();
    format!(
        "ISA*00*          *00*          *ZZ*PLAINSAMPLE    *ZZ*SUPERCARGO     *260105*0800*U*00401*{number:09}*0*P*>~\
         GS*PO*PLAINSAMPLE*SUPERCARGO*20260105*0800*{number}*X*004010~ST*850*0001~{}~SE*{}*0001~GE*1*{number}~IEA*1*{number:09}~",
        body.join("~"),
        body.len() + 2
    )
    .into_bytes()
}

/// The documents of one kind that we sent, as text.
pub async fn sent(house: &House, set: &str) -> Vec<String> {
    let ids = house
        .lines(&format!(
            "SELECT CAST(d.id AS TEXT) FROM document d JOIN partner p ON p.id = d.partner_id
             WHERE p.code = 'plain' AND d.direction = 'out' AND d.set_code = '{set}' ORDER BY d.id"
        ))
        .await;
    let mut texts = Vec::new();
    for id in ids {
        let id = DocumentId(id.parse().unwrap());
        let bytes = documents::raw(&house.gateway, id).await.unwrap();
        texts.push(String::from_utf8(bytes).unwrap());
    }
    texts
}

/// The segments of one id in a document.
pub fn segments<'a>(text: &'a str, id: &str) -> Vec<&'a str> {
    text.split('~')
        .map(str::trim)
        .filter(|segment| segment.split('*').next() == Some(id))
        .collect()
}

pub async fn status(house: &House) -> String {
    house
        .lines("SELECT o.status FROM purchase_order o JOIN partner p ON p.id = o.partner_id WHERE p.code = 'plain' ORDER BY o.id DESC")
        .await
        .swap_remove(0)
}

pub async fn number(house: &House) -> OrderId {
    let ids = house
        .lines("SELECT CAST(o.id AS TEXT) FROM purchase_order o JOIN partner p ON p.id = o.partner_id WHERE p.code = 'plain' ORDER BY o.id DESC")
        .await;
    OrderId(ids[0].parse().unwrap())
}

pub async fn settle(house: &House) {
    let done = run::settle(&house.gateway, std::time::Duration::from_secs(60)).await;
    assert!(done.unwrap(), "everything that was due is done");
}

async fn load(house: &House, kind: ListKind, text: &str) {
    lists::load(&house.gateway, kind, text.as_bytes(), Some("plain"), "test")
        .await
        .unwrap();
}

/// No document of ours was held by our own checks.
pub async fn nothing_is_held(house: &House) {
    let held = house
        .lines("SELECT findings FROM document WHERE direction = 'out' AND delivery = 'held'")
        .await;
    assert_eq!(held, [""; 0]);
    house.prove().await;
}

/// A test on SQLite, and on PostgreSQL where there is one.
macro_rules! on_both {
    ($name:ident) => {
        mod $name {
            use supercargo::storage::StoreLocation;

            use super::*;
            use crate::peers::postgres::fresh_database;

            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                let folder = tempfile::tempdir().unwrap();
                let file = folder.path().join("supercargo.db");
                super::$name(House::open(StoreLocation::Sqlite(file)).await).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_postgres() {
                let Some(database) = fresh_database().await else {
                    return;
                };
                let location = StoreLocation::Postgres(database.url.clone());
                super::$name(House::open(location).await).await;
            }
        }
    };
}
pub(crate) use on_both;

/// Two lines for two distribution centres, one of them on two days; and one line by store without any ship-to.
async fn several_ship_tos(house: House) {
    buyer(&house, "[allocation]\nwarehouses = [\"EAST\"]").await;
    let order = "BEG*00*SA*MULTI-1**20260105~N1*BY*PLAIN*92*HQ~N1*ST*DC ONE*92*D1~N3*1 FIRST ROAD~N4*DOVER*DE*19901~\
        N1*ST*DC TWO*92*D2~N3*2 SECOND ROAD~N4*TRENTON*NJ*08601~\
        PO1*1*30*EA*10**VN*HW-1001~SCH*10*EA*ST*D1*010*20260105~SCH*12*EA*ST*DC TWO*010*20260105~SCH*8*EA*ST*D2*010*20260108~\
        PO1*2*5*EA*4**VN*HW-1002~N1*ST**92*D2~QTY*38*2~N1*ST**92*D1~QTY*38*3~\
        PO1*3*6*EA*4**VN*HW-1002~SDQ*EA*92*0007*2*0009*4~CTT*3";
    house.submit("multi.edi", &interchange(1, order)).await;
    let shipments = house
        .lines(
            "SELECT s.ship_to || ' ' || s.status || ' ' || COALESCE(s.not_before, '-') FROM shipment s
             JOIN partner p ON p.id = s.partner_id WHERE p.code = 'plain' ORDER BY 1",
        )
        .await;
    let mut expected = vec![
        "92:0007 shipped -",
        "92:0009 shipped -",
        "92:D1 shipped -",
        "92:D1 shipped 2026-01-05",
        "92:D2 planned 2026-01-08",
        "92:D2 shipped -",
        "92:D2 shipped 2026-01-05",
    ];
    expected.sort_unstable();
    let mut shipments = shipments;
    shipments.sort_unstable();
    assert_eq!(shipments, expected);
    let answers = sent(&house, "855").await;
    assert_eq!(answers.len(), 1);
    assert_eq!(
        segments(&answers[0], "ACK"),
        [
            "ACK*IA*22*EA*068*20260105",
            "ACK*IA*8*EA*068*20260108",
            "ACK*IA*5*EA*068*20260105",
            "ACK*IA*6*EA*068*20260105",
        ]
    );
    house.advance(3).await;
    assert_eq!(status(&house).await, "invoiced");
    for set in ["856", "810"] {
        let mut places: Vec<String> = sent(&house, set)
            .await
            .iter()
            .flat_map(|text| segments(text, "N1"))
            .filter(|segment| segment.starts_with("N1*ST*"))
            .map(|segment| segment.rsplit('*').next().unwrap().to_owned())
            .collect();
        places.sort_unstable();
        assert_eq!(
            places,
            ["0007", "0009", "D1", "D1", "D2", "D2", "D2"],
            "{set}: one ship-to each, where the goods went"
        );
    }
    let told = sent(&house, "856").await.concat();
    assert!(
        told.contains("N3*2 SECOND ROAD"),
        "with its address\n{told}"
    );
    nothing_is_held(&house).await;
}
on_both!(several_ship_tos);

/// What leaves open how much goes where is held, and says so.
async fn unclear_ship_tos(house: House) {
    buyer(&house, "").await;
    let two = "N1*ST*DC ONE*92*D1~N1*ST*DC TWO*92*D2~";
    let line = "PO1*1*30*EA*10**VN*HW-1001~";
    let table = [
        (format!("{two}{line}"), "order-ship-tos"),
        (format!("{line}{two}"), "line-ship-to"),
        (
            format!("N1*ST**92*D1~{line}SCH*10*EA*ST*D2*010*20260106~"),
            "store-quantities-differ",
        ),
        (
            format!("N1*ST**92*D1~{line}SCH*30*EA***405*20260106~"),
            "schedule-date-unknown",
        ),
        (
            format!(
                "N1*ST**92*D1~{line}SDQ*EA*92*07*15*08*15~SCH*15*EA***010*20260106~SCH*15*EA***010*20260109~"
            ),
            "line-stores-and-schedule",
        ),
        (
            format!(
                "{line}SCH*30*EA***010*20260106~N1*ST**92*D1~QTY*38*10~N1*ST**92*D2~QTY*38*20~"
            ),
            "line-routing-unclear",
        ),
    ];
    for (n, (body, code)) in (1..).zip(&table) {
        let order = format!("BEG*00*SA*UNCLEAR-{n}**20260105~{body}CTT*1");
        house.submit("unclear.edi", &interchange(n, &order)).await;
        assert_eq!(status(&house).await, "held", "{code}");
        let held = house
            .lines(&format!(
                "SELECT body FROM purchase_order WHERE po_number = 'UNCLEAR-{n}'"
            ))
            .await;
        assert!(held[0].contains(code), "{code}: {}", held[0]);
        // Held for good, however often it is looked at; released, it goes on.
        let id = number(&house).await;
        orders::verify_again(&house.gateway, id, "test")
            .await
            .unwrap();
        assert_eq!(status(&house).await, "held", "{code}");
        orders::release(&house.gateway, id, "agreed by phone", "test")
            .await
            .unwrap();
        settle(&house).await;
        assert_ne!(status(&house).await, "held", "{code}");
    }
    nothing_is_held(&house).await;
}
on_both!(unclear_ship_tos);

/// A price is corrected, and the held order is verified again: it goes on once.
async fn verified_again(house: House) {
    buyer(&house, "").await;
    load(&house, ListKind::Prices, "item,price\nHW-1001,10.00\n").await;
    let order = "BEG*00*SA*AGAIN-1**20260105~N9*ZZ*NOTE~MSG*CALL AHEAD~N1*ST*SHOP*92*S1~\
        PO1*1*6*EA*12**VN*HW-1001~CTT*1";
    house.submit("again.edi", &interchange(1, order)).await;
    assert_eq!(status(&house).await, "held");
    let id = number(&house).await;
    let reasons = house
        .lines("SELECT detail FROM audit WHERE action = 'order held'")
        .await
        .join("\n");
    assert!(
        reasons.contains("price") && !reasons.contains("free text"),
        "the note does not hold it: {reasons}"
    );
    let again = orders::verify_again(&house.gateway, id, "pat")
        .await
        .unwrap();
    assert_eq!(again.state.word(), "held", "nothing was corrected");
    load(&house, ListKind::Prices, "item,price\nHW-1001,12.00\n").await;
    let again = orders::verify_again(&house.gateway, id, "pat")
        .await
        .unwrap();
    assert_eq!(again.state.word(), "accepted");
    let refused = orders::verify_again(&house.gateway, id, "pat").await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("only a held order"),
        "once is enough"
    );
    settle(&house).await;
    assert_eq!(status(&house).await, "invoiced");
    for set in ["855", "856", "810"] {
        assert_eq!(sent(&house, set).await.len(), 1, "{set}");
    }
    let who = house
        .lines("SELECT actor FROM audit WHERE action = 'order verified again'")
        .await;
    assert_eq!(who, ["pat", "pat"]);
    nothing_is_held(&house).await;
}
on_both!(verified_again);

/// What a person is told to do about a held order leads on, and what would not is not offered.
async fn what_helps_is_told(house: House) {
    buyer(&house, "[verification]\nitem_unknown = \"hold\"").await;
    load(&house, ListKind::Prices, "item,price\nHW-1001,10.00\n").await;
    let cases = [
        (
            "PO1*1*6*EA*12**VN*HW-1001",
            "mend what it names",
            "or release it as it is",
            true,
        ),
        (
            "PO1*1*6*EA*12**VN*NOSUCH",
            "mend what it names",
            "Releasing it does not help",
            false,
        ),
        (
            "PO1*1*6*EA*10**VN*HW-1001~PO1*2*6*EA*10**VN*NOSUCH",
            "mend what it names",
            "refuses line 2 to the buyer, and the rest goes on",
            true,
        ),
        (
            "PO1*1*0*EA*10**VN*HW-1001",
            "ask the buyer for a right order and reject it",
            "Releasing it does not help",
            false,
        ),
        (
            "DTM*001*20250101~PO1*1*6*EA*10**VN*HW-1001",
            "What to do: release it as it is",
            "or reject it",
            true,
        ),
    ];
    for (n, (body, first, second, goes)) in (1..).zip(cases) {
        let (lines, dates): (Vec<&str>, Vec<&str>) = body
            .split('~')
            .partition(|segment| segment.starts_with("PO1"));
        let order = format!(
            "BEG*00*SA*HELP-{n}**20260105~{}N1*ST*SHOP*92*S1~{}~CTT*{}",
            dates
                .iter()
                .map(|date| format!("{date}~"))
                .collect::<String>(),
            lines.join("~"),
            lines.len()
        );
        house.submit("help.edi", &interchange(n, &order)).await;
        assert_eq!(status(&house).await, "held", "{body}");
        let id = number(&house).await;
        let told = house
            .lines(&format!(
                "SELECT message FROM alert WHERE kind = 'order-held' AND subject_id = {id}"
            ))
            .await
            .join("\n");
        for words in [first, second] {
            assert!(told.contains(words), "{body}: {words} not in {told}");
        }
        let mail = house
            .lines("SELECT body FROM mail ORDER BY id")
            .await
            .pop()
            .unwrap_or_default();
        assert!(mail.is_empty() || mail.contains(second), "{body}: {mail}");
        let released = orders::release(&house.gateway, id, "agreed by phone", "test").await;
        assert_eq!(released.is_ok(), goes, "{body}: {released:?}");
        if let Err(refused) = released {
            assert!(refused.to_string().contains(second), "{body}: {refused}");
            assert_eq!(status(&house).await, "held", "{body}");
            orders::reject(&house.gateway, id, "no use", "test")
                .await
                .unwrap();
        }
        settle(&house).await;
        assert_ne!(status(&house).await, "held", "{body}");
    }
    nothing_is_held(&house).await;
}
on_both!(what_helps_is_told);

/// 100 ordered, 40 there, 120 expected: what waits is promised for that day, and ships when the stock is there.
async fn stock_arrives(house: House) {
    buyer(&house, "[allocation]\nwarehouses = [\"EAST\"]").await;
    let order = |po: &str| {
        format!("BEG*00*SA*{po}**20260105~N1*ST*SHOP*92*S1~PO1*1*100*EA*20**VN*HW-1003~CTT*1")
    };
    house
        .submit("wait.edi", &interchange(1, &order("WAIT-1")))
        .await;
    assert_eq!(status(&house).await, "partly_shipped");
    assert_eq!(
        segments(&sent(&house, "855").await[0], "ACK"),
        ["ACK*IA*40*EA*068*20260105", "ACK*IB*60*EA*068*20260125"]
    );
    house.advance(20).await;
    lists::load(
        &house.gateway,
        ListKind::Stock,
        b"warehouse,item,quantity\nEAST,HW-1003,120\n",
        None,
        "test",
    )
    .await
    .unwrap();
    settle(&house).await;
    assert_eq!(status(&house).await, "invoiced");
    let answers = sent(&house, "855").await;
    assert_eq!(answers.len(), 2);
    assert!(segments(&answers[0], "BAK")[0].starts_with("BAK*00*AC*WAIT-1"));
    assert!(segments(&answers[1], "BAK")[0].starts_with("BAK*05*AD*WAIT-1"));
    // What left first has the day on which it did.
    assert_eq!(
        segments(&answers[1], "ACK"),
        ["ACK*IA*40*EA*068*20260105", "ACK*IA*60*EA*068*20260125"]
    );
    for set in ["856", "810"] {
        assert_eq!(sent(&house, set).await.len(), 2, "{set}");
    }
    let expected = house
        .lines("SELECT CAST(COUNT(*) AS TEXT) FROM expected_receipt r JOIN item i ON i.id = r.item_id WHERE r.closed = 0 AND i.code = 'HW-1003'")
        .await;
    assert_eq!(expected, ["0"], "what was counted is expected no longer");
    // The rest of it, 60, is all that a second order of 100 gets, and nothing of it waits where the partner wants it cut.
    buyer(
        &house,
        "[allocation]\nwarehouses = [\"EAST\"]\non_short = \"cut\"",
    )
    .await;
    house
        .submit("cut.edi", &interchange(2, &order("CUT-1")))
        .await;
    assert_eq!(status(&house).await, "invoiced");
    assert_eq!(
        segments(&sent(&house, "855").await[2], "ACK"),
        ["ACK*IA*60*EA*068*20260125", "ACK*ID*40*EA"]
    );
    lists::load(
        &house.gateway,
        ListKind::Stock,
        b"warehouse,item,quantity\nEAST,HW-1003,500\n",
        None,
        "test",
    )
    .await
    .unwrap();
    settle(&house).await;
    assert_eq!(sent(&house, "855").await.len(), 3, "what was cut stays cut");
    nothing_is_held(&house).await;
}
on_both!(stock_arrives);

/// Loads a stock list, and lets what it makes due be done.
pub async fn load_stock(house: &House, list: &str) {
    lists::load(
        &house.gateway,
        ListKind::Stock,
        list.as_bytes(),
        None,
        "test",
    )
    .await
    .unwrap();
    settle(house).await;
}

/// What a shipment left behind is dated by what is to come in, in the second 855 too; and a cancelled order leaves what
/// it was promised of that to the next.
async fn short_of_the_plan(house: House) {
    buyer(&house, "[allocation]\nwarehouses = [\"WEST\"]").await;
    let stock =
        b"warehouse,item,quantity,expected_on\nWEST,HW-1001,10,\nWEST,HW-1001,12,2026-02-02\n";
    lists::load(&house.gateway, ListKind::Stock, stock, None, "test")
        .await
        .unwrap();
    let order = |po: &str| {
        format!("BEG*00*SA*{po}**20260105~N1*ST*SHOP*92*S1~PO1*1*10*EA*10**VN*HW-1001~CTT*1")
    };
    house
        .submit("short.edi", &interchange(1, &order("SHORT-1")))
        .await;
    let planned = house
        .lines("SELECT s.body FROM shipment s JOIN partner p ON p.id = s.partner_id WHERE p.code = 'plain'")
        .await;
    let mut shipment: Shipment = serde_json::from_str(&planned[0]).unwrap();
    let left_behind = shipment.cartons.pop().unwrap().contents[0].quantity;
    assert_eq!(left_behind.to_string(), "4");
    let confirmation = serde_json::json!({ "shipment": shipment.id, "cartons": shipment.cartons });
    shipments::confirm_text(&house.gateway, confirmation.to_string().as_bytes(), "test")
        .await
        .unwrap();
    settle(&house).await;
    let answers = sent(&house, "855").await;
    assert_eq!(
        segments(&answers[1], "ACK"),
        ["ACK*IA*6*EA*068*20260105", "ACK*IB*4*EA*068*20260202"]
    );
    let promised = "SELECT CAST(r.promised / 10000 AS TEXT) FROM expected_receipt r JOIN item i ON i.id = r.item_id
                    WHERE r.closed = 0 AND i.code = 'HW-1001' AND r.on_date = '2026-02-02'";
    assert_eq!(house.lines(promised).await, ["4"]);
    house
        .submit("next.edi", &interchange(2, &order("SHORT-2")))
        .await;
    let next = number(&house).await;
    let last = async || sent(&house, "855").await.pop().unwrap();
    assert_eq!(
        segments(&last().await, "ACK"),
        ["ACK*IB*10*EA"],
        "what was left behind is promised to nobody, and eight are to come that nobody waits for"
    );
    let count = async |row: &str| {
        let text = format!("warehouse,item,quantity\n{row}\n");
        load_stock(&house, &text).await;
    };
    let uncounted =
        "SELECT CAST(s.uncounted / 10000 AS TEXT) FROM stock s JOIN item i ON i.id = s.item_id
                     WHERE s.uncounted <> 0 AND i.code = 'HW-1001'";
    let answers = sent(&house, "855").await.len();
    count("WEST,HW-1003,500").await;
    assert_eq!(sent(&house, "855").await.len(), answers);
    assert_eq!(
        house.lines(uncounted).await,
        ["4"],
        "another item was counted"
    );
    house.prove().await;

    let first = OrderId(next.0 - 1);
    orders::cancel(&house.gateway, first, "the rest", "test")
        .await
        .unwrap();
    settle(&house).await;
    assert!(last().await.contains("*SHORT-2*"));
    assert_eq!(
        segments(&last().await, "ACK"),
        ["ACK*IB*10*EA*068*20260202"],
        "who waits gets what the other gave up"
    );
    assert_eq!(house.lines(promised).await, ["10"]);

    count("WEST,HW-1001,3").await;
    assert!(house.lines(uncounted).await.is_empty());
    assert_eq!(
        segments(&last().await, "ACK"),
        ["ACK*IA*3*EA*068*20260105", "ACK*IB*7*EA*068*20260202"],
        "three of the four were found"
    );
    orders::cancel(&house.gateway, next, "test", "test")
        .await
        .unwrap();
    settle(&house).await;
    let told = last().await;
    assert!(
        segments(&told, "BAK")[0].starts_with("BAK*05*RD*SHORT-2"),
        "{told}"
    );
    assert_eq!(segments(&told, "ACK"), ["ACK*ID*10*EA"]);
    assert_eq!(house.lines(promised).await, ["0"]);
    house.prove().await;
    nothing_is_held(&house).await;
}
on_both!(short_of_the_plan);

/// Half a case that a shipment left behind fills none, where only whole cases are promised: it is cut once the goods are
/// counted, and a person of ours is told.
async fn half_a_case_left_behind(house: House) {
    buyer(
        &house,
        "[allocation]\nwarehouses = [\"WEST\"]\nwhole_cases = true",
    )
    .await;
    load_stock(&house, "warehouse,item,quantity\nWEST,HW-1001,12\n").await;
    let order = "BEG*00*SA*HALF-1**20260105~N1*ST*SHOP*92*S1~PO1*1*12*EA*10**VN*HW-1001~CTT*1";
    house.submit("half.edi", &interchange(1, order)).await;
    let planned = house
        .lines("SELECT s.body FROM shipment s JOIN partner p ON p.id = s.partner_id WHERE p.code = 'plain'")
        .await;
    let mut shipment: Shipment = serde_json::from_str(&planned[0]).unwrap();
    let last = &mut shipment.cartons.last_mut().unwrap().contents[0];
    assert_eq!(last.quantity.to_string(), "6");
    last.quantity = 3.into();
    let confirmation = serde_json::json!({ "shipment": shipment.id, "cartons": shipment.cartons });
    shipments::confirm_text(&house.gateway, confirmation.to_string().as_bytes(), "test")
        .await
        .unwrap();
    settle(&house).await;
    let alerts = "SELECT message FROM alert WHERE kind = 'cut-later' AND cleared_at IS NULL";
    assert_eq!(house.lines(alerts).await, [""; 0]);
    load_stock(&house, "warehouse,item,quantity\nWEST,HW-1001,0\n").await;
    assert_eq!(
        segments(&sent(&house, "855").await.pop().unwrap(), "ACK"),
        ["ACK*IA*9*EA*068*20260105", "ACK*IR*3*EA"]
    );
    let told = house.lines(alerts).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("PO HALF-1") && told[0].contains("3 EA of HW-1001 fill no case"),
        "{told:?}"
    );
    load_stock(&house, "warehouse,item,quantity\nWEST,HW-1001,6\n").await;
    assert_eq!(house.lines(alerts).await.len(), 1, "once");
    nothing_is_held(&house).await;
}
on_both!(half_a_case_left_behind);

/// An order that ships complete waits for the last of it; what is there is set aside for it, and a younger one can not take
/// it. A count that finds less takes it from the youngest, whoever's order that is.
async fn complete_or_not_at_all(house: House) {
    buyer(
        &house,
        "[allocation]\nwarehouses = [\"WEST\"]\nship_complete = true",
    )
    .await;
    let load = async |rows: &str| {
        let text = format!("warehouse,item,quantity,expected_on\n{rows}");
        load_stock(&house, &text).await;
    };
    load("WEST,HW-1001,10,\nWEST,HW-1001,10,2026-02-02\nWEST,HW-1003,0,\nWEST,HW-1003,10,2026-02-09\n").await;
    let lines = |number: u32, lines: &[(&str, u32)]| {
        let parts: String = lines
            .iter()
            .map(|(item, units)| format!("~PO1**{units}*EA*10**VN*{item}"))
            .collect();
        format!(
            "BEG*00*SA*WHOLE-{number}**20260105~N1*ST*SHOP*92*S1{parts}~CTT*{}",
            lines.len()
        )
    };
    let last = async || sent(&house, "855").await.pop().unwrap();
    let submit = async |number: u32, of: &[(&str, u32)]| {
        house
            .submit(
                &format!("{number}.edi"),
                &interchange(number, &lines(number, of)),
            )
            .await;
        segments(&last().await, "ACK")
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let held =
        "SELECT i.code || ' ' || (s.reserved / 10000) || ' ' || (s.set_aside / 10000) FROM stock s
                JOIN item i ON i.id = s.item_id JOIN warehouse w ON w.id = s.warehouse_id
                WHERE w.code = 'WEST' AND s.reserved + s.set_aside > 0 ORDER BY i.code";
    assert_eq!(
        submit(1, &[("HW-1001", 12)]).await,
        ["ACK*IB*12*EA*068*20260202"]
    );
    assert_eq!(house.lines(held).await, ["HW-1001 0 10"]);
    // Of this one nothing is there: all of it is of what is to come.
    assert_eq!(
        submit(2, &[("HW-1001", 5), ("HW-1003", 4)]).await,
        ["ACK*IB*5*EA*068*20260209", "ACK*IB*4*EA*068*20260209"]
    );
    assert_eq!(house.lines(held).await, ["HW-1001 0 10"]);
    // Three are to come that nobody waits for.
    assert_eq!(submit(3, &[("HW-1001", 4)]).await, ["ACK*IB*4*EA"]);
    house.prove().await;

    // Three less are there than were thought: the oldest waits for five of what comes, the second for none of it.
    load("WEST,HW-1001,7,\n").await;
    assert_eq!(house.lines(held).await, ["HW-1001 0 7"]);
    house.prove().await;

    load("WEST,HW-1001,12,\n").await;
    let answers = sent(&house, "855").await;
    let of = |po: &str| answers.iter().rfind(|answer| answer.contains(po)).unwrap();
    assert_eq!(
        segments(of("*WHOLE-3*"), "ACK"),
        ["ACK*IB*4*EA*068*20260202"],
        "what the oldest waits for no longer goes to the last"
    );
    let told = of("*WHOLE-1*");
    assert_eq!(segments(told, "ACK"), ["ACK*IA*12*EA*068*20260105"]);
    assert_eq!(house.lines(held).await, ["HW-1001 12 0"]);
    house.prove().await;
}
on_both!(complete_or_not_at_all);

/// A receipt is promised once: it comes in part, the rest is announced again, it is put lower; who waited first keeps what
/// is left, nobody is told anything twice, and the history agrees all the while.
async fn receipts_that_change(house: House) {
    buyer(&house, "[allocation]\nwarehouses = [\"WEST\"]").await;
    let order = |po: &str| {
        format!("BEG*00*SA*{po}**20260105~N1*ST*SHOP*92*S1~PO1*1*6*EA*10**VN*HW-1001~CTT*1")
    };
    let list = async |rows: &str| {
        let text = format!("warehouse,item,quantity,expected_on\n{rows}");
        load_stock(&house, &text).await;
        house.prove().await;
    };
    let promised = async || {
        house
            .lines(
                "SELECT r.on_date || ' ' || (r.promised / 10000) || ' of ' || (r.quantity / 10000) FROM expected_receipt r
                 JOIN item i ON i.id = r.item_id JOIN warehouse w ON w.id = r.warehouse_id
                 WHERE i.code = 'HW-1001' AND w.code = 'WEST' AND r.on_date > '2026-01-31' ORDER BY r.on_date",
            )
            .await
    };
    let answers = async || {
        let texts = sent(&house, "855").await;
        let last = texts.last().unwrap();
        (texts.len(), segments(last, "ACK").join(" "))
    };
    list("WEST,HW-1001,0,\nWEST,HW-1001,4,2026-02-02\nWEST,HW-1001,6,2026-03-02\n").await;
    house
        .submit("x.edi", &interchange(1, &order("WAIT-X")))
        .await;
    assert_eq!(answers().await, (1, "ACK*IB*6*EA*068*20260302".to_owned()));
    assert_eq!(promised().await, ["2026-02-02 4 of 4", "2026-03-02 2 of 6"]);

    // The four are here before their day, and the receipt is closed as the documentation says.
    list("WEST,HW-1001,4,\nWEST,HW-1001,0,2026-02-02\n").await;
    assert_eq!(
        answers().await,
        (
            2,
            "ACK*IA*4*EA*068*20260105 ACK*IB*2*EA*068*20260302".to_owned()
        )
    );
    assert_eq!(promised().await, ["2026-02-02 0 of 0", "2026-03-02 2 of 6"]);

    // Another order waits for the rest; then less is to come than both wait for.
    house
        .submit("y.edi", &interchange(2, &order("WAIT-Y")))
        .await;
    assert_eq!(
        answers().await,
        (3, "ACK*IB*6*EA".to_owned()),
        "4 are free of 6"
    );
    list("WEST,HW-1001,8,2026-03-02\n").await;
    assert_eq!(answers().await, (4, "ACK*IB*6*EA*068*20260302".to_owned()));
    assert_eq!(promised().await[1], "2026-03-02 8 of 8");
    list("WEST,HW-1001,5,2026-03-02\n").await;
    assert_eq!(
        answers().await,
        (5, "ACK*IB*6*EA".to_owned()),
        "the younger is told"
    );
    assert_eq!(promised().await[1], "2026-03-02 2 of 5");
    for row in [
        "WEST,HW-1001,5,2026-03-02\n",
        "WEST,HW-1001,2,2026-03-02\nEAST,HW-1001,0,2026-03-02\n",
    ] {
        list(row).await;
        assert_eq!(answers().await.0, 5, "nothing has changed, nobody is told");
    }
    let more = ReceiptPromise {
        item: ItemId(
            house
                .lines("SELECT CAST(id AS TEXT) FROM item WHERE code = 'HW-1001'")
                .await[0]
                .parse()
                .unwrap(),
        ),
        warehouse: WarehouseId(
            house
                .lines("SELECT CAST(id AS TEXT) FROM warehouse WHERE code = 'WEST'")
                .await[0]
                .parse()
                .unwrap(),
        ),
        on: "2026-03-02".parse().unwrap(),
        base: 4.into(),
    };
    let mut connection = house.gateway.store.read().await.unwrap();
    let refused = connection
        .hold(
            Mode::Production,
            &Holds {
                receipts: vec![more],
                ..Holds::default()
            },
        )
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("somebody else"), "{refused}");
}
on_both!(receipts_that_change);

/// What a step asked for is due a moment after the last thing it wrote; set back, the clock leaves none of it lying.
async fn the_clock_is_set_back(house: House) {
    buyer(&house, "").await;
    let ahead = chrono::Duration::days(9);
    *house.clock.0.lock().unwrap() += ahead;
    let order = "BEG*00*SA*BACK-1**20260114~N1*ST*SHOP*92*S1~PO1*1*6*EA*10**VN*HW-1001~CTT*1";
    house.submit("back.edi", &interchange(1, order)).await;
    let id = number(&house).await;
    let due = house.gateway.now() + chrono::Duration::seconds(2);
    house
        .gateway
        .store
        .write(Class::Ordinary, move |connection| {
            Box::pin(async move { connection.ask_for(Step::Allocate, id.0, &[id.0], due).await })
        })
        .await
        .unwrap();
    *house.clock.0.lock().unwrap() -= ahead;
    assert!(jump::mend(&house.gateway).await.unwrap().is_some());
    settle(&house).await;
    let left = house.lines("SELECT step FROM work").await;
    assert_eq!(left, [""; 0]);
}
on_both!(the_clock_is_set_back);

/// Two orders for one place travel together on pallets; nothing leaves before its window without a reason; what is short
/// goes with a second shipment; no label is used twice.
async fn together_and_in_parts(house: House) {
    buyer(
        &house,
        "[allocation]\nwarehouses = [\"WEST\"]\n[packing]\nconsolidate = true\npallet_cartons = 2\n\
         [ship_notice]\nstructure = \"shipment_order_tare_pack_item\"",
    )
    .await;
    let stock = b"warehouse,item,quantity\nWEST,HW-1001,60\n";
    lists::load(&house.gateway, ListKind::Stock, stock, None, "test")
        .await
        .unwrap();
    for (n, po) in [(1, "TOG-1"), (2, "TOG-2")] {
        let order = format!(
            "BEG*00*SA*{po}**20260105~DTM*037*20260106~DTM*038*20260108~N1*ST*SHOP*92*S1~PO1*1*18*EA*10**VN*HW-1001~CTT*1"
        );
        house.submit("together.edi", &interchange(n, &order)).await;
    }
    let planned = house
        .lines("SELECT s.body FROM shipment s JOIN partner p ON p.id = s.partner_id WHERE p.code = 'plain'")
        .await;
    assert_eq!(planned.len(), 1, "both on one");
    let mut shipment: Shipment = serde_json::from_str(&planned[0]).unwrap();
    assert_eq!(shipment.orders().len(), 2);
    assert_eq!((shipment.cartons.len(), shipment.pallets().len()), (6, 4));
    let labels: BTreeSet<String> = shipment
        .cartons
        .iter()
        .map(|carton| carton.sscc.to_string())
        .chain(shipment.pallets().into_iter().map(str::to_owned))
        .collect();
    assert_eq!(labels.len(), 10, "every label once");

    let early = shipments::confirm_text(
        &house.gateway,
        format!("{{\"shipment\": {}}}", shipment.id).as_bytes(),
        "test",
    )
    .await;
    assert!(
        early
            .unwrap_err()
            .to_string()
            .contains("may leave from 2026-01-06")
    );
    // The last carton, of the second order, is not there; the others leave a day early, for a reason.
    let left_behind = shipment.cartons.pop().unwrap();
    assert_eq!(left_behind.contents[0].quantity.to_string(), "6");
    let confirmation = serde_json::json!({
        "shipment": shipment.id,
        "cartons": shipment.cartons,
        "tracking": "PRO1",
        "override": "agreed by phone",
    });
    let text = confirmation.to_string();
    shipments::confirm_text(&house.gateway, text.as_bytes(), "test")
        .await
        .unwrap();
    let twice = shipments::confirm_text(&house.gateway, text.as_bytes(), "test").await;
    assert!(twice.unwrap_err().to_string().contains("already shipped"));
    settle(&house).await;
    let notices = sent(&house, "856").await;
    assert_eq!(notices.len(), 1);
    let levels: String = segments(&notices[0], "HL")
        .iter()
        .map(|level| level.split('*').nth(3).unwrap())
        .collect();
    assert_eq!(levels, "SOTPIPITPIOTPIPI");
    let told: BTreeSet<&str> = segments(&notices[0], "MAN")
        .iter()
        .map(|man| &man["MAN*GM*00".len()..])
        .collect();
    assert_eq!(told.len(), 8, "five cartons on three pallets");
    assert!(told.iter().all(|sscc| labels.contains(*sscc)));
    assert_eq!(
        sent(&house, "810").await.len(),
        2,
        "an invoice for each order"
    );

    // What did not leave waits, is promised again when it was counted, and goes under a label of its own.
    assert_eq!(status(&house).await, "partly_shipped");
    let left_behind_alerts =
        "SELECT COUNT(*) || '' FROM alert WHERE kind = 'left-behind' AND cleared_at IS NULL";
    assert_eq!(house.lines(left_behind_alerts).await, ["1"]);
    let left = house
        .lines("SELECT w.code || ',' || i.code || ',' || (s.on_hand / 10000) FROM stock s JOIN item i ON i.id = s.item_id JOIN warehouse w ON w.id = s.warehouse_id WHERE s.uncounted > 0")
        .await;
    let counted = format!("warehouse,item,quantity\n{}\n", left.join("\n"));
    lists::load(
        &house.gateway,
        ListKind::Stock,
        counted.as_bytes(),
        None,
        "test",
    )
    .await
    .unwrap();
    settle(&house).await;
    assert_eq!(house.lines(left_behind_alerts).await, ["0"]);
    let second = house
        .lines("SELECT s.body FROM shipment s JOIN partner p ON p.id = s.partner_id WHERE p.code = 'plain' AND s.status = 'planned'")
        .await;
    assert_eq!(second.len(), 1);
    let second: Shipment = serde_json::from_str(&second[0]).unwrap();
    assert!(!labels.contains(second.cartons[0].sscc.as_str()));
    let stolen = format!(
        "{{\"shipment\": {}, \"override\": \"x\", \"cartons\": [{{\"sscc\": \"{}\", \"contents\": [{{\"order\": {}, \"line\": 1, \"quantity\": 6}}]}}]}}",
        second.id,
        shipment.cartons[0].sscc,
        second.orders()[0]
    );
    let refused = shipments::confirm_text(&house.gateway, stolen.as_bytes(), "test").await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("never used twice")
    );
    house.advance(1).await;
    // The carton that was left behind bears its label already; the shipment that it was planned on left without it.
    let labelled = stolen.replace(&*shipment.cartons[0].sscc, &left_behind.sscc);
    shipments::confirm_text(&house.gateway, labelled.as_bytes(), "test")
        .await
        .unwrap();
    settle(&house).await;
    assert_eq!(status(&house).await, "invoiced");
    let notices = sent(&house, "856").await;
    assert_eq!(notices.len(), 2);
    assert!(notices[1].contains(&*left_behind.sscc));
    nothing_is_held(&house).await;
}
on_both!(together_and_in_parts);

/// Labels that others gave to cartons before we came to issue them are passed over.
async fn labels_around_given_ones(house: House) {
    buyer(&house, "[allocation]\nwarehouses = [\"WEST\"]").await;
    let stock = b"warehouse,item,quantity\nWEST,HW-1001,60\n";
    lists::load(&house.gateway, ListKind::Stock, stock, None, "test")
        .await
        .unwrap();
    let taken = house
        .gateway
        .store
        .write(Class::Ordinary, |connection| {
            Box::pin(async move {
                let mine = ShipmentId(900);
                let other = ShipmentId(901);
                let world = Mode::Production;
                connection
                    .claim_given_labels("00614141", world, mine, &[2, 7])
                    .await?;
                connection
                    .claim_given_labels("00614141", world, mine, &[2])
                    .await?;
                connection
                    .claim_given_labels("00614141", world, other, &[7, 9])
                    .await
            })
        })
        .await
        .unwrap();
    assert_eq!(taken, [7]);
    let order = "BEG*00*SA*LAB-1**20260105~DTM*037*20260106~N1*ST*SHOP*92*S1~PO1*1*18*EA*10**VN*HW-1001~CTT*1";
    house.submit("labels.edi", &interchange(1, order)).await;
    let planned = house
        .lines("SELECT s.body FROM shipment s JOIN partner p ON p.id = s.partner_id WHERE p.code = 'plain'")
        .await;
    let shipment: Shipment = serde_json::from_str(&planned[0]).unwrap();
    let serials: Vec<u64> = shipment
        .cartons
        .iter()
        .map(|carton| sscc_serial(0, "0614141", &carton.sscc).unwrap())
        .collect();
    assert_eq!(serials, [4, 5, 6]);
    let runs = house
        .lines("SELECT first_serial || '-' || last_serial || ' ' || shipment_id FROM label_run WHERE mode = 'production'")
        .await;
    assert_eq!(runs, [format!("4-6 {}", shipment.id)]);
}
on_both!(labels_around_given_ones);

/// The partner rejects our 856 and 810 in its 997; sent again they say what they are, under new control numbers, once.
async fn sent_again(house: House) {
    buyer(
        &house,
        "[ship_notice]\nresend_purpose = \"05\"\n[invoice_document]\nresend_purpose = \"05\"",
    )
    .await;
    let order = "BEG*00*SA*RESEND-1**20260105~N1*ST*SHOP*92*S1~PO1*1*6*EA*10**VN*HW-1001~CTT*1";
    house.submit("resend.edi", &interchange(1, order)).await;
    for (n, (set, functional)) in (1..).zip([("856", "SH"), ("810", "IN"), ("855", "PR")]) {
        let first = sent(&house, set).await.swap_remove(0);
        let place = house
            .lines(&format!(
                "SELECT CAST(d.id AS TEXT) || ' ' || d.gs06 || ' ' || d.st02 FROM document d JOIN partner p ON p.id = d.partner_id
                 WHERE p.code = 'plain' AND d.set_code = '{set}'"
            ))
            .await;
        let place: Vec<&str> = place[0].split(' ').collect();
        let (gs06, st02) = (place[1], place[2]);
        let answer = format!(
            "ISA*00*          *00*          *ZZ*PLAINSAMPLE    *ZZ*SUPERCARGO     *260105*0900*U*00401*{:09}*0*P*>~\
             GS*FA*PLAINSAMPLE*SUPERCARGO*20260105*0900*{n}*X*004010~ST*997*0001~AK1*{functional}*{gs06}~AK2*{set}*{st02}~\
             AK5*R*5~AK9*R*1*1*0~SE*6*0001~GE*1*{n}~IEA*1*{:09}~",
            100 + n,
            100 + n
        );
        house.submit("answer.edi", answer.as_bytes()).await;
        let id = DocumentId(place[0].parse().unwrap());
        documents::resend(&house.gateway, id, "test").await.unwrap();
        settle(&house).await;
        let all = sent(&house, set).await;
        assert_eq!(all.len(), 2, "{set}");
        let told = |text: &str| match set {
            "856" => segments(text, "BSN")[0]
                .split('*')
                .nth(1)
                .unwrap()
                .to_owned(),
            "810" => segments(text, "BIG")[0]
                .split('*')
                .nth(8)
                .unwrap_or("00")
                .to_owned(),
            _ => segments(text, "BAK")[0]
                .split('*')
                .nth(1)
                .unwrap()
                .to_owned(),
        };
        let again = if set == "855" { "00" } else { "05" };
        assert_eq!(
            (told(&first).as_str(), told(&all[1]).as_str()),
            ("00", again),
            "{set}"
        );
        let deliveries = house
            .lines(&format!(
                "SELECT d.delivery || ' ' || CASE WHEN d.gs06 = '{gs06}' THEN 'same' ELSE 'new' END FROM document d
                 JOIN partner p ON p.id = d.partner_id WHERE p.code = 'plain' AND d.set_code = '{set}' ORDER BY d.id"
            ))
            .await;
        assert_eq!(deliveries[0], "superseded same", "{set}");
        assert!(deliveries[1].ends_with(" new"), "{set}: {deliveries:?}");
        let twice = documents::resend(&house.gateway, id, "test").await;
        assert!(twice.is_err(), "{set}: once is enough");
    }
    nothing_is_held(&house).await;
}
on_both!(sent_again);

/// The days that the samples are written for, so that the dates above are those of the house.
#[test]
fn the_day_is_that_of_the_samples() {
    assert_eq!(samples::WRITTEN_ON.to_string(), "2026-01-05");
}

/// Workers side by side promise what there is plenty of and what there is little of, while more comes in: nobody waits in
/// the end, and nothing is promised twice.
async fn promised_side_by_side(house: House) {
    buyer(&house, "[allocation]\nwarehouses = [\"EAST\"]").await;
    let count = async |rows: &str| {
        let list = format!("warehouse,item,quantity\n{rows}");
        lists::load(
            &house.gateway,
            ListKind::Stock,
            list.as_bytes(),
            None,
            "test",
        )
        .await
        .unwrap();
    };
    count("EAST,HW-1001,100000\nEAST,HW-1002,60\n").await;
    for number in 1..=60 {
        // Every other asks for what there is plenty of alone.
        let scarce = match number % 2 {
            0 => "PO1*2*3*EA*4**VN*HW-1002~CTT*2",
            _ => "CTT*1",
        };
        let order = format!(
            "BEG*00*SA*SIDE-{number}**20260105~N1*ST*DC ONE*92*D1~N3*1 FIRST ROAD~N4*DOVER*DE*19901~\
             PO1*1*5*EA*10**VN*HW-1001~{scarce}"
        );
        let upload = Upload {
            connection: None,
            partner: None,
            name: format!("side-{number}.edi"),
            source: UploadSource::Bytes(interchange(number, &order)),
            actor: "test".to_owned(),
            key: None,
        };
        receive(&house.gateway, upload).await.unwrap();
    }
    let work = |duty| {
        let gateway = house.gateway.clone();
        async move {
            for _ in 0..40 {
                run::work_until(&gateway, duty, &|| false).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    };
    tokio::join!(
        work(Duty::Files),
        work(Duty::TheRest),
        work(Duty::TheRest),
        work(Duty::TheRest),
        async {
            while house
                .lines("SELECT po_number FROM purchase_order WHERE waiting = 1")
                .await
                .is_empty()
            {
                run::work_until(&house.gateway, Duty::TheRest, &|| false)
                    .await
                    .unwrap();
            }
            count("EAST,HW-1002,200\n").await;
        }
    );
    settle(&house).await;
    let waiting = house
        .lines("SELECT po_number FROM purchase_order WHERE waiting = 1")
        .await;
    assert_eq!(waiting, [""; 0], "what came in went to all who waited");
    let orders = house
        .lines("SELECT o.status FROM purchase_order o JOIN partner p ON p.id = o.partner_id WHERE p.code = 'plain'")
        .await;
    assert_eq!(orders.len(), 60);
    nothing_is_held(&house).await;
}
on_both!(promised_side_by_side);
