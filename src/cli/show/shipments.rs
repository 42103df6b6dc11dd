//! `shipment list` and `shipment show`.

use std::process::ExitCode;

use crate::cli::listing::{Paging, Shape, dash, facts, minute, missing, partner, show, with_mode};
use crate::cli::table::Table;
use crate::cli::{CliResult, Options, house, print};
use crate::domain::ids::{OrderId, ShipmentId};
use crate::domain::order::Mode;
use crate::storage::listing::shipments::{ShipmentFilter, ShipmentListing, shipment, shipments};
use crate::workflow::Gateway;

/// Which shipments.
#[derive(Debug, clap::Args)]
pub struct List {
    /// For this partner
    #[arg(long)]
    partner: Option<String>,
    /// planned, shipped or cancelled
    #[arg(long, value_parser = ["planned", "shipped", "cancelled"])]
    status: Option<String>,
    /// production or test
    #[arg(long)]
    mode: Option<Mode>,
    /// Out of this warehouse
    #[arg(long)]
    warehouse: Option<String>,
    /// With goods of this order
    #[arg(long)]
    order: Option<OrderId>,
    #[command(flatten)]
    paging: Paging,
}

const SHAPE: Shape<ShipmentListing> = Shape {
    what: "shipments",
    titles: &[
        "SHIPMENT",
        "ORDERS",
        "PARTNER",
        "WAREHOUSE",
        "STATUS",
        ">CARTONS",
        "CARRIER",
        "TRACKING",
        "NOT BEFORE",
        "SHIPPED (UTC)",
    ],
    row: |shipment| {
        vec![
            shipment.shipment.clone(),
            shipment.orders.join(" "),
            shipment.partner.clone(),
            shipment.warehouse.clone(),
            with_mode(&shipment.status, &shipment.mode),
            shipment.cartons.len().to_string(),
            dash(Some(&shipment.carrier)),
            dash(Some(&shipment.tracking)),
            shipment
                .not_before
                .map_or_else(|| "-".to_owned(), |day| day.to_string()),
            shipment.shipped_at.map_or_else(|| "-".to_owned(), minute),
        ]
    },
    below: None,
    cursor: Some(|shipment| shipment.shipment.parse().ok()),
};

/// Lists shipments, newest first.
pub async fn list(options: &Options, args: List) -> CliResult {
    let gateway = house::open(options).await?;
    let mut connection = gateway.store.read().await?;
    let mut filter = ShipmentFilter {
        partner: partner(&mut connection, args.partner.as_deref()).await?,
        status: args.status,
        mode: args.mode,
        warehouse: args.warehouse,
        order: args.order,
        ..ShipmentFilter::default()
    };
    show(options, &args.paging, &SHAPE, async |page| {
        filter.page = page;
        shipments(&mut connection, &filter).await
    })
    .await
}

/// Shows one shipment.
pub async fn show_one(options: &Options, id: ShipmentId) -> CliResult {
    let gateway = house::open(options).await?;
    let found = shipment(&mut gateway.store.read().await?, id).await?;
    let shipment = found.ok_or_else(|| missing("shipment", &id, "shipment list"))?;
    if options.json {
        print::json(&shipment)?;
    } else {
        print::text(&told(&shipment))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints shipments as an array, in this order.
pub async fn show_these(gateway: &Gateway, ids: &[ShipmentId]) -> CliResult {
    let mut connection = gateway.store.read().await?;
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        all.extend(shipment(&mut connection, *id).await?);
    }
    print::json(&all)?;
    Ok(ExitCode::SUCCESS)
}

fn told(shipment: &ShipmentListing) -> String {
    let day =
        |date: Option<chrono::NaiveDate>| date.map_or_else(String::new, |date| date.to_string());
    let mut text = facts(&[
        ("shipment", shipment.shipment.clone()),
        ("orders", shipment.orders.join(", ")),
        ("partner", shipment.partner.clone()),
        ("mode", shipment.mode.clone()),
        ("warehouse", shipment.warehouse.clone()),
        ("status", shipment.status.clone()),
        (
            "ship to",
            [
                &shipment.ship_to.id,
                &shipment.ship_to.name,
                &shipment.ship_to.city,
            ]
            .map(String::as_str)
            .join(" ")
            .trim()
            .to_owned(),
        ),
        ("carrier", shipment.carrier.clone()),
        ("tracking", shipment.tracking.clone()),
        ("bill of lading", shipment.bill_of_lading.clone()),
        ("not before", day(shipment.not_before)),
        ("not after", day(shipment.not_after)),
        (
            "shipped",
            shipment.shipped_at.map_or_else(String::new, minute),
        ),
        ("expected", day(shipment.expected_delivery)),
        (
            "outside its window",
            shipment.window_override.clone().unwrap_or_default(),
        ),
    ]);
    text.push('\n');
    let mut table = Table::new(&[
        "SSCC",
        "PALLET",
        "STORE",
        "ORDER",
        "PO NUMBER",
        ">LINE",
        "ITEM",
        ">QUANTITY",
        "UNIT",
    ]);
    for carton in &shipment.cartons {
        for (n, content) in carton.contents.iter().enumerate() {
            table.row(vec![
                if n == 0 {
                    dash(Some(&carton.sscc))
                } else {
                    String::new()
                },
                if n == 0 {
                    dash(Some(&carton.pallet))
                } else {
                    String::new()
                },
                if n == 0 {
                    dash(Some(&carton.store))
                } else {
                    String::new()
                },
                content.order.clone(),
                content.po_number.clone(),
                content.line.to_string(),
                content.item.clone(),
                content.quantity.clone(),
                content.unit.clone(),
            ]);
        }
    }
    text.push_str(&table.render());
    text
}
