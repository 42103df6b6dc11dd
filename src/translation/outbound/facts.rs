//! What the profile's templates can look up in an outbound document.

use std::rc::Rc;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::super::element::{date_text, decimal_text};
use crate::config::profile::Profile;
use crate::config::profile::template::{
    CartonField, InvoiceField, LineField, OrderField, PartyField, ProfileField, ShipmentField,
    Source,
};
use crate::config::settings::Company;
use crate::domain::invoice::Invoice;
use crate::domain::order::{Order, OrderLine, Party};
use crate::domain::shipment::{Carton, Shipment, ShipmentState};

/// What is at hand at one place of a document. What is absent gives empty values.
#[derive(Clone)]
pub struct Facts<'a> {
    /// The partner's profile.
    pub profile: &'a Profile,
    /// Our company.
    pub company: &'a Company,
    /// Date of the document.
    pub today: NaiveDate,
    /// The orders that the place belongs to. A value is given only where all of them agree.
    pub orders: Rc<[&'a Order]>,
    /// The line.
    pub line: Option<&'a OrderLine>,
    /// The shipments, with the time zone of the warehouse. A value is given only where all agree.
    pub shipments: Rc<[(&'a Shipment, Tz)]>,
    /// The carton.
    pub carton: Option<&'a Carton>,
    /// The invoice.
    pub invoice: Option<&'a Invoice>,
}

impl<'a> Facts<'a> {
    /// Nothing but the profile, the company and the date.
    pub fn new(profile: &'a Profile, company: &'a Company, today: NaiveDate) -> Self {
        Self {
            profile,
            company,
            today,
            orders: Rc::default(),
            line: None,
            shipments: Rc::default(),
            carton: None,
            invoice: None,
        }
    }

    /// The value of a source.
    pub fn look_up(&self, source: &Source) -> Option<String> {
        match source {
            Source::Line(field) => self.line_value(*field),
            Source::LineItemNumber(qualifier) => self
                .line?
                .numbers
                .iter()
                .find(|number| number.qualifier == *qualifier)
                .map(|number| number.value.clone()),
            Source::LineReference(qualifier) => self
                .line?
                .references
                .iter()
                .find(|reference| reference.qualifier == *qualifier)
                .map(|reference| reference.value.clone()),
            Source::Shipment(field) => agreed(
                self.shipments
                    .iter()
                    .map(|(shipment, zone)| shipment_value(shipment, *zone, *field)),
            ),
            Source::Carton(field) => carton_value(self.carton?, *field),
            Source::Invoice(field) => invoice_value(self.invoice?, *field),
            Source::Profile(field) => Some(self.profile_value(*field)),
            Source::Today => Some(date_text(self.today)),
            of_order => agreed(
                self.orders
                    .iter()
                    .map(|order| self.order_source(order, of_order)),
            ),
        }
    }

    fn order_source(&self, order: &Order, source: &Source) -> Option<String> {
        let header = &order.header;
        match source {
            Source::Order(field) => self.order_value(order, *field),
            Source::OrderReference(qualifier) => header.reference(qualifier).map(str::to_owned),
            Source::OrderDate(qualifier) => order_date(order, qualifier).map(date_text),
            Source::OrderParty(role, field) => {
                header.party(role).map(|party| party_value(party, *field))
            }
            Source::OrderContact(role, kind) => header
                .contacts
                .iter()
                .filter(|contact| contact.role == *role)
                .find_map(|contact| {
                    if kind == "name" {
                        return Some(contact.name.clone());
                    }
                    contact
                        .numbers
                        .iter()
                        .find(|(known, _)| known == kind)
                        .map(|(_, number)| number.clone())
                }),
            _ => None,
        }
    }

    fn order_value(&self, order: &Order, field: OrderField) -> Option<String> {
        let header = &order.header;
        let value = match field {
            OrderField::PoNumber => &header.po_number,
            OrderField::PoDate => return Some(date_text(header.po_date)),
            OrderField::Release => &header.release,
            OrderField::Kind => &header.kind,
            OrderField::Department => &header.department,
            OrderField::VendorNumber if header.vendor_number.is_empty() => {
                &self.profile.vendor_number
            }
            OrderField::VendorNumber => &header.vendor_number,
            OrderField::Freight => &header.freight,
            OrderField::Carrier => &header.carrier,
            OrderField::Routing => &header.routing,
            OrderField::Currency => return Some(header.currency.to_string()),
            OrderField::Number => return Some(order.id.to_string()),
        };
        Some(value.clone())
    }

    fn line_value(&self, field: LineField) -> Option<String> {
        let line = self.line?;
        let accepted = line.accepted.as_ref();
        Some(match field {
            LineField::BuyerLine => line.buyer_line.clone(),
            LineField::Number => line.line.to_string(),
            LineField::Item => accepted?.item_code.clone(),
            LineField::Upc => accepted?.upc.clone(),
            LineField::Description if line.description.is_empty() => accepted?.description.clone(),
            LineField::Description => line.description.clone(),
            LineField::Unit => line.unit.clone(),
            LineField::CasePack => decimal_text(accepted?.case_pack?),
        })
    }

    fn profile_value(&self, field: ProfileField) -> String {
        match field {
            ProfileField::VendorNumber => self.profile.vendor_number.clone(),
            ProfileField::Name => self.profile.display_name().to_owned(),
            ProfileField::Id => self
                .profile
                .address
                .first()
                .map(|address| address.id.clone())
                .unwrap_or_default(),
            ProfileField::OurId if self.profile.us.id.is_empty() => self.company.id.clone(),
            ProfileField::OurId => self.profile.us.id.clone(),
            ProfileField::OurName => self.company.name.clone(),
        }
    }
}

/// The value that all have; none where they differ.
fn agreed(mut values: impl Iterator<Item = Option<String>>) -> Option<String> {
    let first = values.next()??;
    values
        .all(|value| value.as_ref() == Some(&first))
        .then_some(first)
}

fn order_date(order: &Order, qualifier: &str) -> Option<NaiveDate> {
    let dates = &order.header.dates;
    match qualifier {
        "037" => dates.ship_not_before,
        "010" => dates.ship_requested,
        "038" => dates.ship_no_later,
        "002" => dates.delivery_requested,
        "001" => dates.cancel_after,
        other => dates.other.get(other).copied(),
    }
}

fn party_value(party: &Party, field: PartyField) -> String {
    match field {
        PartyField::Name => party.name.clone(),
        PartyField::Id => party.id.clone(),
        PartyField::IdQualifier => party.id_qualifier.clone(),
        PartyField::Street => party.street.first().cloned().unwrap_or_default(),
        PartyField::City => party.city.clone(),
        PartyField::State => party.state.clone(),
        PartyField::PostalCode => party.postal_code.clone(),
        PartyField::Country => party.country.clone(),
    }
}

fn shipment_value(shipment: &Shipment, zone: Tz, field: ShipmentField) -> Option<String> {
    Some(match field {
        ShipmentField::Number => super::super::ship_notice::number(shipment),
        ShipmentField::BillOfLading => shipment.bill_of_lading.clone(),
        ShipmentField::Carrier => shipment.carrier.clone(),
        ShipmentField::Tracking => shipment.tracking.clone(),
        ShipmentField::ShippedOn => match shipment.state {
            ShipmentState::Shipped { at } => date_text(at.with_timezone(&zone).date_naive()),
            _ => return None,
        },
        ShipmentField::ExpectedOn => date_text(shipment.expected_delivery?),
        ShipmentField::Cartons => shipment.cartons.len().to_string(),
        ShipmentField::Warehouse => shipment.warehouse_code.clone(),
    })
}

fn carton_value(carton: &Carton, field: CartonField) -> Option<String> {
    Some(match field {
        CartonField::Sscc => carton.sscc.to_string(),
        CartonField::Store => carton.store.to_string(),
        CartonField::Tracking => carton.tracking.to_string(),
    })
}

fn invoice_value(invoice: &Invoice, field: InvoiceField) -> Option<String> {
    Some(match field {
        InvoiceField::Number => invoice.number.clone(),
        InvoiceField::Date => date_text(invoice.date),
        InvoiceField::Due => date_text(invoice.due),
        InvoiceField::Total => decimal_text(invoice.total.to_decimal(invoice.currency)),
        InvoiceField::Store => invoice.store.clone(),
    })
}
