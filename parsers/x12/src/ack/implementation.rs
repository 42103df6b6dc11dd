//! The 999, from 005010 on and where a partner asks for it (rule 36).

use super::functional::{ak1, ak2, ak9};
use super::{AckOptions, copy_of_bad_value, element_position, segment_notes, set_codes};
use crate::finding::Finding;
use crate::verdict::GroupVerdict;
use crate::writer::{OutSegment, OutboundSet, seg};

/// The 999 for a group; none for a group of acknowledgments.
pub fn build_999(group: &GroupVerdict, options: &AckOptions) -> Option<OutboundSet> {
    if group.functional_id == "FA" {
        return None;
    }
    let mut set = OutboundSet::new("999");
    set.push(ak1(group, true));
    for verdict in &group.sets {
        if verdict.acceptance.is_accepted() && (group.is_refused() || !options.accepted_sets) {
            continue;
        }
        set.push(ak2(verdict, true));
        for note in segment_notes(verdict) {
            let loop_id = note.loop_id.filter(|_| options.loop_ids);
            set.push(
                seg("IK3")
                    .el(note.id)
                    .el(note.index.to_string())
                    .opt(loop_id)
                    .el(note.code),
            );
            for finding in note.elements {
                set.push(ik4(finding, options));
            }
        }
        let codes = set_codes(verdict, options);
        set.push(
            codes
                .iter()
                .fold(seg("IK5").el(verdict.acceptance.code()), |segment, code| {
                    segment.el(code)
                }),
        );
    }
    set.push(ak9(group));
    Some(set)
}

fn ik4(finding: &Finding, options: &AckOptions) -> OutSegment {
    let code = finding.ack.as_ref().map_or("", |ack| ack.code.as_str());
    seg("IK4")
        .composite(element_position(finding))
        .opt(finding.data_element.map(|n| n.to_string()))
        .el(code)
        .opt(copy_of_bad_value(finding, options))
}
