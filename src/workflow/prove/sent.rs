//! What went out: bytes, control numbers, delivery, and an answer or the time by which one is due.

use std::collections::{BTreeMap, HashMap};

use super::Prover;
use super::wire::Seen;
use crate::storage::Failure;
use crate::storage::proof::received::KeptDocument;
use crate::storage::proof::sent::{KeptPart, KeptTransmission};
use crate::storage::work::LANES;

/// Files in a slice.
const FILES: i64 = 200;
/// Where control numbers begin again at 1 (X12-RULES 43).
const NUMBER_LAST: i64 = 999_999_999;

/// A document on its way out or gone.
pub(super) fn document(prover: &mut Prover<'_>, document: &KeptDocument) {
    prover.proof.totals.documents_sent += 1;
    let place = || {
        format!(
            "document {} ({} {})",
            document.id, document.set_code, document.reference
        )
    };
    match (document.delivery.as_str(), document.transmission_id) {
        ("held", None) if matches!(document.findings.as_str(), "" | "[]") => {
            prover.fault(place(), "it is held and nothing says why");
        }
        ("held" | "superseded", None) => {}
        ("queued", None) if document.unsent == 0 => prover.fault(
            place(),
            "it is queued and its segments are not there: it can not be sent",
        ),
        ("queued", None) if document.work == 0 => prover.fault(
            place(),
            "it is queued, and no work asks for its delivery: it would wait for ever",
        ),
        ("queued", None) => {}
        (delivery, None) => prover.fault(
            place(),
            format!("it is {delivery} and in no file that was sent"),
        ),
        (_, Some(file)) if document.transmission.is_none() => prover.fault(
            place(),
            format!("the file it went out in, number {file}, is not there"),
        ),
        _ => {}
    }
    if document.transmission_id.is_none() {
        return;
    }
    match document.syntax.as_str() {
        "none" => {}
        "pending" if document.answer_due_at.is_none() => prover.fault(
            place(),
            "it is not acknowledged, and nothing says by when it has to be",
        ),
        "pending" if document.answered_at.is_some() && document.told == 0 => {
            prover.fault(place(), "its acknowledgment is overdue and nobody was told")
        }
        "pending" => {}
        answer if document.answered_at.is_none() => {
            prover.fault(place(), format!("it is {answer} and nothing says when"));
        }
        _ => {}
    }
}

/// The last number of each scope, as the files tell it, and how many there were.
#[derive(Default)]
struct Numbers(BTreeMap<String, i64>);

impl Numbers {
    /// The next number of a scope; what should have stood there, where it is another.
    fn next(&mut self, scope: String, number: i64) -> Result<(), i64> {
        let last = self.0.entry(scope).or_default();
        let expected = *last % NUMBER_LAST + 1;
        *last = number;
        if number == expected {
            Ok(())
        } else {
            Err(expected)
        }
    }
}

/// Files to partners: their bytes say what the database says.
pub(super) async fn files(prover: &mut Prover<'_>) -> Result<(), Failure> {
    prover.begin(
        "sent",
        "every file sent has its bytes; its documents and control numbers stand in them as the database says; control numbers rise by one, with no gap and no repeat",
    );
    let mut numbers = Numbers::default();
    let mut after = i64::MIN;
    loop {
        let (files, parts, ends) = prover
            .history
            .slice(move |connection| {
                Box::pin(async move {
                    let files = connection.kept_transmissions(after, FILES).await?;
                    let (Some(first), Some(last)) = (files.first(), files.last()) else {
                        let mut counters = connection.counters("isa:").await?;
                        counters.extend(connection.counters("gs:").await?);
                        let lanes = connection.count_lanes().await?;
                        return Ok((files, Vec::new(), Some((counters, lanes))));
                    };
                    let parts = connection.kept_parts(first.id, last.id).await?;
                    Ok((files, parts, None))
                })
            })
            .await?;
        if let Some((counters, lanes)) = ends {
            counted(prover, numbers, counters);
            if lanes != LANES {
                prover.fault(
                    "table lane",
                    format!(
                        "{lanes} of the {LANES} lanes are there: what belongs to the others is never done"
                    ),
                );
            }
            return Ok(());
        }
        after = files.last().map_or(after, |last| last.id);
        prover.checked(files.len());
        prover.proof.totals.transmissions += files.len() as u64;
        let mut of_file: HashMap<i64, Vec<KeptPart>> = HashMap::new();
        for part in parts {
            of_file.entry(part.transmission_id).or_default().push(part);
        }
        for file in files {
            let parts = of_file.remove(&file.id).unwrap_or_default();
            one_file(prover, &file, &parts, &mut numbers).await?;
        }
    }
}

fn named(file: &KeptTransmission) -> String {
    format!("sent file {} ({})", file.id, file.name)
}

async fn one_file(
    prover: &mut Prover<'_>,
    file: &KeptTransmission,
    parts: &[KeptPart],
    numbers: &mut Numbers,
) -> Result<(), Failure> {
    delivery(prover, file, parts);
    let Some(kept) = file.kept_size else {
        prover.fault(
            named(file),
            format!("its bytes, {}, are not kept", file.sha256),
        );
        return Ok(());
    };
    let content = prover
        .content(&file.sha256, kept, file.in_row(), true)
        .await?;
    let content = match content {
        Ok(content) => content,
        Err(why) => {
            prover.fault(named(file), why);
            return Ok(());
        }
    };
    if content.sha256 != file.sha256 || content.size != file.size || kept != file.size {
        prover.fault(
            named(file),
            format!(
                "the bytes that are kept are not those that were sent: {} bytes with the SHA-256 {}, sent were {} with {}",
                content.size, content.sha256, file.size, file.sha256
            ),
        );
        return Ok(());
    }
    let [seen] = content.interchanges.as_slice() else {
        prover.fault(
            named(file),
            format!(
                "it holds {} interchanges and should hold one",
                content.interchanges.len()
            ),
        );
        return Ok(());
    };
    compare(prover, file, parts, seen);
    rising(prover, file, seen, numbers);
    Ok(())
}

fn delivery(prover: &mut Prover<'_>, file: &KeptTransmission, parts: &[KeptPart]) {
    match file.state.as_str() {
        "queued" | "uncertain" | "failed" if file.to_push == 0 => prover.fault(
            named(file),
            format!(
                "it is {} and no work pushes it: it would wait for ever",
                file.state
            ),
        ),
        "delivered" if file.delivered_at.is_none() => prover.fault(
            named(file),
            "it is delivered and nothing says when".to_owned(),
        ),
        "picked_up" if file.picked_up_at.is_none() => prover.fault(
            named(file),
            "it was fetched and nothing says when".to_owned(),
        ),
        "queued" | "uncertain" | "failed" | "delivered" | "picked_up" => {}
        other => prover.fault(named(file), format!("{other:?} is no state of a file")),
    }
    let expected = match file.state.as_str() {
        "failed" => "queued",
        state => state,
    };
    for part in parts
        .iter()
        .filter(|part| part.delivery != expected && part.delivery != "superseded")
    {
        prover.fault(
            format!("document {}", part.id),
            format!(
                "it is {} while its file, {}, is {}",
                part.delivery, file.name, file.state
            ),
        );
    }
    if parts.is_empty() {
        prover.fault(named(file), "no document is in it".to_owned());
    }
}

/// The documents of the database against those in the bytes.
fn compare(prover: &mut Prover<'_>, file: &KeptTransmission, parts: &[KeptPart], seen: &Seen) {
    if seen.isa13 != file.isa13 {
        prover.fault(
            named(file),
            format!(
                "its ISA13 is {} and the database says {}",
                seen.isa13, file.isa13
            ),
        );
    }
    if file.set_code == "TA1" {
        if seen.ta1s != parts.len() || !seen.sets.is_empty() {
            prover.fault(
                named(file),
                format!(
                    "{} TA1 stand in it and {} in the database",
                    seen.ta1s,
                    parts.len()
                ),
            );
        }
        return;
    }
    if seen.sets.len() != parts.len() {
        prover.fault(
            named(file),
            format!(
                "{} sets stand in it and {} in the database",
                seen.sets.len(),
                parts.len()
            ),
        );
    }
    for (part, (set, n)) in parts.iter().zip(seen.sets.iter().zip(1_i64..)) {
        let same = part.set_code == set.code
            && part.st02 == set.number
            && part.gs06 == set.gs06
            && part.isa13 == seen.isa13
            && part.byte_offset == Some(set.offset)
            && part.size == Some(set.size);
        if !same {
            prover.fault(
                format!("document {} ({})", part.id, part.set_code),
                format!(
                    "in {} stands set {} {} in group {} at byte {} ({} bytes), and the database says {} {} in group {} at byte {} ({} bytes)",
                    file.name,
                    set.code,
                    set.number,
                    set.gs06,
                    set.offset,
                    set.size,
                    part.set_code,
                    part.st02,
                    part.gs06,
                    part.byte_offset.unwrap_or(-1),
                    part.size.unwrap_or(-1)
                ),
            );
        }
        if set.number.parse() != Ok(n) {
            prover.fault(
                named(file),
                format!(
                    "its {n}. set has the control number {}: within a group they rise from 1",
                    set.number
                ),
            );
        }
    }
}

/// Control numbers of interchange and group rise by one in their scope, in the order of the files.
fn rising(prover: &mut Prover<'_>, file: &KeptTransmission, seen: &Seen, numbers: &mut Numbers) {
    let taken = std::iter::once(("isa", &seen.isa13))
        .chain(seen.groups.iter().map(|number| ("gs", number)));
    for (level, number) in taken {
        let scope = format!("{level}:{}:{}", seen.pair, file.mode);
        if let Err(expected) = numbers.next(scope, number.parse().unwrap_or_default()) {
            prover.fault(
                named(file),
                format!(
                    "its {} control number to {} ({}) is {number} and should be {expected}: the numbers have a gap or a repeat",
                    if level == "isa" { "interchange" } else { "group" },
                    seen.pair.rsplit('>').next().unwrap_or_default(),
                    file.mode
                ),
            );
        }
    }
}

/// The counters stand at the last number that was sent.
fn counted(prover: &mut Prover<'_>, numbers: Numbers, counters: Vec<(String, i64)>) {
    let mut sent = numbers.0;
    for (scope, value) in counters {
        let last = sent.remove(&scope).unwrap_or_default();
        if value.rem_euclid(NUMBER_LAST) != last.rem_euclid(NUMBER_LAST) {
            prover.fault(
                format!("counter {scope}"),
                format!("it stands at {value} and the last number sent is {last}"),
            );
        }
    }
    for (scope, last) in sent {
        prover.fault(
            format!("counter {scope}"),
            format!(
                "it is not there, and the last number sent is {last}: numbers would begin again"
            ),
        );
    }
}
