//! Invoices, payments and the ledger they have to agree with.

use crate::binds;
use crate::storage::connection::{Connection, list};
use crate::storage::failure::Failure;

row! {
    /// An invoice with the sums of what settled it.
    #[derive(Debug)]
    pub struct KeptInvoice {
        /// Its number in the database.
        pub id: i64,
        /// Ours.
        pub company_id: i64,
        /// production or test.
        pub mode: String,
        /// Its number for people.
        pub number: String,
        /// Minor units.
        pub total: i64,
        /// Minor units.
        pub open: i64,
        /// Minor units.
        pub disputed: i64,
        /// Minor units.
        pub written_off: i64,
        /// As it was issued, JSON.
        pub body: String,
        /// Sum of what was paid.
        pub paid: i64,
        /// Sum of discounts granted.
        pub granted: i64,
        /// Sum of what payments wrote off.
        pub applied_off: i64,
        /// Sum of its deductions that are open or disputed.
        pub deducted: i64,
        /// Sum of its deductions that were given up.
        pub given_up: i64,
        /// What its own posting put on the receivable.
        pub issued: i64,
    }
}

row! {
    /// A payment with the sums of its ledger entries.
    #[derive(Debug)]
    pub struct KeptPayment {
        /// Its number.
        pub id: i64,
        /// The payer's trace.
        pub reference: String,
        /// Minor units.
        pub amount: i64,
        /// Minor units tied to nothing.
        pub unapplied: i64,
        /// What the ledger has as cash.
        pub cash: i64,
        /// What the ledger has as unapplied, as a credit below zero.
        pub on_account: i64,
    }
}

row! {
    /// One ledger entry.
    #[derive(Debug, Clone)]
    pub struct KeptEntry {
        /// What caused it.
        pub source: String,
        /// By which rule.
        pub rule: String,
        /// Its place in the posting.
        pub ordinal: i64,
        /// Account.
        pub account: String,
        /// production or test.
        pub mode: String,
        /// The invoice it is about.
        pub invoice_id: Option<i64>,
        /// Minor units.
        pub amount: i64,
        /// Currency.
        pub currency: String,
    }
}

impl Connection {
    /// Invoices after `after`, in order of number.
    pub async fn kept_invoices(
        &mut self,
        after: i64,
        most: i64,
    ) -> Result<Vec<KeptInvoice>, Failure> {
        self.rows(
            "SELECT id, company_id, mode, number, total, open, disputed, written_off, body,
                 CAST(COALESCE((SELECT SUM(paid) FROM application WHERE invoice_id = invoice.id), 0) AS BIGINT) AS paid,
                 CAST(COALESCE((SELECT SUM(discount) FROM application WHERE invoice_id = invoice.id), 0) AS BIGINT) AS granted,
                 CAST(COALESCE((SELECT SUM(written_off) FROM application WHERE invoice_id = invoice.id), 0) AS BIGINT)
                     AS applied_off,
                 CAST(COALESCE((SELECT SUM(amount) FROM deduction WHERE invoice_id = invoice.id
                     AND status IN ('open', 'disputed')), 0) AS BIGINT) AS deducted,
                 CAST(COALESCE((SELECT SUM(amount) FROM deduction WHERE invoice_id = invoice.id
                     AND status = 'written_off'), 0) AS BIGINT) AS given_up,
                 CAST(COALESCE((SELECT SUM(amount) FROM ledger_entry WHERE source = 'invoice:' || invoice.id
                     AND rule = 'issue' AND account = 'receivable'), 0) AS BIGINT) AS issued
             FROM invoice WHERE id > $1 ORDER BY id LIMIT $2",
            binds![after, most],
        )
        .await
    }

    /// How many invoices a series has.
    pub async fn count_invoices(&mut self, company: i64, mode: &str) -> Result<i64, Failure> {
        self.number(
            "SELECT COUNT(*) FROM invoice WHERE company_id = $1 AND mode = $2",
            binds![company, mode],
        )
        .await
    }

    /// What these invoices have open, and what the ledger says they have: number in the database, number for people,
    /// open, ledger. Read by one statement; for the few that did not agree when they were read apart.
    pub async fn open_by_ledger(
        &mut self,
        invoices: &[i64],
    ) -> Result<Vec<(i64, String, i64, i64)>, Failure> {
        let sql = format!(
            "SELECT invoice.id, invoice.number, invoice.open, CAST(COALESCE(SUM(ledger_entry.amount), 0) AS BIGINT)
             FROM invoice LEFT JOIN ledger_entry ON ledger_entry.invoice_id = invoice.id
             AND ledger_entry.account = 'receivable'
             WHERE invoice.id IN {} GROUP BY invoice.id, invoice.number, invoice.open",
            list(invoices.len(), 0)
        );
        self.rows(&sql, invoices.iter().map(|id| (*id).into()).collect())
            .await
    }

    /// Payments after `after`, in order of number.
    pub async fn kept_payments(
        &mut self,
        after: i64,
        most: i64,
    ) -> Result<Vec<KeptPayment>, Failure> {
        const LEDGER: &str = "CAST(COALESCE((SELECT SUM(amount) FROM ledger_entry WHERE source = 'payment:' || payment.id";
        let sql = format!(
            "SELECT id, reference, amount, unapplied,
                 {LEDGER} AND account = 'cash'), 0) AS BIGINT) AS cash,
                 {LEDGER} AND account = 'unapplied'), 0) AS BIGINT) AS on_account
             FROM payment WHERE id > $1 ORDER BY id LIMIT $2"
        );
        self.rows(&sql, binds![after, most]).await
    }

    /// Ledger entries after another, in order of key.
    pub async fn kept_entries(
        &mut self,
        after: Option<&KeptEntry>,
        most: i64,
    ) -> Result<Vec<KeptEntry>, Failure> {
        let (source, rule, ordinal) = after.map_or(("", "", 0), |last| {
            (last.source.as_str(), last.rule.as_str(), last.ordinal)
        });
        self.rows(
            "SELECT source, rule, ordinal, account, mode, invoice_id, amount, currency FROM ledger_entry
             WHERE (source, rule, ordinal) > ($1, $2, $3) ORDER BY source, rule, ordinal LIMIT $4",
            binds![source, rule, ordinal, most],
        )
        .await
    }
}
