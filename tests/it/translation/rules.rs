//! The profile's own changes to outbound documents.

use super::golden_ship_notice::{allocated, shipment, warehouse};
use super::house::*;
use std::collections::BTreeMap;
use supercargo::config::profile::Profile;
use supercargo::domain::finding::Finding;
use supercargo::translation::judge::outbound_findings;
use supercargo::translation::response::{self, ResponseContext};
use supercargo::translation::ship_notice::{self, ShipNoticeContext};
use supercargo_x12::OutboundSet;

fn response(profile: &Profile, text: &str) -> Result<OutboundSet, Vec<Finding>> {
    let mut order = verified(order(7, text, profile));
    for line in &mut order.lines {
        line.confirmed = line.ordered;
    }
    let company = company();
    let context = ResponseContext {
        company: &company,
        answer_number: 1,
        date: day("2026-01-06"),
        previous: None,
        left: &NOTHING,
    };
    response::build(&order, profile, &context)
}

fn rule(text: &str) -> Profile {
    profile(&format!("[[outbound.855]]\n{text}"))
}

/// The segments of an 855 that begin with one of the prefixes.
fn segments(profile: &Profile, prefixes: &[&str]) -> Vec<String> {
    let built = response(profile, BIGBOX).unwrap();
    assert_sound(&built);
    text(&built)
        .lines()
        .filter(|line| prefixes.iter().any(|prefix| line.starts_with(prefix)))
        .map(|line| line.trim_end_matches('~').to_owned())
        .collect()
}

#[test]
fn values_are_echoed_from_the_order() {
    for (elements, segment) in [
        (r#"["MR", "{order.reference.MR}"]"#, "REF*MR*0073"),
        (
            r#"["ZZ", "{order.party.BT.name}"]"#,
            "REF*ZZ*BIG BOX PAYABLES",
        ),
        (r#"["ZZ", "{order.contact.BD.TE}"]"#, "REF*ZZ*5551234567"),
        (
            r#"["ZZ", "{order.date.037}-{order.po_date}"]"#,
            "REF*ZZ*20260112-20260105",
        ),
        (
            r#"["ZZ", "{partner.our_id}/{today}"]"#,
            "REF*ZZ*SUPERCARGO/20260106",
        ),
    ] {
        let profile = rule(&format!(
            "action = \"add\"\nlevel = \"header\"\nsegment = \"REF\"\nelements = {elements}"
        ));
        assert_eq!(segments(&profile, &["REF*ZZ", "REF*MR"]), [segment]);
    }
}

#[test]
fn an_added_segment_stands_in_the_standards_place() {
    let profile = rule(
        "action = \"add\"\nlevel = \"line\"\nsegment = \"REF\"\nelements = [\"SE\", \"{line.item}\"]",
    );
    let lines = segments(&profile, &["PO1*1", "REF*SE*OUR-1", "ACK*IA*24"]);
    assert_eq!(lines[1], "REF*SE*OUR-1");
}

#[test]
fn what_is_empty_is_skipped_or_holds() {
    let add = "action = \"add\"\nlevel = \"header\"\nsegment = \"REF\"\nelements = [\"PD\", \"{order.reference.PD}\"]";
    assert_eq!(segments(&rule(add), &["REF*PD"]), [""; 0]);
    let findings = response(&rule(&format!("{add}\nwhen_empty = \"hold\"")), BIGBOX).unwrap_err();
    assert_eq!(codes(&findings), ["outbound-value-missing"]);
    assert!(
        findings[0].message.contains("{order.reference.PD}")
            && findings[0].message.contains("outbound.855[1]"),
        "{}",
        findings[0].message
    );
}

#[test]
fn elements_are_set_and_segments_left_out() {
    let set = rule(
        "action = \"set\"\nlevel = \"header\"\nsegment = \"REF\"\nqualifier = \"IA\"\nvalues = { 1 = \"VR\", 03 = \"OURS\" }",
    );
    assert_eq!(
        segments(&set, &["REF"]),
        ["REF*DP*077", "REF*VR*123456*OURS"]
    );
    let drop = rule("action = \"drop\"\nlevel = \"header\"\nsegment = \"N1\"");
    assert_eq!(segments(&drop, &["N1", "N3", "N4"]), [""; 0]);
}

#[test]
fn a_table_translates() {
    let profile = profile(
        "[cross_reference.department]\n\"077\" = \"GARDEN\"\n[[outbound.855]]\naction = \"set\"\nlevel = \"header\"\nsegment = \"REF\"\nqualifier = \"DP\"\nvalues = { 2 = \"{order.department|department}\" }",
    );
    assert_eq!(segments(&profile, &["REF*DP"]), ["REF*DP*GARDEN"]);
}

#[test]
fn text_is_cleaned_and_numbers_are_refused() {
    let profile = profile("[envelope]\nelement = \"|\"\n");
    let built = response(&profile, &BIGBOX.replace("CENTRAL DC", "CAF\u{c9} | DC")).unwrap();
    assert!(text(&built).contains("N1*ST*CAFE DC*92*0100~"));
    let built = response(&profile, &BIGBOX.replace("4500123456", "45|123")).unwrap();
    let findings = outbound_findings(&built, &profile);
    assert_eq!(codes(&findings), ["outbound-character"]);
    assert_eq!(
        (
            findings[0].place.segment.as_deref(),
            findings[0].place.element
        ),
        (Some("BAK"), Some(3))
    );
}

#[test]
fn levels_of_a_ship_notice_have_their_own_values() {
    let profile = profile(
        "[[outbound.856]]\naction = \"add\"\nlevel = \"pack\"\nsegment = \"REF\"\nelements = [\"ZZ\", \"{carton.sscc}-{carton.store}\"]\n\
         [[outbound.856]]\naction = \"add\"\nlevel = \"order\"\nsegment = \"REF\"\nelements = [\"MR\", \"{order.reference.MR}\"]\n\
         [[outbound.856]]\naction = \"add\"\nlevel = \"shipment\"\nsegment = \"TD3\"\nelements = [\"TL\", \"\", \"{shipment.tracking}\"]\n\
         [[outbound.856]]\naction = \"set\"\nlevel = \"shipment\"\nsegment = \"BSN\"\nvalues = { 5 = \"0001\" }\n\
         [[outbound.856]]\naction = \"add\"\nlevel = \"item\"\nsegment = \"REF\"\nelements = [\"LI\", \"{line.number}\"]",
    );
    let order = allocated(7, BIGBOX, &profile);
    let company = company();
    let context = ShipNoticeContext {
        company: &company,
        at: instant("2026-01-12T15:30:00Z"),
    };
    let built = ship_notice::build(
        &shipment(&order),
        std::slice::from_ref(&order),
        &warehouse(),
        &BTreeMap::new(),
        &profile,
        &context,
    )
    .unwrap();
    assert_sound(&built);
    let written = text(&built);
    for (segment, times) in [
        ("REF*ZZ*006141411234567890-0001~", 1),
        ("REF*MR*0073~", 1),
        ("TD3*TL**PRO99~", 1),
        ("REF*LI*1~", 2),
        ("REF*LI*2~", 1),
    ] {
        assert_eq!(
            written.matches(segment).count(),
            times,
            "{segment}\n{written}"
        );
    }
    assert!(
        written.contains("TD5*B*2*UPSN*M~\nTD3*TL**PRO99~\nREF*BM"),
        "{written}"
    );
}
