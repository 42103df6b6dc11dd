//! Cancelling an order, as the buyer asks for or we must: what has not left is given up, and its stock is free again. What
//! has left stays shipped, is invoiced and owed.

use rust_decimal::Decimal;

use super::allocation::Reservation;
use super::allocation::waiting::{Holds, give_up};
use super::ids::OrderId;
use super::order::{IllegalTransition, LineRefusal, Order, OrderState};
use super::policy::OnShort;
use super::shipment::{Returned, Shipment, ShipmentRefusal, return_short};

/// An order that was cancelled, and what of it is given up.
#[derive(Debug)]
pub struct Cancelled {
    /// The order, settled.
    pub order: Order,
    /// The planned shipments that it was on.
    pub shipments: Vec<GivenUp>,
    /// Promises of stock that were on no shipment.
    pub unreleased: Vec<Reservation>,
    /// What its backorders held of receipts to come and of stock, below zero.
    pub holds: Holds,
}

/// A planned shipment of which the order's goods were taken.
#[derive(Debug)]
pub struct GivenUp {
    /// As it was planned.
    pub planned: Shipment,
    /// As it is now: cancelled where nothing is left on it.
    pub after: Shipment,
    /// Promises of stock that were on it.
    pub unreserved: Vec<Reservation>,
}

/// Why an order is not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelRefusal {
    /// Nothing was promised.
    #[error("order {0} is not promised yet: reject it with `order reject {0} --reason …`")]
    NotPromised(OrderId),
    /// All has left, or all was refused.
    #[error("nothing of order {order} is left to cancel: it is {state}")]
    NothingLeft {
        /// Which.
        order: OrderId,
        /// What it is.
        state: &'static str,
    },
    /// A shipment that is not planned.
    #[error(transparent)]
    Shipment(#[from] ShipmentRefusal),
    /// A state that can not be settled.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
}

/// Cancels what of an order has not left; `planned` are its shipments that are still there. Of every line, ordered =
/// confirmed + backordered + refused as before.
pub fn cancel(
    mut order: Order,
    planned: Vec<Shipment>,
    reason: &str,
) -> Result<Cancelled, CancelRefusal> {
    may_be_cancelled(&order)?;
    let mut shipments = Vec::with_capacity(planned.len());
    for planned in planned {
        let mut left = without(&planned, order.id);
        let Returned {
            order: returned,
            unreserved,
        } = return_short(order, &planned, &left, OnShort::Backorder);
        order = returned;
        let after = if left.cartons.is_empty() {
            planned.clone().cancel()?
        } else {
            left.revision += 1;
            left
        };
        shipments.push(GivenUp {
            planned,
            after,
            unreserved,
        });
    }
    let unreleased = take_unreleased(&mut order);
    let mut holds = Holds::default();
    for line in &mut order.lines {
        let waiting = line.backordered.saturating_add(line.undecided());
        if waiting > Decimal::ZERO {
            line.refused = line.refused.saturating_add(waiting).normalize();
            line.refusal = Some(LineRefusal::Cancelled);
            line.backordered = Decimal::ZERO;
            holds.extend(give_up(line));
        }
    }
    let mut order = order.settle()?;
    if let OrderState::Rejected { reason: why } = &mut order.state {
        *why = format!("cancelled: {reason}");
    }
    Ok(Cancelled {
        order,
        shipments,
        unreleased,
        holds,
    })
}

/// Whether something of an order can be cancelled: it is promised, and not all of it has left.
///
/// # Errors
/// Why nothing can.
pub fn may_be_cancelled(order: &Order) -> Result<(), CancelRefusal> {
    match order.state {
        OrderState::Accepted
        | OrderState::Confirmed
        | OrderState::Backordered
        | OrderState::PartlyShipped => Ok(()),
        OrderState::Received | OrderState::Held { .. } => Err(CancelRefusal::NotPromised(order.id)),
        OrderState::Shipped | OrderState::Invoiced | OrderState::Rejected { .. } => {
            Err(CancelRefusal::NothingLeft {
                order: order.id,
                state: order.state.word(),
            })
        }
    }
}

/// A shipment without what of an order is on it.
fn without(planned: &Shipment, order: OrderId) -> Shipment {
    let mut left = planned.clone();
    for carton in &mut left.cartons {
        carton
            .contents
            .to_mut()
            .retain(|content| content.order != order);
    }
    left.cartons.retain(|carton| !carton.contents.is_empty());
    left
}

/// Takes what is promised and on no shipment off the order; the promises of stock that it gives back.
fn take_unreleased(order: &mut Order) -> Vec<Reservation> {
    let mut given_back = Vec::new();
    for line in &mut order.lines {
        for source in &mut line.sources {
            let free = source.quantity - source.released;
            if free <= Decimal::ZERO {
                continue;
            }
            source.quantity -= free;
            line.confirmed -= free;
            line.refused += free;
            if let Some(accepted) = &line.accepted {
                given_back.push(Reservation {
                    line: line.line,
                    item: accepted.item,
                    warehouse: source.warehouse,
                    base: free.saturating_mul(accepted.base_per_unit).normalize(),
                });
            }
        }
        line.sources.retain(|source| !source.quantity.is_zero());
    }
    given_back
}
