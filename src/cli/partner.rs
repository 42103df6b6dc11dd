//! `partner`: profiles of trading partners.

use std::path::PathBuf;
use std::process::ExitCode;

use super::listing::Paging;
use super::show::partners as show;
use super::{CliError, CliResult, Options, house, outcome};
use crate::config::profile::Profile;
use crate::storage::catalogue;
use crate::workflow::{COMPANY, Gateway, partners};

/// Trading partners and their profiles.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Apply profiles (TOML): each as a new version, or not at all where it has a fault
    Apply {
        /// Profiles
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// List partners
    List(Paging),
    /// Show a partner's profile as applied
    Show {
        /// Short name
        partner: String,
        /// A version of it [default: the one in force]
        #[arg(long, value_name = "N")]
        version: Option<i64>,
    },
}

/// Runs it.
pub async fn run(options: &Options, command: Command) -> CliResult {
    match command {
        Command::Apply { files } => apply(options, files).await,
        Command::List(paging) => show::list(options, paging).await,
        Command::Show { partner, version } => show::show_one(options, &partner, version).await,
    }
}

#[derive(serde::Serialize)]
struct Applied {
    file: String,
    partner: String,
    version: i64,
    /// The partners with which it shares its mailbox.
    shares_with: Vec<String>,
}

/// The other partners that send and receive over the connection that a profile names.
async fn sharers(gateway: &Gateway, text: &str, partner: &str) -> Result<Vec<String>, CliError> {
    let profile = Profile::parse(text).map_err(|refusal| CliError::Refused(refusal.to_string()))?;
    let mut connection = gateway.store.read().await?;
    let name = partners::connection_name(&profile);
    let Some(over) = connection.connection_named(&name).await? else {
        return Ok(Vec::new());
    };
    let all = connection.partners_over(over.id).await?;
    Ok(all
        .into_iter()
        .map(|(_, code)| code)
        .filter(|code| code != partner)
        .collect())
}

/// A warehouse that is named and not there is a list still to come, or a slip that leaves every order without goods.
async fn warn_of_warehouses(
    gateway: &Gateway,
    served_by: &[(String, String)],
) -> Result<(), CliError> {
    let mut connection = gateway.store.read().await?;
    let known = catalogue::warehouses(&mut connection, COMPANY).await?;
    for (partner, code) in served_by {
        if !known.iter().any(|warehouse| warehouse.code == *code) {
            eprintln!(
                "supercargo: warning: {partner} is served by warehouse {code}, which is not there yet: import it with `supercargo warehouse import`, or write the code right; nothing is allocated from it until then"
            );
        }
    }
    Ok(())
}

async fn apply(options: &Options, files: Vec<PathBuf>) -> CliResult {
    let mut texts = Vec::new();
    let mut served_by = Vec::new();
    let mut refused = Vec::new();
    for path in files {
        let bytes = house::read_file(&path)?;
        let shown = path.display().to_string();
        match String::from_utf8(bytes) {
            Ok(text) => match Profile::parse(&text) {
                Ok(profile) => {
                    let codes = profile.allocation.warehouses;
                    served_by.extend(
                        codes
                            .into_iter()
                            .map(|code| (profile.partner.clone(), code)),
                    );
                    texts.push((shown, profile.partner, text));
                }
                Err(refusal) => refused.push(format!("{shown}: {refusal}")),
            },
            Err(_) => refused.push(format!("{shown} is not UTF-8 text")),
        }
    }
    if !refused.is_empty() {
        return Err(CliError::Refused(format!(
            "nothing was applied\n{}",
            refused.join("\n")
        )));
    }
    let gateway = house::open(options).await?;
    house::warn_of_specimen(&gateway.settings);
    let mut applied = Vec::new();
    for (file, partner, text) in texts {
        let (_, version) = partners::apply(&gateway, &text, &house::actor())
            .await
            .map_err(|failure| match CliError::from(failure) {
                CliError::Refused(why) => CliError::Refused(format!("{file}: {why}")),
                broken => broken,
            })?;
        let shares_with = sharers(&gateway, &text, &partner).await?;
        applied.push(Applied {
            shares_with,
            file,
            partner,
            version,
        });
    }
    warn_of_warehouses(&gateway, &served_by).await?;
    if options.json {
        return outcome::print_json(&applied);
    }
    for one in applied {
        println!(
            "{}: profile version {} is in force ({})",
            one.partner, one.version, one.file
        );
        if !one.shares_with.is_empty() {
            println!(
                "  it shares its mailbox with {}: whoever logs in there sees the files of all of them",
                one.shares_with.join(", ")
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}
