//! Prove: reads the whole history and says what does not agree with what. It changes nothing.
//!
//! Everything is read in slices and in order of number; whatever is compared is read in one slice, so that a proof runs
//! beside a running gateway without a false alarm.

mod money;
mod orders;
mod partners;
mod received;
mod seals;
mod sent;
mod stock;
mod wire;

pub use seals::Head;
use serde::Serialize;

use super::Gateway;
use crate::storage::Failure;
use crate::storage::proof::History;

/// Faults that are kept with their sentences; beyond, they are counted.
const FAULTS_KEPT: usize = 1_000;

/// One thing that does not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Which check found it.
    pub check: &'static str,
    /// Where: `file 12`, `invoice 7`, `ledger posting payment:3/apply`.
    pub place: String,
    /// What is wrong, in a sentence.
    pub message: String,
}

/// What one check came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What it holds true.
    pub claim: &'static str,
    /// What it looked at: rows, or sums.
    pub checked: u64,
    /// What did not agree.
    pub faults: u64,
}

/// Received files, interchanges or sets, by how they ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Dispositions {
    /// All.
    pub received: u64,
    /// Acted upon.
    pub processed: u64,
    /// With a person.
    pub held: u64,
    /// Refused.
    pub rejected: u64,
    /// Seen before.
    pub duplicate: u64,
    /// In work at this moment.
    pub in_work: u64,
}

impl Dispositions {
    fn count(&mut self, word: &str) -> bool {
        self.received += 1;
        let counter = match word {
            "processed" => &mut self.processed,
            "held" => &mut self.held,
            "rejected" => &mut self.rejected,
            "duplicate" => &mut self.duplicate,
            "received" => &mut self.in_work,
            _ => return false,
        };
        *counter += 1;
        true
    }
}

/// What a proof counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Files received.
    pub files: Dispositions,
    /// Interchanges in them.
    pub interchanges: Dispositions,
    /// Transaction sets in those, and files that held none.
    pub documents_received: Dispositions,
    /// Documents made for partners.
    pub documents_sent: u64,
    /// Files to partners.
    pub transmissions: u64,
    /// Bytes whose SHA-256 was computed again.
    pub bytes: u64,
    /// Orders.
    pub orders: u64,
    /// Shipments.
    pub shipments: u64,
    /// Invoices.
    pub invoices: u64,
    /// Payments.
    pub payments: u64,
    /// Ledger entries.
    pub ledger_entries: u64,
    /// Postings of stock.
    pub stock_postings: u64,
    /// Seals.
    pub seals: u64,
    /// Rows under them.
    pub sealed_rows: u64,
}

/// What a proof came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Whether everything agrees.
    pub sound: bool,
    /// The checks, in the order they ran.
    pub checks: Vec<Check>,
    /// What was counted.
    pub totals: Totals,
    /// The last seal; none: nothing is sealed yet.
    pub head: Option<Head>,
    /// What does not agree; at most 1,000 are kept.
    pub faults: Vec<Fault>,
}

/// A proof on its way.
struct Prover<'a> {
    history: History,
    proof: Proof,
    progress: &'a mut (dyn FnMut(&Check) + Send),
}

impl Prover<'_> {
    fn begin(&mut self, name: &'static str, claim: &'static str) {
        self.proof.checks.push(Check {
            name,
            claim,
            checked: 0,
            faults: 0,
        });
    }

    /// Notes that `n` more were looked at.
    fn checked(&mut self, n: usize) {
        if let Some(check) = self.proof.checks.last_mut() {
            check.checked += n as u64;
            (self.progress)(check);
        }
    }

    fn fault(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.proof.sound = false;
        let Some(check) = self.proof.checks.last_mut() else {
            return;
        };
        check.faults += 1;
        if self.proof.faults.len() < FAULTS_KEPT {
            self.proof.faults.push(Fault {
                check: check.name,
                place: place.into(),
                message: message.into(),
            });
        }
    }

    async fn checks(&mut self, heads: &[Head]) -> Result<(), Failure> {
        seals::seals(self, heads).await?;
        let whole = received::files(self).await?;
        received::documents(self, whole).await?;
        sent::files(self).await?;
        orders::orders(self).await?;
        orders::shipments(self).await?;
        money::ledger(self).await?;
        money::payments(self).await?;
        stock::balances(self).await?;
        stock::reservations(self).await?;
        partners::partners(self).await
    }
}

/// Checks the whole history, and that the chain of seals goes through `heads`, which were kept elsewhere. `progress` is
/// told after each slice how far the check at hand is.
pub async fn prove(
    gateway: &Gateway,
    heads: &[Head],
    progress: &mut (dyn FnMut(&Check) + Send),
) -> Result<Proof, Failure> {
    let history = History::open(&gateway.store).await?;
    let mut prover = Prover {
        history,
        proof: Proof {
            sound: true,
            checks: Vec::new(),
            totals: Totals::default(),
            head: None,
            faults: Vec::new(),
        },
        progress,
    };
    let outcome = prover.checks(heads).await;
    let Prover { history, proof, .. } = prover;
    history.close().await?;
    outcome.map(|()| proof)
}
