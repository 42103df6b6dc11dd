//! Reading a TOML document into a typed value, with every fault reported and not only the first.
//!
//! A serde reader stops at its first fault. Here the key at fault is noted with its place and taken out of the tree,
//! and the rest is read again, until all that is left can be read. So one look at the answer mends the whole document.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::de::{DeArray, DeTable, DeValue};

/// Largest document that is read, in bytes. The fullest profile we know of has 20 kB.
pub const DOCUMENT_BYTES_MAX: usize = 1 << 20;

/// Most faults that are listed; a document with more is not a profile but something else.
const FAULTS_MAX: usize = 200;

/// One fault of a configuration document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// Path of the key (`envelope.terminator`, `address[1].id`), empty where the text is no TOML at all.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub instead: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if !self.key.is_empty() {
            write!(f, ", {}", self.key)?;
        }
        write!(f, ": {}", self.what)?;
        if !self.instead.is_empty() {
            write!(f, ". {}", self.instead)?;
        }
        Ok(())
    }
}

/// Where each key of a document stands.
#[derive(Debug, Clone, Default)]
pub struct Places {
    lines: BTreeMap<String, usize>,
    values: BTreeMap<String, Range<usize>>,
}

impl Places {
    /// Line of a key, or of the nearest table around it that is written out; 1 where nothing of it is.
    pub fn line(&self, key: &str) -> usize {
        let mut path = key;
        loop {
            if let Some(line) = self.lines.get(path) {
                return *line;
            }
            match path.rfind(['.', '[']) {
                Some(cut) => path = &path[..cut],
                None => return 1,
            }
        }
    }

    /// Whether the key is written in the document.
    pub fn has(&self, key: &str) -> bool {
        self.lines.contains_key(key)
    }

    /// Bytes of the key's value in the document.
    pub fn value(&self, key: &str) -> Option<Range<usize>> {
        self.values.get(key).cloned()
    }
}

/// A document as far as it could be read.
#[derive(Debug)]
pub struct Reading<T> {
    /// The value; none: nothing could be made of it.
    pub value: Option<T>,
    /// Where the keys stand.
    pub places: Places,
    /// What is wrong, in order of line.
    pub faults: Vec<Fault>,
}

/// Reads a document. Where `faults` is empty, `value` is there and is the whole of it; otherwise `value` lacks what is
/// named in them and serves only to look for further faults.
pub fn read<T: DeserializeOwned>(text: &str) -> Reading<T> {
    let lines = Lines::new(text);
    if text.len() > DOCUMENT_BYTES_MAX {
        return Reading {
            value: None,
            places: Places::default(),
            faults: vec![Fault {
                line: 1,
                key: String::new(),
                what: format!(
                    "the document has {} bytes and at most {DOCUMENT_BYTES_MAX} are read",
                    text.len()
                ),
                instead: "Check that this is the right file".to_owned(),
            }],
        };
    }
    let (tree, errors) = DeTable::parse_recoverable(text);
    let mut faults: Vec<Fault> = errors
        .into_iter()
        .take(FAULTS_MAX)
        .map(|error| no_toml(&lines, &error))
        .collect();
    let mut places = Places::default();
    let (span, mut tree) = (tree.span(), tree.into_inner());
    plain_values(&mut tree);
    note_places(&tree, "", &lines, &mut places);
    let value = if faults.is_empty() {
        read_tree(&lines, span, tree, &mut faults)
    } else {
        None
    };
    faults.sort_by_key(|fault| fault.line);
    faults.dedup();
    Reading {
        value,
        places,
        faults,
    }
}

/// Adds the faults found by checks, without those of keys that could not be read in the first place.
pub fn add_unless_known(faults: &mut Vec<Fault>, found: Vec<Fault>) {
    let unread: Vec<String> = faults.iter().map(|fault| fault.key.clone()).collect();
    let within = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    faults.extend(found.into_iter().filter(|fault| {
        !unread
            .iter()
            .any(|key| within(&fault.key, key) || within(key, &fault.key))
    }));
    faults.sort_by_key(|fault| fault.line);
}

/// Whether the text may name a partner, company, mailbox or warehouse: `[a-z0-9-]`, 2 to 32, no hyphen at either end.
pub fn is_short_name(text: &str) -> bool {
    (2..=32).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Whether the text looks like a mail address: something, an at sign, something, no blanks and no brackets.
pub fn is_mail_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, domain)| {
        !name.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && text
                .chars()
                .all(|letter| letter.is_ascii_graphic() && !"<>(),;:\"[]\\".contains(letter))
    })
}

/// Reads the tree again and again, each time without the key that was at fault.
fn read_tree<T: DeserializeOwned>(
    lines: &Lines,
    span: Range<usize>,
    mut tree: DeTable<'_>,
    faults: &mut Vec<Fault>,
) -> Option<T> {
    let whole = tree.clone();
    loop {
        let reader = toml::Deserializer::from(toml::Spanned::new(span.clone(), tree.clone()));
        let error = match T::deserialize(reader) {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let span_at_fault = error.span();
        let named = span_at_fault.as_ref().and_then(|at| locate(&whole, at));
        let current = span_at_fault.as_ref().and_then(|at| locate(&tree, at));
        let (Some(named), Some(current)) = (named, current) else {
            faults.push(Fault {
                line: span_at_fault.map_or(1, |at| lines.of(at.start)),
                key: String::new(),
                what: error.message().to_owned(),
                instead: String::new(),
            });
            return None;
        };
        if wants_a_word(error.message()) && put_as_word(&mut tree, &current.steps) {
            // Read once more, so that the fault names the words.
            continue;
        }
        if !follows_from(faults, &named, error.message()) {
            faults.push(explain(&named, error.message(), lines.of(named.start)));
        }
        if faults.len() >= FAULTS_MAX || !take_out(&mut tree, &current.steps) {
            return None;
        }
    }
}

/// Whether a number, list or table stands where one of certain words has to.
fn wants_a_word(message: &str) -> bool {
    message == "wanted string or table"
}

/// Puts the value at `steps` as text in its own place; false where it is text already, or a table, whose keys are told of.
fn put_as_word(table: &mut DeTable<'_>, steps: &[Step]) -> bool {
    let [Step::Key(key), rest @ ..] = steps else {
        return false;
    };
    let mut value = match table.get_mut(key.as_str()) {
        Some(value) => value.get_mut(),
        None => return false,
    };
    for step in rest {
        let inner = match (value, step) {
            (DeValue::Table(table), Step::Key(key)) => table.get_mut(key.as_str()),
            (DeValue::Array(items), Step::Index(index)) => items.get_mut(*index),
            _ => None,
        };
        value = match inner {
            Some(inner) => inner.get_mut(),
            None => return false,
        };
    }
    let text = match value {
        DeValue::Integer(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Array(_) => "a list".to_owned(),
        _ => return false,
    };
    *value = DeValue::String(text.into());
    true
}

/// Whether a fault only follows from another one: a key is missing because it was at fault and taken out, or nothing is
/// left where something was.
fn follows_from(faults: &[Fault], named: &Found, message: &str) -> bool {
    if message.starts_with("wanted exactly 1 element") {
        let inside = format!("{}.", named.path());
        return faults.iter().any(|fault| fault.key.starts_with(&inside));
    }
    message.strip_prefix("missing field ").is_some_and(|rest| {
        let (name, _) = names(rest);
        let key = joined(&named.path(), &name);
        faults.iter().any(|fault| fault.key.starts_with(&key))
    })
}

fn no_toml(lines: &Lines, error: &toml::de::Error) -> Fault {
    let line = error.span().map_or(1, |span| lines.of(span.start));
    let text = lines.text(line);
    Fault {
        line,
        key: String::new(),
        what: format!("this is no TOML: {} (`{}`)", error.message(), text.trim()),
        instead: "Write `key = \"text\"`, `key = 5`, `key = true`, `key = [\"a\", \"b\"]` or a `[table]` heading; each key once".to_owned(),
    }
}

/// Numbers with decimals become text, so that no price or percentage passes through a floating-point number; dates
/// become text, so that they may stand with or without quotes.
fn plain_values(table: &mut DeTable<'_>) {
    for (_, entry) in table.iter_mut() {
        plain_value(entry.get_mut());
    }
}

fn plain_value(value: &mut DeValue<'_>) {
    match value {
        DeValue::Float(number) => {
            let text = number.as_str().replace('_', "");
            *value = DeValue::String(text.into());
        }
        DeValue::Datetime(date) => {
            let text = date.to_string();
            *value = DeValue::String(text.into());
        }
        DeValue::Array(items) => {
            for item in items.iter_mut() {
                plain_value(item.get_mut());
            }
        }
        DeValue::Table(table) => plain_values(table),
        _ => {}
    }
}

/// One step down the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// A place in the tree that a fault points at.
#[derive(Debug)]
struct Found {
    steps: Vec<Step>,
    start: usize,
}

impl Found {
    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.steps {
            match step {
                Step::Key(key) => path = joined(&path, key),
                Step::Index(index) => path = indexed(&path, *index),
            }
        }
        path
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// Elements of lists are counted from 1 for people.
fn indexed(path: &str, index: usize) -> String {
    format!("{path}[{}]", index + 1)
}

fn note_places(table: &DeTable<'_>, path: &str, lines: &Lines, places: &mut Places) {
    for (key, value) in table.iter() {
        let path = joined(path, key.get_ref());
        places
            .lines
            .insert(path.clone(), lines.of(key.span().start));
        note_value(value, &path, lines, places);
    }
}

fn note_value(value: &toml::Spanned<DeValue<'_>>, path: &str, lines: &Lines, places: &mut Places) {
    places.values.insert(path.to_owned(), value.span());
    match value.get_ref() {
        DeValue::Table(table) => note_places(table, path, lines, places),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let path = indexed(path, index);
                places
                    .lines
                    .insert(path.clone(), lines.of(item.span().start));
                note_value(item, &path, lines, places);
            }
        }
        _ => {}
    }
}

/// The innermost key or value that covers `span`.
fn locate(table: &DeTable<'_>, span: &Range<usize>) -> Option<Found> {
    let covers = |outer: Range<usize>| outer.start <= span.start && span.end <= outer.end;
    for (key, value) in table.iter() {
        if let Some(mut found) = locate_value(value, span) {
            found.steps.insert(0, Step::Key(key.get_ref().to_string()));
            return Some(found);
        }
        if covers(key.span()) {
            return Some(Found {
                steps: vec![Step::Key(key.get_ref().to_string())],
                start: key.span().start,
            });
        }
    }
    None
}

fn locate_value(value: &toml::Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<Found> {
    let inner = match value.get_ref() {
        DeValue::Table(table) => locate(table, span),
        DeValue::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
            locate_value(item, span).map(|mut found| {
                found.steps.insert(0, Step::Index(index));
                found
            })
        }),
        _ => None,
    };
    let own = value.span();
    inner.or_else(|| {
        (own.start <= span.start && span.end <= own.end).then_some(Found {
            steps: Vec::new(),
            start: own.start,
        })
    })
}

/// Takes the entry at `steps` out of the tree; false where there is none.
fn take_out(table: &mut DeTable<'_>, steps: &[Step]) -> bool {
    match steps {
        [Step::Key(key)] => table.remove(key.as_str()).is_some(),
        [Step::Key(key), rest @ ..] => table
            .get_mut(key.as_str())
            .is_some_and(|value| take_out_of_value(value.get_mut(), rest)),
        _ => false,
    }
}

fn take_out_of_value(value: &mut DeValue<'_>, steps: &[Step]) -> bool {
    match (value, steps) {
        (DeValue::Table(table), _) => take_out(table, steps),
        (DeValue::Array(items), [Step::Index(index)]) => {
            let mut rest = DeArray::new();
            for (position, item) in items.iter().enumerate() {
                if position != *index {
                    rest.push(item.clone());
                }
            }
            let shorter = rest.len() < items.len();
            *items = rest;
            shorter
        }
        (DeValue::Array(items), [Step::Index(index), rest @ ..]) => items
            .get_mut(*index)
            .is_some_and(|item| take_out_of_value(item.get_mut(), rest)),
        _ => false,
    }
}

/// Says for a person what serde found.
fn explain(found: &Found, message: &str, line: usize) -> Fault {
    let key = found.path();
    let last = found.steps.iter().rev().find_map(|step| match step {
        Step::Key(key) => Some(key.as_str()),
        Step::Index(_) => None,
    });
    let fault = |what: String, instead: String| Fault {
        line,
        key: key.clone(),
        what,
        instead,
    };
    if let Some(rest) = message.strip_prefix("unknown field ") {
        if last.is_some_and(holds_a_secret) {
            return fault(
                "secrets do not stand in this file, which is kept in the database and shown to people".to_owned(),
                "Write the name of an environment variable (`password_env = \"BIGBUY_SFTP_PASSWORD\"`) or a file that only the gateway can read (`password_file = \"keys/bigbuy.password\"`)".to_owned(),
            );
        }
        let (name, known) = names(rest);
        return fault(
            format!("there is no key `{name}` here"),
            advise(&name, &known, "The keys here are"),
        );
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        let (name, known) = names(rest);
        return fault(
            format!("{name:?} is not one of the words this key takes"),
            advise(&name, &known, "Write one of"),
        );
    }
    if let Some(rest) = message.strip_prefix("missing field ") {
        let (name, _) = names(rest);
        return fault(
            format!("the key `{name}` is missing"),
            format!("Add `{name} = …` to this table"),
        );
    }
    if let Some(rest) = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
    {
        let (got, expected) = rest.split_once(", expected ").unwrap_or((rest, ""));
        return fault(format!("{got} can not stand here"), wanted(expected));
    }
    match message.split_once(". ") {
        Some((what, instead)) => fault(what.to_owned(), instead.to_owned()),
        None => fault(message.to_owned(), String::new()),
    }
}

fn holds_a_secret(key: &str) -> bool {
    ["password", "passphrase", "secret", "token", "private_key"].contains(&key)
}

/// The names in backquotes: the first is the one met, the others are those known.
fn names(text: &str) -> (String, Vec<String>) {
    let mut found = text.split('`').skip(1).step_by(2).map(str::to_owned);
    let first = found.next().unwrap_or_default();
    (first, found.collect())
}

/// Most names that are listed in an advice.
const LISTED_MAX: usize = 40;

/// What to write instead of `name`, given the names that are known here.
pub(super) fn advise(name: &str, known: &[String], lead: &str) -> String {
    let list = match known.len() {
        0..=LISTED_MAX => known.join(", "),
        more => format!("{}, … ({more} in all)", known[..LISTED_MAX].join(", ")),
    };
    let near = known
        .iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len() / 3 + 1);
    match (near, known.is_empty()) {
        (_, true) => "Take it out".to_owned(),
        (Some((_, candidate)), _) => format!("Did you mean `{candidate}`? {lead}: {list}"),
        (None, _) => format!("{lead}: {list}"),
    }
}

/// What to write, from serde's word for what it expected.
fn wanted(expected: &str) -> String {
    match expected {
        "a string" | "string" => "Write a text in quotes: key = \"text\"".to_owned(),
        "a boolean" => "Write true or false, without quotes".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => {
            "Write a whole number of zero or more, without quotes: key = 5".to_owned()
        }
        "a sequence" => "Write a list in brackets: key = [\"a\", \"b\"]".to_owned(),
        "a map" => "Write a table: a heading in brackets with its keys below".to_owned(),
        other if other.starts_with("struct ") => {
            "Write a table: a heading in brackets with its keys below".to_owned()
        }
        other if other.contains("Decimal") || other.contains("decimal") => {
            "Write a number: key = 2.5".to_owned()
        }
        "" => String::new(),
        other if other.contains("date") => "Write year, month and day: key = 2026-01-31".to_owned(),
        // The reader's word for a kind of ours says nothing to a person.
        other
            if ["enum ", "unit ", "tuple ", "variant "]
                .iter()
                .any(|kind| other.contains(kind)) =>
        {
            "Write it as docs/profile.md shows this key".to_owned()
        }
        other => format!("Expected is {other}"),
    }
}

/// Edit distance, for "did you mean".
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

/// Lines of a text by byte.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        let mut starts = vec![0];
        starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
        Self { text, starts }
    }

    /// Number of the line that holds the byte, from 1.
    fn of(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte).max(1)
    }

    fn text(&self, line: usize) -> &'t str {
        self.text.lines().nth(line.saturating_sub(1)).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Sample {
        name: String,
        count: u32,
        colour: Colour,
        rate: rust_decimal::Decimal,
        inner: Inner,
        list: Vec<Entry>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Inner {
        host: String,
        password_env: String,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Entry {
        #[allow(dead_code)] // read by the tests only as a key that has to be there
        code: String,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Colour {
        #[default]
        Red,
        DarkGreen,
    }

    fn faults(text: &str) -> Vec<String> {
        read::<Sample>(text)
            .faults
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn every_fault_is_reported_with_its_line_and_what_to_write() {
        let text = "name = 5\ncont = 3\ncolour = \"dark_gren\"\n\n[inner]\nhosst = \"x\"\npassword = \"p\"\n\n[[list]]\ncode = \"a\"\n[[list]]\n[[list]]\ncode = 4\n";
        let reading = read::<Sample>(text);
        let at: Vec<(usize, &str)> = reading
            .faults
            .iter()
            .map(|fault| (fault.line, fault.key.as_str()))
            .collect();
        assert_eq!(
            at,
            [
                (1, "name"),
                (2, "cont"),
                (3, "colour"),
                (6, "inner.hosst"),
                (7, "inner.password"),
                (11, "list[2]"),
                (13, "list[3].code"),
            ],
            "{:#?}",
            reading.faults
        );
        let all = faults(text).join("\n");
        for words in [
            "Did you mean `count`?",
            "Did you mean `dark_green`?",
            "Did you mean `host`?",
            "Write a text in quotes",
            "secrets do not stand in this file",
            "the key `code` is missing",
        ] {
            assert!(all.contains(words), "{words} not in\n{all}");
        }
    }

    #[test]
    fn what_stands_for_a_word_is_told_with_the_words() {
        for (written, said) in [
            ("5", "5"),
            ("true", "true"),
            ("[\"red\"]", "a list"),
            ("\"blue\"", "blue"),
        ] {
            assert_eq!(
                faults(&format!("colour = {written}\n")),
                [format!(
                    "line 1, colour: {said:?} is not one of the words this key takes. Write one of: red, dark_green"
                )]
            );
        }
        assert_eq!(
            faults("colour = { a = 1 }\n").len(),
            1,
            "its cause, and nothing that follows"
        );
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        let all = faults("name = \"a\"\ncount = = 4\n").join("\n");
        assert!(all.starts_with("line 2: this is no TOML"), "{all}");
        assert!(!faults("name = \"a\"\nname = \"b\"\n").is_empty());
    }

    #[test]
    fn decimals_are_read_exactly() {
        let reading = read::<Sample>("rate = 0.1000000000000000055\n");
        assert_eq!(
            reading.value.map(|sample| sample.rate.to_string()),
            Some("0.1000000000000000055".to_owned())
        );
    }

    #[test]
    fn a_document_beyond_the_limit_is_refused() {
        assert_eq!(faults(&"#".repeat(DOCUMENT_BYTES_MAX + 1)).len(), 1);
    }
}
