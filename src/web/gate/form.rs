//! A form that a person of ours sent from a page of ours. Every change of state comes through here.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;

use super::person::Person;
use super::same;
use crate::web::Console;
use crate::web::trouble::Trouble;

/// The largest form that is read, in bytes: a transaction set to be corrected and its encoding.
pub(crate) const FORM_MAX: usize = 8 * 1024 * 1024;

/// The fields of a form, in the order they were sent; a name may occur again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// A field's text without blanks around it; empty where it was not sent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// A field's text exactly as sent.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// Every value of a repeated field, in order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.trim())
    }

    /// A text that has to be there.
    pub(crate) fn required(&self, name: &str, what: &str) -> Result<String, Trouble> {
        let text = self.text(name);
        if text.is_empty() {
            Err(Trouble::refused(format!(
                "{what} is missing: fill it in and send the form again."
            )))
        } else {
            Ok(text.to_owned())
        }
    }
}

/// A form with the person who sent it, its token proven.
pub(crate) struct SignedForm {
    pub(crate) person: Person,
    pub(crate) fields: Fields,
}

/// Reads the fields of a form.
pub(crate) async fn fields(request: Request) -> Result<Fields, Trouble> {
    let bytes = axum::body::to_bytes(request.into_body(), FORM_MAX)
        .await
        .map_err(|_| {
            Trouble::refused(format!(
                "The form is larger than {} MB, or broke off on its way.",
                FORM_MAX / 1024 / 1024
            ))
        })?;
    let pairs = pairs(&bytes);
    if pairs.iter().any(|(_, value)| value.contains('\0')) {
        return Err(Trouble::refused(
            "The form holds a NUL character, which no text has: write it anew and send it again."
                .to_owned(),
        ));
    }
    Ok(Fields(pairs))
}

/// Reads `application/x-www-form-urlencoded`; what is no UTF-8 is read with replacement characters.
fn pairs(bytes: &[u8]) -> Vec<(String, String)> {
    bytes
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let cut = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = match cut {
                Some(at) => (
                    pair.get(..at).unwrap_or_default(),
                    pair.get(at + 1..).unwrap_or_default(),
                ),
                None => (pair, &[][..]),
            };
            (unescaped(name), unescaped(value))
        })
        .collect()
}

fn unescaped(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => out.push(b' '),
            b'%' => {
                let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
                match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
                    Some(byte) => {
                        out.push(byte);
                        rest = after.get(2..).unwrap_or_default();
                    }
                    None => out.push(b'%'),
                }
            }
            other => out.push(*other),
        }
    }
    String::from_utf8(out)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Whether a request may come from a page of ours: browsers say so where they can.
pub(crate) fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text("sec-fetch-site") {
        Some("same-origin" | "none") => true,
        Some(_) => false,
        None => match (text("origin"), text("host")) {
            (Some("null"), _) => false,
            (Some(origin), Some(host)) => origin
                .split_once("://")
                .is_some_and(|(_, place)| place.eq_ignore_ascii_case(host)),
            _ => true,
        },
    }
}

impl FromRequest<Console> for SignedForm {
    type Rejection = Trouble;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Trouble> {
        let (mut parts, body) = request.into_parts();
        let person = Person::from_request_parts(&mut parts, console).await?;
        if !is_from_here(&parts.headers) {
            return Err(Trouble::Forged);
        }
        let fields = fields(Request::from_parts(parts, body)).await?;
        if !same(fields.raw("csrf"), &person.csrf) {
            return Err(Trouble::Forged);
        }
        Ok(Self { person, fields })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_browsers_write_them() {
        let fields = Fields(pairs(b"a=1+2&b=%3Cscript%3E&b=x%&c&d=caf%C3%A9&=e"));
        assert_eq!(fields.text("a"), "1 2");
        assert_eq!(fields.all("b").collect::<Vec<_>>(), ["<script>", "x%"]);
        assert_eq!(fields.raw("c"), "");
        assert_eq!(fields.text("d"), "café");
        assert_eq!(fields.text("nowhere"), "");
    }

    #[test]
    fn a_form_of_another_site_is_told_apart() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in pairs {
                map.insert(*name, value.parse().unwrap());
            }
            map
        };
        for (pairs, ours) in [
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("sec-fetch-site", "cross-site")], false),
            (vec![("sec-fetch-site", "same-site")], false),
            (
                vec![
                    ("origin", "https://gateway.example"),
                    ("host", "gateway.example"),
                ],
                true,
            ),
            (
                vec![
                    ("origin", "https://evil.example"),
                    ("host", "gateway.example"),
                ],
                false,
            ),
            (vec![("origin", "null"), ("host", "gateway.example")], false),
            (vec![("host", "gateway.example")], true),
        ] {
            assert_eq!(is_from_here(&headers(&pairs)), ours, "{pairs:?}");
        }
    }
}
