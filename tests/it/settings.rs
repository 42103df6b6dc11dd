//! Settings do what they say: each of those that bound work and input is turned and its effect looked at.

use supercargo::config::samples;
use supercargo::config::settings::Settings;
use supercargo::storage::work::{Duty, Step};
use supercargo::storage::{Store, StoreLocation};
use supercargo::workflow::run;

use crate::engines::places;
use crate::thread::House;

/// Three orders in one interchange.
fn three_orders() -> &'static [u8] {
    samples::PARTNERS[0].orders[0].text.as_bytes()
}

fn with(change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings::default();
    change(&mut settings);
    settings
}

/// Twelve orders in one interchange: the first sample order over and over, each with a number of its own.
fn twelve_orders() -> String {
    let sample = String::from_utf8(three_orders().to_vec()).unwrap();
    let begins = sample.find("ST*850*").unwrap();
    let ends = sample.find("ST*850*0002").unwrap();
    let trailer = sample.find("GE*3*").unwrap();
    let orders: String = (1..=12)
        .map(|n| {
            sample[begins..ends]
                .replace("*0001~", &format!("*{n:04}~"))
                .replace("*4500001001*", &format!("*45000020{n:02}*"))
        })
        .collect();
    format!(
        "{}{orders}{}",
        &sample[..begins],
        sample[trailer..].replacen("GE*3*", "GE*12*", 1)
    )
}

/// Transactions that wrote the 855s of twelve orders. PostgreSQL says of each row which transaction wrote it.
async fn transactions(location: StoreLocation, batch: u32) -> usize {
    let settings = with(|settings| settings.work.batch = batch);
    let house = House::with_settings(location, settings).await;
    house.submit("twelve.edi", twelve_orders().as_bytes()).await;
    let written = house
        .lines("SELECT DISTINCT CAST(xmin AS TEXT) FROM effect WHERE key LIKE 'out:%:855:%'")
        .await;
    written.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_what_one_transaction_takes() {
    let mut counts = Vec::new();
    for batch in [1, 200] {
        let Some(database) = crate::peers::postgres::fresh_database().await else {
            return;
        };
        let location = StoreLocation::Postgres(database.url.clone());
        counts.push(transactions(location, batch).await);
    }
    assert_eq!(counts[0], 12);
    assert!((1..12).contains(&counts[1]), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_was_begun_is_taken_over_when_its_lease_ends() {
    for place in places().await {
        let settings = with(|settings| settings.work.lease_seconds = 30);
        let house = House::with_settings(place.location.clone(), settings).await;
        let gateway = &house.gateway;
        let now = gateway.now();
        gateway
            .store
            .write(supercargo::storage::Class::Ordinary, move |connection| {
                Box::pin(async move { connection.ask_for(Step::Verify, 7, &[7], now).await })
            })
            .await
            .unwrap();
        let seconds = chrono::Duration::seconds;
        let first = run::claim(gateway, Duty::Everything, now).await.unwrap();
        assert_eq!(first.len(), 1, "{}", place.name);
        let early = run::claim(gateway, Duty::Everything, now + seconds(29))
            .await
            .unwrap();
        assert!(early.is_empty(), "{}", place.name);
        let late = run::claim(gateway, Duty::Everything, now + seconds(31))
            .await
            .unwrap();
        assert_eq!((late.len(), late[0].id), (1, first[0].id), "{}", place.name);
        assert!(late[0].fence > first[0].fence, "{}", place.name);
    }
}

/// What became of the sample order under these settings: dispositions of its documents, their findings.
async fn judged(settings: Settings, text: &[u8]) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for place in places().await {
        let house = House::with_settings(place.location.clone(), settings.clone()).await;
        house.submit("order.edi", text).await;
        let dispositions = house
            .lines("SELECT disposition FROM document WHERE direction = 'in' ORDER BY id")
            .await;
        let findings = house
            .lines("SELECT findings FROM document WHERE direction = 'in' ORDER BY id")
            .await;
        all.push((dispositions.join(" "), findings.join("\n")));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_too_many_lines_is_held() {
    let settings = with(|settings| settings.limits.order_lines_max = 1);
    for (dispositions, findings) in judged(settings, three_orders()).await {
        assert!(dispositions.contains("held"), "{dispositions}");
        assert!(
            findings.contains("order-too-long") && findings.contains("limits.order_lines_max"),
            "{findings}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sets_and_segments_beyond_their_limits_are_refused() {
    let long_note = String::from_utf8(three_orders().to_vec())
        .unwrap()
        .replacen("REF*DP*", &format!("REF*ZZ*{}~REF*DP*", "X".repeat(400)), 1);
    for (settings, text, code) in [
        (
            with(|settings| settings.limits.set_bytes_max = 1_024),
            // Padded by segments that the standard lets repeat.
            String::from_utf8(three_orders().to_vec())
                .unwrap()
                .replacen(
                    "REF*DP*",
                    &format!("{}REF*DP*", "REF*ZZ*0123456789~".repeat(100)),
                    1,
                ),
            "set-too-long",
        ),
        (
            with(|settings| settings.limits.segment_bytes_max = 256),
            long_note,
            "segment-too-long",
        ),
    ] {
        for (dispositions, findings) in judged(settings.clone(), text.as_bytes()).await {
            assert!(dispositions.contains("rejected"), "{code}: {dispositions}");
            assert!(findings.contains(code), "{code}: {findings}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_beyond_the_limit_are_not_kept() {
    let faulty = String::from_utf8(three_orders().to_vec())
        .unwrap()
        .replacen(
            "REF*DP*",
            &format!("{}REF*DP*", "DTM*002*20269999~".repeat(9)),
            1,
        );
    let count = |findings: &str| findings.matches("invalid-date").count();
    let few = with(|settings| settings.limits.findings_max = 4);
    for (_, findings) in judged(few, faulty.as_bytes()).await {
        assert!((1..=4).contains(&count(&findings)), "{findings}");
        assert!(findings.contains("too-many-findings"), "{findings}");
    }
    for (_, findings) in judged(Settings::default(), faulty.as_bytes()).await {
        assert!(count(&findings) >= 9, "{findings}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_connections_to_postgres_than_are_allowed() {
    let Some(database) = crate::peers::postgres::fresh_database().await else {
        return;
    };
    let location = StoreLocation::Postgres(database.url.clone());
    let store = Store::open_with(location, 3).await.unwrap();
    let asked = (0..20).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut connection = store.read().await.unwrap();
            connection
                .number(
                    "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()
                     AND backend_type = 'client backend'",
                    vec![],
                )
                .await
                .unwrap()
        })
    });
    for count in futures::future::join_all(asked).await {
        assert!(count.unwrap() <= 3);
    }
}
