//! The one-way arrows between the rooms: imports and qualified paths of every source file are read, and any other arrow
//! fails.

use std::collections::BTreeMap;
use std::path::Path;

/// Which rooms a room may know, besides itself.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("config", &["domain"]),
    ("translation", &["config", "domain"]),
    ("storage", &["config", "domain"]),
    ("transport", &["config", "domain"]),
    ("notify", &["config", "domain"]),
    (
        "workflow",
        &[
            "config",
            "domain",
            "translation",
            "storage",
            "transport",
            "notify",
        ],
    ),
    (
        "web",
        &["config", "domain", "translation", "storage", "workflow"],
    ),
    (
        "service",
        &[
            "config",
            "domain",
            "translation",
            "storage",
            "transport",
            "notify",
            "workflow",
            "web",
        ],
    ),
    (
        "cli",
        &[
            "config",
            "domain",
            "translation",
            "storage",
            "transport",
            "notify",
            "workflow",
            "web",
            "service",
        ],
    ),
];

/// Rooms that may name the X12 crate.
const KNOW_X12: &[&str] = &["config", "translation", "workflow", "web", "cli"];

fn sources(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The source without its comments; test modules count too.
fn code(text: &str) -> String {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The rooms named by `crate::ROOM`, also inside `crate::{a::…, b::…}`.
fn named(code: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let before = code[..at].chars().next_back();
        if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
            continue;
        }
        if let Some(list) = rest.strip_prefix('{') {
            let inner = list.split('}').next().unwrap_or_default();
            rooms.extend(inner.split(',').map(|part| {
                part.trim()
                    .split("::")
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            }));
        } else {
            rooms.push(
                rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
    }
    rooms
}

#[test]
fn arrows_run_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rooms: BTreeMap<&str, &[&str]> = MAY_KNOW.iter().copied().collect();
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(
        files.len() > 50,
        "the sources are not where this test looks"
    );
    let mut wrong = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&root).unwrap();
        let Some(room) = relative
            .components()
            .next()
            .and_then(|part| part.as_os_str().to_str())
        else {
            continue;
        };
        let Some(allowed) = rooms.get(room) else {
            continue;
        };
        let code = code(&std::fs::read_to_string(&file).unwrap());
        for other in named(&code) {
            if rooms.contains_key(other.as_str())
                && other != room
                && !allowed.contains(&other.as_str())
            {
                wrong.push(format!("{} knows {other}", relative.display()));
            }
        }
        if code.contains("supercargo_x12") && !KNOW_X12.contains(&room) {
            wrong.push(format!("{} knows the X12 crate", relative.display()));
        }
        if room != "storage"
            && ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM "]
                .iter()
                .any(|verb| code.contains(&format!("\"{verb}")))
        {
            wrong.push(format!("{} holds SQL", relative.display()));
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(
        wrong.is_empty(),
        "arrows that do not belong:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_crate_of_x12_knows_no_room() {
    let manifest = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("parsers/x12/Cargo.toml"),
    )
    .unwrap();
    assert!(
        !manifest.contains("sqlx") && !manifest.contains("supercargo ="),
        "the X12 crate depends on a room"
    );
}
