//! In which order documents go out: with the transaction that makes them, or after those that wait from before.

use supercargo::storage::Class;

use crate::orders::{buyer, interchange, on_both};
use crate::thread::House;

const PROFILE: &str = "[allocation]\nwarehouses = [\"EAST\"]\n[packing]\ncarrier = \"ABCD\"";

fn order(po: &str) -> String {
    format!("BEG*00*SA*{po}**20260105~N1*ST*SHOP*92*S1~PO1*1*2*EA*10**VN*HW-1001~CTT*1")
}

/// What has gone out to the partner, file by file in the order of their control numbers.
async fn gone_out(house: &House) -> Vec<String> {
    house
        .lines(
            "SELECT document.set_code || ' ' || document.isa13 || ' ' || transmission.name FROM document
             JOIN transmission ON transmission.id = document.transmission_id
             JOIN partner ON partner.id = document.partner_id
             WHERE partner.code = 'plain' AND document.delivery = 'delivered' ORDER BY transmission.id, document.id",
        )
        .await
        .iter()
        .map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect()
}

async fn waiting(house: &House) -> usize {
    house
        .lines("SELECT set_code FROM document WHERE delivery = 'queued'")
        .await
        .len()
}

async fn set_connection(house: &House, active: i64) {
    house
        .gateway
        .store
        .write(Class::Ordinary, move |connection| {
            Box::pin(async move {
                let sql = format!("UPDATE connection SET active = {active} WHERE kind = 'mailbox'");
                connection.execute(&sql, vec![]).await
            })
        })
        .await
        .unwrap();
}

async fn documents_of_an_order_go_out_in_their_order(house: House) {
    buyer(&house, PROFILE).await;
    house
        .submit("a.edi", &interchange(1, &order("FIRST")))
        .await;
    assert_eq!(
        gone_out(&house).await,
        [
            "997 000000001",
            "855 000000002",
            "856 000000003",
            "810 000000004"
        ]
    );
    house.prove().await;
}
on_both!(documents_of_an_order_go_out_in_their_order);

/// Where nothing can be delivered everything else goes on; what was made meanwhile waits, and is not overtaken.
async fn what_waits_from_before_goes_out_first(house: House) {
    buyer(&house, PROFILE).await;
    set_connection(&house, 0).await;
    house
        .submit("a.edi", &interchange(1, &order("FIRST")))
        .await;
    assert_eq!(gone_out(&house).await, [""; 0]);
    assert_eq!(waiting(&house).await, 4, "997, 855, 856 and 810");
    set_connection(&house, 1).await;
    house
        .submit("b.edi", &interchange(2, &order("SECOND")))
        .await;
    house.advance(1).await;
    let sets: Vec<String> = house
        .lines(
            "SELECT document.set_code || ' ' || CAST(document.id AS TEXT) FROM document
             WHERE transmission_id IS NOT NULL ORDER BY document.set_code, document.transmission_id",
        )
        .await;
    assert_eq!(sets.len(), 8, "{sets:?}");
    assert_eq!(waiting(&house).await, 0);
    for pair in sets.chunks(2) {
        let number = |line: &str| line.split(' ').next_back().unwrap().parse::<i64>().unwrap();
        assert!(number(&pair[0]) < number(&pair[1]), "{sets:?}");
    }
    let first_answered = gone_out(&house).await;
    assert_eq!(first_answered[0], "997 000000001", "{first_answered:?}");
    house.prove().await;
}
on_both!(what_waits_from_before_goes_out_first);

/// A file name that tells of the order is looked up where the order is written, by a transaction of its own.
async fn a_name_can_tell_of_the_order(house: House) {
    let named = format!("{PROFILE}\n[envelope]\nfile_name = \"{{po}}-{{set}}-{{isa13}}\"");
    buyer(&house, &named).await;
    house
        .submit("a.edi", &interchange(1, &order("FIRST")))
        .await;
    let mut names = house.lines("SELECT name FROM transmission").await;
    names.sort();
    assert_eq!(
        names,
        [
            "997-000000001.997.edi",
            "FIRST-810-000000004.810.edi",
            "FIRST-855-000000002.855.edi",
            "FIRST-856-000000003.856.edi"
        ]
    );
    house.prove().await;
}
on_both!(a_name_can_tell_of_the_order);
