//! Commands that look at files and need neither database nor server: `validate`, `explain`, `ack`, `json`,
//! `redact`, `guide`.

pub mod ack;
#[cfg(test)]
mod corpus;
pub mod explain;
pub mod guide;
pub mod json;
pub mod judge;
pub mod pieces;
pub mod redact;
pub mod validate;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use supercargo_x12::{Limits, import_sef};

use super::{CliError, Options, house};
use crate::config::profile::Profile;
use crate::config::settings::Settings;
use crate::translation::archive;

/// Bytes of a file that is taken into memory whole.
const WHOLE_MAX: u64 = 256 * 1024 * 1024;

/// Orders and changes of orders in a release without schemas, for the tests.
#[cfg(test)]
const OLD: &str = "ISA*00*          *00*          *ZZ*BIGBUYER       *ZZ*SELLER         *970115*1230*U*00306*000000001*0*P*>~GS*PO*BIGBUYER*SELLER*970115*1230*1*X*003060~ST*850*0001~BEG*00*SA*PO4711**970115~N1*ST*MAIN STORE*92*0042~PO1*1*12*EA*12.50*PE*UP*036000291452~CTT*1~SE*6*0001~GE*1*1~GS*PC*BIGBUYER*SELLER*970115*1230*2*X*003060~ST*860*0001~BCH*04*SA*PO4711***970115~SE*3*0001~GE*1*2~IEA*2*000000001~";

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

/// An X12 file to be read as a stream: one that is an archive is refused with what to do.
fn open_x12(path: &Path) -> Result<impl Read + use<>, CliError> {
    let (archive, source) =
        archive::opened(open(path)?).map_err(|error| CliError::file("read", path, &error))?;
    match archive {
        None => Ok(source),
        Some(kind) => Err(CliError::Refused(format!(
            "{}: {}",
            path.display(),
            archive::finding(kind).message
        ))),
    }
}

/// A file's bytes, all at once.
fn whole(path: &Path) -> Result<Vec<u8>, CliError> {
    taken_whole(open(path)?, path)
}

/// All bytes of a file that is open, as far as they may be taken into memory.
fn taken_whole(source: impl Read, path: &Path) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    source
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

/// The bounds on reading: those of the settings where they are named.
fn limits(options: &Options) -> Result<Limits, CliError> {
    let settings = match &options.config {
        Some(path) => Settings::load(path)?,
        None => Settings::default(),
    };
    Ok(settings.limits.of_x12())
}

/// The profile with the guide of a SEF file, where one is named: for its sets that guide stands in place of the
/// profile's.
fn with_guide(profile: Option<Profile>, path: Option<&Path>) -> Result<Option<Profile>, CliError> {
    let Some(path) = path else { return Ok(profile) };
    let guide = import_sef(&whole(path)?)
        .map_err(|refused| CliError::Refused(format!("{}: {refused}", path.display())))?;
    if !guide.findings.is_empty() {
        eprintln!(
            "supercargo: {} places of {} are not understood or can not be judged; `supercargo guide import {}` tells each",
            guide.findings.len(),
            path.display(),
            path.display()
        );
    }
    let mut profile = profile.unwrap_or_default();
    for set in guide.sets {
        profile.guide.insert(set.code, set.overlay);
    }
    Ok(Some(profile))
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
