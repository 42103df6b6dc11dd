//! What a partner agreed with us, as far as the domain decides by it. The profile (room `config`) carries these.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::terms::Terms;

/// What to do when a rule of verification finds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Go on with what the buyer wrote.
    Accept,
    /// Go on with ours (price, quantity rounded to packs, date) and say so in the 855.
    AcceptWithChange,
    /// Wait for a person.
    Hold,
    /// Refuse the line; the others go on.
    RejectLine,
    /// Refuse the order.
    RejectOrder,
}

/// Each rule of verification and what it leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VerificationPolicy {
    /// No item of ours has any of the line's numbers. Accept is not possible here and reads as hold.
    pub item_unknown: Outcome,
    /// The item is discontinued.
    pub item_discontinued: Outcome,
    /// The price differs from the price list by more than the tolerance.
    pub price_differs: Outcome,
    /// Neither the line nor the price list has a price.
    pub price_missing: Outcome,
    /// The order is in a currency that is not the partner's and in which the price list has no price.
    pub currency_differs: Outcome,
    /// Allowed difference of price, in percent of the list price.
    pub price_tolerance_percent: Decimal,
    /// Allowed difference of price per ordered unit, in major units; the larger of both tolerances holds.
    pub price_tolerance_amount: Decimal,
    /// The unit of measure or price basis has no exact conversion. Accept reads as hold.
    pub unit_unknown: Outcome,
    /// The quantity is no whole number of cases. Accept with change rounds down to whole cases.
    pub pack_multiple: Outcome,
    /// A line counted in cases tells another number in the case (PO4) than the item has. Accept goes on with ours.
    pub pack_differs: Outcome,
    /// The ship-to or a store is not in the partner's location list.
    pub ship_to_unknown: Outcome,
    /// Dates contradict one another: not before ≤ requested ≤ no later ≤ cancel after, or all are past.
    pub dates_out_of_order: Outcome,
    /// The store quantities do not add up to the line. Accept reads as hold.
    pub store_quantities: Outcome,
    /// Zero, negative, or more than `quantity_max`. Accept reads as hold.
    pub quantity_invalid: Outcome,
    /// Most base units of one line that are believed without a person.
    pub quantity_max: Decimal,
    /// Two lines order the same item.
    pub line_repeated: Outcome,
    /// The order's value lies below `order_minimum`.
    pub below_minimum: Outcome,
    /// Least value of an order in major units; 0: none.
    pub order_minimum: Decimal,
    /// Free text in the order (N9/MSG) that nobody has read yet.
    pub notes_present: Outcome,
    /// PE on a line counted in cases means per case (X12-RULES 52); default each.
    pub each_price_is_per_unit: bool,
}

impl Default for VerificationPolicy {
    fn default() -> Self {
        Self {
            item_unknown: Outcome::RejectLine,
            item_discontinued: Outcome::RejectLine,
            price_differs: Outcome::Hold,
            price_missing: Outcome::Hold,
            currency_differs: Outcome::Hold,
            price_tolerance_percent: Decimal::ZERO,
            price_tolerance_amount: Decimal::ZERO,
            unit_unknown: Outcome::Hold,
            pack_multiple: Outcome::Accept,
            pack_differs: Outcome::Hold,
            ship_to_unknown: Outcome::Hold,
            dates_out_of_order: Outcome::Hold,
            store_quantities: Outcome::Hold,
            quantity_invalid: Outcome::Hold,
            quantity_max: Decimal::from(1_000_000),
            line_repeated: Outcome::Accept,
            below_minimum: Outcome::Accept,
            order_minimum: Decimal::ZERO,
            notes_present: Outcome::Accept,
            each_price_is_per_unit: false,
        }
    }
}

/// What becomes of a quantity that stock does not cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnShort {
    /// Waits for stock.
    #[default]
    Backorder,
    /// Is cut from the order.
    Cut,
}

/// How stock is promised to a partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AllocationPolicy {
    /// Warehouse codes in order of preference; empty: all, by code.
    pub warehouses: Vec<String>,
    /// What becomes of the short part.
    pub on_short: OnShort,
    /// All lines in full or nothing at all.
    pub ship_complete: bool,
    /// A line may come out of several warehouses.
    pub split_lines: bool,
    /// Only whole cases are promised, whatever the ordered unit.
    pub whole_cases: bool,
}

impl Default for AllocationPolicy {
    fn default() -> Self {
        Self {
            warehouses: Vec::new(),
            on_short: OnShort::Backorder,
            ship_complete: false,
            split_lines: true,
            whole_cases: false,
        }
    }
}

/// How goods are packed for a partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PackingPolicy {
    /// Cartons hold one store's goods each and are marked for it.
    pub carton_per_store: bool,
    /// Items are mixed in the carton that takes what fills no case.
    pub mix_items: bool,
    /// Most base units in a mixed carton.
    pub carton_units_max: Decimal,
    /// Most cartons on a pallet; 0: none are put on pallets.
    pub pallet_cartons: u32,
    /// Orders to the same ship-to out of the same warehouse travel on one shipment while it has not left.
    pub consolidate: bool,
    /// Days from shipping to arrival, for the estimated delivery date.
    pub transit_days: u32,
    /// Carrier (SCAC) where the order names none.
    pub carrier: String,
    /// Transport method (TD504): M motor, U parcel, LT less than truckload, A air.
    pub transport: String,
}

impl Default for PackingPolicy {
    fn default() -> Self {
        Self {
            carton_per_store: true,
            mix_items: true,
            carton_units_max: Decimal::from(48),
            pallet_cartons: 0,
            consolidate: false,
            transit_days: 3,
            carrier: String::new(),
            transport: "M".to_owned(),
        }
    }
}

/// What one invoice covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoicePer {
    /// One per order on each shipment.
    #[default]
    Shipment,
    /// One per store of each order on each shipment.
    Store,
    /// One per order, when all of it has shipped.
    Order,
}

/// When an invoice is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceWhen {
    /// When the goods leave.
    #[default]
    Shipped,
    /// When the ship notice has been accepted by the partner's 997.
    ShipNoticeAccepted,
}

/// Where cents are rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Each line.
    #[default]
    Line,
    /// The invoice's total only.
    Invoice,
}

/// How a partner is invoiced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InvoicingPolicy {
    /// What one invoice covers.
    pub per: InvoicePer,
    /// When it is made.
    pub when: InvoiceWhen,
    /// Where cents are rounded.
    pub rounding: Rounding,
    /// Allowances and charges of the order enter the invoice.
    pub order_charges: bool,
    /// Allowances and charges agreed by contract, on every invoice.
    pub charges: Vec<ContractCharge>,
    /// Terms where the order gives none; with `terms_from_order = false` always.
    pub terms: Terms,
    /// The order's ITD wins over `terms`.
    pub terms_from_order: bool,
    /// In front of the number of every invoice.
    pub number_prefix: String,
    /// Most characters of an invoice number that the partner takes.
    pub number_length_max: u32,
}

impl Default for InvoicingPolicy {
    fn default() -> Self {
        Self {
            per: InvoicePer::Shipment,
            when: InvoiceWhen::Shipped,
            rounding: Rounding::Line,
            order_charges: true,
            charges: Vec::new(),
            terms: Terms::default(),
            terms_from_order: true,
            number_prefix: String::new(),
            number_length_max: 22,
        }
    }
}

/// An allowance or charge agreed by contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractCharge {
    /// `allowance` or `charge`.
    pub kind: super::order::ChargeKind,
    /// SAC02.
    pub code: String,
    /// Percent of the goods' value; either this or `amount`.
    #[serde(default)]
    pub percent: Option<Decimal>,
    /// Fixed amount in major units for each invoice.
    #[serde(default)]
    pub amount: Option<Decimal>,
    /// SAC12; 02 off invoice by default for allowances, 06 for charges.
    #[serde(default)]
    pub handling: String,
    /// SAC15.
    #[serde(default)]
    pub description: String,
}

/// How payments of a partner are judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CollectionPolicy {
    /// A short payment up to this, in major units, is written off at once.
    pub write_off_max: Decimal,
    /// Days after the discount date within which the discount is still granted.
    pub discount_grace_days: u32,
    /// Days after the due date before an invoice counts as overdue.
    pub overdue_grace_days: u32,
}

impl Default for CollectionPolicy {
    fn default() -> Self {
        Self {
            write_off_max: Decimal::ZERO,
            discount_grace_days: 0,
            overdue_grace_days: 0,
        }
    }
}
