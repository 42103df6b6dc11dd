//! Lines to sections and records.

use super::{Findings, SefError};
use crate::text::show;

/// A record: what it is about and what it says.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub line: u32,
    pub key: String,
    pub value: String,
}

/// A named list of values.
#[derive(Debug, Clone)]
pub(super) struct ValueList {
    pub line: u32,
    pub name: String,
    /// Literal values.
    pub values: Vec<String>,
    /// Lines that are patterns or nothing that is known.
    pub has_patterns: bool,
}

/// A SEF file by its sections.
#[derive(Debug, Default)]
pub(super) struct File {
    /// `.INI`: name, reserved, version, agency, standard, title.
    pub ini: Vec<String>,
    pub sets: Vec<Record>,
    pub segments: Vec<Record>,
    pub composites: Vec<Record>,
    pub elements: Vec<Record>,
    pub codes: Vec<Record>,
    pub value_refs: Vec<Record>,
    pub value_lists: Vec<ValueList>,
    pub variables: Vec<Record>,
    pub rules: Vec<Record>,
    /// Where, kind, words.
    pub texts: Vec<Record>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    None,
    Ini,
    Private,
    Sets,
    Segments,
    Composites,
    Elements,
    Codes,
    ValueRefs,
    ValueLists,
    Variables,
    Rules,
    TextSets,
    /// Words of the dictionaries, which hold for every set.
    TextOther,
    Unknown,
}

/// Cuts the text into records.
pub(super) fn read(text: &str, findings: &mut Findings) -> Result<File, SefError> {
    let mut file = File::default();
    let mut section = Section::None;
    let mut seen_sets = false;
    let mut began = false;
    let mut private_from = 0;
    for (line, body) in (1u32..).zip(text.lines()) {
        let body = body.trim_end_matches('\r');
        if !began {
            let first = body.trim_start_matches('\u{feff}').trim();
            if first.is_empty() {
                continue;
            }
            if !first.starts_with(".VER") && !first.starts_with(".INI") {
                return Err(SefError::NotSef);
            }
            began = true;
        }
        let body = body.trim_start_matches('\u{feff}');
        if section == Section::Private {
            if body.trim_end() == ".PUBLIC" {
                section = Section::None;
                findings.add(
                    private_from,
                    format!("lines {private_from} to {line} are the maker's own (.PRIVATE) and were left out"),
                );
            }
            continue;
        }
        if let Some(name) = section_name(body) {
            section = open(name, body, line, findings);
            private_from = line;
            seen_sets |= section == Section::Sets;
            continue;
        }
        if body.trim().is_empty() {
            continue;
        }
        take(&mut file, section, line, body, findings);
    }
    if section == Section::Private {
        findings.add(
            private_from,
            "the private part is not closed by .PUBLIC: nothing after it was read",
        );
    }
    if !seen_sets || file.ini.is_empty() {
        return Err(SefError::NotSef);
    }
    Ok(file)
}

/// The name that a line opens a section with, such as `SETS` or `TEXT,SETS`.
fn section_name(body: &str) -> Option<&str> {
    let rest = body.strip_prefix('.')?;
    let end = rest
        .find(|c: char| !(c.is_ascii_uppercase() || c == ','))
        .unwrap_or(rest.len());
    let name = rest.get(..end)?;
    let is_name = name.len() >= 3 && rest[end..].chars().next().is_none_or(|c| c == ' ');
    is_name.then_some(name)
}

fn open(name: &str, body: &str, line: u32, findings: &mut Findings) -> Section {
    match name {
        "VER" => {
            let version = body[4..].trim();
            if !matches!(
                version,
                "1.0" | "1.1" | "1.2" | "1.3" | "1.4" | "1.5" | "1.6"
            ) {
                findings.add(
                    line,
                    format!(
                        "version {} of SEF is not known; it was read as 1.6",
                        show(version)
                    ),
                );
            }
            Section::None
        }
        "INI" => Section::Ini,
        "PRIVATE" => Section::Private,
        "PUBLIC" => Section::None,
        "STD" => {
            // Marks of the standard: RE says that elements may repeat, which the schemas know.
            let marks = body[4..].trim();
            if !matches!(marks, "" | "," | ",RE") {
                findings.add(
                    line,
                    format!("the marks {} of .STD are not known", show(marks)),
                );
            }
            Section::None
        }
        "SETS" => Section::Sets,
        "SEGS" => Section::Segments,
        "COMS" => Section::Composites,
        "ELMS" => Section::Elements,
        "CODES" => Section::Codes,
        "VALREFS" => Section::ValueRefs,
        "VALLISTS" => Section::ValueLists,
        "OBJVARS" => Section::Variables,
        "SEMREFS" => Section::Rules,
        "TEXT,SETS" => Section::TextSets,
        "TEXT,SEGS" | "TEXT,COMS" | "TEXT,ELMS" => {
            findings.add(
                line,
                format!("the words of .{name} are about the dictionary, not about a place; they were left out"),
            );
            Section::TextOther
        }
        _ => {
            findings.add(
                line,
                format!("the section .{name} is not known; it was left out"),
            );
            Section::Unknown
        }
    }
}

fn take(file: &mut File, section: Section, line: u32, body: &str, findings: &mut Findings) {
    let list = match section {
        Section::Sets => &mut file.sets,
        Section::Segments => &mut file.segments,
        Section::Composites => &mut file.composites,
        Section::Elements => &mut file.elements,
        Section::Codes => &mut file.codes,
        Section::ValueRefs => &mut file.value_refs,
        Section::Variables => &mut file.variables,
        Section::Rules => &mut file.rules,
        Section::TextSets => &mut file.texts,
        Section::ValueLists => return value_list(&mut file.value_lists, line, body, findings),
        Section::Ini => {
            if file.ini.is_empty() {
                file.ini = body
                    .splitn(6, ',')
                    .map(|part| part.trim().to_owned())
                    .collect();
            } else if let Some(title) = file.ini.get_mut(5) {
                // A long title goes on.
                title.push(' ');
                title.push_str(body.trim());
            }
            return;
        }
        Section::TextOther | Section::Unknown | Section::Private => return,
        Section::None => {
            return findings.add(line, format!("{} stands in no section", show(body)));
        }
    };
    let record = match section {
        Section::TextSets => text_record(line, body),
        Section::ValueRefs | Section::Variables | Section::Rules => keyed(line, body, |c| {
            c.is_ascii_alphanumeric() || matches!(c, '/' | '-')
        })
        .filter(|record| record.key.contains('/')),
        _ => keyed(line, body, |c| c.is_ascii_alphanumeric()),
    };
    match (record, list.last_mut()) {
        (Some(record), _) => list.push(record),
        // A record that goes on in the next line.
        (None, Some(last)) => last.value.push_str(body.trim_end()),
        (None, None) => findings.add(line, format!("{} is no record", show(body))),
    }
}

fn keyed(line: u32, body: &str, is_key: impl Fn(char) -> bool) -> Option<Record> {
    let (key, value) = body.split_once('=')?;
    let sound = !key.is_empty() && key.len() <= 32 && key.chars().all(is_key);
    sound.then(|| Record {
        line,
        key: key.to_owned(),
        value: value.trim_end().to_owned(),
    })
}

/// `850~41~3,0,words`.
fn text_record(line: u32, body: &str) -> Option<Record> {
    let (place, rest) = body.split_once(',')?;
    let (kind, words) = rest.split_once(',')?;
    let sound = !place.is_empty()
        && place.chars().all(|c| c.is_ascii_alphanumeric() || c == '~')
        && !kind.is_empty()
        && kind.len() <= 3
        && kind.bytes().all(|b| b.is_ascii_digit());
    sound.then(|| Record {
        line,
        key: place.to_owned(),
        value: words.to_owned(),
    })
}

/// `NAME="What it is"`, then its values: `'literal`, `&pattern`.
fn value_list(lists: &mut Vec<ValueList>, line: u32, body: &str, findings: &mut Findings) {
    if let Some(value) = body.strip_prefix('\'') {
        match lists.last_mut() {
            Some(list) => list.values.push(value.trim_end().to_owned()),
            None => findings.add(line, "a value belongs to no list"),
        }
    } else if let Some(pattern) = body.strip_prefix('&') {
        if let Some(list) = lists.last_mut() {
            list.has_patterns = true;
            findings.add(
                line,
                format!(
                    "the pattern {} of the list {} can not be judged",
                    show(pattern),
                    list.name
                ),
            );
        }
    } else if let Some((name, _)) = body.split_once('=') {
        lists.push(ValueList {
            line,
            name: name.trim().to_owned(),
            values: Vec::new(),
            has_patterns: false,
        });
    } else {
        findings.add(
            line,
            format!("{} is neither a list nor a value", show(body)),
        );
    }
}
