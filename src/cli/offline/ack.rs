//! `ack`: the acknowledgment that a file deserves, as bytes on standard output.

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{NaiveDate, NaiveTime, Utc};
use supercargo_x12::{
    AckOptions, Delimiters, Envelope, Event, Finding, Group, GroupVerdict, InterchangeVerdict,
    Limits, NumberedSet, OutSegment, OutboundSet, Reader, Release, answer_addresses, answer_codes,
    build_997, build_999, build_ta1, needs_acknowledgment, set_number, write_interchange,
};

use super::{limits, open_x12, profile};
use crate::cli::table::harmless;
use crate::cli::{CliError, CliResult, Options, print};
use crate::config::profile::Profile;
use crate::config::profile::acknowledgment::AcknowledgmentKind;
use crate::domain::clock::{Clock, Instant};
use crate::service::HouseClock;
use crate::translation::judge::{ack_options, judge_as, judge_set};

/// Print the acknowledgment of a file.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file; - for standard input
    file: PathBuf,
    /// Acknowledge as this partner's profile asks for
    #[arg(long, value_name = "FILE.toml")]
    profile: Option<PathBuf>,
    /// 997 or 999 [default: as the profile says, else 997]
    #[arg(long, value_name = "SET", value_parser = ["997", "999"])]
    set: Option<String>,
    /// A TA1 for each interchange, asked for or not
    #[arg(long)]
    ta1: bool,
    /// First control number: ISA13 and GS06 of the first acknowledgment
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=999_999_999))]
    control_number: u32,
}

struct Acknowledging<'a> {
    profile: Option<&'a Profile>,
    options: AckOptions,
    is_999: bool,
    always_ta1: bool,
    number: u32,
    now: Instant,
    limits: Limits,
    release: Option<Release>,
    group: Option<GroupVerdict>,
    groups: Vec<GroupVerdict>,
    written: usize,
    /// Groups of acknowledgments and TA1s, which want no answer.
    answers: usize,
}

/// What an interchange is answered with, and what of it could not be answered and why.
#[derive(Default)]
struct Answered {
    bytes: Vec<u8>,
    unanswered: Vec<String>,
}

/// Status 0: what wants an acknowledgment has one; 1: something has none, as stderr says.
pub fn run(options: &Options, args: Args) -> CliResult {
    if options.json {
        return Err(CliError::Broken(
            "`ack` prints the acknowledgment as it would be sent, not as JSON: leave out --json, or make JSON of what it prints with `supercargo json`"
                .to_owned(),
        ));
    }
    let profile = profile(args.profile.as_deref())?;
    let mut acknowledging =
        Acknowledging::of(profile.as_ref(), &args, options.now, limits(options)?);
    let source = open_x12(&args.file)?;
    let mut reader = Reader::with_limits(source, acknowledging.limits);
    let mut unanswered = 0;
    loop {
        let event = reader
            .next()
            .map_err(|error| CliError::file("read", &args.file, &error))?;
        let Some(event) = event else { break };
        let answered = acknowledging.follow(event);
        if !answered.bytes.is_empty() {
            print::bytes(&answered.bytes)?;
        }
        unanswered += answered.unanswered.len();
        for why in answered.unanswered {
            eprintln!("supercargo: {}: {why}", args.file.display());
        }
    }
    match (acknowledging.written, unanswered) {
        (1.., 0) => Ok(ExitCode::SUCCESS),
        (0, 0) if acknowledging.answers > 0 => Err(CliError::Refused(format!(
            "{} holds acknowledgments, and those are not acknowledged",
            args.file.display()
        ))),
        (0, 0) => Err(CliError::Refused(format!(
            "nothing in {} can be acknowledged; `supercargo validate` tells why",
            args.file.display()
        ))),
        _ => Ok(ExitCode::from(1)),
    }
}

impl<'a> Acknowledging<'a> {
    fn of(
        profile: Option<&'a Profile>,
        args: &Args,
        now: Option<Instant>,
        limits: Limits,
    ) -> Acknowledging<'a> {
        let asked = profile.is_some_and(|profile| {
            profile.acknowledgment.send == AcknowledgmentKind::ImplementationAcknowledgment
        });
        let is_999 = args.set.as_deref().map_or(asked, |set| set == "999");
        let mut options = profile.map_or_else(AckOptions::default, ack_options);
        if is_999 {
            options.release = Release::R005010;
        }
        Acknowledging {
            profile,
            options,
            is_999,
            always_ta1: args.ta1,
            number: args.control_number,
            now: HouseClock::starting_at(now).now(),
            limits,
            release: None,
            group: None,
            groups: Vec::new(),
            written: 0,
            answers: 0,
        }
    }

    fn follow(&mut self, event: Event<'_>) -> Answered {
        match event {
            Event::GroupOpened(header) => {
                let mut group = GroupVerdict::open(header);
                let agreed = self
                    .profile
                    .and_then(|profile| judge_as(profile, &header.functional_id));
                self.release = group.judge_release(agreed);
                self.group = Some(group);
            }
            Event::Set(set) => {
                if let Some(group) = &mut self.group {
                    group.add(judge_set(set, self.release, self.profile, self.limits));
                }
            }
            Event::GroupClosed(closed) => {
                if let Some(mut group) = self.group.take() {
                    group.close(&closed);
                    self.groups.push(group);
                }
            }
            Event::Ta1(_) => self.answers += 1,
            Event::Outside(outside) => {
                let mut answered = Answered::default();
                if let Some(finding) = outside.finding.filter(Finding::rejects) {
                    let what = || {
                        format!(
                            "byte {}, line {}: not acknowledged",
                            finding.offset, finding.line
                        )
                    };
                    answered.add(Err(finding.message.clone()), what);
                }
                return answered;
            }
            Event::InterchangeClosed(closed) => {
                let groups = std::mem::take(&mut self.groups);
                return self.answer(&InterchangeVerdict::of(&closed), &groups);
            }
            _ => {}
        }
        Answered::default()
    }

    fn answer(&mut self, verdict: &InterchangeVerdict, groups: &[GroupVerdict]) -> Answered {
        self.speak_as(verdict, groups);
        let mut answered = Answered::default();
        let counts = verdict.iea_seen && verdict.acceptance.is_accepted();
        let wanted = verdict.wants_ta1(!counts) || (self.always_ta1 && !verdict.only_ta1);
        if wanted {
            let ta1 = self.envelope(verdict, vec![build_ta1(verdict)]);
            let ta1 = ta1.and_then(|envelope| self.write(&envelope, &[]));
            answered.add(ta1, || format!("{}: no TA1", named(verdict)));
        } else if !counts && !verdict.only_ta1 {
            // Whom an answer would go to is not known (rule 40).
            let why = "its sender can not be told from ISA05 and ISA06".to_owned();
            answered.add(Err(why), || format!("{}: not acknowledged", named(verdict)));
        }
        // Nothing of an interchange counts that is refused, or cut off before its IEA: no 997 speaks of it.
        for (ordinal, group) in (1..).zip(groups).filter(|_| counts) {
            let built = if self.is_999 {
                build_999(group, &self.options)
            } else {
                build_997(group, &self.options)
            };
            if let Some(set) = built {
                let written = self.answer_group(verdict, group, set);
                answered.add(written, || {
                    let gs06 = harmless(&group.control_number);
                    format!(
                        "{}, group {ordinal} (GS06 {gs06}): not acknowledged",
                        named(verdict)
                    )
                });
            }
        }
        self.answers += groups
            .iter()
            .filter(|group| !needs_acknowledgment(&group.functional_id))
            .count();
        answered
    }

    fn answer_group(
        &mut self,
        verdict: &InterchangeVerdict,
        group: &GroupVerdict,
        set: OutboundSet,
    ) -> Result<Vec<u8>, String> {
        let envelope = self.envelope(verdict, Vec::new())?;
        let (sender, receiver) = answer_codes(&verdict.header, group, &self.options.delimiters)
            .map_err(|why| why.to_string())?;
        let group = Group {
            functional_id: "FA".to_owned(),
            sender,
            receiver,
            date: envelope.date,
            time: envelope.time,
            control_number: self.number,
            version: self.options.release.as_str().to_owned(),
            sets: vec![NumberedSet {
                control_number: set_number(1),
                set,
            }],
        };
        self.write(&envelope, &[group])
    }

    /// Without a profile the sender is answered in its own release and, where its addresses can be written with them, with
    /// its own separators.
    fn speak_as(&mut self, verdict: &InterchangeVerdict, groups: &[GroupVerdict]) {
        if self.profile.is_none() {
            let theirs = groups
                .first()
                .and_then(|group| Release::of_version(&group.version));
            self.options.release = match (self.is_999, theirs) {
                (true, _) => Release::R005010,
                (false, theirs) => theirs.unwrap_or(Release::R004010),
            };
            let theirs = verdict.header.delimiters;
            let is_fit = theirs.usable() && answer_addresses(&verdict.header, &theirs).is_ok();
            self.options.delimiters = if is_fit {
                theirs
            } else {
                Delimiters::default()
            };
        }
        let delimiters = &mut self.options.delimiters;
        let repetition = delimiters.repetition.take();
        if self.options.release == Release::R005010 {
            // The release needs one, and a sender of an older release may separate components by it.
            let free = b"^|!".iter().find(|byte| !delimiters.contains(**byte));
            delimiters.repetition = repetition.or(free.copied());
        }
    }

    fn date(&self) -> (NaiveDate, NaiveTime) {
        let now = self.now.with_timezone(&Utc);
        (now.date_naive(), now.time())
    }

    fn envelope(
        &self,
        verdict: &InterchangeVerdict,
        ta1s: Vec<OutSegment>,
    ) -> Result<Envelope, String> {
        let header = &verdict.header;
        let (date, time) = self.date();
        let delimiters = self.options.delimiters;
        let (sender, receiver) =
            answer_addresses(header, &delimiters).map_err(|why| why.to_string())?;
        Ok(Envelope {
            sender,
            receiver,
            date,
            time,
            version: self.options.release.isa_version().to_owned(),
            control_number: self.number,
            ack_requested: false,
            usage: if header.is_test() { 'T' } else { 'P' },
            delimiters,
            ta1s,
        })
    }

    fn write(&mut self, envelope: &Envelope, groups: &[Group]) -> Result<Vec<u8>, String> {
        let written = write_interchange(envelope, groups).map_err(|error| error.to_string())?;
        // Control numbers run to 999999999 and begin again at 1 (X12-RULES 43).
        self.number = self.number % 999_999_999 + 1;
        self.written += 1;
        let mut bytes = written.bytes;
        if !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        Ok(bytes)
    }
}

impl Answered {
    /// Adds an acknowledgment, or why there is none.
    fn add(&mut self, answer: Result<Vec<u8>, String>, what: impl Fn() -> String) {
        match answer {
            Ok(bytes) => self.bytes.extend(bytes),
            Err(why) => self.unanswered.push(format!("{}: {why}", what())),
        }
    }
}

/// An interchange as a person finds it again.
fn named(verdict: &InterchangeVerdict) -> String {
    let isa = &verdict.header;
    format!(
        "interchange {} (byte {}, line {})",
        harmless(&isa.control_number),
        isa.offset,
        isa.line
    )
}
