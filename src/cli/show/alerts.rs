//! `alert list`, `mail list`, `audit list`: what people have to know, what they were written, and who did what.

use std::process::ExitCode;

use crate::cli::listing::{Paging, Shape, dash, minute, partner, show};
use crate::cli::{CliResult, Options, house};
use crate::storage::listing::alerts::{AlertFilter, AlertListing, alerts};
use crate::storage::listing::audit::{AuditListing, audit};
use crate::storage::listing::mail::{MailListing, mail};
use crate::workflow::notice;

/// Alerts.
#[derive(Debug, clap::Subcommand)]
pub enum AlertCommand {
    /// List alerts, newest first
    List {
        /// Those that were cleared too
        #[arg(long)]
        cleared: bool,
        /// About this partner's documents
        #[arg(long)]
        partner: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Say that an alert has been seen to; it leaves the list
    Clear {
        /// Number of the alert
        #[arg(required = true)]
        alerts: Vec<i64>,
    },
}

/// Mail.
#[derive(Debug, clap::Subcommand)]
pub enum MailCommand {
    /// List mail to ops, newest first
    List {
        /// Only what has not been sent
        #[arg(long)]
        unsent: bool,
        #[command(flatten)]
        paging: Paging,
    },
}

/// The audit trail.
#[derive(Debug, clap::Subcommand)]
pub enum AuditCommand {
    /// List who did what, newest first
    List {
        /// Of one thing: KIND:NUMBER, such as order:12
        #[arg(long, value_name = "KIND:NUMBER", value_parser = subject)]
        of: Option<(String, i64)>,
        #[command(flatten)]
        paging: Paging,
    },
}

fn subject(text: &str) -> Result<(String, i64), String> {
    text.split_once(':')
        .and_then(|(kind, number)| Some((kind.to_owned(), number.parse().ok()?)))
        .ok_or_else(|| format!("{text:?} is not KIND:NUMBER, such as order:12"))
}

const ALERTS: Shape<AlertListing> = Shape {
    what: "alerts",
    titles: &["ALERT", "KIND", "PARTNER", "ABOUT", "RAISED (UTC)"],
    row: |row| {
        vec![
            row.alert.clone(),
            row.kind.clone(),
            dash(row.partner.as_deref()),
            row.subject
                .as_ref()
                .map_or_else(String::new, |id| format!("{} {id}", row.subject_kind)),
            minute(row.raised_at),
        ]
    },
    below: Some(|row| row.message.clone()),
    cursor: Some(|row| row.alert.parse().ok()),
};

const MAIL: Shape<MailListing> = Shape {
    what: "mail",
    titles: &["MAIL", "STATUS", "WRITTEN (UTC)", "TO", "SUBJECT"],
    row: |row| {
        vec![
            row.mail.clone(),
            row.status.clone(),
            minute(row.created_at),
            row.recipients.clone(),
            row.subject.clone(),
        ]
    },
    below: Some(|row| row.problem.clone().unwrap_or_default()),
    cursor: Some(|row| row.mail.parse().ok()),
};

const AUDIT: Shape<AuditListing> = Shape {
    what: "audit entries",
    titles: &["ENTRY", "AT (UTC)", "WHO", "WHAT", "ABOUT"],
    row: |row| {
        vec![
            row.entry.clone(),
            minute(row.at),
            row.actor.clone(),
            row.action.clone(),
            row.subject
                .as_ref()
                .map_or_else(String::new, |id| format!("{} {id}", row.subject_kind)),
        ]
    },
    below: Some(|row| row.detail.clone()),
    cursor: Some(|row| row.entry.parse().ok()),
};

/// Lists alerts, or clears some.
pub async fn alerts_of(options: &Options, command: AlertCommand) -> CliResult {
    let gateway = house::open(options).await?;
    let (cleared, code, paging) = match command {
        AlertCommand::List {
            cleared,
            partner,
            paging,
        } => (cleared, partner, paging),
        AlertCommand::Clear { alerts } => {
            notice::clear(&gateway, &alerts, &house::actor()).await?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let mut connection = gateway.store.read().await?;
    let mut filter = AlertFilter {
        open: !cleared,
        partner: partner(&mut connection, code.as_deref()).await?,
        ..AlertFilter::default()
    };
    show(options, &paging, &ALERTS, async |page| {
        filter.page = page;
        alerts(&mut connection, &filter).await
    })
    .await
}

/// Lists mail.
pub async fn list_mail(options: &Options, command: MailCommand) -> CliResult {
    let MailCommand::List { unsent, paging } = command;
    let gateway = house::open(options).await?;
    let mut connection = gateway.store.read().await?;
    show(options, &paging, &MAIL, async |page| {
        mail(&mut connection, unsent, page).await
    })
    .await
}

/// Lists the audit trail.
pub async fn list_audit(options: &Options, command: AuditCommand) -> CliResult {
    let AuditCommand::List { of, paging } = command;
    let gateway = house::open(options).await?;
    let mut connection = gateway.store.read().await?;
    let of = of.as_ref().map(|(kind, number)| (kind.as_str(), *number));
    show(options, &paging, &AUDIT, async |page| {
        audit(&mut connection, of, page).await
    })
    .await
}
