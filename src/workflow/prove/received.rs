//! What came in: every file has its bytes, every interchange in them its row, and everything ended somehow.

use std::collections::{BTreeMap, HashMap};

use super::Prover;
use crate::domain::document::Disposition;
use crate::storage::Failure;
use crate::storage::proof::received::{KeptDocument, KeptFile, KeptInterchange};
use crate::workflow::read::together;
use supercargo_x12::GroupVerdict;

/// Files in a slice.
const FILES: i64 = 100;
/// Documents in a slice.
const DOCUMENTS: i64 = 500;

/// Files, their bytes and their interchanges.
pub(super) async fn files(prover: &mut Prover<'_>) -> Result<(), Failure> {
    prover.begin(
        "received",
        "every file has its bytes; every interchange in them has a row and an end; received = processed + held + rejected + duplicate",
    );
    let mut after = i64::MIN;
    loop {
        let (files, interchanges, verdicts) = prover
            .history
            .slice(move |connection| {
                Box::pin(async move {
                    let files = connection.kept_files(after, FILES).await?;
                    let (Some(first), Some(last)) = (files.first(), files.last()) else {
                        return Ok((files, Vec::new(), Vec::new()));
                    };
                    let (first, last) = (first.id, last.id);
                    let interchanges = connection.kept_interchanges(first, last).await?;
                    let verdicts = connection.kept_verdicts(first, last).await?;
                    Ok((files, interchanges, verdicts))
                })
            })
            .await?;
        let Some(last) = files.last() else { break };
        after = last.id;
        let sets = judged_sets(&verdicts);
        let mut of_file: BTreeMap<i64, Vec<KeptInterchange>> = BTreeMap::new();
        for interchange in interchanges {
            of_file
                .entry(interchange.file_id)
                .or_default()
                .push(interchange);
        }
        prover.checked(files.len());
        for file in files {
            let parts = of_file.remove(&file.id).unwrap_or_default();
            one_file(prover, &file, &parts).await?;
            for part in &parts {
                one_interchange(prover, &file, part, &sets);
            }
        }
    }
    let strays = prover
        .history
        .slice(|connection| Box::pin(async move { connection.stray_interchanges().await }))
        .await?;
    for (id, file) in strays {
        prover.fault(
            format!("interchange {id}"),
            format!("its file, number {file}, is not there"),
        );
    }
    Ok(())
}

/// How many sets the verdicts on the groups of an interchange speak of; none: one of them can not be read.
fn judged_sets(verdicts: &[(i64, String)]) -> HashMap<i64, Option<i64>> {
    let mut sets: HashMap<i64, Option<i64>> = HashMap::new();
    for (interchange, text) in verdicts {
        let read = serde_json::from_str::<GroupVerdict>(text).ok();
        let sum = sets.entry(*interchange).or_insert(Some(0));
        *sum = match (*sum, read) {
            (Some(sum), Some(group)) => {
                Some(sum + i64::try_from(group.sets.len()).unwrap_or_default())
            }
            _ => None,
        };
    }
    sets
}

async fn one_file(
    prover: &mut Prover<'_>,
    file: &KeptFile,
    parts: &[KeptInterchange],
) -> Result<(), Failure> {
    let place = || format!("file {} ({})", file.id, file.name);
    if !prover.proof.totals.files.count(&file.disposition) {
        prover.fault(
            place(),
            format!("{:?} is no way for a file to end", file.disposition),
        );
    }
    let reading = file.to_read > 0;
    let Some(kept) = file.kept_size else {
        prover.fault(place(), format!("its bytes, {}, are not kept", file.sha256));
        return Ok(());
    };
    if kept != file.size {
        prover.fault(
            place(),
            format!("it came with {} bytes and {kept} are kept", file.size),
        );
    }
    let content = prover
        .content(&file.sha256, kept, file.bytes.as_deref(), false)
        .await?;
    match content {
        None => prover.fault(
            place(),
            format!("some of its bytes, {}, are not kept", file.sha256),
        ),
        Some(content) if content.sha256 != file.sha256 || content.size != kept => prover.fault(
            place(),
            format!(
                "the bytes that are kept are not those that came: they have the SHA-256 {}, the file has {}",
                content.sha256, file.sha256
            ),
        ),
        Some(content) if !reading => {
            for seen in content
                .interchanges
                .iter()
                .filter(|seen| !parts.iter().any(|part| part.byte_offset == seen.offset))
            {
                prover.fault(
                    place(),
                    format!(
                        "the interchange {} at byte {} has no row: it was received and nothing says what became of it",
                        seen.isa13, seen.offset
                    ),
                );
            }
            for part in parts.iter().filter(|part| {
                !content
                    .interchanges
                    .iter()
                    .any(|seen| seen.offset == part.byte_offset)
            }) {
                prover.fault(
                    format!("interchange {}", part.id),
                    format!(
                        "no interchange stands at byte {} of file {}",
                        part.byte_offset, file.id
                    ),
                );
            }
        }
        Some(_) => {}
    }
    if reading {
        return Ok(());
    }
    let ends: Vec<Disposition> = parts
        .iter()
        .filter_map(|part| part.disposition.parse().ok())
        .collect();
    let expected = if parts.is_empty() {
        Disposition::Rejected
    } else {
        together(&ends)
    };
    if file.disposition != expected.word() && ends.len() == parts.len() {
        prover.fault(
            place(),
            format!(
                "it is {} while its interchanges come to {}",
                file.disposition,
                expected.word()
            ),
        );
    }
    Ok(())
}

fn one_interchange(
    prover: &mut Prover<'_>,
    file: &KeptFile,
    part: &KeptInterchange,
    sets: &HashMap<i64, Option<i64>>,
) {
    let place = || format!("interchange {} ({})", part.id, part.isa13);
    if !prover.proof.totals.interchanges.count(&part.disposition) {
        prover.fault(
            place(),
            format!("{:?} is no way for an interchange to end", part.disposition),
        );
    }
    if file.to_read == 0 && part.disposition == "received" && part.waiting == 0 {
        prover.fault(
            place(),
            "nothing of it waits for anything, and it has no end",
        );
    }
    match sets.get(&part.id).copied().unwrap_or(Some(0)) {
        None => prover.fault(
            place(),
            "the verdict on one of its groups can not be read".to_owned(),
        ),
        Some(judged) if judged != part.sets => prover.fault(
            place(),
            format!(
                "{judged} of its sets were judged and {} are kept as documents",
                part.sets
            ),
        ),
        Some(_) => {}
    }
}

/// Documents of both directions, each by itself.
pub(super) async fn documents(prover: &mut Prover<'_>) -> Result<(), Failure> {
    prover.begin(
        "documents",
        "every received set ended, with a reason where nothing came of it; every accepted 850 is one order; every document sent waits for its answer or has it",
    );
    let mut after = i64::MIN;
    loop {
        let documents = prover
            .history
            .slice(move |connection| {
                Box::pin(async move { connection.kept_documents(after, DOCUMENTS).await })
            })
            .await?;
        let Some(last) = documents.last() else { break };
        after = last.id;
        prover.checked(documents.len());
        for document in &documents {
            if document.direction == "in" {
                incoming(prover, document);
            } else {
                super::sent::document(prover, document);
            }
        }
    }
    Ok(())
}

fn has_findings(document: &KeptDocument) -> bool {
    let said = |findings: &str| !matches!(findings, "" | "[]");
    said(&document.findings) || document.interchange_findings.as_deref().is_some_and(said)
}

fn incoming(prover: &mut Prover<'_>, document: &KeptDocument) {
    let place = || {
        format!(
            "document {} ({} {})",
            document.id, document.set_code, document.reference
        )
    };
    if !prover
        .proof
        .totals
        .documents_received
        .count(&document.disposition)
    {
        prover.fault(
            place(),
            format!("{:?} is no way for a set to end", document.disposition),
        );
    }
    if document.file.is_none() {
        prover.fault(
            place(),
            format!(
                "its file, number {}, is not there",
                document.file_id.unwrap_or_default()
            ),
        );
    }
    if let (Some(id), None) = (document.interchange_id, &document.interchange) {
        prover.fault(
            place(),
            format!("its interchange, number {id}, is not there"),
        );
    }
    if let (Some(sha256), None) = (&document.corrected_sha256, document.corrected_size) {
        prover.fault(
            place(),
            format!("its corrected text, {sha256}, is not kept"),
        );
    }
    match document.disposition.as_str() {
        "received" if document.work == 0 => prover.fault(
            place(),
            "it waits to be translated, and no work asks for it: it would wait for ever",
        ),
        "held" | "rejected" if !has_findings(document) => prover.fault(
            place(),
            format!("it is {} and nothing says why", document.disposition),
        ),
        "duplicate" if document.subject_id.is_none() && !has_findings(document) => {
            prover.fault(place(), "it is a duplicate and nothing says of what")
        }
        "processed"
            if document.set_code == "850" && document.order_document != Some(document.id) =>
        {
            prover.fault(place(), "it was accepted, and no order was made of it");
        }
        "processed"
            if document.set_code == "820" && document.payment_document != Some(document.id) =>
        {
            prover.fault(
                place(),
                "it was accepted, and no payment was booked from it",
            );
        }
        _ => {}
    }
}
