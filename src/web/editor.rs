//! A transaction set as text that a person can correct in a form, and the corrected text as bytes again.
//!
//! One segment stands on a line. What a form can not carry is shown by a picture (␀) and comes back as what it was; line
//! breaks between segments come back as the file had them.

use supercargo_x12::Delimiters;

/// The text of a set, and how its bytes are letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EditorText {
    pub(crate) text: String,
    /// Each byte is a letter of Latin-1; otherwise the bytes are UTF-8.
    pub(crate) is_latin1: bool,
}

/// Why corrected text can not be made bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotBytes {
    /// A letter beyond the file's encoding.
    #[error(
        "The letter {0:?} does not exist in the encoding of this file (Latin-1): replace it, {0:?} can not be sent."
    )]
    Letter(char),
    /// Nothing is left.
    #[error("The text is empty: a transaction set goes from its ST to its SE.")]
    Empty,
}

/// Bytes of a set as text for a form.
pub(crate) fn to_text(bytes: &[u8], delimiters: &Delimiters) -> EditorText {
    let (letters, is_latin1) = match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (bytes.iter().map(|byte| char::from(*byte)).collect(), true),
    };
    let terminator = char::from(delimiters.terminator);
    let mut text = String::with_capacity(letters.len() + letters.len() / 30);
    let mut after_terminator = false;
    for letter in letters.chars() {
        if letter == terminator {
            if !matches!(letter, '\n' | '\r') {
                text.push(pictured(letter));
            }
            text.push('\n');
            after_terminator = true;
        } else if after_terminator && matches!(letter, '\r' | '\n') {
            // a break between segments: every segment has its line here anyway
        } else {
            after_terminator = false;
            text.push(pictured(letter));
        }
    }
    EditorText {
        text: text.trim_end_matches('\n').to_owned(),
        is_latin1,
    }
}

/// Text of a form as bytes of a set.
pub(crate) fn to_bytes(
    text: &str,
    is_latin1: bool,
    delimiters: &Delimiters,
) -> Result<Vec<u8>, NotBytes> {
    let terminator = char::from(delimiters.terminator);
    let breaks_are_terminators = matches!(terminator, '\n' | '\r');
    let unified = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut letters = String::with_capacity(unified.len());
    for line in unified.split('\n').filter(|line| !line.trim().is_empty()) {
        letters.extend(line.chars().map(unpictured));
        if breaks_are_terminators {
            letters.push(terminator);
        }
    }
    if letters.trim().is_empty() {
        return Err(NotBytes::Empty);
    }
    let after = delimiters.after_terminator.as_bytes();
    let mut bytes = Vec::with_capacity(letters.len());
    for letter in letters.chars() {
        if is_latin1 {
            bytes.push(u8::try_from(u32::from(letter)).map_err(|_| NotBytes::Letter(letter))?);
        } else {
            bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        }
        if letter == terminator {
            bytes.extend_from_slice(after);
        }
    }
    Ok(bytes)
}

/// A control as its picture.
fn pictured(letter: char) -> char {
    match u32::from(letter) {
        number @ 0..=0x1F => char::from_u32(0x2400 + number).unwrap_or(letter),
        0x7F => '\u{2421}',
        _ => letter,
    }
}

/// A picture as its control.
fn unpictured(letter: char) -> char {
    match u32::from(letter) {
        number @ 0x2400..=0x241F => char::from_u32(number - 0x2400).unwrap_or(letter),
        0x2421 => '\u{7F}',
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use supercargo_x12::AfterTerminator;

    fn delimiters(terminator: u8, after: &[u8]) -> Delimiters {
        Delimiters {
            terminator,
            after_terminator: AfterTerminator::new(after),
            ..Delimiters::default()
        }
    }

    #[test]
    fn what_is_not_touched_comes_back_byte_for_byte() {
        let table: [(&[u8], Delimiters); 7] = [
            (b"ST*850*0001~BEG*00~SE*3*0001~", delimiters(b'~', b"")),
            (
                b"ST*850*0001~\r\nBEG*00~\r\nSE*3*0001~\r\n",
                delimiters(b'~', b"\r\n"),
            ),
            (b"ST*850*0001\nBEG*00\nSE*3*0001\n", delimiters(b'\n', b"")),
            (
                b"ST*850*0001\r\nBEG*00\r\nSE*3*0001\r\n",
                delimiters(b'\r', b"\n"),
            ),
            (
                b"ST*850*0001~MSG*a\0b\x1fc\x0bd~SE*3*0001~",
                delimiters(b'~', b""),
            ),
            (b"ST*850*0001~MSG*caf\xe9~SE*3*0001~", delimiters(b'~', b"")),
            (
                "ST*850*0001~MSG*café <b>~SE*3*0001~".as_bytes(),
                delimiters(b'~', b""),
            ),
        ];
        for (bytes, delimiters) in table {
            let shown = to_text(bytes, &delimiters);
            // a form sends its line breaks as CR LF
            let sent = shown.text.replace('\n', "\r\n");
            assert_eq!(
                to_bytes(&sent, shown.is_latin1, &delimiters).unwrap(),
                bytes,
                "{}",
                shown.text
            );
        }
    }

    #[test]
    fn one_segment_stands_on_a_line() {
        let shown = to_text(b"ST*850*0001~BEG*00~SE*3*0001~", &delimiters(b'~', b""));
        assert_eq!(shown.text, "ST*850*0001~\nBEG*00~\nSE*3*0001~");
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let latin = to_bytes("ST*850~MSG*✓~", true, &delimiters(b'~', b""));
        assert_eq!(latin, Err(NotBytes::Letter('✓')));
        assert_eq!(
            to_bytes(" \r\n ", false, &delimiters(b'~', b"")),
            Err(NotBytes::Empty)
        );
    }
}
