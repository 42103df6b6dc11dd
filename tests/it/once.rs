//! The same thing handed over by several at once happens once: what the keys of effects are for.

use chrono::Duration;
use supercargo::binds;
use supercargo::domain::finding::Place;
use supercargo::domain::ids::{ConnectionId, PartnerId};
use supercargo::domain::money::{Amount, Currency};
use supercargo::domain::order::Mode;
use supercargo::domain::remittance::{Remittance, RemittanceItem};
use supercargo::storage::listing::{Page, health};
use supercargo::storage::work::Duty;
use supercargo::storage::{Class, Failure, Store, StoreLocation};
use supercargo::workflow::COMPANY;
use supercargo::workflow::payments::pay;
use supercargo::workflow::receive::{Upload, UploadSource, receive};

use crate::engines::engines;
use crate::peers::postgres::fresh_database;
use crate::thread::House;

async fn partner(house: &House) -> i64 {
    let mut reading = house.gateway.store.read().await.unwrap();
    reading
        .number("SELECT id FROM partner WHERE code = 'bigmart'", vec![])
        .await
        .unwrap()
}

async fn happens_once(location: StoreLocation) {
    let house = House::open(location).await;
    let partner = PartnerId(partner(&house).await);
    for round in 0..20 {
        // As several nodes do that poll one server at the same moment.
        let uploads = (0..6).map(|_| {
            let upload = Upload {
                connection: Some(ConnectionId(1)),
                partner: None,
                name: "order.edi".to_owned(),
                source: UploadSource::Bytes(format!("ISA of round {round}").into_bytes()),
                actor: "poll".to_owned(),
                key: Some(format!("1:order.edi:{round}")),
            };
            let gateway = house.gateway.clone();
            tokio::spawn(async move { receive(&gateway, upload).await.unwrap() })
        });
        let mut files = Vec::new();
        for upload in uploads.collect::<Vec<_>>() {
            files.push(upload.await.unwrap());
        }
        files.dedup();
        assert_eq!(files.len(), 1, "one file, and everybody is told which");

        let payments = (0..6).map(|_| {
            let remittance = Remittance {
                reference: format!("CHECK {round}"),
                method: "CHK".to_owned(),
                total: Amount(10_000),
                debit: false,
                money_moved: true,
                currency: Currency::USD,
                date: "2026-01-05".parse().unwrap(),
                payer: "BIGMART".to_owned(),
                items: vec![RemittanceItem {
                    qualifier: "OI".to_owned(),
                    reference: "NOBODY KNOWS IT".to_owned(),
                    action: String::new(),
                    paid: Amount(10_000),
                    invoice_amount: None,
                    discount: None,
                    adjustments: Vec::new(),
                    place: Place::default(),
                }],
                adjustments: Vec::new(),
            };
            let gateway = house.gateway.clone();
            tokio::spawn(
                async move { pay(&gateway, partner, Mode::Production, remittance, "ar").await },
            )
        });
        let mut booked = 0;
        for payment in payments.collect::<Vec<_>>() {
            match payment.await.unwrap() {
                Ok(_) => booked += 1,
                Err(refusal) => {
                    assert!(refusal.to_string().contains("already booked"), "{refusal}")
                }
            }
        }
        assert_eq!(booked, 1, "booked once, and the others are told of it");
    }
    let files = house.lines("SELECT CAST(COUNT(*) AS TEXT) FROM file").await;
    let payments = house
        .lines("SELECT CAST(COUNT(*) AS TEXT) FROM payment")
        .await;
    assert_eq!(
        (files, payments),
        (vec!["20".to_owned()], vec!["20".to_owned()])
    );
    what_is_claimed_is_told(&house).await;
    house.prove().await;
}

/// Who waits for work that a gateway has claimed is told until when.
async fn what_is_claimed_is_told(house: &House) {
    let look = async || {
        let now = house.gateway.now();
        let mut reading = house.gateway.store.read().await.unwrap();
        let health = health::look(&mut reading, COMPANY, now, Page::first(5))
            .await
            .unwrap();
        (health.due, health.claimed, health.claimed_until)
    };
    assert_eq!(look().await, (20, 0, None));
    let now = house.gateway.now();
    let until = now + Duration::seconds(30);
    let leases = house
        .gateway
        .store
        .write(Class::Ordinary, move |connection| {
            Box::pin(async move {
                connection
                    .claim_lanes(Duty::Everything, now, until, 64)
                    .await
            })
        })
        .await
        .unwrap();
    assert_eq!(look().await, (20, 20, Some(until)));
    house
        .gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let leases = leases.clone();
            Box::pin(async move { connection.release_lanes(&leases).await })
        })
        .await
        .unwrap();
    assert_eq!(look().await, (20, 0, None));
}

/// An upload that the database refuses keeps out none of those that came in with it.
async fn one_bad_upload_keeps_out_no_other(location: StoreLocation) {
    let house = House::open(location).await;
    for round in 0..10 {
        let uploads = (0..8).map(|n| {
            let name = match n {
                // PostgreSQL keeps no text with this character.
                3 => format!("bad\0{round}.edi"),
                _ => format!("good-{round}-{n}.edi"),
            };
            let upload = Upload {
                connection: Some(ConnectionId(1)),
                partner: None,
                source: UploadSource::Bytes(name.clone().into_bytes()),
                name,
                actor: "test".to_owned(),
                key: (n % 2 == 0).then(|| format!("{round}:{n}")),
            };
            let gateway = house.gateway.clone();
            tokio::spawn(async move { receive(&gateway, upload).await })
        });
        for (n, upload) in uploads.collect::<Vec<_>>().into_iter().enumerate() {
            let received = upload.await.unwrap();
            assert_eq!(received.is_err(), n == 3, "{received:?}");
        }
    }
    let good = house
        .lines("SELECT CAST(COUNT(*) AS TEXT) FROM file WHERE name LIKE 'good-%'")
        .await;
    assert_eq!(good, ["70"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_several_hand_over_at_once_happens_once_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    happens_once(StoreLocation::Sqlite(folder.path().join("supercargo.db"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_several_hand_over_at_once_happens_once_on_postgres() {
    let Some(database) = fresh_database().await else {
        return;
    };
    happens_once(StoreLocation::Postgres(database.url.clone())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_upload_that_is_refused_keeps_out_no_other_on_postgres() {
    let Some(database) = fresh_database().await else {
        return;
    };
    one_bad_upload_keeps_out_no_other(StoreLocation::Postgres(database.url.clone())).await;
}

/// Claims keys of effects in one statement, in a transaction of its own.
async fn claim(store: &Store, keys: &'static [&'static str]) -> Result<u64, Failure> {
    store
        .write(Class::Ordinary, move |connection| {
            Box::pin(async move {
                let rows = keys.iter().map(|key| binds![*key, 1_i64]).collect();
                connection
                    .insert_many("INSERT INTO effect (key, subject)", rows, "")
                    .await
            })
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_statement_that_breaks_a_constraint_leaves_none_of_its_rows() {
    for engine in engines().await {
        let store = &engine.store;
        // Alone, and between others with which SQLite may commit it.
        assert!(claim(store, &["a", "b", "a"]).await.is_err());
        let (before, broken, behind) = tokio::join!(
            claim(store, &["c", "d"]),
            claim(store, &["e", "f", "e"]),
            claim(store, &["g", "h"]),
        );
        assert_eq!(
            (before.unwrap(), behind.unwrap()),
            (2, 2),
            "{}",
            engine.name
        );
        assert!(broken.is_err(), "{}", engine.name);
        let mut reading = store.read().await.unwrap();
        let sql = "SELECT key FROM effect ORDER BY key";
        let kept: Vec<(String,)> = reading.rows(sql, vec![]).await.unwrap();
        let kept: Vec<&str> = kept.iter().map(|(key,)| key.as_str()).collect();
        assert_eq!(kept, ["c", "d", "g", "h"], "{}", engine.name);
    }
}
