//! Prints every event of a file: `cargo run --example events -- FILE…`.

use supercargo_x12::{Event, Reader};

fn main() -> std::io::Result<()> {
    for path in std::env::args().skip(1) {
        println!("== {path}");
        let mut reader = Reader::new(std::fs::File::open(&path)?);
        while let Some(event) = reader.next()? {
            match event {
                Event::Set(set) => {
                    println!(
                        "  set {} {} at {}: {} segments",
                        set.code(),
                        set.control_number(),
                        set.offset(),
                        set.len()
                    );
                    for segment in set.segments() {
                        println!("    {:4} {segment:?}", segment.index());
                    }
                    for finding in set.findings() {
                        println!("    ! {finding}");
                    }
                }
                Event::GroupClosed(group) => {
                    group.findings.iter().for_each(|f| println!("  ! {f}"))
                }
                Event::InterchangeClosed(closed) => {
                    println!(
                        "  closed: {} groups, {} sets, {} segments, IEA {}",
                        closed.groups, closed.sets, closed.segments, closed.iea_seen
                    );
                    closed.findings.iter().for_each(|f| println!("  ! {f}"));
                }
                other => println!("  {other:?}"),
            }
        }
    }
    Ok(())
}
