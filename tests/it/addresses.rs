//! A partner with several EDI addresses: what we answer goes to the address that spoke, and what it answers is about
//! what went there.

use supercargo::storage::Class;
use supercargo::workflow::partners;
use supercargo_x12::{Event, GroupHeader, IsaHeader, Reader};

use crate::engines::places;
use crate::thread::House;

const PROFILE: &str = r#"
partner = "twosided"
currency = "USD"

[[address]]
qualifier = "ZZ"
id = "TWOSIDED"

[[address]]
qualifier = "12"
id = "5035550100"
gs_id = "TWOWEST"

[us]
qualifier = "01"
id = "0061414100"

[acknowledgment]
expect_advice = ["810"]

[verification]
item_unknown = "hold"
price_missing = "hold"
price_differs = "accept"
ship_to_unknown = "accept"
"#;

/// An interchange of one group and set to us.
fn interchange(isa: (&str, &str), gs: (&str, &str), number: u32, set: &str, body: &str) -> Vec<u8> {
    let (qualifier, id) = isa;
    let (functional, group) = gs;
    let segments = body.matches('~').count() + 2;
    format!(
        "ISA*00*          *00*          *{qualifier}*{id:<15}*01*0061414100     *260105*0900*U*00401*{number:09}*1*P*>~\
         GS*{functional}*{group}*WAREGROUP*20260105*0900*{number}*X*004010~ST*{set}*0001~{body}SE*{segments}*0001~\
         GE*1*{number}~IEA*1*{number:09}~"
    )
    .into_bytes()
}

fn order(isa: (&str, &str), group: &str, number: u32) -> Vec<u8> {
    let body = format!(
        "BEG*00*SA*TW-{number}**20260105~DTM*037*20260107~N1*ST*A SHOP~N3*1 MAIN STREET~N4*RENO*NV*89501~PO1*1*1*EA*12.5**VN*HW-1001~CTT*1~"
    );
    interchange(isa, ("PO", group), number, "850", &body)
}

fn envelope(bytes: &[u8]) -> (IsaHeader, Option<GroupHeader>) {
    let mut reader = Reader::new(bytes);
    let (mut isa, mut gs) = (None, None);
    while let Some(event) = reader.next().unwrap() {
        match event {
            Event::InterchangeOpened(header, _) => isa = Some(header.clone()),
            Event::GroupOpened(header) => gs = Some(header.clone()),
            _ => {}
        }
    }
    (isa.expect("an ISA"), gs)
}

impl House {
    /// The envelopes of the files that went to a partner, by set, oldest first.
    async fn sent(&self, set: &str) -> Vec<(IsaHeader, Option<GroupHeader>)> {
        let mut all = Vec::new();
        for sha256 in self
            .lines(&format!(
                "SELECT sha256 FROM transmission WHERE set_code = '{set}' ORDER BY id"
            ))
            .await
        {
            let mut reading = self.gateway.store.read().await.unwrap();
            all.push(envelope(&reading.content(&sha256).await.unwrap()));
        }
        all
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_go_to_the_address_that_spoke() {
    for place in places().await {
        let house = House::open(place.location.clone()).await;
        partners::apply(&house.gateway, PROFILE, "test")
            .await
            .unwrap();
        house
            .submit("west.edi", &order(("12", "5035550100"), "TWOWEST", 1))
            .await;
        house
            .submit("first.edi", &order(("ZZ", "TWOSIDED"), "TWOSIDED", 2))
            .await;
        for set in ["TA1", "997", "855"] {
            let sent = house.sent(set).await;
            let to: Vec<(&str, &str, &str)> = sent
                .iter()
                .map(|(isa, _)| {
                    (
                        isa.receiver_qualifier.as_str(),
                        isa.receiver.as_str(),
                        isa.sender.as_str(),
                    )
                })
                .collect();
            assert_eq!(
                to,
                [
                    ("12", "5035550100", "0061414100"),
                    ("ZZ", "TWOSIDED", "0061414100")
                ],
                "{} {set}",
                place.name
            );
            let groups: Vec<(&str, &str)> = sent
                .iter()
                .filter_map(|(_, gs)| gs.as_ref())
                .map(|gs| (gs.receiver.as_str(), gs.sender.as_str()))
                .collect();
            match set {
                "TA1" => assert!(groups.is_empty()),
                // The group that a 997 answers was sent to WAREGROUP.
                "997" => assert_eq!(
                    groups,
                    [("TWOWEST", "WAREGROUP"), ("TWOSIDED", "WAREGROUP")]
                ),
                _ => assert_eq!(
                    groups,
                    [("TWOWEST", "0061414100"), ("TWOSIDED", "0061414100")]
                ),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_997_settles_what_went_to_the_address_that_sends_it() {
    for place in places().await {
        let house = House::open(place.location.clone()).await;
        partners::apply(&house.gateway, PROFILE, "test")
            .await
            .unwrap();
        house
            .submit("west.edi", &order(("12", "5035550100"), "TWOWEST", 1))
            .await;
        house
            .submit("first.edi", &order(("ZZ", "TWOSIDED"), "TWOSIDED", 2))
            .await;
        // Each address has numbers of its own, so that two 855s may bear the same.
        house
            .gateway
            .store
            .write(Class::Ordinary, |connection| {
                Box::pin(async move {
                    connection
                        .execute(
                            "UPDATE document SET gs06 = '7' WHERE set_code = '855'",
                            vec![],
                        )
                        .await
                })
            })
            .await
            .unwrap();
        let body = "AK1*PR*7~AK9*R*1*1*0~";
        house
            .submit(
                "997.edi",
                &interchange(("12", "5035550100"), ("FA", "TWOWEST"), 3, "997", body),
            )
            .await;
        let fates = house
            .lines("SELECT reference || ' ' || syntax || ' ' || application FROM document WHERE set_code = '855' ORDER BY reference")
            .await;
        assert_eq!(
            fates,
            ["TW-1 rejected none", "TW-2 pending none"],
            "{}",
            place.name
        );
        // An 824 is expected for the 810 only.
        house.advance(3).await;
        let invoices = house
            .lines("SELECT DISTINCT application FROM document WHERE set_code = '810'")
            .await;
        assert_eq!(invoices, ["pending"], "{}", place.name);
    }
}
