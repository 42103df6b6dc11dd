//! The pages, one file for each subject.

mod document_row;
mod orders;
mod overview;
mod receivables;

use axum::Router;
use axum::routing::get;

use std::collections::BTreeMap;

use super::Console;
use super::page::{Asked, Tab};
use super::show::count;
use super::states::spoken;
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

/// Tabs for the states of a list: all, and each that there is something in.
pub(crate) fn state_tabs(asked: &Asked, counts: &BTreeMap<String, i64>, states: &[&str]) -> Vec<Tab> {
    let status = asked.text("status");
    let mut tabs = vec![Tab {
        name: "All".to_owned(),
        path: asked.with("status", ""),
        count: Some(count(counts.values().sum())),
        here: status.is_none(),
    }];
    tabs.extend(states.iter().filter_map(|word| {
        let n = counts.get(*word).copied().unwrap_or(0);
        let here = status.as_deref() == Some(word);
        (n > 0 || here).then(|| Tab {
            name: spoken(word),
            path: asked.with("status", word),
            count: Some(count(n)),
            here,
        })
    }));
    tabs
}

/// How a finding's gravity looks.
pub(crate) fn severity_class(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "quiet",
        Severity::Hold => "warn",
        Severity::Reject => "bad",
    }
}
