//! Files that partners fetch, or do not: the receipt, and the alert, once, until the file is fetched.

use supercargo::config::samples;
use supercargo::service::mailbox::Mailboxes;
use supercargo::transport::sftp_server::{MailboxIdentity, MailboxPort, OutboundRename};
use supercargo::workflow::{partners, watch};

use crate::engines::places;
use crate::thread::House;

const LOGIN: &str = "key SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s";

impl House {
    /// The sample partner's mailbox as one logs in to it.
    async fn mailbox(&self) -> MailboxIdentity {
        let id = self
            .lines("SELECT CAST(id AS TEXT) FROM connection WHERE name = 'bigmart'")
            .await;
        MailboxIdentity {
            connection_id: id[0].parse().unwrap(),
            name: "bigmart".to_owned(),
            login: LOGIN.to_owned(),
        }
    }

    async fn alerts(&self, more: &str) -> Vec<String> {
        self.lines(&format!(
            "SELECT message FROM alert WHERE kind = 'pickup-overdue' {more} ORDER BY id"
        ))
        .await
    }

    async fn hours(&self, hours: i64) -> usize {
        *self.clock.0.lock().unwrap() += chrono::Duration::hours(hours);
        watch::overdue_pickups(&self.gateway).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_fetches_raises_an_alert_once_until_it_is_fetched() {
    for place in places().await {
        let house = House::open(place.location.clone()).await;
        house
            .submit("order.edi", samples::PARTNERS[0].orders[0].text.as_bytes())
            .await;
        let mailbox = house.mailbox().await;
        let port = Mailboxes::new(house.gateway.clone());
        let from = "192.0.2.7".parse().unwrap();
        for name in [mailbox.name.as_str(), "nobody", mailbox.name.as_str()] {
            port.address_banned(name, from).await;
        }
        let refused = house
            .lines("SELECT message FROM alert WHERE kind = 'logins-refused'")
            .await;
        assert_eq!(refused.len(), 1, "{}: {refused:?}", place.name);
        assert!(refused[0].contains("192.0.2.7") && refused[0].contains("mailbox add"));
        let files = port.list_outbound(&mailbox, None, 100).await.unwrap();
        assert!(files.len() >= 3, "{}: {files:?}", place.name);
        assert_eq!(house.hours(23).await, 0, "{}", place.name);
        // One is fetched in time.
        port.picked_up(&mailbox, &files[0].name).await.unwrap();
        assert_eq!(house.hours(2).await, files.len() - 1, "{}", place.name);
        assert_eq!(house.hours(2).await, 0, "{}: once", place.name);
        let told = house.alerts("").await;
        assert_eq!(told.len(), files.len() - 1, "{}", place.name);
        assert!(
            told[0].contains("nobody has fetched") && told[0].contains("What to do"),
            "{told:?}"
        );
        // Deleting and renaming say that it is there too.
        assert!(
            port.remove_outbound(&mailbox, &files[1].name)
                .await
                .unwrap()
        );
        assert_eq!(
            port.rename_outbound(&mailbox, &files[2].name, "done.edi")
                .await
                .unwrap(),
            OutboundRename::Renamed
        );
        let names = port.list_outbound(&mailbox, None, 100).await.unwrap();
        assert!(names.iter().any(|entry| entry.name == "done.edi"));
        assert!(names.iter().all(|entry| entry.name != files[2].name));
        assert!(
            port.open_outbound(&mailbox, "done.edi")
                .await
                .unwrap()
                .is_some()
        );
        assert_eq!(
            port.rename_outbound(&mailbox, "done.edi", &files[2].name)
                .await
                .unwrap(),
            OutboundRename::NameTaken,
            "names of files of ours stay theirs"
        );
        for entry in &files[3..] {
            port.picked_up(&mailbox, &entry.name).await.unwrap();
        }
        let open = house.alerts("AND cleared_at IS NULL").await;
        assert!(open.is_empty(), "{}: {open:?}", place.name);
        let receipts = house
            .lines("SELECT DISTINCT picked_up_by FROM transmission WHERE state = 'picked_up'")
            .await;
        assert_eq!(receipts, [format!("bigmart ({LOGIN})")], "{}", place.name);
        let when = house
            .lines("SELECT name FROM transmission WHERE picked_up_at IS NULL OR size = 0 OR sha256 = ''")
            .await;
        assert!(when.is_empty(), "{}: {when:?}", place.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_may_have_more_time_and_a_second_delivery_counts_anew() {
    for place in places().await {
        let house = House::open(place.location.clone()).await;
        let profile = samples::PARTNERS[0].profile;
        assert!(!profile.contains("[connection.mailbox]"));
        let patient = format!("{profile}\n[connection.mailbox]\npickup_hours = 100\n");
        partners::apply(&house.gateway, &patient, "test")
            .await
            .unwrap();
        house
            .submit("order.edi", samples::PARTNERS[0].orders[4].text.as_bytes())
            .await;
        assert_eq!(house.hours(99).await, 0, "{}", place.name);
        assert!(house.hours(2).await > 0, "{}", place.name);
        let document = house
            .lines("SELECT CAST(id AS TEXT) FROM document WHERE set_code = '855'")
            .await;
        let id = supercargo::domain::ids::DocumentId(document[0].parse().unwrap());
        supercargo::workflow::documents::redeliver(&house.gateway, id, "test")
            .await
            .unwrap();
        let before = house.alerts("").await.len();
        assert_eq!(house.hours(99).await, 0, "{}", place.name);
        assert_eq!(house.hours(2).await, 1, "{}", place.name);
        assert_eq!(house.alerts("").await.len(), before + 1, "{}", place.name);
    }
}
