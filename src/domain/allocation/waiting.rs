//! What waits for goods to come in: the receipts that a backorder is promised from, and the day that follows from them.
//!
//! A line remembers what was promised to it of which receipt, so that what no longer waits is given back to others.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::Supply;
use crate::domain::ids::{ItemId, WarehouseId};
use crate::domain::order::{AcceptedLine, Awaited, Order, OrderLine};
use crate::domain::policy::AllocationPolicy;
use crate::domain::stock::ExpectedReceipt;

/// Gives `line` the day on which `short` of its ordered units can be expected, or none where no receipt covers all of it.
///
/// What it was promised before it keeps, as far as it still waits and that day has not passed; the rest is given back.
/// Answers with what changed of the receipts: promised above zero, given back below.
pub(super) fn expect(
    line: &mut OrderLine,
    accepted: &AcceptedLine,
    short: Decimal,
    supply: &mut Supply,
    allowed: &[(WarehouseId, String)],
    today: NaiveDate,
) -> Vec<ExpectedReceipt> {
    let mut moved = Vec::new();
    if line.backorder_date.is_none_or(|day| day < today) {
        // A receipt that is overdue or was closed promises nothing: it is given back, and another is looked for.
        moved.extend(give_up(line));
    }
    let wanted = short.saturating_mul(accepted.base_per_unit);
    let held: Decimal = line.awaits.iter().map(|awaited| awaited.base).sum();
    if held > wanted {
        let back = give_back(line, accepted.item, held - wanted);
        supply.restore(&back, today);
        moved.extend(back);
    } else if wanted > held {
        match supply.promise_expected(accepted.item, wanted - held, allowed, today) {
            Some((taken, _)) => {
                line.awaits.extend(taken.iter().map(awaited));
                moved.extend(taken);
            }
            None => {
                let back = give_up(line);
                supply.restore(&back, today);
                moved.extend(back);
            }
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
pub fn give_up(line: &mut OrderLine) -> Vec<ExpectedReceipt> {
    line.backorder_date = None;
    let item = line.accepted.as_ref().map(|accepted| accepted.item);
    let held = line.awaits.iter().map(|awaited| awaited.base).sum();
    item.map(|item| give_back(line, item, held))
        .unwrap_or_default()
}

/// Dates what waits of lines that wait for more than they did in `before`: after a shipment that left with less than
/// was planned. Answers with what changed of the receipts.
pub fn expect_more(
    before: &Order,
    order: &mut Order,
    supply: &mut Supply,
    policy: &AllocationPolicy,
    today: NaiveDate,
) -> Vec<ExpectedReceipt> {
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

/// Takes `base` units of what `line` was promised back, what comes last first.
fn give_back(line: &mut OrderLine, item: ItemId, base: Decimal) -> Vec<ExpectedReceipt> {
    let mut open = base;
    let mut back = Vec::new();
    line.awaits.sort_by_key(|awaited| awaited.on);
    for awaited in line.awaits.iter_mut().rev() {
        let part = awaited.base.min(open);
        if part <= Decimal::ZERO {
            break;
        }
        awaited.base -= part;
        open -= part;
        back.push(ExpectedReceipt {
            item,
            warehouse: awaited.warehouse,
            on: awaited.on,
            quantity: Decimal::ZERO - part,
        });
    }
    line.awaits.retain(|awaited| !awaited.base.is_zero());
    back
}

fn awaited(receipt: &ExpectedReceipt) -> Awaited {
    Awaited {
        warehouse: receipt.warehouse,
        on: receipt.on,
        base: receipt.quantity,
    }
}

impl Supply {
    /// Makes what was given back of receipts free for others. One that was due by `today` may have come in already: what
    /// is known of it is in the database.
    fn restore(&mut self, back: &[ExpectedReceipt], today: NaiveDate) {
        for receipt in back.iter().filter(|receipt| receipt.on > today) {
            let same = |known: &&mut ExpectedReceipt| {
                (known.item, known.warehouse, known.on)
                    == (receipt.item, receipt.warehouse, receipt.on)
            };
            match self.expected.iter_mut().find(same) {
                Some(known) => known.quantity -= receipt.quantity,
                None => self.expected.push(ExpectedReceipt {
                    quantity: Decimal::ZERO - receipt.quantity,
                    ..*receipt
                }),
            }
        }
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
            .map(|receipt| receipt.quantity.normalize().to_string())
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
            let taken: Decimal = moved.iter().map(|receipt| receipt.quantity).sum();
            let held: Decimal = short.lines[0].awaits.iter().map(|part| part.base).sum();
            assert_eq!(held, decimal("6") + taken, "{more} more");
        }
    }

    #[test]
    fn what_waits_no_longer_is_given_back() {
        let mut supply = supply();
        let mut order = waiting(&mut supply);
        let back = give_up(&mut order.lines[0]);
        assert_eq!(back, [receipt("2026-04-01", "-6")]);
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
        assert_eq!(done.promised, [receipt("2026-04-01", "-4")]);
        assert_eq!(free(&supply), ["8", "10"]);
        assert_eq!(done.order.lines[0].backorder_date, Some(day("2026-04-01")));
    }
}
