//! The sum identity (X12-RULES 77), reckoned again from the segments that were built: what the partner will reckon.

use rust_decimal::{Decimal, RoundingStrategy};
use supercargo_x12::{OutSegment, OutboundSet};

use super::super::element::{decimal, implied};
use super::super::outbound::built;
use crate::config::profile::Profile;
use crate::domain::finding::{Finding, Place, Severity};
use crate::domain::invoice::{Invoice, extension};
use crate::domain::money::Amount;
use crate::domain::policy::Rounding;

/// Why the document must not be sent; empty where it adds up. `total` has the sign that the partner wants.
pub fn faults(
    set: &OutboundSet,
    invoice: &Invoice,
    total: Amount,
    profile: &Profile,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let goods = goods(set, invoice, profile.invoicing.rounding, &mut findings);
    let charges = charges(set, &mut findings);
    let stated = set
        .segments
        .iter()
        .find(|segment| segment.id == "TDS")
        .and_then(|tds| implied(built(tds, 1), 2));
    let meant = total.to_decimal(invoice.currency);
    let computed = goods
        .zip(charges)
        .and_then(|(goods, charges)| goods.checked_add(charges));
    if computed != stated || stated != Some(meant) {
        let tell = |value: Option<Decimal>| {
            value.map_or_else(
                || "nothing that can be reckoned".to_owned(),
                |value| value.to_string(),
            )
        };
        findings.push(Finding::business(
            "invoice-does-not-add-up",
            Severity::Hold,
            format!(
                "invoice {}: lines, allowances and charges of the document come to {}, its total (TDS01) says {}, and {meant} is owed: nothing was sent; look at the prices and at rules of [[outbound.810]] that change them",
                invoice.number,
                tell(computed),
                tell(stated),
            ),
        ));
    }
    findings
}

fn at(position: usize, segment: &OutSegment) -> Place {
    Place {
        segment: Some(segment.id.to_string()),
        segment_index: u32::try_from(position + 2).ok(),
        ..Place::default()
    }
}

/// Σ IT102 × agreed price per unit. IT104 must be the price in the buyer's basis to the digit.
fn goods(
    set: &OutboundSet,
    invoice: &Invoice,
    rounding: Rounding,
    findings: &mut Vec<Finding>,
) -> Option<Decimal> {
    let places = invoice.currency.exponent();
    let round = |value: Decimal| {
        value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)
    };
    let mut lines = invoice.lines.iter();
    let mut sum = Decimal::ZERO;
    for (position, it1) in set.segments.iter().enumerate() {
        if it1.id != "IT1" {
            continue;
        }
        let line = lines.next()?;
        if decimal(built(it1, 4)) != Some(line.price.amount) {
            findings.push(
                Finding::business(
                    "invoice-price-altered",
                    Severity::Hold,
                    format!("line {} of invoice {} is agreed at {} and the document says {:?} (IT104): look at the rules of [[outbound.810]]", line.order_line, invoice.number, line.price.amount, built(it1, 4)),
                )
                .at(at(position, it1)),
            );
        }
        let extension = extension(decimal(built(it1, 2))?, line.unit_price).ok()?;
        let extension = match rounding {
            Rounding::Line => round(extension),
            Rounding::Invoice => extension,
        };
        sum = sum.checked_add(extension)?;
    }
    lines.next().is_none().then(|| round(sum))
}

/// Σ charges − Σ allowances + Σ tax, each counted once, information and what others settle left out.
fn charges(set: &OutboundSet, findings: &mut Vec<Finding>) -> Option<Decimal> {
    let mut sum = Decimal::ZERO;
    for (position, segment) in set.segments.iter().enumerate() {
        let value = match segment.id.as_str() {
            "SAC" if matches!(built(segment, 12), "01" | "05") => continue,
            "SAC" => match built(segment, 1) {
                "C" => implied(built(segment, 5), 2)?,
                "A" => -implied(built(segment, 5), 2)?,
                _ => continue,
            },
            // TXI07 says that the tax is in the price already; A adds it.
            "TXI" if matches!(built(segment, 7), "" | "A") => {
                decimal(built(segment, 2)).unwrap_or_default()
            }
            _ => continue,
        };
        if segment.id == "SAC" && built(segment, 2).is_empty() {
            findings.push(
                Finding::business(
                    "charge-without-code",
                    Severity::Hold,
                    "an allowance or charge has no code (SAC02): give it one in the profile's `invoicing.charges`, or correct the order's",
                )
                .at(at(position, segment)),
            );
        }
        sum = sum.checked_add(value)?;
    }
    Some(sum)
}
