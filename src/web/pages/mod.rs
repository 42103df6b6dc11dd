//! The pages, one file for each subject.

mod actions;
mod deductions;
mod difference;
mod document_row;
mod documents;
mod files;
mod invoices;
mod orders;
mod overview;
mod partners;
mod payments;
mod queue;
mod receivables;
mod records;
mod search;
mod shipments;
mod stock;

use std::collections::BTreeMap;

use axum::Router;
use axum::routing::{get, post};

use super::Console;
use super::page::{Asked, Tab};
use super::show::count;
use super::states::spoken;
use crate::domain::finding::Severity;
use crate::storage::console::{COUNTED, PAGE};

/// Every page that takes a login.
pub(crate) fn router() -> Router<Console> {
    Router::new()
        .route("/", get(overview::page))
        .route("/search", get(search::page))
        .merge(exchange())
        .merge(goods())
        .merge(money())
        .route("/alerts", get(records::alerts))
        .route("/mail", get(records::mails))
        .route("/mail/{id}", get(records::mail))
        .route("/audit", get(records::audit))
}

/// Files, documents, partners.
fn exchange() -> Router<Console> {
    Router::new()
        .route("/queue", get(queue::page))
        .route("/documents", get(documents::list))
        .route("/documents/{id}", get(documents::one))
        .route("/documents/{id}/raw", get(documents::raw))
        .route(
            "/documents/{id}/correct",
            get(documents::correct).post(actions::correct_document),
        )
        .route("/documents/{id}/replay", post(actions::replay_document))
        .route("/documents/{id}/dismiss", post(actions::dismiss_document))
        .route("/documents/{id}/resend", post(actions::resend_document))
        .route(
            "/documents/{id}/redeliver",
            post(actions::redeliver_document),
        )
        .route("/files", get(files::list))
        .route("/files/{id}", get(files::one))
        .route("/files/{id}/raw", get(files::raw))
        .route("/partners", get(partners::list))
        .route("/partners/{id}", get(partners::one))
        .route(
            "/partners/{id}/profile",
            get(partners::edit).post(actions::apply_profile),
        )
}

/// Orders, shipments, stock.
fn goods() -> Router<Console> {
    Router::new()
        .route("/orders", get(orders::list))
        .route("/orders.csv", get(orders::export))
        .route("/orders/{id}", get(orders::one))
        .route("/orders/{id}/verify", post(actions::verify_order))
        .route("/orders/{id}/release", post(actions::release_order))
        .route("/orders/{id}/reject", post(actions::reject_order))
        .route("/orders/{id}/cancel", post(actions::cancel_order))
        .route("/shipments", get(shipments::list))
        .route("/shipments/{id}", get(shipments::one))
        .route("/shipments/{id}/confirm", post(actions::confirm_shipment))
        .route("/stock", get(stock::page))
}

/// Invoices, payments, deductions.
fn money() -> Router<Console> {
    Router::new()
        .route("/invoices", get(invoices::list))
        .route("/invoices.csv", get(invoices::export))
        .route("/invoices/{id}", get(invoices::one))
        .route("/receivables", get(receivables::page))
        .route("/receivables.csv", get(receivables::export))
        .route(
            "/payments",
            get(payments::list).post(actions::enter_payment),
        )
        .route("/payments/new", get(payments::new))
        .route("/payments/{id}", get(payments::one))
        .route("/payments/{id}/apply", post(actions::apply_payment))
        .route("/deductions", get(deductions::list))
        .route("/deductions/{id}", get(deductions::one))
        .route("/deductions/{id}/{what}", post(actions::settle_deduction))
}

/// Cuts a list to one page; where there was more, the way to what is older.
pub(crate) fn older<T>(
    items: &mut Vec<T>,
    asked: &Asked,
    id: impl Fn(&T) -> i64,
) -> Option<String> {
    let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
    if items.len() <= page {
        return None;
    }
    items.truncate(page);
    items
        .last()
        .map(|last| asked.with("before", &id(last).to_string()))
}

/// Tabs for the states of a list: all, and each that there is something in; with how many, where they were counted.
pub(crate) fn state_tabs(
    asked: &Asked,
    counts: Option<&BTreeMap<String, i64>>,
    states: &[&str],
) -> Vec<Tab> {
    let status = asked.text("status");
    let mut tabs = vec![Tab {
        name: "All".to_owned(),
        path: asked.with("status", ""),
        count: counts.map(|counts| at_most(counts.values().sum())),
        here: status.is_none(),
    }];
    tabs.extend(states.iter().filter_map(|word| {
        let n = counts.map(|counts| counts.get(*word).copied().unwrap_or(0));
        let here = status.as_deref() == Some(word);
        (n != Some(0) || here).then(|| Tab {
            name: spoken(word),
            path: asked.with("status", word),
            count: n.map(at_most),
            here,
        })
    }));
    tabs
}

/// A count that was stopped at a bound.
pub(crate) fn at_most(n: i64) -> String {
    if n > COUNTED {
        format!("{}+", count(COUNTED))
    } else {
        count(n)
    }
}

/// How a finding's gravity looks.
pub(crate) fn severity_class(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "quiet",
        Severity::Hold => "warn",
        Severity::Reject => "bad",
    }
}
