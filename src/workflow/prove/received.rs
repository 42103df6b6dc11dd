//! What came in: every file has its bytes, every interchange in them its row, and everything ended somehow.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Prover;
use super::wire::Seen;
use crate::domain::document::Disposition;
use crate::storage::Failure;
use crate::storage::proof::received::{
    KeptDocument, KeptFile, KeptGroup, KeptInterchange, KeptSet,
};
use crate::workflow::read::together;
use supercargo_x12::GroupVerdict;

/// Files in a slice.
const FILES: i64 = 100;
/// Documents in a slice.
const DOCUMENTS: i64 = 500;

/// Files, their bytes and their interchanges.
///
/// Gives back the files in which no interchange stands: each has a document for itself as a whole.
pub(super) async fn files(prover: &mut Prover<'_>) -> Result<BTreeSet<i64>, Failure> {
    prover.begin(
        "received",
        "every file has its bytes; every interchange in them has a row and an end; received = processed + held + rejected + duplicate",
    );
    let mut whole = BTreeSet::new();
    let mut after = i64::MIN;
    loop {
        let (files, interchanges, groups, sets) = prover
            .history
            .slice(move |connection| {
                Box::pin(async move {
                    let files = connection.kept_files(after, FILES).await?;
                    let (Some(first), Some(last)) = (files.first(), files.last()) else {
                        return Ok((files, Vec::new(), Vec::new(), Vec::new()));
                    };
                    let (first, last) = (first.id, last.id);
                    let interchanges = connection.kept_interchanges(first, last).await?;
                    let groups = connection.kept_groups(first, last).await?;
                    let sets = connection.kept_sets(first, last).await?;
                    Ok((files, interchanges, groups, sets))
                })
            })
            .await?;
        let Some(last) = files.last() else { break };
        after = last.id;
        let judged = judge(prover, &groups);
        placed(prover, &judged, &sets);
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
            if parts.is_empty() && file.to_read == 0 {
                whole.insert(file.id);
            }
            one_file(prover, &file, &parts, &judged).await?;
            for part in &parts {
                one_interchange(prover, &file, part, &judged);
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
    Ok(whole)
}

/// The groups of an interchange; `None`: the verdict on that one can not be read.
type Judged = HashMap<i64, Vec<Option<GroupVerdict>>>;

/// The verdicts by interchange, each compared with the columns beside it.
fn judge(prover: &mut Prover<'_>, groups: &[KeptGroup]) -> Judged {
    let mut judged = Judged::new();
    for group in groups {
        let place = || {
            format!(
                "interchange {}, group {}",
                group.interchange_id, group.ordinal
            )
        };
        let before = judged.entry(group.interchange_id).or_default();
        let expected = i64::try_from(before.len()).unwrap_or(i64::MAX);
        let verdict = serde_json::from_str::<GroupVerdict>(&group.verdict).ok();
        before.push(verdict.clone());
        if group.ordinal != expected {
            prover.fault(
                place(),
                format!("group {expected} should stand here: its verdict is not there"),
            );
        }
        match verdict {
            None => prover.fault(place(), "its verdict can not be read"),
            Some(verdict)
                if verdict.functional_id != group.functional_id
                    || verdict.control_number != group.gs06 =>
            {
                prover.fault(
                    place(),
                    format!(
                        "its columns say {} {}, its verdict {} {}",
                        group.functional_id,
                        group.gs06,
                        verdict.functional_id,
                        verdict.control_number
                    ),
                );
            }
            Some(_) => {}
        }
    }
    judged
}

/// Received sets as their documents say, against the verdicts on their groups.
fn placed(prover: &mut Prover<'_>, judged: &Judged, sets: &[KeptSet]) {
    for set in sets {
        let at = |n: i64| usize::try_from(n).ok();
        let Some(groups) = judged.get(&set.interchange_id) else {
            continue;
        };
        let Some(group_ordinal) = at(set.group_ordinal) else {
            continue;
        };
        let before: Option<usize> = groups
            .iter()
            .take(group_ordinal)
            .map(|group| group.as_ref().map(|group| group.sets.len()))
            .sum();
        let (Some(Some(group)), Some(before), Some(place)) =
            (groups.get(group_ordinal), before, at(set.set_ordinal))
        else {
            continue;
        };
        let verdict = place.checked_sub(before).and_then(|n| group.sets.get(n));
        let same = verdict.is_some_and(|verdict| {
            verdict.st01 == set.set_code
                && verdict.st02 == set.st02
                && group.control_number == set.gs06
                && i64::try_from(verdict.offset).ok() == set.byte_offset
                && i64::try_from(verdict.length).ok() == set.size
        });
        if !same {
            prover.fault(
                format!("document {} ({})", set.id, set.set_code),
                format!(
                    "it says that it is set {} of group {} at byte {} ({} bytes), and the verdict on its group says otherwise",
                    set.st02,
                    set.gs06,
                    set.byte_offset.unwrap_or(-1),
                    set.size.unwrap_or(-1)
                ),
            );
        }
    }
}

async fn one_file(
    prover: &mut Prover<'_>,
    file: &KeptFile,
    parts: &[KeptInterchange],
    judged: &Judged,
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
        .content(&file.sha256, kept, file.in_row(), false)
        .await?;
    match content {
        Err(why) => prover.fault(place(), why),
        Ok(content) if content.sha256 != file.sha256 || content.size != kept => prover.fault(
            place(),
            format!(
                "the bytes that are kept are not those that came: they have the SHA-256 {}, the file has {}",
                content.sha256, file.sha256
            ),
        ),
        Ok(content) if !reading => {
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
            for (part, seen) in parts.iter().filter_map(|part| {
                let seen = content
                    .interchanges
                    .iter()
                    .find(|seen| seen.offset == part.byte_offset)?;
                Some((part, seen))
            }) {
                envelope(prover, part, seen, judged);
            }
        }
        Ok(_) => {}
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

/// An interchange as its row says, against what stands in the bytes.
fn envelope(prover: &mut Prover<'_>, part: &KeptInterchange, seen: &Seen, judged: &Judged) {
    if part.isa13 != seen.isa13 {
        prover.fault(
            format!("interchange {} ({})", part.id, part.isa13),
            format!("in the bytes its ISA13 is {}", seen.isa13),
        );
    }
    let groups = judged.get(&part.id).map_or(0, Vec::len);
    // What is refused as a whole may be so broken that its groups can not be told.
    if part.disposition == "processed" && groups != seen.groups.len() {
        prover.fault(
            format!("interchange {} ({})", part.id, part.isa13),
            format!(
                "{} groups stand in the bytes and the verdicts on {groups} are kept",
                seen.groups.len()
            ),
        );
    }
}

fn one_interchange(
    prover: &mut Prover<'_>,
    file: &KeptFile,
    part: &KeptInterchange,
    judged: &Judged,
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
    let sets: usize = judged
        .get(&part.id)
        .into_iter()
        .flatten()
        .flatten()
        .map(|group| group.sets.len())
        .sum();
    if i64::try_from(sets).unwrap_or(i64::MAX) != part.sets {
        prover.fault(
            place(),
            format!(
                "{sets} of its sets were judged and {} are kept as documents",
                part.sets
            ),
        );
    }
}

/// Documents of both directions, each by itself.
///
/// `whole` are the files that have to have a document for themselves.
pub(super) async fn documents(
    prover: &mut Prover<'_>,
    mut whole: BTreeSet<i64>,
) -> Result<(), Failure> {
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
            if let (Some(file), None) = (document.file_id, document.interchange_id) {
                whole.remove(&file);
            }
            if document.direction == "in" {
                incoming(prover, document);
            } else {
                super::sent::document(prover, document);
            }
        }
    }
    for file in whole {
        // It may have been read again in between; what is there now is of one moment.
        let (documents, to_read) = prover
            .history
            .slice(move |connection| {
                Box::pin(async move { connection.whole_documents(file).await })
            })
            .await?;
        if documents == 0 && to_read == 0 {
            prover.fault(
                format!("file {file}"),
                "no interchange stands in it, and no document shows it to a person",
            );
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
