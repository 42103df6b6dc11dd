//! docs/profile.md and the types agree: every key is explained with its right default, nothing is explained that is not
//! there, and whatever the page shows can be used as it stands.

use std::collections::BTreeMap;

use supercargo_x12::{Event, Reader, Release, SchemaRegistry, validate_set};

use super::Profile;
use super::template;
use crate::config::lists;
use crate::config::reading;

const PAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/profile.md"));
const LEAST: &str = "partner = \"probe\"\n";
const ADDRESS: &str = "[[address]]\nid = \"PROBE\"\n";

/// Headings of the page with the table that they explain, and what has to stand in that table for it to be read.
const TABLES: &[(&str, &str, &str)] = &[
    ("The partner", "", ""),
    ("`[[address]]`", "address[2]", "[[address]]\nid = \"X\"\n"),
    ("`[us]`", "us", "[us]\n"),
    ("`[connection]`", "connection", "[connection]\n"),
    (
        "`[connection.mailbox]`",
        "connection.mailbox",
        "[connection.mailbox]\n",
    ),
    (
        "`[connection.sftp]`",
        "connection.sftp",
        "[connection.sftp]\n",
    ),
    (
        "`[connection.folder]`",
        "connection.folder",
        "[connection.folder]\n",
    ),
    ("`[envelope]`", "envelope", "[envelope]\n"),
    ("`[acknowledgment]`", "acknowledgment", "[acknowledgment]\n"),
    ("`[duplicates]`", "duplicates", "[duplicates]\n"),
    ("`[documents]`", "documents", "[documents]\n"),
    ("`[verification]`", "verification", "[verification]\n"),
    ("`[allocation]`", "allocation", "[allocation]\n"),
    ("`[packing]`", "packing", "[packing]\n"),
    ("`[response]`", "response", "[response]\n"),
    (
        "`[response.line_codes]`",
        "response.line_codes",
        "[response.line_codes]\n",
    ),
    ("`[ship_notice]`", "ship_notice", "[ship_notice]\n"),
    ("`[invoicing]`", "invoicing", "[invoicing]\n"),
    (
        "`[invoicing.terms]`",
        "invoicing.terms",
        "[invoicing.terms]\n",
    ),
    (
        "`[[invoicing.charges]]`",
        "invoicing.charges[1]",
        "[[invoicing.charges]]\nkind = \"charge\"\ncode = \"D240\"\n",
    ),
    (
        "`[invoice_document]`",
        "invoice_document",
        "[invoice_document]\n",
    ),
    ("`[collection]`", "collection", "[collection]\n"),
    ("`[guide.SET]`", "guide.855", "[guide.855]\n"),
    (
        "`[[guide.SET.segment]]`",
        "guide.855.segment[1]",
        "[[guide.855.segment]]\n",
    ),
    (
        "`[[guide.SET.element]]`",
        "guide.855.element[1]",
        "[[guide.855.element]]\n",
    ),
    (
        "`[[guide.SET.condition]]`",
        "guide.855.condition[1]",
        "[[guide.855.condition]]\n",
    ),
    (
        "`[[outbound.SET]]`",
        "outbound.810[1]",
        "[[outbound.810]]\naction = \"drop\"\nlevel = \"header\"\nsegment = \"REF\"\n",
    ),
    ("`[clock.SET]`", "clock.856", "[clock.856]\n"),
];

/// Top-level keys that are tables of their own headings.
const TABLE_KEYS: &[&str] = &[
    "address",
    "us",
    "connection",
    "envelope",
    "acknowledgment",
    "duplicates",
    "documents",
    "verification",
    "allocation",
    "packing",
    "invoicing",
    "collection",
    "response",
    "ship_notice",
    "invoice_document",
    "outbound",
    "cross_reference",
    "guide",
    "clock",
];

/// The text under a heading, up to the next heading of the same or a higher level.
fn section(heading: &str) -> &'static str {
    let start = PAGE
        .find(&format!("\n### {heading}\n"))
        .unwrap_or_else(|| panic!("the page has no heading {heading}"));
    let rest = &PAGE[start + 4..];
    let end = ["\n### ", "\n## "]
        .iter()
        .filter_map(|mark| rest.find(mark))
        .min()
        .unwrap_or(rest.len());
    &rest[..end]
}

/// Keys that a section explains, with what it says their defaults are.
fn explained(heading: &str) -> BTreeMap<String, String> {
    let table = section(heading)
        .split_once("| key | default |")
        .unwrap_or_else(|| panic!("{heading} has no table of keys"))
        .1;
    table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            (cells[1].trim_matches('`').to_owned(), cells[2].to_owned())
        })
        .collect()
}

/// The keys that a table knows, as the reader tells them when it meets one that it does not.
fn known(table: &str) -> Vec<String> {
    let probe = if table.is_empty() {
        format!("zzz_probe = 1\n{LEAST}{ADDRESS}")
    } else {
        format!("{LEAST}{ADDRESS}{table}zzz_probe = 1\n")
    };
    let faults = reading::read::<Profile>(&probe).faults;
    let told = faults
        .iter()
        .find(|fault| fault.key.contains("zzz_probe"))
        .unwrap_or_else(|| panic!("nothing was told of the probe in {table:?}: {faults:?}"));
    let list = told.instead.split("here are: ").last().unwrap();
    list.split(", ").map(str::to_owned).collect()
}

/// The page's blocks of a language, in order.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    PAGE.split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

#[test]
fn every_key_is_explained_and_nothing_else_is() {
    for (heading, _, table) in TABLES {
        let mut keys = known(table);
        if table.is_empty() {
            keys.retain(|key| !TABLE_KEYS.contains(&key.as_str()));
        }
        keys.sort();
        let explained: Vec<String> = explained(heading).into_keys().collect();
        assert_eq!(explained, keys, "under {heading}");
    }
}

#[test]
fn every_default_on_the_page_is_the_one_that_holds() {
    for (heading, path, table) in TABLES {
        let text = format!("{LEAST}{ADDRESS}{table}");
        let profile = reading::read::<Profile>(&text).value.unwrap();
        let whole = toml::Value::try_from(&profile).unwrap();
        let keys = flat_keys(&whole);
        for (key, default) in explained(heading) {
            let path = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            let stated = match default.as_str() {
                "required" | "none" => continue,
                cell => cell.trim_matches('`'),
            };
            let holds = keys.get(&path).cloned().unwrap_or_default();
            let empty = ["\"\"", "[]", "{}"].contains(&stated) && holds.is_empty();
            assert!(
                empty || plain(&holds) == plain(stated),
                "{path}: the page says {stated}, what holds is {holds}"
            );
        }
    }
}

/// Decimals are written as text; quotes make no difference here.
fn plain(text: &str) -> String {
    text.replace(['"', '\'', ' '], "")
}

fn flat_keys(value: &toml::Value) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    super::changes::flatten("", value, &mut keys);
    keys
}

#[test]
fn every_profile_on_the_page_is_taken() {
    let blocks = blocks("toml");
    assert!(blocks.len() >= 4);
    for block in blocks {
        let text = if block.contains("partner = ") {
            block.to_owned()
        } else {
            format!("{LEAST}{block}{ADDRESS}")
        };
        Profile::parse(&text).unwrap_or_else(|refusal| panic!("{refusal}\nin\n{text}"));
    }
}

#[test]
fn the_specimen_writes_every_key_but_those_of_other_connections_and_fixed_days() {
    let specimen = blocks("toml")
        .into_iter()
        .max_by_key(|block| block.len())
        .unwrap();
    let elsewhere = [
        "mailbox",
        "sftp",
        "folder",
        "terms",
        "charges",
        "line_codes",
        "segment",
        "element",
        "condition",
    ];
    let fixed_days = ["discount_due", "net_due", "day_of_month"];
    for (heading, path, table) in TABLES {
        if path.starts_with("connection.sftp") || path.starts_with("connection.folder") {
            continue;
        }
        let keys: Vec<String> = explained(heading).into_keys().collect();
        for key in keys {
            if elsewhere.contains(&key.as_str()) && !table.is_empty()
                || fixed_days.contains(&key.as_str())
            {
                continue;
            }
            assert!(
                specimen
                    .lines()
                    .any(|line| line.starts_with(&format!("{key} = "))),
                "the specimen lacks `{key}` of {heading}"
            );
        }
    }
}

#[test]
fn every_source_and_every_column_is_named() {
    for source in template::sources() {
        let word = match source.strip_prefix("order.party.ROLE.") {
            Some("name") => "order.party.ROLE.name".to_owned(),
            Some(field) => format!("….{field}"),
            None => source,
        };
        assert!(PAGE.contains(&format!("`{word}`")), "{word}");
    }
    for (name, columns) in lists::COLUMNS {
        let row = PAGE
            .lines()
            .find(|line| line.starts_with(&format!("| {name} |")))
            .unwrap_or_else(|| panic!("no row {name}"));
        for column in *columns {
            assert!(row.contains(&format!("`{column}`")), "{name}: {column}");
        }
    }
}

#[test]
fn the_lists_on_the_page_load() {
    let list = |name: &str| blocks(&format!("csv {name}"))[0].as_bytes();
    assert_eq!(lists::items(list("items")).faults, []);
    assert_eq!(lists::prices(list("prices")).faults, []);
    assert_eq!(lists::stock(list("stock")).faults, []);
    assert_eq!(lists::locations(list("locations")).faults, []);
    assert_eq!(lists::warehouses(list("warehouses")).faults, []);
}

#[test]
fn the_order_on_the_page_comes_from_the_specimen() {
    let order = blocks("edi")[0];
    let segments: Vec<Vec<&str>> = order
        .split('~')
        .map(|segment| segment.trim().split('*').collect())
        .collect();
    assert_eq!(&order[105..106], "~");
    let specimen = blocks("toml")
        .into_iter()
        .max_by_key(|block| block.len())
        .map(Profile::parse)
        .unwrap()
        .unwrap();
    assert_eq!(segments[0][6].trim_end(), specimen.address[0].id);
    assert_eq!(segments[0][8].trim_end(), specimen.us.id);
    assert_eq!(segments[1][2], specimen.address[0].group_id());
    let at = |id: &str| {
        segments
            .iter()
            .position(|segment| segment[0] == id)
            .unwrap()
    };
    let count = at("SE") - at("ST") + 1;
    assert_eq!(segments[at("SE")][1], count.to_string());
    let mut reader = Reader::new(order.as_bytes());
    let mut sets = 0;
    while let Some(event) = reader.next().unwrap() {
        if let Event::Set(set) = event {
            sets += 1;
            let guide = specimen.guide_of("850");
            let registry = SchemaRegistry::standard();
            let findings = validate_set(registry, Release::R004010, set, guide);
            assert!(
                !findings
                    .iter()
                    .any(|found| found.rejects() || found.holds()),
                "{findings:#?}"
            );
        }
    }
    assert_eq!(sets, 1);
}

#[test]
fn no_mutilated_profile_panics() {
    let specimen = blocks("toml")
        .into_iter()
        .max_by_key(|block| block.len())
        .unwrap();
    let lines: Vec<&str> = specimen.lines().collect();
    for cut in 0..lines.len() {
        let without: String = lines
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != cut)
            .map(|(_, line)| format!("{line}\n"))
            .collect();
        let _ = Profile::parse(&without);
    }
    for (from, to) in [
        ("\"", "'"),
        ("=", "= ="),
        ("[", "[["),
        ("true", "9"),
        ("\"", ""),
        ("0", "-7"),
        ("{", "{{"),
    ] {
        let _ = Profile::parse(&specimen.replace(from, to));
    }
    for hostile in [
        "a = ",
        "[",
        "[[a.b]]\na = 1\n",
        "\u{0}",
        "a.a.a.a = 1\n",
        "{",
    ] {
        assert!(Profile::parse(&hostile.repeat(20_000)).is_err());
    }
}
