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
    pub ends: Positions,
    /// Those of `ends` that are terminators, as indexes into `ends`.
    pub terminators: Positions,
}

impl Marks {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.ends.clear();
        self.terminators.clear();
    }
}

/// Ascending numbers in memory that is cleared once and then written over and over: the hot loop
/// writes sixteen at a time without asking how many of them count.
#[derive(Default, Clone)]
pub struct Positions {
    all: Vec<u32>,
    used: usize,
}

impl Positions {
    /// Adds one.
    pub fn push(&mut self, position: u32) {
        if let Some(slot) = self.spare(1).first_mut() {
            *slot = position;
            self.used += 1;
        }
    }

    /// Forgets all but the first so many.
    pub fn truncate(&mut self, keep: usize) {
        self.used = self.used.min(keep);
    }

    /// Forgets the first so many.
    pub fn drop_first(&mut self, count: usize) {
        let count = count.min(self.used);
        self.all.copy_within(count..self.used, 0);
        self.used -= count;
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.used = 0;
    }

    /// The memory behind the last one: so many numbers at least.
    fn spare(&mut self, count: usize) -> &mut [u32] {
        if self.all.len() < self.used + count {
            self.all
                .resize((self.used + count).max(self.all.len() * 2), 0);
        }
        &mut self.all[self.used..]
    }
}

impl std::ops::Deref for Positions {
    type Target = [u32];

    #[inline]
    fn deref(&self) -> &[u32] {
        &self.all[..self.used]
    }
}

impl std::ops::DerefMut for Positions {
    fn deref_mut(&mut self) -> &mut [u32] {
        &mut self.all[..self.used]
    }
}

impl PartialEq for Positions {
    fn eq(&self, other: &Positions) -> bool {
        **self == **other
    }
}

impl Eq for Positions {}

impl std::fmt::Debug for Positions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
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

/// Bytes looked at in one go: their marks stay in the processor's nearest memory. A multiple of 64.
const PIECE: usize = 16 << 10;

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
    let rest = bytes.get(from..).unwrap_or_default();
    let mut follows = if after_terminator {
        Follow::TERMINATOR
    } else {
        Follow::NOTHING
    };
    let mut breaks = Breaks::None;
    for (n, piece) in rest.chunks(PIECE).enumerate() {
        let at = from + n * PIECE;
        breaks = breaks.max(scan_piece(piece, at, separators, &mut follows, marks));
    }
    breaks
}

fn scan_piece(
    piece: &[u8],
    at: usize,
    separators: Separators,
    follows: &mut Follow,
    marks: &mut Marks,
) -> Breaks {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("bmi1")
        && std::arch::is_x86_feature_detected!("popcnt")
    {
        // SAFETY: the processor was just asked for all three features that the function needs; it
        // touches memory through slices only.
        #[allow(unsafe_code)]
        unsafe {
            return scan_avx2(piece, at, separators, follows, marks);
        }
    }
    run(piece, at, separators, follows, marks, |block| {
        masks(block, separators)
    })
}

/// The line breaks that stand in a stretch of bytes and are no separators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    follows: &mut Follow,
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
    follows: &mut Follow,
    marks: &mut Marks,
    masks: impl Fn(&[u8; 64]) -> Masks,
) -> Breaks {
    let mut base = from as u32;
    let (mut broken, mut any) = (false, false);
    let (blocks, tail) = rest.as_chunks::<64>();
    let before = marks.ends.len();
    let mut out = Out {
        ends: marks.ends.spare(rest.len() + 128),
        count: 0,
        terminators: marks.terminators.spare(rest.len() + 128),
        terminator_count: 0,
        before: before as u32,
    };
    for block in blocks {
        let masks = masks(block);
        out.take(&masks, base);
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
        out.take(&masks, base);
        any |= masks.breaks != 0;
        broken |= follows.step(&masks);
    }
    let (count, terminators) = (out.count, out.terminator_count);
    marks.ends.used += count;
    marks.terminators.used += terminators;
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

/// Where the marks of one call are written: room for every byte to be one, and some more.
struct Out<'a> {
    ends: &'a mut [u32],
    count: usize,
    terminators: &'a mut [u32],
    terminator_count: usize,
    /// Marks that were there before.
    before: u32,
}

/// Slots that the marks of one block are written into.
const ROOM: usize = 64 + 8;

/// For each byte the places of its bits, lowest first.
static PLACES: [[u8; 8]; 256] = {
    let mut table = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut bit, mut count) = (0, 0);
        while bit < 8 {
            if byte >> bit & 1 == 1 {
                table[byte][count] = bit as u8;
                count += 1;
            }
            bit += 1;
        }
        byte += 1;
    }
    table
};

impl Out<'_> {
    /// Adds the marks of one block. So many at once as blocks commonly have, without asking how
    /// many there are: what is too much is written over by the next block.
    #[inline(always)]
    fn take(&mut self, masks: &Masks, base: u32) {
        let before = self.before + self.count as u32;
        let ends = self.ends.get_mut(self.count..).unwrap_or_default();
        if let Some(slots) = ends.first_chunk_mut::<ROOM>() {
            let mut count = 0;
            for (byte, from) in masks.any.to_le_bytes().into_iter().zip((0..64).step_by(8)) {
                let places = &PLACES[usize::from(byte)];
                let base = base.wrapping_add(from);
                if let Some(slots) = slots[count..].first_chunk_mut::<8>() {
                    for (slot, place) in slots.iter_mut().zip(places) {
                        *slot = base.wrapping_add(u32::from(*place));
                    }
                }
                count += byte.count_ones() as usize;
            }
            self.count += count;
        }
        let count = masks.terminators.count_ones() as usize;
        let terminators = self.terminators.get_mut(self.terminator_count..);
        if let Some((slots, rest)) = terminators.unwrap_or_default().split_first_chunk_mut::<4>() {
            let mut bits = masks.terminators;
            let mut next = || {
                let below = bits.wrapping_sub(1) & !bits;
                bits &= bits.wrapping_sub(1);
                before.wrapping_add((masks.any & below).count_ones())
            };
            for slot in slots {
                *slot = next();
            }
            for slot in rest.iter_mut().take(count.saturating_sub(4)) {
                *slot = next();
            }
        }
        self.terminator_count += count;
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
            for masks in [masks, portable_masks] {
                let mut start = if after { Follow::TERMINATOR } else { Follow::NOTHING };
                let mut marks = Marks::default();
                let rest = bytes.get(from..).unwrap_or_default();
                let again = run(rest, from, separators, &mut start, &mut marks, |block| masks(block, separators));
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
