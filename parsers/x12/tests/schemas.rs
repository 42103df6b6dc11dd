//! The schema texts where a partner's files show whether they are right: which element stands at
//! which place of a segment, how long it may be, what depends on what, and what a set may hold. A set
//! that has no schema shows a segment by itself.

mod support;

use supercargo_x12::*;
use support::complaints::read;

use Release::{R004010, R005010};

/// What is wrong with a set: each fault as segment, element and code, or rule where there is none.
fn findings(release: Release, code: &str, body: &str) -> Vec<Finding> {
    let (repetition, group) = match release {
        R004010 => ("U", functional_id_of(code).unwrap_or("PO")),
        R005010 => ("^", functional_id_of(code).unwrap_or("PO")),
    };
    let count = body.matches('~').count() + 2;
    let file = format!(
        "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*{repetition}*{}*000000001*0*P*>~GS*{group}*BUYER*SELLER*20260115*1230*1*X*{}~ST*{code}*0001~{body}SE*{count}*0001~GE*1*1~IEA*1*000000001~",
        release.isa_version(),
        release.as_str()
    );
    read(file.as_bytes()).findings
}

fn faults(release: Release, code: &str, body: &str) -> Vec<String> {
    findings(release, code, body)
        .iter()
        .filter(|finding| finding.severity > Severity::Note)
        .map(|finding| {
            let element = finding.element.map_or(String::new(), |n| format!("{n:02}"));
            let code = finding
                .ack
                .as_ref()
                .map_or(finding.rule.name(), |ack| &ack.code);
            format!(
                "{}{element}:{code}",
                finding.segment.as_deref().unwrap_or_default()
            )
        })
        .collect()
}

#[track_caller]
fn sound(release: Release, code: &str, body: &str) {
    assert_eq!(
        faults(release, code, body),
        [""; 0],
        "{release:?} {code}: {body}"
    );
}

#[track_caller]
fn faulty(release: Release, code: &str, body: &str, expected: &[&str]) {
    assert_eq!(
        faults(release, code, body),
        expected,
        "{release:?} {code}: {body}"
    );
}

/// A set that has no schema: its segments are judged one by one.
const ALONE: &str = "830";

#[test]
fn the_routing_of_a_carrier_has_its_elements_in_their_order() {
    for release in Release::ALL {
        let order = |td5: &str| format!("BEG*00*SA*4711**20260115~{td5}~PO1*1*12*EA*8.5~CTT*1~");
        sound(
            release,
            "850",
            &order("TD5*B*2*ABCD*M*ROADWAY*CC*OR*ATLANTA"),
        );
        sound(
            release,
            "850",
            &order("TD5*O*2*ABCD*M*ROADWAY*CC*OR*ATLANTA*AE*CD*3.5*ON*PO*SE*USA"),
        );
        let turned = order("TD5*B*2*ABCD*M*ROADWAY*CC*ATLANTA*OR");
        faulty(release, "850", &turned, &["TD507:5"]);
        faulty(
            release,
            "850",
            &order("TD5*B*2*ABCD*M**CC*OR"),
            &["TD508:2"],
        );
    }
}

#[test]
fn a_shipped_quantity_is_its_own_element() {
    for release in Release::ALL {
        let notice = |sn1: &str| format!("BSN*00*S1*20260115*1230~HL*1**S~HL*2*1*I~{sn1}~");
        sound(release, "856", &notice("SN1*1*1234567890*EA"));
        let long = notice("SN1*1*12345678901*EA");
        faulty(release, "856", &long, &["SN102:5"]);
        let said = findings(release, "856", &long);
        assert_eq!(said[0].data_element, Some(382), "{release:?}");
    }
}

/// Segments with a value in each of their elements; one more is too much.
#[test]
fn segments_have_all_their_elements() {
    for (release, segments) in [
        (
            None,
            &[
                "RED*TEXT*AB*UN*SUB*ABC*CODE",
                "W10*01*100*1*SEAL1*SEAL2*-10*FA*20*CE",
                "G66*CC*M*1*01*ROUTE*DE*CITY",
                "ETD*A*C*AE*NUMBER*CC",
                "TAX*NUMBER*CC*CITY*CC*CITY*CC*CITY*CC*CITY*CC*CITY*1*A",
                "W09*RC*10*FA*20*CE*TEXT*A*50*12.5",
                "YNQ**Y*D8*20260115****ABC*CODE*TEXT",
                "TSD*TRAILER 1*ABC",
                "R4*L*UN*USNYC*NEW YORK*US*TERM*PIER*NY",
                "W66*CC*M*1*01*ROUTE*DE*CITY*1*100*ABCD",
                "V1*CODE*VESSEL*US*FLIGHT1234*ABCD*1*AB*C*O",
                "W76*1*2*LB*3*CF*1.5",
                "PKG*F*35***BOXES*01",
                "CSH*SC*A*100*ACCOUNT*20260115*UN*AB*B0*10*10",
                "W20*1*2*EA*3*G*L*4*5*CF*BLUE",
            ][..],
        ),
        (
            Some(R004010),
            &[
                "RDM*E*NAME*NUMBER*AA>1*AA>2",
                "MTX*AAA*TEXT*TEXT*SS",
                "MEA*AE*WT**LB*2*3*04*AB*AB*AB",
                "SHD*1*2*EA*3*LB*4*CF*5*A1*M*ABCD*CC*AA*1",
                "W05*N*1*PO*000001*MASTER*AB*1",
                "CDD*01*C*1*100*Y*ABC*1*EA*1*UCP*1*UCP*1",
            ][..],
        ),
        (
            Some(R005010),
            &[
                "BIG*20260115*I1*20260115*PO*R*1*DI*00*1*I2*0001",
                "MEA*AE*WT***2*3*04*AB*AB*AB*ABC*CODE",
                "NM1*AA*2*NAME*FIRST*MIDDLE*PRE*SUF*92*ID*01*AA*MAIDEN",
                "DMG*D8*19700101*M*M*A>ABC>CODE*1*US*1*1*ABC*CODE",
                "NX2*01*STREET*12345*02*CITY",
                "INC*01*MO*12*1*100*TT",
                "CTB*OR*TEXT*20*1*TT*100*EA",
                "IN2*01*A*B",
                "VEH*1*VIN*2026*AB*1*2*3*4*5*NY*PLACE*Y*100*N*100*1*US*NAME*CA",
                "RPA*A*1*2*EA*0.5",
                "CDD*01*C*1*100*Y*ABC*1*EA*1*UCP*1*UCP*1*TEXT",
                "W05*N*1*PO*000001*MASTER*AB*1*SA",
                "LH2*9*P*PLACARD NOTATION*ENDORSED*RQ*FA*1*FA*2*FA*3*L*1234567890",
            ][..],
        ),
    ] {
        for release in Release::ALL
            .iter()
            .filter(|r| release.is_none_or(|of| of == **r))
        {
            for segment in segments {
                sound(*release, ALONE, &format!("{segment}~"));
                let id = segment.split('*').next().unwrap();
                let places = segment.matches('*').count();
                let one_more = format!("{segment}*1~");
                faulty(
                    *release,
                    ALONE,
                    &one_more,
                    &[&format!("{id}{:02}:3", places + 1)],
                );
            }
        }
    }
}

#[test]
fn lengths_are_those_of_the_release() {
    let long = |length: usize| "A".repeat(length);
    for release in Release::ALL {
        sound(release, ALONE, &format!("LIN**VP*{}~", long(48)));
        faulty(
            release,
            ALONE,
            &format!("LIN**VP*{}~", long(49)),
            &["LIN03:5"],
        );
        sound(release, ALONE, &format!("TSD*{}~", long(20)));
        faulty(release, ALONE, "W05*N*1**1*M~", &["W0504:4"]);
        faulty(release, ALONE, "NX2*01*STREET*1234~", &["NX203:4"]);
    }
    faulty(R004010, ALONE, "IT1**12345678901*EA*1~", &["IT102:5"]);
    sound(R005010, ALONE, "IT1**123456789012345*EA*1~");
    faulty(R004010, ALONE, "CRC*AA*Y*ABC~", &["CRC03:5"]);
    sound(R005010, ALONE, "CRC*AA*Y*ABC~");
    // Where an element repeats, its position says which; 004010 has no repetitions.
    faulty(R004010, ALONE, "AK4*2>1>3*1*1~", &["AK401:3"]);
    sound(R005010, ALONE, "AK4*2>1>3*1*1~");
    faulty(R004010, ALONE, "SI*AB*ABC*1~", &["SI02:5"]);
    sound(R005010, ALONE, "SI*AB*ABC*1~");
    sound(R005010, ALONE, "INC*01*MO*12~");
    faulty(R004010, ALONE, "INC*01*MO*12~", &["INC04:1"]);
    faulty(R005010, ALONE, "CAD**AB*1**ROUTE~", &["CAD01:1"]);
    sound(R004010, ALONE, "CAD**AB*1**ROUTE~");
}

#[test]
fn a_value_too_long_is_told_with_what_fits() {
    let said = |segment: &str| findings(R004010, ALONE, segment).pop().unwrap().message;
    assert!(said("W76*1*2*LB***12345678901~").ends_with("at most 10 characters fit."));
    assert!(said("G66***12~").ends_with("which is too long: at most 1 character fits."));
}

#[test]
fn what_depends_on_what() {
    for release in Release::ALL {
        faulty(release, ALONE, "W12*CC*1*1*0*EA~", &["W1206:2"]);
        faulty(release, ALONE, "W12*CC*1*1*0*EA**VN*1**5*G~", &["W1212:2"]);
        faulty(
            release,
            ALONE,
            "W12*CC*1*1*0*EA**VN*1*****5*G~",
            &["W1215:2"],
        );
        faulty(release, ALONE, "W05*N*1**000001~", &["W0505:2"]);
        sound(release, ALONE, "W76*1*2*LB***1~");
        faulty(release, ALONE, "W76*1*****1~", &["W7603:2"]);
        faulty(release, ALONE, "SCH*1*EA*ST**002*20260115~", &["SCH04:2"]);
        sound(release, ALONE, "SCH*1*EA**NAME*002*20260115~");
    }
}

#[test]
fn conditions_that_only_one_release_has() {
    // 004010 measures by one of 03, 05, 06, 08; 005010 may name the measurement by a code as well.
    faulty(R004010, ALONE, "MEA***5**2~", &["MEA04:2"]);
    sound(R005010, ALONE, "MEA***5**2******ABC*CODE~");
    faulty(R005010, ALONE, "MEA***5**2~", &["MEA04:2"]);
    faulty(
        R005010,
        ALONE,
        "NM1*AA*2******92*ID***MAIDEN~",
        &["NM103:2"],
    );
}

#[test]
fn a_payment_in_005010_holds_accounts_vehicles_and_rates() {
    let payment = |detail: &str| format!("BPR*I*100*C*CHK~ENT*1~{detail}");
    let lines = "IT1*1*2*EA*5~RPA*A*10~QTY*01*2~REF*AA*1~SAC*C*D240***500~TXI*TX*1~";
    for body in [
        payment("FA1*UN~FA2*AA*ACCOUNT~RMR*IV*I1**100~DTM*003*20260115~VEH*1*VIN~"),
        payment(&format!(
            "ADX*5*01~{lines}DTM*003*20260115~FA1*UN~FA2*AA*ACCOUNT~"
        )),
        payment(&format!("RMR*IV*I1**100~{lines}FA1*UN~FA2*AA*ACCOUNT~")),
        payment(&format!("RMR*IV*I1**100~ADX*5*01~{lines}DTM*003*20260115~")),
        "BPR*I*100*C*CHK~TXP*1*A*20260115*A*100~TXI*TX*1~REF*AA*1~DTM*003*20260115~".to_owned(),
        "BPR*I*100*C*CHK~N9*AA*1~REF*AA*1~AMT*TT*1~".to_owned(),
    ] {
        sound(R005010, "820", &body);
        assert!(!faults(R004010, "820", &body).is_empty(), "{body}");
    }
}

#[test]
fn an_invoice_in_005010_dates_its_charges_and_taxes() {
    let line = "BIG*20260115*I1~IT1*1*2*EA*5~SAC*C*D240***500~TXI*TX*1~DTM*003*20260115~TDS*1000~";
    let total = "BIG*20260115*I1~IT1*1*2*EA*5~TDS*1000~SAC*C*D240***500~DTM*003*20260115~TXI*TX*1~DTM*003*20260115~";
    for body in [line, total] {
        sound(R005010, "810", body);
        assert!(!faults(R004010, "810", body).is_empty(), "{body}");
    }
}

#[test]
fn segments_may_stand_as_often_as_the_set_says() {
    let order = |code: &str, segments: &str| match code {
        "855" => format!("BAK*00*AC*4711*20260115~{segments}PO1*1*12*EA*8.5~"),
        "865" => format!("BCA*04*AC*4711***20260115~{segments}POC*1*AI*12**EA*8.5~"),
        "860" => format!("BCH*04*SA*4711***20260115~{segments}POC*1*AI*12**EA*8.5~"),
        "945" => format!("W06*N*1~N1*ST*NAME~{segments}LX*1~W12*CC*1*1*0*EA**VN*1~"),
        "940" => format!("W05*N*1~N1*ST*NAME~{segments}LX*1~W01*1*EA**VN*1~"),
        other => panic!("no set {other}"),
    };
    for (code, segment, most) in [
        ("855", "CSH*SC~", 1),
        ("865", "CSH*SC~", 1),
        ("855", "PKG*F*35***BOXES~", 25),
        ("865", "PKG*F*35***BOXES~", 25),
        ("860", "ITD*01~", 5),
        ("945", "N9*AA*1~", 10),
        ("945", "G62*10*20260115~", 5),
        ("945", "W27*M*ABCD~", 1),
        ("940", "N9*AA*1~", 10),
        ("940", "G62*10*20260115~", 10),
    ] {
        for release in Release::ALL {
            sound(release, code, &order(code, &segment.repeat(most)));
            let id = segment.split('*').next().unwrap();
            let once_more = order(code, &segment.repeat(most + 1));
            faulty(release, code, &once_more, &[&format!("{id}:5")]);
        }
    }
}

#[test]
fn a_set_without_a_schema_has_its_segments_checked() {
    let body = "BFR*00**1*DL*A*20260115*20260201**20260115~DTM*002*20269999*9999~LIN**VP*1~N1~FST*1*C*D*20260199~";
    for release in Release::ALL {
        faulty(
            release,
            "830",
            body,
            &["DTM02:8", "DTM03:9", "N101:1", "N102:2"],
        );
        let note = findings(release, "830", body).remove(0);
        assert_eq!((note.rule, note.severity), (Rule::NoSchema, Severity::Note));
        assert_eq!(
            note.message,
            format!(
                "No schema for the set `830` in release {} comes with this program: the envelope, the characters and the elements of each segment by itself were checked; of the segments that are not known here (`BFR`, `FST`) only the characters. Which segments stand where and how often was not checked.",
                release.as_str()
            )
        );
        let known = findings(release, "830", "DTM*002*20260115~").remove(0);
        assert!(
            !known.message.contains("not known here"),
            "{}",
            known.message
        );
        let many = "AAA*1~AAB*1~AAC*1~AAD*1~AAE*1~AAF*1~AAG*1~AAH*1~AAA*1~";
        let many = findings(release, "830", many).remove(0);
        assert!(
            many.message
                .contains("(`AAA`, `AAB`, `AAC`, `AAD`, `AAE`, `AAF` and 2 more)"),
            "{}",
            many.message
        );
    }
}
