//! CQL and SQL over recordings: files, folders, buckets, standard input.
//!
//! # Conventions
//! - Async functions run on a tokio runtime with several threads, time and I/O.
//! - Nothing that is read is trusted: what is no event is counted, told in the [`Report`] and never
//!   fatal; what cannot be an answer by its name is not opened.
//! - Memory is bounded: by blocks and batches while reading, by [`Limits::memory`] where rows are
//!   gathered, and what does not fit goes to disk.
//! - CQL is answered by the evaluator of `forebear-query` on each line, before anything becomes a
//!   column; SQL by DataFusion over columns that are made of the lines that pass.
//!
//! Deliberately not here: terminals.

#![forbid(unsafe_code)]

mod bounds;
pub mod cells;
pub mod compact;
mod engine;
mod error;
mod functions;
mod lower;
pub mod parquet;
mod prune;
mod report;
mod scan;
mod schema;
mod source;
pub mod sql;
mod views;
pub mod zone;

pub use datafusion::arrow;
pub use engine::{Ask, Engine, Limits, Question, Rows};
pub use error::{Error, Kind, Result};
pub use report::{Damage, Report};
pub use scan::MAX_LINE;
pub use schema::{LINE, schema};
pub use source::{Place, Reach};
