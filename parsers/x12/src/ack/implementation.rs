//! The 999, from 005010 on and where a partner asks for it (rule 36).

use super::notes::{Dialect, Speaker};
use super::{AckOptions, needs_acknowledgment};
use crate::finding::Rule;
use crate::verdict::GroupVerdict;
use crate::writer::OutboundSet;

/// The 999 for a group; none for a group of acknowledgments.
pub fn build_999(group: &GroupVerdict, options: &AckOptions) -> Option<OutboundSet> {
    if !needs_acknowledgment(&group.functional_id) {
        return None;
    }
    let speaker = Speaker {
        dialect: Dialect::Implementation,
        options,
    };
    let mut set = OutboundSet {
        implementation: options.implementation.clone(),
        ..OutboundSet::new("999")
    };
    set.push(speaker.group_response(group));
    for verdict in group.sets.iter().filter(|set| speaker.names(group, set)) {
        let answer = speaker.answer(verdict);
        set.push(speaker.set_response(verdict));
        for note in &answer.segments {
            set.push(speaker.segment("IK3", note));
            for element in &note.elements {
                set.push(speaker.element("IK4", element));
                if element.finding.rule == Rule::GuideCondition {
                    set.push(speaker.trigger(note));
                }
            }
        }
        set.push(speaker.set_trailer("IK5", &answer));
    }
    set.push(speaker.group_trailer(group));
    Some(set)
}
