//! Orders: the list, and one with its whole thread.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use rust_decimal::Decimal;

use super::document_row::{DocumentRow, is_overdue};
use crate::domain::cancellation::may_be_cancelled;
use crate::domain::finding::Finding;
use crate::domain::ids::WarehouseId;
use crate::domain::order::{Charge, ChargeKind, LineRefusal, Order, OrderLine, OrderState, Party};
use crate::domain::verification::{Release, Remedies};
use crate::storage::console::documents::{self, DocumentItem};
use crate::storage::console::invoices::{self, InvoiceItem};
use crate::storage::console::journal::{self, AuditItem};
use crate::storage::console::orders::{self, OrderFilter, OrderItem};
use crate::storage::console::partners;
use crate::storage::console::shipments::{self, ShipmentItem};
use crate::storage::console::stock;
use crate::web::Console;
use crate::web::chart::{self, Bar};
use crate::web::export;
use crate::web::gate::person::Person;
use crate::web::page::{Asked, Choice, Frame, Section, Tab, partner_choices, shown};
use crate::web::show::{
    self, Calendar, Chip, Day, Icon, Money, When, grouped, plain_amount, quantity,
};
use crate::web::states::{self, spoken};
use crate::web::trouble::Trouble;
use crate::workflow;

/// The states that the list has tabs for.
const TABS: [&str; 9] = [
    "held",
    "received",
    "accepted",
    "confirmed",
    "backordered",
    "partly_shipped",
    "shipped",
    "invoiced",
    "rejected",
];

struct Row {
    id: i64,
    po: String,
    partner: String,
    test: bool,
    status: Chip,
    received: When,
    ship_by: Option<Day>,
    late: bool,
    value: Money,
}

#[derive(Template)]
#[template(path = "orders.html")]
struct OrdersPage {
    frame: Frame,
    asked: Asked,
    tabs: Vec<Tab>,
    partners: Vec<Choice>,
    rows: Vec<Row>,
    older: Option<String>,
    newest: Option<String>,
}

fn filter(asked: &Asked) -> Result<OrderFilter, Trouble> {
    Ok(OrderFilter {
        status: asked.one_of("status", "status", &TABS)?,
        partner: asked.number("partner"),
        mode: asked.mode()?,
        po: asked.text("po"),
        before: asked.number("before"),
    })
}

/// `GET /orders`
pub(crate) async fn list(
    State(console): State<Console>,
    person: Person,
    asked: Asked,
) -> Result<Response, Trouble> {
    let frame = console
        .frame(person, Section::Orders, "Orders", &asked)
        .await?;
    let filter = filter(&asked)?;
    let mut connection = console.store().read().await?;
    let mut items = orders::list(&mut connection, &filter).await?;
    let counts = orders::counts(&mut connection, &filter, &TABS).await?;
    let partners = partner_choices(partners::choices(&mut connection).await?, filter.partner);
    drop(connection);
    let older = super::older(&mut items, &asked, |item| item.id);
    let rows = items
        .iter()
        .map(|item| row(item, &frame.calendar))
        .collect();
    let newest = filter.before.map(|_| asked.with("before", ""));
    let page = OrdersPage {
        tabs: super::state_tabs(&asked, counts.as_ref(), &TABS),
        partners,
        rows,
        older,
        newest,
        asked,
        frame,
    };
    shown(&page)
}

fn row(item: &OrderItem, calendar: &Calendar) -> Row {
    let going = !matches!(item.status.as_str(), "shipped" | "invoiced" | "rejected");
    Row {
        id: item.id,
        po: item.po_number.clone(),
        partner: item.partner_name.clone(),
        test: item.mode == "test",
        status: states::order(&item.status),
        received: calendar.when(item.received_at),
        ship_by: item.ship_by.as_deref().map(|day| calendar.day(day)),
        late: going
            && item
                .ship_by
                .as_deref()
                .and_then(|day| calendar.days_since(day))
                .is_some_and(|days| days > 0),
        value: show::money(item.value, &item.currency),
    }
}

/// `GET /orders.csv`
pub(crate) async fn export(
    State(console): State<Console>,
    _person: Person,
    asked: Asked,
) -> Result<Response, Trouble> {
    let mut filter = filter(&asked)?;
    let mut rows = Vec::new();
    let mut connection = console.store().read().await?;
    loop {
        let mut items = orders::list(&mut connection, &filter).await?;
        let more = super::older(&mut items, &asked, |item| item.id).is_some();
        filter.before = items.last().map(|item| item.id);
        rows.extend(items.into_iter().map(|item| {
            vec![
                item.id.to_string(),
                item.po_number,
                item.partner_code,
                item.mode,
                item.status,
                chrono::DateTime::from_timestamp_micros(item.received_at)
                    .unwrap_or_default()
                    .to_rfc3339(),
                item.ship_by.unwrap_or_default(),
                plain_amount(item.value, &item.currency),
                item.currency,
            ]
        }));
        if !more || i64::try_from(rows.len()).unwrap_or(i64::MAX) >= export::ROWS_MAX {
            break;
        }
    }
    let heading = [
        "order",
        "po_number",
        "partner",
        "mode",
        "status",
        "received_at",
        "ship_by",
        "value",
        "currency",
    ];
    export::csv("orders", &heading, rows)
}

/// The reasons for which an order is held, out of its stored body; empty where it is not.
pub(crate) fn reasons_of(body: &str) -> Vec<Finding> {
    match serde_json::from_str::<Order>(body).map(|order| order.state) {
        Ok(OrderState::Held { reasons, .. }) => reasons,
        _ => Vec::new(),
    }
}

// ---- one order -------------------------------------------------------------------------------------------------------

/// A station of the way from order to cash.
struct Station {
    name: &'static str,
    set: &'static str,
    class: &'static str,
    icon: Icon,
    note: String,
    at: Option<When>,
}

struct LineRow {
    line: u32,
    buyer_line: String,
    item: String,
    numbers: String,
    description: String,
    ordered: String,
    confirmed: String,
    backordered: String,
    refused: String,
    shipped: String,
    invoiced: String,
    unit: String,
    price: String,
    price_note: String,
    status: Chip,
    refusal: String,
    backorder_date: Option<Day>,
    sources: String,
    charges: Vec<String>,
    bar: Bar,
}

struct StoreGrid {
    items: Vec<(u32, String, String)>,
    rows: Vec<(String, Vec<String>, String)>,
    totals: Vec<String>,
}

pub(crate) struct PartyCard {
    pub(crate) role: &'static str,
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) lines: Vec<String>,
}

pub(crate) struct AuditRow {
    pub(crate) at: When,
    pub(crate) actor: String,
    pub(crate) action: String,
    pub(crate) detail: String,
}

struct ShipmentRow {
    id: i64,
    warehouse: String,
    status: Chip,
    cartons: usize,
    carrier: String,
    shipped: Option<When>,
}

pub(crate) struct InvoiceRow {
    pub(crate) id: i64,
    pub(crate) number: String,
    pub(crate) kind: &'static str,
    pub(crate) status: Chip,
    pub(crate) due: Day,
    pub(crate) total: Money,
    pub(crate) open: Money,
}

/// A finding with where it stands, for a list beside an order.
struct Reason {
    code: String,
    message: String,
    line: Option<u32>,
    class: &'static str,
}

#[derive(Template)]
#[template(path = "order.html")]
struct OrderPage {
    frame: Frame,
    order: Order,
    item: OrderItem,
    status: Chip,
    value: Money,
    received: When,
    held_since: Option<When>,
    reasons: Vec<Reason>,
    rejection: String,
    remarks: Vec<Reason>,
    stations: Vec<Station>,
    thread: Vec<DocumentRow>,
    lines: Vec<LineRow>,
    grid: Option<StoreGrid>,
    parties: Vec<PartyCard>,
    dates: Vec<(String, Day)>,
    facts: Vec<(String, String)>,
    charges: Vec<String>,
    unused: Vec<(u32, String)>,
    shipments: Vec<ShipmentRow>,
    invoices: Vec<InvoiceRow>,
    audit: Vec<AuditRow>,
    is_held: bool,
    can_release: bool,
    /// What a person can do about a held order.
    helps: String,
    /// What a release does.
    released: String,
    can_cancel: bool,
}

/// `GET /orders/{id}`
pub(crate) async fn one(
    State(console): State<Console>,
    person: Person,
    Path(id): Path<i64>,
    asked: Asked,
) -> Result<Response, Trouble> {
    let mut connection = console.store().read().await?;
    let item = orders::item(&mut connection, id)
        .await?
        .ok_or(Trouble::NotFound("order"))?;
    let order = orders::one(&mut connection, id)
        .await?
        .ok_or(Trouble::NotFound("order"))?;
    let thread = documents::thread(&mut connection, id).await?;
    let shipments = shipments::of_order(&mut connection, id).await?;
    let invoices = invoices::of_order(&mut connection, id).await?;
    let audit = journal::audit_of(&mut connection, "order", id).await?;
    let remedies = workflow::orders::helps(console.gateway(), &mut connection, &order).await?;
    let warehouses: BTreeMap<i64, String> = stock::warehouses(&mut connection)
        .await?
        .into_iter()
        .collect();
    // Of a partner whose profile cannot be read the pages are shown all the same.
    let answers_with = console
        .gateway()
        .trading(&mut connection, order.partner)
        .await
        .ok()
        .and_then(|trading| trading.profile.acknowledgment.send.set())
        .unwrap_or("");
    drop(connection);
    let title = format!("PO {}", item.po_number);
    let frame = console
        .frame(person, Section::Orders, title, &asked)
        .await?;
    let calendar = frame.calendar;
    let (held_since, reasons, rejection) = match &order.state {
        OrderState::Held { reasons, since } => (
            Some(calendar.ago(since.timestamp_micros())),
            reasons.iter().map(reason).collect(),
            String::new(),
        ),
        OrderState::Rejected { reason } => (None, Vec::new(), reason.clone()),
        _ => (None, Vec::new(), String::new()),
    };
    let page = OrderPage {
        status: states::order(&item.status),
        value: show::money(item.value, &item.currency),
        received: calendar.when(item.received_at),
        is_held: held_since.is_some(),
        can_release: remedies
            .as_ref()
            .is_some_and(|remedies| remedies.release != Release::Impossible),
        helps: remedies.as_ref().map(what_helps).unwrap_or_default(),
        released: remedies
            .as_ref()
            .and_then(Remedies::refused_lines)
            .map_or_else(
                || "The order goes on to allocation as it stands.".to_owned(),
                |lines| {
                    format!("The rest of the order goes on to allocation; {lines} can not, and the 855 refuses it to the buyer.")
                },
            ),
        can_cancel: may_be_cancelled(&order).is_ok(),
        held_since,
        reasons,
        rejection,
        remarks: order.findings.iter().map(reason).collect(),
        stations: stations(
            &order,
            answers_with,
            &thread,
            &shipments,
            &invoices,
            &calendar,
        ),
        thread: thread
            .iter()
            .map(|item| DocumentRow::new(item, &calendar))
            .collect(),
        lines: order
            .lines
            .iter()
            .map(|line| line_row(line, &warehouses, &item.currency, &calendar))
            .collect(),
        grid: store_grid(&order),
        parties: order.header.parties.iter().map(party).collect(),
        dates: dates(&order, &calendar),
        facts: facts(&order),
        charges: order
            .header
            .charges
            .iter()
            .map(|charge| charge_said(charge, &item.currency))
            .collect(),
        unused: order
            .header
            .unused
            .iter()
            .map(|segment| (segment.index, segment.text.clone()))
            .collect(),
        shipments: shipments
            .iter()
            .filter_map(|item| shipment_row(item, &calendar))
            .collect(),
        invoices: invoices
            .iter()
            .map(|item| invoice_row(item, &calendar))
            .collect(),
        audit: audit
            .iter()
            .map(|item| audit_row(item, &calendar))
            .collect(),
        order,
        item,
        frame,
    };
    shown(&page)
}

/// What leads a held order on, by the buttons of its page.
fn what_helps(remedies: &Remedies) -> String {
    let mended = "Mend what it names in items, units, prices or locations and verify it again";
    match (&remedies.release, remedies.refused_lines(), remedies.lists) {
        (Release::Impossible, _, true) => format!(
            "{mended}, or reject it. It can not be released: none of it can go on as it stands."
        ),
        (Release::Impossible, _, false) => {
            "Ask the buyer for a right order and reject this one. It can not be released: none of it can go on as it stands.".to_owned()
        }
        (_, Some(lines), true) => format!(
            "{mended}, or reject it. Releasing it refuses {lines} to the buyer, and the rest goes on."
        ),
        (_, Some(lines), false) => format!(
            "Ask the buyer; then release it, which refuses {lines} to the buyer while the rest goes on, or reject it."
        ),
        (_, None, true) => format!("{mended}; or release it as it is, or reject it."),
        (_, None, false) => "Release it as it is, or reject it.".to_owned(),
    }
}

fn reason(finding: &Finding) -> Reason {
    Reason {
        code: finding.code.clone(),
        message: finding.message.clone(),
        line: finding.order_line,
        class: super::severity_class(finding.severity),
    }
}

pub(crate) fn audit_row(item: &AuditItem, calendar: &Calendar) -> AuditRow {
    AuditRow {
        at: calendar.when(item.at),
        actor: item.actor.clone(),
        action: spoken(&item.action),
        detail: item.detail.clone(),
    }
}

fn shipment_row(item: &ShipmentItem, calendar: &Calendar) -> Option<ShipmentRow> {
    let shipment = item.shipment().ok()?;
    Some(ShipmentRow {
        id: item.id,
        warehouse: item.warehouse.clone(),
        status: states::shipment(&item.status),
        cartons: shipment.cartons.len(),
        carrier: [shipment.carrier, shipment.tracking]
            .join(" ")
            .trim()
            .to_owned(),
        shipped: calendar.when_some(item.shipped_at),
    })
}

pub(crate) fn invoice_row(item: &InvoiceItem, calendar: &Calendar) -> InvoiceRow {
    let days = if item.kind == "invoice" {
        calendar.days_since(&item.due)
    } else {
        None
    };
    InvoiceRow {
        id: item.id,
        number: item.number.clone(),
        kind: if item.kind == "credit" {
            "Credit"
        } else {
            "Invoice"
        },
        status: states::invoice(&item.status, days),
        due: calendar.day(&item.due),
        total: show::money(item.total, &item.currency),
        open: show::money(item.open, &item.currency),
    }
}

/// A charge in a line of text.
fn charge_said(charge: &Charge, currency: &str) -> String {
    let kind = match charge.kind {
        ChargeKind::Allowance => "Allowance",
        ChargeKind::Charge => "Charge",
        ChargeKind::Information => "For information",
    };
    let mut said = format!("{kind} {}", charge.code);
    if !charge.description.is_empty() {
        said.push_str(&format!(" {}", charge.description));
    }
    if let Some(amount) = charge.amount {
        said.push_str(&format!(
            ": {} {currency}",
            crate::web::show::amount(amount.0, currency)
        ));
    } else if let Some(percent) = charge.percent {
        said.push_str(&format!(": {}%", percent.normalize()));
    } else if let Some(rate) = charge.rate {
        said.push_str(&format!(": {} per unit", rate.normalize()));
    }
    if !charge.is_summed() && charge.kind != ChargeKind::Information {
        said.push_str(" (not on the invoice)");
    }
    said
}

/// Zero is shown as nothing.
fn some_quantity(value: Decimal) -> String {
    if value.is_zero() {
        String::new()
    } else {
        quantity(value)
    }
}

fn line_row(
    line: &OrderLine,
    warehouses: &BTreeMap<i64, String>,
    currency: &str,
    calendar: &Calendar,
) -> LineRow {
    let numbers: Vec<String> = line
        .numbers
        .iter()
        .map(|number| format!("{} {}", number.qualifier, number.value))
        .collect();
    let accepted = line.accepted.as_ref();
    let description = accepted
        .map(|accepted| accepted.description.clone())
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| line.description.clone());
    let stated = accepted
        .map(|accepted| &accepted.stated_price)
        .or(line.price.as_ref());
    let price_note = match (accepted, &line.price) {
        (Some(accepted), Some(asked)) if accepted.price_changed => {
            format!("buyer: {}", grouped(&asked.amount.to_string()))
        }
        _ => String::new(),
    };
    let code = |warehouse: WarehouseId| {
        warehouses
            .get(&warehouse.0)
            .map_or("another warehouse", String::as_str)
    };
    let per_unit = line
        .accepted
        .as_ref()
        .map_or(Decimal::ONE, |accepted| accepted.base_per_unit);
    let sources: Vec<String> = line
        .sources
        .iter()
        .map(|source| {
            format!(
                "{} from {}",
                quantity(source.quantity),
                code(source.warehouse)
            )
        })
        .chain(line.set_aside.iter().map(|held| {
            let units = held.base.checked_div(per_unit).unwrap_or(held.base);
            format!("{} set aside in {}", quantity(units), code(held.warehouse))
        }))
        .collect();
    let whole = permille(line.ordered, line.ordered);
    let bar = chart::bar(
        format!(
            "{} shipped, {} confirmed, {} backordered, {} refused of {}",
            quantity(line.shipped),
            quantity(line.confirmed),
            quantity(line.backordered),
            quantity(line.refused),
            quantity(line.ordered)
        ),
        whole,
        &[
            ("fill-good", permille(line.shipped, line.ordered)),
            (
                "fill-1",
                permille(
                    (line.confirmed - line.shipped).max(Decimal::ZERO),
                    line.ordered,
                ),
            ),
            ("fill-2", permille(line.backordered, line.ordered)),
            ("fill-4", permille(line.refused, line.ordered)),
        ],
    );
    LineRow {
        line: line.line,
        buyer_line: line.buyer_line.clone(),
        item: accepted.map_or_else(|| "–".to_owned(), |accepted| accepted.item_code.clone()),
        numbers: numbers.join(" · "),
        description,
        ordered: quantity(line.ordered),
        confirmed: some_quantity(line.confirmed),
        backordered: some_quantity(line.backordered),
        refused: some_quantity(line.refused),
        shipped: some_quantity(line.shipped),
        invoiced: some_quantity(line.invoiced),
        unit: line.unit.clone(),
        price: stated.map_or_else(String::new, |price| {
            let basis = if price.basis.is_empty() {
                String::new()
            } else {
                format!(" {}", price.basis)
            };
            format!("{}{basis}", grouped(&price.amount.to_string()))
        }),
        price_note,
        status: states::order_line(line.status().word()),
        refusal: line.refusal.map_or_else(String::new, refusal_said),
        backorder_date: line.backorder_date.map(|date| calendar.date(date)),
        sources: sources.join(", "),
        charges: line
            .charges
            .iter()
            .map(|charge| charge_said(charge, currency))
            .collect(),
        bar,
    }
}

fn refusal_said(refusal: crate::domain::order::LineRefusal) -> String {
    serde_json::to_value(refusal)
        .ok()
        .and_then(|value| value.as_str().map(spoken))
        .unwrap_or_default()
}

/// Thousandths of a whole, for bars.
fn permille(part: Decimal, whole: Decimal) -> i64 {
    if whole <= Decimal::ZERO {
        return 0;
    }
    part.checked_mul(Decimal::ONE_THOUSAND)
        .and_then(|scaled| scaled.checked_div(whole))
        .and_then(|exact| i64::try_from(exact.trunc()).ok())
        .unwrap_or(0)
}

/// Quantities by store and line, where the order has them.
fn store_grid(order: &Order) -> Option<StoreGrid> {
    let lines: Vec<&OrderLine> = order
        .lines
        .iter()
        .filter(|line| !line.stores.is_empty())
        .collect();
    if lines.is_empty() {
        return None;
    }
    let shares: BTreeSet<(u32, &str)> = lines
        .iter()
        .flat_map(|line| {
            line.stores
                .iter()
                .map(|share| (share.delivery, share.store.as_str()))
        })
        .collect();
    let share = |line: &OrderLine, of: (u32, &str)| -> Decimal {
        line.stores
            .iter()
            .filter(|share| (share.delivery, share.store.as_str()) == of)
            .map(|share| share.quantity)
            .sum()
    };
    let rows = shares
        .iter()
        .map(|of| {
            let cells: Vec<Decimal> = lines.iter().map(|line| share(line, *of)).collect();
            let sum: Decimal = cells.iter().sum();
            (
                share_said(order, *of),
                cells.into_iter().map(some_quantity).collect(),
                quantity(sum),
            )
        })
        .collect();
    let totals = lines
        .iter()
        .map(|line| quantity(line.stores.iter().map(|share| share.quantity).sum()))
        .collect();
    let items = lines
        .iter()
        .map(|line| {
            let item = line.accepted.as_ref().map_or_else(
                || {
                    line.numbers
                        .first()
                        .map_or_else(String::new, |number| number.value.clone())
                },
                |accepted| accepted.item_code.clone(),
            );
            (line.line, item, line.unit.clone())
        })
        .collect();
    Some(StoreGrid {
        items,
        rows,
        totals,
    })
}

/// Where a share of the lines goes, and when, as far as that is its own: `0123`, `DC07, 010 2026-03-12`.
fn share_said(order: &Order, (delivery, store): (u32, &str)) -> String {
    let header = &order.header;
    let mut said = Vec::new();
    if delivery > 0 {
        let to = header.destination(delivery, store, "");
        said.push(if to.id.is_empty() { to.name } else { to.id });
    }
    if !store.is_empty() && !said.iter().any(|known| known == store) {
        said.push(store.to_owned());
    }
    let dates = header.delivery(delivery).map(|delivery| &delivery.dates);
    said.extend(
        dates
            .into_iter()
            .flatten()
            .map(|(qualifier, day)| format!("{qualifier} {day}")),
    );
    said.retain(|part| !part.is_empty());
    said.join(", ")
}

pub(crate) fn party(party: &Party) -> PartyCard {
    let role = match party.role.as_str() {
        "ST" => "Ship to",
        "BY" => "Buyer",
        "BT" => "Bill to",
        "SF" => "Ship from",
        "VN" | "SE" | "SU" => "Vendor",
        "Z7" => "Mark for",
        "RE" => "Remit to",
        "PR" => "Payer",
        "PE" => "Payee",
        _ => "Party",
    };
    let mut lines = party.street.clone();
    let town = [
        party.city.as_str(),
        party.state.as_str(),
        party.postal_code.as_str(),
        party.country.as_str(),
    ];
    let town: Vec<&str> = town.into_iter().filter(|part| !part.is_empty()).collect();
    if !town.is_empty() {
        lines.push(town.join(" "));
    }
    let id = if party.id.is_empty() {
        String::new()
    } else {
        format!("{} {}", party.id_qualifier, party.id)
    };
    PartyCard {
        role,
        code: party.role.clone(),
        name: party.name.clone(),
        id,
        lines,
    }
}

fn dates(order: &Order, calendar: &Calendar) -> Vec<(String, Day)> {
    let dates = &order.header.dates;
    let mut out = vec![("PO date".to_owned(), calendar.date(order.header.po_date))];
    for (name, date) in [
        ("Ship not before", dates.ship_not_before),
        ("Ship requested", dates.ship_requested),
        ("Ship no later than", dates.ship_no_later),
        ("Delivery requested", dates.delivery_requested),
        ("Cancel after", dates.cancel_after),
    ] {
        out.extend(date.map(|date| (name.to_owned(), calendar.date(date))));
    }
    out.extend(
        dates
            .other
            .iter()
            .map(|(qualifier, date)| (format!("DTM {qualifier}"), calendar.date(*date))),
    );
    out
}

/// What else the header says, name and value.
fn facts(order: &Order) -> Vec<(String, String)> {
    let header = &order.header;
    let mut facts = vec![
        (
            "Purpose and kind".to_owned(),
            format!("{} {}", header.purpose, header.kind),
        ),
        ("Release".to_owned(), header.release.clone()),
        ("Department".to_owned(), header.department.clone()),
        ("Our vendor number".to_owned(), header.vendor_number.clone()),
        ("Freight".to_owned(), header.freight.clone()),
        (
            "Carrier asked for".to_owned(),
            [header.carrier.as_str(), header.routing.as_str()]
                .join(" ")
                .trim()
                .to_owned(),
        ),
    ];
    if let Some(terms) = &header.terms {
        facts.push(("Terms".to_owned(), terms.in_words()));
    }
    let shown_above = [&header.department, &header.vendor_number];
    let others = header
        .references
        .iter()
        .filter(|reference| !shown_above.contains(&&reference.value));
    facts.extend(others.map(|reference| {
        (
            format!("REF {}", reference.qualifier),
            [reference.value.as_str(), reference.description.as_str()]
                .join(" ")
                .trim()
                .to_owned(),
        )
    }));
    facts.extend(header.contacts.iter().map(|contact| {
        let numbers: Vec<String> = contact
            .numbers
            .iter()
            .map(|(kind, number)| format!("{kind} {number}"))
            .collect();
        (
            format!("Contact {}", contact.role),
            format!("{} {}", contact.name, numbers.join(", ")),
        )
    }));
    facts.retain(|(_, value)| !value.trim().is_empty());
    facts
}

// ---- the stations of the way -----------------------------------------------------------------------------------------

fn stations(
    order: &Order,
    answers_with: &'static str,
    thread: &[DocumentItem],
    shipments: &[ShipmentItem],
    invoices: &[InvoiceItem],
    calendar: &Calendar,
) -> Vec<Station> {
    let of = |sets: &'static [&'static str], direction: &'static str| {
        thread.iter().filter(move |item| {
            item.direction == direction && sets.contains(&item.set_code.as_str())
        })
    };
    let status = order.state.word();
    let answered: Vec<&DocumentItem> = of(&["997", "999"], "out").collect();
    let mut stations = vec![
        Station {
            name: "Ordered",
            set: "850",
            class: "done",
            icon: show::icon("check"),
            note: String::new(),
            at: Some(calendar.when(order.received_at.timestamp_micros())),
        },
        match answered.first() {
            Some(document) => sent(
                "Acknowledged",
                if document.set_code == "999" {
                    "999"
                } else {
                    "997"
                },
                &[*document],
                calendar,
            ),
            None => later("Acknowledged", answers_with),
        },
        verified(status, order),
        sent_or_later(
            "Confirmed",
            "855",
            &of(&["855", "865"], "out").collect::<Vec<_>>(),
            calendar,
        ),
        goods(
            "Shipped",
            "856",
            &of(&["856"], "out").collect::<Vec<_>>(),
            shipped_said(order, shipments),
            order,
            calendar,
        ),
        goods(
            "Invoiced",
            "810",
            &of(&["810"], "out").collect::<Vec<_>>(),
            invoiced_said(invoices),
            order,
            calendar,
        ),
        paid(invoices, calendar),
    ];
    if status == "rejected" {
        for station in stations
            .iter_mut()
            .skip(4)
            .filter(|station| station.class.is_empty())
        {
            station.note = "–".to_owned();
        }
    } else if let Some(next) = stations.iter_mut().find(|station| station.class.is_empty()) {
        next.class = "now";
        if next.note.is_empty() {
            next.note = "next".to_owned();
        }
    }
    stations
}

fn later(name: &'static str, set: &'static str) -> Station {
    Station {
        name,
        set,
        class: "",
        icon: show::icon("clock"),
        note: String::new(),
        at: None,
    }
}

/// Whether something of the order was cancelled after it was promised.
fn is_cancelled(order: &Order) -> bool {
    order
        .lines
        .iter()
        .any(|line| line.refusal == Some(LineRefusal::Cancelled))
}

fn verified(status: &str, order: &Order) -> Station {
    let (class, icon, note) = match status {
        "received" => ("", "clock", String::new()),
        "held" => ("stuck", "queue", "held".to_owned()),
        "rejected" if !is_cancelled(order) => ("failed", "cross", "rejected".to_owned()),
        _ => {
            let refused = order
                .lines
                .iter()
                .filter(|line| !line.refused.is_zero())
                .count();
            (
                "done",
                "check",
                match refused {
                    0 => String::new(),
                    _ if is_cancelled(order) => "cancelled afterwards".to_owned(),
                    1 => "1 line cut".to_owned(),
                    n => format!("{n} lines cut"),
                },
            )
        }
    };
    Station {
        name: "Verified",
        set: "",
        class,
        icon: show::icon(icon),
        note,
        at: None,
    }
}

/// A station that is a document of ours.
fn sent(
    name: &'static str,
    set: &'static str,
    documents: &[&DocumentItem],
    calendar: &Calendar,
) -> Station {
    let last = documents
        .iter()
        .rfind(|item| item.delivery != "superseded")
        .or(documents.last());
    let Some(last) = last else {
        return later(name, set);
    };
    let (class, icon, note) = match (last.delivery.as_str(), last.syntax.as_str()) {
        (_, "rejected") => ("failed", "cross", "rejected".to_owned()),
        ("held", _) => ("stuck", "queue", "held".to_owned()),
        ("queued", _) => ("now", "clock", "queued".to_owned()),
        ("uncertain", _) => ("stuck", "queue", "delivery uncertain".to_owned()),
        (_, "pending") if is_overdue(last, calendar) => {
            ("stuck", "clock", "answer overdue".to_owned())
        }
        (_, "pending") => ("done", "check", "no answer yet".to_owned()),
        _ => ("done", "check", String::new()),
    };
    Station {
        name,
        set,
        class,
        icon: show::icon(icon),
        note,
        at: Some(calendar.when(last.sent_at.unwrap_or(last.created_at))),
    }
}

fn sent_or_later(
    name: &'static str,
    set: &'static str,
    documents: &[&DocumentItem],
    calendar: &Calendar,
) -> Station {
    if documents.is_empty() {
        later(name, set)
    } else {
        sent(name, set, documents, calendar)
    }
}

/// A station that may be reached in parts.
fn goods(
    name: &'static str,
    set: &'static str,
    documents: &[&DocumentItem],
    (class, note): (&'static str, String),
    order: &Order,
    calendar: &Calendar,
) -> Station {
    if documents.is_empty() {
        let mut station = later(name, set);
        if class == "done" {
            station.class = "done";
            station.icon = show::icon("check");
        }
        station.note = note;
        return station;
    }
    let mut station = sent(name, set, documents, calendar);
    let unfinished = class != "done" && !matches!(order.state, OrderState::Rejected { .. });
    if station.class == "done" && unfinished {
        station.class = "now";
        station.icon = show::icon("clock");
    }
    if station.note.is_empty() {
        station.note = note;
    }
    station
}

fn shipped_said(order: &Order, shipments: &[ShipmentItem]) -> (&'static str, String) {
    let sum = |pick: fn(&OrderLine) -> Decimal| order.lines.iter().map(pick).sum::<Decimal>();
    let shipped = sum(|line| line.shipped);
    let wanted = sum(|line| line.confirmed) + sum(|line| line.backordered);
    if shipped.is_zero() {
        let planned = shipments
            .iter()
            .filter(|item| item.status == "planned")
            .count();
        let note = if planned == 0 {
            String::new()
        } else {
            format!("{planned} planned")
        };
        ("", note)
    } else if shipped >= wanted {
        ("done", String::new())
    } else {
        ("", format!("{} of {}", quantity(shipped), quantity(wanted)))
    }
}

fn invoiced_said(invoices: &[InvoiceItem]) -> (&'static str, String) {
    match invoices.len() {
        0 => ("", String::new()),
        1 => ("done", String::new()),
        n => ("done", format!("{n} invoices")),
    }
}

fn paid(invoices: &[InvoiceItem], calendar: &Calendar) -> Station {
    let mut station = later("Paid", "820");
    let owed: Vec<&InvoiceItem> = invoices
        .iter()
        .filter(|item| item.kind == "invoice")
        .collect();
    if owed.is_empty() {
        return station;
    }
    let open: i64 = owed.iter().map(|item| item.open).sum();
    let overdue = owed
        .iter()
        .any(|item| item.open > 0 && calendar.days_since(&item.due).is_some_and(|days| days > 0));
    let currency = owed.first().map_or("USD", |item| item.currency.as_str());
    if open == 0 {
        station.class = "done";
        station.icon = show::icon("check");
    } else {
        let partly = owed.iter().any(|item| item.open != item.total);
        station.note = format!(
            "{} {}",
            crate::web::show::amount(open, currency),
            if overdue { "overdue" } else { "open" }
        );
        if overdue || partly {
            station.class = "stuck";
            station.icon = show::icon("queue");
        }
    }
    station
}
