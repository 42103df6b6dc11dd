//! `backup` and `restore`: a whole SQLite system in one folder, taken while it runs, and brought back.

use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::house::{self, DATABASE, SETTINGS};
use super::{CliError, CliResult, Options, outcome};
use crate::service::endpoints::Endpoints;
use crate::storage::{StoreLocation, backup};

/// Keys of ours: the mailbox's host key, and those by which partners' servers know us.
const KEYS: &str = "keys";

/// Where the copy is, or is to be.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of the backup
    folder: PathBuf,
}

/// What a backup or a restore wrote.
#[derive(Debug, serde::Serialize)]
struct Copied {
    /// Where it is now.
    folder: String,
    /// Files by their path in it.
    files: Vec<String>,
    /// Bytes of them all.
    bytes: u64,
    /// Received files whose bytes lie in the object store, and in none of these files.
    in_object_store: i64,
}

/// What is said of those.
fn elsewhere(count: i64, bytes: i64) -> Option<String> {
    (count > 0).then(|| {
        format!(
            "The bytes of {count} contents ({bytes} bytes) lie in the object store and are not in this folder: keep the bucket, with earlier versions or a copy of its own, for as long as this backup."
        )
    })
}

/// Copies database, keys and settings of a running or resting system into a new folder. The folder appears whole or not
/// at all.
pub async fn back_up(options: &Options, args: Args) -> CliResult {
    let settings = house::settings(options, "data")?;
    let database = sqlite(
        options,
        &settings,
        "back it up with pg_basebackup or pg_dump",
    )?;
    if !database.is_file() {
        return Err(CliError::Refused(format!(
            "there is no database at {}: say with --data which system to back up",
            database.display()
        )));
    }
    must_be_new(&args.folder)?;
    let partial = beside(&args.folder);
    if partial.exists() {
        std::fs::remove_dir_all(&partial)
            .map_err(|error| CliError::file("removed", &partial, &error))?;
    }
    make(&partial)?;
    backup::copy_sqlite(&database, &partial.join(DATABASE)).await?;
    copy_small(&settings.data, &partial)?;
    std::fs::rename(&partial, &args.folder)
        .map_err(|error| CliError::file("renamed", &partial, &error))?;
    sync(args.folder.parent())?;
    let (count, bytes) = backup::in_object_store(&args.folder.join(DATABASE)).await?;
    let copied = copied(&args.folder, count)?;
    if let (Some(words), false) = (elsewhere(count, bytes), options.json) {
        println!("{words}");
    }
    if options.json {
        outcome::print_json(&copied)?;
    } else {
        println!(
            "{} holds the system of {} as it was at one moment: {} files, {} bytes.\nTo bring it back: supercargo restore {} --data DIR",
            copied.folder,
            settings.data.display(),
            copied.files.len(),
            copied.bytes,
            copied.folder
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Brings a backup back into a data folder that holds no database.
pub async fn restore(options: &Options, args: Args) -> CliResult {
    let settings = house::settings(options, "data")?;
    let database = sqlite(options, &settings, "restore it with its own tools")?;
    let from = args.folder.join(DATABASE);
    if !from.is_file() {
        return Err(CliError::Refused(format!(
            "{} is no backup: it holds no {DATABASE}",
            args.folder.display()
        )));
    }
    if Endpoints::read(&settings.data).is_some() {
        return Err(CliError::Refused(format!(
            "a gateway serves {}: stop it first",
            settings.data.display()
        )));
    }
    must_be_new(&database)?;
    must_be_no_other(&args.folder.join(SETTINGS), &settings.data.join(SETTINGS))?;
    must_be_no_others(&args.folder.join(KEYS), &settings.data.join(KEYS))?;
    make(&settings.data)?;
    copy_small(&args.folder, &settings.data)?;
    // The database last, under its name when it is whole: before, the folder is an empty one.
    let partial = beside(&database);
    if partial.exists() {
        std::fs::remove_file(&partial)
            .map_err(|error| CliError::file("removed", &partial, &error))?;
    }
    backup::copy_sqlite(&from, &partial).await?;
    std::fs::rename(&partial, &database)
        .map_err(|error| CliError::file("renamed", &partial, &error))?;
    sync(Some(&settings.data))?;
    let (count, bytes) = backup::in_object_store(&database).await?;
    let copied = copied(&settings.data, count)?;
    if let (Some(words), false) = (elsewhere(count, bytes), options.json) {
        println!("{words}");
    }
    if options.json {
        outcome::print_json(&copied)?;
    } else {
        println!(
            "{} holds the system of the backup again. Next: supercargo prove --data {}\nWhat came and went after the backup was taken is not in it: before you serve, have partners send again what they sent since, and tell them that control numbers they have seen since come once more (docs/operations.md).",
            copied.folder, copied.folder
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn sqlite(
    options: &Options,
    settings: &crate::config::settings::Settings,
    instead: &str,
) -> Result<PathBuf, CliError> {
    match house::location(options, settings)? {
        StoreLocation::Sqlite(path) => Ok(path),
        StoreLocation::Postgres(_) => Err(CliError::Refused(format!(
            "the database is PostgreSQL: {instead}, as docs/operations.md tells"
        ))),
    }
}

fn must_be_new(path: &Path) -> Result<(), CliError> {
    match path.exists() {
        false => Ok(()),
        true => Err(CliError::Refused(format!(
            "{} is there already, and nothing is written over: choose another folder, or move it away",
            path.display()
        ))),
    }
}

/// What lies where a file is to be copied to has to be that very file: from a restore that was broken off, say.
fn must_be_no_other(from: &Path, to: &Path) -> Result<(), CliError> {
    if !from.exists() || std::fs::symlink_metadata(to).is_err() {
        return Ok(());
    }
    match (std::fs::read(from), std::fs::read(to)) {
        (Ok(copy), Ok(there)) if copy == there => Ok(()),
        _ => Err(CliError::Refused(format!(
            "{} is there already and is another one than the backup's, and nothing is written over: move it away, or choose another folder",
            to.display()
        ))),
    }
}

fn must_be_no_others(from: &Path, to: &Path) -> Result<(), CliError> {
    for entry in entries(from)? {
        let to = to.join(entry.file_name().unwrap_or_default());
        match entry.is_dir() {
            true => must_be_no_others(&entry, &to)?,
            false => must_be_no_other(&entry, &to)?,
        }
    }
    Ok(())
}

/// What lies in a folder; nothing where there is none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let unread = |error: &std::io::Error| CliError::file("read", folder, error);
    match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(unread(&error)),
        Ok(entries) => entries
            .map(|entry| {
                entry
                    .map(|entry| entry.path())
                    .map_err(|error| unread(&error))
            })
            .collect(),
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}

/// A folder that nobody but its user reads: a copy holds what was traded, and keys.
fn make(folder: &Path) -> Result<(), CliError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| CliError::file("made", folder, &error))
}

/// Copies settings and keys, with their permissions; a system may have none of either.
fn copy_small(from: &Path, to: &Path) -> Result<(), CliError> {
    copy_file(&from.join(SETTINGS), &to.join(SETTINGS))?;
    copy_folder(&from.join(KEYS), &to.join(KEYS))
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), CliError> {
    if !from.exists() {
        return Ok(());
    }
    make(to)?;
    for path in entries(from)? {
        let copy = to.join(path.file_name().unwrap_or_default());
        match path.is_dir() {
            true => copy_folder(&path, &copy)?,
            false => copy_file(&path, &copy)?,
        }
    }
    sync(Some(to))
}

fn copy_file(from: &Path, to: &Path) -> Result<(), CliError> {
    match std::fs::copy(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|error| CliError::file("written", to, &error))?,
    };
    sync(Some(to))
}

fn sync(path: Option<&Path>) -> Result<(), CliError> {
    let path = match path {
        Some(path) if !path.as_os_str().is_empty() => path,
        _ => Path::new("."),
    };
    std::fs::File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(|error| CliError::file("written", path, &error))
}

fn copied(folder: &Path, in_object_store: i64) -> Result<Copied, CliError> {
    let mut copied = Copied {
        folder: folder.display().to_string(),
        files: Vec::new(),
        bytes: 0,
        in_object_store,
    };
    for name in [DATABASE, SETTINGS] {
        note(&folder.join(name), folder, &mut copied)?;
    }
    note(&folder.join(KEYS), folder, &mut copied)?;
    Ok(copied)
}

fn note(path: &Path, root: &Path, copied: &mut Copied) -> Result<(), CliError> {
    if path.is_dir() {
        let entries =
            std::fs::read_dir(path).map_err(|error| CliError::file("read", path, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| CliError::file("read", path, &error))?;
            note(&entry.path(), root, copied)?;
        }
        return Ok(());
    }
    if let Ok(about) = std::fs::metadata(path) {
        let name = path.strip_prefix(root).unwrap_or(path);
        copied.files.push(name.display().to_string());
        copied.bytes += about.len();
    }
    Ok(())
}
