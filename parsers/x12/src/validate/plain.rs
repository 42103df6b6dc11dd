//! The quick check that nearly every segment passes. It only says that there is nothing to say:
//! whatever it does not let pass is looked at again, element by element, by
//! [`Checks::segment`](super::elements::Checks::segment), which alone makes findings.

use super::elements::Checks;
use crate::element::{decimal_digits, is_date, is_time};
use crate::schema::{Check, CheckKind, Definition, Release};
use crate::set::{Segment, TransactionSet};

/// Which elements of a segment were given together and broke no condition, remembered from set to
/// set: real files have few patterns. Each has one slot.
#[derive(Debug)]
pub(super) struct Patterns(Vec<(u64, u32)>);

impl Default for Patterns {
    fn default() -> Patterns {
        Patterns(vec![(0, u32::MAX); 256])
    }
}

impl Patterns {
    /// Whether these elements of a segment fulfil its conditions.
    #[inline]
    fn fulfil(&mut self, present: u64, release: Release, definition: &Definition) -> bool {
        if definition.conditions.is_empty() {
            return true;
        }
        let which = u32::from(definition.ordinal) << 1 | u32::from(release > Release::R004010);
        let hash = (present ^ u64::from(which) << 48).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let slot = &mut self.0[(hash >> 56) as usize];
        if *slot == (present, which) {
            return true;
        }
        let fulfilled = definition
            .conditions
            .iter()
            .all(|condition| condition.is_fulfilled(present));
        if fulfilled {
            *slot = (present, which);
        }
        fulfilled
    }
}

/// Whether a set holds nothing but characters that text may hold, without the separators of
/// components and repetitions: then no value has to be looked at for them.
pub(super) fn is_all_text(set: &TransactionSet, refused: [Option<u8>; 4]) -> bool {
    let text = set.text.as_bytes();
    // What can only stand between the values: separators that stand in the text as themselves, and
    // line ends where the interchange has some, for within a segment the reader leaves them out.
    // A byte that UTF-8 never has stands for none.
    let none = 0xff;
    let as_itself = |separator: u8| if separator < 0x80 { separator } else { none };
    let has_line_ends = !set.delimiters.after_terminator.as_bytes().is_empty();
    let line_end = |byte: u8| if has_line_ends { byte } else { none };
    let passed = [
        as_itself(set.delimiters.element),
        as_itself(set.delimiters.terminator),
        line_end(b'\r'),
        line_end(b'\n'),
    ];
    let refused = refused.map(|byte| byte.unwrap_or(none));
    let is_bad = |byte: u8| {
        refused
            .iter()
            .fold(byte.wrapping_sub(b' ') > b'~' - b' ', |bad, other| {
                bad | (byte == *other)
            })
    };
    let is_passed = |byte: u8| passed.iter().fold(false, |is, other| is | (byte == *other));
    let (blocks, rest) = text.as_chunks::<64>();
    blocks.iter().all(|block| {
        let bad = block.iter().fold(false, |bad, byte| bad | is_bad(*byte));
        !bad || !block
            .iter()
            .fold(false, |bad, byte| bad | (is_bad(*byte) & !is_passed(*byte)))
    }) && rest.iter().all(|byte| !is_bad(*byte) || is_passed(*byte))
}

impl Checks<'_> {
    /// Whether nothing has to be said about a segment: every mandatory element is given, every
    /// value is right, every condition fulfilled.
    #[inline]
    pub fn pass(
        &self,
        segment: Segment<'_>,
        definition: &Definition,
        patterns: &mut Patterns,
    ) -> bool {
        let text = segment.set.text.as_bytes();
        let ends = segment.ends();
        let Some((first, ends)) = ends.split_first() else {
            return false;
        };
        if ends.len() > definition.checks.len() || definition.checks.len() >= 64 {
            return false;
        }
        let (mut present, mut bit) = (0u64, 2u64);
        let mut from = *first as usize + 1;
        let mut is_last_given = true;
        for (check, end) in definition.checks.iter().zip(ends) {
            let to = *end as usize;
            is_last_given = from < to;
            if is_last_given {
                if !self.is_right(check, text, from, to) {
                    return false;
                }
                present |= bit;
            }
            bit <<= 1;
            from = to + 1;
        }
        is_last_given
            && present & definition.mandatory == definition.mandatory
            && patterns.fulfil(present, self.release, definition)
    }

    /// Whether the value between two places of the text is certainly right.
    #[inline(always)]
    fn is_right(&self, check: &Check, text: &[u8], from: usize, to: usize) -> bool {
        let length = to - from;
        if length < usize::from(check.min) || length > usize::from(check.max) {
            return false;
        }
        let Some(value) = text.get(from..to) else {
            return false;
        };
        match check.kind {
            CheckKind::Text => {
                value.last() != Some(&b' ') && (self.is_all_text || self.classes.text(value))
            }
            CheckKind::Code => {
                Word::at(text, from, length).is_some_and(Word::is_capitals_and_digits)
            }
            CheckKind::Listed => {
                let element = self.dictionary.elements.get(usize::from(check.element));
                let codes = element.and_then(|element| element.codes.as_ref());
                let word = Word::at(text, from, length);
                codes
                    .zip(word)
                    .is_some_and(|(codes, word)| codes.packed.hold(word.bytes))
            }
            CheckKind::Whole => match Word::at(text, from, length) {
                Some(word) => word.is_digits(),
                None => value.iter().all(u8::is_ascii_digit),
            },
            CheckKind::Decimal => match Word::at(text, from, length) {
                Some(word) => word.decimal_digits(),
                None => decimal_digits(value),
            }
            .is_some_and(|digits| digits >= usize::from(check.min)),
            CheckKind::Date => is_date(value),
            CheckKind::Time => is_time(value),
            CheckKind::Other => false,
        }
    }
}

/// A value of one to eight bytes, all of it in one register: the first byte lowest, and zeros.
#[derive(Debug, Clone, Copy)]
struct Word {
    bytes: u64,
    length: usize,
}

/// The same byte eight times.
const fn all(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

impl Word {
    #[inline(always)]
    fn at(text: &[u8], from: usize, length: usize) -> Option<Word> {
        if !(1..=8).contains(&length) {
            return None;
        }
        let eight = match text.get(from..).and_then(|rest| rest.first_chunk::<8>()) {
            Some(eight) => *eight,
            None => {
                let mut eight = [0; 8];
                eight[..length].copy_from_slice(text.get(from..from + length)?);
                eight
            }
        };
        Some(Word {
            bytes: u64::from_le_bytes(eight) & Word::used(length),
            length,
        })
    }

    /// The bits of the bytes that count.
    #[inline(always)]
    fn used(length: usize) -> u64 {
        u64::MAX >> (64 - 8 * length)
    }

    /// The highest bit of each byte that is at least this. None of the bytes may be above 127.
    #[inline(always)]
    fn at_least(bytes: u64, least: u8) -> u64 {
        bytes.wrapping_add(all(0x80 - least))
    }

    #[inline(always)]
    fn is_digits(self) -> bool {
        // What does not count is read as the digit 0.
        let bytes = self.bytes | all(b'0') & !Word::used(self.length);
        let in_range = Word::at_least(bytes, b'0') & !Word::at_least(bytes, b'9' + 1);
        bytes & all(0x80) == 0 && in_range & all(0x80) == all(0x80)
    }

    #[inline(always)]
    fn is_capitals_and_digits(self) -> bool {
        let bytes = self.bytes | all(b'0') & !Word::used(self.length);
        let digits = Word::at_least(bytes, b'0') & !Word::at_least(bytes, b'9' + 1);
        let capitals = Word::at_least(bytes, b'A') & !Word::at_least(bytes, b'Z' + 1);
        bytes & all(0x80) == 0 && (digits | capitals) & all(0x80) == all(0x80)
    }

    /// How many digits a number has that is all digits but for one point at most.
    #[inline(always)]
    fn decimal_digits(self) -> Option<usize> {
        // The highest bit of each byte that is a point. Bytes above 127 are none, and no digits.
        let others = self.bytes ^ all(b'.');
        let points = !((others & all(0x7f)).wrapping_add(all(0x7f)) | others | all(0x7f));
        let is_one = points & points.wrapping_sub(1) == 0;
        let digits = Word {
            bytes: self.bytes ^ ((points >> 7) * u64::from(b'.' ^ b'0')),
            length: self.length,
        };
        let count = self.length - usize::from(points != 0);
        (is_one && count > 0 && digits.is_digits()).then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        #[test]
        fn words_are_what_their_bytes_are(value in prop_oneof![
            "[0-9.]{1,8}", "[A-Z0-9]{1,8}", "[0-9A-Z@\\[`{/:. -]{1,8}", "\\PC{1,3}"
        ], before in 0usize..3, behind in 0usize..9) {
            prop_assume!(value.len() <= 8);
            let text = format!("{}{value}{}", "*".repeat(before), "~".repeat(behind));
            let bytes = value.as_bytes();
            let word = Word::at(text.as_bytes(), before, bytes.len()).unwrap();
            prop_assert_eq!(word.is_digits(), bytes.iter().all(u8::is_ascii_digit));
            let code = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit();
            prop_assert_eq!(word.is_capitals_and_digits(), bytes.iter().all(code));
            let digits = element::decimal_digits(bytes).filter(|_| bytes[0] != b'-');
            prop_assert_eq!(word.decimal_digits(), digits);
            prop_assert_eq!(Some(word.bytes), crate::schema::CodeList::pack(bytes));
        }

        #[test]
        fn what_passes_has_no_finding(ordinal: usize, later: bool, values in proptest::collection::vec(prop_oneof![
            2 => Just(String::new()), 1 => Just("20260115".to_owned()), 1 => Just("1230".to_owned()),
            1 => Just("EA".to_owned()), 1 => Just("ZZ".to_owned()), 2 => "[0-9]{1,10}", 1 => "-?[0-9]{0,4}[.]?[0-9]{0,4}",
            2 => "[A-Z0-9]{1,9}", 1 => "[ -)+-}]{1,12}", 1 => "[A-Z ü>^]{1,4}"
        ], 0..12)) {
            use crate::validate::Report;
            let release = if later { Release::R005010 } else { Release::R004010 };
            let registry = crate::SchemaRegistry::standard();
            let schema = registry.find("850", release).unwrap();
            let definitions = &schema.dictionary.segments;
            let definition = &definitions[ordinal % definitions.len()];
            let delimiters = crate::Delimiters { repetition: later.then_some(b'^'), ..crate::Delimiters::default() };
            let text = format!("{}*{}~SE*1*0001~", definition.id, values.join("*"));
            let set = TransactionSet::from_bytes(text.as_bytes(), delimiters);
            let segment = set.segment(1).unwrap();
            let checks = Checks::new(schema, &set, None);
            let mut patterns = Patterns::default();
            let mut report = Report { set: &set, findings: Vec::new(), limit: 1_000, full: false, seen: Default::default() };
            let passes = checks.pass(segment, definition, &mut patterns);
            checks.segment(segment, definition, crate::schema::NONE, &mut report);
            prop_assert!(!passes || report.findings.is_empty(), "{:?}", report.findings);
            prop_assert_eq!(checks.pass(segment, definition, &mut patterns), passes);
        }

        #[test]
        fn all_text_is_what_every_value_is(values in proptest::collection::vec(
            prop_oneof!["[ -~]{0,90}", "[ -~\\t\u{7f}\nü]{0,9}"], 1..4), has_lines: bool) {
            use crate::element::{Allowed, ByteClasses, CharacterSet};
            use crate::{AfterTerminator, Delimiters};
            let mut body = values.join("*").replace('~', "");
            let after_terminator = match has_lines {
                true => AfterTerminator::CRLF,
                false => AfterTerminator::NONE,
            };
            if has_lines {
                body = body.replace('\n', "");
            }
            let end = if has_lines { "\r\n" } else { "" };
            let text = format!("MSG*{body}~{end}SE*2*0001~{end}");
            let delimiters = Delimiters { after_terminator, ..Delimiters::default() };
            let set = TransactionSet::from_bytes(text.as_bytes(), delimiters);
            let classes = ByteClasses::new(Allowed::new(CharacterSet::Extended, false, false), [Some(b'>'), None]);
            let all = set.segments().all(|segment| segment.elements().all(|value| classes.text(value.as_bytes())));
            prop_assert_eq!(is_all_text(&set, [Some(b'>'), None, Some(b'^'), Some(b'`')]), all);
        }
    }
}
