//! The command line: one file per command. Exit status 0 done, 1 the input was refused, 2 wrong usage or a broken
//! system; errors go to stderr with what to do about them.

// The standard macros panic where the reader has gone away (`| head`); these end quietly.
macro_rules! println {
    () => { $crate::cli::print::told(format_args!("")) };
    ($($told:tt)*) => { $crate::cli::print::told(format_args!($($told)*)) };
}
macro_rules! eprintln {
    ($($told:tt)*) => { $crate::cli::print::warned(format_args!($($told)*)) };
}

mod backup;
mod demo;
mod doctor;
mod documents;
mod house;
mod imports;
mod listing;
mod mailbox;
mod migrate;
mod offline;
mod orders;
mod outcome;
mod partner;
mod pay;
mod print;
mod prove;
mod seal;
mod serve;
mod settle;
mod shipments;
mod show;
mod submit;
mod table;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::domain::clock::Instant;
pub use outcome::{CliError, CliResult};

/// Self-hosted EDI order-to-cash gateway: 850 in; 997, 855, 856 and 810 out; the receivable followed until it is paid.
#[derive(Debug, Parser)]
#[command(name = "supercargo", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Folder of the SQLite database and of all other files [default: ./data; for demo: a fresh ./demo-data]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Settings of the program, TOML; none are needed
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// PostgreSQL instead of SQLite: postgres://user:password@host/database
    #[arg(
        long,
        global = true,
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub database_url: Option<String>,
    /// What the clock shows, RFC 3339 (2026-01-31T09:00:00Z): for rehearsals and tests
    #[arg(long, global = true, value_name = "TIME")]
    pub now: Option<Instant>,
    /// Print JSON with stable field names
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway: SFTP mailbox, console, workers
    Serve(serve::Args),
    /// See it all: a fresh gateway, three partners, sixty days of trade
    Demo(demo::Args),
    /// Hand a file to the gateway as if a partner had sent it
    Submit(submit::Args),
    /// Say what is wrong with files; needs no database
    Validate(offline::validate::Args),
    /// Print a file for a person, each finding at its place; needs no database
    Explain(offline::explain::Args),
    /// Print the acknowledgment that a file deserves; needs no database
    Ack(offline::ack::Args),
    /// A file as JSON, and back without losing a byte; needs no database
    Json(offline::json::Args),
    /// A file that may be shown to strangers, with the same findings; needs no database
    Redact(offline::redact::Args),
    /// Guides of partners; needs no database
    #[command(subcommand)]
    Guide(offline::guide::Command),
    /// Trading partners and their profiles
    #[command(subcommand)]
    Partner(partner::Command),
    /// Mailboxes: logins of partners on the embedded SFTP server
    #[command(subcommand)]
    Mailbox(mailbox::Command),
    /// Items of the catalogue
    #[command(subcommand)]
    Item(imports::Command),
    /// Price lists
    #[command(subcommand)]
    Price(imports::Command),
    /// Stock on hand and expected
    #[command(subcommand)]
    Stock(imports::Command),
    /// A partner's stores and distribution centres
    #[command(subcommand)]
    Location(imports::Command),
    /// Our warehouses
    #[command(subcommand)]
    Warehouse(imports::Command),
    /// Orders
    #[command(subcommand)]
    Order(orders::Command),
    /// Documents, received and sent
    #[command(subcommand)]
    Document(documents::Command),
    /// Shipments
    #[command(subcommand)]
    Shipment(shipments::Command),
    /// Invoices and credits
    #[command(subcommand)]
    Invoice(show::invoices::Command),
    /// What is owed, deducted, and tied to nothing
    #[command(subcommand)]
    Receivables(show::receivables::Command),
    /// Book a payment by hand
    Pay(pay::Args),
    /// Files, received and sent
    #[command(subcommand)]
    File(show::files::Command),
    /// Alerts: what a person has to know
    #[command(subcommand)]
    Alert(show::alerts::AlertCommand),
    /// Mail to ops
    #[command(subcommand)]
    Mail(show::alerts::MailCommand),
    /// Who did what, and when
    #[command(subcommand)]
    Audit(show::alerts::AuditCommand),
    /// Users of the console
    #[command(subcommand)]
    User(user::Command),
    /// Work until nothing is due
    Settle(settle::Args),
    /// Bring the database to this version's schema
    Migrate,
    /// Seal what was written since the last seal; `serve` does that every minute
    Seal,
    /// Check the whole history: nothing lost, nothing twice, all sums right, every sealed row as it was
    Prove(prove::Args),
    /// Copy a SQLite system, running or not, into a new folder
    Backup(backup::Args),
    /// Bring a backup back into a data folder that has no database
    Restore(backup::Args),
    /// Find what is wrong with the set-up
    Doctor,
}

/// Runs the command that the program's arguments ask for.
pub fn run() -> ExitCode {
    run_from(std::env::args_os())
}

/// Runs the command that these arguments ask for, the first being the program's name: for a program that carries the
/// gateway within itself.
pub fn run_from(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // clap knows whether it was asked for help (stdout, 0) or used wrongly (stderr, 2).
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(2)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("supercargo: the runtime could not be started: {error}");
            return ExitCode::from(2);
        }
    };
    let result = runtime.block_on(dispatch(&cli.options, cli.command));
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    outcome::exit(result)
}

async fn dispatch(options: &Options, command: Command) -> CliResult {
    use crate::workflow::lists::ListKind;
    match command {
        Command::Serve(args) => serve::run(options, args).await,
        Command::Demo(args) => demo::run(options, args).await,
        Command::Submit(args) => submit::run(options, args).await,
        Command::Validate(args) => offline::validate::run(options, args),
        Command::Explain(args) => offline::explain::run(options, args),
        Command::Ack(args) => offline::ack::run(options, args),
        Command::Json(args) => offline::json::run(&args),
        Command::Guide(command) => offline::guide::run(options, command),
        Command::Redact(args) => offline::redact::run(&args),
        Command::Partner(command) => partner::run(options, command).await,
        Command::Mailbox(command) => mailbox::run(options, command).await,
        Command::Item(command) => imports::run(options, ListKind::Items, command).await,
        Command::Price(command) => imports::run(options, ListKind::Prices, command).await,
        Command::Stock(command) => imports::run(options, ListKind::Stock, command).await,
        Command::Location(command) => imports::run(options, ListKind::Locations, command).await,
        Command::Warehouse(command) => imports::run(options, ListKind::Warehouses, command).await,
        Command::Order(command) => orders::run(options, command).await,
        Command::Document(command) => documents::run(options, command).await,
        Command::Shipment(command) => shipments::run(options, command).await,
        Command::Invoice(command) => show::invoices::run(options, command).await,
        Command::Receivables(command) => show::receivables::run(options, command).await,
        Command::Pay(args) => pay::run(options, args).await,
        Command::File(command) => show::files::run(options, command).await,
        Command::Alert(command) => show::alerts::alerts_of(options, command).await,
        Command::Mail(command) => show::alerts::list_mail(options, command).await,
        Command::Audit(command) => show::alerts::list_audit(options, command).await,
        Command::User(command) => user::run(options, command).await,
        Command::Settle(args) => settle::run(options, args).await,
        Command::Migrate => migrate::run(options).await,
        Command::Seal => seal::run(options).await,
        Command::Prove(args) => prove::run(options, args).await,
        Command::Backup(args) => backup::back_up(options, args).await,
        Command::Restore(args) => backup::restore(options, args).await,
        Command::Doctor => doctor::run(options).await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    const DOCUMENTED: &str = include_str!("../../docs/cli.md");

    #[test]
    fn the_options_do_not_contradict_one_another() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_is_documented() {
        for command in Cli::command().get_subcommands() {
            let name = command.get_name();
            assert!(
                DOCUMENTED.contains(&format!("`{name}")) || name == "help",
                "docs/cli.md does not tell of {name}"
            );
        }
    }

    #[test]
    fn every_rule_of_the_standard_is_documented() {
        for rule in supercargo_x12::Rule::ALL {
            let name = rule.name();
            assert!(
                DOCUMENTED.contains(&format!("| `{name}` |")),
                "docs/cli.md does not tell of {name}"
            );
        }
    }
}
