//! How one gateway tells others over the same PostgreSQL database that there is work: a notification beside the rows. It
//! is a hint and nothing more. Work is found in the database; who missed a hint finds it at the next look.

use std::convert::Infallible;

use sqlx::PgPool;
use sqlx::postgres::PgListener;

use super::failure::Failure;

/// The channel of notifications; a channel belongs to one database.
const CHANNEL: &str = "supercargo_work";

fn failed(doing: &str) -> impl FnOnce(sqlx::Error) -> Failure + '_ {
    move |source| Failure::Database {
        doing: doing.to_owned(),
        source: source.into(),
    }
}

/// Tells everybody who listens. In a transaction of its own, for those that notify commit one after the other: the hot
/// path must not stand in that queue. It writes no row, so nothing waits for the disk.
pub(super) async fn announce(pool: &PgPool, from: &str) -> Result<(), Failure> {
    sqlx::query("SELECT pg_notify($1, $2)")
        .bind(CHANNEL)
        .bind(from)
        .execute(pool)
        .await
        .map(|_| ())
        .map_err(failed("announcing work"))
}

/// Calls `hear` for every announcement of others, and once whenever some may have been missed. Ends only by a failure.
/// It takes a connection of its own, beside those of the pool.
pub(super) async fn listen(
    url: &str,
    own: &str,
    hear: &(dyn Fn() + Sync),
) -> Result<Infallible, Failure> {
    let mut listener = PgListener::connect(url)
        .await
        .map_err(failed("opening a connection to hear of work"))?;
    listener
        .listen(CHANNEL)
        .await
        .map_err(failed("listening for work"))?;
    hear();
    loop {
        let heard = listener
            .try_recv()
            .await
            .map_err(failed("hearing of work"))?;
        if heard.is_none_or(|announcement| announcement.payload() != own) {
            hear();
        }
    }
}
