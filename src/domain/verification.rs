//! Verification: what of an order can be accepted, line by line, by what we know and by what the partner agreed.
//!
//! Pure: the state of the order is changed by whoever asked, from [`Verified::verdict`]. Every rule that finds something
//! says so in a [`Finding`], whatever becomes of the line, so that a person sees all faults at once.
//!
//! How a rule's [`Outcome`] is read: *accept* and *accept with change* go on with a note; *hold* waits for a person;
//! *reject line* refuses the line with a note, and the whole order where the rule is about the header; *reject order*
//! refuses the order. A rule that can not go on with what the buyer wrote (an item that nobody knows) reads *accept* as
//! *hold*. Once a person has released the order, what would hold is accepted where it can be, and the line is refused
//! where it can not.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use rust_decimal::{Decimal, RoundingStrategy};

use super::catalogue::{Item, PriceEntry};
use super::finding::{Finding, Origin, Place, Severity};
use super::gs1::gtin_is_valid;
use super::ids::{ItemId, PartnerId};
use super::money::{Amount, Currency};
use super::order::{
    AcceptedLine, Charge, ItemNumber, LineRefusal, Order, OrderHeader, OrderLine, Price,
};
use super::policy::{Outcome, VerificationPolicy};
use super::stock::{to_stored, units_per_whole_cases};

/// Decimals at most of a price that we state; what the price list gives finer is rounded half away from zero, and the
/// rounded price is the agreed one.
pub const PRICE_DECIMALS_MAX: u32 = 6;

/// Most that one line is believed to be worth, in major units: a trillion.
const LINE_VALUE_MAX: i64 = 1_000_000_000_000;

/// What we know that an order is judged by.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The buyer's numbers of items, as far as they resolve.
    pub items: HashMap<ItemNumber, Item>,
    /// Prices of these items: the partner's own and everybody's, of any date.
    pub prices: Vec<PriceEntry>,
    /// Numbers of the partner's locations.
    pub locations: BTreeSet<String>,
    /// The partner has a location list at all; without one every location is believed.
    pub locations_listed: bool,
}

/// What is to become of the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Goes on to allocation; single lines may be refused.
    Accept,
    /// Waits for a person; the findings of severity hold say why.
    Hold,
    /// Refused as a whole.
    Reject {
        /// Why, for the console and the 855.
        reason: String,
    },
}

/// An order with its lines judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The order, each line with `accepted` or with `refusal`; its state as before.
    pub order: Order,
    /// What was found, in the order of header, lines, whole. The order carries them too.
    pub findings: Vec<Finding>,
    /// What is to become of the order.
    pub verdict: Verdict,
}

/// Judges `order` by what is `known`, under the partner's `policy`, on `today`. With `released` a person has looked at
/// the held order and wants it to go on.
///
/// May be called again for the same order: lines that nothing has been promised of are judged afresh. Where a line is
/// both held and not released, nothing of it is refused yet.
pub fn verify(
    mut order: Order,
    known: &Known,
    policy: &VerificationPolicy,
    today: NaiveDate,
    released: bool,
) -> Verified {
    let mut judge = Judge {
        known,
        policy,
        today,
        released,
        partner: order.partner,
        gtins: gtins(&known.items),
        findings: Vec::new(),
        rejected: None,
    };
    let mut lines = std::mem::take(&mut order.lines);
    judge.header(&order.header, &lines);
    for line in &mut lines {
        judge.line(line, &order.header);
    }
    judge.repeated_lines(&mut lines);
    judge.minimum(&order.header, &lines);
    let verdict = judge.verdict(&lines);
    order.lines = lines;
    order
        .findings
        .retain(|finding| finding.origin != Origin::Business);
    order.findings.extend(judge.findings.iter().cloned());
    Verified {
        order,
        findings: judge.findings,
        verdict,
    }
}

/// Item numbers that are GTINs, padded to 14 digits: a UPC and the EAN that it is written as are one number.
/// None stands where two items share one.
fn gtins(items: &HashMap<ItemNumber, Item>) -> HashMap<String, Option<&Item>> {
    let mut index: HashMap<String, Option<&Item>> = HashMap::new();
    for (number, item) in items {
        let Some(gtin) = padded_gtin(number) else {
            continue;
        };
        index
            .entry(gtin)
            .and_modify(|known| {
                if known.is_some_and(|known| known.id != item.id) {
                    *known = None;
                }
            })
            .or_insert(Some(item));
    }
    index
}

fn padded_gtin(number: &ItemNumber) -> Option<String> {
    (matches!(number.qualifier.as_str(), "UP" | "EN" | "UK")
        && (11..=14).contains(&number.value.len())
        && number.value.bytes().all(|byte| byte.is_ascii_digit()))
    .then(|| format!("{:0>14}", number.value))
}

/// What a rule leads to, here and now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// On, with what the buyer wrote.
    Go,
    /// On, with ours.
    Change,
    /// Waits for a person; the rest of the line is judged all the same.
    Wait,
    /// The line is refused.
    Refuse,
}

/// How far a rule can go on with what the buyer wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Without a person.
    Anyone,
    /// With a person's word.
    Person,
    /// Not at all.
    Nobody,
}

/// A rule that found something, before it is known what that leads to.
struct Fault<'a> {
    code: &'static str,
    outcome: Outcome,
    reach: Reach,
    /// Going on with ours is possible.
    change: bool,
    /// What is wrong, without the line's name and without a full stop.
    what: String,
    /// What a person is to do when it holds.
    advice: &'static str,
    line: Option<&'a OrderLine>,
    segment: &'static str,
    element: Option<u32>,
    value: Option<String>,
}

impl<'a> Fault<'a> {
    fn new(code: &'static str, outcome: Outcome, what: String, advice: &'static str) -> Self {
        Self {
            code,
            outcome,
            reach: Reach::Anyone,
            change: false,
            what,
            advice,
            line: None,
            segment: "PO1",
            element: None,
            value: None,
        }
    }

    fn reach(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    fn with_change(mut self, possible: bool) -> Self {
        self.change = possible;
        self
    }

    fn on(mut self, line: &'a OrderLine, element: u32) -> Self {
        self.line = Some(line);
        self.element = Some(element);
        self
    }

    fn in_header(mut self, segment: &'static str, element: u32) -> Self {
        self.segment = segment;
        self.element = Some(element);
        self
    }

    fn met(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into());
        self
    }
}

struct Judge<'k> {
    known: &'k Known,
    policy: &'k VerificationPolicy,
    today: NaiveDate,
    released: bool,
    partner: PartnerId,
    gtins: HashMap<String, Option<&'k Item>>,
    findings: Vec<Finding>,
    rejected: Option<String>,
}

impl<'k> Judge<'k> {
    /// Records the finding and says what it leads to.
    fn find(&mut self, fault: Fault<'_>) -> Effect {
        let (effect, severity, tail) = self.weigh(&fault);
        let subject = fault.line.map(subject).unwrap_or_default();
        let message = format!("{subject}{}; {tail}.", fault.what);
        let mut finding = Finding::business(fault.code, severity, message).at(place(&fault));
        if let Some(line) = fault.line {
            finding = finding.on_line(line.line);
        }
        if let Some(value) = fault.value {
            finding = finding.with_value(value);
        }
        if severity == Severity::Reject && self.rejected.is_none() {
            self.rejected = Some(finding.message.clone());
        }
        self.findings.push(finding);
        effect
    }

    fn weigh(&self, fault: &Fault<'_>) -> (Effect, Severity, String) {
        let go = (
            Effect::Go,
            Severity::Note,
            "it goes on as the buyer wrote it".to_owned(),
        );
        let refuse = (
            Effect::Refuse,
            Severity::Note,
            "the line is refused and the others go on".to_owned(),
        );
        match fault.outcome {
            Outcome::Accept if fault.reach == Reach::Anyone => go,
            Outcome::AcceptWithChange if fault.change => (
                Effect::Change,
                Severity::Note,
                "ours is used, and the 855 says so".to_owned(),
            ),
            Outcome::AcceptWithChange if fault.reach == Reach::Anyone => go,
            Outcome::RejectLine if fault.line.is_some() => refuse,
            Outcome::RejectLine | Outcome::RejectOrder => (
                Effect::Refuse,
                Severity::Reject,
                "the order is refused".to_owned(),
            ),
            _ if !self.released => (Effect::Wait, Severity::Hold, fault.advice.to_owned()),
            _ if fault.reach != Reach::Nobody => (
                Effect::Go,
                Severity::Note,
                "a person released it, and it goes on as the buyer wrote it".to_owned(),
            ),
            _ if fault.change => (
                Effect::Change,
                Severity::Note,
                "a person released it, and ours is used".to_owned(),
            ),
            _ if fault.line.is_some() => (
                Effect::Refuse,
                Severity::Note,
                "a person released the order, but this line can not go on and is refused"
                    .to_owned(),
            ),
            _ => (
                Effect::Refuse,
                Severity::Reject,
                "a person released the order, but it can not go on and is refused".to_owned(),
            ),
        }
    }

    fn header(&mut self, header: &OrderHeader, lines: &[OrderLine]) {
        if lines.is_empty() {
            self.find(
                Fault::new(
                    "no-lines",
                    Outcome::RejectOrder,
                    "The order has no line".to_owned(),
                    "ask the buyer for the order again",
                )
                .in_header("BEG", 3),
            );
        }
        self.ship_to(header, lines);
        self.dates(header);
        self.charges(&header.charges, None);
        if let Some(first) = header.notes.first() {
            let what = format!(
                "The order carries {} free text that nobody has read yet, beginning {:?}",
                header.notes.len(),
                cut(first, 60)
            );
            self.find(
                Fault::new(
                    "notes-present",
                    self.policy.notes_present,
                    what,
                    "read it and release or reject the order",
                )
                .in_header("MSG", 1)
                .met(first),
            );
        }
    }

    fn ship_to(&mut self, header: &OrderHeader, lines: &[OrderLine]) {
        let policy = self.policy.ship_to_unknown;
        let Some(party) = header.party("ST") else {
            if lines.iter().any(|line| line.stores.is_empty()) {
                self.find(
                    Fault::new(
                        "ship-to-missing",
                        policy,
                        "The order names no ship-to (N1 with ST), and not every line is distributed to stores".to_owned(),
                        "ask the buyer where the goods go, and release or reject the order",
                    )
                    .in_header("N1", 1),
                );
            }
            return;
        };
        let addressed = !party.street.is_empty() && !party.city.is_empty();
        if self.known.locations_listed
            && !self.known.locations.contains(party.id.trim())
            && !(party.id.is_empty() && addressed)
        {
            let what = format!(
                "The ship-to {:?} ({}) is not in the partner's location list",
                party.id,
                cut(&party.name, 40)
            );
            self.find(
                Fault::new(
                    "ship-to-unknown",
                    policy,
                    what,
                    "import it (`location import`) and release the order, or reject it",
                )
                .in_header("N1", 4)
                .met(&party.id),
            );
        }
    }

    fn dates(&mut self, header: &OrderHeader) {
        let policy = self.policy.dates_out_of_order;
        let advice =
            "ask the buyer which of them holds, and release the order as it is or reject it";
        let dates = &header.dates;
        let chain: Vec<(&str, NaiveDate)> = [
            ("037 ship not before", dates.ship_not_before),
            ("010 requested ship", dates.ship_requested),
            ("038 ship no later", dates.ship_no_later),
            ("001 cancel after", dates.cancel_after),
        ]
        .into_iter()
        .filter_map(|(name, date)| date.map(|date| (name, date)))
        .collect();
        let delivery =
            dates
                .ship_not_before
                .zip(dates.delivery_requested)
                .map(|(first, wanted)| {
                    [
                        ("037 ship not before", first),
                        ("002 delivery requested", wanted),
                    ]
                });
        let pairs = chain
            .windows(2)
            .filter_map(|pair| <[(&str, NaiveDate); 2]>::try_from(pair).ok())
            .chain(delivery);
        for [(earlier, first), (later, second)] in pairs {
            if first > second {
                let what =
                    format!("The dates contradict: {earlier} {first} is after {later} {second}");
                self.find(
                    Fault::new("dates-out-of-order", policy, what, advice)
                        .in_header("DTM", 2)
                        .met(second.format("%Y%m%d").to_string()),
                );
            }
        }
        let last = [
            ("cancel-date-past", "cancel-after date", dates.cancel_after),
            ("ship-window-past", "last day to ship", dates.ship_no_later),
        ];
        let past = last.into_iter().find_map(|(code, name, date)| {
            date.filter(|day| *day < self.today)
                .map(|day| (code, name, day))
        });
        if let Some((code, name, day)) = past {
            let what = format!("The {name} {day} is past; today is {}", self.today);
            self.find(
                Fault::new(
                    code,
                    policy,
                    what,
                    "ask the buyer for a new date, and release the order as it is or reject it",
                )
                .in_header("DTM", 2)
                .met(day.format("%Y%m%d").to_string()),
            );
        }
    }

    /// Amounts, percentages and rates of allowances and charges stand without a sign: SAC01 has it.
    fn charges(&mut self, charges: &[Charge], line: Option<&OrderLine>) {
        for charge in charges {
            let negative = charge.amount.is_some_and(|amount| amount.0 < 0)
                || [charge.percent, charge.rate, charge.quantity]
                    .into_iter()
                    .flatten()
                    .any(|number| number < Decimal::ZERO);
            if negative {
                let what = format!(
                    "{} allowance or charge {} ({}) is below zero, where its sign is SAC01's",
                    if line.is_some() { "the" } else { "The" },
                    charge.code,
                    cut(&charge.description, 40)
                );
                let mut fault = Fault::new(
                    "charge-negative",
                    self.policy.price_differs,
                    what,
                    "ask the buyer what is meant; released, an allowance below zero is charged and a charge below zero is taken off",
                )
                .reach(Reach::Person)
                .in_header("SAC", 5);
                fault.line = line;
                self.find(fault);
            }
        }
    }

    fn line(&mut self, line: &mut OrderLine, header: &OrderHeader) {
        let promised = [line.confirmed, line.backordered, line.shipped];
        if promised.iter().any(|quantity| !quantity.is_zero()) {
            return;
        }
        line.accepted = None;
        line.refusal = None;
        line.refused = Decimal::ZERO;
        match self.judge_line(line, header) {
            Ok(None) => {}
            Ok(Some((accepted, cut))) => {
                line.accepted = Some(accepted);
                line.refused = cut;
                line.refusal = (!cut.is_zero()).then_some(LineRefusal::QuantityInvalid);
            }
            Err(refusal) => refuse(line, refusal),
        }
    }

    /// What the line comes to and how much of it is cut; none where a person has to decide something that can not be
    /// left open; an error where it is refused. All rules are asked, whatever the first one said.
    fn judge_line(
        &mut self,
        line: &OrderLine,
        header: &OrderHeader,
    ) -> Result<Option<(AcceptedLine, Decimal)>, LineRefusal> {
        let mut refusals = Refusals::default();
        self.check_digits(line);
        self.charges(&line.charges, Some(line));
        let item = match self.item(line) {
            Ok(item) => Some(item),
            Err(effect) => refusals.note(effect, LineRefusal::ItemUnknown),
        };
        if let Some(item) = item.filter(|item| item.discontinued) {
            refusals.note::<()>(self.discontinued(line, item), LineRefusal::Discontinued);
        }
        let positive = match self.quantity_sign(line) {
            Ok(()) => Some(()),
            Err(effect) => refusals.note(effect, LineRefusal::QuantityInvalid),
        };
        refusals.note::<()>(self.store_sum(line), LineRefusal::QuantityInvalid);
        refusals.note::<()>(self.stores_known(line), LineRefusal::LocationUnknown);
        let settled = item.and_then(|item| {
            let item = with_the_orders_pack(item, line);
            self.judge_item(line, header, &item, positive.is_some(), &mut refusals)
        });
        refusals.first.map_or(Ok(settled), Err)
    }

    /// Quantity and price, once the item is known.
    fn judge_item(
        &mut self,
        line: &OrderLine,
        header: &OrderHeader,
        item: &Item,
        positive: bool,
        refusals: &mut Refusals,
    ) -> Option<(AcceptedLine, Decimal)> {
        let base_per_unit = match self.unit(line, item) {
            Ok(factor) => factor,
            Err(effect) => return refusals.note(effect, LineRefusal::UnitUnknown),
        };
        let counted = positive
            .then(|| self.quantity(line, item, base_per_unit))
            .and_then(|judged| match judged {
                Ok(()) => Some(()),
                Err(effect) => refusals.note(effect, LineRefusal::QuantityInvalid),
            });
        let cut = counted.and_then(|()| match self.packs(line, item, base_per_unit) {
            Ok(cut) => Some(cut),
            Err(effect) => refusals.note(effect, LineRefusal::QuantityInvalid),
        });
        let priced = match self.price(line, item, base_per_unit, header) {
            Ok(priced) => priced,
            Err(effect) => return refusals.note(effect, LineRefusal::PriceDiffers),
        };
        let cut = cut?;
        if let Err(effect) = self.value(line, priced.unit_price, header.currency) {
            return refusals.note(effect, LineRefusal::QuantityInvalid);
        }
        Some((accepted(item, base_per_unit, priced), cut))
    }

    fn check_digits(&mut self, line: &OrderLine) {
        for (index, number) in line.numbers.iter().enumerate() {
            let digits = match number.qualifier.as_str() {
                "UP" => 12,
                "EN" => 13,
                "UK" => 14,
                _ => continue,
            };
            if number.value.len() != digits || !gtin_is_valid(&number.value) {
                let what = format!(
                    "{} {:?} is no GTIN of {digits} digits with a right check digit",
                    number.qualifier,
                    cut(&number.value, 40)
                );
                self.find(
                    Fault::new("gtin-check-digit", Outcome::Accept, what, "")
                        .on(line, number_element(index))
                        .met(&number.value),
                );
            }
        }
    }

    /// The item that the line's numbers name. All numbers that we know must name one item.
    fn item(&mut self, line: &OrderLine) -> Result<&'k Item, Effect> {
        let found: Vec<(usize, &'k Item)> = line
            .numbers
            .iter()
            .enumerate()
            .filter_map(|(index, number)| {
                let by_gtin = || padded_gtin(number).and_then(|gtin| *self.gtins.get(&gtin)?);
                self.known
                    .items
                    .get(number)
                    .or_else(by_gtin)
                    .map(|item| (index, item))
            })
            .collect();
        let Some((_, first)) = found.first().copied() else {
            return Err(self.find(
                Fault::new(
                    "item-unknown",
                    self.policy.item_unknown,
                    "no item of ours has any of these numbers".to_owned(),
                    "add the item or the buyer's number of it (`item import`) and release the order, or reject it",
                )
                .reach(Reach::Nobody)
                .on(line, number_element(0))
                .met(line.numbers.first().map_or("", |number| &number.value)),
            ));
        };
        if let Some((index, other)) = found.iter().find(|(_, item)| item.id != first.id) {
            let number = line.numbers.get(*index);
            let what = format!(
                "its numbers name two items of ours, {} and {}",
                first.code, other.code
            );
            let effect = self.find(
                Fault::new(
                    "item-ambiguous",
                    self.policy.item_unknown,
                    what,
                    "correct the buyer's numbers in the item list; released, the item of the first number is taken",
                )
                .reach(Reach::Person)
                .on(line, number_element(*index))
                .met(number.map_or("", |number| &number.value)),
            );
            if effect == Effect::Refuse {
                return Err(effect);
            }
        }
        Ok(first)
    }

    fn discontinued(&mut self, line: &OrderLine, item: &Item) -> Effect {
        let what = format!("item {} is discontinued", item.code);
        self.find(
            Fault::new(
                "item-discontinued",
                self.policy.item_discontinued,
                what,
                "release the order to sell what is left, or reject it",
            )
            .on(line, number_element(0)),
        )
    }

    fn quantity_sign(&mut self, line: &OrderLine) -> Result<(), Effect> {
        if line.ordered > Decimal::ZERO {
            return Ok(());
        }
        let word = if line.ordered.is_zero() {
            "zero"
        } else {
            "below zero"
        };
        let what = format!("the quantity {} is {word}", line.ordered.normalize());
        Err(self.find(
            Fault::new(
                "quantity-invalid",
                self.policy.quantity_invalid,
                what,
                "ask the buyer for the right quantity; released, the line is refused",
            )
            .reach(Reach::Nobody)
            .on(line, 2)
            .met(line.ordered.normalize().to_string()),
        ))
    }

    fn store_sum(&mut self, line: &OrderLine) -> Effect {
        if line.stores.is_empty() {
            return Effect::Go;
        }
        let whole = line
            .stores
            .iter()
            .all(|store| store.quantity > Decimal::ZERO);
        let sum = line
            .stores
            .iter()
            .try_fold(Decimal::ZERO, |sum, store| sum.checked_add(store.quantity));
        if whole && sum == Some(line.ordered) {
            return Effect::Go;
        }
        let what = match sum {
            Some(sum) if whole => format!(
                "the stores' quantities (SDQ) add up to {}, the line orders {}",
                sum.normalize(),
                line.ordered.normalize()
            ),
            _ => "a store's quantity (SDQ) is zero, below zero or absurd".to_owned(),
        };
        self.find(
            Fault::new(
                "store-quantities-differ",
                self.policy.store_quantities,
                what,
                "ask the buyer; released, the line's quantity holds and the stores are served in turn until it is used up",
            )
            .reach(Reach::Person)
            .on(line, 2)
            .met(line.ordered.normalize().to_string()),
        )
    }

    fn stores_known(&mut self, line: &OrderLine) -> Effect {
        if !self.known.locations_listed {
            return Effect::Go;
        }
        let unknown: Vec<&str> = line
            .stores
            .iter()
            .map(|store| store.store.as_str())
            .filter(|store| !self.known.locations.contains(store.trim()))
            .collect();
        let Some(first) = unknown.first() else {
            return Effect::Go;
        };
        let more = match unknown.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let what = format!("store {first:?}{more} is not in the partner's location list");
        self.find(
            Fault::new(
                "store-unknown",
                self.policy.ship_to_unknown,
                what,
                "import it (`location import`) and release the order, or reject it",
            )
            .on(line, 2)
            .met(*first),
        )
    }

    fn unit(&mut self, line: &OrderLine, item: &Item) -> Result<Decimal, Effect> {
        if let Some(factor) = positive(item.base_per(&line.unit)) {
            return Ok(factor);
        }
        let what = format!(
            "unit {:?} has no conversion to {}, in which item {} is counted",
            cut(&line.unit, 10),
            item.base_unit,
            item.code
        );
        Err(self.find(
            Fault::new(
                "unit-unknown",
                self.policy.unit_unknown,
                what,
                "give the item this unit (`item import`) and release the order, or reject it",
            )
            .reach(Reach::Nobody)
            .on(line, 3)
            .met(&line.unit),
        ))
    }

    /// Whether the quantity can be believed and kept.
    fn quantity(
        &mut self,
        line: &OrderLine,
        item: &Item,
        base_per_unit: Decimal,
    ) -> Result<(), Effect> {
        let quantity = line.ordered.normalize();
        let fault = |reach, code, what| {
            Fault::new(
                code,
                self.policy.quantity_invalid,
                what,
                "ask the buyer for the right quantity, and release the order or reject it",
            )
            .reach(reach)
            .on(line, 2)
            .met(quantity.to_string())
        };
        let base = exact_product(line.ordered, base_per_unit);
        let Some(base) = base.filter(|base| to_stored(*base).is_some()) else {
            let what = format!(
                "the quantity {quantity} {} is larger or finer than stock is counted, which has four decimals",
                cut(&line.unit, 10)
            );
            return Err(self.find(fault(Reach::Nobody, "quantity-absurd", what)));
        };
        let counted = matches!(item.base_unit.as_str(), "EA" | "PC" | "UN");
        let wrong = if base > self.policy.quantity_max {
            Some((
                "quantity-absurd",
                format!(
                    "{} {} are more than the {} that are believed of one line",
                    base.normalize(),
                    item.base_unit,
                    self.policy.quantity_max.normalize()
                ),
            ))
        } else if counted && !base.fract().is_zero() {
            Some((
                "quantity-fractional",
                format!(
                    "{} {} is no whole number, and item {} is counted",
                    base.normalize(),
                    item.base_unit,
                    item.code
                ),
            ))
        } else {
            None
        };
        let Some((code, what)) = wrong else {
            return Ok(());
        };
        let fault = fault(Reach::Person, code, what);
        match self.find(fault) {
            Effect::Go | Effect::Change => Ok(()),
            effect => Err(effect),
        }
    }

    /// How much of the line is cut so that whole cases remain; an error where the line waits or is refused.
    fn packs(
        &mut self,
        line: &OrderLine,
        item: &Item,
        base_per_unit: Decimal,
    ) -> Result<Decimal, Effect> {
        let Some(case) = positive(item.base_per("CA")) else {
            return Ok(Decimal::ZERO);
        };
        let counted_in_cases = matches!(line.unit.as_str(), "CA" | "CT" | "CS");
        if let Some(pack) = line.pack.filter(|pack| counted_in_cases && *pack != case) {
            let what = format!(
                "the buyer understands a case as {} {}, and ours of item {} holds {}",
                pack.normalize(),
                item.base_unit,
                item.code,
                case.normalize()
            );
            let effect = self.find(
                Fault::new(
                    "pack-differs",
                    self.policy.pack_multiple,
                    what,
                    "tell the buyer or correct the item, and release the order or reject it",
                )
                .on(line, 3),
            );
            if effect == Effect::Refuse {
                return Err(effect);
            }
        }
        let Some(step) = units_per_whole_cases(base_per_unit, case) else {
            return Ok(Decimal::ZERO);
        };
        let Some(over) = line
            .ordered
            .checked_rem(step)
            .filter(|over| !over.is_zero())
        else {
            return Ok(Decimal::ZERO);
        };
        let whole = line.ordered - over;
        let what = format!(
            "{} {} of item {} are no whole number of cases of {}",
            line.ordered.normalize(),
            cut(&line.unit, 10),
            item.code,
            case.normalize()
        );
        let effect = self.find(
            Fault::new(
                "pack-multiple",
                self.policy.pack_multiple,
                what,
                "release the order to break a case, or reject it",
            )
            .with_change(true)
            .on(line, 2)
            .met(line.ordered.normalize().to_string()),
        );
        match effect {
            Effect::Change if whole.is_zero() => Err(Effect::Refuse),
            Effect::Change => Ok(over),
            Effect::Refuse => Err(effect),
            Effect::Go | Effect::Wait => Ok(Decimal::ZERO),
        }
    }

    /// The agreed price; an error where the line waits without one or is refused.
    fn price(
        &mut self,
        line: &OrderLine,
        item: &Item,
        base_per_unit: Decimal,
        header: &OrderHeader,
    ) -> Result<Priced, Effect> {
        let listed = self.listed(line, item, base_per_unit, header);
        let Some(price) = &line.price else {
            return self.price_missing(line, item, listed, header.currency);
        };
        let Some(wanted) = self.buyers_price(line, price, item, base_per_unit) else {
            return self.price_unreadable(line, price, listed);
        };
        let Some(ours) = listed else {
            let what = format!(
                "the price list has no price of item {} in {} for {}",
                item.code, header.currency, header.po_date
            );
            self.find(Fault::new("price-not-listed", Outcome::Accept, what, "").on(line, 4));
            return Ok(wanted);
        };
        self.compare(line, price, wanted, ours)
    }

    fn compare(
        &mut self,
        line: &OrderLine,
        price: &Price,
        wanted: Priced,
        ours: Listed,
    ) -> Result<Priced, Effect> {
        let difference = wanted
            .unit_price
            .checked_sub(ours.exact)
            .map_or(Decimal::MAX, |difference| difference.abs());
        if difference.is_zero() {
            return Ok(wanted);
        }
        let by_percent = ours
            .exact
            .checked_mul(self.policy.price_tolerance_percent)
            .and_then(|scaled| scaled.checked_div(Decimal::ONE_HUNDRED))
            .unwrap_or(Decimal::ZERO);
        if difference <= by_percent.max(self.policy.price_tolerance_amount) {
            let what = format!(
                "the price {} differs from the list's {} per {} within the tolerance",
                shown(wanted.unit_price),
                shown(ours.exact),
                cut(&line.unit, 10)
            );
            self.find(Fault::new("price-within-tolerance", Outcome::Accept, what, "").on(line, 4));
            return Ok(wanted);
        }
        let what = format!(
            "the buyer's price {} per {} differs from the list's {} by {}",
            shown(wanted.unit_price),
            cut(&line.unit, 10),
            shown(ours.exact),
            shown(difference)
        );
        let effect = self.find(
            Fault::new(
                "price-differs",
                self.policy.price_differs,
                what,
                "release the order to take the buyer's price, correct the price list (`price import`), or reject the order",
            )
            .with_change(true)
            .on(line, 4)
            .met(price.amount.to_string()),
        );
        match effect {
            Effect::Change => Ok(ours.priced),
            Effect::Refuse => Err(effect),
            Effect::Go | Effect::Wait => Ok(wanted),
        }
    }

    fn price_missing(
        &mut self,
        line: &OrderLine,
        item: &Item,
        listed: Option<Listed>,
        currency: Currency,
    ) -> Result<Priced, Effect> {
        if let Some(ours) = listed {
            let what = format!(
                "the line has no price; the price list has {} per {}",
                shown(ours.priced.unit_price),
                cut(&line.unit, 10)
            );
            self.find(
                Fault::new("price-from-list", Outcome::AcceptWithChange, what, "")
                    .with_change(true)
                    .on(line, 4),
            );
            return Ok(Priced {
                changed: false,
                ..ours.priced
            });
        }
        let what = format!(
            "neither the line nor the price list has a price of item {} in {currency}",
            item.code
        );
        Err(self.find(
            Fault::new(
                "price-missing",
                self.policy.price_missing,
                what,
                "import a price (`price import`) and release the order, or reject it",
            )
            .reach(Reach::Nobody)
            .on(line, 4),
        ))
    }

    fn price_unreadable(
        &mut self,
        line: &OrderLine,
        price: &Price,
        listed: Option<Listed>,
    ) -> Result<Priced, Effect> {
        let (code, outcome, what, element) = if price.amount < Decimal::ZERO {
            (
                "price-negative",
                self.policy.price_differs,
                format!("the price {} is below zero", price.amount),
                4,
            )
        } else {
            (
                "price-basis-unknown",
                self.policy.unit_unknown,
                format!(
                    "the price {} has the basis {:?}, which can not be converted to {}",
                    price.amount,
                    cut(&price.basis, 10),
                    cut(&line.unit, 10)
                ),
                5,
            )
        };
        let effect = self.find(
            Fault::new(
                code,
                outcome,
                what,
                "ask the buyer for the price; released, the price list's is taken, and without one the line is refused",
            )
            .reach(Reach::Nobody)
            .with_change(listed.is_some())
            .on(line, element)
            .met(if element == 4 {
                price.amount.to_string()
            } else {
                price.basis.clone()
            }),
        );
        match (effect, listed) {
            (Effect::Change, Some(ours)) => Ok(ours.priced),
            _ => Err(effect),
        }
    }

    /// The buyer's price per ordered unit; none where it is below zero or its basis can not be converted.
    fn buyers_price(
        &self,
        line: &OrderLine,
        price: &Price,
        item: &Item,
        base_per_unit: Decimal,
    ) -> Option<Priced> {
        if price.basis == "NC" {
            return Some(Priced {
                unit_price: Decimal::ZERO,
                stated: Price {
                    amount: Decimal::ZERO,
                    basis: price.basis.clone(),
                },
                changed: false,
            });
        }
        if price.amount < Decimal::ZERO {
            return None;
        }
        let base_per_price = self.base_per_price(line, item, &price.basis)?;
        Some(Priced {
            unit_price: converted(price.amount, base_per_unit, base_per_price)?,
            stated: price.clone(),
            changed: false,
        })
    }

    fn base_per_price(&self, line: &OrderLine, item: &Item, basis: &str) -> Option<Decimal> {
        positive(item.base_per_price(basis, &line.unit, self.policy.each_price_is_per_unit))
    }

    /// The price list's price: of the partner's own entries, else of everybody's, those in force on the PO's date, else
    /// those of today; among them the one per ordered unit, and of several the latest.
    fn listed(
        &self,
        line: &OrderLine,
        item: &Item,
        base_per_unit: Decimal,
        header: &OrderHeader,
    ) -> Option<Listed> {
        let entry = self.entry(line, item, header)?;
        let base_per_entry = positive(item.base_per(&entry.unit))?;
        let basis = line
            .price
            .as_ref()
            .map(|price| price.basis.as_str())
            .filter(|basis| self.base_per_price(line, item, basis).is_some())
            .unwrap_or("");
        let base_per_stated = if basis.is_empty() {
            base_per_unit
        } else {
            self.base_per_price(line, item, basis)?
        };
        let amount = converted(entry.price, base_per_stated, base_per_entry)?
            .round_dp_with_strategy(PRICE_DECIMALS_MAX, RoundingStrategy::MidpointAwayFromZero)
            .normalize();
        Some(Listed {
            exact: converted(entry.price, base_per_unit, base_per_entry)?,
            priced: Priced {
                unit_price: converted(amount, base_per_unit, base_per_stated)?,
                stated: Price {
                    amount,
                    basis: basis.to_owned(),
                },
                changed: true,
            },
        })
    }

    fn entry(&self, line: &OrderLine, item: &Item, header: &OrderHeader) -> Option<&'k PriceEntry> {
        let known: &'k Known = self.known;
        let candidates = || {
            known.prices.iter().filter(|entry| {
                entry.item == item.id
                    && entry.currency == header.currency
                    && entry.price >= Decimal::ZERO
                    && positive(item.base_per(&entry.unit)).is_some()
            })
        };
        [Some(self.partner), None].into_iter().find_map(|whose| {
            [header.po_date, self.today].into_iter().find_map(|day| {
                candidates()
                    .filter(|entry| entry.partner == whose)
                    .filter(|entry| {
                        entry.from <= day && entry.until.is_none_or(|until| day <= until)
                    })
                    .max_by_key(|entry| (entry.unit == line.unit, entry.from))
            })
        })
    }

    /// Whether the line's value is one that money can be counted in.
    fn value(
        &mut self,
        line: &OrderLine,
        unit_price: Decimal,
        currency: Currency,
    ) -> Result<(), Effect> {
        let believable = line
            .ordered
            .checked_mul(unit_price)
            .filter(|value| *value <= Decimal::from(LINE_VALUE_MAX))
            .is_some_and(|value| Amount::from_decimal(value, currency).is_ok());
        if believable {
            return Ok(());
        }
        let what = format!(
            "{} {} at {} come to more than a trillion {currency}",
            line.ordered.normalize(),
            cut(&line.unit, 10),
            shown(unit_price)
        );
        Err(self.find(
            Fault::new(
                "value-absurd",
                self.policy.quantity_invalid,
                what,
                "ask the buyer for quantity and price; released, the line is refused",
            )
            .reach(Reach::Nobody)
            .on(line, 4),
        ))
    }

    fn repeated_lines(&mut self, lines: &mut [OrderLine]) {
        let mut first: BTreeMap<ItemId, u32> = BTreeMap::new();
        for line in lines {
            let Some(item) = line.accepted.as_ref().map(|accepted| accepted.item) else {
                continue;
            };
            let Some(earlier) = first.get(&item).copied() else {
                first.insert(item, line.line);
                continue;
            };
            let what = format!("it orders the same item as line {earlier}");
            let effect = self.find(
                Fault::new(
                    "line-repeated",
                    self.policy.line_repeated,
                    what,
                    "ask the buyer whether both are meant, and release the order or reject it",
                )
                .on(line, number_element(0)),
            );
            if effect == Effect::Refuse && line.undecided() + line.refused == line.ordered {
                refuse(line, LineRefusal::QuantityInvalid);
            }
        }
    }

    fn minimum(&mut self, header: &OrderHeader, lines: &[OrderLine]) {
        if self.policy.order_minimum <= Decimal::ZERO {
            return;
        }
        let value = lines
            .iter()
            .filter_map(|line| {
                let accepted = line.accepted.as_ref()?;
                line.ordered
                    .checked_sub(line.refused)?
                    .checked_mul(accepted.unit_price)
            })
            .fold(Decimal::ZERO, Decimal::saturating_add);
        if value < self.policy.order_minimum {
            let what = format!(
                "What can be accepted of the order is worth {} {}, less than the agreed {}",
                shown(value),
                header.currency,
                self.policy.order_minimum.normalize()
            );
            self.find(
                Fault::new(
                    "below-minimum",
                    self.policy.below_minimum,
                    what,
                    "release the order to take it all the same, or reject it",
                )
                .in_header("BEG", 3)
                .met(shown(value)),
            );
        }
    }

    fn verdict(&mut self, lines: &[OrderLine]) -> Verdict {
        if let Some(reason) = self.rejected.take() {
            return Verdict::Reject { reason };
        }
        if !lines.is_empty() && lines.iter().all(is_refused) {
            let why = self
                .findings
                .iter()
                .find(|finding| finding.order_line.is_some() && finding.code != "gtin-check-digit")
                .map(|finding| format!("; the first: {}", finding.message))
                .unwrap_or_default();
            return Verdict::Reject {
                reason: format!("no line can be accepted{why}"),
            };
        }
        let holds = self
            .findings
            .iter()
            .any(|finding| finding.severity == Severity::Hold);
        if holds {
            Verdict::Hold
        } else {
            Verdict::Accept
        }
    }
}

/// Why a line is refused: the first reason of several.
#[derive(Default)]
struct Refusals {
    first: Option<LineRefusal>,
}

impl Refusals {
    /// Keeps the reason where the effect is a refusal. Nothing comes of it, which is what a rule goes on with.
    fn note<T>(&mut self, effect: Effect, why: LineRefusal) -> Option<T> {
        if effect == Effect::Refuse {
            self.first.get_or_insert(why);
        }
        None
    }
}

/// A price that was settled on.
struct Priced {
    unit_price: Decimal,
    stated: Price,
    changed: bool,
}

/// What the price list says: exactly, and as we would state it.
struct Listed {
    exact: Decimal,
    priced: Priced,
}

fn refuse(line: &mut OrderLine, why: LineRefusal) {
    line.accepted = None;
    line.refused = line.ordered;
    line.refusal = Some(why);
}

fn is_refused(line: &OrderLine) -> bool {
    line.refusal.is_some() && line.refused == line.ordered
}

fn accepted(item: &Item, base_per_unit: Decimal, priced: Priced) -> AcceptedLine {
    AcceptedLine {
        item: item.id,
        item_code: item.code.clone(),
        base_per_unit,
        unit_price: priced.unit_price,
        stated_price: priced.stated,
        price_changed: priced.changed,
        case_pack: positive(item.base_per("CA")),
        grams: item.grams.max(0),
        upc: item.upc.clone(),
        description: item.description.clone(),
    }
}

/// The item with the order's own pack (PO4) as its case, where we do not know how much a case holds (X12-RULES 52).
fn with_the_orders_pack(item: &Item, line: &OrderLine) -> Item {
    let mut item = item.clone();
    if item.base_per("CA").is_none() && item.base_unit == "EA" {
        item.case_pack = positive(line.pack);
    }
    item
}

/// `amount` per `from` base units as the price of `to` base units. A quotient that does not end has 28 digits.
fn converted(amount: Decimal, to: Decimal, from: Decimal) -> Option<Decimal> {
    if to == from {
        return Some(amount.normalize());
    }
    Some(amount.checked_mul(to)?.checked_div(from)?.normalize())
}

/// The product, if it is exact.
fn exact_product(a: Decimal, b: Decimal) -> Option<Decimal> {
    let (a, b) = (a.normalize(), b.normalize());
    let product = a.checked_mul(b)?;
    (product.scale() == a.scale() + b.scale()).then_some(product)
}

fn positive(number: Option<Decimal>) -> Option<Decimal> {
    number.filter(|number| *number > Decimal::ZERO)
}

fn number_element(index: usize) -> u32 {
    u32::try_from(index).map_or(7, |index| index.saturating_mul(2).saturating_add(7))
}

fn shown(number: Decimal) -> String {
    let mut number = number.round_dp(PRICE_DECIMALS_MAX).normalize();
    if number.scale() < 2 {
        number.rescale(2);
    }
    number.to_string()
}

fn cut(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}

/// "Line 3 (buyer's line 003, UP 036000291452, VN A-100): ".
fn subject(line: &OrderLine) -> String {
    let buyer_line = (!line.buyer_line.is_empty())
        .then(|| format!("buyer's line {}", cut(&line.buyer_line, 20)));
    let numbers = line
        .numbers
        .iter()
        .take(3)
        .map(|number| format!("{} {}", number.qualifier, cut(&number.value, 40)));
    let names: Vec<String> = buyer_line.into_iter().chain(numbers).collect();
    if names.is_empty() {
        format!("Line {}: ", line.line)
    } else {
        format!("Line {} ({}): ", line.line, names.join(", "))
    }
}

fn place(fault: &Fault<'_>) -> Place {
    let set = fault.line.filter(|line| line.segment_index > 0);
    let of_line = fault.segment == "PO1";
    Place {
        byte: set.map(|line| line.byte),
        line: None,
        segment: Some(if set.is_some() { "PO1" } else { fault.segment }.to_owned()),
        segment_index: set.map(|line| line.segment_index),
        element: fault.element.filter(|_| of_line || set.is_none()),
        component: None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::specimens::{day, decimal, item, line, number, order, stores};
    use super::*;

    /// Items 1 to 3, listed at 12.50 each for everybody; locations are not listed.
    fn known() -> Known {
        let mut known = Known::default();
        for id in 1..=3 {
            known
                .items
                .insert(number("VN", &format!("A-{id}")), item(id));
            known.prices.push(entry(id, "12.50", "EA", None));
        }
        known
    }

    fn entry(id: i64, price: &str, unit: &str, partner: Option<i64>) -> PriceEntry {
        PriceEntry {
            partner: partner.map(PartnerId),
            item: ItemId(id),
            price: decimal(price),
            unit: unit.into(),
            currency: Currency::USD,
            from: day("2020-01-01"),
            until: None,
        }
    }

    fn today() -> NaiveDate {
        day("2026-03-02")
    }

    fn judged(line: OrderLine, known: &Known, policy: &VerificationPolicy) -> Verified {
        verify(order(vec![line]), known, policy, today(), false)
    }

    fn codes(verified: &Verified) -> Vec<&str> {
        verified
            .findings
            .iter()
            .map(|finding| finding.code.as_str())
            .collect()
    }

    fn price(verified: &Verified) -> (String, String, bool) {
        let accepted = verified.order.lines[0].accepted.as_ref().unwrap();
        (
            accepted.unit_price.to_string(),
            format!(
                "{} {}",
                accepted.stated_price.amount, accepted.stated_price.basis
            ),
            accepted.price_changed,
        )
    }

    #[test]
    fn a_clean_line_is_accepted_without_a_word() {
        let verified = judged(
            line(1, "24", "EA"),
            &known(),
            &VerificationPolicy::default(),
        );
        assert_eq!(verified.verdict, Verdict::Accept);
        assert!(verified.findings.is_empty(), "{:?}", verified.findings);
        let accepted = verified.order.lines[0].accepted.as_ref().unwrap();
        assert_eq!(accepted.item_code, "A-1");
        assert_eq!(accepted.base_per_unit, Decimal::ONE);
        assert_eq!(accepted.case_pack, Some(Decimal::from(12)));
        assert_eq!(price(&verified), ("12.5".into(), "12.50 ".into(), false));
    }

    /// Each fault of a line, and what the default policy and a person's release make of it.
    #[test]
    fn faults_of_a_line() {
        type Change = fn(&mut OrderLine);
        let table: [(&str, Change, &str, bool); 13] = [
            (
                "item-unknown",
                |l| l.numbers = vec![number("VN", "X")],
                "reject",
                false,
            ),
            ("item-unknown", |l| l.numbers.clear(), "reject", false),
            (
                "quantity-invalid",
                |l| l.ordered = decimal("0"),
                "hold",
                false,
            ),
            (
                "quantity-invalid",
                |l| l.ordered = decimal("-5"),
                "hold",
                false,
            ),
            (
                "quantity-absurd",
                |l| l.ordered = decimal("1000001"),
                "hold",
                true,
            ),
            (
                "quantity-absurd",
                |l| l.ordered = Decimal::MAX,
                "hold",
                false,
            ),
            (
                "quantity-absurd",
                |l| l.ordered = decimal("0.00001"),
                "hold",
                false,
            ),
            (
                "quantity-fractional",
                |l| l.ordered = decimal("1.5"),
                "hold",
                true,
            ),
            ("unit-unknown", |l| l.unit = "LB".into(), "hold", false),
            (
                "price-differs",
                |l| l.price.as_mut().unwrap().amount = decimal("12.49"),
                "hold",
                true,
            ),
            (
                "price-negative",
                |l| l.price.as_mut().unwrap().amount = decimal("-1"),
                "hold",
                true,
            ),
            (
                "price-basis-unknown",
                |l| l.price.as_mut().unwrap().basis = "PP".into(),
                "hold",
                true,
            ),
            (
                "store-quantities-differ",
                |l| l.stores = stores(&[("1", "20"), ("2", "5")]),
                "hold",
                true,
            ),
        ];
        for (code, change, verdict, can_go_on) in table {
            let mut faulty = line(1, "24", "EA");
            change(&mut faulty);
            let both = order(vec![faulty, line(2, "12", "EA")]);
            let policy = VerificationPolicy::default();
            let first = verify(both.clone(), &known(), &policy, today(), false);
            assert!(codes(&first).contains(&code), "{code}: {:?}", codes(&first));
            let held = verdict == "hold";
            assert_eq!(first.verdict == Verdict::Hold, held, "{code}");
            if !held {
                assert_eq!(first.verdict, Verdict::Accept, "the other line goes on");
                assert!(first.order.lines[0].refusal.is_some());
            } else {
                assert!(first.order.lines[0].refusal.is_none(), "{code}");
            }
            let released = verify(first.order, &known(), &policy, today(), true);
            assert_eq!(released.verdict, Verdict::Accept, "{code}");
            let line = &released.order.lines[0];
            assert_eq!(line.accepted.is_some(), can_go_on, "{code}: {line:?}");
            assert_eq!(line.refusal.is_none(), can_go_on, "{code}");
            assert_eq!(
                line.refused,
                if can_go_on {
                    Decimal::ZERO
                } else {
                    line.ordered
                },
                "{code}"
            );
            assert!(released.order.lines[1].accepted.is_some());
        }
    }

    /// Each outcome of a rule that can go on, that needs a person, and that can not.
    #[test]
    fn every_outcome() {
        use Outcome::{Accept, AcceptWithChange, Hold, RejectLine, RejectOrder};
        let table = [
            (Accept, "accept 12.4", "hold", "hold"),
            (AcceptWithChange, "accept 12.5", "hold", "hold"),
            (Hold, "hold", "hold", "hold"),
            (
                RejectLine,
                "refuse PriceDiffers",
                "refuse QuantityInvalid",
                "refuse UnitUnknown",
            ),
            (RejectOrder, "reject", "reject", "reject"),
        ];
        for (outcome, price_differs, stores_differ, unit_unknown) in table {
            let policy = VerificationPolicy {
                price_differs: outcome,
                store_quantities: outcome,
                unit_unknown: outcome,
                ..VerificationPolicy::default()
            };
            let mut dear = line(1, "24", "EA");
            dear.price.as_mut().unwrap().amount = decimal("12.40");
            let mut spread = line(1, "24", "EA");
            spread.stores = stores(&[("1", "23")]);
            let odd = line(1, "24", "LB");
            for (faulty, wanted) in [
                (dear, price_differs),
                (spread, stores_differ),
                (odd, unit_unknown),
            ] {
                let two = order(vec![faulty, line(2, "12", "EA")]);
                let verified = verify(two, &known(), &policy, today(), false);
                let first = &verified.order.lines[0];
                let got = match (&verified.verdict, &first.accepted, first.refusal) {
                    (Verdict::Hold, _, None) => "hold".to_owned(),
                    (Verdict::Reject { .. }, _, _) => "reject".to_owned(),
                    (Verdict::Accept, Some(accepted), None) => {
                        format!("accept {}", accepted.unit_price)
                    }
                    (Verdict::Accept, None, Some(refusal)) => format!("refuse {refusal:?}"),
                    other => format!("{other:?}"),
                };
                assert_eq!(got, wanted, "{outcome:?}");
            }
        }
    }

    #[test]
    fn a_finding_says_what_where_and_what_to_do() {
        let mut faulty = line(1, "24", "EA");
        faulty.price.as_mut().unwrap().amount = decimal("12.00");
        let verified = judged(faulty, &known(), &VerificationPolicy::default());
        let finding = &verified.findings[0];
        assert_eq!(finding.code, "price-differs");
        assert_eq!(finding.severity, Severity::Hold);
        assert_eq!(finding.order_line, Some(1));
        assert_eq!(finding.value.as_deref(), Some("12.00"));
        assert_eq!(
            finding.place,
            Place {
                byte: Some(1001),
                line: None,
                segment: Some("PO1".into()),
                segment_index: Some(11),
                element: Some(4),
                component: None
            }
        );
        assert_eq!(
            finding.message,
            "Line 1 (buyer's line 001, VN A-1): the buyer's price 12.00 per EA differs from the list's 12.50 by 0.50; release the order to take the buyer's price, correct the price list (`price import`), or reject the order."
        );
        assert_eq!(verified.order.findings, verified.findings);
    }

    #[test]
    fn rule_052_prices_are_converted_exactly_to_the_ordered_unit() {
        // (quantity, unit, price, basis, unit price)
        let table = [
            ("6", "CA", "24", "", "24"),
            ("2", "CA", "12.50", "PE", "150"),
            ("2", "CA", "12.50", "EA", "150"),
            ("2", "CA", "150", "CA", "150"),
            ("24", "EA", "150", "PD", "12.5"),
            ("24", "EA", "1250", "HP", "12.5"),
            ("24", "EA", "12500", "TP", "12.5"),
            ("24", "EA", "125", "PN", "12.5"),
            ("24", "EA", "7", "NC", "0"),
        ];
        for (quantity, unit, amount, basis, wanted) in table {
            let mut priced = line(1, quantity, unit);
            priced.price = Some(Price {
                amount: decimal(amount),
                basis: basis.into(),
            });
            let policy = VerificationPolicy {
                price_differs: Outcome::Accept,
                ..VerificationPolicy::default()
            };
            let verified = judged(priced, &known(), &policy);
            let accepted = verified.order.lines[0].accepted.as_ref().unwrap();
            assert_eq!(
                accepted.unit_price,
                decimal(wanted),
                "{amount} {basis} on {unit}"
            );
            assert_eq!(accepted.stated_price.basis, basis);
        }
    }

    #[test]
    fn our_price_is_stated_in_the_buyers_basis() {
        let mut dozens = line(1, "24", "EA");
        dozens.price = Some(Price {
            amount: decimal("140"),
            basis: "PD".into(),
        });
        let policy = VerificationPolicy {
            price_differs: Outcome::AcceptWithChange,
            ..VerificationPolicy::default()
        };
        let verified = judged(dozens, &known(), &policy);
        assert_eq!(price(&verified), ("12.5".into(), "150 PD".into(), true));

        // A list price that does not end is rounded, and what is agreed is what is stated.
        let mut gross = known();
        gross.prices = vec![entry(1, "100", "GR", None)];
        let verified = judged(line(1, "24", "EA"), &gross, &policy);
        assert_eq!(
            price(&verified),
            ("0.694444".into(), "0.694444 ".into(), true)
        );
    }

    #[test]
    fn which_entry_of_the_price_list_holds() {
        let dated = |mut entry: PriceEntry, from: &str, until: Option<&str>| {
            entry.from = day(from);
            entry.until = until.map(day);
            entry
        };
        let euro = |mut entry: PriceEntry| {
            entry.currency = "EUR".parse().unwrap();
            entry
        };
        let all = || entry(1, "10", "EA", None);
        let own = || entry(1, "11", "EA", Some(3));
        let table: Vec<(&str, Vec<PriceEntry>, Option<&str>)> = vec![
            ("everybody's", vec![all()], Some("10")),
            ("the partner's own", vec![all(), own()], Some("11")),
            (
                "not another's",
                vec![all(), entry(1, "9", "EA", Some(4))],
                Some("10"),
            ),
            (
                "the latest",
                vec![all(), dated(entry(1, "12", "EA", None), "2026-01-01", None)],
                Some("12"),
            ),
            (
                "on the PO's date",
                vec![all(), dated(entry(1, "12", "EA", None), "2026-03-02", None)],
                Some("10"),
            ),
            (
                "else today's",
                vec![dated(entry(1, "12", "EA", None), "2026-03-02", None)],
                Some("12"),
            ),
            (
                "not one that has ended",
                vec![dated(own(), "2020-01-01", Some("2026-02-28")), all()],
                Some("10"),
            ),
            (
                "its last day holds",
                vec![dated(own(), "2020-01-01", Some("2026-03-01")), all()],
                Some("11"),
            ),
            (
                "per the ordered unit",
                vec![entry(1, "100", "CA", None), all()],
                Some("10"),
            ),
            ("converted", vec![entry(1, "144", "CA", None)], Some("12")),
            ("not in another currency", vec![euro(all())], None),
            (
                "not in a unit that can not be converted",
                vec![entry(1, "1", "LB", None)],
                None,
            ),
            ("of no other item", vec![entry(2, "1", "EA", None)], None),
        ];
        for (what, prices, wanted) in table {
            let mut listed = known();
            listed.prices = prices;
            let mut unpriced = line(1, "24", "EA");
            unpriced.price = None;
            let verified = judged(unpriced, &listed, &VerificationPolicy::default());
            match wanted {
                Some(amount) => {
                    assert_eq!(price(&verified).0, amount, "{what}");
                    assert!(!price(&verified).2, "nothing was changed");
                    assert_eq!(codes(&verified), ["price-from-list"], "{what}");
                }
                None => assert_eq!(codes(&verified), ["price-missing"], "{what}"),
            }
        }
    }

    #[test]
    fn the_larger_tolerance_holds() {
        for (amount, percent, absolute, differs) in [
            ("12.51", "0", "0", true),
            ("12.51", "0", "0.01", false),
            ("12.51", "0.08", "0", false),
            ("12.52", "0.08", "0.01", true),
            ("12.49", "0", "0.01", false),
        ] {
            let policy = VerificationPolicy {
                price_tolerance_percent: decimal(percent),
                price_tolerance_amount: decimal(absolute),
                ..VerificationPolicy::default()
            };
            let mut near = line(1, "24", "EA");
            near.price.as_mut().unwrap().amount = decimal(amount);
            let verified = judged(near, &known(), &policy);
            let code = if differs {
                "price-differs"
            } else {
                "price-within-tolerance"
            };
            assert_eq!(codes(&verified), [code], "{amount} {percent} {absolute}");
            assert_eq!(price(&verified).0, amount, "the buyer's price goes on");
        }
    }

    #[test]
    fn packs() {
        // (ordered, unit, outcome, codes, refused)
        use Outcome::{Accept, AcceptWithChange, Hold, RejectLine};
        let table: [(&str, &str, Outcome, &[&str], &str); 8] = [
            ("24", "EA", Hold, &[], "0"),
            ("2", "CA", Hold, &[], "0"),
            ("25", "EA", Accept, &["pack-multiple"], "0"),
            ("25", "EA", AcceptWithChange, &["pack-multiple"], "1"),
            ("5", "EA", AcceptWithChange, &["pack-multiple"], "5"),
            ("25", "EA", RejectLine, &["pack-multiple"], "25"),
            ("3", "DZ", Accept, &[], "0"),
            ("7", "PR", AcceptWithChange, &["pack-multiple"], "1"),
        ];
        for (ordered, unit, outcome, wanted, refused) in table {
            let policy = VerificationPolicy {
                pack_multiple: outcome,
                price_differs: Outcome::Accept,
                ..VerificationPolicy::default()
            };
            let verified = judged(line(1, ordered, unit), &known(), &policy);
            let found: Vec<&str> = codes(&verified)
                .into_iter()
                .filter(|code| code.starts_with("pack"))
                .collect();
            assert_eq!(found, wanted, "{ordered} {unit} {outcome:?}");
            let line = &verified.order.lines[0];
            assert_eq!(
                line.refused,
                decimal(refused),
                "{ordered} {unit} {outcome:?}"
            );
            assert_eq!(line.accepted.is_none(), line.refused == line.ordered);
        }
    }

    #[test]
    fn the_orders_own_pack_helps_where_ours_is_not_known() {
        let mut without = known();
        for item in without.items.values_mut() {
            item.case_pack = None;
        }
        let mut cases = line(1, "2", "CA");
        cases.price = None;
        let held = judged(cases.clone(), &without, &VerificationPolicy::default());
        assert_eq!(codes(&held), ["unit-unknown"]);
        cases.pack = Some(decimal("6"));
        let verified = judged(cases.clone(), &without, &VerificationPolicy::default());
        assert_eq!(
            price(&verified).0,
            "75.00".parse::<Decimal>().unwrap().normalize().to_string()
        );
        let differs = judged(cases, &known(), &VerificationPolicy::default());
        assert_eq!(codes(&differs), ["pack-differs", "price-from-list"]);
        assert_eq!(price(&differs).0, "150", "our own case leads");
    }

    #[test]
    fn items_are_found_by_number_and_by_gtin_in_either_writing() {
        let mut known = known();
        known.items.insert(number("UP", "036000291452"), item(1));
        known.items.insert(number("IN", "77"), item(2));
        type Row<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], Option<&'a str>);
        let table: [Row<'_>; 7] = [
            (&[("UP", "036000291452")], &[], Some("A-1")),
            (&[("EN", "0036000291452")], &[], Some("A-1")),
            (&[("SK", "036000291452")], &["item-unknown"], None),
            (&[("IN", "X"), ("VN", "A-2")], &[], Some("A-2")),
            (&[("IN", "77"), ("VN", "A-2")], &[], Some("A-2")),
            (
                &[("UP", "036000291453"), ("VN", "A-1")],
                &["gtin-check-digit"],
                Some("A-1"),
            ),
            (&[("VN", "A-1"), ("IN", "77")], &["item-ambiguous"], None),
        ];
        for (numbers, wanted, code) in table {
            let mut named = line(1, "24", "EA");
            named.numbers = numbers.iter().map(|(q, v)| number(q, v)).collect();
            let verified = judged(named, &known, &VerificationPolicy::default());
            assert_eq!(codes(&verified), wanted, "{numbers:?}");
            let accepted = verified.order.lines[0].accepted.as_ref();
            assert_eq!(
                accepted.map(|line| line.item_code.as_str()),
                code,
                "{numbers:?}"
            );
        }
    }

    #[test]
    fn where_it_goes() {
        let mut listed = known();
        listed.locations_listed = true;
        listed.locations = ["0100".to_owned(), "0200".to_owned()].into();
        let policy = VerificationPolicy::default();
        let whole = |party: Option<(&str, &str)>, stores_: &[(&str, &str)]| {
            let mut line = line(1, "24", "EA");
            line.stores = stores(stores_);
            let mut order = order(vec![line]);
            order.header.parties.clear();
            if let Some((id, street)) = party {
                order.header.parties.push(super::super::order::Party {
                    role: "ST".into(),
                    id: id.into(),
                    street: vec![street.into()],
                    city: "Town".into(),
                    ..Default::default()
                });
            }
            order
        };
        let table: [(Order, &[&str]); 6] = [
            (whole(Some(("0100", "")), &[]), &[]),
            (whole(Some(("0300", "")), &[]), &["ship-to-unknown"]),
            (whole(Some(("", "1 Elm")), &[]), &[]),
            (whole(None, &[]), &["ship-to-missing"]),
            (whole(None, &[("0100", "12"), ("0200", "12")]), &[]),
            (
                whole(None, &[("0100", "12"), ("0900", "12")]),
                &["store-unknown"],
            ),
        ];
        for (order, wanted) in table {
            let verified = verify(order.clone(), &listed, &policy, today(), false);
            assert_eq!(codes(&verified), wanted);
            let held = !wanted.is_empty();
            assert_eq!(verified.verdict == Verdict::Hold, held);
            let unlisted = verify(order, &known(), &policy, today(), false);
            let ours = codes(&unlisted).contains(&"ship-to-unknown");
            assert!(!ours, "without a list every place is believed");
        }
    }

    #[test]
    fn rule_050_dates() {
        type Row<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
        let table: [Row<'_>; 8] = [
            (
                &[
                    ("037", "2026-03-05"),
                    ("010", "2026-03-05"),
                    ("038", "2026-03-09"),
                    ("001", "2026-03-09"),
                ],
                &[],
            ),
            (
                &[("037", "2026-03-05"), ("010", "2026-03-04")],
                &["dates-out-of-order"],
            ),
            (
                &[("037", "2026-03-10"), ("001", "2026-03-09")],
                &["dates-out-of-order"],
            ),
            (
                &[
                    ("010", "2026-03-10"),
                    ("038", "2026-03-09"),
                    ("001", "2026-03-08"),
                ],
                &["dates-out-of-order", "dates-out-of-order"],
            ),
            (
                &[("037", "2026-03-10"), ("002", "2026-03-09")],
                &["dates-out-of-order"],
            ),
            (&[("001", "2026-03-01")], &["cancel-date-past"]),
            (&[("001", "2026-03-02")], &[]),
            (&[("038", "2026-03-01")], &["ship-window-past"]),
        ];
        for (dates, wanted) in table {
            let mut order = order(vec![line(1, "24", "EA")]);
            for (qualifier, date) in dates {
                let all = &mut order.header.dates;
                let slot = match *qualifier {
                    "037" => &mut all.ship_not_before,
                    "010" => &mut all.ship_requested,
                    "038" => &mut all.ship_no_later,
                    "001" => &mut all.cancel_after,
                    _ => &mut all.delivery_requested,
                };
                *slot = Some(day(date));
            }
            let verified = verify(
                order,
                &known(),
                &VerificationPolicy::default(),
                today(),
                false,
            );
            assert_eq!(codes(&verified), wanted, "{dates:?}");
        }
    }

    #[test]
    fn the_whole_order() {
        let mut noted = order(vec![line(1, "24", "EA")]);
        noted.header.notes = vec!["CALL BEFORE DELIVERY".into()];
        let policy = VerificationPolicy {
            notes_present: Outcome::Hold,
            order_minimum: decimal("1000"),
            below_minimum: Outcome::RejectOrder,
            line_repeated: Outcome::RejectLine,
            ..VerificationPolicy::default()
        };
        let verified = verify(noted, &known(), &policy, today(), false);
        assert_eq!(codes(&verified), ["notes-present", "below-minimum"]);
        assert!(matches!(verified.verdict, Verdict::Reject { .. }));

        let mut twice = line(2, "240", "EA");
        twice.numbers = vec![number("VN", "A-1")];
        let verified = verify(
            order(vec![line(1, "240", "EA"), twice]),
            &known(),
            &policy,
            today(),
            false,
        );
        assert_eq!(codes(&verified), ["line-repeated"]);
        assert_eq!(verified.verdict, Verdict::Accept);
        assert!(is_refused(&verified.order.lines[1]));

        let empty = verify(order(Vec::new()), &known(), &policy, today(), false);
        assert!(matches!(empty.verdict, Verdict::Reject { .. }));
    }

    #[test]
    fn an_order_of_which_nothing_can_be_accepted_is_rejected_with_the_reason() {
        let mut unknown = line(1, "24", "EA");
        unknown.numbers = vec![number("VN", "NONE")];
        let verified = judged(unknown, &known(), &VerificationPolicy::default());
        let Verdict::Reject { reason } = verified.verdict else {
            panic!("{:?}", verified.verdict);
        };
        assert!(
            reason.starts_with("no line can be accepted; the first: Line 1"),
            "{reason}"
        );
    }

    #[test]
    fn charges_below_zero_wait_for_a_person() {
        let mut order = order(vec![line(1, "24", "EA")]);
        order.header.charges.push(Charge {
            kind: super::super::order::ChargeKind::Allowance,
            code: "C310".into(),
            amount: Some(Amount(-100)),
            percent: None,
            rate: None,
            quantity: None,
            handling: String::new(),
            description: String::new(),
        });
        let verified = verify(
            order,
            &known(),
            &VerificationPolicy::default(),
            today(),
            false,
        );
        assert_eq!(codes(&verified), ["charge-negative"]);
        assert_eq!(verified.verdict, Verdict::Hold);
    }

    #[test]
    fn what_has_been_promised_is_not_judged_again() {
        let mut promised = line(1, "24", "EA");
        promised.numbers.clear();
        promised.confirmed = decimal("24");
        let verified = judged(promised.clone(), &known(), &VerificationPolicy::default());
        assert_eq!(verified.order.lines[0], promised);
    }

    mod properties {
        use proptest::prelude::*;

        use super::*;

        fn any_decimal() -> impl Strategy<Value = Decimal> {
            prop_oneof![
                (any::<i64>(), 0_u32..12).prop_map(|(number, scale)| Decimal::new(number, scale)),
                (any::<i128>(), 0_u32..28).prop_map(|(number, scale)| {
                    Decimal::from_i128_with_scale(number % (1_i128 << 95), scale)
                }),
                (0_i64..500).prop_map(Decimal::from),
            ]
        }

        fn any_outcome() -> impl Strategy<Value = Outcome> {
            prop_oneof![
                Just(Outcome::Accept),
                Just(Outcome::AcceptWithChange),
                Just(Outcome::Hold),
                Just(Outcome::RejectLine),
                Just(Outcome::RejectOrder),
            ]
        }

        proptest! {
            /// Whatever stands in the lines: nothing panics, a released order is decided line by line, and what is
            /// accepted can be kept as stock and as money.
            #[test]
            fn every_line_of_a_released_order_is_decided(
                quantities in prop::collection::vec((any_decimal(), any_decimal(), 0_usize..6, 0_usize..5), 1..5),
                pack in prop::option::of(any_decimal()),
                outcome in any_outcome(),
            ) {
                let units = ["EA", "CA", "DZ", "LB", "", "PL"];
                let bases = ["", "PE", "HP", "PP", "NC"];
                let lines = (1_u32..)
                    .zip(&quantities)
                    .map(|(number, (quantity, price, unit, basis))| {
                        let mut line = line(number, "1", units[*unit]);
                        line.ordered = *quantity;
                        line.price = Some(Price { amount: *price, basis: bases[*basis].into() });
                        line.pack = pack;
                        line.stores = vec![super::super::super::order::StoreQuantity {
                            store: "1".into(),
                            quantity: *price,
                        }];
                        line
                    })
                    .collect();
                let policy = VerificationPolicy {
                    pack_multiple: outcome,
                    price_differs: outcome,
                    price_tolerance_percent: Decimal::MAX,
                    order_minimum: Decimal::MAX,
                    ..VerificationPolicy::default()
                };
                let verified = verify(order(lines), &known(), &policy, today(), true);
                for line in &verified.order.lines {
                    prop_assert!(line.refused.is_zero() || line.refusal.is_some());
                    let Some(accepted) = &line.accepted else {
                        prop_assert!(is_refused(line));
                        continue;
                    };
                    prop_assert!(to_stored(line.ordered * accepted.base_per_unit).is_some());
                    let value = line.ordered * accepted.unit_price;
                    prop_assert!(Amount::from_decimal(value, Currency::USD).is_ok());
                    prop_assert!(line.refused >= Decimal::ZERO && line.refused < line.ordered);
                }
            }
        }
    }
}
