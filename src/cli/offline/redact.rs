//! `redact`: a file that may be shown to strangers, with the same findings: every name, identifying number and price is
//! replaced by something of the same length and kind.
//!
//! Kept are what can be codes, dates, quantities, counts and the numbers that hold the file together (control numbers, line
//! numbers, HL). Equal values become equal values; check digits that were right are right, wrong ones wrong.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::process::ExitCode;

use sha2::{Digest, Sha256};
use supercargo_x12::{
    AnnotatedElement, ElementType, Limits, Release, SchemaRegistry, annotate_unjudged,
};

use super::judge::judge;
use super::pieces::{Piece, Pieces, Place, cut};
use super::{open_x12, taken_whole};
use crate::cli::table::harmless;
use crate::cli::{CliError, CliResult, print};

/// Make a file that may be shown to strangers.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file; - for standard input
    file: PathBuf,
    /// The same word makes the same replacements again [default: by chance]
    #[arg(long, value_name = "WORD")]
    seed: Option<String>,
}

/// Prints the redacted file; status 1 where its findings are not those of the original.
pub fn run(args: &Args) -> CliResult {
    let bytes = taken_whole(open_x12(&args.file)?, &args.file)?;
    let broken = |error: std::io::Error| CliError::file("read", &args.file, &error);
    let key = match &args.seed {
        Some(word) => Sha256::digest(word.as_bytes()).to_vec(),
        None => {
            let mut key = vec![0; 32];
            getrandom::fill(&mut key).map_err(|error| {
                CliError::Broken(format!("the system gives no random bytes: {error}"))
            })?;
            key
        }
    };
    let Redacted {
        bytes: redacted,
        unknown_versions,
        unknown_sets,
    } = redact(&bytes, &key).map_err(broken)?;
    print::bytes(&redacted)?;
    if !unknown_versions.is_empty() {
        eprintln!("supercargo: {}", told_apart(&unknown_versions));
    }
    if !unknown_sets.is_empty() {
        eprintln!("supercargo: {}", not_told_apart(&unknown_sets));
    }
    if findings_of(&bytes).map_err(broken)? == findings_of(&redacted).map_err(broken)? {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!(
        "supercargo: the redacted file does not show quite the findings of the original; `supercargo validate` tells them apart"
    );
    Ok(ExitCode::from(1))
}

/// What has to be the same: rule, place, severity.
pub(super) type Told = (String, u64, Option<u16>, Option<u16>, bool);

pub(super) fn findings_of(bytes: &[u8]) -> std::io::Result<Vec<Told>> {
    let judged = judge("", bytes, None, Limits::default())?;
    Ok(judged
        .findings
        .into_iter()
        .map(|found| {
            let rejects = found.severity == supercargo_x12::Severity::Reject;
            (
                found.code,
                found.byte,
                found.element,
                found.component,
                rejects,
            )
        })
        .collect())
}

/// A redacted file.
pub(super) struct Redacted {
    /// As long as the original.
    pub bytes: Vec<u8>,
    /// Versions (GS08) of its sets that have no schemas here: their elements were told apart by another release's.
    pub unknown_versions: BTreeSet<String>,
    /// Kinds of its sets (ST01) that have no schema: little in them could be told apart.
    pub unknown_sets: BTreeSet<String>,
}

/// That names were told from codes by another release than the file's, and what to do about it.
fn told_apart(versions: &BTreeSet<String>) -> String {
    let by = |version: &String| {
        format!(
            "{} by {}",
            harmless(version),
            Release::nearest(version).as_str()
        )
    };
    let versions: Vec<String> = versions.iter().map(by).collect();
    format!(
        "there are no schemas for the version of these sets, so another release's told what to replace and what to keep ({}): look through the result before you give it away",
        versions.join(", ")
    )
}

/// That codes and dates of sets without schema went as names do.
fn not_told_apart(sets: &BTreeSet<String>) -> String {
    let sets: Vec<String> = sets.iter().map(|set| harmless(set)).collect();
    format!(
        "there is no schema for sets {}: what is a code or a date in them is not known, and most of those were replaced as well",
        sets.join(", ")
    )
}

pub(super) fn redact(bytes: &[u8], key: &[u8]) -> std::io::Result<Redacted> {
    let Pieces { pieces, sets } = cut(bytes, true)?;
    let unknown_versions = sets
        .iter()
        .map(|(_, version)| version)
        .filter(|version| Release::of_version(version).is_none())
        .cloned()
        .collect();
    let registry = SchemaRegistry::standard();
    let unknown_sets = sets
        .iter()
        .filter(|(set, version)| {
            registry
                .find(set.code(), Release::nearest(version))
                .is_none()
        })
        .map(|(set, _)| set.code().to_owned())
        .collect();
    let mut replacing = Replacing {
        key,
        known: HashMap::new(),
        used: HashSet::new(),
    };
    let mut redacted = bytes.to_vec();
    let mut annotated: Option<(usize, Vec<Vec<AnnotatedElement>>)> = None;
    for piece in &pieces {
        let body = bytes.get(piece.body.clone()).unwrap_or_default();
        let new = match piece.place {
            Place::Outside => replacing.words(body),
            Place::Isa | Place::Envelope => replacing.envelope(body, piece),
            Place::Stray => replacing.segment(body, piece, &[]),
            Place::Set(number, at) => {
                if annotated.as_ref().is_none_or(|(of, _)| *of != number) {
                    annotated = sets.get(number).map(|(set, version)| {
                        let release = Release::nearest(version);
                        let read = annotate_unjudged(registry, release, set);
                        (
                            number,
                            read.segments
                                .into_iter()
                                .map(|segment| segment.elements)
                                .collect(),
                        )
                    });
                }
                let elements = annotated
                    .as_ref()
                    .and_then(|(_, segments)| segments.get(at));
                replacing.segment(body, piece, elements.map_or(&[], Vec::as_slice))
            }
        };
        if let Some(place) = redacted.get_mut(piece.body.clone())
            && place.len() == new.len()
        {
            place.copy_from_slice(&new);
        }
    }
    Ok(Redacted {
        bytes: redacted,
        unknown_versions,
        unknown_sets,
    })
}

/// How a value is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// Letters by letters, digits by digits.
    Text,
    /// Digits by digits, noughts stay.
    Number,
}

/// Identifiers of the envelope's segments.
const ENVELOPE: &[&[u8]] = &[b"ISA", b"GS", b"ST", b"SE", b"GE", b"IEA", b"TA1"];
/// Data elements of text that hold the file together: assigned line number, HL numbers, set control number, version.
const TEXT_KEPT: &[u16] = &[350, 628, 734, 329, 480, 1705, 1251];
/// Text that is a code all the same, where it has that code's form: packaging (`CTN`, `PLT94`).
const PACKAGING: u16 = 103;
/// Codes that name a person's place all the same: postal code.
const CODES_REPLACED: &[u16] = &[116];
/// Numbers that are prices, or tell of them: unit price, amounts, rate, percentages, what a discount counts from and to.
const PRICES: &[u16] = &[
    212, 782, 610, 118, 117, 332, 338, 342, 362, 389, 649, 655, 657, 658, 828, 954, 9010, 9037,
    9039, 9044, 9049,
];

/// How an element with this value is replaced; none: it is kept.
fn kind_of(element: Option<&AnnotatedElement>, value: &[u8]) -> Option<Kind> {
    let number = element.and_then(|element| element.data_element);
    let is_one_of = |list: &[u16]| number.is_some_and(|number| list.contains(&number));
    match element.and_then(|element| element.kind) {
        // In a segment that was cut or shifted a name may stand where a code, a date or a number belongs.
        Some(kind) if !may_be(kind, element.map_or(0, |element| element.max), value) => {
            Some(Kind::Text)
        }
        Some(ElementType::Id) => is_one_of(CODES_REPLACED).then_some(Kind::Text),
        Some(ElementType::Dt | ElementType::Tm) => None,
        Some(ElementType::R | ElementType::N(_)) => is_one_of(PRICES).then_some(Kind::Number),
        Some(ElementType::An) if number == Some(PACKAGING) && is_packaging(value) => None,
        Some(ElementType::An | ElementType::B) => (!is_one_of(TEXT_KEPT)).then_some(Kind::Text),
        // What no schema knows may be a name.
        None => Some(Kind::Text),
    }
}

/// Three capitals for the form, and perhaps two digits for the material.
fn is_packaging(value: &[u8]) -> bool {
    let value = value.trim_ascii_end();
    let form = value
        .iter()
        .take(3)
        .filter(|byte| byte.is_ascii_uppercase());
    let material = value.iter().skip(3).filter(|byte| byte.is_ascii_digit());
    matches!(
        (value.len(), form.count(), material.count()),
        (3, 3, 0) | (5, 3, 2)
    )
}

/// Whether a value may be what its element is meant to hold: a code is no longer than the longest, a date or a number has
/// no word in it (one letter is a slip, which the findings speak of).
fn may_be(kind: ElementType, max: usize, value: &[u8]) -> bool {
    match kind {
        ElementType::Id => {
            let is_break = |byte: &&u8| matches!(byte, b'\r' | b'\n');
            let breaks = value.iter().filter(is_break).count();
            value.trim_ascii_end().len() <= max + breaks
        }
        ElementType::Dt | ElementType::Tm | ElementType::R | ElementType::N(_) => {
            let is_letter = |byte: &&u8| byte.is_ascii_alphabetic() || **byte >= 0x80;
            value.iter().filter(is_letter).count() < 2
        }
        ElementType::An | ElementType::B => true,
    }
}

/// BIN01 and BDS02 say how many bytes of data follow: with another length the file would be read otherwise.
fn is_length_of_binary(body: &[u8], separator: u8, element: usize) -> bool {
    [(&b"BIN"[..], 1), (b"BDS", 2)].iter().any(|(id, length)| {
        element == *length
            && body
                .strip_prefix(*id)
                .is_some_and(|rest| rest.first() == Some(&separator))
    })
}

/// The last element that ST and SE always have; none for other segments.
fn last_of_header(body: &[u8], separator: u8) -> Option<usize> {
    let is = |id: &&[u8]| {
        body.strip_prefix(*id)
            .is_some_and(|rest| rest.first() == Some(&separator))
    };
    [&b"ST"[..], b"SE"].iter().any(is).then_some(2)
}

/// Whether this is the version of a guide, as ST03 names one (`005010X222A1`).
fn is_guide_of(element: &[u8]) -> bool {
    element.len() >= 6 && element.iter().take(6).all(u8::is_ascii_digit)
}

struct Replacing<'a> {
    key: &'a [u8],
    known: HashMap<(Kind, Vec<u8>), Vec<u8>>,
    used: HashSet<Vec<u8>>,
}

impl Replacing<'_> {
    /// ISA, GS and their like: ids and passwords are replaced, all else holds the file together.
    fn envelope(&mut self, body: &[u8], piece: &Piece) -> Vec<u8> {
        let (replaced, last): (&[usize], usize) = if body.starts_with(b"ISA") {
            (&[2, 4, 6, 8], 16)
        } else if body.starts_with(b"GS") {
            (&[2, 3], 8)
        } else if body.starts_with(b"TA1") {
            (&[], 5)
        } else {
            (&[], 2)
        };
        self.joined(body, piece.delimiters.element, |replacing, n, element| {
            // What stands beyond the last element may be anything.
            if replaced.contains(&n) || n > last {
                replacing.value(element, Kind::Text)
            } else {
                element.to_vec()
            }
        })
    }

    /// Bytes that belong to no interchange may be anything: each word is replaced, but for those that make it look like
    /// a broken interchange.
    fn words(&mut self, body: &[u8]) -> Vec<u8> {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        let mut new = Vec::with_capacity(body.len());
        // A byte-order mark is no letter of the word behind it.
        let body = match body.strip_prefix(MARK) {
            Some(rest) => {
                new.extend(MARK);
                rest
            }
            None => body,
        };
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80;
        for run in body.chunk_by(|one, next| is_letter(*one) == is_letter(*next)) {
            let is_kept = !run.first().copied().is_some_and(is_letter)
                || ENVELOPE.iter().any(|id| run.eq_ignore_ascii_case(id));
            if is_kept {
                new.extend(run);
            } else {
                new.extend(self.value(run, Kind::Text));
            }
        }
        new
    }

    fn segment(&mut self, body: &[u8], piece: &Piece, known: &[AnnotatedElement]) -> Vec<u8> {
        if let Some(last) = last_of_header(body, piece.delimiters.element) {
            // What stands beyond the last element may be anything.
            return self.joined(body, piece.delimiters.element, |replacing, n, element| {
                if n <= last || is_guide_of(element) {
                    element.to_vec()
                } else {
                    replacing.value(element, Kind::Text)
                }
            });
        }
        let component = piece.delimiters.component;
        let repetition = piece.delimiters.repetition;
        self.joined(body, piece.delimiters.element, |replacing, n, element| {
            if n == 0 || is_length_of_binary(body, piece.delimiters.element, n) {
                return element.to_vec();
            }
            let of = |k: Option<usize>| {
                known.iter().find(|known| {
                    usize::from(known.element) == n && known.component.map(usize::from) == k
                })
            };
            let is_composite = known
                .iter()
                .any(|known| usize::from(known.element) == n && known.component.is_some());
            let mut one = |element: &[u8]| {
                if is_composite {
                    replacing.joined(element, component, |replacing, k, part| {
                        replacing.maybe(part, kind_of(of(Some(k + 1)), part))
                    })
                } else {
                    replacing.maybe(element, kind_of(of(None), element))
                }
            };
            match repetition {
                Some(separator) => join(
                    element.split(|byte| *byte == separator).map(&mut one),
                    separator,
                ),
                None => one(element),
            }
        })
    }

    fn joined(
        &mut self,
        body: &[u8],
        separator: u8,
        mut each: impl FnMut(&mut Self, usize, &[u8]) -> Vec<u8>,
    ) -> Vec<u8> {
        let parts: Vec<Vec<u8>> = body
            .split(|byte| *byte == separator)
            .enumerate()
            .map(|(n, part)| each(self, n, part))
            .collect();
        join(parts.into_iter(), separator)
    }

    fn maybe(&mut self, value: &[u8], kind: Option<Kind>) -> Vec<u8> {
        match kind {
            Some(kind) => self.value(value, kind),
            None => value.to_vec(),
        }
    }

    /// The replacement of a value, the same whenever the value comes again; none becomes itself, and different values
    /// become different ones, as far as their length allows.
    fn value(&mut self, value: &[u8], kind: Kind) -> Vec<u8> {
        // The application identifier of an SSCC stays, so that the code is the same with it and without.
        if let Some(code) = value.strip_prefix(b"00").filter(|code| is_sscc(code)) {
            return [b"00", self.value(code, kind).as_slice()].concat();
        }
        let trimmed = value.trim_ascii_end();
        let padding = value.get(trimmed.len()..).unwrap_or_default();
        let entry = (kind, trimmed.to_vec());
        let new = match self.known.get(&entry) {
            Some(known) => known.clone(),
            None => {
                // By chance a short value would now and then become itself.
                let others = (0..16)
                    .map(|attempt| replaced(self.key, trimmed, kind, attempt))
                    .filter(|new| new != trimmed);
                let mut of_another = None;
                let mut fresh = None;
                for new in others {
                    if !self.used.contains(&new) {
                        fresh = Some(new);
                        break;
                    }
                    of_another = Some(new);
                }
                let new = fresh.or(of_another).unwrap_or_else(|| trimmed.to_vec());
                self.used.insert(new.clone());
                self.known.insert(entry, new.clone());
                new
            }
        };
        [new.as_slice(), padding].concat()
    }
}

fn join(parts: impl Iterator<Item = Vec<u8>>, separator: u8) -> Vec<u8> {
    let mut joined = Vec::new();
    for (n, part) in parts.enumerate() {
        if n > 0 {
            joined.push(separator);
        }
        joined.extend(part);
    }
    joined
}

fn replaced(key: &[u8], value: &[u8], kind: Kind, attempt: u8) -> Vec<u8> {
    let mut chance = Chance::of(key, value, attempt);
    let mut new = Vec::with_capacity(value.len());
    for (n, byte) in value.iter().enumerate() {
        let is_first = n == 0;
        new.push(match byte {
            b'0' if kind == Kind::Number || is_first => b'0',
            b'0'..=b'9' if kind == Kind::Number || is_first => b'1' + chance.below(9),
            b'0'..=b'9' => b'0' + chance.below(10),
            b'A'..=b'Z' if kind == Kind::Text => b'A' + chance.below(26),
            b'a'..=b'z' if kind == Kind::Text => b'a' + chance.below(26),
            // Letters of other alphabets keep their lengths: what continues one stays, and so does its first byte.
            other => *other,
        });
    }
    if value.iter().any(|byte| *byte >= 0x80) {
        foreign(value, &mut new);
    }
    keep_check_digit(value, &mut new);
    new
}

/// Letters beyond ASCII become é, or its like of as many bytes.
fn foreign(value: &[u8], new: &mut [u8]) {
    let Ok(text) = std::str::from_utf8(value) else {
        for byte in new.iter_mut().filter(|byte| **byte >= 0xc0) {
            *byte = 0xe9;
        }
        return;
    };
    for (at, letter) in text.char_indices() {
        let instead = match letter.len_utf8() {
            2 => "é",
            3 => "本",
            4 => "𠀀",
            _ => continue,
        };
        if letter.is_alphabetic()
            && let Some(place) = new.get_mut(at..at + instead.len())
        {
            place.copy_from_slice(instead.as_bytes());
        }
    }
}

/// Whether this has the form of an SSCC-18 (X12-RULES 67), blanks at its end left out.
fn is_sscc(code: &[u8]) -> bool {
    let code = code.trim_ascii_end();
    code.len() == 18 && code.iter().all(u8::is_ascii_digit)
}

/// A GTIN or SSCC whose check digit was right gets the right one; one that was wrong stays wrong.
fn keep_check_digit(old: &[u8], new: &mut [u8]) {
    if !matches!(old.len(), 8 | 12 | 13 | 14 | 18) || !old.iter().all(u8::is_ascii_digit) {
        return;
    }
    let (Some(right), Some(last)) = (check_digit(new), new.len().checked_sub(1)) else {
        return;
    };
    let was_right = check_digit(old) == old.last().copied();
    if let Some(digit) = new.get_mut(last) {
        if was_right {
            *digit = right;
        } else if *digit == right {
            *digit = b'0' + (right - b'0' + 1) % 10;
        }
    }
}

/// GS1's check digit over all but the last digit: weights 3 and 1 from the right.
fn check_digit(digits: &[u8]) -> Option<u8> {
    let (_, body) = digits.split_last()?;
    let sum: u32 = body
        .iter()
        .rev()
        .enumerate()
        .map(|(n, digit)| u32::from(digit - b'0') * if n % 2 == 0 { 3 } else { 1 })
        .sum();
    u8::try_from((10 - sum % 10) % 10)
        .ok()
        .map(|digit| b'0' + digit)
}

/// Numbers that follow from key and value, and tell neither.
struct Chance {
    block: Vec<u8>,
    at: usize,
}

impl Chance {
    fn of(key: &[u8], value: &[u8], attempt: u8) -> Self {
        let mut digest = Sha256::new();
        digest.update(key);
        digest.update([attempt]);
        digest.update(value);
        Self {
            block: digest.finalize().to_vec(),
            at: 0,
        }
    }

    fn below(&mut self, limit: u8) -> u8 {
        if self.at >= self.block.len() {
            self.block = Sha256::digest(&self.block).to_vec();
            self.at = 0;
        }
        let byte = self.block.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        byte % limit.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "ISA*00*          *00*          *ZZ*BIGBUYER       *ZZ*SELLER         *260115*1230*U*00401*000000001*0*P*>~GS*PO*BIGBUYER*SELLER*20260115*1230*1*X*004010~ST*850*0001~BEG*00*SA*PO4711**20260115~REF*IA*123456~N1*ST*MAIN STORE*92*0042~N4*SPRINGFIELD*IL*62701*US~PO1*1*12*EA*12.50*PE*UP*036000291452~PO1*2*2X*EA*8.5*PE*UP*036000291451~CTT*2*14~SE*10*0001~GE*1*1~IEA*1*000000001~";

    #[test]
    fn the_length_of_binary_data_stays() {
        let with_binary = FILE
            .replace("~CTT*2*14", "~BIN*9*AB~CD*EF~G~CTT*2*14")
            .replace("SE*10*", "SE*11*");
        let redacted = redact(with_binary.as_bytes(), b"key").unwrap().bytes;
        let text = String::from_utf8_lossy(&redacted);
        assert!(text.contains("~BIN*9*"), "{text}");
        assert!(text.contains("~CTT*2*14~SE*11*0001~"), "{text}");
        assert!(!text.contains("AB~CD"), "{text}");
    }

    #[test]
    fn names_numbers_and_prices_go_and_the_findings_stay() {
        let redacted = redact(FILE.as_bytes(), b"key").unwrap().bytes;
        let text = String::from_utf8(redacted.clone()).unwrap();
        assert_eq!(text.len(), FILE.len());
        for secret in [
            "BIGBUYER",
            "SELLER",
            "PO4711",
            "123456",
            "MAIN STORE",
            "0042",
            "SPRINGFIELD",
            "62701",
            "12.50",
            "036000291452",
        ] {
            assert!(!text.contains(secret), "{secret} is still in {text}");
        }
        for kept in [
            "ISA*00*",
            "*260115*1230*U*00401*000000001*",
            "BEG*00*SA*",
            "*IL*",
            "*US~",
            "PO1*1*12*EA*",
            "PO1*2*2X*EA*",
            "*PE*UP*",
            "CTT*2*14~",
        ] {
            assert!(text.contains(kept), "{kept} is not in {text}");
        }
        assert_eq!(
            findings_of(FILE.as_bytes()).unwrap(),
            findings_of(&redacted).unwrap()
        );
    }

    #[test]
    fn names_go_where_they_stand_outside_of_sets_and_in_places_of_codes() {
        let shifted = FILE.replace("~ST*850*0001~", "~").replace(
            "~N1*ST*MAIN STORE*92*0042~",
            "~N1*ST*MAIN STORE*92*0042~N1*MAIN STORE~",
        );
        let within = FILE.replace(
            "~N1*ST*MAIN STORE*92*0042~",
            "~N1*MAIN STORE*92*0042~DTM*037*MAIN STORE~PO4*MAIN STORE*1*EA~",
        );
        let surplus = FILE
            .replace("*X*004010~", "*X*004010*MAIN STORE~")
            .replace("~GE*1*1~", "~GE*1*1*PO4711~")
            .replace("~ST*850*0001~", "~ST*850*0001*MAIN STORE~")
            .replace("*0001~GE*", "*0001*PO4711~GE*");
        for file in [shifted, within, surplus] {
            let redacted = redact(file.as_bytes(), b"key").unwrap().bytes;
            let text = String::from_utf8(redacted.clone()).unwrap();
            for secret in ["MAIN STORE", "PO4711", "0042", "62701", "036000291452"] {
                assert!(!text.contains(secret), "{secret} is still in {text}");
            }
            assert_eq!(
                findings_of(file.as_bytes()).unwrap(),
                findings_of(&redacted).unwrap()
            );
        }
    }

    #[test]
    fn no_short_price_stays_what_it_is_by_chance() {
        let mut replacing = Replacing {
            key: b"key",
            known: HashMap::new(),
            used: HashSet::new(),
        };
        for price in (0..400).map(|cents| format!("0.{cents:03}")) {
            let is_nought = price.bytes().all(|byte| matches!(byte, b'0' | b'.'));
            let new = replacing.value(price.as_bytes(), Kind::Number);
            assert_eq!(new == price.as_bytes(), is_nought, "{price}");
        }
    }

    #[test]
    fn codes_of_a_wrapped_file_stay() {
        let wrapped = FILE.replace("*EA*12.50*", "*E\r\nA*12.50*");
        let text = String::from_utf8(redact(wrapped.as_bytes(), b"key").unwrap().bytes).unwrap();
        assert!(text.contains("*E\r\nA*"), "{text}");
    }

    #[test]
    fn terms_of_payment_are_prices() {
        let invoice = FILE
            .replace("GS*PO*", "GS*IN*")
            .replace("ST*850*", "ST*810*")
            .replace("BEG*00*SA*PO4711**20260115", "BIG*20260115*4712")
            .replace("~PO1*1", "~ITD*01*3*2.5**10**30*4714~PO1*1");
        let text = String::from_utf8(redact(invoice.as_bytes(), b"key").unwrap().bytes).unwrap();
        assert!(
            !text.contains("2.5**10") && !text.contains("4714"),
            "{text}"
        );
        assert!(text.contains("ITD*01*3*"), "{text}");
    }

    #[test]
    fn a_version_without_schemas_is_told_and_its_names_go() {
        assert!(
            redact(FILE.as_bytes(), b"key")
                .unwrap()
                .unknown_versions
                .is_empty()
        );
        let old = FILE.replace("*X*004010~", "*X*003060~");
        let redacted = redact(old.as_bytes(), b"key").unwrap();
        assert_eq!(
            told_apart(&redacted.unknown_versions),
            "there are no schemas for the version of these sets, so another release's told what to replace and what to keep (003060 by 004010): look through the result before you give it away"
        );
        let text = String::from_utf8(redacted.bytes).unwrap();
        assert!(
            !text.contains("MAIN STORE") && text.contains("*00*SA*"),
            "{text}"
        );
    }

    const SHIPMENT: &str = "ISA*00*          *00*          *ZZ*BIGBUYER       *ZZ*SELLER         *260115*1230*U*00401*000000001*0*P*>~GS*SH*BIGBUYER*SELLER*20260115*1230*1*X*004010~ST*856*0001~BSN*00*S4711*20260115*1230*0001~HL*1**S~TD1*CTN25*4~TD1*PLT*1~TD1*JONES*1~HL*2*1*O~PRF*PO4711~HL*3*2*P~MAN*GM*00006141411234567890~HL*4*2*P~MAN*AA*006141411234567890~HL*5*2*P~MAN*GM*00106141410000000011~SE*15*0001~GE*1*1~IEA*1*000000001~";

    #[test]
    fn marks_of_cartons_keep_their_identifier_and_check_digit_and_packaging_stays() {
        for key in [&b"a"[..], b"b", b"c", b"d", b"e", b"f", b"g", b"h"] {
            let redacted = redact(SHIPMENT.as_bytes(), key).unwrap().bytes;
            let text = String::from_utf8(redacted.clone()).unwrap();
            for secret in ["06141411234567890", "10614141000000001", "JONES", "PO4711"] {
                assert!(!text.contains(secret), "{secret} is still in {text}");
            }
            assert!(text.contains("~TD1*CTN25*4~TD1*PLT*1~"), "{text}");
            let marks: Vec<&str> = text
                .split("~MAN*")
                .skip(1)
                .map(|rest| rest.split('~').next().unwrap())
                .collect();
            let sound = marks[0].strip_prefix("GM*00").unwrap().as_bytes();
            assert_eq!(check_digit(sound), sound.last().copied(), "{marks:?}");
            assert_eq!(marks[1].as_bytes().strip_prefix(b"AA*"), Some(sound));
            let wrong = marks[2].strip_prefix("GM*00").unwrap().as_bytes();
            assert_ne!(check_digit(wrong), wrong.last().copied(), "{marks:?}");
            let findings = findings_of(SHIPMENT.as_bytes()).unwrap();
            let told = |rule: &str| findings.iter().filter(|found| found.0 == rule).count();
            assert_eq!((told("mark-invalid"), told("mark-repeated")), (1, 1));
            assert_eq!(findings_of(&redacted).unwrap(), findings);
        }
    }

    #[test]
    fn a_set_without_schema_is_told() {
        assert!(
            redact(FILE.as_bytes(), b"key")
                .unwrap()
                .unknown_sets
                .is_empty()
        );
        let forecast = FILE
            .replace("GS*PO*", "GS*PS*")
            .replace("ST*850*", "ST*830*");
        let redacted = redact(forecast.as_bytes(), b"key").unwrap();
        assert_eq!(
            not_told_apart(&redacted.unknown_sets),
            "there is no schema for sets 830: what is a code or a date in them is not known, and most of those were replaced as well"
        );
    }

    #[test]
    fn a_byte_order_mark_hides_no_name() {
        let file = format!("\u{feff}{FILE}");
        let redacted = redact(file.as_bytes(), b"key").unwrap().bytes;
        let text = String::from_utf8(redacted).unwrap();
        assert!(text.starts_with("\u{feff}ISA*00*"));
        assert!(
            !text.contains("BIGBUYER") && !text.contains("SELLER"),
            "{text}"
        );
    }

    #[test]
    fn what_begins_like_an_interchange_still_does_behind_a_byte_order_mark() {
        let file = "\u{feff}ISA*00*          *00*          *ZZ*BIGBUYER~GS*PO*BIGBUYER~";
        let redacted = redact(file.as_bytes(), b"key").unwrap().bytes;
        assert_eq!(
            findings_of(file.as_bytes()).unwrap(),
            findings_of(&redacted).unwrap()
        );
        assert!(!String::from_utf8(redacted).unwrap().contains("BIGBUYER"));
    }

    #[test]
    fn equal_values_stay_equal_and_check_digits_stay_what_they_were() {
        let text = String::from_utf8(redact(FILE.as_bytes(), b"key").unwrap().bytes).unwrap();
        let part = |from: &str, separator: char| {
            text.split(from)
                .nth(1)
                .unwrap()
                .split(separator)
                .next()
                .unwrap()
                .trim()
                .to_owned()
        };
        assert_eq!(part("*ZZ*", '*'), part("GS*PO*", '*'));
        let codes: Vec<&str> = text
            .split("*UP*")
            .skip(1)
            .map(|rest| rest.split('~').next().unwrap())
            .collect();
        let is_right = |code: &str| check_digit(code.as_bytes()) == code.as_bytes().last().copied();
        assert!(is_right(codes[0]) && !is_right(codes[1]), "{codes:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_file_and_another_another() {
        let with = |key: &[u8]| redact(FILE.as_bytes(), key).unwrap().bytes;
        assert_eq!(with(b"a"), with(b"a"));
        assert_ne!(with(b"a"), with(b"b"));
    }

    #[test]
    fn foreign_letters_keep_their_length() {
        let new = replaced(b"k", "Müller 東".as_bytes(), Kind::Text, 0);
        assert_eq!(new.len(), "Müller 東".len());
        assert!(std::str::from_utf8(&new).unwrap().contains('é'));
    }
}
