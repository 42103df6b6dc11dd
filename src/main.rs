//! The one binary: wires the command line to the rooms of the library.

fn main() -> std::process::ExitCode {
    supercargo::cli::run()
}
