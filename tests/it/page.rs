//! docs/profile.md taken at its word: the partner, the lists and the order that it shows go through the whole thread.

use supercargo::storage::StoreLocation;
use supercargo::workflow::lists::{self, ListKind};
use supercargo::workflow::partners;

use crate::thread::House;

const PAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/profile.md"));

/// The longest block of a language on the page.
fn block(language: &str) -> &'static str {
    PAGE.split(&format!("```{language}\n"))
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .max_by_key(|block| block.len())
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_partner_goes_from_order_to_invoice() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(StoreLocation::Sqlite(folder.path().join("supercargo.db"))).await;
    house.advance(56).await;
    partners::apply(&house.gateway, block("toml"), "test")
        .await
        .unwrap();
    for (kind, name) in [
        (ListKind::Warehouses, "warehouses"),
        (ListKind::Items, "items"),
        (ListKind::Prices, "prices"),
        (ListKind::Stock, "stock"),
        (ListKind::Locations, "locations"),
    ] {
        let list = block(&format!("csv {name}")).as_bytes();
        lists::load(&house.gateway, kind, list, Some("trailhead"), "test")
            .await
            .unwrap();
    }
    house.submit("po-7001.edi", block("edi").as_bytes()).await;
    house.advance(2).await;
    let findings = house
        .lines("SELECT findings FROM document WHERE direction = 'out' AND findings <> '[]'")
        .await;
    assert_eq!(findings, Vec::<String>::new());
    let documents = house
        .lines("SELECT direction || ' ' || set_code || ' ' || disposition || ' ' || delivery FROM document ORDER BY id")
        .await;
    assert_eq!(
        documents,
        [
            "in 850 processed none",
            "out 997 processed delivered",
            "out 855 processed delivered",
            "out 856 processed delivered",
            "out 810 processed delivered",
        ]
    );
    let orders = house
        .lines("SELECT po_number || ' ' || status FROM purchase_order")
        .await;
    assert_eq!(orders, ["7001 partly_shipped"]);
    let problems = house
        .lines("SELECT kind || ': ' || message FROM alert")
        .await;
    assert_eq!(problems, Vec::<String>::new());
    let mut reading = house.gateway.store.read().await.unwrap();
    let files: Vec<(String, String)> = reading
        .rows("SELECT name, sha256 FROM transmission ORDER BY id", vec![])
        .await
        .unwrap();
    let mut sent = Vec::new();
    for (name, sha256) in files {
        let bytes = reading.content(&sha256).await.unwrap();
        sent.push(format!("{name} {}", String::from_utf8(bytes).unwrap()));
    }
    drop(reading);
    for (ending, parts) in [
        (".997.edi", vec!["trailhead-1-", "AK9*A*1*1*1~"]),
        (
            ".855.edi",
            vec![
                "trailhead-7001-",
                "BAK*00*AC*7001*",
                "ACK*IA*10*EA*068*20260303~\nACK*IB*2*EA",
            ],
        ),
        (
            ".856.edi",
            vec![
                "GS*SH*0061414100*TRAILHEADSAMPL*",
                "*X*005010~",
                "MAN*GM*00",
            ],
        ),
        (
            ".810.edi",
            vec![
                "ITD*01*3*2*",
                "REF*MR*0100~",
                "SAC*A*C310***1188*",
                "TDS*79262**77677*1585~",
            ],
        ),
    ] {
        let file = sent.iter().find(|file| file.contains(ending)).unwrap();
        for part in parts {
            assert!(file.contains(part), "{part} not in {file}");
        }
    }
    house
        .submit("pay.edi", block("edi remittance").as_bytes())
        .await;
    let invoices = house
        .lines("SELECT number || ' ' || status FROM invoice")
        .await;
    assert_eq!(invoices, ["T10001 paid"]);
}
