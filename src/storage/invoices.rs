//! Invoices and what is open of them.

use super::connection::{Connection, list};
use super::failure::Failure;
use crate::binds;
use crate::domain::clock::Instant;
use crate::domain::ids::{InvoiceId, PartnerId};
use crate::domain::invoice::{Invoice, InvoiceKind};
use crate::domain::money::Amount;
use crate::domain::order::Mode;
use crate::domain::receivable::OpenItem;

row! {
    struct OpenItemRow {
        id: i64,
        partner_id: i64,
        number: String,
        kind: String,
        po_number: String,
        due: String,
        currency: String,
        total: i64,
        open: i64,
        disputed: i64,
        written_off: i64,
        discount: i64,
        discount_until: Option<String>,
        revision: i64,
    }
}

const OPEN_ITEM: &str = "SELECT id, partner_id, number, kind, po_number, due, currency, total, open, disputed, written_off,
    discount, discount_until, revision FROM invoice";

fn open_item(row: OpenItemRow) -> Result<(OpenItem, i64), Failure> {
    let corrupt = |why: String| Failure::Corrupt {
        table: "invoice",
        key: row.id.to_string(),
        why,
    };
    let item = OpenItem {
        invoice: InvoiceId(row.id),
        number: row.number.clone(),
        kind: if row.kind == "credit" {
            InvoiceKind::Credit
        } else {
            InvoiceKind::Invoice
        },
        partner: PartnerId(row.partner_id),
        po_number: row.po_number.clone(),
        currency: row
            .currency
            .parse()
            .map_err(|error: crate::domain::money::NoCurrency| corrupt(error.to_string()))?,
        total: Amount(row.total),
        open: Amount(row.open),
        disputed: Amount(row.disputed),
        discount: Amount(row.discount),
        discount_until: row
            .discount_until
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|_| corrupt("discount_until is no date".into()))?,
        due: row
            .due
            .parse()
            .map_err(|_| corrupt("due is no date".into()))?,
        written_off: Amount(row.written_off),
    };
    Ok((item, row.revision))
}

impl Connection {
    /// Adds invoices, each open for its whole total.
    pub async fn add_invoices(&mut self, invoices: &[Invoice], at: Instant) -> Result<(), Failure> {
        let mut rows = Vec::with_capacity(invoices.len());
        for invoice in invoices {
            let body = serde_json::to_string(invoice).map_err(|error| Failure::Corrupt {
                table: "invoice",
                key: invoice.number.clone(),
                why: error.to_string(),
            })?;
            let status = if invoice.total.is_zero() {
                "paid"
            } else {
                "open"
            };
            rows.push(binds![
                invoice.id,
                invoice.company,
                invoice.partner,
                invoice.mode.word(),
                &invoice.number,
                invoice.kind.word(),
                invoice.order,
                &invoice.po_number,
                invoice.date,
                invoice.due,
                invoice.currency.code(),
                invoice.total.0,
                invoice.total.0,
                0,
                0,
                invoice.discount.0,
                invoice.discount_until,
                status,
                1,
                at,
                body
            ]);
        }
        self.insert_many(
            "INSERT INTO invoice (id, company_id, partner_id, mode, number, kind, order_id, po_number, date, due, currency,
                 total, open, disputed, written_off, discount, discount_until, status, revision, created_at, body)",
            rows,
            "",
        )
        .await?;
        Ok(())
    }

    /// Open and closed items of a partner that a payment may be about: everything open, and whatever these references
    /// name. Each with its revision.
    pub async fn items_for_payment(
        &mut self,
        partner: PartnerId,
        mode: Mode,
        references: &[String],
    ) -> Result<Vec<(OpenItem, i64)>, Failure> {
        let lock = if self.is_sqlite() { "" } else { "FOR UPDATE" };
        let sql = format!(
            "{OPEN_ITEM} WHERE partner_id = $1 AND mode = $2 AND (open <> 0 OR number IN {0} OR po_number IN {0})
             ORDER BY id {lock}",
            list(references.len(), 2)
        );
        let mut values = binds![partner, mode.word()];
        values.extend(references.iter().map(|reference| reference.into()));
        let rows: Vec<OpenItemRow> = self.rows(&sql, values).await?;
        rows.into_iter().map(open_item).collect()
    }

    /// One open item with its revision.
    pub async fn open_item(&mut self, id: InvoiceId) -> Result<Option<(OpenItem, i64)>, Failure> {
        let lock = if self.is_sqlite() { "" } else { "FOR UPDATE" };
        let row: Option<OpenItemRow> = self
            .row(&format!("{OPEN_ITEM} WHERE id = $1 {lock}"), binds![id])
            .await?;
        row.map(open_item).transpose()
    }

    /// Writes what is open of an item, with the revision it was read with.
    pub async fn save_open_item(&mut self, item: &OpenItem, before: i64) -> Result<(), Failure> {
        let written = self
            .execute(
                "UPDATE invoice SET open = $3, disputed = $4, written_off = $5, status = $6, discount = $7,
                 revision = revision + 1 WHERE id = $1 AND revision = $2",
                binds![
                    item.invoice,
                    before,
                    item.open.0,
                    item.disputed.0,
                    item.written_off.0,
                    item.status().word(),
                    item.discount.0
                ],
            )
            .await?;
        if written == 1 {
            Ok(())
        } else {
            Err(Failure::Stale {
                what: format!("invoice {}", item.number),
            })
        }
    }

    /// An invoice as it was issued.
    pub async fn invoice(&mut self, id: InvoiceId) -> Result<Option<Invoice>, Failure> {
        let row: Option<(String,)> = self
            .row("SELECT body FROM invoice WHERE id = $1", binds![id])
            .await?;
        row.map(|(body,)| {
            serde_json::from_str(&body).map_err(|error| Failure::Corrupt {
                table: "invoice",
                key: id.to_string(),
                why: error.to_string(),
            })
        })
        .transpose()
    }

    /// Invoices by number of order, for what was billed before.
    pub async fn invoices_of_order(
        &mut self,
        order: crate::domain::ids::OrderId,
    ) -> Result<Vec<Invoice>, Failure> {
        let rows: Vec<(i64, String)> = self
            .rows(
                "SELECT id, body FROM invoice WHERE order_id = $1 ORDER BY id",
                binds![order],
            )
            .await?;
        rows.into_iter()
            .map(|(id, body)| {
                serde_json::from_str(&body).map_err(|error| Failure::Corrupt {
                    table: "invoice",
                    key: id.to_string(),
                    why: error.to_string(),
                })
            })
            .collect()
    }
}
