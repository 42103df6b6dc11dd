//! Shipments with their cartons, in the shape that a confirmation takes too.

use chrono::NaiveDate;
use serde::Serialize;

use super::{Conditions, Page, decimal, from_body, instant, maybe_instant};
use crate::binds;
use crate::domain::clock::Instant;
use crate::domain::ids::{OrderId, PartnerId, ShipmentId};
use crate::domain::order::{Mode, Party};
use crate::domain::shipment::{Carton, Shipment};
use crate::storage::connection::{Bind, Connection};
use crate::storage::console::are_few;
use crate::storage::failure::Failure;

/// Which shipments.
#[derive(Debug, Clone, Default)]
pub struct ShipmentFilter {
    /// For this partner.
    pub partner: Option<PartnerId>,
    /// `planned`, `shipped` or `cancelled`.
    pub status: Option<String>,
    /// Production or test.
    pub mode: Option<Mode>,
    /// Out of the warehouse with this code.
    pub warehouse: Option<String>,
    /// With goods of this order.
    pub order: Option<OrderId>,
    /// This one.
    pub shipment: Option<ShipmentId>,
    /// Which part of them, newest first; the cursor is the shipment's number.
    pub page: Page,
}

/// A shipment in a listing.
#[derive(Debug, Clone, Serialize)]
pub struct ShipmentListing {
    /// Its number.
    pub shipment: String,
    /// Numbers of the orders on it.
    pub orders: Vec<String>,
    /// Code of the partner.
    pub partner: String,
    /// `production` or `test`.
    pub mode: String,
    /// Code of the warehouse.
    pub warehouse: String,
    /// `planned`, `shipped` or `cancelled`.
    pub status: String,
    /// Its cartons.
    pub cartons: Vec<CartonListing>,
    /// SCAC, empty until known.
    pub carrier: String,
    /// The carrier's number, empty until known.
    pub tracking: String,
    /// Bill of lading number, empty until known.
    pub bill_of_lading: String,
    /// Where it goes.
    pub ship_to: Party,
    /// May not leave before.
    pub not_before: Option<NaiveDate>,
    /// May not leave after.
    pub not_after: Option<NaiveDate>,
    /// Expected to arrive.
    pub expected_delivery: Option<NaiveDate>,
    /// When it was planned.
    pub created_at: Instant,
    /// When it left.
    pub shipped_at: Option<Instant>,
    /// Why it left outside its window, where it did.
    pub window_override: Option<String>,
}

/// A carton in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CartonListing {
    /// SSCC-18, empty until the carton is closed.
    pub sscc: String,
    /// The store it is marked for, empty where there is none.
    pub store: String,
    /// What is in it.
    pub contents: Vec<ContentListing>,
    /// Grams, 0 where not known.
    pub grams: i64,
    /// The carrier's number of this package, empty where there is none.
    pub tracking: String,
    /// SSCC-18 of the pallet that it stands on, empty where it stands on none.
    pub pallet: String,
}

/// What a carton holds of one order line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContentListing {
    /// Number of the order.
    pub order: String,
    /// The buyer's PO number.
    pub po_number: String,
    /// Our line number in the order.
    pub line: u32,
    /// Our item code.
    pub item: String,
    /// In `unit`.
    pub quantity: String,
    /// The line's unit.
    pub unit: String,
}

impl From<&Carton> for CartonListing {
    fn from(carton: &Carton) -> Self {
        let contents = carton.contents.iter().map(|content| ContentListing {
            order: content.order.to_string(),
            po_number: content.po_number.clone(),
            line: content.line,
            item: content.item.clone(),
            quantity: decimal(content.quantity),
            unit: content.unit.clone(),
        });
        Self {
            sscc: carton.sscc.to_string(),
            store: carton.store.to_string(),
            contents: contents.collect(),
            grams: carton.grams,
            tracking: carton.tracking.to_string(),
            pallet: carton.pallet.to_string(),
        }
    }
}

row! {
    struct Row {
        id: i64,
        partner: String,
        created_at: i64,
        shipped_at: Option<i64>,
        body: String,
    }
}

const SELECT: &str = "SELECT s.id, p.code AS partner, s.created_at, s.shipped_at, s.body
    FROM shipment s LEFT JOIN partner p ON p.id = s.partner_id";

fn listing(row: Row) -> Result<ShipmentListing, Failure> {
    let shipment: Shipment = from_body("shipment", row.id, &row.body)?;
    let orders = shipment.orders();
    Ok(ShipmentListing {
        shipment: shipment.id.to_string(),
        orders: orders.iter().map(ToString::to_string).collect(),
        partner: row.partner,
        mode: shipment.mode.word().to_owned(),
        status: shipment.state.word().to_owned(),
        cartons: shipment.cartons.iter().map(CartonListing::from).collect(),
        warehouse: shipment.warehouse_code,
        carrier: shipment.carrier,
        tracking: shipment.tracking,
        bill_of_lading: shipment.bill_of_lading,
        ship_to: shipment.ship_to,
        not_before: shipment.not_before,
        not_after: shipment.not_after,
        expected_delivery: shipment.expected_delivery,
        created_at: instant("shipment", row.created_at)?,
        shipped_at: maybe_instant("shipment", row.shipped_at)?,
        window_override: shipment.window_override,
    })
}

/// Shipments, newest first.
pub async fn shipments(
    connection: &mut Connection,
    filter: &ShipmentFilter,
) -> Result<Vec<ShipmentListing>, Failure> {
    let mut conditions = Conditions::new();
    conditions.and_some("s.id = ?", filter.shipment);
    conditions.and_some("s.mode = ?", filter.mode.map(|mode| mode.word().to_owned()));
    by_what_is_rare(connection, &mut conditions, filter).await?;
    conditions.and_some(
        "s.id IN (SELECT l.shipment_id FROM shipment_order l WHERE l.order_id = ?)",
        filter.order,
    );
    let (sql, binds) = conditions.newest_first(SELECT, "s.id", filter.page);
    let rows: Vec<Row> = connection.rows(&sql, binds).await?;
    rows.into_iter().map(listing).collect()
}

/// By the state, the warehouse or the partner, where it has few shipments. Where all have many, the newest are gone
/// through, which SQLite has to be told: it would put those of one in order.
async fn by_what_is_rare(
    connection: &mut Connection,
    conditions: &mut Conditions,
    filter: &ShipmentFilter,
) -> Result<(), Failure> {
    let warehouse = match &filter.warehouse {
        Some(code) => Some(
            connection
                .number("SELECT id FROM warehouse WHERE code = $1", binds![code])
                .await?,
        ),
        None => None,
    };
    let asked: [(&str, Option<Bind>); 3] = [
        ("status", filter.status.as_ref().map(Bind::from)),
        ("warehouse_id", warehouse.map(Bind::from)),
        ("partner_id", filter.partner.map(Bind::from)),
    ];
    let mut is_narrow = filter.shipment.is_some() || filter.order.is_some();
    for (column, value) in asked {
        let Some(value) = value else { continue };
        let few = !is_narrow
            && are_few(
                connection,
                &format!("shipment WHERE {column} = $1"),
                vec![value.clone()],
            )
            .await?;
        is_narrow |= few;
        let plus = match connection.is_sqlite() && !few {
            true => "+",
            false => "",
        };
        conditions.and(&format!("{plus}s.{column} = ?"), value);
    }
    Ok(())
}

/// One shipment.
pub async fn shipment(
    connection: &mut Connection,
    id: ShipmentId,
) -> Result<Option<ShipmentListing>, Failure> {
    let filter = ShipmentFilter {
        shipment: Some(id),
        ..ShipmentFilter::default()
    };
    Ok(shipments(connection, &filter).await?.into_iter().next())
}
