//! Standard output. A reader that goes away (`| head`) ends the program quietly.

use std::fmt::Arguments;
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

/// What `println!` does in the commands.
pub fn told(text: Arguments<'_>) {
    if let Err(error) = line(&text.to_string()) {
        warned(format_args!("supercargo: {error}"));
        std::process::exit(2);
    }
}

/// What `eprintln!` does in the commands: nobody may be listening.
pub fn warned(text: Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints a line for whoever may be looking, and goes on without: what serves does not end because
/// its terminal was closed.
pub fn aside(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
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
