//! Places of the partners: stores, distribution centres.

use serde::Serialize;

use super::{Conditions, Page, from_body};
use crate::domain::catalogue::Location;
use crate::domain::ids::PartnerId;
use crate::storage::connection::Connection;
use crate::storage::failure::Failure;

/// A location in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LocationListing {
    /// Code of the partner.
    pub partner: String,
    /// The partner's number of it.
    pub number: String,
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
    /// Country, empty: the partner's own.
    pub country: String,
}

/// Locations in order of partner and number; `offset` of the page goes on.
pub async fn locations(
    connection: &mut Connection,
    partner: Option<PartnerId>,
    page: Page,
) -> Result<Vec<LocationListing>, Failure> {
    let mut conditions = Conditions::new();
    conditions.and_some("l.partner_id = ?", partner);
    let (sql, binds) = conditions.ordered(
        "SELECT l.partner_id, p.code, l.body FROM location l JOIN partner p ON p.id = l.partner_id",
        "p.code, l.number",
        page,
    );
    let rows: Vec<(i64, String, String)> = connection.rows(&sql, binds).await?;
    rows.into_iter()
        .map(|(id, partner, body)| {
            let location: Location = from_body("location", id, &body)?;
            Ok(LocationListing {
                partner,
                number: location.number,
                name: location.name,
                street: location.street,
                city: location.city,
                state: location.state,
                zip: location.postal_code,
                country: location.country,
            })
        })
        .collect()
}
