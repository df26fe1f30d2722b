//! The rules of the process model, shown on a simulated machine.

#![allow(clippy::expect_used, reason = "a test stops where its ground is missing")]

mod builtins;
mod containers;
mod identity;
mod logins;
mod losses;
mod persons;
mod properties;
mod snapshots;
mod traces;
mod typed;
mod world;
