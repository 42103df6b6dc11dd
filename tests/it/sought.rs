//! What is looked for in the console, on both databases: by the beginning of a number, by carton and tracking number, page by
//! page, with counts that stop at a bound.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::json;
use supercargo::binds;
use supercargo::config::settings::Settings;
use supercargo::domain::clock::Clock;
use supercargo::domain::ids::ShipmentId;
use supercargo::domain::order::Mode;
use supercargo::domain::shipment::Shipment;
use supercargo::storage::journal::Subject;
use supercargo::storage::labels::LabelRun;
use supercargo::storage::users::{Role, hash_password};
use supercargo::storage::{Class, Connection, Failure};
use supercargo::workflow::Gateway;

use crate::engines::{Engine, engines};
use crate::peers::http;

const PASSWORD: &str = "correct horse battery staple";
/// A label that we issued, of the first serial under the default prefix.
const ISSUED: &str = "006141410000000012";
/// A label that others number.
const FOREIGN: &str = "340123451234567895";

fn now() -> DateTime<Utc> {
    "2026-03-31T12:00:00Z".parse().expect("a time")
}

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> DateTime<Utc> {
        now()
    }
}

fn shipment(id: i64, sscc: &str, tracking: &str, of_carton: &str, bill: &str) -> Shipment {
    serde_json::from_value(json!({
        "id": id, "company": 1, "partner": 1, "mode": "production", "warehouse": 1, "warehouse_code": "EAST",
        "ship_to": { "role": "ST", "name": "STORE 42", "id_qualifier": "92", "id": "0042" },
        "cartons": [{
            "sscc": sscc, "store": "", "grams": 0, "tracking": of_carton,
            "contents": [{ "order": 1, "po_number": "AB-1", "line": 1, "item": "HW-1", "quantity": "6", "unit": "EA" }]
        }],
        "tracking": tracking, "bill_of_lading": bill, "state": { "state": "planned" }, "revision": 1
    }))
    .expect("a shipment")
}

async fn order(
    connection: &mut Connection,
    id: i64,
    po: &str,
    status: &str,
) -> Result<(), Failure> {
    connection
        .execute(
            "INSERT INTO purchase_order (id, company_id, partner_id, mode, po_number, status, revision, received_at,
                 document_id, value, currency, waiting, body)
             VALUES ($1, 1, 1, 'production', $2, $3, 1, 0, $1, 100, 'USD', 0, '{}')",
            binds![id, po, status],
        )
        .await?;
    Ok(())
}

async fn document(
    connection: &mut Connection,
    id: i64,
    subject: (&str, Option<i64>),
    reference: &str,
    fate: (&str, &str),
) -> Result<(), Failure> {
    let (disposition, syntax) = fate;
    connection
        .execute(
            "INSERT INTO document (id, direction, company_id, partner_id, mode, set_code, isa13, gs06, st02, disposition,
                 delivery, syntax, application, subject_kind, subject_id, reference, findings, created_at)
             VALUES ($1, 'in', 1, 1, 'production', '850', '', '77', '0001', $5, 'none', $6, 'none', $2, $3, $4, '[]', $7)",
            binds![id, subject.0, subject.1, reference, disposition, syntax, now()],
        )
        .await?;
    Ok(())
}

async fn trade(connection: &mut Connection) -> Result<(), Failure> {
    connection.save_company(1, "Us", "{}").await?;
    for sql in [
        "INSERT INTO partner (id, code, name, kind, status, profile_version) VALUES (1, 'bigbuy', 'Big Buy', 'buyer', 'live', 1)",
        "INSERT INTO warehouse (id, company_id, code, body) VALUES (1, 1, 'EAST', '{}')",
    ] {
        connection.execute(sql, vec![]).await?;
    }
    for (id, po, status) in [
        (1, "AB-1", "invoiced"),
        (2, "AB-10", "held"),
        (3, "AC-1", "invoiced"),
        (4, "ab-1", "invoiced"),
        (5, "A%-1", "invoiced"),
        (6, "A_-1", "invoiced"),
        (7, "ÄB-1", "invoiced"),
    ] {
        order(connection, id, po, status).await?;
    }
    // The later the order, the lower its number: the list is in order of numbers, not of orders.
    for n in 0..120 {
        order(connection, 200 - n, &format!("LONG-{n:03}"), "invoiced").await?;
    }
    document(
        connection,
        1,
        ("order", Some(1)),
        "AB-1",
        ("processed", "accepted"),
    )
    .await?;
    document(connection, 2, ("", None), "AB-12", ("rejected", "rejected")).await?;
    document(
        connection,
        3,
        ("order", Some(3)),
        "AC-1",
        ("processed", "accepted"),
    )
    .await?;
    let shipments = [
        shipment(1, ISSUED, "PRO-1", "1Z999", "0000000001"),
        shipment(2, FOREIGN, "", "", "BOL-77"),
        shipment(3, "", "", "", ""),
    ];
    connection.add_shipments(shipments.to_vec(), now()).await?;
    // Issued to the first; the second run was issued to a shipment that bears none of it.
    let run = |first: i64, shipment: i64| LabelRun {
        first,
        last: first + 9,
        shipment: ShipmentId(shipment),
    };
    connection
        .add_label_runs("00614141", Mode::Production, &[run(1, 1), run(11, 3)])
        .await?;
    connection
        .claim_foreign_labels(Mode::Production, ShipmentId(2), &[FOREIGN.to_owned()])
        .await?;
    for (actor, order) in [("allocation", 1), ("ada", 2), ("allocation", 3)] {
        let subject = Subject::new("order", order);
        connection
            .record(now(), actor, "something done", subject, "")
            .await?;
    }
    // What left under another number than was planned is found by it too.
    let mut left = shipment(3, "", "PRO-3", "", "");
    left.revision = 2;
    connection.save_shipments(vec![(left, 1)]).await
}

struct House {
    host: String,
    session: String,
}

impl House {
    async fn open(engine: &Engine) -> Self {
        engine
            .store
            .write(Class::Ordinary, |connection| {
                Box::pin(async move {
                    trade(connection).await?;
                    let hash = hash_password(PASSWORD)?;
                    connection
                        .save_user("ada", &hash, &[Role::Admin].into(), now())
                        .await
                })
            })
            .await
            .expect("a house");
        let gateway = Gateway::new(
            engine.store.clone(),
            Arc::new(Stopped),
            Arc::new(Settings::default()),
        );
        let router = supercargo::web::router(gateway);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let host = listener.local_addr().expect("an address").to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let (_, session) = http::sign_in(&host, "ada", PASSWORD).await;
        Self { host, session }
    }

    async fn page(&self, path: &str) -> String {
        let head = format!("GET {path} HTTP/1.1\r\ncookie: {}", self.session);
        let (status, answer) = http::ask(&self.host, &head, "").await;
        assert!(status == 200 || status == 303, "{path}: {answer}");
        answer
    }

    /// The numbers of what a page leads to under a path, in their order, each once.
    async fn leads_to(&self, path: &str, kind: &str) -> Vec<i64> {
        let answer = self.page(path).await;
        let mut found = Vec::new();
        let way = format!("/{kind}/");
        for way in answer.split(&way).skip(1) {
            let digits: String = way.chars().take_while(char::is_ascii_digit).collect();
            if let Ok(id) = digits.parse()
                && !found.contains(&id)
            {
                found.push(id);
            }
        }
        found
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_are_found_by_the_beginning_of_their_number() {
    for engine in engines().await {
        let (name, house) = (engine.name, House::open(&engine).await);
        for (beginning, wanted) in [
            ("AB-1", vec![1, 2]),
            ("AB-10", vec![2]),
            ("A", vec![5, 1, 2, 3, 6]),
            ("A%25", vec![5]),
            ("A_", vec![6]),
            ("ab", vec![4]),
            ("%C3%84", vec![7]),
            ("nobody", vec![]),
        ] {
            let found = house
                .leads_to(&format!("/orders?po={beginning}"), "orders")
                .await;
            assert_eq!(found, wanted, "{name}, {beginning}");
        }
        let held = house.leads_to("/orders?po=AB&status=held", "orders").await;
        assert_eq!(held, [2], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_what_begins_so_follow_each_other_without_a_gap() {
    for engine in engines().await {
        let (name, house) = (engine.name, House::open(&engine).await);
        let mut seen = Vec::new();
        let mut path = "/orders?po=LONG".to_owned();
        loop {
            let page = house.leads_to(&path, "orders").await;
            let Some(last) = page.last().copied() else {
                break;
            };
            seen.extend(page);
            path = format!("/orders?po=LONG&before={last}");
        }
        let wanted: Vec<i64> = (0..120).map(|n| 200 - n).collect();
        assert_eq!(seen, wanted, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shipments_are_found_by_what_carriers_and_scanners_call_them() {
    for engine in engines().await {
        let (name, house) = (engine.name, House::open(&engine).await);
        for (sought, wanted) in [
            (ISSUED, vec![1]),
            ("(00)006141410000000012", vec![1]),
            ("00006141410000000012", vec![1]),
            (FOREIGN, vec![2]),
            // Issued to a shipment that does not bear it, and never issued at all.
            ("006141410000000111", vec![]),
            ("006141410000009992", vec![]),
            ("PRO-1", vec![1]),
            ("1Z999", vec![1]),
            ("PRO-3", vec![3]),
            ("BOL-77", vec![2]),
            // Our own bill of lading is the shipment's number.
            ("0000000001", vec![1]),
        ] {
            let found = house
                .leads_to(&format!("/search?q={sought}"), "shipments")
                .await;
            assert_eq!(found, wanted, "{name}, {sought}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_are_found_by_the_number_they_are_about() {
    for engine in engines().await {
        let (name, house) = (engine.name, House::open(&engine).await);
        for (sought, wanted) in [("AB-1", vec![2, 1]), ("AB-12", vec![2]), ("AC", vec![3])] {
            let mut found = house
                .leads_to(&format!("/search?q={sought}"), "documents")
                .await;
            found.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
            assert_eq!(found, wanted, "{name}, {sought}");
        }
        let by_group = house.leads_to("/search?q=77", "documents").await;
        assert_eq!(by_group, [3, 2, 1], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_are_listed_by_fate_and_counted_by_day() {
    for engine in engines().await {
        let (name, house) = (engine.name, House::open(&engine).await);
        for (filter, wanted) in [
            ("fate=rejected", vec![2]),
            ("fate=processed", vec![3, 1]),
            ("fate=held", vec![]),
            ("fate=queued", vec![]),
            ("fate=pending", vec![]),
            ("fate=overdue", vec![]),
            ("mode=test", vec![]),
            ("partner=1", vec![3, 2, 1]),
            ("set=850&partner=1", vec![3, 2, 1]),
        ] {
            let found = house
                .leads_to(&format!("/documents?{filter}"), "documents")
                .await;
            assert_eq!(found, wanted, "{name}, {filter}");
        }
        let first = house.page("/").await;
        assert!(
            first.contains("66%"),
            "{name}: two of three are clean: {first}"
        );
        assert!(
            first.contains("3 documents in 30 days, 3 today"),
            "{name}: {first}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_is_listed_by_who_did_it() {
    for engine in engines().await {
        let (name, house) = (engine.name, House::open(&engine).await);
        for (actor, wanted) in [
            ("allocation", vec![3, 1]),
            ("ada", vec![2]),
            ("pat", vec![]),
        ] {
            let found = house
                .leads_to(&format!("/audit?actor={actor}"), "orders")
                .await;
            assert_eq!(found, wanted, "{name}, {actor}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_stop_at_a_bound_and_say_so() {
    for engine in engines().await {
        let (name, house) = (engine.name, House::open(&engine).await);
        let few = house.page("/orders").await;
        assert!(few.contains("127"), "{name}: {few}");
        engine
            .store
            .write(Class::Ordinary, |connection| {
                Box::pin(async move {
                    for id in 1_001..=2_100 {
                        order(connection, id, &format!("MANY-{id}"), "held").await?;
                    }
                    Ok(())
                })
            })
            .await
            .expect("many orders");
        let many = house.page("/orders").await;
        // Behind the tab, and as the badge of what waits for a person.
        assert!(many.matches("1,000+").count() >= 2, "{name}: {many}");
        let narrowed = house.page("/orders?po=MANY-12").await;
        assert!(narrowed.contains("100"), "{name}: {narrowed}");
        assert!(!narrowed.contains("status=invoiced"), "{name}: {narrowed}");
    }
}
