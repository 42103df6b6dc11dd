//! `.CODES`: which codes a place takes.

use super::Findings;
use super::records::{File, Record};
use crate::text::show;
use std::collections::HashMap;

/// Codes of one list beyond this are left out.
const CODES_MAX: usize = 5_000;
/// Codes of all lists together.
const ALL_MAX: usize = 200_000;

/// Where something stands, as codes, rules and variables name it: `850/41///3`, `850/41///3-2`,
/// `///310/`, `//ISA//6`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Location {
    pub set: String,
    pub segment: u32,
    pub element: u32,
    pub component: u32,
}

impl Location {
    /// Places of a set; those of a dictionary are none.
    pub fn read(text: &str) -> Option<Location> {
        let fields: Vec<&str> = text.split('/').collect();
        let [set, segment, tag, number, element] = fields.as_slice() else {
            return None;
        };
        let (element, component) = element.split_once('-').unwrap_or((element, ""));
        let number_of = |text: &str| {
            if text.is_empty() {
                Some(0)
            } else {
                text.parse().ok()
            }
        };
        (!set.is_empty() && !segment.is_empty() && tag.is_empty() && number.is_empty())
            .then_some(())?;
        Some(Location {
            set: (*set).to_owned(),
            segment: segment.parse().ok()?,
            element: number_of(element)?,
            component: number_of(component)?,
        })
    }
}

/// The lists that are tied to places.
#[derive(Debug, Default)]
pub(super) struct CodeLists {
    pub at: HashMap<Location, Vec<String>>,
    /// Lists that only a rule puts in force, by element and number.
    pub numbered: HashMap<(String, u32), Vec<String>>,
    read: usize,
}

/// Reads the lists that are tied to places. An element's whole list is X12's own and is left out, which is told once.
pub(super) fn read(file: &File, findings: &mut Findings) -> CodeLists {
    let mut lists = CodeLists::default();
    let mut whole = Vec::new();
    for record in &file.codes {
        let (all, local) = match record.value.split_once('%') {
            Some((all, local)) => (all, Some(local)),
            None => (record.value.as_str(), None),
        };
        if !all.trim().is_empty() {
            whole.push(record);
        }
        if let Some(local) = local {
            tied(record, local, &mut lists, findings);
        }
    }
    if let Some(first) = whole.first() {
        let named: Vec<&str> = whole.iter().take(5).map(|it| it.key.as_str()).collect();
        let more = match whole.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let text = format!(
            "lists of all codes of an element are left out (element {}{more}): where a place takes only some of them, the list has to name the place",
            named.join(", ")
        );
        findings.add(first.line, text);
    }
    lists
}

/// `[A,B:D{QQ}]+850/41///3+850/72///3[(1)X]`
fn tied(record: &Record, mut text: &str, lists: &mut CodeLists, findings: &mut Findings) {
    let (line, element) = (record.line, record.key.as_str());
    while let Some(rest) = text.strip_prefix('[') {
        let Some(end) = rest.find(']') else {
            return findings.add(
                line,
                format!("a list of codes of element {element} is not closed"),
            );
        };
        let (mut inside, mut after) = (&rest[..end], &rest[end + 1..]);
        let mut number = None;
        if let Some((digits, list)) = inside
            .strip_prefix('(')
            .and_then(|rest| rest.split_once(')'))
        {
            number = digits.parse::<u32>().ok();
            inside = list;
        }
        if lists.read > ALL_MAX {
            let text = format!(
                "the lists have more than {ALL_MAX} codes together; this one and those after it were left out"
            );
            return findings.add(line, text);
        }
        let codes = expand(inside, line, element, findings);
        // What was tried in vain has cost as much.
        lists.read += codes.len()
            + if inside.contains(':') {
                CODES_MAX / 50
            } else {
                1
            };
        if let Some(number) = number {
            lists
                .numbered
                .insert((element.to_owned(), number), codes.clone());
        }
        while let Some(rest) = after.strip_prefix('+') {
            let end = rest.find(['+', '[']).unwrap_or(rest.len());
            match Location::read(&rest[..end]) {
                Some(location) if number.is_none() => {
                    if codes.is_empty() {
                        findings.add(line, format!("the list of codes of element {element} at {} is empty: any code is taken there", &rest[..end]));
                    } else if lists.at.insert(location, codes.clone()).is_some() {
                        findings.add(line, format!("element {element} has two lists of codes at {}; the later one holds", &rest[..end]));
                    }
                }
                Some(_) => {}
                None => findings.add(line, format!("{} is no place in a set", show(&rest[..end]))),
            }
            after = &rest[end..];
        }
        // A list without a place is the maker's leftover of another set.
        text = after;
    }
    if !text.is_empty() {
        findings.add(
            line,
            format!("element {element}: {} is not understood", show(text)),
        );
    }
}

/// `A,B:D`, with codes of the partner's own in braces; `A,B|01:03` where a code has two parts.
fn expand(text: &str, line: u32, element: &str, findings: &mut Findings) -> Vec<String> {
    let (standard, own) = match text.split_once('{') {
        Some((standard, own)) => (standard, own.trim_end_matches('}')),
        None => (text, ""),
    };
    let mut parts: Vec<Vec<String>> = Vec::new();
    for side in [standard, own] {
        for (n, part) in side.split('|').enumerate() {
            if parts.len() <= n {
                parts.push(Vec::new());
            }
            if let Some(list) = parts.get_mut(n) {
                ranges(part, line, element, list, findings);
            }
        }
    }
    let mut codes: Vec<String> = Vec::new();
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        // The first part may stand alone.
        let longer: Vec<String> = codes
            .iter()
            .flat_map(|code| part.iter().map(move |more| format!("{code}{more}")))
            .take(CODES_MAX)
            .collect();
        if codes.is_empty() {
            codes = part;
        } else {
            codes.extend(longer);
        }
    }
    if codes.len() > CODES_MAX {
        findings.add(
            line,
            format!(
                "a list of element {element} has more than {CODES_MAX} codes; the rest was left out"
            ),
        );
        codes.truncate(CODES_MAX);
    }
    codes
}

fn ranges(text: &str, line: u32, element: &str, list: &mut Vec<String>, findings: &mut Findings) {
    for part in text.split(',').filter(|part| !part.is_empty()) {
        if list.len() >= CODES_MAX {
            return findings.add(line, format!("a list of element {element} has more than {CODES_MAX} codes; the rest was left out"));
        }
        match part.split_once(':') {
            None => list.push(part.to_owned()),
            Some((from, to)) => match range(from, to) {
                Some(codes) => list.extend(codes),
                None => findings.add(
                    line,
                    format!("element {element}: {} is no range of codes", show(part)),
                ),
            },
        }
    }
}

/// The codes from one to another: `D1:D6`, `9:17`, `AAA:AAQ`, `NZ:OI`.
fn range(from: &str, to: &str) -> Option<Vec<String>> {
    if let (Ok(first), Ok(last)) = (from.parse::<u32>(), to.parse::<u32>())
        && first <= last
        && (last - first) as usize <= CODES_MAX
        && (from.len() == to.len() || !from.starts_with('0'))
    {
        let width = if from.len() == to.len() {
            from.len()
        } else {
            0
        };
        return Some((first..=last).map(|n| format!("{n:0width$}")).collect());
    }
    let is_code = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
    // Codes of one length differ in their last places only.
    let apart = from.bytes().zip(to.bytes()).position(|(a, b)| a != b);
    let far = apart.is_some_and(|at| from.len() - at > 3);
    if from.len() != to.len() || !is_code(from) || !is_code(to) || far {
        return None;
    }
    let mut codes = vec![from.to_owned()];
    let mut code = from.as_bytes().to_vec();
    while code != to.as_bytes() {
        if codes.len() > CODES_MAX || !step(&mut code) {
            return None;
        }
        codes.push(String::from_utf8(code.clone()).ok()?);
    }
    Some(codes)
}

/// The next code: each place goes through its digits or letters, and carries.
fn step(code: &mut [u8]) -> bool {
    for byte in code.iter_mut().rev() {
        match *byte {
            b'9' => *byte = b'0',
            b'Z' => *byte = b'A',
            b'z' => *byte = b'a',
            _ => {
                *byte += 1;
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_codes() {
        let told = |from, to| range(from, to).map(|codes| codes.join(" "));
        assert_eq!(told("D1", "D4").as_deref(), Some("D1 D2 D3 D4"));
        assert_eq!(told("9", "11").as_deref(), Some("9 10 11"));
        assert_eq!(told("08", "11").as_deref(), Some("08 09 10 11"));
        assert_eq!(told("NZ", "OB").as_deref(), Some("NZ OA OB"));
        assert_eq!(told("Z", "A"), None);
        assert_eq!(told("A", "BB"), None);
    }

    #[test]
    fn lists_with_own_codes_and_two_parts() {
        let mut findings = Findings::default();
        let mut told = |text| expand(text, 1, "1", &mut findings).join(" ");
        assert_eq!(told("A,C:D{QQ}"), "A C D QQ");
        assert_eq!(told("CTN,PLT|25,90{|}"), "CTN PLT CTN25 CTN90 PLT25 PLT90");
        assert!(findings.all.is_empty());
    }
}
