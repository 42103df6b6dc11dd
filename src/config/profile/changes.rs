//! What differs between two versions of a profile, key by key, in words; and the change of single values in its text.

use std::collections::BTreeMap;
use std::fmt;

use super::Profile;
use crate::config::reading;

/// One key that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its path.
    pub key: String,
    /// Value before; none: it was not there.
    pub before: Option<String>,
    /// Value now; none: it is gone.
    pub after: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "{}: was {before}, is now {after}", self.key),
            (None, Some(after)) => write!(f, "{}: new, {after}", self.key),
            (Some(before), None) => write!(f, "{}: was {before}, is gone", self.key),
            (None, None) => write!(f, "{}: as before", self.key),
        }
    }
}

impl Profile {
    /// Every key whose value differs, defaults filled in on both sides, in order of key.
    pub fn changes_since(&self, before: &Profile) -> Vec<Change> {
        let (old, new) = (flat(before), flat(self));
        let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter()
            .filter(|key| old.get(*key) != new.get(*key))
            .map(|key| Change {
                key: key.clone(),
                before: old.get(key).cloned(),
                after: new.get(key).cloned(),
            })
            .collect()
    }

    /// Every key with its value as TOML writes it, defaults filled in.
    pub fn keys(&self) -> BTreeMap<String, String> {
        flat(self)
    }
}

fn flat(profile: &Profile) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    if let Ok(value) = toml::Value::try_from(profile) {
        flatten("", &value, &mut keys);
    }
    keys
}

pub(super) fn flatten(path: &str, value: &toml::Value, keys: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                flatten(&path, value, keys);
            }
        }
        toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
            for (index, item) in items.iter().enumerate() {
                flatten(&format!("{path}[{}]", index + 1), item, keys);
            }
        }
        other => {
            keys.insert(path.to_owned(), other.to_string());
        }
    }
}

/// A value cannot be put into a profile's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the profile does not write the key {0}, so that its value cannot be replaced; add the key to the text"
)]
pub struct KeyNotWritten(pub String);

/// The text with single values replaced, comments and all else kept. Keys are paths such as `connection.sftp.port`.
///
/// # Errors
/// Where a key is not written in the text.
pub fn with_values(text: &str, values: &[(&str, toml::Value)]) -> Result<String, KeyNotWritten> {
    let places = reading::read::<toml::Table>(text).places;
    let mut cuts = Vec::new();
    for (key, value) in values {
        let span = places
            .value(key)
            .ok_or_else(|| KeyNotWritten((*key).to_owned()))?;
        cuts.push((span, value.to_string()));
    }
    cuts.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut text = text.to_owned();
    for (span, value) in cuts {
        text.replace_range(span, &value);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "partner = \"bigbuy\" # its name\n[[address]]\nid = \"BIG\"\n[verification]\nquantity_max = 5 # few\n";

    #[test]
    fn changes_are_told_key_by_key() {
        let before = Profile::parse(TEXT).unwrap();
        let after = Profile::parse(&TEXT.replace(
            "quantity_max = 5",
            "price_differs = \"accept\"\nquantity_max = 7.50",
        ))
        .unwrap();
        let told: Vec<String> = after
            .changes_since(&before)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            told,
            [
                "verification.price_differs: was \"hold\", is now \"accept\"",
                "verification.quantity_max: was \"5\", is now \"7.50\"",
            ]
        );
        assert_eq!(before.changes_since(&before), []);
    }

    #[test]
    fn values_are_replaced_and_comments_kept() {
        let text = with_values(
            TEXT,
            &[
                ("partner", toml::Value::from("other")),
                ("verification.quantity_max", toml::Value::from(12)),
            ],
        )
        .unwrap();
        assert_eq!(
            text,
            TEXT.replace("\"bigbuy\"", "\"other\"")
                .replace("= 5", "= 12")
        );
        assert!(with_values(TEXT, &[("name", toml::Value::from("x"))]).is_err());
    }
}
