//! How a command ended: what is printed, where, and the exit status.

use std::process::ExitCode;

use crate::config::profile::ProfileRefusal;
use crate::config::settings::SettingsRefusal;
use crate::service::ServeFailure;
use crate::storage::Failure;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The input was refused: exit status 1.
    #[error("{0}")]
    Refused(String),
    /// Wrong usage, or a broken system: exit status 2.
    #[error("{0}")]
    Broken(String),
}

/// What a command gives back: its exit status, where it is not an error.
pub type CliResult = Result<ExitCode, CliError>;

impl From<Failure> for CliError {
    fn from(failure: Failure) -> Self {
        if failure.is_refusal() {
            Self::Refused(failure.to_string())
        } else {
            Self::Broken(with_causes(&failure))
        }
    }
}

impl From<ServeFailure> for CliError {
    fn from(failure: ServeFailure) -> Self {
        Self::Broken(with_causes(&failure))
    }
}

impl From<SettingsRefusal> for CliError {
    fn from(refusal: SettingsRefusal) -> Self {
        Self::Broken(refusal.to_string())
    }
}

impl From<ProfileRefusal> for CliError {
    fn from(refusal: ProfileRefusal) -> Self {
        Self::Refused(refusal.to_string())
    }
}

impl CliError {
    /// A file that could not be read or written.
    pub fn file(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::Broken(format!("{} could not be {doing}: {error}", path.display()))
    }
}

/// The message with those of its causes that it does not repeat.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let sentence = inner.to_string();
        if !text.contains(&sentence) {
            text = format!("{text}: {sentence}");
        }
        cause = inner.source();
    }
    text
}

/// Prints what went wrong and gives the exit status.
pub fn exit(result: CliResult) -> ExitCode {
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("supercargo: {error}");
            match error {
                CliError::Refused(_) => ExitCode::from(1),
                CliError::Broken(_) => ExitCode::from(2),
            }
        }
    }
}

/// Prints a value as JSON, indented.
pub fn print_json<T: serde::Serialize>(value: &T) -> CliResult {
    super::print::json(value)?;
    Ok(ExitCode::SUCCESS)
}
