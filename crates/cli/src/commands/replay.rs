//! `replay`: a recorded trace of observations through the model to events.
//!
//! The stream has the form of a live one: an AGENT event of the start, one where losses were
//! noticed, one of the end; so the `seq` and the ids of a recording without losses come out the
//! same, up to the first status event.
//! Reading is strict: a line that is not understood ends the replay with its place, because a
//! trace that is read wrongly would prove nothing.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result};
use forebear_events::{Reason, ndjson, pretty};
use forebear_model::trace::{self, Content, Header, Line};

use self::player::Player;
use crate::args::{FormatArg, ReplayArgs};
use crate::exit::Exit;
use crate::failure::{self, Failure};
use crate::printer::Printer;

mod header;
mod player;
#[cfg(test)]
mod tests;

/// What a trace begins with, for messages.
const HEADER_FORM: &str =
    "trace version=1 host=<32 hexadecimal digits> boot=<32 hexadecimal digits>";

/// Runs `replay`.
///
/// # Errors
/// A usage [`Failure`] with file, line and column for a trace that cannot be read.
pub fn run(args: &ReplayArgs) -> Result<Exit> {
    let (name, mut input) = open(&args.trace)?;
    let mut printer = Printer::open(&args.output)?;
    let is_pretty = match args.format {
        Some(format) => format == FormatArg::Pretty,
        None => printer.is_terminal(),
    };
    replay(&name, &mut *input, &mut |lines| {
        if is_pretty {
            let text = readable(lines, printer.colour());
            printer.write(text.as_bytes())
        } else {
            printer.write(lines)
        }
    })?;
    printer.finish()?;
    Ok(Exit::Done)
}

fn open(path: &Path) -> Result<(String, Box<dyn BufRead>)> {
    let trace = path.display().to_string();
    if trace == "-" {
        return Ok(("standard input".to_owned(), Box::new(BufReader::new(io::stdin()))));
    }
    let refused = |error: io::Error| {
        Failure::usage(format!("cannot read {trace}: {}", failure::reason(&error)))
    };
    let file = File::open(path).map_err(refused)?;
    if file.metadata().map_err(refused)?.is_dir() {
        let what = format!("cannot read {trace}: it is a directory; name a trace in it");
        return Err(Failure::usage(what).into());
    }
    Ok((trace, Box::new(BufReader::new(file))))
}

/// Plays a trace; hands over lines of events.
fn replay(
    name: &str,
    input: &mut dyn BufRead,
    emit: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let mut player: Option<Player> = None;
    let mut bytes = Vec::new();
    let mut out = Vec::new();
    let mut number = 0;
    loop {
        bytes.clear();
        let read = input.read_until(b'\n', &mut bytes);
        if read.with_context(|| format!("reading {name}"))? == 0 {
            break;
        }
        number += 1;
        let wrong = |error: trace::Error| {
            Failure::usage(format!("{name}:{number}:{}: {}", error.column, error.problem))
        };
        let line = Line::split(text(&bytes).map_err(wrong)?).map_err(wrong)?;
        match (line.content().map_err(wrong)?, &mut player) {
            (Content::Nothing, _) => {}
            (Content::Header(header), None) => {
                player = Some(begin(&header).map_err(wrong)?);
            }
            (Content::Header(_), Some(_)) => {
                let problem = "a trace has one header; this is a second".to_owned();
                return Err(wrong(trace::Error { column: 1, problem }).into());
            }
            (Content::Observation(_), None) => {
                let problem = format!("a trace begins with its header: {HEADER_FORM}");
                return Err(wrong(trace::Error { column: 1, problem }).into());
            }
            (Content::Observation(observation), Some(player)) => {
                player.observe(&observation, &mut out);
                emit(&out)?;
                out.clear();
            }
        }
    }
    let Some(mut player) = player else {
        let what = format!("{name}: it is empty; a trace begins with its header: {HEADER_FORM}");
        return Err(Failure::usage(what).into());
    };
    player.report(Reason::Stop, &mut out);
    emit(&out)
}

fn begin(header: &Header) -> Result<Player, trace::Error> {
    let (run, config_hash) = header::read(header)?;
    Ok(Player::new(run, config_hash))
}

/// A line as text, without its line end.
fn text(bytes: &[u8]) -> Result<&str, trace::Error> {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    std::str::from_utf8(line).map_err(|error| trace::Error {
        column: error.valid_up_to() + 1,
        problem: "this byte is not UTF-8; in a trace it is written \\xNN".to_owned(),
    })
}

/// Lines as people read them.
fn readable(lines: &[u8], colour: bool) -> String {
    let mut text = String::new();
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match ndjson::read(line) {
            Ok(Some(event)) => {
                pretty::line(&event, colour, &mut text);
                if !text.ends_with('\n') {
                    text.push('\n');
                }
            }
            // We have just written it, so this is a bug; the person still gets the line.
            _ => text.extend([&*String::from_utf8_lossy(line), "\n"]),
        }
    }
    text
}
