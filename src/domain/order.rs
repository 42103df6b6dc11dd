//! The order: what the buyer asked for, line by line, and how far it has come.
//!
//! An order belongs to company, buyer and mode. [`OrderState`] holds what is true of the order as a whole and moves by
//! pure consuming transitions; a line carries its quantities and never loses one:
//! ordered = confirmed + backordered + refused (property-tested in `tests/`).

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, Serializer};

use super::clock::Instant;
use super::delivery::Delivery;
use super::finding::Finding;
use super::ids::{CompanyId, DocumentId, ItemId, OrderId, PartnerId, WarehouseId};
use super::money::{Amount, Currency};
use super::shared::Shared;
use super::terms::Terms;

/// Production or test: part of every key, counter, stock and ledger row. Test traffic has its own world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// ISA15 = P.
    Production,
    /// ISA15 = T.
    Test,
}

impl Mode {
    /// The word in listings and in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Test => "test",
        }
    }
}

impl std::str::FromStr for Mode {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "production" => Ok(Self::Production),
            "test" => Ok(Self::Test),
            other => Err(format!("{other:?} is no mode: production or test")),
        }
    }
}

/// A party of the order: ship-to, bill-to, vendor and the rest (N1 loop).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// N101: ST ship-to, BY buyer, BT bill-to, SF ship-from, VN vendor, Z7 mark-for.
    pub role: String,
    /// Name, empty where the document gives only a number.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// N103: 92 assigned by buyer, 91 by seller, 9 and 1 D-U-N-S, UL GLN.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id_qualifier: String,
    /// N104.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Second name and street lines, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub street: Vec<String>,
    /// City.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub city: String,
    /// State or province code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// Postal code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub postal_code: String,
    /// Country code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub country: String,
}

/// A reference number with its qualifier (REF, N9): DP department, IA vendor number, MR merchandise type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// REF01.
    pub qualifier: String,
    /// REF02.
    pub value: String,
    /// REF03.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// A contact (PER).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// PER01: BD buyer, OC order contact.
    pub role: String,
    /// PER02.
    pub name: String,
    /// Pairs of kind (TE, EM, FX) and number.
    pub numbers: Vec<(String, String)>,
}

/// Whether a [`Charge`] takes off or adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeKind {
    /// SAC01 = A.
    Allowance,
    /// SAC01 = C.
    Charge,
    /// SAC01 = N: shown, never summed.
    Information,
}

/// An allowance or charge (SAC), of the header or of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// Takes off, adds, or only tells.
    pub kind: ChargeKind,
    /// SAC02, such as C310 discount, D240 freight.
    pub code: String,
    /// SAC05, unsigned; wins over percent and rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// SAC07, in percent of the amount it applies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<Decimal>,
    /// SAC08, per unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Decimal>,
    /// SAC10, the quantity that the rate applies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Decimal>,
    /// SAC12: 01 bill back, 02 off invoice, 05 paid by vendor, 06 paid by customer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub handling: String,
    /// SAC15.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How much of a fixed allowance entered invoices so far, unsigned; the rest waits for goods that bear it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub granted: Amount,
}

impl Charge {
    /// Whether it enters the invoice's total: information, bill-back (01) and paid-by-vendor (05) do not (X12-RULES 77).
    pub fn is_summed(&self) -> bool {
        self.kind != ChargeKind::Information && self.handling != "01" && self.handling != "05"
    }
}

/// The dates of an order (DTM of the header), each as the buyer gave it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDates {
    /// 037: do not ship before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_not_before: Option<NaiveDate>,
    /// 010: requested ship date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_requested: Option<NaiveDate>,
    /// 038: ship no later than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_no_later: Option<NaiveDate>,
    /// 002: delivery requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_requested: Option<NaiveDate>,
    /// 001: cancel if not shipped by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_after: Option<NaiveDate>,
    /// Others, qualifier → date.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub other: BTreeMap<String, NaiveDate>,
}

/// An identification of the item as the buyer wrote it: UP, EN, UK, IN, SK, VN, VA, CB, BP …
///
/// It is kept as a pair, for an order has dozens; as the two by their names it is read as well.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct ItemNumber {
    /// Element 235.
    pub qualifier: String,
    /// Element 234.
    pub value: String,
}

impl Serialize for ItemNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.qualifier, &self.value).serialize(serializer)
    }
}

/// How much of a line goes to one store (SDQ), or with one delivery (SCH, N1 with ST below the line).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreQuantity {
    /// The buyer's number of the store that the goods are marked for, empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub store: String,
    /// In the line's unit.
    pub quantity: Decimal,
    /// Number of the [`Delivery`] that it travels with; 0: to the order's own ship-to, in its own window.
    #[serde(default, skip_serializing_if = "is_default")]
    pub delivery: u32,
}

/// Whether a value is left out of what is stored: it is read so where it is missing.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A segment that no rule used: kept and shown, never dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnusedSegment {
    /// Position in the set, ST = 1.
    pub index: u32,
    /// Its text with `*` between elements, whatever the file's own separator.
    pub text: String,
}

/// A price with the unit it is per.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// In major units of the order's currency, as many decimals as given.
    pub amount: Decimal,
    /// Element 639 as given, empty where blank: per the line's own unit (X12-RULES 52).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub basis: String,
}

/// What the buyer wrote of a line, which nothing changes later. Quantities are in `unit` unless they say otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedLine {
    /// The buyer's own line number (PO101), text, possibly empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub buyer_line: String,
    /// Ordered (PO102).
    pub ordered: Decimal,
    /// Unit of measure (PO103).
    pub unit: String,
    /// The buyer's price (PO104, PO105); none: the price list decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// The item as the buyer identifies it.
    pub numbers: Vec<ItemNumber>,
    /// PID05.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// PO401, inner units in a case as the buyer understands it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack: Option<Decimal>,
    /// Distribution over stores (SDQ) and deliveries (SCH, N1), those that leave first in front; empty where all goes to
    /// the order's own ship-to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stores: Vec<StoreQuantity>,
    /// Dates of the line (DTM under PO1), qualifier → date.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dates: BTreeMap<String, NaiveDate>,
    /// References of the line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference>,
    /// Index of the PO1 in its set, so that a finding about the line can be shown at its byte.
    #[serde(default)]
    pub segment_index: u32,
    /// Byte offset of the PO1 in the received file.
    #[serde(default)]
    pub byte: u64,
}

/// One line of the order: what was asked for, as which it can be read itself, and how far it has come. Quantities are in
/// `unit` unless they say otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// Our stable number of the line within the order, from 1. Never reused.
    pub line: u32,
    /// As the buyer wrote it.
    #[serde(flatten)]
    pub asked: Shared<AskedLine>,
    /// Allowances and charges of the line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<Charge>,
    /// What verification made of the line; none before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Shared<AcceptedLine>>,
    /// Why the line was refused or cut, in a word (`item-unknown`), where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<LineRefusal>,
    /// Promised out of stock.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub confirmed: Decimal,
    /// Accepted but waiting for stock.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub backordered: Decimal,
    /// Refused or cut: never to be shipped.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub refused: Decimal,
    /// Shipped so far.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub shipped: Decimal,
    /// Invoiced so far.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub invoiced: Decimal,
    /// When the backordered part is expected to ship, from what is available to promise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backorder_date: Option<NaiveDate>,
    /// What of receipts to come is promised to the backordered part; empty where they do not cover all of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub awaits: Vec<Awaited>,
    /// What of stock is set aside for the backordered part, until the rest of an order comes in that ships complete.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<SetAside>,
    /// Where the confirmed part comes from; the sum is `confirmed`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<LineSource>,
}

/// What verification settled for a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedLine {
    /// The item of our catalogue.
    pub item: ItemId,
    /// Our own code of the item.
    pub item_code: String,
    /// Base units (the item's stock unit) in one ordered unit.
    pub base_per_unit: Decimal,
    /// Agreed price per **ordered** unit, exact, after conversion of the basis.
    pub unit_price: Decimal,
    /// The price as we will state it, in the buyer's own basis (855, 810).
    pub stated_price: Price,
    /// Ours differs from the buyer's: the 855 says so.
    #[serde(default, skip_serializing_if = "is_default")]
    pub price_changed: bool,
    /// Base units in a case, for packing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_pack: Option<Decimal>,
    /// Grams of one base unit, 0 where not known.
    #[serde(default, skip_serializing_if = "is_default")]
    pub grams: i64,
    /// UPC or GTIN for documents, empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub upc: String,
    /// Description from our catalogue.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// Why a line, or a part of it, will not be shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineRefusal {
    /// No item of ours has any of these numbers.
    ItemUnknown,
    /// The item is no longer sold.
    Discontinued,
    /// The price differs by more than the partner's tolerance, or there is none.
    PriceDiffers,
    /// The unit of measure can not be converted to the item's.
    UnitUnknown,
    /// The quantity is no whole number of packs, is zero, negative or absurd, does not match the stores, or repeats what
    /// another line orders.
    QuantityInvalid,
    /// Not enough stock, and the partner takes no backorders.
    OutOfStock,
    /// The store or ship-to is not known.
    LocationUnknown,
    /// The whole order was refused.
    OrderRejected,
    /// It was promised and cancelled before it left, as the buyer asked for or we had to.
    Cancelled,
}

/// Part of a receipt to come that is promised to what waits of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaited {
    /// Where it comes in.
    pub warehouse: WarehouseId,
    /// The day it was expected for when it was promised.
    pub on: NaiveDate,
    /// Base units.
    pub base: Decimal,
}

/// Stock that is held for what waits of a line, and not confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// Where it is.
    pub warehouse: WarehouseId,
    /// Base units.
    pub base: Decimal,
}

/// Where a confirmed quantity comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSource {
    /// The warehouse.
    pub warehouse: WarehouseId,
    /// In the line's unit.
    pub quantity: Decimal,
    /// How much of it has gone into shipments, planned or shipped.
    #[serde(default)]
    pub released: Decimal,
    /// How much of `released` is marked for which store, so that each store gets what it ordered over several
    /// shipments; the sum is at most `released`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stores: Vec<StoreQuantity>,
}

/// The course of a line, as shown in listings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineStatus {
    /// Not verified or not allocated yet.
    Open,
    /// All of it promised.
    Confirmed,
    /// Some of it waits for stock.
    Backordered,
    /// Some of it shipped.
    PartlyShipped,
    /// All that will be shipped has been.
    Shipped,
    /// All that was shipped has been invoiced.
    Invoiced,
    /// None of it will be shipped.
    Rejected,
}

impl LineStatus {
    /// The word in listings.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Confirmed => "confirmed",
            Self::Backordered => "backordered",
            Self::PartlyShipped => "partly_shipped",
            Self::Shipped => "shipped",
            Self::Invoiced => "invoiced",
            Self::Rejected => "rejected",
        }
    }
}

impl Deref for OrderLine {
    type Target = AskedLine;
    fn deref(&self) -> &AskedLine {
        &self.asked
    }
}

impl DerefMut for OrderLine {
    fn deref_mut(&mut self) -> &mut AskedLine {
        &mut self.asked
    }
}

impl OrderLine {
    /// A line of which nothing has been decided yet.
    pub fn undecided_on(line: u32, asked: AskedLine) -> Self {
        Self {
            line,
            asked: asked.into(),
            charges: Vec::new(),
            accepted: None,
            refusal: None,
            confirmed: Decimal::ZERO,
            backordered: Decimal::ZERO,
            refused: Decimal::ZERO,
            shipped: Decimal::ZERO,
            invoiced: Decimal::ZERO,
            backorder_date: None,
            awaits: Vec::new(),
            set_aside: Vec::new(),
            sources: Vec::new(),
        }
    }

    /// Of the backordered part, what is there and set aside for it, in the line's unit.
    pub fn set_aside_units(&self) -> Decimal {
        let base: Decimal = self.set_aside.iter().map(|held| held.base).sum();
        let per_unit = self
            .accepted
            .as_ref()
            .map_or(Decimal::ONE, |accepted| accepted.base_per_unit);
        base.checked_div(per_unit).unwrap_or(base)
    }

    /// The line's status, derived from its quantities.
    pub fn status(&self) -> LineStatus {
        let shippable = self.confirmed + self.backordered;
        if self.refusal.is_some() && self.refused == self.ordered {
            LineStatus::Rejected
        } else if self.accepted.is_none() || shippable.is_zero() {
            LineStatus::Open
        } else if self.shipped >= shippable {
            if self.invoiced >= self.shipped {
                LineStatus::Invoiced
            } else {
                LineStatus::Shipped
            }
        } else if self.shipped > Decimal::ZERO && self.shipped < self.confirmed {
            LineStatus::PartlyShipped
        } else if self.backordered > Decimal::ZERO {
            LineStatus::Backordered
        } else {
            LineStatus::Confirmed
        }
    }

    /// What nothing has been decided about yet.
    pub fn undecided(&self) -> Decimal {
        self.ordered
            .saturating_sub(self.confirmed)
            .saturating_sub(self.backordered)
            .saturating_sub(self.refused)
    }
}

/// Where the order as a whole stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum OrderState {
    /// Translated, not verified.
    Received,
    /// Waits for a person.
    Held {
        /// Why.
        reasons: Vec<Finding>,
        /// Since when.
        since: Instant,
    },
    /// Verified, waiting for allocation.
    Accepted,
    /// Allocated, answered with an 855; goods still to go.
    Confirmed,
    /// Nothing confirmed, all that is open waits for stock.
    Backordered,
    /// Some shipped, some still to go.
    PartlyShipped,
    /// All that will be shipped has been; invoices outstanding.
    Shipped,
    /// Everything shipped is invoiced; the receivable goes its own way.
    Invoiced,
    /// Refused as a whole.
    Rejected {
        /// Why, for the console and the 855.
        reason: String,
    },
}

impl OrderState {
    /// The word in listings and in the database.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Held { .. } => "held",
            Self::Accepted => "accepted",
            Self::Confirmed => "confirmed",
            Self::Backordered => "backordered",
            Self::PartlyShipped => "partly_shipped",
            Self::Shipped => "shipped",
            Self::Invoiced => "invoiced",
            Self::Rejected { .. } => "rejected",
        }
    }
}

/// Something asked of an order that its state does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("order {order} is {from} and can not be {wanted}: {advice}")]
pub struct IllegalTransition {
    /// The order.
    pub order: OrderId,
    /// The state it is in.
    pub from: &'static str,
    /// What was asked.
    pub wanted: &'static str,
    /// What to do instead.
    pub advice: &'static str,
}

/// A buyer's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its number with us.
    pub id: OrderId,
    /// Sold by.
    pub company: CompanyId,
    /// Bought by.
    pub partner: PartnerId,
    /// Production or test.
    pub mode: Mode,
    /// Rises by one with every change; guards against a lost update.
    pub revision: i64,
    /// What the buyer wrote.
    pub header: Shared<OrderHeader>,
    /// Lines, in the buyer's order.
    pub lines: Vec<OrderLine>,
    /// How far it has come.
    pub state: OrderState,
    /// What was odd or could not be read in the 850; its holds want a person, however often the order is verified.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reading: Vec<Finding>,
    /// Everything reading and verification remarked, holds and notes alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The 850 it came in.
    pub source: DocumentId,
    /// When it was received.
    pub received_at: Instant,
    /// How many 855s have been made of it; numbers the next.
    #[serde(default)]
    pub answers: u32,
    /// How many invoices have been made of it.
    #[serde(default)]
    pub invoices: u32,
}

/// The header of the order as the buyer wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderHeader {
    /// BEG01: 00 original, 01 cancel, 06 confirmation, 07 duplicate …
    pub purpose: String,
    /// BEG02: SA stand-alone, NE new, DS drop ship …
    pub kind: String,
    /// BEG03.
    pub po_number: String,
    /// BEG04, empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub release: String,
    /// BEG05.
    pub po_date: NaiveDate,
    /// REF DP, empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub department: String,
    /// REF IA, our vendor number with the buyer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub vendor_number: String,
    /// CUR02 or the partner's default.
    pub currency: Currency,
    /// Dates.
    #[serde(default)]
    pub dates: OrderDates,
    /// ITD, none: the partner's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
    /// Parties.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parties: Vec<Party>,
    /// Contacts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
    /// References.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference>,
    /// Allowances and charges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<Charge>,
    /// Free text (N9/MSG, MTX, NTE): surfaced to a person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Places and days of their own that parts of lines go to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliveries: Vec<Delivery>,
    /// FOB01: who pays freight, CC collect, PP prepaid; empty where not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub freight: String,
    /// TD5: the carrier asked for (SCAC, service), empty where not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub carrier: String,
    /// TD505, the routing in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub routing: String,
    /// Segments that no rule uses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unused: Vec<UnusedSegment>,
}

impl OrderHeader {
    /// The first party in a role.
    pub fn party(&self, role: &str) -> Option<&Party> {
        self.parties.iter().find(|party| party.role == role)
    }

    /// The first reference with a qualifier.
    pub fn reference(&self, qualifier: &str) -> Option<&str> {
        self.references
            .iter()
            .find(|reference| reference.qualifier == qualifier)
            .map(|found| found.value.as_str())
    }
}

impl Order {
    fn illegal(&self, wanted: &'static str, advice: &'static str) -> IllegalTransition {
        IllegalTransition {
            order: self.id,
            from: self.state.word(),
            wanted,
            advice,
        }
    }

    /// Received or accepted-for-release → held.
    pub fn hold(
        mut self,
        reasons: Vec<Finding>,
        since: Instant,
    ) -> Result<Self, IllegalTransition> {
        match self.state {
            OrderState::Received => {
                self.state = OrderState::Held { reasons, since };
                self.revision += 1;
                Ok(self)
            }
            _ => Err(self.illegal("held", "only an order that is being verified can be held")),
        }
    }

    /// Received → accepted, waiting for allocation.
    pub fn accept(mut self) -> Result<Self, IllegalTransition> {
        match self.state {
            OrderState::Received => {
                self.state = OrderState::Accepted;
                self.revision += 1;
                Ok(self)
            }
            _ => Err(self.illegal(
                "accepted",
                "only an order that is being verified can be accepted",
            )),
        }
    }

    /// Held → accepted by a person: the pipeline goes on, once.
    pub fn release(mut self) -> Result<Self, IllegalTransition> {
        match self.state {
            OrderState::Held { .. } => {
                self.state = OrderState::Accepted;
                self.revision += 1;
                Ok(self)
            }
            _ => Err(self.illegal(
                "released",
                "only a held order can be released; `order show` tells where it stands",
            )),
        }
    }

    /// Held → received: to be verified anew, by what is known today.
    pub fn reconsider(mut self) -> Result<Self, IllegalTransition> {
        match self.state {
            OrderState::Held { .. } => {
                self.state = OrderState::Received;
                self.revision += 1;
                Ok(self)
            }
            _ => Err(self.illegal(
                "verified again",
                "only a held order can be verified again; `order show` tells where it stands",
            )),
        }
    }

    /// Received or held → rejected: every line is refused.
    pub fn reject(mut self, reason: String) -> Result<Self, IllegalTransition> {
        match self.state {
            OrderState::Received | OrderState::Held { .. } => {
                for line in &mut self.lines {
                    line.refused = line.ordered;
                    line.refusal.get_or_insert(LineRefusal::OrderRejected);
                }
                self.state = OrderState::Rejected { reason };
                self.revision += 1;
                Ok(self)
            }
            _ => Err(self.illegal("rejected", "only an order that is held can be rejected; what has been promised is cancelled with `order cancel`")),
        }
    }

    /// After allocation, shipment or invoicing: the state that the lines' quantities say. An accepted order whose lines
    /// are not allocated yet stays accepted; one of which nothing is left to be shipped is rejected.
    pub fn settle(mut self) -> Result<Self, IllegalTransition> {
        match self.state {
            OrderState::Accepted
            | OrderState::Confirmed
            | OrderState::Backordered
            | OrderState::PartlyShipped
            | OrderState::Shipped
            | OrderState::Invoiced => {
                self.state = self.state_of_lines();
                self.revision += 1;
                Ok(self)
            }
            _ => Err(self.illegal(
                "allocated, shipped or invoiced",
                "it has to be accepted first",
            )),
        }
    }

    fn state_of_lines(&self) -> OrderState {
        let sum = |quantity: fn(&OrderLine) -> Decimal| {
            self.lines
                .iter()
                .map(quantity)
                .fold(Decimal::ZERO, Decimal::saturating_add)
        };
        let confirmed = sum(|line| line.confirmed);
        let backordered = sum(|line| line.backordered);
        let shipped = sum(|line| line.shipped);
        let invoiced = sum(|line| line.invoiced);
        let waiting = self
            .lines
            .iter()
            .any(|line| line.accepted.is_some() && line.undecided() > Decimal::ZERO);
        if confirmed.is_zero() && backordered.is_zero() && waiting {
            OrderState::Accepted
        } else if confirmed.is_zero() && backordered.is_zero() {
            OrderState::Rejected {
                reason: "no line could be accepted".to_owned(),
            }
        } else if shipped >= confirmed + backordered {
            if invoiced >= shipped {
                OrderState::Invoiced
            } else {
                OrderState::Shipped
            }
        } else if shipped > Decimal::ZERO {
            OrderState::PartlyShipped
        } else if confirmed.is_zero() {
            OrderState::Backordered
        } else {
            OrderState::Confirmed
        }
    }

    /// A line by our number.
    pub fn line(&self, number: u32) -> Option<&OrderLine> {
        self.lines.get(self.place_of_line(number)?)
    }

    /// A line by our number, to be changed.
    pub fn line_mut(&mut self, number: u32) -> Option<&mut OrderLine> {
        let place = self.place_of_line(number)?;
        self.lines.get_mut(place)
    }

    /// Where a line stands: nearly always where its number says, and it is asked for each thing in each carton.
    fn place_of_line(&self, number: u32) -> Option<usize> {
        let is_it = |line: &OrderLine| line.line == number;
        let usual = usize::try_from(number).ok()?.wrapping_sub(1);
        match self.lines.get(usual).is_some_and(is_it) {
            true => Some(usual),
            false => self.lines.iter().position(is_it),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::specimens::{accepted, decimal, line, noon, order};
    use super::*;

    /// An order in every state, with one line of 10 of which this much is confirmed, backordered, refused, shipped and
    /// invoiced.
    fn in_state(state: OrderState, quantities: [i64; 5]) -> Order {
        let mut line = accepted(line(1, "10", "EA"), "1");
        let [confirmed, backordered, refused, shipped, invoiced] = quantities.map(Decimal::from);
        line.confirmed = confirmed;
        line.backordered = backordered;
        line.refused = refused;
        line.shipped = shipped;
        line.invoiced = invoiced;
        let mut order = order(vec![line]);
        order.state = state;
        order
    }

    fn states() -> [OrderState; 9] {
        [
            OrderState::Received,
            OrderState::Held {
                reasons: Vec::new(),
                since: noon("2026-03-02"),
            },
            OrderState::Accepted,
            OrderState::Confirmed,
            OrderState::Backordered,
            OrderState::PartlyShipped,
            OrderState::Shipped,
            OrderState::Invoiced,
            OrderState::Rejected {
                reason: "no".into(),
            },
        ]
    }

    /// Every state with every event: the state that follows, or "-" where it is refused and nothing changes.
    #[test]
    fn every_state_and_every_event() {
        type Event = fn(Order) -> Result<Order, IllegalTransition>;
        let events: [Event; 6] = [
            |order| order.hold(Vec::new(), noon("2026-03-02")),
            Order::accept,
            Order::release,
            Order::reconsider,
            |order| order.reject("no".into()),
            Order::settle,
        ];
        let table = [
            ("received", ["held", "accepted", "-", "-", "rejected", "-"]),
            ("held", ["-", "-", "accepted", "received", "rejected", "-"]),
            ("accepted", ["-", "-", "-", "-", "-", "confirmed"]),
            ("confirmed", ["-", "-", "-", "-", "-", "confirmed"]),
            ("backordered", ["-", "-", "-", "-", "-", "confirmed"]),
            ("partly_shipped", ["-", "-", "-", "-", "-", "confirmed"]),
            ("shipped", ["-", "-", "-", "-", "-", "confirmed"]),
            ("invoiced", ["-", "-", "-", "-", "-", "confirmed"]),
            ("rejected", ["-", "-", "-", "-", "-", "-"]),
        ];
        for (state, (name, wanted)) in states().into_iter().zip(table) {
            assert_eq!(state.word(), name);
            for (event, wanted) in events.iter().zip(wanted) {
                match event(in_state(state.clone(), [10, 0, 0, 0, 0])) {
                    Ok(after) => {
                        assert_eq!(after.state.word(), wanted, "{name}");
                        assert_eq!(after.revision, 2, "{name}");
                    }
                    Err(refusal) => {
                        assert_eq!("-", wanted, "{name}: {refusal}");
                        assert_eq!(refusal.from, name);
                    }
                }
            }
        }
    }

    /// What the quantities of a line say: confirmed, backordered, refused, shipped, invoiced of 10.
    #[test]
    fn the_quantities_say_the_state() {
        let table = [
            ([0, 0, 0, 0, 0], "accepted", LineStatus::Open),
            ([10, 0, 0, 0, 0], "confirmed", LineStatus::Confirmed),
            ([6, 4, 0, 0, 0], "confirmed", LineStatus::Backordered),
            ([0, 10, 0, 0, 0], "backordered", LineStatus::Backordered),
            ([6, 4, 0, 6, 0], "partly_shipped", LineStatus::Backordered),
            ([6, 4, 0, 3, 0], "partly_shipped", LineStatus::PartlyShipped),
            (
                [10, 0, 0, 6, 0],
                "partly_shipped",
                LineStatus::PartlyShipped,
            ),
            ([6, 0, 4, 6, 0], "shipped", LineStatus::Shipped),
            ([10, 0, 0, 10, 4], "shipped", LineStatus::Shipped),
            ([10, 0, 0, 10, 10], "invoiced", LineStatus::Invoiced),
            ([6, 0, 4, 6, 6], "invoiced", LineStatus::Invoiced),
            ([0, 0, 10, 0, 0], "rejected", LineStatus::Rejected),
        ];
        for (quantities, state, status) in table {
            let mut before = in_state(OrderState::Accepted, quantities);
            if quantities[2] > 0 {
                before.lines[0].refusal = Some(LineRefusal::OutOfStock);
            }
            let after = before.settle().unwrap();
            assert_eq!(after.state.word(), state, "{quantities:?}");
            assert_eq!(after.lines[0].status(), status, "{quantities:?}");
        }
    }

    #[test]
    fn a_rejected_order_refuses_every_line_and_keeps_their_reasons() {
        let mut before = order(vec![line(1, "10", "EA"), line(2, "-3", "EA")]);
        before.lines[0].refusal = Some(LineRefusal::ItemUnknown);
        let after = before.reject("no".into()).unwrap();
        let refusals: Vec<_> = after.lines.iter().map(|line| line.refusal).collect();
        assert_eq!(
            refusals,
            [
                Some(LineRefusal::ItemUnknown),
                Some(LineRefusal::OrderRejected)
            ]
        );
        assert_eq!(after.lines[1].refused, decimal("-3"));
        assert!(after.lines.iter().all(|line| line.undecided().is_zero()));
    }

    #[test]
    fn an_order_keeps_itself_through_json() {
        let mut before = in_state(
            OrderState::Held {
                reasons: vec![Finding::business(
                    "x",
                    super::super::finding::Severity::Hold,
                    "y",
                )],
                since: noon("2026-03-02"),
            },
            [6, 4, 0, 6, 0],
        );
        let day = before.header.po_date;
        before.header.dates.other.insert("063".into(), day);
        let text = serde_json::to_string(&before).unwrap();
        assert_eq!(serde_json::from_str::<Order>(&text).unwrap(), before);
    }
}
