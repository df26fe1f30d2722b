//! Small C programs in `deeds/` that do what no everyday program does, compiled when a test needs
//! them.
//!
//! They are in C because each is one or two system calls that safe Rust does not offer (fork,
//! vfork, clone), and compiled by the compiler that also builds the sensor's probes, so no further
//! package is needed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::account::run;

/// Compiles the deed of this name into `folder` and gives the program's path; it is called as its
/// source.
#[track_caller]
pub fn build(name: &str, folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("deeds").join(name);
    let program = folder.join(name);
    let mut clang = Command::new("clang");
    clang.args(["-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-o"]);
    run(clang.arg(&program).arg(source.with_extension("c")), "compile a deed");
    program
}
