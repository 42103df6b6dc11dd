//! Seal: covers what was written for ever since the last seal, batch by batch, each chained to the one before. One node
//! seals at a time; `prove` compares the seals with what is kept.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Gateway;
use crate::domain::clock::Instant;
use crate::storage::seals::{BEGINNING, Covered, ROWS_MAX, SEALED, Seal, SealedPart, Stretch};
use crate::storage::work::Lease;
use crate::storage::{Class, Failure};
use crate::waypoint::{self, BEFORE_COMMIT, BEGUN, COMMITTED};

/// Looks at the transactions that still write, before the sealing is left to the next round.
const LOOKS: u32 = 40;
/// Between two of those.
const PAUSE: Duration = Duration::from_millis(50);

/// What became of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealing {
    /// So many rows were sealed; 0: nothing was new.
    Done(u64),
    /// Another node seals.
    Elsewhere,
    /// Transactions that may have taken numbers before this round still write; the next round comes to it.
    Waiting,
}

/// Seals what was written and committed before this call. Killed anywhere, the next round goes on behind the last seal
/// that was committed.
pub async fn seal(gateway: &Gateway) -> Result<Sealing, Failure> {
    let (reach, taken) = stand(gateway).await?;
    // A look before the claim: where nothing is new, nothing is written.
    if !any_beyond(&reach, &taken) {
        return Ok(Sealing::Done(0));
    }
    let now = gateway.now();
    let until = now + chrono::Duration::seconds(gateway.settings.work.lease_seconds.into());
    let claimed = gateway
        .store
        .write(Class::Ordinary, move |connection| {
            Box::pin(async move { connection.claim_sealing(now, until).await })
        })
        .await?;
    let Some(lease) = claimed else {
        return Ok(Sealing::Elsewhere);
    };
    waypoint::pass("seal", BEGUN);
    let result = seal_with(gateway, lease, until).await;
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            Box::pin(async move { connection.release_lanes(&[lease]).await })
        })
        .await?;
    match result {
        Err(Failure::LeaseLost) => Ok(Sealing::Elsewhere),
        other => other,
    }
}

type Numbers = BTreeMap<String, i64>;

/// How far each table is sealed, and how far its numbers have been taken.
async fn stand(gateway: &Gateway) -> Result<(Numbers, Numbers), Failure> {
    let mut connection = gateway.store.read().await?;
    let taken = connection.numbers_taken().await?;
    let reach = match connection.last_seal().await? {
        Some(last) => covered(&last)?.reach,
        None => Numbers::new(),
    };
    Ok((reach, taken))
}

fn any_beyond(reach: &Numbers, taken: &Numbers) -> bool {
    taken
        .iter()
        .any(|(table, number)| *number > reach.get(table).copied().unwrap_or_default())
}

/// What a seal says that it covers.
pub fn covered(seal: &Seal) -> Result<Covered, Failure> {
    serde_json::from_str(&seal.body).map_err(|error| Failure::Corrupt {
        table: "seal",
        key: seal.number.to_string(),
        why: error.to_string(),
    })
}

async fn seal_with(gateway: &Gateway, lease: Lease, until: Instant) -> Result<Sealing, Failure> {
    let Some(taken) = settled_numbers(gateway).await? else {
        return Ok(Sealing::Waiting);
    };
    let mut sealed = 0;
    while let Some((seal, rows)) = next(gateway, &taken).await? {
        add(gateway, lease, seal).await?;
        sealed += rows;
        // What is left at the end of the lease is for the next round, here or elsewhere.
        if gateway.now() >= until {
            break;
        }
    }
    Ok(Sealing::Done(sealed))
}

/// How far numbers have been taken by transactions that all have ended; `None` where some still write.
async fn settled_numbers(gateway: &Gateway) -> Result<Option<Numbers>, Failure> {
    let (taken, horizon) = {
        let mut connection = gateway.store.read().await?;
        let taken = connection.numbers_taken().await?;
        (taken, connection.horizon().await?)
    };
    let Some(horizon) = horizon else {
        return Ok(Some(taken));
    };
    for _ in 0..LOOKS {
        if gateway.store.read().await?.oldest_open().await? > horizon {
            return Ok(Some(taken));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(None)
}

/// The seal behind the last one, and how many rows it covers; `None` where no row is left up to `taken`.
async fn next(gateway: &Gateway, taken: &Numbers) -> Result<Option<(Seal, u64)>, Failure> {
    let mut connection = gateway.store.read().await?;
    let last = connection.last_seal().await?;
    let mut reach = match &last {
        Some(last) => covered(last)?.reach,
        None => Numbers::new(),
    };
    let mut parts = Vec::new();
    for table in SEALED {
        let after = reach.get(table.name).copied().unwrap_or_default();
        let bound = taken.get(table.name).copied().unwrap_or_default();
        if bound <= after {
            continue;
        }
        let Stretch { last, rows, sha256 } = connection.stretch(table, after, bound, 0).await?;
        let to = last.filter(|_| rows >= ROWS_MAX).unwrap_or(bound);
        if rows > 0 {
            parts.push(SealedPart {
                table: table.name.to_owned(),
                after,
                to,
                rows,
                sha256,
            });
        }
        reach.insert(table.name.to_owned(), to);
    }
    if parts.is_empty() {
        return Ok(None);
    }
    let rows = parts.iter().map(|part| part.rows.unsigned_abs()).sum();
    let mut seal = Seal {
        number: last.as_ref().map_or(0, |last| last.number) + 1,
        at: gateway.now().timestamp_micros(),
        previous: last.map_or_else(|| BEGINNING.to_owned(), |last| last.hash),
        hash: String::new(),
        body: serde_json::to_string(&Covered { parts, reach }).unwrap_or_default(),
    };
    seal.hash = seal.reckoned();
    Ok(Some((seal, rows)))
}

async fn add(gateway: &Gateway, lease: Lease, seal: Seal) -> Result<(), Failure> {
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let seal = seal.clone();
            Box::pin(async move {
                connection.check_fences(&[lease]).await?;
                connection.add_seal(&seal).await?;
                waypoint::pass("seal", BEFORE_COMMIT);
                Ok(())
            })
        })
        .await?;
    waypoint::pass("seal", COMMITTED);
    Ok(())
}
