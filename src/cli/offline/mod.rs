//! Commands that look at files and need neither database nor server: `validate`, `explain`, `ack`, `json`, `redact`.

pub mod ack;
#[cfg(test)]
mod corpus;
pub mod explain;
pub mod json;
pub mod judge;
pub mod pieces;
pub mod redact;
pub mod validate;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{CliError, house};
use crate::config::profile::Profile;

/// Bytes of a file that is taken into memory whole.
const WHOLE_MAX: u64 = 256 * 1024 * 1024;

/// A file to be read as a stream; `-` is standard input.
fn open(path: &Path) -> Result<Box<dyn Read>, CliError> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdin()));
    }
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => Err(CliError::file("read", path, &error)),
    }
}

/// A file's bytes, all at once.
fn whole(path: &Path) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    open(path)?
        .take(WHOLE_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| CliError::file("read", path, &error))?;
    if bytes.len() as u64 > WHOLE_MAX {
        return Err(CliError::Refused(format!(
            "{} is larger than {} MB, which this command takes into memory at most; cut it at an interchange",
            path.display(),
            WHOLE_MAX / 1024 / 1024
        )));
    }
    Ok(bytes)
}

/// The profile whose guide a file is judged by, where one is named.
fn profile(path: Option<&Path>) -> Result<Option<Profile>, CliError> {
    let Some(path) = path else { return Ok(None) };
    let text = String::from_utf8(house::read_file(path)?)
        .map_err(|_| CliError::Refused(format!("{} is not UTF-8 text", path.display())))?;
    Profile::parse(&text)
        .map(Some)
        .map_err(|refusal| CliError::Refused(format!("{}: {refusal}", path.display())))
}
