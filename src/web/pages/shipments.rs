//! Shipments: the list, one with its cartons, and confirming that it has left.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::document_row::DocumentRow;
use super::orders::{AuditRow, PartyCard, audit_row, party};
use crate::domain::catalogue::Warehouse;
use crate::domain::shipment::{Carton, Shipment};
use crate::storage::console::shipments::{self, ShipmentItem};
use crate::storage::console::{documents, journal, partners};
use crate::web::Console;
use crate::web::gate::person::Person;
use crate::web::page::{Asked, Choice, Frame, Section, Tab, partner_choices, shown};
use crate::web::show::{Calendar, Chip, Day, When, quantity};
use crate::web::states;
use crate::web::trouble::Trouble;

struct Row {
    id: i64,
    partner: String,
    test: bool,
    warehouse: String,
    orders: String,
    cartons: usize,
    status: Chip,
    ship_to: String,
    window: Vec<Day>,
    late: bool,
    shipped: Option<When>,
    carrier: String,
}

#[derive(Template)]
#[template(path = "shipments.html")]
struct ShipmentsPage {
    frame: Frame,
    asked: Asked,
    tabs: Vec<Tab>,
    partners: Vec<Choice>,
    rows: Vec<Row>,
    older: Option<String>,
    newest: Option<String>,
}

/// The states that the list can be narrowed to.
const STATES: [&str; 3] = ["planned", "shipped", "cancelled"];

/// `GET /shipments`
pub(crate) async fn list(
    State(console): State<Console>,
    person: Person,
    asked: Asked,
) -> Result<Response, Trouble> {
    let frame = console
        .frame(person, Section::Shipments, "Shipments", &asked)
        .await?;
    let (status, partner, before) = (
        asked.one_of("status", "status", &STATES)?,
        asked.number("partner"),
        asked.number("before"),
    );
    let mut connection = console.store().read().await?;
    let mut items = shipments::list(&mut connection, status.as_ref(), partner, before).await?;
    let counts = shipments::counts(&mut connection, &STATES).await?;
    let partners = partner_choices(partners::choices(&mut connection).await?, partner);
    drop(connection);
    let tabs = super::state_tabs(&asked, counts.as_ref(), &STATES);
    let older = super::older(&mut items, &asked, |item| item.id);
    let rows = items
        .iter()
        .map(|item| row(item, &frame.calendar))
        .collect::<Result<_, _>>()?;
    let newest = before.map(|_| asked.with("before", ""));
    shown(&ShipmentsPage {
        frame,
        tabs,
        partners,
        rows,
        older,
        newest,
        asked,
    })
}

/// The PO numbers on a shipment.
fn orders_on(shipment: &Shipment) -> Vec<(i64, String)> {
    let mut orders: BTreeMap<i64, String> = BTreeMap::new();
    for content in shipment.cartons.iter().flat_map(|carton| &carton.contents) {
        orders
            .entry(content.order.0)
            .or_insert_with(|| content.po_number.clone());
    }
    orders.into_iter().collect()
}

fn row(item: &ShipmentItem, calendar: &Calendar) -> Result<Row, Trouble> {
    let shipment = item.shipment()?;
    let orders: Vec<String> = orders_on(&shipment).into_iter().map(|(_, po)| po).collect();
    let to = &shipment.ship_to;
    Ok(Row {
        id: item.id,
        partner: item.partner_name.clone(),
        test: item.mode == "test",
        warehouse: item.warehouse.clone(),
        orders: orders.join(", "),
        cartons: shipment.cartons.len(),
        status: states::shipment(&item.status),
        ship_to: if to.name.is_empty() {
            to.id.clone()
        } else {
            to.name.clone()
        },
        window: [shipment.not_before, shipment.not_after]
            .into_iter()
            .flatten()
            .map(|day| calendar.date(day))
            .collect(),
        late: item.status == "planned"
            && shipment
                .not_after
                .is_some_and(|last| last < calendar.today()),
        shipped: calendar.when_some(item.shipped_at),
        carrier: [shipment.carrier.as_str(), shipment.tracking.as_str()]
            .join(" ")
            .trim()
            .to_owned(),
    })
}

struct CartonRow {
    number: usize,
    sscc: String,
    store: String,
    tracking: String,
    weight: String,
    contents: Vec<(i64, String, u32, String, String, String)>,
}

/// What a person fills in to confirm; kept where the confirmation is refused.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) carrier: String,
    pub(crate) tracking: String,
    pub(crate) reason: String,
    pub(crate) problem: String,
}

#[derive(Template)]
#[template(path = "shipment.html")]
struct ShipmentPage {
    frame: Frame,
    item: ShipmentItem,
    shipment: Shipment,
    status: Chip,
    orders: Vec<(i64, String)>,
    to: PartyCard,
    opens: Option<Day>,
    closes: Option<Day>,
    window_open: bool,
    created: When,
    shipped: Option<When>,
    expected: Option<Day>,
    confirmed_by: String,
    units: String,
    weight: String,
    cartons: Vec<CartonRow>,
    thread: Vec<DocumentRow>,
    audit: Vec<AuditRow>,
    draft: Draft,
    planned: bool,
}

/// `GET /shipments/{id}`
pub(crate) async fn one(
    State(console): State<Console>,
    person: Person,
    Path(id): Path<i64>,
    asked: Asked,
) -> Result<Response, Trouble> {
    show(&console, person, id, &asked, None).await
}

/// The page of a shipment, with what was filled in where it was refused.
pub(crate) async fn show(
    console: &Console,
    person: Person,
    id: i64,
    asked: &Asked,
    draft: Option<Draft>,
) -> Result<Response, Trouble> {
    let mut connection = console.store().read().await?;
    let item = shipments::one(&mut connection, id)
        .await?
        .ok_or(Trouble::NotFound("shipment"))?;
    let shipment = item.shipment()?;
    let thread = documents::about(&mut connection, "shipment", id).await?;
    let audit = journal::audit_of(&mut connection, "shipment", id).await?;
    let warehouse = shipments::warehouse_of(&mut connection, id).await?;
    drop(connection);
    let frame = console
        .frame(person, Section::Shipments, format!("Shipment {id}"), asked)
        .await?;
    let calendar = frame.calendar;
    let today = day_at(warehouse.as_ref(), &calendar);
    let units: rust_decimal::Decimal = shipment
        .cartons
        .iter()
        .flat_map(|carton| carton.contents.iter().map(|content| content.quantity))
        .sum();
    let grams: i64 = shipment.cartons.iter().map(|carton| carton.grams).sum();
    let draft = draft.unwrap_or_else(|| Draft {
        carrier: shipment.carrier.clone(),
        tracking: shipment.tracking.clone(),
        ..Draft::default()
    });
    let page = ShipmentPage {
        status: states::shipment(&item.status),
        orders: orders_on(&shipment),
        to: party(&shipment.ship_to),
        opens: shipment.not_before.map(|day| calendar.date(day)),
        closes: shipment.not_after.map(|day| calendar.date(day)),
        window_open: shipment.window_allows(today),
        created: calendar.when(item.created_at),
        shipped: calendar.when_some(item.shipped_at),
        expected: shipment.expected_delivery.map(|day| calendar.date(day)),
        confirmed_by: warehouse.as_ref().map_or_else(String::new, |warehouse| {
            match warehouse.fulfilment.word() {
                "person" => "a person confirms",
                "file" => "a file confirms",
                _ => "at once when the window opens",
            }
            .to_owned()
        }),
        units: quantity(units),
        weight: if grams > 0 {
            kilograms(grams)
        } else {
            String::new()
        },
        cartons: shipment
            .cartons
            .iter()
            .enumerate()
            .map(|(place, carton)| carton_row(place, carton))
            .collect(),
        thread: thread
            .iter()
            .map(|item| DocumentRow::new(item, &calendar))
            .collect(),
        audit: audit
            .iter()
            .map(|item| audit_row(item, &calendar))
            .collect(),
        planned: item.status == "planned",
        draft,
        shipment,
        item,
        frame,
    };
    shown(&page)
}

/// Today where the warehouse stands.
fn day_at(warehouse: Option<&Warehouse>, calendar: &Calendar) -> chrono::NaiveDate {
    let zone = warehouse
        .and_then(|warehouse| warehouse.zone.parse().ok())
        .unwrap_or(calendar.zone);
    calendar.now.with_timezone(&zone).date_naive()
}

fn kilograms(grams: i64) -> String {
    format!("{} kg", quantity(rust_decimal::Decimal::new(grams, 3)))
}

fn carton_row(place: usize, carton: &Carton) -> CartonRow {
    CartonRow {
        number: place + 1,
        sscc: carton.sscc.to_string(),
        store: carton.store.to_string(),
        tracking: carton.tracking.to_string(),
        weight: if carton.grams > 0 {
            kilograms(carton.grams)
        } else {
            String::new()
        },
        contents: carton
            .contents
            .iter()
            .map(|content| {
                (
                    content.order.0,
                    content.po_number.clone(),
                    content.line,
                    content.item.clone(),
                    quantity(content.quantity),
                    content.unit.clone(),
                )
            })
            .collect(),
    }
}
