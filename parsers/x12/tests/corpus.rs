//! Real files: nothing panics, nothing is lost, and what the index says is found.

mod support;

use support::{Pieces, corpus, rows, transcript};

#[test]
fn every_file_comes_back_byte_for_byte() {
    let Some(folder) = corpus() else { return };
    for row in rows(&folder) {
        let (_, bytes) = transcript(&row.bytes[..]);
        assert!(
            bytes == row.bytes,
            "{}: {} bytes in, {} bytes out",
            row.file,
            row.bytes.len(),
            bytes.len()
        );
    }
}

/// Numbers that look random and are the same in every run (splitmix64).
struct Numbers(u64);

impl Numbers {
    /// From 1 to this.
    fn up_to(&mut self, most: u64) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut n = self.0;
        n = (n ^ n >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        n = (n ^ n >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((n ^ n >> 31) % most) as usize + 1
    }
}

/// Bytes of a file that are read in all its rounds together; each file has three at least.
const READ_AT_LEAST: usize = 60_000;

#[test]
fn any_chunking_gives_the_same() {
    let Some(folder) = corpus() else { return };
    for (n, row) in (1..).zip(rows(&folder)) {
        let (whole, _) = transcript(&row.bytes[..]);
        let mut numbers = Numbers(n);
        let rounds = (READ_AT_LEAST / row.bytes.len().max(1)).clamp(3, 12);
        // The first round goes byte by byte.
        for round in 0..rounds {
            let most = match round {
                0 => 1,
                _ => [3, 40, 400, 9_000][numbers.up_to(4) - 1],
            };
            let sizes: Vec<usize> = (0..509).map(|_| numbers.up_to(most)).collect();
            let (pieces, bytes) = transcript(Pieces {
                bytes: &row.bytes,
                sizes,
                turn: 0,
            });
            let how = format!("{} in pieces of 1 to {most} bytes, round {round}", row.file);
            assert!(bytes == row.bytes, "{how}");
            for (a, b) in whole.iter().zip(&pieces) {
                assert_eq!(a, b, "{how}");
            }
            assert_eq!(whole.len(), pieces.len(), "{how}");
        }
    }
}
