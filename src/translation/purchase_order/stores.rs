//! Store distribution (SDQ): how much of a line goes to which store (X12-RULES 51).

use supercargo_x12::Segment;

use super::super::element::decimal;
use super::super::place::{fault, trimmed};
use crate::domain::finding::{Finding, Severity};
use crate::domain::order::{OrderLine, StoreQuantity};

/// Element of the first store; quantity and store alternate from here, ten pairs at most.
const FIRST: usize = 3;
/// Element of the last store.
const LAST: usize = 21;

/// Adds the pairs of one SDQ to the line. A store that comes again has its quantities added up.
pub fn read(segment: Segment<'_>, line: &mut OrderLine, found: &mut Vec<Finding>) {
    let unit = trimmed(segment, 1);
    if !unit.is_empty() && unit != line.unit {
        found.push(fault(
            segment,
            1,
            "store-unit-differs",
            Severity::Hold,
            format!("the stores' quantities are in {unit} (SDQ01) and the line's in {} (PO103): ask the buyer which is right, and correct the document", line.unit),
        ));
    }
    for n in (FIRST..=LAST).step_by(2) {
        let store = trimmed(segment, n);
        let stated = segment.element(n + 1);
        if store.is_empty() && stated.is_empty() {
            continue;
        }
        let quantity = decimal(stated).filter(|_| !store.is_empty());
        let Some(quantity) = quantity else {
            found.push(fault(
                segment,
                n + 1,
                "store-quantity-unreadable",
                Severity::Hold,
                format!("store {store:?} and its quantity {stated:?} are no pair that can be read (SDQ{n:02}): ask the buyer what was meant, and correct the document"),
            ));
            continue;
        };
        match line.stores.iter_mut().find(|known| known.store == store) {
            Some(known) => known.quantity = known.quantity.saturating_add(quantity),
            None => line.stores.push(StoreQuantity {
                store: store.to_owned(),
                quantity,
                delivery: 0,
            }),
        }
    }
}
