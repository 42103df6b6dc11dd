//! Names of the files we send.

use chrono::NaiveDateTime;

use super::Profile;

/// Longest name without its ending, bytes; file systems and old SFTP servers take at least this.
const NAME_BYTES_MAX: usize = 120;

/// Longest value of a placeholder, bytes.
const VALUE_BYTES_MAX: usize = 40;

/// What the placeholders of a file name stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileNameValues<'a> {
    /// `{set}`, and the ending: 855, 997, TA1 …
    pub set: &'a str,
    /// `{isa13}`.
    pub isa13: &'a str,
    /// `{po}` of the first document, empty where it has none.
    pub po: &'a str,
    /// `{reference}`: PO, shipment or invoice number of the first document, empty where it has none.
    pub reference: &'a str,
    /// `{date}` (YYYYMMDD) and `{time}` (HHMMSS) in the company's zone.
    pub at: NaiveDateTime,
}

impl Profile {
    /// Name of a file, from the profile's pattern, with the ending that says what is in it (`.856.edi`). What the values
    /// bring in is made safe for every file system: letters, digits, `-`, `_` and `.`, all else becomes `-`.
    pub fn file_name(&self, values: FileNameValues<'_>) -> String {
        let placed = [
            ("{partner}", self.partner.clone()),
            ("{set}", values.set.to_owned()),
            ("{isa13}", values.isa13.to_owned()),
            ("{po}", values.po.to_owned()),
            ("{reference}", values.reference.to_owned()),
            ("{date}", values.at.format("%Y%m%d").to_string()),
            ("{time}", values.at.format("%H%M%S").to_string()),
        ];
        let mut name = String::new();
        let mut rest = self.envelope.file_name.as_str();
        while let Some(letter) = rest.chars().next() {
            let found = placed
                .iter()
                .find_map(|(placeholder, value)| Some((rest.strip_prefix(placeholder)?, value)));
            let Some((after, value)) = found else {
                name.push(letter);
                rest = &rest[letter.len_utf8()..];
                continue;
            };
            rest = after;
            let mut value = safe(value);
            value.truncate(VALUE_BYTES_MAX);
            if value.is_empty() {
                rest = without_its_separator(&name, rest);
            }
            name.push_str(&value);
        }
        name.truncate(NAME_BYTES_MAX);
        format!("{name}.{}.edi", safe(values.set))
    }
}

/// A placeholder without a value takes one of the separators beside it along: what is left of the pattern.
fn without_its_separator<'r>(name: &str, rest: &'r str) -> &'r str {
    const SEPARATORS: [char; 3] = ['-', '_', '.'];
    if name.is_empty() || name.ends_with(SEPARATORS) {
        rest.strip_prefix(SEPARATORS).unwrap_or(rest)
    } else {
        rest
    }
}

/// ASCII only, so that cutting at a byte cuts at a character.
fn safe(text: &str) -> String {
    let name: String = text
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() || "-_.".contains(letter) {
                letter
            } else {
                '-'
            }
        })
        .collect();
    name.trim_start_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_end_in_their_set() {
        let mut profile = Profile {
            partner: "bigbuy".to_owned(),
            ..Profile::default()
        };
        let at = chrono::NaiveDate::from_ymd_opt(2026, 3, 1)
            .and_then(|day| day.and_hms_opt(9, 5, 7))
            .unwrap();
        let values = FileNameValues {
            set: "856",
            isa13: "000000042",
            po: "../../PO 1/é",
            reference: "SH7",
            at,
        };
        for (pattern, name) in [
            ("{partner}-{set}-{isa13}", "bigbuy-856-000000042.856.edi"),
            ("{po}_{isa13}", "-..-PO-1--_000000042.856.edi"),
            (
                "{reference}.{date}{time}.{isa13}",
                "SH7.20260301090507.000000042.856.edi",
            ),
        ] {
            profile.envelope.file_name = pattern.to_owned();
            assert_eq!(profile.file_name(values), name);
        }
        for (pattern, name) in [
            ("{set}_{po}_{isa13}", "856_000000042.856.edi"),
            ("{po}-{isa13}", "000000042.856.edi"),
            ("{isa13}{po}", "000000042.856.edi"),
        ] {
            profile.envelope.file_name = pattern.to_owned();
            assert_eq!(profile.file_name(FileNameValues { po: "", ..values }), name);
        }
    }
}
