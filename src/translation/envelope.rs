//! Addresses and envelope of what we send to a partner.

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};
use supercargo_x12::{Address, Delimiters, Envelope, GroupVerdict, IsaHeader, is_application_code};

use super::outbound::delimiters;
use crate::config::profile::Profile;
use crate::config::profile::addresses::PartnerAddress;
use crate::config::settings::Company;
use crate::domain::order::Mode;

/// Who speaks to whom, in one world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// ISA05 of what we send.
    pub our_qualifier: String,
    /// ISA06.
    pub our_id: String,
    /// GS02.
    pub our_group_id: String,
    /// ISA07.
    pub their_qualifier: String,
    /// ISA08.
    pub their_id: String,
    /// GS03.
    pub their_group_id: String,
}

fn first<'a>(candidates: &[&'a str]) -> &'a str {
    candidates
        .iter()
        .find(|text| !text.is_empty())
        .copied()
        .unwrap_or_default()
}

impl Addresses {
    /// The addresses between us and a partner: our own as the partner knows us, or as the company says; the partner's
    /// first that serves the world.
    pub fn of(profile: &Profile, company: &Company, mode: Mode) -> Self {
        let first = profile.address.iter().find(|address| address.serves(mode));
        Self::to(first, profile, company, mode)
    }

    /// The addresses between us and the one of a partner's that an order came from, where it serves the world; its
    /// first otherwise.
    pub fn answering_order(
        profile: &Profile,
        company: &Company,
        mode: Mode,
        header: &IsaHeader,
        group: Option<&GroupVerdict>,
    ) -> Self {
        let serving = || {
            profile
                .address
                .iter()
                .filter(|address| address.serves(mode))
        };
        let mut same = serving().filter(|address| {
            address.qualifier() == header.sender_qualifier && address.id == header.sender
        });
        let by_group = group.and_then(|group| {
            same.clone()
                .find(|address| address.group_id() == group.sender)
        });
        let theirs = by_group
            .or_else(|| same.next())
            .or_else(|| serving().next());
        Self::to(theirs, profile, company, mode)
    }

    /// The addresses of an acknowledgment: those of what it answers, sender and receiver swapped. A TA1 has no group. A
    /// group's code that is blank, or can not be written with these separators, gives way to the one that was agreed upon:
    /// else the answer could never leave, nor whatever waits behind it.
    pub fn answering(
        header: &IsaHeader,
        group: Option<&GroupVerdict>,
        agreed: &Self,
        delimiters: &Delimiters,
    ) -> Self {
        let code = |code: Option<&String>, agreed: &String| {
            let fits = |code: &&String| is_application_code(code, delimiters);
            code.filter(fits).unwrap_or(agreed).clone()
        };
        Self {
            our_qualifier: header.receiver_qualifier.clone(),
            our_id: header.receiver.clone(),
            our_group_id: code(group.map(|group| &group.receiver), &agreed.our_group_id),
            their_qualifier: header.sender_qualifier.clone(),
            their_id: header.sender.clone(),
            their_group_id: code(group.map(|group| &group.sender), &agreed.their_group_id),
        }
    }

    /// Whether the other side is the one that speaks in this interchange.
    pub fn is_with(&self, header: &IsaHeader) -> bool {
        self.their_qualifier == header.sender_qualifier && self.their_id == header.sender
    }

    fn to(
        theirs: Option<&PartnerAddress>,
        profile: &Profile,
        company: &Company,
        mode: Mode,
    ) -> Self {
        let us = &profile.us;
        let (test_id, test_group) = match mode {
            Mode::Test => (us.test_id.as_str(), us.test_gs_id.as_str()),
            Mode::Production => ("", ""),
        };
        let our_id = first(&[test_id, &us.id, &company.id]);
        let our_group_id = if our_id == us.id || our_id == test_id {
            first(&[test_group, &us.gs_id, our_id])
        } else {
            first(&[test_group, &us.gs_id, &company.gs_id, our_id])
        };
        Self {
            our_qualifier: first(&[&us.qualifier, &company.qualifier, "ZZ"]).to_owned(),
            our_id: our_id.to_owned(),
            our_group_id: our_group_id.to_owned(),
            their_qualifier: theirs
                .map_or("ZZ", |address| address.qualifier())
                .to_owned(),
            their_id: theirs.map(|address| address.id.clone()).unwrap_or_default(),
            their_group_id: theirs
                .map(|address| address.group_id().to_owned())
                .unwrap_or_default(),
        }
    }

    /// The pair as one word: the scope of our control numbers.
    pub fn pair(&self) -> String {
        format!(
            "{}:{}>{}:{}",
            self.our_qualifier, self.our_id, self.their_qualifier, self.their_id
        )
    }
}

/// ISA and IEA of one interchange to a partner. `at` is the time by the partner's zone.
pub fn envelope(
    profile: &Profile,
    addresses: &Addresses,
    at: NaiveDateTime,
    isa13: u32,
    mode: Mode,
) -> Envelope {
    Envelope {
        sender: Address {
            qualifier: addresses.our_qualifier.clone(),
            id: addresses.our_id.clone(),
        },
        receiver: Address {
            qualifier: addresses.their_qualifier.clone(),
            id: addresses.their_id.clone(),
        },
        date: at.date(),
        time: at.time(),
        version: profile.envelope.isa_version().to_owned(),
        control_number: isa13,
        ack_requested: profile.envelope.request_ta1,
        usage: if mode == Mode::Test { 'T' } else { 'P' },
        delimiters: delimiters(&profile.envelope),
        ta1s: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(text: &str) -> Profile {
        Profile::parse(&format!(
            "partner = \"bigbuy\"\n{text}\n[[address]]\nid = \"BIGBUY\"\ngs_id = \"BUYGS\"\n"
        ))
        .unwrap()
    }

    #[test]
    fn our_address_is_the_companys_unless_the_partner_knows_another() {
        let company = Company {
            id: "SELLER".into(),
            gs_id: "SELLGS".into(),
            ..Company::default()
        };
        let table = [
            ("", Mode::Production, "SELLER", "SELLGS"),
            ("", Mode::Test, "SELLER", "SELLGS"),
            (
                "[us]\nid = \"VENDOR\"\ntest_id = \"VENDORT\"",
                Mode::Production,
                "VENDOR",
                "VENDOR",
            ),
            (
                "[us]\nid = \"VENDOR\"\ntest_id = \"VENDORT\"",
                Mode::Test,
                "VENDORT",
                "VENDORT",
            ),
        ];
        for (text, mode, id, group) in table {
            let addresses = Addresses::of(&profile(text), &company, mode);
            assert_eq!(
                (addresses.our_id.as_str(), addresses.our_group_id.as_str()),
                (id, group),
                "{text} {mode:?}"
            );
            assert_eq!(
                (
                    addresses.their_id.as_str(),
                    addresses.their_group_id.as_str()
                ),
                ("BIGBUY", "BUYGS")
            );
        }
    }
}
