//! A day's work in the console, in a real browser on the running program: an order released, a held document corrected
//! and replayed, a shipment confirmed, a payment booked. What each click did is asked of the command line.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::Locator;
use serde_json::Value;

use crate::cli::{House, NOW};
use crate::peers::browser::{self, Browser};

const PASSWORD: &str = "correct horse battery staple";
/// How long a page may take to show what is waited for; only a fault takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program as it serves; it ends with this value.
struct Served {
    child: Child,
    address: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn serve(house: &House) -> Served {
    let child = Command::new(env!("CARGO_BIN_EXE_supercargo"))
        .args([
            "serve",
            "--sftp",
            "127.0.0.1:0",
            "--http",
            "127.0.0.1:0",
            "--now",
            NOW,
            "--data",
        ])
        .arg(house.data())
        .env_remove("DATABASE_URL")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut served = Served {
        child,
        address: String::new(),
    };
    let from = Instant::now();
    while served.address.is_empty() {
        assert!(from.elapsed() < PATIENCE, "the program does not serve");
        tokio::time::sleep(Duration::from_millis(50)).await;
        let written = std::fs::read(house.data().join("endpoints.json")).unwrap_or_default();
        if let Ok(endpoints) = serde_json::from_slice::<Value>(&written) {
            served.address = format!("http://{}", endpoints["http"].as_str().expect("an address"));
        }
    }
    served
}

/// The console in the browser.
struct Desk<'a> {
    browser: &'a Browser,
    served: &'a Served,
}

impl Desk<'_> {
    async fn open(&self, path: &str) {
        let url = format!("{}{path}", self.served.address);
        let client = &self.browser.client;
        client.goto(&url).await.expect("the page opens");
    }

    async fn write(&self, css: &str, text: &str) {
        let found = self.browser.client.find(Locator::Css(css)).await;
        let found = found.unwrap_or_else(|error| panic!("{css}: {error}"));
        found.clear().await.expect("it empties");
        found.send_keys(text).await.expect("it takes text");
    }

    async fn press(&self, xpath: &str) {
        let found = self.browser.client.find(Locator::XPath(xpath)).await;
        let found = found.unwrap_or_else(|error| panic!("{xpath}: {error}"));
        found.click().await.expect("it is pressed");
    }

    async fn text(&self) -> String {
        let shown = self
            .browser
            .client
            .execute("return document.body.innerText", vec![])
            .await
            .expect("the script runs");
        shown.as_str().unwrap_or_default().to_owned()
    }

    async fn shows(&self, words: &str) {
        let from = Instant::now();
        loop {
            let shown = self.text().await;
            if shown.contains(words) {
                return;
            }
            assert!(
                from.elapsed() < PATIENCE,
                "{words:?} is not shown:\n{shown}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn submit(house: &House, name: &str, file: &str) -> Value {
    let path = house.data().join(name);
    std::fs::write(&path, file).expect("the file is written");
    let path = path.to_string_lossy().into_owned();
    house.json(&["submit", &path, "--partner", "bigmart"]).0
}

/// By the clock of the gateway that serves: one that began anew would find nothing due yet.
fn settle(house: &House) {
    let settled = std::process::Command::new(env!("CARGO_BIN_EXE_supercargo"))
        .args(["settle", "--timeout", "60", "--data"])
        .arg(house.data())
        .output()
        .expect("it runs");
    assert!(
        settled.status.success(),
        "{}",
        String::from_utf8_lossy(&settled.stderr)
    );
}

fn order(house: &House, po: &str) -> Value {
    let orders = house.list(&["order", "list"]);
    let mut found = orders.iter().filter(|order| order["po_number"] == po);
    let order = found
        .next()
        .unwrap_or_else(|| panic!("no order of PO {po}"));
    assert!(found.next().is_none(), "PO {po} stands there twice");
    order.clone()
}

fn sample() -> String {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/samples/bigmart/850-01-three-orders.edi"
    );
    std::fs::read_to_string(path).expect("the sample")
}

/// The first order of the sample alone, as another PO in an interchange of its own, without its department.
fn without_department() -> String {
    let sample = sample();
    let second = sample.find("ST*850*0002").expect("a second order");
    let mut one = sample[..second].replace("REF*DP*033~", "");
    one.push_str("GE*1*150~IEA*1*000000150~");
    one.replace("*000000101*", "*000000150*")
        .replace("*101*X*", "*150*X*")
        .replace("4500001001", "4500009001")
        .replace("SE*25*", "SE*24*")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_release_correct_confirm_and_book_in_the_browser() {
    let Some(browser) = browser::start().await else {
        return;
    };
    let house = House::with_samples();
    let added = house.with_input(
        &["user", "add", "ada", "--role", "admin", "--password-stdin"],
        PASSWORD.as_bytes(),
    );
    assert!(added.status.success());
    let served = serve(&house).await;
    let desk = Desk {
        browser: &browser,
        served: &served,
    };
    submit(&house, "three.edi", &sample());
    let held = submit(&house, "department.edi", &without_department());
    assert_eq!(held["disposition"], "held", "{held}");
    settle(&house);
    desk.open("/login").await;
    desk.write("input[name=name]", "ada").await;
    desk.write("input[name=password]", PASSWORD).await;
    desk.press("//button[contains(@class, 'primary')]").await;
    desk.shows("Overview").await;

    // an order that waits for its price
    let waiting = order(&house, "4500001003");
    assert_eq!(waiting["status"], "held");
    desk.open(&format!(
        "/orders/{}",
        waiting["order"].as_str().expect("an id")
    ))
    .await;
    desk.shows("price-differs").await;
    desk.press("//button[@popovertarget='release']").await;
    desk.write("#release textarea", "the buyer's price is agreed")
        .await;
    desk.press("//*[@id='release']//button[contains(@class, 'primary')]")
        .await;
    desk.shows("the buyer's price is agreed").await;
    settle(&house);
    let released = order(&house, "4500001003");
    assert_eq!(released["status"], "confirmed", "{released}");
    assert_eq!(of_set(&released, "855"), 1, "answered once");

    // a document that breaks the partner's guide
    let document = held["interchanges"][0]["sets"][0]["id"]
        .as_str()
        .expect("an id");
    desk.open(&format!("/documents/{document}")).await;
    desk.shows("Bigmart's orders name their department").await;
    desk.open(&format!("/documents/{document}/correct")).await;
    let edit = "const text = document.getElementById('text');
        text.value = text.value.replace('REF*IA', 'REF*DP*033~\\nREF*IA').replace('SE*24*', 'SE*25*');
        return text.value;";
    browser
        .client
        .execute(edit, vec![])
        .await
        .expect("the script runs");
    desk.press("//button[@value='check']").await;
    desk.shows("have nothing against it").await;
    desk.press("//button[@value='replay']").await;
    // the number alone stands on the editor too, where nothing is replayed yet
    desk.shows("The corrected version is stored").await;
    settle(&house);
    let corrected = order(&house, "4500009001");
    assert_eq!(of_set(&corrected, "855"), 1, "{corrected}");
    let (kept, _) = house.json(&["document", "show", document]);
    assert_eq!(kept["disposition"], "processed", "{kept}");
    assert_eq!(kept["corrected"], true, "both versions are kept");

    // goods that leave a warehouse where a person says so
    let planned: Vec<Value> = house
        .list(&["shipment", "list"])
        .into_iter()
        .filter(|shipment| shipment["warehouse"] == "WEST" && shipment["status"] == "planned")
        .collect();
    let shipment = planned.first().expect("a shipment waits in WEST")["shipment"]
        .as_str()
        .expect("an id")
        .to_owned();
    desk.open(&format!("/shipments/{shipment}")).await;
    desk.write("input[name=tracking]", "PRO-4711").await;
    desk.write("textarea[name=reason]", "the truck is here a day early")
        .await;
    desk.press("//form[contains(@action, '/confirm')]//button")
        .await;
    desk.shows("PRO-4711").await;
    settle(&house);
    let (left, _) = house.json(&["shipment", "show", &shipment]);
    assert_eq!(left["status"], "shipped", "{left}");
    assert_eq!(left["window_override"], "the truck is here a day early");

    // an order of which the buyer gives up what has not left
    let third = waiting["order"].as_str().expect("an id");
    desk.open(&format!("/orders/{third}")).await;
    desk.press("//button[@popovertarget='cancel']").await;
    desk.write("#cancel textarea", "the buyer gave it up by phone")
        .await;
    desk.press("//*[@id='cancel']//button[contains(@class, 'danger')]")
        .await;
    desk.shows("Cancelled, as far as it had not left").await;
    settle(&house);
    let cancelled = order(&house, "4500001003");
    assert_ne!(cancelled["status"], "confirmed", "{cancelled}");
    assert_eq!(
        of_set(&cancelled, "855"),
        2,
        "the buyer is told: {cancelled}"
    );
    desk.open(&format!("/orders/{third}")).await;
    desk.shows("the buyer gave it up by phone").await;
    let offered = browser
        .client
        .find_all(Locator::Css("button[popovertarget=cancel]"))
        .await
        .expect("the page is searched");
    assert!(offered.is_empty(), "nothing is left to cancel");

    // money that came without an 820
    let invoices = house.list(&["invoice", "list"]);
    let open = invoices
        .first()
        .expect("an invoice of the shipment that has left");
    let (number, total) = (
        open["invoice_number"].as_str().expect("a number"),
        open["total"].as_str().expect("an amount"),
    );
    let partners = house.list(&["partner", "list"]);
    assert!(
        partners
            .iter()
            .any(|partner| partner["partner"] == "bigmart")
    );
    desk.open("/payments/new").await;
    desk.press("//select[@name='partner']/option[contains(., 'Bigmart')]")
        .await;
    desk.press("//main//form//button[contains(@class, 'primary')]")
        .await;
    desk.shows("Open invoices").await;
    desk.write("input[name=reference]", "CHK-1").await;
    desk.write("input[name=amount]", total).await;
    desk.write(
        &format!("input[name=paid][aria-label='Paid of {number}']"),
        total,
    )
    .await;
    desk.press("//button[contains(., 'Book payment')]").await;
    desk.shows("CHK-1").await;
    let (paid, _) = house.json(&["invoice", "show", number]);
    assert_eq!(
        (&paid["status"], &paid["open_amount"]),
        (&Value::from("paid"), &Value::from("0.00"))
    );
    let payments = house.list(&["receivables", "payments"]);
    assert_eq!(payments.len(), 1, "booked once");
    browser
        .client
        .clone()
        .close()
        .await
        .expect("the browser closes");
}

/// How many documents of a set an order has.
fn of_set(order: &Value, set: &str) -> usize {
    order["documents"]
        .as_array()
        .expect("documents")
        .iter()
        .filter(|document| document["set"] == set)
        .count()
}
