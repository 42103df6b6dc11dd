//! The pages, one file for each subject.

mod document_row;
mod orders;
mod overview;
mod receivables;

use axum::Router;
use axum::routing::get;

use super::Console;
use super::page::Asked;
use crate::domain::finding::Severity;
use crate::storage::console::PAGE;

/// Every page that takes a login.
pub(crate) fn router() -> Router<Console> {
    Router::new()
        .route("/", get(overview::page))
        .route("/orders", get(orders::list))
        .route("/orders.csv", get(orders::export))
        .route("/orders/{id}", get(orders::one))
        .route("/receivables", get(receivables::page))
        .route("/receivables.csv", get(receivables::export))
}

/// Cuts a list to one page; where there was more, the way to what is older.
pub(crate) fn older<T>(items: &mut Vec<T>, asked: &Asked, id: impl Fn(&T) -> i64) -> Option<String> {
    let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
    if items.len() <= page {
        return None;
    }
    items.truncate(page);
    items.last().map(|last| asked.with("before", &id(last).to_string()))
}

/// How a finding's gravity looks.
pub(crate) fn severity_class(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "quiet",
        Severity::Hold => "warn",
        Severity::Reject => "bad",
    }
}
