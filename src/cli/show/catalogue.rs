//! `item list`, `price list`, `stock list`, `location list`, `warehouse list`.

use crate::cli::listing::{Paging, Shape, dash, partner, show, show_all};
use crate::cli::{CliResult, Options, house};
use crate::domain::order::Mode;
use crate::storage::listing::items::{ItemFilter, ItemListing, items};
use crate::storage::listing::locations::{LocationListing, locations};
use crate::storage::listing::prices::{PriceFilter, PriceListing, prices};
use crate::storage::listing::stock::{StockFilter, StockListing, stock};
use crate::storage::listing::warehouses::{WarehouseListing, warehouses};
use crate::workflow::COMPANY;
use crate::workflow::lists::ListKind;

/// Which rows.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Of this item (items, prices, stock)
    #[arg(long)]
    item: Option<String>,
    /// Of this partner (prices: its own and everybody's; locations)
    #[arg(long)]
    partner: Option<String>,
    /// In this warehouse (stock)
    #[arg(long)]
    warehouse: Option<String>,
    /// production or test (stock)
    #[arg(long)]
    mode: Option<Mode>,
    #[command(flatten)]
    paging: Paging,
}

const ITEMS: Shape<ItemListing> = Shape {
    what: "items",
    titles: &[
        "ITEM",
        "UPC",
        "DESCRIPTION",
        "UNIT",
        ">PACK",
        "BUYERS' NUMBERS",
        "SOLD",
    ],
    row: |row| {
        let buyers: Vec<String> = row
            .numbers
            .iter()
            .filter(|number| number.class == "buyer")
            .map(|number| match &number.partner {
                Some(partner) => format!("{} ({partner})", number.value),
                None => number.value.clone(),
            })
            .collect();
        vec![
            row.item.clone(),
            dash(Some(&row.upc)),
            row.description.clone(),
            row.unit.clone(),
            dash(row.pack.as_deref()),
            buyers.join(" "),
            if row.discontinued { "no longer" } else { "yes" }.to_owned(),
        ]
    },
    below: None,
    cursor: None,
};

const PRICES: Shape<PriceListing> = Shape {
    what: "prices",
    titles: &["ITEM", "PARTNER", ">PRICE", "CUR", "PER", "FROM", "UNTIL"],
    row: |row| {
        vec![
            row.item.clone(),
            row.partner
                .clone()
                .unwrap_or_else(|| "everybody".to_owned()),
            row.price.clone(),
            row.currency.clone(),
            row.unit.clone(),
            row.from.to_string(),
            row.until
                .map_or_else(|| "-".to_owned(), |day| day.to_string()),
        ]
    },
    below: None,
    cursor: None,
};

const STOCK: Shape<StockListing> = Shape {
    what: "stock",
    titles: &[
        "ITEM",
        "WAREHOUSE",
        "MODE",
        ">ON HAND",
        ">RESERVED",
        ">SET ASIDE",
        ">UNCOUNTED",
        ">AVAILABLE",
        "EXPECTED, NOT PROMISED",
    ],
    row: |row| {
        let expected: Vec<String> = row
            .expected
            .iter()
            .map(|receipt| format!("{} on {}", receipt.quantity, receipt.on))
            .collect();
        vec![
            row.item.clone(),
            row.warehouse.clone(),
            row.mode.clone(),
            row.on_hand.clone(),
            row.reserved.clone(),
            row.set_aside.clone(),
            row.uncounted.clone(),
            row.available.clone(),
            expected.join(", "),
        ]
    },
    below: None,
    cursor: None,
};

const LOCATIONS: Shape<LocationListing> = Shape {
    what: "locations",
    titles: &[
        "PARTNER", "NUMBER", "NAME", "STREET", "CITY", "STATE", "ZIP",
    ],
    row: |row| {
        vec![
            row.partner.clone(),
            row.number.clone(),
            row.name.clone(),
            row.street.clone(),
            row.city.clone(),
            row.state.clone(),
            row.zip.clone(),
        ]
    },
    below: None,
    cursor: None,
};

const WAREHOUSES: Shape<WarehouseListing> = Shape {
    what: "warehouses",
    titles: &[
        "WAREHOUSE",
        "NAME",
        "CITY",
        "STATE",
        "ZONE",
        "CONFIRMED BY",
        "CARRIER",
    ],
    row: |row| {
        vec![
            row.warehouse.clone(),
            row.name.clone(),
            row.city.clone(),
            row.state.clone(),
            row.zone.clone(),
            row.fulfilment.clone(),
            dash(Some(&row.carrier)),
        ]
    },
    below: None,
    cursor: None,
};

/// Lists what was imported.
pub async fn list(options: &Options, kind: ListKind, args: List) -> CliResult {
    let gateway = house::open(options).await?;
    let mut connection = gateway.store.read().await?;
    let partner = partner(&mut connection, args.partner.as_deref()).await?;
    let paging = &args.paging;
    match kind {
        ListKind::Items => {
            let mut filter = ItemFilter {
                item: args.item,
                ..ItemFilter::default()
            };
            show(options, paging, &ITEMS, async |page| {
                filter.page = page;
                items(&mut connection, COMPANY, &filter).await
            })
            .await
        }
        ListKind::Prices => {
            let mut filter = PriceFilter {
                item: args.item,
                partner,
                ..PriceFilter::default()
            };
            show(options, paging, &PRICES, async |page| {
                filter.page = page;
                prices(&mut connection, COMPANY, &filter).await
            })
            .await
        }
        ListKind::Stock => {
            let mut filter = StockFilter {
                item: args.item,
                warehouse: args.warehouse,
                mode: args.mode,
                ..StockFilter::default()
            };
            show(options, paging, &STOCK, async |page| {
                filter.page = page;
                stock(&mut connection, COMPANY, &filter).await
            })
            .await
        }
        ListKind::Locations => {
            show(options, paging, &LOCATIONS, async |page| {
                locations(&mut connection, partner, page).await
            })
            .await
        }
        ListKind::Warehouses => {
            let rows = warehouses(&mut connection, COMPANY).await?;
            show_all(options, &WAREHOUSES, &rows)
        }
    }
}
