//! `explain`: a file for a person: every segment named, every element with its sense, every finding under its place.

mod page;

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::Value;
use supercargo_x12::{
    AnnotatedSegment, AnnotatedSet, Delimiters, Event, Finding, GroupHeader, GroupVerdict,
    IsaHeader, Reader, Release, SchemaRegistry, TransactionSet, annotate, annotate_envelope,
    annotate_unjudged,
};

use super::judge::{Around, Found};
use super::{limits, open, profile, with_guide};
use crate::cli::table::harmless;
use crate::cli::{CliError, CliResult, Options, print};
use crate::config::profile::Profile;
use crate::translation::archive;
use crate::translation::judge::judge_as;
use page::Page;

/// Print a file for a person.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file; - for standard input
    file: PathBuf,
    /// Judge by this partner's guide too
    #[arg(long, value_name = "FILE.toml")]
    profile: Option<PathBuf>,
    /// Judge by the guide in this SEF file too; for its sets it stands in place of the profile's guide
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

struct Explaining<'a> {
    page: Page,
    is_json: bool,
    is_findings_only: bool,
    profile: Option<&'a Profile>,
    group: Option<GroupVerdict>,
    release: Option<Release>,
    delimiters: Delimiters,
    around: Around,
    /// Findings of the open interchange and the open group that were told.
    told: (usize, usize),
    /// Byte and line at which the next event begins.
    at: (u64, u64),
    refused: bool,
}

/// What an event is, to be told once its bytes are known.
enum Met {
    /// Told already.
    Text(String),
    /// A segment outside sets, so far from the left, below its headline; with findings that the reader does not know.
    Segment(usize, String, Vec<Finding>),
    /// A segment that stands where none belongs.
    Stray,
    /// The end of a group (true) or interchange, with all its findings, and how it ended.
    End(bool, Vec<Finding>, String),
}

/// Status 0: nothing is refused; 1: something is.
pub fn run(options: &Options, args: Args) -> CliResult {
    let profile = with_guide(profile(args.profile.as_deref())?, args.guide.as_deref())?;
    let page = Page::of(args.color);
    let mut explaining = Explaining::new(page, profile.as_ref());
    explaining.is_json = options.json;
    explaining.is_findings_only = args.findings_only;
    let unread = |error: std::io::Error| CliError::file("read", &args.file, &error);
    let (archive, source) = archive::opened(open(&args.file)?).map_err(unread)?;
    let mut reader = Reader::with_limits(source, limits(options)?);
    if let Some(kind) = archive {
        print::text(&explaining.remarks(0, &[archive::finding(kind)])?)?;
        return Ok(ExitCode::from(1));
    }
    while let Some(event) = reader.next().map_err(unread)? {
        let met = explaining.meet(event)?;
        print::text(&explaining.tell(met, &reader)?)?;
    }
    Ok(if explaining.refused {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

impl<'a> Explaining<'a> {
    fn new(page: Page, profile: Option<&'a Profile>) -> Self {
        Self {
            page,
            is_json: false,
            is_findings_only: false,
            profile,
            group: None,
            release: None,
            delimiters: Delimiters::default(),
            around: Around::default(),
            told: (0, 0),
            at: (0, 1),
            refused: false,
        }
    }

    fn meet(&mut self, event: Event<'_>) -> Result<Met, CliError> {
        Ok(match event {
            Event::Outside(outside) => Met::Text(self.remarks(0, outside.finding.as_slice())?),
            Event::NoInterchange(finding) => Met::Text(self.remarks(0, &[finding])?),
            Event::InterchangeOpened(header, _) => {
                self.delimiters = header.delimiters;
                self.told = (0, 0);
                self.around = Around {
                    isa13: Some(header.control_number.clone()),
                    ..Around::default()
                };
                Met::Segment(
                    0,
                    self.page.headline(0, "Interchange", &interchange(header)),
                    Vec::new(),
                )
            }
            Event::Ta1(_) => Met::Segment(2, String::new(), Vec::new()),
            Event::GroupOpened(header) => {
                self.told.1 = 0;
                self.around.gs06 = Some(header.control_number.clone());
                let findings = self.release_of(header);
                let mut text = self.page.headline(2, "Group", &group(header));
                if let Some(reading) = self.reading(&header.version) {
                    text.push_str(&self.page.paragraph(2, &reading));
                }
                Met::Segment(2, text, findings)
            }
            Event::Set(set) => Met::Text(self.set(set)?),
            Event::Stray(_) => Met::Stray,
            Event::GroupClosed(closed) => {
                self.group = None;
                let end = End {
                    of: format!("group {}", harmless(&closed.header.control_number)),
                    trailer: "GE",
                    is_there: closed.trailer_control_number.is_some(),
                    claimed: closed.claimed_sets,
                    read: counted(closed.received_sets, "set"),
                };
                Met::End(true, closed.findings, end.told())
            }
            Event::InterchangeClosed(closed) => {
                let end = End {
                    of: format!("interchange {}", harmless(&closed.header.control_number)),
                    trailer: "IEA",
                    is_there: closed.iea_seen,
                    claimed: closed.claimed_groups,
                    read: counted(closed.groups, "group"),
                };
                Met::End(false, closed.findings, end.told())
            }
        })
    }

    /// The text of what was met, with everything that was found in the envelope since the event before.
    fn tell<R: std::io::Read>(&mut self, met: Met, reader: &Reader<R>) -> Result<String, CliError> {
        let raw = reader.raw();
        let segment = match met {
            Met::Text(_) => None,
            _ => self.envelope_segment(raw),
        };
        let lines = raw.iter().filter(|byte| **byte == b'\n').count();
        self.at = (self.at.0 + raw.len() as u64, self.at.1 + lines as u64);
        let mut found = untold(reader.interchange_findings(), &mut self.told.0);
        found.extend(untold(reader.group_findings(), &mut self.told.1));
        match met {
            Met::Text(text) => Ok(self.remarks(2, &found)? + &text),
            Met::Segment(indent, headline, more) => {
                found.extend(more);
                let text = self.segment_found(indent, segment, found)?;
                Ok(if self.is_json { text } else { headline + &text })
            }
            Met::Stray => {
                let stray = segment.map(|segment| AnnotatedSegment {
                    name: "in no transaction set".to_owned(),
                    elements: Vec::new(),
                    ..segment
                });
                self.segment_found(4, stray, found)
            }
            Met::End(is_group, findings, end) => {
                let told = if is_group {
                    &mut self.told.1
                } else {
                    &mut self.told.0
                };
                found.extend(untold(&findings, told));
                let indent = if is_group { 2 } else { 0 };
                let text = self.segment_found(indent, segment, found)?;
                self.around.gs06 = None;
                Ok(if self.is_json {
                    text
                } else {
                    text + &self.page.aside(indent, &end)
                })
            }
        }
    }

    /// The segment that the bytes of an event are, where they are one of the envelope.
    fn envelope_segment(&self, raw: &[u8]) -> Option<AnnotatedSegment> {
        let (offset, line) = self.at;
        let release = self.release.unwrap_or(Release::R004010);
        annotate_envelope(release, raw, &self.delimiters, offset, line)
    }

    /// A segment outside sets with what was found in it; where a trailer is missing, what was found alone.
    fn segment_found(
        &mut self,
        indent: usize,
        segment: Option<AnnotatedSegment>,
        found: Vec<Finding>,
    ) -> Result<String, CliError> {
        let Some(mut segment) = segment else {
            return self.remarks(indent, &found);
        };
        self.refused |= found.iter().any(Finding::rejects);
        segment.findings = found;
        if self.is_json {
            return json_line(segment_json(&segment, &self.around)?);
        }
        if self.is_findings_only && segment.findings.is_empty() {
            return Ok(String::new());
        }
        Ok(self
            .page
            .segment(indent, &segment, &self.delimiters.in_text()))
    }

    /// Findings that stand at no segment, each with its place.
    fn remarks(&mut self, indent: usize, findings: &[Finding]) -> Result<String, CliError> {
        self.refused |= findings.iter().any(Finding::rejects);
        if findings.is_empty() {
            return Ok(String::new());
        }
        if self.is_json {
            let found = found_json(findings, &self.around)?;
            return json_line(serde_json::json!({ "findings": found }));
        }
        let remarks = findings
            .iter()
            .map(|finding| self.page.remark(indent, finding));
        Ok(remarks.collect())
    }

    /// Notes the release to read a group by; what is wrong with it.
    fn release_of(&mut self, header: &GroupHeader) -> Vec<Finding> {
        let mut verdict = GroupVerdict::open(header);
        let agreed = self
            .profile
            .and_then(|profile| judge_as(profile, &header.functional_id));
        self.release = verdict.judge_release(agreed);
        let findings = std::mem::take(&mut verdict.findings);
        self.group = Some(verdict);
        findings
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

    fn annotated(&mut self, set: &TransactionSet) -> AnnotatedSet {
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

    fn set(&mut self, set: &TransactionSet) -> Result<String, CliError> {
        let annotated = self.annotated(set);
        if self.is_json {
            let inside = Around {
                set: Some(annotated.code.clone()),
                st02: Some(annotated.control_number.clone()),
                ..self.around.clone()
            };
            return json_line(set_json(&annotated, &inside)?);
        }
        let title = match annotated.name.as_str() {
            "" => "(no schema)",
            name => name,
        };
        let what = format!("Set {}", harmless(&annotated.code));
        let title = format!("{} {title}", harmless(&annotated.control_number));
        let mut text = format!("\n{}", self.page.headline(4, &what, &title));
        let delimiters = set.text_delimiters();
        for segment in &annotated.segments {
            if !self.is_findings_only || !segment.findings.is_empty() {
                text.push_str(&self.page.segment(4, segment, &delimiters));
            }
        }
        text.push_str(&self.remarks(4, &annotated.findings)?);
        text.push('\n');
        Ok(text)
    }
}

/// Those of the findings that were not told yet; all of them are now.
fn untold(findings: &[Finding], told: &mut usize) -> Vec<Finding> {
    let fresh = findings.get(*told..).unwrap_or_default().to_vec();
    *told += fresh.len();
    fresh
}

/// An annotated set as JSON; its findings bear the names that those of `validate` bear.
fn set_json(set: &AnnotatedSet, around: &Around) -> Result<Value, CliError> {
    let mut value = serde_json::to_value(set).map_err(unwritten)?;
    let segments = set
        .segments
        .iter()
        .map(|segment| segment_json(segment, around));
    value["segments"] = Value::Array(segments.collect::<Result<_, _>>()?);
    value["findings"] = found_json(&set.findings, around)?;
    Ok(value)
}

fn segment_json(segment: &AnnotatedSegment, around: &Around) -> Result<Value, CliError> {
    let mut value = serde_json::to_value(segment).map_err(unwritten)?;
    value["findings"] = found_json(&segment.findings, around)?;
    Ok(value)
}

fn found_json(findings: &[Finding], around: &Around) -> Result<Value, CliError> {
    let found: Vec<Found> = findings
        .iter()
        .map(|finding| Found::of(finding, around))
        .collect();
    serde_json::to_value(found).map_err(unwritten)
}

fn json_line(value: Value) -> Result<String, CliError> {
    Ok(format!("{value}\n"))
}

fn unwritten(error: serde_json::Error) -> CliError {
    CliError::Broken(format!("JSON could not be written: {error}"))
}

/// An interchange in a line.
fn interchange(header: &IsaHeader) -> String {
    let usage = match header.is_test() {
        true => "test",
        false => "production",
    };
    harmless(&format!(
        "{} from {}:{} to {}:{}, {usage}, version {}, {} {}",
        header.control_number,
        header.sender_qualifier,
        header.sender,
        header.receiver_qualifier,
        header.receiver,
        header.version,
        header.date,
        header.time,
    ))
}

/// A group in a line.
fn group(header: &GroupHeader) -> String {
    let party = |code: &str| match code {
        "" => "(blank)".to_owned(),
        code => code.to_owned(),
    };
    harmless(&format!(
        "{} {} from {} to {}, {}",
        header.functional_id,
        header.control_number,
        party(&header.sender),
        party(&header.receiver),
        header.version
    ))
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

#[cfg(test)]
mod tests {
    use super::super::OLD;
    use super::*;

    fn explained(file: &str, profile: Option<&Profile>) -> String {
        explained_bytes(file.as_bytes(), profile)
    }

    fn explained_bytes(file: &[u8], profile: Option<&Profile>) -> String {
        written(file, profile, None, false)
    }

    fn written(
        file: &[u8],
        profile: Option<&Profile>,
        width: Option<usize>,
        is_json: bool,
    ) -> String {
        let page = Page {
            is_coloured: false,
            width,
        };
        let mut explaining = Explaining::new(page, profile);
        explaining.is_json = is_json;
        let mut reader = Reader::new(file);
        let mut text = String::new();
        while let Some(event) = reader.next().unwrap() {
            let met = explaining.meet(event).unwrap();
            text.push_str(&explaining.tell(met, &reader).unwrap());
        }
        text
    }

    #[test]
    fn a_release_without_schemas_is_named_by_the_nearest_and_not_judged() {
        let text = explained(OLD, None);
        for told in [
            "  003060 has no schemas here: the group is refused (AK905 is 2), its segments and elements are named by 004010 and not judged.",
            "BEG05  Date: 970115",
            "\n                                        ^^^^^^\n  ^ version-not-supported, AK905 2: GS08 is `003060`",
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

    const ENVELOPE: &str = "ISA*00*          *00*          *ZZ*BIGBUYER       *ZZ*SELLER         *261315*1230*U*00401*000000001*0*P*>~\nREF*A~\nGS*PO**SELLER*20260115*1230*1*X*004010~\nST*850*0001~\nBEG*00*SA*PO4711**20260115~\nPO1*1*12*EA*12.50~\nSE*4*0001~\nGE*2*1~\nIEA*4*000000001~\n";

    #[test]
    fn the_envelope_is_told_segment_by_segment_with_its_findings_under_its_elements() {
        let text = explained(ENVELOPE, None);
        let places = [
            "ISA*00*          *00*          *ZZ*BIGBUYER       *ZZ*SELLER         *261315*1230*U*00401*000000001*0*P*>   Interchange header\n                                                                      ^^^^^^\n^ isa-date, TA105 014: ISA09 must be",
            "    ISA05  Sender's qualifier: ZZ = Mutually agreed\n",
            "    ISA15  Usage: P = Production\n",
            "    REF*A   in no transaction set\n    ^^^\n    ^ segment-outside-group, TA105 022: ",
            "  Group PO 1 from (blank) to SELLER, 004010\n  GS*PO**SELLER*20260115*1230*1*X*004010   Group header\n        ^\n  ^ group-header-invalid, TA105 024: GS02",
            "      GS01  Functional group: PO = Orders (850)\n",
            "\n    Set 850 0001 Purchase order\n",
            "  GE*2*1   Group trailer\n     ^\n  ^ ge-set-count-mismatch, AK905 5: GE01 says `2`",
            "  end of group 1: GE01 counts 2, 1 set read\n",
            "IEA*4*000000001   Interchange trailer\n    ^\n^ iea-group-count-mismatch, TA105 021: IEA01 says `4`",
            "    IEA02  Interchange control number: 000000001\nend of interchange 000000001: IEA01 counts 4, 1 group read\n",
        ];
        let mut from = 0;
        for place in places {
            let at = text[from..].find(place);
            from +=
                at.unwrap_or_else(|| panic!("{place:?} is not there, or not in order, in\n{text}"));
        }
        assert_eq!(text.matches("^ isa-date").count(), 1, "{text}");
        let wrapped = ENVELOPE.replacen("*ZZ*BIG", "*ZZ\n*BIG", 1);
        let text = explained(&wrapped, None);
        assert!(text.contains("^ isa-wrapped:"), "{text}");
    }

    #[test]
    fn json_names_findings_as_validate_does_and_tells_the_envelope_in_order() {
        let file = ENVELOPE.replace("PO1*1*12*EA*12.50", "PO1*1*1X*EA*12.50");
        let text = written(file.as_bytes(), None, None, true);
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let ids = lines
            .iter()
            .map(|line| line["id"].as_str().unwrap_or("set"));
        let ids: Vec<&str> = ids.collect();
        assert_eq!(ids, ["ISA", "REF", "GS", "set", "GE", "IEA"]);
        let judged = super::super::judge::judge(
            "",
            file.as_bytes(),
            None,
            supercargo_x12::Limits::default(),
        )
        .unwrap();
        let mut all = Vec::new();
        for line in &lines {
            all.extend(line["findings"].as_array().unwrap().clone());
            for segment in line["segments"].as_array().into_iter().flatten() {
                all.extend(segment["findings"].as_array().unwrap().clone());
            }
        }
        // Of a group's header `validate` speaks at the end of the interchange.
        let names = |found: &Value| {
            let mut found = found.clone();
            found["gs06"] = Value::Null;
            found.to_string()
        };
        let found: Vec<String> = all.iter().map(names).collect();
        let expected = judged.findings.iter();
        let expected: Vec<String> = expected
            .map(|found| names(&serde_json::to_value(found).unwrap()))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(lines[0]["findings"][0]["byte"], 70);
        assert_eq!(lines[3]["segments"][2]["file_line"], 6);
        assert_eq!(
            (
                &lines[3]["segments"][2]["findings"][0]["st02"],
                &lines[3]["segments"][2]["findings"][0]["file_line"]
            ),
            (&"0001".into(), &6.into())
        );
    }

    #[test]
    fn carets_stand_right_behind_letters_that_take_two_columns() {
        let file = OLD
            .replace("*003060~", "*004010~")
            .replace("MAIN STORE*92*0042", "日本*92*0042\u{301}*XX");
        let text = explained(&file, None);
        // N1*ST*日本*92*0042 and a letter that takes none: 日本 takes four columns.
        assert!(
            text.contains("\n      N1*ST*日本*92*0042\u{301}*XX   Name\n            ^^^^\n")
                && text.contains("\n                    ^^^^\n"),
            "{text}"
        );
    }

    #[test]
    fn lines_fit_a_narrow_terminal_and_carets_stand_below_their_part() {
        let file = OLD.replace("*003060~", "*004010~").replace(
            "MAIN STORE*92*0042",
            "A RATHER LONG NAME OF A STORE*92*0042*A9*B123456789012",
        );
        let text = written(file.as_bytes(), None, Some(44), false);
        let lines = text.lines();
        let longest = lines.max_by_key(|line| line.chars().count()).unwrap();
        assert!(longest.chars().count() <= 44, "{longest:?} in\n{text}");
        assert!(
            text.contains("      N1*ST*A RATHER LONG NAME OF A STORE*\n      92*0042*A9*B123456789012   Name\n                 ^^^^^^^^^^^^^\n"),
            "{text}"
        );
        let wide = written(file.as_bytes(), None, Some(140), false);
        assert!(
            wide.contains("N1*ST*A RATHER LONG NAME OF A STORE*92*0042*A9*B123456789012   Name\n"),
            "{wide}"
        );
    }

    #[test]
    fn an_element_that_nothing_names_stands_without_a_question_mark() {
        let file = OLD
            .replace("*003060~", "*004010~")
            .replace("ST*850", "ST*830")
            .replace("BEG*00", "BFR*00");
        let text = explained(&file, None);
        assert!(
            text.contains("        BFR01: 00\n") && !text.contains('?'),
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
