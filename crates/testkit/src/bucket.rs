//! Buckets on loopback: servers that archives are written to and read from in tests.
//!
//! - [`S3`]: s3s in this process, over memory, checking signatures.
//! - [`Gcs`]: a look-alike of Cloud Storage's XML API, in memory, because no server that can be
//!   had speaks it as real clients do.
//! - [`Seaweed`]: a real SeaweedFS as a child process.
//! - [`Identity`]: where machines of the clouds get their credentials.
//!
//! All but SeaweedFS stand behind a door that can be told to misbehave ([`Faults`]), to vanish and to
//! come back at the same address ([`Door::down`], [`Door::up`]).
//!
//! Every server runs on a thread or process of its own, so that it serves tests with and without
//! an async runtime, and ends with its owner.

mod door;
mod faults;
mod gcs;
mod identity;
mod s3;
mod seaweed;
mod shelf;

pub use door::Door;
pub use faults::{Fault, Faults, When};
pub use gcs::Gcs;
pub use identity::Identity;
pub use s3::S3;
pub use seaweed::{SEAWEED, Seaweed};
pub use shelf::Kept;
