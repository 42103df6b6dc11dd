//! `json`: a file as JSON, and back, without losing a byte.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::pieces::{Piece, Place, cut};
use super::whole;
use crate::cli::{CliError, CliResult, print};

/// A file as JSON, and back.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An X12 file; with --back, JSON that this command wrote; - for standard input
    file: PathBuf,
    /// Turn the JSON back into the file, byte for byte
    #[arg(long)]
    back: bool,
}

/// Prints the other form.
pub fn run(args: &Args) -> CliResult {
    let bytes = whole(&args.file)?;
    if args.back {
        let file = back(&bytes).map_err(|why| {
            CliError::Refused(format!(
                "{}: {why}; only what `supercargo json FILE` printed can be turned back",
                args.file.display()
            ))
        })?;
        print::bytes(&file)?;
    } else {
        let value = forth(&bytes).map_err(|error| CliError::file("read", &args.file, &error))?;
        print::json(&value)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// How bytes stand in JSON, which knows text only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Latin1,
}

impl Encoding {
    fn word(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Latin1 => "latin-1",
        }
    }

    fn text(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(str::to_owned),
            Self::Latin1 => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
        }
    }

    fn bytes(self, text: &str) -> Result<Vec<u8>, String> {
        match self {
            Self::Utf8 => Ok(text.as_bytes().to_vec()),
            Self::Latin1 => text
                .chars()
                .map(|letter| {
                    u8::try_from(u32::from(letter))
                        .map_err(|_| format!("{letter:?} is no letter of Latin-1"))
                })
                .collect(),
        }
    }
}

pub(super) fn forth(bytes: &[u8]) -> std::io::Result<Value> {
    let cut = cut(bytes, false)?;
    let encoding = if std::str::from_utf8(bytes).is_ok() {
        Encoding::Utf8
    } else {
        Encoding::Latin1
    };
    let mut parts: Vec<Value> = Vec::new();
    let mut segments: Option<(Value, Vec<Value>)> = None;
    let close = |segments: &mut Option<(Value, Vec<Value>)>, parts: &mut Vec<Value>| {
        if let Some((delimiters, segments)) = segments.take() {
            parts
                .push(json!({ "interchange": { "delimiters": delimiters, "segments": segments } }));
        }
    };
    for piece in &cut.pieces {
        match piece.place {
            Place::Outside if segments.is_none() => parts.push(outside(encoding, bytes, piece)),
            Place::Outside => {
                // Bytes after an IEA stand between interchanges; a later segment proves that they did not.
                if let Some((_, segments)) = &mut segments {
                    segments.push(outside(encoding, bytes, piece));
                }
            }
            Place::Isa => {
                close(&mut segments, &mut parts);
                let delimiters = delimiters(piece);
                segments = Some((delimiters, vec![segment(encoding, bytes, piece)]));
            }
            Place::Envelope | Place::Stray | Place::Set(..) => match &mut segments {
                Some((_, segments)) => segments.push(segment(encoding, bytes, piece)),
                None => parts.push(outside(encoding, bytes, piece)),
            },
        }
    }
    close(&mut segments, &mut parts);
    Ok(json!({ "encoding": encoding.word(), "parts": parts }))
}

fn delimiters(piece: &Piece) -> Value {
    let shown = |byte: u8| char::from(byte).to_string();
    json!({
        "element": shown(piece.delimiters.element),
        "component": shown(piece.delimiters.component),
        "repetition": piece.delimiters.repetition.map(shown),
        "terminator": shown(piece.delimiters.terminator),
        "after_terminator": piece.delimiters.after_terminator.as_bytes().iter().map(|byte| char::from(*byte)).collect::<String>(),
    })
}

fn slice<'a>(bytes: &'a [u8], range: &std::ops::Range<usize>) -> &'a [u8] {
    bytes.get(range.clone()).unwrap_or_default()
}

fn outside(encoding: Encoding, bytes: &[u8], piece: &Piece) -> Value {
    let all = slice(bytes, &(piece.before.start..piece.end.end));
    match encoding.text(all) {
        Some(text) => json!({ "outside": text }),
        None => json!({ "bytes": hex::encode(all) }),
    }
}

/// A segment as the array of its elements; where line ends or the terminator are not the usual ones, with them.
fn segment(encoding: Encoding, bytes: &[u8], piece: &Piece) -> Value {
    let elements: Option<Vec<String>> = slice(bytes, &piece.body)
        .split(|byte| *byte == piece.delimiters.element)
        .map(|element| encoding.text(element))
        .collect();
    let before = encoding.text(slice(bytes, &piece.before));
    let end = encoding.text(slice(bytes, &piece.end));
    let (Some(elements), Some(before), Some(end)) = (elements, before, end) else {
        return json!({ "bytes": hex::encode(slice(bytes, &(piece.before.start..piece.end.end))) });
    };
    let usual_before = usual_before(
        piece.place == Place::Isa,
        piece.delimiters.after_terminator.as_bytes(),
    );
    let is_usual = slice(bytes, &piece.before) == usual_before
        && slice(bytes, &piece.end) == [piece.delimiters.terminator];
    if is_usual {
        json!(elements)
    } else {
        json!({ "segment": elements, "before": before, "end": end })
    }
}

fn usual_before(is_isa: bool, after_terminator: &[u8]) -> &[u8] {
    if is_isa { &[] } else { after_terminator }
}

pub(super) fn back(json: &[u8]) -> Result<Vec<u8>, String> {
    let value: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let encoding = match value.get("encoding").and_then(Value::as_str) {
        Some("utf-8") => Encoding::Utf8,
        Some("latin-1") => Encoding::Latin1,
        other => return Err(format!("`encoding` is {other:?}, not utf-8 or latin-1")),
    };
    let parts = value
        .get("parts")
        .and_then(Value::as_array)
        .ok_or("`parts` is missing")?;
    let mut file = Vec::new();
    for part in parts {
        let part = part.as_object().ok_or("a part is no object")?;
        match part.get("interchange").and_then(Value::as_object) {
            Some(interchange) => interchange_back(encoding, interchange, &mut file)?,
            None => other_back(encoding, part, &mut file)?,
        }
    }
    Ok(file)
}

fn other_back(
    encoding: Encoding,
    part: &Map<String, Value>,
    file: &mut Vec<u8>,
) -> Result<(), String> {
    if let Some(text) = part.get("outside").and_then(Value::as_str) {
        file.extend(encoding.bytes(text)?);
    } else if let Some(text) = part.get("bytes").and_then(Value::as_str) {
        file.extend(hex::decode(text).map_err(|error| format!("`bytes`: {error}"))?);
    } else {
        return Err("a part is neither `interchange` nor `outside` nor `bytes`".to_owned());
    }
    Ok(())
}

fn interchange_back(
    encoding: Encoding,
    interchange: &Map<String, Value>,
    file: &mut Vec<u8>,
) -> Result<(), String> {
    let delimiters = interchange
        .get("delimiters")
        .ok_or("`delimiters` is missing")?;
    let named = |name: &str| -> Result<Vec<u8>, String> {
        let text = delimiters
            .get(name)
            .and_then(Value::as_str)
            .ok_or(format!("delimiter `{name}` is missing"))?;
        // A delimiter is a byte, whatever the encoding of the text between.
        Encoding::Latin1.bytes(text)
    };
    let (element, terminator, after) = (
        named("element")?,
        named("terminator")?,
        named("after_terminator")?,
    );
    let segments = interchange
        .get("segments")
        .and_then(Value::as_array)
        .ok_or("`segments` is missing")?;
    for (n, segment) in segments.iter().enumerate() {
        let (elements, before, end) = match segment {
            Value::Array(elements) => (
                elements,
                usual_before(n == 0, &after).to_vec(),
                terminator.clone(),
            ),
            Value::Object(part) => match part.get("segment").and_then(Value::as_array) {
                Some(elements) => {
                    let text =
                        |name: &str| part.get(name).and_then(Value::as_str).unwrap_or_default();
                    (
                        elements,
                        encoding.bytes(text("before"))?,
                        encoding.bytes(text("end"))?,
                    )
                }
                None => {
                    other_back(encoding, part, file)?;
                    continue;
                }
            },
            _ => return Err("a segment is neither array nor object".to_owned()),
        };
        file.extend(before);
        for (n, text) in elements.iter().enumerate() {
            if n > 0 {
                file.extend(&element);
            }
            file.extend(encoding.bytes(text.as_str().ok_or("an element is no text")?)?);
        }
        file.extend(end);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000001*0*P*>~\nGS*PO*BUYER*SELLER*20260115*1230*1*X*004010~\nST*850*0001~\nBEG*00*SA*4711**20260115~\n\nSE*3*0001~\nGE*1*1~\nIEA*1*000000001~\n";

    #[test]
    fn forth_and_back_is_the_same_file() {
        let latin = FILE
            .replace("4711", "M\u{fc}ller")
            .chars()
            .map(|letter| letter as u8)
            .collect::<Vec<u8>>();
        let files: Vec<Vec<u8>> = vec![
            FILE.into(),
            FILE.replace("4711", "M\u{fc}ller").into(),
            latin,
            FILE.replace('\n', "").into(),
            FILE.replace('~', "\u{1e}").into(),
            format!("lead{FILE}between\r\n{FILE}tail").into(),
            FILE.as_bytes()[..210].to_vec(),
            vec![0xff, 0x00, 0x80],
            Vec::new(),
        ];
        for file in files {
            let value = forth(&file).unwrap();
            let text = serde_json::to_vec(&value).unwrap();
            assert_eq!(
                back(&text).unwrap(),
                file,
                "{}",
                String::from_utf8_lossy(&file)
            );
        }
    }

    #[test]
    fn a_segment_reads_as_its_elements() {
        let value = forth(FILE.as_bytes()).unwrap();
        let segments = &value["parts"][0]["interchange"]["segments"];
        assert_eq!(
            segments[3],
            json!(["BEG", "00", "SA", "4711", "", "20260115"])
        );
        assert_eq!(segments[4]["before"], "\n\n");
    }

    #[test]
    fn what_is_none_of_ours_is_refused() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"encoding":"utf-8","parts":[{}]}"#,
            r#"{"encoding":"latin-1","parts":[{"outside":"€"}]}"#,
        ] {
            assert!(back(text.as_bytes()).is_err(), "{text}");
        }
    }
}
