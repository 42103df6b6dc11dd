//! Opens what a command works on: settings, database, clock.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{CliError, Options};
use crate::config::settings::Settings;
use crate::service::endpoints::Endpoints;
use crate::service::serve;
use crate::storage::StoreLocation;
use crate::workflow::Gateway;

/// Name of the SQLite database in the data folder.
pub const DATABASE: &str = "supercargo.db";

/// Name of the settings in the data folder, read where `--config` names no others.
pub const SETTINGS: &str = "supercargo.toml";

/// The settings that these options name, or those in the data folder, with the data folder in place.
pub fn settings(options: &Options, data_default: &str) -> Result<Settings, CliError> {
    let folder = options.data.clone().unwrap_or_else(|| data_default.into());
    let own = folder.join(SETTINGS);
    let mut settings = match &options.config {
        Some(path) => Settings::load(path)?,
        None if own.is_file() => Settings::load(&own)?,
        None => Settings::default(),
    };
    if let Some(data) = &options.data {
        settings.data = data.clone();
    } else if options.config.is_none() {
        settings.data = PathBuf::from(data_default);
    }
    Ok(settings)
}

/// Warns on stderr where nobody has said which company this is: what goes out to real partners would bear the specimen's
/// name.
pub fn warn_of_specimen(settings: &Settings) {
    if let Some(warning) = specimen_warning(settings) {
        eprintln!("supercargo: warning: {warning}");
    }
}

/// What is wrong while the specimen company is in use.
pub fn specimen_warning(settings: &Settings) -> Option<String> {
    let company = settings.our_company()?;
    let keys = company.specimen_keys();
    if keys.is_empty() {
        return None;
    }
    let stated: Vec<String> = keys
        .into_iter()
        .map(|key| match key {
            "name" => format!("the name {:?}", company.name),
            "street" => format!("payments to {}, {}", company.street, company.city),
            _ => format!(
                "cartons numbered under GS1's example prefix {}",
                company.gs1_prefix
            ),
        })
        .collect();
    let own = settings.data.join(SETTINGS);
    let shown = own.display();
    let remedy = match own.exists() {
        true => format!("Write your [[company]] into the settings ({shown})"),
        false => {
            format!("Copy config/supercargo.toml to {shown}, write your [[company]] into it")
        }
    };
    Some(format!(
        "nobody has said who we are: documents go out with {}. {remedy} and restart, before a partner gets anything",
        stated.join(", ")
    ))
}

/// Where the database is: the option or `DATABASE_URL`, the settings, or SQLite in the data folder.
///
/// # Errors
/// Where the settings name an environment variable that is not set: to go on over SQLite would begin another system.
pub fn location(options: &Options, settings: &Settings) -> Result<StoreLocation, CliError> {
    let named = &settings.database;
    if let Some(url) = &options.database_url {
        return Ok(StoreLocation::Postgres(url.clone()));
    }
    if !named.url.is_empty() {
        return Ok(StoreLocation::Postgres(named.url.clone()));
    }
    if named.url_env.is_empty() {
        return Ok(StoreLocation::Sqlite(settings.data.join(DATABASE)));
    }
    std::env::var(&named.url_env)
        .map(StoreLocation::Postgres)
        .map_err(|_| {
            CliError::Broken(format!(
                "the settings take the database's URL from the environment variable {} ([database] url_env), and it is not set; set it for this process, or give --database-url",
                named.url_env
            ))
        })
}

/// The gateway of the data folder, for a command beside a running `serve` or alone. Its clock is that of the running
/// gateway unless `--now` says otherwise.
pub async fn open(options: &Options) -> Result<Gateway, CliError> {
    let settings = settings(options, "data")?;
    let location = location(options, &settings)?;
    if let StoreLocation::Sqlite(path) = &location
        && !path.exists()
        && !settings.data.exists()
    {
        announce(&settings.data);
    }
    let running = Endpoints::of_running(&settings.data);
    let tell = |waiting: &str| eprintln!("supercargo: {waiting}");
    let name = location.to_string();
    let opening = serve::open(settings, location, options.now);
    let (gateway, clock) = while_telling(&name, tell, opening).await?;
    if let (None, Some(running)) = (options.now, running) {
        use crate::domain::clock::Clock;
        clock.set(clock.now() + chrono::Duration::microseconds(running.clock_shift_micros));
    }
    Ok(gateway)
}

/// The same for a command that has nothing to say of a system that is not there: a wrong folder is told, not made.
///
/// # Errors
/// Where there is no SQLite database, besides those of [`open`].
pub async fn open_existing(options: &Options) -> Result<Gateway, CliError> {
    let settings = settings(options, "data")?;
    if let StoreLocation::Sqlite(path) = location(options, &settings)?
        && !path.exists()
    {
        return Err(CliError::Broken(format!(
            "there is no database at {}: say with --data (or --database-url) which system is meant",
            path.display()
        )));
    }
    open(options).await
}

/// A database that has not opened after so long is told of.
const SILENT_FOR: Duration = Duration::from_secs(3);

/// Waits for what opens a database, and tells in a sentence when that takes long.
pub async fn while_telling<T>(
    database: &str,
    tell: impl FnOnce(&str),
    opening: impl Future<Output = T>,
) -> T {
    tokio::pin!(opening);
    tokio::select! {
        opened = &mut opening => return opened,
        () = tokio::time::sleep(SILENT_FOR) => {}
    }
    tell(&format!(
        "not ready yet: {database} does not answer, and is tried for half a minute, or is being brought to this version's schema"
    ));
    opening.await
}

fn announce(data: &Path) {
    eprintln!("supercargo: made the data folder {}", data.display());
}

/// Who works at the command line, for the audit trail.
pub fn actor() -> String {
    let name = std::env::var("USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .unwrap_or_default();
    if name.is_empty() {
        "command line".to_owned()
    } else {
        format!("{name} (command line)")
    }
}

/// The day at our company: what is due and overdue goes by it.
pub fn today(gateway: &Gateway) -> chrono::NaiveDate {
    let zone = gateway
        .settings
        .our_company()
        .map_or(chrono_tz::UTC, |company| company.time_zone);
    gateway.now().with_timezone(&zone).date_naive()
}

/// A password from standard input, without the end of its line.
pub fn read_password() -> Result<String, CliError> {
    let text = String::from_utf8(read_file(Path::new("-"))?)
        .map_err(|_| CliError::Refused("the password is not UTF-8".to_owned()))?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    Ok(password.strip_suffix('\r').unwrap_or(password).to_owned())
}

/// Reads a file whole; `-` is standard input.
pub fn read_file(path: &Path) -> Result<Vec<u8>, CliError> {
    use std::io::Read;
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin()
            .read_to_end(&mut bytes)
            .map_err(|error| CliError::file("read", path, &error))?;
        return Ok(bytes);
    }
    std::fs::read(path).map_err(|error| CliError::file("read", path, &error))
}
