//! `.VALREFS`, `.VALLISTS`, `.OBJVARS` and `.SEMREFS`: values of the partner's own, and what depends
//! on what.

use super::Findings;
use super::codes::{CodeLists, Location};
use super::records::{File, Record};
use crate::overlay::{ConditionRule, ElementRule, Overlay, Presence, SegmentRule};
use crate::text::show;
use std::collections::HashMap;

/// Conditions joined by `|` in one rule.
const ALTERNATIVES_MAX: usize = 50;

/// Finds the path of a place, such as `/N1[ST]03`, and the number of its element.
pub(super) trait Places {
    fn path(&self, location: &Location) -> Option<(String, Option<String>)>;
}

/// What a rule changes.
enum Effect {
    Presence(Presence),
    Codes(Vec<String>),
}

pub(super) struct Semantics<'a> {
    file: &'a File,
    lists: &'a CodeLists,
    variables: HashMap<&'a str, &'a str>,
}

impl<'a> Semantics<'a> {
    pub fn of(file: &'a File, lists: &'a CodeLists) -> Semantics<'a> {
        let mut variables = HashMap::new();
        for record in &file.variables {
            for name in record.value.split(',') {
                variables.insert(name.trim(), record.key.as_str());
            }
        }
        Semantics {
            file,
            lists,
            variables,
        }
    }

    /// Adds what is said of one set to its overlay.
    pub fn add_to(
        &self,
        set: &str,
        places: &impl Places,
        overlay: &mut Overlay,
        findings: &mut Findings,
    ) {
        let prefix = format!("{set}/");
        for record in &self.file.value_refs {
            if record.key.starts_with(&prefix) {
                self.values(record, places, overlay, findings);
            }
        }
        for record in &self.file.rules {
            if record.key.starts_with(&prefix) {
                self.rules(record, places, overlay, findings);
            }
        }
    }

    /// What is said of none of the sets is told once.
    pub fn tell_rest(&self, sets: &[&str], findings: &mut Findings) {
        for (records, what) in [
            (&self.file.value_refs, "values"),
            (&self.file.rules, "a rule"),
        ] {
            for record in records {
                let set = record.key.split('/').next().unwrap_or("");
                if !sets.contains(&set) {
                    findings.add(
                        record.line,
                        format!("{what} for {}, which is no place in a set of this guide, can not be judged", show(&record.key)),
                    );
                }
            }
        }
    }

    fn values(
        &self,
        record: &Record,
        places: &impl Places,
        overlay: &mut Overlay,
        findings: &mut Findings,
    ) {
        let name = record.value.trim();
        let place = Location::read(&record.key).and_then(|location| places.path(&location));
        let Some((at, Some(_))) = place else {
            return findings.add(
                record.line,
                format!("{} is no element of this guide", show(&record.key)),
            );
        };
        let Some(values) = self.list(name, record.line, findings) else {
            return;
        };
        overlay.element.push(match values.as_slice() {
            [value] => ElementRule {
                at,
                value: Some(value.clone()),
                ..ElementRule::default()
            },
            _ => ElementRule {
                at,
                codes: Some(values),
                ..ElementRule::default()
            },
        });
    }

    /// The values of a list that can be judged by.
    fn list(&self, name: &str, line: u32, findings: &mut Findings) -> Option<Vec<String>> {
        let Some(list) = self.file.value_lists.iter().find(|list| list.name == name) else {
            findings.add(line, format!("there is no list of values {}", show(name)));
            return None;
        };
        if list.has_patterns {
            findings.add(
                line,
                format!(
                    "the list {} (line {}) has patterns, which can not be judged: it was left out",
                    show(name),
                    list.line
                ),
            );
            return None;
        }
        if list.values.is_empty() {
            findings.add(
                line,
                format!(
                    "the list {} (line {}) is empty: it was left out",
                    show(name),
                    list.line
                ),
            );
            return None;
        }
        Some(list.values.clone())
    }

    /// `[VAR'EQ'X:USAGE:2:]`, one or several.
    fn rules(
        &self,
        record: &Record,
        places: &impl Places,
        overlay: &mut Overlay,
        findings: &mut Findings,
    ) {
        let mut rest = record.value.trim();
        while let Some(inside) = rest.strip_prefix('[') {
            let Some(end) = inside.find(']') else { break };
            self.rule(record, &inside[..end], places, overlay, findings);
            rest = inside[end + 1..].trim_start();
        }
        if !rest.is_empty() {
            findings.add(
                record.line,
                format!("the rule {} is not understood", show(rest)),
            );
        }
    }

    fn rule(
        &self,
        record: &Record,
        text: &str,
        places: &impl Places,
        overlay: &mut Overlay,
        findings: &mut Findings,
    ) {
        let line = record.line;
        let mut unknown = |what: &str| {
            findings.add(
                line,
                format!("{what} in the rule {}: it was left out", show(text)),
            )
        };
        // The value of a condition may hold colons; action and setting are the last two fields.
        let mut fields = text.strip_suffix(':').unwrap_or(text).rsplitn(3, ':');
        let (Some(setting), Some(action), Some(condition)) =
            (fields.next(), fields.next(), fields.next())
        else {
            return unknown("condition, action and setting are not there");
        };
        let place = Location::read(&record.key).and_then(|location| places.path(&location));
        let Some((at, number)) = place else {
            return unknown("no such place");
        };
        let effect = match (action, setting) {
            ("USAGE", "1") => Effect::Presence(Presence::Forbidden),
            ("USAGE", "2") => Effect::Presence(Presence::Required),
            ("USAGE", "0" | "3" | "4") => {
                return unknown("used, recommended or not recommended is nothing to judge by");
            }
            ("LOCALCODE", number_of_list) => {
                let codes = number
                    .clone()
                    .zip(number_of_list.parse().ok())
                    .and_then(|(element, n)| self.lists.numbered.get(&(element, n)));
                match codes {
                    Some(codes) => Effect::Codes(codes.clone()),
                    None => return unknown("no such list of codes"),
                }
            }
            ("APPVALUE", name) => match self.list(name, line, findings) {
                Some(values) => Effect::Codes(values),
                None => return,
            },
            _ => return unknown("a program to be run, or an action that is not known,"),
        };
        if condition.is_empty() {
            always(at, number.is_some(), effect, overlay);
            return;
        }
        match self.conditions(condition, places) {
            Ok(conditions) => overlay.condition.extend(conditions.into_iter().map(|rule| {
                let (presence, codes) = match &effect {
                    Effect::Presence(presence) => (Some(*presence), None),
                    Effect::Codes(codes) => (None, Some(codes.clone())),
                };
                ConditionRule {
                    then: at.clone(),
                    presence,
                    codes,
                    ..rule
                }
            })),
            Err(what) => findings.add(
                line,
                format!("{what} in the rule {}: it was left out", show(text)),
            ),
        }
    }

    /// The conditions of a rule, any of which puts it in force: `A'EQ'X|A'EQ'Y|B'NE'Z`.
    fn conditions(&self, text: &str, places: &impl Places) -> Result<Vec<ConditionRule>, String> {
        let mut rules: Vec<ConditionRule> = Vec::new();
        for (n, statement) in text.split('|').enumerate() {
            if n >= ALTERNATIVES_MAX {
                return Err("too many alternatives".to_owned());
            }
            if statement.contains('&') {
                return Err("two conditions at once".to_owned());
            }
            let mut fields = statement.splitn(3, '\'');
            let (name, operator, value) = (
                fields.next().unwrap_or("").trim(),
                fields.next().unwrap_or(""),
                fields.next().unwrap_or(""),
            );
            let place = self
                .variables
                .get(name)
                .and_then(|location| Location::read(location))
                .and_then(|location| places.path(&location));
            let Some((when, Some(_))) = place else {
                return Err(format!("the variable {} names no element", show(name)));
            };
            match operator {
                "EQ" => match rules
                    .iter_mut()
                    .find(|rule| rule.when == when && !rule.is.is_empty())
                {
                    Some(rule) => rule.is.push(value.to_owned()),
                    None => rules.push(ConditionRule {
                        when,
                        is: vec![value.to_owned()],
                        ..ConditionRule::default()
                    }),
                },
                "NE" => rules.push(ConditionRule {
                    when,
                    is_not: vec![value.to_owned()],
                    ..ConditionRule::default()
                }),
                other => return Err(format!("the comparison {}", show(other))),
            }
        }
        Ok(rules)
    }
}

/// A rule without a condition.
fn always(at: String, is_element: bool, effect: Effect, overlay: &mut Overlay) {
    match effect {
        Effect::Presence(presence) if is_element => overlay.element.push(ElementRule {
            at,
            presence: Some(presence),
            ..ElementRule::default()
        }),
        Effect::Presence(presence) => overlay.segment.push(SegmentRule {
            at,
            presence: Some(presence),
            ..SegmentRule::default()
        }),
        Effect::Codes(codes) => overlay.element.push(ElementRule {
            at,
            codes: Some(codes),
            ..ElementRule::default()
        }),
    }
}
