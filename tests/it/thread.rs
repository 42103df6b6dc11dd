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
use supercargo::workflow::{Gateway, lists, partners, prove, receive, run};

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
        Self::with_settings(location, Settings::default()).await
    }

    pub async fn with_settings(location: StoreLocation, settings: Settings) -> Self {
        let day = samples::WRITTEN_ON.and_hms_opt(15, 0, 0).unwrap();
        let clock = Arc::new(HandClock(Mutex::new(
            DateTime::<Utc>::from_naive_utc_and_offset(day, Utc),
        )));
        let store = Store::open(location).await.unwrap();
        let gateway = Gateway::new(store, clock.clone(), Arc::new(settings));
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

    /// What must hold after every step: the whole history agrees.
    pub async fn prove(&self) {
        let proof = prove::prove(&self.gateway, &[], &mut |_| {}).await.unwrap();
        assert!(proof.sound, "{:#?}", proof.faults);
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

/// What of every sample order: PO, state, documents sent about it or what was made of it.
const OUTCOMES: &[(&str, &str)] = &[
    ("4500001001", "invoiced"),
    ("4500001002", "partly_shipped"),
    ("4500001003", "held"),
    ("4500001004", "partly_shipped"),
    ("4500001005", "invoiced"),
    ("4500001006", "invoiced"),
    ("DM-1000001", "invoiced"),
    ("DM-1000002", "invoiced"),
    ("DM-1000003", "invoiced"),
    ("F-70011", "shipped"),
    ("F-70012", "shipped"),
    ("F-70013", "shipped"),
];

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
    let orders = house
        .lines("SELECT po_number || ' ' || status FROM purchase_order ORDER BY po_number")
        .await;
    let expected: Vec<String> = OUTCOMES
        .iter()
        .map(|(po, status)| format!("{po} {status}"))
        .collect();
    assert_eq!(orders, expected);
    house.prove().await;
    let held = house.lines("SELECT CAST(COUNT(*) AS TEXT) FROM document WHERE direction = 'out' AND delivery = 'held'").await;
    assert_eq!(held, ["0"], "what we send passes our own checks");
    let repeated = house.lines("SELECT disposition FROM document WHERE reference = '4500001002' AND direction = 'in' ORDER BY id").await;
    assert_eq!(repeated, ["processed", "duplicate"]);
    let rejected = house
        .lines("SELECT findings FROM document WHERE disposition = 'rejected'")
        .await;
    assert!(
        rejected.len() == 1
            && rejected[0].contains("invalid-date")
            && rejected[0].contains("invalid-character"),
        "{rejected:?}"
    );
    let numbers = house
        .lines("SELECT isa13 FROM transmission WHERE name LIKE 'bigmart%' ORDER BY isa13")
        .await;
    let rising: Vec<String> = (1..=numbers.len()).map(|n| format!("{n:09}")).collect();
    assert_eq!(numbers, rising, "control numbers rise by one");
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
