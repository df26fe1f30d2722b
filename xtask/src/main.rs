//! The door of the repository's own tasks: `cargo xtask TASK`.
//!
//! Nothing here is part of the product, no crate may depend on it, and it depends on none of the
//! product's crates: it runs their built programs and reads what they print.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to a person")]

mod bench;
mod ci;
mod codegen;
mod command;
mod dist;
mod tidy;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "\
The repository's own tasks.

Usage: cargo xtask TASK

Tasks:
  ci                 everything that must be green: format, lints, docs, generated files,
                     the repository's rules, tests; stops at the first red
  codegen [--check]  writes schema/, docs/reference/, man/ and completions/ from the programs;
                     with --check only compares
  tidy               the repository's rules that no compiler knows
  dist [--check]     builds the Debian package from release builds; with --check builds one from
                     what CI has built, installs it into a folder, upgrades, removes and purges it
  bench NAME|all     one row of docs/benchmarks.md; `cargo xtask bench` lists the names";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["ci"] => ci::run(),
        ["codegen"] => codegen::run(codegen::Mode::Write),
        ["codegen", "--check"] => codegen::run(codegen::Mode::Check),
        ["tidy"] => tidy::run(),
        ["dist"] => dist::run(),
        ["dist", "--check"] => dist::check(),
        ["bench", rest @ ..] => bench::run(rest),
        ["help" | "-h" | "--help"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
