//! The partner's guide: findings that hold.

use super::{Report, loop_of};
use crate::finding::{Finding, Rule};
use crate::overlay::{ConditionRule, ElementRule, Overlay, Path, Presence, SegmentRule, Step};
use crate::schema::{NONE, Schema};
use crate::set::{Segment, TransactionSet};
use crate::text::show;

/// A set with the place of each of its segments.
struct Placed<'a> {
    schema: &'a Schema,
    set: &'a TransactionSet,
    nodes: &'a [u32],
}

/// A stretch of the set: all of it, or one occurrence of a loop.
#[derive(Clone, Copy)]
struct Stretch {
    from: usize,
    to: usize,
    /// Loops around it.
    depth: usize,
}

pub(super) fn check(
    schema: &Schema,
    set: &TransactionSet,
    nodes: &[u32],
    overlay: &Overlay,
    report: &mut Report<'_>,
) {
    let placed = Placed { schema, set, nodes };
    for rule in &overlay.segment {
        match Path::read(&rule.at) {
            Some(path) if path.element.is_none() => placed.segment_rule(rule, &path, report),
            _ => unusable(&rule.at, set, report),
        }
    }
    for rule in &overlay.element {
        match Path::read(&rule.at) {
            Some(path) if path.element.is_some() => placed.element_rule(rule, &path, report),
            _ => unusable(&rule.at, set, report),
        }
    }
    for rule in &overlay.condition {
        match (Path::read(&rule.when), Path::read(&rule.then)) {
            (Some(when), Some(then)) if when.element.is_some() => {
                placed.condition_rule(rule, &when, &then, report)
            }
            (None, _) => unusable(&rule.when, set, report),
            _ => unusable(&rule.then, set, report),
        }
    }
}

fn unusable(at: &str, set: &TransactionSet, report: &mut Report<'_>) {
    let text = format!(
        "The partner's guide names the place {}, which cannot be read; write it as in `N1[ST]/N4`, `BEG02` or `REF[DP]02`.",
        show(at)
    );
    report.add(Finding::new(
        Rule::GuideUnusable,
        set.offset(),
        set.header().line,
        text,
    ));
}

impl<'a> Placed<'a> {
    fn segment(&self, at: usize) -> Option<Segment<'a>> {
        self.set.segment(at as u32 + 1)
    }

    /// Loops around a segment, the one that it begins included.
    fn depth(&self, at: usize) -> usize {
        let mut depth = 0;
        let mut node = self.nodes.get(at).copied().unwrap_or(NONE);
        while let Some(parent) = self
            .schema
            .nodes
            .get(node as usize)
            .map(|node| node.parent)
            .filter(|parent| *parent != NONE && *parent != 0)
        {
            depth += 1;
            node = parent;
        }
        depth
    }

    /// Whether the segment begins its loop.
    fn begins_loop(&self, at: usize) -> bool {
        let Some(node) = self.nodes.get(at).filter(|node| **node != NONE) else {
            return false;
        };
        self.schema.nodes.get(*node as usize).is_some_and(|this| {
            this.parent != 0
                && self
                    .schema
                    .nodes
                    .get(this.parent as usize)
                    .is_some_and(|parent| parent.first_child == *node)
        })
    }

    fn is(&self, at: usize, step: &Step) -> bool {
        self.segment(at).is_some_and(|segment| {
            segment.id() == step.id
                && step
                    .qualifier
                    .as_deref()
                    .is_none_or(|q| segment.element(1).trim_end() == q)
        })
    }

    /// Every stretch that the loops of the path name.
    fn stretches(&self, path: &Path) -> Vec<Stretch> {
        let mut stretches = vec![Stretch {
            from: 0,
            to: self.nodes.len(),
            depth: 0,
        }];
        for step in &path.steps[..path.steps.len() - 1] {
            stretches = stretches
                .iter()
                .flat_map(|outer| self.occurrences(*outer, step))
                .collect();
        }
        stretches
    }

    /// The occurrences of a loop within a stretch.
    fn occurrences(&self, outer: Stretch, step: &Step) -> Vec<Stretch> {
        (outer.from..outer.to)
            .filter(|at| self.begins_loop(*at) && self.is(*at, step))
            .map(|from| {
                let depth = self.depth(from);
                let ends = |at: usize| {
                    self.nodes[at] != NONE
                        && (self.depth(at) < depth
                            || (self.depth(at) == depth && self.begins_loop(at)))
                };
                Stretch {
                    from,
                    to: (from + 1..outer.to)
                        .find(|at| ends(*at))
                        .unwrap_or(outer.to),
                    depth,
                }
            })
            .collect()
    }

    /// The segments of a stretch that the last step of the path names. A path with loops means the
    /// loop's own segments; `/X` those outside every loop.
    fn matching(&self, stretch: Stretch, path: &Path) -> Vec<usize> {
        (stretch.from..stretch.to)
            .filter(|at| self.is(*at, path.segment()))
            .filter(|at| {
                let depth =
                    self.depth(*at) - usize::from(self.begins_loop(*at) && *at != stretch.from);
                if path.heading {
                    depth == 0
                } else {
                    path.steps.len() == 1 || depth == stretch.depth
                }
            })
            .collect()
    }

    fn finding(
        &self,
        rule: Rule,
        at: usize,
        say: Option<&str>,
        text: String,
        report: &Report<'_>,
    ) -> Option<Finding> {
        let segment = self.segment(at)?;
        let text = say.map_or(text, str::to_owned);
        Some(report.segment(rule, segment, loop_of(self.schema, self.nodes[at]), text))
    }

    fn segment_rule(&self, rule: &SegmentRule, path: &Path, report: &mut Report<'_>) {
        let say = rule.say.as_deref();
        let name = show(&rule.at);
        for stretch in self.stretches(path) {
            let found = self.matching(stretch, path);
            let min = rule
                .min
                .unwrap_or(0)
                .max(u32::from(rule.presence == Some(Presence::Required)));
            if (found.len() as u32) < min {
                let (kind, text) = match found.len() {
                    0 => (
                        Rule::GuideSegmentMissing,
                        format!(
                            "The partner's guide demands the segment {name}, and it is missing."
                        ),
                    ),
                    n => (
                        Rule::GuideTooFew,
                        format!(
                            "The partner's guide demands the segment {name} {min} times at least; it stands there {n} times."
                        ),
                    ),
                };
                let finding = self
                    .finding(kind, stretch.from, say, text, report)
                    .map(|f| Finding {
                        segment: Some(path.segment().id.clone()),
                        ..f
                    });
                finding.into_iter().for_each(|f| report.add(f));
            }
            let max = if rule.presence == Some(Presence::Forbidden) {
                Some(0)
            } else {
                rule.max
            };
            if let Some(max) = max
                && let Some(at) = found.get(max as usize)
            {
                let (kind, text) = match max {
                    0 => (
                        Rule::GuideSegmentForbidden,
                        format!("The partner's guide does not allow the segment {name}."),
                    ),
                    _ => (
                        Rule::GuideTooOften,
                        format!(
                            "The partner's guide allows the segment {name} {max} times at most; it stands there {} times.",
                            found.len()
                        ),
                    ),
                };
                self.finding(kind, *at, say, text, report)
                    .into_iter()
                    .for_each(|f| report.add(f));
            }
        }
    }

    fn value(&self, at: usize, path: &Path) -> &'a str {
        let (Some(segment), Some((element, component))) = (self.segment(at), path.element) else {
            return "";
        };
        match component {
            Some(component) => segment.component(usize::from(element), usize::from(component)),
            None => segment.element(usize::from(element)),
        }
        .trim_end()
    }

    fn at_element(
        &self,
        rule: Rule,
        at: usize,
        path: &Path,
        say: Option<&str>,
        text: String,
        report: &Report<'_>,
    ) -> Option<Finding> {
        let (element, component) = path.element?;
        let mut finding = self.finding(rule, at, say, text, report)?;
        finding.element = Some(element);
        finding.component = component;
        finding.offset = self.segment(at)?.element_offset(usize::from(element));
        let value = self.value(at, path);
        Some(if value.is_empty() {
            finding
        } else {
            finding.with_value(value)
        })
    }

    fn element_rule(&self, rule: &ElementRule, path: &Path, report: &mut Report<'_>) {
        let say = rule.say.as_deref();
        let name = &rule.at;
        for at in self
            .stretches(path)
            .into_iter()
            .flat_map(|stretch| self.matching(stretch, path))
        {
            let value = self.value(at, path);
            let mut fault = |kind, text| {
                let finding = self.at_element(kind, at, path, say, text, report);
                finding.into_iter().for_each(|f| report.add(f));
            };
            if value.is_empty() {
                if rule.presence == Some(Presence::Required) {
                    fault(
                        Rule::GuideElementMissing,
                        format!("The partner's guide demands {name}, and it is empty."),
                    );
                }
                continue;
            }
            if rule.presence == Some(Presence::Forbidden) {
                fault(
                    Rule::GuideElementForbidden,
                    format!(
                        "The partner's guide does not allow {name}; it is {}.",
                        show(value)
                    ),
                );
            }
            let length = value.chars().count();
            if rule.min_length.is_some_and(|min| length < min)
                || rule.max_length.is_some_and(|max| length > max)
            {
                let wanted = match (rule.min_length, rule.max_length) {
                    (Some(min), Some(max)) if min == max => format!("exactly {min}"),
                    (Some(min), Some(max)) => format!("{min} to {max}"),
                    (Some(min), None) => format!("at least {min}"),
                    (None, max) => format!("at most {}", max.unwrap_or(0)),
                };
                fault(
                    Rule::GuideLength,
                    format!(
                        "{name} is {}; the partner's guide wants {wanted} characters.",
                        show(value)
                    ),
                );
            }
            if rule
                .codes
                .as_ref()
                .is_some_and(|codes| !codes.iter().chain(&rule.also).any(|code| code == value))
            {
                fault(
                    Rule::GuideCode,
                    format!(
                        "{name} is {}; the partner's guide allows {}.",
                        show(value),
                        rule.codes.as_deref().unwrap_or_default().join(", ")
                    ),
                );
            }
            if let Some(fixed) = rule.value.as_deref().filter(|fixed| *fixed != value) {
                fault(
                    Rule::GuideValue,
                    format!(
                        "{name} is {}; the partner's guide fixes it to {}.",
                        show(value),
                        show(fixed)
                    ),
                );
            }
        }
    }

    /// When both places are in one segment, each such segment is judged by itself; otherwise the
    /// whole set is.
    fn condition_rule(
        &self,
        rule: &ConditionRule,
        when: &Path,
        then: &Path,
        report: &mut Report<'_>,
    ) {
        let deciding: Vec<usize> = self
            .stretches(when)
            .into_iter()
            .flat_map(|stretch| self.matching(stretch, when))
            .collect();
        let decides = |at: &usize| {
            let value = self.value(*at, when);
            if rule.is.is_empty() {
                !value.is_empty()
            } else {
                rule.is.iter().any(|wanted| wanted == value)
            }
        };
        let same_segment = when.segment().id == then.segment().id
            && then.segment().qualifier.is_none()
            && then.steps.len() == 1
            && then.element.is_some();
        for at in deciding.iter().filter(|at| decides(at)) {
            let targets: Vec<usize> = if same_segment {
                vec![*at]
            } else {
                self.stretches(then)
                    .into_iter()
                    .flat_map(|stretch| self.matching(stretch, then))
                    .collect()
            };
            let because = if rule.is.is_empty() {
                format!("{} is given", rule.when)
            } else {
                format!("{} is {}", rule.when, self.value(*at, when))
            };
            let given: Vec<usize> = targets
                .iter()
                .copied()
                .filter(|target| then.element.is_none() || !self.value(*target, then).is_empty())
                .collect();
            let fault = match rule.presence {
                Some(Presence::Required) if given.is_empty() => Some((
                    targets.first().copied().unwrap_or(*at),
                    format!(
                        "The partner's guide demands {} where {because}; it is missing.",
                        rule.then
                    ),
                )),
                Some(Presence::Forbidden) if !given.is_empty() => Some((
                    given[0],
                    format!(
                        "The partner's guide does not allow {} where {because}.",
                        rule.then
                    ),
                )),
                _ => {
                    let codes = rule.codes.as_deref().unwrap_or_default();
                    let wrong = given.iter().find(|target| {
                        rule.codes.is_some()
                            && !codes.iter().any(|code| code == self.value(**target, then))
                    });
                    wrong.map(|target| {
                        (
                            *target,
                            format!(
                                "{} is {}; where {because} the partner's guide allows {}.",
                                rule.then,
                                show(self.value(*target, then)),
                                codes.join(", ")
                            ),
                        )
                    })
                }
            };
            if let Some((target, text)) = fault {
                let finding = if then.element.is_some() {
                    self.at_element(
                        Rule::GuideCondition,
                        target,
                        then,
                        rule.say.as_deref(),
                        text,
                        report,
                    )
                } else {
                    self.finding(
                        Rule::GuideCondition,
                        target,
                        rule.say.as_deref(),
                        text,
                        report,
                    )
                };
                finding.into_iter().for_each(|f| report.add(f));
            }
            if !same_segment {
                break;
            }
        }
    }
}
