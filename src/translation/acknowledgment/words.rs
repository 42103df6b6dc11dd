//! The codes of acknowledgments, in words that say what to do.

/// AK304 or IK304.
pub fn segment(code: &str) -> &'static str {
    match code {
        "1" => "the partner does not know this segment; leave it out",
        "2" => "the segment stands where the partner expects none; leave it out or move it",
        "3" => "the partner demands this segment and it is missing; add it",
        "4" => "the loop repeats more often than the partner allows; send fewer",
        "5" => "the segment repeats more often than the partner allows; send fewer",
        "6" => "the segment does not belong to this document; leave it out",
        "7" => {
            "the segment stands in the wrong place; look at the order of segments in the partner's guide"
        }
        "8" => "elements of the segment are in error",
        "I4" => "the partner's guide has no use for this segment; leave it out",
        "I6" => "the partner's guide demands this segment because of another one; add it",
        "I7" => "the loop repeats less often than the partner's guide demands; send more",
        "I8" => "the segment repeats less often than the partner's guide demands; send more",
        "I9" => "the partner's guide forbids this segment beside another one; leave it out",
        _ => "the partner found a fault that has no common meaning; ask what is meant",
    }
}

/// AK403 or IK403.
pub fn element(code: &str) -> &'static str {
    match code {
        "1" => "a value is mandatory here and it is missing; fill it in",
        "2" => "a value is demanded by another element and it is missing; fill it in",
        "3" => "the segment has more elements than it may; leave the last ones out",
        "4" => "the value is too short; write it in full",
        "5" => "the value is too long; shorten it",
        "6" => {
            "the value holds a character that its type or the agreed set does not allow; take it out"
        }
        "7" => "the value is not among the codes that the partner accepts; use one of the guide's",
        "8" => "the value is no date of the form expected; write CCYYMMDD",
        "9" => "the value is no time of the form expected; write HHMM",
        "10" => "two values exclude each other; leave one out",
        "12" => "the value repeats too often; send fewer",
        "13" => "the composite has too many components; leave the last ones out",
        "I6" => "the value is not among the codes of the partner's guide; use one of them",
        "I9" => "the partner's guide demands a value here because of another one; fill it in",
        "I10" => "the partner's guide has no use for this value; leave it out",
        "I11" => "the value repeats less often than the guide demands; send more",
        "I12" => "the value does not have the form that the guide demands",
        "I13" => "the value is not the one that the guide fixes",
        _ => "the partner found a fault that has no common meaning; ask what is meant",
    }
}

/// AK502 to AK506, or IK502 to IK506.
pub fn set(code: &str) -> &'static str {
    match code {
        "1" => {
            "the partner does not take this kind of document; ask, and take it out of the profile's `documents.send`"
        }
        "2" => "its end (SE) is missing; send it again",
        "3" => "the control numbers in ST and SE differ; send it again",
        "4" => "the number of segments (SE01) is wrong; send it again",
        "5" => "segments are in error",
        "6" => "the kind of document (ST01) is missing or wrong",
        "7" => {
            "the control number (ST02) is missing, wrong or used before; send it again under a new one"
        }
        "23" => {
            "the control number (ST02) was used before in the group; send it again under a new one"
        }
        "I5" => "the partner's guide is violated in segments named here",
        "I6" => "the partner's guide is not one that it knows (ST03); look at the agreed release",
        _ => "the partner found a fault that has no common meaning; ask what is meant",
    }
}

/// AK905 to AK909.
pub fn group(code: &str) -> &'static str {
    match code {
        "1" => {
            "the partner does not take this kind of group (GS01); ask, and take the document out of the profile"
        }
        "2" => {
            "the partner does not take this release (GS08); set `envelope.release`, or the one of this document in `envelope.releases`"
        }
        "3" => "the end of the group (GE) is missing; send it again",
        "4" => "the control numbers in GS and GE differ; send it again",
        "5" => "the number of documents (GE01) is wrong; send it again",
        "6" | "19" => {
            "the group's control number (GS06) is wrong or was used before; send it again under a new one"
        }
        _ => "the partner found a fault that has no common meaning; ask what is meant",
    }
}

/// TA105.
pub fn interchange(code: &str) -> &'static str {
    match code {
        "000" => "no error",
        "001" => "the control numbers in ISA and IEA differ",
        "002" => "the standard (ISA11) is not one it knows",
        "003" => {
            "the version of the envelope (ISA12) is not one it takes: set `envelope.isa_version`"
        }
        "004" => "the segment terminator is wrong: set `envelope.terminator`",
        "005" => "the qualifier of our address (ISA05) is wrong: set `us.qualifier`",
        "006" => {
            "our address (ISA06) is not one it knows: set `us.id`, or have the partner set us up"
        }
        "007" => "the qualifier of its own address (ISA07) is wrong: set `address.qualifier`",
        "008" => "its own address (ISA08) is wrong: set `address.id`",
        "009" => "the receiver (ISA08) is not one it knows: set `address.id`",
        "010" | "011" => "the authorization information (ISA01, ISA02) is wrong",
        "012" | "013" => "the security information (ISA03, ISA04) is wrong",
        "014" => "the date (ISA09) is wrong: look at the gateway's clock",
        "015" => "the time (ISA10) is wrong: look at the gateway's clock",
        "016" => "the standards identifier (ISA11) is wrong",
        "017" => "the version (ISA12) is wrong: set `envelope.isa_version`",
        "018" => "the control number (ISA13) is wrong",
        "019" => "the request for a TA1 (ISA14) is wrong",
        "020" => {
            "test or production (ISA15) is not what it expects of us: ask for which we are set up"
        }
        "021" => "the number of groups (IEA01) is wrong",
        "022" => "the envelope's structure is wrong",
        "023" => "the file ended too early: it may have been fetched before it was complete",
        "024" => "a group or segment within the interchange is wrong",
        "025" => "the control number (ISA13) was used before",
        "026" => "the element separator is wrong: set `envelope.element`",
        "027" => "the component separator is wrong: set `envelope.component`",
        "028" | "029" | "030" | "031" => "its service for deferred delivery refused it",
        _ => "a fault that has no common meaning; ask what is meant",
    }
}
