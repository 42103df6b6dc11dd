//! Small whole orders, items and shipments for the table tests of this room.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::catalogue::{FulfilmentMode, Item, Warehouse};
use super::clock::Instant;
use super::ids::{
    CompanyId, DocumentId, InvoiceId, ItemId, OrderId, PartnerId, ShipmentId, WarehouseId,
};
use super::invoice::InvoiceKind;
use super::money::{Amount, Currency};
use super::order::{
    AcceptedLine, AskedLine, ItemNumber, Mode, Order, OrderDates, OrderHeader, OrderLine,
    OrderState, Party, Price, StoreQuantity,
};
use super::receivable::OpenItem;
use super::shared::Shared;
use super::shipment::{Carton, CartonContent, Shipment, ShipmentState};
use super::stock::Balance;

pub fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn noon(text: &str) -> Instant {
    day(text).and_hms_opt(12, 0, 0).unwrap().and_utc()
}

pub fn number(qualifier: &str, value: &str) -> ItemNumber {
    ItemNumber {
        qualifier: qualifier.into(),
        value: value.into(),
    }
}

/// Item 1 is A-1, and so on: counted in EA, a case of 12, half a kilogram.
pub fn item(id: i64) -> Item {
    Item {
        id: ItemId(id),
        code: format!("A-{id}"),
        upc: "036000291452".into(),
        description: "Thing".into(),
        base_unit: "EA".into(),
        case_pack: Some(Decimal::from(12)),
        units: Default::default(),
        grams: 500,
        discontinued: false,
    }
}

/// A line as the buyer writes it: item number `VN A-<line>`, 12.50 each.
pub fn line(nth: u32, ordered: &str, unit: &str) -> OrderLine {
    let asked = AskedLine {
        buyer_line: format!("{nth:03}"),
        ordered: decimal(ordered),
        unit: unit.into(),
        price: Some(Price {
            amount: decimal("12.50"),
            basis: String::new(),
        }),
        numbers: vec![number("VN", &format!("A-{nth}"))],
        description: String::new(),
        pack: None,
        stores: Vec::new(),
        dates: Default::default(),
        references: Vec::new(),
        segment_index: 10 + nth,
        byte: 1000 + u64::from(nth),
    };
    OrderLine::undecided_on(nth, asked)
}

/// What a warehouse has of item 1, all of it free.
pub fn balance(warehouse: i64, on_hand: &str) -> Balance {
    Balance {
        item: ItemId(1),
        warehouse: WarehouseId(warehouse),
        on_hand: decimal(on_hand),
        reserved: Decimal::ZERO,
        set_aside: Decimal::ZERO,
        uncounted: Decimal::ZERO,
    }
}

/// The same line as verification leaves it, of the item of its own number.
pub fn accepted(mut line: OrderLine, base_per_unit: &str) -> OrderLine {
    let price = line.price.clone().unwrap();
    let accepted = AcceptedLine {
        item: ItemId(line.line.into()),
        item_code: format!("A-{}", line.line),
        base_per_unit: decimal(base_per_unit),
        unit_price: price.amount,
        stated_price: price,
        price_changed: false,
        case_pack: Some(Decimal::from(12)),
        grams: 500,
        upc: String::new(),
        description: "Thing".into(),
    };
    line.accepted = Some(accepted.into());
    line
}

pub fn stores(quantities: &[(&str, &str)]) -> Vec<StoreQuantity> {
    quantities
        .iter()
        .map(|(store, quantity)| StoreQuantity {
            store: (*store).into(),
            quantity: decimal(quantity),
            delivery: 0,
        })
        .collect()
}

pub fn order(lines: Vec<OrderLine>) -> Order {
    Order {
        id: OrderId(7),
        company: CompanyId(1),
        partner: PartnerId(3),
        mode: Mode::Production,
        revision: 1,
        header: Shared::from(OrderHeader {
            purpose: "00".into(),
            kind: "SA".into(),
            po_number: "PO1".into(),
            release: String::new(),
            po_date: day("2026-03-01"),
            department: "077".into(),
            vendor_number: String::new(),
            currency: Currency::USD,
            dates: OrderDates::default(),
            terms: None,
            parties: vec![Party {
                role: "ST".into(),
                id: "0100".into(),
                ..Party::default()
            }],
            contacts: Vec::new(),
            references: Vec::new(),
            charges: Vec::new(),
            notes: Vec::new(),
            deliveries: Vec::new(),
            freight: String::new(),
            carrier: String::new(),
            routing: String::new(),
            unused: Vec::new(),
        }),
        lines,
        state: OrderState::Received,
        reading: Vec::new(),
        findings: Vec::new(),
        source: DocumentId(1),
        received_at: noon("2026-03-01"),
        answers: 0,
        invoices: 0,
    }
}

pub fn warehouse(id: i64, code: &str) -> Warehouse {
    Warehouse {
        id: WarehouseId(id),
        code: code.into(),
        name: code.into(),
        street: String::new(),
        city: String::new(),
        state: String::new(),
        postal_code: String::new(),
        country: String::new(),
        zone: "America/New_York".into(),
        fulfilment: FulfilmentMode::Person,
        carrier: String::new(),
    }
}

pub fn content(line: u32, quantity: &str) -> CartonContent {
    CartonContent {
        order: OrderId(7),
        po_number: "PO1".into(),
        line,
        item: format!("A-{line}"),
        quantity: decimal(quantity),
        unit: "EA".into(),
        delivery: 0,
    }
}

pub fn carton(sscc: &str, store: &str, contents: Vec<CartonContent>) -> Carton {
    Carton {
        sscc: sscc.into(),
        store: store.into(),
        contents: contents.into(),
        grams: 0,
        tracking: Default::default(),
        pallet: Default::default(),
    }
}

/// A planned shipment of warehouse 1, EAST.
pub fn shipment(id: i64, cartons: Vec<Carton>) -> Shipment {
    Shipment {
        id: ShipmentId(id),
        company: CompanyId(1),
        partner: PartnerId(3),
        mode: Mode::Production,
        warehouse: WarehouseId(1),
        warehouse_code: "EAST".into(),
        ship_to: Party::default(),
        cartons,
        carrier: "ABCD".into(),
        tracking: String::new(),
        bill_of_lading: format!("BOL{id}"),
        not_before: None,
        not_after: None,
        expected_delivery: None,
        window_override: None,
        state: ShipmentState::Planned,
        revision: 1,
    }
}

/// An open invoice of PO1: `total` cents, 2 % of discount until the 25th of January, due on the 14th of February.
pub fn open_item(id: i64, number: &str, total: i64) -> OpenItem {
    OpenItem {
        invoice: InvoiceId(id),
        number: number.into(),
        kind: if total < 0 {
            InvoiceKind::Credit
        } else {
            InvoiceKind::Invoice
        },
        partner: PartnerId(3),
        po_number: format!("PO{id}"),
        currency: Currency::USD,
        total: Amount(total),
        open: Amount(total),
        disputed: Amount::ZERO,
        discount: Amount(total.max(0) / 50),
        discount_until: Some(day("2026-01-25")),
        due: day("2026-02-14"),
        written_off: Amount::ZERO,
    }
}
