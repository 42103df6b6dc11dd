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
        let judged = self.judge_line(line, header);
        match judged {
            Ok(accepted) => {
                if let Some((accepted, cut)) = accepted {
                    line.accepted = Some(accepted);
                    if !cut.is_zero() {
                        line.refused = cut;
                        line.refusal = Some(LineRefusal::QuantityInvalid);
                    }
                }
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
        let mut refusal = None;
        let mut note = |effect: Effect, why: LineRefusal| {
            if effect == Effect::Refuse {
                refusal.get_or_insert(why);
            }
        };
        self.check_digits(line);
        self.charges(&line.charges, Some(line));
        let item = match self.item(line) {
            Ok(item) => item,
            Err(effect) => {
                note(effect, LineRefusal::ItemUnknown);
                None
            }
        };
        if let Some(item) = item.filter(|item| item.discontinued) {
            note(self.discontinued(line, item), LineRefusal::Discontinued);
        }
        let positive = match self.quantity_sign(line) {
            Ok(()) => true,
            Err(effect) => {
                note(effect, LineRefusal::QuantityInvalid);
                false
            }
        };
        note(self.store_sum(line), LineRefusal::QuantityInvalid);
        note(self.stores_known(line), LineRefusal::LocationUnknown);
        let Some(item) = item else {
            return refusal.map_or(Ok(None), Err);
        };
        let item = with_the_orders_pack(item, line);
        let base_per_unit = match self.unit(line, &item) {
            Ok(factor) => factor,
            Err(effect) => {
                note(effect, LineRefusal::UnitUnknown);
                return refusal.map_or(Ok(None), Err);
            }
        };
        let mut cut = Decimal::ZERO;
        let mut countable = positive;
        if positive {
            match self.quantity(line, &item, base_per_unit) {
                Ok(()) => {}
                Err(effect) => {
                    note(effect, LineRefusal::QuantityInvalid);
                    countable = false;
                }
            }
        }
        if countable {
            match self.packs(line, &item, base_per_unit) {
                Ok(short) => cut = short,
                Err(effect) => note(effect, LineRefusal::QuantityInvalid),
            }
        }
        let priced = match self.price(line, &item, base_per_unit, header) {
            Ok(priced) => Some(priced),
            Err(effect) => {
                note(effect, LineRefusal::PriceDiffers);
                None
            }
        };
        if let (true, Some(priced)) = (countable, &priced)
            && let Err(effect) = self.value(line, priced.unit_price, header.currency)
        {
            note(effect, LineRefusal::QuantityInvalid);
            countable = false;
        }
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        Ok(match (countable, priced) {
            (true, Some(priced)) => Some((accepted(&item, base_per_unit, priced), cut)),
            _ => None,
        })
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
    fn item(&mut self, line: &OrderLine) -> Result<Option<&'k Item>, Effect> {
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
        Ok(Some(first))
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
    number.round_dp(PRICE_DECIMALS_MAX).normalize().to_string()
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
