//! Who comes in: passwords, sessions, roles, and the tokens that prove a form is ours.

pub(crate) mod form;
pub(crate) mod person;
pub(crate) mod sign_in;
pub(crate) mod throttle;

use sha2::{Digest, Sha256};

/// The cookie of a session.
pub(crate) const SESSION_COOKIE: &str = "supercargo_session";
/// The cookie that a form for signing in is matched with.
pub(crate) const GATE_COOKIE: &str = "supercargo_gate";

/// 32 random bytes in hexadecimal; none where the system has no randomness to give.
pub(crate) fn token() -> Option<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).ok()?;
    Some(hex::encode(bytes))
}

/// What stands in the database for a token.
pub(crate) fn hashed(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// Compares without telling by its time where the difference lies.
pub(crate) fn same(one: &str, other: &str) -> bool {
    let (one, other) = (
        Sha256::digest(one.as_bytes()),
        Sha256::digest(other.as_bytes()),
    );
    one.iter()
        .zip(other.iter())
        .fold(0_u8, |difference, (a, b)| difference | (a ^ b))
        == 0
}

/// The value of a cookie in a request.
pub(crate) fn cookie(headers: &axum::http::HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(axum::http::header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_are_compared_whole() {
        let (one, other) = (token().unwrap(), token().unwrap());
        assert_eq!(one.len(), 64);
        assert!(same(&one, &one) && !same(&one, &other) && !same(&one, ""));
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = axum::http::HeaderMap::new();
        headers.insert(
            "cookie",
            "not_supercargo_session=x; supercargo_session=abc"
                .parse()
                .unwrap(),
        );
        assert_eq!(cookie(&headers, SESSION_COOKIE).as_deref(), Some("abc"));
        assert_eq!(cookie(&headers, GATE_COOKIE), None);
    }
}
