//! `explain`: a file for a person: every segment named, every element with its sense, every finding under its place.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use supercargo_x12::{
    AnnotatedSegment, Delimiters, Event, Finding, GroupClosed, GroupVerdict, Reader, Release,
    SchemaRegistry, Severity, TransactionSet, annotate, annotate_unjudged,
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
        let agreed = self
            .profile
            .and_then(|profile| judge_as(profile, &header.functional_id));
        self.release = verdict.judge_release(agreed);
        self.group = Some(verdict);
    }

    /// Below the head of a group whose GS08 names a release without schemas: by which its sets are read.
    fn reading(&self, version: &str) -> Option<String> {
        if Release::of_version(version).is_some() {
            return None;
        }
        let version = harmless(version);
        Some(match self.release {
            Some(release) => format!(
                "The sets are judged and named by {}, as the partner's guide says (judge_as); {version} has no schemas here.",
                release.as_str()
            ),
            None => format!(
                "{version} has no schemas here: the group is refused (AK905 is 2), its segments and elements are named by {} and not judged. Let the partner's guide say judge_as to have them judged.",
                Release::nearest(&version).as_str()
            ),
        })
    }

    fn annotated(&mut self, set: &TransactionSet) -> supercargo_x12::AnnotatedSet {
        let overlay = self
            .profile
            .and_then(|profile| profile.guide.get(set.code()));
        let schemas = SchemaRegistry::standard();
        let annotated = match (self.release, &self.group) {
            (Some(release), _) => annotate(schemas, release, set, overlay),
            (None, group) => {
                let version = group.as_ref().map_or("", |group| &group.version);
                annotate_unjudged(schemas, Release::nearest(version), set)
            }
        };
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
                let mut text = format!(
                    "  {} {} {} from {} to {}, {}\n",
                    pen.bold("Group"),
                    harmless(&header.functional_id),
                    harmless(&header.control_number),
                    harmless(&header.sender),
                    harmless(&header.receiver),
                    harmless(&header.version)
                );
                if let Some(reading) = self.reading(&header.version) {
                    text.push_str(&format!("  {reading}\n"));
                }
                text
            }
            Event::Set(set) => self.set(set),
            Event::Stray(stray) => {
                format!(
                    "    {}\n",
                    pen.dim(&harmless(&supercargo_x12::decode(stray.bytes)))
                )
            }
            Event::GroupClosed(closed) => {
                let findings = self.closed_group(&closed);
                let trailer = End {
                    of: format!("group {}", harmless(&closed.header.control_number)),
                    trailer: "GE",
                    is_there: closed.trailer_control_number.is_some(),
                    claimed: closed.claimed_sets,
                    read: counted(closed.received_sets, "set"),
                }
                .told();
                let end = format!("  {}\n", pen.dim(&trailer));
                let remarks = findings.iter().map(|finding| self.remark(2, finding));
                std::iter::once(end).chain(remarks).collect()
            }
            Event::InterchangeClosed(closed) => {
                let trailer = End {
                    of: format!("interchange {}", harmless(&closed.header.control_number)),
                    trailer: "IEA",
                    is_there: closed.iea_seen,
                    claimed: closed.claimed_groups,
                    read: counted(closed.groups, "group"),
                }
                .told();
                let remarks = closed.findings.iter();
                let mut text: String = remarks.map(|finding| self.remark(0, finding)).collect();
                text.push_str(&format!("{}\n", pen.dim(&trailer)));
                text
            }
            Event::NoInterchange(finding) => self.remark(0, &finding),
        }
    }

    /// A finding that stands at no segment of a set.
    fn remark(&mut self, indent: usize, finding: &Finding) -> String {
        self.refused |= finding.rejects();
        format!(
            "{}{}\n",
            " ".repeat(indent),
            self.sentence_with_place(finding)
        )
    }

    /// Where nothing is printed that the finding stands under, it tells its place itself.
    fn sentence_with_place(&self, finding: &Finding) -> String {
        self.sentence_at(
            finding,
            &format!(", byte {}, line {}", finding.offset, finding.line),
        )
    }

    fn sentence(&self, finding: &Finding) -> String {
        self.sentence_at(finding, "")
    }

    fn sentence_at(&self, finding: &Finding, place: &str) -> String {
        let mut rule = finding.rule.name().to_owned();
        if let Some(ack) = &finding.ack {
            rule.push_str(&format!(", {} {}", ack.place.name(), ack.code));
        }
        rule.push_str(place);
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
        let delimiters = set.text_delimiters();
        for segment in &annotated.segments {
            if !self.is_findings_only || !segment.findings.is_empty() {
                text.push_str(&self.segment(segment, &delimiters));
            }
        }
        for finding in &annotated.findings {
            text.push_str(&format!("    {}\n", self.sentence_with_place(finding)));
        }
        text.push('\n');
        text
    }

    fn segment(&self, segment: &AnnotatedSegment, delimiters: &Delimiters) -> String {
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
            let (at, width) = span(&segment.text, delimiters, finding);
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

/// The end of a group or an interchange: what its trailer counts, and how many were read.
struct End {
    of: String,
    trailer: &'static str,
    is_there: bool,
    claimed: Option<u32>,
    read: String,
}

impl End {
    fn told(self) -> String {
        let Self {
            of, trailer, read, ..
        } = self;
        match (self.is_there, self.claimed) {
            (true, Some(claimed)) => {
                format!("end of {of}: {trailer}01 counts {claimed}, {read} read")
            }
            (true, None) => format!("end of {of}: {trailer}01 is no number, {read} read"),
            (false, _) => format!("end of {of}: no {trailer}, {read} read"),
        }
    }
}

fn counted(n: u32, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

/// Where in the segment's text a finding points, and how wide: its element, repetition or component, the place where a
/// missing one belongs, or the identifier.
fn span(text: &str, delimiters: &Delimiters, finding: &Finding) -> (usize, usize) {
    let separator = char::from(delimiters.element);
    let of_other = finding
        .segment
        .as_ref()
        .is_some_and(|id| !text.starts_with(id.as_str()));
    let Some(element) = finding.element.filter(|_| !of_other) else {
        let id = text.split(separator).next().unwrap_or_default();
        return (0, id.chars().count().max(1));
    };
    let within = [
        (Some(delimiters.element), Some(usize::from(element))),
        (
            delimiters.repetition,
            finding.repetition.map(|n| usize::from(n).saturating_sub(1)),
        ),
        (
            Some(delimiters.component),
            finding.component.map(|n| usize::from(n).saturating_sub(1)),
        ),
    ];
    let (mut at, mut part) = (0, text);
    for (separator, n) in within {
        let (Some(separator), Some(n)) = (separator, n) else {
            continue;
        };
        let Some((inside, narrower)) = piece(part, char::from(separator), n) else {
            return (at + part.chars().count(), 1);
        };
        (at, part) = (at + inside, narrower);
    }
    (at, part.chars().count().max(1))
}

/// The piece of a text at a place counted from 0, and the characters before it.
fn piece(text: &str, separator: char, n: usize) -> Option<(usize, &str)> {
    let mut at = 0;
    for (place, part) in text.split(separator).enumerate() {
        if place == n {
            return Some((at, part));
        }
        at += part.chars().count() + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use supercargo_x12::Rule;

    use super::super::OLD;
    use super::*;

    fn explained(file: &str, profile: Option<&Profile>) -> String {
        explained_bytes(file.as_bytes(), profile)
    }

    fn explained_bytes(file: &[u8], profile: Option<&Profile>) -> String {
        let mut explaining = Explaining {
            pen: Pen { is_coloured: false },
            profile,
            is_findings_only: false,
            group: None,
            release: None,
            refused: false,
        };
        let mut reader = Reader::new(file);
        let mut text = String::new();
        while let Some(event) = reader.next().unwrap() {
            text.push_str(&explaining.told(event));
        }
        text
    }

    #[test]
    fn a_release_without_schemas_is_named_by_the_nearest_and_not_judged() {
        let text = explained(OLD, None);
        for told in [
            "  003060 has no schemas here: the group is refused (AK905 is 2), its segments and elements are named by 004010 and not judged.",
            "BEG05  Date: 970115",
            "^ version-not-supported, AK905 2, byte 106, line 1: GS08 is `003060`",
        ] {
            assert!(text.contains(told), "{told:?} is not in\n{text}");
        }
        assert!(!text.contains("element-too-short"), "{text}");
        let later = explained(&OLD.replace("*003060~", "*006010~"), None);
        assert!(
            later.contains("are named by 005010 and not judged."),
            "{later}"
        );
    }

    #[test]
    fn a_group_judged_by_the_guides_release_says_so() {
        let profile = Profile::parse("partner = \"old\"\n[[address]]\nid = \"BIGBUYER\"\n[guide.850]\njudge_as = \"004010\"\n").unwrap_or_else(|refusal| panic!("{refusal}"));
        let text = explained(OLD, Some(&profile));
        let (orders, changes) = text.split_at(text.find("Group PC").unwrap());
        assert!(
            orders.contains("  The sets are judged and named by 004010, as the partner's guide says (judge_as); 003060 has no schemas here.\n")
                && orders.contains("^ element-too-short"),
            "{orders}"
        );
        assert!(
            changes.contains("003060 has no schemas here: the group is refused"),
            "{changes}"
        );
        let known = explained(&OLD.replace("*003060~", "*004010~"), None);
        assert!(!known.contains("no schemas here"), "{known}");
    }

    #[test]
    fn a_finding_points_at_its_element() {
        let at = |element, segment: &str| {
            let mut finding = Finding::new(Rule::InvalidCode, 0, 1, "x").in_segment(segment, 2);
            finding.element = element;
            span("PO1*1*2X*EA", &Delimiters::default(), &finding)
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

    #[test]
    fn a_finding_points_at_its_repetition_and_component() {
        let delimiters = Delimiters {
            repetition: Some(b'^'),
            ..Delimiters::default()
        };
        let text = "REF*DP*045**ZZ>1>ABCD^YY>2";
        for (repetition, component, expected) in [
            (None, None, (12, 14)),
            (None, Some(3), (17, 4 + 1 + 2)),
            (Some(1), Some(3), (17, 4)),
            (Some(2), None, (22, 4)),
            (Some(2), Some(2), (25, 1)),
            (Some(2), Some(4), (26, 1)),
        ] {
            let mut finding = Finding::new(Rule::InvalidCode, 0, 1, "x").in_segment("REF", 2);
            finding.element = Some(4);
            finding.repetition = repetition;
            finding.component = component;
            assert_eq!(
                span(text, &delimiters, &finding),
                expected,
                "{repetition:?} {component:?}"
            );
        }
    }

    #[test]
    fn carets_stand_right_where_a_byte_above_127_separates() {
        let plain = OLD.replace("*003060~", "*004010~");
        // Everything as before, but for the stars.
        let bytes: Vec<u8> = plain
            .bytes()
            .map(|byte| if byte == b'*' { 0xa7 } else { byte })
            .collect();
        let carets = |bytes: &[u8]| {
            let text = explained_bytes(bytes, None);
            let carets: Vec<String> = text
                .lines()
                .filter(|line| line.contains("^^"))
                .map(str::to_owned)
                .collect();
            carets
        };
        assert_eq!(carets(&bytes), carets(plain.as_bytes()));
        assert!(
            carets(&bytes).contains(&"                      ^^^^^^".to_owned()),
            "{:?}",
            carets(&bytes)
        );
    }

    #[test]
    fn a_finding_of_the_envelope_tells_its_place() {
        let text = explained(
            &OLD.replace("*003060~", "*004010~")
                .replace("GE*1*1~", "\nGE*2*1~"),
            None,
        );
        assert!(
            text.contains("  ^ ge-set-count-mismatch, AK905 5, byte 267, line 2: GE01 says `2`"),
            "{text}"
        );
    }

    #[test]
    fn groups_and_interchanges_are_told_to_their_ends() {
        let text = explained(&OLD.replace("GE*1*1~", "GE*2*1~"), None);
        for end in [
            "  end of group 1: GE01 counts 2, 1 set read\n",
            "  end of group 2: GE01 counts 1, 1 set read\n",
            "\nend of interchange 000000001: IEA01 counts 2, 2 groups read\n",
        ] {
            assert!(text.contains(end), "{text}");
        }
        let cut = explained(OLD.split("GE*1*2~").next().unwrap_or_default(), None);
        assert!(cut.contains("end of group 2: no GE, 1 set read"), "{cut}");
        assert!(
            cut.contains("end of interchange 000000001: no IEA, 2 groups read"),
            "{cut}"
        );
    }
}
