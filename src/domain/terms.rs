//! Terms of payment (ITD): when an invoice is due, and what is taken off for paying early.

use chrono::{Datelike, Days, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::money::{Amount, AmountOverflow, Currency};

/// From which date the days count (ITD02).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TermsFrom {
    /// 3: date of the invoice.
    #[default]
    Invoice,
    /// 1: date of shipment.
    Shipment,
    /// 2: date of delivery; taken as the shipment's where no delivery date is known.
    Delivery,
    /// 5: date the invoice is received; taken as the invoice's.
    Receipt,
}

/// Terms as agreed with the partner or as the order gives them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Terms {
    /// ITD01: 01 basic, 02 end of month, 03 fixed date, 05 no discount, 08 basic discount, 09 proximo. Empty: 01.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// ITD02.
    pub from: TermsFrom,
    /// ITD03, percent off when paid in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discount_percent: Option<Decimal>,
    /// ITD05, days within which the discount holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discount_days: Option<u32>,
    /// ITD04, the date up to which the discount holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discount_due: Option<NaiveDate>,
    /// ITD07, days within which the whole is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_days: Option<u32>,
    /// ITD06, the date on which the whole is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_due: Option<NaiveDate>,
    /// ITD13, day of the month for proximo terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day_of_month: Option<u32>,
    /// ITD12, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// Days until payment where terms say nothing at all.
pub const NET_DAYS_DEFAULT: u32 = 30;

impl Terms {
    /// The date the days count from.
    pub fn base(&self, invoiced: NaiveDate, shipped: NaiveDate) -> NaiveDate {
        match self.from {
            TermsFrom::Invoice | TermsFrom::Receipt => invoiced,
            TermsFrom::Shipment | TermsFrom::Delivery => shipped,
        }
    }

    /// When the whole is due.
    pub fn due(&self, invoiced: NaiveDate, shipped: NaiveDate) -> NaiveDate {
        if let Some(fixed) = self.net_due {
            return fixed;
        }
        let base = self.base(invoiced, shipped);
        let days = self.net_days.unwrap_or(NET_DAYS_DEFAULT);
        match (self.kind.as_str(), self.day_of_month) {
            ("02" | "09", Some(day)) => proximo(base, day),
            // End of month without days is the end of the month.
            ("02", None) => add_days(end_of_month(base), self.net_days.unwrap_or(0)),
            ("09", None) => proximo(base, days),
            _ => add_days(base, days),
        }
    }

    /// Until when the discount holds, where there is one.
    pub fn discount_until(&self, invoiced: NaiveDate, shipped: NaiveDate) -> Option<NaiveDate> {
        self.discount_percent
            .filter(|percent| *percent > Decimal::ZERO)?;
        self.discount_due.or_else(|| {
            let base = self.base(invoiced, shipped);
            match (self.kind.as_str(), self.discount_days, self.day_of_month) {
                ("02" | "09", None, Some(day)) => Some(proximo(base, day)),
                ("02" | "09", Some(days), _) => Some(add_days(end_of_month(base), days)),
                (_, days, _) => days.map(|days| add_days(base, days)),
            }
        })
    }

    /// The terms in a line for people, as [`Terms::due`] and [`Terms::discount_until`] reckon with them; the buyer's own
    /// words (ITD12) where there are any.
    pub fn in_words(&self) -> String {
        if !self.description.is_empty() {
            return self.description.clone();
        }
        let monthly = matches!(self.kind.as_str(), "02" | "09");
        let off = self
            .discount_percent
            .filter(|percent| *percent > Decimal::ZERO)
            .and_then(|percent| {
                let until = match (self.discount_due, self.discount_days, self.day_of_month) {
                    (Some(date), ..) => format!("until {date}"),
                    (None, None, Some(day)) if monthly => {
                        format!("until day {day} of the next month")
                    }
                    (None, Some(days), _) if monthly => {
                        format!("until {days} days after the end of the month")
                    }
                    (None, Some(days), _) => format!("in {days} days"),
                    (None, None, _) => return None,
                };
                Some(format!("{}% {until}, ", percent.normalize()))
            })
            .unwrap_or_default();
        let days = self.net_days.unwrap_or(NET_DAYS_DEFAULT);
        let net = match (self.net_due, self.kind.as_str(), self.day_of_month) {
            (Some(date), ..) => return format!("{off}net on {date}"),
            (None, "02" | "09", Some(day)) => format!("net on day {day} of the next month"),
            (None, "02", None) => match self.net_days.unwrap_or(0) {
                0 => "net at the end of the month".to_owned(),
                days => format!("net {days} days after the end of the month"),
            },
            (None, "09", None) => format!("net on day {days} of the next month"),
            (None, ..) => format!("net {days} days"),
        };
        let from = match self.from {
            TermsFrom::Invoice => "",
            TermsFrom::Shipment => " from shipment",
            TermsFrom::Delivery => " from delivery",
            TermsFrom::Receipt => " from receipt of the invoice",
        };
        format!("{off}{net}{from}")
    }

    /// What may be taken off `total` when it is paid in time, rounded to the minor unit.
    pub fn discount(&self, total: Amount, currency: Currency) -> Result<Amount, AmountOverflow> {
        match self.discount_percent {
            Some(percent) => Amount::from_decimal(
                total
                    .to_decimal(currency)
                    .checked_mul(percent)
                    .and_then(|scaled| scaled.checked_div(Decimal::ONE_HUNDRED))
                    .ok_or(AmountOverflow)?,
                currency,
            ),
            None => Ok(Amount::ZERO),
        }
    }
}

fn add_days(date: NaiveDate, days: u32) -> NaiveDate {
    date.checked_add_days(Days::new(u64::from(days)))
        .unwrap_or(NaiveDate::MAX)
}

fn first_of_next_month(date: NaiveDate) -> NaiveDate {
    let (year, month) = if date.month() == 12 {
        (date.year() + 1, 1)
    } else {
        (date.year(), date.month() + 1)
    };
    NaiveDate::from_ymd_opt(year, month, 1).unwrap_or(NaiveDate::MAX)
}

fn end_of_month(date: NaiveDate) -> NaiveDate {
    first_of_next_month(date).pred_opt().unwrap_or(date)
}

/// The given day of the month after `date`'s, or that month's last day where it is shorter.
fn proximo(date: NaiveDate, day: u32) -> NaiveDate {
    let first = first_of_next_month(date);
    first
        .with_day(day.max(1))
        .unwrap_or_else(|| end_of_month(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// Terms of a kind with what is written, as `net 30, day 10, pay 2026-03-01, off 2 in 10 by 2026-01-20`.
    fn terms(kind: &str, written: &str) -> Terms {
        let mut terms = Terms {
            kind: kind.into(),
            ..Terms::default()
        };
        let words: Vec<&str> = written
            .split([' ', ','])
            .filter(|word| !word.is_empty())
            .collect();
        for pair in words.chunks(2) {
            let value = pair[1];
            match pair[0] {
                "net" => terms.net_days = value.parse().ok(),
                "day" => terms.day_of_month = value.parse().ok(),
                "pay" => terms.net_due = value.parse().ok(),
                "off" => terms.discount_percent = value.parse().ok(),
                "in" => terms.discount_days = value.parse().ok(),
                "by" => terms.discount_due = value.parse().ok(),
                "from" => {
                    terms.from = match value {
                        "shipment" => TermsFrom::Shipment,
                        "delivery" => TermsFrom::Delivery,
                        "receipt" => TermsFrom::Receipt,
                        _ => TermsFrom::Invoice,
                    }
                }
                other => panic!("{other}"),
            }
        }
        terms
    }

    #[test]
    fn terms_are_told_as_they_are_reckoned() {
        for (kind, written, said) in [
            ("", "", "net 30 days"),
            ("08", "net 30, off 2 in 10", "2% in 10 days, net 30 days"),
            (
                "01",
                "net 45, off 2 in 15, from shipment",
                "2% in 15 days, net 45 days from shipment",
            ),
            ("09", "day 20", "net on day 20 of the next month"),
            ("09", "net 10", "net on day 10 of the next month"),
            ("02", "", "net at the end of the month"),
            (
                "02",
                "net 30, off 1 in 10",
                "1% until 10 days after the end of the month, net 30 days after the end of the month",
            ),
            (
                "03",
                "pay 2026-03-01, off 2 by 2026-01-20",
                "2% until 2026-01-20, net on 2026-03-01",
            ),
        ] {
            assert_eq!(terms(kind, written).in_words(), said, "{kind} {written}");
        }
    }

    /// Worked out by the calendar: (kind, terms, day of the invoice, due, discount until); shipped the day before.
    #[test]
    fn days_by_the_calendar() {
        let table = [
            ("", "", "2026-01-15", "2026-02-14", ""),
            ("01", "net 30", "2026-01-15", "2026-02-14", ""),
            ("01", "net 0", "2026-01-15", "2026-01-15", ""),
            ("01", "net 30", "2024-01-31", "2024-03-01", ""),
            ("01", "net 30 from shipment", "2026-01-15", "2026-02-13", ""),
            ("01", "net 30 from delivery", "2026-01-15", "2026-02-13", ""),
            ("01", "net 30 from receipt", "2026-01-15", "2026-02-14", ""),
            (
                "08",
                "net 30, off 2 in 10",
                "2026-01-15",
                "2026-02-14",
                "2026-01-25",
            ),
            (
                "01",
                "net 60, off 2.5 in 30",
                "2026-12-15",
                "2027-02-13",
                "2027-01-14",
            ),
            ("05", "net 45", "2026-01-15", "2026-03-01", ""),
            (
                "14",
                "net 46, off 2 in 45",
                "2026-01-01",
                "2026-02-16",
                "2026-02-15",
            ),
            ("02", "", "2026-01-15", "2026-01-31", ""),
            ("02", "net 10", "2026-01-15", "2026-02-10", ""),
            ("02", "net 10", "2026-01-31", "2026-02-10", ""),
            ("02", "net 30", "2024-01-15", "2024-03-01", ""),
            (
                "02",
                "net 30, off 2 in 10",
                "2026-02-03",
                "2026-03-30",
                "2026-03-10",
            ),
            ("02", "day 15", "2026-01-15", "2026-02-15", ""),
            ("09", "day 10", "2026-01-15", "2026-02-10", ""),
            ("09", "day 10", "2026-12-31", "2027-01-10", ""),
            ("09", "day 31", "2026-01-15", "2026-02-28", ""),
            ("09", "day 31", "2024-01-15", "2024-02-29", ""),
            (
                "09",
                "day 10, off 2",
                "2026-01-15",
                "2026-02-10",
                "2026-02-10",
            ),
            ("03", "pay 2026-03-01", "2026-01-15", "2026-03-01", ""),
            (
                "01",
                "pay 2026-03-01, net 5",
                "2026-01-15",
                "2026-03-01",
                "",
            ),
            (
                "03",
                "pay 2026-03-01, off 1 by 2026-02-01",
                "2026-01-15",
                "2026-03-01",
                "2026-02-01",
            ),
            ("01", "net 30, off 0 in 10", "2026-01-15", "2026-02-14", ""),
        ];
        for (kind, written, invoiced, due, until) in table {
            let terms = terms(kind, written);
            let shipped = day(invoiced).pred_opt().unwrap();
            assert_eq!(
                terms.due(day(invoiced), shipped),
                day(due),
                "{kind} {written}"
            );
            assert_eq!(
                terms.discount_until(day(invoiced), shipped),
                (!until.is_empty()).then(|| day(until)),
                "{kind} {written}"
            );
        }
    }

    #[test]
    fn the_discount_holds_for_its_days_only() {
        let terms = Terms {
            discount_percent: Some(Decimal::TWO),
            discount_days: Some(10),
            ..Terms::default()
        };
        assert_eq!(
            terms.discount_until(day("2026-01-15"), day("2026-01-13")),
            Some(day("2026-01-25"))
        );
        assert_eq!(
            terms.discount(Amount(12345), Currency::USD),
            Ok(Amount(247))
        );
        assert_eq!(
            Terms::default().discount_until(day("2026-01-15"), day("2026-01-13")),
            None
        );
    }
}
