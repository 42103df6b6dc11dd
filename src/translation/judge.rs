//! Judging sets under a partner's profile: what we receive, for its verdict and acknowledgment; what we send, before it
//! leaves.

use supercargo_x12::{
    AckOptions, CharacterSet, GroupVerdict, Limits, OutboundSet, Release, SchemaRegistry,
    SetVerdict, TransactionSet, Validator, check_outbound, functional_id_of,
};

use super::outbound::delimiters;
use super::syntax;
use crate::config::profile::Profile;
use crate::config::profile::acknowledgment::{GuideFault, MissingSegment};
use crate::config::profile::documents::RECEIVABLE_SETS;
use crate::domain::document::Disposition;
use crate::domain::finding::{Finding, Origin, Severity};

/// The release to judge the sets of a group by whose GS08 names none that we know: what the partner's guide says of a
/// set that travels in such groups (`functional_id` is GS01). What it says of other sets does not count here.
pub fn judge_as(profile: &Profile, functional_id: &str) -> Option<Release> {
    profile
        .guide
        .iter()
        .filter(|(set, _)| functional_id_of(set) == Some(functional_id))
        .find_map(|(_, guide)| guide.judge_as)
}

/// The verdict over a received set: envelope, schema of its release, the partner's guide where there is one, and what
/// its profile tolerates. `limits` bound how many findings are kept.
pub fn judge_set(
    set: &TransactionSet,
    release: Option<Release>,
    profile: Option<&Profile>,
    limits: Limits,
) -> SetVerdict {
    let guide = profile.and_then(|profile| profile.guide.get(set.code()));
    let findings = release
        .map(|release| {
            Validator::new(SchemaRegistry::standard(), limits).validate(release, set, guide)
        })
        .unwrap_or_default();
    let mut verdict = SetVerdict::of(set, findings);
    if let Some(profile) = profile {
        verdict.tolerate(&profile.acknowledgment.tolerate);
        if profile.acknowledgment.guide_fault == GuideFault::Reject {
            verdict.reject_for_guide();
        }
    }
    verdict
}

/// How a partner wants to be acknowledged.
pub fn ack_options(profile: &Profile) -> AckOptions {
    let policy = &profile.acknowledgment;
    let set = policy.send.set().unwrap_or("997");
    let release = if policy.release.is_empty() {
        profile.release_of(set)
    } else {
        &policy.release
    };
    AckOptions {
        release: Release::of_version(release).unwrap_or(Release::R004010),
        accepted_sets: policy.list_accepted_sets,
        loop_ids: policy.loop_ids,
        repeated_set_number: policy.duplicate_set_code.code().to_owned(),
        repeated_group_number: Some(policy.duplicate_group_code.clone())
            .filter(|code| !code.is_empty()),
        missing_segment: match policy.missing_segment {
            MissingSegment::WhereExpected => supercargo_x12::MissingSegment::WhereExpected,
            MissingSegment::LastGood => supercargo_x12::MissingSegment::LastGood,
        },
        guide_faults: policy.name_guide_faults,
        implementation: Some(policy.implementation.clone()).filter(|code| !code.is_empty()),
        delimiters: delimiters(&profile.envelope),
        ..AckOptions::default()
    }
}

/// How a set of a group that is acted upon ends its reading, and its findings in the domain's words.
pub fn disposition_of(
    group: &GroupVerdict,
    set: &SetVerdict,
    profile: Option<&Profile>,
) -> (Disposition, Vec<Finding>) {
    let mut findings: Vec<Finding> = set
        .findings
        .iter()
        .map(|found| syntax::finding(found, syntax::severity_of(found)))
        .collect();
    if group.is_refused() {
        findings.extend(
            group
                .findings
                .iter()
                .map(|found| syntax::finding(found, syntax::severity_of(found))),
        );
    }
    let guide = profile.map_or(GuideFault::Hold, |profile| {
        profile.acknowledgment.guide_fault
    });
    let disposition = if !group.set_is_accepted(set.ordinal_in_group) {
        Disposition::Rejected
    } else if set.is_held() && guide != GuideFault::Note {
        Disposition::Held
    } else if let Some(profile) = profile.filter(|profile| !profile.receives(&set.st01)) {
        findings.push(not_agreed(&set.st01, profile));
        Disposition::Held
    } else {
        Disposition::Received
    };
    (disposition, findings)
}

fn not_agreed(set: &str, profile: &Profile) -> Finding {
    Finding::business(
        "set-not-agreed",
        Severity::Hold,
        if RECEIVABLE_SETS.contains(&set) {
            format!(
                "{} sends a {set}, which its profile does not list: add it to `documents.receive` and replay, or dismiss it",
                profile.partner
            )
        } else {
            format!(
                "{} sends a {set}, which the gateway does not act upon: do by hand what it asks for, and dismiss it",
                profile.partner
            )
        },
    )
}

/// What the engine says of a set that is about to leave, and of characters that can not stand in it.
pub fn outbound_findings(set: &OutboundSet, profile: &Profile) -> Vec<Finding> {
    if set.code == "TA1" {
        return Vec::new();
    }
    let found = check_outbound(
        SchemaRegistry::standard(),
        Release::of_version(profile.release_of(&set.code)).unwrap_or(Release::R004010),
        set,
        profile.guide.get(&set.code),
        &delimiters(&profile.envelope),
        CharacterSet::Extended,
    );
    let characters = found.characters.iter().map(|found| Finding {
        code: "outbound-character".to_owned(),
        origin: Origin::Business,
        ..syntax::finding(found, Severity::Hold)
    });
    let is_told = |fault: &supercargo_x12::Finding| {
        let place =
            |found: &supercargo_x12::Finding| (found.segment_index, found.element, found.component);
        found
            .characters
            .iter()
            .any(|told| place(told) == place(fault))
    };
    // What can not be sent in a place is all there is to say of it.
    let content = found
        .content
        .iter()
        .filter(|fault| !is_told(fault))
        .map(|found| syntax::finding(found, syntax::severity_of(found)));
    characters
        .chain(content)
        .map(|mut finding| {
            // It has not been written yet: bytes and lines mean nothing to a person.
            finding.place.byte = None;
            finding.place.line = None;
            finding
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guide_says_for_its_own_set_alone_by_which_release_to_judge() {
        let profile = Profile::parse(
            "partner = \"old\"\n[[address]]\nid = \"OLD\"\n[guide.820]\nforeign_letters = true\n[guide.850]\njudge_as = \"005010\"\n[guide.997]\njudge_as = \"004010\"\n",
        )
        .unwrap_or_else(|refusal| panic!("{refusal}"));
        assert_eq!(judge_as(&profile, "PO"), Some(Release::R005010));
        assert_eq!(judge_as(&profile, "FA"), Some(Release::R004010));
        for other in ["RA", "PC", "PR", "", "po"] {
            assert_eq!(judge_as(&profile, other), None, "{other}");
        }
    }
}
