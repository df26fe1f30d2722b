//! The exported format: event types, NDJSON, schema.
//!
//! # Conventions
//! - The types of [`v1`] are the law. [`Recorder`] writes the same bytes faster; tests hold it to
//!   them.
//! - A field may be added in a minor version, an event type and a word too; nothing is ever
//!   removed, renamed or given another meaning within a major version. Readers ignore what they
//!   do not know.
//! - A key that is absent says that there is no such thing. What exists but is not known is absent
//!   too, and named with the reason under `unknown` (a field) or `missing` (a process). There is
//!   no null, no empty string and no 0 that stands for not knowing.
//! - Nothing here reads a file, a clock or the network, and writing an event cannot fail.
//!
//! # How a version is added
//! A minor version: add the fields to the types with `#[schemars(extend("x-since" = "1.1"))]`, raise
//! [`v1::SCHEMA_VERSION`], write them in the recorder, regenerate with `UPDATE=1 cargo test -p
//! forebear-events`, and add lines of the released version to `schema/history/`, where every line
//! must be readable for ever.
//! A major version: a new module beside [`v1`], which stays.

#![forbid(unsafe_code)]

mod assemble;
pub mod bytes;
mod cache;
pub mod ddl;
pub mod fields;
pub mod ndjson;
pub mod pretty;
mod recorder;
pub mod samples;
pub mod schema;
pub mod v1;
mod vocabulary;
mod write;

pub use recorder::{AgentReport, Host, Names, Recorder, Run};
pub use v1::{Mode, Reason, SensorDetails, SensorKind};
