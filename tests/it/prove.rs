//! The proof: sound after real trade, and it says where when something was changed behind the program's back.

use sqlx::Connection;
use supercargo::config::samples;
use supercargo::domain::ids::{DeductionId, PartnerId};
use supercargo::domain::money::Amount;
use supercargo::domain::order::Mode;
use supercargo::domain::remittance::{Remittance, RemittanceAdjustment};
use supercargo::storage::StoreLocation;
use supercargo::workflow::prove::{Proof, prove};
use supercargo::workflow::{deductions, payments};

use crate::peers::postgres::fresh_database;
use crate::thread::House;

/// A house with some trade behind it: the sample orders, a payment with a deduction and money on account.
pub async fn traded(location: StoreLocation) -> House {
    let house = House::open(location).await;
    for partner in samples::PARTNERS {
        for order in partner.orders {
            house.submit(order.name, order.text.as_bytes()).await;
        }
    }
    for _ in 0..4 {
        house.advance(1).await;
    }
    house
}

async fn proof(house: &House) -> Proof {
    prove(&house.gateway, &[], &mut |_| {}).await.unwrap()
}

/// Runs SQL as somebody with a database tool would, past the program. How many rows it touched.
pub async fn behind_the_back(house: &House, sql: &str) -> u64 {
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    match house.gateway.store.location() {
        StoreLocation::Sqlite(path) => {
            let options = sqlx::sqlite::SqliteConnectOptions::new()
                .filename(path)
                .foreign_keys(false)
                // What is put back a moment later need not be on the disk.
                .synchronous(sqlx::sqlite::SqliteSynchronous::Off);
            let mut connection = sqlx::SqliteConnection::connect_with(&options)
                .await
                .unwrap();
            let done = sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            done.rows_affected()
        }
        StoreLocation::Postgres(url) => {
            let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
            let done = sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            done.rows_affected()
        }
    }
}

async fn change(house: &House, sql: &str) {
    assert!(behind_the_back(house, sql).await > 0, "{sql}");
}

async fn expect(house: &House, check: &str, place: &str, sentence: &str) {
    let proof = proof(house).await;
    assert!(!proof.sound, "{check}: nothing was found");
    assert!(
        proof.faults.iter().any(|fault| fault.check == check
            && fault.place.contains(place)
            && fault.message.contains(sentence)),
        "{check}, {place}, {sentence}: {:#?}",
        proof.faults
    );
}

/// What is done, what undoes it, and the fault that has to be found in between: check, place, words.
const CHANGES: &[(&str, &str, [&str; 3])] = &[
    (
        "UPDATE file SET disposition = 'held' WHERE id = 1",
        "UPDATE file SET disposition = 'processed' WHERE id = 1",
        ["received", "file 1 ", "its interchanges come to"],
    ),
    (
        "UPDATE interchange SET byte_offset = byte_offset + 1 WHERE id = 1",
        "UPDATE interchange SET byte_offset = byte_offset - 1 WHERE id = 1",
        ["received", "file 1 ", "nothing says what became of it"],
    ),
    (
        "UPDATE document SET disposition = 'received' WHERE id = 1",
        "UPDATE document SET disposition = 'processed' WHERE id = 1",
        ["documents", "document 1 ", "no work asks for it"],
    ),
    (
        "UPDATE purchase_order SET document_id = document_id + 1000 WHERE id = 1",
        "UPDATE purchase_order SET document_id = document_id - 1000 WHERE id = 1",
        ["orders", "order 1 ", "is not there"],
    ),
    (
        "UPDATE purchase_order SET status = 'held' WHERE id = 1",
        "UPDATE purchase_order SET status = 'invoiced' WHERE id = 1",
        ["orders", "order 1 ", "its columns say held"],
    ),
    (
        "UPDATE shipment SET revision = revision + 1 WHERE id = 1",
        "UPDATE shipment SET revision = revision - 1 WHERE id = 1",
        ["shipments", "shipment 1", "its columns say"],
    ),
    (
        "UPDATE transmission SET isa13 = '000000099' WHERE id = 1",
        "UPDATE transmission SET isa13 = '000000001' WHERE id = 1",
        ["sent", "sent file 1 ", "the database says 000000099"],
    ),
    (
        "UPDATE counter SET value = value + 1 WHERE scope LIKE 'isa:%'",
        "UPDATE counter SET value = value - 1 WHERE scope LIKE 'isa:%'",
        ["sent", "counter isa:", "the last number sent is"],
    ),
    (
        "UPDATE counter SET value = value + 1 WHERE scope LIKE 'invoice:%'",
        "UPDATE counter SET value = value - 1 WHERE scope LIKE 'invoice:%'",
        ["invoices", "counter invoice:", "invoices are kept"],
    ),
    (
        "UPDATE ledger_entry SET amount = amount + 1 WHERE source = 'invoice:1' AND ordinal = 0",
        "UPDATE ledger_entry SET amount = amount - 1 WHERE source = 'invoice:1' AND ordinal = 0",
        ["ledger", "invoice:1/issue", "does not sum to zero"],
    ),
    (
        "UPDATE ledger_entry SET amount = amount * 2 WHERE source = 'invoice:1'",
        "UPDATE ledger_entry SET amount = amount / 2 WHERE source = 'invoice:1'",
        ["invoices", "invoice 1 ", "the ledger says"],
    ),
    (
        "UPDATE invoice SET open = open - 1, written_off = written_off + 1 WHERE id = 1",
        "UPDATE invoice SET open = open + 1, written_off = written_off - 1 WHERE id = 1",
        ["invoices", "invoice 1 ", "are written off"],
    ),
    (
        "UPDATE payment SET unapplied = unapplied + 1 WHERE id = 1",
        "UPDATE payment SET unapplied = unapplied - 1 WHERE id = 1",
        ["payments", "payment 1 ", "the ledger says"],
    ),
    (
        "UPDATE stock SET on_hand = on_hand + 10000 WHERE item_id = 1",
        "UPDATE stock SET on_hand = on_hand - 10000 WHERE item_id = 1",
        ["stock", "stock of item", "its postings come to"],
    ),
    (
        "UPDATE content SET compressed = 1 - compressed WHERE sha256 = (SELECT sha256 FROM file WHERE id = 1)",
        "UPDATE content SET compressed = 1 - compressed WHERE sha256 = (SELECT sha256 FROM file WHERE id = 1)",
        ["received", "file 1 ", ""],
    ),
    (
        "UPDATE content SET size = size + 1 WHERE sha256 = (SELECT sha256 FROM file WHERE id = 2)",
        "UPDATE content SET size = size - 1 WHERE sha256 = (SELECT sha256 FROM file WHERE id = 2)",
        ["received", "file 2 ", "are kept"],
    ),
    (
        "DELETE FROM lane WHERE id = 63",
        "INSERT INTO lane (id, leased_until, fence) VALUES (63, 0, 0)",
        ["sent", "table lane", ""],
    ),
];

async fn each_change_is_found(location: StoreLocation) {
    let house = traded(location).await;
    pay(&house).await;
    house.prove().await;
    for (done, undone, [check, place, sentence]) in CHANGES {
        change(&house, done).await;
        expect(&house, check, place, sentence).await;
        change(&house, undone).await;
        house.prove().await;
    }
}

/// Pays the first open invoice short, with a deduction that is then given up, and something on account.
pub async fn pay(house: &House) {
    let open: Vec<(i64, String, i64, String)> = house
        .gateway
        .store
        .read()
        .await
        .unwrap()
        .rows(
            "SELECT partner_id, number, open, currency FROM invoice WHERE open > 1000 ORDER BY id LIMIT 1",
            vec![],
        )
        .await
        .unwrap();
    let (partner, number, open, currency) = open.into_iter().next().unwrap();
    let remittance = remittance(&number, open, &currency);
    payments::pay(
        &house.gateway,
        PartnerId(partner),
        Mode::Production,
        remittance,
        "test",
    )
    .await
    .unwrap();
    let taken = house
        .lines("SELECT CAST(id AS TEXT) FROM deduction ORDER BY id")
        .await;
    for id in taken {
        deductions::write_off(
            &house.gateway,
            DeductionId(id.parse().unwrap()),
            "not worth it",
            "test",
        )
        .await
        .unwrap();
    }
}

/// `open` less a deduction of 5.00, and 2.50 on account.
fn remittance(number: &str, open: i64, currency: &str) -> Remittance {
    let mut remittance = Remittance::by_hand(
        "CHK-1",
        samples::WRITTEN_ON,
        currency.parse().unwrap(),
        Amount(open - 250),
        &[(number.to_owned(), Amount(open - 500))],
    );
    remittance.items[0].action = "PI".to_owned();
    remittance.items[0].adjustments.push(RemittanceAdjustment {
        amount: Amount(-500),
        reason: "01".to_owned(),
        reference: "DM-9".to_owned(),
        note: String::new(),
    });
    remittance
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_is_found_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    each_change_is_found(StoreLocation::Sqlite(folder.path().join("supercargo.db"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_is_found_on_postgres() {
    let Some(database) = fresh_database().await else {
        return;
    };
    each_change_is_found(StoreLocation::Postgres(database.url.clone())).await;
}

/// Runs the program over a data folder: status, and what it printed.
pub fn program(data: &std::path::Path, arguments: &[&str]) -> (i32, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_supercargo"))
        .args(arguments)
        .arg("--data")
        .arg(data)
        .env_remove("DATABASE_URL")
        .output()
        .expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap_or(-1),
        text(&output.stdout) + &text(&output.stderr),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_running_system_comes_back_whole() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let [data, copy, again] = ["data", "copy", "again"].map(|name| folder.path().join(name));
    std::fs::create_dir_all(&data).unwrap();
    let house = traded(StoreLocation::Sqlite(data.join("supercargo.db"))).await;
    pay(&house).await;
    std::fs::create_dir_all(data.join("keys/visiting")).unwrap();
    let key = data.join("keys/visiting/own");
    std::fs::write(&key, "a key").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let before = proof(&house).await.totals;
    let at = copy.to_str().unwrap();

    let (status, told) = program(&data, &["backup", at]);
    assert_eq!(status, 0, "{told}");
    let (status, told) = program(&data, &["backup", at]);
    assert_eq!(status, 1, "nothing is written over: {told}");
    // The system goes on; the copy does not.
    let next = samples::PARTNERS[0].orders[0]
        .text
        .replace("45000010", "45000077")
        .replace("000000101", "000000777");
    house.submit("next.edi", next.as_bytes()).await;

    let other = again.join("keys/visiting/own");
    std::fs::create_dir_all(again.join("keys/visiting")).unwrap();
    std::fs::write(&other, "another key").unwrap();
    let (status, told) = program(&again, &["restore", at]);
    assert_eq!(status, 1, "no key is written over: {told}");
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "another key");
    std::fs::remove_file(&other).unwrap();
    let (status, told) = program(&again, &["restore", at]);
    assert_eq!(status, 0, "{told}");
    let (status, told) = program(&again, &["restore", at]);
    assert_eq!(status, 1, "nothing is written over: {told}");
    let (status, page) = program(&again, &["prove", "--json"]);
    assert_eq!(status, 0, "{page}");
    let proven: serde_json::Value = serde_json::from_str(&page).unwrap();
    assert_eq!(proven["totals"], serde_json::to_value(&before).unwrap());
    assert_ne!(proof(&house).await.totals, before);
    let restored = std::fs::metadata(again.join("keys/visiting/own")).unwrap();
    assert_eq!(restored.permissions().mode() & 0o777, 0o600);
}
