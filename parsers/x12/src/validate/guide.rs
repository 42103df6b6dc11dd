//! The partner's guide: findings that hold.

use super::{Report, loop_of};
use crate::element::ElementType;
use crate::finding::{Finding, Rule};
use crate::overlay::{ConditionRule, ElementRule, Overlay, Path, Presence, SegmentRule, Step};
use crate::schema::{Key, NONE, Schema, What};
use crate::set::{Segment, TransactionSet};
use crate::text::show;
use std::collections::HashMap;

/// A set with the place of each of its segments.
struct Placed<'a> {
    schema: &'a Schema,
    set: &'a TransactionSet,
    nodes: &'a [u32],
    /// Loops around each segment, the one that it begins included.
    depths: Vec<u8>,
    /// Whether it begins its loop.
    begins: Vec<bool>,
    /// Where segments of each name stand, in order.
    by_key: HashMap<Key, Vec<u32>>,
}

/// A stretch of the set: all of it, or one occurrence of a loop.
#[derive(Clone, Copy)]
struct Stretch {
    from: usize,
    to: usize,
    /// Loops around it.
    depth: u8,
}

pub(super) fn check(
    schema: &Schema,
    set: &TransactionSet,
    nodes: &[u32],
    overlay: &Overlay,
    report: &mut Report<'_>,
) {
    if overlay.segment.is_empty() && overlay.element.is_empty() && overlay.condition.is_empty() {
        return;
    }
    let placed = Placed::of(schema, set, nodes);
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
    fn of(schema: &'a Schema, set: &'a TransactionSet, nodes: &'a [u32]) -> Placed<'a> {
        let mut by_key: HashMap<Key, Vec<u32>> = HashMap::new();
        for (segment, at) in set.segments().zip(0..) {
            by_key.entry(segment.key()).or_default().push(at);
        }
        Placed {
            schema,
            set,
            nodes,
            depths: nodes
                .iter()
                .map(|node| u8::try_from(schema.depth(*node)).unwrap_or(u8::MAX))
                .collect(),
            begins: nodes.iter().map(|node| schema.begins_loop(*node)).collect(),
            by_key,
        }
    }

    fn segment(&self, at: usize) -> Option<Segment<'a>> {
        self.set.segment(at as u32 + 1)
    }

    /// Every stretch that these loops name, within another one.
    fn stretches(&self, whole: Stretch, rooted: bool, loops: &[Step]) -> Vec<Stretch> {
        let mut stretches = vec![whole];
        for step in loops {
            stretches = stretches
                .iter()
                .flat_map(|outer| self.occurrences(*outer, step, rooted))
                .collect();
        }
        stretches
    }

    fn whole(&self) -> Stretch {
        Stretch {
            from: 0,
            to: self.nodes.len(),
            depth: 0,
        }
    }

    /// The places of segments of this name within a stretch.
    fn named(&self, stretch: Stretch, step: &Step) -> &[u32] {
        let all = self
            .by_key
            .get(&Key::of(step.id.as_bytes()))
            .map(Vec::as_slice)
            .unwrap_or_default();
        let from = all.partition_point(|at| (*at as usize) < stretch.from);
        let to = all.partition_point(|at| (*at as usize) < stretch.to);
        &all[from..to.max(from)]
    }

    fn is(&self, at: usize, step: &Step) -> bool {
        self.segment(at).is_some_and(|segment| step.fits(segment))
    }

    /// The occurrences of a loop within a stretch: of those directly in it, or of all.
    fn occurrences(&self, outer: Stretch, step: &Step, is_direct: bool) -> Vec<Stretch> {
        self.named(outer, step)
            .iter()
            .map(|at| *at as usize)
            .filter(|at| self.begins[*at] && *at != outer.from)
            .filter(|at| !is_direct || self.depths[*at] == outer.depth + 1)
            .filter(|at| self.is(*at, step))
            .map(|from| {
                let depth = self.depths[from];
                let ends = |at: usize| {
                    self.nodes[at] != NONE
                        && (self.depths[at] < depth
                            || (self.depths[at] == depth && self.begins[at]))
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

    /// The segments directly in a stretch that the last step of the path names; without loops and
    /// without a leading slash all of them, wherever they stand.
    fn matching(&self, stretch: Stretch, path: &Path) -> Vec<usize> {
        let anywhere = !path.rooted && path.loops().is_empty() && stretch.depth == 0;
        self.named(stretch, path.segment())
            .iter()
            .map(|at| *at as usize)
            .filter(|at| {
                anywhere || {
                    // The segment that begins a loop is one of what is around the loop, too.
                    let outside = u8::from(self.begins[*at] && *at != stretch.from);
                    self.nodes[*at] != NONE && self.depths[*at] - outside == stretch.depth
                }
            })
            .filter(|at| self.is(*at, path.segment()))
            .collect()
    }

    /// All segments that the path names.
    fn all(&self, path: &Path) -> Vec<usize> {
        self.stretches(self.whole(), path.rooted, path.loops())
            .into_iter()
            .flat_map(|stretch| self.matching(stretch, path))
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
        for stretch in self.stretches(self.whole(), path.rooted, path.loops()) {
            if report.full {
                return;
            }
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

    /// The values of an element, or of a component in each of its repetitions.
    fn values(&self, at: usize, path: &Path) -> impl Iterator<Item = &'a str> {
        let segment = self.segment(at);
        let (element, component) = path.element.unwrap_or((0, None));
        segment.into_iter().flat_map(move |segment| {
            segment
                .repetitions(usize::from(element))
                .map(move |text| match component {
                    Some(component) => segment
                        .components_of(text)
                        .nth(usize::from(component) - 1)
                        .unwrap_or(""),
                    None => text,
                })
                .map(str::trim_end)
        })
    }

    fn at_element(
        &self,
        rule: Rule,
        (at, path): (usize, &Path),
        value: &str,
        say: Option<&str>,
        text: String,
        report: &Report<'_>,
    ) -> Option<Finding> {
        let (element, component) = path.element?;
        let mut finding = self.finding(rule, at, say, text, report)?;
        finding.element = Some(element);
        finding.component = component;
        finding.offset = self.segment(at)?.element_offset(usize::from(element));
        Some(if value.is_empty() {
            finding
        } else {
            finding.with_value(value)
        })
    }

    fn element_rule(&self, rule: &ElementRule, path: &Path, report: &mut Report<'_>) {
        for at in self.all(path) {
            if report.full {
                return;
            }
            if self.values(at, path).all(str::is_empty) {
                if rule.presence == Some(Presence::Required) {
                    let name = &rule.at;
                    let text = format!("The partner's guide demands {name}, and it is empty.");
                    let say = rule.say.as_deref();
                    self.at_element(Rule::GuideElementMissing, (at, path), "", say, text, report)
                        .into_iter()
                        .for_each(|f| report.add(f));
                }
                continue;
            }
            for value in self.values(at, path).filter(|value| !value.is_empty()) {
                self.element_value(rule, at, path, value, report);
            }
        }
    }

    /// The rule about a value that is there.
    fn element_value(
        &self,
        rule: &ElementRule,
        at: usize,
        path: &Path,
        value: &str,
        report: &mut Report<'_>,
    ) {
        let say = rule.say.as_deref();
        let name = &rule.at;
        let mut fault = |kind, text| {
            let finding = self.at_element(kind, (at, path), value, say, text, report);
            finding.into_iter().for_each(|f| report.add(f));
        };
        if rule.presence == Some(Presence::Forbidden) {
            fault(
                Rule::GuideElementForbidden,
                format!(
                    "The partner's guide does not allow {name}; it is {}.",
                    show(value)
                ),
            );
        }
        let length = self.length(at, path, value);
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
                    list(rule.codes.as_deref().unwrap_or_default())
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

    /// The length of a value as X12 counts it: a number's sign and decimal point are none of it.
    fn length(&self, at: usize, path: &Path, value: &str) -> usize {
        let dictionary = &self.schema.dictionary;
        let element = |what| match what {
            What::Element(at) => dictionary.elements.get(usize::from(at)),
            What::Composite(_) => None,
        };
        let (n, component) = path.element.unwrap_or((1, None));
        let definition = self
            .nodes
            .get(at)
            .and_then(|node| self.schema.definition(*node));
        let place = definition.and_then(|definition| definition.uses.get(usize::from(n) - 1));
        let kind = place
            .and_then(|place| match (place.what, component) {
                (What::Composite(at), Some(component)) => dictionary
                    .composites
                    .get(usize::from(at))
                    .and_then(|composite| composite.uses.get(usize::from(component) - 1))
                    .and_then(|place| element(place.what)),
                (what, _) => element(what),
            })
            .map(|element| element.kind);
        match kind {
            Some(ElementType::N(_) | ElementType::R) => {
                value.bytes().filter(u8::is_ascii_digit).count()
            }
            _ => value.chars().count(),
        }
    }

    /// When both places are in one segment, each such segment is judged by itself; when both are in
    /// one loop, each occurrence of it; otherwise the whole set.
    fn condition_rule(
        &self,
        rule: &ConditionRule,
        when: &Path,
        then: &Path,
        report: &mut Report<'_>,
    ) {
        if is_same_segment(when, then) {
            for at in self.all(when) {
                if report.full {
                    return;
                }
                self.condition(rule, when, then, &[at], &[at], report);
            }
            return;
        }
        let shared = shared_loops(when, then);
        for stretch in self.stretches(self.whole(), when.rooted, &when.steps[..shared]) {
            if report.full {
                return;
            }
            let within = |path: &Path| -> Vec<usize> {
                if shared == path.steps.len() {
                    // It is the segment that begins the loop.
                    return vec![stretch.from];
                }
                self.stretches(stretch, path.rooted, &path.loops()[shared..])
                    .into_iter()
                    .flat_map(|stretch| self.matching(stretch, path))
                    .collect()
            };
            self.condition(rule, when, then, &within(when), &within(then), report);
        }
    }

    /// The rule for segments that decide and those it is about.
    fn condition(
        &self,
        rule: &ConditionRule,
        when: &Path,
        then: &Path,
        deciding: &[usize],
        targets: &[usize],
        report: &mut Report<'_>,
    ) {
        let decides = |value: &str| {
            !value.is_empty()
                && (rule.is.is_empty() || rule.is.iter().any(|wanted| wanted == value))
                && !rule.is_not.iter().any(|other| other == value)
        };
        let Some((at, decisive)) = deciding
            .iter()
            .find_map(|at| Some((*at, self.values(*at, when).find(|value| decides(value))?)))
        else {
            return;
        };
        let because = if rule.is.is_empty() && rule.is_not.is_empty() {
            format!("{} is given", rule.when)
        } else {
            format!("{} is {}", rule.when, show(decisive))
        };
        let given: Vec<(usize, &str)> = targets
            .iter()
            .flat_map(|target| {
                let values = self.values(*target, then);
                let is_segment = then.element.is_none();
                values
                    .take(if is_segment { 1 } else { usize::MAX })
                    .map(move |value| (*target, value))
                    .filter(move |(_, value)| is_segment || !value.is_empty())
            })
            .collect();
        let fault = match rule.presence {
            Some(Presence::Required) if given.is_empty() => Some((
                targets.first().copied().unwrap_or(at),
                "",
                format!(
                    "The partner's guide demands {} where {because}; it is missing.",
                    rule.then
                ),
            )),
            Some(Presence::Forbidden) if !given.is_empty() => Some((
                given[0].0,
                given[0].1,
                format!(
                    "The partner's guide does not allow {} where {because}.",
                    rule.then
                ),
            )),
            _ => rule.codes.as_deref().and_then(|codes| {
                let wrong = |value: &str| !codes.iter().any(|code| code == value);
                let (target, value) = given.iter().find(|(_, value)| wrong(value))?;
                Some((
                    *target,
                    *value,
                    format!(
                        "{} is {}; where {because} the partner's guide allows {}.",
                        rule.then,
                        show(value),
                        list(codes)
                    ),
                ))
            }),
        };
        let Some((target, value, text)) = fault else {
            return;
        };
        let say = rule.say.as_deref();
        // What is missing together with its segment is told at the segment that decides.
        let finding = if then.element.is_some() && targets.contains(&target) {
            self.at_element(
                Rule::GuideCondition,
                (target, then),
                value,
                say,
                text,
                report,
            )
        } else {
            self.finding(Rule::GuideCondition, target, say, text, report)
        };
        finding.into_iter().for_each(|f| report.add(f));
    }
}

/// Whether the second place is another element of the very segment that the first one names.
fn is_same_segment(when: &Path, then: &Path) -> bool {
    let (one, other) = (when.segment(), then.segment());
    let is_bare = !then.rooted && then.loops().is_empty();
    then.element.is_some()
        && one.id == other.id
        && (other.qualifier.is_none() || other.qualifier == one.qualifier)
        && (is_bare || (when.rooted == then.rooted && when.loops() == then.loops()))
}

/// How many loops two places have in common, counted from the outside. A segment that begins a loop
/// which the other place names stands in it: `PO103` and `PO1/PO4`.
fn shared_loops(when: &Path, then: &Path) -> usize {
    if when.rooted != then.rooted {
        return 0;
    }
    when.steps
        .iter()
        .zip(&then.steps)
        .take(when.loops().len().max(then.loops().len()))
        .take_while(|(one, other)| one == other)
        .count()
}

/// Codes as a sentence shows them: the first few.
fn list(codes: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<&str> = codes.iter().take(SHOWN).map(String::as_str).collect();
    match codes.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
