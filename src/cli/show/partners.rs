//! `partner list|show` and `mailbox list`.

use std::process::ExitCode;

use crate::cli::listing::{Paging, Shape, dash, minute, missing, show, show_all};
use crate::cli::{CliResult, Options, house, print};
use crate::storage::listing::Page;
use crate::storage::listing::mailboxes::{MailboxListing, mailboxes};
use crate::storage::listing::partners::{PartnerListing, partner, partners, profiles};

const PARTNERS: Shape<PartnerListing> = Shape {
    what: "partners",
    titles: &[
        "PARTNER",
        "NAME",
        "KIND",
        "STATUS",
        ">VERSION",
        "ADDRESSES",
        "CONNECTIONS",
    ],
    row: |row| {
        let addresses: Vec<String> = row
            .addresses
            .iter()
            .map(|address| format!("{}:{}", address.qualifier, address.isa_id))
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect();
        let connections: Vec<String> = row
            .connections
            .iter()
            .map(|connection| match &connection.problem {
                Some(_) => format!("{} ({}, failing)", connection.name, connection.kind),
                None => format!("{} ({})", connection.name, connection.kind),
            })
            .collect();
        vec![
            row.partner.clone(),
            row.name.clone(),
            row.kind.clone(),
            row.status.clone(),
            row.version.to_string(),
            addresses.join(" "),
            connections.join(" "),
        ]
    },
    below: None,
    cursor: None,
};

const MAILBOXES: Shape<MailboxListing> = Shape {
    what: "mailboxes",
    titles: &[
        "MAILBOX",
        "PARTNER",
        "LOGINS",
        ">FILES OUTBOUND",
        "SINCE (UTC)",
    ],
    row: |row| {
        let logins: Vec<&str> = row.logins.iter().map(|login| login.kind.as_str()).collect();
        vec![
            row.mailbox.clone(),
            dash(
                Some(row.partners.join(" "))
                    .filter(|codes| !codes.is_empty())
                    .as_deref(),
            ),
            if logins.is_empty() {
                "none: nobody can log in".to_owned()
            } else {
                logins.join(" ")
            },
            row.outbound_files.to_string(),
            row.logins
                .first()
                .map_or_else(|| "-".to_owned(), |login| minute(login.created_at)),
        ]
    },
    below: None,
    cursor: None,
};

/// Lists partners by name.
pub async fn list(options: &Options, paging: Paging) -> CliResult {
    let gateway = house::open(options).await?;
    let mut connection = gateway.store.read().await?;
    show(options, &paging, &PARTNERS, async |page| {
        partners(&mut connection, None, page).await
    })
    .await
}

#[derive(serde::Serialize)]
struct Detail {
    #[serde(flatten)]
    listing: PartnerListing,
    profile: String,
}

/// Shows a partner: its profile as applied, or one version of it.
pub async fn show_one(options: &Options, code: &str, version: Option<i64>) -> CliResult {
    let gateway = house::open(options).await?;
    let mut connection = gateway.store.read().await?;
    let found = partner(&mut connection, code).await?;
    let listing = found.ok_or_else(|| missing("partner", &format!("{code:?}"), "partner list"))?;
    let wanted = version.unwrap_or(listing.version);
    let page = Page::first(1).before(wanted.saturating_add(1));
    let profile = profiles(&mut connection, listing.id, page)
        .await?
        .into_iter()
        .find(|profile| profile.version == wanted)
        .ok_or_else(|| {
            let what = format!("version of {code}'s profile:");
            missing(&what, &wanted, &format!("partner show {code}"))
        })?;
    if options.json {
        print::json(&Detail {
            listing,
            profile: profile.text,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let applied = minute(profile.applied_at);
    print::line(&format!(
        "# {code}, version {wanted}, applied {applied} UTC by {}",
        profile.applied_by
    ))?;
    print::text(&profile.text)?;
    Ok(ExitCode::SUCCESS)
}

/// Lists mailboxes by name.
pub async fn list_mailboxes(options: &Options) -> CliResult {
    let gateway = house::open(options).await?;
    let rows = mailboxes(&mut gateway.store.read().await?).await?;
    show_all(options, &MAILBOXES, &rows)
}
