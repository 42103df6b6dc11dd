//! Identities. Each is its own type, so that an order can not be handed where an invoice is meant.

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Reads an identity as our own documents keep it, a number, and as listings show it, a text: what was listed may be
/// handed in again as it is.
struct NumberOrText;

impl Visitor<'_> for NumberOrText {
    type Value = i64;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number, or a number as text")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i64, E> {
        Ok(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<i64, E> {
        i64::try_from(number).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<i64, E> {
        text.trim()
            .parse()
            .map_err(|_| E::custom(format!("{text:?} is no number")))
    }
}

macro_rules! identity {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(NumberOrText).map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.trim().parse().map(Self)
            }
        }
    )*};
}

identity! {
    /// Our own company: its EDI addresses, GS1 prefix, invoice series and ledger.
    CompanyId;
    /// A buyer, 3PL or bank with a profile.
    PartnerId;
    /// A mailbox, remote server or folder over which files come and go.
    ConnectionId;
    /// One file as it came in over a connection.
    FileId;
    /// One ISA…IEA within a file.
    InterchangeId;
    /// One transaction set, received or sent.
    DocumentId;
    /// One order: company, buyer, mode and PO identity.
    OrderId;
    /// One shipment out of one warehouse.
    ShipmentId;
    /// One invoice or credit memo.
    InvoiceId;
    /// One item of our own catalogue.
    ItemId;
    /// One of our warehouses.
    WarehouseId;
    /// Money received, by 820 or by hand.
    PaymentId;
    /// A short payment with its reason.
    DeductionId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_read_as_number_and_as_text() {
        for (json, read) in [
            ("12", Some(OrderId(12))),
            ("\"12\"", Some(OrderId(12))),
            ("\"x\"", None),
            ("18446744073709551615", None),
            ("1.5", None),
            ("null", None),
        ] {
            assert_eq!(serde_json::from_str(json).ok(), read, "{json}");
        }
        assert_eq!(serde_json::to_string(&OrderId(12)).unwrap(), "12");
    }
}
