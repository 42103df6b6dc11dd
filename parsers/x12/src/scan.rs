//! The hot loop: where the separators are.
//!
//! A block of 64 bytes becomes bit masks (one comparison for 16 bytes), and the set bits become
//! positions. Nothing here knows what a segment means. SSE2 belongs to every x86-64; elsewhere the
//! portable comparison is used, which gives the same bits (tested below). The one `unsafe` of the
//! crate is the call into the SSE2 comparison.

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

/// Adds the marks of `bytes[from..]` to `marks`. Returns whether a CR or LF stands anywhere but
/// directly behind a terminator (one CR, one LF or both), `after_terminator` telling whether
/// the byte before `from` is a terminator. A separator is never such a line break.
pub fn scan(
    bytes: &[u8],
    from: usize,
    separators: Separators,
    after_terminator: bool,
    marks: &mut Marks,
) -> bool {
    let Some(rest) = bytes.get(from..) else {
        return false;
    };
    let mut base = from as u32;
    let mut follows = if after_terminator {
        Follow::TERMINATOR
    } else {
        Follow::NOTHING
    };
    let mut broken = false;
    let (blocks, tail) = rest.as_chunks::<64>();
    marks.ends.reserve(rest.len() / 4);
    for block in blocks {
        let masks = masks(block, separators);
        emit(&masks, base, marks);
        broken |= follows.step(&masks);
        base += 64;
    }
    if !tail.is_empty() {
        // A padding byte that is neither a separator nor a line break.
        let filler = (0u8..=255)
            .find(|b| {
                *b != separators.element
                    && *b != separators.terminator
                    && *b != b'\r'
                    && *b != b'\n'
            })
            .unwrap_or(0);
        let mut block = [filler; 64];
        block[..tail.len()].copy_from_slice(tail);
        let masks = masks(&block, separators);
        emit(&masks, base, marks);
        broken |= follows.step(&masks);
    }
    broken
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
    let mut bits = masks.any;
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
            prop_assert_eq!((marks, broken), plain(&bytes, from, separators, after));
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
