//! A partner's guide: every kind of rule, kept and broken, and where in the set it is judged.

use supercargo_x12::{
    Delimiters, Origin, Overlay, Release, SchemaRegistry, Severity, read_set, validate_set,
};

const ORDER: &str = concat!(
    "ST*850*0001~BEG*00*SA*4711**20260115~REF*DP*045~REF*IA*77~",
    "N1*ST*STORE 12*92*0012~N3*1 MAIN~N4*RENO*NV*89501~N1*BY*BUYER*92*0001~",
    "PO1*1*12*EA*8.5**UP*012345678905~PID*F****HINGE~N1*MK*STORE*92*0031~N3*2 SIDE~",
    "PO1*2*1*CA*24**UP*012345678912~PO4*12~CTT*2*13~SE*15*0001~"
);

const NOTICE: &str = concat!(
    "ST*856*0001~BSN*00*1*20260115*1230~",
    "HL*1**S~TD1*CTN*2~REF*BM*99~HL*2*1*O~PRF*4711~HL*3*1*O~HL*4*2*I~LIN**UP*012345678905~SN1**12*EA~CTT*4~SE*13*0001~"
);

/// The guide's findings, each by rule, segment and position, element.
fn found(text: &str, release: Release, guide: &str) -> Vec<String> {
    let delimiters = Delimiters {
        repetition: (release >= Release::R005010).then_some(b'^'),
        ..Delimiters::default()
    };
    let set = read_set(text.as_bytes(), &delimiters, 0).unwrap();
    let guide: Overlay = serde_json::from_str(guide).unwrap();
    let registry = SchemaRegistry::standard();
    let plain = validate_set(registry, release, &set, None);
    let all = validate_set(registry, release, &set, Some(&guide));
    let (guides, standards): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|finding| finding.origin == Origin::Guide);
    assert_eq!(
        standards, plain,
        "the standard's findings are not the guide's business"
    );
    guides
        .iter()
        .map(|finding| {
            assert_eq!(finding.severity, Severity::Hold);
            format!(
                "{} {}@{}{}",
                finding.rule.name(),
                finding.segment.as_deref().unwrap_or_default(),
                finding.segment_index.unwrap_or_default(),
                finding
                    .element
                    .map(|n| format!(" {n:02}"))
                    .unwrap_or_default()
            )
        })
        .collect()
}

fn order(guide: &str) -> Vec<String> {
    found(ORDER, Release::R004010, guide)
}

fn segment(rule: &str) -> Vec<String> {
    order(&format!(r#"{{"segment":[{{{rule}}}]}}"#))
}

fn element(rule: &str) -> Vec<String> {
    order(&format!(r#"{{"element":[{{{rule}}}]}}"#))
}

fn condition(rule: &str) -> Vec<String> {
    order(&format!(r#"{{"condition":[{{{rule}}}]}}"#))
}

const NONE: [&str; 0] = [];

#[test]
fn a_segment_is_required_or_forbidden() {
    assert_eq!(segment(r#""at":"REF[DP]","presence":"required""#), NONE);
    assert_eq!(
        segment(r#""at":"REF[VN]","presence":"required""#),
        ["guide-segment-missing REF@1"]
    );
    assert_eq!(
        segment(r#""at":"REF[IA]","presence":"forbidden""#),
        ["guide-segment-forbidden REF@4"]
    );
    assert_eq!(segment(r#""at":"REF[VN|IA]","presence":"required""#), NONE);
}

#[test]
fn a_segment_stands_so_often() {
    assert_eq!(segment(r#""at":"REF","max":2"#), NONE);
    assert_eq!(segment(r#""at":"REF","max":1"#), ["guide-too-often REF@4"]);
    assert_eq!(segment(r#""at":"REF","min":3"#), ["guide-too-few REF@1"]);
    assert_eq!(segment(r#""at":"PO1","max":1"#), ["guide-too-often PO1@13"]);
}

#[test]
fn a_rule_of_a_loop_holds_in_each_occurrence() {
    assert_eq!(
        segment(r#""at":"PO1/PID","presence":"required""#),
        ["guide-segment-missing PID@13"]
    );
    assert_eq!(
        segment(r#""at":"N1/N3","presence":"required""#),
        ["guide-segment-missing N3@8"]
    );
    assert_eq!(segment(r#""at":"N1[ST]/N3","presence":"required""#), NONE);
    assert_eq!(
        segment(r#""at":"PO1/N1[MK]/N4","presence":"required""#),
        ["guide-segment-missing N4@11"]
    );
}

#[test]
fn a_leading_slash_begins_at_the_set_itself() {
    assert_eq!(segment(r#""at":"/N1","max":2"#), NONE);
    assert_eq!(segment(r#""at":"N1","max":2"#), ["guide-too-often N1@11"]);
    assert_eq!(
        segment(r#""at":"/N1/N3","presence":"forbidden""#),
        ["guide-segment-forbidden N3@6"]
    );
    assert_eq!(
        segment(r#""at":"/PO1/N1/N3","presence":"forbidden""#),
        ["guide-segment-forbidden N3@12"]
    );
    assert_eq!(segment(r#""at":"/N3","presence":"forbidden""#), NONE);
}

#[test]
fn a_hierarchical_level_is_told_by_its_third_element() {
    let notice = |rule: &str| {
        found(
            NOTICE,
            Release::R004010,
            &format!(r#"{{"segment":[{{{rule}}}]}}"#),
        )
    };
    assert_eq!(
        notice(r#""at":"/HL[3=O]/PRF","presence":"required""#),
        ["guide-segment-missing PRF@8"]
    );
    assert_eq!(
        notice(r#""at":"HL[3=S]/REF","max":0"#),
        ["guide-segment-forbidden REF@5"]
    );
    assert_eq!(notice(r#""at":"/HL[3=O|I]/REF","max":0"#), NONE);
    assert_eq!(
        notice(r#""at":"/HL[3=P]","min":1"#),
        ["guide-segment-missing HL@1"]
    );
}

#[test]
fn an_element_is_required_or_forbidden() {
    assert_eq!(
        element(r#""at":"BEG04","presence":"required""#),
        ["guide-element-missing BEG@2 04"]
    );
    assert_eq!(
        element(r#""at":"N1[ST]02","presence":"forbidden""#),
        ["guide-element-forbidden N1@5 02"]
    );
    assert_eq!(element(r#""at":"PO1/PO107","presence":"required""#), NONE);
}

#[test]
fn a_value_has_a_length() {
    assert_eq!(
        element(r#""at":"/REF02","min_length":3"#),
        ["guide-length REF@4 02"]
    );
    assert_eq!(
        element(r#""at":"/REF02","max_length":2"#),
        ["guide-length REF@3 02"]
    );
    // A decimal point is not counted.
    assert_eq!(element(r#""at":"PO104","max_length":2"#), NONE);
    assert_eq!(element(r#""at":"PO104","max_length":1"#).len(), 2);
}

#[test]
fn a_list_of_codes_is_narrowed_and_a_value_fixed() {
    assert_eq!(
        element(r#""at":"PO103","codes":["EA"]"#),
        ["guide-code PO1@13 03"]
    );
    assert_eq!(
        element(r#""at":"PO103","codes":["EA"],"also":["CA"]"#),
        NONE
    );
    assert_eq!(
        element(r#""at":"N1[ST]03","value":"91""#),
        ["guide-value N1@5 03"]
    );
    assert_eq!(element(r#""at":"N1[BY]03","value":"92""#), NONE);
}

#[test]
fn a_list_of_codes_is_extended_at_its_place_only() {
    let text = ORDER
        .replace("REF*IA*77~", "REF*IA*77~SAC*X*C310~")
        .replace("PID*F****HINGE~", "PID*F****HINGE~SAC*X*C310~");
    let set = read_set(text.as_bytes(), &Delimiters::default(), 0).unwrap();
    let refused = |guide: &str| -> Vec<u32> {
        let guide: Overlay = serde_json::from_str(guide).unwrap();
        validate_set(
            SchemaRegistry::standard(),
            Release::R004010,
            &set,
            Some(&guide),
        )
        .iter()
        .filter(|finding| finding.rule.name() == "invalid-code")
        .filter_map(|finding| finding.segment_index)
        .collect()
    };
    assert_eq!(refused("{}"), [5, 12]);
    assert_eq!(
        refused(r#"{"element":[{"at":"SAC01","also":["X"]}]}"#),
        [0_u32; 0]
    );
    assert_eq!(
        refused(r#"{"element":[{"at":"/SAC01","also":["X"]}]}"#),
        [12]
    );
    assert_eq!(
        refused(r#"{"element":[{"at":"PO1/SAC01","also":["X"]}]}"#),
        [5]
    );
    assert_eq!(
        refused(r#"{"element":[{"at":"SAC[A]01","also":["X"]}]}"#),
        [5, 12]
    );
}

#[test]
fn every_repetition_and_component_is_judged() {
    let text =
        "ST*850*0001~BEG*00*SA*4711**20260115~REF*DP*045**IA>1>VN>2~PO1*1*12*EA~CTT*1~SE*6*0001~";
    let component = |rule: &str| {
        found(
            text,
            Release::R004010,
            &format!(r#"{{"element":[{{{rule}}}]}}"#),
        )
    };
    assert_eq!(
        component(r#""at":"REF04-3","codes":["IA"]"#),
        ["guide-code REF@3 04"]
    );
    assert_eq!(component(r#""at":"REF04-1","codes":["IA"]"#), NONE);
    assert_eq!(
        component(r#""at":"REF04-5","presence":"required""#),
        ["guide-element-missing REF@3 04"]
    );
    let text = "ST*997*0001~AK1*PO*1*005010~AK2*850*0001~IK3*N1*4~IK5*R*5~AK9*R*1*1*0~SE*7*0001~";
    let text = text.replace("997", "999");
    let repeated = text.replace("IK3*N1*4~", "IK3*N1*4~CTX*SITUATIONAL TRIGGER*N1*4**3^7~");
    let at = r#"{"element":[{"at":"CTX05","codes":["3"]}]}"#;
    assert_eq!(
        found(&repeated, Release::R005010, at),
        ["guide-code CTX@5 05"]
    );
}

#[test]
fn a_condition_within_one_segment_is_judged_segment_by_segment() {
    assert_eq!(
        condition(r#""when":"PO103","is":["CA"],"then":"PO105","presence":"required""#),
        ["guide-condition PO1@13 05"]
    );
    assert_eq!(
        condition(r#""when":"PO103","is":["CA"],"then":"PO106","presence":"required""#),
        NONE
    );
    assert_eq!(
        condition(r#""when":"PO103","is":["EA"],"then":"PO106","presence":"forbidden""#),
        ["guide-condition PO1@9 06"]
    );
    assert_eq!(
        condition(r#""when":"REF01","is":["DP"],"then":"REF02","codes":["046"]"#),
        ["guide-condition REF@3 02"]
    );
}

#[test]
fn a_condition_within_one_loop_is_judged_occurrence_by_occurrence() {
    assert_eq!(
        condition(r#""when":"PO1/PO103","is":["CA"],"then":"PO1/PO4","presence":"required""#),
        NONE
    );
    // Written without the loop, the segment that begins it is still in it.
    assert_eq!(
        condition(r#""when":"PO103","is":["EA"],"then":"PO1/PO4","presence":"required""#),
        ["guide-condition PO1@9"]
    );
    assert_eq!(
        condition(r#""when":"/PO103","is_not":["EA"],"then":"/PO1/PID","presence":"required""#),
        ["guide-condition PO1@13"]
    );
    assert_eq!(
        condition(r#""when":"N104","then":"N1/N3","presence":"required""#),
        ["guide-condition N1@8"]
    );
    assert_eq!(
        condition(r#""when":"PO1/PID01","is":["F"],"then":"PO105","presence":"required""#),
        ["guide-condition PO1@9 05"]
    );
}

#[test]
fn a_condition_across_the_set_is_judged_once() {
    assert_eq!(
        condition(r#""when":"BEG02","is":["DS"],"then":"N1[ST]/N3","presence":"required""#),
        NONE
    );
    assert_eq!(
        condition(r#""when":"BEG02","is":["SA"],"then":"N1[BT]","presence":"required""#),
        ["guide-condition BEG@2"]
    );
    assert_eq!(
        condition(r#""when":"BEG02","is":["SA"],"then":"PO1/N1","presence":"forbidden""#),
        ["guide-condition N1@11"]
    );
    assert_eq!(
        condition(r#""when":"BEG04","then":"N1[BT]","presence":"required""#),
        NONE
    );
}

#[test]
fn a_place_that_cannot_be_read_is_told() {
    assert_eq!(
        segment(r#""at":"ref","presence":"required""#),
        ["guide-unusable @0"]
    );
    assert_eq!(element(r#""at":"REF","value":"1""#), ["guide-unusable @0"]);
    assert_eq!(
        condition(r#""when":"BEG","then":"REF","presence":"required""#),
        ["guide-unusable @0"]
    );
}

#[test]
fn what_to_say_instead_is_said() {
    let set = read_set(ORDER.as_bytes(), &Delimiters::default(), 0).unwrap();
    let guide: Overlay = serde_json::from_str(
        r#"{"segment":[{"at":"REF[VN]","presence":"required","say":"Name the vendor."}]}"#,
    )
    .unwrap();
    let findings = validate_set(
        SchemaRegistry::standard(),
        Release::R004010,
        &set,
        Some(&guide),
    );
    assert_eq!(findings.last().unwrap().message, "Name the vendor.");
}
