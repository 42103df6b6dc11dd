//! `validate`: what is wrong with files, and nothing else.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use supercargo_x12::Limits;

use super::judge::{Found, Judged, judge};
use super::{limits, open, profile, with_guide};
use crate::cli::table::harmless;
use crate::cli::{CliError, CliResult, Options, print};
use crate::config::profile::Profile;

/// Say what is wrong with files.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, and folders with all their files; - for standard input
    #[arg(required = true, value_name = "FILE")]
    paths: Vec<PathBuf>,
    /// Judge by this partner's guide too
    #[arg(long, value_name = "FILE.toml")]
    profile: Option<PathBuf>,
    /// Judge by the guide in this SEF file too; for its sets it stands in place of the profile's guide
    #[arg(long, value_name = "FILE.sef")]
    guide: Option<PathBuf>,
}

/// Status 0: everything is accepted; 1: something is refused; 2: something could not be read.
pub fn run(options: &Options, args: Args) -> CliResult {
    let profile = with_guide(profile(args.profile.as_deref())?, args.guide.as_deref())?;
    let limits = limits(options)?;
    let mut files = Vec::new();
    for path in &args.paths {
        gather(path, &mut files)?;
    }
    if files.is_empty() {
        return Err(CliError::Broken(
            "there is no file in these folders".to_owned(),
        ));
    }
    let (mut is_accepted, mut is_broken) = (true, false);
    for file in files {
        match one(options, &file, profile.as_ref(), limits) {
            Ok(accepted) => is_accepted &= accepted,
            Err(error) => {
                eprintln!("supercargo: {error}");
                is_broken = true;
            }
        }
    }
    Ok(match (is_broken, is_accepted) {
        (true, _) => ExitCode::from(2),
        (false, false) => ExitCode::from(1),
        (false, true) => ExitCode::SUCCESS,
    })
}

/// The files of a folder and of the folders in it, in order of name. Links to folders are not followed: they may run
/// in a circle.
fn gather(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), CliError> {
    let is_link = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    if !path.is_dir() || (is_link && !files.is_empty()) {
        if !path.is_dir() {
            files.push(path.to_owned());
        }
        return Ok(());
    }
    let read = |error: std::io::Error| CliError::file("read", path, &error);
    let mut inside = Vec::new();
    for entry in std::fs::read_dir(path).map_err(read)? {
        inside.push(entry.map_err(read)?.path());
    }
    inside.sort();
    for path in inside {
        let is_link = std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink());
        if !(is_link && path.is_dir()) {
            gather(&path, files)?;
        }
    }
    Ok(())
}

fn one(
    options: &Options,
    path: &Path,
    profile: Option<&Profile>,
    limits: Limits,
) -> Result<bool, CliError> {
    let judged = judge(&path.display().to_string(), open(path)?, profile, limits)
        .map_err(|error| CliError::file("read", path, &error))?;
    if options.json {
        let text = serde_json::to_string(&judged)
            .map_err(|error| CliError::Broken(format!("JSON could not be written: {error}")))?;
        print::line(&text)?;
    } else {
        print::text(&told(&judged))?;
    }
    Ok(judged.accepted)
}

fn told(judged: &Judged) -> String {
    let mut text = format!("{}: {}\n", harmless(&judged.file), judged.summary());
    for judged_as in &judged.judged_as {
        text.push_str(&format!(
            "  judged by {} as the partner's guide says (judge_as): {} of set {}, version {}\n",
            judged_as.release.as_str(),
            judged_as.sets,
            harmless(&judged_as.set),
            harmless(&judged_as.version)
        ));
    }
    for found in &judged.findings {
        text.push_str(&format!(
            "  {}\n    {}\n",
            place(found),
            harmless(&found.message)
        ));
    }
    if judged.findings_left_out > 0 {
        text.push_str(&format!("  and {} more\n", judged.findings_left_out));
    }
    text
}

fn place(found: &Found) -> String {
    let severity = format!("{:?}", found.severity).to_lowercase();
    let mut parts = vec![severity, found.code.clone()];
    if let Some(set) = &found.set {
        parts.push(format!(
            "{set} {}",
            found.st02.as_deref().unwrap_or_default()
        ));
    }
    if let Some(segment) = &found.segment {
        let element = found
            .element
            .map_or_else(String::new, |element| format!("{element:02}"));
        let component = found
            .component
            .map_or_else(String::new, |component| format!("-{component}"));
        parts.push(format!("{segment}{element}{component}"));
    }
    parts.push(format!("byte {}, line {}", found.byte, found.file_line));
    if let Some(ack) = &found.ack {
        parts.push(format!("{} {}", ack.place.name(), ack.code));
    }
    harmless(&parts.join(" · "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::offline::judge::JudgedAs;

    #[test]
    fn sets_judged_by_another_release_are_told() {
        let mut judged = judge("old.edi", &b""[..], None, Limits::default()).unwrap();
        judged.judged_as = vec![JudgedAs {
            set: "850".to_owned(),
            version: "003060".to_owned(),
            release: supercargo_x12::Release::R004010,
            sets: 12,
        }];
        let text = told(&judged);
        assert_eq!(
            text.lines().nth(1),
            Some(
                "  judged by 004010 as the partner's guide says (judge_as): 12 of set 850, version 003060"
            ),
            "{text}"
        );
    }
}
