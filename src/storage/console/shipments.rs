//! Shipments as lists show them, and one whole.

use super::{Conditions, Counts, PAGE, WHOLE, aggregate, counted};
use crate::binds;
use crate::domain::shipment::Shipment;
use crate::storage::{Connection, Failure};

row! {
    /// A shipment in a list.
    #[derive(Debug, Clone)]
    pub(crate) struct ShipmentItem {
        pub id: i64,
        pub partner_id: i64,
        pub partner_name: String,
        pub mode: String,
        pub warehouse: String,
        pub status: String,
        pub created_at: i64,
        pub shipped_at: Option<i64>,
        /// The whole shipment.
        pub body: String,
    }
}

impl ShipmentItem {
    /// The shipment itself.
    pub(crate) fn shipment(&self) -> Result<Shipment, Failure> {
        aggregate("shipment", self.id, &self.body)
    }
}

const SHIPMENT: &str = "SELECT s.id, s.partner_id, p.name AS partner_name, s.mode,
    w.code AS warehouse, s.status, s.created_at, s.shipped_at, s.body
    FROM shipment s LEFT JOIN partner p ON p.id = s.partner_id LEFT JOIN warehouse w ON w.id = s.warehouse_id";

/// A page of shipments.
pub(crate) async fn list(
    connection: &mut Connection,
    status: Option<&String>,
    partner: Option<i64>,
    before: Option<i64>,
) -> Result<Vec<ShipmentItem>, Failure> {
    let mut conditions = Conditions::default();
    conditions
        .and_some("s.status = ?", status)
        .and_some("s.partner_id = ?", partner.as_ref())
        .and_some("s.id < ?", before.as_ref());
    let sql = format!(
        "{SHIPMENT}{} ORDER BY s.id DESC LIMIT {}",
        conditions.sql(),
        PAGE + 1
    );
    connection.rows(&sql, conditions.binds()).await
}

/// How many shipments there are in each of these states.
pub(crate) async fn counts(
    connection: &mut Connection,
    states: &[&'static str],
) -> Result<Counts, Failure> {
    let of = |state: &&'static str| (*state, format!("shipment WHERE status = '{state}'"));
    let from: Vec<(&str, String)> = states.iter().map(of).collect();
    Ok(Some(counted(connection, &from, binds![]).await?))
}

/// One shipment.
pub(crate) async fn one(
    connection: &mut Connection,
    id: i64,
) -> Result<Option<ShipmentItem>, Failure> {
    connection
        .row(&format!("{SHIPMENT} WHERE s.id = $1"), binds![id])
        .await
}

/// The shipments that carry goods of an order, oldest first.
pub(crate) async fn of_order(
    connection: &mut Connection,
    order: i64,
) -> Result<Vec<ShipmentItem>, Failure> {
    let sql = format!(
        "{SHIPMENT} WHERE s.id IN (SELECT shipment_id FROM shipment_order WHERE order_id = $1) ORDER BY s.id LIMIT {WHOLE}"
    );
    connection.rows(&sql, binds![order]).await
}

/// Shipments by number, oldest first; those that are not there are left out.
pub(crate) async fn of_numbers(
    connection: &mut Connection,
    numbers: &[i64],
) -> Result<Vec<ShipmentItem>, Failure> {
    let numbers = numbers.get(..numbers.len().min(500)).unwrap_or_default();
    let sql = format!(
        "{SHIPMENT} WHERE s.id IN {} ORDER BY s.id",
        crate::storage::connection::list(numbers.len(), 0)
    );
    connection
        .rows(&sql, numbers.iter().map(|id| (*id).into()).collect())
        .await
}

/// Planned shipments that a person may send off: those of warehouses that a person confirms.
pub(crate) async fn planned(
    connection: &mut Connection,
    most: i64,
) -> Result<Vec<ShipmentItem>, Failure> {
    let sql = format!("{SHIPMENT} WHERE s.status = 'planned' ORDER BY s.id LIMIT $1");
    connection.rows(&sql, binds![most]).await
}

/// How a warehouse confirms shipments and in which zone it stands: its body as JSON, by shipment.
pub(crate) async fn warehouse_of(
    connection: &mut Connection,
    shipment: i64,
) -> Result<Option<crate::domain::catalogue::Warehouse>, Failure> {
    connection
        .row::<(i64, String)>(
            "SELECT w.id, w.body FROM warehouse w JOIN shipment s ON s.warehouse_id = w.id WHERE s.id = $1",
            binds![shipment],
        )
        .await?
        .map(|(id, body)| aggregate("warehouse", id, &body))
        .transpose()
}
