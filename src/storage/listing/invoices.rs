//! Invoices and credits with what is open of them, and one invoice's timeline.

use std::collections::HashMap;

use chrono::{Days, NaiveDate};
use serde::Serialize;

use super::documents::{DocumentFilter, DocumentListing, documents};
use super::partners::grace_days;
use super::receivables::{DeductionFilter, DeductionListing, deductions};
use super::{Conditions, Page, corrupt, decimal, from_body, instant, money};
use crate::binds;
use crate::domain::clock::Instant;
use crate::domain::ids::{InvoiceId, OrderId, PartnerId};
use crate::domain::invoice::{Invoice, InvoiceCharge};
use crate::domain::money::Currency;
use crate::domain::order::Mode;
use crate::storage::connection::Connection;
use crate::storage::console::are_few;
use crate::storage::console::invoices::OURS;
use crate::storage::failure::Failure;

/// Which invoices.
#[derive(Debug, Clone, Default)]
pub struct InvoiceFilter {
    /// Owed by this partner.
    pub partner: Option<PartnerId>,
    /// `open`, `partially_paid`, `paid` or `written_off`.
    pub status: Option<String>,
    /// `invoice` or `credit`.
    pub kind: Option<String>,
    /// Production or test.
    pub mode: Option<Mode>,
    /// With this number.
    pub number: Option<String>,
    /// Of this order.
    pub order: Option<OrderId>,
    /// Of this PO.
    pub po_number: Option<String>,
    /// Only what is overdue.
    pub overdue: bool,
    /// Which part of them, newest first; the cursor is the invoice's number in the database.
    pub page: Page,
}

/// An invoice in a listing. Amounts are decimals in `currency`; those of a credit are at or below zero.
#[derive(Debug, Clone, Serialize)]
pub struct InvoiceListing {
    /// Its number in the database: the cursor of the listing.
    #[serde(skip)]
    pub id: InvoiceId,
    /// What the buyer sees.
    pub invoice_number: String,
    /// `invoice` or `credit`.
    pub kind: String,
    /// Code of the partner.
    pub partner: String,
    /// `production` or `test`.
    pub mode: String,
    /// PO numbers it bills.
    pub po_numbers: Vec<String>,
    /// Numbers of the orders it bills.
    pub orders: Vec<String>,
    /// `open`, `partially_paid`, `paid` or `written_off`.
    pub status: String,
    /// Something is open past the due date and the partner's days of grace.
    pub overdue: bool,
    /// Days past the due date while something is open, 0 before it.
    pub days_overdue: i64,
    /// As issued.
    pub total: String,
    /// Still owed, the disputed part included.
    pub open_amount: String,
    /// The part of `open_amount` that the buyer refuses with a reason.
    pub disputed_amount: String,
    /// Given up.
    pub written_off_amount: String,
    /// What may still be taken off when it is paid until `discount_until`; zero once it was, or nothing is open.
    pub discount_amount: String,
    /// Until when the discount holds.
    pub discount_until: Option<NaiveDate>,
    /// Currency of all amounts.
    pub currency: String,
    /// Date of the invoice.
    pub date: NaiveDate,
    /// When it is due.
    pub due_date: NaiveDate,
    /// When it was made.
    pub created_at: Instant,
}

/// Where few invoices are in a state and with a partner, they are read whole by their index; else the newest are gone
/// through, which SQLite has to be told: it would put all of them in order.
async fn by_partner_and_state(
    connection: &mut Connection,
    conditions: &mut Conditions,
    filter: &InvoiceFilter,
) -> Result<(), Failure> {
    let mut few = Conditions::new();
    few.plain("i.partner_id = q.id");
    few.and_some("q.id = ?", filter.partner);
    few.and_some("i.status = ?", filter.status.clone());
    let (text, binds) = few.parts();
    let is_named = filter.number.is_some() || filter.order.is_some() || filter.po_number.is_some();
    let few = is_named
        || are_few(
            connection,
            &format!("partner q CROSS JOIN invoice i{text}"),
            binds,
        )
        .await?;
    let plus = if connection.is_sqlite() && !few {
        "+"
    } else {
        ""
    };
    conditions.and_some(&format!("{plus}i.partner_id = ?"), filter.partner);
    conditions.and_some(&format!("{plus}i.status = ?"), filter.status.clone());
    if let Some(status) = filter
        .status
        .clone()
        .filter(|_| few && !is_named && filter.partner.is_none())
    {
        // The index of states is one of partners first.
        conditions.and(
            "i.id IN (SELECT n.id FROM partner q CROSS JOIN invoice n WHERE n.partner_id = q.id AND n.status = ?)",
            status,
        );
    }
    Ok(())
}

/// One invoice with all that its page shows.
#[derive(Debug, Clone, Serialize)]
pub struct InvoiceDetail {
    /// As in the listing.
    #[serde(flatten)]
    pub listing: InvoiceListing,
    /// The store it is for, empty where it is for all.
    pub store: String,
    /// Numbers of the shipments it bills.
    pub shipments: Vec<String>,
    /// Goods.
    pub lines: Vec<InvoiceLineListing>,
    /// Allowances and charges of the whole.
    pub charges: Vec<ChargeListing>,
    /// What was paid on it.
    pub payments: Vec<ApplicationListing>,
    /// What was deducted from it.
    pub deductions: Vec<DeductionListing>,
    /// Its 810 and whatever else was sent about it.
    pub documents: Vec<DocumentListing>,
    /// What happened to it, oldest first.
    pub timeline: Vec<TimelineEntry>,
    /// The invoice as issued, for the console.
    #[serde(skip)]
    pub invoice: Invoice,
}

/// A line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InvoiceLineListing {
    /// Our line number of the order.
    pub line: u32,
    /// Our item code.
    pub item: String,
    /// In words.
    pub description: String,
    /// In `unit`.
    pub quantity: String,
    /// Unit of measure.
    pub unit: String,
    /// Price per `unit` in major units, exact.
    pub unit_price: String,
    /// Rounded extension.
    pub extension: String,
    /// Allowances and charges of the line.
    pub charges: Vec<ChargeListing>,
}

/// An allowance or charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChargeListing {
    /// `allowance`, `charge` or `information`.
    pub kind: crate::domain::order::ChargeKind,
    /// SAC02.
    pub code: String,
    /// Unsigned.
    pub amount: String,
    /// Whether it enters the total; what is information, billed back or paid by the vendor is only shown.
    pub in_total: bool,
    /// In words.
    pub description: String,
}

/// A payment's effect on an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApplicationListing {
    /// Number of the payment.
    pub payment: String,
    /// The payer's reference of it.
    pub reference: String,
    /// Date of the payment.
    pub date: NaiveDate,
    /// Applied to this invoice.
    pub paid_amount: String,
    /// Discount granted.
    pub discount_amount: String,
    /// Written off within the partner's tolerance.
    pub written_off_amount: String,
    /// When it was applied.
    pub at: Instant,
}

/// Something that happened to an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimelineEntry {
    /// When.
    pub at: Instant,
    /// `issued`, `sent`, `picked_up`, `acknowledged`, `paid`, `deducted`, `due`, or what a person did.
    pub event: String,
    /// In a sentence.
    pub detail: String,
}

row! {
    struct Row {
        id: i64,
        number: String,
        kind: String,
        partner: String,
        partner_id: i64,
        mode: String,
        order_id: i64,
        po_number: String,
        date: String,
        due: String,
        currency: String,
        total: i64,
        open: i64,
        disputed: i64,
        written_off: i64,
        discount: i64,
        discount_until: Option<String>,
        status: String,
        created_at: i64,
    }
}

const SELECT: &str = "SELECT i.id, i.number, i.kind, p.code AS partner, i.partner_id, i.mode, i.order_id, i.po_number,
    i.date, i.due, i.currency, i.total, i.open, i.disputed, i.written_off, i.discount, i.discount_until, i.status,
    i.created_at FROM invoice i LEFT JOIN partner p ON p.id = i.partner_id";

fn day(row: i64, text: &str) -> Result<NaiveDate, Failure> {
    text.parse().map_err(corrupt("invoice", row))
}

fn listing(
    row: Row,
    grace: &HashMap<i64, u32>,
    today: NaiveDate,
) -> Result<InvoiceListing, Failure> {
    let amount = |minor: i64| money("invoice", row.id, minor, &row.currency).map(|(text, _)| text);
    let due_date = day(row.id, &row.due)?;
    let days_past = today.signed_duration_since(due_date).num_days().max(0);
    let owed = row.open > 0 && row.kind == "invoice";
    let grace = grace.get(&row.partner_id).copied().unwrap_or_default();
    Ok(InvoiceListing {
        id: InvoiceId(row.id),
        overdue: owed && days_past > i64::from(grace),
        days_overdue: if owed { days_past } else { 0 },
        total: amount(row.total)?,
        open_amount: amount(row.open)?,
        disputed_amount: amount(row.disputed)?,
        written_off_amount: amount(row.written_off)?,
        discount_amount: amount(if row.open > 0 { row.discount } else { 0 })?,
        discount_until: row
            .discount_until
            .as_deref()
            .map(|text| day(row.id, text))
            .transpose()?,
        date: day(row.id, &row.date)?,
        due_date,
        created_at: instant("invoice", row.created_at)?,
        invoice_number: row.number,
        kind: row.kind,
        partner: row.partner,
        mode: row.mode,
        po_numbers: vec![row.po_number],
        orders: vec![row.order_id.to_string()],
        status: row.status,
        currency: row.currency,
    })
}

/// The conditions of what is overdue: open, and due before the day that each partner's grace allows.
fn overdue(conditions: &mut Conditions, grace: &HashMap<i64, u32>, today: NaiveDate) {
    conditions
        .plain("i.status IN ('open', 'partially_paid') AND i.open > 0 AND i.kind = 'invoice'");
    let mut cut = String::new();
    for (partner, days) in grace {
        let before = today
            .checked_sub_days(Days::new(u64::from(*days)))
            .unwrap_or(NaiveDate::MIN);
        // Numbers and dates of our own making: nothing from outside comes into the statement.
        cut.push_str(&format!(" WHEN {partner} THEN '{before}'"));
    }
    if cut.is_empty() {
        conditions.and("i.due < ?", today);
    } else {
        conditions.and(&format!("i.due < CASE i.partner_id{cut} ELSE ? END"), today);
    }
}

/// Invoices, newest first. What is overdue is judged on `today`, the day at our company.
pub async fn invoices(
    connection: &mut Connection,
    filter: &InvoiceFilter,
    today: NaiveDate,
) -> Result<Vec<InvoiceListing>, Failure> {
    let mut conditions = Conditions::new();
    if let Some(number) = &filter.number {
        conditions.plain(OURS);
        conditions.and("i.number = ?", number);
    }
    by_partner_and_state(connection, &mut conditions, filter).await?;
    conditions.and_some("i.kind = ?", filter.kind.clone());
    if filter.kind.as_deref().is_some_and(|kind| kind != "invoice") {
        // The condition of an index, which follows from the one before.
        conditions.plain("i.kind <> 'invoice'");
    }
    conditions.and_mode("i.mode", filter.mode);
    conditions.and_some("i.order_id = ?", filter.order);
    conditions.and_some("i.po_number = ?", filter.po_number.clone());
    if filter.overdue {
        let grace = grace_days(connection, None).await?;
        overdue(&mut conditions, &grace, today);
    }
    let (sql, binds) = conditions.newest_first(SELECT, "i.id", filter.page);
    let rows: Vec<Row> = connection.rows(&sql, binds).await?;
    let mut partners: Vec<i64> = rows.iter().map(|row| row.partner_id).collect();
    partners.sort_unstable();
    partners.dedup();
    let grace = grace_days(connection, Some(&partners)).await?;
    rows.into_iter()
        .map(|row| listing(row, &grace, today))
        .collect()
}

/// One invoice with all that its page shows.
pub async fn invoice(
    connection: &mut Connection,
    number: &str,
    now: Instant,
    today: NaiveDate,
) -> Result<Option<InvoiceDetail>, Failure> {
    let filter = InvoiceFilter {
        number: Some(number.to_owned()),
        ..InvoiceFilter::default()
    };
    let Some(listing) = invoices(connection, &filter, today)
        .await?
        .into_iter()
        .next()
    else {
        return Ok(None);
    };
    let id = listing.id;
    let body: Option<(String,)> = connection
        .row("SELECT body FROM invoice WHERE id = $1", binds![id])
        .await?;
    let Some((body,)) = body else {
        return Ok(None);
    };
    let invoice: Invoice = from_body("invoice", id.0, &body)?;
    let about = DocumentFilter {
        subject: Some(("invoice".to_owned(), id.0)),
        ..DocumentFilter::default()
    };
    let mut documents = documents(connection, &about, now).await?;
    documents.reverse();
    let from_it = DeductionFilter {
        invoice: Some(id),
        ..DeductionFilter::default()
    };
    let deductions = deductions(connection, &from_it).await?;
    let payments = payments_on(connection, id, invoice.currency).await?;
    let timeline = timeline(
        connection,
        &listing,
        &documents,
        &payments,
        &deductions,
        now,
        today,
    )
    .await?;
    Ok(Some(InvoiceDetail {
        store: invoice.store.clone(),
        shipments: invoice.shipments.iter().map(ToString::to_string).collect(),
        lines: lines(&invoice),
        charges: charge_listings(&invoice.charges, invoice.currency),
        listing,
        payments,
        deductions,
        documents,
        timeline,
        invoice,
    }))
}

fn lines(invoice: &Invoice) -> Vec<InvoiceLineListing> {
    let line = |line: &crate::domain::invoice::InvoiceLine| InvoiceLineListing {
        line: line.order_line,
        item: line.item.clone(),
        description: line.description.clone(),
        quantity: decimal(line.quantity),
        unit: line.unit.clone(),
        unit_price: line.unit_price.to_string(),
        extension: line.extension.display(invoice.currency),
        charges: charge_listings(&line.charges, invoice.currency),
    };
    invoice.lines.iter().map(line).collect()
}

fn charge_listings(charges: &[InvoiceCharge], currency: Currency) -> Vec<ChargeListing> {
    charges
        .iter()
        .map(|charge| ChargeListing {
            kind: charge.kind,
            code: charge.code.clone(),
            amount: charge.amount.display(currency),
            in_total: charge.is_summed(),
            description: charge.description.clone(),
        })
        .collect()
}

async fn payments_on(
    connection: &mut Connection,
    id: InvoiceId,
    currency: Currency,
) -> Result<Vec<ApplicationListing>, Failure> {
    row! {
        struct Row {
            payment_id: i64,
            reference: String,
            date: String,
            paid: i64,
            discount: i64,
            written_off: i64,
            at: i64,
        }
    }
    let rows: Vec<Row> = connection
        .rows(
            "SELECT a.payment_id, y.reference, y.date, a.paid, a.discount, a.written_off, a.at
             FROM application a JOIN payment y ON y.id = a.payment_id WHERE a.invoice_id = $1 ORDER BY a.at, a.payment_id",
            binds![id],
        )
        .await?;
    let amount = |minor: i64| crate::domain::money::Amount(minor).display(currency);
    rows.into_iter()
        .map(|row| {
            Ok(ApplicationListing {
                payment: row.payment_id.to_string(),
                reference: row.reference,
                date: row
                    .date
                    .parse()
                    .map_err(corrupt("payment", row.payment_id))?,
                paid_amount: amount(row.paid),
                discount_amount: amount(row.discount),
                written_off_amount: amount(row.written_off),
                at: instant("application", row.at)?,
            })
        })
        .collect()
}

async fn timeline(
    connection: &mut Connection,
    invoice: &InvoiceListing,
    documents: &[DocumentListing],
    payments: &[ApplicationListing],
    deductions: &[DeductionListing],
    now: Instant,
    today: NaiveDate,
) -> Result<Vec<TimelineEntry>, Failure> {
    let entry = |at: Instant, event: &str, detail: String| TimelineEntry {
        at,
        event: event.to_owned(),
        detail,
    };
    let money = |amount: &str| format!("{amount} {}", invoice.currency);
    let mut entries = vec![entry(
        invoice.created_at,
        "issued",
        format!(
            "{} for PO {}",
            money(&invoice.total),
            invoice.po_numbers.join(", ")
        ),
    )];
    for document in documents {
        let what = format!("{} {}", document.brief.set_code, document.brief.number);
        let file = document.file.clone().unwrap_or_default();
        if let Some(at) = document.sent_at {
            entries.push(entry(at, "sent", format!("{what} as {file}")));
        }
        if let Some(at) = document
            .answered_at
            .filter(|_| document.brief.syntax != "pending")
        {
            let said = document.brief.syntax.replace('_', " ");
            entries.push(entry(at, "acknowledged", format!("{what}: {said}")));
        }
    }
    entries.extend(picked_up(connection, invoice.id).await?);
    entries.extend(payments.iter().map(|paid| {
        let detail = format!(
            "{} by {} of {}",
            money(&paid.paid_amount),
            paid.reference,
            paid.date
        );
        entry(paid.at, "paid", detail)
    }));
    entries.extend(deductions.iter().map(|taken| {
        let detail = format!("{}: {}", money(&taken.amount), taken.reason);
        entry(taken.created_at, "deducted", detail)
    }));
    entries.extend(recorded(connection, invoice.id).await?);
    if invoice.due_date <= today
        && let Some(due) = invoice.due_date.and_hms_opt(0, 0, 0)
    {
        let detail = format!("{} open today", money(&invoice.open_amount));
        entries.push(entry(due.and_utc().min(now), "due", detail));
    }
    entries.sort_by_key(|entry| entry.at);
    Ok(entries)
}

async fn picked_up(
    connection: &mut Connection,
    id: InvoiceId,
) -> Result<Vec<TimelineEntry>, Failure> {
    let rows: Vec<(i64, String, Option<String>)> = connection
        .rows(
            "SELECT DISTINCT t.picked_up_at, t.name, t.picked_up_by FROM document d JOIN transmission t ON t.id = d.transmission_id
             WHERE d.subject_kind = 'invoice' AND d.subject_id = $1 AND t.picked_up_at IS NOT NULL",
            binds![id],
        )
        .await?;
    rows.into_iter()
        .map(|(at, name, by)| {
            let by = by.map_or_else(String::new, |by| format!(" by {by}"));
            Ok(TimelineEntry {
                at: instant("transmission", at)?,
                event: "picked_up".to_owned(),
                detail: format!("{name}{by}"),
            })
        })
        .collect()
}

/// What people and the gateway did to the invoice, from the audit trail.
async fn recorded(
    connection: &mut Connection,
    id: InvoiceId,
) -> Result<Vec<TimelineEntry>, Failure> {
    let rows: Vec<(i64, String, String, String)> = connection
        .rows(
            "SELECT at, actor, action, detail FROM audit WHERE subject_kind = 'invoice' AND subject_id = $1 ORDER BY id",
            binds![id],
        )
        .await?;
    rows.into_iter()
        .map(|(at, actor, action, detail)| {
            Ok(TimelineEntry {
                at: instant("audit", at)?,
                event: action,
                detail: if detail.is_empty() {
                    actor
                } else {
                    format!("{detail} ({actor})")
                },
            })
        })
        .collect()
}
