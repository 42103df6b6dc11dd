//! Between interchanges: looking for the next ISA, and saying what stands there instead.

use super::seen::ControlNumbers;
use super::{Event, OpenInterchange, Outside, Reader};
use crate::finding::{Finding, Rule};
use crate::header::{ISA_WINDOW, IsaReading, at_isa_element, read_isa};
use crate::text::show;
use std::io::{self, Read};

/// Bytes outside interchanges are given in pieces of at most this size.
const PIECE: usize = 16 << 10;
/// Bytes at the start of the file that are looked at to say what it is.
const LOOK: usize = 512;

/// What stands at the cursor.
enum Next {
    Isa {
        at: usize,
        length: usize,
        header: Box<crate::IsaHeader>,
        findings: Vec<Finding>,
    },
    /// Bytes up to here that are no interchange.
    Bytes { to: usize, finding: Option<Finding> },
}

impl<R: Read> Reader<R> {
    pub(super) fn next_outside(&mut self) -> io::Result<Option<Event<'_>>> {
        if self.ended {
            return Ok(None);
        }
        while self.window.ahead().len() < PIECE + ISA_WINDOW && self.window.more()? {}
        if self.first_bytes.is_empty() {
            let ahead = self.window.ahead();
            self.first_bytes
                .extend_from_slice(&ahead[..ahead.len().min(LOOK)]);
        }
        if self.window.ahead().is_empty() {
            self.ended = true;
            return Ok((self.opened == 0).then(|| Event::NoInterchange(self.describe())));
        }
        match self.look() {
            Next::Isa {
                at,
                length,
                header,
                findings,
            } => {
                let isa = self.window.bytes(at, at + length).to_vec();
                self.window.advance(at + length);
                Ok(Some(self.open_interchange(*header, &isa, findings)))
            }
            Next::Bytes { to, finding } => {
                let from = self.window.cursor;
                let offset = self.window.offset(from);
                self.window.advance(to);
                self.outside_reported |= finding.is_some();
                let finding = finding.and_then(|finding| {
                    let before = self.outside_findings;
                    self.outside_findings += 1;
                    match before.cmp(&self.limits.envelope_findings) {
                        std::cmp::Ordering::Less => Some(finding),
                        std::cmp::Ordering::Equal => Some(super::no_more(&finding, self.limits)),
                        std::cmp::Ordering::Greater => None,
                    }
                });
                Ok(Some(Event::Outside(Outside {
                    offset,
                    length: (to - from) as u64,
                    finding,
                })))
            }
        }
    }

    fn look(&self) -> Next {
        let bytes = self.window.ahead();
        let from = self.window.cursor;
        let blank = |bytes: &[u8]| {
            bytes
                .iter()
                .all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0 | 0x1a))
        };
        let mark = if self.window.offset(from) == 0 && bytes.starts_with(b"\xef\xbb\xbf") {
            3
        } else {
            0
        };
        let mut start = 0;
        while let Some(found) =
            memchr::memmem::find(&bytes[start..bytes.len().min(PIECE + 3)], b"ISA")
        {
            let at = start + found;
            let sure = blank(&bytes[mark.min(at)..at]);
            let (offset, line) = self.here(from + at);
            match read_isa(&bytes[at..], true, sure, offset, line) {
                IsaReading::Read {
                    header,
                    length,
                    findings,
                } if sure => {
                    let findings = match mark {
                        0 => findings,
                        _ => findings
                            .into_iter()
                            .chain([Finding::new(
                                Rule::ByteOrderMark,
                                0,
                                1,
                                "The file begins with a byte-order mark; it was passed over.",
                            )])
                            .collect(),
                    };
                    return Next::Isa {
                        at: from + at,
                        length,
                        header,
                        findings,
                    };
                }
                IsaReading::Read { .. } => return self.bytes_up_to(from + at),
                IsaReading::Unreadable(_) if !sure => return self.bytes_up_to(from + at),
                IsaReading::Unreadable(finding) => {
                    return Next::Bytes {
                        to: from + at + 3,
                        finding: Some(finding),
                    };
                }
                IsaReading::More | IsaReading::No => start = at + 3,
            }
        }
        let to = bytes.len().min(PIECE);
        if mark == 0 && blank(&bytes[..to]) {
            return Next::Bytes {
                to: from + to,
                finding: None,
            };
        }
        self.bytes_up_to(from + to)
    }

    fn bytes_up_to(&self, to: usize) -> Next {
        let (offset, line) = self.here(self.window.cursor);
        let finding = (!self.outside_reported).then(|| {
            let what = crate::text::decode(self.window.bytes(self.window.cursor, to.min(self.window.cursor + 60))).trim().to_owned();
            Finding::new(Rule::BytesOutsideInterchange, offset, line, format!("Here stands something that belongs to no interchange, beginning with {}; it was passed over up to the next ISA.", show(&what)))
        });
        Next::Bytes { to, finding }
    }

    fn open_interchange(
        &mut self,
        header: crate::IsaHeader,
        isa: &[u8],
        mut findings: Vec<Finding>,
    ) -> Event<'_> {
        self.opened += 1;
        self.outside_reported = false;
        self.window.enter(header.delimiters);
        let number = [
            &*header.sender_qualifier,
            &header.sender,
            &header.receiver_qualifier,
            &header.receiver,
            &header.control_number,
        ];
        if !self.isa_numbers.insert(&number.join("\u{1f}")) {
            let text = format!(
                "ISA13 {} was used before in this file by the same sender; is it the same interchange twice?",
                show(&header.control_number)
            );
            findings.push(
                at_isa_element(Rule::IsaControlNumberRepeated, &header, isa, 13, text)
                    .with_value(&header.control_number),
            );
        }
        let open = self.interchange.insert(OpenInterchange {
            header,
            findings,
            groups: 0,
            sets: 0,
            ta1s: 0,
            segments: 1,
            group_numbers: ControlNumbers::default(),
            stray_reported: false,
            breaks_reported: false,
        });
        Event::InterchangeOpened(&open.header, &open.findings)
    }

    /// A finding for a file without an interchange: what it looks like instead.
    fn describe(&self) -> Finding {
        let start = self.first_bytes.as_slice();
        if start.is_empty() {
            return Finding::new(
                Rule::FileEmpty,
                0,
                1,
                "The file is empty. If something was to be in it, ask the sender for it again.",
            );
        }
        let text = start
            .iter()
            .all(|byte| (0x20..0x7f).contains(byte) || byte.is_ascii_whitespace() || *byte >= 0x80);
        let what = match start {
            [b'P', b'K', 3 | 5, 4 | 6, ..] => {
                "It is a zip archive: unpack it and send what is in it."
            }
            [0x1f, 0x8b, ..] => "It is compressed with gzip: unpack it first.",
            [b'%', b'P', b'D', b'F', ..] => "It is a PDF document, which cannot be read here.",
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "It is text in UTF-16: send it in ASCII.",
            [
                b'-',
                b'-',
                b'-',
                b'-',
                b'-',
                b'B',
                b'E',
                b'G',
                b'I',
                b'N',
                ..,
            ] => "It is encrypted or signed: it must be decrypted first.",
            _ if start.iter().all(|byte| *byte == 0) => {
                "It holds nothing but zero bytes: the transfer failed, or the disk was full where it was made."
            }
            _ if start.iter().all(u8::is_ascii_whitespace) => "It holds nothing but white space.",
            _ if start.trim_ascii_start().starts_with(b"UNA")
                || start.trim_ascii_start().starts_with(b"UNB") =>
            {
                "It is EDIFACT, not X12: only X12 is read here."
            }
            _ if start.trim_ascii_start().starts_with(b"<") => "It looks like XML or HTML.",
            _ if start.trim_ascii_start().starts_with(b"{")
                || start.trim_ascii_start().starts_with(b"[") =>
            {
                "It looks like JSON."
            }
            _ if [&b"GS"[..], b"ST"]
                .iter()
                .any(|id| start.trim_ascii_start().starts_with(id)) =>
            {
                "It looks like X12 whose ISA segment is missing: ask the sender for the whole interchange."
            }
            _ if start.trim_ascii_start().starts_with(b"ISA") => {
                "It begins with ISA, but not with a whole interchange header: ask the sender for the file again."
            }
            _ if text => "It looks like plain text.",
            _ => "It holds binary data of no kind that is known here.",
        };
        Finding::new(
            Rule::FileNotX12,
            0,
            1,
            format!("No interchange (ISA … IEA) was found in the file. {what}"),
        )
        .with_value(&crate::text::decode(&start[..start.len().min(40)]))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Event, Reader, Rule};

    fn verdict(file: &[u8]) -> (Rule, String) {
        let mut reader = Reader::new(file);
        let mut last = None;
        while let Some(event) = reader.next().unwrap() {
            if let Event::NoInterchange(finding) = event {
                last = Some((finding.rule, finding.message));
            }
        }
        last.unwrap()
    }

    #[test]
    fn says_what_a_file_without_interchange_is() {
        assert_eq!(verdict(b"").0, Rule::FileEmpty);
        for (file, word) in [
            (&b"PK\x03\x04rest"[..], "zip"),
            (&[0; 100_000], "zero"),
            (b"UNA:+.? 'UNB+UNOA:1", "EDIFACT"),
            (b"Dear customer, please find", "text"),
            (b"ST*850*0001~", "ISA segment is missing"),
            (
                b"ISA*00**00**ZZ*A*ZZ*B~GS*PO",
                "not with a whole interchange header",
            ),
            (b"\x00\x01\x02", "binary"),
            (b"<html>", "XML"),
        ] {
            let (rule, message) = verdict(file);
            assert_eq!(rule, Rule::FileNotX12);
            assert!(message.contains(word), "{message}");
        }
    }
}
