//! Users of the console.

use serde::Serialize;

use super::instant;
use crate::binds;
use crate::domain::clock::Instant;
use crate::storage::connection::Connection;
use crate::storage::failure::Failure;

/// A user in a listing; the password's hash is never shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserListing {
    /// Name to log in with.
    pub user: String,
    /// `ops`, `ar`, `admin`.
    pub roles: Vec<String>,
    /// Whether the user may log in.
    pub active: bool,
    /// Since when.
    pub created_at: Instant,
}

/// All users by name.
pub async fn users(connection: &mut Connection) -> Result<Vec<UserListing>, Failure> {
    let rows: Vec<(String, String, i64, i64)> = connection
        .rows(
            "SELECT name, roles, active, created_at FROM console_user ORDER BY name",
            binds![],
        )
        .await?;
    rows.into_iter()
        .map(|(user, roles, active, at)| {
            Ok(UserListing {
                user,
                roles: roles.split_whitespace().map(str::to_owned).collect(),
                active: active != 0,
                created_at: instant("console_user", at)?,
            })
        })
        .collect()
}
