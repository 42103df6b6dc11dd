//! Watch: what did not happen in time. Overdue is never a state: it is a due time against the clock, looked at here.

use std::collections::BTreeMap;

use super::Gateway;
use super::notice::{self, Notice};
use crate::domain::ids::PartnerId;
use crate::storage::documents::{DocumentRow, PickupRow};
use crate::storage::journal::Subject;
use crate::storage::{Class, Connection, Failure};

/// Alerts raised in one transaction.
const MOST: i64 = 200;

/// Raises an alert for every document whose acknowledgment is overdue and not yet told of. How many.
pub async fn overdue_acknowledgments(gateway: &Gateway) -> Result<usize, Failure> {
    if gateway
        .store
        .read()
        .await?
        .answers_overdue(gateway.now(), 1)
        .await?
        .is_empty()
    {
        return Ok(0);
    }
    let inside = gateway.clone();
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let gateway = inside.clone();
            Box::pin(async move {
                let late = connection.answers_overdue(gateway.now(), MOST).await?;
                for document in &late {
                    tell(&gateway, connection, document).await?;
                }
                Ok(late.len())
            })
        })
        .await
}

async fn tell(
    gateway: &Gateway,
    connection: &mut Connection,
    document: &DocumentRow,
) -> Result<(), Failure> {
    let Some(partner) = document.partner_id else {
        return Ok(());
    };
    let trading = gateway.trading(connection, PartnerId(partner)).await?;
    let hours = trading.profile.acknowledgment.expect_within_hours;
    let notice = Notice {
        key: format!("acknowledgment-overdue:{}", document.id),
        kind: "acknowledgment-overdue",
        subject: Subject::new("document", document.id),
        title: format!(
            "no acknowledgment of our {} {} (GS06 {}) within {hours} hours",
            document.set_code, document.reference, document.gs06
        ),
        text: format!(
            "It was {}. What to do: ask the partner whether it arrived; the same bytes can be delivered again from the document's page or with `supercargo document redeliver {}`.",
            document.delivery.replace('_', " "),
            document.id
        ),
    };
    if !connection.stop_waiting(document.id).await? {
        return Ok(());
    }
    notice::tell(gateway, connection, Some(&trading), notice).await
}

/// Raises an alert for every file in a mailbox that its partner has not fetched in time, once; each partner's are told in
/// one mail. How many.
pub async fn overdue_pickups(gateway: &Gateway) -> Result<usize, Failure> {
    let first = gateway
        .store
        .read()
        .await?
        .pickups_overdue(gateway.now(), 1)
        .await?;
    if first.is_empty() {
        return Ok(0);
    }
    let inside = gateway.clone();
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let gateway = inside.clone();
            Box::pin(async move { tell_of_pickups(&gateway, connection).await })
        })
        .await
}

async fn tell_of_pickups(gateway: &Gateway, connection: &mut Connection) -> Result<usize, Failure> {
    let late = connection.pickups_overdue(gateway.now(), MOST).await?;
    let ids: Vec<i64> = late.iter().map(|file| file.id).collect();
    connection.forget_pickups(&ids).await?;
    let mut partners: BTreeMap<i64, Vec<Notice>> = BTreeMap::new();
    for file in &late {
        let notice = not_fetched(file);
        partners.entry(file.partner_id).or_default().push(notice);
    }
    for (partner, notices) in partners {
        let trading = gateway.trading(connection, PartnerId(partner)).await?;
        let title = format!("{} of our files wait to be fetched", notices.len());
        notice::tell_together(gateway, connection, &trading, title, notices).await?;
    }
    Ok(late.len())
}

fn not_fetched(file: &PickupRow) -> Notice {
    let since = file
        .delivered_at
        .and_then(chrono::DateTime::from_timestamp_micros)
        .map(|at| format!(" since {}", at.format("%Y-%m-%d %H:%M UTC")))
        .unwrap_or_default();
    Notice {
        key: format!("pickup-overdue:{}:{}", file.id, file.pickup_due_at),
        kind: "pickup-overdue",
        subject: Subject::new("document", file.document.unwrap_or_default()),
        title: format!(
            "nobody has fetched {} from the mailbox {}",
            file.name, file.mailbox
        ),
        text: format!(
            "The {} ({} bytes) lies there{since}. What to do: ask the partner whether its client still runs and looks into /outbound; the file stays there until it is fetched.",
            file.set_code, file.size
        ),
    }
}
