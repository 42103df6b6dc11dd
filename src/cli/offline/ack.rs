//! `ack`: the acknowledgment that a file deserves, as bytes on standard output.

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{NaiveDate, NaiveTime, Utc};
use supercargo_x12::{
    AckOptions, Address, Envelope, Event, Group, GroupVerdict, InterchangeVerdict, Limits,
    NumberedSet, OutboundSet, Reader, Release, build_997, build_999, build_ta1, set_number,
    write_interchange,
};

use super::{limits, open_x12, profile};
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
}

/// Status 0: something was acknowledged; 1: nothing in the file can be.
pub fn run(options: &Options, args: Args) -> CliResult {
    let profile = profile(args.profile.as_deref())?;
    let ack = profile
        .as_ref()
        .map_or_else(AckOptions::default, ack_options);
    let asked = profile.as_ref().is_some_and(|profile| {
        profile.acknowledgment.send == AcknowledgmentKind::ImplementationAcknowledgment
    });
    let mut acknowledging = Acknowledging {
        profile: profile.as_ref(),
        options: ack,
        is_999: args.set.as_deref().map_or(asked, |set| set == "999"),
        always_ta1: args.ta1,
        number: args.control_number,
        now: HouseClock::starting_at(options.now).now(),
        limits: limits(options)?,
        release: None,
        group: None,
        groups: Vec::new(),
        written: 0,
    };
    let source = open_x12(&args.file)?;
    let mut reader = Reader::with_limits(source, acknowledging.limits);
    loop {
        let event = reader
            .next()
            .map_err(|error| CliError::file("read", &args.file, &error))?;
        let Some(event) = event else { break };
        if let Some(bytes) = acknowledging.follow(event)? {
            print::bytes(&bytes)?;
        }
    }
    if acknowledging.written == 0 {
        return Err(CliError::Refused(format!(
            "nothing in {} can be acknowledged; `supercargo validate` tells why",
            args.file.display()
        )));
    }
    Ok(ExitCode::SUCCESS)
}

impl Acknowledging<'_> {
    fn follow(&mut self, event: Event<'_>) -> Result<Option<Vec<u8>>, CliError> {
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
            Event::InterchangeClosed(closed) => {
                let groups = std::mem::take(&mut self.groups);
                return self.answer(&InterchangeVerdict::of(&closed), groups);
            }
            _ => {}
        }
        Ok(None)
    }

    fn answer(
        &mut self,
        verdict: &InterchangeVerdict,
        groups: Vec<GroupVerdict>,
    ) -> Result<Option<Vec<u8>>, CliError> {
        self.speak_as(verdict, &groups);
        let mut text = Vec::new();
        let counts = verdict.iea_seen && verdict.acceptance.is_accepted();
        let wanted = verdict.wants_ta1(!counts) || (self.always_ta1 && !verdict.only_ta1);
        if wanted {
            let envelope = self.envelope(verdict, vec![build_ta1(verdict)]);
            text.extend(self.write(&envelope, &[])?);
        }
        // Nothing of an interchange counts that is refused, or cut off before its IEA: no 997 speaks of it.
        for group in groups.iter().filter(|_| counts) {
            let built = if self.is_999 {
                build_999(group, &self.options)
            } else {
                build_997(group, &self.options)
            };
            if let Some(set) = built {
                let envelope = self.envelope(verdict, Vec::new());
                let group = self.group_of(group, set);
                text.extend(self.write(&envelope, &[group])?);
            }
        }
        Ok((!text.is_empty()).then_some(text))
    }

    /// Without a profile the sender is answered in its own release and with its own separators.
    fn speak_as(&mut self, verdict: &InterchangeVerdict, groups: &[GroupVerdict]) {
        if self.profile.is_some() {
            return;
        }
        let theirs = groups
            .first()
            .and_then(|group| Release::of_version(&group.version));
        self.options.release = match (self.is_999, theirs) {
            (true, _) => Release::R005010,
            (false, theirs) => theirs.unwrap_or(Release::R004010),
        };
        if verdict.header.delimiters.usable() {
            self.options.delimiters = verdict.header.delimiters;
        }
    }

    fn date(&self) -> (NaiveDate, NaiveTime) {
        let now = self.now.with_timezone(&Utc);
        (now.date_naive(), now.time())
    }

    fn envelope(
        &self,
        verdict: &InterchangeVerdict,
        ta1s: Vec<supercargo_x12::OutSegment>,
    ) -> Envelope {
        let header = &verdict.header;
        let (date, time) = self.date();
        let repeats = self.options.release == Release::R005010;
        let mut delimiters = self.options.delimiters;
        delimiters.repetition = repeats.then(|| delimiters.repetition.unwrap_or(b'^'));
        Envelope {
            sender: Address {
                qualifier: header.receiver_qualifier.clone(),
                id: header.receiver.clone(),
            },
            receiver: Address {
                qualifier: header.sender_qualifier.clone(),
                id: header.sender.clone(),
            },
            date,
            time,
            version: self.options.release.isa_version().to_owned(),
            control_number: self.number,
            ack_requested: false,
            usage: if header.is_test() { 'T' } else { 'P' },
            delimiters,
            ta1s,
        }
    }

    fn group_of(&self, verdict: &GroupVerdict, set: OutboundSet) -> Group {
        let (date, time) = self.date();
        Group {
            functional_id: "FA".to_owned(),
            sender: verdict.receiver.clone(),
            receiver: verdict.sender.clone(),
            date,
            time,
            control_number: self.number,
            version: self.options.release.as_str().to_owned(),
            sets: vec![NumberedSet {
                control_number: set_number(1),
                set,
            }],
        }
    }

    fn write(&mut self, envelope: &Envelope, groups: &[Group]) -> Result<Vec<u8>, CliError> {
        let written = write_interchange(envelope, groups).map_err(|error| {
            CliError::Refused(format!("the acknowledgment could not be written: {error}"))
        })?;
        self.number += 1;
        self.written += 1;
        let mut bytes = written.bytes;
        if !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        Ok(bytes)
    }
}
