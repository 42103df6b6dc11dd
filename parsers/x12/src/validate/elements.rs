//! Elements: presence, length, type, codes, conditions (rules 14 to 23).

use super::Report;
use super::plain::is_all_text;
use crate::element::{
    Allowed, ByteClasses, CharacterSet, ElementType, decimal_digits, integer_digits, is_date,
    is_time,
};
use crate::finding::{Finding, Rule};
use crate::overlay::{Overlay, Path};
use crate::schema::{
    Condition, ConditionKind, Definition, Dictionary, Element, NONE, Release, Schema, Use, What,
};
use crate::set::{Segment, TransactionSet};
use crate::text::{counted, show, show_byte};

/// Elements of the schemas whose number in X12's dictionary is not said.
const UNNUMBERED: std::ops::Range<u16> = 9000..9990;

/// What the elements of one set are checked by.
pub(super) struct Checks<'a> {
    pub(super) dictionary: &'a Dictionary,
    schema: Option<&'a Schema>,
    pub(super) release: Release,
    allowed: Allowed,
    component: u8,
    repetition: Option<u8>,
    pub(super) classes: ByteClasses,
    /// No value of the set has to be looked at for characters that text may not hold.
    pub(super) is_all_text: bool,
    /// Codes that the guide lets pass beyond the standard's.
    also: Vec<(Path, &'a [String])>,
}

/// A value and where it stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    segment: Segment<'a>,
    node: u32,
    element: usize,
    component: Option<usize>,
    repetition: Option<usize>,
}

impl<'a> Checks<'a> {
    pub fn new(
        schema: &'a Schema,
        set: &TransactionSet,
        overlay: Option<&'a Overlay>,
    ) -> Checks<'a> {
        Checks {
            schema: Some(schema),
            ..Checks::without_schema(&schema.dictionary, schema.release, set, overlay)
        }
    }

    pub fn without_schema(
        dictionary: &'a Dictionary,
        release: Release,
        set: &TransactionSet,
        overlay: Option<&'a Overlay>,
    ) -> Checks<'a> {
        let rules = overlay
            .map(|overlay| overlay.element.as_slice())
            .unwrap_or_default();
        let is_later = release >= Release::R005010;
        let allowed = Allowed::new(
            CharacterSet::Extended,
            is_later,
            overlay.is_some_and(|overlay| overlay.foreign_letters),
        );
        let component = set.component_separator;
        let repetition = set.repetition_separator.filter(|_| is_later);
        let later = [b'^', b'`'].map(|byte| (!is_later).then_some(byte));
        Checks {
            dictionary,
            schema: None,
            release,
            allowed,
            component,
            repetition,
            is_all_text: is_all_text(set, [Some(component), repetition, later[0], later[1]]),
            classes: ByteClasses::new(allowed, [Some(component), repetition]),
            also: rules
                .iter()
                .filter(|rule| !rule.also.is_empty())
                .filter_map(|rule| Some((Path::read(&rule.at)?, rule.also.as_slice())))
                .collect(),
        }
    }

    /// Checks all elements of a segment that has a definition.
    pub fn segment(
        &self,
        segment: Segment<'_>,
        definition: &Definition,
        node: u32,
        report: &mut Report<'_>,
    ) {
        let count = segment.element_count();
        let uses = definition.uses.as_slice();
        let mut present = 0u64;
        let ends = segment.ends();
        let text = segment.set.text.as_bytes();
        for (at, place) in uses.iter().enumerate() {
            let n = at + 1;
            let bytes = match ends.get(at..at + 2) {
                Some([before, end]) => text
                    .get(*before as usize + 1..*end as usize)
                    .unwrap_or_default(),
                _ => &[],
            };
            if !bytes.is_empty() && self.is_plainly_good(place, bytes) {
                present |= 1 << (n & 63);
                continue;
            }
            if bytes.is_empty() && !place.mandatory {
                continue;
            }
            let value = if n <= count { segment.element(n) } else { "" };
            let what = Place {
                segment,
                node,
                element: n,
                component: None,
                repetition: None,
            };
            if value.is_empty() || (value.as_bytes()[0] == b' ' && value.trim_end().is_empty()) {
                if place.mandatory {
                    self.missing(what, place, report);
                }
                continue;
            }
            present |= 1 << (n & 63);
            self.value(what, place, value, report);
        }
        if count > uses.len() {
            self.surplus(segment, node, uses.len(), report);
        }
        for condition in &definition.conditions {
            if present & condition.mask != 0 || condition.kind == ConditionKind::Required {
                self.condition(condition, present, definition, segment, node, report);
            }
        }
        if count > 0 && segment.element(count).is_empty() {
            let text = format!(
                "{} ends with separators after its last value; they should be left out.",
                segment.id()
            );
            report.add(report.segment(
                Rule::TrailingSeparators,
                segment,
                super::structure_loop(self.schema, node),
                text,
            ));
        }
    }

    /// The quick check that nearly every value passes: nothing has to be said about it.
    #[inline]
    fn is_plainly_good(&self, place: &Use, bytes: &[u8]) -> bool {
        let What::Element(at) = place.what else {
            return false;
        };
        let Some(element) = self.dictionary.elements.get(usize::from(at)) else {
            return false;
        };
        let fits = |length: usize| length >= element.min && length <= element.max;
        match element.kind {
            ElementType::An => {
                fits(bytes.len()) && bytes[bytes.len() - 1] != b' ' && self.classes.text(bytes)
            }
            ElementType::Id => {
                fits(bytes.len())
                    && match &element.codes {
                        Some(list) if list.closed => list.holds(bytes),
                        _ if element.max <= 4 => self.classes.code(bytes),
                        _ => bytes[bytes.len() - 1] != b' ' && self.classes.text(bytes),
                    }
            }
            ElementType::N(_) => integer_digits(bytes).is_some_and(fits),
            ElementType::R => decimal_digits(bytes).is_some_and(fits),
            ElementType::Dt => fits(bytes.len()) && is_date(bytes),
            ElementType::Tm => fits(bytes.len()) && is_time(bytes),
            ElementType::B => true,
        }
    }

    /// A segment that has no place or no definition: its characters can still be wrong.
    pub fn characters_only(&self, segment: Segment<'_>, report: &mut Report<'_>) {
        if self.is_all_text || matches!(segment.id(), "BIN" | "BDS") {
            return;
        }
        for n in 1..=segment.element_count() {
            let value = segment.element(n);
            if !self.allowed.all(value.as_bytes()) {
                let mut rest = value;
                // Separators within the value are not characters of it.
                while let Some(c) = self.allowed.first_refused(rest) {
                    if c.is_ascii()
                        && (c as u8 == self.component || Some(c as u8) == self.repetition)
                    {
                        let after = rest.find(c).map_or(rest.len(), |at| at + 1);
                        rest = &rest[after..];
                        continue;
                    }
                    let what = Place {
                        segment,
                        node: crate::schema::NONE,
                        element: n,
                        component: None,
                        repetition: None,
                    };
                    report.add(self.finding(
                        Rule::InvalidCharacter,
                        what,
                        None,
                        value,
                        character_text(c, segment, n),
                        report,
                    ));
                    break;
                }
            }
        }
    }

    fn finding(
        &self,
        rule: Rule,
        what: Place<'_>,
        number: Option<u16>,
        value: &str,
        text: String,
        report: &Report<'_>,
    ) -> Finding {
        let mut finding = report.segment(
            rule,
            what.segment,
            super::structure_loop(self.schema, what.node),
            text,
        );
        let offset = what.segment.element_offset(what.element);
        finding.offset = offset;
        finding.line = report.line_of(offset);
        finding.element = Some(what.element as u16);
        finding.component = what.component.map(|n| n as u16);
        finding.repetition = what.repetition.map(|n| n as u16);
        finding.data_element = number.filter(|number| !UNNUMBERED.contains(number));
        if self.release < Release::R005010
            && let (Rule::TooManyRepetitions | Rule::TooManyComponents, Some(ack)) =
                (rule, finding.ack.as_mut())
        {
            // 004010 has no codes 12 and 13.
            ack.code = "3".to_owned();
        }
        if value.is_empty() {
            finding
        } else {
            finding.with_value(value)
        }
    }

    fn number_of(&self, place: &Use) -> Option<u16> {
        match place.what {
            What::Element(at) => self
                .dictionary
                .elements
                .get(usize::from(at))
                .map(|element| element.number),
            What::Composite(_) => None,
        }
    }

    fn name_of(&self, place: &Use) -> &str {
        match place.what {
            What::Element(at) => self
                .dictionary
                .elements
                .get(usize::from(at))
                .map_or("", |element| element.name.as_str()),
            What::Composite(at) => self
                .dictionary
                .composites
                .get(usize::from(at))
                .map_or("", |composite| composite.name.as_str()),
        }
    }

    #[cold]
    fn missing(&self, what: Place<'_>, place: &Use, report: &mut Report<'_>) {
        let text = format!(
            "{} ({}) is empty; it is mandatory.",
            name(what),
            self.name_of(place)
        );
        report.add(self.finding(
            Rule::ElementMissing,
            what,
            self.number_of(place),
            "",
            text,
            report,
        ));
    }

    #[cold]
    fn surplus(&self, segment: Segment<'_>, node: u32, known: usize, report: &mut Report<'_>) {
        let surplus =
            (known + 1..=segment.element_count()).find(|n| !segment.element(*n).is_empty());
        if let Some(n) = surplus {
            let what = Place {
                segment,
                node,
                element: n,
                component: None,
                repetition: None,
            };
            let text = format!(
                "{} has {known} elements at most; what stands from {} on is too much.",
                segment.id(),
                name(what)
            );
            report.add(self.finding(
                Rule::TooManyElements,
                what,
                None,
                segment.element(n),
                text,
                report,
            ));
        }
    }

    fn value(&self, what: Place<'_>, place: &Use, value: &str, report: &mut Report<'_>) {
        if let Some(separator) = self.repetition
            && value.as_bytes().contains(&separator)
            && !self.is_binary(place)
        {
            for (n, part) in value.split(char::from(separator)).enumerate() {
                let what = Place {
                    repetition: Some(n + 1),
                    ..what
                };
                if n == usize::from(place.repeat) {
                    let text = format!(
                        "{} may stand {} at most, and {} divides it into more: take the rest out.",
                        name(what),
                        counted(place.repeat.into(), "time"),
                        show_byte(separator)
                    );
                    report.add(self.finding(
                        Rule::TooManyRepetitions,
                        what,
                        self.number_of(place),
                        part,
                        text,
                        report,
                    ));
                    return;
                }
                if !part.is_empty() {
                    self.one(what, place, part, report);
                }
            }
            return;
        }
        self.one(what, place, value, report);
    }

    fn is_binary(&self, place: &Use) -> bool {
        matches!(place.what, What::Element(at) if self.dictionary.elements.get(usize::from(at)).is_some_and(|e| e.kind == ElementType::B))
    }

    fn one(&self, what: Place<'_>, place: &Use, value: &str, report: &mut Report<'_>) {
        match place.what {
            What::Element(at) => {
                if let Some(element) = self.dictionary.elements.get(usize::from(at)) {
                    self.simple(what, element, value, report);
                }
            }
            What::Composite(at) => {
                if let Some(composite) = self.dictionary.composites.get(usize::from(at)) {
                    self.composite(what, composite, value, report);
                }
            }
        }
    }

    fn composite(
        &self,
        what: Place<'_>,
        composite: &Definition,
        value: &str,
        report: &mut Report<'_>,
    ) {
        let mut present = 0u64;
        let mut count = 0;
        for (at, part) in value.split(char::from(self.component)).enumerate() {
            let what = Place {
                component: Some(at + 1),
                ..what
            };
            count = at + 1;
            match composite.uses.get(at) {
                None if part.is_empty() => {}
                None => {
                    let text = format!(
                        "{} has {} components at most.",
                        name(Place {
                            component: None,
                            ..what
                        }),
                        composite.uses.len()
                    );
                    report.add(self.finding(
                        Rule::TooManyComponents,
                        what,
                        None,
                        part,
                        text,
                        report,
                    ));
                    return;
                }
                Some(place) if part.trim_end().is_empty() => {
                    if place.mandatory {
                        self.missing(what, place, report);
                    }
                }
                Some(place) => {
                    present |= 1 << ((at + 1) & 63);
                    self.one(what, place, part, report);
                }
            }
        }
        for (at, place) in composite.uses.iter().enumerate().skip(count) {
            if place.mandatory {
                self.missing(
                    Place {
                        component: Some(at + 1),
                        ..what
                    },
                    place,
                    report,
                );
            }
        }
        for condition in &composite.conditions {
            if let Some((rule, member)) = broken(condition, present).first() {
                let what = Place {
                    component: Some(usize::from(*member)),
                    ..what
                };
                let number = composite
                    .uses
                    .get(usize::from(*member) - 1)
                    .and_then(|place| self.number_of(place));
                let text = format!(
                    "{}: {}",
                    name(what),
                    explain(condition, *rule, |m| {
                        name(Place {
                            component: Some(usize::from(m)),
                            ..what
                        })
                    })
                );
                report.add(self.finding(*rule, what, number, "", text, report));
            }
        }
    }

    #[inline]
    fn simple(&self, what: Place<'_>, element: &Element, value: &str, report: &mut Report<'_>) {
        let bytes = value.as_bytes();
        let fault = match element.kind {
            ElementType::An => {
                if bytes.len() <= element.max
                    && bytes.len() >= element.min
                    && self.allowed.all(bytes)
                    && !bytes.contains(&self.component)
                    && bytes[bytes.len() - 1] != b' '
                {
                    return;
                }
                self.text_fault(element, value)
            }
            ElementType::Id => {
                if self.is_code(element, value) {
                    return;
                }
                self.code_fault(what, element, value)
            }
            ElementType::N(_) => number_fault(element, bytes, integer_digits(bytes)),
            ElementType::R => number_fault(element, bytes, decimal_digits(bytes)),
            ElementType::Dt => self
                .length_fault(element, characters(value))
                .or_else(|| (!is_date(bytes)).then_some(Rule::InvalidDate)),
            ElementType::Tm => self
                .length_fault(element, characters(value))
                .or_else(|| (!is_time(bytes)).then_some(Rule::InvalidTime)),
            ElementType::B => None,
        };
        if let Some(rule) = fault {
            self.simple_fault(rule, what, element, value, report);
        }
    }

    fn length_fault(&self, element: &Element, length: usize) -> Option<Rule> {
        if length < element.min {
            Some(Rule::ElementTooShort)
        } else if length > element.max {
            Some(Rule::ElementTooLong)
        } else {
            None
        }
    }

    /// Text: trailing blanks do not count, other characters than agreed are refused.
    #[cold]
    fn text_fault(&self, element: &Element, value: &str) -> Option<Rule> {
        let value = value.trim_end_matches(' ');
        self.length_fault(element, value.chars().count())
            .or_else(|| {
                (!self.allowed.all(value.as_bytes()) || value.as_bytes().contains(&self.component))
                    .then_some(Rule::InvalidCharacter)
            })
    }

    #[inline]
    fn is_code(&self, element: &Element, value: &str) -> bool {
        let bytes = value.as_bytes();
        if bytes.len() < element.min || bytes.len() > element.max {
            return false;
        }
        match &element.codes {
            Some(list) if list.closed => list.meaning(value).is_some(),
            _ if element.max <= 4 => bytes
                .iter()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()),
            _ => self.allowed.all(bytes) && !bytes.contains(&self.component),
        }
    }

    #[cold]
    fn code_fault(&self, what: Place<'_>, element: &Element, value: &str) -> Option<Rule> {
        let code = value.trim_end_matches(' ');
        if self.is_code(element, code) || self.is_extended(what, code) {
            return None;
        }
        self.length_fault(element, code.chars().count())
            .or_else(|| {
                let plain =
                    self.allowed.all(code.as_bytes()) && !code.as_bytes().contains(&self.component);
                Some(if plain {
                    Rule::InvalidCode
                } else {
                    Rule::InvalidCharacter
                })
            })
    }

    /// Whether the guide lets the code pass.
    fn is_extended(&self, what: Place<'_>, code: &str) -> bool {
        self.also.iter().any(|(path, codes)| {
            let here = path.element
                == Some((what.element as u16, what.component.map(|n| n as u16)))
                && path.segment().fits(what.segment)
                && self.is_within(path, what.node);
            here && codes.iter().any(|known| known == code)
        })
    }

    /// Whether a node stands in the loops that a path names; by which element such a loop is told
    /// from others is not asked here.
    fn is_within(&self, path: &Path, node: u32) -> bool {
        let Some(schema) = self.schema else {
            return true;
        };
        let mut around = Vec::new();
        let mut at = node;
        while let Some(parent) = schema
            .nodes
            .get(at as usize)
            .map(|node| node.parent)
            .filter(|parent| *parent != NONE && *parent != 0)
        {
            around.push(schema.id_of(parent));
            at = parent;
        }
        // The segment that begins a loop is also a segment of what is around the loop.
        let begins = schema.begins_loop(node);
        let ends_with = |around: &[&str]| {
            let wanted = path.loops();
            let fits = wanted.len() <= around.len()
                && wanted.iter().rev().zip(around).all(|(a, b)| a.id == *b);
            fits && (!path.rooted || wanted.len() == around.len())
        };
        ends_with(&around) || (begins && around.get(1..).is_some_and(ends_with))
    }

    #[cold]
    fn simple_fault(
        &self,
        rule: Rule,
        what: Place<'_>,
        element: &Element,
        value: &str,
        report: &mut Report<'_>,
    ) {
        let here = format!("{} ({})", name(what), element.name);
        let text = match rule {
            Rule::ElementTooShort => format!(
                "{here} is {}, which is too short: at least {} characters are needed.",
                show(value),
                element.min
            ),
            Rule::ElementTooLong => format!(
                "{here} is {}, which is too long: at most {} {}.",
                show(value),
                counted(element.max as u64, "character"),
                if element.max == 1 { "fits" } else { "fit" }
            ),
            Rule::InvalidCode => format!(
                "{here} is {}, which is no code of its list{}.",
                show(value),
                some_codes(element)
            ),
            Rule::InvalidDate => {
                let form = if element.max == 6 {
                    "YYMMDD"
                } else {
                    "CCYYMMDD"
                };
                let why = if value.len() == form.len() && value.bytes().all(|b| b.is_ascii_digit())
                {
                    "which is no day of the calendar: write one as"
                } else {
                    "which is no date: write it as"
                };
                format!("{here} is {}, {why} {form}.", show(value))
            }
            Rule::InvalidTime => format!(
                "{here} is {}, which is no time of day: write it as HHMM, 0000 to 2359, or HHMMSS.",
                show(value)
            ),
            _ => match element.kind {
                ElementType::N(0) => format!(
                    "{here} is {}, which is no whole number: only digits and a leading minus are allowed.",
                    show(value)
                ),
                ElementType::N(n) => format!(
                    "{here} is {}, which is no number with {n} implied decimals: only digits and a leading minus are allowed, no point.",
                    show(value)
                ),
                ElementType::R => format!(
                    "{here} is {}, which is no number: only digits, a leading minus and one point are allowed.",
                    show(value)
                ),
                _ => match self.allowed.first_refused(value) {
                    Some(c) => character_text(c, what.segment, what.element),
                    None => holds_component_separator(&here),
                },
            },
        };
        report.add(self.finding(rule, what, Some(element.number), value, text, report));
    }

    fn condition(
        &self,
        condition: &Condition,
        present: u64,
        definition: &Definition,
        segment: Segment<'_>,
        node: u32,
        report: &mut Report<'_>,
    ) {
        if condition.is_fulfilled(present) {
            return;
        }
        for (rule, member) in broken(condition, present) {
            let what = Place {
                segment,
                node,
                element: usize::from(member),
                component: None,
                repetition: None,
            };
            let place = definition.uses.get(usize::from(member) - 1);
            let number = place.and_then(|place| self.number_of(place));
            let value = if rule == Rule::ExclusionViolated {
                segment.element(usize::from(member))
            } else {
                ""
            };
            let text = format!(
                "{} ({}): {}",
                name(what),
                place.map_or("", |place| self.name_of(place)),
                explain(condition, rule, |m| format!("{}{m:02}", segment.id()))
            );
            report.add(self.finding(rule, what, number, value, text, report));
        }
    }
}

/// The members that break a condition, each with its rule.
fn broken(condition: &Condition, present: u64) -> Vec<(Rule, u8)> {
    let is = |member: &u8| present & (1 << *member) != 0;
    let absent = || {
        condition
            .members
            .iter()
            .filter(|m| !is(m))
            .map(|m| (Rule::ElementConditionallyMissing, *m))
    };
    let some = condition.members.iter().any(is);
    match condition.kind {
        ConditionKind::Paired if some => absent().collect(),
        ConditionKind::Required if !some => condition
            .members
            .first()
            .map(|m| (Rule::ElementConditionallyMissing, *m))
            .into_iter()
            .collect(),
        ConditionKind::Exclusive => condition
            .members
            .iter()
            .filter(|m| is(m))
            .skip(1)
            .map(|m| (Rule::ExclusionViolated, *m))
            .collect(),
        ConditionKind::Conditional if is(&condition.members[0]) => absent().collect(),
        ConditionKind::List
            if is(&condition.members[0]) && !condition.members[1..].iter().any(is) =>
        {
            condition
                .members
                .get(1)
                .map(|m| (Rule::ElementConditionallyMissing, *m))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

fn explain(condition: &Condition, rule: Rule, name: impl Fn(u8) -> String) -> String {
    let names: Vec<String> = condition.members.iter().map(|m| name(*m)).collect();
    let rest = names[1..].join(", ");
    match condition.kind {
        ConditionKind::Paired => {
            format!("{} must be given together or not at all.", names.join(", "))
        }
        ConditionKind::Required => format!("at least one of {} must be given.", names.join(", ")),
        ConditionKind::Exclusive if rule == Rule::ExclusionViolated => {
            format!("only one of {} may be given.", names.join(", "))
        }
        ConditionKind::Exclusive => String::new(),
        ConditionKind::Conditional => {
            format!("where {} is given, {rest} must be given too.", names[0])
        }
        ConditionKind::List => format!(
            "where {} is given, at least one of {rest} must be given too.",
            names[0]
        ),
    }
}

fn characters(value: &str) -> usize {
    match value.is_ascii() {
        true => value.len(),
        false => value.chars().count(),
    }
}

fn number_fault(element: &Element, value: &[u8], digits: Option<usize>) -> Option<Rule> {
    let digits = digits.or_else(|| {
        // Trailing blanks are dropped.
        let value = value.trim_ascii_end();
        if matches!(element.kind, ElementType::R) {
            decimal_digits(value)
        } else {
            integer_digits(value)
        }
    });
    match digits {
        None => Some(Rule::InvalidCharacter),
        Some(n) if n < element.min => Some(Rule::ElementTooShort),
        Some(n) if n > element.max => Some(Rule::ElementTooLong),
        Some(_) => None,
    }
}

fn some_codes(element: &Element) -> String {
    match &element.codes {
        Some(list) if list.closed => {
            let shown: Vec<String> = list
                .codes
                .iter()
                .take(6)
                .map(|(code, meaning)| format!("{code} {meaning}"))
                .collect();
            format!(
                " ({}{})",
                shown.join(", "),
                if list.codes.len() > 6 { ", …" } else { "" }
            )
        }
        _ => String::new(),
    }
}

fn holds_component_separator(here: &str) -> String {
    format!(
        "{here} holds the component separator, but it is no composite: take it out, or declare a separator in ISA16 that no value holds."
    )
}

fn character_text(c: char, segment: Segment<'_>, n: usize) -> String {
    let id = segment.id();
    if c == char::from(segment.set().component_separator) {
        holds_component_separator(&format!("{id}{n:02}"))
    } else if c.is_control() {
        format!(
            "{id}{n:02} holds the control character U+{:04X}; take it out.",
            u32::from(c)
        )
    } else {
        format!(
            "{id}{n:02} holds the character {c:?}, which X12's character set does not have; replace it."
        )
    }
}

/// `PO103`, `REF04-2`.
fn name(what: Place<'_>) -> String {
    let mut name = format!("{}{:02}", what.segment.id(), what.element);
    if let Some(component) = what.component {
        name.push_str(&format!("-{component}"));
    }
    name
}
