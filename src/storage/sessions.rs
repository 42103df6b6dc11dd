//! Sessions of people at the console. A token stands here as its SHA-256 only: who reads the table can sign in nowhere.

use super::connection::Connection;
use super::failure::Failure;
use super::journal::Subject;
use super::store::{Class, Store};
use crate::binds;
use crate::domain::clock::Instant;

row! {
    /// A session that holds, with the roles its user has now.
    #[derive(Debug, Clone)]
    pub(crate) struct SessionRow {
        /// Who.
        pub name: String,
        /// The token that each of its forms carries.
        pub csrf: String,
        /// The user's roles, as `user add` wrote them.
        pub roles: String,
    }
}

impl Connection {
    /// The session of a token, where it holds at `now` and its user is still active.
    pub(crate) async fn session(
        &mut self,
        token_hash: &str,
        now: Instant,
    ) -> Result<Option<SessionRow>, Failure> {
        self.row(
            "SELECT s.name, s.csrf, u.roles FROM console_session s JOIN console_user u ON u.name = s.name
             WHERE s.token_hash = $1 AND s.expires_at > $2 AND u.active = 1",
            binds![token_hash, now],
        )
        .await
    }
}

/// Opens a session, and sweeps away those that have ended.
pub(crate) async fn open(
    store: &Store,
    token_hash: String,
    name: String,
    csrf: String,
    now: Instant,
    expires_at: Instant,
) -> Result<(), Failure> {
    store
        .write(Class::Ordinary, move |connection| {
            let values = binds![&token_hash, &name, &csrf, expires_at];
            let who = name.clone();
            Box::pin(async move {
                connection
                    .execute(
                        "DELETE FROM console_session WHERE expires_at <= $1",
                        binds![now],
                    )
                    .await?;
                connection
                    .execute(
                        "INSERT INTO console_session (token_hash, name, csrf, expires_at) VALUES ($1, $2, $3, $4)",
                        values,
                    )
                    .await?;
                connection
                    .record(now, &who, "signed-in", Subject::new("user", 0), "at the console")
                    .await
            })
        })
        .await
}

/// Ends a session.
pub(crate) async fn close(store: &Store, token_hash: String) -> Result<(), Failure> {
    store
        .write(Class::Ordinary, move |connection| {
            let values = binds![&token_hash];
            Box::pin(async move {
                connection
                    .execute("DELETE FROM console_session WHERE token_hash = $1", values)
                    .await?;
                Ok(())
            })
        })
        .await
}

/// The password of an active user, as its hash.
pub(crate) async fn password_of(
    connection: &mut Connection,
    name: &str,
) -> Result<Option<String>, Failure> {
    Ok(connection
        .row::<(String,)>(
            "SELECT password FROM console_user WHERE name = $1 AND active = 1",
            binds![name],
        )
        .await?
        .map(|row| row.0))
}

/// Whether nobody has been given a login yet.
pub(crate) async fn is_house_empty(connection: &mut Connection) -> Result<bool, Failure> {
    Ok(connection
        .number("SELECT COUNT(*) FROM console_user", binds![])
        .await?
        == 0)
}
