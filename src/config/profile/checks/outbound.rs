//! Changes to outbound documents: levels and segments that exist, templates whose sources the document has.

use super::{Found, check_code};
use crate::config::profile::Profile;
use crate::config::profile::outbound::{OutboundAction, OutboundLevel, OutboundRule};
use crate::config::profile::template::{Source, Template};

pub(super) fn check(profile: &Profile, set: &str, rules: &[OutboundRule], found: &mut Found<'_>) {
    let levels = OutboundLevel::of_set(set);
    if levels.is_empty() {
        found.fault(
            &format!("outbound.{set}"),
            format!("{set:?} is no document that can be changed here"),
            "Rules are for 855, 856 and 810: [[outbound.810]]",
        );
        return;
    }
    for (index, rule) in rules.iter().enumerate() {
        let key = format!("outbound.{set}[{}]", index + 1);
        found.unless(
            levels.contains(&rule.level),
            &format!("{key}.level"),
            format!("an {set} has no level `{}`", rule.level.word()),
            format!(
                "Write one of {}",
                levels
                    .iter()
                    .map(|level| level.word())
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        );
        check_code(&format!("{key}.segment"), &rule.segment, 2..=3, found);
        found.unless(
            !["ST", "SE", "HL", "BAK", "BSN", "BIG"].contains(&rule.segment.as_str())
                || rule.action == OutboundAction::Set,
            &format!("{key}.segment"),
            format!(
                "{} belongs to the document's frame and can neither be added nor left out",
                rule.segment
            ),
            "Set single elements of it with action = \"set\"",
        );
        found.unless(
            !["ST", "SE", "HL", "CTT", "TDS"].contains(&rule.segment.as_str()),
            &format!("{key}.segment"),
            format!("{} is counted or added up by the gateway", rule.segment),
            "Take the rule out",
        );
        let (elements, values) = (!rule.elements.is_empty(), !rule.values.is_empty());
        let (wanted, instead) = match rule.action {
            OutboundAction::Add => (
                elements && !values,
                "An added segment has `elements = [\"…\"]`",
            ),
            OutboundAction::Set => (
                values && !elements,
                "A changed segment has `values = { 3 = \"…\" }`",
            ),
            OutboundAction::Drop => (
                !values && !elements,
                "A segment that is left out needs neither `elements` nor `values`",
            ),
        };
        found.unless(
            wanted,
            &key,
            "the rule does not say what its action needs",
            instead,
        );
        for position in rule.values.keys() {
            found.unless(
                position
                    .parse::<usize>()
                    .is_ok_and(|number| (1..=99).contains(&number)),
                &format!("{key}.values.{position}"),
                format!("{position:?} is no position of an element"),
                "Write its number, such as 3 for REF03",
            );
        }
        for (position, template) in rule.elements.iter().enumerate() {
            let key = format!("{key}.elements[{}]", position + 1);
            check_template(profile, set, &key, template, found);
        }
        for (position, template) in &rule.values {
            let key = format!("{key}.values.{position}");
            check_template(profile, set, &key, template, found);
        }
    }
}

fn check_template(
    profile: &Profile,
    set: &str,
    key: &str,
    template: &Template,
    found: &mut Found<'_>,
) {
    for (source, table) in template.sources() {
        if let Some(table) = table {
            found.unless(
                profile.cross_reference.contains_key(table),
                key,
                format!("{template} looks up in the table `{table}`, which is not there"),
                format!("Add [cross_reference.{table}] with lines such as \"OURS\" = \"THEIRS\""),
            );
        }
        let there = match source {
            Source::Shipment(_) => set != "855",
            Source::Carton(_) => set == "856",
            Source::Invoice(_) => set == "810",
            _ => true,
        };
        found.unless(
            there,
            key,
            format!("an {set} has no value for {template}"),
            "Shipment values are for 856 and 810, carton values for 856, invoice values for 810",
        );
    }
}
