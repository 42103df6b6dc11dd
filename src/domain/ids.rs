//! Identities. Each is its own type, so that an order can not be handed where an invoice is meant.

use serde::{Deserialize, Serialize};

macro_rules! identity {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

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
