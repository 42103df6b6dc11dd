//! Items found by the numbers that buyers write, on both engines.

use supercargo::domain::catalogue::{Item, PriceEntry};
use supercargo::domain::ids::{CompanyId, ItemId, PartnerId};
use supercargo::domain::order::ItemNumber;
use supercargo::storage::catalogue::{self, NewNumber, NumberClass};
use supercargo::storage::{Class, Connection, Failure, Store};

use crate::engines::{engines, places};

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

/// What a transaction sees of an item by its vendor number: code, weight and prices.
async fn seen(store: &Store) -> (String, i64, Vec<String>) {
    store
        .write(Class::Ordinary, |connection| {
            Box::pin(async move { look_up(connection).await })
        })
        .await
        .unwrap()
}

async fn look_up(connection: &mut Connection) -> Result<(String, i64, Vec<String>), Failure> {
    let number = ItemNumber {
        qualifier: "VN".into(),
        value: "V-1".into(),
    };
    let named = std::slice::from_ref(&number);
    let found = catalogue::items_by_numbers(connection, COMPANY, PartnerId(1), named).await?;
    let item = &found[&number];
    let ids = [item.id].into();
    let prices = catalogue::prices_for(connection, COMPANY, PartnerId(1), &ids).await?;
    let prices = prices
        .values()
        .flat_map(|of_item| of_item.iter())
        .map(|entry| entry.price.to_string())
        .collect();
    Ok((item.code.clone(), item.grams, prices))
}

/// Loads the item and its price anew.
async fn load(connection: &mut Connection, grams: i64, price: &str) -> Result<(), Failure> {
    let changed = Item { grams, ..item("A") };
    let number = NewNumber {
        partner: 0,
        class: NumberClass::Vendor,
        value: "V-1".into(),
    };
    let ids = catalogue::save_items(connection, COMPANY, &[(changed, vec![number])]).await?;
    let entry = PriceEntry {
        partner: None,
        item: ids[0],
        price: price.parse().unwrap(),
        unit: "EA".into(),
        currency: "USD".parse().unwrap(),
        from: "2026-01-01".parse().unwrap(),
        until: None,
    };
    catalogue::save_prices(connection, COMPANY, &[entry]).await
}

/// What was looked up before holds until a list is loaded: by this program or by another over the same database. A list
/// that is taken back changes nothing, and whoever loads one sees it before everybody else.
#[tokio::test]
async fn what_is_remembered_of_the_catalogue_is_what_the_database_holds() {
    for place in places().await {
        let ours = Store::open(place.location.clone()).await.unwrap();
        let theirs = Store::open(place.location.clone()).await.unwrap();
        let expected = |grams: i64, price: &str| ("A".to_owned(), grams, vec![price.to_owned()]);
        for (grams, price, by) in [(10, "1", &ours), (20, "2", &theirs), (30, "3", &ours)] {
            by.write(Class::Ordinary, move |connection| {
                Box::pin(load(connection, grams, price))
            })
            .await
            .unwrap();
            for store in [&ours, &theirs] {
                // Once from the database, and once as it is remembered.
                for _ in 0..2 {
                    assert_eq!(seen(store).await, expected(grams, price), "{}", place.name);
                }
            }
        }
        let taken_back = ours
            .write(Class::Ordinary, |connection| {
                Box::pin(async move {
                    let before = look_up(connection).await?;
                    load(connection, 40, "4").await?;
                    let own = look_up(connection).await?;
                    Err::<(), _>(Failure::refuse(format!("{before:?} {own:?}")))
                })
            })
            .await
            .unwrap_err();
        let told = format!("{:?} {:?}", expected(30, "3"), expected(40, "4"));
        assert!(taken_back.to_string().contains(&told), "{taken_back}");
        theirs
            .write(Class::Ordinary, |connection| {
                Box::pin(load(connection, 50, "5"))
            })
            .await
            .unwrap();
        for store in [&ours, &theirs] {
            assert_eq!(seen(store).await, expected(50, "5"), "{}", place.name);
        }
    }
}
