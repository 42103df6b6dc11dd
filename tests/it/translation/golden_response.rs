//! The 855, worked out by hand.

use super::house::*;
use chrono::NaiveDate;
use supercargo::config::profile::Profile;
use supercargo::config::settings::Company;
use supercargo::domain::finding::Finding;
use supercargo::domain::order::{LineRefusal, Order};
use supercargo::domain::shipment::Departures;
use supercargo::translation::crosscheck::response_against_order;
use supercargo::translation::response::{self, ResponseContext};
use supercargo_x12::OutboundSet;

fn context(company: &Company, date: NaiveDate) -> ResponseContext<'_> {
    ResponseContext {
        company,
        answer_number: 1,
        date,
        previous: None,
        left: &NOTHING,
    }
}

fn build(order: &Order, profile: &Profile) -> Result<OutboundSet, Vec<Finding>> {
    let built = response::build(order, profile, &context(&company(), day("2026-01-06")));
    if let Ok(set) = &built {
        assert_eq!(codes(&response_against_order(set, order, profile)), [""; 0]);
    }
    built
}

/// Line 1 in full, line 2 partly waiting, line 3 unknown.
fn changed(profile: &Profile) -> Order {
    let mut order = verified(order(7, BIGBOX, profile));
    decide(&mut order.lines[0], "24", "0", "0");
    decide(&mut order.lines[1], "4", "2", "0");
    order.lines[1].backorder_date = Some(day("2026-01-26"));
    decide(&mut order.lines[2], "0", "0", "10");
    order.lines[2].refusal = Some(LineRefusal::ItemUnknown);
    order.lines[2].accepted = None;
    order
}

fn accepted(profile: &Profile) -> Order {
    let mut order = verified(order(7, BIGBOX, profile));
    for line in &mut order.lines {
        line.confirmed = line.ordered;
    }
    order
}

#[test]
fn every_line_as_ordered() {
    let profile = profile("");
    assert_document(
        build(&accepted(&profile), &profile),
        include_str!("golden/855-accepted.edi"),
    );
}

#[test]
fn confirmed_backordered_and_refused_add_up() {
    let profile = profile("");
    assert_document(
        build(&changed(&profile), &profile),
        include_str!("golden/855-changed.edi"),
    );
}

#[test]
fn a_rejected_order_rejects_each_line() {
    let profile = profile("");
    let order = order(7, BIGBOX, &profile)
        .reject("no account".into())
        .unwrap();
    assert_document(
        build(&order, &profile),
        include_str!("golden/855-rejected.edi"),
    );
}

#[test]
fn a_dialect_of_codes_dates_and_one_answer_a_line() {
    let profile = profile(
        "[response]\npartial = \"single\"\nconfirmed_date = \"067\"\n[response.line_codes]\nprice_changed = \"DR\"\nout_of_stock = \"R4\"\n\
         [[outbound.855]]\naction = \"add\"\nlevel = \"header\"\nsegment = \"REF\"\nelements = [\"VN\", \"{order.number}\"]",
    );
    let mut order = changed(&profile);
    let line = order.lines[0].accepted.as_mut().unwrap();
    line.price_changed = true;
    line.stated_price.amount = decimal("12.75");
    line.unit_price = decimal("12.75");
    order.lines[2].refusal = Some(LineRefusal::OutOfStock);
    let company = company();
    let context = ResponseContext {
        answer_number: 2,
        previous: Some(1),
        ..context(&company, day("2026-01-06"))
    };
    let built = response::build(&order, &profile, &context);
    assert_eq!(
        codes(&response_against_order(
            built.as_ref().unwrap(),
            &order,
            &profile
        )),
        [""; 0]
    );
    assert_document(built, include_str!("golden/855-dialect.edi"));
}

#[test]
fn what_has_left_is_told_with_the_day_on_which_it_left() {
    let profile = profile("");
    let order = changed(&profile);
    let line = &order.lines[0];
    let (ordered, half) = (line.confirmed, line.confirmed / decimal("2"));
    let company = company();
    let mut left = Departures::new();
    let days = left.entry(line.line).or_default();
    days.insert(day("2025-12-30"), half);
    let acknowledged = |left: &Departures| -> Vec<String> {
        let context = ResponseContext {
            answer_number: 2,
            previous: Some(1),
            left,
            ..context(&company, day("2026-01-06"))
        };
        let built = response::build(&order, &profile, &context).unwrap();
        assert_eq!(
            codes(&response_against_order(&built, &order, &profile)),
            [""; 0]
        );
        let segments = text(&built);
        let of_line = segments.split("PO1*").nth(1).unwrap();
        let acks = of_line.split('~').map(str::trim);
        acks.filter(|segment| segment.starts_with("ACK*"))
            .map(|ack| {
                let elements: Vec<&str> = ack.split('*').collect();
                format!("{} {}", elements[2], elements[5])
            })
            .collect()
    };
    let said = acknowledged(&left);
    assert_eq!(said[0], format!("{} 20251230", half.normalize()));
    assert_eq!(said.len(), 2, "{said:?}");
    left.entry(line.line)
        .or_default()
        .insert(day("2025-12-30"), ordered);
    let said = acknowledged(&left);
    assert_eq!(said, [format!("{} 20251230", ordered.normalize())]);
    assert_ne!(acknowledged(&NOTHING)[0], said[0]);
}

/// BAK02 and the number of lines below it.
fn header(order: &Order, settings: &str) -> (String, usize) {
    let profile = profile(&format!("[response]\n{settings}"));
    let built = build(order, &profile).unwrap();
    assert_sound(&built);
    let written = text(&built);
    let bak = written.split('*').nth(4).unwrap().to_owned();
    (bak, written.matches("PO1*").count())
}

#[test]
fn rule_058_the_header_code_agrees_with_the_lines() {
    let plain = profile("");
    let (all, some) = (accepted(&plain), changed(&plain));
    let none = order(7, BIGBOX, &plain).reject("no".into()).unwrap();
    let mut cut = accepted(&plain);
    for line in &mut cut.lines {
        line.confirmed = decimal("0");
        line.refused = line.ordered;
        line.refusal = Some(LineRefusal::OutOfStock);
    }
    let table = [
        (&all, "", "AD", 3),
        (&all, "detail = \"none\"", "AK", 0),
        (&all, "detail = \"exceptions\"", "AD", 0),
        (&all, "accepted_code = \"AT\"", "AT", 0),
        (&some, "", "AC", 3),
        (&some, "detail = \"exceptions\"", "AC", 2),
        (&some, "detail = \"none\"", "AC", 2),
        (&some, "changed_code = \"AE\"", "AE", 2),
        (&none, "", "RD", 3),
        (&none, "detail = \"none\"", "RJ", 0),
        (&none, "rejected_code = \"RJ\"", "RJ", 0),
        // Nothing in stock is no refusal of the order: each line is cut.
        (&cut, "", "AC", 3),
    ];
    for (order, settings, code, lines) in table {
        assert_eq!(
            header(order, settings),
            (code.to_owned(), lines),
            "{settings}"
        );
    }
}

#[test]
fn an_order_that_is_not_decided_is_not_answered() {
    let profile = profile("");
    let mut order = changed(&profile);
    order.lines[1].backordered = decimal("0");
    assert_eq!(
        codes(&build(&order, &profile).unwrap_err()),
        ["line-undecided"]
    );
}

#[test]
fn differences_from_the_order_are_found() {
    let profile = profile("");
    let order = accepted(&profile);
    let built = build(&order, &profile).unwrap();
    let table: [(&str, usize, &str, &str); 6] = [
        ("ACK", 2, "23", "response-does-not-add-up"),
        ("PO1", 2, "25", "response-ordered-differs"),
        ("PO1", 3, "CA", "document-unit-differs"),
        ("PO1", 4, "12.49", "document-price-differs"),
        ("PO1", 9, "A-7", "document-item-differs"),
        ("BAK", 3, "4711", "response-other-order"),
    ];
    for (segment, element, value, code) in table {
        let mut altered = built.clone();
        let found = altered
            .segments
            .iter_mut()
            .find(|found| found.id == segment)
            .unwrap();
        *found = found.clone().at(element, value);
        let told = response_against_order(&altered, &order, &profile);
        assert_eq!(codes(&told), [code], "{segment}{element:02}");
    }
    let mut altered = built;
    let found = altered
        .segments
        .iter_mut()
        .find(|found| found.id == "ACK")
        .unwrap();
    *found = found.clone().at(1, "IQ");
    assert_eq!(
        codes(&response_against_order(&altered, &order, &profile)),
        ["response-code-contradicts"]
    );
}
