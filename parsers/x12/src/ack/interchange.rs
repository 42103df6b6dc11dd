//! The TA1 (rules 37 to 41).

use crate::verdict::InterchangeVerdict;
use crate::writer::{OutSegment, seg};

/// The TA1 segment for an interchange: ISA13, ISA09 and ISA10 as they stood, then the verdict.
/// What could not be repeated is all zeros. It goes into [`Envelope::ta1s`](crate::Envelope),
/// addressed back to the sender; whether one is due says
/// [`InterchangeVerdict::wants_ta1`](crate::InterchangeVerdict::wants_ta1).
pub fn build_ta1(verdict: &InterchangeVerdict) -> OutSegment {
    let isa = &verdict.header;
    let echo = |value: &str, width: usize| {
        let sound =
            (1..=width).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_alphanumeric());
        if sound {
            format!("{value:0>width$}")
        } else {
            "0".repeat(width)
        }
    };
    seg("TA1")
        .el(echo(&isa.control_number, 9))
        .el(echo(&isa.date, 6))
        .el(echo(&isa.time, 4))
        .el(verdict.acceptance.code())
        .el(&verdict.note)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, InterchangeVerdict, Reader};

    fn ta1_of(file: &str) -> String {
        let mut reader = Reader::new(file.as_bytes());
        while let Some(event) = reader.next().unwrap() {
            if let Event::InterchangeClosed(closed) = event {
                let mut out = Vec::new();
                build_ta1(&InterchangeVerdict::of(&closed))
                    .write(&crate::Delimiters::default(), &mut out);
                return String::from_utf8(out).unwrap();
            }
        }
        String::new()
    }

    const CLEAN: &str = "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260115*1230*U*00401*000000017*1*P*>~GS*PO*BUYER*SELLER*20260115*1230*1*X*004010~GE*0*1~IEA*1*000000017~";

    #[test]
    fn rule_037_an_accepted_interchange_has_note_000() {
        assert_eq!(ta1_of(CLEAN), "TA1*000000017*260115*1230*A*000~");
    }

    #[test]
    fn rule_039_and_040_each_fault_has_its_code() {
        for (from, to, answer) in [
            ("IEA*1*000000017", "IEA*1*000000018", "R*001"),
            ("IEA*1", "IEA*2", "R*021"),
            ("IEA*1*000000017~", "", "R*023"),
            ("*260115*1230*U", "*261315*1230*U", "R*014"),
            ("*260115*1230*U", "*260115*2460*U", "R*015"),
            ("*00401*", "*0040A*", "R*017"),
            ("*P*>", "*X*>", "E*020"),
            ("*1*P*>", "*2*P*>", "E*019"),
            ("*P*>", "* *>", "E*020"),
            ("*P*>~", "*P**~", "R*027"),
            ("*20260115*1230*1*X", "*2026*1230*1*X", "R*024"),
            ("~GS*", "~XX*", "R*022"),
        ] {
            let answered = ta1_of(&CLEAN.replace(from, to));
            assert!(
                answered.contains(&format!("*{answer}~")),
                "{from} -> {to}: {answered}"
            );
        }
    }

    #[test]
    fn rule_040_the_first_rejection_is_named_before_what_is_only_noted() {
        assert!(
            ta1_of(&CLEAN.replace("*P*>", "*X*>").replace("IEA*1", "IEA*2")).contains("*R*021~")
        );
    }
}
