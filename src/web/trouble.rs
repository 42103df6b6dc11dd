//! What goes wrong between a request and its page, and how people are told.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::gate::person::Role;
use crate::storage::Failure;

/// Why there is no page.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// Nobody is signed in; what was asked for.
    SignIn(String),
    /// There is no such thing.
    NotFound(&'static str),
    /// The person's roles do not reach.
    NotAllowed(Role),
    /// The form did not come from a page of this session.
    Forged,
    /// A list is narrowed by a word that it does not know.
    NoSuchWord {
        /// What it narrows by: "status".
        what: &'static str,
        /// The word.
        word: String,
        /// The words there are.
        known: Vec<&'static str>,
    },
    /// What was asked can not be done; in a sentence.
    Refused(String),
    /// The house is broken; for the log.
    Broken(String),
}

impl Trouble {
    pub(crate) fn refused(sentence: impl Into<String>) -> Self {
        Self::Refused(sentence.into())
    }

    /// Status, heading and sentence of the page that tells of it.
    pub(crate) fn told(&self) -> (StatusCode, &'static str, String) {
        match self {
            Self::SignIn(_) => (StatusCode::SEE_OTHER, "Sign in", String::new()),
            Self::NotFound(what) => (
                StatusCode::NOT_FOUND,
                "Not found",
                format!("There is no such {what}. It may have another number; the search box finds it by any reference."),
            ),
            Self::NoSuchWord { what, word, known } => (
                StatusCode::BAD_REQUEST,
                "Nothing to show",
                format!("There is no {what} {word:?}. There are: {}.", known.join(", ")),
            ),
            Self::NotAllowed(role) => (
                StatusCode::FORBIDDEN,
                "Not allowed",
                match role {
                    Role::Ops => "This takes the role ops (operations). Nothing was changed.",
                    Role::Ar => "This takes the role ar (accounts receivable). Nothing was changed.",
                    Role::Admin => "This takes the role admin. Nothing was changed.",
                }
                .to_owned(),
            ),
            Self::Forged => (
                StatusCode::FORBIDDEN,
                "The form was out of date",
                "It belongs to another session, or came from another site. Nothing was changed: go back, load the page again and repeat what you did."
                    .to_owned(),
            ),
            Self::Refused(sentence) => (StatusCode::UNPROCESSABLE_ENTITY, "Not done", sentence.clone()),
            Self::Broken(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something broke",
                "The gateway could not do this; its log says why, and `supercargo doctor` checks the database. Nothing was changed."
                    .to_owned(),
            ),
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        if failure.is_refusal() {
            let mut sentence = failure.to_string();
            if let Some(first) = sentence.get(..1).map(str::to_uppercase) {
                sentence.replace_range(..1, &first);
            }
            if !sentence.ends_with(['.', '!', '?']) {
                sentence.push('.');
            }
            Self::Refused(sentence)
        } else {
            Self::Broken(failure.to_string())
        }
    }
}

impl From<askama::Error> for Trouble {
    fn from(error: askama::Error) -> Self {
        Self::Broken(format!("a page could not be written: {error}"))
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        if let Self::SignIn(wanted) = &self {
            let query = if wanted.is_empty() || wanted == "/" {
                String::new()
            } else {
                format!("?next={}", super::page::query_escaped(wanted))
            };
            return Redirect::to(&format!("/login{query}")).into_response();
        }
        if let Self::Broken(why) = &self {
            tracing::error!(%why, "a page of the console failed");
        }
        let (status, heading, sentence) = self.told();
        // In plain text for whoever is no browser; `page::dress` puts it into the console's frame.
        let mut response = (status, format!("{heading}. {sentence}\n")).into_response();
        response.extensions_mut().insert(self);
        response
    }
}
