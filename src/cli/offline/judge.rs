//! One file judged whole: what it holds and every finding, by the standard and by a partner's guide.

use std::io::Read;

use serde::Serialize;
use supercargo_x12::{
    AckCode, Event, Finding, GroupVerdict, Level, Limits, Origin, Reader, Release, Severity,
};

use crate::config::profile::Profile;
use crate::translation::archive;
use crate::translation::judge::{judge_as, judge_set};

/// Findings of one file that are kept; the rest is counted.
const FINDINGS_MAX: usize = 100_000;
/// Kinds of sets judged by another release that are told of; a file that is sound has one or two.
const JUDGED_AS_MAX: usize = 100;

/// What a file holds and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// As named on the command line.
    pub file: String,
    /// Nothing of it is refused.
    pub accepted: bool,
    /// Something waits for a person, as what breaks the partner's guide does.
    pub held: bool,
    /// Interchanges.
    pub interchanges: u64,
    /// Functional groups.
    pub groups: u64,
    /// Transaction sets.
    pub sets: u64,
    /// Segments, those of the envelopes included.
    pub segments: u64,
    /// Sets that were judged by another release than their GS08 names, as the partner's guide says.
    pub judged_as: Vec<JudgedAs>,
    /// Everything found, in order of place.
    pub findings: Vec<Found>,
    /// Findings beyond the first 100,000.
    pub findings_left_out: u64,
}

/// Sets of one kind and version that were judged by another release (`judge_as` of the guide).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JudgedAs {
    /// ST01.
    pub set: String,
    /// GS08 as it stood.
    pub version: String,
    /// By which they were judged.
    pub release: Release,
    /// How many.
    pub sets: u64,
}

/// A finding with the interchange and set it was found in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Name of the rule.
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
    /// `note`, `tolerate`, `hold` or `reject`.
    pub severity: Severity,
    /// `standard` or `guide`.
    pub origin: Origin,
    /// `file`, `interchange`, `group`, `set`, `segment` or `element`.
    pub level: Level,
    /// ISA13 of the interchange.
    pub isa13: Option<String>,
    /// GS06 of the group.
    pub gs06: Option<String>,
    /// ST01 of the set.
    pub set: Option<String>,
    /// ST02 of the set.
    pub st02: Option<String>,
    /// Byte in the file, from 0.
    pub byte: u64,
    /// Line in the file, from 1.
    pub file_line: u64,
    /// Segment id.
    pub segment: Option<String>,
    /// Position of the segment in its set, ST = 1.
    pub segment_index: Option<u32>,
    /// The loop it stands in.
    pub loop_id: Option<String>,
    /// Element of the segment.
    pub element: Option<u16>,
    /// Component of the element.
    pub component: Option<u16>,
    /// Repetition of the element.
    pub repetition: Option<u16>,
    /// Number of the data element.
    pub data_element: Option<u16>,
    /// The value found.
    pub value: Option<String>,
    /// Where and how a 997, 999 or TA1 says it.
    pub ack: Option<AckCode>,
}

/// The envelope around a finding.
#[derive(Default, Clone)]
pub(super) struct Around {
    pub isa13: Option<String>,
    pub gs06: Option<String>,
    pub set: Option<String>,
    pub st02: Option<String>,
}

impl Found {
    /// The finding with what stands around it.
    pub(super) fn of(finding: &Finding, around: &Around) -> Self {
        Self {
            code: finding.rule.name().to_owned(),
            message: finding.message.clone(),
            severity: finding.severity,
            origin: finding.origin,
            level: finding.level,
            isa13: around.isa13.clone(),
            gs06: around.gs06.clone(),
            set: around.set.clone(),
            st02: around.st02.clone(),
            byte: finding.offset,
            file_line: finding.line,
            segment: finding.segment.clone(),
            segment_index: finding.segment_index,
            loop_id: finding.loop_id.clone(),
            element: finding.element,
            component: finding.component,
            repetition: finding.repetition,
            data_element: finding.data_element,
            value: finding.value.clone(),
            ack: finding.ack.clone(),
        }
    }
}

impl Judged {
    fn add(&mut self, finding: &Finding, around: &Around) {
        self.accepted &= !finding.rejects();
        self.held |= finding.severity == Severity::Hold;
        if self.findings.len() >= FINDINGS_MAX {
            self.findings_left_out += 1;
            return;
        }
        self.findings.push(Found::of(finding, around));
    }

    /// Counts a set that was judged by a release which GS08 does not name.
    fn count_judged_as(&mut self, set: &str, version: &str, release: Release) {
        let same = |counted: &&mut JudgedAs| {
            counted.set == set && counted.version == version && counted.release == release
        };
        if let Some(counted) = self.judged_as.iter_mut().find(same) {
            counted.sets += 1;
        } else if self.judged_as.len() < JUDGED_AS_MAX {
            self.judged_as.push(JudgedAs {
                set: set.to_owned(),
                version: version.to_owned(),
                release,
                sets: 1,
            });
        }
    }

    /// In a line: accepted or refused, and what it holds.
    pub fn summary(&self) -> String {
        let count = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        format!(
            "{} · {}, {}, {}, {}",
            match (self.accepted, self.held) {
                (false, _) => "refused",
                (true, true) => "accepted, but held for a person",
                (true, false) => "accepted",
            },
            count(self.interchanges, "interchange"),
            count(self.groups, "group"),
            count(self.sets, "set"),
            count(self.segments, "segment"),
        )
    }
}

/// Judges what a source holds. Fails only where the source does.
pub fn judge(
    name: &str,
    source: impl Read,
    profile: Option<&Profile>,
    limits: Limits,
) -> std::io::Result<Judged> {
    let mut judged = Judged {
        file: name.to_owned(),
        accepted: true,
        held: false,
        interchanges: 0,
        groups: 0,
        sets: 0,
        segments: 0,
        judged_as: Vec::new(),
        findings: Vec::new(),
        findings_left_out: 0,
    };
    let (archive, source) = archive::opened(source)?;
    if let Some(kind) = archive {
        judged.add(&archive::finding(kind), &Around::default());
        return Ok(judged);
    }
    let mut reader = Reader::with_limits(source, limits);
    let mut around = Around::default();
    let mut group: Option<(GroupVerdict, Option<Release>)> = None;
    while let Some(event) = reader.next()? {
        follow(
            event,
            &mut judged,
            &mut around,
            &mut group,
            (profile, limits),
        );
    }
    judged.findings.sort_by_key(|found| found.byte);
    Ok(judged)
}

fn follow(
    event: Event<'_>,
    judged: &mut Judged,
    around: &mut Around,
    group: &mut Option<(GroupVerdict, Option<Release>)>,
    (profile, limits): (Option<&Profile>, Limits),
) {
    match event {
        Event::Outside(outside) => {
            if let Some(finding) = &outside.finding {
                judged.add(finding, &Around::default());
            }
        }
        Event::InterchangeOpened(header, _) => {
            *around = Around {
                isa13: Some(header.control_number.clone()),
                ..Around::default()
            };
        }
        Event::GroupOpened(header) => {
            around.gs06 = Some(header.control_number.clone());
            let mut verdict = GroupVerdict::open(header);
            let agreed = profile.and_then(|profile| judge_as(profile, &header.functional_id));
            let release = verdict.judge_release(agreed);
            *group = Some((verdict, release));
        }
        Event::Set(set) => {
            let release = group.as_ref().and_then(|(_, release)| *release);
            if let Some((open, Some(release))) = group
                && Release::of_version(&open.version).is_none()
            {
                judged.count_judged_as(set.code(), &open.version, *release);
            }
            let verdict = judge_set(set, release, profile, limits);
            let inside = Around {
                set: Some(verdict.st01.clone()),
                st02: Some(verdict.st02.clone()),
                ..around.clone()
            };
            // The group may find more about the set; its verdict is not kept, so that memory stays small.
            let findings = match group {
                Some((open, _)) => {
                    open.add(verdict);
                    open.sets.pop().map(|set| set.findings)
                }
                None => Some(verdict.findings),
            };
            for finding in findings.iter().flatten() {
                judged.add(finding, &inside);
            }
        }
        Event::GroupClosed(closed) => {
            if let Some((mut open, _)) = group.take() {
                open.close(&closed);
                for finding in &open.findings {
                    judged.add(finding, around);
                }
            }
            around.gs06 = None;
        }
        Event::InterchangeClosed(closed) => {
            judged.interchanges += 1;
            judged.groups += u64::from(closed.groups);
            judged.sets += u64::from(closed.sets);
            judged.segments += closed.segments;
            around.gs06 = None;
            for finding in &closed.findings {
                judged.add(finding, around);
            }
        }
        Event::NoInterchange(finding) => judged.add(&finding, &Around::default()),
        Event::Ta1(_) | Event::Stray(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::OLD;
    use super::*;

    /// Each finding's group and rule.
    fn found(judged: &Judged) -> Vec<(&str, &str)> {
        let findings = judged.findings.iter();
        findings
            .map(|found| (found.gs06.as_deref().unwrap_or(""), found.code.as_str()))
            .collect()
    }

    #[test]
    fn another_release_judges_only_the_sets_whose_guide_says_so() {
        let limits = Limits::default();
        let judged = judge("", OLD.as_bytes(), None, limits).unwrap();
        assert_eq!(
            found(&judged),
            [
                ("1", "version-not-supported"),
                ("2", "version-not-supported")
            ]
        );
        assert!(judged.judged_as.is_empty());
        let profile = Profile::parse("partner = \"old\"\n[[address]]\nid = \"BIGBUYER\"\n[guide.850]\njudge_as = \"004010\"\n").unwrap_or_else(|refusal| panic!("{refusal}"));
        let judged = judge("", OLD.as_bytes(), Some(&profile), limits).unwrap();
        // By 004010 the date of six digits is too short; the 860 has no guide and stays refused.
        assert_eq!(
            found(&judged),
            [("1", "element-too-short"), ("2", "version-not-supported")]
        );
        let of_850 = JudgedAs {
            set: "850".to_owned(),
            version: "003060".to_owned(),
            release: Release::R004010,
            sets: 1,
        };
        assert_eq!(judged.judged_as, [of_850]);
    }
}
