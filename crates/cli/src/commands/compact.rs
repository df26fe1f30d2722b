//! `compact`: makes columns of objects of lines.

use anyhow::Result;
use forebear_archive::{Access, Archive, Environment};
use forebear_engine::Limits;
use forebear_engine::compact::{Compacted, compact};

use crate::args::CompactArgs;
use crate::asking::{clean, runtime, unusable};
use crate::exit::Exit;
use crate::printer;

/// How many reasons of each run are told.
const REASONS: usize = 20;

/// Makes columns, and prints what was done.
///
/// # Errors
/// When a place cannot be used, and when what was written is not what was read.
pub fn run(args: &CompactArgs) -> Result<Exit> {
    let environment = Environment::of_process();
    let open = |place: &str, access| {
        Archive::open(&args.source.reach.of(place), &environment, access)
            .map_err(|error| unusable(error.into()))
    };
    let from = open(&args.source.source, Access::Read)?;
    let to = open(&args.dest, Access::Write)?;
    let mut shown = printer::Progress::default();
    let threads = Limits::default().threads;
    let compacted = runtime()?.block_on(async {
        let mut show = |Compacted { found, done_before, done, events, .. }: &Compacted| {
            let done = done + done_before;
            shown.show(format_args!("{done} of {found} objects, {events} events"));
        };
        let work = compact(&from, &to, threads, args.remove_source, &mut show);
        tokio::select! {
            done = work => done.map(Some),
            _ = tokio::signal::ctrl_c() => Ok(None),
        }
    });
    shown.clear();
    let Some(compacted) = compacted.map_err(unusable)? else {
        printer::say(format_args!("interrupted: what was written is whole; run it again"));
        return Ok(Exit::Environment);
    };
    for reason in compacted.left.iter().take(REASONS) {
        printer::say(format_args!("left alone: {}", clean(reason)));
    }
    if let Some(more) = compacted.left.len().checked_sub(REASONS).filter(|more| *more > 0) {
        printer::say(format_args!("left alone: {more} more"));
    }
    printer::print(&summary(&compacted, from.place()))?;
    let is_nothing = compacted.found == 0;
    Ok(if compacted.left.is_empty() && !is_nothing { Exit::Done } else { Exit::Negative })
}

fn summary(compacted: &Compacted, from: &str) -> String {
    let Compacted {
        found, done_before, done, written, events, source_bytes, bytes, removed, ..
    } = compacted;
    if *found == 0 {
        return format!("There are no objects of lines at {from}.\n");
    }
    let mut text = format!(
        "objects of lines: {found}; in columns before: {done_before}; now: {done}, in new \
         objects: {written}\n"
    );
    if *done > 0 {
        text += &format!("events: {events}; bytes of lines: {source_bytes}, of columns: {bytes}\n");
    }
    if *removed > 0 {
        text += &format!("objects of lines that were removed: {removed}\n");
    }
    text
}
