//! What a buyer means, written as an 850 and read again, is what the buyer meant.

use super::house::*;
use chrono::{Days, NaiveDate};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use rust_decimal::Decimal;
use supercargo::domain::order::{ItemNumber, Price, StoreQuantity};
use supercargo::translation::{acknowledgment, application_advice, purchase_order, remittance};
use supercargo_x12::{
    OutSegment, OutboundSet, Release, SchemaRegistry, Severity, number, seg, validate_outbound,
};

#[derive(Debug, Clone)]
struct Meant {
    po_number: String,
    po_date: NaiveDate,
    department: Option<String>,
    not_before: Option<NaiveDate>,
    allowance: Option<i64>,
    net_days: Option<u32>,
    note: Option<String>,
    ship_to: Option<(String, String)>,
    lines: Vec<MeantLine>,
}

#[derive(Debug, Clone)]
struct MeantLine {
    buyer_line: String,
    ordered: Decimal,
    unit: &'static str,
    price: Option<Price>,
    numbers: Vec<ItemNumber>,
    description: Option<String>,
    pack: Option<u32>,
    stores: Vec<StoreQuantity>,
    charge: Option<i64>,
}

fn word() -> impl Strategy<Value = String> {
    "[A-Z0-9]{1,10}"
}

fn words() -> impl Strategy<Value = String> {
    "[A-Z]{1,8}( [A-Z0-9.,/&-]{1,8}){0,3}"
}

fn any_day() -> impl Strategy<Value = NaiveDate> {
    (0u64..20_000).prop_map(|days| day("2000-01-01").checked_add_days(Days::new(days)).unwrap())
}

prop_compose! {
    fn line()(
        buyer_line in "[0-9]{0,3}",
        quantity in 1i64..1_000_000,
        scale in 0u32..3,
        unit in prop::sample::select(vec!["EA", "CA", "DZ", "LB"]),
        price in option::of((0i64..10_000_000, 0u32..5, prop::sample::select(vec!["", "PE", "CA", "HP"]))),
        values in vec(word(), 1..4),
        description in option::of(words()),
        pack in option::of(1u32..1000),
        stores in vec((0u32..10_000, 1i64..1000), 0..25),
        charge in option::of(1i64..1_000_000),
    ) -> MeantLine {
        let mut distinct: Vec<StoreQuantity> = Vec::new();
        for (store, quantity) in stores {
            let store = format!("{store:04}");
            if distinct.iter().all(|known| known.store != store) {
                distinct.push(StoreQuantity { store, quantity: Decimal::from(quantity), delivery: 0 });
            }
        }
        MeantLine {
            buyer_line,
            ordered: Decimal::new(quantity, scale).normalize(),
            unit,
            price: price.map(|(amount, scale, basis)| Price { amount: Decimal::new(amount, scale).normalize(), basis: basis.into() }),
            numbers: values.into_iter().zip(["UP", "VN", "IN"]).map(|(value, qualifier)| ItemNumber { qualifier: qualifier.into(), value }).collect(),
            description,
            pack,
            stores: distinct,
            charge,
        }
    }
}

prop_compose! {
    fn meant()(
        po_number in "[A-Z0-9]{1,22}",
        po_date in any_day(),
        department in option::of(word()),
        not_before in option::of(any_day()),
        allowance in option::of(1i64..1_000_000),
        net_days in option::of(0u32..200),
        note in option::of(words()),
        ship_to in option::of((words(), "[0-9]{2,6}")),
        lines in vec(line(), 1..12),
    ) -> Meant {
        Meant { po_number, po_date, department, not_before, allowance, net_days, note, ship_to, lines }
    }
}

fn allowance(kind: &str, cents: i64) -> OutSegment {
    seg("SAC")
        .el(kind)
        .el("C310")
        .at(5, number::n2(cents))
        .at(12, "02")
}

fn written(meant: &Meant) -> OutboundSet {
    let mut set = OutboundSet::new("850").with(
        seg("BEG")
            .el("00")
            .el("SA")
            .el(&meant.po_number)
            .skip()
            .el(number::d8(meant.po_date)),
    );
    set.segments.extend(
        meant
            .department
            .iter()
            .map(|department| seg("REF").el("DP").el(department)),
    );
    set.segments
        .extend(meant.allowance.map(|cents| allowance("A", cents)));
    set.segments.extend(
        meant
            .net_days
            .map(|days| seg("ITD").el("01").el("3").at(7, days.to_string())),
    );
    set.segments.extend(
        meant
            .not_before
            .map(|day| seg("DTM").el("037").el(number::d8(day))),
    );
    if let Some(note) = &meant.note {
        set.segments
            .extend([seg("N9").el("ZZ").el("NOTE"), seg("MSG").el(note)]);
    }
    set.segments.extend(
        meant
            .ship_to
            .iter()
            .map(|(name, id)| seg("N1").el("ST").el(name).el("92").el(id)),
    );
    for line in &meant.lines {
        let price = line.price.as_ref();
        let mut po1 = seg("PO1")
            .el(&line.buyer_line)
            .el(number::r(line.ordered))
            .el(line.unit)
            .opt(price.map(|price| number::r(price.amount)))
            .opt(price.map(|price| &price.basis));
        for number in &line.numbers {
            po1 = po1.el(&number.qualifier).el(&number.value);
        }
        set.push(po1);
        set.segments.extend(
            line.description
                .iter()
                .map(|text| seg("PID").el("F").at(5, text)),
        );
        set.segments
            .extend(line.pack.map(|pack| seg("PO4").el(pack.to_string())));
        set.segments
            .extend(line.charge.map(|cents| allowance("C", cents)));
        for stores in line.stores.chunks(10) {
            let sdq = seg("SDQ").el(line.unit).el("92");
            set.push(stores.iter().fold(sdq, |sdq, store| {
                sdq.el(&store.store).el(number::r(store.quantity))
            }));
        }
    }
    set.with(seg("CTT").el(meant.lines.len().to_string()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn an_order_written_and_read_again_is_the_same(meant in meant()) {
        let set850 = written(&meant);
        for release in Release::ALL {
            let found = validate_outbound(SchemaRegistry::standard(), release, &set850, None);
            prop_assert!(found.iter().all(|found| found.severity < Severity::Hold), "{release:?} {found:?}");
        }
        let read = purchase_order::read(&set(&text(&set850)), &profile("")).unwrap();
        prop_assert_eq!(codes(&read.findings), Vec::<&str>::new());
        let header = &read.header;
        prop_assert_eq!((&header.po_number, header.po_date), (&meant.po_number, meant.po_date));
        prop_assert_eq!(&header.department, &meant.department.unwrap_or_default());
        prop_assert_eq!(header.dates.ship_not_before, meant.not_before);
        prop_assert_eq!(header.charges.first().and_then(|charge| charge.amount).map(|amount| amount.0), meant.allowance);
        prop_assert_eq!(header.terms.as_ref().and_then(|terms| terms.net_days), meant.net_days);
        prop_assert_eq!(header.notes.first(), meant.note.as_ref());
        prop_assert_eq!(header.party("ST").map(|party| (party.name.clone(), party.id.clone())), meant.ship_to);
        prop_assert!(header.unused.is_empty(), "{:?}", header.unused);
        prop_assert_eq!(read.lines.len(), meant.lines.len());
        for (line, meant) in read.lines.iter().zip(meant.lines) {
            prop_assert_eq!((&line.buyer_line, line.ordered, line.unit.as_str()), (&meant.buyer_line, meant.ordered, meant.unit));
            prop_assert_eq!(&line.price, &meant.price);
            prop_assert_eq!(&line.numbers, &meant.numbers);
            prop_assert_eq!(&line.description, &meant.description.unwrap_or_default());
            prop_assert_eq!(line.pack, meant.pack.map(Decimal::from));
            prop_assert_eq!(&line.stores, &meant.stores);
            prop_assert_eq!(line.charges.first().and_then(|charge| charge.amount).map(|amount| amount.0), meant.charge);
        }
    }

    #[test]
    fn no_reader_panics_on_mutated_documents(
        which in 0usize..MUTATED.len(),
        changes in vec((0usize..2000, "[A-Z0-9*~.>-]{0,6}", 0usize..12), 1..8),
    ) {
        let mut text = MUTATED[which].to_owned();
        for (at, with, length) in changes {
            let from = at % text.len().max(1);
            let to = (from + length).min(text.len());
            text.replace_range(from..to, &with);
        }
        if let Ok(set) = supercargo_x12::read_set(text.as_bytes(), &supercargo_x12::Delimiters::default(), 0) {
            let profile = profile("");
            let _ = purchase_order::read(&set, &profile);
            let _ = remittance::read(&set, &profile);
            let _ = acknowledgment::read_997(&set);
            let _ = acknowledgment::read_999(&set);
            let _ = application_advice::read(&set);
        }
    }
}

/// Documents that are changed at random; ASCII, so that any byte is a boundary.
const MUTATED: [&str; 3] = [
    BIGBOX,
    "ST*820*0001~BPR*C*890*C*ACH*CTX*01*1*DA*1*******20260301~TRN*1*T~ENT*1~ADX*-10*B8~RMR*IV*INV1*PI*500*510*10~ADX*-5*01~\
     RMR*IV*INV2***20.5**PT*-26~SE*9*0001~",
    "ST*997*0001~AK1*SH*12~AK2*856*0001~AK3*N1*7**8~AK4*3>2*66*7*XX~AK5*R*5~AK9*R*1*1*0~SE*8*0001~",
];
