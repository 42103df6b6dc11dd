//! The search box.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::records::path_of;
use crate::storage::console::search::{self, Found};
use crate::web::Console;
use crate::web::gate::person::Person;
use crate::web::page::{Asked, Frame, Section, shown};
use crate::web::show::{Icon, When, icon};
use crate::web::states::{set_name, spoken};
use crate::web::trouble::Trouble;

struct Hit {
    icon: Icon,
    kind: String,
    name: String,
    by: String,
    partner: String,
    status: String,
    path: String,
    at: Option<When>,
}

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    frame: Frame,
    hits: Vec<Hit>,
}

/// `GET /search`
pub(crate) async fn page(
    State(console): State<Console>,
    person: Person,
    asked: Asked,
) -> Result<Response, Trouble> {
    let text = asked.text("q").unwrap_or_default();
    let mut frame = console
        .frame(person, Section::None, "Search", &asked)
        .await?;
    let found = if text.is_empty() || text.contains('\0') {
        Vec::new()
    } else {
        search::find(&mut console.store().read().await?, &text).await?
    };
    // one exact hit is what was meant
    let exact: Vec<&Found> = found.iter().filter(|hit| hit.name == text).collect();
    if let [only] = exact.as_slice()
        && found.iter().filter(|hit| hit.kind == only.kind).count() == 1
        && matches!(only.kind.as_str(), "order" | "invoice" | "payment")
    {
        return Ok(Redirect::to(&path_of(&only.kind, Some(only.id))).into_response());
    }
    let hits = found
        .into_iter()
        .map(|hit| Hit {
            icon: icon(match hit.kind.as_str() {
                "order" => "orders",
                "invoice" => "invoices",
                "shipment" => "shipments",
                "payment" => "payments",
                "partner" => "partners",
                "file" => "files",
                _ => "documents",
            }),
            path: path_of(&hit.kind, Some(hit.id)),
            name: match hit.kind.as_str() {
                "document" => format!("{} {}", hit.name, set_name(&hit.name)),
                "shipment" => format!("Shipment {}", hit.id),
                _ => hit.name,
            },
            kind: spoken(&hit.kind),
            by: hit.by,
            partner: hit.partner_name.unwrap_or_default(),
            status: spoken(&hit.status),
            at: frame.calendar.when_some(hit.at),
        })
        .collect();
    frame.sought = text;
    shown(&SearchPage { frame, hits })
}
