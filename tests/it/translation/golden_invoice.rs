//! The 810, worked out by hand, from what the domain invoices.

use super::golden_ship_notice::{allocated, shipment};
use super::house::*;
use supercargo::config::profile::Profile;
use supercargo::config::settings::Company;
use supercargo::domain::finding::Finding;
use supercargo::domain::ids::InvoiceId;
use supercargo::domain::invoice::{Billed, Invoice, InvoiceBasis, InvoiceKind, invoices_of};
use supercargo::domain::money::Amount;
use supercargo::domain::order::Order;
use supercargo::domain::shipment::Shipment;
use supercargo::translation::crosscheck::invoice_against_shipment;
use supercargo::translation::invoice::{self, InvoiceContext};
use supercargo_x12::OutboundSet;

const PREFIX: &str = "[invoicing]\nnumber_prefix = \"INV\"\n";

struct Case {
    order: Order,
    shipment: Shipment,
    company: Company,
    invoices: Vec<Invoice>,
}

fn case(profile: &Profile) -> Case {
    let mut order = allocated(7, BIGBOX, profile);
    let shipment = shipment(&order);
    for ((_, line), quantity) in shipment.quantities() {
        order.line_mut(line).unwrap().shipped = quantity;
    }
    let billed = [Billed {
        shipment: &shipment,
        shipped_on: day("2026-01-12"),
    }];
    let invoices = invoices_of(&InvoiceBasis {
        order: &order,
        shipments: &billed,
        policy: &profile.invoicing,
        date: day("2026-01-12"),
        first_id: InvoiceId(1),
        first_number: 10001,
    })
    .unwrap();
    Case {
        order,
        shipment,
        company: company(),
        invoices,
    }
}

impl Case {
    fn build(&self, invoice: &Invoice, profile: &Profile) -> Result<OutboundSet, Vec<Finding>> {
        let shipments = &[&self.shipment];
        let context = InvoiceContext {
            company: &self.company,
            shipments,
        };
        let built = invoice::build(invoice, &self.order, profile, &context);
        if let Ok(set) = &built {
            assert_eq!(
                codes(&invoice_against_shipment(set, &self.order, shipments)),
                [""; 0]
            );
        }
        built
    }
}

/// The same goods given back.
fn credit(invoice: &Invoice) -> Invoice {
    Invoice {
        kind: InvoiceKind::Credit,
        total: invoice.total.negated(),
        ..invoice.clone()
    }
}

#[test]
fn an_invoice_of_a_shipment() {
    let profile = profile(PREFIX);
    let case = case(&profile);
    assert_eq!(case.invoices[0].total, Amount(38_600));
    assert_document(
        case.build(&case.invoices[0], &profile),
        include_str!("golden/810-invoice.edi"),
    );
}

#[test]
fn an_invoice_of_a_store_with_everything_in_it() {
    let profile = profile(&format!(
        "{PREFIX}per = \"store\"\norder_charges = false\n[invoice_document]\nkind_code = \"DI\"\nparties = [\"RE\", \"VN\", \"ST\", \"BY\"]\n\
         references = [\"CN\"]\ndiscount_base = \"always\"\ndiscount_amounts = true\ndescription = true\ncarrier = true\nshipped_units = true\n\
         location_qualifier = \"UL\"\n\
         [[outbound.810]]\naction = \"add\"\nlevel = \"header\"\nsegment = \"NTE\"\nelements = [\"GEN\", \"THANK YOU\"]\n\
         [[outbound.810]]\naction = \"add\"\nlevel = \"line\"\nsegment = \"REF\"\nelements = [\"SI\", \"{{shipment.number}}\"]"
    ));
    let case = case(&profile);
    let invoice = case
        .invoices
        .iter()
        .find(|invoice| invoice.store == "0001")
        .unwrap();
    assert_document(
        case.build(invoice, &profile),
        include_str!("golden/810-all-options.edi"),
    );
}

#[test]
fn rule_082_credits_in_either_sign() {
    for (sign, expected) in [
        ("positive", include_str!("golden/810-credit-positive.edi")),
        ("negative", include_str!("golden/810-credit-negative.edi")),
    ] {
        let profile = profile(&format!(
            "{PREFIX}[invoice_document]\ncredit_sign = \"{sign}\""
        ));
        let case = case(&profile);
        assert_document(case.build(&credit(&case.invoices[0]), &profile), expected);
    }
}

#[test]
fn rule_077_what_does_not_add_up_is_not_sent() {
    let plain = profile(PREFIX);
    let case = case(&plain);
    let mut wrong = case.invoices[0].clone();
    wrong.total = Amount(38_601);
    assert_eq!(
        codes(&case.build(&wrong, &plain).unwrap_err()),
        ["invoice-does-not-add-up"]
    );
    let mut wrong = case.invoices[0].clone();
    wrong.lines[0].unit_price = decimal("12.51");
    assert_eq!(
        codes(&case.build(&wrong, &plain).unwrap_err()),
        ["invoice-does-not-add-up"]
    );
    let rules = [
        (
            "action = \"set\"\nlevel = \"line\"\nsegment = \"IT1\"\nvalues = { 2 = \"5\" }",
            vec!["invoice-does-not-add-up"],
        ),
        (
            "action = \"set\"\nlevel = \"line\"\nsegment = \"IT1\"\nvalues = { 4 = \"5\" }",
            vec!["invoice-price-altered", "invoice-price-altered"],
        ),
        (
            "action = \"drop\"\nlevel = \"summary\"\nsegment = \"SAC\"",
            vec!["invoice-does-not-add-up"],
        ),
        (
            "action = \"drop\"\nlevel = \"line\"\nsegment = \"IT1\"",
            vec!["invoice-does-not-add-up"],
        ),
        (
            "action = \"add\"\nlevel = \"summary\"\nsegment = \"TXI\"\nelements = [\"ST\", \"5\"]",
            vec!["invoice-does-not-add-up"],
        ),
    ];
    for (rule, expected) in rules {
        let profile = profile(&format!("{PREFIX}[[outbound.810]]\n{rule}"));
        assert_eq!(
            codes(&case.build(&case.invoices[0], &profile).unwrap_err()),
            expected,
            "{rule}"
        );
    }
}

#[test]
fn charges_that_are_only_shown_are_not_summed() {
    let plain = profile(PREFIX);
    let text = BIGBOX.replace("SAC*A*C310***1000*******02", "SAC*A*C310***1000*******01");
    let mut case = case(&plain);
    case.order = {
        let mut order = allocated(7, &text, &plain);
        for line in &mut order.lines {
            line.shipped = line.confirmed;
        }
        order
    };
    let mut invoice = case.invoices[0].clone();
    invoice.charges[0].handling = "01".into();
    invoice.total = Amount(39_600);
    invoice.discount = Amount(792);
    let built = case.build(&invoice, &plain).unwrap();
    assert_sound(&built);
    assert!(super::house::text(&built).contains("TDS*39600~"));
}

#[test]
fn an_amount_that_no_n2_can_hold_is_refused() {
    let profile = profile(PREFIX);
    let mut case = case(&profile);
    let dinar = "KWD".parse().unwrap();
    case.order.header.currency = dinar;
    let mut invoice = case.invoices[0].clone();
    invoice.currency = dinar;
    invoice.total = Amount(386_001);
    assert!(codes(&case.build(&invoice, &profile).unwrap_err()).contains(&"amount-not-sendable"));
}

#[test]
fn differences_from_shipment_and_agreement_are_found() {
    let profile = profile(PREFIX);
    let case = case(&profile);
    let built = case.build(&case.invoices[0], &profile).unwrap();
    let shipments = &[&case.shipment];
    let table: [(&str, usize, &str, &str); 5] = [
        ("IT1", 2, "25", "invoice-more-than-shipped"),
        ("IT1", 3, "CA", "document-unit-differs"),
        ("IT1", 4, "12.49", "document-price-differs"),
        ("IT1", 7, "036000291469", "document-item-differs"),
        ("BIG", 1, "20260110", "invoice-before-shipping"),
    ];
    for (segment, element, value, code) in table {
        let mut altered = built.clone();
        let found = altered
            .segments
            .iter_mut()
            .find(|found| found.id == segment)
            .unwrap();
        *found = found.clone().at(element, value);
        assert_eq!(
            codes(&invoice_against_shipment(&altered, &case.order, shipments)),
            [code],
            "{segment}{element:02}"
        );
    }
}
