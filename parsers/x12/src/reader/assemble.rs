//! From ST to SE: the segments of one transaction set put together.

use super::window::{Found, Piece};
use super::{Event, Reader, number_of};
use crate::envelope::{self, Trailer, at_element};
use crate::finding::{Finding, Rule, no_more_in_set};
use crate::set::{Segment, SetHeader, TransactionSet};
use crate::text::{show, stand};
use crate::verdict::not_in_group;
use std::io::{self, Read};

/// Why a set ended.
enum Ending {
    /// Its SE was read.
    Trailer,
    /// Something stands where SE should.
    NoTrailer,
    /// It is longer than the limit, or one of its segments is.
    Limit(Rule),
}

impl<R: Read> Reader<R> {
    /// Reads the set that begins with this ST, which the window looks at.
    pub(super) fn read_set(&mut self, first: Found) -> io::Result<Event<'_>> {
        let mut spans = std::mem::take(&mut self.set.spans);
        spans.clear();
        self.window.begin_set(&first);
        self.window.step_in_set(&first, &mut spans);
        let mut breaks = first.has_breaks;
        let mut is_unterminated = false;
        let mut binaries = Vec::new();
        let ending = loop {
            if self.window.run_on(&mut spans) {
                break Ending::Trailer;
            }
            if self.window.pending() > self.limits.set_bytes {
                break Ending::Limit(Rule::SetTooLong);
            }
            let segment = match self.window.peek()? {
                None | Some(Piece::Blank { .. }) => break Ending::NoTrailer,
                Some(Piece::Oversized { .. }) => break Ending::Limit(Rule::SegmentTooLong),
                Some(Piece::Segment(segment)) => segment,
            };
            let id = self.window.id(&segment);
            let segment = match id.as_bytes() {
                b"ST" | b"GS" | b"GE" | b"IEA" => break Ending::NoTrailer,
                b"BIN" | b"BDS" => {
                    let is_bds = id.as_bytes() == b"BDS";
                    let segment = self.whole_binary(segment, is_bds)?;
                    if binaries.len() <= self.limits.findings {
                        binaries.extend(self.other_length(&segment, is_bds, spans.len()));
                    }
                    segment
                }
                _ => segment,
            };
            breaks |= segment.has_breaks;
            self.window.step_in_set(&segment, &mut spans);
            if id.as_bytes() == b"SE" {
                is_unterminated = segment.unterminated;
                break Ending::Trailer;
            }
        };
        self.set.spans = spans;
        Ok(self.finish_set(breaks, ending, is_unterminated, binaries))
    }

    /// A BIN or BDS segment with all of its data.
    fn whole_binary(&mut self, segment: Found, is_bds: bool) -> io::Result<Found> {
        let length_element = length_element(is_bds);
        self.window.respect_binary(&segment)?;
        let mut segment = match self.window.peek()? {
            Some(Piece::Segment(segment)) => segment,
            _ => segment,
        };
        if segment.has_breaks {
            segment.has_breaks = self
                .window
                .has_breaks_beside_binary(&segment, length_element);
        }
        Ok(segment)
    }

    /// What is said of binary data that does not end where its length says; `before` segments of the set stand before it.
    fn other_length(&self, segment: &Found, is_bds: bool, before: usize) -> Option<Finding> {
        let element = length_element(is_bds);
        let (said, length) = self.window.other_binary_length(segment, element)?;
        let id = if is_bds { "BDS" } else { "BIN" };
        let until = match segment.unterminated {
            true => "the file ends",
            false => "the segment ends",
        };
        let most = self.limits.binary_bytes;
        let is_length = !said.is_empty() && said.bytes().all(|byte| byte.is_ascii_digit());
        let declared = number_of(&said).map_or(usize::MAX, |n| n as usize);
        let instead = match is_length && declared > most {
            true => format!("data of more than {most} bytes is not read by its length"),
            false => "correct the length, or send the data whole".to_owned(),
        };
        let says = match is_length {
            true => format!("says {said} bytes"),
            false if said.is_empty() => "gives no length".to_owned(),
            false => format!("says {}, which is no length", show(&said)),
        };
        let text = format!(
            "{id}{element:02} {says}, but {} of data before {until}; {instead}.",
            stand(length, "byte")
        );
        let place = self.here(segment.start);
        Some(
            at_element(Rule::BinaryLength, place, id, element as u16, text)
                .with_value(&said)
                .in_segment(id, before as u32 + 1),
        )
    }

    fn finish_set(
        &mut self,
        breaks: bool,
        ending: Ending,
        is_unterminated: bool,
        binaries: Vec<Finding>,
    ) -> Event<'_> {
        let delimiters = self.delimiters();
        let count = self.set.spans.len();
        let origin = self.window.set_start();
        self.window.take_ends(&self.set.spans, &mut self.set.ends);
        let end = self.window.stepped_to();
        let (offset, line) = self.here(origin);
        if breaks {
            self.note_breaks(origin);
        }
        let set = &mut self.set;
        set.delimiters = delimiters;
        set.fill(self.window.bytes(origin, end), breaks);
        set.is_one_line = self.window.is_one_line();
        set.complete = matches!(ending, Ending::Trailer);
        set.findings.clear();
        set.header.offset = offset;
        set.header.line = line;
        set.header.length = (end - origin) as u64;
        self.window.advance(end);
        if let Some(open) = &mut self.interchange {
            open.sets += 1;
            open.segments += count as u64;
            set.header.ordinal_in_interchange = open.sets;
        }
        let mut repeated = false;
        if let Some(group) = &mut self.group {
            group.sets += 1;
            group.stray_reported = false;
            group.abandoned = matches!(ending, Ending::Limit(_));
            set.header.ordinal_in_group = group.sets;
            set.read_header();
            repeated = !group.numbers.insert(&set.header.st02);
        }
        // A set that was stored stands in a group without a name; what is wrong with a blank one is told at the GS.
        let group = self.group.as_ref();
        let gs01 = group
            .map(|group| group.header.functional_id.as_str())
            .filter(|gs01| !gs01.trim().is_empty());
        judge(set, gs01, ending, repeated, is_unterminated, &self.limits);
        let beyond = binaries.get(self.limits.findings);
        let no_more = beyond.map(|beyond| no_more_in_set(beyond, self.limits.findings));
        set.findings
            .extend(binaries.into_iter().take(self.limits.findings));
        set.findings.extend(no_more);
        let is_foreign = |finding: &Finding| finding.rule == Rule::SetNotInGroup;
        if let Some(group) = &mut self.group
            && set.findings.iter().any(is_foreign)
        {
            group.foreign_sets += 1;
        }
        Event::Set(&self.set)
    }
}

/// The element of a BIN or BDS that says how long its data is.
fn length_element(is_bds: bool) -> usize {
    if is_bds { 2 } else { 1 }
}

impl TransactionSet {
    /// ST01 to ST03 from the first segment.
    pub(crate) fn read_header(&mut self) {
        let mut header = std::mem::take(&mut self.header);
        header.st01.clear();
        header.st02.clear();
        header.st03 = None;
        if let Some(segment) = self.segment(1) {
            let st = envelope::set_header(segment.text(), self.element_separator);
            header.st01.push_str(st.st01);
            header.st02.push_str(st.st02);
            header.st03 = (!st.st03.is_empty()).then(|| st.st03.to_owned());
        }
        self.header = header;
    }
}

/// Checks ST and SE: identifier and group, control numbers, count.
fn judge(
    set: &mut TransactionSet,
    gs01: Option<&str>,
    ending: Ending,
    repeated: bool,
    unterminated: bool,
    limits: &crate::Limits,
) {
    let mut findings = std::mem::take(&mut set.findings);
    let SetHeader {
        offset,
        ref st01,
        ref st02,
        ..
    } = set.header;
    let count = set.len();
    // Byte and line of an element of the first or the last segment.
    let place = |segment: Option<Segment<'_>>, element: u16| {
        let offset = segment.map_or(offset, |it| it.element_offset(usize::from(element)));
        (offset, set.line_of(offset))
    };
    let st = |rule, element, text| {
        at_element(rule, place(set.segment(1), element), "ST", element, text).in_segment("ST", 1)
    };
    if st01.len() != 3 || !st01.bytes().all(|b| b.is_ascii_alphanumeric()) {
        let text = format!(
            "ST01 must be the identifier of a transaction set such as 850, not {}.",
            show(st01)
        );
        findings.push(st(Rule::StIdentifier, 1, text).with_value(st01));
    }
    findings.extend(gs01.and_then(|gs01| not_in_group(st01, gs01, place(set.segment(1), 1))));
    if !(4..=9).contains(&st02.chars().count()) {
        let text = format!(
            "ST02 must be a control number of four to nine characters, not {}.",
            show(st02)
        );
        findings.push(st(Rule::StControlNumber, 2, text).with_value(st02));
    } else if repeated {
        let text = format!(
            "ST02 {} was used before in this group; every transaction set needs a number of its own.",
            show(st02)
        );
        findings.push(st(Rule::StControlNumberRepeated, 2, text).with_value(st02));
    }
    let end_offset = offset + set.header.length;
    let end_line = || set.line_of(end_offset);
    match ending {
        Ending::Trailer => {
            if let Some(se) = set.segments().next_back() {
                let index = se.index();
                let fault = |rule, element, text, value: &str| {
                    at_element(rule, place(Some(se), element), "SE", element, text)
                        .with_value(value)
                        .in_segment("SE", index)
                };
                let Trailer {
                    count: said,
                    control_number: number,
                } = envelope::set_trailer(se.text(), set.element_separator);
                if number_of(said).map(|n| n as usize) != Some(count) {
                    let text = format!(
                        "SE01 says {}, but the set has {count} segments, ST and SE included.",
                        show(said)
                    );
                    findings.push(fault(Rule::SeCount, 1, text, said));
                }
                if number != *st02 {
                    let text = format!(
                        "SE02 is {}, but ST02 is {}; they must be the same.",
                        show(number),
                        show(st02)
                    );
                    findings.push(fault(Rule::SeControlNumber, 2, text, number));
                }
                if unterminated {
                    let text = "The last segment has no terminator; it was read as if it had.";
                    findings.push(
                        Finding::new(Rule::LastSegmentUnterminated, se.offset(), se.line(), text)
                            .in_segment("SE", index),
                    );
                }
            }
        }
        Ending::NoTrailer => {
            let text = format!(
                "The transaction set {} {} ends without its SE segment after {count} segments.",
                show(st01),
                show(st02)
            );
            findings.push(Finding::new(Rule::SeMissing, end_offset, end_line(), text));
        }
        Ending::Limit(rule) => {
            let text = match rule {
                Rule::SegmentTooLong => format!(
                    "Segment {} is longer than {} bytes; the set was not read beyond it.",
                    count + 1,
                    limits.segment_bytes
                ),
                _ => format!(
                    "The transaction set is longer than {} bytes; it was not read beyond them.",
                    limits.set_bytes
                ),
            };
            let mut finding = Finding::new(rule, end_offset, end_line(), text);
            if rule == Rule::SegmentTooLong {
                finding.segment_index = Some(count as u32 + 1);
            }
            findings.push(finding);
        }
    }
    set.findings = findings;
}

#[cfg(test)]
mod tests {
    use crate::{Event, GroupVerdict, Reader, Release, Rule, SchemaRegistry, SetVerdict, annotate};

    fn sets(body: &str) -> Vec<(String, usize, bool, Vec<Rule>)> {
        let file = format!(
            "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000001*0*P*>~GS*PO*BUYER*SELLER*20260115*1230*1*X*004010~{body}GE*1*1~IEA*1*000000001~"
        );
        let mut reader = Reader::new(file.as_bytes());
        let mut sets = Vec::new();
        while let Some(event) = reader.next().unwrap() {
            if let Event::Set(set) = event {
                sets.push((
                    set.control_number().to_owned(),
                    set.len(),
                    set.is_complete(),
                    set.findings().iter().map(|f| f.rule).collect(),
                ));
            }
        }
        sets
    }

    #[test]
    fn rule_007_se_counts_st_and_se() {
        assert_eq!(
            sets("ST*850*0001~BEG*00~SE*3*0001~"),
            [("0001".into(), 3, true, vec![])]
        );
        assert_eq!(sets("ST*850*0001~BEG*00~SE*2*0001~")[0].3, [Rule::SeCount]);
        assert_eq!(
            sets("ST*850*0001~BEG*00~SE*3*1~")[0].3,
            [Rule::SeControlNumber]
        );
        assert_eq!(sets("ST*850*0001~BEG*00~")[0].3, [Rule::SeMissing]);
    }

    #[test]
    fn rule_008_st02_is_four_to_nine_characters() {
        assert_eq!(sets("ST*850*1~SE*2*1~")[0].3, [Rule::StControlNumber]);
        assert_eq!(
            sets("ST*850*0000000001~SE*2*0000000001~")[0].3,
            [Rule::StControlNumber]
        );
        assert_eq!(sets("ST*850*00A1~SE*2*00A1~")[0].3, []);
    }

    #[test]
    fn rule_010_a_set_in_the_group_of_another_is_told_at_its_place() {
        assert_eq!(
            sets("ST*850*0001~SE*2*0001~\nST*855*0002~SE*2*0002~")[1].3,
            [Rule::SetNotInGroup]
        );
        let file = "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000001*0*P*>~\nGS*PO*BUYER*SELLER*20260115*1230*1*X*004010~\nST*855*0001~\nSE*2*0001~\nGE*1*1~\nIEA*1*000000001~\n";
        let mut reader = Reader::new(file.as_bytes());
        let mut group = None;
        while let Some(event) = reader.next().unwrap() {
            match event {
                Event::GroupOpened(header) => group = Some(GroupVerdict::open(header)),
                Event::Set(set) => {
                    let read = annotate(SchemaRegistry::standard(), Release::R004010, set, None);
                    let at: Vec<_> = read.segments[0].findings.iter().map(|f| f.rule).collect();
                    assert_eq!(at, [Rule::SetNotInGroup], "it stands at the ST");
                    let mut group = group.take().unwrap();
                    group.add(SetVerdict::of(set, Vec::new()));
                    let told = &group.sets[0].findings;
                    assert_eq!(told.len(), 1, "and is told once");
                    assert_eq!((told[0].line, told[0].element), (3, Some(1)));
                }
                _ => {}
            }
        }
    }

    #[test]
    fn one_bad_set_leaves_its_siblings() {
        let read = sets("ST*850*0001~BEG*00~ST*850*0002~SE*2*0002~ST*850*0002~SE*2*0002~");
        assert_eq!(
            read.iter()
                .map(|(.., rules)| rules.clone())
                .collect::<Vec<_>>(),
            [
                vec![Rule::SeMissing],
                vec![],
                vec![Rule::StControlNumberRepeated]
            ]
        );
    }

    #[test]
    fn rule_020_line_breaks_in_binary_data_are_data() {
        let file = |body: &str| {
            format!(
                "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000001*0*P*>~GS*ZZ*BUYER*SELLER*20260115*1230*1*X*004010~ST*102*0001~{body}SE*4*0001~GE*1*1~IEA*1*000000001~"
            )
        };
        let notes = |file: &str| {
            let mut reader = Reader::new(file.as_bytes());
            let (mut texts, mut notes) = (Vec::new(), Vec::new());
            while let Some(event) = reader.next().unwrap() {
                match event {
                    Event::Set(set) => {
                        texts.extend(set.segments().map(|segment| segment.text().to_owned()))
                    }
                    Event::InterchangeClosed(closed) => {
                        notes.extend(closed.findings.iter().map(|finding| finding.rule))
                    }
                    _ => {}
                }
            }
            (texts, notes)
        };
        let (texts, found) = notes(&file("BIN*9*a~b\n\r*c~d~REF*DP*19~"));
        assert_eq!(texts[1..3], ["BIN*9*a~b\n\r*c~d", "REF*DP*19"]);
        assert_eq!(found, []);
        let (texts, found) = notes(&file("BIN*5*a*b\nc~REF*DP*19~"));
        assert_eq!(texts[1..3], ["BIN*5*a*b\nc", "REF*DP*19"]);
        assert_eq!(found, []);
        let (texts, found) = notes(&file("BDS*ABC*5*a\nb~c~REF*DP*19~"));
        assert_eq!(texts[1..3], ["BDS*ABC*5*a\nb~c", "REF*DP*19"]);
        assert_eq!(found, []);
        let (texts, found) = notes(&file("BI\nN*\n5\n*a~b*c~REF*DP*19~"));
        assert_eq!(texts[1..3], ["BIN*5*a~b*c", "REF*DP*19"]);
        assert_eq!(found, [Rule::LineBreaksInside]);
        // Wrapped elsewhere in the set: those are left out, the data stays as it is.
        let (texts, found) = notes(&file("BIN*5*a\nb~c~REF*D\nP*19~"));
        assert_eq!(texts[1..3], ["BIN*5*a\nb~c", "REF*DP*19"]);
        assert_eq!(found, [Rule::LineBreaksInside]);
        // The wrapping goes through the data too, which is then longer than it says.
        let (texts, found) = notes(&file("BIN*5*ab\ncde~REF*DP*19~"));
        assert_eq!(texts[1..3], ["BIN*5*abcde", "REF*DP*19"]);
        assert_eq!(found, [Rule::LineBreaksInside]);
    }

    #[test]
    fn rule_020_binary_data_may_hold_delimiters() {
        let read = sets("ST*102*0001~BIN*7*a~b*c~d~SE*3*0001~");
        assert_eq!(read, [("0001".into(), 3, true, vec![])]);
    }

    #[test]
    fn an_interchange_in_binary_data_is_data() {
        let inner = "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000009*0*P*>~GS*PO*BUYER*SELLER*20260115*1230*1*X*004010~IEA*1*000000009~";
        for segment in [
            format!("BIN*{}*{inner}", inner.len()),
            format!("BDS*ABC*{}*x{inner}", inner.len() + 1),
        ] {
            let read = sets(&format!("ST*102*0001~{segment}~SE*3*0001~"));
            assert_eq!(read, [("0001".into(), 3, true, vec![])], "{segment}");
        }
        // The buffer moves while the data is read.
        let long = format!("{}{inner}", "~a*".repeat(100_000));
        let body = format!(
            "ST*102*0001~BIN*{}*{inner}{long}~SE*3*0001~",
            inner.len() + long.len()
        );
        let read = sets(&body.repeat(3));
        assert_eq!(read.len(), 3);
        assert!(
            read.iter()
                .all(|(_, segments, whole, _)| *segments == 3 && *whole)
        );
    }

    #[test]
    fn binary_data_may_be_longer_than_a_segment() {
        let body = |text: &str| format!("ST*102*0001~BIN*{}*{text}~SE*3*0001~", text.len());
        let long = "a".repeat(crate::Limits::default().segment_bytes * 2);
        let read = sets(&body(&long));
        assert_eq!(read, [("0001".into(), 3, true, vec![])]);
        let read = sets(&body(&long).replace("BIN", "BON"));
        assert!(read[0].3.contains(&Rule::SegmentTooLong));
    }

    #[test]
    fn findings_about_binary_data_keep_the_limit() {
        let many = "BIN*9*abc~".repeat(1_500);
        let read = sets(&format!("ST*102*0001~{many}SE*1502*0001~"));
        assert_eq!(read[0].3.len(), crate::Limits::default().findings + 1);
        assert_eq!(read[0].3.last(), Some(&Rule::TooManyFindings));
    }

    #[test]
    fn binary_data_of_another_length_is_told() {
        for body in [
            "ST*102*0001~BIN*9*abc~SE*3*0001~",
            "ST*102*0001~BIN*2*abc~SE*3*0001~",
            "ST*102*0001~BDS*ABC*9*abc~SE*3*0001~",
        ] {
            assert_eq!(sets(body)[0].3, [Rule::BinaryLength], "{body}");
        }
        assert_eq!(sets("ST*102*0001~BIN*3*abc~SE*3*0001~")[0].3, []);
        for body in [
            "BIN**abc",
            "BIN*3x*abc",
            "BIN*-3*abc",
            "BIN*99999999999*abc",
            "BIN*3",
            "BDS",
            "BDS*ABC**a",
        ] {
            let body = format!("ST*102*0001~{body}~SE*3*0001~");
            assert_eq!(sets(&body)[0].3, [Rule::BinaryLength], "{body}");
        }
    }
}
