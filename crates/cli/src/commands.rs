//! The subcommands, one file each.

pub mod reference;
pub mod replay;
pub mod schema;
pub mod verify;
