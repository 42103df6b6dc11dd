//! Shipments: one row each, cartons in the body; which orders are on them in a narrow table.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::connection::{Connection, list};
use super::failure::Failure;
use super::kept::{Changed, Stored, added_and_changed, change, find, to_change};
use super::row::side_by_side;
use crate::binds;
use crate::domain::clock::Instant;
use crate::domain::ids::{OrderId, ShipmentId, WarehouseId};
use crate::domain::shipment::{Shipment, ShipmentState};

/// The shipment as it is stored.
fn text(shipment: &Shipment) -> Result<String, Failure> {
    serde_json::to_string(shipment).map_err(|error| Failure::Corrupt {
        table: "shipment",
        key: shipment.id.to_string(),
        why: error.to_string(),
    })
}

fn read((id, body): (i64, String)) -> Result<Shipment, Failure> {
    serde_json::from_str(&body).map_err(|error| Failure::Corrupt {
        table: "shipment",
        key: id.to_string(),
        why: error.to_string(),
    })
}

/// By what two orders' goods may travel together: the ship-to as the partner numbers it, or its address.
fn ship_to_key(shipment: &Shipment) -> String {
    let to = &shipment.ship_to;
    if to.id.is_empty() {
        format!("{}|{}|{}", to.name, to.street.join("|"), to.postal_code)
    } else {
        format!("{}:{}", to.id_qualifier, to.id)
    }
}

fn shipped_at(shipment: &Shipment) -> Option<Instant> {
    match shipment.state {
        ShipmentState::Shipped { at } => Some(at),
        _ => None,
    }
}

/// What is told to have changed in between.
const THIS: &str = "a shipment";

impl Connection {
    /// Adds shipments.
    pub async fn add_shipments(
        &mut self,
        shipments: Vec<Shipment>,
        at: Instant,
    ) -> Result<(), Failure> {
        self.kept()?.shipments.extend(
            shipments
                .into_iter()
                .map(|shipment| (shipment.id, Changed::new(shipment, Stored::Not(at)))),
        );
        Ok(())
    }

    async fn insert_shipments(
        &mut self,
        shipments: &[(&Shipment, Instant)],
    ) -> Result<(), Failure> {
        let mut rows = Vec::with_capacity(shipments.len());
        for (shipment, at) in shipments {
            rows.push(binds![
                shipment.id,
                shipment.company,
                shipment.partner,
                shipment.mode.word(),
                shipment.warehouse,
                shipment.state.word(),
                shipment.revision,
                *at,
                shipped_at(shipment),
                shipment.not_before,
                ship_to_key(shipment),
                text(shipment)?
            ]);
        }
        self.insert_many(
            "INSERT INTO shipment (id, company_id, partner_id, mode, warehouse_id, status, revision, created_at,
                 shipped_at, not_before, ship_to, body)",
            rows,
            "",
        )
        .await?;
        self.link(shipments.iter().map(|(shipment, _)| *shipment))
            .await
    }

    /// What shipments are found by: their orders, and what carriers call them.
    async fn link<'s>(
        &mut self,
        shipments: impl Iterator<Item = &'s Shipment> + Clone,
    ) -> Result<(), Failure> {
        self.link_orders(shipments.clone()).await?;
        self.link_numbers(shipments).await
    }

    /// What carriers call them, to be searched for. A bill of lading that we numbered bears the shipment's own number.
    async fn link_numbers<'s>(
        &mut self,
        shipments: impl Iterator<Item = &'s Shipment>,
    ) -> Result<(), Failure> {
        let mut rows = Vec::new();
        for shipment in shipments {
            let own = shipment.own_bill_of_lading();
            let numbers: BTreeSet<&str> = [shipment.bill_of_lading.as_str(), &shipment.tracking]
                .into_iter()
                .chain(
                    shipment
                        .cartons
                        .iter()
                        .map(|carton| carton.tracking.as_str()),
                )
                .filter(|number| !number.is_empty() && *number != own)
                .collect();
            rows.extend(
                numbers
                    .into_iter()
                    .map(|number| binds![number, shipment.id]),
            );
        }
        self.insert_many(
            "INSERT INTO shipment_number (number, shipment_id)",
            rows,
            "ON CONFLICT (number, shipment_id) DO NOTHING",
        )
        .await?;
        Ok(())
    }

    async fn link_orders<'s>(
        &mut self,
        shipments: impl Iterator<Item = &'s Shipment>,
    ) -> Result<(), Failure> {
        let links = shipments
            .flat_map(|shipment| {
                shipment
                    .orders()
                    .into_iter()
                    .map(|order| binds![shipment.id, order])
            })
            .collect();
        self.insert_many(
            "INSERT INTO shipment_order (shipment_id, order_id)",
            links,
            "ON CONFLICT (order_id, shipment_id) DO NOTHING",
        )
        .await?;
        Ok(())
    }

    /// Shipments by number, locked until the transaction ends.
    pub async fn shipments(&mut self, ids: &[ShipmentId]) -> Result<Vec<Shipment>, Failure> {
        Ok(to_change(self.shared_shipments(ids).await?))
    }

    /// The same to be looked at.
    async fn shared_shipments(
        &mut self,
        ids: &[ShipmentId],
    ) -> Result<Vec<Arc<Shipment>>, Failure> {
        let kept = self.kept.as_ref().map(|kept| &kept.shipments);
        let (mut shipments, elsewhere) = find(kept, ids);
        if elsewhere.is_empty() {
            return Ok(shipments);
        }
        let lock = if self.is_sqlite() { "" } else { "FOR UPDATE" };
        let sql = format!(
            "SELECT id, body FROM shipment WHERE id IN {} ORDER BY id {lock}",
            list(elsewhere.len(), 0)
        );
        let rows: Vec<(i64, String)> = self
            .stored_rows(&sql, elsewhere.into_iter().map(Into::into).collect())
            .await?;
        let stored: Vec<Shipment> = side_by_side(rows, read)?;
        let stored: Vec<Arc<Shipment>> = stored.into_iter().map(Arc::new).collect();
        if shipments.is_empty() {
            return Ok(stored);
        }
        shipments.extend(stored);
        shipments.sort_by_key(|shipment| shipment.id);
        Ok(shipments)
    }

    /// What `look` sees in shipments by number, in no order: those that are kept are looked at where they are.
    pub async fn of_shipments<T>(
        &mut self,
        ids: &[ShipmentId],
        look: impl Fn(&Shipment) -> T,
    ) -> Result<Vec<T>, Failure> {
        let (mut seen, mut elsewhere) = (Vec::with_capacity(ids.len()), Vec::new());
        for id in ids {
            let kept = self.kept.as_ref().and_then(|kept| kept.shipments.get(id));
            match kept {
                Some(kept) => seen.push(look(&kept.value)),
                None => elsewhere.push(*id),
            }
        }
        if !elsewhere.is_empty() {
            let elsewhere = self.shared_shipments(&elsewhere).await?;
            seen.extend(elsewhere.iter().map(|shipment| look(shipment)));
        }
        Ok(seen)
    }

    /// One shipment.
    pub async fn shipment(&mut self, id: ShipmentId) -> Result<Option<Shipment>, Failure> {
        Ok(self.shipments(&[id]).await?.into_iter().next())
    }

    /// All shipments of an order.
    pub async fn shipments_of(&mut self, order: OrderId) -> Result<Vec<Shipment>, Failure> {
        Ok(to_change(self.shipments_of_orders(&[order]).await?))
    }

    /// All shipments of several orders, each once, by number.
    pub async fn shipments_of_orders(
        &mut self,
        orders: &[OrderId],
    ) -> Result<Vec<Arc<Shipment>>, Failure> {
        let mut ids = BTreeSet::new();
        // Of what this transaction adds nobody else knows yet.
        let kept = self.kept.as_ref().map(|kept| &kept.orders);
        let is_new = |id: &OrderId| {
            kept.and_then(|kept| kept.get(id))
                .is_some_and(Changed::is_new)
        };
        let known: Vec<OrderId> = orders.iter().copied().filter(|id| !is_new(id)).collect();
        for chunk in known.chunks(1_000) {
            let sql = format!(
                "SELECT DISTINCT shipment_id FROM shipment_order WHERE order_id IN {}",
                list(chunk.len(), 0)
            );
            let values = chunk.iter().map(|order| (*order).into()).collect();
            let rows: Vec<(i64,)> = self.stored_rows(&sql, values).await?;
            ids.extend(rows.into_iter().map(|row| ShipmentId(row.0)));
        }
        if let Some(kept) = &self.kept {
            let asked: BTreeSet<&OrderId> = orders.iter().collect();
            let changed = kept.shipments.values().map(|changed| &*changed.value);
            let theirs = changed.filter(|shipment| {
                let mut aboard = shipment.orders().into_iter();
                aboard.any(|order| asked.contains(&order))
            });
            ids.extend(theirs.map(|shipment| shipment.id));
        }
        self.shared_shipments(&ids.into_iter().collect::<Vec<_>>())
            .await
    }

    /// A planned shipment that `like` may join: same partner, world, warehouse, ship-to and first day.
    pub async fn open_shipment_like(
        &mut self,
        like: &Shipment,
    ) -> Result<Option<Shipment>, Failure> {
        self.write_changes().await?;
        // Whoever lets it leave meanwhile has it locked: it is looked at once more when he has ended.
        let lock = if self.is_sqlite() { "" } else { "FOR UPDATE" };
        let sql = format!(
            "SELECT id FROM shipment WHERE status = 'planned' AND partner_id = $1 AND mode = $2 AND warehouse_id = $3
             AND ship_to = $4 AND COALESCE(not_before, '') = $5 ORDER BY id LIMIT 1 {lock}"
        );
        let found: Option<(i64,)> = self
            .row(
                &sql,
                binds![
                    like.partner,
                    like.mode.word(),
                    like.warehouse,
                    ship_to_key(like),
                    like.not_before
                        .map_or_else(String::new, |date| date.to_string())
                ],
            )
            .await?;
        match found {
            Some((id,)) => self.shipment(ShipmentId(id)).await,
            None => Ok(None),
        }
    }

    /// Planned shipments of a warehouse, oldest first; for confirmation by file or person.
    pub async fn planned_shipments(
        &mut self,
        warehouse: WarehouseId,
        most: i64,
    ) -> Result<Vec<ShipmentId>, Failure> {
        self.write_changes().await?;
        let rows: Vec<(i64,)> = self
            .rows(
                "SELECT id FROM shipment WHERE status = 'planned' AND warehouse_id = $1 ORDER BY id LIMIT $2",
                binds![warehouse, most],
            )
            .await?;
        Ok(rows.into_iter().map(|row| ShipmentId(row.0)).collect())
    }

    /// Writes changed shipments, each with the revision it was read with.
    pub async fn save_shipments<S: Into<Arc<Shipment>>>(
        &mut self,
        shipments: Vec<(S, i64)>,
    ) -> Result<(), Failure> {
        let kept = self.kept()?;
        for (shipment, before) in shipments {
            let shipment: Arc<Shipment> = shipment.into();
            change(
                &mut kept.shipments,
                shipment.id,
                shipment,
                before,
                |shipment| shipment.revision,
            )
            .map_err(|()| Failure::stale(THIS))?;
        }
        Ok(())
    }

    /// Writes the shipments that this transaction has kept.
    pub(super) async fn write_shipments(&mut self) -> Result<(), Failure> {
        let kept = match &mut self.kept {
            Some(kept) if !kept.shipments.is_empty() => std::mem::take(&mut kept.shipments),
            _ => return Ok(()),
        };
        let (added, changed) = added_and_changed(&kept);
        self.insert_shipments(&added).await?;
        self.update_shipments(&changed).await
    }

    async fn update_shipments(&mut self, shipments: &[(&Shipment, i64)]) -> Result<(), Failure> {
        const UPDATE: &str =
            "UPDATE shipment SET status = v.column3, revision = v.column4, shipped_at = v.column5,
             body = v.column6
             FROM {rows} WHERE shipment.id = v.column1 AND shipment.revision = v.column2";
        let rows = shipments.iter().map(|(shipment, before)| {
            Ok(binds![
                shipment.id,
                *before,
                shipment.state.word(),
                shipment.revision,
                shipped_at(shipment),
                text(shipment)?
            ])
        });
        let rows: Result<Vec<_>, Failure> = rows.collect();
        self.change_every(UPDATE, vec![], rows?, THIS).await?;
        self.link(shipments.iter().map(|(shipment, _)| *shipment))
            .await
    }
}
