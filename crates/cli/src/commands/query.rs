//! `query`: asks recordings in CQL or SQL.

use anyhow::Result;
use forebear_engine::{Ask, Question, sql};

use crate::args::{QueryArgs, RowFormat};
use crate::asking::Asking;
use crate::exit::Exit;
use crate::printer;

/// Asks, and prints the answer.
///
/// # Errors
/// What is wrong with the query or a place.
pub fn run(args: &QueryArgs) -> Result<Exit> {
    let mut asking = Asking::open(&args.places)?;
    if let Some(path) = &args.macros {
        asking.load_macros(path)?;
    }
    let cql = (!args.sql).then_some(args.query.as_str());
    let within = asking.within(cql, &args.places)?;
    let is_ndjson = match args.format {
        Some(format) => format == RowFormat::Ndjson,
        None => !std::io::IsTerminal::is_terminal(&std::io::stdout()),
    };
    let ask = match args.sql {
        true => Ask::Sql(&args.query),
        false if is_ndjson => Ask::Lines,
        false if args.format == Some(RowFormat::Parquet) => Ask::Columns,
        false => Ask::Overview,
    };
    let question = Question { ask, within: within.as_ref(), limit: args.limit };
    if args.count {
        return asking.count(&question);
    }
    if args.explain {
        let plan = asking.explain(&question)?;
        let as_sql = within
            .as_ref()
            .filter(|_| !args.sql)
            .map(|query| format!("SELECT line FROM events WHERE {}\n\n", sql::condition(query)));
        printer::print(&(as_sql.unwrap_or_default() + &plan))?;
        return Ok(Exit::Done);
    }
    asking.print(&question, args.format)
}
