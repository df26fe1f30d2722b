//! What happens on a host, one file for each sort of activity.
//!
//! A scene is short and goes from its beginning to its end; what lasts (a login, a running
//! service) is kept by who calls it.

pub(crate) mod build;
pub(crate) mod container;
pub(crate) mod intruder;
pub(crate) mod login;
pub(crate) mod routine;
pub(crate) mod services;
pub(crate) mod typed;

/// Nanoseconds of a millisecond.
pub(crate) const MS: u64 = 1_000_000;
