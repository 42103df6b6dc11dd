//! The partner's guide: places that can be read, rules that say something.

use supercargo_x12::{Delimiters, Overlay, Release, Rule, SchemaRegistry, read_set, validate_set};

use super::Found;
use crate::config::profile::Profile;
use crate::config::profile::documents::{RECEIVABLE_SETS, SENDABLE_SETS};

pub(super) fn check(profile: &Profile, found: &mut Found<'_>) {
    for (set, guide) in &profile.guide {
        let known =
            RECEIVABLE_SETS.contains(&set.as_str()) || SENDABLE_SETS.contains(&set.as_str());
        found.unless(
            known,
            &format!("guide.{set}"),
            format!("{set:?} is not among the sets the gateway knows"),
            format!(
                "It knows {} and {}",
                RECEIVABLE_SETS.join(", "),
                SENDABLE_SETS.join(", ")
            ),
        );
        if !known {
            continue;
        }
        for (key, rule) in single_rules(guide) {
            if let Some(what) = unusable(set, &rule) {
                found.fault(
                    &format!("guide.{set}.{key}"),
                    what,
                    "Places are written `REF`, `/REF` (outside every loop), `PO1/PID`, `N1[ST]/N3`, `HL[3=S]/TD5`, `BEG02`, `REF[DP]02`, `PO1/PO103`, `REF04-2`",
                );
            }
        }
        check_guide_says_something(set, guide, found);
    }
}

/// Each rule of a guide alone, with its key.
fn single_rules(guide: &Overlay) -> Vec<(String, Overlay)> {
    let mut rules = Vec::new();
    for (index, rule) in guide.segment.iter().enumerate() {
        let segment = vec![rule.clone()];
        let alone = Overlay {
            segment,
            ..Overlay::default()
        };
        rules.push((format!("segment[{}]", index + 1), alone));
    }
    for (index, rule) in guide.element.iter().enumerate() {
        let element = vec![rule.clone()];
        let alone = Overlay {
            element,
            ..Overlay::default()
        };
        rules.push((format!("element[{}]", index + 1), alone));
    }
    for (index, rule) in guide.condition.iter().enumerate() {
        let condition = vec![rule.clone()];
        let alone = Overlay {
            condition,
            ..Overlay::default()
        };
        rules.push((format!("condition[{}]", index + 1), alone));
    }
    rules
}

/// What the engine says of a guide that it cannot use; asked with an empty set of the kind.
fn unusable(set: &str, guide: &Overlay) -> Option<String> {
    let probe = format!("ST*{set}*0001~SE*2*0001~");
    let probe = read_set(probe.as_bytes(), &Delimiters::default(), 0).ok()?;
    let registry = SchemaRegistry::standard();
    let findings = validate_set(registry, Release::R004010, &probe, Some(guide));
    let told = findings
        .into_iter()
        .find(|finding| finding.rule == Rule::GuideUnusable)?;
    Some(told.message.trim_end_matches('.').to_owned())
}

fn check_guide_says_something(set: &str, guide: &Overlay, found: &mut Found<'_>) {
    for (index, rule) in guide.segment.iter().enumerate() {
        found.unless(
            rule.presence.is_some() || rule.min.is_some() || rule.max.is_some(),
            &format!("guide.{set}.segment[{}]", index + 1),
            format!("the rule about {} says nothing", rule.at),
            "Add presence = \"required\" or \"forbidden\", min or max",
        );
    }
    for (index, rule) in guide.element.iter().enumerate() {
        let says = rule.presence.is_some()
            || rule.min_length.is_some()
            || rule.max_length.is_some()
            || rule.codes.is_some()
            || !rule.also.is_empty()
            || rule.value.is_some();
        found.unless(
            says,
            &format!("guide.{set}.element[{}]", index + 1),
            format!("the rule about {} says nothing", rule.at),
            "Add presence, min_length, max_length, codes, also or value",
        );
    }
    for (index, rule) in guide.condition.iter().enumerate() {
        found.unless(
            rule.presence.is_some() || rule.codes.is_some(),
            &format!("guide.{set}.condition[{}]", index + 1),
            format!("the condition on {} demands nothing", rule.when),
            "Add presence = \"required\" or \"forbidden\", or codes",
        );
    }
}
