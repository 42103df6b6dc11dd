//! Reads every schema text and refuses to build with one that is wrong.

#[path = "src/schema/text.rs"]
#[allow(dead_code)]
mod text;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

const RELEASES: [&str; 2] = ["004010", "005010"];

fn main() {
    println!("cargo:rerun-if-changed=schemas");
    println!("cargo:rerun-if-changed=src/schema/text.rs");
    if let Err(fault) = run() {
        println!("cargo::error={fault}");
        std::process::exit(1);
    }
}

fn run() -> Result<(), String> {
    let folder = std::env::var("CARGO_MANIFEST_DIR").map_err(|e| e.to_string())?;
    let folder = Path::new(&folder).join("schemas");
    let (mut sets, mut dictionaries) = (String::new(), String::new());
    let (mut elements, mut composites, mut segments) =
        (HashSet::new(), HashSet::new(), HashSet::new());
    let mut used = HashSet::new();
    for release in RELEASES {
        let mut names: Vec<_> = std::fs::read_dir(folder.join(release))
            .map_err(|e| format!("{release}: {e}"))?
            .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
            .collect();
        names.sort_unstable();
        let read = |name: &str| {
            std::fs::read_to_string(folder.join(release).join(name))
                .map_err(|e| format!("schemas/{release}/{name}: {e}"))
        };
        let path = |name: &str| folder.join(release).join(name).display().to_string();
        for kind in ["elements", "composites", "segments"] {
            let name = format!("{kind}.txt");
            let source = read(&name)?;
            let at = |e: String| format!("schemas/{release}/{name}: {e}");
            match kind {
                "elements" => {
                    let mut own = HashSet::new();
                    for element in text::elements(&source).map_err(at)? {
                        let codes: HashSet<&String> =
                            element.codes.iter().map(|(code, _)| code).collect();
                        if !own.insert(element.number) || codes.len() != element.codes.len() {
                            return Err(at(format!(
                                "element {} or one of its codes stands there twice",
                                element.number
                            )));
                        }
                        if let Some((code, _)) = element.codes.iter().find(|(code, _)| {
                            code.len() < usize::from(element.min)
                                || code.len() > usize::from(element.max)
                        }) {
                            return Err(at(format!(
                                "element {}: code {code} does not fit {}/{}",
                                element.number, element.min, element.max
                            )));
                        }
                        elements.insert(element.number.to_string());
                    }
                }
                _ => {
                    let mut own = HashSet::new();
                    for segment in text::segments(&source).map_err(at)? {
                        if !own.insert(segment.id.clone()) {
                            return Err(at(format!("{} stands there twice", segment.id)));
                        }
                        for element in &segment.uses {
                            used.insert(element.reference.clone());
                            let known = if element.reference.starts_with(['C', 'S']) {
                                &composites
                            } else {
                                &elements
                            };
                            if !(known.contains(&element.reference)
                                || kind == "composites" && element.reference == segment.id)
                            {
                                return Err(at(format!(
                                    "{} uses {}, which is not defined",
                                    segment.id, element.reference
                                )));
                            }
                        }
                        if kind == "composites" {
                            composites.insert(segment.id)
                        } else {
                            segments.insert(segment.id)
                        };
                    }
                }
            }
            let _ = writeln!(
                dictionaries,
                "    (Release::R{release}, {kind:?}, include_str!({:?})),",
                path(&name)
            );
        }
        for name in names
            .iter()
            .filter(|name| name.len() == 7 && name.ends_with(".txt"))
        {
            let set =
                text::set(&read(name)?).map_err(|e| format!("schemas/{release}/{name}: {e}"))?;
            if format!("{}.txt", set.code) != *name {
                return Err(format!(
                    "schemas/{release}/{name} describes the set {}",
                    set.code
                ));
            }
            check_segments(&set.nodes, &segments)
                .map_err(|e| format!("schemas/{release}/{name}: {e}"))?;
            let _ = writeln!(
                sets,
                "    (Release::R{release}, {:?}, include_str!({:?})),",
                set.code,
                path(name)
            );
        }
    }
    if let Some(unused) = elements
        .union(&composites)
        .filter(|name| !used.contains(*name))
        .min()
    {
        return Err(format!("schemas: nothing uses the element {unused}"));
    }
    let generated = format!(
        "pub(super) static SETS: &[(Release, &str, &str)] = &[\n{sets}];\npub(super) static DICTIONARIES: &[(Release, &str, &str)] = &[\n{dictionaries}];\n"
    );
    let out = std::env::var("OUT_DIR").map_err(|e| e.to_string())?;
    std::fs::write(Path::new(&out).join("schemas.rs"), generated).map_err(|e| e.to_string())
}

fn check_segments(nodes: &[text::NodeText], known: &HashSet<String>) -> Result<(), String> {
    for node in nodes {
        if !known.contains(&node.id) {
            return Err(format!("segment {} is not in segments.txt", node.id));
        }
        check_segments(&node.children, known)?;
    }
    Ok(())
}
