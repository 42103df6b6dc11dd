//! The bytes that separate: they are declared by each ISA anew.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What stands after every segment terminator: nothing, or a line end that a sender added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct AfterTerminator {
    bytes: [u8; 5],
    len: u8,
}

impl AfterTerminator {
    /// Nothing.
    pub const NONE: AfterTerminator = AfterTerminator {
        bytes: [0; 5],
        len: 0,
    };
    /// A line feed.
    pub const LF: AfterTerminator = AfterTerminator {
        bytes: [b'\n', 0, 0, 0, 0],
        len: 1,
    };
    /// Carriage return and line feed.
    pub const CRLF: AfterTerminator = AfterTerminator {
        bytes: [b'\r', b'\n', 0, 0, 0],
        len: 2,
    };

    /// Up to five bytes; what is beyond is dropped.
    pub fn new(bytes: &[u8]) -> AfterTerminator {
        let mut after = AfterTerminator::NONE;
        for (slot, byte) in after.bytes.iter_mut().zip(bytes) {
            *slot = *byte;
            after.len += 1;
        }
        after
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len.min(5))]
    }
}

/// The separators of one interchange.
///
/// Serialized as text of one character each, so that a profile can say `element = "*"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delimiters {
    /// Between elements; byte 4 of the ISA.
    #[serde(with = "character")]
    pub element: u8,
    /// Between the components of a composite; ISA16.
    #[serde(with = "character")]
    pub component: u8,
    /// Between repetitions; ISA11 from version 00402 on, none before.
    #[serde(with = "optional_character", skip_serializing_if = "Option::is_none")]
    pub repetition: Option<u8>,
    /// After each segment; byte 106 of the ISA.
    #[serde(with = "character")]
    pub terminator: u8,
    /// What follows each terminator.
    #[serde(with = "after")]
    pub after_terminator: AfterTerminator,
}

impl Default for Delimiters {
    /// `*`, `>`, no repetition separator, `~`, nothing after the terminator.
    fn default() -> Self {
        Delimiters {
            element: b'*',
            component: b'>',
            repetition: None,
            terminator: b'~',
            after_terminator: AfterTerminator::NONE,
        }
    }
}

impl Delimiters {
    /// The separators as they stand in text: control characters take the place of those above 127, which would be two
    /// bytes there.
    #[must_use]
    pub fn in_text(&self) -> Delimiters {
        let plain = |byte: u8, instead: u8| if byte < 0x80 { byte } else { instead };
        Delimiters {
            element: plain(self.element, 0x1d),
            component: plain(self.component, 0x1f),
            repetition: self.repetition.map(|byte| plain(byte, 0x1e)),
            ..*self
        }
    }

    /// Whether the byte separates anything.
    pub fn contains(&self, byte: u8) -> bool {
        byte == self.element
            || byte == self.component
            || byte == self.terminator
            || Some(byte) == self.repetition
    }

    /// The separators in use, each with the name that messages give it.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, u8)> {
        [
            Some(("element separator", self.element)),
            Some(("component separator", self.component)),
            self.repetition.map(|byte| ("repetition separator", byte)),
            Some(("segment terminator", self.terminator)),
        ]
        .into_iter()
        .flatten()
    }

    /// Whether the separators differ from one another and none is a letter, a digit, a blank or a NUL (rule 5).
    pub fn usable(&self) -> bool {
        let is_before = |n: usize, byte: u8| self.named().take(n).any(|(_, other)| other == byte);
        self.named().enumerate().all(|(n, (_, byte))| {
            !byte.is_ascii_alphanumeric() && !matches!(byte, b' ' | 0) && !is_before(n, byte)
        })
    }
}

/// One byte as text of one character (its Latin-1 reading).
mod character {
    use super::*;

    pub fn serialize<S: Serializer>(byte: &u8, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(char::from(*byte).encode_utf8(&mut [0; 4]))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
        one(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }

    pub(super) fn one(text: &str) -> Result<u8, String> {
        let mut chars = text.chars();
        match (chars.next().map(u32::from), chars.next()) {
            (Some(code), None) => u8::try_from(code).map_err(|_| {
                format!("{text:?} is no single byte: choose a separator below U+0100")
            }),
            _ => Err(format!("{text:?} must be exactly one character")),
        }
    }
}

mod optional_character {
    use super::*;

    pub fn serialize<S: Serializer>(byte: &Option<u8>, serializer: S) -> Result<S::Ok, S::Error> {
        match byte {
            Some(byte) => character::serialize(byte, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
        match Option::<String>::deserialize(deserializer)?.as_deref() {
            None | Some("") => Ok(None),
            Some(text) => character::one(text)
                .map(Some)
                .map_err(serde::de::Error::custom),
        }
    }
}

mod after {
    use super::*;

    pub fn serialize<S: Serializer>(
        after: &AfterTerminator,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text: String = after
            .as_bytes()
            .iter()
            .map(|byte| char::from(*byte))
            .collect();
        serializer.serialize_str(&text)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<AfterTerminator, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "" => Ok(AfterTerminator::NONE),
            "\n" => Ok(AfterTerminator::LF),
            "\r\n" => Ok(AfterTerminator::CRLF),
            "\r" => Ok(AfterTerminator::new(b"\r")),
            _ => {
                let bytes: Option<Vec<u8>> = text
                    .chars()
                    .map(|c| u8::try_from(u32::from(c)).ok())
                    .collect();
                let bytes = bytes.filter(|b| {
                    b.len() <= 5 && b.iter().all(|b| b.is_ascii_whitespace() || *b >= 0x80)
                });
                bytes.map(|b| AfterTerminator::new(&b)).ok_or_else(|| {
                    serde::de::Error::custom("only line ends may follow the terminator")
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_005_separators_differ_and_are_no_data() {
        let good = Delimiters::default();
        assert!(good.usable());
        assert!(
            !Delimiters {
                component: b'*',
                ..good
            }
            .usable()
        );
        assert!(
            !Delimiters {
                element: b'A',
                ..good
            }
            .usable()
        );
        assert!(
            !Delimiters {
                terminator: b' ',
                ..good
            }
            .usable()
        );
        assert!(
            !Delimiters {
                repetition: Some(b'~'),
                ..good
            }
            .usable()
        );
        assert!(
            !Delimiters {
                component: 0,
                ..good
            }
            .usable()
        );
        assert!(
            Delimiters {
                repetition: Some(b'^'),
                ..good
            }
            .usable()
        );
    }

    #[test]
    fn read_from_text() {
        let json = r#"{"element":"|","repetition":"^","after_terminator":"\n"}"#;
        let read: Delimiters = serde_json::from_str(json).unwrap();
        assert_eq!(
            read,
            Delimiters {
                element: b'|',
                repetition: Some(b'^'),
                after_terminator: AfterTerminator::LF,
                ..Delimiters::default()
            }
        );
        assert_eq!(
            serde_json::from_str::<Delimiters>(&serde_json::to_string(&read).unwrap()).unwrap(),
            read
        );
        assert!(serde_json::from_str::<Delimiters>(r#"{"element":"**"}"#).is_err());
    }
}
