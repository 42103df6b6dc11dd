//! Values of elements, both ways: decimals (R), implied decimals (Nn), dates (DT), times (TM). Exact, or not at all.

use chrono::{NaiveDate, NaiveDateTime};
use rust_decimal::Decimal;
use supercargo_x12::number;

use crate::domain::money::{Amount, Currency};

/// An R element (X12-RULES 15). None: not one, or more digits than can be held exactly.
pub fn decimal(text: &str) -> Option<Decimal> {
    // Decimal holds 28 digits; its parser rounds what is longer.
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    number::parse_r(text).filter(|_| digits <= 28)
}

/// An Nn element with `places` implied decimals (X12-RULES 14).
pub fn implied(text: &str, places: u32) -> Option<Decimal> {
    number::parse_n(text, places)
}

/// A decimal in major units as an amount, if the currency can hold it without rounding.
pub fn exact_amount(major: Decimal, currency: Currency) -> Option<Amount> {
    let amount = Amount::from_decimal(major, currency).ok()?;
    (amount.to_decimal(currency) == major).then_some(amount)
}

/// A day, CCYYMMDD, or YYMMDD of the years 1970 to 2069.
pub fn date(text: &str) -> Option<NaiveDate> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let long = match text.len() {
        8 => text.to_owned(),
        6 if text < "70" => format!("20{text}"),
        6 => format!("19{text}"),
        _ => return None,
    };
    let number = |from: usize, to: usize| long.get(from..to)?.parse::<u32>().ok();
    let year = i32::try_from(number(0, 4)?).ok()?;
    NaiveDate::from_ymd_opt(year, number(4, 6)?, number(6, 8)?)
}

/// An R element as it is sent: no superfluous zeros (X12-RULES 15).
pub fn decimal_text(value: Decimal) -> String {
    number::r(value)
}

/// An N2 element. None: the currency's amount has more than two decimals, which N2 has no room for.
pub fn n2_text(amount: Amount, currency: Currency) -> Option<String> {
    number::n(amount.to_decimal(currency), 2)
}

/// CCYYMMDD.
pub fn date_text(date: NaiveDate) -> String {
    number::d8(date)
}

/// HHMM.
pub fn time_text(at: NaiveDateTime) -> String {
    number::t4(at.time())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_015_decimals_with_a_point() {
        let table = [
            (".5", Some(".5")),
            ("0.5", Some(".5")),
            ("5", Some("5")),
            ("5.", Some("5")),
            ("-12.50", Some("-12.5")),
            ("007", Some("7")),
            ("-0", Some("0")),
            ("12345678901234567890.12", Some("12345678901234567890.12")),
            ("+5", None),
            ("1,000", None),
            ("1E3", None),
            ("-", None),
            (".", None),
            ("", None),
            (" 5", None),
            ("1.2.3", None),
            ("123456789012345678901234567890", None),
        ];
        for (text, value) in table {
            assert_eq!(decimal(text).map(decimal_text).as_deref(), value, "{text}");
        }
    }

    #[test]
    fn rule_014_implied_decimals() {
        let table = [
            ("12345", Some("123.45")),
            ("5", Some(".05")),
            ("-5", Some("-.05")),
            ("1.5", None),
            ("+5", None),
            ("", None),
            ("-", None),
        ];
        for (text, value) in table {
            assert_eq!(
                implied(text, 2).map(decimal_text).as_deref(),
                value,
                "{text}"
            );
        }
    }

    #[test]
    fn n2_holds_hundredths_of_every_currency_or_refuses() {
        let yen: Currency = "JPY".parse().unwrap();
        let dinar: Currency = "KWD".parse().unwrap();
        assert_eq!(n2_text(Amount(-5), Currency::USD).as_deref(), Some("-5"));
        assert_eq!(n2_text(Amount(1250), yen).as_deref(), Some("125000"));
        assert_eq!(n2_text(Amount(1230), dinar).as_deref(), Some("123"));
        assert_eq!(n2_text(Amount(1234), dinar), None);
        assert_eq!(exact_amount(Decimal::new(125, 2), yen), None);
    }

    #[test]
    fn rule_018_days_of_the_calendar() {
        assert_eq!(date("20240229").map(date_text).as_deref(), Some("20240229"));
        assert_eq!(date("991231").map(date_text).as_deref(), Some("19991231"));
        assert_eq!(date("260115").map(date_text).as_deref(), Some("20260115"));
        for text in ["20230229", "20261301", "2026011", "", "2026O101", "000000"] {
            assert_eq!(date(text), None, "{text}");
        }
    }
}
