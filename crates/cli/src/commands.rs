//! The subcommands, one file each.

pub mod compact;
pub mod query;
pub mod reference;
pub mod replay;
pub mod schema;
pub mod sessions;
pub mod tree;
pub mod verify;
