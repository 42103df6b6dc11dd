//! The person behind a request, and what their roles allow.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::{SESSION_COOKIE, cookie, hashed};
use crate::web::Console;
use crate::web::trouble::Trouble;

/// Somebody who signed in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    /// What each of this session's forms carries.
    pub(crate) csrf: String,
    roles: Vec<String>,
}

/// What a person may do beyond looking, which all may who signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Orders, documents and shipments.
    Ops,
    /// Payments and deductions.
    Ar,
    /// Everything, partners' profiles too.
    Admin,
}

impl Role {
    fn word(self) -> &'static str {
        match self {
            Self::Ops => "ops",
            Self::Ar => "ar",
            Self::Admin => "admin",
        }
    }
}

impl Person {
    /// Somebody with the roles that `user add` wrote: words, however they are separated.
    pub(crate) fn new(name: &str, csrf: &str, roles: &str) -> Self {
        Self {
            name: name.to_owned(),
            csrf: csrf.to_owned(),
            roles: roles
                .split(|letter: char| !letter.is_ascii_alphanumeric())
                .filter(|word| !word.is_empty())
                .map(str::to_ascii_lowercase)
                .collect(),
        }
    }

    /// Whether a role is held; an admin holds all.
    pub(crate) fn holds(&self, role: Role) -> bool {
        self.roles
            .iter()
            .any(|held| held == role.word() || held == Role::Admin.word())
    }

    pub(crate) fn is_ops(&self) -> bool {
        self.holds(Role::Ops)
    }
    pub(crate) fn is_ar(&self) -> bool {
        self.holds(Role::Ar)
    }
    pub(crate) fn is_admin(&self) -> bool {
        self.holds(Role::Admin)
    }

    /// Refuses where a role is missing.
    pub(crate) fn require(&self, role: Role) -> Result<(), Trouble> {
        if self.holds(role) {
            Ok(())
        } else {
            Err(Trouble::NotAllowed(role))
        }
    }

    /// The roles, for people.
    pub(crate) fn roles(&self) -> String {
        let names: Vec<&str> = self
            .roles
            .iter()
            .map(|role| match role.as_str() {
                "ops" => "Operations",
                "ar" => "Receivables",
                "admin" => "Administrator",
                other => other,
            })
            .collect();
        if names.is_empty() {
            "Viewer".to_owned()
        } else {
            names.join(", ")
        }
    }

    /// The letters in the circle beside the name.
    pub(crate) fn initials(&self) -> String {
        self.name
            .chars()
            .filter(|letter| letter.is_alphanumeric())
            .take(2)
            .collect()
    }

    /// Who a request comes from.
    pub(crate) async fn of(
        headers: &axum::http::HeaderMap,
        console: &Console,
    ) -> Result<Option<Self>, Trouble> {
        let Some(token) = cookie(headers, SESSION_COOKIE) else {
            return Ok(None);
        };
        let session = console
            .store()
            .read()
            .await?
            .session(&hashed(&token), console.now())
            .await?;
        Ok(session.map(|row| Self::new(&row.name, &row.csrf, &row.roles)))
    }
}

impl FromRequestParts<Console> for Person {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Trouble> {
        let wanted = if parts.method == axum::http::Method::GET {
            parts
                .uri
                .path_and_query()
                .map_or_else(String::new, ToString::to_string)
        } else {
            String::new()
        };
        Self::of(&parts.headers, console)
            .await?
            .ok_or(Trouble::SignIn(wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_allow_their_own_and_no_more() {
        for (roles, ops, ar, admin) in [
            ("ops", true, false, false),
            ("ar", false, true, false),
            ("ops,ar", true, true, false),
            ("[\"ops\", \"ar\"]", true, true, false),
            ("admin", true, true, true),
            ("", false, false, false),
            ("viewer", false, false, false),
        ] {
            let person = Person::new("ada", "token", roles);
            assert_eq!(
                (person.is_ops(), person.is_ar(), person.is_admin()),
                (ops, ar, admin),
                "{roles}"
            );
        }
    }
}
