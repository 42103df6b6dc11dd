//! One transaction set read again from bytes that were stored.

use super::seen::ControlNumbers;
use super::{Event, OpenGroup, OpenInterchange, Reader};
use crate::delimiters::Delimiters;
use crate::envelope::GroupHeader;
use crate::header::IsaHeader;
use crate::limits::Limits;
use crate::set::TransactionSet;

/// The bytes do not begin with a transaction set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no transaction set begins at byte {offset}: there must be an ST segment with the separators of its interchange; was the place of the set stored with another file?"
)]
pub struct NotASet {
    /// Where one was expected.
    pub offset: u64,
}

/// Reads the one set that `bytes` begin with, ST to SE. The separators are those that its ISA
/// declared; `offset` is the place of the first byte in the file, from which findings count.
///
/// It is read exactly as the first time, findings of ST and SE included, with three exceptions:
/// its ordinals are 0, lines count from its own first one, and a control number used twice in the
/// group is not seen. What follows the SE is not looked at.
///
/// # Errors
/// Where no ST segment stands at the beginning.
pub fn read_set(
    bytes: &[u8],
    delimiters: &Delimiters,
    offset: u64,
) -> Result<TransactionSet, NotASet> {
    read_set_with_limits(bytes, delimiters, offset, Limits::default())
}

/// [`read_set`] within the limits that the file was read with the first time.
///
/// # Errors
/// Where no ST segment stands at the beginning.
pub fn read_set_with_limits(
    bytes: &[u8],
    delimiters: &Delimiters,
    offset: u64,
    limits: Limits,
) -> Result<TransactionSet, NotASet> {
    let mut reader = Reader::with_limits(bytes, limits);
    reader.window.begin_at(offset);
    // The separators are known although no ISA was read: fill the window and go on as if it was.
    let filled = reader.window.more();
    reader.window.enter(*delimiters);
    let header = IsaHeader {
        delimiters: *delimiters,
        ..IsaHeader::default()
    };
    reader.interchange = Some(OpenInterchange {
        header,
        findings: Vec::new(),
        groups: 1,
        sets: 0,
        ta1s: 0,
        segments: 0,
        group_numbers: ControlNumbers::default(),
        stray_reported: false,
        breaks_reported: false,
    });
    reader.group = Some(OpenGroup {
        header: GroupHeader::default(),
        findings: Vec::new(),
        sets: 0,
        functional_id: (0, 0),
        foreign_sets: 0,
        numbers: ControlNumbers::default(),
        stray_reported: false,
        abandoned: false,
    });
    let is_set = filled.is_ok()
        && loop {
            match reader.next() {
                Ok(Some(Event::Set(_))) => break true,
                // Blanks before the ST.
                Ok(Some(Event::Outside(_))) => {}
                _ => break false,
            }
        };
    if !is_set {
        return Err(NotASet { offset });
    }
    let mut set = reader.set;
    set.header.ordinal_in_group = 0;
    set.header.ordinal_in_interchange = 0;
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rule;

    #[test]
    fn a_stored_set_reads_as_the_first_time() {
        let file = b"ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000001*0*P*>~\r\nGS*PO*BUYER*SELLER*20260115*1230*1*X*004010~\r\nST*850*0001~\r\nBEG*00*SA*4711**20260115~\r\nSE*4*0001~\r\nST*850*0002~\r\nBEG*00*SA*4712~\r\nSE*3*0002~\r\nGE*2*1~\r\nIEA*1*000000001~\r\n";
        let mut reader = Reader::new(&file[..]);
        let mut compared = 0;
        while let Some(event) = reader.next().unwrap() {
            let Event::Set(set) = event else { continue };
            let (from, length) = (set.offset() as usize, set.length() as usize);
            let again =
                read_set(&file[from..from + length], set.delimiters(), set.offset()).unwrap();
            assert_eq!(
                (
                    again.offset(),
                    again.length(),
                    again.raw(),
                    again.code(),
                    again.control_number()
                ),
                (
                    set.offset(),
                    set.length(),
                    set.raw(),
                    set.code(),
                    set.control_number()
                )
            );
            let plain = |set: &TransactionSet| {
                set.segments()
                    .map(|s| (s.offset(), s.text().to_owned()))
                    .collect::<Vec<_>>()
            };
            assert_eq!(plain(&again), plain(set));
            let rules = |set: &TransactionSet| {
                set.findings()
                    .iter()
                    .map(|f| (f.rule, f.offset))
                    .collect::<Vec<_>>()
            };
            assert_eq!(rules(&again), rules(set));
            compared += 1;
        }
        assert_eq!(compared, 2);
    }

    #[test]
    fn bytes_without_a_set_are_refused() {
        for bytes in [&b""[..], b"GE*1*1~", b"ISA*00*", b"garbage", b"   "] {
            assert_eq!(
                read_set(bytes, &Delimiters::default(), 7).unwrap_err(),
                NotASet { offset: 7 }
            );
        }
        let cut = read_set(b"ST*850*0001~BEG*00~", &Delimiters::default(), 100).unwrap();
        assert_eq!(
            (
                cut.is_complete(),
                cut.findings()[0].rule,
                cut.findings()[0].offset
            ),
            (false, Rule::SeMissing, 119)
        );
    }
}
