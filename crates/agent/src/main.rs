//! The door: arguments in, exit code out. Everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    forebear_agent::main(std::env::args_os()).into()
}
