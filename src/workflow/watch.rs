//! Watch: what did not happen in time. Overdue is never a state: it is a due time against the clock, looked at here.

use super::Gateway;
use super::notice::{self, Notice};
use crate::domain::ids::PartnerId;
use crate::storage::documents::DocumentRow;
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
            "no 997 for our {} {} (GS06 {}) within {hours} hours",
            document.set_code, document.reference, document.gs06
        ),
        text: format!(
            "It was {}. What to do: ask the partner whether it arrived; the same bytes can be delivered again from the document's page.",
            document.delivery.replace('_', " ")
        ),
    };
    connection.stop_waiting(&[document.id]).await?;
    notice::tell(gateway, connection, Some(&trading), notice).await
}
