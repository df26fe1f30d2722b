//! `sessions`: who came in, how, from where.

use anyhow::Result;
use forebear_engine::{Ask, Question};

use crate::args::SessionsArgs;
use crate::asking::Asking;
use crate::exit::Exit;

/// Lists the sessions.
///
/// # Errors
/// What is wrong with a place.
pub fn run(args: &SessionsArgs) -> Result<Exit> {
    let asking = Asking::open(&args.places)?;
    let within = asking.within(None, &args.places)?;
    let only = if args.all { "" } else { "WHERE kind = 'external'" };
    let sql = format!(
        "SELECT session, began, last_seen, host, coalesce(person, session_user) AS who, entry, \
         source_ip AS \"from\", typed, commands FROM sessions {only} ORDER BY began, session"
    );
    let question = Question { ask: Ask::Sql(&sql), within: within.as_ref(), limit: None };
    asking.print(&question, args.format)
}
