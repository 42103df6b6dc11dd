//! Characters that can be sent. Free text is cleaned; a number or code is never altered, but found when the document is judged.

use supercargo_x12::{Delimiters, OutElement, OutboundSet};

use crate::domain::catalogue::Location;
use crate::domain::finding::{Finding, Severity};

/// The elements of a segment that hold words for people, with the most characters they take: the only ones that may be
/// altered.
fn free_text(segment: &str) -> &'static [(usize, usize)] {
    match segment {
        "N1" => &[(2, 60)],
        "N2" => &[(1, 60), (2, 60)],
        "N3" => &[(1, 55), (2, 55)],
        "N4" => &[(1, 30)],
        "PER" => &[(2, 60)],
        "REF" => &[(3, 80)],
        "N9" => &[(3, 45)],
        "MSG" => &[(1, 264)],
        "MTX" => &[(2, 264)],
        "NTE" => &[(2, 80)],
        "PID" => &[(5, 80)],
        "SAC" => &[(15, 80)],
        "ITD" => &[(12, 80)],
        "TD5" | "CAD" => &[(5, 35)],
        _ => &[],
    }
}

/// Cleans free text in place, and reports what is left of no value. What no text is, and can not be sent, is found when the
/// set is judged.
pub fn clean(set: &mut OutboundSet, delimiters: &Delimiters) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, segment) in set.segments.iter_mut().enumerate() {
        for (element, limit) in free_text(&segment.id) {
            let Some(OutElement::Simple(value)) = segment.elements.get_mut(element - 1) else {
                continue;
            };
            let sendable = sendable(value, delimiters, *limit);
            if sendable.chars().any(char::is_alphanumeric)
                || !value.chars().any(char::is_alphanumeric)
            {
                *value = sendable.into();
                continue;
            }
            findings.push(unsendable(&segment.id, *element, at, value));
            value.clear();
        }
    }
    findings
}

fn unsendable(id: &str, element: usize, at: usize, value: &str) -> Finding {
    Finding::business(
        "outbound-text",
        Severity::Hold,
        format!("{id}{element:02} is {value:?}, of which no letter can be sent in X12: write it in Latin letters where it comes from (item, location, warehouse or order)"),
    )
    .at(crate::domain::finding::Place {
        segment: Some(id.to_owned()),
        segment_index: u32::try_from(at + 2).ok(),
        element: u32::try_from(element).ok(),
        ..crate::domain::finding::Place::default()
    })
    .with_value(value)
}

/// The text in characters of X12's extended set: letters without their accents, separators and control characters as
/// blanks, one blank for several, cut at `limit`.
fn sendable(text: &str, delimiters: &Delimiters, limit: usize) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            _ if character.is_ascii() => plain.push(character),
            _ => plain.push_str(latin(character)),
        }
    }
    let separates = |character: char| {
        !character.is_ascii_graphic()
            || character == '`'
            || character == '^'
            || u8::try_from(character).is_ok_and(|byte| delimiters.contains(byte))
    };
    let words: Vec<&str> = plain
        .split(separates)
        .filter(|word| !word.is_empty())
        .collect();
    let joined = words.join(" ");
    joined
        .chars()
        .take(limit)
        .collect::<String>()
        .trim_end()
        .to_owned()
}

/// A character beyond ASCII in letters that can be sent; a question mark where there are none.
fn latin(character: char) -> &'static str {
    match character {
        'À'..='Å' | 'Ā' | 'Ă' | 'Ą' => "A",
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ª' => "a",
        'Æ' => "AE",
        'æ' => "ae",
        'Ç' | 'Ć' | 'Ĉ' | 'Ċ' | 'Č' => "C",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'Ð' | 'Ď' | 'Đ' => "D",
        'ð' | 'ď' | 'đ' => "d",
        'È'..='Ë' | 'Ē' | 'Ĕ' | 'Ė' | 'Ę' | 'Ě' => "E",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'Ĝ' | 'Ğ' | 'Ġ' | 'Ģ' => "G",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'Ĥ' | 'Ħ' => "H",
        'ĥ' | 'ħ' => "h",
        'Ì'..='Ï' | 'Ĩ' | 'Ī' | 'Ĭ' | 'Į' | 'İ' => "I",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'Ĵ' => "J",
        'ĵ' => "j",
        'Ķ' => "K",
        'ķ' => "k",
        'Ĺ' | 'Ļ' | 'Ľ' | 'Ŀ' | 'Ł' => "L",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'Ñ' | 'Ń' | 'Ņ' | 'Ň' => "N",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'Ò'..='Ö' | 'Ø' | 'Ō' | 'Ŏ' | 'Ő' => "O",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' | 'º' => "o",
        'Œ' => "OE",
        'œ' => "oe",
        'Ŕ' | 'Ŗ' | 'Ř' => "R",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'Ś' | 'Ŝ' | 'Ş' | 'Š' | 'Ș' => "S",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ẞ' => "SS",
        'ß' => "ss",
        'Ţ' | 'Ť' | 'Ŧ' | 'Ț' => "T",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'Þ' => "TH",
        'þ' => "th",
        'Ù'..='Ü' | 'Ũ' | 'Ū' | 'Ŭ' | 'Ů' | 'Ű' | 'Ų' => "U",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'Ŵ' => "W",
        'ŵ' => "w",
        'Ý' | 'Ŷ' | 'Ÿ' => "Y",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'Ź' | 'Ż' | 'Ž' => "Z",
        'ź' | 'ż' | 'ž' => "z",
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{2032}' | '´' => "'",
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2033}' | '«' | '»' => "\"",
        '\u{2010}'..='\u{2015}' | '\u{2212}' => "-",
        '\u{2026}' => "...",
        '\u{a0}' | '\u{2000}'..='\u{200b}' | '\u{202f}' | '\u{feff}' => " ",
        '×' => "x",
        '°' => " deg ",
        '½' => "1/2",
        '¼' => "1/4",
        '¾' => "3/4",
        '®' | '™' | '©' | '\u{ad}' => "",
        _ => "?",
    }
}

/// The first character of a text that X12 has no letter for.
fn foreign(text: &str) -> Option<char> {
    text.chars()
        .find(|character| !character.is_ascii() && latin(*character) == "?")
}

/// What keeps a place of the partner's from being written into an N1 loop: the column, what is wrong, what to write.
pub fn unsendable_place(
    location: &Location,
    delimiters: &Delimiters,
) -> Vec<(&'static str, String, &'static str)> {
    let mut found = Vec::new();
    let letters = |text: &str| text.chars().any(char::is_alphanumeric);
    for (column, text) in [
        ("name", &location.name),
        ("street", &location.street),
        ("city", &location.city),
    ] {
        if let Some(character) = foreign(text) {
            found.push((
                column,
                format!("{text:?} holds {character:?}, which can not be sent in X12"),
                "Write it in Latin letters",
            ));
        } else if !text.is_empty() && !letters(&sendable(text, delimiters, usize::MAX)) {
            found.push((
                column,
                format!("{text:?} holds no letter and no digit"),
                "Write it in words, or leave it empty",
            ));
        }
    }
    let city = &location.city;
    if foreign(city).is_none() && sendable(city, delimiters, usize::MAX).len() == 1 {
        found.push((
            "city",
            format!("{city:?} is too short: N401 takes 2 characters or more"),
            "Write the name in full, or leave it empty",
        ));
    }
    let code = |text: &str, least: usize, most: usize| {
        text.is_empty()
            || ((least..=most).contains(&text.len())
                && text.bytes().all(|byte| {
                    (byte.is_ascii_alphanumeric() || b" -".contains(&byte))
                        && !delimiters.contains(byte)
                }))
    };
    if !code(&location.state, 2, 2) {
        found.push((
            "state",
            format!("{:?} is no code of a state or province", location.state),
            "Write its two letters, such as NV",
        ));
    }
    if !code(&location.postal_code, 3, 15) {
        found.push((
            "zip",
            format!("{:?} is no postal code", location.postal_code),
            "Write 3 to 15 letters and digits, such as 89501",
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::built;
    use super::*;
    use supercargo_x12::seg;

    #[test]
    fn free_text_is_cleaned() {
        let delimiters = Delimiters::default();
        let table = [
            ("Café Łódź", "Cafe Lodz"),
            ("A*B~C>D", "A B C D"),
            ("  two\t\nlines ", "two lines"),
            ("Widget™ 10° — ½\u{201d}", "Widget 10 deg - 1/2\""),
            ("Straße 北", "Strasse ?"),
        ];
        for (text, sent) in table {
            assert_eq!(sendable(text, &delimiters, 60), sent, "{text}");
        }
        assert_eq!(sendable("ABCD EFGH", &delimiters, 5), "ABCD");
    }

    #[test]
    fn a_place_that_can_not_be_written_is_told_by_its_column() {
        let place = |name: &str, street: &str, city: &str, state: &str, zip: &str| Location {
            number: "0001".to_owned(),
            name: name.to_owned(),
            street: street.to_owned(),
            city: city.to_owned(),
            state: state.to_owned(),
            postal_code: zip.to_owned(),
            country: String::new(),
        };
        let columns = |place: &Location| {
            unsendable_place(place, &Delimiters::default())
                .into_iter()
                .map(|(column, _, _)| column)
                .collect::<Vec<_>>()
        };
        let sound = place("Café *1", "Dock > 4", "Łódź", "NV", "89501-1234");
        assert!(columns(&sound).is_empty());
        assert!(columns(&place("", "", "", "", "")).is_empty());
        assert_eq!(
            columns(&place("北京", "***", "X", "Nevada", "89")),
            ["name", "street", "city", "state", "zip"]
        );
        // An accent is taken away, and what is left is one letter.
        assert_eq!(columns(&place("A", "1", "Å", "", "")), ["city"]);
        // In the cleaned text the rest would be sent, with a question mark in place of a letter.
        assert_eq!(
            columns(&place("A", "Straße 北", "Reno", "", "")),
            ["street"]
        );
    }

    #[test]
    fn numbers_are_not_altered() {
        let mut set = OutboundSet::new("855")
            .with(seg("BAK").el("00").el("AD").el("PO*1").el("20260115"))
            .with(seg("N1").el("ST").el("北京"))
            .with(seg("REF").el("IA").el("Ä1"));
        let findings = clean(&mut set, &Delimiters::default());
        let codes: Vec<(&str, Option<&str>)> = findings
            .iter()
            .map(|found| (found.code.as_str(), found.place.segment.as_deref()))
            .collect();
        assert_eq!(codes, [("outbound-text", Some("N1"))]);
        assert_eq!(built(&set.segments[0], 3), "PO*1");
        assert_eq!(built(&set.segments[2], 2), "\u{c4}1");
    }
}
