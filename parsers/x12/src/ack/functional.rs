//! The 997 (rules 24 to 35).

use super::notes::{Dialect, Speaker};
use super::{AckOptions, needs_acknowledgment};
use crate::verdict::GroupVerdict;
use crate::writer::OutboundSet;

/// The 997 for a group; none for a group of acknowledgments, which is never acknowledged
/// (rule 24).
pub fn build_997(group: &GroupVerdict, options: &AckOptions) -> Option<OutboundSet> {
    if !needs_acknowledgment(&group.functional_id) {
        return None;
    }
    let speaker = Speaker {
        dialect: Dialect::Functional,
        options,
    };
    let mut set = OutboundSet::new("997");
    set.push(speaker.group_response(group));
    for verdict in group.sets.iter().filter(|set| speaker.names(group, set)) {
        let answer = speaker.answer(verdict);
        set.push(speaker.set_response(verdict));
        for note in &answer.segments {
            set.push(speaker.segment("AK3", note));
            for element in &note.elements {
                set.push(speaker.element("AK4", element));
            }
        }
        set.push(speaker.set_trailer("AK5", &answer));
    }
    set.push(speaker.group_trailer(group));
    Some(set)
}
