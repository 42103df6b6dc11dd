//! Payments, what they were applied to, deductions, and the double-entry ledger.

use super::connection::Connection;
use super::failure::Failure;
use crate::binds;
use crate::domain::clock::Instant;
use crate::domain::ids::{CompanyId, DeductionId, InvoiceId, PartnerId, PaymentId};
use crate::domain::ledger::Posting;
use crate::domain::order::Mode;
use crate::domain::receivable::{Application, NewDeduction};
use crate::domain::remittance::Remittance;

row! {
    /// A payment as it is stored.
    #[derive(Debug, Clone)]
    pub struct PaymentRow {
        /// Its number.
        pub id: i64,
        /// Ours.
        pub company_id: i64,
        /// Who paid.
        pub partner_id: i64,
        /// production or test.
        pub mode: String,
        /// The payer's trace.
        pub reference: String,
        /// Minor units.
        pub amount: i64,
        /// Currency.
        pub currency: String,
        /// applied, unapplied (some of it is tied to nothing), held (nothing was posted).
        pub status: String,
        /// Minor units tied to nothing.
        pub unapplied: i64,
        /// The remittance as JSON.
        pub body: String,
    }
}

row! {
    /// A payment that a remittance may repeat.
    #[derive(Debug, Clone)]
    pub struct PaymentLike {
        /// Its number.
        pub id: i64,
        /// Its date, ISO.
        pub date: String,
        /// The remittance it was booked from, as JSON.
        pub body: String,
    }
}

row! {
    /// A deduction as it is stored.
    #[derive(Debug, Clone)]
    pub struct DeductionRow {
        /// Its number.
        pub id: i64,
        /// Ours.
        pub company_id: i64,
        /// Who deducted.
        pub partner_id: i64,
        /// production or test.
        pub mode: String,
        /// In which payment.
        pub payment_id: i64,
        /// From which invoice, where it names one of ours.
        pub invoice_id: Option<i64>,
        /// Minor units, above zero.
        pub amount: i64,
        /// Currency.
        pub currency: String,
        /// Element 426 or a word of ours.
        pub reason: String,
        /// open, disputed, recovered, written_off.
        pub status: String,
    }
}

/// A new payment.
#[derive(Debug, Clone)]
pub struct NewPayment {
    /// Number, taken beforehand.
    pub id: PaymentId,
    /// Ours.
    pub company: CompanyId,
    /// Who paid.
    pub partner: PartnerId,
    /// Production or test.
    pub mode: Mode,
    /// What the payer says.
    pub remittance: Remittance,
    /// The 820 it came in.
    pub document: Option<i64>,
    /// applied or unapplied.
    pub status: &'static str,
    /// Minor units tied to nothing.
    pub unapplied: i64,
    /// Who entered it.
    pub by: String,
}

/// One row was written; where none was, somebody else changed it since it was read.
fn written_once(written: u64, what: impl FnOnce() -> String) -> Result<(), Failure> {
    if written == 1 {
        return Ok(());
    }
    Err(Failure::Stale { what: what() })
}

impl Connection {
    /// Adds a payment.
    pub async fn add_payment(&mut self, new: &NewPayment, at: Instant) -> Result<(), Failure> {
        let body = serde_json::to_string(&new.remittance).map_err(|error| Failure::Corrupt {
            table: "payment",
            key: new.id.to_string(),
            why: error.to_string(),
        })?;
        self.execute(
            "INSERT INTO payment (id, company_id, partner_id, mode, reference, method, amount, currency, date, document_id,
                 status, unapplied, created_at, created_by, body)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            binds![
                new.id,
                new.company,
                new.partner,
                new.mode.word(),
                &new.remittance.reference,
                &new.remittance.method,
                new.remittance.total.0,
                new.remittance.currency.code(),
                new.remittance.date,
                new.document,
                new.status,
                new.unapplied,
                at,
                &new.by,
                body
            ],
        )
        .await?;
        Ok(())
    }

    /// One payment.
    pub async fn payment(&mut self, id: PaymentId) -> Result<Option<PaymentRow>, Failure> {
        self.row(
            "SELECT id, company_id, partner_id, mode, reference, amount, currency, status, unapplied, body
             FROM payment WHERE id = $1",
            binds![id],
        )
        .await
    }

    /// Changes what of a payment is tied to nothing; `before` guards against a second use of the same money.
    pub async fn save_unapplied(
        &mut self,
        id: PaymentId,
        before: i64,
        after: i64,
    ) -> Result<(), Failure> {
        let status = if after == 0 { "applied" } else { "unapplied" };
        let written = self
            .execute(
                "UPDATE payment SET unapplied = $3, status = $4 WHERE id = $1 AND unapplied = $2",
                binds![id, before, after, status],
            )
            .await?;
        written_once(written, || format!("payment {id}"))
    }

    /// Adds applications of a payment; a second one to the same invoice adds to the first.
    pub async fn add_applications(
        &mut self,
        payment: PaymentId,
        applications: &[Application],
        at: Instant,
    ) -> Result<(), Failure> {
        for application in applications {
            self.execute(
                "INSERT INTO application (payment_id, invoice_id, paid, discount, written_off, at)
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (invoice_id, payment_id) DO UPDATE SET
                 paid = application.paid + excluded.paid, discount = application.discount + excluded.discount,
                 written_off = application.written_off + excluded.written_off",
                binds![
                    payment,
                    application.invoice,
                    application.paid.0,
                    application.discount.0,
                    application.written_off.0,
                    at
                ],
            )
            .await?;
        }
        Ok(())
    }

    /// Adds deductions of a payment, open.
    pub async fn add_deductions(
        &mut self,
        of: &NewPayment,
        deductions: &[NewDeduction],
        at: Instant,
    ) -> Result<(), Failure> {
        let ids = self.identities("deduction", deductions.len()).await?;
        let rows = ids
            .into_iter()
            .zip(deductions)
            .map(|(id, deduction)| {
                binds![
                    id,
                    of.company,
                    of.partner,
                    of.mode.word(),
                    of.id,
                    deduction.invoice,
                    &deduction.claimed_reference,
                    deduction.amount.0,
                    deduction.amount.0,
                    of.remittance.currency.code(),
                    &deduction.reason,
                    &deduction.reference,
                    "open",
                    at
                ]
            })
            .collect();
        self.insert_many(
            "INSERT INTO deduction (id, company_id, partner_id, mode, payment_id, invoice_id, claimed_reference, taken,
                 amount, currency, reason, reference, status, created_at)",
            rows,
            "",
        )
        .await?;
        Ok(())
    }

    /// One deduction.
    pub async fn deduction(&mut self, id: DeductionId) -> Result<Option<DeductionRow>, Failure> {
        let lock = if self.is_sqlite() { "" } else { "FOR UPDATE" };
        self.row(
            &format!(
                "SELECT id, company_id, partner_id, mode, payment_id, invoice_id, amount, currency, reason, status
                 FROM deduction WHERE id = $1 {lock}"
            ),
            binds![id],
        )
        .await
    }

    /// The payment of a partner with the reference, amount and currency of this remittance: the one of the same day where
    /// there is one, otherwise the latest. A remittance without a reference is like those of its own day only.
    pub async fn payment_like(
        &mut self,
        partner: PartnerId,
        mode: Mode,
        remittance: &Remittance,
    ) -> Result<Option<PaymentLike>, Failure> {
        self.row(
            "SELECT id, date, body FROM payment WHERE partner_id = $1 AND mode = $2 AND reference = $3
             AND amount = $4 AND currency = $5 AND (date = $6 OR reference <> '')
             ORDER BY CASE WHEN date = $6 THEN 0 ELSE 1 END, id DESC LIMIT 1",
            binds![
                partner,
                mode.word(),
                &remittance.reference,
                remittance.total.0,
                remittance.currency.code(),
                remittance.date
            ],
        )
        .await
    }

    /// Deductions of an invoice that nobody has settled, oldest first, kept from every other transaction.
    pub async fn standing_deductions(
        &mut self,
        invoice: InvoiceId,
    ) -> Result<Vec<(i64, i64, String)>, Failure> {
        let lock = if self.is_sqlite() { "" } else { "FOR UPDATE" };
        self.rows(
            &format!(
                "SELECT id, amount, status FROM deduction
                 WHERE invoice_id = $1 AND status IN ('open', 'disputed') ORDER BY id {lock}"
            ),
            binds![invoice],
        )
        .await
    }

    /// Writes down what is left of a deduction after a part of it was paid.
    pub async fn reduce_deduction(
        &mut self,
        id: DeductionId,
        before: i64,
        after: i64,
    ) -> Result<(), Failure> {
        let written = self
            .execute(
                "UPDATE deduction SET amount = $3 WHERE id = $1 AND amount = $2 AND status IN ('open', 'disputed')",
                binds![id, before, after],
            )
            .await?;
        written_once(written, || format!("deduction {id}"))
    }

    /// Moves a deduction on, if it still has the status `before` and comes to `amount`: the buyer may have paid a part of
    /// it since it was read.
    pub async fn save_deduction(
        &mut self,
        id: DeductionId,
        amount: i64,
        before: &str,
        after: &str,
    ) -> Result<(), Failure> {
        let written = self
            .execute(
                "UPDATE deduction SET status = $4 WHERE id = $1 AND amount = $2 AND status = $3",
                binds![id, amount, before, after],
            )
            .await?;
        written_once(written, || format!("deduction {id}"))
    }

    /// Posts to the ledger; each posting has been proven to sum to zero by [`Posting::balanced`], and its key keeps it
    /// from being made twice.
    pub async fn post(
        &mut self,
        company: CompanyId,
        mode: Mode,
        postings: Vec<Posting>,
        at: Instant,
    ) -> Result<(), Failure> {
        let mut rows = Vec::new();
        for posting in postings {
            let posting = posting.balanced().map_err(Failure::refused)?;
            for (ordinal, entry) in posting.entries.iter().enumerate() {
                rows.push(binds![
                    &posting.source,
                    &posting.rule,
                    i64::try_from(ordinal).unwrap_or(i64::MAX),
                    entry.account.word(),
                    company,
                    posting.partner,
                    mode.word(),
                    entry.invoice,
                    entry.amount.0,
                    posting.currency.code(),
                    at
                ]);
            }
        }
        self.insert_many(
            "INSERT INTO ledger_entry (source, rule, ordinal, account, company_id, partner_id, mode, invoice_id, amount,
                 currency, at)",
            rows,
            "",
        )
        .await?;
        Ok(())
    }
}
