//! The whole thread without a network: an 850 becomes 997, 855, 856, 810 and a receivable, on both databases.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use supercargo::config::samples;
use supercargo::config::settings::Settings;
use supercargo::domain::clock::{Clock, Instant};
use supercargo::storage::{Store, StoreLocation};
use supercargo::workflow::lists::ListKind;
use supercargo::workflow::receive::{Upload, UploadSource};
use supercargo::workflow::{Gateway, lists, partners, receive, run};

use crate::peers::postgres::fresh_database;

/// A clock that a test turns by hand.
pub struct HandClock(pub Mutex<Instant>);

impl Clock for HandClock {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap()
    }
}

/// A gateway with the sample partners and lists, on the day the samples were written.
pub struct House {
    pub gateway: Gateway,
    pub clock: Arc<HandClock>,
}

impl House {
    pub async fn open(location: StoreLocation) -> Self {
        let day = samples::WRITTEN_ON.and_hms_opt(15, 0, 0).unwrap();
        let clock = Arc::new(HandClock(Mutex::new(
            DateTime::<Utc>::from_naive_utc_and_offset(day, Utc),
        )));
        let store = Store::open(location).await.unwrap();
        let gateway = Gateway::new(store, clock.clone(), Arc::new(Settings::default()));
        for partner in samples::PARTNERS {
            partners::apply(&gateway, partner.profile, "test")
                .await
                .unwrap();
        }
        for (kind, list) in [
            (ListKind::Warehouses, samples::WAREHOUSES),
            (ListKind::Items, samples::ITEMS),
            (ListKind::Stock, samples::STOCK),
            (ListKind::Stock, samples::EXPECTED),
        ] {
            lists::load(&gateway, kind, list.as_bytes(), None, "test")
                .await
                .unwrap();
        }
        for partner in samples::PARTNERS {
            lists::load(
                &gateway,
                ListKind::Prices,
                partner.prices.as_bytes(),
                Some(partner.partner),
                "test",
            )
            .await
            .unwrap();
            lists::load(
                &gateway,
                ListKind::Locations,
                partner.locations.as_bytes(),
                Some(partner.partner),
                "test",
            )
            .await
            .unwrap();
        }
        Self { gateway, clock }
    }

    pub async fn submit(&self, name: &str, bytes: &[u8]) -> i64 {
        let upload = Upload {
            connection: None,
            partner: None,
            name: name.to_owned(),
            source: UploadSource::Bytes(bytes.to_vec()),
            actor: "test".to_owned(),
            key: None,
        };
        let id = receive::receive(&self.gateway, upload).await.unwrap();
        assert!(
            run::settle(&self.gateway, Duration::from_secs(60))
                .await
                .unwrap()
        );
        id.0
    }

    pub async fn advance(&self, days: i64) {
        *self.clock.0.lock().unwrap() += chrono::Duration::days(days);
        assert!(
            run::settle(&self.gateway, Duration::from_secs(60))
                .await
                .unwrap()
        );
    }

    /// Rows of a query as lines of text, for looking at.
    pub async fn lines(&self, sql: &str) -> Vec<String> {
        let rows: Vec<(String,)> = self
            .gateway
            .store
            .read()
            .await
            .unwrap()
            .rows(sql, vec![])
            .await
            .unwrap();
        rows.into_iter().map(|row| row.0).collect()
    }
}

async fn thread(location: StoreLocation) {
    let house = House::open(location).await;
    for partner in samples::PARTNERS {
        for order in partner.orders {
            house.submit(order.name, order.text.as_bytes()).await;
        }
    }
    for _ in 0..12 {
        house.advance(1).await;
    }
    for line in house
        .lines("SELECT po_number || ' ' || status || ' ' || value FROM purchase_order ORDER BY id")
        .await
    {
        println!("order {line}");
    }
    for line in house.lines("SELECT direction || ' ' || set_code || ' ' || disposition || ' ' || delivery || ' ' || reference || ' ' || findings FROM document ORDER BY id").await {
        println!("document {line}");
    }
    for line in house
        .lines("SELECT id || ' ' || status || ' ' || body FROM shipment ORDER BY id")
        .await
    {
        println!("shipment {line}");
    }
    for line in house
        .lines("SELECT number || ' ' || status || ' ' || total FROM invoice ORDER BY id")
        .await
    {
        println!("invoice {line}");
    }
    for line in house.lines("SELECT step || ' ' || subject || ' ' || attempts || ' ' || COALESCE(problem, '') FROM work ORDER BY id").await {
        println!("work {line}");
    }
    for line in house
        .lines("SELECT kind || ': ' || message FROM alert ORDER BY id")
        .await
    {
        println!("alert {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_thread_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    thread(StoreLocation::Sqlite(folder.path().join("supercargo.db"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_thread_on_postgres() {
    let Some(database) = fresh_database().await else {
        return;
    };
    thread(StoreLocation::Postgres(database.url.clone())).await;
}
