//! The most that numbers of days, hours, seconds and percent may say: more is a slip of the finger.

use rust_decimal::Decimal;

use super::Found;
use crate::config::profile::Profile;

const YEAR_OF_HOURS: u32 = 366 * 24;
const YEAR_OF_DAYS: u32 = 366;
const TEN_YEARS_OF_DAYS: u32 = 3_660;
const WEEK_OF_SECONDS: u32 = 7 * 24 * 60 * 60;

pub(super) fn check(profile: &Profile, found: &mut Found<'_>) {
    let mut counts: Vec<(String, u32, u32, &str)> = Vec::new();
    let mut count = |key: &str, value: Option<u32>, most: u32, of: &'static str| {
        counts.extend(value.map(|value| (key.to_owned(), value, most, of)));
    };
    let duplicates = &profile.duplicates;
    count(
        "duplicates.interchange_days",
        Some(duplicates.interchange_days),
        TEN_YEARS_OF_DAYS,
        "days",
    );
    count(
        "duplicates.order_reuse_days",
        Some(duplicates.order_reuse_days),
        TEN_YEARS_OF_DAYS,
        "days",
    );
    count(
        "acknowledgment.expect_within_hours",
        Some(profile.acknowledgment.expect_within_hours),
        YEAR_OF_HOURS,
        "hours",
    );
    let mailbox = profile.connection.mailbox.as_ref();
    count(
        "connection.mailbox.pickup_hours",
        mailbox.and_then(|mailbox| mailbox.pickup_hours),
        YEAR_OF_HOURS,
        "hours",
    );
    if let Some(server) = &profile.connection.sftp {
        for (name, value, most, of) in [
            (
                "interval_seconds",
                server.interval_seconds,
                WEEK_OF_SECONDS,
                "seconds",
            ),
            (
                "timeout_seconds",
                server.timeout_seconds,
                WEEK_OF_SECONDS,
                "seconds",
            ),
            ("attempts", server.attempts, 10_000, "attempts"),
            (
                "backoff_seconds",
                server.backoff_seconds,
                WEEK_OF_SECONDS,
                "seconds",
            ),
            (
                "backoff_seconds_max",
                server.backoff_seconds_max,
                WEEK_OF_SECONDS,
                "seconds",
            ),
        ] {
            count(&format!("connection.sftp.{name}"), Some(value), most, of);
        }
    }
    let packing = &profile.packing;
    count(
        "packing.transit_days",
        Some(packing.transit_days),
        YEAR_OF_DAYS,
        "days",
    );
    count(
        "packing.pallet_cartons",
        Some(packing.pallet_cartons),
        10_000,
        "cartons",
    );
    let terms = &profile.invoicing.terms;
    count(
        "invoicing.terms.net_days",
        terms.net_days,
        2 * YEAR_OF_DAYS,
        "days",
    );
    count(
        "invoicing.terms.discount_days",
        terms.discount_days,
        2 * YEAR_OF_DAYS,
        "days",
    );
    let collection = &profile.collection;
    count(
        "collection.discount_grace_days",
        Some(collection.discount_grace_days),
        YEAR_OF_DAYS,
        "days",
    );
    count(
        "collection.overdue_grace_days",
        Some(collection.overdue_grace_days),
        YEAR_OF_DAYS,
        "days",
    );
    for (set, deadline) in &profile.clock {
        count(
            &format!("clock.{set}.within_hours"),
            Some(deadline.within_hours),
            YEAR_OF_HOURS,
            "hours",
        );
        count(
            &format!("clock.{set}.within_minutes"),
            Some(deadline.within_minutes),
            YEAR_OF_HOURS * 60,
            "minutes",
        );
    }
    for (key, value, most, of) in counts {
        found.unless(
            value <= most,
            &key,
            format!("{value} {of} can not be meant"),
            format!("Write at most {most}"),
        );
    }
    for (key, percent) in [
        (
            "verification.price_tolerance_percent",
            Some(profile.verification.price_tolerance_percent),
        ),
        ("invoicing.terms.discount_percent", terms.discount_percent),
    ] {
        let fits =
            percent.is_none_or(|percent| (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&percent));
        // A tolerance below zero is told by what checks its sign.
        let told = key.starts_with("verification") && percent.is_some_and(|p| p.is_sign_negative());
        found.unless(
            fits || told,
            key,
            format!("{} percent can not be meant", percent.unwrap_or_default()),
            "Write 0 to 100",
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::config::profile::Profile;

    #[test]
    fn numbers_that_nobody_means_are_told_with_their_key() {
        let text = r#"
partner = "absurd"
[[address]]
id = "ABSURD"
[duplicates]
interchange_days = 4294967295
[acknowledgment]
expect_within_hours = 4294967295
[connection.mailbox]
pickup_hours = 4294967295
[packing]
transit_days = 4000000000
[verification]
price_tolerance_percent = 101
[invoicing.terms]
discount_percent = 200
discount_days = 10
net_days = 4000000000
[collection]
overdue_grace_days = 4000000000
[clock.997]
within_hours = 4000000000
[[invoicing.charges]]
kind = "charge"
code = "D240"
percent = 150
[[invoicing.charges]]
kind = "allowance"
code = "C310"
percent = 150
"#;
        let told = Profile::parse(text).unwrap_err().to_string();
        for key in [
            "duplicates.interchange_days",
            "acknowledgment.expect_within_hours",
            "connection.mailbox.pickup_hours",
            "packing.transit_days",
            "verification.price_tolerance_percent",
            "invoicing.terms.discount_percent",
            "invoicing.terms.net_days",
            "collection.overdue_grace_days",
            "clock.997.within_hours",
        ] {
            assert!(told.contains(key), "{key} not in\n{told}");
        }
        assert!(told.contains("invoicing.charges[2].percent"), "{told}");
        assert!(!told.contains("invoicing.charges[1]"), "{told}");
    }
}
