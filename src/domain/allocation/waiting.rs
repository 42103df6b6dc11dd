//! What waits for goods to come in: the receipts that a backorder is promised from, the stock that is set aside until
//! they come for an order that ships complete, and the day that follows from both.
//!
//! A line remembers what it holds of which receipt and of the stock in which warehouse; the sums over all lines are what
//! receipts and balances say is held of them. What no longer waits, or waits for what is not coming, is given back.

use std::collections::BTreeMap;
use std::ops::RangeBounds;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{Reservation, Supply};
use crate::domain::ids::{ItemId, WarehouseId};
use crate::domain::order::{AcceptedLine, Awaited, Order, OrderLine};
use crate::domain::policy::AllocationPolicy;
use crate::domain::stock::{ExpectedReceipt, ReceiptPromise};

/// What changed of what waiting lines hold: taken above zero, given back below.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holds {
    /// Of receipts to come.
    pub receipts: Vec<ReceiptPromise>,
    /// Of stock that is set aside.
    pub stock: Vec<Reservation>,
}

impl Holds {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.receipts.is_empty() && self.stock.is_empty()
    }

    /// Adds other changes.
    pub fn extend(&mut self, others: Holds) {
        self.receipts.extend(others.receipts);
        self.stock.extend(others.stock);
    }

    /// Without what was taken and given back again.
    pub(super) fn netted(mut self) -> Self {
        net(
            &mut self.receipts,
            |promise| (promise.item, promise.warehouse, promise.on),
            |promise| &mut promise.base,
        );
        net(
            &mut self.stock,
            |held| (held.line, held.item, held.warehouse),
            |held| &mut held.base,
        );
        self
    }
}

/// Sums up what has the same key, at the place of the first, and leaves out what comes to nothing.
fn net<T, K: Ord>(changes: &mut Vec<T>, key: fn(&T) -> K, base: fn(&mut T) -> &mut Decimal) {
    let mut sums: BTreeMap<K, Decimal> = BTreeMap::new();
    for change in changes.iter_mut() {
        *sums.entry(key(change)).or_default() += *base(change);
    }
    changes.retain_mut(|change| {
        let sum = sums.remove(&key(change)).unwrap_or_default();
        *base(change) = sum;
        !sum.is_zero()
    });
}

/// Gives `line` the day on which `short` of its ordered units can be expected, or none where no receipts cover all of it.
///
/// What it was promised before it keeps, as far as it still waits and the receipt still comes, unless receipts that come
/// earlier are free. Of a receipt that was to come before `today` nothing more is promised: nobody knows its day any more.
/// Answers with what changed of the receipts.
pub(super) fn expect(
    line: &mut OrderLine,
    accepted: &AcceptedLine,
    short: Decimal,
    supply: &mut Supply,
    allowed: &[(WarehouseId, String)],
    today: NaiveDate,
) -> Vec<ReceiptPromise> {
    let mut moved = void_receipts(line, accepted.item, supply);
    let wanted = short.saturating_mul(accepted.base_per_unit);
    let held: Decimal = line.awaits.iter().map(|awaited| awaited.base).sum();
    if held > wanted {
        let back = give_back(line, accepted.item, held - wanted);
        supply.change_all(&back);
        moved.extend(back);
    } else if let Some(taken) =
        supply.promise_expected(accepted.item, wanted - held, allowed, today..)
    {
        for promise in &taken {
            await_more(line, promise);
        }
        moved.extend(taken);
        moved.extend(bring_forward(line, accepted.item, supply, allowed, today));
    } else {
        let back = give_up_receipts(line);
        supply.change_all(&back);
        moved.extend(back);
    }
    line.backorder_date = line.awaits.iter().map(|awaited| awaited.on).max();
    moved
}

/// Moves what `line` waits for from the receipt that comes last to such as come earlier, wherever these have all of it free.
fn bring_forward(
    line: &mut OrderLine,
    item: ItemId,
    supply: &mut Supply,
    allowed: &[(WarehouseId, String)],
    today: NaiveDate,
) -> Vec<ReceiptPromise> {
    let mut moved = Vec::new();
    while let Some(last) = line.awaits.iter().map(|awaited| awaited.on).max() {
        let of_last: Decimal = line
            .awaits
            .iter()
            .filter(|awaited| awaited.on == last)
            .map(|awaited| awaited.base)
            .sum();
        let Some(taken) = supply.promise_expected(item, of_last, allowed, today..last) else {
            break;
        };
        let back: Vec<ReceiptPromise> = line
            .awaits
            .extract_if(.., |awaited| awaited.on == last)
            .map(|awaited| less(item, &awaited, awaited.base))
            .collect();
        supply.change_all(&back);
        moved.extend(back);
        for promise in &taken {
            await_more(line, promise);
        }
        moved.extend(taken);
    }
    moved
}

/// Takes from `line` all that it holds of receipts to come and of stock; what it answers with is below zero.
pub fn give_up(line: &mut OrderLine) -> Holds {
    Holds {
        receipts: give_up_receipts(line),
        stock: take_back(line),
    }
}

/// Takes from `line` the stock that is set aside for it; what it answers with is below zero.
pub(super) fn take_back(line: &mut OrderLine) -> Vec<Reservation> {
    let number = line.line;
    let item = line.accepted.as_ref().map(|accepted| accepted.item);
    line.set_aside
        .drain(..)
        .filter_map(|held| Some((item?, held)))
        .map(|(item, held)| Reservation {
            line: number,
            item,
            warehouse: held.warehouse,
            base: Decimal::ZERO - held.base,
        })
        .collect()
}

fn give_up_receipts(line: &mut OrderLine) -> Vec<ReceiptPromise> {
    line.backorder_date = None;
    let item = line.accepted.as_ref().map(|accepted| accepted.item);
    let held = line.awaits.iter().map(|awaited| awaited.base).sum();
    item.map(|item| give_back(line, item, held))
        .unwrap_or_default()
}

/// Takes from `order` what it holds of receipts that do not come, or come with less, and of stock that was counted and is
/// not there. Asked of the youngest order first, so that who has waited longest keeps what is left.
pub fn give_back_what_is_not_there(order: &mut Order, supply: &mut Supply) -> Holds {
    let mut moved = Holds::default();
    for line in &mut order.lines {
        if let Some(item) = line.accepted.as_ref().map(|accepted| accepted.item) {
            moved.receipts.extend(void_receipts(line, item, supply));
            moved.stock.extend(void_stock(line, item, supply));
        }
    }
    moved
}

/// An order that ships complete waits for the last of it: every line that waits has its day where all of the order can be
/// expected or is set aside, and where that can not be said, none has a day and nothing is held for it.
pub(super) fn wait_together(order: &mut Order, supply: &mut Supply) -> Holds {
    let waiting: Vec<&OrderLine> = order
        .lines
        .iter()
        .filter(|line| !line.backordered.is_zero())
        .collect();
    let day = if waiting.iter().all(|line| is_covered(line)) {
        waiting
            .iter()
            .flat_map(|line| line.awaits.iter().map(|awaited| awaited.on))
            .max()
    } else {
        None
    };
    let mut moved = Holds::default();
    for line in &mut order.lines {
        if day.is_none() {
            moved.extend(give_up(line));
        }
        line.backorder_date = day.filter(|_| !line.backordered.is_zero());
    }
    supply.change_all(&moved.receipts);
    supply.hold_all(&moved.stock);
    moved
}

/// Whether lines of an order wait no longer for something that they held, and were not served out of it: others may have
/// it now. `before` and `after` are the same lines.
pub fn gave_something_up(before: &[OrderLine], after: &[OrderLine]) -> bool {
    let held = |line: &OrderLine| -> Decimal {
        let awaited: Decimal = line.awaits.iter().map(|awaited| awaited.base).sum();
        awaited + line.set_aside.iter().map(|held| held.base).sum::<Decimal>()
    };
    before.iter().zip(after).any(|(was, line)| {
        let Some(accepted) = &line.accepted else {
            return false;
        };
        let served = line.confirmed.saturating_sub(was.confirmed);
        held(line) + served.saturating_mul(accepted.base_per_unit) < held(was)
    })
}

/// Whether what waits of a line is promised out of receipts or set aside, to the last of it.
fn is_covered(line: &OrderLine) -> bool {
    let awaited: Decimal = line.awaits.iter().map(|awaited| awaited.base).sum();
    let set_aside: Decimal = line.set_aside.iter().map(|held| held.base).sum();
    line.accepted.as_ref().is_some_and(|accepted| {
        line.backordered.saturating_mul(accepted.base_per_unit) == awaited + set_aside
    })
}

/// Dates what waits of lines that wait for more than they did in `before`: after a shipment that left with less than
/// was planned. Answers with what changed of the receipts.
pub fn expect_more(
    before: &Order,
    order: &mut Order,
    supply: &mut Supply,
    policy: &AllocationPolicy,
    today: NaiveDate,
) -> Holds {
    let allowed = supply.allowed(policy);
    let mut moved = Holds::default();
    for line in &mut order.lines {
        let waited = before
            .line(line.line)
            .map_or(Decimal::ZERO, |line| line.backordered);
        if line.backordered <= waited {
            continue;
        }
        if let Some(accepted) = line.accepted.clone() {
            let short = line.backordered;
            let receipts = expect(line, &accepted, short, supply, &allowed, today);
            moved.receipts.extend(receipts);
        }
    }
    if policy.ship_complete {
        moved.extend(wait_together(order, supply));
    }
    moved.netted()
}

fn void_stock(line: &mut OrderLine, item: ItemId, supply: &mut Supply) -> Vec<Reservation> {
    let number = line.line;
    let mut back = Vec::new();
    for held in &mut line.set_aside {
        let void = supply
            .balances
            .get(&(item, held.warehouse))
            .map_or(held.base, |balance| balance.void().min(held.base));
        if void > Decimal::ZERO {
            held.base -= void;
            back.push(Reservation {
                line: number,
                item,
                warehouse: held.warehouse,
                base: Decimal::ZERO - void,
            });
            supply.hold(item, held.warehouse, Decimal::ZERO - void);
        }
    }
    line.set_aside.retain(|held| !held.base.is_zero());
    back
}

fn void_receipts(line: &mut OrderLine, item: ItemId, supply: &mut Supply) -> Vec<ReceiptPromise> {
    let mut back = Vec::new();
    for awaited in &mut line.awaits {
        let void = supply
            .receipt(item, awaited.warehouse, awaited.on)
            .map_or(awaited.base, |receipt| receipt.void().min(awaited.base));
        if void > Decimal::ZERO {
            awaited.base -= void;
            let promise = less(item, awaited, void);
            supply.change(&promise);
            back.push(promise);
        }
    }
    line.awaits.retain(|awaited| !awaited.base.is_zero());
    back
}

/// Takes `base` units of what `line` was promised back: what comes first, for that is what will have come in.
fn give_back(line: &mut OrderLine, item: ItemId, base: Decimal) -> Vec<ReceiptPromise> {
    let mut open = base;
    let mut back = Vec::new();
    line.awaits.sort_by_key(|awaited| awaited.on);
    for awaited in &mut line.awaits {
        let part = awaited.base.min(open);
        if part <= Decimal::ZERO {
            break;
        }
        awaited.base -= part;
        open -= part;
        back.push(less(item, awaited, part));
    }
    line.awaits.retain(|awaited| !awaited.base.is_zero());
    back
}

fn less(item: ItemId, awaited: &Awaited, base: Decimal) -> ReceiptPromise {
    ReceiptPromise {
        item,
        warehouse: awaited.warehouse,
        on: awaited.on,
        base: Decimal::ZERO - base,
    }
}

fn await_more(line: &mut OrderLine, promise: &ReceiptPromise) {
    let same =
        |awaited: &&mut Awaited| (awaited.warehouse, awaited.on) == (promise.warehouse, promise.on);
    match line.awaits.iter_mut().find(same) {
        Some(awaited) => awaited.base += promise.base,
        None => line.awaits.push(Awaited {
            warehouse: promise.warehouse,
            on: promise.on,
            base: promise.base,
        }),
    }
}

impl Supply {
    fn receipt(
        &mut self,
        item: ItemId,
        warehouse: WarehouseId,
        on: NaiveDate,
    ) -> Option<&mut ExpectedReceipt> {
        self.expected
            .iter_mut()
            .find(|receipt| (receipt.item, receipt.warehouse, receipt.on) == (item, warehouse, on))
    }

    fn change(&mut self, promise: &ReceiptPromise) {
        if let Some(receipt) = self.receipt(promise.item, promise.warehouse, promise.on) {
            receipt.promised += promise.base;
        }
    }

    /// Promises receipts to come, or gives them back where what is promised is below zero.
    pub(super) fn change_all(&mut self, promises: &[ReceiptPromise]) {
        for promise in promises {
            self.change(promise);
        }
    }

    /// Sets stock aside, or gives it back where `base` is below zero.
    pub(super) fn hold(&mut self, item: ItemId, warehouse: WarehouseId, base: Decimal) {
        if let Some(balance) = self.balances.get_mut(&(item, warehouse)) {
            balance.set_aside += base;
        }
    }

    pub(super) fn hold_all(&mut self, held: &[Reservation]) {
        for held in held {
            self.hold(held.item, held.warehouse, held.base);
        }
    }

    /// Whether more is held by waiting lines than comes or is there.
    pub fn lacks(&self) -> bool {
        let lacks = |void: Decimal| void > Decimal::ZERO;
        self.expected.iter().any(|receipt| lacks(receipt.void()))
            || self.balances.values().any(|balance| lacks(balance.void()))
    }

    /// Promises `base` units out of receipts to come on one of these days, the first first, all or none.
    fn promise_expected(
        &mut self,
        item: ItemId,
        base: Decimal,
        allowed: &[(WarehouseId, String)],
        days: impl RangeBounds<NaiveDate>,
    ) -> Option<Vec<ReceiptPromise>> {
        let mut fitting: Vec<&ExpectedReceipt> = self
            .expected
            .iter()
            .filter(|receipt| {
                receipt.item == item
                    && receipt.free() > Decimal::ZERO
                    && days.contains(&receipt.on)
                    && allowed.iter().any(|(id, _)| *id == receipt.warehouse)
            })
            .collect();
        fitting.sort_by_key(|receipt| receipt.on);
        let mut open = base;
        let mut taken = Vec::new();
        for receipt in fitting {
            let part = receipt.free().min(open);
            if part <= Decimal::ZERO {
                break;
            }
            open -= part;
            taken.push(ReceiptPromise {
                item,
                warehouse: receipt.warehouse,
                on: receipt.on,
                base: part,
            });
        }
        if open > Decimal::ZERO {
            return None;
        }
        self.change_all(&taken);
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::super::allocate;
    use super::*;
    use crate::domain::specimens::{accepted, balance, day, decimal, line, order, warehouse};

    fn receipt(on: &str, quantity: &str) -> ExpectedReceipt {
        ExpectedReceipt {
            item: ItemId(1),
            warehouse: WarehouseId(1),
            on: day(on),
            quantity: decimal(quantity),
            promised: Decimal::ZERO,
        }
    }

    fn promise(on: &str, base: &str) -> ReceiptPromise {
        ReceiptPromise {
            item: ItemId(1),
            warehouse: WarehouseId(1),
            on: day(on),
            base: decimal(base),
        }
    }

    /// Nothing there, 10 to come in April and 10 in May.
    fn supply() -> Supply {
        let receipts = vec![receipt("2026-04-01", "10"), receipt("2026-05-01", "10")];
        Supply::new([], receipts, vec![warehouse(1, "EAST")])
    }

    fn come_in(supply: &mut Supply, on_hand: &str) {
        let balance = balance(1, on_hand);
        supply
            .balances
            .insert((balance.item, balance.warehouse), balance);
    }

    fn today() -> NaiveDate {
        day("2026-03-02")
    }

    fn free(supply: &Supply) -> Vec<String> {
        supply
            .expected
            .iter()
            .map(|receipt| receipt.free().normalize().to_string())
            .collect()
    }

    /// An order of 6 that waits for April.
    fn waiting(supply: &mut Supply) -> Order {
        let open = order(vec![accepted(line(1, "6", "EA"), "1")]);
        let done = allocate(open, supply, &AllocationPolicy::default(), today());
        assert_eq!(free(supply), ["4", "10"]);
        done.order
    }

    #[test]
    fn what_waits_for_more_is_dated_by_the_last_receipt_that_it_needs() {
        let policy = AllocationPolicy::default();
        for (more, date, left) in [
            ("4", Some("2026-04-01"), ["0", "10"]),
            ("5", Some("2026-05-01"), ["0", "9"]),
            ("14", Some("2026-05-01"), ["0", "0"]),
            ("15", None, ["10", "10"]),
        ] {
            let mut supply = supply();
            let before = waiting(&mut supply);
            let mut short = before.clone();
            short.lines[0].backordered += decimal(more);
            let moved = expect_more(&before, &mut short, &mut supply, &policy, today());
            assert_eq!(short.lines[0].backorder_date, date.map(day), "{more} more");
            assert_eq!(free(&supply), left, "{more} more");
            let taken: Decimal = moved.receipts.iter().map(|promise| promise.base).sum();
            let held: Decimal = short.lines[0].awaits.iter().map(|part| part.base).sum();
            assert_eq!(held, decimal("6") + taken, "{more} more");
        }
    }

    #[test]
    fn what_waits_no_longer_is_given_back() {
        let mut supply = supply();
        let mut order = waiting(&mut supply);
        let back = give_up(&mut order.lines[0]);
        assert_eq!(back.receipts, [promise("2026-04-01", "-6")]);
        assert!(order.lines[0].awaits.is_empty());
        assert_eq!(order.lines[0].backorder_date, None);
        assert!(give_up(&mut order.lines[0]).is_empty(), "once");
    }

    #[test]
    fn a_part_that_stock_covers_gives_its_receipts_to_the_next() {
        let mut supply = supply();
        let order = waiting(&mut supply);
        come_in(&mut supply, "4");
        let done = allocate(order, &mut supply, &AllocationPolicy::default(), today());
        assert_eq!(done.holds.receipts, [promise("2026-04-01", "-4")]);
        assert_eq!(free(&supply), ["8", "10"]);
        assert_eq!(done.order.lines[0].backorder_date, Some(day("2026-04-01")));
    }

    fn again(order: Order, supply: &mut Supply, today: &str) -> super::super::Allocation {
        allocate(order, supply, &AllocationPolicy::default(), day(today))
    }

    #[test]
    fn what_came_in_is_what_was_to_come_first() {
        let mut supply = supply();
        supply.expected[0].quantity = decimal("4");
        let open = order(vec![accepted(line(1, "6", "EA"), "1")]);
        let waiting = again(open, &mut supply, "2026-03-02").order;
        assert_eq!(waiting.lines[0].backorder_date, Some(day("2026-05-01")));
        // The four of April are here, and April is closed.
        supply.expected[0].quantity = Decimal::ZERO;
        come_in(&mut supply, "4");
        let done = again(waiting, &mut supply, "2026-03-20");
        assert_eq!(done.holds.receipts, [promise("2026-04-01", "-4")]);
        let line = &done.order.lines[0];
        assert_eq!(
            (line.confirmed, line.backordered),
            (decimal("4"), decimal("2"))
        );
        assert_eq!(line.backorder_date, Some(day("2026-05-01")));
        assert_eq!(free(&supply), ["0", "8"]);
    }

    #[test]
    fn a_receipt_that_shrinks_promises_no_more_than_it_has() {
        let mut supply = supply();
        let waiting = waiting(&mut supply);
        supply.expected[0].quantity = decimal("2");
        let done = again(waiting, &mut supply, "2026-03-02");
        assert_eq!(done.order.lines[0].backorder_date, Some(day("2026-05-01")));
        let promised: Vec<Decimal> = supply
            .expected
            .iter()
            .map(|receipt| receipt.promised)
            .collect();
        assert_eq!(promised, [decimal("2"), decimal("4")]);
        supply
            .expected
            .iter_mut()
            .for_each(|receipt| receipt.quantity = Decimal::ZERO);
        let done = again(done.order, &mut supply, "2026-03-02");
        assert_eq!(done.order.lines[0].backorder_date, None);
        assert!(
            supply
                .expected
                .iter()
                .all(|receipt| receipt.promised.is_zero())
        );
    }

    #[test]
    fn nothing_changes_where_nothing_has() {
        let policy = AllocationPolicy {
            ship_complete: true,
            ..AllocationPolicy::default()
        };
        let mut supply = supply();
        // Line 1 can be expected, line 2 can not, so the order as a whole has no day.
        let open = order(vec![
            accepted(line(1, "6", "EA"), "1"),
            accepted(line(2, "6", "EA"), "1"),
        ]);
        let first = allocate(open, &mut supply, &policy, today());
        assert_eq!(first.order.lines[0].backorder_date, None);
        for _ in 0..2 {
            let next = allocate(first.order.clone(), &mut supply, &policy, today());
            assert_eq!(next.order, first.order);
            assert!(next.holds.is_empty());
        }
        assert_eq!(
            free(&supply),
            ["10", "10"],
            "an order without a day keeps nothing from others"
        );
    }

    #[test]
    fn what_fills_no_case_waits_for_no_receipt() {
        let mut supply = supply();
        let mut order = waiting(&mut supply);
        // Half a case of twelve was left behind, and only whole ones are promised.
        order.lines[0].confirmed = Decimal::ZERO;
        let policy = AllocationPolicy {
            whole_cases: true,
            ..AllocationPolicy::default()
        };
        let done = allocate(order, &mut supply, &policy, today());
        let line = &done.order.lines[0];
        assert_eq!(line.refused, decimal("6"));
        assert_eq!(line.backorder_date, None);
        assert!(line.awaits.is_empty());
        assert_eq!(done.holds.receipts, [promise("2026-04-01", "-6")]);
        assert_eq!(free(&supply), ["10", "10"]);
    }

    fn complete() -> AllocationPolicy {
        AllocationPolicy {
            ship_complete: true,
            ..AllocationPolicy::default()
        }
    }

    /// 8 there and 10 to come in April.
    fn some_there() -> Supply {
        let mut supply = supply();
        supply.expected.truncate(1);
        come_in(&mut supply, "8");
        supply
    }

    #[test]
    fn what_is_there_of_an_order_that_ships_complete_is_set_aside_until_the_rest_comes() {
        let mut supply = some_there();
        let open = order(vec![accepted(line(1, "10", "EA"), "1")]);
        let first = allocate(open, &mut supply, &complete(), today());
        let waits = &first.order.lines[0];
        assert_eq!(waits.backorder_date, Some(day("2026-04-01")));
        assert_eq!(waits.confirmed, Decimal::ZERO);
        assert!(first.reservations.is_empty());
        assert_eq!(first.holds.receipts, [promise("2026-04-01", "2")]);
        assert_eq!(first.holds.stock[0].base, decimal("8"));
        assert_eq!(
            supply.available(ItemId(1), WarehouseId(1)),
            Decimal::ZERO,
            "a younger order can not take it"
        );
        assert_eq!(free(&supply), ["8"]);
        let next = allocate(first.order.clone(), &mut supply, &complete(), today());
        assert_eq!(next.order, first.order);
        assert!(next.holds.is_empty() && next.reservations.is_empty());

        come_in(&mut supply, "10");
        supply.hold(ItemId(1), WarehouseId(1), decimal("8"));
        let done = allocate(first.order, &mut supply, &complete(), today());
        let line = &done.order.lines[0];
        assert_eq!(line.confirmed, decimal("10"));
        assert!(line.set_aside.is_empty() && line.awaits.is_empty());
        assert_eq!(done.holds.stock[0].base, decimal("-8"));
        assert_eq!(done.holds.receipts, [promise("2026-04-01", "-2")]);
        assert_eq!(done.reservations[0].base, decimal("10"));
        assert_eq!(free(&supply), ["10"]);
    }

    #[test]
    fn what_was_set_aside_and_is_not_there_is_taken_from_the_youngest() {
        let mut supply = some_there();
        supply.expected[0].quantity = decimal("20");
        come_in(&mut supply, "10");
        supply.expected.push(receipt("2026-04-02", "20"));
        supply.expected[1].item = ItemId(2);
        // Of item 1 five are there for each, of item 2 none.
        let two_lines = || {
            let lines = ["5", "6"].into_iter().zip(1..);
            order(
                lines
                    .map(|(ordered, number)| accepted(line(number, ordered, "EA"), "1"))
                    .collect(),
            )
        };
        let mut older = allocate(two_lines(), &mut supply, &complete(), today()).order;
        let mut younger = allocate(two_lines(), &mut supply, &complete(), today()).order;
        assert_eq!(supply.available(ItemId(1), WarehouseId(1)), Decimal::ZERO);
        // Six are counted of ten.
        supply
            .balances
            .get_mut(&(ItemId(1), WarehouseId(1)))
            .unwrap()
            .on_hand = decimal("6");
        assert!(supply.lacks());
        let back = give_back_what_is_not_there(&mut younger, &mut supply);
        assert_eq!(back.stock[0].base, decimal("-4"));
        assert!(!supply.lacks());
        assert!(give_back_what_is_not_there(&mut older, &mut supply).is_empty());
        assert_eq!(older.lines[0].set_aside[0].base, decimal("5"));
    }

    #[test]
    fn what_a_short_shipment_leaves_of_a_complete_order_waits_for_the_last() {
        let mut supply = supply();
        let mut before = order(vec![
            accepted(line(1, "6", "EA"), "1"),
            accepted(line(2, "9", "EA"), "1"),
        ]);
        for line in &mut before.lines {
            line.accepted.as_mut().unwrap().item = ItemId(1);
            line.confirmed = line.ordered;
        }
        let short = |second: &str| {
            let mut short = before.clone();
            for (line, waits) in short.lines.iter_mut().zip(["6", second]) {
                line.backordered = decimal(waits);
                line.confirmed = line.ordered - line.backordered;
            }
            short
        };
        let mut both = short("9");
        expect_more(&before, &mut both, &mut supply, &complete(), today());
        let dates: Vec<_> = both.lines.iter().map(|line| line.backorder_date).collect();
        assert_eq!(dates, [Some(day("2026-05-01")); 2]);
        assert_eq!(free(&supply), ["0", "5"]);

        supply.expected[1].quantity = decimal("13");
        supply.expected[1].promised = decimal("13");
        supply.expected[0].promised = Decimal::ZERO;
        let mut none = short("9");
        let moved = expect_more(&before, &mut none, &mut supply, &complete(), today());
        assert!(moved.is_empty(), "{moved:?}");
        assert!(none.lines.iter().all(|line| line.backorder_date.is_none()));
        assert_eq!(free(&supply), ["10", "0"]);
    }
}
