//! Real files of others, where this machine has them: nothing panics, and what is read makes sense.

use std::path::{Path, PathBuf};

use super::house::*;
use supercargo::domain::money::Amount;
use supercargo::translation::{acknowledgment, application_advice, purchase_order, remittance};
use supercargo_x12::{Event, Reader, TransactionSet};

/// The folder of real files; says so where there is none.
fn folder() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = [
        std::env::var_os("SUPERCARGO_CORPUS").map(PathBuf::from),
        Some(root.join("../shared/corpus")),
        Some(root.join("../../shared/corpus")),
    ]
    .into_iter()
    .flatten()
    .find(|folder| folder.join("INDEX.tsv").is_file());
    if found.is_none() {
        eprintln!("left out: no corpus of real files here (set SUPERCARGO_CORPUS to its folder)");
    }
    found
}

/// Every transaction set of every file, with the file's name.
fn each(mut look: impl FnMut(&str, &TransactionSet)) {
    let Some(folder) = folder() else { return };
    let mut kinds: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    kinds.sort();
    for kind in kinds.iter().filter(|kind| kind.is_dir()) {
        let mut files: Vec<PathBuf> = std::fs::read_dir(kind)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        for file in files {
            let bytes = std::fs::read(&file).unwrap();
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let mut reader = Reader::new(&bytes[..]);
            while let Ok(Some(event)) = reader.next() {
                if let Event::Set(set) = event {
                    look(&name, set);
                }
            }
        }
    }
}

#[test]
fn any_set_by_any_reader() {
    let profile = profile("");
    each(|_, set| {
        let _ = purchase_order::read(set, &profile);
        let _ = remittance::read(set, &profile);
        let _ = acknowledgment::read_997(set);
        let _ = acknowledgment::read_999(set);
        let _ = application_advice::read(set);
    });
}

#[test]
fn orders() {
    let profile = profile("");
    let (mut read, mut refused) = (0, Vec::new());
    each(|name, set| {
        if set.code() != "850" {
            return;
        }
        let count = |id: &str| set.segments().filter(|segment| segment.id() == id).count();
        match purchase_order::read(set, &profile) {
            Ok(order) => {
                read += 1;
                assert_eq!(order.lines.len(), count("PO1"), "{name}");
                assert_eq!(
                    order.header.po_number,
                    set.find("BEG").unwrap().element(3).trim_end(),
                    "{name}"
                );
                let messages = count("MSG") + count("NTE") + count("MTX");
                let kept = |ids: &[&str]| {
                    order
                        .header
                        .unused
                        .iter()
                        .filter(|unused| {
                            ids.iter()
                                .any(|id| unused.text.split('*').next() == Some(id))
                        })
                        .count()
                };
                assert_eq!(
                    order.header.notes.len() + kept(&["MSG", "NTE", "MTX"]),
                    messages,
                    "{name}"
                );
                let parties = order.header.parties.len() + kept(&["N1"]) + ship_tos_of_lines(set);
                assert_eq!(parties, count("N1"), "{name}");
                let references = order.header.references.len()
                    + order
                        .lines
                        .iter()
                        .map(|line| line.references.len())
                        .sum::<usize>();
                assert_eq!(
                    references + kept(&["REF", "N9"]),
                    count("REF") + count("N9"),
                    "{name}"
                );
            }
            Err(findings) => refused.push(format!("{name}: {}", codes(&findings).join(", "))),
        }
    });
    if folder().is_some() {
        eprintln!("{read} orders read; refused:\n{}", refused.join("\n"));
        assert!(read > 20, "{read}");
    }
}

/// Ship-tos below lines, which become deliveries; those below sublines are kept as they are.
fn ship_tos_of_lines(set: &TransactionSet) -> usize {
    let mut below = "";
    let mut found = 0;
    for segment in set.segments() {
        match segment.id() {
            "PO1" | "SLN" | "CTT" => below = segment.id(),
            "N1" if below == "PO1" && segment.element(1) == "ST" => found += 1,
            _ => {}
        }
    }
    found
}

#[test]
fn remittances() {
    let profile = profile("");
    let (mut read, mut balanced, mut refused) = (0, Vec::new(), Vec::new());
    each(|name, set| {
        if set.code() != "820" {
            return;
        }
        match remittance::read(set, &profile) {
            Ok(remittance) => {
                read += 1;
                let items = set
                    .segments()
                    .filter(|segment| segment.id() == "RMR")
                    .count();
                assert_eq!(remittance.items.len(), items, "{name}");
                let paid = remittance.items.iter().map(|item| item.paid);
                let sum =
                    Amount::sum(paid.chain(remittance.adjustments.iter().map(|tied| tied.amount)));
                if sum == Ok(remittance.total) {
                    balanced.push(name.to_owned());
                }
            }
            Err(findings) => refused.push(format!("{name}: {}", codes(&findings).join(", "))),
        }
    });
    if folder().is_some() {
        eprintln!(
            "{read} remittances read, {} balance: {balanced:?}; refused:\n{}",
            balanced.len(),
            refused.join("\n")
        );
        assert!(read >= 10 && balanced.len() >= 3, "{read}");
    }
}

#[test]
fn acknowledgments() {
    let (mut read, mut refused) = (0, Vec::new());
    each(|name, set| {
        let answer = match set.code() {
            "997" => acknowledgment::read_997(set),
            "999" => acknowledgment::read_999(set),
            _ => return,
        };
        match answer {
            Ok(answer) => {
                read += 1;
                let named = set
                    .segments()
                    .filter(|segment| segment.id() == "AK2")
                    .count();
                assert_eq!(answer.sets.len(), named, "{name}");
                for complaint in answer.sets.iter().flat_map(|set| &set.complaints) {
                    assert!(!complaint.message.is_empty());
                }
            }
            Err(findings) => refused.push(format!("{name}: {}", codes(&findings).join(", "))),
        }
    });
    if folder().is_some() {
        eprintln!(
            "{read} acknowledgments read; refused:\n{}",
            refused.join("\n")
        );
        assert!(read >= 5, "{read}");
    }
}
