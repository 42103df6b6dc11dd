//! The frame around every page: navigation, search, who is signed in, what was just done.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Console;
use super::gate::person::Person;
use super::show::{Calendar, Icon, When, icon};
use super::trouble::Trouble;
use crate::storage::console::{overview, queue};

/// The part of the console that a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    Queue,
    Orders,
    Shipments,
    Documents,
    Files,
    Invoices,
    Receivables,
    Payments,
    Deductions,
    Partners,
    Stock,
    Alerts,
    Mail,
    Audit,
    None,
}

/// An entry of the navigation.
pub(crate) struct Entry {
    pub(crate) section: Section,
    pub(crate) path: &'static str,
    pub(crate) name: &'static str,
    pub(crate) icon: Icon,
}

/// The navigation: groups with their entries.
const NAVIGATION: &[(&str, &[Entry])] = &[
    (
        "",
        &[
            Entry {
                section: Section::Overview,
                path: "/",
                name: "Overview",
                icon: icon("overview"),
            },
            Entry {
                section: Section::Queue,
                path: "/queue",
                name: "Rejected and held",
                icon: icon("queue"),
            },
        ],
    ),
    (
        "Orders",
        &[
            Entry {
                section: Section::Orders,
                path: "/orders",
                name: "Orders",
                icon: icon("orders"),
            },
            Entry {
                section: Section::Shipments,
                path: "/shipments",
                name: "Shipments",
                icon: icon("shipments"),
            },
            Entry {
                section: Section::Stock,
                path: "/stock",
                name: "Stock",
                icon: icon("stock"),
            },
        ],
    ),
    (
        "Receivables",
        &[
            Entry {
                section: Section::Invoices,
                path: "/invoices",
                name: "Invoices",
                icon: icon("invoices"),
            },
            Entry {
                section: Section::Receivables,
                path: "/receivables",
                name: "By age",
                icon: icon("receivables"),
            },
            Entry {
                section: Section::Payments,
                path: "/payments",
                name: "Payments",
                icon: icon("payments"),
            },
            Entry {
                section: Section::Deductions,
                path: "/deductions",
                name: "Deductions",
                icon: icon("deductions"),
            },
        ],
    ),
    (
        "Exchange",
        &[
            Entry {
                section: Section::Partners,
                path: "/partners",
                name: "Partners",
                icon: icon("partners"),
            },
            Entry {
                section: Section::Documents,
                path: "/documents",
                name: "Documents",
                icon: icon("documents"),
            },
            Entry {
                section: Section::Files,
                path: "/files",
                name: "Files received",
                icon: icon("files"),
            },
        ],
    ),
    (
        "Record",
        &[
            Entry {
                section: Section::Alerts,
                path: "/alerts",
                name: "Alerts",
                icon: icon("alerts"),
            },
            Entry {
                section: Section::Mail,
                path: "/mail",
                name: "Mail",
                icon: icon("mail"),
            },
            Entry {
                section: Section::Audit,
                path: "/audit",
                name: "Audit trail",
                icon: icon("audit"),
            },
        ],
    ),
];

/// What every page in the frame needs.
pub(crate) struct Frame {
    pub(crate) title: String,
    pub(crate) section: Section,
    pub(crate) person: Person,
    pub(crate) waiting: i64,
    pub(crate) alerts: i64,
    pub(crate) done: Option<&'static str>,
    pub(crate) sought: String,
    pub(crate) calendar: Calendar,
    pub(crate) company: String,
}

impl Frame {
    pub(crate) fn navigation(&self) -> &'static [(&'static str, &'static [Entry])] {
        NAVIGATION
    }
    pub(crate) fn styles(&self) -> &'static str {
        super::assets::styles_path()
    }
    pub(crate) fn script(&self) -> &'static str {
        super::assets::script_path()
    }
    pub(crate) fn mark(&self) -> &'static str {
        super::assets::mark_path()
    }
    /// How many things wait, as the badge says it.
    pub(crate) fn waiting(&self) -> String {
        super::pages::at_most(self.waiting)
    }
    /// How many alerts stand, as the badge says it.
    pub(crate) fn alerts(&self) -> String {
        super::pages::at_most(self.alerts)
    }
    pub(crate) fn icon(&self, name: &'static str) -> Icon {
        icon(name)
    }
    pub(crate) fn now(&self) -> When {
        self.calendar.when(self.calendar.now.timestamp_micros())
    }
    pub(crate) fn zone(&self) -> String {
        self.calendar.zone.name().to_owned()
    }
}

/// What was asked for behind the `?`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked(pub(crate) BTreeMap<String, String>);

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Asked {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _state: &S,
    ) -> Result<Self, Self::Rejection> {
        let query: Result<axum::extract::Query<Vec<(String, String)>>, _> =
            axum::extract::Query::try_from_uri(&parts.uri);
        Ok(Self(
            query
                .map(|query| query.0.into_iter().collect())
                .unwrap_or_default(),
        ))
    }
}

impl Asked {
    /// A text that is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let text = self.0.get(name)?.trim();
        if text.is_empty() {
            None
        } else {
            Some(text.chars().take(200).collect())
        }
    }

    /// A word of those that a list can be narrowed by; another one is told, with those there are.
    pub(crate) fn one_of(
        &self,
        name: &str,
        what: &'static str,
        known: &[&'static str],
    ) -> Result<Option<String>, Trouble> {
        match self.text(name) {
            Some(word) if !known.contains(&word.as_str()) => Err(Trouble::NoSuchWord {
                what,
                word,
                known: known.to_vec(),
            }),
            word => Ok(word),
        }
    }

    /// The world whose traffic is asked for.
    pub(crate) fn mode(&self) -> Result<Option<String>, Trouble> {
        self.one_of("mode", "mode", &["production", "test"])
    }

    /// A number; what is none counts as not asked.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// The same questions with one of them answered otherwise; an empty value takes it away. Begins with `?`.
    pub(crate) fn with(&self, name: &str, value: &str) -> String {
        let mut pairs = self.0.clone();
        pairs.remove("done");
        if name != "before" {
            pairs.remove("before");
        }
        pairs.insert(name.to_owned(), value.to_owned());
        let text: Vec<String> = pairs
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{}={}", query_escaped(name), query_escaped(value)))
            .collect();
        format!("?{}", text.join("&"))
    }
}

/// Text as it may stand in a query.
pub(crate) fn query_escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex::encode_upper([byte]));
        }
    }
    out
}

/// A row of tabs above a list.
pub(crate) struct Tab {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) count: Option<String>,
    pub(crate) here: bool,
}

/// A choice in a filter or form.
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) name: String,
    pub(crate) chosen: bool,
}

/// Partners to choose from.
pub(crate) fn partner_choices(
    partners: Vec<(i64, String, String)>,
    chosen: Option<i64>,
) -> Vec<Choice> {
    partners
        .into_iter()
        .map(|(id, code, name)| Choice {
            value: id.to_string(),
            name: if name.is_empty() { code } else { name },
            chosen: chosen == Some(id),
        })
        .collect()
}

/// The sentences for what was just done; a page is asked for with `?done=` and the word.
fn done(word: &str) -> Option<&'static str> {
    Some(match word {
        "verified" => "Verified again, and nothing holds it now. The order goes on to allocation.",
        "held-still" => "Verified again. It is held still, for what stands below.",
        "released" => "Released. The order goes on to allocation.",
        "rejected" => "Rejected. The buyer is told in the 855.",
        "cancelled" => "Cancelled, as far as it had not left. The buyer is told in the 855.",
        "replayed" => "Replayed. What it led to shows below as soon as the work is done.",
        "corrected" => {
            "The corrected version is stored beside the original and goes through the gateway now."
        }
        "dismissed" => "Refused. The document needs nobody any more.",
        "resent" => "Built again. It goes out with new control numbers.",
        "redelivered" => "The same bytes are offered to the partner again, under the same name.",
        "shipped" => "Shipment confirmed. The ship notice follows.",
        "paid" => "Payment posted.",
        "applied" => "Applied.",
        "disputed" => "The deduction is disputed.",
        "recovered" => "Recovered: the buyer owes the amount again.",
        "written-off" => "Written off.",
        "accepted" => "Accepted.",
        "profile" => "The profile is in force as a new version.",
        _ => return None,
    })
}

impl Console {
    /// The frame of a page.
    pub(crate) async fn frame(
        &self,
        person: Person,
        section: Section,
        title: impl Into<String>,
        asked: &Asked,
    ) -> Result<Frame, Trouble> {
        let mut connection = self.store().read().await?;
        Ok(Frame {
            title: title.into(),
            section,
            person,
            waiting: queue::count(&mut connection).await?,
            alerts: overview::standing_alerts(&mut connection).await?,
            done: asked.text("done").as_deref().and_then(done),
            sought: String::new(),
            calendar: self.calendar(),
            company: self
                .settings()
                .company
                .first()
                .map_or_else(String::new, |company| company.name.clone()),
        })
    }
}

/// A page as a response.
pub(crate) fn html(status: StatusCode, page: &impl Template) -> Result<Response, Trouble> {
    let text = page.render()?;
    let headers = [(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    )];
    Ok((status, headers, text).into_response())
}

/// A page as a response, all well.
pub(crate) fn shown(page: &impl Template) -> Result<Response, Trouble> {
    html(StatusCode::OK, page)
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage {
    frame: Frame,
    heading: &'static str,
    sentence: String,
    back: String,
}

/// Puts what went wrong into the frame of the console, for people who are signed in.
pub(crate) async fn dress(
    State(console): State<Console>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers().clone();
    let response = next.run(request).await;
    let Some(trouble) = response.extensions().get::<Trouble>().cloned() else {
        return response;
    };
    dressed(&console, &headers, &trouble)
        .await
        .unwrap_or(response)
}

async fn dressed(
    console: &Console,
    headers: &axum::http::HeaderMap,
    trouble: &Trouble,
) -> Option<Response> {
    let person = Person::of(headers, console).await.ok()??;
    let (status, heading, sentence) = trouble.told();
    let frame = console
        .frame(person, Section::None, heading, &Asked::default())
        .await
        .ok()?;
    let back = headers
        .get(header::REFERER)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split_once("://"))
        .and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)))
        .filter(|path| !path.starts_with("//") && !path.contains('\\'))
        .unwrap_or("/")
        .to_owned();
    html(
        status,
        &TroublePage {
            frame,
            heading,
            sentence,
            back,
        },
    )
    .ok()
}

/// What every answer says to the browser: run and load nothing but what is ours, frame us nowhere, keep nothing.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), microphone=(), geolocation=(), payment=()",
        ),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_answered_otherwise() {
        let asked = Asked(BTreeMap::from([
            ("status".to_owned(), "held".to_owned()),
            ("before".to_owned(), "9".to_owned()),
            ("done".to_owned(), "paid".to_owned()),
        ]));
        assert_eq!(asked.with("status", ""), "?");
        assert_eq!(asked.with("po", "A&B=1"), "?po=A%26B%3D1&status=held");
        assert_eq!(asked.with("before", "5"), "?before=5&status=held");
    }
}
