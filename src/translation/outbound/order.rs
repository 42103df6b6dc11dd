//! The order of segments within a part, so that a segment that a rule adds stands where the standard wants it.

use supercargo_x12::OutSegment;

use crate::config::profile::outbound::OutboundLevel;

/// Segments of the heading of an 855 in the standard's order; `+` joins those that stand together: an N1 with its address,
/// a note with its text. The other tables are alike.
const RESPONSE_HEADING: &str = "BAK CUR REF PER TAX FOB CTP PAM CSH SAC ITD DIS INC DTM LDT LIN SI PID MEA PWK PKG \
    TD1 TD5 TD3 TD4 MAN TXI N9+MSG+MTX N1+N2+N3+N4";
const RESPONSE_LINE: &str = "PO1 LIN SI CUR PO3 CTP PAM MEA PID PWK PO4 REF PER SAC IT8 CSH ITD DIS INC TAX FOB SDQ \
    IT3 DTM TD1 TD5 TD3 TD4 MAN MSG TXI QTY ACK SCH PKG N9 N1+N2+N3+N4";
const NOTICE_LEVEL: &str = "BSN HL LIN SN1 SLN PRF PO4 PID MEA PWK PKG TD1 TD5 TD3 TD4 TSD REF PER CLD MAN DTM FOB PAL \
    N1+N2+N3+N4 SDQ ETD CUR SAC";
const INVOICE_HEADING: &str = "BIG NTE CUR REF YNQ PER N1+N2+N3+N4 ITD DTM FOB PID MEA PWK PKG L7 BAL INC PAM LM \
    N9+MSG+MTX";
const INVOICE_LINE: &str = "IT1 CRC QTY CUR IT3 TXI CTP PAM MEA PID PWK PKG PO4 ITD REF YNQ PER SDQ DTM CAD L7 SR SAC \
    SLN N1+N2+N3+N4";
const INVOICE_SUMMARY: &str = "TDS TXI CAD AMT SAC ISS PID CTT";
const COUNT: &str = "CTT AMT";

/// The table of a level.
fn table(set: &str, level: OutboundLevel) -> &'static str {
    match (set, level) {
        ("855", OutboundLevel::Header) => RESPONSE_HEADING,
        ("855", OutboundLevel::Line) => RESPONSE_LINE,
        ("810", OutboundLevel::Header) => INVOICE_HEADING,
        ("810", OutboundLevel::Line) => INVOICE_LINE,
        ("810", OutboundLevel::Summary) => INVOICE_SUMMARY,
        ("855" | "856", OutboundLevel::Summary) => COUNT,
        ("856", _) => NOTICE_LEVEL,
        _ => "",
    }
}

/// Where in the part a segment is to be inserted: behind the last `after`, else where the standard wants it, else at
/// the end.
pub fn position(
    set: &str,
    level: OutboundLevel,
    segments: &[OutSegment],
    id: &str,
    after: &str,
) -> usize {
    if !after.is_empty()
        && let Some(last) = segments.iter().rposition(|segment| segment.id == after)
    {
        return last + 1;
    }
    let table = table(set, level);
    let rank = |id: &str| {
        table
            .split_whitespace()
            .position(|group| group.split('+').any(|known| known == id))
    };
    let Some(own) = rank(id) else {
        return segments
            .iter()
            .rposition(|segment| segment.id == id)
            .map_or(segments.len(), |last| last + 1);
    };
    segments
        .iter()
        .rposition(|segment| rank(&segment.id).is_some_and(|other| other <= own))
        .map_or(0, |last| last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use supercargo_x12::seg;

    #[test]
    fn added_segments_stand_where_the_standard_wants_them() {
        let header: Vec<OutSegment> = ["BIG", "REF", "N1", "N3", "N4", "N1", "N4", "ITD"]
            .map(seg)
            .into();
        let table = [
            ("REF", "", 2),
            ("CUR", "", 1),
            ("PER", "", 2),
            ("N1", "", 7),
            ("N3", "N1", 6),
            ("DTM", "", 8),
            ("FOB", "PER", 8),
            ("ZZZ", "", 8),
        ];
        for (id, after, at) in table {
            assert_eq!(
                position("810", OutboundLevel::Header, &header, id, after),
                at,
                "{id} after {after:?}"
            );
        }
    }
}
