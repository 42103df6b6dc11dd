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
use crate::peers::http;

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

    /// One request by hand: the status and the whole answer.
    async fn ask(&self, head: &str, body: &str) -> (u16, String) {
        http::ask(self.host(), head, body).await
    }

    fn host(&self) -> &str {
        self.address.trim_start_matches("http://")
    }

    /// Signs in by hand: the status and the cookie of the session.
    async fn login(&self, name: &str, password: &str) -> (u16, String) {
        let mut connection = self.store.read().await.expect("a connection");
        connection
            .execute("DELETE FROM console_session WHERE name = $1", binds![name])
            .await
            .expect("earlier sessions end");
        drop(connection);
        http::sign_in(self.host(), name, password).await
    }

    /// The token that the forms of a person's session carry.
    async fn csrf_of(&self, name: &str) -> String {
        let mut connection = self.store.read().await.expect("a connection");
        let row: Option<(String,)> = connection
            .row(
                "SELECT csrf FROM console_session WHERE name = $1",
                binds![name],
            )
            .await
            .expect("a session");
        row.expect("a session").0
    }

    async fn post(&self, path: &str, session: &str, body: &str) -> u16 {
        let head = format!(
            "POST {path} HTTP/1.1\r\ncookie: {session}\r\ncontent-type: application/x-www-form-urlencoded"
        );
        self.ask(&head, body).await.0
    }

    async fn post_from(&self, path: &str, session: &str, body: &str, origin: &str) -> u16 {
        let head = format!(
            "POST {path} HTTP/1.1\r\ncookie: {session}\r\norigin: {origin}\r\ncontent-type: application/x-www-form-urlencoded"
        );
        self.ask(&head, body).await.0
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
        // It bears the number of its shipment, which has not left.
        (
            "order-planned",
            format!("/orders/{}", seeded.planned_shipment),
        ),
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
                // the dark scheme changes colours only: one page of each kind is enough
                let kinds = [
                    "overview",
                    "order-whole",
                    "document-held",
                    "invoice-short",
                    "receivables",
                ];
                if dark && !kinds.contains(&name.as_str()) {
                    continue;
                }
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

async fn text_of(browser: &Browser, script: &str) -> String {
    let value = browser
        .client
        .execute(script, vec![])
        .await
        .expect("the script runs");
    value.as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_stays_text_and_nothing_else_is_loaded() {
    let Some(browser) = browser::start().await else {
        return;
    };
    let house = House::open().await;
    sign_in(&browser, &house, "ada", PASSWORD).await;
    for (name, path) in pages(&house.seeded) {
        browser
            .client
            .goto(&house.url(&path))
            .await
            .expect("the page opens");
        let title = text_of(&browser, "return document.title").await;
        assert!(title.ends_with("· Supercargo"), "{name}: {title}");
        let foreign = number(
            &browser,
            "return document.querySelectorAll('main script, main img, main iframe, [onerror], [style]').length",
        )
        .await;
        assert_eq!(foreign, 0, "{name}: markup out of a file came through");
        let heavy = number(
            &browser,
            "return performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))
                .reduce((sum, entry) => sum + (entry.decodedBodySize || 0), 0)",
        )
        .await;
        assert!(heavy < 200_000, "{name} weighs {heavy} bytes");
    }
    let path = format!("/orders/{}", house.seeded.hostile_order);
    browser
        .client
        .goto(&house.url(&path))
        .await
        .expect("the page opens");
    let shown = text_of(&browser, "return document.body.innerText").await;
    for part in [
        seed::HOSTILE,
        seed::HOSTILE_PO,
        "‹U+202E›txt.exe",
        "NUL: ␀ end",
        "<b>bold</b>",
    ] {
        assert!(shown.contains(part), "{part:?} is not shown as text");
    }
    browser
        .client
        .clone()
        .close()
        .await
        .expect("the browser closes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_partners_that_trade_999s_no_page_speaks_of_a_997() {
    let house = House::open().await;
    let mut connection = house.store.read().await.expect("a connection");
    for sql in [
        "UPDATE profile SET text = REPLACE(text, 'send = \"997\"', 'release = \"005010\"' || char(10) || 'send = \"999\"')",
        "UPDATE document SET set_code = '999' WHERE set_code = '997' AND direction = 'out'",
        // Answers of which none has come, late by now or not.
        "UPDATE document SET syntax = 'pending', answer_due_at = created_at WHERE set_code = '855' AND id % 2 = 0",
        "UPDATE document SET syntax = 'pending', answer_due_at = NULL WHERE set_code = '810'",
    ] {
        connection.execute(sql, binds![]).await.expect("it is done");
    }
    // An order that was not acknowledged yet: what it will be acknowledged with is in the profile.
    connection
        .execute(
            "DELETE FROM document WHERE set_code = '999' AND subject_kind = 'interchange' AND subject_id =
                (SELECT d.interchange_id FROM document d JOIN purchase_order o ON o.document_id = d.id WHERE o.id = $1)",
            binds![house.seeded.held_order],
        )
        .await
        .expect("it is gone");
    drop(connection);
    let (_, session) = house.login("vera", PASSWORD).await;
    for (path, says) in [
        (format!("/orders/{}", house.seeded.held_order), "999"),
        (format!("/orders/{}", house.seeded.whole_order), "999"),
        ("/".to_owned(), "Acks overdue"),
        ("/partners".to_owned(), "Acks overdue"),
    ] {
        let (status, page) = house
            .ask(&format!("GET {path} HTTP/1.1\r\ncookie: {session}"), "")
            .await;
        assert_eq!(status, 200, "{path}");
        assert!(page.contains(says), "{path} does not say {says}");
        // What was found about a document of the seed speaks of a 997 by itself.
        let words: &[&str] = match path.as_str() {
            "/" => &["997 overdue", "a 997", "The 997 to"],
            _ => &["997"],
        };
        for word in words {
            assert!(!page.contains(word), "{path} speaks of a 997");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_word_that_a_list_does_not_know_shows_nothing_and_tells_which_there_are() {
    let house = House::open().await;
    let (_, session) = house.login("vera", PASSWORD).await;
    for (path, says) in [
        (
            "/orders?status=xyz",
            "There is no status \"xyz\". There are: held, received, accepted,",
        ),
        ("/orders.csv?status=xyz", "There is no status"),
        ("/orders?mode=live", "There are: production, test."),
        (
            "/invoices?status=overdue",
            "There are: open, partially_paid, paid, written_off.",
        ),
        (
            "/invoices?age=old",
            "There are: open, overdue, current, 1-30,",
        ),
        (
            "/shipments?status=x",
            "There are: planned, shipped, cancelled.",
        ),
        ("/payments?status=x", "There are: unapplied, held, applied."),
        ("/deductions?status=x", "There are: open, disputed,"),
        ("/files?status=x", "There are: held, rejected, duplicate,"),
        ("/documents?fate=xyz", "There is no fate \"xyz\""),
        ("/documents?syntax=xyz", "There is no fate \"xyz\""),
        ("/documents?way=up", "There are: in, out."),
        ("/queue?show=x", "There are: rejected."),
        ("/alerts?show=x", "There are: all."),
        ("/mail?show=x", "There are: waiting."),
    ] {
        let (status, page) = house
            .ask(&format!("GET {path} HTTP/1.1\r\ncookie: {session}"), "")
            .await;
        assert_eq!(status, 400, "{path}");
        let page = page.replace("&quot;", "\"");
        assert!(page.contains(says), "{path} does not say {says}: {page}");
        assert!(!page.contains("<table"), "{path} shows rows");
    }
    for path in [
        "/orders?status=held&mode=production",
        "/orders?status=",
        "/invoices?age=over-90&status=open",
        "/documents?syntax=overdue",
        "/documents?fate=refused&way=out",
        "/queue?show=rejected",
        "/alerts?show=all",
        "/mail?show=waiting",
    ] {
        let (status, _) = house
            .ask(&format!("GET {path} HTTP/1.1\r\ncookie: {session}"), "")
            .await;
        assert_eq!(status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_and_tokens_guard_every_change() {
    let house = House::open().await;
    let order = house.seeded.held_order;
    let wrong = house.login("otto", "wrong password").await;
    assert_eq!(wrong.0, 401);
    for (name, path, status) in [
        (
            "otto",
            format!("/deductions/{}/dispute", house.seeded.deduction),
            403,
        ),
        ("otto", "/payments".to_owned(), 403),
        ("otto", "/partners/1/profile".to_owned(), 403),
        ("rita", format!("/orders/{order}/release"), 403),
        (
            "rita",
            format!("/documents/{}/replay", house.seeded.held_document),
            403,
        ),
        ("vera", format!("/orders/{order}/reject"), 403),
        ("rita", format!("/orders/{order}/cancel"), 403),
        (
            "rita",
            format!("/deductions/{}/dispute", house.seeded.deduction),
            303,
        ),
    ] {
        let (_, session) = house.login(name, PASSWORD).await;
        let csrf = house.csrf_of(name).await;
        let forged = house.post(&path, &session, "csrf=guessed&reason=x").await;
        assert_eq!(forged, 403, "{name} {path} with a forged token");
        let body = format!("csrf={csrf}&reason=because&text=x");
        assert_eq!(
            house.post(&path, &session, &body).await,
            status,
            "{name} {path}"
        );
    }
    let (_, session) = house.login("ada", PASSWORD).await;
    let csrf = house.csrf_of("ada").await;
    let body = format!("csrf={csrf}&reason=x");
    let other_site = house
        .post_from(
            &format!("/orders/{order}/release"),
            &session,
            &body,
            "https://evil.example",
        )
        .await;
    assert_eq!(other_site, 403, "a form of another site");
    assert_eq!(
        house
            .post(&format!("/orders/{order}/release"), "", &body)
            .await,
        303,
        "nobody is led to the login"
    );
    let mut connection = house.store.read().await.expect("a connection");
    let held = connection
        .number(
            "SELECT COUNT(*) FROM purchase_order WHERE id = $1 AND status = 'held'",
            binds![order],
        )
        .await
        .expect("a count");
    assert_eq!(held, 1, "nothing of all this released the order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_monitor_sees_what_waits() {
    let house = House::open().await;
    let (status, answer) = house.ask("GET /metrics HTTP/1.1", "").await;
    assert_eq!(status, 200);
    assert!(answer.contains("text/plain; version=0.0.4"), "{answer}");
    let held: i64 = answer
        .lines()
        .find_map(|line| line.strip_prefix("supercargo_orders_held "))
        .expect("the gauge")
        .parse()
        .expect("a number");
    let mut connection = house.store.read().await.expect("a connection");
    let counted = connection
        .number(
            "SELECT COUNT(*) FROM purchase_order WHERE status = 'held' AND mode = 'production'",
            binds![],
        )
        .await
        .expect("a count");
    assert_eq!(held, counted);
    for line in answer
        .lines()
        .skip_while(|line| !line.starts_with("# HELP"))
    {
        let sound = line.starts_with("# HELP supercargo_")
            || line.starts_with("# TYPE supercargo_")
            || line.starts_with("supercargo_")
                && line
                    .split(' ')
                    .next_back()
                    .is_some_and(|value| value.parse::<i64>().is_ok());
        assert!(sound, "{line}");
    }
}

/// A file comes over a connection, and whose that is we know before we have read a byte.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_names_the_partner_whose_connection_it_came_over() {
    let house = House::open().await;
    let (_, session) = house.login("ada", PASSWORD).await;
    let page = |path: &str| format!("GET {path} HTTP/1.1\r\ncookie: {session}");
    let (_, all) = house.ask(&page("/files"), "").await;
    let named = |text: &str, name: &str| {
        text.matches(&format!("data-label=\"Sender\">{name}<"))
            .count()
    };
    let bigmart = "Bigmart Sample Stores";
    assert!(named(&all, bigmart) > 0, "{all}");
    let (_, filtered) = house.ask(&page("/files?partner=1"), "").await;
    assert!(named(&filtered, bigmart) > 0, "{filtered}");
    assert_eq!(
        named(&filtered, bigmart),
        filtered.matches("data-label=\"Sender\">").count(),
        "only that partner's: {filtered}"
    );
    let (_, found) = house.ask(&page("/search?q=bigmart_850"), "").await;
    assert!(found.contains(bigmart), "{found}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_carries_its_guards() {
    let house = House::open().await;
    for path in [
        "/login", "/health", "/ready", "/metrics", "/orders", "/nowhere",
    ] {
        let (status, answer) = house.ask(&format!("GET {path} HTTP/1.1"), "").await;
        let answer = answer.to_lowercase();
        for guard in [
            "content-security-policy: default-src 'none'",
            "x-frame-options: deny",
            "x-content-type-options: nosniff",
            "referrer-policy: same-origin",
        ] {
            assert!(answer.contains(guard), "{path} ({status}) lacks {guard}");
        }
    }
    let (status, answer) = house.ask("GET /orders HTTP/1.1", "").await;
    assert_eq!(status, 303);
    assert!(answer.contains("/login?next=/orders"), "{answer}");
    let (_, form) = house.ask("GET /login HTTP/1.1", "").await;
    assert!(form.contains("HttpOnly; SameSite=Strict"), "{form}");
}
