//! A mailbox that several partners name, as a VAN has it: each sends and receives over it, whoever was applied first.

use supercargo::config::samples::{self, SamplePartner};
use supercargo::storage::Class;
use supercargo::storage::listing;
use supercargo::workflow::partners;

use crate::engines::places;
use crate::thread::House;

/// The profile of a sample partner with its mailbox named so.
fn over(partner: &SamplePartner, mailbox: &str) -> String {
    let own = format!("[connection.mailbox]\nname = \"{}\"\n", partner.partner);
    let named = format!("[connection.mailbox]\nname = \"{mailbox}\"\n");
    match partner.profile.contains("[connection.mailbox]") {
        true => partner.profile.replace(&own, &named),
        false => format!("{}\n{named}", partner.profile),
    }
}

impl House {
    async fn applied(&self, partner: &SamplePartner, mailbox: &str) {
        partners::apply(&self.gateway, &over(partner, mailbox), "test")
            .await
            .unwrap();
    }

    async fn login(&self, mailbox: &str, code: &str, key: &str) -> Result<i64, String> {
        let (mailbox, code, key) = (mailbox.to_owned(), code.to_owned(), key.to_owned());
        let now = self.gateway.now();
        self.gateway
            .store
            .write(Class::Ordinary, move |connection| {
                let (mailbox, code, key) = (mailbox.clone(), code.clone(), key.clone());
                Box::pin(async move {
                    let partner = connection.partner_named(&code).await?.unwrap();
                    let id = connection.open_mailbox(&mailbox, partner.id).await?;
                    connection.add_mailbox_login(id, "key", &key, now).await?;
                    Ok(id)
                })
            })
            .await
            .map_err(|refusal| refusal.to_string())
    }

    /// Partner and set of what lies in the outbound folder of a mailbox.
    async fn outbound(&self, mailbox: &str) -> Vec<String> {
        self.lines(&format!(
            "SELECT DISTINCT p.code || ' ' || t.set_code FROM transmission t JOIN partner p ON p.id = t.partner_id
             JOIN connection c ON c.id = t.connection_id WHERE c.name = '{mailbox}' AND t.state = 'delivered' ORDER BY 1"
        ))
        .await
    }

    async fn held_back(&self) -> Vec<String> {
        self.lines("SELECT set_code FROM document WHERE delivery = 'queued'")
            .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_partner_that_names_a_mailbox_sends_and_receives_over_it() {
    for place in places().await {
        let house = House::open(place.location.clone()).await;
        let [first, _, second] = samples::PARTNERS else {
            panic!("three partners")
        };
        house.applied(first, "van").await;
        house.applied(second, "van").await;
        let van = house
            .login("van", first.partner, "ssh-ed25519 AAAA first")
            .await
            .unwrap();
        let same = house
            .login("van", second.partner, "ssh-ed25519 AAAA second")
            .await
            .unwrap();
        assert_eq!(van, same, "{}", place.name);
        // Whichever is applied last takes it from nobody.
        house.applied(first, "van").await;
        for partner in [first, second] {
            let order = partner.orders[0].text.as_bytes();
            house.submit_over(van, partner.partner, order).await;
        }
        let held = house
            .lines("SELECT findings FROM file WHERE disposition <> 'processed'")
            .await;
        assert!(held.is_empty(), "{}: {held:?}", place.name);
        let laid = house.outbound("van").await;
        for partner in [first, second] {
            for set in ["997", "855"] {
                let wanted = format!("{} {set}", partner.partner);
                assert!(laid.contains(&wanted), "{}: {wanted}: {laid:?}", place.name);
            }
        }
        let queued = house.held_back().await;
        assert!(queued.is_empty(), "{}: {queued:?}", place.name);
        // What is no X12 may be of either.
        house.submit_over(van, "letter.txt", b"Dear supplier").await;
        let whose = house
            .lines("SELECT CAST(COUNT(*) AS TEXT) FROM document WHERE set_code = '' AND partner_id IS NOT NULL")
            .await;
        assert_eq!(whose, ["0"], "{}", place.name);
        let mut reading = house.gateway.store.read().await.unwrap();
        let mailboxes = listing::mailboxes::mailboxes(&mut reading).await.unwrap();
        let shared = mailboxes.iter().find(|one| one.mailbox == "van").unwrap();
        let mut codes = vec![first.partner, second.partner];
        codes.sort_unstable();
        assert_eq!(shared.partners, codes, "{}", place.name);
        for code in codes {
            let partner = listing::partners::partner(&mut reading, code)
                .await
                .unwrap()
                .unwrap();
            assert!(
                partner.connections.iter().any(|one| one.name == "van"),
                "{}: {partner:?}",
                place.name
            );
        }
        drop(reading);
        house.prove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_joins_the_mailbox_of_another_and_leaves_it() {
    for place in places().await {
        let house = House::open(place.location.clone()).await;
        let [owner, _, guest] = samples::PARTNERS else {
            panic!("three partners")
        };
        let refusal = house
            .login(owner.partner, guest.partner, "ssh-ed25519 AAAA guest")
            .await
            .unwrap_err();
        assert!(
            refusal.contains(&format!("serves {}", owner.partner)) && refusal.contains("name it"),
            "{refusal}"
        );
        let mailbox = house
            .login(owner.partner, owner.partner, "ssh-ed25519 AAAA owner")
            .await
            .unwrap();
        house.applied(guest, owner.partner).await;
        house
            .submit_over(mailbox, "owner.edi", owner.orders[0].text.as_bytes())
            .await;
        let laid = house.outbound(owner.partner).await;
        assert!(
            laid.contains(&format!("{} 855", owner.partner)),
            "{}: {laid:?}",
            place.name
        );
        assert!(house.held_back().await.is_empty(), "{}", place.name);
        house.prove().await;
        // Without the guest the mailbox is the owner's alone.
        house.applied(guest, guest.partner).await;
        let mut reading = house.gateway.store.read().await.unwrap();
        let over = reading.partners_over(mailbox).await.unwrap();
        drop(reading);
        assert_eq!(over.len(), 1, "{}: {over:?}", place.name);
        assert_eq!(over[0].1, owner.partner);
        house.prove().await;
        // Who leaves a mailbox before anybody could log in leaves it to the others.
        house.applied(owner, "carrier").await;
        house.applied(guest, "carrier").await;
        house.applied(owner, owner.partner).await;
        house
            .login("carrier", guest.partner, "ssh-ed25519 AAAA carrier")
            .await
            .unwrap();
        house.applied(owner, owner.partner).await;
        let carried = house
            .lines("SELECT p.code FROM connection c JOIN partner p ON p.id = c.partner_id WHERE c.name = 'carrier'")
            .await;
        assert_eq!(carried, [guest.partner], "{}", place.name);
        house.prove().await;
    }
}
