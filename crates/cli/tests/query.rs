//! `forebear query`, `sessions`, `tree` and `compact` as a program: what is printed, what is said, and how it
//! ends.
//!
//! What the engine finds is tested where it is (`forebear-engine`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "query/bucket.rs"]
mod bucket;
#[path = "query/compact.rs"]
mod compact;
#[path = "query/files.rs"]
mod files;
#[path = "query/macros.rs"]
mod macros;
#[path = "support/program.rs"]
mod program;
#[path = "query/samples.rs"]
mod samples;
#[path = "query/servers.rs"]
mod servers;
