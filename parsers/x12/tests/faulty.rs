//! Faulty files whose answers were worked out by hand from the rules (`tests/faulty/`): a line
//! why, the segments, and after `---` the AK3, AK4, AK5 and AK9 that the 997 must hold.

mod support;

use std::path::Path;
use supercargo_x12::{AckOptions, Delimiters, OutSegment, build_997, functional_id_of};
use support::judge;

/// The file that a case describes: what is missing around its segments is put there.
fn file_of(body: &str) -> String {
    let segments: String = body.lines().collect();
    let set = segments.split('*').nth(1).unwrap_or("850");
    let inner = if segments.starts_with("GS") {
        segments.clone()
    } else {
        let count = segments.matches("ST*850*").count().max(1);
        format!(
            "GS*{}*BUYER*SELLER*20260115*1230*1*X*004010~{segments}GE*{count}*1~",
            functional_id_of(set).unwrap_or("PO")
        )
    };
    format!(
        "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000001*0*P*>~{inner}IEA*1*000000001~"
    )
}

fn text(segment: &OutSegment) -> String {
    let delimiters = Delimiters::default();
    let values: Vec<String> = segment
        .elements
        .iter()
        .map(|e| e.values().join(">").trim_end_matches('>').to_owned())
        .collect();
    let mut line = segment.id.to_string();
    for value in &values[..values
        .iter()
        .rposition(|v| !v.is_empty())
        .map_or(0, |at| at + 1)]
    {
        line.push(char::from(delimiters.element));
        line.push_str(value);
    }
    line + "~"
}

#[test]
fn each_faulty_file_gets_the_codes_worked_out_by_hand() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faulty");
    let mut cases: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() >= 50, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for path in cases {
        let case = std::fs::read_to_string(&path).unwrap();
        let (why, rest) = case.split_once('\n').unwrap();
        let (body, expected) = rest.split_once("---\n").unwrap();
        let judged = judge(file_of(body).as_bytes());
        let answer = build_997(&judged.groups[0], &AckOptions::default()).unwrap();
        let got: Vec<String> = answer
            .segments
            .iter()
            .filter(|s| !matches!(s.id.as_str(), "AK1" | "AK2"))
            .map(text)
            .collect();
        let expected: Vec<&str> = expected.lines().collect();
        if got != expected {
            wrong.push(format!(
                "{} ({why})\n  expected {expected:?}\n  got      {got:?}",
                path.file_stem().unwrap().to_string_lossy()
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
