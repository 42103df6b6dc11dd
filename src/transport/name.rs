//! File names as we take them, whoever they come from.

/// A file name that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameRefused {
    /// More than [`NAME_BYTES`] bytes.
    #[error("the file name is longer than {NAME_BYTES} bytes")]
    TooLong,
    /// A character outside the letters, digits and printable ASCII characters, or a backslash.
    #[error("the file name holds the character U+{:04X}, which is not allowed; use letters, digits and . _ - ", *.0 as u32)]
    Character(char),
    /// A space at either end, where people do not see it.
    #[error("the file name begins or ends with a space")]
    OuterSpace,
}

/// Longest file name, in bytes of UTF-8.
pub const NAME_BYTES: usize = 255;
/// A name that may stand in a listing, a log and a mail without deceiving anyone.
///
/// # Errors
/// When it breaks a rule.
pub fn checked_name(name: &str) -> Result<String, NameRefused> {
    if name.len() > NAME_BYTES {
        return Err(NameRefused::TooLong);
    }
    if name.starts_with(' ') || name.ends_with(' ') {
        return Err(NameRefused::OuterSpace);
    }
    match name.chars().find(|&c| !allowed(c)) {
        Some(refused) => Err(NameRefused::Character(refused)),
        None => Ok(name.to_owned()),
    }
}

/// Letters and digits of any script and the accents that some clients send apart from their letters. That leaves out
/// control characters, invisible ones, those that turn the writing direction, look-alikes of `/` and `.`, and U+FFFD,
/// which stands for bytes that were not UTF-8.
fn allowed(c: char) -> bool {
    if c.is_ascii() {
        return (c.is_ascii_graphic() || c == ' ') && c != '\\' && c != '/';
    }
    c.is_alphanumeric() || ('\u{300}'..='\u{36F}').contains(&c)
}

/// Does this name say that the file is not complete yet? Such a file waits for its rename.
pub fn is_temporary(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    name.starts_with('.')
        || [".tmp", ".part", ".filepart"]
            .iter()
            .any(|end| lower.ends_with(end))
}

/// The names under which a file of this name may have been on its way: its own, and the temporary ones that clients
/// commonly make of it.
pub fn names_while_uploaded(name: &str) -> [String; 5] {
    [
        name.to_owned(),
        format!(".{name}"),
        format!("{name}.tmp"),
        format!("{name}.part"),
        format!("{name}.filepart"),
    ]
}

/// Does one of the patterns fit? `*` stands for any characters, `?` for any one; none but these are special.
pub fn matches_any(patterns: &[String], name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    patterns
        .iter()
        .any(|pattern| matches(&pattern.chars().collect::<Vec<_>>(), &name))
}

/// Walks both at once, and goes back to the last star only, so that no pattern takes long.
fn matches(pattern: &[char], name: &[char]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                last_star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match last_star {
                Some((star, taken)) => {
                    last_star = Some((star, taken + 1));
                    p = star + 1;
                    n = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "po.edi", true),
            ("", "", true),
            ("", "a", false),
            ("*.edi", "po.edi", true),
            ("*.edi", "po.edi.bak", false),
            ("*.edi", ".edi", true),
            ("850_??.*", "850_01.x12", true),
            ("850_??.*", "850_1.x12", false),
            ("*850*", "PO850.txt", true),
            ("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("[a].edi", "a.edi", false),
            ("PO.EDI", "po.edi", false),
            ("?", "\u{fc}", true),
        ] {
            assert_eq!(
                matches_any(&[pattern.to_owned()], name),
                expected,
                "{pattern} {name}"
            );
        }
        assert!(!matches_any(&[], "a"));
    }

    #[test]
    fn temporary_names() {
        for (name, expected) in [
            ("po.edi", false),
            ("po.edi.tmp", true),
            ("po.TMP", true),
            ("po.edi.part", true),
            ("po.edi.filepart", true),
            (".po.edi", true),
            ("tmp", false),
            ("po.tmp.edi", false),
        ] {
            assert_eq!(is_temporary(name), expected, "{name}");
        }
    }
}
