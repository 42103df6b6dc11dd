//! Numbers and dates as X12 writes them, and back (rules 13 to 15, 18, 19).

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use rust_decimal::Decimal;

/// A whole number, as N0 and as R.
pub fn n0(value: i64) -> String {
    value.to_string()
}

/// An amount in hundredths, as N2: 12345 is 123.45. Nothing has to be done but to write it.
pub fn n2(hundredths: i64) -> String {
    hundredths.to_string()
}

/// A decimal with so many implied decimals; none if it has more decimals than that.
pub fn n(value: Decimal, decimals: u32) -> Option<String> {
    let mut value = value.normalize();
    if value.scale() > decimals {
        return None;
    }
    value.rescale(decimals);
    (value.scale() == decimals)
        .then(|| Decimal::from_i128_with_scale(value.mantissa(), 0).to_string())
}

/// A decimal with an explicit point: no point in whole numbers, no superfluous zero (rule 15).
pub fn r(value: Decimal) -> String {
    let text = value.normalize().to_string();
    match text
        .strip_prefix("-0.")
        .map(|rest| format!("-.{rest}"))
        .or_else(|| text.strip_prefix("0.").map(|rest| format!(".{rest}")))
    {
        Some(short) => short,
        None if text == "-0" => "0".to_owned(),
        None => text,
    }
}

/// Reads an N with so many implied decimals.
pub fn parse_n(text: &str, decimals: u32) -> Option<Decimal> {
    crate::element::integer_digits(text.as_bytes())?;
    let value: i128 = text.parse().ok()?;
    Decimal::try_from_i128_with_scale(value, decimals).ok()
}

/// Reads an R.
pub fn parse_r(text: &str) -> Option<Decimal> {
    crate::element::decimal_digits(text.as_bytes())?;
    text.strip_suffix('.').unwrap_or(text).parse().ok()
}

/// Numbers below a hundred, two digits each.
fn pairs<const N: usize>(numbers: [u32; N]) -> String {
    let digit = |n: u32| char::from_digit(n % 10, 10).unwrap_or('0');
    let mut text = String::with_capacity(2 * N);
    for number in numbers {
        text.push(digit(number / 10));
        text.push(digit(number));
    }
    text
}

/// CCYYMMDD.
pub fn d8(date: NaiveDate) -> String {
    match u32::try_from(date.year()) {
        Ok(year @ ..=9999) => pairs([year / 100, year % 100, date.month(), date.day()]),
        _ => format!("{:04}{:02}{:02}", date.year(), date.month(), date.day()),
    }
}

/// YYMMDD, for ISA09.
pub fn d6(date: NaiveDate) -> String {
    let year = date.year().rem_euclid(100).unsigned_abs();
    pairs([year, date.month(), date.day()])
}

/// HHMM.
pub fn t4(time: NaiveTime) -> String {
    pairs([time.hour(), time.minute()])
}

/// HHMMSS.
pub fn t6(time: NaiveTime) -> String {
    pairs([time.hour(), time.minute(), time.second()])
}

/// Reads CCYYMMDD.
pub fn parse_d8(text: &str) -> Option<NaiveDate> {
    (text.len() == 8 && crate::element::is_date(text.as_bytes())).then_some(())?;
    NaiveDate::from_ymd_opt(
        text[..4].parse().ok()?,
        text[4..6].parse().ok()?,
        text[6..].parse().ok()?,
    )
}

/// Reads HHMM with or without seconds; decimal seconds are dropped.
pub fn parse_time(text: &str) -> Option<NaiveTime> {
    crate::element::is_time(text.as_bytes()).then_some(())?;
    let pair = |at: usize| {
        text.get(at..at + 2)
            .map_or(Some(0), |p| p.parse::<u32>().ok())
    };
    NaiveTime::from_hms_opt(pair(0)?, pair(2)?, pair(4)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rule_014_implied_decimals_are_written_without_a_point() {
        assert_eq!(
            (n2(12345), n2(5), n2(-5)),
            ("12345".into(), "5".into(), "-5".into())
        );
        let value = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(n(value("123.45"), 2), Some("12345".into()));
        assert_eq!(n(value("-0.05"), 2), Some("-5".into()));
        assert_eq!(n(value("7"), 2), Some("700".into()));
        assert_eq!(n(value("7.10"), 1), Some("71".into()));
        assert_eq!(n(value("7.123"), 2), None);
        assert_eq!(parse_n("5", 2), Some(value("0.05")));
        assert_eq!(parse_n("-5", 2), Some(value("-0.05")));
        assert_eq!(parse_n("1.5", 2), None);
    }

    #[test]
    fn rule_015_decimals_are_canonical() {
        for (value, text) in [
            ("0.50", ".5"),
            ("5.00", "5"),
            ("-0.5", "-.5"),
            ("0", "0"),
            ("-0.0", "0"),
            ("100", "100"),
            ("8.50", "8.5"),
            ("1200", "1200"),
        ] {
            assert_eq!(r(value.parse().unwrap()), text);
        }
        for (text, value) in [
            (".5", "0.5"),
            ("5.", "5"),
            ("0.50", "0.5"),
            ("-12.5", "-12.5"),
        ] {
            assert_eq!(parse_r(text), Some(value.parse().unwrap()), "{text}");
        }
        assert_eq!(
            (parse_r("1E3"), parse_r("."), parse_r("+1")),
            (None, None, None)
        );
    }

    #[test]
    fn dates_and_times() {
        let date = NaiveDate::from_ymd_opt(2026, 2, 5).unwrap();
        assert_eq!((d8(date), d6(date)), ("20260205".into(), "260205".into()));
        assert_eq!(parse_d8("20260205"), Some(date));
        assert_eq!(parse_d8("20260230"), None);
        let time = NaiveTime::from_hms_opt(9, 5, 7).unwrap();
        assert_eq!((t4(time), t6(time)), ("0905".into(), "090507".into()));
        assert_eq!(parse_time("090507"), Some(time));
        assert_eq!(parse_time("2400"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(mantissa in -1_000_000_000_000i64..1_000_000_000_000, scale in 0u32..6) {
            let value = Decimal::new(mantissa, scale);
            prop_assert_eq!(parse_r(&r(value)), Some(value.normalize()));
            let text = n(value, 6).unwrap();
            prop_assert_eq!(parse_n(&text, 6).map(|v| v.normalize()), Some(value.normalize()));
        }
    }
}
