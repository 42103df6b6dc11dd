//! Orders with their lines and the documents of their whole thread.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use serde::Serialize;

use super::documents::{DocumentBrief, THREAD};
use super::{Conditions, FindingListing, Page, decimal, from_body, instant, money};
use crate::domain::clock::Instant;
use crate::domain::ids::{OrderId, PartnerId};
use crate::domain::order::{Mode, Order, OrderHeader, OrderLine, OrderState, Party, UnusedSegment};
use crate::storage::connection::{Bind, Connection, list};
use crate::storage::failure::Failure;
use crate::storage::row::{self, DriverError, Readable};

/// Which orders.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    /// Of this partner.
    pub partner: Option<PartnerId>,
    /// In this state: `held`, `confirmed` …
    pub status: Option<String>,
    /// Production or test.
    pub mode: Option<Mode>,
    /// With this PO number.
    pub po_number: Option<String>,
    /// This one.
    pub order: Option<OrderId>,
    /// Which part of them, newest first; the cursor is the order's number.
    pub page: Page,
}

/// An order in a listing.
#[derive(Debug, Clone, Serialize)]
pub struct OrderListing {
    /// Our number of it.
    pub order: String,
    /// The buyer's.
    pub po_number: String,
    /// Code of the partner.
    pub partner: String,
    /// `production` or `test`.
    pub mode: String,
    /// Word of its state.
    pub status: String,
    /// When it came in.
    pub received_at: Instant,
    /// Ordered goods at agreed prices, rejected lines left out, in major units.
    pub value: String,
    /// Currency of `value` and of all prices.
    pub currency: String,
    /// Date of the PO.
    pub po_date: NaiveDate,
    /// BEG04, empty where there is none.
    pub release: String,
    /// Name of the buying party, or the partner's.
    pub buyer: String,
    /// Number of the ship-to, empty where there is none or the lines go to several.
    pub ship_to: String,
    /// May not ship before.
    pub ship_not_before: Option<NaiveDate>,
    /// Ship no later than.
    pub ship_no_later: Option<NaiveDate>,
    /// Delivery asked for.
    pub delivery_requested: Option<NaiveDate>,
    /// Cancelled when not shipped by.
    pub cancel_after: Option<NaiveDate>,
    /// Why it waits for a person or was rejected, empty otherwise.
    pub reasons: Vec<FindingListing>,
    /// Lines.
    pub lines: Vec<OrderLineListing>,
    /// Every document of the order's thread, oldest first.
    pub documents: Vec<DocumentBrief>,
}

/// A line of an order in a listing. Quantities are in `unit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderLineListing {
    /// Our number of the line, from 1.
    pub line: u32,
    /// The buyer's number of it (PO101), possibly empty.
    pub buyer_line: String,
    /// Our item code, or the buyer's first number of it while we know none.
    pub item: String,
    /// In words.
    pub description: String,
    /// How it is shared among stores and deliveries, empty where all of it goes to the order's ship-to.
    pub shares: Vec<ShareListing>,
    /// Ordered.
    pub ordered: String,
    /// Unit of measure.
    pub unit: String,
    /// Agreed price per unit in major units; null: not settled.
    pub unit_price: Option<String>,
    /// Promised out of stock.
    pub confirmed: String,
    /// Shipped so far.
    pub shipped: String,
    /// Invoiced so far.
    pub invoiced: String,
    /// Waits for stock.
    pub backordered: String,
    /// Refused or cut.
    pub refused: String,
    /// Word of the line's state.
    pub status: String,
    /// Why it was refused or cut, in a word; null: it was not.
    pub refusal: Option<String>,
    /// When the backordered part is expected to ship.
    pub backorder_date: Option<NaiveDate>,
    /// Of the backordered part, what is there and set aside, because the order ships complete.
    pub set_aside: String,
}

/// How much of a line goes to one store, or to one place on days of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShareListing {
    /// Store that the goods are marked for, possibly empty.
    pub store: String,
    /// Number, or else name, of the place that they go to, possibly empty.
    pub ship_to: String,
    /// In the line's unit.
    pub quantity: String,
    /// Qualifier → day, where the share has days of its own.
    pub dates: BTreeMap<String, NaiveDate>,
}

/// One order with all that its page shows.
#[derive(Debug, Clone, Serialize)]
pub struct OrderDetail {
    /// As in the listing.
    #[serde(flatten)]
    pub listing: OrderListing,
    /// Everything verification remarked.
    pub findings: Vec<FindingListing>,
    /// Parties as the buyer gave them.
    pub parties: Vec<Party>,
    /// Free text of the order.
    pub notes: Vec<String>,
    /// Segments that no rule uses.
    pub unused_segments: Vec<UnusedSegment>,
    /// Numbers of its shipments.
    pub shipments: Vec<String>,
    /// Numbers of its invoices.
    pub invoices: Vec<String>,
    /// The whole order, for the console.
    #[serde(skip)]
    pub order: Order,
}

row! {
    struct Row {
        id: i64,
        partner: String,
        partner_name: String,
        value: i64,
        currency: String,
        received_at: i64,
        body: String,
    }
}

const SELECT: &str = "SELECT o.id, p.code AS partner, p.name AS partner_name, o.value, o.currency, o.received_at, o.body
    FROM purchase_order o LEFT JOIN partner p ON p.id = o.partner_id";

fn shares(header: &OrderHeader, line: &OrderLine) -> Vec<ShareListing> {
    line.stores
        .iter()
        .map(|share| {
            let to = header.destination(share.delivery, &share.store, "");
            let ship_to = if to.id.is_empty() { to.name } else { to.id };
            ShareListing {
                store: share.store.clone(),
                ship_to,
                quantity: decimal(share.quantity),
                dates: header
                    .delivery(share.delivery)
                    .map(|delivery| delivery.dates.clone())
                    .unwrap_or_default(),
            }
        })
        .collect()
}

impl OrderLineListing {
    fn of(header: &OrderHeader, line: &OrderLine) -> Self {
        let accepted = line.accepted.as_ref();
        Self {
            line: line.line,
            buyer_line: line.buyer_line.clone(),
            item: accepted.map_or_else(
                || {
                    line.numbers
                        .first()
                        .map(|number| number.value.clone())
                        .unwrap_or_default()
                },
                |accepted| accepted.item_code.clone(),
            ),
            description: accepted
                .map(|accepted| accepted.description.clone())
                .filter(|description| !description.is_empty())
                .unwrap_or_else(|| line.description.clone()),
            shares: shares(header, line),
            ordered: decimal(line.ordered),
            unit: line.unit.clone(),
            unit_price: accepted
                .map(|accepted| accepted.unit_price)
                .or(line.price.as_ref().map(|price| price.amount))
                .map(|price| price.to_string()),
            confirmed: decimal(line.confirmed),
            shipped: decimal(line.shipped),
            invoiced: decimal(line.invoiced),
            backordered: decimal(line.backordered),
            refused: decimal(line.refused),
            status: line.status().word().to_owned(),
            refusal: line.refusal.and_then(|refusal| {
                serde_json::to_value(refusal)
                    .ok()?
                    .as_str()
                    .map(str::to_owned)
            }),
            backorder_date: line.backorder_date,
            set_aside: decimal(line.set_aside_units()),
        }
    }
}

fn listing(
    row: Row,
    order: &Order,
    documents: Vec<DocumentBrief>,
) -> Result<OrderListing, Failure> {
    let (value, currency) = money("purchase_order", row.id, row.value, &row.currency)?;
    let header = &order.header;
    let reasons = match &order.state {
        OrderState::Held { reasons, .. } => reasons.iter().cloned().map(Into::into).collect(),
        OrderState::Rejected { reason } => vec![FindingListing::from(
            crate::domain::finding::Finding::business(
                "order-rejected",
                crate::domain::finding::Severity::Reject,
                reason,
            ),
        )],
        _ => Vec::new(),
    };
    Ok(OrderListing {
        order: order.id.to_string(),
        po_number: header.po_number.clone(),
        partner: row.partner,
        mode: order.mode.word().to_owned(),
        status: order.state.word().to_owned(),
        received_at: instant("purchase_order", row.received_at)?,
        value,
        currency: currency.to_string(),
        po_date: header.po_date,
        release: header.release.clone(),
        buyer: header
            .party("BY")
            .map(|party| party.name.clone())
            .filter(|name| !name.is_empty())
            .unwrap_or(row.partner_name),
        ship_to: header
            .ship_to()
            .map(|party| party.id.clone())
            .unwrap_or_default(),
        ship_not_before: header.dates.ship_not_before,
        ship_no_later: header.dates.ship_no_later,
        delivery_requested: header.dates.delivery_requested,
        cancel_after: header.dates.cancel_after,
        reasons,
        lines: order
            .lines
            .iter()
            .map(|line| OrderLineListing::of(header, line))
            .collect(),
        documents,
    })
}

/// Orders, newest first, each with its lines and its documents.
pub async fn orders(
    connection: &mut Connection,
    filter: &OrderFilter,
) -> Result<Vec<OrderListing>, Failure> {
    Ok(read(connection, filter)
        .await?
        .into_iter()
        .map(|(listing, _)| listing)
        .collect())
}

async fn read(
    connection: &mut Connection,
    filter: &OrderFilter,
) -> Result<Vec<(OrderListing, Order)>, Failure> {
    let mut conditions = Conditions::new();
    conditions.and_some("o.id = ?", filter.order);
    // Those of the test have an index of their own, in the order that is asked for.
    let plus = match filter.mode {
        Some(Mode::Test) if connection.is_sqlite() => "+",
        _ => "",
    };
    conditions.and_some(&format!("{plus}o.partner_id = ?"), filter.partner);
    conditions.and_some(&format!("{plus}o.status = ?"), filter.status.clone());
    conditions.and_mode("o.mode", filter.mode);
    conditions.and_some("o.po_number = ?", filter.po_number.clone());
    let (sql, binds) = conditions.newest_first(SELECT, "o.id", filter.page);
    let rows: Vec<Row> = connection.rows(&sql, binds).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut documents = documents_of(connection, &ids).await?;
    rows.into_iter()
        .map(|row| {
            let order: Order = from_body("purchase_order", row.id, &row.body)?;
            let documents = documents.remove(&row.id).unwrap_or_default();
            Ok((listing(row, &order, documents)?, order))
        })
        .collect()
}

/// Orders by one query whatever their number: those that share the order's subjects, its 850 and what we answered it.
async fn documents_of(
    connection: &mut Connection,
    orders: &[i64],
) -> Result<HashMap<i64, Vec<DocumentBrief>>, Failure> {
    struct Of {
        order_id: i64,
        document: DocumentBrief,
    }
    impl Readable for Of {
        fn read(row: &row::Row<'_>) -> Result<Self, DriverError> {
            Ok(Self {
                order_id: row.named("order_id")?,
                document: DocumentBrief::read(row)?,
            })
        }
    }
    let mut found: HashMap<i64, BTreeMap<i64, DocumentBrief>> = HashMap::new();
    for chunk in orders.chunks(500) {
        let ids = list(chunk.len(), 0);
        let sql = THREAD.replace("{orders}", &ids);
        let binds: Vec<Bind> = chunk.iter().map(|id| (*id).into()).collect();
        for row in connection.rows::<Of>(&sql, binds).await? {
            found
                .entry(row.order_id)
                .or_default()
                .insert(row.document.number, row.document);
        }
    }
    Ok(found
        .into_iter()
        .map(|(order, documents)| (order, documents.into_values().collect()))
        .collect())
}

/// One order with all that its page shows.
pub async fn order(
    connection: &mut Connection,
    id: OrderId,
) -> Result<Option<OrderDetail>, Failure> {
    let filter = OrderFilter {
        order: Some(id),
        ..OrderFilter::default()
    };
    let Some((listing, order)) = read(connection, &filter).await?.into_iter().next() else {
        return Ok(None);
    };
    let shipments: Vec<(i64,)> = connection
        .rows(
            "SELECT shipment_id FROM shipment_order WHERE order_id = $1 ORDER BY shipment_id",
            crate::binds![id],
        )
        .await?;
    let invoices: Vec<(String,)> = connection
        .rows(
            "SELECT number FROM invoice WHERE order_id = $1 ORDER BY id",
            crate::binds![id],
        )
        .await?;
    Ok(Some(OrderDetail {
        listing,
        findings: order.findings.iter().cloned().map(Into::into).collect(),
        parties: order.header.parties.clone(),
        notes: order.header.notes.clone(),
        unused_segments: order.header.unused.clone(),
        shipments: shipments.into_iter().map(|row| row.0.to_string()).collect(),
        invoices: invoices.into_iter().map(|row| row.0).collect(),
        order,
    }))
}
