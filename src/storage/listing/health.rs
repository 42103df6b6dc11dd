//! What `doctor` looks at: counts and what is in trouble.

use chrono::Duration;

use super::Page;
use crate::binds;
use crate::domain::clock::Instant;
use crate::domain::ids::CompanyId;
use crate::storage::connection::Connection;
use crate::storage::failure::Failure;

/// The state of a set-up.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// Partners.
    pub partners: i64,
    /// Mailboxes that nobody can log in to.
    pub without_login: Vec<String>,
    /// Connections with what is wrong with each.
    pub connections_in_trouble: Vec<String>,
    /// Warehouses.
    pub warehouses: i64,
    /// Items.
    pub items: i64,
    /// Items that no price list has.
    pub items_without_price: i64,
    /// Pieces of work due.
    pub due: i64,
    /// For how long the oldest of them has been due; none: nothing is.
    pub due_for: Option<Duration>,
    /// How many of them a gateway has claimed, which nobody else does meanwhile.
    pub claimed: i64,
    /// When the last of those claims ends, should that gateway be gone; none: nothing is claimed.
    pub claimed_until: Option<Instant>,
    /// Work that keeps failing, each in a line.
    pub stuck: Vec<String>,
    /// Open alerts.
    pub alerts: i64,
}

/// Looks at everything; lists are cut at the page's limit.
pub async fn look(
    connection: &mut Connection,
    company: CompanyId,
    now: Instant,
    page: Page,
) -> Result<Health, Failure> {
    let most = i64::from(page.limit);
    let names: Vec<(String,)> = connection
        .rows(
            "SELECT name FROM connection WHERE kind = 'mailbox' AND active = 1
             AND NOT EXISTS (SELECT 1 FROM mailbox_login WHERE connection_id = connection.id) ORDER BY name LIMIT $1",
            binds![most],
        )
        .await?;
    let trouble: Vec<(String, String)> = connection
        .rows("SELECT name, problem FROM connection WHERE problem IS NOT NULL AND active = 1 ORDER BY name LIMIT $1", binds![most])
        .await?;
    let stuck: Vec<(String, i64, i64, Option<String>)> = connection
        .rows("SELECT step, subject, attempts, problem FROM work WHERE attempts > 0 ORDER BY attempts DESC, id LIMIT $1", binds![most])
        .await?;
    let oldest: Option<(Option<i64>,)> = connection
        .row(
            "SELECT MIN(due_at) FROM work WHERE due_at <= $1",
            binds![now],
        )
        .await?;
    let (claimed, claimed_until): (i64, Option<i64>) = connection
        .row(
            "SELECT COUNT(*), MAX(lane.leased_until) FROM work JOIN lane ON lane.id = work.lane
             WHERE work.due_at <= $1 AND lane.leased_until > $1",
            binds![now],
        )
        .await?
        .unwrap_or_default();
    let due_since = oldest
        .and_then(|row| row.0)
        .and_then(Instant::from_timestamp_micros);
    Ok(Health {
        due_for: due_since.map(|since| now - since),
        claimed,
        claimed_until: claimed_until.and_then(Instant::from_timestamp_micros),
        partners: connection
            .number("SELECT COUNT(*) FROM partner", binds![])
            .await?,
        without_login: names.into_iter().map(|row| row.0).collect(),
        connections_in_trouble: trouble
            .into_iter()
            .map(|(name, problem)| format!("{name}: {problem}"))
            .collect(),
        warehouses: connection
            .number(
                "SELECT COUNT(*) FROM warehouse WHERE company_id = $1",
                binds![company],
            )
            .await?,
        items: connection
            .number(
                "SELECT COUNT(*) FROM item WHERE company_id = $1",
                binds![company],
            )
            .await?,
        items_without_price: connection
            .number(
                "SELECT COUNT(*) FROM item WHERE company_id = $1
                 AND NOT EXISTS (SELECT 1 FROM price WHERE price.item_id = item.id)",
                binds![company],
            )
            .await?,
        due: connection.count_due(now).await?,
        stuck: stuck
            .into_iter()
            .map(|(step, subject, attempts, problem)| {
                format!(
                    "{step} of {subject}, {attempts} attempts: {}",
                    problem.unwrap_or_default()
                )
            })
            .collect(),
        alerts: connection
            .number(
                "SELECT COUNT(*) FROM alert WHERE cleared_at IS NULL",
                binds![],
            )
            .await?,
    })
}
