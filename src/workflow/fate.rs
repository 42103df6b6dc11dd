//! The fate of what we sent: 997, 999 and TA1 say whether it could be read, an 824 whether it was taken into the books.
//! A rejection puts the document before a person; an acceptance may let an invoice go.

use supercargo_x12::{IsaHeader, Ta1, functional_id_of};

use super::notice::{self, Notice};
use super::{Gateway, Trading};
use crate::domain::document::{Application, Syntax};
use crate::domain::finding::{Finding, Severity};
use crate::domain::order::Mode;
use crate::domain::policy::InvoiceWhen;
use crate::storage::documents::DocumentRow;
use crate::storage::journal::Subject;
use crate::storage::work::Step;
use crate::storage::{Connection, Failure};
use crate::translation::acknowledgment::{GroupAnswer, SetAnswer, interchange_answer};
use crate::translation::application_advice::AdviceAnswer;
use crate::translation::envelope::Addresses;

/// Writes a 997's or 999's answer onto the documents of the group it names. What it names and we did not send is a
/// finding about the acknowledgment itself.
pub async fn answer_group(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    from: &DocumentRow,
    answer: &GroupAnswer,
) -> Result<Vec<Finding>, Failure> {
    let sent = connection
        .sent_in_group(
            trading.partner.0,
            &from.mode,
            answer.gs06.trim_start_matches('0'),
        )
        .await?
        .into_iter()
        .filter(|document| functional_id_of(&document.set_code) == Some(&answer.functional_id))
        .collect();
    let sent = match connection.sender_of(from.id).await? {
        Some((header, _)) => {
            let header = serde_json::from_str(&header).map_err(|error| Failure::Corrupt {
                table: "interchange",
                key: format!("of document {}", from.id),
                why: error.to_string(),
            })?;
            sent_to(gateway, trading, &header, sent)
        }
        None => sent,
    };
    if sent.is_empty() {
        return Ok(vec![unknown(&format!(
            "group {} {}",
            answer.functional_id, answer.gs06
        ))]);
    }
    let mut findings = Vec::new();
    let names = |named: &SetAnswer, document: &DocumentRow| {
        named.st02 == document.st02 && named.st01 == document.set_code
    };
    for named in &answer.sets {
        if !sent.iter().any(|document| names(named, document)) {
            findings.push(unknown(&format!(
                "set {} {} of group {}",
                named.st01, named.st02, answer.gs06
            )));
        }
    }
    let with = (
        from.set_code.as_str(),
        format!("{} of {}", from.set_code, from.isa13),
    );
    let names_a_rejected_one = answer.sets.iter().any(|set| set.syntax == Syntax::Rejected);
    for document in &sent {
        let named: Vec<&SetAnswer> = answer
            .sets
            .iter()
            .filter(|set| names(set, document))
            .collect();
        let mut contrary = None;
        let (syntax, complaints) = match gravest(&named) {
            // A refusal prevails: of the whole group over what is said of its sets.
            Some((set, mut complaints))
                if answer.syntax == Syntax::Rejected && set != Syntax::Rejected =>
            {
                complaints.extend(answer.complaints.clone());
                contrary = Some(refused_as_a_group(answer, document));
                (Syntax::Rejected, complaints)
            }
            Some((set, complaints)) => {
                let both = set == Syntax::Rejected
                    && named
                        .iter()
                        .any(|other| contradicts(other.syntax.word(), set));
                contrary = both.then(|| named_twice(answer, document));
                (set, complaints)
            }
            // AK2 loops of accepted sets are optional (X12-RULES 33): the group speaks for them.
            None if answer.syntax == Syntax::PartlyAccepted && names_a_rejected_one => {
                (Syntax::Accepted, Vec::new())
            }
            // Some are refused, and it does not say which: none is known to be accepted.
            None if answer.syntax == Syntax::PartlyAccepted => {
                let finding = unnamed(answer, document);
                findings.push(finding.clone());
                (Syntax::Rejected, vec![finding])
            }
            None => (answer.syntax, answer.complaints.clone()),
        };
        let complaints = [complaints, contrary.iter().cloned().collect()].concat();
        findings.extend(
            settle_syntax(
                gateway, connection, trading, document, syntax, complaints, &with,
            )
            .await?,
        );
        if let Some(contrary) = contrary {
            // One that was refused before has been laid before a person without it.
            if document.syntax == Syntax::Rejected.word() {
                tell_contradiction(gateway, connection, trading, document, &contrary).await?;
            }
            findings.push(contrary);
        }
    }
    Ok(findings)
}

/// The gravest verdict of several on one set, with the complaints of all; none: the set is not named.
fn gravest(named: &[&SetAnswer]) -> Option<(Syntax, Vec<Finding>)> {
    let weight = |syntax: Syntax| match syntax {
        Syntax::Rejected => 4,
        Syntax::PartlyAccepted => 3,
        Syntax::AcceptedWithErrors => 2,
        Syntax::Accepted => 1,
        _ => 0,
    };
    let syntax = named
        .iter()
        .map(|set| set.syntax)
        .max_by_key(|syntax| weight(*syntax))?;
    let complaints = named.iter().flat_map(|set| set.complaints.clone());
    Some((syntax, complaints.collect()))
}

fn named_twice(answer: &GroupAnswer, document: &DocumentRow) -> Finding {
    contradicts_itself(format!(
        "both accepts and rejects {} {} of group {} in one acknowledgment",
        document.set_code, document.st02, answer.gs06
    ))
}

fn refused_as_a_group(answer: &GroupAnswer, document: &DocumentRow) -> Finding {
    contradicts_itself(format!(
        "accepts {} {} and rejects its whole group {}",
        document.set_code, document.st02, answer.gs06
    ))
}

fn contradicts_itself(how: String) -> Finding {
    Finding::business(
        "answer-contradicts",
        Severity::Note,
        format!("the partner {how}: the refusal stands; ask the partner which of both is meant"),
    )
}

fn unnamed(answer: &GroupAnswer, document: &DocumentRow) -> Finding {
    Finding::business(
        "acknowledgment-without-verdict",
        Severity::Note,
        format!(
            "the partner accepts group {} in part and names no set that it rejects: our {} {} may be one; ask the partner which it could not read, and send that again",
            answer.gs06, document.set_code, document.reference
        ),
    )
}

/// Of documents with the same control numbers those that went to the address that answers now; where none did, all of
/// them, for some partners answer from another address than they receive at.
fn sent_to(
    gateway: &Gateway,
    trading: &Trading,
    header: &IsaHeader,
    sent: Vec<DocumentRow>,
) -> Vec<DocumentRow> {
    let went_there = |document: &DocumentRow| match document.address.as_str() {
        "" => {
            let mode = document.mode.parse();
            gateway
                .settings
                .our_company()
                .zip(mode.ok())
                .is_some_and(|(company, mode)| {
                    Addresses::of(&trading.profile, company, mode).is_with(header)
                })
        }
        address => serde_json::from_str::<Addresses>(address)
            .is_ok_and(|addresses| addresses.is_with(header)),
    };
    if !sent.iter().any(went_there) {
        return sent;
    }
    sent.into_iter().filter(went_there).collect()
}

fn unknown(what: &str) -> Finding {
    Finding::business(
        "acknowledges-nothing-of-ours",
        Severity::Note,
        format!("it answers {what}, which we did not send to this partner: nothing was changed"),
    )
}

/// Writes a TA1's answer onto the documents of the interchange it names. What it names and we did not send, and what
/// contradicts an earlier answer, is a finding about the interchange that brought it.
pub async fn answer_interchange(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    mode: Mode,
    header: &IsaHeader,
    ta1: &Ta1,
) -> Result<Vec<Finding>, Failure> {
    let answer = interchange_answer(ta1);
    let sent = connection
        .sent_in_interchange(trading.partner.0, mode.word(), &answer.isa13)
        .await?;
    let sent = sent_to(gateway, trading, header, sent);
    if sent.is_empty() {
        return Ok(vec![unknown(&format!("interchange {}", answer.isa13))]);
    }
    let with = ("TA1", format!("TA1 in {}", header.control_number));
    let mut findings = Vec::new();
    for document in sent {
        // A TA1 that accepts says nothing of the sets: their 997 is still to come.
        if answer.syntax == Syntax::Rejected {
            let complaints = answer.complaint.iter().cloned().collect();
            findings.extend(
                settle_syntax(
                    gateway,
                    connection,
                    trading,
                    &document,
                    Syntax::Rejected,
                    complaints,
                    &with,
                )
                .await?,
            );
        }
    }
    Ok(findings)
}

/// Whether an answer says the opposite of the one that was there: one refuses and the other does not.
fn contradicts(earlier: &str, now: Syntax) -> bool {
    let answered = |word: &str| {
        [
            Syntax::Accepted,
            Syntax::AcceptedWithErrors,
            Syntax::PartlyAccepted,
            Syntax::Rejected,
        ]
        .iter()
        .any(|syntax| syntax.word() == word)
    };
    let refused = Syntax::Rejected.word();
    answered(earlier) && answered(now.word()) && (earlier == refused) != (now.word() == refused)
}

fn contradiction(document: &DocumentRow, syntax: Syntax, with: &str) -> Finding {
    let (before, now) = (&document.syntax, syntax.word());
    Finding::business(
        "answer-contradicts",
        Severity::Note,
        format!(
            "{with} says {now} of our {} {} (document {}), which the partner answered with {before} before: the refusal stands; ask the partner which of both is meant",
            document.set_code, document.reference, document.id
        ),
    )
}

/// Writes an answer onto a document; `with` is the set that gives it, and how that is named in a sentence. A refusal
/// prevails: one that comes after an acceptance undoes it, and an acceptance that comes after a refusal changes nothing.
/// Either contradiction is given back, and a person is told.
async fn settle_syntax(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    document: &DocumentRow,
    syntax: Syntax,
    mut complaints: Vec<Finding>,
    (set, with): &(&str, String),
) -> Result<Option<Finding>, Failure> {
    let now = gateway.now();
    if document.syntax == syntax.word() {
        return Ok(None);
    }
    let contrary =
        contradicts(&document.syntax, syntax).then(|| contradiction(document, syntax, with));
    if let Some(finding) = &contrary
        && syntax != Syntax::Rejected
    {
        tell_contradiction(gateway, connection, trading, document, finding).await?;
        return Ok(contrary);
    }
    complaints.extend(contrary.clone());
    connection
        .answer_document(document.id, syntax, &complaints, now)
        .await?;
    let subject = Subject::new("document", document.id);
    connection.clear_alerts(now, subject).await?;
    connection
        .record(
            now,
            "partner",
            &format!("{set}: {}", syntax.word()),
            subject,
            &notice::lines(&complaints),
        )
        .await?;
    if syntax == Syntax::Rejected {
        tell_rejected(
            gateway,
            connection,
            trading,
            document,
            "could not read",
            &complaints,
        )
        .await?;
        if let Some(finding) = &contrary {
            tell_contradiction(gateway, connection, trading, document, finding).await?;
        }
        return Ok(contrary);
    }
    let awaited = document.set_code == "856"
        && document.subject_kind == "shipment"
        && trading.profile.invoicing.when == InvoiceWhen::ShipNoticeAccepted;
    if let Some(shipment) = document.subject_id.filter(|_| awaited) {
        connection
            .ask_for(Step::Invoice, shipment, &[shipment], now)
            .await?;
    }
    Ok(contrary)
}

async fn tell_contradiction(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    document: &DocumentRow,
    finding: &Finding,
) -> Result<(), Failure> {
    let subject = Subject::new("document", document.id);
    let text = notice::lines(std::slice::from_ref(finding));
    connection
        .record(
            gateway.now(),
            "partner",
            "answer contradicts an earlier one",
            subject,
            &text,
        )
        .await?;
    let notice = Notice {
        key: format!("answer-contradicts:{}", document.id),
        kind: "answer-contradicts",
        subject,
        title: format!(
            "the partner contradicts itself about our {} for {}",
            document.set_code, document.reference
        ),
        text: format!(
            "{text}\nWhat to do: ask the partner; the refusal stands until the document is sent again from its page."
        ),
    };
    notice::tell(gateway, connection, Some(trading), notice).await
}

/// Writes an 824's answers onto what we sent. It keeps the document syntactically acknowledged (X12-RULES 97).
pub async fn answer_applications(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    from: &DocumentRow,
    answers: &[AdviceAnswer],
) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for answer in answers {
        let mut sent = connection
            .sent_with_reference(trading.partner.0, &from.mode, &answer.reference)
            .await?;
        sent.retain(|document| meant(answer, document));
        if sent.is_empty() && !answer.gs06.is_empty() {
            let gs06 = answer.gs06.trim_start_matches('0');
            sent = connection
                .sent_in_group(trading.partner.0, &from.mode, gs06)
                .await?;
            sent.retain(|document| meant(answer, document));
            // Without its reference it is one document only where the group has no other.
            if sent.len() > 1 {
                sent.clear();
            }
        }
        let Some(document) = sent.last() else {
            findings.push(unknown(&format!(
                "{} {}",
                answer.qualifier, answer.reference
            )));
            continue;
        };
        connection
            .set_application(&[document.id], answer.application)
            .await?;
        let subject = Subject::new("document", document.id);
        let said = notice::lines(&answer.complaints);
        connection
            .record(
                gateway.now(),
                "partner",
                &format!("824: {}", answer.application.word()),
                subject,
                &said,
            )
            .await?;
        if answer.application == Application::Rejected {
            tell_rejected(
                gateway,
                connection,
                trading,
                document,
                "refused",
                &answer.complaints,
            )
            .await?;
        }
    }
    Ok(findings)
}

/// Whether an advice speaks of this document, of those with its reference: of the kind that its qualifier and OTI10 name,
/// and under the control numbers that it gives.
fn meant(answer: &AdviceAnswer, document: &DocumentRow) -> bool {
    let kind = match answer.qualifier.as_str() {
        "IV" => document.set_code == "810",
        "SI" | "BM" | "SN" => document.set_code == "856",
        "PO" => document.set_code == "855" || document.set_code == "865",
        _ => true,
    };
    let same = |given: &str, ours: &str| {
        given.is_empty() || given.trim_start_matches('0') == ours.trim_start_matches('0')
    };
    kind && (answer.set.is_empty() || answer.set == document.set_code)
        && same(&answer.gs06, &document.gs06)
        && same(&answer.st02, &document.st02)
}

async fn tell_rejected(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    document: &DocumentRow,
    verb: &str,
    complaints: &[Finding],
) -> Result<(), Failure> {
    let notice = Notice {
        key: format!("sent-rejected:{}:{verb}", document.id),
        kind: "sent-document-rejected",
        subject: Subject::new("document", document.id),
        title: format!(
            "the partner {verb} our {} for {}",
            document.set_code, document.reference
        ),
        text: format!(
            "{}\nWhat to do: mend the cause (profile or data), then send it again under new control numbers, from the document's page or with `supercargo document resend {}`.",
            notice::lines(complaints),
            document.id
        ),
    };
    notice::tell(gateway, connection, Some(trading), notice).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_beside_an_acceptance_is_a_contradiction() {
        for (earlier, now, contrary) in [
            ("accepted", Syntax::Rejected, true),
            ("rejected", Syntax::Accepted, true),
            ("rejected", Syntax::AcceptedWithErrors, true),
            ("accepted", Syntax::AcceptedWithErrors, false),
            ("pending", Syntax::Rejected, false),
            ("none", Syntax::Accepted, false),
            ("rejected", Syntax::Rejected, false),
        ] {
            assert_eq!(contradicts(earlier, now), contrary, "{earlier} {now:?}");
        }
    }
}
