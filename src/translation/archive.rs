//! Archives that come where X12 is expected. One that is not compressed shows the interchange that lies in it, between
//! headings of its own: nothing of it is believed.

use std::io::{Cursor, Read};

use supercargo_x12::{Finding, Rule, Severity};

/// First bytes of a file that tell every archive we know but one that unpacks itself.
const HEAD: u64 = 2048;

/// Bytes of a program that are taken into memory to see whether it ends as a ZIP archive.
const PROGRAM_MAX: u64 = 64 * 1024 * 1024;

/// What archives and compressed files begin with, by their names.
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "ZIP archive"),
    (ZIP_END, "ZIP archive"),
    (b"PK\x07\x08", "ZIP archive"),
    (b"\x1f\x8b", "gzip file"),
    (b"\x1f\x9d", "compress (.Z) file"),
    (b"\xfd7zXZ\x00", "xz file"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip archive"),
    (b"Rar!\x1a\x07", "RAR archive"),
    (b"\x28\xb5\x2f\xfd", "Zstandard file"),
    (b"\x04\x22\x4d\x18", "LZ4 file"),
    (b"MSCF\x00\x00\x00\x00", "cabinet (CAB) archive"),
    (b"!<arch>\n", "ar archive"),
];

/// What the last record of a ZIP archive begins with; its fixed part has this many bytes, and a comment may follow.
const ZIP_END: &[u8] = b"PK\x05\x06";
const ZIP_END_SIZE: usize = 22;
const ZIP_COMMENT_MAX: usize = 65_535;

/// What a program for DOS or Windows begins with; a ZIP archive that unpacks itself does.
const PROGRAM: &[u8] = b"MZ";

/// A tar header is one block; its mark, where it has one, and the sum over its bytes stand here.
const TAR_BLOCK: usize = 512;
const TAR_MARK_AT: usize = 257;
const TAR_SUM: std::ops::Range<usize> = 148..156;

/// The name of the archive that a file with these first bytes is; none: it is none that we know.
pub fn kind(head: &[u8]) -> Option<&'static str> {
    let head = without_lead(head);
    let bzip2 = head.starts_with(b"BZh") && head.get(4..10) == Some(b"1AY&SY");
    SIGNATURES
        .iter()
        .find(|(signature, _)| head.starts_with(signature))
        .map(|(_, name)| *name)
        .or(bzip2.then_some("bzip2 file"))
        .or(is_tar(head).then_some("tar archive"))
        .or(is_cpio(head).then_some("cpio archive"))
}

/// Without the byte-order mark and the line ends that a program on the way has put in front.
fn without_lead(head: &[u8]) -> &[u8] {
    let marks: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
    let rest = marks
        .iter()
        .find_map(|mark| head.strip_prefix(*mark))
        .unwrap_or(head);
    let line_ends = rest
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    rest.get(line_ends..).unwrap_or_default()
}

/// By its mark, or, as the oldest have none, by the sum of the header's bytes, its own field taken as blanks.
fn is_tar(head: &[u8]) -> bool {
    let marked = head
        .get(TAR_MARK_AT..)
        .is_some_and(|rest| rest.starts_with(b"ustar"));
    let summed = || {
        let block = head.get(..TAR_BLOCK)?;
        let written: String = block
            .get(TAR_SUM)?
            .iter()
            .map(|byte| char::from(*byte))
            .collect();
        let written = written.trim_matches([' ', '\0']);
        let written = u32::from_str_radix(written, 8).ok()?;
        let sum: u32 = block
            .iter()
            .enumerate()
            .map(|(at, byte)| match TAR_SUM.contains(&at) {
                true => u32::from(b' '),
                false => u32::from(*byte),
            })
            .sum();
        Some(sum == written)
    };
    marked || summed().unwrap_or(false)
}

/// The header's digits are all digits, or, where numbers are bytes, the name is as long as it says.
fn is_cpio(head: &[u8]) -> bool {
    let digits = |mark: &[u8], until: usize, radix| {
        head.starts_with(mark)
            && head
                .get(mark.len()..until)
                .is_some_and(|rest| rest.iter().all(|byte| char::from(*byte).is_digit(radix)))
    };
    let in_bytes = |mark: &[u8], number: fn([u8; 2]) -> u16| {
        let name = || {
            let size = number(head.get(20..22)?.try_into().ok()?);
            let (end, name) = head.get(26..)?.get(..usize::from(size))?.split_last()?;
            Some(*end == 0 && !name.is_empty() && !name.contains(&0))
        };
        head.starts_with(mark) && name().unwrap_or(false)
    };
    digits(b"070701", 110, 16)
        || digits(b"070702", 110, 16)
        || digits(b"070707", 76, 8)
        || in_bytes(b"\xc7\x71", u16::from_le_bytes)
        || in_bytes(b"\x71\xc7", u16::from_be_bytes)
}

/// Whether the last record of a ZIP archive ends where the bytes end.
fn ends_as_zip(whole: &[u8]) -> bool {
    let from = whole.len().saturating_sub(ZIP_END_SIZE + ZIP_COMMENT_MAX);
    let tail = whole.get(from..).unwrap_or_default();
    tail.windows(ZIP_END_SIZE).enumerate().any(|(at, record)| {
        let comment = record.last_chunk().copied().map(u16::from_le_bytes);
        record.starts_with(ZIP_END)
            && comment.is_some_and(|size| at + ZIP_END_SIZE + usize::from(size) == tail.len())
    })
}

/// Looks at the first bytes of a file: the archive that it is, and the whole source again. A program is looked at to
/// its end, for it may be an archive that unpacks itself.
///
/// # Errors
/// The source's own.
pub fn opened<R: Read>(
    mut source: R,
) -> std::io::Result<(Option<&'static str>, impl Read + use<R>)> {
    let mut front = Vec::new();
    source.by_ref().take(HEAD).read_to_end(&mut front)?;
    let mut kind = kind(&front);
    if kind.is_none() && front.starts_with(PROGRAM) {
        source.by_ref().take(PROGRAM_MAX).read_to_end(&mut front)?;
        kind = ends_as_zip(&front).then_some("ZIP archive that unpacks itself");
    }
    Ok((kind, Cursor::new(front).chain(source)))
}

/// What is said of a file that is an archive: that it is no X12, as of any other file.
pub fn finding(kind: &str) -> Finding {
    let article = if kind.starts_with('a') { "an" } else { "a" };
    let message = format!(
        "The file is {article} {kind}, and nothing in it was read, not even what looks like an ISA. Unpack it, and send the X12 file itself"
    );
    Finding::new(Rule::FileNotX12, 0, 1, message).with_severity(Severity::Reject)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tar header of the oldest kind, which has no mark.
    fn old_tar() -> Vec<u8> {
        let mut block = b"order.edi".to_vec();
        block.resize(TAR_BLOCK, 0);
        block[100..107].copy_from_slice(b"000644 ");
        block[TAR_SUM].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block.extend(b"ISA*00*");
        block
    }

    fn with(front: &[u8], rest: &[u8]) -> Vec<u8> {
        [front, rest].concat()
    }

    #[test]
    fn archives_are_known_by_their_first_bytes_and_x12_is_none() {
        let zip: &[u8] = b"PK\x03\x04\x14\x00ISA*00*";
        let mut tar = b"order.edi".to_vec();
        tar.resize(TAR_MARK_AT, 0);
        tar.extend(b"ustar\x0000ISA*00*");
        let mut altered = old_tar();
        altered[3] ^= 1;
        let newc = with(b"070701", &[b'0'; 104]);
        let odc = with(b"070707", &[b'7'; 70]);
        let mut in_bytes = vec![0; 26];
        in_bytes[..2].copy_from_slice(b"\xc7\x71");
        in_bytes[20..22].copy_from_slice(&6_u16.to_le_bytes());
        let stub = b"MZ\x90\x00This program cannot be run in DOS mode.";
        let end = with(ZIP_END, &[0; 18]);
        let unpacks = [stub, zip, end.as_slice()].concat();
        let mut noted = unpacks.clone();
        let size = noted.len() - 2;
        noted[size] = 4;
        noted.extend(b"note");
        let isa = b"ISA*00*          *00*          *ZZ*BIGBUYER       *ZZ*SELLER         ";
        let table: Vec<(Vec<u8>, Option<&str>)> = vec![
            (zip.to_vec(), Some("ZIP archive")),
            (with(b"\r\n", zip), Some("ZIP archive")),
            (with(b"\xef\xbb\xbf", zip), Some("ZIP archive")),
            (with(b"\xff\xfe\n", zip), Some("ZIP archive")),
            (b"\x1f\x8b\x08".to_vec(), Some("gzip file")),
            (b"BZh91AY&SY".to_vec(), Some("bzip2 file")),
            (tar, Some("tar archive")),
            (old_tar(), Some("tar archive")),
            (with(b"\n", &old_tar()), Some("tar archive")),
            (altered, None),
            (vec![0; 600], None),
            (vec![b' '; 600], None),
            (with(&newc, b"order.edi\0ISA*00*"), Some("cpio archive")),
            (with(b"070702", &newc[6..]), Some("cpio archive")),
            (with(&odc, b"order.edi\0ISA*00*"), Some("cpio archive")),
            (with(&in_bytes, b"a.edi\0ISA*"), Some("cpio archive")),
            (with(&in_bytes, b"a.edi ISA*"), None),
            (with(b"\xc7\x71 order of today\n", isa), None),
            (with(b"070701 is our number\n", isa), None),
            (
                b"!<arch>\norder.edi/ 0 0 0 644".to_vec(),
                Some("ar archive"),
            ),
            (unpacks.clone(), Some("ZIP archive that unpacks itself")),
            (noted, Some("ZIP archive that unpacks itself")),
            (with(&unpacks, b"more"), None),
            (with(b"MZ Trading sends:\n", isa), None),
            (isa.to_vec(), None),
            (with(b"Orders of today, PK\x03\x04\n", isa), None),
            (with(b"\xef\xbb\xbf\r\n", isa), None),
            (b"BZh, said the clerk".to_vec(), None),
            (b"PKG".to_vec(), None),
            (b"MZ".to_vec(), None),
            (Vec::new(), None),
        ];
        for (file, wanted) in table {
            let (found, mut again) = opened(file.as_slice()).unwrap();
            let mut whole = Vec::new();
            again.read_to_end(&mut whole).unwrap();
            assert_eq!(found, wanted, "{}", file.escape_ascii());
            assert_eq!(whole, file);
        }
    }
}
