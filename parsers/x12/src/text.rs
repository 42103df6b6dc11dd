//! Bytes read as text: UTF-8 where it is valid, Latin-1 where it is not.

use std::borrow::Cow;

/// The bytes as text. Nothing is lost for a reader: invalid UTF-8 is taken for Latin-1.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()),
    }
}

/// A byte as a person should see it in a message: itself, or its number.
pub fn show_byte(byte: u8) -> String {
    match byte {
        b'\n' => "line feed".to_owned(),
        b'\r' => "carriage return".to_owned(),
        b'\t' => "tab".to_owned(),
        b' ' => "blank".to_owned(),
        0x21..=0x7e => format!("`{}`", char::from(byte)),
        other => format!("byte 0x{other:02X}"),
    }
}

/// A value as a person should see it in a message: cut, control characters made visible.
pub fn show(value: &str) -> String {
    const LIMIT: usize = 40;
    let mut shown: String = value
        .chars()
        .take(LIMIT)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if value.chars().nth(LIMIT).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// How many of something: `1 group`, `2 groups`.
pub(crate) fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// How many of something there were: `1 group was`, `2 groups were`.
pub(crate) fn were(count: u64, what: &str) -> String {
    let verb = if count == 1 { "was" } else { "were" };
    format!("{} {verb}", counted(count, what))
}

/// How many of something there are: `1 element stands`, `2 elements stand`.
pub(crate) fn stand(count: usize, what: &str) -> String {
    let verb = if count == 1 { "stands" } else { "stand" };
    format!("{} {verb}", counted(count as u64, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_agree_with_their_words() {
        assert_eq!(counted(1, "time"), "1 time");
        assert_eq!(were(0, "group"), "0 groups were");
        assert_eq!(were(1, "group"), "1 group was");
    }

    #[test]
    fn latin_1_where_utf_8_fails() {
        assert_eq!(decode(b"M\xfcller"), "Müller");
        assert_eq!(decode("Müller".as_bytes()), "Müller");
    }
}
