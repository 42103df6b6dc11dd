//! What waits for goods and can not leave by the last day that the buyer gave: people are told as soon as it shows, and at
//! the latest when that day has passed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveTime, TimeZone};

use super::notice::{self, Notice};
use super::{Gateway, Trading};
use crate::domain::clock::Instant;
use crate::domain::delivery::LateLine;
use crate::domain::order::Order;
use crate::storage::journal::Subject;
use crate::storage::work::Step;
use crate::storage::{Connection, Failure};

/// The kind of the alert that a backorder is late; about an order.
const LATE: &str = "backorder-late";

/// Looks at orders that were allocated: raises an alert where something waits beyond its last day, and asks for another
/// look for when that day has passed; clears the alert where nothing does any more.
pub async fn watch(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    orders: impl Iterator<Item = &Order>,
) -> Result<(), Failure> {
    let now = gateway.now();
    let zone = trading.profile.time_zone;
    let today = now.with_timezone(&zone).date_naive();
    let transit_days = trading.profile.packing.transit_days;
    let mut in_time = Vec::new();
    let mut looks: BTreeMap<Instant, Vec<(i64, i64)>> = BTreeMap::new();
    for order in orders {
        let late = order.late_lines(transit_days, today);
        if late.is_empty() {
            in_time.push(order.id.0);
        } else {
            let notice = too_late(order, &late);
            // Only what is known now stands: an earlier alert told another day.
            connection
                .clear_alerts_but(now, LATE, notice.subject, &notice.key)
                .await?;
            notice::tell(gateway, connection, Some(trading), notice).await?;
        }
        let known: BTreeSet<u32> = late.iter().map(|late| late.line).collect();
        let last = order
            .lines
            .iter()
            .filter(|line| !line.backordered.is_zero() && !known.contains(&line.line))
            .filter_map(|line| order.last_day_of(line, transit_days))
            .min();
        if let Some(due) = last.and_then(|last| over(last, zone)) {
            let look = (order.id.0, order.id.0);
            looks.entry(due.max(now)).or_default().push(look);
        }
    }
    for (due, orders) in looks {
        connection
            .ask_for_each(Step::Allocate, &orders, due)
            .await?;
    }
    connection
        .clear_alerts_like(now, LATE, "order", &in_time)
        .await
}

/// The instant at which a day is over.
pub(super) fn over(day: NaiveDate, zone: chrono_tz::Tz) -> Option<Instant> {
    let next = day.succ_opt()?.and_time(NaiveTime::MIN);
    zone.from_local_datetime(&next)
        .earliest()
        .map(|over| over.with_timezone(&chrono::Utc))
}

fn too_late(order: &Order, late: &[LateLine]) -> Notice {
    let lines: Vec<String> = late
        .iter()
        .map(|late| {
            let expected = match late.expected {
                Some(day) => format!("are expected on {day}"),
                None => "wait, and no day is known for them".to_owned(),
            };
            format!(
                "- line {}: {} {} of {} {expected}; they may leave until {}",
                late.line,
                late.quantity.normalize(),
                late.unit,
                late.item,
                late.last
            )
        })
        .collect();
    Notice {
        // Told again where the order has changed since.
        key: format!("{LATE}:{}:{}", order.id, order.revision),
        kind: LATE,
        subject: Subject::new("order", order.id.0),
        title: format!(
            "part of PO {} can not leave by its last day",
            order.header.po_number
        ),
        text: format!(
            "\n{}\nWhat to do: ask the buyer whether it takes them later; where it does, confirm their shipment with the reason when they are there (`supercargo shipment confirm`, field `override`); where it does not, cancel what waits (`supercargo order cancel {} --reason …`). Where they come earlier, announce it in the stock list.",
            lines.join("\n"),
            order.id
        ),
    }
}
