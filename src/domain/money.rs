//! Money: integer minor units, and the one place where a decimal becomes an amount.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// An amount in minor units (cents) of a currency that stands beside it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Amount(pub i64);

/// The arithmetic left the range of 64 bits: no real invoice does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an amount is larger than can be held exactly (over 9 × 10¹⁶ major units); check quantity and price"
)]
pub struct AmountOverflow;

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The decimal in major units (12.345) as an amount, rounded half away from zero to the currency's minor unit.
    pub fn from_decimal(major: Decimal, currency: Currency) -> Result<Self, AmountOverflow> {
        let scaled = major
            .checked_mul(Decimal::from(10_i64.pow(currency.exponent())))
            .ok_or(AmountOverflow)?;
        let whole = scaled.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        i64::try_from(whole).map(Self).map_err(|_| AmountOverflow)
    }

    /// The amount as a decimal in major units with the currency's decimals: 1234 → 12.34.
    pub fn to_decimal(self, currency: Currency) -> Decimal {
        Decimal::new(self.0, currency.exponent())
    }

    /// Sum that reports overflow instead of wrapping.
    pub fn checked_add(self, other: Self) -> Result<Self, AmountOverflow> {
        self.0.checked_add(other.0).map(Self).ok_or(AmountOverflow)
    }

    /// Difference that reports overflow instead of wrapping.
    pub fn checked_sub(self, other: Self) -> Result<Self, AmountOverflow> {
        self.0.checked_sub(other.0).map(Self).ok_or(AmountOverflow)
    }

    /// The sum of many, reporting overflow.
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, AmountOverflow> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }

    /// The amount with its sign turned.
    pub fn negated(self) -> Self {
        Self(self.0.saturating_neg())
    }

    /// Above zero.
    pub fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Exactly zero.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// For people and for JSON: "12.34".
    pub fn display(self, currency: Currency) -> String {
        self.to_decimal(currency).to_string()
    }
}

/// An ISO 4217 code, three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// The currencies of ISO 4217 that goods are paid in: without precious metals, funds, test codes and `XXX`.
const OF_TRADE: &str = "\
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND \
    BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF \
    DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD \
    HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW \
    KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR \
    MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN \
    PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN \
    SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES \
    VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";

/// The text is no currency code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no currency: give the three capital letters of ISO 4217, such as USD")]
pub struct NoCurrency(pub String);

impl Currency {
    /// United States dollar, the default of partners that name none.
    pub const USD: Self = Self(*b"USD");

    /// The code's letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("USD")
    }

    /// Whether it is among the currencies of ISO 4217 that goods are paid in. Three letters that are none can be read and
    /// kept all the same.
    pub fn is_of_trade(&self) -> bool {
        OF_TRADE.split(' ').any(|code| code == self.code())
    }

    /// Decimals of the minor unit: 2 for most, 0 for yen and won, 3 for the Gulf dinars.
    pub fn exponent(&self) -> u32 {
        match &self.0 {
            b"JPY" | b"KRW" | b"CLP" | b"VND" | b"ISK" | b"PYG" | b"UGX" | b"XAF" | b"XOF" => 0,
            b"BHD" | b"KWD" | b"OMR" | b"JOD" | b"TND" => 3,
            _ => 2,
        }
    }
}

impl std::str::FromStr for Currency {
    type Err = NoCurrency;
    fn from_str(text: &str) -> Result<Self, NoCurrency> {
        let bytes: [u8; 3] = text
            .trim()
            .as_bytes()
            .try_into()
            .map_err(|_| NoCurrency(text.to_owned()))?;
        if bytes.iter().all(u8::is_ascii_uppercase) {
            Ok(Self(bytes))
        } else {
            Err(NoCurrency(text.to_owned()))
        }
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_round_half_away_from_zero() {
        for (major, minor) in [
            ("12.345", 1235),
            ("12.344", 1234),
            ("-0.005", -1),
            ("0", 0),
            ("7", 700),
        ] {
            let decimal: Decimal = major.parse().unwrap();
            assert_eq!(
                Amount::from_decimal(decimal, Currency::USD),
                Ok(Amount(minor)),
                "{major}"
            );
        }
    }

    #[test]
    fn three_letters_are_not_yet_a_currency() {
        for (code, is_one) in [
            ("USD", true),
            ("AED", true),
            ("ZWG", true),
            ("CAD", true),
            ("ZZZ", false),
            ("XXX", false),
            ("XAU", false),
        ] {
            let currency: Currency = code.parse().unwrap();
            assert_eq!(currency.is_of_trade(), is_one, "{code}");
        }
    }

    #[test]
    fn a_currency_without_minor_units_has_none() {
        let yen: Currency = "JPY".parse().unwrap();
        assert_eq!(
            Amount::from_decimal("1250".parse().unwrap(), yen),
            Ok(Amount(1250))
        );
        assert_eq!(Amount(1250).display(yen), "1250");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(
            Amount::from_decimal(Decimal::MAX, Currency::USD),
            Err(AmountOverflow)
        );
        assert_eq!(Amount(i64::MAX).checked_add(Amount(1)), Err(AmountOverflow));
    }
}
