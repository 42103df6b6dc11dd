//! Allocation: stock promised to an order's lines, and what becomes of the part that stock does not cover.
//!
//! Promises are made in whole ordered units. After it, of every line: ordered = confirmed + backordered + refused; and
//! what is promised of an item in a warehouse never exceeds what was available there.

pub mod waiting;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::catalogue::Warehouse;
use super::ids::{ItemId, WarehouseId};
use super::order::{AcceptedLine, LineRefusal, LineSource, Order, OrderLine, SetAside};
use super::policy::{AllocationPolicy, OnShort};
use super::shared::Shared;
use super::stock::{Balance, ExpectedReceipt, units_per_whole_cases, whole_units};
use waiting::Holds;

/// What can be promised: one per batch of orders, used up as they are allocated in turn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Supply {
    /// Stock by item and warehouse.
    pub balances: BTreeMap<(ItemId, WarehouseId), Balance>,
    /// Receipts to come, and those that something is still promised of: one of an item, a warehouse and a day.
    pub expected: Vec<ExpectedReceipt>,
    /// Warehouses in order of preference, where the partner's policy names none.
    pub warehouses: Vec<Warehouse>,
}

impl Supply {
    /// The supply out of lists.
    pub fn new(
        balances: impl IntoIterator<Item = Balance>,
        expected: Vec<ExpectedReceipt>,
        warehouses: Vec<Warehouse>,
    ) -> Self {
        Self {
            balances: balances
                .into_iter()
                .map(|balance| ((balance.item, balance.warehouse), balance))
                .collect(),
            expected,
            warehouses,
        }
    }

    /// What can still be promised of an item in a warehouse, never below zero.
    pub fn available(&self, item: ItemId, warehouse: WarehouseId) -> Decimal {
        self.balances
            .get(&(item, warehouse))
            .map_or(Decimal::ZERO, Balance::available)
            .max(Decimal::ZERO)
    }

    /// Whether so much is available that nothing of these orders will be short, in whatever turn they are served: of each
    /// item, one warehouse that all who want it may be served from has enough for all of them. Where it says no, they may be
    /// served all the same. Of orders that were served before it says no.
    pub fn covers<'o>(
        &self,
        wanted: impl IntoIterator<Item = (&'o AllocationPolicy, &'o [Order])>,
    ) -> bool {
        let mut demand: BTreeMap<ItemId, (Decimal, Vec<WarehouseId>)> = BTreeMap::new();
        for (policy, orders) in wanted {
            let allowed = self.allowed(policy);
            let allowed: Vec<WarehouseId> = allowed.into_iter().map(|(id, _)| id).collect();
            for line in orders.iter().flat_map(|order| &order.lines) {
                if !line.sources.is_empty() || !line.backordered.is_zero() {
                    return false;
                }
                let Some(accepted) = &line.accepted else {
                    continue;
                };
                let base = line.undecided().checked_mul(accepted.base_per_unit);
                let (sum, from) = demand
                    .entry(accepted.item)
                    .or_insert_with(|| (Decimal::ZERO, allowed.clone()));
                from.retain(|id| allowed.contains(id));
                match base.and_then(|base| sum.checked_add(base)) {
                    Some(more) => *sum = more,
                    None => return false,
                }
            }
        }
        demand.iter().all(|(item, (base, from))| {
            from.iter()
                .any(|warehouse| self.available(*item, *warehouse) >= *base)
        })
    }

    fn reserve(&mut self, item: ItemId, warehouse: WarehouseId, base: Decimal) {
        if let Some(balance) = self.balances.get_mut(&(item, warehouse)) {
            balance.reserved = balance.reserved.saturating_add(base);
        }
    }

    /// The warehouses that the policy allows, in order of preference, each once.
    fn allowed(&self, policy: &AllocationPolicy) -> Vec<(WarehouseId, String)> {
        let named = |warehouse: &Warehouse| (warehouse.id, warehouse.code.clone());
        if policy.warehouses.is_empty() {
            return self.warehouses.iter().map(named).collect();
        }
        let mut allowed: Vec<(WarehouseId, String)> = Vec::new();
        for code in &policy.warehouses {
            let found = self
                .warehouses
                .iter()
                .find(|warehouse| &warehouse.code == code);
            if let Some(found) =
                found.filter(|found| !allowed.iter().any(|(id, _)| *id == found.id))
            {
                allowed.push(named(found));
            }
        }
        allowed
    }
}

/// Stock of one item in one warehouse, promised to or issued for one order line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Our line number in the order.
    pub line: u32,
    /// The item.
    pub item: ItemId,
    /// The warehouse.
    pub warehouse: WarehouseId,
    /// Base units.
    pub base: Decimal,
}

/// An order after allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// The order, its lines decided; its state is for [`Order::settle`] to say.
    pub order: Order,
    /// What to reserve.
    pub reservations: Vec<Reservation>,
    /// What changed of what its backorders hold of receipts to come, and of stock that is set aside.
    pub holds: Holds,
    /// Each decision in a line that a person can read, with the option that lost.
    pub reasons: Vec<String>,
}

/// Promises `supply` to what of `order` is undecided or backordered, and takes it out of `supply`.
///
/// May be called again when stock has come in: backorders that keep their date keep what they were promised. A line that
/// was neither accepted nor refused is refused. Of receipts that were to come before `today` nothing more is promised.
pub fn allocate(
    order: Order,
    supply: &mut Supply,
    policy: &AllocationPolicy,
    today: NaiveDate,
) -> Allocation {
    let allowed = supply.allowed(policy);
    let mut allocator = Allocator {
        supply,
        policy,
        allowed,
        today,
        reservations: Vec::new(),
        holds: Holds::default(),
        reasons: Vec::new(),
    };
    let order = allocator.order(order);
    Allocation {
        order,
        reservations: allocator.reservations,
        holds: allocator.holds.netted(),
        reasons: allocator.reasons,
    }
}

struct Allocator<'s> {
    supply: &'s mut Supply,
    policy: &'s AllocationPolicy,
    allowed: Vec<(WarehouseId, String)>,
    today: NaiveDate,
    reservations: Vec<Reservation>,
    holds: Holds,
    reasons: Vec<String>,
}

/// What a line would get, before anything is promised.
struct Plan {
    /// Ordered units out of each warehouse.
    takes: Vec<(WarehouseId, Decimal)>,
    /// Ordered units that no warehouse has.
    short: Decimal,
    /// What was decided and what else there was.
    reason: String,
}

impl Allocator<'_> {
    fn order(&mut self, mut order: Order) -> Order {
        let mut open = Vec::new();
        for line in &mut order.lines {
            // What is set aside for it is what it is served from first.
            let held = waiting::take_back(line);
            self.supply.hold_all(&held);
            self.holds.stock.extend(held);
            if let Some(wanted) = self.open_part(line) {
                open.push((line.line, wanted));
            }
        }
        let mut plans = Vec::with_capacity(open.len());
        for (number, wanted) in open {
            let Some(line) = order.line(number) else {
                continue;
            };
            let Some(accepted) = line.accepted.clone() else {
                continue;
            };
            let plan = self.plan(line, &accepted, wanted);
            for (warehouse, units) in &plan.takes {
                let base = units.saturating_mul(accepted.base_per_unit);
                self.supply.reserve(accepted.item, *warehouse, base);
            }
            plans.push((number, accepted, plan));
        }
        let short = plans.iter().any(|(_, _, plan)| !plan.short.is_zero());
        if self.policy.ship_complete && short {
            self.give_back(&plans);
            self.nothing(&mut order, plans);
        } else {
            for (number, accepted, plan) in plans {
                if let Some(line) = order.line_mut(number) {
                    self.settle(line, &accepted, plan);
                }
            }
        }
        order
    }

    fn give_back(&mut self, plans: &[(u32, Shared<AcceptedLine>, Plan)]) {
        for (_, accepted, plan) in plans {
            for (warehouse, units) in &plan.takes {
                let base = units.saturating_mul(accepted.base_per_unit);
                self.supply
                    .reserve(accepted.item, *warehouse, Decimal::ZERO - base);
            }
        }
    }

    /// How much of a line is to be decided now, in ordered units; what can never be promised is refused at once.
    fn open_part(&mut self, line: &mut OrderLine) -> Option<Decimal> {
        let undecided = line.undecided();
        let Some(accepted) = line.accepted.as_ref().filter(|accepted| {
            accepted.base_per_unit > Decimal::ZERO && undecided >= Decimal::ZERO
        }) else {
            if !undecided.is_zero() {
                line.refused = line.refused.saturating_add(undecided);
                line.refusal.get_or_insert(LineRefusal::ItemUnknown);
            }
            return None;
        };
        let open = undecided.saturating_add(line.backordered);
        if open <= Decimal::ZERO {
            return None;
        }
        let step = case_step(accepted, self.policy);
        let over = step
            .and_then(|step| open.checked_rem(step))
            .unwrap_or(Decimal::ZERO);
        if over.is_zero() {
            return Some(open);
        }
        self.reasons.push(format!(
            "line {}: {} {} of {} fill no case and are cut, since only whole cases are promised",
            line.line,
            over.normalize(),
            line.unit,
            accepted.item_code
        ));
        line.refused = line.refused.saturating_add(over);
        line.refusal.get_or_insert(LineRefusal::QuantityInvalid);
        let rest = open - over;
        line.backordered = line.backordered.min(rest);
        if rest.is_zero() {
            let back = waiting::give_up(line);
            self.supply.change_all(&back.receipts);
            self.holds.extend(back);
            return None;
        }
        Some(rest)
    }

    /// What each warehouse would give: one that has all of it, else all in order of preference where the line may be
    /// split, else the one that has most.
    fn plan(&self, line: &OrderLine, accepted: &AcceptedLine, wanted: Decimal) -> Plan {
        let offers: Vec<(WarehouseId, &str, Decimal)> = self
            .allowed
            .iter()
            .filter(|(id, _)| {
                self.policy.split_lines
                    || line
                        .sources
                        .iter()
                        .filter(|source| !source.quantity.is_zero())
                        .all(|source| source.warehouse == *id)
            })
            .map(|(id, code)| (*id, code.as_str(), self.offer(accepted, *id, wanted)))
            .collect();
        let whole = offers.iter().find(|(_, _, units)| *units >= wanted);
        let mut takes: Vec<(WarehouseId, &str, Decimal)> = Vec::new();
        let mut open = wanted;
        if let Some(offer) = whole {
            takes.push((offer.0, offer.1, wanted));
            open = Decimal::ZERO;
        } else if self.policy.split_lines {
            for (id, code, units) in &offers {
                let part = self.fitting(accepted, *units, open);
                if part > Decimal::ZERO {
                    takes.push((*id, code, part));
                    open -= part;
                }
            }
        } else {
            let most = offers
                .iter()
                .rev()
                .max_by_key(|(_, _, units)| *units)
                .filter(|(_, _, units)| *units > Decimal::ZERO);
            if let Some((id, code, units)) = most {
                takes.push((*id, code, *units));
                open -= *units;
            }
        }
        Plan {
            reason: reason(line, accepted, wanted, &takes, &offers),
            takes: takes
                .into_iter()
                .map(|(id, _, units)| (id, units))
                .collect(),
            short: open,
        }
    }

    /// Ordered units that a warehouse could give, at most what is wanted.
    fn offer(&self, accepted: &AcceptedLine, warehouse: WarehouseId, wanted: Decimal) -> Decimal {
        let available = self.supply.available(accepted.item, warehouse);
        let covers = wanted
            .checked_mul(accepted.base_per_unit)
            .is_some_and(|base| base <= available);
        if covers {
            return wanted;
        }
        self.fitting(
            accepted,
            whole_units(available, accepted.base_per_unit),
            wanted,
        )
    }

    /// The largest part of `units` that may be promised of `open`: whole units, whole cases where the policy says so.
    fn fitting(&self, accepted: &AcceptedLine, units: Decimal, open: Decimal) -> Decimal {
        if units >= open {
            return open;
        }
        let step = case_step(accepted, self.policy).unwrap_or(Decimal::ONE);
        let over = units.checked_rem(step).unwrap_or(units);
        units - over
    }

    fn settle(&mut self, line: &mut OrderLine, accepted: &AcceptedLine, plan: Plan) {
        for (warehouse, units) in &plan.takes {
            self.reservations.push(Reservation {
                line: line.line,
                item: accepted.item,
                warehouse: *warehouse,
                base: units.saturating_mul(accepted.base_per_unit).normalize(),
            });
            line.confirmed += *units;
            add_source(line, *warehouse, *units);
        }
        let tail = self.short(line, accepted, plan.short);
        self.reasons.push(format!("{}{tail}", plan.reason));
    }

    /// Backorders or cuts the short part, and says so.
    fn short(&mut self, line: &mut OrderLine, accepted: &AcceptedLine, short: Decimal) -> String {
        line.backordered = Decimal::ZERO;
        let waits = if self.policy.on_short == OnShort::Cut {
            Decimal::ZERO
        } else {
            short
        };
        let receipts = waiting::expect(
            line,
            accepted,
            waits,
            self.supply,
            &self.allowed,
            self.today,
        );
        self.holds.receipts.extend(receipts);
        if short.is_zero() {
            return String::new();
        }
        if self.policy.on_short == OnShort::Cut {
            line.refused += short;
            line.refusal.get_or_insert(LineRefusal::OutOfStock);
            let unit = &line.unit;
            return format!("; {} {unit} cut", short.normalize());
        }
        line.backordered = short;
        let unit = &line.unit;
        match line.backorder_date {
            Some(day) => format!("; {} {unit} backordered until {day}", short.normalize()),
            None => format!(
                "; {} {unit} backordered, and no expected receipt covers it",
                short.normalize()
            ),
        }
    }

    /// Ship complete and something is short: nothing is promised. All of it waits for the last, and what is there is set
    /// aside where the last can be expected; or all of it is cut.
    fn nothing(&mut self, order: &mut Order, plans: Vec<(u32, Shared<AcceptedLine>, Plan)>) {
        let cuts = self.policy.on_short == OnShort::Cut;
        for (number, accepted, plan) in &plans {
            let Some(line) = order.line_mut(*number) else {
                continue;
            };
            self.short(line, accepted, plan.short);
            let there = plan.there();
            if there.is_zero() {
                continue;
            }
            if cuts {
                line.refused += there;
                line.refusal.get_or_insert(LineRefusal::OutOfStock);
            } else {
                line.backordered += there;
                self.set_aside(line, accepted, plan);
            }
        }
        if !cuts {
            let holds = waiting::wait_together(order, self.supply);
            self.holds.extend(holds);
        }
        for (number, accepted, plan) in &plans {
            if let Some(line) = order.line(*number) {
                let reason = nothing_because(line, accepted, plan, cuts);
                self.reasons.push(reason);
            }
        }
    }

    fn set_aside(&mut self, line: &mut OrderLine, accepted: &AcceptedLine, plan: &Plan) {
        for (warehouse, units) in &plan.takes {
            let base = units.saturating_mul(accepted.base_per_unit).normalize();
            let held = Reservation {
                line: line.line,
                item: accepted.item,
                warehouse: *warehouse,
                base,
            };
            self.supply.hold_all(&[held]);
            self.holds.stock.push(held);
            line.set_aside.push(SetAside {
                warehouse: *warehouse,
                base,
            });
        }
    }
}

impl Plan {
    /// Ordered units that warehouses would give.
    fn there(&self) -> Decimal {
        self.takes.iter().map(|(_, units)| *units).sum()
    }
}

/// "line 1: of 10 EA of A-100 stock covers 8; all of it waits until 2026-04-01, what is there is set aside until then,
/// since the order ships complete or not at all".
fn nothing_because(line: &OrderLine, accepted: &AcceptedLine, plan: &Plan, cuts: bool) -> String {
    let there = plan.there();
    let fate = match line.backorder_date {
        _ if cuts => "all of it is cut".to_owned(),
        Some(day) if there.is_zero() => format!("all of it waits until {day}"),
        Some(day) => {
            format!("all of it waits until {day}, and what is there is set aside until then")
        }
        None => "all of it waits, and no expected receipts cover the order".to_owned(),
    };
    format!(
        "line {}: of {} {} of {} stock covers {}; {fate}, since the order ships complete or not at all",
        line.line,
        (there + plan.short).normalize(),
        line.unit,
        accepted.item_code,
        there.normalize()
    )
}

/// Ordered units that are a whole number of cases, where the policy asks for whole cases and the case is known.
fn case_step(accepted: &AcceptedLine, policy: &AllocationPolicy) -> Option<Decimal> {
    if !policy.whole_cases {
        return None;
    }
    units_per_whole_cases(accepted.base_per_unit, accepted.case_pack?)
}

fn add_source(line: &mut OrderLine, warehouse: WarehouseId, units: Decimal) {
    match line
        .sources
        .iter_mut()
        .find(|source| source.warehouse == warehouse)
    {
        Some(source) => source.quantity += units,
        None => line.sources.push(LineSource {
            warehouse,
            quantity: units,
            released: Decimal::ZERO,
            stores: Vec::new(),
        }),
    }
}

/// "line 1: of 24 CA of A-100 20 from EAST, 4 from WEST; not taken: SOUTH, which has 2".
fn reason(
    line: &OrderLine,
    accepted: &AcceptedLine,
    wanted: Decimal,
    takes: &[(WarehouseId, &str, Decimal)],
    offers: &[(WarehouseId, &str, Decimal)],
) -> String {
    let from = if takes.is_empty() {
        "none in stock".to_owned()
    } else {
        takes
            .iter()
            .map(|(_, code, units)| format!("{} from {code}", units.normalize()))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let lost = offers
        .iter()
        .filter(|(id, _, _)| !takes.iter().any(|(taken, _, _)| taken == id))
        .map(|(_, code, units)| {
            if *units >= wanted {
                format!("{code} has enough too, and comes later")
            } else {
                format!("{code} has {}", units.normalize())
            }
        })
        .collect::<Vec<_>>();
    let lost = if lost.is_empty() {
        String::new()
    } else {
        format!(" (not taken: {})", lost.join(", "))
    };
    format!(
        "line {}: of {} {} of {}: {from}{lost}",
        line.line,
        wanted.normalize(),
        line.unit,
        accepted.item_code
    )
}

#[cfg(test)]
mod tests {
    use super::super::specimens::{accepted, balance, day, decimal, line, order, warehouse};
    use super::*;

    fn today() -> NaiveDate {
        day("2026-03-02")
    }

    /// EAST (1) and WEST (2) with so many of item 1.
    fn supply(east: &str, west: &str) -> Supply {
        Supply::new(
            [balance(1, east), balance(2, west)],
            Vec::new(),
            vec![warehouse(1, "EAST"), warehouse(2, "WEST")],
        )
    }

    fn receipt(warehouse: i64, on: &str, quantity: &str) -> ExpectedReceipt {
        ExpectedReceipt {
            item: ItemId(1),
            warehouse: WarehouseId(warehouse),
            on: day(on),
            quantity: decimal(quantity),
            promised: Decimal::ZERO,
        }
    }

    /// "confirmed/backordered/refused from warehouse:quantity …"
    fn told(line: &OrderLine) -> String {
        let sources: Vec<String> = line
            .sources
            .iter()
            .map(|source| format!("{}:{}", source.warehouse, source.quantity.normalize()))
            .collect();
        format!(
            "{}/{}/{} {}",
            line.confirmed.normalize(),
            line.backordered.normalize(),
            line.refused.normalize(),
            sources.join(" ")
        )
    }

    #[test]
    fn plenty_is_what_one_warehouse_has_for_all_who_may_take_it() {
        let any = AllocationPolicy::default();
        let west = AllocationPolicy {
            warehouses: vec!["WEST".into()],
            ..any.clone()
        };
        let wants = |quantity: &str| order(vec![accepted(line(1, quantity, "EA"), "1")]);
        let mut served = wants("1");
        served.lines[0].backordered = decimal("1");
        let table = [
            ("10", "0", vec![(&any, vec![wants("4"), wants("6")])], true),
            ("10", "0", vec![(&any, vec![wants("4"), wants("7")])], false),
            ("10", "0", vec![(&west, vec![wants("4")])], false),
            ("6", "6", vec![(&any, vec![wants("4"), wants("4")])], false),
            (
                "0",
                "8",
                vec![(&any, vec![wants("4")]), (&west, vec![wants("4")])],
                true,
            ),
            (
                "9",
                "3",
                vec![(&any, vec![wants("4")]), (&west, vec![wants("4")])],
                false,
            ),
            ("10", "10", vec![(&any, vec![served])], false),
            ("0", "0", vec![], true),
        ];
        for (east, west, wanted, plenty) in table {
            let mut supply = supply(east, west);
            let asked = wanted
                .iter()
                .map(|(policy, orders)| (*policy, orders.as_slice()));
            assert_eq!(
                supply.covers(asked),
                plenty,
                "{east} and {west} for {wanted:?}"
            );
            if !plenty {
                continue;
            }
            for (policy, orders) in wanted {
                for order in orders {
                    let served = allocate(order, &mut supply, policy, today()).order;
                    assert!(
                        served
                            .lines
                            .iter()
                            .all(|line| line.confirmed == line.ordered)
                    );
                }
            }
        }
    }

    #[test]
    fn where_a_line_comes_from() {
        let split = AllocationPolicy::default();
        let one = AllocationPolicy {
            split_lines: false,
            ..split.clone()
        };
        let west = AllocationPolicy {
            warehouses: vec!["WEST".into(), "NORTH".into(), "EAST".into(), "WEST".into()],
            ..split.clone()
        };
        let cut = AllocationPolicy {
            on_short: OnShort::Cut,
            ..split.clone()
        };
        let cases = AllocationPolicy {
            whole_cases: true,
            ..split.clone()
        };
        let only_west = AllocationPolicy {
            warehouses: vec!["WEST".into()],
            ..split.clone()
        };
        // (ordered, unit, base per unit, east, west, policy, told)
        let table = [
            ("24", "EA", "1", "50", "50", &split, "24/0/0 1:24"),
            ("24", "EA", "1", "10", "50", &split, "24/0/0 2:24"),
            ("24", "EA", "1", "10", "10", &split, "20/4/0 1:10 2:10"),
            ("24", "EA", "1", "0", "0", &split, "0/24/0 "),
            ("24", "EA", "1", "-5", "3", &split, "3/21/0 2:3"),
            ("24", "EA", "1", "10", "12", &one, "12/12/0 2:12"),
            ("24", "EA", "1", "10", "10", &one, "10/14/0 1:10"),
            ("24", "EA", "1", "50", "50", &west, "24/0/0 2:24"),
            ("24", "EA", "1", "50", "4", &only_west, "4/20/0 2:4"),
            ("24", "EA", "1", "10", "10", &cut, "20/0/4 1:10 2:10"),
            ("3", "CA", "12", "35", "11", &split, "2/1/0 1:2"),
            ("3", "CA", "12", "23", "13", &split, "2/1/0 1:1 2:1"),
            ("30", "EA", "1", "50", "0", &cases, "24/0/6 1:24"),
            ("30", "EA", "1", "20", "20", &cases, "24/0/6 1:12 2:12"),
            ("30", "EA", "1", "20", "2", &cases, "12/12/6 1:12"),
            ("7", "EA", "1", "20", "2", &cases, "0/0/7 "),
            ("2.5", "LB", "1", "2.5", "0", &split, "2.5/0/0 1:2.5"),
            ("2.5", "LB", "1", "2.4", "0", &split, "2/0.5/0 1:2"),
        ];
        for (ordered, unit, base, east, west, policy, wanted) in table {
            let mut supply = supply(east, west);
            let open = order(vec![accepted(line(1, ordered, unit), base)]);
            let done = allocate(open, &mut supply, policy, today());
            let case = format!("{ordered} {unit} of {east} and {west}");
            assert_eq!(
                told(&done.order.lines[0]),
                wanted,
                "{case}: {:?}",
                done.reasons
            );
            let line = &done.order.lines[0];
            assert_eq!(line.refusal.is_some(), !line.refused.is_zero(), "{case}");
            assert!(!done.reasons.is_empty(), "{case}");
            for reservation in &done.reservations {
                let source = line
                    .sources
                    .iter()
                    .find(|source| source.warehouse == reservation.warehouse)
                    .unwrap();
                assert_eq!(reservation.base, source.quantity * decimal(base), "{case}");
            }
        }
    }

    #[test]
    fn reasons_name_the_option_that_lost() {
        let open = order(vec![accepted(line(1, "24", "EA"), "1")]);
        let done = allocate(
            open.clone(),
            &mut supply("30", "90"),
            &AllocationPolicy::default(),
            today(),
        );
        assert_eq!(
            done.reasons,
            [
                "line 1: of 24 EA of A-1: 24 from EAST (not taken: WEST has enough too, and comes later)"
            ]
        );
        let mut short = supply("10", "0");
        short.expected = vec![receipt(1, "2026-04-01", "20")];
        let done = allocate(open, &mut short, &AllocationPolicy::default(), today());
        assert_eq!(
            done.reasons,
            [
                "line 1: of 24 EA of A-1: 10 from EAST (not taken: WEST has 0); 14 EA backordered until 2026-04-01"
            ]
        );
    }

    #[test]
    fn a_batch_never_promises_twice() {
        let mut supply = supply("30", "0");
        let open = order(vec![accepted(line(1, "20", "EA"), "1")]);
        let policy = AllocationPolicy::default();
        let first = allocate(open.clone(), &mut supply, &policy, today());
        let second = allocate(open, &mut supply, &policy, today());
        assert_eq!(told(&first.order.lines[0]), "20/0/0 1:20");
        assert_eq!(told(&second.order.lines[0]), "10/10/0 1:10");
        assert_eq!(supply.available(ItemId(1), WarehouseId(1)), Decimal::ZERO);
    }

    #[test]
    fn ship_complete_is_all_or_nothing() {
        let lines = || {
            let mut second = accepted(line(2, "5", "EA"), "1");
            second.accepted.as_mut().unwrap().item = ItemId(1);
            vec![accepted(line(1, "20", "EA"), "1"), second]
        };
        let policy = AllocationPolicy {
            ship_complete: true,
            ..AllocationPolicy::default()
        };
        let mut enough = supply("25", "0");
        let done = allocate(order(lines()), &mut enough, &policy, today());
        assert_eq!(told(&done.order.lines[1]), "5/0/0 1:5");

        let mut short = supply("24", "0");
        short.expected = vec![receipt(1, "2026-03-20", "1")];
        let done = allocate(order(lines()), &mut short, &policy, today());
        assert_eq!(told(&done.order.lines[0]), "0/20/0 ");
        assert_eq!(told(&done.order.lines[1]), "0/5/0 ");
        assert!(done.reservations.is_empty());
        assert_eq!(
            done.order.lines[0].backorder_date,
            Some(day("2026-03-20")),
            "all waits for the last"
        );
        assert_eq!(
            short.available(ItemId(1), WarehouseId(1)),
            decimal("0"),
            "what is there is set aside until then"
        );

        let again = allocate(done.order, &mut supply("30", "0"), &policy, today());
        assert_eq!(told(&again.order.lines[0]), "20/0/0 1:20");
        assert_eq!(again.order.lines[0].backorder_date, None);

        let cut = AllocationPolicy {
            on_short: OnShort::Cut,
            ..policy
        };
        let done = allocate(order(lines()), &mut supply("24", "0"), &cut, today());
        assert_eq!(told(&done.order.lines[0]), "0/0/20 ");
        assert_eq!(told(&done.order.lines[1]), "0/0/5 ");
        assert_eq!(done.order.lines[0].refusal, Some(LineRefusal::OutOfStock));
    }

    #[test]
    fn backorder_dates_come_from_what_is_available_to_promise() {
        let receipts = || {
            vec![
                receipt(2, "2026-04-10", "10"),
                receipt(1, "2026-04-01", "10"),
                receipt(1, "2026-02-01", "3"),
            ]
        };
        let policy = AllocationPolicy::default();
        // (ordered, stock, date)
        for (ordered, stock, date) in [
            ("3", "0", Some("2026-04-01")), // nothing is promised of what is overdue
            ("10", "0", Some("2026-04-01")),
            ("11", "0", Some("2026-04-10")),
            ("20", "0", Some("2026-04-10")),
            ("21", "0", None),
            ("21", "1", Some("2026-04-10")),
            ("24", "24", None),
        ] {
            let mut supply = supply(stock, "0");
            supply.expected = receipts();
            let open = order(vec![accepted(line(1, ordered, "EA"), "1")]);
            let done = allocate(open, &mut supply, &policy, today());
            assert_eq!(
                done.order.lines[0].backorder_date,
                date.map(day),
                "{ordered} of {stock}"
            );
            let taken: Decimal = done.holds.receipts.iter().map(|promise| promise.base).sum();
            let left: Decimal = supply.expected.iter().map(ExpectedReceipt::free).sum();
            assert_eq!(taken + left, decimal("23"), "consumed once");
        }
    }

    #[test]
    fn a_backorder_keeps_its_date_and_its_promise() {
        let mut supply = supply("0", "0");
        supply.expected = vec![
            receipt(1, "2026-04-01", "10"),
            receipt(1, "2026-05-01", "10"),
        ];
        let policy = AllocationPolicy::default();
        let open = order(vec![accepted(line(1, "10", "EA"), "1")]);
        let first = allocate(open, &mut supply, &policy, today());
        assert_eq!(first.order.lines[0].backorder_date, Some(day("2026-04-01")));
        let again = allocate(first.order.clone(), &mut supply, &policy, today());
        assert_eq!(
            again.order, first.order,
            "nothing has come in, nothing changes"
        );
        assert!(again.holds.is_empty());
        let late = allocate(first.order, &mut supply, &policy, day("2026-04-02"));
        assert_eq!(
            late.order.lines[0].backorder_date,
            Some(day("2026-04-01")),
            "no other day is known"
        );
        assert!(late.holds.is_empty());
        // The 10 of May are free for the next, and nothing of what is overdue.
        supply.expected[0].promised = decimal("4");
        for (ordered, date) in [("11", None), ("10", Some(day("2026-05-01")))] {
            let next = order(vec![accepted(line(1, ordered, "EA"), "1")]);
            let next = allocate(next, &mut supply, &policy, day("2026-04-02"));
            assert_eq!(next.order.lines[0].backorder_date, date);
        }
    }

    #[test]
    fn what_was_not_accepted_is_refused() {
        let done = allocate(
            order(vec![line(1, "10", "EA")]),
            &mut supply("100", "0"),
            &AllocationPolicy::default(),
            today(),
        );
        assert_eq!(told(&done.order.lines[0]), "0/0/10 ");
        assert!(done.order.lines[0].refusal.is_some());
    }

    mod properties {
        use proptest::prelude::*;

        use super::*;

        fn any_policy() -> impl Strategy<Value = AllocationPolicy> {
            (any::<[bool; 4]>(), 0_usize..4).prop_map(
                |([cut, ship_complete, split_lines, whole_cases], preference)| AllocationPolicy {
                    warehouses: [vec![], vec!["WEST"], vec!["WEST", "EAST"], vec!["NONE"]]
                        .get(preference)
                        .into_iter()
                        .flatten()
                        .map(|code| (*code).to_owned())
                        .collect(),
                    on_short: if cut {
                        OnShort::Cut
                    } else {
                        OnShort::Backorder
                    },
                    ship_complete,
                    split_lines,
                    whole_cases,
                },
            )
        }

        /// Lines of two items in EA, CA and a unit of 10, accepted or not, whole or not.
        fn any_lines() -> impl Strategy<Value = Vec<OrderLine>> {
            let units = [("EA", "1"), ("CA", "12"), ("TN", "10"), ("EA", "0.5")];
            prop::collection::vec((-20_i64..4000, 0_usize..4, 1_i64..3, 0_u32..10), 1..6).prop_map(
                move |lines| {
                    (1_u32..)
                        .zip(lines)
                        .map(|(number, (ordered, unit, item, kind))| {
                            let (unit, base) = units[unit];
                            let mut line = line(number, "1", unit);
                            line.ordered = Decimal::new(ordered, u32::from(kind == 0));
                            if kind == 1 {
                                return line;
                            }
                            let mut line = accepted(line, base);
                            line.accepted.as_mut().unwrap().item = ItemId(item);
                            if line.ordered <= Decimal::ZERO {
                                line.accepted = None;
                            }
                            if kind == 2 && line.ordered > Decimal::ONE {
                                line.refused = Decimal::ONE;
                                line.refusal = Some(LineRefusal::QuantityInvalid);
                            }
                            line
                        })
                        .collect()
                },
            )
        }

        fn any_supply() -> impl Strategy<Value = Supply> {
            (
                prop::collection::vec((-10_i64..2000, 0_i64..50), 4),
                // One receipt of an item, a warehouse and a day, as they are kept.
                prop::collection::btree_map((1_i64..3, 1_i64..3, 0_u32..60), 0_i64..900, 0..5),
            )
                .prop_map(|(stock, receipts)| {
                    let balances =
                        stock
                            .into_iter()
                            .zip(0_i64..)
                            .map(|((on_hand, reserved), index)| Balance {
                                item: ItemId(index / 2 + 1),
                                warehouse: WarehouseId(index % 2 + 1),
                                on_hand: Decimal::from(on_hand),
                                reserved: Decimal::from(reserved),
                                set_aside: Decimal::ZERO,
                                uncounted: Decimal::ZERO,
                            });
                    let expected = receipts
                        .into_iter()
                        .map(|((item, warehouse, days), quantity)| ExpectedReceipt {
                            item: ItemId(item),
                            warehouse: WarehouseId(warehouse),
                            on: today() + chrono::Days::new(days.into()),
                            quantity: Decimal::from(quantity),
                            promised: Decimal::ZERO,
                        })
                        .collect();
                    Supply::new(
                        balances,
                        expected,
                        vec![warehouse(1, "EAST"), warehouse(2, "WEST")],
                    )
                })
        }

        proptest! {
            #[test]
            fn quantities_and_stock_are_conserved(
                lines in any_lines(),
                mut supply in any_supply(),
                more in any_supply(),
                policy in any_policy(),
            ) {
                let mut order = order(lines);
                for round in 0..2 {
                    for line in &order.lines {
                        let item = line.accepted.as_ref().map_or(ItemId(0), |accepted| accepted.item);
                        for held in &line.set_aside {
                            supply.hold(item, held.warehouse, held.base);
                        }
                    }
                    waiting::give_back_what_is_not_there(&mut order, &mut supply);
                    let free = |supply: &Supply, order: &Order| {
                        let mut free: BTreeMap<(ItemId, WarehouseId), Decimal> = supply
                            .balances
                            .iter()
                            .map(|(place, balance)| (*place, balance.available()))
                            .collect();
                        for line in &order.lines {
                            for held in &line.set_aside {
                                let item = line.accepted.as_ref().unwrap().item;
                                *free.get_mut(&(item, held.warehouse)).unwrap() += held.base;
                            }
                        }
                        free
                    };
                    let before = free(&supply, &order);
                    let done = allocate(order, &mut supply, &policy, today());
                    for line in &done.order.lines {
                        let sum = line.confirmed + line.backordered + line.refused;
                        prop_assert_eq!(line.ordered, sum);
                        let sources: Decimal = line.sources.iter().map(|source| source.quantity).sum();
                        prop_assert_eq!(line.confirmed, sources);
                        prop_assert!(line.backordered >= Decimal::ZERO);
                        prop_assert!(line.refused.is_zero() || line.refusal.is_some());
                        prop_assert!(policy.split_lines || line.sources.len() <= 1);
                        if line.ordered.fract().is_zero() {
                            prop_assert!(line.sources.iter().all(|source| source.quantity.fract().is_zero()));
                        }
                    }
                    let mut reserved: BTreeMap<(ItemId, WarehouseId), Decimal> = BTreeMap::new();
                    for reservation in &done.reservations {
                        prop_assert!(reservation.base > Decimal::ZERO);
                        *reserved.entry((reservation.item, reservation.warehouse)).or_default() +=
                            reservation.base;
                    }
                    let after = free(&supply, &done.order);
                    for (place, had) in before {
                        let base = reserved.remove(&place).unwrap_or_default();
                        prop_assert!(base.is_zero() || base <= had);
                        prop_assert_eq!(after[&place], had - base);
                    }
                    prop_assert!(reserved.is_empty());
                    let backorders = done.order.lines.iter().any(|line| !line.backordered.is_zero());
                    prop_assert!(policy.on_short == OnShort::Backorder || !backorders);
                    if policy.ship_complete && round == 0 {
                        let confirmed = done.order.lines.iter().any(|line| !line.confirmed.is_zero());
                        prop_assert!(!(confirmed && backorders));
                    }
                    let set_aside: Decimal = done
                        .order
                        .lines
                        .iter()
                        .flat_map(|line| line.set_aside.iter().map(|held| held.base))
                        .sum();
                    prop_assert!(set_aside.is_zero() || policy.ship_complete && backorders);
                    if round == 0 {
                        let held: Decimal =
                            supply.balances.values().map(|balance| balance.set_aside).sum();
                        prop_assert_eq!(set_aside, held);
                        prop_assert!(supply.balances.values().all(|balance| balance.void().is_zero()));
                        let awaited: Decimal = done
                            .order
                            .lines
                            .iter()
                            .flat_map(|line| line.awaits.iter().map(|awaited| awaited.base))
                            .sum();
                        let promised: Decimal =
                            supply.expected.iter().map(|receipt| receipt.promised).sum();
                        prop_assert_eq!(awaited, promised);
                        prop_assert!(supply.expected.iter().all(|receipt| receipt.void().is_zero()));
                    }
                    order = done.order;
                    supply = more.clone();
                }
            }
        }
    }
}
