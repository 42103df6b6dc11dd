//! The partner's own changes to a document: `[[outbound.855]]` and its sisters.

use supercargo_x12::{OutSegment, seg};

use super::{Facts, Part, built, order};
use crate::config::profile::Profile;
use crate::config::profile::outbound::{OutboundAction, OutboundRule, WhenEmpty};
use crate::config::profile::template::Template;
use crate::domain::finding::{Finding, Severity};

/// Applies the rules in the order in which they stand.
pub fn apply(
    rules: &[OutboundRule],
    parts: &mut [Part<'_>],
    profile: &Profile,
    set: &str,
    findings: &mut Vec<Finding>,
) {
    for (index, rule) in rules.iter().enumerate() {
        let name = format!("outbound.{set}[{}]", index + 1);
        for part in parts.iter_mut().filter(|part| part.level == rule.level) {
            let done = match rule.action {
                OutboundAction::Add => add(rule, part, profile, set),
                OutboundAction::Set => assign(rule, part, profile),
                OutboundAction::Drop => {
                    leave_out(rule, &mut part.segments);
                    true
                }
            };
            if !done && rule.when_empty == WhenEmpty::Hold {
                findings.push(empty(rule, &name));
            }
        }
    }
}

fn empty(rule: &OutboundRule, name: &str) -> Finding {
    let wanted: Vec<&str> = rule
        .elements
        .iter()
        .chain(rule.values.values())
        .filter(|template| template.sources().next().is_some())
        .map(Template::text)
        .collect();
    Finding::business(
        "outbound-value-missing",
        Severity::Hold,
        format!("the partner insists on {} at the {} level, and there is no value for {}: give the order, shipment or item what is missing, or let the rule {name} of the profile skip it (when_empty = \"skip\")", rule.segment, rule.level.word(), wanted.join(", ")),
    )
    .with_value(rule.segment.clone())
}

/// The value, and whether it counts as there: a constant always does, a template with sources if one was found.
fn value(template: &Template, facts: &Facts<'_>, profile: &Profile) -> (String, bool) {
    let rendered = template.render(
        |source| facts.look_up(source),
        |table, value| profile.cross_reference.get(table)?.get(value).cloned(),
    );
    let there = !rendered.is_empty() || template.sources().next().is_none();
    (rendered, there)
}

/// Adds a segment; false where every value in it is empty that is looked up.
fn add(rule: &OutboundRule, part: &mut Part<'_>, profile: &Profile, set: &str) -> bool {
    let mut segment = seg(&rule.segment);
    let mut looked_up = 0;
    let mut found = 0;
    for template in &rule.elements {
        let (value, there) = value(template, &part.facts, profile);
        if template.sources().next().is_some() {
            looked_up += 1;
            found += usize::from(there);
        }
        segment = segment.el(value);
    }
    if looked_up > 0 && found == 0 {
        return false;
    }
    let at = order::position(set, rule.level, &part.segments, &rule.segment, &rule.after);
    part.segments.insert(at, segment);
    true
}

fn matches(rule: &OutboundRule, segment: &OutSegment) -> bool {
    segment.id == rule.segment && (rule.qualifier.is_empty() || built(segment, 1) == rule.qualifier)
}

/// Sets elements of the segments that are there; false where a value is missing.
fn assign(rule: &OutboundRule, part: &mut Part<'_>, profile: &Profile) -> bool {
    let mut complete = true;
    let facts = &part.facts;
    for segment in part
        .segments
        .iter_mut()
        .filter(|segment| matches(rule, segment))
    {
        for (position, template) in rule.set_values() {
            let (value, there) = value(template, facts, profile);
            if !there {
                complete = false;
                continue;
            }
            *segment = std::mem::replace(segment, seg("")).at(position, value);
        }
    }
    complete
}

/// Leaves segments out; with an N1 its address, with an N9 its text.
fn leave_out(rule: &OutboundRule, segments: &mut Vec<OutSegment>) {
    let followers: &[&str] = match rule.segment.as_str() {
        "N1" => &["N2", "N3", "N4"],
        "N9" => &["MSG", "MTX"],
        _ => &[],
    };
    let mut dropping = false;
    segments.retain(|segment| {
        dropping = matches(rule, segment) || (dropping && followers.contains(&segment.id.as_str()));
        !dropping
    });
}
