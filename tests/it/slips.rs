//! Slips of people and of partners: a misspelt field, a count that cannot be, answers that contradict themselves. Each is
//! refused in a sentence, or laid before a person; nothing is guessed, and nothing happens silently.

use std::fmt::Write;

use supercargo::domain::ids::OrderId;
use supercargo::service::mailbox::Mailboxes;
use supercargo::transport::sftp_server::{
    AbandonCause, AbandonedUpload, MailboxIdentity, MailboxPort,
};
use supercargo::workflow::lists::{self, ListKind};
use supercargo::workflow::{orders, shipments};

use crate::bad_input::{order, po, remittance};
use crate::orders::{on_both, settle};
use crate::thread::House;

async fn load(house: &House, kind: ListKind, text: &str) -> Result<usize, String> {
    lists::load(&house.gateway, kind, text.as_bytes(), None, "test")
        .await
        .map_err(|failure| failure.to_string())
}

async fn confirm(house: &House, text: &str) -> Result<usize, String> {
    shipments::confirm_text(&house.gateway, text.as_bytes(), "test")
        .await
        .map(|left| left.len())
        .map_err(|failure| failure.to_string())
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, String>, says: &[&str]) {
    let told = outcome.unwrap_err();
    assert!(
        says.iter().all(|word| told.contains(word)),
        "{says:?}: {told}"
    );
}

/// A stock list that names one item twice, a unit that changes under stock, a count below what is promised.
async fn lists_that_cannot_be(house: House) {
    let twice = "warehouse,item,quantity\nEAST,HW-1001,50\nEAST,614141100019,70\n";
    refusal(
        load(&house, ListKind::Stock, twice).await,
        &["line 3", "HW-1001", "line 2"],
    );
    let unit = "code,description,unit\nHW-1001,CORDLESS DRILL,CA\n";
    refusal(
        load(&house, ListKind::Items, unit).await,
        &["HW-1001 is counted in EA"],
    );
    house.submit("order.edi", &order(701, &[])).await;
    let reserved = house
        .lines("SELECT w.code || ',' || i.code FROM stock s JOIN item i ON i.id = s.item_id JOIN warehouse w ON w.id = s.warehouse_id WHERE s.reserved > 0 AND s.mode = 'production'")
        .await;
    let short = format!("warehouse,item,quantity\n{},1\n", reserved[0]);
    refusal(
        load(&house, ListKind::Stock, &short).await,
        &["1 counted", "promised to orders"],
    );
    house.prove().await;
}
on_both!(lists_that_cannot_be);

/// Fields that a confirmation has not, text that its ship notice cannot carry, and several of which one is wrong.
async fn confirmations(house: House) {
    for n in [711, 712, 713] {
        house.submit("order.edi", &order(n, &[])).await;
    }
    let ids = house
        .lines("SELECT CAST(id AS TEXT) FROM shipment ORDER BY id")
        .await;
    let [one, two, three] = [&ids[0], &ids[1], &ids[2]];
    let now = "\"override\": \"the buyer wants it now\"";
    refusal(
        confirm(
            &house,
            &format!("{{\"shipment\": {one}, {now}, \"carton\": []}}"),
        )
        .await,
        &["no field \"carton\"", "nothing was confirmed"],
    );
    refusal(
        confirm(
            &house,
            &format!("{{\"shipment\": {one}, {now}, \"tracking\": \"1Z~9\"}}"),
        )
        .await,
        &["ship notice"],
    );
    let left = "SELECT COUNT(*) || '' FROM shipment WHERE status = 'shipped'";
    assert_eq!(house.lines(left).await, ["0"]);
    let several = format!(
        "[{{\"shipment\": {one}, {now}}}, {{\"shipment\": 999, {now}}}, {{\"shipment\": {two}, {now}}}]"
    );
    refusal(
        confirm(&house, &several).await,
        &["there is no shipment 999", "the others left"],
    );
    assert_eq!(house.lines(left).await, ["2"]);
    let warehouse = shipments::confirm_file(
        &house.gateway,
        "ELSEWHERE",
        format!("{{\"shipment\": {three}, {now}}}").as_bytes(),
    )
    .await;
    refusal(
        warehouse.map_err(|failure| failure.to_string()),
        &["ELSEWHERE"],
    );
    assert_eq!(house.lines(left).await, ["2"]);
    settle(&house).await;
    house.prove().await;
}
on_both!(confirmations);

/// An order that was rejected does not keep its number: the buyer sends a right one under it.
async fn sent_again_after_a_rejection(house: House) {
    house
        .submit("wrong.edi", &order(721, &[("*8.75*", "*7.75*")]))
        .await;
    let first = house
        .lines("SELECT id || ' ' || status FROM purchase_order ORDER BY id")
        .await;
    assert!(first[0].ends_with("held"), "{first:?}");
    let id = OrderId(first[0].split(' ').next().unwrap().parse().unwrap());
    let right = order(722, &[(&po(722), &po(721))]);
    house.submit("early.edi", &right).await;
    let count = "SELECT COUNT(*) || '' FROM purchase_order";
    assert_eq!(house.lines(count).await, ["1"], "it is there, held");
    orders::reject(&house.gateway, id, "the price is not agreed", "test")
        .await
        .unwrap();
    settle(&house).await;
    let again = order(723, &[(&po(723), &po(721))]);
    house.submit("right.edi", &again).await;
    let states = house
        .lines("SELECT status FROM purchase_order ORDER BY id")
        .await;
    assert_eq!(states.len(), 2, "{states:?}");
    assert_eq!(states[0], "rejected");
    assert_ne!(states[1], "held");
    let third = order(724, &[(&po(724), &po(721))]);
    house.submit("again.edi", &third).await;
    assert_eq!(house.lines(count).await, ["2"], "and that one stands");
    house.prove().await;
}
on_both!(sent_again_after_a_rejection);

/// One reference and amount: the same remittance again, one that pays other items, one in another currency, and one of
/// another day.
async fn remittances_alike(house: House) {
    let body = |items: &str, currency: &str| {
        format!("BPR*C*100*C*CHK************20260105~TRN*1*CHK7~{currency}ENT*1~{items}")
    };
    let alike = [
        ("RMR*IV*NOSUCH**100~", "", "processed"),
        ("RMR*IV*NOSUCH**100~", "", "duplicate"),
        ("RMR*IV*OTHER**100~", "", "held"),
        ("RMR*IV*NOSUCH**100~", "CUR*PR*EUR~", "processed"),
    ];
    for ((items, currency, wanted), n) in alike.into_iter().zip(731..) {
        house
            .submit("820.edi", &remittance(n, &body(items, currency)))
            .await;
        let last = house
            .lines("SELECT disposition || ' ' || findings FROM document WHERE set_code = '820' ORDER BY id DESC")
            .await;
        assert!(
            last[0].starts_with(wanted),
            "{items}{currency}: {}",
            last[0]
        );
        if wanted == "held" {
            assert!(last[0].contains("payment-repeated"), "{}", last[0]);
        }
    }
    let next_day = body("RMR*IV*NOSUCH**100~", "").replace("20260105", "20260106");
    house.submit("820.edi", &remittance(735, &next_day)).await;
    let held = house
        .lines("SELECT findings FROM document WHERE set_code = '820' AND disposition = 'held' ORDER BY id DESC")
        .await;
    assert!(
        held[0].contains("of 2026-01-05 has the same reference"),
        "{}",
        held[0]
    );
    let booked = house
        .lines("SELECT currency || ' ' || amount FROM payment ORDER BY id")
        .await;
    assert_eq!(booked, ["USD 10000", "EUR 10000"]);
    house.prove().await;
}
on_both!(remittances_alike);

/// What a partner answers to our 855 in a 997, and what becomes of it.
async fn answers(house: House) {
    let table = [
        ("AK1*PR*{gs}~AK2*855*{st}~AK5*A~AK9*A*1*1*1~", "accepted"),
        (
            "AK1*PR*0000{gs}~AK2*855*{st}~AK5*A~AK9*A*1*1*1~",
            "accepted",
        ),
        ("AK1*PR*{gs}~AK2*855*{st}~AK5*A~AK9*R*1*1*0~", "rejected"),
        ("AK1*PR*{gs}~AK9*P*5*5*3~", "rejected"),
        ("AK1*PR*{gs}~AK2*810*{st}~AK5*R*5~AK9*R*1*1*0~", "rejected"),
        ("AK1*PR*{gs}~AK2*856*{st}~AK5*R*5~AK9*P*2*2*1~", "accepted"),
        (
            "AK1*PR*{gs}~AK2*855*{st}~AK5*A~AK2*855*{st}~AK3*BAK*2**8~AK4*3*324*7~AK5*R*5~AK9*P*1*1*1~",
            "rejected",
        ),
        (
            "AK1*PR*{gs}~AK2*855*{st}~AK5*R*5~AK2*855*{st}~AK5*A~AK9*A*1*1*1~",
            "rejected",
        ),
        (
            "AK1*PR*{gs}~AK2*855*{st}~AK5*A~AK2*855*{st}~AK5*E~AK9*E*1*1*1~",
            "accepted_with_errors",
        ),
    ];
    for ((body, wanted), n) in table.into_iter().zip(741..) {
        house.submit("order.edi", &order(n, &[])).await;
        let sent = house
            .lines("SELECT id || ' ' || gs06 || ' ' || st02 FROM document WHERE set_code = '855' ORDER BY id DESC")
            .await;
        let mut parts = sent[0].split(' ');
        let (id, gs06, st02) = (
            parts.next().unwrap(),
            parts.next().unwrap(),
            parts.next().unwrap(),
        );
        let body = body.replace("{gs}", gs06).replace("{st}", st02);
        let text = String::from_utf8(order(n + 50, &[("GS*PO*", "GS*FA*")])).unwrap();
        let (from, to) = (text.find("ST*850").unwrap(), text.find("GE*1").unwrap());
        let mut answer = text[..from].to_owned();
        let segments = body.matches('~').count() + 2;
        write!(
            answer,
            "ST*997*0001~{body}SE*{segments}*0001~{}",
            &text[to..]
        )
        .unwrap();
        house.submit("997.edi", answer.as_bytes()).await;
        let fate = house
            .lines(&format!("SELECT syntax FROM document WHERE id = {id}"))
            .await;
        assert_eq!(fate, [wanted], "{body}");
        let says_both = body.contains("AK5*A~") && body.contains("*R*");
        let told = house
            .lines("SELECT findings FROM document WHERE set_code = '997' AND direction = 'in' ORDER BY id DESC")
            .await;
        assert_eq!(told[0].contains("answer-contradicts"), says_both, "{body}");
        let alerts = house
            .lines(&format!("SELECT message FROM alert WHERE subject_kind = 'document' AND subject_id = {id} AND cleared_at IS NULL"))
            .await;
        assert_eq!(alerts.len(), usize::from(wanted == "rejected"), "{body}");
        assert_eq!(
            alerts
                .iter()
                .any(|told| told.contains("ask the partner which of both")),
            says_both,
            "{body}: {alerts:?}"
        );
    }
    house.prove().await;
}
on_both!(answers);

/// An order is cancelled while it waits for its window: its stock is free, its shipment is given up, the buyer is told,
/// and its number may come again. What has left can not be cancelled.
async fn cancelled(house: House) {
    house.submit("order.edi", &order(751, &[])).await;
    let id = house
        .lines("SELECT CAST(id AS TEXT) FROM purchase_order")
        .await;
    let id = OrderId(id[0].parse().unwrap());
    let reserved = "SELECT CAST(COALESCE(SUM(reserved), 0) AS TEXT) FROM stock";
    assert_ne!(house.lines(reserved).await, ["0"]);
    let refused = orders::cancel(&house.gateway, id, " ", "test").await;
    assert!(refused.unwrap_err().to_string().contains("reason"));
    orders::cancel(&house.gateway, id, "the buyer called", "test")
        .await
        .unwrap();
    settle(&house).await;
    assert_eq!(house.lines(reserved).await, ["0"]);
    let states = house
        .lines("SELECT p.status || ' ' || s.status FROM purchase_order p, shipment s")
        .await;
    assert_eq!(states, ["rejected cancelled"]);
    let answers = house
        .lines("SELECT set_code FROM document WHERE set_code = '855' ORDER BY id")
        .await;
    assert_eq!(answers.len(), 2, "the second 855 takes the first back");
    let again = orders::cancel(&house.gateway, id, "once more", "test").await;
    assert!(again.unwrap_err().to_string().contains("left to cancel"));
    house.prove().await;
    house
        .submit("again.edi", &order(752, &[(&po(752), &po(751))]))
        .await;
    let shipment = house
        .lines("SELECT CAST(id AS TEXT) FROM shipment WHERE status = 'planned'")
        .await;
    let all = format!("{{\"shipment\": {}, \"override\": \"now\"}}", shipment[0]);
    confirm(&house, &all).await.unwrap();
    settle(&house).await;
    let late = orders::cancel(&house.gateway, OrderId(id.0 + 1), "late", "test").await;
    assert!(late.unwrap_err().to_string().contains("left to cancel"));
    house.prove().await;
}
on_both!(cancelled);

/// One alert tells that uploads of a name break off, however often they do; only a file of that name that is not refused
/// clears it, not what broke off after it came.
async fn broken_uploads(house: House) {
    let port = Mailboxes::new(house.gateway.clone());
    let mailbox = MailboxIdentity {
        connection_id: 1,
        name: "bigmart".to_owned(),
        login: "password".to_owned(),
    };
    let breaks_off = async |name: &str, received: u64| {
        *house.clock.0.lock().unwrap() += chrono::Duration::seconds(1);
        let upload = AbandonedUpload {
            name: name.to_owned(),
            received,
            last_at: house.gateway.now(),
            cause: AbandonCause::ConnectionEnded,
            from: "192.0.2.1:40000".parse().unwrap(),
        };
        port.upload_abandoned(&mailbox, upload).await;
    };
    let open = async || {
        let told = house
            .lines("SELECT message FROM alert WHERE kind = 'upload-abandoned' AND cleared_at IS NULL ORDER BY id")
            .await;
        let bytes = told.iter().map(|told| {
            let (_, rest) = told.split_once('(').unwrap();
            rest.split(' ').next().unwrap().to_owned()
        });
        bytes.collect::<Vec<_>>().join(" ")
    };
    breaks_off("late.edi", 10).await;
    breaks_off("later.edi", 11).await;
    breaks_off("late.edi", 12).await;
    breaks_off(".late.edi", 13).await;
    assert_eq!(open().await, "11 12 13", "the newest of each name");
    *house.clock.0.lock().unwrap() += chrono::Duration::seconds(1);
    house.submit_over(1, "late.edi", b"I").await;
    assert_eq!(open().await, "11 12 13", "what is refused is not the file");
    breaks_off("late.edi", 14).await;
    assert_eq!(open().await, "11 13 14");
    *house.clock.0.lock().unwrap() += chrono::Duration::seconds(1);
    house.submit_over(1, "late.edi", &order(761, &[])).await;
    assert_eq!(open().await, "11", "also what had a temporary name");
    breaks_off("late.edi", 15).await;
    assert_eq!(open().await, "11 15");
    house.prove().await;
}
on_both!(broken_uploads);
