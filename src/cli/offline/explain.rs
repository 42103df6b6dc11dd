//! `explain`: a file for a person: every segment named, every element with its sense, every finding under its place.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use supercargo_x12::{
    AnnotatedSegment, Event, Finding, GroupClosed, GroupVerdict, Reader, Release, SchemaRegistry,
    Severity, TransactionSet, annotate,
};

use super::{limits, open, profile, with_guide};
use crate::cli::table::harmless;
use crate::cli::{CliError, CliResult, Options, print};
use crate::config::profile::Profile;
use crate::translation::archive;
use crate::translation::judge::judge_as;

/// Print a file for a person.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file; - for standard input
    file: PathBuf,
    /// Judge by this partner's guide too
    #[arg(long, value_name = "FILE.toml")]
    profile: Option<PathBuf>,
    /// Judge by the guide in this SEF file too
    #[arg(long, value_name = "FILE.sef")]
    guide: Option<PathBuf>,
    /// Only the segments in which something was found
    #[arg(long)]
    findings_only: bool,
    /// Colours: where the terminal has them, always, or never
    #[arg(long, default_value = "auto")]
    color: Color,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

/// Marks that a terminal understands, or nothing.
#[derive(Debug, Clone, Copy)]
struct Pen {
    is_coloured: bool,
}

impl Pen {
    fn of(color: Color) -> Self {
        let wanted = || std::env::var_os("NO_COLOR").is_none() && std::io::stdout().is_terminal();
        Self {
            is_coloured: match color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => wanted(),
            },
        }
    }

    fn marked(self, code: &str, text: &str) -> String {
        if self.is_coloured {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    fn bold(self, text: &str) -> String {
        self.marked("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.marked("2", text)
    }

    fn of_severity(self, severity: Severity, text: &str) -> String {
        let code = match severity {
            Severity::Reject => "31",
            Severity::Hold | Severity::Tolerate => "33",
            Severity::Note => "36",
        };
        self.marked(code, text)
    }
}

struct Explaining<'a> {
    pen: Pen,
    profile: Option<&'a Profile>,
    is_findings_only: bool,
    group: Option<GroupVerdict>,
    release: Option<Release>,
    refused: bool,
}

/// Status 0: nothing is refused; 1: something is.
pub fn run(options: &Options, args: Args) -> CliResult {
    let profile = with_guide(profile(args.profile.as_deref())?, args.guide.as_deref())?;
    let mut explaining = Explaining {
        pen: Pen::of(args.color),
        profile: profile.as_ref(),
        is_findings_only: args.findings_only,
        group: None,
        release: None,
        refused: false,
    };
    let unread = |error: std::io::Error| CliError::file("read", &args.file, &error);
    let (archive, source) = archive::opened(open(&args.file)?).map_err(unread)?;
    let mut reader = Reader::with_limits(source, limits(options)?);
    if let Some(kind) = archive {
        explaining.show(options, Event::NoInterchange(archive::finding(kind)))?;
        return Ok(ExitCode::from(1));
    }
    while let Some(event) = reader.next().map_err(unread)? {
        explaining.show(options, event)?;
    }
    Ok(if explaining.refused {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

impl Explaining<'_> {
    fn show(&mut self, options: &Options, event: Event<'_>) -> Result<(), CliError> {
        if options.json {
            return self.print_json(event);
        }
        print::text(&self.told(event))
    }

    fn release_of(&mut self, header: &supercargo_x12::GroupHeader) {
        let mut verdict = GroupVerdict::open(header);
        self.release = verdict.judge_release(self.profile.and_then(judge_as));
        self.group = Some(verdict);
    }

    fn annotated(&mut self, set: &TransactionSet) -> supercargo_x12::AnnotatedSet {
        let overlay = self
            .profile
            .and_then(|profile| profile.guide.get(set.code()));
        let release = self.release.unwrap_or(Release::R004010);
        let annotated = annotate(SchemaRegistry::standard(), release, set, overlay);
        let findings = annotated
            .segments
            .iter()
            .flat_map(|segment| &segment.findings);
        self.refused |= findings.chain(&annotated.findings).any(Finding::rejects);
        annotated
    }

    /// With `--json`: one annotated set a line, and between them what was found outside sets.
    fn print_json(&mut self, event: Event<'_>) -> Result<(), CliError> {
        match event {
            Event::GroupOpened(header) => self.release_of(header),
            Event::Set(set) => {
                let annotated = self.annotated(set);
                let text = serde_json::to_string(&annotated).map_err(|error| {
                    CliError::Broken(format!("JSON could not be written: {error}"))
                })?;
                print::line(&text)?;
            }
            Event::Outside(outside) => self.print_findings(outside.finding.as_slice())?,
            Event::GroupClosed(closed) => {
                let findings = self.closed_group(&closed);
                self.print_findings(&findings)?;
            }
            Event::InterchangeClosed(closed) => self.print_findings(&closed.findings)?,
            Event::NoInterchange(finding) => self.print_findings(&[finding])?,
            _ => {}
        }
        Ok(())
    }

    /// What is wrong with a group, now that its GE was read.
    fn closed_group(&mut self, closed: &GroupClosed) -> Vec<Finding> {
        self.group.take().map_or_else(Vec::new, |mut group| {
            group.close(closed);
            group.findings
        })
    }

    /// Findings that stand at no segment of a set, where there are any: `{"findings": […]}`.
    fn print_findings(&mut self, findings: &[Finding]) -> Result<(), CliError> {
        self.refused |= findings.iter().any(Finding::rejects);
        if findings.is_empty() {
            return Ok(());
        }
        let text = serde_json::json!({ "findings": findings }).to_string();
        print::line(&text)
    }

    fn told(&mut self, event: Event<'_>) -> String {
        let pen = self.pen;
        match event {
            Event::Outside(outside) => outside
                .finding
                .iter()
                .map(|finding| self.remark(0, finding))
                .collect(),
            Event::InterchangeOpened(header, _) => format!(
                "{} {} from {}:{} to {}:{}, {}, version {}, {} {}\n",
                pen.bold("Interchange"),
                harmless(&header.control_number),
                harmless(&header.sender_qualifier),
                harmless(&header.sender),
                harmless(&header.receiver_qualifier),
                harmless(&header.receiver),
                if header.is_test() {
                    "test"
                } else {
                    "production"
                },
                harmless(&header.version),
                harmless(&header.date),
                harmless(&header.time),
            ),
            Event::Ta1(ta1) => format!(
                "  {} of interchange {}: {} {}\n",
                pen.bold("TA1"),
                harmless(&ta1.control_number),
                harmless(&ta1.code),
                harmless(&ta1.note)
            ),
            Event::GroupOpened(header) => {
                self.release_of(header);
                format!(
                    "  {} {} {} from {} to {}, {}\n",
                    pen.bold("Group"),
                    harmless(&header.functional_id),
                    harmless(&header.control_number),
                    harmless(&header.sender),
                    harmless(&header.receiver),
                    harmless(&header.version)
                )
            }
            Event::Set(set) => self.set(set),
            Event::Stray(stray) => {
                format!(
                    "    {}\n",
                    pen.dim(&harmless(&supercargo_x12::decode(stray.bytes)))
                )
            }
            Event::GroupClosed(closed) => self
                .closed_group(&closed)
                .iter()
                .map(|finding| self.remark(2, finding))
                .collect(),
            Event::InterchangeClosed(closed) => {
                let mut text: String = closed
                    .findings
                    .iter()
                    .map(|finding| self.remark(0, finding))
                    .collect();
                text.push_str(&format!(
                    "{} {}\n",
                    pen.dim("end of interchange"),
                    pen.dim(&closed.header.control_number)
                ));
                text
            }
            Event::NoInterchange(finding) => self.remark(0, &finding),
        }
    }

    /// A finding that stands at no segment of a set.
    fn remark(&mut self, indent: usize, finding: &Finding) -> String {
        self.refused |= finding.rejects();
        format!("{}{}\n", " ".repeat(indent), self.sentence(finding))
    }

    fn sentence(&self, finding: &Finding) -> String {
        let mut rule = finding.rule.name().to_owned();
        if let Some(ack) = &finding.ack {
            rule.push_str(&format!(", {} {}", ack.place.name(), ack.code));
        }
        let mark = self
            .pen
            .of_severity(finding.severity, &format!("^ {rule}:"));
        format!("{mark} {}", harmless(&finding.message))
    }

    fn set(&mut self, set: &TransactionSet) -> String {
        let annotated = self.annotated(set);
        let title = if annotated.name.is_empty() {
            "(no schema)"
        } else {
            &annotated.name
        };
        let mut text = format!(
            "\n    {} {} {}\n",
            self.pen.bold(&format!("Set {}", harmless(&annotated.code))),
            harmless(&annotated.control_number),
            title
        );
        let separator = char::from(set.delimiters().element);
        for segment in &annotated.segments {
            if !self.is_findings_only || !segment.findings.is_empty() {
                text.push_str(&self.segment(segment, separator));
            }
        }
        for finding in &annotated.findings {
            text.push_str(&format!("    {}\n", self.sentence(finding)));
        }
        text.push('\n');
        text
    }

    fn segment(&self, segment: &AnnotatedSegment, separator: char) -> String {
        let indent = " ".repeat(4 + 2 * segment.depth);
        let shown = harmless(&segment.text);
        let name = if segment.name.is_empty() {
            "not in the schema"
        } else {
            &segment.name
        };
        let mut text = format!(
            "{indent}{}   {}\n",
            self.pen.bold(&shown),
            self.pen.dim(name)
        );
        for finding in &segment.findings {
            let (at, width) = span(&segment.text, separator, finding);
            let carets = self.pen.of_severity(finding.severity, &"^".repeat(width));
            text.push_str(&format!("{indent}{}{carets}\n", " ".repeat(at)));
            text.push_str(&format!("{indent}{}\n", self.sentence(finding)));
        }
        for element in &segment.elements {
            let name = if element.name.is_empty() {
                "?"
            } else {
                &element.name
            };
            let meaning = element
                .meaning
                .as_ref()
                .map_or_else(String::new, |meaning| format!(" = {meaning}"));
            let line = format!("{}  {name}: {}{meaning}", element.place, element.value);
            text.push_str(&format!("{indent}    {}\n", self.pen.dim(&harmless(&line))));
        }
        text
    }
}

/// Where in the segment's text a finding points, and how wide: its element, the place where a missing one belongs, or
/// the identifier.
fn span(text: &str, separator: char, finding: &Finding) -> (usize, usize) {
    let of_other = finding
        .segment
        .as_ref()
        .is_some_and(|id| !text.starts_with(id.as_str()));
    let Some(element) = finding.element.filter(|_| !of_other) else {
        let id = text.split(separator).next().unwrap_or_default();
        return (0, id.chars().count().max(1));
    };
    let mut at = 0;
    for (n, part) in text.split(separator).enumerate() {
        let width = part.chars().count();
        if n == usize::from(element) {
            return (at, width.max(1));
        }
        at += width + 1;
    }
    (text.chars().count(), 1)
}

#[cfg(test)]
mod tests {
    use supercargo_x12::Rule;

    use super::*;

    #[test]
    fn a_finding_points_at_its_element() {
        let at = |element, segment: &str| {
            let mut finding = Finding::new(Rule::InvalidCode, 0, 1, "x").in_segment(segment, 2);
            finding.element = element;
            span("PO1*1*2X*EA", '*', &finding)
        };
        for (element, segment, expected) in [
            (Some(2), "PO1", (6, 2)),
            (Some(3), "PO1", (9, 2)),
            (Some(9), "PO1", (11, 1)),
            (None, "PO1", (0, 3)),
            (Some(1), "BEG", (0, 3)),
        ] {
            assert_eq!(at(element, segment), expected, "{segment} {element:?}");
        }
    }
}
