//! The hot loop: where the separators are.
//!
//! A block of 64 bytes becomes bit masks (one comparison for 16 bytes), and the set bits become
//! positions. Nothing here knows what a segment means. AVX2 is used where the processor has it, SSE2
//! on every other x86-64, elsewhere the portable comparison; all give the same bits (tested below).
//! The only `unsafe` of the crate are the two calls into these comparisons.

/// Where the elements and segments of a stretch of bytes end.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Marks {
    /// Positions of element separators and segment terminators, ascending.
    pub ends: Vec<u32>,
    /// Those of `ends` that are terminators, as indexes into `ends`.
    pub terminators: Vec<u32>,
}

impl Marks {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.ends.clear();
        self.terminators.clear();
    }
}

/// The two separators that the loop looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Separators {
    /// Between elements.
    pub element: u8,
    /// After segments.
    pub terminator: u8,
}

/// Adds the marks of `bytes[from..]` to `marks`. Says whether a CR or LF stands anywhere, and
/// whether elsewhere than directly behind a terminator; `after_terminator` tells whether
/// the byte before `from` is a terminator. A separator is never such a line break.
pub fn scan(
    bytes: &[u8],
    from: usize,
    separators: Separators,
    after_terminator: bool,
    marks: &mut Marks,
) -> Breaks {
    let Some(rest) = bytes.get(from..) else {
        return Breaks::None;
    };
    let follows = if after_terminator {
        Follow::TERMINATOR
    } else {
        Follow::NOTHING
    };
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("bmi1")
        && std::arch::is_x86_feature_detected!("popcnt")
    {
        // SAFETY: the processor was just asked for all three features that the function needs; it
        // touches memory through slices only.
        #[allow(unsafe_code)]
        unsafe {
            return scan_avx2(rest, from, separators, follows, marks);
        }
    }
    run(rest, from, separators, follows, marks, |block| {
        masks(block, separators)
    })
}

/// The line breaks that stand in a stretch of bytes and are no separators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaks {
    /// None.
    None,
    /// Only as line ends directly behind a terminator.
    LineEnds,
    /// Elsewhere too.
    Inside,
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,popcnt")]
fn scan_avx2(
    rest: &[u8],
    from: usize,
    separators: Separators,
    follows: Follow,
    marks: &mut Marks,
) -> Breaks {
    run(rest, from, separators, follows, marks, |block| {
        masks_avx2(block, separators)
    })
}

#[inline(always)]
fn run(
    rest: &[u8],
    from: usize,
    separators: Separators,
    mut follows: Follow,
    marks: &mut Marks,
    masks: impl Fn(&[u8; 64]) -> Masks,
) -> Breaks {
    let mut base = from as u32;
    let (mut broken, mut any) = (false, false);
    let (blocks, tail) = rest.as_chunks::<64>();
    marks.ends.reserve(rest.len() / 4 + 64);
    for block in blocks {
        let masks = masks(block);
        emit(&masks, base, marks);
        any |= masks.breaks != 0;
        broken |= follows.step(&masks);
        base += 64;
    }
    if !tail.is_empty() {
        // A padding byte that is neither a separator nor a line break.
        let meant = [separators.element, separators.terminator, b'\r', b'\n'];
        let filler = (0u8..5).find(|byte| !meant.contains(byte)).unwrap_or(0);
        let mut block = [filler; 64];
        block[..tail.len()].copy_from_slice(tail);
        let masks = masks(&block);
        emit(&masks, base, marks);
        any |= masks.breaks != 0;
        broken |= follows.step(&masks);
    }
    match (broken, any) {
        (true, _) => Breaks::Inside,
        (false, true) => Breaks::LineEnds,
        (false, false) => Breaks::None,
    }
}

/// What the masks of the block before end with.
#[derive(Clone, Copy)]
struct Follow {
    /// The last byte was a terminator.
    terminator: u64,
    /// The last byte was the first byte of a line end behind a terminator.
    line_end: u64,
}

impl Follow {
    const NOTHING: Follow = Follow {
        terminator: 0,
        line_end: 0,
    };
    const TERMINATOR: Follow = Follow {
        terminator: 1,
        line_end: 0,
    };

    /// Takes one block; whether it holds a line break that is not a line end behind a terminator.
    fn step(&mut self, masks: &Masks) -> bool {
        let mut broken = false;
        let mut first = 0;
        if masks.breaks != 0 {
            first = masks.breaks & (masks.terminators << 1 | self.terminator);
            let second = masks.breaks & (first << 1 | self.line_end);
            broken = masks.breaks & !(first | second) != 0;
        }
        self.terminator = masks.terminators >> 63;
        self.line_end = first >> 63;
        broken
    }
}

/// One bit for each byte of a block of 64, the first byte lowest.
struct Masks {
    /// Element separators and terminators.
    any: u64,
    terminators: u64,
    /// CR and LF that are no separators.
    breaks: u64,
}

#[inline(always)]
fn emit(masks: &Masks, base: u32, marks: &mut Marks) {
    let before = marks.ends.len() as u32;
    let count = masks.any.count_ones() as usize;
    let mut bits = masks.any;
    // Sixteen at once without asking how many: what is too much is not taken over.
    let mut found = [0u32; 16];
    for slot in &mut found {
        *slot = base.wrapping_add(bits.trailing_zeros());
        bits &= bits.wrapping_sub(1);
    }
    marks.ends.extend_from_slice(&found[..count.min(16)]);
    while bits != 0 {
        marks.ends.push(base + bits.trailing_zeros());
        bits &= bits - 1;
    }
    let mut terminators = masks.terminators;
    while terminators != 0 {
        let below = (terminators & terminators.wrapping_neg()) - 1;
        marks
            .terminators
            .push(before + (masks.any & below).count_ones());
        terminators &= terminators - 1;
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn masks_avx2(block: &[u8; 64], separators: Separators) -> Masks {
    use std::arch::x86_64::{
        _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set_epi64x,
        _mm256_set1_epi8,
    };
    let element = _mm256_set1_epi8(separators.element as i8);
    let terminator = _mm256_set1_epi8(separators.terminator as i8);
    let cr = _mm256_set1_epi8(b'\r' as i8);
    let lf = _mm256_set1_epi8(b'\n' as i8);
    let (mut elements, mut terminators, mut breaks) = (0u64, 0u64, 0u64);
    let (lanes, _) = block.as_chunks::<32>();
    for (lane, bytes) in lanes.iter().enumerate() {
        let (eights, _) = bytes.as_chunks::<8>();
        let [a, b, c, d] = [0, 1, 2, 3].map(|n| i64::from_le_bytes(eights[n]));
        let bytes = _mm256_set_epi64x(d, c, b, a);
        let shift = lane * 32;
        let bits = |mask| u64::from(_mm256_movemask_epi8(mask) as u32) << shift;
        elements |= bits(_mm256_cmpeq_epi8(bytes, element));
        terminators |= bits(_mm256_cmpeq_epi8(bytes, terminator));
        breaks |= bits(_mm256_or_si256(
            _mm256_cmpeq_epi8(bytes, cr),
            _mm256_cmpeq_epi8(bytes, lf),
        ));
    }
    let any = elements | terminators;
    Masks {
        any,
        terminators,
        breaks: breaks & !any,
    }
}

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[inline(always)]
fn masks(block: &[u8; 64], separators: Separators) -> Masks {
    // SAFETY: compiled only where SSE2 belongs to the target (every x86-64), which is all that the
    // function asks for; it takes and returns plain values and touches no pointer.
    #[allow(unsafe_code)]
    unsafe {
        masks_sse2(block, separators)
    }
}

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[target_feature(enable = "sse2")]
#[inline]
fn masks_sse2(block: &[u8; 64], separators: Separators) -> Masks {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };
    let element = _mm_set1_epi8(separators.element as i8);
    let terminator = _mm_set1_epi8(separators.terminator as i8);
    let cr = _mm_set1_epi8(b'\r' as i8);
    let lf = _mm_set1_epi8(b'\n' as i8);
    let (mut elements, mut terminators, mut breaks) = (0u64, 0u64, 0u64);
    let (lanes, _) = block.as_chunks::<16>();
    for (lane, sixteen) in lanes.iter().enumerate() {
        let (halves, _) = sixteen.as_chunks::<8>();
        let bytes = _mm_set_epi64x(i64::from_le_bytes(halves[1]), i64::from_le_bytes(halves[0]));
        let shift = lane * 16;
        elements |= u64::from(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, element)) as u16) << shift;
        terminators |=
            u64::from(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, terminator)) as u16) << shift;
        breaks |= u64::from(_mm_movemask_epi8(_mm_or_si128(
            _mm_cmpeq_epi8(bytes, cr),
            _mm_cmpeq_epi8(bytes, lf),
        )) as u16)
            << shift;
    }
    let any = elements | terminators;
    Masks {
        any,
        terminators,
        breaks: breaks & !any,
    }
}

#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
#[inline(always)]
fn masks(block: &[u8; 64], separators: Separators) -> Masks {
    portable_masks(block, separators)
}

#[cfg(any(test, not(all(target_arch = "x86_64", target_feature = "sse2"))))]
fn portable_masks(block: &[u8; 64], separators: Separators) -> Masks {
    let (mut elements, mut terminators, mut breaks) = (0u64, 0u64, 0u64);
    for (bit, byte) in block.iter().enumerate() {
        elements |= u64::from(*byte == separators.element) << bit;
        terminators |= u64::from(*byte == separators.terminator) << bit;
        breaks |= u64::from(*byte == b'\r' || *byte == b'\n') << bit;
    }
    let any = elements | terminators;
    Masks {
        any,
        terminators,
        breaks: breaks & !any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What `scan` must give, byte by byte.
    fn plain(bytes: &[u8], from: usize, separators: Separators, mut after: bool) -> (Marks, bool) {
        let (mut marks, mut broken, mut first) = (Marks::default(), false, false);
        for (i, byte) in bytes.iter().enumerate().skip(from) {
            let mut is_first = false;
            if *byte == separators.terminator {
                marks.terminators.push(marks.ends.len() as u32);
                marks.ends.push(i as u32);
            } else if *byte == separators.element {
                marks.ends.push(i as u32);
            } else if *byte == b'\r' || *byte == b'\n' {
                is_first = after;
                broken |= !after && !first;
            }
            after = *byte == separators.terminator;
            first = is_first;
        }
        (marks, broken)
    }

    proptest! {
        #[test]
        fn agrees_with_the_plain_loop(bytes in proptest::collection::vec(prop_oneof![Just(b'*'), Just(b'~'), Just(b'\n'), Just(b'\r'), any::<u8>()], 0..300),
                                      from in 0usize..80, element in prop_oneof![Just(b'*'), any::<u8>()], terminator in prop_oneof![Just(b'~'), Just(b'\n'), any::<u8>()], after: bool) {
            prop_assume!(element != terminator);
            let separators = Separators { element, terminator };
            let mut marks = Marks::default();
            let broken = scan(&bytes, from, separators, after, &mut marks);
            let (expected, inside) = plain(&bytes, from, separators, after);
            prop_assert_eq!(&marks, &expected);
            prop_assert_eq!(broken == Breaks::Inside, inside);
            let start = if after { Follow::TERMINATOR } else { Follow::NOTHING };
            for masks in [masks, portable_masks] {
                let mut marks = Marks::default();
                let rest = bytes.get(from..).unwrap_or_default();
                let again = run(rest, from, separators, start, &mut marks, |block| masks(block, separators));
                prop_assert_eq!(&marks, &expected);
                prop_assert!(again == broken || rest.is_empty());
            }
        }

        #[test]
        fn portable_masks_are_the_same(block in proptest::array::uniform32(any::<u8>()), element: u8, terminator: u8) {
            let mut bytes = [0u8; 64];
            bytes[..32].copy_from_slice(&block);
            bytes[32..].copy_from_slice(&block);
            let separators = Separators { element, terminator };
            let (a, b) = (masks(&bytes, separators), portable_masks(&bytes, separators));
            prop_assert_eq!((a.any, a.terminators, a.breaks), (b.any, b.terminators, b.breaks));
        }
    }
}
