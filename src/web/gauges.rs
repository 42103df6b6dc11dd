//! `/metrics`: what a monitor watches, in the text format of Prometheus.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};

use super::Console;
use crate::domain::order::Mode;
use crate::storage::Failure;
use crate::storage::listing::gauges::{alerts, backlog, lying};
use crate::storage::listing::overview::overview;

/// The version of the format, as a scraper expects it named.
const FORMAT: [(HeaderName, &str); 1] = [(CONTENT_TYPE, "text/plain; version=0.0.4")];

/// All gauges, as they stand at this moment.
pub(super) async fn page(
    State(console): State<Console>,
) -> Result<([(HeaderName, &'static str); 1], String), (StatusCode, &'static str)> {
    match gauges(&console).await {
        Ok(text) => Ok((FORMAT, text)),
        Err(failure) => {
            tracing::error!(%failure, "the gauges could not be read");
            Err((
                StatusCode::SERVICE_UNAVAILABLE,
                "the database does not answer\n",
            ))
        }
    }
}

/// A text in which each gauge is told of once, before its values.
#[derive(Default)]
struct Gauges(String);

impl Gauges {
    fn tell(&mut self, name: &str, help: &str) {
        self.0.push_str(&format!(
            "# HELP supercargo_{name} {help}\n# TYPE supercargo_{name} gauge\n"
        ));
    }

    fn value(&mut self, name: &str, labels: &[(&str, &str)], value: i64) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(label, text)| format!("{label}=\"{}\"", escaped(text)))
            .collect();
        let labels = match labels.is_empty() {
            true => String::new(),
            false => format!("{{{}}}", labels.join(",")),
        };
        self.0
            .push_str(&format!("supercargo_{name}{labels} {value}\n"));
    }

    fn single(&mut self, name: &str, help: &str, value: i64) {
        self.tell(name, help);
        self.value(name, &[], value);
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

async fn gauges(console: &Console) -> Result<String, Failure> {
    let now = console.now();
    let calendar = console.calendar();
    let mut connection = console.store().read().await?;
    let mut text = Gauges::default();

    let work = backlog(&mut connection, now).await?;
    text.tell("work_due", "Pieces of work that are due, by step.");
    for step in &work {
        text.value("work_due", &[("step", &step.step)], step.due);
    }
    text.tell("work_failing", "Those of them that failed before.");
    for step in &work {
        text.value("work_failing", &[("step", &step.step)], step.failing);
    }
    text.tell(
        "work_oldest_seconds",
        "How long the oldest of them has been due.",
    );
    for step in &work {
        let age = (now.timestamp_micros() - step.oldest).max(0) / 1_000_000;
        text.value("work_oldest_seconds", &[("step", &step.step)], age);
    }
    text.tell(
        "files_to_partners",
        "Files on their way, by connection: delivered lie in a mailbox, queued and uncertain are still to be pushed.",
    );
    for row in lying(&mut connection).await? {
        text.value(
            "files_to_partners",
            &[("connection", &row.connection), ("state", &row.state)],
            row.files,
        );
    }
    text.tell("alerts_open", "Alerts that are not cleared, by kind.");
    for row in alerts(&mut connection).await? {
        text.value("alerts_open", &[("kind", &row.kind)], row.open);
    }
    let today = now.with_timezone(&calendar.zone).date_naive();
    let counts = overview(&mut connection, Mode::Production, now, today).await?;
    for (name, help, value) in [
        (
            "orders_held",
            "Orders that wait for a person.",
            counts.orders_held,
        ),
        (
            "orders_in_progress",
            "Orders on their way.",
            counts.orders_in_progress,
        ),
        (
            "orders_backordered",
            "Orders of which nothing could be promised yet.",
            counts.orders_backordered,
        ),
        (
            "documents_held",
            "Received documents that wait for a person.",
            counts.documents_held,
        ),
        (
            "documents_rejected",
            "Received documents that were refused.",
            counts.documents_rejected,
        ),
        (
            "acknowledgments_overdue",
            "Documents we sent that nobody acknowledged in time.",
            counts.acknowledgments_overdue,
        ),
        (
            "shipments_planned",
            "Shipments that have not left.",
            counts.shipments_planned,
        ),
        (
            "invoices_open",
            "Invoices of which something is open.",
            counts.invoices_open,
        ),
        (
            "invoices_past_due",
            "Those of them that are past their due date.",
            counts.invoices_past_due,
        ),
        (
            "deductions_open",
            "Deductions that nobody has settled.",
            counts.deductions_open,
        ),
        (
            "payments_unapplied",
            "Payments with money that is tied to nothing.",
            counts.payments_unapplied,
        ),
        (
            "mail_failing",
            "Mail that could not be sent.",
            counts.mail_failing,
        ),
    ] {
        text.single(name, help, value);
    }
    Ok(text.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_can_not_break_out_of_its_line() {
        let mut text = Gauges::default();
        text.value("x", &[("connection", "a\"b\\c\nd")], 1);
        assert_eq!(text.0, "supercargo_x{connection=\"a\\\"b\\\\c\\nd\"} 1\n");
    }
}
