//! Everything that must be green before a change lands, in one command.
//!
//! Each step prints one line; the first red one stops the run and the error names the command that
//! repeats it. The tests come last, so that the runner's own count closes the output.
//! nextest does not run documentation tests, so they are a step of their own.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};

use crate::codegen;
use crate::command::{run_openly, run_quietly};
use crate::dist;
use crate::tidy;
use crate::workspace::{self, cargo};

/// With what the tests turn on, so that what the lints have checked of dependencies serves again;
/// the SQL engine alone takes minutes.
const DOC: [&str; 6] = [
    "doc",
    "--locked",
    "--workspace",
    "--no-deps",
    "--features",
    "forebear-testkit/bucket,forebear-testkit/mount",
];

/// Without the engine and what is above it, which have none: with fewer packages there are fewer
/// features, and the engine would be built anew for them.
const DOC_TESTS: [&str; 8] = [
    "test",
    "--locked",
    "--workspace",
    "--doc",
    "--exclude",
    "forebear-engine",
    "--exclude",
    "forebear",
];

/// Runs every step.
pub(crate) fn run() -> Result<()> {
    step("format", "cargo fmt --all", || run_quietly(&mut cargo(&["fmt", "--all", "--check"])))?;
    step("tidy", "cargo xtask tidy", tidy::run)?;
    step("lints", "cargo clippy --workspace --all-targets -- -D warnings", || {
        run_quietly(&mut cargo(&[
            "clippy",
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    step("programs", &format!("cargo {}", workspace::BUILD_PROGRAMS.join(" ")), || {
        workspace::build_programs()
    })?;
    step("agent as shipped", "cargo build --release --package forebear-agent", || {
        run_quietly(&mut cargo(&["build", "--locked", "--release", "--package", "forebear-agent"]))
    })?;
    step("package", "cargo xtask dist --check", dist::check)?;
    step("generated files", "cargo xtask codegen --check", || codegen::run(codegen::Mode::Check))?;
    step("documentation", &format!("RUSTDOCFLAGS='-D warnings' cargo {}", DOC.join(" ")), || {
        run_quietly(cargo(&DOC).env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    step("documentation tests", &format!("cargo {}", DOC_TESTS.join(" ")), || {
        run_quietly(&mut cargo(&DOC_TESTS))
    })?;
    test()
}

/// One step: its name, then how it went and how long it took, on one line.
fn step(name: &str, repeat: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    print!("{name} ... ");
    std::io::stdout().flush().context("writing to standard output")?;
    let begun = Instant::now();
    let outcome = work();
    let verdict = if outcome.is_ok() { "ok" } else { "RED" };
    println!("{verdict} ({:.1} s)", begun.elapsed().as_secs_f64());
    outcome.with_context(|| format!("{name} is red; to repeat only this: {repeat}"))
}

/// The tests, by nextest where it is installed, else by cargo's own runner one test at a time,
/// because that runner knows no serial groups.
fn test() -> Result<()> {
    let nextest = Command::new("cargo-nextest")
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let words: &[&str] = if nextest {
        &["nextest", "run", "--locked", "--workspace", "--lib", "--bins", "--tests"]
    } else {
        &["test", "--locked", "--workspace", "--lib", "--bins", "--tests", "--"]
    };
    let mut command = cargo(words);
    if !nextest {
        command.args(["--test-threads", "1"]);
    }
    // The end-to-end tests take the agent as people get it, and would else build one each.
    command.env("FOREBEAR_AGENT", workspace::built("release")?.join("forebear-agent"));
    // The tool as it was built with the tests: alone its engine would be built anew, for minutes.
    command.env("FOREBEAR_TOOL", workspace::built("debug")?.join("forebear"));
    let repeat = format!("cargo {}", words.join(" "));
    println!("tests ...");
    run_openly(&mut command)
        .with_context(|| format!("tests are red; to repeat only this: {repeat}"))
}
