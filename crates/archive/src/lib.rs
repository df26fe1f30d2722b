//! Events at rest in a bucket, both directions.
//!
//! # What is guaranteed about an object once it exists
//! - It holds the events of one batch of one run, all of one hour, under a name that is made of
//!   nothing but those events ([`layout`]).
//! - It is never overwritten and never written twice: it is put on the condition that the name is
//!   free, and an object that is there already is compared, not replaced ([`Archive::put_batch`]).
//! - Its name, its metadata and its [`Manifest`] say the same, and name the object before it, so
//!   that what is missing, altered, doubled or out of order can be found ([`Archive::verify`]).
//! - It stays readable: the layout and the manifest only ever grow.
//!
//! # Conventions
//! - Async functions run on a tokio runtime with time and I/O enabled, of any kind. Nothing here
//!   starts a thread of its own; files of a folder are read on the runtime's blocking threads.
//! - Memory and time are bounded: a line, an object, a manifest and a request have limits; an
//!   put holds one compressed object.
//! - No clock is read and nothing waits between attempts: [`Backoff`] says how long, the caller
//!   waits. A request has a deadline.
//! - Every [`Error`] has a [`Kind`] to branch on and a text for a person.
//!
//! Deliberately not here: where batches come from, and what the events mean.

#![forbid(unsafe_code)]

mod batch;
mod columns;
pub mod compress;
mod destination;
mod digest;
mod envelope;
mod environment;
mod error;
pub mod layout;
mod lines;
pub mod link;
mod manifest;
mod pack;
mod probe;
pub mod profile;
mod read;
mod retry;
mod store;
pub mod verify;
mod write;

pub use batch::{BatchLimits, OpenBatch, Reason};
pub use compress::Compression;
pub use destination::{Destination, Problem};
pub use digest::{Digest, NotADigest};
pub use envelope::Envelope;
pub use environment::Environment;
pub use error::{Cloud, Diagnosis, Error, Kind, Result, diagnose};
pub use layout::{BatchName, Hour, ObjectKey};
pub use lines::{Lines, ReadLimits};
pub use link::Link;
pub use manifest::{MANIFEST_VERSION, Manifest};
pub use pack::{Packed, Packer};
pub use probe::Probe;
pub use read::{Listed, Selection, StoredObject};
pub use retry::{Backoff, Next, Policy};
pub use store::{Access, Archive, Multipart};
pub use verify::{Report, VerifyOptions};
pub use write::{AT_ONCE, Outcome, Placed, Receipt};

/// For those who read a place as a whole ([`Archive::object_store`]), so that there is one version.
pub use object_store;
