//! Archives that come where X12 is expected. One that is not compressed shows the interchange that lies in it, between
//! headings of its own: nothing of it is believed.

use std::io::{Cursor, Read};

use crate::domain::finding::{Finding, Place, Severity};

/// First bytes of a file that tell every archive we know.
const HEAD: u64 = 512;

/// What archives and compressed files begin with, by their names.
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "ZIP archive"),
    (b"PK\x05\x06", "ZIP archive"),
    (b"PK\x07\x08", "ZIP archive"),
    (b"\x1f\x8b", "gzip file"),
    (b"\x1f\x9d", "compress (.Z) file"),
    (b"\xfd7zXZ\x00", "xz file"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip archive"),
    (b"Rar!\x1a\x07", "RAR archive"),
    (b"\x28\xb5\x2f\xfd", "Zstandard file"),
    (b"\x04\x22\x4d\x18", "LZ4 file"),
    (b"MSCF\x00\x00\x00\x00", "cabinet (CAB) archive"),
];

/// Where a tar archive has its mark.
const TAR_MARK_AT: usize = 257;

/// The name of the archive that a file with these first bytes is; none: it is none that we know.
pub fn kind(head: &[u8]) -> Option<&'static str> {
    let bzip2 = head.starts_with(b"BZh") && head.get(4..10) == Some(b"1AY&SY");
    let tar = head
        .get(TAR_MARK_AT..)
        .is_some_and(|rest| rest.starts_with(b"ustar"));
    SIGNATURES
        .iter()
        .find(|(signature, _)| head.starts_with(signature))
        .map(|(_, name)| *name)
        .or(bzip2.then_some("bzip2 file"))
        .or(tar.then_some("tar archive"))
}

/// Looks at the first bytes of a file: the archive that it is, and the whole source again.
///
/// # Errors
/// The source's own.
pub fn opened<R: Read>(
    mut source: R,
) -> std::io::Result<(Option<&'static str>, impl Read + use<R>)> {
    let mut head = Vec::new();
    source.by_ref().take(HEAD).read_to_end(&mut head)?;
    let kind = kind(&head);
    Ok((kind, Cursor::new(head).chain(source)))
}

/// What is said of a file that is an archive: that it is no X12, as of any other file.
pub fn finding(kind: &str) -> Finding {
    Finding {
        code: supercargo_x12::Rule::FileNotX12.name().to_owned(),
        ..Finding::business(
            "",
            Severity::Reject,
            format!("The file is a {kind}, and nothing in it was read, not even what looks like an ISA. Unpack it, and send the X12 file itself"),
        )
        .at(Place {
            byte: Some(0),
            line: Some(1),
            ..Place::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_known_by_their_first_bytes_and_x12_is_none() {
        let mut tar = b"order.edi".to_vec();
        tar.resize(TAR_MARK_AT, 0);
        tar.extend(b"ustar\x0000ISA*00*");
        let table: [(&[u8], Option<&str>); 9] = [
            (b"PK\x03\x04\x14\x00ISA*00*", Some("ZIP archive")),
            (b"\x1f\x8b\x08", Some("gzip file")),
            (b"BZh91AY&SY", Some("bzip2 file")),
            (&tar, Some("tar archive")),
            (b"ISA*00*          *00*", None),
            (b"\xef\xbb\xbfISA*00*", None),
            (b"BZh, said the clerk", None),
            (b"PKG", None),
            (b"", None),
        ];
        for (head, wanted) in table {
            assert_eq!(kind(head), wanted, "{}", head.escape_ascii());
            let (found, mut again) = opened(head).unwrap();
            let mut whole = Vec::new();
            again.read_to_end(&mut whole).unwrap();
            assert_eq!((found, whole.as_slice()), (wanted, head));
        }
    }
}
