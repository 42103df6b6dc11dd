//! The real files row by row: what the index says of each is what the engine finds.

mod support;

use std::fmt::Write;
use supercargo_x12::{Level, Rule};
use support::complaints::{Complaint, is_of_the_envelope, read};
use support::{Row, corpus, rows};

/// Where the engine rightly differs from the independent count: file, what differs, and why.
const ARGUABLE: &[(&str, &[&str], &str)] = &[
    (
        "855/kputnam-stupidedi__2.edi",
        &["segments", "IEA02=702351422 ISA13=", "bad segment ids: '5'"],
        "the ISA is wrapped and its terminator is a line feed too: the count ended the ISA at the wrap, the engine reads all sixteen elements",
    ),
    (
        "envelope/apimeister-x12-types__literal-test-940.rs-L197.edi",
        &[
            "isa",
            "segments",
            "missing IEA",
            "bad segment ids: '' '0001~GE' '0001~W05' '1'",
        ],
        "the ISA ends after ISA10: the count took separators from the segments behind it, the engine says that it cannot be read",
    ),
    (
        "envelope/apimeister-x12-types__literal-test-940.rs-L225.edi",
        &[
            "isa",
            "segments",
            "ISA09 '1108'",
            "missing IEA",
            "bad segment ids: '' '05'",
        ],
        "one separator of the ISA is another byte, so fifteen elements are left: the engine says that it cannot be read",
    ),
    (
        "envelope/moov-io-x12__sample.edi",
        &[
            "gs",
            "st",
            "segments",
            "ISA16 empty",
            "missing IEA",
            "bad segment ids: '\\\\GS'",
        ],
        "ISA16 is a tilde and the terminator a backslash, as every segment shows: the count took the tilde for the terminator",
    ),
    (
        "envelope/rikesh1212-ediconverter__edi.edi",
        &["isa", "segments", "ISA09 '1514'", "missing IEA"],
        "an ISA of fifteen elements cannot be read, so none of them is judged and no trailer is awaited",
    ),
    (
        "envelope/rikesh1212-ediconverter__sample.edi",
        &[
            "isa",
            "segments",
            "ISA09 ''",
            "missing IEA",
            "bad segment ids: '' 'OGDEN'",
        ],
        "an ISA of fifteen elements cannot be read, so none of them is judged and no trailer is awaited",
    ),
    (
        "envelope/walmartlabs-gozer__x12.missing.ISA.edi",
        &[
            "gs",
            "st",
            "segments",
            "SE01=1 counted 2",
            "GE01=1 counted 2",
            "bad segment ids: 'TEST'",
        ],
        "without an ISA nothing declares the separators: the engine says that it is missing and reads nothing",
    ),
    (
        "envelope/walmartlabs-gozer__x12.no.line.break.no.delim.edi",
        &["segments", "ISA09 ''"],
        "no terminator at all, so that the G of GS stands in its place: the date in ISA09 is right, and the engine says that a letter cannot end segments",
    ),
    (
        "envelope/xlate-staedi__literal-ErrorEventsTest.java-L326.edi",
        &["ok"],
        "segments of a dialect that a test made up stand where a group should: they belong to no group",
    ),
];

fn arguable(row: &Row, what: &str) -> bool {
    ARGUABLE
        .iter()
        .any(|(file, complaints, _)| *file == row.file && complaints.contains(&what))
}

/// What of a row does not hold.
fn differences(row: &Row) -> Vec<(String, String)> {
    let read = read(&row.bytes);
    let mut differences = Vec::new();
    let mut differs = |what: &str, text: String| differences.push((what.to_owned(), text));
    if read.bytes != row.bytes {
        differs("bytes", "not given back byte for byte".into());
    }
    for (name, counted, said) in [
        ("isa", read.isa, &row.isa),
        ("gs", read.gs, &row.gs),
        ("st", read.st, &row.st),
        ("segments", read.segments, &row.segments),
    ] {
        if counted.to_string() != *said {
            differs(
                name,
                format!("the index counts {said}, the engine {counted}"),
            );
        }
    }
    if row.check == "ok" {
        for finding in read.findings.iter().filter(|f| is_of_the_envelope(f)) {
            differs("ok", finding.to_string());
        }
    } else {
        for text in row.check.split("; ") {
            let Some(complaint) = Complaint::of(text) else {
                differs("unmapped", text.to_owned());
                continue;
            };
            if !read.findings.iter().any(|f| complaint.is_said_by(f)) {
                let mut found = String::new();
                for finding in &read.findings {
                    write!(found, "\n      {finding}").unwrap();
                }
                differs(text, format!("not found; found was{found}"));
            }
        }
    }
    differences
}

#[test]
fn every_row_of_the_index_is_found() {
    let Some(folder) = corpus() else { return };
    let rows = rows(&folder);
    assert!(rows.len() > 300, "{} rows", rows.len());
    let mut wrong = String::new();
    for row in &rows {
        for (what, text) in differences(row) {
            if !arguable(row, &what) {
                write!(wrong, "\n{} ({})\n   [{what}] {text}", row.file, row.check).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_exception_is_still_one() {
    let Some(folder) = corpus() else { return };
    let rows = rows(&folder);
    for (file, complaints, reason) in ARGUABLE {
        assert!(reason.len() > 40, "{file}: why?");
        let row = rows
            .iter()
            .find(|row| row.file == *file)
            .unwrap_or_else(|| panic!("{file} is in the index no more"));
        let differences = differences(row);
        for complaint in *complaints {
            assert!(
                differences.iter().any(|(what, _)| what == complaint),
                "{file}: {complaint} is no exception any more: {differences:?}"
            );
        }
    }
}

/// What an element of the envelope holds, which the index looks at only here and there.
fn is_of_values(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::ComponentSeparatorInvalid | Rule::GroupHeaderInvalid | Rule::IsaDate
    )
}

/// A malformed file is malformed in the way that the index says, and in no other: the engine does
/// not see a broken structure, count or control number that an independent count did not see.
#[test]
fn nothing_else_is_broken() {
    /// Segments that a test's dialect put where a group should stand; the index counts them only.
    const DIALECT: &str = "S01";
    let Some(folder) = corpus() else { return };
    let mut others = String::new();
    for row in rows(&folder).iter().filter(|row| row.check != "ok") {
        let complaints: Vec<Complaint> = row.check.split("; ").filter_map(Complaint::of).collect();
        let unreadable = complaints
            .iter()
            .any(|c| matches!(c, Complaint::IsaNotFixedWidth | Complaint::IsaElements));
        for finding in read(&row.bytes).findings.iter().filter(|f| f.rejects()) {
            let mut kinds = Complaint::ALL.iter().filter(|c| c.is_said_by(finding));
            let known = complaints.iter().any(|c| c.is_said_by(finding))
                || finding.level > Level::Set
                || is_of_values(finding.rule)
                || finding.segment.as_deref() == Some(DIALECT)
                || unreadable && finding.rule == Rule::FileNotX12;
            if kinds.next().is_some() && !known {
                write!(others, "\n{} ({})\n   {finding}", row.file, row.check).unwrap();
            }
        }
    }
    assert!(others.is_empty(), "{others}");
}

/// A partner's code is never refused because our own list of codes is too short: lists are closed only
/// where X12's is short and known, and the real files hold no code that they lack, but for two files that
/// were made wrong.
#[test]
fn no_code_of_a_real_file_is_refused() {
    const MADE_WRONG: [(&str, &str); 2] = [("AK5", "Z"), ("IK5", "Q")];
    let Some(folder) = corpus() else { return };
    let mut refused = String::new();
    for row in rows(&folder) {
        for finding in read(&row.bytes).findings {
            let segment = finding.segment.as_deref().unwrap_or_default();
            let value = finding.value.as_deref().unwrap_or_default();
            if finding.rule == Rule::InvalidCode && !MADE_WRONG.contains(&(segment, value)) {
                write!(refused, "\n{}: {finding}", row.file).unwrap();
            }
        }
    }
    assert!(refused.is_empty(), "{refused}");
}
