//! What an independent count of an envelope may complain of (column `check` of the corpus' index),
//! and the finding that must say the same.
#![allow(dead_code)]

use supercargo_x12::{
    Delimiters, Event, Finding, GroupVerdict, InterchangeVerdict, Reader, Release, Rule,
    SchemaRegistry, SetVerdict, validate_set,
};

/// A kind of complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Complaint {
    NoIsa,
    IsaNotFixedWidth,
    IsaBroken,
    IsaElements,
    IsaDate,
    IsaStandards,
    IsaComponentEmpty,
    IsaNumberReused,
    IeaMissing,
    IeaCount,
    IeaNumber,
    GroupDate,
    GroupNumberReused,
    GeMissing,
    GeWithoutGs,
    GeCount,
    GeNumber,
    StOutsideGroup,
    SetNumberReused,
    SeMissing,
    SeWithoutSt,
    SeCount,
    SeNumber,
    BadSegmentIds,
}

use Complaint::*;

impl Complaint {
    /// Every kind.
    pub const ALL: [Complaint; 24] = [
        NoIsa,
        IsaNotFixedWidth,
        IsaBroken,
        IsaElements,
        IsaDate,
        IsaStandards,
        IsaComponentEmpty,
        IsaNumberReused,
        IeaMissing,
        IeaCount,
        IeaNumber,
        GroupDate,
        GroupNumberReused,
        GeMissing,
        GeWithoutGs,
        GeCount,
        GeNumber,
        StOutsideGroup,
        SetNumberReused,
        SeMissing,
        SeWithoutSt,
        SeCount,
        SeNumber,
        BadSegmentIds,
    ];

    /// The kind of one complaint of the index; none for words that are not known here.
    pub fn of(text: &str) -> Option<Complaint> {
        let differs = |a: &str, b: &str| text.starts_with(a) && text.contains(b);
        Some(match text {
            "no ISA envelope" => NoIsa,
            "ISA not fixed-width" => IsaNotFixedWidth,
            "ISA broken over two lines" => IsaBroken,
            "ISA16 empty" => IsaComponentEmpty,
            "ISA13 reused" => IsaNumberReused,
            "missing IEA" => IeaMissing,
            "missing GE" => GeMissing,
            "missing SE" => SeMissing,
            "GE without GS" => GeWithoutGs,
            "SE without ST" => SeWithoutSt,
            "ST outside GS" => StOutsideGroup,
            "ST02 reused in group" => SetNumberReused,
            "GS06 reused" => GroupNumberReused,
            _ if text.starts_with("ISA has ") => IsaElements,
            _ if text.starts_with("ISA09 ") => IsaDate,
            _ if text.starts_with("ISA11=") => IsaStandards,
            _ if text.starts_with("GS04 ") => GroupDate,
            _ if text.starts_with("bad segment ids") => BadSegmentIds,
            _ if differs("SE01=", " counted ") => SeCount,
            _ if differs("GE01=", " counted ") => GeCount,
            _ if differs("IEA01=", " counted ") => IeaCount,
            _ if differs("SE02=", " ST02=") => SeNumber,
            _ if differs("GE02=", " GS06=") => GeNumber,
            _ if differs("IEA02=", " ISA13=") => IeaNumber,
            _ => return None,
        })
    }

    /// Whether the finding says what the complaint says.
    pub fn is_said_by(self, finding: &Finding) -> bool {
        let rules: &[Rule] = match self {
            NoIsa => &[Rule::FileNotX12],
            // Separators out of place: read by counting, or not at all.
            IsaNotFixedWidth => &[Rule::IsaNotFixedWidth, Rule::IsaUnreadable],
            IsaBroken => &[Rule::IsaWrapped],
            IsaElements => &[Rule::IsaUnreadable],
            IsaDate => &[Rule::IsaDate],
            IsaStandards => &[Rule::IsaStandards],
            IsaComponentEmpty => &[Rule::ComponentSeparatorInvalid],
            IsaNumberReused => &[Rule::IsaControlNumberRepeated],
            IeaMissing => &[Rule::IeaMissing],
            IeaCount => &[Rule::IeaGroupCount],
            IeaNumber => &[Rule::IeaControlNumber],
            GroupDate => &[Rule::GroupHeaderInvalid],
            GroupNumberReused => &[Rule::GsControlNumberRepeated],
            GeMissing => &[Rule::GeMissing],
            GeWithoutGs => &[Rule::SegmentOutsideGroup],
            GeCount => &[Rule::GeSetCount],
            GeNumber => &[Rule::GeControlNumber],
            StOutsideGroup => &[Rule::SegmentOutsideGroup],
            SetNumberReused => &[Rule::StControlNumberRepeated],
            SeMissing => &[Rule::SeMissing],
            SeWithoutSt => &[Rule::SegmentOutsideSet],
            SeCount => &[Rule::SeCount],
            SeNumber => &[Rule::SeControlNumber],
            BadSegmentIds => &[
                Rule::SegmentUnrecognized,
                Rule::SegmentOutsideGroup,
                Rule::SegmentOutsideSet,
            ],
        };
        let element = match self {
            GroupDate => Some(4),
            IsaDate => Some(9),
            _ => finding.element,
        };
        rules.contains(&finding.rule) && finding.element == element
    }
}

/// Whether a finding rejects for what ISA, GS, ST, SE, GE and IEA say and how they stand: structure,
/// counts, control numbers. That a group or set is one that nobody here can judge is another matter.
pub fn is_of_the_envelope(finding: &Finding) -> bool {
    use supercargo_x12::Level;
    let other_matter = matches!(
        finding.rule,
        Rule::VersionNotSupported | Rule::GroupNotSupported | Rule::SetNotInGroup
    );
    let level = matches!(
        finding.level,
        Level::File | Level::Interchange | Level::Group | Level::Set
    );
    finding.rejects() && level && !other_matter
}

/// Everything that was found in a file, and what was counted in it.
#[derive(Debug, Default)]
pub struct Read {
    pub isa: u64,
    pub gs: u64,
    /// ST segments, those outside a group included.
    pub st: u64,
    /// Segments, those of the envelope and those that stand where none belongs included.
    pub segments: u64,
    pub findings: Vec<Finding>,
    pub groups: Vec<GroupVerdict>,
    pub interchanges: Vec<InterchangeVerdict>,
    /// All bytes of all events together.
    pub bytes: Vec<u8>,
}

/// Reads and judges a file; groups of releases without schemas are judged as 004010, which a
/// partner's guide may ask for.
pub fn read(file: &[u8]) -> Read {
    let mut all = Read::default();
    let mut separators = Vec::new();
    let mut reader = Reader::new(file);
    let mut open: Option<(GroupVerdict, Option<Release>)> = None;
    while let Some(event) = reader.next().unwrap() {
        match event {
            Event::InterchangeOpened(isa, _) => {
                all.isa += 1;
                separators.push(isa.delimiters);
            }
            Event::GroupOpened(header) => {
                all.gs += 1;
                let mut group = GroupVerdict::open(header);
                let release = group.judge_release(Some(Release::R004010));
                open = Some((group, release));
            }
            Event::Set(set) => {
                all.st += 1;
                let (group, release) = open.as_mut().expect("a set stands in a group");
                let found = release.map_or(Vec::new(), |release| {
                    validate_set(SchemaRegistry::standard(), release, set, None)
                });
                group.add(SetVerdict::of(set, found));
            }
            Event::GroupClosed(closed) => {
                let (mut group, _) = open.take().expect("a group was opened");
                group.close(&closed);
                for set in &group.sets {
                    all.findings.extend(set.findings.iter().cloned());
                }
                all.findings.extend(group.findings.iter().cloned());
                all.groups.push(group);
            }
            Event::InterchangeClosed(closed) => {
                all.segments += closed.segments;
                all.findings.extend(closed.findings.iter().cloned());
                all.interchanges.push(InterchangeVerdict::of(&closed));
            }
            Event::Outside(outside) => all.findings.extend(outside.finding),
            Event::NoInterchange(finding) => all.findings.push(finding),
            Event::Stray(stray) => {
                let separator = separators.last().map_or(b'*', |d: &Delimiters| d.element);
                all.st += u64::from(stray.bytes.starts_with(&[b'S', b'T', separator]));
            }
            Event::Ta1(_) => {}
        }
        all.bytes.extend_from_slice(reader.raw());
    }
    all
}
