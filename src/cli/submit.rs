//! `submit`: hands a file to the gateway as if a partner had sent it, and tells what became of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::{CliError, CliResult, Options, house, outcome};
use crate::cli::table::harmless;
use crate::domain::ids::{OrderId, PartnerId};
use crate::storage::Failure;
use crate::storage::listing;
use crate::storage::listing::files::{self, FileDetail};
use crate::workflow::receive::{Upload, UploadSource, receive};
use crate::workflow::verify::what_helps;
use crate::workflow::{Gateway, orders, run};

/// Hand a file to the gateway.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file
    file: PathBuf,
    /// The partner it comes from; its sender must be this one
    #[arg(long)]
    partner: Option<String>,
    /// Seconds to wait for its disposition
    #[arg(long, default_value_t = 60, value_name = "S")]
    timeout: u64,
}

/// Receives the file and works until it is settled: status 0 processed, 1 rejected, held or a duplicate.
pub async fn run(options: &Options, args: Args) -> CliResult {
    if !args.file.is_file() {
        return Err(CliError::Broken(format!(
            "{} is no file that can be read",
            args.file.display()
        )));
    }
    let gateway = house::open(options).await?;
    let partner = match &args.partner {
        Some(code) => Some(find(&gateway, code).await?),
        None => None,
    };
    let name = args
        .file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let upload = Upload {
        connection: None,
        partner,
        name,
        source: UploadSource::Path(args.file.clone()),
        actor: house::actor(),
        key: None,
    };
    let id = receive(&gateway, upload).await?;
    run::settle(&gateway, Duration::from_secs(args.timeout)).await?;
    let detail = files::file(&mut gateway.store.read().await?, id, gateway.now())
        .await?
        .ok_or_else(|| {
            CliError::Broken(format!("file {id} was received and is not there any more"))
        })?;
    let held = if options.json {
        Held::default()
    } else {
        held(&gateway, &detail).await?
    };
    tell(options, &args, &detail, &held)
}

/// Held orders that are told one by one; the rest is counted.
const HELD_TOLD_MAX: usize = 20;

/// The orders of a file that wait for a person: why each of the first does and what to do, by its number.
#[derive(Default)]
struct Held {
    told: BTreeMap<String, String>,
    more: usize,
}

async fn held(gateway: &Gateway, detail: &FileDetail) -> Result<Held, CliError> {
    let mut held = Held::default();
    let mut connection = gateway.store.read().await?;
    let sets = detail.interchanges.iter().flat_map(|part| &part.sets);
    let orders = sets
        .filter(|set| set.subject_kind == "order" && set.disposition == "processed")
        .filter_map(|set| set.subject.as_deref()?.parse().ok().map(OrderId));
    for id in orders {
        let Some(found) = listing::orders::order(&mut connection, id).await? else {
            continue;
        };
        let Some(helps) = orders::helps(gateway, &mut connection, &found.order).await? else {
            continue;
        };
        if held.told.len() == HELD_TOLD_MAX {
            held.more += 1;
            continue;
        }
        let mut text = format!("order {id} (PO {}) is held:\n", found.listing.po_number);
        for reason in &found.listing.reasons {
            text.push_str(&format!("  {}: {}\n", reason.code, reason.message));
        }
        text.push_str(&format!("  What to do: {}\n", what_helps(&helps, id)));
        held.told.insert(id.0.to_string(), text);
    }
    Ok(held)
}

async fn find(gateway: &Gateway, code: &str) -> Result<PartnerId, CliError> {
    let row = gateway.store.read().await?.partner_named(code).await?;
    row.map(|row| PartnerId(row.id)).ok_or_else(|| {
        Failure::refuse(format!(
            "there is no partner {code:?}; `supercargo partner list` shows the names"
        ))
        .into()
    })
}

fn tell(options: &Options, args: &Args, detail: &FileDetail, held: &Held) -> CliResult {
    let status = match detail.listing.disposition.as_str() {
        "processed" => ExitCode::SUCCESS,
        _ => ExitCode::from(1),
    };
    if options.json {
        let mut value =
            serde_json::to_value(detail).map_err(|error| CliError::Broken(error.to_string()))?;
        value["id"] = value["file"].clone();
        value["file"] = args.file.display().to_string().into();
        outcome::print_json(&value)?;
        return Ok(status);
    }
    println!("{}: {}", args.file.display(), detail.listing.disposition);
    for finding in &detail.listing.findings {
        println!("  {}", finding.message);
    }
    for interchange in &detail.interchanges {
        println!(
            "  interchange {} ({}): {}",
            interchange.isa13, interchange.mode, interchange.disposition
        );
        for finding in &interchange.findings {
            println!("    {}", finding.message);
        }
        for set in &interchange.sets {
            println!(
                "    {} {}: {}",
                set.brief.set_code, set.brief.st02, set.disposition
            );
            for finding in &set.findings {
                println!("      {}", finding.message);
            }
            let order = set.subject.as_ref().filter(|_| set.subject_kind == "order");
            let told = order.and_then(|order| held.told.get(order));
            for line in told.iter().flat_map(|text| text.lines()) {
                println!("      {}", harmless(line));
            }
        }
    }
    if held.more > 0 {
        println!(
            "  and {} more orders are held; `supercargo order list --status held` shows them",
            held.more
        );
    }
    Ok(status)
}
