//! Who owes us what and how old it is; what they deducted; money that is tied to nothing; payments.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use serde::Serialize;

use super::{Conditions, Page, corrupt, instant, money};
use crate::domain::clock::Instant;
use crate::domain::ids::{DeductionId, InvoiceId, PartnerId, PaymentId};
use crate::domain::money::{Amount, Currency};
use crate::domain::order::Mode;
use crate::storage::connection::{Bind, Connection};
use crate::storage::console::are_few;
use crate::storage::console::invoices::owed;
use crate::storage::failure::Failure;

/// One row of the aging: a partner and a currency. Amounts are decimals in `currency`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgingListing {
    /// Code of the partner.
    pub partner: String,
    /// Its name.
    pub name: String,
    /// Currency.
    pub currency: String,
    /// Not due yet.
    pub current: String,
    /// 1 to 30 days past due.
    pub days_1_30: String,
    /// 31 to 60.
    pub days_31_60: String,
    /// 61 to 90.
    pub days_61_90: String,
    /// More than 90.
    pub days_over_90: String,
    /// Sum of the five buckets.
    pub total: String,
    /// Disputed part of `total`.
    pub disputed: String,
    /// `total` without what is disputed.
    pub undisputed: String,
    /// Credits we owe and money of theirs that is tied to nothing, at or below zero.
    pub credits: String,
    /// `total` and `credits` together.
    pub balance: String,
}

#[derive(Default)]
struct Sums {
    name: String,
    buckets: [i64; 5],
    disputed: i64,
    credits: i64,
}

/// The aging on `today`, the day at our company: by partner and currency, in order of the partners' short names.
pub async fn aging(
    connection: &mut Connection,
    mode: Mode,
    partner: Option<PartnerId>,
    today: NaiveDate,
) -> Result<Vec<AgingListing>, Failure> {
    let mut sums: BTreeMap<(String, String), Sums> = BTreeMap::new();
    invoiced(connection, mode, partner, today, &mut sums).await?;
    unapplied_money(connection, mode, partner, &mut sums).await?;
    sums.into_iter()
        .map(|((partner, currency), sums)| row(partner, &currency, sums))
        .collect()
}

async fn invoiced(
    connection: &mut Connection,
    mode: Mode,
    partner: Option<PartnerId>,
    today: NaiveDate,
    sums: &mut BTreeMap<(String, String), Sums>,
) -> Result<(), Failure> {
    row! {
        struct Row {
            code: String,
            name: String,
            currency: String,
            current: i64,
            thirty: i64,
            sixty: i64,
            ninety: i64,
            older: i64,
            disputed: i64,
            credits: i64,
        }
    }
    let before = |days: u64| {
        today
            .checked_sub_days(Days::new(days))
            .unwrap_or(NaiveDate::MIN)
    };
    let mut binds: Vec<Bind> = vec![
        mode.word().into(),
        today.into(),
        before(30).into(),
        before(60).into(),
        before(90).into(),
    ];
    let of = match partner {
        Some(partner) => {
            binds.push(partner.into());
            "AND p.id = $6"
        }
        None => "",
    };
    let owed = owed(connection);
    let sql = format!(
        "SELECT p.code, p.name, i.currency,
           CAST(SUM(CASE WHEN i.open > 0 AND i.due >= $2 THEN i.open ELSE 0 END) AS BIGINT) AS current,
           CAST(SUM(CASE WHEN i.open > 0 AND i.due < $2 AND i.due >= $3 THEN i.open ELSE 0 END) AS BIGINT) AS thirty,
           CAST(SUM(CASE WHEN i.open > 0 AND i.due < $3 AND i.due >= $4 THEN i.open ELSE 0 END) AS BIGINT) AS sixty,
           CAST(SUM(CASE WHEN i.open > 0 AND i.due < $4 AND i.due >= $5 THEN i.open ELSE 0 END) AS BIGINT) AS ninety,
           CAST(SUM(CASE WHEN i.open > 0 AND i.due < $5 THEN i.open ELSE 0 END) AS BIGINT) AS older,
           CAST(SUM(CASE WHEN i.open > 0 THEN i.disputed ELSE 0 END) AS BIGINT) AS disputed,
           CAST(SUM(CASE WHEN i.open < 0 THEN i.open ELSE 0 END) AS BIGINT) AS credits
         FROM invoice i{owed} JOIN partner p ON p.id = i.partner_id
         WHERE i.status IN ('open', 'partially_paid') AND i.mode = $1 {of}
         GROUP BY p.code, p.name, i.currency"
    );
    for row in connection.rows::<Row>(&sql, binds).await? {
        let sum = sums.entry((row.code, row.currency)).or_default();
        sum.name = row.name;
        sum.buckets = [row.current, row.thirty, row.sixty, row.ninety, row.older];
        sum.disputed = row.disputed;
        sum.credits = row.credits;
    }
    Ok(())
}

async fn unapplied_money(
    connection: &mut Connection,
    mode: Mode,
    partner: Option<PartnerId>,
    sums: &mut BTreeMap<(String, String), Sums>,
) -> Result<(), Failure> {
    let mut binds: Vec<Bind> = vec![mode.word().into()];
    let of = match partner {
        Some(partner) => {
            binds.push(partner.into());
            "AND p.id = $2"
        }
        None => "",
    };
    let sql = format!(
        "SELECT p.code, p.name, y.currency, CAST(SUM(y.unapplied) AS BIGINT) FROM partner p CROSS JOIN payment y
         WHERE y.partner_id = p.id AND y.status = 'unapplied' AND y.mode = $1 {of} GROUP BY p.code, p.name, y.currency"
    );
    for (code, name, currency, unapplied) in connection
        .rows::<(String, String, String, i64)>(&sql, binds)
        .await?
    {
        let sum = sums.entry((code, currency)).or_default();
        sum.name = name;
        sum.credits = sum.credits.saturating_sub(unapplied);
    }
    Ok(())
}

fn row(partner: String, currency: &str, sums: Sums) -> Result<AgingListing, Failure> {
    let currency: Currency = currency.parse().map_err(corrupt("invoice", &partner))?;
    let show = |minor: i64| Amount(minor).display(currency);
    let [current, thirty, sixty, ninety, older] = sums.buckets;
    let total = Amount::sum(sums.buckets.map(Amount))
        .map_err(corrupt("invoice", &partner))?
        .0;
    Ok(AgingListing {
        partner,
        name: sums.name,
        currency: currency.to_string(),
        current: show(current),
        days_1_30: show(thirty),
        days_31_60: show(sixty),
        days_61_90: show(ninety),
        days_over_90: show(older),
        total: show(total),
        disputed: show(sums.disputed),
        undisputed: show(total.saturating_sub(sums.disputed)),
        credits: show(sums.credits),
        balance: show(total.saturating_add(sums.credits)),
    })
}

/// Which deductions.
#[derive(Debug, Clone, Default)]
pub struct DeductionFilter {
    /// Taken by this partner.
    pub partner: Option<PartnerId>,
    /// `open`, `disputed`, `recovered` or `written_off`.
    pub status: Option<String>,
    /// Production or test.
    pub mode: Option<Mode>,
    /// From this invoice.
    pub invoice: Option<InvoiceId>,
    /// This one.
    pub deduction: Option<DeductionId>,
    /// Which part of them, newest first; the cursor is the deduction's number.
    pub page: Page,
}

/// A deduction in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeductionListing {
    /// Its number.
    pub deduction: String,
    /// Code of the partner.
    pub partner: String,
    /// `production` or `test`.
    pub mode: String,
    /// Number of the payment that took it.
    pub payment: String,
    /// The payer's reference of that payment.
    pub payment_reference: String,
    /// The invoice it was taken from; null: it names none of ours.
    pub invoice_number: Option<String>,
    /// What the payer wrote as the item where we know none.
    pub claimed_reference: String,
    /// What the payer took, above zero.
    pub taken_amount: String,
    /// What stands of it, or was decided: less than was taken where the buyer paid a part of it since.
    pub amount: String,
    /// Currency.
    pub currency: String,
    /// Element 426 or a word of ours, empty: the payer gave none.
    pub reason: String,
    /// The payer's number of the claim.
    pub reference: String,
    /// `open`, `disputed`, `recovered` or `written_off`.
    pub status: String,
    /// When it was taken.
    pub created_at: Instant,
}

/// Deductions, newest first.
pub async fn deductions(
    connection: &mut Connection,
    filter: &DeductionFilter,
) -> Result<Vec<DeductionListing>, Failure> {
    row! {
        struct Row {
            id: i64,
            partner: String,
            mode: String,
            payment_id: i64,
            payment_reference: String,
            invoice_number: Option<String>,
            claimed_reference: String,
            taken: i64,
            amount: i64,
            currency: String,
            reason: String,
            reference: String,
            status: String,
            created_at: i64,
        }
    }
    let mut conditions = Conditions::new();
    conditions.and_some("d.id = ?", filter.deduction);
    conditions.and_some("d.partner_id = ?", filter.partner);
    conditions.and_some("d.status = ?", filter.status.clone());
    conditions.and_some("d.mode = ?", filter.mode.map(|mode| mode.word().to_owned()));
    conditions.and_some("d.invoice_id = ?", filter.invoice);
    let (sql, binds) = conditions.newest_first(
        "SELECT d.id, p.code AS partner, d.mode, d.payment_id, y.reference AS payment_reference,
           i.number AS invoice_number, d.claimed_reference, d.taken, d.amount, d.currency, d.reason, d.reference, d.status,
           d.created_at
         FROM deduction d LEFT JOIN partner p ON p.id = d.partner_id LEFT JOIN payment y ON y.id = d.payment_id
           LEFT JOIN invoice i ON i.id = d.invoice_id",
        "d.id",
        filter.page,
    );
    let rows: Vec<Row> = connection.rows(&sql, binds).await?;
    rows.into_iter()
        .map(|row| {
            let (amount, currency) = money("deduction", row.id, row.amount, &row.currency)?;
            let (taken_amount, _) = money("deduction", row.id, row.taken, &row.currency)?;
            Ok(DeductionListing {
                deduction: row.id.to_string(),
                partner: row.partner,
                mode: row.mode,
                payment: row.payment_id.to_string(),
                payment_reference: row.payment_reference,
                invoice_number: row.invoice_number,
                claimed_reference: row.claimed_reference,
                taken_amount,
                amount,
                currency: currency.to_string(),
                reason: row.reason,
                reference: row.reference,
                status: row.status,
                created_at: instant("deduction", row.created_at)?,
            })
        })
        .collect()
}

/// Which payments.
#[derive(Debug, Clone, Default)]
pub struct PaymentFilter {
    /// From this partner.
    pub partner: Option<PartnerId>,
    /// `applied`, `unapplied` or `held`.
    pub status: Option<String>,
    /// Production or test.
    pub mode: Option<Mode>,
    /// This one.
    pub payment: Option<PaymentId>,
    /// Which part of them, newest first; the cursor is the payment's number.
    pub page: Page,
}

/// A payment in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PaymentListing {
    /// Its number.
    pub payment: String,
    /// Code of the partner.
    pub partner: String,
    /// `production` or `test`.
    pub mode: String,
    /// The payer's trace, cheque or transfer number.
    pub reference: String,
    /// ACH, CHK, FWT … or `manual`.
    pub method: String,
    /// What was paid.
    pub amount: String,
    /// The part that is tied to no invoice.
    pub unapplied_amount: String,
    /// Currency.
    pub currency: String,
    /// Date of the payment.
    pub date: NaiveDate,
    /// `applied`, `unapplied` or `held`.
    pub status: String,
    /// The 820 it came in; null: it was entered by hand.
    pub document: Option<String>,
    /// When it was entered.
    pub created_at: Instant,
    /// By whom.
    pub created_by: String,
}

/// Payments, newest first. With status `unapplied`: money that is tied to nothing yet.
pub async fn payments(
    connection: &mut Connection,
    filter: &PaymentFilter,
) -> Result<Vec<PaymentListing>, Failure> {
    row! {
        struct Row {
            id: i64,
            partner: String,
            mode: String,
            reference: String,
            method: String,
            amount: i64,
            unapplied: i64,
            currency: String,
            date: String,
            status: String,
            document_id: Option<i64>,
            created_at: i64,
            created_by: String,
        }
    }
    let mut conditions = Conditions::new();
    conditions.and_some("y.id = ?", filter.payment);
    // As with invoices: few are read whole, else the newest are gone through.
    let mut few = Conditions::new();
    few.plain("y.partner_id = q.id");
    few.and_some("q.id = ?", filter.partner);
    few.and_some("y.status = ?", filter.status.clone());
    let (text, binds) = few.parts();
    let few = are_few(
        connection,
        &format!("partner q CROSS JOIN payment y{text}"),
        binds,
    )
    .await?;
    let plus = if connection.is_sqlite() && !few {
        "+"
    } else {
        ""
    };
    conditions.and_some(&format!("{plus}y.partner_id = ?"), filter.partner);
    conditions.and_some(&format!("{plus}y.status = ?"), filter.status.clone());
    conditions.and_some("y.mode = ?", filter.mode.map(|mode| mode.word().to_owned()));
    let (sql, binds) = conditions.newest_first(
        "SELECT y.id, p.code AS partner, y.mode, y.reference, y.method, y.amount, y.unapplied, y.currency, y.date,
           y.status, y.document_id, y.created_at, y.created_by
         FROM payment y LEFT JOIN partner p ON p.id = y.partner_id",
        "y.id",
        filter.page,
    );
    let rows: Vec<Row> = connection.rows(&sql, binds).await?;
    rows.into_iter()
        .map(|row| {
            let (amount, currency) = money("payment", row.id, row.amount, &row.currency)?;
            Ok(PaymentListing {
                payment: row.id.to_string(),
                partner: row.partner,
                mode: row.mode,
                reference: row.reference,
                method: row.method,
                amount,
                unapplied_amount: Amount(row.unapplied).display(currency),
                currency: currency.to_string(),
                date: row.date.parse().map_err(corrupt("payment", row.id))?,
                status: row.status,
                document: row.document_id.map(|id| id.to_string()),
                created_at: instant("payment", row.created_at)?,
                created_by: row.created_by,
            })
        })
        .collect()
}
