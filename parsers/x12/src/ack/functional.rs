//! The 997 (rules 24 to 35).

use super::{AckOptions, copy_of_bad_value, element_position, segment_notes, set_codes};
use crate::finding::{AckPlace, Finding};
use crate::schema::Release;
use crate::verdict::{GroupVerdict, SetVerdict};
use crate::writer::{OutSegment, OutboundSet, seg};

/// The 997 for a group; none for a group of acknowledgments, which is never acknowledged
/// (rule 24).
pub fn build_997(group: &GroupVerdict, options: &AckOptions) -> Option<OutboundSet> {
    if group.functional_id == "FA" {
        return None;
    }
    let later = options.release >= Release::R005010;
    let mut set = OutboundSet::new("997");
    set.push(ak1(group, later));
    for verdict in &group.sets {
        if verdict.acceptance.is_accepted() && (group.is_refused() || !options.accepted_sets) {
            continue;
        }
        set.push(ak2(verdict, later));
        for note in segment_notes(verdict) {
            let loop_id = note.loop_id.filter(|_| options.loop_ids);
            set.push(
                seg("AK3")
                    .el(note.id)
                    .el(note.index.to_string())
                    .opt(loop_id)
                    .el(note.code),
            );
            for finding in note.elements {
                set.push(ak4(finding, options));
            }
        }
        let codes = set_codes(verdict, options);
        set.push(
            codes
                .iter()
                .fold(seg("AK5").el(verdict.acceptance.code()), |segment, code| {
                    segment.el(code)
                }),
        );
    }
    set.push(ak9(group));
    Some(set)
}

pub(super) fn ak1(group: &GroupVerdict, later: bool) -> OutSegment {
    let number = group.control_number.trim_start_matches('0');
    let segment = seg("AK1")
        .el(&group.functional_id)
        .el(if number.is_empty() { "0" } else { number });
    if later {
        segment.el(&group.version)
    } else {
        segment
    }
}

pub(super) fn ak2(verdict: &SetVerdict, later: bool) -> OutSegment {
    let segment = seg("AK2").el(&verdict.st01).el(&verdict.st02);
    if later {
        segment.opt(verdict.st03.as_deref())
    } else {
        segment
    }
}

fn ak4(finding: &Finding, options: &AckOptions) -> OutSegment {
    let position = element_position(finding);
    let code = finding.ack.as_ref().map_or("", |ack| ack.code.as_str());
    seg("AK4")
        .composite(position)
        .opt(finding.data_element.map(|n| n.to_string()))
        .el(code)
        .opt(copy_of_bad_value(finding, options))
}

/// AK9: the four counts of rule 30 and up to five codes.
pub(super) fn ak9(group: &GroupVerdict) -> OutSegment {
    let mut codes: Vec<&str> = Vec::new();
    for ack in group
        .findings
        .iter()
        .filter(|f| f.rejects())
        .filter_map(|f| f.ack.as_ref())
        .filter(|ack| ack.place == AckPlace::Ak905)
    {
        if !codes.contains(&ack.code.as_str()) && codes.len() < 5 {
            codes.push(&ack.code);
        }
    }
    let counts = [
        group.claimed_sets.unwrap_or(group.received_sets),
        group.received_sets,
        group.accepted_sets(),
    ];
    let segment = counts.iter().fold(
        seg("AK9").el(group.acceptance().code()),
        |segment, count| segment.el(count.to_string()),
    );
    codes
        .into_iter()
        .fold(segment, |segment, code| segment.el(code))
}
