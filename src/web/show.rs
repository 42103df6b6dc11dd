//! How figures, times and states look. Everything here renders to finished, escaped markup.

use std::fmt;

use askama::filters::{Escaper, Safe};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::text::Visible;
use crate::domain::clock::Instant;

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    Visible.write_escaped_str(f, text)
}

/// Groups the digits before the point by three: 1234567.5 → 1,234,567.5. A minus comes out as −.
pub(crate) fn grouped(plain: &str) -> String {
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(rest) => ("−", rest),
        None => ("", plain),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let mut out = String::with_capacity(plain.len() + plain.len() / 3 + 2);
    out.push_str(sign);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// A quantity, without superfluous zeros.
pub(crate) fn quantity(quantity: Decimal) -> String {
    grouped(&quantity.normalize().to_string())
}

/// A number of things.
pub(crate) fn count(n: i64) -> String {
    grouped(&n.to_string())
}

/// A size in bytes, as people say it: 312 B, 4.2 kB, 50 MB.
pub(crate) fn size(bytes: i64) -> String {
    let (unit, name) = match bytes {
        i64::MIN..=999 => return format!("{bytes} B"),
        1_000..=999_999 => (1_000, "kB"),
        1_000_000..=999_999_999 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    let tenths = Decimal::new(bytes.saturating_mul(10) / unit, 1);
    let tenths = if tenths >= Decimal::TEN {
        tenths.trunc()
    } else {
        tenths
    };
    format!("{} {name}", tenths.normalize())
}

/// Decimals of a currency's minor unit; two for what is no currency.
fn exponent(currency: &str) -> u32 {
    currency
        .parse::<crate::domain::money::Currency>()
        .map_or(2, |currency| currency.exponent())
}

/// An amount of minor units in plain digits with grouping, without its currency.
pub(crate) fn amount(minor: i64, currency: &str) -> String {
    grouped(&Decimal::new(minor, exponent(currency)).to_string())
}

/// An amount of minor units as a machine reads it: 1234.50.
pub(crate) fn plain_amount(minor: i64, currency: &str) -> String {
    Decimal::new(minor, exponent(currency)).to_string()
}

/// An amount with its currency, the currency set small.
#[derive(Debug, Clone)]
pub(crate) struct MoneyText {
    minor: i64,
    currency: String,
}
/// An amount as finished markup.
pub(crate) type Money = Safe<MoneyText>;

/// An amount of minor units with its currency.
pub(crate) fn money(minor: i64, currency: &str) -> Money {
    Safe(MoneyText {
        minor,
        currency: currency.to_owned(),
    })
}

impl fmt::Display for MoneyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<span class=\"num\">{}",
            amount(self.minor, &self.currency)
        )?;
        f.write_str(" <small>")?;
        write_text(f, &self.currency)?;
        f.write_str("</small></span>")
    }
}

/// The clock and the zone that times are shown by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Calendar {
    pub(crate) now: Instant,
    pub(crate) zone: Tz,
}

impl Calendar {
    /// Today in the company's zone.
    pub(crate) fn today(&self) -> NaiveDate {
        self.now.with_timezone(&self.zone).date_naive()
    }

    /// Stored microseconds as an instant to be shown.
    pub(crate) fn when(&self, micros: i64) -> When {
        Safe(Moment {
            at: DateTime::from_timestamp_micros(micros).unwrap_or_default(),
            calendar: *self,
            ago: false,
        })
    }

    /// Stored microseconds as an age or a time to go: 3 h ago, in 2 d.
    pub(crate) fn ago(&self, micros: i64) -> When {
        Safe(Moment {
            ago: true,
            ..self.when(micros).0
        })
    }

    /// The same of a time that may be missing.
    pub(crate) fn when_some(&self, micros: Option<i64>) -> Option<When> {
        micros.map(|micros| self.when(micros))
    }

    /// A stored business date.
    pub(crate) fn day(&self, iso: &str) -> Day {
        Safe(BusinessDate {
            date: iso.parse().ok(),
            raw: iso.to_owned(),
            year: self.today().year(),
        })
    }

    /// A business date.
    pub(crate) fn date(&self, date: NaiveDate) -> Day {
        Safe(BusinessDate {
            date: Some(date),
            raw: date.to_string(),
            year: self.today().year(),
        })
    }

    /// Days from `iso` to today; below zero: still to come.
    pub(crate) fn days_since(&self, iso: &str) -> Option<i64> {
        let date: NaiveDate = iso.parse().ok()?;
        Some(self.today().signed_duration_since(date).num_days())
    }
}

/// An instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    at: Instant,
    calendar: Calendar,
    ago: bool,
}
/// An instant as finished markup.
pub(crate) type When = Safe<Moment>;

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.at.with_timezone(&self.calendar.zone);
        let full = local.format("%Y-%m-%d %H:%M:%S %Z");
        let machine = self.at.format("%Y-%m-%dT%H:%M:%SZ");
        write!(f, "<time datetime=\"{machine}\" title=\"{full}\">")?;
        if self.ago {
            f.write_str(&distance(self.at, self.calendar.now))?;
        } else if local.year() == self.calendar.now.with_timezone(&self.calendar.zone).year() {
            write!(f, "{}", local.format("%b %-d, %H:%M"))?;
        } else {
            write!(f, "{}", local.format("%b %-d %Y, %H:%M"))?;
        }
        f.write_str("</time>")
    }
}

/// How far an instant lies from now.
fn distance(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = now.signed_duration_since(at).num_seconds();
    let span = match seconds.unsigned_abs() {
        0..=59 => return "just now".to_owned(),
        s @ 60..=3_599 => format!("{} min", s / 60),
        s @ 3_600..=172_799 => format!("{} h", s / 3_600),
        s => format!("{} d", s / 86_400),
    };
    if seconds > 0 {
        format!("{span} ago")
    } else {
        format!("in {span}")
    }
}

/// A business date: Nov 23, with its year where that is another.
#[derive(Debug, Clone)]
pub(crate) struct BusinessDate {
    date: Option<NaiveDate>,
    raw: String,
    year: i32,
}
/// A business date as finished markup.
pub(crate) type Day = Safe<BusinessDate>;

impl fmt::Display for BusinessDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.date {
            Some(date) if date.year() == self.year => {
                write!(
                    f,
                    "<time datetime=\"{date}\">{}</time>",
                    date.format("%b %-d")
                )
            }
            Some(date) => write!(
                f,
                "<time datetime=\"{date}\">{}</time>",
                date.format("%b %-d, %Y")
            ),
            None => write_text(f, &self.raw),
        }
    }
}

/// What a state means to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Busy,
    Warn,
    Bad,
    Quiet,
}

impl Tone {
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Busy => "busy",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Quiet => "quiet",
        }
    }
}

/// A state in a word, coloured; the word alone says it too.
#[derive(Debug, Clone)]
pub(crate) struct ChipText {
    pub(crate) tone: Tone,
    pub(crate) text: String,
}
/// A state as finished markup.
pub(crate) type Chip = Safe<ChipText>;

/// A state.
pub(crate) fn chip(tone: Tone, text: impl Into<String>) -> Chip {
    Safe(ChipText {
        tone,
        text: text.into(),
    })
}

impl fmt::Display for ChipText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<span class=\"chip {}\">", self.tone.class())?;
        write_text(f, &self.text)?;
        f.write_str("</span>")
    }
}

/// A sign of the sprite. Says nothing to a screen reader: words stand beside it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sign(&'static str);
/// A sign as finished markup.
pub(crate) type Icon = Safe<Sign>;

/// The sign of this name.
pub(crate) const fn icon(name: &'static str) -> Icon {
    Safe(Sign(name))
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<svg class=\"icon\" aria-hidden=\"true\" width=\"16\" height=\"16\"><use href=\"{}#{}\"/></svg>",
            super::assets::icons_path(),
            self.0
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped() {
        for (plain, shown) in [
            ("0", "0"),
            ("999", "999"),
            ("1000", "1,000"),
            ("-1234567.50", "−1,234,567.50"),
            ("12345.6", "12,345.6"),
        ] {
            assert_eq!(grouped(plain), shown);
        }
        assert_eq!(amount(123_456, "USD"), "1,234.56");
        assert_eq!(amount(123_456, "JPY"), "123,456");
        assert_eq!(quantity("24.00".parse().unwrap()), "24");
    }

    #[test]
    fn sizes_are_said_as_people_say_them() {
        for (bytes, said) in [
            (0, "0 B"),
            (999, "999 B"),
            (4_240, "4.2 kB"),
            (52_428_800, "52 MB"),
        ] {
            assert_eq!(size(bytes), said);
        }
    }

    #[test]
    fn a_chip_escapes_what_it_says() {
        let chip = chip(Tone::Bad, "<b>");
        assert_eq!(
            chip.to_string(),
            "<span class=\"chip bad\">&lt;b&gt;</span>"
        );
    }

    #[test]
    fn distances_are_rough() {
        let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
        for (seconds, said) in [
            (1_000_000, "just now"),
            (999_880, "2 min ago"),
            (996_400, "1 h ago"),
            (1_000_000 + 259_200, "in 3 d"),
        ] {
            assert_eq!(
                distance(DateTime::from_timestamp(seconds, 0).unwrap(), now),
                said
            );
        }
    }
}
