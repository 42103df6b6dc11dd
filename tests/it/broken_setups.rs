//! Set-ups that can not work, with the real program: each is told with what is wrong and what to do, and nothing is made
//! in its place.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::contract::{PROFILE, Program, SETTINGS};
use crate::peers::postgres::fresh_database;

fn program(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_supercargo"))
        .current_dir(folder)
        .args(arguments)
        .env_remove("DATABASE_URL")
        .output()
        .expect("it runs")
}

/// Fails with this status and all of these words.
fn fails(folder: &Path, arguments: &[&str], status: i32, words: &[&str]) {
    let output = program(folder, arguments);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {told}");
    for word in words {
        assert!(told.contains(word), "{arguments:?}: {word} in {told}");
    }
}

#[test]
fn an_sqlite_database_that_can_not_be_opened_is_told_with_its_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = folder.path().join("other");
    std::fs::create_dir(&other).expect("a folder");
    std::fs::write(
        other.join("supercargo.db"),
        "no database, and long enough to be read as one",
    )
    .expect("written");
    let named = "SQLite other/supercargo.db can not be opened";
    fails(
        folder.path(),
        &["doctor", "--data", "other"],
        2,
        &[named, "restore a backup"],
    );
    // Where the database should be lies a folder: whoever runs this may write, and it can not be opened all the same.
    std::fs::create_dir_all(folder.path().join("barred/supercargo.db")).expect("a folder");
    fails(
        folder.path(),
        &["doctor", "--data", "barred"],
        2,
        &[
            "SQLite barred/supercargo.db can not be opened",
            "permissions",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_database_that_can_not_be_opened_is_told_with_its_remedy() {
    let Some(database) = fresh_database().await else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let doctor = |url: &str, words: &[&str]| {
        fails(folder.path(), &["doctor", "--database-url", url], 2, words);
    };
    let gone = format!("{}_gone", database.url);
    doctor(&gone, &["_gone", "does not exist; ", "createdb"]);
    let (start, place) = database.url.split_once("://").expect("a URL");
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    let stranger = format!("{start}://stranger:s3cret@{place}?application_name=s3cret");
    let output = program(folder.path(), &["doctor", "--database-url", &stranger]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("correct user and password"), "{told}");
    assert!(!told.contains("s3cret"), "{told}");
}

#[test]
fn a_url_of_another_kind_or_none_where_one_is_named_never_becomes_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = ["doctor", "--database-url", "mysql://house@host/trade"];
    fails(folder.path(), &url, 2, &["postgres://user@host/database"]);
    let unset = "[database]\nurl_env = \"SUPERCARGO_URL_THAT_NOBODY_SETS\"\n";
    std::fs::write(folder.path().join("unset.toml"), unset).expect("written");
    for command in ["doctor", "prove", "serve"] {
        let words = ["SUPERCARGO_URL_THAT_NOBODY_SETS", "url_env", "not set"];
        fails(
            folder.path(),
            &[command, "--config", "unset.toml"],
            2,
            &words,
        );
    }
    assert!(!folder.path().join("data/supercargo.db").exists());
}

#[test]
fn a_system_that_is_not_there_is_not_proven() {
    let folder = tempfile::tempdir().expect("a folder");
    let words = ["no database at typo/supercargo.db", "--data"];
    fails(folder.path(), &["prove", "--data", "typo"], 2, &words);
    assert!(!folder.path().join("typo").exists(), "and none is made");
    let house = Program::over(None, "SQLite".to_owned());
    house.ends(0, &["migrate"]);
    let words = ["there are no heads at heads", "leave --heads out"];
    let data = house.data().display().to_string();
    fails(
        folder.path(),
        &["prove", "--data", &data, "--heads", "heads"],
        2,
        &words,
    );
}

/// The check of `doctor` by its name: whether it is sound, and what it says.
fn doctor(house: &Program, name: &str) -> Option<(bool, String)> {
    let output = house.command(&["doctor", "--json"]).output().expect("runs");
    let checks: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let check = checks
        .as_array()?
        .iter()
        .find(|check| check["check"] == name)?;
    let says = check["says"].as_str().expect("text").to_owned();
    Some((check["sound"].as_bool().expect("a bool"), says))
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_misses_the_key_for_a_partners_server() {
    let mut databases = vec![None];
    databases.extend(fresh_database().await.map(Some));
    for database in databases {
        let house = Program::over(database, "a partner's server".to_owned());
        assert_eq!(doctor(&house, "partner keys"), None);
        let profile = format!(
            "{PROFILE}[connection]\nkind = \"sftp\"\n[connection.sftp]\nhost = \"127.0.0.1\"\nuser = \"we\"\n\
             key_file = \"keys/quill.key\"\nhost_key = \"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"\n\
             deliver_to = \"/in\"\n"
        );
        let path = house.data().join("quill.toml");
        std::fs::write(&path, profile).expect("written");
        house.ends(0, &["partner", "apply", path.to_str().expect("text")]);
        let (sound, says) = doctor(&house, "partner keys").expect("it is looked at");
        assert!(
            !sound && says.contains("keys/quill.key can not be read"),
            "{says}"
        );
        assert!(says.contains("ssh-keygen"), "{says}");
        std::fs::create_dir_all(house.data().join("keys")).expect("a folder");
        std::fs::write(house.data().join("keys/quill.key"), "a key").expect("written");
        let (sound, says) = doctor(&house, "partner keys").expect("it is looked at");
        assert!(sound, "{says}");
    }
}

#[test]
fn doctor_tells_whose_files_are_not_those_of_the_one_who_serves() {
    let house = Program::over(None, "somebody else's files".to_owned());
    house.ends(0, &["migrate"]);
    assert_eq!(doctor(&house, "owner"), None);
    let database = house.data().join("supercargo.db");
    if std::os::unix::fs::chown(&database, Some(12_345), None).is_err() {
        eprintln!("left out: to give a file away needs root");
        return;
    }
    let (sound, says) = doctor(&house, "owner").expect("it is looked at");
    assert!(!sound && says.contains("in it: supercargo.db"), "{says}");
    assert!(says.contains("chown -R --reference"), "{says}");
}

#[test]
fn settings_that_are_there_are_not_to_be_copied_over() {
    let house = Program::over(None, "settings".to_owned());
    let settings = house.data().join("supercargo.toml");
    std::fs::write(&settings, "[[company]]\nname = \"Half Named\"\n").expect("written");
    let (sound, says) = doctor(&house, "company").expect("it is looked at");
    assert!(
        !sound && says.contains("Write your [[company]] into the settings"),
        "{says}"
    );
    assert!(!says.contains("Copy "), "{says}");
    std::fs::remove_file(&settings).expect("removed");
    let (_, says) = doctor(&house, "company").expect("it is looked at");
    assert!(says.contains("Copy config/supercargo.toml"), "{says}");
    std::fs::write(&settings, SETTINGS).expect("written");
    assert!(doctor(&house, "company").expect("it is looked at").0);
}

#[test]
fn what_was_traded_is_not_for_everybody_to_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let mode = |name: &str| {
        let about = std::fs::metadata(folder.path().join(name)).expect("it is there");
        about.permissions().mode() & 0o007
    };
    for arguments in [
        &["migrate", "--data", "house"][..],
        &["backup", "copy", "--data", "house"],
        &["restore", "copy", "--data", "again"],
    ] {
        let output = program(folder.path(), arguments);
        assert!(output.status.success(), "{output:?}");
    }
    for name in ["house", "copy", "again"] {
        assert_eq!(mode(name), 0, "{name}");
    }
}
