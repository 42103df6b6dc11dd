//! The seals: of what is kept no row can go and no byte can change without the proof saying where, and the end of the
//! chain can not be cut off where its head was kept elsewhere.

use std::path::Path;
use std::time::Duration;

use supercargo::config::samples;
use supercargo::config::settings::Settings;
use supercargo::domain::clock::Instant;
use supercargo::domain::ids::{PartnerId, ShipmentId};
use supercargo::domain::order::Mode;
use supercargo::storage::journal::{NewMail, Subject};
use supercargo::storage::objects::Objects;
use supercargo::storage::users::Role;
use supercargo::storage::{Class, Store, StoreLocation};
use supercargo::workflow::prove::{Head, Proof, prove};
use supercargo::workflow::receive::{Upload, UploadSource, receive};
use supercargo::workflow::seal::{Sealing, seal};
use supercargo::workflow::{Gateway, partners};

use crate::engines::places;
use crate::peers::postgres::fresh_database;
use crate::peers::s3::S3;
use crate::prove::{behind_the_back, pay, program, traded};
use crate::thread::House;

/// Seals all there is. PostgreSQL counts the transactions of other databases beside this one too, so it may have to wait
/// for them.
async fn seal_all(gateway: &Gateway) -> u64 {
    let mut sealed = 0;
    loop {
        match seal(gateway).await.unwrap() {
            Sealing::Done(0) => return sealed,
            Sealing::Done(rows) => sealed += rows,
            Sealing::Waiting | Sealing::Elsewhere => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

async fn proof(house: &House, heads: &[Head]) -> Proof {
    prove(&house.gateway, heads, &mut |_| {}).await.unwrap()
}

/// Writes in one transaction.
async fn write<T, F>(house: &House, work: F) -> T
where
    T: Send + 'static,
    F: for<'c> Fn(
            &'c mut supercargo::storage::Connection,
        )
            -> futures::future::BoxFuture<'c, Result<T, supercargo::storage::Failure>>
        + Send
        + Sync
        + 'static,
{
    house
        .gateway
        .store
        .write(Class::Ordinary, work)
        .await
        .unwrap()
}

/// A house in which every table has rows, sealed: real trade and a payment, logins and users, a large file that is no
/// X12, one larger still in the object store, a file that nobody has read yet, a shipment that waits for its day.
async fn full(location: StoreLocation, s3: &S3, data: &Path) -> House {
    let mut house = traded(location).await;
    let settings = Settings::parse(&s3.settings(data, 3_000_000)).unwrap();
    let objects = Objects::of(&settings.objects, data).unwrap();
    house.gateway.store = house.gateway.store.with_objects(objects);
    pay(&house).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    std::fs::write(&path, vec![b'x'; 2_500_000]).unwrap();
    let upload = |name: &str, source| Upload {
        connection: None,
        partner: None,
        name: name.to_owned(),
        source,
        actor: "test".to_owned(),
        key: Some(format!("upload of {name}")),
    };
    receive(
        &house.gateway,
        upload("large", UploadSource::Path(path.clone())),
    )
    .await
    .unwrap();
    std::fs::write(&path, vec![b'y'; 3_500_000]).unwrap();
    receive(&house.gateway, upload("larger", UploadSource::Path(path)))
        .await
        .unwrap();
    house.advance(0).await;
    let (partner, now) = (PartnerId(1), house.gateway.now());
    write(&house, move |connection| {
        Box::pin(async move {
            let mailbox = connection.open_mailbox("sealed", partner.0).await?;
            connection
                .add_mailbox_login(mailbox, "key", "ssh-ed25519 AAAA test", now)
                .await?;
            connection
                .add_mailbox_login(mailbox, "password", "$argon2$first", now)
                .await?;
            connection
                .add_mailbox_login(mailbox, "password", "$argon2$second", now)
                .await?;
            let mail = NewMail {
                key: "test".to_owned(),
                recipients: "ops@example.com".to_owned(),
                subject: "a mail".to_owned(),
                body: "its text".to_owned(),
            };
            connection.queue_mail(now, mail).await?;
            connection
                .claim_given_labels("00614141", Mode::Production, ShipmentId(1), &[900_000])
                .await?;
            if let Some(mut shipment) = connection.shipment(ShipmentId(1)).await? {
                let before = shipment.revision;
                shipment.tracking = "PRO-1".to_owned();
                shipment.revision += 1;
                connection.save_shipments(vec![(shipment, before)]).await?;
            }
            connection
                .save_user("pat", "$argon2$secret", &[Role::Ops].into(), now)
                .await
        })
    })
    .await;
    // A profile that is applied again leaves the partner the mailbox that it was given besides.
    partners::apply(&house.gateway, samples::PARTNERS[0].profile, "test")
        .await
        .unwrap();
    behind_the_back(
        &house,
        "INSERT INTO console_session (token_hash, name, csrf, expires_at) VALUES ('a', 'pat', 'b', 0)",
    )
    .await;
    let unread = b"not read yet".to_vec();
    receive(
        &house.gateway,
        upload("unread", UploadSource::Bytes(unread)),
    )
    .await
    .unwrap();
    seal_all(&house.gateway).await;
    house
}

/// Tables of which a row may go without harm, and why.
const HARMLESS: &[(&str, &str)] = &[
    (
        "console_session",
        "whoever it belonged to signs in again; it says nothing of the trade",
    ),
    (
        "_sqlx_migrations",
        "the program opens no database whose schema it can not tell",
    ),
];

async fn tables(house: &House) -> Vec<String> {
    let sql = match house.gateway.store.location() {
        StoreLocation::Sqlite(_) => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        }
        StoreLocation::Postgres(_) => {
            "SELECT CAST(relname AS TEXT) FROM pg_class WHERE relkind = 'r'
             AND relnamespace = CAST('public' AS regnamespace) ORDER BY relname"
        }
    };
    house.lines(sql).await
}

/// Where rows of a table are: the first and the last, and so many between as `SUPERCARGO_TEST_ROWS` asks for.
async fn some_rows(house: &House, table: &str) -> Vec<String> {
    let column = match house.gateway.store.location() {
        StoreLocation::Sqlite(_) => "rowid",
        StoreLocation::Postgres(_) => "ctid",
    };
    let all = house
        .lines(&format!(
            "SELECT CAST({column} AS TEXT) FROM {table} ORDER BY {column}"
        ))
        .await;
    let most = std::env::var("SUPERCARGO_TEST_ROWS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1);
    let step = all.len().saturating_sub(1).div_ceil(most).max(1);
    let mut rows: Vec<String> = all.iter().step_by(step).cloned().collect();
    rows.extend(all.last().filter(|last| !rows.contains(last)).cloned());
    rows
}

/// Takes a row away, as somebody with a database tool would who does not care for foreign keys.
async fn take_away(house: &House, table: &str, row: &str) {
    let (place, free) = match house.gateway.store.location() {
        StoreLocation::Sqlite(_) => (format!("rowid = {row}"), ""),
        StoreLocation::Postgres(_) => (
            format!("ctid = '{row}'"),
            "SET session_replication_role = replica;",
        ),
    };
    behind_the_back(
        house,
        &format!("DROP TABLE IF EXISTS taken_away; CREATE TABLE taken_away AS SELECT * FROM {table} WHERE {place}"),
    )
    .await;
    let gone = behind_the_back(house, &format!("{free} DELETE FROM {table} WHERE {place}")).await;
    assert_eq!(gone, 1, "{table}, {row}");
}

async fn put_back(house: &House, table: &str) {
    let free = match house.gateway.store.location() {
        StoreLocation::Sqlite(_) => "",
        StoreLocation::Postgres(_) => "SET session_replication_role = replica;",
    };
    behind_the_back(
        house,
        &format!("{free} INSERT INTO {table} SELECT * FROM taken_away"),
    )
    .await;
}

async fn no_row_can_go(location: StoreLocation) {
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3::start(folder.path()).await;
    let house = full(location, &s3, folder.path()).await;
    house.prove().await;
    let mut missed = Vec::new();
    for table in tables(&house).await {
        let rows = some_rows(&house, &table).await;
        assert!(!rows.is_empty(), "{table} has no row to take");
        if HARMLESS.iter().any(|(harmless, _)| *harmless == table) {
            continue;
        }
        for row in rows {
            take_away(&house, &table, &row).await;
            let proof = proof(&house, &[]).await;
            // The table of the fault is that of the row, or that of what misses it.
            match proof.faults.first() {
                Some(fault) if !proof.sound => {
                    println!("{table}: {}: {}", fault.place, fault.message);
                }
                _ => missed.push(format!("{table}, row {row}")),
            }
            put_back(&house, &table).await;
        }
    }
    house.prove().await;
    assert!(missed.is_empty(), "{missed:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_row_of_any_table_can_go_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    no_row_can_go(StoreLocation::Sqlite(folder.path().join("supercargo.db"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_row_of_any_table_can_go_on_postgres() {
    let Some(database) = fresh_database().await else {
        return;
    };
    no_row_can_go(StoreLocation::Postgres(database.url.clone())).await;
}

/// Changes that agree with everything else, what undoes them, and the table that has to be named.
const FLIPPED: &[(&str, &str, &str)] = &[
    (
        "UPDATE audit SET detail = detail || ' ' WHERE id = 2",
        "UPDATE audit SET detail = substr(detail, 1, length(detail) - 1) WHERE id = 2",
        "table audit, rows 1 to ",
    ),
    (
        "UPDATE file SET received_by = 'tesu' WHERE id = 1",
        "UPDATE file SET received_by = 'test' WHERE id = 1",
        "table file, rows 1 to ",
    ),
    (
        "UPDATE ledger_entry SET at = at + 1 WHERE source = 'invoice:1'",
        "UPDATE ledger_entry SET at = at - 1 WHERE source = 'invoice:1'",
        "table ledger_entry, rows 1 to ",
    ),
    (
        "UPDATE payment SET reference = 'CHK-2' WHERE id = 1",
        "UPDATE payment SET reference = 'CHK-1' WHERE id = 1",
        "table payment, rows 1 to ",
    ),
    (
        "UPDATE invoice SET body = body || ' ' WHERE id = 1",
        "UPDATE invoice SET body = substr(body, 1, length(body) - 1) WHERE id = 1",
        "table invoice, rows 1 to ",
    ),
    (
        "UPDATE stock_movement SET at = at + 1 WHERE id = 1",
        "UPDATE stock_movement SET at = at - 1 WHERE id = 1",
        "table stock_movement, rows 1 to ",
    ),
    (
        "UPDATE mail SET body = body || ' ' WHERE id = (SELECT MIN(id) FROM mail)",
        "UPDATE mail SET body = substr(body, 1, length(body) - 1) WHERE id = (SELECT MIN(id) FROM mail)",
        "table mail, rows 1 to ",
    ),
    (
        "UPDATE effect SET key = key || 'x' WHERE id = (SELECT MIN(id) FROM effect)",
        "UPDATE effect SET key = substr(key, 1, length(key) - 1) WHERE id = (SELECT MIN(id) FROM effect)",
        "table effect, rows 1 to ",
    ),
    (
        "UPDATE document SET st02 = '0009' WHERE id = (SELECT MIN(id) FROM document WHERE direction = 'in')",
        "UPDATE document SET st02 = '0001' WHERE id = (SELECT MIN(id) FROM document WHERE direction = 'in')",
        "document ",
    ),
    (
        "UPDATE seal SET at = at + 1 WHERE number = 1",
        "UPDATE seal SET at = at - 1 WHERE number = 1",
        "seal 1",
    ),
    (
        "INSERT INTO audit (id, at, actor, action, subject_kind, subject_id, detail) VALUES (-1, 0, 'x', 'x', 'x', 1, 'x')",
        "DELETE FROM audit WHERE id = -1",
        "table audit, rows 1 to ",
    ),
];

async fn is_told(house: &House, place: &str, of: &str) {
    let proof = proof(house, &[]).await;
    assert!(
        proof
            .faults
            .iter()
            .any(|fault| fault.place.starts_with(place)),
        "{of}: {:#?}",
        proof.faults
    );
}

/// Another last byte in the place of what is kept of a content.
async fn flip_bytes(house: &House, table: &str, condition: &str) {
    let flipped = match house.gateway.store.location() {
        StoreLocation::Sqlite(_) => "CAST(substr(bytes, 1, length(bytes) - 1) || x'00' AS BLOB)",
        StoreLocation::Postgres(_) => "set_byte(bytes, length(bytes) - 1, 0)",
    };
    behind_the_back(house, &format!("DROP TABLE IF EXISTS taken_away; CREATE TABLE taken_away AS SELECT * FROM {table} WHERE {condition}")).await;
    let n = behind_the_back(
        house,
        &format!("UPDATE {table} SET bytes = {flipped} WHERE {condition}"),
    )
    .await;
    assert_eq!(n, 1, "{table}: {condition}");
}

async fn unflip(house: &House, table: &str, condition: &str) {
    behind_the_back(
        house,
        &format!("UPDATE {table} SET bytes = (SELECT bytes FROM taken_away) WHERE {condition}"),
    )
    .await;
}

/// Bytes that came, that went, and of a large file; and the place that has to be named.
const BYTES: &[(&str, &str, &str)] = &[
    (
        "content",
        "sha256 = (SELECT sha256 FROM file WHERE id = 1)",
        "file 1 ",
    ),
    (
        "content",
        "sha256 = (SELECT sha256 FROM transmission WHERE id = 1)",
        "sent file 1 ",
    ),
    ("content_chunk", "ordinal = 1", "file "),
];

async fn no_byte_can_change(location: StoreLocation) {
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3::start(folder.path()).await;
    let house = full(location, &s3, folder.path()).await;
    for (done, undone, told) in FLIPPED {
        assert!(behind_the_back(&house, done).await > 0, "{done}");
        is_told(&house, told, done).await;
        behind_the_back(&house, undone).await;
        house.prove().await;
    }
    for (table, condition, told) in BYTES {
        flip_bytes(&house, table, condition).await;
        is_told(&house, told, condition).await;
        unflip(&house, table, condition).await;
        house.prove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_of_what_is_kept_can_change_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    no_byte_can_change(StoreLocation::Sqlite(folder.path().join("supercargo.db"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_of_what_is_kept_can_change_on_postgres() {
    let Some(database) = fresh_database().await else {
        return;
    };
    no_byte_can_change(StoreLocation::Postgres(database.url.clone())).await;
}

/// Adds so many entries to the audit trail.
async fn record(house: &House, entries: usize) {
    let now = house.gateway.now();
    write(house, move |connection| {
        Box::pin(async move {
            let entries = (0..entries)
                .map(|n| ("noted".to_owned(), Subject::new("order", 1), n.to_string()))
                .collect();
            connection.record_all(now, "test", entries).await
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_sealers_make_one_chain() {
    for place in places().await {
        let house = House::open(place.location.clone()).await;
        seal_all(&house.gateway).await;
        let before = proof(&house, &[]).await;
        record(&house, 4_500).await;
        let mut sealers = Vec::new();
        for _ in 0..3 {
            let store = Store::open(place.location.clone()).await.unwrap();
            let gateway = Gateway::new(store, house.clock.clone(), house.gateway.settings.clone());
            sealers.push(tokio::spawn(async move { seal_all(&gateway).await }));
        }
        let mut sealed = 0;
        for sealer in sealers {
            sealed += sealer.await.unwrap();
        }
        // Each new counter, alert and the like is sealed too; the entries are what there is to seal here.
        assert_eq!(sealed, 4_500, "{}: each once", place.name);
        let after = proof(&house, before.head.as_slice()).await;
        assert!(after.sound, "{}: {:#?}", place.name, after.faults);
        assert_eq!(after.totals.sealed_rows, before.totals.sealed_rows + 4_500);
        assert_eq!(
            after.totals.seals,
            before.totals.seals + 5,
            "{}",
            place.name
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_commits_late_is_sealed_late() {
    use sqlx::Connection as _;
    for place in places().await {
        let StoreLocation::Postgres(url) = &place.location else {
            continue;
        };
        let house = House::open(place.location.clone()).await;
        seal_all(&house.gateway).await;
        // A transaction of another gateway that has taken its numbers and not committed.
        let mut late = sqlx::PgConnection::connect(url).await.unwrap();
        let begun = "BEGIN; SELECT txid_current();
            INSERT INTO audit (id, at, actor, action, subject_kind, subject_id, detail)
            VALUES (nextval('audit_seq'), 0, 'late', 'came late', 'order', 1, '')";
        sqlx::raw_sql(begun).execute(&mut late).await.unwrap();
        record(&house, 3).await;
        assert_eq!(
            seal(&house.gateway).await.unwrap(),
            Sealing::Waiting,
            "numbers behind the late one are not sealed before it"
        );
        sqlx::raw_sql("COMMIT").execute(&mut late).await.unwrap();
        late.close().await.unwrap();
        assert_eq!(seal_all(&house.gateway).await, 4);
        house.prove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_is_cut_off_or_made_anew_does_not_fit_its_head() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    let kept = folder.path().join("heads");
    let heads = kept.to_str().unwrap();
    let house = House::open(StoreLocation::Sqlite(data.join("supercargo.db"))).await;

    let (status, told) = program(&data, &["prove", "--export-heads", heads]);
    assert_eq!(status, 1, "nothing is sealed: {told}");
    let (status, told) = program(&data, &["prove", "--heads", heads]);
    assert_eq!(status, 2, "there is no such file: {told}");
    for _ in 0..2 {
        record(&house, 1).await;
        let (status, told) = program(&data, &["seal"]);
        assert_eq!(status, 0, "{told}");
        let (status, told) = program(&data, &["prove", "--export-heads", heads]);
        assert_eq!(status, 0, "{told}");
    }
    let text = std::fs::read_to_string(&kept).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
    let (status, told) = program(&data, &["prove", "--heads", heads]);
    assert_eq!(status, 0, "{told}");

    // Somebody takes the last entry away, and its seal, and that there was one.
    for sql in [
        "DELETE FROM audit WHERE id = (SELECT MAX(id) FROM audit)",
        "DELETE FROM seal WHERE number = 2",
        "UPDATE counter SET value = 1 WHERE scope = 'seal'",
        "UPDATE sequence SET value = value - 1 WHERE name = 'audit'",
    ] {
        assert_eq!(behind_the_back(&house, sql).await, 1, "{sql}");
    }
    let (status, told) = program(&data, &["prove"]);
    assert_eq!(status, 0, "what is left agrees: {told}");
    let (status, told) = program(&data, &["prove", "--heads", heads]);
    assert_eq!(status, 1, "{told}");
    assert!(
        told.contains("seal 2: it was the end of the chain"),
        "{told}"
    );

    // And has the rest sealed anew.
    record(&house, 1).await;
    let (status, told) = program(&data, &["seal"]);
    assert_eq!(status, 0, "{told}");
    let (status, told) = program(&data, &["prove", "--heads", heads, "--export-heads", heads]);
    assert_eq!(status, 1, "{told}");
    assert!(told.contains("the chain was made anew"), "{told}");
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), text);
    let last: Head = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(last.seal, 2);
    assert!(last.sealed_at > Instant::UNIX_EPOCH);
}
