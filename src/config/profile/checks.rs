//! What no single key of a profile can tell: checks of values and across keys, every fault at once.

mod bounds;
mod connection;
mod guide;
mod outbound;
mod policies;

use supercargo_x12::{Level, Severity};

use super::Profile;
use super::acknowledgment::AcknowledgmentKind;
use super::documents::{RECEIVABLE_SETS, SENDABLE_SETS};
use crate::config::reading::{Fault, Places, is_mail_address, is_short_name};

/// Releases that the gateway reads and writes.
pub const RELEASES: &[&str] = &["004010", "005010"];

/// Faults as they are found.
struct Found<'a> {
    places: &'a Places,
    faults: Vec<Fault>,
}

impl Found<'_> {
    fn fault(&mut self, key: &str, what: impl Into<String>, instead: impl Into<String>) {
        self.faults.push(Fault {
            line: self.places.line(key),
            key: key.to_owned(),
            what: what.into(),
            instead: instead.into(),
        });
    }

    fn unless(
        &mut self,
        holds: bool,
        key: &str,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) {
        if !holds {
            self.fault(key, what, instead);
        }
    }
}

/// Every fault of a profile that could be read.
pub fn check(profile: &Profile, places: &Places) -> Vec<Fault> {
    let mut found = Found {
        places,
        faults: Vec::new(),
    };
    check_partner(profile, &mut found);
    check_addresses(profile, &mut found);
    connection::check(profile, &mut found);
    check_envelope(profile, &mut found);
    check_acknowledgment(profile, &mut found);
    check_tolerated(profile, &mut found);
    check_documents(profile, &mut found);
    guide::check(profile, &mut found);
    check_codes(profile, &mut found);
    policies::check(profile, &mut found);
    bounds::check(profile, &mut found);
    for (set, rules) in &profile.outbound {
        outbound::check(profile, set, rules, &mut found);
    }
    found.faults
}

fn check_partner(profile: &Profile, found: &mut Found<'_>) {
    found.unless(
        is_short_name(&profile.partner),
        "partner",
        if profile.partner.is_empty() {
            "the partner has no short name".to_owned()
        } else {
            format!("{:?} is no short name", profile.partner)
        },
        "Write partner = \"bigbuy\": small letters, digits and hyphens, 2 to 32 of them; it is how commands and files name the partner, and it never changes",
    );
    found.unless(
        profile.name.chars().count() <= 60,
        "name",
        "the name is longer than 60 characters",
        "Shorten it: it goes into N102 of documents",
    );
    for (index, address) in profile.notify.iter().enumerate() {
        found.unless(
            is_mail_address(address),
            &format!("notify[{}]", index + 1),
            format!("{address:?} is no mail address"),
            "Write name@domain",
        );
    }
}

fn check_addresses(profile: &Profile, found: &mut Found<'_>) {
    found.unless(
        !profile.address.is_empty(),
        "address",
        "the partner has no EDI address, so nothing that it sends would be known as its own",
        "Add [[address]] with qualifier = \"ZZ\" and id = \"…\": what stands in ISA05 and ISA06 of its files",
    );
    for (index, address) in profile.address.iter().enumerate() {
        let key = |name: &str| format!("address[{}].{name}", index + 1);
        check_qualifier(&key("qualifier"), &address.qualifier, found);
        found.unless(
            !address.id.is_empty(),
            &key("id"),
            "the address has no id",
            "Write what stands in ISA06 of the partner's files, without the blanks at its end",
        );
        check_id(&key("id"), &address.id, found);
        check_id(&key("gs_id"), &address.gs_id, found);
        let twice = profile.address[..index].iter().any(|other| {
            (other.qualifier(), &other.id, other.group_id(), other.mode)
                == (
                    address.qualifier(),
                    &address.id,
                    address.group_id(),
                    address.mode,
                )
        });
        found.unless(
            !twice,
            &format!("address[{}]", index + 1),
            "the same address stands here twice",
            "Take one out",
        );
    }
    check_qualifier("us.qualifier", &profile.us.qualifier, found);
    for (key, id) in [
        ("us.id", &profile.us.id),
        ("us.gs_id", &profile.us.gs_id),
        ("us.test_id", &profile.us.test_id),
        ("us.test_gs_id", &profile.us.test_gs_id),
    ] {
        check_id(key, id, found);
    }
}

fn check_qualifier(key: &str, qualifier: &str, found: &mut Found<'_>) {
    let fits = qualifier.len() == 2 && qualifier.bytes().all(|byte| byte.is_ascii_alphanumeric());
    found.unless(
        qualifier.is_empty() || fits,
        key,
        format!("{qualifier:?} is no qualifier of an interchange id"),
        "Write its two characters: ZZ mutually defined, 01 D-U-N-S, 08 communications id, 12 telephone, 14 D-U-N-S with suffix",
    );
}

fn check_id(key: &str, id: &str, found: &mut Found<'_>) {
    let printable = id.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    found.unless(
        id.len() <= 15 && printable && id.trim() == id,
        key,
        format!("{id:?} is no EDI id"),
        "Write up to 15 printable characters without blanks at either end; the gateway pads ISA06 itself",
    );
}

fn check_envelope(profile: &Profile, found: &mut Found<'_>) {
    let envelope = &profile.envelope;
    let mut used = vec![
        ("element", envelope.element),
        ("component", envelope.component),
        ("terminator", envelope.terminator),
    ];
    if envelope.isa11() != 'U' {
        used.push(("repetition", envelope.repetition));
    }
    for (index, (name, delimiter)) in used.iter().enumerate() {
        let key = format!("envelope.{name}");
        found.unless(
            delimiter.is_ascii() && !delimiter.is_ascii_alphanumeric() && *delimiter != ' ',
            &key,
            format!("{delimiter:?} can not be a delimiter"),
            "Write one ASCII character that is no letter, no digit and no blank",
        );
        if let Some((other, _)) = used[..index]
            .iter()
            .find(|(_, earlier)| earlier == delimiter)
        {
            found.fault(
                &key,
                format!("{delimiter:?} is already the delimiter `{other}`"),
                "Write another character",
            );
        }
    }
    let releases = std::iter::once(("envelope.release".to_owned(), &envelope.release)).chain(
        envelope
            .releases
            .iter()
            .map(|(set, release)| (format!("envelope.releases.{set}"), release)),
    );
    for (key, release) in releases {
        found.unless(
            RELEASES.contains(&release.as_str()),
            &key,
            format!("release {release:?} is not one the gateway writes"),
            format!("Write one of {}", RELEASES.join(", ")),
        );
    }
    let version = &envelope.isa_version;
    found.unless(
        version.is_empty() || (version.len() == 5 && version.bytes().all(|b| b.is_ascii_digit())),
        "envelope.isa_version",
        format!("{version:?} is no version of the interchange"),
        "Write five digits, such as \"00401\", or leave it out",
    );
    check_file_name(&envelope.file_name, found);
    let release = &profile.acknowledgment.release;
    found.unless(
        release.is_empty() || RELEASES.contains(&release.as_str()),
        "acknowledgment.release",
        format!("release {release:?} is not one the gateway writes"),
        format!("Write one of {}, or leave it out", RELEASES.join(", ")),
    );
}

/// Placeholders of a file name.
pub const FILE_NAME_PLACEHOLDERS: &[&str] =
    &["partner", "set", "isa13", "po", "reference", "date", "time"];

fn check_file_name(name: &str, found: &mut Found<'_>) {
    let key = "envelope.file_name";
    let placeholders = FILE_NAME_PLACEHOLDERS
        .iter()
        .map(|name| format!("{{{name}}}"))
        .collect::<Vec<_>>()
        .join(" ");
    found.unless(
        name.contains("{isa13}"),
        key,
        "the name has no {isa13}, so that one file could replace another",
        "Add {isa13}",
    );
    let mut rest = name;
    while let Some(start) = rest.find('{') {
        let end = rest[start..].find('}').map(|end| start + end);
        let inside = end.map(|end| &rest[start + 1..end]);
        match (inside, end) {
            (Some(inside), Some(end)) if FILE_NAME_PLACEHOLDERS.contains(&inside) => {
                rest = &rest[end + 1..];
            }
            _ => {
                found.fault(
                    key,
                    format!("{:?} is no placeholder", &rest[start..]),
                    format!("The placeholders are {placeholders}"),
                );
                return;
            }
        }
    }
    let plain = name
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "-_.{}".contains(letter));
    found.unless(
        plain && !name.starts_with('.'),
        key,
        "the name holds characters that not every system takes in a file name",
        "Write letters, digits, - _ . and placeholders",
    );
}

fn check_acknowledgment(profile: &Profile, found: &mut Found<'_>) {
    let is_999 = profile.acknowledgment.send == AcknowledgmentKind::ImplementationAcknowledgment;
    found.unless(
        !is_999 || profile.release_of("999") >= "005010",
        "acknowledgment.send",
        "a 999 does not exist in release 004010",
        "Write release = \"005010\" in [acknowledgment], or send = \"997\"",
    );
    for (index, set) in profile.acknowledgment.expect_advice.iter().enumerate() {
        let key = format!("acknowledgment.expect_advice[{}]", index + 1);
        found.unless(
            SENDABLE_SETS.contains(&set.as_str()),
            &key,
            format!("no 824 answers {set:?}"),
            format!("It answers what we send: {}", SENDABLE_SETS.join(", ")),
        );
        found.unless(
            profile.receives("824"),
            &key,
            "the partner's 824 are not taken",
            "Add \"824\" to documents.receive",
        );
    }
}

fn check_tolerated(profile: &Profile, found: &mut Found<'_>) {
    for (index, rule) in profile.acknowledgment.tolerate.iter().enumerate() {
        let of_a_set = matches!(rule.level(), Level::Set | Level::Segment | Level::Element);
        found.unless(
            of_a_set && rule.severity() == Severity::Reject,
            &format!("acknowledgment.tolerate[{}]", index + 1),
            format!("{:?} is no rule for which a set is rejected", rule.name()),
            "Rules of the envelope can not be set aside, and what is only noted needs not be",
        );
    }
}

fn check_documents(profile: &Profile, found: &mut Found<'_>) {
    for (name, sets, known) in [
        ("receive", &profile.documents.receive, RECEIVABLE_SETS),
        ("send", &profile.documents.send, SENDABLE_SETS),
    ] {
        for (index, set) in sets.iter().enumerate() {
            found.unless(
                known.contains(&set.as_str()),
                &format!("documents.{name}[{}]", index + 1),
                format!("the gateway does not {name} {set:?}"),
                format!(
                    "It knows here: {}. What we answer with (997, 999, TA1) is set in [acknowledgment]",
                    known.join(", ")
                ),
            );
        }
    }
    found.unless(
        !profile.duplicates.order_identity.is_empty(),
        "duplicates.order_identity",
        "nothing tells one order from another",
        "Write [\"po_number\"]",
    );
    for set in profile.clock.keys() {
        found.unless(
            ["997", "999", "855", "856", "810"].contains(&set.as_str()),
            &format!("clock.{set}"),
            format!("there is no deadline for {set:?}"),
            "Deadlines are for 997, 999, 855, 856 and 810",
        );
    }
}

fn check_codes(profile: &Profile, found: &mut Found<'_>) {
    let response = &profile.response;
    let header = [
        ("response.accepted_code", &response.accepted_code),
        ("response.changed_code", &response.changed_code),
        ("response.rejected_code", &response.rejected_code),
    ];
    for (key, code) in header {
        check_code(key, code, 2..=2, found);
    }
    for (name, code) in response.line_codes.all() {
        check_code(&format!("response.line_codes.{name}"), code, 2..=2, found);
    }
    for (key, code) in [
        ("response.confirmed_date", &response.confirmed_date),
        ("response.backorder_date", &response.backorder_date),
    ] {
        if !code.is_empty() {
            check_code(key, code, 3..=3, found);
        }
    }
    let notice = &profile.ship_notice;
    if !notice.structure_code.is_empty() && notice.structure_code != "none" {
        check_code(
            "ship_notice.structure_code",
            &notice.structure_code,
            4..=4,
            found,
        );
    }
    check_code("ship_notice.packaging", &notice.packaging, 3..=5, found);
    check_code(
        "ship_notice.pallet_packaging",
        &notice.pallet_packaging,
        3..=5,
        found,
    );
    check_code(
        "ship_notice.mark_for_role",
        &notice.mark_for_role,
        2..=3,
        found,
    );
    for (key, code) in [
        ("ship_notice.resend_purpose", &notice.resend_purpose),
        (
            "invoice_document.resend_purpose",
            &profile.invoice_document.resend_purpose,
        ),
    ] {
        found.unless(
            matches!(code.as_str(), "00" | "05"),
            key,
            format!("{code:?} is no purpose of a document that is sent again"),
            "Write 00 (original) or 05 (replace)",
        );
    }
    let lists = [
        ("ship_notice.references", &notice.references),
        ("ship_notice.order_references", &notice.order_references),
        (
            "invoice_document.parties",
            &profile.invoice_document.parties,
        ),
        (
            "invoice_document.references",
            &profile.invoice_document.references,
        ),
    ];
    for (key, codes) in lists {
        for (index, code) in codes.iter().enumerate() {
            check_code(&format!("{key}[{}]", index + 1), code, 2..=3, found);
        }
    }
    for (index, code) in notice.references.iter().enumerate() {
        found.unless(
            ["BM", "CN", "2I", "SI"].contains(&code.as_str()),
            &format!("ship_notice.references[{}]", index + 1),
            format!("{code:?} is no reference of a shipment that the gateway has"),
            "It has BM, CN, 2I and SI; others are added with [[outbound.856]]",
        );
    }
}

fn check_code(
    key: &str,
    code: &str,
    length: std::ops::RangeInclusive<usize>,
    found: &mut Found<'_>,
) {
    let fits =
        length.contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let span = if length.start() == length.end() {
        format!("{}", length.start())
    } else {
        format!("{} to {}", length.start(), length.end())
    };
    found.unless(
        fits,
        key,
        format!("{code:?} is no code"),
        format!("Write {span} letters or digits from the partner's guide"),
    );
}
