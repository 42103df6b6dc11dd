//! Our warehouses.

use serde::Serialize;

use crate::domain::catalogue::Warehouse;
use crate::domain::ids::CompanyId;
use crate::storage::catalogue;
use crate::storage::connection::Connection;
use crate::storage::failure::Failure;

/// A warehouse in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WarehouseListing {
    /// Our code.
    pub warehouse: String,
    /// Name.
    pub name: String,
    /// Street.
    pub street: String,
    /// City.
    pub city: String,
    /// State or province.
    pub state: String,
    /// Postal code.
    pub zip: String,
    /// Country, empty: the company's.
    pub country: String,
    /// Time zone by its IANA name.
    pub zone: String,
    /// How shipments are confirmed: `person`, `file` or `at_once`.
    pub fulfilment: String,
    /// SCAC used where nothing else names a carrier, empty where there is none.
    pub carrier: String,
}

impl From<Warehouse> for WarehouseListing {
    fn from(warehouse: Warehouse) -> Self {
        Self {
            warehouse: warehouse.code,
            name: warehouse.name,
            street: warehouse.street,
            city: warehouse.city,
            state: warehouse.state,
            zip: warehouse.postal_code,
            country: warehouse.country,
            zone: warehouse.zone,
            fulfilment: warehouse.fulfilment.word().to_owned(),
            carrier: warehouse.carrier,
        }
    }
}

/// All warehouses in order of code.
pub async fn warehouses(
    connection: &mut Connection,
    company: CompanyId,
) -> Result<Vec<WarehouseListing>, Failure> {
    Ok(catalogue::warehouses(connection, company)
        .await?
        .iter()
        .cloned()
        .map(WarehouseListing::from)
        .collect())
}
