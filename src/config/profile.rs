//! The profile of a trading partner: one TOML document that names every peculiarity, each with a default.
//!
//! `docs/profile.md` explains every key around one whole specimen. A profile is read by [`Profile::parse`], which
//! reports every fault at once, and is applied to the database as a new version; each interchange records the version
//! it was judged by.

pub mod acknowledgment;
pub mod addresses;
pub mod changes;
pub mod checks;
pub mod connection;
pub mod deadlines;
#[cfg(test)]
mod documented;
pub mod documents;
pub mod envelope;
pub mod file_name;
pub mod invoice_document;
pub mod outbound;
pub mod response;
pub mod ship_notice;
mod summary;
pub mod template;

use std::collections::BTreeMap;
use std::fmt;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use supercargo_x12::Overlay;

use super::reading::{self, Fault};
use crate::domain::money::Currency;
use crate::domain::policy::{
    AllocationPolicy, CollectionPolicy, InvoicingPolicy, PackingPolicy, VerificationPolicy,
};

use acknowledgment::Acknowledgment;
use addresses::{OurAddress, PartnerAddress};
use connection::Connection;
use deadlines::Deadline;
use documents::{Documents, Duplicates};
use envelope::Envelope;
use invoice_document::InvoiceDocument;
use outbound::OutboundRule;
use response::Response;
use ship_notice::ShipNotice;

/// Everything agreed with one trading partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// Short unique name, `[a-z0-9-]`, 2 to 32 characters; never changed later. Required.
    pub partner: String,
    /// Name in words; `partner` where empty.
    pub name: String,
    /// What the partner is to us.
    pub kind: PartnerKind,
    /// Whether production traffic is taken.
    pub status: PartnerStatus,
    /// Currency of orders and invoices that name none.
    pub currency: Currency,
    /// The partner's time zone by its IANA name; its dates and deadlines are reckoned in it.
    pub time_zone: Tz,
    /// Our vendor number with this partner (REF IA), empty where there is none.
    pub vendor_number: String,
    /// Mail addresses of our own people who hear of this partner's rejected and held documents; empty: those of the
    /// settings.
    pub notify: Vec<String>,
    /// EDI addresses of the partner. At least one.
    pub address: Vec<PartnerAddress>,
    /// Our own EDI address as this partner knows it.
    pub us: OurAddress,
    /// How files come and go.
    pub connection: Connection,
    /// ISA, GS, delimiters and file names of what we send.
    pub envelope: Envelope,
    /// 997, 999 and TA1, ours and theirs.
    pub acknowledgment: Acknowledgment,
    /// What has been seen before.
    pub duplicates: Duplicates,
    /// Which transaction sets are taken and sent.
    pub documents: Documents,
    /// What each rule of verification leads to.
    pub verification: VerificationPolicy,
    /// How stock is promised.
    pub allocation: AllocationPolicy,
    /// How goods are packed.
    pub packing: PackingPolicy,
    /// How the partner is invoiced.
    pub invoicing: InvoicingPolicy,
    /// How payments are judged.
    pub collection: CollectionPolicy,
    /// The 855.
    pub response: Response,
    /// The 856.
    pub ship_notice: ShipNotice,
    /// The 810.
    pub invoice_document: InvoiceDocument,
    /// Changes to outbound documents, by set.
    pub outbound: BTreeMap<String, Vec<OutboundRule>>,
    /// Tables that outbound templates look values up in: name → (ours → theirs).
    pub cross_reference: BTreeMap<String, BTreeMap<String, String>>,
    /// Overlays of the base schemas by set, for what the partner's guide narrows or widens.
    pub guide: BTreeMap<String, Overlay>,
    /// When a document is due and what missing it costs, by set. Data only.
    pub clock: BTreeMap<String, Deadline>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            partner: String::new(),
            name: String::new(),
            kind: PartnerKind::Buyer,
            status: PartnerStatus::Live,
            currency: Currency::USD,
            time_zone: Tz::America__New_York,
            vendor_number: String::new(),
            notify: Vec::new(),
            address: Vec::new(),
            us: OurAddress::default(),
            connection: Connection::default(),
            envelope: Envelope::default(),
            acknowledgment: Acknowledgment::default(),
            duplicates: Duplicates::default(),
            documents: Documents::default(),
            verification: VerificationPolicy::default(),
            allocation: AllocationPolicy::default(),
            packing: PackingPolicy::default(),
            invoicing: InvoicingPolicy::default(),
            collection: CollectionPolicy::default(),
            response: Response::default(),
            ship_notice: ShipNotice::default(),
            invoice_document: InvoiceDocument::default(),
            outbound: BTreeMap::new(),
            cross_reference: BTreeMap::new(),
            guide: BTreeMap::new(),
            clock: BTreeMap::new(),
        }
    }
}

/// What a partner is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartnerKind {
    /// Orders from us and pays.
    #[default]
    Buyer,
    /// Keeps and ships our goods.
    #[serde(rename = "3pl")]
    ThirdPartyLogistics,
    /// Pays, or tells of payments, for others.
    Bank,
}

impl PartnerKind {
    /// The word in profiles and listings.
    pub fn word(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::ThirdPartyLogistics => "3pl",
            Self::Bank => "bank",
        }
    }
}

/// Whether production traffic is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartnerStatus {
    /// Test interchanges are acted on; production ones are held until the partner is live.
    Test,
    /// Both are acted on, each in its own world.
    #[default]
    Live,
}

impl PartnerStatus {
    /// The word in profiles and listings.
    pub fn word(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }
}

/// Why a profile was not taken: every fault of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileRefusal {
    /// In order of line, at least one.
    pub faults: Vec<Fault>,
}

impl fmt::Display for ProfileRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.faults.len();
        let noun = if count == 1 { "fault" } else { "faults" };
        write!(f, "the profile has {count} {noun} and was not taken:")?;
        for fault in &self.faults {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ProfileRefusal {}

impl Profile {
    /// Reads a profile and checks it whole.
    ///
    /// # Errors
    /// Every fault at once, each with its line, the key and what to write instead: text that is no TOML, unknown keys
    /// and words, values that can not stand, and keys that contradict one another.
    pub fn parse(text: &str) -> Result<Self, ProfileRefusal> {
        let reading = reading::read::<Self>(text);
        let mut faults = reading.faults;
        if let Some(profile) = &reading.value {
            let found = checks::check(profile, &reading.places);
            reading::add_unless_known(&mut faults, found);
        }
        match reading.value {
            Some(profile) if faults.is_empty() => Ok(profile),
            _ => Err(ProfileRefusal { faults }),
        }
    }

    /// The partner's name in words.
    pub fn display_name(&self) -> &str {
        if self.name.is_empty() {
            &self.partner
        } else {
            &self.name
        }
    }

    /// Whether we send this set to the partner.
    pub fn sends(&self, set: &str) -> bool {
        self.documents.send.iter().any(|sent| sent == set)
    }

    /// Whether we take this set from the partner. Acknowledgments are always taken.
    pub fn receives(&self, set: &str) -> bool {
        matches!(set, "997" | "999") || self.documents.receive.iter().any(|taken| taken == set)
    }

    /// Whether the partner answers this set of ours with an application advice (824) too.
    pub fn expects_advice(&self, set: &str) -> bool {
        self.acknowledgment
            .expect_advice
            .iter()
            .any(|answered| answered == set)
    }

    /// What the partner's guide says of this set beyond the standard, where it says anything.
    pub fn guide_of(&self, set: &str) -> Option<&Overlay> {
        self.guide.get(set)
    }

    /// Release in which we write this set, such as `004010`: for acknowledgments the one set for them, where one is.
    pub fn release_of(&self, set: &str) -> &str {
        let own = &self.acknowledgment.release;
        if matches!(set, "997" | "999") && !own.is_empty() {
            return own;
        }
        self.envelope
            .releases
            .get(set)
            .unwrap_or(&self.envelope.release)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::order::Mode;
    use connection::Route;

    const LEAST: &str = "partner = \"bigbuy\"\n[[address]]\nid = \"BIGBUY\"\n";

    fn refusal(text: &str) -> String {
        Profile::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_name_and_an_address_are_enough() {
        let profile = Profile::parse(LEAST).unwrap();
        assert_eq!(profile.display_name(), "bigbuy");
        assert_eq!(profile.route(), Route::Mailbox("bigbuy"));
        assert_eq!(profile.address[0].qualifier(), "ZZ");
        assert_eq!(profile.address[0].group_id(), "BIGBUY");
        assert!(profile.address[0].serves(Mode::Test));
        assert!(profile.sends("810") && profile.receives("850") && profile.receives("997"));
        assert_eq!(profile.release_of("856"), "004010");
    }

    #[test]
    fn what_was_written_is_read_again() {
        let profile = Profile::parse(LEAST).unwrap();
        let text = toml::to_string(&profile).unwrap();
        assert_eq!(Profile::parse(&text).unwrap(), profile, "{text}");
    }

    #[test]
    fn faults_of_reading_and_of_checking_come_together() {
        let told = refusal(
            "partner = \"Big Buy\"\nstatus = \"liv\"\n[connection]\nkind = \"sftp\"\n[connection.sftp]\nhost = \"h\"\npassword = \"p\"\n[envelope]\ncomponent = \"*\"\nrelease = \"003060\"\n[outbound]\n[[outbound.810]]\naction = \"add\"\nlevel = \"header\"\nsegment = \"REF\"\nelements = [\"VR\", \"{carton.sscc}\", \"{order.nothing}\"]\n",
        );
        for words in [
            "line 1, partner: \"Big Buy\" is no short name",
            "line 1, address: the partner has no EDI address",
            "line 2, status:",
            "Did you mean `live`?",
            "line 7, connection.sftp.password: secrets",
            "connection.sftp.user",
            "connection.sftp.host_key",
            "line 9, envelope.component: '*' is already the delimiter `element`",
            "line 10, envelope.release",
            "line 16, outbound.810[1].elements[3]",
            "an 810 has no value for {carton.sscc}",
        ] {
            assert!(told.contains(words), "{words} not in\n{told}");
        }
    }

    #[test]
    fn contradictions_are_told() {
        for (text, words) in [
            (
                "[acknowledgment]\nsend = \"999\"\n",
                "acknowledgment.send: a 999 does not exist",
            ),
            (
                "[acknowledgment]\ntolerate = [\"isa-date\"]\n",
                "acknowledgment.tolerate[1]: \"isa-date\" is no rule",
            ),
            (
                "[acknowledgment]\ntolerate = [\"element-to-long\"]\n",
                "Did you mean `element-too-long`?",
            ),
            (
                "[connection]\nkind = \"folder\"\n",
                "needs the table [connection.folder]",
            ),
            (
                "[connection.sftp]\nhost = \"h\"\n",
                "this table is for kind = \"sftp\"",
            ),
            (
                "[envelope]\nfile_name = \"{po}-{isa}\"\n",
                "the name has no {isa13}",
            ),
            (
                "[documents]\nsend = [\"997\"]\n",
                "the gateway does not send \"997\"",
            ),
            (
                "[duplicates]\norder_identity = []\n",
                "nothing tells one order from another",
            ),
            (
                "[invoicing]\nnumber_prefix = \"ABCDEF\"\nnumber_length_max = 8\n",
                "fewer than five digits",
            ),
            (
                "[invoicing.terms]\ndiscount_days = 40\nnet_days = 30\n",
                "the discount holds for 40 days",
            ),
            (
                "[[invoicing.charges]]\nkind = \"charge\"\ncode = \"D240\"\n",
                "either a percentage or a fixed amount",
            ),
            (
                "[[guide.850.element]]\nat = \"PO199X\"\ncodes = [\"A\"]\n",
                "cannot be read",
            ),
            (
                "[[guide.850.segment]]\nat = \"REF\"\n",
                "the rule about REF says nothing",
            ),
            (
                "[[outbound.810]]\naction = \"set\"\nlevel = \"pack\"\nsegment = \"TDS\"\n",
                "TDS is counted or added up",
            ),
            (
                "[[outbound.810]]\naction = \"add\"\nlevel = \"header\"\nsegment = \"REF\"\nelements = [\"{today|names}\"]\n",
                "looks up in the table `names`, which is not there",
            ),
            (
                "[clock.850]\nwithin_hours = 1\n",
                "there is no deadline for \"850\"",
            ),
        ] {
            let told = refusal(&format!("{LEAST}{text}"));
            assert!(told.contains(words), "{words} not in\n{told}");
        }
    }

    #[test]
    fn isa11_is_a_separator_only_where_the_version_has_one() {
        let mut profile = Profile::parse(LEAST).unwrap();
        assert_eq!(profile.envelope.isa11(), 'U');
        profile.envelope.release = "005010".to_owned();
        assert_eq!(profile.envelope.isa_version(), "00501");
        assert_eq!(profile.envelope.isa11(), '^');
    }
}
