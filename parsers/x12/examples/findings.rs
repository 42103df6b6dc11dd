//! Prints every finding of files, and their 997s: `cargo run --example findings -- FILE…`.

use supercargo_x12::{
    AckOptions, Event, GroupVerdict, InterchangeVerdict, Reader, Release, SchemaRegistry,
    SetVerdict, build_997, build_ta1, validate_set,
};

fn main() -> std::io::Result<()> {
    let registry = SchemaRegistry::standard();
    for path in std::env::args().skip(1) {
        let mut reader = Reader::new(std::fs::File::open(&path)?);
        let mut group: Option<GroupVerdict> = None;
        println!("== {path}");
        while let Some(event) = reader.next()? {
            match event {
                Event::GroupOpened(header) => group = Some(GroupVerdict::open(header)),
                Event::Set(set) => {
                    let release = group
                        .as_ref()
                        .and_then(|g| Release::of_version(&g.version))
                        .unwrap_or(Release::R004010);
                    let verdict = SetVerdict::of(set, validate_set(registry, release, set, None));
                    println!(
                        "  {} {} {}",
                        verdict.st01,
                        verdict.st02,
                        verdict.acceptance.code()
                    );
                    verdict.findings.iter().for_each(|f| println!("    {f}"));
                    if let Some(group) = &mut group {
                        group.add(verdict);
                    }
                }
                Event::GroupClosed(closed) => {
                    closed.findings.iter().for_each(|f| println!("  {f}"));
                    if let Some(mut group) = group.take() {
                        group.close(&closed);
                        for segment in build_997(&group, &AckOptions::default())
                            .iter()
                            .flat_map(|set| &set.segments)
                        {
                            println!(
                                "  > {} {:?}",
                                segment.id,
                                segment
                                    .elements
                                    .iter()
                                    .map(|e| e.values().join(":"))
                                    .collect::<Vec<_>>()
                            );
                        }
                    }
                }
                Event::InterchangeClosed(closed) => {
                    closed.findings.iter().for_each(|f| println!("  {f}"));
                    let verdict = InterchangeVerdict::of(&closed);
                    println!("  > {:?}", build_ta1(&verdict));
                }
                Event::NoInterchange(finding) => println!("  {finding}"),
                Event::Outside(outside) => outside.finding.iter().for_each(|f| println!("  {f}")),
                _ => {}
            }
        }
    }
    Ok(())
}
