//! The rules about a line's price: the buyer's, converted exactly to the ordered unit, against the price list's.

use rust_decimal::{Decimal, RoundingStrategy};

use super::super::catalogue::{Item, PriceEntry};
use super::super::money::Currency;
use super::super::order::{OrderHeader, OrderLine, Price};
use super::super::policy::Outcome;
use super::rule::{Effect, Fault, Reach, cut, shown};
use super::{Judge, PRICE_DECIMALS_MAX, positive};

/// A price that was settled on.
pub(super) struct Priced {
    pub(super) unit_price: Decimal,
    pub(super) stated: Price,
    pub(super) changed: bool,
}

/// What the price list says: exactly, and as we would state it.
struct Listed {
    exact: Decimal,
    priced: Priced,
}

/// `amount` per `from` base units as the price of `to` base units. A quotient that does not end has 28 digits.
fn converted(amount: Decimal, to: Decimal, from: Decimal) -> Option<Decimal> {
    if to == from {
        return Some(amount.normalize());
    }
    Some(amount.checked_mul(to)?.checked_div(from)?.normalize())
}

impl<'k> Judge<'k> {
    /// The agreed price; an error where the line waits without one or is refused.
    pub(super) fn price(
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
            if let Some(other) = self.listed_in_another_currency(item, header.currency) {
                return self.currency_differs(line, item, wanted, header.currency, other);
            }
            if wanted.unit_price.is_zero() && price.basis != "NC" {
                return self.price_zero(line, price, wanted, &what);
            }
            self.find(Fault::new("price-not-listed", Outcome::Accept, what, "").on(line, 4));
            return Ok(wanted);
        };
        self.compare(line, price, wanted, ours)
    }

    /// A currency that the price list has prices of the item in, where it has none in the order's.
    fn listed_in_another_currency(&self, item: &Item, currency: Currency) -> Option<Currency> {
        let of_item = || self.prices_of(item).iter();
        if of_item().any(|entry| entry.currency == currency) {
            return None;
        }
        of_item().map(|entry| entry.currency).next()
    }

    /// Nothing could be compared: the buyer chose a currency that the list does not speak.
    fn currency_differs(
        &mut self,
        line: &OrderLine,
        item: &Item,
        wanted: Priced,
        currency: Currency,
        other: Currency,
    ) -> Result<Priced, Effect> {
        let what = format!(
            "the order is in {currency}, and the price list has item {} in {other} only, so that the price {} could not be compared",
            item.code,
            shown(wanted.unit_price)
        );
        let effect = self.find(
            Fault::new(
                "currency-differs",
                self.policy.currency_differs,
                what,
                "release the order to take the buyer's price in the buyer's currency; or import prices in it (`price import`) and verify it again (`order verify`); or reject it",
            )
            .on(line, 4)
            .met(currency.to_string()),
        );
        match effect {
            Effect::Refuse => Err(effect),
            Effect::Go | Effect::Wait | Effect::Change => Ok(wanted),
        }
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
            "the buyer's price {} per {}{} differs from the list's {} by {}",
            shown(wanted.unit_price),
            cut(&line.unit, 10),
            stated(price, &wanted),
            shown(ours.exact),
            shown(difference)
        );
        let effect = self.find(
            Fault::new(
                "price-differs",
                self.policy.price_differs,
                what,
                "release the order to take the buyer's price; or correct the price list (`price import`) and verify it again (`order verify`); or reject it",
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
                "import a price (`price import`) and verify the order again (`order verify`), or reject it",
            )
            .reach(Reach::Nobody)
            .on(line, 4),
        ))
    }

    /// A price of zero that no price list bears and that the buyer does not call free (NC): goods are not given away on a
    /// field that may have been left empty.
    fn price_zero(
        &mut self,
        line: &OrderLine,
        price: &Price,
        wanted: Priced,
        unlisted: &str,
    ) -> Result<Priced, Effect> {
        let effect = self.find(
            Fault::new(
                "price-zero",
                self.policy.price_missing,
                format!("the buyer's price is zero without being called free (PO105 NC), and {unlisted}"),
                "release the order to give the goods for nothing; or import a price (`price import`) and verify it again (`order verify`); or reject it",
            )
            .on(line, 4)
            .met(price.amount.to_string()),
        );
        match effect {
            Effect::Refuse => Err(effect),
            Effect::Go | Effect::Wait | Effect::Change => Ok(wanted),
        }
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
        if price.amount < Decimal::ZERO {
            return None;
        }
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
        let candidates = || {
            self.prices_of(item).iter().filter(|entry| {
                entry.currency == header.currency
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

    fn prices_of(&self, item: &Item) -> &'k [PriceEntry] {
        let of_item = self.known.prices.get(&item.id);
        of_item.map_or(&[], |of_item| &of_item[..])
    }
}

/// What the buyer wrote, where it became another price by its basis.
fn stated(price: &Price, wanted: &Priced) -> String {
    if price.amount == wanted.unit_price {
        return String::new();
    }
    format!(
        " (it wrote {} with the basis {}; where that means the ordered unit, set `each_price_is_per_unit` in its profile)",
        shown(price.amount),
        if price.basis.is_empty() {
            "of the order".to_owned()
        } else {
            cut(&price.basis, 4)
        }
    )
}
