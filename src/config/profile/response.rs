//! The purchase order acknowledgment (855): when it is sent and in which codes.

use serde::{Deserialize, Serialize};

use crate::domain::order::LineRefusal;

/// The 855.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Response {
    /// For which orders one is sent.
    pub when: ResponseWhen,
    /// Which lines are repeated in it (PO1 and ACK).
    pub detail: ResponseDetail,
    /// BAK02 where every line is accepted as ordered.
    pub accepted_code: String,
    /// BAK02 where anything differs from the order.
    pub changed_code: String,
    /// BAK02 where nothing will be shipped.
    pub rejected_code: String,
    /// How a line is answered of which only a part is confirmed.
    pub partial: PartialLine,
    /// DTM qualifier (ACK04) of the date on confirmed quantities; empty: no date.
    pub confirmed_date: String,
    /// DTM qualifier (ACK04) of the date on backordered quantities; empty: no date.
    pub backorder_date: String,
    /// Another 855 follows when what the first one said changes (a backorder that can ship, a cut).
    pub again_on_change: bool,
    /// ACK01 for each course a line can take.
    pub line_codes: LineCodes,
}

impl Default for Response {
    fn default() -> Self {
        Self {
            when: ResponseWhen::Always,
            detail: ResponseDetail::All,
            accepted_code: "AD".to_owned(),
            changed_code: "AC".to_owned(),
            rejected_code: "RD".to_owned(),
            partial: PartialLine::Split,
            confirmed_date: "068".to_owned(),
            backorder_date: "068".to_owned(),
            again_on_change: true,
            line_codes: LineCodes::default(),
        }
    }
}

/// For which orders an 855 is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseWhen {
    /// For each.
    #[default]
    Always,
    /// Only where something differs from the order.
    ExceptionsOnly,
}

/// Which lines an 855 repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseDetail {
    /// All.
    #[default]
    All,
    /// Those that differ from the order.
    Exceptions,
    /// None: only the header answers.
    None,
}

/// How a partly confirmed line is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartialLine {
    /// One ACK for each part (confirmed, backordered, refused); the quantities add up to the ordered one.
    #[default]
    Split,
    /// One ACK with the confirmed quantity and the code `quantity_changed`, or `partial_backorder` where the rest waits.
    Single,
}

/// ACK01, the partner's dialect. Values beyond X12's own list are allowed: marketplaces have their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LineCodes {
    /// As ordered.
    pub accepted: String,
    /// Waits for stock.
    pub backordered: String,
    /// Confirmed in a smaller quantity, with `partial = "single"`.
    pub quantity_changed: String,
    /// Partly confirmed, the rest waits, with `partial = "single"`.
    pub partial_backorder: String,
    /// Accepted at our price.
    pub price_changed: String,
    /// Refused: we know no such item.
    pub item_unknown: String,
    /// Refused: no longer sold.
    pub discontinued: String,
    /// Refused: price differs.
    pub price_differs: String,
    /// Refused: unit of measure.
    pub unit_unknown: String,
    /// Refused: quantity.
    pub quantity_invalid: String,
    /// Cut: not enough stock, no backorders.
    pub out_of_stock: String,
    /// Refused: store or ship-to unknown.
    pub location_unknown: String,
    /// Refused with the whole order.
    pub order_rejected: String,
    /// Cancelled after it was promised.
    pub cancelled: String,
}

impl Default for LineCodes {
    fn default() -> Self {
        let code = |text: &str| text.to_owned();
        Self {
            accepted: code("IA"),
            backordered: code("IB"),
            quantity_changed: code("IQ"),
            partial_backorder: code("BP"),
            price_changed: code("IP"),
            item_unknown: code("IR"),
            discontinued: code("IR"),
            price_differs: code("IR"),
            unit_unknown: code("IR"),
            quantity_invalid: code("IR"),
            out_of_stock: code("ID"),
            location_unknown: code("IR"),
            order_rejected: code("IR"),
            cancelled: code("ID"),
        }
    }
}

impl LineCodes {
    /// ACK01 for a refused part.
    pub fn refusal(&self, refusal: LineRefusal) -> &str {
        match refusal {
            LineRefusal::ItemUnknown => &self.item_unknown,
            LineRefusal::Discontinued => &self.discontinued,
            LineRefusal::PriceDiffers => &self.price_differs,
            LineRefusal::UnitUnknown => &self.unit_unknown,
            LineRefusal::QuantityInvalid => &self.quantity_invalid,
            LineRefusal::OutOfStock => &self.out_of_stock,
            LineRefusal::LocationUnknown => &self.location_unknown,
            LineRefusal::OrderRejected => &self.order_rejected,
            LineRefusal::Cancelled => &self.cancelled,
        }
    }

    /// Every code with its key, for checks.
    pub fn all(&self) -> [(&'static str, &str); 14] {
        [
            ("accepted", &self.accepted),
            ("backordered", &self.backordered),
            ("quantity_changed", &self.quantity_changed),
            ("partial_backorder", &self.partial_backorder),
            ("price_changed", &self.price_changed),
            ("item_unknown", &self.item_unknown),
            ("discontinued", &self.discontinued),
            ("price_differs", &self.price_differs),
            ("unit_unknown", &self.unit_unknown),
            ("quantity_invalid", &self.quantity_invalid),
            ("out_of_stock", &self.out_of_stock),
            ("location_unknown", &self.location_unknown),
            ("order_rejected", &self.order_rejected),
            ("cancelled", &self.cancelled),
        ]
    }
}
