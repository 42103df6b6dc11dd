//! A SEF file of ours, imported, and orders judged by it: one that keeps the guide, one that breaks
//! it everywhere.

use supercargo_x12::{
    Delimiters, Origin, Presence, Release, SchemaRegistry, SefError, SefGuide, import_sef,
    read_set, validate_set,
};

const HARBOR: &[u8] = include_bytes!("sef/harbor-850.sef");

const GOOD: &str = concat!(
    "ST*850*0001~BEG*00*SA*471100**20260115~REF*DP*045~ITD*01******30~DTM*001*20260201~TD5**2*SMPL~",
    "N1*ST*STORE 12*92*0012~N3*1 MAIN~N4*RENO*NV*89501~N1*BY*HARBOR STORES~",
    "PO1*1*12*EA*8.5**UP*012345678905~",
    "PO1*2*1*CA*24**UP*012345678912~PO4*12*1*EA~N1*MK*STORE*92*0031~CTT*2*13~SE*16*0001~"
);

const BAD: &str = concat!(
    "ST*850*0001~BEG*00*DS*4711*7*20260115~CUR*BY*USD~REF*DP*045~REF*VN*1~REF*IA*2~ITD*01******30~ITD*01******31~",
    "DTM*037*20260201*1200~TD5**2*FEDX~",
    "N1*ST*STORE 12*91*0012~N1*BY*HARBOR STORES*92*0001~N3*2 SIDE~N1*SF*US*92*0003~",
    "PO1*1*12*EA*8.5*PE*EN*0123456789055~PID*F****HINGE~",
    "PO1*2*1*CA*24**UP*012345678912~CTT*2~SE*19*0001~"
);

fn harbor() -> SefGuide {
    import_sef(HARBOR).unwrap()
}

/// The guide's findings: rule, segment and position, element.
fn found(text: &str) -> Vec<String> {
    let guide = harbor();
    let set = read_set(text.as_bytes(), &Delimiters::default(), 0).unwrap();
    assert!(set.findings().is_empty(), "{:?}", set.findings());
    let overlay = Some(&guide.sets[0].overlay);
    let findings = validate_set(SchemaRegistry::standard(), Release::R004010, &set, overlay);
    let mut told = Vec::new();
    for finding in &findings {
        assert_eq!(finding.origin, Origin::Guide, "{finding:?}");
        told.push(format!(
            "{} {}@{}{}",
            finding.rule.name(),
            finding.segment.as_deref().unwrap_or_default(),
            finding.segment_index.unwrap_or_default(),
            finding
                .element
                .map(|n| format!(" {n:02}"))
                .unwrap_or_default()
        ));
    }
    told.sort();
    told
}

#[test]
fn an_order_that_keeps_the_guide_has_no_finding() {
    assert_eq!(found(GOOD), [""; 0]);
}

#[test]
fn an_order_that_breaks_the_guide_is_told_of_each_breach() {
    assert_eq!(found(BAD), BREACHES);
}

const BREACHES: &[&str] = &[
    "guide-code BEG@2 02",
    "guide-code DTM@9 01",
    "guide-code N1@11 03",
    "guide-code N1@14 01",
    "guide-code PO1@15 06",
    "guide-code REF@5 01",
    "guide-code TD5@10 03",
    "guide-condition DTM@9 03",
    "guide-condition PID@16",
    "guide-condition PO1@17",
    "guide-element-forbidden BEG@2 04",
    "guide-element-forbidden N1@12 03",
    "guide-element-forbidden N1@12 04",
    "guide-element-forbidden PO1@15 05",
    "guide-element-missing CTT@18 02",
    "guide-length BEG@2 03",
    "guide-segment-forbidden CUR@3",
    "guide-segment-forbidden N3@13",
    "guide-segment-missing N4@11",
    "guide-too-often ITD@8",
    "guide-too-often N1@14",
    "guide-too-often REF@6",
];

#[test]
fn what_is_not_understood_is_told_with_its_line() {
    let lines: Vec<u32> = harbor()
        .findings
        .iter()
        .map(|finding| finding.line)
        .collect();
    assert_eq!(
        lines,
        [
            4, 9, 9, 9, 9, 9, 9, 43, 49, 52, 53, 59, 69, 71, 72, 73, 78, 79, 81
        ]
    );
    let told = |line: u32, what: &str| {
        harbor()
            .findings
            .iter()
            .any(|finding| finding.line == line && finding.text.contains(what))
    };
    for (line, what) in [
        (4, "lines 4 to 7"),
        (9, "/PER is dependent"),
        (9, "element 380 have 1 to 20"),
        (
            43,
            "lists of all codes of an element are left out (element 92, 98",
        ),
        (53, "`//ISA//6`"),
        (59, "pattern"),
        (69, "two conditions at once"),
        (72, "the comparison `GT`"),
        (81, "section .LAYOUT"),
    ] {
        assert!(told(line, what), "line {line}: {what}");
    }
}

#[test]
fn words_of_the_guide_come_with_their_places() {
    let guide = harbor();
    let notes: Vec<(&str, &str)> = guide.sets[0]
        .notes
        .iter()
        .map(|note| (note.at.as_str(), note.text.as_str()))
        .collect();
    assert_eq!(
        notes,
        [
            ("", "Orders of Harbor Stores. From January on."),
            ("/N1[ST]", "The store that gets the goods."),
            ("/PO104", "Our cost for one unit."),
        ]
    );
    assert_eq!(
        (
            guide.name.as_str(),
            guide.version.as_str(),
            guide.sets[0].code.as_str()
        ),
        ("HARBOR850", "004010", "850")
    );
}

#[test]
fn of_the_standard_nothing_is_repeated() {
    let text = ".VER 1.6\n.INI\nX,,004 010,X,X12-4010,X\n.SETS\n997=^[ST,M][AK1,M]{:999999[AK2]{:999999[AK3][AK4,,99]}[AK5,M]}[AK9,M][SE,M]\n";
    let guide = import_sef(text.as_bytes()).unwrap();
    assert_eq!(guide.sets[0].overlay.segment, []);
    assert!(
        guide
            .findings
            .iter()
            .all(|f| f.text.contains("has no definition in .SEGS")),
        "{:?}",
        guide.findings
    );
}

#[test]
fn levels_of_a_ship_notice_are_told_apart_by_their_code() {
    let text = ".VER 1.6\n.INI\nX,,004 010,X,X12-4010,X\n.SETS\n856=^[ST,M][BSN,M]^{:1[HL*1,M][!TD5]}{:>1[HL*1,M][!PRF]}{:>1[HL*1,M][!LIN][!SN1]}^[CTT][SE,M]\n.SEGS\nHL=[628,M][734][735,M][736],....\n.CODES\n735=S,O,I%[S]+856/3///3[O]+856/5///3[I]+856/7///3\n";
    let guide = import_sef(text.as_bytes()).unwrap();
    let required: Vec<&str> = guide.sets[0]
        .overlay
        .segment
        .iter()
        .filter(|rule| rule.presence == Some(Presence::Required))
        .map(|rule| rule.at.as_str())
        .collect();
    assert_eq!(
        required,
        [
            "/HL[3=S]",
            "/HL[3=S]/TD5",
            "/HL[3=O]",
            "/HL[3=O]/PRF",
            "/HL[3=I]",
            "/HL[3=I]/LIN",
            "/HL[3=I]/SN1"
        ]
    );
}

#[test]
fn a_guide_of_another_release_is_compared_with_the_nearest() {
    let text = ".INI\nX,,004 030,X,X12-4030,X\n.SETS\n850=^[ST,M][BEG,M][PO1,M][SE,M]\n";
    let guide = import_sef(text.as_bytes()).unwrap();
    assert_eq!(guide.release, Release::R004010);
    assert_eq!(guide.sets[0].overlay.judge_as, Some(Release::R004010));
    assert!(guide.findings[0].text.contains("004030"));
}

#[test]
fn what_is_no_guide_is_refused() {
    for bytes in [
        &b""[..],
        b"ISA*00*",
        b"EDIDE1001\x00\xff",
        b".VER 1.6\n.INI\nX\n",
        b"\n\n",
    ] {
        assert_eq!(import_sef(bytes), Err(SefError::NotSef), "{bytes:?}");
    }
    let edifact = ".VER 1.6\n.INI\nX,,D 96A,UN,D96A,X\n.SETS\nORDERS=[UNH,M]\n";
    assert_eq!(
        import_sef(edifact.as_bytes()),
        Err(SefError::NotX12 {
            agency: "UN".into()
        })
    );
}

#[test]
fn hostile_files_end_soon() {
    let head = ".INI\nX,,004 010,X,X12-4010,X\n.SETS\n";
    let deep = format!(
        "{head}850={}[ST]{}\n",
        "{:1".repeat(100_000),
        "}".repeat(100_000)
    );
    let braces = format!(
        "{head}850=^[ST,M][BEG,M]\n.SEGS\nBEG={}[353]{}\n",
        "{99".repeat(1_000),
        "}".repeat(1_000)
    );
    let codes = format!(
        "{head}850=^[ST,M][BEG,M]\n.SEGS\nBEG=[353,M]\n.CODES\n353=A%{}\n",
        "[AAAAA:ZZZZZ]+850/2///1".repeat(2_000)
    );
    let pairs = format!("{head}850=^[ST,M][BEG,M]\n.CODES\n353=A%[AA:ZZ|AA:ZZ|AA:ZZ]+850/2///1\n");
    let segments = format!("{head}850=^{}\n", "[REF]".repeat(200_000));
    let lines = format!("{head}{}", "850=[\n".repeat(200_000));
    for text in [deep, braces, codes, pairs, segments, lines] {
        let guide = import_sef(text.as_bytes()).unwrap();
        assert!(guide.findings.len() <= 5_001);
        assert!(
            guide
                .sets
                .iter()
                .all(|set| set.overlay.element.len() <= 20_000)
        );
    }
}
