//! What comes out of a partner's file comes out as text: markup is escaped, and characters that show nothing, or turn
//! the direction of writing, are shown by name.

use std::fmt::{self, Write};

use askama::filters::Escaper;

/// The escaper of every page (`askama.toml`).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        let mut plain_from = 0;
        for (at, character) in text.char_indices() {
            if !is_special(character) {
                continue;
            }
            dest.write_str(text.get(plain_from..at).unwrap_or_default())?;
            write_special(&mut dest, character)?;
            plain_from = at + character.len_utf8();
        }
        dest.write_str(text.get(plain_from..).unwrap_or_default())
    }
}

fn is_special(character: char) -> bool {
    matches!(character, '<' | '>' | '&' | '"' | '\'') || is_hidden(character)
}

/// Whether a character shows nothing or changes how its neighbours are shown: controls other than line break and
/// tabulator, marks of direction, blanks without width, line and paragraph separators, tags.
pub(crate) fn is_hidden(character: char) -> bool {
    match character {
        '\n' | '\r' | '\t' => false,
        '\u{0}'..='\u{1F}' | '\u{7F}'..='\u{9F}' | '\u{AD}' => true,
        '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' => true,
        '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' => true,
        '\u{E0000}'..='\u{E007F}' => true,
        _ => false,
    }
}

fn write_special<W: Write>(dest: &mut W, character: char) -> fmt::Result {
    match character {
        '<' => dest.write_str("&lt;"),
        '>' => dest.write_str("&gt;"),
        '&' => dest.write_str("&amp;"),
        '"' => dest.write_str("&quot;"),
        '\'' => dest.write_str("&#39;"),
        hidden => dest.write_str(&shown(hidden)),
    }
}

/// How a hidden character is shown: the picture of a control (␀), the number of any other (‹U+202E›).
pub(crate) fn shown(hidden: char) -> String {
    let number = u32::from(hidden);
    match number {
        0..=0x1F => char::from_u32(0x2400 + number).map_or_else(String::new, String::from),
        0x7F => "\u{2421}".to_owned(),
        _ => format!("‹U+{number:04X}›"),
    }
}

/// Bytes as text, for showing: UTF-8 where it is, otherwise each byte as Latin-1 has it.
pub(crate) fn decoded(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Text with markup escaped and nothing else changed: for what a form sends back as it was.
pub(crate) fn verbatim(text: &str) -> askama::filters::Safe<String> {
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    askama::filters::Safe(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        Visible.write_escaped_str(&mut out, text).unwrap();
        out
    }

    #[test]
    fn hostile_text_comes_out_as_text() {
        for (text, shown) in [
            ("plain", "plain"),
            ("", ""),
            (
                "<script>alert('x')</script>",
                "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;",
            ),
            ("\" onmouseover=\"x", "&quot; onmouseover=&quot;x"),
            ("a\0b\u{1b}[2J", "a␀b␛[2J"),
            ("abc\u{202e}fed", "abc‹U+202E›fed"),
            ("zero\u{200b}width\u{feff}", "zero‹U+200B›width‹U+FEFF›"),
            ("line\r\nbreak\ttab", "line\r\nbreak\ttab"),
            ("Zürich ✓ שלום", "Zürich ✓ שלום"),
            ("\u{7f}\u{85}", "␡‹U+0085›"),
        ] {
            assert_eq!(escaped(text), shown);
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_are_read_as_latin_1() {
        assert_eq!(decoded(b"caf\xe9"), "café");
        assert_eq!(decoded("café".as_bytes()), "café");
    }
}
