//! Verify: each line of an order against catalogue, price list, locations and dates, by the partner's own outcomes.

use std::collections::BTreeMap;

use super::run::Later;
use super::{COMPANY, Gateway, Trading, allocate, notice};
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::{OrderId, PartnerId};
use crate::domain::order::{ItemNumber, Order, OrderState};
use crate::domain::verification::{Known, Release, Remedies, Verdict, Verified, remedies, verify};
use crate::storage::journal::Subject;
use crate::storage::work::Step;
use crate::storage::{Connection, Failure, catalogue};

/// Verifies received orders: accepts, holds or rejects each.
pub async fn step(
    gateway: &Gateway,
    connection: &mut Connection,
    subjects: &[i64],
) -> Result<Vec<Later>, Failure> {
    let ids: Vec<OrderId> = subjects.iter().copied().map(OrderId).collect();
    let orders = connection.orders(&ids).await?;
    let mut by_partner: BTreeMap<PartnerId, Vec<(Order, i64)>> = BTreeMap::new();
    for order in orders
        .into_iter()
        .filter(|order| order.state == OrderState::Received)
    {
        let before = order.revision;
        by_partner
            .entry(order.partner)
            .or_default()
            .push((order, before));
    }
    for (partner, orders) in by_partner {
        let trading = gateway.trading(connection, partner).await?;
        verify_orders(gateway, connection, &trading, orders).await?;
    }
    Ok(Vec::new())
}

/// Verifies received orders of one partner, each with the revision that it was read with.
pub async fn verify_orders(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    orders: Vec<(Order, i64)>,
) -> Result<(), Failure> {
    let now = gateway.now();
    let known = known(connection, trading, orders.iter().map(|(order, _)| order)).await?;
    let today = now.with_timezone(&trading.profile.time_zone).date_naive();
    let mut changed = Vec::with_capacity(orders.len());
    let mut accepted = Vec::new();
    let mut entries = Vec::with_capacity(orders.len());
    for (order, before) in orders {
        let id = order.id;
        let order = without_doubts_of_terms(order, trading);
        let Verified {
            order,
            findings,
            verdict,
        } = verify(order, &known, &trading.profile.verification, today, false);
        let subject = Subject::new("order", id.0);
        let order = match verdict {
            Verdict::Accept => {
                accepted.push((id.0, id.0));
                entries.push((
                    "order accepted".to_owned(),
                    subject,
                    format!("by document {}", order.source),
                ));
                order.accept().map_err(Failure::refused)?
            }
            Verdict::Hold => {
                let reasons = reasons(findings);
                entries.push(("order held".to_owned(), subject, notice::lines(&reasons)));
                let held = order.hold(reasons, now).map_err(Failure::refused)?;
                let helps = remedies(&held, &known, &trading.profile.verification, today);
                tell_held(gateway, connection, trading, &held, &helps).await?;
                held
            }
            Verdict::Reject { reason } => {
                entries.push(("order rejected".to_owned(), subject, reason.clone()));
                let mut rejected = order.reject(reason).map_err(Failure::refused)?;
                allocate::answer(gateway, connection, trading, &mut rejected).await?;
                rejected
            }
        };
        changed.push((order, before));
    }
    connection.save_orders(changed).await?;
    connection.record_all(now, "verification", entries).await?;
    connection
        .ask_for_each(Step::Allocate, &accepted, now)
        .await
}

/// Where the profile's terms win over the order's, nothing waits for what is odd in those.
fn without_doubts_of_terms(mut order: Order, trading: &Trading) -> Order {
    if !trading.profile.invoicing.terms_from_order {
        for finding in &mut order.reading {
            if finding.code.starts_with("terms-") {
                finding.severity = Severity::Note;
            }
        }
    }
    order
}

/// What of the findings holds the order; what is only worth knowing stays with the order's remarks.
fn reasons(findings: Vec<Finding>) -> Vec<Finding> {
    findings
        .into_iter()
        .filter(|finding| finding.severity >= Severity::Hold)
        .collect()
}

/// Everything that verification has to know about the items, prices and places that these orders name.
pub async fn known(
    connection: &mut Connection,
    trading: &Trading,
    orders: impl Iterator<Item = &Order>,
) -> Result<Known, Failure> {
    let numbers: Vec<&ItemNumber> = orders
        .flat_map(|order| order.lines.iter().flat_map(|line| &line.numbers))
        .collect();
    let items = catalogue::items_by_numbers(connection, COMPANY, trading.partner, numbers).await?;
    let ids = items.values().map(|item| item.id).collect();
    let prices = catalogue::prices_for(connection, COMPANY, trading.partner, &ids).await?;
    let locations = catalogue::location_numbers(connection, trading.partner).await?;
    let locations_listed = !locations.is_empty();
    Ok(Known {
        items,
        prices,
        currency: Some(trading.profile.currency),
        charges_billed: trading.profile.invoicing.order_charges,
        locations,
        locations_listed,
    })
}

/// What a person does about a held order: only what leads on.
pub fn what_helps(helps: &Remedies, id: OrderId) -> String {
    let verify = format!(
        "mend what it names (item, unit, price, location) and verify it again (`supercargo order verify {id}`)"
    );
    let release = format!("`supercargo order release {id} --reason …`");
    let reject = format!("reject it (`supercargo order reject {id} --reason …`)");
    match (&helps.release, helps.refused_lines(), helps.lists) {
        (Release::Impossible, _, true) => format!(
            "{verify}, or {reject}. Releasing it does not help: none of it can go on as it stands."
        ),
        (Release::Impossible, _, false) => format!(
            "ask the buyer for a right order and {reject}. Releasing it does not help: it can not go on as it stands."
        ),
        (_, Some(lines), true) => format!(
            "{verify}, or {reject}. Releasing it ({release}) refuses {lines} to the buyer, and the rest goes on."
        ),
        (_, Some(lines), false) => format!(
            "ask the buyer; then release it ({release}), which refuses {lines} to the buyer while the rest goes on, or {reject}."
        ),
        (_, None, true) => format!("{verify}; or release it as it is ({release}), or {reject}."),
        (_, None, false) => format!("release it as it is ({release}), or {reject}."),
    }
}

async fn tell_held(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    order: &Order,
    helps: &Remedies,
) -> Result<(), Failure> {
    let OrderState::Held { reasons, .. } = &order.state else {
        return Ok(());
    };
    let notice = notice::Notice {
        key: format!("order-held:{}:{}", order.id, order.revision),
        kind: "order-held",
        subject: Subject::new("order", order.id.0),
        title: format!("order {} (PO {}) is held", order.id, order.header.po_number),
        text: format!(
            "{}\nWhat to do: {}",
            notice::lines(reasons),
            what_helps(helps, order.id)
        ),
    };
    notice::tell(gateway, connection, Some(trading), notice).await
}
