//! Any bytes as a SEF file: whatever overlay comes out can be judged by, and its places can be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use supercargo_x12::{Delimiters, Release, Rule, SchemaRegistry, import_sef, read_set, validate_set};

const ORDER: &str = "ST*850*0001~BEG*00*SA*4711**20260115~REF*DP*045~N1*ST*STORE*92*12~N3*1 MAIN~PO1*1*12*EA*8.5**UP*012345678905~PID*F****HINGE~N1*MK*A*92*1~CTT*1~SE*10*0001~";

fuzz_target!(|bytes: &[u8]| {
    let Ok(guide) = import_sef(bytes) else { return };
    let Ok(set) = read_set(ORDER.as_bytes(), &Delimiters::default(), 0) else { return };
    for one in &guide.sets {
        let findings = validate_set(SchemaRegistry::standard(), Release::R004010, &set, Some(&one.overlay));
        assert!(findings.iter().all(|finding| finding.rule != Rule::GuideUnusable), "{findings:?}");
    }
});
