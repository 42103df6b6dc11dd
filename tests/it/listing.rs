//! Every listing on both engines: a small house is written by the store's write side and read back as listings show it.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};
use supercargo::binds;
use supercargo::domain::catalogue::{FulfilmentMode, Item, Location, PriceEntry, Warehouse};
use supercargo::domain::document::{Application, Delivery, Direction, Disposition, Syntax};
use supercargo::domain::finding::{Finding, Place, Severity};
use supercargo::domain::ids::{CompanyId, ItemId, OrderId, PartnerId, ShipmentId, WarehouseId};
use supercargo::domain::money::Currency;
use supercargo::domain::order::{Mode, Order};
use supercargo::storage::catalogue::{self, NewNumber, NumberClass};
use supercargo::storage::documents::NewDocument;
use supercargo::storage::journal::{NewAlert, NewMail, Subject};
use supercargo::storage::listing::documents::DocumentFilter;
use supercargo::storage::listing::files::{FileFilter, TransmissionFilter};
use supercargo::storage::listing::invoices::InvoiceFilter;
use supercargo::storage::listing::items::ItemFilter;
use supercargo::storage::listing::orders::OrderFilter;
use supercargo::storage::listing::prices::PriceFilter;
use supercargo::storage::listing::receivables::{DeductionFilter, PaymentFilter};
use supercargo::storage::listing::shipments::ShipmentFilter;
use supercargo::storage::listing::stock::StockFilter;
use supercargo::storage::listing::{self, Page, alerts::AlertFilter};
use supercargo::storage::{Class, Connection, Failure, receipts};

use crate::engines::{Engine, engines};

const COMPANY: CompanyId = CompanyId(1);
const PROFILE: &str = "partner = \"bigbuy\"\nname = \"Big Buy\"\n[[address]]\nid = \"BIGBUY\"\n[collection]\noverdue_grace_days = 5\n";

fn now() -> DateTime<Utc> {
    "2026-03-31T12:00:00Z".parse().unwrap()
}

fn today() -> NaiveDate {
    now().date_naive()
}

/// Writes `sql` with its values; for what no write side exists for yet.
async fn put(connection: &mut Connection, sql: &str, binds: Vec<supercargo::storage::Bind>) {
    connection
        .execute(sql, binds)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

fn order(id: i64, po: &str, state: Value) -> Order {
    serde_json::from_value(json!({
        "id": id, "company": 1, "partner": 1, "mode": "production", "revision": 1,
        "header": {
            "purpose": "00", "kind": "SA", "po_number": po, "po_date": "2026-01-10", "currency": "USD",
            "dates": { "ship_no_later": "2026-02-01" },
            "parties": [{ "role": "BY", "name": "BIG BUY STORES" }, { "role": "ST", "id": "0042" }],
            "notes": ["CALL FIRST"], "unused": [{ "index": 9, "text": "CTP*1" }]
        },
        "lines": [{
            "line": 1, "buyer_line": "001", "ordered": "24.0", "unit": "EA",
            "price": { "amount": "12.50" }, "numbers": [{ "qualifier": "VN", "value": "A-1" }],
            "confirmed": "20", "backordered": "4", "shipped": "20", "invoiced": "20"
        }],
        "state": state, "source": 100, "received_at": "2026-01-10T09:00:00Z"
    }))
    .expect("an order")
}

async fn seed(connection: &mut Connection) -> Result<(), Failure> {
    connection.save_company(1, "Us", "{}").await?;
    let (partner, _) = connection
        .apply_profile("bigbuy", "Big Buy", "buyer", "live", PROFILE, "test", now())
        .await?;
    assert_eq!(partner, 1);
    let mailbox = connection
        .save_connection("bigbuy", "mailbox", Some(1), "{}")
        .await?;
    connection
        .add_mailbox_login(mailbox, "key", "ssh-ed25519 AAAA test", now())
        .await?;
    connection
        .add_mailbox_login(mailbox, "password", "$argon2$secret", now())
        .await?;
    seed_catalogue(connection).await?;
    seed_documents(connection, mailbox).await?;
    let mut held = order(
        2,
        "PO-2",
        json!({
            "state": "held", "since": "2026-01-10T09:00:00Z",
            "reasons": [{ "code": "price-differs", "message": "12.50 is not 12.00", "origin": "business", "severity": "hold" }]
        }),
    );
    held.lines[0].shipped = 0.into();
    connection
        .add_orders(vec![
            order(1, "PO-1", json!({ "state": "partly_shipped" })),
            held,
        ])
        .await?;
    seed_thread(connection).await?;
    seed_money(connection).await?;
    connection
        .record(
            now(),
            "ops",
            "invoice looked at",
            Subject::new("invoice", 1),
            "why not",
        )
        .await?;
    let alert = NewAlert {
        key: "a".into(),
        kind: "order-held",
        partner: Some(1),
        subject: Subject::new("order", 2),
        message: "order 2 waits".into(),
    };
    connection.raise(now(), alert).await?;
    let mail = NewMail {
        key: "m".into(),
        recipients: "ops@example.com".into(),
        subject: "s".into(),
        body: "b".into(),
    };
    connection.queue_mail(now(), mail).await
}

async fn seed_catalogue(connection: &mut Connection) -> Result<(), Failure> {
    let item = |code: &str| Item {
        id: ItemId(0),
        code: code.into(),
        upc: "036000291452".into(),
        description: "Hinge".into(),
        base_unit: "EA".into(),
        case_pack: Some(12.into()),
        units: BTreeMap::from([("PL".to_owned(), 960.into())]),
        grams: 500,
        discontinued: false,
    };
    let number = |partner, class, value: &str| NewNumber {
        partner,
        class,
        value: value.into(),
    };
    let numbers = vec![
        number(0, NumberClass::Gtin, "036000291452"),
        number(1, NumberClass::Buyer, "BP1"),
    ];
    let ids = catalogue::save_items(
        connection,
        COMPANY,
        &[(item("A-1"), numbers), (item("B-2"), vec![])],
    )
    .await?;
    let price = PriceEntry {
        partner: Some(PartnerId(1)),
        item: ids[0],
        price: "12.50".parse().unwrap(),
        unit: "EA".into(),
        currency: Currency::USD,
        from: "2026-01-01".parse().unwrap(),
        until: None,
    };
    catalogue::save_prices(connection, COMPANY, &[price]).await?;
    let place = Location {
        number: "0042".into(),
        name: "Store 42".into(),
        ..Location::default()
    };
    catalogue::save_locations(connection, PartnerId(1), &[place]).await?;
    let east = Warehouse {
        id: WarehouseId(0),
        code: "EAST".into(),
        name: "East".into(),
        street: String::new(),
        city: "Reno".into(),
        state: "NV".into(),
        postal_code: "89501".into(),
        country: String::new(),
        zone: "America/New_York".into(),
        fulfilment: FulfilmentMode::AtOnce,
        carrier: String::new(),
    };
    catalogue::save_warehouses(connection, COMPANY, &[east]).await?;
    let counts = BTreeMap::from([((ids[0], WarehouseId(1)), 1_000_000)]);
    catalogue::count_stock(connection, Mode::Production, &counts, "test", now()).await?;
    let receipts = BTreeMap::from([
        ((ids[0], WarehouseId(1), today()), 50_000),
        ((ids[1], WarehouseId(1), today()), 70_000),
    ]);
    receipts::save_expected(connection, Mode::Production, &receipts).await
}

fn document(id: i64, direction: Direction, set: &str, subject: Option<Subject>) -> NewDocument {
    NewDocument {
        id,
        direction,
        company: 1,
        partner: Some(1),
        mode: "production",
        set_code: set.into(),
        file: None,
        interchange: None,
        group_ordinal: None,
        set_ordinal: None,
        isa13: "000000001".into(),
        gs06: "1".into(),
        st02: "0001".into(),
        byte_offset: None,
        size: None,
        disposition: Disposition::Processed,
        delivery: Delivery::None,
        syntax: Syntax::Accepted,
        application: Application::Pending,
        subject,
        reference: String::new(),
        findings: Vec::new(),
        body: None,
        replaces: None,
        address: String::new(),
        sent: None,
    }
}

async fn seed_documents(connection: &mut Connection, mailbox: i64) -> Result<(), Failure> {
    put(
        connection,
        "INSERT INTO file (id, connection_id, partner_id, name, sha256, size, received_at, received_by, disposition, findings)
         VALUES (7, $1, NULL, 'po.edi', 'abc', 900, $2, 'bigbuy', 'processed', '[]')",
        binds![mailbox, now()],
    )
    .await;
    put(
        connection,
        "INSERT INTO interchange (id, file_id, byte_offset, size, partner_id, profile_version, mode, pair, isa13, header,
           sha256, disposition, findings, received_at)
         VALUES (8, 7, 0, 900, 1, 1, 'production', 'x', '000000001', '{}', 'abc', 'processed', '[]', $1)",
        binds![now()],
    )
    .await;
    put(
        connection,
        "INSERT INTO transmission (id, connection_id, partner_id, mode, isa13, set_code, name, sha256, size, state,
           created_at, delivered_at, picked_up_at, picked_up_by, attempts)
         VALUES (9, $1, 1, 'production', '000000005', '810', '5.810.edi', 'def', 800, 'picked_up', $2, $2, $2, 'bigbuy', 0)",
        binds![mailbox, now()],
    )
    .await;
    let received = NewDocument {
        file: Some(7),
        interchange: Some(8),
        byte_offset: Some(106),
        size: Some(400),
        ..document(100, Direction::In, "850", Some(Subject::new("order", 1)))
    };
    let fault = Finding::business("item-unknown", Severity::Hold, "no such item").at(Place {
        byte: Some(210),
        segment: Some("PO1".into()),
        segment_index: Some(7),
        element: Some(7),
        ..Place::default()
    });
    let held = NewDocument {
        file: Some(7),
        interchange: Some(8),
        disposition: Disposition::Held,
        findings: vec![fault],
        partner: None,
        ..document(101, Direction::In, "850", None)
    };
    let out = |id, set, kind, subject| NewDocument {
        delivery: Delivery::Delivered,
        syntax: Syntax::Pending,
        ..document(id, Direction::Out, set, Some(Subject::new(kind, subject)))
    };
    let documents = vec![
        received,
        held,
        out(102, "997", "interchange", 8),
        out(103, "855", "order", 1),
        out(104, "856", "shipment", 1),
        out(105, "810", "invoice", 1),
    ];
    connection.add_documents(documents, now()).await?;
    put(
        connection,
        "UPDATE document SET transmission_id = 9, sent_at = $1, answer_due_at = $2 WHERE id = 105",
        binds![now(), now() - chrono::Duration::hours(1)],
    )
    .await;
    Ok(())
}

async fn seed_thread(connection: &mut Connection) -> Result<(), Failure> {
    let shipment = serde_json::from_value(json!({
        "id": "1", "company": 1, "partner": 1, "mode": "production", "warehouse": 1, "warehouse_code": "EAST",
        "ship_to": { "role": "ST", "id": "0042" }, "state": { "state": "planned" }, "revision": 1,
        "cartons": [{ "sscc": "106141410000000017", "store": "0042", "contents": [
            { "order": "1", "po_number": "PO-1", "line": 1, "item": "A-1", "quantity": "20.00", "unit": "EA" }] }]
    }))
    .expect("a shipment");
    connection.add_shipments(vec![shipment], now()).await?;
    let invoice = |id: i64, number: &str, due: &str| {
        serde_json::from_value(json!({
            "id": id, "number": number, "kind": "invoice", "company": 1, "partner": 1, "mode": "production", "order": 1,
            "po_number": "PO-1", "po_date": "2026-01-10", "shipments": [1], "date": "2026-01-20",
            "shipped_on": "2026-01-20", "due": due, "terms": {}, "currency": "USD", "total": 100_000,
            "lines": [{ "order_line": 1, "item": "A-1", "quantity": "80", "unit": "EA", "price": { "amount": "12.50" },
                        "unit_price": "12.50", "extension": 100_000 }]
        }))
        .expect("an invoice")
    };
    let invoices = [
        invoice(1, "INV-1", "2026-02-20"),
        invoice(2, "INV-2", "2026-03-27"),
        invoice(3, "INV-3", "2026-04-30"),
        invoice(4, "INV-4", "2025-12-01"),
    ];
    connection.add_invoices(&invoices, now()).await
}

async fn seed_money(connection: &mut Connection) -> Result<(), Failure> {
    put(
        connection,
        "UPDATE invoice SET open = 10000, disputed = 10000, status = 'partially_paid' WHERE id = 1",
        binds![],
    )
    .await;
    put(
        connection,
        "INSERT INTO payment (id, company_id, partner_id, mode, reference, method, amount, currency, date, document_id,
           status, unapplied, created_at, created_by, body)
         VALUES (1, 1, 1, 'production', 'CHK-1', 'CHK', 95000, 'USD', '2026-03-01', NULL, 'unapplied', 5000, $1, 'ar', '{}')",
        binds![now()],
    )
    .await;
    put(
        connection,
        "INSERT INTO application (payment_id, invoice_id, paid, discount, written_off, at) VALUES (1, 1, 90000, 0, 0, $1)",
        binds![now()],
    )
    .await;
    put(
        connection,
        "INSERT INTO deduction (id, company_id, partner_id, mode, payment_id, invoice_id, claimed_reference, taken,
           amount, currency, reason, reference, status, created_at)
         VALUES (1, 1, 1, 'production', 1, 1, '', 10000, 10000, 'USD', '01', 'C-9', 'open', $1)",
        binds![now()],
    )
    .await;
    put(
        connection,
        "INSERT INTO work (id, lane, step, subject, due_at, attempts, problem) VALUES (1, 3, 'verify', 2, $1, 2, 'broke')",
        binds![now()],
    )
    .await;
    put(
        connection,
        "INSERT INTO console_user (name, password, roles, active, created_at) VALUES ('pat', 'x', 'ops ar', 1, $1)",
        binds![now()],
    )
    .await;
    Ok(())
}

/// The engines, each with the small house in it.
async fn houses() -> Vec<Engine> {
    let engines = engines().await;
    for engine in &engines {
        engine
            .store
            .write(Class::Ordinary, |connection| Box::pin(seed(connection)))
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", engine.name));
    }
    engines
}

fn json_of<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("serialises")
}

#[tokio::test]
async fn orders_with_their_lines_and_their_thread() {
    for engine in houses().await {
        let mut connection = engine.store.read().await.unwrap();
        let all = listing::orders::orders(&mut connection, &OrderFilter::default())
            .await
            .unwrap();
        assert_eq!(
            all.iter()
                .map(|order| order.order.as_str())
                .collect::<Vec<_>>(),
            ["2", "1"],
            "{}",
            engine.name
        );
        let held = json_of(&all[0]);
        assert_eq!(held["status"], "held");
        assert_eq!(held["reasons"][0]["code"], "price-differs");
        let first = json_of(&all[1]);
        for (key, value) in [
            ("order", json!("1")),
            ("po_number", json!("PO-1")),
            ("partner", json!("bigbuy")),
            ("mode", json!("production")),
            ("status", json!("partly_shipped")),
            ("received_at", json!("2026-01-10T09:00:00Z")),
            ("buyer", json!("BIG BUY STORES")),
            ("value", json!("300.00")),
        ] {
            assert_eq!(first[key], value, "{key} on {}", engine.name);
        }
        let line = &first["lines"][0];
        for (key, value) in [
            ("line", json!(1)),
            ("item", json!("A-1")),
            ("ordered", json!("24")),
            ("unit", json!("EA")),
            ("confirmed", json!("20")),
            ("shipped", json!("20")),
            ("invoiced", json!("20")),
            ("backordered", json!("4")),
        ] {
            assert_eq!(line[key], value, "{key} on {}", engine.name);
        }
        let sets: Vec<_> = first["documents"]
            .as_array()
            .unwrap()
            .iter()
            .map(|document| document["set"].clone())
            .collect();
        assert_eq!(sets, ["850", "997", "855", "856", "810"]);
        assert_eq!(first["documents"][0]["id"], "100");
        let older = OrderFilter {
            page: Page::default().before(2),
            ..OrderFilter::default()
        };
        assert_eq!(
            listing::orders::orders(&mut connection, &older)
                .await
                .unwrap()
                .len(),
            1
        );
        let held = OrderFilter {
            status: Some("held".into()),
            partner: Some(PartnerId(1)),
            mode: Some(Mode::Production),
            ..OrderFilter::default()
        };
        assert_eq!(
            listing::orders::orders(&mut connection, &held)
                .await
                .unwrap()
                .len(),
            1
        );
        let detail = listing::orders::order(&mut connection, OrderId(1))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (detail.shipments, detail.invoices.len()),
            (vec!["1".to_owned()], 4)
        );
        assert!(
            listing::orders::order(&mut connection, OrderId(99))
                .await
                .unwrap()
                .is_none()
        );
    }
}

#[tokio::test]
async fn documents_with_their_findings_and_clocks() {
    for engine in houses().await {
        let mut connection = engine.store.read().await.unwrap();
        let held = DocumentFilter {
            disposition: Some(Disposition::Held),
            ..DocumentFilter::default()
        };
        let held = listing::documents::documents(&mut connection, &held, now())
            .await
            .unwrap();
        let first = json_of(&held[0]);
        assert_eq!(held.len(), 1);
        for (key, value) in [
            ("id", json!("101")),
            ("direction", json!("in")),
            ("set", json!("850")),
            ("partner", Value::Null),
            ("disposition", json!("held")),
            ("file", json!("po.edi")),
            ("connection", json!("bigbuy")),
        ] {
            assert_eq!(first[key], value, "{key} on {}", engine.name);
        }
        let finding = &first["findings"][0];
        for (key, value) in [
            ("code", json!("item-unknown")),
            ("message", json!("no such item")),
            ("byte", json!(210)),
            ("segment", json!("PO1")),
            ("element", json!(7)),
        ] {
            assert_eq!(finding[key], value, "{key} on {}", engine.name);
        }
        let late = DocumentFilter {
            overdue: true,
            ..DocumentFilter::default()
        };
        let late = listing::documents::documents(&mut connection, &late, now())
            .await
            .unwrap();
        assert_eq!(late.len(), 1);
        assert!(late[0].overdue);
        assert_eq!(late[0].file.as_deref(), Some("5.810.edi"));
        let place =
            listing::documents::document_place(&mut connection, 100.to_string().parse().unwrap())
                .await
                .unwrap()
                .unwrap();
        assert_eq!(
            (place.sha256.as_deref(), place.byte_offset, place.size),
            (Some("abc"), Some(106), Some(400))
        );
    }
}

#[tokio::test]
async fn invoices_and_what_is_open_of_them() {
    for engine in houses().await {
        let mut connection = engine.store.read().await.unwrap();
        let all = listing::invoices::invoices(&mut connection, &InvoiceFilter::default(), today())
            .await
            .unwrap();
        let disputed = json_of(
            all.iter()
                .find(|invoice| invoice.invoice_number == "INV-1")
                .unwrap(),
        );
        for (key, value) in [
            ("kind", json!("invoice")),
            ("partner", json!("bigbuy")),
            ("po_numbers", json!(["PO-1"])),
            ("status", json!("partially_paid")),
            ("overdue", json!(true)),
            ("total", json!("1000.00")),
            ("open_amount", json!("100.00")),
            ("disputed_amount", json!("100.00")),
            ("currency", json!("USD")),
            ("due_date", json!("2026-02-20")),
        ] {
            assert_eq!(disputed[key], value, "{key} on {}", engine.name);
        }
        // INV-2 is four days past due, within the five days of grace.
        let overdue: Vec<_> = all
            .iter()
            .filter(|invoice| invoice.overdue)
            .map(|invoice| invoice.invoice_number.as_str())
            .collect();
        assert_eq!(overdue, ["INV-4", "INV-1"]);
        let filter = InvoiceFilter {
            overdue: true,
            ..InvoiceFilter::default()
        };
        let filtered = listing::invoices::invoices(&mut connection, &filter, today())
            .await
            .unwrap();
        assert_eq!(
            filtered
                .iter()
                .map(|invoice| invoice.invoice_number.as_str())
                .collect::<Vec<_>>(),
            overdue
        );
        let detail = listing::invoices::invoice(&mut connection, "INV-1", now(), today())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(detail.lines[0].extension, "1000.00");
        assert_eq!(detail.payments[0].paid_amount, "900.00");
        assert_eq!(detail.deductions[0].amount, "100.00");
        let events: Vec<_> = detail
            .timeline
            .iter()
            .map(|entry| entry.event.as_str())
            .collect();
        for event in [
            "issued",
            "sent",
            "picked_up",
            "paid",
            "deducted",
            "due",
            "invoice looked at",
        ] {
            assert!(events.contains(&event), "{event} not in {events:?}");
        }
    }
}

#[tokio::test]
async fn receivables_by_age_deductions_and_payments() {
    for engine in houses().await {
        let mut connection = engine.store.read().await.unwrap();
        for partner in [None, Some(PartnerId(1))] {
            let aging =
                listing::receivables::aging(&mut connection, Mode::Production, partner, today())
                    .await
                    .unwrap();
            assert_eq!(
                json_of(&aging),
                json!([{
                    "partner": "bigbuy", "name": "Big Buy", "currency": "USD", "current": "1000.00",
                    "days_1_30": "1000.00", "days_31_60": "100.00", "days_61_90": "0.00", "days_over_90": "1000.00",
                    "total": "3100.00", "disputed": "100.00", "undisputed": "3000.00", "credits": "-50.00",
                    "balance": "3050.00"
                }]),
                "{}",
                engine.name
            );
        }
        assert!(
            listing::receivables::aging(&mut connection, Mode::Test, None, today())
                .await
                .unwrap()
                .is_empty()
        );
        let deductions =
            listing::receivables::deductions(&mut connection, &DeductionFilter::default())
                .await
                .unwrap();
        assert_eq!(
            (
                deductions[0].amount.as_str(),
                deductions[0].invoice_number.as_deref()
            ),
            ("100.00", Some("INV-1"))
        );
        let unapplied = PaymentFilter {
            status: Some("unapplied".into()),
            ..PaymentFilter::default()
        };
        let unapplied = listing::receivables::payments(&mut connection, &unapplied)
            .await
            .unwrap();
        assert_eq!(unapplied[0].unapplied_amount, "50.00");
    }
}

#[tokio::test]
async fn shipments_in_the_shape_of_a_confirmation() {
    for engine in houses().await {
        let mut connection = engine.store.read().await.unwrap();
        let filter = ShipmentFilter {
            order: Some(OrderId(1)),
            warehouse: Some("EAST".into()),
            ..ShipmentFilter::default()
        };
        let found = listing::shipments::shipments(&mut connection, &filter)
            .await
            .unwrap();
        let first = json_of(&found[0]);
        assert_eq!(first["orders"], json!(["1"]), "{}", engine.name);
        assert_eq!(first["status"], "planned");
        assert_eq!(first["cartons"][0]["contents"][0]["quantity"], "20");
        let confirmation: supercargo::domain::shipment::Confirmation =
            serde_json::from_value(first).unwrap();
        assert_eq!(confirmation.shipment, Some(ShipmentId(1)));
        assert_eq!(confirmation.orders, [OrderId(1)]);
    }
}

#[tokio::test]
async fn the_catalogue_and_the_stock() {
    for engine in houses().await {
        let mut connection = engine.store.read().await.unwrap();
        let items = listing::items::items(&mut connection, COMPANY, &ItemFilter::default())
            .await
            .unwrap();
        assert_eq!(
            items
                .iter()
                .map(|item| item.item.as_str())
                .collect::<Vec<_>>(),
            ["A-1", "B-2"],
            "{}",
            engine.name
        );
        assert_eq!(items[0].numbers.len(), 2);
        assert_eq!(items[0].units["PL"], "960");
        let unpriced =
            listing::items::items_without_price(&mut connection, COMPANY, Page::first(9))
                .await
                .unwrap();
        assert_eq!(unpriced, ["B-2"]);
        let filter = PriceFilter {
            partner: Some(PartnerId(1)),
            ..PriceFilter::default()
        };
        let prices = listing::prices::prices(&mut connection, COMPANY, &filter)
            .await
            .unwrap();
        assert_eq!(
            (prices[0].price.as_str(), prices[0].partner.as_deref()),
            ("12.5", Some("bigbuy"))
        );
        let stock = listing::stock::stock(&mut connection, COMPANY, &StockFilter::default())
            .await
            .unwrap();
        assert_eq!(stock.len(), 2);
        assert_eq!(
            (stock[0].on_hand.as_str(), stock[0].available.as_str()),
            ("100", "100")
        );
        assert_eq!(
            (
                stock[1].on_hand.as_str(),
                stock[1].expected[0].quantity.as_str()
            ),
            ("0", "7")
        );
        let places =
            listing::locations::locations(&mut connection, Some(PartnerId(1)), Page::default())
                .await
                .unwrap();
        assert_eq!(places[0].name, "Store 42");
        let houses = listing::warehouses::warehouses(&mut connection, COMPANY)
            .await
            .unwrap();
        assert_eq!(
            (houses[0].warehouse.as_str(), houses[0].fulfilment.as_str()),
            ("EAST", "at_once")
        );
    }
}

#[tokio::test]
async fn partners_mailboxes_files_and_the_journal() {
    for engine in houses().await {
        let mut connection = engine.store.read().await.unwrap();
        let partner = listing::partners::partner(&mut connection, "bigbuy")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (partner.version, partner.connections.len()),
            (1, 1),
            "{}",
            engine.name
        );
        assert!(
            listing::partners::partner(&mut connection, "nobody")
                .await
                .unwrap()
                .is_none()
        );
        let versions = listing::partners::profiles(&mut connection, partner.id, Page::default())
            .await
            .unwrap();
        assert_eq!(versions[0].text, PROFILE);
        let mailboxes = listing::mailboxes::mailboxes(&mut connection)
            .await
            .unwrap();
        assert_eq!(
            (mailboxes[0].logins.len(), mailboxes[0].outbound_files),
            (2, 1)
        );
        assert_eq!(mailboxes[0].partners, ["bigbuy"]);
        assert!(!json_of(&mailboxes).to_string().contains("argon2"));
        let filter = FileFilter {
            partner: Some(PartnerId(1)),
            ..FileFilter::default()
        };
        assert_eq!(
            listing::files::files(&mut connection, &filter)
                .await
                .unwrap()
                .len(),
            1
        );
        let file = json_of(
            &listing::files::file(&mut connection, "7".parse().unwrap(), now())
                .await
                .unwrap()
                .unwrap(),
        );
        assert_eq!(file["partner"], "bigbuy");
        assert_eq!(file["interchanges"][0]["isa13"], "000000001");
        assert_eq!(file["interchanges"][0]["sets"][1]["id"], "101");
        let sent = listing::files::transmissions(&mut connection, &TransmissionFilter::default())
            .await
            .unwrap();
        assert_eq!(sent[0].picked_up_by.as_deref(), Some("bigbuy"));
        let open = AlertFilter {
            open: true,
            subject: Some(("order".into(), 2)),
            ..AlertFilter::default()
        };
        assert_eq!(
            listing::alerts::alerts(&mut connection, &open)
                .await
                .unwrap()
                .len(),
            1
        );
        assert_eq!(
            listing::mail::mail(&mut connection, true, Page::default())
                .await
                .unwrap()[0]
                .status,
            "waiting"
        );
        let audit = listing::audit::audit(&mut connection, Some(("invoice", 1)), Page::default())
            .await
            .unwrap();
        assert_eq!(audit[0].actor, "ops");
        assert_eq!(
            listing::users::users(&mut connection).await.unwrap()[0].roles,
            ["ops", "ar"]
        );
        assert_eq!(
            listing::work::work(&mut connection, true, Page::default())
                .await
                .unwrap()[0]
                .step,
            "verify"
        );
        let overview =
            listing::overview::overview(&mut connection, Mode::Production, now(), today())
                .await
                .unwrap();
        assert_eq!(
            (
                overview.orders_held,
                overview.documents_held,
                overview.acknowledgments_overdue,
                overview.invoices_open
            ),
            (1, 1, 1, 4)
        );
        assert_eq!(
            (
                overview.invoices_past_due,
                overview.alerts_open,
                overview.work_failing
            ),
            (3, 1, 1)
        );
        let later = now() + chrono::Duration::days(1);
        let backlog = listing::gauges::backlog(&mut connection, later)
            .await
            .unwrap();
        let failing: i64 = backlog.iter().map(|step| step.failing).sum();
        assert_eq!(failing, 1, "{backlog:?}");
        let alerts = listing::gauges::alerts(&mut connection).await.unwrap();
        assert_eq!(alerts.iter().map(|kind| kind.open).sum::<i64>(), 1);
        let lying = listing::gauges::lying(&mut connection).await.unwrap();
        assert!(lying.iter().all(|row| row.files > 0), "{lying:?}");
    }
}
