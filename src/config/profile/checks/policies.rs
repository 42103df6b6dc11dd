//! Numbers of the policies that can not be meant.

use super::{Found, check_code};
use crate::config::profile::Profile;
use crate::domain::order::ChargeKind;
use crate::domain::policy::ContractCharge;

pub(super) fn check(profile: &Profile, found: &mut Found<'_>) {
    let verification = &profile.verification;
    for (key, number) in [
        (
            "verification.price_tolerance_percent",
            verification.price_tolerance_percent,
        ),
        (
            "verification.price_tolerance_amount",
            verification.price_tolerance_amount,
        ),
        ("verification.order_minimum", verification.order_minimum),
        ("collection.write_off_max", profile.collection.write_off_max),
    ] {
        found.unless(
            !number.is_sign_negative() || number.is_zero(),
            key,
            format!("{number} is below zero"),
            "Write 0 or more",
        );
    }
    found.unless(
        verification.quantity_max > rust_decimal::Decimal::ZERO,
        "verification.quantity_max",
        "every quantity would be too large",
        "Write the largest quantity of one line that is believed without a person",
    );
    found.unless(
        profile.packing.carton_units_max >= rust_decimal::Decimal::ONE,
        "packing.carton_units_max",
        "no carton could take anything",
        "Write 1 or more",
    );
    let carrier = &profile.packing.carrier;
    found.unless(
        carrier.is_empty()
            || ((2..=4).contains(&carrier.len())
                && carrier.bytes().all(|byte| byte.is_ascii_alphanumeric())),
        "packing.carrier",
        format!("{carrier:?} is no SCAC"),
        "Write the carrier's two to four letters",
    );
    let invoicing = &profile.invoicing;
    found.unless(
        (1..=22).contains(&invoicing.number_length_max),
        "invoicing.number_length_max",
        format!(
            "{} is no length of an invoice number",
            invoicing.number_length_max
        ),
        "Write 1 to 22, the most X12 takes",
    );
    found.unless(
        invoicing.number_prefix.len() + 5 <= invoicing.number_length_max as usize,
        "invoicing.number_prefix",
        format!(
            "with this prefix fewer than five digits are left of {}",
            invoicing.number_length_max
        ),
        "Shorten the prefix",
    );
    let terms = &invoicing.terms;
    if let (Some(discount), Some(net)) = (terms.discount_days, terms.net_days) {
        found.unless(
            discount <= net,
            "invoicing.terms.discount_days",
            format!("the discount holds for {discount} days and the whole is due within {net}"),
            "The discount's days can not be more than the net days",
        );
    }
    found.unless(
        matches!(
            terms.kind.as_str(),
            "" | "01" | "02" | "03" | "05" | "08" | "09" | "14"
        ),
        "invoicing.terms.kind",
        format!("no due date can be reckoned from terms of kind {:?}", terms.kind),
        "Write 01 basic, 02 end of month, 03 fixed date, 05 no discount, 08 basic discount or 09 proximo",
    );
    found.unless(
        terms.kind != "03" || terms.net_due.is_some(),
        "invoicing.terms.net_due",
        "terms for a fixed date without the date",
        "Write net_due = \"2026-03-31\"",
    );
    found.unless(
        terms.kind != "09" || terms.day_of_month.is_some() || terms.net_due.is_some(),
        "invoicing.terms.day_of_month",
        "terms for a day of the next month without the day",
        "Write day_of_month = 10",
    );
    found.unless(
        terms.day_of_month.is_none_or(|day| (1..=31).contains(&day)),
        "invoicing.terms.day_of_month",
        "no day of a month",
        "Write 1 to 31; where the month is shorter, its last day is meant",
    );
    for (index, charge) in invoicing.charges.iter().enumerate() {
        check_charge(&format!("invoicing.charges[{}]", index + 1), charge, found);
    }
}

fn check_charge(key: &str, charge: &ContractCharge, found: &mut Found<'_>) {
    found.unless(
        charge.percent.is_some() != charge.amount.is_some(),
        key,
        "an allowance or charge is either a percentage or a fixed amount",
        "Write percent = … or amount = …, one of them",
    );
    for (name, value) in [("percent", charge.percent), ("amount", charge.amount)] {
        found.unless(
            value.is_none_or(|value| value >= rust_decimal::Decimal::ZERO),
            &format!("{key}.{name}"),
            "below zero",
            "Write it without a sign: `kind` says whether it is taken off or added",
        );
    }
    let whole = rust_decimal::Decimal::ONE_HUNDRED;
    found.unless(
        charge.kind != ChargeKind::Allowance || charge.percent.is_none_or(|most| most <= whole),
        &format!("{key}.percent"),
        "an allowance of more than the goods are worth: no invoice could be made",
        "Write at most 100",
    );
    check_code(&format!("{key}.code"), &charge.code, 4..=4, found);
    if !charge.handling.is_empty() {
        check_code(&format!("{key}.handling"), &charge.handling, 2..=2, found);
    }
}
