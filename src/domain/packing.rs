//! Packing: what is confirmed of an order out of one warehouse, put into cartons; and the book of what was put where.
//!
//! An ordered unit is never split over cartons. Whole cases go first, one case a carton; the rest is mixed. Cartons get
//! their SSCC when they are closed ([`super::gs1::sscc18`]).

use std::collections::HashMap;

use compact_str::CompactString;
use rust_decimal::Decimal;

use super::ids::{OrderId, WarehouseId};
use super::order::{AcceptedLine, LineSource, Order, OrderLine, StoreQuantity};
use super::policy::PackingPolicy;
use super::shipment::{Carton, CartonContent, Contents, alike};
use super::stock::{units_per_whole_cases, whole_units};

pub use super::gs1::{SsccRefusal, gs1_check_digit, sscc_is_valid, sscc18};

/// Most cartons that one call packs. What does not fit in them stays unreleased and goes with the next shipment.
pub const CARTONS_MAX: usize = 20_000;

/// Packs what is confirmed of `order` out of `warehouse` and not in a shipment yet.
///
/// With store distribution and [`PackingPolicy::carton_per_store`] each store gets its cartons, in the order in which
/// the lines name the stores; what travels with different deliveries, or to different stores where the order names no
/// single ship-to, never shares a carton. Over several shipments a line's stores and deliveries are served in the order
/// of the line, each with what it has not got yet, until the quantity is used up; what none is left for is packed
/// without one.
pub fn pack(order: &Order, warehouse: WarehouseId, policy: &PackingPolicy) -> Vec<Carton> {
    let mut packer = Packer {
        order,
        policy,
        cartons: Vec::new(),
    };
    for (share, parts) in by_share(order, warehouse, policy) {
        packer.store(share.store, &parts);
    }
    packer.cartons
}

/// Which of the cartons that stand on no pallet share one: at most `most` of them, all of one order, one delivery and
/// one store, in the order of the cartons. None where `most` is 0: nothing is put on pallets.
pub fn pallets(cartons: &[Carton], most: u32) -> Vec<Vec<usize>> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut pallets: Vec<Vec<usize>> = Vec::new();
    if most == 0 {
        return pallets;
    }
    let kind = |carton: &Carton| {
        let first = carton.contents.first();
        (
            first.map(|content| (content.order, content.delivery)),
            carton.store.clone(),
        )
    };
    for (index, carton) in cartons.iter().enumerate() {
        if !carton.pallet.is_empty() {
            continue;
        }
        let open = pallets.iter_mut().rev().find(|pallet| {
            pallet
                .first()
                .and_then(|first| cartons.get(*first))
                .is_some_and(|first| kind(first) == kind(carton))
        });
        match open.filter(|pallet| pallet.len() < most) {
            Some(pallet) => pallet.push(index),
            None => pallets.push(vec![index]),
        }
    }
    pallets
}

/// The order with what these cartons hold of it booked as released out of `warehouse`.
#[must_use]
pub fn release(mut order: Order, warehouse: WarehouseId, cartons: &[Carton]) -> Order {
    book(&mut order, warehouse, cartons, Decimal::ONE);
    order
}

/// The order with what these cartons held of it taken out of the book again: the shipment was given up, and the goods
/// are still promised.
#[must_use]
pub fn take_back(mut order: Order, warehouse: WarehouseId, cartons: &[Carton]) -> Order {
    book(&mut order, warehouse, cartons, Decimal::NEGATIVE_ONE);
    order
}

fn book(order: &mut Order, warehouse: WarehouseId, cartons: &[Carton], sign: Decimal) {
    for (carton, cartons) in alike(cartons) {
        for content in &carton.contents {
            if content.order != order.id {
                continue;
            }
            let source = order.line_mut(content.line).and_then(|line| {
                line.sources
                    .iter_mut()
                    .find(|source| source.warehouse == warehouse)
            });
            if let Some(source) = source {
                let quantity = content.quantity * cartons * sign;
                book_content(source, content.delivery, &carton.store, quantity);
            }
        }
    }
}

/// Books a quantity, below zero to take it back.
pub(super) fn book_content(source: &mut LineSource, delivery: u32, store: &str, quantity: Decimal) {
    source.released = source.released.saturating_add(quantity).normalize();
    if store.is_empty() && delivery == 0 {
        return;
    }
    match source
        .stores
        .iter_mut()
        .find(|known| known.store == store && known.delivery == delivery)
    {
        Some(known) => known.quantity = known.quantity.saturating_add(quantity).normalize(),
        None => source.stores.push(StoreQuantity {
            store: store.to_owned(),
            quantity,
            delivery,
        }),
    }
    source.stores.retain(|known| !known.quantity.is_zero());
}

/// What of one line is to be packed, in its own unit.
struct Part<'o> {
    line: &'o OrderLine,
    accepted: &'o AcceptedLine,
    quantity: Decimal,
    delivery: u32,
}

impl Part<'_> {
    fn base(&self, units: Decimal) -> Decimal {
        units.saturating_mul(self.accepted.base_per_unit)
    }
}

/// What no carton may mix: the delivery that goods travel with, and the store that they are marked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Share<'o> {
    delivery: u32,
    store: &'o str,
}

/// Neither a delivery nor a store.
const WHOLE: Share<'static> = Share {
    delivery: 0,
    store: "",
};

/// What is to be packed, by share, each once; the whole comes last.
fn by_share<'o>(
    order: &'o Order,
    warehouse: WarehouseId,
    policy: &PackingPolicy,
) -> Vec<(Share<'o>, Vec<Part<'o>>)> {
    let mut shares: Vec<(Share<'o>, Vec<Part<'o>>)> = Vec::new();
    let mut loose = Vec::new();
    for line in &order.lines {
        let Some(accepted) = line
            .accepted
            .as_ref()
            .filter(|accepted| accepted.base_per_unit > Decimal::ZERO)
        else {
            continue;
        };
        let mut open: Decimal = line
            .sources
            .iter()
            .filter(|source| source.warehouse == warehouse)
            .map(|source| source.quantity.saturating_sub(source.released))
            .fold(Decimal::ZERO, Decimal::saturating_add);
        let waiting = waiting_shares(order, line, policy);
        // What no share is left for goes to the order's ship-to, and where there is none with the last share.
        let over = match order.header.ship_to() {
            Some(_) => WHOLE,
            None => waiting.last().map_or(WHOLE, |(share, _)| *share),
        };
        for (share, quantity) in waiting {
            let quantity = quantity.min(open);
            if quantity <= Decimal::ZERO {
                continue;
            }
            open -= quantity;
            add_part(&mut shares, share, line, accepted, quantity);
        }
        if open > Decimal::ZERO && over == WHOLE {
            loose.push(Part {
                line,
                accepted,
                quantity: open,
                delivery: 0,
            });
        } else if open > Decimal::ZERO {
            add_part(&mut shares, over, line, accepted, open);
        }
    }
    if !loose.is_empty() {
        shares.push((WHOLE, loose));
    }
    shares
}

fn add_part<'o>(
    shares: &mut Vec<(Share<'o>, Vec<Part<'o>>)>,
    share: Share<'o>,
    line: &'o OrderLine,
    accepted: &'o AcceptedLine,
    quantity: Decimal,
) {
    let part = Part {
        line,
        accepted,
        quantity,
        delivery: share.delivery,
    };
    match shares.iter_mut().find(|(known, _)| *known == share) {
        Some((_, parts)) => parts.push(part),
        None => shares.push((share, vec![part])),
    }
}

/// The line's shares with what each has not got yet out of any warehouse, in the order of the line.
fn waiting_shares<'o>(
    order: &Order,
    line: &'o OrderLine,
    policy: &PackingPolicy,
) -> Vec<(Share<'o>, Decimal)> {
    let mut waiting: Vec<(Share<'o>, Decimal)> = Vec::new();
    for part in &line.stores {
        let apart = policy.carton_per_store || order.header.place_of(part.delivery).is_none();
        let share = Share {
            delivery: part.delivery,
            store: if apart { &part.store } else { "" },
        };
        if share == WHOLE {
            continue;
        }
        match waiting.iter_mut().find(|(known, _)| *known == share) {
            Some((_, quantity)) => *quantity = quantity.saturating_add(part.quantity),
            None => waiting.push((share, part.quantity)),
        }
    }
    for (share, quantity) in &mut waiting {
        let got = line
            .sources
            .iter()
            .flat_map(|source| &source.stores)
            .filter(|known| known.delivery == share.delivery && known.store == share.store)
            .fold(Decimal::ZERO, |sum, known| {
                sum.saturating_add(known.quantity)
            });
        *quantity = quantity.saturating_sub(got);
    }
    waiting
}

struct Packer<'o> {
    order: &'o Order,
    policy: &'o PackingPolicy,
    cartons: Vec<Carton>,
}

/// A mixed carton that is being filled.
#[derive(Default)]
struct Mixed {
    contents: Vec<CartonContent>,
    base: Decimal,
    /// Grams as far as all that is in it is known.
    grams: Option<Decimal>,
}

impl Packer<'_> {
    fn store(&mut self, store: &str, parts: &[Part<'_>]) {
        let rests: Vec<Decimal> = parts
            .iter()
            .map(|part| self.whole_cases(store, part))
            .collect();
        let mut mixed = Mixed::default();
        for (part, rest) in parts.iter().zip(rests) {
            if !self.policy.mix_items {
                self.close(store, &mut mixed);
            }
            self.mix(store, part, rest, &mut mixed);
        }
        self.close(store, &mut mixed);
    }

    fn full(&self) -> bool {
        self.cartons.len() >= CARTONS_MAX
    }

    /// Packs whole cases of a line, one a carton, and says what is left. A unit that is larger than a case is a carton.
    fn whole_cases(&mut self, store: &str, part: &Part<'_>) -> Decimal {
        let mut rest = part.quantity;
        let Some(units) = units_in_case(part.accepted) else {
            return rest;
        };
        let contents: Contents = vec![self.content(part, units)].into();
        let grams = whole_grams(grams(part, units));
        while rest >= units && !self.full() {
            self.push(store, contents.clone(), grams);
            rest -= units;
        }
        rest
    }

    fn mix(&mut self, store: &str, part: &Part<'_>, mut rest: Decimal, mixed: &mut Mixed) {
        while rest > Decimal::ZERO {
            if self.full() {
                return; // what is not in a carton stays unreleased
            }
            let mut units = self.fitting(part, rest, mixed.base);
            if units.is_zero() {
                if mixed.contents.is_empty() {
                    units = rest.min(Decimal::ONE);
                } else {
                    self.close(store, mixed);
                    continue;
                }
            }
            let grams = grams(part, units);
            mixed.grams = match (mixed.contents.is_empty(), mixed.grams, grams) {
                (true, _, grams) => grams,
                (false, Some(sum), Some(more)) => sum.checked_add(more),
                _ => None,
            };
            mixed.base = mixed.base.saturating_add(part.base(units));
            mixed.contents.push(self.content(part, units));
            rest -= units;
        }
    }

    /// Units of the part that still fit into a carton that holds `base`.
    fn fitting(&self, part: &Part<'_>, rest: Decimal, base: Decimal) -> Decimal {
        let room = self.policy.carton_units_max.saturating_sub(base);
        if part.base(rest) <= room {
            return rest;
        }
        whole_units(room, part.accepted.base_per_unit).min(rest)
    }

    fn close(&mut self, store: &str, mixed: &mut Mixed) {
        let Mixed {
            contents, grams, ..
        } = std::mem::take(mixed);
        if !contents.is_empty() && !self.full() {
            self.push(store, contents.into(), whole_grams(grams));
        }
    }

    fn push(&mut self, store: &str, contents: Contents, grams: i64) {
        self.cartons.push(Carton {
            sscc: CompactString::default(),
            store: store.into(),
            contents,
            grams,
            tracking: CompactString::default(),
            pallet: CompactString::default(),
        });
    }

    fn content(&self, part: &Part<'_>, units: Decimal) -> CartonContent {
        content(self.order.id, &self.order.header.po_number, part, units)
    }
}

fn content(order: OrderId, po_number: &str, part: &Part<'_>, units: Decimal) -> CartonContent {
    CartonContent {
        order,
        po_number: po_number.to_owned(),
        line: part.line.line,
        item: part.accepted.item_code.clone(),
        quantity: units.normalize(),
        unit: part.line.unit.clone(),
        delivery: part.delivery,
    }
}

/// Gives each carton whose weight was not told that of its contents, where the weight of every item in it is known.
pub fn weigh(cartons: &mut [Carton], orders: &[Order]) {
    if cartons.iter().all(|carton| carton.grams > 0) {
        return;
    }
    let known: HashMap<(OrderId, u32), Decimal> = orders
        .iter()
        .flat_map(|order| order.lines.iter().map(move |line| (order.id, line)))
        .filter_map(|(order, line)| {
            let accepted = line
                .accepted
                .as_ref()
                .filter(|accepted| accepted.grams > 0)?;
            let unit = accepted
                .base_per_unit
                .checked_mul(Decimal::from(accepted.grams))?;
            Some(((order, line.line), unit))
        })
        .collect();
    for carton in cartons.iter_mut().filter(|carton| carton.grams == 0) {
        let grams = carton
            .contents
            .iter()
            .try_fold(Decimal::ZERO, |sum, content| {
                let unit = known.get(&(content.order, content.line))?;
                sum.checked_add(content.quantity.checked_mul(*unit)?)
            });
        carton.grams = whole_grams(grams);
    }
}

fn whole_grams(grams: Option<Decimal>) -> i64 {
    grams
        .and_then(|grams| i64::try_from(grams.ceil()).ok())
        .unwrap_or(0)
}

/// Grams of so many units; none where the item's weight is not known.
fn grams(part: &Part<'_>, units: Decimal) -> Option<Decimal> {
    (part.accepted.grams > 0)
        .then(|| {
            part.base(units)
                .checked_mul(Decimal::from(part.accepted.grams))
        })
        .flatten()
}

/// Ordered units that make one carton of their own: a case of them, or one unit that holds a case and more. None where
/// the case is not known or is no whole number of units.
fn units_in_case(accepted: &AcceptedLine) -> Option<Decimal> {
    let case = accepted.case_pack?;
    if accepted.base_per_unit >= case {
        return (case > Decimal::ZERO).then_some(Decimal::ONE);
    }
    let units = units_per_whole_cases(accepted.base_per_unit, case)?;
    (units.checked_mul(accepted.base_per_unit) == Some(case)).then_some(units)
}

#[cfg(test)]
mod tests {
    use super::super::specimens::{accepted, decimal, line, order, stores};
    use super::*;

    fn sourced(mut line: OrderLine, base: &str, quantity: &str) -> OrderLine {
        line = accepted(line, base);
        line.confirmed = decimal(quantity);
        line.sources = vec![LineSource {
            warehouse: WarehouseId(1),
            quantity: decimal(quantity),
            released: Decimal::ZERO,
            stores: Vec::new(),
        }];
        line
    }

    /// Each carton as "store: line×quantity line×quantity".
    fn told(cartons: &[Carton]) -> Vec<String> {
        cartons
            .iter()
            .map(|carton| {
                let contents: Vec<String> = carton
                    .contents
                    .iter()
                    .map(|content| format!("{}×{}", content.line, content.quantity))
                    .collect();
                format!("{}:{}", carton.store, contents.join(" "))
            })
            .collect()
    }

    #[test]
    fn whole_cases_first_and_the_rest_mixed() {
        let policy = PackingPolicy {
            carton_units_max: Decimal::from(20),
            ..PackingPolicy::default()
        };
        let alone = PackingPolicy {
            mix_items: false,
            ..policy.clone()
        };
        // (lines of quantity, base per unit; policy; cartons)
        type Row<'a> = (&'a [(&'a str, &'a str)], &'a PackingPolicy, &'a [&'a str]);
        let table: [Row<'_>; 9] = [
            (&[("24", "1")], &policy, &[":1×12", ":1×12"]),
            (&[("2", "12")], &policy, &[":1×1", ":1×1"]),
            (
                &[("30", "1"), ("5", "1")],
                &policy,
                &[":1×12", ":1×12", ":1×6 2×5"],
            ),
            (
                &[("30", "1"), ("5", "1")],
                &alone,
                &[":1×12", ":1×12", ":1×6", ":2×5"],
            ),
            (&[("11", "1"), ("11", "1")], &policy, &[":1×11 2×9", ":2×2"]),
            (&[("3", "7")], &policy, &[":1×2", ":1×1"]),
            (&[("2", "40")], &policy, &[":1×1", ":1×1"]),
            (&[("2.5", "1")], &policy, &[":1×2.5"]),
            (&[], &policy, &[]),
        ];
        for (lines, policy, wanted) in table {
            let lines = (1..)
                .zip(lines)
                .map(|(number, (quantity, base))| {
                    sourced(line(number, quantity, "EA"), base, quantity)
                })
                .collect();
            assert_eq!(told(&pack(&order(lines), WarehouseId(1), policy)), wanted);
        }
    }

    #[test]
    fn a_unit_too_large_for_any_carton_is_a_carton() {
        let policy = PackingPolicy {
            carton_units_max: Decimal::ZERO,
            ..PackingPolicy::default()
        };
        let lines = vec![sourced(line(1, "3", "EA"), "1", "3")];
        assert_eq!(
            told(&pack(&order(lines), WarehouseId(1), &policy)),
            [":1×1", ":1×1", ":1×1"]
        );
    }

    #[test]
    fn weights_are_known_or_zero() {
        let mut lines = vec![
            sourced(line(1, "5", "EA"), "1", "5"),
            sourced(line(2, "5", "EA"), "1", "5"),
        ];
        let policy = PackingPolicy::default();
        assert_eq!(
            pack(&order(lines.clone()), WarehouseId(1), &policy)[0].grams,
            5000
        );
        lines[1].accepted.as_mut().unwrap().grams = 0;
        let unknown = order(lines.clone());
        let mut cartons = pack(&unknown, WarehouseId(1), &policy);
        assert_eq!(cartons[0].grams, 0);
        weigh(&mut cartons, &[unknown]);
        assert_eq!(cartons[0].grams, 0);
        lines[1].accepted.as_mut().unwrap().grams = 250;
        weigh(&mut cartons, &[order(lines.clone())]);
        assert_eq!(cartons[0].grams, 3750);
        cartons[0].grams = 4000;
        weigh(&mut cartons, &[order(lines)]);
        assert_eq!(cartons[0].grams, 4000, "what the scale said");
    }

    #[test]
    fn each_store_has_its_cartons() {
        let mut spread = sourced(line(1, "30", "EA"), "1", "30");
        spread.stores = stores(&[("0200", "13"), ("0100", "17")]);
        let mut other = sourced(line(2, "4", "EA"), "1", "4");
        other.stores = stores(&[("0100", "4")]);
        let open = order(vec![spread, other]);
        let packed = pack(&open, WarehouseId(1), &PackingPolicy::default());
        assert_eq!(
            told(&packed),
            ["0200:1×12", "0200:1×1", "0100:1×12", "0100:1×5 2×4"]
        );
        let together = PackingPolicy {
            carton_per_store: false,
            ..PackingPolicy::default()
        };
        assert_eq!(
            told(&pack(&open, WarehouseId(1), &together)),
            [":1×12", ":1×12", ":1×6 2×4"]
        );
    }

    #[test]
    fn stores_are_served_in_turn_over_several_shipments() {
        let mut spread = sourced(line(1, "30", "EA"), "1", "8");
        spread.stores = stores(&[("A", "10"), ("B", "10"), ("C", "10")]);
        let policy = PackingPolicy::default();
        let mut open = order(vec![spread]);
        let first = pack(&open, WarehouseId(1), &policy);
        assert_eq!(told(&first), ["A:1×8"]);
        open = release(open, WarehouseId(1), &first);
        assert!(
            pack(&open, WarehouseId(1), &policy).is_empty(),
            "all is released"
        );
        open.lines[0].sources[0].quantity = decimal("23");
        let second = pack(&open, WarehouseId(1), &policy);
        assert_eq!(told(&second), ["A:1×2", "B:1×10", "C:1×3"]);
        let taken = take_back(
            release(open.clone(), WarehouseId(1), &second),
            WarehouseId(1),
            &second,
        );
        assert_eq!(taken, open, "given up, it is as before");
        open = release(open, WarehouseId(1), &second);
        open.lines[0].sources.push(LineSource {
            warehouse: WarehouseId(2),
            quantity: decimal("9"),
            released: Decimal::ZERO,
            stores: Vec::new(),
        });
        // More than the stores ordered goes without a store.
        assert_eq!(
            told(&pack(&open, WarehouseId(2), &policy)),
            ["C:1×7", ":1×2"]
        );
    }

    #[test]
    fn pallets_hold_one_orders_cartons_for_one_store() {
        use super::super::specimens::{carton, content};
        let mut cartons: Vec<Carton> = ["A", "A", "A", "B", "A"]
            .into_iter()
            .map(|store| carton("", store, vec![content(1, "1")]))
            .collect();
        assert_eq!(pallets(&cartons, 2), [vec![0, 1], vec![2, 4], vec![3]]);
        assert_eq!(pallets(&cartons, 9), [vec![0, 1, 2, 4], vec![3]]);
        assert!(pallets(&cartons, 0).is_empty());
        cartons[0].pallet = "006141411234567890".into();
        assert_eq!(pallets(&cartons, 2), [vec![1, 2], vec![3], vec![4]]);
    }

    mod properties {
        use std::collections::BTreeMap;

        use proptest::prelude::*;

        use super::*;

        proptest! {
            /// What is released and what is packed add up to what the warehouse has to give; no store gets more than it
            /// ordered; an ordered unit is never split.
            #[test]
            fn packing_conserves(
                lines in prop::collection::vec((1_i64..200, 0_usize..5, prop::collection::vec(1_i64..40, 0..4)), 1..5),
                parts in prop::collection::vec(1_i64..80, 1..4),
                max in 0_i64..60,
                flags in any::<[bool; 2]>(),
            ) {
                let bases = ["1", "12", "10", "24", "0.5"];
                let policy = PackingPolicy {
                    carton_units_max: Decimal::from(max),
                    carton_per_store: flags[0],
                    mix_items: flags[1],
                    ..PackingPolicy::default()
                };
                let lines: Vec<OrderLine> = (1..)
                    .zip(lines)
                    .map(|(number, (ordered, base, stores))| {
                        let ordered = ordered.to_string();
                        let mut line = sourced(line(number, &ordered, "EA"), bases[base], "0");
                        line.stores = ["A", "B", "C"]
                            .iter()
                            .zip(stores)
                            .map(|(store, quantity)| StoreQuantity {
                                store: (*store).to_owned(),
                                quantity: Decimal::from(quantity),
                                delivery: 0,
                            })
                            .collect();
                        line
                    })
                    .collect();
                let mut open = order(lines);
                let mut all = Vec::new();
                for part in parts {
                    for line in &mut open.lines {
                        let left = line.ordered - line.sources[0].quantity;
                        line.sources[0].quantity += Decimal::from(part).min(left);
                    }
                    let cartons = pack(&open, WarehouseId(1), &policy);
                    open = release(open, WarehouseId(1), &cartons);
                    for line in &open.lines {
                        prop_assert_eq!(line.sources[0].released, line.sources[0].quantity);
                    }
                    all.extend(cartons);
                }
                let mut by_store: BTreeMap<(u32, String), Decimal> = BTreeMap::new();
                for carton in &all {
                    prop_assert!(!carton.contents.is_empty());
                    prop_assert!(policy.mix_items || carton.contents.len() == 1);
                    for content in &carton.contents {
                        prop_assert!(content.quantity > Decimal::ZERO && content.quantity.fract().is_zero());
                        *by_store.entry((content.line, carton.store.to_string())).or_default() += content.quantity;
                    }
                }
                for line in &open.lines {
                    for store in &line.stores {
                        let got = by_store.get(&(line.line, store.store.clone())).copied().unwrap_or_default();
                        prop_assert!(got <= store.quantity);
                    }
                }
            }
        }
    }
}
