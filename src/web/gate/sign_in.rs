//! Signing in and out.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordVerifier};
use askama::Template;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Duration;
use std::collections::BTreeMap;

use super::form::{self, SignedForm};
use super::{GATE_COOKIE, SESSION_COOKIE, cookie, hashed, same, token};
use crate::storage::sessions;
use crate::web::Console;
use crate::web::trouble::Trouble;

/// The hash that an unknown name's password is compared with, so that it takes as long as a known one's.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c3VwZXJjYXJnby1ub2JvZHk$lkC9q1f5xJwqTn2EYyUVtRBJ2vKQmmL4bQ2FQq1c1n0";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    gate: String,
    next: String,
    name: String,
    problem: String,
    nobody_yet: bool,
}

/// The form.
pub(crate) async fn form(
    State(console): State<Console>,
    headers: HeaderMap,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, Trouble> {
    let next = safe_path(query.get("next").map_or("", String::as_str));
    page(
        &console,
        &headers,
        next,
        String::new(),
        String::new(),
        StatusCode::OK,
    )
    .await
}

async fn page(
    console: &Console,
    headers: &HeaderMap,
    next: String,
    name: String,
    problem: String,
    status: StatusCode,
) -> Result<Response, Trouble> {
    let known = cookie(headers, GATE_COOKIE).filter(|value| value.len() == 64);
    let gate = match known {
        Some(gate) => gate,
        None => token().ok_or(Trouble::Broken(
            "the system gives no random bytes".to_owned(),
        ))?,
    };
    let nobody_yet = sessions::is_house_empty(&mut console.store().read().await?).await?;
    let body = SignInPage {
        gate: gate.clone(),
        next,
        name,
        problem,
        nobody_yet,
    };
    let mut response = crate::web::page::html(status, &body)?;
    set_cookie(&mut response, console, GATE_COOKIE, &gate, "Strict", 3_600);
    Ok(response)
}

/// Takes name and password.
pub(crate) async fn enter(
    State(console): State<Console>,
    request: Request,
) -> Result<Response, Trouble> {
    let headers = request.headers().clone();
    let fields = form::fields(request).await?;
    let expected = cookie(&headers, GATE_COOKIE).unwrap_or_default();
    let next = safe_path(fields.text("next"));
    let name = fields.text("name").to_owned();
    if !form::is_from_here(&headers) || expected.is_empty() || !same(&expected, fields.raw("gate"))
    {
        let problem = "The form was out of date. Try once more.".to_owned();
        return page(
            &console,
            &headers,
            next,
            name,
            problem,
            StatusCode::FORBIDDEN,
        )
        .await;
    }
    let wait = console.throttle().wait(&name, console.now());
    if wait > 0 {
        let problem = format!("Too many wrong passwords for this name. Wait {wait} seconds.");
        return page(
            &console,
            &headers,
            next,
            name,
            problem,
            StatusCode::TOO_MANY_REQUESTS,
        )
        .await;
    }
    if !is_right(&console, &name, fields.raw("password")).await? {
        console.throttle().failed(&name, console.now());
        tracing::warn!(name = %name.escape_debug(), "a sign-in to the console was refused");
        let problem = "Name and password do not match.".to_owned();
        return page(
            &console,
            &headers,
            next,
            name,
            problem,
            StatusCode::UNAUTHORIZED,
        )
        .await;
    }
    console.throttle().passed(&name);
    open(&console, name, &next).await
}

/// Whether the password is this person's. Hashing runs off the runtime's threads, a few at a time.
async fn is_right(console: &Console, name: &str, password: &str) -> Result<bool, Trouble> {
    let found = sessions::password_of(&mut console.store().read().await?, name).await?;
    let is_known = found.is_some();
    let hash = found.unwrap_or_else(|| NOBODY.to_owned());
    let password: Vec<u8> = password.bytes().take(1_024).collect();
    let _turn = console.hashing().await;
    let matches = tokio::task::spawn_blocking(move || {
        PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(&password, &hash).is_ok())
    })
    .await
    .unwrap_or(false);
    Ok(matches && is_known)
}

async fn open(console: &Console, name: String, next: &str) -> Result<Response, Trouble> {
    let broken = || Trouble::Broken("the system gives no random bytes".to_owned());
    let (session, csrf) = (token().ok_or_else(broken)?, token().ok_or_else(broken)?);
    let now = console.now();
    let hours = i64::from(console.settings().http.session_hours.clamp(1, 24 * 30));
    sessions::open(
        console.store(),
        hashed(&session),
        name,
        csrf,
        now,
        now + Duration::hours(hours),
    )
    .await?;
    let mut response = Redirect::to(next).into_response();
    set_cookie(
        &mut response,
        console,
        SESSION_COOKIE,
        &session,
        "Lax",
        hours * 3_600,
    );
    set_cookie(&mut response, console, GATE_COOKIE, "", "Strict", 0);
    Ok(response)
}

/// Ends the session.
pub(crate) async fn leave(
    State(console): State<Console>,
    headers: HeaderMap,
    _form: SignedForm,
) -> Result<Response, Trouble> {
    if let Some(token) = cookie(&headers, SESSION_COOKIE) {
        sessions::close(console.store(), hashed(&token)).await?;
    }
    let mut response = Redirect::to("/login").into_response();
    set_cookie(&mut response, &console, SESSION_COOKIE, "", "Lax", 0);
    Ok(response)
}

fn set_cookie(
    response: &mut Response,
    console: &Console,
    name: &str,
    value: &str,
    site: &str,
    seconds: i64,
) {
    let secure = if console.settings().http.public_url.starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    let text =
        format!("{name}={value}; Path=/; HttpOnly; SameSite={site}; Max-Age={seconds}{secure}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// Where to go after signing in: only to a page of ours.
fn safe_path(wanted: &str) -> String {
    let ours = wanted.starts_with('/')
        && !wanted.starts_with("//")
        && !wanted.contains(['\\', '\r', '\n', '\0'])
        && wanted.is_ascii()
        && !wanted.starts_with("/login");
    if ours {
        wanted.to_owned()
    } else {
        "/".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_nowhere_else() {
        for (wanted, taken) in [
            ("/orders/7?x=1", "/orders/7?x=1"),
            ("", "/"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\\evil.example", "/"),
            ("/x\r\nSet-Cookie: a=b", "/"),
            ("/login?next=/login", "/"),
        ] {
            assert_eq!(safe_path(wanted), taken);
        }
    }

    #[test]
    fn an_unknown_name_costs_as_much_as_a_known_one() {
        assert!(PasswordHash::new(NOBODY).is_ok());
    }
}
