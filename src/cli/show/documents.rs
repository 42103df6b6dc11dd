//! `document list` and `document show`.

use std::process::ExitCode;

use crate::cli::listing::{Paging, Shape, dash, facts, minute, missing, partner, show, with_mode};
use crate::cli::table::{Table, harmless};
use crate::cli::{CliResult, Options, house, print};
use crate::domain::document::{Delivery, Direction, Disposition, Syntax};
use crate::domain::ids::{DocumentId, FileId};
use crate::domain::order::Mode;
use crate::storage::listing::FindingListing;
use crate::storage::listing::documents::{
    DocumentBrief, DocumentFilter, DocumentListing, document, documents,
};

/// Which documents.
#[derive(Debug, clap::Args)]
pub struct List {
    /// That ended so: received, processed, held, rejected, duplicate
    #[arg(long)]
    disposition: Option<Disposition>,
    /// From or to this partner
    #[arg(long)]
    partner: Option<String>,
    /// production or test
    #[arg(long)]
    mode: Option<Mode>,
    /// in or out
    #[arg(long)]
    direction: Option<Direction>,
    /// Transaction set: 850, 855, 997 …
    #[arg(long)]
    set: Option<String>,
    /// With this word of delivery: queued, held, delivered, picked_up, uncertain, superseded
    #[arg(long)]
    delivery: Option<Delivery>,
    /// Answered so: pending, accepted, accepted_with_errors, partly_accepted, rejected, none
    #[arg(long)]
    syntax: Option<Syntax>,
    /// Which came in this file
    #[arg(long, value_name = "FILE-ID")]
    file: Option<FileId>,
    /// Sent, and not acknowledged in time
    #[arg(long)]
    overdue: bool,
    #[command(flatten)]
    paging: Paging,
}

const SHAPE: Shape<DocumentListing> = Shape {
    what: "documents",
    titles: &[
        "ID",
        "DIR",
        "SET",
        "PARTNER",
        "REFERENCE",
        "ISA13",
        "ST02",
        "ENDED",
        "DELIVERY",
        "SYNTAX",
        "AT (UTC)",
    ],
    row: |document| {
        let brief = &document.brief;
        vec![
            brief.number.to_string(),
            brief.direction.clone(),
            dash(Some(&brief.set_code)),
            dash(document.partner.as_deref()),
            dash(Some(&document.reference)),
            dash(Some(brief.isa13.trim_start_matches('0'))),
            dash(Some(&brief.st02)),
            with_mode(&document.disposition, &document.mode),
            brief.delivery.replace("none", "-"),
            if document.overdue {
                "overdue".to_owned()
            } else {
                brief.syntax.replace("none", "-")
            },
            minute(document.created_at),
        ]
    },
    below: None,
    cursor: Some(|document| Some(document.brief.number)),
};

/// Lists documents, newest first.
pub async fn list(options: &Options, args: List) -> CliResult {
    let gateway = house::open(options).await?;
    let now = gateway.now();
    let mut connection = gateway.store.read().await?;
    let mut filter = DocumentFilter {
        partner: partner(&mut connection, args.partner.as_deref()).await?,
        mode: args.mode,
        direction: args.direction,
        set: args.set,
        disposition: args.disposition,
        delivery: args.delivery,
        syntax: args.syntax,
        file: args.file.map(|file| file.0),
        overdue: args.overdue,
        ..DocumentFilter::default()
    };
    show(options, &args.paging, &SHAPE, async |page| {
        filter.page = page;
        documents(&mut connection, &filter, now).await
    })
    .await
}

/// Shows one document.
pub async fn show_one(options: &Options, id: DocumentId) -> CliResult {
    let gateway = house::open(options).await?;
    let found = document(&mut gateway.store.read().await?, id, gateway.now()).await?;
    let document = found.ok_or_else(|| missing("document", &id, "document list"))?;
    if options.json {
        print::json(&document)?;
    } else {
        print::text(&told(&document))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn told(document: &DocumentListing) -> String {
    let brief = &document.brief;
    let known = |word: &str| {
        if word == "none" {
            String::new()
        } else {
            word.to_owned()
        }
    };
    let at =
        |instant: Option<crate::domain::clock::Instant>| instant.map_or_else(String::new, minute);
    let about = document
        .subject
        .as_ref()
        .map_or_else(String::new, |subject| {
            format!("{} {subject}", document.subject_kind)
        });
    let mut text = facts(&[
        ("document", brief.number.to_string()),
        (
            "set",
            format!("{} ({})", dash(Some(&brief.set_code)), brief.direction),
        ),
        ("partner", dash(document.partner.as_deref())),
        ("mode", document.mode.clone()),
        ("about", about),
        ("reference", document.reference.clone()),
        (
            "ISA13 · GS06 · ST02",
            [&brief.isa13, &brief.gs06, &brief.st02]
                .map(|number| dash(Some(number)))
                .join(" · "),
        ),
        ("ended", document.disposition.clone()),
        ("delivery", known(&brief.delivery)),
        ("syntax", known(&brief.syntax)),
        ("application", known(&brief.application)),
        ("file", document.file.clone().unwrap_or_default()),
        (
            "connection",
            document.connection.clone().unwrap_or_default(),
        ),
        ("at", format!("{} UTC", minute(document.created_at))),
        ("sent", at(document.sent_at)),
        ("answer due", at(document.answer_due_at)),
        ("answered", at(document.answered_at)),
        (
            "overdue",
            if document.overdue {
                "yes".to_owned()
            } else {
                String::new()
            },
        ),
        (
            "corrected",
            if document.corrected {
                "yes".to_owned()
            } else {
                String::new()
            },
        ),
        ("replaces", document.replaces.clone().unwrap_or_default()),
    ]);
    text.push_str(&findings(&document.findings));
    text
}

/// Findings, each with its place, for people.
pub fn findings(findings: &[FindingListing]) -> String {
    let mut text = String::new();
    for finding in findings {
        let mut place = Vec::new();
        place.extend(finding.byte.map(|byte| format!("byte {byte}")));
        place.extend(finding.segment.as_ref().map(|segment| {
            match (finding.segment_index, finding.element) {
                (Some(index), Some(element)) => format!("{segment}{element:02}, segment {index}"),
                (Some(index), None) => format!("{segment}, segment {index}"),
                (None, Some(element)) => format!("{segment}{element:02}"),
                (None, None) => segment.clone(),
            }
        }));
        let place = if place.is_empty() {
            String::new()
        } else {
            format!(" ({})", place.join(", "))
        };
        text.push_str(&format!(
            "\n{}{}\n  {}\n",
            harmless(&finding.code),
            harmless(&place),
            harmless(&finding.message)
        ));
    }
    text
}

/// The documents of a thread.
pub fn thread(documents: &[DocumentBrief]) -> String {
    let mut table = Table::new(&[
        "DOCUMENT",
        "DIR",
        "SET",
        "ISA13",
        "GS06",
        "ST02",
        "DELIVERY",
        "SYNTAX",
        "APPLICATION",
    ]);
    for document in documents {
        let word = |word: &str| dash(Some(word).filter(|word| *word != "none"));
        table.row(vec![
            document.number.to_string(),
            document.direction.clone(),
            document.set_code.clone(),
            dash(Some(&document.isa13)),
            dash(Some(&document.gs06)),
            dash(Some(&document.st02)),
            word(&document.delivery),
            word(&document.syntax),
            word(&document.application),
        ]);
    }
    table.render()
}
