//! Documents that partners send, and what they mean.

use super::house::*;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use supercargo::domain::document::{Application, Syntax};
use supercargo::domain::finding::Severity;
use supercargo::domain::money::{Amount, Currency};
use supercargo::domain::order::ChargeKind;
use supercargo::domain::terms::TermsFrom;
use supercargo::translation::{acknowledgment, application_advice, purchase_order, remittance};
use supercargo_x12::Ta1;

fn date(text: &str) -> Option<NaiveDate> {
    Some(day(text))
}

#[test]
fn an_850_is_read_whole() {
    let read = purchase_order::read(&set(BIGBOX), &profile("")).unwrap();
    assert_eq!(codes(&read.findings), [""; 0]);
    let header = &read.header;
    assert_eq!(
        (
            header.po_number.as_str(),
            header.kind.as_str(),
            header.po_date
        ),
        ("4500123456", "SA", day("2026-01-05"))
    );
    assert_eq!(
        (header.department.as_str(), header.vendor_number.as_str()),
        ("077", "123456")
    );
    assert_eq!(header.currency, Currency::USD);
    assert_eq!(header.dates.ship_not_before, date("2026-01-12"));
    assert_eq!(header.dates.cancel_after, date("2026-01-19"));
    let terms = header.terms.as_ref().unwrap();
    assert_eq!(
        (
            terms.kind.as_str(),
            terms.from,
            terms.discount_percent,
            terms.discount_days,
            terms.net_days
        ),
        (
            "01",
            TermsFrom::Invoice,
            Some(Decimal::TWO),
            Some(10),
            Some(30)
        )
    );
    assert_eq!(terms.description, "2 PCT 10 NET 30");
    let charge = &header.charges[0];
    assert_eq!(
        (
            charge.kind,
            charge.code.as_str(),
            charge.amount,
            charge.handling.as_str()
        ),
        (ChargeKind::Allowance, "C310", Some(Amount(1000)), "02")
    );
    assert_eq!(
        (
            header.freight.as_str(),
            header.carrier.as_str(),
            header.routing.as_str()
        ),
        ("CC", "UPSN", "GROUND")
    );
    assert_eq!(header.notes, ["CALL BEFORE DELIVERY"]);
    let ship_to = header.party("ST").unwrap();
    assert_eq!(
        (ship_to.id.as_str(), ship_to.street.as_slice()),
        ("0100", &["1 DEPOT ROAD".to_owned()][..])
    );
    assert_eq!(header.contacts[0].numbers[1].1, "PAT@EXAMPLE.COM");
    assert_eq!(header.reference("MR"), Some("0073"));
    // The store number of the bill-to is nothing that a rule uses: kept, not dropped.
    let unused: Vec<(u32, &str)> = header
        .unused
        .iter()
        .map(|kept| (kept.index, kept.text.as_str()))
        .collect();
    assert_eq!(unused, [(20, "REF*IT*4711")]);
}

#[test]
fn the_lines_of_an_850() {
    let read = purchase_order::read(&set(BIGBOX), &profile("")).unwrap();
    let numbers: Vec<u32> = read.lines.iter().map(|line| line.line).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let first = &read.lines[0];
    assert_eq!(
        (first.ordered, first.unit.as_str(), first.pack),
        (decimal("24"), "EA", Some(decimal("12")))
    );
    let price = first.price.as_ref().unwrap();
    assert_eq!(
        (price.amount, price.basis.as_str()),
        (decimal("12.5"), "PE")
    );
    assert_eq!(first.description, "STEEL BRACKET");
    assert_eq!(first.numbers[1].value, "A-1");
    let stores: Vec<(&str, Decimal)> = first
        .stores
        .iter()
        .map(|store| (store.store.as_str(), store.quantity))
        .collect();
    assert_eq!(stores, [("0001", decimal("12")), ("0002", decimal("12"))]);
    assert_eq!(
        (
            first.segment_index,
            BIGBOX[first.byte as usize..].starts_with("PO1*1")
        ),
        (21, true)
    );
    assert_eq!(read.lines[1].dates.get("010"), Some(&day("2026-01-13")));
}

/// Code, segment and element of a finding.
type Told = (String, Option<u32>, Option<u32>);

/// Reference, paid, invoiced, discount, number of adjustments.
type Paid<'a> = (&'a str, i64, Option<i64>, Option<i64>, usize);

/// The lines of an 850 with one replaced, and what is found then.
fn found(replace: &str, with: &str) -> (bool, Vec<Told>) {
    assert!(BIGBOX.contains(replace), "{replace}");
    let read = purchase_order::read(&set(&BIGBOX.replacen(replace, with, 1)), &profile(""));
    let (taken, findings) = match read {
        Ok(order) => (true, order.findings),
        Err(findings) => (false, findings),
    };
    let told = findings
        .into_iter()
        .map(|finding| {
            (
                finding.code,
                finding.place.segment_index,
                finding.place.element,
            )
        })
        .collect();
    (taken, told)
}

#[test]
fn faults_of_an_850_stand_at_their_place() {
    let table: [(&str, &str, bool, &str, u32, u32); 13] = [
        ("BEG*00", "BEG*01", false, "order-purpose", 2, 1),
        ("BEG*00", "BEG*04", false, "order-purpose", 2, 1),
        ("BEG*00", "BEG*07", false, "order-purpose", 2, 1),
        (
            "BEG*00*SA*4500123456",
            "BEG*00*SA*",
            false,
            "po-number-missing",
            2,
            3,
        ),
        (
            "**20260105",
            "**20260231",
            false,
            "po-date-unreadable",
            2,
            5,
        ),
        ("CUR*BY*USD", "CUR*BY*us", true, "currency-unknown", 3, 2),
        (
            "DTM*037*20260112",
            "DTM*037*20260132",
            true,
            "date-unreadable",
            11,
            2,
        ),
        (
            "SAC*A*C310***1000",
            "SAC*A*C310***",
            true,
            "charge-without-value",
            9,
            5,
        ),
        (
            "ITD*01*3*2**10**30",
            "ITD*01*3*2**X**30",
            true,
            "terms-unreadable",
            10,
            5,
        ),
        (
            "PO1*1*24*EA",
            "PO1*1**EA",
            true,
            "quantity-unreadable",
            21,
            2,
        ),
        ("EA*3.1*PE", "EA*3,1*PE", true, "price-unreadable", 27, 4),
        (
            "SDQ*EA*92*0001*12",
            "SDQ*CA*92*0001*12",
            true,
            "store-unit-differs",
            24,
            1,
        ),
        (
            "*0002*12~",
            "*0002~",
            true,
            "store-quantity-unreadable",
            24,
            6,
        ),
    ];
    for (replace, with, taken, code, index, element) in table {
        let (was_taken, told) = found(replace, with);
        assert_eq!(was_taken, taken, "{with}");
        assert_eq!(
            told,
            [(code.to_owned(), Some(index), Some(element))],
            "{with}"
        );
    }
}

#[test]
fn an_850_without_lines_is_no_order() {
    let text = "ST*850*0001~BEG*00*SA*1**20260105~CTT*0~SE*4*0001~";
    let findings = purchase_order::read(&set(text), &profile("")).unwrap_err();
    assert_eq!(codes(&findings), ["order-without-lines"]);
    assert_eq!(findings[0].severity, Severity::Hold);
}

#[test]
fn what_an_850_means_beyond_its_letters() {
    let text = "ST*850*0001~BEG*00*SA*1**20260105~ITD*14***********SEE CONTRACT~\
        PO1**5*EA*9.99*NC*VN*A~SDQ*EA*92*01*2*02*1~SDQ*EA*92*01*2~N1*ST*OTHER*92*77~SCH*5*EA***002*20260110~\
        PO1**1*EA***VN*B~MTX*GEN*FRAGILE~CTT*2~SE*12*0001~";
    let read = purchase_order::read(&set(text), &profile("")).unwrap();
    assert_eq!(codes(&read.findings), ["terms-in-words"]);
    let delivery = &read.header.deliveries[0];
    assert_eq!(
        (
            delivery.ship_to.as_ref().unwrap().id.as_str(),
            delivery.dates.get("002").copied()
        ),
        ("77", Some(day("2026-01-10")))
    );
    assert!(
        read.lines[0].stores.iter().all(|store| store.delivery == 1),
        "the stores' goods go by way of the line's own ship-to"
    );
    assert_eq!(read.header.terms, None);
    assert_eq!(read.header.vendor_number, "987654");
    let first = &read.lines[0];
    assert_eq!(
        first
            .price
            .as_ref()
            .map(|price| (price.amount, price.basis.as_str())),
        Some((Decimal::ZERO, "NC"))
    );
    assert_eq!(
        (first.stores.len(), first.stores[0].quantity),
        (2, decimal("4"))
    );
    assert_eq!(read.lines[1].price, None);
    assert_eq!(read.header.notes, ["line 2: FRAGILE"]);
    let kept: Vec<&str> = read
        .header
        .unused
        .iter()
        .map(|kept| &kept.text[..3])
        .collect();
    assert_eq!(kept, ["ITD"]);
}

/// Terms that can be reckoned in one way only are taken without a word; all others say so (X12-RULES 79).
#[test]
fn terms_in_doubt_are_not_reckoned_in_silence() {
    let table: [(&str, &[&str]); 16] = [
        ("ITD*01*3*2**10**30~", &[]),
        ("ITD*02*3*****10~", &[]),
        ("ITD*09*3**********10TH PROX*10~", &[]),
        ("ITD*03*3****20260301~", &[]),
        ("ITD*14*3*2**45**46~", &[]),
        ("ITD*01*3*2**10**30~ITD*01*3*2**10**30~", &[]),
        ("ITD*01*2**********N60 ROG~", &["terms-in-words"]),
        ("ITD*04*3*****30~", &["terms-kind-unknown"]),
        ("ITD*04*3****20260301~", &[]),
        ("ITD*01*4*****30~", &["terms-base-unknown"]),
        ("ITD*03*3*****30~", &["terms-date-missing"]),
        ("ITD*09*3*****30~", &["terms-day-missing"]),
        ("ITD*09*3*****30******10~", &["terms-contradict"]),
        ("ITD*01*3*2**40**30~", &["terms-contradict"]),
        ("ITD*01*3*****30**20260401*50000~", &["terms-instalments"]),
        ("ITD*01*3*****30~ITD*01*3*****60~", &["terms-instalments"]),
    ];
    for (itd, expected) in table {
        let text = format!(
            "ST*850*0001~BEG*00*SA*1**20260105~{itd}N1*ST*SHOP*92*1~PO1**5*EA*9.99**VN*A~CTT*1~SE*9*0001~"
        );
        let read = purchase_order::read(&set(&text), &profile("")).unwrap();
        assert_eq!(codes(&read.findings), expected, "{itd}");
        let waits = read
            .findings
            .iter()
            .any(|finding| finding.severity == Severity::Hold);
        assert_eq!(
            waits,
            !expected.is_empty() && expected[0] != "terms-in-words"
        );
    }
}

/// What goes elsewhere or on other days than the order does: each share as `store>place on days: quantity`.
#[test]
fn parts_of_lines_go_where_and_when_they_are_asked_for() {
    type Row<'a> = (&'a str, &'a [&'a str], &'a [&'a str]);
    let table: [Row<'_>; 13] = [
        ("", &[], &[]),
        ("N1*ST*SHOP*92*1~", &[], &[]),
        ("N1*ST**92*77~", &[">77: 30"], &[]),
        ("DTM*010*20260110~", &[], &[]),
        ("DTM*037*20260110~", &[">1 on 037 2026-01-10: 30"], &[]),
        (
            "SCH*30*EA***002*20260110~",
            &[">1 on 002 2026-01-10: 30"],
            &[],
        ),
        (
            "SCH*20*EA***010*20260112~SCH*10*EA***010*20260110*0900*038*20260111~",
            &[
                ">1 on 010 2026-01-10 038 2026-01-11: 10",
                ">1 on 010 2026-01-12: 20",
            ],
            &[],
        ),
        (
            "SCH*20*EA*ST*77*010*20260110~SCH*10*EA*ST*MAIN STREET*010*20260110~",
            &[
                ">77 on 010 2026-01-10: 20",
                ">MAIN STREET on 010 2026-01-10: 10",
            ],
            &[],
        ),
        (
            "SCH*20*EA*Z7*0007*010*20260110~SCH*10*EA*Z7*0008*010*20260110~",
            &[
                "0007>1 on 010 2026-01-10: 20",
                "0008>1 on 010 2026-01-10: 10",
            ],
            &[],
        ),
        (
            "N1*ST**92*77~QTY*38*20~N1*ST**92*78~SCH*10*EA***010*20260110~",
            &[">77: 20", ">78 on 010 2026-01-10: 10"],
            &[],
        ),
        (
            "SCH*30*CA***010*20260110~",
            &[">1 on 010 2026-01-10: 30"],
            &["store-unit-differs"],
        ),
        ("N1*ST**92*77~N1*ST**92*78~", &[], &["line-ship-to"]),
        // Sublines have parties and quantities of their own, which are none of the line's.
        ("SLN*1**I*1*EA~N1*ST**92*77~QTY*38*5~", &[], &[]),
    ];
    for (below, shares, expected) in table {
        let text = format!(
            "ST*850*0001~BEG*00*SA*1**20260105~N1*ST*SHOP*92*1~PO1**30*EA*9.99**VN*A~{below}CTT*1~SE*9*0001~"
        );
        let read = purchase_order::read(&set(&text), &profile("")).unwrap();
        assert_eq!(codes(&read.findings), expected, "{below}");
        let told: Vec<String> = read.lines[0]
            .stores
            .iter()
            .map(|share| {
                let to = read.header.destination(share.delivery, &share.store, "92");
                let place = if to.id.is_empty() { to.name } else { to.id };
                let days: Vec<String> =
                    read.header
                        .delivery(share.delivery)
                        .map_or_else(Vec::new, |delivery| {
                            delivery
                                .dates
                                .iter()
                                .map(|(qualifier, day)| format!("{qualifier} {day}"))
                                .collect()
                        });
                let on = if days.is_empty() {
                    String::new()
                } else {
                    format!(" on {}", days.join(" "))
                };
                format!("{}>{place}{on}: {}", share.store, share.quantity)
            })
            .collect();
        assert_eq!(told, shares, "{below}");
    }
}

const REMITTANCE: &str = "ST*820*0001~BPR*C*890*C*ACH*CTX*01*999988880*DA*123*******20260301~TRN*1*EFT4711~\
    REF*ZZ*X~DTM*097*20260302~N1*PR*BIG BOX STORES~N1*PE*US~\
    ENT*1~ADX*-10*B8~NTE*GEN*LATE~REF*CM*CL-9~\
    RMR*IV*INV1*PI*500*510*10~REF*PO*4711~DTM*003*20260105~\
    RMR*IV*INV2**400*450~ADX*-50*01*CM*D-7~REF*ZZ*IGNORED~\
    ENT*2~ADX*5.5*75~RMR*IV*INV3***20.5**PT*-26~SE*20*0001~";

#[test]
fn an_820_is_read_to_the_cent() {
    let read = remittance::read(&set(REMITTANCE), &profile("")).unwrap();
    assert_eq!(
        (
            read.reference.as_str(),
            read.method.as_str(),
            read.total,
            read.date,
            read.payer.as_str()
        ),
        (
            "EFT4711",
            "ACH",
            Amount(89_000),
            day("2026-03-01"),
            "BIG BOX STORES"
        )
    );
    assert!(read.money_moved && !read.debit);
    let tied: Vec<(i64, &str, &str, &str)> = read
        .adjustments
        .iter()
        .map(|tied| {
            (
                tied.amount.0,
                tied.reason.as_str(),
                tied.reference.as_str(),
                tied.note.as_str(),
            )
        })
        .collect();
    assert_eq!(tied, [(-1000, "B8", "CL-9", "LATE"), (550, "75", "", "")]);
    let items: Vec<Paid<'_>> = read
        .items
        .iter()
        .map(|item| {
            (
                item.reference.as_str(),
                item.paid.0,
                item.invoice_amount.map(|amount| amount.0),
                item.discount.map(|amount| amount.0),
                item.adjustments.len(),
            )
        })
        .collect();
    assert_eq!(
        items,
        [
            ("INV1", 50_000, Some(51_000), Some(1000), 0),
            ("INV2", 40_000, Some(45_000), None, 1),
            // RMR04 is left out: 20.50 less 26.00.
            ("INV3", -550, Some(2050), None, 1),
        ]
    );
    assert_eq!(
        (
            read.items[1].adjustments[0].reference.as_str(),
            read.items[1].place.segment_index
        ),
        ("D-7", Some(15))
    );
}

#[test]
fn an_820_that_can_not_be_read_exactly_is_not_applied() {
    let table = [
        ("BPR*C*890*", "BPR*C*890.001*", "amount-unreadable"),
        ("PI*500*", "PI*5E2*", "amount-unreadable"),
        ("***20.5**PT*-26", "", "amount-missing"),
        ("ADX*-50*01", "ADX**01", "amount-unreadable"),
        ("TRN*1*EFT4711~", "", "payment-trace-missing"),
        ("*******20260301~", "~", ""),
        ("*20260301~", "*20260230~", "payment-date-missing"),
        ("REF*ZZ*X", "CUR*PR*Dollar", "currency-unknown"),
    ];
    for (replace, with, code) in table {
        assert!(REMITTANCE.contains(replace));
        match remittance::read(&set(&REMITTANCE.replacen(replace, with, 1)), &profile("")) {
            Ok(read) => assert_eq!((code, read.date), ("", day("2026-03-02")), "{with}"),
            Err(findings) => assert_eq!(codes(&findings), [code], "{with}"),
        }
    }
}

#[test]
fn rule_089_a_remittance_without_money() {
    for (bpr, moved, debit) in [
        ("BPR*I*0*C*ACH", false, false),
        ("BPR*I*5*C*ACH", true, false),
        ("BPR*C*5*D*CHK", true, true),
        ("BPR*C*5*C*NON", false, false),
    ] {
        let text =
            format!("ST*820*0001~{bpr}************20260301~TRN*1*T~ENT*1~RMR*IV*A**5~SE*6*0001~");
        let read = remittance::read(&set(&text), &profile("")).unwrap();
        assert_eq!((read.money_moved, read.debit), (moved, debit), "{bpr}");
    }
}

#[test]
fn a_997_in_words() {
    let text = "ST*997*0001~AK1*SH*000123~AK2*856*0001~AK5*A~AK2*856*0002~AK3*N1*7*HL*8~AK4*3:2*66*7*XX~AK3*TD5*9**3~\
        AK5*R*5*4~AK9*P*2*2*1*5~SE*11*0001~";
    let delimiters = supercargo_x12::Delimiters {
        component: b':',
        ..supercargo_x12::Delimiters::default()
    };
    let set = supercargo_x12::read_set(text.as_bytes(), &delimiters, 0).unwrap();
    let answer = acknowledgment::read_997(&set).unwrap();
    assert_eq!(
        (
            answer.functional_id.as_str(),
            answer.gs06.as_str(),
            answer.syntax
        ),
        ("SH", "000123", Syntax::PartlyAccepted)
    );
    assert_eq!(codes(&answer.complaints), ["partner-group-error"]);
    let [good, bad] = answer.sets.as_slice() else {
        panic!("{:?}", answer.sets)
    };
    assert_eq!(
        (good.st02.as_str(), good.syntax, good.complaints.len()),
        ("0001", Syntax::Accepted, 0)
    );
    assert_eq!(
        (bad.syntax, codes(&bad.complaints)),
        (
            Syntax::Rejected,
            vec![
                "partner-element-error",
                "partner-segment-error",
                "partner-set-error"
            ]
        )
    );
    let element = &bad.complaints[0];
    assert_eq!(
        (
            element.place.segment.as_deref(),
            element.place.segment_index,
            element.place.element,
            element.place.component
        ),
        (Some("N1"), Some(7), Some(3), Some(2))
    );
    assert_eq!(element.value.as_deref(), Some("XX"));
    assert_eq!(
        element.message,
        "N103, component 2 at position 7: the value is not among the codes that the partner accepts; use one of the guide's, not \"XX\" (AK403 7)"
    );
    assert!(
        bad.complaints
            .iter()
            .all(|complaint| complaint.severity == Severity::Reject)
    );
}

#[test]
fn a_997_that_lists_nothing_speaks_for_the_group() {
    for (code, syntax) in [
        ("A", Syntax::Accepted),
        ("E", Syntax::AcceptedWithErrors),
        ("R", Syntax::Rejected),
        ("X", Syntax::Rejected),
    ] {
        let text = format!("ST*997*0001~AK1*IN*7~AK2*810*0005~AK9*{code}*1*1*1~SE*5*0001~");
        let answer = acknowledgment::read_997(&set(&text)).unwrap();
        assert_eq!(
            (answer.syntax, answer.sets[0].syntax),
            (syntax, syntax),
            "{code}"
        );
    }
    for text in [
        "ST*997*0001~AK1*IN*7~SE*3*0001~",
        "ST*997*0001~AK1*IN*7~AK9*Q*1*1*1~SE*4*0001~",
    ] {
        assert_eq!(
            codes(&acknowledgment::read_997(&set(text)).unwrap_err()),
            ["acknowledgment-without-verdict"]
        );
    }
    let text = "ST*997*0001~AK9*A*1*1*1~SE*3*0001~";
    assert_eq!(
        codes(&acknowledgment::read_997(&set(text)).unwrap_err()),
        ["acknowledgment-of-nothing"]
    );
}

#[test]
fn a_999_says_the_guides_reasons() {
    let text = "ST*999*0001*005010~AK1*IN*7*005010~AK2*810*0005*005010~IK3*REF*4**I6~CTX*SITUATIONAL TRIGGER*BIG*2~\
        IK4*2*127*I9~IK5*E*I5~AK9*E*1*1*1~SE*9*0001~";
    let answer = acknowledgment::read_999(&set(text)).unwrap();
    let set = &answer.sets[0];
    assert_eq!(
        (set.syntax, codes(&set.complaints)),
        (
            Syntax::AcceptedWithErrors,
            vec![
                "partner-segment-error",
                "partner-element-error",
                "partner-set-error"
            ]
        )
    );
    assert!(
        set.complaints[0]
            .message
            .contains("SITUATIONAL TRIGGER BIG 2"),
        "{}",
        set.complaints[0].message
    );
    assert!(
        set.complaints
            .iter()
            .all(|complaint| complaint.severity == Severity::Note)
    );
}

#[test]
fn rule_038_a_ta1_that_must_not_be_sent_again() {
    let ta1 = |code: &str, note: &str| Ta1 {
        control_number: "000000012".into(),
        code: code.into(),
        note: note.into(),
        ..Ta1::default()
    };
    let taken = acknowledgment::interchange_answer(&ta1("A", "000"));
    assert_eq!(
        (taken.isa13.as_str(), taken.syntax, taken.complaint),
        ("000000012", Syntax::Accepted, None)
    );
    let erroneous = acknowledgment::interchange_answer(&ta1("E", "014"));
    assert_eq!(erroneous.syntax, Syntax::AcceptedWithErrors);
    let complaint = erroneous.complaint.unwrap();
    assert_eq!(complaint.severity, Severity::Note);
    assert!(
        complaint.message.contains("do not send it again"),
        "{}",
        complaint.message
    );
    let refused = acknowledgment::interchange_answer(&ta1("R", "025"));
    assert_eq!(
        (refused.syntax, refused.complaint.unwrap().severity),
        (Syntax::Rejected, Severity::Reject)
    );
}

#[test]
fn an_824_rejects_what_a_997_took() {
    let text = "ST*824*0001~BGN*00*1*20260301~N1*FR*BIG BOX~OTI*TA*SI*00000041~OTI*TR*IV*INV10001*****11*0003*810~\
        TED*010*TOTAL OFF BY 5.00*TDS*16*1**38600~NTE*GEN*CALL AP~OTI*IE*PO*4711~SE*9*0001~";
    let answers = application_advice::read(&set(text)).unwrap();
    let told: Vec<(&str, &str, Application, usize)> = answers
        .iter()
        .map(|answer| {
            (
                answer.qualifier.as_str(),
                answer.reference.as_str(),
                answer.application,
                answer.complaints.len(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("SI", "00000041", Application::Accepted, 0),
            ("IV", "INV10001", Application::Rejected, 1),
            ("PO", "4711", Application::AcceptedWithChange, 0),
        ]
    );
    let complaint = &answers[1].complaints[0];
    assert_eq!(
        (
            answers[1].gs06.as_str(),
            answers[1].st02.as_str(),
            answers[1].set.as_str()
        ),
        ("11", "0003", "810")
    );
    assert_eq!(
        (
            complaint.severity,
            complaint.place.segment_index,
            complaint.value.as_deref()
        ),
        (Severity::Reject, Some(16), Some("38600"))
    );
    assert!(
        complaint.message.contains("TOTAL OFF BY 5.00") && complaint.message.contains("CALL AP"),
        "{}",
        complaint.message
    );
    for text in [
        "ST*824*0001~BGN*00*1*20260301~SE*3*0001~",
        "ST*824*0001~BGN*00*1*20260301~OTI*ZZ*IV*1~SE*4*0001~",
    ] {
        assert_eq!(application_advice::read(&set(text)).unwrap_err().len(), 1);
    }
}
