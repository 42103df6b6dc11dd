//! The console in a real browser: every page at a desk's and at a telephone's width, signing in, roles, forged forms,
//! and hostile text that stays text. Pictures of every page land in `target/screenshots/`.

mod seed;

use std::path::PathBuf;
use std::sync::Arc;

use argon2::{Argon2, PasswordHasher};
use chrono::{DateTime, Utc};
use fantoccini::Locator;
use supercargo::binds;
use supercargo::config::settings::Settings;
use supercargo::domain::clock::Clock;
use supercargo::storage::{Store, StoreLocation};
use supercargo::workflow::Gateway;

use crate::peers::browser::{self, Browser};

/// Late in the morning of a working day.
const NOW: &str = "2026-11-24T15:20:00Z";
const PASSWORD: &str = "correct horse battery staple";

struct Stopped(DateTime<Utc>);

impl Clock for Stopped {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}

/// A console that serves, over a store full of trade.
struct House {
    address: String,
    store: Store,
    seeded: seed::Seeded,
    _folder: tempfile::TempDir,
}

impl House {
    async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let location = StoreLocation::Sqlite(folder.path().join("supercargo.db"));
        let store = Store::open(location).await.expect("a store");
        let now: DateTime<Utc> = NOW.parse().expect("a time");
        let seeded = seed::seed(&store, now).await;
        let password = Argon2::default()
            .hash_password(PASSWORD.as_bytes())
            .expect("a hash")
            .to_string();
        let mut connection = store.read().await.expect("a connection");
        for (name, roles) in [
            ("ada", "admin"),
            ("otto", "ops"),
            ("rita", "ar"),
            ("vera", ""),
        ] {
            connection
                .execute(
                    "INSERT INTO console_user (name, password, roles, active, created_at) VALUES ($1, $2, $3, 1, 0)",
                    binds![name, &password, roles],
                )
                .await
                .expect("a user");
        }
        drop(connection);
        let settings = Arc::new(Settings::default());
        let gateway = Gateway::new(store.clone(), Arc::new(Stopped(now)), settings);
        let router = supercargo::web::router(gateway);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            address,
            store,
            seeded,
            _folder: folder,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }
}

fn screenshots() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target"),
        PathBuf::from,
    );
    let folder = target.join("screenshots");
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    folder
}

async fn sign_in(browser: &Browser, house: &House, name: &str, password: &str) {
    let client = &browser.client;
    client
        .goto(&house.url("/login"))
        .await
        .expect("the login opens");
    for (field, value) in [("name", name), ("password", password)] {
        let found = client
            .find(Locator::Css(&format!("input[name={field}]")))
            .await
            .expect("a field");
        found.clear().await.expect("it empties");
        found.send_keys(value).await.expect("it takes text");
    }
    client
        .find(Locator::Css("button.primary"))
        .await
        .expect("a button")
        .click()
        .await
        .expect("it is pressed");
}

fn pages(seeded: &seed::Seeded) -> Vec<(String, String)> {
    let mut pages: Vec<(&str, String)> = vec![
        ("overview", "/".into()),
        ("orders", "/orders".into()),
        ("orders-held", "/orders?status=held".into()),
        ("order-held", format!("/orders/{}", seeded.held_order)),
        ("order-hostile", format!("/orders/{}", seeded.hostile_order)),
        ("order-whole", format!("/orders/{}", seeded.whole_order)),
        ("receivables", "/receivables".into()),
        ("queue", "/queue".into()),
        ("queue-rejected", "/queue?show=rejected".into()),
        ("documents", "/documents".into()),
        (
            "document-held",
            format!("/documents/{}", seeded.held_document),
        ),
        (
            "document-rejected",
            format!("/documents/{}", seeded.rejected_document),
        ),
        (
            "document-sent",
            format!("/documents/{}", seeded.sent_document),
        ),
        (
            "document-correct",
            format!("/documents/{}/correct", seeded.held_document),
        ),
        ("files", "/files".into()),
        ("file-hostile", format!("/files/{}", seeded.hostile_file)),
        ("file-large", format!("/files/{}", seeded.large_file)),
        ("shipments", "/shipments".into()),
        (
            "shipment-planned",
            format!("/shipments/{}", seeded.planned_shipment),
        ),
        (
            "shipment-shipped",
            format!("/shipments/{}", seeded.shipped_shipment),
        ),
        ("invoices", "/invoices".into()),
        (
            "invoice-short",
            format!("/invoices/{}", seeded.short_invoice),
        ),
        (
            "invoice-overdue",
            format!("/invoices/{}", seeded.overdue_invoice),
        ),
        ("payments", "/payments".into()),
        (
            "payment-unapplied",
            format!("/payments/{}", seeded.unapplied_payment),
        ),
        ("payment-who", "/payments/new".into()),
        ("payment-new", "/payments/new?partner=1".into()),
        ("deductions", "/deductions".into()),
        ("deduction", format!("/deductions/{}", seeded.deduction)),
        ("partners", "/partners".into()),
        ("partner", "/partners/2".into()),
        ("partner-profile", "/partners/2/profile".into()),
        ("stock", "/stock".into()),
        ("alerts", "/alerts".into()),
        ("mail", "/mail".into()),
        ("mail-one", "/mail/1".into()),
        ("audit", "/audit".into()),
        ("search", "/search?q=45000".into()),
        ("search-nothing", "/search?q=nothing-bears-this".into()),
    ];
    pages.push(("nowhere", "/orders/999999".into()));
    pages
        .into_iter()
        .map(|(name, path)| (name.to_owned(), path))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_shows_at_a_desk_and_on_a_telephone() {
    let Some(browser) = browser::start().await else {
        return;
    };
    let house = House::open().await;
    let folder = screenshots();
    let mut too_wide = Vec::new();
    for (scheme, dark) in [("light", false), ("dark", true)] {
        for (width, height) in [(1440_u32, 900_u32), (390, 844)] {
            browser.screen(width, height, dark).await;
            browser
                .client
                .delete_all_cookies()
                .await
                .expect("no cookie");
            browser
                .client
                .goto(&house.url("/login"))
                .await
                .expect("the login opens");
            picture(&browser, &folder, &format!("login-{width}-{scheme}")).await;
            sign_in(&browser, &house, "ada", PASSWORD).await;
            for (name, path) in pages(&house.seeded) {
                browser
                    .client
                    .goto(&house.url(&path))
                    .await
                    .expect("the page opens");
                let wide: i64 =
                    number(&browser, "return document.documentElement.scrollWidth").await;
                if wide > i64::from(width) {
                    too_wide.push(format!("{path} is {wide} wide on a screen of {width}"));
                }
                picture(&browser, &folder, &format!("{name}-{width}-{scheme}")).await;
            }
        }
    }
    browser
        .client
        .clone()
        .close()
        .await
        .expect("the browser closes");
    assert!(too_wide.is_empty(), "{too_wide:#?}");
}

async fn number(browser: &Browser, script: &str) -> i64 {
    browser
        .client
        .execute(script, vec![])
        .await
        .expect("the script runs")
        .as_i64()
        .unwrap_or(-1)
}

async fn picture(browser: &Browser, folder: &std::path::Path, name: &str) {
    let bytes = browser.picture(4_000).await;
    std::fs::write(folder.join(format!("{name}.png")), bytes).expect("the picture is kept");
}
