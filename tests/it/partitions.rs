//! Large tables divided by ranges of their numbers, as docs/operations.md says: the gateway goes on over them.

use supercargo::config::samples;
use supercargo::storage::StoreLocation;

use crate::peers::postgres::fresh_database;
use crate::prove::{behind_the_back, pay, traded};
use crate::thread::House;

/// What docs/operations.md names.
const LARGE: [&str; 11] = [
    "file",
    "interchange",
    "functional_group",
    "document",
    "transmission",
    "purchase_order",
    "shipment",
    "stock_movement",
    "invoice",
    "ledger_entry",
    "audit",
];

/// The first sample order once more, as another one.
async fn order(house: &House, number: u32) {
    let text = samples::PARTNERS[0].orders[0]
        .text
        .replace("45000010", &format!("45{number:06}"))
        .replace("000000101", &format!("{number:09}"));
    house
        .submit(&format!("{number}.edi"), text.as_bytes())
        .await;
    house.advance(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_goes_on_over_large_tables_that_are_divided() {
    let Some(database) = fresh_database().await else {
        return;
    };
    let house = traded(StoreLocation::Postgres(database.url.clone())).await;
    let operations = include_str!("../../docs/operations.md");
    behind_the_back(&house, include_str!("../../docs/partition.sql")).await;
    for table in LARGE {
        assert!(operations.contains(&format!("`{table}`")), "{table}");
        // Five numbers each: what follows crosses from one partition to the next, and into the one for the rest.
        behind_the_back(&house, &format!("SELECT divide('{table}', 5)")).await;
        behind_the_back(&house, &format!("SELECT add_partition('{table}', 5)")).await;
    }
    for number in 900..916 {
        order(&house, number).await;
    }
    pay(&house).await;
    house.prove().await;
    for table in LARGE {
        let partitions = house
            .lines(&format!(
                "SELECT c.relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
                 WHERE inhparent = '{table}'::regclass ORDER BY c.oid"
            ))
            .await;
        let mut held = Vec::new();
        for partition in &partitions {
            let rows = house
                .lines(&format!("SELECT CAST(COUNT(*) AS TEXT) FROM {partition}"))
                .await;
            held.push(rows[0] != "0");
        }
        // The first, the next, the one for the rest, and the one that was added.
        assert_eq!(held.len(), 4, "{table}: {partitions:?}");
        assert!(held[0] && held[1], "{table}: {partitions:?} {held:?}");
        assert_eq!(held[2], held[2] && held[3], "{table}: {held:?}");
        let is_full = ["document", "audit", "ledger_entry"].contains(&table);
        assert!(held[2] || !is_full, "{table}: {held:?}");
    }
}

/// What schema version 3 had where version 4 has other indexes. What came later stays: the rows are of today.
const AS_BEFORE: &str = "
    DROP INDEX document_interchange, document_transmission, document_answer_due, document_of_file, mail_waiting;
    CREATE INDEX document_interchange ON document (interchange_id);
    CREATE INDEX document_transmission ON document (transmission_id);
    CREATE INDEX document_answer_due ON document (answer_due_at);
    CREATE INDEX mail_next ON mail (next_at);
    DELETE FROM _sqlx_migrations WHERE version = 4;";

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_was_divided_before_is_brought_to_the_schema_of_today() {
    let Some(database) = fresh_database().await else {
        return;
    };
    let location = StoreLocation::Postgres(database.url.clone());
    let house = traded(location.clone()).await;
    behind_the_back(&house, AS_BEFORE).await;
    behind_the_back(&house, include_str!("../../docs/partition.sql")).await;
    behind_the_back(&house, "SELECT divide('document', 5)").await;
    supercargo::storage::Store::open(location)
        .await
        .expect("it is brought there");
    let indexes = house
        .lines(
            "SELECT attname || ' ' || COUNT(*) FROM pg_index
             JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
             WHERE indrelid = 'document'::regclass AND indpred IS NOT NULL
             AND attname IN ('interchange_id', 'transmission_id', 'answer_due_at', 'file_id')
             GROUP BY attname ORDER BY attname",
        )
        .await;
    assert_eq!(
        indexes,
        [
            "answer_due_at 1",
            "file_id 1",
            "interchange_id 1",
            "transmission_id 1"
        ]
    );
    order(&house, 950).await;
    house.prove().await;
}
