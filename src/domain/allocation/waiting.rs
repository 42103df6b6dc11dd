//! What waits for goods to come in: the receipts that a backorder is promised from, and the day that follows from them.
//!
//! A line remembers what it was promised of which receipt; the sum over all lines is what the receipt says was promised
//! of it. What no longer waits, or waits for what is not coming, is given back.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::Supply;
use crate::domain::ids::{ItemId, WarehouseId};
use crate::domain::order::{AcceptedLine, Awaited, Order, OrderLine};
use crate::domain::policy::AllocationPolicy;
use crate::domain::stock::{ExpectedReceipt, ReceiptPromise};

/// Gives `line` the day on which `short` of its ordered units can be expected, or none where no receipts cover all of it.
///
/// What it was promised before it keeps, as far as it still waits and the receipt still comes; a receipt that is overdue
/// is expected `today`. Answers with what changed of the receipts.
pub(super) fn expect(
    line: &mut OrderLine,
    accepted: &AcceptedLine,
    short: Decimal,
    supply: &mut Supply,
    allowed: &[(WarehouseId, String)],
    today: NaiveDate,
) -> Vec<ReceiptPromise> {
    let mut moved = give_back_void(line, accepted.item, supply);
    let wanted = short.saturating_mul(accepted.base_per_unit);
    let held: Decimal = line.awaits.iter().map(|awaited| awaited.base).sum();
    if held > wanted {
        moved.extend(supply.given_back(give_back(line, accepted.item, held - wanted)));
    } else if wanted > held {
        match supply.promise_expected(accepted.item, wanted - held, allowed) {
            Some(taken) => {
                for promise in &taken {
                    await_more(line, promise);
                }
                moved.extend(taken);
            }
            None => moved.extend(supply.given_back(give_up(line))),
        }
    }
    line.backorder_date = line
        .awaits
        .iter()
        .map(|awaited| awaited.on.max(today))
        .max();
    moved
}

/// Takes from `line` all that it was promised of receipts to come; what it answers with is below zero.
pub fn give_up(line: &mut OrderLine) -> Vec<ReceiptPromise> {
    line.backorder_date = None;
    let item = line.accepted.as_ref().map(|accepted| accepted.item);
    let held = line.awaits.iter().map(|awaited| awaited.base).sum();
    item.map(|item| give_back(line, item, held))
        .unwrap_or_default()
}

/// Takes from `order` what it was promised of receipts that do not come, or come with less. Asked of the youngest order
/// first, so that who has waited longest keeps what is left.
pub fn give_back_what_does_not_come(order: &mut Order, supply: &mut Supply) -> Vec<ReceiptPromise> {
    let mut moved = Vec::new();
    for line in &mut order.lines {
        if let Some(item) = line.accepted.as_ref().map(|accepted| accepted.item) {
            moved.extend(give_back_void(line, item, supply));
        }
    }
    moved
}

/// Dates what waits of lines that wait for more than they did in `before`: after a shipment that left with less than
/// was planned. Answers with what changed of the receipts.
pub fn expect_more(
    before: &Order,
    order: &mut Order,
    supply: &mut Supply,
    policy: &AllocationPolicy,
    today: NaiveDate,
) -> Vec<ReceiptPromise> {
    let allowed = supply.allowed(policy);
    let mut moved = Vec::new();
    for line in &mut order.lines {
        let waited = before
            .line(line.line)
            .map_or(Decimal::ZERO, |line| line.backordered);
        if line.backordered <= waited {
            continue;
        }
        if let Some(accepted) = line.accepted.clone() {
            let short = line.backordered;
            moved.extend(expect(line, &accepted, short, supply, &allowed, today));
        }
    }
    moved
}

fn give_back_void(line: &mut OrderLine, item: ItemId, supply: &mut Supply) -> Vec<ReceiptPromise> {
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

    /// Makes what was given back free for others.
    fn given_back(&mut self, back: Vec<ReceiptPromise>) -> Vec<ReceiptPromise> {
        for promise in &back {
            self.change(promise);
        }
        back
    }

    /// Promises `base` units out of receipts to come, the first first, all or none.
    fn promise_expected(
        &mut self,
        item: ItemId,
        base: Decimal,
        allowed: &[(WarehouseId, String)],
    ) -> Option<Vec<ReceiptPromise>> {
        let mut fitting: Vec<&ExpectedReceipt> = self
            .expected
            .iter()
            .filter(|receipt| {
                receipt.item == item
                    && receipt.free() > Decimal::ZERO
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
        for promise in &taken {
            self.change(promise);
        }
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::super::allocate;
    use super::*;
    use crate::domain::specimens::{accepted, day, decimal, line, order, warehouse};

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
            let taken: Decimal = moved.iter().map(|promise| promise.base).sum();
            let held: Decimal = short.lines[0].awaits.iter().map(|part| part.base).sum();
            assert_eq!(held, decimal("6") + taken, "{more} more");
        }
    }

    #[test]
    fn what_waits_no_longer_is_given_back() {
        let mut supply = supply();
        let mut order = waiting(&mut supply);
        let back = give_up(&mut order.lines[0]);
        assert_eq!(back, [promise("2026-04-01", "-6")]);
        assert!(order.lines[0].awaits.is_empty());
        assert_eq!(order.lines[0].backorder_date, None);
        assert!(give_up(&mut order.lines[0]).is_empty(), "once");
    }

    #[test]
    fn a_part_that_stock_covers_gives_its_receipts_to_the_next() {
        let mut supply = supply();
        let order = waiting(&mut supply);
        supply.balances.insert(
            (ItemId(1), WarehouseId(1)),
            crate::domain::stock::Balance {
                item: ItemId(1),
                warehouse: WarehouseId(1),
                on_hand: decimal("4"),
                reserved: Decimal::ZERO,
            },
        );
        let done = allocate(order, &mut supply, &AllocationPolicy::default(), today());
        assert_eq!(done.promised, [promise("2026-04-01", "-4")]);
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
        supply.balances.insert(
            (ItemId(1), WarehouseId(1)),
            crate::domain::stock::Balance {
                item: ItemId(1),
                warehouse: WarehouseId(1),
                on_hand: decimal("4"),
                reserved: Decimal::ZERO,
            },
        );
        let done = again(waiting, &mut supply, "2026-03-20");
        assert_eq!(done.promised, [promise("2026-04-01", "-4")]);
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
            assert!(next.promised.is_empty());
        }
        assert_eq!(free(&supply), ["4", "10"]);
    }
}
