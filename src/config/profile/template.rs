//! Where the value of an outbound element comes from: constant text with `{sources}` in it.
//!
//! `"{order.reference.MR}"` echoes a reference of the received order, `"{shipment.carrier|carrier}"` looks the carrier
//! up in the profile's cross-reference table `carrier`, `"VN"` is a constant, and they mix: `"DC-{order.party.ST.id}"`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Text with sources in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// In order.
    pub parts: Vec<Part>,
    text: String,
}

/// A piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Stands as it is.
    Constant(String),
    /// Is looked up.
    Value {
        /// What.
        source: Source,
        /// Name of the cross-reference table that translates it, where there is one. What the table lacks passes as
        /// it is.
        table: Option<String>,
    },
}

macro_rules! fields {
    ($(#[$doc:meta])* $name:ident, $prefix:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every source of this family as it is written in a profile.
            pub const ALL: &'static [(&'static str, Self)] = &[$((concat!($prefix, ".", $word), Self::$variant),)*];

            fn find(path: &str) -> Option<Self> {
                Self::ALL.iter().find(|(written, _)| *written == path).map(|(_, field)| *field)
            }
        }
    };
}

fields! {
    /// Single values of the order.
    OrderField, "order" {
        /// BEG03.
        PoNumber = "po_number",
        /// BEG05, CCYYMMDD.
        PoDate = "po_date",
        /// BEG04.
        Release = "release",
        /// BEG02.
        Kind = "kind",
        /// REF DP.
        Department = "department",
        /// REF IA, or the profile's vendor number.
        VendorNumber = "vendor_number",
        /// FOB01.
        Freight = "freight",
        /// Carrier asked for (TD503).
        Carrier = "carrier",
        /// Routing in words (TD505).
        Routing = "routing",
        /// Currency code.
        Currency = "currency",
        /// Our number of the order.
        Number = "number",
    }
}

fields! {
    /// Values of a party.
    PartyField, "party" {
        /// Name.
        Name = "name",
        /// N104.
        Id = "id",
        /// N103.
        IdQualifier = "id_qualifier",
        /// First street line.
        Street = "street",
        /// City.
        City = "city",
        /// State.
        State = "state",
        /// Postal code.
        PostalCode = "postal_code",
        /// Country.
        Country = "country",
    }
}

fields! {
    /// Single values of the order line at hand.
    LineField, "line" {
        /// PO101.
        BuyerLine = "buyer_line",
        /// Our line number.
        Number = "number",
        /// Our item code.
        Item = "item",
        /// UPC or GTIN.
        Upc = "upc",
        /// Description.
        Description = "description",
        /// Unit of measure.
        Unit = "unit",
        /// Base units in a case.
        CasePack = "case_pack",
    }
}

fields! {
    /// Values of the shipment.
    ShipmentField, "shipment" {
        /// Our number (BSN02).
        Number = "number",
        /// Bill of lading.
        BillOfLading = "bill_of_lading",
        /// SCAC.
        Carrier = "carrier",
        /// PRO or tracking number.
        Tracking = "tracking",
        /// Day it left, CCYYMMDD.
        ShippedOn = "shipped_on",
        /// Day it is expected, CCYYMMDD.
        ExpectedOn = "expected_on",
        /// Number of cartons.
        Cartons = "cartons",
        /// Code of the warehouse.
        Warehouse = "warehouse",
    }
}

fields! {
    /// Values of the carton at hand.
    CartonField, "carton" {
        /// SSCC-18.
        Sscc = "sscc",
        /// Store it is marked for.
        Store = "store",
        /// The carrier's number of it.
        Tracking = "tracking",
    }
}

fields! {
    /// Values of the invoice.
    InvoiceField, "invoice" {
        /// Number.
        Number = "number",
        /// Date, CCYYMMDD.
        Date = "date",
        /// Due date, CCYYMMDD.
        Due = "due",
        /// Total in major units.
        Total = "total",
        /// Store it is for.
        Store = "store",
    }
}

fields! {
    /// Values of the profile and of our company.
    ProfileField, "partner" {
        /// Our vendor number with the partner.
        VendorNumber = "vendor_number",
        /// Name of the partner.
        Name = "name",
        /// ISA id of the partner.
        Id = "id",
        /// Our ISA id.
        OurId = "our_id",
        /// Our company's name.
        OurName = "our_name",
    }
}

/// What a [`Part::Value`] looks up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `order.po_number` …
    Order(OrderField),
    /// `order.reference.MR`: a header reference (REF, N9) of the received order by qualifier.
    OrderReference(String),
    /// `order.date.010`: a header date (DTM) by qualifier, CCYYMMDD.
    OrderDate(String),
    /// `order.party.ST.id`: a party (N1) by role.
    OrderParty(String, PartyField),
    /// `order.contact.BD.TE`: a contact (PER) by role, and its number of a kind (TE, EM, FX) or `name`.
    OrderContact(String, String),
    /// `line.unit` …
    Line(LineField),
    /// `line.item_number.VN`: an identification of the line as the buyer wrote it, by qualifier.
    LineItemNumber(String),
    /// `line.reference.SE`: a reference of the line by qualifier.
    LineReference(String),
    /// `shipment.tracking` …
    Shipment(ShipmentField),
    /// `carton.sscc` …
    Carton(CartonField),
    /// `invoice.number` …
    Invoice(InvoiceField),
    /// `partner.vendor_number` …
    Profile(ProfileField),
    /// `today`: the date of the document, CCYYMMDD.
    Today,
}

/// The text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoTemplate {
    /// A brace stands alone.
    #[error(
        "in {0:?} a brace has no partner. Write {{{{ and }}}} for braces that are meant as such, and close each {{source}}"
    )]
    Brace(String),
    /// No such source.
    #[error("{source_name:?} is no source of a value. {near}")]
    Source {
        /// What was written.
        source_name: String,
        /// What there is.
        near: String,
    },
}

impl FromStr for Template {
    type Err = NoTemplate;

    fn from_str(text: &str) -> Result<Self, NoTemplate> {
        let alone = || NoTemplate::Brace(text.to_owned());
        let mut parts = Vec::new();
        let mut constant = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            constant.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                constant.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err(alone());
            }
            let end = rest.find('}').ok_or_else(alone)?;
            if !constant.is_empty() {
                parts.push(Part::Constant(std::mem::take(&mut constant)));
            }
            parts.push(value(&rest[..end])?);
            rest = &rest[end + 1..];
        }
        constant.push_str(rest);
        if !constant.is_empty() {
            parts.push(Part::Constant(constant));
        }
        Ok(Self {
            parts,
            text: text.to_owned(),
        })
    }
}

fn value(inside: &str) -> Result<Part, NoTemplate> {
    let (path, table) = match inside.split_once('|') {
        Some((path, table)) => (path.trim(), Some(table.trim().to_owned())),
        None => (inside.trim(), None),
    };
    let source = source(path).ok_or_else(|| NoTemplate::Source {
        source_name: path.to_owned(),
        near: known(path),
    })?;
    Ok(Part::Value { source, table })
}

fn source(path: &str) -> Option<Source> {
    let steps: Vec<&str> = path.split('.').collect();
    if steps.iter().any(|step| step.is_empty()) {
        return None;
    }
    match steps.as_slice() {
        ["today"] => Some(Source::Today),
        ["order", "reference", qualifier] => Some(Source::OrderReference((*qualifier).to_owned())),
        ["order", "date", qualifier] => Some(Source::OrderDate((*qualifier).to_owned())),
        ["order", "party", role, field] => PartyField::find(&format!("party.{field}"))
            .map(|field| Source::OrderParty((*role).to_owned(), field)),
        ["order", "contact", role, kind] => {
            Some(Source::OrderContact((*role).to_owned(), (*kind).to_owned()))
        }
        ["line", "item_number", qualifier] => Some(Source::LineItemNumber((*qualifier).to_owned())),
        ["line", "reference", qualifier] => Some(Source::LineReference((*qualifier).to_owned())),
        ["order", _] => OrderField::find(path).map(Source::Order),
        ["line", _] => LineField::find(path).map(Source::Line),
        ["shipment", _] => ShipmentField::find(path).map(Source::Shipment),
        ["carton", _] => CartonField::find(path).map(Source::Carton),
        ["invoice", _] => InvoiceField::find(path).map(Source::Invoice),
        ["partner", _] => ProfileField::find(path).map(Source::Profile),
        _ => None,
    }
}

/// Every source as it is written, for advice and documentation.
pub fn sources() -> Vec<String> {
    let words = |all: &[&'static str]| {
        all.iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    let mut list: Vec<String> = OrderField::ALL
        .iter()
        .map(|(word, _)| (*word).to_owned())
        .collect();
    list.extend(words(&[
        "order.reference.QUALIFIER",
        "order.date.QUALIFIER",
    ]));
    list.extend(
        PartyField::ALL
            .iter()
            .map(|(word, _)| word.replace("party.", "order.party.ROLE.")),
    );
    list.extend(words(&["order.contact.ROLE.name", "order.contact.ROLE.TE"]));
    list.extend(LineField::ALL.iter().map(|(word, _)| (*word).to_owned()));
    list.extend(words(&[
        "line.item_number.QUALIFIER",
        "line.reference.QUALIFIER",
    ]));
    list.extend(
        ShipmentField::ALL
            .iter()
            .map(|(word, _)| (*word).to_owned()),
    );
    list.extend(CartonField::ALL.iter().map(|(word, _)| (*word).to_owned()));
    list.extend(InvoiceField::ALL.iter().map(|(word, _)| (*word).to_owned()));
    list.extend(ProfileField::ALL.iter().map(|(word, _)| (*word).to_owned()));
    list.push("today".to_owned());
    list
}

fn known(path: &str) -> String {
    let family = path.split('.').next().unwrap_or_default();
    let near: Vec<String> = sources()
        .into_iter()
        .filter(|source| source.split('.').next() == Some(family))
        .collect();
    if near.is_empty() {
        "Sources begin with order, line, shipment, carton, invoice, partner, or are `today`"
            .to_owned()
    } else {
        format!("There are {}", near.join(", "))
    }
}

impl Template {
    /// The text as written in the profile.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The sources it looks up.
    pub fn sources(&self) -> impl Iterator<Item = (&Source, Option<&str>)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Value { source, table } => Some((source, table.as_deref())),
            Part::Constant(_) => None,
        })
    }

    /// The value. `look_up` gives a source's value, none where there is none; `translate` gives what a cross-reference
    /// table has for a value, none where it has nothing. A template whose every source is empty gives an empty text,
    /// constants or not, so that no qualifier stands without its value.
    pub fn render(
        &self,
        look_up: impl Fn(&Source) -> Option<String>,
        translate: impl Fn(&str, &str) -> Option<String>,
    ) -> String {
        let mut rendered = String::new();
        let mut sources = 0;
        let mut found = 0;
        for part in &self.parts {
            match part {
                Part::Constant(text) => rendered.push_str(text),
                Part::Value { source, table } => {
                    sources += 1;
                    let Some(value) = look_up(source).filter(|value| !value.is_empty()) else {
                        continue;
                    };
                    found += 1;
                    let translated = table.as_deref().and_then(|table| translate(table, &value));
                    rendered.push_str(&translated.unwrap_or(value));
                }
            }
        }
        if sources > 0 && found == 0 {
            return String::new();
        }
        rendered
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TemplateText)
    }
}

/// Parses within the visit, so that the reader knows the place of the fault.
struct TemplateText;

impl serde::de::Visitor<'_> for TemplateText {
    type Value = Template;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Template, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str) -> String {
        let template: Template = text.parse().unwrap();
        template.render(
            |source| match source {
                Source::Order(OrderField::PoNumber) => Some("4711".to_owned()),
                Source::OrderReference(qualifier) if qualifier == "MR" => Some("07".to_owned()),
                Source::Shipment(ShipmentField::Carrier) => Some("UPSN".to_owned()),
                _ => None,
            },
            |table, value| (table == "carrier" && value == "UPSN").then(|| "PARCEL".to_owned()),
        )
    }

    #[test]
    fn constants_sources_and_tables_mix() {
        for (text, value) in [
            ("VN", "VN"),
            ("", ""),
            ("{order.po_number}", "4711"),
            ("PO-{order.po_number}/{order.reference.MR}", "PO-4711/07"),
            ("{shipment.carrier|carrier}", "PARCEL"),
            ("{order.po_number|carrier}", "4711"),
            ("{{{order.po_number}}}", "{4711}"),
            ("DEPT {order.department}", ""),
        ] {
            assert_eq!(rendered(text), value, "{text}");
        }
    }

    #[test]
    fn what_is_no_template_is_told() {
        for (text, words) in [
            ("{order.po_number", "brace"),
            ("a}b", "brace"),
            ("{order.ponumber}", "order.po_number"),
            ("{nothing}", "Sources begin with"),
            ("{order.party.ST}", "order.party.ROLE.id"),
        ] {
            let refusal = text.parse::<Template>().unwrap_err().to_string();
            assert!(refusal.contains(words), "{text}: {refusal}");
        }
    }

    #[test]
    fn every_listed_source_is_one() {
        for source in sources() {
            let text = format!("{{{source}}}");
            assert!(text.parse::<Template>().is_ok(), "{text}");
        }
    }
}
