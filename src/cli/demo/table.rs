//! What the demo ends with: each order, its documents and their acknowledgments, its invoices and what is open.

use std::collections::BTreeMap;

use crate::storage::listing::Page;
use crate::storage::listing::invoices::{self, InvoiceFilter, InvoiceListing};
use crate::storage::listing::orders::{self, OrderFilter, OrderListing};
use crate::storage::{Connection, Failure};
use crate::workflow::Gateway;

/// Rows that the demo can have at most.
const MOST: u32 = 1_000;

/// The table as lines of text.
pub async fn table(gateway: &Gateway) -> Result<Vec<String>, Failure> {
    let mut connection = gateway.store.read().await?;
    let mut orders = all_orders(&mut connection).await?;
    orders.sort_by(|one, other| {
        (&one.partner, &one.po_number).cmp(&(&other.partner, &other.po_number))
    });
    let filter = InvoiceFilter {
        page: Page::first(MOST),
        ..InvoiceFilter::default()
    };
    let mut billed: BTreeMap<String, Vec<InvoiceListing>> = BTreeMap::new();
    for invoice in invoices::invoices(&mut connection, &filter, gateway.now().date_naive()).await? {
        for order in invoice.orders.clone() {
            billed.entry(order).or_default().push(invoice.clone());
        }
    }
    let mut lines = vec![
        format!(
            "{:<9} {:<11} {:<14} {:<44} {}",
            "PARTNER", "PO", "ORDER", "DOCUMENTS AND THEIR 997s", "INVOICES: TOTAL, OPEN"
        ),
        "─".repeat(118),
    ];
    for order in &orders {
        let own = billed
            .get(&order.order)
            .map(Vec::as_slice)
            .unwrap_or_default();
        lines.extend(rows(order, own));
    }
    lines.push("─".repeat(118));
    lines.push("✓ accepted by the partner's 997   ✗ rejected   … no answer yet".to_owned());
    Ok(lines)
}

async fn all_orders(connection: &mut Connection) -> Result<Vec<OrderListing>, Failure> {
    orders::orders(
        connection,
        &OrderFilter {
            page: Page::first(MOST),
            ..OrderFilter::default()
        },
    )
    .await
}

fn rows(order: &OrderListing, invoices: &[InvoiceListing]) -> Vec<String> {
    let mut bills: Vec<String> = invoices.iter().rev().map(bill).collect();
    if bills.is_empty() {
        bills.push("–".to_owned());
    }
    bills
        .into_iter()
        .enumerate()
        .map(|(n, bill)| match n {
            0 => format!(
                "{:<9} {:<11} {:<14} {:<44} {bill}",
                order.partner,
                order.po_number,
                order.status.replace('_', " "),
                documents(order)
            ),
            _ => format!("{:<81} {bill}", ""),
        })
        .collect()
}

/// `855 ✓✓  856 ✓  810 ✓`: one mark a document sent.
fn documents(order: &OrderListing) -> String {
    let mut kinds: BTreeMap<&str, String> = BTreeMap::new();
    for document in order
        .documents
        .iter()
        .filter(|document| document.direction == "out")
    {
        let mark = match document.syntax.as_str() {
            "accepted" | "accepted_with_errors" => '✓',
            "rejected" => '✗',
            "none" => continue,
            _ => '…',
        };
        kinds
            .entry(document.set_code.as_str())
            .or_default()
            .push(mark);
    }
    ["855", "856", "810"]
        .iter()
        .filter_map(|set| kinds.get(set).map(|marks| format!("{set} {marks}")))
        .collect::<Vec<_>>()
        .join("  ")
}

fn bill(invoice: &InvoiceListing) -> String {
    let mut text = format!(
        "{} {} {}",
        invoice.invoice_number, invoice.total, invoice.currency
    );
    match invoice.status.as_str() {
        "paid" => text.push_str(", paid"),
        "written_off" => text.push_str(", written off"),
        _ => text.push_str(&format!(", open {}", invoice.open_amount)),
    }
    if !invoice.disputed_amount.trim_matches(['0', '.']).is_empty() {
        text.push_str(&format!(", disputed {}", invoice.disputed_amount));
    }
    if invoice.overdue {
        text.push_str(&format!(", OVERDUE since {}", invoice.due_date));
    }
    text
}
