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

mod line;
mod price;
mod remedy;
mod rule;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

use super::catalogue::{Item, PriceEntry};
use super::delivery::{Delivery, says_when};
use super::finding::{Finding, Origin, Severity, gravest};
use super::ids::{ItemId, PartnerId};
use super::money::Currency;
use super::order::{
    Charge, ChargeKind, ItemNumber, LineRefusal, Order, OrderDates, OrderHeader, OrderLine, Party,
};
use super::policy::{Outcome, VerificationPolicy};

use rule::{Effect, Fault, Reach, cut, shown};

pub use remedy::{Release, Remedies, remedies};

/// Decimals at most of a price that we state; what the price list gives finer is rounded half away from zero, and the
/// rounded price is the agreed one.
pub const PRICE_DECIMALS_MAX: u32 = 6;

/// Most days that a date of an order may lie ahead before a person looks at it: two years.
const DAYS_BELIEVED: i64 = 731;

/// No order is older than X12 itself: a date of a year before is a slip.
const FIRST_YEAR_BELIEVED: i32 = 1980;

/// What we know that an order is judged by.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The buyer's numbers of items, as far as they resolve.
    pub items: HashMap<ItemNumber, Arc<Item>>,
    /// Prices of these items: the partner's own and everybody's, of any date.
    pub prices: BTreeMap<ItemId, Arc<[PriceEntry]>>,
    /// Numbers of the partner's locations.
    pub locations: Arc<BTreeSet<String>>,
    /// The partner has a location list at all; without one every location is believed.
    pub locations_listed: bool,
    /// The partner's currency; none: every one is believed.
    pub currency: Option<Currency>,
    /// The order's own allowances and charges enter its invoices.
    pub charges_billed: bool,
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
    /// What was found, in the order of reading, header, lines, whole. The order carries them too.
    pub findings: Vec<Finding>,
    /// What is to become of the order.
    pub verdict: Verdict,
}

/// Judges `order` by what is `known`, under the partner's `policy`, on `today`. With `released` a person has looked at
/// the held order and wants it to go on.
///
/// May be called again for the same order: lines that nothing has been promised of are judged afresh. A line that waits
/// for a person is neither accepted nor refused where there is no price, unit or item to go on with, and accepted as the
/// buyer wrote it where there is.
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
        gtins: OnceCell::new(),
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
    judge.worth(&order.header, &lines);
    let read = read(&order.reading, released);
    let verdict = match judge.verdict(&lines) {
        Verdict::Accept if gravest(&read) >= Some(Severity::Hold) => Verdict::Hold,
        verdict => verdict,
    };
    let findings: Vec<Finding> = read.into_iter().chain(judge.findings).collect();
    order.lines = lines;
    order
        .findings
        .retain(|finding| finding.origin != Origin::Business);
    order.findings.extend(findings.iter().cloned());
    Verified {
        order,
        findings,
        verdict,
    }
}

/// What was odd in the 850 itself; once a person has released the order, none of it holds.
fn read(reading: &[Finding], released: bool) -> Vec<Finding> {
    reading
        .iter()
        .cloned()
        .map(|finding| Finding {
            severity: if released {
                Severity::Note
            } else {
                finding.severity
            },
            ..finding
        })
        .collect()
}

struct Judge<'k> {
    known: &'k Known,
    policy: &'k VerificationPolicy,
    today: NaiveDate,
    released: bool,
    partner: PartnerId,
    /// Items by GTIN, made when the first number is not found as it is written.
    gtins: OnceCell<HashMap<String, Option<&'k Item>>>,
    findings: Vec<Finding>,
    rejected: Option<String>,
}

/// Charges of an order, in major units, that are believed whatever its goods are worth.
const CHARGES_BELIEVED: Decimal = Decimal::from_parts(10_000, 0, 0, false, 0);

/// Of days by their qualifier, those that say when goods leave or arrive.
fn days_that_say_when(
    days: &BTreeMap<String, NaiveDate>,
) -> impl Iterator<Item = (&str, NaiveDate)> {
    days.iter()
        .filter(|(qualifier, _)| says_when(qualifier))
        .map(|(qualifier, day)| (qualifier.as_str(), *day))
}

/// What the lines that can be accepted are worth, in major units.
fn goods(lines: &[OrderLine]) -> Decimal {
    sum(lines.iter().map(|line| line_goods(line).0))
}

/// What can be accepted of a line: its worth in major units, and how many; nothing where it can not be accepted.
fn line_goods(line: &OrderLine) -> (Decimal, Decimal) {
    let told = || {
        let accepted = line.accepted.as_ref()?;
        let units = line.ordered.checked_sub(line.refused)?;
        Some((units.checked_mul(accepted.unit_price)?, units))
    };
    told().unwrap_or_default()
}

fn sum(parts: impl Iterator<Item = Decimal>) -> Decimal {
    parts.fold(Decimal::ZERO, Decimal::saturating_add)
}

impl<'k> Judge<'k> {
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
        self.currency(header);
        self.dates(header, lines);
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

    /// An order is in the partner's currency, or in one that the price list has prices in.
    fn currency(&mut self, header: &OrderHeader) {
        let Some(usual) = self.known.currency else {
            return;
        };
        let agreed = usual == header.currency
            || self
                .known
                .prices
                .values()
                .flat_map(|of_item| of_item.iter())
                .any(|entry| entry.currency == header.currency);
        if agreed {
            return;
        }
        let what = format!(
            "The order is in {}, the partner's currency is {usual}, and the price list has no price in the order's",
            header.currency
        );
        self.find(
            Fault::new(
                "currency-differs",
                self.policy.currency_differs,
                what,
                "ask the buyer which currency is meant; release the order to trade in the buyer's, or reject it",
            )
            .in_header("CUR", 2)
            .met(header.currency.to_string()),
        );
    }

    fn ship_to(&mut self, header: &OrderHeader, lines: &[OrderLine]) {
        let policy = self.policy.ship_to_unknown;
        let placed = |line: &OrderLine| {
            !line.stores.is_empty()
                && line.stores.iter().all(|share| {
                    !share.store.is_empty() || header.place_of(share.delivery).is_some()
                })
        };
        match header.party("ST") {
            Some(_) => {
                let named = header.parties.iter().filter(|party| party.role == "ST");
                for party in named {
                    self.place(party, "The ship-to");
                }
            }
            None if !lines.iter().all(placed) => {
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
            None => {}
        }
        for party in header
            .deliveries
            .iter()
            .filter_map(|delivery| delivery.ship_to.as_ref())
        {
            self.place(party, "A ship-to below the lines,");
        }
    }

    /// A place has to be in the partner's location list, or to bring a whole address without a number.
    fn place(&mut self, party: &Party, what: &str) {
        let addressed = !party.street.is_empty() && !party.city.is_empty();
        if !self.known.locations_listed
            || self.known.locations.contains(party.id.trim())
            || (party.id.is_empty() && addressed)
        {
            return;
        }
        let what = format!(
            "{what} {:?} ({}) is not in the partner's location list",
            party.id,
            cut(&party.name, 40)
        );
        self.find(
            Fault::new(
                "ship-to-unknown",
                self.policy.ship_to_unknown,
                what,
                "import it (`location import`) and verify the order again (`order verify`), release or reject it",
            )
            .in_header("N1", 4)
            .met(&party.id),
        );
    }

    fn dates(&mut self, header: &OrderHeader, lines: &[OrderLine]) {
        self.far_off(&[("of the order itself,", header.po_date)], "", ("BEG", 5));
        self.dates_in_order(&header.dates, "");
        for delivery in &header.deliveries {
            self.delivery_dates(header, delivery);
        }
        for line in lines {
            let of_delivery = |qualifier: &str, day: NaiveDate| {
                let mut deliveries = header.deliveries.iter();
                deliveries.any(|delivery| delivery.dates.get(qualifier) == Some(&day))
            };
            let days: Vec<(&str, NaiveDate)> = days_that_say_when(&line.dates)
                .filter(|(qualifier, day)| !of_delivery(qualifier, *day))
                .collect();
            self.far_off(&days, &format!("of line {}, ", line.line), ("DTM", 2));
        }
    }

    /// The first of these days that is too far from today to be believed.
    fn far_off(
        &mut self,
        days: &[(&str, NaiveDate)],
        whose: &str,
        (segment, element): (&'static str, u32),
    ) {
        let far = days.iter().find(|(_, day)| !self.is_believed(*day));
        if let Some((name, day)) = far {
            let how = if *day > self.today {
                "is more than two years ahead".to_owned()
            } else {
                format!("lies before {FIRST_YEAR_BELIEVED}")
            };
            let what = format!(
                "The date {whose}{name} {day} {how}; today is {}",
                self.today
            );
            self.find(
                Fault::new(
                    "date-far-off",
                    self.policy.dates_out_of_order,
                    what,
                    "ask the buyer which date is meant, and release the order as it is or reject it",
                )
                .in_header(segment, element)
                .met(day.format("%Y%m%d").to_string()),
            );
        }
    }

    fn is_believed(&self, day: NaiveDate) -> bool {
        let away = day.signed_duration_since(self.today).num_days();
        away <= DAYS_BELIEVED && day.year() >= FIRST_YEAR_BELIEVED
    }

    /// Before today; what is too far back to be believed is told as such.
    fn is_past(&self, day: NaiveDate) -> bool {
        day < self.today && self.is_believed(day)
    }

    /// The days of one delivery: in order among themselves, not past, and not after the order's last day.
    fn delivery_dates(&mut self, header: &OrderHeader, delivery: &Delivery) {
        let day = |qualifier: &str| delivery.dates.get(qualifier).copied();
        let own = OrderDates {
            ship_not_before: day("037"),
            ship_requested: day("010").or_else(|| day("068")),
            ship_no_later: day("038"),
            delivery_requested: day("002"),
            cancel_after: day("001"),
            other: delivery.dates.clone(),
        };
        let to = header.destination(delivery.number, "", "");
        let name = if to.id.is_empty() { &to.name } else { &to.id };
        let whose = format!("of the part for {:?}, ", cut(name, 40));
        self.dates_in_order(&own, &whose);
        let policy = self.policy.dates_out_of_order;
        let arrives = ["002", "067", "069", "074", "017", "063", "061"]
            .into_iter()
            .filter_map(day)
            .max();
        if let Some(arrives) = arrives.filter(|arrives| self.is_past(*arrives)) {
            let what = format!(
                "The day of arrival {whose}{arrives}, is past; today is {}",
                self.today
            );
            self.find(
                Fault::new(
                    "delivery-date-past",
                    policy,
                    what,
                    "ask the buyer for a new date, and release the order as it is or reject it",
                )
                .in_header("SCH", 6)
                .met(arrives.format("%Y%m%d").to_string()),
            );
        }
        let whole = header.window(0, 0).last;
        let first = own.ship_not_before.or(own.ship_requested);
        if let (Some(first), Some(last)) = (first, whole)
            && first > last
        {
            let what = format!(
                "The part for {:?} is to leave on {first}, after the last day of the order, {last}",
                cut(name, 40)
            );
            self.find(
                Fault::new(
                    "dates-out-of-order",
                    policy,
                    what,
                    "ask the buyer which of them holds; released, the part leaves on its own day",
                )
                .in_header("SCH", 6)
                .met(first.format("%Y%m%d").to_string()),
            );
        }
    }

    /// `whose` stands in front of the dates where they are not the order's own.
    fn dates_in_order(&mut self, dates: &OrderDates, whose: &str) {
        let policy = self.policy.dates_out_of_order;
        let advice =
            "ask the buyer which of them holds, and release the order as it is or reject it";
        let segment = if whose.is_empty() { "DTM" } else { "SCH" };
        let element = if whose.is_empty() { 2 } else { 6 };
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
                let what = format!(
                    "The dates contradict: {whose}{earlier} {first} is after {later} {second}"
                );
                self.find(
                    Fault::new("dates-out-of-order", policy, what, advice)
                        .in_header(segment, element)
                        .met(second.format("%Y%m%d").to_string()),
                );
            }
        }
        let wanted = dates
            .delivery_requested
            .map(|date| ("002 delivery requested", date));
        let days: Vec<(&str, NaiveDate)> = chain
            .into_iter()
            .chain(wanted)
            .chain(days_that_say_when(&dates.other))
            .collect();
        self.far_off(&days, whose, (segment, element));
        let last = [
            ("cancel-date-past", "cancel-after date", dates.cancel_after),
            ("ship-window-past", "last day to ship", dates.ship_no_later),
        ];
        let past = last.into_iter().find_map(|(code, name, date)| {
            date.filter(|day| self.is_past(*day))
                .map(|day| (code, name, day))
        });
        if let Some((code, name, day)) = past {
            let what = format!("The {name} {whose}{day} is past; today is {}", self.today);
            self.find(
                Fault::new(
                    code,
                    policy,
                    what,
                    "ask the buyer for a new date, and release the order as it is or reject it",
                )
                .in_header(segment, element)
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
        let value = goods(lines);
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

    /// Allowances and charges that no invoice should come to, whoever wrote them.
    fn worth(&mut self, header: &OrderHeader, lines: &[OrderLine]) {
        if !self.known.charges_billed {
            return;
        }
        let each: Vec<(Decimal, Decimal)> = lines.iter().map(line_goods).collect();
        let goods = sum(each.iter().map(|(worth, _)| *worth));
        let units = sum(each.iter().map(|(_, units)| *units));
        // As an invoice over all of it reckons them: those of a line on the line's own goods.
        let of = |charge: &Charge, worth: Decimal, units: Decimal| {
            let fixed = charge
                .amount
                .map(|amount| amount.to_decimal(header.currency));
            let percent = || {
                worth
                    .checked_mul(charge.percent?)?
                    .checked_div(Decimal::ONE_HUNDRED)
            };
            let rated = || charge.rate?.checked_mul(charge.quantity.unwrap_or(units));
            fixed.or_else(percent).or_else(rated).unwrap_or_default()
        };
        let of_kind = |kind: ChargeKind| {
            let whole = header.charges.iter().map(|charge| (charge, goods, units));
            let by_line = lines.iter().zip(&each).flat_map(|(line, (worth, units))| {
                line.charges
                    .iter()
                    .map(move |charge| (charge, *worth, *units))
            });
            sum(whole
                .chain(by_line)
                .filter(|(charge, _, _)| charge.is_summed() && charge.kind == kind)
                .map(|(charge, worth, units)| of(charge, worth, units)))
        };
        let (allowed, charged) = (of_kind(ChargeKind::Allowance), of_kind(ChargeKind::Charge));
        let beyond = lines.iter().zip(&each).find(|(line, (worth, units))| {
            let off = line
                .charges
                .iter()
                .filter(|charge| charge.is_summed() && charge.kind == ChargeKind::Allowance)
                .map(|charge| of(charge, *worth, *units));
            *worth > Decimal::ZERO && sum(off) > *worth
        });
        if let Some((line, _)) = beyond.filter(|_| allowed <= goods.saturating_add(charged)) {
            self.find(
                Fault::new(
                    "allowance-exceeds-goods",
                    Outcome::Hold,
                    format!(
                        "The allowances of line {} are more than the line is worth, and would be lost where it ships first",
                        line.line
                    ),
                    "ask the buyer what is meant, and reject the order; it sends a right one",
                )
                .reach(Reach::Nobody)
                .in_header("SAC", 5),
            );
        }
        if goods > Decimal::ZERO && allowed > goods.saturating_add(charged) {
            self.find(
                Fault::new(
                    "allowance-exceeds-goods",
                    Outcome::Hold,
                    format!(
                        "Allowances of {} {} are more than the goods and charges of {}, and no invoice goes below zero",
                        shown(allowed),
                        header.currency,
                        shown(goods.saturating_add(charged))
                    ),
                    "ask the buyer what is meant, and reject the order; it sends a right one",
                )
                .reach(Reach::Nobody)
                .in_header("SAC", 5)
                .met(shown(allowed)),
            );
        }
        if charged > goods && charged > CHARGES_BELIEVED {
            self.find(
                Fault::new(
                    "value-absurd",
                    Outcome::Hold,
                    format!(
                        "Charges of {} {} are more than the goods of {}",
                        shown(charged),
                        header.currency,
                        shown(goods)
                    ),
                    "ask the buyer what is meant; release the order to bill them all the same, or reject it",
                )
                .in_header("SAC", 5)
                .met(shown(charged)),
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

fn refuse(line: &mut OrderLine, why: LineRefusal) {
    line.accepted = None;
    line.refused = line.ordered;
    line.refusal = Some(why);
}

fn is_refused(line: &OrderLine) -> bool {
    line.refusal.is_some() && line.refused == line.ordered
}

fn positive(number: Option<Decimal>) -> Option<Decimal> {
    number.filter(|number| *number > Decimal::ZERO)
}

fn number_element(index: usize) -> u32 {
    u32::try_from(index).map_or(7, |index| index.saturating_mul(2).saturating_add(7))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Place;
    use super::super::money::Amount;
    use super::super::order::Price;
    use super::super::specimens::{day, decimal, item, line, number, order, stores};
    use super::super::stock::to_stored;
    use super::*;

    fn listed(entries: Vec<PriceEntry>) -> BTreeMap<ItemId, Arc<[PriceEntry]>> {
        let mut prices: BTreeMap<ItemId, Vec<PriceEntry>> = BTreeMap::new();
        for entry in entries {
            prices.entry(entry.item).or_default().push(entry);
        }
        let prices = prices.into_iter();
        prices
            .map(|(item, entries)| (item, entries.into()))
            .collect()
    }

    /// Items 1 to 3, listed at 12.50 each for everybody; locations are not listed.
    fn known() -> Known {
        let mut known = Known {
            charges_billed: true,
            ..Known::default()
        };
        for id in 1..=3 {
            known
                .items
                .insert(number("VN", &format!("A-{id}")), item(id).into());
            known
                .prices
                .extend(listed(vec![entry(id, "12.50", "EA", None)]));
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
            "Line 1 (buyer's line 001, VN A-1): the buyer's price 12.00 per EA differs from the list's 12.50 by 0.50; release the order to take the buyer's price; or correct the price list (`price import`) and verify it again (`order verify`); or reject it."
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
        gross.prices = listed(vec![entry(1, "100", "GR", None)]);
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
                "per the ordered unit, though the other is later",
                vec![
                    all(),
                    dated(entry(1, "100", "CA", None), "2026-01-01", None),
                ],
                Some("10"),
            ),
            (
                "among those of other items, in whatever order",
                vec![entry(3, "9", "EA", None), all(), entry(2, "1", "EA", None)],
                Some("10"),
            ),
            (
                "among those of other items, in order",
                vec![
                    entry(0, "9", "EA", None),
                    all(),
                    own(),
                    entry(2, "1", "EA", None),
                ],
                Some("11"),
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
            let mut known = known();
            known.prices = listed(prices);
            let mut unpriced = line(1, "24", "EA");
            unpriced.price = None;
            let verified = judged(unpriced, &known, &VerificationPolicy::default());
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
    fn a_currency_of_the_buyers_choosing_does_not_switch_the_price_check_off() {
        let euros: Currency = "EUR".parse().unwrap();
        let mut foreign = order(vec![line(1, "24", "EA")]);
        foreign.header.currency = euros;
        let policy = VerificationPolicy::default();
        let mut known = known();
        known.currency = Some(Currency::USD);
        let verified = verify(foreign.clone(), &known, &policy, today(), false);
        assert_eq!(codes(&verified), ["currency-differs", "currency-differs"]);
        assert_eq!(verified.verdict, Verdict::Hold);
        let released = verify(foreign.clone(), &known, &policy, today(), true);
        assert_eq!(released.verdict, Verdict::Accept);
        let believed = VerificationPolicy {
            currency_differs: Outcome::Accept,
            ..VerificationPolicy::default()
        };
        let verified = verify(foreign.clone(), &known, &believed, today(), false);
        assert_eq!(verified.verdict, Verdict::Accept);
        // Where the list speaks the currency, prices are compared in it.
        for of_item in known.prices.values_mut() {
            let mut entries = of_item.to_vec();
            entries.iter_mut().for_each(|entry| entry.currency = euros);
            *of_item = entries.into();
        }
        let verified = verify(foreign, &known, &policy, today(), false);
        assert!(!codes(&verified).contains(&"currency-differs"));
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
            Arc::make_mut(item).case_pack = None;
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
        let held = judged(cases.clone(), &known(), &VerificationPolicy::default());
        assert_eq!(
            held.verdict,
            Verdict::Hold,
            "12 or 24 pieces: a person asks"
        );
        let ours = VerificationPolicy {
            pack_differs: Outcome::Accept,
            ..VerificationPolicy::default()
        };
        let differs = judged(cases, &known(), &ours);
        assert_eq!(codes(&differs), ["pack-differs", "price-from-list"]);
        assert_eq!(price(&differs).0, "150", "our own case leads");
    }

    #[test]
    fn items_are_found_by_number_and_by_gtin_in_either_writing() {
        let mut known = known();
        known
            .items
            .insert(number("UP", "036000291452"), item(1).into());
        known.items.insert(number("IN", "77"), item(2).into());
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
        listed.locations = BTreeSet::from(["0100".to_owned(), "0200".to_owned()]).into();
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
        let table: [Row<'_>; 12] = [
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
            (&[("038", "2028-03-01")], &[]),
            (&[("038", "2928-03-05")], &["date-far-off"]),
            (&[("038", "0001-01-01")], &["date-far-off"]),
            (
                &[("037", "2026-03-05"), ("002", "2228-03-05")],
                &["date-far-off"],
            ),
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

    /// The order's own day, days of a delivery, and days of a line, wherever they stand, are believed for two years.
    #[test]
    fn every_date_of_an_order_is_believed_for_two_years() {
        let far = |edit: &dyn Fn(&mut Order, NaiveDate)| {
            ["2028-03-02", "2028-03-04", "2926-03-02"].map(|date| {
                let mut order = order(vec![line(1, "24", "EA")]);
                edit(&mut order, day(date));
                let policy = VerificationPolicy::default();
                let verified = verify(order, &known(), &policy, today(), false);
                assert_eq!(
                    verified.verdict == Verdict::Hold,
                    !verified.findings.is_empty()
                );
                codes(&verified).join(" ")
            })
        };
        let wanted = ["", "date-far-off", "date-far-off"];
        assert_eq!(far(&|order, day| order.header.po_date = day), wanted);
        for qualifier in ["002", "067", "069", "063", "037", "001"] {
            let of_delivery = far(&|order, day| {
                order.header.deliveries = vec![Delivery {
                    number: 1,
                    ship_to: None,
                    dates: BTreeMap::from([(qualifier.to_owned(), day)]),
                }];
            });
            assert_eq!(of_delivery, wanted, "{qualifier}");
            let of_line = far(&|order, day| {
                order.lines[0].dates = BTreeMap::from([(qualifier.to_owned(), day)]);
            });
            assert_eq!(of_line, wanted, "{qualifier}");
        }
        // A day that says nothing about the goods' way, such as one on which they expire.
        let expires = far(&|order, day| {
            order.lines[0].dates = BTreeMap::from([("036".to_owned(), day)]);
        });
        assert_eq!(expires, ["", "", ""]);
    }

    /// An order may be old; a day of the year 1 is a slip.
    #[test]
    fn a_date_from_before_x12_is_not_believed() {
        let wanted = [
            ("2019-03-02", ""),
            ("1980-01-01", ""),
            ("1979-12-31", "date-far-off"),
            ("0001-01-01", "date-far-off"),
        ];
        for (date, code) in wanted {
            let mut of_order = order(vec![line(1, "24", "EA")]);
            of_order.header.po_date = day(date);
            let mut of_line = order(vec![line(1, "24", "EA")]);
            of_line.lines[0].dates = BTreeMap::from([("010".to_owned(), day(date))]);
            let mut of_delivery = order(vec![line(1, "24", "EA")]);
            of_delivery.header.deliveries = vec![Delivery {
                number: 1,
                ship_to: None,
                dates: BTreeMap::from([("010".to_owned(), day(date))]),
            }];
            for order in [of_order, of_line, of_delivery] {
                let policy = VerificationPolicy::default();
                let verified = verify(order, &known(), &policy, today(), false);
                assert_eq!(codes(&verified).join(" "), code, "{date}");
                assert_eq!(verified.verdict == Verdict::Hold, !code.is_empty());
                let says = |finding: &Finding| finding.message.contains("before 1980");
                assert!(verified.findings.iter().all(says), "{date}");
            }
        }
    }

    /// A price of zero that no price list bears waits for a person, unless the buyer calls the goods free.
    #[test]
    fn a_price_of_zero_is_not_believed() {
        let unlisted = || Known {
            prices: BTreeMap::new(),
            ..known()
        };
        let zero = |basis: &str| {
            let mut line = line(1, "24", "EA");
            line.price = Some(Price {
                amount: decimal("0.00"),
                basis: basis.into(),
            });
            line
        };
        let policy = |price_missing| VerificationPolicy {
            price_missing,
            ..VerificationPolicy::default()
        };
        let held = judged(zero("EA"), &unlisted(), &policy(Outcome::Hold));
        assert_eq!(codes(&held), ["price-zero"]);
        assert_eq!(held.verdict, Verdict::Hold);
        let again = verify(held.order, &known(), &policy(Outcome::Hold), today(), false);
        assert_eq!(
            codes(&again),
            ["price-differs"],
            "once there is a price list"
        );
        let released = verify(
            again.order,
            &unlisted(),
            &policy(Outcome::Hold),
            today(),
            true,
        );
        assert_eq!(released.verdict, Verdict::Accept);
        assert_eq!(price(&released), ("0".into(), "0.00 EA".into(), false));

        let free = judged(zero("NC"), &unlisted(), &policy(Outcome::Hold));
        assert_eq!(codes(&free), ["price-not-listed"]);
        assert_eq!(free.verdict, Verdict::Accept);
        let believed = judged(zero(""), &unlisted(), &policy(Outcome::Accept));
        assert_eq!(believed.verdict, Verdict::Accept);
        let refused = judged(zero(""), &unlisted(), &policy(Outcome::RejectLine));
        assert!(is_refused(&refused.order.lines[0]));
        let mut known = unlisted();
        known.prices = listed(vec![entry(1, "0", "EA", None)]);
        let agreed = judged(zero("EA"), &known, &policy(Outcome::Hold));
        assert!(agreed.findings.is_empty(), "the price list gives it away");
    }

    /// A price below zero is none, whatever its basis calls it.
    #[test]
    fn a_price_below_zero_is_not_free() {
        let mut faulty = line(1, "24", "EA");
        faulty.price = Some(Price {
            amount: decimal("-5"),
            basis: "NC".into(),
        });
        let policy = VerificationPolicy::default();
        let held = judged(faulty, &known(), &policy);
        assert_eq!(codes(&held), ["price-negative"]);
        assert_eq!(held.verdict, Verdict::Hold);
    }

    /// A line with a price must not be invoiced at nothing because its amount rounds to it.
    #[test]
    fn an_amount_that_rounds_to_nothing_is_not_believed() {
        let unlisted = || Known {
            prices: BTreeMap::new(),
            ..known()
        };
        let at = |amount: &str, basis: &str| {
            let mut line = line(1, "24", "EA");
            line.price = Some(Price {
                amount: decimal(amount),
                basis: basis.into(),
            });
            line
        };
        let policy = |price_missing| VerificationPolicy {
            price_missing,
            ..VerificationPolicy::default()
        };
        let held = judged(at("0.0002", "EA"), &unlisted(), &policy(Outcome::Hold));
        assert_eq!(codes(&held), ["price-not-listed", "amount-zero"]);
        assert_eq!(held.verdict, Verdict::Hold);
        let told = &held.findings[1].message;
        assert!(
            told.contains("24 EA at 0.0002 come to 0.00 USD") && told.contains("`order verify`"),
            "{told}"
        );
        let released = verify(
            held.order,
            &unlisted(),
            &policy(Outcome::Hold),
            today(),
            true,
        );
        assert_eq!(released.verdict, Verdict::Accept);
        assert!(!is_refused(&released.order.lines[0]));
        let refused = judged(
            at("0.0002", "EA"),
            &unlisted(),
            &policy(Outcome::RejectLine),
        );
        assert!(is_refused(&refused.order.lines[0]));
        let enough = judged(at("0.00021", "EA"), &unlisted(), &policy(Outcome::Hold));
        assert_eq!(codes(&enough), ["price-not-listed"], "24 come to a cent");
        let free = judged(at("0.0002", "NC"), &unlisted(), &policy(Outcome::Hold));
        assert_eq!(codes(&free), ["price-not-listed"]);
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
    fn what_no_invoice_should_come_to_waits_for_a_person() {
        let with = |kind, amount: Option<i64>, percent: Option<&str>| {
            // 24 at 4.20.
            let mut order = order(vec![line(1, "24", "EA")]);
            order.header.charges.push(Charge {
                kind,
                code: "C310".into(),
                amount: amount.map(Amount),
                percent: percent.map(decimal),
                rate: None,
                quantity: None,
                handling: String::new(),
                description: String::new(),
                granted: Amount::ZERO,
            });
            order
        };
        let judged = |order: Order, released| {
            verify(
                order,
                &known(),
                &VerificationPolicy::default(),
                today(),
                released,
            )
        };
        let goods = {
            let verified = judged(order(vec![line(1, "24", "EA")]), false);
            assert_eq!(verified.verdict, Verdict::Accept);
            goods(&verified.order.lines)
        };
        let allowed = |percent| with(ChargeKind::Allowance, None, Some(percent));
        assert_eq!(judged(allowed("100"), false).verdict, Verdict::Accept);
        let beyond = judged(allowed("150"), false);
        assert_eq!(codes(&beyond), ["allowance-exceeds-goods"]);
        assert_eq!(beyond.verdict, Verdict::Hold);
        assert!(matches!(
            judged(allowed("150"), true).verdict,
            Verdict::Reject { .. }
        ));
        let charged = |amount| with(ChargeKind::Charge, Some(amount), None);
        assert!(goods < decimal("10000"));
        assert_eq!(judged(charged(1_000_000), false).verdict, Verdict::Accept);
        let absurd = judged(charged(1_000_001), false);
        assert_eq!(codes(&absurd), ["value-absurd"]);
        assert_eq!(absurd.verdict, Verdict::Hold);
        assert_eq!(judged(charged(1_000_001), true).verdict, Verdict::Accept);
    }

    /// Twelve lines with ten percent off each come to ten percent, not to a hundred and twenty; a rate counts as often as
    /// it says.
    #[test]
    fn allowances_of_lines_are_reckoned_on_their_own_lines() {
        let off = |percent: Option<&str>, rate: Option<&str>, quantity: Option<&str>| Charge {
            kind: ChargeKind::Allowance,
            code: "C310".into(),
            amount: None,
            percent: percent.map(decimal),
            rate: rate.map(decimal),
            quantity: quantity.map(decimal),
            handling: String::new(),
            description: String::new(),
            granted: Amount::ZERO,
        };
        let found = |each: Charge| {
            let lines = (1..=12).map(|n| {
                let mut line = line(n, "24", "EA");
                line.charges.push(each.clone());
                line
            });
            let verified = verify(
                order(lines.collect()),
                &known(),
                &VerificationPolicy::default(),
                today(),
                false,
            );
            codes(&verified).contains(&"allowance-exceeds-goods")
        };
        // 24 at 12.50 on each line.
        assert!(!found(off(Some("10"), None, None)));
        assert!(!found(off(Some("100"), None, None)));
        assert!(found(off(Some("101"), None, None)));
        assert!(!found(off(None, Some("12.50"), None)));
        assert!(found(off(None, Some("12.51"), None)));
        assert!(found(off(None, Some("12.50"), Some("25"))));
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
            granted: Amount::ZERO,
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
                            delivery: 0,
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
