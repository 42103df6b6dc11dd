//! Receipts that do not come: people are told on the morning after, and days later they are believed no longer, so that
//! nobody is promised goods of which nobody knows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};

use super::notice::{self, Notice};
use super::{Gateway, orders};
use crate::domain::clock::{Instant, hours_before};
use crate::domain::order::Mode;
use crate::domain::stock::{BELIEVED_DAYS, from_stored};
use crate::storage::journal::Subject;
use crate::storage::receipts::OverdueReceipt;
use crate::storage::{Class, Connection, Failure};

/// Receipts seen to in one transaction.
const MOST: i64 = 1_000;

/// Items that an alert names; of more it tells how many there are.
const NAMED: usize = 20;

/// Hours into the next day before a receipt is called overdue: it has passed everywhere then where goods are likely to be
/// received, and those who count have begun.
const MORNING: u32 = 12;

/// The kind of the alert that goods have not come in; about a warehouse.
pub(super) const OVERDUE: &str = "receipt-overdue";

/// Raises an alert for receipts that are overdue, one for a warehouse and day; those that are overdue for longer than
/// they are believed are expected no longer, and what waits is allocated again. How many were seen to.
pub async fn overdue(gateway: &Gateway) -> Result<usize, Failure> {
    let days = Since::at(gateway.now());
    let first = gateway
        .store
        .read()
        .await?
        .receipts_overdue(days.told_before, days.believed_before, 1)
        .await?;
    if first.is_empty() {
        return Ok(0);
    }
    let inside = gateway.clone();
    let seen = gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let gateway = inside.clone();
            Box::pin(async move { see_to(&gateway, connection).await })
        })
        .await?;
    gateway.wake();
    Ok(seen)
}

/// Since when receipts are overdue, at one instant.
struct Since {
    told_before: NaiveDate,
    believed_before: NaiveDate,
}

impl Since {
    fn at(now: Instant) -> Self {
        let told_before = hours_before(now, MORNING).date_naive();
        let believed_before = told_before
            .checked_sub_days(Days::new(BELIEVED_DAYS.into()))
            .unwrap_or(NaiveDate::MIN);
        Self {
            told_before,
            believed_before,
        }
    }
}

async fn see_to(gateway: &Gateway, connection: &mut Connection) -> Result<usize, Failure> {
    let (now, days) = (gateway.now(), Since::at(gateway.now()));
    let overdue = connection
        .receipts_overdue(days.told_before, days.believed_before, MOST)
        .await?;
    let ids: Vec<i64> = overdue.iter().map(|receipt| receipt.id).collect();
    connection
        .tell_of_receipts(&ids, days.believed_before)
        .await?;
    let believed_before = days.believed_before.to_string();
    let (given_up, believed): (Vec<&OverdueReceipt>, Vec<&OverdueReceipt>) = overdue
        .iter()
        .partition(|receipt| receipt.on_date < believed_before);
    for receipts in by_day(&believed) {
        notice::tell(gateway, connection, None, not_come(&receipts, now)).await?;
    }
    for receipts in by_day(&given_up) {
        let notice = expected_no_longer(&receipts, now);
        // What was told on the morning after is no longer so.
        connection
            .clear_alerts_numbered(
                now,
                OVERDUE,
                notice.subject,
                &[group_key(receipts[0])],
                (now, &notice.key),
            )
            .await?;
        notice::tell(gateway, connection, None, notice).await?;
    }
    let entries = given_up
        .iter()
        .map(|receipt| {
            (
                "receipt given up".to_owned(),
                Subject::new("warehouse", receipt.warehouse_id),
                format!("{}, expected on {}", announced(receipt), receipt.on_date),
            )
        })
        .collect();
    connection.record_all(now, "receipts", entries).await?;
    let waited_for: BTreeSet<&str> = given_up
        .iter()
        .filter(|receipt| receipt.promised > 0)
        .map(|receipt| receipt.mode.as_str())
        .collect();
    for mode in waited_for {
        let mode: Mode = mode.parse().map_err(Failure::refuse)?;
        orders::allocate_waiting(connection, mode, now).await?;
    }
    Ok(overdue.len())
}

/// The alerts of warehouses of which every receipt was counted or announced anew leave the list.
pub(super) async fn clear(connection: &mut Connection, now: Instant) -> Result<(), Failure> {
    let done = connection.warehouses_without_overdue().await?;
    connection
        .clear_alerts_like(now, OVERDUE, "warehouse", &done)
        .await
}

/// "20 of A-100, of which 12 are promised to orders that wait".
fn announced(receipt: &OverdueReceipt) -> String {
    let quantity = from_stored(receipt.quantity);
    match receipt.promised {
        0 => format!("{quantity} of {}", receipt.item),
        promised => format!(
            "{quantity} of {}, of which {} are promised to orders that wait",
            receipt.item,
            from_stored(promised)
        ),
    }
}

/// Receipts of one world, warehouse and day each.
fn by_day<'r>(receipts: &[&'r OverdueReceipt]) -> Vec<Vec<&'r OverdueReceipt>> {
    let mut days: BTreeMap<String, Vec<&OverdueReceipt>> = BTreeMap::new();
    for receipt in receipts {
        days.entry(group_key(receipt)).or_default().push(receipt);
    }
    days.into_values().collect()
}

/// What the keys of alerts about a world, warehouse and day begin with.
fn group_key(receipt: &OverdueReceipt) -> String {
    format!(
        "{OVERDUE}:{}:{}:{}:",
        receipt.mode, receipt.warehouse_id, receipt.on_date
    )
}

/// Tells of receipts of one warehouse and day. That each is told once, its row sees to: one that is announced again is told
/// again, so that the instant stands in the key.
fn notice_of(receipts: &[&OverdueReceipt], now: Instant, became: &str, what_to_do: &str) -> Notice {
    let one = receipts[0];
    let test = if one.mode == Mode::Test.word() {
        " (test)"
    } else {
        ""
    };
    let mut lines: Vec<String> = receipts
        .iter()
        .take(NAMED)
        .map(|receipt| format!("- {}", announced(receipt)))
        .collect();
    if receipts.len() > NAMED {
        lines.push(format!("- and {} items more", receipts.len() - NAMED));
    }
    Notice {
        key: format!("{}{}", group_key(one), now.timestamp_micros()),
        kind: OVERDUE,
        subject: Subject::new("warehouse", one.warehouse_id),
        title: format!(
            "goods expected in {} on {}{test} {became}",
            one.warehouse, one.on_date
        ),
        text: format!("\n{}\nWhat to do: {what_to_do}", lines.join("\n")),
    }
}

/// What was to come on one day, and has not been counted.
fn not_come(receipts: &[&OverdueReceipt], now: Instant) -> Notice {
    let until = receipts[0]
        .on_date
        .parse::<NaiveDate>()
        .ok()
        .and_then(|day| day.checked_add_days(Days::new(u64::from(BELIEVED_DAYS) + 1)))
        .map_or_else(|| "in some days".to_owned(), |day| format!("on {day}"));
    notice_of(
        receipts,
        now,
        "have not been counted",
        &format!(
            "where they are there, count them and load the count (`supercargo stock import`); where they come later, announce them in the same list for their new day, and for the old one with 0. Else they are believed no longer {until}: what waits for them loses its day, what is set aside with it is free again, and the buyers are told."
        ),
    )
}

/// What was to come on one day, and is given up.
fn expected_no_longer(receipts: &[&OverdueReceipt], now: Instant) -> Notice {
    notice_of(
        receipts,
        now,
        "have not been counted and are expected no longer",
        "what waited for them has lost its day, and the buyers are told. Where they are there after all, count them and load the count (`supercargo stock import`); where they come later, announce them in the same list for their new day, then clear this alert.",
    )
}
