//! From what was typed to printed rows: what `query`, `sessions` and `tree` have in common.

mod progress;
mod rows;
mod saved;
mod table;

use std::path::Path;

use anyhow::{Context as _, Result};
use forebear_archive::Environment;
use forebear_engine::arrow::array::RecordBatch;
use forebear_engine::{Engine, Error, Kind, Question, zone};
use forebear_query::{Macros, Moment, Query, parse, render};
use jiff::Timestamp;

use crate::args::{PlacesArgs, RowFormat};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::{self, Printer};

use self::progress::Progress;
pub(crate) use self::table::clean;

/// Places that can be asked, and the clock of the questions.
pub(crate) struct Asking {
    engine: Engine,
    moment: Moment,
    macros: Macros,
}

impl Asking {
    /// Opens the places. Nothing is read yet.
    ///
    /// # Errors
    /// What is wrong with a place or the zone.
    pub(crate) fn open(places: &PlacesArgs) -> Result<Self> {
        let zone = zone::read(&places.zone).ok_or_else(|| {
            let zone = &places.zone;
            Failure::usage(format!(
                "--zone {zone}: there is no such zone; write a name such as Europe/Berlin, or an \
                 offset such as +09:00"
            ))
        })?;
        let moment = Moment { now: Timestamp::now(), zone };
        let opened = places.open(&Environment::of_process()).map_err(unusable)?;
        let engine = Engine::new(opened, places.limits());
        Ok(Self { engine, moment, macros: Macros::new() })
    }

    /// Reads the saved queries that the query may use.
    ///
    /// # Errors
    /// What is wrong with the file, with its place.
    pub(crate) fn load_macros(&mut self, path: &Path) -> Result<()> {
        self.macros = saved::read(path, &self.moment)?;
        Ok(())
    }

    /// The condition that every event has to pass: the query, and the range of time.
    ///
    /// # Errors
    /// What is wrong with the query or a time, with its place.
    pub(crate) fn within(&self, query: Option<&str>, places: &PlacesArgs) -> Result<Option<Query>> {
        let mut parts = Vec::new();
        if let Some(text) = query {
            self.compile(text, "the query")?;
            let expr = parse(text).map_err(|problems| wrong("the query", text, &problems))?;
            parts.push(format!("({expr})"));
        }
        let times = [("--since", ">=", &places.since), ("--until", "<", &places.until)];
        for (flag, operator, time) in times {
            if let Some(time) = time {
                let text = format!("event_time {operator} '{}'", time.replace('\'', "''"));
                self.compile(&text, &format!("the time of {flag}"))?;
                parts.push(text);
            }
        }
        match parts.is_empty() {
            true => Ok(None),
            false => self.compile(&parts.join(" and "), "the query").map(Some),
        }
    }

    fn compile(&self, text: &str, what: &str) -> Result<Query> {
        let query = Query::with_macros(text, self.moment.clone(), &self.macros);
        query.map_err(|problems| wrong(what, text, &problems))
    }

    /// Prints how a question would be answered.
    ///
    /// # Errors
    /// What is wrong with it, or with a place.
    pub(crate) fn explain(&self, question: &Question<'_>) -> Result<String> {
        let explained = runtime()?.block_on(self.engine.explain(question)).map_err(unusable)?;
        let report = self.engine.report();
        Ok(format!(
            "{explained}\n{} objects listed, {} passed over by their names; {} to read, {} bytes\n",
            report.listed,
            report.pruned,
            report.listed - report.pruned,
            report.bytes_to_read
        ))
    }

    /// Prints how many rows a question has.
    ///
    /// # Errors
    /// What is wrong with it, or with a place.
    pub(crate) fn count(&self, question: &Question<'_>) -> Result<Exit> {
        let counted = self.run(self.engine.count(question))?;
        self.tell();
        let Some(count) = counted else { return Ok(interrupted()) };
        printer::print(&format!("{count}\n"))?;
        Ok(if count > 0 { Exit::Done } else { Exit::Negative })
    }

    /// Prints the rows of a question.
    ///
    /// # Errors
    /// What is wrong with it, or with a place, and when rows cannot be written.
    pub(crate) fn print(&self, question: &Question<'_>, format: Option<RowFormat>) -> Result<Exit> {
        let printer = Printer::open(Path::new("-"))?;
        let format = format.unwrap_or(match printer.is_terminal() {
            true => RowFormat::Table,
            false => RowFormat::Ndjson,
        });
        let mut out = rows::Out::new(printer, format)?;
        let ended = self.each(question, &mut |batch| out.write(batch));
        let rows = out.finish();
        let ended = ended?;
        let rows = rows?;
        self.tell();
        if !ended {
            return Ok(interrupted());
        }
        Ok(if rows > 0 { Exit::Done } else { Exit::Negative })
    }

    /// Gives every batch of an answer to `take`, the first of them without rows; `false` if Ctrl-C
    /// ended it.
    ///
    /// # Errors
    /// What is wrong with the question, or with a place, and whatever `take` says.
    pub(crate) fn each(
        &self,
        question: &Question<'_>,
        take: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<bool> {
        let runtime = runtime()?;
        let mut progress = Progress::default();
        let ended = runtime.block_on(async {
            let mut stop = std::pin::pin!(tokio::signal::ctrl_c());
            let mut ticks = tokio::time::interval(progress::EVERY);
            let mut rows = tokio::select! {
                rows = self.engine.ask(question) => rows.map_err(unusable)?,
                _ = &mut stop => return Ok(false),
            };
            take(&RecordBatch::new_empty(rows.schema()))?;
            loop {
                tokio::select! {
                    batch = rows.next() => match batch.map_err(unusable)? {
                        Some(batch) => {
                            progress.clear();
                            take(&batch)?;
                        }
                        None => return Ok(true),
                    },
                    _ = ticks.tick() => progress.show(&self.engine.report()),
                    _ = &mut stop => return Ok(false),
                }
            }
        });
        progress.clear();
        // A thread that waits for standard input is not waited for.
        runtime.shutdown_background();
        ended
    }

    /// Waits for an answer, showing progress; `None` if Ctrl-C ended it.
    fn run<T>(&self, work: impl Future<Output = forebear_engine::Result<T>>) -> Result<Option<T>> {
        let runtime = runtime()?;
        let mut progress = Progress::default();
        let ended = runtime.block_on(async {
            let mut work = std::pin::pin!(work);
            let mut stop = std::pin::pin!(tokio::signal::ctrl_c());
            let mut ticks = tokio::time::interval(progress::EVERY);
            loop {
                tokio::select! {
                    done = &mut work => return done.map(Some),
                    _ = ticks.tick() => progress.show(&self.engine.report()),
                    _ = &mut stop => return Ok(None),
                }
            }
        });
        progress.clear();
        runtime.shutdown_background();
        ended.map_err(unusable)
    }

    /// Says what was not used.
    pub(crate) fn tell(&self) {
        for warning in self.engine.report().warnings() {
            printer::say(format_args!("warning: {}", clean(&warning)));
        }
    }
}

/// What Ctrl-C leaves.
pub(crate) fn interrupted() -> Exit {
    printer::say(format_args!("interrupted: this is only what was found until then"));
    Exit::Environment
}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().build().context("starting the runtime of the engine")
}

fn wrong(what: &str, text: &str, problems: &[forebear_query::Diagnostic]) -> anyhow::Error {
    let shown = render(text, problems);
    let text =
        format!("{what} is wrong\n{}\n  docs/reference/cql.md has the language", shown.trim_end());
    Failure::usage(text).into()
}

/// Its kind decides the exit code; its text says everything else.
pub(crate) fn unusable(error: Error) -> anyhow::Error {
    match error.kind() {
        Kind::Question | Kind::Place => Failure::usage(error.to_string()).into(),
        Kind::Environment | Kind::Memory | Kind::Output => {
            Failure::environment(error.to_string()).into()
        }
        _ => anyhow::Error::new(error),
    }
}
