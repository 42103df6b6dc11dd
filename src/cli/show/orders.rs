//! `order list` and `order show`.

use std::process::ExitCode;

use super::documents::thread;
use crate::cli::listing::{Paging, Shape, facts, minute, missing, partner, show, with_mode};
use crate::cli::table::{Table, harmless};
use crate::cli::{CliResult, Options, house, print};
use crate::domain::ids::OrderId;
use crate::domain::order::Mode;
use crate::storage::listing::orders::{
    OrderDetail, OrderFilter, OrderLineListing, OrderListing, order, orders,
};

/// Which orders.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Of this partner
    #[arg(long)]
    partner: Option<String>,
    /// In this state: received, held, accepted, confirmed, backordered, partly_shipped, shipped, invoiced, rejected
    #[arg(long, value_parser = ["received", "held", "accepted", "confirmed", "backordered", "partly_shipped", "shipped", "invoiced", "rejected"])]
    status: Option<String>,
    /// production or test
    #[arg(long)]
    mode: Option<Mode>,
    /// With this PO number
    #[arg(long)]
    po: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

const SHAPE: Shape<OrderListing> = Shape {
    what: "orders",
    titles: &[
        "ORDER",
        "PO NUMBER",
        "PARTNER",
        "STATUS",
        "RECEIVED (UTC)",
        ">LINES",
        ">VALUE",
        "CUR",
        "DOCUMENTS",
    ],
    row: |order| {
        let sets: Vec<&str> = order
            .documents
            .iter()
            .map(|document| document.set_code.as_str())
            .collect();
        vec![
            order.order.clone(),
            order.po_number.clone(),
            order.partner.clone(),
            with_mode(&order.status, &order.mode),
            minute(order.received_at),
            order.lines.len().to_string(),
            order.value.clone(),
            order.currency.clone(),
            sets.join(" "),
        ]
    },
    below: None,
    cursor: Some(|order| order.order.parse().ok()),
};

/// Lists orders, newest first.
pub async fn list(options: &Options, args: List) -> CliResult {
    let gateway = house::open(options).await?;
    let mut connection = gateway.store.read().await?;
    let mut filter = OrderFilter {
        partner: partner(&mut connection, args.partner.as_deref()).await?,
        status: args.status,
        mode: args.mode,
        po_number: args.po,
        ..OrderFilter::default()
    };
    show(options, &args.paging, &SHAPE, async |page| {
        filter.page = page;
        orders(&mut connection, &filter).await
    })
    .await
}

/// Shows one order.
pub async fn show_one(options: &Options, id: OrderId) -> CliResult {
    let gateway = house::open(options).await?;
    let found = order(&mut gateway.store.read().await?, id).await?;
    let detail = found.ok_or_else(|| missing("order", &id, "order list"))?;
    if options.json {
        print::json(&detail)?;
    } else {
        print::text(&told(&detail))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn told(detail: &OrderDetail) -> String {
    let order = &detail.listing;
    let day =
        |date: Option<chrono::NaiveDate>| date.map_or_else(String::new, |date| date.to_string());
    let mut text = facts(&[
        ("order", order.order.clone()),
        ("PO number", order.po_number.clone()),
        ("partner", format!("{} ({})", order.partner, order.buyer)),
        ("mode", order.mode.clone()),
        ("status", order.status.clone()),
        ("received", format!("{} UTC", minute(order.received_at))),
        ("PO date", order.po_date.to_string()),
        ("ship to", order.ship_to.clone()),
        ("not before", day(order.ship_not_before)),
        ("no later than", day(order.ship_no_later)),
        ("cancel after", day(order.cancel_after)),
        ("value", format!("{} {}", order.value, order.currency)),
        ("shipments", detail.shipments.join(", ")),
        ("invoices", detail.invoices.join(", ")),
    ]);
    for reason in &order.reasons {
        text.push_str(&format!("because        {}\n", harmless(&reason.message)));
    }
    text.push('\n');
    text.push_str(&lines(&order.lines));
    text.push('\n');
    text.push_str(&thread(&order.documents));
    for finding in &detail.findings {
        text.push_str(&format!(
            "\nremark  {}: {}",
            finding.code,
            harmless(&finding.message)
        ));
    }
    for note in &detail.notes {
        text.push_str(&format!("\nnote  {}", harmless(note)));
    }
    for segment in &detail.unused_segments {
        text.push_str(&format!("\nunused segment  {}", harmless(&segment.text)));
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// The status of a line, with why it was refused, what is set aside for it, and the day of its backorder.
fn said(line: &OrderLineListing) -> String {
    let mut said = line.status.clone();
    if let Some(refusal) = &line.refusal {
        said.push_str(&format!(": {refusal}"));
    }
    if line.set_aside != "0" {
        said.push_str(&format!(", {} set aside", line.set_aside));
    }
    if let Some(day) = line.backorder_date {
        said.push_str(&format!(", expected {day}"));
    }
    said
}

fn lines(lines: &[OrderLineListing]) -> String {
    let mut table = Table::new(&[
        "LINE",
        "ITEM",
        "DESCRIPTION",
        "UNIT",
        ">ORDERED",
        ">CONFIRMED",
        ">SHIPPED",
        ">INVOICED",
        ">BACK",
        "STATUS",
    ]);
    for line in lines {
        table.row(vec![
            line.line.to_string(),
            line.item.clone(),
            line.description.clone(),
            line.unit.clone(),
            line.ordered.clone(),
            line.confirmed.clone(),
            line.shipped.clone(),
            line.invoiced.clone(),
            line.backordered.clone(),
            said(line),
        ]);
    }
    table.render()
}
