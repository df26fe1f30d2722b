//! The promises of the spool, one file per question.

#![allow(clippy::expect_used, reason = "a test stops where its ground is missing")]

mod basics;
mod kill;
mod known_errors;
mod limits;
mod random;
mod restart;
mod scene;
mod twin;
