//! Receivables by age.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::storage::console::invoices::{self, AgeRow};
use crate::web::Console;
use crate::web::chart::{self, Bar, Columns, Stack};
use crate::web::export;
use crate::web::gate::person::Person;
use crate::web::page::{Asked, Frame, Section, shown};
use crate::web::show::{self, Money, amount, plain_amount};
use crate::web::trouble::Trouble;

/// The ages: name, how the list of invoices is asked for it, colour.
pub(crate) const AGES: [(&str, &str, &str); 5] = [
    ("Not due", "current", "fill-1"),
    ("1–30 d", "1-30", "fill-2"),
    ("31–60 d", "31-60", "fill-3"),
    ("61–90 d", "61-90", "fill-4"),
    ("Over 90 d", "over-90", "fill-5"),
];

/// The sums of all partners by currency.
pub(crate) fn sums(rows: &[AgeRow]) -> BTreeMap<String, AgeRow> {
    let mut sums: BTreeMap<String, AgeRow> = BTreeMap::new();
    for row in rows {
        let sum = sums.entry(row.currency.clone()).or_insert_with(|| AgeRow {
            currency: row.currency.clone(),
            ..AgeRow::default()
        });
        sum.not_due = sum.not_due.saturating_add(row.not_due);
        sum.days_1_30 = sum.days_1_30.saturating_add(row.days_1_30);
        sum.days_31_60 = sum.days_31_60.saturating_add(row.days_31_60);
        sum.days_61_90 = sum.days_61_90.saturating_add(row.days_61_90);
        sum.days_over_90 = sum.days_over_90.saturating_add(row.days_over_90);
        sum.disputed = sum.disputed.saturating_add(row.disputed);
        sum.unapplied = sum.unapplied.saturating_add(row.unapplied);
    }
    sums
}

/// The five ages of a sum as columns.
pub(crate) fn chart(currency: &str, sum: &AgeRow, size: (i64, i64)) -> Columns {
    let scale = 10_i64.pow(
        currency
            .parse::<crate::domain::money::Currency>()
            .map_or(2, |known| known.exponent()),
    );
    let classes: Vec<(&'static str, &str)> =
        AGES.iter().map(|(_, _, class)| (*class, "")).collect();
    let stacks = sum
        .buckets()
        .iter()
        .enumerate()
        .map(|(place, bucket)| {
            let mut parts = vec![0; AGES.len()];
            if let Some(part) = parts.get_mut(place) {
                *part = bucket / scale;
            }
            let name = AGES.get(place).map_or("", |age| age.0);
            Stack {
                label: name.to_owned(),
                name: name.to_owned(),
                value: if *bucket == 0 {
                    String::new()
                } else {
                    chart::short((bucket + scale / 2).div_euclid(scale))
                },
                parts,
            }
        })
        .collect();
    chart::columns(
        &format!("Open receivables in {currency} by age"),
        size,
        &classes,
        stacks,
        chart::short,
    )
}

struct Row {
    partner_id: i64,
    partner: String,
    cells: Vec<(String, String, &'static str)>,
    unapplied: String,
    total: Money,
    disputed: String,
    bar: Bar,
}

struct Block {
    currency: String,
    chart: Columns,
    total: Money,
    overdue: Money,
    is_overdue: bool,
    disputed: Money,
    unapplied: Money,
    rows: Vec<Row>,
    foot: Row,
}

#[derive(Template)]
#[template(path = "receivables.html")]
struct ReceivablesPage {
    frame: Frame,
    blocks: Vec<Block>,
}

fn figure(minor: i64, currency: &str) -> String {
    if minor == 0 {
        String::new()
    } else {
        amount(minor, currency)
    }
}

fn row(age: &AgeRow) -> Row {
    let cells = age
        .buckets()
        .iter()
        .zip(AGES)
        .map(|(bucket, (name, key, _))| {
            let path = format!("/invoices?partner={}&age={key}", age.partner_id);
            (figure(*bucket, &age.currency), path, name)
        })
        .collect();
    let parts: Vec<(&'static str, i64)> = age
        .buckets()
        .iter()
        .zip(AGES)
        .map(|(bucket, (_, _, class))| (class, *bucket))
        .collect();
    let whole = age
        .buckets()
        .iter()
        .fold(0_i64, |sum, bucket| sum.saturating_add(*bucket));
    Row {
        partner_id: age.partner_id,
        partner: if age.partner_name.is_empty() {
            age.partner_code.clone()
        } else {
            age.partner_name.clone()
        },
        cells,
        unapplied: figure(age.unapplied, &age.currency),
        total: show::money(age.total(), &age.currency),
        disputed: figure(age.disputed, &age.currency),
        bar: chart::bar("Share of each age", whole, &parts),
    }
}

/// `GET /receivables`
pub(crate) async fn page(
    State(console): State<Console>,
    person: Person,
    asked: Asked,
) -> Result<Response, Trouble> {
    let frame = console
        .frame(person, Section::Receivables, "Receivables by age", &asked)
        .await?;
    let ages = invoices::aging(&mut console.store().read().await?, frame.calendar.today()).await?;
    let blocks = sums(&ages)
        .into_iter()
        .map(|(currency, sum)| Block {
            chart: chart(&currency, &sum, (980, 250)),
            total: show::money(sum.total(), &currency),
            overdue: show::money(sum.overdue(), &currency),
            is_overdue: sum.overdue() > 0,
            disputed: show::money(sum.disputed, &currency),
            unapplied: show::money(sum.unapplied, &currency),
            rows: ages
                .iter()
                .filter(|age| age.currency == currency)
                .map(row)
                .collect(),
            foot: row(&sum),
            currency,
        })
        .collect();
    shown(&ReceivablesPage { frame, blocks })
}

/// `GET /receivables.csv`
pub(crate) async fn export(
    State(console): State<Console>,
    _person: Person,
) -> Result<Response, Trouble> {
    let today = console.calendar().today();
    let ages = invoices::aging(&mut console.store().read().await?, today).await?;
    let heading = [
        "partner",
        "name",
        "currency",
        "current",
        "days_1_30",
        "days_31_60",
        "days_61_90",
        "days_over_90",
        "unapplied",
        "total",
        "disputed",
    ];
    let rows = ages
        .iter()
        .map(|age| {
            let mut fields = vec![
                age.partner_code.clone(),
                age.partner_name.clone(),
                age.currency.clone(),
            ];
            fields.extend(
                age.buckets()
                    .iter()
                    .map(|bucket| plain_amount(*bucket, &age.currency)),
            );
            fields.extend(
                [age.unapplied, age.total(), age.disputed]
                    .map(|sum| plain_amount(sum, &age.currency)),
            );
            fields
        })
        .collect();
    export::csv(&format!("receivables-{today}"), &heading, rows)
}
