//! Items found by the numbers that buyers write, on both engines.

use supercargo::domain::catalogue::Item;
use supercargo::domain::ids::{CompanyId, ItemId, PartnerId};
use supercargo::domain::order::ItemNumber;
use supercargo::storage::catalogue::{self, NewNumber, NumberClass};
use supercargo::storage::{Class, Connection, Failure};

use crate::engines::engines;

const COMPANY: CompanyId = CompanyId(1);

fn item(code: &str) -> Item {
    Item {
        id: ItemId(0),
        code: code.into(),
        upc: String::new(),
        description: String::new(),
        base_unit: "EA".into(),
        case_pack: None,
        units: Default::default(),
        grams: 0,
        discontinued: false,
    }
}

async fn seed(connection: &mut Connection) -> Result<(), Failure> {
    let number = |partner, class, value: &str| NewNumber {
        partner,
        class,
        value: value.into(),
    };
    let items = [
        (
            item("A"),
            vec![
                number(0, NumberClass::Gtin, "036000291452"),
                number(0, NumberClass::Vendor, "V-1"),
                number(0, NumberClass::Buyer, "B-1"),
            ],
        ),
        (
            item("B"),
            vec![
                number(7, NumberClass::Buyer, "B-1"),
                number(0, NumberClass::Vendor, "V-2"),
            ],
        ),
    ];
    catalogue::save_items(connection, COMPANY, &items).await?;
    Ok(())
}

#[tokio::test]
async fn a_number_names_the_item_of_its_class_and_partner() {
    let table = [
        ("UP", "036000291452", 1, Some("A")),
        ("UK", "00036000291452", 1, Some("A")),
        ("EN", "0036000291452", 1, Some("A")),
        ("VN", "V-1", 1, Some("A")),
        ("VN", " V-1 ", 1, Some("A")),
        ("IN", "B-1", 1, Some("A")),
        ("IN", "B-1", 7, Some("B")),
        ("ZZ", "B-1", 7, Some("B")),
        // What no qualifier explains is looked for everywhere; what one explains is not.
        ("ZZ", "V-2", 1, Some("B")),
        ("ZZ", "036000291452", 1, Some("A")),
        ("", "V-2", 1, Some("B")),
        ("IN", "V-2", 1, None),
        ("UP", "V-1", 1, None),
        ("VN", "B-1", 1, None),
        ("ZZ", "nothing", 1, None),
        ("VN", "  ", 1, None),
    ];
    for engine in engines().await {
        engine
            .store
            .write(Class::Ordinary, |connection| Box::pin(seed(connection)))
            .await
            .unwrap();
        let mut connection = engine.store.read().await.unwrap();
        for (qualifier, value, partner, expected) in table {
            let number = ItemNumber {
                qualifier: qualifier.into(),
                value: value.into(),
            };
            let found = catalogue::items_by_numbers(
                &mut connection,
                COMPANY,
                PartnerId(partner),
                std::slice::from_ref(&number),
            )
            .await
            .unwrap();
            assert_eq!(
                found.get(&number).map(|item| item.code.as_str()),
                expected,
                "{qualifier} {value} of {partner} on {}",
                engine.name
            );
        }
    }
}
