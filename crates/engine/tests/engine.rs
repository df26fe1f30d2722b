//! Places in, rows out: what the engine finds, what it says about the rest, and that its ways to an
//! answer agree.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

#[path = "engine/agreement.rs"]
mod agreement;
#[path = "engine/columns.rs"]
mod columns;
#[path = "engine/compaction.rs"]
mod compaction;
#[path = "engine/damage.rs"]
mod damage;
#[path = "engine/places.rs"]
mod places;
#[path = "../../query/tests/cases/reader.rs"]
#[allow(dead_code, reason = "the language's own tests use more of it")]
mod reader;
#[path = "engine/shelf.rs"]
mod shelf;
#[path = "engine/sql.rs"]
mod sql;
