//! The end of an interchange: its verdict, its documents, its acknowledgments and what follows, in one transaction.

use std::borrow::Cow;
use std::collections::BTreeSet;

use supercargo_x12::{
    AckOptions, GroupVerdict, OutboundSet, SetVerdict, build_997, build_999, build_ta1,
};

use super::opening::Open;
use super::parse::{Closed, Group};
use super::{Reading, together};
use crate::config::profile::acknowledgment::{AcknowledgmentKind, Ta1 as Ta1Policy};
use crate::config::profile::documents::{OnDifferent, OnIdentical};
use crate::domain::clock::{Instant, days_before};
use crate::domain::document::{Application, Delivery, Direction, Disposition, Syntax};
use crate::domain::finding::{Finding, Severity};
use crate::domain::order::Mode;
use crate::storage::documents::NewDocument;
use crate::storage::effort::{Effort, Spending, spend};
use crate::storage::files::{FileRow, NewGroup, NewInterchange, SeenInterchange, Sought};
use crate::storage::journal::Subject;
use crate::storage::work::Step;
use crate::storage::{Class, Connection, Failure};
use crate::translation::envelope::Addresses;
use crate::translation::judge::{ack_options, disposition_of};
use crate::translation::syntax;
use crate::waypoint::{self, BEFORE_COMMIT, COMMITTED};
use crate::workflow::notice::{self, Notice};
use crate::workflow::outbound::{self, Answers, Outgoing};
use crate::workflow::{COMPANY, Gateway, Trading, fate};

impl Reading<'_> {
    /// Writes groups that have come to an end while their interchange is still open, so that memory stays flat.
    pub(super) async fn write_pending(&self, open: &mut Open) -> Result<(), Failure> {
        let (gateway, leases, file) = (
            self.gateway.clone(),
            self.leases.to_vec(),
            self.file.clone(),
        );
        let groups = std::mem::take(&mut open.groups);
        let sets: usize = groups.iter().map(|group| group.verdict.sets.len()).sum();
        let begun = Begun::of(open);
        let written = groups.len();
        let id = self
            .gateway
            .store
            .write(Class::Ordinary, move |connection| {
                let (gateway, leases, file, groups, begun) = (
                    gateway.clone(),
                    leases.clone(),
                    file.clone(),
                    groups.clone(),
                    begun.clone(),
                );
                Box::pin(async move {
                    let _working = Spending::begin(Effort::Working);
                    connection.check_fences(&leases).await?;
                    let now = gateway.now();
                    let id = match begun.id {
                        Some(id) => id,
                        None => {
                            let id = connection.identity("interchange").await?;
                            let new = begun.interchange(id, &file);
                            connection.add_interchanges(&[new], now).await?;
                            id
                        }
                    };
                    let ids = connection.identities("document", sets).await?;
                    let documents = begun.documents(ids, &file, id, &groups, Whole::OWN);
                    connection.add_documents(documents, now).await?;
                    connection.add_groups(begun.verdicts(id, &groups)).await?;
                    Ok(id)
                })
            })
            .await?;
        waypoint::pass("read", "part of a large interchange committed");
        open.id = Some(id);
        open.groups_written += written;
        open.sets_written += i64::try_from(sets).unwrap_or(i64::MAX);
        Ok(())
    }

    /// Settles an interchange that others of its file follow.
    pub(super) async fn close(&self, open: Open, closed: Closed) -> Result<(), Failure> {
        let (gateway, leases, row) = (
            self.gateway.clone(),
            self.leases.to_vec(),
            self.file.clone(),
        );
        let parts = std::sync::Arc::new((open, closed));
        self.gateway
            .store
            .write(Class::Urgent, move |connection| {
                let (gateway, leases, row, parts) =
                    (gateway.clone(), leases.clone(), row.clone(), parts.clone());
                Box::pin(async move {
                    let _working = Spending::begin(Effort::Working);
                    connection.check_fences(&leases).await?;
                    settle(&gateway, connection, &[(&row, &parts.0, &parts.1)]).await?;
                    waypoint::pass("read", BEFORE_COMMIT);
                    Ok(())
                })
            })
            .await?;
        waypoint::pass("read", COMMITTED);
        self.gateway.wake();
        Ok(())
    }
}

/// What is known of an interchange when its first documents are written.
#[derive(Clone)]
struct Begun {
    id: Option<i64>,
    header: String,
    offset: i64,
    isa13: String,
    partner: Option<i64>,
    version: Option<i64>,
    trading: Option<Trading>,
    mode: Mode,
    groups_written: usize,
    sets_written: i64,
    /// Why the whole interchange is held or refused: each of its documents says so.
    reasons: Vec<Finding>,
}

impl Begun {
    fn of(open: &Open) -> Self {
        Self {
            id: open.id,
            header: serde_json::to_string(&open.header).unwrap_or_default(),
            offset: i64::try_from(open.header.offset).unwrap_or(i64::MAX),
            isa13: open.header.control_number.clone(),
            partner: open.trading.as_ref().map(|trading| trading.partner.0),
            version: open.trading.as_ref().map(|trading| trading.version),
            trading: open.trading.clone(),
            mode: open.mode,
            groups_written: open.groups_written,
            sets_written: open.sets_written,
            reasons: Vec::new(),
        }
    }

    /// The row of the interchange before it has come to its end, without a say over control numbers.
    fn interchange(&self, id: i64, file: &FileRow) -> NewInterchange {
        NewInterchange {
            id,
            file: file.id,
            byte_offset: self.offset,
            size: 0,
            partner: self.partner,
            profile_version: self.version,
            mode: self.mode.word(),
            pair: String::new(),
            isa13: self.isa13.clone(),
            header: self.header.clone(),
            sha256: String::new(),
            disposition: Disposition::Received,
            findings: Vec::new(),
        }
    }

    /// The sets of groups as documents with these numbers.
    fn documents(
        &self,
        ids: impl IntoIterator<Item = i64>,
        file: &FileRow,
        interchange: i64,
        groups: &[Group],
        whole: Whole,
    ) -> Vec<NewDocument> {
        let mut ids = ids.into_iter();
        let mut documents = Vec::new();
        let mut ordinal = self.sets_written;
        for (n, group) in groups.iter().enumerate() {
            for (set, reference) in group.verdict.sets.iter().zip(&group.references) {
                let Some(id) = ids.next() else { break };
                let group_ordinal = i64::try_from(self.groups_written + n).unwrap_or(i64::MAX);
                documents.push(self.document(
                    id,
                    file,
                    interchange,
                    (group_ordinal, ordinal),
                    &group.verdict,
                    (set, reference),
                    whole,
                ));
                ordinal += 1;
            }
        }
        documents
    }

    /// The verdicts on groups.
    fn verdicts(&self, interchange: i64, groups: &[Group]) -> Vec<NewGroup> {
        (self.groups_written..)
            .zip(groups)
            .map(|(ordinal, group)| NewGroup {
                interchange,
                ordinal,
                functional_id: group.verdict.functional_id.clone(),
                gs06: group.verdict.control_number.clone(),
                verdict: serde_json::to_string(&group.verdict).unwrap_or_default(),
            })
            .collect()
    }

    #[allow(clippy::too_many_arguments)]
    fn document(
        &self,
        id: i64,
        file: &FileRow,
        interchange: i64,
        (group_ordinal, set_ordinal): (i64, i64),
        group: &GroupVerdict,
        (set, reference): (&SetVerdict, &str),
        whole: Whole,
    ) -> NewDocument {
        let accepted = group.set_is_accepted(set.ordinal_in_group);
        let profile = self
            .trading
            .as_ref()
            .map(|trading| trading.profile.as_ref());
        let (own, found) = disposition_of(group, set, profile);
        let findings = self.reasons.iter().cloned().chain(found).collect();
        NewDocument {
            id,
            direction: Direction::In,
            company: COMPANY.0,
            partner: self.partner,
            mode: self.mode.word(),
            set_code: set.st01.clone(),
            file: Some(file.id),
            interchange: Some(interchange),
            group_ordinal: Some(group_ordinal),
            set_ordinal: Some(set_ordinal),
            isa13: self.isa13.clone(),
            gs06: group.control_number.clone(),
            st02: set.st02.clone(),
            byte_offset: i64::try_from(set.offset).ok(),
            size: i64::try_from(set.length).ok(),
            disposition: whole.disposition.unwrap_or(own),
            delivery: Delivery::None,
            syntax: whole.syntax.unwrap_or(match accepted {
                // Nobody acknowledges an acknowledgment.
                true if group.functional_id == "FA" => Syntax::None,
                true => Syntax::Accepted,
                false => Syntax::Rejected,
            }),
            application: whole.application.unwrap_or(match own {
                Disposition::Rejected => Application::None,
                _ => Application::Pending,
            }),
            subject: None,
            reference: reference.to_owned(),
            findings,
            body: None,
            replaces: None,
            address: String::new(),
            sent: None,
        }
    }
}

/// A document that stands for a whole file in which no interchange was found.
pub fn document_of_file(
    id: i64,
    file: &FileRow,
    partner: Option<i64>,
    disposition: Disposition,
    findings: &[Finding],
) -> NewDocument {
    NewDocument {
        id,
        direction: Direction::In,
        company: COMPANY.0,
        partner,
        mode: Mode::Production.word(),
        set_code: String::new(),
        file: Some(file.id),
        interchange: None,
        group_ordinal: None,
        set_ordinal: None,
        isa13: String::new(),
        gs06: String::new(),
        st02: String::new(),
        byte_offset: Some(0),
        size: Some(file.size),
        disposition,
        delivery: Delivery::None,
        syntax: Syntax::None,
        application: Application::None,
        subject: None,
        reference: file.name.clone(),
        findings: findings.to_vec(),
        body: None,
        replaces: None,
        address: String::new(),
        sent: None,
    }
}

/// What the end of an interchange as a whole makes of each of its sets; none: what the set is by itself.
#[derive(Clone, Copy)]
struct Whole {
    disposition: Option<Disposition>,
    syntax: Option<Syntax>,
    application: Option<Application>,
}

impl Whole {
    /// The interchange was taken: each set stands for itself.
    const OWN: Self = Self {
        disposition: None,
        syntax: None,
        application: None,
    };
}

/// How an interchange ends, before anything is written of it.
struct Judgment {
    disposition: Disposition,
    findings: Vec<Finding>,
    /// The earlier interchange that this one repeats.
    repeats: Option<i64>,
    /// TA105 of a refusal that the file itself does not show.
    note: Option<&'static str>,
    /// Whether its control number counts from now on.
    counts: bool,
}

impl Judgment {
    /// What is refused as a whole is refused in each of its sets, and none of them comes to the books; what is held is
    /// answered once it is replayed.
    fn of_each(&self) -> Whole {
        let (syntax, application) = match self.disposition {
            Disposition::Rejected => (Some(Syntax::Rejected), Application::None),
            Disposition::Duplicate if self.note.is_some() => {
                (Some(Syntax::Rejected), Application::None)
            }
            Disposition::Duplicate => (None, Application::None),
            Disposition::Held => (Some(Syntax::Pending), Application::Pending),
            Disposition::Received | Disposition::Processed => return Whole::OWN,
        };
        Whole {
            disposition: Some(self.disposition),
            syntax,
            application: Some(application),
        }
    }

    /// What the interchange comes to, with these dispositions of its documents.
    fn of_all(&self, documents: &[Disposition]) -> Disposition {
        match self.disposition {
            Disposition::Received => together(documents),
            other => other,
        }
    }
}

/// Whom an interchange is with, where it is sound by itself: what is left to ask is whether it was seen before.
fn sound<'o>(open: &'o Open, closed: &Closed) -> Option<&'o Trading> {
    let sound = closed.verdict.iea_seen
        && open.reasons.is_empty()
        && closed.verdict.acceptance.is_accepted();
    open.trading.as_ref().filter(|_| sound)
}

/// What has come before, as far as these interchanges may repeat it.
async fn seen_before(
    gateway: &Gateway,
    connection: &mut Connection,
    ended: &[Ended<'_>],
) -> Result<Vec<SeenInterchange>, Failure> {
    let now = gateway.now();
    let sought: Vec<Sought> = ended
        .iter()
        .filter_map(|(_, open, closed)| {
            let days = sound(open, closed)?.profile.duplicates.interchange_days;
            Some(Sought {
                pair: open.pair(),
                mode: open.mode.word(),
                isa13: open.header.control_number.clone(),
                since: days_before(now, days),
            })
        })
        .collect();
    connection.seen_interchanges(&sought).await
}

fn judge(open: &Open, closed: &Closed, seen: &[SeenInterchange]) -> Judgment {
    let mut findings: Vec<Finding> = closed
        .verdict
        .findings
        .iter()
        .map(|finding| {
            syntax::finding(
                finding,
                if closed.verdict.acceptance.is_accepted() {
                    Severity::Note
                } else {
                    Severity::Reject
                },
            )
        })
        .collect();
    let judged = |disposition, findings, counts| Judgment {
        disposition,
        findings,
        repeats: None,
        note: None,
        counts,
    };
    if !closed.verdict.iea_seen {
        return judged(Disposition::Rejected, findings, false);
    }
    if !open.reasons.is_empty() {
        findings.extend(open.reasons.iter().cloned());
        return judged(Disposition::Held, findings, false);
    }
    if !closed.verdict.acceptance.is_accepted() {
        return judged(Disposition::Rejected, findings, false);
    }
    let Some(trading) = sound(open, closed) else {
        return judged(Disposition::Held, findings, false);
    };
    let policy = &trading.profile.duplicates;
    let (pair, mode, isa13) = (open.pair(), open.mode.word(), &open.header.control_number);
    let seen: Vec<&SeenInterchange> = seen
        .iter()
        .filter(|seen| seen.isa13 == *isa13 && seen.pair == pair && seen.mode == mode)
        .collect();
    let Some(earlier) = seen.first() else {
        return judged(Disposition::Received, findings, true);
    };
    let identical = seen.iter().find(|row| row.sha256 == closed.sha256);
    let (code, severity, message) = match identical {
        Some(same) => (
            "interchange-repeated",
            Severity::Note,
            format!(
                "this interchange is byte for byte the one received before (interchange {}): nothing happened again",
                same.id
            ),
        ),
        None => (
            "control-number-used",
            Severity::Reject,
            format!(
                "the control number {} was used before by this sender for other content (interchange {}): send it again under a new number",
                open.header.control_number, earlier.id
            ),
        ),
    };
    findings.push(
        Finding::business(code, severity, message).by(crate::domain::finding::Origin::Transport),
    );
    let (disposition, note) = match (identical.is_some(), policy.identical, policy.different) {
        (true, OnIdentical::AcknowledgeAgain, _) => (Disposition::Duplicate, None),
        (true, OnIdentical::Reject, _) => (Disposition::Duplicate, Some("025")),
        (true, OnIdentical::Hold, _) | (false, _, OnDifferent::Hold) => (Disposition::Held, None),
        (false, _, OnDifferent::Reject) => (Disposition::Rejected, Some("025")),
    };
    let repeats = identical
        .filter(|_| policy.identical == OnIdentical::AcknowledgeAgain)
        .map(|row| row.id);
    Judgment {
        disposition,
        findings,
        repeats,
        note,
        counts: false,
    }
}

/// Of these documents those that wait for translation.
fn received(documents: &[NewDocument]) -> Vec<i64> {
    documents
        .iter()
        .filter(|document| document.disposition == Disposition::Received)
        .map(|document| document.id)
        .collect()
}

/// An interchange that has come to its end, and the file it came in.
pub(super) type Ended<'e> = (&'e FileRow, &'e Open, &'e Closed);

/// What interchanges that are settled together have come to, as far as it is not written yet.
#[derive(Default)]
struct Settled {
    interchanges: Vec<NewInterchange>,
    documents: Vec<NewDocument>,
    groups: Vec<NewGroup>,
    /// What answers them, by partner and world.
    answers: Vec<(Trading, Mode, Vec<Outgoing>)>,
}

impl Settled {
    fn answer(&mut self, trading: &Trading, mode: Mode, outgoing: Vec<Outgoing>) {
        let known = self
            .answers
            .iter_mut()
            .find(|(known, of, _)| known.partner == trading.partner && *of == mode);
        match known {
            Some((.., all)) => all.extend(outgoing),
            None => self.answers.push((trading.clone(), mode, outgoing)),
        }
    }

    /// Writes the rows; whoever looks for one of them in the database calls it before.
    async fn write(&mut self, connection: &mut Connection, now: Instant) -> Result<(), Failure> {
        let interchanges = std::mem::take(&mut self.interchanges);
        connection.add_interchanges(&interchanges, now).await?;
        let documents = std::mem::take(&mut self.documents);
        connection.add_documents(documents, now).await?;
        connection
            .add_groups(std::mem::take(&mut self.groups))
            .await
    }
}

/// Settles interchanges, in this order.
pub(super) async fn settle(
    gateway: &Gateway,
    connection: &mut Connection,
    ended: &[Ended<'_>],
) -> Result<(), Failure> {
    let mut seen = seen_before(gateway, connection, ended).await?;
    let new = ended.iter().filter(|(_, open, _)| open.id.is_none());
    let numbers = connection.identities("interchange", new.count()).await?;
    let mut numbers = numbers.into_iter();
    let sets = ended.iter().map(|(_, open, _)| open.pending_sets()).sum();
    let documents = connection.identities("document", sets).await?;
    let mut documents = documents.into_iter();
    let mut settled = Settled::default();
    for (file, open, closed) in ended {
        let judgment = judge(open, closed, &seen);
        let Some(id) = open.id.or_else(|| numbers.next()) else {
            continue;
        };
        let remembers = |trading: &Trading| trading.profile.duplicates.interchange_days > 0;
        if judgment.counts && open.trading.as_ref().is_some_and(remembers) {
            let this = SeenInterchange {
                id,
                pair: open.pair(),
                mode: open.mode.word().to_owned(),
                isa13: open.header.control_number.clone(),
                sha256: closed.sha256.clone(),
            };
            seen.insert(0, this);
        }
        let ids = documents.by_ref().take(open.pending_sets()).collect();
        settle_one(
            gateway,
            connection,
            &mut settled,
            (file, open, closed),
            (id, ids),
            judgment,
        )
        .await?;
    }
    settled.write(connection, gateway.now()).await?;
    for (trading, mode, outgoing) in settled.answers {
        outbound::queue(gateway, connection, &trading, mode, outgoing).await?;
    }
    Ok(())
}

/// Settles an interchange with this number, and its sets that wait with these.
async fn settle_one(
    gateway: &Gateway,
    connection: &mut Connection,
    settled: &mut Settled,
    (file, open, closed): Ended<'_>,
    (id, ids): (i64, Vec<i64>),
    mut judgment: Judgment,
) -> Result<(), Failure> {
    let now = gateway.now();
    let mut begun = Begun::of(open);
    if judgment.disposition != Disposition::Received {
        begun.reasons = judgment.findings.clone();
    }
    let whole = judgment.of_each();
    let fresh = begun.documents(ids, file, id, &open.groups, whole);
    let row = NewInterchange {
        pair: match judgment.counts {
            true => open.pair(),
            false => String::new(),
        },
        size: i64::try_from(closed.verdict.length).unwrap_or(i64::MAX),
        sha256: closed.sha256.clone(),
        findings: judgment.findings.clone(),
        ..begun.interchange(id, file)
    };
    settled.groups.extend(begun.verdicts(id, &open.groups));
    settled.documents.extend(fresh.iter().cloned());
    // Most come to their end before anything of them is written, and are written once.
    let go_on = match open.id {
        None => {
            let all: Vec<Disposition> = fresh.iter().map(|document| document.disposition).collect();
            settled.interchanges.push(NewInterchange {
                disposition: judgment.of_all(&all),
                ..row
            });
            received(&fresh)
        }
        Some(_) => {
            settled.write(connection, now).await?;
            if let (Some(disposition), Some(application)) = (whole.disposition, whole.application) {
                connection
                    .settle_documents_of(id, disposition, whole.syntax, application)
                    .await?;
            }
            let all = connection.dispositions_of(&[id]).await?.remove(&id);
            connection
                .settle_interchange(&NewInterchange {
                    disposition: judgment.of_all(&all.unwrap_or_default()),
                    ..row
                })
                .await?;
            connection.documents_received(id).await?
        }
    };
    let mut told = BTreeSet::new();
    if let Some(trading) = &open.trading {
        if judgment.repeats.is_some() {
            settled.write(connection, now).await?;
        }
        let outgoing = answers(gateway, connection, trading, open, closed, id, &judgment).await?;
        told = outgoing.iter().map(|answer| answer.set_code).collect();
        settled.answer(trading, open.mode, outgoing);
        if judgment.disposition == Disposition::Received {
            let before = judgment.findings.len();
            for ta1 in &open.ta1s {
                let found = fate::answer_interchange(
                    gateway,
                    connection,
                    trading,
                    open.mode,
                    &open.header,
                    ta1,
                )
                .await?;
                judgment.findings.extend(found);
            }
            if judgment.findings.len() > before {
                settled.write(connection, now).await?;
                connection
                    .note_of_interchange(id, &judgment.findings)
                    .await?;
            }
            let lanes: Vec<(i64, i64)> = go_on
                .into_iter()
                .map(|document| (trading.partner.0, document))
                .collect();
            connection
                .ask_for_each(Step::Translate, &lanes, now)
                .await?;
        }
    }
    if is_to_be_told(&judgment, &fresh) {
        settled.write(connection, now).await?;
        tell(
            gateway, connection, file, open, id, &judgment, &fresh, &told,
        )
        .await?;
    }
    Ok(())
}

/// Whether a person has to look at what an interchange came to.
fn is_to_be_told(judgment: &Judgment, fresh: &[NewDocument]) -> bool {
    let of_note = |disposition| matches!(disposition, Disposition::Held | Disposition::Rejected);
    of_note(judgment.disposition) || fresh.iter().any(|document| of_note(document.disposition))
}

/// The acknowledgments: one 997 (or 999) for each group that wants one, and the TA1 where one is due: an interchange that
/// is refused as a whole is answered whatever its ISA14 says, for nothing else would tell the partner. Not where the one
/// who sent it may not speak for the partner.
async fn answers(
    gateway: &Gateway,
    connection: &mut Connection,
    trading: &Trading,
    open: &Open,
    closed: &Closed,
    id: i64,
    judgment: &Judgment,
) -> Result<Vec<Outgoing>, Failure> {
    let policy = &trading.profile.acknowledgment;
    let options = ack_options(&trading.profile);
    let company = gateway.settings.our_company().cloned().unwrap_or_default();
    let to = |group: Option<&GroupVerdict>| {
        let (profile, header) = (&trading.profile, &open.header);
        let agreed = Addresses::answering_order(profile, &company, open.mode, header, group);
        Addresses::answering(header, group, &agreed, &options.delimiters)
    };
    let mut outgoing = Vec::new();
    let mut verdict = closed.verdict.clone();
    if let Some(note) = judgment.note {
        verdict = verdict.refused(note);
    }
    let on_errors = policy.ta1 == Ta1Policy::OnError || !verdict.acceptance.is_accepted();
    let wanted =
        policy.ta1 != Ta1Policy::Never && open.reasons.is_empty() && verdict.wants_ta1(on_errors);
    if wanted && judgment.disposition != Disposition::Held {
        let ta1 = OutboundSet::new("TA1").with(build_ta1(&verdict));
        outgoing.push(acknowledgment(
            Ok(ta1),
            "TA1",
            format!("ta1:{id}"),
            id,
            &open.header.control_number,
            to(None),
        ));
    }
    let of = match judgment.disposition {
        Disposition::Received => Some(id),
        _ => judgment.repeats,
    };
    if let (Some(of), Some(set)) = (of, policy.send.set()) {
        let groups: Vec<Cow<'_, GroupVerdict>> = match of == id && open.id.is_none() {
            true => verdicts_of(open).collect(),
            false => stored_verdicts(connection, of).await?,
        };
        for (ordinal, group) in groups.iter().enumerate() {
            if let Some(built) = spend(Effort::Rendering, || built(policy.send, group, &options)) {
                outgoing.push(acknowledgment(
                    Ok(built),
                    set,
                    format!("ack:{id}:{ordinal}"),
                    id,
                    &group.control_number,
                    to(Some(group)),
                ));
            }
        }
    }
    Ok(outgoing)
}

/// The verdicts on the groups of an interchange of which nothing was written before its end.
fn verdicts_of(open: &Open) -> impl Iterator<Item = Cow<'_, GroupVerdict>> {
    open.groups
        .iter()
        .map(|group| Cow::Borrowed(&group.verdict))
}

async fn stored_verdicts(
    connection: &mut Connection,
    interchange: i64,
) -> Result<Vec<Cow<'static, GroupVerdict>>, Failure> {
    let stored = connection.group_verdicts(interchange).await?;
    stored
        .into_iter()
        .map(|(ordinal, text)| {
            let verdict = serde_json::from_str(&text).map_err(|error| Failure::Corrupt {
                table: "functional_group",
                key: format!("{interchange}/{ordinal}"),
                why: error.to_string(),
            })?;
            Ok(Cow::Owned(verdict))
        })
        .collect()
}

fn built(
    kind: AcknowledgmentKind,
    group: &GroupVerdict,
    options: &AckOptions,
) -> Option<OutboundSet> {
    match kind {
        AcknowledgmentKind::FunctionalAcknowledgment => build_997(group, options),
        AcknowledgmentKind::ImplementationAcknowledgment => build_999(group, options),
        AcknowledgmentKind::None => None,
    }
}

fn acknowledgment(
    set: Result<OutboundSet, Vec<Finding>>,
    set_code: &'static str,
    cause: String,
    interchange: i64,
    reference: &str,
    to: Addresses,
) -> Outgoing {
    Outgoing {
        set,
        set_code,
        cause,
        revision: 1,
        subject: Subject::new("interchange", interchange),
        reference: reference.to_owned(),
        replaces: None,
        answers: Answers::Interchange(to),
    }
}

/// What a person is to do about what was refused: whether the partner knows already, and by what.
fn after_refusal(told: &BTreeSet<&'static str>, nothing: &str) -> String {
    if told.is_empty() {
        return format!(
            "What to do: {nothing} acted upon, and the partner was not told, for no acknowledgment is due to it: tell it what is wrong, and that it has to send it again under a new control number."
        );
    }
    let by = told.iter().copied().collect::<Vec<_>>().join(" and ");
    format!(
        "What to do: {nothing} acted upon; the partner is told by our {by} and should send it again."
    )
}

/// Sets that are named in a title.
const NAMED_MAX: usize = 3;

/// Sets by their kind and what people know them by, else by their control numbers; the first ones, and how many more.
fn named(documents: &[&NewDocument]) -> String {
    let names: Vec<String> = documents
        .iter()
        .take(NAMED_MAX)
        .map(|document| match document.reference.as_str() {
            "" => format!("{} {}", document.set_code, document.st02),
            reference => format!("{} {reference}", document.set_code),
        })
        .collect();
    match documents.len().saturating_sub(NAMED_MAX) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

fn known_by(document: &NewDocument) -> String {
    match document.reference.as_str() {
        "" => String::new(),
        reference => format!(", {reference}"),
    }
}

/// Tells ops what was rejected or held, and why; one notice an interchange.
#[allow(clippy::too_many_arguments)]
async fn tell(
    gateway: &Gateway,
    connection: &mut Connection,
    file: &FileRow,
    open: &Open,
    id: i64,
    judgment: &Judgment,
    fresh: &[NewDocument],
    told: &BTreeSet<&'static str>,
) -> Result<(), Failure> {
    let bad: Vec<&NewDocument> = fresh
        .iter()
        .filter(|document| {
            matches!(
                document.disposition,
                Disposition::Held | Disposition::Rejected
            )
        })
        .collect();
    let whole = matches!(
        judgment.disposition,
        Disposition::Held | Disposition::Rejected
    );
    if fresh.is_empty() && open.groups_written == 0 {
        // Nothing of it would stand in the queue otherwise.
        let document_id = connection.identity("document").await?;
        let partner = open.trading.as_ref().map(|trading| trading.partner.0);
        let mut document = document_of_file(
            document_id,
            file,
            partner,
            judgment.disposition,
            &judgment.findings,
        );
        document.interchange = Some(id);
        document.isa13 = open.header.control_number.clone();
        document.syntax = judgment.of_each().syntax.unwrap_or(Syntax::None);
        document.mode = open.mode.word();
        connection
            .add_documents(vec![document], gateway.now())
            .await?;
    }
    let word = if judgment.disposition == Disposition::Held
        || bad
            .iter()
            .all(|document| document.disposition == Disposition::Held)
    {
        "held"
    } else {
        "rejected"
    };
    let mut text = notice::lines(&judgment.findings);
    // Of what is held or refused as a whole the reasons stand above, once.
    for document in bad.iter().take(if whole { 0 } else { 20 }) {
        text.push_str(&format!(
            "\nSet {} {}{} ({}):\n{}",
            document.set_code,
            document.st02,
            known_by(document),
            document.disposition.word(),
            notice::lines(&document.findings)
        ));
    }
    if bad.len() > 20 && !whole {
        text.push_str(&format!(
            "\n… and {} more sets; the console shows all.",
            bad.len() - 20
        ));
    }
    let subject = match bad.first() {
        Some(document) => Subject::new("document", document.id),
        None => Subject::new("interchange", id),
    };
    let advice = if word == "held" {
        "What to do: look at it in the console's queue, or with `supercargo document list --disposition held`; correct or replay it once the cause is mended.".to_owned()
    } else {
        after_refusal(
            told,
            if whole {
                "nothing of it was"
            } else {
                "these sets were not"
            },
        )
    };
    let sets = match bad.is_empty() {
        true => String::new(),
        false => format!(" ({})", named(&bad)),
    };
    let notice = Notice {
        key: format!("interchange-{word}:{id}"),
        kind: if word == "held" {
            "document-held"
        } else {
            "document-rejected"
        },
        subject,
        title: if whole {
            format!(
                "interchange {} in {} is {word}{sets}",
                open.header.control_number, file.name
            )
        } else {
            format!(
                "{} of {} sets of interchange {} in {}: {word}{sets}",
                bad.len(),
                fresh.len(),
                open.header.control_number,
                file.name
            )
        },
        text: format!("{text}\n{advice}"),
    };
    notice::tell(gateway, connection, open.trading.as_ref(), notice).await
}
