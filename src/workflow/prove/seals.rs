//! The seals: the chain from one to the next, and of every range that was sealed, that it holds the rows that it held.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Prover;
use crate::domain::clock::Instant;
use crate::storage::seals::{BEGINNING, Covered, Seal, SealedPart, SealedTable, Stretch};
use crate::storage::{Connection, Failure};
use crate::workflow::seal::covered;

/// The end of the chain at some time. Kept elsewhere, it shows when the end of the chain is cut off or made anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Number of the seal; seals are numbered from 1.
    pub seal: i64,
    /// When it was made.
    pub sealed_at: Instant,
    /// Its SHA-256, 64 hexadecimal digits; every seal before it is in that.
    pub hash: String,
}

impl Head {
    fn of(seal: &Seal) -> Self {
        Self {
            seal: seal.number,
            sealed_at: Instant::from_timestamp_micros(seal.at).unwrap_or_default(),
            hash: seal.hash.clone(),
        }
    }
}

/// A range as it was sealed, and what stands there now; `None`: the table is unknown, or a row can not be read.
type Compared = (SealedPart, Option<Stretch>);

/// A seal with what it covers, or the end of the seals with how many were made.
enum Slice {
    Seal(Box<(Seal, Option<Covered>, Vec<Compared>)>),
    End(i64),
}

/// The last number of each table that is sealed.
type Reach = BTreeMap<String, i64>;

/// Every seal in order, what it covers, and the heads that were kept elsewhere.
pub(super) async fn seals(prover: &mut Prover<'_>, heads: &[Head]) -> Result<(), Failure> {
    prover.begin(
        "seals",
        "every row that was sealed is there and as it was, and no row came between; each seal bears the hash of the one before; the end of the chain is there",
    );
    let (mut reach, mut last): (Reach, Option<Seal>) = (Reach::new(), None);
    loop {
        let (after, from) = (last.as_ref().map_or(0, |last| last.number), reach.clone());
        let slice = prover
            .history
            .slice(move |connection| {
                Box::pin(async move {
                    let Some(seal) = connection.seals(after, 1).await?.pop() else {
                        return Ok(Slice::End(connection.seals_made().await?));
                    };
                    let Ok(covered) = covered(&seal) else {
                        return Ok(Slice::Seal(Box::new((seal, None, Vec::new()))));
                    };
                    // Behind a gap nothing is known of what was sealed before.
                    let from = Some(&from).filter(|_| seal.number == after + 1);
                    let compared = compare(connection, &covered, from).await?;
                    Ok(Slice::Seal(Box::new((seal, Some(covered), compared))))
                })
            })
            .await?;
        match slice {
            Slice::Seal(slice) => {
                let (seal, covered, compared) = *slice;
                chained(prover, last.as_ref(), &seal);
                for head in heads.iter().filter(|head| head.seal == seal.number) {
                    if head.hash != seal.hash {
                        prover.fault(
                            place(&seal),
                            format!(
                                "its hash is {} and the head that was kept elsewhere says {}: the chain was made anew",
                                seal.hash, head.hash
                            ),
                        );
                    }
                }
                prover.proof.totals.seals += 1;
                match covered {
                    Some(covered) => {
                        for (part, found) in &compared {
                            judge(prover, &seal, part, found.as_ref());
                        }
                        reach = covered.reach;
                    }
                    None => prover.fault(place(&seal), "what it covers can not be read"),
                }
                last = Some(seal);
            }
            Slice::End(made) => {
                end(prover, last.as_ref(), made, heads);
                prover.proof.head = last.as_ref().map(Head::of);
                return Ok(());
            }
        }
    }
}

fn place(seal: &Seal) -> String {
    format!("seal {}", seal.number)
}

/// Every range between the seals before and this one, with what stands in it now.
async fn compare(
    connection: &mut Connection,
    covered: &Covered,
    before: Option<&Reach>,
) -> Result<Vec<Compared>, Failure> {
    let mut compared = Vec::new();
    for part in ranges(covered, before) {
        let found = match SealedTable::named(&part.table) {
            None => None,
            Some(table) => {
                // Before the first number there is nothing either.
                let after = if part.after == 0 {
                    i64::MIN
                } else {
                    part.after
                };
                match connection.stretch(table, after, part.to, 1).await {
                    Ok(found) => Some(found),
                    Err(Failure::Database { source, .. }) if source.is_of_a_value() => None,
                    Err(failure) => return Err(failure),
                }
            }
        };
        compared.push((part, found));
    }
    Ok(compared)
}

/// What a seal says of each table: its part, or that there is no row up to where it reaches. A part that does not begin
/// where the seals before ended is stretched to there, so that what stands between shows.
fn ranges(covered: &Covered, before: Option<&Reach>) -> Vec<SealedPart> {
    let mut parts = covered.parts.clone();
    let Some(before) = before else {
        return parts;
    };
    for (table, to) in &covered.reach {
        let after = before.get(table).copied().unwrap_or_default();
        match parts.iter_mut().find(|part| part.table == *table) {
            Some(part) => part.after = part.after.min(after),
            None if *to > after => parts.push(SealedPart {
                table: table.clone(),
                after,
                to: *to,
                rows: 0,
                sha256: String::new(),
            }),
            None => {}
        }
    }
    parts
}

fn chained(prover: &mut Prover<'_>, last: Option<&Seal>, seal: &Seal) {
    let expected = last.map_or(0, |last| last.number) + 1;
    if seal.number != expected {
        prover.fault(
            format!("seal {expected}"),
            format!("it is not there; the next one is {}", seal.number),
        );
    } else if last.map_or(BEGINNING, |last| &last.hash) != seal.previous {
        prover.fault(
            place(seal),
            format!(
                "it was made behind a seal with the hash {}, and the one before it has {}",
                seal.previous,
                last.map_or(BEGINNING, |last| &last.hash)
            ),
        );
    }
    if seal.reckoned() != seal.hash {
        prover.fault(
            place(seal),
            format!(
                "its hash is {} and what it says comes to {}: it was changed",
                seal.hash,
                seal.reckoned()
            ),
        );
    }
}

fn judge(prover: &mut Prover<'_>, seal: &Seal, part: &SealedPart, found: Option<&Stretch>) {
    prover.checked(usize::try_from(part.rows).unwrap_or_default());
    prover.proof.totals.sealed_rows += part.rows.unsigned_abs();
    let at = Instant::from_timestamp_micros(seal.at).unwrap_or_default();
    let range = format!(
        "table {}, rows {} to {} (seal {} of {})",
        part.table,
        part.after.saturating_add(1),
        part.to,
        seal.number,
        at.format("%Y-%m-%d %H:%M:%S UTC")
    );
    let sealed = part.rows;
    match found {
        None if SealedTable::named(&part.table).is_none() => prover.fault(
            range,
            "this version knows no such table: prove with the version that sealed it",
        ),
        None => prover.fault(range, "a row in it can not be read: it was changed"),
        Some(found) if found.rows < sealed => prover.fault(
            range,
            format!("{sealed} were sealed and {} are there: rows are gone", found.rows),
        ),
        Some(found) if found.rows > sealed => prover.fault(
            range,
            format!("{sealed} were sealed and more are there: rows came between"),
        ),
        Some(found) if sealed > 0 && found.sha256 != part.sha256 => prover.fault(
            range,
            "as many are there as were sealed, and they are not as they were: one was changed, or one is another's",
        ),
        Some(_) => {}
    }
}

fn end(prover: &mut Prover<'_>, last: Option<&Seal>, made: i64, heads: &[Head]) {
    let there = last.map_or(0, |last| last.number);
    if made != there {
        prover.fault(
            format!("seal {}", there + 1),
            format!("{made} seals were made and the last one that is there is {there}: the end of the chain is gone, or its counter"),
        );
    }
    for head in heads.iter().filter(|head| head.seal > there) {
        prover.fault(
            format!("seal {}", head.seal),
            format!(
                "it was the end of the chain on {} and is not there: the chain ends at {there}, and what came after is cut off",
                head.sealed_at.format("%Y-%m-%d %H:%M:%S UTC")
            ),
        );
    }
}
