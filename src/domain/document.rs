//! A document's fate: three independent answers, beside held and superseded.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $spoken:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word in listings and in the database.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    other => Err(format!(
                        "{other:?} is no {}; write one of: {}",
                        $spoken,
                        [$($word),*].join(", ")
                    )),
                }
            }
        }
    };
}

words! {
    /// Received or sent.
    Direction, "direction" {
        /// From the partner.
        In = "in",
        /// To the partner.
        Out = "out",
    }
}

words! {
    /// How a received file, interchange or set ended.
    Disposition, "disposition" {
        /// Stored, not judged yet.
        Received = "received",
        /// Acted on.
        Processed = "processed",
        /// Waits for a person.
        Held = "held",
        /// Refused, and the sender told where it can be.
        Rejected = "rejected",
        /// Seen before; nothing happened again.
        Duplicate = "duplicate",
    }
}

words! {
    /// What became of the bytes we sent.
    Delivery, "word of delivery" {
        /// Built and stored, not in an interchange yet.
        Queued = "queued",
        /// Failed our own checks, or waits for a person: never transmitted.
        Held = "held",
        /// In the mailbox or pushed.
        Delivered = "delivered",
        /// The partner fetched or removed it.
        PickedUp = "picked_up",
        /// The connection broke where it may or may not have arrived: the same bytes go again.
        Uncertain = "uncertain",
        /// Replaced by a later one.
        Superseded = "superseded",
        /// Received documents are not delivered.
        None = "none",
    }
}

words! {
    /// What the partner's 997, 999 or TA1 said; of what we received, our own verdict, which ours tells.
    Syntax, "word of syntax" {
        /// No answer yet; of what we received, its interchange is held, and answered when it is replayed.
        Pending = "pending",
        /// A.
        Accepted = "accepted",
        /// E.
        AcceptedWithErrors = "accepted_with_errors",
        /// P: some sets of the group.
        PartlyAccepted = "partly_accepted",
        /// R.
        Rejected = "rejected",
        /// Nobody acknowledges this: a 997 itself, a file that is no X12, a held interchange that was dismissed.
        None = "none",
    }
}

words! {
    /// What the partner's business said (824), or ours of a received document.
    Application, "word of application" {
        /// Nothing said.
        Pending = "pending",
        /// Taken into the books.
        Accepted = "accepted",
        /// Taken with changes (855 with changed lines).
        AcceptedWithChange = "accepted_with_change",
        /// Refused.
        Rejected = "rejected",
        /// No such answer exists for this document; of what we received, it never came to the books.
        None = "none",
    }
}
