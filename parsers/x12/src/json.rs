//! X12 as JSON lines and back, losslessly: one line for each event, whatever was read.

use crate::reader::{Event, Reader};
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, Read, Write};

/// One line: what was read, its bytes, and for whole sets their segments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonLine {
    /// `interchange`, `ta1`, `group`, `set`, `stray`, `group-end`, `interchange-end`, `outside` or
    /// `nothing`.
    pub kind: String,
    /// First byte in the file, line ends before it included.
    pub offset: u64,
    /// The bytes, each as the character of its number (Latin-1). They alone are read back.
    pub text: String,
    /// The segments of a set, each as identifier and elements; for reading only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Vec<String>>,
}

/// Why JSON lines cannot be turned back.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A line is not what [`to_json`] writes.
    #[error(
        "line {line}: {reason}; only what was written as JSON lines from X12 can be turned back"
    )]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// Writes every event of a source as a line of JSON.
///
/// # Errors
/// Those of the source and of the target.
pub fn to_json(source: impl Read, target: &mut impl Write) -> io::Result<()> {
    let mut reader = Reader::new(source);
    loop {
        let offset = reader.position();
        let (kind, segments) = match reader.next()? {
            None => return Ok(()),
            Some(event) => describe(&event),
        };
        let text = reader.raw().iter().map(|byte| char::from(*byte)).collect();
        let line = JsonLine {
            kind: kind.to_owned(),
            offset,
            text,
            segments,
        };
        serde_json::to_writer(&mut *target, &line)?;
        target.write_all(b"\n")?;
    }
}

fn describe(event: &Event<'_>) -> (&'static str, Vec<Vec<String>>) {
    let kind = match event {
        Event::Outside(_) => "outside",
        Event::InterchangeOpened(..) => "interchange",
        Event::Ta1(_) => "ta1",
        Event::GroupOpened(_) => "group",
        Event::Set(set) => {
            let whole = |segment: crate::Segment<'_>| {
                let id = std::iter::once(segment.id().to_owned());
                id.chain(segment.elements().map(str::to_owned)).collect()
            };
            return ("set", set.segments().map(whole).collect());
        }
        Event::Stray(_) => "stray",
        Event::GroupClosed(_) => "group-end",
        Event::InterchangeClosed(_) => "interchange-end",
        Event::NoInterchange(_) => "nothing",
    };
    (kind, Vec::new())
}

/// Gives back the bytes of the file from its lines of JSON.
///
/// # Errors
/// Where a line is not one that [`to_json`] writes, and those of source and target.
pub fn from_json(source: impl BufRead, target: &mut impl Write) -> Result<(), JsonError> {
    for (at, line) in source.lines().enumerate() {
        let line = line?;
        let refuse = |reason: String| JsonError::Line {
            line: at + 1,
            reason,
        };
        let line: JsonLine = serde_json::from_str(&line).map_err(|e| refuse(e.to_string()))?;
        let bytes: Option<Vec<u8>> = line
            .text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).ok())
            .collect();
        let bytes = bytes.ok_or_else(|| refuse("`text` holds a character above U+00FF".into()))?;
        target.write_all(&bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_come_back() {
        let file: &[u8] = b"\xef\xbb\xbfISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000001*0*P*>~\r\nGS*PO*BUYER*SELLER*20260115*1230*1*X*004010~\r\nST*850*0001~N1*ST*M\xfcLLER~\r\nSE*3*0001~junk~GE*1*1~IEA*1*000000001~\x00\xff";
        let mut json = Vec::new();
        to_json(file, &mut json).unwrap();
        let mut back = Vec::new();
        from_json(&json[..], &mut back).unwrap();
        assert_eq!(back, file);
        let lines: Vec<JsonLine> = json
            .split(|b| *b == b'\n')
            .filter(|l| !l.is_empty())
            .map(|l| serde_json::from_slice(l).unwrap())
            .collect();
        let set = lines.iter().find(|line| line.kind == "set").unwrap();
        assert_eq!(set.segments[1], ["N1", "ST", "MüLLER"]);
    }

    #[test]
    fn foreign_json_is_refused_with_its_line() {
        let error = from_json(&b"{\"a\":1}\n"[..], &mut Vec::new()).unwrap_err();
        assert!(error.to_string().starts_with("line 1:"), "{error}");
    }
}
