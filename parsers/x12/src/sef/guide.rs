//! From what a SEF file says to overlays: each set is laid beside the schema of its release, and
//! what it says beyond that becomes a rule.

use super::codes::{self, CodeLists, Location};
use super::dictionary::{self, DefinitionText, Dictionary, PlaceText};
use super::records::{File, Record};
use super::semantics::{Places, Semantics};
use super::sets::{self, Item, LoopText, SegmentText, SetText, Usage};
use super::{Findings, RULES_MAX, SefError, SefGuide, SefNote, SefSet};
use crate::overlay::{ConditionRule, ElementRule, Overlay, Presence, SegmentRule};
use crate::schema::{
    self, Condition, ConditionKind, Definition, Element, Key, NONE, Release, Schema,
    SchemaRegistry, Use, What,
};
use crate::text::show;
use std::collections::{HashMap, HashSet};

/// Makes the overlays.
pub(super) fn make(file: &File, mut findings: Findings) -> Result<SefGuide, SefError> {
    let field = |n: usize| file.ini.get(n).map(String::as_str).unwrap_or("");
    let agency = field(3);
    if !matches!(agency, "X" | "") {
        return Err(SefError::NotX12 {
            agency: agency.to_owned(),
        });
    }
    let version: String = field(2).chars().filter(|c| !c.is_whitespace()).collect();
    let (release, judge_as) = release_of(&version, &mut findings);
    let dictionary = dictionary::read(file, &mut findings);
    let lists = codes::read(file, &mut findings);
    let semantics = Semantics::of(file, &lists);
    let mut told = HashSet::new();
    let mut made = Vec::new();
    for record in &file.sets {
        if made.iter().any(|set: &SefSet| set.code == record.key) {
            findings.add(
                record.line,
                format!(
                    "the set {} is there a second time: it was left out",
                    show(&record.key)
                ),
            );
            continue;
        }
        let text = sets::read(record, &mut findings);
        let registry = SchemaRegistry::standard();
        let Some(schema) = registry.find(&text.code, release) else {
            findings.add(
                text.line,
                format!(
                    "there is no schema for the set {} in release {}: it was left out",
                    show(&text.code),
                    release.as_str()
                ),
            );
            continue;
        };
        let mut making = Making {
            schema,
            dictionary: &dictionary,
            lists: &lists,
            findings: &mut findings,
            told: &mut told,
            code: &text.code,
            line: text.line,
            overlay: Overlay {
                judge_as,
                ..Overlay::default()
            },
            paths: HashMap::new(),
        };
        making.set(&text);
        let (mut overlay, paths) = (making.overlay, making.paths);
        semantics.add_to(&text.code, &paths, &mut overlay, &mut findings);
        cap(&mut overlay, &text, &mut findings);
        let notes = notes(file, &text.code, &paths, &mut findings);
        made.push(SefSet {
            code: text.code,
            overlay,
            notes,
        });
    }
    let codes: Vec<&str> = made.iter().map(|set: &SefSet| set.code.as_str()).collect();
    semantics.tell_rest(&codes, &mut findings);
    Ok(SefGuide {
        name: field(0).to_owned(),
        title: field(5).to_owned(),
        version,
        release,
        sets: made,
        findings: findings.finish(),
    })
}

/// The release to compare with, and whether sets have to be told so.
fn release_of(version: &str, findings: &mut Findings) -> (Release, Option<Release>) {
    if let Some(release) = Release::of_version(version) {
        return (release, None);
    }
    let release = Release::nearest(version);
    findings.add(
        0,
        format!(
            "the guide is for version {}, which has no schemas here: it was compared with {}, and sets of other releases are judged by that (judge_as)",
            show(version),
            release.as_str()
        ),
    );
    (release, Some(release))
}

fn cap(overlay: &mut Overlay, text: &SetText, findings: &mut Findings) {
    for (kind, count) in [
        ("segments", overlay.segment.len()),
        ("elements", overlay.element.len()),
        ("conditions", overlay.condition.len()),
    ] {
        if count > RULES_MAX {
            findings.add(text.line, format!("the set {} has {count} rules for {kind}; those beyond {RULES_MAX} were left out", text.code));
        }
    }
    overlay.segment.truncate(RULES_MAX);
    overlay.element.truncate(RULES_MAX);
    overlay.condition.truncate(RULES_MAX);
}

/// Where the segment of an ordinal stands, and which elements it has.
#[derive(Debug)]
pub(super) struct Placed {
    path: String,
    /// Position and number of each element by its ordinal, and of the components in it.
    elements: HashMap<u32, (usize, String, Vec<String>)>,
}

type Paths = HashMap<u32, Placed>;

impl Places for Paths {
    fn path(&self, location: &Location) -> Option<(String, Option<String>)> {
        let placed = self.get(&location.segment)?;
        if location.element == 0 {
            return Some((placed.path.clone(), None));
        }
        let (position, id, components) = placed.elements.get(&location.element)?;
        let path = format!("{}{position:02}", placed.path);
        if location.component == 0 {
            return Some((path, Some(id.clone())));
        }
        let component = components.get(location.component as usize - 1)?;
        Some((
            format!("{path}-{}", location.component),
            Some(component.clone()),
        ))
    }
}

/// What the guide says in words about places of a set.
fn notes(file: &File, set: &str, paths: &Paths, findings: &mut Findings) -> Vec<SefNote> {
    let mut notes = Vec::new();
    for record in &file.texts {
        let mut fields = record.key.split('~');
        if fields.next() != Some(set) {
            continue;
        }
        let numbers: Vec<&str> = fields.collect();
        match place_of(&numbers, paths) {
            Some(at) => notes.push(SefNote {
                line: record.line,
                at,
                text: words(record),
            }),
            None => findings.add(
                record.line,
                format!(
                    "the words for {} belong to no place that is used",
                    show(&record.key)
                ),
            ),
        }
    }
    notes
}

fn place_of(numbers: &[&str], paths: &Paths) -> Option<String> {
    let number = |n: usize| numbers.get(n).map(|text| text.parse::<u32>());
    let segment = match number(0) {
        None => return Some(String::new()),
        Some(Ok(segment)) => segment,
        Some(Err(_)) => return None,
    };
    let location = |element| Location {
        set: String::new(),
        segment,
        element,
        component: 0,
    };
    match number(1) {
        Some(Ok(element)) => paths.path(&location(element)).map(|(at, _)| at),
        _ => paths.path(&location(0)).map(|(at, _)| at),
    }
}

/// Escapes of line ends become blanks.
fn words(record: &Record) -> String {
    let text = record
        .value
        .replace("\\r", " ")
        .replace("\\n", " ")
        .replace("\\t", " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

struct Making<'a> {
    schema: &'a Schema,
    dictionary: &'a Dictionary,
    lists: &'a CodeLists,
    findings: &'a mut Findings,
    /// What was told once of a dictionary and need not be told at each place.
    told: &'a mut HashSet<String>,
    code: &'a str,
    line: u32,
    overlay: Overlay,
    paths: Paths,
}

/// A segment or loop of one name, as often as the guide lists it in one place.
struct Same<'t> {
    id: &'t str,
    is_loop: bool,
    members: Vec<Member<'t>>,
}

#[derive(Clone, Copy)]
struct Member<'t> {
    segment: &'t SegmentText,
    of_loop: Option<&'t LoopText>,
}

impl Member<'_> {
    fn max(&self) -> Option<u32> {
        self.of_loop.map_or(self.segment.max, |of| of.max)
    }
}

impl Making<'_> {
    fn set(&mut self, text: &SetText) {
        self.level(&text.items, 0, "/");
    }

    /// What stands directly in the set or in a loop; `first` skips the segment that begins it.
    fn level(&mut self, items: &[Item], parent: u32, prefix: &str) {
        let mut groups: Vec<Same<'_>> = Vec::new();
        for item in items {
            let (member, is_loop) = match item {
                Item::Segment(segment) => (
                    Member {
                        segment,
                        of_loop: None,
                    },
                    false,
                ),
                Item::Loop(inner) => match inner.first() {
                    Some(segment) => (
                        Member {
                            segment,
                            of_loop: Some(inner),
                        },
                        true,
                    ),
                    None => continue,
                },
            };
            let id = member.segment.id.as_str();
            match groups
                .iter_mut()
                .find(|group| group.id == id && group.is_loop == is_loop)
            {
                Some(group) => group.members.push(member),
                None => groups.push(Same {
                    id,
                    is_loop,
                    members: vec![member],
                }),
            }
        }
        for group in &groups {
            self.group(group, parent, prefix);
        }
        self.unlisted(&groups, parent, prefix);
    }

    fn children(&self, parent: u32) -> Vec<u32> {
        let mut children = Vec::new();
        let mut at = self.schema.nodes[parent as usize].first_child;
        while at != NONE {
            children.push(at);
            at = self.schema.nodes[at as usize].next;
        }
        // The segment that begins a loop is the loop itself.
        if parent != 0 && !children.is_empty() {
            children.remove(0);
        }
        children
    }

    /// What the standard has here and the guide does not list is not used.
    fn unlisted(&mut self, groups: &[Same<'_>], parent: u32, prefix: &str) {
        let mut seen = HashSet::new();
        for child in self.children(parent) {
            let id = self.schema.id_of(child).to_owned();
            let listed = groups.iter().any(|group| group.id == id);
            if listed || matches!(id.as_str(), "ST" | "SE") || !seen.insert(id.clone()) {
                continue;
            }
            if self.schema.nodes[child as usize].mandatory {
                self.tell(format!(
                    "{prefix}{id} is mandatory in the standard, but the guide does not list it"
                ));
                continue;
            }
            self.forbid(format!("{prefix}{id}"));
        }
    }

    fn forbid(&mut self, at: String) {
        self.overlay.segment.push(SegmentRule {
            at,
            presence: Some(Presence::Forbidden),
            ..SegmentRule::default()
        });
    }

    fn tell(&mut self, text: impl Into<String>) {
        self.findings.add(self.line, text);
    }

    fn group(&mut self, group: &Same<'_>, parent: u32, prefix: &str) {
        let id = group.id;
        if matches!(id, "ST" | "SE") {
            return;
        }
        let path = format!("{prefix}{id}");
        let nodes: Vec<u32> = self
            .children(parent)
            .into_iter()
            .filter(|node| self.schema.nodes[*node as usize].key == Key::of(id.as_bytes()))
            .collect();
        let used: Vec<Member<'_>> = group
            .members
            .iter()
            .copied()
            .filter(|member| member.segment.usage != Usage::NotUsed)
            .collect();
        let fitting: Vec<u32> = nodes
            .iter()
            .copied()
            .filter(|node| self.schema.nodes[*node as usize].is_loop == group.is_loop)
            .collect();
        let Some(node) = fitting.first().copied() else {
            if !used.is_empty() {
                self.tell(match nodes.is_empty() {
                    true => format!("the standard has no {path} here: what the guide says of it can not be judged"),
                    false => format!("{path} is a loop in the standard or in the guide, and not in the other: what the guide says of it can not be judged"),
                });
            }
            return;
        };
        if used.is_empty() {
            if self.schema.nodes[node as usize].mandatory {
                self.tell(format!(
                    "{path} is mandatory in the standard; the guide says that it is not used"
                ));
            } else {
                self.forbid(path);
            }
            return;
        }
        let allowed = fitting.iter().fold(0u32, |sum, node| {
            sum.saturating_add(self.schema.nodes[*node as usize].max)
        });
        let steps = match used.as_slice() {
            [_] => vec![id.to_owned()],
            several => match self.told_apart(id, several, &path) {
                Some(steps) => steps,
                None => {
                    self.tell(format!("the guide has {} {path} and no codes that tell them apart: only how many there may be is judged", several.len()));
                    let max = sum(several);
                    self.times(&path, max, allowed);
                    return;
                }
            },
        };
        if used.len() > 1 {
            self.times(&path, sum(&used), allowed);
        }
        for (member, step) in used.iter().zip(&steps) {
            self.member(*member, node, prefix, step, allowed, used.len() == 1);
        }
    }

    /// At most so often, where that is less than the standard allows.
    fn times(&mut self, path: &str, max: Option<u32>, allowed: u32) {
        match max {
            Some(max) if max < allowed => self.rule(path).max = Some(max),
            Some(max) if max > allowed => self.tell(format!(
                "the guide allows {path} {max} times, the standard {allowed}: that holds"
            )),
            None if allowed != u32::MAX => self.tell(format!(
                "the guide allows {path} without limit, the standard {allowed} times: that holds"
            )),
            _ => {}
        }
    }

    /// The rule for a segment, made when first asked for.
    fn rule(&mut self, path: &str) -> &mut SegmentRule {
        let list = &mut self.overlay.segment;
        let at = match list.iter().rposition(|rule| rule.at == path) {
            Some(at) => at,
            None => {
                list.push(SegmentRule {
                    at: path.to_owned(),
                    ..SegmentRule::default()
                });
                list.len() - 1
            }
        };
        &mut list[at]
    }

    /// The codes tied to a place of a segment.
    fn codes_at(
        &self,
        segment: &SegmentText,
        element: u32,
        component: u32,
    ) -> Option<&Vec<String>> {
        self.lists.at.get(&Location {
            set: self.code.to_owned(),
            segment: segment.ordinal,
            element,
            component,
        })
    }

    /// The steps `N1[ST]`, `N1[BY|BT]` by which several of one name are told apart: by the first
    /// element for which each has codes that no other has.
    fn told_apart(&mut self, id: &str, several: &[Member<'_>], path: &str) -> Option<Vec<String>> {
        let dictionary = self.dictionary;
        let definition = dictionary.segments.get(id)?;
        for (at, place) in definition.places.iter().enumerate() {
            let lists: Option<Vec<&Vec<String>>> = several
                .iter()
                .map(|member| self.codes_at(member.segment, place.ordinal, 0))
                .collect();
            let Some(lists) = lists else { continue };
            let mut seen = HashSet::new();
            if !lists
                .iter()
                .all(|list| list.iter().all(|code| seen.insert(code.as_str())))
            {
                continue;
            }
            let steps = lists
                .iter()
                .map(|list| match at {
                    0 => format!("{id}[{}]", list.join("|")),
                    at => format!("{id}[{}={}]", at + 1, list.join("|")),
                })
                .collect();
            let codes: Vec<String> = lists.iter().flat_map(|list| list.iter().cloned()).collect();
            let also = self.unknown_codes(id, at, &codes);
            self.overlay.element.push(ElementRule {
                at: format!("{path}{:02}", at + 1),
                codes: Some(codes),
                also,
                ..ElementRule::default()
            });
            return Some(steps);
        }
        None
    }

    fn member(
        &mut self,
        member: Member<'_>,
        node: u32,
        prefix: &str,
        step: &str,
        allowed: u32,
        is_alone: bool,
    ) {
        let segment = member.segment;
        let path = format!("{prefix}{step}");
        let is_mandatory = is_alone && self.schema.nodes[node as usize].mandatory;
        if let Some(advice) = segment.usage.advice() {
            self.tell(format!("{path} is {advice}: nothing is judged"));
        }
        if (segment.usage == Usage::MustUse || segment.mandatory) && !is_mandatory {
            self.rule(&path).presence = Some(Presence::Required);
        }
        self.times(&path, member.max(), allowed);
        self.elements(segment, &path);
        if let Some(inner) = member.of_loop {
            let rest = inner.items.get(1..).unwrap_or_default();
            self.level(rest, node, &format!("{path}/"));
        }
    }

    fn elements(&mut self, segment: &SegmentText, path: &str) {
        let dictionary = self.dictionary;
        let Some(definition) = dictionary.segments.get(&segment.id) else {
            self.paths.insert(
                segment.ordinal,
                Placed {
                    path: path.to_owned(),
                    elements: HashMap::new(),
                },
            );
            return self.tell(format!(
                "{} has no definition in .SEGS: its elements are judged by the standard alone",
                segment.id
            ));
        };
        let components = |id: &str| -> Vec<String> {
            dictionary
                .composites
                .get(id)
                .map(|composite| {
                    composite
                        .places
                        .iter()
                        .map(|place| place.id.clone())
                        .collect()
                })
                .unwrap_or_default()
        };
        let places = definition.places.iter().enumerate();
        let elements = places
            .map(|(at, place)| {
                (
                    place.ordinal,
                    (at + 1, place.id.clone(), components(&place.id)),
                )
            })
            .collect();
        self.paths.insert(
            segment.ordinal,
            Placed {
                path: path.to_owned(),
                elements,
            },
        );
        let schema = self.schema;
        let Some(standard) = schema.dictionary.segment(Key::of(segment.id.as_bytes())) else {
            return;
        };
        if segment
            .mask
            .is_some_and(|mask| mask == 0 || mask > definition.masks.len())
        {
            self.tell(format!(
                "{path} names mask {}, which {} does not have",
                segment.mask.unwrap_or(0),
                segment.id
            ));
        }
        for (at, place) in definition.places.iter().enumerate() {
            let (usage, composite_mask) = definition.usage(at, segment.mask);
            self.element(segment, path, at, place, usage, composite_mask, standard);
        }
        for (at, place) in standard
            .uses
            .iter()
            .enumerate()
            .skip(definition.places.len())
        {
            if !place.mandatory {
                self.element_rule(format!("{path}{:02}", at + 1), Some(Presence::Forbidden));
            }
        }
        self.relations(path, definition, standard);
    }

    fn element_rule(&mut self, at: String, presence: Option<Presence>) {
        self.overlay.element.push(ElementRule {
            at,
            presence,
            ..ElementRule::default()
        });
    }

    #[allow(clippy::too_many_arguments)]
    fn element(
        &mut self,
        segment: &SegmentText,
        path: &str,
        at: usize,
        place: &PlaceText,
        usage: Usage,
        composite_mask: Option<usize>,
        standard: &Definition,
    ) {
        let name = format!("{path}{:02}", at + 1);
        let Some(standard_use) = standard.uses.get(at) else {
            if usage != Usage::NotUsed {
                self.tell(format!(
                    "the standard has no {name}: what the guide says of it can not be judged"
                ));
            }
            return;
        };
        if !self.is_judged(&name, place, usage, standard_use) {
            return;
        }
        match standard_use.what {
            What::Element(number) => {
                let element = &self.schema.dictionary.elements[usize::from(number)];
                if element.number.to_string() != place.id {
                    return self.tell(format!("{name} is element {} in the guide and {} in the standard: what the guide says of it can not be judged", place.id, element.number));
                }
                let rule = self.value_rule(
                    segment,
                    &name,
                    place,
                    usage,
                    standard_use.mandatory,
                    element,
                    (place.ordinal, 0),
                );
                self.overlay.element.extend(rule);
            }
            What::Composite(number) => {
                if needs_required(usage, place, standard_use) {
                    self.element_rule(name.clone(), Some(Presence::Required));
                }
                let schema = self.schema;
                let composite = &schema.dictionary.composites[usize::from(number)];
                if composite.id == place.id {
                    self.components(segment, &name, place, composite_mask, composite);
                } else {
                    self.tell(format!("{name} is composite {} in the guide and {} in the standard: what the guide says of it can not be judged", place.id, composite.id));
                }
            }
        }
    }

    /// Whether a place is used, so that there is more to be said of it.
    fn is_judged(&mut self, name: &str, place: &PlaceText, usage: Usage, standard: &Use) -> bool {
        if let Some(advice) = usage.advice() {
            self.tell(format!("{name} is {advice}: nothing is judged"));
        }
        if usage != Usage::NotUsed {
            return true;
        }
        if standard.mandatory || place.mandatory {
            if standard.mandatory {
                self.tell(format!(
                    "{name} is mandatory in the standard; the guide says that it is not used"
                ));
            }
        } else {
            self.element_rule(name.to_owned(), Some(Presence::Forbidden));
        }
        false
    }

    fn components(
        &mut self,
        segment: &SegmentText,
        name: &str,
        place: &PlaceText,
        mask: Option<usize>,
        standard: &Definition,
    ) {
        let dictionary = self.dictionary;
        let Some(composite) = dictionary.composites.get(&place.id) else {
            return;
        };
        for (at, part) in composite.places.iter().enumerate() {
            let Some(standard_use) = standard.uses.get(at) else {
                break;
            };
            let name = format!("{name}-{}", at + 1);
            let (usage, _) = composite.usage(at, mask);
            if !self.is_judged(&name, part, usage, standard_use) {
                continue;
            }
            if let What::Element(number) = standard_use.what {
                let element = &self.schema.dictionary.elements[usize::from(number)];
                if element.number.to_string() == part.id {
                    let rule = self.value_rule(
                        segment,
                        &name,
                        part,
                        usage,
                        standard_use.mandatory,
                        element,
                        (place.ordinal, part.ordinal),
                    );
                    self.overlay.element.extend(rule);
                }
            }
        }
    }

    /// What is said of a value: that it must be there, its length, its codes.
    #[allow(clippy::too_many_arguments)]
    fn value_rule(
        &mut self,
        segment: &SegmentText,
        name: &str,
        place: &PlaceText,
        usage: Usage,
        is_mandatory: bool,
        standard: &Element,
        (element, component): (u32, u32),
    ) -> Option<ElementRule> {
        let mut rule = ElementRule {
            at: name.to_owned(),
            ..ElementRule::default()
        };
        if (usage == Usage::MustUse || place.mandatory) && !is_mandatory {
            rule.presence = Some(Presence::Required);
        }
        let known = self.dictionary.elements.get(&place.id).copied();
        let min = place.min.or(known.map(|(min, _)| min));
        let max = place.max.or(known.map(|(_, max)| max));
        rule.min_length = min.filter(|min| *min > standard.min);
        rule.max_length = max.filter(|max| *max < standard.max);
        let is_wider =
            min.is_some_and(|min| min < standard.min) || max.is_some_and(|max| max > standard.max);
        if is_wider && self.told.insert(place.id.clone()) {
            self.tell(format!(
                "the guide lets element {} have {} to {} characters, the standard {} to {}: that holds",
                place.id,
                min.unwrap_or(standard.min),
                max.unwrap_or(standard.max),
                standard.min,
                standard.max
            ));
        }
        if let Some(codes) = self.codes_at(segment, element, component) {
            rule.codes = Some(codes.clone());
            rule.also = unknown_to(standard, codes);
        }
        let says = rule.presence.is_some()
            || rule.min_length.is_some()
            || rule.max_length.is_some()
            || rule.codes.is_some();
        says.then_some(rule)
    }

    /// Those of some codes that the standard's list of an element lacks.
    fn unknown_codes(&self, id: &str, at: usize, codes: &[String]) -> Vec<String> {
        let definition = self.schema.dictionary.segment(Key::of(id.as_bytes()));
        let place = definition.and_then(|definition| definition.uses.get(at));
        match place.map(|place| place.what) {
            Some(What::Element(number)) => {
                unknown_to(&self.schema.dictionary.elements[usize::from(number)], codes)
            }
            _ => Vec::new(),
        }
    }

    /// Relations between elements that the standard does not have.
    fn relations(&mut self, path: &str, guide: &DefinitionText, standard: &Definition) {
        let is_known = |kind: ConditionKind, members: &[u8]| {
            standard
                .conditions
                .iter()
                .any(|condition: &Condition| condition.kind == kind && condition.members == members)
        };
        let place = |member: u8| format!("{path}{member:02}");
        let mut add = |when: u8, then: u8, presence: Presence| {
            self.overlay.condition.push(ConditionRule {
                when: place(when),
                then: place(then),
                presence: Some(presence),
                ..ConditionRule::default()
            });
        };
        let mut beyond = Vec::new();
        for (kind, members) in &guide.relations {
            let same = match kind {
                'P' => ConditionKind::Paired,
                'R' => ConditionKind::Required,
                'E' => ConditionKind::Exclusive,
                'C' => ConditionKind::Conditional,
                _ => ConditionKind::List,
            };
            if is_known(same, members)
                || members
                    .iter()
                    .any(|m| usize::from(*m) > standard.uses.len())
            {
                continue;
            }
            let pairs = members
                .iter()
                .flat_map(|one| members.iter().map(move |other| (*one, *other)));
            match kind {
                'P' => pairs
                    .filter(|(a, b)| a != b)
                    .for_each(|(a, b)| add(a, b, Presence::Required)),
                'E' => pairs
                    .filter(|(a, b)| a < b)
                    .for_each(|(a, b)| add(a, b, Presence::Forbidden)),
                'C' => members
                    .iter()
                    .skip(1)
                    .for_each(|then| add(members[0], *then, Presence::Required)),
                _ => beyond.push(format!(
                    "{kind}{}",
                    members
                        .iter()
                        .map(|m| format!("{m:02}"))
                        .collect::<String>()
                )),
            }
        }
        for relation in beyond {
            let text = format!(
                "{path}: the standard does not have the relation {relation}, and an overlay can not say it"
            );
            self.findings.add(guide.line, text);
        }
    }
}

fn needs_required(usage: Usage, place: &PlaceText, standard: &Use) -> bool {
    (usage == Usage::MustUse || place.mandatory) && !standard.mandatory
}

fn unknown_to(element: &schema::Element, codes: &[String]) -> Vec<String> {
    match &element.codes {
        Some(list) if list.closed => codes
            .iter()
            .filter(|code| !list.holds(code.as_bytes()))
            .cloned()
            .collect(),
        _ => Vec::new(),
    }
}

/// How often several may stand there together.
fn sum(members: &[Member<'_>]) -> Option<u32> {
    members
        .iter()
        .try_fold(0u32, |sum, member| Some(sum.saturating_add(member.max()?)))
}
