//! `forebear query`, `sessions` and `tree` as a program: what is printed, what is said, and how it
//! ends.
//!
//! What the engine finds is tested where it is (`forebear-engine`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "query/asked.rs"]
mod asked;
#[path = "query/bucket.rs"]
mod bucket;
#[path = "query/files.rs"]
mod files;
