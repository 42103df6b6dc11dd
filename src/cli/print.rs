//! Standard output. A reader that goes away (`| head`) ends the program quietly.

use std::io::{ErrorKind, Write};

use super::CliError;

/// Prints bytes as they are.
pub fn bytes(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(CliError::Broken(format!(
            "standard output can not be written: {error}"
        ))),
    }
}

/// Prints text as it is.
pub fn text(text: &str) -> Result<(), CliError> {
    bytes(text.as_bytes())
}

/// Prints a line.
pub fn line(line: &str) -> Result<(), CliError> {
    bytes(format!("{line}\n").as_bytes())
}

/// Prints a value as JSON, indented.
pub fn json<T: serde::Serialize>(value: &T) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| CliError::Broken(format!("JSON could not be written: {error}")))?;
    line(&text)
}
