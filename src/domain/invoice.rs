//! Invoices: what shipped, at the agreed price, with allowances and charges, proven to add up before it is queued.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ids::{CompanyId, InvoiceId, OrderId, PartnerId, ShipmentId};
use super::money::{Amount, Currency};
use super::order::{ChargeKind, ItemNumber, Mode, Party, Price};
use super::terms::Terms;

/// Invoice or credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceKind {
    /// The buyer owes us.
    Invoice,
    /// We owe the buyer.
    Credit,
}

impl InvoiceKind {
    /// The word in listings.
    pub fn word(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::Credit => "credit",
        }
    }
}

/// One line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceLine {
    /// Our line number of the order.
    pub order_line: u32,
    /// The buyer's line number, possibly empty.
    #[serde(default)]
    pub buyer_line: String,
    /// Our item code.
    pub item: String,
    /// The ids that the buyer used.
    #[serde(default)]
    pub numbers: Vec<ItemNumber>,
    /// In words.
    #[serde(default)]
    pub description: String,
    /// Shipped and invoiced, in `unit`.
    pub quantity: Decimal,
    /// The order's unit.
    pub unit: String,
    /// The price as stated, in the buyer's basis.
    pub price: Price,
    /// Agreed price per `unit`, exact; quantity × this is the extension.
    pub unit_price: Decimal,
    /// Rounded extension.
    pub extension: Amount,
    /// Allowances and charges of the line.
    #[serde(default)]
    pub charges: Vec<InvoiceCharge>,
}

/// An allowance or charge with its settled amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceCharge {
    /// Takes off, adds, or only tells.
    pub kind: ChargeKind,
    /// SAC02.
    pub code: String,
    /// Unsigned.
    pub amount: Amount,
    /// The percentage it was computed from.
    #[serde(default)]
    pub percent: Option<Decimal>,
    /// SAC12.
    #[serde(default)]
    pub handling: String,
    /// SAC15.
    #[serde(default)]
    pub description: String,
}

/// An invoice or credit memo as it was issued; never changed afterwards. What is owed of it is the receivable's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// Its number in the database.
    pub id: InvoiceId,
    /// What the buyer sees, unique per company for ever.
    pub number: String,
    /// Invoice or credit.
    pub kind: InvoiceKind,
    /// Issued by.
    pub company: CompanyId,
    /// Owed by.
    pub partner: PartnerId,
    /// Production or test.
    pub mode: Mode,
    /// The order it bills.
    pub order: OrderId,
    /// The buyer's number of it.
    pub po_number: String,
    /// Date of the PO.
    pub po_date: NaiveDate,
    /// The shipments it bills.
    pub shipments: Vec<ShipmentId>,
    /// Bill of lading of the shipment, for the 810's REF.
    #[serde(default)]
    pub bill_of_lading: String,
    /// SCAC of the shipment.
    #[serde(default)]
    pub carrier: String,
    /// The store it is for, empty where it is for all.
    #[serde(default)]
    pub store: String,
    /// Date of the invoice.
    pub date: NaiveDate,
    /// When the goods left.
    pub shipped_on: NaiveDate,
    /// When it is due.
    pub due: NaiveDate,
    /// Until when the discount holds.
    #[serde(default)]
    pub discount_until: Option<NaiveDate>,
    /// What may be taken off when paid in time.
    #[serde(default)]
    pub discount: Amount,
    /// The terms it is under.
    pub terms: Terms,
    /// Currency.
    pub currency: Currency,
    /// Goods.
    pub lines: Vec<InvoiceLine>,
    /// Allowances and charges of the whole.
    #[serde(default)]
    pub charges: Vec<InvoiceCharge>,
    /// What is owed: lines and charges, before discount.
    pub total: Amount,
    /// Parties for the 810.
    #[serde(default)]
    pub parties: Vec<Party>,
    /// Department and vendor number of the order, for the 810's REF.
    #[serde(default)]
    pub references: Vec<super::order::Reference>,
}

/// Why an invoice was not issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvoiceRefusal {
    /// The sum identity failed (X12-RULES 77).
    #[error(
        "invoice {number}: lines and charges add up to {computed}, the total says {total}; nothing was sent"
    )]
    DoesNotAddUp {
        /// Number of the invoice.
        number: String,
        /// Sum of lines and charges, minor units.
        computed: i64,
        /// Stated total, minor units.
        total: i64,
    },
    /// More than shipped.
    #[error("invoice {number} bills {billed} of line {line}, of which {shipped} shipped")]
    MoreThanShipped {
        /// Number of the invoice.
        number: String,
        /// Order line.
        line: u32,
        /// Billed in all.
        billed: Decimal,
        /// Shipped in all.
        shipped: Decimal,
    },
    /// Allowances exceed the goods.
    #[error(
        "invoice {number} would come to {total} minor units, below zero: allowances exceed the goods; look at the order's allowances"
    )]
    BelowZero {
        /// Number of the invoice.
        number: String,
        /// Total in minor units.
        total: i64,
    },
    /// An amount beyond 64 bits.
    #[error(transparent)]
    Overflow(#[from] super::money::AmountOverflow),
}
