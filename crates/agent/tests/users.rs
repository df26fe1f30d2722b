//! `forebear-agent users` as a program, on stores in folders of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "users/changes.rs"]
mod changes;
#[path = "users/enrolment.rs"]
mod enrolment;
#[path = "users/refusals.rs"]
mod refusals;
#[path = "users/stage.rs"]
mod stage;
