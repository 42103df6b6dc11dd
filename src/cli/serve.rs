//! `serve`: runs the gateway until it is told to stop.

use std::io::IsTerminal;
use std::process::ExitCode;

use super::{CliResult, Options, house};
use crate::config::roles::{self, Role, RoleList};
use crate::config::settings::Node;
use crate::service::{ServeOptions, Service};

/// Run the gateway.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address of the SFTP mailbox; port 0 takes a free one [default: 127.0.0.1:2022]
    #[arg(long, value_name = "HOST:PORT")]
    sftp: Option<String>,
    /// Address of the console; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "HOST:PORT")]
    http: Option<String>,
    /// What this node does, any of mailbox, workers, console, where several share a PostgreSQL database [default: all]
    #[arg(long, value_name = "ROLE,…")]
    roles: Option<RoleList>,
    /// How each line of the log is written
    #[arg(
        long,
        value_name = "FORM",
        env = "SUPERCARGO_LOG",
        default_value = "text"
    )]
    log: LogForm,
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum LogForm {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Serves until SIGINT or SIGTERM.
pub async fn run(options: &Options, args: Args) -> CliResult {
    log_to_stderr(args.log);
    let mut settings = house::settings(options, "data")?;
    if let Some(RoleList(roles)) = args.roles {
        settings.node.roles = roles;
    }
    let location = house::location(options, &settings)?;
    let say = |text: &str| match args.log {
        LogForm::Text => eprintln!("supercargo: {text}"),
        LogForm::Json => tracing::info!("{text}"),
    };
    for warning in [
        unused(&settings.node, "--sftp", &args.sftp, Role::Mailbox),
        unused(&settings.node, "--http", &args.http, Role::Console),
        house::specimen_warning(&settings),
    ]
    .into_iter()
    .flatten()
    {
        match args.log {
            LogForm::Text => eprintln!("supercargo: warning: {warning}"),
            LogForm::Json => tracing::warn!("{warning}"),
        }
    }
    let data = settings.data.display().to_string();
    let serve = ServeOptions {
        location,
        settings,
        sftp: args.sftp,
        http: args.http,
        now: options.now,
    };
    let database = serve.location.to_string();
    let service = house::while_telling(&database, say, Service::start(serve)).await?;
    let endpoints = &service.endpoints;
    let part = endpoints
        .part()
        .map_or(String::new(), |roles| format!(" as {roles}"));
    super::print::aside(&format!(
        "Supercargo serves{part}. {} · {database} · data in {data} · endpoints in {data}/endpoints.json",
        endpoints.words()
    ));
    if !endpoints.host_key_fingerprint.is_empty() {
        super::print::aside(&format!(
            "Host key of the mailbox: {}",
            endpoints.host_key_fingerprint
        ));
    }
    stop_signal().await;
    say("stopping; what was begun is finished or left for the next start");
    service.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// What is said of an address that is given and not opened.
fn unused(node: &Node, option: &str, address: &Option<String>, role: Role) -> Option<String> {
    (address.is_some() && !node.has(role)).then(|| {
        format!(
            "{option} is not used, for this node is no {role} (its roles: {})",
            roles::words(&node.roles)
        )
    })
}

/// Structured logs on stderr; RUST_LOG narrows or widens them.
fn log_to_stderr(form: LogForm) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,supercargo=info"));
    // A second call in one process changes nothing. A log that can not be written (a full disk) must not end the task that
    // writes it: unless told, the subscriber complains on stderr, and that panics where stderr is the log.
    let log = tracing_subscriber::fmt()
        .log_internal_errors(false)
        .with_env_filter(filter)
        .with_ansi(form == LogForm::Text && std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let _ = match form {
        LogForm::Text => log.try_init(),
        LogForm::Json => log
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .try_init(),
    };
}

/// Waits for SIGINT or SIGTERM.
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
