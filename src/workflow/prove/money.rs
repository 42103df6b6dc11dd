//! Money: every posting sums to zero, every invoice is what it was settled by and what is open, and the ledger says the
//! same.

use std::collections::{BTreeMap, HashMap};

use super::Prover;
use crate::domain::invoice::{self, Invoice};
use crate::storage::Failure;
use crate::storage::proof::money::{KeptEntry, KeptInvoice};

/// Ledger entries in a slice.
const ENTRIES: i64 = 20_000;
/// Invoices in a slice.
const INVOICES: i64 = 500;
/// Payments in a slice.
const PAYMENTS: i64 = 500;
/// Invoices that are looked at once more by one statement.
const DOUBTS: usize = 1_000;

/// Postings that sum to zero, and invoices that agree with them.
pub(super) async fn ledger(prover: &mut Prover<'_>) -> Result<(), Failure> {
    prover.begin(
        "ledger",
        "every posting of the ledger sums to zero, by currency and world",
    );
    let mut receivable: HashMap<i64, i64> = HashMap::new();
    let mut posting: Option<Posting> = None;
    let mut after: Option<KeptEntry> = None;
    loop {
        let from = after.take();
        let entries = prover
            .history
            .slice(move |connection| {
                Box::pin(async move { connection.kept_entries(from.as_ref(), ENTRIES).await })
            })
            .await?;
        if entries.is_empty() {
            break;
        }
        prover.checked(entries.len());
        prover.proof.totals.ledger_entries += entries.len() as u64;
        for entry in &entries {
            if let Some(invoice) = entry.invoice_id.filter(|_| entry.account == "receivable") {
                *receivable.entry(invoice).or_default() += entry.amount;
            }
            let same = posting.as_ref().is_some_and(|posting| {
                posting.source == entry.source && posting.rule == entry.rule
            });
            if !same && let Some(done) = posting.replace(Posting::of(entry)) {
                done.judge(prover);
            }
            if let Some(posting) = &mut posting {
                posting.add(entry);
            }
        }
        after = entries.into_iter().last();
    }
    if let Some(last) = posting {
        last.judge(prover);
    }
    invoices(prover, receivable).await
}

/// One posting on its way through the ledger.
struct Posting {
    source: String,
    rule: String,
    next: i64,
    gap: bool,
    sums: BTreeMap<(String, String), i128>,
}

impl Posting {
    fn of(entry: &KeptEntry) -> Self {
        Self {
            source: entry.source.clone(),
            rule: entry.rule.clone(),
            next: 0,
            gap: false,
            sums: BTreeMap::new(),
        }
    }

    fn add(&mut self, entry: &KeptEntry) {
        self.gap |= entry.ordinal != self.next;
        self.next = entry.ordinal + 1;
        *self
            .sums
            .entry((entry.currency.clone(), entry.mode.clone()))
            .or_default() += i128::from(entry.amount);
    }

    fn judge(self, prover: &mut Prover<'_>) {
        let place = format!("ledger posting {}/{}", self.source, self.rule);
        if self.gap {
            prover.fault(place.clone(), "one of its entries is not there");
        }
        for ((currency, mode), sum) in self.sums {
            if sum != 0 {
                prover.fault(
                    place.clone(),
                    format!("it does not sum to zero: {sum} minor units of {currency} ({mode})"),
                );
            }
        }
    }
}

async fn invoices(
    prover: &mut Prover<'_>,
    mut receivable: HashMap<i64, i64>,
) -> Result<(), Failure> {
    prover.begin(
        "invoices",
        "total = paid + discount + written off + open; what is open is what the ledger says is owed; each series has no gap",
    );
    let mut doubts = Vec::new();
    let mut series: BTreeMap<(i64, String), i64> = BTreeMap::new();
    let mut after = i64::MIN;
    loop {
        let invoices = prover
            .history
            .slice(move |connection| {
                Box::pin(async move { connection.kept_invoices(after, INVOICES).await })
            })
            .await?;
        let Some(last) = invoices.last() else { break };
        after = last.id;
        prover.checked(invoices.len());
        prover.proof.totals.invoices += invoices.len() as u64;
        for row in &invoices {
            one_invoice(prover, row);
            *series
                .entry((row.company_id, row.mode.clone()))
                .or_default() += 1;
            if receivable.remove(&row.id).unwrap_or_default() != row.open {
                doubts.push(row.id);
            }
        }
        if doubts.len() >= DOUBTS {
            look_again(prover, std::mem::take(&mut doubts)).await?;
        }
    }
    look_again(prover, doubts).await?;
    for (invoice, sum) in receivable {
        if sum != 0 {
            prover.fault(
                format!("invoice {invoice}"),
                format!(
                    "the ledger has {sum} minor units owed on it, and the invoice is not there"
                ),
            );
        }
    }
    numbers(prover, series).await
}

/// What did not agree may have been written between the reading of the ledger and that of the invoice: both are read
/// once more, together.
async fn look_again(prover: &mut Prover<'_>, doubts: Vec<i64>) -> Result<(), Failure> {
    if doubts.is_empty() {
        return Ok(());
    }
    let rows = prover
        .history
        .slice(move |connection| Box::pin(async move { connection.open_by_ledger(&doubts).await }))
        .await?;
    for (id, number, open, ledger) in rows {
        if open != ledger {
            prover.fault(
                format!("invoice {id} ({number})"),
                format!("{open} minor units are open and the ledger says {ledger}"),
            );
        }
    }
    Ok(())
}

fn one_invoice(prover: &mut Prover<'_>, row: &KeptInvoice) {
    let place = || format!("invoice {} ({})", row.id, row.number);
    let settled = row.paid + row.granted + row.written_off + row.open;
    if settled != row.total {
        prover.fault(
            place(),
            format!(
                "its total is {} and paid {} + discount {} + written off {} + open {} come to {settled} (minor units)",
                row.total, row.paid, row.granted, row.written_off, row.open
            ),
        );
    }
    if row.written_off != row.applied_off + row.given_up {
        prover.fault(
            place(),
            format!(
                "{} minor units are written off; payments wrote off {} and deductions {}",
                row.written_off, row.applied_off, row.given_up
            ),
        );
    }
    // A payment may take the disputed part too, so that less is disputed than was deducted; never more.
    if row.disputed > row.deducted {
        prover.fault(
            place(),
            format!(
                "{} minor units are disputed and its deductions come to {}",
                row.disputed, row.deducted
            ),
        );
    }
    if row.issued != row.total {
        prover.fault(
            place(),
            format!(
                "its total is {} and the posting of its issue put {} on the receivable (minor units)",
                row.total, row.issued
            ),
        );
    }
    match serde_json::from_str::<Invoice>(&row.body) {
        Err(error) => prover.fault(place(), format!("its body can not be read: {error}")),
        Ok(issued) => {
            if issued.id.0 != row.id
                || issued.number != row.number
                || issued.total.0 != row.total
                || issued.mode.word() != row.mode
            {
                prover.fault(
                    place(),
                    format!(
                        "it was issued as {} over {} minor units and its columns say {} over {}",
                        issued.number, issued.total.0, row.number, row.total
                    ),
                );
            }
            if let Err(refusal) = invoice::prove(&issued) {
                prover.fault(place(), refusal.to_string());
            }
        }
    }
}

/// Each series of invoices has as many as its counter says were taken.
async fn numbers(
    prover: &mut Prover<'_>,
    series: BTreeMap<(i64, String), i64>,
) -> Result<(), Failure> {
    let (counters, counts) = prover
        .history
        .slice(move |connection| {
            Box::pin(async move {
                let counters = connection.counters("invoice:").await?;
                let mut counts = BTreeMap::new();
                for (company, mode) in series.into_keys() {
                    let n = connection.count_invoices(company, &mode).await?;
                    counts.insert(format!("invoice:{company}:{mode}"), n);
                }
                Ok((counters, counts))
            })
        })
        .await?;
    let taken: BTreeMap<String, i64> = counters.into_iter().collect();
    for scope in taken
        .keys()
        .chain(counts.keys())
        .collect::<std::collections::BTreeSet<_>>()
    {
        let (taken, kept) = (
            taken.get(scope).copied().unwrap_or_default(),
            counts.get(scope).copied().unwrap_or_default(),
        );
        if taken != kept {
            prover.fault(
                format!("counter {scope}"),
                format!("{taken} invoice numbers were taken and {kept} invoices are kept"),
            );
        }
    }
    Ok(())
}

/// Payments against the ledger.
pub(super) async fn payments(prover: &mut Prover<'_>) -> Result<(), Failure> {
    prover.begin(
        "payments",
        "every payment's money is in the ledger, and what is tied to nothing is what the ledger says",
    );
    let mut after = i64::MIN;
    loop {
        let payments = prover
            .history
            .slice(move |connection| {
                Box::pin(async move { connection.kept_payments(after, PAYMENTS).await })
            })
            .await?;
        let Some(last) = payments.last() else { break };
        after = last.id;
        prover.checked(payments.len());
        prover.proof.totals.payments += payments.len() as u64;
        for row in &payments {
            let place = format!("payment {} ({})", row.id, row.reference);
            if row.cash != row.amount {
                prover.fault(
                    place.clone(),
                    format!(
                        "{} minor units were paid and the ledger has {} as cash",
                        row.amount, row.cash
                    ),
                );
            }
            if -row.on_account != row.unapplied {
                prover.fault(
                    place,
                    format!(
                        "{} minor units of it are tied to nothing and the ledger says {}",
                        row.unapplied, -row.on_account
                    ),
                );
            }
        }
    }
    Ok(())
}
