//! Rejected and held: what waits for a person, and what was refused lately, grouped by cause.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::domain::finding::Finding;
use crate::storage::console::queue::{self, QueueItem};
use crate::web::Console;
use crate::web::gate::person::Person;
use crate::web::page::{Asked, Frame, Section, Tab, shown};
use crate::web::show::{self, Calendar, Chip, Money, Tone, When, chip, count};
use crate::web::states::{set_name, spoken};
use crate::web::trouble::Trouble;

/// Things of one kind that are looked at.
const MOST: i64 = 500;
/// Days for which what was refused is shown.
const DAYS: i64 = 30;

struct Entry {
    path: String,
    set: String,
    title: String,
    partner: String,
    message: String,
    more: usize,
    state: Chip,
    since: When,
    money: Option<Money>,
    test: bool,
}

struct Group {
    cause: String,
    count: usize,
    oldest: When,
    money: Vec<Money>,
    entries: Vec<Entry>,
}

#[derive(Template)]
#[template(path = "queue.html")]
struct QueuePage {
    frame: Frame,
    tabs: Vec<Tab>,
    groups: Vec<Group>,
    rejected: bool,
}

/// `GET /queue`
pub(crate) async fn page(
    State(console): State<Console>,
    person: Person,
    asked: Asked,
) -> Result<Response, Trouble> {
    let frame = console
        .frame(person, Section::Queue, "Rejected and held", &asked)
        .await?;
    let rejected = asked.one_of("show", "choice", &["rejected"])?.is_some();
    let since = frame.calendar.now.timestamp_micros() - DAYS * 86_400_000_000;
    let mut connection = console.store().read().await?;
    let waiting = queue::waiting(&mut connection, MOST).await?;
    let refused = queue::rejected(&mut connection, since, MOST).await?;
    drop(connection);
    let tab = |name: &str, show: &str, n: usize, here: bool| Tab {
        name: name.to_owned(),
        path: asked.with("show", show),
        count: Some(count(i64::try_from(n).unwrap_or(0))),
        here,
    };
    let tabs = vec![
        tab("Waiting for a person", "", waiting.len(), !rejected),
        tab("Refused, last 30 days", "rejected", refused.len(), rejected),
    ];
    let items = if rejected { refused } else { waiting };
    let page = QueuePage {
        groups: groups(&items, &frame.calendar),
        tabs,
        rejected,
        frame,
    };
    shown(&page)
}

/// What was found about a thing, gravest first.
fn findings(item: &QueueItem) -> Vec<Finding> {
    let mut findings = if item.kind == "order" {
        super::orders::reasons_of(&item.findings)
    } else {
        serde_json::from_str::<Vec<Finding>>(&item.findings).unwrap_or_default()
    };
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// Groups by the cause of the gravest finding; the group with the most money comes first, then the oldest.
fn groups(items: &[QueueItem], calendar: &Calendar) -> Vec<Group> {
    let mut by_cause: BTreeMap<String, Vec<(&QueueItem, Vec<Finding>)>> = BTreeMap::new();
    for item in items {
        let findings = findings(item);
        let cause = findings.first().map_or_else(
            || format!("{} {}", item.kind, item.disposition),
            |first| first.code.clone(),
        );
        by_cause.entry(cause).or_default().push((item, findings));
    }
    let mut groups: Vec<(i64, i64, Group)> = by_cause
        .into_iter()
        .map(|(cause, members)| {
            let oldest = members
                .iter()
                .map(|(item, _)| item.since)
                .min()
                .unwrap_or(0);
            let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
            for (item, _) in &members {
                if let (Some(value), Some(currency)) = (item.value, &item.currency) {
                    let sum = sums.entry(currency).or_default();
                    *sum = sum.saturating_add(value);
                }
            }
            let at_stake = sums.values().copied().max().unwrap_or(0);
            let group = Group {
                cause: spoken(&cause),
                count: members.len(),
                oldest: calendar.ago(oldest),
                money: sums
                    .iter()
                    .filter(|(_, sum)| **sum > 0)
                    .map(|(currency, sum)| show::money(*sum, currency))
                    .collect(),
                entries: members
                    .iter()
                    .map(|(item, findings)| entry(item, findings, calendar))
                    .collect(),
            };
            (at_stake, oldest, group)
        })
        .collect();
    groups.sort_by_key(|(at_stake, oldest, _)| (std::cmp::Reverse(*at_stake), *oldest));
    groups.into_iter().map(|(_, _, group)| group).collect()
}

fn entry(item: &QueueItem, findings: &[Finding], calendar: &Calendar) -> Entry {
    let (path, set, title) = match item.kind.as_str() {
        "order" => (
            format!("/orders/{}", item.id),
            "850".to_owned(),
            format!("Order {}", item.reference),
        ),
        "file" => (
            format!("/files/{}", item.id),
            "file".to_owned(),
            item.reference.clone(),
        ),
        _ => {
            let what = format!("{} {}", set_name(&item.set_code), item.reference);
            (
                format!("/documents/{}", item.id),
                item.set_code.clone(),
                what,
            )
        }
    };
    let state = match (item.direction.as_str(), item.disposition.as_str()) {
        ("out", "rejected") => chip(Tone::Bad, "Rejected by partner"),
        ("out", _) => chip(Tone::Warn, "Held back"),
        (_, "rejected") => chip(Tone::Bad, "Refused"),
        _ => chip(Tone::Warn, "Held"),
    };
    Entry {
        path,
        set: if set.is_empty() { "?".to_owned() } else { set },
        title,
        partner: item
            .partner_name
            .clone()
            .unwrap_or_else(|| "Unknown sender".to_owned()),
        message: findings
            .first()
            .map_or_else(String::new, |first| first.message.clone()),
        more: findings.len().saturating_sub(1),
        state,
        since: calendar.ago(item.since),
        money: item
            .value
            .zip(item.currency.as_ref())
            .map(|(value, currency)| show::money(value, currency)),
        test: item.mode == "test",
    }
}
