//! `guide`: a partner's guide in SEF, the trade's open format, as the tables of a profile.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;
use supercargo_x12::{ElementRule, Presence, SefGuide, SefNote, SefSet, SegmentRule, import_sef};

use super::whole;
use crate::cli::table::harmless;
use crate::cli::{CliError, CliResult, Options, print};

/// Characters of a line in a list.
const LINE: usize = 100;

/// What is done with guides.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Print a SEF file as the tables [guide.SET] of a profile
    Import {
        /// The SEF file; - for standard input
        file: PathBuf,
    },
}

/// Prints the tables; what is not understood stands in comments above them.
pub fn run(options: &Options, command: Command) -> CliResult {
    let Command::Import { file } = command;
    let guide = import_sef(&whole(&file)?)
        .map_err(|refused| CliError::Refused(format!("{}: {refused}", file.display())))?;
    if options.json {
        print::json(&guide)?;
    } else {
        print::text(&tables(&guide)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The whole guide as text to paste into a profile.
fn tables(guide: &SefGuide) -> Result<String, CliError> {
    let mut text = format!(
        "# {} ({}), version {}, compared with the standard {}.\n# Only what goes beyond the standard is here; code lists of whole elements are X12's own and left out, those of places are here.\n",
        harmless(&guide.title),
        harmless(&guide.name),
        harmless(&guide.version),
        guide.release.as_str()
    );
    if !guide.findings.is_empty() {
        text.push_str(
            "#\n# Not understood, or beyond what a guide can say, by line of the SEF file:\n",
        );
    }
    for finding in &guide.findings {
        let line = match finding.line {
            0 => "file".to_owned(),
            line => format!("line {line}"),
        };
        text.push_str(&format!("#   {line}: {}\n", harmless(&finding.text)));
    }
    for set in &guide.sets {
        add_set(&mut text, set)?;
    }
    Ok(text)
}

fn add_set(text: &mut String, set: &SefSet) -> Result<(), CliError> {
    let (code, overlay) = (&set.code, &set.overlay);
    text.push_str(&format!("\n# ---- {code}\n"));
    let rules = || {
        let segments = overlay.segment.iter().map(|rule| rule.at.as_str());
        let elements = overlay.element.iter().map(|rule| rule.at.as_str());
        segments.chain(elements)
    };
    // Words about a place without a rule stand here, all others above their rule.
    for note in &set.notes {
        if !rules().any(|at| at == note.at) {
            text.push_str(&comment(note));
        }
    }
    let unused = Unused::of(set);
    let mut head = String::new();
    if let Some(release) = overlay.judge_as {
        head.push_str(&format!("judge_as = \"{}\"\n", release.as_str()));
    }
    if !unused.0.is_empty() {
        head.push_str(&unused.told());
    }
    if !head.is_empty() {
        text.push_str(&format!("\n[guide.{code}]\n{head}"));
    }
    let mut told = Vec::new();
    for rule in &overlay.segment {
        if !unused.0.contains(&rule.at.as_str()) {
            add_notes(text, set, &rule.at, &mut told);
            add_rule(text, code, "segment", rule)?;
        }
    }
    for rule in &overlay.element {
        if !unused.0.contains(&rule.at.as_str()) {
            add_notes(text, set, &rule.at, &mut told);
            add_rule(text, code, "element", rule)?;
        }
    }
    for rule in &overlay.condition {
        add_rule(text, code, "condition", rule)?;
    }
    Ok(())
}

/// The places of which a guide says only that they are not used, and no words: most of what there is to say of many
/// guides.
struct Unused<'a>(Vec<&'a str>);

impl<'a> Unused<'a> {
    fn of(set: &'a SefSet) -> Self {
        let forbidden = Some(Presence::Forbidden);
        let segments = set.overlay.segment.iter().filter(|rule| {
            let alone = SegmentRule {
                at: rule.at.clone(),
                presence: forbidden,
                ..SegmentRule::default()
            };
            **rule == alone
        });
        let elements = set.overlay.element.iter().filter(|rule| {
            let alone = ElementRule {
                at: rule.at.clone(),
                presence: forbidden,
                ..ElementRule::default()
            };
            **rule == alone
        });
        let places = segments
            .map(|rule| rule.at.as_str())
            .chain(elements.map(|rule| rule.at.as_str()));
        let has_words = |at: &str| set.notes.iter().any(|note| note.at == at);
        Self(places.filter(|at| !has_words(at)).collect())
    }

    /// The key of the guide, in lines that can be read.
    fn told(&self) -> String {
        let mut lines = vec![String::new()];
        for place in &self.0 {
            let place = toml::Value::from(*place).to_string();
            match lines.last_mut() {
                Some(line) if line.is_empty() => line.push_str(&place),
                Some(line) if line.len() + 2 + place.len() < LINE => {
                    line.push_str(&format!(", {place}"));
                }
                _ => lines.push(place),
            }
        }
        format!("unused = [\n  {},\n]\n", lines.join(",\n  "))
    }
}

fn add_notes(text: &mut String, set: &SefSet, at: &str, told: &mut Vec<u32>) {
    for note in set.notes.iter().filter(|note| note.at == at) {
        if !told.contains(&note.line) {
            told.push(note.line);
            text.push('\n');
            text.push_str(&comment(note));
        }
    }
}

fn comment(note: &SefNote) -> String {
    let place = match note.at.as_str() {
        "" => String::new(),
        at => format!("{}: ", harmless(at)),
    };
    format!("# {place}{}\n", harmless(&note.text))
}

fn add_rule(
    text: &mut String,
    code: &str,
    kind: &str,
    rule: &impl Serialize,
) -> Result<(), CliError> {
    let table = toml::to_string(rule)
        .map_err(|error| CliError::Broken(format!("TOML could not be written: {error}")))?;
    text.push_str(&format!("\n[[guide.{code}.{kind}]]\n"));
    // What says nothing is left out.
    for line in table.lines().filter(|line| !line.ends_with(" = []")) {
        text.push_str(line);
        text.push('\n');
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::profile::Profile;

    const HARBOR: &[u8] = include_bytes!("../../../parsers/x12/tests/sef/harbor-850.sef");

    #[test]
    fn what_is_printed_is_the_guide_of_a_profile() {
        let guide = import_sef(HARBOR).unwrap();
        let text = tables(&guide).unwrap();
        let profile = format!("partner = \"harbor\"\n[[address]]\nid = \"HARBOR\"\n{text}");
        let profile =
            Profile::parse(&profile).unwrap_or_else(|refusal| panic!("{refusal}\n{text}"));
        let sorted = |mut overlay: supercargo_x12::Overlay| {
            overlay.segment.sort_by(|a, b| a.at.cmp(&b.at));
            overlay.element.sort_by(|a, b| a.at.cmp(&b.at));
            overlay
        };
        assert_eq!(
            profile.guide.get("850").cloned().map(sorted),
            Some(sorted(guide.sets[0].overlay.clone()))
        );
        for told in [
            "#   line 81: the section .LAYOUT is not known; it was left out\n",
            "# Orders of Harbor Stores. From January on.\n",
            "# /N1[ST]: The store that gets the goods.\n\n[[guide.850.segment]]\nat = \"/N1[ST]\"\npresence = \"required\"\nmax = 1\n",
            "\n[guide.850]\nunused = [\n  \"/CUR\", \"/SAC\",",
        ] {
            assert!(text.contains(told), "{told:?} is not in\n{text}");
        }
        assert!(!text.contains("at = \"/CUR\""), "{text}");
    }
}
