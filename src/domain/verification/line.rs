//! The rules about one line: its item, unit, quantity, packs and stores.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::super::catalogue::Item;
use super::super::gs1::gtin_is_valid;
use super::super::money::{Amount, Currency};
use super::super::order::{AcceptedLine, ItemNumber, LineRefusal, OrderHeader, OrderLine};
use super::super::policy::Outcome;
use super::super::stock::{to_stored, units_per_whole_cases};
use super::price::Priced;
use super::rule::{Effect, Fault, Reach, cut, shown};
use super::{Judge, number_element, positive, refuse};

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
fn with_the_orders_pack<'i>(item: &'i Item, line: &OrderLine) -> Cow<'i, Item> {
    if item.base_per("CA").is_some() || item.base_unit != "EA" || positive(line.pack).is_none() {
        return Cow::Borrowed(item);
    }
    let mut item = item.clone();
    item.case_pack = positive(line.pack);
    Cow::Owned(item)
}

/// The product, if it is exact.
fn exact_product(a: Decimal, b: Decimal) -> Option<Decimal> {
    let (a, b) = (a.normalize(), b.normalize());
    let product = a.checked_mul(b)?;
    (product.scale() == a.scale() + b.scale()).then_some(product)
}

/// Most that one line is believed to be worth, in major units: a trillion.
const LINE_VALUE_MAX: i64 = 1_000_000_000_000;

impl<'k> Judge<'k> {
    pub(super) fn line(&mut self, line: &mut OrderLine, header: &OrderHeader) {
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
                line.accepted = Some(accepted.into());
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
        if let Err(effect) = self.worth_anything(line, cut, priced.unit_price, header.currency) {
            return refusals.note(effect, LineRefusal::PriceDiffers);
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
                self.known
                    .items
                    .get(number)
                    .map(Arc::as_ref)
                    .or_else(|| self.by_gtin(number))
                    .map(|item| (index, item))
            })
            .collect();
        let Some((_, first)) = found.first().copied() else {
            return Err(self.find(
                Fault::new(
                    "item-unknown",
                    self.policy.item_unknown,
                    "no item of ours has any of these numbers".to_owned(),
                    "add the item or the buyer's number of it (`item import`) and verify the order again (`order verify`), or reject it",
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
                    "correct the buyer's numbers in the item list and verify the order again (`order verify`); released, the item of the first number is taken",
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

    fn by_gtin(&self, number: &ItemNumber) -> Option<&'k Item> {
        let gtin = padded_gtin(number)?;
        *self
            .gtins
            .get_or_init(|| gtins(&self.known.items))
            .get(&gtin)?
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
        let counted = matches!(
            line.unit.as_str(),
            "EA" | "PC" | "UN" | "CA" | "CT" | "CS" | "BX" | "PK" | "PL" | "DZ"
        );
        let whole = line.stores.iter().all(|store| {
            store.quantity > Decimal::ZERO && (!counted || store.quantity.fract().is_zero())
        });
        let sum = line
            .stores
            .iter()
            .try_fold(Decimal::ZERO, |sum, store| sum.checked_add(store.quantity));
        if whole && sum == Some(line.ordered) {
            return Effect::Go;
        }
        let deliveries = line.stores.iter().any(|share| share.delivery > 0);
        let (whose, one) = if deliveries {
            (
                "the quantities by place and day (SCH, N1)",
                "a quantity by place and day (SCH, N1)",
            )
        } else {
            ("the stores' quantities (SDQ)", "a store's quantity (SDQ)")
        };
        let what = match sum {
            Some(sum) if whole => format!(
                "{whose} add up to {}, the line orders {}",
                sum.normalize(),
                line.ordered.normalize()
            ),
            _ => format!("{one} is zero, below zero, a fraction or absurd"),
        };
        self.find(
            Fault::new(
                "store-quantities-differ",
                self.policy.store_quantities,
                what,
                "ask the buyer; released, the line's quantity holds, all are served in turn until it is used up, and what is over goes to the order's ship-to",
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
            .filter(|store| !store.is_empty() && !self.known.locations.contains(store.trim()))
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
                "import it (`location import`) and verify the order again (`order verify`), release or reject it",
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
                "give the item this unit (`item import`) and verify the order again (`order verify`), or reject it",
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
                match reach {
                    Reach::Nobody => {
                        "ask the buyer for the right quantity; released, the line is refused"
                    }
                    _ => "ask the buyer for the right quantity, and release the order or reject it",
                },
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
                    self.policy.pack_differs,
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

    /// Whether a line with a price comes to anything, once its amount is rounded to the currency's minor unit: goods are
    /// not given away by rounding. `cut_off` of the quantity is refused.
    fn worth_anything(
        &mut self,
        line: &OrderLine,
        cut_off: Decimal,
        unit_price: Decimal,
        currency: Currency,
    ) -> Result<(), Effect> {
        let quantity = line.ordered - cut_off;
        let nothing = quantity
            .checked_mul(unit_price)
            .and_then(|value| Amount::from_decimal(value, currency).ok())
            .filter(|amount| *amount == Amount::ZERO && unit_price > Decimal::ZERO);
        let Some(nothing) = nothing else {
            return Ok(());
        };
        let what = format!(
            "{} {} at {} come to {} {currency}, once rounded: the goods would be invoiced at nothing, though they have a price",
            quantity.normalize(),
            cut(&line.unit, 10),
            unit_price.normalize(),
            nothing.to_decimal(currency),
        );
        let effect = self.find(
            Fault::new(
                "amount-zero",
                self.policy.price_missing,
                what,
                "ask the buyer for the price; import a price (`price import`) and verify the order again (`order verify`); or release it to give the goods for nothing; or reject it",
            )
            .on(line, 4)
            .met(unit_price.normalize().to_string()),
        );
        match effect {
            Effect::Refuse => Err(effect),
            Effect::Go | Effect::Wait | Effect::Change => Ok(()),
        }
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
}

/// Item numbers that are GTINs, padded to 14 digits: a UPC and the EAN that it is written as are one number.
/// None stands where two items share one.
fn gtins(items: &HashMap<ItemNumber, Arc<Item>>) -> HashMap<String, Option<&Item>> {
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
