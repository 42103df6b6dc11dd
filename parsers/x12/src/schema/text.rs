// The grammar of the schema texts under `schemas/`. Compiled into the crate and into its build
// script, which refuses to build with a text that cannot be read.
//
// Dictionary, elements:     `353 ID 2/2 Purpose of the set`, then one indented line a code:
//                           `00 Original`; a line `...` says that other codes exist too.
// Dictionary, segments:     `BEG Beginning of the purchase order`, then indented tokens:
//                           `353M` an element (M mandatory, x5 up to five repetitions),
//                           `C001` a composite, `(235 234)*3` a group three times, and
//                           `P0607 R0203 E0405 C0302 L050607` conditions between elements.
// Set:                      `850 PO Purchase order`, then one line a segment in order:
//                           `REF O >1`; `loop N1 O 200` and, further indented, its segments.

/// A data element as written.
pub struct ElementText {
    pub number: u16,
    pub kind: String,
    pub min: u16,
    pub max: u16,
    pub name: String,
    pub codes: Vec<(String, String)>,
    /// The list is whole: any other code is wrong.
    pub closed: bool,
}

/// One element of a segment or component of a composite, as written.
pub struct UseText {
    /// A number, or a composite such as `C001`.
    pub reference: String,
    pub mandatory: bool,
    pub repeat: u16,
}

/// A condition between elements, as written.
pub struct ConditionText {
    pub kind: char,
    pub members: Vec<u8>,
}

/// A segment or composite as written.
pub struct SegmentText {
    pub id: String,
    pub name: String,
    pub uses: Vec<UseText>,
    pub conditions: Vec<ConditionText>,
}

/// A line of a set as written.
pub struct NodeText {
    pub id: String,
    pub is_loop: bool,
    pub mandatory: bool,
    /// `None` is unlimited.
    pub max: Option<u32>,
    pub children: Vec<NodeText>,
}

/// A set as written.
pub struct SetText {
    pub code: String,
    pub functional_id: String,
    pub name: String,
    pub nodes: Vec<NodeText>,
}

/// The lines that say something: number, indentation, text.
fn lines(text: &str) -> impl Iterator<Item = (usize, usize, &str)> {
    text.lines().enumerate().filter_map(|(n, line)| {
        let line = line.split(" #").next().unwrap_or(line).trim_end();
        let body = line.trim_start();
        (!body.is_empty() && !body.starts_with('#')).then(|| (n + 1, line.len() - body.len(), body))
    })
}

fn fault<T>(line: usize, what: &str) -> Result<T, String> {
    Err(format!("line {line}: {what}"))
}

/// Reads a text of elements.
pub fn elements(text: &str) -> Result<Vec<ElementText>, String> {
    let mut elements: Vec<ElementText> = Vec::new();
    for (line, indent, body) in lines(text) {
        if indent > 0 {
            let Some(element) = elements.last_mut() else {
                return fault(line, "a code without an element");
            };
            if body == "..." {
                element.closed = false;
            } else {
                let (code, meaning) = body.split_once(' ').unwrap_or((body, ""));
                element
                    .codes
                    .push((code.to_owned(), meaning.trim().to_owned()));
                element.closed |= element.codes.len() == 1;
            }
            continue;
        }
        let mut words = body.splitn(4, ' ');
        let (Some(number), Some(kind), Some(lengths), Some(name)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return fault(line, "an element needs number, type, lengths and name");
        };
        let Some((min, max)) = lengths.split_once('/') else {
            return fault(line, "lengths are MIN/MAX");
        };
        let (Ok(number), Ok(min), Ok(max)) = (number.parse(), min.parse(), max.parse()) else {
            return fault(line, "number and lengths are digits");
        };
        if !matches!(
            kind,
            "AN" | "ID" | "DT" | "TM" | "R" | "N0" | "N1" | "N2" | "N3" | "N4" | "N5" | "N6" | "B"
        ) {
            return fault(line, "the type is none of AN ID DT TM R N0 to N6 B");
        }
        elements.push(ElementText {
            number,
            kind: kind.to_owned(),
            min,
            max,
            name: name.to_owned(),
            codes: Vec::new(),
            closed: false,
        });
    }
    Ok(elements)
}

/// Reads a text of segments or composites.
pub fn segments(text: &str) -> Result<Vec<SegmentText>, String> {
    let mut segments: Vec<SegmentText> = Vec::new();
    for (line, indent, body) in lines(text) {
        if indent == 0 {
            let Some((id, name)) = body.split_once(' ') else {
                return fault(line, "a segment needs a name");
            };
            segments.push(SegmentText {
                id: id.to_owned(),
                name: name.trim().to_owned(),
                uses: Vec::new(),
                conditions: Vec::new(),
            });
            continue;
        }
        let Some(segment) = segments.last_mut() else {
            return fault(line, "elements without a segment");
        };
        let mut words = body.split_whitespace().peekable();
        while let Some(word) = words.next() {
            if let Some(first) = word.strip_prefix('(') {
                let mut group = vec![first.to_owned()];
                let times = loop {
                    let Some(word) = words.next() else {
                        return fault(line, "a group is not closed");
                    };
                    match word.split_once(")*") {
                        Some((last, times)) => {
                            group.push(last.to_owned());
                            break times.parse::<usize>();
                        }
                        None => group.push(word.to_owned()),
                    }
                };
                let Ok(times) = times else {
                    return fault(line, "a group is closed by )*NUMBER");
                };
                for _ in 0..times {
                    for word in &group {
                        segment.uses.push(element_use(line, word)?);
                    }
                }
            } else if is_condition(word) {
                segment.conditions.push(condition(line, word)?);
            } else {
                segment.uses.push(element_use(line, word)?);
            }
        }
        let count = segment.uses.len();
        if let Some(bad) = segment
            .conditions
            .iter()
            .find(|c| c.members.iter().any(|m| usize::from(*m) > count || *m == 0))
        {
            return fault(
                line,
                &format!(
                    "{}: condition {}{:?} names an element beyond {count}",
                    segment.id, bad.kind, bad.members
                ),
            );
        }
    }
    Ok(segments)
}

fn is_condition(word: &str) -> bool {
    word.len() >= 5
        && word.starts_with(['P', 'R', 'E', 'C', 'L'])
        && word[1..].bytes().all(|b| b.is_ascii_digit())
}

fn condition(line: usize, word: &str) -> Result<ConditionText, String> {
    let kind = word.chars().next().unwrap_or('P');
    let digits = &word.as_bytes()[1..];
    if !digits.len().is_multiple_of(2) || digits.len() < 4 {
        return fault(
            line,
            &format!("{word}: a condition has two digits for each of two or more elements"),
        );
    }
    Ok(ConditionText {
        kind,
        members: digits
            .chunks(2)
            .map(|pair| (pair[0] - b'0') * 10 + (pair[1] - b'0'))
            .collect(),
    })
}

fn element_use(line: usize, word: &str) -> Result<UseText, String> {
    let (word, repeat) = match word.split_once('x') {
        Some((word, times)) => (
            word,
            times
                .parse()
                .map_err(|_| format!("line {line}: {word}: xNUMBER expected"))?,
        ),
        None => (word, 1),
    };
    let (reference, mandatory) = match word.strip_suffix('M') {
        Some(reference) => (reference, true),
        None => (word, false),
    };
    let digits = reference.strip_prefix(['C', 'S']).unwrap_or(reference);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return fault(line, &format!("{word} is no element"));
    }
    Ok(UseText {
        reference: reference.to_owned(),
        mandatory,
        repeat,
    })
}

/// Reads the text of a set.
pub fn set(text: &str) -> Result<SetText, String> {
    let mut all = lines(text);
    let Some((line, 0, first)) = all.next() else {
        return fault(1, "a set begins with its number, group and name");
    };
    let mut words = first.splitn(3, ' ');
    let (Some(code), Some(functional_id), Some(name)) = (words.next(), words.next(), words.next())
    else {
        return fault(line, "a set begins with its number, group and name");
    };
    let mut set = SetText {
        code: code.to_owned(),
        functional_id: functional_id.to_owned(),
        name: name.to_owned(),
        nodes: Vec::new(),
    };
    let mut path: Vec<usize> = Vec::new();
    let mut indents: Vec<usize> = Vec::new();
    for (line, indent, body) in all {
        while indents.last().is_some_and(|open| indent <= *open) {
            indents.pop();
            path.pop();
        }
        let node = node(line, body)?;
        let mut list = &mut set.nodes;
        for at in &path {
            list = &mut list[*at].children;
        }
        list.push(node);
        let at = list.len() - 1;
        if list[at].is_loop {
            path.push(at);
            indents.push(indent);
        }
    }
    check_loops(&set.nodes)?;
    Ok(set)
}

fn node(line: usize, body: &str) -> Result<NodeText, String> {
    let words: Vec<&str> = body.split_whitespace().collect();
    let (is_loop, rest) = match words.as_slice() {
        ["loop", rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let [id, requirement, max] = rest else {
        return fault(line, "a segment is ID M|O MAX, a loop has `loop` before it");
    };
    let mandatory = match *requirement {
        "M" => true,
        "O" => false,
        _ => return fault(line, "M or O expected"),
    };
    let max = match *max {
        ">1" => None,
        digits => Some(
            digits
                .parse()
                .map_err(|_| format!("line {line}: the maximum is a number or >1"))?,
        ),
    };
    if !matches!(id.len(), 2 | 3) {
        return fault(line, "a segment's identifier has two or three characters");
    }
    Ok(NodeText {
        id: (*id).to_owned(),
        is_loop,
        mandatory,
        max,
        children: Vec::new(),
    })
}

fn check_loops(nodes: &[NodeText]) -> Result<(), String> {
    for node in nodes.iter().filter(|node| node.is_loop) {
        match node.children.first() {
            Some(first)
                if first.id == node.id
                    && !first.is_loop
                    && first.mandatory
                    && first.max == Some(1) =>
            {
                check_loops(&node.children)?
            }
            _ => {
                return Err(format!(
                    "loop {} must begin with `{} M 1`",
                    node.id, node.id
                ));
            }
        }
    }
    Ok(())
}
