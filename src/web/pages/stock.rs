//! Stock by item and warehouse.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::domain::stock::from_stored;
use crate::storage::console::stock::{self, StockItem};
use crate::web::Console;
use crate::web::chart::{self, Bar};
use crate::web::gate::person::Person;
use crate::web::page::{Asked, Choice, Frame, Section, shown};
use crate::web::show::{Calendar, Day, quantity};
use crate::web::trouble::Trouble;

struct Row {
    item: String,
    first: bool,
    upc: String,
    description: String,
    unit: String,
    warehouse: String,
    test: bool,
    on_hand: String,
    reserved: String,
    set_aside: Option<String>,
    uncounted: Option<String>,
    available: String,
    short: bool,
    expected: String,
    next: Option<Day>,
    bar: Bar,
}

#[derive(Template)]
#[template(path = "stock.html")]
struct StockPage {
    frame: Frame,
    asked: Asked,
    warehouses: Vec<Choice>,
    rows: Vec<Row>,
    older: Option<String>,
    newest: Option<String>,
}

/// `GET /stock`
pub(crate) async fn page(
    State(console): State<Console>,
    person: Person,
    asked: Asked,
) -> Result<Response, Trouble> {
    let frame = console
        .frame(person, Section::Stock, "Stock", &asked)
        .await?;
    let (text, warehouse, after) = (
        asked.text("item"),
        asked.text("warehouse"),
        asked.text("after"),
    );
    let short = asked.text("short").is_some();
    let mut connection = console.store().read().await?;
    let (items, next) = stock::list(
        &mut connection,
        text.as_ref(),
        warehouse.as_ref(),
        short,
        after.as_ref(),
    )
    .await?;
    let warehouses = stock::warehouses(&mut connection)
        .await?
        .into_iter()
        .map(|(_, code)| Choice {
            chosen: warehouse.as_deref() == Some(code.as_str()),
            value: code.clone(),
            name: code,
        })
        .collect();
    drop(connection);
    let mut before = String::new();
    let rows = items
        .iter()
        .map(|item| {
            let first = item.item != before;
            before.clone_from(&item.item);
            row(item, first, &frame.calendar)
        })
        .collect();
    let older = next.map(|next| asked.with("after", &next));
    let newest = after.map(|_| asked.with("after", ""));
    shown(&StockPage {
        frame,
        warehouses,
        rows,
        older,
        newest,
        asked,
    })
}

fn row(item: &StockItem, first: bool, calendar: &Calendar) -> Row {
    let body: serde_json::Value = serde_json::from_str(&item.body).unwrap_or_default();
    let text = |key: &str| {
        body.get(key)
            .and_then(|value| value.as_str())
            .unwrap_or_default()
            .to_owned()
    };
    let held = item.reserved + item.set_aside + item.uncounted;
    let available = item.on_hand.saturating_sub(held);
    let some = |stored| (stored != 0).then(|| quantity(from_stored(stored)));
    Row {
        item: item.item.clone(),
        first,
        upc: item.upc.clone(),
        description: text("description"),
        unit: text("base_unit"),
        warehouse: item.warehouse.clone(),
        test: item.mode == "test",
        on_hand: quantity(from_stored(item.on_hand)),
        reserved: quantity(from_stored(item.reserved)),
        set_aside: some(item.set_aside),
        uncounted: some(item.uncounted),
        available: quantity(from_stored(available.max(0))),
        short: available <= 0,
        expected: if item.expected == 0 {
            String::new()
        } else {
            quantity(from_stored(item.expected))
        },
        next: item.next_receipt.as_deref().map(|day| calendar.day(day)),
        bar: chart::bar(
            "Reserved and available",
            item.on_hand,
            &[("fill-2", held), ("fill-good", available.max(0))],
        ),
    }
}
