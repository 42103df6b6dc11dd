//! The sample partners' own orders, answered, shipped and invoiced under their profiles: nothing that we would send them
//! breaks X12, their guide, or the documents before it.

use super::golden_ship_notice::warehouse;
use super::house::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use supercargo::config::profile::Profile;
use supercargo::domain::gs1::sscc18;
use supercargo::domain::ids::{CompanyId, InvoiceId, PartnerId, ShipmentId, WarehouseId};
use supercargo::domain::invoice::{Billed, InvoiceBasis, invoices_of};
use supercargo::domain::order::{LineRefusal, LineSource, Mode, Order};
use supercargo::domain::packing::pack;
use supercargo::domain::shipment::{Shipment, ShipmentState};
use supercargo::translation::invoice::{self, InvoiceContext};
use supercargo::translation::judge::outbound_findings;
use supercargo::translation::purchase_order;
use supercargo::translation::response::{self, ResponseContext};
use supercargo::translation::ship_notice::{self, ShipNoticeContext};
use supercargo_x12::{Event, OutboundSet, Reader};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// Every sample order of a partner, as it is read.
fn orders(partner: &str, profile: &Profile) -> Vec<Order> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join("samples").join(partner))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "edi"))
        .collect();
    files.sort();
    let mut orders = Vec::new();
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let mut reader = Reader::new(&bytes[..]);
        while let Some(event) = reader.next().unwrap() {
            let Event::Set(set) = event else { continue };
            // The one with the syntax fault is rejected by its 997 and never comes here.
            let Ok(read) = purchase_order::read(set, profile) else {
                continue;
            };
            if !read.findings.is_empty() {
                continue;
            }
            let template = order(7, BIGBOX, profile);
            orders.push(Order {
                header: read.header.into(),
                lines: read.lines,
                findings: read.findings,
                ..template
            });
        }
    }
    orders
}

/// Everything confirmed out of one warehouse; with `short`, one unit of the first line waits and the last line is cut.
fn allocated(order: Order, short: bool) -> Order {
    let mut order = verified(order);
    let last = order.lines.len();
    for (index, line) in order.lines.iter_mut().enumerate() {
        line.confirmed = line.ordered;
        if short && index == 0 && line.ordered > decimal("1") {
            line.confirmed = line.ordered - decimal("1");
            line.backordered = decimal("1");
            line.backorder_date = Some(day("2026-01-25"));
        }
        if short && index > 0 && index + 1 == last {
            line.refused = line.ordered;
            line.confirmed = decimal("0");
            line.refusal = Some(LineRefusal::OutOfStock);
        }
        line.sources = vec![LineSource {
            warehouse: WarehouseId(1),
            quantity: line.confirmed,
            released: decimal("0"),
            stores: Default::default(),
        }];
    }
    order
}

fn shipped(order: &mut Order, profile: &Profile) -> Shipment {
    let mut cartons = pack(order, WarehouseId(1), &profile.packing);
    for (serial, carton) in (1..).zip(&mut cartons) {
        carton.sscc = sscc18(0, "0614141", serial).unwrap();
    }
    let shipment = Shipment {
        id: ShipmentId(42),
        company: CompanyId(1),
        partner: PartnerId(1),
        mode: Mode::Production,
        warehouse: WarehouseId(1),
        warehouse_code: "EAST".into(),
        ship_to: order.header.party("ST").cloned().unwrap_or_default(),
        cartons,
        carrier: profile.packing.carrier.clone(),
        tracking: "PRO99".into(),
        bill_of_lading: "BOL42".into(),
        not_before: None,
        not_after: None,
        expected_delivery: Some(day("2026-01-15")),
        window_override: None,
        state: ShipmentState::Shipped {
            at: instant("2026-01-12T15:30:00Z"),
        },
        revision: 2,
    };
    for ((_, line), quantity) in shipment.quantities() {
        order.line_mut(line).unwrap().shipped = quantity;
    }
    shipment
}

fn documents(mut order: Order, profile: &Profile) -> Vec<OutboundSet> {
    let company = company();
    let at = instant("2026-01-12T15:30:00Z");
    let context = ResponseContext {
        company: &company,
        answer_number: 1,
        date: day("2026-01-06"),
        previous: None,
        left: &NOTHING,
    };
    let mut built = vec![response::build(&order, profile, &context)];
    let shipment = shipped(&mut order, profile);
    if !shipment.cartons.is_empty() {
        let context = ShipNoticeContext {
            company: &company,
            at,
        };
        let orders = std::slice::from_ref(&order);
        let nowhere = BTreeMap::new();
        built.push(ship_notice::build(
            &shipment,
            orders,
            &warehouse(),
            &nowhere,
            profile,
            &context,
        ));
        let billed = [Billed {
            shipment: &shipment,
            shipped_on: day("2026-01-12"),
        }];
        let basis = InvoiceBasis {
            order: &order,
            shipments: &billed,
            policy: &profile.invoicing,
            date: day("2026-01-12"),
            first_id: InvoiceId(1),
            first_number: 10001,
        };
        let context = InvoiceContext {
            company: &company,
            shipments: &[&shipment],
        };
        built.extend(
            invoices_of(&basis)
                .unwrap()
                .iter()
                .map(|invoice| invoice::build(invoice, &order, profile, &context)),
        );
    }
    built
        .into_iter()
        .map(|built| {
            built.unwrap_or_else(|findings| {
                panic!("{} refused: {findings:#?}", order.header.po_number)
            })
        })
        .collect()
}

#[test]
fn what_sample_partners_get_is_sound() {
    let mut judged = 0;
    for partner in ["bigmart", "freshway", "dropmart"] {
        let path = root()
            .join("config/partners")
            .join(format!("{partner}.toml"));
        let profile = Profile::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
        for order in orders(partner, &profile) {
            for short in [false, true] {
                for set in documents(allocated(order.clone(), short), &profile) {
                    let told: Vec<String> = outbound_findings(&set, &profile)
                        .iter()
                        .map(|found| format!("{}: {}", found.code, found.message))
                        .collect();
                    assert!(
                        told.is_empty(),
                        "{partner} {}: {}",
                        set.code,
                        told.join("\n")
                    );
                    judged += 1;
                }
            }
        }
    }
    assert!(judged > 50, "{judged}");
}
