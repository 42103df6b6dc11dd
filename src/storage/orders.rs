//! Orders: one row each, the whole aggregate in its body.

use std::sync::Arc;

use super::connection::{Connection, list};
use super::failure::Failure;
use super::kept::{Changed, Stored, added_and_changed, change, find, to_change};
use super::row::side_by_side;
use crate::binds;
use crate::domain::clock::Instant;
use crate::domain::ids::OrderId;
use crate::domain::order::{Mode, Order};

/// The order as it is stored.
fn text(order: &Order) -> Result<String, Failure> {
    serde_json::to_string(order).map_err(|error| Failure::Corrupt {
        table: "purchase_order",
        key: order.id.to_string(),
        why: error.to_string(),
    })
}

fn read((id, body): (i64, String)) -> Result<Order, Failure> {
    serde_json::from_str(&body).map_err(|error| Failure::Corrupt {
        table: "purchase_order",
        key: id.to_string(),
        why: error.to_string(),
    })
}

/// What the accepted lines come to, in minor units: for lists and for what is at risk.
fn value(order: &Order) -> i64 {
    let currency = order.header.currency;
    let sum = order
        .lines
        .iter()
        .map(|line| {
            let price = line.accepted.as_ref().map(|accepted| accepted.unit_price);
            // What a buyer writes may be beyond any sum of money; such an order is held.
            line.ordered.saturating_sub(line.refused).saturating_mul(
                price
                    .or(line.price.as_ref().map(|price| price.amount))
                    .unwrap_or_default(),
            )
        })
        .fold(rust_decimal::Decimal::ZERO, |sum, extension| {
            sum.saturating_add(extension)
        });
    crate::domain::money::Amount::from_decimal(sum, currency).map_or(i64::MAX, |amount| amount.0)
}

/// 1 where a line of the order waits for stock.
fn waiting(order: &Order) -> i64 {
    i64::from(
        order
            .lines
            .iter()
            .any(|line| line.backordered > rust_decimal::Decimal::ZERO),
    )
}

/// What is told to have changed in between.
const THIS: &str = "an order";

impl Connection {
    /// Adds orders.
    pub async fn add_orders(&mut self, orders: Vec<Order>) -> Result<(), Failure> {
        self.kept()?.orders.extend(orders.into_iter().map(|order| {
            let stored = Stored::Not(order.received_at);
            (order.id, Changed::new(order, stored))
        }));
        Ok(())
    }

    async fn insert_orders(&mut self, orders: &[(&Order, Instant)]) -> Result<(), Failure> {
        let mut rows = Vec::with_capacity(orders.len());
        for (order, received_at) in orders {
            let ship_by = order
                .header
                .dates
                .ship_no_later
                .or(order.header.dates.cancel_after);
            rows.push(binds![
                order.id,
                order.company,
                order.partner,
                order.mode.word(),
                &order.header.po_number,
                order.state.word(),
                order.revision,
                *received_at,
                order.source,
                value(order),
                order.header.currency.code(),
                ship_by,
                waiting(order),
                text(order)?
            ]);
        }
        self.insert_many(
            "INSERT INTO purchase_order (id, company_id, partner_id, mode, po_number, status, revision, received_at,
                 document_id, value, currency, ship_by, waiting, body)",
            rows,
            "",
        )
        .await?;
        Ok(())
    }

    /// Orders by number, in order of number, locked until the transaction ends.
    pub async fn orders(&mut self, ids: &[OrderId]) -> Result<Vec<Order>, Failure> {
        let kept = self.kept.as_ref().map(|kept| &kept.orders);
        let (orders, elsewhere) = find(kept, ids);
        let mut orders = to_change(orders);
        if elsewhere.is_empty() {
            return Ok(orders);
        }
        let lock = if self.is_sqlite() { "" } else { "FOR UPDATE" };
        let sql = format!(
            "SELECT id, body FROM purchase_order WHERE id IN {} ORDER BY id {lock}",
            list(elsewhere.len(), 0)
        );
        let rows: Vec<(i64, String)> = self
            .stored_rows(&sql, elsewhere.into_iter().map(Into::into).collect())
            .await?;
        let stored: Vec<Order> = side_by_side(rows, read)?;
        if orders.is_empty() {
            return Ok(stored);
        }
        orders.extend(stored);
        orders.sort_by_key(|order| order.id);
        Ok(orders)
    }

    /// One order.
    pub async fn order(&mut self, id: OrderId) -> Result<Option<Order>, Failure> {
        Ok(self.orders(&[id]).await?.into_iter().next())
    }

    /// Writes changed orders. `before` are the revisions they were read with; a row that has another was changed by
    /// somebody else, and nothing is written.
    pub async fn save_orders<O: Into<Arc<Order>>>(
        &mut self,
        orders: Vec<(O, i64)>,
    ) -> Result<(), Failure> {
        let kept = self.kept()?;
        for (order, before) in orders {
            let order: Arc<Order> = order.into();
            change(&mut kept.orders, order.id, order, before, |order| {
                order.revision
            })
            .map_err(|()| Failure::stale(THIS))?;
        }
        Ok(())
    }

    /// Writes the orders that this transaction has kept.
    pub(super) async fn write_orders(&mut self) -> Result<(), Failure> {
        let kept = match &mut self.kept {
            Some(kept) if !kept.orders.is_empty() => std::mem::take(&mut kept.orders),
            _ => return Ok(()),
        };
        let (added, changed) = added_and_changed(&kept);
        self.insert_orders(&added).await?;
        self.update_orders(&changed).await
    }

    async fn update_orders(&mut self, orders: &[(&Order, i64)]) -> Result<(), Failure> {
        const UPDATE: &str = "UPDATE purchase_order SET status = v.column3, revision = v.column4, value = v.column5,
             waiting = v.column6, body = v.column7
             FROM {rows} WHERE purchase_order.id = v.column1 AND purchase_order.revision = v.column2";
        let rows = orders.iter().map(|(order, before)| {
            Ok(binds![
                order.id,
                *before,
                order.state.word(),
                order.revision,
                value(order),
                waiting(order),
                text(order)?
            ])
        });
        let rows: Result<Vec<_>, Failure> = rows.collect();
        self.change_every(UPDATE, vec![], rows?, THIS).await
    }

    /// Orders of which something waits for stock, oldest first.
    pub async fn waiting_orders(&mut self, mode: &str, most: i64) -> Result<Vec<OrderId>, Failure> {
        // First, so that who is being told that there is nothing has been told by then, and is found here.
        self.write_stock().await?;
        self.write_orders().await?;
        let rows: Vec<(i64,)> = self
            .rows(
                "SELECT id FROM purchase_order WHERE waiting = 1 AND mode = $1 ORDER BY id LIMIT $2",
                binds![mode, most],
            )
            .await?;
        Ok(rows.into_iter().map(|row| OrderId(row.0)).collect())
    }

    /// Orders of which something waits for stock and whose number is below `before`, youngest first.
    pub async fn youngest_waiting_orders(
        &mut self,
        mode: Mode,
        before: OrderId,
        most: i64,
    ) -> Result<Vec<OrderId>, Failure> {
        self.write_orders().await?;
        let rows: Vec<(i64,)> = self
            .rows(
                "SELECT id FROM purchase_order WHERE waiting = 1 AND mode = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
                binds![mode.word(), before.0, most],
            )
            .await?;
        Ok(rows.into_iter().map(|row| OrderId(row.0)).collect())
    }
}
