//! Allowances and charges (SAC), both ways (X12-RULES 56, 77).

use rust_decimal::Decimal;
use supercargo_x12::{OutSegment, Segment, seg};

use super::element::{decimal, decimal_text, exact_amount, implied, n2_text};
use super::place::{fault, trimmed};
use crate::domain::finding::{Finding, Severity};
use crate::domain::invoice::InvoiceCharge;
use crate::domain::money::Amount;
use crate::domain::money::Currency;
use crate::domain::order::{Charge, ChargeKind};

/// SAC as a charge. What can not be read becomes a finding that holds, for the invoice would be wrong without it.
pub fn read(segment: Segment<'_>, currency: Currency, findings: &mut Vec<Finding>) -> Charge {
    let mut number = |n: usize, what: &str, value: Option<Decimal>| {
        if value.is_none() && !segment.element(n).is_empty() {
            findings.push(fault(
                segment,
                n,
                "charge-unreadable",
                Severity::Hold,
                format!("SAC{n:02}, the {what}, is no number that can be held exactly: ask the buyer for the right one, and correct the document"),
            ));
        }
        value.filter(|value| !value.is_sign_negative() || value.is_zero())
    };
    let stated = implied(segment.element(5), 2);
    let amount = number(5, "amount", stated).and_then(|major| exact_amount(major, currency));
    let percent = number(7, "percentage", decimal(segment.element(7)));
    let rate = number(8, "rate", decimal(segment.element(8)));
    let quantity = number(10, "quantity", decimal(segment.element(10)));
    let charge = Charge {
        kind: match segment.element(1) {
            "A" => ChargeKind::Allowance,
            "C" => ChargeKind::Charge,
            _ => ChargeKind::Information,
        },
        code: trimmed(segment, 2).to_owned(),
        amount,
        percent,
        rate,
        quantity,
        handling: trimmed(segment, 12).to_owned(),
        description: trimmed(segment, 15).to_owned(),
        granted: Amount::ZERO,
    };
    let valued = amount.is_some() || percent.is_some() || rate.is_some();
    if charge.is_summed() && !valued {
        findings.push(fault(
            segment,
            5,
            "charge-without-value",
            Severity::Hold,
            "the allowance or charge has no amount (SAC05), percentage (SAC07) or rate (SAC08) above zero that can be used: ask the buyer what was meant, then release or reject the order",
        ));
    }
    charge
}

/// SAC of an invoice; none where the amount does not fit an N2. `turned` swaps allowance and charge: in a credit of
/// negative amounts what was taken off is added back, and SAC05 itself has no sign.
pub fn write(charge: &InvoiceCharge, currency: Currency, turned: bool) -> Option<OutSegment> {
    let indicator = match (charge.kind, turned) {
        (ChargeKind::Information, _) => "N",
        (ChargeKind::Allowance, false) | (ChargeKind::Charge, true) => "A",
        (ChargeKind::Charge, false) | (ChargeKind::Allowance, true) => "C",
    };
    let amount = n2_text(charge.amount, currency)?;
    let percent = charge.percent.map(decimal_text);
    Some(
        seg("SAC")
            .el(indicator)
            .el(&charge.code)
            .skip()
            .skip()
            .el(amount)
            .opt(percent.as_ref().map(|_| "Z"))
            .opt(percent)
            .skip()
            .skip()
            .skip()
            .skip()
            .el(&charge.handling)
            .skip()
            .skip()
            .el(&charge.description),
    )
}
