//! Invoices: what shipped, at the agreed price, with allowances and charges, proven to add up before it is queued.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ids::{CompanyId, InvoiceId, OrderId, PartnerId, ShipmentId};
use super::money::{Amount, AmountOverflow, Currency};
use super::order::{
    AcceptedLine, Charge, ChargeKind, ItemNumber, Mode, Order, OrderLine, Party, Price, Reference,
    is_default,
};
use super::policy::{ContractCharge, InvoicePer, InvoicingPolicy, Rounding};
use super::shipment::{Shipment, ShipmentState, alike};
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
    #[serde(default, skip_serializing_if = "is_default")]
    pub buyer_line: String,
    /// Our item code.
    pub item: String,
    /// The ids that the buyer used.
    #[serde(default, skip_serializing_if = "is_default")]
    pub numbers: Vec<ItemNumber>,
    /// In words.
    #[serde(default, skip_serializing_if = "is_default")]
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
    #[serde(default, skip_serializing_if = "is_default")]
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
    #[serde(default, skip_serializing_if = "is_default")]
    pub percent: Option<Decimal>,
    /// SAC12.
    #[serde(default, skip_serializing_if = "is_default")]
    pub handling: String,
    /// SAC15.
    #[serde(default, skip_serializing_if = "is_default")]
    pub description: String,
    /// Of a fixed allowance of the order: its place among the charges of the order, or of the line, from 0. What is
    /// granted of it here counts there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub place: Option<usize>,
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
    #[serde(default, skip_serializing_if = "is_default")]
    pub bill_of_lading: String,
    /// SCAC of the shipment.
    #[serde(default, skip_serializing_if = "is_default")]
    pub carrier: String,
    /// The store it is for, empty where it is for all.
    #[serde(default, skip_serializing_if = "is_default")]
    pub store: String,
    /// Date of the invoice.
    pub date: NaiveDate,
    /// When the goods left.
    pub shipped_on: NaiveDate,
    /// When it is due.
    pub due: NaiveDate,
    /// Until when the discount holds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub discount_until: Option<NaiveDate>,
    /// What may be taken off when paid in time.
    #[serde(default, skip_serializing_if = "is_default")]
    pub discount: Amount,
    /// The terms it is under.
    pub terms: Terms,
    /// Currency.
    pub currency: Currency,
    /// Goods.
    pub lines: Vec<InvoiceLine>,
    /// Allowances and charges of the whole.
    #[serde(default, skip_serializing_if = "is_default")]
    pub charges: Vec<InvoiceCharge>,
    /// What is owed: lines and charges, before discount. Of a credit it is at or below zero.
    pub total: Amount,
    /// Parties for the 810.
    #[serde(default, skip_serializing_if = "is_default")]
    pub parties: Vec<Party>,
    /// Department and vendor number of the order, for the 810's REF.
    #[serde(default, skip_serializing_if = "is_default")]
    pub references: Vec<Reference>,
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
    /// The number is longer than the partner takes.
    #[error(
        "invoice number {number} has more than the {most} characters that the partner takes; shorten `number_prefix` in its profile"
    )]
    NumberTooLong {
        /// The number.
        number: String,
        /// Most characters.
        most: u32,
    },
    /// The shipment has not left.
    #[error("shipment {shipment} has not left, and nothing is invoiced before it has")]
    NotShipped {
        /// Which.
        shipment: ShipmentId,
    },
    /// The shipment holds a line that the order has not, or that was never accepted.
    #[error("invoice {number} would bill line {line} of order {order}, which was not accepted")]
    LineUnknown {
        /// Number of the invoice.
        number: String,
        /// The order.
        order: OrderId,
        /// Our line number.
        line: u32,
    },
    /// An amount beyond 64 bits.
    #[error(transparent)]
    Overflow(#[from] AmountOverflow),
}

/// A shipment to be billed, with the day it left by the clock of its warehouse.
#[derive(Debug, Clone, Copy)]
pub struct Billed<'a> {
    /// The shipment; only what of the order is on it is billed.
    pub shipment: &'a Shipment,
    /// The day it left.
    pub shipped_on: NaiveDate,
}

/// What invoices are made of.
#[derive(Debug, Clone, Copy)]
pub struct InvoiceBasis<'a> {
    /// The order, with what left booked as shipped and with what it was billed before.
    pub order: &'a Order,
    /// Shipments that were not billed yet.
    pub shipments: &'a [Billed<'a>],
    /// How the partner is invoiced.
    pub policy: &'a InvoicingPolicy,
    /// Date of the invoices.
    pub date: NaiveDate,
    /// Number of the first in the database; the others follow on.
    pub first_id: InvoiceId,
    /// Number of the first in the company's series, without the partner's prefix; the others follow on.
    pub first_number: u64,
}

/// The invoices that these shipments call for, none where there is nothing to bill yet: with
/// [`InvoicePer::Order`] not before all of the order that will ship has. Each is proven ([`prove`]).
///
/// Allowances and charges of the order: a fixed amount (SAC05, or a rate with its own quantity) enters the first invoice
/// of the order, or of the line, once; a percentage is of the goods (of the line's extension) on every invoice; a rate
/// without quantity is per unit billed. Contract charges enter every invoice. No invoice goes below zero: allowances are
/// granted as far as goods and charges bear them, those that belong to one invoice first, and the rest of a fixed one of
/// the order enters the next invoice. What is information, billed back or paid by the vendor is shown and not summed.
/// After it the order has to be written with [`book_invoiced`].
pub fn invoices_of(basis: &InvoiceBasis<'_>) -> Result<Vec<Invoice>, InvoiceRefusal> {
    for billed in basis.shipments {
        if !matches!(billed.shipment.state, ShipmentState::Shipped { .. }) {
            return Err(InvoiceRefusal::NotShipped {
                shipment: billed.shipment.id,
            });
        }
    }
    if basis.policy.per == InvoicePer::Order && !all_shipped(basis.order) {
        return Ok(Vec::new());
    }
    let mut billing = Billing {
        basis,
        invoiced: basis
            .order
            .lines
            .iter()
            .map(|line| (line.line, line.invoiced))
            .collect(),
        granted: BTreeMap::new(),
        made: Vec::new(),
    };
    for share in shares(basis) {
        billing.bill(&share)?;
    }
    Ok(billing.made)
}

/// The order with these invoices booked; its state is for [`Order::settle`] to say.
#[must_use]
pub fn book_invoiced(mut order: Order, invoices: &[Invoice]) -> Order {
    for invoice in invoices {
        if invoice.order != order.id || invoice.kind != InvoiceKind::Invoice {
            continue;
        }
        order.invoices = order.invoices.saturating_add(1);
        for billed in &invoice.lines {
            if let Some(line) = order.line_mut(billed.order_line) {
                line.invoiced = line.invoiced.saturating_add(billed.quantity).normalize();
                grant(&mut line.charges, &billed.charges);
            }
        }
        grant(&mut order.header.charges, &invoice.charges);
    }
    order
}

/// Counts what an invoice grants of fixed allowances.
fn grant(ordered: &mut [Charge], invoiced: &[InvoiceCharge]) {
    for charge in invoiced {
        if let Some(fixed) = charge.place.and_then(|place| ordered.get_mut(place)) {
            fixed.granted = Amount(fixed.granted.0.saturating_add(charge.amount.0));
        }
    }
}

/// Proves the sum identity (X12-RULES 77) from the invoice alone: total = Σ quantity × price, rounded by line or once,
/// + charges − allowances, each once, what is only shown not at all. Nothing is taken from how the total was made.
pub fn prove(invoice: &Invoice) -> Result<(), InvoiceRefusal> {
    let sign = match invoice.kind {
        InvoiceKind::Invoice => 1,
        InvoiceKind::Credit => -1,
    };
    let mut by_line: i128 = 0;
    let mut stated: i128 = 0;
    let mut exact = Decimal::ZERO;
    let mut charges: i128 = signed_charges(&invoice.charges);
    let mut near = true;
    for line in &invoice.lines {
        let extension = extension(line.quantity, line.unit_price)?;
        let rounded = i128::from(Amount::from_decimal(extension, invoice.currency)?.0);
        near &= (rounded - i128::from(line.extension.0)).abs() <= 1;
        by_line += rounded;
        stated += i128::from(line.extension.0);
        exact = exact.checked_add(extension).ok_or(AmountOverflow)?;
        charges += signed_charges(&line.charges);
    }
    let once = i128::from(Amount::from_decimal(exact, invoice.currency)?.0);
    let total = i128::from(invoice.total.0) * sign;
    let computed = if once == stated { once } else { by_line };
    if !near || stated != computed || computed + charges != total {
        return Err(InvoiceRefusal::DoesNotAddUp {
            number: invoice.number.clone(),
            computed: clamped((computed + charges) * sign),
            total: invoice.total.0,
        });
    }
    if total < 0 {
        return Err(InvoiceRefusal::BelowZero {
            number: invoice.number.clone(),
            total: clamped(total),
        });
    }
    Ok(())
}

fn clamped(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

/// Cuts allowances to what goods and charges bear. What belongs to this invoice alone comes first, as it stands; then the
/// fixed ones of the order, whose rest goes on to the next invoice. Those of which nothing is left are dropped.
fn bear(goods: Amount, lines: &mut [InvoiceLine], charges: &mut Vec<InvoiceCharge>) {
    let all = || lines.iter().flat_map(|line| &line.charges).chain(&*charges);
    let summed = |charge: &&InvoiceCharge, kind| charge.is_summed() && charge.kind == kind;
    let sum = |kind| -> i128 {
        all()
            .filter(|charge| summed(charge, kind))
            .map(|charge| i128::from(charge.amount.0))
            .sum()
    };
    let mut room = i128::from(goods.0) + sum(ChargeKind::Charge);
    if sum(ChargeKind::Allowance) <= room {
        return;
    }
    let mut cut = |charges: &mut Vec<InvoiceCharge>, goes_on: bool| {
        charges.retain_mut(|charge| {
            if !charge.is_summed()
                || charge.kind != ChargeKind::Allowance
                || charge.place.is_some() != goes_on
            {
                return true;
            }
            let granted = i128::from(charge.amount.0).min(room);
            room -= granted;
            charge.amount = Amount(clamped(granted));
            granted > 0
        });
    };
    for goes_on in [false, true] {
        for line in lines.iter_mut() {
            cut(&mut line.charges, goes_on);
        }
        cut(charges, goes_on);
    }
}

/// Charges less allowances, of those that are summed.
fn signed_charges(charges: &[InvoiceCharge]) -> i128 {
    charges
        .iter()
        .filter(|charge| charge.is_summed())
        .map(|charge| match charge.kind {
            ChargeKind::Allowance => -i128::from(charge.amount.0),
            _ => i128::from(charge.amount.0),
        })
        .sum()
}

impl InvoiceCharge {
    /// Whether it enters the total, by the same rule as [`Charge::is_summed`].
    pub fn is_summed(&self) -> bool {
        self.kind != ChargeKind::Information && self.handling != "01" && self.handling != "05"
    }
}

/// Decimals to which an extension is exact before it is rounded to the minor unit. A price per unit that came out of a
/// division has 28 digits; without this a third of a cent three times would be less than a cent.
const EXTENSION_DECIMALS: u32 = 12;

/// Quantity × price, in major units.
pub fn extension(quantity: Decimal, unit_price: Decimal) -> Result<Decimal, AmountOverflow> {
    quantity
        .checked_mul(unit_price)
        .map(|extension| extension.round_dp(EXTENSION_DECIMALS))
        .ok_or(AmountOverflow)
}

/// What one invoice covers.
struct Share<'a> {
    shipments: Vec<Billed<'a>>,
    store: String,
    lines: BTreeMap<u32, Decimal>,
}

impl Share<'_> {
    /// What the first of its shipments says that says anything.
    fn first(&self, text: fn(&Shipment) -> &str) -> String {
        self.shipments
            .iter()
            .map(|billed| text(billed.shipment))
            .find(|text| !text.is_empty())
            .unwrap_or("")
            .to_owned()
    }

    fn add(&mut self, line: u32, quantity: Decimal) {
        let sum = self.lines.entry(line).or_default();
        *sum = sum.saturating_add(quantity);
    }
}

/// What is billed together: by shipment, by store of each shipment in the order of the cartons, or all.
fn shares<'a>(basis: &InvoiceBasis<'a>) -> Vec<Share<'a>> {
    let mut shares: Vec<Share<'a>> = Vec::new();
    for billed in basis.shipments {
        let first_of_shipment = shares.len();
        for (carton, cartons) in alike(&billed.shipment.cartons) {
            for content in &carton.contents {
                if content.order != basis.order.id || content.quantity <= Decimal::ZERO {
                    continue;
                }
                let (from, store) = match basis.policy.per {
                    InvoicePer::Order => (0, ""),
                    InvoicePer::Shipment => (first_of_shipment, ""),
                    InvoicePer::Store => (first_of_shipment, carton.store.as_str()),
                };
                let known = (from..shares.len())
                    .find(|index| shares.get(*index).is_some_and(|share| share.store == store));
                let index = known.unwrap_or_else(|| {
                    shares.push(Share {
                        shipments: Vec::new(),
                        store: store.to_owned(),
                        lines: BTreeMap::new(),
                    });
                    shares.len() - 1
                });
                if let Some(share) = shares.get_mut(index) {
                    let id = billed.shipment.id;
                    if !share.shipments.iter().any(|known| known.shipment.id == id) {
                        share.shipments.push(*billed);
                    }
                    share.add(content.line, content.quantity.saturating_mul(cartons));
                }
            }
        }
    }
    shares
}

fn all_shipped(order: &Order) -> bool {
    order.lines.iter().all(|line| {
        line.undecided() <= Decimal::ZERO
            && line.shipped >= line.confirmed.saturating_add(line.backordered)
    })
}

struct Billing<'a> {
    basis: &'a InvoiceBasis<'a>,
    /// Billed of each line so far, in earlier invoices and in those just made.
    invoiced: BTreeMap<u32, Decimal>,
    /// Granted of fixed allowances in the invoices just made, by line, 0 for the whole order, and place.
    granted: BTreeMap<(u32, usize), Amount>,
    made: Vec<Invoice>,
}

impl Billing<'_> {
    fn bill(&mut self, share: &Share<'_>) -> Result<(), InvoiceRefusal> {
        let (id, number) = self.number()?;
        let mut lines = self.lines(share, &number)?;
        let goods = Amount::sum(lines.iter().map(|line| line.extension))?;
        let units: Decimal = lines
            .iter()
            .map(|line| line.quantity)
            .fold(Decimal::ZERO, Decimal::saturating_add);
        let mut charges = self.charges(goods, units)?;
        bear(goods, &mut lines, &mut charges);
        let sum = clamped(
            i128::from(goods.0)
                + signed_charges(&charges)
                + lines
                    .iter()
                    .map(|line| signed_charges(&line.charges))
                    .sum::<i128>(),
        );
        if sum < 0 {
            return Err(InvoiceRefusal::BelowZero { number, total: sum });
        }
        let invoice = self.invoice(share, id, number, lines, charges, Amount(sum))?;
        prove(&invoice)?;
        for line in &invoice.lines {
            let billed = self.invoiced.entry(line.order_line).or_default();
            *billed = billed.saturating_add(line.quantity);
            self.count_granted(line.order_line, &line.charges);
        }
        self.count_granted(0, &invoice.charges);
        self.made.push(invoice);
        Ok(())
    }

    fn count_granted(&mut self, line: u32, charges: &[InvoiceCharge]) {
        for charge in charges {
            if let Some(place) = charge.place {
                let granted = self.granted.entry((line, place)).or_default();
                *granted = Amount(granted.0.saturating_add(charge.amount.0));
            }
        }
    }

    fn number(&self) -> Result<(InvoiceId, String), InvoiceRefusal> {
        let before = self.made.len();
        let id = i64::try_from(before)
            .ok()
            .and_then(|before| self.basis.first_id.0.checked_add(before))
            .ok_or(AmountOverflow)?;
        let serial = u64::try_from(before)
            .ok()
            .and_then(|before| self.basis.first_number.checked_add(before))
            .ok_or(AmountOverflow)?;
        let number = format!("{}{serial}", self.basis.policy.number_prefix);
        let most = self.basis.policy.number_length_max;
        if usize::try_from(most).is_ok_and(|most| number.chars().count() > most) {
            return Err(InvoiceRefusal::NumberTooLong { number, most });
        }
        Ok((InvoiceId(id), number))
    }

    fn lines(&self, share: &Share<'_>, number: &str) -> Result<Vec<InvoiceLine>, InvoiceRefusal> {
        let currency = self.basis.order.header.currency;
        let mut lines = Vec::with_capacity(share.lines.len());
        // With rounding once, each line gets the cents by which the running sum rises: the lines add up to the total.
        let mut exact = Decimal::ZERO;
        let mut rounded = Amount::ZERO;
        for (order_line, quantity) in &share.lines {
            let unknown = || InvoiceRefusal::LineUnknown {
                number: number.to_owned(),
                order: self.basis.order.id,
                line: *order_line,
            };
            let line = self.basis.order.line(*order_line).ok_or_else(unknown)?;
            let accepted = line.accepted.as_ref().ok_or_else(unknown)?;
            let before = self.invoiced.get(order_line).copied().unwrap_or_default();
            let billed = before.saturating_add(*quantity);
            if billed > line.shipped {
                return Err(InvoiceRefusal::MoreThanShipped {
                    number: number.to_owned(),
                    line: *order_line,
                    billed,
                    shipped: line.shipped,
                });
            }
            let extended = extension(*quantity, accepted.unit_price)?;
            let amount = match self.basis.policy.rounding {
                Rounding::Line => Amount::from_decimal(extended, currency)?,
                Rounding::Invoice => {
                    exact = exact.checked_add(extended).ok_or(AmountOverflow)?;
                    let sum = Amount::from_decimal(exact, currency)?;
                    let rise = sum.checked_sub(rounded)?;
                    rounded = sum;
                    rise
                }
            };
            lines.push(self.line(line, accepted, *quantity, amount, before.is_zero())?);
        }
        Ok(lines)
    }

    fn line(
        &self,
        line: &OrderLine,
        accepted: &AcceptedLine,
        quantity: Decimal,
        extension: Amount,
        first: bool,
    ) -> Result<InvoiceLine, AmountOverflow> {
        let mut charges = Vec::new();
        if self.basis.policy.order_charges {
            for (place, charge) in line.charges.iter().enumerate() {
                let place = (line.line, place);
                charges.extend(self.settled(charge, place, first, extension, quantity)?);
            }
        }
        Ok(InvoiceLine {
            order_line: line.line,
            buyer_line: line.buyer_line.clone(),
            item: accepted.item_code.clone(),
            numbers: line.numbers.clone(),
            description: if line.description.is_empty() {
                accepted.description.clone()
            } else {
                line.description.clone()
            },
            quantity: quantity.normalize(),
            unit: line.unit.clone(),
            price: accepted.stated_price.clone(),
            unit_price: accepted.unit_price,
            extension,
            charges,
        })
    }

    /// The order's own charges on this invoice, then those of the contract.
    fn charges(&self, goods: Amount, units: Decimal) -> Result<Vec<InvoiceCharge>, AmountOverflow> {
        let mut charges = Vec::new();
        if self.basis.policy.order_charges {
            let first = self.basis.order.invoices == 0 && self.made.is_empty();
            for (place, charge) in self.basis.order.header.charges.iter().enumerate() {
                charges.extend(self.settled(charge, (0, place), first, goods, units)?);
            }
        }
        for charge in &self.basis.policy.charges {
            charges.extend(self.contract(charge, goods)?);
        }
        Ok(charges)
    }

    /// The amount of a charge on this invoice, of a fixed allowance what was not granted yet; none where it entered an
    /// earlier one.
    fn settled(
        &self,
        charge: &Charge,
        place: (u32, usize),
        first: bool,
        goods: Amount,
        units: Decimal,
    ) -> Result<Option<InvoiceCharge>, AmountOverflow> {
        let currency = self.basis.order.header.currency;
        let (amount, fixed) = match (charge.amount, charge.percent, charge.rate, charge.quantity) {
            (Some(amount), _, _, _) => (amount, true),
            (None, Some(percent), _, _) => (percent_of(goods, percent, currency)?, false),
            (None, None, Some(rate), Some(quantity)) => (product(rate, quantity, currency)?, true),
            (None, None, Some(rate), None) => (product(rate, units, currency)?, false),
            (None, None, None, _) if charge.kind == ChargeKind::Information => (Amount::ZERO, true),
            (None, None, None, _) => return Ok(None),
        };
        let mut settled = InvoiceCharge {
            kind: turned(charge.kind, amount),
            code: charge.code.clone(),
            amount: unsigned(amount),
            percent: charge.percent.filter(|_| charge.amount.is_none()),
            handling: charge.handling.clone(),
            description: charge.description.clone(),
            place: None,
        };
        let borne = fixed && settled.kind == ChargeKind::Allowance && settled.is_summed();
        if !borne {
            return Ok((first || !fixed).then_some(settled));
        }
        let now = self.granted.get(&place).copied().unwrap_or_default();
        let before = charge.granted.checked_add(now)?;
        let left = settled.amount.checked_sub(before)?;
        settled.place = Some(place.1);
        settled.amount = left;
        Ok((left.0 > 0).then_some(settled))
    }

    fn contract(
        &self,
        charge: &ContractCharge,
        goods: Amount,
    ) -> Result<Option<InvoiceCharge>, AmountOverflow> {
        let currency = self.basis.order.header.currency;
        let amount = match (charge.amount, charge.percent) {
            (Some(amount), _) => Amount::from_decimal(amount, currency)?,
            (None, Some(percent)) => percent_of(goods, percent, currency)?,
            (None, None) => return Ok(None),
        };
        let handling = match (charge.handling.as_str(), charge.kind) {
            ("", ChargeKind::Allowance) => "02",
            ("", ChargeKind::Charge) => "06",
            (given, _) => given,
        };
        Ok(Some(InvoiceCharge {
            kind: turned(charge.kind, amount),
            code: charge.code.clone(),
            amount: unsigned(amount),
            percent: charge.percent.filter(|_| charge.amount.is_none()),
            handling: handling.to_owned(),
            description: charge.description.clone(),
            place: None,
        }))
    }

    fn invoice(
        &self,
        share: &Share<'_>,
        id: InvoiceId,
        number: String,
        lines: Vec<InvoiceLine>,
        charges: Vec<InvoiceCharge>,
        total: Amount,
    ) -> Result<Invoice, AmountOverflow> {
        let order = self.basis.order;
        let header = &order.header;
        let policy = self.basis.policy;
        let date = self.basis.date;
        let shipped_on = share
            .shipments
            .iter()
            .map(|billed| billed.shipped_on)
            .max()
            .unwrap_or(date);
        let terms = header
            .terms
            .as_ref()
            .filter(|_| policy.terms_from_order)
            .unwrap_or(&policy.terms)
            .clone();
        let discount_until = terms.discount_until(date, shipped_on);
        let discount = match discount_until {
            Some(_) => terms
                .discount(total, header.currency)?
                .clamp(Amount::ZERO, total),
            None => Amount::ZERO,
        };
        Ok(Invoice {
            id,
            number,
            kind: InvoiceKind::Invoice,
            company: order.company,
            partner: order.partner,
            mode: order.mode,
            order: order.id,
            po_number: header.po_number.clone(),
            po_date: header.po_date,
            shipments: share
                .shipments
                .iter()
                .map(|billed| billed.shipment.id)
                .collect(),
            bill_of_lading: share.first(|shipment| &shipment.bill_of_lading),
            carrier: share.first(|shipment| &shipment.carrier),
            store: share.store.clone(),
            date,
            shipped_on,
            due: terms.due(date, shipped_on),
            discount_until,
            discount,
            terms,
            currency: header.currency,
            lines,
            charges,
            total,
            parties: parties(order, &share.shipments),
            references: references(order),
        })
    }
}

/// The order's parties, with the ship-to that the goods went to. Where they went to several, none is named.
fn parties(order: &Order, shipments: &[Billed<'_>]) -> Vec<Party> {
    let parties = order.header.parties.clone();
    let told = |party: &Party| !party.id.is_empty() || !party.name.is_empty();
    let mut places = shipments
        .iter()
        .map(|billed| &billed.shipment.ship_to)
        .filter(|party| told(party));
    let Some(first) = places.next() else {
        return parties;
    };
    let same = |one: &Party, other: &Party| {
        one.id == other.id && (!one.id.is_empty() || one.name == other.name)
    };
    let one_place = places.all(|other| same(first, other));
    let ordered = order.header.ship_to();
    if one_place && ordered.is_some_and(|ordered| same(ordered, first)) {
        return parties;
    }
    let mut parties: Vec<Party> = parties
        .into_iter()
        .filter(|party| party.role != "ST")
        .collect();
    if one_place {
        parties.push(first.clone());
    }
    parties
}

fn references(order: &Order) -> Vec<Reference> {
    [
        ("DP", &order.header.department),
        ("IA", &order.header.vendor_number),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(qualifier, value)| Reference {
        qualifier: qualifier.to_owned(),
        value: value.clone(),
        description: String::new(),
    })
    .collect()
}

fn percent_of(
    goods: Amount,
    percent: Decimal,
    currency: Currency,
) -> Result<Amount, AmountOverflow> {
    let amount = goods
        .to_decimal(currency)
        .checked_mul(percent)
        .and_then(|scaled| scaled.checked_div(Decimal::ONE_HUNDRED))
        .ok_or(AmountOverflow)?;
    Amount::from_decimal(amount, currency)
}

fn product(rate: Decimal, quantity: Decimal, currency: Currency) -> Result<Amount, AmountOverflow> {
    Amount::from_decimal(rate.checked_mul(quantity).ok_or(AmountOverflow)?, currency)
}

/// An allowance below zero adds, a charge below zero takes off.
fn turned(kind: ChargeKind, amount: Amount) -> ChargeKind {
    match kind {
        ChargeKind::Allowance if amount.0 < 0 => ChargeKind::Charge,
        ChargeKind::Charge if amount.0 < 0 => ChargeKind::Allowance,
        kind => kind,
    }
}

fn unsigned(amount: Amount) -> Amount {
    if amount.0 < 0 {
        amount.negated()
    } else {
        amount
    }
}

#[cfg(test)]
mod tests {
    use super::super::specimens::{
        accepted, carton, content, day, decimal, line, noon, order, shipment,
    };
    use super::*;

    /// An order of one line for each (quantity, price), all of it shipped.
    fn shipped_order(lines: &[(&str, &str)]) -> Order {
        let lines = (1..)
            .zip(lines)
            .map(|(number, (quantity, price))| {
                let mut line = line(number, quantity, "EA");
                line.price.as_mut().unwrap().amount = decimal(price);
                let mut line = accepted(line, "1");
                line.confirmed = line.ordered;
                line.shipped = line.ordered;
                line
            })
            .collect();
        order(lines)
    }

    fn left(id: i64, contents: &[(&str, u32, &str)]) -> Shipment {
        let cartons = contents
            .iter()
            .map(|(store, line, quantity)| carton("", store, vec![content(*line, quantity)]))
            .collect();
        let mut shipment = shipment(id, cartons);
        shipment.state = ShipmentState::Shipped {
            at: noon("2026-01-13"),
        };
        shipment
    }

    fn invoiced(
        order: &Order,
        shipments: &[Shipment],
        policy: &InvoicingPolicy,
    ) -> Result<Vec<Invoice>, InvoiceRefusal> {
        let billed: Vec<Billed<'_>> = shipments
            .iter()
            .map(|shipment| Billed {
                shipment,
                shipped_on: day("2026-01-13"),
            })
            .collect();
        invoices_of(&InvoiceBasis {
            order,
            shipments: &billed,
            policy,
            date: day("2026-01-15"),
            first_id: InvoiceId(40),
            first_number: 1001,
        })
    }

    fn charge(kind: ChargeKind, code: &str) -> Charge {
        Charge {
            kind,
            code: code.into(),
            amount: None,
            percent: None,
            rate: None,
            quantity: None,
            handling: String::new(),
            description: String::new(),
            granted: Amount::ZERO,
        }
    }

    fn totals(invoices: &[Invoice]) -> Vec<i64> {
        invoices.iter().map(|invoice| invoice.total.0).collect()
    }

    #[test]
    fn an_invoice_says_who_what_and_when() {
        let mut order = shipped_order(&[("10", "12.50"), ("3", "0.333")]);
        order.header.vendor_number = "V77".into();
        let shipments = [left(9, &[("", 1, "4"), ("", 1, "6"), ("", 2, "3")])];
        let policy = InvoicingPolicy {
            number_prefix: "INV-".into(),
            terms: Terms {
                discount_percent: Some(Decimal::TWO),
                discount_days: Some(10),
                net_days: Some(30),
                ..Terms::default()
            },
            ..InvoicingPolicy::default()
        };
        let invoices = invoiced(&order, &shipments, &policy).unwrap();
        let [invoice] = invoices.as_slice() else {
            panic!("{invoices:?}");
        };
        assert_eq!(invoice.number, "INV-1001");
        assert_eq!(invoice.id, InvoiceId(40));
        assert_eq!(invoice.lines.len(), 2);
        assert_eq!(invoice.lines[0].quantity, decimal("10"));
        assert_eq!(invoice.lines[0].extension, Amount(12_500));
        assert_eq!(invoice.lines[1].extension, Amount(100));
        assert_eq!(invoice.total, Amount(12_600));
        assert_eq!(invoice.due, day("2026-02-14"));
        assert_eq!(invoice.discount_until, Some(day("2026-01-25")));
        assert_eq!(invoice.discount, Amount(252));
        assert_eq!(invoice.bill_of_lading, "BOL9");
        assert_eq!(invoice.shipments, [ShipmentId(9)]);
        let references: Vec<&str> = invoice
            .references
            .iter()
            .map(|reference| reference.qualifier.as_str())
            .collect();
        assert_eq!(references, ["DP", "IA"]);
        let booked = book_invoiced(order, &invoices);
        assert_eq!(booked.invoices, 1);
        assert_eq!(booked.lines[0].invoiced, decimal("10"));
    }

    #[test]
    fn what_one_invoice_covers() {
        let order = shipped_order(&[("10", "1.00"), ("8", "1.00")]);
        let shipments = [
            left(8, &[("A", 1, "4"), ("B", 1, "1"), ("A", 2, "3")]),
            left(9, &[("B", 1, "5"), ("A", 2, "5")]),
        ];
        let per = |per| InvoicingPolicy {
            per,
            ..InvoicingPolicy::default()
        };
        let table: [(InvoicePer, &[(&str, i64)]); 3] = [
            (InvoicePer::Shipment, &[("", 800), ("", 1000)]),
            (
                InvoicePer::Store,
                &[("A", 700), ("B", 100), ("B", 500), ("A", 500)],
            ),
            (InvoicePer::Order, &[("", 1800)]),
        ];
        for (kind, wanted) in table {
            let invoices = invoiced(&order, &shipments, &per(kind)).unwrap();
            let got: Vec<(&str, i64)> = invoices
                .iter()
                .map(|invoice| (invoice.store.as_str(), invoice.total.0))
                .collect();
            assert_eq!(got, wanted, "{kind:?}");
            let last = 1001 + wanted.len() - 1;
            assert_eq!(invoices.last().unwrap().number, last.to_string());
        }
        let mut waiting = order;
        waiting.lines[0].backordered = decimal("2");
        let invoices = invoiced(&waiting, &shipments, &per(InvoicePer::Order)).unwrap();
        assert!(invoices.is_empty(), "not before all has shipped");
        assert!(
            invoiced(&waiting, &[], &per(InvoicePer::Shipment))
                .unwrap()
                .is_empty()
        );
    }

    /// Two shipments, of 60.00 and of 40.00: what each charge of the header adds to the two invoices.
    #[test]
    fn charges_of_the_header() {
        use ChargeKind::{Allowance, Charge as Added, Information};
        let fixed = |kind, cents| Charge {
            amount: Some(Amount(cents)),
            ..charge(kind, "X")
        };
        let percent = |kind, percent| Charge {
            percent: Some(decimal(percent)),
            ..charge(kind, "X")
        };
        let rate = |quantity: Option<&str>| Charge {
            rate: Some(decimal("0.125")),
            quantity: quantity.map(decimal),
            ..charge(Added, "X")
        };
        let handled = |handling: &str| Charge {
            handling: handling.into(),
            ..fixed(Added, 500)
        };
        let both = Charge {
            percent: Some(decimal("50")),
            ..fixed(Added, 500)
        };
        // (charge, invoices, on how many it is shown)
        let table = [
            (fixed(Allowance, 500), [5500, 4000], 1),
            (fixed(Added, 500), [6500, 4000], 1),
            (fixed(Information, 500), [6000, 4000], 1),
            (handled("01"), [6000, 4000], 1),
            (handled("05"), [6000, 4000], 1),
            (handled("06"), [6500, 4000], 1),
            (percent(Allowance, "2.5"), [5850, 3900], 2),
            (percent(Added, "0.125"), [6008, 4005], 2),
            (rate(None), [6075, 4050], 2),
            (rate(Some("100")), [7250, 4000], 1),
            (both, [6500, 4000], 1),
            (fixed(Allowance, -500), [6500, 4000], 1),
            (charge(Added, "X"), [6000, 4000], 0),
            (charge(Information, "X"), [6000, 4000], 1),
        ];
        for (charge, wanted, shown) in table {
            let mut order = shipped_order(&[("10", "10.00")]);
            order.header.charges = vec![charge.clone()];
            let shipments = [left(8, &[("", 1, "6")]), left(9, &[("", 1, "4")])];
            let policy = InvoicingPolicy::default();
            let together = invoiced(&order, &shipments, &policy).unwrap();
            assert_eq!(totals(&together), wanted, "{charge:?}");
            let count: usize = together.iter().map(|invoice| invoice.charges.len()).sum();
            assert_eq!(count, shown, "{charge:?}");
            assert!(
                together
                    .iter()
                    .flat_map(|invoice| &invoice.charges)
                    .all(|c| c.amount.0 >= 0)
            );
            // One after the other comes to the same.
            let [first, second] = &shipments;
            let one = invoiced(&order, std::slice::from_ref(first), &policy).unwrap();
            let order = book_invoiced(order, &one);
            let two = invoiced(&order, std::slice::from_ref(second), &policy).unwrap();
            assert_eq!([one[0].total.0, two[0].total.0], wanted, "{charge:?}");
            let without = InvoicingPolicy {
                order_charges: false,
                ..policy
            };
            let plain = invoiced(&shipped_order(&[("10", "10.00")]), &shipments, &without);
            assert_eq!(totals(&plain.unwrap()), [6000, 4000]);
        }
    }

    #[test]
    fn charges_of_a_line_go_with_its_first_invoice() {
        let mut order = shipped_order(&[("10", "10.00"), ("10", "1.00")]);
        order.lines[0].charges = vec![
            Charge {
                amount: Some(Amount(500)),
                ..charge(ChargeKind::Charge, "D240")
            },
            Charge {
                percent: Some(decimal("10")),
                ..charge(ChargeKind::Allowance, "C310")
            },
        ];
        let shipments = [
            left(7, &[("", 2, "10")]),
            left(8, &[("", 1, "6")]),
            left(9, &[("", 1, "4")]),
        ];
        let invoices = invoiced(&order, &shipments, &InvoicingPolicy::default()).unwrap();
        assert_eq!(totals(&invoices), [1000, 6000 + 500 - 600, 4000 - 400]);
    }

    /// Shipments of 60.00, 10.00 and 30.00: no invoice goes below zero, and what was not granted goes on.
    #[test]
    fn a_fixed_allowance_goes_on_where_the_goods_do_not_bear_it() {
        let off = |cents| Charge {
            amount: Some(Amount(cents)),
            ..charge(ChargeKind::Allowance, "C310")
        };
        let freight = |cents| Charge {
            amount: Some(Amount(cents)),
            ..charge(ChargeKind::Charge, "D240")
        };
        let half = Charge {
            percent: Some(decimal("50")),
            ..charge(ChargeKind::Allowance, "C000")
        };
        let shipments = [
            left(9, &[("", 1, "60")]),
            left(10, &[("", 1, "10")]),
            left(11, &[("", 1, "30")]),
        ];
        let contract = ContractCharge {
            kind: ChargeKind::Allowance,
            code: "F800".into(),
            percent: None,
            amount: Some(decimal("15")),
            handling: String::new(),
            description: String::new(),
        };
        // (of the header, of the line, of the contract, invoices, granted of the first of each in the end)
        let table = [
            (vec![off(500)], vec![], None, [5500, 1000, 3000], 500),
            (vec![off(6500)], vec![], None, [0, 500, 3000], 6500),
            (vec![off(8000)], vec![], None, [0, 0, 2000], 8000),
            (
                vec![off(8000), freight(300)],
                vec![],
                None,
                [0, 0, 2300],
                8000,
            ),
            (vec![off(11_000)], vec![], None, [0, 0, 0], 10_000),
            (vec![off(4000)], vec![off(4000)], None, [0, 0, 2000], 4000),
            (vec![half.clone(), off(4000)], vec![], None, [0, 0, 1000], 0),
            // The order in which they stand changes nothing of what is granted in all.
            (vec![off(4000), half], vec![], None, [0, 0, 1000], 4000),
            (
                vec![off(6500)],
                vec![],
                Some(contract.clone()),
                [0, 0, 0],
                6000,
            ),
            (vec![], vec![], Some(contract), [4500, 0, 1500], 0),
        ];
        for (header, of_line, contract, wanted, granted) in table {
            let mut order = shipped_order(&[("100", "1.00")]);
            let first_is_granted = !header.is_empty();
            (order.header.charges, order.lines[0].charges) = (header, of_line);
            let policy = InvoicingPolicy {
                charges: contract.into_iter().collect(),
                ..InvoicingPolicy::default()
            };
            let together = invoiced(&order, &shipments, &policy).unwrap();
            assert_eq!(totals(&together), wanted, "{order:?}");
            let mut one_by_one = Vec::new();
            for shipment in &shipments {
                let invoice = invoiced(&order, std::slice::from_ref(shipment), &policy).unwrap();
                order = book_invoiced(order, &invoice);
                one_by_one.extend(totals(&invoice));
            }
            assert_eq!(one_by_one, wanted, "{order:?}");
            if first_is_granted {
                assert_eq!(order.header.charges[0].granted, Amount(granted));
            }
        }
    }

    #[test]
    fn contract_charges_are_on_every_invoice() {
        let contract = |kind, percent: Option<&str>, amount: Option<&str>| ContractCharge {
            kind,
            code: "A".into(),
            percent: percent.map(decimal),
            amount: amount.map(decimal),
            handling: String::new(),
            description: String::new(),
        };
        let policy = InvoicingPolicy {
            charges: vec![
                contract(ChargeKind::Allowance, Some("5"), None),
                contract(ChargeKind::Charge, None, Some("7.50")),
                contract(ChargeKind::Charge, None, None),
            ],
            ..InvoicingPolicy::default()
        };
        let order = shipped_order(&[("10", "10.00")]);
        let shipments = [left(8, &[("", 1, "6")]), left(9, &[("", 1, "4")])];
        let invoices = invoiced(&order, &shipments, &policy).unwrap();
        assert_eq!(totals(&invoices), [6000 - 300 + 750, 4000 - 200 + 750]);
        let handling: Vec<&str> = invoices[0]
            .charges
            .iter()
            .map(|charge| charge.handling.as_str())
            .collect();
        assert_eq!(handling, ["02", "06"]);
    }

    #[test]
    fn rule_077_rounding_by_line_or_once() {
        // Three lines of 1.005: 1.01 each, or 3.015 together.
        let order = shipped_order(&[("1", "1.005"), ("1", "1.005"), ("1", "1.005")]);
        let shipments = [left(9, &[("", 1, "1"), ("", 2, "1"), ("", 3, "1")])];
        for (rounding, total, lines) in [
            (Rounding::Line, 303, [101, 101, 101]),
            (Rounding::Invoice, 302, [101, 100, 101]),
        ] {
            let policy = InvoicingPolicy {
                rounding,
                ..InvoicingPolicy::default()
            };
            let invoices = invoiced(&order, &shipments, &policy).unwrap();
            assert_eq!(totals(&invoices), [total]);
            let extensions: Vec<i64> = invoices[0].lines.iter().map(|l| l.extension.0).collect();
            assert_eq!(extensions, lines);
        }
    }

    #[test]
    fn a_price_that_does_not_end_extends_exactly() {
        let third = Decimal::ONE / Decimal::from(3);
        assert_eq!(
            extension(decimal("1.5"), third * decimal("0.01")),
            Ok(decimal("0.005"))
        );
        assert_eq!(extension(decimal("6"), decimal("24")), Ok(decimal("144")));
        assert_eq!(extension(Decimal::MAX, Decimal::MAX), Err(AmountOverflow));
    }

    #[test]
    fn the_orders_terms_or_the_partners() {
        let mut order = shipped_order(&[("10", "10.00")]);
        order.header.terms = Some(Terms {
            net_days: Some(60),
            discount_percent: Some(decimal("200")),
            discount_days: Some(5),
            ..Terms::default()
        });
        let shipments = [left(9, &[("", 1, "10")])];
        let mut policy = InvoicingPolicy::default();
        let invoices = invoiced(&order, &shipments, &policy).unwrap();
        assert_eq!(invoices[0].due, day("2026-03-16"));
        assert_eq!(
            invoices[0].discount, invoices[0].total,
            "never more than the total"
        );
        policy.terms_from_order = false;
        let invoices = invoiced(&order, &shipments, &policy).unwrap();
        assert_eq!(invoices[0].due, day("2026-02-14"));
        assert_eq!(invoices[0].discount, Amount::ZERO);
    }

    #[test]
    fn what_is_refused() {
        let order = shipped_order(&[("10", "10.00")]);
        let policy = InvoicingPolicy::default();
        let refused = |order: &Order, shipment, policy: &InvoicingPolicy| {
            invoiced(order, &[shipment], policy)
                .unwrap_err()
                .to_string()
        };
        let all = || left(9, &[("", 1, "10")]);

        let mut planned = all();
        planned.state = ShipmentState::Planned;
        assert!(refused(&order, planned, &policy).contains("has not left"));

        let more = refused(&order, left(9, &[("", 1, "11")]), &policy);
        assert_eq!(more, "invoice 1001 bills 11 of line 1, of which 10 shipped");
        let mut billed = order.clone();
        billed.lines[0].invoiced = decimal("4");
        assert!(refused(&billed, all(), &policy).contains("bills 14 of line 1"));

        assert!(refused(&order, left(9, &[("", 5, "1")]), &policy).contains("line 5"));
        let short = InvoicingPolicy {
            number_length_max: 3,
            ..policy.clone()
        };
        assert!(refused(&order, all(), &short).contains("3 characters"));

        let mut absurd = order;
        absurd.lines[0].accepted.as_mut().unwrap().unit_price = Decimal::MAX;
        assert!(matches!(
            invoiced(&absurd, &[all()], &policy),
            Err(InvoiceRefusal::Overflow(_))
        ));
    }

    #[test]
    fn a_changed_cent_is_found() {
        let mut order = shipped_order(&[("10", "10.00"), ("2", "0.505")]);
        order.header.charges = vec![Charge {
            amount: Some(Amount(500)),
            ..charge(ChargeKind::Allowance, "C310")
        }];
        let shipments = [left(9, &[("", 1, "10"), ("", 2, "2")])];
        let good = invoiced(&order, &shipments, &InvoicingPolicy::default())
            .unwrap()
            .remove(0);
        assert_eq!(prove(&good), Ok(()));
        type Change = fn(&mut Invoice);
        let changes: [Change; 7] = [
            |invoice| invoice.total.0 += 1,
            |invoice| invoice.lines[0].extension.0 += 1,
            |invoice| invoice.lines[0].quantity += Decimal::ONE,
            |invoice| invoice.lines[1].unit_price = decimal("0.51"),
            |invoice| invoice.charges[0].amount.0 -= 1,
            |invoice| invoice.charges[0].kind = ChargeKind::Charge,
            |invoice| invoice.charges[0].handling = "01".into(),
        ];
        for change in changes {
            let mut bad = good.clone();
            change(&mut bad);
            assert!(
                matches!(prove(&bad), Err(InvoiceRefusal::DoesNotAddUp { .. })),
                "{bad:?}"
            );
        }
        let mut moved = good.clone();
        moved.lines[0].extension.0 += 5;
        moved.lines[1].extension.0 -= 5;
        assert!(
            prove(&moved).is_err(),
            "no line may be off by more than a cent"
        );
        let mut credit = good;
        credit.kind = InvoiceKind::Credit;
        assert!(prove(&credit).is_err(), "a credit's total is below zero");
        credit.total = credit.total.negated();
        assert_eq!(prove(&credit), Ok(()));
    }

    mod properties {
        use proptest::prelude::*;

        use super::*;

        fn any_charge() -> impl Strategy<Value = Charge> {
            (
                0_usize..3,
                prop::option::of(0_i64..500),
                prop::option::of(0_i64..300),
                prop::option::of(0_i64..30),
                0_usize..4,
            )
                .prop_map(|(kind, amount, percent, rate, handling)| Charge {
                    kind: [
                        ChargeKind::Charge,
                        ChargeKind::Allowance,
                        ChargeKind::Information,
                    ][kind],
                    amount: amount.map(Amount),
                    percent: percent.map(|percent| Decimal::new(percent, 2)),
                    rate: rate.map(|rate| Decimal::new(rate, 3)),
                    handling: ["", "01", "02", "05"][handling].into(),
                    ..charge(ChargeKind::Charge, "X")
                })
        }

        proptest! {
            /// However the goods travel: every invoice is proven, what is billed is what shipped, and each fixed charge
            /// is there exactly once.
            #[test]
            fn billing_conserves(
                lines in prop::collection::vec((prop::collection::vec(1_i64..50, 1..4), 0_i64..2_000_000), 1..5),
                header in prop::collection::vec(any_charge(), 0..3),
                of_line in prop::collection::vec(any_charge(), 0..2),
                per in 0_usize..3,
                once in any::<bool>(),
                one_by_one in any::<bool>(),
            ) {
                let per = [InvoicePer::Shipment, InvoicePer::Store, InvoicePer::Order][per];
                let policy = InvoicingPolicy {
                    per,
                    rounding: if once { Rounding::Invoice } else { Rounding::Line },
                    ..InvoicingPolicy::default()
                };
                let texts: Vec<(String, String)> = lines
                    .iter()
                    .map(|(parts, price)| (
                        parts.iter().sum::<i64>().to_string(),
                        Decimal::new(*price, 4).to_string(),
                    ))
                    .collect();
                let pairs: Vec<(&str, &str)> =
                    texts.iter().map(|(q, p)| (q.as_str(), p.as_str())).collect();
                let mut order = shipped_order(&pairs);
                order.header.charges = header.clone();
                for line in &mut order.lines {
                    line.charges = of_line.clone();
                }
                let shipments: Vec<Shipment> = (0..3_usize)
                    .map(|turn| {
                        let parts: Vec<(u32, String)> = (1_u32..)
                            .zip(&lines)
                            .filter_map(|(number, (parts, _))| {
                                parts.get(turn).map(|part| (number, part.to_string()))
                            })
                            .collect();
                        let contents: Vec<(&str, u32, &str)> = parts
                            .iter()
                            .map(|(number, part)| (if number % 2 == 0 { "A" } else { "B" }, *number, part.as_str()))
                            .collect();
                        left(i64::try_from(turn).unwrap_or(0), &contents)
                    })
                    .filter(|shipment| !shipment.cartons.is_empty())
                    .collect();
                let mut made = Vec::new();
                let batches: Vec<&[Shipment]> = if one_by_one && per != InvoicePer::Order {
                    shipments.chunks(1).collect()
                } else {
                    vec![&shipments]
                };
                for batch in batches {
                    let invoices = invoiced(&order, batch, &policy)
                        .map_err(|refusal| TestCaseError::fail(refusal.to_string()))?;
                    order = book_invoiced(order, &invoices);
                    made.extend(invoices);
                }
                for line in &order.lines {
                    prop_assert_eq!(line.invoiced, line.shipped);
                }
                for invoice in &made {
                    prop_assert_eq!(prove(invoice), Ok(()));
                    prop_assert!(invoice.total.0 >= 0 && invoice.discount.0 <= invoice.total.0);
                }
                let fixed: i64 = header.iter().filter_map(|charge| charge.amount).map(|amount| amount.0).sum();
                let shown: i64 = made
                    .iter()
                    .flat_map(|invoice| &invoice.charges)
                    .filter(|charge| charge.percent.is_none())
                    .map(|charge| charge.amount.0)
                    .sum();
                let rated = header.iter().any(|charge| charge.amount.is_none() && charge.percent.is_none() && charge.rate.is_some());
                prop_assert!(rated || shown == fixed);
            }
        }
    }
}
