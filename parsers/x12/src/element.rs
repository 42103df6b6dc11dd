//! The data types of elements: what a value may look like (rules 14 to 21).

/// The type of a data element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementType {
    /// Text.
    An,
    /// A code, in a list or not.
    Id,
    /// A date of 6 or 8 digits.
    Dt,
    /// A time of 4, 6, 7 or 8 digits.
    Tm,
    /// A number with an explicit decimal point.
    R,
    /// A number with so many implied decimals.
    N(u8),
    /// Bytes of any kind.
    B,
}

/// What characters a value may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CharacterSet {
    /// Rule 21's basic set: capitals, digits and some signs.
    Basic,
    /// The extended set; from 005010 with `^` and the backtick.
    Extended,
}

const BASIC: u8 = 1;
const EXTENDED: u8 = 2;
const LATER: u8 = 4;
const HIGH: u8 = 8;
const CONTROL: u8 = 16;
/// Beside another class: a capital or a digit.
const CODE: u8 = 32;

/// The class of each byte, one bit each.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [CONTROL; 256];
    let mut byte = 0usize;
    while byte < 256 {
        let class = match byte as u8 {
            b'A'..=b'Z' | b'0'..=b'9' => BASIC | CODE,
            b' ' => BASIC,
            b'!' | b'"' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'-' | b'.' | b'/'
            | b':' | b';' | b'?' | b'=' => BASIC,
            b'a'..=b'z'
            | b'%'
            | b'~'
            | b'@'
            | b'['
            | b']'
            | b'_'
            | b'{'
            | b'}'
            | b'\\'
            | b'|'
            | b'<'
            | b'>'
            | b'#'
            | b'$' => EXTENDED,
            b'^' | b'`' => LATER,
            0x80..=0xff => HIGH,
            _ => CONTROL,
        };
        table[byte] = class;
        byte += 1;
    }
    table
}

/// The classes of bytes in one interchange: its separators are no characters of a value.
#[derive(Debug, Clone)]
pub(crate) struct ByteClasses {
    table: [u8; 256],
    refused: u8,
}

impl ByteClasses {
    /// The table for what is allowed, with the separators that may stand within an element.
    pub fn new(allowed: Allowed, separators: [Option<u8>; 2]) -> ByteClasses {
        let mut table = CLASSES;
        for separator in separators.into_iter().flatten() {
            table[usize::from(separator)] = CONTROL;
        }
        ByteClasses {
            table,
            refused: !allowed.0 & !CODE,
        }
    }

    /// Whether every byte is an allowed character and none separates.
    #[inline]
    pub fn text(&self, bytes: &[u8]) -> bool {
        bytes
            .iter()
            .fold(0, |seen, byte| seen | self.table[usize::from(*byte)])
            & self.refused
            == 0
    }

    /// Whether every byte is a capital or a digit.
    #[inline]
    pub fn code(&self, bytes: &[u8]) -> bool {
        bytes
            .iter()
            .fold(CODE, |seen, byte| seen & self.table[usize::from(*byte)])
            != 0
    }
}

/// What a set may hold besides the basic characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowed(u8);

impl Allowed {
    /// `later` allows `^` and the backtick (005010).
    pub fn new(set: CharacterSet, later: bool, high: bool) -> Allowed {
        let mut mask = BASIC;
        if set == CharacterSet::Extended {
            mask |= EXTENDED;
        }
        if later {
            mask |= LATER;
        }
        if high {
            mask |= HIGH;
        }
        Allowed(mask)
    }

    /// Whether every byte is allowed.
    #[inline]
    pub fn all(self, bytes: &[u8]) -> bool {
        bytes
            .iter()
            .fold(0, |seen, byte| seen | CLASSES[usize::from(*byte)])
            & !self.0
            & !CODE
            == 0
    }

    /// The first character that is not.
    pub fn first_refused(self, text: &str) -> Option<char> {
        text.char_indices()
            .find(|(at, _)| CLASSES[usize::from(text.as_bytes()[*at])] & !self.0 & !CODE != 0)
            .map(|(_, c)| c)
    }
}

/// Six digits YYMMDD or eight CCYYMMDD that are a day of the calendar (rule 18).
pub fn is_date(value: &[u8]) -> bool {
    if !matches!(value.len(), 6 | 8) || !value.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let number = |bytes: &[u8]| bytes.iter().fold(0u32, |n, b| n * 10 + u32::from(b - b'0'));
    let (year, rest) = value.split_at(value.len() - 4);
    let (year, month, day) = (number(year), number(&rest[..2]), number(&rest[2..]));
    // A year of two digits: 00 is 2000, a leap year as are all of its multiples of four here.
    let year = if value.len() == 6 { 2000 + year } else { year };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    year > 0 && (1..=days).contains(&day)
}

/// HHMM, HHMMSS, HHMMSSD or HHMMSSDD that is a time of day (rule 19).
pub fn is_time(value: &[u8]) -> bool {
    if !matches!(value.len(), 4 | 6 | 7 | 8) || !value.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let pair = |at: usize| {
        value
            .get(at..at + 2)
            .map_or(0, |p| (p[0] - b'0') * 10 + (p[1] - b'0'))
    };
    pair(0) < 24 && pair(2) < 60 && (value.len() == 4 || pair(4) < 60)
}

/// The digits of an Nn value, or none if it is not one (rule 14).
pub(crate) fn integer_digits(value: &[u8]) -> Option<usize> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then_some(digits.len())
}

/// The digits of an R value, or none if it is not one (rule 15). An exponent is refused.
pub(crate) fn decimal_digits(value: &[u8]) -> Option<usize> {
    let rest = value.strip_prefix(b"-").unwrap_or(value);
    let (mut digits, mut points) = (0, 0);
    for byte in rest {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'.' => points += 1,
            _ => return None,
        }
    }
    (digits > 0 && points <= 1).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_018_dates_of_the_calendar() {
        for good in [
            "20240229", "20000229", "20261231", "240229", "000229", "00010101",
        ] {
            assert!(is_date(good.as_bytes()), "{good}");
        }
        for bad in [
            "20230229", "19000229", "20261301", "20260431", "20260400", "00000101", "2026011",
            "2026O101", "", "260631",
        ] {
            assert!(!is_date(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn rule_019_times_of_day() {
        for good in ["0000", "2359", "235959", "2359599", "23595999"] {
            assert!(is_time(good.as_bytes()), "{good}");
        }
        for bad in [
            "2400",
            "1260",
            "125960",
            "12345",
            "123",
            "",
            "12A0",
            "123456789",
        ] {
            assert!(!is_time(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn rule_014_implied_decimals() {
        assert_eq!(integer_digits(b"12345"), Some(5));
        assert_eq!(integer_digits(b"-5"), Some(1));
        for bad in ["1.5", "+5", "1,5", " ", "", "-", "5-", "1 2"] {
            assert_eq!(integer_digits(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn rule_015_explicit_decimals() {
        for (good, digits) in [(".5", 1), ("0.5", 2), ("5", 1), ("5.", 1), ("-12.50", 4)] {
            assert_eq!(decimal_digits(good.as_bytes()), Some(digits), "{good}");
        }
        for bad in ["-", ".", "", "+5", "1,000", "1E3", "1.2.3", " 5"] {
            assert_eq!(decimal_digits(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn rule_021_characters() {
        let basic = Allowed::new(CharacterSet::Basic, false, false);
        let extended = Allowed::new(CharacterSet::Extended, false, false);
        let later = Allowed::new(CharacterSet::Extended, true, false);
        assert!(basic.all(b"ABC 019 !\"&'()*+,-./:;?="));
        assert!(!basic.all(b"abc") && extended.all(b"abc%~@[]_{}\\|<>#$"));
        assert!(!extended.all(b"^") && later.all(b"^`"));
        assert!(!later.all(b"\t") && !later.all("ü".as_bytes()));
        assert_eq!(extended.first_refused("abc\tü"), Some('\t'));
    }
}
