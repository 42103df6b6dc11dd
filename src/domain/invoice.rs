//! Invoices: what shipped, at the agreed price, with allowances and charges, proven to add up before it is queued.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ids::{CompanyId, InvoiceId, OrderId, PartnerId, ShipmentId};
use super::money::{Amount, AmountOverflow, Currency};
use super::order::{
    AcceptedLine, Charge, ChargeKind, ItemNumber, Mode, Order, OrderLine, Party, Price, Reference,
};
use super::policy::{ContractCharge, InvoicePer, InvoicingPolicy, Rounding};
use super::shipment::{Shipment, ShipmentState};
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
    /// What is owed: lines and charges, before discount. Of a credit it is at or below zero.
    pub total: Amount,
    /// Parties for the 810.
    #[serde(default)]
    pub parties: Vec<Party>,
    /// Department and vendor number of the order, for the 810's REF.
    #[serde(default)]
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
/// of the order, or of the line, once and whole; a percentage is of the goods (of the line's extension) on every invoice;
/// a rate without quantity is per unit billed. Contract charges enter every invoice. What is information, billed back or
/// paid by the vendor is shown and not summed. After it the order has to be written with [`book_invoiced`].
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
            }
        }
    }
    order
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
        for carton in &billed.shipment.cartons {
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
                    share.add(content.line, content.quantity);
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
    made: Vec<Invoice>,
}

impl Billing<'_> {
    fn bill(&mut self, share: &Share<'_>) -> Result<(), InvoiceRefusal> {
        let (id, number) = self.number()?;
        let lines = self.lines(share, &number)?;
        let goods = Amount::sum(lines.iter().map(|line| line.extension))?;
        let units: Decimal = lines
            .iter()
            .map(|line| line.quantity)
            .fold(Decimal::ZERO, Decimal::saturating_add);
        let charges = self.charges(goods, units)?;
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
        }
        self.made.push(invoice);
        Ok(())
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
            for charge in &line.charges {
                charges.extend(self.settled(charge, first, extension, quantity)?);
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
            for charge in &self.basis.order.header.charges {
                charges.extend(self.settled(charge, first, goods, units)?);
            }
        }
        for charge in &self.basis.policy.charges {
            charges.extend(self.contract(charge, goods)?);
        }
        Ok(charges)
    }

    /// The amount of a charge on this invoice; none where it entered an earlier one.
    fn settled(
        &self,
        charge: &Charge,
        first: bool,
        goods: Amount,
        units: Decimal,
    ) -> Result<Option<InvoiceCharge>, AmountOverflow> {
        let currency = self.basis.order.header.currency;
        let once = |amount| Ok(first.then_some(amount));
        let amount = match (charge.amount, charge.percent, charge.rate, charge.quantity) {
            (Some(amount), _, _, _) => once(amount),
            (None, Some(percent), _, _) => percent_of(goods, percent, currency).map(Some),
            (None, None, Some(rate), Some(quantity)) => {
                product(rate, quantity, currency).and_then(once)
            }
            (None, None, Some(rate), None) => product(rate, units, currency).map(Some),
            (None, None, None, _) if charge.kind == ChargeKind::Information => once(Amount::ZERO),
            (None, None, None, _) => Ok(None),
        }?;
        Ok(amount.map(|amount| InvoiceCharge {
            kind: turned(charge.kind, amount),
            code: charge.code.clone(),
            amount: unsigned(amount),
            percent: charge.percent.filter(|_| charge.amount.is_none()),
            handling: charge.handling.clone(),
            description: charge.description.clone(),
        }))
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
            parties: header.parties.clone(),
            references: references(order),
        })
    }
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
