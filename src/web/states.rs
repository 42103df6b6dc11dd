//! The words that the console has for the states of the domain, and what each means to a person.

use super::show::{Chip, Tone, chip};

/// Turns a word of the database into one for people: `partly_shipped` → Partly shipped.
pub(crate) fn spoken(word: &str) -> String {
    let words = word.replace(['_', '-'], " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// The state of an order.
pub(crate) fn order(status: &str) -> Chip {
    let tone = match status {
        "held" => Tone::Warn,
        "rejected" => Tone::Bad,
        "backordered" => Tone::Warn,
        "invoiced" => Tone::Good,
        "shipped" => Tone::Good,
        "received" | "accepted" | "confirmed" | "partly_shipped" => Tone::Busy,
        _ => Tone::Quiet,
    };
    chip(tone, spoken(status))
}

/// The state of an order's line.
pub(crate) fn order_line(status: &str) -> Chip {
    let tone = match status {
        "rejected" => Tone::Bad,
        "backordered" => Tone::Warn,
        "invoiced" | "shipped" => Tone::Good,
        "confirmed" | "partly_shipped" => Tone::Busy,
        _ => Tone::Quiet,
    };
    chip(tone, spoken(status))
}

/// How a received document, interchange or file ended.
pub(crate) fn disposition(word: &str) -> Chip {
    let tone = match word {
        "processed" => Tone::Good,
        "held" => Tone::Warn,
        "rejected" => Tone::Bad,
        "duplicate" => Tone::Quiet,
        _ => Tone::Busy,
    };
    chip(tone, spoken(word))
}

/// What became of the bytes we sent.
pub(crate) fn delivery(word: &str) -> Chip {
    let tone = match word {
        "delivered" | "picked_up" => Tone::Good,
        "held" | "uncertain" => Tone::Warn,
        "queued" => Tone::Busy,
        "failed" => Tone::Bad,
        _ => Tone::Quiet,
    };
    chip(tone, spoken(word))
}

/// The syntactic answer of a document, which may be a 997, a 999 or a TA1. `overdue` is the clock against its due time.
pub(crate) fn syntax(word: &str, overdue: bool) -> Option<Chip> {
    let said = match word {
        "none" | "" => return None,
        "pending" if overdue => chip(Tone::Bad, "Acknowledgment overdue"),
        "pending" => chip(Tone::Quiet, "Not acknowledged yet"),
        "accepted" => chip(Tone::Good, "Acknowledged"),
        "accepted_with_errors" => chip(Tone::Warn, "Acknowledged with errors"),
        "partly_accepted" => chip(Tone::Warn, "Acknowledged in part"),
        "rejected" => chip(Tone::Bad, "Rejected by the partner"),
        other => chip(Tone::Quiet, spoken(other)),
    };
    Some(said)
}

/// What business said of a document.
pub(crate) fn application(word: &str) -> Option<Chip> {
    let said = match word {
        "none" | "" | "pending" => return None,
        "accepted" => chip(Tone::Good, "Taken into the books"),
        "accepted_with_change" => chip(Tone::Warn, "Taken with changes"),
        "rejected" => chip(Tone::Bad, "Refused by business"),
        other => chip(Tone::Quiet, spoken(other)),
    };
    Some(said)
}

/// The state of a shipment.
pub(crate) fn shipment(status: &str) -> Chip {
    let tone = match status {
        "planned" => Tone::Busy,
        "shipped" => Tone::Good,
        _ => Tone::Quiet,
    };
    chip(tone, spoken(status))
}

/// The state of an invoice, with the days it is past due where something is open.
pub(crate) fn invoice(status: &str, days_overdue: Option<i64>) -> Chip {
    match (status, days_overdue) {
        ("open" | "partially_paid", Some(days)) if days > 0 => {
            let what = if status == "open" {
                "Overdue"
            } else {
                "Partly paid, overdue"
            };
            chip(Tone::Bad, format!("{what} {days} d"))
        }
        ("open", _) => chip(Tone::Busy, "Open"),
        ("partially_paid", _) => chip(Tone::Warn, "Partly paid"),
        ("paid", _) => chip(Tone::Good, "Paid"),
        ("written_off", _) => chip(Tone::Quiet, "Written off"),
        (other, _) => chip(Tone::Quiet, spoken(other)),
    }
}

/// The state of a payment.
pub(crate) fn payment(status: &str) -> Chip {
    match status {
        "applied" => chip(Tone::Good, "Applied"),
        "unapplied" => chip(Tone::Warn, "Unapplied"),
        "held" => chip(Tone::Warn, "Held"),
        other => chip(Tone::Quiet, spoken(other)),
    }
}

/// The state of a deduction.
pub(crate) fn deduction(status: &str) -> Chip {
    let tone = match status {
        "open" => Tone::Warn,
        "disputed" => Tone::Busy,
        "recovered" => Tone::Good,
        _ => Tone::Quiet,
    };
    chip(tone, spoken(status))
}

/// The name of a transaction set.
pub(crate) fn set_name(code: &str) -> &'static str {
    match code {
        "850" => "Purchase order",
        "855" => "Order acknowledgment",
        "856" => "Ship notice",
        "810" => "Invoice",
        "820" => "Remittance",
        "860" => "Order change",
        "865" => "Change acknowledgment",
        "997" => "Functional acknowledgment",
        "999" => "Implementation acknowledgment",
        "TA1" => "Interchange acknowledgment",
        "824" => "Application advice",
        "846" => "Inventory advice",
        "864" => "Text message",
        "940" => "Warehouse order",
        "945" => "Warehouse shipping advice",
        "812" => "Credit or debit adjustment",
        "870" => "Order status",
        "180" => "Return",
        "816" => "Store list",
        "753" => "Routing request",
        "754" => "Routing instructions",
        "852" => "Product activity",
        _ => "Document",
    }
}

/// Why a buyer pays less, by the reasons of element 426 that we handle; the code itself otherwise.
pub(crate) fn deduction_reason(code: &str) -> String {
    let meaning = match code {
        "" => "No reason given",
        "01" => "Price differs",
        "04" => "Not accepted: damaged",
        "05" => "Not accepted: quality",
        "06" => "Quantity contested",
        "11" | "12" | "13" | "14" | "15" => "Returned goods",
        "19" => "Billed twice",
        "54" => "Freight",
        "55" => "Tax",
        "57" => "Volume allowance",
        "59" => "Goods not received",
        "70" => "Ship notice not received",
        "76" => "Cash discount",
        "79" => "Cooperative advertising",
        "82" => "Defective goods",
        "86" => "Paid twice before",
        "99" => "Shipped late",
        "A6" => "Packing rules broken",
        "A9" => "Proof of delivery missing",
        "B8" => "Routing rules broken",
        other => return spoken(other),
    };
    if code.is_empty() {
        meaning.to_owned()
    } else {
        format!("{meaning} ({code})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::{Application, Delivery, Disposition, Syntax};

    #[test]
    fn every_state_of_a_document_has_its_word() {
        for word in Disposition::ALL {
            assert!(!disposition(word.word()).0.text.is_empty());
        }
        for word in Delivery::ALL {
            assert!(!delivery(word.word()).0.text.is_empty());
        }
        for word in Syntax::ALL {
            assert_eq!(syntax(word.word(), false).is_none(), *word == Syntax::None);
        }
        for word in Application::ALL {
            let silent = matches!(word, Application::None | Application::Pending);
            assert_eq!(application(word.word()).is_none(), silent);
        }
    }

    #[test]
    fn overdue_is_the_clock_not_a_state() {
        assert_eq!(invoice("open", Some(3)).0.text, "Overdue 3 d");
        assert_eq!(invoice("open", Some(-3)).0.text, "Open");
        assert_eq!(invoice("paid", Some(40)).0.text, "Paid");
    }
}
