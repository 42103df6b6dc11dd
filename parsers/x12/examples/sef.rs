//! Prints the overlays of SEF files as JSON: `cargo run -p supercargo-x12 --example sef -- FILE…`

fn main() {
    for path in std::env::args().skip(1) {
        match std::fs::read(&path).map(|bytes| supercargo_x12::import_sef(&bytes)) {
            Ok(Ok(guide)) => println!(
                "{}",
                serde_json::to_string_pretty(&guide).unwrap_or_default()
            ),
            Ok(Err(refused)) => eprintln!("{path}: {refused}"),
            Err(error) => eprintln!("{path}: {error}"),
        }
    }
}
