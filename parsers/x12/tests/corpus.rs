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

#[test]
fn any_chunking_gives_the_same() {
    let Some(folder) = corpus() else { return };
    for (n, row) in rows(&folder).into_iter().enumerate() {
        let (whole, _) = transcript(&row.bytes[..]);
        let small = row.bytes.len() < 20_000;
        for sizes in [
            vec![if small { 1 } else { 97 }],
            vec![n % 61 + 3, 1, 700],
            vec![4096, 13],
        ] {
            let (pieces, bytes) = transcript(Pieces {
                bytes: &row.bytes,
                sizes: sizes.clone(),
                turn: 0,
            });
            assert!(bytes == row.bytes, "{} in pieces of {sizes:?}", row.file);
            for (a, b) in whole.iter().zip(&pieces) {
                assert_eq!(a, b, "{} in pieces of {sizes:?}", row.file);
            }
            assert_eq!(whole.len(), pieces.len(), "{}", row.file);
        }
    }
}
