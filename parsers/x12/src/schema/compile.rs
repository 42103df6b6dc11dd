//! From the schema texts to tables.

use super::text::{self, NodeText, SegmentText, UseText};
use super::ways::Ways;
use super::{
    Check, CheckKind, CodeList, Condition, ConditionKind, Definition, Dictionary, Element, Key,
    NONE, Node, PackedCodes, Release, Schema, Use, What,
};
use crate::element::ElementType;
use std::collections::HashMap;
use std::sync::Arc;

include!(concat!(env!("OUT_DIR"), "/schemas.rs"));

/// The dictionary of a release. Texts of a later release add to those of the earlier one and
/// replace what has the same name.
pub(super) fn dictionary(release: Release) -> Dictionary {
    let mut elements: HashMap<u16, text::ElementText> = HashMap::new();
    let mut composites: HashMap<String, SegmentText> = HashMap::new();
    let mut segments: HashMap<String, SegmentText> = HashMap::new();
    for (of, kind, source) in DICTIONARIES.iter().filter(|(of, ..)| *of <= release) {
        debug_assert!(*of <= release);
        match *kind {
            "elements" => elements.extend(
                text::elements(source)
                    .unwrap_or_default()
                    .into_iter()
                    .map(|e| (e.number, e)),
            ),
            "composites" => composites.extend(
                text::segments(source)
                    .unwrap_or_default()
                    .into_iter()
                    .map(|s| (s.id.clone(), s)),
            ),
            _ => segments.extend(
                text::segments(source)
                    .unwrap_or_default()
                    .into_iter()
                    .map(|s| (s.id.clone(), s)),
            ),
        }
    }
    let mut numbers: Vec<u16> = elements.keys().copied().collect();
    numbers.sort_unstable();
    let element_at: HashMap<String, u16> = numbers
        .iter()
        .zip(0..)
        .map(|(number, at)| (number.to_string(), at))
        .collect();
    let mut names: Vec<String> = composites.keys().cloned().collect();
    names.sort_unstable();
    let composite_at: HashMap<String, u16> = names.iter().cloned().zip(0..).collect();
    let mut ids: Vec<String> = segments.keys().cloned().collect();
    ids.sort_unstable();
    let elements: Vec<Element> = numbers
        .iter()
        .filter_map(|number| elements.remove(number))
        .map(element)
        .collect();
    let define = |(source, ordinal): (&SegmentText, u16)| {
        let mut definition = definition(source, &element_at, &composite_at);
        definition.ordinal = ordinal;
        definition.checks = definition
            .uses
            .iter()
            .map(|place| check(place, &elements))
            .collect();
        definition
    };
    Dictionary {
        composites: names
            .iter()
            .filter_map(|name| composites.get(name))
            .zip(0..)
            .map(define)
            .collect(),
        by_key: ids
            .iter()
            .zip(0..)
            .map(|(id, at)| (Key::of(id.as_bytes()), at))
            .collect(),
        segments: ids
            .iter()
            .filter_map(|id| segments.get(id))
            .zip(0..)
            .map(define)
            .collect(),
        elements,
    }
}

fn check(place: &Use, elements: &[Element]) -> Check {
    let What::Element(at) = place.what else {
        return Check {
            kind: CheckKind::Other,
            min: 0,
            max: 0,
            element: 0,
        };
    };
    let element = &elements[usize::from(at)];
    let short = |length: usize| u16::try_from(length).unwrap_or(u16::MAX);
    Check {
        kind: match element.kind {
            ElementType::An => CheckKind::Text,
            ElementType::Id => match &element.codes {
                Some(list) if list.closed => CheckKind::Listed,
                _ if element.max <= 4 => CheckKind::Code,
                _ => CheckKind::Text,
            },
            ElementType::N(_) => CheckKind::Whole,
            ElementType::R => CheckKind::Decimal,
            ElementType::Dt => CheckKind::Date,
            ElementType::Tm => CheckKind::Time,
            ElementType::B => CheckKind::Other,
        },
        min: short(element.min),
        max: short(element.max),
        element: at,
    }
}

fn element(source: text::ElementText) -> Element {
    let kind = match source.kind.as_str() {
        "ID" => ElementType::Id,
        "DT" => ElementType::Dt,
        "TM" => ElementType::Tm,
        "R" => ElementType::R,
        "B" => ElementType::B,
        kind if kind.starts_with('N') => ElementType::N(kind.as_bytes()[1].wrapping_sub(b'0')),
        _ => ElementType::An,
    };
    let codes = (!source.codes.is_empty()).then(|| {
        let mut codes = source.codes;
        codes.sort_unstable();
        CodeList {
            closed: source.closed,
            packed: PackedCodes::of(
                codes
                    .iter()
                    .filter_map(|(code, _)| CodeList::pack(code.as_bytes()))
                    .collect::<Vec<_>>()
                    .into_iter(),
            ),
            codes,
        }
    });
    Element {
        number: source.number,
        name: source.name,
        kind,
        min: source.min.into(),
        max: source.max.into(),
        codes,
    }
}

fn definition(
    source: &SegmentText,
    elements: &HashMap<String, u16>,
    composites: &HashMap<String, u16>,
) -> Definition {
    let what = |text: &UseText| match text.reference.starts_with(['C', 'S']) {
        true => composites
            .get(&text.reference)
            .map(|at| What::Composite(*at)),
        false => elements.get(&text.reference).map(|at| What::Element(*at)),
    };
    let conditions = source.conditions.iter().map(|text| Condition {
        kind: match text.kind {
            'P' => ConditionKind::Paired,
            'R' => ConditionKind::Required,
            'E' => ConditionKind::Exclusive,
            'C' => ConditionKind::Conditional,
            _ => ConditionKind::List,
        },
        mask: text.members.iter().fold(0, |mask, member| {
            mask | 1u64.checked_shl(u32::from(*member)).unwrap_or(0)
        }),
        members: text.members.clone(),
    });
    // The build script has seen to it that every reference is known.
    let uses: Vec<Use> = source
        .uses
        .iter()
        .filter_map(|text| {
            what(text).map(|what| Use {
                what,
                mandatory: text.mandatory,
                repeat: text.repeat.max(1),
            })
        })
        .collect();
    let mandatory = uses.iter().zip(1u32..).filter(|(place, _)| place.mandatory);
    Definition {
        id: source.id.clone(),
        name: source.name.clone(),
        mandatory: mandatory.fold(0, |mask, (_, n)| mask | 1u64.checked_shl(n).unwrap_or(0)),
        conditions: conditions.collect(),
        checks: Vec::new(),
        ordinal: 0,
        uses,
    }
}

/// Compiles the text of a set.
///
/// # Errors
/// Where the text cannot be read, or names a segment that the dictionary lacks.
pub(super) fn schema(
    source: &str,
    release: Release,
    dictionary: Arc<Dictionary>,
) -> Result<Schema, String> {
    let text = text::set(source)?;
    let mut nodes = vec![Node {
        key: Key(0),
        is_loop: true,
        mandatory: true,
        max: 1,
        parent: NONE,
        first_child: NONE,
        next: NONE,
        definition: u16::MAX,
    }];
    add_children(&text.nodes, 0, &dictionary, &mut nodes)?;
    if nodes.len() > Ways::PLACES {
        return Err(format!("more than {} segments and loops", Ways::PLACES));
    }
    Ok(Schema {
        code: text.code,
        functional_id: text.functional_id,
        name: text.name,
        release,
        ways: Ways::between(&nodes),
        nodes,
        dictionary,
    })
}

fn add_children(
    texts: &[NodeText],
    parent: u32,
    dictionary: &Dictionary,
    nodes: &mut Vec<Node>,
) -> Result<(), String> {
    let mut before = NONE;
    for text in texts {
        let key = Key::of(text.id.as_bytes());
        let definition = *dictionary
            .by_key
            .get(&key)
            .ok_or_else(|| format!("segment {} is not in the dictionary", text.id))?;
        let at = nodes.len() as u32;
        nodes.push(Node {
            key,
            is_loop: text.is_loop,
            mandatory: text.mandatory,
            max: text.max.unwrap_or(u32::MAX),
            parent,
            first_child: NONE,
            next: NONE,
            definition,
        });
        match before {
            NONE => nodes[parent as usize].first_child = at,
            before => nodes[before as usize].next = at,
        }
        before = at;
        add_children(&text.children, at, dictionary, nodes)?;
    }
    Ok(())
}
