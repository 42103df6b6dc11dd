//! What became of a set, a group, an interchange. Verdicts borrow nothing: they are stored between
//! reading and acknowledging.

use crate::envelope::{GroupHeader, at_element};
use crate::finding::{AckPlace, Finding, Origin, Rule, Severity};
use crate::header::IsaHeader;
use crate::reader::{GroupClosed, InterchangeClosed};
use crate::schema::{Release, functional_id_of};
use crate::set::TransactionSet;
use crate::text::show;
use serde::{Deserialize, Serialize};

/// Whether something is accepted; the letter is that of AK501 and AK901.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Acceptance {
    /// Accepted.
    #[serde(rename = "A")]
    Accepted,
    /// Accepted although errors were noted: the sender must not send it again.
    #[serde(rename = "E")]
    AcceptedWithErrors,
    /// Partly accepted; of groups only.
    #[serde(rename = "P")]
    Partly,
    /// Rejected.
    #[serde(rename = "R")]
    Rejected,
}

impl Acceptance {
    /// `A`, `E`, `P` or `R`.
    pub fn code(self) -> &'static str {
        match self {
            Acceptance::Accepted => "A",
            Acceptance::AcceptedWithErrors => "E",
            Acceptance::Partly => "P",
            Acceptance::Rejected => "R",
        }
    }

    /// Whether the data is acted upon (A or E).
    pub fn is_accepted(self) -> bool {
        matches!(self, Acceptance::Accepted | Acceptance::AcceptedWithErrors)
    }
}

/// The verdict over one transaction set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetVerdict {
    /// ST01.
    pub st01: String,
    /// ST02.
    pub st02: String,
    /// ST03, where it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub st03: Option<String>,
    /// A, E or R.
    pub acceptance: Acceptance,
    /// Place in its group, from 1.
    pub ordinal_in_group: u32,
    /// Place in its interchange, from 1.
    pub ordinal_in_interchange: u32,
    /// First byte in the file.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// Number of segments, ST and SE included.
    pub segments: u32,
    /// Everything found in it.
    pub findings: Vec<Finding>,
}

impl SetVerdict {
    /// The verdict over a set: the reader's findings and those of the validation together.
    pub fn of(set: &TransactionSet, validation: Vec<Finding>) -> SetVerdict {
        let mut findings = set.findings().to_vec();
        findings.extend(validation);
        let header = set.header();
        SetVerdict {
            st01: header.st01.clone(),
            st02: header.st02.clone(),
            st03: header.st03.clone(),
            acceptance: acceptance_of(&findings),
            ordinal_in_group: header.ordinal_in_group,
            ordinal_in_interchange: header.ordinal_in_interchange,
            offset: header.offset,
            length: header.length,
            segments: set.len() as u32,
            findings,
        }
    }

    /// Accepted, but a finding asks for a person before it is acted upon.
    pub fn is_held(&self) -> bool {
        self.acceptance.is_accepted() && self.findings.iter().any(Finding::holds)
    }

    /// Takes back rejections for the rules that the partner's profile tolerates: the set is then
    /// accepted with errors (AK501 is E). What only held is noted.
    pub fn tolerate(&mut self, rules: &[Rule]) {
        for finding in &mut self.findings {
            if rules.contains(&finding.rule) {
                finding.severity = match (finding.severity, finding.origin) {
                    (Severity::Reject, Origin::Standard) => Severity::Tolerate,
                    (Severity::Reject | Severity::Hold, _) => Severity::Note,
                    (other, _) => other,
                };
            }
        }
        self.acceptance = acceptance_of(&self.findings);
    }

    /// Rejects the set for its faults against the partner's guide, which a profile may ask for;
    /// else they only hold it (rule 35).
    pub fn reject_for_guide(&mut self) {
        for finding in &mut self.findings {
            if finding.origin == Origin::Guide && finding.holds() {
                finding.severity = Severity::Reject;
            }
        }
        self.acceptance = acceptance_of(&self.findings);
    }
}

fn acceptance_of(findings: &[Finding]) -> Acceptance {
    if findings.iter().any(Finding::rejects) {
        Acceptance::Rejected
    } else if findings
        .iter()
        .any(|finding| finding.severity == Severity::Tolerate)
    {
        Acceptance::AcceptedWithErrors
    } else {
        Acceptance::Accepted
    }
}

/// AK901 to AK904.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupTotals {
    /// AK901.
    pub acceptance: Acceptance,
    /// AK902: sets that GE01 claims; those received where it claims nothing.
    pub claimed: u32,
    /// AK903: sets that were received.
    pub received: u32,
    /// AK904: sets that are accepted.
    pub accepted: u32,
}

/// The verdict over one functional group, sets included: all that a 997 or 999 is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupVerdict {
    /// GS01.
    pub functional_id: String,
    /// GS02; the acknowledgment goes back to it.
    pub sender: String,
    /// GS03.
    pub receiver: String,
    /// GS06 as it stood.
    pub control_number: String,
    /// GS08 as it stood.
    pub version: String,
    /// First byte of the GS in the file.
    pub offset: u64,
    /// Line of the GS in the file.
    #[serde(default)]
    pub line: u64,
    /// First byte of GS08 in the file.
    #[serde(default)]
    pub version_offset: u64,
    /// GE01; none where GE is missing or holds no number.
    pub claimed_sets: Option<u32>,
    /// Sets that were read.
    pub received_sets: u32,
    /// One verdict a set, in their order.
    pub sets: Vec<SetVerdict>,
    /// Findings of GS and GE.
    pub findings: Vec<Finding>,
}

/// What is wrong where a set does not belong into a group with this GS01 (rule 10).
pub(crate) fn not_in_group(st01: &str, gs01: &str, at: (u64, u64)) -> Option<Finding> {
    let expected = functional_id_of(st01).filter(|expected| *expected != gs01)?;
    let text = format!(
        "A set {} belongs into a group {expected}, but GS01 is {}.",
        show(st01),
        show(gs01)
    );
    Some(
        at_element(Rule::SetNotInGroup, at, "ST", 1, text)
            .in_segment("ST", 1)
            .with_value(st01),
    )
}

impl GroupVerdict {
    /// Begins with the GS.
    pub fn open(header: &GroupHeader) -> GroupVerdict {
        GroupVerdict {
            functional_id: header.functional_id.clone(),
            sender: header.sender.clone(),
            receiver: header.receiver.clone(),
            control_number: header.control_number.clone(),
            version: header.version.clone(),
            offset: header.offset,
            line: header.line,
            version_offset: header.version_offset,
            claimed_sets: None,
            received_sets: 0,
            sets: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// The release to judge the sets by: that of GS08, else the one that the partner's guide names
    /// ([`Overlay::judge_as`](crate::Overlay)). With neither the group is refused (AK905 is 2).
    pub fn judge_release(&mut self, judge_as: Option<Release>) -> Option<Release> {
        let release = Release::of_version(&self.version).or(judge_as);
        if release.is_none() {
            let text = format!(
                "GS08 is {}; only releases 004010 and 005010 are judged. Agree on one of them, or let the partner's guide say by which to judge its sets (`judge_as`).",
                show(&self.version)
            );
            let at = (self.version_offset.max(self.offset), self.line);
            self.findings.push(
                at_element(Rule::VersionNotSupported, at, "GS", 8, text).with_value(&self.version),
            );
        }
        release
    }

    /// Adds the verdict over the next set, after checking that it belongs into this group
    /// (rule 10), which the reader has done already where the set stood in one.
    pub fn add(&mut self, mut set: SetVerdict) {
        let is_told = |finding: &Finding| finding.rule == Rule::SetNotInGroup;
        let has_name = !self.functional_id.trim().is_empty();
        if has_name
            && !set.findings.iter().any(is_told)
            && let Some(finding) = not_in_group(&set.st01, &self.functional_id, (set.offset, 1))
        {
            set.findings.push(finding);
            set.acceptance = acceptance_of(&set.findings);
        }
        self.received_sets += 1;
        self.sets.push(set);
    }

    /// Ends with the GE, or without.
    pub fn close(&mut self, closed: &GroupClosed) {
        self.claimed_sets = closed.claimed_sets;
        self.received_sets = closed.received_sets;
        self.findings.extend(closed.findings.iter().cloned());
    }

    /// Whether a finding of the group itself rejects it with all of its sets.
    pub fn is_refused(&self) -> bool {
        self.findings.iter().any(Finding::rejects)
    }

    /// Sets that count as accepted: none if the group itself is refused.
    pub fn accepted_sets(&self) -> u32 {
        self.totals().accepted
    }

    /// AK901 (rule 30).
    pub fn acceptance(&self) -> Acceptance {
        self.totals().acceptance
    }

    /// AK901 to AK904, with the identities of rule 30:
    ///
    /// - A: claimed, received and accepted are one number, and every set is A;
    /// - E: accepted is received, and an error was noted: in a set, or in GS and GE;
    /// - P: some sets are accepted and some are not;
    /// - R: none is accepted.
    pub fn totals(&self) -> GroupTotals {
        self.totals_by(|set| set.acceptance)
    }

    /// The totals where an acknowledgment says something else of a set than its verdict.
    pub(crate) fn totals_by(&self, said: impl Fn(&SetVerdict) -> Acceptance) -> GroupTotals {
        let received = self
            .received_sets
            .max(u32::try_from(self.sets.len()).unwrap_or(u32::MAX));
        let claimed = self.claimed_sets.unwrap_or(received);
        let accepted = if self.is_refused() {
            0
        } else {
            self.sets
                .iter()
                .filter(|set| said(set).is_accepted())
                .count() as u32
        };
        let noted = || {
            claimed != received
                || self.findings.iter().any(Finding::breaks_standard)
                || self
                    .sets
                    .iter()
                    .any(|set| said(set) != Acceptance::Accepted)
        };
        let acceptance = if self.is_refused() || (accepted == 0 && received.max(claimed) > 0) {
            Acceptance::Rejected
        } else if accepted < received {
            Acceptance::Partly
        } else if noted() {
            Acceptance::AcceptedWithErrors
        } else {
            Acceptance::Accepted
        };
        GroupTotals {
            acceptance,
            claimed,
            received,
            accepted,
        }
    }

    /// AK905 to AK909: up to five different codes.
    pub(crate) fn codes(&self, repeated_group_number: &str) -> Vec<String> {
        let mut codes: Vec<String> = Vec::new();
        let mut add = |code: &str| {
            if codes.len() < 5 && codes.iter().all(|known| known != code) {
                codes.push(code.to_owned());
            }
        };
        for finding in self
            .findings
            .iter()
            .filter(|finding| finding.breaks_standard())
        {
            match &finding.ack {
                Some(_) if finding.rule == Rule::GsControlNumberRepeated => {
                    add(repeated_group_number)
                }
                Some(ack) if ack.place == AckPlace::Ak905 => add(&ack.code),
                _ => {}
            }
        }
        let totals = self.totals();
        if totals.claimed != totals.received {
            add("5");
        }
        codes
    }

    /// Whether the set at this place is to be acted upon: it and its group were accepted.
    pub fn set_is_accepted(&self, ordinal_in_group: u32) -> bool {
        !self.is_refused()
            && self
                .sets
                .iter()
                .any(|set| set.ordinal_in_group == ordinal_in_group && set.acceptance.is_accepted())
    }
}

/// The verdict over an interchange's envelope: TA104 and TA105.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterchangeVerdict {
    /// The ISA.
    pub header: IsaHeader,
    /// A, E or R.
    pub acceptance: Acceptance,
    /// TA105; `000` when nothing is wrong.
    pub note: String,
    /// Whether its IEA was seen; without it nothing may be acted upon.
    pub iea_seen: bool,
    /// Holds TA1 segments only and is never answered by one.
    pub only_ta1: bool,
    /// Bytes from the ISA to the end of the IEA.
    pub length: u64,
    /// Findings of ISA and IEA.
    pub findings: Vec<Finding>,
}

impl InterchangeVerdict {
    /// The verdict over an interchange that was read to its end. Of several faults the first
    /// that rejects is named, else the first that is only noted (rule 40).
    pub fn of(closed: &InterchangeClosed) -> InterchangeVerdict {
        let note_of = |severity| {
            closed
                .findings
                .iter()
                .filter(|finding| finding.severity == severity)
                .find_map(|finding| {
                    finding
                        .ack
                        .as_ref()
                        .filter(|ack| ack.place == AckPlace::Ta105)
                        .map(|ack| ack.code.clone())
                })
        };
        let rejected = note_of(Severity::Reject).map(|code| (Acceptance::Rejected, code));
        let noted = || {
            note_of(Severity::Hold)
                .or_else(|| note_of(Severity::Tolerate))
                .map(|code| (Acceptance::AcceptedWithErrors, code))
        };
        let (acceptance, note) = rejected
            .or_else(noted)
            .unwrap_or_else(|| (Acceptance::Accepted, "000".to_owned()));
        InterchangeVerdict {
            header: closed.header.clone(),
            acceptance,
            note,
            iea_seen: closed.iea_seen,
            only_ta1: closed.is_only_ta1(),
            length: closed.length,
            findings: closed.findings.clone(),
        }
    }

    /// The same interchange refused for a reason outside the file, such as `025` for a control
    /// number that was used before.
    #[must_use]
    pub fn refused(mut self, note: &str) -> InterchangeVerdict {
        self.acceptance = Acceptance::Rejected;
        self.note = note.to_owned();
        self
    }

    /// Whether a TA1 is due: asked for by ISA14, or something is wrong and the profile answers
    /// that too; never for an interchange of TA1s alone (rule 41), nor where the sender cannot be
    /// told (rule 40).
    pub fn wants_ta1(&self, on_errors: bool) -> bool {
        let answerable = !self.header.sender.is_empty() && self.note != "006";
        !self.only_ta1
            && answerable
            && (self.header.wants_ta1() || (on_errors && self.acceptance != Acceptance::Accepted))
    }
}
